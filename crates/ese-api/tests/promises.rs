//! What the seed documents promise of JetStopBackupInstance and JetStopBackup: S1 to S16 of
//! backup-log-recovery 0.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a failing step fails the test; files are looked at behind the engine's back"
)]

mod jet_setup;

use std::{thread, time::Duration};

use ese_api::{JetErr, Result, jet::*};
use ese_backup::AlignedBuffer;
use jet_setup::{Live, Op, alone, code, multi, timed};

/// S1, S13: the signatures. S12, S16 concern the exported names: here they are the Rust names.
const _: fn(JET_INSTANCE) -> Result<()> = JetStopBackupInstance;
const _: fn() -> Result<()> = JetStopBackup;

fn read(live: &Live, file: JET_HANDLE) -> Result<usize> {
    let mut buffer = AlignedBuffer::new(64 << 10).unwrap();
    JetReadFileInstance(live.inst, file, buffer.as_mut_slice())
}

#[test]
fn s2_s3_it_concerns_the_named_instance_alone() {
    let _mode = multi();
    let (stopped, other) = (Live::new(), Live::new());
    stopped.begin();
    other.begin();
    let files = [stopped.open(&stopped.path()), other.open(&other.path())];
    JetStopBackupInstance(stopped.inst).unwrap();
    assert_eq!(code(read(&stopped, files[0])), JetErr::BackupAbortByServer);
    assert!(read(&other, files[1]).unwrap() > 0);
    other.end(JET_bitBackupEndAbort);
    other.back_up_and_compare();
    stopped.end(JET_bitBackupEndNormal);
}

#[test]
fn s4_s5_s7_success_or_invalid_parameter_and_then_nothing_has_changed() {
    let _mode = multi();
    let live = Live::new();
    live.begin();
    let file = live.open(&live.path());
    for wrong in [0, 1, live.inst.0 + 1, u64::MAX] {
        let refused = JetStopBackupInstance(JET_INSTANCE(wrong)).unwrap_err();
        assert_eq!(refused.jet_code(), -1003);
    }
    assert!(read(&live, file).unwrap() > 0, "the backup goes on");
    JetStopBackupInstance(live.inst).unwrap();
    live.end(JET_bitBackupEndNormal);
}

#[test]
fn s6_s9_s10_calls_that_make_progress_fail_with_the_one_code() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..300);
    live.begin();
    let file = live.open(&live.path());
    JetStopBackupInstance(live.inst).unwrap();
    let inst = live.inst;
    let failing: [(&str, Result<()>); 7] = [
        ("JetReadFileInstance", read(&live, file).map(|_| ())),
        ("JetOpenFileInstance", JetOpenFileInstance(inst, Some(&live.path())).map(|_| ())),
        ("JetGetAttachInfoInstance", JetGetAttachInfoInstance(inst, None).map(|_| ())),
        ("JetGetLogInfoInstance", JetGetLogInfoInstance(inst, None).map(|_| ())),
        ("JetGetLogInfoInstance2", JetGetLogInfoInstance2(inst, None, None).map(|_| ())),
        ("JetGetTruncateLogInfoInstance", JetGetTruncateLogInfoInstance(inst, None).map(|_| ())),
        ("JetTruncateLogInstance", JetTruncateLogInstance(inst)),
    ];
    for (name, result) in failing {
        assert_eq!(result.unwrap_err().jet_code(), -801, "{name}");
    }
    JetCloseFileInstance(inst, file).unwrap();
    live.end(JET_bitBackupEndNormal);
    assert_eq!(live.marks(), [0; 4], "nothing was recorded");
    assert!(live.log(1).exists(), "no log was deleted");
}

#[test]
fn s8_whoever_does_not_run_the_backup_can_stop_it() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..2000);
    let (inst, path) = (live.inst, live.path());
    let held = live.disk.hold(Op::Read, "a.edb");
    let (stopped, time) = thread::scope(|scope| {
        // The agent: no session of the application, a thread of its own.
        let agent = scope.spawn(move || -> Result<()> {
            JetBeginExternalBackupInstance(inst, 0)?;
            let file = JetOpenFileInstance(inst, Some(&path))?.hfFile;
            let mut buffer = AlignedBuffer::new(64 << 10)?;
            while JetReadFileInstance(inst, file, buffer.as_mut_slice())? > 0 {}
            Ok(())
        });
        held.reached.recv_timeout(Duration::from_secs(30)).unwrap();
        let (stop, time) = timed(|| JetStopBackupInstance(inst));
        stop.unwrap();
        held.go_on.send(()).unwrap();
        (agent.join().unwrap(), time)
    });
    assert_eq!(code(stopped), JetErr::BackupAbortByServer);
    assert!(time < Duration::from_millis(500), "{time:?}");
    live.end(JET_bitBackupEndNormal);
}

#[test]
fn s11_calls_that_end_the_backup_are_allowed() {
    let _mode = multi();
    let live = Live::new();
    for end in [
        |inst| JetEndExternalBackupInstance(inst),
        |inst| JetEndExternalBackupInstance2(inst, JET_bitBackupEndNormal),
        |inst| JetEndExternalBackupInstance2(inst, JET_bitBackupEndAbort),
    ] {
        live.begin();
        JetStopBackupInstance(live.inst).unwrap();
        end(live.inst).unwrap();
        live.back_up_and_compare();
    }
}

#[test]
fn s13_s14_s15_the_call_without_an_instance() {
    {
        let _mode = multi();
        let live = Live::new();
        live.begin();
        let file = live.open(&live.path());
        assert_eq!(JetStopBackup().unwrap_err().jet_code(), -1081);
        assert!(read(&live, file).unwrap() > 0, "unclear which instance is meant: none");
        live.end(JET_bitBackupEndAbort);
    }
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    for id in [JET_paramSystemPath, JET_paramLogFilePath] {
        JetSetSystemParameter(None, JET_SESID::NIL, id, 0, dir.path().to_str()).unwrap();
    }
    JetInit(None).unwrap();
    JetBeginExternalBackup(0).unwrap();
    JetStopBackup().unwrap();
    assert_eq!(JetGetAttachInfo(None).unwrap_err().jet_code(), -801);
    JetEndExternalBackup().unwrap();
    JetTerm(JET_INSTANCE::NIL).unwrap();
}
