//! An instance from outside: rows live through commits, rollbacks, crashes and clean ends.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]

use std::{
    ops::ControlFlow,
    path::Path,
    sync::{Arc, Mutex},
};

use ese_base::{JetErr, PageSize, Result};
use ese_engine::{
    catalog,
    instance::{Attached, Instance, InstanceConfig, TermMode},
    record::encode_row,
    schema::{ColType, ColumnDef, ColumnId, IndexDef, MSYS_OBJECTS_FDP, TableDef},
    session::{Durability, Session},
    table::Table,
    tree::{Direction, Position, Start},
};
use ese_os::{Env, OpenMode, Threads, Worker};

fn config(dir: &Path) -> InstanceConfig {
    let mut config = InstanceConfig::new(dir);
    config.log_file_size = 256 << 10;
    config
}

fn table_def() -> TableDef {
    let columns =
        vec![ColumnDef::new("id", ColType::Long), ColumnDef::new("value", ColType::Binary)];
    TableDef::new("rows", columns).index(IndexDef::primary("pk", &["id"]))
}

const ID: ColumnId = ColumnId(1);
const VALUE: ColumnId = ColumnId(128);

fn row(table: &Table, id: i32, value: &[u8]) -> Vec<u8> {
    let mut record = Vec::new();
    let id = id.to_le_bytes();
    encode_row(&table.schema, &[(ID, Some(&id)), (VALUE, Some(value))], &mut record).unwrap();
    record
}

fn insert(session: &mut Session, table: &Table, id: i32, value: &[u8]) {
    let (mut key, record) = (Vec::new(), row(table, id, value));
    table.insert(session, &mut Position::default(), &record, &mut key).unwrap();
}

/// All rows that a new session sees, as (id, length of the value).
fn rows(instance: &Arc<Instance>, attached: &Attached) -> Vec<i32> {
    let session = Session::begin_session(instance).unwrap();
    let table = catalog::open_table(&session, attached, "ROWS").unwrap();
    let mut found = Vec::new();
    let mut at = Position::default();
    table
        .scan(&session, Start::End, Direction::Forward, &mut at, |row| {
            let id: [u8; 4] = row.record[4..8].try_into().unwrap();
            found.push(i32::from_le_bytes(id));
            ControlFlow::Continue(())
        })
        .unwrap();
    found
}

fn create(dir: &Path, config: InstanceConfig) -> (Arc<Instance>, Arc<Attached>, Arc<Table>) {
    let instance = Instance::start(&Env::real(), config).unwrap();
    let attached = instance.create_database(&dir.join("a.edb")).unwrap();
    let mut session = Session::begin_session(&instance).unwrap();
    let table = catalog::create_table(&mut session, &attached, &table_def()).unwrap();
    drop(session);
    (instance, attached, table)
}

#[test]
fn rows_survive_a_clean_end_at_every_page_size() {
    for page_size in PageSize::EVER {
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(dir.path());
        config.page_size = page_size;
        let (instance, attached, table) = create(dir.path(), config.clone());
        let mut session = Session::begin_session(&instance).unwrap();
        session.begin().unwrap();
        for id in 0..500 {
            insert(&mut session, &table, id * 7 % 500, &[7; 200]);
        }
        session.commit(Durability::Durable).unwrap();
        drop(session);
        let expected: Vec<i32> = (0..500).collect();
        assert_eq!(rows(&instance, &attached), expected);
        instance.terminate(TermMode::Clean).unwrap();
        drop((instance, attached, table));

        let instance = Instance::start(&Env::real(), config).unwrap();
        let attached = instance.attach(&dir.path().join("a.edb")).unwrap();
        assert_eq!(rows(&instance, &attached), expected);
        instance.terminate(TermMode::Clean).unwrap();
    }
}

#[test]
fn a_detached_database_can_be_attached_while_a_reference_to_it_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let (instance, attached, table) = create(dir.path(), config(dir.path()));
    let path = attached.path.clone();
    drop(table);
    // As a background thread has one that is just at work.
    let left = Arc::clone(&attached);
    instance.detach(&attached).unwrap();
    let again = instance.attach(&path).unwrap();
    assert!(!Arc::ptr_eq(&left, &again));
    instance.terminate(TermMode::Clean).unwrap();
}

#[test]
fn a_dirty_end_is_recovered_and_open_transactions_are_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let (instance, attached, table) = create(dir.path(), config(dir.path()));
    let mut session = Session::begin_session(&instance).unwrap();
    session.begin().unwrap();
    for id in 0..3000 {
        insert(&mut session, &table, id, &[1; 120]);
    }
    session.commit(Durability::Durable).unwrap();
    session.begin().unwrap();
    for id in 3000..4000 {
        insert(&mut session, &table, id, &[2; 120]);
    }
    let mut at = Position::default();
    let key = |id: i32| [&[0x7f][..], &(id.cast_unsigned() ^ 0x8000_0000).to_be_bytes()].concat();
    for id in 0..100 {
        table.replace(&mut session, &mut at, &key(id), &row(&table, id, &[9; 250])).unwrap();
        table.delete(&mut session, &mut at, &key(id + 200)).unwrap();
    }
    // The log is durable up to here, but nothing says that the transaction committed.
    instance.log.as_ref().unwrap().flush_all().unwrap();
    crash(instance, attached, table, session);

    let instance = Instance::start(&Env::real(), config(dir.path())).unwrap();
    let attached = instance.attach(&dir.path().join("a.edb")).unwrap();
    assert_eq!(rows(&instance, &attached), (0..3000).collect::<Vec<_>>());
    instance.terminate(TermMode::Clean).unwrap();
}

/// Lets go of everything as a killed process would: no rollback, no flush, locks released.
fn crash(instance: Arc<Instance>, attached: Arc<Attached>, table: Arc<Table>, session: Session) {
    instance.abandon();
    drop((session, attached, table, instance));
}

/// The machine's threads, by name. Two can work at the same time, whatever the machine has.
#[derive(Debug)]
struct NamedThreads {
    real: Env,
    names: Arc<Mutex<Vec<String>>>,
}

impl Threads for NamedThreads {
    fn spawn(
        &self,
        name: &str,
        body: Box<dyn FnOnce() + Send + 'static>,
    ) -> Result<Option<Worker>> {
        self.names.lock().unwrap().push(name.to_owned());
        self.real.threads.spawn(name, body)
    }

    fn processors(&self) -> usize {
        2
    }
}

/// Redo leaves more changed pages than a batch has: a thread writes them while the others are
/// changed again, by what is taken back and removed.
#[test]
fn many_pages_that_redo_has_changed_are_written_while_the_rest_is_taken_back() {
    const ROWS: i32 = 32_000;
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    (config.page_size, config.cache_size) = (PageSize::K4, 16 << 20);
    let (instance, attached, table) = create(dir.path(), config.clone());
    let mut session = Session::begin_session(&instance).unwrap();
    let mut at = Position::default();
    let key = |id: i32| [&[0x7f][..], &(id.cast_unsigned() ^ 0x8000_0000).to_be_bytes()].concat();
    for part in 0..ROWS / 4000 {
        session.begin().unwrap();
        for id in part * 4000..(part + 1) * 4000 {
            insert(&mut session, &table, id, &[1; 240]);
        }
        session.commit(Durability::Lazy).unwrap();
    }
    session.begin().unwrap();
    for id in (0..ROWS).step_by(40) {
        table.delete(&mut session, &mut at, &key(id)).unwrap();
    }
    session.commit(Durability::Lazy).unwrap();
    session.begin().unwrap();
    for id in (1..ROWS).step_by(20) {
        table.replace(&mut session, &mut at, &key(id), &row(&table, id, &[9; 250])).unwrap();
        table.delete(&mut session, &mut at, &key(id + 1)).unwrap();
    }
    instance.log.as_ref().unwrap().flush_all().unwrap();
    crash(instance, attached, table, session);

    let names = Arc::default();
    let threads = NamedThreads { real: Env::real(), names: Arc::clone(&names) };
    let env = Env { threads: Arc::new(threads), ..Env::real() };
    let instance = Instance::start(&env, config).unwrap();
    let names = names.lock().unwrap().clone();
    for name in ["ese-log-ahead", "ese-redo-flush"] {
        assert!(names.iter().any(|started| started == name), "{name}: {names:?}");
    }
    let attached = instance.attach(&dir.path().join("a.edb")).unwrap();
    let expected: Vec<i32> = (0..ROWS).filter(|id| id % 40 != 0).collect();
    assert_eq!(rows(&instance, &attached), expected);
    let session = Session::begin_session(&instance).unwrap();
    let table = catalog::open_table(&session, &attached, "rows").unwrap();
    let views = ese_engine::space::check::trees_of(std::slice::from_ref(&table.schema));
    let report = ese_engine::space::check::check(&attached.db.cache, &views, attached.db.dbtime());
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    drop((session, table));
    instance.terminate(TermMode::Clean).unwrap();
}

#[test]
fn rollback_restores_and_inner_levels_are_independent() {
    let dir = tempfile::tempdir().unwrap();
    let (instance, attached, table) = create(dir.path(), config(dir.path()));
    let mut session = Session::begin_session(&instance).unwrap();
    session.begin().unwrap();
    insert(&mut session, &table, 1, b"one");
    session.begin().unwrap();
    insert(&mut session, &table, 2, b"two");
    session.rollback().unwrap();
    session.begin().unwrap();
    insert(&mut session, &table, 3, b"three");
    session.commit(Durability::Lazy).unwrap();
    assert_eq!(rows(&instance, &attached), Vec::<i32>::new(), "nobody else sees them yet");
    session.commit(Durability::Lazy).unwrap();
    assert_eq!(rows(&instance, &attached), [1, 3]);
    session.begin().unwrap();
    insert(&mut session, &table, 4, b"four");
    session.rollback().unwrap();
    assert_eq!(rows(&instance, &attached), [1, 3]);
    drop(session);
    instance.terminate(TermMode::Clean).unwrap();
}

#[test]
fn the_first_writer_wins_and_a_duplicate_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (instance, attached, table) = create(dir.path(), config(dir.path()));
    let mut one = Session::begin_session(&instance).unwrap();
    let mut two = Session::begin_session(&instance).unwrap();
    one.begin().unwrap();
    insert(&mut one, &table, 1, b"one");
    one.commit(Durability::Lazy).unwrap();
    one.begin().unwrap();
    two.begin().unwrap();
    let key = [0x7f, 0x80, 0, 0, 1];
    let mut at = Position::default();
    table.replace(&mut one, &mut at, &key, &row(&table, 1, b"changed")).unwrap();
    let conflict = table.delete(&mut two, &mut at, &key).unwrap_err();
    assert_eq!(conflict.code(), JetErr::WriteConflict);
    one.commit(Durability::Lazy).unwrap();
    let conflict = table.delete(&mut two, &mut at, &key).unwrap_err();
    assert_eq!(conflict.code(), JetErr::WriteConflict, "committed after the snapshot");
    let mut seen = table.get(&two, &key, <[u8]>::to_vec).unwrap().unwrap();
    assert!(seen.ends_with(b"one"), "the snapshot still shows the old value");
    two.rollback().unwrap();
    seen = table.get(&two, &key, <[u8]>::to_vec).unwrap().unwrap();
    assert!(seen.ends_with(b"changed"));
    let mut new_key = Vec::new();
    let duplicate = table.insert(&mut two, &mut at, &row(&table, 1, b"again"), &mut new_key);
    // Outside a transaction nothing may be changed.
    assert_eq!(duplicate.unwrap_err().code(), JetErr::NotInTransaction);
    two.begin().unwrap();
    let duplicate = table.insert(&mut two, &mut at, &row(&table, 1, b"again"), &mut new_key);
    assert_eq!(duplicate.unwrap_err().code(), JetErr::KeyDuplicate);
    table.delete(&mut two, &mut at, &key).unwrap();
    table.insert(&mut two, &mut at, &row(&table, 1, b"again"), &mut new_key).unwrap();
    two.commit(Durability::Durable).unwrap();
    assert_eq!(rows(&instance, &attached), [1]);
    drop((one, two));
    instance.terminate(TermMode::Clean).unwrap();
}

#[test]
fn a_revived_row_goes_back_to_deleted_and_older_snapshots_never_notice() {
    let dir = tempfile::tempdir().unwrap();
    let (instance, attached, table) = create(dir.path(), config(dir.path()));
    let mut session = Session::begin_session(&instance).unwrap();
    session.begin().unwrap();
    insert(&mut session, &table, 1, b"first");
    session.commit(Durability::Lazy).unwrap();
    let key = [0x7f, 0x80, 0, 0, 1];
    let mut old = Session::begin_session(&instance).unwrap();
    old.begin_read_only().unwrap();
    let value = |session: &Session| table.get(session, &key, <[u8]>::to_vec).unwrap();
    let first = value(&old).unwrap();
    session.begin().unwrap();
    table.delete(&mut session, &mut Position::default(), &key).unwrap();
    session.commit(Durability::Lazy).unwrap();
    session.begin().unwrap();
    insert(&mut session, &table, 1, b"second, and longer than the first");
    assert_eq!(value(&old), Some(first.clone()));
    session.rollback().unwrap();
    assert_eq!(value(&old), Some(first.clone()), "the old data came back under the deleted row");
    assert_eq!(value(&session), None);
    session.begin().unwrap();
    insert(&mut session, &table, 1, b"third");
    instance.log.as_ref().unwrap().flush_all().unwrap();
    assert_eq!(value(&old), Some(first));
    drop(old);
    crash(instance, attached, table, session);

    let instance = Instance::start(&Env::real(), config(dir.path())).unwrap();
    let attached = instance.attach(&dir.path().join("a.edb")).unwrap();
    assert_eq!(rows(&instance, &attached), Vec::<i32>::new());
    instance.terminate(TermMode::Clean).unwrap();
}

#[test]
fn a_table_whose_creation_is_rolled_back_leaves_no_trace_and_no_leak() {
    let dir = tempfile::tempdir().unwrap();
    let (instance, attached, table) = create(dir.path(), config(dir.path()));
    let mut session = Session::begin_session(&instance).unwrap();
    session.begin().unwrap();
    let def = TableDef { name: "other".to_owned(), ..table_def() };
    let other = catalog::create_table(&mut session, &attached, &def).unwrap();
    for id in 0..300 {
        insert(&mut session, &other, id, &[3; 200]);
    }
    session.rollback().unwrap();
    let missing = catalog::open_table(&session, &attached, "other").unwrap_err();
    assert_eq!(missing.code(), JetErr::ObjectNotFound);
    let again = catalog::create_table(&mut session, &attached, &def).unwrap();
    session.begin().unwrap();
    insert(&mut session, &again, 1, b"one");
    session.commit(Durability::Durable).unwrap();
    let tables = catalog::tables(&session, &attached).unwrap();
    let schemas: Vec<_> = tables.iter().map(|table| table.schema.clone()).collect();
    let views = ese_engine::space::check::trees_of(&schemas);
    let report = ese_engine::space::check::check(&attached.db.cache, &views, attached.db.dbtime());
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    assert!(report.leaked.is_empty(), "{:?}", report.leaked);
    drop((session, table, other, again, tables));
    instance.terminate(TermMode::Clean).unwrap();
}

#[test]
fn a_restored_copy_that_was_made_clean_is_recovered_like_any_other_database() {
    let dir = tempfile::tempdir().unwrap();
    let (instance, attached, table) = create(dir.path(), config(dir.path()));
    let mark = ese_base::BkInfo { gen_low: 1.into(), ..Default::default() };
    attached.db.file.update_header(|header| header.bkinfo_full_cur = mark).unwrap();
    drop(table);
    instance.terminate(TermMode::Clean).unwrap();
    assert_eq!(attached.db.file.header().bkinfo_full_cur.gen_low.get(), 0);
    instance.abandon();
    drop((instance, attached));

    let instance = Instance::start(&Env::real(), config(dir.path())).unwrap();
    let attached = instance.attach(&dir.path().join("a.edb")).unwrap();
    let mut session = Session::begin_session(&instance).unwrap();
    let table = catalog::open_table(&session, &attached, "rows").unwrap();
    session.begin().unwrap();
    insert(&mut session, &table, 1, b"one");
    session.commit(Durability::Durable).unwrap();
    crash(instance, attached, table, session);
    let instance = Instance::start(&Env::real(), config(dir.path())).unwrap();
    let attached = instance.attach(&dir.path().join("a.edb")).unwrap();
    assert_eq!(rows(&instance, &attached), [1]);
    instance.terminate(TermMode::Clean).unwrap();
}

#[test]
fn what_is_to_be_removed_from_a_database_is_not_looked_for_in_the_next_one_of_its_number() {
    let dir = tempfile::tempdir().unwrap();
    let (instance, attached, table) = create(dir.path(), config(dir.path()));
    let mut session = Session::begin_session(&instance).unwrap();
    session.begin().unwrap();
    // The next table lies behind all pages that a new database has.
    for id in 0..6000 {
        insert(&mut session, &table, id, &[1; 250]);
    }
    session.commit(Durability::Lazy).unwrap();
    let def = TableDef::new("late", table_def().columns).index(IndexDef::primary("pk", &["id"]));
    let late = catalog::create_table(&mut session, &attached, &def).unwrap();
    assert!(late.schema.fdp.0 > 300, "{}", late.schema.fdp);
    session.begin().unwrap();
    insert(&mut session, &late, 1, b"one");
    session.commit(Durability::Lazy).unwrap();
    session.begin().unwrap();
    let key = [&[0x7f][..], &0x8000_0001_u32.to_be_bytes()].concat();
    late.delete(&mut session, &mut Position::default(), &key).unwrap();
    session.commit(Durability::Durable).unwrap();
    drop((table, late));
    instance.detach(&attached).unwrap();
    let first = attached.db.dbid;
    drop(attached);
    let attached = instance.create_database(&dir.path().join("b.edb")).unwrap();
    assert_eq!(attached.db.dbid, first, "the number is used again");
    let table = catalog::create_table(&mut session, &attached, &table_def()).unwrap();
    session.begin().unwrap();
    insert(&mut session, &table, 5, b"five");
    session.commit(Durability::Durable).unwrap();
    crash(instance, attached, table, session);

    // The logs alone make both databases again.
    let env = Env::real();
    for name in ["a.edb", "b.edb", "edb.chk"] {
        env.fs.remove_file(&dir.path().join(name)).unwrap();
    }
    let instance = Instance::start(&env, config(dir.path())).unwrap();
    let attached = instance.attach(&dir.path().join("b.edb")).unwrap();
    assert_eq!(rows(&instance, &attached), [5]);
    let attached = instance.attach(&dir.path().join("a.edb")).unwrap();
    assert_eq!(rows(&instance, &attached).len(), 6000);
    instance.terminate(TermMode::Clean).unwrap();
}

#[test]
fn an_attach_that_fails_leaves_the_database_clean() {
    let dir = tempfile::tempdir().unwrap();
    let (instance, attached, table) = create(dir.path(), config(dir.path()));
    instance.terminate(TermMode::Clean).unwrap();
    drop((instance, attached, table));
    let path = dir.path().join("a.edb");
    let env = Env::real();
    let before = env.fs.open(&path, OpenMode::Read).unwrap();
    let mut header = vec![0; 8192];
    before.read_at(&mut header, 0).unwrap();
    drop(before);
    // The root of the catalog; pages follow the two headers.
    let catalog = 4096 * (MSYS_OBJECTS_FDP.0 as u64 + 1);
    env.fs.open(&path, OpenMode::ReadWrite).unwrap().write_at(&[0xff; 64], catalog).unwrap();

    let instance = Instance::start(&env, config(dir.path())).unwrap();
    let error = instance.attach(&path).unwrap_err();
    assert_eq!(error.jet_code(), -1018, "{error}");
    instance.terminate(TermMode::Clean).unwrap();
    let mut after = vec![0; 8192];
    env.fs.open(&path, OpenMode::Read).unwrap().read_at(&mut after, 0).unwrap();
    assert!(header == after, "the header was changed");
}

#[test]
fn a_database_below_a_file_is_refused_and_nothing_else_is_hindered() {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::start(&Env::real(), config(dir.path())).unwrap();
    let first = dir.path().join("first.edb");
    instance.create_database(&first).unwrap();
    for path in ["first.edb/below.edb", "nowhere/at/all.edb"] {
        let error = instance.create_database(&dir.path().join(path)).map(drop).unwrap_err();
        assert_eq!(error.code(), JetErr::InvalidPath, "{error}");
    }
    instance.create_database(&dir.path().join("second.edb")).unwrap();
    // What was refused is in no log: a crash is recovered.
    instance.abandon();
    drop(instance);
    let instance = Instance::start(&Env::real(), config(dir.path())).unwrap();
    instance.attach(&first).unwrap();
    instance.terminate(TermMode::Clean).unwrap();
}
