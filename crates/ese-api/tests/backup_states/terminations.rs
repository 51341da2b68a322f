//! The end of an instance while a backup is in progress: the table of 5.6, row by row.

use std::{thread, time::Duration};

use ese_api::{JetErr, jet::*};
use ese_backup::{AlignedBuffer, State};

use crate::jet_setup::{Live, Op, code, multi};

fn read(live: &Live, file: JET_HANDLE) -> ese_api::Result<usize> {
    let mut buffer = AlignedBuffer::new(64 << 10).unwrap();
    JetReadFileInstance(live.inst, file, buffer.as_mut_slice())
}

type Way = fn(JET_INSTANCE) -> ese_api::Result<()>;

#[test]
fn terminations_that_end_the_backup_succeed() {
    let _mode = multi();
    let ways: [(&str, Way); 4] = [
        ("JetTerm", |inst| JetTerm(inst)),
        ("Abrupt", |inst| JetTerm2(inst, JET_bitTermAbrupt)),
        ("StopBackup", |inst| JetTerm2(inst, JET_bitTermStopBackup)),
        ("Complete and StopBackup", |inst| {
            JetTerm2(inst, JET_bitTermComplete | JET_bitTermStopBackup)
        }),
    ];
    for (name, term) in ways {
        for surrogate in [false, true] {
            let mut live = Live::new();
            live.load(0..50);
            if surrogate {
                JetBeginSurrogateBackup(live.inst, 1, 1, 0).unwrap();
            } else {
                live.begin();
                live.open(&live.path());
            }
            term(live.inst).unwrap_or_else(|error| panic!("{name}: {error}"));
            live.ended = true;
            let gone = JetGetAttachInfoInstance(live.inst, None);
            assert_eq!(code(gone), JetErr::InvalidParameter, "{name}");
            let again = Live::again(&live.dir);
            assert_eq!(again.rows().len(), 50);
            assert_eq!(again.marks(), [0; 4], "{name}: nothing of it was recorded");
        }
    }
}

#[test]
fn terminations_that_a_backup_refuses_leave_it_going_and_forbid_the_next() {
    let _mode = multi();
    for flags in [0, JET_bitTermComplete] {
        let live = Live::new();
        live.begin();
        let file = live.open(&live.path());
        assert_eq!(code(JetTerm2(live.inst, flags)), JetErr::BackupInProgress);
        assert!(read(&live, file).unwrap() > 0);
        JetCloseFileInstance(live.inst, file).unwrap();
        live.log_list();
        live.stop();
        // A stop alone does not end it.
        assert_eq!(code(JetTerm2(live.inst, flags)), JetErr::BackupInProgress);
        live.end(JET_bitBackupEndNormal);
        let refused = JetErr::BackupNotAllowedYet;
        assert_eq!(code(JetBeginExternalBackupInstance(live.inst, 0)), refused);
        assert_eq!(code(JetBeginSurrogateBackup(live.inst, 1, 1, 0)), refused);
        let set = tempfile::tempdir().unwrap();
        assert_eq!(code(JetBackupInstance(live.inst, set.path(), 0, None)), refused);
        let dir = live.dir.clone();
        live.term(flags).unwrap();
        Live::again(&dir).back_up_and_compare();

        let live = Live::new();
        JetBeginSurrogateBackup(live.inst, 1, 1, 0).unwrap();
        let refused = JetTerm2(live.inst, flags);
        assert_eq!(code(refused), JetErr::SurrogateBackupInProgress);
        JetEndSurrogateBackup(live.inst, JET_bitBackupEndAbort).unwrap();
        live.term(flags).unwrap();
    }
}

#[test]
fn a_dirty_end_asks_for_no_backup() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..50);
    let dir = live.dir.clone();
    live.begin();
    assert_eq!(code(live.term(JET_bitTermDirty)), JetErr::DirtyShutdown);
    let again = Live::again(&dir);
    assert_eq!(again.rows().len(), 50);
    again.back_up_and_compare();
}

#[test]
fn a_termination_waits_for_the_read_that_is_under_way() {
    let _mode = multi();
    let mut live = Live::new();
    live.load(0..500);
    live.begin();
    let file = live.open(&live.path());
    let held = live.disk.hold(Op::Read, "a.edb");
    thread::scope(|scope| {
        let reading = scope.spawn(|| read(&live, file));
        held.reached.recv_timeout(Duration::from_secs(30)).unwrap();
        let ending = scope.spawn(|| JetTerm(live.inst));
        thread::sleep(Duration::from_millis(50));
        assert!(!ending.is_finished());
        held.go_on.send(()).unwrap();
        assert!(reading.join().unwrap().unwrap() > 0, "it finishes as if nothing were");
        ending.join().unwrap().unwrap();
    });
    live.ended = true;
    assert_eq!(code(read(&live, file)), JetErr::InvalidParameter);
}

#[test]
fn a_refused_termination_disturbs_no_call() {
    let _mode = multi();
    let live = Live::new();
    live.begin();
    let done = std::sync::atomic::AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..300 {
                let refused = code(JetTerm2(live.inst, JET_bitTermComplete));
                assert_eq!(refused, JetErr::BackupInProgress);
            }
            done.store(true, std::sync::atomic::Ordering::SeqCst);
        });
        while !done.load(std::sync::atomic::Ordering::SeqCst) {
            JetGetAttachInfoInstance(live.inst, None).unwrap();
            JetBeginTransaction(live.sesid).unwrap();
            JetCommitTransaction(live.sesid, 0).unwrap();
        }
    });
    assert_eq!(backup_state(live.inst).unwrap(), (State::FullDatabases, false));
    live.end(JET_bitBackupEndAbort);
}
