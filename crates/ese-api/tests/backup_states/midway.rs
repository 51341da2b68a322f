//! A stop that comes while a call is at work: the call ends as if there had been none, the next one
//! is refused.

use std::{path::PathBuf, thread, time::Duration};

use ese_api::{JetErr, jet::*};

use crate::jet_setup::{Live, Op, code, multi};

#[test]
fn case_049_a_truncation_under_way_ends_with_all_its_logs_deleted() {
    let _mode = multi();
    let live = Live::with_old_logs(0..3000);
    live.begin();
    let set = tempfile::tempdir().unwrap();
    live.copy_all(&set.path().join("set"));
    let mut list = vec![0; JetGetTruncateLogInfoInstance(live.inst, None).unwrap()];
    JetGetTruncateLogInfoInstance(live.inst, Some(&mut list)).unwrap();
    let doomed: Vec<PathBuf> = paths_of(&list);
    assert!(doomed.len() > 1, "{doomed:?}");
    // By name: the background makes the next log, and begins with removing what is in its place.
    let first = doomed.iter().min().unwrap().file_name().unwrap().to_str().unwrap();
    let held = live.disk.hold(Op::Remove, first);
    let inst = live.inst;
    thread::scope(|scope| {
        let truncating = scope.spawn(move || JetTruncateLogInstance(inst));
        held.reached.recv_timeout(Duration::from_secs(30)).unwrap();
        live.stop();
        assert!(doomed.iter().all(|log| log.exists()), "it is at the first of them");
        held.go_on.send(()).unwrap();
        truncating.join().unwrap().unwrap();
    });
    assert!(doomed.iter().all(|log| !log.exists()));
    assert_eq!(code(JetTruncateLogInstance(inst)), JetErr::BackupAbortByServer);
    live.end(JET_bitBackupEndNormal);
    assert_eq!(live.marks(), [0; 4]);
    live.back_up_and_compare();
}

#[test]
fn case_057_a_log_list_under_way_ends_with_success() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..500);
    live.begin();
    live.copy(&live.path());
    let held = live.disk.hold(Op::Rename, "edb.log");
    let inst = live.inst;
    thread::scope(|scope| {
        let asking = scope.spawn(move || JetGetLogInfoInstance(inst, None));
        held.reached.recv_timeout(Duration::from_secs(30)).unwrap();
        live.stop();
        held.go_on.send(()).unwrap();
        assert!(asking.join().unwrap().unwrap() > 2);
    });
    assert_eq!(code(JetTruncateLogInstance(inst)), JetErr::BackupAbortByServer);
    assert_eq!(code(JetGetLogInfoInstance(inst, None)), JetErr::BackupAbortByServer);
    live.end(JET_bitBackupEndNormal);
    live.back_up_and_compare();
}
