//! Section 14: databases attached for reading only, without a log, or opened alone.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::PathBuf,
};

use crate::pets::*;

const RO: JET_GRBIT = JET_bitDbReadOnly;

/// Closes and detaches the database of some pets.
fn let_go(pets: &Pets) -> PathBuf {
    let path = pets.live.path();
    JetCloseDatabase(pets.ses, pets.live.dbid, 0).unwrap();
    JetDetachDatabase(pets.ses, path.to_str().unwrap()).unwrap();
    path
}

/// Pets in a database that was attached for reading only.
fn caged() -> (Pets, PathBuf) {
    let pets = pets();
    let path = let_go(&pets);
    let name = path.to_str().unwrap();
    assert_eq!(JetAttachDatabase(pets.ses, name, RO).unwrap(), JetErr::Success);
    let (opened, dbid) = JetOpenDatabase(pets.ses, name, RO).unwrap();
    assert_eq!(opened, JetErr::Success);
    let cur = JetOpenTable(pets.ses, dbid, "pets", 0).unwrap();
    let mut pets = Pets { cur, ..pets };
    pets.live.dbid = dbid;
    (pets, path)
}

fn forbid_writing(path: &PathBuf) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o444)).unwrap();
}

/// What shows that somebody has written a file: its bytes, and when it was changed last.
fn state_of(path: &PathBuf) -> (Vec<u8>, i64, i64) {
    let meta = fs::metadata(path).unwrap();
    (fs::read(path).unwrap(), meta.mtime(), meta.mtime_nsec())
}

#[test]
fn s14_03_what_is_attached_for_reading_only_is_read_and_stays_byte_for_byte_as_it_is() {
    let _mode = multi();
    let pets = pets();
    let path = let_go(&pets);
    forbid_writing(&path);
    let (before, log) = (state_of(&path), pets.live.log_bytes());
    let name = path.to_str().unwrap();
    assert_eq!(JetAttachDatabase2(pets.ses, name, 300, RO).unwrap(), JetErr::Success);
    let (_, dbid) = JetOpenDatabase(pets.ses, name, RO).unwrap();
    let cur = JetOpenTable(pets.ses, dbid, "pets", JET_bitTableReadOnly).unwrap();
    let mut pets = Pets { cur, ..pets };
    assert_eq!(pets.rest(), [1, 2, 3, 5, 6, 8]);
    pets.index("down");
    JetMove(pets.ses, pets.cur, JET_MoveFirst, 0).unwrap();
    assert_eq!(pets.at().unwrap(), 6, "the last name comes first");
    JetBeginTransaction(pets.ses).unwrap();
    JetGetLock(pets.ses, pets.cur, JET_bitReadLock).unwrap();
    JetRollback(pets.ses, 0).unwrap();
    // Temporary tables are elsewhere.
    let column = JET_COLUMNDEF {
        coltyp: JET_coltypLong,
        grbit: JET_bitColumnTTKey,
        ..JET_COLUMNDEF::default()
    };
    let (temp, ids) = JetOpenTempTable(pets.ses, &[column], JET_bitTTUpdatable).unwrap();
    JetPrepareUpdate(pets.ses, temp, JET_prepInsert).unwrap();
    JetSetColumn(pets.ses, temp, ids[0], Some(&7i32.to_le_bytes()), 0, None).unwrap();
    JetUpdate(pets.ses, temp).unwrap();
    JetMove(pets.ses, temp, JET_MoveFirst, 0).unwrap();
    assert_eq!(id_at(pets.ses, temp, ids[0]).unwrap(), 7);
    JetCloseTable(pets.ses, temp).unwrap();
    match JetGetDatabaseInfo(pets.ses, dbid, JET_DbInfoMisc).unwrap() {
        JET_DBINFO::Misc(header) => assert_eq!(header.state(), ese_pages::DbState::CleanShutdown),
        other => panic!("{other:?}"),
    }
    pets.live.dbid = dbid;
    let_go(&pets);
    assert_eq!(state_of(&path), before);
    assert_eq!(pets.live.log_bytes(), log, "the log says nothing of it");
    // And an instance that ends while it has the database.
    JetAttachDatabase(pets.ses, name, RO).unwrap();
    let _dir = std::sync::Arc::clone(&pets.live.dir);
    pets.live.term(JET_bitTermComplete).unwrap();
    assert_eq!(state_of(&path), before);
}

#[test]
fn s14_03_what_is_attached_for_reading_only_is_not_changed() {
    let _mode = multi();
    let (pets, path) = caged();
    let before = state_of(&path);
    let (ses, cur, dbid) = (pets.ses, pets.cur, pets.live.dbid);
    let denied = JetErr::PermissionDenied;
    for prep in [JET_prepInsert, JET_prepReplace, JET_prepInsertCopy] {
        assert_eq!(code(pets.prepare(prep)), denied);
    }
    assert_eq!(code(JetDelete(ses, cur)), denied);
    let column = JET_COLUMNDEF { coltyp: JET_coltypLong, ..JET_COLUMNDEF::default() };
    assert_eq!(code(JetAddColumn(ses, cur, "new", &column, &[])), denied);
    assert_eq!(code(JetDeleteColumn(ses, cur, "data")), denied);
    assert_eq!(code(JetRenameColumn(ses, cur, "data", "bytes", 0)), denied);
    assert_eq!(code(JetCreateIndex(ses, cur, "new", 0, "+age\0\0", 0)), denied);
    assert_eq!(code(JetDeleteIndex(ses, cur, "down")), denied);
    assert_eq!(code(JetCreateTable(ses, dbid, "new", 1, 80)), denied);
    let mut table = JET_TABLECREATE { szTableName: "new".into(), ..JET_TABLECREATE::default() };
    assert_eq!(code(JetCreateTableColumnIndex(ses, dbid, &mut table)), denied);
    assert_eq!(code(JetDeleteTable(ses, dbid, "t")), denied);
    assert_eq!(code(JetRenameTable(ses, dbid, "t", "u")), denied);
    let default = JetSetColumnDefaultValue(ses, dbid, "pets", "data", &[1], 0);
    assert_eq!(code(default), denied);
    JetBeginTransaction(ses).unwrap();
    assert_eq!(code(JetGetLock(ses, cur, JET_bitWriteLock)), denied);
    JetRollback(ses, 0).unwrap();
    let read_only = JetErr::DatabaseFileReadOnly;
    assert_eq!(code(JetGrowDatabase(ses, dbid, 10_000)), read_only);
    assert_eq!(code(JetResizeDatabase(ses, dbid, 10_000, 0)), read_only);
    for (grbit, table) in
        [(JET_bitDefragmentBatchStart, None), (JET_bitDefragmentBTree, Some("pets"))]
    {
        let begun = JetDefragment(ses, dbid, table, None, None, grbit);
        assert_eq!(code(begun), read_only);
    }
    assert_eq!(pets.rest(), [1, 2, 3, 5, 6, 8], "the cursor goes on");
    let_go(&pets);
    assert_eq!(state_of(&path), before);
}

#[test]
fn s14_03_a_file_that_cannot_be_written_is_attached_for_reading_only_or_not_at_all() {
    let _mode = multi();
    let pets = pets();
    let path = let_go(&pets);
    let name = path.to_str().unwrap();
    forbid_writing(&path);
    assert_eq!(code(JetAttachDatabase(pets.ses, name, 0)), JetErr::DatabaseFileReadOnly);
    JetAttachDatabase(pets.ses, name, RO).unwrap();
}

#[test]
fn s14_03_a_second_attach_does_not_make_a_database_writable() {
    let _mode = multi();
    let pets = pets();
    let path = pets.live.path();
    let name = path.to_str().unwrap();
    let attach = |grbit| JetAttachDatabase(pets.ses, name, grbit);
    assert_eq!(attach(RO).unwrap(), JetErr::WrnDatabaseAttached, "it can be read");
    let_go(&pets);
    assert_eq!(attach(RO).unwrap(), JetErr::Success);
    assert_eq!(attach(RO).unwrap(), JetErr::WrnDatabaseAttached);
    assert_eq!(code(attach(0)), JetErr::DatabaseFileReadOnly);
    JetDetachDatabase(pets.ses, name).unwrap();
    assert_eq!(attach(0).unwrap(), JetErr::Success);
}

#[test]
fn s14_03_one_instance_of_a_process_has_a_database_in_whatever_way() {
    let _mode = multi();
    let (pets, path) = caged();
    let other = Live::new();
    let second = JetAttachDatabase(other.sesid, path.to_str().unwrap(), RO);
    assert_eq!(code(second), JetErr::DatabaseSharingViolation);
    drop(pets);
}

#[test]
fn s14_03_a_database_that_is_not_clean_is_not_even_read() {
    let _mode = multi();
    let mut pets = pets();
    let path = pets.live.path();
    pets.live.ended = true;
    assert_eq!(code(JetTerm2(pets.live.inst, JET_bitTermDirty)), JetErr::DirtyShutdown);
    let other = Live::new();
    let attached = JetAttachDatabase(other.sesid, path.to_str().unwrap(), RO);
    assert_eq!(code(attached), JetErr::DatabaseDirtyShutdown);
}

#[test]
fn s14_03_arguments_of_an_attach_are_looked_at_in_order() {
    let _mode = multi();
    let pets = pets();
    let name = format!("{}2", pets.live.path().display());
    let attach = |name: &str, grbit| code(JetAttachDatabase(pets.ses, name, grbit));
    assert_eq!(attach("", JET_bitDbVersioningOff), JetErr::CannotDisableVersioning);
    assert_eq!(attach("", RO | JET_bitDbDeleteUnicodeIndexes), JetErr::DatabaseInvalidPath);
    assert_eq!(attach(&name, RO | JET_bitDbDeleteUnicodeIndexes), JetErr::InvalidGrbit);
    for grbit in [0, RO, JET_bitDbRecoveryOff] {
        assert_eq!(attach(&name, grbit), JetErr::FileNotFound);
    }
    JetBeginTransaction(pets.ses).unwrap();
    assert_eq!(attach("", JET_bitDbVersioningOff), JetErr::InTransaction);
    JetRollback(pets.ses, 0).unwrap();
    assert!(!fs::exists(&name).unwrap());
}

#[test]
fn s14_03_nothing_is_attached_during_a_backup_for_reading_only_either() {
    let _mode = multi();
    let pets = pets();
    let path = let_go(&pets);
    pets.live.begin();
    let attached = JetAttachDatabase(pets.ses, path.to_str().unwrap(), RO);
    assert_eq!(code(attached), JetErr::BackupInProgress);
    pets.live.end(JET_bitBackupEndAbort);
}

#[test]
fn s14_03_backups_leave_out_what_the_log_does_not_know() {
    let _mode = multi();
    let (pets, path) = caged();
    let second = format!("{}2", path.display());
    let unlogged = format!("{}3", path.display());
    JetCreateDatabase(pets.ses, &second, 0).unwrap();
    JetCreateDatabase(pets.ses, &unlogged, JET_bitDbRecoveryOff).unwrap();
    pets.live.begin();
    let mut list = vec![0; JetGetAttachInfoInstance(pets.live.inst, None).unwrap()];
    JetGetAttachInfoInstance(pets.live.inst, Some(&mut list)).unwrap();
    assert_eq!(paths_of(&list), [PathBuf::from(&second)]);
    pets.live.end(JET_bitBackupEndAbort);
    let all = JetGetInstanceInfo().unwrap();
    let ours = all.iter().find(|info| info.hInstanceId == pets.live.inst).unwrap();
    assert_eq!(ours.szDatabaseFileName, [PathBuf::from(second)]);
}

#[test]
fn s14_03_recovery_does_not_touch_what_was_attached_for_reading_only() {
    let _mode = multi();
    let (mut pets, path) = caged();
    let before = state_of(&path);
    let second = format!("{}2", path.display());
    let dbid = JetCreateDatabase(pets.ses, &second, 0).unwrap();
    let table = JetCreateTable(pets.ses, dbid, "t", 1, 80).unwrap();
    JetCloseTable(pets.ses, table).unwrap();
    pets.live.ended = true;
    assert_eq!(code(JetTerm2(pets.live.inst, JET_bitTermDirty)), JetErr::DirtyShutdown);
    fs::remove_file(&path).unwrap();
    fs::write(&path, &before.0).unwrap();
    let before = state_of(&path);
    let dir = std::sync::Arc::clone(&pets.live.dir);
    drop(pets);
    let live = Live::start(&dir, |_| ());
    assert_eq!(state_of(&path), before);
    for (name, table) in [(path.to_str().unwrap(), "pets"), (&*second, "t")] {
        JetAttachDatabase(live.sesid, name, RO).unwrap();
        let (_, dbid) = JetOpenDatabase(live.sesid, name, RO).unwrap();
        JetOpenTable(live.sesid, dbid, table, 0).unwrap();
    }
}

#[test]
fn s14_04_opening_what_is_attached_for_reading_only_warns_unless_that_was_asked_for() {
    let _mode = multi();
    let (pets, path) = caged();
    let name = path.to_str().unwrap();
    let (opened, dbid) = JetOpenDatabase(pets.ses, name, 0).unwrap();
    assert_eq!(opened, JetErr::WrnFileOpenReadOnly);
    assert_eq!(dbid, pets.live.dbid);
    assert_eq!(code(pets.prepare(JET_prepInsert)), JetErr::PermissionDenied);
    JetCloseDatabase(pets.ses, dbid, 0).unwrap();
}

#[test]
fn s14_04_a_session_that_opened_a_database_to_read_it_does_not_change_it() {
    let _mode = multi();
    let pets = pets();
    let path = pets.live.path();
    let name = path.to_str().unwrap();
    let ses = JetDupSession(pets.ses).unwrap();
    let (opened, dbid) = JetOpenDatabase(ses, name, RO).unwrap();
    assert_eq!(opened, JetErr::Success);
    let cur = JetOpenTable(ses, dbid, "pets", 0).unwrap();
    assert_eq!(code(JetPrepareUpdate(ses, cur, JET_prepInsert)), JetErr::PermissionDenied);
    assert_eq!(code(JetCreateTable(ses, dbid, "new", 1, 80)), JetErr::PermissionDenied);
    // The others do as before, and so does this one once it has opened it otherwise.
    pets.insert(100, "eel", None).unwrap();
    JetOpenDatabase(ses, name, 0).unwrap();
    JetCloseTable(ses, cur).unwrap();
    let cur = JetOpenTable(ses, dbid, "pets", 0).unwrap();
    JetPrepareUpdate(ses, cur, JET_prepInsert).unwrap();
    JetPrepareUpdate(ses, cur, JET_prepCancel).unwrap();
}

#[test]
fn s14_04_a_database_is_had_alone_by_who_opens_it_first() {
    let _mode = multi();
    let pets = pets();
    let path = pets.live.path();
    let name = path.to_str().unwrap();
    let open = |ses, grbit| JetOpenDatabase(ses, name, grbit);
    let alone = JET_bitDbExclusive;
    assert_eq!(code(open(pets.ses, alone)), JetErr::DatabaseInUse, "by this very session");
    let other = JetDupSession(pets.ses).unwrap();
    assert_eq!(code(open(other, alone)), JetErr::DatabaseInUse);
    JetCloseDatabase(pets.ses, pets.live.dbid, 0).unwrap();
    let (_, dbid) = open(other, alone).unwrap();
    let options = JetGetDatabaseInfo(other, dbid, JET_DbInfoOptions).unwrap();
    assert!(matches!(options, JET_DBINFO::Number(2)), "{options:?}");
    for grbit in [0, RO, alone] {
        assert_eq!(code(open(pets.ses, grbit)), JetErr::DatabaseLocked);
    }
    open(other, 0).unwrap();
    assert_eq!(code(open(other, alone)), JetErr::DatabaseInUse);
    JetCloseDatabase(other, dbid, 0).unwrap();
    open(pets.ses, 0).unwrap();
    let options = JetGetDatabaseInfo(other, dbid, JET_DbInfoOptions).unwrap();
    assert!(matches!(options, JET_DBINFO::Number(0)), "{options:?}");
    JetEndSession(other, 0).unwrap();
    JetCloseDatabase(pets.ses, dbid, 0).unwrap();
    // What a session had alone is free when the session has ended.
    let other = JetDupSession(pets.ses).unwrap();
    open(other, alone).unwrap();
    assert_eq!(code(JetDetachDatabase(pets.ses, name)), JetErr::DatabaseInUse);
    JetEndSession(other, 0).unwrap();
    open(pets.ses, alone).unwrap();
}

#[test]
fn s14_04_the_last_closing_closes_the_cursors() {
    let _mode = multi();
    let pets = pets();
    let path = pets.live.path();
    JetOpenDatabase(pets.ses, path.to_str().unwrap(), 0).unwrap();
    JetCloseDatabase(pets.ses, pets.live.dbid, 0).unwrap();
    assert_eq!(pets.at().unwrap(), 1, "it is open once more");
    JetCloseDatabase(pets.ses, pets.live.dbid, 0).unwrap();
    assert_eq!(code(pets.at()), JetErr::InvalidTableId);
    JetDetachDatabase(pets.ses, path.to_str().unwrap()).unwrap();
}

#[test]
fn s14_02_the_log_knows_nothing_of_a_database_that_is_made_without_it() {
    let _mode = multi();
    let mut pets = pets();
    let path = PathBuf::from(format!("{}2", pets.live.path().display()));
    let (ses, name) = (pets.ses, path.to_str().unwrap());
    let versions = JetCreateDatabase(ses, name, JET_bitDbVersioningOff);
    assert_eq!(code(versions), JetErr::CannotDisableVersioning);
    let log = pets.live.log_bytes();
    let dbid = JetCreateDatabase(ses, name, JET_bitDbRecoveryOff).unwrap();
    let column = |name: &str| JET_COLUMNCREATE {
        szColumnName: name.into(),
        coltyp: JET_coltypLongBinary,
        ..JET_COLUMNCREATE::default()
    };
    let mut table = JET_TABLECREATE {
        szTableName: "t".into(),
        rgcolumncreate: vec![column("b")],
        ..JET_TABLECREATE::default()
    };
    JetCreateTableColumnIndex(ses, dbid, &mut table).unwrap();
    let (cur, column) = (table.tableid, table.rgcolumncreate[0].columnid);
    let insert = |byte| {
        JetPrepareUpdate(ses, cur, JET_prepInsert).unwrap();
        JetSetColumn(ses, cur, column, Some(&[byte; 3000]), 0, None).unwrap();
        JetUpdate(ses, cur).unwrap();
    };
    JetBeginTransaction(ses).unwrap();
    (0..100).for_each(insert);
    JetCommitTransaction(ses, 0).unwrap();
    JetBeginTransaction(ses).unwrap();
    (0..50).for_each(insert);
    JetRollback(ses, 0).unwrap();
    assert_eq!(pets.live.log_bytes(), log);
    assert_eq!(JetIndexRecordCount(ses, cur, 0).unwrap(), 100);
    // One transaction changes both kinds.
    JetBeginTransaction(ses).unwrap();
    insert(1);
    pets.insert(200, "fox", None).unwrap();
    JetRollback(ses, 0).unwrap();
    assert_eq!(JetIndexRecordCount(ses, cur, 0).unwrap(), 100);
    // In order it ends clean.
    JetCloseDatabase(ses, dbid, 0).unwrap();
    JetDetachDatabase(ses, name).unwrap();
    let clean = fs::read(&path).unwrap();
    JetAttachDatabase(ses, name, JET_bitDbRecoveryOff).unwrap();
    let dbid = JetOpenDatabase(ses, name, 0).unwrap().1;
    let cur = JetOpenTable(ses, dbid, "t", 0).unwrap();
    assert_eq!(JetIndexRecordCount(ses, cur, 0).unwrap(), 100);
    // Out of order it is of no use; what is logged is recovered.
    pets.live.ended = true;
    assert_eq!(code(JetTerm2(pets.live.inst, JET_bitTermDirty)), JetErr::DirtyShutdown);
    let dir = std::sync::Arc::clone(&pets.live.dir);
    drop(pets);
    let live = Live::again(&dir);
    let attach = |grbit| JetAttachDatabase(live.sesid, name, grbit);
    assert_eq!(code(attach(0)), JetErr::DatabaseDirtyShutdown);
    assert_eq!(code(attach(RO)), JetErr::DatabaseDirtyShutdown);
    fs::write(&path, clean).unwrap();
    attach(0).unwrap();
    let dbid = JetOpenDatabase(live.sesid, name, 0).unwrap().1;
    let cur = JetOpenTable(live.sesid, dbid, "t", 0).unwrap();
    assert_eq!(JetIndexRecordCount(live.sesid, cur, 0).unwrap(), 100);
}

#[test]
fn s14_03_without_its_log_a_database_becomes_another_one() {
    let _mode = multi();
    let mut pets = pets();
    let before = pets.live.header();
    let path = let_go(&pets);
    let name = path.to_str().unwrap();
    JetAttachDatabase(pets.ses, name, JET_bitDbRecoveryOff).unwrap();
    let dbid = JetOpenDatabase(pets.ses, name, 0).unwrap().1;
    pets.live.dbid = dbid;
    assert_ne!(pets.live.header().sign_db, before.sign_db);
    let cur = JetOpenTable(pets.ses, dbid, "pets", 0).unwrap();
    pets.cur = cur;
    pets.insert(300, "gnu", None).unwrap();
    let_go(&pets);
    // The log still has what it says of the one that was, and lets this one be.
    pets.live.ended = true;
    assert_eq!(code(JetTerm2(pets.live.inst, JET_bitTermDirty)), JetErr::DirtyShutdown);
    let dir = std::sync::Arc::clone(&pets.live.dir);
    drop(pets);
    let live = Live::start(&dir, |_| ());
    JetAttachDatabase(live.sesid, name, 0).unwrap();
    let dbid = JetOpenDatabase(live.sesid, name, 0).unwrap().1;
    let cur = JetOpenTable(live.sesid, dbid, "pets", 0).unwrap();
    assert_eq!(JetIndexRecordCount(live.sesid, cur, 0).unwrap(), 7);
}
