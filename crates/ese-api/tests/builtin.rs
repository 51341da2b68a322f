//! JetBackup, row by row (backup-log-recovery 6.1). Names with a number are the cases of section 7,
//! group E.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a failing step fails the test; files are looked at behind the engine's back"
)]

mod jet_setup;

use std::{fs, path::Path, sync::Arc, thread};

use ese_api::{Error, JetErr, jet::*};
use jet_setup::{Live, Op, alone, code, multi, set};

const INCREMENTAL: JET_GRBIT = JET_bitBackupIncremental;
const ATOMIC: JET_GRBIT = JET_bitBackupAtomic;

fn back_up(live: &Live, dir: &Path, grbit: JET_GRBIT) -> ese_api::Result<()> {
    JetBackupInstance(live.inst, dir, grbit, None)
}

fn names(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap();
    let mut names: Vec<_> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn logs(dir: &Path) -> Vec<String> {
    names(dir).into_iter().filter(|name| name.ends_with(".log")).collect()
}

/// Restores a set elsewhere; the number of rows.
fn rows_of(set: &Path) -> usize {
    let there = Arc::new(tempfile::tempdir().unwrap());
    ese_api::restore(set, there.path()).unwrap();
    Live::again(&there).rows().len()
}

/// The instance begins anew, which puts the checkpoint behind everything so far.
fn again(live: Live) -> Live {
    let home = Arc::clone(&live.dir);
    live.term(0).unwrap();
    Live::again(&home)
}

#[test]
fn a_full_set_is_flat_and_holds_what_other_programs_look_for() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..1500);
    let dir = tempfile::tempdir().unwrap();
    let mut told = Vec::new();
    let mut status = |snp, snt, so_far: &JET_SNPROG| {
        assert_eq!((snp, so_far.cunitTotal), (JET_snpBackup, 100));
        told.push((snt, so_far.cunitDone));
        Ok(())
    };
    JetBackupInstance(live.inst, dir.path(), 0, Some(&mut status)).unwrap();
    assert_eq!(told.first(), Some(&(JET_sntBegin, 0)));
    assert_eq!(told.last(), Some(&(JET_sntComplete, 100)));
    assert!(told.is_sorted_by_key(|(_, done)| *done), "{told:?}");
    let found = names(dir.path());
    assert_eq!(fs::read(dir.path().join("a.pat")).unwrap(), b"");
    assert!(found.contains(&"a.edb".to_owned()) && logs(dir.path()).len() > 3, "{found:?}");
    assert!(!found.iter().any(|name| name == "edb.log" || name == "edb.chk"), "{found:?}");
    assert!(live.marks()[0] > 0);
    assert_eq!(rows_of(dir.path()), 1500);
}

#[test]
fn case_110_a_folder_that_is_not_empty() {
    let _mode = multi();
    let live = Live::new();
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("note.txt"), b"mine").unwrap();
    assert_eq!(code(back_up(&live, dir.path(), 0)), JetErr::BackupDirectoryNotEmpty);
    assert_eq!(names(dir.path()), ["note.txt"]);
    assert_eq!(live.marks(), [0; 4]);
    // The atomic layout has folders of its own.
    back_up(&live, dir.path(), ATOMIC).unwrap();
    assert_eq!(names(dir.path()), ["new", "note.txt"]);
}

#[test]
fn case_111_an_incremental_backup_into_a_folder_of_the_atomic_layout() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..500);
    let dir = tempfile::tempdir().unwrap();
    back_up(&live, dir.path(), ATOMIC).unwrap();
    live.load(500..600);
    let refused = back_up(&live, dir.path(), INCREMENTAL);
    assert_eq!(code(refused), JetErr::BackupDirectoryNotEmpty);
    fs::rename(dir.path().join("new"), dir.path().join("old")).unwrap();
    let refused = back_up(&live, dir.path(), INCREMENTAL);
    assert_eq!(code(refused), JetErr::BackupDirectoryNotEmpty);
    assert_eq!(rows_of(dir.path()), 500);
    // Atomically the logs go to the set, which is old then.
    back_up(&live, dir.path(), INCREMENTAL | ATOMIC).unwrap();
    assert_eq!(names(dir.path()), ["old"]);
    assert_eq!(rows_of(dir.path()), 600);
    live.load(600..700);
    back_up(&live, dir.path(), INCREMENTAL | ATOMIC).unwrap();
    assert_eq!(rows_of(dir.path()), 700);
    let empty = tempfile::tempdir().unwrap();
    let none = back_up(&live, empty.path(), INCREMENTAL | ATOMIC);
    assert_eq!(code(none), JetErr::NoBackupDirectory);
}

#[test]
fn case_112_a_second_atomic_backup_that_fails_leaves_the_first() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..500);
    let dir = tempfile::tempdir().unwrap();
    back_up(&live, dir.path(), ATOMIC).unwrap();
    let marks = live.marks();
    live.load(500..1000);
    for (op, name) in [(Op::Allocate, "temp/a.edb"), (Op::Write, ".log"), (Op::Rename, ".json")] {
        live.disk.fail(Some((op, name, JetErr::DiskFull)));
        // A log of the instance itself may be hit: then the instance is gone, not the set.
        if name == ".log" {
            live.disk.fail(Some((Op::Allocate, ".log", JetErr::DiskFull)));
        }
        assert_eq!(code(back_up(&live, dir.path(), ATOMIC)), JetErr::DiskFull, "{name}");
        live.disk.fail(None);
        assert_eq!(names(dir.path()), ["old"]);
        assert_eq!(rows_of(dir.path()), 500);
        assert_eq!(live.marks(), marks);
    }
    back_up(&live, dir.path(), ATOMIC).unwrap();
    assert_eq!(names(dir.path()), ["new"]);
    assert_eq!(rows_of(dir.path()), 1000);
}

#[test]
fn case_113_without_a_path_the_logs_below_the_checkpoint_go() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..1500);
    let live = again(live);
    live.load(1500..2000);
    assert!(live.log(1).exists() && logs(live.dir.path()).len() > 4);
    let marks = live.marks();
    JetBackupInstance(live.inst, Path::new(""), 0, None).unwrap();
    assert!(!live.log(1).exists());
    assert_eq!(live.marks(), marks, "it is no backup");
    let incremental = JetBackupInstance(live.inst, Path::new(""), INCREMENTAL, None);
    assert_eq!(code(incremental), JetErr::MissingFullBackup);
    // What recovery needs is there.
    let home = Arc::clone(&live.dir);
    live.term(JET_bitTermDirty).unwrap_err();
    assert_eq!(Live::again(&home).rows().len(), 2000);
}

#[test]
fn without_a_path_circular_logging_is_left_alone() {
    let _mode = multi();
    let live = Live::with(|inst| set(inst, JET_paramCircularLog, 1));
    live.load(0..500);
    let before = logs(live.dir.path());
    JetBackupInstance(live.inst, Path::new(""), 0, None).unwrap();
    assert_eq!(logs(live.dir.path()), before);
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(code(back_up(&live, dir.path(), INCREMENTAL)), JetErr::InvalidBackup);
    let nothing = JetBackupInstance(live.inst, Path::new(""), INCREMENTAL, None);
    assert_eq!(code(nothing), JetErr::InvalidBackup);
    assert_eq!(names(dir.path()), [""; 0]);
}

#[test]
fn case_114_unknown_flags() {
    let _mode = multi();
    let live = Live::new();
    let dir = tempfile::tempdir().unwrap();
    for grbit in [0x80000, 2, 8, 0x10, 0x20] {
        assert_eq!(code(back_up(&live, dir.path(), grbit)), JetErr::InvalidGrbit, "{grbit:#x}");
        assert_eq!(code(back_up(&live, Path::new(""), grbit)), JetErr::InvalidGrbit);
    }
}

#[test]
fn case_115_an_incremental_backup_adds_its_logs_to_the_set() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..1000);
    let dir = tempfile::tempdir().unwrap();
    back_up(&live, dir.path(), 0).unwrap();
    let (full, marks) = (logs(dir.path()), live.marks());
    for round in 1..4 {
        let from = 1000 * round;
        live.load(from..from + 1000);
        back_up(&live, dir.path(), INCREMENTAL).unwrap();
        assert_eq!(rows_of(dir.path()), usize::try_from(from + 1000).unwrap());
    }
    let now = logs(dir.path());
    assert!(now.len() > full.len() + 3 && now.starts_with(&full), "{full:?} {now:?}");
    assert_eq!(live.marks()[0], marks[0]);
    assert!(live.marks()[2] > marks[0], "the header remembers the incremental one");
    let manifest = fs::read_to_string(dir.path().join("ese-backup.json")).unwrap();
    assert!(now.iter().all(|log| manifest.contains(log.as_str())));
    // The logs that only the set still has are truncated after a new start.
    let live = again(live);
    back_up(&live, dir.path(), INCREMENTAL).unwrap();
    assert!(!live.log(1).exists());
    assert_eq!(rows_of(dir.path()), 4000);
}

#[test]
fn incremental_backups_in_folders_of_their_own_and_on_sets_of_other_programs() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..1000);
    let dirs = tempfile::tempdir().unwrap();
    let at = |name: &str| {
        fs::create_dir_all(dirs.path().join(name)).unwrap();
        dirs.path().join(name)
    };
    back_up(&live, &at("full"), 0).unwrap();
    live.load(1000..2000);
    back_up(&live, &at("monday"), INCREMENTAL).unwrap();
    live.load(2000..3000);
    back_up(&live, &at("tuesday"), INCREMENTAL).unwrap();
    let alone = ese_api::restore(at("monday"), dirs.path().join("alone"));
    assert_eq!(code(alone), JetErr::PatchFileMissing);
    let restore = |source: &ese_api::RestoreSource, to: &str| {
        let (force, keep_damaged, stop) = (false, false, ese_api::StopToken::new());
        let progress = &mut |_: &ese_api::RestoreProgress| ();
        let mut options = ese_api::RestoreOptions { force, keep_damaged, progress, stop };
        let there = at(to);
        let target = ese_api::RestoreTarget::in_dir(&there);
        let env = ese_api::Env::real();
        ese_api::restore_from(&env, source, &target, &mut options)?;
        let home = Arc::new(tempfile::tempdir().unwrap());
        for name in names(&there) {
            fs::copy(there.join(&name), home.path().join(&name)).unwrap();
        }
        Ok::<usize, Error>(Live::again(&home).rows().len())
    };
    let full = ese_api::RestoreSource::new(&at("full"));
    assert_eq!(restore(&full, "r1").unwrap(), 1000);
    let monday = full.clone().with_increment(&at("monday"));
    assert_eq!(restore(&monday, "r2").unwrap(), 2000);
    let both = monday.with_increment(&at("tuesday"));
    assert_eq!(restore(&both, "r3").unwrap(), 3000);
    // Without a manifest the set is one of another program, and takes logs all the same.
    fs::remove_file(at("full").join("ese-backup.json")).unwrap();
    live.load(3000..3100);
    back_up(&live, &at("full"), INCREMENTAL).unwrap();
    assert!(!names(&at("full")).iter().any(|name| name.starts_with("ese-backup")));
    assert_eq!(restore(&full, "r4").unwrap(), 3100);
}

#[test]
fn logs_that_do_not_go_on_where_the_set_ends() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..1000);
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    back_up(&live, first.path(), 0).unwrap();
    live.load(1000..2000);
    let live = again(live);
    live.load(2000..2500);
    back_up(&live, second.path(), 0).unwrap();
    live.load(2500..3000);
    let before = names(first.path());
    let gap = back_up(&live, first.path(), INCREMENTAL);
    assert_eq!(code(gap), JetErr::InvalidLogSequence);
    assert_eq!(names(first.path()), before);
    assert_eq!(rows_of(first.path()), 1000);
    // The set of another instance.
    let other = Live::new();
    other.load(0..1000);
    let theirs = tempfile::tempdir().unwrap();
    back_up(&other, theirs.path(), 0).unwrap();
    assert_eq!(code(back_up(&live, theirs.path(), INCREMENTAL)), JetErr::InvalidLogSequence);
    assert_eq!(rows_of(theirs.path()), 1000);
    back_up(&live, second.path(), INCREMENTAL).unwrap();
    assert_eq!(rows_of(second.path()), 3000);
}

#[test]
fn a_failed_incremental_backup_leaves_the_set_as_it_was() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..1000);
    let dir = tempfile::tempdir().unwrap();
    back_up(&live, dir.path(), 0).unwrap();
    let (before, marks) = (names(dir.path()), live.marks());
    live.load(1000..2000);
    for (op, name) in [
        (Op::Allocate, ".adding"),
        (Op::Write, ".adding"),
        (Op::Sync, ".adding"),
        (Op::Sync, "ese-backup.incomplete"),
        (Op::Read, "a.edb"),
    ] {
        live.disk.fail(Some((op, name, JetErr::DiskIO)));
        let failed = back_up(&live, dir.path(), INCREMENTAL);
        live.disk.fail(None);
        if name == "a.edb" {
            // An incremental backup reads no database.
            failed.unwrap();
            assert_eq!(rows_of(dir.path()), 2000);
            break;
        }
        assert_eq!(code(failed), JetErr::DiskIO, "{op:?} {name}");
        assert_eq!(names(dir.path()), before);
        assert_eq!(live.marks(), marks);
        assert_eq!(rows_of(dir.path()), 1000);
    }
}

#[test]
fn the_order_of_checks() {
    let _mode = multi();
    let live = Live::new();
    let nowhere = Path::new("/nowhere/at/all");
    let long = "x".repeat(260);
    // What a begin refuses comes before the path.
    live.begin();
    for (path, grbit) in [(nowhere, 0), (nowhere, INCREMENTAL), (Path::new(""), 0)] {
        assert_eq!(code(back_up(&live, path, grbit)), JetErr::BackupInProgress);
    }
    live.end(JET_bitBackupEndAbort);
    assert_eq!(code(back_up(&live, nowhere, 0)), JetErr::InvalidPath);
    assert_eq!(code(back_up(&live, nowhere, ATOMIC)), JetErr::InvalidPath);
    assert_eq!(code(back_up(&live, Path::new(&long), 0)), JetErr::InvalidPath);
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(code(back_up(&live, dir.path(), INCREMENTAL)), JetErr::MissingFullBackup);
    assert_eq!(names(dir.path()), [""; 0]);
    let nobody = JetBackupInstance(JET_INSTANCE(0x7777), dir.path(), 0x80000, None);
    assert_eq!(code(nobody), JetErr::InvalidParameter);
    assert_eq!(code(JetBackup(dir.path(), 0, None)), JetErr::RunningInMultiInstanceMode);
    // A name that is not a folder's.
    let file = dir.path().join("file");
    fs::write(&file, b"").unwrap();
    assert!(back_up(&live, &file, 0).is_err());
}

#[test]
fn without_a_log_there_is_no_backup() {
    let _mode = multi();
    let dir = tempfile::tempdir().unwrap();
    let live = Live::with(|inst| {
        JetSetSystemParameter(Some(inst), JET_SESID::NIL, JET_paramRecovery, 0, Some("off"))
            .unwrap();
    });
    for path in [dir.path(), Path::new("")] {
        assert_eq!(code(back_up(&live, path, 0)), JetErr::LoggingDisabled);
    }
}

#[test]
fn what_an_earlier_backup_left_in_temp_goes_first() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..100);
    let dir = tempfile::tempdir().unwrap();
    let temp = dir.path().join("temp");
    for grbit in [ATOMIC, ATOMIC | INCREMENTAL] {
        fs::create_dir(&temp).unwrap();
        fs::write(temp.join("a.edb"), b"half").unwrap();
        back_up(&live, dir.path(), grbit).unwrap();
        assert!(!temp.exists());
    }
    // What is no file of a set cannot be removed; what a link leads to is not ours.
    fs::create_dir_all(temp.join("deeper")).unwrap();
    assert_eq!(code(back_up(&live, dir.path(), ATOMIC)), JetErr::DeleteBackupFileFail);
    fs::remove_dir_all(&temp).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("precious"), b"").unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), &temp).unwrap();
    assert_eq!(code(back_up(&live, dir.path(), ATOMIC)), JetErr::DeleteBackupFileFail);
    assert_eq!(names(elsewhere.path()), ["precious"]);
    fs::remove_file(&temp).unwrap();
    for name in ["new", "old"] {
        let link = dir.path().join(name);
        fs::remove_dir_all(&link).ok();
        std::os::unix::fs::symlink(elsewhere.path(), &link).unwrap();
        let refused = back_up(&live, dir.path(), ATOMIC);
        assert!(refused.is_err() || name == "old", "{name}");
        assert_eq!(names(elsewhere.path()), ["precious"], "{name}");
        fs::remove_file(&link).ok();
    }
}

/// Whatever its name, a folder with files that are in use is no old backup, and the log no set
/// of its own copies.
#[test]
fn what_the_instance_works_with_is_no_backup() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..900);
    let set = tempfile::tempdir().unwrap();
    back_up(&live, set.path(), 0).unwrap();
    live.load(900..2000);
    let before = names(live.dir.path());
    let around = tempfile::tempdir().unwrap();
    for name in ["temp", "new", "old"] {
        let link = around.path().join(name);
        std::os::unix::fs::symlink(live.dir.path(), &link).unwrap();
        for grbit in [0, ATOMIC, INCREMENTAL, ATOMIC | INCREMENTAL] {
            let refused = code(back_up(&live, around.path(), grbit));
            assert_eq!(refused, JetErr::DeleteBackupFileFail, "{name} {grbit:#x}");
        }
        fs::remove_file(&link).unwrap();
    }
    let own = code(back_up(&live, live.dir.path(), INCREMENTAL));
    assert_eq!(own, JetErr::FileAccessDenied);
    assert_eq!(names(live.dir.path()), before);
    back_up(&live, set.path(), INCREMENTAL).unwrap();
    assert_eq!(rows_of(set.path()), 2000);
}

#[test]
fn a_folder_that_cannot_be_made() {
    let _mode = multi();
    let live = Live::with(|inst| set(inst, JET_paramCreatePathIfNotExist, 1));
    live.load(0..100);
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), b"").unwrap();
    let below = dir.path().join("file/sets");
    assert_eq!(code(back_up(&live, &below, ATOMIC)), JetErr::MakeBackupDirectoryFail);
    back_up(&live, &dir.path().join("made/for/it"), ATOMIC).unwrap();
    assert_eq!(rows_of(&dir.path().join("made/for/it")), 100);
}

#[test]
fn an_error_of_the_status_function_ends_the_backup() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..500);
    let dir = tempfile::tempdir().unwrap();
    for at in 0..3 {
        let mut calls = 0;
        let mut status = |_: JET_SNP, _: JET_SNT, _: &JET_SNPROG| {
            calls += 1;
            if calls > at { Err(Error::code_only(JetErr::OutOfMemory)) } else { Ok(()) }
        };
        let ended = JetBackupInstance(live.inst, dir.path(), 0, Some(&mut status));
        assert_eq!(code(ended), JetErr::OutOfMemory);
        assert_eq!(names(dir.path()), [""; 0]);
    }
    back_up(&live, dir.path(), 0).unwrap();
}

#[test]
fn a_termination_in_the_middle_is_what_the_backup_answers() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..500);
    let dir = tempfile::tempdir().unwrap();
    let set = dir.path().to_path_buf();
    let inst = live.inst;
    let held = live.disk.hold(Op::Write, &format!("{}/a.edb", set.display()));
    let backup = thread::spawn(move || code(JetBackupInstance(inst, &set, 0, None)));
    held.reached.recv().unwrap();
    let term = thread::spawn(move || live.term(JET_bitTermAbrupt));
    thread::sleep(std::time::Duration::from_millis(100));
    held.go_on.send(()).unwrap();
    assert_eq!(backup.join().unwrap(), JetErr::TermInProgress);
    term.join().unwrap().unwrap();
    assert_eq!(names(dir.path()), [""; 0]);
}

#[test]
fn in_one_instance_mode_nobody_needs_a_name() {
    let _alone = alone();
    let home = tempfile::tempdir().unwrap();
    let global = |id, value, text: Option<&str>| {
        JetSetSystemParameter(None, JET_SESID::NIL, id, value, text).unwrap();
    };
    global(JET_paramSystemPath, 0, home.path().to_str());
    global(JET_paramLogFilePath, 0, home.path().to_str());
    assert_eq!(code(JetBackup(home.path(), 0, None)), JetErr::InvalidParameter);
    JetInit(None).unwrap();
    let dir = tempfile::tempdir().unwrap();
    JetBackup(dir.path(), 0, None).unwrap();
    JetBackup(Path::new(""), 0, None).unwrap();
    JetTerm(JET_INSTANCE::NIL).unwrap();
    global(JET_paramSystemPath, 0, Some("."));
    global(JET_paramLogFilePath, 0, Some("."));
}
