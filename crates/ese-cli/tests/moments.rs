//! Restores that do not go to the end of the log: to a time, to a position.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]
#![allow(clippy::disallowed_methods, reason = "tests look at files from outside the engine")]

mod support;

use std::{fs, path::Path, thread::sleep, time::Duration};

use ese_api::{Env, LogTime, PageSize};
use serde_json::Value;
use support::{clean, ese};

fn import(dir: &Path, from: u32, count: u32) {
    let record = |n: u32| format!("{{\"id\": {n}, \"text\": \"{n:0200}\"}}\n");
    fs::write(dir.join("r.jsonl"), (from..from + count).map(record).collect::<String>()).unwrap();
    let args = ["import", "data", "--table", "rows", "--key", "id", "r.jsonl"];
    ese(dir, &[&args[..], &["--database", "a.edb"]].concat()).fine();
}

fn rows(dir: &Path, of: &str) -> String {
    ese(dir, &["rows", &format!("{of}/a.edb"), "rows", "--json"]).fine()
}

/// A moment well apart from what was done before it and what will be done after it.
fn moment() -> LogTime {
    sleep(Duration::from_millis(900));
    let now = Env::real().clock.log_time();
    sleep(Duration::from_millis(900));
    now
}

fn planned(dir: &Path, args: &[&str]) -> Value {
    let plan = ["restore", "set", "new", "--logs", "shipped", "--dry-run", "--json"];
    let told = ese(dir, &[&plan[..], args].concat()).fine();
    serde_json::from_str(&told).unwrap()
}

/// A set, the log that went on, and the rows at two moments of it.
fn history(dir: &Path) -> ([LogTime; 3], [String; 2]) {
    clean(&dir.join("data"), PageSize::K4, 500);
    let before = moment();
    import(dir, 0, 20);
    ese(dir, &["backup", "data", "set", "--truncate"]).fine();
    import(dir, 1000, 700);
    let (first, of_first) = (moment(), rows(dir, "data"));
    // Little, so that a segment of the log could hold it beside what was before.
    import(dir, 2000, 3);
    let (second, of_second) = (moment(), rows(dir, "data"));
    import(dir, 3000, 1);
    ese(dir, &["ship", "data", "shipped", "--once"]).fine();
    ([before, first, second], [of_first, of_second])
}

#[test]
fn a_restore_to_a_time_or_a_position_has_what_was_committed_until_then() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let ([before, first, second], expected) = history(dir);
    for (number, (time, expected)) in [first, second].into_iter().zip(&expected).enumerate() {
        let time = time.to_string();
        let plan = planned(dir, &["--to-time", &time]);
        let position = plan["position"].as_str().unwrap();
        assert!(plan["time"].as_str().unwrap() <= time.as_str(), "{plan}");
        assert!(!dir.join("new").exists());
        for (way, end) in [("--to-time", time.as_str()), ("--to-position", position)] {
            let to = format!("r{number}{way}");
            let told = ese(dir, &["restore", "set", &to, "--logs", "shipped", way, end]).fine();
            assert!(told.contains(&format!("up to {position}")), "{told}");
            assert!(rows(dir, &to) == *expected, "{way} {end}");
            assert!(ese(dir, &["verify", &to]).fine().ends_with("sound\n"));
        }
    }
    // The directory's other logs are somebody's.
    fs::create_dir(dir.join("shared")).unwrap();
    for name in ["abcres00001.jrs", "abc.log", "abc00001.log"] {
        fs::write(dir.join("shared").join(name), b"of another instance").unwrap();
    }
    fs::write(dir.join("shared/edbres00001.jrs"), b"of this one, earlier").unwrap();
    let to_first = ["restore", "set", "shared", "--logs", "shipped", "--to-time"];
    ese(dir, &[&to_first[..], &[&first.to_string()]].concat()).fine();
    for (name, stays) in
        [("abcres00001.jrs", true), ("abc00001.log", true), ("edbres00001.jrs", false)]
    {
        assert_eq!(dir.join("shared").join(name).exists(), stays, "{name}");
    }
    // What lies before the end of the copy, and behind the end of the log.
    let refused = ese(dir, &["restore", "set", "x", "--to-time", &before.to_string()]);
    refused.refused(1, &[&before.to_string(), "hold changes up to", "-553"]);
    ese(dir, &["restore", "set", "x", "--to-position", "1:1:0"]).refused(1, &["000001", "-553"]);
    ese(dir, &["restore", "set", "x", "--to-position", "fff:1:0"]).refused(1, &["-553"]);
    assert!(!dir.join("x").exists());
    let late =
        ese(dir, &["restore", "set", "all", "--logs", "shipped", "--to-time", "2150-01-01 0:00"]);
    assert_eq!(late.code, Some(2), "{late:?}");
    let late = ["restore", "set", "all", "--logs", "shipped", "--to-time", "2150-01-01 00:00"];
    let late = ese(dir, &late);
    assert!(late.code == Some(0) && late.stderr.contains("nothing is left out"), "{late:?}");
    assert_eq!(rows(dir, "all"), rows(dir, "data"));
    let end = planned(dir, &[]);
    assert_eq!(planned(dir, &["--to-position", end["position"].as_str().unwrap()]), end);
}

#[test]
fn nobody_takes_the_log_after_such_a_restore_for_the_old_one() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let ([_, first, _], [expected, _]) = history(dir);
    let time = first.to_string();
    ese(dir, &["restore", "set", "again", "--logs", "shipped", "--to-time", &time]).fine();
    fs::rename(dir.join("data"), dir.join("lost")).unwrap();
    fs::rename(dir.join("again"), dir.join("data")).unwrap();
    fs::create_dir(dir.join("sets")).unwrap();
    fs::rename(dir.join("set"), dir.join("sets/old")).unwrap();
    // The old full backup is none of the new log, though the databases remember it.
    ese(dir, &["backup", "data", "sets/i", "--incremental"]).refused(2, &["-560"]);
    ese(dir, &["ship", "data", "shipped", "--once"]).refused(1, &["-530"]);
    import(dir, 9000, 50);
    let now = rows(dir, "data");
    assert!(now.len() > expected.len() && now.starts_with(&expected));
    ese(dir, &["backup", "data", "sets/new", "--truncate"]).fine();
    ese(dir, &["restore", "sets/new", "x", "--logs", "shipped"]).refused(1, &["-555"]);
    ese(dir, &["restore", "sets/old", "x", "--logs", "sets/new"]).refused(1, &["-555"]);
    ese(dir, &["restore", "sets/new", "r"]).fine();
    assert!(rows(dir, "r") == now);
}
