//! Cursors: opening and closing them, and what they are (api-semantics 6, 13).

use std::sync::Arc;

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    catalog,
    record::RecordBuilder,
    schema::{Column, ColumnFlags, ColumnId, TableDef},
    table::Table,
    tree::Position,
};
use parking_lot::{Mutex, RwLock};

use super::{
    JET_COLUMNID, JET_GRBIT, JET_bitColumnFixed, JET_bitColumnMultiValued, JET_bitColumnNotNULL,
    JET_bitColumnTagged, JET_bitTableReadOnly,
    database::open_database_of,
    gate::Purpose,
    handles::{HandleTable, JET_DBID, JET_SESID, JET_TABLEID},
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
    pub(super) database: Arc<OpenDatabase>,
    pub(super) place: Place,
    /// Leaf of the last access.
    pub(super) position: Position,
    pub(super) search: SearchKey,
    pub(super) update: Option<Update>,
    pub(super) read_only: bool,
    /// Transaction level of its opening.
    level: u8,
}

/// What a cursor is open on.
#[derive(Debug)]
pub(super) enum What {
    Table(Arc<Table>),
    /// A table that its own session is still adding columns to; made at the first other use.
    Defining(Box<TableDef>),
}

/// Where a cursor stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// On the first row, which nobody has looked for yet.
    First,
    Before,
    After,
    /// On the row with this key, or at the gap that it left.
    Row(Vec<u8>),
    /// Between rows, where this key would be.
    Gap(Vec<u8>),
}

/// The search key that is being made.
#[derive(Debug, Default)]
pub(super) struct SearchKey {
    pub(super) bytes: Vec<u8>,
    /// Segments so far; `None`: no key.
    pub(super) segments: Option<usize>,
    /// Nothing can follow.
    pub(super) complete: bool,
}

/// A prepared update.
#[derive(Debug)]
pub(super) struct Update {
    pub(super) record: RecordBuilder,
    /// Of a replace: key and content of the row when it was prepared.
    pub(super) replaces: Option<(Vec<u8>, Vec<u8>)>,
    pub(super) level: u8,
}

static CURSORS: RwLock<HandleTable<Cur>> = RwLock::new(HandleTable::new());

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

pub(super) fn close_cursor(tableid: JET_TABLEID) {
    let closed = CURSORS.write().remove(tableid.0);
    drop(closed);
}

/// Runs a call with a cursor of the session.
pub(super) fn with_cursor<T>(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    body: impl FnOnce(&mut SessionState, &mut Cursor) -> Result<T>,
) -> Result<T> {
    with_any_cursor(sesid, tableid, Purpose::Work, |state, _, cursor| body(state, cursor))
}

fn with_any_cursor<T>(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    purpose: Purpose,
    body: impl FnOnce(&mut SessionState, &mut Own, &mut Cursor) -> Result<T>,
) -> Result<T> {
    let session = find_session(sesid)?;
    let cursor = find_cursor(tableid)?;
    if cursor.owner != sesid {
        return Err(Error::new(
            JetErr::SesidTableIdMismatch,
            format!("{tableid:?} is a cursor of another session than {sesid:?}"),
        ));
    }
    session.call(purpose, |state, own| body(state, own, &mut cursor.state.lock()))
}

impl Cur {
    /// A level commits: what belongs to it belongs to the one below.
    pub(super) fn before_commit(&self, state: &mut SessionState, level: u8) -> Result<()> {
        let mut cursor = self.state.lock();
        cursor.table(state)?;
        let below = level.saturating_sub(1);
        cursor.level = cursor.level.min(below);
        if let Some(update) = &mut cursor.update {
            update.level = update.level.min(below);
        }
        Ok(())
    }

    /// Levels above `keep` are taken back. False: the cursor was opened in one of them.
    pub(super) fn before_rollback(&self, keep: u8) -> bool {
        let mut cursor = self.state.lock();
        if cursor.update.as_ref().is_some_and(|update| update.level > keep) {
            cursor.update = None;
        }
        cursor.level <= keep
    }

    /// Its session ends: a table that was only defined comes to be.
    pub(super) fn finish(&self, state: &mut SessionState) -> Result<()> {
        self.state.lock().table(state).map(|_| ())
    }
}

impl Cursor {
    /// The table; makes it if it was only defined so far.
    pub(super) fn table(&mut self, state: &mut SessionState) -> Result<Arc<Table>> {
        match &self.what {
            What::Table(table) => Ok(Arc::clone(table)),
            What::Defining(def) => {
                let table = catalog::create_table(&mut state.engine, &self.database.attached, def)?;
                self.what = What::Table(Arc::clone(&table));
                Ok(table)
            }
        }
    }
}

/// Lists a new cursor of a session.
pub(super) fn new_cursor(
    own: &mut Own,
    owner: JET_SESID,
    database: &Arc<OpenDatabase>,
    what: What,
    level: u8,
    read_only: bool,
) -> Result<JET_TABLEID> {
    let made = CURSORS.write().insert(|handle| {
        Arc::new(Cur {
            handle: JET_TABLEID(handle),
            owner,
            state: Mutex::new(Cursor {
                what,
                database: Arc::clone(database),
                place: Place::First,
                position: Position::default(),
                search: SearchKey::default(),
                update: None,
                read_only,
                level,
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
/// The session's; `JET_errInvalidDatabaseId` (-1010), `JET_errObjectNotFound` (-1305).
pub fn JetOpenTable(
    sesid: JET_SESID,
    dbid: JET_DBID,
    szTableName: &str,
    grbit: JET_GRBIT,
) -> Result<JET_TABLEID> {
    find_session(sesid)?.call(Purpose::Work, |state, own| {
        let database = open_database_of(own, dbid)?;
        let table = catalog::open_table(&state.engine, &database.attached, szTableName)?;
        let read_only = grbit & JET_bitTableReadOnly != 0;
        let level = state.engine.level();
        new_cursor(own, sesid, &database, What::Table(table), level, read_only)
    })
}

/// Opens a second cursor on the table of a cursor. It stands on the first row; the flags are not
/// looked at.
///
/// # Errors
/// The session's; `JET_errInvalidTableId` (-1310), `JET_errSesidTableIdMismatch` (-1114).
pub fn JetDupCursor(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    _grbit: JET_GRBIT,
) -> Result<JET_TABLEID> {
    with_any_cursor(sesid, tableid, Purpose::Work, |state, own, cursor| {
        let what = What::Table(cursor.table(state)?);
        let level = state.engine.level();
        new_cursor(own, sesid, &cursor.database, what, level, cursor.read_only)
    })
}

/// Closes a cursor; an update that it prepared is cancelled.
///
/// # Errors
/// The session's; `JET_errInvalidTableId` (-1310), `JET_errSesidTableIdMismatch` (-1114).
pub fn JetCloseTable(sesid: JET_SESID, tableid: JET_TABLEID) -> Result<()> {
    with_any_cursor(sesid, tableid, Purpose::CleanUp, |state, own, cursor| {
        cursor.table(state)?;
        own.cursors.retain(|other| *other != tableid);
        close_cursor(tableid);
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

impl JET_COLUMNDEF {
    fn of(column: &Column) -> JET_COLUMNDEF {
        let mut grbit = 0;
        for (on, bit) in [
            (column.id.is_fixed(), JET_bitColumnFixed),
            (column.id.is_tagged(), JET_bitColumnTagged),
            (column.flags.contains(ColumnFlags::NOT_NULL), JET_bitColumnNotNULL),
            (column.flags.contains(ColumnFlags::MULTI_VALUED), JET_bitColumnMultiValued),
        ] {
            grbit |= if on { bit } else { 0 };
        }
        JET_COLUMNDEF {
            columnid: u32::from(column.id.0),
            coltyp: column.ty.jet(),
            cp: column.code_page,
            cbMax: column.max_len,
            grbit,
        }
    }
}

/// The columns of a cursor's table: the one with this name, or all of them.
///
/// # Errors
/// The cursor's; `JET_errColumnNotFound` (-1507).
pub fn JetGetTableColumnInfo(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    szColumnName: Option<&str>,
) -> Result<Vec<(String, JET_COLUMNDEF)>> {
    with_cursor(sesid, tableid, |state, cursor| {
        let table = cursor.table(state)?;
        let describe = |column: &Column| (column.name.clone(), JET_COLUMNDEF::of(column));
        match szColumnName {
            Some(name) => Ok(vec![describe(table.schema.column(name)?)]),
            None => Ok(table.schema.columns.iter().map(describe).collect()),
        }
    })
}

/// The engine's id of a column.
///
/// # Errors
/// `JET_errBadColumnId` (-1517) for a number that cannot be one.
pub(super) fn column_id(columnid: JET_COLUMNID) -> Result<ColumnId> {
    match u16::try_from(columnid) {
        Ok(id) if id > 0 => Ok(ColumnId(id)),
        _ => Err(Error::new(JetErr::BadColumnId, format!("{columnid:#x} is no column id"))),
    }
}
