//! Finding entries by key (api-semantics 7.6 to 7.9).

use ese_base::{Error, JetErr, Result};

use super::{
    Cursor, Place,
    range::Range,
    walk::{BEHIND, Entry, Steps},
};
use crate::{
    session::Session,
    tree::{Direction, Start},
};

/// How a seek relates its key to the entry that is wanted (JET_bitSeekEQ and so on).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seek {
    /// The first entry with this key.
    Equal,
    /// The first entry with this key or a greater one.
    GreaterOrEqual,
    /// The first entry with a greater key.
    Greater,
    /// The first entry with this key, or else the last one with a smaller key.
    LessOrEqual,
    /// The last entry with a smaller key.
    Less,
}

/// What a seek found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sought {
    /// The entry has the very key.
    pub exact: bool,
    /// No other entry has the key; asked for only where the seek was for equality.
    pub alone: bool,
}

impl Cursor {
    /// Moves to the entry that the search key and the relation name; the key is used up. With
    /// `check_alone` it is also looked whether others have the key. With `range` moves forward are
    /// limited to entries with the key, unless the entry turned out to be alone.
    ///
    /// # Errors
    /// `JET_errKeyNotMade` (-1608); `JET_errRecordNotFound` (-1601): the cursor then stands where
    /// the entry would be, beyond an end if that was run over; those of reading.
    pub fn seek(
        &mut self,
        session: &Session,
        relation: Seek,
        check_alone: bool,
        range: bool,
    ) -> Result<Sought> {
        let key = self.search.take()?;
        self.forget();
        let mut sought = self.seek_key(session, &key, relation)?;
        if relation == Seek::Equal {
            sought.alone = check_alone && self.is_alone(session)?;
            if range && !sought.alone {
                self.range = Some(Range::same_key(key));
            }
        }
        Ok(sought)
    }

    /// Moves to the entry that a key and a relation name.
    ///
    /// # Errors
    /// As [`Cursor::seek`].
    pub fn seek_key(&mut self, session: &Session, key: &[u8], relation: Seek) -> Result<Sought> {
        let found = self.find(session, key, relation).inspect_err(|_| {
            self.place = Place::Before;
        })?;
        if found {
            self.land();
            let exact = self.here.key == key;
            return Ok(Sought { exact, alone: false });
        }
        match relation {
            Seek::Equal => {
                self.here = Entry { key: key.to_vec(), row: Vec::new() };
                self.place = Place::Gap;
            }
            Seek::GreaterOrEqual | Seek::Greater => self.place = Place::After,
            Seek::LessOrEqual | Seek::Less => self.place = Place::Before,
        }
        Err(Error::new(JetErr::RecordNotFound, "no entry has such a key"))
    }

    /// Leaves the entry in `self.next`.
    fn find(&mut self, session: &Session, key: &[u8], relation: Seek) -> Result<bool> {
        let at = Start::At { key, data: &[] };
        let below = Start::Beyond { key, data: &[] };
        match relation {
            Seek::Equal => {
                Ok(self.walk(session, at, Direction::Forward, Steps::ONE)? && self.next.key == key)
            }
            Seek::GreaterOrEqual => self.walk(session, at, Direction::Forward, Steps::ONE),
            Seek::Greater => {
                let found = self.walk(session, at, Direction::Forward, Steps::ONE)?;
                if !found || self.next.key != key {
                    return Ok(found);
                }
                let behind = Start::Beyond { key, data: &BEHIND };
                self.walk(session, behind, Direction::Forward, Steps::ONE)
            }
            Seek::LessOrEqual => Ok(self.find(session, key, Seek::Equal)?
                || self.walk(session, below, Direction::Backward, Steps::ONE)?),
            Seek::Less => self.walk(session, below, Direction::Backward, Steps::ONE),
        }
    }

    /// Is the next entry, if there is one, another key's?
    fn is_alone(&mut self, session: &Session) -> Result<bool> {
        if self.order.is_unique() {
            return Ok(true);
        }
        let here = std::mem::take(&mut self.here);
        let start = Start::Beyond { key: &here.key, data: &here.row };
        let next = self.walk(session, start, Direction::Forward, Steps::ONE);
        self.here = here;
        Ok(!next? || self.next.key != self.here.key)
    }
}
