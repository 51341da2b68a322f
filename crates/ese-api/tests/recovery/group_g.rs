//! Group G: log, checkpoint, recovery.

use std::fs;

use ese_api::{JetErr, jet::*};

use crate::{
    jet_setup::{Live, code, multi, set, set_path},
    left::{Left, Try, damage, log_header},
};

#[test]
fn case_126_without_any_log_a_new_one_begins() {
    let _mode = multi();
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(Try::default().run(dir.path()).unwrap(), JetErr::Success);
    assert_eq!(log_header(&dir.path().join("edb.log")).generation.0, 1);
}

#[test]
fn case_127_without_any_log_where_there_must_be_one() {
    let _mode = multi();
    let dir = tempfile::tempdir().unwrap();
    let refused = Try::flags(JET_bitLogStreamMustExist).refused(dir.path());
    assert_eq!(refused, JetErr::MissingLogFile);
    assert!(!dir.path().join("edb.log").exists());
}

#[test]
fn case_128_the_current_log_is_lost() {
    let _mode = multi();
    let left = Left::with_rows(900);
    let last = left.current();
    fs::remove_file(left.file("edb.log")).unwrap();
    assert_eq!(Try::default().refused(left.path()), JetErr::MissingLogFile);
    let lose = || Try::flags(JET_bitReplayIgnoreLostLogs);
    assert_eq!(lose().refused(left.path()), JetErr::RequiredLogFilesMissing);
    left.require_only(last - 1);
    let keep = Try::flags(JET_bitAllowMissingCurrentLog);
    assert_eq!(keep.refused(left.path()), JetErr::CommittedLogFilesMissing);
    assert_eq!(lose().run(left.path()).unwrap(), JetErr::WrnCommittedLogFilesLost);
    left.is_a_prefix();
}

#[test]
fn case_130_a_crash_between_the_names_of_a_roll() {
    let _mode = multi();
    let left = Left::with_rows(900);
    fs::rename(left.file("edb.log"), left.file("edbtmp.log")).unwrap();
    assert_eq!(Try::default().run(left.path()).unwrap(), JetErr::Success);
    left.is_complete();
}

#[test]
fn case_132_a_checkpoint_that_cannot_be_read_refuses_a_backup() {
    let _mode = multi();
    let live = Live::new();
    let chk = live.dir.path().join("edb.chk");
    let good = fs::read(&chk).unwrap();
    fs::write(&chk, vec![0x55; good.len()]).unwrap();
    let refused = JetBeginExternalBackupInstance(live.inst, 0);
    assert_eq!(code(refused), JetErr::CheckpointCorrupt);
    assert_eq!(code(JetEndExternalBackupInstance(live.inst)), JetErr::NoBackup);
    fs::write(&chk, good).unwrap();
    live.back_up_and_compare();
}

#[test]
fn case_133_a_dirty_database_of_another_log() {
    let _mode = multi();
    let left = Left::with_rows(20);
    left.edit_header(|header| {
        header.sign_log = ese_api::Signature::new(1, ese_base::LogTime::from_unix_ms(1));
    });
    assert_eq!(Try::default().refused(left.path()), JetErr::DatabaseLogSetMismatch);
}

#[test]
fn case_135_damage_in_the_middle_of_the_current_log() {
    let _mode = multi();
    let left = Left::with_rows(130);
    damage(&left.file("edb.log"), 2);
    assert_eq!(Try::default().refused(left.path()), JetErr::LogFileCorrupt);
}

#[test]
fn case_136_of_lazy_commits_a_prefix_survives() {
    let _mode = multi();
    let live = Live::new();
    let columns = JetGetTableColumnInfo(live.sesid, live.tableid, None).unwrap();
    let column = |name| columns.iter().find(|c| c.szColumnName == name).unwrap().def.columnid;
    let set = |column, bytes: &[u8]| {
        JetSetColumn(live.sesid, live.tableid, column, Some(bytes), 0, None).unwrap();
    };
    for row in 0..2000_i32 {
        JetBeginTransaction(live.sesid).unwrap();
        JetPrepareUpdate(live.sesid, live.tableid, JET_prepInsert).unwrap();
        set(column("id"), &row.to_le_bytes());
        set(column("value"), b"x");
        JetUpdate(live.sesid, live.tableid).unwrap();
        JetCommitTransaction(live.sesid, JET_bitCommitLazyFlush).unwrap();
    }
    // As the disk is now: what the process still holds is lost with it.
    let dir = std::sync::Arc::new(tempfile::tempdir().unwrap());
    for entry in fs::read_dir(live.dir.path()).unwrap().map(|entry| entry.unwrap()) {
        fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
    }
    let left = Left { dir, rows: 2000 };
    assert_eq!(Try::default().run(left.path()).unwrap(), JetErr::Success);
    let found = left.rows_now();
    assert_eq!(found, (0..i32::try_from(found.len()).unwrap()).collect::<Vec<_>>());
}

#[test]
fn case_137_a_dirty_database_without_recovery() {
    let _mode = multi();
    let left = Left::with_rows(20);
    let off = (JET_paramRecovery, "off".to_owned());
    let (inst, _) = Try { texts: vec![off], ..Try::default() }.init(left.path()).unwrap();
    let sesid = JetBeginSession(inst).unwrap();
    let path = left.file("a.edb");
    let refused = JetAttachDatabase(sesid, path.to_str().unwrap(), 0);
    assert_eq!(code(refused), JetErr::DatabaseDirtyShutdown);
    JetTerm(inst).unwrap();
    left.is_complete();
}

#[test]
fn case_138_a_dirty_end_is_recovered() {
    let _mode = multi();
    let left = Left::with_rows(20);
    assert_eq!(Try::default().run(left.path()).unwrap(), JetErr::Success);
    left.is_complete();
}

#[test]
fn case_140_redo_only_and_then_the_rest() {
    let _mode = multi();
    let left = Left::with_rows(300);
    let redo_only = || Try::flags(JET_bitRecoveryWithoutUndo);
    for _ in 0..2 {
        assert_eq!(redo_only().refused(left.path()), JetErr::RecoveredWithoutUndo);
        assert_eq!(left.header().state(), ese_pages::DbState::DirtyShutdown);
    }
    assert_eq!(Try::default().run(left.path()).unwrap(), JetErr::Success);
    let consistent = JetErr::RecoveredWithoutUndoDatabasesConsistent;
    assert_eq!(redo_only().refused(left.path()), consistent);
    left.is_complete();
}

#[test]
fn case_142_circular_logging_keeps_what_a_backup_needs() {
    let _mode = multi();
    let live = Live::with(|inst| crate::jet_setup::set(inst, JET_paramCircularLog, 1));
    live.load(0..600);
    live.begin();
    live.copy(&live.path());
    let first = generations(&live)[0];
    let mut next = 600;
    while *generations(&live).last().unwrap() < first + 100 {
        live.load(next..next + 200);
        next += 200;
    }
    let kept = generations(&live);
    assert_eq!(kept, (first..=*kept.last().unwrap()).collect::<Vec<_>>());
    live.end(JET_bitBackupEndAbort);
}

#[test]
fn case_143_144_what_a_commit_needs() {
    let _mode = multi();
    let live = Live::new();
    JetBeginTransaction(live.sesid).unwrap();
    let refused = JetCommitTransaction2(live.sesid, 0, 100);
    assert_eq!(code(refused), JetErr::InvalidParameter);
    JetCommitTransaction(live.sesid, 0).unwrap();
    let outside = JetCommitTransaction2(live.sesid, 0, 100);
    assert_eq!(code(outside), JetErr::NotInTransaction, "the state comes first");
    let lazy = JET_bitCommitLazyFlush.to_le_bytes();
    JetSetSessionParameter(live.sesid, JET_sesparamCommitDefault, &lazy).unwrap();
    JetBeginTransaction(live.sesid).unwrap();
    JetCommitTransaction2(live.sesid, 0, 100).unwrap();
    assert_eq!(code(JetCommitTransaction(live.sesid, 0)), JetErr::NotInTransaction);
    assert_eq!(code(JetCommitTransaction2(live.sesid, 0, 0)), JetErr::NotInTransaction);
    JetCommitTransaction(live.sesid, JET_bitWaitLastLevel0Commit).unwrap();
}

#[test]
fn case_145_two_instances_with_one_log_or_one_checkpoint() {
    let _mode = multi();
    let live = Live::new();
    let other = tempfile::tempdir().unwrap();
    let second = |system: &std::path::Path, log: &std::path::Path| {
        let mut inst =
            JetCreateInstance(&format!("second of {}", live.dir.path().display())).unwrap();
        set_path(inst, JET_paramSystemPath, system);
        set_path(inst, JET_paramLogFilePath, log);
        code(JetInit(Some(&mut inst)))
    };
    let own = live.dir.path();
    assert_eq!(second(other.path(), own), JetErr::LogFilePathInUse);
    assert_eq!(second(own, other.path()), JetErr::SystemPathInUse);
    assert_eq!(second(own, own), JetErr::SystemPathInUse, "the checkpoint comes first");
}

/// The engine's source compares the temporary database first, then the folders of checkpoint and
/// log, whatever the files there are called; the two only of instances that have a log.
#[test]
fn case_145_what_two_instances_may_have_in_common() {
    let _mode = multi();
    let dir = tempfile::tempdir().unwrap();
    let temp = dir.path().join("temp.edb");
    let live = Live::with(|inst| set_path(inst, JET_paramTempPath, &temp));
    let second = |folder: &std::path::Path, configure: &dyn Fn(JET_INSTANCE)| {
        let name = format!("second of {}", live.dir.path().display());
        let mut inst = JetCreateInstance(&name).unwrap();
        set_path(inst, JET_paramSystemPath, folder);
        set_path(inst, JET_paramLogFilePath, folder);
        configure(inst);
        JetInit(Some(&mut inst))?;
        JetTerm(inst)
    };
    let text = |inst, id, value: &str| {
        JetSetSystemParameter(Some(inst), JET_SESID::NIL, id, 0, Some(value)).unwrap();
    };
    let (own, other) = (live.dir.path(), tempfile::tempdir().unwrap());
    let same_temp = |inst| set_path(inst, JET_paramTempPath, &temp);
    assert_eq!(code(second(other.path(), &same_temp)), JetErr::TempPathInUse);
    assert_eq!(code(second(own, &same_temp)), JetErr::TempPathInUse, "it comes first");
    let no_temp = |inst| {
        same_temp(inst);
        set(inst, JET_paramMaxTemporaryTables, 0);
    };
    second(other.path(), &no_temp).unwrap();
    let other_name = |inst| text(inst, JET_paramBaseName, "abc");
    assert_eq!(code(second(own, &other_name)), JetErr::SystemPathInUse);
    second(own, &|inst| text(inst, JET_paramRecovery, "off")).unwrap();
}

/// The finished generations on disk.
fn generations(live: &Live) -> Vec<u32> {
    let names = fs::read_dir(live.dir.path()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let numbers = names.filter_map(|name| {
        u32::from_str_radix(name.strip_prefix("edb")?.strip_suffix(".log")?, 16).ok()
    });
    let mut numbers: Vec<u32> = numbers.collect();
    numbers.sort_unstable();
    numbers
}
