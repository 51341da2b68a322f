//! A cursor over rows that were sorted and are no table (api-semantics 15.2).

use std::sync::Arc;

use ese_base::{Error, JetErr, Result};

use crate::{
    cursor::{RangeOptions, Seek},
    sort::{RowRef, Sorted, SortedReader},
};

/// Where it stands.
#[derive(Debug)]
enum Walk {
    /// In memory: 0 is before the first row, 1 the first, the number of rows and one behind them.
    Memory(usize),
    /// On the way through runs, forward only.
    Reader(Box<SortedReader>, Place),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Before,
    Row,
    After,
}

/// An end that moves do not cross.
#[derive(Debug)]
struct Range {
    limit: Vec<u8>,
    inclusive: bool,
    upper: bool,
}

impl Range {
    fn excludes(&self, key: &[u8]) -> bool {
        let order = key.cmp(&self.limit);
        let beyond = if self.upper { order.is_gt() } else { order.is_lt() };
        beyond || (order.is_eq() && !self.inclusive)
    }
}

/// A cursor over sorted rows.
#[derive(Debug)]
pub(super) struct SortedCursor {
    rows: Arc<Sorted>,
    walk: Walk,
    range: Option<Range>,
    /// May it go back, and seek?
    free: bool,
}

impl SortedCursor {
    /// A cursor on the first row, or before it where there is none.
    pub(super) fn new(rows: Arc<Sorted>, free: bool) -> Result<SortedCursor> {
        let walk = Walk::Memory(0);
        let mut cursor = SortedCursor { rows, walk, range: None, free };
        match cursor.first() {
            Err(error) if error.code() != JetErr::NoCurrentRecord => Err(error),
            _ => Ok(cursor),
        }
    }

    /// Another one on the same rows, on the first.
    pub(super) fn duplicate(&self) -> Result<SortedCursor> {
        SortedCursor::new(Arc::clone(&self.rows), self.free)
    }

    /// Rows; see [`Sorted::rows`].
    pub(super) fn rows(&self) -> u64 {
        self.rows.rows()
    }

    pub(super) fn row(&self) -> Result<RowRef<'_>> {
        let row = match &self.walk {
            Walk::Memory(at) => at.checked_sub(1).and_then(|number| self.rows.row(number)),
            Walk::Reader(reader, Place::Row) => reader.row(),
            Walk::Reader(..) => None,
        };
        row.ok_or_else(no_current_record)
    }

    fn count(&self) -> usize {
        usize::try_from(self.rows.rows()).unwrap_or(usize::MAX)
    }

    pub(super) fn first(&mut self) -> Result<()> {
        self.range = None;
        if self.rows.is_spilled() {
            self.walk = Walk::Reader(Box::new(self.rows.read()?), Place::Before);
            return self.next();
        }
        self.walk = Walk::Memory(1);
        self.row().map(|_| ())
    }

    pub(super) fn last(&mut self) -> Result<()> {
        self.range = None;
        if !self.rows.is_spilled() {
            self.walk = Walk::Memory(self.count());
            return self.row().map(|_| ());
        }
        // What is behind a row shows only when one has gone there: once to count, once to stay.
        self.first()?;
        let mut rows = 1_u64;
        loop {
            match self.next() {
                Ok(()) => rows += 1,
                Err(error) if error.code() == JetErr::NoCurrentRecord => break,
                Err(error) => return Err(error),
            }
        }
        self.first()?;
        (1..rows).try_for_each(|_| self.next())
    }

    fn next(&mut self) -> Result<()> {
        let count = self.count();
        match &mut self.walk {
            Walk::Memory(at) => *at = (*at + 1).min(count.saturating_add(1)),
            Walk::Reader(_, Place::After) => {}
            Walk::Reader(reader, place) => {
                *place = if reader.step()? { Place::Row } else { Place::After };
            }
        }
        if self.is_outside(true)? {
            match &mut self.walk {
                Walk::Memory(at) => *at = count.saturating_add(1),
                Walk::Reader(_, place) => *place = Place::After,
            }
        }
        self.row().map(|_| ())
    }

    fn previous(&mut self) -> Result<()> {
        if let Walk::Memory(at) = &mut self.walk {
            *at = at.saturating_sub(1);
        }
        if self.is_outside(false)? {
            self.walk = Walk::Memory(0);
        }
        self.row().map(|_| ())
    }

    /// Has a move in this direction crossed the end of the range?
    fn is_outside(&self, forward: bool) -> Result<bool> {
        let range = self.range.as_ref().filter(|range| range.upper == forward);
        Ok(match (range, self.row()) {
            (Some(range), Ok(row)) => range.excludes(row.key),
            _ => false,
        })
    }

    /// Moves by rows; 0 says whether there is a current one.
    pub(super) fn move_by(&mut self, rows: i32) -> Result<()> {
        if rows < 0 {
            self.check_free("moving back")?;
            return (0..rows.unsigned_abs()).try_for_each(|_| self.previous());
        }
        if rows == 0 {
            return self.row().map(|_| ());
        }
        (0..rows).try_for_each(|_| self.next())
    }

    fn check_free(&self, what: &str) -> Result<()> {
        if self.free {
            return Ok(());
        }
        Err(illegal(format!("{what} in a sort that is read forward only"))
            .advise("open it with JET_bitTTScrollable or JET_bitTTIndexed"))
    }

    /// Moves to the row that a key and a relation name. Says whether its key is the very same.
    pub(super) fn seek(&mut self, key: Vec<u8>, relation: Seek) -> Result<bool> {
        self.range = None;
        let at = self.rows.lower_bound(&key);
        let exact = self.rows.row(at).is_some_and(|row| row.key == key);
        let wanted = match relation {
            Seek::Greater if exact => at + 2,
            Seek::Equal | Seek::GreaterOrEqual | Seek::Greater => at + 1,
            Seek::LessOrEqual if exact => at + 1,
            Seek::LessOrEqual | Seek::Less => at,
        };
        self.walk = Walk::Memory(wanted);
        let found = self.row().is_ok() && (relation != Seek::Equal || exact);
        match found {
            true => Ok(exact),
            false => Err(Error::new(JetErr::RecordNotFound, "no row has such a key")),
        }
    }

    /// May rows be sought?
    pub(super) fn check_seekable(&self) -> Result<()> {
        self.check_free("seeking")
    }

    pub(super) fn set_range(&mut self, limit: Vec<u8>, options: RangeOptions) -> Result<()> {
        let RangeOptions { inclusive, upper, instant } = options;
        let range = Range { limit, inclusive, upper };
        let outside = range.excludes(self.row()?.key);
        self.range = (!instant).then_some(range);
        if !outside {
            return Ok(());
        }
        self.walk = Walk::Memory(if upper { self.count().saturating_add(1) } else { 0 });
        Err(no_current_record())
    }

    pub(super) fn remove_range(&mut self) -> Result<()> {
        match self.range.take() {
            Some(_) => Ok(()),
            None => Err(Error::new(JetErr::InvalidOperation, "there is no range to be removed")),
        }
    }

    /// The number of the current row.
    pub(super) fn bookmark(&self) -> Result<[u8; 4]> {
        let Walk::Memory(at) = &self.walk else { return Err(no_bookmarks()) };
        self.row()?;
        let number = at.checked_sub(1).and_then(|number| u32::try_from(number).ok());
        number.map(u32::to_le_bytes).ok_or_else(no_current_record)
    }

    pub(super) fn go_to(&mut self, bookmark: &[u8]) -> Result<()> {
        let Walk::Memory(_) = &self.walk else { return Err(no_bookmarks()) };
        let number = bookmark.try_into().ok().map(u32::from_le_bytes);
        let number = number.and_then(|number| usize::try_from(number).ok());
        let Some(number) = number.filter(|number| *number < self.count()) else {
            let what = format!("{bookmark:02x?} is no bookmark of this sort");
            return Err(Error::new(JetErr::InvalidBookmark, what));
        };
        self.range = None;
        self.walk = Walk::Memory(number + 1);
        Ok(())
    }
}

#[track_caller]
fn no_current_record() -> Error {
    Error::new(JetErr::NoCurrentRecord, "the cursor is on no row")
}

#[track_caller]
fn no_bookmarks() -> Error {
    illegal("rows of a sort that did not fit into memory have no bookmarks")
}

/// What a temporary table does not do in the state it is in.
#[track_caller]
pub(super) fn illegal(what: impl Into<String>) -> Error {
    Error::new(JetErr::IllegalOperation, what.into())
}
