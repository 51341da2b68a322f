//! A session: transactions, nested levels, and the changes they may have to take back.
//!
//! Invariants:
//! * A change is pushed to `changes` exactly when its version is in the version store.
//! * `Begin0` and `Begin` records are appended just before the first logged change of their level,
//!   so a transaction that changes nothing writes nothing and waits for nothing.
//! * A statement (one insert into a table with its indexes, one schema change) either happens
//!   or leaves no trace: when a step fails, the steps before it are taken back.

mod escrow;
mod gate;
mod lent;
mod own;
mod pins;
mod proxy;
mod schema;
mod unreferenced;
mod zero;

use std::{
    cell::{Cell, RefCell},
    panic::Location,
    sync::{Arc, atomic::Ordering},
};

use ese_base::{Error, JetErr, LgPos, ProcId, RceId, Result, TrxId, limits::TRANSACTION_LEVEL_MAX};
use ese_log::{
    Appended,
    records::{Begin, Begin0, Commit, Commit0, Record, Rollback, begin_levels},
};
use parking_lot::Mutex;

use crate::{
    cursor::DroppedValue,
    database::Database,
    instance::{CheckpointHold, Instance},
    table::{Table, TableUse},
    tree::{self, TreeHandle, Undo, UndoOper, Unversioned, VersionGate, Writer},
    trx::{Slot, TrxClock},
    version::{Addition, Author, Dropping, KeyBytes, Lock, Snapshot, Trx, VersionStore},
};

use gate::Gate;
pub(crate) use own::ChunkPlace;
use own::Run;
pub(crate) use pins::{Pinned, Pins};
pub(crate) use proxy::{EntryChange, Proxied};
pub(crate) use schema::{Drop as TreeDrop, SchemaChange, SchemaStep, perform_drops};
pub(crate) use unreferenced::{
    Unreferenced, is_damage, remove_some_unreferenced, remove_unreferenced,
};
pub(crate) use zero::{AtZero, end_rows_at_zero};

/// When an outermost commit returns (backup-log-recovery 1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Durability {
    /// When the log is durable beyond the commit record.
    #[default]
    Durable,
    /// At once; a later durable commit or background write makes it durable. After a crash a
    /// prefix of all commits survives.
    Lazy,
}

/// One change of the open transaction.
#[derive(Debug)]
pub(crate) struct Change {
    db: Arc<Database>,
    tree: Arc<TreeHandle>,
    rceid: RceId,
    kind: ChangeKind,
    key: KeyBytes,
    /// Second half of the bookmark; empty in unique trees.
    bm_data: KeyBytes,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum ChangeKind {
    Inserted,
    Replaced,
    Deleted,
    /// The data of a flag-deleted node that an insert revived: older snapshots still read it.
    RevivedOver,
    /// Nothing: only a lock is held.
    Locked,
    /// Something was added to a number of the node.
    Added(Addition),
    /// The long value whose root this is got chunks; they have no versions.
    Grown(Box<Run>),
    /// A node of a long value that the transaction makes had these data before the statement at
    /// work; it has no version of that.
    Rewritten(Box<[u8]>),
    /// An entry of an index that this transaction makes came, or went (`deleted`), in the name of a
    /// committed transaction that it does not see. That is not taken back: the index is.
    Settled {
        deleted: bool,
    },
}

impl ChangeKind {
    /// Does it leave a node to be removed when nobody sees that any more?
    fn deletes(&self) -> bool {
        matches!(self, ChangeKind::Deleted | ChangeKind::Settled { deleted: true })
    }
}

/// A session (ESE: PIB). Its calls come from one thread at a time.
#[derive(Debug)]
pub struct Session {
    instance: Arc<Instance>,
    slot: Arc<Slot>,
    trx: Option<Arc<Trx>>,
    read_only: bool,
    level: u8,
    /// Levels whose begin is in the log.
    logged_level: u8,
    /// For each open level, how many changes there were when it began.
    savepoints: Vec<usize>,
    changes: Vec<Change>,
    /// How many changes there were when the innermost statement began, while one is at work.
    statement_began: Option<usize>,
    /// Are there changes that the end of a statement makes simpler?
    unsettled: bool,
    /// Has it let go of long values?
    let_go: bool,
    /// Its schema changes, with the number of changes when each was complete.
    schema_changes: Vec<(usize, SchemaChange)>,
    last_commit: Option<LgPos>,
    /// What a read outside a transaction sees, while it lasts.
    reading: Cell<Option<TrxId>>,
    /// Long values of updates that were dropped: to be released before the transaction commits.
    dropped_values: Arc<Mutex<Vec<DroppedValue>>>,
    /// Long values that a level leaves behind if it is taken back.
    lent: Vec<lent::Lent>,
    /// What closed cursors deny others until the transaction ends, each with its level.
    kept_uses: Vec<(u8, TableUse)>,
}

impl Session {
    /// Begins a session.
    ///
    /// # Errors
    /// What [`Instance::check`] says; `JET_errOutOfSessions`.
    pub fn begin_session(instance: &Arc<Instance>) -> Result<Session> {
        Session::with_slot(instance, TrxClock::register)
    }

    /// Begins a session of the engine itself, which nobody has to end before the instance ends.
    pub(crate) fn begin_system(instance: &Arc<Instance>) -> Result<Session> {
        Session::with_slot(instance, TrxClock::register_system)
    }

    fn with_slot(
        instance: &Arc<Instance>,
        register: fn(&TrxClock) -> Result<Arc<Slot>>,
    ) -> Result<Session> {
        instance.check()?;
        Ok(Session {
            slot: register(&instance.clock)?,
            instance: Arc::clone(instance),
            trx: None,
            read_only: false,
            level: 0,
            logged_level: 0,
            savepoints: Vec::new(),
            changes: Vec::new(),
            statement_began: None,
            unsettled: false,
            let_go: false,
            schema_changes: Vec::new(),
            last_commit: None,
            reading: Cell::new(None),
            dropped_values: Arc::default(),
            lent: Vec::new(),
            kept_uses: Vec::new(),
        })
    }

    /// The instance it belongs to.
    #[must_use]
    pub fn instance(&self) -> &Arc<Instance> {
        &self.instance
    }

    /// Its number in log records.
    #[must_use]
    pub fn procid(&self) -> ProcId {
        self.slot.procid
    }

    /// Open transaction levels.
    #[must_use]
    pub fn level(&self) -> u8 {
        self.level
    }

    /// Begins a transaction, or one level more of the open one.
    ///
    /// # Errors
    /// `JET_errTransTooDeep` (-1103) beyond seven levels; what [`Instance::check`] says.
    #[track_caller]
    pub fn begin(&mut self) -> Result<()> {
        self.begin_with(false)
    }

    /// Begins a transaction in which changes are refused (`JET_errTransReadOnly`).
    ///
    /// # Errors
    /// As [`Session::begin`].
    #[track_caller]
    pub fn begin_read_only(&mut self) -> Result<()> {
        self.begin_with(true)
    }

    #[track_caller]
    fn begin_with(&mut self, read_only: bool) -> Result<()> {
        self.begin_from(read_only, Location::caller())
    }

    /// As [`Session::begin`] or [`Session::begin_read_only`], for a caller who knows better where
    /// in the program the transaction begins.
    ///
    /// # Errors
    /// As [`Session::begin`].
    pub fn begin_from(&mut self, read_only: bool, place: &'static Location<'static>) -> Result<()> {
        self.instance.check()?;
        if self.level >= TRANSACTION_LEVEL_MAX {
            return Err(Error::new(
                JetErr::TransTooDeep,
                format!("the transaction already has {TRANSACTION_LEVEL_MAX} levels"),
            ));
        }
        if self.level == 0 {
            let snapshot = self.instance.clock.begin(&self.slot);
            let begin0 = self.instance.clock.next();
            self.trx = Some(Arc::new(Trx::new(self.slot.procid, begin0, snapshot)));
            self.read_only = read_only;
            self.slot.set_origin(self.instance.env.clock.monotonic(), place);
        } else if let Some(trx) = &self.trx {
            trx.proxied().level_begins(trx.last_rceid());
        }
        self.level += 1;
        self.slot.set_level(self.level);
        self.savepoints.push(self.changes.len());
        Ok(())
    }

    /// May this transaction change anything?
    ///
    /// # Errors
    /// `JET_errTransReadOnly` (-1110).
    pub fn check_writable(&self) -> Result<()> {
        if self.read_only {
            return Err(Error::new(
                JetErr::TransReadOnly,
                "the transaction was begun for reading only",
            ));
        }
        Ok(())
    }

    /// May it change anything in this database? Temporary ones are no part of what is read.
    ///
    /// # Errors
    /// As [`Session::check_writable`]; `JET_errDatabaseFileReadOnly` (-1008).
    pub(crate) fn check_writable_in(&self, db: &Database) -> Result<()> {
        if db.is_temporary() {
            return Ok(());
        }
        self.check_writable()?;
        if db.is_read_only() { Err(read_only(db)) } else { Ok(()) }
    }

    /// Commits the innermost level. The outermost commit makes all changes visible at once.
    ///
    /// # Errors
    /// `JET_errNotInTransaction` (-1054); `JET_errLogWriteFail` when the log cannot be made
    /// durable: the transaction is then neither acknowledged nor taken back, and the instance is
    /// unusable until recovery has decided.
    pub fn commit(&mut self, durability: Durability) -> Result<()> {
        self.instance.check_alive()?;
        if self.level == 1 && !self.read_only {
            self.release_dropped_values()?;
        }
        match self.level {
            0 => Err(not_in_transaction()),
            1 => self.commit_outermost(durability),
            _ => self.commit_nested(),
        }
    }

    fn commit_nested(&mut self) -> Result<()> {
        let Some(trx) = self.trx.clone() else { return Err(not_in_transaction()) };
        // What is done in its name belongs to this level before the record, to the outer one after.
        let mut proxied = trx.proxied();
        if self.logged_level == self.level
            && let Some(log) = &self.instance.log
        {
            let level_to = self.level - 1;
            log.append(&Record::Commit(Commit { procid: self.slot.procid, level_to }))?;
            self.logged_level -= 1;
        }
        proxied.level_ends();
        drop(proxied);
        self.lent_level_commits();
        self.level -= 1;
        for (level, _) in &mut self.kept_uses {
            *level = self.level.min(*level);
        }
        self.slot.set_level(self.level);
        self.savepoints.pop();
        Ok(())
    }

    fn commit_outermost(&mut self, durability: Durability) -> Result<()> {
        let Some(trx) = self.trx.take() else { return Err(not_in_transaction()) };
        let mut changes = std::mem::take(&mut self.changes);
        let appended = if self.logged_level > 0 || !changes.is_empty() {
            let log = self.instance.log.as_ref();
            let procid = self.slot.procid;
            // Locks alone leave nothing in the log, not even a begin.
            let logged = self.logged_level > 0;
            let append = |number: TrxId| match log.filter(|_| logged) {
                None => Ok(None),
                Some(log) => log
                    .append(&Record::Commit0(Commit0 { procid, level_to: 0, trx_commit0: number }))
                    .map(Some),
            };
            let mut proxied = trx.proxied();
            match self.instance.clock.commit(append, |number| trx.publish(number)) {
                Ok(appended) => {
                    changes.extend(proxied.take_all());
                    appended
                }
                Err(error) => {
                    drop(proxied);
                    // Nothing was published: the transaction stays open for the caller to roll
                    // back.
                    self.trx = Some(trx);
                    self.changes = changes;
                    return Err(error);
                }
            }
        } else {
            None
        };
        let given_up = self.given_up();
        let hold = self.hold_for(&given_up);
        self.leave_transaction();
        if let Some(Appended { end, .. }) = appended {
            self.last_commit = Some(end);
            if durability == Durability::Durable
                && let Some(log) = &self.instance.log
            {
                // Published and not durable: whether it survives is for recovery to say.
                log.flush(end).inspect_err(|error| self.instance.poison(error))?;
            }
        }
        if let Some(number) = trx.committed()
            && !changes.is_empty()
        {
            self.instance.retire(number, changes, (given_up, hold));
        }
        Ok(())
    }

    /// Where updates leave the long values that they have written when they are dropped.
    pub(crate) fn dropped_values(&self) -> Arc<Mutex<Vec<DroppedValue>>> {
        Arc::clone(&self.dropped_values)
    }

    fn release_dropped_values(&mut self) -> Result<()> {
        let mut dropped = std::mem::take(&mut *self.dropped_values.lock());
        while let Some(value) = dropped.last() {
            if let Err(error) = value.release(self) {
                // The transaction stays open: who commits it again has them still to go.
                self.dropped_values.lock().append(&mut dropped);
                return Err(error);
            }
            dropped.pop();
        }
        Ok(())
    }

    fn leave_transaction(&mut self) {
        self.slot.clear();
        self.trx = None;
        self.level = 0;
        self.logged_level = 0;
        self.savepoints.clear();
        self.changes.clear();
        self.schema_changes.clear();
        self.lent.clear();
        self.kept_uses.clear();
        (self.read_only, self.unsettled, self.let_go) = (false, false, false);
    }

    /// Takes back the innermost level.
    ///
    /// # Errors
    /// `JET_errNotInTransaction`; a failed undo makes the instance unusable
    /// (`JET_errRollbackError`), because the page no longer shows what was agreed.
    pub fn rollback(&mut self) -> Result<()> {
        if self.level == 0 {
            return Err(not_in_transaction());
        }
        let savepoint = self.savepoints.last().copied().unwrap_or(0);
        let undone = self.undo_to(savepoint);
        if undone.is_ok()
            && self.logged_level == self.level
            && let Some(log) = &self.instance.log
        {
            log.append(&Record::Rollback(Rollback { procid: self.slot.procid, levels: 1 }))?;
            self.logged_level -= 1;
        }
        if self.level == 1 {
            self.leave_transaction();
        } else {
            if let Some(trx) = &self.trx {
                trx.proxied().level_ends();
            }
            self.lent_level_taken_back();
            self.level -= 1;
            self.kept_uses.retain(|(level, _)| *level <= self.level);
            self.slot.set_level(self.level);
            self.savepoints.pop();
        }
        undone
    }

    /// A cursor is closed that was opened at `level`. If it denies others its table, which the
    /// open transaction has changed, it goes on doing so until that ends: what others would come
    /// upon may still be taken back.
    pub(crate) fn keep_use(&mut self, held: TableUse, table: &Table, level: u8) {
        if self.level > 0 && self.has_changed(table) {
            held.close();
            self.kept_uses.push((level, held));
        }
    }

    /// Has the open transaction made, changed or locked the table or rows of it?
    fn has_changed(&self, table: &Table) -> bool {
        let rows = |change: &Change| Arc::ptr_eq(&change.tree, &table.tree);
        let schema = |change: &SchemaChange| Arc::ptr_eq(&change.table.core, &table.core);
        self.schema_changes.iter().any(|(_, change)| schema(change))
            || self.changes.iter().any(rows)
    }

    /// The end of the last record by which this session has committed something.
    #[must_use]
    pub fn last_commit(&self) -> Option<LgPos> {
        self.last_commit
    }

    /// Waits until the last commit of this session is durable.
    ///
    /// # Errors
    /// `JET_errLogWriteFail`.
    pub fn wait_last_commit(&self) -> Result<()> {
        match (self.last_commit, &self.instance.log) {
            (Some(end), Some(log)) => log.flush(end),
            _ => Ok(()),
        }
    }

    /// Runs a read with this session's eyes: its transaction's snapshot, or one of its own for the
    /// call and all reads inside it.
    pub(crate) fn read<T>(&self, body: impl FnOnce(Snapshot<'_>) -> Result<T>) -> Result<T> {
        self.instance.check()?;
        if let Some(trx) = &self.trx {
            return body(Snapshot { upto: trx.snapshot, own: Some(trx) });
        }
        if let Some(upto) = self.reading.get() {
            return body(Snapshot { upto, own: None });
        }
        let upto = self.instance.clock.begin(&self.slot);
        self.reading.set(Some(upto));
        let result = body(Snapshot { upto, own: None });
        self.reading.set(None);
        self.slot.clear();
        result
    }

    /// Runs several changes as one: all of them, or none. Outside a transaction it is one.
    pub(crate) fn statement<T>(
        &mut self,
        body: impl FnOnce(&mut Session) -> Result<T>,
    ) -> Result<T> {
        if self.level == 0 {
            self.begin()?;
            return match body(self) {
                Ok(value) => self.commit(Durability::Durable).map(|()| value),
                Err(error) => {
                    self.rollback()?;
                    Err(error)
                }
            };
        }
        let before = self.changes.len();
        let outer = self.statement_began.replace(before);
        let done = body(self);
        self.statement_began = outer;
        if done.is_err() {
            self.undo_to(before)?;
            return done;
        }
        if self.unsettled {
            self.settle(before);
        }
        if self.statement_began.is_none() {
            self.join_schema_changes();
        }
        done
    }

    /// Runs several changes of the open transaction as one: all of them, or none.
    pub(crate) fn all_or_nothing<T>(
        &mut self,
        body: impl FnOnce(&mut Session) -> Result<T>,
    ) -> Result<T> {
        if self.level == 0 {
            return Err(not_in_transaction());
        }
        self.statement(body)
    }

    /// Inserts a node.
    pub(crate) fn insert(
        &mut self,
        db: &Arc<Database>,
        tree: &Arc<TreeHandle>,
        hint: &mut tree::Position,
        key: &[u8],
        data: &[u8],
    ) -> Result<()> {
        self.change(db, tree, |db, tree, writer, gate| {
            tree::insert(db, tree, writer, gate, hint, key, data)
        })
    }

    /// Replaces the data of a node.
    pub(crate) fn replace(
        &mut self,
        db: &Arc<Database>,
        tree: &Arc<TreeHandle>,
        hint: &mut tree::Position,
        key: &[u8],
        data: &[u8],
    ) -> Result<()> {
        self.change(db, tree, |db, tree, writer, gate| {
            tree::replace(db, tree, writer, gate, hint, key, &[], data)
        })
    }

    /// Adds to a number in the data of a node of a tree with unique keys.
    pub(crate) fn add(
        &mut self,
        db: &Arc<Database>,
        tree: &Arc<TreeHandle>,
        hint: &mut tree::Position,
        key: &[u8],
        added: Addition,
    ) -> Result<()> {
        self.let_go |= added.ends_row && tree.kind.is_of_long_values();
        self.change(db, tree, |db, tree, writer, gate| {
            tree::add(db, tree, writer, gate, hint, key, added, None)
        })
    }

    /// As [`Session::add`], but the addition stays when the transaction is taken back, and all see
    /// it at once.
    pub(crate) fn add_for_good(
        &mut self,
        db: &Arc<Database>,
        tree: &Arc<TreeHandle>,
        hint: &mut tree::Position,
        key: &[u8],
        added: Addition,
    ) -> Result<()> {
        let writer = self.begin_change(db)?;
        let Some(trx) = &self.trx else { return Err(not_in_transaction()) };
        let kept = escrow::ForGood { versions: &self.instance.versions, trx };
        tree::add(db, tree, writer, &kept, hint, key, added, None)
    }

    /// Deletes a node.
    pub(crate) fn delete(
        &mut self,
        db: &Arc<Database>,
        tree: &Arc<TreeHandle>,
        hint: &mut tree::Position,
        key: &[u8],
        bm_data: &[u8],
    ) -> Result<()> {
        self.change(db, tree, |db, tree, writer, gate| {
            tree::flag_delete(db, tree, writer, gate, hint, key, bm_data)
        })
    }

    /// Locks a node of a tree with unique keys until the transaction, or the level, is taken back,
    /// or the transaction commits.
    ///
    /// # Errors
    /// `JET_errNotInTransaction` (-1054), `JET_errTransReadOnly` (-1110), `JET_errWriteConflict`
    /// (-1102), `JET_errVersionStoreOutOfMemory` (-1069).
    pub(crate) fn lock(
        &mut self,
        db: &Arc<Database>,
        tree: &Arc<TreeHandle>,
        key: &[u8],
        lock: Lock,
    ) -> Result<()> {
        self.instance.check()?;
        if db.is_read_only() && lock == Lock::Read && self.level > 0 {
            // Nobody can change what it protects.
            return Ok(());
        }
        self.check_writable_in(db)?;
        let Some(trx) = &self.trx else { return Err(not_in_transaction()) };
        if let Some(rceid) = self
            .instance
            .versions
            .lock(tree, key, trx, lock)
            .map_err(|error| self.instance.explain(error))?
        {
            self.changes.push(Change {
                db: Arc::clone(db),
                tree: Arc::clone(tree),
                rceid,
                kind: ChangeKind::Locked,
                key: KeyBytes::from_slice(key),
                bm_data: KeyBytes::new(),
            });
        }
        Ok(())
    }

    /// Says whether this session could change a node of a tree with unique keys.
    ///
    /// # Errors
    /// `JET_errWriteConflict` (-1102).
    pub(crate) fn check_no_conflict(&self, tree: &TreeHandle, key: &[u8]) -> Result<()> {
        let versions = &self.instance.versions;
        match self.read(|snapshot| Ok(versions.could_change(tree, key, snapshot)))? {
            true => Ok(()),
            false => Err(Error::code_only(JetErr::WriteConflict)),
        }
    }

    /// What comes before every change of a page: may there be one, is there room for it, and who
    /// makes it?
    fn begin_change(&mut self, db: &Database) -> Result<Writer> {
        self.instance.check()?;
        self.check_writable_in(db)?;
        db.cache.throttle(self.instance.fence(db))?;
        self.writer(db)
    }

    /// One versioned change: begins the log's view of the transaction and runs it through the gate.
    fn change(
        &mut self,
        db: &Arc<Database>,
        tree: &Arc<TreeHandle>,
        body: impl FnOnce(&Database, &TreeHandle, Writer, &dyn VersionGate) -> Result<()>,
    ) -> Result<()> {
        let writer = self.begin_change(db)?;
        let before = self.changes.len();
        let Session { instance, trx: Some(trx), changes, .. } = self else {
            return Err(not_in_transaction());
        };
        let (versions, changes) = (&instance.versions, RefCell::new(changes));
        let gate = Gate { versions, author: Author::Own(trx), db, tree, changes };
        let result = body(db, tree, writer, &gate);
        result.map_err(|error| self.drop_made(before, error))
    }

    /// An operation failed: what its gate recorded did not happen.
    #[cold]
    fn drop_made(&mut self, before: usize, error: Error) -> Error {
        let versions = &self.instance.versions;
        for Change { tree, key, bm_data, rceid, .. } in self.changes.drain(before..) {
            versions.drop_version(&tree, &key, &bm_data, rceid);
        }
        self.instance.explain(error)
    }

    /// How this session signs its log records. Logs the begin of levels that it does not show yet.
    pub(crate) fn writer(&mut self, db: &Database) -> Result<Writer> {
        if db.is_read_only() {
            return Err(read_only(db));
        }
        let Some(trx) = &self.trx else { return Err(not_in_transaction()) };
        let procid = self.slot.procid;
        if self.logged_level < self.level
            && let Some(log) = db.log()
        {
            let from = self.logged_level;
            let levels = begin_levels(from, self.level - from);
            if from == 0 {
                // The slot must bound the checkpoint before the record can be anywhere: the tip is
                // at or before its position.
                self.slot.set_begin0(log.tip());
                let trx_begin0 = trx.begin0;
                log.append(&Record::Begin0(Begin0 { procid, levels, trx_begin0 }))?;
            } else {
                log.append(&Record::Begin(Begin { procid, levels }))?;
            }
            self.logged_level = self.level;
        }
        Ok(Writer { procid, trx: trx.begin0, level: self.level, begin: self.slot.begin0() })
    }

    /// The open transaction.
    pub(crate) fn transaction(&self) -> Option<Arc<Trx>> {
        self.trx.clone()
    }

    /// Does its transaction see another one's work?
    pub(crate) fn sees(&self, other: &Arc<Trx>) -> bool {
        let own = self.trx.as_ref();
        own.is_none_or(|own| Snapshot { upto: own.snapshot, own: Some(own) }.sees(other))
    }

    /// Takes changes back, the newest first, until `keep` remain.
    fn undo_to(&mut self, keep: usize) -> Result<()> {
        let back = self.take_back_schema(keep);
        while self.changes.len() > keep {
            let Some(change) = self.changes.pop() else { break };
            let db = Arc::clone(&change.db);
            let undone =
                self.writer(&db).and_then(|writer| self.undo_with_proxied(&change, writer));
            if let Err(cause) = undone {
                if db.is_temporary() {
                    // The table shows it to nobody any more, and nothing else depends on it.
                    drop(db.file.poison().remember(cause));
                    let Change { tree, key, bm_data, rceid, .. } = &change;
                    self.instance.versions.drop_version(tree, key, bm_data, *rceid);
                    continue;
                }
                let error = Error::new(JetErr::RollbackError, "a change could not be taken back")
                    .at_path(db.file.path())
                    .caused_by(cause)
                    .advise("terminate the instance; recovery takes the transaction back");
                self.instance.poison(&error);
                return Err(error);
            }
        }
        self.drop_taken_back(back)
    }

    fn undo_one(&self, change: &Change, writer: Writer) -> Result<()> {
        let Change { db, tree, rceid, kind, key, bm_data } = change;
        let versions = &self.instance.versions;
        if db.is_temporary() && (*tree.gone.read() || db.file.poison().is_set()) {
            // The table was closed, or has failed.
            versions.drop_version(tree, key, bm_data, *rceid);
            return Ok(());
        }
        let before;
        let oper = match kind {
            ChangeKind::Grown(run) => return self.take_run_back(change, run, writer),
            ChangeKind::Rewritten(before) => {
                let at = &mut tree::Position::default();
                return tree::replace(db, tree, writer, &Unversioned, at, key, &[], before);
            }
            ChangeKind::Locked => {
                versions.drop_version(tree, key, bm_data, *rceid);
                return Ok(());
            }
            ChangeKind::Settled { .. } => {
                versions.drop_version(tree, key, bm_data, *rceid);
                tree.unmarked.fetch_sub(1, Ordering::AcqRel);
                return Ok(());
            }
            ChangeKind::Added(added) => {
                let gate = escrow::DropUnderLatch { versions, rceid: *rceid };
                let (at, less) = (&mut tree::Position::default(), added.inverse());
                return tree::add(db, tree, writer, &gate, at, key, less, Some(*rceid));
            }
            ChangeKind::Inserted => UndoOper::Insert,
            ChangeKind::Deleted => UndoOper::FlagDelete,
            ChangeKind::Replaced | ChangeKind::RevivedOver => {
                before = versions.before(tree, key, bm_data, *rceid).ok_or_else(|| {
                    Error::new(JetErr::RollbackError, "the before image of a replace is gone")
                })?;
                UndoOper::Replace { before: &before }
            }
        };
        let undo = Undo { oper, rceid: *rceid, key, bm_data };
        tree::undo(db, tree, writer, &undo)?;
        versions.drop_version(tree, key, bm_data, *rceid);
        if *kind == ChangeKind::Inserted || *kind == ChangeKind::RevivedOver {
            remove_deleted_node(versions, change, key, writer)?;
        }
        Ok(())
    }
}

/// Removes a flag-deleted node of a change's tree that no version speaks of any more.
fn remove_deleted_node(
    versions: &VersionStore,
    change: &Change,
    key: &[u8],
    writer: Writer,
) -> Result<()> {
    let Change { db, tree, bm_data, .. } = change;
    let unneeded = || !versions.has_versions(tree, key, bm_data);
    let gone = tree.gone.read();
    if *gone {
        return Ok(());
    }
    match tree::delete_node(db, tree, writer, key, bm_data, &unneeded) {
        Err(error) if db.is_temporary() => {
            tracing::debug!(%error, "a deleted row of a temporary table takes room until that goes");
            Ok(())
        }
        deleted => deleted.map(|_| ()),
    }
}

/// Drops the versions of a commit that everybody can see, and removes the nodes it deleted.
pub(crate) fn clean_up(
    instance: &Instance,
    changes: &[Change],
    hold: Option<&Arc<CheckpointHold>>,
) -> Result<()> {
    let versions = &instance.versions;
    unreferenced::note(instance, changes, hold);
    let mut dropping = Dropping::new(versions);
    for change in changes.iter().filter(|change| !matches!(change.kind, ChangeKind::Grown(_))) {
        dropping.drop_version(&change.tree, &change.key, &change.bm_data, change.rceid);
    }
    drop(dropping);
    proxy::count_settled_off(changes);
    zero::note(instance, changes);
    let deleted = || changes.iter().filter(|change| change.kind.deletes());
    if deleted().next().is_none() {
        return Ok(());
    }
    // Outside any transaction: physical removal changes nothing that anybody can see.
    instance.system_work(|procid| {
        let writer = Writer::system(procid);
        deleted().try_for_each(|change| remove_deleted_node(versions, change, &change.key, writer))
    })
}

impl Drop for Session {
    /// Takes an open transaction back.
    fn drop(&mut self) {
        while self.level > 0 {
            if let Err(error) = self.rollback() {
                tracing::error!(%error, "a session ended whose transaction could not be taken back");
                break;
            }
        }
        self.slot.clear();
        self.instance.clock.unregister(&self.slot);
    }
}

#[cold]
#[track_caller]
fn read_only(db: &Database) -> Error {
    Error::new(JetErr::DatabaseFileReadOnly, "the database is attached for reading only")
        .at_path(db.file.path())
        .advise("detach it and attach it for changes")
}

#[track_caller]
fn not_in_transaction() -> Error {
    Error::new(JetErr::NotInTransaction, "the session has no open transaction")
}
