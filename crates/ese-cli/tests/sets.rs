//! What a backup operator does with `ese`: archives, pipes, limits, signals, chains, pruning.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]
#![allow(clippy::disallowed_methods, reason = "tests look at files from outside the engine")]

mod support;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use ese_api::PageSize;
use ese_base::Pgno;
use ese_pages::checksum::stamp;
use serde_json::Value;
use support::{clean, ese, finish, program, run, signal, spawn};

fn rows(dir: &Path, database: &str) -> String {
    ese(dir, &["rows", database, "t", "--json"]).fine()
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Back up to standard output, into a file.
fn to_pipe(dir: &Path, file: &str) {
    let mut command = program();
    command.args(["backup", "data", "-"]).current_dir(dir).stdin(Stdio::null());
    command.stdout(fs::File::create(dir.join(file)).unwrap()).stderr(Stdio::null());
    assert!(command.status().unwrap().success());
}

/// Restore from standard input.
fn from_pipe(dir: &Path, file: &str, to: &str) -> (Option<i32>, String) {
    let mut command = program();
    command.args(["restore", "-", to]).current_dir(dir);
    command.stdin(fs::File::open(dir.join(file)).unwrap());
    let out = command.output().unwrap();
    (out.status.code(), String::from_utf8(out.stderr).unwrap())
}

#[test]
fn a_directory_an_archive_and_a_pipe_restore_the_same_rows() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K8, 20_000);
    let expected = rows(dir, "data/a.edb");
    ese(dir, &["backup", "data", "set"]).fine();
    let told = ese(dir, &["backup", "data", "set.esebak", "--truncate", "--json"]).fine();
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["kind"], &told["recorded"]), (&"full".into(), &1.into()));
    to_pipe(dir, "piped");
    ese(dir, &["restore", "set", "r1"]).fine();
    ese(dir, &["restore", "set.esebak", "r2"]).fine();
    assert_eq!(from_pipe(dir, "piped", "r3").0, Some(0));
    for restored in ["r1", "r2", "r3"] {
        assert!(rows(dir, &format!("{restored}/a.edb")) == expected, "{restored}");
        assert!(ese(dir, &["verify", restored]).fine().ends_with("sound\n"));
        assert!(!names(&dir.join(restored)).iter().any(|name| name.starts_with("ese-restore")));
    }
    // The same rules of the target, and nothing of the archive is left there.
    ese(dir, &["restore", "set.esebak", "r1"]).refused(2, &["-1814"]);
    assert!(!names(&dir.join("r1")).iter().any(|name| name.starts_with("ese-restore")));
    ese(dir, &["restore", "set.esebak", "r1", "--force"]).fine();
    ese(dir, &["backup", "data", "set.esebak"]).refused(2, &["set.esebak", "-1814"]);
    ese(dir, &["backup", "data", "-", "--truncate"]).refused(2, &["--truncate"]);
    ese(dir, &["restore", "data/a.edb", "r4"]).refused(1, &["no frame begins here", "-1812"]);
}

#[test]
fn an_archive_that_is_cut_off_or_altered_is_refused_and_names_the_place() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 20_000);
    to_pipe(dir, "whole");
    let whole = fs::read(dir.join("whole")).unwrap();
    for len in [whole.len() / 3, whole.len() - 1] {
        fs::write(dir.join("cut"), &whole[..len]).unwrap();
        let (code, told) = from_pipe(dir, "cut", "r");
        assert!(matches!(code, Some(1 | 3)), "{code:?} {told}");
        assert!(told.contains("standard input") && told.contains("frame "), "{told}");
        assert!(!dir.join("r").exists());
        fs::rename(dir.join("cut"), dir.join("cut.esebak")).unwrap();
        assert_ne!(ese(dir, &["restore", "cut.esebak", "r"]).code, Some(0));
        assert!(!dir.join("r").exists());
    }
    let mut altered = whole;
    let middle = altered.len() / 2;
    altered[middle] ^= 4;
    fs::write(dir.join("altered.esebak"), altered).unwrap();
    ese(dir, &["restore", "altered.esebak", "r"])
        .refused(1, &["altered.esebak", "frame ", "-1018"]);
    assert!(!dir.join("r").exists());
}

#[test]
fn a_limited_backup_takes_its_time_tells_when_asked_and_can_be_let_go() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K8, 30_000);
    let bytes = fs::metadata(dir.join("data/a.edb")).unwrap().len();
    let begun = Instant::now();
    let limit = format!("{}.{:06}", bytes / 2_000_000, bytes / 2 % 1_000_000);
    ese(dir, &["backup", "data", "slow", "--throttle", &limit]).fine();
    assert!(begun.elapsed() > Duration::from_millis(1500), "{:?}", begun.elapsed());

    // As good as standing still, until the file says otherwise.
    fs::write(dir.join("limit"), "0.001\n").unwrap();
    let mut child = spawn(
        program()
            .args(["backup", "data", "set.esebak", "--throttle-file", "limit", "--quiet"])
            .current_dir(dir),
    );
    while !dir.join("set.esebak.incomplete").exists() {
        std::thread::yield_now();
    }
    std::thread::sleep(Duration::from_millis(300));
    signal(child.id(), "-USR1");
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("backup: ") && line.contains("a second, "), "{line}");
    assert!(!dir.join("set.esebak").exists());
    fs::write(dir.join("limit"), "0\n").unwrap();
    assert_eq!(finish(child).code, Some(0));
    ese(dir, &["restore", "set.esebak", "r"]).fine();
    ese(dir, &["backup", "data", "x", "--throttle", "fast"])
        .code
        .filter(|code| *code == 2)
        .unwrap();
    ese(dir, &["backup", "data", "x", "--throttle-file", "missing"])
        .refused(3, &["missing", "-1811"]);
    fs::write(dir.join("limit"), "fast\n").unwrap();
    ese(dir, &["backup", "data", "x", "--throttle-file", "limit"]).refused(2, &["limit", "MB/s"]);
    assert!(!dir.join("x").exists());
}

#[test]
fn ctrl_c_stops_an_archive_cleanly_and_the_second_one_leaves_no_complete_one() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K8, 5000);
    for twice in [false, true] {
        let mut command = program();
        command.args(["backup", "data", "set.esebak", "--throttle", "0.001"]).current_dir(dir);
        let child = spawn(&mut command);
        while !dir.join("set.esebak.incomplete").exists() {
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_millis(200));
        if twice {
            // Held up so that it cannot end between the two.
            signal(child.id(), "-STOP");
            signal(child.id(), "-INT");
            signal(child.id(), "-TERM");
            signal(child.id(), "-CONT");
            let ran = finish(child);
            assert!(matches!(ran.code, Some(130 | 4)), "{ran:?}");
        } else {
            signal(child.id(), "-INT");
            finish(child).refused(4, &["stopped", "-801"]);
            assert_eq!(names(dir), ["data"]);
        }
        assert!(!dir.join("set.esebak").exists());
    }
    // What a killed one left is replaced.
    ese(dir, &["backup", "data", "set.esebak"]).fine();
    assert_eq!(names(dir), ["data", "set.esebak"]);
    ese(dir, &["restore", "set.esebak", "r"]).fine();
}

#[test]
fn a_pipe_that_nobody_reads_is_no_success() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 20_000);
    let mut child = spawn(program().args(["backup", "data", "-"]).current_dir(dir));
    drop(child.stdout.take());
    let ran = finish(child);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("cannot write the archive"), "{ran:?}");
    assert!(ran.stderr.contains("; nobody reads the pipe"), "{ran:?}");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = program();
    command.args(["backup", "data", "-"]).current_dir(dir).stdout(full);
    let ran = finish(command.stderr(Stdio::piped()).spawn().unwrap());
    assert!(ran.code == Some(3) && ran.stderr.contains("JET_errDiskFull"), "{ran:?}");
}

#[test]
fn pruning_keeps_the_newest_and_says_before_what_it_will_do() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 500);
    fs::create_dir(dir.join("sets")).unwrap();
    ese(dir, &["backup", "data", "sets/mon", "--truncate"]).fine();
    ese(dir, &["backup", "data", "sets/tue", "--incremental"]).fine();
    ese(dir, &["backup", "data", "sets/wed.esebak", "--incremental", "--truncate"]).fine();
    ese(dir, &["backup", "data", "sets/thu.esebak", "--truncate"]).fine();
    let told = ese(dir, &["prune", "sets", "--keep", "1", "--dry-run", "--json"]).fine();
    let told: Value = serde_json::from_str(&told).unwrap();
    let sets = |key: &str| {
        let list = told[key].as_array().unwrap().iter();
        list.map(|set| set["set"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(sets("kept"), ["sets/thu.esebak"]);
    assert_eq!(sets("removed"), ["sets/wed.esebak", "sets/tue", "sets/mon"]);
    assert_eq!(names(&dir.join("sets")).len(), 4, "nothing was done");
    ese(dir, &["prune", "sets", "--keep", "2"]).fine();
    assert_eq!(names(&dir.join("sets")).len(), 4);
    fs::write(dir.join("sets/mon/note"), "").unwrap();
    ese(dir, &["prune", "sets", "--keep", "1"]).refused(1, &["note", "-1812"]);
    assert_eq!(names(&dir.join("sets")).len(), 4);
    fs::remove_file(dir.join("sets/mon/note")).unwrap();
    let told = ese(dir, &["prune", "sets", "--keep", "1"]).fine();
    assert!(told.contains("1 set kept, 3 removed"), "{told}");
    assert_eq!(names(&dir.join("sets")), ["thu.esebak"]);
    ese(dir, &["restore", "sets/thu.esebak", "r"]).fine();
    let alone = run(program().args(["prune", "sets", "--keep", "0"]).current_dir(dir));
    assert_eq!(alone.code, Some(2));
}

#[test]
fn an_incremental_backup_needs_its_base() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 500);
    clean(&dir.join("other"), PageSize::K4, 500);
    fs::create_dir_all(dir.join("sets")).unwrap();
    ese(dir, &["backup", "data", "sets/i", "--incremental"]).refused(2, &["sets", "-560"]);
    ese(dir, &["backup", "data", "sets/copy"]).fine();
    ese(dir, &["backup", "data", "sets/i", "--incremental"]).refused(2, &["--truncate", "-560"]);
    ese(dir, &["backup", "other", "foreign", "--truncate"]).fine();
    ese(dir, &["backup", "data", "sets/i", "--incremental", "--base", "foreign"])
        .refused(1, &["foreign", "-555"]);
    ese(dir, &["backup", "data", "-", "--incremental"]).refused(2, &["--base"]);
    ese(dir, &["backup", "data", "sets/mon", "--truncate"]).fine();
    let told = ese(dir, &["backup", "data", "sets/i", "--incremental", "--json"]).fine();
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["kind"], &told["base"]), (&"incremental".into(), &"mon".into()));
    assert_eq!(told["databases"], Value::Array(Vec::new()));
    assert!(!names(&dir.join("sets/i")).contains(&"a.edb".to_owned()));
}

#[test]
fn what_was_shipped_restores_the_rows_of_an_instance_that_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("live"), PageSize::K4, 50);
    ese(dir, &["backup", "live", "set"]).fine();
    let mut shipping =
        spawn(program().args(["ship", "live", "shipped", "--interval", "0.05"]).current_dir(dir));
    let record = |n: u32| format!("{{\"id\": {n}, \"text\": \"{n:0200}\"}}\n");
    fs::write(dir.join("r.jsonl"), (0..100_000).map(record).collect::<String>()).unwrap();
    let finished =
        |of: &str| names(&dir.join(of)).iter().filter(|name| name.starts_with("edb0")).count();
    let before = finished("live");
    let mut loading = spawn(
        program()
            .args(["import", "live", "--table", "rows", "--key", "id", "--batch", "20", "r.jsonl"])
            .args(["--database", "a.edb"])
            .current_dir(dir),
    );
    let log = dir.join("live/edb.log");
    // Generations that the load has filled, not those that beginnings and ends leave nearly empty.
    let shipped_some = || dir.join("shipped").is_dir() && finished("shipped") > before + 3;
    while !(shipped_some() && log.exists()) {
        assert!(loading.try_wait().unwrap().is_none(), "the load is too small for this test");
        std::thread::sleep(Duration::from_millis(5));
    }
    loading.kill().unwrap();
    loading.wait().unwrap();
    // What was in the log when the instance was killed is shipped by the next step.
    signal(shipping.id(), "-INT");
    assert!(shipping.wait().unwrap().success());
    ese(dir, &["recover", "live", "--in-place"]).fine();
    let expected = ese(dir, &["rows", "live/a.edb", "rows", "--json"]).fine();
    fs::remove_dir_all(dir.join("live")).unwrap();
    ese(dir, &["verify-backup", "set", "--logs", "shipped", "--scratch", "."]).fine();
    ese(dir, &["restore", "set", "restored", "--logs", "shipped"]).fine();
    let found = ese(dir, &["rows", "restored/a.edb", "rows", "--json"]).fine();
    assert!(found.lines().count() > 100, "{} rows", found.lines().count());
    assert!(found == expected, "{} and {} rows", found.lines().count(), expected.lines().count());
    assert!(ese(dir, &["verify", "restored"]).fine().ends_with("sound\n"));
}

#[test]
fn shipping_refuses_a_gap_and_another_log() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 3000);
    clean(&dir.join("other"), PageSize::K4, 30);
    ese(dir, &["ship", "data", "shipped", "--once"]).fine();
    ese(dir, &["ship", "other", "shipped", "--once"]).refused(1, &["shipped", "-530"]);
    // Backups that truncate the log before it was shipped.
    for set in ["s1", "s2", "s3"] {
        ese(dir, &["backup", "data", set, "--truncate"]).fine();
    }
    ese(dir, &["ship", "data", "shipped", "--once"]).refused(1, &["data", "-528"]);
    ese(dir, &["ship", "s1/nothing", "shipped", "--once"]).code.filter(|code| *code == 3).unwrap();
}

/// Rows that were not there before, in a table of their own.
fn import(dir: &Path, from: u32, count: u32) {
    let record = |n: u32| format!("{{\"id\": {n}, \"text\": \"{n:0200}\"}}\n");
    fs::write(dir.join("r.jsonl"), (from..from + count).map(record).collect::<String>()).unwrap();
    let args = ["import", "data", "--table", "rows", "--key", "id", "r.jsonl"];
    ese(dir, &[&args[..], &["--database", "a.edb"]].concat()).fine();
}

/// A full set and two that build on it; the rows at the end of each.
fn chain(dir: &Path) -> [String; 3] {
    clean(&dir.join("data"), PageSize::K4, 500);
    fs::create_dir(dir.join("sets")).unwrap();
    let mut found = Vec::new();
    for (number, name) in (0..).zip(["mon", "tue", "wed.esebak"]) {
        import(dir, number * 1000, 700);
        found.push(ese(dir, &["rows", "data/a.edb", "rows", "--json"]).fine());
        let set = format!("sets/{name}");
        let mut args = vec!["backup", "data", &set, "--truncate"];
        args.extend((number > 0).then_some("--incremental"));
        ese(dir, &args).fine();
    }
    found.try_into().unwrap()
}

fn answer(dir: &Path, set: &str) -> (Option<i32>, Value) {
    let ran = ese(dir, &["verify-backup", set, "--json", "--scratch", "."]);
    assert!(!names(dir).iter().any(|name| name.starts_with("ese-verify")), "{ran:?}");
    (ran.code, serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}")))
}

#[test]
fn each_link_of_a_chain_restores_the_rows_of_its_moment() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let expected = chain(dir);
    for (name, expected) in ["mon", "tue", "wed.esebak"].into_iter().zip(&expected) {
        let to = format!("restored-{name}");
        ese(dir, &["restore", &format!("sets/{name}"), &to]).fine();
        let found = ese(dir, &["rows", &format!("{to}/a.edb"), "rows", "--json"]).fine();
        assert!(found == *expected, "{name}: {} rows", found.lines().count());
        let (code, said) = answer(dir, &format!("sets/{name}"));
        assert_eq!((code, &said["answer"]), (Some(0), &"restorable".into()), "{said}");
        assert!(said["time"].as_str().unwrap().ends_with('Z'), "{said}");
        assert_eq!(said["generation"], said["last_generation"], "{said}");
    }
    let plan = ese(dir, &["restore", "sets/tue", "new", "--dry-run", "--json"]).fine();
    let plan: Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["sets"].as_array().unwrap().len(), 2, "{plan}");
    assert_eq!(plan["databases"][0]["file"], "new/a.edb", "{plan}");
    let plan = ese(dir, &["restore", "sets/wed.esebak", "new", "--dry-run"]).fine();
    assert!(plan.contains("new/a.edb: would be restored") && !dir.join("new").exists(), "{plan}");
    // All but the last link in a pipe.
    let (code, told) = from_pipe(dir, "sets/wed.esebak", "piped");
    assert!(code == Some(2) && told.contains("-560"), "{code:?} {told}");
    fs::rename(dir.join("sets/tue"), dir.join("tue")).unwrap();
    ese(dir, &["restore", "sets/wed.esebak", "x"]).refused(2, &["tue", "-560"]);
    assert!(!dir.join("x").exists());
}

#[test]
fn the_check_of_a_backup_has_three_answers() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    chain(dir);
    let logs = names(&dir.join("sets/tue"));
    // The last one is in the next set, too.
    let last_log = logs.iter().filter(|name| name.ends_with(".log")).nth_back(1).unwrap();
    support::damage(&dir.join("sets/tue").join(last_log), 5000);
    let (code, said) = answer(dir, "sets/wed.esebak");
    assert_eq!((code, &said["answer"]), (Some(1), &"restorable_with_loss".into()), "{said}");
    let (reached, last) = (said["generation"].as_u64(), said["last_generation"].as_u64());
    assert!(reached.unwrap() + 1 < last.unwrap(), "{said}");
    assert!(said["reason"]["file"].as_str().unwrap().ends_with(last_log.as_str()), "{said}");
    assert!(said["reason"]["generation"].as_u64() > reached, "{said}");
    let told = ese(dir, &["verify-backup", "sets/tue", "sets/mon", "--scratch", "."]);
    assert_eq!(told.code, Some(1));
    assert!(told.stdout.contains("sets/tue: restorable to "), "{told:?}");
    assert!(told.stdout.contains("with loss of log generations"), "{told:?}");
    assert!(told.stdout.contains("sets/mon: restorable to "), "{told:?}");

    // The full set itself: nothing can be restored.
    support::damage(&dir.join("sets/mon/a.edb"), 20_000);
    for set in ["sets/mon", "sets/tue"] {
        let (code, said) = answer(dir, set);
        assert_eq!((code, &said["answer"]), (Some(1), &"not_restorable".into()), "{said}");
        assert!(said["reason"]["file"].as_str().unwrap().ends_with("mon/a.edb"), "{said}");
        assert!(said["reason"]["page"].is_u64() && said["position"].is_null(), "{said}");
    }
    fs::remove_file(dir.join("sets/mon/ese-backup.json")).unwrap();
    let (code, said) = answer(dir, "sets/tue");
    assert_eq!((code, &said["answer"]), (Some(1), &"not_restorable".into()), "{said}");
    assert_eq!(said["reason"]["code"], -560, "{said}");
    let cut = fs::read(dir.join("sets/wed.esebak")).unwrap();
    fs::write(dir.join("sets/cut.esebak"), &cut[..cut.len() - 9]).unwrap();
    let (code, said) = answer(dir, "sets/cut.esebak");
    assert_eq!((code, &said["answer"]), (Some(1), &"not_restorable".into()), "{said}");
}

/// Every page of the set is as it was read: what is wrong with it a restore gives back.
#[test]
fn what_was_wrong_before_the_backup_is_told_of_a_set_that_can_be_restored() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 500);
    let database = dir.join("data/a.edb");
    let leaf = support::a_leaf(&database, 4096) / 4096 - 1;
    let mut file = fs::read(&database).unwrap();
    let page = &mut file[(leaf + 1) * 4096..][..4096];
    // Its time of change is one that the database has not reached.
    page[12] = 1;
    stamp(page, Pgno(u32::try_from(leaf).unwrap()));
    fs::write(&database, file).unwrap();
    ese(dir, &["backup", "data", "set"]).fine();
    let told = ese(dir, &["verify-backup", "set", "--scratch", "."]);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.stdout.contains("set: restorable to "), "{told:?}");
    let named = format!("a.edb: page {leaf}: dbtime ");
    let problem = |line: &str| line.starts_with("PROBLEM ") && line.contains(&named);
    assert!(told.stdout.lines().any(problem), "{told:?}");
    let (_, said) = answer(dir, "set");
    assert_eq!(said["answer"], "restorable", "{said}");
    let problem = &said["problems"][0];
    assert_eq!((&problem["page"], &problem["severity"]), (&leaf.into(), &"error".into()), "{said}");
    ese(dir, &["restore", "set", "restored"]).fine();
    let verified = ese(dir, &["verify", "restored"]);
    assert!(verified.code == Some(1) && verified.stdout.contains("dbtime "), "{verified:?}");
}

#[test]
fn foreign_bytes_in_a_page_that_no_tree_uses_stop_a_backup_with_the_advice_that_helps() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 500);
    let database = dir.join("data/a.edb");
    let mut file = fs::read(&database).unwrap();
    let last = file.len() - 4096;
    file[last..].fill(0x5a);
    fs::write(&database, file).unwrap();
    let verified = ese(dir, &["verify", "data"]);
    assert!(verified.stdout.contains("no row is in them"), "{verified:?}");
    ese(dir, &["backup", "data", "set"]).refused(1, &["page", "-1018", "`ese compact` makes"]);
    fs::create_dir(dir.join("sound")).unwrap();
    ese(dir, &["compact", "data/a.edb", "sound/a.edb"]).fine();
    ese(dir, &["backup", "sound", "set"]).fine();
    assert_eq!(rows(dir, "sound/a.edb").lines().count(), 500);
}

#[test]
fn a_backup_that_was_stopped_with_leave_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K8, 30_000);
    let bytes = fs::metadata(dir.join("data/a.edb")).unwrap().len();
    // As good as standing still after the first pieces.
    let limit = format!("{}.{:06}", bytes / 10_000_000, bytes / 10 % 1_000_000);
    let args = ["backup", "data", "set", "--resume", "--throttle", &limit];
    let child = spawn(program().args(args).current_dir(dir));
    let copied = || fs::metadata(dir.join("set/a.edb")).map_or(0, |file| file.len());
    while copied() == 0 {
        std::thread::yield_now();
    }
    std::thread::sleep(Duration::from_millis(1500));
    signal(child.id(), "-INT");
    finish(child).refused(4, &["stopped", "--resume goes on", "-801"]);
    let left = names(&dir.join("set"));
    assert_eq!(left, ["a.edb", "ese-backup.incomplete", "ese-backup.kept.json"]);
    ese(dir, &["restore", "set", "r"]).refused(1, &["set", "-557"]);
    ese(dir, &["backup", "data", "set"]).refused(2, &["set", "-504"]);
    ese(dir, &["backup", "data", "set.esebak", "--resume"]).refused(2, &["directory"]);
    // The instance went on meanwhile.
    import(dir, 0, 700);
    let told = ese(dir, &["backup", "data", "set", "--resume", "--truncate", "--json"]).fine();
    let told: Value = serde_json::from_str(&told).unwrap();
    assert!(told["taken_over"].as_u64().unwrap() >= 1 << 20, "{told}");
    assert_eq!(told["recorded"], 1, "{told}");
    ese(dir, &["restore", "set", "r"]).fine();
    for table in ["t", "rows"] {
        let rows = |of: &str| ese(dir, &["rows", &format!("{of}/a.edb"), table, "--json"]).fine();
        assert!(rows("r") == rows("data"), "{table}");
    }
    assert!(ese(dir, &["verify", "r"]).fine().ends_with("sound\n"));
    // Killed at once, it goes on from what was durable; or begins anew when told.
    for anew in [false, true] {
        let set = if anew { "third" } else { "second" };
        let args = ["backup", "data", set, "--resume", "--throttle", "0.001"];
        let mut child = spawn(program().args(args).current_dir(dir));
        while !dir.join(set).join("ese-backup.kept.json").exists() {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let mut args = vec!["backup", "data", set, "--resume"];
        args.extend(anew.then_some("--anew"));
        ese(dir, &args).fine();
        ese(dir, &["verify-backup", set, "--scratch", "."]).fine();
    }
}
