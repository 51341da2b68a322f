//! A cursor: a place in a table that moves from row to row.
//!
//! The cursor remembers the key of its row and the leaf it was found on. Every read looks the row
//! up again (without a search while the leaf is unchanged), so what is read is what the session's
//! snapshot sees at that moment.

use std::{ops::ControlFlow, sync::Arc};

use ese_base::{Error, JetErr, Result};

use crate::{
    session::Session,
    table::Table,
    tree::{Direction, Position, Start},
};

/// Where a cursor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Currency {
    /// Before the first row.
    BeforeFirst,
    /// On a row (which may have been deleted since).
    OnRow,
    /// Behind the last row.
    AfterLast,
}

/// How a seek relates its key to the row that is wanted (JET_bitSeek and so on).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seek {
    /// The row with this key.
    Equal,
    /// The first row with this key or a greater one.
    GreaterOrEqual,
    /// The first row with a greater key.
    Greater,
    /// The last row with this key or a smaller one.
    LessOrEqual,
    /// The last row with a smaller key.
    Less,
}

/// A cursor (ESE: FUCB) on a table's rows in primary order.
#[derive(Debug)]
pub struct Cursor {
    table: Arc<Table>,
    position: Position,
    currency: Currency,
    key: Vec<u8>,
}

impl Cursor {
    /// A cursor before the first row.
    #[must_use]
    pub fn new(table: Arc<Table>) -> Cursor {
        Cursor {
            table,
            position: Position::default(),
            currency: Currency::BeforeFirst,
            key: Vec::new(),
        }
    }

    /// Its table.
    #[must_use]
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// Where it stands.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// The key (bookmark) of its row.
    ///
    /// # Errors
    /// `JET_errNoCurrentRecord` (-1603) when it stands on none.
    pub fn bookmark(&self) -> Result<&[u8]> {
        match self.currency {
            Currency::OnRow => Ok(&self.key),
            _ => Err(Error::code_only(JetErr::NoCurrentRecord)),
        }
    }

    /// Moves to the first row. `false` if there is none: the cursor then stands behind the last.
    ///
    /// # Errors
    /// Those of reading.
    pub fn first(&mut self, session: &Session) -> Result<bool> {
        self.step(session, Start::End, Direction::Forward)
    }

    /// Moves to the last row. `false` if there is none: the cursor then stands before the first.
    ///
    /// # Errors
    /// Those of reading.
    pub fn last(&mut self, session: &Session) -> Result<bool> {
        self.step(session, Start::End, Direction::Backward)
    }

    /// Moves to the next row. `false` at the end: the cursor then stands behind the last row.
    ///
    /// # Errors
    /// Those of reading.
    pub fn next(&mut self, session: &Session) -> Result<bool> {
        match self.currency {
            Currency::BeforeFirst => self.first(session),
            Currency::AfterLast => Ok(false),
            Currency::OnRow => self.beyond(session, Direction::Forward),
        }
    }

    /// Moves to the previous row. `false` at the beginning: the cursor then stands before the
    /// first.
    ///
    /// # Errors
    /// Those of reading.
    pub fn previous(&mut self, session: &Session) -> Result<bool> {
        match self.currency {
            Currency::AfterLast => self.last(session),
            Currency::BeforeFirst => Ok(false),
            Currency::OnRow => self.beyond(session, Direction::Backward),
        }
    }

    fn beyond(&mut self, session: &Session, direction: Direction) -> Result<bool> {
        let key = std::mem::take(&mut self.key);
        let moved = self.step(session, Start::Beyond { key: &key, data: &[] }, direction);
        if moved.is_err() {
            self.key = key;
        }
        moved
    }

    /// Moves to the row that the key and relation name. `false`: there is none and the cursor has
    /// not moved.
    ///
    /// # Errors
    /// Those of reading.
    pub fn seek(&mut self, session: &Session, key: &[u8], seek: Seek) -> Result<bool> {
        self.position = Position::default();
        let at = Start::At { key, data: &[] };
        let beyond = Start::Beyond { key, data: &[] };
        let before = (self.currency, std::mem::take(&mut self.key));
        let found = match seek {
            Seek::Equal => {
                self.step(session, at, Direction::Forward).map(|on_row| on_row && self.key == key)
            }
            Seek::GreaterOrEqual => self.step(session, at, Direction::Forward),
            Seek::Greater => self.step(session, beyond, Direction::Forward),
            Seek::LessOrEqual => self.step(session, at, Direction::Backward),
            Seek::Less => self.step(session, beyond, Direction::Backward),
        };
        if !matches!(found, Ok(true)) {
            (self.currency, self.key) = before;
            self.position = Position::default();
        }
        found
    }

    /// Goes to the next visible row from `start`, and remembers it.
    fn step(&mut self, session: &Session, start: Start<'_>, to: Direction) -> Result<bool> {
        let mut key = std::mem::take(&mut self.key);
        key.clear();
        let found = self.table.scan(session, start, to, &mut self.position, |row| {
            row.append_key(&mut key);
            ControlFlow::Break(())
        });
        self.key = key;
        let found = found?;
        self.currency = match (found, to) {
            (true, _) => Currency::OnRow,
            (false, Direction::Forward) => Currency::AfterLast,
            (false, Direction::Backward) => Currency::BeforeFirst,
        };
        Ok(found)
    }

    /// Goes to the row with this bookmark.
    ///
    /// # Errors
    /// `JET_errRecordDeleted` (-1017) when the session sees no such row.
    pub fn go_to(&mut self, session: &Session, bookmark: &[u8]) -> Result<()> {
        if self.seek(session, bookmark, Seek::Equal)? {
            return Ok(());
        }
        Err(Error::new(JetErr::RecordDeleted, "no row has this bookmark"))
    }

    /// Reads the record it stands on.
    ///
    /// # Errors
    /// `JET_errNoCurrentRecord` (-1603), `JET_errRecordDeleted` (-1017).
    pub fn read<T>(&self, session: &Session, visit: impl FnOnce(&[u8]) -> T) -> Result<T> {
        let key = self.bookmark()?;
        self.table
            .get(session, key, visit)?
            .ok_or_else(|| Error::new(JetErr::RecordDeleted, "the row was deleted"))
    }

    /// Inserts a record. The cursor stays where it is; its key is given to `inserted`.
    ///
    /// # Errors
    /// As [`Table::insert`].
    pub fn insert(
        &mut self,
        session: &mut Session,
        record: &[u8],
        inserted: &mut Vec<u8>,
    ) -> Result<()> {
        let table = Arc::clone(&self.table);
        session.statement(|session| table.insert(session, &mut self.position, record, inserted))
    }

    /// Replaces the record it stands on.
    ///
    /// # Errors
    /// As [`Table::replace`], and `JET_errNoCurrentRecord`.
    pub fn replace(&mut self, session: &mut Session, record: &[u8]) -> Result<()> {
        let key = self.bookmark()?.to_vec();
        let table = Arc::clone(&self.table);
        session.statement(|session| table.replace(session, &mut self.position, &key, record))
    }

    /// Deletes the record it stands on. The cursor stays at its place between the neighbours.
    ///
    /// # Errors
    /// As [`Table::delete`], and `JET_errNoCurrentRecord`.
    pub fn delete(&mut self, session: &mut Session) -> Result<()> {
        let key = self.bookmark()?.to_vec();
        let table = Arc::clone(&self.table);
        session.statement(|session| table.delete(session, &mut self.position, &key))
    }
}
