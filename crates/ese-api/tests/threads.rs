//! Many threads at once: conflicts are answered, nothing is lost, everything verifies afterwards.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing step fails the test")]

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use ese_api::{
    ColType, Database, Env, Instance, JetErr, PageSize, PauseBy, Session, StopToken, Table,
    TableBuilder, Value, VerifyOptions, row, verify_dir,
};
use ese_os::{Threads, Worker};

const ROWS: i32 = 400;

/// A small generator of numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

struct Setup {
    instance: Instance,
    database: Database,
    table: Table,
}

fn start(dir: &Path, page_size: PageSize) -> Instance {
    Instance::builder(dir)
        .page_size(page_size)
        .log_file_size(256 << 10)
        .checkpoint_depth(1 << 20)
        .start()
        .unwrap()
}

fn setup(dir: &Path, page_size: PageSize) -> Setup {
    let instance = start(dir, page_size);
    let database = instance.create_database("a.edb").unwrap();
    let mut session = instance.session().unwrap();
    let table = TableBuilder::new("accounts")
        .column("id", ColType::Long)
        .column("balance", ColType::LongLong)
        .column("note", ColType::LongBinary)
        .primary(&["id"]);
    let table = database.create_table(&mut session, table).unwrap();
    let mut transaction = session.begin().unwrap();
    for id in 0..ROWS {
        table.insert(&mut transaction, &row! { "id" => id, "balance" => 1000_i64 }).unwrap();
    }
    transaction.commit().unwrap();
    Setup { instance, database, table }
}

/// Moves money between two accounts, and sometimes deletes and inserts a row of the thread's own.
fn transfer(session: &mut Session, table: &Table, random: &mut Random, own: i32) -> bool {
    let mut transaction = session.begin().unwrap();
    let mut steps = || -> ese_api::Result<()> {
        let from = i32::try_from(random.below(ROWS as u64)).unwrap();
        let to = i32::try_from(random.below(ROWS as u64)).unwrap();
        let note = vec![7_u8; usize::try_from(random.below(600)).unwrap()];
        for (id, change) in [(from, -1), (to, 1)] {
            let row = table.get(&transaction, id)?.unwrap();
            let Value::I64(balance) = row["balance"] else { panic!("{row:?}") };
            let changes = row! { "balance" => balance + change, "note" => note.clone() };
            assert!(table.update(&mut transaction, id, &changes)?);
        }
        let scratch = ROWS + own;
        if !table.delete(&mut transaction, scratch)? {
            table.insert(&mut transaction, &row! { "id" => scratch, "note" => note })?;
        }
        Ok(())
    };
    match steps() {
        Ok(()) if random.below(10) > 0 => {
            if random.below(4) == 0 { transaction.commit() } else { transaction.commit_lazy() }
                .unwrap();
            true
        }
        Ok(()) => {
            transaction.rollback().unwrap();
            false
        }
        Err(error) => {
            assert_eq!(error.code(), JetErr::WriteConflict, "{error}");
            false
        }
    }
}

fn balances(table: &Table, session: &Session) -> BTreeMap<i32, i64> {
    let rows = table.rows(session).map(|row| row.unwrap());
    rows.filter_map(|row| match (&row["id"], &row["balance"]) {
        (Value::I32(id), Value::I64(balance)) => Some((*id, *balance)),
        _ => None,
    })
    .collect()
}

/// Threads transfer; a reader checks that every snapshot adds up.
fn run(setup: &Setup, threads: i32, rounds: u32) {
    let (done, committed) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|own| {
                let committed = &committed;
                scope.spawn(move || {
                    let mut session = setup.instance.session().unwrap();
                    let mut random = Random(0x9e37_79b9 + u64::try_from(own).unwrap());
                    for _ in 0..rounds {
                        if transfer(&mut session, &setup.table, &mut random, own) {
                            committed.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            let mut session = setup.instance.session().unwrap();
            while !done.load(Ordering::SeqCst) {
                let transaction = session.begin_read_only().unwrap();
                for _ in 0..2 {
                    let mut sum = 0;
                    let mut count = 0;
                    for row in setup.table.range(&transaction, ..ROWS).unwrap() {
                        let Value::I64(balance) = row.unwrap()["balance"] else { panic!() };
                        (sum, count) = (sum + balance, count + 1);
                    }
                    assert_eq!((sum, count), (i64::from(ROWS) * 1000, ROWS));
                }
                transaction.commit().unwrap();
            }
        });
        for worker in workers {
            worker.join().unwrap();
        }
        done.store(true, Ordering::SeqCst);
    });
    assert!(committed.load(Ordering::SeqCst) > u64::from(rounds) / 2);
}

fn assert_sound(dir: &Path) {
    let mut progress = |_: &ese_api::VerifyProgress| ();
    let mut options = VerifyOptions::new(&mut progress, StopToken::new());
    let report = verify_dir(&Env::real(), dir, &mut options).unwrap();
    let problems: Vec<String> = report.all_problems().map(ToString::to_string).collect();
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(report.databases.len(), 1);
    assert!(report.databases[0].entries > 400);
}

#[test]
fn money_is_neither_made_nor_lost_and_every_page_verifies() {
    for page_size in [PageSize::K4, PageSize::K32] {
        let dir = tempfile::tempdir().unwrap();
        let setup = setup(dir.path(), page_size);
        run(&setup, 4, 400);
        let session = setup.instance.session().unwrap();
        assert_eq!(balances(&setup.table, &session).values().sum::<i64>(), 400_000);
        let Setup { instance, database, table } = setup;
        instance.stop().unwrap();
        drop((session, table, database));
        assert_sound(dir.path());
    }
}

#[test]
fn a_crash_among_threads_is_recovered_to_a_sum_that_adds_up() {
    let dir = tempfile::tempdir().unwrap();
    let setup = setup(dir.path(), PageSize::K4);
    run(&setup, 4, 300);
    let mut open = setup.instance.session().unwrap();
    let mut unfinished = open.begin().unwrap();
    setup.table.update(&mut unfinished, 1, &row! { "balance" => 0_i64 }).unwrap();
    // A durable commit takes all records before it, those of the open transaction too, to the disk.
    let mut other = setup.instance.session().unwrap();
    setup.table.insert(&mut other, &row! { "id" => 2 * ROWS, "note" => vec![1_u8; 10] }).unwrap();
    drop(other);
    let Setup { instance, database, table } = setup;
    instance.abandon();
    drop(unfinished);
    drop((open, table, database));

    let report = ese_api::recover(dir.path()).unwrap();
    // The transaction that is still open keeps the checkpoint from passing its begin.
    assert!(report.from < report.to, "{report:?}");
    assert_sound(dir.path());
    let instance = start(dir.path(), PageSize::K4);
    let database = instance.open_database("a.edb").unwrap();
    let session = instance.session().unwrap();
    let table = database.table(&session, "accounts").unwrap();
    assert_eq!(balances(&table, &session).values().sum::<i64>(), 400_000);
    assert!(table.get(&session, 2 * ROWS).unwrap().is_some());
}

/// The machine's threads, counted.
#[derive(Debug)]
struct CountedThreads {
    real: Env,
    flushers: Arc<AtomicU64>,
}

impl Threads for CountedThreads {
    fn spawn(
        &self,
        name: &str,
        body: Box<dyn FnOnce() + Send + 'static>,
    ) -> ese_api::Result<Option<Worker>> {
        if name != "ese-flush" {
            return self.real.threads.spawn(name, body);
        }
        let flushers = Arc::clone(&self.flushers);
        flushers.fetch_add(1, Ordering::SeqCst);
        let counted = move || {
            body();
            flushers.fetch_sub(1, Ordering::SeqCst);
        };
        self.real.threads.spawn(name, Box::new(counted))
    }
}

/// A background thread that is still at work could be the one to drop the last reference to the
/// instance, with its locks, long after everybody else has let go.
#[test]
fn abandoning_ends_background_work_so_that_dropped_handles_free_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let flushers = Arc::new(AtomicU64::new(0));
    let threads = CountedThreads { real: Env::real(), flushers: Arc::clone(&flushers) };
    let env = Env { threads: Arc::new(threads), ..Env::real() };
    for _ in 0..3 {
        let instance =
            Instance::builder(dir.path()).env(env.clone(), PauseBy::Waiting).start().unwrap();
        let database = instance.open_or_create_database("a.edb").unwrap();
        let session = instance.session().unwrap();
        assert_eq!(flushers.load(Ordering::SeqCst), 1);
        instance.abandon();
        assert_eq!(flushers.load(Ordering::SeqCst), 0);
        assert_eq!(session.wait_durable().unwrap_err().code(), JetErr::NotInitialized);
        drop((session, database));
    }
}

#[test]
fn stopping_waits_for_running_calls_and_refuses_later_ones() {
    let dir = tempfile::tempdir().unwrap();
    let setup = setup(dir.path(), PageSize::K4);
    let Setup { instance, database, table } = setup;
    let table = Arc::new(table);
    let workers: Vec<_> = (0..4)
        .map(|own| {
            let (mut session, table) = (instance.session().unwrap(), Arc::clone(&table));
            thread::Builder::new()
                .spawn(move || {
                    let mut random = Random(77 + own);
                    let mut count = 0_u64;
                    loop {
                        let id = i32::try_from(random.below(ROWS as u64)).unwrap();
                        let changes = row! { "balance" => 5_i64 };
                        match table.update(&mut session, id, &changes) {
                            Ok(changed) => {
                                assert!(changed);
                                count += 1;
                            }
                            Err(error) => match error.code() {
                                JetErr::WriteConflict => {}
                                JetErr::NotInitialized | JetErr::TermInProgress => return count,
                                _ => panic!("{error}"),
                            },
                        }
                    }
                })
                .unwrap()
        })
        .collect();
    let session = instance.session().unwrap();
    while balances(&table, &session).values().filter(|balance| **balance == 5).count() < 20 {
        thread::yield_now();
    }
    instance.stop().unwrap();
    let changes: u64 = workers.into_iter().map(|worker| worker.join().unwrap()).sum();
    assert!(changes >= 20);
    drop((session, table, database));
    assert_sound(dir.path());
}
