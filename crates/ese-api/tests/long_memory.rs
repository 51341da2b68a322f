//! What a long value costs in memory while it is written and read as a stream. A process of its
//! own, with one test: what it has in memory is measured from outside.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test says what is wrong by ending, and asks the system about its process"
)]

use std::io::{Read, Write};

use ese_api::{ColType, Instance, PageSize, Table, TableBuilder, Transaction, row};

const MIB: u64 = 1 << 20;
const CACHE: u64 = 32 * MIB;
/// What a stream may take beyond the cache, whatever the length of its value.
const BEYOND: u64 = 16 * MIB;

/// Memory of the process that no file stands for.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() << 10
}

/// Bytes of the value: a gigabyte, unless `ESE_LONG_VALUE_MIB` says otherwise.
fn value_len() -> u64 {
    let asked = std::env::var("ESE_LONG_VALUE_MIB").ok();
    asked.map_or(1024, |mib| mib.parse().unwrap()) * MIB
}

/// The part of the value at this offset, which is a multiple of its length.
fn fill(part: &mut [u8], offset: u64) {
    for (word, n) in part.chunks_exact_mut(8).zip(offset / 8..) {
        word.copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    }
}

/// Makes a long value out of a byte, and another one out of that by a change of its beginning; the
/// most memory that was in use after one of the calls.
fn resize_and_copy(table: &Table, transaction: &mut Transaction<'_>) -> u64 {
    let len = value_len() / 8;
    table.insert(transaction, &row! { "id" => 2 }).unwrap();
    let mut writer = table.write_value(transaction, 2, "long").unwrap();
    writer.write_all(&[1; 4000]).unwrap();
    writer.set_len(len).unwrap();
    let resized = memory();
    writer.finish().unwrap();
    let mut writer = table.write_value(transaction, 2, "long").unwrap();
    writer.write_all(&[2; 10]).unwrap();
    writer.set_len(len + 1).unwrap();
    let copied = memory();
    writer.finish().unwrap();
    let mut reader = table.read_value(transaction, 2, "long").unwrap().unwrap();
    let mut begin = vec![0; 5000];
    reader.read_exact(&mut begin).unwrap();
    assert_eq!(reader.len(), len + 1);
    assert!(begin.iter().enumerate().all(|(at, byte)| match at {
        0..10 => *byte == 2,
        10..4000 => *byte == 1,
        _ => *byte == 0,
    }));
    resized.max(copied)
}

#[test]
fn a_value_of_a_gigabyte_takes_no_more_memory_than_the_cache_and_a_little() {
    let dir = tempfile::tempdir().unwrap();
    let builder = Instance::builder(dir.path()).page_size(PageSize::K32).cache_size(CACHE);
    let instance = builder.start().unwrap();
    let database = instance.create_database("a.edb").unwrap();
    let mut session = instance.session().unwrap();
    let mut transaction = session.begin().unwrap();
    let table = TableBuilder::new("t").column("id", ColType::Long);
    let table = table.column("long", ColType::LongBinary).primary(&["id"]);
    let table = database.create_table(&mut transaction, table).unwrap();
    table.insert(&mut transaction, &row! { "id" => 1 }).unwrap();
    transaction.commit().unwrap();

    let (before, len) = (memory(), value_len());
    let mut most = before;
    let mut part = vec![0; 60_000];
    let step = part.len() as u64;
    let mut transaction = session.begin().unwrap();
    let mut writer = table.write_value(&mut transaction, 1, "long").unwrap();
    for offset in (0..len).step_by(part.len()) {
        fill(&mut part, offset);
        writer.write_all(&part).unwrap();
        if (offset / step).is_multiple_of(64) {
            most = most.max(memory());
        }
    }
    writer.finish().unwrap();
    transaction.commit().unwrap();
    let written = most.max(memory());

    let (mut expected, mut offset) = (part.clone(), 0);
    let transaction = session.begin().unwrap();
    let mut reader = table.read_value(&transaction, 1, "long").unwrap().unwrap();
    while offset < reader.len() {
        reader.read_exact(&mut part).unwrap();
        fill(&mut expected, offset);
        assert!(part == expected, "at {offset}");
        offset += step;
        if (offset / step).is_multiple_of(64) {
            most = most.max(memory());
        }
    }
    drop(reader);
    transaction.commit().unwrap();
    let read = most.max(memory());

    let mut transaction = session.begin().unwrap();
    most = most.max(resize_and_copy(&table, &mut transaction));
    transaction.commit().unwrap();
    let resized = most;

    let mut transaction = session.begin().unwrap();
    table.delete(&mut transaction, 1).unwrap();
    transaction.commit().unwrap();
    drop(session);
    drop((table, database));
    instance.stop().unwrap();
    let deleted = most.max(memory());
    let over = |peak: u64| peak.saturating_sub(before + CACHE) as f64 / MIB as f64;
    println!(
        "{} MiB: {:.1} MiB beyond the cache after writing, {:.1} after reading, {:.1} after resizing, {:.1} \
         at the end",
        len / MIB,
        over(written),
        over(read),
        over(resized),
        over(deleted)
    );
    assert!(deleted <= before + CACHE + BEYOND, "{deleted} bytes, {before} at the beginning");
}
