//! A set and shipped logs, restored as they were at moments that lie close together.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a failing step fails the test; the clock that passes is the log's"
)]

use std::{path::Path, thread::sleep, time::Duration};

use ese_api::{
    ColType, DirDestination, Env, Instance, JetErr, LogTime, Restorable, RestoreOptions,
    RestorePlan, RestoreProgress, RestoreSource, RestoreTarget, RestoreUntil, Session, SetInput,
    Shipper, StopToken, Table, TableBuilder, VerifyOptions, VerifyProgress, check_backup,
    restore_from, row,
};

fn start(dir: &Path) -> Instance {
    Instance::builder(dir).log_file_size(256 << 10).start().unwrap()
}

fn table(instance: &Instance, session: &mut Session) -> Table {
    let database = instance.create_database("a.edb").unwrap();
    let table = TableBuilder::new("t").column("id", ColType::Long).primary(&["id"]);
    database.create_table(session, table).unwrap()
}

fn insert(session: &mut Session, table: &Table, id: i32) {
    let mut transaction = session.begin().unwrap();
    table.insert(&mut transaction, &row! { "id" => id }).unwrap();
    transaction.commit().unwrap();
}

/// A moment with some time before and after it.
fn moment() -> LogTime {
    sleep(Duration::from_millis(600));
    let now = Env::real().clock.log_time();
    sleep(Duration::from_millis(20));
    now
}

fn restore(source: &RestoreSource, target: &RestoreTarget) -> ese_api::Result<ese_api::Restored> {
    let (force, keep_damaged, stop) = (false, false, StopToken::new());
    let mut replayed = Vec::new();
    let mut progress = |so_far: &RestoreProgress| replayed.extend(so_far.replayed);
    let mut options = RestoreOptions { force, keep_damaged, progress: &mut progress, stop };
    let restored = restore_from(&Env::real(), source, target, &mut options);
    if restored.is_ok() {
        assert!(!replayed.is_empty() && replayed.is_sorted(), "{replayed:?}");
    }
    restored
}

fn ids(dir: &Path) -> Vec<i32> {
    let instance = start(dir);
    let database = instance.open_database("a.edb").unwrap();
    let session = instance.session().unwrap();
    let table = database.table(&session, "t").unwrap();
    let ids = table.rows(&session).map(|row| match row.unwrap()["id"] {
        ese_api::Value::I32(id) => id,
        ref other => panic!("{other:?}"),
    });
    let ids = ids.collect();
    drop((table, session, database));
    instance.stop().unwrap();
    ids
}

#[test]
fn small_commits_of_one_run_are_told_apart_by_their_time() {
    let dirs = tempfile::tempdir().unwrap();
    let at = |name: &str| dirs.path().join(name);
    let instance = start(&at("live"));
    let mut session = instance.session().unwrap();
    let table = table(&instance, &mut session);
    insert(&mut session, &table, 0);
    instance.backup_to_dir(at("set")).unwrap();
    let mut moments = Vec::new();
    for id in 1..5 {
        insert(&mut session, &table, id);
        moments.push(moment());
    }
    let env = Env::real();
    let to = Box::new(DirDestination::open(&env, &at("shipped")).unwrap());
    Shipper::new(&env, &at("live"), "edb", to).unwrap().step().unwrap();
    drop((table, session));
    instance.abandon();

    let mut replayed = Vec::new();
    let mut progress = |so_far: &VerifyProgress| replayed.extend(so_far.replayed);
    let mut options = VerifyOptions::new(&mut progress, StopToken::new());
    let shipped = at("shipped");
    let found =
        check_backup(&env, SetInput::Path(&at("set")), Some(&shipped), dirs.path(), &mut options)
            .unwrap();
    assert!(matches!(found.answer, Restorable::Yes), "{found:?}");
    assert!(replayed.is_sorted() && replayed.last() == Some(&100), "{replayed:?}");

    let source = RestoreSource::new(&at("set")).with_increment(&shipped);
    let plan = RestorePlan::examine_source(&env, &source).unwrap();
    let mut ends = Vec::new();
    for (last, moment) in (1..).zip(moments) {
        let dir = at(&format!("until-{last}"));
        let target = RestoreTarget::in_dir(&dir).until(RestoreUntil::Time(moment));
        let end = restore(&source, &target).unwrap().end.unwrap();
        assert_eq!(end, plan.end(&env, target.until).unwrap());
        assert_eq!(end.leaves_out, last < 4, "{end:?}");
        assert!(end.time.is_some_and(|time| !time.is_after(moment)), "{end:?} {moment}");
        let left = env.fs.list(&dir).unwrap().into_iter().map(|entry| entry.name);
        let logs: Vec<_> = left.filter(|name| name.contains(".log")).collect();
        assert_eq!(logs.is_empty(), end.leaves_out, "{logs:?}");
        assert_eq!(ids(&dir), (0..=last).collect::<Vec<_>>());
        ends.push(end.position);
    }
    assert!(ends.is_sorted());
    // The same by position, and what cannot be.
    let target = RestoreTarget::in_dir(&at("position")).until(RestoreUntil::Position(ends[1]));
    restore(&source, &target).unwrap();
    assert_eq!(ids(&at("position")), [0, 1, 2]);
    let forward = RestoreTarget::in_dir(&at("x")).until(RestoreUntil::Position(ends[1]));
    let refused = restore(&source, &forward.rolling_forward()).unwrap_err();
    assert_eq!(refused.code(), JetErr::InvalidParameter);
    let early = RestoreTarget::in_dir(&at("x")).until(RestoreUntil::Time(LogTime::from_unix_ms(1)));
    let refused = restore(&source, &early).unwrap_err();
    assert_eq!(refused.code(), JetErr::EndingRestoreLogTooLow, "{refused}");
    assert!(!at("x").exists());
}
