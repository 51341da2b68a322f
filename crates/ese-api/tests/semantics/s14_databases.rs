//! Section 14: databases.

use crate::pets::*;

#[test]
fn s14_01_databases_come_and_go_outside_transactions() {
    let _mode = multi();
    let pets = pets();
    let path = pets.live.path();
    let path = path.to_str().unwrap();
    JetBeginTransaction(pets.ses).unwrap();
    let expected = JetErr::InTransaction;
    assert_eq!(code(JetCreateDatabase(pets.ses, &format!("{path}2"), 0)), expected);
    assert_eq!(code(JetAttachDatabase(pets.ses, path, 0)), expected);
    assert_eq!(code(JetDetachDatabase(pets.ses, path)), expected);
    JetRollback(pets.ses, 0).unwrap();
}

#[test]
fn s14_02_a_new_database_does_not_replace_a_file_unless_told_to() {
    let _mode = multi();
    let pets = pets();
    let path = format!("{}2", pets.live.path().to_str().unwrap());
    let dbid = JetCreateDatabase(pets.ses, &path, 0).unwrap();
    assert_eq!(code(JetCreateDatabase(pets.ses, &path, 0)), JetErr::DatabaseDuplicate);
    JetCloseDatabase(pets.ses, dbid, 0).unwrap();
    JetDetachDatabase(pets.ses, &path).unwrap();
    assert_eq!(code(JetCreateDatabase(pets.ses, &path, 0)), JetErr::DatabaseDuplicate);
    JetCreateDatabase(pets.ses, &path, JET_bitDbOverwriteExisting).unwrap();
}

#[test]
fn s14_03_a_second_attach_is_a_warning() {
    let _mode = multi();
    let pets = pets();
    let path = pets.live.path();
    let again = JetAttachDatabase(pets.ses, path.to_str().unwrap(), 0).unwrap();
    assert_eq!(again, JetErr::WrnDatabaseAttached);
}

#[test]
fn s14_04_every_opening_has_its_closing_and_leaves_the_database_attached() {
    let _mode = multi();
    let pets = pets();
    let path = pets.live.path();
    let path = path.to_str().unwrap();
    let dbid = JetOpenDatabase(pets.ses, path, 0).unwrap().1;
    assert_eq!(dbid, pets.live.dbid);
    JetCloseDatabase(pets.ses, dbid, 0).unwrap();
    JetOpenTable(pets.ses, dbid, "pets", 0).unwrap();
    JetCloseDatabase(pets.ses, dbid, 0).unwrap();
    assert_eq!(code(JetOpenTable(pets.ses, dbid, "pets", 0)), JetErr::InvalidDatabaseId);
    assert_eq!(code(JetCloseDatabase(pets.ses, dbid, 0)), JetErr::InvalidDatabaseId);
    JetOpenDatabase(pets.ses, path, 0).unwrap();
}

#[test]
fn s14_05_a_database_in_use_is_not_detached() {
    let _mode = multi();
    let pets = pets();
    let path = pets.live.path();
    let path = path.to_str().unwrap();
    assert_eq!(code(JetDetachDatabase(pets.ses, path)), JetErr::DatabaseInUse);
    assert_eq!(code(JetDetachDatabase(pets.ses, "none.edb")), JetErr::DatabaseNotFound);
}

#[test]
fn s14_06_file_info_needs_no_instance() {
    let _mode = multi();
    let pets = pets();
    let path = pets.live.path();
    let info = |level| JetGetDatabaseFileInfo(path.to_str().unwrap(), level);
    let size = std::fs::metadata(&path).unwrap().len();
    assert!(matches!(info(JET_DbInfoFilesize).unwrap(), JET_DBINFO::Number(n) if n == size));
    assert!(matches!(info(JET_DbInfoPageSize).unwrap(), JET_DBINFO::Number(4096)));
    assert_eq!(code(info(999)), JetErr::InvalidParameter);
    assert_eq!(code(JetGetDatabaseFileInfo("none.edb", JET_DbInfoFilesize)), JetErr::FileNotFound);
}

#[test]
fn s14_07_sizes_of_databases_at_work_and_at_rest() {
    let _mode = multi();
    let pets = pets();
    let path = pets.live.path();
    let name = path.to_str().unwrap();
    let (ses, dbid) = (pets.ses, pets.live.dbid);
    // Pages of the file count, and it grows by a multiple of what a parameter says.
    let len = || std::fs::metadata(&path).unwrap().len();
    let pages = JetGrowDatabase(ses, dbid, 0).unwrap();
    assert_eq!(len(), u64::from(pages) * 4096);
    let grown = pages + 256;
    assert_eq!(JetGrowDatabase(ses, dbid, pages + 100).unwrap(), grown);
    assert_eq!(JetGrowDatabase(ses, dbid, 10).unwrap(), grown, "it only grows");
    let by = |pages| {
        let (inst, id) = (Some(pets.live.inst), JET_paramDbExtensionSize);
        JetSetSystemParameter(inst, JET_SESID::NIL, id, pages, None).unwrap();
    };
    by(1);
    assert_eq!(JetGrowDatabase(ses, dbid, grown + 1).unwrap(), grown + 1);
    by(20);
    let resized = JetResizeDatabase(ses, dbid, grown + 22, 0).unwrap();
    assert_eq!(resized, (JetErr::Success, grown + 41));
    assert_eq!(len(), u64::from(grown + 41) * 4096);
    assert_eq!(code(JetSetDatabaseSize(ses, name, 1000)), JetErr::DatabaseInUse);
    // The parameter does not let files shrink.
    assert_eq!(code(JetResizeDatabase(ses, dbid, 1, 0)), JetErr::FeatureNotAvailable);
    let same = JetResizeDatabase(ses, dbid, 1, JET_bitResizeDatabaseOnlyGrow).unwrap();
    assert_eq!(same, (JetErr::Success, grown + 41));
    JetCloseTable(ses, pets.cur).unwrap();
    let path2 = format!("{name}2");
    let second = JetCreateDatabase(ses, &path2, 0).unwrap();
    JetCloseDatabase(ses, second, 0).unwrap();
    JetDetachDatabase(ses, &path2).unwrap();
    JetBeginTransaction(ses).unwrap();
    assert_eq!(code(JetSetDatabaseSize(ses, &path2, 1000)), JetErr::InTransaction);
    JetRollback(ses, 0).unwrap();
    assert_eq!(code(JetSetDatabaseSize(ses, &path2, 31)), JetErr::InvalidParameter);
    assert_eq!(JetSetDatabaseSize(ses, &path2, 1000).unwrap(), 1000);
    let none = JetSetDatabaseSize(ses, &format!("{name}3"), 1000);
    assert_eq!(code(none), JetErr::DatabaseNotFound);
}

#[test]
fn s14_02_a_database_with_a_limit_does_not_grow_beyond_it() {
    let _mode = multi();
    let pets = pets();
    let path = format!("{}2", pets.live.path().to_str().unwrap());
    let ses = pets.ses;
    let dbid = JetCreateDatabase2(ses, &path, 600, 0).unwrap();
    // Two pages of a file are its header. The last extension ends where the database must.
    assert_eq!(code(JetGrowDatabase(ses, dbid, 603)), JetErr::OutOfDatabaseSpace);
    assert_eq!(JetGrowDatabase(ses, dbid, 590).unwrap(), 590);
    let mut table = JET_TABLECREATE {
        szTableName: "t".into(),
        rgcolumncreate: vec![JET_COLUMNCREATE {
            szColumnName: "b".into(),
            coltyp: JET_coltypBinary,
            ..JET_COLUMNCREATE::default()
        }],
        ..JET_TABLECREATE::default()
    };
    JetCreateTableColumnIndex(ses, dbid, &mut table).unwrap();
    let (cur, column) = (table.tableid, table.rgcolumncreate[0].columnid);
    let insert = || {
        JetPrepareUpdate(ses, cur, JET_prepInsert)?;
        JetSetColumn(ses, cur, column, Some(&[7; 255]), 0, None)?;
        JetUpdate(ses, cur).map(|_| ())
    };
    let mut full = Ok(());
    while full.is_ok() {
        JetBeginTransaction(ses).unwrap();
        full = (0..200).try_for_each(|_| insert());
        JetCommitTransaction(ses, JET_bitCommitLazyFlush).unwrap();
    }
    assert_eq!(code(full), JetErr::OutOfDatabaseSpace);
    assert!(JetGrowDatabase(ses, dbid, 0).unwrap() <= 602);
    JetPrepareUpdate(ses, cur, JET_prepCancel).unwrap();
    JetCloseTable(ses, cur).unwrap();
    JetCloseDatabase(ses, dbid, 0).unwrap();
    JetDetachDatabase2(ses, &path, 0).unwrap();
    // The limit was the attachment's.
    assert_eq!(JetAttachDatabase2(ses, &path, 0, 0).unwrap(), JetErr::Success);
    let dbid = JetOpenDatabase(ses, &path, 0).unwrap().1;
    assert!(JetGrowDatabase(ses, dbid, 700).unwrap() >= 700);
}

#[test]
fn s14_05_nobody_is_forced_to_give_a_database_back() {
    let _mode = multi();
    let pets = pets();
    let path = pets.live.path();
    let detach = |grbit| code(JetDetachDatabase2(pets.ses, path.to_str().unwrap(), grbit));
    assert_eq!(detach(0x10), JetErr::InvalidGrbit);
    for force in [JET_bitForceDetach, JET_bitForceCloseAndDetach] {
        assert_eq!(detach(force), JetErr::ForceDetachNotAllowed);
    }
    assert_eq!(detach(0), JetErr::DatabaseInUse);
    JetBeginTransaction(pets.ses).unwrap();
    assert_eq!(detach(JET_bitForceDetach), JetErr::InTransaction, "the state comes first");
    JetRollback(pets.ses, 0).unwrap();
}
