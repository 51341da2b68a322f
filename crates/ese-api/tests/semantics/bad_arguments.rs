//! Arguments that cannot be: every function that takes a session says which one is wrong, handles
//! first (1.1), and nothing has changed.

use std::{collections::BTreeSet, fs, path::Path};

use crate::pets::*;

type OfCursor = fn(JET_SESID, JET_TABLEID) -> Result<()>;
type OfDatabase = fn(JET_SESID, JET_DBID) -> Result<()>;
type OfSession = fn(JET_SESID) -> Result<()>;

/// Of a function with a cursor: what another argument, or the state, makes it answer. `None`: no
/// other argument can be wrong.
const OF_CURSORS: &[(&str, Option<JetErr>, OfCursor)] = &[
    ("JetAddColumn", Some(JetErr::InvalidName), |s, t| {
        JetAddColumn(s, t, "a!b", &JET_COLUMNDEF::default(), &[]).map(drop)
    }),
    ("JetDeleteColumn", Some(JetErr::ColumnNotFound), |s, t| JetDeleteColumn(s, t, "none")),
    ("JetDeleteColumn2", Some(JetErr::ColumnNotFound), |s, t| JetDeleteColumn2(s, t, "none", 0)),
    ("JetRenameColumn", Some(JetErr::InvalidGrbit), |s, t| JetRenameColumn(s, t, "id", "x", 1)),
    ("JetCreateIndex", Some(JetErr::InvalidName), |s, t| {
        JetCreateIndex(s, t, "a!b", 0, "+age\0\0", 0)
    }),
    ("JetCreateIndex2", Some(JetErr::InvalidParameter), |s, t| JetCreateIndex2(s, t, &mut [])),
    ("JetCreateIndex3", Some(JetErr::InvalidParameter), |s, t| JetCreateIndex3(s, t, &mut [])),
    ("JetCreateIndex4", Some(JetErr::InvalidParameter), |s, t| JetCreateIndex4(s, t, &mut [])),
    ("JetDeleteIndex", Some(JetErr::IndexNotFound), |s, t| JetDeleteIndex(s, t, "none")),
    ("JetRegisterCallback", Some(JetErr::InvalidParameter), |s, t| {
        JetRegisterCallback(s, t, 0, &JET_CALLBACK::new(|_| Ok(()))).map(drop)
    }),
    ("JetUnregisterCallback", Some(JetErr::InvalidParameter), |s, t| {
        JetUnregisterCallback(s, t, 2, JET_HANDLE(9))
    }),
    ("JetSetLS", Some(JetErr::LSCallbackNotSpecified), |s, t| JetSetLS(s, t, 1, 6)),
    ("JetGetLS", Some(JetErr::InvalidGrbit), |s, t| JetGetLS(s, t, 6).map(drop)),
    ("JetGetRecordPosition", None, |s, t| JetGetRecordPosition(s, t, 0).map(drop)),
    ("JetGotoPosition", Some(JetErr::InvalidParameter), |s, t| {
        JetGotoPosition(s, t, &JET_RECPOS { centriesLT: 2, centriesInRange: 1, centriesTotal: 1 })
    }),
    ("JetIndexRecordCount", None, |s, t| JetIndexRecordCount(s, t, 1).map(drop)),
    ("JetIndexRecordCount2", None, |s, t| JetIndexRecordCount2(s, t, 1).map(drop)),
    ("JetGetCursorInfo", None, JetGetCursorInfo),
    ("JetSetCursorFilter", Some(JetErr::InvalidGrbit), |s, t| JetSetCursorFilter(s, t, &[], 1)),
    ("JetPrereadKeys", Some(JetErr::InvalidGrbit), |s, t| JetPrereadKeys(s, t, &[], 0).map(drop)),
    ("JetPrereadIndexRanges", Some(JetErr::InvalidGrbit), |s, t| {
        JetPrereadIndexRanges(s, t, &[], None, &[], 0)
    }),
    ("JetSetTableSequential", Some(JetErr::InvalidGrbit), |s, t| JetSetTableSequential(s, t, 0x80)),
    ("JetResetTableSequential", Some(JetErr::InvalidGrbit), |s, t| {
        JetResetTableSequential(s, t, 1)
    }),
    ("JetMove", None, |s, t| JetMove(s, t, 1, 0)),
    ("JetMakeKey", Some(JetErr::InvalidGrbit), |s, t| JetMakeKey(s, t, None, 0xf01)),
    ("JetSeek", Some(JetErr::InvalidParameter), |s, t| JetSeek(s, t, 0).map(drop)),
    ("JetSetIndexRange", Some(JetErr::InvalidGrbit), |s, t| JetSetIndexRange(s, t, 0x40)),
    ("JetRetrieveKey", Some(JetErr::KeyNotMade), |s, t| {
        JetRetrieveKey(s, t, JET_bitRetrieveCopy).map(drop)
    }),
    ("JetEscrowUpdate", Some(JetErr::NotInTransaction), |s, t| {
        JetEscrowUpdate(s, t, 1, &[], &mut [], 0x80).map(drop)
    }),
    ("JetGetTableColumnInfo", Some(JetErr::ColumnNotFound), |s, t| {
        JetGetTableColumnInfo(s, t, Some("none")).map(drop)
    }),
    ("JetGetTableIndexInfo", Some(JetErr::IndexNotFound), |s, t| {
        JetGetTableIndexInfo(s, t, Some("none")).map(drop)
    }),
    ("JetGetTableInfo", Some(JetErr::FeatureNotAvailable), |s, t| {
        JetGetTableInfo(s, t, 99).map(drop)
    }),
    ("JetComputeStats", None, JetComputeStats),
    ("JetGetBookmark", None, |s, t| JetGetBookmark(s, t).map(drop)),
    ("JetGotoBookmark", Some(JetErr::InvalidBookmark), |s, t| JetGotoBookmark(s, t, &[])),
    ("JetGetSecondaryIndexBookmark", Some(JetErr::NoCurrentIndex), |s, t| {
        JetGetSecondaryIndexBookmark(s, t, 0).map(drop)
    }),
    ("JetGotoSecondaryIndexBookmark", Some(JetErr::NoCurrentIndex), |s, t| {
        JetGotoSecondaryIndexBookmark(s, t, &[], &[], 0)
    }),
    ("JetSetCurrentIndex", Some(JetErr::IndexNotFound), |s, t| {
        JetSetCurrentIndex(s, t, Some("none"))
    }),
    ("JetSetCurrentIndex2", Some(JetErr::InvalidGrbit), |s, t| {
        JetSetCurrentIndex2(s, t, Some("none"), 0x80)
    }),
    ("JetSetCurrentIndex3", Some(JetErr::InvalidGrbit), |s, t| {
        JetSetCurrentIndex3(s, t, Some("none"), 0x80, 1)
    }),
    ("JetSetCurrentIndex4", Some(JetErr::InvalidGrbit), |s, t| {
        JetSetCurrentIndex4(s, t, Some("none"), None, 0x80, 1)
    }),
    ("JetGetCurrentIndex", None, |s, t| JetGetCurrentIndex(s, t).map(drop)),
    ("JetRetrieveColumn", Some(JetErr::InvalidGrbit), |s, t| {
        JetRetrieveColumn(s, t, 77, 0x8000_0000, None).map(drop)
    }),
    ("JetRetrieveColumns", Some(JetErr::ColumnNotFound), |s, t| {
        JetRetrieveColumns(s, t, &mut [JET_RETRIEVECOLUMN::new(77)]).map(drop)
    }),
    ("JetEnumerateColumns", Some(JetErr::InvalidGrbit), |s, t| {
        JetEnumerateColumns(s, t, &[], &mut Vec::new(), 0, 0x8000_0000)
    }),
    ("JetGetRecordSize", Some(JetErr::InvalidGrbit), |s, t| {
        JetGetRecordSize(s, t, &mut JET_RECSIZE::default(), 0x8000_0000)
    }),
    ("JetGetRecordSize2", Some(JetErr::InvalidGrbit), |s, t| {
        JetGetRecordSize2(s, t, &mut JET_RECSIZE2::default(), 0x8000_0000)
    }),
    ("JetGetRecordSize3", Some(JetErr::InvalidGrbit), |s, t| {
        JetGetRecordSize3(s, t, &mut JET_RECSIZE3::default(), 0x8000_0000)
    }),
    ("JetDupCursor", None, |s, t| JetDupCursor(s, t, 0).map(drop)),
    ("JetCloseTable", None, JetCloseTable),
    ("JetPrepareUpdate", Some(JetErr::InvalidParameter), |s, t| JetPrepareUpdate(s, t, 99)),
    ("JetSetColumn", Some(JetErr::UpdateNotPrepared), |s, t| {
        JetSetColumn(s, t, 77, None, 0x8000_0000, None).map(drop)
    }),
    ("JetSetColumns", Some(JetErr::UpdateNotPrepared), |s, t| {
        let (columnid, grbit, err) = (77, 0, JetErr::Success);
        let one =
            JET_SETCOLUMN { columnid, data: None, grbit, ibLongValue: 0, itagSequence: 1, err };
        JetSetColumns(s, t, &mut [one]).map(drop)
    }),
    ("JetUpdate", Some(JetErr::UpdateNotPrepared), |s, t| JetUpdate(s, t).map(drop)),
    ("JetUpdate2", Some(JetErr::InvalidGrbit), |s, t| JetUpdate2(s, t, 0x100).map(drop)),
    ("JetDelete", None, JetDelete),
    ("JetGetLock", Some(JetErr::InvalidGrbit), |s, t| JetGetLock(s, t, 0)),
];

fn table(name: &str) -> JET_TABLECREATE {
    JET_TABLECREATE { szTableName: name.into(), ..JET_TABLECREATE::default() }
}

/// The same for functions with a database.
const OF_DATABASES: &[(&str, Option<JetErr>, OfDatabase)] = &[
    ("JetDeleteTable", Some(JetErr::ObjectNotFound), |s, d| JetDeleteTable(s, d, "none")),
    ("JetRenameTable", Some(JetErr::ObjectNotFound), |s, d| JetRenameTable(s, d, "none", "x")),
    ("JetSetColumnDefaultValue", Some(JetErr::ObjectNotFound), |s, d| {
        JetSetColumnDefaultValue(s, d, "none", "x", &[1], 0)
    }),
    ("JetCloseDatabase", None, |s, d| JetCloseDatabase(s, d, 0)),
    ("JetGetDatabaseInfo", Some(JetErr::InvalidParameter), |s, d| {
        JetGetDatabaseInfo(s, d, 999).map(drop)
    }),
    ("JetCreateTable", Some(JetErr::InvalidName), |s, d| {
        JetCreateTable(s, d, "a!b", 0, 0).map(drop)
    }),
    ("JetCreateTableColumnIndex", Some(JetErr::InvalidName), |s, d| {
        JetCreateTableColumnIndex(s, d, &mut table("a!b"))
    }),
    ("JetCreateTableColumnIndex2", Some(JetErr::InvalidName), |s, d| {
        JetCreateTableColumnIndex2(s, d, &mut table("a!b"))
    }),
    ("JetCreateTableColumnIndex3", Some(JetErr::InvalidName), |s, d| {
        JetCreateTableColumnIndex3(s, d, &mut table("a!b"))
    }),
    ("JetCreateTableColumnIndex4", Some(JetErr::InvalidName), |s, d| {
        JetCreateTableColumnIndex4(s, d, &mut table("a!b"))
    }),
    ("JetGetColumnInfo", Some(JetErr::ObjectNotFound), |s, d| {
        JetGetColumnInfo(s, d, "none", None).map(drop)
    }),
    ("JetGetIndexInfo", Some(JetErr::ObjectNotFound), |s, d| {
        JetGetIndexInfo(s, d, "none", None).map(drop)
    }),
    ("JetGetObjectInfo", Some(JetErr::ObjectNotFound), |s, d| {
        JetGetObjectInfo(s, d, Some("none")).map(drop)
    }),
    ("JetDefragment", Some(JetErr::InvalidGrbit), |s, d| {
        JetDefragment(s, d, None, None, None, 0x10_0000).map(drop)
    }),
    ("JetDefragment2", Some(JetErr::InvalidGrbit), |s, d| {
        JetDefragment2(s, d, None, None, None, None, 0x10_0000).map(drop)
    }),
    ("JetGetMaxDatabaseSize", Some(JetErr::InvalidGrbit), |s, d| {
        JetGetMaxDatabaseSize(s, d, 1).map(drop)
    }),
    ("JetSetMaxDatabaseSize", Some(JetErr::InvalidGrbit), |s, d| JetSetMaxDatabaseSize(s, d, 0, 1)),
    ("JetGrowDatabase", None, |s, d| JetGrowDatabase(s, d, 0).map(drop)),
    ("JetResizeDatabase", Some(JetErr::InvalidGrbit), |s, d| {
        JetResizeDatabase(s, d, 1, 0x80).map(drop)
    }),
    ("JetOpenTable", Some(JetErr::ObjectNotFound), |s, d| JetOpenTable(s, d, "none", 0).map(drop)),
];

/// The same for functions with a session alone.
const OF_SESSIONS: &[(&str, Option<JetErr>, OfSession)] = &[
    ("JetSetSessionContext", Some(JetErr::InvalidParameter), |s| JetSetSessionContext(s, 0)),
    (
        "JetResetSessionContext",
        Some(JetErr::SessionContextNotSetByThisThread),
        JetResetSessionContext,
    ),
    ("JetGetSessionParameter", Some(JetErr::InvalidSesparamId), |s| {
        JetGetSessionParameter(s, 1, &mut []).map(drop)
    }),
    ("JetSetSessionParameter", Some(JetErr::InvalidSesparamId), |s| {
        JetSetSessionParameter(s, 1, &[])
    }),
    ("JetIntersectIndexes", Some(JetErr::InvalidParameter), |s| {
        JetIntersectIndexes(s, &[], 0).map(drop)
    }),
    ("JetCreateDatabase", Some(JetErr::FeatureNotAvailable), |s| {
        JetCreateDatabase(s, "/none/none.edb", 0x2000).map(drop)
    }),
    ("JetCreateDatabase2", Some(JetErr::FeatureNotAvailable), |s| {
        JetCreateDatabase2(s, "/none/none.edb", 1, 0x2000).map(drop)
    }),
    ("JetAttachDatabase", Some(JetErr::FeatureNotAvailable), |s| {
        JetAttachDatabase(s, "/none/none.edb", 0x2000).map(drop)
    }),
    ("JetAttachDatabase2", Some(JetErr::FeatureNotAvailable), |s| {
        JetAttachDatabase2(s, "/none/none.edb", 1, 0x2000).map(drop)
    }),
    ("JetDetachDatabase", Some(JetErr::DatabaseNotFound), |s| {
        JetDetachDatabase(s, "/tmp/none.edb")
    }),
    ("JetDetachDatabase2", Some(JetErr::InvalidGrbit), |s| {
        JetDetachDatabase2(s, "/tmp/none.edb", 0x10)
    }),
    ("JetOpenDatabase", Some(JetErr::DatabaseNotFound), |s| {
        JetOpenDatabase(s, "/tmp/none.edb", 0).map(drop)
    }),
    ("JetIdle", Some(JetErr::InvalidGrbit), |s| JetIdle(s, 0x40).map(drop)),
    ("JetSetDatabaseSize", Some(JetErr::DatabaseNotFound), |s| {
        JetSetDatabaseSize(s, "/tmp/none.edb", 32).map(drop)
    }),
    ("JetCompact", Some(JetErr::InvalidGrbit), |s| {
        JetCompact(s, "/tmp/none.edb", "/tmp/none2.edb", None, 0x1000)
    }),
    ("JetDupSession", None, |s| JetDupSession(s).map(drop)),
    ("JetOpenTempTable", Some(JetErr::CannotMaterializeForwardOnlySort), |s| {
        JetOpenTempTable(s, &[], JET_bitTTForwardOnly).map(drop)
    }),
    ("JetOpenTempTable2", Some(JetErr::InvalidLanguageId), |s| {
        JetOpenTempTable2(s, &[], 0xffff, 0).map(drop)
    }),
    ("JetOpenTempTable3", Some(JetErr::CannotMaterializeForwardOnlySort), |s| {
        JetOpenTempTable3(s, &[], None, JET_bitTTForwardOnly).map(drop)
    }),
    ("JetOpenTemporaryTable", Some(JetErr::CannotMaterializeForwardOnlySort), |s| {
        let grbit = JET_bitTTForwardOnly;
        let mut table = JET_OPENTEMPORARYTABLE { grbit, ..JET_OPENTEMPORARYTABLE::default() };
        JetOpenTemporaryTable(s, &mut table)
    }),
    ("JetOpenTemporaryTable2", Some(JetErr::CannotMaterializeForwardOnlySort), |s| {
        let grbit = JET_bitTTForwardOnly;
        let mut table = JET_OPENTEMPORARYTABLE2 { grbit, ..JET_OPENTEMPORARYTABLE2::default() };
        JetOpenTemporaryTable2(s, &mut table)
    }),
    ("JetEndSession", None, |s| JetEndSession(s, 0)),
    ("JetBeginTransaction", None, JetBeginTransaction),
    ("JetBeginTransaction2", None, |s| JetBeginTransaction2(s, 0)),
    ("JetBeginTransaction3", None, |s| JetBeginTransaction3(s, 0, 0)),
    ("JetCommitTransaction", Some(JetErr::InvalidGrbit), |s| JetCommitTransaction(s, 0x100)),
    ("JetCommitTransaction2", Some(JetErr::InvalidGrbit), |s| {
        JetCommitTransaction2(s, 0x100, 0).map(drop)
    }),
    ("JetRollback", Some(JetErr::NotInTransaction), |s| JetRollback(s, 0x10)),
    ("JetGetVersion", None, |s| JetGetVersion(s).map(drop)),
];

const NO_SESSIONS: [JET_SESID; 3] = [JET_SESID::NIL, JET_SESID::ALL_ONES, JET_SESID(77)];

/// What the calls must not change: rows, definitions, and an update that another cursor prepares.
fn content(pets: &Pets) -> (Vec<i32>, usize, usize, usize) {
    let cur = pets.reopen();
    let mut ids = Vec::new();
    while let Ok(id) = id_at(pets.ses, cur, pets.id) {
        ids.push(id);
        if JetMove(pets.ses, cur, 1, 0).is_err() {
            break;
        }
    }
    let columns = JetGetTableColumnInfo(pets.ses, cur, None).unwrap().len();
    let indexes = JetGetTableIndexInfo(pets.ses, cur, None).unwrap().len();
    let objects = JetGetObjectInfo(pets.ses, pets.live.dbid, None).unwrap().len();
    JetCloseTable(pets.ses, cur).unwrap();
    (ids, columns, indexes, objects)
}

#[test]
fn of_cursors_the_session_is_wrong_first_then_the_cursor_then_the_rest() {
    let _mode = multi();
    let pets = pets();
    let (_, theirs) = pets.other();
    let updating = pets.reopen();
    JetPrepareUpdate(pets.ses, updating, JET_prepReplace).unwrap();
    let before = content(&pets);
    pets.go(2).unwrap();
    for (name, wrong, call) in OF_CURSORS {
        for bad in NO_SESSIONS {
            assert_eq!(code(call(bad, JET_TABLEID(77))), JetErr::InvalidSesid, "{name}");
        }
        for bad in [JET_TABLEID::NIL, JET_TABLEID::ALL_ONES, JET_TABLEID(77)] {
            assert_eq!(code(call(pets.ses, bad)), JetErr::InvalidTableId, "{name}");
        }
        assert_eq!(code(call(pets.ses, theirs)), JetErr::SesidTableIdMismatch, "{name}");
        if let Some(wrong) = wrong {
            assert_eq!(code(call(pets.ses, pets.cur)), *wrong, "{name}");
        }
        assert_eq!(pets.at().unwrap(), 3, "{name} moved the cursor");
        assert_eq!(JetGetCurrentIndex(pets.ses, pets.cur).unwrap(), "pk", "{name}");
    }
    assert_eq!(content(&pets), before);
    JetUpdate(pets.ses, updating).unwrap();
}

#[test]
fn of_databases_the_session_is_wrong_first_then_the_database_then_the_rest() {
    let _mode = multi();
    let pets = pets();
    let before = content(&pets);
    for (name, wrong, call) in OF_DATABASES {
        for bad in NO_SESSIONS {
            assert_eq!(code(call(bad, 99)), JetErr::InvalidSesid, "{name}");
        }
        for bad in [0, 99, u32::MAX] {
            assert_eq!(code(call(pets.ses, bad)), JetErr::InvalidDatabaseId, "{name}");
        }
        if let Some(wrong) = wrong {
            assert_eq!(code(call(pets.ses, pets.live.dbid)), *wrong, "{name}");
        }
    }
    assert_eq!(content(&pets), before);
}

#[test]
fn of_sessions_the_session_is_wrong_first() {
    let _mode = multi();
    let pets = pets();
    let before = content(&pets);
    for (name, wrong, call) in OF_SESSIONS {
        for bad in NO_SESSIONS {
            assert_eq!(code(call(bad)), JetErr::InvalidSesid, "{name}");
        }
        if let Some(wrong) = wrong {
            assert_eq!(code(call(pets.ses)), *wrong, "{name}");
        }
    }
    assert_eq!(content(&pets), before);
    assert_eq!(code(JetCommitTransaction(pets.ses, 0)), JetErr::NotInTransaction);
}

/// Every function that takes a session first is in one of the lists.
#[test]
fn no_function_of_a_session_is_left_out() {
    let mut listed: BTreeSet<&str> = OF_CURSORS.iter().map(|(name, ..)| *name).collect();
    listed.extend(OF_DATABASES.iter().map(|(name, ..)| *name));
    listed.extend(OF_SESSIONS.iter().map(|(name, ..)| *name));
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/jet");
    let mut missing = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let source = fs::read_to_string(entry.unwrap().path()).unwrap();
        for rest in source.split("pub fn Jet").skip(1) {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap();
            let name = format!("Jet{}", &rest[..end]);
            let arguments = rest[rest.find('(').unwrap() + 1..].trim_start();
            if arguments.starts_with("sesid: JET_SESID") && !listed.contains(name.as_str()) {
                missing.push(name);
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}
