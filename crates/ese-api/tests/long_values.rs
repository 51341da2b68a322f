//! Long values as streams.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]

use std::{
    io::{ErrorKind, Read, Seek, SeekFrom, Write},
    ops::ControlFlow,
};

use ese_api::{
    ColType, ColumnDef, ColumnFlags, Database, Error, Instance, JetErr, LongReader, PageSize,
    Session, Table, TableBuilder, Transaction, row,
};

struct Store {
    _dir: tempfile::TempDir,
    instance: Instance,
    _database: Database,
    table: Table,
}

fn store(page_size: PageSize) -> Store {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::builder(dir.path()).page_size(page_size).start().unwrap();
    let database = instance.create_database("a.edb").unwrap();
    let mut session = instance.session().unwrap();
    let mut transaction = session.begin().unwrap();
    let packed = ColumnDef::new("packed", ColType::LongText).with(ColumnFlags::COMPRESSED);
    let table = TableBuilder::new("t")
        .column("id", ColType::Long)
        .column("plain", ColType::LongBinary)
        .define(packed)
        .primary(&["id"]);
    let table = database.create_table(&mut transaction, table).unwrap();
    table.insert(&mut transaction, &row! { "id" => 1 }).unwrap();
    transaction.commit().unwrap();
    drop(session);
    Store { _dir: dir, instance, _database: database, table }
}

fn bytes(len: usize) -> Vec<u8> {
    (0..=250_u8).cycle().step_by(7).take(len).collect()
}

fn read(table: &Table, transaction: &Transaction<'_>, column: &str) -> Option<Vec<u8>> {
    let mut reader = table.read_value(transaction, 1, column).unwrap()?;
    let mut all = Vec::new();
    reader.read_to_end(&mut all).unwrap();
    assert_eq!(all.len() as u64, reader.len());
    Some(all)
}

fn jet(error: &std::io::Error) -> JetErr {
    error.get_ref().unwrap().downcast_ref::<Error>().unwrap().code()
}

/// Visiting gives what reading gives, and stops where the visitor says so.
fn visits_the_rest(reader: &mut LongReader<'_>, begin: u64, rest: &[u8]) {
    let mut seen = Vec::new();
    reader.seek(SeekFrom::Start(begin)).unwrap();
    reader
        .visit(|part| {
            assert!(!part.is_empty());
            seen.extend_from_slice(part);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(seen == rest, "{begin}");
    assert_eq!(reader.stream_position().unwrap(), begin + rest.len() as u64);

    reader.seek(SeekFrom::Start(begin)).unwrap();
    let mut first = 0;
    reader
        .visit(|part| {
            assert_eq!(first, 0, "the visitor broke");
            first = part.len();
            ControlFlow::Break(())
        })
        .unwrap();
    assert_eq!(reader.stream_position().unwrap(), begin + first as u64);
}

#[test]
fn a_value_that_lies_in_its_row_is_visited_in_one_part() {
    let store = store(PageSize::K4);
    let mut session = store.instance.session().unwrap();
    let mut transaction = session.begin().unwrap();
    let mut writer = store.table.write_value(&mut transaction, 1, "plain").unwrap();
    writer.write_all(&bytes(100)).unwrap();
    writer.finish().unwrap();
    let mut reader = store.table.read_value(&transaction, 1, "plain").unwrap().unwrap();
    for begin in [0, 40, 99, 100, 101] {
        visits_the_rest(&mut reader, begin as u64, bytes(100).get(begin..).unwrap_or_default());
    }
}

#[test]
fn a_value_written_in_pieces_of_any_length_is_read_in_pieces_of_any_length() {
    for page_size in [PageSize::K4, PageSize::K32] {
        let store = store(page_size);
        let all = bytes(300_000);
        let mut session = store.instance.session().unwrap();
        for column in ["plain", "packed"] {
            for piece in [1000, 8110, 70_000, 300_000] {
                let mut transaction = session.begin().unwrap();
                let mut writer = store.table.write_value(&mut transaction, 1, column).unwrap();
                for part in all.chunks(piece) {
                    writer.write_all(part).unwrap();
                }
                writer.finish().unwrap();
                assert_eq!(read(&store.table, &transaction, column).unwrap(), all);
                let mut reader = store.table.read_value(&transaction, 1, column).unwrap().unwrap();
                let mut part = vec![0; piece];
                for begin in [299_999, 4014, 0, 150_000, 300_000, 400_000] {
                    reader.seek(SeekFrom::Start(begin as u64)).unwrap();
                    let count = reader.read(&mut part).unwrap();
                    let rest = all.get(begin..).unwrap_or_default();
                    assert_eq!(part[..count], rest[..count]);
                    assert_eq!(count == 0, rest.is_empty(), "{begin}");
                    visits_the_rest(&mut reader, begin as u64, rest);
                }
                drop(reader);
                transaction.rollback().unwrap();
            }
        }
    }
}

#[test]
fn a_part_is_overwritten_and_the_length_is_set() {
    let store = store(PageSize::K8);
    let mut session = store.instance.session().unwrap();
    let mut transaction = session.begin().unwrap();
    let mut expected = bytes(50_000);
    let mut writer = store.table.write_value(&mut transaction, 1, "plain").unwrap();
    writer.write_all(&expected).unwrap();
    writer.finish().unwrap();
    let mut writer = store.table.write_value(&mut transaction, 1, "plain").unwrap();
    assert_eq!(writer.seek(SeekFrom::End(-10_000)).unwrap(), 40_000);
    writer.write_all(b"here").unwrap();
    assert_eq!(writer.seek(SeekFrom::Current(-40_001)).unwrap(), 3);
    writer.write_all(b"and there").unwrap();
    writer.set_len(60_000).unwrap();
    writer.finish().unwrap();
    expected[40_000..40_004].copy_from_slice(b"here");
    expected[3..12].copy_from_slice(b"and there");
    expected.resize(60_000, 0);
    assert_eq!(read(&store.table, &transaction, "plain").unwrap(), expected);
    let mut writer = store.table.write_value(&mut transaction, 1, "plain").unwrap();
    let before = writer.seek(SeekFrom::Current(-1)).unwrap_err();
    assert_eq!(before.kind(), ErrorKind::InvalidInput);
    drop(writer);
    assert_eq!(read(&store.table, &transaction, "plain").unwrap(), expected);
    let mut writer = store.table.write_value(&mut transaction, 1, "plain").unwrap();
    writer.set_len(5).unwrap();
    writer.finish().unwrap();
    assert_eq!(read(&store.table, &transaction, "plain").unwrap(), expected[..5]);
    transaction.commit().unwrap();
}

#[test]
fn a_value_that_is_not_finished_changes_nothing_and_readers_keep_their_moment() {
    let store = store(PageSize::K8);
    let mut session = store.instance.session().unwrap();
    let write = |session: &mut Session, value: &[u8], finish: bool| {
        let mut transaction = session.begin().unwrap();
        let mut writer = store.table.write_value(&mut transaction, 1, "plain").unwrap();
        writer.write_all(value).unwrap();
        writer.set_len(value.len() as u64).unwrap();
        if finish {
            writer.finish().unwrap();
        } else {
            drop(writer);
        }
        transaction.commit().unwrap();
    };
    write(&mut session, &bytes(100_000), true);
    write(&mut session, b"never", false);
    let mut other = store.instance.session().unwrap();
    let early = other.begin().unwrap();
    let mut reader = store.table.read_value(&early, 1, "plain").unwrap().unwrap();
    let mut first = [0; 10];
    reader.read_exact(&mut first).unwrap();
    write(&mut session, &[9; 200_000], true);
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).unwrap();
    assert_eq!([&first[..], &rest].concat(), bytes(100_000));
    drop(reader);
    early.commit().unwrap();
    let late = other.begin().unwrap();
    assert_eq!(read(&store.table, &late, "plain").unwrap(), [9; 200_000]);
    assert_eq!(read(&store.table, &late, "packed"), None);
    late.commit().unwrap();
}

#[test]
fn what_cannot_be_opened_says_why() {
    let store = store(PageSize::K4);
    let mut session = store.instance.session().unwrap();
    let mut transaction = session.begin().unwrap();
    let table = &store.table;
    assert!(table.read_value(&transaction, 2, "plain").unwrap().is_none());
    for (key, column, code) in [
        (1, "id", JetErr::InvalidColumnType),
        (1, "none", JetErr::ColumnNotFound),
        (2, "plain", JetErr::RecordNotFound),
    ] {
        assert_eq!(table.write_value(&mut transaction, key, column).unwrap_err().code(), code);
    }
    assert_eq!(
        table.read_value(&transaction, 1, "id").unwrap_err().code(),
        JetErr::InvalidColumnType
    );
    transaction.commit().unwrap();
    let mut reading = session.begin_read_only().unwrap();
    let refused = table.write_value(&mut reading, 1, "plain").unwrap_err();
    assert_eq!(refused.code(), JetErr::TransReadOnly);
}

#[test]
fn what_is_written_behind_the_end_has_zeros_before_it() {
    let store = store(PageSize::K4);
    let mut session = store.instance.session().unwrap();
    let mut transaction = session.begin().unwrap();
    let mut to = store.table.write_value(&mut transaction, 1, "plain").unwrap();
    to.write_all(b"begin").unwrap();
    to.seek(SeekFrom::End(10_000)).unwrap();
    to.write_all(b"end").unwrap();
    to.finish().unwrap();
    let value = read(&store.table, &transaction, "plain").unwrap();
    let wanted = [&b"begin"[..], &[0; 10_000], b"end"].concat();
    assert!(value == wanted, "{} bytes", value.len());
    // Too far: those bytes are lost, the writer is not.
    let mut to = store.table.write_value(&mut transaction, 1, "plain").unwrap();
    to.seek(SeekFrom::Start(u64::from(u32::MAX))).unwrap();
    to.write_all(b"x").unwrap();
    assert_eq!(jet(&to.flush().unwrap_err()), JetErr::ColumnTooBig);
    to.seek(SeekFrom::Start(0)).unwrap();
    to.write_all(b"BEGIN").unwrap();
    to.finish().unwrap();
    assert_eq!(&read(&store.table, &transaction, "plain").unwrap()[..5], b"BEGIN");
}
