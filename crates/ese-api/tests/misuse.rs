//! Programs that go wrong: what they do with handles must not harm the data of others.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use ese_api::{
    ColType, Database, Instance, JetErr, Result, Session, Table, TableBuilder, Transaction, row,
};
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

#[test]
fn a_panic_in_a_transaction_takes_it_back_and_harms_nobody_else() {
    let (_dir, instance, database, table) = instance();
    let mut session = instance.session().unwrap();
    session
        .transact(|transaction| {
            insert(&table, transaction, 0..10);
            Ok(())
        })
        .unwrap();
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
    session
        .transact(|transaction| {
            insert(&table, transaction, 0..10);
            Ok(())
        })
        .unwrap();
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
