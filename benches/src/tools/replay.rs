//! How fast a crash is recovered: from the start of the instance until its databases are clean on
//! the disk. The files, logs and database, are in the page cache, and so they are after a crash of
//! the process alone.
//!
//! The log is that of an ordinary load: updates, inserts and deletes of random rows, a thousand a
//! transaction, the last of which did not commit. No changed page had been written.

use std::{
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use ese_api::{
    ColType, ColumnDef, ColumnId, Inserter, Instance, LgPos, Placement, Table, TableBuilder,
    Transaction, Values, Writer,
};

use crate::{
    child::{Figures, Scale, mebibytes, settle},
    engines::ese::{LOAD_BATCH, start},
    rows::{Key, Rows, key, mix},
    store::Result,
    tables::median,
};

/// Recoveries; the median counts.
const ROUNDS: usize = 3;
/// Bytes of a log file of the instances that are measured, and of a segment of it.
const LOG_FILE: u64 = 32 << 20;
const SEGMENT: u64 = 4096;
const DATABASE: &str = "rows.edb";
const TABLE: &str = "rows";
/// Changes of a transaction.
const BATCH: u64 = LOAD_BATCH as u64;

/// Where the files of the crash are kept.
pub(super) fn crashed(folder: &Path) -> PathBuf {
    folder.join("crashed")
}

pub(super) fn measure(folder: &Path, scale: Scale, figures: &mut Figures) -> Result<()> {
    // In another folder than where it happened: the copies are to be recovered, not the original.
    let (home, crashed) = (folder.join("crash"), crashed(folder));
    fs::create_dir(&home)?;
    let expected = crash(&home, scale.rows)?;
    fs::rename(&home, &crashed)?;
    let (mut rates, mut bytes) = (Vec::new(), 0);
    for round in 0..ROUNDS {
        let copy = folder.join(format!("recovered-{round}"));
        let status = Command::new("cp").arg("-r").args([&crashed, &copy]).status()?;
        if !status.success() {
            return Err(format!("cp: {status}").into());
        }
        settle(folder)?;
        let begin = Instant::now();
        let instance = start(&copy)?;
        let seconds = begin.elapsed().as_secs_f64();
        let report = instance.recovery_report().ok_or("nothing was recovered")?;
        bytes = bytes_between(report.from, report.to);
        rates.push(bytes as f64 / 1e6 / seconds);
        let rows = count(&instance, &copy)?;
        if rows != expected {
            return Err(format!("{rows} rows were recovered, not {expected}").into());
        }
        instance.stop()?;
        fs::remove_dir_all(&copy)?;
    }
    figures.insert("replay_log", mebibytes(bytes));
    figures.insert("replay_rate", median(&rates).unwrap_or_default());
    Ok(())
}

fn bytes_between(from: LgPos, to: LgPos) -> u64 {
    let place = |pos: LgPos| u64::from(pos.generation.0) * LOG_FILE + u64::from(pos.isec) * SEGMENT;
    place(to).saturating_sub(place(from))
}

/// Leaves a crash behind, and says how many rows its recovery has to find.
fn crash(home: &Path, rows: u64) -> Result<u64> {
    load(home, rows)?;
    let instance = start(home)?;
    let database = instance.open_database(home.join(DATABASE))?;
    let (mut session, mut other) = (instance.session()?, instance.session()?);
    let table = database.table(&session, TABLE)?;
    let mut changes = Changes::new(&table, rows)?;
    for _ in 0..rows / BATCH {
        let mut trx = session.begin()?;
        changes.make(&mut trx)?;
        trx.commit_lazy()?;
    }
    let expected = changes.rows + 1;
    let mut unfinished = session.begin()?;
    changes.make(&mut unfinished)?;
    // Durable, and with it all that stands before it in the log.
    changes.insert(&mut other, u64::MAX)?;
    instance.abandon();
    Ok(expected)
}

/// The table before the changes, in a database that was closed.
fn load(home: &Path, rows: u64) -> Result<()> {
    let instance = start(home)?;
    let database = instance.create_database(home.join(DATABASE))?;
    let mut session = instance.session()?;
    let key_column = ColumnDef::new("key", ColType::Binary).max_len(24).placed(Placement::Fixed);
    let table = TableBuilder::new(TABLE).define(key_column).column("value", ColType::Binary);
    let table = database.create_table(&mut session, table.primary(&["key"]))?;
    let mut changes = Changes::new(&table, 0)?;
    let mut numbers: Vec<(Key, u64)> = (0..rows).map(|n| (key(n), n)).collect();
    numbers.sort_unstable();
    for batch in numbers.chunks(LOAD_BATCH) {
        let mut trx = session.begin()?;
        for (_, n) in batch {
            changes.insert(&mut trx, *n)?;
        }
        trx.commit_lazy()?;
    }
    drop(changes);
    drop((table, session, database));
    Ok(instance.stop()?)
}

/// Changes of random rows, the same in every run.
struct Changes<'t> {
    values: Rows,
    table: &'t Table,
    value: ColumnId,
    inserter: Inserter,
    /// Rows of the table now.
    rows: u64,
    /// Rows that ever were, numbered from 0.
    numbered: u64,
    draws: u64,
}

impl<'t> Changes<'t> {
    fn new(table: &'t Table, rows: u64) -> Result<Changes<'t>> {
        let (value, inserter) = (table.column("value")?, table.inserter(&["key", "value"])?);
        let values = Rows::new();
        Ok(Changes { values, table, value, inserter, rows, numbered: rows, draws: 0 })
    }

    fn insert(&mut self, to: &mut impl Writer, n: u64) -> Result<()> {
        let row = self.values.row(n);
        Ok(self.inserter.insert(to, &[Some(&row.key), Some(row.value)])?)
    }

    /// One transaction: three updates to one insert and one delete.
    fn make(&mut self, trx: &mut Transaction<'_>) -> Result<()> {
        for n in 0..BATCH {
            self.draws += 1;
            let drawn = key(mix(self.draws) % self.numbered);
            match n % 5 {
                0 => {
                    self.insert(trx, self.numbered)?;
                    (self.numbered, self.rows) = (self.numbered + 1, self.rows + 1);
                }
                1 => self.rows -= u64::from(self.table.delete(trx, drawn.as_slice())?),
                _ => {
                    let values = Values::new().set(self.value, self.values.row(self.draws).value);
                    self.table.update(trx, drawn.as_slice(), &values)?;
                }
            }
        }
        Ok(())
    }
}

fn count(instance: &Instance, home: &Path) -> Result<u64> {
    let database = instance.open_database(home.join(DATABASE))?;
    let mut session = instance.session()?;
    let table = database.table(&session, TABLE)?;
    let (mut rows, mut trx) = (0, session.begin_read_only()?);
    table.scan(&mut trx, |_| {
        rows += 1;
        ControlFlow::Continue(())
    })?;
    Ok(rows)
}
