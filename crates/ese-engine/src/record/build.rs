//! A record being put together column by column: the copy buffer of a prepared update.

use ese_base::{Error, JetErr, Result};
use smallvec::SmallVec;

use super::{
    edit::{Change, apply},
    encode::{ColumnValue, RowShape, encode_columns, normal_value, null_refused},
    tagged::ext,
    view::{ColumnData, Instance, Lid, RecordView},
};
use crate::schema::{Column, ColumnId, TableSchema};

/// The copy buffer of an update. It is a whole record at every moment, so that columns can be read
/// back between changes. Buffers are kept from one update to the next.
#[derive(Clone, Debug, Default)]
pub struct RecordBuilder {
    record: Vec<u8>,
    /// The next state, swapped in when a change has succeeded.
    next: Vec<u8>,
}

impl RecordBuilder {
    /// An empty builder; begin with [`RecordBuilder::insert`] or [`RecordBuilder::edit`].
    #[must_use]
    pub fn new() -> RecordBuilder {
        RecordBuilder::default()
    }

    /// Begins a new row: defaults are in place, everything else is NULL. Columns that refuse NULL
    /// are only checked by [`RecordBuilder::check`].
    ///
    /// # Errors
    /// `JET_errRecordTooBig` when the defaults alone do not fit.
    pub fn insert(&mut self, schema: &TableSchema) -> Result<()> {
        match encode_columns(&RowShape::of(schema), &[], &mut self.record) {
            Err(error) if error.code() == JetErr::ColumnIllegalNull => Ok(()),
            other => other,
        }
    }

    /// Begins with a copy of an existing row.
    ///
    /// # Errors
    /// `JET_errDatabaseCorrupted`.
    pub fn edit(&mut self, schema: &TableSchema, record: &[u8]) -> Result<()> {
        RecordView::new(record, schema.page_size)?;
        self.record.clear();
        self.record.extend_from_slice(record);
        Ok(())
    }

    /// The record as it stands.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.record
    }

    /// The record as it stands, for reading columns.
    ///
    /// # Errors
    /// `JET_errDatabaseCorrupted` before the first `insert` or `edit`.
    pub fn view(&self, schema: &TableSchema) -> Result<RecordView<'_>> {
        RecordView::new(&self.record, schema.page_size)
    }

    /// Sets a column to one value, or to NULL. All values of a multi-valued column are replaced.
    ///
    /// # Errors
    /// As [`super::encode_row`].
    pub fn set(&mut self, schema: &TableSchema, id: ColumnId, value: Option<&[u8]>) -> Result<()> {
        self.change(schema, id, value.map_or(Change::Null, Change::Value))
    }

    /// Sets several columns at once, one value each.
    ///
    /// # Errors
    /// As [`super::encode_row`].
    pub fn set_all(&mut self, schema: &TableSchema, values: &[ColumnValue<'_>]) -> Result<()> {
        let old = RecordView::new(&self.record, schema.page_size)?;
        super::edit::replace_columns(schema, &old, values, &mut self.next)?;
        std::mem::swap(&mut self.record, &mut self.next);
        Ok(())
    }

    /// Removes what is stored of a tagged column, so that its default shows again.
    ///
    /// # Errors
    /// `JET_errInvalidColumnType` for a column that is not tagged.
    pub fn revert_to_default(&mut self, schema: &TableSchema, id: ColumnId) -> Result<()> {
        tagged_only(schema.columns.require(id)?)?;
        self.change(schema, id, Change::Absent)
    }

    /// Sets one value of a tagged column by its itagSequence (api-semantics 9.5): 0 or a number
    /// above the count appends; NULL removes value `itag` and renumbers those behind it, and does
    /// nothing to a value that does not exist.
    ///
    /// # Errors
    /// `JET_errInvalidColumnType` for a column that is not tagged, and as [`super::encode_row`].
    pub fn set_instance(
        &mut self,
        schema: &TableSchema,
        id: ColumnId,
        itag: usize,
        value: Option<&[u8]>,
    ) -> Result<()> {
        self.put_instance(schema, id, itag, value.map(Instance::Plain))
    }

    /// As [`RecordBuilder::set_instance`], for a value in any form.
    ///
    /// # Errors
    /// As [`RecordBuilder::set_instance`].
    pub fn put_instance(
        &mut self,
        schema: &TableSchema,
        id: ColumnId,
        itag: usize,
        value: Option<Instance<'_>>,
    ) -> Result<()> {
        let column = schema.columns.require(id)?;
        tagged_only(column)?;
        let value = match value {
            Some(Instance::Plain(bytes)) => Some(Instance::Plain(normal_value(column, bytes)?)),
            other => other,
        };
        let old = RecordView::new(&self.record, schema.page_size)?;
        let mut list: SmallVec<[Instance<'_>; 8]> = SmallVec::new();
        let data = old.data(column)?;
        let has_default = data.is_default();
        match data {
            ColumnData::Null | ColumnData::Default(_) | ColumnData::Computed => {}
            ColumnData::One(instance) => list.push(instance),
            ColumnData::Many(instances) => {
                for instance in instances.iter() {
                    list.push(instance?);
                }
            }
        }
        let place = itag.checked_sub(1).filter(|at| *at < list.len());
        match (place, value) {
            (Some(at), Some(value)) => {
                if let Some(instance) = list.get_mut(at) {
                    *instance = value;
                }
            }
            (None, Some(value)) => list.push(value),
            (Some(at), None) => {
                list.remove(at);
            }
            // The default is hidden by a NULL of the row's own.
            (None, None) if itag == 1 && has_default => {}
            (None, None) => return Ok(()),
        }
        put_instances(schema, &old, column, &list, &mut self.next)?;
        drop(list);
        std::mem::swap(&mut self.record, &mut self.next);
        Ok(())
    }

    /// Gives a tagged column these values, in any form, instead of those that it has.
    ///
    /// # Errors
    /// As [`RecordBuilder::set_instance`].
    pub fn put_list(
        &mut self,
        schema: &TableSchema,
        id: ColumnId,
        list: &[Instance<'_>],
    ) -> Result<()> {
        let column = schema.columns.require(id)?;
        tagged_only(column)?;
        let old = RecordView::new(&self.record, schema.page_size)?;
        put_instances(schema, &old, column, list, &mut self.next)?;
        std::mem::swap(&mut self.record, &mut self.next);
        Ok(())
    }

    /// Checks what a new row must fulfil: columns that refuse NULL have a value.
    ///
    /// # Errors
    /// `JET_errNullInvalid` (-1504), naming the column.
    pub fn check(&self, schema: &TableSchema) -> Result<()> {
        let view = self.view(schema)?;
        for id in schema.columns.required() {
            if view.column(&schema.columns, *id)?.is_null() {
                return Err(null_refused(&schema.columns, *id));
            }
        }
        Ok(())
    }

    fn change(&mut self, schema: &TableSchema, id: ColumnId, change: Change<'_>) -> Result<()> {
        let old = RecordView::new(&self.record, schema.page_size)?;
        apply(&RowShape::of(schema), &old, &[(id, change)], &mut self.next)?;
        std::mem::swap(&mut self.record, &mut self.next);
        Ok(())
    }
}

fn tagged_only(column: &Column) -> Result<()> {
    if column.id.is_tagged() {
        return Ok(());
    }
    Err(Error::new(
        JetErr::InvalidColumnType,
        format!("column \"{}\" is not a tagged column", column.name),
    ))
}

/// Writes the record with this list of values in the place of a tagged column.
fn put_instances(
    schema: &TableSchema,
    old: &RecordView<'_>,
    column: &Column,
    list: &[Instance<'_>],
    out: &mut Vec<u8>,
) -> Result<()> {
    let shape = RowShape::of(schema);
    let long = if column.ty.is_long() { ext::LONG } else { 0 };
    if list.is_empty() {
        return apply(&shape, old, &[(column.id, Change::Null)], out);
    }
    // Ids of long values are written into this room, then referred to.
    let lids: SmallVec<[([u8; 8], usize); 8]> = list.iter().map(lid_bytes).collect();
    let mut ext = long;
    let mut parts: SmallVec<[(u16, &[u8]); 8]> = SmallVec::new();
    for (at, (instance, lid)) in list.iter().zip(&lids).enumerate() {
        let (lid_buf, lid_len) = lid;
        parts.push(match instance {
            Instance::Plain(bytes) => (0, *bytes),
            Instance::Compressed(bytes) if at == 0 => {
                ext |= ext::COMPRESSED;
                (0, *bytes)
            }
            Instance::Encrypted(bytes) if list.len() == 1 => {
                ext |= ext::ENCRYPTED;
                (0, *bytes)
            }
            Instance::Separated(_) => (0x8000, lid_buf.get(..*lid_len).unwrap_or_default()),
            Instance::Compressed(_) | Instance::Encrypted(_) => {
                return Err(Error::new(
                    JetErr::FeatureNotAvailable,
                    format!("column \"{}\": a list with such a value", column.name),
                ));
            }
        });
    }
    let change = match parts.as_slice() {
        [(0x8000, lid)] => Change::Raw(ext | ext::SEPARATED, lid),
        [(_, bytes)] => Change::Raw(ext, bytes),
        many => Change::List(ext, many),
    };
    apply(&shape, old, &[(column.id, change)], out)
}

/// A long-value id as records hold it: 4 bytes, or 8 when bit 63 is set.
fn lid_bytes(instance: &Instance<'_>) -> ([u8; 8], usize) {
    match instance {
        Instance::Separated(Lid(lid)) => (lid.to_le_bytes(), if lid >> 63 == 1 { 8 } else { 4 }),
        _ => ([0; 8], 0),
    }
}
