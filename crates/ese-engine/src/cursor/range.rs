//! Index ranges: an end for moves in one direction (api-semantics 7.9, 7.11, 7.12). The first move
//! that comes to the end fails, and the range is gone: what comes after is not limited any more.

use ese_base::{Error, JetErr, Result};

use super::{Cursor, Place, no_current_record};
use crate::{session::Session, tree::Direction};

/// An end that moves do not cross.
#[derive(Clone, Debug)]
pub(super) struct Range {
    limit: Vec<u8>,
    inclusive: bool,
    /// The end is behind the current entry, not before it.
    upper: bool,
}

impl Range {
    /// All entries with this very key, from the current one on.
    pub(super) fn same_key(key: Vec<u8>) -> Range {
        Range { limit: key, inclusive: true, upper: true }
    }

    /// Does it limit moves in this direction?
    pub(super) fn limits(&self, to: Direction) -> bool {
        self.upper == (to == Direction::Forward)
    }

    /// Is an entry with this key beyond the end?
    pub(super) fn excludes(&self, key: &[u8]) -> bool {
        let order = key.cmp(&self.limit);
        let beyond = if self.upper { order.is_gt() } else { order.is_lt() };
        beyond || (order.is_eq() && !self.inclusive)
    }
}

/// What a range is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RangeOptions {
    /// Entries with the limit's key are inside.
    pub inclusive: bool,
    /// The limit is for moves forward; otherwise for moves backward.
    pub upper: bool,
    /// Only look whether the current entry is inside.
    pub instant: bool,
}

impl Cursor {
    /// Limits moves by the search key, which is used up.
    ///
    /// # Errors
    /// `JET_errNoCurrentIndex` (-1519) in the order of a table without primary index,
    /// `JET_errKeyNotMade` (-1608), `JET_errNoCurrentRecord` (-1603) off a row, and where the
    /// current row lies outside: there is no range then, and the cursor stands beyond its end.
    pub fn set_range(&mut self, session: &Session, options: RangeOptions) -> Result<()> {
        if self.order.is_primary() && self.table.schema.primary().is_none() {
            return Err(Error::new(JetErr::NoCurrentIndex, "the table has no primary index"));
        }
        let limit = self.search.take()?;
        let RangeOptions { inclusive, upper, instant } = options;
        let range = Range { limit, inclusive, upper };
        self.range = None;
        self.resolve(session)?;
        match self.place {
            Place::Row | Place::Gap => {}
            _ => return Err(no_current_record()),
        }
        if range.excludes(&self.here.key) {
            self.place = if upper { Place::After } else { Place::Before };
            return Err(no_current_record());
        }
        if !instant {
            self.range = Some(range);
        }
        Ok(())
    }

    /// Removes the range.
    ///
    /// # Errors
    /// `JET_errInvalidOperation` (-1906) if there is none.
    pub fn remove_range(&mut self) -> Result<()> {
        match self.range.take() {
            Some(_) => Ok(()),
            None => Err(Error::new(JetErr::InvalidOperation, "the cursor has no index range")),
        }
    }
}
