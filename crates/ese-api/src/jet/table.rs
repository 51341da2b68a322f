//! Cursors: opening and closing them, and what they are (api-semantics 6, 13).

use std::sync::Arc;

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    catalog, cursor as engine,
    schema::{ColType, Column, ColumnFlags, ColumnId, TableFlags, TableSchema, check_name},
    table::{Sharing, Table},
    temp::TempTable,
};
use parking_lot::{Mutex, RwLock};

use super::{
    JET_COLUMNID, JET_GRBIT, JET_bitColumnAutoincrement, JET_bitColumnCompressed,
    JET_bitColumnDeleteOnZero, JET_bitColumnEscrowUpdate, JET_bitColumnFinalize,
    JET_bitColumnFixed, JET_bitColumnMultiValued, JET_bitColumnNotNULL, JET_bitColumnTagged,
    JET_bitColumnUpdatable, JET_bitColumnUserDefinedDefault, JET_bitColumnVersion,
    JET_bitTableDenyRead, JET_bitTableDenyWrite, JET_bitTablePermitDDL, JET_bitTableReadOnly,
    JET_bitTableSequential,
    callback::LocalStorage,
    database::open_database_to_read,
    gate::Purpose,
    handles::{HandleTable, JET_DBID, JET_SESID, JET_TABLEID, Kind},
    invalid_grbit,
    session::{Own, find_session},
};
use crate::{session::SessionState, shared::OpenDatabase};

/// A cursor of the process.
#[derive(Debug)]
pub(super) struct Cur {
    handle: JET_TABLEID,
    owner: JET_SESID,
    state: Mutex<Cursor>,
}

/// What a cursor knows.
#[derive(Debug)]
pub(super) struct Cursor {
    pub(super) what: What,
    /// The database of its table; temporary tables are in none.
    database: Option<Arc<OpenDatabase>>,
    /// Transaction level of its opening.
    level: u8,
    /// What the caller keeps with it.
    pub(super) local: LocalStorage,
}

/// What a cursor is open on.
#[derive(Debug)]
pub(super) enum What {
    Table(Box<engine::Cursor>),
    /// A temporary table.
    Temp(Box<TempTable>),
}

impl What {
    /// What a cursor on a table is that its session has just made: nobody else's, for the time
    /// being.
    pub(super) fn made(state: &SessionState, table: Arc<Table>) -> Result<What> {
        let sharing = Sharing { deny_read: true, ..Sharing::default() };
        Ok(What::Table(Box::new(engine::Cursor::open(&state.engine, table, sharing)?)))
    }
}

static CURSORS: RwLock<HandleTable<Cur>> = RwLock::new(HandleTable::new(Kind::Cursor));

/// The cursor with this handle.
///
/// # Errors
/// `JET_errInvalidTableId` (-1310).
pub(super) fn find_cursor(tableid: JET_TABLEID) -> Result<Arc<Cur>> {
    CURSORS
        .read()
        .find(tableid.0)
        .ok_or_else(|| Error::new(JetErr::InvalidTableId, format!("{tableid:?} is not a cursor")))
}

/// Takes a cursor out of the list. It is closed with the last that knows it; what its caller keeps
/// with it is given back then, so no lock may be held.
pub(super) fn take_cursor(tableid: JET_TABLEID) -> Option<Arc<Cur>> {
    CURSORS.write().remove(tableid.0)
}

/// Runs a call with a cursor of the session.
pub(super) fn with_cursor<T>(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    body: impl FnOnce(&mut SessionState, &mut Cursor) -> Result<T>,
) -> Result<T> {
    with_any_cursor(sesid, tableid, Purpose::Work, |state, _, cursor| body(state, cursor))
}

/// Is it a cursor of this session, and may it be worked with? For whoever refuses something of a
/// call before the call is made; not a Jet function.
///
/// # Errors
/// The session's; `JET_errInvalidTableId` (-1310), `JET_errSesidTableIdMismatch` (-1114).
pub fn check_cursor(sesid: JET_SESID, tableid: JET_TABLEID) -> Result<()> {
    with_cursor(sesid, tableid, |_, _| Ok(()))
}

pub(super) fn with_any_cursor<T>(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    purpose: Purpose,
    body: impl FnOnce(&mut SessionState, &mut Own, &mut Cursor) -> Result<T>,
) -> Result<T> {
    let session = find_session(sesid)?;
    let cursor = own_cursor(sesid, tableid)?;
    session.call(purpose, |state, own| {
        check_not_told(own, tableid)?;
        body(state, own, &mut cursor.state.lock())
    })
}

/// Is no callback being told of a change by this cursor?
fn check_not_told(own: &Own, tableid: JET_TABLEID) -> Result<()> {
    if own.told.iter().all(|told| told.cursor != tableid) {
        return Ok(());
    }
    let what = "a callback is told of this cursor";
    Err(Error::new(JetErr::IllegalOperation, what).advise("use a cursor of its own: JetDupCursor"))
}

/// As [`with_any_cursor`], for what a callback may do with the cursor that it is told.
pub(super) fn with_cursor_in_callback<T>(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    body: impl FnOnce(&mut SessionState, &mut Cursor) -> Result<T>,
) -> Result<T> {
    with_cursor_and_session(sesid, tableid, |state, _, cursor| body(state, cursor))
}

/// As [`with_cursor_in_callback`], with what the session has beside its transaction.
pub(super) fn with_cursor_and_session<T>(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    body: impl FnOnce(&mut SessionState, &mut Own, &mut Cursor) -> Result<T>,
) -> Result<T> {
    let session = find_session(sesid)?;
    let cursor = own_cursor(sesid, tableid)?;
    session.call(Purpose::Work, |state, own| body(state, own, &mut cursor.state.lock()))
}

fn own_cursor(sesid: JET_SESID, tableid: JET_TABLEID) -> Result<Arc<Cur>> {
    let cursor = find_cursor(tableid)?;
    if cursor.owner == sesid { Ok(cursor) } else { Err(mismatch(tableid, sesid)) }
}

/// Has this cursor prepared an update of the row with that key of another cursor's table?
pub(super) fn is_changing(handle: JET_TABLEID, other: &engine::Cursor, key: &[u8]) -> bool {
    find_cursor(handle).is_ok_and(|cursor| {
        let mut cursor = cursor.state.lock();
        let open = match &mut cursor.what {
            What::Table(open) => Some(&mut **open),
            What::Temp(temp) => temp.tree().ok().flatten(),
        };
        open.is_some_and(|open| open.shares_table(other) && open.changing() == Some(key))
    })
}

/// Runs a call with several cursors of the session, each named once.
pub(super) fn with_open_cursors<T>(
    sesid: JET_SESID,
    handles: &[JET_TABLEID],
    body: impl FnOnce(&mut SessionState, &mut [&mut engine::Cursor]) -> Result<T>,
) -> Result<T> {
    let session = find_session(sesid)?;
    let mut found = Vec::with_capacity(handles.len());
    for (at, handle) in handles.iter().enumerate() {
        let cursor = own_cursor(sesid, *handle)?;
        if handles.iter().take(at).any(|other| other == handle) {
            let what = format!("{handle:?} is named twice");
            return Err(Error::new(JetErr::InvalidParameter, what));
        }
        found.push(cursor);
    }
    session.call(Purpose::Work, |state, own| {
        handles.iter().try_for_each(|handle| check_not_told(own, *handle))?;
        let mut guards: Vec<_> = found.iter().map(|cursor| cursor.state.lock()).collect();
        let open = guards.iter_mut().map(|cursor| cursor.open(state));
        let mut open = open.collect::<Result<Vec<_>>>()?;
        body(state, &mut open)
    })
}

#[track_caller]
fn mismatch(tableid: JET_TABLEID, sesid: JET_SESID) -> Error {
    Error::new(
        JetErr::SesidTableIdMismatch,
        format!("{tableid:?} is a cursor of another session than {sesid:?}"),
    )
}

impl Cur {
    /// A level commits: what belongs to it belongs to the one below.
    pub(super) fn before_commit(&self, level: u8) {
        let mut cursor = self.state.lock();
        let below = level.saturating_sub(1);
        cursor.level = cursor.level.min(below);
        match &mut cursor.what {
            What::Temp(temp) => temp.level_committed(level),
            What::Table(open) => open.level_committed(level),
        }
    }

    /// May the outermost level commit?
    ///
    /// # Errors
    /// `JET_errAlreadyPrepared` (-1607) for a prepared update that has written long values outside
    /// of its row (api-semantics 5.6).
    pub(super) fn check_commit(&self) -> Result<()> {
        let cursor = self.state.lock();
        if let What::Table(open) = &cursor.what
            && open.has_written_values()
        {
            return Err(Error::new(
                JetErr::AlreadyPrepared,
                "an update that is prepared has written long values, which no row has yet",
            )
            .advise("end it with JetUpdate, or cancel it, before the commit"));
        }
        Ok(())
    }

    /// Levels above `keep` are taken back. False: the cursor was opened in one of them.
    pub(super) fn before_rollback(&self, keep: u8) -> bool {
        let mut cursor = self.state.lock();
        match &mut cursor.what {
            What::Table(open) => open.levels_rolled_back(keep),
            What::Temp(temp) => temp.levels_rolled_back(keep),
        }
        cursor.level <= keep
    }

    /// Its session ends, before the open transaction is taken back.
    pub(super) fn before_end(&self, state: &mut SessionState) {
        self.state.lock().leave(state);
    }
}

impl Cursor {
    /// It is going to be closed: what it denies others of a table that the open transaction has
    /// changed stays denied until that ends.
    fn leave(&mut self, state: &mut SessionState) {
        if let What::Table(open) = &mut self.what {
            open.leave(&mut state.engine, self.level);
        }
    }

    /// The database of its table.
    ///
    /// # Errors
    /// `JET_errIllegalOperation` (-1312) for a temporary table.
    pub(super) fn database(&self) -> Result<&Arc<OpenDatabase>> {
        self.database.as_ref().ok_or_else(|| TempTable::refused("this call"))
    }

    /// The temporary table, if it is open on one.
    pub(super) fn temp(&mut self) -> Option<&mut TempTable> {
        match &mut self.what {
            What::Temp(temp) => Some(temp),
            _ => None,
        }
    }

    /// The temporary table, if that is not a tree.
    pub(super) fn sort(&mut self) -> Result<Option<&mut TempTable>> {
        let Some(temp) = self.temp() else { return Ok(None) };
        let is_tree = temp.tree()?.is_some();
        Ok((!is_tree).then_some(temp))
    }

    /// As [`Cursor::open`], also for a temporary table that is a tree.
    pub(super) fn open_or_tree(&mut self, state: &mut SessionState) -> Result<&mut engine::Cursor> {
        if matches!(self.what, What::Temp(_)) {
            let temp = self.temp().map(TempTable::tree).transpose()?.flatten();
            return temp.ok_or_else(|| TempTable::refused("this call for a sort"));
        }
        self.open(state)
    }

    /// The cursor itself.
    ///
    /// # Errors
    /// `JET_errIllegalOperation` (-1312) for a temporary table, `JET_errObjectNotFound` (-1305) for
    /// one that was deleted.
    pub(super) fn open(&mut self, state: &mut SessionState) -> Result<&mut engine::Cursor> {
        let attached = Arc::clone(&self.database()?.attached);
        match &mut self.what {
            What::Table(open) => {
                let now = catalog::current(&state.engine, &attached, open.table())?;
                if !Arc::ptr_eq(&now, open.table()) {
                    open.follow(now);
                }
                Ok(open)
            }
            What::Temp(_) => Err(TempTable::refused("this call")),
        }
    }

    /// The table of the cursor.
    pub(super) fn table(&mut self, state: &mut SessionState) -> Result<Arc<Table>> {
        self.open(state).map(|open| Arc::clone(open.table()))
    }
}

/// The session's cursors on tables of a database.
pub(super) fn cursors_in(own: &Own, database: &Arc<OpenDatabase>) -> Vec<JET_TABLEID> {
    // One that a callback of this very session is told of is at work.
    let is_in = |cursor: &Cur| {
        let cursor = cursor.state.try_lock();
        let of = cursor.as_ref().and_then(|cursor| cursor.database.as_ref());
        of.is_some_and(|of| Arc::ptr_eq(of, database))
    };
    let all = own.cursors.iter().copied();
    all.filter(|handle| find_cursor(*handle).is_ok_and(|cursor| is_in(&cursor))).collect()
}

/// Has the session a temporary table open?
pub(super) fn has_temporary(own: &Own) -> bool {
    let mut cursors = own.cursors.iter().filter_map(|handle| find_cursor(*handle).ok());
    cursors.any(|cursor| cursor.state.lock().temp().is_some())
}

/// Lists a new cursor of a session.
pub(super) fn new_cursor(
    own: &mut Own,
    owner: JET_SESID,
    database: Option<&Arc<OpenDatabase>>,
    what: What,
    level: u8,
) -> Result<JET_TABLEID> {
    let made = CURSORS.write().insert(|handle| {
        Arc::new(Cur {
            handle: JET_TABLEID(handle),
            owner,
            state: Mutex::new(Cursor {
                what,
                database: database.cloned(),
                level,
                local: LocalStorage::default(),
            }),
        })
    });
    let cursor = made.ok_or_else(|| {
        Error::new(JetErr::OutOfCursors, "too many cursors are open").advise("close some")
    })?;
    own.cursors.push(cursor.handle);
    Ok(cursor.handle)
}

/// Opens a cursor on a table. It stands on the first row.
///
/// # Errors
/// The session's; `JET_errInvalidDatabaseId` (-1010), `JET_errObjectNotFound` (-1305),
/// `JET_errInvalidGrbit` (-900) for a cursor that changes the table and shares it, or reads only
/// and shares it with nobody; `JET_errTableLocked` (-1302) where another session denies this or
/// deletes the table, `JET_errTableInUse` (-1304) where this denies what another session does, and
/// for additions to a template from which tables derive.
pub fn JetOpenTable(
    sesid: JET_SESID,
    dbid: JET_DBID,
    szTableName: &str,
    grbit: JET_GRBIT,
) -> Result<JET_TABLEID> {
    find_session(sesid)?.call(Purpose::Work, |state, own| {
        let (database, read_only) = open_database_to_read(own, dbid)?;
        check_name(szTableName)?;
        let table = catalog::open_table(&state.engine, &database.attached, szTableName)?;
        let sharing = Sharing {
            deny_read: grbit & JET_bitTableDenyRead != 0,
            deny_write: grbit & JET_bitTableDenyWrite != 0,
            read_only: read_only || grbit & JET_bitTableReadOnly != 0,
            permit_ddl: grbit & JET_bitTablePermitDDL != 0,
        };
        let asks_to_read_only = grbit & JET_bitTableReadOnly != 0;
        if sharing.permit_ddl && !sharing.deny_read
            || sharing.deny_read && asks_to_read_only && !sharing.permit_ddl
        {
            return Err(invalid_grbit("JetOpenTable", grbit));
        }
        if sharing.permit_ddl && catalog::has_derived(&database.attached, &table.schema) {
            let what = format!("other tables derive from template \"{szTableName}\"");
            return Err(Error::new(JetErr::TableInUse, what));
        }
        let mut open = engine::Cursor::open(&state.engine, table, sharing)?;
        open.set_sequential(grbit & JET_bitTableSequential != 0);
        let level = state.engine.level();
        new_cursor(own, sesid, Some(&database), What::Table(Box::new(open)), level)
    })
}

/// Opens a second cursor on the table of a cursor. It stands on the first row; the flags are not
/// looked at.
///
/// # Errors
/// The session's; `JET_errInvalidTableId` (-1310), `JET_errSesidTableIdMismatch` (-1114),
/// `JET_errIllegalOperation` (-1312) for a temporary table that nobody has looked at yet.
pub fn JetDupCursor(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    _grbit: JET_GRBIT,
) -> Result<JET_TABLEID> {
    with_cursor_and_session(sesid, tableid, |state, own, cursor| {
        let level = state.engine.level();
        let what = match cursor.temp() {
            Some(temp) => What::Temp(Box::new(temp.duplicate(&state.engine)?)),
            None => What::Table(Box::new(cursor.open(state)?.duplicate(&state.engine)?)),
        };
        new_cursor(own, sesid, cursor.database.as_ref(), what, level)
    })
}

/// Closes a cursor; an update that it prepared is cancelled. Of a table that the open transaction
/// has changed, what the cursor denies other sessions stays denied until the transaction ends.
///
/// # Errors
/// The session's; `JET_errInvalidTableId` (-1310), `JET_errSesidTableIdMismatch` (-1114).
pub fn JetCloseTable(sesid: JET_SESID, tableid: JET_TABLEID) -> Result<()> {
    with_any_cursor(sesid, tableid, Purpose::CleanUp, |state, own, cursor| {
        cursor.leave(state);
        own.cursors.retain(|other| *other != tableid);
        own.close(tableid);
        Ok(())
    })
}

/// What a column is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JET_COLUMNDEF {
    /// Its id.
    pub columnid: JET_COLUMNID,
    /// Its type.
    pub coltyp: u32,
    /// Code page of text: 1252 or 1200.
    pub cp: u16,
    /// Longest value in bytes; 0 = the type's own.
    pub cbMax: u32,
    /// `JET_bitColumn...`.
    pub grbit: JET_GRBIT,
}

/// What a column is beyond its place and whether it may be NULL, and the flag that says so.
pub(super) const COLUMN_KINDS: [(ColumnFlags, JET_GRBIT); 8] = [
    (ColumnFlags::MULTI_VALUED, JET_bitColumnMultiValued),
    (ColumnFlags::VERSION, JET_bitColumnVersion),
    (ColumnFlags::AUTOINCREMENT, JET_bitColumnAutoincrement),
    (ColumnFlags::ESCROW_UPDATE, JET_bitColumnEscrowUpdate),
    (ColumnFlags::FINALIZE, JET_bitColumnFinalize),
    (ColumnFlags::DELETE_ON_ZERO, JET_bitColumnDeleteOnZero),
    (ColumnFlags::COMPRESSED, JET_bitColumnCompressed),
    (ColumnFlags::USER_DEFINED_DEFAULT, JET_bitColumnUserDefinedDefault),
];

/// Longest value of a column of a short type, in bytes.
pub const JET_cbColumnMost: u32 = 255;

/// Is a column wished longer than its type can be? It is made all the same, with
/// [`JET_cbColumnMost`] bytes.
pub(super) fn is_max_truncated(coltyp: u32, cbMax: u32) -> bool {
    let short = matches!(ColType::from_jet(coltyp), Some(ColType::Binary | ColType::Text));
    short && cbMax > JET_cbColumnMost
}

impl JET_COLUMNDEF {
    /// Is `cbMax` more than the type can hold? Such a column is made all the same, with
    /// [`JET_cbColumnMost`] bytes; C programs get `JET_wrnColumnMaxTruncated` (1512) then.
    #[must_use]
    pub fn is_max_truncated(&self) -> bool {
        is_max_truncated(self.coltyp, self.cbMax)
    }

    pub(super) fn of(schema: &TableSchema, column: &Column, updatable: bool) -> JET_COLUMNDEF {
        let mut grbit = 0;
        for (on, bit) in [
            (updatable, JET_bitColumnUpdatable),
            (column.id.is_fixed(), JET_bitColumnFixed),
            (column.id.is_tagged(), JET_bitColumnTagged),
            (column.flags.contains(ColumnFlags::NOT_NULL), JET_bitColumnNotNULL),
        ] {
            grbit |= if on { bit } else { 0 };
        }
        for (flag, bit) in COLUMN_KINDS {
            grbit |= if column.flags.contains(flag) { bit } else { 0 };
        }
        JET_COLUMNDEF {
            columnid: columnid_of(schema, column),
            coltyp: column.ty.jet(),
            cp: column.code_page,
            cbMax: column.max_len,
            grbit,
        }
    }
}

/// Ids of a template's columns have this bit, in the template and in tables that derive from it.
const OF_TEMPLATE: JET_COLUMNID = 0x8000_0000;

/// The id by which callers know a column.
pub(super) fn columnid_of(schema: &TableSchema, column: &Column) -> JET_COLUMNID {
    let of_template = column.origin.inherited || schema.flags.contains(TableFlags::TEMPLATE);
    u32::from(column.stored_id().0) | if of_template { OF_TEMPLATE } else { 0 }
}

/// The column with this id.
///
/// # Errors
/// `JET_errBadColumnId` (-1517) for a number that cannot be one, `JET_errColumnNotFound` (-1507).
pub(super) fn column_of(schema: &TableSchema, columnid: JET_COLUMNID) -> Result<&Column> {
    let id = match u16::try_from(columnid & !OF_TEMPLATE) {
        Ok(id) if id > 0 => ColumnId(id),
        _ => {
            let what = format!("{columnid:#x} is no column id");
            return Err(Error::new(JetErr::BadColumnId, what));
        }
    };
    let inherited = columnid & OF_TEMPLATE != 0;
    let own_bit = inherited && schema.flags.contains(TableFlags::TEMPLATE);
    schema.columns.by_stored_id(inherited && !own_bit, id).ok_or_else(|| {
        let what = format!("table \"{}\" has no column with id {columnid:#x}", schema.name);
        Error::new(JetErr::ColumnNotFound, what)
    })
}
