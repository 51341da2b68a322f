//! Databases opened for reading only, alone, or without a log, through the Rust interface.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may fail")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use ese_api::{
    ColType, Database, DatabaseOptions, Instance, JetErr, Lock, Session, Table, TableBuilder,
    TableOptions, row,
};

fn instance(dir: &Path) -> Instance {
    Instance::builder(dir).start().unwrap()
}

fn reading() -> DatabaseOptions {
    DatabaseOptions::new().read_only(true)
}

fn filled(instance: &Instance, name: &str, options: DatabaseOptions) -> Database {
    let mut session = instance.session().unwrap();
    let database = instance.create_database_with(name, options).unwrap();
    let table = TableBuilder::new("t").column("id", ColType::Long).text("text");
    let table = database.create_table(&mut session, table.primary(&["id"])).unwrap();
    for id in 0..100 {
        table.insert(&mut session, &row! { "id" => id, "text" => "some" }).unwrap();
    }
    database
}

/// A closed database in a directory of its own.
fn closed(dir: &Path) -> PathBuf {
    let instance = instance(&dir.join("first"));
    filled(&instance, "a.edb", DatabaseOptions::new());
    instance.stop().unwrap();
    dir.join("first/a.edb")
}

fn table(session: &Session, database: &Database) -> Table {
    database.table(session, "t").unwrap()
}

#[test]
fn several_instances_read_one_file_at_once_and_nobody_writes_it_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let file = closed(dir.path());
    let before = fs::read(&file).unwrap();
    let instances = [1, 2].map(|number| instance(&dir.path().join(format!("reader{number}"))));
    let databases = [0, 1].map(|i| instances[i].open_database_with(&file, reading()).unwrap());
    for (instance, database) in instances.iter().zip(&databases) {
        assert!(database.is_read_only());
        let session = instance.session().unwrap();
        assert_eq!(table(&session, database).rows(&session).count(), 100);
    }
    let third = instance(&dir.path().join("writer"));
    let refused = third.open_database(&file).unwrap_err();
    assert_eq!(refused.code(), JetErr::FileAccessDenied, "others read it");
    let [one, two] = databases;
    one.detach().unwrap();
    drop(two);
    let [first, second] = instances;
    first.stop().unwrap();
    second.stop().unwrap();
    assert!(fs::read(&file).unwrap() == before);
    let database = third.open_database(&file).unwrap();
    assert!(!database.is_read_only());
    drop(database);
    third.stop().unwrap();
}

#[test]
fn every_change_of_what_is_read_only_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let file = closed(dir.path());
    let instance = instance(dir.path());
    let mut session = instance.session().unwrap();
    let database = instance.open_database_with(&file, reading()).unwrap();
    let table = table(&session, &database);
    let expected = JetErr::DatabaseFileReadOnly;
    let new = row! { "id" => 1000 };
    assert_eq!(table.insert(&mut session, &new).unwrap_err().code(), expected);
    let change = row! { "text" => "other" };
    assert_eq!(table.update(&mut session, 1, &change).unwrap_err().code(), expected);
    assert_eq!(table.delete(&mut session, 1).unwrap_err().code(), expected);
    let column = ese_api::ColumnDef::new("new", ColType::Long);
    assert_eq!(table.add_column(&mut session, &column).unwrap_err().code(), expected);
    assert_eq!(database.grow(10_000).unwrap_err().code(), expected);
    assert_eq!(database.shrink(0).unwrap_err().code(), expected);
    let mut trx = session.begin().unwrap();
    assert!(table.lock(&mut trx, 1, Lock::Read).unwrap(), "nobody can change it anyway");
    assert_eq!(table.lock(&mut trx, 1, Lock::Write).unwrap_err().code(), expected);
    assert_eq!(table.insert(&mut trx, &new).unwrap_err().code(), expected);
    trx.rollback().unwrap();
    assert_eq!(table.rows(&session).count(), 100);
    let refused = instance.open_database(&file).unwrap_err();
    assert_eq!(refused.code(), expected, "it stays what it was attached as");
    drop((table, session));
    database.detach().unwrap();
    instance.open_database(&file).unwrap();
}

#[test]
fn a_new_database_is_not_read_only() {
    let dir = tempfile::tempdir().unwrap();
    let instance = instance(dir.path());
    let refused = instance.create_database_with("a.edb", reading()).unwrap_err();
    assert_eq!(refused.code(), JetErr::InvalidParameter);
    assert!(!dir.path().join("a.edb").exists());
}

#[test]
fn who_has_a_database_alone_has_it_until_the_last_handle_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let instance = instance(dir.path());
    let alone = DatabaseOptions::new().exclusive(true);
    let first = filled(&instance, "a.edb", alone);
    let open = |options| instance.open_database_with("a.edb", options).map(drop);
    let second = first.clone();
    for options in [DatabaseOptions::new(), alone] {
        assert_eq!(open(options).unwrap_err().code(), JetErr::DatabaseLocked);
    }
    assert!(instance.databases().is_empty(), "it is nobody else's");
    drop(first);
    assert_eq!(open(alone).unwrap_err().code(), JetErr::DatabaseLocked);
    drop(second);
    let shared = instance.open_database("a.edb").unwrap();
    assert_eq!(open(alone).unwrap_err().code(), JetErr::DatabaseInUse);
    let session = instance.session().unwrap();
    let table = table(&session, &shared);
    drop(shared);
    assert_eq!(open(alone).unwrap_err().code(), JetErr::DatabaseInUse, "a table is open");
    drop(table);
    open(alone).unwrap();
    assert_eq!(instance.databases().len(), 1);
}

#[test]
fn what_is_not_logged_survives_an_orderly_end_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let first = instance(dir.path());
    let unlogged = DatabaseOptions::new().logged(false);
    let database = filled(&first, "a.edb", unlogged);
    drop(database);
    first.stop().unwrap();
    let second = instance(dir.path());
    let session = second.session().unwrap();
    let database = second.open_database_with("a.edb", unlogged).unwrap();
    assert_eq!(table(&session, &database).rows(&session).count(), 100);
    drop((database, session));
    second.abandon();
    let third = instance(dir.path());
    let refused = third.open_database("a.edb").unwrap_err();
    assert_eq!(refused.code(), JetErr::DatabaseDirtyShutdown);
}

#[test]
fn who_has_a_table_for_itself_is_alone_in_it_until_its_handles_are_gone() {
    let dir = tempfile::tempdir().unwrap();
    let instance = instance(dir.path());
    let database = filled(&instance, "a.edb", DatabaseOptions::new());
    let (mut mine, mut other) = (instance.session().unwrap(), instance.session().unwrap());
    let theirs = table(&other, &database);
    let alone = TableOptions::new().deny_read(true);
    let own = database.table_with(&mine, "t", alone).unwrap();
    let second = own.clone();
    own.insert(&mut mine, &row! { "id" => 500 }).unwrap();
    assert_eq!(table(&mine, &database).rows(&mine).count(), 101, "it denies itself nothing");
    let locked = JetErr::TableLocked;
    assert_eq!(theirs.get(&other, 1).unwrap_err().code(), locked);
    assert_eq!(own.get(&other, 1).unwrap_err().code(), locked, "the session counts");
    assert_eq!(theirs.rows(&other).next().unwrap().unwrap_err().code(), locked);
    let new = row! { "id" => 501 };
    assert_eq!(theirs.insert(&mut other, &new).unwrap_err().code(), locked);
    assert_eq!(theirs.delete(&mut other, 1).unwrap_err().code(), locked);
    let column = ese_api::ColumnDef::new("new", ColType::Long);
    assert_eq!(theirs.add_column(&mut other, &column).unwrap_err().code(), locked);
    assert_eq!(database.table(&other, "t").unwrap_err().code(), locked);
    assert_eq!(database.table_with(&other, "t", alone).unwrap_err().code(), locked);
    drop(own);
    assert_eq!(theirs.get(&other, 1).unwrap_err().code(), locked);
    drop(second);
    assert_eq!(theirs.rows(&other).count(), 101);
    theirs.insert(&mut other, &new).unwrap();
}

#[test]
fn the_right_to_deny_changes_is_given_once() {
    let dir = tempfile::tempdir().unwrap();
    let instance = instance(dir.path());
    let database = filled(&instance, "a.edb", DatabaseOptions::new());
    let (mut mine, mut other) = (instance.session().unwrap(), instance.session().unwrap());
    let reads = TableOptions::new().deny_write(true);
    let own = database.table_with(&mine, "t", reads).unwrap();
    let in_use = |session: &Session| database.table_with(session, "t", reads).unwrap_err().code();
    assert_eq!(in_use(&mine), JetErr::TableInUse);
    assert_eq!(in_use(&other), JetErr::TableLocked);
    let theirs = table(&other, &database);
    assert_eq!(theirs.rows(&other).count(), 100);
    let change = row! { "text" => "other" };
    assert_eq!(theirs.update(&mut other, 1, &change).unwrap_err().code(), JetErr::TableLocked);
    assert!(own.update(&mut mine, 1, &change).unwrap());
}
