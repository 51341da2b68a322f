//! The disk of the log is full: what runs can end with the reserve logs, nothing new begins, the
//! instance ends in order, and nothing that was committed is lost (backup-log-recovery 1.5).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]

use std::{collections::BTreeSet, ops::ControlFlow, path::Path, sync::Arc};

use ese_base::{JetErr, Result};
use ese_engine::{
    catalog,
    instance::{Attached, Instance, InstanceConfig, TermMode},
    record::encode_row,
    schema::{ColType, ColumnDef, ColumnId, IndexDef, TableDef},
    session::{Durability, Session},
    table::{RowRef, Table},
    tree::{Direction, Position, Start},
};
use ese_os::Env;
use ese_pages::cache::{CacheMode, FlushGoal};
use ese_sim::{Plan, SimDisk, SimEnv};

const DIR: &str = "/db";
const FILE: &str = "/db/a.edb";

fn start(env: &Env, circular: bool) -> Result<Arc<Instance>> {
    env.fs.create_dir_all(Path::new(DIR))?;
    let mut config = InstanceConfig::new(Path::new(DIR));
    config.log_file_size = 64 << 10;
    config.cache_mode = Some(CacheMode::Copy);
    config.circular_log = circular;
    config.checkpoint_depth = 64 << 10;
    Instance::start(env, config)
}

struct Rows {
    attached: Arc<Attached>,
    table: Arc<Table>,
    at: Position,
}

impl Rows {
    fn create(instance: &Arc<Instance>) -> Rows {
        let attached = instance.create_database(Path::new(FILE)).unwrap();
        let mut session = Session::begin_session(instance).unwrap();
        let columns =
            vec![ColumnDef::new("id", ColType::Long), ColumnDef::new("v", ColType::Binary)];
        let def = TableDef::new("rows", columns).index(IndexDef::primary("pk", &["id"]));
        let table = catalog::create_table(&mut session, &attached, &def).unwrap();
        // Room for all rows, and for what is written twice: only the log meets the full disk.
        session.begin().unwrap();
        let mut rows = Rows { attached, table, at: Position::default() };
        (1_000_000..1_001_000).for_each(|id| rows.insert(&mut session, id).unwrap());
        session.rollback().unwrap();
        drop(session);
        instance.grow_database(&rows.attached, 2000).unwrap();
        let log = instance.log.as_ref().unwrap();
        rows.attached.db.cache.flush(FlushGoal::All, log.as_ref()).unwrap();
        instance.advance_checkpoint().unwrap();
        rows
    }

    fn insert(&mut self, session: &mut Session, id: i32) -> Result<()> {
        let (mut record, mut key, bytes) = (Vec::new(), Vec::new(), id.to_le_bytes());
        let values = [(ColumnId(1), Some(&bytes[..])), (ColumnId(128), Some(&[7; 180][..]))];
        encode_row(&self.table.schema, &values, &mut record)?;
        self.table.insert(session, &mut self.at, &record, &mut key)
    }

    /// One row in a transaction of its own.
    fn commit(&mut self, session: &mut Session, id: i32) -> Result<()> {
        session.begin()?;
        match self.insert(session, id).and_then(|()| session.commit(Durability::Durable)) {
            Ok(()) => Ok(()),
            Err(error) => {
                session.rollback()?;
                Err(error)
            }
        }
    }
}

/// The ids after a start with enough space.
fn ids_of(disk: &SimDisk, plan: Plan) -> BTreeSet<i32> {
    let after = SimDisk::from_image(&disk.recording().image_at_end(plan));
    let instance = start(&SimEnv::on(&after, 2), false).unwrap();
    let attached = instance.attach(Path::new(FILE)).unwrap();
    let session = Session::begin_session(&instance).unwrap();
    let table = catalog::open_table(&session, &attached, "rows").unwrap();
    let (mut ids, mut at) = (BTreeSet::new(), Position::default());
    let note = |row: RowRef<'_>| {
        let mut key = Vec::new();
        row.append_key(&mut key);
        // Behind a byte that says "not NULL", the highest byte first, so that order is by value.
        ids.insert(i32::from_be_bytes(*key[1..].first_chunk().unwrap()) ^ i32::MIN);
        ControlFlow::Continue(())
    };
    table.scan(&session, Start::End, Direction::Forward, &mut at, note).unwrap();
    drop((session, table, attached));
    instance.terminate(TermMode::Clean).unwrap();
    ids
}

#[test]
fn a_full_log_disk_lets_transactions_and_the_instance_end() {
    for circular in [false, true] {
        for commits in [false, true] {
            let (env, disk) = SimEnv::new(1);
            let instance = start(&env, circular).unwrap();
            let mut rows = Rows::create(&instance);
            let mut running = Session::begin_session(&instance).unwrap();
            running.begin().unwrap();
            (0..50).for_each(|id| rows.insert(&mut running, id).unwrap());
            disk.set_free_space(Some(0));
            let mut other = Session::begin_session(&instance).unwrap();
            let mut expected = BTreeSet::new();
            let refused = (100..100_000).find_map(|id| match rows.commit(&mut other, id) {
                Ok(()) => {
                    expected.insert(id);
                    None
                }
                Err(error) => Some(error),
            });
            assert_eq!(refused.unwrap().code(), JetErr::LogDiskFull);
            // Readers go on; again and again nothing new begins.
            other.begin().unwrap();
            other.rollback().unwrap();
            let again = rows.commit(&mut other, 99).unwrap_err();
            assert_eq!(again.code(), JetErr::LogDiskFull);
            assert!(instance.log.as_ref().unwrap().is_disk_full());
            if commits {
                running.commit(Durability::Durable).unwrap();
                expected.extend(0..50);
            } else {
                running.rollback().unwrap();
            }
            drop((running, other, rows));
            instance.terminate(TermMode::Clean).unwrap();
            drop(instance);
            disk.set_free_space(None);
            for plan in [Plan::Nothing, Plan::All] {
                assert_eq!(ids_of(&disk, plan), expected, "{circular} {commits} {plan}");
            }
        }
    }
}

#[test]
fn when_the_reserves_are_used_up_what_was_committed_is_there() {
    let (env, disk) = SimEnv::new(1);
    let instance = start(&env, false).unwrap();
    let mut rows = Rows::create(&instance);
    let mut running = Session::begin_session(&instance).unwrap();
    running.begin().unwrap();
    rows.insert(&mut running, 0).unwrap();
    disk.set_free_space(Some(0));
    let mut other = Session::begin_session(&instance).unwrap();
    let mut expected = BTreeSet::new();
    for id in 100.. {
        match rows.commit(&mut other, id) {
            Ok(()) => _ = expected.insert(id),
            Err(_) => break,
        }
    }
    // One transaction that goes on as if nothing had happened.
    let failed = (200_000..300_000).find_map(|id| rows.insert(&mut running, id).err());
    let failed = failed.or_else(|| running.commit(Durability::Durable).err()).unwrap();
    assert!(matches!(failed.code(), JetErr::LogDiskFull | JetErr::InstanceUnavailable), "{failed}");
    drop((running, other, rows));
    assert!(instance.terminate(TermMode::Clean).is_err());
    drop(instance);
    disk.set_free_space(None);
    for plan in [Plan::Nothing, Plan::All] {
        assert_eq!(ids_of(&disk, plan), expected, "{plan}");
    }
}
