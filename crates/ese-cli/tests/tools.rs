//! `ese info`, `ese log`, `ese space`, `ese diff` and the severities of `ese verify`, on our own
//! files and on those that Windows wrote.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing step fails the test")]
#![allow(clippy::disallowed_methods, reason = "tests look at files from outside the engine")]

mod support;

use std::{fs, path::Path};

use ese_api::PageSize;
use serde_json::Value as Json;
use support::{a_leaf, clean, damage, dirty, ese, fill, start, untouched};

const PAGE: usize = 4096;

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

fn json_lines(text: &str) -> Vec<Json> {
    text.lines().map(json).collect()
}

#[test]
fn info_describes_every_file_of_the_engine() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 100);
    let info = untouched(dir, || ese(dir, &["info", "a.edb"])).fine();
    for name in ["DB Signature", "Log Required", "State: Clean", "Last Objid", "cbDbPage: 4096"] {
        assert!(info.contains(name), "{name}: {info}");
    }
    let described = json(&ese(dir, &["info", "a.edb", "--json"]).fine());
    assert_eq!(described["headers"][0], described["headers"][1]);
    assert_eq!(described["headers"][0]["cbDbPage"], "4096");
    let log = json(&ese(dir, &["info", "edb.log", "--json"]).fine());
    assert_eq!((&log["kind"], &log["version"]), (&"log".into(), &"8.4000.5.16".into()));
    let checkpoint = json(&ese(dir, &["info", "edb.chk", "--json"]).fine());
    assert_eq!(checkpoint["log_signature"], log["log_signature"]);
    assert_eq!(described["log_signature"], log["log_signature"]);
    // Where the copies differ, both are shown.
    damage(&dir.join("a.edb"), PAGE + 300);
    let described = json(&ese(dir, &["info", "a.edb", "--json"]).fine());
    assert!(described["headers"][1].is_null(), "{described}");
}

#[test]
fn the_logs_of_windows_are_shown_with_their_chain_and_written_alike() {
    let test = "the_logs_of_windows_are_shown_with_their_chain_and_written_alike";
    let Some(data) = ese_tests::real_data(test) else { return };
    let merged = data.join("recovery/srum-server2022/merged");
    let chain = json(&ese(&merged, &["log", ".", "--json"]).fine());
    assert_eq!(
        (chain["whole"].as_bool(), chain["logs"].as_array().unwrap().len()),
        (Some(true), 5)
    );
    let links = chain["logs"].as_array().unwrap().iter().map(|log| log["link"].clone());
    assert_eq!(links.collect::<Vec<_>>(), ["first", "follows", "follows", "follows", "follows"]);
    for dir in ["recovery/srum-server2022/merged", "recovery/srum-server2022/a"] {
        let told = json(&ese(&data.join(dir), &["log", ".", "--check-roundtrip", "--json"]).fine());
        assert_eq!(told["differing"], 0, "{dir}: {told}");
        assert!(told["records"].as_u64() > Some(100), "{dir}: {told}");
    }
    // The temporary file of b is an older generation that waits to be used again.
    let b = json(&ese(&data.join("recovery/srum-server2022/b"), &["log", ".", "--json"]).fine());
    let roles = b["logs"].as_array().unwrap().iter().filter(|log| log["role"] == "temporary");
    assert_eq!(roles.count(), 1, "{b}");
    assert_eq!(b["whole"], true, "{b}");
}

#[test]
fn what_is_called_like_a_log_and_cannot_be_opened_is_a_finding_and_the_rest_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("evidence");
    dirty(&dir, 3000);
    std::os::unix::fs::symlink(root.path().join("nowhere"), dir.join("edb00077.log")).unwrap();
    fs::create_dir(dir.join("edb00078.log")).unwrap();
    for args in [&["log", "."][..], &["verify", "."]] {
        let ran = untouched(&dir, || ese(&dir, args));
        assert_eq!(ran.code, Some(1), "{ran:?}");
        for name in ["edb00077.log", "edb00078.log"] {
            let told = ran.stdout.lines().filter(|line| line.contains(name)).count();
            assert_eq!(told, 1, "{args:?} {name}: {ran:?}");
        }
        let rest = if args[0] == "log" { "edb.log" } else { "a.edb" };
        assert!(ran.stdout.contains(rest), "{args:?}: {ran:?}");
    }
    // They could hold what was committed last.
    let args = ["recover", ".", "--out", "../copy"];
    untouched(&dir, || ese(&dir, &args)).refused(3, &["edb00077.log", "recover without it"]);
    let ran = untouched(&dir, || ese(&dir, &[&args[..], &["--allow-lost-logs"]].concat()));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ese(root.path(), &["verify", "copy/a.edb"]).fine().contains("sound"));
}

#[test]
fn the_history_of_a_page_is_its_records_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 3000);
    let leaf = a_leaf(&dir.join("a.edb"), PAGE);
    let pgno = (leaf / PAGE - 1).to_string();
    let records = untouched(dir, || ese(dir, &["log", ".", "--page", &pgno, "--json"])).fine();
    let records = json_lines(&records);
    assert!(records.len() > 10, "{} records", records.len());
    let mut last = 0;
    for record in &records {
        let change = &record["pages"][0];
        assert_eq!(change["page"].to_string(), pgno, "{record}");
        if let Some(before) = change["before"].as_u64() {
            assert_eq!(before, last, "{record}");
        }
        last = change["after"].as_u64().unwrap();
    }
    let bytes = fs::read(dir.join("a.edb")).unwrap();
    let on_page = u64::from_le_bytes(bytes[leaf + 8..leaf + 16].try_into().unwrap());
    assert_eq!(last, on_page, "the last record is the page's last change");
    let all = ese(dir, &["log", ".", "--records"]).fine();
    assert!(all.lines().count() > 3000 && all.contains("Commit0"), "{all:.300}");
    let told = ese(dir, &["log", ".", "--check-roundtrip"]).fine();
    assert!(told.contains("byte for byte"), "{told}");
}

#[test]
fn a_gap_a_fork_and_a_copy_of_logs_are_seen() {
    let test = "a_gap_a_fork_and_a_copy_of_logs_are_seen";
    let Some(data) = ese_tests::real_data(test) else { return };
    let merged = data.join("recovery/srum-server2022/merged");
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for entry in fs::read_dir(&merged).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "log") {
            fs::write(dir.join(path.file_name().unwrap()), fs::read(&path).unwrap()).unwrap();
        }
    }
    fs::copy(dir.join("SRU00002.log"), dir.join("SRU00002 (conflicted copy).log")).unwrap();
    let told = ese(dir, &["log", "."]).fine();
    assert!(told.contains("copy") && told.contains("other name"), "{told}");
    // What counts is what a log is, not how it is called.
    fs::rename(dir.join("SRU00003.log"), dir.join("SRU00003 (1).log")).unwrap();
    let told = ese(dir, &["log", "."]).fine();
    assert!(!told.contains("GAP"), "{told}");
    let ran = untouched(dir, || ese(dir, &["verify", "."]));
    assert!(ran.code == Some(0), "{ran:?}");
    fs::remove_file(dir.join("SRU00003 (1).log")).unwrap();
    let ran = untouched(dir, || ese(dir, &["log", "."]));
    assert!(ran.code == Some(1) && ran.stdout.contains("GAP after 0x2"), "{ran:?}");
    let ran = untouched(dir, || ese(dir, &["verify", "."]));
    let missing = "generation 0x3 is missing before it";
    assert!(ran.code == Some(1) && ran.stdout.contains(missing), "{ran:?}");
    damage(&dir.join("SRU00001.log"), 20_000);
    let ran = ese(dir, &["verify", "."]);
    assert!(ran.stdout.contains("PROBLEM ./SRU00001.log: log generation 0x1"), "{ran:?}");
    damage(&dir.join("SRU00004.log"), 100);
    let ran = ese(dir, &["log", "."]);
    assert!(ran.code == Some(1) && ran.stdout.contains("PROBLEM ./SRU00004.log"), "{ran:?}");
}

#[test]
fn a_log_that_was_written_on_elsewhere_is_a_fork() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (dir.path().join("one"), dir.path().join("other"));
    fs::create_dir(&one).unwrap();
    fs::create_dir(&other).unwrap();
    clean(&one, PageSize::K4, 10);
    for entry in fs::read_dir(&one).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, other.join(path.file_name().unwrap())).unwrap();
    }
    for (dir, id) in [(&one, 1001), (&other, 2002)] {
        let instance = start(dir, PageSize::K4);
        let database = instance.open_database("a.edb").unwrap();
        let mut session = instance.session().unwrap();
        let mut transaction = session.begin().unwrap();
        let table = database.table(&transaction, "t").unwrap();
        let row = ese_api::row! { "id" => id, "name" => "written on" };
        table.insert(&mut transaction, &row).unwrap();
        transaction.commit().unwrap();
        drop((table, session, database));
        instance.stop().unwrap();
    }
    fs::copy(one.join("edb.log"), one.join("edb (same).log")).unwrap();
    let told = ese(&one, &["log", "."]).fine();
    assert!(told.contains("copy") && !told.contains("FORK"), "{told}");
    fs::copy(other.join("edb.log"), one.join("edb (copy).log")).unwrap();
    let ran = ese(&one, &["log", "."]);
    let forks = |line: &str| line.contains("edb (copy).log") && line.contains("FORK");
    assert!(ran.code == Some(1) && ran.stdout.lines().any(forks), "{ran:?}");
    let ran = ese(&one, &["verify", "."]);
    assert!(ran.code == Some(1) && ran.stdout.contains("the stream forked"), "{ran:?}");
}

#[test]
fn space_accounts_for_every_page() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 5000);
    let args = ["space", "a.edb", "--svg", "map.svg", "--json"];
    let map = json(&ese(dir, &args).fine());
    let sum = |part: &str| -> u64 {
        map["trees"].as_array().unwrap().iter().map(|tree| tree[part].as_u64().unwrap()).sum()
    };
    assert_eq!(sum("owned"), sum("used") + sum("space") + sum("available") + sum("leaked"));
    assert!(sum("owned") <= map["pages"].as_u64().unwrap());
    let trees = map["trees"].as_array().unwrap();
    let table = trees.iter().find(|tree| tree["table"] == "t").unwrap();
    assert_eq!(table["entries"], 5000);
    assert!(
        table["depth"].as_u64() > Some(1) && table["fill_percent"].as_u64() > Some(50),
        "{table}"
    );
    let svg = fs::read_to_string(dir.join("map.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    assert!(svg.contains(">t: "), "{svg:.300}");
    assert!(ese(dir, &["space", "a.edb"]).fine().contains("leaked"));
}

#[test]
fn space_of_the_databases_of_windows_adds_up() {
    let test = "space_of_the_databases_of_windows_adds_up";
    let Some(data) = ese_tests::real_data(test) else { return };
    for name in ["basic.edb", "srum-win10-clean.dat", "decompress_test.edb", "qmgr-16k-dirty.db"] {
        let ran = ese(&data.join("databases"), &["space", name, "--json", "--as-is"]);
        let map = json(&ran.stdout);
        let sum = |part: &str| -> u64 {
            map["trees"].as_array().unwrap().iter().map(|tree| tree[part].as_u64().unwrap()).sum()
        };
        let parts = sum("used") + sum("space") + sum("available") + sum("leaked");
        assert!(sum("owned") > 20 && sum("owned") == parts, "{name}: {map}");
        assert_eq!(sum("leaked"), 0, "{name}");
    }
}

#[test]
fn diff_tells_what_was_added_removed_and_changed() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 1000);
    fs::copy(dir.join("a.edb"), dir.join("before.edb")).unwrap();
    let args = ["diff", "before.edb", "a.edb"];
    let same = untouched(dir, || ese(dir, &args)).fine();
    assert_eq!(same, "equal: 0 rows added, 0 removed, 0 changed, 1,000 the same\n");
    let instance = start(dir, PageSize::K4);
    let database = instance.open_database("a.edb").unwrap();
    let mut session = instance.session().unwrap();
    let mut transaction = session.begin().unwrap();
    let table = database.table(&transaction, "t").unwrap();
    table.insert(&mut transaction, &ese_api::row! { "id" => 5000, "name" => "new" }).unwrap();
    assert!(table.delete(&mut transaction, 7).unwrap());
    let long = "x".repeat(9000);
    for (id, name) in [(8, "eight"), (9, long.as_str())] {
        table.update(&mut transaction, id, &ese_api::row! { "name" => name }).unwrap();
    }
    transaction.commit().unwrap();
    drop((table, session, database));
    instance.stop().unwrap();
    let ran = ese(dir, &args);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.stdout.ends_with("different: 1 row added, 1 removed, 2 changed, 997 the same\n"),
        "{ran:?}"
    );
    let told = json_lines(&ese(dir, &["diff", "before.edb", "a.edb", "--json"]).stdout);
    let of = |change: &str| told.iter().filter(|line| line["change"] == change).collect::<Vec<_>>();
    assert_eq!(of("added")[0]["row"]["id"], 5000);
    assert_eq!(of("removed")[0]["row"]["id"], 7);
    let changed = of("changed");
    assert_eq!(changed[0]["columns"], serde_json::json!({ "name": ["row 8", "eight"] }));
    assert_eq!(changed[1]["columns"]["name"][1].as_str().unwrap().len(), 9000);
    assert_eq!(told.last().unwrap()["summary"]["same"], 997);
    // The other way round, and only as a sum.
    let back = ese(dir, &["diff", "a.edb", "before.edb", "--summary"]);
    assert_eq!(back.stdout, "different: 1 row added, 1 removed, 2 changed, 997 the same\n");
    // The same rows in another file are the same, wherever they lie.
    ese(dir, &["compact", "a.edb", "dense.edb"]).fine();
    assert!(ese(dir, &["diff", "a.edb", "dense.edb"]).fine().starts_with("equal"));
}

#[test]
fn a_day_of_windows_is_seen_as_differences() {
    let test = "a_day_of_windows_is_seen_as_differences";
    let Some(data) = ese_tests::real_data(test) else { return };
    let dir = data.join("recovery/srum-server2022");
    assert_eq!(ese(&dir, &["diff", "b/SRUDB.dat", "merged/SRUDB.dat", "--all"]).code, Some(0));
    let ran = ese(&dir, &["diff", "a/SRUDB.dat", "b/SRUDB.dat", "--json"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let summary = json_lines(&ran.stdout).pop().unwrap()["summary"].clone();
    assert!(summary["added"].as_u64() > Some(90) && summary["lost"] == 0, "{summary}");
}

/// Damage of every kind to a database of ours, what `ese verify` says of it, and how bad.
#[test]
fn each_kind_of_damage_is_reported_as_bad_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 3000);
    let (file, whole) = (dir.join("a.edb"), fs::read(dir.join("a.edb")).unwrap());
    let leaf = a_leaf(&file, PAGE);
    let catalog = 5 * PAGE;
    type Harm<'h> = &'h dyn Fn(&Path);
    let cut = |path: &Path| {
        let half = &whole[..whole.len() / 2 / PAGE * PAGE];
        fs::write(path, half).unwrap();
    };
    let swap = |path: &Path| {
        let mut bytes = whole.clone();
        let other = leaf - PAGE;
        bytes[other..leaf + PAGE].rotate_left(PAGE);
        fs::write(path, bytes).unwrap();
    };
    let flip = |path: &Path| {
        let mut bytes = whole.clone();
        bytes[leaf + 2000] ^= 4;
        fs::write(path, bytes).unwrap();
    };
    let blank = |path: &Path| {
        let mut bytes = whole.clone();
        bytes[leaf..leaf + PAGE].fill(0);
        fs::write(path, bytes).unwrap();
    };
    let cases: [(&str, Harm<'_>, &str, &str); 8] = [
        ("first header", &|path| damage(path, 100), "warning", "primary copy"),
        ("second header", &|path| damage(path, PAGE + 100), "warning", "shadow copy"),
        ("one bit", &flip, "warning", "flipped"),
        ("a leaf", &|path| damage(path, leaf + 900), "error", "checksum"),
        ("a blank leaf", &blank, "error", "JET_err"),
        ("two pages exchanged", &swap, "error", "would be right for"),
        ("the catalog", &|path| damage(path, catalog + 700), "error", "checksum"),
        ("half of the file", &cut, "error", "JET_err"),
    ];
    for (name, harm, severity, words) in cases {
        fs::write(&file, &whole).unwrap();
        harm(&file);
        let ran = untouched(dir, || ese(dir, &["verify", "a.edb", "--json"]));
        assert_eq!(ran.code, Some(1), "{name}: {ran:?}");
        let report = json(&ran.stdout);
        assert_eq!(report["worst"], severity, "{name}: {report}");
        let problems = report["problems"].as_array().unwrap();
        let told = problems.iter().any(|problem| {
            problem["text"].as_str().unwrap().contains(words) && problem["severity"] == severity
        });
        assert!(told, "{name}: {report}");
        let text = ese(dir, &["verify", "a.edb"]).stdout;
        assert!(text.contains(&format!("[{severity}]")), "{name}: {text}");
    }
    fs::write(&file, &whole).unwrap();
    assert_eq!(json(&ese(dir, &["verify", "a.edb", "--json"]).fine())["worst"], Json::Null);
}

#[test]
fn a_dirty_database_is_verified_as_it_stands_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    dirty(dir, 200);
    let report = json(&untouched(dir, || ese(dir, &["verify", "a.edb", "--json"])).stdout);
    assert_eq!(
        (&report["worst"], &report["databases"][0]["trees"]),
        (&"warning".into(), &0.into())
    );
    let Some(data) = ese_tests::real_data("a_dirty_database_is_verified_as_it_stands") else {
        return;
    };
    let args = ["verify", "databases/qmgr-16k-dirty.db", "--as-is", "--json"];
    let report = json(&ese(&data, &args).stdout);
    assert!(report["databases"][0]["trees"].as_u64() > Some(5), "{report}");
    assert!(report["databases"][0]["entries"].as_u64() > Some(100), "{report}");
}

/// More than one table, and rows that are not the same length.
#[test]
fn a_running_instance_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let instance = start(dir, PageSize::K4);
    let database = fill(&instance, 10);
    for args in
        [["export", "a.edb", "t"], ["space", "a.edb", "--as-is"], ["diff", "a.edb", "a.edb"]]
    {
        ese(dir, &args).refused(3, &["JET_errFileAccessDenied"]);
    }
    assert!(ese(dir, &["info", "a.edb"]).fine().contains("in use"));
    drop(database);
    instance.stop().unwrap();
}

/// The damage is sealed with the right checksum, so that only the rows tell.
#[test]
fn verify_compares_indexes_and_keys_with_rows() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let instance = start(dir, PageSize::K4);
    let database = instance.create_database("a.edb").unwrap();
    let mut session = instance.session().unwrap();
    let table = ese_api::TableBuilder::new("t")
        .column("id", ese_api::ColType::Long)
        .column("name", ese_api::ColType::Binary)
        .primary(&["id"])
        .index(ese_api::IndexDef::new("by_name", &["name"]));
    let table = database.create_table(&mut session, table).unwrap();
    let mut transaction = session.begin().unwrap();
    for id in 0..200 {
        let row = ese_api::row! { "id" => id, "name" => format!("row {id:04}").into_bytes() };
        table.insert(&mut transaction, &row).unwrap();
    }
    transaction.commit().unwrap();
    drop((table, session, database));
    instance.stop().unwrap();
    let file = dir.join("a.edb");
    assert!(ese(dir, &["verify", "a.edb"]).fine().contains("sound"));
    let sound = fs::read(&file).unwrap();
    // The key of the row 100 as its entry has it, and the number in the row itself.
    for (from, to, words) in [
        (&[0x7f, 0x80, 0, 0, 100][..], &[0x7f, 0x80, 0, 0, 101][..], "\"by_name\""),
        (&b"row 0100"[..], &b"row 0109"[..], "\"by_name\""),
    ] {
        let mut bytes = sound.clone();
        let changed = reseal(&mut bytes, from, to);
        assert!(changed > 0, "{from:?}");
        fs::write(&file, &bytes).unwrap();
        let ran = ese(dir, &["verify", "a.edb"]);
        assert!(ran.code == Some(1) && ran.stdout.contains(words), "{ran:?}");
        assert!(ran.stdout.contains("JET_errSecondaryIndexCorrupted"), "{ran:?}");
    }
}

/// Replaces the last place of some bytes in the file, and seals the page; 1, or 0 if there is none.
fn reseal(file: &mut [u8], from: &[u8], to: &[u8]) -> usize {
    let Some(at) = file.windows(from.len()).rposition(|bytes| bytes == from) else { return 0 };
    file[at..at + to.len()].copy_from_slice(to);
    let pgno = ese_base::Pgno(u32::try_from(at / PAGE - 1).unwrap());
    let page = &mut file[at / PAGE * PAGE..][..PAGE];
    ese_pages::checksum::stamp(page, pgno);
    1
}
