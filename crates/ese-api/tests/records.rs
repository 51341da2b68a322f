//! Records at their limits, at every page size: the largest rows, rows that outgrow their page, the
//! most columns, and rows that are older than columns.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing step fails the test")]

use std::path::Path;

use ese_api::{
    ColType, ColumnDef, ColumnFlags, Database, Env, Instance, JetErr, PageSize, Placement, Session,
    StopToken, Table, TableBuilder, Value, Values, VerifyOptions, row, verify_dir,
};

struct Test {
    session: Session,
    database: Database,
    instance: Instance,
    dir: tempfile::TempDir,
}

fn test(page_size: PageSize) -> Test {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::builder(dir.path()).page_size(page_size).start().unwrap();
    let database = instance.create_database("a.edb").unwrap();
    let session = instance.session().unwrap();
    Test { session, database, instance, dir }
}

/// Our own verification finds nothing.
fn verify(dir: &Path) {
    let mut quiet = |_: &ese_api::VerifyProgress| ();
    let mut options = VerifyOptions::new(&mut quiet, StopToken::new());
    let report = verify_dir(&Env::real(), dir, &mut options).unwrap();
    let problems: Vec<String> = report.all_problems().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{problems:#?}");
}

/// Stops the instance, and verifies what it leaves.
fn end(Test { session, database, instance, dir }: Test) -> tempfile::TempDir {
    drop((session, database));
    instance.stop().unwrap();
    verify(dir.path());
    dir
}

/// Longest record, as the format has it: the page without its header, two tags and the longest key
/// (edb-format 7.7).
const LONGEST: [(PageSize, usize); 4] = [
    (PageSize::K4, 4096 - 40 - 8 - 2 - 257),
    (PageSize::K8, 8192 - 40 - 8 - 2 - 257),
    (PageSize::K16, 16_384 - 80 - 8 - 4 - 255),
    (PageSize::K32, 32_768 - 80 - 8 - 4 - 255),
];

/// Bytes of a record beside its pieces: its head, the id, the map of NULLs, and of the tagged
/// column its entry and the byte that says it is a list.
const BESIDE: usize = 4 + 4 + 1 + 4 + 1;

/// Values that fill a record to this length: each takes two bytes beside its own.
fn pieces(record_len: usize, with: u8) -> Value {
    let room = record_len - BESIDE;
    let count = room.div_ceil(257).max(3);
    let bytes = room - 2 * count;
    let len = |at: usize| bytes / count + usize::from(at < bytes % count);
    Value::Multi((0..count).map(|at| Value::Binary(vec![with; len(at)])).collect())
}

fn pieces_table(test: &mut Test) -> Table {
    let pieces = ColumnDef::new("pieces", ColType::Binary).placed(Placement::Tagged);
    let table = TableBuilder::new("rows")
        .column("id", ColType::Long)
        .define(pieces.with(ColumnFlags::MULTI_VALUED))
        .primary(&["id"]);
    test.database.create_table(&mut test.session, table).unwrap()
}

#[test]
fn the_largest_row_fits_and_a_byte_more_does_not() {
    for (page_size, longest) in LONGEST {
        let mut test = test(page_size);
        let table = pieces_table(&mut test);
        let row = |id: i32, len| row! { "id" => id, "pieces" => pieces(len, 7) };
        table.insert(&mut test.session, &row(1, longest)).unwrap();
        let more = table.insert(&mut test.session, &row(2, longest + 1)).unwrap_err();
        assert_eq!(more.code(), JetErr::RecordTooBig, "{page_size:?}: {more}");
        assert!(table.get(&test.session, 2).unwrap().is_none());
        // The same for a row that is there.
        table.insert(&mut test.session, &row! { "id" => 3 }).unwrap();
        let change = |len| row! { "pieces" => pieces(len, 8) };
        let more = table.update(&mut test.session, 3, &change(longest + 1)).unwrap_err();
        assert_eq!(more.code(), JetErr::RecordTooBig, "{page_size:?}");
        assert_eq!(table.get(&test.session, 3).unwrap().unwrap()["pieces"], Value::Null);
        table.update(&mut test.session, 3, &change(longest)).unwrap();
        for (id, with) in [(1, 7), (3, 8)] {
            let read = table.get(&test.session, id).unwrap().unwrap();
            assert_eq!(read["pieces"], pieces(longest, with), "{page_size:?}");
        }
        drop(table);
        end(test);
    }
}

#[test]
fn rows_grow_out_of_their_page_and_shrink_again() {
    for (page_size, longest) in LONGEST {
        let mut test = test(page_size);
        grow_and_shrink(&mut test, longest);
        end(test);
    }
}

fn grow_and_shrink(test: &mut Test, longest: usize) {
    const ROWS: i32 = 60;
    let table = pieces_table(test);
    let mut len = BESIDE + 9;
    for id in 0..ROWS {
        let row = row! { "id" => id, "pieces" => pieces(len, 1) };
        table.insert(&mut test.session, &row).unwrap();
    }
    // By steps, in an order that is not the rows', and twice as far as pages are wide.
    for (step, part) in [(7, 10), (11, 3), (13, 1), (17, 20), (23, 2)] {
        len = (longest / part).max(BESIDE + 9);
        let mut transaction = test.session.begin().unwrap();
        for n in 0..ROWS {
            let id = n * step % ROWS;
            let change = row! { "pieces" => pieces(len, u8::try_from(id).unwrap()) };
            table.update(&mut transaction, id, &change).unwrap();
        }
        transaction.commit().unwrap();
        for id in 0..ROWS {
            let read = table.get(&test.session, id).unwrap().unwrap();
            let expected = pieces(len, u8::try_from(id).unwrap());
            assert_eq!(read["pieces"], expected, "row {id} of {longest}");
        }
    }
    // What is taken back is as it was.
    let mut transaction = test.session.begin().unwrap();
    for id in (0..ROWS).rev() {
        let change = row! { "pieces" => pieces(longest, 99) };
        table.update(&mut transaction, id, &change).unwrap();
    }
    transaction.rollback().unwrap();
    assert_eq!(i32::try_from(table.rows(&test.session).count()), Ok(ROWS));
    let read = table.get(&test.session, ROWS / 2).unwrap().unwrap();
    assert_eq!(read["pieces"], pieces(len, 30));
}

#[test]
fn a_table_has_127_fixed_and_128_variable_columns_and_rows_use_them_all() {
    for page_size in PageSize::ALL {
        let mut test = test(page_size);
        let mut table = TableBuilder::new("wide").column("id", ColType::Long).primary(&["id"]);
        let fixed: Vec<String> = (0..126).map(|n| format!("fixed {n}")).collect();
        let variable: Vec<String> = (0..128).map(|n| format!("variable {n}")).collect();
        for name in &fixed {
            table = table.column(name, ColType::UnsignedByte);
        }
        for name in &variable {
            table = table.column(name, ColType::Binary);
        }
        table = table.define(ColumnDef::new("tagged", ColType::Long).placed(Placement::Tagged));
        let table = test.database.create_table(&mut test.session, table).unwrap();
        for ty in [ColType::Long, ColType::Text] {
            let added = table.add_column(&mut test.session, &ColumnDef::new("more", ty));
            assert_eq!(added.unwrap_err().code(), JetErr::TooManyColumns);
        }
        let more = ColumnDef::new("more", ColType::LongText);
        table.add_column(&mut test.session, &more).unwrap();
        let value = |n: usize| Value::Binary(vec![u8::try_from(n).unwrap(); n % 20 + 1]);
        let mut row = Values::new().set("id", 1).set("tagged", 5);
        for (n, name) in fixed.iter().enumerate() {
            row.push(name.as_str(), Value::U8(u8::try_from(n).unwrap()));
        }
        for (n, name) in variable.iter().enumerate() {
            row.push(name.as_str(), value(n));
        }
        table.insert(&mut test.session, &row).unwrap();
        // The last ones alone bring all before them along.
        let last = row! { "id" => 2, "fixed 125" => Value::U8(1), "variable 127" => value(3) };
        table.insert(&mut test.session, &last).unwrap();
        let read = table.get(&test.session, 1).unwrap().unwrap();
        for (n, name) in fixed.iter().enumerate() {
            assert_eq!(read[name.as_str()], Value::U8(u8::try_from(n).unwrap()), "{name}");
        }
        for (n, name) in variable.iter().enumerate() {
            assert_eq!(read[name.as_str()], value(n), "{name}");
        }
        let read = table.get(&test.session, 2).unwrap().unwrap();
        let filled = read.iter().filter(|(_, value)| **value != Value::Null);
        let names: Vec<&str> = filled.map(|(name, _)| name).collect();
        assert_eq!(names, ["id", "fixed 125", "variable 127"]);
    }
}

/// Columns that a row is older than: name, where, default.
const LATER: [(&str, ColType, Placement, &[u8]); 8] = [
    ("fixed", ColType::Long, Placement::Auto, &[]),
    ("fixed default", ColType::Long, Placement::Auto, &[7, 0, 0, 0]),
    ("variable", ColType::Binary, Placement::Auto, &[]),
    ("variable default", ColType::Binary, Placement::Auto, b"variable"),
    ("tagged", ColType::Binary, Placement::Tagged, &[]),
    ("tagged default", ColType::Binary, Placement::Tagged, b"tagged"),
    ("long", ColType::LongBinary, Placement::Auto, &[]),
    ("long default", ColType::LongBinary, Placement::Auto, b"long"),
];

fn value(ty: ColType, bytes: &[u8]) -> Value {
    match (ty, bytes) {
        (_, []) => Value::Null,
        (ColType::Long, [byte, ..]) => Value::I32(i32::from(*byte)),
        (_, bytes) => Value::Binary(bytes.to_vec()),
    }
}

#[test]
fn old_rows_show_new_columns_and_forget_deleted_ones() {
    for page_size in PageSize::ALL {
        let mut test = test(page_size);
        change_columns(&mut test);
        let dir = end(test);
        let instance = Instance::builder(dir.path()).page_size(page_size).start().unwrap();
        look_at_them_again(&instance);
    }
}

fn change_columns(test: &mut Test) {
    let table = TableBuilder::new("rows").column("id", ColType::Long).primary(&["id"]);
    let table = test.database.create_table(&mut test.session, table).unwrap();
    table.insert(&mut test.session, &row! { "id" => 1 }).unwrap();
    let mut ids = Vec::new();
    for (name, ty, placement, default) in LATER {
        let def = ColumnDef::new(name, ty).placed(placement);
        let def = if default.is_empty() { def } else { def.with_default(default) };
        ids.push(table.add_column(&mut test.session, &def).unwrap());
    }
    let check = |table: &Table, session: &Session, id: i32, own: u8, without: &[&str]| {
        let read = table.get(session, id).unwrap().unwrap();
        for (name, ty, _, default) in LATER {
            let expected = match own {
                _ if without.contains(&name) => None,
                0 => Some(value(ty, default)),
                own => Some(value(ty, &[own])),
            };
            assert_eq!(read.get(name), expected.as_ref(), "{name} of row {id}");
        }
    };
    let table = table.refreshed(&test.session).unwrap();
    check(&table, &test.session, 1, 0, &[]);
    let mut row = Values::new().set("id", 2);
    LATER.iter().for_each(|(name, ty, ..)| row.push(*name, value(*ty, &[42])));
    table.insert(&mut test.session, &row).unwrap();
    check(&table, &test.session, 2, 42, &[]);
    // Deleted columns take nothing else along, and their ids are not used again.
    let gone = ["fixed default", "variable", "tagged default"];
    for name in gone {
        table.delete_column(&mut test.session, name).unwrap();
    }
    let table = table.refreshed(&test.session).unwrap();
    check(&table, &test.session, 1, 0, &gone);
    check(&table, &test.session, 2, 42, &gone);
    let again = ColumnDef::new("fixed default", ColType::Long).with_default(&[9, 0, 0, 0]);
    let id = table.add_column(&mut test.session, &again).unwrap();
    assert!(ids.iter().all(|old| *old != id), "{id:?} was used before");
    let table = table.refreshed(&test.session).unwrap();
    for row in [1, 2] {
        let read = table.get(&test.session, row).unwrap().unwrap();
        assert_eq!(read["fixed default"], Value::I32(9), "not what the old column had");
    }
    // A change of an old row, which now has columns in its middle that are gone.
    table.update(&mut test.session, 1, &row! { "long" => Value::Binary(vec![5; 9]) }).unwrap();
    table.update(&mut test.session, 2, &row! { "fixed" => 43 }).unwrap();
}

fn look_at_them_again(instance: &Instance) {
    let database = instance.open_database("a.edb").unwrap();
    let session = instance.session().unwrap();
    let table = database.table(&session, "rows").unwrap();
    let read = table.get(&session, 1).unwrap().unwrap();
    assert_eq!((&read["long"], &read["fixed"]), (&Value::Binary(vec![5; 9]), &Value::Null));
    assert_eq!(read["variable default"], Value::Binary(b"variable".to_vec()));
    let read = table.get(&session, 2).unwrap().unwrap();
    assert_eq!((&read["fixed"], &read["fixed default"]), (&Value::I32(43), &Value::I32(9)));
}
