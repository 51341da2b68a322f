//! The copy buffer: a row that is being made or changed (api-semantics 8).
//!
//! A replace in a transaction locks its row when it is prepared. One that is prepared outside has
//! nothing to hold a lock with: it remembers the row, and a row that is another when it is written
//! is a conflict.

use std::sync::Arc;

use ese_base::{Error, JetErr, Result};

use super::{Cursor, long::MadeValues, record_deleted};
use crate::{
    record::{RecordBuilder, RecordView},
    schema::{Column, ColumnId},
    session::{Pinned, Session},
    table::{Composer, OnRollback, SessionLongValues, Table},
    version::Lock,
};

/// What is prepared (JET_prep...).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prepare {
    /// A new row.
    Insert,
    /// The current row, locked from now on.
    Replace,
    /// The current row; whether somebody else has changed it shows when it is written.
    ReplaceNoLock,
    /// A new row that begins as a copy of the current one.
    InsertCopy,
    /// A new row that begins as a copy of the current one, which goes.
    InsertCopyDeleteOriginal,
    /// The same, and the row is still the same one for its counters.
    InsertCopyReplaceOriginal,
}

impl Prepare {
    fn moves_row(self) -> bool {
        matches!(self, Prepare::InsertCopyDeleteOriginal | Prepare::InsertCopyReplaceOriginal)
    }

    fn locks(self) -> bool {
        self == Prepare::Replace || self.moves_row()
    }
}

#[derive(Debug)]
pub(super) struct Update {
    pub(super) record: RecordBuilder,
    pub(super) kind: Prepare,
    /// Key and content of the row when it was prepared, unless a new one is made of nothing.
    original: Option<(Vec<u8>, Vec<u8>)>,
    /// Transaction level it belongs to.
    level: u8,
    /// Long values that it has written.
    pub(super) values: MadeValues,
    /// The values of the row stay as long as the update shows them.
    _pinned: Option<Pinned>,
}

impl Cursor {
    /// Is this cursor for reading only, whatever the transaction may do?
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.read_only || self.table.db.is_read_only()
    }

    /// May this cursor and transaction change rows at all?
    ///
    /// # Errors
    /// `JET_errPermissionDenied` (-1809), `JET_errTransReadOnly` (-1110).
    pub fn check_updatable(&self, session: &Session) -> Result<()> {
        if self.is_read_only() {
            let what = match self.read_only {
                true => "the cursor was opened for reading only",
                false => "the database is attached for reading only",
            };
            return Err(Error::new(JetErr::PermissionDenied, what));
        }
        session.check_writable_in(&self.table.db)
    }

    /// Prepares an update.
    ///
    /// # Errors
    /// `JET_errPermissionDenied` (-1809) for a read-only cursor, `JET_errTransReadOnly` (-1110),
    /// `JET_errAlreadyPrepared` (-1607), `JET_errNoCurrentRecord` (-1603), `JET_errRecordDeleted`
    /// (-1017), `JET_errWriteConflict` (-1102) where the row is locked.
    pub fn prepare(&mut self, session: &mut Session, kind: Prepare) -> Result<()> {
        self.check_updatable(session)?;
        if self.update.is_some() {
            let what = "an update is prepared already";
            return Err(Error::new(JetErr::AlreadyPrepared, what));
        }
        let mut record = RecordBuilder::new();
        let table = Arc::clone(&self.table);
        let (mut original, mut pinned) = (None, None);
        if kind == Prepare::Insert {
            record.insert(&table.schema)?;
            table.put_counts_of_new(session, &mut record, true)?;
        } else {
            let key = self.bookmark(session)?.to_vec();
            let row;
            (row, pinned) = session.read(|_| {
                let row = table.get(session, &key, <[u8]>::to_vec)?.ok_or_else(record_deleted)?;
                let pinned = pin_values(session, &table, &row, kind)?;
                Ok((row, pinned))
            })?;
            record.edit(&table.schema, &row)?;
            if kind == Prepare::InsertCopy || kind.moves_row() {
                let number = kind != Prepare::InsertCopyReplaceOriginal;
                table.put_counts_of_new(session, &mut record, number)?;
            }
            if kind.locks() && session.level() > 0 {
                session.lock(&table.db, &table.tree, &key, Lock::Write)?;
            }
            original = (kind != Prepare::InsertCopy).then_some((key, row));
        }
        let (level, values) = (session.level(), MadeValues::new(&table, session));
        self.update = Some(Update { record, kind, original, level, values, _pinned: pinned });
        Ok(())
    }

    /// Drops what was prepared. False: nothing was.
    pub fn cancel(&mut self) -> bool {
        self.update.take().is_some()
    }

    /// Is an update prepared?
    #[must_use]
    pub fn is_prepared(&self) -> bool {
        self.update.is_some()
    }

    /// What is prepared.
    #[must_use]
    pub fn preparing(&self) -> Option<Prepare> {
        self.update.as_ref().map(|update| update.kind)
    }

    /// The key of the row that a prepared update replaces or moves.
    #[must_use]
    pub fn changing(&self) -> Option<&[u8]> {
        self.update.as_ref()?.original.as_ref().map(|(key, _)| key.as_slice())
    }

    /// The row as it is prepared.
    ///
    /// # Errors
    /// `JET_errUpdateNotPrepared` (-1609).
    pub fn copy(&mut self) -> Result<&mut RecordBuilder> {
        self.update.as_mut().map(|update| &mut update.record).ok_or_else(not_prepared)
    }

    /// Changes the prepared row. As long as that makes it too long, its longest long value goes
    /// outside, and `edit` runs again; outside a transaction nothing can go there.
    ///
    /// # Errors
    /// `JET_errUpdateNotPrepared` (-1609), `JET_errRecordTooBig` (-1026), those of `edit` and of
    /// writing.
    pub fn edit(
        &mut self,
        session: &mut Session,
        mut edit: impl FnMut(&mut RecordBuilder) -> Result<()>,
    ) -> Result<()> {
        let table = Arc::clone(&self.table);
        let Update { record, values, .. } = self.update.as_mut().ok_or_else(not_prepared)?;
        if session.level() == 0 {
            return edit(record);
        }
        let made = &mut values.made;
        let (waiting, packing) = (None, None);
        Composer { table: &table, session, record, made, waiting, packing }.with_room(edit)
    }

    /// May a column of the prepared row be given a value?
    ///
    /// # Errors
    /// `JET_errInvalidColumnType` (-1511) for a column that counts by itself.
    pub fn check_settable(&self, column: &Column) -> Result<()> {
        let new_row = self
            .update
            .as_ref()
            .is_none_or(|update| !matches!(update.kind, Prepare::Replace | Prepare::ReplaceNoLock));
        self.table.check_settable(column, new_row)
    }

    /// The row as it is prepared, if one is.
    #[must_use]
    pub fn prepared(&self) -> Option<&RecordBuilder> {
        self.update.as_ref().map(|update| &update.record)
    }

    /// Writes the prepared update; gives the bookmark of the row. A new row does not become the
    /// current one. After an error the update is still prepared.
    ///
    /// # Errors
    /// `JET_errUpdateNotPrepared` (-1609), `JET_errNullInvalid` (-1504), `JET_errRecordDeleted`
    /// (-1017), `JET_errNotInTransaction` (-1054) for moving a row outside one, and as
    /// [`Table::insert`] and [`Table::replace`].
    pub fn update(&mut self, session: &mut Session) -> Result<Vec<u8>> {
        let mut update = self.update.take().ok_or_else(not_prepared)?;
        let table = Arc::clone(&self.table);
        // A row that is there may be older than a column that refuses NULL.
        let is_new = update.original.is_none() || update.kind.moves_row();
        let whole = if is_new { update.record.check(&table.schema) } else { Ok(()) };
        let written = whole.and_then(|()| {
            session.check_writable_in(&table.db)?;
            session.statement(|session| self.write(session, &table, &update))
        });
        match &written {
            // The row refers to them now.
            Ok(_) => {
                let made = update.values.made.level;
                session.lend(update.values.take(), made);
            }
            Err(_) => self.update = Some(update),
        }
        written
    }

    fn write(&mut self, session: &mut Session, table: &Table, update: &Update) -> Result<Vec<u8>> {
        let (record, mut new_key) = (update.record.bytes(), Vec::new());
        let waiting = &update.values.waiting;
        if matches!(update.kind, Prepare::InsertCopy) || update.kind.moves_row() {
            share_values(session, table, update)?;
        }
        update.values.made.release_unused(session, table, &update.record)?;
        let Some((key, before)) = &update.original else {
            table.insert(session, &mut self.changed, record, &mut new_key)?;
            return Ok(new_key);
        };
        if update.kind.moves_row() && update.level == 0 {
            let what = "a row is moved in a transaction";
            return Err(Error::new(JetErr::NotInTransaction, what));
        }
        if !waiting.is_empty() && waiting.level == 0 {
            let what = "the transaction has ended in which a long value was changed";
            return Err(Error::new(JetErr::NotInTransaction, what));
        }
        // A lock says that the row is as it was; but its own session may have changed it.
        let now = table.get(session, key, |now| (now == before, table.next_version(now)))?;
        let must_be_same = update.level == 0 || update.kind == Prepare::ReplaceNoLock;
        let (same, version) = now.ok_or_else(record_deleted)?;
        if must_be_same && !same {
            return Err(Error::new(
                JetErr::WriteConflict,
                "the row has changed since the update was prepared",
            ));
        }
        if update.kind.moves_row() {
            table.delete(session, &mut self.changed, key)?;
            table.insert(session, &mut self.changed, record, &mut new_key)?;
            return Ok(new_key);
        }
        match version? {
            None => {
                let row = (key.as_slice(), &update.record);
                table.replace_with_values(session, &mut self.changed, row, waiting)?;
            }
            Some(version) => {
                let mut counted = update.record.clone();
                table.put_counts(&mut counted, &[version])?;
                let row = (key.as_slice(), &counted);
                table.replace_with_values(session, &mut self.changed, row, waiting)?;
            }
        }
        Ok(key.clone())
    }

    /// Deletes the current row; the cursor stays at its place. A prepared update is dropped.
    ///
    /// # Errors
    /// `JET_errPermissionDenied` (-1809), `JET_errTransReadOnly` (-1110), `JET_errAlreadyPrepared`
    /// (-1607) where a row is being moved, `JET_errNoCurrentRecord` (-1603), and as
    /// [`Table::delete`].
    pub fn delete(&mut self, session: &mut Session) -> Result<()> {
        self.check_updatable(session)?;
        if self.update.as_ref().is_some_and(|update| update.kind.moves_row()) {
            let what = "a row is being moved with this cursor";
            return Err(Error::new(JetErr::AlreadyPrepared, what));
        }
        self.update = None;
        let key = self.bookmark(session)?.to_vec();
        let table = Arc::clone(&self.table);
        session.statement(|session| {
            table.get(session, &key, |_| ())?.ok_or_else(record_deleted)?;
            table.delete(session, &mut self.changed, &key)
        })
    }

    /// Adds to an escrow column of the current row; gives the number from before.
    ///
    /// # Errors
    /// `JET_errNotInTransaction` (-1054), `JET_errPermissionDenied` (-1809) for a read-only cursor,
    /// `JET_errTransReadOnly` (-1110), `JET_errNoCurrentRecord` (-1603), and as
    /// [`Table::add_to_column`].
    pub fn add(
        &mut self,
        session: &mut Session,
        (column, delta): (ColumnId, i64),
        on_rollback: OnRollback,
    ) -> Result<i64> {
        if session.level() == 0 {
            return Err(Error::new(JetErr::NotInTransaction, "additions are for transactions"));
        }
        self.check_updatable(session)?;
        let key = self.bookmark(session)?.to_vec();
        let table = Arc::clone(&self.table);
        let hint = &mut self.changed;
        session.statement(|session| {
            table.add_to_column(session, hint, &key, (column, delta), on_rollback)
        })
    }

    /// Locks the current row until the transaction ends.
    ///
    /// # Errors
    /// `JET_errNotInTransaction` (-1054), `JET_errPermissionDenied` (-1809) for a write lock of a
    /// read-only cursor, `JET_errTransReadOnly` (-1110), `JET_errWriteConflict` (-1102), and as
    /// [`Cursor::read`].
    pub fn lock(&mut self, session: &mut Session, lock: Lock) -> Result<()> {
        if session.level() == 0 {
            return Err(Error::new(JetErr::NotInTransaction, "locks are for transactions"));
        }
        if lock == Lock::Write {
            self.check_updatable(session)?;
        }
        self.read(session, |_| ())?;
        let table = Arc::clone(&self.table);
        let key = self.bookmark(session)?.to_vec();
        session.lock(&table.db, &table.tree, &key, lock)
    }

    /// Has what is prepared written, or changed, long values outside of its row? No row refers to
    /// what is written, so it would outlive a crash that comes after the commit of the transaction.
    /// What is changed would miss what others change after the commit.
    #[must_use]
    pub fn has_written_values(&self) -> bool {
        self.update.as_ref().is_some_and(|update| {
            let MadeValues { made, waiting, .. } = &update.values;
            !made.is_empty() || !waiting.is_empty()
        })
    }

    /// The long values of the table as the prepared update has them, if one is prepared.
    #[must_use]
    pub fn long_values<'a>(&'a self, session: &'a Session) -> SessionLongValues<'a> {
        match &self.update {
            Some(update) => self.table.long_values_with(session, &update.values.waiting),
            None => self.table.long_values(session),
        }
    }

    /// A transaction level commits: what is prepared in it belongs to the one below.
    pub fn level_committed(&mut self, level: u8) {
        if let Some(update) = &mut self.update {
            let below = level.saturating_sub(1);
            update.level = update.level.min(below);
            let made = &mut update.values.made;
            made.level = made.level.min(below);
            let waiting = &mut update.values.waiting;
            waiting.level = waiting.level.min(below);
        }
    }

    /// The levels above `keep` are taken back, and what was prepared in them.
    pub fn levels_rolled_back(&mut self, keep: u8) {
        let taken_back = |update: &Update| {
            let MadeValues { made, waiting, .. } = &update.values;
            update.level > keep || made.level > keep || waiting.level > keep
        };
        if self.update.as_ref().is_some_and(taken_back) {
            self.update = None;
        }
    }
}

/// Keeps the long values of a row that an update begins with.
fn pin_values(
    session: &Session,
    table: &Table,
    row: &[u8],
    kind: Prepare,
) -> Result<Option<Pinned>> {
    let Some(tree) = table.long_tree() else { return Ok(None) };
    let lids = RecordView::new(row, table.db.page_size())?.lids()?;
    let copies = kind == Prepare::InsertCopy || kind.moves_row();
    if lids.is_empty() { Ok(None) } else { session.pin(&tree, lids, copies).map(Some) }
}

/// A new row refers to the long values of the row that it is a copy of.
fn share_values(session: &mut Session, table: &Table, update: &Update) -> Result<()> {
    let lids = update.record.view(&table.schema)?.lids()?;
    let Some(tree) = table.long_tree() else { return Ok(()) };
    lids.into_iter()
        .filter(|lid| !update.values.made.contains(*lid))
        .try_for_each(|lid| tree.share(session, lid))
}

#[track_caller]
pub(super) fn not_prepared() -> Error {
    Error::new(JetErr::UpdateNotPrepared, "no update is prepared")
        .advise("call JetPrepareUpdate first")
}
