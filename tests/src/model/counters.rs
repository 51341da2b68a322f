//! Columns that count: numbers of rows, versions, and sums to which sessions add at once, against a
//! model in memory.
//!
//! Additions commute, other changes of a row do not: what a session sees of a sum is what its
//! snapshot had, and its own additions. A row whose stock ends at zero goes some time after nobody
//! can see another number in it; until then it may be read, and brought back by an addition. Such a
//! row alone may be there or not.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use ese_api::Instance;
use ese_base::{JetErr, PageSize, Result};
use ese_engine::{
    catalog,
    cursor::{Cursor, Prepare},
    instance::Attached,
    key,
    record::RecordView,
    schema::{ColType, ColumnDef, ColumnFlags, IndexDef, TableDef, TableSchema},
    session::{Durability, Session},
    table::{OnRollback, Sharing, Table},
};
use ese_os::Env;
use ese_sim::{Random, SimEnv};

use super::machine::{Checked, in_words};
use crate::sim::Settings;

const SESSIONS: usize = 4;
const DIR: &str = "/counters";
/// Steps from one reopening to the next, on average.
const EPOCH: u64 = 400;
/// Rows that sessions look for: the last ones, so that they meet.
const NEAR: u64 = 12;
const TABLE: &str = "counts";
/// Stock of a new row.
const STOCK: i32 = 3;

/// A row: its number, its version, and what was added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts {
    number: i32,
    version: i32,
    sum: i32,
    stock: i32,
}

/// Columns of the table, in this order.
const COLUMNS: [&str; 5] = ["k", "number", "version", "sum", "stock"];

/// Who changed a row last, as others see it.
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    write: u64,
    addition: u64,
}

/// An open transaction.
#[derive(Debug)]
struct Open {
    /// The last commit in its snapshot.
    began: u64,
    /// What it sees, its own changes included.
    sees: BTreeMap<i32, Counts>,
    /// Rows that it made, replaced or deleted.
    written: BTreeSet<i32>,
    /// What it added to rows.
    added: BTreeMap<i32, (i32, i32)>,
}

#[derive(Debug)]
struct Actor {
    session: Session,
    open: Option<Open>,
}

/// The engine, the model, and the dice.
#[derive(Debug)]
pub struct Counters {
    settings: Settings,
    random: Random,
    env: Env,
    instance: Option<Instance>,
    attached: Option<Arc<Attached>>,
    actors: Vec<Actor>,
    committed: BTreeMap<i32, Counts>,
    last: BTreeMap<i32, Last>,
    commits: u64,
    /// The key of the next new row; none is used again.
    next_key: i32,
    /// The last number that a row was given since the start.
    highest: i32,
    /// How often a session stood in another's way.
    refusals: u64,
    /// How often additions ended at zero.
    ended: u64,
}

fn definition() -> TableDef {
    let column = |name: &str| ColumnDef::new(name, ColType::Long);
    let added = |name: &str, first: i32, ends| {
        let flags = ColumnFlags::ESCROW_UPDATE | ends;
        column(name).with(flags).with_default(&first.to_le_bytes())
    };
    let columns = vec![
        column("k").with(ColumnFlags::NOT_NULL),
        column("number").with(ColumnFlags::AUTOINCREMENT),
        column("version").with(ColumnFlags::VERSION),
        added("sum", 0, ColumnFlags::empty()),
        added("stock", STOCK, ColumnFlags::DELETE_ON_ZERO),
    ];
    TableDef::new(TABLE, columns).index(IndexDef::primary("p", &["k"]))
}

fn decode(schema: &TableSchema, record: &RecordView<'_>) -> Result<Counts> {
    let mut values = [0; 4];
    for (value, name) in values.iter_mut().zip(&COLUMNS[1..]) {
        let column = schema.column(name)?;
        let bytes = record.data(column)?.first(column)?.unwrap_or_default();
        *value = i32::from_le_bytes(bytes.try_into().unwrap_or_default());
    }
    let [number, version, sum, stock] = values;
    Ok(Counts { number, version, sum, stock })
}

fn bookmark(table: &Table, k: i32) -> Result<Vec<u8>> {
    let mut key = Vec::new();
    let none = || ese_base::Error::new(JetErr::NoCurrentIndex, "no primary index");
    let index = table.schema.primary().ok_or_else(none)?;
    key::values_key(&table.schema, index, &[Some(&k.to_le_bytes())], &mut key)?;
    Ok(key)
}

fn read(table: &Table, session: &Session, k: i32) -> Result<Option<Counts>> {
    let page_size = table.db.page_size();
    let decoded = table.get(session, &bookmark(table, k)?, |record| {
        decode(&table.schema, &RecordView::new(record, page_size)?)
    })?;
    decoded.transpose()
}

impl Counters {
    /// An empty table.
    ///
    /// # Errors
    /// What went wrong, in words.
    pub fn new(seed: u64, page_size: PageSize) -> Checked<Counters> {
        let (env, _) = SimEnv::new(seed);
        let mut counters = Counters {
            settings: Settings { background_one_of: 0, ..Settings::new(page_size) },
            random: Random::new(seed),
            env,
            instance: None,
            attached: None,
            actors: Vec::new(),
            committed: BTreeMap::new(),
            last: BTreeMap::new(),
            commits: 0,
            next_key: 0,
            highest: 0,
            refusals: 0,
            ended: 0,
        };
        counters.start()?;
        let mut session = counters.session()?;
        let attached = counters.attached.clone().ok_or("the database is not attached")?;
        session.begin().map_err(in_words)?;
        catalog::create_table(&mut session, &attached, &definition()).map_err(in_words)?;
        session.commit(Durability::Durable).map_err(in_words)?;
        Ok(counters)
    }

    fn start(&mut self) -> Checked {
        self.open_store().map_err(|error| format!("starting: {error}"))?;
        for _ in 0..SESSIONS {
            let session = self.session()?;
            self.actors.push(Actor { session, open: None });
        }
        Ok(())
    }

    fn open_store(&mut self) -> Result<()> {
        let instance = self.settings.start(&self.env, DIR)?;
        drop(instance.open_or_create_database(Path::new(DIR).join("a.edb"))?);
        self.attached = instance.engine().databases().pop();
        self.instance = Some(instance);
        Ok(())
    }

    fn session(&self) -> Checked<Session> {
        let instance = self.instance.as_ref().ok_or("the instance has ended")?;
        Session::begin_session(instance.engine()).map_err(in_words)
    }

    /// Makes so many steps, and checks everything now and then and at the end. Gives how often a
    /// session stood in another's way, and how many rows ended at zero.
    ///
    /// # Errors
    /// What went wrong, in words.
    pub fn run(mut self, steps: u64) -> Checked<(u64, u64)> {
        for step in 0..steps {
            let done = match self.random.below(EPOCH) {
                0 => self.point(),
                1..30 => self.chore(),
                _ => {
                    let at = self.random.index(SESSIONS);
                    self.turn(at)
                }
            };
            done.map_err(|reason| format!("step {step}: {reason}"))?;
        }
        self.point()?;
        Ok((self.refusals, self.ended))
    }

    fn chore(&mut self) -> Checked {
        let instance = self.instance.as_ref().ok_or("the instance has ended")?;
        instance.engine().background_step().map_err(in_words)
    }

    /// Ends the store, one way or the other, and looks what there is when it starts again.
    fn point(&mut self) -> Checked {
        self.actors.clear();
        self.attached = None;
        match self.instance.take() {
            Some(instance) if self.random.chance(1, 2) => instance.stop().map_err(in_words)?,
            Some(instance) => instance.abandon(),
            None => {}
        }
        self.last.clear();
        self.start()?;
        let (session, table) = (self.session()?, self.table()?);
        self.highest = 0;
        for k in 0..self.next_key {
            let found = read(&table, &session, k).map_err(in_words)?;
            let expected = self.committed.get(&k).copied();
            if found.is_none() && expected.is_some_and(|row| row.stock == 0) {
                self.committed.remove(&k);
            } else if found != expected {
                return Err(format!("row {k} is {found:?}, not {expected:?}"));
            }
        }
        Ok(())
    }

    fn table(&self) -> Checked<Arc<Table>> {
        let attached = self.attached.as_ref().ok_or("the database is not attached")?;
        catalog::open_table(&self.session()?, attached, TABLE).map_err(in_words)
    }

    fn turn(&mut self, at: usize) -> Checked {
        if self.actors[at].open.is_none() {
            self.actors[at].session.begin().map_err(in_words)?;
            let open = Open {
                began: self.commits,
                sees: self.committed.clone(),
                written: BTreeSet::new(),
                added: BTreeMap::new(),
            };
            self.actors[at].open = Some(open);
            return Ok(());
        }
        match self.random.below(100) {
            0..14 => self.commit(at),
            14..20 => {
                self.actors[at].open = None;
                self.actors[at].session.rollback().map_err(in_words)
            }
            20..34 => self.insert(at),
            34..46 => self.write(at, false),
            46..52 => self.write(at, true),
            52..88 => self.add(at),
            _ => self.look(at),
        }
    }

    fn open(&mut self, at: usize) -> Checked<&mut Open> {
        self.actors[at].open.as_mut().ok_or_else(|| "no transaction is open".to_owned())
    }

    fn commit(&mut self, at: usize) -> Checked {
        self.actors[at].session.commit(Durability::Durable).map_err(in_words)?;
        let Some(open) = self.actors[at].open.take() else { return Ok(()) };
        self.commits += 1;
        for k in &open.written {
            self.last.entry(*k).or_default().write = self.commits;
            match open.sees.get(k) {
                Some(row) => drop(self.committed.insert(*k, *row)),
                None => drop(self.committed.remove(k)),
            }
        }
        for (k, (sum, stock)) in &open.added {
            if open.written.contains(k) {
                continue;
            }
            self.last.entry(*k).or_default().addition = self.commits;
            let row = self.committed.get_mut(k);
            let row = row.ok_or_else(|| format!("row {k}, which was added to, is gone"))?;
            (row.sum, row.stock) = (row.sum + sum, row.stock + stock);
            self.ended += u64::from(row.stock == 0);
        }
        Ok(())
    }

    /// Does another transaction stand in the way of this one?
    fn is_hindered(&self, at: usize, k: i32, adds: bool) -> bool {
        let last = self.last.get(&k).copied().unwrap_or_default();
        let Some(own) = &self.actors[at].open else { return false };
        let others = self.actors.iter().enumerate().filter(|(other, _)| *other != at);
        let open = others
            .filter_map(|(_, other)| other.open.as_ref())
            .any(|other| other.written.contains(&k) || !adds && other.added.contains_key(&k));
        open || last.write > own.began || !adds && last.addition > own.began
    }

    /// A row that the session sees, if it picks one, and whether it may be gone nevertheless.
    fn pick(&mut self, at: usize) -> Checked<Option<(i32, Counts, bool)>> {
        let k = self.next_key - 1 - i32::try_from(self.random.below(NEAR)).unwrap_or(0);
        let open = self.open(at)?;
        let Some(row) = open.sees.get(&k).copied() else { return Ok(None) };
        let own = open.written.contains(&k) || open.added.contains_key(&k);
        Ok(Some((k, row, row.stock == 0 && !own)))
    }

    /// Compares an outcome with what must come of it. True: it succeeded.
    fn judge<T>(
        &mut self,
        what: &str,
        done: &Result<T>,
        hindered: bool,
        may: bool,
    ) -> Checked<bool> {
        let code = done.as_ref().err().map(ese_base::Error::code);
        self.refusals += u64::from(code.is_some());
        match code {
            None if hindered && !may => Err(format!("{what} succeeded over another's change")),
            None => Ok(true),
            Some(JetErr::WriteConflict) if hindered || may => Ok(false),
            Some(JetErr::RecordDeleted | JetErr::NoCurrentRecord) if may => Ok(false),
            Some(code) => {
                Err(format!("{what}: {code:?}, hindered: {hindered}, may be gone: {may}"))
            }
        }
    }

    fn insert(&mut self, at: usize) -> Checked {
        let taken = if self.random.chance(1, 8) { self.pick(at)? } else { None };
        let taken = taken.filter(|(.., may_be_gone)| !may_be_gone).map(|(k, ..)| k);
        let k = taken.unwrap_or(self.next_key);
        let table = self.table()?;
        let mut number = 0;
        let session = &mut self.actors[at].session;
        let done =
            Cursor::open(session, Arc::clone(&table), Sharing::default()).and_then(|mut on| {
                on.prepare(session, Prepare::Insert)?;
                let copy = on.copy()?;
                number = decode(&table.schema, &copy.view(&table.schema)?)?.number;
                copy.set(&table.schema, table.schema.column("k")?.id, Some(&k.to_le_bytes()))?;
                on.update(session)
            });
        // After a start numbers go on behind the highest of the rows that are there.
        let there = self.committed.values().filter(|row| row.stock != 0).map(|row| row.number);
        let highest = there.max().unwrap_or(0).max(self.highest);
        if number <= highest {
            return Err(format!("number {number} was given after {highest}"));
        }
        self.highest = number;
        let code = done.as_ref().err().map(ese_base::Error::code);
        match (taken, code) {
            (Some(_), Some(JetErr::KeyDuplicate)) => Ok(()),
            (None, None) => {
                self.next_key += 1;
                let open = self.open(at)?;
                open.sees.insert(k, Counts { number, version: 0, sum: 0, stock: STOCK });
                open.written.insert(k);
                Ok(())
            }
            _ => Err(format!("row {k} is inserted, {taken:?} is there: {code:?}")),
        }
    }

    /// Replaces or deletes a row.
    fn write(&mut self, at: usize, deletes: bool) -> Checked {
        let Some((k, row, may)) = self.pick(at)? else { return Ok(()) };
        let (hindered, table) = (self.is_hindered(at, k, false), self.table()?);
        let session = &mut self.actors[at].session;
        let done =
            Cursor::open(session, Arc::clone(&table), Sharing::default()).and_then(|mut on| {
                on.go_to(session, &bookmark(&table, k)?)?;
                if deletes {
                    return on.delete(session);
                }
                on.prepare(session, Prepare::Replace)?;
                on.update(session).map(drop)
            });
        let what = format!("a change of row {k}");
        if self.judge(&what, &done, hindered, may)? {
            let open = self.open(at)?;
            open.written.insert(k);
            match deletes {
                true => drop(open.sees.remove(&k)),
                false => drop(open.sees.insert(k, Counts { version: row.version + 1, ..row })),
            }
        }
        Ok(())
    }

    fn add(&mut self, at: usize) -> Checked {
        let Some((k, row, may)) = self.pick(at)? else { return Ok(()) };
        let stock = self.random.chance(2, 3);
        let some = i32::try_from(self.random.below(7)).unwrap_or(0) - 3;
        let delta = if stock && self.random.chance(1, 2) { -row.stock } else { some };
        let (hindered, table) = (self.is_hindered(at, k, true), self.table()?);
        let session = &mut self.actors[at].session;
        let column = if stock { "stock" } else { "sum" };
        let done =
            Cursor::open(session, Arc::clone(&table), Sharing::default()).and_then(|mut on| {
                on.go_to(session, &bookmark(&table, k)?)?;
                let column = table.schema.column(column)?.id;
                on.add(session, (column, i64::from(delta)), OnRollback::Undo)
            });
        let what = format!("an addition of {delta} to {column} of row {k}");
        if self.judge(&what, &done, hindered, may)? {
            let before = if stock { row.stock } else { row.sum };
            if done.as_ref().ok() != Some(&i64::from(before)) {
                return Err(format!("{what} found {done:?}, not {before}"));
            }
            let (sum, stock) = if stock { (0, delta) } else { (delta, 0) };
            let open = self.open(at)?;
            let added = open.added.entry(k).or_default();
            (added.0, added.1) = (added.0 + sum, added.1 + stock);
            open.sees.insert(k, Counts { sum: row.sum + sum, stock: row.stock + stock, ..row });
        }
        Ok(())
    }

    fn look(&mut self, at: usize) -> Checked {
        let Some((k, row, may)) = self.pick(at)? else { return Ok(()) };
        let table = self.table()?;
        match read(&table, &self.actors[at].session, k).map_err(in_words)? {
            Some(found) if found == row => Ok(()),
            None if may => Ok(()),
            found => Err(format!("row {k} is {found:?}, not {row:?}")),
        }
    }
}
