//! Sets that can be restored and sets that cannot; restores that are whole, refused, stopped or
//! cut by power. Names with a number are the cases of backup-log-recovery 7, group F.

use std::path::{Path, PathBuf};

use ese_base::{
    Generation, JetErr, LogTime, PageSize, Pgno, Result, Signature, StopReason, StopToken,
};
use ese_log::{LogLock, LogNames};
use ese_os::{Env, OpenMode};
use ese_pages::{
    DbHeader, DbState,
    checksum::stamp_header,
    db_file::{Access, DbFile},
    header::BackupTrailer,
};
use ese_sim::{Fault, OpKind, SimDisk, SimEnv, StateOptions};

use super::*;
use crate::{
    stream::{CopyOptions, INCOMPLETE_NAME, MANIFEST_NAME, backup_to_dir},
    testing::{Setup, leaf, log_image},
};

/// An instance on a simulated disk with a set in `/set`: `a.edb` and logs 3 to 5.
struct Case {
    setup: Setup,
    disk: std::sync::Arc<SimDisk>,
    env: Env,
}

const SET: &str = "/set";
const PAGE: usize = 4096;

impl Case {
    fn new() -> Case {
        let (setup, disk) = Setup::on_sim(&[("a.edb", 20)]);
        let env = setup.instance.env.clone();
        let options = CopyOptions::default();
        let stop = StopToken::new();
        backup_to_dir(&setup.context, &env, Path::new(SET), options, &mut |_| (), &stop).unwrap();
        Case { setup, disk, env }
    }

    /// A set as another program would have made it.
    fn without_manifest() -> Case {
        let case = Case::new();
        case.remove(MANIFEST_NAME);
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::new(SET).join(name)
    }

    fn log_name(&self, generation: u32) -> String {
        let path = self.setup.instance.archive(generation);
        path.file_name().unwrap().to_str().unwrap().to_owned()
    }

    fn log(&self, generation: u32) -> PathBuf {
        self.path(&self.log_name(generation))
    }

    fn remove(&self, name: &str) {
        self.env.fs.remove_file(&self.path(name)).unwrap();
    }

    fn write(&self, path: &Path, bytes: &[u8]) {
        self.env.fs.open(path, OpenMode::CreateOrTruncate).unwrap().write_at(bytes, 0).unwrap();
    }

    fn read(&self, path: &Path) -> Vec<u8> {
        read(&self.env, path)
    }

    /// Changes the page at `index` of the copied database and makes its checksum right.
    fn change_page(&self, index: usize, change: impl FnOnce(&mut [u8])) {
        let path = self.path("a.edb");
        let mut bytes = self.read(&path);
        let page = &mut bytes[index * PAGE..(index + 1) * PAGE];
        change(page);
        stamp_header(page);
        self.write(&path, &bytes);
    }

    fn code(&self) -> i32 {
        match RestorePlan::examine(&self.env, Path::new(SET)) {
            Ok(_) => 0,
            Err(error) => error.jet_code(),
        }
    }

    fn plan(&self) -> RestorePlan {
        RestorePlan::examine(&self.env, Path::new(SET)).unwrap()
    }

    fn place(&self, dir: &str, force: bool) -> Result<Placed> {
        let target = RestoreTarget::in_dir(Path::new(dir));
        let mut progress = |_: &RestoreProgress| ();
        place(&self.env, &self.plan(), &target, &mut options(force, &mut progress))
    }
}

fn options(force: bool, progress: &mut dyn FnMut(&RestoreProgress)) -> RestoreOptions<'_> {
    RestoreOptions { force, keep_damaged: false, progress, stop: StopToken::new() }
}

fn read(env: &Env, path: &Path) -> Vec<u8> {
    let file = env.fs.open(path, OpenMode::Read).unwrap();
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_at(&mut bytes, 0).unwrap();
    bytes
}

/// What is in a directory, but for the lock file: it is there while the logs are locked, and after
/// a power cut.
fn names(env: &Env, dir: &str) -> Vec<String> {
    let all = env.fs.list(Path::new(dir)).unwrap().into_iter().map(|entry| entry.name);
    all.filter(|name| name != "edb.lck").collect()
}

// ------------------------------------------------------------------------------------- examining

#[test]
fn a_good_set_is_described() {
    for case in [Case::new(), Case::without_manifest()] {
        let plan = case.plan();
        assert_eq!((plan.gen_low, plan.gen_high), (Generation(3), Generation(5)));
        assert_eq!(plan.log_base, "edb");
        assert_eq!(plan.log_signature, case.setup.instance.signature);
        assert_eq!(plan.databases.len(), 1);
        let source = plan.manifest.is_some().then(|| case.setup.database_path());
        assert_eq!(plan.databases[0].source, source);
        assert!(plan.ignored.is_empty());
    }
}

#[test]
fn a_set_may_lie_in_new_or_old() {
    for sub in ["new", "old"] {
        let case = Case::new();
        let dir = Path::new("/atomic").join(sub);
        case.env.fs.create_dir_all(&dir).unwrap();
        for name in names(&case.env, SET) {
            case.env.fs.rename(&case.path(&name), &dir.join(&name)).unwrap();
        }
        let plan = RestorePlan::examine(&case.env, Path::new("/atomic")).unwrap();
        assert_eq!(plan.dir, dir);
    }
}

#[test]
fn case_117_a_set_without_logs() {
    let case = Case::without_manifest();
    for generation in 3..=5 {
        case.remove(&case.log_name(generation));
    }
    assert_eq!(case.code(), -1811);
    let missing = RestorePlan::examine(&case.env, Path::new("/nowhere")).unwrap_err();
    assert_eq!(missing.jet_code(), -1023, "{missing}");
}

#[test]
fn case_118_a_set_with_a_hole() {
    for case in [Case::new(), Case::without_manifest()] {
        case.remove(&case.log_name(4));
        let error = RestorePlan::examine(&case.env, Path::new(SET)).unwrap_err();
        assert_eq!((error.jet_code(), error.generation()), (-557, Some(Generation(4))), "{error}");
    }
}

/// A log of generation `generation` with what the test says.
fn other_log(generation: u32, previous_ms: u64, signature: Signature) -> Vec<u8> {
    let time = |ms| LogTime::from_unix_ms(1_700_000_000_000 + ms);
    let created = time(u64::from(generation) * 1000);
    log_image(generation, created, time(previous_ms), signature, PageSize::K4)
}

#[test]
fn case_119_a_log_of_another_stream() {
    let case = Case::without_manifest();
    let other = Signature::new(0xdead, LogTime::from_unix_ms(7));
    case.write(&case.log(4), &other_log(4, 3000, other));
    assert_eq!(case.code(), -555);
}

#[test]
fn a_log_that_does_not_follow_the_one_before() {
    let case = Case::without_manifest();
    case.write(&case.log(4), &other_log(4, 2999, case.setup.instance.signature));
    assert_eq!(case.code(), -556);
}

#[test]
fn case_121_logs_that_begin_too_late_or_end_too_early() {
    let case = Case::without_manifest();
    case.remove(&case.log_name(3));
    assert_eq!(case.code(), -554);
    let case = Case::without_manifest();
    case.remove(&case.log_name(5));
    assert_eq!(case.code(), -553);
}

#[test]
fn more_logs_than_the_backup_made_are_welcome() {
    let case = Case::new();
    let signature = case.setup.instance.signature;
    case.write(&case.log(6), &other_log(6, 5000, signature));
    case.write(&case.log(2), &other_log(2, 1000, signature));
    let plan = case.plan();
    assert_eq!((plan.gen_low, plan.gen_high), (Generation(2), Generation(6)));
}

#[test]
fn case_122_a_database_that_no_backup_copied() {
    let case = Case::without_manifest();
    case.change_page(0, |page| {
        let mut header = DbHeader::from_page(page).unwrap();
        header.bkinfo_full_cur = ese_base::BkInfo::default();
        page.copy_from_slice(&header.encode().unwrap());
    });
    assert_eq!(case.code(), -615);
}

#[test]
fn a_trailer_of_another_database_or_backup() {
    let changes: [fn(&mut BackupTrailer); 4] = [
        |trailer| trailer.sign_db = Signature::NULL,
        |trailer| trailer.sign_log = Signature::NULL,
        |trailer| trailer.bkinfo.gen_low = 2.into(),
        |trailer| trailer.bkinfo.lgpos_mark = ese_base::LgPos::new(9, 9, 9).into(),
    ];
    for change in changes {
        let case = Case::without_manifest();
        case.change_page(22, |page| {
            let mut trailer = BackupTrailer::decode(page).unwrap();
            change(&mut trailer);
            page.copy_from_slice(&trailer.encode(PageSize::K4));
        });
        assert_eq!(case.code(), -552);
    }
}

#[test]
fn a_copy_that_ends_early() {
    let case = Case::without_manifest();
    let path = case.path("a.edb");
    let bytes = case.read(&path);
    case.write(&path, &bytes[..bytes.len() - PAGE]);
    assert_eq!(case.code(), -552, "the trailer is missing");
    case.write(&path, &bytes[..bytes.len() - 100]);
    assert_eq!(case.code(), -561, "the last page is cut");
    case.write(&path, &bytes[..100]);
    assert_eq!(case.code(), -1206);
}

#[test]
fn a_header_that_cannot_be_read() {
    let case = Case::without_manifest();
    case.change_page(0, |page| page.fill(0x11));
    assert_eq!(case.code(), 0, "the second copy of the header stands in");
    case.change_page(1, |page| page.fill(0x11));
    assert_eq!(case.code(), -1206);
}

#[test]
fn a_log_whose_header_is_damaged() {
    let case = Case::without_manifest();
    let mut bytes = case.read(&case.log(4));
    bytes[20] ^= 1;
    case.write(&case.log(4), &bytes);
    assert_eq!(case.code(), -573);
    case.write(&case.log(4), &bytes[..50]);
    assert_eq!(case.code(), -573);
}

#[test]
fn a_log_under_the_name_of_another() {
    let case = Case::without_manifest();
    case.env.fs.rename(&case.log(5), &case.log(6)).unwrap();
    assert_eq!(case.code(), -513);
}

#[test]
fn a_set_without_a_database() {
    let case = Case::without_manifest();
    case.remove("a.edb");
    assert_eq!(case.code(), -538);
}

#[test]
fn a_set_that_was_never_finished() {
    let case = Case::without_manifest();
    case.write(&case.path(INCOMPLETE_NAME), b"");
    assert_eq!(case.code(), -557);
    for generation in 3..=5 {
        case.remove(&case.log_name(generation));
    }
    assert_eq!(case.code(), -557);
}

#[test]
fn what_the_manifest_lists_must_be_there_in_full() {
    let case = Case::new();
    case.remove("a.edb");
    assert_eq!(case.code(), -538);
    let case = Case::new();
    case.remove(&case.log_name(5));
    assert_eq!(case.code(), -553);
    let case = Case::new();
    let mut text = case.read(&case.path(MANIFEST_NAME));
    text[30] ^= 1;
    case.write(&case.path(MANIFEST_NAME), &text);
    assert_eq!(case.code(), -1812);
}

#[test]
fn foreign_files_are_passed_over_and_named() {
    let case = Case::new();
    case.write(&case.path("README"), b"a note");
    case.write(&case.path("edb.chk"), b"");
    assert_eq!(case.plan().ignored, [case.path("README")]);
    case.write(&case.path("lost.edb"), b"not a database");
    assert_eq!(case.code(), -1206, "it looks as if it should be one");
}

// -------------------------------------------------------------------------------------- verifying

#[test]
fn every_byte_of_a_set_is_verified() {
    let case = Case::new();
    let verify = || verify_set(&case.env, &case.plan(), &mut |_| (), &StopToken::new());
    let report = verify().unwrap();
    assert_eq!((report.pages, report.corrected_pages), (20, 0));
    assert_eq!(report.log_segments, 3 * 16);
    assert_eq!(report.bytes, case.plan().bytes());
    for (path, code) in [(case.path("a.edb"), -1018), (case.log(4), -573)] {
        let bytes = case.read(&path);
        for at in (2 * PAGE + 3..bytes.len() - PAGE).step_by(1777) {
            let mut bad = bytes.clone();
            bad[at] ^= 0x55;
            case.write(&path, &bad);
            let error = verify().unwrap_err();
            assert_eq!(error.jet_code(), code, "{} byte {at}: {error}", path.display());
        }
        case.write(&path, &bytes);
    }
    // A page that is right in itself, but not the one that was backed up.
    let path = case.path("a.edb");
    let mut bytes = case.read(&path);
    let mut page = leaf(PageSize::K4, Pgno(3));
    page[8] ^= 1;
    ese_pages::checksum::stamp(&mut page, Pgno(3));
    bytes[4 * PAGE..5 * PAGE].copy_from_slice(&page);
    case.write(&path, &bytes);
    let error = verify().unwrap_err();
    assert!(error.jet_code() == -1018 && error.to_string().contains("CRC"), "{error}");
}

// ---------------------------------------------------------------------------------------- placing

#[test]
fn placed_files_stand_ready_for_the_replay() {
    let case = Case::new();
    let placed = case.place("/new", false).unwrap();
    assert_eq!((placed.gen_low, placed.gen_high), (Generation(3), Generation(5)));
    assert_eq!(placed.databases[0].path, Path::new("/new/a.edb"));
    assert_eq!(placed.databases[0].source, Some(case.setup.database_path()));
    let mut expected = vec!["a.edb".to_owned(), UNFINISHED_NAME.to_owned()];
    expected.extend((3..=5).map(|generation| case.log_name(generation)));
    expected.sort();
    assert_eq!(names(&case.env, "/new"), expected);
    for generation in 3..=5 {
        let name = case.log_name(generation);
        let placed_log = case.read(&Path::new("/new").join(&name));
        assert_eq!(placed_log, case.read(&case.path(&name)));
    }
    let bytes = case.read(Path::new("/new/a.edb"));
    assert_eq!(bytes.len(), 22 * PAGE, "the trailer is dropped");
    assert_eq!(bytes[2 * PAGE..], case.read(&case.path("a.edb"))[2 * PAGE..22 * PAGE]);
    let file = DbFile::open(&case.env, Path::new("/new/a.edb"), Access::ReadOnly).unwrap();
    let header = file.header();
    assert_eq!(header.state(), DbState::DirtyShutdown);
    assert_eq!(header.required(), (Generation(3), Generation(5)));
    assert_eq!(header.committed(), Generation(5));
    assert_eq!(header.bkinfo_full_cur.gen_high.get(), 5);
    assert_eq!(header.logtime_gen_max_required, LogTime::from_unix_ms(1_700_000_005_000));
    drop(file);
    placed.finish(&case.env).unwrap();
    assert!(!names(&case.env, "/new").contains(&UNFINISHED_NAME.to_owned()));
}

#[test]
fn a_restore_runs_the_replay_and_then_takes_its_mark_away() {
    let case = Case::new();
    let target = RestoreTarget::in_dir(Path::new("/r/db"))
        .logs_in(Path::new("/r/log"))
        .system_in(Path::new("/r/sys"));
    let mut progress = |_: &RestoreProgress| ();
    let mut options = options(false, &mut progress);
    let failed = restore(&case.env, &case.plan(), &target, &mut options, |_, _| {
        Err(ese_base::Error::code_only(ese_base::JetErr::DiskIO))
    });
    assert_eq!(failed.unwrap_err().jet_code(), -1022);
    assert!(names(&case.env, "/r/db").contains(&UNFINISHED_NAME.to_owned()));
    // What the failed replay may have left is in nobody's way.
    case.write(Path::new("/r/log/edb.log"), b"half");
    case.write(Path::new("/r/sys/edb.chk"), b"half");
    let mut replayed = false;
    restore(&case.env, &case.plan(), &target, &mut options, |placed, _| {
        replayed = placed.log_dir == Path::new("/r/log");
        assert!(!names(&case.env, "/r/log").contains(&"edb.log".to_owned()));
        assert_eq!(names(&case.env, "/r/sys"), [""; 0]);
        Ok(())
    })
    .unwrap();
    assert!(replayed);
    assert_eq!(names(&case.env, "/r/db"), ["a.edb"]);
}

#[test]
fn nothing_is_replaced_unless_forced() {
    let case = Case::new();
    case.env.fs.create_dir_all(Path::new("/there")).unwrap();
    case.write(Path::new("/there/a.edb"), b"precious");
    assert_eq!(case.place("/there", false).unwrap_err().jet_code(), -1814);
    assert_eq!(names(&case.env, "/there"), ["a.edb"]);
    assert_eq!(case.read(Path::new("/there/a.edb")), b"precious");
    case.place("/there", true).unwrap().finish(&case.env).unwrap();
    assert_eq!(case.read(Path::new("/there/a.edb")).len(), 22 * PAGE);
    // Once finished, the mark no longer stands for a permission.
    assert_eq!(case.place("/there", false).unwrap_err().jet_code(), -1814);
}

#[test]
fn an_old_double_write_file_is_gone_before_the_restored_database_has_its_name() {
    let case = Case::new();
    case.env.fs.create_dir_all(Path::new("/there")).unwrap();
    case.write(Path::new("/there/a.edb"), b"a later state");
    case.write(Path::new("/there/a.edb.dwb"), b"newer pages");
    case.disk.add_fault(Fault::nth(OpKind::Rename, 0, JetErr::DiskIO).on("/there/a.edb"));
    assert_eq!(case.place("/there", true).unwrap_err().jet_code(), -1022);
    case.disk.heal();
    assert_eq!(case.read(Path::new("/there/a.edb")), b"a later state", "not replaced yet");
    assert!(!names(&case.env, "/there").contains(&"a.edb.dwb".to_owned()));
    case.place("/there", true).unwrap().finish(&case.env).unwrap();
    assert_eq!(case.read(Path::new("/there/a.edb")).len(), 22 * PAGE);
}

#[test]
fn what_a_running_instance_uses_is_never_replaced_even_when_forced() {
    let case = Case::new();
    let there = Path::new("/there");
    case.place("/there", false).unwrap().finish(&case.env).unwrap();
    case.write(&there.join("edb.chk"), b"checkpoint");
    let before = names(&case.env, "/there");
    let whole = case.read(&there.join("a.edb"));
    let logs = LogLock::acquire(&case.env, &LogNames::new(there, "edb")).unwrap();
    assert_eq!(case.place("/there", true).unwrap_err().jet_code(), -1084);
    assert_eq!(names(&case.env, "/there"), before);
    drop(logs);
    // An instance whose logs lie elsewhere.
    let database = DbFile::open(&case.env, &there.join("a.edb"), Access::ReadWrite).unwrap();
    assert_eq!(case.place("/there", true).unwrap_err().jet_code(), -1032);
    assert_eq!(names(&case.env, "/there"), before);
    drop(database);
    assert!(case.read(&there.join("a.edb")) == whole);
    case.place("/there", true).unwrap();
}

#[test]
fn logs_in_the_way_are_refused_by_whose_they_are() {
    let case = Case::new();
    case.env.fs.create_dir_all(Path::new("/there")).unwrap();
    let own = other_log(9, 8000, case.setup.instance.signature);
    let foreign = other_log(9, 8000, Signature::NULL);
    for (bytes, code) in [(&own, -611), (&foreign, -610), (&vec![0; 9], -610)] {
        for name in ["edb.log", "edb00000009.log", "EDBTMP.LOG"] {
            let path = Path::new("/there").join(name);
            case.write(&path, bytes);
            assert_eq!(case.place("/there", false).unwrap_err().jet_code(), code, "{name}");
            case.env.fs.remove_file(&path).unwrap();
        }
    }
    case.write(Path::new("/there/edb.chk"), b"old");
    assert_eq!(case.place("/there", false).unwrap_err().jet_code(), -1814);
    case.write(Path::new("/there/edb.log"), &foreign);
    case.write(Path::new("/there/xyz.log"), &foreign);
    case.place("/there", true).unwrap();
    let left = names(&case.env, "/there");
    assert!(!left.contains(&"edb.log".into()) && !left.contains(&"edb.chk".into()), "{left:?}");
    assert!(left.contains(&"xyz.log".into()), "logs of another base name are not ours");
}

#[test]
fn a_set_is_never_restored_over_itself() {
    let case = Case::new();
    let before = names(&case.env, SET);
    assert_eq!(case.place("/set/../set", true).unwrap_err().jet_code(), -1023);
    assert_eq!(names(&case.env, SET), before);
}

#[test]
fn however_many_copies_of_a_log_are_damaged_a_sound_one_serves() {
    let case = Case::new();
    let mut source = RestoreSource::new(Path::new(SET));
    let mut damage = case.read(&case.log(4));
    let sound = damage.clone();
    damage[4096 + 150] ^= 1;
    case.write(&case.log(4), &damage);
    for number in 1..10 {
        let dir = PathBuf::from(format!("/more-{number}"));
        case.env.fs.create_dir_all(&dir).unwrap();
        case.write(&dir.join(case.log_name(4)), if number < 9 { &damage } else { &sound });
        source = source.with_increment(&dir);
    }
    let plan = RestorePlan::examine_source(&case.env, &source).unwrap();
    let verified = verify_set(&case.env, &plan, &mut |_| (), &StopToken::new()).unwrap();
    assert_eq!(verified.damaged.len(), 9);
    let target = RestoreTarget::in_dir(Path::new("/new"));
    let mut progress = |_: &RestoreProgress| ();
    let placed = place(&case.env, &plan, &target, &mut options(false, &mut progress)).unwrap();
    assert_eq!(placed.report.damaged.len(), 9);
    assert!(case.read(&Path::new("/new").join(case.log_name(4))) == sound);
}

#[test]
fn a_damaged_page_refuses_the_set_unless_it_is_wanted_all_the_same() {
    let case = Case::new();
    let path = case.path("a.edb");
    let mut bytes = case.read(&path);
    bytes[5 * PAGE + 200..5 * PAGE + 300].fill(0xee);
    case.write(&path, &bytes);
    let error = case.place("/new", false).unwrap_err();
    assert_eq!((error.jet_code(), error.pgno()), (-1018, Some(Pgno(4))), "{error}");
    assert!(!case.env.fs.exists(Path::new("/new")).unwrap(), "nothing stays behind");
    let mut progress = |_: &RestoreProgress| ();
    let mut options = RestoreOptions { keep_damaged: true, ..options(false, &mut progress) };
    let target = RestoreTarget::in_dir(Path::new("/new"));
    place(&case.env, &case.plan(), &target, &mut options).unwrap();
    assert_eq!(case.read(Path::new("/new/a.edb"))[5 * PAGE..6 * PAGE], bytes[5 * PAGE..6 * PAGE]);
}

#[test]
fn a_flipped_bit_in_a_set_without_manifest_is_put_right() {
    let case = Case::without_manifest();
    let path = case.path("a.edb");
    let mut bytes = case.read(&path);
    bytes[5 * PAGE + 200] ^= 8;
    case.write(&path, &bytes);
    let placed = case.place("/new", false).unwrap();
    assert_eq!(placed.report.corrected_pages, 1);
    let restored = case.read(Path::new("/new/a.edb"));
    assert_eq!(restored[5 * PAGE..6 * PAGE], leaf(PageSize::K4, Pgno(4)));
}

#[test]
fn a_stopped_restore_leaves_nothing() {
    let case = Case::new();
    let target = RestoreTarget::in_dir(Path::new("/new/deep"));
    for moment in 0.. {
        let stop = StopToken::new();
        let mut calls = 0;
        let mut progress = |_: &RestoreProgress| {
            if calls == moment {
                stop.stop(StopReason::Requested);
            }
            calls += 1;
        };
        let mut options = RestoreOptions { stop: stop.clone(), ..options(false, &mut progress) };
        match place(&case.env, &case.plan(), &target, &mut options) {
            Ok(_) => {
                assert!(moment > 3);
                break;
            }
            Err(error) => assert_eq!(error.jet_code(), -1329),
        }
        assert!(!case.env.fs.exists(Path::new("/new")).unwrap());
    }
}

#[test]
fn a_power_cut_at_any_moment_leaves_a_restore_that_can_be_repeated() {
    let case = Case::new();
    let base = case.disk.image();
    let disk = SimDisk::from_image(&base);
    let env = SimEnv::on(&disk, 1);
    let target = RestoreTarget::in_dir(Path::new("/new"));
    let restore_on = |env: &Env| {
        let plan = RestorePlan::examine(env, Path::new(SET)).unwrap();
        let mut progress = |_: &RestoreProgress| ();
        restore(env, &plan, &target, &mut options(false, &mut progress), |_, _| Ok(()))
    };
    restore_on(&env).unwrap();
    let wanted: Vec<Vec<u8>> =
        names(&env, "/new").iter().map(|name| read(&env, &Path::new("/new").join(name))).collect();
    let recording = disk.recording();
    let options = StateOptions { seed: 3, budget: 600, garbage: true, from_op: 0 };
    let (mut repeated, mut whole) = (0, 0);
    for state in recording.states(options) {
        let env = SimEnv::on(&SimDisk::from_image(&state.image), 1);
        let there = env.fs.exists(Path::new("/new")).unwrap();
        let before = if there { names(&env, "/new") } else { Vec::new() };
        let marked = before.contains(&UNFINISHED_NAME.to_owned());
        // A database that looks whole is there only beside the mark, or after everything.
        if before.contains(&"a.edb".to_owned()) && !marked {
            whole += 1;
        } else {
            repeated += 1;
            restore_on(&env).unwrap_or_else(|error| panic!("{}: {error}", state.description));
        }
        let found: Vec<Vec<u8>> = names(&env, "/new")
            .iter()
            .map(|name| read(&env, &Path::new("/new").join(name)))
            .collect();
        assert!(found == wanted, "{}: {:?}", state.description, names(&env, "/new"));
    }
    assert!(repeated > 100 && whole > 0, "{repeated} repeated, {whole} whole");
}
