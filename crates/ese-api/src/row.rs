//! Rows as Rust values: what is given to an insert or update, and what a read gives back.

use std::{borrow::Cow, fmt, ops, sync::Arc};

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    record::RecordView,
    schema::{ColType, Column, ColumnFlags, ColumnId, TableSchema},
    session::Session as EngineSession,
    table::{RowRef, Table as EngineTable},
};

pub use ese_engine::record::{Guid, Value};

use crate::{
    key::Bookmark,
    typed::{ColumnType, Typed},
};

/// How a column is named: by its name, or faster by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnRef<'a> {
    /// By name; ASCII case does not matter.
    Name(Cow<'a, str>),
    /// By id.
    Id(ColumnId),
}

impl<'a> From<&'a str> for ColumnRef<'a> {
    fn from(name: &'a str) -> ColumnRef<'a> {
        ColumnRef::Name(Cow::Borrowed(name))
    }
}

impl From<String> for ColumnRef<'_> {
    fn from(name: String) -> Self {
        ColumnRef::Name(Cow::Owned(name))
    }
}

impl<'a> From<&'a String> for ColumnRef<'a> {
    fn from(name: &'a String) -> ColumnRef<'a> {
        ColumnRef::Name(Cow::Borrowed(name))
    }
}

impl From<ColumnId> for ColumnRef<'_> {
    fn from(id: ColumnId) -> Self {
        ColumnRef::Id(id)
    }
}

impl ColumnRef<'_> {
    /// The column of a table.
    pub(crate) fn find<'t>(&self, schema: &'t TableSchema) -> Result<&'t Column> {
        match self {
            ColumnRef::Name(name) => schema.column(name),
            ColumnRef::Id(id) => schema.columns.require(*id),
        }
    }
}

/// Values for some columns of a row, for an insert or an update. [`crate::row!`] writes it briefly.
///
/// Columns that are not named have their default in an insert and keep their value in an update. A
/// multi-valued column is named once per value, or given a [`Value::Multi`]; an update replaces all
/// its values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values<'a> {
    pub(crate) list: Vec<(ColumnRef<'a>, Value)>,
}

impl<'a> Values<'a> {
    /// No values yet.
    #[must_use]
    pub fn new() -> Values<'a> {
        Values::default()
    }

    /// With a value for one column more.
    #[must_use]
    pub fn set(mut self, column: impl Into<ColumnRef<'a>>, value: impl Into<Value>) -> Values<'a> {
        self.push(column, value);
        self
    }

    /// Adds a value for one column.
    pub fn push(&mut self, column: impl Into<ColumnRef<'a>>, value: impl Into<Value>) {
        self.list.push((column.into(), value.into()));
    }

    /// The values in record encoding.
    pub(crate) fn encode(&self, schema: &TableSchema) -> Result<Vec<(ColumnId, Option<Vec<u8>>)>> {
        let mut encoded = Vec::with_capacity(self.list.len());
        for (name, value) in &self.list {
            let column = name.find(schema)?;
            match value {
                // No value at all.
                Value::Multi(values) if values.is_empty() => encoded.push((column.id, None)),
                Value::Multi(values) if !is_bytes(column) => {
                    for value in values {
                        encoded.push((column.id, value.encode(column)?));
                    }
                }
                Value::Multi(values) => encoded.push((column.id, Some(joined(column, values)?))),
                value => encoded.push((column.id, value.encode(column)?)),
            }
        }
        Ok(encoded)
    }
}

/// Does a list of small numbers mean the bytes of one value here?
fn is_bytes(column: &Column) -> bool {
    let binary = matches!(column.ty, ColType::Binary | ColType::LongBinary);
    binary && !column.flags.contains(ColumnFlags::MULTI_VALUED)
}

fn joined(column: &Column, values: &[Value]) -> Result<Vec<u8>> {
    let byte = |value: &Value| match value {
        Value::U8(byte) => Ok(*byte),
        other => Err(Error::new(
            JetErr::InvalidParameter,
            format!("column \"{}\" holds bytes, not {other:?}", column.name),
        )),
    };
    values.iter().map(byte).collect()
}

impl<'a, C: Into<ColumnRef<'a>>, V: Into<Value>> FromIterator<(C, V)> for Values<'a> {
    fn from_iter<I: IntoIterator<Item = (C, V)>>(values: I) -> Values<'a> {
        let list = values.into_iter().map(|(column, value)| (column.into(), value.into()));
        Values { list: list.collect() }
    }
}

/// Values for the columns of a row.
///
/// ```
/// let person = ese_api::row! { "id" => 1, "name" => "Ada", "born" => 1815_i16 };
/// # let _ = person;
/// ```
#[macro_export]
macro_rules! row {
    ($($column:expr => $value:expr),* $(,)?) => {
        $crate::Values::new()$(.set($column, $value))*
    };
}

/// A row that was read: the values of all columns of its table.
#[derive(Clone)]
pub struct Row {
    schema: Arc<TableSchema>,
    /// One per column, in the order of the ids.
    values: Vec<Value>,
    bookmark: Bookmark,
}

impl Row {
    pub(crate) fn read(
        table: &Arc<EngineTable>,
        session: &EngineSession,
        key: Vec<u8>,
        record: &[u8],
    ) -> Result<Row> {
        let long_values = table.long_values(session);
        let view = RecordView::new(record, table.db.page_size())?.with_long_values(&long_values);
        Row::of_view(&table.schema, key, &view)
    }

    pub(crate) fn of_view(
        schema: &Arc<TableSchema>,
        key: Vec<u8>,
        view: &RecordView<'_>,
    ) -> Result<Row> {
        let columns = schema.columns.iter();
        let values = columns.map(|column| Value::read(column, view)).collect::<Result<_>>()?;
        Ok(Row { schema: Arc::clone(schema), values, bookmark: Bookmark::new(key) })
    }

    /// The value of a column; `None` if the table has no such column.
    #[must_use]
    pub fn get<'c>(&self, column: impl Into<ColumnRef<'c>>) -> Option<&Value> {
        let wanted = column.into().find(&self.schema).ok()?.id;
        let at = self.schema.columns.iter().position(|column| column.id == wanted)?;
        self.values.get(at)
    }

    /// Names and values of all columns, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        let columns = self.schema.columns.iter();
        columns.map(|column| column.name.as_str()).zip(&self.values)
    }

    /// The values in the order of the column ids.
    #[must_use]
    pub fn into_values(self) -> Vec<Value> {
        self.values
    }

    /// The value of a column as a Rust type; `None` for NULL.
    ///
    /// # Errors
    /// `JET_errColumnNotFound` (-1507), `JET_errInvalidColumnType` (-1511) for a column of another
    /// type.
    pub fn of<T: ColumnType>(&self, column: &Typed<T>) -> Result<Option<T>> {
        let value = self.get(column.id()).ok_or_else(|| {
            Error::new(JetErr::ColumnNotFound, format!("the row has no column {}", column.id()))
        })?;
        T::from_value(value)
    }

    /// Where the row is in its table: a key for [`crate::Table::update`] and the like, also for the
    /// rows of a table without primary index.
    #[must_use]
    pub fn bookmark(&self) -> &Bookmark {
        &self.bookmark
    }

    /// The row's key as the table orders it, the bytes of its bookmark. Keys compare as bytes.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.bookmark.as_bytes()
    }
}

impl<'c, C: Into<ColumnRef<'c>>> ops::Index<C> for Row {
    type Output = Value;

    /// The value of a column; [`Value::Null`] if the table has no such column.
    fn index(&self, column: C) -> &Value {
        const NULL: &Value = &Value::Null;
        self.get(column).unwrap_or(NULL)
    }
}

impl PartialEq for Row {
    /// Same bookmark and values.
    fn eq(&self, other: &Row) -> bool {
        self.bookmark == other.bookmark && self.values == other.values
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// A row on its page, without a copy. It lives as long as the visitor that got it runs.
#[derive(Clone, Copy, Debug)]
pub struct RowView<'a> {
    table: &'a Arc<EngineTable>,
    session: &'a EngineSession,
    key: RowKey<'a>,
    record: &'a [u8],
}

#[derive(Clone, Copy, Debug)]
enum RowKey<'a> {
    Whole(&'a [u8]),
    OnPage(RowRef<'a>),
}

impl<'a> RowView<'a> {
    pub(crate) fn new(
        table: &'a Arc<EngineTable>,
        session: &'a EngineSession,
        row: RowRef<'a>,
    ) -> RowView<'a> {
        RowView { table, session, key: RowKey::OnPage(row), record: row.record }
    }

    pub(crate) fn with_key(
        table: &'a Arc<EngineTable>,
        session: &'a EngineSession,
        key: &'a [u8],
        record: &'a [u8],
    ) -> RowView<'a> {
        RowView { table, session, key: RowKey::Whole(key), record }
    }

    /// The bytes of a column in record encoding; `None` for NULL. Of a multi-valued column the
    /// first value.
    ///
    /// # Errors
    /// `JET_errColumnNotFound` (-1507), `JET_errDatabaseCorrupted` (-1206);
    /// `JET_errFeatureNotAvailable` (-1001) for a value that lies outside of the row or is
    /// compressed, which [`RowView::value`] reads.
    pub fn bytes(&self, column: ColumnId) -> Result<Option<&'a [u8]>> {
        let column = self.table.schema.columns.require(column)?;
        RecordView::new(self.record, self.table.db.page_size())?.data(column)?.first(column)
    }

    /// The value of a column.
    ///
    /// # Errors
    /// As [`RowView::bytes`].
    pub fn value<'c>(&self, column: impl Into<ColumnRef<'c>>) -> Result<Value> {
        let column = column.into().find(&self.table.schema)?;
        let long_values = self.table.long_values(self.session);
        let view = RecordView::new(self.record, self.table.db.page_size())?;
        Value::read(column, &view.with_long_values(&long_values))
    }

    /// The record as it is stored.
    #[must_use]
    pub fn record(&self) -> &'a [u8] {
        self.record
    }

    /// Appends the row's key.
    pub fn append_key(&self, out: &mut Vec<u8>) {
        match self.key {
            RowKey::Whole(key) => out.extend_from_slice(key),
            RowKey::OnPage(row) => row.append_key(out),
        }
    }

    /// A copy of all values.
    ///
    /// # Errors
    /// As [`RowView::bytes`].
    pub fn to_row(&self) -> Result<Row> {
        let mut key = Vec::new();
        self.append_key(&mut key);
        Row::read(self.table, self.session, key, self.record)
    }
}
