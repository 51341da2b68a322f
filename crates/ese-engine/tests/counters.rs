//! Columns that count by themselves: numbers of rows, versions of rows, rows that end at zero.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]

use std::{path::Path, sync::Arc};

use ese_base::{JetErr, Result};
use ese_engine::{
    catalog, ddl,
    instance::{Attached, Instance, InstanceConfig, TermMode},
    record::{RecordView, encode_row},
    schema::{ColType, ColumnDef, ColumnFlags, ColumnId, IndexDef, KeyPart, TableDef},
    session::{Durability, Session},
    table::{OnRollback, Table},
    tree::Position,
};
use ese_os::Env;

const NUMBER: ColumnId = ColumnId(1);
const VERSION: ColumnId = ColumnId(2);
const COUNT: ColumnId = ColumnId(3);
const TEXT: ColumnId = ColumnId(128);

fn start(dir: &Path) -> Arc<Instance> {
    let mut config = InstanceConfig::new(dir);
    config.log_file_size = 256 << 10;
    Instance::start(&Env::real(), config).unwrap()
}

fn def(index: Option<IndexDef>) -> TableDef {
    let long = |name, flags| ColumnDef::new(name, ColType::Long).with(flags);
    let ends = ColumnFlags::ESCROW_UPDATE | ColumnFlags::DELETE_ON_ZERO;
    let columns = vec![
        long("number", ColumnFlags::AUTOINCREMENT),
        long("version", ColumnFlags::VERSION),
        long("count", ends).with_default(&0_i32.to_le_bytes()),
        ColumnDef::new("text", ColType::Text),
    ];
    let def = TableDef::new("t", columns).index(IndexDef::new("by text", &["text"]));
    index.into_iter().fold(def, TableDef::index)
}

fn create(dir: &Path, index: Option<IndexDef>) -> (Arc<Instance>, Arc<Attached>, Arc<Table>) {
    let instance = start(dir);
    let attached = instance.create_database(&dir.join("a.edb")).unwrap();
    let mut session = Session::begin_session(&instance).unwrap();
    let table = catalog::create_table(&mut session, &attached, &def(index)).unwrap();
    (instance, attached, table)
}

/// Number, version and count of a row.
fn counts(record: &[u8]) -> [i32; 3] {
    [4, 8, 12].map(|at| i32::from_le_bytes(record[at..at + 4].try_into().unwrap()))
}

fn insert(session: &mut Session, table: &Table, text: &str) -> Result<(Vec<u8>, Vec<u8>)> {
    let (mut record, mut key) = (Vec::new(), Vec::new());
    let values = [(TEXT, Some(text.as_bytes()))];
    let at = &mut Position::default();
    table.insert_values(session, at, &values, &mut record, &mut key)?;
    Ok((key, record))
}

fn commit(session: &mut Session) {
    session.commit(Durability::Lazy).unwrap();
}

#[test]
fn whole_rows_are_numbered_and_their_changes_counted() {
    let dir = tempfile::tempdir().unwrap();
    let (instance, _attached, table) = create(dir.path(), None);
    let mut session = Session::begin_session(&instance).unwrap();
    session.begin().unwrap();
    let (key, mut old) = insert(&mut session, &table, "one").unwrap();
    assert_eq!(counts(&old), [1, 0, 0]);
    assert_eq!(counts(&insert(&mut session, &table, "two").unwrap().1), [2, 0, 0]);
    for version in 1..=3 {
        let (values, mut record) = ([(TEXT, Some(&b"more"[..]))], Vec::new());
        let (at, row) = (&mut Position::default(), (&key[..], &old[..]));
        table.replace_values(&mut session, at, row, &values, &mut record).unwrap();
        old = table.get(&session, &key, <[u8]>::to_vec).unwrap().unwrap();
        assert_eq!(counts(&old), [1, version, 0]);
    }
    // Who gives a value for what counts by itself is refused, and nothing happens.
    let nine = Some(&[9, 0, 0, 0][..]);
    let (mut record, mut new_key) = (Vec::new(), Vec::new());
    let at = &mut Position::default();
    let own = [(NUMBER, nine)];
    let refused = table.insert_values(&mut session, at, &own, &mut record, &mut new_key);
    assert_eq!(refused.unwrap_err().code(), JetErr::InvalidColumnType);
    for column in [NUMBER, VERSION] {
        let (values, row) = ([(column, nine)], (&key[..], &old[..]));
        let refused = table.replace_values(&mut session, at, row, &values, &mut record);
        assert_eq!(refused.unwrap_err().code(), JetErr::InvalidColumnType);
    }
    // An insert may say where versions begin.
    let given = [(VERSION, nine)];
    table.insert_values(&mut session, at, &given, &mut record, &mut new_key).unwrap();
    assert_eq!(counts(&record)[1], 9);
    commit(&mut session);
}

#[test]
fn numbers_go_on_behind_the_highest_row_whatever_orders_the_rows() {
    let parts = vec![KeyPart::descending("number")];
    let descending = IndexDef { parts, ..IndexDef::primary("pk", &[]) };
    for index in [None, Some(IndexDef::primary("pk", &["number"])), Some(descending)] {
        let dir = tempfile::tempdir().unwrap();
        let (instance, attached, table) = create(dir.path(), index);
        let mut session = Session::begin_session(&instance).unwrap();
        session.begin().unwrap();
        let rows: Vec<_> = (0..5).map(|_| insert(&mut session, &table, "row").unwrap().0).collect();
        table.delete(&mut session, &mut Position::default(), &rows[4]).unwrap();
        commit(&mut session);
        drop((session, table, attached));
        instance.terminate(TermMode::Clean).unwrap();
        drop(instance);
        let instance = start(dir.path());
        let attached = instance.attach(&dir.path().join("a.edb")).unwrap();
        let mut session = Session::begin_session(&instance).unwrap();
        let table = catalog::open_table(&session, &attached, "t").unwrap();
        session.begin().unwrap();
        // The highest row is gone, for good: as in ESE before update 30, its number comes again.
        assert_eq!(counts(&insert(&mut session, &table, "new").unwrap().1)[0], 5);
        commit(&mut session);
    }
}

#[test]
fn numbers_end_at_the_limit_of_their_column() {
    let dir = tempfile::tempdir().unwrap();
    let (instance, _attached, table) = create(dir.path(), None);
    let mut session = Session::begin_session(&instance).unwrap();
    let high = 0x7fff_fefe_i32.to_le_bytes();
    let (mut record, mut key) = (Vec::new(), Vec::new());
    encode_row(&table.schema, &[(NUMBER, Some(&high))], &mut record).unwrap();
    session.begin().unwrap();
    table.insert(&mut session, &mut Position::default(), &record, &mut key).unwrap();
    assert_eq!(counts(&insert(&mut session, &table, "last").unwrap().1)[0], 0x7fff_feff);
    let error = insert(&mut session, &table, "none").unwrap_err();
    assert_eq!(error.code(), JetErr::OutOfAutoincrementValues);
    session.rollback().unwrap();
}

#[test]
fn a_row_at_zero_stays_as_long_as_somebody_may_see_another_number() {
    let dir = tempfile::tempdir().unwrap();
    let (instance, _attached, table) = create(dir.path(), None);
    let mut session = Session::begin_session(&instance).unwrap();
    session.begin().unwrap();
    let (key, _) = insert(&mut session, &table, "row").unwrap();
    commit(&mut session);
    let add = |session: &mut Session, delta| {
        session.begin().unwrap();
        let at = &mut Position::default();
        table.add_to_column(session, at, &key, (COUNT, delta), OnRollback::Undo).unwrap();
        commit(session);
    };
    // Of the first addition nobody needs the versions any more when the second brings zero.
    add(&mut session, 2);
    let mut reader = Session::begin_session(&instance).unwrap();
    reader.begin().unwrap();
    add(&mut session, -2);
    instance.background_step().unwrap();
    assert!(table.get(&session, &key, |_| ()).unwrap().is_some());
    commit(&mut reader);
    let gone = (0..500).any(|_| {
        instance.background_step().unwrap();
        table.get(&session, &key, |_| ()).unwrap().is_none()
    });
    assert!(gone);
}

#[test]
fn a_full_version_store_puts_the_end_of_a_row_off_and_stops_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = InstanceConfig::new(dir.path());
    config.version_store_max = 64 << 10;
    let instance = Instance::start(&Env::real(), config).unwrap();
    let attached = instance.create_database(&dir.path().join("a.edb")).unwrap();
    let mut session = Session::begin_session(&instance).unwrap();
    let table = catalog::create_table(&mut session, &attached, &def(None)).unwrap();
    session.begin().unwrap();
    let (key, _) = insert(&mut session, &table, "row").unwrap();
    commit(&mut session);
    // The versions of the addition are needed until the store is full of others.
    let mut reader = Session::begin_session(&instance).unwrap();
    reader.begin().unwrap();
    session.begin().unwrap();
    let at = &mut Position::default();
    table.add_to_column(&mut session, at, &key, (COUNT, 0), OnRollback::Undo).unwrap();
    commit(&mut session);
    session.begin().unwrap();
    let full = (0..100_000).find_map(|_| insert(&mut session, &table, "more").err());
    assert_eq!(full.unwrap().code(), JetErr::VersionStoreOutOfMemory);
    commit(&mut reader);
    // What comes free with the reader is taken at once.
    (0..20).for_each(|_| {
        instance.background_step().unwrap();
        while insert(&mut session, &table, "more").is_ok() {}
    });
    instance.check().unwrap();
    session.rollback().unwrap();
    let gone = (0..500).any(|_| {
        instance.background_step().unwrap();
        table.get(&session, &key, |_| ()).unwrap().is_none()
    });
    assert!(gone);
}

#[test]
fn who_does_not_see_that_rows_are_numbered_adds_none() {
    let dir = tempfile::tempdir().unwrap();
    let instance = start(dir.path());
    let attached = instance.create_database(&dir.path().join("a.edb")).unwrap();
    let mut session = Session::begin_session(&instance).unwrap();
    let text = TableDef::new("t", vec![ColumnDef::new("text", ColType::Text)]);
    let table = catalog::create_table(&mut session, &attached, &text).unwrap();
    let mut early = Session::begin_session(&instance).unwrap();
    early.begin().unwrap();
    let number = ColumnDef::new("number", ColType::Long).with(ColumnFlags::AUTOINCREMENT);
    let (numbered, _) = ddl::add_column(&mut session, &attached, &table, &number).unwrap();
    let refused = insert(&mut early, &table, "without").unwrap_err();
    assert_eq!(refused.code(), JetErr::WriteConflict);
    early.rollback().unwrap();
    early.begin().unwrap();
    let (_, record) = insert(&mut early, &numbered, "with").unwrap();
    assert_eq!(counts(&[&record[..], &[0; 16]].concat())[0], 1);
    commit(&mut early);
}

#[test]
fn a_row_at_zero_ends_with_its_index_entries_before_its_instance_ends() {
    let dir = tempfile::tempdir().unwrap();
    let (instance, attached, table) = create(dir.path(), None);
    let mut session = Session::begin_session(&instance).unwrap();
    session.begin().unwrap();
    let rows: Vec<_> =
        ["a", "b", "c"].map(|text| insert(&mut session, &table, text).unwrap().0).into();
    commit(&mut session);
    let add = |session: &mut Session, key: &[u8], delta, keep| {
        let at = &mut Position::default();
        table.add_to_column(session, at, key, (COUNT, delta), keep).unwrap()
    };
    // To zero and back within a transaction; to zero for good; never anything.
    session.begin().unwrap();
    add(&mut session, &rows[0], 1, OnRollback::Undo);
    add(&mut session, &rows[1], 1, OnRollback::Undo);
    commit(&mut session);
    session.begin().unwrap();
    add(&mut session, &rows[0], -1, OnRollback::Undo);
    add(&mut session, &rows[0], 1, OnRollback::Undo);
    add(&mut session, &rows[1], -1, OnRollback::Undo);
    commit(&mut session);
    drop((session, table, attached));
    instance.terminate(TermMode::Clean).unwrap();
    drop(instance);
    let instance = start(dir.path());
    let attached = instance.attach(&dir.path().join("a.edb")).unwrap();
    let session = Session::begin_session(&instance).unwrap();
    let table = catalog::open_table(&session, &attached, "t").unwrap();
    let left: Vec<bool> =
        rows.iter().map(|key| table.get(&session, key, |_| ()).unwrap().is_some()).collect();
    assert_eq!(left, [true, false, true]);
    assert_eq!(table.check_indexes(&session).unwrap(), vec![]);
    let record = table.get(&session, &rows[0], <[u8]>::to_vec).unwrap().unwrap();
    assert!(RecordView::new(&record, table.schema.page_size).is_ok());
    assert_eq!(counts(&record)[2], 1);
}
