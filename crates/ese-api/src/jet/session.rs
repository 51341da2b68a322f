//! Sessions and transactions (api-semantics 4, 5).

use std::{
    any::Any,
    collections::BTreeMap,
    panic::Location,
    sync::Arc,
    thread::{self, ThreadId},
    time::Duration,
};

use ese_base::{Error, JetErr, LgPos, ObjId, Result, Signature};
use parking_lot::{Mutex, RwLock};

use super::{
    JET_COLUMNID, JET_GRBIT, JET_bitCommitLazyFlush, JET_bitForceNewLog, JET_bitRollbackAll,
    JET_bitTransactionReadOnly, JET_bitWaitAllLevel0Commit, JET_bitWaitLastLevel0Commit,
    database::Opened,
    durable::commit_id,
    gate::{Purpose, enter},
    handles::{HandleTable, JET_DBID, JET_INSTANCE, JET_SESID, JET_TABLEID, Kind},
    invalid_grbit,
    params::{JET_paramCommitDefault, JET_paramMaxSessions},
    process::{Inst, PROCESS},
    table::{find_cursor, take_cursor},
    unavailable,
};
use crate::{
    session::{Durability, SessionCell, SessionState},
    shared::{OpenDatabase, Shared},
};

/// A session of the process.
#[derive(Debug)]
pub(super) struct Ses {
    pub(super) handle: JET_SESID,
    pub(super) inst: Arc<Inst>,
    pub(super) shared: Arc<Shared>,
    cell: Arc<SessionCell>,
    pub(super) own: Mutex<Own>,
}

/// What a session has beside its transaction.
#[derive(Debug, Default)]
pub(super) struct Own {
    /// Whose the open transaction is.
    owner: Option<Owner>,
    /// The context that the session is bound to, and who bound it.
    pub(super) context: Option<(u64, ThreadId)>,
    /// Flags of commits without any.
    pub(super) commit_default: JET_GRBIT,
    /// A number of the caller's, for traces.
    pub(super) correlation: u32,
    /// Parameters that change nothing, for the caller.
    pub(super) kept: BTreeMap<u32, Vec<u8>>,
    /// Databases it has open.
    pub(super) databases: BTreeMap<JET_DBID, Opened>,
    /// Its cursors, in the order of their opening.
    pub(super) cursors: Vec<JET_TABLEID>,
    /// What callbacks are being told, the innermost last.
    pub(super) told: Vec<Told>,
    /// Tables that were deleted in the transaction, and in which level.
    deleted: Vec<Deleted>,
    /// What the call has closed. It goes when no lock is held any more: callers are told then.
    closed: Vec<Box<dyn Any + Send>>,
}

#[derive(Debug)]
struct Deleted {
    level: u8,
    database: Arc<OpenDatabase>,
    table: ObjId,
}

/// A callback that is running.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    /// Where it runs.
    pub(super) thread: ThreadId,
    /// The cursor that it is told.
    pub(super) cursor: JET_TABLEID,
    /// Of a callback that computes a default: the column, and whether the row is the copy that is
    /// being changed.
    pub(super) image: Option<(JET_COLUMNID, bool)>,
}

impl Told {
    /// Does it compute the default of this column?
    pub(super) fn reads(&self, column: JET_COLUMNID) -> bool {
        self.image.is_some_and(|(of, _)| of == column)
    }
}

/// Whose a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Thread(ThreadId),
    /// Of the thread that has bound the session to this context, whoever began the transaction.
    Context(u64),
}

impl Own {
    /// A caller began a transaction level, the only one or a further one.
    fn begun_by_caller(&mut self, level: u8) {
        let context = self.context.map(|(context, _)| Owner::Context(context));
        self.begun(level, context.unwrap_or_else(|| Owner::Thread(thread::current().id())));
    }

    /// A call began a transaction level that it ends itself: its thread goes on with it, whoever
    /// has bound the session.
    pub(super) fn begun_in_call(&mut self, level: u8) {
        self.begun(level, Owner::Thread(thread::current().id()));
    }

    fn begun(&mut self, level: u8, owner: Owner) {
        // An inner level belongs to whom the outermost belongs.
        if level == 1 {
            self.owner = Some(owner);
        }
    }

    /// May this thread go on with the open transaction?
    fn admits_here(&self) -> bool {
        let here = thread::current().id();
        match self.owner {
            Some(Owner::Thread(thread)) => thread == here,
            Some(Owner::Context(context)) => self.context == Some((context, here)),
            None => false,
        }
    }

    /// Closes a cursor, once the call has ended.
    pub(super) fn close(&mut self, tableid: JET_TABLEID) {
        if let Some(cursor) = take_cursor(tableid) {
            self.closed.push(Box::new(cursor));
        }
    }

    /// A table was deleted: what callers have attached to it goes with the transaction's end.
    pub(super) fn note_deleted(&mut self, level: u8, database: &Arc<OpenDatabase>, table: ObjId) {
        self.deleted.push(Deleted { level, database: Arc::clone(database), table });
        if level == 0 {
            self.forget_deleted();
        }
    }

    fn forget_deleted(&mut self) {
        for Deleted { database, table, .. } in std::mem::take(&mut self.deleted) {
            self.closed.push(Box::new(database.attachments.forget(table)));
        }
    }

    /// Has another thread bound the session to a context?
    fn is_bound_elsewhere(&self) -> bool {
        self.context.is_some_and(|(_, by)| by != thread::current().id())
    }
}

static SESSIONS: RwLock<HandleTable<Ses>> = RwLock::new(HandleTable::new(Kind::Session));

/// The session with this handle.
///
/// # Errors
/// `JET_errInvalidSesid` (-1104).
pub(super) fn find_session(sesid: JET_SESID) -> Result<Arc<Ses>> {
    SESSIONS
        .read()
        .find(sesid.0)
        .ok_or_else(|| Error::new(JetErr::InvalidSesid, format!("{sesid:?} is not a session")))
}

impl Ses {
    /// Runs a call of the session: gate, one call at a time, a transaction on its own thread.
    pub(super) fn call<T>(
        &self,
        purpose: Purpose,
        body: impl FnOnce(&mut SessionState, &mut Own) -> Result<T>,
    ) -> Result<T> {
        enter(&self.inst, purpose)?;
        let mut closed = Vec::new();
        let answer = self.cell.try_with(|state| {
            let mut own = self.own.lock();
            if own.told.last().is_some_and(|told| told.thread != thread::current().id()) {
                let what = "another thread is in a callback of the session";
                return Err(Error::new(JetErr::SessionSharingViolation, what));
            }
            if state.engine.level() > 0 && !own.admits_here() {
                return Err(Error::new(
                    JetErr::SessionSharingViolation,
                    "the transaction belongs to another thread or context",
                ));
            }
            let answer = body(state, &mut own);
            closed = std::mem::take(&mut own.closed);
            answer
        });
        drop(closed);
        answer
    }

    /// As [`Ses::call`] for work that must not be part of a transaction.
    pub(super) fn call_at_level_0<T>(
        &self,
        purpose: Purpose,
        body: impl FnOnce(&mut Own) -> Result<T>,
    ) -> Result<T> {
        self.call(purpose, |state, own| match state.engine.level() {
            0 => body(own),
            _ => Err(Error::new(JetErr::InTransaction, "the session is in a transaction")
                .advise("commit or roll back first")),
        })
    }
}

/// Begins a session. Name and password are not used.
///
/// # Errors
/// `JET_errInvalidInstance` (-1115), the gate's, `JET_errOutOfSessions` (-1101) beyond
/// `JET_paramMaxSessions`.
pub fn JetBeginSession(instance: JET_INSTANCE) -> Result<JET_SESID> {
    let inst = PROCESS.lock().instance(instance)?;
    let shared = enter(&inst, Purpose::Work)?;
    begin(&inst, &shared)
}

fn begin(inst: &Arc<Inst>, shared: &Arc<Shared>) -> Result<JET_SESID> {
    let (most, commits) = {
        let params = inst.params.lock();
        (params.int(JET_paramMaxSessions), params.int(JET_paramCommitDefault))
    };
    // A flag that there is none of is refused by the commits that take it.
    let commit_default = JET_GRBIT::try_from(commits).unwrap_or(JET_GRBIT::MAX);
    let cell = shared.begin_session()?;
    let mut sessions = SESSIONS.write();
    let have = sessions.values().filter(|session| Arc::ptr_eq(&session.inst, inst)).count();
    let made = if have as u64 >= most {
        None
    } else {
        sessions.insert(|handle| {
            Arc::new(Ses {
                handle: JET_SESID(handle),
                inst: Arc::clone(inst),
                shared: Arc::clone(shared),
                cell,
                own: Mutex::new(Own { commit_default, ..Own::default() }),
            })
        })
    };
    made.map(|session| session.handle).ok_or_else(|| {
        Error::new(
            JetErr::OutOfSessions,
            format!("{most} sessions of the instance exist (JET_paramMaxSessions)"),
        )
        .advise("end sessions that are no longer needed")
    })
}

/// Begins another session of the same instance.
///
/// # Errors
/// `JET_errInvalidSesid` (-1104), and as [`JetBeginSession`].
pub fn JetDupSession(sesid: JET_SESID) -> Result<JET_SESID> {
    let session = find_session(sesid)?;
    let shared = enter(&session.inst, Purpose::Work)?;
    begin(&session.inst, &shared)
}

/// Ends a session: its transaction is rolled back, its cursors and databases are closed.
///
/// # Errors
/// `JET_errInvalidSesid` (-1104), `JET_errSessionSharingViolation` (-1910),
/// `JET_errSessionInUse` (-1914) where another thread has bound it to a context,
/// `JET_errIllegalOperation` (-1312) in a callback of the session.
pub fn JetEndSession(sesid: JET_SESID, _grbit: JET_GRBIT) -> Result<()> {
    let session = find_session(sesid)?;
    session.call(Purpose::CleanUp, |state, own| {
        if own.is_bound_elsewhere() {
            return Err(Error::new(JetErr::SessionInUse, "another thread has bound the session"));
        }
        if !own.told.is_empty() {
            let what = "a callback of the session is running";
            return Err(Error::new(JetErr::IllegalOperation, what)
                .advise("end the session when the call has returned that the callback is for"));
        }
        for handle in std::mem::take(&mut own.cursors) {
            if let Ok(cursor) = find_cursor(handle) {
                cursor.before_end(state);
            }
            own.close(handle);
        }
        own.databases.clear();
        own.deleted.clear();
        Ok(())
    })?;
    SESSIONS.write().remove(sesid.0);
    session.cell.end();
    Ok(())
}

/// The instance has ended: its sessions and cursors are no more.
pub(super) fn forget_sessions(inst: &Arc<Inst>) {
    let mut sessions = SESSIONS.write();
    let all = sessions.values().filter(|session| Arc::ptr_eq(&session.inst, inst));
    let handles: Vec<JET_SESID> = all.map(|session| session.handle).collect();
    let gone: Vec<_> = handles.into_iter().filter_map(|h| sessions.remove(h.0)).collect();
    drop(sessions);
    for session in gone {
        let (cursors, databases) = {
            let mut own = session.own.lock();
            (std::mem::take(&mut own.cursors), std::mem::take(&mut own.databases))
        };
        cursors.into_iter().for_each(|cursor| drop(take_cursor(cursor)));
        drop(databases);
    }
}

/// Begins a transaction, or one level more.
///
/// # Errors
/// `JET_errInvalidSesid` (-1104), the gate's, `JET_errTransTooDeep` (-1103).
#[track_caller]
pub fn JetBeginTransaction(sesid: JET_SESID) -> Result<()> {
    JetBeginTransaction2(sesid, 0)
}

/// As [`JetBeginTransaction`]; only [`JET_bitTransactionReadOnly`] is looked at.
///
/// # Errors
/// As [`JetBeginTransaction`].
#[track_caller]
pub fn JetBeginTransaction2(sesid: JET_SESID, grbit: JET_GRBIT) -> Result<()> {
    let (read_only, place) = (grbit & JET_bitTransactionReadOnly != 0, Location::caller());
    find_session(sesid)?.call(Purpose::Work, |state, own| {
        state.engine.begin_from(read_only, place)?;
        own.begun_by_caller(state.engine.level());
        Ok(())
    })
}

/// As [`JetBeginTransaction2`]; the number is the caller's own, for traces.
///
/// # Errors
/// As [`JetBeginTransaction`].
#[track_caller]
pub fn JetBeginTransaction3(sesid: JET_SESID, _trxid: i64, grbit: JET_GRBIT) -> Result<()> {
    JetBeginTransaction2(sesid, grbit)
}

/// Commits the innermost level. The outermost commit is durable on return unless it is lazy.
/// A waiting flag alone waits for earlier commits, and [`JET_bitForceNewLog`] alone begins a new
/// log generation, durably; in a transaction or not, they commit nothing.
///
/// # Errors
/// `JET_errInvalidSesid` (-1104), the gate's, `JET_errInvalidGrbit` (-900),
/// `JET_errNotInTransaction` (-1054), `JET_errLogWriteFail` (-510).
pub fn JetCommitTransaction(sesid: JET_SESID, grbit: JET_GRBIT) -> Result<()> {
    commit(sesid, grbit).map(drop)
}

/// Commits; gives the end of the last record by which the session has committed something. Before
/// it returns the program has been told of what the call has waited for, if it wants to be told.
fn commit(sesid: JET_SESID, grbit: JET_GRBIT) -> Result<Option<LgPos>> {
    let session = find_session(sesid)?;
    let log = session.shared.engine.log.as_ref();
    let (last, waits) = session.call(Purpose::Work, |state, own| {
        let grbit = if grbit == 0 { own.commit_default } else { grbit };
        match (grbit, log) {
            (0, _) => commit_level(state, own, Durability::Durable)?,
            (JET_bitCommitLazyFlush, _) => commit_level(state, own, Durability::Lazy)?,
            (JET_bitWaitLastLevel0Commit, _) => state.engine.wait_last_commit()?,
            (JET_bitWaitAllLevel0Commit, Some(log)) => log.flush_all()?,
            (JET_bitForceNewLog, Some(log)) => log.roll().map(drop)?,
            (JET_bitWaitAllLevel0Commit | JET_bitForceNewLog, None) => {}
            (other, _) => return Err(invalid_grbit("JetCommitTransaction", other)),
        }
        let waits = match grbit {
            0 => state.engine.level() == 0,
            grbit => grbit != JET_bitCommitLazyFlush,
        };
        Ok((state.engine.last_commit(), waits))
    })?;
    if let (Some(log), Some(last), true) = (log, last, waits) {
        // A commit without changes has an earlier one as its last, which may have been lazy.
        session.inst.wait_told(last.min(log.durable()));
    }
    Ok(last)
}

/// Commits the innermost level, with what its cursors have prepared in it.
pub(super) fn commit_level(
    state: &mut SessionState,
    own: &mut Own,
    durability: Durability,
) -> Result<()> {
    let level = state.engine.level();
    if level == 1 {
        for cursor in own.cursors.iter().filter_map(|cursor| find_cursor(*cursor).ok()) {
            cursor.check_commit()?;
        }
    }
    for cursor in own.cursors.iter().filter_map(|cursor| find_cursor(*cursor).ok()) {
        cursor.before_commit(level);
    }
    state.engine.commit(durability)?;
    let level = state.engine.level();
    own.deleted.iter_mut().for_each(|deleted| deleted.level = deleted.level.min(level));
    if level == 0 {
        own.owner = None;
        own.forget_deleted();
    }
    Ok(())
}

/// Names a commit: the later one of a log stream has the greater number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JET_COMMIT_ID {
    /// Of the log stream.
    pub signLog: Signature,
    /// Rises with every commit.
    pub commitId: i64,
}

/// As [`JetCommitTransaction`]. A delay says by when a commit must be durable that is lazy, by
/// [`JET_bitCommitLazyFlush`] or by what the session has as default. Gives what names the commit,
/// so that it can be compared with what is durable.
///
/// # Errors
/// As [`JetCommitTransaction`]; in a transaction `JET_errInvalidParameter` (-1003) for a delay of a
/// commit that is not lazy; `JET_errFeatureNotAvailable` (-1001) without a log and in a read-only
/// transaction.
pub fn JetCommitTransaction2(
    sesid: JET_SESID,
    grbit: JET_GRBIT,
    cmsecDurableCommit: u32,
) -> Result<JET_COMMIT_ID> {
    let session = find_session(sesid)?;
    let log = session.call(Purpose::Work, |state, own| {
        let lazy = (grbit | own.commit_default) & JET_bitCommitLazyFlush != 0;
        if cmsecDurableCommit > 0 && !lazy && state.engine.level() > 0 {
            let what = "a delay is one of a commit with JET_bitCommitLazyFlush";
            return Err(Error::new(JetErr::InvalidParameter, what));
        }
        match &session.shared.engine.log {
            Some(log) if state.engine.check_writable().is_ok() => Ok(Arc::clone(log)),
            _ => Err(unavailable("a commit id without a log or in a read-only transaction")),
        }
    })?;
    let last = commit(sesid, grbit)?;
    if cmsecDurableCommit > 0 {
        let delay = Duration::from_millis(cmsecDurableCommit.into());
        session.shared.engine.make_durable_within(delay);
    }
    // What is durable is told by the position behind it, and a commit is durable when that is more
    // than its own: its own is the last byte of its record.
    let JET_COMMIT_ID { signLog, commitId } = commit_id(&log, last.unwrap_or_else(|| log.tip()));
    Ok(JET_COMMIT_ID { signLog, commitId: commitId - 1 })
}

/// Takes the innermost level back, or all of them; other flags are not looked at. Cursors that were
/// opened in it are closed, updates that were prepared in it are cancelled.
///
/// # Errors
/// `JET_errInvalidSesid` (-1104), the gate's, `JET_errNotInTransaction` (-1054),
/// `JET_errRollbackError` (-1917).
pub fn JetRollback(sesid: JET_SESID, grbit: JET_GRBIT) -> Result<()> {
    find_session(sesid)?.call(Purpose::CleanUp, |state, own| {
        let keep = match state.engine.level() {
            level if level > 1 && grbit & JET_bitRollbackAll == 0 => level - 1,
            _ => 0,
        };
        roll_back_to(state, own, keep)
    })
}

/// Takes the innermost level back, and all others above `keep`, with the cursors that were opened
/// in them.
pub(super) fn roll_back_to(state: &mut SessionState, own: &mut Own, keep: u8) -> Result<()> {
    let stays = |handle: &JET_TABLEID| {
        find_cursor(*handle).is_ok_and(|cursor| cursor.before_rollback(keep))
    };
    let (stay, close) = std::mem::take(&mut own.cursors).into_iter().partition(stays);
    own.cursors = stay;
    let close: Vec<JET_TABLEID> = close;
    close.into_iter().for_each(|handle| own.close(handle));
    own.deleted.retain(|deleted| deleted.level <= keep);
    state.engine.rollback()?;
    while state.engine.level() > keep {
        state.engine.rollback()?;
    }
    if keep == 0 {
        own.owner = None;
    }
    Ok(())
}
