//! Escrow columns: additions of many sessions to one number, each with its own end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]
#![allow(clippy::disallowed_methods, reason = "threads of a test")]

use std::{path::Path, sync::Arc};

use ese_base::JetErr;
use ese_engine::{
    catalog,
    instance::{Attached, Instance, InstanceConfig, TermMode},
    record::{RecordView, encode_row, replace_columns},
    schema::{ColType, ColumnDef, ColumnFlags, ColumnId, IndexDef, TableDef},
    session::{Durability, Session},
    table::{OnRollback, Table},
    tree::Position,
};
use ese_os::Env;

const ID: ColumnId = ColumnId(1);
const COUNT: ColumnId = ColumnId(2);
const TEXT: ColumnId = ColumnId(128);

struct Store {
    instance: Arc<Instance>,
    attached: Arc<Attached>,
    table: Arc<Table>,
}

fn start(dir: &Path) -> Arc<Instance> {
    let mut config = InstanceConfig::new(dir);
    config.log_file_size = 256 << 10;
    Instance::start(&Env::real(), config).unwrap()
}

/// A table with one row, whose number is 10.
fn store(dir: &Path) -> Store {
    let instance = start(dir);
    let attached = instance.create_database(&dir.join("a.edb")).unwrap();
    let mut session = Session::begin_session(&instance).unwrap();
    let count = ColumnDef::new("count", ColType::Long).with(ColumnFlags::ESCROW_UPDATE);
    let columns = vec![
        ColumnDef::new("id", ColType::Long),
        count.with_default(&10_i32.to_le_bytes()),
        ColumnDef::new("text", ColType::Text),
    ];
    let def = TableDef::new("rows", columns)
        .index(IndexDef::primary("pk", &["id"]))
        .index(IndexDef::new("by text", &["text"]));
    let table = catalog::create_table(&mut session, &attached, &def).unwrap();
    let mut record = Vec::new();
    encode_row(&table.schema, &[(ID, Some(&1_i32.to_le_bytes()))], &mut record).unwrap();
    session.begin().unwrap();
    table.insert(&mut session, &mut Position::default(), &record, &mut Vec::new()).unwrap();
    session.commit(Durability::Durable).unwrap();
    Store { instance, attached, table }
}

fn key() -> Vec<u8> {
    vec![0x7f, 0x80, 0, 0, 1]
}

impl Store {
    fn session(&self) -> Session {
        Session::begin_session(&self.instance).unwrap()
    }

    fn add(&self, session: &mut Session, delta: i64) -> ese_base::Result<i64> {
        let (at, undo) = (&mut Position::default(), OnRollback::Undo);
        self.table.add_to_column(session, at, &key(), (COUNT, delta), undo)
    }

    fn count(&self, session: &Session) -> i32 {
        let of = |record: &[u8]| i32::from_le_bytes(record[8..12].try_into().unwrap());
        self.table.get(session, &key(), of).unwrap().unwrap()
    }

    fn set_text(&self, session: &mut Session, text: &str) -> ese_base::Result<()> {
        let old = self.table.get(session, &key(), <[u8]>::to_vec)?.unwrap();
        let view = RecordView::new(&old, self.table.schema.page_size)?;
        let mut new = Vec::new();
        replace_columns(&self.table.schema, &view, &[(TEXT, Some(text.as_bytes()))], &mut new)?;
        self.table.replace(session, &mut Position::default(), &key(), &new)
    }
}

#[test]
fn additions_commute_and_each_session_sees_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let (mut a, mut b, mut old) = (store.session(), store.session(), store.session());
    for session in [&mut a, &mut b, &mut old] {
        session.begin().unwrap();
    }
    assert_eq!(store.add(&mut a, 5).unwrap(), 10);
    assert_eq!(store.add(&mut b, -3).unwrap(), 10);
    assert_eq!(store.add(&mut a, 1).unwrap(), 15);
    assert_eq!((store.count(&a), store.count(&b), store.count(&old)), (16, 7, 10));
    a.commit(Durability::Durable).unwrap();
    assert_eq!((store.count(&b), store.count(&old)), (7, 10), "snapshots stay");
    assert_eq!(store.count(&a), 16, "what b adds is not committed");
    b.rollback().unwrap();
    assert_eq!((store.count(&a), store.count(&old)), (16, 10));
}

#[test]
fn an_inner_level_takes_back_its_own_additions_only() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let (mut a, mut b) = (store.session(), store.session());
    a.begin().unwrap();
    b.begin().unwrap();
    store.add(&mut a, 1).unwrap();
    a.begin().unwrap();
    store.add(&mut a, 20).unwrap();
    store.add(&mut b, 300).unwrap();
    a.rollback().unwrap();
    assert_eq!(store.count(&a), 11);
    a.begin().unwrap();
    store.add(&mut a, 4000).unwrap();
    a.commit(Durability::Durable).unwrap();
    a.commit(Durability::Durable).unwrap();
    b.commit(Durability::Durable).unwrap();
    assert_eq!(store.count(&a), 10 + 1 + 4000 + 300);
}

#[test]
fn additions_conflict_with_other_changes_of_the_row_and_with_locks() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let (mut a, mut b) = (store.session(), store.session());
    a.begin().unwrap();
    b.begin().unwrap();
    store.add(&mut a, 1).unwrap();
    assert_eq!(store.set_text(&mut b, "b").unwrap_err().code(), JetErr::WriteConflict);
    let deleted = store.table.delete(&mut b, &mut Position::default(), &key());
    assert_eq!(deleted.unwrap_err().code(), JetErr::WriteConflict);
    store.set_text(&mut a, "a").unwrap();
    assert_eq!(store.add(&mut b, 1).unwrap_err().code(), JetErr::WriteConflict);
    assert_eq!(store.count(&b), 10);
    a.begin().unwrap();
    store.add(&mut a, 7).unwrap();
    a.rollback().unwrap();
    a.commit(Durability::Durable).unwrap();
    // The row was changed behind the snapshot of b.
    assert_eq!(store.add(&mut b, 1).unwrap_err().code(), JetErr::WriteConflict);
    assert_eq!(store.count(&b), 10);
    b.rollback().unwrap();
    assert_eq!(store.count(&a), 11);
}

#[test]
fn an_addition_that_is_kept_survives_the_rollback() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let (mut a, mut b) = (store.session(), store.session());
    b.begin().unwrap();
    a.begin().unwrap();
    let (at, keep) = (&mut Position::default(), OnRollback::Keep);
    store.add(&mut a, 100).unwrap();
    assert_eq!(
        store.table.add_to_column(&mut a, at, &key(), (COUNT, 5), keep).unwrap(),
        110,
        "with its own additions"
    );
    assert_eq!(store.count(&b), 15, "all see it at once");
    a.rollback().unwrap();
    assert_eq!(store.count(&b), 15);
    b.rollback().unwrap();
}

#[test]
fn eight_threads_count_to_the_same_sum_whatever_is_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(store(dir.path()));
    let threads: Vec<_> = (0..8_i64)
        .map(|thread| {
            let store = Arc::clone(&store);
            std::thread::spawn(move || {
                let (mut session, mut sum) = (store.session(), 0);
                for round in 0..60_i64 {
                    session.begin().unwrap();
                    let delta = (thread + 1) * (round % 7 - 2);
                    let before = store.count(&session);
                    assert_eq!(store.add(&mut session, delta).unwrap(), i64::from(before));
                    session.begin().unwrap();
                    store.add(&mut session, 1_000).unwrap();
                    session.rollback().unwrap();
                    assert_eq!(i64::from(store.count(&session)), i64::from(before) + delta);
                    if round % 3 == 0 {
                        session.rollback().unwrap();
                    } else {
                        session.commit(Durability::Lazy).unwrap();
                        sum += delta;
                    }
                }
                sum
            })
        })
        .collect();
    let sum: i64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(i64::from(store.count(&store.session())), 10 + sum);
    let Store { instance, attached, table } = Arc::into_inner(store).unwrap();
    drop((attached, table));
    instance.terminate(TermMode::Clean).unwrap();
}

#[test]
fn a_crash_takes_back_what_was_not_committed() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let (mut a, mut b) = (store.session(), store.session());
    a.begin().unwrap();
    b.begin().unwrap();
    store.add(&mut a, 1).unwrap();
    store.add(&mut b, 20).unwrap();
    a.begin().unwrap();
    store.add(&mut a, 300).unwrap();
    a.rollback().unwrap();
    store.add(&mut b, 4_000).unwrap();
    a.commit(Durability::Durable).unwrap();
    store.add(&mut b, 50_000).unwrap();
    // Its records are in the log before those of b end.
    let mut c = store.session();
    c.begin().unwrap();
    store.add(&mut c, 600_000).unwrap();
    c.commit(Durability::Durable).unwrap();
    // As a killed process would: no rollback, no flush, locks released.
    store.instance.abandon();
    drop((a, b, c, store));
    let again = start(dir.path());
    let attached = again.attach(&dir.path().join("a.edb")).unwrap();
    let session = Session::begin_session(&again).unwrap();
    let table = catalog::open_table(&session, &attached, "rows").unwrap();
    let found = Store { instance: Arc::clone(&again), attached, table };
    assert_eq!(found.count(&session), 10 + 1 + 600_000);
}
