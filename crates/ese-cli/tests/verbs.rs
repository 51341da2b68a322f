//! `ese` from end to end: the demo, loading, backing up, restoring, and being interrupted.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]
#![allow(clippy::disallowed_methods, reason = "tests look at files from outside the engine")]

mod support;

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
};

use ese_api::{Instance, PageSize, TableBuilder};
use serde_json::Value;
use support::{clean, dirty, ese, finish, program, run, set_of, signal, spawn};

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Everything that the demo promises, by its own words and by looking at what it leaves.
fn judge_demo(dir: &Path, steps: &[Value], tables: &[(&str, u64)]) {
    let step = |name: &str| steps.iter().find(|step| step["step"] == name).unwrap();
    let first = step("backup_1");
    assert_eq!(first["answer"], -801);
    assert_eq!((&first["logs_missing"], &first["header_marked"]), (&0.into(), &false.into()));
    assert!(first["bytes_read"].as_u64() < first["bytes_total"].as_u64());
    assert!(step("backup_2")["rows_meanwhile"].as_u64() > Some(0));
    assert_eq!(step("compare")["equal"], true);
    assert_eq!(step("end")["held"], true);
    for (name, rows) in tables {
        let found = ese(dir, &["rows", "demo/restored/demo.edb", name, "--json"]).fine();
        assert_eq!(found.lines().count() as u64, *rows, "{name}");
    }
    for place in ["demo/live", "demo/backup", "demo/restored"] {
        assert!(ese(dir, &["verify", place]).fine().ends_with("sound\n"));
    }
}

#[test]
fn the_demo_holds_on_json_lines_on_csv_and_on_a_file_tree() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    // Some of the texts are so long that they are kept outside of their rows.
    let record = |n: u32| {
        let width = if n.is_multiple_of(100) { 3000 } else { 200 };
        format!("{{\"n\": {n}, \"text\": \"{n:0width$}\", \"half\": {n}.5}}\n")
    };
    fs::write(dir.join("r.jsonl"), (0..3000).map(record).collect::<String>()).unwrap();
    let line = |n: u32| format!("{n},\"a, b\n{n}\",\n");
    fs::write(
        dir.join("r.csv"),
        "n,text,none\n".to_owned() + &(0..500).map(line).collect::<String>(),
    )
    .unwrap();
    for n in 0..20 {
        let sub = dir.join(format!("tree/d{n}"));
        fs::create_dir_all(&sub).unwrap();
        for file in 0..10 {
            fs::write(sub.join(format!("f{file}")), vec![n; usize::from(n) * 100]).unwrap();
        }
    }
    for (input, tables) in [
        ("r.jsonl", &[("records", 3000)][..]),
        ("r.csv", &[("records", 500)]),
        ("tree", &[("directories", 21), ("files", 200)]),
    ] {
        let steps = ese(dir, &["demo", "--json", "--dir", "demo", "--input", input]).fine();
        judge_demo(dir, &json_lines(&steps), tables);
        fs::remove_dir_all(dir.join("demo")).unwrap();
    }
}

#[test]
fn the_demo_without_arguments_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let ran = run(program().arg("demo").current_dir(dir.path()).env("TMPDIR", dir.path()));
    let told = ran.fine();
    assert!(told.contains("Everything held"), "{told}");
    assert!(!told.contains('\x1b'), "colours only on a terminal");
    // The directory for temporary files may have a long name.
    let long = |line: &&str| line.chars().count() > 79 && !line.contains("/live");
    assert_eq!(told.lines().find(long), None, "does not fit a terminal of 80 columns");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn what_rows_prints_can_be_imported_again() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let records = concat!(
        "{\"id\":1,\"b\":true,\"big\":18446744073709551615,\"f\":0.1,\"s\":\"a\\u0000b \\u20ac\\ud83d\\ude00\"}\n",
        "{\"id\":-9223372036854775808,\"b\":null,\"big\":null,\"f\":-1e300,\"s\":\"tab\\t\\\"\"}\n",
        "{\"id\":3,\"b\":false,\"big\":7,\"f\":null,\"s\":null}\n",
    );
    fs::write(dir.join("r.jsonl"), records).unwrap();
    ese(dir, &["import", "one", "--table", "t", "--key", "id", "r.jsonl"]).fine();
    let first = ese(dir, &["rows", "one/data.edb", "t", "--json"]).fine();
    let mut wanted = json_lines(records);
    wanted.sort_by_key(|row| row["id"].as_i64());
    assert_eq!(json_lines(&first), wanted);
    for (format, ending) in [("--json", "jsonl"), ("--csv", "csv")] {
        let file = format!("again.{ending}");
        fs::write(dir.join(&file), ese(dir, &["rows", "one/data.edb", "t", format]).fine())
            .unwrap();
        ese(dir, &["import", ending, "--table", "t", "--key", "id", &file]).fine();
        let database = format!("{ending}/data.edb");
        assert_eq!(ese(dir, &["rows", &database, "t", "--json"]).fine(), first, "{format}");
    }
    // Into a table that exists, with columns of other types.
    let instance = Instance::builder(dir.join("typed")).start().unwrap();
    let database = instance.create_database("data.edb").unwrap();
    let table = TableBuilder::new("t")
        .column("g", ese_api::ColType::Guid)
        .column("bytes", ese_api::ColType::LongBinary)
        .column("short", ese_api::ColType::Short)
        .column("single", ese_api::ColType::IeeeSingle)
        .column("when", ese_api::ColType::DateTime);
    let mut session = instance.session().unwrap();
    drop(database.create_table(&mut session, table).unwrap());
    drop((session, database));
    instance.stop().unwrap();
    let row = concat!(
        "{\"short\":-3,\"single\":0.1,\"when\":4676129021031219200,\"bytes\":\"00ff\",",
        "\"g\":\"3f360af1-6766-46dc-9af2-0dacf295c2a1\"}\n",
    );
    fs::write(dir.join("typed.jsonl"), row).unwrap();
    ese(dir, &["import", "typed", "--table", "t", "typed.jsonl"]).fine();
    let found = json_lines(&ese(dir, &["rows", "typed/data.edb", "t", "--json"]).fine()).remove(0);
    for (name, value) in json_lines(row)[0].as_object().unwrap() {
        if name == "single" {
            assert!((found[name].as_f64().unwrap() - 0.1).abs() < 1e-7);
        } else {
            assert_eq!(found[name], *value, "{name}");
        }
    }
}

#[test]
fn keys_of_any_text_and_many_numbers_can_be_imported() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let keys = ["a", "A", "\u{e4}", "\u{65e5}\u{672c}", &"x".repeat(300), &"x".repeat(301)];
    let records: String = keys
        .iter()
        .zip(1..)
        .map(|(key, n)| {
            let numbers: Vec<String> =
                (0..200).map(|at| format!("\"n{at:03}\":{}", at * n)).collect();
            format!("{{\"k\":\"{key}\",{}}}\n", numbers.join(","))
        })
        .collect();
    fs::write(dir.join("r.jsonl"), &records).unwrap();
    ese(dir, &["import", "one", "--table", "t", "--key", "k", "r.jsonl"]).fine();
    let mut rows = json_lines(&ese(dir, &["rows", "one/data.edb", "t", "--json"]).fine());
    rows.sort_by_key(|row| row["n001"].as_i64());
    assert_eq!(rows, json_lines(&records));
    fs::write(dir.join("long.jsonl"), format!("{{\"k\":\"{}\"}}\n", "y".repeat(2000))).unwrap();
    ese(dir, &["import", "two", "--table", "t", "--key", "k", "long.jsonl"])
        .refused(1, &["JET_errKeyTruncated", "line 1", "--key"]);
}

#[test]
fn a_backup_of_a_crashed_instance_restores_all_that_was_committed() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    dirty(&dir.join("data"), 4000);
    let told = json_lines(&ese(dir, &["backup", "data", "set", "--truncate", "--json"]).fine());
    assert_eq!((&told[0]["recorded"], &told[0]["databases"][0]), (&1.into(), &"a.edb".into()));
    ese(dir, &["restore", "set", "restored", "--json"]).fine();
    for place in ["data", "restored"] {
        let file = format!("{place}/a.edb");
        assert_eq!(ese(dir, &["rows", &file, "t", "--json"]).fine().lines().count(), 4000);
        assert!(ese(dir, &["verify", place]).fine().ends_with("sound\n"));
    }
    let info = ese(dir, &["info", "data/a.edb", "--json"]).fine();
    assert!(json_lines(&info)[0]["full_backup"]["gen_high"].as_u64() > Some(0), "{info}");
    // Nothing is left to recover, and that is no error.
    assert!(
        ese(dir, &["recover", "data", "--in-place"]).fine().contains("nothing had to be redone")
    );
}

#[test]
fn every_page_size_can_be_imported_verified_and_listed() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("r.csv"), "k,v\nb,1\na,2\n").unwrap();
    for size in ["4096", "8192", "16384", "32768"] {
        let args = ["import", size, "--table", "t", "--key", "k", "r.csv", "--page-size", size];
        ese(dir, &args).fine();
        let file = format!("{size}/data.edb");
        assert_eq!(ese(dir, &["rows", &file, "t", "--csv"]).fine(), "v,k\n2,a\n1,b\n");
        let info = json_lines(&ese(dir, &["info", &file, "--json"]).fine());
        assert_eq!(info[0]["page_size"].to_string(), size);
        let tables = json_lines(&ese(dir, &["tables", &file, "--json"]).fine());
        assert_eq!((tables.len(), &tables[0]["name"]), (1, &"t".into()));
        assert!(json_lines(&ese(dir, &["tables", &file, "--all", "--json"]).fine()).len() > 3);
        assert!(ese(dir, &["verify", size]).fine().ends_with("sound\n"));
    }
}

#[test]
fn columns_can_be_left_out_of_the_rows() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 2);
    let args = ["rows", "a.edb", "t", "--csv", "--without", "VALUE", "--without", "id"];
    assert_eq!(ese(dir, &args).fine(), "name\nrow 0\nrow 1\n");
    ese(dir, &["rows", "a.edb", "t", "--without", "nope"])
        .refused(2, &["nope", "JET_errColumnNotFound -1507"]);
}

#[test]
fn a_compacted_database_has_the_rows_of_its_source_which_stays_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(
        dir.join("r.csv"),
        (0..5000).fold("k,v\n".to_owned(), |all, n| all + &format!("{n},x\n")),
    )
    .unwrap();
    for size in ["4096", "32768"] {
        let args = ["import", size, "--table", "t", "--key", "k", "r.csv", "--page-size", size];
        ese(dir, &args).fine();
        let (source, target) = (format!("{size}/data.edb"), format!("{size}/dense.edb"));
        let before = fs::read(dir.join(&source)).unwrap();
        let done = json_lines(&ese(dir, &["compact", &source, &target, "--json"]).fine());
        assert_eq!((&done[0]["tables"], &done[0]["entries"]), (&1.into(), &5000.into()));
        assert!(fs::read(dir.join(&source)).unwrap() == before);
        let rows = |file: &str| ese(dir, &["rows", file, "t", "--csv"]).fine();
        assert_eq!(rows(&source), rows(&target));
        assert!(ese(dir, &["verify", &target]).fine().ends_with("sound\n"));
        // The name is taken, and a dirty database is not one to read.
        ese(dir, &["compact", &source, &target]).refused(2, &["exists already", "dense.edb"]);
    }
    fs::create_dir(dir.join("dirty")).unwrap();
    dirty(&dir.join("dirty"), 10);
    let found = ese(dir, &["compact", "dirty/a.edb", "dirty/dense.edb"]);
    found.refused(1, &["not clean", "ese recover"]);
    assert!(!dir.join("dirty/dense.edb").exists());
}

#[test]
fn whoever_stops_reading_the_rows_is_no_failure() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 20_000);
    let mut child = spawn(program().args(["rows", "a.edb", "t", "--json"]).current_dir(dir));
    let mut some = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut some).unwrap();
    let ran = finish(child);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_demo_that_nobody_reads_does_not_say_that_all_held() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = spawn(program().arg("demo").current_dir(dir.path()).env("TMPDIR", dir.path()));
    drop(child.stdout.take());
    let ran = finish(child);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("nobody reads"), "{ran:?}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

/// Sends Ctrl-C.
fn interrupt(pid: u32) {
    signal(pid, "-INT");
}

#[test]
fn ctrl_c_stops_a_backup_and_leaves_no_trace_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K32, 150_000);
    // A machine may be so fast that the backup is complete before the signal arrives.
    let stopped = (0..20).find_map(|attempt| {
        let out = dir.join(format!("set{attempt}"));
        let child = spawn(program().args(["backup", "data"]).arg(&out).current_dir(dir));
        while !out.join("a.edb").exists() && !out.join("ese-backup.json").exists() {
            std::thread::yield_now();
        }
        interrupt(child.id());
        let ran = finish(child);
        if ran.code == Some(0) {
            return None;
        }
        assert!(!out.exists(), "{ran:?}");
        Some((ran, attempt))
    });
    let (ran, attempt) = stopped.expect("a backup that can be interrupted");
    ran.refused(4, &["stopped", "JET_errBackupAbortByServer -801"]);
    let info = json_lines(&ese(dir, &["info", "data/a.edb", "--json"]).fine());
    assert_eq!(info[0]["state"], "Clean Shutdown");
    assert_eq!(info[0]["full_backup"].is_null(), attempt == 0, "{info:?}");
    assert!(ese(dir, &["verify", "data"]).fine().ends_with("sound\n"));
    set_of(&dir.join("data"), &dir.join("next"));
}

/// Is the first signal, SIGHUP, ignored by this process?
fn ignores_hangup() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    u64::from_str_radix(ignored.trim(), 16).unwrap() & 1 == 1
}

/// A backup that reads a damaged page again and again waits for seconds.
#[test]
fn a_stop_ends_the_wait_for_a_damaged_page() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 5000);
    let leaf = support::a_leaf(&dir.join("data/a.edb"), 4096);
    support::damage(&dir.join("data/a.edb"), leaf + 1000);
    // Who was started by nohup ignores HUP, and so does every program that it starts.
    let signals = ["-INT", "-TERM", "-HUP"];
    for signal in signals.into_iter().filter(|signal| *signal != "-HUP" || !ignores_hangup()) {
        let child = spawn(program().args(["backup", "data", "set"]).current_dir(dir));
        while !dir.join("set/a.edb").exists() {
            std::thread::yield_now();
        }
        std::thread::sleep(std::time::Duration::from_millis(700));
        let begun = std::time::Instant::now();
        support::signal(child.id(), signal);
        let ran = finish(child);
        assert!(begun.elapsed().as_secs() < 8, "{:?}", begun.elapsed());
        ran.refused(4, &["stopped", "JET_errBackupAbortByServer -801"]);
        assert!(!dir.join("set").exists());
    }
}

#[test]
fn a_quiet_demo_tells_its_verdict_alone() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let record = |n: u32| format!("{{\"n\": {n}}}\n");
    fs::write(dir.join("r.jsonl"), (0..2000).map(record).collect::<String>()).unwrap();
    let told = ese(dir, &["demo", "--quiet", "--input", "r.jsonl", "--dir", "d"]).fine();
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains("Everything held"), "{told}");
    // A directory for temporary files that is not there is not made.
    let nowhere = dir.join("nowhere");
    let ran = run(program()
        .args(["demo", "--input", "r.jsonl"])
        .current_dir(dir)
        .env("TMPDIR", &nowhere));
    ran.refused(3, &["nowhere", "JET_errInvalidPath -1023"]);
    assert!(!nowhere.exists());
}

#[test]
fn ctrl_c_ends_the_demo_at_any_moment_and_removes_what_it_made() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let records = (0..8_000).map(|n| format!("{{\"n\": {n}, \"text\": \"{n:0300}\"}}\n"));
    fs::write(dir.join("r.jsonl"), records.collect::<String>()).unwrap();
    fs::create_dir(dir.join("tmp")).unwrap();
    let mut demo = program();
    demo.args(["demo", "--input", "r.jsonl"]).current_dir(dir).env("TMPDIR", dir.join("tmp"));
    let mut stopped = 0;
    // After each of its lines.
    for lines in (1..20).step_by(2) {
        let mut child = spawn(&mut demo);
        let mut told = BufReader::new(child.stdout.take().unwrap());
        let seen = told.by_ref().lines().take(lines).map(Result::unwrap).collect::<Vec<_>>();
        interrupt(child.id());
        let ran = finish(child);
        // The last lines come when all is done.
        drop(told);
        assert!(matches!(ran.code, Some(0 | 4)), "after {seen:?}: {ran:?}");
        stopped += u32::from(ran.code == Some(4));
        assert_eq!(fs::read_dir(dir.join("tmp")).unwrap().count(), 0, "after {seen:?}");
    }
    assert!(stopped > 4, "{stopped}");
}

#[test]
fn ctrl_c_during_an_import_keeps_whole_batches() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let records = (0..100_000).map(|n| format!("{{\"n\": {n}}}\n")).collect::<String>();
    fs::write(dir.join("r.jsonl"), records).unwrap();
    let args = ["import", "data", "--table", "t", "r.jsonl", "--batch", "100", "--quiet"];
    let child = spawn(program().args(args).current_dir(dir));
    // The second generation of the log: some batches are in.
    while !dir.join("data/edb00000001.log").exists() && !dir.join("data/edb00001.log").exists() {
        std::thread::yield_now();
    }
    interrupt(child.id());
    let ran = finish(child);
    if ran.code != Some(0) {
        ran.refused(4, &["stopped", "committed"]);
    }
    let rows = ese(dir, &["rows", "data/data.edb", "t", "--csv"]).fine().lines().count() - 1;
    assert!(rows > 0 && rows.is_multiple_of(100), "{rows}");
    assert!(ese(dir, &["verify", "data"]).fine().ends_with("sound\n"));
}

#[test]
fn a_recovery_that_is_asked_for_less_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    dirty(&dir.join("data"), 100);
    let redo_only = ese(dir, &["recover", "data", "--in-place", "--redo-only"]).fine();
    assert!(redo_only.contains("nothing was undone, as was asked for"), "{redo_only}");
    ese(dir, &["rows", "data/a.edb", "t"]).refused(1, &["JET_errDatabaseDirtyShutdown -550"]);
    let ran =
        ese(dir, &["recover", "data", "--in-place", "--lose-logs", "--ignore-missing", "--json"])
            .fine();
    let report: Value = serde_json::from_str(&ran).unwrap();
    assert_eq!(report["redo_only"], false);
    assert_eq!(report["lost_from"], Value::Null);
    assert_eq!((&report["removed_logs"], &report["ignored_databases"]), (&0.into(), &0.into()));
    assert_eq!(ese(dir, &["rows", "data/a.edb", "t", "--json"]).fine().lines().count(), 100);
    ese(dir, &["recover", "data", "--in-place", "--redo-only"]).fine();
}
