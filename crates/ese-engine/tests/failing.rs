//! A disk that fails at a bad moment: what was begun is over, and what comes later is not hindered.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]

use std::{path::Path, sync::Arc};

use ese_base::JetErr;
use ese_engine::{
    catalog,
    instance::{Instance, InstanceConfig, TermMode},
    record::encode_row,
    schema::{ColType, ColumnDef, ColumnId, IndexDef, TableDef},
    session::Session,
    tree::Position,
};
use ese_os::Env;
use ese_pages::cache::CacheMode;
use ese_sim::{Fault, OpKind, Plan, SimDisk, SimEnv};

const DIR: &str = "/db";
const FILE: &str = "/db/a.edb";

fn start(env: &Env) -> ese_base::Result<Arc<Instance>> {
    env.fs.create_dir_all(Path::new(DIR)).unwrap();
    let mut config = InstanceConfig::new(Path::new(DIR));
    config.log_file_size = 64 << 10;
    config.cache_mode = Some(CacheMode::Copy);
    Instance::start(env, config)
}

#[test]
fn a_database_whose_creation_failed_is_not_there_after_a_power_cut() {
    for kind in [OpKind::Write, OpKind::Sync, OpKind::SyncDir] {
        for number in 0.. {
            let (env, disk) = SimEnv::new(1);
            let instance = start(&env).unwrap();
            disk.add_fault(Fault::nth(kind, number, JetErr::DiskIO));
            let created = instance.create_database(Path::new(FILE));
            if disk.faults_hit() == 0 {
                created.unwrap();
                break;
            }
            let failed = created.is_err();
            drop(created);
            // It may write a checkpoint; it must not do so past a creation that may come back.
            drop(instance.terminate(TermMode::Clean));
            drop(instance);
            for plan in [Plan::Nothing, Plan::All] {
                let after = SimDisk::from_image(&disk.recording().image_at_end(plan));
                let env = SimEnv::on(&after, 2);
                let instance = start(&env).unwrap();
                if env.fs.exists(Path::new(FILE)).unwrap() {
                    instance.attach(Path::new(FILE)).unwrap();
                } else {
                    assert!(failed, "the creation was acknowledged: {kind:?} {number}, {plan}");
                    instance.create_database(Path::new(FILE)).unwrap();
                }
                instance.terminate(TermMode::Clean).unwrap();
            }
        }
    }
}

#[test]
fn recovery_passes_over_a_creation_that_failed_where_no_file_can_be_any_more() {
    let (folder, path) = (Path::new("/db/sub"), Path::new("/db/sub/a.edb"));
    let (env, disk) = SimEnv::new(1);
    let instance = start(&env).unwrap();
    env.fs.create_dir_all(folder).unwrap();
    env.fs.sync_dir(Path::new(DIR)).unwrap();
    disk.add_fault(Fault::nth(OpKind::Write, 3, JetErr::DiskIO));
    instance.create_database(path).map(drop).unwrap_err();
    instance.abandon();
    drop(instance);
    let after = SimDisk::from_image(&disk.recording().image_at_end(Plan::All));
    let env = SimEnv::on(&after, 2);
    for file in env.fs.list(folder).unwrap() {
        env.fs.remove_file(&folder.join(file.name)).unwrap();
    }
    env.fs.remove_dir(folder).unwrap();
    let instance = start(&env).unwrap();
    instance.create_database(path).map(drop).unwrap_err();
    instance.create_database(Path::new(FILE)).unwrap();
    instance.terminate(TermMode::Clean).unwrap();
}

#[test]
fn a_start_that_failed_while_undoing_lets_go_of_the_log() {
    let (env, disk) = SimEnv::new(1);
    let instance = start(&env).unwrap();
    let attached = instance.create_database(Path::new(FILE)).unwrap();
    let mut session = Session::begin_session(&instance).unwrap();
    let columns = vec![ColumnDef::new("id", ColType::Long)];
    let def = TableDef::new("rows", columns).index(IndexDef::primary("pk", &["id"]));
    let table = catalog::create_table(&mut session, &attached, &def).unwrap();
    session.begin().unwrap();
    let (mut record, mut key) = (Vec::new(), Vec::new());
    let id = 1_i32.to_le_bytes();
    encode_row(&table.schema, &[(ColumnId(1), Some(id.as_slice()))], &mut record).unwrap();
    table.insert(&mut session, &mut Position::default(), &record, &mut key).unwrap();
    instance.log.as_ref().unwrap().flush_all().unwrap();
    instance.abandon();
    drop((table, session, attached, instance));
    let image = disk.recording().image_at_end(Plan::All);
    let mut failed = 0;
    for number in 0.. {
        let disk = SimDisk::from_image(&image);
        let env = SimEnv::on(&disk, 2);
        disk.add_fault(Fault::nth(OpKind::Write, number, JetErr::DiskIO));
        let started = start(&env);
        if disk.faults_hit() == 0 {
            break;
        }
        failed += usize::from(started.is_err());
        drop(started);
        disk.heal();
        let instance = start(&env).unwrap_or_else(|error| panic!("after write {number}: {error}"));
        instance.terminate(TermMode::Clean).unwrap();
    }
    assert!(failed > 4, "{failed}");
}
