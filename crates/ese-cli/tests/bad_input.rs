//! What `ese` says to input that is wrong: one clear line with JET code, file and place, an exit
//! code that is not 0, and not one byte of the input changed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]
#![allow(clippy::disallowed_methods, reason = "tests look at files from outside the engine")]

mod support;

use std::{
    collections::BTreeSet,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::DirEntryExt as _},
    path::{Path, PathBuf},
    process::Command,
};

use ese_api::PageSize;
use support::{
    Ran, a_leaf, as_nobody, clean, contents, damage, dirty, ese, fill, program, run, set_of, start,
    untouched,
};

/// Every verb that reads a database file.
fn each_reader(dir: &Path, file: &str, mut judge: impl FnMut(&str, Ran)) {
    for args in [
        &["info", file][..],
        &["tables", file],
        &["rows", file, "t"],
        &["rows", file, "t", "--csv"],
        &["verify", file],
    ] {
        let ran = untouched(dir, || ese(dir, args));
        judge(args[0], ran);
    }
}

#[test]
fn a_file_that_is_no_database_is_refused_by_every_verb() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 10);
    let mut random = vec![0_u8; 70_000];
    let mut state = 1_u32;
    for byte in &mut random {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = state.to_be_bytes()[0];
    }
    fs::write(dir.join("empty"), b"").unwrap();
    fs::write(dir.join("text"), "hello\n".repeat(10_000)).unwrap();
    fs::write(dir.join("random"), random).unwrap();
    fs::write(dir.join("zeros"), vec![0; 70_000]).unwrap();
    fs::write(dir.join("sqlite"), [b"SQLite format 3\0".as_slice(), &[0; 8176]].concat()).unwrap();
    let whole = fs::read(dir.join("a.edb")).unwrap();
    fs::write(dir.join("stub"), &whole[..1000]).unwrap();
    for name in ["empty", "text", "random", "zeros", "sqlite", "stub"] {
        each_reader(dir, name, |verb, ran| {
            refused_or_found(verb, &ran, &[name, "(JET_err", "not an ESE database"]);
        });
    }
    for (name, what) in [("edb.log", "log"), ("edb.chk", "checkpoint")] {
        each_reader(dir, name, |verb, ran| {
            if matches!(verb, "info" | "verify") {
                assert!(ran.fine().contains(what));
                return;
            }
            ran.refused(1, &[name, what, "JET_errFileInvalidType -1812"]);
        });
    }
    each_reader(dir, "nothing", |_, ran| ran.refused(3, &["nothing", "JET_errFileNotFound -1811"]));
    for args in [["info", "."], ["tables", "."]] {
        untouched(dir, || ese(dir, &args)).refused(3, &["(JET_err"]);
    }
}

#[test]
fn a_database_of_another_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 10);
    let whole = fs::read(dir.join("a.edb")).unwrap();
    // Format version at offset 8, format update at 232, page size at 236.
    for (name, offset, value, words) in [
        ("version", 8, 0x700_u32, "JET_errInvalidDatabaseVersion -1209"),
        ("update", 232, 9999, "JET_errInvalidDatabaseVersion -1209"),
        ("page-size", 236, 1024, "JET_errReadVerifyFailure -1018"),
    ] {
        let mut bytes = whole.clone();
        for copy in [0, 4096] {
            bytes[copy + offset..copy + offset + 4].copy_from_slice(&value.to_le_bytes());
            seal_header(&mut bytes[copy..copy + 4096]);
        }
        fs::write(dir.join(name), bytes).unwrap();
        each_reader(dir, name, |verb, ran| refused_or_found(verb, &ran, &[name, words]));
    }
}

/// Whoever verifies a file has asked for what is wrong with it: that is no failure of the verb.
fn refused_or_found(verb: &str, ran: &Ran, words: &[&str]) {
    if verb != "verify" {
        return ran.refused(1, words);
    }
    assert!(ran.code == Some(1) && ran.stderr.is_empty(), "{ran:?}");
    let told = |line: &str| line.ends_with("[fatal]") && words.iter().all(|it| line.contains(it));
    assert!(ran.stdout.lines().any(told), "{words:?}: {ran:?}");
}

/// Header checksum: all words after the first, together with a constant.
fn seal_header(header: &mut [u8]) {
    let words = header[4..].chunks_exact(4).map(|w| u32::from_le_bytes(w.try_into().unwrap()));
    let sum = words.fold(0x89ab_cdef, |sum, word| sum ^ word);
    header[..4].copy_from_slice(&sum.to_le_bytes());
}

#[test]
fn a_database_with_pages_of_another_size_does_not_come_into_an_instance() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 10);
    clean(&dir.join("other"), PageSize::K8, 10);
    fs::remove_file(dir.join("data/a.edb")).unwrap();
    fs::copy(dir.join("other/a.edb"), dir.join("data/b.edb")).unwrap();
    let database = fs::read(dir.join("data/b.edb")).unwrap();
    ese(dir, &["backup", "data", "set"]).refused(1, &["b.edb", "JET_errPageSizeMismatch -1213"]);
    assert!(fs::read(dir.join("data/b.edb")).unwrap() == database);
    assert!(!dir.join("set").exists());
    fs::write(dir.join("r.jsonl"), "{\"a\": 1}\n").unwrap();
    let ran = ese(dir, &["import", "data", "--table", "t", "r.jsonl", "--page-size", "8192"]);
    ran.refused(1, &["JET_errPageSizeMismatch -1213"]);
    ese(dir, &["import", "new", "--table", "t", "r.jsonl", "--page-size", "1000"])
        .refused(2, &["4096, 8192, 16384 or 32768"]);
}

#[test]
fn a_dirty_database_is_not_read_and_the_message_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    dirty(dir, 3000);
    for args in [&["tables", "a.edb"][..], &["rows", "a.edb", "t"]] {
        untouched(dir, || ese(dir, args))
            .refused(1, &["a.edb", "JET_errDatabaseDirtyShutdown -550", "ese recover"]);
    }
    let info = untouched(dir, || ese(dir, &["info", "a.edb"])).fine();
    assert!(info.contains("Dirty Shutdown") && info.contains("logs required"), "{info}");
    let verified = untouched(dir, || ese(dir, &["verify", "."]));
    assert_eq!(verified.code, Some(1));
    assert!(verified.stdout.contains("JET_errDatabaseDirtyShutdown"), "{verified:?}");
    // And what to do helps.
    ese(dir, &["recover", ".", "--in-place"]).fine();
    assert_eq!(ese(dir, &["rows", "a.edb", "t", "--json"]).fine().lines().count(), 3000);
    assert!(ese(dir, &["verify", "."]).fine().ends_with("sound\n"));
}

/// The files of a running instance by name and inode: what is in them it changes when it likes, and
/// its status file comes, and is replaced, at any moment.
fn owned_files(dir: &Path) -> BTreeSet<(PathBuf, u64)> {
    let entries = fs::read_dir(dir).unwrap().map(Result::unwrap);
    let owned = entries.filter(|entry| !entry.file_name().as_bytes().starts_with(b"edb.status"));
    owned.map(|entry| (entry.path(), entry.ino())).collect()
}

#[test]
fn a_running_instance_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let elsewhere = tempfile::tempdir().unwrap();
    clean(&elsewhere.path().join("data"), PageSize::K4, 10);
    let other = elsewhere.path().join("set");
    set_of(&elsewhere.path().join("data"), &other);
    let instance = start(dir, PageSize::K4);
    let database = fill(&instance, 100);
    for args in [&["tables", "a.edb"][..], &["rows", "a.edb", "t"], &["verify", "a.edb"]] {
        ese(dir, args).refused(3, &["a.edb", "JET_errFileAccessDenied -1032"]);
    }
    assert!(ese(dir, &["info", "a.edb"]).fine().contains("in use"));
    for args in [&["recover", ".", "--in-place"][..], &["backup", ".", "set"]] {
        ese(dir, args).refused(3, &["JET_errLogFilePathInUse -1084"]);
    }
    fs::write(dir.join("r.jsonl"), "{\"a\": 1}\n").unwrap();
    ese(dir, &["import", ".", "--table", "r", "r.jsonl"])
        .refused(3, &["JET_errLogFilePathInUse -1084"]);
    assert!(!dir.join("set").exists());
    // The set of another database of that name, which would replace this one.
    for force in [&["--force"][..], &[]] {
        let args = [&["restore", other.to_str().unwrap(), "."][..], force].concat();
        let before = owned_files(dir);
        let ran = ese(dir, &args);
        assert_eq!(owned_files(dir), before);
        match force {
            [] => ran.refused(2, &["JET_errFileAlreadyExists -1814"]),
            _ => ran.refused(3, &["JET_errLogFilePathInUse -1084"]),
        }
    }
    drop(database);
    instance.stop().unwrap();
    let rows = ese(dir, &["rows", "a.edb", "t", "--csv"]).fine();
    assert_eq!(rows.lines().count(), 101);
}

#[test]
fn damaged_pages_are_named_and_never_passed_on() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 3000);
    set_of(&dir.join("data"), &dir.join("set"));
    // Looked at alone, a copy is a database that is not clean, and nothing worse.
    let ran = untouched(dir, || ese(dir, &["verify", "set/a.edb"]));
    assert_eq!((ran.code, ran.stdout.matches("PROBLEM").count()), (Some(1), 1), "{ran:?}");
    assert!(ran.stdout.contains("-544"), "{ran:?}");
    let leaf = a_leaf(&dir.join("data/a.edb"), 4096);
    let page = format!("page {}", leaf / 4096 - 1);
    damage(&dir.join("data/a.edb"), leaf + 1000);
    damage(&dir.join("set/a.edb"), leaf + 1000);

    let ran = untouched(dir, || ese(dir, &["rows", "data/a.edb", "t", "--csv"]));
    ran.refused(1, &["data/a.edb", &page, "JET_errReadVerifyFailure -1018"]);
    let ran = untouched(dir, || ese(dir, &["verify", "data/a.edb"]));
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains(&page) && ran.stdout.contains("-1018"), "{ran:?}");
    let named = ran.stdout.matches(&format!("{page}: checksum")).count();
    assert_eq!(named, 1, "{ran:?}");

    let ran = untouched(dir, || ese(dir, &["verify", "set"]));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let ran = untouched(&dir.join("set"), || ese(dir, &["restore", "set", "restored"]));
    ran.refused(1, &["set/a.edb", "(JET_err"]);

    let database = fs::read(dir.join("data/a.edb")).unwrap();
    ese(dir, &["backup", "data", "again"]).refused(1, &[&page, "JET_errReadVerifyFailure -1018"]);
    assert!(!dir.join("again").exists());
    // Only the header says that it was attached meanwhile.
    assert!(fs::read(dir.join("data/a.edb")).unwrap()[8192..] == database[8192..]);
}

/// The set of one of two databases is not the backup of a directory.
#[test]
fn a_database_that_is_none_any_more_is_never_passed_over() {
    type Spoil = fn(&mut Vec<u8>);
    let spoilt: [(&str, Spoil); 3] = [
        ("headers", |bytes| [100, 4196].into_iter().for_each(|at| bytes[at] ^= 0xff)),
        ("empty", Vec::clear),
        ("a byte", |bytes| bytes.truncate(1)),
    ];
    for (name, spoil) in spoilt {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        clean(&dir.join("data"), PageSize::K4, 10);
        let instance = start(&dir.join("data"), PageSize::K4);
        // One that only the log would know if its name did not say so.
        for file in ["b.edb", "c.data"] {
            drop(instance.create_database(file).unwrap());
        }
        instance.stop().unwrap();
        for file in ["b.edb", "c.data"] {
            let path = dir.join("data").join(file);
            let whole = fs::read(&path).unwrap();
            let mut bytes = whole.clone();
            spoil(&mut bytes);
            fs::write(&path, bytes).unwrap();
            let ran = untouched(dir, || ese(dir, &["verify", "data"]));
            assert_eq!(ran.code, Some(1), "{name}: {ran:?}");
            assert!(ran.stdout.contains(&format!("PROBLEM data/{file}")), "{name}: {ran:?}");
            if file == "b.edb" {
                ese(dir, &["backup", "data", "set"]).refused(1, &["b.edb", "(JET_err"]);
                assert!(!dir.join("set").exists(), "{name}");
                let ran = ese(dir, &["recover", "data", "--in-place"]);
                assert_eq!(ran.code, Some(1), "{name}: {ran:?}");
                assert!(ran.stdout.contains("PROBLEM data/b.edb"), "{name}: {ran:?}");
            }
            fs::write(&path, whole).unwrap();
        }
        assert!(ese(dir, &["verify", "data"]).fine().ends_with("sound\n"));
        // A directory with nothing else.
        fs::create_dir(dir.join("alone")).unwrap();
        let mut bytes = fs::read(dir.join("data/b.edb")).unwrap();
        spoil(&mut bytes);
        fs::write(dir.join("alone/b.edb"), bytes).unwrap();
        untouched(dir, || ese(dir, &["backup", "alone", "set"])).refused(1, &["b.edb", "(JET_err"]);
        assert_eq!(untouched(dir, || ese(dir, &["verify", "alone"])).code, Some(1), "{name}");
    }
}

#[test]
fn a_file_that_is_cut_while_it_is_read_is_an_error() {
    use std::io::Read as _;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 20_000);
    let mut child =
        support::spawn(program().args(["rows", "a.edb", "t", "--json"]).current_dir(dir));
    // It has begun, and cannot go on far before somebody reads.
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 1]).unwrap();
    fs::File::options().write(true).open(dir.join("a.edb")).unwrap().set_len(100_000).unwrap();
    let ran = support::finish(child);
    assert!(matches!(ran.code, Some(1 | 3)), "{ran:?}");
    assert!(ran.stderr.contains("a.edb") && ran.stderr.contains("(JET_err"), "{ran:?}");
}

#[test]
fn recovery_that_leaves_a_database_dirty_does_not_succeed() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    dirty(&dir.join("data"), 100);
    clean(&dir.join("other"), PageSize::K4, 10);
    fs::remove_file(dir.join("other/a.edb")).unwrap();
    fs::copy(dir.join("data/a.edb"), dir.join("other/b.edb")).unwrap();
    let ran = ese(dir, &["recover", "other", "--in-place"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("PROBLEM other/b.edb"), "{ran:?}");
    assert!(ran.stdout.contains("JET_errDatabaseDirtyShutdown -550"), "{ran:?}");
}

#[test]
fn a_backup_set_is_not_taken_for_an_instance() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 100);
    set_of(&dir.join("data"), &dir.join("set"));
    untouched(dir, || ese(dir, &["recover", "set", "--in-place"]))
        .refused(2, &["backup set", "ese restore"]);
    untouched(dir, || ese(dir, &["rows", "set/a.edb", "t"]))
        .refused(1, &["set/a.edb", "ese restore"]);
    let ran = untouched(&dir.join("set"), || ese(dir, &["backup", "set", "again"]));
    ran.refused(2, &["backup set"]);
    // A set of which a file is missing.
    let log = contents(&dir.join("set"))
        .into_keys()
        .find(|path| path.extension().is_some_and(|e| e == "log"));
    fs::remove_file(log.unwrap()).unwrap();
    let ran = untouched(&dir.join("set"), || ese(dir, &["restore", "set", "restored"]));
    ran.refused(3, &["set", "log", "JET_errFileNotFound -1811"]);
    assert_eq!(ese(dir, &["verify", "set"]).code, Some(1));
}

#[test]
fn files_in_the_way_stay() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 100);
    set_of(&dir.join("data"), &dir.join("set"));
    untouched(dir, || ese(dir, &["restore", "set", "data"]))
        .refused(2, &["a.edb", "JET_errFileAlreadyExists -1814"]);
    fs::create_dir(dir.join("logs")).unwrap();
    fs::copy(dir.join("data/edb.log"), dir.join("logs/edb.log")).unwrap();
    untouched(dir, || ese(dir, &["restore", "set", "logs"])).refused(2, &["edb.log", "-611"]);
    untouched(&dir.join("set"), || ese(dir, &["backup", "data", "set"]))
        .refused(2, &["JET_errBackupDirectoryNotEmpty -504"]);
    untouched(dir, || ese(dir, &["demo", "--dir", "data"])).refused(2, &["empty directory"]);
    ese(dir, &["restore", "set", "data", "--force"]).fine();
    assert_eq!(ese(dir, &["rows", "data/a.edb", "t", "--json"]).fine().lines().count(), 100);
}

#[test]
fn a_directory_without_permission_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let allow = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    allow(dir, 0o755);
    clean(&dir.join("closed"), PageSize::K4, 100);
    clean(&dir.join("readable"), PageSize::K4, 100);
    dirty(&dir.join("dirty"), 3000);
    set_of(&dir.join("readable"), &dir.join("set"));
    allow(&dir.join("closed"), 0o700);
    for name in ["readable", "dirty", "set"] {
        allow(&dir.join(name), 0o755);
        for path in contents(&dir.join(name)).keys() {
            allow(path, 0o644);
        }
    }
    fs::write(dir.join("r.jsonl"), "{\"a\": 1}\n").unwrap();
    let Some(ran) = as_nobody(dir, &["rows", "closed/a.edb", "t"]) else {
        let test = "a_directory_without_permission_is_refused";
        return ese_tests::skip(test, "only root can run a program as somebody else");
    };
    ran.refused(3, &["closed/a.edb", "JET_errFileAccessDenied -1032"]);
    for args in [
        &["recover", "dirty", "--in-place"][..],
        &["recover", "closed", "--in-place"],
        &["recover", "closed", "--dry-run"],
        &["recover", "closed", "--out", "new"],
        &["backup", "readable", "/tmp/never-made"],
        &["backup", "closed", "/tmp/never-made"],
        &["import", "readable", "--table", "t", "r.jsonl"],
        &["import", "new", "--table", "t", "r.jsonl"],
        &["restore", "set", "new"],
        &["demo", "--dir", "new"],
    ] {
        let ran = untouched(dir, || as_nobody(dir, args).unwrap());
        assert_eq!(ran.code, Some(3), "{args:?}: {ran:?}");
        assert_eq!(ran.stderr.lines().count(), 1, "{args:?}: {ran:?}");
        assert!(ran.stderr.contains("JET_errFileAccessDenied -1032"), "{args:?}: {ran:?}");
    }
    // What may be read is read.
    let ran =
        untouched(dir, || as_nobody(dir, &["rows", "readable/a.edb", "t", "--json"]).unwrap());
    assert_eq!(ran.fine().lines().count(), 100);
    let ran = untouched(dir, || as_nobody(dir, &["verify", "readable"]).unwrap());
    assert!(ran.fine().ends_with("sound\n"));
    // One that may not be read is not passed over.
    allow(&dir.join("readable/a.edb"), 0o600);
    let ran = untouched(dir, || as_nobody(dir, &["verify", "readable"]).unwrap());
    ran.refused(3, &["readable/a.edb", "JET_errFileAccessDenied -1032"]);
}

/// Runs `ese` where no file can grow beyond so many KiB, as on a full disk.
fn with_little_space(dir: &Path, kib: u32, args: &[&str]) -> Ran {
    let mut shell = Command::new("bash");
    let script = format!("ulimit -f {kib}; exec \"$@\"");
    shell.args(["-c", &script, "bash"]).arg(program().get_program()).args(args);
    run(shell.current_dir(dir))
}

#[test]
fn a_full_disk_is_an_error_that_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 20_000);
    set_of(&dir.join("data"), &dir.join("set"));
    let full = ["JET_errDiskFull -1808"];

    let ran =
        untouched(&dir.join("set"), || with_little_space(dir, 2000, &["restore", "set", "r"]));
    ran.refused(3, &full);
    let ran = with_little_space(dir, 2000, &["backup", "data", "again"]);
    ran.refused(3, &full);
    assert!(!dir.join("again").exists());
    for args in [
        &["export", "data/a.edb", "--out", "e", "--format", "jsonl"][..],
        &["export", "data/a.edb", "--out", "e.sqlite"],
        &["recover", "data", "--out", "r"],
    ] {
        with_little_space(dir, 1000, args).refused(3, &full);
        let out = dir.join(args[3]);
        assert!(!out.exists() || out.is_dir() && contents(&out).is_empty(), "{args:?}");
    }
    assert!(ese(dir, &["verify", "data"]).fine().ends_with("sound\n"));

    let records: String =
        (0..60_000).map(|n| format!("{{\"n\": {n}, \"s\": \"{n:0100}\"}}\n")).collect();
    fs::write(dir.join("r.jsonl"), records).unwrap();
    let ran = with_little_space(dir, 6000, &["import", "new", "--table", "t", "r.jsonl"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("DiskFull"), "{ran:?}");
    // Whatever was committed before is there once there is space again.
    ese(dir, &["recover", "new", "--in-place"]).fine();
    assert!(ese(dir, &["verify", "new"]).fine().ends_with("sound\n"));
    let rows = ese(dir, &["rows", "new/data.edb", "t", "--json"]).fine().lines().count();
    assert!(rows > 0 && rows.is_multiple_of(1000), "{rows}");
}

#[test]
fn records_that_are_wrong_are_named_by_line_and_nothing_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("bad.jsonl"), "{\"a\": 1}\n\n{\"a\": oops}\n").unwrap();
    fs::write(dir.join("list.jsonl"), "[1, 2]\n").unwrap();
    fs::write(dir.join("key.jsonl"), "{\"a\": 1}\n{\"a\": 1, \"b\": 2, \"a\": 3}\n").unwrap();
    fs::write(dir.join("none.jsonl"), "\n\n").unwrap();
    fs::write(dir.join("latin.csv"), b"a,b\n1,\xe9\n").unwrap();
    fs::write(dir.join("short.csv"), "a,b\n1,2\n3\n").unwrap();
    fs::write(dir.join("good.jsonl"), "{\"a\": 1}\n").unwrap();
    fs::write(dir.join("file.txt"), "a\n").unwrap();
    for (file, code, word) in [
        ("bad.jsonl", 1, "line 3"),
        ("list.jsonl", 1, "line 1"),
        ("key.jsonl", 1, "line 2: the key \"a\" occurs twice"),
        ("none.jsonl", 2, "no records"),
        ("latin.csv", 1, "UTF-8"),
        ("short.csv", 1, "line 3"),
        ("file.txt", 2, ".jsonl"),
        ("nowhere.csv", 3, "JET_errFileNotFound"),
    ] {
        let ran = untouched(dir, || ese(dir, &["import", "new", "--table", "t", file]));
        ran.refused(code, &[file, word]);
        let ran = untouched(dir, || ese(dir, &["demo", "--input", file]));
        assert!(ran.code != Some(0), "{file}: {ran:?}");
    }
    let ran =
        untouched(dir, || ese(dir, &["import", "new", "--table", "t", "good.jsonl", "--key", "b"]));
    ran.refused(2, &["key column \"b\""]);
    // A row that the table refuses: those before its batch are in, it and its batch are not.
    ese(dir, &["import", "new", "--table", "t", "good.jsonl", "--key", "a"]).fine();
    fs::write(dir.join("again.jsonl"), "{\"a\": 2}\n{\"a\": 3}\n{\"a\": 1}\n").unwrap();
    let args = ["import", "new", "--table", "t", "again.jsonl", "--batch", "1"];
    ese(dir, &args).refused(1, &["again.jsonl: line 3", "JET_errKeyDuplicate -1605"]);
    assert_eq!(ese(dir, &["rows", "new/data.edb", "t", "--csv"]).fine(), "a\n1\n2\n3\n");
    fs::write(dir.join("other.jsonl"), "{\"b\": 2}\n").unwrap();
    ese(dir, &["import", "new", "--table", "t", "other.jsonl"]).refused(2, &["no column \"b\""]);
}

/// Nothing is made for what can be refused first.
#[test]
fn names_that_no_table_can_have_are_refused_before_anything_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("good.jsonl"), "\u{feff}{\"a\": 1}\n").unwrap();
    let long = "x".repeat(65);
    fs::write(dir.join("long.jsonl"), format!("{{\"{long}\": 1}}\n")).unwrap();
    fs::write(dir.join("nul.jsonl"), "{\"a\\u0000\": 1}\n").unwrap();
    fs::write(dir.join("twice.jsonl"), "{\"a\": 1}\n{\"A\": 2}\n").unwrap();
    fs::write(dir.join("open.csv"), "a,b\n1,\"x\n2,3\n").unwrap();
    for (table, file, code, words) in [
        ("", "good.jsonl", 2, &["JET_errInvalidName -1002"][..]),
        ("t!x", "good.jsonl", 2, &["t!x", "JET_errInvalidName -1002"]),
        (&long, "good.jsonl", 2, &["JET_errInvalidName -1002"]),
        ("MSysObjids", "good.jsonl", 2, &["MSysObjids", "JET_errPermissionDenied -1809"]),
        ("t", "long.jsonl", 2, &["long.jsonl", "JET_errInvalidName -1002"]),
        ("t", "nul.jsonl", 2, &["nul.jsonl", "JET_errInvalidName -1002"]),
        ("t", "twice.jsonl", 2, &["twice.jsonl", "JET_errColumnDuplicate -1508"]),
        ("t", "open.csv", 1, &["open.csv: line 2: a quote is not closed", "(JET_err"]),
    ] {
        let ran = untouched(dir, || ese(dir, &["import", "new", "--table", table, file]));
        ran.refused(code, words);
    }
    for database in ["../x.edb", "/tmp/x.edb", "sub/x.edb", ".."] {
        let args = ["import", "new", "--table", "t", "good.jsonl", "--database", database];
        untouched(dir, || ese(dir, &args)).refused(2, &["--database", "JET_errInvalidParameter"]);
    }
    let args = ["import", "new", "--table", "t", "good.jsonl", "--batch", "0"];
    assert_eq!(untouched(dir, || ese(dir, &args)).code, Some(2));
    // Two databases, and nobody says which is meant.
    ese(dir, &["import", "new", "--table", "t", "good.jsonl"]).fine();
    untouched(dir, || ese(dir, &["import", "new", "--table", "u", "twice.jsonl"]))
        .refused(2, &["twice.jsonl", "JET_errColumnDuplicate -1508"]);
    ese(dir, &["import", "new", "--table", "t", "good.jsonl", "--database", "b.edb"]).fine();
    untouched(dir, || ese(dir, &["import", "new", "--table", "t", "good.jsonl"]))
        .refused(2, &["several databases", "--database"]);
    // What the table does not take has a line, a code and something to do.
    fs::write(dir.join("text.jsonl"), "{\"a\": 1}\n{\"a\": \"x\"}\n").unwrap();
    let args = ["import", "new", "--table", "t", "text.jsonl", "--database", "b.edb"];
    ese(dir, &args).refused(1, &["text.jsonl: line 2", "\"a\"", "(JET_err"]);
}

#[test]
fn a_set_without_its_manifest_is_no_instance() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 100);
    set_of(&dir.join("data"), &dir.join("set"));
    fs::remove_file(dir.join("set/ese-backup.json")).unwrap();
    let looks = "looks like a backup set without its manifest";
    for args in [&["recover", "set", "--in-place"][..], &["backup", "set", "again"]] {
        untouched(dir, || ese(dir, args)).refused(2, &[looks, "ese restore"]);
    }
    let ran = untouched(dir, || ese(dir, &["verify", "set"]));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.contains(looks) && ran.stdout.contains("1 problem"), "{ran:?}");
    ese(dir, &["restore", "set", "restored"]).fine();
    assert!(ese(dir, &["verify", "restored"]).fine().ends_with("sound\n"));
}

#[test]
fn wrong_usage_has_its_own_code() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 10);
    for args in [
        &[][..],
        &["frobnicate"],
        &["rows", "a.edb"],
        &["info"],
        &["rows", "a.edb", "t", "--csv", "--json"],
    ] {
        assert_eq!(untouched(dir, || ese(dir, args)).code, Some(2), "{args:?}");
    }
    untouched(dir, || ese(dir, &["rows", "a.edb", "nope"]))
        .refused(2, &["nope", "JET_errObjectNotFound -1305"]);
    assert_eq!(ese(dir, &["--help"]).code, Some(0));
    let json = ese(dir, &["rows", "a.edb", "nope", "--json"]);
    assert!(json.stdout.is_empty());
    let error: serde_json::Value = serde_json::from_str(&json.stderr).unwrap();
    assert_eq!(error["error"]["code"], -1305);
}
