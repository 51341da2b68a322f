//! Databases during recovery (3.4), row by row.

use std::{fs, path::Path, sync::Arc};

use ese_api::{Env, JetErr, jet::*};
use ese_os::{LockMode, OpenMode};

use crate::{
    jet_setup::{Live, code, multi},
    left::{Left, Try},
};

fn map(logged: &Path, now: &Path) -> Option<JET_RSTINFO<'static>> {
    let entry = JET_RSTMAP { szDatabaseName: logged.into(), szNewDatabaseName: now.into() };
    Some(JET_RSTINFO { rgrstmap: vec![entry], ..JET_RSTINFO::default() })
}

#[test]
fn a_missing_database_is_refused_or_left_out_with_leave() {
    let _mode = multi();
    let left = Left::with_rows(20);
    let (elsewhere, fork) = (tempfile::tempdir().unwrap(), left.fork());
    let away = elsewhere.path().join("a.edb");
    for (dir, away) in [(&left, &away), (&fork, &elsewhere.path().join("fork.edb"))] {
        fs::rename(dir.file("a.edb"), away).unwrap();
        assert_eq!(Try::default().refused(dir.path()), JetErr::AttachedDatabaseMismatch);
    }
    let ignore = Try::flags(JET_bitReplayIgnoreMissingDB);
    assert_eq!(ignore.run(left.path()).unwrap(), JetErr::Success);
    // After a refusal it can come back; after it was left out it cannot.
    fs::rename(elsewhere.path().join("fork.edb"), fork.file("a.edb")).unwrap();
    assert_eq!(Try::default().run(fork.path()).unwrap(), JetErr::Success);
    fork.is_complete();
    fs::rename(away, left.file("a.edb")).unwrap();
    let (inst, _) = Try::default().init(left.path()).unwrap();
    let sesid = JetBeginSession(inst).unwrap();
    let attached = JetAttachDatabase(sesid, left.file("a.edb").to_str().unwrap(), 0);
    assert_eq!(code(attached), JetErr::DatabaseDirtyShutdown);
    JetTerm(inst).unwrap();
}

/// Whoever keeps a copy beside the database wants it as it is.
#[test]
fn a_copy_under_another_name_does_not_stand_for_a_lost_database() {
    let _mode = multi();
    let left = Left::with_rows(20);
    let kept = left.file("kept.edb");
    fs::rename(left.file("a.edb"), &kept).unwrap();
    let before = fs::read(&kept).unwrap();
    assert_eq!(Try::default().refused(left.path()), JetErr::AttachedDatabaseMismatch);
    let ignore = Try::flags(JET_bitReplayIgnoreMissingDB);
    assert_eq!(ignore.run(left.fork().path()).unwrap(), JetErr::Success);
    assert!(fs::read(&kept).unwrap() == before);
    fs::rename(&kept, left.file("a.edb")).unwrap();
    left.is_complete();
}

#[test]
fn a_database_that_was_detached_later_may_be_missing() {
    let _mode = multi();
    let live = Live::new();
    let other = live.dir.path().join("b.edb");
    let dbid = JetCreateDatabase(live.sesid, other.to_str().unwrap(), 0).unwrap();
    JetCloseDatabase(live.sesid, dbid, 0).unwrap();
    JetDetachDatabase(live.sesid, other.to_str().unwrap()).unwrap();
    live.load(0..20);
    let left = Left::by(live, 20);
    fs::remove_file(other).unwrap();
    assert_eq!(Try::default().run(left.path()).unwrap(), JetErr::Success);
    left.is_complete();
}

#[test]
fn a_database_that_somebody_else_has_counts_as_missing() {
    let _mode = multi();
    let left = Left::with_rows(20);
    let file = Env::real().fs.open(&left.file("a.edb"), OpenMode::ReadWrite).unwrap();
    file.lock(LockMode::Exclusive).unwrap();
    assert_eq!(Try::default().refused(left.path()), JetErr::FileAccessDenied);
    let ignore = Try::flags(JET_bitReplayIgnoreMissingDB);
    assert_eq!(ignore.run(left.path()).unwrap(), JetErr::Success);
    drop(file);
    assert_eq!(left.header().state(), ese_pages::DbState::DirtyShutdown, "not touched");
}

#[test]
fn a_header_with_both_copies_damaged_is_refused() {
    let _mode = multi();
    let left = Left::with_rows(20);
    let path = left.file("a.edb");
    let mut bytes = fs::read(&path).unwrap();
    for copy in [0, 4096] {
        bytes[copy + 24..copy + 300].iter_mut().for_each(|byte| *byte ^= 0x3c);
    }
    fs::write(&path, bytes).unwrap();
    assert_eq!(Try::default().refused(left.path()), JetErr::ReadVerifyFailure);
}

#[test]
fn another_database_of_the_name_is_not_touched() {
    let _mode = multi();
    let (left, other) = (Left::with_rows(20), Left::with_rows(10));
    let theirs = fs::read(other.file("a.edb")).unwrap();
    fs::remove_file(left.file("a.edb.dbl")).ok();
    fs::write(left.file("a.edb"), &theirs).unwrap();
    assert_eq!(Try::default().refused(left.path()), JetErr::AttachedDatabaseMismatch);
    assert_eq!(fs::read(left.file("a.edb")).unwrap(), theirs);
}

#[test]
fn a_copy_from_before_the_last_clean_end_is_refused() {
    let _mode = multi();
    let live = Live::new();
    let path = live.path();
    let (dir, name) = (Arc::clone(&live.dir), path.to_str().unwrap());
    live.term(JET_bitTermComplete).unwrap();
    let old = fs::read(name).unwrap();
    let live = Live::again(&dir);
    live.load(0..10);
    live.term(JET_bitTermComplete).unwrap();
    let live = Live::again(&dir);
    live.load(10..20);
    let left = Left::by(live, 20);
    let good = left.fork();
    fs::write(name, old).unwrap();
    fs::remove_file(left.file("a.edb.dbl")).ok();
    assert_eq!(Try::default().refused(left.path()), JetErr::ConsistentTimeMismatch);
    assert_eq!(Try::default().run(good.path()).unwrap(), JetErr::Success);
}

#[test]
fn an_older_copy_that_was_put_back_needs_nothing_of_the_history_that_it_ended() {
    let _mode = multi();
    let live = Live::new();
    let (dir, path) = (Arc::clone(&live.dir), live.path());
    live.load(0..10);
    live.term(JET_bitTermComplete).unwrap();
    let old = fs::read(&path).unwrap();
    // The rows of the history that is given up go to the same pages, over several logs.
    let live = Live::again(&dir);
    (10..40).for_each(|ten| live.load(ten * 10..ten * 10 + 10));
    live.term(JET_bitTermComplete).unwrap();
    fs::write(&path, old).unwrap();
    let live = Live::again(&dir);
    live.load(10..20);
    let left = Left::by(live, 20);
    let (without, from_its_middle) = (left.fork(), left.fork());
    left.is_complete();
    fs::remove_file(without.file("edb.chk")).unwrap();
    without.is_complete();
    // The first log lists the database as it was attached then.
    fs::remove_file(from_its_middle.file("edb.chk")).unwrap();
    fs::remove_file(from_its_middle.archive(1)).unwrap();
    from_its_middle.is_complete();
}

#[test]
fn the_generations_that_a_database_requires_must_be_there() {
    let _mode = multi();
    let left = Left::with_rows(900);
    let (beyond, other) = (left.fork(), left.fork());
    beyond.edit_header(|header| header.gen_max_required = 99.into());
    assert_eq!(Try::default().refused(beyond.path()), JetErr::RequiredLogFilesMissing);
    // Of the right number, but begun at another time.
    other.edit_header(|header| header.logtime_gen_max_required.minute ^= 1);
    assert_eq!(Try::default().refused(other.path()), JetErr::RequiredLogFilesMissing);
    // The checkpoint is past the first generation.
    let live = Live::again(&left.dir);
    live.load(900..910);
    let left = Left::by(live, 910);
    fs::remove_file(left.archive(1)).unwrap();
    left.edit_header(|header| header.gen_min_required = 1.into());
    assert_eq!(Try::default().refused(left.path()), JetErr::RequiredLogFilesMissing);
}

#[test]
fn a_backup_copy_is_recovered_like_a_database_only_with_leave() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..20);
    let dir = Arc::new(tempfile::tempdir().unwrap());
    live.begin();
    live.copy_all(dir.path());
    live.end(JET_bitBackupEndNormal);
    let left = Left { dir, rows: 20 };
    let map = || map(&live.path(), &left.file("a.edb"));
    let tried = |grbit| Try { grbit, info: map(), ..Try::default() };
    let no_current = JET_bitAllowMissingCurrentLog;
    assert_eq!(tried(no_current).refused(left.path()), JetErr::SoftRecoveryOnBackupDatabase);
    let leave = no_current | JET_bitAllowSoftRecoveryOnBackup;
    assert_eq!(tried(leave).run(left.path()).unwrap(), JetErr::Success);
    left.is_complete();
}

#[test]
fn a_copy_out_of_a_snapshot_needs_its_logs() {
    let _mode = multi();
    let left = Left::with_rows(20);
    let mark = |high: u32| {
        left.edit_header(|header| {
            header.bkinfo_snapshot_cur.gen_low = 1.into();
            header.bkinfo_snapshot_cur.gen_high = high.into();
        });
    };
    mark(99);
    assert_eq!(Try::default().refused(left.path()), JetErr::SoftRecoveryOnSnapshot);
    mark(1);
    assert_eq!(Try::default().run(left.path()).unwrap(), JetErr::Success);
    left.is_complete();
}

#[test]
fn databases_are_looked_for_in_the_alternate_folder_alone() {
    let _mode = multi();
    let left = Left::with_rows(20);
    let elsewhere = tempfile::tempdir().unwrap();
    let alternate = || {
        let path = elsewhere.path().to_str().unwrap().to_owned();
        let texts = vec![(JET_paramAlternateDatabaseRecoveryPath, path)];
        Try { texts, ..Try::default() }
    };
    assert_eq!(alternate().refused(left.path()), JetErr::AttachedDatabaseMismatch);
    fs::copy(left.file("a.edb"), elsewhere.path().join("a.edb")).unwrap();
    assert_eq!(alternate().run(left.path()).unwrap(), JetErr::Success);
    assert_eq!(left.header().state(), ese_pages::DbState::DirtyShutdown, "not touched");
    fs::rename(elsewhere.path().join("a.edb"), left.file("a.edb")).unwrap();
    fs::remove_file(left.file("a.edb.dbl")).ok();
    left.is_complete();
}

#[test]
fn databases_are_where_the_map_says() {
    let _mode = multi();
    let left = Left::with_rows(20);
    let (name, now) = (left.file("a.edb"), left.file("elsewhere.edb"));
    let unnamed = left.fork();
    fs::rename(&name, &now).unwrap();
    let info = map(&name, &now);
    assert_eq!(Try { info, ..Try::default() }.run(left.path()).unwrap(), JetErr::Success);
    fs::rename(&now, &name).unwrap();
    left.is_complete();
    // A database that the map does not name.
    let other = || map(Path::new("/no/such.edb"), Path::new("/no/other.edb"));
    let tried = |grbit| Try { grbit, info: other(), ..Try::default() };
    assert_eq!(tried(0).refused(unnamed.path()), JetErr::AttachedDatabaseMismatch);
    let in_place = tried(JET_bitReplayMissingMapEntryDB);
    assert_eq!(in_place.run(unnamed.path()).unwrap(), JetErr::Success);
    unnamed.is_complete();
}

#[test]
fn what_the_map_says_of_missing_files() {
    let _mode = multi();
    let left = Left::with_rows(20);
    let init = |dir: &Path, grbit| {
        let mut inst = JetCreateInstance(&format!("map of {}", dir.display())).unwrap();
        crate::jet_setup::set_path(inst, JET_paramSystemPath, dir);
        crate::jet_setup::set_path(inst, JET_paramLogFilePath, dir);
        crate::jet_setup::set(inst, JET_paramLogFileSize, 64);
        let entry = JET_RSTMAP2 {
            szDatabaseName: left.file("a.edb"),
            szNewDatabaseName: dir.join("gone.edb"),
            grbit,
        };
        let info = JET_RSTINFO2 { rgrstmap: vec![entry], ..JET_RSTINFO2::default() };
        JetInit4(Some(&mut inst), Some(info), 0)?;
        JetTerm(inst)
    };
    let both = JET_bitRestoreMapIgnoreWhenMissing | JET_bitRestoreMapFailWhenMissing;
    assert_eq!(code(init(left.path(), both)), JetErr::InvalidGrbit);
    assert_eq!(code(init(left.path(), 0x8)), JetErr::InvalidGrbit);
    assert_eq!(code(init(left.path(), 0)), JetErr::AttachedDatabaseMismatch);
    let fail = JET_bitRestoreMapFailWhenMissing;
    assert_eq!(code(init(left.path(), fail)), JetErr::FileNotFound);
    init(left.path(), JET_bitRestoreMapIgnoreWhenMissing).unwrap();
}

#[test]
fn redo_begins_where_the_databases_of_the_map_need_it() {
    let _mode = multi();
    let left = Left::with_rows(300);
    let older = left.fork();
    let live = Live::again(&left.dir);
    live.load(300..400);
    let left = Left::by(live, 400);
    // Lost since, and there is a copy from the first crash.
    fs::rename(older.file("a.edb"), left.file("a.edb")).unwrap();
    fs::remove_file(left.file("a.edb.dbl")).ok();
    let tried = |grbit| Try {
        grbit,
        info: map(&left.file("a.edb"), &left.file("a.edb")),
        ..Try::default()
    };
    assert!(tried(0).run(left.path()).is_err());
    let at_mapped = tried(JET_bitReplayInferCheckpointFromRstmapDbs);
    assert_eq!(at_mapped.run(left.path()).unwrap(), JetErr::Success);
    left.is_complete();
}

#[test]
fn records_before_the_required_logs_are_passed_over_on_request() {
    let _mode = multi();
    let left = Left::with_rows(300);
    let skip = Try::flags(JET_bitReplayIgnoreLogRecordsBeforeMinRequiredLog);
    assert_eq!(skip.run(left.path()).unwrap(), JetErr::Success);
    left.is_complete();
}

#[test]
fn databases_stay_attached_if_that_is_asked_for() {
    let _mode = multi();
    let left = Left::with_rows(20);
    let path = left.file("a.edb");
    let name = path.to_str().unwrap();
    for _ in 0..2 {
        // Also when nobody has attached it before the next crash.
        let keep = Try::flags(JET_bitKeepDbAttachedAtEndOfRecovery);
        let (inst, _) = keep.init(left.path()).unwrap();
        let sesid = JetBeginSession(inst).unwrap();
        let refused = JetOpenDatabase(sesid, name, 0).unwrap_err();
        assert_eq!(refused.code(), JetErr::DatabaseAttachedForRecovery);
        assert_eq!(code(JetTerm2(inst, JET_bitTermDirty)), JetErr::DirtyShutdown);
        assert_eq!(left.header().state(), ese_pages::DbState::DirtyShutdown, "it was attached");
    }
    let (inst, _) = Try::flags(JET_bitKeepDbAttachedAtEndOfRecovery).init(left.path()).unwrap();
    let sesid = JetBeginSession(inst).unwrap();
    assert_eq!(JetAttachDatabase(sesid, name, 0).unwrap(), JetErr::Success);
    assert_eq!(JetAttachDatabase(sesid, name, 0).unwrap(), JetErr::WrnDatabaseAttached);
    JetOpenDatabase(sesid, name, 0).unwrap();
    JetTerm(inst).unwrap();
    left.is_complete();
    // Nothing was attached at the end of the last run.
    let (inst, _) = Try::flags(JET_bitKeepDbAttachedAtEndOfRecovery).init(left.path()).unwrap();
    let sesid = JetBeginSession(inst).unwrap();
    assert_eq!(code(JetOpenDatabase(sesid, name, 0)), JetErr::DatabaseNotFound);
    JetTerm(inst).unwrap();
}
