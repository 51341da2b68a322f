//! Stopping services: what -1329 reaches and what it does not, single services, and taking them
//! back (5.7).

use std::{sync::Arc, thread, time::Duration};

use ese_api::{JetErr, Result, jet::*};
use ese_backup::AlignedBuffer;

use crate::jet_setup::{Live, code, multi, set};

fn stop_services(live: &Live, flags: JET_GRBIT) {
    JetStopServiceInstance2(live.inst, flags).unwrap();
}

#[test]
fn a_stop_of_all_services_refuses_every_call_that_ends_nothing() {
    let _mode = multi();
    let mut live = Live::new();
    live.load(0..20);
    live.begin();
    let file = live.open(&live.path());
    let spare = JetBeginSession(live.inst).unwrap();
    let path = live.path();
    let path = path.to_str().unwrap();
    JetBeginTransaction(live.sesid).unwrap();
    stop_services(&live, JET_bitStopServiceAll);
    stop_services(&live, JET_bitStopServiceAll);
    let (inst, sesid, table) = (live.inst, live.sesid, live.tableid);
    let mut buffer = AlignedBuffer::new(64 << 10).unwrap();
    let set = tempfile::tempdir().unwrap();
    let refused: [(&str, Result<()>); 21] = [
        ("JetBeginExternalBackupInstance", JetBeginExternalBackupInstance(inst, 0)),
        ("JetGetAttachInfoInstance", JetGetAttachInfoInstance(inst, None).map(drop)),
        ("JetOpenFileInstance", JetOpenFileInstance(inst, Some(&live.path())).map(drop)),
        ("JetReadFileInstance", JetReadFileInstance(inst, file, buffer.as_mut_slice()).map(drop)),
        ("JetCloseFileInstance", JetCloseFileInstance(inst, file)),
        ("JetGetLogInfoInstance", JetGetLogInfoInstance(inst, None).map(drop)),
        ("JetGetLogInfoInstance2", JetGetLogInfoInstance2(inst, None, None).map(drop)),
        ("JetGetTruncateLogInfoInstance", JetGetTruncateLogInfoInstance(inst, None).map(drop)),
        ("JetTruncateLogInstance", JetTruncateLogInstance(inst)),
        ("JetEndExternalBackupInstance", JetEndExternalBackupInstance(inst)),
        ("JetEndExternalBackupInstance2(0)", JetEndExternalBackupInstance2(inst, 0)),
        ("JetBeginSurrogateBackup", JetBeginSurrogateBackup(inst, 1, 1, 0)),
        ("JetEndSurrogateBackup", JetEndSurrogateBackup(inst, 1)),
        ("JetBackupInstance", JetBackupInstance(inst, set.path(), 0, None)),
        ("JetBeginSession", JetBeginSession(inst).map(drop)),
        ("JetBeginTransaction", JetBeginTransaction(sesid)),
        ("JetCommitTransaction", JetCommitTransaction(sesid, 0)),
        ("JetMove", JetMove(sesid, table, JET_MoveFirst, 0)),
        ("JetPrepareUpdate", JetPrepareUpdate(sesid, table, JET_prepInsert)),
        ("JetOpenTable", JetOpenTable(sesid, live.dbid, "t", 0).map(drop)),
        ("JetOpenDatabase", JetOpenDatabase(sesid, path, 0).map(drop)),
    ];
    for (name, refused) in refused {
        assert_eq!(code(refused), JetErr::ClientRequestToStopJetService, "{name}");
    }
    // Stops pass, and what cleans up.
    JetStopBackupInstance(inst).unwrap();
    JetStopServiceInstance(inst).unwrap();
    JetRollback(sesid, 0).unwrap();
    JetCloseTable(sesid, table).unwrap();
    JetCloseDatabase(sesid, live.dbid, 0).unwrap();
    // Let in; that a backup is in progress is another matter.
    let detached = JetDetachDatabase(sesid, path);
    assert_eq!(code(detached), JetErr::BackupInProgress);
    JetEndSession(spare, 0).unwrap();
    JetEndSession(sesid, 0).unwrap();
    live.ended = true;
    JetTerm2(inst, JET_bitTermStopBackup).unwrap();
}

#[test]
fn quiescing_writes_what_a_checkpoint_far_behind_would_leave() {
    let _mode = multi();
    // So far behind that nothing would be written for its sake.
    let live = Live::with(|inst| set(inst, JET_paramCheckpointDepthMax, 512 << 20));
    live.load(0..2000);
    live.back_up_and_compare();
    live.load(2000..6000);
    let behind = |live: &Live| {
        live.begin();
        let list = JetGetTruncateLogInfoInstance(live.inst, None).unwrap();
        live.end(JET_bitBackupEndAbort);
        list
    };
    assert_eq!(behind(&live), 2, "no log can go");
    stop_services(&live, JET_bitStopServiceQuiesceCaches);
    let written = (0..500).any(|_| {
        thread::sleep(Duration::from_millis(20));
        behind(&live) > 2
    });
    assert!(written, "the checkpoint follows");
    stop_services(&live, JET_bitStopServiceQuiesceCaches | JET_bitStopServiceResume);
    live.load(6000..6010);
    live.back_up_and_compare();
}

#[test]
fn background_work_rests_until_it_is_resumed() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..2000);
    for resume in [JET_bitStopServiceBackgroundUserTasks, 0] {
        stop_services(&live, JET_bitStopServiceBackgroundUserTasks);
        let (sender, ended) = std::sync::mpsc::channel();
        let mut once = 1;
        let callback: JET_PFNDEFRAG = Box::new(move |_, _| sender.send(()).unwrap());
        JetDefragment2(
            live.sesid,
            live.dbid,
            None,
            Some(&mut once),
            None,
            Some(callback),
            JET_bitDefragmentBatchStart,
        )
        .unwrap();
        assert!(ended.recv_timeout(Duration::from_millis(300)).is_err(), "it rests");
        live.load(if resume == 0 { 3000..3010 } else { 2000..2010 });
        stop_services(&live, JET_bitStopServiceResume | resume);
        ended.recv_timeout(Duration::from_secs(30)).unwrap();
    }
}

#[test]
fn flags_of_services_that_contradict_each_other_are_refused() {
    let _mode = multi();
    let live = Live::new();
    let (tasks, caches) = (JET_bitStopServiceBackgroundUserTasks, JET_bitStopServiceQuiesceCaches);
    let (emit, resume) = (JET_bitStopServiceStopAndEmitLog, JET_bitStopServiceResume);
    for wrong in [1, 0x10, 0x4000_0000, emit | resume, emit | tasks, emit | caches, emit | 1] {
        let refused = JetStopServiceInstance2(live.inst, wrong);
        assert_eq!(code(refused), JetErr::InvalidGrbit, "{wrong:#x}");
    }
    for flags in [tasks, caches, tasks | caches] {
        stop_services(&live, flags);
        live.load(0..1);
        JetBeginTransaction(live.sesid).unwrap();
        JetCommitTransaction(live.sesid, 0).unwrap();
        stop_services(&live, flags | resume);
        stop_services(&live, resume);
        JetMove(live.sesid, live.tableid, JET_MoveFirst, 0).unwrap();
        JetBeginTransaction(live.sesid).unwrap();
        JetDelete(live.sesid, live.tableid).unwrap();
        JetCommitTransaction(live.sesid, 0).unwrap();
    }
    stop_services(&live, JET_bitStopServiceAll);
    for flags in [resume, resume | tasks, resume | caches] {
        let refused = JetStopServiceInstance2(live.inst, flags);
        assert_eq!(code(refused), JetErr::ClientRequestToStopJetService);
    }
}

#[test]
fn the_log_is_ended_and_holds_everything() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..10);
    JetBeginTransaction(live.sesid).unwrap();
    insert(&live, 10).unwrap();
    JetCommitTransaction(live.sesid, JET_bitCommitLazyFlush).unwrap();
    stop_services(&live, JET_bitStopServiceStopAndEmitLog);
    // What a crash would leave now.
    let copy = Arc::new(tempfile::tempdir().unwrap());
    for entry in std::fs::read_dir(live.dir.path()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    assert_eq!(Live::again(&copy).rows().len(), 11, "the lazy commit is durable");
    JetBeginTransaction(live.sesid).unwrap();
    assert_eq!(live.rows().len(), 11, "reading goes on");
    assert_eq!(code(insert(&live, 11)), JetErr::LogWriteFail);
    let begun = JetBeginExternalBackupInstance(live.inst, 0);
    assert_eq!(code(begun), JetErr::LogWriteFail);
    stop_services(&live, JET_bitStopServiceStopAndEmitLog);
    let dir = live.dir.clone();
    live.term(JET_bitTermAbrupt).unwrap_err();
    let again = Live::again(&dir);
    assert_eq!(again.rows().len(), 11);
    again.back_up_and_compare();
}

fn insert(live: &Live, id: i32) -> Result<()> {
    JetPrepareUpdate(live.sesid, live.tableid, JET_prepInsert)?;
    for column in JetGetTableColumnInfo(live.sesid, live.tableid, None)? {
        let value = Some(&id.to_le_bytes()[..]);
        JetSetColumn(live.sesid, live.tableid, column.def.columnid, value, 0, None)?;
    }
    JetUpdate(live.sesid, live.tableid).map(drop)
}
