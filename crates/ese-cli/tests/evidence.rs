//! Evidence that is damaged, cut off, oddly named or contradicts itself: what is there is given,
//! what is not is said with its place, and nobody takes a part for the whole.

#![allow(clippy::unwrap_used, reason = "a failing step fails the test")]
#![allow(clippy::disallowed_methods, reason = "tests look at files from outside the engine")]

mod support;

use std::{
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use ese_api::{PageSize, row};
use ese_base::{JetErr, Pgno};
use ese_pages::checksum::{stamp, stamp_header, stamp_segment};
use support::{Ran, a_leaf, clean, copies, damage, dirty, ese, start, untouched};

const PAGE: usize = 4096;

fn merged(test: &str) -> Option<PathBuf> {
    Some(ese_tests::real_data(test)?.join("recovery/srum-server2022/merged"))
}

/// Exit code 1, and all of these words on standard error.
fn told(ran: &Ran, words: &[&str]) {
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for word in words {
        assert!(ran.stderr.contains(word), "{word:?} is missing: {ran:?}");
    }
}

/// A leaf of the catalog, and the leaf of its shadow with the same rows.
const LEAF: (usize, usize) = (14, 28);
/// A leaf of the shadow with other rows.
const OTHER: usize = 41;

fn with_damaged_pages(whole: &[u8], path: &Path, pages: &[usize]) {
    let mut bytes = whole.to_vec();
    for page in pages {
        let at = (page + 1) * PAGE;
        bytes[at + 200..at + 600].fill(0xa5);
    }
    fs::write(path, bytes).unwrap();
}

#[test]
fn what_both_catalogs_have_lost_is_told() {
    let test = "what_both_catalogs_have_lost_is_told";
    let Some(data) = ese_tests::real_data(test) else { return };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let whole = fs::read(data.join("databases/srum-win10-clean.dat")).unwrap();
    fs::write(dir.join("whole.dat"), &whole).unwrap();
    with_damaged_pages(&whole, &dir.join("lost.dat"), &[LEAF.0, LEAF.1]);
    let tables = |ran: &str| ran.lines().count();
    let all = tables(&ese(dir, &["tables", "whole.dat", "--json"]).fine());
    let lost =
        ["LOST page 14 of table \"MSysObjects\"", "LOST page 28 of table \"MSysObjectsShadow\""];
    let ran = untouched(dir, || ese(dir, &["tables", "lost.dat", "--as-is", "--json", "-q"]));
    assert!(tables(&ran.stdout) > 3 && tables(&ran.stdout) < all, "{ran:?}");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    // Both pages, and a table of which only columns are left.
    assert_eq!(ran.stderr.matches("{\"lost\":").count(), 3, "{ran:?}");
    assert!(ran.stderr.contains("object id 12 cannot be put together"), "{ran:?}");
    told(&ese(dir, &["tables", "lost.dat", "--as-is"]), &lost);
    told(&ese(dir, &["export", "lost.dat", "--as-is", "--out", "out"]), &lost);
    let left: serde_json::Value = serde_json::from_str(ran.stdout.lines().next().unwrap()).unwrap();
    told(&ese(dir, &["rows", "lost.dat", left["name"].as_str().unwrap(), "--as-is"]), &lost);
    told(&ese(dir, &["rows", "lost.dat", "nobody knows", "--as-is"]), &["-1220", "what is left"]);
    let ran = untouched(dir, || ese(dir, &["diff", "whole.dat", "lost.dat", "--as-is"]));
    told(&ran, &["lost.dat: MSysObjects", "LOST page 14"]);
    assert!(ran.stdout.contains("were not compared") && !ran.stdout.contains("- table"), "{ran:?}");
    let ran = untouched(dir, || ese(dir, &["space", "lost.dat", "--as-is"]));
    assert!(ran.stdout.contains("MSysObjects is lost"), "{ran:?}");
}

#[test]
fn what_one_catalog_has_lost_comes_from_the_other_and_is_remarked() {
    let test = "what_one_catalog_has_lost_comes_from_the_other_and_is_remarked";
    let Some(data) = ese_tests::real_data(test) else { return };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let whole = fs::read(data.join("databases/srum-win10-clean.dat")).unwrap();
    fs::write(dir.join("whole.dat"), &whole).unwrap();
    let all = ese(dir, &["tables", "whole.dat", "--json", "--all"]).fine();
    for pages in [&[LEAF.0][..], &[4], &[LEAF.0, OTHER]] {
        with_damaged_pages(&whole, &dir.join("one.dat"), pages);
        let ran = untouched(dir, || ese(dir, &["tables", "one.dat", "--as-is", "--json", "--all"]));
        assert!(
            ran.stderr.contains("read from the other copy of the catalog"),
            "{pages:?} {ran:?}"
        );
        assert_eq!(ran.fine(), all, "{pages:?}");
    }
}

/// A log of `merged` with some bytes of a segment changed, and its checksum right again.
fn forge(path: &Path, segment: u16, changes: &[(usize, u8)]) {
    let mut bytes = fs::read(path).unwrap();
    let place = &mut bytes.as_chunks_mut::<PAGE>().0[usize::from(segment)];
    for (at, byte) in changes {
        assert_ne!(place[*at], *byte);
        place[*at] = *byte;
    }
    stamp_segment(place, u32::from(segment));
    fs::write(path, bytes).unwrap();
}

/// The database that the log is replayed onto is sound, and the log is not.
#[test]
fn a_damaged_record_is_blamed_on_the_log_that_has_it() {
    let test = "a_damaged_record_is_blamed_on_the_log_that_has_it";
    let Some(merged) = merged(test) else { return };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    copies(&merged, &dir.join("b"), |name| name.starts_with("SRU") && name.ends_with(".log"));
    copies(&merged.with_file_name("a"), &dir.join("a"), |name| name == "SRUDB.dat");
    forge(&dir.join("b/SRU00004.log"), 2, &[(1981, 255), (374, 255)]);
    let args = ["recover", "b", "--roll-forward", "a/SRUDB.dat", "--out", "copies"];
    for args in [&args[..], &["recover", "b", "--roll-forward", "a/SRUDB.dat", "--dry-run"]] {
        let ran = untouched(dir, || ese(dir, args));
        assert!(matches!(ran.code, Some(1 | 3)), "{ran:?}");
        let told = format!("{}{}", ran.stdout, ran.stderr);
        assert!(told.contains("b/SRU00004.log: log generation 0x4"), "{ran:?}");
        assert!(told.contains("unknown log record type 255"), "{ran:?}");
        assert!(told.contains("another copy of generation 0x4"), "{ran:?}");
        assert!(!told.contains("restore the file from a backup"), "{ran:?}");
    }
}

/// An insert that says of its tree what its root denies, and one of a key that is not there: both
/// of a transaction that has to be taken back.
#[test]
fn a_change_that_cannot_be_taken_back_is_named_with_its_record() {
    let test = "a_change_that_cannot_be_taken_back_is_named_with_its_record";
    let Some(merged) = merged(test) else { return };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for (work, change) in [("kind", (909, 1)), ("key", (1864, 76))] {
        let archive = |name: &str| name.starts_with("SRU0000") && name.ends_with(".log");
        copies(&merged, &dir.join(work), archive);
        forge(&dir.join(work).join("SRU00004.log"), 12, &[change]);
        let args = ["recover", work, "--from-logs", "--out", "out"];
        let ran = untouched(dir, || ese(dir, &args));
        ran.refused(1, &["JET_errInvalidLoggedOperation", "taking back the ", "000004,000C,"]);
        let ran = ese(dir, &[&args[..], &["--json"]].concat());
        let json: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
        assert_eq!(json["error"]["generation"], 4, "{json}");
        assert!(json["error"]["page"].is_u64() && json["error"]["file"].is_string(), "{json}");
    }
}

/// Generations of which records are listed.
fn listed(ran: &Ran) -> Vec<u32> {
    let generation = |line: &str| u32::from_str_radix(line.get(..6)?, 16).ok();
    let mut found: Vec<u32> = ran.stdout.lines().filter_map(generation).collect();
    found.dedup();
    found
}

/// Both call their logs alike.
#[test]
fn records_of_another_stream_are_not_left_out_in_silence() {
    let test = "records_of_another_stream_are_not_left_out_in_silence";
    let Some(merged) = merged(test) else { return };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    copies(&merged, &dir.join("w"), |name| name.ends_with(".log"));
    let other = merged.ancestors().nth(2).unwrap().join("srum-win10-dirty/dirty");
    for name in ["SRU00050.log", "SRU00051.log"] {
        fs::copy(other.join(name), dir.join("w").join(name)).unwrap();
    }
    for option in ["--records", "--check-roundtrip"] {
        let ran = untouched(dir, || ese(dir, &["log", "w", option]));
        told(
            &ran,
            &[
                "PROBLEM w/SRU00050.log",
                "of another stream, and 1 more; its records were left out",
                "JET_errBadLogSignature",
            ],
        );
        assert_eq!(ran.stderr.matches("PROBLEM").count(), 1, "{ran:?}");
    }
    let ran = untouched(dir, || ese(dir, &["log", "w", "--records"]));
    assert_eq!(listed(&ran), [1, 2, 3, 4, 5]);
    // Of a file that is named there is no other stream.
    untouched(dir, || ese(dir, &["log", "w/SRU00050.log", "--records"])).fine();
}

#[test]
fn records_on_both_sides_of_a_gap_are_listed() {
    let test = "records_on_both_sides_of_a_gap_are_listed";
    let Some(merged) = merged(test) else { return };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    copies(&merged, &dir.join("w"), |name| name.ends_with(".log"));
    let third = dir.join("w/SRU00003.log");
    let bytes = fs::read(&third).unwrap();
    fs::remove_file(&third).unwrap();
    let ran = untouched(dir, || ese(dir, &["log", "w", "--records"]));
    told(&ran, &["PROBLEM w/SRU00004.log", "generation 0x3 is missing", "JET_errMissingLogFile"]);
    assert_eq!(listed(&ran), [1, 2, 4, 5]);
    let ran = untouched(dir, || ese(dir, &["log", "w", "--page", "31"]));
    told(&ran, &["generation 0x3 is missing"]);
    assert!(listed(&ran).starts_with(&[1, 2]), "{ran:?}");
    let ran = untouched(dir, || ese(dir, &["log", "w", "--check-roundtrip", "--json"]));
    told(&ran, &["{\"problem\":"]);
    // Under another name it is there.
    fs::write(dir.join("w/photo.jpg"), &bytes).unwrap();
    let ran = untouched(dir, || ese(dir, &["log", "w", "--records"]));
    assert_eq!(listed(&ran), [1, 2, 3, 4, 5]);
    ran.fine();
    fs::remove_file(dir.join("w/photo.jpg")).unwrap();
    // Damaged, it is listed up to there, and what follows is, too.
    let mut flipped = bytes.clone();
    flipped[6 * PAGE + 900] ^= 4;
    fs::write(&third, flipped).unwrap();
    let ran = untouched(dir, || ese(dir, &["log", "w", "--records"]));
    told(&ran, &["w/SRU00003.log", "JET_errLogFileCorrupt"]);
    assert_eq!(listed(&ran), [1, 2, 3, 4, 5]);
    // Cut off, nothing of it is read; and the picture says so by its exit code.
    fs::write(&third, &bytes[..40_000]).unwrap();
    let ran = untouched(dir, || ese(dir, &["log", "w", "--records"]));
    told(&ran, &["w/SRU00003.log", "JET_errLogFileSizeMismatch"]);
    assert_eq!(listed(&ran), [1, 2, 4, 5]);
    let ran = untouched(dir, || ese(dir, &["log", "w"]));
    assert!(ran.stdout.contains("PROBLEM: 40,000 bytes") && ran.code == Some(1), "{ran:?}");
}

#[test]
fn a_directory_without_logs_is_told_like_any_missing_file() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::create_dir(dir.join("empty")).unwrap();
    ese(dir, &["log", "empty"]).refused(3, &["empty", "no log is here", "-1811"]);
}

#[test]
fn header_copies_of_two_databases_are_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("one"), PageSize::K4, 100);
    clean(&dir.join("two"), PageSize::K4, 100);
    clean(&dir.join("large"), PageSize::K8, 100);
    let bytes = |name: &str| fs::read(dir.join(name).join("a.edb")).unwrap();
    let (one, two, large) = (bytes("one"), bytes("two"), bytes("large"));
    let case = |first: &[u8], second: &[u8], what: &str| {
        let mut file = one.clone();
        file[..PAGE].copy_from_slice(first);
        file[PAGE..PAGE + second.len()].copy_from_slice(second);
        fs::write(dir.join("a.edb"), file).unwrap();
        let ran = untouched(dir, || ese(dir, &["verify", "a.edb"]));
        assert_eq!(ran.code, Some(1), "{ran:?}");
        let line = ran.stdout.lines().find(|line| line.contains("two copies of the header"));
        let line = line.unwrap();
        assert!(line.contains(what) && line.ends_with("[error]"), "{ran:?}");
        let info = untouched(dir, || ese(dir, &["info", "a.edb"])).fine();
        assert!(info.contains("PROBLEM: the two copies") && info.contains(what), "{info}");
    };
    case(&one[..PAGE], &two[..PAGE], "database signature");
    case(&two[..PAGE], &one[..PAGE], "database signature");
    case(&one[..PAGE], &large[..2 * PAGE], "pages of");
    // The log's signature follows on the database's state; see edb-format 2.
    let mut other_log = one[..PAGE].to_vec();
    other_log[SIGN_LOG] ^= 1;
    stamp_header(&mut other_log);
    case(&one[..PAGE], &other_log, "log signature");
}

/// Offset of the random part of the log's signature in a database's header.
const SIGN_LOG: usize = 108;

#[test]
fn a_dirty_database_that_was_cut_off_is_refused_before_anything_is_copied() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    dirty(&dir.join("w"), 3000);
    // Whole, as a killed process leaves it.
    ese(dir, &["recover", "w", "--dry-run"]).fine();
    let cut = |test: &str, from: &Path, file: &str, len: usize| {
        copies(from, &dir.join(test), |_| true);
        let path = dir.join(test).join(file);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..len]).unwrap();
        let plan = untouched(dir, || ese(dir, &["recover", test, "--dry-run"]));
        assert_eq!(plan.code, Some(1), "{plan:?}");
        assert!(plan.stdout.contains("the file was cut off"), "{plan:?}");
        let ran = untouched(dir, || ese(dir, &["recover", test, "--out", "out"]));
        ran.refused(1, &[file, "the file ends with page", "the file was cut off"]);
    };
    let test = "a_dirty_database_that_was_cut_off_is_refused_before_anything_is_copied";
    let Some(data) = ese_tests::real_data(test) else { return };
    let from = data.join("recovery/srum-win10-dirty/dirty");
    cut("half", &from, "SRUDB.dat", 1_000_000);
    cut("stump", &from, "SRUDB.dat", 5000);
}

#[test]
fn files_are_found_by_what_they_hold_whatever_their_names_are() {
    let test = "files_are_found_by_what_they_hold_whatever_their_names_are";
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("own"), PageSize::K4, 100);
    fs::create_dir(dir.join("alone")).unwrap();
    let name = |bytes: &'static [u8]| OsStr::from_bytes(bytes);
    fs::rename(dir.join("own/a.edb"), dir.join("alone").join(name(b"\xffb.edb"))).unwrap();
    let told = untouched(dir, || ese(dir, &["verify", "alone"])).fine();
    assert!(told.contains("b.edb"), "{told}");
    ese(dir, &["recover", "alone", "--dry-run"]);
    let Some(merged) = merged(test) else { return };
    copies(&merged, &dir.join("w"), |name| name.ends_with(".log"));
    let odd = dir.join("w").join(name(b"SRU\xe4.log"));
    fs::rename(dir.join("w/SRU00003.log"), odd).unwrap();
    let picture = untouched(dir, || ese(dir, &["log", "w"])).fine();
    assert!(picture.contains("0x3") && !picture.contains("GAP"), "{picture}");
    untouched(dir, || ese(dir, &["recover", "w", "--from-logs", "--dry-run"])).fine();
    ese(dir, &["recover", "w", "--from-logs", "--out", "out"]).fine();
}

#[test]
fn a_report_never_has_the_name_of_a_copy() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    dirty(&dir.join("w"), 100);
    for (out, report) in [("out", "out"), ("out", "out/a.edb"), ("one.edb", "./one.edb")] {
        let args = ["recover", "w", "--out", out, "--report", report];
        let ran = untouched(dir, || ese(dir, &args));
        ran.refused(2, &["the report would have the name of a copy", "-1814"]);
    }
    ese(dir, &["recover", "w", "--out", "out", "--report", "out/report.json"]).fine();
    assert!(dir.join("out/report.json").exists() && dir.join("out/a.edb").exists());
}

/// The damage of a leaf of a table is told as before, and that of the catalog does not hide it.
#[test]
fn losses_of_rows_are_told_beside_those_of_the_catalog() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 1000);
    damage(&dir.join("a.edb"), a_leaf(&dir.join("a.edb"), PAGE) + 900);
    let ran = untouched(dir, || ese(dir, &["rows", "a.edb", "t", "--as-is", "--csv"]));
    told(&ran, &["LOST page", "of table \"t\""]);
    assert!(!ran.stderr.contains("MSysObjects"), "{ran:?}");
}

/// Problems that `verify` names.
fn problems(dir: &Path, what: &str) -> Vec<String> {
    let ran = untouched(dir, || ese(dir, &["verify", what]));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let lines = ran.stdout.lines().filter(|line| line.starts_with("PROBLEM"));
    lines.map(str::to_owned).collect()
}

/// Builds the database from the logs of a directory; why that is refused.
fn refused_from_logs(dir: &Path, logs: &str, words: &[&str]) {
    for more in [&["--dry-run"][..], &["--out", "refused"]] {
        let ran =
            untouched(dir, || ese(dir, &[&["recover", logs, "--from-logs"][..], more].concat()));
        assert_eq!(ran.code, Some(1), "{ran:?}");
        for word in words {
            let told = ran.stdout.contains(word) || ran.stderr.contains(word);
            assert!(told, "{word:?} is missing: {ran:?}");
        }
    }
}

/// A file of which some blocks were lost reads as zeros, and an old copy as a log that was just
/// begun: nothing in the log itself is wrong.
#[test]
fn a_log_that_ends_before_the_state_of_its_clean_database_is_told() {
    let test = "a_log_that_ends_before_the_state_of_its_clean_database_is_told";
    let Some(merged) = merged(test) else { return };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for kept in [4096, 8192, 12_288] {
        let logs = format!("zeroed {kept}");
        copies(&merged, &dir.join(&logs), |_| true);
        let path = dir.join(&logs).join("SRU.log");
        let mut log = fs::read(&path).unwrap();
        log[kept..].fill(0);
        fs::remove_file(&path).unwrap();
        fs::write(&path, log).unwrap();
        let found = problems(dir, &logs);
        assert!(found.len() == 1 && found[0].contains("-528"), "{found:?}");
        assert!(found[0].contains("000005,0003,01D5, the log here ends at"), "{found:?}");
        refused_from_logs(dir, &logs, &["SRUDB.dat", "000005,0003,01D5", "-528"]);
        let database = format!("{logs}/SRUDB.dat");
        let ran = ese(dir, &["recover", &logs, "--roll-forward", &database, "--out", "forward"]);
        ran.refused(1, &["000005,0003,01D5", "-528"]);
        // The database itself is whole; and whoever wants what the logs give gets it.
        ese(dir, &["recover", &logs, "--out", &format!("whole {kept}")]).fine();
        let part = format!("part {kept}");
        let args = ["recover", &logs, "--from-logs", "--allow-lost-logs", "--out", &part];
        ese(dir, &args).fine();
    }
    copies(&merged, &dir.join("old"), |name| name != "SRU.log");
    fs::copy(merged.join("SRU00001.log"), dir.join("old/SRU.log")).unwrap();
    let found = problems(dir, "old").join("\n");
    assert!(found.contains("SRU.log") && found.contains("up to 0x4"), "{found}");
    assert!(found.contains("at generation 0x5, the last log here is 0x1"), "{found}");
    let ran = untouched(dir, || ese(dir, &["log", "old"]));
    assert!(ran.code == Some(1) && ran.stdout.contains("BEHIND 0x4"), "{ran:?}");
    refused_from_logs(dir, "old", &["-528", "0x5"]);
    // What is whole stays so.
    ese(&merged, &["verify", "."]).fine();
    ese(&merged, &["log", "."]).fine();
}

#[test]
fn a_first_log_that_is_damaged_is_named_where_the_database_was_created() {
    let test = "a_first_log_that_is_damaged_is_named_where_the_database_was_created";
    let Some(merged) = merged(test) else { return };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let case = |name: &str, change: &dyn Fn(&mut Vec<u8>), word: &str| {
        copies(&merged, &dir.join(name), |_| true);
        let path = dir.join(name).join("SRU00001.log");
        let mut log = fs::read(&path).unwrap();
        change(&mut log);
        fs::remove_file(&path).unwrap();
        fs::write(&path, log).unwrap();
        refused_from_logs(dir, name, &["SRU00001.log", word]);
    };
    case("cut", &|log| log.truncate(40_000), "-541");
    case("header", &|log| log[..4096].fill(0), "JET_err");
    case("segments", &|log| log[4096..].fill(0), "JET_err");
    // Without it they begin too late.
    copies(&merged, &dir.join("late"), |name| name != "SRU00001.log");
    refused_from_logs(dir, "late", &["begin with generation 0x2", "-509"]);
}

#[test]
fn an_end_before_the_creation_is_a_wrong_position_and_no_missing_file() {
    let test = "an_end_before_the_creation_is_a_wrong_position_and_no_missing_file";
    let Some(merged) = merged(test) else { return };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let logs = merged.to_str().unwrap();
    // Where its creation begins, and where it is not at its end.
    let ends = [("1,0,0", "is created at 000001,0001,0268"), ("1,9,36", "the end of its creation")];
    for (position, what) in ends {
        let args = ["recover", logs, "--from-logs", "--to-position", position, "--out", "out"];
        let ran = ese(dir, &args);
        ran.refused(1, &[what, "-543"]);
    }
    assert!(!dir.join("out").exists());
}

/// Writes numbers into both copies of a header.
fn with_header(whole: &[u8], path: &Path, fields: &[(usize, &[u8])]) {
    let mut bytes = whole.to_vec();
    for copy in bytes[..2 * PAGE].chunks_mut(PAGE) {
        for (at, value) in fields {
            copy[*at..at + value.len()].copy_from_slice(value);
        }
        stamp_header(copy);
    }
    fs::write(path, bytes).unwrap();
}

/// Offsets in the header (edb-format 1.3).
const DBTIME: usize = 16;
const STATE: usize = 52;
const CONSISTENT: usize = 56;
const OBJID_LAST: usize = 212;
const REQUIRED: usize = 296;

#[test]
fn a_header_that_contradicts_its_database_is_no_sound_one() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("w"), PageSize::K4, 100);
    let (whole, path) = (fs::read(dir.join("w/a.edb")).unwrap(), dir.join("a.edb"));
    fs::write(&path, &whole).unwrap();
    ese(dir, &["verify", "a.edb"]).fine();
    let case = |fields: &[(usize, &[u8])], words: &[&str]| {
        with_header(&whole, &path, fields);
        let found = problems(dir, "a.edb").join("\n");
        for word in words {
            assert!(found.contains(word), "{word:?} is missing: {found}");
        }
    };
    for last in [0_u32, 2, 6] {
        let what = format!("object ids were given out up to {last}, the catalog has");
        case(&[(OBJID_LAST, &last.to_le_bytes())], &[&what, "[error]"]);
    }
    case(&[(OBJID_LAST, &[0xff; 4])], &["every object id", "-1074", "[error]"]);
    case(&[(DBTIME, &[0xff; 8])], &["-344", "clock", "[error]"]);
    case(&[(CONSISTENT, &[0xff; 8])], &["where no log comes to", "[error]"]);
    let needs = "clean, and needs log generations 0x5 to 0x0";
    case(&[(REQUIRED, &[5, 0, 0, 0])], &[needs, "[error]"]);
    for state in [0_u32, 4, 6, 8, 0x7fff_ffff] {
        case(&[(STATE, &state.to_le_bytes())], &["no log makes the database whole", "[error]"]);
    }
    case(&[(STATE, &[2, 0, 0, 0])], &["does not say which log generations", "[warning]"]);
    case(&[(STATE, &[1, 0, 0, 0])], &["--from-logs", "[warning]"]);
}

/// A clock that runs over goes on below all pages, and recovery takes what comes then for done.
#[test]
fn a_clock_that_would_run_over_is_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 100);
    let whole = fs::read(dir.join("a.edb")).unwrap();
    for time in [u64::MAX, u64::MAX - 100, 1 << 48] {
        with_header(&whole, &dir.join("a.edb"), &[(DBTIME, &time.to_le_bytes())]);
        let damaged = fs::read(dir.join("a.edb")).unwrap();
        let instance = start(dir, PageSize::K4);
        let error = instance.open_database("a.edb").unwrap_err();
        assert_eq!(error.code(), JetErr::DbTimeCorrupted, "{error}");
        instance.stop().unwrap();
        assert!(fs::read(dir.join("a.edb")).unwrap() == damaged);
    }
    // One that can be counted on for years.
    let time: u64 = (1 << 48) - 1_000_000;
    with_header(&whole, &dir.join("a.edb"), &[(DBTIME, &time.to_le_bytes())]);
    let instance = start(dir, PageSize::K4);
    drop(instance.open_database("a.edb").unwrap());
    instance.stop().unwrap();
}

/// Changes of such a page have times below its own, and recovery would take them for done.
#[test]
fn a_page_with_a_time_that_cannot_be_is_read_and_not_changed() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 1000);
    let path = dir.join("a.edb");
    let (at, mut bytes) = (a_leaf(&path, PAGE), fs::read(&path).unwrap());
    bytes[at + 8..at + 16].copy_from_slice(&(1_u64 << 48).to_le_bytes());
    stamp(&mut bytes[at..at + PAGE], Pgno(u32::try_from(at / PAGE - 1).unwrap()));
    fs::write(&path, bytes).unwrap();
    let instance = start(dir, PageSize::K4);
    let database = instance.open_database("a.edb").unwrap();
    let mut session = instance.session().unwrap();
    let table = database.table(&session, "t").unwrap();
    let (mut changed, mut refused) = (0, 0);
    for id in 0..1000 {
        let mut transaction = session.begin().unwrap();
        match table.update(&mut transaction, id, &row! { "name" => "new" }) {
            Ok(there) => {
                assert!(there, "row {id} can be read");
                transaction.commit().unwrap();
                changed += 1;
            }
            Err(error) => {
                assert_eq!(error.code(), JetErr::DbTimeCorrupted, "{error}");
                assert_eq!(error.pgno(), Some(Pgno(u32::try_from(at / PAGE - 1).unwrap())));
                refused += 1;
            }
        }
    }
    assert!((10..60).contains(&refused), "{refused} refused, {changed} changed");
    drop((table, session, database));
    // Nothing that was committed is lost by a crash.
    instance.abandon();
    ese(dir, &["recover", ".", "--in-place"]).fine();
    let rows = ese(dir, &["export", "a.edb", "t", "--json"]).fine();
    assert_eq!(rows.lines().count(), 1000);
    assert_eq!(rows.matches("\"name\":\"new\"").count(), changed);
}

/// Of another machine, or with a new signature out of a repair: the log is not its own.
#[test]
fn a_database_in_the_place_of_the_one_that_the_log_needs_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("stranger"), PageSize::K4, 50);
    dirty(&dir.join("created"), 100);
    clean(&dir.join("attached"), PageSize::K4, 100);
    let instance = support::start(&dir.join("attached"), PageSize::K4);
    drop(instance.open_database("a.edb").unwrap());
    instance.abandon();
    for log in ["created", "attached"] {
        let home = dir.join(log);
        fs::rename(home.join("a.edb"), dir.join("its own")).unwrap();
        fs::copy(dir.join("stranger/a.edb"), home.join("a.edb")).unwrap();
        let ran = untouched(&home, || ese(dir, &["verify", log]));
        assert_eq!(ran.code, Some(1), "{ran:?}");
        for word in ["a.edb", "the log needs database", "-1216"] {
            assert!(ran.stdout.contains(word), "{word:?} is missing: {ran:?}");
        }
        // Under whatever name the right one is there, nothing is wrong.
        fs::rename(home.join("a.edb"), home.join("other.edb")).unwrap();
        fs::rename(dir.join("its own"), home.join("a.edb")).unwrap();
        let ran = ese(dir, &["verify", log]);
        assert!(!ran.stdout.contains("-1216"), "{ran:?}");
    }
}
