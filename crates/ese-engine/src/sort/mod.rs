//! An external merge sort: rows come in any order and go in the order of their keys.
//!
//! Rows are kept in memory up to a limit. When that is reached they are sorted and written to a
//! file as a run, and memory is free again. At the end the runs, and what is still in memory, are
//! merged while they are read. More runs than one merge should have are merged into longer ones
//! first. Nothing of this is durable or logged.

mod merge;
mod pile;
mod run;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, sync::Arc};

use ese_base::{Error, JetErr, Result};
use ese_os::Env;

use self::{
    merge::Merge,
    pile::{Pile, SortedPile},
    run::{ROW_LEN_MAX, Run, RunFile, RunWriter},
};

/// Rows lie in blocks of so many bytes, in memory and in files.
const BLOCK_LEN: usize = 64 << 10;

/// With less every row would be a run.
const MEMORY_MIN: u64 = 2 * BLOCK_LEN as u64;

/// A row: its key, and what belongs to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowRef<'a> {
    /// The bytes it is sorted by.
    pub key: &'a [u8],
    /// The record.
    pub record: &'a [u8],
}

/// How to sort.
#[derive(Clone, Debug)]
pub struct SortOptions {
    /// Of rows with one key only the first that came is kept.
    pub distinct: bool,
    /// Memory for rows in bytes; less than two blocks of 64 KiB count as that.
    pub memory: u64,
    /// The file for runs, should there be any. It must not exist.
    pub path: PathBuf,
}

/// A sort that takes rows.
#[derive(Debug)]
pub struct Sorter {
    env: Env,
    options: SortOptions,
    pile: Pile,
    file: Option<Arc<RunFile>>,
    runs: Vec<Run>,
    rows: u64,
}

impl Sorter {
    /// A sort without rows. No file is made before it is needed.
    #[must_use]
    pub fn new(env: &Env, mut options: SortOptions) -> Sorter {
        options.memory = options.memory.max(MEMORY_MIN);
        let env = env.clone();
        Sorter { env, options, pile: Pile::default(), file: None, runs: Vec::new(), rows: 0 }
    }

    /// Rows that have come.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Takes a row.
    ///
    /// # Errors
    /// `JET_errRecordTooBig` (-1026) for more than a block; those of writing a run: the row was not
    /// taken then, and those before it are all there.
    pub fn insert(&mut self, key: &[u8], record: &[u8]) -> Result<()> {
        let len = key.len() + record.len();
        if len > ROW_LEN_MAX || len == 0 {
            let what = format!("a row of {len} bytes cannot be sorted");
            return Err(Error::new(JetErr::RecordTooBig, what));
        }
        let full = self.pile.memory_with(len) > self.options.memory || !self.pile.has_place();
        if full && !self.pile.is_empty() {
            self.spill()?;
        }
        self.pile.push(key, record);
        self.rows += 1;
        Ok(())
    }

    /// Writes what is in memory to the file.
    fn spill(&mut self) -> Result<()> {
        let file = match &self.file {
            Some(file) => Arc::clone(file),
            None => {
                let file = Arc::new(RunFile::create(&self.env, self.options.path.clone())?);
                Arc::clone(self.file.insert(file))
            }
        };
        let sorted = std::mem::take(&mut self.pile).sort(self.options.distinct);
        let mut writer = RunWriter::new(&file);
        let mut write = || {
            let rows = (0..sorted.len()).filter_map(|number| sorted.row(number));
            rows.into_iter().try_for_each(|row| writer.push(row))
        };
        let written = write().and_then(|()| writer.finish());
        match written {
            Ok(run) => {
                self.runs.push(run);
                Ok(())
            }
            Err(error) => {
                self.pile = sorted.unsorted();
                Err(error)
            }
        }
    }

    /// How many runs one merge reads: as many as their blocks fit into the memory, but a few.
    fn merged_at_once(&self) -> usize {
        let blocks = self.options.memory / BLOCK_LEN as u64;
        usize::try_from(blocks).unwrap_or(usize::MAX).clamp(4, 512)
    }

    /// Ends the insertion.
    ///
    /// # Errors
    /// Those of writing and reading runs.
    pub fn finish(mut self) -> Result<Sorted> {
        let distinct = self.options.distinct;
        let most = self.merged_at_once();
        // Every run that is merged takes a block; what is still in memory must leave room for them.
        let read = (self.runs.len().min(most) * BLOCK_LEN) as u64;
        let tight = self.pile.memory() + read > self.options.memory || self.runs.len() > most;
        if tight && !self.runs.is_empty() && !self.pile.is_empty() {
            self.spill()?;
        }
        while self.runs.len() > most
            && let Some(file) = &self.file
        {
            // Neighbours are merged, so that rows of one key keep their order.
            let merged = self.runs.chunks(most).map(|some| merged(file, some, distinct));
            self.runs = merged.collect::<Result<_>>()?;
        }
        let pile = Arc::new(self.pile.sort(distinct));
        let (file, runs) = (self.file, self.runs);
        Ok(Sorted { pile, file, runs, distinct, rows: self.rows })
    }
}

/// Makes one run of several.
fn merged(file: &Arc<RunFile>, runs: &[Run], distinct: bool) -> Result<Run> {
    if let [run] = runs {
        return Ok(*run);
    }
    let mut merge = Merge::new(Some(file), runs, None, distinct)?;
    let mut writer = RunWriter::new(file);
    while merge.step()? {
        if let Some(row) = merge.row() {
            writer.push(row)?;
        }
    }
    writer.finish()
}

/// Rows in the order of their keys.
#[derive(Debug)]
pub struct Sorted {
    pile: Arc<SortedPile>,
    file: Option<Arc<RunFile>>,
    runs: Vec<Run>,
    distinct: bool,
    rows: u64,
}

impl Sorted {
    /// Are some of the rows in a file? Then they are read from the beginning to the end only.
    #[must_use]
    pub fn is_spilled(&self) -> bool {
        !self.runs.is_empty()
    }

    /// Rows. Of a sort that has spilled, those that came, equal ones included.
    #[must_use]
    pub fn rows(&self) -> u64 {
        if self.is_spilled() { self.rows } else { self.pile.len() as u64 }
    }

    /// The row with this number of a sort that has not spilled.
    #[must_use]
    pub fn row(&self, number: usize) -> Option<RowRef<'_>> {
        self.pile.row(number)
    }

    /// The number of the first row whose key is not smaller, of a sort that has not spilled.
    #[must_use]
    pub fn lower_bound(&self, key: &[u8]) -> usize {
        self.pile.lower_bound(key)
    }

    /// Reads all rows from the first on.
    ///
    /// # Errors
    /// Those of reading runs.
    pub fn read(&self) -> Result<SortedReader> {
        let merge = Merge::new(self.file.as_ref(), &self.runs, Some(&self.pile), self.distinct)?;
        Ok(SortedReader(merge))
    }
}

/// Reads sorted rows from the first to the last.
#[derive(Debug)]
pub struct SortedReader(Merge);

impl SortedReader {
    /// Goes to the next row; the first time to the first. False: there is none.
    ///
    /// # Errors
    /// Those of reading runs; `JET_errReadVerifyFailure` (-1018) for a damaged one.
    pub fn step(&mut self) -> Result<bool> {
        self.0.step()
    }

    /// The row it stands on.
    #[must_use]
    pub fn row(&self) -> Option<RowRef<'_>> {
        self.0.row()
    }
}
