//! Snapshots of volumes (4.12), group H of the cases among them.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::channel,
    },
    thread,
    time::{Duration, Instant},
};

use ese_api::{
    ColType, Instance, JetErr, PauseBy, SnapshotOptions, SnapshotStage, TableBuilder, jet::*, row,
};
use ese_backup::State;
use ese_sim::{SimDisk, SimEnv, StateOptions};
use tempfile::TempDir;

use crate::{
    jet_setup::{Live, alone, code, multi, set},
    load::{SetAtEnd, Writer},
};

const EXPLICIT: JET_GRBIT = JET_bitExplicitPrepare;

fn prepare(live: &Live, flags: JET_GRBIT) -> JET_OSSNAPID {
    let id = JetOSSnapshotPrepare(EXPLICIT | flags).unwrap();
    JetOSSnapshotPrepareInstance(id, live.inst, 0).unwrap();
    id
}

/// What the storage does while writes are held back.
fn image(dir: &Path) -> Arc<TempDir> {
    let copy = Arc::new(tempfile::tempdir().unwrap());
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

fn files(dir: &Path) -> Vec<(std::ffi::OsString, Vec<u8>)> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> =
        entries.map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap())).collect();
    files.sort();
    files
}

#[test]
fn case_146_an_id_that_is_none() {
    let _mode = multi();
    let live = Live::new();
    let bad = JET_OSSNAPID(u64::MAX);
    let unknown = JetErr::OSSnapshotInvalidSnapId;
    assert_eq!(code(JetOSSnapshotPrepareInstance(bad, live.inst, 0)), unknown);
    assert_eq!(code(JetOSSnapshotFreeze(bad, 0)), unknown);
    assert_eq!(code(JetOSSnapshotThaw(bad, 0)), unknown);
    assert_eq!(code(JetOSSnapshotTruncateLog(bad, 0)), unknown);
    assert_eq!(code(JetOSSnapshotTruncateLogInstance(bad, live.inst, 0)), unknown);
    assert_eq!(code(JetOSSnapshotGetFreezeInfo(bad, 0)), unknown);
    assert_eq!(code(JetOSSnapshotEnd(bad, 0)), unknown);
    assert_eq!(code(JetOSSnapshotAbort(bad, 0)), unknown);
    let id = prepare(&live, 0);
    JetOSSnapshotEnd(id, 0).unwrap();
    assert_eq!(code(JetOSSnapshotFreeze(id, 0)), unknown, "an ended one");
}

#[test]
fn flags_of_snapshots_that_there_are_not() {
    let _mode = multi();
    let live = Live::new();
    let id = prepare(&live, 0);
    let wrong = JetErr::InvalidGrbit;
    assert_eq!(code(JetOSSnapshotPrepare(0x10)), wrong);
    assert_eq!(code(JetOSSnapshotPrepareInstance(id, live.inst, 1)), wrong);
    assert_eq!(code(JetOSSnapshotFreeze(id, 1)), wrong);
    assert_eq!(code(JetOSSnapshotThaw(id, 1)), wrong);
    assert_eq!(code(JetOSSnapshotTruncateLog(id, 2)), wrong);
    assert_eq!(code(JetOSSnapshotTruncateLogInstance(id, live.inst, 2)), wrong);
    assert_eq!(code(JetOSSnapshotGetFreezeInfo(id, 1)), wrong);
    assert_eq!(code(JetOSSnapshotEnd(id, 2)), wrong);
    assert_eq!(code(JetOSSnapshotAbort(id, 1)), wrong);
    assert_eq!(code(JetOSSnapshotPrepareInstance(id, live.inst, 0)), JetErr::OSSnapshotNotAllowed);
    let bad = JetOSSnapshotPrepareInstance(id, JET_INSTANCE(0x7777_0001), 0);
    assert_eq!(code(bad), JetErr::InvalidParameter);
    JetOSSnapshotAbort(id, 0).unwrap();
}

#[test]
fn without_an_instance_there_is_nothing_to_be_frozen() {
    let _alone = alone();
    assert_eq!(code(JetOSSnapshotPrepare(0)), JetErr::NotInitialized);
}

#[test]
fn without_a_choice_all_running_instances_are_in_it() {
    let _alone = alone();
    JetSetSystemParameter(None, JET_SESID::NIL, JET_paramMaxInstances, 1000, None).ok();
    let (a, b) = (Live::new(), Live::new());
    let id = JetOSSnapshotPrepare(0).unwrap();
    let second = JetOSSnapshotPrepare(JET_bitContinueAfterThaw).unwrap();
    let info = JetOSSnapshotFreeze(id, 0).unwrap();
    assert_eq!(info, JetOSSnapshotGetFreezeInfo(id, 0).unwrap());
    let found: BTreeSet<_> = info.iter().map(|info| info.hInstanceId.0).collect();
    assert_eq!(found, BTreeSet::from([a.inst.0, b.inst.0]));
    let databases = info.iter().flat_map(|info| info.szDatabaseFileName.clone());
    assert_eq!(databases.collect::<BTreeSet<_>>(), BTreeSet::from([a.path(), b.path()]));
    assert!(JetOSSnapshotFreeze(second, 0).unwrap().is_empty(), "all are in the first");
    JetOSSnapshotAbort(second, 0).unwrap();
    JetOSSnapshotThaw(id, 0).unwrap();
    assert!(a.marks()[0] > 0 && b.marks()[0] > 0);
}

#[test]
fn case_148_a_backup_in_progress_forbids_the_freeze() {
    let _mode = multi();
    let (live, other) = (Live::new(), Live::new());
    let refused = JetErr::OSSnapshotNotAllowed;
    let id = prepare(&live, 0);
    JetOSSnapshotPrepareInstance(id, other.inst, 0).unwrap();
    other.begin();
    assert_eq!(code(JetOSSnapshotFreeze(id, 0)), refused);
    live.load(0..5);
    assert_eq!(backup_state(live.inst).unwrap().0, State::None, "the first is let go");
    // After a refused freeze nothing is left but the end.
    assert_eq!(code(JetOSSnapshotFreeze(id, 0)), JetErr::OSSnapshotInvalidSequence);
    JetOSSnapshotEnd(id, 0).unwrap();
    let id = JetOSSnapshotPrepare(EXPLICIT).unwrap();
    assert_eq!(code(JetOSSnapshotPrepareInstance(id, other.inst, 0)), refused);
    JetOSSnapshotPrepareInstance(id, live.inst, 0).unwrap();
    other.end(JET_bitBackupEndAbort);
    let third = JetOSSnapshotPrepare(EXPLICIT).unwrap();
    assert_eq!(code(JetOSSnapshotPrepareInstance(third, live.inst, 0)), refused, "in another");
    JetOSSnapshotAbort(id, 0).unwrap();
    JetOSSnapshotAbort(third, 0).unwrap();
    assert_eq!((live.marks(), other.marks()), ([0; 4], [0; 4]));

    let off = Live::with(|inst| {
        JetSetSystemParameter(Some(inst), JET_SESID::NIL, JET_paramRecovery, 0, Some("off"))
            .unwrap();
    });
    let id = prepare(&off, 0);
    assert_eq!(code(JetOSSnapshotFreeze(id, 0)), refused, "without a log there is no image");
    JetOSSnapshotAbort(id, 0).unwrap();
}

#[test]
fn case_149_a_backup_that_begins_during_a_freeze_waits_for_the_thaw() {
    let _mode = multi();
    let live = Live::new();
    let id = prepare(&live, JET_bitContinueAfterThaw);
    JetOSSnapshotFreeze(id, 0).unwrap();
    let inst = live.inst;
    thread::scope(|scope| {
        let beginning = scope.spawn(move || JetBeginExternalBackupInstance(inst, 0));
        thread::sleep(Duration::from_millis(60));
        assert!(!beginning.is_finished());
        // Calls that do not begin anything wait for nothing.
        assert_eq!(code(JetGetAttachInfoInstance(inst, None)), JetErr::NoBackup);
        assert_eq!(code(JetEndExternalBackupInstance(inst)), JetErr::NoBackup);
        live.stop();
        JetOSSnapshotThaw(id, 0).unwrap();
        assert_eq!(code(beginning.join().unwrap()), JetErr::BackupInProgress);
    });
    assert_eq!(code(JetOSSnapshotThaw(id, 0)), JetErr::OSSnapshotInvalidSequence);
    JetOSSnapshotEnd(id, 0).unwrap();
    live.back_up_and_compare();
}

#[test]
fn writes_wait_and_reads_do_not_while_an_instance_is_frozen() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..500);
    let id = prepare(&live, 0);
    JetOSSnapshotFreeze(id, 0).unwrap();
    let before = files(live.dir.path());
    let (sender, committed) = channel();
    thread::scope(|scope| {
        let writer = Writer::new(&live);
        scope.spawn(move || {
            writer.insert(1000);
            sender.send(()).unwrap();
        });
        assert!(committed.recv_timeout(Duration::from_millis(200)).is_err(), "a commit waits");
        // Others see a commit when it is ordered, its own session when it is durable.
        let rows = live.rows();
        assert_eq!(rows.range(..1000).count(), 500, "reading goes on");
        let other = live.dir.path().join("b.edb");
        let created = JetCreateDatabase(live.sesid, other.to_str().unwrap(), 0);
        assert_eq!(code(created), JetErr::BackupInProgress);
        assert_eq!(files(live.dir.path()), before, "nothing has changed on the disk");
        JetOSSnapshotThaw(id, 0).unwrap();
        committed.recv_timeout(Duration::from_secs(30)).unwrap();
    });
    assert_eq!(live.rows().len(), 501);
}

#[test]
fn a_frozen_copy_of_the_files_recovers_to_the_committed_rows() {
    let _mode = multi();
    for round in 0..4 {
        let live = Live::with(|inst| set(inst, JET_paramCheckpointDepthMax, 64 << 10));
        live.load(0..300);
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let writers: Vec<_> = (1..=4)
                .map(|number: i32| {
                    let (writer, stop) = (Writer::new(&live), &stop);
                    scope.spawn(move || {
                        let mut committed = Vec::new();
                        for id in number * 100_000.. {
                            if stop.load(Ordering::SeqCst) {
                                break;
                            }
                            writer.insert(id);
                            committed.push((id, Instant::now()));
                        }
                        committed
                    })
                })
                .collect();
            let over = SetAtEnd(&stop);
            thread::sleep(Duration::from_millis(60 + 20 * round));
            let id = prepare(&live, 0);
            let called = Instant::now();
            JetOSSnapshotFreeze(id, 0).unwrap();
            let copy = image(live.dir.path());
            let copied = Instant::now();
            JetOSSnapshotThaw(id, 0).unwrap();
            drop(over);
            let committed: Vec<_> =
                writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
            let found: BTreeSet<i32> = Live::again(&copy).rows().into_keys().collect();
            let mut expected: BTreeSet<i32> = (0..300).collect();
            let mut in_flight = 0;
            for (id, at) in committed {
                if at < called {
                    expected.insert(id);
                } else if found.contains(&id) {
                    // Durable before the freeze, told to its writer later.
                    expected.insert(id);
                    in_flight += usize::from(at > copied);
                }
            }
            assert_eq!(found, expected);
            // A writer has one commit under way at a time.
            assert!(in_flight <= 4, "{in_flight}");
        });
    }
}

#[test]
fn a_freeze_that_takes_too_long_ends_by_itself() {
    let _alone = alone();
    JetSetSystemParameter(None, JET_SESID::NIL, JET_paramMaxInstances, 1000, None).ok();
    let timeout = |ms| {
        JetSetSystemParameter(None, JET_SESID::NIL, JET_paramOSSnapshotTimeout, ms, None).unwrap();
    };
    timeout(100);
    let live = Live::new();
    live.load(0..100);
    for flags in [0, JET_bitContinueAfterThaw] {
        let id = prepare(&live, flags);
        JetOSSnapshotFreeze(id, 0).unwrap();
        let begun = Instant::now();
        live.load(if flags == 0 { 100..110 } else { 110..120 });
        assert!(begun.elapsed() >= Duration::from_millis(80), "it waited for the time to be over");
        assert_eq!(backup_state(live.inst).unwrap().0, State::None);
        let other = live.dir.path().join(format!("{flags}.edb"));
        JetCreateDatabase(live.sesid, other.to_str().unwrap(), 0).unwrap();
        assert_eq!(JetOSSnapshotGetFreezeInfo(id, 0).unwrap().len(), 1);
        if flags != 0 {
            let early = JetOSSnapshotTruncateLog(id, JET_bitAllDatabasesSnapshot);
            assert_eq!(code(early), JetErr::OSSnapshotInvalidSequence);
        }
        assert_eq!(code(JetOSSnapshotThaw(id, 0)), JetErr::OSSnapshotTimeOut);
        if flags != 0 {
            assert_eq!(code(JetOSSnapshotEnd(id, 0)), JetErr::OSSnapshotInvalidSequence);
            JetOSSnapshotEnd(id, JET_bitAbortSnapshot).unwrap();
        }
        assert_eq!(code(JetOSSnapshotEnd(id, 0)), JetErr::OSSnapshotInvalidSnapId);
        assert_eq!(live.marks(), [0; 4], "the copy is of no use");
    }
    timeout(70_000);
}

/// Puts the checkpoint behind logs that can be truncated then.
fn with_old_logs() -> Live {
    let live = Live::new();
    live.load(0..2000);
    let dir = live.dir.clone();
    live.term(JET_bitTermAbrupt).unwrap();
    Live::again(&dir)
}

#[test]
fn logs_are_truncated_after_the_thaw_and_the_headers_remember_the_snapshot() {
    let _mode = multi();
    let live = with_old_logs();
    let all = JET_bitAllDatabasesSnapshot;
    let id = prepare(&live, JET_bitContinueAfterThaw);
    let out_of_turn = JetErr::OSSnapshotInvalidSequence;
    assert_eq!(code(JetOSSnapshotTruncateLog(id, all)), out_of_turn);
    assert_eq!(code(JetOSSnapshotThaw(id, 0)), out_of_turn);
    JetOSSnapshotFreeze(id, 0).unwrap();
    assert_eq!(code(JetOSSnapshotFreeze(id, 0)), out_of_turn);
    assert_eq!(code(JetOSSnapshotEnd(id, 0)), out_of_turn);
    assert_eq!(code(JetOSSnapshotPrepareInstance(id, live.inst, 0)), out_of_turn);
    let copy = image(live.dir.path());
    JetOSSnapshotThaw(id, 0).unwrap();
    JetOSSnapshotTruncateLog(id, 0).unwrap();
    assert!(live.log(1).exists(), "not every database was copied: nothing goes");
    let other = Live::new();
    assert_eq!(code(JetOSSnapshotTruncateLogInstance(id, other.inst, all)), out_of_turn);
    JetOSSnapshotTruncateLogInstance(id, live.inst, all).unwrap();
    assert!(!live.log(1).exists());
    JetOSSnapshotTruncateLog(id, all).unwrap();
    assert_eq!(live.marks(), [0; 4]);
    JetOSSnapshotEnd(id, 0).unwrap();
    let header = live.header();
    assert!(header.bkinfo_full_prev.gen_high.get() > 0);
    assert_eq!(header.bkinfo_type_full_prev.get(), 1, "a snapshot of the system");
    assert_eq!(Live::again(&copy).rows(), live.rows());

    // Incremental snapshots build on it, and streams do not: who makes them has no full backup.
    live.load(2000..2100);
    let full = live.marks()[0];
    let id = prepare(&live, JET_bitIncrementalSnapshot);
    JetOSSnapshotFreeze(id, 0).unwrap();
    JetOSSnapshotThaw(id, 0).unwrap();
    let marks = live.marks();
    assert!(marks[0] == full && marks[2] > full, "{marks:?}");
    let stream = JetBeginExternalBackupInstance(live.inst, JET_bitBackupIncremental);
    assert_eq!(code(stream), JetErr::MissingFullBackup);
}

/// As a stream says it when it asks for the logs: what is missing between cannot be bridged.
#[test]
fn an_incremental_snapshot_of_a_broken_chain_is_refused() {
    let _mode = multi();
    let live = with_old_logs();
    let id = prepare(&live, 0);
    JetOSSnapshotFreeze(id, 0).unwrap();
    JetOSSnapshotThaw(id, 0).unwrap();
    let covered = live.header().bkinfo_full_prev.gen_high.get();
    assert!(covered > 0);
    live.load(2000..4000);
    let dir = live.dir.clone();
    live.term(JET_bitTermComplete).unwrap();
    for generation in 1..=covered + 1 {
        let log = dir.path().join(format!("edb{generation:05X}.log"));
        if log.exists() {
            std::fs::remove_file(log).unwrap();
        }
    }
    let live = Live::again(&dir);
    let marks = live.marks();
    let id = prepare(&live, JET_bitIncrementalSnapshot);
    assert_eq!(code(JetOSSnapshotFreeze(id, 0)), JetErr::MissingFileToBackup);
    JetOSSnapshotAbort(id, 0).unwrap();
    assert_eq!(live.marks(), marks);
    // A full one begins a new chain, and a stream of logs is not its continuation.
    let id = prepare(&live, 0);
    JetOSSnapshotFreeze(id, 0).unwrap();
    JetOSSnapshotThaw(id, 0).unwrap();
    let id = prepare(&live, JET_bitIncrementalSnapshot);
    JetOSSnapshotFreeze(id, 0).unwrap();
    JetOSSnapshotThaw(id, 0).unwrap();
}

#[test]
fn a_copy_truncates_nothing_and_the_chain_leaves_it_out() {
    let _mode = multi();
    let live = with_old_logs();
    let id = prepare(&live, JET_bitContinueAfterThaw | JET_bitCopySnapshot);
    JetOSSnapshotFreeze(id, 0).unwrap();
    JetOSSnapshotThaw(id, 0).unwrap();
    let truncated = JetOSSnapshotTruncateLog(id, JET_bitAllDatabasesSnapshot);
    assert_eq!(code(truncated), JetErr::OSSnapshotInvalidSequence);
    JetOSSnapshotEnd(id, 0).unwrap();
    assert!(live.log(1).exists());
    let marks = live.marks();
    assert!(marks[0] == 0 && marks[1] > 0, "{marks:?}");
    let id = prepare(&live, JET_bitIncrementalSnapshot);
    assert_eq!(code(JetOSSnapshotFreeze(id, 0)), JetErr::MissingFullBackup);
    JetOSSnapshotAbort(id, 0).unwrap();
}

#[test]
fn an_aborted_snapshot_leaves_nothing_in_any_stage() {
    let _mode = multi();
    let live = Live::new();
    let stages: [fn(JET_OSSNAPID); 3] = [
        |_| (),
        |id| drop(JetOSSnapshotFreeze(id, 0).unwrap()),
        |id| {
            JetOSSnapshotFreeze(id, 0).unwrap();
            JetOSSnapshotThaw(id, 0).unwrap();
        },
    ];
    for reach in stages {
        for abort in [JetOSSnapshotAbort, |id, _| JetOSSnapshotEnd(id, JET_bitAbortSnapshot)] {
            let id = prepare(&live, JET_bitContinueAfterThaw);
            reach(id);
            abort(id, 0).unwrap();
            assert_eq!(live.marks(), [0; 4]);
            live.load(0..1);
            JetBeginTransaction(live.sesid).unwrap();
            JetMove(live.sesid, live.tableid, JET_MoveFirst, 0).unwrap();
            JetDelete(live.sesid, live.tableid).unwrap();
            JetCommitTransaction(live.sesid, 0).unwrap();
        }
    }
    live.load(0..50);
    live.back_up_and_compare();
}

#[test]
fn a_termination_waits_for_the_end_of_a_snapshot() {
    let _mode = multi();
    let mut live = Live::new();
    live.load(0..50);
    let id = prepare(&live, JET_bitContinueAfterThaw);
    JetOSSnapshotFreeze(id, 0).unwrap();
    assert_eq!(code(JetTerm2(live.inst, JET_bitTermComplete)), JetErr::BackupInProgress);
    let inst = live.inst;
    thread::scope(|scope| {
        let ending = scope.spawn(move || JetTerm(inst));
        thread::sleep(Duration::from_millis(60));
        assert!(!ending.is_finished());
        JetOSSnapshotThaw(id, 0).unwrap();
        thread::sleep(Duration::from_millis(60));
        assert!(!ending.is_finished(), "it goes on after the thaw");
        JetOSSnapshotEnd(id, 0).unwrap();
        ending.join().unwrap().unwrap();
    });
    live.ended = true;
    // One that was only prepared holds nobody up, nor any file.
    let again = Live::again(&live.dir);
    let id = prepare(&again, 0);
    let dir = again.dir.clone();
    again.term(JET_bitTermAbrupt).unwrap();
    let third = Live::again(&dir);
    assert!(JetOSSnapshotFreeze(id, 0).unwrap().is_empty());
    JetOSSnapshotThaw(id, 0).unwrap();
    assert_eq!(third.rows().len(), 50);
}

/// Rows of a simulated machine that starts with these files.
fn rows_after(image: &ese_sim::Image) -> Vec<i64> {
    let disk = SimDisk::from_image(image);
    let instance = simulated(&SimEnv::on(&disk, 7));
    let database = instance.open_database("a.edb").unwrap();
    let session = instance.session().unwrap();
    let table = database.table(&session, "t").unwrap();
    let rows: Vec<i64> = table
        .rows(&session)
        .map(|row| match row.unwrap()["n"] {
            ese_api::Value::I64(n) => n,
            ref other => panic!("{other:?}"),
        })
        .collect();
    drop((table, database, session));
    instance.stop().unwrap();
    rows
}

fn simulated(env: &ese_api::Env) -> Instance {
    Instance::builder("/inst")
        .env(env.clone(), PauseBy::Clock)
        .log_file_size(64 << 10)
        .checkpoint_depth(64 << 10)
        .cache_mode(ese_pages::cache::CacheMode::Copy)
        .start()
        .unwrap()
}

#[test]
fn every_image_of_a_frozen_disk_recovers_to_the_committed_rows() {
    let (env, disk) = SimEnv::new(3);
    let instance = simulated(&env);
    let database = instance.create_database("a.edb").unwrap();
    let mut session = instance.session().unwrap();
    let table = TableBuilder::new("t").required("n", ColType::LongLong);
    let table = table.column("data", ColType::LongBinary).primary(&["n"]);
    let table = database.create_table(&mut session, table).unwrap();
    let mut committed = Vec::new();
    for round in 0..6_i64 {
        for n in round * 100..round * 100 + 60 {
            let mut transaction = session.begin().unwrap();
            table.insert(&mut transaction, &row! { "n" => n, "data" => vec![5_u8; 300] }).unwrap();
            // The freeze makes lazy commits durable, too.
            if n % 3 == 0 { transaction.commit() } else { transaction.commit_lazy() }.unwrap();
            committed.push(n);
        }
        let mut open = session.begin().unwrap();
        table.insert(&mut open, &row! { "n" => -1 - round }).unwrap();
        let mut snapshot = instance.prepare_snapshot(SnapshotOptions::default()).unwrap();
        snapshot.freeze(Duration::from_secs(60)).unwrap();
        assert_eq!(rows_after(&disk.image()), committed);
        // As if the storage had lost its own caches on top of it.
        let options =
            StateOptions { seed: round.unsigned_abs(), budget: 8, garbage: true, from_op: 0 };
        for state in disk.crash_states(options) {
            assert_eq!(rows_after(&state.image), committed, "{}", state.description);
        }
        if round % 2 == 0 {
            snapshot.thaw().unwrap();
        } else {
            // Nobody else is there to thaw: the first write lets the time pass.
            let before = env.clock.monotonic();
            open.commit().unwrap();
            committed.push(-1 - round);
            committed.sort_unstable();
            assert!(env.clock.monotonic() - before >= Duration::from_secs(60));
            assert_eq!(snapshot.stage(), SnapshotStage::TimedOut);
            assert_eq!(code(snapshot.thaw()), JetErr::OSSnapshotTimeOut);
        }
    }
    drop((table, database, session));
    instance.stop().unwrap();
}
