//! Databases that Windows wrote, attached for reading only where they lie: every table is read by
//! every index, and the files stay as they are.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test of real files"
)]

use std::{fs, ops::ControlFlow, path::Path};

use ese_api::{Database, DatabaseOptions, Env, Instance, JetErr, Offline, Session, Table};
use ese_tests::windows::{DATABASES, DIRTY, databases};

fn reading() -> DatabaseOptions {
    DatabaseOptions::new().read_only(true)
}

/// An instance with the page size of a database, in a directory of its own.
fn instance_for(file: &Path) -> (tempfile::TempDir, Instance) {
    let dir = tempfile::tempdir().unwrap();
    let size = Offline::open_as_is(&Env::real(), file).unwrap().header().page_size().unwrap();
    let instance = Instance::builder(dir.path()).page_size(size).start().unwrap();
    (dir, instance)
}

/// What cannot be read and why is said by its code alone; everything else is.
fn read_table(session: &mut Session, table: &Table) -> (u64, u64) {
    let (mut rows, mut entries) = (0, 0);
    table
        .scan(session, |_| {
            rows += 1;
            ControlFlow::Continue(())
        })
        .unwrap_or_else(|error| panic!("{}: {error:?}", table.name()));
    for row in table.rows(session) {
        let row = row.unwrap_or_else(|error| panic!("{}: {error:?}", table.name()));
        for column in table.columns() {
            let value = row.get(&column.name);
            assert!(value.is_some(), "{}.{}", table.name(), column.name);
        }
    }
    for index in table.schema().indexes.iter().filter(|index| !index.is_primary()) {
        let index = table.index(&index.name).unwrap();
        for row in index.rows(session) {
            row.unwrap_or_else(|error| panic!("{}: {error:?}", table.name()));
            entries += 1;
        }
    }
    (rows, entries)
}

fn rows_as_found(file: &Path, table: &str) -> u64 {
    let offline = Offline::open(&Env::real(), file).unwrap();
    let mut rows = 0;
    let schema = offline.tables().iter().find(|schema| schema.name == table).unwrap();
    offline
        .rows(schema, |_, _| {
            rows += 1;
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
    rows
}

fn refuses_changes(session: &mut Session, database: &Database) {
    let table = ese_api::TableBuilder::new("new").column("a", ese_api::ColType::Long);
    let refused = database.create_table(session, table).unwrap_err();
    assert_eq!(refused.code(), JetErr::DatabaseFileReadOnly);
}

#[test]
fn every_table_of_a_real_database_is_read_in_place() {
    let test = "every_table_of_a_real_database_is_read_in_place";
    let Some(folder) = databases(test) else { return };
    let (mut tables, mut rows, mut entries) = (0, 0, 0);
    for name in DATABASES.into_iter().filter(|name| *name != DIRTY) {
        let file = folder.join(name);
        let before = fs::read(&file).unwrap();
        let (_dir, instance) = instance_for(&file);
        let mut session = instance.session().unwrap();
        let database = instance
            .open_database_with(&file, reading())
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
        for table in database.tables(&session).unwrap() {
            let (read, by_index) = read_table(&mut session, &table);
            assert_eq!(read, rows_as_found(&file, table.name()), "{name}, {}", table.name());
            (tables, rows, entries) = (tables + 1, rows + read, entries + by_index);
        }
        refuses_changes(&mut session, &database);
        database.detach().unwrap();
        drop(session);
        instance.stop().unwrap();
        assert!(fs::read(&file).unwrap() == before, "{name} was changed");
    }
    assert!(tables > 50 && rows > 10_000 && entries > 10_000, "{tables} {rows} {entries}");
}

#[test]
fn a_dirty_real_database_is_refused_and_stays_as_it_is() {
    let test = "a_dirty_real_database_is_refused_and_stays_as_it_is";
    let Some(folder) = databases(test) else { return };
    let file = folder.join(DIRTY);
    let before = fs::read(&file).unwrap();
    let (_dir, instance) = instance_for(&file);
    let refused = instance.open_database_with(&file, reading()).unwrap_err();
    assert_eq!(refused.code(), JetErr::DatabaseDirtyShutdown);
    instance.stop().unwrap();
    assert!(fs::read(&file).unwrap() == before);
}
