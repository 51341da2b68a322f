//! A disk that is full: an error, nothing acknowledged is lost, and all is well once there is
//! space.
//!
//! `ESE_SMALL_DISK` and `ESE_EXT4_DISK` name directories on file systems of 40 MiB that nobody else
//! uses; `.ci/run` mounts them. Without them the tests are skipped, with `CI=true` they fail.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failing step fails the test")]
#![allow(clippy::disallowed_methods, reason = "the test fills a disk")]

mod support;

use std::{
    env, fs,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use ese_api::{Instance, JetErr, PageSize, row};
use support::{
    Ran, clean, contents,
    demo::{LOADERS, acknowledged, committed, write_records},
    dirty, ese, set_of,
};

/// Of any file, or of one of the log.
fn full(ran: &Ran) {
    ran.refused(3, &[]);
    let codes = ["JET_errDiskFull -1808", "JET_errLogDiskFull -529"];
    assert!(codes.iter().any(|code| ran.stderr.contains(code)), "{ran:?}");
}

/// A small disk, and a directory elsewhere.
struct Place {
    disk: PathBuf,
    home: tempfile::TempDir,
}

/// What ext4 finds before it is full stays with the file, unless it is cut off again.
#[test]
fn a_growth_that_fails_takes_no_space_from_others() {
    let test = "a_growth_that_fails_takes_no_space_from_others";
    let Some(disk) = env::var_os("ESE_EXT4_DISK").map(PathBuf::from) else {
        return ese_tests::skip(test, "a small disk with ext4 (ESE_EXT4_DISK, see .ci/run)");
    };
    let dir = disk.join("instance");
    let instance = support::start(&dir, PageSize::K4);
    let database = support::fill(&instance, 100);
    let before = fs::metadata(dir.join("a.edb")).unwrap().len();
    let refused = database.grow(1_000_000).unwrap_err();
    assert_eq!(refused.code(), ese_api::JetErr::DiskFull, "{refused}");
    assert_eq!(fs::metadata(dir.join("a.edb")).unwrap().len(), before);
    fs::write(disk.join("of others"), vec![0; 20 << 20]).unwrap();
    assert!(database.grow(1000).unwrap() >= 1000);
    drop(database);
    instance.stop().unwrap();
    fs::remove_file(disk.join("of others")).unwrap();
    fs::remove_dir_all(dir).unwrap();
}

/// One test, because there is one disk.
#[test]
fn a_full_disk_is_an_error_that_loses_nothing() {
    let test = "a_full_disk_is_an_error_that_loses_nothing";
    let Some(disk) = env::var_os("ESE_SMALL_DISK").map(PathBuf::from) else {
        return ese_tests::skip(test, "a small file system (ESE_SMALL_DISK, see .ci/run)");
    };
    let place = Place { disk, home: tempfile::tempdir().unwrap() };
    for kib in [0, 3000, 9000, 10_500, 11_000, 12_000, 13_500, 15_000, 17_000] {
        place.demo_with(kib);
    }
    for kib in [0, 100, 300, 1000] {
        place.recovery_with(kib);
    }
    for commits in [false, true] {
        place.log_alone(commits);
    }
    place.import();
    place.copies();
    assert_eq!(contents(&place.disk).len(), 0);
}

impl Place {
    fn home(&self) -> &Path {
        self.home.path()
    }

    fn on_disk(&self, name: &str) -> String {
        self.disk.join(name).to_str().unwrap().to_owned()
    }

    /// Takes what is free but for so many KiB.
    fn leave(&self, kib: u64) -> PathBuf {
        let path = self.disk.join("ballast");
        let mut file = fs::File::create(&path).unwrap();
        let mut len = 0_u64;
        let error = loop {
            match file.write(&[1; 4096]) {
                Ok(written) => len += u64::try_from(written).unwrap(),
                Err(error) => break error,
            }
            assert!(len <= 40 << 20, "{} is no small disk", self.disk.display());
        };
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        file.set_len(len.saturating_sub(kib << 10)).unwrap();
        path
    }

    /// The loading of the demo, which says what is durable.
    fn demo_with(&self, kib: u64) {
        let (home, place) = (self.home(), format!("{kib} KiB free"));
        write_records(&home.join("records.jsonl"), 200);
        let (notes, dir) = (home.join("notes"), self.on_disk("demo"));
        let ballast = self.leave(kib);
        let args = ["demo", "-q", "--input", "records.jsonl", "--acknowledge", "notes", "--dir"];
        let ran = ese(home, &[&args[..], &[&dir]].concat());
        full(&ran);
        fs::remove_file(ballast).unwrap();
        let acknowledged = acknowledged(&notes);
        let found = committed(&self.disk, "demo/live", &place, acknowledged.is_empty());
        println!("{place}: {} acknowledged, {} found", acknowledged.len(), found.len());
        assert!(found.is_superset(&acknowledged), "{place}: {acknowledged:?}, {found:?}");
        let more = found.len() - acknowledged.len();
        assert!(more <= LOADERS, "{place}: {acknowledged:?}, {found:?}");
        if !found.is_empty() {
            assert!(ese(&self.disk, &["verify", "demo/live"]).fine().ends_with("sound\n"));
        }
        fs::remove_dir_all(dir).unwrap();
        drop(fs::remove_file(notes));
    }

    /// Recovery where there may be no space for what it writes.
    fn recovery_with(&self, kib: u64) {
        let place = format!("recovery with {kib} KiB free");
        dirty(&self.disk.join("dirty"), 5000);
        let ballast = self.leave(kib);
        let ran = ese(&self.disk, &["recover", "dirty", "--in-place"]);
        println!("{place}: {:?}", ran.code);
        if ran.code != Some(0) {
            full(&ran);
        }
        fs::remove_file(ballast).unwrap();
        ese(&self.disk, &["recover", "dirty", "--in-place"]).fine();
        assert!(ese(&self.disk, &["verify", "dirty"]).fine().ends_with("sound\n"), "{place}");
        let rows = ese(&self.disk, &["rows", "dirty/a.edb", "t", "--csv"]).fine();
        assert_eq!(rows.lines().count(), 5001, "{place}");
        fs::remove_dir_all(self.disk.join("dirty")).unwrap();
    }

    /// The log on the full disk, the database on another: what runs ends with the reserve logs, no
    /// transaction that changes something begins, the instance ends in order.
    fn log_alone(&self, commits: bool) {
        let (dir, logs) = (self.home().join("apart"), self.disk.join("logs"));
        let start =
            || Instance::builder(&dir).log_dir(&logs).log_file_size(64 << 10).start().unwrap();
        let instance = start();
        let database = support::fill(&instance, 0);
        let (mut running, mut other) = (instance.session().unwrap(), instance.session().unwrap());
        let table = database.table(&other, "t").unwrap();
        let row_of = |id: i32| row! { "id" => id, "value" => vec![7; 120], "name" => "row" };
        let mut open = running.begin().unwrap();
        (0..50).for_each(|id| table.insert(&mut open, &row_of(id)).unwrap());
        let ballast = self.leave(0);
        let mut rows = 0;
        let refused = (100..100_000).find_map(|id| {
            let mut transaction = other.begin().unwrap();
            let inserted = table.insert(&mut transaction, &row_of(id));
            let done = inserted.and_then(|()| transaction.commit());
            rows += usize::from(done.is_ok());
            done.err()
        });
        let refused = refused.unwrap();
        assert_eq!(refused.code(), JetErr::LogDiskFull, "{refused}");
        if commits {
            open.commit().unwrap();
            rows += 50;
        } else {
            open.rollback().unwrap();
        }
        drop((running, other, table, database));
        instance.stop().unwrap();
        fs::remove_file(ballast).unwrap();
        println!("log on a full disk: {rows} rows");
        // It is clean, and goes on with space.
        let found = ese(self.home(), &["rows", "apart/a.edb", "t", "--csv"]).fine();
        assert_eq!(found.lines().count(), rows + 1);
        let instance = start();
        drop(instance.open_database("a.edb").unwrap());
        instance.stop().unwrap();
        fs::remove_dir_all(dir).unwrap();
        fs::remove_dir_all(logs).unwrap();
    }

    fn import(&self) {
        write_records(&self.home().join("records.jsonl"), 2000);
        let dir = self.on_disk("new");
        let ballast = self.leave(30_000);
        let ran = ese(self.home(), &["import", &dir, "--table", "t", "records.jsonl"]);
        full(&ran);
        fs::remove_file(ballast).unwrap();
        ese(&self.disk, &["recover", "new", "--in-place"]).fine();
        assert!(ese(&self.disk, &["verify", "new"]).fine().ends_with("sound\n"));
        let rows = ese(&self.disk, &["rows", "new/data.edb", "t", "--json"]).fine();
        let rows = rows.lines().count();
        assert!(rows > 0 && rows.is_multiple_of(1000), "{rows}");
        fs::remove_dir_all(dir).unwrap();
    }

    /// What is written besides: nothing of it stays, and nothing happens to what it is made of.
    fn copies(&self) {
        clean(&self.home().join("data"), PageSize::K4, 20_000);
        set_of(&self.home().join("data"), &self.home().join("set"));
        let ballast = self.leave(2000);
        let (set, copy) = (self.on_disk("set"), self.on_disk("copy.edb"));
        let left = || {
            let mut left = contents(&self.disk);
            left.remove(&ballast).unwrap();
            left
        };
        full(&ese(self.home(), &["backup", "data", &set]));
        assert!(left().is_empty());
        full(&ese(self.home(), &["compact", "data/a.edb", &copy]));
        assert!(left().is_empty());
        let restored = self.on_disk("restored");
        full(&ese(self.home(), &["restore", "set", &restored]));
        assert!(left().is_empty());
        fs::remove_file(ballast).unwrap();
        ese(self.home(), &["restore", "set", &restored]).fine();
        assert!(ese(self.home(), &["verify", "data"]).fine().ends_with("sound\n"));
        fs::remove_dir_all(restored).unwrap();
    }
}
