//! Space over the life of an instance: deleted rows, dropped tables, crashes and reopen.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test says what is wrong by ending"
)]

use std::{path::Path, sync::Arc};

use ese_base::PageSize;
use ese_engine::{
    catalog, ddl,
    instance::{Attached, Instance, InstanceConfig, TermMode},
    record::encode_row,
    recovery::{RecoveryOptions, RecoveryReport},
    schema::{ColType, ColumnDef, ColumnId, IndexDef, TableDef},
    session::{Durability, Session},
    space::check::{SpaceReport, check, trees_of},
    table::Table,
    tree::Position,
};
use ese_os::Env;
use ese_pages::cache::FlushGoal;

const ID: ColumnId = ColumnId(1);
const VALUE: ColumnId = ColumnId(128);

struct Store {
    dir: tempfile::TempDir,
    instance: Arc<Instance>,
    attached: Arc<Attached>,
    recovered: Option<RecoveryReport>,
}

fn start(dir: &Path) -> (Arc<Instance>, Option<RecoveryReport>) {
    let mut config = InstanceConfig::new(dir);
    config.log_file_size = 1 << 20;
    config.page_size = PageSize::K4;
    Instance::start_with(&Env::real(), config, RecoveryOptions::default()).unwrap()
}

impl Store {
    fn new() -> Store {
        let dir = tempfile::tempdir().unwrap();
        let (instance, recovered) = start(dir.path());
        let attached = instance.create_database(&dir.path().join("a.edb")).unwrap();
        Store { dir, instance, attached, recovered }
    }

    fn session(&self) -> Session {
        Session::begin_session(&self.instance).unwrap()
    }

    fn create(&self, name: &str) -> Arc<Table> {
        let columns =
            vec![ColumnDef::new("id", ColType::Long), ColumnDef::new("v", ColType::Binary)];
        let def = TableDef::new(name, columns).index(IndexDef::primary("pk", &["id"]));
        catalog::create_table(&mut self.session(), &self.attached, &def).unwrap()
    }

    fn open(&self, name: &str) -> Arc<Table> {
        catalog::open_table(&self.session(), &self.attached, name).unwrap()
    }

    /// Kills the process, so to speak, and starts again.
    fn crash(self) -> Store {
        let Store { dir, instance, attached, .. } = self;
        instance.log.as_ref().unwrap().flush_all().unwrap();
        instance.abandon();
        drop((attached, instance));
        let (instance, recovered) = start(dir.path());
        let attached = instance.attach(&dir.path().join("a.edb")).unwrap();
        Store { dir, instance, attached, recovered }
    }

    /// What a machine finds that stops now, while sessions are at work.
    fn image(&self) -> Store {
        self.instance.log.as_ref().unwrap().flush_all().unwrap();
        let dir = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(self.dir.path()).unwrap() {
            let from = entry.unwrap().path();
            std::fs::copy(&from, dir.path().join(from.file_name().unwrap())).unwrap();
        }
        let (instance, recovered) = start(dir.path());
        let attached = instance.attach(&dir.path().join("a.edb")).unwrap();
        Store { dir, instance, attached, recovered }
    }

    /// Pages that the database root has free.
    fn available(&self) -> u32 {
        self.report().available
    }

    /// Every page has one owner and one use.
    fn check(&self) -> SpaceReport {
        let report = self.report();
        assert!(report.problems.is_empty(), "{:#?}", report.problems);
        report
    }

    fn report(&self) -> SpaceReport {
        let session = self.session();
        let tables = catalog::tables(&session, &self.attached).unwrap();
        let schemas: Vec<_> = tables.iter().map(|table| table.schema.clone()).collect();
        let db = &self.attached.db;
        check(&db.cache, &trees_of(&schemas), db.dbtime())
    }

    fn insert(&self, table: &Table, ids: impl Iterator<Item = i32>, len: usize) {
        let mut session = self.session();
        session.begin().unwrap();
        for id in ids {
            let (mut record, mut key) = (Vec::new(), Vec::new());
            let value = vec![7; len];
            let columns = [(ID, Some(&id.to_le_bytes()[..])), (VALUE, Some(&value[..]))];
            encode_row(&table.schema, &columns, &mut record).unwrap();
            table.insert(&mut session, &mut Position::default(), &record, &mut key).unwrap();
        }
        session.commit(Durability::Lazy).unwrap();
    }

    fn delete(&self, table: &Table, ids: impl Iterator<Item = i32>) {
        let mut session = self.session();
        session.begin().unwrap();
        for id in ids {
            let key = [&[0x7f][..], &(id.cast_unsigned() ^ 0x8000_0000).to_be_bytes()].concat();
            table.delete(&mut session, &mut Position::default(), &key).unwrap();
        }
        session.commit(Durability::Lazy).unwrap();
    }

    fn end(self) {
        self.instance.terminate(TermMode::Clean).unwrap();
    }
}

#[test]
fn deleting_half_and_inserting_half_does_not_grow_the_file() {
    let store = Store::new();
    let table = store.create("rows");
    store.insert(&table, 0..8000, 200);
    let pages = store.attached.db.file.page_count();
    for round in 1..6 {
        // Every second one goes and comes again in another round; as many come at the end.
        let high = 8000 * round;
        store.delete(&table, (high - 8000..high).filter(|id| id % 2 == 0));
        store.delete(&table, (high - 16000..high - 8000).filter(|id| *id >= 0 && id % 2 == 1));
        store.insert(&table, high..high + 8000, 200);
        store.check();
    }
    let grown = store.attached.db.file.page_count();
    // A round holds half as many rows again as the first one.
    assert!(grown <= pages * 2 + 256, "from {pages} to {grown} pages");
    store.end();
}

#[test]
fn a_table_that_loses_its_rows_gives_its_space_back_also_over_a_crash() {
    let store = Store::new();
    let table = store.create("rows");
    let before = store.check().available;
    store.insert(&table, 0..6000, 250);
    drop(table);
    let store = store.crash();
    let table = store.open("rows");
    store.delete(&table, (0..6000).filter(|id| id % 3 != 0));
    drop(table);
    let store = store.crash();
    store.check();
    let table = store.open("rows");
    store.delete(&table, (0..6000).filter(|id| id % 3 == 0));
    let report = store.check();
    let tree = report.trees.iter().find(|tree| tree.pages[0] == table.schema.fdp).unwrap();
    assert_eq!((tree.pages.len(), tree.entries, tree.deleted), (1, 0, 0));
    // The first extents of the tables stay, and what the growing file brought is free.
    assert!(report.available + 16 >= before, "{before} available, then {}", report.available);
    drop(table);
    let store = store.crash();
    let report = store.check();
    assert!(report.leaked.is_empty(), "{:?}", report.leaked);
    store.end();
}

#[test]
fn a_crash_after_the_end_of_a_table_does_not_touch_its_pages_again() {
    let mut store = Store::new();
    for round in 0..3 {
        let table = store.create("old");
        store.insert(&table, 0..3000, 250);
        store.delete(&table, (0..3000).filter(|id| id % 2 == round % 2));
        drop(table);
        ddl::delete_table(&mut store.session(), &store.attached, "old").unwrap();
        store.instance.background_step().unwrap();
        // Its pages are used again.
        let table = store.create(&format!("new{round}"));
        store.insert(&table, 0..3000, 250);
        drop(table);
        store = store.crash();
        let report = store.check();
        let rows = report.trees.iter().map(|tree| tree.entries).max();
        assert_eq!(rows, Some(3000));
    }
    store.end();
}

/// Writes all pages and moves the checkpoint as far as may be.
fn write_all(store: &Store) {
    let log = store.instance.log.as_ref().unwrap();
    store.attached.db.cache.flush(FlushGoal::All, log.as_ref()).unwrap();
    log.roll().unwrap();
    store.instance.advance_checkpoint().unwrap();
}

#[test]
fn trees_that_a_reader_kept_from_going_are_given_back_after_a_crash() {
    let store = Store::new();
    let kept = store.create("kept");
    store.insert(&kept, 0..3000, 250);
    let empty = store.check().available;
    let mut session = store.session();
    let index = IndexDef::new("by value", &["v", "id"]);
    let mut progress = |_| Ok(());
    let attached = &store.attached;
    let kept = ddl::create_indexes(&mut session, attached, &kept, &[index], &mut progress).unwrap();
    let table = store.create("old");
    store.insert(&table, 0..3000, 250);
    drop(table);
    let mut reader = store.session();
    reader.begin().unwrap();
    ddl::delete_table(&mut session, attached, "old").unwrap();
    let kept = ddl::delete_index(&mut session, attached, &kept, "by value").unwrap();
    // The checkpoint may not pass what recovery will need.
    write_all(&store);
    store.insert(&kept, 3000..3001, 250);
    let used = store.available();
    let store = store.image();
    let report = store.check();
    assert!(report.leaked.is_empty(), "{:?}", report.leaked);
    assert!(report.available > used + 200, "{used} available, then {}", report.available);
    // What the growing file brought is free as well; the table may have kept an extent.
    assert!(report.available + 64 > empty, "{empty} available, then {}", report.available);
    store.end();
}

#[test]
fn what_an_unfinished_transaction_created_is_given_back_after_a_crash() {
    let store = Store::new();
    let kept = store.create("kept");
    store.insert(&kept, 0..3000, 250);
    let mut session = store.session();
    session.begin().unwrap();
    let columns = vec![ColumnDef::new("id", ColType::Long), ColumnDef::new("v", ColType::Binary)];
    let def = TableDef::new("new", columns).index(IndexDef::primary("pk", &["id"]));
    catalog::create_table(&mut session, &store.attached, &def).unwrap();
    let index = IndexDef::new("by value", &["v", "id"]);
    let mut progress = |_| Ok(());
    let made = ddl::create_indexes(&mut session, &store.attached, &kept, &[index], &mut progress);
    drop((made.unwrap(), kept));
    write_all(&store);
    let store = store.image();
    let report = store.check();
    assert!(report.leaked.is_empty(), "{:?}", report.leaked);
    assert_eq!(catalog::tables(&store.session(), &store.attached).unwrap().len(), 5);
    let recovered = store.recovered.unwrap();
    assert!(recovered.reclaimed_pages > 10, "{recovered:?}");
    store.end();
}
