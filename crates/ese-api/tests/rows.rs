//! Rows through the Rust API: create, read, update, delete, iterate, isolate.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a failing step fails the test; files are looked at behind the engine's back"
)]

use std::ops::ControlFlow;

use ese_api::{
    ColType, ColumnDef, ColumnFlags, Database, Instance, JetErr, PageSize, Placement, Session,
    Table, TableBuilder, Value, row,
};

struct Setup {
    instance: Instance,
    database: Database,
    session: Session,
    dir: tempfile::TempDir,
}

fn setup() -> Setup {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::builder(dir.path()).log_file_size(256 << 10).start().unwrap();
    let database = instance.create_database("a.edb").unwrap();
    let session = instance.session().unwrap();
    Setup { instance, database, session, dir }
}

fn people(setup: &mut Setup) -> Table {
    let people = TableBuilder::new("people")
        .required("id", ColType::Long)
        .text("name")
        .column("born", ColType::Short)
        .primary(&["id"]);
    setup.database.create_table(&mut setup.session, people).unwrap()
}

fn ids(rows: ese_api::Rows<'_>) -> Vec<Value> {
    rows.map(|row| row.unwrap()["id"].clone()).collect()
}

#[test]
fn rows_are_inserted_read_changed_and_deleted() {
    let mut setup = setup();
    let people = people(&mut setup);
    let mut transaction = setup.session.begin().unwrap();
    let ada = row! { "id" => 1, "name" => "Ada", "born" => 1815_i16 };
    people.insert(&mut transaction, &ada).unwrap();
    people.insert(&mut transaction, &row! { "id" => 2, "name" => "Grace" }).unwrap();
    let duplicate = people.insert(&mut transaction, &row! { "id" => 1 }).unwrap_err();
    assert_eq!(duplicate.code(), JetErr::KeyDuplicate);
    let missing = people.insert(&mut transaction, &row! { "name" => "nobody" }).unwrap_err();
    assert_eq!(missing.code(), JetErr::ColumnIllegalNull);
    let unknown = people.insert(&mut transaction, &row! { "id" => 3, "x" => 1 }).unwrap_err();
    assert_eq!(unknown.code(), JetErr::ColumnNotFound);
    transaction.commit().unwrap();

    let read = people.get(&setup.session, 1).unwrap().unwrap();
    assert_eq!(read["name"], "Ada".into());
    assert_eq!(read["BORN"], 1815_i16.into());
    assert_eq!(read.get("no such column"), None);
    assert_eq!(people.get(&setup.session, 3).unwrap(), None);

    let changed = people.update(&mut setup.session, 2, &row! { "born" => 1906_i16 }).unwrap();
    assert!(changed);
    let read = people.get(&setup.session, 2).unwrap().unwrap();
    assert_eq!((&read["name"], &read["born"]), (&"Grace".into(), &1906_i16.into()));
    assert!(!people.update(&mut setup.session, 7, &row! { "name" => "x" }).unwrap());
    let moved = people.update(&mut setup.session, 2, &row! { "id" => 5 }).unwrap_err();
    assert_eq!(moved.code(), JetErr::RecordPrimaryChanged);

    assert!(people.delete(&mut setup.session, 1).unwrap());
    assert!(!people.delete(&mut setup.session, 1).unwrap());
    assert_eq!(ids(people.rows(&setup.session)), [2.into()]);
    setup.instance.stop().unwrap();
}

#[test]
fn a_dropped_transaction_and_a_dropped_level_leave_nothing() {
    let mut setup = setup();
    let people = people(&mut setup);
    {
        let mut transaction = setup.session.begin().unwrap();
        people.insert(&mut transaction, &row! { "id" => 1 }).unwrap();
    }
    assert_eq!(ids(people.rows(&setup.session)), []);
    let mut transaction = setup.session.begin().unwrap();
    people.insert(&mut transaction, &row! { "id" => 2 }).unwrap();
    {
        let mut inner = transaction.begin_nested().unwrap();
        people.insert(&mut inner, &row! { "id" => 3 }).unwrap();
    }
    let mut inner = transaction.begin_nested().unwrap();
    people.insert(&mut inner, &row! { "id" => 4 }).unwrap();
    inner.commit().unwrap();
    let inner = transaction.begin_nested().unwrap();
    inner.rollback().unwrap();
    transaction.commit_lazy().unwrap();
    setup.session.wait_durable().unwrap();
    assert_eq!(ids(people.rows(&setup.session)), [2.into(), 4.into()]);
}

#[test]
fn ranges_prefixes_and_reverse_order() {
    let mut setup = setup();
    let table = TableBuilder::new("t")
        .column("a", ColType::Long)
        .column("b", ColType::Long)
        .column("id", ColType::Long)
        .primary(&["a", "b"]);
    let table = setup.database.create_table(&mut setup.session, table).unwrap();
    let mut transaction = setup.session.begin().unwrap();
    for id in 0..1000_i32 {
        let values = row! { "a" => id / 100, "b" => id % 100, "id" => id };
        table.insert(&mut transaction, &values).unwrap();
    }
    let all: Vec<Value> = (0..1000).map(Value::I32).collect();
    let mut backward = all.clone();
    backward.reverse();
    assert_eq!(ids(table.rows(&transaction)), all);
    assert_eq!(ids(table.rows(&transaction).rev()), backward);
    let range = |from: usize, to: usize| all[from..to].to_vec();
    let found = ids(table.range(&transaction, (3, 50)..(4, 20)).unwrap());
    assert_eq!(found, range(350, 420));
    let found = ids(table.range(&transaction, (3, 50)..=(4, 20)).unwrap());
    assert_eq!(found, range(350, 421));
    assert_eq!(ids(table.range(&transaction, 3..=4).unwrap()), range(300, 500));
    assert_eq!(ids(table.range(&transaction, 3..4).unwrap()), range(300, 400));
    assert_eq!(ids(table.range(&transaction, 8..).unwrap()), range(800, 1000));
    let mut found = ids(table.range(&transaction, ..=1).unwrap().rev());
    found.reverse();
    assert_eq!(found, range(0, 200));
    let mut found = ids(table.prefix(&transaction, 7).unwrap().rev());
    found.reverse();
    assert_eq!(found, range(700, 800));
    assert_eq!(ids(table.prefix(&transaction, (7, 7)).unwrap()), range(707, 708));
    assert_eq!(ids(table.prefix(&transaction, 77).unwrap()), []);
    let (from, to) = (5, 3);
    assert_eq!(ids(table.range(&transaction, from..to).unwrap()), []);
    let wrong = table.prefix(&transaction, "seven").unwrap_err();
    assert_eq!(wrong.code(), JetErr::InvalidParameter);
    transaction.commit().unwrap();
}

#[test]
fn rows_are_visited_and_found_without_copies() {
    let mut setup = setup();
    let table = TableBuilder::new("t")
        .column("key", ColType::Binary)
        .column("value", ColType::Binary)
        .primary(&["key"]);
    let table = setup.database.create_table(&mut setup.session, table).unwrap();
    let value = table.column("value").unwrap();
    let mut inserter = table.inserter(&["key", "value"]).unwrap();
    let mut transaction = setup.session.begin().unwrap();
    for number in 0..500_u32 {
        let (key, data) = (number.to_be_bytes(), [7; 90]);
        inserter.insert(&mut transaction, &[Some(&key), Some(&data[..])]).unwrap();
    }
    assert!(inserter.insert(&mut transaction, &[None]).is_err());
    transaction.commit().unwrap();
    let (mut count, mut bytes) = (0, 0);
    let broke = table
        .scan(&mut setup.session, |row| {
            count += 1;
            bytes += row.bytes(value).unwrap().unwrap().len();
            if count < 400 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
        .unwrap();
    assert!(broke);
    assert_eq!((count, bytes), (400, 400 * 90));
    let key = 77_u32.to_be_bytes();
    let found = table.get_with(&mut setup.session, &[&key], |row| row.value("key").unwrap());
    assert_eq!(found.unwrap(), Some(Value::Binary(key.to_vec())));
    let none = table.get_with(&mut setup.session, &[b"no such key"], |_| ()).unwrap();
    assert_eq!(none, None);
}

#[test]
fn every_plain_type_and_null_and_defaults_survive() {
    let mut setup = setup();
    let types = [
        (ColType::Bit, Value::Bit(true)),
        (ColType::UnsignedByte, Value::U8(200)),
        (ColType::Short, Value::I16(-3)),
        (ColType::Long, Value::I32(-70_000)),
        (ColType::Currency, Value::Currency(-1 << 40)),
        (ColType::IeeeSingle, Value::F32(0.5)),
        (ColType::IeeeDouble, Value::F64(-0.25)),
        (ColType::DateTime, Value::DateTime(0x40e5_0000_0000_0000)),
        (ColType::Binary, Value::Binary(vec![0, 1, 255])),
        (ColType::Text, Value::Text("na\u{ef}ve".into())),
        (ColType::LongBinary, Value::Binary(vec![9; 300])),
        (ColType::LongText, Value::Text("plain".into())),
        (ColType::UnsignedLong, Value::U32(4_000_000_000)),
        (ColType::LongLong, Value::I64(i64::MIN)),
        (ColType::UnsignedLongLong, Value::U64(u64::MAX)),
        (ColType::Guid, Value::Guid(ese_api::Guid([3; 16]))),
        (ColType::UnsignedShort, Value::U16(65_000)),
    ];
    let mut table = TableBuilder::new("types").column("id", ColType::Long).primary(&["id"]);
    for (ty, _) in &types {
        table = table.column(&format!("{ty:?}"), *ty);
        let tagged = ColumnDef::new(&format!("tagged {ty:?}"), *ty).placed(Placement::Tagged);
        table = table.define(tagged);
    }
    let list = ColumnDef::new("list", ColType::Long)
        .with(ColumnFlags::MULTI_VALUED)
        .placed(Placement::Tagged);
    let default = ColumnDef::new("default", ColType::Long).with_default(&42_i32.to_le_bytes());
    let table = table.define(list).define(default);
    let table = setup.database.create_table(&mut setup.session, table).unwrap();
    let mut values = row! { "id" => 1, "list" => Value::Multi(vec![1.into(), 2.into()]) };
    for (ty, value) in &types {
        values.push(format!("{ty:?}"), value.clone());
        values.push(format!("tagged {ty:?}"), value.clone());
    }
    table.insert(&mut setup.session, &values).unwrap();
    table.insert(&mut setup.session, &row! { "id" => 2, "default" => Value::Null }).unwrap();

    let full = table.get(&setup.session, 1).unwrap().unwrap();
    let empty = table.get(&setup.session, 2).unwrap().unwrap();
    for (ty, value) in &types {
        for name in [format!("{ty:?}"), format!("tagged {ty:?}")] {
            assert_eq!(&full[&name], value, "{name}");
            assert_eq!(empty[&name], Value::Null, "{name}");
        }
    }
    assert_eq!(full["list"], Value::Multi(vec![1.into(), 2.into()]));
    assert_eq!((&full["default"], &empty["default"]), (&42.into(), &Value::Null));

    // An update replaces all values of a list, however many there were.
    for list in [vec![3, 4, 5], vec![6], vec![], vec![7, 8]] {
        let values: Vec<Value> = list.iter().map(|number: &i32| (*number).into()).collect();
        let stored = match values.as_slice() {
            [] => Value::Null,
            [one] => one.clone(),
            _ => Value::Multi(values.clone()),
        };
        let changes = row! { "list" => Value::Multi(values) };
        assert!(table.update(&mut setup.session, 1, &changes).unwrap());
        let found = table.get(&setup.session, 1).unwrap().unwrap();
        assert_eq!(found["list"], stored);
        assert_eq!(found["tagged Long"], full["tagged Long"]);
    }
    let twice = row! { "Long" => 1, "Long" => 2 };
    let refused = table.update(&mut setup.session, 1, &twice).unwrap_err();
    assert_eq!(refused.code(), JetErr::BadItagSequence);
}

#[test]
fn a_table_without_primary_index_numbers_its_rows() {
    let mut setup = setup();
    let table = TableBuilder::new("log").column("id", ColType::Long);
    let table = setup.database.create_table(&mut setup.session, table).unwrap();
    for id in [30, 10, 20] {
        table.insert(&mut setup.session, &row! { "id" => id }).unwrap();
    }
    assert_eq!(ids(table.rows(&setup.session)), [30.into(), 10.into(), 20.into()]);
    assert_eq!(table.get(&setup.session, 2).unwrap().unwrap()["id"], 10.into());
    assert!(table.delete(&mut setup.session, 3).unwrap());
    assert_eq!(table.get(&setup.session, "x").unwrap_err().code(), JetErr::InvalidParameter);
}

/// Rows without key columns, and rows that an index led to, are changed by their bookmarks.
#[test]
fn a_bookmark_names_its_row() {
    let mut setup = setup();
    let log = TableBuilder::new("log").text("what").column("n", ColType::Long);
    let log = setup.database.create_table(&mut setup.session, log.secondary("n", &["n"])).unwrap();
    let mut transaction = setup.session.begin().unwrap();
    for n in 0..10 {
        log.insert(&mut transaction, &row! { "what" => "seen", "n" => 9 - n }).unwrap();
    }
    transaction.commit().unwrap();

    let by_n = log.index("n").unwrap();
    let third = by_n.get(&setup.session, 3).unwrap().unwrap();
    let kept = ese_api::Bookmark::from_bytes(third.bookmark().as_bytes());
    let mut transaction = setup.session.begin().unwrap();
    assert!(log.update(&mut transaction, &kept, &row! { "what" => "changed" }).unwrap());
    assert_eq!(log.get(&transaction, &kept).unwrap().unwrap()["what"], "changed".into());
    assert!(log.lock(&mut transaction, &kept, ese_api::Lock::Write).unwrap());
    assert!(log.delete(&mut transaction, &kept).unwrap());
    assert!(!log.delete(&mut transaction, &kept).unwrap());
    transaction.commit().unwrap();
    assert!(log.get(&setup.session, &kept).unwrap().is_none());

    // The rows came with 9 first; the one with 3 was the seventh, and is gone.
    let n = |rows: ese_api::Rows<'_>| rows.map(|row| row.unwrap()["n"].clone()).collect::<Vec<_>>();
    let all = || log.rows(&setup.session);
    let numbers = |numbers: &[i32]| numbers.iter().copied().map(Value::from).collect::<Vec<_>>();
    assert_eq!(n(all().after(&kept).unwrap()), numbers(&[2, 1, 0]));
    assert_eq!(n(all().rev().after(&kept).unwrap()), numbers(&[4, 5, 6, 7, 8, 9]));
    let mut seen = Vec::new();
    assert!(
        !all()
            .after(&kept)
            .unwrap()
            .visit(|row| {
                seen.push(row.value("n").unwrap());
                ControlFlow::Continue(())
            })
            .unwrap()
    );
    assert_eq!(seen, numbers(&[2, 1, 0]));
    // A range keeps its bounds on both sides.
    let first = all().next().unwrap().unwrap().bookmark().clone();
    let range = || log.range(&setup.session, 3..=9).unwrap();
    assert_eq!(n(range().after(&first).unwrap()), numbers(&[7, 6, 5, 4, 2, 1]));
    assert_eq!(n(range().after(&kept).unwrap()), numbers(&[2, 1]));
    assert_eq!(n(range().rev().after(&kept).unwrap()), numbers(&[4, 5, 6, 7]));
    assert_eq!(n(range().rev().after(&first).unwrap()), numbers(&[]));

    // In the order of an index it is no place.
    let no_key = by_n.get(&setup.session, &kept).unwrap_err();
    assert_eq!(no_key.code(), JetErr::InvalidParameter);
    assert_eq!(by_n.rows(&setup.session).after(&kept).unwrap_err().code(), no_key.code());
    let no_key = by_n.starting_with(&setup.session, &kept).unwrap_err();
    assert_eq!(no_key.code(), JetErr::InvalidParameter);
}

#[test]
fn an_inserted_row_comes_back_as_it_is_stored() {
    let mut setup = setup();
    let id = ColumnDef::new("id", ColType::LongLong).with(ColumnFlags::AUTOINCREMENT);
    let state = ColumnDef::new("state", ColType::Long).with_default(&7_i32.to_le_bytes());
    let notes = TableBuilder::new("notes")
        .define(id)
        .define(state)
        .define(ColumnDef::new("text", ColType::LongBinary))
        .primary(&["id"]);
    let notes = setup.database.create_table(&mut setup.session, notes).unwrap();
    let long = vec![5_u8; 20_000];
    for n in 1..=3_i64 {
        let note = row! { "text" => long.clone() };
        let note = notes.insert_returning(&mut setup.session, &note).unwrap();
        assert_eq!((&note["id"], &note["state"]), (&n.into(), &7.into()));
        assert_eq!(note["text"], long.clone().into());
        assert_eq!(notes.get(&setup.session, note.bookmark()).unwrap().unwrap(), note);
    }
    // What a transaction takes back was never inserted; its number is not given again.
    let mut transaction = setup.session.begin().unwrap();
    let fourth = notes.insert_returning(&mut transaction, &row! { "state" => 1 }).unwrap();
    transaction.rollback().unwrap();
    assert!(notes.get(&setup.session, fourth.bookmark()).unwrap().is_none());
    let fifth = notes.insert_returning(&mut setup.session, &row! { "state" => 1 }).unwrap();
    assert_eq!((&fourth["id"], &fifth["id"]), (&4_i64.into(), &5_i64.into()));
    let again = row! { "id" => 5_i64 };
    let given = notes.insert_returning(&mut setup.session, &again).unwrap_err();
    assert_eq!(given.code(), JetErr::InvalidColumnType);
    assert_eq!(notes.rows(&setup.session).count(), 4);
}

#[test]
fn a_snapshot_stands_still_and_the_first_writer_wins() {
    let mut setup = setup();
    let people = people(&mut setup);
    people.insert(&mut setup.session, &row! { "id" => 1, "name" => "old" }).unwrap();
    let mut other = setup.instance.session().unwrap();
    let mut mine = setup.session.begin().unwrap();
    assert_eq!(people.get(&mine, 1).unwrap().unwrap()["name"], "old".into());

    let mut theirs = other.begin().unwrap();
    people.update(&mut theirs, 1, &row! { "name" => "new" }).unwrap();
    people.insert(&mut theirs, &row! { "id" => 2 }).unwrap();
    let conflict = people.update(&mut mine, 1, &row! { "name" => "mine" }).unwrap_err();
    assert_eq!(conflict.code(), JetErr::WriteConflict);
    let hidden = people.insert(&mut mine, &row! { "id" => 2 }).unwrap_err();
    assert_eq!(hidden.code(), JetErr::KeyDuplicate);
    theirs.commit().unwrap();

    assert_eq!(people.get(&mine, 1).unwrap().unwrap()["name"], "old".into());
    assert_eq!(ids(people.rows(&mine)), [1.into()]);
    let conflict = people.delete(&mut mine, 1).unwrap_err();
    assert_eq!(conflict.code(), JetErr::WriteConflict, "committed after the snapshot");
    assert!(people.delete(&mut other, 1).unwrap());
    for lost in
        [people.delete(&mut mine, 1), people.update(&mut mine, 1, &row! { "name" => "mine" })]
    {
        assert_eq!(lost.unwrap_err().code(), JetErr::WriteConflict, "deleted by somebody else");
    }
    people.insert(&mut other, &row! { "id" => 1, "name" => "new" }).unwrap();
    people.insert(&mut mine, &row! { "id" => 3 }).unwrap();
    mine.commit().unwrap();
    assert_eq!(people.get(&setup.session, 1).unwrap().unwrap()["name"], "new".into());
    assert_eq!(ids(people.rows(&setup.session)), [1.into(), 2.into(), 3.into()]);
    let mut reading = setup.session.begin_read_only().unwrap();
    let refused = people.insert(&mut reading, &row! { "id" => 4 }).unwrap_err();
    assert_eq!(refused.code(), JetErr::TransReadOnly);
}

#[test]
fn a_rolled_back_table_never_was() {
    let mut setup = setup();
    let mut transaction = setup.session.begin().unwrap();
    let table = TableBuilder::new("t").column("id", ColType::Long).primary(&["id"]);
    let made = setup.database.create_table(&mut transaction, table.clone()).unwrap();
    made.insert(&mut transaction, &row! { "id" => 1 }).unwrap();
    let other = setup.instance.session().unwrap();
    let hidden = setup.database.table(&other, "t").unwrap_err();
    assert_eq!(hidden.code(), JetErr::ObjectNotFound);
    transaction.rollback().unwrap();
    drop(made);
    assert_eq!(setup.database.table(&other, "t").unwrap_err().code(), JetErr::ObjectNotFound);
    let again = setup.database.create_table(&mut setup.session, table).unwrap();
    assert_eq!(ids(again.rows(&other)), []);
    let names: Vec<String> = setup
        .database
        .tables(&other)
        .unwrap()
        .iter()
        .map(|table| table.name().to_owned())
        .collect();
    assert_eq!(names, ["MSysLocales", "MSysObjects", "MSysObjectsShadow", "MSysObjids", "t"]);
}

#[test]
fn stopping_ends_sessions_and_takes_open_transactions_back() {
    let mut setup = setup();
    let table = people(&mut setup);
    table.insert(&mut setup.session, &row! { "id" => 1 }).unwrap();
    let mut open = setup.session.begin().unwrap();
    table.insert(&mut open, &row! { "id" => 2 }).unwrap();
    setup.instance.stop().unwrap();
    let late = table.insert(&mut open, &row! { "id" => 3 }).unwrap_err();
    assert_eq!(late.code(), JetErr::NotInitialized);
    assert_eq!(table.get(&open, 1).unwrap_err().code(), JetErr::NotInitialized);
    drop(open);
    drop((table, setup.database, setup.session));

    let instance = Instance::builder(setup.dir.path()).start().unwrap();
    let database = instance.open_database("a.edb").unwrap();
    let session = instance.session().unwrap();
    let table = database.table(&session, "PEOPLE").unwrap();
    assert_eq!(ids(table.rows(&session)), [1.into()]);
    assert_eq!(instance.open_database("a.edb").unwrap().path(), database.path());
    let missing = instance.open_database("b.edb").unwrap_err();
    assert_eq!(missing.code(), JetErr::FileNotFound);
    let exists = instance.create_database("a.edb").unwrap_err();
    assert_eq!(exists.code(), JetErr::DatabaseDuplicate);
    let busy = Instance::builder(setup.dir.path()).start().unwrap_err();
    assert_eq!(busy.code(), JetErr::LogFilePathInUse);
}

#[test]
fn a_database_is_detached_when_nobody_has_a_handle() {
    let mut setup = setup();
    let table = people(&mut setup);
    table.insert(&mut setup.session, &row! { "id" => 1 }).unwrap();
    let busy = setup.database.clone().detach().unwrap_err();
    assert_eq!(busy.code(), JetErr::DatabaseInUse);
    drop(table);
    setup.database.detach().unwrap();
    assert_eq!(setup.instance.databases().len(), 0);
    let database = setup.instance.open_database("a.edb").unwrap();
    let table = database.table(&setup.session, "people").unwrap();
    assert_eq!(ids(table.rows(&setup.session)), [1.into()]);
}

#[test]
fn an_abandoned_instance_keeps_what_was_committed() {
    for page_size in PageSize::ALL {
        let dir = tempfile::tempdir().unwrap();
        let start = || Instance::builder(dir.path()).page_size(page_size).start().unwrap();
        let instance = start();
        let database = instance.create_database("a.edb").unwrap();
        let mut session = instance.session().unwrap();
        let table = TableBuilder::new("t").column("id", ColType::Long).primary(&["id"]);
        let table = database.create_table(&mut session, table).unwrap();
        for batch in 0..20 {
            let mut transaction = session.begin().unwrap();
            for id in 0..100 {
                table.insert(&mut transaction, &row! { "id" => batch * 100 + id }).unwrap();
            }
            transaction.commit().unwrap();
        }
        let mut open = session.begin().unwrap();
        table.insert(&mut open, &row! { "id" => -1 }).unwrap();
        instance.abandon();
        drop(open);
        drop((table, session, database));

        let instance = start();
        assert!(instance.recovery_report().is_some_and(|report| report.records > 2000));
        let database = instance.open_database("a.edb").unwrap();
        let session = instance.session().unwrap();
        let table = database.table(&session, "t").unwrap();
        let expected: Vec<Value> = (0..2000).map(Value::I32).collect();
        assert_eq!(ids(table.rows(&session)), expected);
    }
}

#[test]
fn a_visit_goes_on_where_the_iteration_stopped() {
    let mut setup = setup();
    let people = people(&mut setup);
    let mut transaction = setup.session.begin().unwrap();
    for id in 0..500 {
        people.insert(&mut transaction, &row! { "id" => id }).unwrap();
    }
    transaction.commit().unwrap();
    for taken in [0, 1, 2, 3, 4, 5, 6, 19, 20, 21, 100, 499, 500] {
        for backward in [false, true] {
            let mut rows = people.rows(&setup.session);
            if backward {
                rows = rows.rev();
            }
            let mut found: Vec<Value> =
                rows.by_ref().take(taken).map(|row| row.unwrap()["id"].clone()).collect();
            rows.visit(|row| {
                found.push(row.to_row().unwrap()["id"].clone());
                ControlFlow::Continue(())
            })
            .unwrap();
            let mut expected: Vec<Value> = (0..500).map(Value::I32).collect();
            if backward {
                expected.reverse();
            }
            assert_eq!(found, expected, "{taken} taken, backward: {backward}");
        }
    }
}

#[test]
fn an_instance_is_not_started_with_a_base_name_that_a_restore_would_misread() {
    let dir = tempfile::tempdir().unwrap();
    for base in ["ab", "abcd", "a/b"] {
        for recovery in [true, false] {
            let builder = Instance::builder(dir.path()).base_name(base).recovery(recovery);
            assert_eq!(builder.start().unwrap_err().code(), JetErr::InvalidParameter);
        }
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_scan_from_a_key_begins_there_or_behind_it_and_ends_when_told() {
    let mut setup = setup();
    let people = people(&mut setup);
    setup
        .session
        .transact(|transaction| {
            (0..2000).try_for_each(|id| people.insert(transaction, &row! { "id" => 2 * id }))
        })
        .unwrap();
    let id = people.column("id").unwrap();
    let scan = |session: &mut Session, from: i32, most: usize| {
        let mut seen = Vec::new();
        let broken = people.scan_from(session, &[&from.to_le_bytes()], |row| {
            let bytes = row.bytes(id).unwrap().unwrap();
            seen.push(i32::from_le_bytes(bytes.try_into().unwrap()));
            if seen.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        (seen, broken.unwrap())
    };
    let evens = |from: i32, to: i32| (from..to).step_by(2).collect::<Vec<_>>();
    assert_eq!(scan(&mut setup.session, 100, 300), (evens(100, 700), true));
    assert_eq!(scan(&mut setup.session, 101, 3), (evens(102, 108), true));
    assert_eq!(scan(&mut setup.session, -5, 2), (evens(0, 4), true));
    assert_eq!(scan(&mut setup.session, 3990, 300), (evens(3990, 4000), false));
    assert_eq!(scan(&mut setup.session, 4000, 300), (Vec::new(), false));
}
