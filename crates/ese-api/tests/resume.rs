//! Backups that are stopped and gone on with while rows change: what is restored are exactly the
//! rows that were committed at the end of the last part.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing step fails the test")]

use std::{collections::BTreeMap, path::Path};

use ese_api::{
    BackupDestination, BackupJob, BackupPhase, BackupProgress, BackupReport, BackupResume, ColType,
    CopyOptions, Database, Instance, JetErr, Session, StopReason, StopToken, Table, TableBuilder,
    Value, restore, row,
};

fn start(dir: &Path) -> (Instance, Database) {
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

/// One transaction: puts rows there, or replaces them.
fn put(session: &mut Session, table: &Table, ids: impl Iterator<Item = i32>, byte: u8) {
    let mut transaction = session.begin().unwrap();
    for id in ids {
        let row = row! { "id" => id, "value" => vec![byte; 250] };
        drop(table.delete(&mut transaction, id));
        table.insert(&mut transaction, &row).unwrap();
    }
    transaction.commit().unwrap();
}

fn delete(session: &mut Session, table: &Table, ids: impl Iterator<Item = i32>) {
    let mut transaction = session.begin().unwrap();
    for id in ids {
        table.delete(&mut transaction, id).unwrap();
    }
    transaction.commit().unwrap();
}

fn contents(table: &Table, session: &Session) -> BTreeMap<i32, Vec<u8>> {
    let rows = table.rows(session).map(|row| match row.unwrap().into_values().as_slice() {
        [Value::I32(id), Value::Binary(value)] => (*id, value.clone()),
        other => panic!("{other:?}"),
    });
    rows.collect()
}

fn restored(dir: &Path) -> BTreeMap<i32, Vec<u8>> {
    let (instance, database) = start(dir);
    let session = instance.session().unwrap();
    let table = database.table(&session, "t").unwrap();
    let rows = contents(&table, &session);
    drop((table, session, database));
    instance.stop().unwrap();
    rows
}

/// A part of the backup: stopped at some call, while `meanwhile` runs at each.
fn part(
    instance: &Instance,
    set: &Path,
    stop_at: usize,
    mut meanwhile: impl FnMut(usize),
) -> ese_api::Result<BackupReport> {
    let stop = StopToken::new();
    let token = stop.clone();
    let mut calls = 0;
    let mut progress = |so_far: &BackupProgress| {
        if so_far.phase == BackupPhase::Comparing {
            return;
        }
        meanwhile(calls);
        calls += 1;
        if calls == stop_at {
            token.stop(StopReason::Requested);
        }
    };
    let options = CopyOptions { truncate: false };
    let resume = BackupResume::Continue;
    let job = BackupJob { options, resume, ..BackupJob::new(&mut progress, &stop) };
    instance.back_up(BackupDestination::Dir(set), job)
}

fn stopped(result: ese_api::Result<BackupReport>) {
    assert_eq!(result.unwrap_err().code(), JetErr::BackupAbortByServer);
}

#[test]
fn a_backup_of_changing_rows_that_was_stopped_restores_what_was_committed_at_its_end() {
    let dirs = tempfile::tempdir().unwrap();
    let at = |name: &str| dirs.path().join(name);
    let (instance, database) = start(&at("live"));
    let mut session = instance.session().unwrap();
    let table = table(&database, &mut session);
    put(&mut session, &table, 0..24_000, 1);
    for (number, stop_at) in [2, 4, 6].into_iter().enumerate() {
        let byte = u8::try_from(10 * number + 10).unwrap();
        let set = at(&format!("set-{number}"));
        // Rows before and behind the place that the copy has come to change, before the stop,
        // between the parts, and while it goes on; the file grows.
        let mut other = instance.session().unwrap();
        stopped(part(&instance, &set, stop_at, |call| {
            let first = i32::try_from(call).unwrap();
            put(&mut other, &table, (first..24_000).step_by(97), byte);
        }));
        put(&mut session, &table, (0..24_000).step_by(31), byte + 1);
        delete(&mut session, &table, (1..24_000).step_by(61));
        put(&mut session, &table, 27_000..28_400, byte + 2);
        stopped(part(&instance, &set, 2, |_| ()));
        put(&mut session, &table, (5..24_000).step_by(43), byte + 3);
        let report = part(&instance, &set, usize::MAX, |call| {
            let first = 30_000 + 10 * i32::try_from(call).unwrap();
            put(&mut other, &table, first..first + 10, byte + 4);
        });
        let report = report.unwrap();
        assert!(report.taken_over > 1 << 20, "{report:?}");
        let to = at(&format!("restored-{number}"));
        restore(&set, &to).unwrap();
        // The last call of the progress function comes when the log is closed.
        let (found, now) = (restored(&to), contents(&table, &session));
        let differ: Vec<_> = now.iter().filter(|(id, row)| found.get(*id) != Some(row)).collect();
        assert!(differ.iter().all(|(id, _)| **id >= 30_000), "{} differ", differ.len());
        assert!(found.keys().all(|id| now.contains_key(id)));
        // For the next turn.
        put(&mut session, &table, (1..24_000).step_by(61), byte);
        delete(&mut session, &table, now.range(24_000..).map(|(id, _)| *id));
    }
    drop((table, session, database));
    instance.stop().unwrap();
}

#[test]
fn a_backup_goes_on_after_the_instance_ended_its_file_was_cut_off_and_grew_again() {
    let dirs = tempfile::tempdir().unwrap();
    let at = |name: &str| dirs.path().join(name);
    let (instance, database) = start(&at("live"));
    let mut session = instance.session().unwrap();
    let table = table(&database, &mut session);
    put(&mut session, &table, 0..30_000, 1);
    let set = at("set");
    stopped(part(&instance, &set, 5, |_| ()));
    // Rows at the end of the file change in this run, are gone in the next, and come again.
    put(&mut session, &table, 24_000..30_000, 2);
    drop((table, session, database));
    instance.stop().unwrap();

    for (stop_at, rows) in [(2, 1200), (usize::MAX, 3600)] {
        let (instance, database) = start(&at("live"));
        let mut session = instance.session().unwrap();
        let table = database.table(&session, "t").unwrap();
        let present = contents(&table, &session);
        delete(&mut session, &table, present.range(4000..).map(|(id, _)| *id));
        drop((table, session));
        database.shrink(0).unwrap();
        drop(database);
        instance.stop().unwrap();
        let (instance, database) = start(&at("live"));
        let mut session = instance.session().unwrap();
        let table = database.table(&session, "t").unwrap();
        put(&mut session, &table, 40_000..40_000 + rows, 3);
        let result = part(&instance, &set, stop_at, |_| ());
        if stop_at == 2 {
            stopped(result);
            put(&mut session, &table, 60_000..75_000, 4);
        } else {
            result.unwrap();
        }
        let now = contents(&table, &session);
        drop((table, session, database));
        instance.stop().unwrap();
        if stop_at != 2 {
            restore(&set, at("restored")).unwrap();
            assert!(restored(&at("restored")) == now);
        }
    }
}
