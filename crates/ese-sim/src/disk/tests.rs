use ese_base::JetErr;
use ese_os::{DirEntry, Env, File, Fs, LockMode, OpenMode};

use super::*;
use crate::{AfterFailedSync, Plan, SimEnv};

fn bytes(file: &dyn File) -> Vec<u8> {
    let mut buf = vec![0; crate::index(file.len().unwrap())];
    file.read_at(&mut buf, 0).unwrap();
    buf
}

/// What a boot finds in a file; `None` if the name is gone.
fn booted(image: &Image, path: &str) -> Option<Vec<u8>> {
    let disk = SimDisk::from_image(image);
    let file = disk.open(Path::new(path), OpenMode::Read).ok()?;
    Some(bytes(&*file))
}

fn new_file(disk: &SimDisk, path: &str) -> Arc<dyn File> {
    disk.open(Path::new(path), OpenMode::CreateNew).unwrap()
}

/// One script for every implementation of the file traits: all calls, mostly wrong ones, and the
/// codes that they answer.
fn script(env: &Env, root: &Path) -> Vec<i32> {
    let mut codes = Vec::new();
    let mut note = |result: Result<()>| codes.push(result.map_or_else(|e| e.jet_code(), |()| 0));
    let fs = &env.fs;
    let at = |name: &str| root.join(name);
    note(fs.open(&at("d/a"), OpenMode::CreateNew).map(drop));
    note(fs.create_dir_all(&at("d/e")));
    let a = fs.open(&at("d/a"), OpenMode::CreateNew).unwrap();
    note(fs.open(&at("d/a"), OpenMode::CreateNew).map(drop));
    note(fs.open(&at("d/b"), OpenMode::Read).map(drop));
    note(fs.open(&at("d/e"), OpenMode::ReadWrite).map(drop));
    note(fs.open(&at("d/a/x"), OpenMode::Read).map(drop));
    note(a.write_at(&[1; 5000], 100));
    note(a.read_at(&mut [0; 5000], 100));
    note(a.read_at(&mut [0; 5001], 100));
    note(a.read_at(&mut [], 1_000_000));
    note(a.write_at(&[], 1_000_000));
    note(a.write_at(&[1], u64::MAX - 5));
    note(a.set_len(u64::MAX));
    assert_eq!(a.len().unwrap(), 5100);
    note(a.allocate(0, 9000));
    note(a.allocate(0, 10));
    assert_eq!(a.len().unwrap(), 9000);
    note(a.lock(LockMode::Exclusive));
    let other = fs.open(&at("d/a"), OpenMode::Read).unwrap();
    note(other.lock(LockMode::Shared));
    note(other.write_at(&[1], 0));
    note(a.lock(LockMode::Shared));
    note(other.lock(LockMode::Shared));
    note(a.lock(LockMode::Exclusive));
    note(other.lock(LockMode::Exclusive));
    drop(other);
    note(a.lock(LockMode::Exclusive));
    note(a.sync());
    note(fs.rename(&at("d/a"), &at("d/c")));
    note(fs.rename(&at("d/a"), &at("d/c")));
    note(fs.rename(&at("d/c"), &at("no/c")));
    note(fs.rename(&at("no/c"), &at("d/c")));
    note(fs.remove_file(&at("d/a")));
    note(fs.remove_file(&at("d/e")));
    note(fs.remove_file(&at("no/e")));
    note(fs.remove_dir(&at("d")));
    note(fs.remove_dir(&at("d/x")));
    note(fs.remove_dir(&at("d/e")));
    note(fs.create_dir_all(&at("d/c")));
    note(fs.sync_dir(&at("d")));
    note(fs.sync_dir(&at("no")));
    note(fs.list(&at("no")).map(drop));
    note(fs.canonicalize(&at("no/x")).map(drop));
    note(fs.canonicalize(&at("d/x")).map(drop));
    let names: Vec<_> = fs.list(&at("d")).unwrap();
    let only = DirEntry { name: "c".into(), is_dir: false, is_plain: true, len: 9000 };
    assert_eq!(names, [only]);
    assert!(fs.exists(&at("d/c")).unwrap() && !fs.exists(&at("d/a")).unwrap());
    note(fs.remove_file(&at("d/c")));
    // The open handle still works.
    note(a.read_at(&mut [0; 10], 0));
    let fresh = fs.open(&at("d/c"), OpenMode::CreateOrTruncate).unwrap();
    note(fresh.lock(LockMode::Exclusive));
    note(fs.open(&at("d/c"), OpenMode::CreateOrTruncate).map(drop));
    codes
}

#[test]
fn the_simulated_disk_answers_like_the_real_one() {
    let dir = tempfile::tempdir().unwrap();
    let real = script(&Env::real(), dir.path());
    let (env, _) = SimEnv::new(1);
    let simulated = script(&env, Path::new("/"));
    assert_eq!(real, simulated);
    assert!(real.iter().filter(|code| **code != 0).count() >= 20, "{real:?}");
}

#[test]
fn only_synced_bytes_and_names_survive_the_worst_cut() {
    let disk = SimDisk::new();
    let a = new_file(&disk, "/a");
    a.write_at(b"one", 0).unwrap();
    a.sync().unwrap();
    let last = |plan| disk.recording().snapshot_at(disk.next_op() - 1, plan).unwrap();
    assert_eq!(booted(&last(Plan::Nothing), "/a"), None, "its directory was not synced");
    assert_eq!(booted(&last(Plan::All), "/a").unwrap(), b"one");
    disk.sync_dir(Path::new("/")).unwrap();
    a.write_at(b"two", 3).unwrap();
    assert_eq!(booted(&last(Plan::Nothing), "/a").unwrap(), b"one");
    assert_eq!(booted(&last(Plan::All), "/a").unwrap(), b"onetwo");
    assert_eq!(booted(&last(Plan::LengthFirst), "/a").unwrap(), b"one\0\0\0");
    assert_eq!(booted(&last(Plan::DataFirst), "/a").unwrap(), b"one");
    assert_eq!(bytes(&*a), b"onetwo", "reads see everything");
    a.sync().unwrap();
    assert_eq!(booted(&last(Plan::Nothing), "/a").unwrap(), b"onetwo");
    assert_eq!(booted(&disk.image(), "/a").unwrap(), b"onetwo");
}

#[test]
fn an_unsynced_rename_leaves_the_old_or_the_new_file_and_never_neither() {
    let disk = SimDisk::new();
    for (path, text) in [("/a", b"old"), ("/t", b"new")] {
        let file = new_file(&disk, path);
        file.write_at(text, 0).unwrap();
        file.sync().unwrap();
    }
    disk.sync_dir(Path::new("/")).unwrap();
    disk.rename(Path::new("/t"), Path::new("/a")).unwrap();
    let options = StateOptions { seed: 1, budget: 100, garbage: false, from_op: 0 };
    let states = disk.crash_states(options);
    let mut seen: Vec<_> =
        states.iter().map(|s| (booted(&s.image, "/a"), booted(&s.image, "/t"))).collect();
    seen.sort();
    let (old, new) = (Some(b"old".to_vec()), Some(b"new".to_vec()));
    assert_eq!(seen, [(new.clone(), None), (old, new)]);
}

#[test]
fn a_renamed_directory_is_found_under_one_of_its_names_with_everything_in_it() {
    let disk = SimDisk::new();
    disk.create_dir_all(Path::new("/d/deep")).unwrap();
    for path in ["/d/a", "/d/deep/b", "/dd"] {
        let file = new_file(&disk, path);
        file.write_at(b"text", 0).unwrap();
        file.sync().unwrap();
    }
    for dir in ["/", "/d", "/d/deep"] {
        disk.sync_dir(Path::new(dir)).unwrap();
    }
    let refused = disk.rename(Path::new("/d"), Path::new("/d/inside")).unwrap_err();
    assert_eq!(refused.code(), JetErr::FileAccessDenied);
    disk.rename(Path::new("/d"), Path::new("/e")).unwrap();
    assert!(disk.exists(Path::new("/e/deep/b")).unwrap() && disk.exists(Path::new("/dd")).unwrap());
    let options = StateOptions { seed: 1, budget: 100, garbage: false, from_op: 0 };
    let mut seen: Vec<_> = disk
        .crash_states(options)
        .iter()
        .map(|state| {
            ["/d/a", "/d/deep/b", "/e/a", "/e/deep/b"]
                .map(|path| booted(&state.image, path).is_some())
        })
        .collect();
    seen.sort_unstable();
    assert_eq!(seen, [[false, false, true, true], [true, true, false, false]]);
    disk.sync_dir(Path::new("/")).unwrap();
    assert!(booted(&disk.image(), "/e/deep/b").is_some());
}

#[test]
fn a_renamed_file_that_was_not_synced_can_be_empty() {
    let disk = SimDisk::new();
    let file = new_file(&disk, "/t");
    file.write_at(b"text", 0).unwrap();
    disk.rename(Path::new("/t"), Path::new("/a")).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    let image = disk.recording().snapshot_at(disk.next_op() - 1, Plan::Nothing).unwrap();
    assert_eq!(booted(&image, "/a").unwrap(), b"");
    assert_eq!(booted(&image, "/t"), None);
}

#[test]
fn nothing_written_after_a_lost_shortening_survives() {
    let disk = SimDisk::new();
    let a = new_file(&disk, "/a");
    a.write_at(b"longer", 0).unwrap();
    a.sync().unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    let cut = disk.open(Path::new("/a"), OpenMode::CreateOrTruncate).unwrap();
    cut.write_at(b"new", 0).unwrap();
    for state in
        disk.crash_states(StateOptions { seed: 3, budget: 100, garbage: false, from_op: 0 })
    {
        let found = booted(&state.image, "/a").unwrap();
        let legal: [&[u8]; 4] = [b"longer", b"", b"new", b"\0\0\0"];
        assert!(legal.contains(&&*found), "{found:?}: {}", state.description);
    }
}

#[test]
fn names_below_a_directory_that_did_not_survive_are_gone() {
    let disk = SimDisk::new();
    disk.create_dir_all(Path::new("/x")).unwrap();
    disk.add_fault(Fault::nth(OpKind::SyncDir, 1, JetErr::DiskIO).act(Action::Lose));
    disk.create_dir_all(Path::new("/x/y")).unwrap();
    new_file(&disk, "/x/y/a").sync().unwrap();
    disk.sync_dir(Path::new("/x/y")).unwrap();
    let image = disk.recording().snapshot_at(disk.next_op() - 1, Plan::Nothing).unwrap();
    let fs = SimDisk::from_image(&image);
    assert!(fs.exists(Path::new("/x")).unwrap());
    assert!(!fs.exists(Path::new("/x/y")).unwrap());
    assert!(!fs.exists(Path::new("/x/y/a")).unwrap());
}

#[test]
fn a_directory_whose_name_was_not_synced_is_synced_by_the_next_call() {
    let disk = SimDisk::new();
    disk.add_fault(Fault::nth(OpKind::SyncDir, 1, JetErr::DiskIO));
    assert!(disk.create_dir_all(Path::new("/x/y")).is_err());
    disk.create_dir_all(Path::new("/x/y")).unwrap();
    let image = disk.recording().image_at_end(Plan::Nothing);
    assert!(SimDisk::from_image(&image).exists(Path::new("/x/y")).unwrap());
}

#[test]
fn failed_calls_do_nothing_or_half() {
    let disk = SimDisk::new();
    let a = new_file(&disk, "/a");
    disk.add_fault(Fault::nth(OpKind::Write, 1, JetErr::DiskIO).on("/a"));
    a.write_at(b"12", 0).unwrap();
    assert_eq!(a.write_at(b"345", 2).unwrap_err().code(), JetErr::DiskIO);
    assert_eq!(bytes(&*a), b"12");
    let short = Action::FailShort(JetErr::DiskFull);
    disk.add_fault(Fault::nth(OpKind::Write, 0, JetErr::DiskFull).act(short));
    assert_eq!(a.write_at(b"3456", 2).unwrap_err().code(), JetErr::DiskFull);
    assert_eq!(bytes(&*a), b"1234");
    a.write_at(b"56", 4).unwrap();
    assert_eq!(disk.faults_hit(), 2);
    for kind in OpKind::ALL {
        disk.add_fault(Fault::nth(kind, 0, JetErr::FileAccessDenied).forever());
    }
    let path = Path::new("/a");
    let failing: [Result<()>; 13] = [
        a.read_at(&mut [0], 0),
        a.write_at(&[0], 0),
        a.sync(),
        a.set_len(0),
        a.allocate(0, 100),
        a.lock(LockMode::Shared),
        disk.open(path, OpenMode::Read).map(drop),
        disk.open(Path::new("/b"), OpenMode::CreateNew).map(drop),
        disk.create_dir_all(Path::new("/x")),
        disk.remove_file(path),
        disk.rename(path, Path::new("/c")),
        disk.sync_dir(Path::new("/")),
        a.len().map(drop),
    ];
    for result in failing {
        assert_eq!(result.unwrap_err().code(), JetErr::FileAccessDenied);
    }
    disk.heal();
    assert_eq!(bytes(&*a), b"123456");
    assert_eq!(disk.list(Path::new("/")).unwrap().len(), 1);
}

#[test]
fn a_failed_sync_leaves_the_data_as_the_model_says() {
    for after in
        [AfterFailedSync::StaysDirty, AfterFailedSync::CleanAndNew, AfterFailedSync::CleanAndOld]
    {
        let disk = SimDisk::new();
        let a = new_file(&disk, "/a");
        a.write_at(b"old", 0).unwrap();
        a.sync().unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        a.write_at(b"new", 0).unwrap();
        let action = Action::FailSync(JetErr::DiskIO, after);
        disk.add_fault(Fault::nth(OpKind::Sync, 0, JetErr::DiskIO).act(action));
        assert!(a.sync().is_err());
        let seen = bytes(&*a);
        a.sync().unwrap();
        let image = disk.recording().snapshot_at(disk.next_op() - 1, Plan::All).unwrap();
        let durable = booted(&image, "/a").unwrap();
        let expected: (&[u8], &[u8]) = match after {
            AfterFailedSync::StaysDirty => (b"new", b"new"),
            AfterFailedSync::CleanAndNew => (b"new", b"old"),
            AfterFailedSync::CleanAndOld => (b"old", b"old"),
        };
        assert_eq!((&*seen, &*durable), expected, "{after:?}");
    }
}

#[test]
fn lost_and_misdirected_writes_and_lying_syncs_show_at_the_next_boot() {
    let disk = SimDisk::new();
    let a = new_file(&disk, "/a");
    a.write_at(b"aaaa", 0).unwrap();
    a.sync().unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    disk.add_fault(Fault::nth(OpKind::Write, 0, JetErr::DiskIO).act(Action::Lose));
    a.write_at(b"b", 0).unwrap();
    disk.add_fault(Fault::nth(OpKind::Write, 0, JetErr::DiskIO).act(Action::Misdirect(2)));
    a.write_at(b"c", 1).unwrap();
    a.sync().unwrap();
    disk.add_fault(Fault::nth(OpKind::Sync, 0, JetErr::DiskIO).act(Action::Lose));
    a.write_at(b"d", 2).unwrap();
    a.sync().unwrap();
    assert_eq!(bytes(&*a), b"bcda");
    let image = disk.recording().snapshot_at(disk.next_op() - 1, Plan::Nothing).unwrap();
    assert_eq!(booted(&image, "/a").unwrap(), b"aaac");
}

#[test]
fn a_full_disk_takes_what_fits_and_gives_back_what_is_removed() {
    let disk = SimDisk::new();
    disk.set_free_space(Some(10));
    let a = new_file(&disk, "/a");
    assert_eq!(a.write_at(&[1; 12], 0).unwrap_err().code(), JetErr::DiskFull);
    assert_eq!((bytes(&*a), disk.free_space()), (vec![1; 10], Some(0)));
    a.write_at(&[2; 10], 0).unwrap();
    let b = new_file(&disk, "/b");
    assert_eq!(b.allocate(0, 1).unwrap_err().code(), JetErr::DiskFull);
    assert_eq!(b.set_len(1).unwrap_err().code(), JetErr::DiskFull);
    a.set_len(4).unwrap();
    b.allocate(0, 6).unwrap();
    drop(b);
    disk.remove_file(Path::new("/b")).unwrap();
    disk.remove_file(Path::new("/a")).unwrap();
    assert_eq!(disk.free_space(), Some(6), "an open file keeps its space");
    drop(a);
    assert_eq!(disk.free_space(), Some(10));
}

#[test]
fn unreadable_ranges_fail_until_they_are_written() {
    let disk = SimDisk::new();
    let a = new_file(&disk, "/a");
    a.write_at(&[1; 100], 0).unwrap();
    assert!(disk.make_unreadable(Path::new("/a"), 50, 10));
    a.read_at(&mut [0; 50], 0).unwrap();
    assert_eq!(a.read_at(&mut [0; 51], 0).unwrap_err().code(), JetErr::DiskIO);
    assert_eq!(a.read_at(&mut [0; 1], 59).unwrap_err().code(), JetErr::DiskIO);
    a.read_at(&mut [0; 40], 60).unwrap();
    a.write_at(&[2; 10], 50).unwrap();
    a.read_at(&mut [0; 100], 0).unwrap();
}

#[test]
fn when_the_power_is_off_everything_fails() {
    let disk = SimDisk::new();
    let a = new_file(&disk, "/a");
    disk.power_off_at(Some(disk.next_op() + 1));
    a.write_at(b"x", 0).unwrap();
    assert!(a.write_at(b"y", 0).is_err());
    assert!(a.read_at(&mut [0], 0).is_err());
    assert!(disk.exists(Path::new("/a")).is_err());
    assert_eq!(disk.counts().of(OpKind::Write), 2);
}
