//! What transactions see of each other: the Hermitage anomalies under all interleavings of their
//! steps, and histories of eight threads.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI32, AtomicUsize, Ordering},
    },
};

use ese_base::{JetErr, Result};
use ese_engine::{
    catalog,
    cursor::Cursor,
    instance::{Attached, Instance, InstanceConfig, TermMode},
    record::{RecordView, encode_row},
    schema::{ColType, ColumnDef, ColumnId, IndexDef, TableDef},
    session::{Durability, Session},
    table::Table,
    tree::{Direction, Position, Start},
    version::Lock,
};
use ese_os::Env;

const ID: ColumnId = ColumnId(1);
const VALUE: ColumnId = ColumnId(2);
const LIST: ColumnId = ColumnId(256);

struct Store {
    instance: Arc<Instance>,
    _attached: Arc<Attached>,
    table: Arc<Table>,
}

fn start(dir: &Path) -> Arc<Instance> {
    let mut config = InstanceConfig::new(dir);
    config.log_file_size = 1 << 20;
    Instance::start(&Env::real(), config).unwrap()
}

impl Store {
    fn create(dir: &Path) -> Store {
        let instance = start(dir);
        let attached = instance.create_database(&dir.join("a.edb")).unwrap();
        let def = TableDef::new(
            "t",
            vec![
                ColumnDef::new("id", ColType::Long),
                ColumnDef::new("value", ColType::Long),
                ColumnDef::new("list", ColType::LongBinary),
            ],
        )
        .index(IndexDef::primary("pk", &["id"]))
        .index(IndexDef::new("by value", &["value"]));
        let mut session = Session::begin_session(&instance).unwrap();
        let table = catalog::create_table(&mut session, &attached, &def).unwrap();
        Store { instance, _attached: attached, table }
    }

    fn open(dir: &Path) -> Store {
        let instance = start(dir);
        let attached = instance.attach(&dir.join("a.edb")).unwrap();
        let session = Session::begin_session(&instance).unwrap();
        let table = catalog::open_table(&session, &attached, "t").unwrap();
        Store { instance, _attached: attached, table }
    }

    fn session(&self) -> Session {
        Session::begin_session(&self.instance).unwrap()
    }

    fn record(&self, id: i32, value: i32, list: &[u8]) -> Vec<u8> {
        let (id, value, mut record) = (id.to_le_bytes(), value.to_le_bytes(), Vec::new());
        let list = Some(list).filter(|list| !list.is_empty());
        let row = [(ID, Some(&id[..])), (VALUE, Some(&value[..])), (LIST, list)];
        encode_row(&self.table.schema, &row, &mut record).unwrap();
        record
    }

    fn insert(&self, session: &mut Session, id: i32, value: i32) -> Result<()> {
        let (record, at) = (self.record(id, value, &[]), &mut Position::default());
        self.table.insert(session, at, &record, &mut Vec::new())
    }

    fn replace(&self, session: &mut Session, id: i32, value: i32, list: &[u8]) -> Result<()> {
        let (record, at) = (self.record(id, value, list), &mut Position::default());
        self.table.replace(session, at, &key(id), &record)
    }

    fn read(&self, session: &Session, id: i32) -> Option<(i32, Vec<u8>)> {
        let columns = &self.table.schema.columns;
        let read = |record: &[u8]| {
            let view = RecordView::new(record, self.table.schema.page_size).unwrap();
            let column = |id| {
                let column = columns.require(id).unwrap();
                view.data(column).unwrap().first(column).unwrap().map(<[u8]>::to_vec)
            };
            let value = i32::from_le_bytes(column(VALUE).unwrap().try_into().unwrap());
            (value, column(LIST).unwrap_or_default())
        };
        self.table.get(session, &key(id), read).unwrap()
    }

    fn all(&self, session: &Session) -> BTreeMap<i32, i32> {
        let (mut rows, mut at) = (BTreeMap::new(), Position::default());
        let visit = |row: ese_engine::table::RowRef<'_>| {
            let number = |at: usize| i32::from_le_bytes(row.record[at..at + 4].try_into().unwrap());
            rows.insert(number(4), number(8));
            ControlFlow::Continue(())
        };
        self.table.scan(session, Start::End, Direction::Forward, &mut at, visit).unwrap();
        rows
    }

    /// How many rows the index shows for a value.
    fn with_value(&self, session: &Session, value: i32) -> i32 {
        let (mut count, mut at) = (0, Position::default());
        let index = self.table.index("by value").unwrap();
        let wanted = key(value);
        let start = Start::At { key: &wanted, data: &[] };
        let visit = |entry: ese_engine::table::EntryRef<'_>| {
            let mut found = Vec::new();
            entry.append_key(&mut found);
            if found != wanted {
                return ControlFlow::Break(());
            }
            count += 1;
            ControlFlow::Continue(())
        };
        self.table.scan_index(session, index, start, Direction::Forward, &mut at, visit).unwrap();
        count
    }

    fn end(self) {
        assert_eq!(self.table.check_indexes(&self.session()).unwrap(), []);
        let instance = Arc::clone(&self.instance);
        drop(self);
        instance.terminate(TermMode::Clean).unwrap();
    }
}

fn key(id: i32) -> Vec<u8> {
    [&[0x7f][..], &(id.cast_unsigned() ^ 0x8000_0000).to_be_bytes()].concat()
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Read(i32),
    /// Read, under a read lock.
    ReadLocked(i32),
    Write(i32, i32),
    /// Write what was read last, plus one.
    WriteNext(i32),
    Insert(i32, i32),
    /// Count the rows with a value, by the index.
    Count(i32),
    Commit,
    Abort,
}

use Step::{Abort, Commit, Count, Insert, Read, ReadLocked, Write, WriteNext};

/// What one interleaving came to.
#[derive(Debug)]
struct Outcome {
    /// What each transaction read, in order.
    reads: Vec<Vec<i32>>,
    committed: Vec<bool>,
    rows: BTreeMap<i32, i32>,
}

/// Every order in which the steps of transactions can follow each other.
fn interleavings(counts: &mut Vec<usize>, order: &mut Vec<usize>, visit: &mut dyn FnMut(&[usize])) {
    if counts.iter().all(|count| *count == 0) {
        return visit(order);
    }
    for at in 0..counts.len() {
        if counts[at] > 0 {
            counts[at] -= 1;
            order.push(at);
            interleavings(counts, order, visit);
            order.pop();
            counts[at] += 1;
        }
    }
}

/// Runs transactions in one order. A conflict ends a transaction.
fn run(store: &Store, scripts: &[&[Step]], order: &[usize]) -> Outcome {
    let mut sessions: Vec<Option<Session>> = scripts.iter().map(|_| None).collect();
    let mut next = vec![0; scripts.len()];
    let mut outcome = Outcome {
        reads: vec![Vec::new(); scripts.len()],
        committed: vec![false; scripts.len()],
        rows: BTreeMap::new(),
    };
    for &at in order {
        let step = scripts[at][next[at]];
        next[at] += 1;
        if next[at] == 1 {
            let mut session = store.session();
            session.begin().unwrap();
            sessions[at] = Some(session);
        }
        let Some(session) = sessions[at].as_mut() else { continue };
        let reads = &mut outcome.reads[at];
        let done = match step {
            Read(id) => {
                reads.push(store.read(session, id).map_or(0, |row| row.0));
                Ok(())
            }
            ReadLocked(id) => {
                let mut cursor = Cursor::new(Arc::clone(&store.table));
                cursor.go_to(session, &key(id)).unwrap();
                let locked = cursor.lock(session, Lock::Read);
                reads.push(store.read(session, id).map_or(0, |row| row.0));
                locked
            }
            Write(id, value) => store.replace(session, id, value, &[]),
            WriteNext(id) => store.replace(session, id, reads.last().unwrap() + 1, &[]),
            Insert(id, value) => store.insert(session, id, value),
            Count(value) => {
                reads.push(store.with_value(session, value));
                Ok(())
            }
            Commit => {
                outcome.committed[at] = true;
                session.commit(Durability::Lazy)
            }
            Abort => session.rollback(),
        };
        if let Err(error) = done {
            assert_eq!(error.code(), JetErr::WriteConflict, "{step:?}: {error}");
            session.rollback().unwrap();
            sessions[at] = None;
        }
    }
    drop(sessions);
    outcome.rows = store.all(&store.session());
    outcome
}

/// Runs a scenario in every order, from rows (1, 10) and (2, 20). Gives the number of orders.
fn scenario(scripts: &[&[Step]], mut judge: impl FnMut(&Outcome)) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(dir.path());
    let mut session = store.session();
    let mut orders = 0;
    let mut counts: Vec<usize> = scripts.iter().map(|script| script.len()).collect();
    interleavings(&mut counts, &mut Vec::new(), &mut |order| {
        orders += 1;
        session.begin().unwrap();
        for id in store.all(&session).into_keys() {
            store.table.delete(&mut session, &mut Position::default(), &key(id)).unwrap();
        }
        for (id, value) in [(1, 10), (2, 20)] {
            store.insert(&mut session, id, value).unwrap();
        }
        session.commit(Durability::Lazy).unwrap();
        let outcome = run(&store, scripts, order);
        judge(&outcome);
    });
    drop(session);
    store.end();
    orders
}

fn pair(rows: &BTreeMap<i32, i32>) -> (i32, i32) {
    (rows[&1], rows[&2])
}

#[test]
fn g0_no_write_lands_between_another_transactions_writes() {
    let one = [Write(1, 11), Write(2, 21), Commit];
    let two = [Write(1, 12), Write(2, 22), Commit];
    let orders = scenario(&[&one, &two], |outcome| {
        let rows = pair(&outcome.rows);
        let winner = [(11, 21), (12, 22)].iter().position(|wanted| *wanted == rows);
        assert!(winner.is_some_and(|winner| outcome.committed[winner]), "{outcome:?}");
    });
    assert_eq!(orders, 20);
}

#[test]
fn g1a_nobody_reads_what_is_taken_back() {
    scenario(&[&[Write(1, 101), Abort], &[Read(1), Read(1), Count(101), Commit]], |outcome| {
        assert_eq!(outcome.reads[1], [10, 10, 0], "{outcome:?}");
        assert_eq!(pair(&outcome.rows), (10, 20));
    });
}

#[test]
fn g1b_nobody_reads_what_its_writer_overwrote() {
    let writer = [Write(1, 101), Write(1, 11), Commit];
    scenario(&[&writer, &[Read(1), Count(101), Read(1), Commit]], |outcome| {
        let reads = &outcome.reads[1];
        assert!([[10, 0, 10], [11, 0, 11]].iter().any(|wanted| reads == wanted), "{outcome:?}");
    });
}

#[test]
fn g1c_two_transactions_never_read_each_others_writes() {
    let one = [Write(1, 11), Read(2), Commit];
    let two = [Write(2, 22), Read(1), Commit];
    scenario(&[&one, &two], |outcome| {
        assert!(!(outcome.reads[0] == [22] && outcome.reads[1] == [11]), "{outcome:?}");
    });
}

#[test]
fn otv_an_observed_transaction_does_not_vanish() {
    let one = [Write(1, 11), Write(2, 19), Commit];
    let two = [Write(1, 12), Write(2, 18), Commit];
    let reader = [Read(1), Read(2), Read(1), Read(2)];
    let orders = scenario(&[&one, &two, &reader], |outcome| {
        let reads = &outcome.reads[2];
        assert_eq!(reads[..2], reads[2..], "{outcome:?}");
        assert!([[10, 20], [11, 19], [12, 18]].iter().any(|w| reads[..2] == *w), "{outcome:?}");
    });
    assert_eq!(orders, 4200);
}

#[test]
fn pmp_a_predicate_is_answered_from_one_snapshot() {
    let reader = [Count(30), Read(1), Count(30), Count(20), Commit];
    let writer = [Insert(3, 30), Write(2, 30), Commit];
    scenario(&[&reader, &writer], |outcome| {
        let reads = &outcome.reads[0];
        assert!(*reads == [0, 10, 0, 1] || *reads == [2, 10, 2, 0], "{outcome:?}");
    });
}

#[test]
fn p4_no_update_is_lost() {
    let add = [Read(1), WriteNext(1), Commit];
    let orders = scenario(&[&add, &add, &add], |outcome| {
        let committed = outcome.committed.iter().filter(|committed| **committed).count();
        assert!(committed > 0, "the first writer wins: {outcome:?}");
        assert_eq!(outcome.rows[&1], 10 + i32::try_from(committed).unwrap(), "{outcome:?}");
    });
    assert_eq!(orders, 1680);
}

#[test]
fn g_single_no_read_skew() {
    let reader = [Read(1), Count(18), Read(2), Commit];
    let writer = [Read(1), Read(2), Write(1, 12), Write(2, 18), Commit];
    scenario(&[&reader, &writer], |outcome| {
        let reads = &outcome.reads[0];
        assert!(*reads == [10, 0, 20] || *reads == [12, 1, 18], "{outcome:?}");
    });
}

#[test]
fn g2_write_skew_is_possible_and_read_locks_prevent_it() {
    let skewed = |outcome: &Outcome| {
        outcome.committed == [true, true] && outcome.reads.iter().all(|reads| reads[..] == [10, 20])
    };
    let mut seen = 0;
    let one = [Read(1), Read(2), Write(1, 11), Commit];
    let two = [Read(1), Read(2), Write(2, 21), Commit];
    scenario(&[&one, &two], |outcome| seen += usize::from(skewed(outcome)));
    assert!(seen > 0, "snapshot isolation allows it");
    let one = [ReadLocked(1), ReadLocked(2), Write(1, 11), Commit];
    let two = [ReadLocked(1), ReadLocked(2), Write(2, 21), Commit];
    let mut both = 0;
    scenario(&[&one, &two], |outcome| {
        assert!(!skewed(outcome), "{outcome:?}");
        both += usize::from(outcome.committed == [true, true]);
    });
    assert!(both > 0, "one after the other is possible");
}

/// A small generator: each thread has its own.
struct Rng(u64);

impl Rng {
    fn below(&mut self, bound: i32) -> i32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        i32::try_from((self.0 >> 33) % u64::try_from(bound).unwrap()).unwrap()
    }
}

/// Runs a transaction until it has no conflict.
fn retry<T>(session: &mut Session, mut body: impl FnMut(&mut Session) -> Result<T>) -> T {
    loop {
        session.begin().unwrap();
        let refused = match body(session)
            .and_then(|value| session.commit(Durability::Lazy).map(|()| value))
        {
            Ok(value) => return value,
            Err(error) => error,
        };
        let expected = [JetErr::WriteConflict, JetErr::KeyDuplicate];
        assert!(expected.contains(&refused.code()), "{refused}");
        session.rollback().unwrap();
    }
}

const THREADS: u64 = 8;

#[test]
fn a_bank_of_eight_threads_never_shows_another_total() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(dir.path());
    let mut session = store.session();
    retry(&mut session, |s| (0..20).try_for_each(|id| store.insert(s, id, 100)));
    std::thread::scope(|scope| {
        for seed in 0..THREADS {
            let (store, mut session, mut rng) = (&store, store.session(), Rng(seed));
            scope.spawn(move || {
                for round in 0..300 {
                    if round % 3 == 0 {
                        session.begin_read_only().unwrap();
                        assert_eq!(store.all(&session).values().sum::<i32>(), 2000);
                        session.commit(Durability::Lazy).unwrap();
                        continue;
                    }
                    let (from, to, sum) = (rng.below(20), rng.below(20), rng.below(30));
                    retry(&mut session, |session| {
                        let have = store.read(session, from).unwrap().0;
                        store.replace(session, from, have - sum, &[])?;
                        let have = store.read(session, to).unwrap().0;
                        store.replace(session, to, have + sum, &[])
                    });
                }
            });
        }
    });
    assert_eq!(store.all(&session).values().sum::<i32>(), 2000);
    drop(session);
    store.end();
}

#[test]
fn a_counter_of_eight_threads_gives_every_number_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(dir.path());
    let mut session = store.session();
    retry(&mut session, |session| store.insert(session, 0, 0));
    let taken = Mutex::new(BTreeSet::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            let (store, mut session, taken) = (&store, store.session(), &taken);
            scope.spawn(move || {
                for _ in 0..100 {
                    let number = retry(&mut session, |session| {
                        let number = store.read(session, 0).unwrap().0 + 1;
                        store.replace(session, 0, number, &[])?;
                        store.insert(session, number, 1).map(|()| number)
                    });
                    assert!(taken.lock().unwrap().insert(number), "{number} was given twice");
                }
            });
        }
    });
    assert_eq!(*taken.lock().unwrap(), (1..=800).collect());
    assert_eq!(store.with_value(&session, 1), 800);
    drop(session);
    store.end();
}

/// One committed transaction of the list-append history.
#[derive(Debug, Default)]
struct Entry {
    appended: Vec<(i32, i32)>,
    /// What it saw of a list, before its own appending.
    seen: Vec<(i32, Vec<i32>)>,
}

fn elements(list: &[u8]) -> Vec<i32> {
    list.chunks(4).map(|bytes| i32::from_le_bytes(bytes.try_into().unwrap())).collect()
}

/// The graph of a history: who must come before whom, by writes and reads, and by what a reader
/// did not see yet.
fn check_history(history: &[Entry], lists: &HashMap<i32, Vec<i32>>) {
    let writer: HashMap<i32, usize> = history
        .iter()
        .enumerate()
        .flat_map(|(at, entry)| entry.appended.iter().map(move |(_, element)| (*element, at)))
        .collect();
    let mut before: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); history.len()];
    let mut unseen = Vec::new();
    for list in lists.values() {
        for two in list.windows(2) {
            before[writer[&two[0]]].insert(writer[&two[1]]);
        }
    }
    for (at, entry) in history.iter().enumerate() {
        for (_, element) in &entry.appended {
            assert!(lists.values().flatten().any(|found| found == element), "{element} was lost");
        }
        for (list, seen) in &entry.seen {
            let whole = lists.get(list).map_or(&[][..], |list| list);
            assert!(whole.starts_with(seen), "list {list}: {seen:?} is no state of {whole:?}");
            if let Some(last) = seen.last() {
                before[writer[last]].insert(at);
            }
            if let Some(next) = whole.get(seen.len()) {
                unseen.push((at, writer[next]));
            }
        }
    }
    before.iter_mut().enumerate().for_each(|(at, edges)| _ = edges.remove(&at));
    let reaches = |from: usize, to: usize| {
        let (mut known, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(at) = open.pop() {
            if at == to {
                return true;
            }
            open.extend(before[at].iter().filter(|next| known.insert(**next)));
        }
        false
    };
    for (at, edges) in before.iter().enumerate() {
        assert!(!edges.iter().any(|next| reaches(*next, at)), "a cycle of writes and reads (G1c)");
    }
    for (reader, next) in unseen.into_iter().filter(|(reader, next)| reader != next) {
        assert!(!reaches(next, reader), "a cycle with one read of an older state (G-single)");
    }
}

#[test]
fn a_history_of_appends_on_eight_threads_with_crashes_has_no_forbidden_cycle() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::create(dir.path());
    let mut session = store.session();
    retry(&mut session, |s| (0..6).try_for_each(|id| store.insert(s, id, 0)));
    drop(session);
    let (element, history) = (AtomicI32::new(1), Mutex::new(Vec::new()));
    for round in 0..3 {
        let conflicts = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for seed in 0..THREADS {
                let (store, mut session) = (&store, store.session());
                let mut rng = Rng(seed + 100 * round);
                let (element, history, conflicts) = (&element, &history, &conflicts);
                scope.spawn(move || {
                    for _ in 0..60 {
                        let entry = retry(&mut session, |session| {
                            conflicts.fetch_add(1, Ordering::Relaxed);
                            let mut entry = Entry::default();
                            for _ in 0..3 {
                                let id = rng.below(6);
                                if entry.seen.iter().any(|(seen, _)| *seen == id) {
                                    continue;
                                }
                                let (value, mut list) = store.read(session, id).unwrap();
                                entry.seen.push((id, elements(&list)));
                                if rng.below(2) == 0 {
                                    let new = element.fetch_add(1, Ordering::Relaxed);
                                    list.extend_from_slice(&new.to_le_bytes());
                                    store.replace(session, id, value + 1, &list)?;
                                    entry.appended.push((id, new));
                                }
                            }
                            Ok(entry)
                        });
                        history.lock().unwrap().push(entry);
                    }
                });
            }
        });
        assert!(conflicts.into_inner() >= 480);
        // A crash with a transaction under way; what was acknowledged is in the log by then.
        let mut open = store.session();
        open.begin().unwrap();
        store.replace(&mut open, 0, -1, b"lost").unwrap();
        store.instance.log.as_ref().unwrap().flush_all().unwrap();
        store.instance.abandon();
        drop((open, store));
        store = Store::open(dir.path());
        let session = store.session();
        let lists = (0..6).map(|id| (id, elements(&store.read(&session, id).unwrap().1)));
        check_history(&history.lock().unwrap(), &lists.collect());
    }
    store.end();
}
