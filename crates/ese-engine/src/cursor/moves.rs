//! Moving by rows and to the ends (api-semantics 6.2 to 6.4).

use ese_base::{Error, JetErr, Result};

use super::{Cursor, Place, no_current_record, record_deleted, walk::Steps};
use crate::{
    session::Session,
    tree::{Direction, Start},
};

impl Cursor {
    /// Moves to the first row. The range is forgotten, what was prepared is dropped.
    ///
    /// # Errors
    /// `JET_errNoCurrentRecord` (-1603) where there is none; those of reading.
    pub fn first(&mut self, session: &Session) -> Result<()> {
        self.end(session, Direction::Forward)
    }

    /// Moves to the last row; otherwise as [`Cursor::first`].
    ///
    /// # Errors
    /// As [`Cursor::first`].
    pub fn last(&mut self, session: &Session) -> Result<()> {
        self.end(session, Direction::Backward)
    }

    fn end(&mut self, session: &Session, to: Direction) -> Result<()> {
        self.range = None;
        self.update = None;
        self.go(session, Start::End, to, Steps::ONE)
    }

    /// Moves by a number of rows, or with `distinct` by a number of keys. Beyond an end, or beyond
    /// the range, it stands there. 0 says whether the current row exists.
    ///
    /// # Errors
    /// `JET_errNoCurrentRecord` (-1603) when there are not so many; of a move by 0 in addition
    /// `JET_errRecordDeleted` (-1017) and `JET_errFilteredMoveNotSupported` (-1124); those of
    /// reading.
    pub fn move_by(&mut self, session: &Session, rows: i32, distinct: bool) -> Result<()> {
        self.update = None;
        if rows == 0 {
            return self.verify(session);
        }
        self.resolve(session)?;
        let to = if rows > 0 { Direction::Forward } else { Direction::Backward };
        let count = rows.unsigned_abs();
        let steps = Steps { count, distinct, in_range: true };
        match (self.place, to) {
            // The table was empty when somebody looked.
            (Place::First, _)
            | (Place::Before, Direction::Backward)
            | (Place::After, Direction::Forward) => Err(no_current_record()),
            // Beyond a range is beyond the index too: the way back begins at the index's end.
            (Place::Before | Place::After, _) => self.go(session, Start::End, to, steps),
            (Place::Row | Place::Gap, _) => {
                let here = std::mem::take(&mut self.here);
                let start = Start::Beyond { key: &here.key, data: &here.row };
                let moved = self.go(session, start, to, steps);
                if self.place == Place::Row && moved.is_ok() {
                    // The old buffers are the next ones.
                    self.next = here;
                } else {
                    self.here = here;
                }
                moved
            }
        }
    }

    /// Is the current row there?
    fn verify(&mut self, session: &Session) -> Result<()> {
        if !self.filters.is_empty() {
            return Err(filtered("a move by 0 rows"));
        }
        self.resolve(session)?;
        match self.place {
            Place::Row => {}
            _ => return Err(no_current_record()),
        }
        let row = if self.order.is_primary() { &self.here.key } else { &self.here.row };
        self.table.get(session, row, |_| ())?.ok_or_else(record_deleted)
    }
}

#[track_caller]
pub(super) fn filtered(what: &str) -> Error {
    Error::new(
        JetErr::FilteredMoveNotSupported,
        format!("{what} is not possible while the cursor has filters"),
    )
}
