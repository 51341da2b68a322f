//! Temporary tables of the Rust API.
#![allow(clippy::unwrap_used, reason = "a failing step fails the test")]

use std::ops::ControlFlow;

use ese_api::{ColType, Instance, JetErr, TempTableBuilder, Value, row};

fn instance(dir: &std::path::Path) -> Instance {
    Instance::builder(dir).sort_memory(256 << 10).start().unwrap()
}

fn ids(rows: ese_api::TempRows<'_>) -> Vec<i32> {
    let id = |row: ese_api::Row| match row["id"] {
        Value::I32(id) => id,
        _ => i32::MIN,
    };
    rows.map(|row| id(row.unwrap())).collect()
}

#[test]
fn many_rows_are_sorted_with_little_memory() {
    let dir = tempfile::tempdir().unwrap();
    let instance = instance(dir.path());
    let session = instance.session().unwrap();
    let table = TempTableBuilder::new().key("id", ColType::Long).text("name");
    for table in [table.clone(), table.clone().seekable(), table.keep_duplicates()] {
        let mut table = session.temp_table(table).unwrap();
        for id in 0..20_000_i32 {
            let id = (id * 7919) % 20_000;
            table.insert(&row! { "id" => id, "name" => format!("number {id}") }).unwrap();
        }
        assert_eq!(ids(table.rows().unwrap()), (0..20_000).collect::<Vec<_>>());
        let (id, mut next) = (table.column("id").unwrap(), 0_i32);
        let broke = table.visit(|row| {
            assert_eq!(row.bytes(id).unwrap(), Some(&next.to_le_bytes()[..]));
            next += 1;
            if next == 100 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(broke.unwrap());
    }
    drop(session);
    instance.stop().unwrap();
}

#[test]
fn what_is_kept_sought_and_refused_is_said_at_the_opening() {
    let dir = tempfile::tempdir().unwrap();
    let instance = instance(dir.path());
    let mut session = instance.session().unwrap();
    let table = TempTableBuilder::new().key("id", ColType::Long).text("name");
    let fill = |table: &mut ese_api::TempTable| -> Vec<JetErr> {
        let rows = [(2, "two"), (1, "one"), (2, "again")];
        let code =
            |(id, name): (i32, &str)| match table.insert(&row! { "id" => id, "name" => name }) {
                Ok(()) => JetErr::Success,
                Err(error) => error.code(),
            };
        rows.map(code).to_vec()
    };
    let ok = JetErr::Success;
    let mut kept = session.temp_table(table.clone().keep_duplicates()).unwrap();
    assert_eq!(fill(&mut kept), [ok, ok, ok]);
    assert_eq!(ids(kept.rows().unwrap()), [1, 2, 2]);
    assert_eq!(kept.get(1).unwrap_err().code(), JetErr::IllegalOperation);
    let mut sought = session.temp_table(table.clone().seekable()).unwrap();
    assert_eq!(fill(&mut sought), [ok, ok, ok]);
    assert_eq!(sought.get(2).unwrap().unwrap()["name"], "two".into(), "the first that came");
    assert!(sought.get(3).unwrap().is_none());
    assert_eq!(fill(&mut sought)[0], JetErr::IllegalOperation, "it was read");
    let mut tree = session.temp_table(table.clone().as_tree()).unwrap();
    assert_eq!(fill(&mut tree), [ok, ok, JetErr::KeyDuplicate]);
    let transaction = session.begin().unwrap();
    tree.insert(&row! { "id" => 9, "name" => "long ".repeat(5000) }).unwrap();
    let nine = tree.get(9).unwrap().unwrap();
    assert_eq!(nine["name"], "long ".repeat(5000).into());
    transaction.rollback().unwrap();
    assert_eq!(ids(tree.rows().unwrap()), [1, 2]);
    let both = session.temp_table(table.keep_duplicates().seekable());
    assert_eq!(both.unwrap_err().code(), JetErr::CannotMaterializeForwardOnlySort);
    drop((kept, sought, tree, session));
    instance.stop().unwrap();
}
