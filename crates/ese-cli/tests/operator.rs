//! What operators of backups met: names, damage behind an end, two backups at once, lost files.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]
#![allow(clippy::disallowed_methods, reason = "tests look at files from outside the engine")]

mod support;

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::Stdio,
    thread::sleep,
    time::Duration,
};

use ese_api::{Env, LogTime, PageSize, TableBuilder};
use serde_json::Value;
use support::{as_nobody, clean, ese, finish, program, signal, spawn, start, untouched};

fn import(dir: &Path, from: u32, count: u32) {
    let record = |n: u32| format!("{{\"id\": {n}, \"text\": \"{n:0200}\"}}\n");
    fs::write(dir.join("r.jsonl"), (from..from + count).map(record).collect::<String>()).unwrap();
    let args = ["import", "data", "--table", "rows", "--key", "id", "r.jsonl"];
    ese(dir, &[&args[..], &["--database", "a.edb"]].concat()).fine();
}

fn rows(dir: &Path, of: &str) -> String {
    ese(dir, &["rows", &format!("{of}/a.edb"), "rows", "--json"]).fine()
}

fn logs(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> =
        names.filter(|name| name.ends_with(".log") && name != "edbtmp.log").collect();
    names.sort();
    names
}

fn json(told: &str) -> Value {
    serde_json::from_str(told).unwrap_or_else(|_| panic!("{told}"))
}

fn answer(dir: &Path, args: &[&str]) -> (Option<i32>, Value) {
    let all = [&["verify-backup", "--json", "--scratch", "."], args].concat();
    let ran = ese(dir, &all);
    (ran.code, json(&ran.stdout))
}

#[test]
fn a_database_is_restored_whatever_it_is_called_or_not_backed_up() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("r.jsonl"), "{\"id\": 1}\n{\"id\": 2}\n").unwrap();
    for (name, comes_as) in [
        ("x.pat", "x.pat"),
        ("a.jfm", "a.jfm"),
        ("data.edb.restoring", "data.edb.restoring.edb"),
        ("ese-backup.kept.json", "ese-backup.kept-2.json"),
    ] {
        let home = dir.join(name);
        fs::create_dir(&home).unwrap();
        let args = ["import", "data", "--table", "z", "../r.jsonl", "--database", name];
        ese(&home, &args).fine();
        ese(&home, &["backup", "data", "set"]).fine();
        ese(&home, &["backup", "data", "set.esebak"]).fine();
        for (set, to) in [("set", "r1"), ("set.esebak", "r2")] {
            ese(&home, &["restore", set, to]).fine();
            let database = format!("{to}/{comes_as}");
            assert_eq!(ese(&home, &["rows", &database, "z", "--json"]).fine().lines().count(), 2);
        }
    }
    for name in ["a\nb.edb", "a\tb.edb", "a\x1bb.edb", "a\\b.edb"] {
        let args = ["import", "data", "--table", "z", "r.jsonl", "--database", name];
        ese(dir, &args).refused(2, &["no backup"]);
        let home = tempfile::tempdir().unwrap();
        let instance = start(&home.path().join("data"), PageSize::K4);
        drop(instance.create_database(name).unwrap());
        instance.stop().unwrap();
        for out in ["set", "set.esebak"] {
            let ran = ese(home.path(), &["backup", "data", out, "--truncate"]);
            ran.refused(3, &["rename the database", "-1023"]);
            assert!(!home.path().join(out).exists());
        }
    }
}

/// A set, many generations of log after it, and the rows and the time in between.
fn history(dir: &Path) -> (LogTime, String) {
    clean(&dir.join("data"), PageSize::K4, 500);
    ese(dir, &["backup", "data", "set", "--truncate"]).fine();
    import(dir, 0, 300);
    sleep(Duration::from_millis(900));
    let now = Env::real().clock.log_time();
    let then = rows(dir, "data");
    sleep(Duration::from_millis(900));
    import(dir, 1000, 4000);
    ese(dir, &["ship", "data", "shipped", "--once"]).fine();
    (now, then)
}

#[test]
fn damage_behind_the_end_of_a_restore_is_no_hindrance() {
    for way in ["a segment", "a header", "a hole", "too short"] {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let (time, expected) = history(dir);
        let names = logs(&dir.join("shipped"));
        let bad = &names[names.len() - 2];
        let log = dir.join("shipped").join(bad);
        match way {
            "a segment" => support::damage(&log, 100_000),
            "a header" => support::damage(&log, 2000),
            "a hole" => fs::remove_file(&log).unwrap(),
            _ => fs::OpenOptions::new().write(true).open(&log).unwrap().set_len(5000).unwrap(),
        }
        let (code, said) = answer(dir, &["set", "--logs", "shipped"]);
        assert_eq!((code, &said["answer"]), (Some(1), &"restorable_with_loss".into()), "{said}");
        let position = said["position"].as_str().unwrap();
        let restore = |to: &str, more: &[&str]| {
            let args = ["restore", "set", to, "--logs", "shipped"];
            ese(dir, &[&args[..], more].concat())
        };
        assert_eq!(restore("r0", &[]).code, Some(1), "{way}");
        restore("r1", &["--to-time", &time.to_string()]).fine();
        assert!(rows(dir, "r1") == expected, "{way}");
        restore("r2", &["--to-position", position]).fine();
        let ran = restore("r3", &["--allow-loss"]);
        let named = if way == "a hole" { "-557" } else { &bad[..8] };
        assert!(ran.stderr.contains("with loss") && ran.stderr.contains(named), "{ran:?}");
        ran.fine();
        let (two, three) = (rows(dir, "r2"), rows(dir, "r3"));
        assert!(two == three && two.starts_with(&expected), "{way}");
        assert!(two.lines().count() > 1000 && rows(dir, "data").starts_with(&two), "{way}");
        for restored in ["r1", "r2", "r3"] {
            assert_eq!(logs(&dir.join(restored)).len(), 0, "{way}");
        }
        // Behind what is wrong nobody knows what was when.
        let late = restore("r4", &["--to-time", "2100-01-01T00:00:00Z"]);
        assert!(late.code == Some(1) && late.stderr.contains(named), "{way}: {late:?}");
    }
}

/// A full set and two incremental ones.
fn chain(dir: &Path) {
    clean(&dir.join("data"), PageSize::K4, 500);
    fs::create_dir(dir.join("sets")).unwrap();
    for (number, set) in (0..).zip(["sets/full", "sets/i1", "sets/i2"]) {
        import(dir, number * 1000, 700);
        let mut args = vec!["backup", "data", set, "--truncate"];
        args.extend((number > 0).then_some("--incremental"));
        ese(dir, &args).fine();
    }
}

#[test]
fn a_bad_last_link_leaves_what_comes_before_it() {
    for way in ["too short", "a header", "lost log", "lost set"] {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        chain(dir);
        let log = dir.join("sets/i2").join(logs(&dir.join("sets/i2")).pop().unwrap());
        match way {
            "too short" => {
                fs::OpenOptions::new().write(true).open(&log).unwrap().set_len(9000).unwrap();
            }
            "a header" => support::damage(&log, 2000),
            "lost log" => fs::remove_file(&log).unwrap(),
            _ => fs::rename(dir.join("sets/i1"), dir.join("i1")).unwrap(),
        }
        let (code, said) = answer(dir, &["sets/i2"]);
        assert_eq!((code, &said["answer"]), (Some(1), &"restorable_with_loss".into()), "{said}");
        assert!(said["generation"].as_u64() < said["last_generation"].as_u64(), "{way}: {said}");
    }
    let dir = tempfile::tempdir().unwrap();
    ese(dir.path(), &["verify-backup", "nowhere"]).refused(3, &["nowhere", "-1811"]);
}

#[test]
fn what_lies_before_a_lost_set_is_restored_with_loss() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    chain(dir);
    fs::rename(dir.join("sets/i1"), dir.join("i1")).unwrap();
    ese(dir, &["restore", "sets/i2", "r"]).refused(2, &["i1", "-560"]);
    let ran = ese(dir, &["restore", "sets/i2", "r", "--allow-loss"]);
    assert!(ran.stderr.contains("with loss") && ran.stderr.contains("-560"), "{ran:?}");
    ran.fine();
    ese(dir, &["restore", "sets/full", "r2"]).fine();
    assert!(rows(dir, "r") == rows(dir, "r2"));
}

#[test]
fn another_set_takes_the_place_of_a_lost_base() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 500);
    fs::create_dir(dir.join("sets")).unwrap();
    for (number, set) in (0..).zip(["sets/old.esebak", "sets/full", "sets/i1"]) {
        import(dir, number * 1000, 10);
        let mut args = vec!["backup", "data", set, "--truncate"];
        args.extend((set == "sets/i1").then_some("--incremental"));
        ese(dir, &args).fine();
    }
    let expected = rows(dir, "data");
    fs::rename(dir.join("sets/full"), dir.join("full")).unwrap();
    let (code, said) = answer(dir, &["sets/i1"]);
    assert_eq!((code, &said["answer"]), (Some(1), &"restorable".into()), "{said}");
    assert_eq!(said["generation"], said["last_generation"], "{said}");
    assert_eq!(said["damaged"][0]["code"], -560, "{said}");
    let ran = ese(dir, &["restore", "sets/i1", "r"]);
    assert!(ran.stderr.contains("\"full\"") && ran.stderr.contains("-560"), "{ran:?}");
    ran.fine();
    assert!(rows(dir, "r") == expected);
    // One of another history takes no place.
    fs::remove_dir_all(dir.join("data")).unwrap();
    ese(dir, &["restore", "sets/old.esebak", "data"]).fine();
    import(dir, 5000, 10);
    fs::remove_file(dir.join("sets/old.esebak")).unwrap();
    ese(dir, &["backup", "data", "sets/other", "--truncate"]).fine();
    ese(dir, &["restore", "sets/i1", "none"]).refused(2, &["full", "-560"]);
    assert_ne!(answer(dir, &["sets/i1"]).1["answer"], "restorable");
}

#[test]
fn a_set_that_must_not_be_read_gets_no_answer_and_the_others_theirs() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    import(dir, 0, 100);
    ese(dir, &["backup", "data", "set"]).fine();
    ese(dir, &["backup", "data", "closed"]).fine();
    let args = ["verify-backup", "nowhere", "set", "--scratch", ".", "closed"];
    let ran = ese(dir, &args);
    assert_eq!((ran.code, ran.stderr.matches("-1811").count()), (Some(3), 1), "{ran:?}");
    assert_eq!(ran.stdout.matches(": restorable to").count(), 2, "{ran:?}");
    let allow = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    fs::create_dir(dir.join("scratch")).unwrap();
    for (name, mode) in [("", 0o755), ("scratch", 0o777), ("set", 0o755), ("closed", 0o755)] {
        allow(&dir.join(name), mode);
    }
    for path in support::contents(&dir.join("set")).keys() {
        allow(path, 0o644);
    }
    for path in support::contents(&dir.join("closed")).keys() {
        allow(path, 0o644);
    }
    allow(&dir.join("closed/a.edb"), 0o600);
    let args = ["verify-backup", "closed", "set", "--scratch", "scratch"];
    let Some(ran) = as_nobody(dir, &args) else {
        let test = "a_set_that_must_not_be_read_gets_no_answer_and_the_others_theirs";
        return ese_tests::skip(test, "only root can run a program as somebody else");
    };
    assert!(ran.code == Some(3) && ran.stderr.contains("closed/a.edb"), "{ran:?}");
    assert!(ran.stdout.starts_with("set: restorable to"), "{ran:?}");
    // A link is no file that is closed.
    fs::remove_file(dir.join("closed/a.edb")).unwrap();
    symlink(dir.join("set/a.edb"), dir.join("closed/a.edb")).unwrap();
    let (code, said) = answer(dir, &["closed"]);
    assert_eq!((code, &said["answer"]), (Some(1), &"not_restorable".into()), "{said}");
}

#[test]
fn logs_that_are_not_there_are_no_loss_of_a_set() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    import(dir, 0, 10);
    ese(dir, &["backup", "data", "set"]).fine();
    let args = ["verify-backup", "set", "--logs", "nowhere", "--scratch", "."];
    untouched(dir, || ese(dir, &args)).refused(3, &["nowhere"]);
}

#[test]
fn an_archive_in_a_pipe_is_verified() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 500);
    for (archive, more) in [("full.esebak", "--truncate"), ("more.esebak", "--incremental")] {
        import(dir, if more == "--truncate" { 0 } else { 100 }, 10);
        ese(dir, &["backup", "data", archive, more]).fine();
    }
    let from = |archive: &str| {
        let mut command = program();
        command.args(["verify-backup", "-", "--scratch", ".", "--json"]).current_dir(dir);
        command.stdin(fs::File::open(dir.join(archive)).unwrap());
        finish(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    };
    let ran = untouched(dir, || from("full.esebak"));
    assert_eq!(json(&ran.stdout)["answer"], "restorable", "{ran:?}");
    ran.fine();
    let ran = from("more.esebak");
    assert_eq!(json(&ran.stdout)["reason"]["code"], -560, "{ran:?}");
    support::damage(&dir.join("full.esebak"), 50_000);
    let ran = from("full.esebak");
    let text = json(&ran.stdout)["reason"]["text"].to_string();
    assert!(text.contains("standard input") && text.contains("frame"), "{text}");
    ese(dir, &["verify-backup", "-", "-"]).refused(2, &["only once"]);
}

#[test]
fn a_set_is_restored_beside_the_directory_where_somebody_is() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    import(dir, 0, 10);
    fs::create_dir(dir.join("here")).unwrap();
    for set in ["set", "set.esebak"] {
        ese(dir, &["backup", "data", set]).fine();
        let to = format!("../r of {set}");
        ese(&dir.join("here"), &["restore", &format!("../{set}"), &to]).fine();
        assert!(rows(dir, &to[3..]) == rows(dir, "data"));
    }
}

#[test]
fn a_bit_that_a_backup_has_put_right_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 1000);
    let file = dir.join("data/a.edb");
    let leaf = support::a_leaf(&file, 4096);
    let mut bytes = fs::read(&file).unwrap();
    bytes[leaf + 2000] ^= 4;
    fs::write(&file, bytes).unwrap();
    let ran = ese(dir, &["backup", "data", "set", "--json"]);
    assert!(ran.stderr.contains("1 page of the databases"), "{ran:?}");
    assert_eq!(json(&ran.fine())["corrected_pages"], 1);
}

#[test]
fn a_database_behind_a_link_is_told_by_its_name_in_the_set() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    import(dir, 0, 10);
    fs::rename(dir.join("data/a.edb"), dir.join("real.edb")).unwrap();
    symlink("../real.edb", dir.join("data/a.edb")).unwrap();
    let ran = ese(dir, &["backup", "data", "set"]);
    let told = ran.stderr.contains("a.edb: a link") && ran.stderr.contains("\"real.edb\"");
    assert!(told && dir.join("set/real.edb").exists(), "{ran:?}");
}

#[test]
fn only_a_directory_of_sets_is_pruned() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    import(dir, 0, 10);
    ese(dir, &["backup", "data", "set"]).fine();
    fs::create_dir(dir.join("empty")).unwrap();
    for (path, words) in [("set", "backup set itself"), ("data", "no backup set")] {
        let args = ["prune", path, "--keep", "1"];
        untouched(dir, || ese(dir, &args)).refused(2, &[words, "that holds the sets"]);
    }
    let ran = ese(dir, &["prune", "empty", "--keep", "1"]);
    assert!(ran.stderr.contains("no backup set is here"), "{ran:?}");
    ran.fine();
}

#[test]
fn a_database_under_the_name_of_a_file_of_the_instance_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("r.jsonl"), "{\"id\": 1}\n").unwrap();
    for name in ["edb.log", "edb.chk", "edb00001.log", "EDB.LCK"] {
        let args = ["import", "new", "--table", "t", "r.jsonl", "--database", name];
        untouched(dir, || ese(dir, &args)).refused(2, &[name, "a file of the instance"]);
    }
}

#[test]
fn a_stopped_backup_is_said_to_be_one_that_can_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::create_dir(dir.join("set")).unwrap();
    for name in ["ese-backup.incomplete", "ese-backup.kept.json"] {
        fs::write(dir.join("set").join(name), "").unwrap();
    }
    let (code, said) = answer(dir, &["set"]);
    let text = said["reason"]["text"].as_str().unwrap();
    assert!(code == Some(1) && text.contains("--resume"), "{said}");
}

#[test]
fn a_damaged_log_is_named_also_where_another_set_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    chain(dir);
    let shared = |of: &str| logs(&dir.join(of));
    let in_both = shared("sets/full").into_iter().find(|log| shared("sets/i1").contains(log));
    let in_both = in_both.expect("the sets overlap");
    let expected = rows(dir, "data");
    let path = |set: &str| dir.join("sets").join(set).join(&in_both);
    for (set, way) in
        [("i1", "a segment"), ("full", "a segment"), ("full", "a header"), ("full", "lost")]
    {
        let whole = fs::read(path(set)).unwrap();
        match way {
            "a segment" => support::damage(&path(set), 9000),
            "a header" => support::damage(&path(set), 2000),
            _ => fs::remove_file(path(set)).unwrap(),
        }
        let (code, said) = answer(dir, &["sets/i2"]);
        assert_eq!((code, &said["answer"]), (Some(1), &"restorable".into()), "{said}");
        let file = said["damaged"][0]["file"].as_str().unwrap_or_default();
        assert!(file.ends_with(&format!("{set}/{in_both}")), "{way}: {said}");
        let restored = format!("from {set} {way}");
        ese(dir, &["restore", "sets/i2", &restored]).fine();
        assert!(rows(dir, &restored) == expected);
        fs::write(path(set), whole).unwrap();
    }
    for set in ["i1", "full"] {
        support::damage(&path(set), 9000);
    }
    ese(dir, &["restore", "sets/i2", "none"]).refused(1, &[&in_both, "-573"]);
}

#[test]
fn an_incremental_set_builds_on_the_set_that_was_restored_and_not_on_the_newest() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    chain(dir);
    fs::remove_dir_all(dir.join("data")).unwrap();
    ese(dir, &["restore", "sets/i1", "data"]).fine();
    import(dir, 7000, 30);
    let expected = rows(dir, "data");
    let other = ["backup", "data", "sets/none", "--incremental", "--base", "sets/i2"];
    ese(dir, &other).refused(1, &["i2", "-556"]);
    let told = ese(dir, &["backup", "data", "sets/i3", "--incremental", "--truncate"]).fine();
    assert!(told.contains("i1"), "{told}");
    ese(dir, &["restore", "sets/i3", "again"]).fine();
    assert!(rows(dir, "again") == expected);
}

#[test]
fn a_database_that_was_put_back_is_backed_up_and_recovered() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    import(dir, 0, 300);
    ese(dir, &["backup", "data", "before"]).fine();
    let old = fs::read(dir.join("data/a.edb")).unwrap();
    import(dir, 1000, 100);
    fs::write(dir.join("data/a.edb"), old).unwrap();
    ese(dir, &["backup", "data", "set"]).fine();
    let expected = rows(dir, "data");
    assert_eq!(expected.lines().count(), 300);
    ese(dir, &["verify-backup", "set", "--scratch", "."]).fine();
    ese(dir, &["restore", "set", "again"]).fine();
    assert!(rows(dir, "again") == expected);
}

#[test]
fn a_database_that_was_put_back_in_the_place_of_another_one_is_restored() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 500);
    let old = fs::read(dir.join("data/a.edb")).unwrap();
    exchange(dir, true);
    fs::write(dir.join("data/a.edb"), old).unwrap();
    ese(dir, &["backup", "data", "set"]).fine();
    let here = dir.to_str().unwrap();
    ese(dir, &["verify-backup", "set", "--scratch", here]).fine();
    ese(dir, &["restore", "set", &format!("{here}/r")]).fine();
    ese(dir, &["diff", "data/a.edb", "r/a.edb"]).fine();
    assert!(!ese(dir, &["tables", "r/a.edb"]).fine().contains("second"));
}

#[test]
fn another_copy_of_a_database_in_a_set_is_left_out_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    import(dir, 0, 100);
    ese(dir, &["backup", "data", "set"]).fine();
    fs::copy(dir.join("set/a.edb"), dir.join("set/Copy of a.edb")).unwrap();
    ese(dir, &["restore", "set", "out"]).fine();
    assert!(rows(dir, "out") == rows(dir, "data") && !dir.join("out/Copy of a.edb").exists());
    fs::remove_file(dir.join("set/ese-backup.json")).unwrap();
    ese(dir, &["restore", "set", "other"]).refused(2, &["same database", "-1222"]);
}

#[test]
fn what_is_wrong_with_the_base_of_a_set_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    chain(dir);
    let manifest = dir.join("sets/full/ese-backup.json");
    let whole = fs::read(&manifest).unwrap();
    support::damage(&manifest, 50);
    ese(dir, &["restore", "sets/i1", "out"]).refused(2, &["sets/full/ese-backup.json", "-560"]);
    fs::write(&manifest, whole).unwrap();
    // The database of another instance.
    clean(&dir.join("other"), PageSize::K4, 500);
    ese(dir, &["backup", "other", "foreign"]).fine();
    let own = fs::read(dir.join("sets/full/a.edb")).unwrap();
    let mut foreign = fs::read(dir.join("foreign/a.edb")).unwrap();
    foreign.resize(own.len(), 0);
    let trailer = own.len() - 4096;
    let from = fs::read(dir.join("foreign/a.edb")).unwrap().len() - 4096;
    foreign.copy_within(from..from + 4096, trailer);
    fs::write(dir.join("sets/full/a.edb"), foreign).unwrap();
    ese(dir, &["restore", "sets/full", "out"]).refused(1, &["sets/full/a.edb", "another database"]);
    ese(dir, &["prune", "sets", "--keep", "1"]).fine();
}

#[test]
fn no_set_goes_for_one_that_cannot_be_restored() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 500);
    fs::create_dir(dir.join("sets")).unwrap();
    for set in ["sets/old", "sets/new"] {
        ese(dir, &["backup", "data", set, "--truncate"]).fine();
        import(dir, if set == "sets/old" { 0 } else { 1000 }, 10);
    }
    let log = dir.join("sets/new").join(logs(&dir.join("sets/new")).pop().unwrap());
    support::damage(&log, 2000);
    ese(dir, &["prune", "sets", "--keep", "1"]).refused(1, &["sets/new", "-573"]);
    assert!(dir.join("sets/old/a.edb").exists());
}

#[test]
fn a_restore_that_was_killed_while_it_copied_has_changed_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 40_000);
    ese(dir, &["backup", "data", "set"]).fine();
    let mut child = spawn(program().args(["restore", "set", "data", "--force"]).current_dir(dir));
    while !dir.join("data/a.edb.restoring").exists() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    finish(child);
    assert!(dir.join("data/a.edb.restoring").exists(), "killed too late");
    import(dir, 0, 50);
    let expected = rows(dir, "data");
    ese(dir, &["restore", "set", "data"]).refused(2, &["data/a.edb", "-1814"]);
    assert!(rows(dir, "data") == expected);
    // One that was killed later has, and nobody works there before it is repeated.
    fs::write(dir.join("data/ese-restore.incomplete"), "").unwrap();
    ese(dir, &["backup", "data", "more"]).refused(2, &["ese-restore.incomplete", "-506"]);
}

#[test]
fn a_restored_database_remembers_its_backups() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    chain(dir);
    ese(dir, &["restore", "sets/i2", "restored"]).fine();
    let info = ese(dir, &["info", "restored/a.edb", "--json"]).fine();
    assert!(!info.is_empty());
    fs::remove_dir_all(dir.join("data")).unwrap();
    fs::rename(dir.join("restored"), dir.join("data")).unwrap();
    import(dir, 5000, 50);
    let expected = rows(dir, "data");
    ese(dir, &["backup", "data", "sets/i3", "--incremental"]).fine();
    ese(dir, &["restore", "sets/i3", "again"]).fine();
    assert!(rows(dir, "again") == expected);
}

#[test]
fn one_flipped_bit_of_a_set_is_named_by_its_page() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 2000);
    ese(dir, &["backup", "data", "set"]).fine();
    let file = dir.join("set/a.edb");
    let whole = fs::read(&file).unwrap();
    for page in [2, 9, 30] {
        let mut bytes = whole.clone();
        bytes[(page + 1) * 4096 + 1000] ^= 8;
        fs::write(&file, bytes).unwrap();
        let (code, said) = answer(dir, &["set"]);
        assert_eq!((code, &said["reason"]["page"]), (Some(1), &page.into()), "{said}");
    }
    for copy in 0..2 {
        let mut bytes = whole.clone();
        bytes[copy * 4096 + 1000] ^= 8;
        fs::write(&file, bytes).unwrap();
        let (code, said) = answer(dir, &["set"]);
        let text = said["reason"]["text"].as_str().unwrap();
        let place = format!("copy {} of the header", copy + 1);
        assert!(code == Some(1) && text.contains(&place), "{said}");
    }
}

#[test]
fn two_backups_do_not_write_one_set() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K8, 5000);
    clean(&dir.join("other"), PageSize::K8, 500);
    let args = ["backup", "data", "set", "--resume", "--throttle", "0.001"];
    let mut child = spawn(program().args(args).current_dir(dir));
    while !dir.join("set/ese-backup.kept.json").exists() {
        std::thread::yield_now();
    }
    for more in [&["--resume"][..], &["--resume", "--anew"]] {
        let ran = ese(dir, &[&["backup", "other", "set"], more].concat());
        ran.refused(3, &["another backup is writing this set", "-1032"]);
    }
    child.kill().unwrap();
    finish(child);
    ese(dir, &["backup", "data", "set", "--resume"]).fine();
    ese(dir, &["verify-backup", "set", "--scratch", "."]).fine();
    // All at once into one new directory: one of them succeeds.
    for round in 0..10 {
        let out = format!("out{round}");
        for instance in ["i0", "i1", "i2"] {
            if round == 0 {
                clean(&dir.join(instance), PageSize::K4, 50);
            }
        }
        let command = |instance: &str| {
            let mut command = program();
            command.args(["backup", instance, &out]).current_dir(dir);
            spawn(&mut command)
        };
        let all: Vec<_> = ["i0", "i1", "i2"].map(command).into_iter().map(finish).collect();
        let fine = all.iter().filter(|ran| ran.code == Some(0)).count();
        assert_eq!(fine, 1, "{all:?}");
        ese(dir, &["verify-backup", &out, "--scratch", "."]).fine();
    }
}

#[test]
fn a_set_that_has_lost_a_file_is_no_reason_to_remove_another() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 500);
    for set in ["sets/old", "sets/new"] {
        fs::create_dir_all(dir.join("sets")).unwrap();
        ese(dir, &["backup", "data", set, "--truncate"]).fine();
    }
    fs::rename(dir.join("sets/new/a.edb"), dir.join("a.edb")).unwrap();
    ese(dir, &["prune", "sets", "--keep", "1"]).refused(1, &["sets/new/a.edb", "-557"]);
    assert!(dir.join("sets/old/a.edb").exists());
    fs::rename(dir.join("a.edb"), dir.join("sets/new/a.edb")).unwrap();
    ese(dir, &["prune", "sets", "--keep", "1"]).fine();
    assert!(!dir.join("sets/old").exists());
}

/// Replaces the database of an instance by another one of its name, in which a table is called
/// otherwise.
fn exchange(dir: &Path, by_the_log: bool) {
    let instance = start(&dir.join("data"), PageSize::K4);
    if by_the_log {
        let database = instance.open_database("a.edb").unwrap();
        database.detach().unwrap();
    }
    fs::remove_file(dir.join("data/a.edb")).unwrap();
    if !by_the_log {
        clean(&dir.join("made"), PageSize::K4, 3);
        fs::rename(dir.join("made/a.edb"), dir.join("data/a.edb")).unwrap();
    }
    let database = instance.open_or_create_database("a.edb").unwrap();
    let mut session = instance.session().unwrap();
    let mut transaction = session.begin().unwrap();
    let table = TableBuilder::new("second").text("name").primary(&["name"]);
    database.create_table(&mut transaction, table).unwrap();
    transaction.commit().unwrap();
    drop((session, database));
    instance.stop().unwrap();
    ese(dir, &["ship", "data", "shipped", "--once"]).fine();
}

#[test]
fn a_database_that_was_made_again_is_restored_as_it_is_now() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 500);
    ese(dir, &["backup", "data", "set"]).fine();
    exchange(dir, true);
    ese(dir, &["restore", "set", "r", "--logs", "shipped"]).fine();
    ese(dir, &["diff", "data/a.edb", "r/a.edb"]).fine();
    assert!(ese(dir, &["tables", "r/a.edb"]).fine().contains("second"));
}

#[test]
fn a_database_that_was_exchanged_behind_the_log_is_not_restorable_beyond_that() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 500);
    ese(dir, &["backup", "data", "set"]).fine();
    exchange(dir, false);
    let ran = ese(dir, &["restore", "set", "r", "--logs", "shipped"]);
    ran.refused(1, &["a.edb", "it was exchanged", "-1216"]);
    let (code, said) = answer(dir, &["set", "--logs", "shipped"]);
    assert!(code == Some(1) && said["answer"] != "restorable", "{said}");
}

/// Another database had its name for a while; where the restore is to lie is named in any way.
#[test]
fn a_database_that_was_put_back_is_never_taken_for_the_one_between() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 500);
    ese(dir, &["backup", "data", "set"]).fine();
    let [here, first, second] = ["data/a.edb", "first.edb", "second.edb"].map(|it| dir.join(it));
    fs::copy(&here, &first).unwrap();
    exchange(dir, true);
    fs::rename(&here, &second).unwrap();
    fs::rename(&first, &here).unwrap();
    import(dir, 0, 700);
    ese(dir, &["ship", "data", "shipped", "--once"]).fine();
    fs::create_dir(dir.join("home")).unwrap();
    symlink("home", dir.join("link")).unwrap();
    let whole = dir.join("whole").to_string_lossy().into_owned();
    let targets = [&whole, "r", "./home/../s", "link/t"];
    let restore = |target| ese(dir, &["restore", "set", target, "--logs", "shipped"]);
    for target in targets {
        restore(target).refused(1, &["a.edb", "it was exchanged", "-1216"]);
        assert!(dir.join(target).join("ese-restore.incomplete").exists());
    }
    // At last it is the second one again, which the log has made.
    fs::rename(&here, &first).unwrap();
    fs::rename(&second, &here).unwrap();
    import(dir, 0, 700);
    ese(dir, &["ship", "data", "shipped", "--once"]).fine();
    for target in targets {
        restore(target).fine();
        ese(dir, &["diff", "data/a.edb", &format!("{target}/a.edb")]).fine();
    }
}

#[test]
fn a_database_that_was_exchanged_before_the_backup_is_restored_wherever_its_place_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let instance = start(&dir.join("data"), PageSize::K4);
    let made = |table: &str| {
        let database = instance.open_or_create_database("a.edb").unwrap();
        let mut session = instance.session().unwrap();
        let mut transaction = session.begin().unwrap();
        let table = TableBuilder::new(table).text("name").primary(&["name"]);
        database.create_table(&mut transaction, table).unwrap();
        transaction.commit().unwrap();
        database
    };
    // The log of the set begins before the database that the set has was made.
    made("first").detach().unwrap();
    fs::remove_file(dir.join("data/a.edb")).unwrap();
    let database = made("second");
    instance.backup_to_dir(dir.join("set")).unwrap();
    drop(database);
    instance.stop().unwrap();
    fs::create_dir(dir.join("real")).unwrap();
    symlink("real", dir.join("link")).unwrap();
    let whole = dir.join("whole");
    for target in [whole.to_str().unwrap(), "beside", "./dot", "real/../back", "link/below"] {
        ese(dir, &["restore", "set", target]).fine();
        assert!(ese(dir, &["tables", &format!("{target}/a.edb")]).fine().contains("second"));
    }
}

#[test]
fn a_log_that_is_not_finished_is_not_passed_over_in_silence() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 500);
    ese(dir, &["backup", "data", "set"]).fine();
    import(dir, 0, 3000);
    let expected = rows(dir, "data");
    fs::remove_file(dir.join("data/a.edb")).unwrap();
    let args = ["restore", "set", "r", "--logs", "data"];
    ese(dir, &args).refused(1, &["data/edb.log", "ese ship", "-565"]);
    let lossy = ese(dir, &[&args[..], &["--allow-loss"]].concat());
    assert!(lossy.stderr.contains("with loss") && lossy.stderr.contains("-565"), "{lossy:?}");
    lossy.fine();
    ese(dir, &["ship", "data", "shipped", "--once"]).fine();
    ese(dir, &["restore", "set", "r2", "--logs", "shipped"]).fine();
    assert!(rows(dir, "r2") == expected);
}

#[test]
fn shipping_waits_until_its_destination_can_be_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 50);
    ese(dir, &["ship", "data", "shipped", "--once"]).fine();
    import(dir, 0, 3000);
    // A directory stands in the way of the next generations.
    let blocked = |n: u32| dir.join(format!("shipped/edb{n:05X}.log.new"));
    (1..20).for_each(|n| fs::create_dir_all(blocked(n)).unwrap());
    let mut child =
        spawn(program().args(["ship", "data", "shipped", "--interval", "0.05"]).current_dir(dir));
    sleep(Duration::from_millis(700));
    assert!(child.try_wait().unwrap().is_none(), "{:?}", finish(child));
    (1..20).for_each(|n| fs::remove_dir(blocked(n)).unwrap());
    while logs(&dir.join("shipped")).len() < logs(&dir.join("data")).len() {
        assert!(child.try_wait().unwrap().is_none());
        sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    let ran = finish(child);
    assert!(ran.stderr.contains("shipping goes on at the next interval"), "{ran:?}");
}

#[test]
fn a_destination_that_vanishes_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 2000);
    ese(dir, &["ship", "data", "shipped", "--once"]).fine();
    let expected = logs(&dir.join("shipped"));
    let begin = || {
        let lock = dir.join("shipped/ese-ship.lck");
        fs::remove_file(&lock).unwrap();
        let args = ["ship", "data", "shipped", "--interval", "0.05"];
        let child = spawn(program().args(args).current_dir(dir));
        while !lock.exists() {
            sleep(Duration::from_millis(5));
        }
        sleep(Duration::from_millis(300));
        child
    };
    // Without it there is no success, though nothing new was to be shipped.
    let child = begin();
    fs::rename(dir.join("shipped"), dir.join("away")).unwrap();
    sleep(Duration::from_millis(300));
    signal(child.id(), "-INT");
    let ran = finish(child);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("goes on at the next interval"), "{ran:?}");
    fs::rename(dir.join("away"), dir.join("shipped")).unwrap();
    // It comes back without what it held.
    let child = begin();
    fs::remove_dir_all(dir.join("shipped")).unwrap();
    sleep(Duration::from_millis(300));
    fs::create_dir(dir.join("shipped")).unwrap();
    while logs(&dir.join("shipped")) != expected || !dir.join("shipped/ese-ship.json").exists() {
        sleep(Duration::from_millis(20));
    }
    signal(child.id(), "-INT");
    finish(child).fine();
}
