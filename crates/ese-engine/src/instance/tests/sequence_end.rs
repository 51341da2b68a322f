//! The end of the log's numbers: nothing that was committed is ever out of a restart's reach
//! (backup-log-recovery 1.1).

use ese_log::{LogNames, LogStream, remove_all};
use ese_pages::DbState;

use super::*;

/// As `start`, with small logs; a new log begins with this generation.
fn start_at(env: &Env, first: Generation) -> Result<Arc<Instance>> {
    env.fs.create_dir_all(Path::new("/db")).unwrap();
    let mut config = InstanceConfig::new(Path::new("/db"));
    config.log_file_size = 64 << 10;
    config.first_generation = first;
    Instance::start(env, config)
}

fn table_of(instance: &Arc<Instance>) -> (Session, Arc<Table>) {
    let columns = vec![ColumnDef::new("id", ColType::Long), ColumnDef::new("v", ColType::Binary)];
    let def = TableDef::new("t", columns).index(IndexDef::primary("pk", &["id"]));
    let mut session = Session::begin_session(instance).unwrap();
    let attached = instance.create_database(Path::new(FILE)).unwrap();
    catalog::create_table(&mut session, &attached, &def).unwrap();
    let table = catalog::open_table(&session, &attached, "t").unwrap();
    (session, table)
}

fn put(session: &mut Session, table: &Table, id: i32) -> Result<()> {
    let (id, bytes) = (id.to_le_bytes(), [7; 200]);
    let row = [(ColumnId(1), Some(&id[..])), (ColumnId(128), Some(&bytes[..]))];
    let (at, mut record, mut key) = (&mut Position::default(), Vec::new(), Vec::new());
    table.insert_values(session, at, &row, &mut record, &mut key)
}

/// Commits rows one by one, from this id on, until that is refused; the value is the id that was.
fn fill(session: &mut Session, table: &Table, from: i32) -> i32 {
    for id in from.. {
        session.begin().unwrap();
        match put(session, table, id) {
            Ok(()) => session.commit(Durability::Durable).unwrap(),
            Err(error) => {
                assert_eq!(error.code(), JetErr::LogSequenceEnd);
                session.rollback().unwrap();
                return id;
            }
        }
    }
    unreachable!("ids do not end")
}

/// A start is refused with -548, and leaves a clean database with as many rows.
fn assert_consistent(env: &Env, rows: i32) {
    for _ in 0..2 {
        let error = start_at(env, Generation(1)).unwrap_err();
        assert_eq!(error.code(), JetErr::LogSequenceEndDatabasesConsistent);
    }
    let header = read_header(env.fs.open(Path::new(FILE), OpenMode::Read).unwrap().as_ref());
    assert_eq!(header.unwrap().header.state(), DbState::CleanShutdown);
    remove_all(env, &LogStream::scan(env, &LogNames::new("/db", "edb")).unwrap()).unwrap();
    env.fs.remove_file(Path::new("/db/edb.chk")).unwrap();
    let instance = start_at(env, Generation(1)).unwrap();
    let attached = instance.attach(Path::new(FILE)).unwrap();
    let session = Session::begin_session(&instance).unwrap();
    let table = catalog::open_table(&session, &attached, "t").unwrap();
    let (mut count, mut at) = (0, Position::default());
    let db = &attached.db;
    let tree = table.tree.view();
    tree::scan(&db.cache, &tree, Start::End, Direction::Forward, &mut at, |_| {
        count += 1;
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(count, rows);
    drop((table, session, attached));
    instance.terminate(TermMode::Clean).unwrap();
}

/// Some generations before the last for what begins.
const NEAR: Generation = Generation(Generation::LAST.0 - 8);

#[test]
fn what_was_committed_until_the_sequence_ended_is_recovered() {
    let (env, _) = SimEnv::new(1);
    let instance = start_at(&env, NEAR).unwrap();
    let (mut session, table) = table_of(&instance);
    let rows = fill(&mut session, &table, 0);
    assert!(rows > 100);
    instance.abandon();
    drop((table, session, instance));
    assert_consistent(&env, rows);
}

#[test]
fn a_clean_end_at_the_end_of_the_sequence_says_so_and_is_clean() {
    let (env, _) = SimEnv::new(1);
    let instance = start_at(&env, NEAR).unwrap();
    let (mut session, table) = table_of(&instance);
    let rows = fill(&mut session, &table, 0);
    drop((table, session));
    instance.background_step().unwrap();
    let ended = instance.terminate(TermMode::Clean).unwrap_err();
    assert_eq!(ended.code(), JetErr::LogSequenceEndDatabasesConsistent);
    drop(instance);
    assert_consistent(&env, rows);
}

#[test]
fn a_transaction_goes_on_behind_the_end_and_is_committed() {
    let (env, _) = SimEnv::new(1);
    let instance = start_at(&env, NEAR).unwrap();
    let (mut session, table) = table_of(&instance);
    let mut rows = 0;
    session.begin().unwrap();
    while !instance.log.as_ref().unwrap().is_at_sequence_end() {
        put(&mut session, &table, rows).unwrap();
        rows += 1;
    }
    session.commit(Durability::Durable).unwrap();
    assert_eq!(fill(&mut session, &table, rows), rows);
    instance.abandon();
    drop((table, session, instance));
    assert_consistent(&env, rows);
}

#[test]
fn a_transaction_that_fills_what_a_run_has_is_taken_back_by_recovery() {
    let (env, _) = SimEnv::new(1);
    let instance = start_at(&env, NEAR).unwrap();
    let (mut session, table) = table_of(&instance);
    session.begin().unwrap();
    let refused = (0..).find_map(|id| put(&mut session, &table, id).err()).unwrap();
    assert_eq!(refused.code(), JetErr::LogSequenceEnd);
    let log = instance.log.as_ref().unwrap();
    assert_eq!(log.current_generation(), Generation::LAST_OF_RUN);
    // Some of it is durable, and the rest lost.
    instance.abandon();
    drop((table, session, instance));
    assert_consistent(&env, 0);
}
