//! Databases and logs that Windows wrote, recovered into copies: the result is what Windows made of
//! them, and the originals stay as they are.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test of real files"
)]

use std::{
    collections::BTreeMap,
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use ese_api::{
    CopyReport, CopyRequest, DiffCounts, DiffOptions, Difference, Error, JetErr, RecoveryFlags,
    StopToken, TableDifference, diff_databases, plan_recovery, recover_into,
};
use ese_base::{Generation, PageSize, Result};
use ese_engine::{reader::OfflineDatabase, recovery::RedoEnd, space::check};
use ese_log::{LogFile, Record, StreamReader};
use ese_os::Env;
use ese_pages::{DbState, PageRef};
use ese_tests::windows::{page_meaning, pages_of};

const SIZE: PageSize = PageSize::K4;

fn recovery_data(test: &str) -> Option<PathBuf> {
    Some(ese_tests::real_data(test)?.join("recovery"))
}

/// Copies files into a new directory, under their names.
fn directory(root: &Path, name: &str, files: &[PathBuf]) -> PathBuf {
    let dir = root.join(name);
    fs::create_dir(&dir).unwrap();
    for file in files {
        fs::copy(file, dir.join(file.file_name().unwrap())).unwrap();
    }
    dir
}

fn files_of(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files
}

/// Every file with its bytes.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files_of(dir).into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn request(logs: &Path, out: &Path) -> CopyRequest {
    CopyRequest { logs: vec![logs.to_path_buf()], out: out.to_path_buf(), ..CopyRequest::default() }
}

/// What became of the rows, by table.
type Differences = Vec<TableDifference>;

fn recover(request: &CopyRequest) -> Result<(PathBuf, CopyReport)> {
    compared(request).map(|(path, report, _)| (path, report))
}

/// Recovers the only database; the directory is as it was, whatever comes out.
fn compared(request: &CopyRequest) -> Result<(PathBuf, CopyReport, Differences)> {
    let before: Vec<_> = request.logs.iter().map(|dir| contents(dir)).collect();
    let done = recover_into(&Env::real(), request, &mut |_| (), &StopToken::new());
    for (dir, before) in request.logs.iter().zip(before) {
        assert!(contents(dir) == before, "{} was changed", dir.display());
    }
    let [only] = <[_; 1]>::try_from(done?.databases).unwrap();
    let (target, outcome) = (only.target, only.outcome);
    assert_eq!(outcome.is_ok(), target.exists(), "no copy stays of what could not be recovered");
    outcome.map(|report| (target, report, only.differences.unwrap()))
}

fn refused(request: &CopyRequest) -> Error {
    recover(request).map(|(path, report)| (path, report.recovery)).unwrap_err()
}

/// Pages whose content differs, by number.
fn differing(ours: &Path, theirs: &Path) -> Vec<usize> {
    let (ours, theirs) = (pages_of(ours, SIZE), pages_of(theirs, SIZE));
    let meaning = |pages: &[Option<Vec<u8>>], index: usize| {
        let page = pages.get(index).and_then(Option::as_ref)?;
        Some(page_meaning(PageRef::new(page, SIZE)))
    };
    let count = ours.len().max(theirs.len());
    let differs = |index: &usize| meaning(&ours, *index) != meaning(&theirs, *index);
    (0..count).filter(differs).map(|index| index + 1).collect()
}

type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// The rows of all tables, and the entries of all their secondary indexes.
fn rows_of(path: &Path) -> BTreeMap<String, Rows> {
    let database = OfflineDatabase::open(&Env::real(), path).unwrap();
    let mut all = BTreeMap::new();
    for table in database.tables() {
        let mut rows = Rows::new();
        let each = |key: &[u8], row: &ese_engine::record::RecordView<'_>| {
            rows.push((key.to_vec(), row.bytes().to_vec()));
            Ok(ControlFlow::Continue(()))
        };
        database.rows(table, each).unwrap();
        all.insert(table.name.clone(), rows);
        for index in table.indexes.iter().filter(|index| index.objid != table.objid) {
            let mut entries = Rows::new();
            let each = |key: &[u8], row: &[u8]| {
                entries.push((key.to_vec(), row.to_vec()));
                Ok(ControlFlow::Continue(()))
            };
            database.entries(index, each).unwrap();
            all.insert(format!("{}/{}", table.name, index.name), entries);
        }
    }
    all
}

fn assert_sound(path: &Path) {
    let database = OfflineDatabase::open(&Env::real(), path).unwrap();
    let trees = check::trees_of(database.tables());
    let report = check::check(database.cache(), &trees, database.header().dbtime());
    assert!(report.problems.is_empty(), "{:#?}", report.problems);
}

#[test]
fn a_database_built_from_its_logs_alone_is_the_one_that_windows_left() {
    let test = "a_database_built_from_its_logs_alone_is_the_one_that_windows_left";
    let Some(data) = recovery_data(test) else { return };
    let merged = data.join("srum-server2022/merged");
    let scratch = ese_tests::scratch();
    let logs: Vec<_> =
        files_of(&merged).into_iter().filter(|p| p.extension() == Some("log".as_ref())).collect();
    let dir = directory(scratch.path(), "logs", &logs);
    let request = CopyRequest { from_logs: true, ..request(&dir, &scratch.path().join("out")) };
    let (built, report, differences) = compared(&request).unwrap();
    assert_eq!(built, scratch.path().join("out/SRUDB.dat"));
    let windows = merged.join("SRUDB.dat");
    // Page by page, with the dbtime of each: nothing differs.
    assert_eq!(differing(&built, &windows), Vec::<usize>::new());
    let (ours, theirs) = (rows_of(&built), rows_of(&windows));
    assert!(theirs.len() > 10 && ours == theirs);
    assert_sound(&built);
    // Each row that is there was added by the log; removed ones were there in between.
    for table in OfflineDatabase::open(&Env::real(), &built).unwrap().tables() {
        let rows = u64::try_from(ours[&table.name].len()).unwrap();
        let told = report.tables.iter().find(|told| told.name == table.name);
        let told = told.map_or((0, 0), |told| (told.rows.added, told.rows.removed));
        assert_eq!(told.0 - told.1, rows, "{}", table.name);
        // Against nothing, each row came.
        let net = differences.iter().find(|net| net.name == table.name).unwrap().rows;
        assert_eq!(net, DiffCounts { added: rows, ..DiffCounts::default() }, "{}", table.name);
    }
    // The header names the format that the logs say it has.
    let header = |path: &Path| OfflineDatabase::open(&Env::real(), path).unwrap().header();
    let (ours, theirs) = (header(&built), header(&windows));
    assert_eq!(ours.state(), DbState::CleanShutdown);
    assert_eq!(ours.sign_db, theirs.sign_db);
    assert_eq!(ours.update_major, theirs.update_major);
    assert_eq!(ours.update_minor, theirs.update_minor);
    assert_eq!(ours.dbtime(), theirs.dbtime());
    assert_eq!(ours.last_objid(), theirs.last_objid());
    assert_eq!(ours.lgpos_consistent.get(), theirs.lgpos_consistent.get());
}

#[test]
fn an_older_clean_database_rolled_forward_is_the_newer_one() {
    let test = "an_older_clean_database_rolled_forward_is_the_newer_one";
    let Some(data) = recovery_data(test) else { return };
    let server = data.join("srum-server2022");
    let scratch = ese_tests::scratch();
    // The rest of generation 2 is only in the file that waits to be used again.
    let request = CopyRequest {
        databases: vec![server.join("a/SRUDB.dat")],
        ..request(&server.join("b"), &scratch.path().join("copy.dat"))
    };
    let (copy, report, differences) = compared(&request).unwrap();
    assert_eq!(copy, scratch.path().join("copy.dat"));
    // What the report says of the rows is what a comparison of the two files of Windows finds.
    let (mut days, mut new) = (BTreeMap::<String, DiffCounts>::new(), Vec::new());
    let of = |side: &str| server.join(side).join("SRUDB.dat");
    let open = |side: &str| OfflineDatabase::open(&Env::real(), &of(side)).unwrap();
    let (before, after) = (open("a"), open("b"));
    let options = DiffOptions { all: true, ..DiffOptions::default() };
    let mut each = |table: &str, difference: Difference<'_>| {
        let rows = days.entry(table.to_owned()).or_default();
        match difference {
            Difference::RowAdded(..) => rows.added += 1,
            Difference::RowRemoved(..) => rows.removed += 1,
            Difference::RowChanged(..) => rows.changed += 1,
            Difference::TableAdded => new.push(table.to_owned()),
            _ => {}
        }
        Ok(())
    };
    diff_databases((&before, &after), &options, &mut each, &mut |_, _, _| ()).unwrap();
    let net = differences.iter().map(|net| (net.name.clone(), DiffCounts { same: 0, ..net.rows }));
    let mut net: BTreeMap<String, DiffCounts> = net.collect();
    // Of a table that is new every row is.
    for table in new {
        let rows = net[&table];
        assert_eq!(rows, DiffCounts { added: rows.added, ..DiffCounts::default() });
    }
    net.retain(|_, rows| *rows != DiffCounts::default());
    days.retain(|_, rows| *rows != DiffCounts::default());
    assert!(!net.is_empty() && net == days, "{net:?} {days:?}");
    assert!(report.recovery.applied > 100, "{:?}", report.recovery);
    let windows = server.join("b/SRUDB.dat");
    assert_eq!(differing(&copy, &windows), Vec::<usize>::new());
    assert_eq!(rows_of(&copy), rows_of(&windows));
    assert_sound(&copy);
    // Without that generation there is a gap, which is said.
    let logs: Vec<_> = files_of(&server.join("b"))
        .into_iter()
        .filter(|path| path.extension() == Some("log".as_ref()) && !path.ends_with("SRUtmp.log"))
        .collect();
    let dir = directory(scratch.path(), "gap", &logs);
    let error =
        refused(&CopyRequest { logs: vec![dir], out: scratch.path().join("no.dat"), ..request });
    assert_eq!((error.code(), error.generation()), (JetErr::MissingLogFile, Some(Generation(2))));
}

#[test]
fn a_dirty_database_is_recovered_and_its_original_stays() {
    let test = "a_dirty_database_is_recovered_and_its_original_stays";
    let Some(data) = recovery_data(test) else { return };
    let dirty = data.join("srum-win10-dirty/dirty");
    let scratch = ese_tests::scratch();
    let request = request(&dirty, &scratch.path().join("out"));
    let plans = plan_recovery(&Env::real(), &request, &StopToken::new()).unwrap().databases;
    assert!(plans[0].refused.is_none() && plans[0].missing.is_empty(), "{plans:?}");
    assert_eq!(plans[0].needs.unwrap().required.0, Generation(0x51));
    assert!(plans[0].log_bytes > 4096 && plans[0].files.len() >= 2, "{plans:?}");
    let (copy, report, differences) = compared(&request).unwrap();
    // Windows had written all pages, and not got to say that the database is clean.
    let recovery = &report.recovery;
    // What lies before the attachment that the header names is passed over.
    assert!(recovery.records > 200 && recovery.rolled_back == 0, "{recovery:?}");
    assert_eq!((recovery.applied, recovery.skipped), (0, 0), "{recovery:?}");
    assert_eq!(differing(&copy, &dirty.join("SRUDB.dat")), Vec::<usize>::new());
    assert_sound(&copy);
    assert!(report.lost.is_none() && report.recovery.lost_from.is_none());
    // So no row is another one now.
    let changed = differences.iter().any(|net| !net.rows.is_equal());
    assert!(!changed && report.tables.is_empty(), "{differences:?}");
    let original = OfflineDatabase::open_as_is(&Env::real(), &dirty.join("SRUDB.dat"));
    assert_ne!(original.unwrap().header().state(), DbState::CleanShutdown);
}

#[test]
fn the_end_can_be_chosen() {
    let Some(data) = recovery_data("the_end_can_be_chosen") else { return };
    let server = data.join("srum-server2022");
    let scratch = ese_tests::scratch();
    let request = CopyRequest {
        from_logs: true,
        until: Some(RedoEnd::CutAt(ese_base::LgPos::new(4, 0, 0))),
        ..request(&server.join("merged"), &scratch.path().join("out"))
    };
    let (copy, report) = recover(&request).unwrap();
    assert_eq!(report.recovery.to.generation, Generation(4));
    assert_sound(&copy);
    let rows = |all: BTreeMap<String, Rows>| all.values().map(Vec::len).sum::<usize>();
    let (then, at_last) = (rows_of(&copy), rows_of(&server.join("b/SRUDB.dat")));
    assert!(rows(then) < rows(at_last));
}

/// The dirty database with its logs, in a directory of its own.
fn dirty_copy(root: &Path, data: &Path, name: &str) -> PathBuf {
    directory(root, name, &files_of(&data.join("srum-win10-dirty/dirty")))
}

#[test]
fn what_cannot_be_recovered_is_refused_with_generation_and_reason() {
    let test = "what_cannot_be_recovered_is_refused_with_generation_and_reason";
    let Some(data) = recovery_data(test) else { return };
    let scratch = ese_tests::scratch();
    let root = scratch.path();
    let code = |dir: &Path| {
        let error = refused(&request(dir, &root.join("out")));
        assert!(error.to_string().len() > 20, "{error}");
        (error.code(), error.generation().map(|generation| generation.0))
    };

    let dir = dirty_copy(root, &data, "missing");
    fs::remove_file(dir.join("SRU00051.log")).unwrap();
    assert_eq!(code(&dir), (JetErr::MissingLogFile, Some(0x51)));

    // A log of another stream in the place of the one that is needed.
    let dir = dirty_copy(root, &data, "other");
    fs::copy(data.join("srum-server2022/b/SRU.log"), dir.join("SRU00051.log")).unwrap();
    assert_eq!(code(&dir), (JetErr::MissingLogFile, Some(0x51)));
    let header = dirty_copy(root, &data, "header");
    let mut bytes = fs::read(header.join("SRU00051.log")).unwrap();
    bytes[700] ^= 4;
    fs::write(header.join("SRU00051.log"), &bytes).unwrap();
    let error = refused(&request(&header, &root.join("out")));
    assert!(error.to_string().contains("SRU00051.log is not readable"), "{error}");

    let dir = dirty_copy(root, &data, "flipped");
    let mut bytes = fs::read(dir.join("SRU00051.log")).unwrap();
    bytes[3 * 4096 + 900] ^= 4;
    fs::write(dir.join("SRU00051.log"), &bytes).unwrap();
    assert_eq!(code(&dir), (JetErr::LogFileCorrupt, Some(0x51)));

    let dir = dirty_copy(root, &data, "truncated");
    let bytes = fs::read(dir.join("SRU00051.log")).unwrap();
    fs::write(dir.join("SRU00051.log"), &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(code(&dir), (JetErr::LogFileSizeMismatch, Some(0x51)));

    // Another stream's logs under the same names.
    let others = files_of(&data.join("srum-server2022/b"));
    let others: Vec<_> =
        others.into_iter().filter(|path| path.extension() == Some("log".as_ref())).collect();
    let dir = directory(root, "others", &others);
    fs::copy(data.join("srum-win10-dirty/dirty/SRUDB.dat"), dir.join("SRUDB.dat")).unwrap();
    assert_eq!(code(&dir).0, JetErr::BadLogSignature);
}

#[test]
fn two_histories_of_one_stream_are_not_mixed() {
    let Some(data) = recovery_data("two_histories_of_one_stream_are_not_mixed") else { return };
    let merged = data.join("srum-server2022/merged");
    let scratch = ese_tests::scratch();
    let root = scratch.path();
    // The newest generation in two versions, neither of which any other log decides on.
    let fork = directory(root, "fork", &files_of(&merged));
    fs::write(fork.join("SRU (conflicted copy).log"), ese_tests::forge(&merged.join("SRU.log")))
        .unwrap();
    let request = CopyRequest { from_logs: true, ..request(&fork, &root.join("out")) };
    let error = refused(&request);
    assert_eq!(error.code(), JetErr::InvalidLogSequence);
    assert_eq!(error.generation(), Some(Generation(5)));
    assert!(error.to_string().contains("conflicted copy"), "{error}");
    // Of an older one, the next one's header knows which is right.
    let known = directory(root, "known", &files_of(&merged));
    fs::write(known.join("SRU00003.log"), ese_tests::forge(&merged.join("SRU00003.log"))).unwrap();
    fs::copy(merged.join("SRU00003.log"), known.join("copy of SRU00003.log")).unwrap();
    let (copy, _) = recover(&CopyRequest { logs: vec![known], ..request }).unwrap();
    assert_eq!(differing(&copy, &merged.join("SRUDB.dat")), Vec::<usize>::new());
}

#[test]
fn names_do_not_matter_and_copies_do_no_harm() {
    let Some(data) = recovery_data("names_do_not_matter_and_copies_do_no_harm") else { return };
    let dirty = data.join("srum-win10-dirty/dirty");
    let scratch = ese_tests::scratch();
    let dir = scratch.path().join("renamed");
    fs::create_dir(&dir).unwrap();
    for (number, path) in files_of(&dirty).iter().enumerate() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".log") {
            fs::copy(path, dir.join(format!("evidence-{number}.bin"))).unwrap();
            fs::copy(path, dir.join(format!("again-{number}.jtx"))).unwrap();
        }
    }
    fs::copy(dirty.join("SRUDB.dat"), dir.join("x.edb")).unwrap();
    fs::write(dir.join("notes.log"), b"nothing of this is a log").unwrap();
    let (copy, _) = recover(&request(&dir, &scratch.path().join("a"))).unwrap();
    let (usual, _) = recover(&request(&dirty, &scratch.path().join("b"))).unwrap();
    assert_eq!(differing(&copy, &usual), Vec::<usize>::new());
}

#[test]
fn lost_logs_are_passed_over_with_leave_alone() {
    let Some(data) = recovery_data("lost_logs_are_passed_over_with_leave_alone") else { return };
    let scratch = ese_tests::scratch();
    let root = scratch.path();
    let dir = directory(root, "lost", &files_of(&data.join("srum-server2022/merged")));
    fs::remove_file(dir.join("SRU00003.log")).unwrap();
    let strict = CopyRequest { from_logs: true, ..request(&dir, &root.join("strict")) };
    let flags = RecoveryFlags::IGNORE_LOST_LOGS;
    let lenient = CopyRequest { flags, out: root.join("lenient"), ..strict.clone() };
    let error = refused(&strict);
    assert_eq!((error.code(), error.generation()), (JetErr::MissingLogFile, Some(Generation(3))));
    let (copy, report) = recover(&lenient).unwrap();
    let (first, why) = report.lost.unwrap();
    assert!(first == Generation(3) && why.contains("missing"), "{why}");
    assert_eq!(report.recovery.to.generation, Generation(2));
    assert_sound(&copy);
    // The file of what is there says that it needs what is not there.
    let from_file = CopyRequest { from_logs: false, out: root.join("file"), ..strict.clone() };
    assert!(recover(&from_file).is_ok(), "it is clean at generation 5");
    fs::remove_file(dir.join("SRU00001.log")).unwrap();
    let error = refused(&CopyRequest { out: root.join("no"), ..strict });
    assert_eq!(error.code(), JetErr::MissingPreviousLogFile);
}

#[test]
fn a_current_log_that_nothing_needs_may_be_missing() {
    let test = "a_current_log_that_nothing_needs_may_be_missing";
    let Some(data) = recovery_data(test) else { return };
    let scratch = ese_tests::scratch();
    let dir = dirty_copy(scratch.path(), &data, "current");
    fs::remove_file(dir.join("SRU.log")).unwrap();
    let (copy, _) = recover(&request(&dir, &scratch.path().join("out"))).unwrap();
    assert_sound(&copy);
}

/// Does nothing in the log ask for a file that a test cannot have?
fn is_small(log: &Path) -> bool {
    let file = LogFile::read(&Env::real(), log.to_path_buf()).unwrap();
    let mut reader = StreamReader::of_file(&Env::real(), &file);
    while let Ok(Some(entry)) = reader.next() {
        let extended = match entry.record {
            Record::ExtendDb(extend) => extend.last.0,
            _ => 0,
        };
        if extended.max(entry.record.pages().map(|page| page.1.0).max().unwrap_or(0)) > 5000 {
            return false;
        }
    }
    true
}

#[test]
fn records_that_say_what_cannot_be_are_errors_and_nothing_worse() {
    let test = "records_that_say_what_cannot_be_are_errors_and_nothing_worse";
    let Some(data) = recovery_data(test) else { return };
    let merged = data.join("srum-server2022/merged");
    let scratch = ese_tests::scratch();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |bound: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(random >> 33).unwrap() % bound
    };
    let (mut refused, mut fine, mut named) = (0, 0, 0);
    for round in 0..150 {
        let dir = directory(scratch.path(), &format!("{round}"), &files_of(&merged));
        let log = dir.join(["SRU00001.log", "SRU00002.log", "SRU00003.log"][next(3)]);
        let mut bytes = fs::read(&log).unwrap();
        let segment = 1 + next(bytes.len() / 4096 - 1);
        let mut place: [u8; 4096] = bytes[segment * 4096..][..4096].try_into().unwrap();
        if place.iter().all(|byte| *byte == 0) {
            continue;
        }
        for _ in 0..=next(3) {
            place[40 + next(4056)] ^= 1 << next(8);
        }
        // As if it had been written so: what is damaged are the records.
        ese_pages::checksum::stamp_segment(&mut place, u32::try_from(segment).unwrap());
        bytes[segment * 4096..(segment + 1) * 4096].copy_from_slice(&place);
        fs::write(&log, &bytes).unwrap();
        if is_small(&log) {
            let out = scratch.path().join(format!("out{round}"));
            match recover(&CopyRequest { from_logs: true, ..request(&dir, &out) }) {
                Ok(_) => fine += 1,
                Err(error) => {
                    let told = error.to_string();
                    assert!(told.contains("JET_err"), "{told}");
                    assert_ne!(error.code(), JetErr::InternalError, "{told}");
                    // Which record it is, and where it stands.
                    if error.code() == JetErr::InvalidLoggedOperation {
                        assert!(told.contains(" record at 00000"), "{told}");
                        named += 1;
                    }
                    refused += 1;
                }
            }
        }
        fs::remove_dir_all(&dir).unwrap();
    }
    assert!(refused > 60 && named > 10, "{refused} refused, {named} named, {fine} fine");
}
