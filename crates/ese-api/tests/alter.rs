//! Handles of the Rust API while the schema changes under them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing step fails the test")]

use ese_api::{
    ColType, ColumnDef, ColumnFlags, Database, IndexDef, Instance, JetErr, Table, TableBuilder,
    Values, row,
};

struct Test {
    table: Table,
    database: Database,
    instance: Instance,
    _dir: tempfile::TempDir,
}

fn test() -> Test {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::builder(dir.path()).log_file_size(256 << 10).start().unwrap();
    let database = instance.create_database("a.edb").unwrap();
    let mut session = instance.session().unwrap();
    let table = TableBuilder::new("people")
        .column("id", ColType::Long)
        .column("age", ColType::Long)
        .primary(&["id"]);
    let table = database.create_table(&mut session, table).unwrap();
    for id in 1..=9 {
        table.insert(&mut session, &row! { "id" => id, "age" => 100 - id }).unwrap();
    }
    Test { table, database, instance, _dir: dir }
}

#[test]
fn a_handle_reads_and_writes_what_others_have_added() {
    let test = test();
    let (mut mine, mut theirs) =
        (test.instance.session().unwrap(), test.instance.session().unwrap());
    let other = test.database.table(&theirs, "people").unwrap();
    let name = ColumnDef::new("name", ColType::Text).with_default(b"nobody");
    other.add_column(&mut theirs, &name).unwrap();
    other.create_indexes(&mut theirs, &[IndexDef::new("by age", &["age"])]).unwrap();
    // The old handle keeps the new index up and knows the new column by its name.
    test.table.insert(&mut mine, &row! { "id" => 10, "age" => 1, "name" => "ann" }).unwrap();
    test.table.update(&mut mine, 2, &row! { "name" => "bob", "age" => 2 }).unwrap();
    assert!(test.table.delete(&mut mine, 3).unwrap());
    let fresh = test.table.refreshed(&mine).unwrap();
    let name = fresh.typed::<String>("name").unwrap();
    let name_of = |id: i32| test.table.get(&mine, id).unwrap().unwrap().of(&name).unwrap();
    assert_eq!(name_of(2).as_deref(), Some("bob"));
    assert_eq!(name_of(4).as_deref(), Some("nobody"), "the default shows");
    let ids: Vec<i32> = fresh
        .index("by age")
        .unwrap()
        .rows(&mine)
        .map(|row| row.unwrap().of(&fresh.typed::<i32>("id").unwrap()).unwrap().unwrap())
        .collect();
    assert_eq!(ids, [10, 2, 9, 8, 7, 6, 5, 4, 1]);
    assert!(test.table.column("name").is_err(), "the handle itself tells what it was opened on");
}

#[test]
fn an_inserter_and_an_iterator_go_on_after_a_change() {
    let test = test();
    let (mut mine, mut theirs) =
        (test.instance.session().unwrap(), test.instance.session().unwrap());
    let mut inserter = test.table.inserter(&["id"]).unwrap();
    let mut rows = test.table.rows(&mine);
    assert!(rows.next().is_some());
    let other = test.database.table(&theirs, "people").unwrap();
    let extra = ColumnDef::new("extra", ColType::Long);
    other.add_column(&mut theirs, &extra.with_default(&7_i32.to_le_bytes())).unwrap();
    other.create_indexes(&mut theirs, &[IndexDef::new("by extra", &["extra"])]).unwrap();
    assert_eq!(rows.map(Result::unwrap).count(), 8);
    inserter.insert(&mut mine, &[Some(&20_i32.to_le_bytes())]).unwrap();
    let fresh = test.table.refreshed(&mine).unwrap();
    let by_extra = fresh.index("by extra").unwrap();
    assert_eq!(by_extra.prefix(&mine, 7).unwrap().count(), 10);
    let refused = other.delete_index(&mut theirs, "by extra").unwrap_err();
    assert_eq!(refused.code(), JetErr::IndexInUse, "there is a handle of it");
    drop(by_extra);
    other.delete_index(&mut theirs, "by extra").unwrap();
    // The old handle of the table still knows it.
    let by_extra = fresh.index("by extra").unwrap();
    let gone = by_extra.rows(&mine).next().unwrap();
    assert_eq!(gone.unwrap_err().code(), JetErr::IndexNotFound);
}

#[test]
fn a_transaction_keeps_the_schema_that_it_began_with() {
    let test = test();
    let (mut mine, mut theirs) =
        (test.instance.session().unwrap(), test.instance.session().unwrap());
    let transaction = mine.begin().unwrap();
    let mut change = theirs.begin().unwrap();
    let other = test.database.table(&change, "people").unwrap();
    other.add_column(&mut change, &ColumnDef::new("name", ColType::Text)).unwrap();
    assert!(test.table.refreshed(&transaction).unwrap().column("name").is_err());
    assert!(test.table.refreshed(&change).unwrap().column("name").is_ok());
    change.commit().unwrap();
    assert!(test.table.refreshed(&transaction).unwrap().column("name").is_err());
    transaction.rollback().unwrap();
    assert!(test.table.refreshed(&mine).unwrap().column("name").is_ok());
}

#[test]
fn a_handle_of_a_table_that_was_deleted_says_so() {
    let test = test();
    let (mut mine, mut theirs) =
        (test.instance.session().unwrap(), test.instance.session().unwrap());
    test.database.rename_table(&mut theirs, "people", "men").unwrap();
    assert_eq!(test.table.rows(&mine).count(), 9);
    test.database.delete_table(&mut theirs, "men").unwrap();
    let code = |error: ese_api::Error| error.code();
    let none = JetErr::ObjectNotFound;
    assert_eq!(code(test.table.get(&mine, 1).unwrap_err()), none);
    assert_eq!(code(test.table.insert(&mut mine, &row! { "id" => 50 }).unwrap_err()), none);
    assert_eq!(code(test.table.rows(&mine).next().unwrap().unwrap_err()), none);
    assert_eq!(code(test.table.refreshed(&mine).unwrap_err()), none);
}

#[test]
fn sessions_add_to_a_number_and_the_oldest_transaction_is_named() {
    let test = test();
    let mut session = test.instance.session().unwrap();
    let visits = ColumnDef::new("visits", ColType::Long).with(ColumnFlags::ESCROW_UPDATE);
    let table = TableBuilder::new("pages")
        .column("id", ColType::Long)
        .define(visits.with_default(&0_i32.to_le_bytes()))
        .primary(&["id"]);
    let table = test.database.create_table(&mut session, table).unwrap();
    table.insert(&mut session, &Values::new().set("id", 1)).unwrap();
    assert!(test.instance.version_info().oldest.is_none());
    let mut other = test.instance.session().unwrap();
    let (mut a, mut b) = (session.begin().unwrap(), other.begin().unwrap());
    assert_eq!(table.add(&mut a, 1, "visits", 5).unwrap(), 0);
    assert_eq!(table.add(&mut b, 1, "visits", 7).unwrap(), 0);
    let wrong = table.add(&mut b, 1, "id", 7).unwrap_err();
    assert_eq!(wrong.code(), JetErr::InvalidOperation);
    let info = test.instance.version_info();
    assert_eq!(info.versions, 2);
    assert!(info.bytes > 0 && info.bytes < info.bytes_max);
    let oldest = info.oldest.unwrap();
    assert_eq!(oldest.level, 1);
    assert!(oldest.to_string().contains("alter.rs"), "where it began: {oldest}");
    a.rollback().unwrap();
    b.commit().unwrap();
    assert_eq!(table.add(&mut session, 1, "visits", 0).unwrap(), 7);
}
