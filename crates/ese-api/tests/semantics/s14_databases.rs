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
    let dbid = JetOpenDatabase(pets.ses, path, 0).unwrap();
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
