//! Random rows of values in every form that they have on disk, read by this engine and by the three
//! foreign readers: NULL, empty, in the row, compressed, outside of the row in one chunk or many,
//! two values, several values, and all of these mixed, at every page size.
//!
//! What a reader is known to get wrong (edb-format 14) is listed in [`QUIRKS`]; each of these must
//! still happen, and nothing else may.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing step fails the test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    path::Path,
    thread,
};

use ese_api::{
    ColType, ColumnDef, ColumnFlags, Env, Instance, PageSize, Placement, StopToken, Table,
    TableBuilder, Value, Values, VerifyOptions, verify_dir,
};
use ese_engine::{
    longvalue::chunk_len,
    record::{ColumnData, Instance as Stored, RecordView},
};
use ese_sim::Random;
use ese_tests::{Peers, Reader, Row, canonical, checkers, hex, peers, scratch};
use serde_json::Value as Json;

const ROWS: u32 = 220;
const FILE: &str = "values.edb";
const TABLE: &str = "values";

#[test]
fn at_4_kib_every_form_of_a_value_is_read() {
    every_form_is_read(PageSize::K4, "at_4_kib_every_form_of_a_value_is_read");
}

#[test]
fn at_8_kib_every_form_of_a_value_is_read() {
    every_form_is_read(PageSize::K8, "at_8_kib_every_form_of_a_value_is_read");
}

#[test]
fn at_16_kib_every_form_of_a_value_is_read() {
    every_form_is_read(PageSize::K16, "at_16_kib_every_form_of_a_value_is_read");
}

#[test]
fn at_32_kib_every_form_of_a_value_is_read() {
    every_form_is_read(PageSize::K32, "at_32_kib_every_form_of_a_value_is_read");
}

/// How a value of a row is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Null,
    Empty,
    Plain,
    Compressed,
    /// In one chunk.
    Separated,
    /// In several chunks.
    Chunks,
    /// Separated, and compressed chunk by chunk.
    Packed,
    /// Several values, none of them outside of the row.
    Several,
    /// Several values, some of them outside of the row.
    SeveralSeparated,
}

/// Columns besides the key: name, type, place, several values, compressed.
const COLUMNS: [(&str, ColType, Placement, ColumnFlags); 19] = {
    use ColType::{
        Binary, Bit, Currency, DateTime, Guid, IeeeDouble, IeeeSingle, Long, LongBinary, LongLong,
        LongText, Short, Text, UnsignedByte, UnsignedLong, UnsignedShort,
    };
    use Placement::{Auto, Tagged};
    const NO: ColumnFlags = ColumnFlags::empty();
    const MANY: ColumnFlags = ColumnFlags::MULTI_VALUED;
    const PACKED: ColumnFlags = ColumnFlags::COMPRESSED;
    [
        ("bit", Bit, Tagged, NO),
        ("byte", UnsignedByte, Tagged, NO),
        ("short", Short, Tagged, NO),
        ("unsigned_short", UnsignedShort, Tagged, NO),
        ("unsigned_long", UnsignedLong, Tagged, NO),
        ("long_long", LongLong, Tagged, NO),
        ("currency", Currency, Tagged, NO),
        ("single", IeeeSingle, Tagged, NO),
        ("double", IeeeDouble, Tagged, NO),
        ("date", DateTime, Tagged, NO),
        ("guid", Guid, Tagged, NO),
        ("binary", Binary, Auto, NO),
        ("tagged_text", Text, Tagged, NO),
        ("long_binary", LongBinary, Auto, NO),
        ("long_text", LongText, Auto, NO),
        ("packed_binary", LongBinary, Auto, PACKED),
        ("packed_text", LongText, Auto, PACKED),
        ("several", Long, Tagged, MANY),
        ("long_several", LongBinary, Auto, MANY),
    ]
};

/// A reader, a column or all (`*`), a form of its values, and what is shown then.
type Quirk = (Reader, &'static str, Form, &'static str);

/// Beside these, libesedb reads no row with an empty value in a short tagged column of a small page
/// and no compressed text that is not ASCII, and dissect takes some raw chunks for compressed ones:
/// such values are not made here.
const QUIRKS: [Quirk; 8] = [
    (Reader::Pyesedb, "*", Form::Empty, "NULL"),
    (Reader::Pyesedb, "*", Form::SeveralSeparated, "the ids of those outside of the row"),
    (Reader::Pyesedb, "*", Form::Compressed, "bytes as stored; text taken for UTF-16"),
    (Reader::Impacket, "*", Form::Compressed, "NULL"),
    (Reader::Impacket, "*", Form::Separated, "the id"),
    (Reader::Impacket, "*", Form::Chunks, "the id"),
    (Reader::Impacket, "*", Form::Packed, "the id"),
    (Reader::Impacket, "*", Form::SeveralSeparated, "the ids of those outside of the row"),
];

/// What does not happen with every size of pages.
const RARE: [Quirk; 1] =
    [(Reader::Pyesedb, "packed_text", Form::Packed, "a chunk of many that is not expanded")];

/// Bytes of a value: none, a few, or up to several chunks.
fn some_len(random: &mut Random, page_size: PageSize, most: usize) -> usize {
    let len = match random.below(10) {
        0 => 0,
        1..4 => random.between(1, 8),
        4..6 => random.between(9, 200),
        6..8 => random.between(201, 1500),
        8 => random.between(1501, page_size.bytes()),
        _ => random.between(page_size.bytes(), 6 * page_size.bytes()),
    };
    if len > most { random.between(0, most) } else { len }
}

/// Bytes, some of which compress well. None is below 0x40: dissect takes the third and later raw
/// chunks of a value for compressed ones if they begin like those (edb-format 9.3, 14).
fn some_bytes(random: &mut Random, len: usize) -> Vec<u8> {
    let mut high = |len| random.bytes(len).iter().map(|byte| byte | 0x40).collect::<Vec<u8>>();
    let word = high(len.clamp(1, 9));
    if random.chance(1, 2) {
        return random.bytes(len).iter().map(|byte| byte | 0x40).collect();
    }
    word.iter().copied().cycle().take(len).collect()
}

fn some_text(random: &mut Random, letters: &[char], len: usize) -> String {
    (0..len).map(|_| letters[random.index(letters.len())]).collect()
}

fn some_value(random: &mut Random, name: &str, ty: ColType, page_size: PageSize) -> Value {
    let number = random.next_u64();
    let [a, b, c, d, e, f, g, h] = number.to_le_bytes();
    match ty {
        ColType::Bit => Value::Bit(number % 2 == 1),
        ColType::UnsignedByte => Value::U8(a),
        ColType::Short => Value::I16(i16::from_le_bytes([a, b])),
        ColType::UnsignedShort => Value::U16(u16::from_le_bytes([a, b])),
        ColType::Long => Value::I32(i32::from_le_bytes([a, b, c, d])),
        ColType::UnsignedLong => Value::U32(u32::from_le_bytes([a, b, c, d])),
        ColType::LongLong => Value::I64(number.cast_signed()),
        ColType::Currency => Value::Currency(number.cast_signed()),
        ColType::DateTime => Value::DateTime(number.cast_signed()),
        ColType::IeeeSingle => Value::F32(f32::from(i16::from_le_bytes([c, d])) / 8.0),
        ColType::IeeeDouble => Value::F64(f64::from(i32::from_le_bytes([e, f, g, h])) / 16.0),
        ColType::Guid => Value::Guid(ese_api::Guid(random.bytes(16).try_into().unwrap())),
        ColType::Binary | ColType::LongBinary => {
            let most = if ty.is_long() { usize::MAX } else { 255 };
            let len = some_len(random, page_size, most);
            Value::Binary(some_bytes(random, len))
        }
        _ => {
            let most = if ty.is_long() { usize::MAX } else { 255 };
            let len = some_len(random, page_size, most);
            // libesedb takes compressed text of code page 1252 for UTF-8.
            let foreign = if name.starts_with("packed") { 'q' } else { '\u{e9}' };
            // It reads no row with an empty value in a short tagged column of a small page.
            let least = usize::from(name == "tagged_text" && page_size.is_small());
            Value::Text(some_text(random, &['a', 'b', 'Z', '_', foreign], len.max(least)))
        }
    }
}

/// The values of a row besides its key.
fn values(id: u32, page_size: PageSize) -> Vec<Value> {
    let mut random = Random::new(u64::from(id) << 8 | 3);
    let one = |&(name, ty, _, flags): &(&str, ColType, Placement, ColumnFlags)| {
        if random.chance(1, 7) {
            return Value::Null;
        }
        let count =
            if flags.contains(ColumnFlags::MULTI_VALUED) { random.between(1, 5) } else { 1 };
        let mut list: Vec<Value> =
            (0..count).map(|_| some_value(&mut random, name, ty, page_size)).collect();
        if count == 1 { list.remove(0) } else { Value::Multi(list) }
    };
    COLUMNS.iter().map(one).collect()
}

fn every_form_is_read(page_size: PageSize, test: &str) {
    let folder = scratch();
    let file = folder.path().join(FILE);
    let instance =
        Instance::builder(folder.path()).page_size(page_size).circular_log(true).start().unwrap();
    let database = instance.create_database(FILE).unwrap();
    let mut session = instance.session().unwrap();
    let mut table = TableBuilder::new(TABLE).column("id", ColType::UnsignedLong).primary(&["id"]);
    for (name, ty, placement, flags) in COLUMNS {
        table = table.define(ColumnDef::new(name, ty).placed(placement).with(flags));
    }
    let table = database.create_table(&mut session, table).unwrap();
    for id in 0..ROWS {
        // Every third is written first as another row and then changed.
        if id % 3 == 0 {
            table.insert(&mut session, &row(id, id + 10_000, page_size)).unwrap();
            table.update(&mut session, id, &row(id, id, page_size)).unwrap();
        } else {
            table.insert(&mut session, &row(id, id, page_size)).unwrap();
        }
    }
    drop((table, session, database));
    instance.stop().unwrap();
    verify(folder.path());

    let instance = Instance::builder(folder.path()).page_size(page_size).start().unwrap();
    let database = instance.open_database(FILE).unwrap();
    let session = instance.session().unwrap();
    let table = database.table(&session, TABLE).unwrap();
    let mut records = Vec::new();
    let all = table.rows(&session).visit(|row| {
        records.push(row.record().to_vec());
        ControlFlow::Continue(())
    });
    all.unwrap();
    let forms: Vec<BTreeMap<&str, Form>> = (0..ROWS)
        .zip(&records)
        .map(|(id, record)| {
            let read = table.get(&session, id).unwrap().unwrap();
            for ((name, ..), value) in COLUMNS.iter().zip(values(id, page_size)) {
                assert_eq!(read[*name], value, "{name} of row {id}, read by ourselves");
            }
            forms_of(&table, record, id)
        })
        .collect();
    let seen: BTreeSet<Form> = forms.iter().flat_map(BTreeMap::values).copied().collect();
    assert_eq!(seen.len(), 9, "not every form occurs: {seen:?}");
    drop((table, session, database));
    instance.stop().unwrap();

    // The checker still has the chunks of old large pages.
    if let Some(checkers) = checkers(test).filter(|_| page_size.is_small()) {
        assert_eq!(checkers.check(&file), Ok(()));
    }
    let Some(peers) = peers(test) else { return };
    thread::scope(|scope| {
        for reader in Reader::ALL {
            let (peers, forms, file) = (&peers, &forms, &file);
            scope.spawn(move || compare(peers, reader, file, page_size, forms));
        }
    });
}

fn row(id: u32, of: u32, page_size: PageSize) -> Values<'static> {
    let mut row = Values::new();
    if id == of || of >= 10_000 {
        row.push("id", id);
    }
    for ((name, ..), value) in COLUMNS.iter().zip(values(of, page_size)) {
        row.push(*name, value);
    }
    row
}

/// How the values of a row are stored.
fn forms_of(table: &Table, record: &[u8], id: u32) -> BTreeMap<&'static str, Form> {
    let page_size = table.schema().page_size;
    let chunk = usize::try_from(chunk_len(table.schema())).unwrap();
    let view = RecordView::new(record, page_size).unwrap();
    let lens: Vec<usize> = values(id, page_size)
        .iter()
        .map(|value| match value {
            Value::Binary(bytes) => bytes.len(),
            Value::Text(text) => text.len(),
            _ => 1,
        })
        .collect();
    let form = |(at, &(name, _, _, flags)): (usize, &(&'static str, ColType, _, ColumnFlags))| {
        let column = table.schema().column(name).unwrap();
        let one = |stored| match stored {
            Stored::Plain([]) => Form::Empty,
            Stored::Plain(_) => Form::Plain,
            Stored::Compressed(_) => Form::Compressed,
            Stored::Separated(_) if flags.contains(ColumnFlags::COMPRESSED) => Form::Packed,
            Stored::Separated(_) if lens[at] > chunk => Form::Chunks,
            Stored::Separated(_) => Form::Separated,
            other => panic!("{name}: {other:?}"),
        };
        let form = match view.data(column).unwrap() {
            ColumnData::Null => Form::Null,
            ColumnData::One(stored) => one(stored),
            ColumnData::Many(list) => {
                let outside = list.iter().any(|v| matches!(v.unwrap(), Stored::Separated(_)));
                if outside { Form::SeveralSeparated } else { Form::Several }
            }
            other => panic!("{name}: {other:?}"),
        };
        (name, form)
    };
    COLUMNS.iter().enumerate().map(form).collect()
}

/// A reader returns exactly these rows, but for what it is known to get wrong.
fn compare(
    peers: &Peers,
    reader: Reader,
    file: &Path,
    page_size: PageSize,
    forms: &[BTreeMap<&str, Form>],
) {
    let (mut at, mut wrong) = (0_u32, BTreeMap::<(&str, Form), (usize, String)>::new());
    peers.each_row(reader, file, TABLE, |mut found: Row| {
        assert_eq!(found.remove("id"), Some(at.into()), "{reader:?}");
        for ((name, ty, ..), value) in COLUMNS.iter().zip(values(at, page_size)) {
            let (found, expected) = (found.remove(*name), seen_by(reader, *ty, &value));
            let form = forms[at as usize][name];
            if found.as_ref() != Some(&expected) {
                let entry = wrong.entry((*name, form)).or_default();
                entry.0 += 1;
                let short = |json: String| json.chars().take(70).collect::<String>();
                let found = found.map_or("nothing".to_owned(), |found| found.to_string());
                let expected = short(expected.to_string());
                entry.1 = format!("row {at}: {expected} but {}", short(found));
            }
        }
        at += 1;
    });
    assert_eq!(at, ROWS, "{reader:?}");
    let known = |name: &str, form: Form| {
        QUIRKS.iter().chain(&RARE).any(|quirk| {
            quirk.0 == reader && (quirk.1 == "*" || quirk.1 == name) && quirk.2 == form
        })
    };
    let unknown: Vec<_> = wrong.iter().filter(|((name, form), _)| !known(name, *form)).collect();
    assert!(unknown.is_empty(), "{reader:?}: {unknown:#?}");
    for quirk in QUIRKS.iter().filter(|quirk| quirk.0 == reader) {
        let still = wrong
            .keys()
            .any(|(name, form)| (quirk.1 == "*" || quirk.1 == *name) && quirk.2 == *form);
        assert!(still, "{reader:?} no longer does this: {quirk:?}");
    }
}

/// How a reader shows a value; two of them do not decode several, and one shows all bytes alike.
fn seen_by(reader: Reader, ty: ColType, value: &Value) -> Json {
    match value {
        Value::Multi(list) if reader == Reader::Impacket && ty.is_long() => {
            hex(&stored(ty, list)).into()
        }
        Value::Multi(list) if reader != Reader::Dissect => {
            serde_json::json!({ "undecoded": hex(&stored(ty, list)) })
        }
        value => canonical(value),
    }
}

/// Several values as the record holds them, if all of them are in it.
fn stored(ty: ColType, list: &[Value]) -> Vec<u8> {
    let values: Vec<Vec<u8>> = list
        .iter()
        .map(|value| match value {
            Value::I32(number) => number.to_le_bytes().to_vec(),
            Value::Binary(bytes) => bytes.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    if let ([first, second], false) = (&values[..], ty.is_long()) {
        return [&[u8::try_from(first.len()).unwrap()], &first[..], second].concat();
    }
    let mut bytes = Vec::new();
    let mut offset = 2 * values.len();
    for value in &values {
        bytes.extend(u16::try_from(offset & 0x7fff).unwrap().to_le_bytes());
        offset += value.len();
    }
    values.iter().for_each(|value| bytes.extend(value));
    bytes
}

/// Our own verification.
fn verify(dir: &Path) {
    let mut quiet = |_: &ese_api::VerifyProgress| ();
    let mut options = VerifyOptions::new(&mut quiet, StopToken::new());
    let report = verify_dir(&Env::real(), dir, &mut options).unwrap();
    let problems: Vec<String> = report.all_problems().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{problems:#?}");
}
