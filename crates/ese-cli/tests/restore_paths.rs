//! A restore writes nothing outside of its target: links, pipes, devices and names that lead
//! elsewhere are refused, by `ese restore` and by the Rust functions, and nothing outside has
//! changed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]
#![allow(clippy::disallowed_methods, reason = "tests look at files from outside the engine")]

mod support;

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::symlink},
    path::{Path, PathBuf},
    process::Command,
};

use ese_api::{
    ColType, Env, JetErr, PageSize, RestoreOptions, RestoreSource, RestoreTarget, StopToken,
    TableBuilder, restore_from, row,
};
use support::{clean, contents, ese, set_of};

/// A set, a target beside it, and a directory that is none of their business.
struct Case {
    dir: tempfile::TempDir,
}

impl Case {
    fn new() -> Case {
        let dir = tempfile::tempdir().unwrap();
        clean(&dir.path().join("data"), PageSize::K4, 300);
        set_of(&dir.path().join("data"), &dir.path().join("set"));
        fs::create_dir_all(dir.path().join("outside")).unwrap();
        fs::create_dir_all(dir.path().join("target")).unwrap();
        fs::write(dir.path().join("outside/precious"), b"precious").unwrap();
        Case { dir }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn log(&self) -> PathBuf {
        let names = fs::read_dir(self.at("set")).unwrap().map(|entry| entry.unwrap().path());
        let mut logs: Vec<_> =
            names.filter(|path| path.extension() == Some(OsStr::new("log"))).collect();
        logs.sort();
        logs[0].clone()
    }

    /// Neither the program nor the function restores it, forced or not.
    fn refused(&self, what: &str) {
        let (set, target) = (self.at("set"), self.at("target"));
        let (outside, before) = (self.at("outside"), contents(&self.at("outside")));
        for force in [false, true] {
            let args = ["restore", "set", "target", "--force"];
            let ran = ese(self.dir.path(), &args[..3 + usize::from(force)]);
            assert!(ran.code.is_some_and(|code| code != 0), "{what}: {ran:?}");
            assert!(ran.stderr.contains("(JET_err"), "{what}: {ran:?}");
            let refused =
                restore(&RestoreSource::new(&set), &RestoreTarget::in_dir(&target), force);
            assert!(refused.is_err(), "{what}, forced: {force}");
            assert!(contents(&outside) == before, "{what}: something outside has changed");
        }
    }
}

fn restore(source: &RestoreSource, target: &RestoreTarget, force: bool) -> ese_api::Result<()> {
    let (progress, stop) = (&mut |_: &ese_api::RestoreProgress| (), StopToken::new());
    let mut options = RestoreOptions { force, keep_damaged: false, progress, stop };
    restore_from(&Env::real(), source, target, &mut options).map(drop)
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn links_and_pipes_in_a_set() {
    for name in ["a.edb", "log", "ese-backup.json"] {
        for kind in ["link", "dangling link", "pipe", "device"] {
            let case = Case::new();
            let file = if name == "log" { case.log() } else { case.at("set").join(name) };
            let moved = case.at("outside").join("moved");
            fs::rename(&file, &moved).unwrap();
            match kind {
                "link" => symlink(&moved, &file).unwrap(),
                "dangling link" => symlink(case.at("nowhere"), &file).unwrap(),
                "pipe" => pipe(&file),
                _ => symlink("/dev/zero", &file).unwrap(),
            }
            case.refused(&format!("{name} is a {kind}"));
        }
    }
}

#[test]
fn links_pipes_and_directories_at_the_target() {
    let names = [
        "a.edb",
        "a.edb.restoring",
        "a.edb.dwb",
        "edb.log",
        "edbtmp.log",
        "edb.chk",
        "edb.lck",
        "edbres00001.jrs",
        "edb.status",
        "ese-restore.incomplete",
        "ese-restore.restoring",
    ];
    for name in names {
        let case = Case::new();
        let place = case.at("target").join(name);
        symlink(case.at("outside/precious"), &place).unwrap();
        case.refused(&format!("a link {name}"));
        fs::remove_file(&place).unwrap();
        symlink(case.at("outside/new"), &place).unwrap();
        case.refused(&format!("a dangling link {name}"));
        fs::remove_file(&place).unwrap();
        pipe(&place);
        case.refused(&format!("a pipe {name}"));
        fs::remove_file(&place).unwrap();
        fs::create_dir(&place).unwrap();
        case.refused(&format!("a directory {name}"));
        fs::remove_dir(&place).unwrap();
        // What is no name of a restore is nobody's business.
        symlink(case.at("outside/precious"), case.at("target/other")).unwrap();
        ese(case.dir.path(), &["restore", "set", "target"]).fine();
    }
}

/// The sum that a manifest has at its end.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 }
        })
    };
    !bytes.iter().fold(!0, step)
}

/// Changes a manifest and makes its sum right.
fn forge(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    let text = text.replace(from, to);
    let at = text.rfind("\"crc32\": \"").unwrap() + "\"crc32\": \"".len();
    let blank = format!("{}00000000{}", &text[..at], &text[at + 8..]);
    let sum = format!("{:08x}", crc32(blank.as_bytes()));
    fs::write(path, format!("{}{sum}{}", &text[..at], &text[at + 8..])).unwrap();
}

#[test]
fn names_in_a_manifest_that_lead_elsewhere() {
    let long = "x".repeat(300);
    for name in
        ["../outside/precious", "/etc/passwd", "..", ".", "", "a\\u0000b", "a\\nb", "A.EDB", &long]
    {
        let case = Case::new();
        let manifest = case.at("set/ese-backup.json");
        forge(&manifest, "\"name\": \"a.edb\"", &format!("\"name\": \"{name}\""));
        case.refused(&format!("a database called {name:?}"));
        let case = Case::new();
        let log = case.log().file_name().unwrap().to_str().unwrap().to_owned();
        let manifest = case.at("set/ese-backup.json");
        forge(&manifest, &format!("\"name\": \"{log}\""), &format!("\"name\": \"{name}\""));
        case.refused(&format!("a log called {name:?}"));
    }
    // The forgery itself is none: unchanged, the set is fine.
    let case = Case::new();
    forge(&case.at("set/ese-backup.json"), "\"name\": \"a.edb\"", "\"name\": \"a.edb\"");
    ese(case.dir.path(), &["restore", "set", "target"]).fine();
}

#[test]
fn files_of_a_set_with_strange_names() {
    let name = |bytes: &[u8]| OsStr::from_bytes(bytes).to_owned();
    for bytes in [&b"a\nb.edb"[..], b"a\x1b[2Jb.edb", b"a\xff.edb", b"a\\b.edb"] {
        let case = Case::new();
        fs::remove_file(case.at("set/ese-backup.json")).unwrap();
        fs::rename(case.at("set/a.edb"), case.at("set").join(name(bytes))).unwrap();
        case.refused(&format!("a database called {:?}", name(bytes)));
    }
    // Longer than a name can be with what a restore puts behind it.
    let case = Case::new();
    fs::remove_file(case.at("set/ese-backup.json")).unwrap();
    let long = format!("{}.edb", "x".repeat(250));
    fs::rename(case.at("set/a.edb"), case.at("set").join(long)).unwrap();
    case.refused("a very long name");
}

#[test]
fn places_that_lead_elsewhere() {
    let case = Case::new();
    let source = RestoreSource::new(&case.at("set"));
    let before = contents(&case.at("outside"));
    let place = |to: &Path| {
        let target = RestoreTarget::in_dir(&case.at("target"));
        restore(&source, &target.with_place("a.edb".as_ref(), to), true)
    };
    for to in [
        "../outside/new.edb",
        "sub/../../outside/new.edb",
        "..",
        ".",
        "",
        "sub/",
        "sub/.",
        "new\0.edb",
        "new\n.edb",
        "new\\.edb",
        "ese-backup.json",
    ] {
        let refused = place(to.as_ref()).unwrap_err();
        assert_eq!(refused.code(), JetErr::InvalidPath, "{to:?}: {refused}");
    }
    let strange = place(OsStr::from_bytes(b"a\xff.edb").as_ref()).unwrap_err();
    assert_eq!(strange.code(), JetErr::InvalidPath);
    symlink(case.at("outside/precious"), case.at("target/linked.edb")).unwrap();
    let linked = place("linked.edb".as_ref()).unwrap_err();
    assert_eq!(linked.code(), JetErr::FileAccessDenied);
    fs::remove_file(case.at("target/linked.edb")).unwrap();
    // A database that the set does not have, and the set's own directory.
    let target = RestoreTarget::in_dir(&case.at("target"));
    let unknown = target.clone().with_place("b.edb".as_ref(), "c.edb".as_ref());
    let unknown = restore(&source, &unknown, true).unwrap_err();
    assert_eq!(unknown.code(), JetErr::InvalidPath);
    let own = place(&case.at("set/new.edb")).unwrap_err();
    assert_eq!(own.code(), JetErr::InvalidPath);
    assert!(contents(&case.at("outside")) == before);
    assert!(contents(&case.at("target")).is_empty());
    // A place that the caller names is a place.
    place("renamed.edb".as_ref()).unwrap();
    assert!(case.at("target/renamed.edb").exists());
    let elsewhere = target.with_place("a.edb".as_ref(), &case.at("made/for/it.edb"));
    restore(&source, &elsewhere, true).unwrap();
    assert!(case.at("made/for/it.edb").exists());
}

const SCATTERED: [&str; 3] = ["a/a.edb", "a/sub/z.edb", "other/y.edb"];

/// An instance in `a` adds rows to a database there, one below it and one in `other`, and is
/// killed.
fn scatter(dir: &Path, from: i32) {
    for place in ["a/sub", "other"] {
        fs::create_dir_all(dir.join(place)).unwrap();
    }
    let instance = support::start(&dir.join("a"), PageSize::K4);
    let mut session = instance.session().unwrap();
    for path in SCATTERED {
        let database = instance.open_or_create_database(dir.join(path)).unwrap();
        let mut transaction = session.begin().unwrap();
        let table = if from == 0 {
            let table = TableBuilder::new("t").column("id", ColType::Long).text("name");
            database.create_table(&mut transaction, table.primary(&["id"])).unwrap()
        } else {
            database.table(&transaction, "t").unwrap()
        };
        for id in from..from + 2000 {
            let row = row! { "id" => id, "name" => format!("{id:0100}") };
            table.insert(&mut transaction, &row).unwrap();
        }
        transaction.commit().unwrap();
    }
    drop(session);
    instance.abandon();
}

#[test]
fn databases_that_the_log_knows_elsewhere_are_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let dir = fs::canonicalize(dir.path()).unwrap();
    scatter(&dir, 0);
    // The one below the directory goes into the set, the one outside is named.
    let told = ese(&dir, &["backup", "a", "set", "--json"]);
    assert!(told.stdout.contains(r#"["a.edb","z.edb"]"#), "{told:?}");
    assert!(told.code == Some(1) && told.stderr.contains("other/y.edb: "), "{told:?}");
    for (from, there) in [(2000, true), (4000, false)] {
        // The log goes on, and the instance is killed: its databases are dirty.
        scatter(&dir, from);
        ese(&dir, &["ship", "a", "shipped", "--once"]).fine();
        if !there {
            fs::remove_file(dir.join("other/y.edb")).unwrap();
        }
        let before = [contents(&dir.join("other")), contents(&dir.join("a"))];
        let args = ["verify-backup", "set", "--logs", "shipped", "--scratch", "."];
        ese(&dir, &args).fine();
        let to = format!("r{from}");
        let ran = ese(&dir, &["restore", "set", &to, "--logs", "shipped"]);
        assert!(ran.stderr.contains("other/y.edb: the log knows this database"), "{ran:?}");
        ran.fine();
        assert!([contents(&dir.join("other")), contents(&dir.join("a"))] == before, "{there}");
        for database in ["a.edb", "z.edb"] {
            let rows = ese(&dir, &["rows", &format!("{to}/{database}"), "t", "--json"]).fine();
            assert_eq!(rows.lines().count(), usize::try_from(from).unwrap() + 2000, "{database}");
        }
        ese(&dir, &["recover", "a", "--in-place", "--ignore-missing"]).fine();
    }
}

#[test]
fn a_link_in_the_target_leads_no_replay_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let dir = fs::canonicalize(dir.path()).unwrap();
    clean(&dir.join("a"), PageSize::K4, 300);
    set_of(&dir.join("a"), &dir.join("set"));
    // Created after the backup, so that a replay makes it.
    fs::create_dir_all(dir.join("a/sub")).unwrap();
    let instance = support::start(&dir.join("a"), PageSize::K4);
    drop(instance.create_database("sub/z.edb").unwrap());
    instance.stop().unwrap();
    ese(&dir, &["ship", "a", "shipped", "--once"]).fine();
    fs::create_dir_all(dir.join("outside")).unwrap();
    fs::create_dir_all(dir.join("r")).unwrap();
    symlink(dir.join("outside"), dir.join("r/sub")).unwrap();
    ese(&dir, &["restore", "set", "r", "--logs", "shipped"]).fine();
    assert_eq!(contents(&dir.join("outside")).len(), 0);
    ese(&dir, &["restore", "set", "made", "--logs", "shipped"]).fine();
    ese(&dir, &["verify", "made/sub/z.edb"]).fine();
}
