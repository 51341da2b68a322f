//! Logs with which nothing can be recovered, as somebody would try it: each form of `ese recover`
//! names the generation and the reason, writes nothing, and its plan says the same beforehand. And
//! what we wrote, damaged in each way, is reported rightly by every tool that looks at it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]
#![allow(clippy::disallowed_methods, reason = "tests look at files from outside the engine")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use ese_api::{Database, Instance, PageSize, row};
use support::{Ran, ese, start, untouched};

/// What is wrong with a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Damage {
    Missing,
    FlippedBit,
    Truncated,
    OtherStream,
    Fork,
}

const ALL: [Damage; 5] =
    [Damage::Missing, Damage::FlippedBit, Damage::Truncated, Damage::OtherStream, Damage::Fork];

/// A directory of evidence, and how it is recovered.
struct Case<'a> {
    /// Where from.
    files: Vec<PathBuf>,
    /// Of `ese recover`, beside the directory and `--out`.
    args: Vec<&'a str>,
    /// The log that is damaged, with its generation.
    log: (&'a str, u32),
    /// Nothing of the evidence decides between two logs of this one.
    newest: (&'a str, u32),
    /// Files that have to go for that.
    behind: Option<&'a str>,
    /// A log of another stream.
    other: PathBuf,
}

impl Case<'_> {
    /// A directory with that damage; the generation that has it.
    fn make(&self, dir: &Path, damage: Damage) -> u32 {
        fs::create_dir(dir).unwrap();
        for file in &self.files {
            fs::copy(file, dir.join(file.file_name().unwrap())).unwrap();
        }
        let (log, generation) = self.log;
        let path = dir.join(log);
        let bytes = fs::read(&path).unwrap();
        match damage {
            Damage::Missing => fs::remove_file(&path).unwrap(),
            Damage::FlippedBit => {
                let mut bytes = bytes;
                bytes[2 * 4096 + 900] ^= 4;
                fs::write(&path, bytes).unwrap();
            }
            Damage::Truncated => fs::write(&path, &bytes[..bytes.len() / 2]).unwrap(),
            Damage::OtherStream => drop(fs::copy(&self.other, &path).unwrap()),
            Damage::Fork => {
                if let Some(behind) = self.behind {
                    fs::remove_file(dir.join(behind)).unwrap();
                }
                let (newest, generation) = self.newest;
                let other = ese_tests::forge(&dir.join(newest));
                fs::write(dir.join("conflicted copy of it.log"), other).unwrap();
                return generation;
            }
        }
        generation
    }

    /// Is refused, for this reason and with this generation, and so says the plan.
    fn check(&self, dir: &Path, damage: Damage) {
        let generation = self.make(&dir.join("evidence"), damage);
        let mut args = vec!["recover", "evidence", "--out", "copies"];
        args.extend_from_slice(&self.args);
        let ran = untouched(&dir.join("evidence"), || ese(dir, &args));
        said(&ran, &ran.stderr, damage, generation);
        let copies = dir.join("copies");
        assert!(!copies.exists() || files_of(&copies, |_| true).is_empty(), "{damage:?}");
        args.push("--dry-run");
        let plan = untouched(dir, || ese(dir, &args));
        said(&plan, &format!("{}{}", plan.stdout, plan.stderr), damage, generation);
        args.push("--json");
        let plan = untouched(dir, || ese(dir, &args));
        let told: serde_json::Value = serde_json::from_str(&plan.stdout).unwrap();
        let refused = &told["databases"][0]["error"];
        assert_eq!(refused["generation"], generation, "{damage:?}: {told:#}");
        assert_eq!(told["databases"][0]["possible"], false, "{told:#}");
    }
}

fn said(ran: &Ran, text: &str, damage: Damage, generation: u32) {
    assert_eq!(ran.code, Some(1), "{damage:?}: {ran:?}");
    let (code, reason) = match damage {
        Damage::Missing => ("JET_errMissingLogFile -528", "generation"),
        Damage::FlippedBit => ("JET_errLogFileCorrupt -501", "damaged"),
        Damage::Truncated => ("JET_errLogFileSizeMismatch -541", "bytes"),
        Damage::OtherStream => ("JET_errMissingLogFile -528", "of another stream"),
        Damage::Fork => ("JET_errInvalidLogSequence -515", "conflicted copy"),
    };
    let generation = format!("{generation:#x}");
    for word in [code, reason, generation.as_str()] {
        assert!(text.contains(word), "{damage:?}: {word:?} is missing: {ran:?}");
    }
}

fn recovery_data(test: &str) -> Option<PathBuf> {
    Some(ese_tests::real_data(test)?.join("recovery"))
}

fn files_of(dir: &Path, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    files.filter(|path| path.is_file() && wanted(&name(path))).collect()
}

#[test]
fn a_dirty_database_of_windows_is_refused_with_generation_and_reason() {
    let test = "a_dirty_database_of_windows_is_refused_with_generation_and_reason";
    let Some(data) = recovery_data(test) else { return };
    let case = Case {
        files: files_of(&data.join("srum-win10-dirty/dirty"), |_| true),
        args: Vec::new(),
        log: ("SRU00051.log", 0x51),
        newest: ("SRU00051.log", 0x51),
        behind: Some("SRU.log"),
        other: data.join("srum-server2022/b/SRU00004.log"),
    };
    for damage in ALL {
        case.check(tempfile::tempdir().unwrap().path(), damage);
    }
}

#[test]
fn logs_of_a_whole_life_are_refused_with_generation_and_reason() {
    let test = "logs_of_a_whole_life_are_refused_with_generation_and_reason";
    let Some(data) = recovery_data(test) else { return };
    let case = Case {
        files: files_of(&data.join("srum-server2022/merged"), |name| name.ends_with(".log")),
        args: vec!["--from-logs"],
        log: ("SRU00003.log", 3),
        newest: ("SRU.log", 5),
        behind: None,
        other: data.join("srum-win10-dirty/dirty/SRU0004F.log"),
    };
    for damage in ALL {
        case.check(tempfile::tempdir().unwrap().path(), damage);
    }
}

#[test]
fn a_database_that_cannot_be_rolled_forward_is_refused_with_generation_and_reason() {
    let test = "a_database_that_cannot_be_rolled_forward_is_refused_with_generation_and_reason";
    let Some(data) = recovery_data(test) else { return };
    let server = data.join("srum-server2022");
    let older = server.join("a/SRUDB.dat");
    let case = Case {
        files: files_of(&server.join("b"), |name| name.ends_with(".log")),
        args: vec!["--roll-forward", older.to_str().unwrap()],
        log: ("SRU00003.log", 3),
        newest: ("SRU.log", 5),
        behind: None,
        other: data.join("srum-win10-dirty/dirty/SRU0004F.log"),
    };
    for damage in ALL {
        let before = fs::read(&older).unwrap();
        case.check(tempfile::tempdir().unwrap().path(), damage);
        assert!(fs::read(&older).unwrap() == before, "{damage:?}");
    }
}

/// A dirty database that we wrote, `a.edb`, with logs of four generations.
fn ours(dir: &Path) {
    let instance = start(dir, PageSize::K4);
    let database = support::fill(&instance, 3000);
    go_round(&instance, &database, 4, "here");
    drop(database);
    instance.abandon();
}

/// Changes rows so often that logs come to their end.
fn go_round(instance: &Instance, database: &Database, rounds: u32, word: &str) {
    let mut session = instance.session().unwrap();
    for round in 0..rounds {
        let mut transaction = session.begin().unwrap();
        let table = database.table(&transaction, "t").unwrap();
        for id in 0..500 {
            let row = row! { "name" => format!("{word}, round {round} of {id}") };
            table.update(&mut transaction, id, &row).unwrap();
        }
        transaction.commit().unwrap();
    }
}

#[test]
fn what_we_wrote_and_lost_is_refused_with_generation_and_reason() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    ours(&data);
    let elsewhere = dir.path().join("elsewhere");
    ours(&elsewhere);
    let case = Case {
        files: files_of(&data, |_| true),
        args: Vec::new(),
        log: ("edb00002.log", 2),
        newest: ("edb.log", 0),
        behind: None,
        other: elsewhere.join("edb00002.log"),
    };
    let newest = files_of(&data, |name| name.starts_with("edb0000") && name.ends_with(".log"));
    assert!(newest.len() >= 2, "{newest:?}");
    let current = u32::try_from(newest.len()).unwrap() + 1;
    let case = Case { newest: ("edb.log", current), ..case };
    for (damage, work) in ALL.into_iter().zip(["a", "b", "c", "d", "e"]) {
        let work = dir.path().join(work);
        fs::create_dir(&work).unwrap();
        case.check(&work, damage);
        tools_say_it(&work, damage, current);
    }
}

/// `ese log` shows where the chain is broken, `ese verify` names the log, and the database itself
/// is called dirty.
fn tools_say_it(work: &Path, damage: Damage, newest: u32) {
    let picture = untouched(work, || ese(work, &["log", "evidence"]));
    let forked = format!("{newest:#x}  conflicted copy of it.log  other name  FORK");
    let shown = match damage {
        Damage::Missing | Damage::OtherStream => "GAP after 0x1",
        Damage::Truncated => "its header says",
        // The header is whole, and nobody reads the records for the picture.
        Damage::FlippedBit => "follows",
        Damage::Fork => forked.as_str(),
    };
    assert!(picture.stdout.contains(shown), "{damage:?}: {picture:?}");
    let word = match damage {
        Damage::Missing | Damage::OtherStream => "JET_errMissingLogFile",
        Damage::FlippedBit => "JET_errLogFileCorrupt",
        Damage::Truncated => "JET_errLogFileSizeMismatch",
        Damage::Fork => "JET_errInvalidLogSequence",
    };
    let verified = untouched(work, || ese(work, &["verify", "evidence"]));
    assert_eq!(verified.code, Some(1), "{damage:?}: {verified:?}");
    assert!(verified.stdout.contains(word), "{damage:?}: {verified:?}");
    if matches!(damage, Damage::FlippedBit | Damage::Truncated) {
        let records = untouched(work, || ese(work, &["log", "evidence", "--check-roundtrip"]));
        assert_ne!(records.code, Some(0), "{damage:?}: {records:?}");
    }
    let info = untouched(work, || ese(work, &["info", "evidence/a.edb"])).fine();
    assert!(info.contains("Dirty Shutdown"), "{info}");
}

/// The logs and the clean database of a whole life, in `work/evidence`.
fn whole_life(work: &Path, data: &Path) -> PathBuf {
    let dir = work.join("evidence");
    fs::create_dir(&dir).unwrap();
    for file in files_of(&data.join("srum-server2022/merged"), |_| true) {
        fs::copy(&file, dir.join(file.file_name().unwrap())).unwrap();
    }
    dir
}

#[test]
fn a_fork_is_named_where_the_database_was_closed_in_it() {
    let test = "a_fork_is_named_where_the_database_was_closed_in_it";
    let Some(data) = recovery_data(test) else { return };
    let work = tempfile::tempdir().unwrap();
    let dir = whole_life(work.path(), &data);
    fs::write(dir.join("SRU (conflicted copy).log"), ese_tests::forge(&dir.join("SRU.log")))
        .unwrap();
    for args in [&["recover", "evidence", "--out", "no"][..], &["recover", "evidence", "--dry-run"]]
    {
        let ran = untouched(&dir, || ese(work.path(), args));
        let told = format!("{}{}", ran.stdout, ran.stderr);
        said(&ran, &told.replace("(conflicted copy)", "conflicted copy"), Damage::Fork, 5);
    }
}

#[test]
fn logs_that_end_before_the_database_does_change_nothing() {
    let test = "logs_that_end_before_the_database_does_change_nothing";
    let Some(data) = recovery_data(test) else { return };
    let work = tempfile::tempdir().unwrap();
    let dir = whole_life(work.path(), &data);
    fs::remove_file(dir.join("SRU.log")).unwrap();
    let told = ese(work.path(), &["recover", "evidence", "--out", "copies", "--json"]).fine();
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let database = &told["databases"][0];
    for nothing in ["records", "applied", "skipped", "rolled_back", "replayed", "undone"] {
        assert_eq!(database[nothing], 0, "{database:#}");
    }
    let (ours, theirs) = (work.path().join("copies/SRUDB.dat"), dir.join("SRUDB.dat"));
    assert!(fs::read(ours).unwrap() == fs::read(theirs).unwrap());
}

#[test]
fn a_copy_of_a_damaged_database_is_called_damaged() {
    let test = "a_copy_of_a_damaged_database_is_called_damaged";
    let Some(data) = recovery_data(test) else { return };
    let work = tempfile::tempdir().unwrap();
    let path = whole_life(work.path(), &data).join("SRUDB.dat");
    let whole = fs::read(&path).unwrap();
    let mut bytes = whole.clone();
    bytes[32 * 4096 + 1000..][..4].copy_from_slice(b"damn");
    fs::write(&path, bytes).unwrap();
    let args = ["recover", "evidence", "--out", "copies", "--report", "report"];
    let ran = ese(work.path(), &args);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("clean and damaged") && ran.stdout.contains("PROBLEM"));
    let report = fs::read(work.path().join("report")).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    assert!(!report["databases"][0]["problems"].as_array().unwrap().is_empty(), "{report:#}");
    // One that was cut off is refused: a copy of it would be no more whole.
    fs::write(&path, &whole[..39 * 4096]).unwrap();
    let args = ["recover", "evidence", "--out", "none"];
    untouched(work.path(), || ese(work.path(), &args))
        .refused(1, &["evidence/SRUDB.dat", "the file ends with page 37"]);
}

#[test]
fn a_report_replaces_no_file() {
    let test = "a_report_replaces_no_file";
    let Some(data) = recovery_data(test) else { return };
    let work = tempfile::tempdir().unwrap();
    whole_life(work.path(), &data);
    let args = ["recover", "evidence", "--out", "no", "--report", "evidence/SRUDB.dat"];
    untouched(work.path(), || ese(work.path(), &args))
        .refused(2, &["JET_errFileAlreadyExists", "evidence/SRUDB.dat"]);
}

#[test]
fn logs_before_a_gap_are_verified_too() {
    let test = "logs_before_a_gap_are_verified_too";
    let Some(data) = recovery_data(test) else { return };
    let work = tempfile::tempdir().unwrap();
    let dir = whole_life(work.path(), &data);
    ese(work.path(), &["verify", "evidence"]).fine();
    fs::remove_file(dir.join("SRU00003.log")).unwrap();
    let mut bytes = fs::read(dir.join("SRU00001.log")).unwrap();
    bytes[20_000] ^= 1;
    fs::write(dir.join("SRU00001.log"), bytes).unwrap();
    let ran = untouched(work.path(), || ese(work.path(), &["verify", "evidence"]));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for word in ["generation 0x3 is missing", "SRU00001.log", "JET_errLogFileCorrupt"] {
        assert!(ran.stdout.contains(word), "{word}: {ran:?}");
    }
}

#[test]
fn a_chain_is_known_by_what_is_in_its_files() {
    let test = "a_chain_is_known_by_what_is_in_its_files";
    let Some(data) = recovery_data(test) else { return };
    let work = tempfile::tempdir().unwrap();
    let dir = whole_life(work.path(), &data);
    fs::rename(dir.join("SRU00003.log"), dir.join("SRU00003 (1).log")).unwrap();
    let told = ese(work.path(), &["log", "evidence"]).fine();
    assert_eq!(told.matches("follows").count(), 4, "{told}");
    for number in ["1", "2", "4"] {
        let name = format!("SRU0000{number}.log");
        fs::rename(dir.join(name), dir.join(format!("x{number}.bin"))).unwrap();
    }
    fs::rename(dir.join("SRU.log"), dir.join("x5.bin")).unwrap();
    let told = ese(work.path(), &["log", "evidence"]).fine();
    assert_eq!(told.matches("follows").count(), 4, "{told}");
    let told = ese(work.path(), &["log", "evidence", "--check-roundtrip"]).fine();
    assert!(told.starts_with("2,985 records: each would be written"), "{told}");
    fs::remove_file(dir.join("SRU00003 (1).log")).unwrap();
    let ran = ese(work.path(), &["log", "evidence"]);
    assert!(ran.code == Some(1) && ran.stdout.contains("GAP after 0x2"), "{ran:?}");
    let ran = ese(work.path(), &["verify", "evidence"]);
    assert!(ran.code == Some(1) && ran.stdout.contains("generation 0x3 is missing"), "{ran:?}");
}

#[test]
fn logs_of_another_database_are_not_replayed_onto_a_clean_one() {
    let test = "logs_of_another_database_are_not_replayed_onto_a_clean_one";
    let Some(data) = recovery_data(test) else { return };
    let work = tempfile::tempdir().unwrap();
    let work = work.path();
    whole_life(work, &data);
    let other = data.parent().unwrap().join("databases/srum-win10-clean.dat");
    let forward = ["--roll-forward", other.to_str().unwrap(), "--out", "no"];
    let args = [&["recover", "evidence"][..], &forward].concat();
    untouched(work, || ese(work, &args))
        .refused(1, &["JET_errBadLogSignature -530", "know nothing"]);
    // What lies beside logs of others, and is clean, is copied as it is; the plan says so.
    let repaired = data.join("srum-win10-dirty/repaired-by-esentutl-p");
    let dir = repaired.to_str().unwrap();
    let plan = ese(work, &["recover", dir, "--dry-run"]).fine();
    assert!(plan.contains("needs no log; those here end with generation 0x52"), "{plan}");
    ese(work, &["recover", dir, "--out", "copies"]).fine();
    let copy = fs::read(work.join("copies/SRUDB.dat")).unwrap();
    assert!(copy == fs::read(repaired.join("SRUDB.dat")).unwrap());
}

/// Recovery into `out` is refused with these words, and says so beforehand; with leave it goes on.
fn refused_without_leave(work: &Path, args: &[&str], words: &[&str]) {
    for mode in [&["--out", "no"][..], &["--dry-run"]] {
        let args = [&["recover", "evidence"][..], args, mode].concat();
        let ran = untouched(work, || ese(work, &args));
        assert_eq!(ran.code, Some(1), "{args:?}: {ran:?}");
        let told = format!("{}{}", ran.stdout, ran.stderr);
        words.iter().for_each(|word| assert!(told.contains(word), "{word}: {ran:?}"));
    }
    let leave = ["--allow-lost-logs", "--out", "lost"];
    ese(work, &[&["recover", "evidence"][..], args, &leave].concat()).fine();
}

#[test]
fn what_stands_in_the_place_of_the_last_log_is_not_passed_over() {
    let test = "what_stands_in_the_place_of_the_last_log_is_not_passed_over";
    let Some(data) = recovery_data(test) else { return };
    let older = data.join("srum-server2022/a/SRUDB.dat");
    let forward = ["--roll-forward", older.to_str().unwrap()];
    for args in [&["--from-logs"][..], &forward] {
        let work = tempfile::tempdir().unwrap();
        let last = whole_life(work.path(), &data).join("SRU.log");
        let mut bytes = fs::read(&last).unwrap();
        bytes[0x3f5] ^= 1;
        fs::write(&last, bytes).unwrap();
        refused_without_leave(work.path(), args, &["SRU.log", "0x5", "JET_err"]);
        let work = tempfile::tempdir().unwrap();
        let last = whole_life(work.path(), &data).join("SRU.log");
        fs::copy(data.join("srum-win10-dirty/dirty/SRU.log"), last).unwrap();
        refused_without_leave(work.path(), args, &["SRU.log", "0x5", "-530", "another stream"]);
    }
    // Where nothing stands there, the file may know better.
    let work = tempfile::tempdir().unwrap();
    fs::remove_file(whole_life(work.path(), &data).join("SRU.log")).unwrap();
    refused_without_leave(work.path(), &["--from-logs"], &["SRUDB.dat", "0x5", "-528"]);
}

#[test]
fn a_clean_database_is_not_taken_back_to_an_earlier_generation() {
    let test = "a_clean_database_is_not_taken_back_to_an_earlier_generation";
    let Some(data) = recovery_data(test) else { return };
    let work = tempfile::tempdir().unwrap();
    whole_life(work.path(), &data);
    for end in [&["--to-generation", "3"][..], &["--to-position", "3,10,0"]] {
        let args = [&["recover", "evidence", "--out", "no"][..], end].concat();
        let ran = untouched(work.path(), || ese(work.path(), &args));
        ran.refused(1, &["was whole at", "JET_errRequiredLogFilesMissing"]);
    }
    let args = ["recover", "evidence", "--from-logs", "--to-generation", "3", "--out", "third"];
    ese(work.path(), &args).fine();
}

#[test]
fn every_damaged_log_of_a_directory_is_told() {
    let test = "every_damaged_log_of_a_directory_is_told";
    let Some(data) = recovery_data(test) else { return };
    let damage = |path: &Path| {
        let mut bytes = fs::read(path).unwrap();
        bytes[20_480] ^= 1;
        fs::write(path, bytes).unwrap();
    };
    let verified = |work: &Path, words: &[&str]| {
        let ran = untouched(work, || ese(work, &["verify", "evidence"]));
        assert_eq!(ran.code, Some(1), "{ran:?}");
        words.iter().for_each(|word| assert!(ran.stdout.contains(word), "{word}: {ran:?}"));
    };
    let work = tempfile::tempdir().unwrap();
    let dir = whole_life(work.path(), &data);
    ["SRU00002.log", "SRU00004.log"].iter().for_each(|name| damage(&dir.join(name)));
    verified(work.path(), &["SRU00002.log", "SRU00004.log"]);
    // One that cannot be opened keeps no other from being read.
    let work = tempfile::tempdir().unwrap();
    let dir = whole_life(work.path(), &data);
    fs::write(dir.join("SRU00003.log"), b"short").unwrap();
    ["SRU00002.log", "SRU00004.log"].iter().for_each(|name| damage(&dir.join(name)));
    verified(work.path(), &["SRU00002.log", "SRU00003.log", "SRU00004.log"]);
    // Whole, but of an earlier time than its successor.
    let work = tempfile::tempdir().unwrap();
    let dir = whole_life(work.path(), &data);
    fs::remove_file(dir.join("SRU00002.log")).unwrap();
    fs::copy(data.join("srum-server2022/a/SRU.log"), dir.join("old2.log")).unwrap();
    verified(work.path(), &["old2.log", "JET_errLogSequenceChecksumMismatch -590"]);
}

#[test]
fn a_log_that_waits_to_be_used_again_is_read_where_recovery_reads_it() {
    let test = "a_log_that_waits_to_be_used_again_is_read_where_recovery_reads_it";
    let Some(data) = recovery_data(test) else { return };
    let work = tempfile::tempdir().unwrap();
    let dir = work.path().join("evidence");
    fs::create_dir(&dir).unwrap();
    for file in files_of(&data.join("srum-server2022/b"), |_| true) {
        fs::copy(&file, dir.join(file.file_name().unwrap())).unwrap();
    }
    let told = ese(work.path(), &["log", "evidence"]).fine();
    assert_eq!(told.matches("  first  ").count(), 1, "{told}");
    ese(work.path(), &["verify", "evidence"]).fine();
    let path = dir.join("SRUtmp.log");
    let mut bytes = fs::read(&path).unwrap();
    bytes[20_480] ^= 1;
    fs::write(&path, bytes).unwrap();
    let ran = ese(work.path(), &["verify", "evidence"]);
    assert!(ran.code == Some(1) && ran.stdout.contains("SRUtmp.log"), "{ran:?}");
}

#[test]
fn each_of_two_histories_keeps_its_own_logs() {
    let work = tempfile::tempdir().unwrap();
    let (one, two) = (work.path().join("one"), work.path().join("two"));
    let instance = start(&one, PageSize::K4);
    drop(support::fill(&instance, 3000));
    instance.stop().unwrap();
    fs::create_dir(&two).unwrap();
    for file in files_of(&one, |_| true) {
        fs::copy(&file, two.join(file.file_name().unwrap())).unwrap();
    }
    for (dir, word) in [(&one, "here"), (&two, "there")] {
        let instance = start(dir, PageSize::K4);
        let database = instance.open_database("a.edb").unwrap();
        go_round(&instance, &database, 6, word);
        drop(database);
        instance.stop().unwrap();
    }
    for log in files_of(&two, |name| name.ends_with(".log")) {
        let name = log.file_stem().unwrap().to_string_lossy().into_owned();
        let same = fs::read(one.join(format!("{name}.log"))).ok() == fs::read(&log).ok();
        if !same {
            fs::copy(&log, one.join(format!("{name}-conflict.log"))).unwrap();
        }
    }
    // Nothing decides between the newest ones; below, each follows on its own.
    let told = ese(work.path(), &["log", "one"]);
    assert_eq!(told.code, Some(1), "{told:?}");
    let of = |conflict: bool, word: &'static str| {
        let lines = told.stdout.lines().filter(move |line| line.contains(".log"));
        lines.filter(|line| line.contains("-conflict") == conflict && line.contains(word)).count()
    };
    assert!(of(true, "FORK") >= 3 && of(true, "follows") == 0, "{told:?}");
    assert!(of(false, "FORK") == 0 && of(false, "follows") >= 3, "{told:?}");
    for log in files_of(&one, |name| name.contains("-conflict")) {
        fs::remove_file(log).unwrap();
    }
    ese(work.path(), &["recover", "one", "--from-logs", "--out", "again"]).fine();
}

#[test]
fn an_end_before_the_logs_that_a_database_needs_is_refused_and_planned_so() {
    let test = "an_end_before_the_logs_that_a_database_needs_is_refused_and_planned_so";
    let Some(data) = recovery_data(test) else { return };
    let dirty = data.join("srum-win10-dirty/dirty");
    let dirty = dirty.to_str().unwrap();
    let work = tempfile::tempdir().unwrap();
    let work = work.path();
    let words = ["redo is to end at", "needs generations 0x51 to 0x51 ", "-543", "end later"];
    for mode in [&["--out", "no"][..], &["--dry-run"]] {
        let args = [&["recover", dirty, "--to-generation", "0x50"][..], mode].concat();
        let ran = ese(work, &args);
        assert_eq!(ran.code, Some(1), "{args:?}: {ran:?}");
        let told = format!("{}{}", ran.stdout, ran.stderr);
        words.iter().for_each(|word| assert!(told.contains(word), "{word}: {ran:?}"));
    }
    assert!(!work.join("no").exists());
    ese(work, &["recover", dirty, "--to-generation", "0x51", "--out", "whole"]).fine();
}
