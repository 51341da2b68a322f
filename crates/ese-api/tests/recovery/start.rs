//! The decision table at the start (3.2), row by row.

use std::{fs, sync::Arc};

use ese_api::{Instance, JetErr, jet::*};

use crate::{
    jet_setup::{Live, code, multi},
    left::{Left, Try, damage, edit_log},
};

#[test]
fn a_file_made_in_advance_is_no_log() {
    let _mode = multi();
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("edbtmp.log"), vec![0; 64 << 10]).unwrap();
    fs::write(dir.path().join("edb.chk"), b"an old checkpoint").unwrap();
    assert_eq!(Try::flags(JET_bitLogStreamMustExist).refused(dir.path()), JetErr::MissingLogFile);
    assert_eq!(Try::default().run(dir.path()).unwrap(), JetErr::Success);
    assert_eq!(crate::left::log_header(&dir.path().join("edb.log")).generation.0, 1);
}

#[test]
fn without_the_current_log_recovery_goes_on_only_with_leave() {
    let _mode = multi();
    let left = Left::with_rows(900);
    let last = left.current();
    fs::remove_file(left.file("edb.log")).unwrap();
    // No database needs it to be whole.
    left.edit_header(|header| {
        header.gen_max_required = (last - 1).into();
        header.gen_max_committed = (last - 1).into();
        header.logtime_gen_max_required = ese_base::LogTime::NULL;
    });
    assert_eq!(Try::default().refused(left.path()), JetErr::MissingLogFile);
    for grbit in [JET_bitAllowMissingCurrentLog, JET_bitReplayIgnoreLostLogs] {
        let left = left.fork();
        let map = |from: &Left| JET_RSTINFO {
            rgrstmap: vec![JET_RSTMAP {
                szDatabaseName: from.file("a.edb"),
                szNewDatabaseName: left.file("a.edb"),
            }],
            ..JET_RSTINFO::default()
        };
        let info = Some(map(&left));
        let tried = Try { grbit, info, ..Try::default() };
        assert_eq!(tried.run(left.path()).unwrap(), JetErr::Success, "{grbit:#x}");
        left.is_a_prefix();
    }
    let redo_only = Try::flags(JET_bitRecoveryWithoutUndo);
    assert_eq!(redo_only.refused(left.path()), JetErr::RecoveredWithoutUndo);
}

#[test]
fn a_log_that_ended_cleanly_needs_no_redo() {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::builder(dir.path()).start().unwrap();
    drop(instance.create_database("a.edb").unwrap());
    instance.stop().unwrap();
    let again = Instance::builder(dir.path()).start().unwrap();
    let report = again.recovery_report().unwrap().clone();
    again.stop().unwrap();
    assert_eq!((report.records, report.applied + report.skipped), (1, 0), "{report:?}");
    // With an older start it is read again, and nothing is to be done.
    fs::remove_file(dir.path().join("edb.chk")).unwrap();
    let again = Instance::builder(dir.path()).start().unwrap();
    let report = again.recovery_report().unwrap().clone();
    again.stop().unwrap();
    assert!(report.records > 10 && report.applied == 0, "{report:?}");
}

#[test]
fn without_a_checkpoint_redo_begins_with_the_oldest_log() {
    let _mode = multi();
    let left = Left::with_rows(900);
    let (absent, damaged) = (left.fork(), left.fork());
    drop(left);
    fs::remove_file(absent.file("edb.chk")).unwrap();
    let chk = damaged.file("edb.chk");
    fs::write(&chk, vec![0x77; fs::read(&chk).unwrap().len()]).unwrap();
    for left in [absent, damaged] {
        assert_eq!(Try::default().run(left.path()).unwrap(), JetErr::Success);
        left.is_complete();
    }
}

/// Whoever puts databases and logs back may forget the checkpoint, which can lie elsewhere.
#[test]
fn a_checkpoint_behind_the_end_of_the_log_is_none() {
    let _mode = multi();
    for more in [10, 900] {
        let home = Left::with_rows(0);
        let live = Live::again(&home.dir);
        live.load(0..20);
        // What a snapshot of the volume has: no less than what is durable.
        let image = Left { dir: Arc::clone(&home.dir), rows: 20 }.fork();
        live.load(20..20 + more);
        live.term(JET_bitTermComplete).unwrap();
        assert_eq!(home.current() > image.current(), more > 10);
        fs::copy(home.file("edb.chk"), image.file("edb.chk")).unwrap();
        assert_eq!(Try::default().run(image.path()).unwrap(), JetErr::Success);
        image.is_complete();
    }
}

#[test]
fn a_checkpoint_of_another_log_is_refused() {
    let _mode = multi();
    let (left, other) = (Left::with_rows(10), Left::with_rows(10));
    fs::copy(other.file("edb.chk"), left.file("edb.chk")).unwrap();
    assert_eq!(Try::default().refused(left.path()), JetErr::BadCheckpointSignature);
}

#[test]
fn logs_that_are_missing_at_the_start_or_in_between() {
    let _mode = multi();
    let left = Left::with_rows(1500);
    assert!(left.current() > 4);
    let (first, second) = (left.fork(), left);
    fs::remove_file(first.archive(1)).unwrap();
    assert_eq!(Try::default().refused(first.path()), JetErr::MissingPreviousLogFile);
    fs::remove_file(second.archive(2)).unwrap();
    assert_eq!(Try::default().refused(second.path()), JetErr::MissingLogFile);
}

#[test]
fn logs_that_do_not_follow_on_each_other_are_refused() {
    let _mode = multi();
    let (left, other) = (Left::with_rows(1500), Left::with_rows(1500));
    let (sequence, number) = (left.fork(), left.fork());
    fs::copy(other.archive(3), left.archive(3)).unwrap();
    assert_eq!(Try::default().refused(left.path()), JetErr::BadLogSignature);
    edit_log(&sequence.archive(3), |header| header.previous_created.minute ^= 1);
    assert_eq!(Try::default().refused(sequence.path()), JetErr::InvalidLogSequence);
    edit_log(&number.archive(3), |header| header.generation.0 = 4);
    assert_eq!(Try::default().refused(number.path()), JetErr::LogGenerationMismatch);
}

#[test]
fn logs_of_another_size_end_the_start_once_the_databases_are_clean() {
    let _mode = multi();
    let left = Left::with_rows(300);
    let other_size = || Try::default().with(JET_paramLogFileSize, 128);
    let clean_up = JET_paramCleanupMismatchedLogFiles;
    assert_eq!(other_size().with(clean_up, 1).refused(left.path()), JetErr::InvalidSettings);
    let consistent = JetErr::LogFileSizeMismatchDatabasesConsistent;
    assert_eq!(other_size().refused(left.path()), consistent);
    assert_eq!(left.header().state(), ese_pages::DbState::CleanShutdown);
    assert_eq!(other_size().refused(left.path()), consistent, "again");
    let circular = || other_size().with(clean_up, 1).with(JET_paramCircularLog, 1);
    // Whatever a crash leaves of the files that are removed, the next start goes on.
    let half = left.fork();
    fs::remove_file(half.file("edb.chk")).unwrap();
    for generation in 1..left.current() {
        fs::remove_file(half.archive(generation)).unwrap();
        assert_eq!(circular().run(half.fork().path()).unwrap(), JetErr::Success, "{generation}");
    }
    assert_eq!(circular().run(left.path()).unwrap(), JetErr::Success);
    assert_eq!(fs::metadata(left.file("edb.log")).unwrap().len(), 128 << 10);
    assert_eq!(left.current(), 1);
    assert_eq!(other_size().run(left.path()).unwrap(), JetErr::Success);
    fs::OpenOptions::new().write(true).open(left.file("edb.log")).unwrap().set_len(70_000).unwrap();
    assert_eq!(other_size().refused(left.path()), JetErr::LogFileSizeMismatch);
}

#[test]
fn a_log_of_an_unknown_format_or_with_a_damaged_header_is_refused() {
    let _mode = multi();
    let left = Left::with_rows(100);
    let version = left.fork();
    edit_log(&version.file("edb.log"), |header| header.version.minor = 9000);
    assert_eq!(Try::default().refused(version.path()), JetErr::BadLogVersion);
    damage(&left.file("edb.log"), 0);
    assert_eq!(Try::default().refused(left.path()), JetErr::LogFileCorrupt);
}

#[test]
fn a_torn_end_is_put_right_from_its_shadow() {
    let _mode = multi();
    let left = Left::with_rows(130);
    let mut bytes = fs::read(left.file("edb.log")).unwrap();
    let used = bytes.chunks(4096).rposition(|place| place.iter().any(|byte| *byte != 0)).unwrap();
    // A segment that is not full is written to its place and, as it is, to the next.
    bytes.copy_within(used * 4096..(used + 1) * 4096, (used + 1) * 4096);
    fs::write(left.file("edb.log"), bytes).unwrap();
    damage(&left.file("edb.log"), used);
    assert_eq!(Try::default().run(left.path()).unwrap(), JetErr::Success);
    left.is_complete();
}

#[test]
fn unknown_flags_are_refused_and_the_instance_stays() {
    let _mode = multi();
    let live = Live::new();
    for grbit in [0x1, 0x2, 0x8000, 0x8000_0000] {
        let mut inst = live.inst;
        assert_eq!(code(JetInit2(Some(&mut inst), grbit)), JetErr::InvalidGrbit);
        assert_eq!(code(JetInit3(Some(&mut inst), None, grbit)), JetErr::InvalidGrbit);
    }
    live.load(0..10);
}
