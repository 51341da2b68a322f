//! Temporary tables: rows that a session sorts, and drops when it is done.

use std::{ops::ControlFlow, sync::Arc};

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    cursor::Seek,
    record::{ColumnValue, RecordView},
    schema::{ColType, ColumnDef, ColumnId, TableSchema},
    temp::{self as engine, KeyOrder, TempColumn, TempOptions, TempTableDef},
};
use smallvec::SmallVec;

use crate::{
    key::{Key, key_bytes},
    row::{Row, Values},
    session::{SessionCell, SessionState},
    typed::{ColumnType, Typed},
};

/// A temporary table to be opened by [`Session::temp_table`](crate::Session::temp_table).
///
/// Rows are sorted by the columns that are named with [`TempTableBuilder::key`] and
/// [`TempTableBuilder::key_desc`], in this order; of rows with the same key the first stays.
/// What does not fit into the memory for sorts goes through a temporary file.
#[derive(Clone, Debug)]
#[must_use]
pub struct TempTableBuilder {
    def: TempTableDef,
}

impl Default for TempTableBuilder {
    fn default() -> TempTableBuilder {
        TempTableBuilder::new()
    }
}

impl TempTableBuilder {
    /// A table without columns. Without key columns its rows stay as they come.
    pub fn new() -> TempTableBuilder {
        // What makes text long here is that any string fits, not that strings are long.
        let options = TempOptions::INTRINSIC_LVS_ONLY;
        TempTableBuilder { def: TempTableDef { options, ..TempTableDef::default() } }
    }

    /// With a column that is no part of the key.
    pub fn column(self, name: &str, ty: ColType) -> TempTableBuilder {
        self.define(ColumnDef::new(name, ty), None)
    }

    /// With a column of UTF-16 text that is no part of the key.
    pub fn text(self, name: &str) -> TempTableBuilder {
        self.define(ColumnDef::new(name, ColType::LongText).unicode(), None)
    }

    /// With a column that is the next part of the key, small values first.
    pub fn key(self, name: &str, ty: ColType) -> TempTableBuilder {
        self.define(ColumnDef::new(name, ty), Some(KeyOrder::Ascending))
    }

    /// With a column that is the next part of the key, great values first.
    pub fn key_desc(self, name: &str, ty: ColType) -> TempTableBuilder {
        self.define(ColumnDef::new(name, ty), Some(KeyOrder::Descending))
    }

    /// With a column of UTF-16 text that is the next part of the key.
    pub fn key_text(self, name: &str) -> TempTableBuilder {
        self.define(ColumnDef::new(name, ColType::LongText).unicode(), Some(KeyOrder::Ascending))
    }

    /// With a column defined in every detail.
    pub fn define(mut self, def: ColumnDef, key: Option<KeyOrder>) -> TempTableBuilder {
        self.def.columns.push(TempColumn { def, key });
        self
    }

    /// All rows stay, also those with the same key, in the order of their coming. Rows can then be
    /// read from the first to the last only.
    pub fn keep_duplicates(mut self) -> TempTableBuilder {
        self.def.options |= TempOptions::FORWARD_ONLY;
        self
    }

    /// Rows can be sought by their key: [`TempTable::get`].
    pub fn seekable(mut self) -> TempTableBuilder {
        self.def.options |= TempOptions::INDEXED;
        self
    }

    /// A row whose key is there already is refused when it comes (`JET_errKeyDuplicate`, -1605),
    /// and values of any length are taken: the rows go into a B-tree of the temporary database at
    /// once, as do changes of a transaction, with which they are taken back.
    pub fn as_tree(mut self) -> TempTableBuilder {
        self.def.options -= TempOptions::INTRINSIC_LVS_ONLY;
        self.def.options |= TempOptions::FORCE_MATERIALIZATION;
        self
    }

    /// NULL sorts behind values.
    pub fn nulls_last(mut self) -> TempTableBuilder {
        self.def.options |= TempOptions::SORT_NULLS_HIGH;
        self
    }

    /// UTF-16 text of the key sorts by this locale, with these flags of LCMapString.
    pub fn locale(mut self, name: &str, map_flags: u32) -> TempTableBuilder {
        let locale = name.to_owned();
        self.def.unicode = Some(ese_engine::key::UnicodeIndex { locale, map_flags });
        self
    }
}

/// Rows that a session sorts. It takes rows first; reading sorts them, and from then on only a
/// table that was built [`as_tree`](TempTableBuilder::as_tree) takes more.
///
/// ```
/// # fn main() -> ese_api::Result<()> {
/// # let dir = tempfile::tempdir().unwrap();
/// # let instance = ese_api::Instance::builder(dir.path().join("data")).start()?;
/// use ese_api::{ColType, TempTableBuilder, row};
///
/// let session = instance.session()?;
/// let scores = TempTableBuilder::new().key_desc("points", ColType::Long).key_text("name");
/// let mut scores = session.temp_table(scores)?;
/// for (name, points) in [("Ada", 7), ("Grace", 9), ("Alan", 7), ("Ada", 7)] {
///     scores.insert(&row! { "name" => name, "points" => points })?;
/// }
/// let order: Vec<_> = scores.rows()?.map(|row| row.unwrap()["name"].clone()).collect();
/// assert_eq!(order, ["Grace".into(), "Ada".into(), "Alan".into()]);
/// # drop((scores, session));
/// # instance.stop()
/// # }
/// ```
#[derive(Debug)]
pub struct TempTable {
    inner: engine::TempTable,
    cell: Arc<SessionCell>,
    record: Vec<u8>,
}

/// A row of a temporary table, without a copy. It lives as long as the visitor that got it runs.
#[derive(Clone, Copy, Debug)]
pub struct TempRow<'a> {
    schema: &'a TableSchema,
    record: &'a [u8],
}

impl<'a> TempRow<'a> {
    /// The bytes of a column in record encoding; `None` for NULL.
    ///
    /// # Errors
    /// `JET_errColumnNotFound` (-1507); `JET_errFeatureNotAvailable` (-1001) for a value that lies
    /// outside of the row, which [`TempTable::rows`] reads.
    pub fn bytes(&self, column: ColumnId) -> Result<Option<&'a [u8]>> {
        let column = self.schema.columns.require(column)?;
        RecordView::new(self.record, self.schema.page_size)?.data(column)?.first(column)
    }
}

impl TempTable {
    pub(crate) fn open(cell: &Arc<SessionCell>, builder: &TempTableBuilder) -> Result<TempTable> {
        let inner = cell.with(|state| engine::TempTable::open(&state.engine, &builder.def))?;
        Ok(TempTable { inner, cell: Arc::clone(cell), record: Vec::new() })
    }

    /// Its columns and its key.
    #[must_use]
    pub fn schema(&self) -> &TableSchema {
        self.inner.schema()
    }

    /// The id of a column.
    ///
    /// # Errors
    /// `JET_errColumnNotFound` (-1507).
    pub fn column(&self, name: &str) -> Result<ColumnId> {
        self.schema().column(name).map(|column| column.id)
    }

    /// A column of a known type, for [`Row::of`] and [`Values::with`].
    ///
    /// # Errors
    /// `JET_errColumnNotFound` (-1507), `JET_errInvalidColumnType` (-1511) for a column whose
    /// values are of another type.
    pub fn typed<T: ColumnType>(&self, name: &str) -> Result<Typed<T>> {
        Typed::new(self.schema().column(name)?)
    }

    /// Takes a row.
    ///
    /// # Errors
    /// `JET_errIllegalOperation` (-1312) when rows have been read, unless it is a tree;
    /// `JET_errRecordTooBig` (-1026), `JET_errInvalidParameter` (-1003) for a value that does not
    /// suit its column; those of writing temporary files, for example `JET_errDiskFull` (-1808).
    pub fn insert(&mut self, row: &Values<'_>) -> Result<()> {
        let encoded = row.encode(self.inner.schema())?;
        let slices: SmallVec<[ColumnValue<'_>; 16]> =
            encoded.iter().map(|(id, value)| (*id, value.as_deref())).collect();
        self.insert_bytes(&slices)
    }

    /// Takes a row of values in record encoding (numbers little-endian). The fastest way.
    ///
    /// # Errors
    /// As [`TempTable::insert`].
    pub fn insert_bytes(&mut self, values: &[ColumnValue<'_>]) -> Result<()> {
        let TempTable { inner, cell, record } = self;
        cell.with(|state| inner.insert(&mut state.engine, values, record))
    }

    /// Moves to the first row.
    fn first(&mut self) -> Result<bool> {
        let TempTable { inner, cell, .. } = self;
        cell.with(|state| found(inner.first(&state.engine)))
    }

    fn next(&mut self) -> Result<bool> {
        let TempTable { inner, cell, .. } = self;
        cell.with(|state| found(inner.move_by(&state.engine, 1, false)))
    }

    fn current(&mut self) -> Result<Row> {
        let TempTable { inner, cell, .. } = self;
        cell.with(|state| read_row(inner, state))
    }

    /// All rows in the order of the key. Rows are sorted now, if they were not before.
    ///
    /// # Errors
    /// Those of writing and reading temporary files.
    pub fn rows(&mut self) -> Result<TempRows<'_>> {
        let more = self.first()?;
        Ok(TempRows { table: self, more })
    }

    /// Visits all rows in the order of the key without copying them, until the visitor breaks. Says
    /// whether it did.
    ///
    /// The visitor may run under a page latch: it must be short and must not use the engine.
    ///
    /// # Errors
    /// As [`TempTable::rows`].
    pub fn visit(&mut self, mut each: impl FnMut(TempRow<'_>) -> ControlFlow<()>) -> Result<bool> {
        let schema = Arc::clone(self.inner.schema());
        let TempTable { inner, cell, .. } = self;
        cell.with(|state| {
            let mut more = found(inner.first(&state.engine))?;
            while more {
                let schema = &*schema;
                let flow = inner.read(&state.engine, |record| each(TempRow { schema, record }))?;
                if flow.is_break() {
                    return Ok(true);
                }
                more = found(inner.move_by(&state.engine, 1, false))?;
            }
            Ok(false)
        })
    }

    /// The row with this key.
    ///
    /// # Errors
    /// `JET_errIllegalOperation` (-1312) for a table that was not built
    /// [`seekable`](TempTableBuilder::seekable) or [`as_tree`](TempTableBuilder::as_tree);
    /// `JET_errInvalidParameter` (-1003) for a key that does not suit the columns; as
    /// [`TempTable::rows`].
    pub fn get(&mut self, key: impl Key) -> Result<Option<Row>> {
        let mut whole = Vec::new();
        key_bytes(self.inner.schema(), key, &mut whole)?;
        let TempTable { inner, cell, .. } = self;
        cell.with(|state| {
            inner.set_key(&whole)?;
            match inner.seek(&state.engine, Seek::Equal, false, false) {
                Ok(_) => read_row(inner, state).map(Some),
                Err(error) if error.code() == JetErr::RecordNotFound => Ok(None),
                Err(error) => Err(error),
            }
        })
    }
}

/// That there is no row is no error here.
fn found(moved: Result<()>) -> Result<bool> {
    match moved {
        Ok(()) => Ok(true),
        Err(error) if error.code() == JetErr::NoCurrentRecord => Ok(false),
        Err(error) => Err(error),
    }
}

fn read_row(table: &mut engine::TempTable, state: &SessionState) -> Result<Row> {
    let session = &state.engine;
    let key = table.current_key(session)?.to_vec();
    if let Some(tree) = table.tree()? {
        let table = Arc::clone(tree.table());
        return tree.read(session, |record| Row::read(&table, session, key, record))?;
    }
    let schema = Arc::clone(table.schema());
    table.read(session, |record| {
        Row::of_view(&schema, key, &RecordView::new(record, schema.page_size)?)
    })?
}

/// An iterator over the rows of a temporary table, in the order of its key.
#[derive(Debug)]
pub struct TempRows<'t> {
    table: &'t mut TempTable,
    /// It stands on a row that was not given out.
    more: bool,
}

impl Iterator for TempRows<'_> {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Result<Row>> {
        if !self.more {
            return None;
        }
        let step = |table: &mut TempTable| -> Result<(Row, bool)> {
            Ok((table.current()?, table.next()?))
        };
        let (row, more) = match step(self.table) {
            Ok((row, more)) => (Ok(row), more),
            Err(error) => (Err::<Row, Error>(error), false),
        };
        self.more = more;
        Some(row)
    }
}
