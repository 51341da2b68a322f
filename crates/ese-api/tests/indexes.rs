//! Reading by indexes, and transactions that are tried again.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a failing step fails the test"
)]

use std::ops::ControlFlow;

use ese_api::{ColType, Database, Instance, JetErr, TableBuilder, row};

struct Test {
    database: Database,
    instance: Instance,
    _dir: tempfile::TempDir,
}

impl Test {
    fn new() -> Test {
        let dir = tempfile::tempdir().unwrap();
        let instance = Instance::builder(dir.path()).log_file_size(256 << 10).start().unwrap();
        let database = instance.create_database("a.edb").unwrap();
        Test { database, instance, _dir: dir }
    }
}

#[test]
fn an_index_has_the_rows_in_its_own_order_forward_and_backward() {
    let test = Test::new();
    let mut session = test.instance.session().unwrap();
    let table = TableBuilder::new("cities")
        .column("id", ColType::Long)
        .column("country", ColType::Text)
        .column("people", ColType::Long)
        .primary(&["id"])
        .secondary("size", &["people"])
        .unique("place", &["country", "people"]);
    let table = test.database.create_table(&mut session, table).unwrap();
    session
        .transact(|transaction| {
            for id in 0..1000 {
                let country = if id % 3 == 0 { "a" } else { "b" };
                let row = row! { "id" => id, "country" => country, "people" => (id * 7) % 1000 };
                table.insert(transaction, &row)?;
            }
            Ok(())
        })
        .unwrap();
    let people = table.typed::<i32>("people").unwrap();
    let size = table.index("SIZE").unwrap();
    let read = |rows: ese_api::Rows<'_>| -> Vec<i32> {
        rows.map(|row| row.unwrap().of(&people).unwrap().unwrap()).collect()
    };
    assert!(read(size.rows(&session)).into_iter().eq(0..1000));
    assert!(read(size.rows(&session).rev()).into_iter().eq((0..1000).rev()));
    assert!(read(size.range(&session, 100..200).unwrap()).into_iter().eq(100..200));
    let back = size.range(&session, 100..=200).unwrap().rev();
    assert!(read(back).into_iter().eq((100..=200).rev()));
    let mut visited = 0;
    let broke = size.range(&session, 500..).unwrap().visit(|row| {
        assert_eq!(row.value("people").unwrap(), (500 + visited).into());
        visited += 1;
        if visited < 300 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert!(broke.unwrap() && visited == 300);

    let place = table.index("place").unwrap();
    assert!(place.is_unique() && !size.is_unique() && place.name() == "place");
    assert_eq!(place.prefix(&session, "a").unwrap().count(), 334);
    let found = place.get(&session, ("b", 7)).unwrap().unwrap();
    assert_eq!(found["id"], 1.into());
    assert!(place.get(&session, ("a", 7)).unwrap().is_none());
    let primary = table.index("primary").unwrap();
    assert_eq!(primary.range(&session, 10..20).unwrap().count(), 10);
    assert_eq!(table.index("none").unwrap_err().code(), JetErr::IndexNotFound);
    assert_eq!(table.typed::<String>("id").unwrap_err().code(), JetErr::InvalidColumnType);

    // Rows that others delete between two fetches are left out.
    let mut rows = size.rows(&session);
    rows.next().unwrap().unwrap();
    let mut other = test.instance.session().unwrap();
    other
        .transact(|transaction| {
            (0..1000)
                .filter(|id| id % 10 != 0)
                .try_for_each(|id| table.delete(transaction, id).map(|_| ()))
        })
        .unwrap();
    assert!((90..110).contains(&rows.count()));
}

#[test]
fn a_transaction_that_lost_is_run_again_on_the_newer_state() {
    let test = Test::new();
    let mut session = test.instance.session().unwrap();
    let table = TableBuilder::new("n").column("id", ColType::Long).column("n", ColType::Long);
    let table = test.database.create_table(&mut session, table.primary(&["id"])).unwrap();
    table.insert(&mut session, &row! { "id" => 1, "n" => 0 }).unwrap();
    let n = table.typed::<i32>("n").unwrap();
    let (mut tries, mut rival) = (0, test.instance.session().unwrap());
    let seen = session
        .transact(|transaction| {
            tries += 1;
            let now = table.get(transaction, 1)?.unwrap().of(&n)?.unwrap();
            if tries < 3 {
                table.update(&mut rival, 1, &row! { "n" => now + 10 })?;
            }
            table.update(transaction, 1, &row! { "n" => now + 1 })?;
            Ok(now)
        })
        .unwrap();
    assert_eq!((tries, seen), (3, 20));
    assert_eq!(table.get(&session, 1).unwrap().unwrap()["n"], 21.into());
    // Another error ends it, and nothing of it stays.
    let failed = session.transact(|transaction| {
        table.update(transaction, 1, &row! { "n" => 99 })?;
        table.insert(transaction, &row! { "id" => 1 })
    });
    assert_eq!(failed.unwrap_err().code(), JetErr::KeyDuplicate);
    let now = session.look(|transaction| Ok(table.get(transaction, 1)?.unwrap()["n"].clone()));
    assert_eq!(now.unwrap(), 21.into());
}

#[test]
fn an_index_is_not_deleted_while_somebody_has_a_handle_of_it() {
    let test = Test::new();
    let mut session = test.instance.session().unwrap();
    let table = TableBuilder::new("t")
        .column("id", ColType::Long)
        .column("n", ColType::Long)
        .primary(&["id"])
        .secondary("n", &["n"]);
    let table = test.database.create_table(&mut session, table).unwrap();
    let (index, primary) = (table.index("n").unwrap(), table.index("primary").unwrap());
    let second = index.clone();
    let mut delete = || {
        let deleted = session.transact(|transaction| table.delete_index(transaction, "N"));
        deleted.map_err(|error| error.code())
    };
    assert_eq!(delete(), Err(JetErr::IndexInUse));
    drop(index);
    assert_eq!(delete(), Err(JetErr::IndexInUse), "each of them counts");
    drop(second);
    delete().unwrap();
    drop(primary);
    // The table is another matter.
    let other = TableBuilder::new("o").column("id", ColType::Long).secondary("id", &["id"]);
    let other = test.database.create_table(&mut session, other).unwrap();
    let _held = other.index("id").unwrap();
    session.transact(|transaction| test.database.delete_table(transaction, "o")).unwrap();
}

#[test]
fn ranges_are_counted_and_intersected_without_reading_rows() {
    let test = Test::new();
    let mut session = test.instance.session().unwrap();
    let table = TableBuilder::new("t")
        .column("id", ColType::Long)
        .column("a", ColType::Long)
        .column("b", ColType::Long)
        .primary(&["id"])
        .secondary("by_a", &["a"])
        .secondary("by_b", &["b"]);
    let table = test.database.create_table(&mut session, table).unwrap();
    let fill = |transaction: &mut ese_api::Transaction<'_>| {
        for id in 0..2000 {
            let row = row! { "id" => id, "a" => id % 7, "b" => id % 11 };
            table.insert(transaction, &row)?;
        }
        Ok(())
    };
    session.transact(fill).unwrap();
    let (by_a, by_b) = (table.index("by_a").unwrap(), table.index("by_b").unwrap());
    assert_eq!(table.rows(&session).count_rows().unwrap(), 2000);
    assert_eq!(table.range(&session, 10..=30).unwrap().count_rows().unwrap(), 21);
    assert_eq!(by_a.range(&session, 2..4).unwrap().rev().count_rows().unwrap(), 572);
    let mut some = by_b.prefix(&session, 3).unwrap();
    some.by_ref().take(5).for_each(|row| drop(row.unwrap()));
    assert_eq!(some.count_rows().unwrap(), 177, "182 have it, five were taken");

    let id = table.typed::<i32>("id").unwrap();
    let common = by_a
        .prefix(&session, 5)
        .unwrap()
        .in_common_with([
            by_b.range(&session, 3..=4).unwrap(),
            table.range(&session, 100..1900).unwrap(),
        ])
        .unwrap();
    let found: Vec<i32> = common.map(|row| row.unwrap().of(&id).unwrap().unwrap()).collect();
    let wanted: Vec<i32> =
        (100..1900).filter(|id| id % 7 == 5 && (3..=4).contains(&(id % 11))).collect();
    assert_eq!(found, wanted);

    let elsewhere = TableBuilder::new("u").column("id", ColType::Long).primary(&["id"]);
    let elsewhere = test.database.create_table(&mut session, elsewhere).unwrap();
    let refused = table.rows(&session).in_common_with([elsewhere.rows(&session)]).unwrap_err();
    assert_eq!(refused.code(), JetErr::InvalidParameter);
}
