//! Putting rows together: which values stay in their row, and which go outside of it.
//!
//! A long value goes outside when it is longer than the table prefers to have in its rows. When a
//! row gets too long for its page, its longest values go until it fits (ESE's push-out).

use std::borrow::Cow;

use ese_base::{JetErr, Result};
use smallvec::SmallVec;

use super::{Table, counters::with_counts};
use crate::{
    compress,
    longvalue::{Packing, Waiting},
    record::{ColumnValue, Instance, Lid, RecordBuilder, RecordView, encode_row, replace_columns},
    schema::{Column, ColumnId},
    session::Session,
    tree::Position,
};

/// Longest value that stays in its row, where the table has no preference (edb-format 9.1).
const IN_ROW_MAX: usize = 1023;

impl Table {
    /// Longest long value that stays in its row if there is room.
    #[must_use]
    pub fn in_row_max(&self) -> usize {
        let stored = self.schema.separate_lv.as_deref().and_then(|bytes| bytes.first_chunk::<4>());
        let preferred = stored.and_then(|bytes| usize::try_from(u32::from_le_bytes(*bytes)).ok());
        preferred.filter(|len| *len > 0).unwrap_or(IN_ROW_MAX)
    }

    /// Inserts a row of these values and gives its key; `record` is room for the encoded row.
    ///
    /// # Errors
    /// As [`crate::record::encode_row`] and [`Table::insert`].
    pub fn insert_values(
        &self,
        session: &mut Session,
        hint: &mut Position,
        values: &[ColumnValue<'_>],
        record: &mut Vec<u8>,
        key: &mut Vec<u8>,
    ) -> Result<()> {
        let counts = self.counts_of_new(session, values)?;
        let values = &*with_counts(values, &counts);
        if self.stays_in_row(values)? {
            match encode_row(&self.schema, values, record) {
                Err(error) if error.code() == JetErr::RecordTooBig => {}
                other => return other.and_then(|()| self.insert(session, hint, record, key)),
            }
        }
        session.all_or_nothing(|session| {
            let mut builder = RecordBuilder::new();
            builder.insert(&self.schema)?;
            self.set_values(session, &mut builder, values)?;
            builder.check(&self.schema)?;
            self.insert(session, hint, builder.bytes(), key)
        })
    }

    /// Gives columns of a row other values. `old` is the row as it is, `record` room for the new
    /// one.
    ///
    /// # Errors
    /// As [`crate::record::replace_columns`] and [`Table::replace`].
    pub fn replace_values(
        &self,
        session: &mut Session,
        hint: &mut Position,
        (key, old): (&[u8], &[u8]),
        values: &[ColumnValue<'_>],
        record: &mut Vec<u8>,
    ) -> Result<()> {
        let counts = self.counts_of_changed(old, values)?;
        let values = &*with_counts(values, &counts);
        if self.stays_in_row(values)? {
            let view = RecordView::new(old, self.db.page_size())?;
            match replace_columns(&self.schema, &view, values, record) {
                Err(error) if error.code() == JetErr::RecordTooBig => {}
                other => return other.and_then(|()| self.replace(session, hint, key, record)),
            }
        }
        session.all_or_nothing(|session| {
            let mut builder = RecordBuilder::new();
            builder.edit(&self.schema, old)?;
            self.set_values(session, &mut builder, values)?;
            self.replace(session, hint, key, builder.bytes())
        })
    }

    /// Are all values such as can be put into a row as they are?
    fn stays_in_row(&self, values: &[ColumnValue<'_>]) -> Result<bool> {
        for (id, value) in values {
            let Some(value) = value else { continue };
            let column = self.schema.columns.require(*id)?;
            if column.ty.is_long()
                && (value.len() > self.in_row_max() || Table::packing(column) != Packing::Plain)
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn set_values(
        &self,
        session: &mut Session,
        record: &mut RecordBuilder,
        values: &[ColumnValue<'_>],
    ) -> Result<()> {
        let mut made = MadeLids::default();
        let (packing, waiting, made_lids) = (None, None, &mut made);
        Composer { table: self, session, record, made: made_lids, waiting, packing }
            .set_values(values)?;
        made.release_unused(session, self, record)
    }

    /// Column, number and bytes of the longest long value in a row.
    fn longest(&self, view: &RecordView<'_>) -> Result<Option<(ColumnId, usize, Vec<u8>)>> {
        let mut longest: Option<(usize, &Column, usize, Instance<'_>)> = None;
        for column in self.schema.columns.iter().filter(|column| column.ty.is_long()) {
            let data = view.data(column)?;
            if data.is_default() {
                continue;
            }
            for itag in 1..=data.len() {
                let (len, instance) = match data.nth(itag)? {
                    Some(instance @ (Instance::Plain(bytes) | Instance::Compressed(bytes))) => {
                        (bytes.len(), instance)
                    }
                    _ => continue,
                };
                if len > size_of::<Lid>() && longest.is_none_or(|(most, ..)| len > most) {
                    longest = Some((len, column, itag, instance));
                }
            }
        }
        let Some((_, column, itag, instance)) = longest else { return Ok(None) };
        let bytes = view.bytes_of(column, instance, usize::MAX)?.into_owned();
        Ok(Some((column.id, itag, bytes)))
    }
}

/// Values outside of rows that were made for one row.
#[derive(Debug, Default)]
pub(crate) struct MadeLids {
    lids: Vec<Lid>,
    /// Highest transaction level in which one of them was made or changed.
    pub(crate) level: u8,
}

impl MadeLids {
    pub(crate) fn is_empty(&self) -> bool {
        self.lids.is_empty()
    }

    pub(crate) fn contains(&self, lid: Lid) -> bool {
        self.lids.contains(&lid)
    }

    pub(crate) fn take(&mut self) -> Vec<Lid> {
        std::mem::take(&mut self.lids)
    }

    /// Takes away those that the finished row does not refer to: something else came in their
    /// place.
    pub(crate) fn release_unused(
        &self,
        session: &mut Session,
        table: &Table,
        record: &RecordBuilder,
    ) -> Result<()> {
        if self.lids.is_empty() {
            return Ok(());
        }
        let used = record.view(&table.schema)?.lids()?;
        let unused = self.lids.iter().filter(|lid| !used.contains(lid));
        let tree = table.require_long_tree()?;
        unused.copied().try_for_each(|lid| tree.release(session, lid))
    }
}

/// A row that is being put together, and the values that were made for it.
pub(crate) struct Composer<'a> {
    pub(crate) table: &'a Table,
    pub(crate) session: &'a mut Session,
    pub(crate) record: &'a mut RecordBuilder,
    pub(crate) made: &'a mut MadeLids,
    /// Where changes of values wait that can be changed in place.
    pub(crate) waiting: Option<&'a mut Waiting>,
    /// How the value at hand is stored, unless as its column says.
    pub(crate) packing: Option<Packing>,
}

impl Composer<'_> {
    /// How the value at hand is stored.
    pub(crate) fn packing(&self, column: &Column) -> Packing {
        self.packing.unwrap_or_else(|| Table::packing(column))
    }

    fn set_values(&mut self, values: &[ColumnValue<'_>]) -> Result<()> {
        let table = self.table;
        let mut sorted: SmallVec<[ColumnValue<'_>; 16]> = SmallVec::from_slice(values);
        // Stable: several values of a column stay in their order.
        sorted.sort_by_key(|(id, _)| *id);
        let mut short: SmallVec<[ColumnValue<'_>; 16]> = SmallVec::new();
        let mut long = Vec::new();
        for group in sorted.chunk_by(|a, b| a.0 == b.0) {
            let Some((id, _)) = group.first() else { continue };
            let column = table.schema.columns.require(*id)?;
            if column.ty.is_long() && group.iter().all(|(_, value)| value.is_some()) {
                long.push((column, group));
            } else {
                short.extend_from_slice(group);
            }
        }
        self.with_room(|record| record.set_all(&table.schema, &short))?;
        for (column, group) in long {
            let mut stored = Vec::with_capacity(group.len());
            for value in group.iter().filter_map(|(_, value)| *value) {
                let first = stored.is_empty();
                stored.push(self.store(column, value, first)?);
            }
            self.put_stored(column, &mut stored)?;
        }
        Ok(())
    }

    /// Gives a column these values. As long as the row is too long, the longest of them go outside,
    /// then others.
    fn put_stored(&mut self, column: &Column, stored: &mut [Stored<'_>]) -> Result<()> {
        loop {
            let list: SmallVec<[Instance<'_>; 8]> = stored.iter().map(Stored::instance).collect();
            let error = match self.record.put_list(&self.table.schema, column.id, &list) {
                Err(error) if error.code() == JetErr::RecordTooBig => error,
                other => return other,
            };
            drop(list);
            let longest = stored.iter_mut().max_by_key(|stored| stored.len_inside());
            match longest.filter(|stored| stored.len_inside() > size_of::<Lid>()) {
                Some(stored) => {
                    let bytes = stored.expanded()?;
                    *stored = Stored::Outside(self.create(&bytes, self.packing(column))?);
                }
                None if self.push_out()? => {}
                None => return Err(error),
            }
        }
    }

    /// How a long value is stored: outside if it is too long for the row.
    pub(crate) fn store<'v>(
        &mut self,
        column: &Column,
        value: &'v [u8],
        first: bool,
    ) -> Result<Stored<'v>> {
        crate::record::check_value_len(column, value)?;
        if value.len() > self.table.in_row_max() {
            return self.create(value, self.packing(column)).map(Stored::Outside);
        }
        Ok(self.in_row(column, value, first))
    }

    /// A value that stays in the row. In a list only the first one can be compressed.
    pub(crate) fn in_row<'v>(&self, column: &Column, value: &'v [u8], first: bool) -> Stored<'v> {
        let packed = match self.packing(column) {
            Packing::Compressed if first => compress::compress(value),
            _ => None,
        };
        packed.map_or(Stored::Plain(value), Stored::Packed)
    }

    /// Changes the row. As long as that makes it too long, its longest value goes outside.
    pub(crate) fn with_room(
        &mut self,
        mut change: impl FnMut(&mut RecordBuilder) -> Result<()>,
    ) -> Result<()> {
        loop {
            match change(self.record) {
                Err(error) if error.code() == JetErr::RecordTooBig => {
                    if !self.push_out()? {
                        return Err(error);
                    }
                }
                other => return other,
            }
        }
    }

    /// Puts the longest long value of the row outside; false if there is none worth it.
    fn push_out(&mut self) -> Result<bool> {
        let schema = &self.table.schema;
        let Some((id, itag, bytes)) = self.table.longest(&self.record.view(schema)?)? else {
            return Ok(false);
        };
        let packing = Table::packing(schema.columns.require(id)?);
        let lid = self.create(&bytes, packing)?;
        self.record.put_instance(schema, id, itag, Some(Instance::Separated(lid)))?;
        Ok(true)
    }

    /// Makes a value outside of the row.
    pub(crate) fn create(&mut self, value: &[u8], packing: Packing) -> Result<Lid> {
        let lid = self.table.create_long(self.session, value, packing)?;
        self.note_made(lid);
        Ok(lid)
    }

    pub(crate) fn note_made(&mut self, lid: Lid) {
        self.made.lids.push(lid);
        self.note_level();
    }

    /// A value of this row was made or changed: the row is of no use if that is taken back.
    pub(crate) fn note_level(&mut self) {
        self.made.level = self.made.level.max(self.session.level());
    }
}

/// A value as a row will hold it.
#[derive(Debug)]
pub(crate) enum Stored<'v> {
    Plain(&'v [u8]),
    Packed(Vec<u8>),
    Outside(Lid),
}

impl Stored<'_> {
    /// Bytes that it takes in its row, if it is there.
    fn len_inside(&self) -> usize {
        match self {
            Stored::Plain(bytes) => bytes.len(),
            Stored::Packed(bytes) => bytes.len(),
            Stored::Outside(_) => 0,
        }
    }

    /// The value itself, if it is in its row.
    fn expanded(&self) -> Result<Cow<'_, [u8]>> {
        match self {
            Stored::Plain(bytes) => Ok(Cow::Borrowed(bytes)),
            Stored::Packed(bytes) => compress::expand(bytes, usize::from(u16::MAX)).map(Cow::Owned),
            Stored::Outside(_) => Ok(Cow::Borrowed(&[])),
        }
    }

    pub(crate) fn instance(&self) -> Instance<'_> {
        match self {
            Stored::Plain(bytes) => Instance::Plain(bytes),
            Stored::Packed(bytes) => Instance::Compressed(bytes),
            Stored::Outside(lid) => Instance::Separated(*lid),
        }
    }
}
