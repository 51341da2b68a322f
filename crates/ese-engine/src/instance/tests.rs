//! Awkward moments: long values that are let go, of which none stays without a row, and rolls of
//! the log while a header becomes clean.

mod sequence_end;

use std::{ops::ControlFlow, path::Path, sync::Arc};

use ese_base::{BkInfo, Generation, LgPos, PageSize, ProcId};
use ese_os::{Env, OpenMode};
use ese_pages::{
    db_file::{Access, DbFile},
    header::read_header,
};
use ese_sim::SimEnv;

use super::*;
use crate::{
    catalog,
    longvalue::{LongTree, chunk_key, root_key},
    record::Lid,
    schema::{ColType, ColumnDef, ColumnId, IndexDef, TableDef},
    session::{Durability, Session},
    table::Table,
    tree::{self, Direction, Position, Start, Unversioned, Writer},
    version::Lock,
};

const FILE: &str = "/db/a.edb";

fn start(env: &Env) -> Arc<Instance> {
    env.fs.create_dir_all(Path::new("/db")).unwrap();
    let mut config = InstanceConfig::new(Path::new("/db"));
    config.page_size = PageSize::K4;
    config.log_file_size = 1 << 20;
    Instance::start(env, config).unwrap()
}

/// A database with as many rows, each of which has a value of its own outside of it. In the
/// simulation nothing happens in the background.
fn with_rows(env: &Env, rows: i32) -> (Arc<Instance>, Arc<Table>) {
    let instance = start(env);
    let attached = instance.create_database(Path::new(FILE)).unwrap();
    let columns =
        vec![ColumnDef::new("id", ColType::Long), ColumnDef::new("value", ColType::LongBinary)];
    let def = TableDef::new("t", columns).index(IndexDef::primary("pk", &["id"]));
    let mut session = Session::begin_session(&instance).unwrap();
    catalog::create_table(&mut session, &attached, &def).unwrap();
    let table = catalog::open_table(&session, &attached, "t").unwrap();
    let value = ColumnId(256);
    session.begin().unwrap();
    for id in 0..rows {
        let (id, bytes) = (id.to_le_bytes(), vec![7; 2000]);
        let row = [(ColumnId(1), Some(&id[..])), (value, Some(&bytes[..]))];
        let (at, mut record, mut key) = (&mut Position::default(), Vec::new(), Vec::new());
        table.insert_values(&mut session, at, &row, &mut record, &mut key).unwrap();
    }
    session.commit(Durability::Durable).unwrap();
    (instance, table)
}

fn delete(instance: &Arc<Instance>, table: &Table, id: i32) {
    let mut session = Session::begin_session(instance).unwrap();
    let mut key = vec![0x7f];
    key.extend_from_slice(&(id.cast_unsigned() ^ 0x8000_0000).to_be_bytes());
    session.begin().unwrap();
    table.delete(&mut session, &mut Position::default(), &key).unwrap();
    session.commit(Durability::Durable).unwrap();
}

/// Nodes on the pages of the tree of long values, flag-deleted ones included.
fn nodes(table: &Table) -> usize {
    let LongTree { db, tree, .. } = table.long_tree().unwrap();
    let (mut count, mut at) = (0, Position::default());
    tree::scan(&db.cache, &tree.view(), Start::End, Direction::Forward, &mut at, |_| {
        count += 1;
        ControlFlow::Continue(())
    })
    .unwrap();
    count
}

fn reopened(env: &Env) -> (Arc<Instance>, Arc<Table>) {
    let instance = start(env);
    let attached = instance.attach(Path::new(FILE)).unwrap();
    let session = Session::begin_session(&instance).unwrap();
    let table = catalog::open_table(&session, &attached, "t").unwrap();
    (instance, table)
}

#[test]
fn values_that_only_the_last_cleaning_of_a_clean_end_lets_go_are_removed() {
    let (env, _) = SimEnv::new(1);
    let (instance, table) = with_rows(&env, 2);
    assert_eq!(nodes(&table), 4);
    {
        // Others clean up at this moment: the commit leaves its versions to them.
        let _cleaning = instance.cleaning.write();
        delete(&instance, &table, 1);
    }
    // As `terminate` does, after what it does while the instance still runs.
    instance.life.store(Life::Terminating as u8, Ordering::SeqCst);
    instance.end_clean().unwrap();
    drop((table, instance));
    let (instance, table) = reopened(&env);
    assert_eq!(nodes(&table), 2);
    drop(table);
    instance.terminate(TermMode::Clean).unwrap();
}

#[test]
fn a_released_value_is_not_taken_for_a_row_at_zero() {
    let (env, _) = SimEnv::new(1);
    let (instance, table) = with_rows(&env, 1);
    delete(&instance, &table, 0);
    assert!(instance.at_zero.lock().is_empty());
    assert_eq!(nodes(&table), 2);
    instance.background_step().unwrap();
    assert_eq!(nodes(&table), 0);
}

#[test]
fn a_database_stays_as_long_as_somebody_is_at_work_on_a_value_that_may_have_to_go() {
    let (env, _) = SimEnv::new(1);
    let (instance, table) = with_rows(&env, 2);
    delete(&instance, &table, 0);
    let LongTree { db, tree, .. } = table.long_tree().unwrap();
    let mut session = Session::begin_session(&instance).unwrap();
    session.begin().unwrap();
    session.lock(&db, &tree, &root_key(Lid(1)), Lock::Write).unwrap();
    let attached = instance.database(db.dbid).unwrap();
    assert_eq!(instance.detach(&attached).unwrap_err().code(), JetErr::DatabaseInUse);
    assert_eq!(nodes(&table), 4);
    session.rollback().unwrap();
    instance.detach(&attached).unwrap();
    drop((db, tree, session, attached, table));
    let attached = instance.attach(Path::new(FILE)).unwrap();
    let session = Session::begin_session(&instance).unwrap();
    assert_eq!(nodes(&catalog::open_table(&session, &attached, "t").unwrap()), 2);
    drop((session, attached));
    instance.terminate(TermMode::Clean).unwrap();
}

#[test]
fn a_crash_between_the_two_steps_in_which_a_value_goes_leaves_nothing() {
    let (env, _) = SimEnv::new(1);
    let (instance, table) = with_rows(&env, 2);
    delete(&instance, &table, 0);
    let LongTree { db, tree, .. } = table.long_tree().unwrap();
    let (writer, root) = (Writer::system(ProcId(0)), root_key(Lid(1)));
    let chunk = chunk_key(Lid(1), 0);
    let mark = |key: &[u8]| {
        let at = &mut Position::default();
        tree::flag_delete(&db, &tree, writer, &Unversioned, at, key, &[]).unwrap();
    };
    mark(&chunk);
    tree::delete_node(&db, &tree, writer, &chunk, &[], &|| true).unwrap();
    mark(&root);
    let log = instance.log.as_ref().unwrap();
    log.flush(log.tip()).unwrap();
    assert_eq!(nodes(&table), 3);
    instance.abandon();
    drop((db, tree, table, instance));
    let (instance, table) = reopened(&env);
    assert_eq!(nodes(&table), 2);
    drop(table);
    instance.terminate(TermMode::Clean).unwrap();
}

#[test]
fn who_lets_go_of_more_values_than_the_background_removes_removes_some() {
    let (env, _) = SimEnv::new(1);
    let (instance, table) = with_rows(&env, 4500);
    (0..4500).for_each(|id| delete(&instance, &table, id));
    let left = nodes(&table);
    assert!(left < 2 * 4200, "{left} nodes of 9000 are left");
    instance.background_step().unwrap();
    assert_eq!(nodes(&table), 0);
}

/// Between its clean header and the record that says so the log may go over to a new generation:
/// recovery ended with a database that was clean and needed logs.
#[test]
fn a_roll_passes_over_what_is_clean_and_what_becomes_dirty_asks_itself() {
    let (env, _) = SimEnv::new(1);
    let (instance, table) = with_rows(&env, 1);
    let attached = instance.database(table.db.dbid).unwrap();
    let log = instance.log.as_ref().unwrap();
    let required = || attached.db.file.header().required();
    log.roll().unwrap();
    assert_eq!(required().1, log.written_generation().0);
    instance.make_clean(&attached, LgPos::MIN).unwrap();
    log.roll().unwrap();
    assert_eq!(required(), (Generation(0), Generation(0)));
    instance.mark_dirty(&attached).unwrap();
    assert_eq!(required().1, log.written_generation().0);
}

fn snapshot_of(env: &Env) -> BkInfo {
    let file = env.fs.open(Path::new(FILE), OpenMode::Read).unwrap();
    read_header(file.as_ref()).unwrap().header.bkinfo_snapshot_cur
}

#[test]
fn a_snapshot_that_never_ended_is_forgotten_when_its_database_is_used() {
    let (env, _) = SimEnv::new(1);
    let (instance, table) = with_rows(&env, 1);
    drop(table);
    instance.terminate(TermMode::Clean).unwrap();
    drop(instance);
    let died = BkInfo { gen_low: 90.into(), gen_high: 99.into(), ..BkInfo::default() };
    let file = DbFile::open(&env, Path::new(FILE), Access::ReadWrite).unwrap();
    file.update_header(|header| header.bkinfo_snapshot_cur = died).unwrap();
    drop(file);
    let (instance, table) = reopened(&env);
    assert_eq!(snapshot_of(&env), BkInfo::default());
    instance.abandon();
    drop((table, instance));
    // The crash is recovered: nobody asks for the logs of that snapshot.
    let (instance, table) = reopened(&env);
    drop(table);
    let attached = instance.database(ese_base::Dbid(1)).unwrap();
    attached.db.file.update_header(|header| header.bkinfo_snapshot_cur = died).unwrap();
    drop(attached);
    instance.terminate(TermMode::Clean).unwrap();
    assert_eq!(snapshot_of(&env), BkInfo::default());
}

/// Redo may begin with any generation, and knows the databases that its header names.
#[test]
fn a_generation_that_begins_during_a_creation_names_the_new_database() {
    let (env, _) = SimEnv::new(1);
    env.fs.create_dir_all(Path::new("/db")).unwrap();
    let mut config = InstanceConfig::new(Path::new("/db"));
    config.log_file_size = 64 << 10;
    let instance = Instance::start(&env, config).unwrap();
    let names = ["/db/a.edb", "/db/b.edb", "/db/c.edb", "/db/d.edb"];
    let made = names.map(|name| instance.create_database(Path::new(name)).unwrap());
    instance.log.as_ref().unwrap().roll().unwrap();
    let stream = ese_log::LogStream::scan(&env, &ese_log::LogNames::new("/db", "edb")).unwrap();
    let mut during = 0;
    for (generation, file) in stream.archives() {
        let begun: Vec<Dbid> = made
            .iter()
            .filter(|it| it.attach.generation < generation)
            .map(|it| it.db.dbid)
            .collect();
        let named = &file.header().unwrap().attachments;
        assert_eq!(named.iter().map(|it| it.dbid).collect::<Vec<_>>(), begun, "{generation:?}");
        during += named.iter().filter(|it| it.dbtime == ese_base::DbTime(0)).count();
    }
    assert!(during > 0, "no creation goes over to another generation");
    instance.terminate(TermMode::Clean).unwrap();
}
