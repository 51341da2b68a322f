//! The sequence of a backup: group D of backup-log-recovery 7, each case under its number.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a failing step fails the test; files are looked at behind the engine's back"
)]

mod jet_setup;

use std::{path::PathBuf, thread};

use ese_api::{JetErr, Result, jet::*};
use ese_backup::AlignedBuffer;
use jet_setup::{Live, code, multi, set};

fn read(live: &Live, handle: JET_HANDLE, pages: usize) -> Result<usize> {
    let mut buffer = AlignedBuffer::new(16 << 10).unwrap();
    JetReadFileInstance(live.inst, handle, &mut buffer.as_mut_slice()[..pages * 4096])
}

fn incremental(live: &Live) -> Result<()> {
    JetBeginExternalBackupInstance(live.inst, JET_bitBackupIncremental)
}

fn second_database(live: &Live) -> PathBuf {
    let path = live.dir.path().join("b.edb");
    JetCreateDatabase(live.sesid, path.to_str().unwrap(), 0).unwrap();
    path
}

#[test]
fn case_067_068_069_070_what_begin_refuses() {
    let _mode = multi();
    let off = Live::with(|inst| {
        JetSetSystemParameter(Some(inst), JET_SESID::NIL, JET_paramRecovery, 0, Some("off"))
            .unwrap();
    });
    assert_eq!(code(JetBeginExternalBackupInstance(off.inst, 0)), JetErr::LoggingDisabled);
    let live = Live::new();
    assert_eq!(code(JetBeginExternalBackupInstance(live.inst, 4)), JetErr::InvalidGrbit);
    let circular = Live::with(|inst| set(inst, JET_paramCircularLog, 1));
    circular.load(0..1000);
    assert_eq!(code(incremental(&circular)), JetErr::InvalidBackup);
    circular.back_up_and_compare();
}

#[test]
fn case_071_072_073_one_backup_at_a_time() {
    let _mode = multi();
    let live = Live::new();
    assert_eq!(code(incremental(&live)), JetErr::MissingFullBackup);
    assert_eq!(code(JetEndExternalBackupInstance(live.inst)), JetErr::NoBackup);
    live.begin();
    assert_eq!(code(JetBeginExternalBackupInstance(live.inst, 0)), JetErr::BackupInProgress);
    let (own, other) = (live.path(), live.dir.path().join("b.edb"));
    let (own, other) = (own.to_str().unwrap(), other.to_str().unwrap());
    let refused = [
        JetAttachDatabase(live.sesid, own, 0).map(|_| ()),
        JetDetachDatabase(live.sesid, own),
        JetCreateDatabase(live.sesid, other, 0).map(|_| ()),
    ];
    for refused in refused {
        assert_eq!(code(refused), JetErr::BackupInProgress);
    }
    live.end(JET_bitBackupEndAbort);
}

#[test]
fn case_074_076_078_opening_files() {
    let _mode = multi();
    let live = Live::new();
    let second = second_database(&live);
    live.begin();
    let file = live.open(&live.path());
    assert_eq!(code(JetOpenFileInstance(live.inst, Some(&second))), JetErr::OutOfMemory);
    assert!(read(&live, file, 3).unwrap() > 0, "the first one goes on");
    JetCloseFileInstance(live.inst, file).unwrap();
    let log = live.log(1);
    assert_eq!(code(JetOpenFileInstance(live.inst, Some(&log))), JetErr::DatabaseNotFound);
    live.log_list();
    let missing = live.log(0xfff);
    let opened = JetOpenFileInstance(live.inst, Some(&missing));
    assert_eq!(code(opened), JetErr::MissingFileToBackup);
    assert_eq!(code(JetEndExternalBackupInstance(live.inst)), JetErr::NoBackup);
}

#[test]
fn case_080_081_082_084_093_truncation() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..1000);
    let out_of_turn = JetErr::InvalidBackupSequence;
    live.begin();
    assert_eq!(code(JetTruncateLogInstance(live.inst)), out_of_turn);
    let logs = live.log_list();
    assert!(logs.len() >= 2);
    let file = live.open(&logs[0]);
    assert_eq!(code(JetTruncateLogInstance(live.inst)), out_of_turn);
    JetCloseFileInstance(live.inst, file).unwrap();
    for _ in 0..logs.len() {
        live.copy(&logs[0]);
    }
    assert_eq!(code(JetTruncateLogInstance(live.inst)), JetErr::LogFileNotCopied, "case 84");
    for log in &logs[1..] {
        live.copy(log);
    }
    JetTruncateLogInstance(live.inst).unwrap();
    live.end(JET_bitBackupEndAbort);

    live.begin();
    live.copy(&live.path());
    let logs = live.log_list();
    for log in &logs[..logs.len() - 1] {
        live.copy(log);
    }
    let file = live.open(&logs[logs.len() - 1]);
    read(&live, file, 2).unwrap();
    JetCloseFileInstance(live.inst, file).unwrap();
    assert_eq!(code(JetTruncateLogInstance(live.inst)), JetErr::LogFileNotCopied, "case 93");
    JetEndExternalBackupInstance(live.inst).unwrap();
    incremental(&live).unwrap_err();
}

#[test]
fn case_085_086_088_after_a_truncation() {
    let _mode = multi();
    let live = Live::with(|inst| set(inst, JET_paramCheckpointDepthMax, 64 << 10));
    live.load(0..3000);
    // A clean end and a new start put the checkpoint behind everything so far.
    let dir = live.dir.clone();
    live.term(JET_bitTermAbrupt).unwrap();
    let live = Live::again(&dir);
    live.load(3000..3500);
    let set = tempfile::tempdir().unwrap();
    live.begin();
    let logs = live.copy_all(&set.path().join("set"));
    let mut list = vec![0; JetGetTruncateLogInfoInstance(live.inst, None).unwrap()];
    JetGetTruncateLogInfoInstance(live.inst, Some(&mut list)).unwrap();
    let doomed = paths_of(&list);
    assert!(!doomed.is_empty() && doomed.iter().all(|log| log.exists()));
    JetTruncateLogInstance(live.inst).unwrap();
    JetTruncateLogInstance(live.inst).unwrap();
    assert!(doomed.iter().all(|log| !log.exists()));
    live.end(JET_bitBackupEndNormal);
    let header = live.header();
    let number = |log: &PathBuf| {
        u32::from_str_radix(&log.file_stem().unwrap().to_str().unwrap()[3..], 16).unwrap()
    };
    let full = header.bkinfo_full_prev;
    assert_eq!(full.gen_low.get(), number(&logs[0]));
    assert_eq!(full.gen_high.get(), number(&logs[logs.len() - 1]));
    assert_eq!(live.marks(), [full.gen_high.get(), 0, 0, 0]);

    live.begin();
    live.copy(&live.path());
    live.log_list();
    let opened = JetOpenFileInstance(live.inst, Some(&doomed[0]));
    assert_eq!(code(opened), JetErr::MissingFileToBackup);
    assert_eq!(code(JetEndExternalBackupInstance(live.inst)), JetErr::NoBackup);
}

#[test]
fn case_082_an_incremental_backup_has_no_databases() {
    let _mode = multi();
    let live = Live::new();
    live.back_up_and_compare();
    incremental(&live).unwrap();
    let refused = JetGetAttachInfoInstance(live.inst, None);
    assert_eq!(code(refused), JetErr::InvalidBackupSequence);
    live.end(JET_bitBackupEndAbort);
}

#[test]
fn case_089_090_backups_without_a_truncation() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..500);
    let set = tempfile::tempdir().unwrap();
    live.begin();
    live.copy_all(&set.path().join("1"));
    live.end(JET_bitBackupEndNormal);
    let [full, copy, ..] = live.marks();
    assert!(full == 0 && copy > 0);
    live.begin();
    live.copy_all(&set.path().join("2"));
    live.end(JET_bitBackupEndNormal | JET_bitBackupTruncateDone);
    let [full, same, ..] = live.marks();
    assert!(full > copy && same == copy);
}

#[test]
fn case_092_a_database_that_is_left_out_keeps_its_logs() {
    let _mode = multi();
    let live = Live::new();
    let second = second_database(&live);
    live.load(0..1000);
    live.begin();
    live.copy(&live.path());
    for log in live.log_list() {
        live.copy(&log);
    }
    assert_eq!(JetGetTruncateLogInfoInstance(live.inst, None).unwrap(), 2, "an empty list");
    JetTruncateLogInstance(live.inst).unwrap();
    live.end(JET_bitBackupEndNormal);
    assert!(live.log(1).exists());
    assert!(live.marks()[0] > 0);
    let JET_DBINFO::Misc(header) =
        JetGetDatabaseFileInfo(second.to_str().unwrap(), JET_DbInfoMisc).unwrap()
    else {
        panic!("the header was asked for");
    };
    assert_eq!(header.bkinfo_full_prev.gen_high.get(), 0);
}

#[test]
fn case_094_095_103_104_arguments() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..1000);
    live.begin();
    for wrong in [1, u64::MAX, 0x100] {
        let closed = JetCloseFileInstance(live.inst, JET_HANDLE(wrong));
        assert_eq!(code(closed), JetErr::InvalidParameter);
    }
    let need = JetGetAttachInfoInstance(live.inst, None).unwrap();
    let mut two = [0xee; 2];
    assert_eq!(JetGetAttachInfoInstance(live.inst, Some(&mut two)).unwrap(), need);
    assert_eq!(two, live.path().to_str().unwrap().as_bytes()[..2]);
    assert_eq!(need, live.path().to_str().unwrap().len() + 2);
    let mut info = JET_LOGINFO::new();
    info.cbSize += 1;
    let wrong = JetGetLogInfoInstance2(live.inst, None, Some(&mut info));
    assert_eq!(code(wrong), JetErr::InvalidParameter);
    info.cbSize = JET_LOGINFO::SIZE;
    let whole = JetGetLogInfoInstance2(live.inst, None, Some(&mut info)).unwrap();
    let mut two = [0; 2];
    assert_eq!(JetGetLogInfoInstance(live.inst, Some(&mut two)).unwrap(), 2, "what was copied");
    let logs = live.log_list();
    let named: Vec<_> = (info.ulGenLow..=info.ulGenHigh).map(|number| live.log(number)).collect();
    assert_eq!((logs, info.szBaseName.as_str()), (named, "edb"));
    assert!(whole > 2 && !live.log_list().contains(&live.dir.path().join("edb.log")));
    live.end(JET_bitBackupEndAbort);
}

#[test]
fn case_096_097_099_reading() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..100);
    live.begin();
    let file = JetOpenFileInstance(live.inst, Some(&live.path())).unwrap();
    assert_eq!(file.ulFileSizeHigh, 0);
    assert_eq!(code(read(&live, file.hfFile, 2)), JetErr::InvalidParameter);
    let mut buffer = AlignedBuffer::new(64 << 10).unwrap();
    let unaligned = &mut buffer.as_mut_slice()[16..16 + 3 * 4096];
    let refused = JetReadFileInstance(live.inst, file.hfFile, unaligned);
    assert_eq!(code(refused), JetErr::InvalidParameter);
    let mut delivered = read(&live, file.hfFile, 3).unwrap();
    assert_eq!(delivered, 3 * 4096);
    loop {
        match JetReadFileInstance(live.inst, file.hfFile, buffer.as_mut_slice()).unwrap() {
            0 => break,
            count => delivered += count,
        }
    }
    for _ in 0..3 {
        assert_eq!(read(&live, file.hfFile, 3).unwrap(), 0);
    }
    assert_eq!(delivered, usize::try_from(file.ulFileSizeLow).unwrap());
    JetCloseFileInstance(live.inst, file.hfFile).unwrap();
    live.end(JET_bitBackupEndAbort);
}

#[test]
fn case_101_a_damaged_log_cancels_the_backup() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..1000);
    live.begin();
    live.copy(&live.path());
    let logs = live.log_list();
    let mut bytes = std::fs::read(&logs[1]).unwrap();
    bytes[4096 * 3 + 500] ^= 0xff;
    std::fs::write(&logs[1], bytes).unwrap();
    let file = live.open(&logs[1]);
    let mut buffer = AlignedBuffer::new(64 << 10).unwrap();
    let damaged = JetReadFileInstance(live.inst, file, buffer.as_mut_slice());
    assert_eq!(code(damaged), JetErr::LogReadVerifyFailure);
    assert_eq!(code(JetEndExternalBackupInstance(live.inst)), JetErr::NoBackup);
}

#[test]
fn case_105_the_sequence_is_not_bound_to_a_thread() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..500);
    let there = |work: &(dyn Fn() + Sync)| {
        thread::scope(|scope| scope.spawn(work).join().unwrap());
    };
    there(&|| live.begin());
    there(&|| drop(live.copy(&live.path())));
    there(&|| {
        for log in live.log_list() {
            live.copy(&log);
        }
        JetTruncateLogInstance(live.inst).unwrap();
    });
    there(&|| live.end(JET_bitBackupEndNormal));
    assert!(live.marks()[0] > 0);
}

#[test]
fn case_106_107_terminations_during_a_backup() {
    let _mode = multi();
    for refused in [0, JET_bitTermComplete] {
        let live = Live::new();
        live.begin();
        let file = live.open(&live.path());
        assert_eq!(code(JetTerm2(live.inst, refused)), JetErr::BackupInProgress);
        assert!(read(&live, file, 3).unwrap() > 0, "it goes on");
        live.load(0..5);
        live.end(JET_bitBackupEndNormal);
        let begun = JetBeginExternalBackupInstance(live.inst, 0);
        assert_eq!(code(begun), JetErr::BackupNotAllowedYet);
        let inst = live.inst;
        live.term(JET_bitTermComplete).unwrap();
        assert_eq!(code(JetTerm(inst)), JetErr::InvalidInstance);
    }
    let live = Live::new();
    let inst = live.inst;
    live.begin();
    // JetTerm itself.
    live.term(JET_bitTermAbrupt).unwrap();
    assert_eq!(code(JetGetAttachInfoInstance(inst, None)), JetErr::InvalidParameter);

    let live = Live::new();
    let dir = live.dir.clone();
    live.load(0..100);
    live.begin();
    JetBeginTransaction(live.sesid).unwrap();
    let dirty = live.term(JET_bitTermDirty);
    assert_eq!(code(dirty), JetErr::DirtyShutdown);
    assert_eq!(Live::again(&dir).rows().len(), 100, "the next start recovers");
}

#[test]
fn case_108_no_page_is_torn_while_others_write() {
    let _mode = multi();
    let live = Live::with(|inst| set(inst, JET_paramCheckpointDepthMax, 64 << 10));
    live.load(0..3000);
    let writer = Live::new();
    drop(writer);
    thread::scope(|scope| {
        let session = JetBeginSession(live.inst).unwrap();
        let path = live.path();
        let writing = scope.spawn(move || {
            let dbid = JetOpenDatabase(session, path.to_str().unwrap(), 0).unwrap().1;
            let table = JetOpenTable(session, dbid, "t", 0).unwrap();
            let columns = JetGetTableColumnInfo(session, table, Some("value")).unwrap();
            let value = columns[0].def.columnid;
            for round in 0..30_u8 {
                JetBeginTransaction(session).unwrap();
                let mut moved = JetMove(session, table, JET_MoveFirst, 0);
                while moved.is_ok() {
                    JetPrepareUpdate(session, table, JET_prepReplace).unwrap();
                    JetSetColumn(session, table, value, Some(&[round; 200]), 0, None).unwrap();
                    JetUpdate(session, table).unwrap();
                    moved = JetMove(session, table, 5, 0);
                }
                JetCommitTransaction(session, JET_bitCommitLazyFlush).unwrap();
            }
            JetEndSession(session, 0).unwrap();
        });
        // Every page is verified by the reading, and again by the restore.
        while !writing.is_finished() {
            live.begin();
            live.copy(&live.path());
            live.end(JET_bitBackupEndAbort);
        }
        writing.join().unwrap();
    });
    live.back_up_and_compare();
}
