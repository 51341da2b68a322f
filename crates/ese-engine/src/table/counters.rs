//! Columns that count by themselves (api-semantics 11.1, 11.2): one that numbers the rows
//! (auto-increment), one that counts the changes of its row (version).
//!
//! Numbers begin with 1 and are given once while the table is open, whatever becomes of the row;
//! what is given after that is above the highest number of any row then. Where a table keeps that
//! number in its root page (files of update 30 and later), it is kept there: ahead, a batch at a
//! time, so that no number is given twice.

use std::{borrow::Cow, ops::ControlFlow};

use ese_base::{Error, JetErr, Result};
use smallvec::SmallVec;

use super::Table;
use crate::{
    record::{ColumnValue, RecordBuilder, RecordView},
    schema::{Column, ColumnId},
    session::Session,
    space,
    tree::{self, Direction, Position, Start, Writer},
};

/// Numbers end before this one, by the width of their column.
const NUMBERS_END: [u64; 2] = [0x7fff_ff00, 0x7fff_ffff_ffff_ff00];
/// How many numbers are given before the root page is written again.
const BATCH: u64 = 256;

/// The numbers that a table gives to its rows.
#[derive(Debug)]
pub(super) struct Numbers {
    column: ColumnId,
    next: u64,
    /// The highest number that the root page allows, where it keeps one.
    reserved: Option<u64>,
}

/// A value of a counting column, as rows hold it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count {
    column: ColumnId,
    bytes: [u8; 8],
    len: usize,
}

impl Count {
    fn new(column: &Column, number: u64) -> Count {
        Count { column: column.id, bytes: number.to_le_bytes(), len: column.fixed_len() }
    }

    fn value(&self) -> ColumnValue<'_> {
        (self.column, self.bytes.get(..self.len))
    }
}

pub(super) type Counts = SmallVec<[Count; 2]>;

/// The values of a row with those that count.
pub(super) fn with_counts<'v>(
    values: &'v [ColumnValue<'v>],
    counts: &'v [Count],
) -> Cow<'v, [ColumnValue<'v>]> {
    if counts.is_empty() {
        return Cow::Borrowed(values);
    }
    let mut all = values.to_vec();
    all.extend(counts.iter().map(Count::value));
    Cow::Owned(all)
}

impl Table {
    /// May a caller give this column a value, in a new row or in one that is changed?
    ///
    /// # Errors
    /// `JET_errInvalidColumnType` (-1511).
    pub fn check_settable(&self, column: &Column, new_row: bool) -> Result<()> {
        let columns = &self.schema.columns;
        let is = |other: Option<&Column>| other.is_some_and(|other| other.id == column.id);
        let what = if is(columns.autoincrement()) {
            "numbers the rows by itself"
        } else if !new_row && is(columns.version()) {
            "counts the changes of its row by itself"
        } else {
            return Ok(());
        };
        let what = format!("column \"{}\" {what}", column.name);
        Err(Error::new(JetErr::InvalidColumnType, what).advise("leave the column out"))
    }

    /// What counts in a new row of these values.
    pub(super) fn counts_of_new(
        &self,
        session: &Session,
        values: &[ColumnValue<'_>],
    ) -> Result<Counts> {
        let mut counts = self.new_counts(session, true)?;
        if counts.is_empty() {
            return Ok(counts);
        }
        for (id, _) in values {
            self.check_settable(self.schema.columns.require(*id)?, true)?;
            counts.retain(|count| count.column != *id);
        }
        Ok(counts)
    }

    /// Puts what counts into a new row. Without `number` that keeps the number of the row that it
    /// is a copy of.
    pub(crate) fn put_counts_of_new(
        &self,
        session: &Session,
        record: &mut RecordBuilder,
        number: bool,
    ) -> Result<()> {
        match &*self.new_counts(session, number)? {
            [] => Ok(()),
            counts => self.put_counts(record, counts),
        }
    }

    fn new_counts(&self, session: &Session, number: bool) -> Result<Counts> {
        let columns = &self.schema.columns;
        let mut counts = Counts::new();
        if let Some(column) = columns.autoincrement().filter(|_| number) {
            counts.push(Count::new(column, self.next_number(session, column)?));
        }
        counts.extend(columns.version().map(|column| Count::new(column, 0)));
        Ok(counts)
    }

    /// What counts in a row that gets these values instead of those in `old`.
    pub(super) fn counts_of_changed(
        &self,
        old: &[u8],
        values: &[ColumnValue<'_>],
    ) -> Result<Counts> {
        let columns = &self.schema.columns;
        if columns.autoincrement().is_some() || columns.version().is_some() {
            for (id, _) in values {
                self.check_settable(columns.require(*id)?, false)?;
            }
        }
        self.next_version(old).map(|count| count.into_iter().collect())
    }

    /// The version of a row after its next change.
    pub(crate) fn next_version(&self, old: &[u8]) -> Result<Option<Count>> {
        let Some(column) = self.schema.columns.version() else { return Ok(None) };
        let view = RecordView::new(old, self.db.page_size())?;
        let version = number_in(&view, column)?;
        Ok(Some(Count::new(column, u64::from(low_half(version).wrapping_add(1)))))
    }

    /// Puts what counts into a row that is put together.
    pub(crate) fn put_counts(&self, record: &mut RecordBuilder, counts: &[Count]) -> Result<()> {
        let values: SmallVec<[ColumnValue<'_>; 2]> = counts.iter().map(Count::value).collect();
        record.set_all(&self.schema, &values)
    }

    /// Gives a number to every row, in key order. For a column that has just been added.
    pub(crate) fn number_rows(&self, session: &mut Session) -> Result<()> {
        let Some(column) = self.schema.columns.autoincrement() else { return Ok(()) };
        let mut last: Option<Vec<u8>> = None;
        loop {
            let start = last.as_deref().map_or(Start::End, |key| Start::Beyond { key, data: &[] });
            let mut row = None;
            self.scan(session, start, Direction::Forward, &mut Position::default(), |found| {
                let mut key = Vec::new();
                found.append_key(&mut key);
                row = Some((key, found.record.to_vec()));
                ControlFlow::Break(())
            })?;
            let Some((key, record)) = row else { return Ok(()) };
            let number = Count::new(column, self.next_number(session, column)?);
            let mut builder = RecordBuilder::new();
            builder.edit(&self.schema, &record)?;
            self.put_counts(&mut builder, &[number])?;
            self.replace(session, &mut Position::default(), &key, builder.bytes())?;
            last = Some(key);
        }
    }

    /// The next number for a row.
    fn next_number(&self, session: &Session, column: &Column) -> Result<u64> {
        let mut numbers = self.core.numbers.lock();
        let known = numbers.as_mut().filter(|numbers| numbers.column == column.id);
        let numbers = match known {
            Some(numbers) => numbers,
            None => numbers.insert(self.restored_numbers(column)?),
        };
        let number = numbers.next;
        let [narrow_end, wide_end] = NUMBERS_END;
        if number >= if column.fixed_len() == 8 { wide_end } else { narrow_end } {
            let what = format!("column \"{}\": the numbers for rows are used up", column.name);
            return Err(Error::new(JetErr::OutOfAutoincrementValues, what)
                .at_path(self.db.file.path())
                .advise("copy the rows into a new table"));
        }
        if let Some(reserved) = numbers.reserved.filter(|reserved| number > *reserved) {
            let upto = reserved.saturating_add(BATCH);
            session.instance().system_work(|procid| {
                space::reserve_numbers(&self.db, &self.tree, Writer::system(procid), upto)
            })?;
            numbers.reserved = Some(upto);
        }
        numbers.next += 1;
        Ok(number)
    }

    /// The numbers after the highest one that the table knows of: in its root page, or in any row,
    /// be it deleted or not committed.
    fn restored_numbers(&self, column: &Column) -> Result<Numbers> {
        let reserved = space::reserved_numbers(&self.db, &self.tree)?;
        let highest = match reserved {
            Some(reserved) => reserved,
            None => self.highest_number(column)?,
        };
        Ok(Numbers { column: column.id, next: highest.saturating_add(1), reserved })
    }

    fn highest_number(&self, column: &Column) -> Result<u64> {
        // The first key column gives the order: one row tells. Else all do.
        let key = self.schema.primary().and_then(|primary| primary.segments.first());
        let key = key.filter(|segment| segment.column == column.id);
        let (mut highest, mut read) = (0, Ok(()));
        let direction = match key {
            Some(key) if key.descending => Direction::Forward,
            _ => Direction::Backward,
        };
        let (view, at) = (self.tree.view(), &mut Position::default());
        tree::scan(&self.db.cache, &view, Start::End, direction, at, |node| {
            let number = RecordView::new(node.data, self.db.page_size())
                .and_then(|record| number_in(&record, column));
            match number {
                Ok(number) => highest = highest.max(number),
                Err(error) => read = Err(error),
            }
            if key.is_some() || read.is_err() {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        read.map(|()| highest).map_err(|error: Error| error.at_path(self.db.file.path()))
    }
}

/// The number in a counting column; 0 for none. Numbers of 4 bytes have no sign.
fn number_in(record: &RecordView<'_>, column: &Column) -> Result<u64> {
    let bytes = record.data(column)?.first(column)?.unwrap_or_default();
    let mut wide = [0; 8];
    if let Some(room) = wide.get_mut(..bytes.len()) {
        room.copy_from_slice(bytes);
    }
    Ok(u64::from_le_bytes(wide))
}

fn low_half(number: u64) -> u32 {
    let [a, b, c, d, ..] = number.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test says what is wrong by ending")]

    use ese_base::PageSize;
    use ese_os::Env;

    use super::*;
    use crate::{
        catalog,
        instance::{Instance, InstanceConfig},
        schema::{ColType, ColumnDef, ColumnFlags, TableDef},
    };

    #[test]
    fn a_root_that_keeps_the_highest_number_is_always_ahead_of_the_rows() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = InstanceConfig::new(dir.path());
        config.page_size = PageSize::K4;
        let instance = Instance::start(&Env::real(), config).unwrap();
        let attached = instance.create_database(&dir.path().join("a.edb")).unwrap();
        let mut session = Session::begin_session(&instance).unwrap();
        let number = ColumnDef::new("n", ColType::LongLong).with(ColumnFlags::AUTOINCREMENT);
        let def = TableDef::new("t", vec![number]);
        let table = catalog::create_table(&mut session, &attached, &def).unwrap();
        // As newer engines write it: both fields, the space header first.
        let to_new_form = |external: &mut Vec<u8>| {
            external.insert(0, 3);
            external.extend(1000_u64.to_le_bytes());
            Ok(())
        };
        instance
            .system_work(|procid| {
                let writer = Writer::system(procid);
                space::edit_external(&table.db, &table.tree, writer, to_new_form)
            })
            .unwrap();
        let kept = || space::reserved_numbers(&table.db, &table.tree).unwrap().unwrap();
        session.begin().unwrap();
        for expected in 1001..1001 + 3 * BATCH {
            let (mut record, mut key) = (Vec::new(), Vec::new());
            let at = &mut Position::default();
            table.insert_values(&mut session, at, &[], &mut record, &mut key).unwrap();
            let column = table.schema.columns.autoincrement().unwrap();
            let view = RecordView::new(&record, PageSize::K4).unwrap();
            assert_eq!(number_in(&view, column).unwrap(), expected);
            assert!(kept() >= expected, "{} {expected}", kept());
        }
        session.rollback().unwrap();
        // Opened again, a table goes on behind what was given, though no row is left.
        *table.core.numbers.lock() = None;
        let column = table.schema.columns.autoincrement().unwrap();
        assert_eq!(table.next_number(&session, column).unwrap(), 1001 + 3 * BATCH);
    }
}
