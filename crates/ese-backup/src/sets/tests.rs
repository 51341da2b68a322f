//! Directories of sets: chains and pruning.

use ese_os::Env;
use ese_sim::{SimDisk, SimEnv, StateOptions};

use super::*;
use crate::stream::{DatabaseEntry, LogEntry};

const DIR: &str = "/sets";

/// Writes a set without any engine: a database, a log, a manifest.
fn put(env: &Env, name: &str, number: u32, base: Option<&str>) {
    put_of(env, name, number, base, "aa");
}

fn put_of(env: &Env, name: &str, number: u32, base: Option<&str>, database: &str) {
    let shelf = Shelf::look(env, Path::new(DIR)).unwrap();
    let base = base.map(|base| shelf.sets.iter().find(|set| set.name == base).unwrap().as_base());
    let dir = Path::new(DIR).join(name);
    env.fs.create_dir_all(&dir).unwrap();
    let kind = if base.is_some() { "incremental" } else { "full" };
    let created = format!("2026-01-{number:02}T00:00:00.000Z");
    let mut manifest = Manifest::new(kind, created, 4096, "edb".into());
    manifest.base = base;
    manifest.log_signature = "cc".into();
    (manifest.gen_low, manifest.gen_high) = (number, number);
    let mut files = vec![format!("edb{number:05X}.log")];
    manifest.logs.push(LogEntry {
        name: files[0].clone(),
        generation: number,
        len: 1,
        crc32: String::new(),
    });
    if manifest.base.is_none() {
        files.push("a.edb".into());
        manifest.databases.push(DatabaseEntry {
            name: "a.edb".into(),
            source: "/a.edb".into(),
            len: 1,
            crc32: String::new(),
            signature: database.into(),
            corrected_pages: 0,
        });
    }
    for file in files.iter().map(String::as_str).chain([INCOMPLETE_NAME]) {
        let mode = ese_os::OpenMode::CreateNew;
        let file = env.fs.open(&dir.join(file), mode).unwrap();
        file.write_at(b"x", 0).unwrap();
        file.sync().unwrap();
    }
    manifest.write(env, &dir).unwrap();
}

fn two_chains(env: &Env) {
    env.fs.create_dir_all(Path::new(DIR)).unwrap();
    put(env, "mon", 1, None);
    put(env, "tue", 2, Some("mon"));
    put(env, "wed", 3, Some("tue"));
    put(env, "thu", 4, None);
    put(env, "fri", 5, Some("thu"));
}

fn names<'a>(sets: impl IntoIterator<Item = &'a BackupSet>) -> Vec<&'a str> {
    sets.into_iter().map(|set| set.name.as_str()).collect()
}

fn plan(env: &Env, keep: usize) -> Result<PrunePlan> {
    PrunePlan::new(env, Shelf::look(env, Path::new(DIR)).unwrap(), keep)
}

#[test]
fn a_chain_is_followed_to_its_full_set() {
    let (env, _disk) = SimEnv::new(1);
    two_chains(&env);
    let shelf = Shelf::look(&env, Path::new(DIR)).unwrap();
    assert_eq!(names(&shelf.sets), ["mon", "tue", "wed", "thu", "fri"]);
    let wed = shelf.sets.iter().find(|set| set.name == "wed").unwrap();
    assert_eq!(names(shelf.chain(wed).unwrap()), ["mon", "tue", "wed"]);
    assert_eq!(shelf.newest_of("cc").unwrap().name, "fri");
    assert!(shelf.newest_of("dd").is_none());
}

#[test]
fn the_newest_full_sets_are_kept_with_all_that_builds_on_them() {
    let (env, _disk) = SimEnv::new(1);
    two_chains(&env);
    let plan = plan(&env, 1).unwrap();
    let only = |list: &[(BackupSet, PruneReason)]| {
        list.iter().map(|(set, _)| set.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(only(&plan.kept), ["thu", "fri"]);
    assert_eq!(only(&plan.removed), ["wed", "tue", "mon"]);
    assert!(super::tests::plan(&env, 2).unwrap().removed.is_empty());
    plan.run(&env, &mut |_| ()).unwrap();
    let left = env.fs.list(Path::new(DIR)).unwrap();
    assert_eq!(left.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["fri", "thu"]);
}

#[test]
fn what_is_not_understood_ends_the_pruning() {
    let spoil: [fn(&Env); 6] = [
        // A base that is not there.
        |env| {
            put(env, "sat", 6, None);
            put(env, "sun", 7, Some("sat"));
            env.fs.remove_file(Path::new("/sets/sat/ese-backup.json")).unwrap();
        },
        // A manifest that is damaged.
        |env| {
            let path = Path::new("/sets/mon/ese-backup.json");
            env.fs.open(path, ese_os::OpenMode::ReadWrite).unwrap().write_at(b"?", 30).unwrap();
        },
        // A file that nobody has listed.
        |env| {
            let path = Path::new("/sets/tue/notes.txt");
            env.fs.open(path, ese_os::OpenMode::CreateNew).unwrap();
        },
        // An archive that was cut off.
        |env| {
            let path = Path::new("/sets/x.esebak");
            env.fs.open(path, ese_os::OpenMode::CreateNew).unwrap();
        },
        // Somebody else's sets.
        |env| put_of(env, "other", 6, None, "bb"),
        // One that was made with a clock that was ahead: it is not the newest.
        |env| {
            let mut manifest = Manifest::read(env, Path::new("/sets/mon")).unwrap().unwrap();
            manifest.created = "2026-02-01T00:00:00.000Z".into();
            let dir = Path::new("/sets/ahead");
            env.fs.create_dir_all(dir).unwrap();
            env.fs.open(&dir.join(INCOMPLETE_NAME), ese_os::OpenMode::CreateNew).unwrap();
            manifest.write(env, dir).unwrap();
        },
    ];
    for spoil in spoil {
        let (env, disk) = SimEnv::new(1);
        two_chains(&env);
        spoil(&env);
        let files = |image: ese_sim::Image| {
            let files = image.files().map(|(path, _)| (path.to_path_buf(), image.read(path)));
            files.collect::<Vec<_>>()
        };
        let before = files(disk.image());
        let error = plan(&env, 1).unwrap_err();
        assert!(error.path().is_some(), "{error}");
        assert!(before == files(disk.image()), "nothing was changed");
    }
    let (env, _disk) = SimEnv::new(1);
    two_chains(&env);
    assert_eq!(plan(&env, 0).unwrap_err().code(), JetErr::InvalidParameter);
}

#[test]
fn a_power_cut_during_a_pruning_leaves_no_kept_set_without_a_link_and_can_be_finished() {
    let (env, disk) = SimEnv::new(1);
    two_chains(&env);
    disk.record(true);
    plan(&env, 1).unwrap().run(&env, &mut |_| ()).unwrap();
    let recording = disk.recording();
    let (mut begun, mut states) = (0, 0);
    for state in recording.states(StateOptions { seed: 5, budget: 500, garbage: true, from_op: 0 })
    {
        let env = SimEnv::on(&SimDisk::from_image(&state.image), 1);
        let what = &state.description;
        let shelf = Shelf::look(&env, Path::new(DIR)).unwrap();
        assert!(shelf.unreadable.is_empty(), "{what}: {:?}", shelf.unreadable);
        for set in &shelf.sets {
            shelf.chain(set).unwrap_or_else(|error| panic!("{what}: {error}"));
            for log in &set.manifest.logs {
                assert!(env.fs.exists(&set.path.join(&log.name)).unwrap(), "{what}: {}", set.name);
            }
        }
        begun += usize::from(!shelf.half_pruned.is_empty());
        for dir in &shelf.half_pruned {
            let refused = crate::restore::RestorePlan::examine(&env, dir).unwrap_err();
            let known = [JetErr::MissingRestoreLogFiles, JetErr::FileNotFound];
            assert!(known.contains(&refused.code()), "{what}: {refused}");
        }
        states += 1;
        PrunePlan::new(&env, shelf, 1).unwrap().run(&env, &mut |_| ()).unwrap();
        let left = env.fs.list(Path::new(DIR)).unwrap();
        let left: Vec<&str> = left.iter().map(|entry| entry.name.as_str()).collect();
        // A directory that lost its last name and not itself is empty.
        let empty = |name: &str| env.fs.list(&Path::new(DIR).join(name)).unwrap().is_empty();
        assert!(left.iter().all(|name| ["thu", "fri"].contains(name) || empty(name)), "{what}");
    }
    assert!(begun > 5 && states > 10, "{begun} of {states}");
}
