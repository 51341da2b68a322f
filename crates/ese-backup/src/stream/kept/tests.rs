//! Copies that are stopped and gone on with: at every moment, once and often, cut by power, and
//! those that must not go on.

use std::path::Path;

use ese_base::{BkInfo, JetErr, PageSize, Result, StopReason, StopToken};
use ese_os::{Env, OpenMode};
use ese_sim::{OpKind, SimDisk, SimEnv, StateOptions};

use super::{KEPT_NAME, Kept};
use crate::{
    restore::{RestorePlan, verify_set},
    source::BackupSource as _,
    stream::{
        BackupReport, CopyJob, CopyOptions, Destination, INCOMPLETE_NAME, MANIFEST_NAME, Manifest,
        Phase, Resume, copy_set, hex32,
    },
    testing::Setup,
};

/// Copies, and stops at some call of the progress function. The second value is how many bytes had
/// been copied then.
fn copy(
    setup: &Setup,
    dir: &Path,
    resume: Resume,
    moment: usize,
) -> (Result<BackupReport>, Option<u64>) {
    let stop = StopToken::new();
    let token = stop.clone();
    let (mut calls, mut done) = (0, None);
    let mut progress = |so_far: &crate::stream::Progress| {
        if so_far.phase == Phase::Comparing {
            return;
        }
        if calls == moment {
            token.stop(StopReason::Requested);
            done = Some(so_far.bytes_done);
        }
        calls += 1;
    };
    let job = CopyJob { resume, ..CopyJob::new(&mut progress, &stop) };
    let result = copy_set(&setup.context, &setup.instance.env, Destination::Dir(dir), job);
    (result, done)
}

const NEVER: usize = usize::MAX;

fn read_file(env: &Env, path: &Path) -> Vec<u8> {
    let file = env.fs.open(path, OpenMode::Read).unwrap();
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_at(&mut bytes, 0).unwrap();
    bytes
}

fn check_set(env: &Env, dir: &Path) {
    let plan = RestorePlan::examine(env, dir).unwrap();
    verify_set(env, &plan, &mut |_| (), &StopToken::new()).unwrap();
    let names: Vec<_> = env.fs.list(dir).unwrap().into_iter().map(|entry| entry.name).collect();
    assert!(!names.iter().any(|name| name == INCOMPLETE_NAME || name.starts_with("ese-backup.k")));
}

#[test]
fn a_copy_that_was_stopped_at_any_moment_goes_on_and_reads_nothing_twice() {
    let (whole, disk) = Setup::on_sim(&[("a.edb", 1200), ("b.edb", 700)]);
    let reads = |disk: &SimDisk, from: u64| disk.counts().of(OpKind::Read) - from;
    let before = reads(&disk, 0);
    copy(&whole, Path::new("/set"), Resume::Never, NEVER).0.unwrap();
    let of_all = reads(&disk, before);
    let mut tried = 0;
    for moment in 0.. {
        let (setup, disk) = Setup::on_sim(&[("a.edb", 1200), ("b.edb", 700)]);
        let (env, dir) = (&setup.instance.env, Path::new("/set"));
        let before = reads(&disk, 0);
        let (result, done) = copy(&setup, dir, Resume::Continue, moment);
        let Some(done) = done else {
            assert!(tried >= 8, "the copy made {tried} calls only");
            result.unwrap();
            break;
        };
        let Err(error) = result else {
            check_set(env, dir);
            continue;
        };
        tried += 1;
        assert_eq!(error.jet_code(), -801, "moment {moment}: {error}");
        assert!(RestorePlan::examine(env, dir).is_err(), "nobody takes it for a set");
        assert_eq!(setup.instance.header(0).bkinfo_copy_prev, BkInfo::default());
        let report = copy(&setup, dir, Resume::Continue, NEVER).0.unwrap();
        assert_eq!(report.taken_over, done, "moment {moment}");
        assert!(report.bytes > report.taken_over || done == report.bytes);
        // Beside the heads of logs and what was kept.
        let both = reads(&disk, before);
        assert!(both <= of_all + 30, "moment {moment}: {both} reads instead of {of_all}");
        check_set(env, dir);
        assert_ne!(setup.instance.header(0).bkinfo_copy_prev, BkInfo::default());
        assert_ne!(setup.instance.header(1).bkinfo_copy_prev, BkInfo::default());
        let files = ["a.edb", "b.edb"].map(|name| read_file(env, &dir.join(name)));
        for (file, name) in files.iter().zip(["a.edb", "b.edb"]) {
            let other = read_file(&whole.instance.env, &Path::new("/set").join(name));
            assert_eq!(file.len(), other.len());
            // All but the headers and the trailer, which know the moment.
            let pages = 2 * 4096..file.len() - 4096;
            assert!(file[pages.clone()] == other[pages], "moment {moment}: {name}");
        }
    }
}

#[test]
fn a_copy_can_be_stopped_again_and_again() {
    let setup = Setup::new(PageSize::K8, 900);
    let dir = setup.instance.root.join("set");
    let mut parts = 0;
    let mut last = 0;
    loop {
        // Far enough for one more piece each time.
        let (result, _) = copy(&setup, &dir, Resume::Continue, 2);
        match result {
            Ok(report) => {
                assert!(report.taken_over >= last);
                break;
            }
            Err(error) => assert_eq!(error.jet_code(), -801, "{error}"),
        }
        let kept = Kept::look(&setup.instance.env, &dir).unwrap().unwrap();
        let now: u64 = kept.files.iter().map(|file| file.done).sum();
        assert!(now >= last);
        (last, parts) = (now, parts + 1);
        assert!(parts < 100);
    }
    assert!(parts > 5, "{parts}");
    check_set(&setup.instance.env, &dir);
}

#[test]
fn the_marks_of_the_first_begin_stay() {
    let setup = Setup::new(PageSize::K4, 700);
    let dir = setup.instance.root.join("set");
    copy(&setup, &dir, Resume::Continue, 2).0.unwrap_err();
    *setup.instance.checkpoint.lock() = Ok(6);
    setup.instance.new_generation();
    setup.instance.new_generation();
    let report = copy(&setup, &dir, Resume::Continue, NEVER).0.unwrap();
    assert_eq!((report.manifest.gen_low, report.manifest.gen_high), (3, 7));
    let header = setup.instance.header(0);
    assert_eq!(header.bkinfo_copy_prev.lgpos_mark.get().generation.0, 5);
    check_set(&setup.instance.env, &dir);
}

#[test]
fn what_a_power_cut_leaves_of_it_is_as_it_says() {
    let (setup, disk) = Setup::on_sim(&[("a.edb", 600), ("b.edb", 300)]);
    let dir = Path::new("/set");
    disk.record(true);
    copy(&setup, dir, Resume::Continue, 2).0.unwrap_err();
    copy(&setup, dir, Resume::Continue, 2).0.unwrap_err();
    copy(&setup, dir, Resume::Continue, NEVER).0.unwrap();
    let (mut complete, mut kept_bytes) = (0, 0);
    let options = StateOptions { seed: 5, budget: 900, garbage: true, from_op: 0 };
    for state in disk.recording().states(options) {
        let disk = SimDisk::from_image(&state.image);
        let env = SimEnv::on(&disk, 1);
        if !env.fs.exists(dir).unwrap() {
            continue;
        }
        if let Some(manifest) = Manifest::read(&env, dir).unwrap() {
            assert_eq!(manifest.databases.len(), 2);
            let plan = RestorePlan::examine(&env, dir).unwrap();
            verify_set(&env, &plan, &mut |_| (), &StopToken::new()).unwrap();
            complete += 1;
            continue;
        }
        assert!(RestorePlan::examine(&env, dir).is_err(), "{}", state.description);
        let Ok(Some(kept)) = Kept::look(&env, dir) else { continue };
        for file in kept.files.iter().filter(|file| file.done > 0) {
            let bytes = read_file(&env, &dir.join(&file.name));
            let done = usize::try_from(file.done).unwrap();
            let sum = crc32fast::hash(&bytes[..done]);
            assert_eq!(hex32(sum), file.crc32, "{}: {}", state.description, file.name);
            kept_bytes = kept_bytes.max(file.done);
        }
    }
    assert!(complete > 5 && kept_bytes > 1 << 20, "{complete} complete, {kept_bytes} bytes kept");
}

/// A copy that was stopped in its middle.
fn stopped() -> (Setup, std::path::PathBuf) {
    let setup = Setup::new(PageSize::K4, 700);
    let dir = setup.instance.root.join("set");
    copy(&setup, &dir, Resume::Continue, 2).0.unwrap_err();
    (setup, dir)
}

fn refused(setup: &Setup, dir: &Path) -> JetErr {
    let error = copy(setup, dir, Resume::Continue, NEVER).0.unwrap_err();
    assert!(setup.instance.env.fs.exists(&dir.join(KEPT_NAME)).unwrap(), "{error}");
    error.code()
}

#[test]
fn what_cannot_go_on_says_why_and_begins_anew_when_told() {
    type Spoil = fn(&Setup, &Path);
    let cases: [(Spoil, JetErr); 5] = [
        (|setup, _| setup.instance.attach("more.edb", 5), JetErr::AttachedDatabaseMismatch),
        (
            |setup, _| {
                setup.instance.new_generation();
                let log = setup.instance.archive(4);
                setup.instance.env.fs.remove_file(&log).unwrap();
            },
            JetErr::MissingFileToBackup,
        ),
        (
            |setup, dir| {
                let file = dir.join("a.edb");
                let file = setup.instance.env.fs.open(&file, OpenMode::ReadWrite).unwrap();
                file.set_len(4096 * 10).unwrap();
            },
            JetErr::FileIOBeyondEOF,
        ),
        (
            |setup, dir| setup.instance.poke(&dir.join(KEPT_NAME), 200, |byte| *byte ^= 1),
            JetErr::FileInvalidType,
        ),
        (
            |setup, _| setup.instance.poke(&setup.instance.archive(4), 20, |byte| *byte ^= 1),
            JetErr::LogFileCorrupt,
        ),
    ];
    for (spoil, code) in cases {
        let (setup, dir) = stopped();
        spoil(&setup, &dir);
        assert_eq!(refused(&setup, &dir), code);
    }
    let (setup, dir) = stopped();
    let other = Setup::new(PageSize::K4, 700);
    assert_eq!(refused(&other, &dir), JetErr::GivenLogFileHasBadSignature);
    // A full backup with truncation came between.
    setup.instance.new_generation();
    *setup.instance.checkpoint.lock() = Ok(6);
    let file = setup.instance.databases()[0].file.clone();
    file.update_header(|header| header.gen_min_required = 6.into()).unwrap();
    let options = CopyOptions { truncate: true };
    let (mut progress, stop) = (|_: &crate::stream::Progress| (), StopToken::new());
    let job = CopyJob { options, ..CopyJob::new(&mut progress, &stop) };
    let full = setup.instance.root.join("full");
    let to = Destination::Dir(&full);
    drop(copy_set(&setup.context, &setup.instance.env, to, job).unwrap());
    assert_eq!(refused(&setup, &dir), JetErr::MissingFileToBackup);

    let (result, _) = copy(&setup, &dir, Resume::Anew, NEVER);
    assert_eq!(result.unwrap().taken_over, 0);
    check_set(&setup.instance.env, &dir);
    let (result, _) = copy(&setup, &dir, Resume::Continue, NEVER);
    assert_eq!(result.unwrap_err().code(), JetErr::BackupDirectoryNotEmpty, "it is complete");
    assert!(setup.instance.env.fs.exists(&dir.join(MANIFEST_NAME)).unwrap());
}

#[test]
fn kept_bytes_that_have_changed_are_copied_again() {
    let (setup, dir) = stopped();
    setup.instance.poke(&dir.join("a.edb"), 4096 * 20 + 77, |byte| *byte ^= 0xff);
    let report = copy(&setup, &dir, Resume::Continue, NEVER).0.unwrap();
    assert_eq!(report.taken_over, 0);
    check_set(&setup.instance.env, &dir);
}

#[test]
fn what_nobody_can_read_is_begun_anew_when_told() {
    let (setup, dir) = stopped();
    setup.instance.poke(&dir.join(KEPT_NAME), 200, |byte| *byte ^= 1);
    assert_eq!(refused(&setup, &dir), JetErr::FileInvalidType);
    let report = copy(&setup, &dir, Resume::Anew, NEVER).0.unwrap();
    assert_eq!(report.taken_over, 0);
    check_set(&setup.instance.env, &dir);
}

#[test]
fn a_directory_that_somebody_else_uses_is_left_alone() {
    let setup = Setup::small();
    let env = &setup.instance.env;
    for name in ["note", INCOMPLETE_NAME] {
        let dir = setup.instance.root.join(format!("dir-{name}"));
        env.fs.create_dir_all(&dir).unwrap();
        env.fs.open(&dir.join(name), OpenMode::CreateNew).unwrap();
        for resume in [Resume::Continue, Resume::Anew] {
            let error = copy(&setup, &dir, resume, NEVER).0.unwrap_err();
            assert_eq!(error.code(), JetErr::BackupDirectoryNotEmpty);
            assert_eq!(env.fs.list(&dir).unwrap().len(), 1);
        }
    }
    let (mut progress, stop) = (|_: &crate::stream::Progress| (), StopToken::new());
    let job = CopyJob { resume: Resume::Continue, ..CopyJob::new(&mut progress, &stop) };
    let to = setup.instance.root.join("x.esebak");
    let error = copy_set(&setup.context, env, Destination::Archive(&to), job).unwrap_err();
    assert_eq!(error.code(), JetErr::InvalidParameter);
}
