//! Backups through the Rust API: while others write, stopped, restored, compared.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a failing step fails the test; files are looked at behind the engine's back"
)]

use std::{
    collections::BTreeMap,
    io::Read,
    path::PathBuf,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
};

use ese_api::{
    ColType, CopyOptions, Database, Instance, JetErr, Session, StopReason, StopToken, Table,
    TableBuilder, Value, jet_error, row,
};

fn start(dir: &std::path::Path) -> (Instance, Database) {
    let instance = Instance::builder(dir).log_file_size(256 << 10).start().unwrap();
    let database = instance.open_or_create_database("a.edb").unwrap();
    (instance, database)
}

fn table(database: &Database, session: &mut Session) -> Table {
    let table = TableBuilder::new("t")
        .column("id", ColType::Long)
        .column("value", ColType::Binary)
        .primary(&["id"]);
    database.create_table(session, table).unwrap()
}

fn load(session: &mut Session, table: &Table, ids: std::ops::Range<i32>) {
    let mut transaction = session.begin().unwrap();
    for id in ids {
        let value = vec![u8::try_from(id % 251).unwrap(); 150];
        table.insert(&mut transaction, &row! { "id" => id, "value" => value }).unwrap();
    }
    transaction.commit().unwrap();
}

fn contents(table: &Table, session: &Session) -> BTreeMap<i32, Vec<u8>> {
    table
        .rows(session)
        .map(|row| match row.unwrap().into_values().as_slice() {
            [Value::I32(id), Value::Binary(value)] => (*id, value.clone()),
            other => panic!("{other:?}"),
        })
        .collect()
}

/// Starts what was restored and reads it.
fn read_restored(dir: &std::path::Path) -> BTreeMap<i32, Vec<u8>> {
    let (instance, database) = start(dir);
    let session = instance.session().unwrap();
    let table = database.table(&session, "t").unwrap();
    let rows = contents(&table, &session);
    drop((table, session, database));
    instance.stop().unwrap();
    rows
}

#[test]
fn a_backup_under_load_restores_every_commit_before_its_end() {
    let dirs = tempfile::tempdir().unwrap();
    let (instance, database) = start(&dirs.path().join("live"));
    let mut session = instance.session().unwrap();
    let table = table(&database, &mut session);
    load(&mut session, &table, 0..5000);

    let (done, acknowledged) = (AtomicBool::new(false), AtomicU32::new(0));
    let (before, report) = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut session = instance.session().unwrap();
            let mut id = 5000;
            while !done.load(Ordering::SeqCst) {
                load(&mut session, &table, id..id + 10);
                id += 10;
                acknowledged.store(u32::try_from(id).unwrap(), Ordering::SeqCst);
            }
        });
        while acknowledged.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        let before = acknowledged.load(Ordering::SeqCst);
        let report = instance.backup_to_dir(dirs.path().join("set"));
        done.store(true, Ordering::SeqCst);
        (before, report.unwrap())
    });
    assert_eq!(report.recorded, 1);
    assert!(database.header().bkinfo_copy_prev.gen_high.get() > 0);
    let live = contents(&table, &session);

    let restored = ese_api::restore(dirs.path().join("set"), dirs.path().join("there")).unwrap();
    assert_eq!(restored.databases.len(), 1);
    assert!(restored.set.pages > 100 && restored.recovery.records > 0);
    let rows = read_restored(&dirs.path().join("there"));
    assert!(rows.len() >= usize::try_from(before).unwrap());
    assert_eq!(rows.len() % 10, 0, "transactions are whole");
    assert!(rows.iter().all(|(id, value)| live.get(id) == Some(value)));
    instance.stop().unwrap();
}

#[test]
fn a_stop_ends_a_copy_and_leaves_no_trace() {
    let dirs = tempfile::tempdir().unwrap();
    let (instance, database) = start(&dirs.path().join("live"));
    let mut session = instance.session().unwrap();
    let table = table(&database, &mut session);
    load(&mut session, &table, 0..20_000);
    let set = dirs.path().join("set");
    let stopper = instance.backup_stopper();
    let options = CopyOptions { truncate: true };

    // By the stopper, from inside the progress call, and by a token.
    let mut calls = 0;
    let mut progress = |_: &ese_api::BackupProgress| {
        calls += 1;
        if calls == 2 {
            assert!(stopper.stop());
        }
    };
    let stopped = instance.backup_to_dir_with(&set, options, &mut progress, &StopToken::new());
    assert_eq!(stopped.unwrap_err().code(), JetErr::BackupAbortByServer);
    let token = StopToken::new();
    let asked = token.clone();
    let mut progress = |_: &ese_api::BackupProgress| asked.stop(StopReason::Requested);
    let stopped = instance.backup_to_dir_with(&set, options, &mut progress, &token);
    assert_eq!(stopped.unwrap_err().code(), JetErr::BackupAbortByServer);

    assert!(!set.exists());
    let header = database.header();
    assert_eq!(header.bkinfo_full_prev.gen_high.get(), 0);
    assert_eq!(header.bkinfo_copy_prev.gen_high.get(), 0);
    assert!(dirs.path().join("live/edb00001.log").exists(), "no log was truncated");
    // The next one begins at once and is complete.
    let report =
        instance.backup_to_dir_with(&set, options, &mut |_| (), &StopToken::new()).unwrap();
    assert_eq!(report.recorded, 1);
    assert!(report.truncation.is_none());
    assert!(database.header().bkinfo_full_prev.gen_high.get() > 0);
    let live = contents(&table, &session);
    ese_api::restore(&set, dirs.path().join("there")).unwrap();
    assert_eq!(read_restored(&dirs.path().join("there")), live);
}

#[test]
fn a_backup_is_read_as_streams_and_a_stop_reaches_the_reader() {
    let dirs = tempfile::tempdir().unwrap();
    let (instance, database) = start(&dirs.path().join("live"));
    let mut session = instance.session().unwrap();
    let table = table(&database, &mut session);
    load(&mut session, &table, 0..10_000);

    let mut backup = instance.begin_backup().unwrap();
    let second = instance.begin_backup().unwrap_err();
    assert_eq!(second.code(), JetErr::BackupInProgress);
    for refused in [
        instance.create_database("b.edb").unwrap_err(),
        instance.open_database("b.edb").unwrap_err(),
        database.clone().detach().unwrap_err(),
    ] {
        assert_eq!(refused.code(), JetErr::BackupInProgress);
    }
    let paths = backup.databases().unwrap();
    assert_eq!(paths, [database.path()]);
    let mut file = backup.open(&paths[0]).unwrap();
    let mut bytes = vec![0; 100_000];
    file.read_exact(&mut bytes).unwrap();
    assert!(instance.backup_stopper().stop());
    let mut rest = Vec::new();
    let error = file.read_to_end(&mut rest).unwrap_err();
    assert_eq!(jet_error(&error).unwrap().code(), JetErr::BackupAbortByServer);
    drop(file);
    assert_eq!(backup.finish().unwrap(), 0);

    let mut backup = instance.begin_backup().unwrap();
    let mut file = backup.open(&paths[0]).unwrap();
    let mut copy = Vec::new();
    file.read_to_end(&mut copy).unwrap();
    assert_eq!(copy.len() as u64, file.len());
    file.close().unwrap();
    for log in backup.logs().unwrap().files {
        let mut file = backup.open(&log).unwrap();
        std::io::copy(&mut file, &mut std::io::sink()).unwrap();
    }
    backup.truncate().unwrap();
    assert_eq!(backup.finish().unwrap(), 1);
    // An incremental backup goes on from there.
    let mut logs = instance.begin_incremental_backup().unwrap();
    assert!(!logs.logs().unwrap().files.is_empty());
    drop(logs);

    // A backup that is still open when the instance stops is aborted.
    let mut left = instance.begin_backup().unwrap();
    let stopper = instance.backup_stopper();
    instance.stop().unwrap();
    assert!(!stopper.stop(), "handles that are left do not keep the instance running");
    assert_eq!(left.databases().unwrap_err().code(), JetErr::BackupAbortByServer);
}

#[test]
fn a_moved_directory_is_recovered_in_place() {
    let dirs = tempfile::tempdir().unwrap();
    let live = dirs.path().join("live");
    let (instance, database) = start(&live);
    let mut session = instance.session().unwrap();
    let table = table(&database, &mut session);
    load(&mut session, &table, 0..3000);
    let expected = contents(&table, &session);
    instance.abandon();
    drop((table, session, database));

    let moved = dirs.path().join("moved");
    std::fs::rename(&live, &moved).unwrap();
    let report = ese_api::recover(&moved).unwrap();
    assert!(report.records > 3000);
    assert_eq!(read_restored(&moved), expected);
    let again = ese_api::recover(&moved).unwrap();
    assert_eq!((again.applied, again.rolled_back), (0, 0));
    let nothing = ese_api::recover(dirs.path()).unwrap_err();
    assert_eq!(nothing.code(), JetErr::MissingLogFile);
}

fn files(dir: &std::path::Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// The log of a copied directory still names the database of the original.
#[test]
fn recovering_a_copied_directory_never_touches_the_original() {
    let dirs = tempfile::tempdir().unwrap();
    let live = dirs.path().join("live");
    let (instance, database) = start(&live);
    let mut session = instance.session().unwrap();
    let table = table(&database, &mut session);
    load(&mut session, &table, 0..1000);
    let expected = contents(&table, &session);
    instance.abandon();
    drop((table, session, database));
    let original = files(&live);
    let copy = |name: &str| {
        let copy = dirs.path().join(name);
        std::fs::create_dir(&copy).unwrap();
        for (path, bytes) in &original {
            std::fs::write(copy.join(path.file_name().unwrap()), bytes).unwrap();
        }
        copy
    };

    // The log knows how the database was created: it is made again, in the copy.
    let without = copy("without");
    std::fs::remove_file(without.join("a.edb")).unwrap();
    ese_api::recover(&without).unwrap();
    assert_eq!(read_restored(&without), expected);

    let foreign = copy("foreign");
    let other = Instance::builder(dirs.path().join("other")).start().unwrap();
    other.create_database("b.edb").unwrap();
    other.stop().unwrap();
    std::fs::copy(dirs.path().join("other/b.edb"), foreign.join("a.edb")).unwrap();
    let refused = ese_api::recover(&foreign).unwrap_err();
    assert_eq!(refused.code(), JetErr::AttachedDatabaseMismatch);
    assert_eq!(refused.path(), Some(foreign.join("a.edb").as_path()));

    let whole = copy("whole");
    let instance = Instance::builder(&whole).start().unwrap();
    assert!(instance.recovery_report().is_some_and(|report| report.records > 1000));
    instance.stop().unwrap();
    assert_eq!(read_restored(&whole), expected);
    assert!(files(&live) == original, "the original was written");
}

fn copy_of(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir(to).unwrap();
    for (path, bytes) in files(from) {
        std::fs::write(to.join(path.file_name().unwrap()), bytes).unwrap();
    }
}

/// The header of the log names the first place, the records in it the second; the files lie in a
/// third.
#[test]
fn a_copy_of_a_copy_is_started_without_a_touch_of_either() {
    let dirs = tempfile::tempdir().unwrap();
    let places = ["first", "second", "third", "fourth"].map(|name| dirs.path().join(name));
    let [first, second, third, fourth] = &places;
    let (instance, database) = start(first);
    instance.stop().unwrap();
    drop(database);
    copy_of(first, second);
    let (instance, database) = start(second);
    let mut session = instance.session().unwrap();
    let table = table(&database, &mut session);
    load(&mut session, &table, 0..100);
    let expected = contents(&table, &session);
    instance.abandon();
    drop((table, session, database));
    copy_of(second, third);
    copy_of(second, fourth);
    let before = (files(first), files(second));

    let instance = Instance::builder(third).start().unwrap();
    assert!(instance.recovery_report().is_some_and(|report| report.applied >= 100));
    instance.stop().unwrap();
    assert_eq!(read_restored(third), expected);
    // Under another name, too.
    std::fs::rename(fourth.join("a.edb"), fourth.join("renamed.edb")).unwrap();
    ese_api::recover(fourth).unwrap();
    std::fs::rename(fourth.join("renamed.edb"), fourth.join("a.edb")).unwrap();
    assert_eq!(read_restored(fourth), expected);
    assert!((files(first), files(second)) == before, "a file of another instance was written");
}

#[test]
fn arguments_that_cannot_be_are_refused_by_what_they_say() {
    let dir = tempfile::tempdir().unwrap();
    let huge = Instance::builder(dir.path()).log_file_size(1 << 40).start().unwrap_err();
    assert_eq!(huge.code(), JetErr::InvalidParameter);
    assert!(huge.to_string().contains("1099511627776 bytes"), "{huge}");
    let instance = Instance::builder(dir.path()).start().unwrap();
    for name in ["", ".", ".."] {
        let refused = instance.create_database(name).unwrap_err();
        assert_eq!(refused.code(), JetErr::InvalidPath, "{name:?}: {refused}");
        let refused = instance.open_or_create_database(name).unwrap_err();
        assert_eq!(refused.code(), JetErr::InvalidPath, "{name:?}: {refused}");
    }
}

/// The log is right where the directories are still those of the run that wrote it.
#[test]
fn a_database_in_another_directory_is_recovered_there_and_not_in_its_copy() {
    let dirs = tempfile::tempdir().unwrap();
    let (live, elsewhere) = (dirs.path().join("live"), dirs.path().join("elsewhere"));
    std::fs::create_dir(&elsewhere).unwrap();
    let instance = Instance::builder(&live).start().unwrap();
    instance.create_database(elsewhere.join("a.edb")).unwrap();
    instance.stop().unwrap();
    std::fs::copy(elsewhere.join("a.edb"), live.join("old.edb")).unwrap();
    let old = std::fs::read(live.join("old.edb")).unwrap();
    let instance = Instance::builder(&live).start().unwrap();
    let database = instance.open_database(elsewhere.join("a.edb")).unwrap();
    let mut session = instance.session().unwrap();
    let table = table(&database, &mut session);
    load(&mut session, &table, 0..100);
    let expected = contents(&table, &session);
    instance.abandon();
    drop((table, session, database));
    let moved = dirs.path().join("moved");
    copy_of(&live, &moved);
    std::fs::remove_file(moved.join("old.edb")).unwrap();
    let dirty = std::fs::read(elsewhere.join("a.edb")).unwrap();

    assert!(ese_api::recover(&live).unwrap().applied >= 100);
    assert!(std::fs::read(live.join("old.edb")).unwrap() == old);
    assert_eq!(read_restored(&elsewhere), expected);
    // Nobody else has it: it goes with the directory that names it.
    std::fs::write(elsewhere.join("a.edb"), dirty).unwrap();
    assert!(ese_api::recover(&moved).unwrap().applied >= 100);
    assert_eq!(read_restored(&elsewhere), expected);
}

fn verify(dir: &std::path::Path) -> ese_api::DirReport {
    let mut progress = |_: &ese_api::VerifyProgress| ();
    let mut options = ese_api::VerifyOptions::new(&mut progress, StopToken::new());
    ese_api::verify_dir(&ese_api::Env::real(), dir, &mut options).unwrap()
}

fn codes(report: &ese_api::DirReport) -> Vec<JetErr> {
    report.all_problems().map(ese_api::Error::code).collect()
}

#[test]
fn a_verification_finds_nothing_in_sound_files_and_damage_in_others() {
    let dirs = tempfile::tempdir().unwrap();
    let live = dirs.path().join("live");
    let (instance, database) = start(&live);
    let mut session = instance.session().unwrap();
    let table = table(&database, &mut session);
    load(&mut session, &table, 0..20_000);
    let set = dirs.path().join("set");
    instance.backup_to_dir(&set).unwrap();
    instance.stop().unwrap();
    drop((table, session, database));

    let report = verify(&live);
    assert_eq!(codes(&report), []);
    assert_eq!((report.databases.len(), report.databases[0].tables), (1, 5));
    assert!(report.databases[0].entries > 20_000);
    let log = report.log.unwrap();
    assert!(log.ended_cleanly && log.records > 20_000);
    let report = verify(&set);
    assert_eq!(codes(&report), []);
    assert!(report.set.unwrap().pages > 500);

    // A byte in a page, a byte in a log, a header.
    let flip = |file: &std::path::Path, at: usize| {
        let mut bytes = std::fs::read(file).unwrap();
        bytes[at] ^= 0xff;
        bytes[at + 1] ^= 0xff;
        std::fs::write(file, bytes).unwrap();
    };
    flip(&live.join("a.edb"), 4096 * 301 + 2000);
    let found = codes(&verify(&live));
    assert!(found.contains(&JetErr::ReadVerifyFailure), "{found:?}");
    flip(&live.join("a.edb"), 4096 * 301 + 2000);
    flip(&live.join("a.edb"), 4096 + 100);
    assert_eq!(codes(&verify(&live)), [JetErr::ReadVerifyFailure]);
    flip(&live.join("a.edb"), 4096 + 100);
    flip(&live.join("edb00003.log"), 4096 * 20 + 100);
    assert_eq!(codes(&verify(&live)), [JetErr::LogFileCorrupt]);
    flip(&set.join("a.edb"), 4096 * 301 + 2000);
    assert_eq!(codes(&verify(&set)), [JetErr::ReadVerifyFailure]);
}
