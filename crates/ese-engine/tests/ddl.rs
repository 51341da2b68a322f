//! Schema changes on tables with rows, other sessions at work, rollback and crash.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]

use std::{ops::ControlFlow, path::Path, sync::Arc};

use ese_base::{Error, JetErr, PageSize, Result};
use ese_engine::{
    catalog, ddl,
    ddl::BuildProgress,
    instance::{Attached, Instance, InstanceConfig, TermMode},
    record::{RecordView, encode_row},
    schema::{ColType, ColumnDef, ColumnId, IndexDef, IndexOptions, TableDef},
    session::{Durability, Session},
    table::{Sharing, Table},
    tree::{Direction, Position, Start},
};
use ese_os::Env;

const ID: ColumnId = ColumnId(1);
const NUMBER: ColumnId = ColumnId(2);

fn table_def(name: &str) -> TableDef {
    let columns = vec![ColumnDef::new("id", ColType::Long), ColumnDef::new("n", ColType::Long)];
    TableDef::new(name, columns).index(IndexDef::primary("pk", &["id"]))
}

struct Store {
    dir: tempfile::TempDir,
    instance: Arc<Instance>,
    attached: Arc<Attached>,
}

fn start(dir: &Path) -> Arc<Instance> {
    let mut config = InstanceConfig::new(dir);
    config.log_file_size = 256 << 10;
    config.page_size = PageSize::K4;
    Instance::start(&Env::real(), config).unwrap()
}

fn no_progress() -> impl FnMut(BuildProgress) -> Result<()> {
    |_| Ok(())
}

impl Store {
    fn new() -> Store {
        let dir = tempfile::tempdir().unwrap();
        let instance = start(dir.path());
        let attached = instance.create_database(&dir.path().join("a.edb")).unwrap();
        Store { dir, instance, attached }
    }

    fn session(&self) -> Session {
        Session::begin_session(&self.instance).unwrap()
    }

    /// A table with so many committed rows.
    fn filled(&self, session: &mut Session, name: &str, rows: i32) -> Arc<Table> {
        let table = catalog::create_table(session, &self.attached, &table_def(name)).unwrap();
        session.begin().unwrap();
        for id in 0..rows {
            insert(session, &table, id, id * 7 % rows).unwrap();
        }
        session.commit(Durability::Lazy).unwrap();
        table
    }

    fn open(&self, session: &Session, name: &str) -> Result<Arc<Table>> {
        catalog::open_table(session, &self.attached, name)
    }

    /// Indexes equal their tables, every page has one use, none is lost; gives the free pages.
    fn check(&self) -> u32 {
        self.instance.background_step().unwrap();
        let session = self.session();
        let tables = catalog::tables(&session, &self.attached).unwrap();
        for table in &tables {
            assert_eq!(table.check_indexes(&session).unwrap(), []);
        }
        let schemas: Vec<_> = tables.iter().map(|table| Arc::clone(&table.schema)).collect();
        let views = ese_engine::space::check::trees_of(&schemas);
        let db = &self.attached.db;
        let report = ese_engine::space::check::check(&db.cache, &views, db.dbtime());
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        assert!(report.leaked.is_empty(), "{:?}", report.leaked);
        report.available
    }

    fn restart(self) -> Store {
        let Store { dir, instance, attached } = self;
        instance.terminate(TermMode::Clean).unwrap();
        drop((instance, attached));
        Store::again(dir)
    }

    fn again(dir: tempfile::TempDir) -> Store {
        let instance = start(dir.path());
        let attached = instance.attach(&dir.path().join("a.edb")).unwrap();
        Store { dir, instance, attached }
    }
}

fn insert(session: &mut Session, table: &Table, id: i32, number: i32) -> Result<()> {
    let (id, number, mut record) = (id.to_le_bytes(), number.to_le_bytes(), Vec::new());
    encode_row(&table.schema, &[(ID, Some(&id)), (NUMBER, Some(&number))], &mut record)?;
    table.insert(session, &mut Position::default(), &record, &mut Vec::new())
}

/// Makes indexes.
fn index(session: &mut Session, store: &Store, table: &Table, defs: &[IndexDef]) -> Arc<Table> {
    ddl::create_indexes(session, &store.attached, table, defs, &mut |_| Ok(())).unwrap()
}

fn key(id: i32) -> Vec<u8> {
    [&[0x7f][..], &(id.cast_unsigned() ^ 0x8000_0000).to_be_bytes()].concat()
}

fn value(session: &Session, table: &Table, id: i32, column: &str) -> Option<Vec<u8>> {
    let column = table.schema.column(column).unwrap();
    let read = |record: &[u8]| {
        let view = RecordView::new(record, table.schema.page_size).unwrap();
        view.data(column).unwrap().first(column).unwrap().map(<[u8]>::to_vec)
    };
    table.get(session, &key(id), read).unwrap().unwrap()
}

fn entries(session: &Session, table: &Table, index: &str) -> usize {
    let (mut count, mut at) = (0, Position::default());
    let index = table.index(index).unwrap();
    table
        .scan_index(session, index, Start::End, Direction::Forward, &mut at, |_| {
            count += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    count
}

#[test]
fn a_new_column_is_seen_after_the_commit_and_old_rows_show_its_default() {
    let store = Store::new();
    let (mut one, mut two) = (store.session(), store.session());
    let table = store.filled(&mut one, "t", 5);
    two.begin().unwrap();
    one.begin().unwrap();
    let def = ColumnDef::new("new", ColType::Long).with_default(&7_i32.to_le_bytes());
    let (mut newer, id) = ddl::add_column(&mut one, &store.attached, &table, &def).unwrap();
    assert_eq!(id, ColumnId(3));
    assert_eq!(value(&one, &newer, 3, "new"), Some(7_i32.to_le_bytes().to_vec()));
    let other = ddl::add_column(&mut two, &store.attached, &table, &def).unwrap_err();
    assert_eq!(other.code(), JetErr::WriteConflict, "not both at once");
    one.commit(Durability::Lazy).unwrap();
    assert!(store.open(&two, "t").unwrap().schema.column("new").is_err(), "an older snapshot");
    let other = ddl::add_column(&mut two, &store.attached, &table, &def).unwrap_err();
    assert_eq!(other.code(), JetErr::WriteConflict, "nor after the commit");
    two.rollback().unwrap();
    assert!(!table.is_newest());
    let mut seen = catalog::current(&two, &store.attached, &table).unwrap();
    assert!(seen.schema.column("new").is_ok());

    one.begin().unwrap();
    let text = ColumnDef::new("text", ColType::Text);
    newer = ddl::add_column(&mut one, &store.attached, &newer, &text).unwrap().0;
    assert!(newer.schema.column("text").is_ok());
    one.rollback().unwrap();
    seen = store.open(&one, "t").unwrap();
    assert!(seen.schema.column("text").is_err() && seen.is_newest());
    drop((one, two, table, newer, seen));
    store.check();
    let store = store.restart();
    let session = store.session();
    let table = store.open(&session, "T").unwrap();
    assert_eq!(value(&session, &table, 3, "new"), Some(7_i32.to_le_bytes().to_vec()));
}

#[test]
fn deleted_columns_are_gone_and_their_ids_stay_used() {
    let store = Store::new();
    let mut session = store.session();
    let mut table = store.filled(&mut session, "t", 3);
    let more = [("a", ColType::Long), ("b", ColType::Text), ("c", ColType::LongBinary)];
    for (name, ty) in more {
        let def = ColumnDef::new(name, ty);
        table = ddl::add_column(&mut session, &store.attached, &table, &def).unwrap().0;
    }
    let delete = |session: &mut Session, table: &Table, name: &str| {
        ddl::delete_column(session, &store.attached, table, name)
    };
    let refused = delete(&mut session, &table, "id").unwrap_err();
    assert_eq!(refused.code(), JetErr::ColumnInUse);
    for name in ["n", "a", "b", "c"] {
        table = delete(&mut session, &table, name).unwrap();
        assert!(table.schema.column(name).is_err());
    }
    let def = ColumnDef::new("n", ColType::Long);
    let id;
    (table, id) = ddl::add_column(&mut session, &store.attached, &table, &def).unwrap();
    assert_eq!(id, ColumnId(4), "2 and 3 were used");
    assert_eq!(value(&session, &table, 1, "n"), None);
    let renamed =
        ddl::rename_column(&mut session, &store.attached, &table, ("n", "number")).unwrap();
    assert!(renamed.schema.column("number").is_ok() && renamed.schema.column("n").is_err());
    let default = 9_i32.to_le_bytes();
    let seen = ddl::set_column_default(&mut session, &store.attached, &renamed, "number", &default);
    let seen = seen.unwrap();
    assert_eq!(value(&session, &seen, 1, "number"), Some(default.to_vec()));
    drop((session, table, renamed, seen));
    store.check();
    let store = store.restart();
    let session = store.session();
    let table = store.open(&session, "t").unwrap();
    assert_eq!(value(&session, &table, 1, "number"), Some(default.to_vec()));
    assert_eq!(table.schema.columns.len(), 2);
}

#[test]
fn indexes_over_a_filled_table_are_made_in_one_scan_with_progress() {
    let store = Store::new();
    let mut session = store.session();
    let mut table = store.filled(&mut session, "t", 20_000);
    let free = store.check();
    let defs = [
        IndexDef { options: IndexOptions::UNIQUE, ..IndexDef::new("unique", &["n"]) },
        IndexDef::new("both", &["n", "id"]),
    ];
    let stopped = ddl::create_indexes(&mut session, &store.attached, &table, &defs, &mut |at| {
        if at.rows >= 10_000 { Err(Error::code_only(JetErr::TermInProgress)) } else { Ok(()) }
    });
    let stopped = stopped.unwrap_err();
    assert_eq!(stopped.code(), JetErr::TermInProgress);
    assert!(store.open(&session, "t").unwrap().secondary_indexes().is_empty());
    assert_eq!(store.check(), free, "nothing is left of it");

    let mut calls = 0;
    let made = ddl::create_indexes(&mut session, &store.attached, &table, &defs, &mut |_| {
        calls += 1;
        Ok(())
    });
    table = made.unwrap();
    assert!(calls > 2);
    assert_eq!(entries(&session, &table, "unique"), 20_000);
    store.check();
    session.begin().unwrap();
    let again = insert(&mut session, &table, 20_000, 5).unwrap_err();
    assert_eq!(again.code(), JetErr::KeyDuplicate);
    insert(&mut session, &table, 20_000, 20_000).unwrap();
    session.commit(Durability::Lazy).unwrap();

    // A unique index over equal values.
    let column = ColumnDef::new("same", ColType::Long).with_default(&[1, 0, 0, 0]);
    table = ddl::add_column(&mut session, &store.attached, &table, &column).unwrap().0;
    let free = store.check();
    let same = IndexDef { options: IndexOptions::UNIQUE, ..IndexDef::new("same", &["same"]) };
    let refused =
        ddl::create_indexes(&mut session, &store.attached, &table, &[same], &mut no_progress());
    assert_eq!(refused.unwrap_err().code(), JetErr::KeyDuplicate);
    assert_eq!(store.check(), free);
    drop((session, table));
    store.restart().check();
}

#[test]
fn an_index_in_the_making_follows_other_sessions_and_a_rolled_back_one_leaves_nothing() {
    let store = Store::new();
    let (mut one, mut two) = (store.session(), store.session());
    let table = store.filled(&mut one, "t", 300);
    let free = store.check();
    let def = [IndexDef::new("i", &["n"])];
    for keep in [true, false] {
        two.begin().unwrap();
        one.begin().unwrap();
        let newer =
            ddl::create_indexes(&mut one, &store.attached, &table, &def, &mut no_progress());
        let newer = newer.unwrap();
        insert(&mut one, &newer, 1000, 5).unwrap();
        insert(&mut two, &table, 2000, 6).unwrap();
        table.delete(&mut two, &mut Position::default(), &key(7)).unwrap();
        assert_eq!(entries(&one, &newer, "i"), 301);
        if keep {
            one.commit(Durability::Lazy).unwrap();
            two.rollback().unwrap();
            assert_eq!(entries(&two, &newer, "i"), 301);
            store.check();
            ddl::delete_index(&mut one, &store.attached, &newer, "i").unwrap();
            one.begin().unwrap();
            table.delete(&mut one, &mut Position::default(), &key(1000)).unwrap();
            one.commit(Durability::Lazy).unwrap();
        } else {
            one.rollback().unwrap();
            insert(&mut two, &table, 3000, 6).unwrap();
            two.rollback().unwrap();
        }
        assert!(store.open(&one, "t").unwrap().secondary_indexes().is_empty());
    }
    drop((one, two, table));
    assert_eq!(store.check(), free);
}

#[test]
fn a_deleted_index_serves_older_snapshots_until_they_end() {
    let store = Store::new();
    let (mut one, mut old) = (store.session(), store.session());
    let mut table = store.filled(&mut one, "t", 300);
    let free = store.check();
    let def = [IndexDef::new("i", &["n"])];
    table = index(&mut one, &store, &table, &def);
    old.begin().unwrap();
    ddl::delete_index(&mut one, &store.attached, &table, "i").unwrap();
    one.begin().unwrap();
    insert(&mut one, &table, 1000, 5).unwrap();
    one.commit(Durability::Lazy).unwrap();
    let seen = store.open(&old, "t").unwrap();
    insert(&mut old, &seen, 1001, 5).unwrap();
    assert_eq!(entries(&old, &seen, "i"), 301, "with its own row, without the newer one");
    assert_eq!(seen.check_indexes(&old).unwrap(), []);
    old.commit(Durability::Lazy).unwrap();
    drop((table, seen));
    assert!(store.check() >= free - 8);
    assert!(store.open(&old, "t").unwrap().secondary_indexes().is_empty());
}

#[test]
fn tables_are_renamed_and_deleted_in_transactions() {
    let store = Store::new();
    let (mut one, mut old) = (store.session(), store.session());
    let free = store.check();
    let table = store.filled(&mut one, "first", 300);
    let def = [IndexDef::new("i", &["n"])];
    ddl::create_indexes(&mut one, &store.attached, &table, &def, &mut no_progress()).unwrap();
    old.begin().unwrap();
    one.begin().unwrap();
    ddl::rename_table(&mut one, &store.attached, "FIRST", "second").unwrap();
    assert_eq!(store.open(&one, "first").unwrap_err().code(), JetErr::ObjectNotFound);
    assert!(store.open(&one, "second").is_ok() && store.open(&old, "first").is_ok());
    assert_eq!(store.open(&old, "second").unwrap_err().code(), JetErr::ObjectNotFound);
    let taken = catalog::create_table(&mut old, &store.attached, &table_def("second"));
    assert_eq!(taken.unwrap_err().code(), JetErr::TableDuplicate);
    one.rollback().unwrap();
    assert!(store.open(&one, "first").is_ok() && store.open(&one, "second").is_err());
    ddl::rename_table(&mut one, &store.attached, "first", "second").unwrap();
    let again = store.filled(&mut one, "first", 10);

    let user = again.enter(&one, Sharing::default()).unwrap();
    let in_use = ddl::delete_table(&mut one, &store.attached, "first").unwrap_err();
    assert_eq!(in_use.code(), JetErr::TableInUse);
    drop(user);
    one.begin().unwrap();
    ddl::delete_table(&mut one, &store.attached, "first").unwrap();
    ddl::delete_table(&mut one, &store.attached, "second").unwrap();
    assert!(store.open(&one, "second").is_err());
    one.rollback().unwrap();
    assert!(store.open(&one, "second").is_ok());
    one.begin().unwrap();
    ddl::delete_table(&mut one, &store.attached, "first").unwrap();
    ddl::delete_table(&mut one, &store.attached, "second").unwrap();
    one.commit(Durability::Lazy).unwrap();
    let seen = store.open(&old, "first").unwrap();
    assert_eq!(entries(&old, &seen, "i"), 300, "an older snapshot still reads it");
    old.commit(Durability::Lazy).unwrap();
    drop((one, old, table, again, seen));
    assert_eq!(store.check(), free, "all space is free again");
    let store = store.restart();
    assert_eq!(store.open(&store.session(), "second").unwrap_err().code(), JetErr::ObjectNotFound);
}

#[test]
fn denied_uses_are_refused_to_others_only() {
    let store = Store::new();
    let (mut one, mut two) = (store.session(), store.session());
    let mut table = store.filled(&mut one, "t", 1);
    let exclusive = Sharing { deny_read: true, ..Sharing::default() };
    let reading = Sharing { read_only: true, ..Sharing::default() };
    let user = table.enter(&one, exclusive).unwrap();
    assert!(table.enter(&one, Sharing::default()).is_ok(), "never against oneself");
    assert_eq!(table.enter(&two, reading).unwrap_err().code(), JetErr::TableLocked);
    let column = ColumnDef::new("c", ColType::Long);
    let locked = ddl::add_column(&mut two, &store.attached, &table, &column).unwrap_err();
    assert_eq!(locked.code(), JetErr::TableLocked);
    ddl::add_column(&mut one, &store.attached, &table, &column).unwrap();
    drop(user);
    let reader = table.enter(&two, reading).unwrap();
    assert_eq!(table.enter(&one, exclusive).unwrap_err().code(), JetErr::TableInUse);
    let no_writers = Sharing { deny_write: true, ..Sharing::default() };
    let user = table.enter(&one, no_writers).unwrap();
    assert_eq!(table.enter(&two, Sharing::default()).unwrap_err().code(), JetErr::TableLocked);
    drop((reader, user));

    table = catalog::current(&one, &store.attached, &table).unwrap();
    let def = [IndexDef::new("i", &["n"])];
    table = index(&mut one, &store, &table, &def);
    let user = table.enter(&two, Sharing::default()).unwrap();
    user.set_index(table.index("i").map(AsRef::as_ref));
    let in_use = ddl::delete_index(&mut one, &store.attached, &table, "i").unwrap_err();
    assert_eq!(in_use.code(), JetErr::IndexInUse);
    let must_stay = ddl::delete_index(&mut one, &store.attached, &table, "pk").unwrap_err();
    assert_eq!(must_stay.code(), JetErr::IndexMustStay);
    user.set_index(None);
    ddl::delete_index(&mut one, &store.attached, &table, "i").unwrap();
}

#[test]
fn a_crash_in_the_middle_of_schema_changes_takes_them_back() {
    let store = Store::new();
    let (mut one, mut two) = (store.session(), store.session());
    let mut table = store.filled(&mut one, "t", 2000);
    let def = [IndexDef::new("i", &["n"])];
    table = index(&mut one, &store, &table, &def);
    let gone = store.filled(&mut one, "gone", 100);
    one.begin().unwrap();
    two.begin().unwrap();
    let other = [IndexDef::new("other", &["n", "id"])];
    let mut newer = index(&mut one, &store, &table, &other);
    insert(&mut two, &table, 5000, 1).unwrap();
    newer = ddl::delete_index(&mut one, &store.attached, &newer, "i").unwrap();
    let column = ColumnDef::new("c", ColType::Long);
    ddl::add_column(&mut one, &store.attached, &newer, &column).unwrap();
    ddl::delete_table(&mut one, &store.attached, "gone").unwrap();
    ddl::rename_table(&mut one, &store.attached, "t", "u").unwrap();
    store.instance.log.as_ref().unwrap().flush_all().unwrap();
    let Store { dir, instance, attached } = store;
    instance.abandon();
    instance.abandon();
    drop((one, two, table, gone, newer, attached, instance));

    let store = Store::again(dir);
    let session = store.session();
    let table = store.open(&session, "t").unwrap();
    assert!(store.open(&session, "gone").is_ok() && store.open(&session, "u").is_err());
    assert!(table.schema.column("c").is_err() && table.index("other").is_none());
    assert_eq!(entries(&session, &table, "i"), 2000);
    assert_eq!(table.check_indexes(&session).unwrap(), []);
}

#[test]
fn rows_of_a_table_that_another_transaction_deletes_are_read_but_not_changed() {
    let store = Store::new();
    let (mut deleting, mut old) = (store.session(), store.session());
    let table = store.filled(&mut deleting, "rows", 3);
    old.begin().unwrap();
    assert_eq!(value(&old, &table, 1, "n"), Some(1_i32.to_le_bytes().to_vec()));
    deleting.begin().unwrap();
    ddl::delete_table(&mut deleting, &store.attached, "rows").unwrap();
    assert_eq!(insert(&mut old, &table, 7, 7).unwrap_err().code(), JetErr::WriteConflict);
    // The same when the deletion is taken back, and done again and committed.
    deleting.rollback().unwrap();
    insert(&mut old, &table, 8, 8).unwrap();
    old.commit(Durability::Lazy).unwrap();
    old.begin().unwrap();
    assert_eq!(value(&old, &table, 8, "n"), Some(8_i32.to_le_bytes().to_vec()));
    ddl::delete_table(&mut deleting, &store.attached, "rows").unwrap();
    assert_eq!(insert(&mut old, &table, 9, 9).unwrap_err().code(), JetErr::WriteConflict);
    assert_eq!(value(&old, &table, 8, "n"), Some(8_i32.to_le_bytes().to_vec()));
    old.commit(Durability::Lazy).unwrap();
    assert!(store.open(&old, "rows").is_err());
    drop((table, old, deleting));
    store.check();
}

#[test]
fn a_name_that_is_given_again_and_taken_back_stands_in_nobodys_way() {
    let store = Store::new();
    let (mut session, mut other) = (store.session(), store.session());
    let table = store.filled(&mut session, "rows", 3);
    session.begin().unwrap();
    ddl::rename_column(&mut session, &store.attached, &table, ("n", "n")).unwrap();
    ddl::rename_table(&mut session, &store.attached, "rows", "rows").unwrap();
    session.rollback().unwrap();
    ddl::rename_column(&mut other, &store.attached, &table, ("n", "number")).unwrap();
    let table = store.open(&session, "rows").unwrap();
    assert_eq!(value(&session, &table, 1, "number"), Some(1_i32.to_le_bytes().to_vec()));
}

#[test]
fn an_index_is_made_and_a_table_not_deleted_by_who_does_not_see_the_newest_rows() {
    let store = Store::new();
    let (mut old, mut writer) = (store.session(), store.session());
    let table = store.filled(&mut writer, "rows", 3);
    old.begin().unwrap();
    writer.begin().unwrap();
    insert(&mut writer, &table, 7, 7).unwrap();
    writer.commit(Durability::Lazy).unwrap();
    let by_n = IndexDef::new("by n", &["n"]);
    let refused = ddl::delete_table(&mut old, &store.attached, "rows").unwrap_err();
    assert_eq!(refused.code(), JetErr::WriteConflict);
    let table = index(&mut old, &store, &table, &[by_n]);
    assert_eq!(table.check_indexes(&old).unwrap(), []);
    assert_eq!(entries(&old, &table, "by n"), 3);
    old.commit(Durability::Lazy).unwrap();
    assert_eq!(entries(&old, &table, "by n"), 4);
    drop((table, old, writer));
    store.check();
}

#[test]
fn a_row_is_not_changed_by_who_sees_an_index_whose_column_another_deletes() {
    let store = Store::new();
    let (mut old, mut deleting) = (store.session(), store.session());
    let table = store.filled(&mut deleting, "rows", 3);
    let table = index(&mut deleting, &store, &table, &[IndexDef::new("by n", &["n"])]);
    old.begin().unwrap();
    assert_eq!(entries(&old, &table, "by n"), 3);
    deleting.begin().unwrap();
    let newer = ddl::delete_index(&mut deleting, &store.attached, &table, "by n").unwrap();
    insert(&mut old, &table, 7, 7).unwrap();
    ddl::delete_column(&mut deleting, &store.attached, &newer, "n").unwrap();
    assert_eq!(insert(&mut old, &table, 8, 8).unwrap_err().code(), JetErr::WriteConflict);
    deleting.rollback().unwrap();
    insert(&mut old, &table, 8, 8).unwrap();
    old.commit(Durability::Lazy).unwrap();
    drop((table, newer, old, deleting));
    store.check();
}
