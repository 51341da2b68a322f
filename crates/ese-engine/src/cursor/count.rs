//! Counting entries, and estimating where one stands among all (api-semantics 6.12, 6.13).

use std::ops::ControlFlow;

use ese_base::{Error, JetErr, Result};

use super::{Cursor, Place, moves::filtered, no_current_record, walk::Steps};
use crate::{
    session::Session,
    tree::{self, Direction, Start},
};

/// Where an entry stands among all, estimated from the shape of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordPosition {
    /// Entries before it.
    pub before: u64,
    /// Entries that share its key; the entry itself.
    pub same: u64,
    /// All entries.
    pub total: u64,
}

impl Cursor {
    /// Counts entries from the current one on, to the end of the order or of the range, up to
    /// `limit` (0 = no limit). The cursor does not move.
    ///
    /// # Errors
    /// `JET_errNoCurrentRecord` (-1603) off a row, but nothing on an empty table that was just
    /// opened; `JET_errRecordDeleted` (-1017) where the current entry is gone;
    /// `JET_errFilteredMoveNotSupported` (-1124); those of reading.
    pub fn count(&mut self, session: &Session, limit: u64) -> Result<u64> {
        if self.is_filtered() {
            return Err(filtered("counting entries"));
        }
        self.resolve(session)?;
        match self.place {
            Place::First => return Ok(0),
            Place::Row => self.current_key(session).map(drop)?,
            _ => return Err(no_current_record()),
        }
        let Cursor { table, order, here, range, .. } = self;
        let range = range.as_ref().filter(|range| range.limits(Direction::Forward));
        let mut place = self.position;
        let start = Start::At { key: &here.key, data: &here.row };
        let (mut counted, mut key) = (0, Vec::new());
        order.scan(table, session, start, Direction::Forward, &mut place, |entry| {
            if let Some(range) = range {
                key.clear();
                entry.append_key(&mut key);
                if range.excludes(&key) {
                    return ControlFlow::Break(());
                }
            }
            counted += 1;
            if counted == limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(counted)
    }

    /// Estimates where the current entry stands among all.
    ///
    /// # Errors
    /// `JET_errNoCurrentRecord` (-1603) off a row; those of reading.
    pub fn record_position(&mut self, session: &Session) -> Result<RecordPosition> {
        self.entry(session)?;
        let tree = self.order.tree(&self.table);
        let cache = &self.table.db.cache;
        let place = tree::estimate(cache, &tree.view(), &self.here.key, &self.here.row)?;
        Ok(RecordPosition {
            before: place.before.min(place.total - 1),
            same: 1,
            total: place.total,
        })
    }

    /// Goes to about the entry that has the part `before` of `total` before it.
    ///
    /// # Errors
    /// `JET_errInvalidParameter` (-1003) for more before it than there are,
    /// `JET_errFilteredMoveNotSupported` (-1124), `JET_errRecordNotFound` (-1601) where there is
    /// no entry at all; those of reading.
    pub fn go_to_position(&mut self, session: &Session, before: u64, total: u64) -> Result<()> {
        if before > total {
            let what = format!("{before} of {total} entries before the one that is wanted");
            return Err(Error::new(JetErr::InvalidParameter, what));
        }
        if self.is_filtered() {
            return Err(filtered("going to a position"));
        }
        self.forget();
        let tree = self.order.tree(&self.table);
        let cache = &self.table.db.cache;
        let near = tree::entry_near(cache, &tree.view(), before, total)?;
        let found = match &near {
            None => false,
            Some((key, data)) => {
                let data = if self.order.is_primary() { &[] } else { data.as_slice() };
                let start = Start::At { key, data };
                self.walk(session, start, Direction::Forward, Steps::ONE)?
                    || self.walk(session, start, Direction::Backward, Steps::ONE)?
            }
        };
        if !found {
            self.place = Place::Before;
            return Err(Error::new(JetErr::RecordNotFound, "there is no entry"));
        }
        self.land();
        Ok(())
    }
}
