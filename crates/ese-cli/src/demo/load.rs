//! Loading from several threads, held back where the story needs writers at work.

use std::{
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use ese_api::{Database, Env, Error, Inserter, Instance, Result, Session};
use ese_os::{File, OpenMode};

use super::records::Dataset;

/// How far the loading has come. Units are handed out in order, up to a limit that the story
/// raises.
#[derive(Debug)]
pub(super) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
    notes: Option<Notes>,
}

/// A file of the numbers of the units that are durable, a line each.
#[derive(Debug)]
pub(super) struct Notes {
    file: Arc<dyn File>,
    /// Bytes that are written.
    len: Mutex<u64>,
}

impl Notes {
    /// Creates the file.
    pub(super) fn create(env: &Env, path: &Path) -> Result<Notes> {
        Ok(Notes { file: env.fs.open(path, OpenMode::CreateNew)?, len: Mutex::new(0) })
    }

    fn add(&self, unit: usize) -> Result<()> {
        let line = format!("{unit}\n");
        let mut len = self.len.lock().unwrap_or_else(PoisonError::into_inner);
        self.file.write_at(line.as_bytes(), *len)?;
        *len += u64::try_from(line.len()).unwrap_or(0);
        Ok(())
    }
}

#[derive(Debug, Default)]
struct State {
    next: usize,
    limit: usize,
    units: usize,
    rows_done: u64,
    units_done: usize,
    failed: Option<Error>,
    stopped: bool,
}

impl State {
    /// Will nothing more be committed, unless the limit is raised?
    fn is_idle(&self) -> bool {
        self.failed.is_some() || self.stopped || self.units_done >= self.limit.min(self.units)
    }
}

impl Gate {
    /// Nothing may be loaded yet. What will be durable is written into `notes`.
    pub(super) fn new(units: usize, notes: Option<Notes>) -> Gate {
        let state = State { units, ..State::default() };
        Gate { state: Mutex::new(state), changed: Condvar::new(), notes }
    }

    /// Nothing panics with the lock held.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets units below this one be loaded.
    pub(super) fn open_up_to(&self, limit: usize) {
        let mut state = self.lock();
        state.limit = state.limit.max(limit);
        drop(state);
        self.changed.notify_all();
    }

    /// No further unit is handed out.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    /// Rows of committed units.
    pub(super) fn rows_done(&self) -> u64 {
        self.lock().rows_done
    }

    /// Waits until so many rows are committed, or nothing more can be. After every commit `go_on`
    /// is told how many are; when it says no, no further unit is handed out. It must not use the
    /// gate, which is locked.
    pub(super) fn wait_for_rows(&self, rows: u64, mut go_on: impl FnMut(u64) -> bool) {
        let mut state = self.lock();
        while state.rows_done < rows && !state.is_idle() {
            if !go_on(state.rows_done) {
                state.stopped = true;
                drop(state);
                self.changed.notify_all();
                return;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The first failure of a loader.
    pub(super) fn failure(&self) -> Option<Error> {
        self.lock().failed.take()
    }

    /// The next unit, as soon as it may be loaded; `None` at the end.
    fn next(&self) -> Option<usize> {
        let mut state = self.lock();
        loop {
            if state.failed.is_some() || state.stopped || state.next == state.units {
                return None;
            }
            if state.next < state.limit {
                state.next += 1;
                return Some(state.next - 1);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A unit of so many rows is durable.
    fn done(&self, unit: usize, rows: u64) -> Result<()> {
        if let Some(notes) = &self.notes {
            notes.add(unit)?;
        }
        let mut state = self.lock();
        state.units_done += 1;
        state.rows_done += rows;
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    fn fail(&self, error: Error) {
        let mut state = self.lock();
        state.failed.get_or_insert(error);
        drop(state);
        self.changed.notify_all();
    }
}

/// Creates the tables of a dataset, all or none.
pub(super) fn create_tables(
    instance: &Instance,
    database: &Database,
    data: &Dataset,
) -> Result<()> {
    let mut session = instance.session()?;
    let mut transaction = session.begin()?;
    for spec in &data.tables {
        database.create_table(&mut transaction, spec.table.clone())?;
    }
    transaction.commit()
}

/// One of the loading threads: each unit is one durable transaction.
pub(super) fn load(instance: &Instance, database: &Database, data: &Dataset, gate: &Gate) {
    if let Err(error) = load_units(instance, database, data, gate) {
        gate.fail(error);
    }
}

fn load_units(instance: &Instance, database: &Database, data: &Dataset, gate: &Gate) -> Result<()> {
    let mut session = instance.session()?;
    let mut inserters = inserters(&session, database, data)?;
    while let Some(number) = gate.next() {
        let Some(unit) = data.units.get(number) else { break };
        let mut transaction = session.begin()?;
        for (table, row) in &unit.rows {
            if let Some(inserter) = inserters.get_mut(*table) {
                let fields: Vec<Option<&[u8]>> = row.iter().map(Option::as_deref).collect();
                inserter.insert(&mut transaction, &fields)?;
            }
        }
        transaction.commit()?;
        gate.done(number, unit.len())?;
    }
    Ok(())
}

fn inserters(session: &Session, database: &Database, data: &Dataset) -> Result<Vec<Inserter>> {
    let open = |spec: &super::records::TableSpec| {
        let columns: Vec<&str> = spec.columns.iter().map(String::as_str).collect();
        database.table(session, spec.name)?.inserter(&columns)
    };
    data.tables.iter().map(open).collect()
}
