//! Programs that go wrong: what they do with handles must not harm the data of others.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]
#![allow(clippy::mem_forget, reason = "it is what one of the programs does")]
#![allow(clippy::disallowed_methods, reason = "a test takes files away behind the engine's back")]

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use ese_api::{
    ColType, ColumnDef, ColumnFlags, Database, Env, Instance, JetErr, PageSize, Result, Session,
    StopReason, StopToken, Table, TableBuilder, Transaction, recover_with, row,
};
use ese_base::{DbTime, Pgno};
use ese_pages::{PageFlags, PageMut, PageRef, checksum};
use tempfile::TempDir;

/// An instance with the table `t`.
fn instance() -> (TempDir, Instance, Database, Table) {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::builder(dir.path()).start().unwrap();
    let database = instance.create_database("a.edb").unwrap();
    let table = TableBuilder::new("t").column("id", ColType::Long).primary(&["id"]);
    let table = database.create_table(&mut instance.session().unwrap(), table).unwrap();
    (dir, instance, database, table)
}

fn ids(table: &Table, session: &Session) -> Vec<i32> {
    let id = table.typed::<i32>("id").unwrap();
    table.rows(session).map(|row| row.unwrap().of(&id).unwrap().unwrap()).collect()
}

fn insert(table: &Table, to: &mut Transaction<'_>, ids: std::ops::Range<i32>) {
    ids.for_each(|id| table.insert(to, &row! { "id" => id }).unwrap());
}

/// Inserts in a transaction of its own.
fn commit(table: &Table, session: &mut Session, ids: std::ops::Range<i32>) {
    let mut transaction = session.begin().unwrap();
    insert(table, &mut transaction, ids);
    transaction.commit().unwrap();
}

#[test]
fn a_panic_in_a_transaction_takes_it_back_and_harms_nobody_else() {
    let (_dir, instance, database, table) = instance();
    let mut session = instance.session().unwrap();
    commit(&table, &mut session, 0..10);
    // Enough rows for splits, so that taking them back has to look for some.
    let in_a_closure = catch_unwind(AssertUnwindSafe(|| {
        session.transact(|transaction| -> Result<()> {
            insert(&table, transaction, 10..2000);
            panic!("in the closure");
        })
    }));
    let in_a_guard = catch_unwind(AssertUnwindSafe(|| {
        let mut outer = session.begin().unwrap();
        insert(&table, &mut outer, 3000..3010);
        let mut inner = outer.begin_nested().unwrap();
        insert(&table, &mut inner, 4000..4010);
        table.delete(&mut inner, 3).unwrap();
        panic!("with two levels open");
    }));
    assert!(in_a_closure.is_err() && in_a_guard.is_err());
    assert_eq!(ids(&table, &session), (0..10).collect::<Vec<_>>());
    table.insert(&mut session, &row! { "id" => 10 }).unwrap();
    assert_eq!(ids(&table, &instance.session().unwrap()).len(), 11);
    drop((table, database, session));
    instance.stop().unwrap();
}

#[test]
fn a_session_of_another_instance_is_refused_by_every_call() {
    let (_own_dir, own, _own_database, _own_table) = instance();
    let (_dir, instance, database, table) = instance();
    let mut there = instance.session().unwrap();
    table.insert(&mut there, &row! { "id" => 1 }).unwrap();
    let mut foreign = own.session().unwrap();
    let index = table.index("primary").or_else(|_| table.index("PrimaryKey"));
    let definition = || TableBuilder::new("u").column("id", ColType::Long);
    let column = ese_api::ColumnDef::new("c", ColType::Long);
    let mut row_of = table.inserter(&["id"]).unwrap();
    let id = 2_i32.to_le_bytes();
    let answers = [
        table.insert(&mut foreign, &row! { "id" => 2 }),
        row_of.insert(&mut foreign, &[Some(&id)]),
        table.update(&mut foreign, 1, &row! { "id" => 2 }).map(drop),
        table.delete(&mut foreign, 1).map(drop),
        table.get(&foreign, 1).map(drop),
        table.get_with(&mut foreign, &[&id], |_| ()).map(drop),
        table.rows(&foreign).next().unwrap().map(drop),
        table.scan(&mut foreign, |_| std::ops::ControlFlow::Break(())).map(drop),
        table.refreshed(&foreign).map(drop),
        table.add_column(&mut foreign, &column).map(drop),
        table.delete_column(&mut foreign, "id"),
        index.map_or_else(|_| table.get(&foreign, 1).map(drop), |i| i.get(&foreign, 1).map(drop)),
        database.create_table(&mut foreign, definition()).map(drop),
        database.table(&foreign, "t").map(drop),
        database.tables(&foreign).map(drop),
        database.delete_table(&mut foreign, "t"),
        database.rename_table(&mut foreign, "t", "u"),
    ];
    for (at, answer) in answers.into_iter().enumerate() {
        let error = answer.unwrap_err();
        assert_eq!(error.code(), JetErr::InvalidSesid, "call {at}: {error}");
        assert!(error.to_string().contains("a.edb"), "{error}");
    }
    let mut transaction = foreign.begin().unwrap();
    let refused = table.insert(&mut transaction, &row! { "id" => 2 }).unwrap_err();
    assert_eq!(refused.code(), JetErr::InvalidSesid);
    transaction.commit().unwrap();
    assert_eq!(ids(&table, &there), [1]);
}

#[test]
fn an_instance_without_free_sessions_goes_on() {
    let (_dir, instance, database, table) = instance();
    let mut session = instance.session().unwrap();
    commit(&table, &mut session, 0..10);
    let mut others = Vec::new();
    let refused = loop {
        match instance.session() {
            Ok(other) => others.push(other),
            Err(error) => break error,
        }
    };
    assert_eq!(refused.code(), JetErr::OutOfSessions, "{refused}");
    assert!(others.len() > 65_000, "{}", others.len());
    // The deleted rows are cleaned up by a session of the engine's own.
    for id in 0..5 {
        assert!(table.delete(&mut session, id).unwrap());
    }
    drop(others);
    table.insert(&mut session, &row! { "id" => 99 }).unwrap();
    assert_eq!(ids(&table, &session), [5, 6, 7, 8, 9, 99]);
    drop((table, database, session));
    instance.stop().unwrap();
}

#[test]
fn databases_whose_names_fit_into_no_log_are_refused_before_anything_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let long = dir.path().join("d".repeat(150));
    let instance = Instance::builder(&long).start().unwrap();
    let mut made = Vec::new();
    let refused = loop {
        let name = format!("{}{}.edb", "n".repeat(20), made.len());
        match instance.create_database(&name) {
            Ok(database) => made.push(database),
            Err(error) => break (name, error),
        }
    };
    assert_eq!(refused.1.code(), JetErr::InvalidPath, "{}", refused.1);
    assert!(refused.1.to_string().contains(&refused.0), "{}", refused.1);
    assert!((2..7).contains(&made.len()), "{}", made.len());
    assert!(!long.join(&refused.0).exists());
    // Those that are there go on, through a new log and a new start.
    let table = TableBuilder::new("t").column("id", ColType::Long).primary(&["id"]);
    let mut session = instance.session().unwrap();
    let table = made[0].create_table(&mut session, table).unwrap();
    commit(&table, &mut session, 0..100_000);
    drop((table, session, made));
    instance.stop().unwrap();
    let instance = Instance::builder(&long).start().unwrap();
    instance.open_database(format!("{}0.edb", "n".repeat(20))).unwrap();
    instance.stop().unwrap();
    let too_long = dir.path().join("e".repeat(200)).join("e".repeat(200)).join("e".repeat(200));
    let too_long = too_long.join("e".repeat(200)).join("e".repeat(200));
    let instance = Instance::builder(&too_long).start().unwrap();
    let refused = instance.create_database("a.edb").unwrap_err();
    assert_eq!(refused.code(), JetErr::InvalidPath, "{refused}");
    instance.stop().unwrap();
}

#[test]
fn a_recovery_that_was_stopped_begins_anew() {
    let (dir, instance, database, table) = instance();
    let mut session = instance.session().unwrap();
    commit(&table, &mut session, 0..100);
    drop((table, database, session));
    instance.abandon();
    let stop = StopToken::new();
    stop.stop(StopReason::Requested);
    let stopped = recover_with(&Env::real(), dir.path(), stop).unwrap_err();
    assert_eq!(stopped.code(), JetErr::ClientRequestToStopJetService);
    recover_with(&Env::real(), dir.path(), StopToken::new()).unwrap();
    let instance = Instance::builder(dir.path()).start().unwrap();
    let database = instance.open_database("a.edb").unwrap();
    let session = instance.session().unwrap();
    let table = database.table(&session, "t").unwrap();
    assert_eq!(ids(&table, &session).len(), 100);
}

#[test]
fn a_recovery_that_misses_a_database_leaves_everything_as_it_was() {
    let (dir, instance, database, table) = instance();
    drop((table, database));
    instance.stop().unwrap();
    // Its log knows the database, but not how it was made.
    let instance = Instance::builder(dir.path()).start().unwrap();
    drop(instance.open_database("a.edb").unwrap());
    instance.abandon();
    std::fs::remove_file(dir.path().join("a.edb")).unwrap();
    // The lock that the instance has left goes as well.
    for left in ["edbres00001.jrs", "edbres00002.jrs", "edb.lck"] {
        std::fs::remove_file(dir.path().join(left)).unwrap();
    }
    let names = || {
        let entries = std::fs::read_dir(dir.path()).unwrap().map(Result::unwrap);
        let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
        names.sort_unstable();
        names
    };
    let before = names();
    let refused = recover_with(&Env::real(), dir.path(), StopToken::new()).unwrap_err();
    assert_eq!(refused.code(), JetErr::AttachedDatabaseMismatch, "{refused}");
    assert_eq!(names(), before);
}

#[test]
fn numbers_wider_than_their_column_are_not_added() {
    let (_dir, instance, database, _table) = instance();
    let mut session = instance.session().unwrap();
    let number = ColumnDef::new("n", ColType::Long).with(ColumnFlags::ESCROW_UPDATE);
    let table = TableBuilder::new("counts").column("id", ColType::Long).primary(&["id"]);
    let table = table.define(number.with_default(&[0; 4]));
    let table = database.create_table(&mut session, table).unwrap();
    table.insert(&mut session, &row! { "id" => 1 }).unwrap();
    for delta in [i64::MAX, i64::from(i32::MAX) + 1, i64::from(i32::MIN) - 1] {
        let refused = table.add(&mut session, 1, "n", delta).unwrap_err();
        assert_eq!(refused.code(), JetErr::InvalidParameter, "{refused}");
    }
    assert_eq!(table.add(&mut session, 1, "n", i64::from(i32::MAX)).unwrap(), 0);
    assert_eq!(table.add(&mut session, 1, "n", 0).unwrap(), i64::from(i32::MAX));
}

#[test]
fn flags_that_only_the_engine_sets_are_refused() {
    let (_dir, instance, database, _table) = instance();
    let mut session = instance.session().unwrap();
    for flag in
        [ColumnFlags::DEFAULT, ColumnFlags::TEMPLATE_COLUMN, ColumnFlags::PRIMARY_PLACEHOLDER]
    {
        let table = TableBuilder::new("u").define(ColumnDef::new("c", ColType::Long).with(flag));
        let refused = database.create_table(&mut session, table).unwrap_err();
        assert_eq!(refused.code(), JetErr::InvalidGrbit, "{refused}");
    }
}

#[test]
fn a_transaction_that_was_forgotten_is_taken_back_by_what_comes_next() {
    let (_dir, instance, _database, table) = instance();
    let mut session = instance.session().unwrap();
    let forget = |session: &mut Session, id: i32| {
        let mut outer = session.begin().unwrap();
        insert(&table, &mut outer, id..id + 1);
        std::mem::forget(outer);
    };
    forget(&mut session, 100);
    // Of the outermost level again: what it commits is there.
    commit(&table, &mut session, 0..1);
    forget(&mut session, 200);
    table.insert(&mut session, &row! { "id" => 1 }).unwrap();
    let mut outer = session.begin().unwrap();
    insert(&table, &mut outer, 2..3);
    let mut inner = outer.begin_nested().unwrap();
    insert(&table, &mut inner, 300..301);
    std::mem::forget(inner);
    insert(&table, &mut outer, 3..4);
    let mut inner = outer.begin_nested().unwrap();
    insert(&table, &mut inner, 400..401);
    std::mem::forget(inner);
    outer.commit().unwrap();
    assert_eq!(ids(&table, &session), [0, 1, 2, 3]);
    let mut outer = session.begin().unwrap();
    std::mem::forget(outer.begin_nested().unwrap());
    drop(outer);
    commit(&table, &mut session, 4..5);
    assert_eq!(ids(&table, &instance.session().unwrap()), [0, 1, 2, 3, 4]);
}

/// Gives all leaves of a file a time that its header's clock has not reached; how many they are.
fn make_leaves_newer(path: &Path, by: u64) -> usize {
    let size = PageSize::K4;
    let mut file = std::fs::read(path).unwrap();
    let mut leaves = 0;
    // Two pages of headers come before page 1.
    for (pgno, page) in (1..).map(Pgno).zip(file.chunks_exact_mut(size.bytes()).skip(2)) {
        let seen = PageRef::new(page, size);
        if checksum::is_blank(page) || !seen.flags().contains(PageFlags::LEAF) {
            continue;
        }
        let newer = DbTime(seen.dbtime().0 + by);
        PageMut::new(page, size).set_dbtime(newer);
        checksum::stamp(page, pgno);
        leaves += 1;
    }
    std::fs::write(path, file).unwrap();
    leaves
}

/// Redo takes a change for one that is there already if the page has its time.
#[test]
fn changes_of_pages_that_are_newer_than_their_header_survive_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let start = || Instance::builder(dir.path()).page_size(PageSize::K4).start().unwrap();
    let instance = start();
    let database = instance.create_database("a.edb").unwrap();
    let table = TableBuilder::new("t").column("id", ColType::Long).primary(&["id"]);
    let table = database.create_table(&mut instance.session().unwrap(), table).unwrap();
    let mut session = instance.session().unwrap();
    commit(&table, &mut session, 0..500);
    drop((table, database, session));
    instance.stop().unwrap();
    assert!(make_leaves_newer(&dir.path().join("a.edb"), 100_000) > 3);

    let instance = start();
    let database = instance.open_database("a.edb").unwrap();
    let mut session = instance.session().unwrap();
    let table = database.table(&session, "t").unwrap();
    let mut transaction = session.begin().unwrap();
    for id in 0..500 {
        assert!(id % 7 == 0 || table.delete(&mut transaction, id).unwrap());
    }
    transaction.commit().unwrap();
    drop((table, database, session));
    instance.abandon();

    let instance = start();
    let database = instance.open_database("a.edb").unwrap();
    let session = instance.session().unwrap();
    let table = database.table(&session, "t").unwrap();
    assert!(ids(&table, &session).into_iter().eq((0..500).step_by(7)));
}
