//! Databases of ours, read by the three foreign readers: every row of a large table with columns of
//! every plain type, at every page size, and nothing for the independent checkers to find.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failing step fails the test, and figures are worth seeing"
)]

use std::{path::Path, thread};

use ese_api::{
    ColType, ColumnDef, ColumnFlags, Database, Env, Guid, Instance, Offline, PageSize, Placement,
    Session, StopToken, Table, TableBuilder, Transaction, Value, Values, VerifyOptions, verify_dir,
};
use ese_engine::{
    space::check::{check as check_space, trees_of},
    tree::check::TreeReport,
};
use ese_sim::Random;
use ese_tests::{Peers, Reader, Row, canonical, checkers, hex, peers, scratch};
use serde_json::Value as Json;

/// A table: its columns besides the key, and how many rows are inserted. Some are deleted again.
struct Kind {
    name: &'static str,
    columns: &'static [&'static str],
    inserted: u32,
    /// Who can read it.
    readers: &'static [Reader],
}

const KINDS: [Kind; 3] = [
    // 100,000 rows stay. Few columns: Python takes ten microseconds a value.
    Kind { name: "deep", columns: &["text16"], inserted: 108_500, readers: &Reader::ALL },
    Kind {
        name: "everything",
        columns: &[
            "bit",
            "byte",
            "short",
            "unsigned_short",
            "long",
            "unsigned_long",
            "long_long",
            "currency",
            "single",
            "double",
            "date",
            "guid",
            "fixed_binary",
            "binary",
            "text",
            "text16",
            "long_binary",
            "long_text",
            "long_text16",
            "tagged_bit",
            "tagged_long",
            "tagged_text",
            "several",
        ],
        inserted: 3_000,
        readers: &Reader::ALL,
    },
    // libesedb does not know this type.
    Kind {
        name: "newer",
        columns: &["unsigned_long_long", "tagged_unsigned_long_long"],
        inserted: 2_000,
        readers: &[Reader::Dissect, Reader::Impacket],
    },
];

/// Rows whose keys begin with the same bytes: about as many as a large leaf holds. So half of the
/// separators are as long as keys, the others differ early, and pages above the leaves fill up.
const GROUP: u32 = 128;
/// Rows of one transaction.
const BATCH: u32 = 2_000;
const FILE: &str = "rows.edb";

/// No new database has such pages: the engine can make one all the same, as Windows once did.
#[test]
fn at_2_kib_every_reader_returns_every_row() {
    let [_, few @ ..] = KINDS;
    readers_return_rows(PageSize::K2, few, "at_2_kib_every_reader_returns_every_row");
}

#[test]
fn at_4_kib_every_reader_returns_every_row() {
    every_reader_returns_every_row(PageSize::K4, "at_4_kib_every_reader_returns_every_row");
}

#[test]
fn at_8_kib_every_reader_returns_every_row() {
    every_reader_returns_every_row(PageSize::K8, "at_8_kib_every_reader_returns_every_row");
}

#[test]
fn at_16_kib_every_reader_returns_every_row() {
    every_reader_returns_every_row(PageSize::K16, "at_16_kib_every_reader_returns_every_row");
}

#[test]
fn at_32_kib_every_reader_returns_every_row() {
    every_reader_returns_every_row(PageSize::K32, "at_32_kib_every_reader_returns_every_row");
}

fn every_reader_returns_every_row(page_size: PageSize, test: &str) {
    let (rows, levels) = readers_return_rows(page_size, KINDS, test);
    assert!(rows >= 100_000 && levels >= 3, "{rows} rows on {levels} levels");
}

/// The number of rows of the first table, and the levels of its tree.
fn readers_return_rows<const N: usize>(
    page_size: PageSize,
    kinds: [Kind; N],
    test: &str,
) -> (usize, usize) {
    let folder = scratch();
    let file = folder.path().join(FILE);
    let instance = Instance::builder(folder.path())
        .configure(|config| config.page_size = page_size)
        .circular_log(true)
        .start()
        .unwrap();
    let database = instance.create_database(FILE).unwrap();
    let contents = kinds.map(|kind| Content::new(kind, page_size));
    for content in &contents {
        content.write(&database, &mut instance.session().unwrap());
    }
    drop(database);
    instance.stop().unwrap();
    verify(folder.path());
    let size = rows_and_levels(&file, &contents[0]);
    if let Some(checkers) = checkers(test) {
        assert_eq!(checkers.check(&file), Ok(()));
    }
    let Some(peers) = peers(test) else { return size };
    thread::scope(|scope| {
        for reader in Reader::ALL {
            let (peers, contents, file) = (&peers, &contents, &file);
            scope.spawn(move || {
                for content in contents.iter().filter(|c| c.kind.readers.contains(&reader)) {
                    content.compare(peers, reader, file);
                }
            });
        }
    });
    size
}

/// A column: its definition, and a value for a row. `None` is NULL.
struct Column {
    def: ColumnDef,
    value: fn(&mut Random) -> Value,
}

/// The column of this name.
fn column(name: &str) -> Column {
    use ColType::{
        Binary, Bit, Currency, DateTime, IeeeDouble, IeeeSingle, Long, LongBinary, LongLong,
        LongText, Short, Text, UnsignedByte, UnsignedLong, UnsignedLongLong, UnsignedShort,
    };
    type Make = fn(&mut Random) -> Value;
    let (ty, value): (ColType, Make) = match name.trim_start_matches("tagged_") {
        "bit" => (Bit, |r| r.chance(1, 2).into()),
        "byte" => (UnsignedByte, |r| Value::U8(bytes::<1>(r)[0])),
        "short" => (Short, |r| i16::from_le_bytes(bytes(r)).into()),
        "unsigned_short" => (UnsignedShort, |r| u16::from_le_bytes(bytes(r)).into()),
        "long" => (Long, |r| i32::from_le_bytes(bytes(r)).into()),
        "unsigned_long" => (UnsignedLong, |r| u32::from_le_bytes(bytes(r)).into()),
        "long_long" => (LongLong, |r| i64::from_le_bytes(bytes(r)).into()),
        "unsigned_long_long" => (UnsignedLongLong, |r| r.next_u64().into()),
        "currency" => (Currency, |r| Value::Currency(i64::from_le_bytes(bytes(r)))),
        "single" => (IeeeSingle, |r| single(r).into()),
        "double" => (IeeeDouble, |r| double(r).into()),
        "date" => (DateTime, |r| Value::DateTime(i64::from_le_bytes(bytes(r)))),
        "guid" => (ColType::Guid, |r| Guid(bytes(r)).into()),
        "fixed_binary" => (Binary, |r| r.bytes(FIXED_LEN).into()),
        "binary" => (Binary, |r| some_bytes(r, 30).into()),
        "text" => (Text, |r| western(r, 20).into()),
        "text16" => (Text, |r| unicode(r, 12).into()),
        "long_binary" => (LongBinary, |r| some_bytes(r, 60).into()),
        "long_text" => (LongText, |r| western(r, 40).into()),
        "long_text16" => (LongText, |r| unicode(r, 20).into()),
        "several" => (Long, several),
        other => panic!("no column {other}"),
    };
    let def = ColumnDef::new(name, ty);
    let def = match name {
        "fixed_binary" => def.max_len(7).placed(Placement::Fixed),
        "several" => def.with(ColumnFlags::MULTI_VALUED).placed(Placement::Tagged),
        _ if name.starts_with("tagged_") => def.placed(Placement::Tagged),
        _ if name.ends_with("16") => def.unicode(),
        _ => def,
    };
    Column { def, value }
}

/// Bytes of the fixed binary column, as its definition says.
const FIXED_LEN: usize = 7;

fn bytes<const N: usize>(random: &mut Random) -> [u8; N] {
    random.bytes(N).try_into().unwrap()
}

fn double(random: &mut Random) -> f64 {
    match random.below(20) {
        0 => f64::NAN,
        1 => f64::INFINITY,
        2 => f64::NEG_INFINITY,
        _ => f64::from_le_bytes(bytes(random)),
    }
}

fn single(random: &mut Random) -> f32 {
    match random.below(20) {
        0 => f32::NAN,
        1 => f32::INFINITY,
        2 => f32::NEG_INFINITY,
        _ => f32::from_le_bytes(bytes(random)),
    }
}

fn some_bytes(random: &mut Random, most: usize) -> Vec<u8> {
    let len = random.between(1, most);
    random.bytes(len)
}

/// Text of code page 1252.
fn western(random: &mut Random, most: usize) -> String {
    characters(random, most, &['a', 'Z', '0', ' ', '"', '\\', '\u{e9}', '\u{fc}', '\u{df}'])
}

fn unicode(random: &mut Random, most: usize) -> String {
    characters(random, most, &['a', '\u{e9}', '\u{20ac}', '\u{416}', '\u{4e2d}', '\u{1f600}'])
}

fn characters(random: &mut Random, most: usize, from: &[char]) -> String {
    (0..random.between(1, most)).map(|_| from[random.index(from.len())]).collect()
}

fn several(random: &mut Random) -> Value {
    let mut one = || Value::I32(i32::from_le_bytes(bytes(random)));
    let list = vec![one(), one(), one()];
    // One value is stored as such.
    if random.chance(1, 4) { Value::Multi(list) } else { list[0].clone() }
}

/// The first part of a row's key: the larger the pages, the longer, so that all trees are deep.
/// (libesedb reads no table of more than 16,384 leaves, so small pages had better not have long
/// rows.)
fn group(page_size: PageSize, id: u32) -> Vec<u8> {
    let len = match page_size {
        PageSize::K2 | PageSize::K4 => 24,
        PageSize::K8 => 48,
        PageSize::K16 => 96,
        _ => 120,
    };
    Random::new(u64::from(id / GROUP)).bytes(len)
}

/// The values of a row besides its key. Version 1 is what an update leaves.
fn values(columns: &[Column], id: u32, version: u64) -> Vec<Value> {
    let mut random = Random::new(u64::from(id) << 8 | version);
    let value = |column: &Column| {
        let value = (column.value)(&mut random);
        if random.chance(1, 6) { Value::Null } else { value }
    };
    columns.iter().map(value).collect()
}

/// Is the row deleted in the end?
fn is_deleted(id: u32) -> bool {
    id % 13 == 5
}

/// The version of its values in the end.
fn version(id: u32) -> u64 {
    u64::from(id % 7 == 3)
}

/// What a table holds.
struct Content {
    kind: Kind,
    page_size: PageSize,
    columns: Vec<Column>,
    /// The rows that stay, in the order of their keys.
    rows: Vec<u32>,
}

impl Content {
    fn new(kind: Kind, page_size: PageSize) -> Content {
        let columns = kind.columns.iter().map(|name| column(name)).collect();
        let mut rows: Vec<u32> = (0..kind.inserted).filter(|id| !is_deleted(*id)).collect();
        rows.sort_by_cached_key(|id| (group(page_size, *id), *id));
        Content { kind, page_size, columns, rows }
    }

    fn key(&self, id: u32) -> (Value, u32) {
        (group(self.page_size, id).into(), id)
    }

    /// Makes the table and fills it: inserts, then updates and deletions.
    fn write(&self, database: &Database, session: &mut Session) {
        let table = TableBuilder::new(self.kind.name).column("group", ColType::Binary);
        let table = table.column("id", ColType::UnsignedLong);
        let columns = self.columns.iter();
        let table = columns.fold(table, |table, column| table.define(column.def.clone()));
        let table = database.create_table(session, table.primary(&["group", "id"])).unwrap();
        let ids: Vec<u32> = (0..self.kind.inserted).collect();
        for batch in ids.chunks(BATCH as usize) {
            let mut transaction = session.begin().unwrap();
            batch.iter().for_each(|id| self.insert(&table, &mut transaction, *id));
            transaction.commit_lazy().unwrap();
        }
        for batch in ids.chunks(BATCH as usize) {
            let mut transaction = session.begin().unwrap();
            batch.iter().for_each(|id| self.change(&table, &mut transaction, *id));
            transaction.commit_lazy().unwrap();
        }
        // What is rolled back leaves nothing.
        let mut transaction = session.begin().unwrap();
        (self.kind.inserted..).take(500).for_each(|id| self.insert(&table, &mut transaction, id));
        transaction.rollback().unwrap();
    }

    fn values(&self, table: &Table, id: u32, version: u64) -> Values<'static> {
        let ids = self.columns.iter().map(|column| table.column(&column.def.name).unwrap());
        ids.zip(values(&self.columns, id, version)).collect()
    }

    fn insert(&self, table: &Table, to: &mut Transaction<'_>, id: u32) {
        let mut row = self.values(table, id, 0);
        row.push("group", self.key(id).0);
        row.push("id", id);
        table.insert(to, &row).unwrap();
    }

    fn change(&self, table: &Table, to: &mut Transaction<'_>, id: u32) {
        if is_deleted(id) {
            assert!(table.delete(to, self.key(id)).unwrap());
        } else if version(id) == 1 {
            assert!(table.update(to, self.key(id), &self.values(table, id, 1)).unwrap());
        }
    }

    /// A reader returns exactly these rows, in their order, each value equal.
    fn compare(&self, peers: &Peers, reader: Reader, file: &Path) {
        let mut at = 0;
        peers.each_row(reader, file, self.kind.name, |found| {
            let place = format!("{reader:?}, {}, row {at}", self.kind.name);
            let id = self.rows.get(at).unwrap_or_else(|| panic!("{place}: too many: {found:?}"));
            at += 1;
            let differing = self.differences(reader, *id, found);
            assert!(differing.is_empty(), "{place}, id {id}: {differing:#?}");
        });
        assert_eq!(at, self.rows.len(), "{reader:?}, {}", self.kind.name);
    }

    /// The columns of a row that are not as they were written.
    fn differences(&self, reader: Reader, id: u32, mut found: Row) -> Vec<String> {
        let mut differing = Vec::new();
        let mut expect = |name: &str, value: Json, or: Option<Json>| {
            let found = found.remove(name);
            if found.as_ref() != Some(&value) && (or.is_none() || found != or) {
                differing.push(format!("{name}: expected {value}, found {found:?}"));
            }
        };
        expect("group", canonical(&self.key(id).0), None);
        expect("id", id.into(), None);
        for (column, value) in self.columns.iter().zip(values(&self.columns, id, version(id))) {
            let shown = value == Value::Null && reader.shows_null_as_filler();
            let or = filler(&column.def).filter(|_| shown);
            expect(&column.def.name, seen_by(reader, &value), or);
        }
        differing.extend(found.keys().map(|name| format!("{name}: an unknown column")));
        differing
    }
}

/// Our own verification.
fn verify(dir: &Path) {
    let mut quiet = |_: &ese_api::VerifyProgress| ();
    let mut options = VerifyOptions::new(&mut quiet, StopToken::new());
    let report = verify_dir(&Env::real(), dir, &mut options).unwrap();
    let problems: Vec<String> = report.all_problems().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{problems:#?}");
}

/// How many rows the table has, and how many levels its tree.
fn rows_and_levels(file: &Path, content: &Content) -> (usize, usize) {
    let offline = Offline::open(&Env::real(), file).unwrap();
    let table = offline.table(content.kind.name).unwrap();
    let trees = trees_of(offline.tables());
    let trees = check_space(offline.cache(), &trees, offline.header().dbtime());
    let tree = trees.trees.iter().find(|tree| tree.pages.first() == Some(&table.fdp)).unwrap();
    let TreeReport { depth, leaves, entries, deleted, .. } = tree;
    println!("{depth} levels, {leaves} leaves, {entries} rows, {deleted} marked as deleted");
    assert_eq!(usize::try_from(*entries), Ok(content.rows.len()));
    (content.rows.len(), *depth)
}

/// How a reader shows a value; two of them do not decode several.
fn seen_by(reader: Reader, value: &Value) -> Json {
    match value {
        Value::Multi(list) if reader != Reader::Dissect => {
            serde_json::json!({ "undecoded": hex(&stored(list)) })
        }
        value => canonical(value),
    }
}

/// Several numbers as the record holds them: where each begins, then the values.
fn stored(list: &[Value]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for at in 0..list.len() {
        bytes.extend(u16::try_from(2 * list.len() + 4 * at).unwrap().to_le_bytes());
    }
    for value in list {
        let Value::I32(number) = value else { panic!("{value:?}") };
        bytes.extend(number.to_le_bytes());
    }
    bytes
}

/// What stands in the place of a fixed column that is NULL, unless the record ends before it.
fn filler(def: &ColumnDef) -> Option<Json> {
    let zero = match def.ty {
        _ if def.placement == Placement::Tagged => return None,
        ColType::Binary if def.placement == Placement::Fixed => Value::Binary(vec![0; FIXED_LEN]),
        ColType::Binary | ColType::Text | ColType::LongBinary | ColType::LongText => return None,
        ColType::Bit => Value::Bit(false),
        ColType::IeeeSingle | ColType::IeeeDouble => Value::F64(0.0),
        ColType::Guid => Value::Guid(Guid([0; 16])),
        _ => Value::U8(0),
    };
    Some(canonical(&zero))
}
