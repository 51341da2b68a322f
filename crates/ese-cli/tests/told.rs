//! What `ese` says of what it was given: single files, files that are cut off or sparse, other
//! names, other ends than there are. Nothing is passed over in silence, and no word is untrue.

#![allow(clippy::unwrap_used, reason = "a failing step fails the test")]
#![allow(clippy::disallowed_methods, reason = "tests look at files from outside the engine")]

mod support;

use std::{
    fs::{self, File},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use ese_api::{
    CacheMode, Env, Instance, JetErr, PageSize, StopReason, StopToken, VerifyOptions, space_map,
    verify_file,
};
use serde_json::Value;
use support::{Ran, a_leaf, clean, copies, damage, dirty, ese, fill, untouched};

const PAGE: usize = 4096;

fn recovery_data(test: &str, which: &str) -> Option<PathBuf> {
    Some(ese_tests::real_data(test)?.join("recovery").join(which))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Exit code 0, and these words on standard error.
fn remarked(ran: Ran, words: &[&str]) -> String {
    for word in words {
        assert!(ran.stderr.contains(word), "{word:?} is missing: {ran:?}");
    }
    ran.fine()
}

/// Problems on standard output with exit code 1, one of them with these words.
fn found(ran: &Ran, words: &[&str]) {
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let has_all = |line: &str| words.iter().all(|word| line.contains(word));
    let told = ran.stdout.lines().any(|line| line.starts_with("PROBLEM") && has_all(line));
    assert!(told, "{words:?} are missing: {ran:?}");
}

fn disk_bytes(path: &Path) -> u64 {
    path.metadata().unwrap().blocks() * 512
}

#[test]
fn holes_of_a_database_stay_holes() {
    const LEN: u64 = 4 << 30;
    const LITTLE: u64 = 64 << 20;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    dirty(&dir.join("w"), 500);
    let file = dir.join("w/a.edb");
    File::options().write(true).open(&file).unwrap().set_len(LEN).unwrap();
    if disk_bytes(&file) > LITTLE {
        // This file system has no holes.
        return;
    }
    ese(dir, &["recover", "w", "--out", "out"]).fine();
    let copy = dir.join("out/a.edb");
    assert_eq!(copy.metadata().unwrap().len(), LEN);
    assert!(disk_bytes(&copy) < LITTLE, "{} bytes", disk_bytes(&copy));
    assert_eq!(ese(dir, &["rows", "out/a.edb", "t", "--json"]).fine().lines().count(), 500);
}

#[test]
fn whoever_stops_a_look_at_the_trees_is_obeyed() {
    let dir = tempfile::tempdir().unwrap();
    clean(dir.path(), PageSize::K4, 1000);
    let (env, file, stop) = (Env::real(), dir.path().join("a.edb"), StopToken::new());
    space_map(&env, &file, false, &stop).unwrap();
    stop.stop(StopReason::Requested);
    let stopped = Some(JetErr::ClientRequestToStopJetService);
    let found = space_map(&env, &file, false, &stop);
    assert_eq!(found.err().map(|error| error.code()), stopped);
    let mut progress = |_: &ese_api::VerifyProgress| {};
    let mut options = VerifyOptions::new(&mut progress, stop);
    let found = verify_file(&env, &file, &mut options);
    assert_eq!(found.err().map(|error| error.code()), stopped);
}

#[test]
fn a_log_and_a_checkpoint_are_verified_by_themselves() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 3000);
    let verify = |name: &str| untouched(dir, || ese(dir, &["verify", name]));
    let told = verify("edb.log").fine();
    assert!(told.contains("edb.log: log, generation 0x") && told.ends_with("sound\n"), "{told}");
    assert!(verify("edb.chk").fine().starts_with("edb.chk: checkpoint\n"));
    let told = json(&ese(dir, &["verify", "edb.log", "--json"]).fine());
    assert!(told["file"]["records"].as_u64().unwrap() > 10, "{told}");
    assert_eq!(told["file"]["kind"], "log");
    fs::write(dir.join("edbres00001.jrs"), vec![0; 1 << 16]).unwrap();
    assert!(verify("edbres00001.jrs").fine().contains("reserve log, which holds no data"));
    assert!(ese(dir, &["info", "edbres00001.jrs"]).fine().contains("reserve log"));
    fs::write(dir.join("edbtmp.log"), vec![0; 1 << 16]).unwrap();
    assert!(verify("edbtmp.log").fine().contains("log made in advance, which holds no data"));
    assert!(ese(dir, &["info", "edbtmp.log"]).fine().contains("log made in advance"));
    fs::write(dir.join("edbtmp.log"), vec![0x5a; 1 << 16]).unwrap();
    damage(&dir.join("edbtmp.log"), 300);
    found(&verify("edbtmp.log"), &["edbtmp.log", "-501", "[error]"]);
    fs::remove_file(dir.join("edbtmp.log")).unwrap();
    // A killed instance leaves it.
    fs::write(dir.join("edb.lck"), []).unwrap();
    assert!(ese(dir, &["verify", "edb.lck"]).fine().contains("lock file, which holds no data"));

    let log = fs::read(dir.join("edb.log")).unwrap();
    damage(&dir.join("edb.log"), 2 * PAGE + 300);
    found(&verify("edb.log"), &["edb.log", "-501", "[error]"]);
    fs::write(dir.join("edb.log"), &log[..3 * PAGE]).unwrap();
    found(&verify("edb.log"), &["-541", "[error]"]);
    fs::write(dir.join("edb.log"), &log).unwrap();
    damage(&dir.join("edb.log"), 300);
    found(&verify("edb.log"), &["edb.log", "[error]"]);
    damage(&dir.join("edb.chk"), 300);
    found(&verify("edb.chk"), &["first copy", "-533", "[warning]"]);
    damage(&dir.join("edb.chk"), PAGE + 300);
    found(&verify("edb.chk"), &["both copies", "-533", "[warning]"]);
    // A database stays one, whatever it is called.
    fs::copy(dir.join("a.edb"), dir.join("b.log")).unwrap();
    assert!(verify("b.log").fine().starts_with("b.log: Clean Shutdown, "));
}

#[test]
fn a_file_of_which_nothing_can_be_read_is_a_fatal_finding() {
    let test = "a_file_of_which_nothing_can_be_read_is_a_fatal_finding";
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 100);
    let file = dir.join("a.edb");
    damage(&file, 100);
    damage(&file, PAGE + 100);
    fs::write(
        dir.join("noise.edb"),
        (0..40_000_u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>(),
    )
    .unwrap();
    for name in ["a.edb", "noise.edb"] {
        let ran = untouched(dir, || ese(dir, &["verify", name]));
        found(&ran, &[name, "[fatal]"]);
        let report = json(&ese(dir, &["verify", name, "--json"]).stdout);
        assert_eq!(report["worst"], "fatal", "{report}");
    }
    ese(dir, &["verify", "gone.edb"]).refused(3, &["gone.edb", "-1811"]);
    // Both leaves with the same part of the catalog.
    let Some(data) = ese_tests::real_data(test) else { return };
    let mut bytes = fs::read(data.join("databases/srum-win10-clean.dat")).unwrap();
    for page in [14, 28] {
        let at = (page + 1) * PAGE;
        bytes[at + 200..at + 600].fill(0xa5);
    }
    fs::write(dir.join("lost.dat"), bytes).unwrap();
    let ran = untouched(dir, || ese(dir, &["verify", "lost.dat"]));
    found(&ran, &["neither copy of the catalog can be read", "-1220", "[fatal]"]);
}

#[test]
fn every_lost_page_is_told() {
    const LOST: usize = 70;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 5000);
    let file = dir.join("a.edb");
    let mut bytes = fs::read(&file).unwrap();
    let word = |page: &[u8], at: usize| u32::from_le_bytes(page[at..at + 4].try_into().unwrap());
    // Leaves between two others, the last ones of the file: those of the table.
    let leaf = |page: &&mut [u8]| word(page, 36) & 2 != 0 && word(page, 16) != 0;
    let leaves = bytes.chunks_mut(PAGE).rev().filter(leaf).take(LOST);
    assert_eq!(leaves.map(|page| page[200..600].fill(0xa5)).count(), LOST);
    fs::write(&file, bytes).unwrap();
    for args in [&["rows", "a.edb", "t", "--as-is", "--csv"][..], &["export", "a.edb", "t"]] {
        let ran = untouched(dir, || ese(dir, args));
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert_eq!(ran.stderr.matches("LOST page").count(), LOST, "{ran:?}");
        assert!(ran.stderr.contains("70 pages could not be read"), "{ran:?}");
        assert!(ran.stderr.contains("0 values or rows besides"), "{ran:?}");
    }
}

/// Raw copies of a disk have them in place of pages that were never written.
#[test]
fn bytes_in_pages_that_no_tree_uses_are_one_warning() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 300);
    let path = dir.join("a.edb");
    // Behind the last page that the database owns.
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend([0x5a; 3 * PAGE]);
    fs::write(&path, &bytes).unwrap();
    let told = json(&ese(dir, &["verify", "a.edb", "--json"]).stdout);
    assert_eq!(told["worst"], "warning", "{told:#}");
    assert_eq!(told["problems"].as_array().unwrap().len(), 1, "{told:#}");
    found(&ese(dir, &["verify", "a.edb"]), &["3 between", "no tree uses", "[warning]"]);
    ese(dir, &["export", "a.edb", "t", "--json"]).fine();
    // A page that is used stays an error, and then nobody knows which others are.
    damage(&path, 5 * PAGE + 300);
    let told = json(&ese(dir, &["verify", "a.edb", "--json"]).stdout);
    assert_ne!(told["worst"], "warning", "{told:#}");
}

#[test]
fn pages_that_were_put_right_are_remarked() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 1000);
    let file = dir.join("a.edb");
    let leaf = a_leaf(&file, PAGE);
    let mut bytes = fs::read(&file).unwrap();
    bytes[leaf + 2000] ^= 4;
    fs::write(&file, bytes).unwrap();
    let page = format!("1 page: {}", leaf / PAGE - 1);
    let words = ["a flipped bit put right", &page];
    for args in [&["rows", "a.edb", "t", "--csv"][..], &["export", "a.edb", "t"]] {
        let csv = remarked(untouched(dir, || ese(dir, args)), &words);
        assert_eq!(csv.lines().count(), 1001);
        assert_eq!(ese(dir, &[args, &["-q"]].concat()).stderr, "");
    }
}

#[test]
fn a_file_that_was_cut_off_is_remarked() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 3000);
    let file = dir.join("a.edb");
    let whole = fs::read(&file).unwrap();
    fs::write(dir.join("whole.edb"), &whole).unwrap();
    fs::write(&file, &whole[..whole.len() / 2 / PAGE * PAGE]).unwrap();
    let cut = "the file was cut off: it ends with page";
    remarked(untouched(dir, || ese(dir, &["tables", "a.edb"])), &[cut, "owns pages up to"]);
    let ran = untouched(dir, || ese(dir, &["export", "a.edb", "t"]));
    assert!(ran.code == Some(1) && ran.stderr.contains(cut), "{ran:?}");
    assert!(ran.stderr.contains("LOST page") && !ran.stderr.contains("two places"), "{ran:?}");
    assert!(ran.stderr.contains("it lies behind the end of the file"), "{ran:?}");
    let ran = untouched(dir, || ese(dir, &["diff", "whole.edb", "a.edb", "--summary"]));
    assert!(ran.stderr.contains(cut), "{ran:?}");
    // Bytes that make no page are wasted, and nothing is wrong with them.
    fs::write(&file, [&whole[..], b"stray"].concat()).unwrap();
    let told = untouched(dir, || ese(dir, &["verify", "a.edb"])).fine();
    assert!(told.contains("behind the last page, wasted but not wrong: 5 bytes"), "{told}");
}

#[test]
fn rows_of_a_table_that_one_side_lacks_are_counted_and_shown() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("full"), PageSize::K4, 10);
    let empty = Instance::builder(dir.join("empty"))
        .page_size(PageSize::K4)
        .cache_mode(CacheMode::Mapped)
        .start()
        .unwrap();
    drop(empty.create_database("a.edb").unwrap());
    empty.stop().unwrap();
    for (from, to, sign, counts) in [
        ("empty", "full", "+", "10 rows added, 0 removed"),
        ("full", "empty", "-", "0 rows added, 10 removed"),
    ] {
        let pair = [format!("{from}/a.edb"), format!("{to}/a.edb")];
        let ran = untouched(dir, || ese(dir, &["diff", &pair[0], &pair[1]]));
        assert_eq!(ran.code, Some(1), "{ran:?}");
        let lines = |start: String| ran.stdout.lines().filter(|it| it.starts_with(&start)).count();
        assert_eq!(lines(format!("{sign} table \"t\"")), 1, "{ran:?}");
        assert_eq!(lines(format!("{sign} t ")), 10, "{ran:?}");
        assert!(ran.stdout.contains(counts), "{ran:?}");
        assert!(ran.stdout.contains("; 1 difference of schema"), "{ran:?}");
    }
}

#[test]
fn a_database_in_the_place_of_its_logs_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    dirty(&dir.join("w"), 100);
    let ran = untouched(dir, || ese(dir, &["recover", "w/a.edb", "--out", "out"]));
    ran.refused(1, &["w/a.edb", "this is a database", "--roll-forward names the database"]);
}

#[test]
fn a_missing_generation_is_told_with_its_database() {
    let test = "a_missing_generation_is_told_with_its_database";
    let Some(data) = recovery_data(test, "srum-win10-dirty/dirty") else { return };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    copies(&data, &dir.join("w"), |name| name != "SRU00051.log");
    let ran = untouched(dir, || ese(dir, &["recover", "w", "--out", "out"]));
    ran.refused(1, &["w/SRUDB.dat: log generation 0x51: the database needs generations 0x51"]);
    let ran = untouched(dir, || ese(dir, &["recover", "w", "--out", "out", "--json"]));
    assert_eq!(json(&ran.stderr)["error"]["file"], "w/SRUDB.dat");
    let plan = untouched(dir, || ese(dir, &["recover", "w", "--dry-run"]));
    assert!(plan.stdout.contains("w/SRUDB.dat") && !plan.stdout.contains("to replay"), "{plan:?}");
}

#[test]
fn a_plan_says_what_must_be_there_and_what_follows() {
    let test = "a_plan_says_what_must_be_there_and_what_follows";
    let Some(data) = recovery_data(test, "srum-win10-dirty/dirty") else { return };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    copies(&data, &dir.join("w"), |_| true);
    let header = ese(dir, &["verify", "w"]).stdout;
    assert!(header.contains("it needs log generations 0x51 to 0x51"), "{header}");
    let plan = untouched(dir, || ese(dir, &["recover", "w", "--dry-run"])).fine();
    assert!(plan.contains("needs generations 0x51.."), "{plan}");
    // A database that is built from its logs needs none of a file.
    let Some(merged) = recovery_data(test, "srum-server2022/merged") else { return };
    copies(&merged, &dir.join("m"), |_| true);
    let args = ["recover", "m", "--from-logs", "--dry-run", "--json"];
    let plan = json(&untouched(dir, || ese(dir, &args)).fine());
    assert_eq!(plan["databases"][0]["required"], Value::Null, "{plan}");
    fs::remove_file(dir.join("m/SRU00003.log")).unwrap();
    let plan = untouched(dir, || ese(dir, &["recover", "m", "--from-logs", "--dry-run"]));
    assert!(plan.stdout.contains("missing: 0x3") && plan.code == Some(1), "{plan:?}");
    assert!(!plan.stdout.contains("to replay"), "{plan:?}");
}

#[test]
fn logs_before_a_damaged_one_and_wrong_names_are_told() {
    let test = "logs_before_a_damaged_one_and_wrong_names_are_told";
    let Some(merged) = recovery_data(test, "srum-server2022/merged") else { return };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    copies(&merged, &dir.join("w"), |_| true);
    let current = fs::read(dir.join("w/SRU.log")).unwrap();
    damage(&dir.join("w/SRU.log"), 0x3f5);
    let ran = untouched(dir, || ese(dir, &["verify", "w"]));
    found(&ran, &["w/SRU.log"]);
    assert!(ran.stdout.contains("log SRU: generations 0x1 to 0x4, "), "{ran:?}");
    assert!(!ran.stdout.contains(", 0 records"), "{ran:?}");
    // Its generation is 5.
    fs::write(dir.join("w/SRU.log"), &current).unwrap();
    fs::write(dir.join("w/SRU00007.log"), &current).unwrap();
    let ran = untouched(dir, || ese(dir, &["verify", "w"]));
    found(&ran, &["w/SRU00007.log", "the name says generation 0x7, the header 0x5", "-513"]);
    fs::remove_file(dir.join("w/SRU00007.log")).unwrap();
    fs::rename(dir.join("w/SRU00004.log"), dir.join("w/SRU00009.log")).unwrap();
    let ran = untouched(dir, || ese(dir, &["verify", "w"]));
    found(&ran, &["w/SRU00009.log", "the name says generation 0x9, the header 0x4", "-513"]);
}

#[test]
fn a_database_built_from_its_log_is_called_as_the_log_says() {
    let test = "a_database_built_from_its_log_is_called_as_the_log_says";
    let Some(merged) = recovery_data(test, "srum-server2022/merged") else { return };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    copies(&merged, &dir.join("w"), |_| true);
    fs::copy(dir.join("w/SRUDB.dat"), dir.join("w/SRUDB conflicted.dat")).unwrap();
    ese(dir, &["recover", "w", "--from-logs", "--out", "both"]).fine();
    fs::remove_file(dir.join("w/SRUDB.dat")).unwrap();
    fs::rename(dir.join("w/SRUDB conflicted.dat"), dir.join("w/README")).unwrap();
    let args = ["recover", "w", "--from-logs", "--out", "renamed", "--to-generation", "99"];
    remarked(ese(dir, &args), &["the log ends before that, at 000005,", "nothing was left out"]);
    let args = ["recover", "w", "--from-logs", "--dry-run", "--to-generation", "5"];
    assert_eq!(ese(dir, &args).stderr, "");
    for out in ["both", "renamed"] {
        let names = fs::read_dir(dir.join(out)).unwrap();
        let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["SRUDB.dat"], "{out}");
    }
}

#[test]
fn a_database_of_which_no_log_knows_needs_none() {
    let test = "a_database_of_which_no_log_knows_needs_none";
    let Some(merged) = recovery_data(test, "srum-server2022/merged") else { return };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    copies(&merged, &dir.join("w"), |name| name.ends_with(".log"));
    clean(&dir.join("own"), PageSize::K4, 100);
    fs::copy(dir.join("own/a.edb"), dir.join("w/a.edb")).unwrap();
    let told = untouched(&dir.join("w"), || ese(dir, &["recover", "w", "--out", "out"])).fine();
    assert!(told.contains("(Clean Shutdown); it needed no log\n"), "{told}");
    assert!(told.contains("the logs here know nothing of it"), "{told}");
    let told = json(&ese(dir, &["recover", "w", "--out", "again", "--json"]).fine());
    assert_eq!(told["databases"][0]["from"], Value::Null, "{told}");
    assert_eq!(told["databases"][0]["unknown_to_logs"], true, "{told}");
    // What cannot be recovered is told by its own name: there is no copy.
    fs::copy(merged.join("SRUDB.dat"), dir.join("w/SRUDB.dat")).unwrap();
    fs::remove_file(dir.join("w/SRU.log")).unwrap();
    fs::write(dir.join("w/SRU.log"), b"not a log").unwrap();
    let ran = ese(dir, &["recover", "w", "--out", "third"]);
    assert!(!ran.stdout.contains("PROBLEM third/"), "{ran:?}");
}

#[test]
fn small_wishes_are_granted_or_refused_in_plain_words() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let instance = support::start(dir, PageSize::K4);
    drop(fill(&instance, 200));
    instance.stop().unwrap();
    // A table that is named twice is wanted once.
    ese(dir, &["export", "a.edb", "t", "T", "--out", "out"]).fine();
    assert_eq!(fs::read_dir(dir.join("out")).unwrap().count(), 1);
    // Standard output is called so everywhere.
    let csv = ese(dir, &["export", "a.edb", "t", "--out", "-"]).fine();
    assert_eq!(csv.lines().count(), 201);
    let args = ["export", "a.edb", "t", "--out", "-", "--format", "sqlite"];
    ese(dir, &args).refused(2, &["a file of SQLite needs a name"]);
    let args = ["recover", ".", "--dry-run", "--report", "-"];
    ese(dir, &args).refused(2, &["--report needs the name of a file"]);
    assert!(!dir.join("-").exists());
    // Pages are numbers like generations.
    let pages = ["31", "0x1f"].map(|page| ese(dir, &["log", ".", "--page", page]).fine());
    assert_eq!(pages[0], pages[1]);
    ese(dir, &["log", ".", "--page", "0x1f"]).fine();
    assert_eq!(ese(dir, &["log", ".", "--page", "0"]).code, Some(2));
}

#[test]
fn every_form_of_a_backup_is_verified() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 500);
    ese(dir, &["backup", "data", "full", "--truncate"]).fine();
    fs::write(dir.join("more.jsonl"), "{\"n\": 1}\n{\"n\": 2}\n").unwrap();
    ese(dir, &["import", "data", "--database", "a.edb", "--table", "more", "more.jsonl"]).fine();
    ese(dir, &["backup", "data", "more", "--incremental"]).fine();
    ese(dir, &["backup", "data", "all.esebak"]).fine();
    ese(dir, &["ship", "data", "shipped", "--once"]).fine();
    for (path, words) in [
        ("full", "full: backup set, "),
        ("more", "more: backup set, "),
        ("all.esebak", "all.esebak: archive of a backup set"),
        ("shipped", "log edb: generations 0x"),
    ] {
        let told = untouched(dir, || ese(dir, &["verify", path])).fine();
        assert!(told.contains(words) && told.ends_with("sound\n"), "{path}: {told}");
    }
    let of = |name: &str| fs::read_dir(dir.join(name)).unwrap().map(|entry| entry.unwrap().path());
    let log = of("more").find(|path| path.extension().is_some_and(|it| it == "log")).unwrap();
    damage(&log, 2 * PAGE + 300);
    let name = format!("more/{}", log.file_name().unwrap().to_str().unwrap());
    found(&untouched(dir, || ese(dir, &["verify", "more"])), &[&name, "-573"]);
    damage(&dir.join("all.esebak"), 100_000);
    found(&untouched(dir, || ese(dir, &["verify", "all.esebak"])), &["all.esebak", "-1018"]);
}

#[test]
fn whoever_finds_a_stopped_backup_in_the_way_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 100);
    fs::create_dir(dir.join("out")).unwrap();
    for name in ["ese-backup.incomplete", "ese-backup.kept.json"] {
        fs::write(dir.join("out").join(name), b"").unwrap();
    }
    let ran = untouched(&dir.join("out"), || ese(dir, &["backup", "data", "out"]));
    ran.refused(2, &["a backup that was stopped lies in", "-504", "go on with it (--resume)"]);
}

#[test]
fn whole_numbers_that_no_type_holds_are_loaded_as_text() {
    const LONG: &str = "12345678901234567890123";
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("n.jsonl"), format!("{{\"a\": {LONG}}}\n{{\"a\": -7}}\n")).unwrap();
    fs::write(dir.join("n.csv"), format!("a\n{LONG}\n-7\n")).unwrap();
    for file in ["n.jsonl", "n.csv"] {
        let table = file.replace('.', "_");
        ese(dir, &["import", "data", "--table", &table, file]).fine();
        let rows = ese(dir, &["export", "data/data.edb", &table, "--json"]).fine();
        assert!(rows.contains(&format!("\"a\":\"{LONG}\"")), "{rows}");
        assert!(rows.contains("\"a\":\"-7\""), "{rows}");
    }
}
