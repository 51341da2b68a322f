//! Columns read out of the entry a cursor stands on (api-semantics 10.5).

use std::sync::Arc;

use ese_base::{Error, JetErr, Result};

use super::{Cursor, Place, record_deleted};
use crate::{
    key::{self, Restored, is_spread, itag_of_key, restore},
    record::RecordView,
    schema::{Column, Index},
    session::Session,
};

/// Which part of an entry is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryPart {
    /// The key of the current index. `tuple`: of a tuple index, the piece of its text.
    Key {
        /// A piece will do where the index has no more.
        tuple: bool,
    },
    /// The bookmark of the row.
    Bookmark,
}

/// What an entry says of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromEntry {
    /// What its bytes say.
    pub value: Restored,
    /// Which value of the column it stands for, from 1.
    pub itag: usize,
}

impl Cursor {
    /// What the current entry says of a column. Where the row has to be read for the value, or
    /// `with_itag` is set, the row is looked at for the number of the value too.
    ///
    /// # Errors
    /// `JET_errColumnNotFound` (-1507) for a column that the index does not have,
    /// `JET_errIndexTuplesCannotRetrieveFromIndex` (-1436), `JET_errNoCurrentRecord` (-1603),
    /// `JET_errRecordDeleted` (-1017), those of reading.
    pub fn read_entry(
        &mut self,
        session: &Session,
        column: &Column,
        part: EntryPart,
        with_itag: bool,
    ) -> Result<FromEntry> {
        let table = Arc::clone(&self.table);
        let schema = &table.schema;
        let missing = |index: &str| {
            let what = format!("index \"{index}\" does not have column \"{}\"", column.name);
            Error::new(JetErr::ColumnNotFound, what)
        };
        let Some(secondary) = self.order.secondary() else {
            // Rows without a primary index, and places that nobody has looked for, are read.
            let value = match schema.primary().filter(|_| self.place == Place::Row) {
                Some(index) => restore(schema, index, &self.here.key, column.id)?
                    .ok_or_else(|| missing(&index.name))?,
                None => Restored::Unknown,
            };
            return Ok(FromEntry { value, itag: 1 });
        };
        let (index, of_row): (&Index, bool) = match part {
            EntryPart::Key { .. } => (&secondary.schema, false),
            EntryPart::Bookmark => (schema.primary().ok_or_else(|| missing(""))?, true),
        };
        let first = index.segments.first().is_some_and(|segment| segment.column == column.id);
        let segment = index.segments.iter().any(|segment| segment.column == column.id);
        if !segment {
            return Err(missing(&index.name));
        }
        if first && index.tuple_limits.is_some() && part == (EntryPart::Key { tuple: false }) {
            let what = format!("index \"{}\" has pieces of column \"{}\"", index.name, column.name);
            return Err(Error::new(JetErr::IndexTuplesCannotRetrieveFromIndex, what)
                .advise("read the row, or ask for the piece: JET_bitRetrieveTuple"));
        }
        let entry = self.entry(session)?;
        let bytes = if of_row { &entry.row } else { &entry.key };
        let value =
            restore(schema, index, bytes, column.id)?.ok_or_else(|| missing(&index.name))?;
        let wanted = with_itag || value == Restored::Unknown;
        let itag = match wanted && is_spread(index, column) && value != Restored::Null {
            true => self.itag_of_entry(session, index, column)?,
            false => 1,
        };
        Ok(FromEntry { value, itag })
    }

    /// Which value of the column the current entry stands for.
    fn itag_of_entry(&self, session: &Session, index: &Index, column: &Column) -> Result<usize> {
        let table = &self.table;
        key::check_supported(&table.schema, index)?;
        let found = table.get(session, &self.here.row, |record| {
            let long_values = table.long_values(session);
            let view = RecordView::new(record, table.schema.page_size)?;
            let view = view.with_long_values(&long_values);
            itag_of_key(&table.schema, index, &view, &self.here.key, column.id)
        })?;
        found.ok_or_else(record_deleted)??.ok_or_else(record_deleted)
    }
}
