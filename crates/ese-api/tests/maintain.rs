//! Defragmentation, the length of files, compaction: through the Rust API and the Jet functions.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a failing step fails the test; files are looked at behind the engine's back"
)]

mod jet_setup;

use std::{
    path::Path,
    sync::mpsc::channel,
    time::{Duration, Instant},
};

use ese_api::{
    ColType, Database, DefragOptions, Env, IndexDef, Instance, JetErr, Offline, StopReason,
    StopToken, Table, TableBuilder, VerifyOptions, compact, jet::*, row, verify_database,
};
use jet_setup::{Live, code, multi, set};

const ROWS: i32 = 6000;

/// A database with a table of which four rows in nine are gone.
fn sparse(instance: &Instance) -> (Database, Table) {
    let database = instance.create_database("a.edb").unwrap();
    let mut session = instance.session().unwrap();
    let people = TableBuilder::new("people")
        .required("id", ColType::Long)
        .text("name")
        .column("n", ColType::Long)
        .column("data", ColType::LongBinary)
        .primary(&["id"])
        .index(IndexDef::new("by n", &["n", "id"]));
    let table = database.create_table(&mut session, people).unwrap();
    let mut transaction = session.begin().unwrap();
    for id in 0..ROWS {
        let (name, n) = (format!("name {id}"), id % 97);
        let data = vec![7_u8; 150];
        table
            .insert(
                &mut transaction,
                &row! { "id" => id, "name" => name, "n" => n, "data" => data },
            )
            .unwrap();
    }
    transaction.commit().unwrap();
    let mut transaction = session.begin().unwrap();
    for id in (0..ROWS).filter(|id| id % 9 < 4) {
        assert!(table.delete(&mut transaction, id).unwrap());
    }
    transaction.commit().unwrap();
    (database, table)
}

fn start(dir: &Path) -> Instance {
    Instance::builder(dir).log_file_size(1 << 20).start().unwrap()
}

fn sound(path: &Path) -> u64 {
    let mut quiet = |_: &ese_api::VerifyProgress| ();
    let mut options = VerifyOptions::new(&mut quiet, StopToken::new());
    let report = verify_database(&Env::real(), path, &mut options).unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
    assert_eq!(report.leaked_pages, 0);
    report.entries
}

#[test]
fn a_database_is_defragmented_while_others_write_and_can_be_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let instance = start(dir.path());
    let (database, table) = sparse(&instance);
    let done = std::sync::atomic::AtomicBool::new(false);
    let outcome = std::thread::scope(|scope| {
        let (others, done) = (instance.session().unwrap(), &done);
        let table = &table;
        scope.spawn(move || {
            let mut others = others;
            let mut id = ROWS;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                table.insert(&mut others, &row! { "id" => id, "name" => "new" }).unwrap();
                assert!(table.delete(&mut others, id).unwrap());
                id += 1;
            }
        });
        let mut calls = 0;
        let mut progress = |_| {
            calls += 1;
            Ok(())
        };
        let options = DefragOptions { passes: 2, time: None };
        let outcome = database.defragment(options, &mut progress, &StopToken::new());
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(calls > 20);
        outcome.unwrap()
    });
    assert!(outcome.complete && outcome.passes == 2 && outcome.report.joined > 50, "{outcome:?}");
    let stop = StopToken::new();
    stop.stop(StopReason::Requested);
    let stopped = database.defragment(DefragOptions::default(), &mut |_| Ok(()), &stop);
    assert_eq!(stopped.unwrap_err().code(), JetErr::ClientRequestToStopJetService);
    let options = DefragOptions { time: Some(Duration::ZERO), ..DefragOptions::default() };
    let short = database.defragment(options, &mut |_| Ok(()), &StopToken::new()).unwrap();
    assert!(!short.complete && short.passes == 0);
    drop((table, database));
    instance.stop().unwrap();
    sound(&dir.path().join("a.edb"));
}

#[test]
fn a_compacted_database_has_the_same_rows_in_fewer_pages() {
    let dir = tempfile::tempdir().unwrap();
    let instance = start(dir.path());
    drop(sparse(&instance));
    instance.stop().unwrap();
    let (source, target) = (dir.path().join("a.edb"), dir.path().join("b.edb"));
    let before = std::fs::read(&source).unwrap();
    let env = Env::real();
    let mut reported = 0;
    let mut progress = |so_far: ese_api::CompactProgress| {
        assert!(so_far.bytes_done <= so_far.bytes_total);
        reported += 1;
    };
    let done = compact(&env, &source, &target, &mut progress, &StopToken::new()).unwrap();
    assert!(reported > 3 && done.tables == 1 && done.trees == 2, "{done:?}");
    let rows = (0..ROWS).filter(|id| id % 9 >= 4).count();
    assert_eq!(done.entries, 2 * rows as u64);
    assert!(done.pages * 10 < done.pages_before * 8, "{done:?}");
    assert_eq!(std::fs::read(&source).unwrap(), before);
    assert_eq!(std::fs::metadata(&target).unwrap().len(), u64::from(done.pages + 2) * 4096);
    assert!(sound(&target) > done.entries);
    let rows = |path: &Path| {
        let offline = Offline::open(&env, path).unwrap();
        let mut rows = Vec::new();
        let table = offline.table("people").unwrap();
        offline
            .rows(table, |key, view| {
                rows.push((key.to_vec(), view.bytes().to_vec()));
                Ok(std::ops::ControlFlow::Continue(()))
            })
            .unwrap();
        rows
    };
    assert_eq!(rows(&source), rows(&target));
    // It lives on.
    std::fs::rename(&target, dir.path().join("c.edb")).unwrap();
    let instance = start(dir.path());
    let database = instance.open_database("c.edb").unwrap();
    let mut session = instance.session().unwrap();
    let table = database.table(&session, "people").unwrap();
    table.insert(&mut session, &row! { "id" => -5, "name" => "Ada" }).unwrap();
    assert_eq!(table.get(&session, 5).unwrap().unwrap()["name"], "name 5".into());
    drop((table, database, session));
    instance.stop().unwrap();
    sound(&dir.path().join("c.edb"));
}

#[test]
fn a_compaction_that_fails_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let instance = start(dir.path());
    drop(sparse(&instance));
    let (source, target) = (dir.path().join("a.edb"), dir.path().join("b.edb"));
    let (env, go_on) = (Env::real(), StopToken::new());
    let names = || {
        let entries = std::fs::read_dir(dir.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with('b')).collect::<Vec<_>>()
    };
    // Attached.
    assert_eq!(
        code(compact(&env, &source, &target, &mut |_| (), &go_on)),
        JetErr::FileAccessDenied
    );
    instance.stop_dirty().unwrap();
    assert_eq!(
        code(compact(&env, &source, &target, &mut |_| (), &go_on)),
        JetErr::DatabaseDirtyShutdown
    );
    start(dir.path()).stop().unwrap();
    let stop = StopToken::new();
    let mut calls = 0;
    let mut progress = |_| {
        calls += 1;
        if calls == 4 {
            stop.stop(StopReason::Requested);
        }
    };
    assert_eq!(
        code(compact(&env, &source, &target, &mut progress, &stop)),
        JetErr::ClientRequestToStopJetService
    );
    assert_eq!(names(), Vec::<String>::new());
    // A damaged page of the source.
    let mut bytes = std::fs::read(&source).unwrap();
    let good = bytes.clone();
    let at = 100 * 4096;
    bytes[at..at + 200].fill(0x5a);
    std::fs::write(&source, &bytes).unwrap();
    let damaged = compact(&env, &source, &target, &mut |_| (), &go_on).unwrap_err();
    assert_eq!(damaged.kind(), ese_api::ErrorKind::Corruption);
    assert_eq!(names(), Vec::<String>::new());
    std::fs::write(&source, &good).unwrap();
    // What an earlier one left that was killed does not matter; a file with the name does.
    std::fs::write(dir.path().join("b.edb.compacting"), b"half").unwrap();
    compact(&env, &source, &target, &mut |_| (), &go_on).unwrap();
    assert_eq!(names(), ["b.edb"]);
    assert_eq!(
        code(compact(&env, &source, &target, &mut |_| (), &go_on)),
        JetErr::DatabaseDuplicate
    );
}

#[test]
fn jet_defragment_starts_stops_and_tells_of_its_end() {
    let _mode = multi();
    let live = Live::new();
    let (sesid, dbid) = (live.sesid, live.dbid);
    live.load(0..2000);
    let start = JET_bitDefragmentBatchStart;
    let stop = JET_bitDefragmentBatchStop;
    let defragment = |grbit| JetDefragment(sesid, dbid, None, None, None, grbit);
    assert_eq!(defragment(stop).unwrap(), JetErr::WrnDefragNotRunning);
    assert_eq!(code(defragment(0)), JetErr::InvalidGrbit);
    assert_eq!(code(defragment(start | stop)), JetErr::InvalidGrbit);
    assert_eq!(defragment(start | JET_bitDefragmentAvailSpaceTreesOnly).unwrap(), JetErr::Success);
    assert_eq!(defragment(start).unwrap(), JetErr::WrnDefragAlreadyRunning);
    let (mut passes, mut seconds) = (77, 77);
    let stopped =
        JetDefragment(sesid, dbid, None, Some(&mut passes), Some(&mut seconds), stop).unwrap();
    assert!(stopped == JetErr::Success && passes <= 1 && seconds < 60, "{passes} {seconds}");
    // One pass, with a callback on another thread.
    let (send, told) = channel();
    let here = std::thread::current().id();
    let done: JET_PFNDEFRAG = Box::new(move |sesid, dbid| {
        assert_ne!(std::thread::current().id(), here);
        send.send((sesid, dbid)).unwrap();
    });
    let mut one = 1;
    JetDefragment2(sesid, dbid, None, Some(&mut one), None, Some(done), start).unwrap();
    assert_eq!(told.recv_timeout(Duration::from_secs(60)).unwrap(), (sesid, dbid));
    let waited = Instant::now();
    while defragment(stop).unwrap() != JetErr::WrnDefragNotRunning {
        assert!(waited.elapsed() < Duration::from_secs(10));
    }
    // One tree.
    let tree = JET_bitDefragmentBTree;
    let of = |table, grbit| JetDefragment(sesid, dbid, table, None, None, grbit);
    assert_eq!(of(Some("t"), tree).unwrap(), JetErr::Success);
    assert_eq!(code(of(None, tree)), JetErr::InvalidName);
    assert_eq!(code(of(Some("t"), tree | start)), JetErr::InvalidGrbit);
    assert_eq!(code(of(Some("nobody"), tree)), JetErr::ObjectNotFound);
    let batch = JET_bitDefragmentBTreeBatch;
    assert_eq!(of(None, batch | start).unwrap(), JetErr::Success);
    assert_eq!(code(of(None, batch)), JetErr::InvalidGrbit);
    assert_eq!(code(of(Some("t"), batch | start)), JetErr::InvalidParameter);
    // Switched off.
    set(live.inst, JET_paramEnableOnlineDefrag, 0);
    assert_eq!(defragment(start).unwrap(), JetErr::Success);
    assert_eq!(defragment(stop).unwrap(), JetErr::Success);
    assert_eq!(
        code(JetDefragment(sesid, dbid + 1, None, None, None, start)),
        JetErr::InvalidDatabaseId
    );
}

#[test]
fn a_file_is_made_longer_and_shorter() {
    let _mode = multi();
    let on = JET_bitShrinkDatabaseOn.into();
    let live = Live::with(|inst| {
        set(inst, JET_paramEnableShrinkDatabase, on);
        set(inst, JET_paramDbExtensionSize, 1);
    });
    let (sesid, dbid) = (live.sesid, live.dbid);
    let len = || std::fs::metadata(live.path()).unwrap().len();
    assert_eq!(JetGrowDatabase(sesid, dbid, 2000).unwrap(), 2000);
    let both = JET_bitResizeDatabaseOnlyGrow | JET_bitResizeDatabaseOnlyShrink;
    assert_eq!(code(JetResizeDatabase(sesid, dbid, 10, both)), JetErr::InvalidGrbit);
    assert_eq!(code(JetResizeDatabase(sesid, dbid, 10, 4)), JetErr::InvalidGrbit);
    let resize = |pages, grbit| JetResizeDatabase(sesid, dbid, pages, grbit).unwrap();
    assert_eq!(resize(3000, JET_bitResizeDatabaseOnlyShrink), (JetErr::Success, 2000));
    assert_eq!(resize(3000, 0), (JetErr::Success, 3000));
    assert_eq!(resize(1000, JET_bitResizeDatabaseOnlyGrow), (JetErr::Success, 3000));
    assert_eq!(resize(1000, 0), (JetErr::Success, 1000));
    assert_eq!(len(), 1000 * 4096);
    // The first extent stays.
    assert_eq!(resize(10, 0), (JetErr::WrnShrinkNotPossible, 256));
    live.load(0..2000);
    let full = JetGrowDatabase(sesid, dbid, 0).unwrap();
    let (warning, least) = resize(10, 0);
    assert!(warning == JetErr::WrnShrinkNotPossible && least <= full);
    // A backup has fixed what it will read.
    resize(3000, 0);
    live.begin();
    assert_eq!(resize(1000, 0), (JetErr::WrnShrinkNotPossible, 3000));
    live.end(2);
    assert_eq!(resize(1000, 0), (JetErr::Success, 1000));
    assert_eq!(live.rows().len(), 2000);
}

#[test]
fn jet_functions_make_files_longer() {
    let _mode = multi();
    let live = Live::with(|inst| set(inst, JET_paramDbExtensionSize, 1));
    let (sesid, dbid) = (live.sesid, live.dbid);
    let len = || std::fs::metadata(live.path()).unwrap().len();
    assert_eq!(JetGrowDatabase(sesid, dbid, 2000).unwrap(), 2000);
    assert_eq!(JetGrowDatabase(sesid, dbid, 100).unwrap(), 2000);
    assert_eq!(len(), 2000 * 4096);
    let path = live.path();
    let name = path.to_str().unwrap();
    assert_eq!(code(JetSetDatabaseSize(sesid, name, 2000)), JetErr::DatabaseInUse);
    let nobody = path.with_file_name("nobody.edb");
    let nobody = nobody.to_str().unwrap();
    assert_eq!(code(JetSetDatabaseSize(sesid, nobody, 2000)), JetErr::DatabaseNotFound);
    JetCloseTable(sesid, live.tableid).unwrap();
    JetCloseDatabase(sesid, dbid, 0).unwrap();
    JetDetachDatabase(sesid, name).unwrap();
    assert_eq!(JetSetDatabaseSize(sesid, name, 2000).unwrap(), 2000);
    assert_eq!(len(), 2002 * 4096);
    JetAttachDatabase(sesid, name, 0).unwrap();
}

#[test]
fn jet_compact_copies_an_attached_database_that_nobody_has_open() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..1000);
    let (sesid, path) = (live.sesid, live.path());
    let (source, target) = (path.to_str().unwrap(), path.with_file_name("dense.edb"));
    let dense = target.to_str().unwrap();
    assert_eq!(code(JetCompact(sesid, source, dense, None, 0)), JetErr::DatabaseInUse);
    JetCloseTable(sesid, live.tableid).unwrap();
    JetCloseDatabase(sesid, live.dbid, 0).unwrap();
    JetBeginTransaction(sesid).unwrap();
    assert_eq!(code(JetCompact(sesid, source, dense, None, 0)), JetErr::InTransaction);
    JetRollback(sesid, 0).unwrap();
    assert_eq!(code(JetCompact(sesid, source, dense, None, 1)), JetErr::InvalidGrbit);
    let repair = JetCompact(sesid, source, dense, None, JET_bitCompactRepair);
    assert_eq!(code(repair), JetErr::FeatureNotAvailable);
    assert_eq!(code(JetCompact(sesid, source, source, None, 0)), JetErr::DatabaseDuplicate);
    assert!(!target.exists());
    let mut told = Vec::new();
    let mut status = |snp, snt, progress: &JET_SNPROG| {
        assert_eq!((snp, progress.cunitTotal), (JET_snpCompact, 100));
        told.push((snt, progress.cunitDone));
        Ok(())
    };
    JetCompact(sesid, source, dense, Some(&mut status), JET_bitCompactStats).unwrap();
    assert_eq!(told.first(), Some(&(JET_sntBegin, 0)));
    assert_eq!(told.last(), Some(&(JET_sntComplete, 100)));
    assert!(told.len() > 3 && told.is_sorted_by_key(|(_, done)| *done));
    sound(&target);
    // The source is attached as before.
    assert_eq!(JetAttachDatabase(sesid, source, 0).unwrap(), JetErr::WrnDatabaseAttached);
    JetDetachDatabase(sesid, source).unwrap();
    assert_eq!(code(JetCompact(sesid, source, "x", None, 0)), JetErr::DatabaseNotFound);
    JetAttachDatabase(sesid, dense, 0).unwrap();
    let dbid = JetOpenDatabase(sesid, dense, 0).unwrap().1;
    let table = JetOpenTable(sesid, dbid, "t", 0).unwrap();
    assert_eq!(JetIndexRecordCount(sesid, table, 5000).unwrap(), 1000);
}
