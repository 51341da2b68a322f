//! Defaults that a callback computes (api-semantics 11.4; the reference page of
//! JET_USERDEFINEDDEFAULT and the engine's source).
//!
//! A column keeps the name of its callback, `module!function`, and data for it. No module is loaded
//! here, as another engine does: a program says with [`provide_callback`] what a name stands for in
//! this process. Where `JET_paramEnablePersistedCallbacks` is off, which it is by default, names
//! are not looked up: such columns can be made, but their defaults cannot be read.
//!
//! A row that says nothing of such a column has the value that the callback computes, each time it
//! is asked for. The callback runs as in [`callback`](super): no lock is held, and it may look at
//! the row with the cursor that it is told. It sees the row that was asked for, the current one or
//! the copy that is being changed, whatever flags it uses.

use std::{
    collections::BTreeMap,
    fmt,
    panic::{AssertUnwindSafe, Location, catch_unwind},
    sync::Arc,
    thread,
};

use ese_base::{Error, JetErr, Result, limits::TRANSACTION_LEVEL_MAX};
use ese_engine::schema::{Column, ColumnCallback, ColumnDef};
use parking_lot::RwLock;

use super::{
    JET_COLUMNID, JET_paramEnablePersistedCallbacks,
    gate::Purpose,
    handles::{JET_DBID, JET_SESID, JET_TABLEID},
    session::{Told, commit_level, find_session, roll_back_to},
    table::with_cursor_and_session,
};
use crate::session::Durability;

/// Longest name of a callback in bytes.
const NAME_MOST: usize = 255;

/// What computes the default of a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JET_USERDEFINEDDEFAULT {
    /// `module!function`, as given to [`provide_callback`].
    pub szCallback: String,
    /// Handed to the callback with each call; kept with the column.
    pub pbUserData: Vec<u8>,
    /// Reserved; not looked at.
    pub szDependantColumns: Option<String>,
}

impl JET_USERDEFINEDDEFAULT {
    /// The structure as the default of a column with `JET_bitColumnUserDefinedDefault`.
    #[must_use]
    pub fn pvDefault(&self) -> Vec<u8> {
        [self.szCallback.as_bytes(), &[0], &self.pbUserData].concat()
    }

    fn of(default: &[u8]) -> Option<ColumnCallback> {
        let end = default.iter().position(|byte| *byte == 0)?;
        let (name, data) = default.split_at(end);
        let data = data.get(1..).filter(|data| !data.is_empty());
        let name = std::str::from_utf8(name).ok()?.to_owned();
        Some(ColumnCallback { name, data: data.map(Into::into), dependencies: None })
    }
}

/// What a callback is told that computes a default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JET_DEFAULTINFO {
    /// The session that reads.
    pub sesid: JET_SESID,
    /// The database of the table.
    pub dbid: JET_DBID,
    /// The cursor that reads; it may be used to look at the row.
    pub tableid: JET_TABLEID,
    /// The column whose default is wanted.
    pub columnid: JET_COLUMNID,
    /// What the column keeps for the callback.
    pub pbUserData: Vec<u8>,
}

type Computes = dyn Fn(&JET_DEFAULTINFO) -> Result<Option<Vec<u8>>> + Send + Sync;

/// A function that computes a default; `None` is NULL. Its error becomes that of the call.
#[derive(Clone)]
pub struct JET_DEFAULTCALLBACK(Arc<Computes>);

impl JET_DEFAULTCALLBACK {
    /// Computes with `function`.
    pub fn new(
        function: impl Fn(&JET_DEFAULTINFO) -> Result<Option<Vec<u8>>> + Send + Sync + 'static,
    ) -> JET_DEFAULTCALLBACK {
        JET_DEFAULTCALLBACK(Arc::new(function))
    }
}

impl fmt::Debug for JET_DEFAULTCALLBACK {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JET_DEFAULTCALLBACK")
    }
}

/// Callbacks by module, in lower case, and function.
static PROVIDED: RwLock<BTreeMap<(String, String), JET_DEFAULTCALLBACK>> =
    RwLock::new(BTreeMap::new());

/// Module and function. The case of a module does not matter.
fn parts(name: &str) -> Result<(String, String)> {
    match name.split_once('!') {
        Some((module, function)) if name.len() <= NAME_MOST => {
            Ok((module.to_ascii_lowercase(), function.to_owned()))
        }
        _ => {
            let what = format!("\"{name}\" is no name of a callback, module!function");
            Err(Error::new(JetErr::InvalidParameter, what))
        }
    }
}

/// Says what a name of a callback, `module!function`, stands for in this process from now on;
/// `None`: for nothing any more.
///
/// # Errors
/// `JET_errInvalidParameter` (-1003) for a name of another form, or above 255 bytes.
pub fn provide_callback(name: &str, callback: Option<JET_DEFAULTCALLBACK>) -> Result<()> {
    let parts = parts(name)?;
    let mut provided = PROVIDED.write();
    let before = match callback {
        Some(callback) => provided.insert(parts, callback),
        None => provided.remove(&parts),
    };
    drop(provided);
    // What it holds may have ends of its own.
    drop(before);
    Ok(())
}

fn resolve(name: &str) -> Result<JET_DEFAULTCALLBACK> {
    PROVIDED.read().get(&parts(name)?).cloned().ok_or_else(|| {
        let what = format!("callback \"{name}\" is not known in this process");
        Error::new(JetErr::CallbackNotResolved, what).advise("call provide_callback first")
    })
}

fn enabled(sesid: JET_SESID) -> Result<bool> {
    let session = find_session(sesid)?;
    let on = session.inst.params.lock().int(JET_paramEnablePersistedCallbacks) != 0;
    Ok(on)
}

/// A definition with the callback that its default names.
///
/// # Errors
/// `JET_errInvalidParameter` (-1003) for a default that is no [`JET_USERDEFINEDDEFAULT`].
pub(super) fn with_callback(def: ColumnDef, default: &[u8]) -> Result<ColumnDef> {
    let callback = JET_USERDEFINEDDEFAULT::of(default).ok_or_else(|| {
        let what = format!("the default of column \"{}\" names no callback", def.name);
        Error::new(JetErr::InvalidParameter, what)
    })?;
    Ok(def.computed_by(callback))
}

/// Are the callbacks of new columns known, if they are to be looked up?
///
/// # Errors
/// The session's; `JET_errCallbackNotResolved` (-2102), `JET_errInvalidParameter` (-1003).
pub(super) fn check_resolved<'d>(
    sesid: JET_SESID,
    defs: impl IntoIterator<Item = &'d ColumnDef>,
) -> Result<()> {
    for callback in defs.into_iter().filter_map(|def| def.callback.as_ref()) {
        if enabled(sesid)? {
            resolve(&callback.name)?;
        }
    }
    Ok(())
}

/// How long the values of a column are.
#[derive(Clone, Copy, Debug)]
enum ValueLen {
    Exactly(usize),
    AtMost(usize),
}

impl ValueLen {
    /// Who reads a number counts on its bytes.
    fn checked(self, value: Option<Vec<u8>>) -> Result<Option<Vec<u8>>> {
        let Some(len) = value.as_ref().map(Vec::len) else { return Ok(None) };
        let what = match self {
            ValueLen::Exactly(most) if len != most => format!("{len} bytes instead of {most}"),
            ValueLen::AtMost(most) if len > most => format!("{len} bytes, above {most}"),
            _ => return Ok(value),
        };
        let what = format!("a callback computed a default of {what}");
        Err(Error::new(JetErr::CallbackFailed, what))
    }
}

/// A default that is to be computed when no lock is held any more.
#[derive(Debug)]
pub(super) struct Computed {
    columnid: JET_COLUMNID,
    callback: Option<Box<ColumnCallback>>,
    /// Bytes of a value: all that there must be, or may be.
    len: ValueLen,
    /// Of the copy that is being changed.
    copy: bool,
}

impl Computed {
    pub(super) fn new(columnid: JET_COLUMNID, column: &Column, copy: bool) -> Computed {
        let len = match (column.ty.fixed_len(), column.max_len) {
            (Some(len), _) => ValueLen::Exactly(len),
            (None, 0) => ValueLen::AtMost(usize::MAX),
            (None, most) => ValueLen::AtMost(usize::try_from(most).unwrap_or(usize::MAX)),
        };
        Computed { columnid, callback: column.callback.clone(), len, copy }
    }

    pub(super) fn columnid(&self) -> JET_COLUMNID {
        self.columnid
    }

    /// Calls the callback.
    ///
    /// # Errors
    /// The cursor's; `JET_errCallbackFailed` (-2101) where callbacks of columns are not enabled,
    /// for one that panics, asks for its own column, leaves another transaction level than it
    /// found, or answers with a value that the column cannot have; `JET_errCallbackNotResolved`
    /// (-2102); what the callback says.
    #[track_caller]
    pub(super) fn value(self, sesid: JET_SESID, tableid: JET_TABLEID) -> Result<Option<Vec<u8>>> {
        let failed = |what: &'static str| Error::new(JetErr::CallbackFailed, what);
        let (place, columnid) = (Location::caller(), self.columnid);
        let callback = self.callback.ok_or_else(|| failed("the column has lost its callback"))?;
        if !enabled(sesid)? {
            return Err(failed("callbacks of columns are not enabled")
                .advise("set JET_paramEnablePersistedCallbacks before JetInit"));
        }
        let function = resolve(&callback.name)?;
        let (dbid, level) = with_cursor_and_session(sesid, tableid, |state, own, cursor| {
            let asked = |told: &&Told| told.cursor == tableid && told.reads(columnid);
            if own.told.iter().any(|told| asked(&told)) {
                return Err(failed("a callback asks for the default that it computes"));
            }
            own.check_callbacks()?;
            let level = state.engine.level();
            // What it reads belongs together.
            if level == 0 {
                state.engine.begin_from(true, place)?;
                own.begun_in_call(state.engine.level());
            }
            let image = Some((columnid, self.copy));
            own.told.push(Told { thread: thread::current().id(), cursor: tableid, image });
            Ok((u32::from(cursor.database()?.attached.db.dbid.0), level))
        })?;
        let pbUserData = callback.data.map(Vec::from).unwrap_or_default();
        let info = JET_DEFAULTINFO { sesid, dbid, tableid, columnid, pbUserData };
        let value = catch_unwind(AssertUnwindSafe(|| (function.0)(&info)))
            .unwrap_or_else(|_| Err(failed("the callback panicked")));
        find_session(sesid)?.call(Purpose::CleanUp, |state, own| {
            own.told.pop();
            let inner = level.max(1);
            debug_assert!(inner <= TRANSACTION_LEVEL_MAX);
            let now = state.engine.level();
            if now > inner {
                roll_back_to(state, own, inner)?;
            }
            if level == 0 && now > 0 {
                commit_level(state, own, Durability::Lazy)?;
            }
            match now == inner {
                true => value.and_then(|value| self.len.checked(value)),
                false => Err(failed("a callback left another transaction level than it found")),
            }
        })
    }
}
