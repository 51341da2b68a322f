//! What callers are told: changes of rows before and after they are made, and local storage that is
//! no longer needed (api-semantics 1.7, 17).
//!
//! A callback runs on the thread of the call that it belongs to, with no lock of the engine held,
//! so it may call the engine: as the session that it is told, on this thread alone, and with the
//! cursor that it is told only what looks at rows and columns and what sets columns. What it
//! changes belongs to the change of the row: both are kept, or neither.

use std::{
    fmt,
    panic::{AssertUnwindSafe, Location, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use ese_base::{Error, JetErr, ObjId, Result, limits::TRANSACTION_LEVEL_MAX};
use ese_engine::{
    catalog,
    cursor::{Cursor as EngineCursor, Prepare},
    temp::TempTable,
};
use parking_lot::Mutex;

use super::{
    JET_GRBIT, JET_bitLSCursor, JET_bitLSReset, JET_bitLSTable, JET_cbtypAfterDelete,
    JET_cbtypAfterInsert, JET_cbtypAfterReplace, JET_cbtypBeforeDelete, JET_cbtypBeforeInsert,
    JET_cbtypBeforeReplace, JET_cbtypFreeCursorLS, JET_cbtypFreeTableLS,
    gate::Purpose,
    handles::{JET_DBID, JET_HANDLE, JET_SESID, JET_TABLEID},
    invalid_grbit,
    session::{Own, Told, commit_level, find_session, roll_back_to},
    table::{Cursor, with_any_cursor, with_cursor_in_callback},
};
use crate::{
    session::{Durability, SessionState},
    shared::OpenDatabase,
};

/// Reasons of a callback: `JET_cbtyp...`.
pub type JET_CBTYP = u32;

/// Local storage: a number of the caller's that belongs to a cursor or a table.
pub type JET_LS = u64;
/// No local storage.
pub const JET_LSNil: JET_LS = JET_LS::MAX;

/// What a callback is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JET_CALLBACKINFO {
    /// The session that changes a row; nil for local storage.
    pub sesid: JET_SESID,
    /// The database of the table; 0 for local storage.
    pub dbid: JET_DBID,
    /// The cursor that changes the row; nil for local storage.
    pub tableid: JET_TABLEID,
    /// Why it is called: one of `JET_cbtyp...`.
    pub cbtyp: JET_CBTYP,
    /// Local storage that is no longer needed, or [`JET_LSNil`].
    pub ls: JET_LS,
}

type Tells = dyn Fn(&JET_CALLBACKINFO) -> Result<()> + Send + Sync;

/// A function to be called back. Its error, before a change, refuses the change.
#[derive(Clone)]
pub struct JET_CALLBACK {
    tells: Arc<Tells>,
    number: u64,
}

impl JET_CALLBACK {
    /// Calls `told` for everything it is registered for.
    pub fn new(
        told: impl Fn(&JET_CALLBACKINFO) -> Result<()> + Send + Sync + 'static,
    ) -> JET_CALLBACK {
        JET_CALLBACK::numbered(0, told)
    }

    /// As [`JET_CALLBACK::new`], with a number by which callers recognise it: two callbacks with
    /// the same number that is not 0 are the same.
    pub fn numbered(
        number: u64,
        told: impl Fn(&JET_CALLBACKINFO) -> Result<()> + Send + Sync + 'static,
    ) -> JET_CALLBACK {
        JET_CALLBACK { tells: Arc::new(told), number }
    }

    /// The number that was given to [`JET_CALLBACK::numbered`], or 0.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// A panic is `JET_errCallbackFailed` (-2101).
    fn call(&self, info: &JET_CALLBACKINFO) -> Result<()> {
        catch_unwind(AssertUnwindSafe(|| (self.tells)(info)))
            .unwrap_or_else(|_| Err(failed("the callback panicked")))
    }
}

impl fmt::Debug for JET_CALLBACK {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JET_CALLBACK")
    }
}

impl PartialEq for JET_CALLBACK {
    fn eq(&self, other: &JET_CALLBACK) -> bool {
        let same = self.number != 0 && self.number == other.number;
        same || Arc::ptr_eq(&self.tells, &other.tells)
    }
}

impl Eq for JET_CALLBACK {}

#[track_caller]
fn failed(what: &'static str) -> Error {
    Error::new(JetErr::CallbackFailed, what)
}

#[derive(Clone, Debug)]
struct Registered {
    number: u64,
    table: ObjId,
    reasons: JET_CBTYP,
    callback: JET_CALLBACK,
}

/// What callers have attached to the tables of a database, until it is detached.
#[derive(Debug, Default)]
pub(crate) struct Attachments {
    /// Number of registered callbacks, so that changes of rows need no lock where there are none.
    count: AtomicUsize,
    lists: Mutex<Lists>,
}

#[derive(Debug, Default)]
struct Lists {
    last: u64,
    callbacks: Vec<Registered>,
    local: Vec<(ObjId, LocalStorage)>,
}

impl Attachments {
    /// The newest first.
    fn callbacks_of(&self, table: ObjId) -> Vec<Registered> {
        let lists = self.lists.lock();
        lists.callbacks.iter().rev().filter(|one| one.table == table).cloned().collect()
    }

    fn register(&self, table: ObjId, reasons: JET_CBTYP, callback: JET_CALLBACK) -> u64 {
        let mut lists = self.lists.lock();
        lists.last += 1;
        let number = lists.last;
        lists.callbacks.push(Registered { number, table, reasons, callback });
        self.count.store(lists.callbacks.len(), Ordering::Release);
        number
    }

    fn unregister(&self, table: ObjId, number: u64) -> bool {
        let mut lists = self.lists.lock();
        let before = lists.callbacks.len();
        lists.callbacks.retain(|one| one.table != table || one.number != number);
        self.count.store(lists.callbacks.len(), Ordering::Release);
        lists.callbacks.len() < before
    }

    /// Nobody can use the table any more: what was attached to it.
    pub(super) fn forget(&self, table: ObjId) -> Forgotten {
        let mut lists = self.lists.lock();
        let gone = lists.callbacks.extract_if(.., |one| one.table == table).collect();
        let local = lists.local.extract_if(.., |(of, _)| *of == table).collect();
        self.count.store(lists.callbacks.len(), Ordering::Release);
        Forgotten { _callbacks: gone, _local: local }
    }

    fn with_local<T>(&self, table: ObjId, body: impl FnOnce(&mut LocalStorage) -> T) -> T {
        let mut lists = self.lists.lock();
        if let Some((_, local)) = lists.local.iter_mut().find(|(of, _)| *of == table) {
            return body(local);
        }
        let mut local = LocalStorage::default();
        let answer = body(&mut local);
        lists.local.push((table, local));
        answer
    }
}

/// What was attached to a table. It is let go of with no lock held.
#[derive(Debug)]
pub(super) struct Forgotten {
    _callbacks: Vec<Registered>,
    _local: Vec<(ObjId, LocalStorage)>,
}

/// The local storage of one cursor or table. When that goes, the callback is told.
#[derive(Debug, Default)]
pub(super) struct LocalStorage(Option<(JET_LS, JET_CBTYP, JET_CALLBACK)>);

impl LocalStorage {
    fn set(&mut self, ls: JET_LS, why: JET_CBTYP, callback: JET_CALLBACK) -> Result<()> {
        if self.0.is_some() && ls != JET_LSNil {
            let what = "the local storage is in use";
            return Err(Error::new(JetErr::LSAlreadySet, what)
                .advise("take it with JetGetLS and JET_bitLSReset first"));
        }
        self.0 = (ls != JET_LSNil).then_some((ls, why, callback));
        Ok(())
    }

    fn get(&mut self, reset: bool) -> Result<JET_LS> {
        let ls = self.0.as_ref().map(|(ls, ..)| *ls);
        if reset {
            self.0 = None;
            return Ok(ls.unwrap_or(JET_LSNil));
        }
        ls.ok_or_else(|| Error::new(JetErr::LSNotSet, "there is no local storage"))
    }
}

impl Drop for LocalStorage {
    fn drop(&mut self) {
        let Some((ls, cbtyp, callback)) = self.0.take() else { return };
        let (sesid, tableid) = (JET_SESID::NIL, JET_TABLEID::NIL);
        let info = JET_CALLBACKINFO { sesid, dbid: 0, tableid, cbtyp, ls };
        if let Err(error) = callback.call(&info) {
            tracing::warn!(%error, "the callback for local storage failed");
        }
    }
}

/// Registers a callback for changes of the rows of a cursor's table, by any cursor, until it is
/// unregistered, the table is deleted, or the database is detached. Several may be registered; the
/// newest is called first. A callback of a template table is called for the tables that derive from
/// it too. `JET_cbtypFinalize` is reserved and never called. Transactions do not matter.
///
/// # Errors
/// The cursor's; `JET_errInvalidParameter` (-1003) for no reasons.
pub fn JetRegisterCallback(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    cbtyp: JET_CBTYP,
    pCallback: &JET_CALLBACK,
) -> Result<JET_HANDLE> {
    with_cursor_in_callback(sesid, tableid, |state, cursor| {
        if cbtyp == 0 {
            return Err(Error::new(JetErr::InvalidParameter, "a callback for no reason"));
        }
        let objid = cursor.table(state)?.schema.objid;
        let number = cursor.database()?.attachments.register(objid, cbtyp, pCallback.clone());
        Ok(JET_HANDLE(number))
    })
}

/// Unregisters a callback, for all the reasons it was registered for.
///
/// # Errors
/// The cursor's; `JET_errInvalidParameter` (-1003) for a handle that the table has not given.
pub fn JetUnregisterCallback(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    _cbtyp: JET_CBTYP,
    hCallbackId: JET_HANDLE,
) -> Result<()> {
    with_cursor_in_callback(sesid, tableid, |state, cursor| {
        let table = cursor.table(state)?;
        if cursor.database()?.attachments.unregister(table.schema.objid, hCallbackId.0) {
            return Ok(());
        }
        let what = format!("{hCallbackId:?} is no callback of table \"{}\"", table.schema.name);
        Err(Error::new(JetErr::InvalidParameter, what))
    })
}

/// Gives a cursor, or with [`JET_bitLSTable`] its table, local storage. When the cursor is closed,
/// the table is deleted, or its database is detached, `JET_paramRuntimeCallback` is told.
/// [`JET_LSNil`] and [`JET_bitLSReset`] take it away, and nobody is told.
///
/// # Errors
/// The cursor's; `JET_errLSCallbackNotSpecified` (-3000) without such a callback,
/// `JET_errInvalidGrbit` (-900) for both places, `JET_errLSAlreadySet` (-3001).
pub fn JetSetLS(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    ls: JET_LS,
    grbit: JET_GRBIT,
) -> Result<()> {
    let runtime = find_session(sesid).map(|session| session.inst.params.lock().runtime_callback());
    with_cursor_in_callback(sesid, tableid, |state, cursor| {
        let callback = runtime?.ok_or_else(|| {
            let what = "local storage needs somebody to be told when it is no longer needed";
            Error::new(JetErr::LSCallbackNotSpecified, what)
                .advise("set JET_paramRuntimeCallback before JetInit")
        })?;
        let ls = if grbit & JET_bitLSReset != 0 { JET_LSNil } else { ls };
        cursor.with_local(state, grbit, |local, why| local.set(ls, why, callback))
    })
}

/// The local storage of a cursor, or with [`JET_bitLSTable`] of its table; with [`JET_bitLSReset`]
/// it is taken away, and nobody is told.
///
/// # Errors
/// The cursor's; `JET_errInvalidGrbit` (-900) for both places, `JET_errLSNotSet` (-3002) where
/// there is none and it is not taken away.
pub fn JetGetLS(sesid: JET_SESID, tableid: JET_TABLEID, grbit: JET_GRBIT) -> Result<JET_LS> {
    with_cursor_in_callback(sesid, tableid, |state, cursor| {
        cursor.with_local(state, grbit, |local, _| local.get(grbit & JET_bitLSReset != 0))
    })
}

impl Cursor {
    fn with_local<T>(
        &mut self,
        state: &mut SessionState,
        grbit: JET_GRBIT,
        body: impl FnOnce(&mut LocalStorage, JET_CBTYP) -> Result<T>,
    ) -> Result<T> {
        if self.temp().is_some_and(|temp| temp.is_inserting()) {
            return Err(TempTable::refused("local storage for a sort that takes rows"));
        }
        if grbit & JET_bitLSTable == 0 {
            return body(&mut self.local, JET_cbtypFreeCursorLS);
        }
        if grbit & JET_bitLSCursor != 0 {
            return Err(invalid_grbit("local storage", grbit));
        }
        let objid = self.table(state)?.schema.objid;
        let attachments = &self.database()?.attachments;
        attachments.with_local(objid, |local| body(local, JET_cbtypFreeTableLS))
    }

    /// The callbacks of its table, then those of the template that this derives from.
    fn callbacks(&mut self, state: &mut SessionState) -> Result<Vec<Registered>> {
        let none =
            |database: &Arc<OpenDatabase>| database.attachments.count.load(Ordering::Acquire) == 0;
        if self.temp().is_some() || self.database().is_ok_and(none) {
            return Ok(Vec::new());
        }
        let table = self.table(state)?;
        let database = Arc::clone(self.database()?);
        let mut found = database.attachments.callbacks_of(table.schema.objid);
        if let Some(name) = &table.schema.template {
            let template = catalog::open_table(&state.engine, &database.attached, name)?;
            found.extend(database.attachments.callbacks_of(template.schema.objid));
        }
        Ok(found)
    }
}

/// Reasons for which callbacks are called before and after a change of a row.
pub(super) type Reasons = (&'static [JET_CBTYP], &'static [JET_CBTYP]);

pub(super) const DELETING: Reasons = (&[JET_cbtypBeforeDelete], &[JET_cbtypAfterDelete]);

/// What writing the prepared update is.
pub(super) fn reasons_of_update(cursor: &EngineCursor) -> Reasons {
    match cursor.preparing() {
        None => (&[], &[]),
        Some(Prepare::Insert | Prepare::InsertCopy) => {
            (&[JET_cbtypBeforeInsert], &[JET_cbtypAfterInsert])
        }
        Some(Prepare::Replace | Prepare::ReplaceNoLock) => {
            (&[JET_cbtypBeforeReplace], &[JET_cbtypAfterReplace])
        }
        // One change of the engine: that the old row is gone is told when the new one is there.
        Some(Prepare::InsertCopyDeleteOriginal | Prepare::InsertCopyReplaceOriginal) => (
            &[JET_cbtypBeforeDelete, JET_cbtypBeforeInsert],
            &[JET_cbtypAfterDelete, JET_cbtypAfterInsert],
        ),
    }
}

/// A change that has callbacks to call.
struct Calls {
    callbacks: Vec<Registered>,
    reasons: Reasons,
    dbid: JET_DBID,
    /// Transaction level of the caller.
    level: u8,
}

/// Changes a row between the callbacks that its table has for that.
///
/// # Errors
/// The cursor's, those of the change, and what a callback says before it;
/// `JET_errCallbackFailed` (-2101) for one that panics or leaves another transaction level than it
/// found. Nothing is left of the change then, nor of what callbacks did. What a callback says after
/// the change does not matter.
#[track_caller]
pub(super) fn change_row<T>(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    reasons: impl FnOnce(&EngineCursor) -> Reasons,
    change: impl FnOnce(&mut SessionState, &mut Cursor) -> Result<T>,
) -> Result<T> {
    let (place, mut change, mut done) = (Location::caller(), Some(change), None);
    let mut make = |state: &mut SessionState, cursor: &mut Cursor| {
        let change = change.take().ok_or_else(|| failed("a row is changed once"))?;
        done = Some(change(state, cursor)?);
        Ok(())
    };
    let calls = with_any_cursor(sesid, tableid, Purpose::Work, |state, own, cursor| {
        let callbacks = cursor.callbacks(state)?;
        let reasons =
            if callbacks.is_empty() { (&[][..], &[][..]) } else { reasons(cursor.open(state)?) };
        if reasons.0.is_empty() {
            return make(state, cursor).map(|()| None);
        }
        cursor.open(state)?.check_updatable(&state.engine)?;
        own.check_callbacks()?;
        let level = state.engine.level();
        // The deepest level has none below for what belongs together.
        if level < TRANSACTION_LEVEL_MAX {
            state.engine.begin_from(false, place)?;
            own.begun_in_call(state.engine.level());
        }
        own.enter_callback(tableid);
        let dbid = u32::from(cursor.database()?.attached.db.dbid.0);
        Ok(Some(Calls { callbacks, reasons, dbid, level }))
    })?;
    if let Some(calls) = calls {
        let (before, after) = calls.reasons;
        let made = calls.call(sesid, tableid, before).and_then(|()| {
            with_cursor_in_callback(sesid, tableid, |state, cursor| {
                calls.check_level(state)?;
                make(state, cursor)
            })
        });
        if made.is_ok() {
            for reason in after {
                if let Err(error) = calls.call(sesid, tableid, &[*reason]) {
                    tracing::debug!(%error, "a callback after a change failed");
                }
            }
        }
        find_session(sesid)?.call(Purpose::CleanUp, |state, own| calls.leave(state, own, made))?;
    }
    done.ok_or_else(|| failed("the row was not changed"))
}

impl Calls {
    fn call(&self, sesid: JET_SESID, tableid: JET_TABLEID, reasons: &[JET_CBTYP]) -> Result<()> {
        for cbtyp in reasons {
            let (dbid, cbtyp, ls) = (self.dbid, *cbtyp, JET_LSNil);
            let info = JET_CALLBACKINFO { sesid, dbid, tableid, cbtyp, ls };
            let mut meant = self.callbacks.iter().filter(|one| one.reasons & cbtyp != 0);
            meant.try_for_each(|one| one.callback.call(&info))?;
        }
        Ok(())
    }

    /// The level of the change itself.
    fn inner(&self) -> u8 {
        if self.level < TRANSACTION_LEVEL_MAX { self.level + 1 } else { self.level }
    }

    /// Is the transaction where the change began?
    fn check_level(&self, state: &SessionState) -> Result<()> {
        match state.engine.level() == self.inner() {
            true => Ok(()),
            false => Err(failed("a callback left another transaction level than it found")),
        }
    }

    /// Ends the level that was begun for the change.
    fn leave(&self, state: &mut SessionState, own: &mut Own, made: Result<()>) -> Result<()> {
        own.leave_callback();
        let keep = if made.is_ok() { self.inner() } else { self.level };
        if state.engine.level() > keep {
            // Of a change that was made, what a callback after it has left open.
            roll_back_to(state, own, keep)?;
        }
        made?;
        self.check_level(state)?;
        if self.inner() > self.level {
            // The level was begun for the change alone: the caller is where he was, come what may.
            commit_level(state, own, Durability::Durable).or_else(|error| {
                if state.engine.level() > self.level {
                    roll_back_to(state, own, self.level)?;
                }
                Err(error)
            })?;
        }
        Ok(())
    }
}

/// Callbacks of a session within each other. One that changes the table it watches would call
/// itself until the stack ends.
const CALLBACKS_DEEP: usize = 16;

impl Own {
    /// # Errors
    /// `JET_errCallbackFailed` (-2101) if too many callbacks of the session are at work.
    pub(super) fn check_callbacks(&self) -> Result<()> {
        if self.told.len() < CALLBACKS_DEEP {
            return Ok(());
        }
        Err(failed("a callback is called within 16 others: does it change what it watches?"))
    }

    fn enter_callback(&mut self, tableid: JET_TABLEID) {
        self.told.push(Told { thread: thread::current().id(), cursor: tableid, image: None });
    }

    fn leave_callback(&mut self) {
        self.told.pop();
    }
}
