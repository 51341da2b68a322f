//! `ese recover` into copies: the original stays, the plan says beforehand what is needed, the
//! report what was done.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]
#![allow(clippy::disallowed_methods, reason = "tests look at files from outside the engine")]

mod support;

use std::{fs, path::Path};

use ese_api::{Instance, PageSize, row};
use ese_log::LogHeader;
use ese_pages::checksum::stamp_header;
use serde_json::Value;
use support::{clean, contents, copies, dirty, ese, fill, start, untouched};

#[test]
fn a_copy_is_recovered_and_the_original_stays() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    dirty(&dir.join("data"), 100);
    let before = contents(&dir.join("data"));
    let args = ["recover", "data", "--out", "out", "--report", "report.json", "--json"];
    let told: Value = serde_json::from_str(&ese(dir, &args).fine()).unwrap();
    assert_eq!(contents(&dir.join("data")), before);
    let report: Value =
        serde_json::from_slice(&fs::read(dir.join("report.json")).unwrap()).unwrap();
    assert_eq!(told, report);
    let database = &report["databases"][0];
    assert_eq!(database["state"], "Clean Shutdown");
    assert_eq!(database["file"], "out/a.edb");
    assert!(database["records"].as_u64().unwrap() > 100, "{database}");
    // What the log did and how the rows differ are two things: none was written before the end.
    let tables = database["tables"].as_array().unwrap();
    let table = tables.iter().find(|table| table["name"] == "t").unwrap();
    assert!(table["rows_added"].as_u64().unwrap() <= 100, "{table}");
    assert_eq!((&table["rows_changed"], &table["rows_removed"]), (&0.into(), &0.into()), "{table}");
    assert!(table["operations"]["added"].is_u64(), "{table}");
    assert_eq!(ese(dir, &["rows", "out/a.edb", "t", "--json"]).fine().lines().count(), 100);
    ese(dir, &["verify", "out/a.edb"]).fine();
    assert_eq!(contents(&dir.join("out")).len(), 1, "the copy and nothing else");
    // As a file of its own, and not over one that is there.
    ese(dir, &["recover", "data", "--out", "one.edb"]).fine();
    assert_eq!(ese(dir, &["rows", "one.edb", "t", "--json"]).fine().lines().count(), 100);
    let again = untouched(dir, || ese(dir, &["recover", "data", "--out", "one.edb"]));
    again.refused(2, &["one.edb", "JET_errFileAlreadyExists -1814"]);
}

#[test]
fn a_plan_says_what_is_needed_and_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    dirty(&dir.join("data"), 100);
    let plan = untouched(dir, || ese(dir, &["recover", "data", "--dry-run"]).fine());
    assert!(plan.contains("needs generations 0x1..0x1, all present, "), "{plan}");
    fs::rename(dir.join("data/edb.log"), dir.join("edb.log")).unwrap();
    let ran = untouched(dir, || ese(dir, &["recover", "data", "--dry-run"]));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    untouched(dir, || ese(dir, &["recover", "data", "--out", "out"])).refused(1, &["log"]);
}

#[test]
fn a_database_is_built_from_its_logs_and_to_an_earlier_end() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), ese_api::PageSize::K8, 100);
    fs::remove_file(dir.join("data/a.edb")).unwrap();
    ese(dir, &["recover", "data", "--from-logs", "--out", "all"]).fine();
    assert_eq!(ese(dir, &["rows", "all/a.edb", "t", "--json"]).fine().lines().count(), 100);
    let args = ["recover", "data", "--from-logs", "--out", "some", "--to-position", "1,20,0"];
    ese(dir, &args).fine();
    ese(dir, &["verify", "some/a.edb"]).fine();
    for wrong in ["0", "0x", "x"] {
        let args = ["recover", "data", "--out", "no", "--to-generation", wrong];
        let ran = untouched(dir, || ese(dir, &args));
        assert_eq!(ran.code, Some(2), "{ran:?}");
    }
}

#[test]
fn where_to_is_always_said() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    dirty(&dir.join("data"), 10);
    for args in [
        &["recover", "data"][..],
        &["recover", "data", "--in-place", "--out", "out"],
        &["recover", "data", "--in-place", "--from-logs"],
        &["recover", "data", "--out", "out", "--redo-only"],
    ] {
        let ran = untouched(dir, || ese(dir, args));
        assert_eq!(ran.code, Some(2), "{args:?}: {ran:?}");
    }
}

#[test]
fn a_database_that_is_none_any_more_is_told_beside_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    dirty(&dir.join("data"), 100);
    fs::write(dir.join("data/lost.edb"), [0x5a; 20_000]).unwrap();
    let ran = untouched(&dir.join("data"), || ese(dir, &["recover", "data", "--out", "out"]));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("PROBLEM data/lost.edb: "), "{ran:?}");
    assert_eq!(ese(dir, &["rows", "out/a.edb", "t", "--json"]).fine().lines().count(), 100);
    let plan = ese(dir, &["recover", "data", "--dry-run", "--json"]);
    assert_eq!(plan.code, Some(1), "{plan:?}");
    let told: Value = serde_json::from_str(&plan.stdout).unwrap();
    assert_eq!(told["databases"].as_array().unwrap().len(), 1);
    assert_eq!(told["unreadable"].as_array().unwrap().len(), 1);
    // Alone, it is the error of the verb; and the logs can make it again, whatever it is now.
    fs::remove_file(dir.join("data/a.edb")).unwrap();
    let alone = untouched(&dir.join("data"), || ese(dir, &["recover", "data", "--out", "other"]));
    alone.refused(1, &["data/lost.edb", "JET_err"]);
    ese(dir, &["recover", "data", "--from-logs", "--out", "made"]).fine();
    assert_eq!(ese(dir, &["rows", "made/a.edb", "t", "--json"]).fine().lines().count(), 100);
}

#[test]
fn what_a_replay_did_has_one_name_in_every_verb() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    dirty(&dir.join("data"), 300);
    let told = |args: &[&str]| -> Value {
        serde_json::from_str(&ese(dir, &[args, &["--json"]].concat()).fine()).unwrap()
    };
    let copy = told(&["recover", "data", "--out", "out"]);
    let plan = told(&["recover", "data", "--dry-run"]);
    let in_place = told(&["recover", "data", "--in-place"]);
    ese(dir, &["backup", "data", "set"]).fine();
    let restored = told(&["restore", "set", "r"]);
    for told in [&copy["databases"][0], &in_place, &restored] {
        for name in ["from", "to", "records", "applied", "skipped", "rolled_back", "restored_pages"]
        {
            assert!(!told[name].is_null(), "{name}: {told:#}");
        }
    }
    assert_eq!(copy["databases"][0]["state"], "Clean Shutdown");
    assert!(plan["databases"][0]["gen_low"].is_u64(), "{plan:#}");
}

/// Where it was clean is a position in the other log, and may be anywhere in this one.
#[test]
fn a_database_that_came_from_another_instance_is_rolled_forward_from_its_attachment_on() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let lines = |ids: std::ops::Range<u32>| -> String {
        ids.map(|id| format!("{{\"id\":{id},\"text\":\"row {id}\"}}\n")).collect()
    };
    fs::write(dir.join("first.jsonl"), lines(0..3000)).unwrap();
    fs::write(dir.join("more.jsonl"), lines(3000..3010)).unwrap();
    let import = |to: &str, from: &str| {
        ese(dir, &["import", to, "--table", "t", from, "--key", "id"]).fine();
    };
    import("theirs", "first.jsonl");
    fs::create_dir(dir.join("ours")).unwrap();
    fs::copy(dir.join("theirs/data.edb"), dir.join("ours/data.edb")).unwrap();
    import("ours", "more.jsonl");
    let forward = ["recover", "ours", "--roll-forward", "theirs/data.edb", "--out", "out"];
    untouched(dir.join("theirs").as_path(), || ese(dir, &forward).fine());
    let rows = |database: &str| ese(dir, &["rows", database, "t", "--json"]).fine();
    assert_eq!(rows("out/data.edb").lines().count(), 3010);
    assert!(rows("out/data.edb") == rows("ours/data.edb"));
    // Whatever it has become there since is not what this log has attached.
    fs::write(dir.join("others.jsonl"), lines(3000..3100)).unwrap();
    import("theirs", "others.jsonl");
    let forward = ["recover", "ours", "--roll-forward", "theirs/data.edb", "--out", "none"];
    let ran = untouched(dir.join("theirs").as_path(), || ese(dir, &forward));
    ran.refused(1, &["data.edb", "JET_errConsistentTimeMismatch -551"]);
}

/// Where the attachment is no longer in the log, what was logged behind it is not passed over.
#[test]
fn a_database_from_another_instance_needs_the_log_from_its_attachment_on() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("theirs"), ese_api::PageSize::K4, 100);
    fs::create_dir(dir.join("ours")).unwrap();
    fs::copy(dir.join("theirs/a.edb"), dir.join("ours/a.edb")).unwrap();
    keep_up(&dir.join("ours"), 2000).abandon();
    fs::remove_file(dir.join("ours/edb00001.log")).unwrap();
    let forward = ["recover", "ours", "--roll-forward", "theirs/a.edb", "--out", "out"];
    let ran = untouched(dir.join("theirs").as_path(), || ese(dir, &forward));
    ran.refused(1, &["a.edb", "-543"]);
}

/// An instance that inserts durably from this number on until the checkpoint has left the first
/// generation; the rows below are there already.
fn keep_up(dir: &Path, from: i32) -> Instance {
    let instance = Instance::builder(dir)
        .page_size(ese_api::PageSize::K4)
        .log_file_size(256 << 10)
        .checkpoint_depth(64 << 10)
        .start()
        .unwrap();
    let database = instance.open_database("a.edb").unwrap();
    let mut session = instance.session().unwrap();
    let table = database.table(&session, "t").unwrap();
    for (count, id) in (from..).enumerate() {
        let mut transaction = session.begin().unwrap();
        table.insert(&mut transaction, &row! { "id" => id, "value" => vec![7; 200] }).unwrap();
        transaction.commit().unwrap();
        let left = || {
            let told = ese(dir, &["info", "edb.chk", "--json"]).fine();
            let told: Value = serde_json::from_str(&told).unwrap();
            !told["checkpoint"].as_str().unwrap().starts_with("000001")
        };
        if count % 1000 == 999 && left() {
            break;
        }
        assert!(count < 100_000, "the checkpoint does not move");
    }
    instance
}

/// Somebody puts an older state back beside the logs of a crash: its replay begins where that needs
/// it, not at the checkpoint.
#[test]
fn an_older_state_beside_the_logs_of_a_crash_is_replayed_from_its_attachment_on() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let data = dir.join("data");
    clean(&data, ese_api::PageSize::K4, 100);
    fs::copy(data.join("a.edb"), dir.join("clean.edb")).unwrap();
    fs::remove_dir_all(&data).unwrap();
    fs::create_dir(&data).unwrap();
    fs::copy(dir.join("clean.edb"), data.join("a.edb")).unwrap();
    keep_up(&data, 1000).abandon();
    fs::copy(data.join("a.edb"), dir.join("dirty.edb")).unwrap();
    ese(&data, &["recover", ".", "--in-place"]).fine();
    fs::copy(data.join("a.edb"), dir.join("own.edb")).unwrap();
    keep_up(&data, 200_000).abandon();
    copies(&data, &dir.join("whole"), |_| true);
    ese(dir, &["recover", "whole", "--in-place"]).fine();
    let rows = |of: &str| ese(dir, &["rows", of, "t", "--json"]).fine();
    let all = rows("whole/a.edb");
    assert!(all.lines().count() >= 2100, "{}", all.lines().count());
    let put_back = |older: &str, wanted: fn(&str) -> bool| {
        let tried = dir.join("tried");
        copies(&data, &tried, wanted);
        fs::copy(dir.join(format!("{older}.edb")), tried.join("a.edb")).unwrap();
        tried
    };
    for older in ["clean", "dirty", "own"] {
        let tried = put_back(older, |_| true);
        ese(&tried, &["recover", ".", "--in-place"]).fine();
        assert!(rows(tried.join("a.edb").to_str().unwrap()) == all, "{older}");
        ese(&tried, &["verify", "a.edb"]).fine();
        fs::remove_dir_all(&tried).unwrap();
    }
    // Without the log of its attachment it cannot be.
    let tried = put_back("clean", |name| name != "edb00001.log");
    ese(&tried, &["recover", ".", "--in-place"]).refused(1, &["a.edb", "-551"]);
    assert!(fs::read(tried.join("a.edb")).unwrap() == fs::read(dir.join("clean.edb")).unwrap());
}

/// To go on in it would write over the finished logs.
#[test]
fn a_current_log_that_an_older_one_has_replaced_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let data = dir.join("data");
    clean(&data, ese_api::PageSize::K4, 100);
    keep_up(&data, 1000).stop().unwrap();
    // Nothing but the logs: no database and no checkpoint that would object.
    fs::remove_file(data.join("a.edb")).unwrap();
    fs::remove_file(data.join("edb.chk")).unwrap();
    fs::copy(data.join("edb00001.log"), data.join("edb.log")).unwrap();
    fs::write(dir.join("rows.jsonl"), "{\"id\":1}\n").unwrap();
    let logs = || ["edb00001.log", "edb.log"].map(|name| fs::read(data.join(name)).unwrap());
    let before = logs();
    let args = ["import", "data", "--table", "t", "rows.jsonl", "--key", "id"];
    ese(dir, &args).refused(1, &["edb.log", "-515", "finished one"]);
    ese(dir, &["recover", "data", "--in-place"]).refused(1, &["edb.log", "-515"]);
    assert!(logs() == before && !data.join("data.edb").exists());
}

/// The page with which a backup ends its copy of a database is none of the database.
#[test]
fn a_copy_out_of_a_backup_set_is_recovered_without_its_last_page() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), ese_api::PageSize::K4, 500);
    ese(dir, &["backup", "data", "set"]).fine();
    let length = |path: &str| fs::metadata(dir.join(path)).unwrap().len();
    let copied = length("set/a.edb");
    let told = untouched(&dir.join("set"), || ese(dir, &["recover", "set", "--out", "out"]).fine());
    assert!(told.contains("a.edb"), "{told}");
    assert_eq!(length("out/a.edb"), copied - 4096);
    assert!(ese(dir, &["verify", "out/a.edb"]).fine().ends_with("sound\n"));
    let rows = |of: &str| ese(dir, &["rows", of, "t", "--json"]).fine();
    assert!(rows("out/a.edb") == rows("data/a.edb"));
}

/// It has nothing to do with this database, and stands in nobody's place.
#[test]
fn a_later_log_of_another_stream_is_left_aside() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), ese_api::PageSize::K4, 100);
    clean(&dir.join("other"), ese_api::PageSize::K4, 100);
    let mut log = fs::read(dir.join("other/edb.log")).unwrap();
    let mut header = LogHeader::decode(log.first_chunk().unwrap()).unwrap();
    header.generation = ese_api::Generation(13);
    log[..4096].copy_from_slice(header.encode().unwrap().as_slice());
    fs::write(dir.join("data/edb0000D.log"), log).unwrap();
    for args in [&["--out", "out"][..], &["--from-logs", "--out", "made"]] {
        let args = [&["recover", "data"], args].concat();
        let told = untouched(&dir.join("data"), || ese(dir, &args).fine());
        assert!(told.contains("edb0000D.log"), "{told}");
    }
    assert_eq!(ese(dir, &["rows", "out/a.edb", "t", "--json"]).fine().lines().count(), 100);
    assert_eq!(ese(dir, &["rows", "made/a.edb", "t", "--json"]).fine().lines().count(), 100);
}

/// Windows wrote such databases before version 10.
#[test]
fn a_database_with_pages_of_2_kib_is_read_recovered_and_compacted() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let instance = start(&dir.join("data"), PageSize::K2);
    drop(fill(&instance, 300));
    instance.abandon();
    ese(dir, &["recover", "data", "--out", "copy"]).fine();
    let told = ese(dir, &["info", "copy/a.edb"]).fine();
    assert!(told.contains("2048"), "{told}");
    ese(dir, &["compact", "copy/a.edb", "small.edb"]).fine();
    for file in ["copy/a.edb", "small.edb"] {
        ese(dir, &["verify", file]).fine();
        let rows = ese(dir, &["rows", file, "t", "--json"]).fine();
        assert!(rows.lines().count() == 300 && rows.contains("row 299"), "{file}: {rows}");
    }
    ese(dir, &["backup", "data", "set"]).fine();
    ese(dir, &["restore", "set", "restored"]).fine();
    ese(dir, &["diff", "copy/a.edb", "restored/a.edb"]).fine();
    // No new one is made.
    fs::write(dir.join("r.jsonl"), "{\"a\": 1}\n").unwrap();
    ese(dir, &["import", "new", "--table", "t", "r.jsonl", "--page-size", "2048"])
        .refused(2, &["4096, 8192, 16384 or 32768"]);
}

#[test]
fn a_clean_database_without_any_log_is_copied_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 100);
    copies(&dir.join("data"), &dir.join("alone"), |name| name == "a.edb");
    let plan = untouched(dir, || ese(dir, &["recover", "alone", "--dry-run"]).fine());
    assert!(plan.contains("a.edb (Clean Shutdown): needs no log, and there is none"), "{plan}");
    let told = ese(dir, &["recover", "alone", "--out", "out"]).fine();
    assert!(told.contains("it needed no log") && !told.contains("know nothing"), "{told}");
    let ended = ese(dir, &["recover", "alone", "--out", "ended", "--to-generation", "3"]);
    assert!(ended.code == Some(0) && !ended.stderr.contains("the log ends"), "{ended:?}");
    assert!(fs::read(dir.join("alone/a.edb")).unwrap() == fs::read(dir.join("out/a.edb")).unwrap());
    // Whoever names it wants to go on from it, and a damaged log may be the one that goes on.
    let args = ["recover", "alone", "--roll-forward", "alone/a.edb", "--out", "rolled"];
    ese(dir, &args).refused(1, &["-528"]);
    fs::write(dir.join("alone/edb.log"), [7; 9000]).unwrap();
    ese(dir, &["recover", "alone", "--out", "again"]).refused(1, &["edb.log"]);
    assert!(!dir.join("again").exists() && !dir.join("rolled").exists());
}

#[test]
fn a_temporary_database_is_told_as_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 10);
    let mut file = fs::read(dir.join("a.edb")).unwrap();
    for copy in [0, 4096] {
        let header = &mut file[copy..copy + 4096];
        // State: just created; number among the databases: none; no log. Of the pages the checksum.
        header[52..56].copy_from_slice(&1_u32.to_le_bytes());
        header[104..108].fill(0);
        header[108..136].fill(0);
        stamp_header(header);
    }
    file.chunks_mut(4096).skip(2).for_each(|page| page[..8].fill(0));
    fs::create_dir(dir.join("temp")).unwrap();
    fs::write(dir.join("temp/temp.edb"), file).unwrap();
    let verified = ese(dir, &["verify", "temp/temp.edb"]).fine();
    assert!(verified.contains("a temporary database") && verified.contains("sound"), "{verified}");
    let words = ["temp.edb", "a temporary database", "-550", "leave it aside"];
    for args in [
        &["tables", "temp/temp.edb"][..],
        &["export", "temp/temp.edb", "--all", "--out", "exported"],
        &["tables", "temp/temp.edb", "--as-is"],
        &["recover", "temp", "--out", "out"],
    ] {
        ese(dir, args).refused(1, &words);
    }
}

#[test]
fn a_damaged_database_is_known_by_what_it_begins_with_and_stops_no_backup() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(&dir.join("data"), PageSize::K4, 100);
    // A copy that some program took for text.
    let mut file = fs::read(dir.join("data/a.edb")).unwrap();
    (8..10_000).for_each(|at| file[at] |= 0x20);
    fs::write(dir.join("data/copy.sdb"), file).unwrap();
    let ran = untouched(dir, || ese(dir, &["verify", "data"]));
    assert!(ran.code == Some(1) && ran.stdout.contains("PROBLEM data/copy.sdb: "), "{ran:?}");
    let ran = ese(dir, &["recover", "data", "--out", "out"]);
    assert!(ran.code == Some(1) && ran.stdout.contains("PROBLEM data/copy.sdb: "), "{ran:?}");
    assert_eq!(ese(dir, &["rows", "out/a.edb", "t", "--json"]).fine().lines().count(), 100);
    // It has no say in what the copy of the only database is called, nor in what the logs make.
    for args in [
        &["recover", "data", "--out", "one.edb"][..],
        &["recover", "data", "--from-logs", "--out", "made.edb"],
    ] {
        ese(dir, args);
        let copy = args[args.len() - 1];
        assert_eq!(ese(dir, &["rows", copy, "t", "--json"]).fine().lines().count(), 100);
    }
    let ran = ese(dir, &["backup", "data", "set"]);
    assert!(ran.code == Some(0) && ran.stderr.contains("left out: "), "{ran:?}");
    assert!(!dir.join("set/copy.sdb").exists());
}
