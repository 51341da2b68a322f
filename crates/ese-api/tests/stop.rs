//! The stop: groups A, B and C of backup-log-recovery 7, each case under its number.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a failing step fails the test; files are looked at behind the engine's back"
)]

mod jet_setup;

use std::{path::Path, thread, time::Duration};

use ese_api::{JetErr, jet::*};
use ese_backup::AlignedBuffer;
use jet_setup::{Live, Op, alone, code, multi, set, timed};

const BAD: JET_INSTANCE = JET_INSTANCE(0x7777_0001);

fn other_database(live: &Live) -> String {
    live.dir.path().join("b.edb").to_str().unwrap().to_owned()
}

fn read(live: &Live, handle: JET_HANDLE) -> ese_api::Result<usize> {
    let mut buffer = AlignedBuffer::new(64 << 10).unwrap();
    JetReadFileInstance(live.inst, handle, buffer.as_mut_slice())
}

#[test]
fn case_001_without_a_backup_it_succeeds_and_changes_nothing() {
    let _mode = multi();
    let live = Live::new();
    live.stop();
    live.load(0..10);
    let other = other_database(&live);
    let dbid = JetCreateDatabase(live.sesid, &other, 0).unwrap();
    JetCloseDatabase(live.sesid, dbid, 0).unwrap();
    JetDetachDatabase(live.sesid, &other).unwrap();
    assert_eq!(live.rows().len(), 10);
    live.back_up_and_compare();
}

#[test]
fn case_002_003_013_064_values_that_are_no_instance() {
    let _mode = multi();
    let (a, b) = (Live::new(), Live::new());
    a.begin();
    b.begin();
    let files = [a.open(&a.path()), b.open(&b.path())];
    for bad in [JET_INSTANCE(0), JET_INSTANCE(u64::MAX), BAD] {
        assert_eq!(code(JetStopBackupInstance(bad)), JetErr::InvalidParameter);
        assert_eq!(code(JetStopServiceInstance(bad)), JetErr::InvalidParameter);
    }
    for (live, file) in [(&a, files[0]), (&b, files[1])] {
        assert!(read(live, file).unwrap() > 0, "the others go on");
        live.end(JET_bitBackupEndAbort);
    }
    let gone = a.inst;
    a.term(JET_bitTermAbrupt).unwrap();
    assert_eq!(code(JetStopBackupInstance(gone)), JetErr::InvalidParameter);
}

#[test]
fn case_005_006_without_any_instance() {
    let _alone = alone();
    assert_eq!(code(JetStopBackupInstance(BAD)), JetErr::InvalidParameter);
    assert_eq!(code(JetStopBackupInstance(JET_INSTANCE(0))), JetErr::InvalidParameter);
    assert_eq!(code(JetStopBackup()), JetErr::InvalidParameter);
    assert_eq!(code(JetStopService()), JetErr::InvalidParameter);
}

#[test]
fn case_008_063_the_call_without_an_instance_in_multi_instance_mode() {
    let _mode = multi();
    let (a, b) = (Live::new(), Live::new());
    a.begin();
    b.begin();
    let files = [a.open(&a.path()), b.open(&b.path())];
    assert_eq!(code(JetStopBackup()), JetErr::RunningInMultiInstanceMode);
    assert_eq!(code(JetStopService()), JetErr::RunningInMultiInstanceMode);
    assert!(read(&a, files[0]).unwrap() > 0);
    assert!(read(&b, files[1]).unwrap() > 0);
}

/// Initialises the one instance of the process.
fn one_instance(dir: &Path) -> JET_INSTANCE {
    let text = dir.to_str();
    for id in [JET_paramSystemPath, JET_paramLogFilePath] {
        JetSetSystemParameter(None, JET_SESID::NIL, id, 0, text).unwrap();
    }
    let mut instance = JET_INSTANCE::NIL;
    JetInit(Some(&mut instance)).unwrap();
    instance
}

#[test]
fn case_009_011_the_only_instance_needs_no_name() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let instance = one_instance(dir.path());
    assert_eq!(code(JetInit(None)), JetErr::AlreadyInitialized);
    assert_eq!(code(JetCreateInstance("x")), JetErr::RunningInOneInstanceMode);
    JetStopBackup().unwrap();
    for any in [JET_INSTANCE(0), JET_INSTANCE(u64::MAX), BAD, instance] {
        JetStopBackupInstance(any).unwrap();
    }
    JetBeginExternalBackup(0).unwrap();
    assert_eq!(JetGetAttachInfo(None).unwrap(), 2, "an empty list");
    JetStopBackup().unwrap();
    assert_eq!(code(JetGetAttachInfo(None)), JetErr::BackupAbortByServer);
    assert_eq!(code(JetGetLogInfo(None)), JetErr::BackupAbortByServer);
    assert_eq!(code(JetOpenFile(None)), JetErr::BackupAbortByServer);
    assert_eq!(code(JetTruncateLog()), JetErr::BackupAbortByServer);
    JetEndExternalBackup().unwrap();
    JetStopService().unwrap();
    let refused = JetBeginSession(JET_INSTANCE(0));
    assert_eq!(code(refused), JetErr::ClientRequestToStopJetService);
    JetTerm(JET_INSTANCE(0)).unwrap();
    assert_eq!(code(JetStopBackup()), JetErr::InvalidParameter, "the mode has ended");
}

#[test]
fn case_014_066_an_instance_that_was_not_initialised() {
    let _mode = multi();
    let inst = JetCreateInstance("case 14").unwrap();
    JetStopBackupInstance(inst).unwrap();
    assert_eq!(code(JetBeginExternalBackupInstance(inst, 0)), JetErr::NotInitialized);
    assert_eq!(code(JetBeginSession(inst)), JetErr::NotInitialized);
    JetTerm(inst).unwrap();
    assert_eq!(code(JetTerm(inst)), JetErr::InvalidInstance);
}

#[test]
fn case_016_059_after_a_stop_of_the_service() {
    let _mode = multi();
    let live = Live::new();
    live.begin();
    let file = live.open(&live.path());
    JetStopServiceInstance(live.inst).unwrap();
    JetStopServiceInstance(live.inst).unwrap();
    live.stop();
    let stopped = JetErr::ClientRequestToStopJetService;
    assert_eq!(code(read(&live, file)), stopped);
    assert_eq!(code(JetCloseFileInstance(live.inst, file)), stopped);
    assert_eq!(code(JetEndExternalBackupInstance(live.inst)), stopped);
    assert_eq!(code(JetBeginTransaction(live.sesid)), stopped);
    assert_eq!(code(JetMove(live.sesid, live.tableid, JET_MoveFirst, 0)), stopped);
    JetCloseTable(live.sesid, live.tableid).unwrap();
    JetEndSession(live.sesid, 0).unwrap();
    live.term(JET_bitTermStopBackup).unwrap();
}

#[test]
fn case_017_three_stops_are_one() {
    let _mode = multi();
    let live = Live::new();
    live.begin();
    for _ in 0..3 {
        live.stop();
    }
    assert_eq!(code(JetGetAttachInfoInstance(live.inst, None)), JetErr::BackupAbortByServer);
    live.end(JET_bitBackupEndNormal);
    live.back_up_and_compare();
}

#[test]
fn case_019_020_035_opening_and_asking_after_a_stop() {
    let _mode = multi();
    let live = Live::new();
    live.begin();
    live.stop();
    let aborted = JetErr::BackupAbortByServer;
    assert_eq!(code(JetOpenFileInstance(live.inst, Some(&live.path()))), aborted);
    assert_eq!(code(JetGetAttachInfoInstance(live.inst, None)), aborted);
    assert_eq!(code(JetOpenFileInstance(live.inst, None)), aborted);
    assert_eq!(code(read(&live, JET_HANDLE(0x100))), aborted, "no handle was made");
    live.end(JET_bitBackupEndNormal);
    assert_eq!(code(JetOpenFileInstance(live.inst, None)), JetErr::NoBackup);
}

#[test]
fn case_021_023_024_the_logs_after_a_stop() {
    let _mode = multi();
    let live = Live::new();
    live.begin();
    live.copy(&live.path());
    let logs = live.log_list();
    live.stop();
    let aborted = JetErr::BackupAbortByServer;
    assert_eq!(code(JetOpenFileInstance(live.inst, Some(&logs[0]))), aborted);
    assert_eq!(code(JetGetLogInfoInstance(live.inst, None)), aborted);
    let mut info = JET_LOGINFO::new();
    assert_eq!(code(JetGetLogInfoInstance2(live.inst, None, Some(&mut info))), aborted);
    info.cbSize = 1;
    assert_eq!(code(JetGetLogInfoInstance2(live.inst, None, Some(&mut info))), aborted);
    assert_eq!(code(JetGetTruncateLogInfoInstance(live.inst, None)), aborted);
    assert_eq!(code(JetTruncateLogInstance(live.inst)), aborted);
    assert!(logs.iter().all(|log| log.exists()));
    live.end(JET_bitBackupEndNormal);
    assert_eq!(live.marks(), [0; 4]);
}

#[test]
fn case_026_027_closing_after_a_stop() {
    let _mode = multi();
    let live = Live::new();
    live.begin();
    let file = live.open(&live.path());
    live.stop();
    JetCloseFileInstance(live.inst, file).unwrap();
    live.end(JET_bitBackupEndAbort);

    live.begin();
    live.copy(&live.path());
    let log = live.open(&live.log_list()[0]);
    live.stop();
    JetCloseFileInstance(live.inst, log).unwrap();
    assert_eq!(code(JetCloseFileInstance(live.inst, log)), JetErr::InvalidParameter);
    live.end(JET_bitBackupEndAbort);
}

#[test]
fn case_029_030_031_ending_after_a_stop() {
    let _mode = multi();
    let live = Live::new();
    for grbit in [JET_bitBackupEndNormal, JET_bitBackupEndAbort] {
        live.begin();
        live.stop();
        for wrong in [0, 3] {
            let refused = JetEndExternalBackupInstance2(live.inst, wrong);
            assert_eq!(code(refused), JetErr::InvalidParameter);
        }
        assert_eq!(code(JetBeginExternalBackupInstance(live.inst, 0)), JetErr::BackupInProgress);
        live.end(grbit);
        let again = JetEndExternalBackupInstance2(live.inst, grbit);
        assert_eq!(code(again), JetErr::NoBackup);
        assert_eq!(live.marks(), [0; 4]);
    }
}

#[test]
fn case_037_038_incremental_backups_after_a_stop() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..500);
    live.back_up_and_compare();
    let marks = live.marks();
    let aborted = JetErr::BackupAbortByServer;
    JetBeginExternalBackupInstance(live.inst, JET_bitBackupIncremental).unwrap();
    live.stop();
    assert_eq!(code(JetGetLogInfoInstance(live.inst, None)), aborted);
    assert_eq!(code(JetGetAttachInfoInstance(live.inst, None)), aborted);
    live.end(JET_bitBackupEndNormal);

    JetBeginExternalBackupInstance(live.inst, JET_bitBackupIncremental).unwrap();
    let logs = live.log_list();
    live.stop();
    assert_eq!(code(JetTruncateLogInstance(live.inst)), aborted);
    assert!(logs.iter().all(|log| log.exists()));
    live.end(JET_bitBackupEndNormal);
    assert_eq!(live.marks(), marks);
}

#[test]
fn case_040_041_what_else_goes_on_during_a_stopped_backup() {
    let _mode = multi();
    let live = Live::new();
    live.begin();
    live.stop();
    live.load(0..20);
    let other = other_database(&live);
    let created = JetCreateDatabase(live.sesid, &other, 0);
    assert_eq!(code(created), JetErr::BackupInProgress);
    let attached = JetAttachDatabase(live.sesid, &other, 0);
    assert_eq!(code(attached), JetErr::BackupInProgress);
    live.end(JET_bitBackupEndNormal);
    JetCreateDatabase(live.sesid, &other, 0).unwrap();
    assert_eq!(live.rows().len(), 20);
}

#[test]
fn case_043_the_next_backup_begins_at_once_and_is_complete() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..2000);
    live.begin();
    let file = live.open(&live.path());
    assert!(read(&live, file).unwrap() > 0);
    live.stop();
    assert_eq!(code(read(&live, file)), JetErr::BackupAbortByServer);
    JetEndExternalBackupInstance(live.inst).unwrap();
    live.back_up_and_compare();
}

#[test]
fn case_045_a_stop_after_the_truncation() {
    let _mode = multi();
    let live = Live::with_old_logs(0..2000);
    live.begin();
    let set = tempfile::tempdir().unwrap();
    live.copy_all(&set.path().join("set"));
    assert!(live.log(1).exists());
    JetTruncateLogInstance(live.inst).unwrap();
    assert!(!live.log(1).exists());
    live.stop();
    live.end(JET_bitBackupEndNormal);
    assert_eq!(live.marks(), [0; 4], "no mark");
    assert!(!live.log(1).exists(), "what was deleted stays deleted");
    live.back_up_and_compare();
}

#[test]
fn case_046_an_incremental_backup_builds_on_the_last_complete_one() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..1000);
    live.back_up_and_compare();
    let base = live.marks()[0];
    live.load(1000..2000);
    live.begin();
    live.stop();
    live.end(JET_bitBackupEndNormal);
    JetBeginExternalBackupInstance(live.inst, JET_bitBackupIncremental).unwrap();
    let mut info = JET_LOGINFO::new();
    JetGetLogInfoInstance2(live.inst, None, Some(&mut info)).unwrap();
    assert!(info.ulGenLow <= base + 1);
    let logs = live.log_list();
    let expected: Vec<_> = (info.ulGenLow..=info.ulGenHigh).map(|n| live.log(n)).collect();
    assert_eq!(logs, expected, "without a gap");
    for log in &logs {
        live.copy(log);
    }
    JetTruncateLogInstance(live.inst).unwrap();
    live.end(JET_bitBackupEndNormal);
    assert_eq!(live.marks(), [base, 0, info.ulGenHigh, 0]);
}

#[test]
fn case_047_a_stopped_backup_is_no_base() {
    let _mode = multi();
    let live = Live::new();
    live.begin();
    live.stop();
    live.end(JET_bitBackupEndNormal);
    let incremental = JetBeginExternalBackupInstance(live.inst, JET_bitBackupIncremental);
    assert_eq!(code(incremental), JetErr::MissingFullBackup);
}

#[test]
fn case_033_the_built_in_backup_during_a_stopped_one() {
    let _mode = multi();
    let live = Live::new();
    let dir = tempfile::tempdir().unwrap();
    live.begin();
    live.stop();
    let refused = JetBackupInstance(live.inst, dir.path(), 0, None);
    assert_eq!(code(refused), JetErr::BackupInProgress);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    live.end(JET_bitBackupEndNormal);
}

fn names(dir: &Path) -> Vec<String> {
    let names = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<_> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn case_051_an_atomic_backup_is_stopped_and_the_set_before_it_is_intact() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..500);
    let dir = tempfile::tempdir().unwrap();
    let atomic = JET_bitBackupAtomic;
    JetBackupInstance(live.inst, dir.path(), atomic, None).unwrap();
    assert_eq!(names(dir.path()), ["new"]);
    let first = live.marks();
    assert!(first[0] > 0);
    live.load(500..1000);
    let inst = live.inst;
    let mut stop = |_: JET_SNP, _: JET_SNT, _: &JET_SNPROG| JetStopBackupInstance(inst);
    let stopped = JetBackupInstance(live.inst, dir.path(), atomic, Some(&mut stop));
    assert_eq!(code(stopped), JetErr::BackupAbortByServer);
    assert_eq!(names(dir.path()), ["old"], "nothing of the stopped one is left");
    assert_eq!(live.marks(), first);
    let there = std::sync::Arc::new(tempfile::tempdir().unwrap());
    ese_api::restore(dir.path(), there.path()).unwrap();
    assert_eq!(Live::again(&there).rows().len(), 500);
    JetBackupInstance(live.inst, dir.path(), atomic, None).unwrap();
    assert_eq!(names(dir.path()), ["new"]);
}

#[test]
fn an_atomic_backup_whose_truncation_fails_keeps_its_set() {
    let _mode = multi();
    let live = Live::with_old_logs(0..500);
    let dir = tempfile::tempdir().unwrap();
    let held = live.disk.hold(Op::Remove, "edb00001.log");
    let log = live.log(1);
    let swap = thread::spawn(move || {
        held.reached.recv().unwrap();
        // What is no file cannot be removed as one.
        std::fs::remove_file(&log).unwrap();
        std::fs::create_dir(&log).unwrap();
        held.go_on.send(()).unwrap();
    });
    let failed = JetBackupInstance(live.inst, dir.path(), JET_bitBackupAtomic, None);
    swap.join().unwrap();
    assert!(failed.is_err());
    assert_eq!(names(dir.path()), ["new"]);
    let there = std::sync::Arc::new(tempfile::tempdir().unwrap());
    ese_api::restore(dir.path(), there.path()).unwrap();
    assert_eq!(Live::again(&there).rows().len(), 500);
    std::fs::remove_dir(live.log(1)).unwrap();
    JetBackupInstance(live.inst, dir.path(), JET_bitBackupAtomic, None).unwrap();
    assert_eq!(names(dir.path()), ["new"]);
}

#[test]
fn case_052_a_built_in_backup_is_stopped_and_the_next_one_works() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..500);
    let dir = tempfile::tempdir().unwrap();
    let inst = live.inst;
    let mut stop = |_: JET_SNP, _: JET_SNT, _: &JET_SNPROG| JetStopBackupInstance(inst);
    let stopped = JetBackupInstance(live.inst, dir.path(), 0, Some(&mut stop));
    assert_eq!(code(stopped), JetErr::BackupAbortByServer);
    assert_eq!(names(dir.path()), Vec::<String>::new());
    let (mut calls, mut last) = (0, 0);
    let mut progress = |_: JET_SNP, _: JET_SNT, so_far: &JET_SNPROG| {
        assert!(so_far.cunitDone >= last && so_far.cunitDone <= so_far.cunitTotal);
        (calls, last) = (calls + 1, so_far.cunitDone);
        Ok(())
    };
    JetBackupInstance(live.inst, dir.path(), 0, Some(&mut progress)).unwrap();
    assert!(calls > 2);
    let full = JetBackupInstance(live.inst, dir.path(), 0, None);
    assert_eq!(code(full), JetErr::BackupDirectoryNotEmpty);
    let missing = JetBackupInstance(live.inst, &dir.path().join("sub"), 0, None);
    assert_eq!(code(missing), JetErr::InvalidPath);
    assert_eq!(code(JetBackupInstance(live.inst, dir.path(), 8, None)), JetErr::InvalidGrbit);
    assert_eq!(code(JetBackup(dir.path(), 0, None)), JetErr::RunningInMultiInstanceMode);
    let there = std::sync::Arc::new(tempfile::tempdir().unwrap());
    ese_api::restore(dir.path(), there.path()).unwrap();
    assert_eq!(Live::again(&there).rows(), live.rows());
}

#[test]
fn a_built_in_backup_that_fails_leaves_no_folder_that_it_made() {
    let _mode = multi();
    let live = Live::with(|inst| set(inst, JET_paramCreatePathIfNotExist, 1));
    live.load(0..500);
    let dir = tempfile::tempdir().unwrap();
    let (inst, path) = (live.inst, dir.path().join("sets/today"));
    for grbit in [0, JET_bitBackupAtomic] {
        JetBeginExternalBackupInstance(inst, 0).unwrap();
        let refused = JetBackupInstance(inst, &path, grbit, None);
        assert_eq!(code(refused), JetErr::BackupInProgress);
        assert_eq!(names(dir.path()), Vec::<String>::new());
        JetEndExternalBackupInstance2(inst, JET_bitBackupEndAbort).unwrap();
        let mut stop = |_: JET_SNP, _: JET_SNT, _: &JET_SNPROG| JetStopBackupInstance(inst);
        let stopped = JetBackupInstance(inst, &path, grbit, Some(&mut stop));
        assert_eq!(code(stopped), JetErr::BackupAbortByServer);
        assert_eq!(names(dir.path()), Vec::<String>::new());
    }
    JetBackupInstance(inst, &path, 0, None).unwrap();
    assert_eq!(names(dir.path()), ["sets"]);
}

#[test]
fn case_053_a_stop_that_races_with_everything() {
    let _mode = multi();
    let live = Live::new();
    let (inst, path) = (live.inst, live.path());
    let allowed = |result: ese_api::Result<()>| match result {
        Ok(()) => {}
        Err(error) => assert!(
            matches!(
                error.code(),
                JetErr::BackupInProgress | JetErr::NoBackup | JetErr::BackupAbortByServer
            ),
            "{error}"
        ),
    };
    thread::scope(|scope| {
        scope.spawn(|| (0..1000).for_each(|_| allowed(JetStopBackupInstance(inst))));
        scope.spawn(|| (0..1000).for_each(|_| allowed(JetBeginExternalBackupInstance(inst, 0))));
        scope.spawn(|| {
            let end = |_| allowed(JetEndExternalBackupInstance2(inst, JET_bitBackupEndAbort));
            (0..1000).for_each(end);
        });
        scope.spawn(|| {
            for _ in 0..1000 {
                let asked = JetGetAttachInfoInstance(inst, None).map(|_| ());
                allowed(asked);
                // While nobody else opens files, a file is open at most once.
                match JetOpenFileInstance(inst, Some(&path)) {
                    Ok(file) => match JetCloseFileInstance(inst, file.hfFile) {
                        // The backup was ended, and perhaps a new one begun, meanwhile.
                        Err(error) if error.code() == JetErr::InvalidParameter => {}
                        closed => allowed(closed),
                    },
                    Err(error) => allowed(Err(error)),
                }
            }
        });
    });
    allowed(JetEndExternalBackupInstance2(inst, JET_bitBackupEndAbort));
    live.load(0..100);
    live.back_up_and_compare();
}

#[test]
fn case_055_a_stop_then_a_termination_that_stops_the_backup() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..100);
    let dir = live.dir.clone();
    live.begin();
    live.stop();
    live.term(JET_bitTermComplete | JET_bitTermStopBackup).unwrap();
    let path = dir.path().join("a.edb");
    let JET_DBINFO::Misc(header) =
        JetGetDatabaseFileInfo(path.to_str().unwrap(), JET_DbInfoMisc).unwrap()
    else {
        panic!("the header was asked for");
    };
    assert_eq!(header.state(), ese_pages::DbState::CleanShutdown);
    assert_eq!(Live::again(&dir).rows().len(), 100);
}

#[test]
fn case_056_commits_during_a_stopped_backup_survive_the_end() {
    let _mode = multi();
    let live = Live::new();
    let dir = live.dir.clone();
    live.begin();
    live.load(0..300);
    live.stop();
    live.load(300..400);
    live.end(JET_bitBackupEndNormal);
    live.term(JET_bitTermAbrupt).unwrap();
    assert_eq!(Live::again(&dir).rows().len(), 400);
}

#[test]
fn case_060_061_062_single_services() {
    let _mode = multi();
    let live = Live::new();
    JetStopServiceInstance2(live.inst, JET_bitStopServiceQuiesceCaches).unwrap();
    live.begin();
    let file = live.open(&live.path());
    assert!(read(&live, file).unwrap() > 0);
    live.end(JET_bitBackupEndAbort);
    let emit = JET_bitStopServiceStopAndEmitLog;
    for wrong in [0x10, 1, emit | JET_bitStopServiceResume, emit | JET_bitStopServiceQuiesceCaches]
    {
        assert_eq!(code(JetStopServiceInstance2(live.inst, wrong)), JetErr::InvalidGrbit);
    }
    JetStopServiceInstance2(live.inst, JET_bitStopServiceResume).unwrap();
    JetStopServiceInstance2(live.inst, JET_bitStopServiceAll).unwrap();
    let resumed = JetStopServiceInstance2(live.inst, JET_bitStopServiceResume);
    assert_eq!(code(resumed), JetErr::ClientRequestToStopJetService);
}

/// What a step of a backup is held up in, and what it is.
struct Step {
    name: &'static str,
    op: Op,
    file: &'static str,
    /// Leads up to the step.
    before: fn(&Live),
    call: fn(JET_INSTANCE, &Path) -> ese_api::Result<()>,
    /// The next call that would make progress.
    after: fn(&Live) -> JetErr,
}

fn attach_info(live: &Live) -> JetErr {
    code(JetGetAttachInfoInstance(live.inst, None))
}

fn read_whole(inst: JET_INSTANCE, path: &Path) -> ese_api::Result<()> {
    let file = JetOpenFileInstance(inst, Some(path))?.hfFile;
    let mut buffer = AlignedBuffer::new(16 << 20)?;
    JetReadFileInstance(inst, file, buffer.as_mut_slice()).map(|_| ())
}

const STEPS: &[Step] = &[
    Step {
        name: "begin: reading the checkpoint",
        op: Op::Read,
        file: "edb.chk",
        before: |_| (),
        call: |inst, _| JetBeginExternalBackupInstance(inst, 0),
        after: attach_info,
    },
    Step {
        name: "read: a database",
        op: Op::Read,
        file: "a.edb",
        before: Live::begin,
        call: read_whole,
        after: attach_info,
    },
    Step {
        name: "log list: the log is rolled (case 57)",
        op: Op::Rename,
        file: "edb.log",
        before: |live| {
            live.begin();
            live.copy(&live.path());
        },
        call: |inst, _| JetGetLogInfoInstance(inst, None).map(|_| ()),
        after: |live| code(JetTruncateLogInstance(live.inst)),
    },
    Step {
        name: "log list: the log is made durable",
        op: Op::Sync,
        file: "edb.log",
        before: |live| {
            live.begin();
            live.copy(&live.path());
        },
        call: |inst, _| JetGetLogInfoInstance(inst, None).map(|_| ()),
        after: |live| code(JetTruncateLogInstance(live.inst)),
    },
    Step {
        name: "read: a log",
        op: Op::Read,
        file: ".log",
        before: |live| {
            live.begin();
            live.copy(&live.path());
            live.log_list();
        },
        call: |inst, dir| {
            let mut list = vec![0; JetGetLogInfoInstance(inst, None)?];
            JetGetLogInfoInstance(inst, Some(&mut list))?;
            let _ = dir;
            read_whole(inst, &paths_of(&list)[0])
        },
        after: |live| code(JetGetLogInfoInstance(live.inst, None)),
    },
    Step {
        name: "truncate: a log is deleted (case 49)",
        op: Op::Remove,
        file: ".log",
        before: |live| {
            // A first complete backup, so that the checkpoint of the second lies behind a log.
            live.back_up_and_compare();
            live.load(10_000..12_000);
            advance_checkpoint(live);
            live.begin();
            let set = tempfile::tempdir().unwrap();
            live.copy_all(&set.path().join("set"));
        },
        call: |inst, _| JetTruncateLogInstance(inst),
        after: |live| code(JetTruncateLogInstance(live.inst)),
    },
];

/// Waits until the checkpoint has moved so far that a backup would delete a log.
fn advance_checkpoint(live: &Live) {
    for _ in 0..500 {
        live.begin();
        let deletable = JetGetTruncateLogInfoInstance(live.inst, None).unwrap();
        live.end(JET_bitBackupEndAbort);
        if deletable > 2 {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("the checkpoint stays before every log");
}

#[test]
fn a_stop_at_every_step_returns_while_the_disk_is_blocked() {
    let _mode = multi();
    for step in STEPS {
        let live = Live::with(set_depth);
        live.load(0..2000);
        (step.before)(&live);
        let marks = live.marks();
        live.disk.quiet();
        let held = live.disk.hold(step.op, step.file);
        let (inst, path) = (live.inst, live.path());
        thread::scope(|scope| {
            let call = scope.spawn(move || (step.call)(inst, &path));
            let waited = held.reached.recv_timeout(Duration::from_secs(30));
            waited.unwrap_or_else(|_| panic!("{}: the step was never reached", step.name));
            // Every stop is like the first; the machine that runs the tests may be busy.
            let mut times: Vec<Duration> = (0..21)
                .map(|_| {
                    let (stopped, time) = timed(|| JetStopBackupInstance(inst));
                    stopped.unwrap();
                    time
                })
                .collect();
            times.sort();
            assert!(times[10] < Duration::from_millis(5), "{}: {times:?}", step.name);
            assert!(!call.is_finished(), "{}: the call is still in the disk", step.name);
            held.go_on.send(()).unwrap();
            // A call that runs when the stop comes ends as if there had been none.
            call.join().unwrap().unwrap_or_else(|error| panic!("{}: {error}", step.name));
        });
        let expected = match step.name {
            // A beginning backup takes back what was stopped before it.
            name if name.starts_with("begin") => None,
            _ => Some(JetErr::BackupAbortByServer),
        };
        if let Some(expected) = expected {
            assert_eq!((step.after)(&live), expected, "{}", step.name);
        }
        live.end(JET_bitBackupEndNormal);
        assert_eq!(live.marks(), marks, "{}: nothing was recorded", step.name);
        live.back_up_and_compare();
    }
}

/// A checkpoint that follows closely.
fn set_depth(inst: JET_INSTANCE) {
    jet_setup::set(inst, JET_paramCheckpointDepthMax, 64 << 10);
}

#[test]
fn a_stop_reaches_the_retries_of_a_damaged_page_at_once() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..3000);
    let dir = live.dir.clone();
    live.term(JET_bitTermAbrupt).unwrap();
    // A page of the table, far from what attaching reads.
    let path = dir.path().join("a.edb");
    let mut bytes = std::fs::read(&path).unwrap();
    let at = 4096 * 150 + 1000;
    bytes[at] ^= 0xff;
    bytes[at + 1] ^= 0xff;
    std::fs::write(&path, bytes).unwrap();
    let live = Live::again(&dir);
    live.begin();
    let inst = live.inst;
    let (read, time) = timed(|| {
        thread::scope(|scope| {
            let path = live.path();
            let reading = scope.spawn(move || read_whole(inst, &path));
            // Sixteen attempts with growing pauses would take 13.6 s.
            thread::sleep(Duration::from_millis(400));
            JetStopBackupInstance(inst).unwrap();
            reading.join().unwrap()
        })
    });
    assert_eq!(code(read), JetErr::BackupAbortByServer);
    assert!(time < Duration::from_secs(5), "{time:?}");
    live.end(JET_bitBackupEndNormal);
}
