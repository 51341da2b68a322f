//! JetRestore and its relatives, row by row (backup-log-recovery 6.2 to 6.4). Names with a number
//! are the cases of section 7, group F.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a failing step fails the test; files are looked at behind the engine's back"
)]

mod jet_setup;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use ese_api::{Env, Error, JetErr, PauseBy, jet::*};
use ese_os::OpenMode;
use ese_pages::{DbHeader, header::read_header};
use jet_setup::{Disk, Live, Op, alone, code, multi, set, set_path};

const PAGE: usize = 4096;

/// An instance with rows, and a set of it in a folder.
struct Case {
    live: Live,
    dirs: tempfile::TempDir,
}

impl Case {
    fn new() -> Case {
        Case::with(|_| ())
    }

    fn with(more: impl FnOnce(&Live)) -> Case {
        let live = Live::new();
        live.load(0..1500);
        more(&live);
        let dirs = tempfile::tempdir().unwrap();
        let case = Case { live, dirs };
        JetBackupInstance(case.live.inst, &case.make("set"), 0, None).unwrap();
        case
    }

    /// Without the manifest, which would notice most things first.
    fn plain() -> Case {
        let case = Case::new();
        fs::remove_file(case.set().join("ese-backup.json")).unwrap();
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dirs.path().join(name)
    }

    fn make(&self, name: &str) -> PathBuf {
        fs::create_dir_all(self.path(name)).unwrap();
        self.path(name)
    }

    fn set(&self) -> PathBuf {
        self.path("set")
    }

    /// The logs of the set, ascending.
    fn logs(&self) -> Vec<PathBuf> {
        logs_in(&self.set())
    }

    /// Restores into a folder of its own, logs and all.
    fn restore(&self, to: &str) -> ese_api::Result<()> {
        self.restore_from(&self.set(), to)
    }

    fn restore_from(&self, set: &Path, to: &str) -> ese_api::Result<()> {
        let dir = self.make(to);
        let inst = made(&dir);
        let done = JetRestoreInstance(inst, set, Some(&dir), None);
        JetTerm(inst).unwrap();
        done
    }

    fn code(&self) -> JetErr {
        let error = self.restore("there").unwrap_err();
        let left: Vec<_> = names(&self.path("there")).into_iter().collect();
        assert!(left.is_empty(), "{error}: {left:?}");
        error.code()
    }
}

/// A made instance with its paths in a folder.
fn made(dir: &Path) -> JET_INSTANCE {
    let inst = JetCreateInstance(&format!("restore {}", dir.display())).unwrap();
    set_path(inst, JET_paramSystemPath, dir);
    set_path(inst, JET_paramLogFilePath, dir);
    set(inst, JET_paramLogFileSize, 64);
    inst
}

fn names(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap();
    let mut names: Vec<_> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn logs_in(dir: &Path) -> Vec<PathBuf> {
    let logs = names(dir).into_iter().filter(|name| name.ends_with(".log") && name.len() > 7);
    logs.map(|name| dir.join(name)).collect()
}

/// The rows of a database that an instance opens in a folder.
fn rows_in(dir: &Path) -> usize {
    let home = Arc::new(tempfile::tempdir().unwrap());
    for name in names(dir) {
        fs::copy(dir.join(&name), home.path().join(&name)).unwrap();
    }
    Live::again(&home).rows().len()
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in names(from) {
        fs::copy(from.join(&name), to.join(&name)).unwrap();
    }
}

fn change_header(path: &Path, change: impl FnOnce(&mut DbHeader)) {
    let file = Env::real().fs.open(path, OpenMode::ReadWrite).unwrap();
    let mut header = read_header(file.as_ref()).unwrap().header;
    change(&mut header);
    let page = header.encode().unwrap();
    file.write_at(&page, 0).unwrap();
    file.write_at(&page, PAGE as u64).unwrap();
}

#[test]
fn a_set_is_restored_beside_and_in_new_and_old() {
    let _mode = multi();
    let case = Case::new();
    case.restore("there").unwrap();
    assert_eq!(rows_in(&case.path("there")), 1500);
    for sub in ["new", "old"] {
        copy_dir(&case.set(), &case.path("atomic").join(sub));
        case.restore_from(&case.path("atomic"), sub).unwrap();
        assert_eq!(rows_in(&case.path(sub)), 1500);
        fs::remove_dir_all(case.path("atomic")).unwrap();
    }
}

#[test]
fn case_117_a_set_without_logs() {
    let _mode = multi();
    for case in [Case::new(), Case::plain()] {
        case.logs().iter().for_each(|log| fs::remove_file(log).unwrap());
        assert_eq!(case.code(), JetErr::FileNotFound);
    }
}

#[test]
fn case_118_a_set_with_a_hole() {
    let _mode = multi();
    for case in [Case::new(), Case::plain()] {
        let logs = case.logs();
        assert!(logs.len() > 3, "{logs:?}");
        fs::remove_file(&logs[1]).unwrap();
        assert_eq!(case.code(), JetErr::MissingRestoreLogFiles);
    }
}

#[test]
fn case_119_a_log_of_another_stream() {
    let _mode = multi();
    let (case, other) = (Case::plain(), Case::plain());
    fs::copy(&other.logs()[1], &case.logs()[1]).unwrap();
    assert_eq!(case.code(), JetErr::GivenLogFileHasBadSignature);
}

#[test]
fn case_120_a_log_of_another_history_of_the_same_stream() {
    let _mode = multi();
    let case = Case::plain();
    // Two instances go on from the same set: their logs have the same signature.
    case.restore("there").unwrap();
    let home = Arc::new(tempfile::tempdir().unwrap());
    copy_dir(&case.path("there"), home.path());
    let other = Live::again(&home);
    other.load(5000..8000);
    case.live.load(5000..8000);
    JetBackupInstance(case.live.inst, &case.make("one"), 0, None).unwrap();
    JetBackupInstance(other.inst, &case.make("two"), 0, None).unwrap();
    fs::remove_file(case.path("one").join("ese-backup.json")).unwrap();
    let (one, two) = (logs_in(&case.path("one")), logs_in(&case.path("two")));
    let same = |log: &&PathBuf| two.iter().any(|other| other.file_name() == log.file_name());
    let shared = one.iter().rfind(same).unwrap();
    fs::copy(case.path("two").join(shared.file_name().unwrap()), shared).unwrap();
    let mixed = case.restore_from(&case.path("one"), "mixed");
    assert_eq!(code(mixed), JetErr::GivenLogFileIsNotContiguous);
}

#[test]
fn case_121_logs_that_begin_too_late_or_end_too_early() {
    let _mode = multi();
    let case = Case::plain();
    fs::remove_file(&case.logs()[0]).unwrap();
    assert_eq!(case.code(), JetErr::StartingRestoreLogTooHigh);
    let case = Case::plain();
    fs::remove_file(case.logs().last().unwrap()).unwrap();
    assert_eq!(case.code(), JetErr::EndingRestoreLogTooLow);
}

#[test]
fn case_122_a_database_that_no_backup_copied() {
    let _mode = multi();
    let case = Case::plain();
    let clean = Live::new();
    let (home, path) = (clean.dir.clone(), clean.path());
    clean.term(0).unwrap();
    fs::copy(path, case.set().join("a.edb")).unwrap();
    fs::write(case.set().join("a.pat"), b"").unwrap();
    assert_eq!(case.code(), JetErr::RestoreOfNonBackupDatabase);
    drop(home);
}

#[test]
fn case_123_the_instance_runs() {
    let _mode = multi();
    let case = Case::new();
    let refused = JetRestoreInstance(case.live.inst, &case.set(), None, None);
    assert_eq!(code(refused), JetErr::AlreadyInitialized);
    assert_eq!(case.live.rows().len(), 1500);
}

#[test]
fn case_124_without_a_name_in_multi_instance_mode() {
    let _mode = multi();
    let case = Case::new();
    let refused = JetRestore(&case.set(), None);
    assert_eq!(code(refused), JetErr::RunningInMultiInstanceMode);
    let refused = JetRestore2(&case.set(), Some(case.dirs.path()), None);
    assert_eq!(code(refused), JetErr::RunningInMultiInstanceMode);
}

#[test]
fn what_is_no_instance_no_path_and_no_folder() {
    let _mode = multi();
    let case = Case::new();
    let nobody = JetRestoreInstance(JET_INSTANCE(0x7777), &case.set(), None, None);
    assert_eq!(code(nobody), JetErr::InvalidParameter);
    let inst = made(&case.make("there"));
    let none = JetRestoreInstance(inst, Path::new(""), None, None);
    assert_eq!(code(none), JetErr::InvalidParameter);
    for (set, dest) in [("nowhere", None), ("set", Some(case.path("nowhere")))] {
        let refused = JetRestoreInstance(inst, &case.path(set), dest.as_deref(), None);
        assert_eq!(code(refused), JetErr::InvalidPath, "{set}");
    }
    // The instance is as it was, and can be initialised.
    let mut handle = inst;
    JetInit(Some(&mut handle)).unwrap();
    let running = JetRestoreInstance(inst, &case.set(), None, None);
    assert_eq!(code(running), JetErr::AlreadyInitialized);
    JetTerm(inst).unwrap();
}

#[test]
fn the_databases_go_back_to_where_they_were() {
    let _mode = multi();
    for case in [Case::new(), Case::plain()] {
        let (home, path) = (case.live.dir.clone(), case.live.path());
        case.live.term(0).unwrap();
        for name in names(home.path()) {
            fs::remove_file(home.path().join(name)).unwrap();
        }
        let inst = made(home.path());
        JetRestoreInstance(inst, &case.dirs.path().join("set"), None, None).unwrap();
        JetTerm(inst).unwrap();
        assert!(path.exists());
        assert_eq!(Live::again(&home).rows().len(), 1500);
    }
}

#[test]
fn a_restore_switches_logging_on_for_itself() {
    let _mode = multi();
    let case = Case::new();
    let dir = case.make("there");
    let inst = made(&dir);
    JetSetSystemParameter(Some(inst), JET_SESID::NIL, JET_paramRecovery, 0, Some("off")).unwrap();
    JetRestoreInstance(inst, &case.set(), Some(&dir), None).unwrap();
    JetTerm(inst).unwrap();
    assert_eq!(rows_in(&dir), 1500);
}

#[test]
fn the_logs_that_are_there_are_replayed_after_those_of_the_set() {
    let _mode = multi();
    let case = Case::new();
    case.live.load(2000..4000);
    let home = case.live.dir.clone();
    case.live.term(JET_bitTermDirty).unwrap_err();
    // The disk with the database is lost, the one with the logs is not.
    fs::remove_file(home.path().join("a.edb")).unwrap();
    let inst = made(home.path());
    let mut seen = Vec::new();
    let mut status = |snp, snt, so_far: &JET_SNPROG| {
        assert_eq!((snp, so_far.cunitTotal), (JET_snpRestore, 100));
        seen.push((snt, so_far.cunitDone));
        Ok(())
    };
    JetRestoreInstance(inst, &case.dirs.path().join("set"), None, Some(&mut status)).unwrap();
    JetTerm(inst).unwrap();
    assert_eq!(seen.first(), Some(&(JET_sntBegin, 0)));
    assert_eq!(seen.last(), Some(&(JET_sntComplete, 100)));
    assert!(seen.is_sorted_by_key(|(_, done)| *done), "{seen:?}");
    // Files are the first 80 parts of it, the replay is the rest.
    let replaying = |(snt, done): &&(_, u32)| *snt == JET_sntProgress && (81..100).contains(done);
    assert!(seen.iter().filter(replaying).count() > 3, "{seen:?}");
    assert_eq!(Live::again(&home).rows().len(), 3500);
}

#[test]
fn a_status_function_ends_a_restore() {
    let _mode = multi();
    let case = Case::new();
    let dir = case.make("there");
    let inst = made(&dir);
    let (mut last, mut calls) = (JET_sntBegin, 0);
    let mut status = |_: JET_SNP, snt, _: &JET_SNPROG| {
        (last, calls) = (snt, calls + 1);
        if calls < 2 { Ok(()) } else { Err(Error::code_only(JetErr::OutOfMemory)) }
    };
    let ended = JetRestoreInstance(inst, &case.set(), Some(&dir), Some(&mut status));
    assert_eq!(code(ended), JetErr::OutOfMemory);
    assert!(names(&dir).is_empty(), "{:?}", names(&dir));
    // Any other failure is told.
    fs::remove_file(&case.logs()[1]).unwrap();
    JetTerm(inst).unwrap();
}

#[test]
fn other_calls_wait_for_the_end_of_a_restore() {
    let _mode = multi();
    let case = Case::new();
    let dir = case.make("there");
    let inst = made(&dir);
    let mut refused = Vec::new();
    let mut status = |_: JET_SNP, snt, _: &JET_SNPROG| {
        if snt == JET_sntBegin {
            let again = JetRestoreInstance(inst, &case.set(), Some(&dir), None);
            let mut same = inst;
            let begun = JetInit(Some(&mut same)).map(drop);
            let ended = JetTerm(inst).map(drop);
            let all = [JetBeginSession(inst).map(drop), begun, ended, again.map(drop)];
            refused.extend(all.into_iter().map(code));
        }
        Ok(())
    };
    JetRestoreInstance(inst, &case.set(), Some(&dir), Some(&mut status)).unwrap();
    assert_eq!(refused, [JetErr::RestoreInProgress; 4]);
    let mut same = inst;
    JetInit(Some(&mut same)).unwrap();
    JetTerm(inst).unwrap();
}

#[test]
fn logs_in_the_log_path_that_do_not_go_on_with_the_set() {
    let _mode = multi();
    let (case, other) = (Case::new(), Case::new());
    // Of another instance.
    let dir = case.make("foreign");
    fs::copy(&other.logs()[0], dir.join("edb00001.log")).unwrap();
    let foreign = case.restore("foreign");
    assert_eq!(code(foreign), JetErr::ExistingLogFileHasBadSignature);
    assert_eq!(names(&dir), ["edb00001.log"]);

    // With a hole between, and with one inside.
    case.live.load(2000..4000);
    let home = case.live.dir.clone();
    let last = case.logs().last().unwrap().file_name().unwrap().to_owned();
    let later = |dir: &Path| -> Vec<PathBuf> {
        let logs = logs_in(dir).into_iter();
        logs.filter(|log| log.file_name().unwrap() > last.as_os_str()).collect()
    };
    assert!(later(home.path()).len() > 3);
    for hole in [0, 1] {
        let name = format!("hole {hole}");
        let dir = case.make(&name);
        for log in later(home.path()).iter().chain([&home.path().join("edb.log")]) {
            fs::copy(log, dir.join(log.file_name().unwrap())).unwrap();
        }
        fs::remove_file(&later(&dir)[hole]).unwrap();
        assert_eq!(code(case.restore(&name)), JetErr::ExistingLogFileIsNotContiguous);
    }

    // Without the current log.
    let dir = case.make("no current");
    for log in later(home.path()) {
        fs::copy(&log, dir.join(log.file_name().unwrap())).unwrap();
    }
    assert_eq!(code(case.restore("no current")), JetErr::MissingCurrentLogFiles);
    // Up to the set's end nothing is missing.
    later(&dir).iter().for_each(|log| fs::remove_file(log).unwrap());
    fs::copy(home.path().join(&last), dir.join(&last)).unwrap();
    case.restore("no current").unwrap();

    // Damaged, header and records.
    for (offset, name) in [(700, "header"), (PAGE + 900, "records")] {
        let dir = case.make(name);
        for log in later(home.path()).iter().chain([&home.path().join("edb.log")]) {
            fs::copy(log, dir.join(log.file_name().unwrap())).unwrap();
        }
        let mut bytes = fs::read(&later(&dir)[1]).unwrap();
        bytes[offset] ^= 0x5a;
        fs::write(&later(&dir)[1], bytes).unwrap();
        assert_eq!(code(case.restore(name)), JetErr::LogCorruptDuringHardRecovery, "{name}");
    }
}

/// Tears the last write of a finished log: its last segment is whole only in its second copy.
fn tear(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let isec_at = |place: usize| [place * PAGE + 10, place * PAGE + 11];
    let own = |place: &usize| {
        isec_at(*place).map(|at| bytes[at]) == u16::try_from(*place).unwrap().to_le_bytes()
    };
    let last = (1..bytes.len() / PAGE - 1).rev().find(own).unwrap();
    bytes.copy_within(last * PAGE..(last + 1) * PAGE, (last + 1) * PAGE);
    bytes[last * PAGE + 700..(last + 1) * PAGE].fill(0xa5);
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_torn_log_behind_the_set_is_refused_where_others_follow_it() {
    let _mode = multi();
    let case = Case::new();
    case.live.load(2000..4000);
    let home = case.live.dir.clone();
    let last = case.logs().last().unwrap().file_name().unwrap().to_owned();
    let brought = |name: &str| -> (PathBuf, Vec<PathBuf>) {
        let dir = case.make(name);
        let logs = logs_in(home.path()).into_iter();
        let later = logs.filter(|log| log.file_name().unwrap() > last.as_os_str());
        for log in later.chain([home.path().join("edb.log")]) {
            fs::copy(&log, dir.join(log.file_name().unwrap())).unwrap();
        }
        (dir.clone(), logs_in(&dir))
    };
    let (dir, logs) = brought("torn");
    tear(&logs[1]);
    let error = case.restore("torn").unwrap_err();
    assert_eq!(error.code(), JetErr::LogTornWriteDuringHardRecovery, "{error}");
    assert_eq!(error.path(), Some(&*logs[1]), "{error}");
    assert!(dir.join("edb.log").exists());
    // The current one is put right, as after any crash.
    let (dir, _) = brought("current");
    tear(&dir.join("edb.log"));
    case.restore("current").unwrap();
}

#[test]
fn databases_that_are_missing_damaged_or_mixed_up() {
    let _mode = multi();
    let case = Case::plain();
    let copy = case.set().join("a.edb");
    let intact = fs::read(&copy).unwrap();
    fs::remove_file(&copy).unwrap();
    assert_eq!(case.code(), JetErr::PatchFileMissing);

    let mut bytes = intact.clone();
    bytes[100] ^= 1;
    bytes[PAGE + 100] ^= 1;
    fs::write(&copy, &bytes).unwrap();
    assert_eq!(case.code(), JetErr::DatabaseCorrupted);

    // The end of another backup of the same database.
    JetBackupInstance(case.live.inst, &case.make("later"), 0, None).unwrap();
    let later = fs::read(case.path("later/a.edb")).unwrap();
    let end = intact.len() - PAGE;
    let mixed = [&intact[..end], &later[later.len() - PAGE..]].concat();
    fs::write(&copy, mixed).unwrap();
    assert_eq!(case.code(), JetErr::DatabasePatchFileMismatch);

    let mut bytes = intact.clone();
    bytes[5 * PAGE + 300..5 * PAGE + 400].fill(0x77);
    fs::write(&copy, bytes).unwrap();
    assert_eq!(case.code(), JetErr::ReadVerifyFailure);

    let log = case.logs()[1].clone();
    fs::write(&copy, &intact).unwrap();
    let whole = fs::read(&log).unwrap();
    let mut bytes = whole.clone();
    bytes[PAGE + 300..PAGE + 400].fill(0x77);
    fs::write(&log, bytes).unwrap();
    assert_eq!(case.code(), JetErr::LogCorruptDuringHardRestore);

    // As a power cut leaves it: the last write is whole in its shadow alone.
    let (mut bytes, last) = (whole, 3 * PAGE);
    bytes.copy_within(last..last + PAGE, last + PAGE);
    bytes[last + 300..last + 400].fill(0x77);
    fs::write(&log, bytes).unwrap();
    assert_eq!(case.code(), JetErr::LogTornWriteDuringHardRestore);
}

#[test]
fn databases_of_different_snapshots() {
    let _mode = multi();
    let case = Case::with(|live| {
        let other = live.dir.path().join("b.edb");
        JetCreateDatabase(live.sesid, other.to_str().unwrap(), 0).unwrap();
    });
    JetBackupInstance(case.live.inst, &case.make("later"), 0, None).unwrap();
    fs::remove_file(case.set().join("ese-backup.json")).unwrap();
    let snapshot = |header: &mut DbHeader| {
        header.bkinfo_full_cur.logtime_mark.snapshot_and_ms_high |= 1;
    };
    for name in ["a.edb", "b.edb"] {
        change_header(&case.set().join(name), snapshot);
    }
    case.restore("of one").unwrap();
    fs::copy(case.path("later/b.edb"), case.set().join("b.edb")).unwrap();
    for log in logs_in(&case.path("later")) {
        fs::copy(&log, case.set().join(log.file_name().unwrap())).unwrap();
    }
    assert_eq!(case.code(), JetErr::DatabasesNotFromSameSnapshot);
}

#[test]
fn a_full_disk_leaves_nothing_and_is_no_end() {
    let _mode = multi();
    let case = Case::new();
    let dir = case.make("there");
    let inst = made(&dir);
    let disk = Disk::new();
    use_machine(inst, disk.env(), PauseBy::Waiting).unwrap();
    for name in ["a.edb.restoring", ".log.restoring"] {
        disk.fail(Some((Op::Allocate, name, JetErr::DiskFull)));
        let full = JetRestoreInstance(inst, &case.set(), Some(&dir), None);
        assert_eq!(code(full), JetErr::DiskFull);
        assert!(names(&dir).is_empty(), "{:?}", names(&dir));
    }
    disk.fail(None);
    JetRestoreInstance(inst, &case.set(), Some(&dir), None).unwrap();
    JetTerm(inst).unwrap();
    assert_eq!(rows_in(&dir), 1500);
}

#[test]
fn a_copy_out_of_a_set_is_neither_attached_nor_recovered_as_it_is() {
    let _mode = multi();
    let case = Case::new();
    let home = Arc::new(tempfile::tempdir().unwrap());
    let fresh = Live::new();
    let copy = home.path().join("a.edb");
    fs::copy(case.set().join("a.edb"), &copy).unwrap();
    let attached = JetAttachDatabase(fresh.sesid, copy.to_str().unwrap(), 0);
    assert_eq!(code(attached), JetErr::SoftRecoveryOnBackupDatabase);
    // Among the logs of its instance.
    case.live.load(2000..2100);
    let source = case.live.dir.clone();
    case.live.term(JET_bitTermDirty).unwrap_err();
    fs::copy(&copy, source.path().join("a.edb")).unwrap();
    let inst = made(source.path());
    let mut handle = inst;
    assert_eq!(code(JetInit(Some(&mut handle))), JetErr::SoftRecoveryOnBackupDatabase);
}

#[test]
fn in_one_instance_mode_the_process_has_the_parameters() {
    let _alone = alone();
    let case = Case::new();
    let (set, dirs) = (case.set(), case.dirs);
    case.live.term(0).unwrap();
    let dir = dirs.path().join("there");
    fs::create_dir_all(&dir).unwrap();
    let global = |id, value, text: Option<&str>| {
        JetSetSystemParameter(None, JET_SESID::NIL, id, value, text).unwrap();
    };
    global(JET_paramSystemPath, 0, dir.to_str());
    global(JET_paramLogFilePath, 0, dir.to_str());
    global(JET_paramLogFileSize, 64, None);
    global(JET_paramDatabasePageSize, 8192, None);
    let other = JetRestore2(&set, Some(&dir), None);
    assert_eq!(code(other), JetErr::PageSizeMismatch);
    global(JET_paramDatabasePageSize, 4096, None);
    JetRestore2(&set, Some(&dir), None).unwrap();
    JetInit(None).unwrap();
    assert_eq!(code(JetRestore(&set, None)), JetErr::AlreadyInitialized);
    let external = JetExternalRestore(None, None, &[], &set, 0, 0, None);
    assert_eq!(code(external), JetErr::RunningInOneInstanceMode);
    JetTerm(JET_INSTANCE::NIL).unwrap();
    global(JET_paramSystemPath, 0, Some("."));
    global(JET_paramLogFilePath, 0, Some("."));
    global(JET_paramLogFileSize, 5120, None);
}

// --------------------------------------------------------------------------- external restore

/// Copies of the files of a set as a client brings them: the database under another name.
fn brought(case: &Case, to: &str) -> (PathBuf, JET_RSTMAP, (i32, i32)) {
    let dir = case.make(to);
    let new = dir.join("N.edb");
    fs::copy(case.set().join("a.edb"), &new).unwrap();
    let mut generations = Vec::new();
    for log in case.logs() {
        fs::copy(&log, dir.join(log.file_name().unwrap())).unwrap();
        let digits = log.file_stem().unwrap().to_str().unwrap()[3..].to_owned();
        generations.push(i32::from_str_radix(&digits, 16).unwrap());
    }
    let map = JET_RSTMAP { szDatabaseName: case.live.path(), szNewDatabaseName: new };
    (dir, map, (generations[0], *generations.last().unwrap()))
}

fn rows_of_renamed(dir: &Path) -> usize {
    fs::rename(dir.join("N.edb"), dir.join("a.edb")).unwrap();
    rows_in(dir)
}

#[test]
fn the_worked_sequence_of_an_external_restore() {
    let _mode = multi();
    let case = Case::new();
    let (dir, map, (low, high)) = brought(&case, "R");
    let end_too_low = JetExternalRestore(
        Some(&dir),
        Some(&dir),
        std::slice::from_ref(&map),
        &dir,
        low,
        high - 1,
        None,
    );
    assert_eq!(code(end_too_low), JetErr::EndingRestoreLogTooLow);
    let begin_too_high = JetExternalRestore(
        Some(&dir),
        Some(&dir),
        std::slice::from_ref(&map),
        &dir,
        low + 1,
        high,
        None,
    );
    assert_eq!(code(begin_too_high), JetErr::StartingRestoreLogTooHigh);
    let not_there = JetExternalRestore(
        Some(&dir),
        Some(&dir),
        std::slice::from_ref(&map),
        &dir,
        low,
        high + 1,
        None,
    );
    assert_eq!(code(not_there), JetErr::MissingRestoreLogFiles);
    let done = JetExternalRestore(
        Some(&dir),
        Some(&dir),
        std::slice::from_ref(&map),
        &dir,
        low,
        high,
        None,
    );
    assert_eq!(done.unwrap(), JetErr::Success);
    let again = JetExternalRestore(Some(&dir), Some(&dir), &[map], &dir, low, high, None);
    assert_eq!(code(again), JetErr::RestoreOfNonBackupDatabase);
    assert_eq!(rows_of_renamed(&dir), 1500);
    // What the map does not name is where it was.
    assert_eq!(case.live.rows().len(), 1500);
}

#[test]
fn an_external_restore_finds_its_range_and_puts_logs_elsewhere() {
    let _mode = multi();
    let case = Case::with(|live| {
        let other = live.dir.path().join("b.edb");
        JetCreateDatabase(live.sesid, other.to_str().unwrap(), 0).unwrap();
    });
    let (dir, map, _) = brought(&case, "R");
    let logs = case.make("logs");
    let before = names(&dir);
    let mut steps = Vec::new();
    let mut status = |_: JET_SNP, snt, _: &JET_SNPROG| {
        steps.push(snt);
        Ok(())
    };
    JetExternalRestore(Some(&logs), Some(&logs), &[map], &dir, 0, 0, Some(&mut status)).unwrap();
    assert_eq!((steps[0], *steps.last().unwrap()), (JET_sntBegin, JET_sntComplete));
    assert_eq!(names(&dir), before, "the folder of the backup is left as it is");
    fs::copy(dir.join("N.edb"), logs.join("N.edb")).unwrap();
    assert_eq!(rows_of_renamed(&logs), 1500);
    assert!(!case.path("b.edb").exists(), "the other database is nobody's business");
}

#[test]
fn arguments_of_an_external_restore() {
    let _mode = multi();
    let case = Case::new();
    let (dir, map, (low, high)) = brought(&case, "R");
    let call = |map: &[JET_RSTMAP], low, high| {
        code(JetExternalRestore(Some(&dir), Some(&dir), map, &dir, low, high, None))
    };
    assert_eq!(call(&vec![map.clone(); 15], low, high), JetErr::InvalidParameter);
    for (low, high) in [(-1, 3), (3, 2), (0, 3), (3, 0)] {
        assert_eq!(
            call(std::slice::from_ref(&map), low, high),
            JetErr::InvalidParameter,
            "{low} {high}"
        );
    }
    let missing = JET_RSTMAP { szNewDatabaseName: dir.join("none.edb"), ..map.clone() };
    assert_eq!(call(&[missing], low, high), JetErr::FileNotFound);
    let empty = case.make("empty");
    let none = JetExternalRestore(None, Some(&dir), std::slice::from_ref(&map), &empty, 0, 0, None);
    assert_eq!(code(none), JetErr::FileNotFound);
    let none =
        JetExternalRestore(None, Some(&dir), std::slice::from_ref(&map), Path::new(""), 0, 0, None);
    assert_eq!(code(none), JetErr::InvalidParameter);
    let stranger = Case::new();
    fs::copy(stranger.set().join("a.edb"), &map.szNewDatabaseName).unwrap();
    assert_eq!(call(std::slice::from_ref(&map), low, high), JetErr::AttachedDatabaseMismatch);
    let gone = case.path("gone");
    let gone = JetExternalRestore(Some(&gone), Some(&gone), &[map], &dir, 0, 0, None);
    assert_eq!(code(gone), JetErr::InvalidPath);
}

/// Its checkpoint would be that of the restored databases, and the next start would not redo what
/// the instance has logged.
#[test]
fn the_checkpoint_of_a_running_instance_is_nobody_elses_to_write() {
    let _mode = multi();
    let case = Case::new();
    let (dir, map, (low, high)) = brought(&case, "R");
    let (system, checkpoint) = (case.live.dir.path(), case.live.dir.path().join("edb.chk"));
    let before = fs::read(&checkpoint).unwrap();
    let map = std::slice::from_ref(&map);
    let external = JetExternalRestore(Some(system), Some(&dir), map, &dir, low, high, None);
    assert_eq!(code(external), JetErr::SystemPathInUse);
    let there = case.make("there");
    let inst = made(&there);
    set_path(inst, JET_paramSystemPath, system);
    let restored = JetRestoreInstance(inst, &case.set(), Some(&there), None);
    assert_eq!(code(restored), JetErr::SystemPathInUse);
    JetTerm(inst).unwrap();
    assert!(names(&there).is_empty(), "{:?}", names(&there));
    assert!(fs::read(&checkpoint).unwrap() == before);
    assert_eq!(case.live.rows().len(), 1500);
}

fn external_2(
    (dir, map): (&Path, &JET_RSTMAP),
    target: (Option<&str>, Option<&Path>, Option<&Path>),
    base: &str,
    status: Option<JET_PFNSTATUS<'_>>,
) -> ese_api::Result<JetErr> {
    let info = JET_LOGINFO { szBaseName: base.into(), ..JET_LOGINFO::new() };
    let (name, log, checkpoint) = target;
    let logs = dir.join("logs");
    fs::create_dir_all(&logs).unwrap();
    let own = Some(logs.as_path());
    JetExternalRestore2(
        own,
        own,
        std::slice::from_ref(map),
        dir,
        &info,
        name,
        log,
        checkpoint,
        status,
    )
}

#[test]
fn an_external_restore_goes_on_with_a_running_instance() {
    let _mode = multi();
    let case = Case::new();
    let (dir, map, _) = brought(&case, "R");
    case.live.load(2000..4000);
    let name = case.live.dir.path().display().to_string();
    let call = |target, base: &str| external_2((&dir, &map), target, base, None);
    let there = Some(case.live.dir.path());
    for wrong in [(None, there, None), (None, None, there), (Some("x"), there, there)] {
        assert_eq!(code(call(wrong, "edb")), JetErr::InvalidParameter);
    }
    let unknown = call((Some("nobody"), None, None), "edb");
    assert_eq!(code(unknown), JetErr::BadRestoreTargetInstance);
    let other_base = call((Some(&name), None, None), "abc");
    assert_eq!(code(other_base), JetErr::BadRestoreTargetInstance);
    let mut second = None;
    let mut status = |_: JET_SNP, snt, _: &JET_SNPROG| {
        if snt == JET_sntBegin {
            let target = (Some(name.as_str()), None, None);
            second = Some(code(external_2((&dir, &map), target, "edb", None)));
        }
        Ok(())
    };
    let done = external_2((&dir, &map), (Some(&name), None, None), "edb", Some(&mut status));
    assert_eq!(done.unwrap(), JetErr::WrnTargetInstanceRunning);
    assert_eq!(second, Some(JetErr::RestoreInProgress));
    let logs = dir.join("logs");
    fs::rename(&map.szNewDatabaseName, logs.join("N.edb")).unwrap();
    assert_eq!(rows_of_renamed(&logs), 3500);
    case.live.load(4000..4100);
    assert_eq!(case.live.rows().len(), 3600);
}

#[test]
fn an_external_restore_goes_on_with_the_logs_of_one_that_has_ended() {
    let _mode = multi();
    let case = Case::new();
    let (dir, map, _) = brought(&case, "R");
    case.live.load(2000..4000);
    let home = case.live.dir.clone();
    case.live.term(JET_bitTermDirty).unwrap_err();
    let target = (None, Some(home.path()), Some(home.path()));
    assert_eq!(external_2((&dir, &map), target, "", None).unwrap(), JetErr::Success);
    let logs = dir.join("logs");
    fs::rename(&map.szNewDatabaseName, logs.join("N.edb")).unwrap();
    assert_eq!(rows_of_renamed(&logs), 3500);
}
