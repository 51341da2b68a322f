//! `ese export` on our own databases: whole, damaged, with deleted rows, in every form.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing step fails the test")]
#![allow(clippy::disallowed_methods, reason = "tests look at files from outside the engine")]

mod support;

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use ese_api::{ColType, ColumnDef, ColumnFlags, PageSize, TableBuilder, Value, row};
use ese_base::Pgno;
use ese_pages::checksum::stamp;
use serde_json::Value as Json;
use support::{a_leaf, clean, damage, dirty, ese, fill, start, untouched};

const PAGE: usize = 4096;

fn json_lines(text: &str) -> Vec<Json> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ids(text: &str) -> Vec<i64> {
    json_lines(text).iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

#[test]
fn json_lines_and_csv_hold_what_rows_prints_in_its_order() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 20_000);
    for form in ["--json", "--csv"] {
        let rows = ese(dir, &["rows", "a.edb", "t", form]).fine();
        let format = if form == "--csv" { "csv" } else { "jsonl" };
        for threads in ["1", "2", "7"] {
            let args = ["export", "a.edb", "t", "--format", format, "--threads", threads];
            let exported = untouched(dir, || ese(dir, &args)).fine();
            assert!(rows == exported.replace("\r\n", "\n"), "{form}, {threads} threads");
        }
    }
    let table = &["export", "a.edb", "--out", "out", "--quiet"];
    ese(dir, table).fine();
    let file = fs::read_to_string(dir.join("out/t.csv")).unwrap();
    assert_eq!(file.lines().count(), 20_001);
    ese(dir, table).refused(2, &["out", "not empty"]);
    ese(dir, &["export", "a.edb", "--all"]).refused(2, &["--out"]);
    ese(dir, &["export", "a.edb", "nope"]).refused(2, &["JET_errObjectNotFound"]);
}

/// Every kind of value, each also as NULL.
fn many_kinds(dir: &Path) {
    let instance = start(dir, PageSize::K8);
    let database = instance.create_database("a.edb").unwrap();
    let mut session = instance.session().unwrap();
    let mut transaction = session.begin().unwrap();
    let multi = ColumnDef {
        flags: ColumnFlags::MULTI_VALUED,
        ..ColumnDef::new("several", ColType::LongText)
    };
    let table = TableBuilder::new("kinds")
        .column("id", ColType::Long)
        .column("bit", ColType::Bit)
        .column("big", ColType::UnsignedLongLong)
        .column("half", ColType::IeeeDouble)
        .column("when", ColType::DateTime)
        .column("which", ColType::Guid)
        .column("bytes", ColType::LongBinary)
        .text("text")
        .define(multi);
    let table = database.create_table(&mut transaction, table.primary(&["id"])).unwrap();
    let guid = ese_api::Guid::parse("3f360af1-6766-46dc-9af2-0dacf295c2a1").unwrap();
    let ole = i64::from_le_bytes(43_571.5_f64.to_le_bytes());
    let row = row! {
        "id" => 1, "bit" => true, "big" => u64::MAX, "half" => 0.5, "when" => Value::DateTime(ole),
        "which" => guid, "bytes" => vec![0_u8, 0xff], "text" => "a \"b\", c\n\u{e9}\u{1f600}",
        "several" => Value::Multi(vec!["x".into(), "y, \"z\"".into()])
    };
    table.insert(&mut transaction, &row).unwrap();
    table.insert(&mut transaction, &row! { "id" => 2 }).unwrap();
    let long = "long ".repeat(20_000);
    let when = Value::DateTime(132_000_000_000_000_000);
    table.insert(&mut transaction, &row! { "id" => 3, "text" => long, "when" => when }).unwrap();
    transaction.commit().unwrap();
    drop((table, session, database));
    instance.stop().unwrap();
}

#[test]
fn every_kind_of_value_is_written_as_documented() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    many_kinds(dir);
    let rows = json_lines(&ese(dir, &["export", "a.edb", "kinds", "--json"]).fine());
    assert_eq!(rows[0]["bit"], true);
    assert_eq!(rows[0]["big"], u64::MAX);
    assert_eq!(rows[0]["when"], "2019-04-16T12:00:00.000");
    assert_eq!(rows[0]["which"], "3f360af1-6766-46dc-9af2-0dacf295c2a1");
    assert_eq!(rows[0]["bytes"], "00ff");
    assert_eq!(rows[0]["text"], "a \"b\", c\n\u{e9}\u{1f600}");
    assert_eq!(rows[0]["several"], serde_json::json!(["x", "y, \"z\""]));
    assert_eq!(rows[2]["text"].as_str().unwrap().len(), 100_000);
    assert_eq!(rows[2]["when"], "2019-04-17T18:40:00.0000000Z");
    let raw = ["export", "a.edb", "kinds", "--json", "--raw-dates", "--omit-nulls"];
    let rows = json_lines(&ese(dir, &raw).fine());
    assert_eq!(rows[2]["when"], 132_000_000_000_000_000_i64);
    assert_eq!(rows[1].as_object().unwrap().len(), 1);
    let csv = ese(dir, &["export", "a.edb", "kinds"]).fine();
    assert!(csv.contains("\"a \"\"b\"\", c\n\u{e9}\u{1f600}\""), "{csv:.500}");
    assert!(csv.contains(",\"[\"\"x\"\",\"\"y, \\\"\"z\\\"\"\"\"]\""), "{csv:.500}");
    assert!(csv.contains("\r\n2,,,,,,,,\r\n"), "{csv:.500}");
}

/// Asks Python's SQLite; `None` where there is no Python.
fn sqlite(file: &Path, script: &str) -> Option<Json> {
    let program = format!(
        "import sqlite3, json, sys\nc = sqlite3.connect(sys.argv[1])\nq = lambda s: \
         c.execute(s).fetchall()\nprint(json.dumps({script}))"
    );
    let output = Command::new("python3").args(["-c", &program]).arg(file).output().ok()?;
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn sqlite_opens_what_was_written_for_it_and_finds_it_whole() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    many_kinds(dir);
    fs::create_dir(dir.join("many")).unwrap();
    clean(&dir.join("many"), PageSize::K4, 60_000);
    ese(dir, &["export", "a.edb", "--all", "--out", "kinds.sqlite"]).fine();
    ese(dir, &["export", "many/a.edb", "--format", "sqlite", "--out", "many.out"]).fine();
    ese(dir, &["export", "a.edb", "--out", "kinds.sqlite"])
        .refused(2, &["JET_errFileAlreadyExists"]);
    let whole = "[q('pragma integrity_check'), q('select count(*), sum(id), min(name), \
                 sum(length(value)) from t'), q('select name from t where rowid = 45679')]";
    let Some(found) = sqlite(&dir.join("many.out"), whole) else {
        return ese_tests::skip("sqlite_opens_what_was_written_for_it", "python3");
    };
    let sum = 59_999_i64 * 60_000 / 2;
    assert_eq!(
        found,
        serde_json::json!([[["ok"]], [[60_000, sum, "row 0", 7_200_000]], [["row 45678"]]])
    );
    let kinds = "[q('pragma integrity_check'), \
                 q('select bit, big, half, \"when\", which, hex(bytes), text, several from kinds \
                 where id = 1'), \
                 q('select length(text), bit from kinds where id = 3'), \
                 len(q('select * from MSysObjects'))]";
    let found = sqlite(&dir.join("kinds.sqlite"), kinds).unwrap();
    assert_eq!(found[0], serde_json::json!([["ok"]]));
    let first = serde_json::json!([[
        1,
        "18446744073709551615",
        0.5,
        "2019-04-16T12:00:00.000",
        "3f360af1-6766-46dc-9af2-0dacf295c2a1",
        "00FF",
        "a \"b\", c\n\u{e9}\u{1f600}",
        "[\"x\",\"y, \\\"z\\\"\"]"
    ]]);
    assert_eq!(found[1], first);
    assert_eq!(found[2], serde_json::json!([[100_000, null]]));
    assert!(found[3].as_i64() > Some(70));
}

#[test]
fn a_damaged_leaf_costs_its_rows_and_no_others() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 5000);
    let leaf = a_leaf(&dir.join("a.edb"), PAGE);
    damage(&dir.join("a.edb"), leaf + 1000);
    let ran = untouched(dir, || ese(dir, &["export", "a.edb", "t", "--json"]));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let pgno = leaf / PAGE - 1;
    let found = ids(&ran.stdout);
    let lost = 5000 - found.len();
    assert!((10..60).contains(&lost), "{lost} rows lost");
    let told = json_lines(ran.stderr.lines().last().unwrap())[0]["lost"].clone();
    assert_eq!(
        (told["page"].as_u64(), told["rows"].as_u64()),
        (Some(pgno as u64), Some(lost as u64))
    );
    let told = ese(dir, &["export", "a.edb", "t"]).stderr;
    assert!(told.contains(&format!("LOST page {pgno} of table \"t\", {lost} rows")), "{told}");
    assert!(told.contains(&format!("at least {lost} rows")), "{told}");
    assert!(found.is_sorted());
    let gaps = found.windows(2).filter(|pair| pair[1] != pair[0] + 1).count();
    assert_eq!(gaps, 1);
    // `rows` stops there, unless it is told to go on.
    assert_eq!(ese(dir, &["rows", "a.edb", "t", "--json"]).code, Some(1));
    let rows = ese(dir, &["rows", "a.edb", "t", "--json", "--as-is"]);
    assert_eq!((rows.code, ids(&rows.stdout)), (Some(1), found));
}

/// Offset of the root page of the table `t`.
fn root(dir: &Path) -> usize {
    let table: Json =
        serde_json::from_str(&ese(dir, &["tables", "a.edb", "t", "--json"]).fine()).unwrap();
    (usize::try_from(table["root_page"].as_u64().unwrap()).unwrap() + 1) * PAGE
}

#[test]
fn a_damaged_root_costs_no_row() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 5000);
    damage(&dir.join("a.edb"), root(dir) + 2000);
    let ran = untouched(dir, || ese(dir, &["export", "a.edb", "t", "--json"]));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("{\"lost\":"), "{ran:?}");
    assert_eq!(ids(&ran.stdout), (0..5000).collect::<Vec<i64>>());
}

#[test]
fn of_two_damaged_catalogs_the_tables_are_put_together() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 300);
    // The roots of the catalog and of its shadow are inner pages here.
    for pgno in [4, 24] {
        damage(&dir.join("a.edb"), (pgno + 1) * PAGE + 60);
    }
    assert_eq!(ese(dir, &["export", "a.edb", "t", "--json"]).code, Some(1));
    let ran = untouched(dir, || ese(dir, &["export", "a.edb", "t", "--json", "--as-is"]));
    // Leaves that nothing leads to may be lost with them, and nobody could tell.
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("MSysObjects") && ran.stderr.contains("\"page\":4,"), "{ran:?}");
    assert_eq!(ids(&ran.stdout), (0..300).collect::<Vec<i64>>());
}

#[test]
fn a_dirty_database_is_exported_as_it_stands_only_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    dirty(dir, 2000);
    let refused = untouched(dir, || ese(dir, &["export", "a.edb", "t"]));
    refused.refused(1, &["JET_errDatabaseDirtyShutdown"]);
    let Some(data) = ese_tests::real_data("a_dirty_database_is_exported_as_it_stands") else {
        return;
    };
    let args = ["databases/qmgr-16k-dirty.db", "Files", "--json", "--as-is"];
    let rows = ese(&data, &[&["rows"][..], &args].concat()).fine();
    let exported = ese(&data, &[&["export"][..], &args].concat()).fine();
    assert!(!rows.is_empty() && rows == exported, "{rows:.300}\n{exported:.300}");
    // Jobs that Windows has finished and removed from its list.
    let deleted = ese(&data, &[&["export"][..], &args, &["--deleted"]].concat()).fine();
    assert!(json_lines(&deleted).len() > 10, "{deleted:.300}");
}

#[test]
fn deleted_rows_are_told_apart_from_living_ones() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let instance = start(dir, PageSize::K4);
    let database = fill(&instance, 1000);
    let mut session = instance.session().unwrap();
    let mut transaction = session.begin().unwrap();
    let table = database.table(&transaction, "t").unwrap();
    let gone = |id: &i32| id % 10 == 3;
    for id in (0..1000).filter(gone) {
        assert!(table.delete(&mut transaction, id).unwrap());
    }
    transaction.commit().unwrap();
    drop((table, session, database));
    instance.stop().unwrap();
    let living: BTreeSet<i64> =
        ids(&ese(dir, &["export", "a.edb", "t", "--json"]).fine()).into_iter().collect();
    assert_eq!(living.len(), 900);
    let found =
        untouched(dir, || ese(dir, &["export", "a.edb", "t", "--json", "--deleted"])).fine();
    let mut deleted = BTreeSet::new();
    for row in json_lines(&found) {
        let id = row["row"]["id"].as_i64().unwrap();
        let evidence = row["evidence"].as_str().unwrap();
        assert!(row["page"].as_u64().unwrap() > 0 && row["offset"].as_u64().unwrap() > 0, "{row}");
        assert_eq!(row["line"].is_null(), evidence != "marked", "{row}");
        assert!(!living.contains(&id), "{row}");
        assert_eq!(row["row"]["name"], format!("row {id}"), "{row}");
        deleted.insert(id);
    }
    assert!(deleted.len() >= 50, "only {} of 100 deleted rows were found", deleted.len());
    let csv = ese(dir, &["rows", "a.edb", "t", "--deleted", "--csv"]).fine();
    assert!(csv.starts_with("evidence,page,line,offset,key,id,"), "{csv:.200}");
    for count in ["0", "2"] {
        let some = ese(dir, &["rows", "a.edb", "t", "--deleted", "--csv", "-n", count]).fine();
        assert_eq!(some.lines().count().to_string(), if count == "0" { "1" } else { "3" });
        assert!(csv.starts_with(&some), "{some}");
    }
    ese(dir, &["export", "a.edb", "--deleted", "--out", "gone.sqlite"]).fine();
    if let Some(count) =
        sqlite(&dir.join("gone.sqlite"), "q('select count(*) from \"t (deleted)\"')")
    {
        assert_eq!(count[0][0].as_u64(), Some(found.lines().count() as u64));
    }
}

/// ESE overwrites what it deletes if it is told to; the key stays.
#[test]
fn of_a_deleted_row_that_was_wiped_the_key_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 300);
    let path = dir.join("a.edb");
    let (leaf, mut file) = (a_leaf(&path, PAGE), fs::read(&path).unwrap());
    let page = &mut file[leaf..leaf + PAGE];
    let word = |page: &[u8], at: usize| usize::from(u16::from_le_bytes([page[at], page[at + 1]]));
    // The slot of the second row, from the end of the page: length, then place and flags.
    let slot = PAGE - 4 * 3;
    let (place, flags) = (word(page, slot + 2) & 0x1fff, word(page, slot + 2) >> 13);
    let line = 40 + place;
    // Bytes of the key that are the page's, if the node is compressed, and its own.
    let head = if flags & 4 == 0 { 2 } else { 4 };
    let data = line + head + word(page, line + head - 2);
    page[data] = 0;
    let len = data + 1 - line;
    // What the page counts as free is more now.
    let free = word(page, 28) + word(page, slot) - len;
    for (at, value) in [(28, free), (slot, len)] {
        page[at..at + 2].copy_from_slice(&u16::try_from(value).unwrap().to_le_bytes());
    }
    page[slot + 3] |= 0x40;
    stamp(page, Pgno(u32::try_from(leaf / PAGE - 1).unwrap()));
    fs::write(&path, file).unwrap();
    let living = ids(&ese(dir, &["export", "a.edb", "t", "--json"]).fine());
    let gone = (0..300).find(|id| !living.contains(id)).unwrap();
    let found = ese(dir, &["export", "a.edb", "t", "--json", "--deleted"]).fine();
    let rows = json_lines(&found);
    let wiped = rows.iter().find(|row| row["evidence"] == "wiped").unwrap();
    // The key of a number of four bytes: a byte that says that it is there, the sign turned over.
    assert_eq!(wiped["key"], format!("7f{:08x}", 0x8000_0000_u32 + u32::try_from(gone).unwrap()));
    assert_eq!(wiped["page"].as_u64(), Some((leaf / PAGE - 1) as u64), "{wiped}");
    assert!(wiped["row"]["id"].is_null() && wiped["row"]["name"].is_null(), "{wiped}");
    let csv = ese(dir, &["rows", "a.edb", "t", "--deleted", "--csv"]).fine();
    assert!(csv.lines().any(|line| line.starts_with("wiped,")), "{csv:.300}");
}

/// Names that mean something to SQLite, to Windows or to programs.
#[test]
fn tables_that_get_another_name_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let instance = start(dir, PageSize::K4);
    let database = instance.create_database("a.edb").unwrap();
    let mut session = instance.session().unwrap();
    let mut transaction = session.begin().unwrap();
    for name in ["sqlite_x", "CON", "-x", "plain"] {
        let table = TableBuilder::new(name).column("sqlite_id", ColType::Long);
        database.create_table(&mut transaction, table.column("_more", ColType::Long)).unwrap();
    }
    transaction.commit().unwrap();
    drop((session, database));
    instance.stop().unwrap();
    let ran = ese(dir, &["export", "a.edb", "--out", "out.sqlite"]);
    let named = "\"sqlite_x\" is called \"_sqlite_x\" in out.sqlite";
    assert!(ran.code == Some(0) && ran.stderr.contains(named), "{ran:?}");
    assert_eq!(ran.stderr.matches("is called").count(), 1, "{ran:?}");
    let ran = ese(dir, &["export", "a.edb", "--out", "out"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for (name, file) in [("CON", "_CON.csv"), ("-x", "_-x.csv")] {
        assert!(ran.stderr.contains(&format!("table {name:?} is in out/{file}")), "{ran:?}");
        assert!(dir.join("out").join(file).exists());
    }
    assert_eq!(ran.stderr.matches(" is in ").count(), 2, "{ran:?}");
}
