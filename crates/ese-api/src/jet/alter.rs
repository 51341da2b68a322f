//! Changing tables that exist (api-semantics 12, 13).

use std::sync::Arc;

use ese_base::{Error, JetErr, Result};
use ese_engine::{catalog, cursor as engine, ddl, schema::check_name, table::Sharing};

use super::{
    JET_GRBIT, JET_INDEXCREATE, JET_TUPLELIMITS, JET_bitDeleteColumnIgnoreTemplateColumns,
    JET_bitIndexEmpty, JET_bitIndexPrimary, JET_bitIndexUnversioned,
    database::open_database_to_change,
    define::{alter, check_unversioned, create_indexes, index_def},
    gate::Purpose,
    handles::{JET_DBID, JET_SESID, JET_TABLEID},
    invalid_grbit,
    session::find_session,
    table::{Cursor, has_temporary, with_cursor},
    temp::DBID_OF_TEMPORARY,
};
use crate::session::SessionState;

#[track_caller]
fn in_transaction(what: &str) -> Error {
    Error::new(JetErr::InTransaction, format!("{what} is no part of a transaction"))
        .advise("commit or roll back first")
}

/// Removes a column; what rows hold of it stays until they are written again.
///
/// # Errors
/// As [`JetDeleteColumn2`].
pub fn JetDeleteColumn(sesid: JET_SESID, tableid: JET_TABLEID, szColumnName: &str) -> Result<()> {
    JetDeleteColumn2(sesid, tableid, szColumnName, 0)
}

/// As [`JetDeleteColumn`]; with [`JET_bitDeleteColumnIgnoreTemplateColumns`] a column that the
/// table inherits is none of its own.
///
/// # Errors
/// The cursor's; `JET_errInvalidName` (-1002), `JET_errFixedInheritedDDL` (-1324) for an inherited
/// column, `JET_errColumnNotFound` (-1507), `JET_errColumnInUse` (-1046) for a column of an index,
/// `JET_errFixedDDL` (-1323), `JET_errWriteConflict` (-1102).
pub fn JetDeleteColumn2(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    szColumnName: &str,
    grbit: JET_GRBIT,
) -> Result<()> {
    let own_only = grbit & JET_bitDeleteColumnIgnoreTemplateColumns != 0;
    with_cursor(sesid, tableid, |state, cursor| {
        check_name(szColumnName)?;
        alter(state, cursor, |session, attached, table| {
            let deleted = ddl::delete_column(session, attached, table, szColumnName);
            deleted.map_err(|error| match error.code() {
                JetErr::FixedInheritedDDL if own_only => error.with_code(JetErr::ColumnNotFound),
                _ => error,
            })
        })
    })
}

/// Renames a column, outside a transaction.
///
/// # Errors
/// The cursor's; `JET_errInvalidGrbit` (-900), `JET_errInTransaction` (-1108),
/// `JET_errInvalidName` (-1002), `JET_errColumnNotFound` (-1507), `JET_errColumnDuplicate` (-1508).
pub fn JetRenameColumn(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    szName: &str,
    szNameNew: &str,
    grbit: JET_GRBIT,
) -> Result<()> {
    with_cursor(sesid, tableid, |state, cursor| {
        if grbit != 0 {
            return Err(invalid_grbit("JetRenameColumn", grbit));
        }
        if state.engine.level() > 0 {
            return Err(in_transaction("renaming a column"));
        }
        check_name(szName)?;
        alter(state, cursor, |session, attached, table| {
            ddl::rename_column(session, attached, table, (szName, szNameNew))
        })
    })
}

/// Adds indexes. One belongs to the transaction; several are made in one scan, outside a
/// transaction, with a cursor that denies others the table. Each says in `err` what became of it.
///
/// # Errors
/// The cursor's; `JET_errInvalidParameter` (-1003) for none; of several `JET_errInTransaction`
/// (-1108), `JET_errExclusiveTableLockRequired` (-1322), `JET_errInvalidGrbit` (-900) for an index
/// that cannot be among them; as [`JetCreateIndex`](super::JetCreateIndex). Nothing is left then.
pub fn JetCreateIndex2(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    pindexcreate: &mut [JET_INDEXCREATE],
) -> Result<()> {
    let made = JET_TUPLELIMITS::of_instance(sesid).and_then(|limits| {
        with_cursor(sesid, tableid, |state, cursor| {
            create_listed(state, cursor, pindexcreate, &limits)
        })
    });
    let code = made.as_ref().map_or_else(Error::code, |()| JetErr::Success);
    for index in pindexcreate {
        index.err = Some(code);
    }
    made
}

fn create_listed(
    state: &mut SessionState,
    cursor: &mut Cursor,
    list: &[JET_INDEXCREATE],
    limits: &JET_TUPLELIMITS,
) -> Result<()> {
    let defs = match list {
        [] => return Err(Error::new(JetErr::InvalidParameter, "no indexes")),
        [one] => {
            if one.grbit & JET_bitIndexUnversioned != 0 {
                check_unversioned(state, cursor, "index")?;
            }
            vec![index_def(one, limits)?]
        }
        several => {
            check_batch(state, cursor, several)?;
            several.iter().map(|one| index_def(one, limits)).collect::<Result<_>>()?
        }
    };
    create_indexes(state, cursor, &defs)
}

fn check_batch(
    state: &mut SessionState,
    cursor: &mut Cursor,
    several: &[JET_INDEXCREATE],
) -> Result<()> {
    if state.engine.level() > 0 {
        return Err(in_transaction("making several indexes"));
    }
    if !cursor.open(state)?.is_exclusive(&state.engine) {
        let what = "several indexes are made with a cursor that denies others the table";
        return Err(Error::new(JetErr::ExclusiveTableLockRequired, what));
    }
    let refused = JET_bitIndexPrimary | JET_bitIndexUnversioned | JET_bitIndexEmpty;
    match several.iter().find(|index| index.grbit & refused != 0) {
        Some(index) => Err(invalid_grbit("JetCreateIndex2", index.grbit)),
        None => Ok(()),
    }
}

/// As [`JetCreateIndex2`].
///
/// # Errors
/// As there.
pub fn JetCreateIndex3(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    pindexcreate: &mut [JET_INDEXCREATE],
) -> Result<()> {
    JetCreateIndex2(sesid, tableid, pindexcreate)
}

/// As [`JetCreateIndex2`].
///
/// # Errors
/// As there.
pub fn JetCreateIndex4(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    pindexcreate: &mut [JET_INDEXCREATE],
) -> Result<()> {
    JetCreateIndex2(sesid, tableid, pindexcreate)
}

/// Removes a secondary index.
///
/// # Errors
/// The cursor's; `JET_errInvalidName` (-1002), `JET_errIndexNotFound` (-1404),
/// `JET_errIndexMustStay` (-1405) for the primary one, `JET_errIndexInUse` (-1051) while another
/// cursor goes by it, `JET_errWriteConflict` (-1102).
pub fn JetDeleteIndex(sesid: JET_SESID, tableid: JET_TABLEID, szIndexName: &str) -> Result<()> {
    with_cursor(sesid, tableid, |state, cursor| {
        check_name(szIndexName)?;
        alter(state, cursor, |session, attached, table| {
            ddl::delete_index(session, attached, table, szIndexName)
        })
    })
}

/// Deletes a table that nobody has open.
///
/// # Errors
/// The session's; `JET_errInvalidDatabaseId` (-1010), `JET_errInvalidName` (-1002),
/// `JET_errObjectNotFound` (-1305), `JET_errTableInUse` (-1304),
/// `JET_errCannotDeleteSystemTable` (-1318), `JET_errWriteConflict` (-1102),
/// `JET_errCannotDeleteTempTable` (-1317) in database 0, where temporary tables are, of
/// who has one open.
pub fn JetDeleteTable(sesid: JET_SESID, dbid: JET_DBID, szTableName: &str) -> Result<()> {
    find_session(sesid)?.call(Purpose::Work, |state, own| {
        if dbid == DBID_OF_TEMPORARY && has_temporary(own) {
            let what = "temporary tables go when they are closed";
            return Err(Error::new(JetErr::CannotDeleteTempTable, what));
        }
        let database = open_database_to_change(own, dbid)?;
        check_name(szTableName)?;
        let table = catalog::open_table(&state.engine, &database.attached, szTableName)?;
        let objid = table.schema.objid;
        drop(table);
        ddl::delete_table(&mut state.engine, &database.attached, szTableName)?;
        own.note_deleted(state.engine.level(), &database, objid);
        Ok(())
    })
}

/// Renames a table.
///
/// # Errors
/// The session's; `JET_errInvalidDatabaseId` (-1010), `JET_errInvalidName` (-1002),
/// `JET_errObjectNotFound` (-1305), `JET_errTableDuplicate` (-1303), `JET_errWriteConflict`
/// (-1102).
pub fn JetRenameTable(
    sesid: JET_SESID,
    dbid: JET_DBID,
    szName: &str,
    szNameNew: &str,
) -> Result<()> {
    find_session(sesid)?.call(Purpose::Work, |state, own| {
        let database = open_database_to_change(own, dbid)?;
        check_name(szName)?;
        ddl::rename_table(&mut state.engine, &database.attached, szName, szNameNew).map(|_| ())
    })
}

/// Changes the default of a column, for all rows that show it. Other sessions must not have the
/// table open.
///
/// # Errors
/// The session's; `JET_errNullInvalid` (-1504) for no bytes,
/// `JET_errInvalidDatabaseId` (-1010), `JET_errInvalidName` (-1002), `JET_errObjectNotFound`
/// (-1305), `JET_errColumnNotFound` (-1507), `JET_errColumnInUse` (-1046) for a column of an index,
/// `JET_errDefaultValueTooBig` (-1524), `JET_errTableInUse` (-1304), `JET_errTableLocked` (-1302).
pub fn JetSetColumnDefaultValue(
    sesid: JET_SESID,
    dbid: JET_DBID,
    szTableName: &str,
    szColumnName: &str,
    pvData: &[u8],
    _grbit: JET_GRBIT,
) -> Result<()> {
    find_session(sesid)?.call(Purpose::Work, |state, own| {
        if pvData.is_empty() {
            return Err(Error::new(JetErr::ColumnIllegalNull, "a default of no bytes"));
        }
        let database = open_database_to_change(own, dbid)?;
        [szTableName, szColumnName].into_iter().try_for_each(check_name)?;
        let attached = &database.attached;
        let table = catalog::open_table(&state.engine, attached, szTableName)?;
        // Nobody may be reading with the old default.
        let alone = Sharing { deny_read: true, ..Sharing::default() };
        let mut open = engine::Cursor::open(&state.engine, table, alone)?;
        let table = Arc::clone(open.table());
        let done =
            ddl::set_column_default(&mut state.engine, attached, &table, szColumnName, pvData);
        let level = state.engine.level();
        open.leave(&mut state.engine, level);
        done.map(drop)
    })
}
