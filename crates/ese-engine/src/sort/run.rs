//! Sorted rows in a file: one file for all runs of a sort, each run a row of blocks.
//!
//! A block is 64 KiB: a checksum of the rest, the bytes in use, rows as in memory, zeros. Rows do
//! not go over the end of a block. Nothing is synced: the file means nothing once its sort is gone.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use ese_base::{Error, JetErr, Result};
use ese_os::{Env, File, LockMode, OpenMode};

use super::{
    BLOCK_LEN, RowRef,
    pile::{ROW_HEAD, put_row, read_row},
};

/// Checksum and length in use.
const HEAD: usize = 8;

/// The longest row, with its two lengths, that a block takes.
pub(super) const ROW_LEN_MAX: usize = BLOCK_LEN - HEAD - ROW_HEAD;

/// The file of a sort; it goes with the sort.
#[derive(Debug)]
pub(super) struct RunFile {
    env: Env,
    path: PathBuf,
    file: Arc<dyn File>,
    /// Blocks so far.
    blocks: AtomicU64,
}

impl RunFile {
    pub(super) fn create(env: &Env, path: PathBuf) -> Result<RunFile> {
        let file = env.fs.open(&path, OpenMode::CreateNew)?;
        // From here on it goes when this goes.
        let created = RunFile { env: env.clone(), path, file, blocks: AtomicU64::new(0) };
        // Whoever tidies up the directory sees that it is in use.
        created.file.lock(LockMode::Exclusive)?;
        Ok(created)
    }

    fn append(&self, block: &mut [u8], used: usize) -> Result<()> {
        let used = u32::try_from(used).unwrap_or(0);
        if let Some(out) = block.get_mut(4..HEAD) {
            out.copy_from_slice(&used.to_le_bytes());
        }
        let sum = checksum(block);
        if let Some(out) = block.get_mut(..4) {
            out.copy_from_slice(&sum.to_le_bytes());
        }
        let number = self.blocks.load(Ordering::Relaxed);
        self.file
            .write_at(block, number * BLOCK_LEN as u64)
            .map_err(|error| error.at_path(&self.path).advise(ADVICE))?;
        self.blocks.store(number + 1, Ordering::Relaxed);
        Ok(())
    }

    fn read(&self, number: u64, block: &mut [u8]) -> Result<usize> {
        self.file
            .read_at(block, number * BLOCK_LEN as u64)
            .map_err(|error| error.at_path(&self.path))?;
        let word = |at: usize| {
            let bytes = block.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            u32::from_le_bytes(bytes.unwrap_or_default())
        };
        let used = usize::try_from(word(4)).unwrap_or(usize::MAX);
        if word(0) != checksum(block) || !(HEAD..=BLOCK_LEN).contains(&used) {
            return Err(self.damaged(number));
        }
        Ok(used)
    }

    #[cold]
    fn damaged(&self, number: u64) -> Error {
        let what = format!("block {number} of a sort's temporary file is not what was written");
        Error::new(JetErr::ReadVerifyFailure, what)
            .at_path(&self.path)
            .advise("close the temporary table and fill it anew; look at the device")
    }
}

const ADVICE: &str = "close the temporary table; make room where JET_paramTempPath points to";

fn checksum(block: &[u8]) -> u32 {
    crc32fast::hash(block.get(4..).unwrap_or_default())
}

impl Drop for RunFile {
    fn drop(&mut self) {
        // What stays behind is removed at the next start.
        drop(self.env.fs.remove_file(&self.path));
    }
}

/// Where a run lies: its first block and the number of its blocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    first: u64,
    blocks: u64,
}

/// Writes one run. Only one is written to a file at a time.
pub(super) struct RunWriter<'f> {
    file: &'f RunFile,
    first: u64,
    block: Vec<u8>,
    used: usize,
}

impl<'f> RunWriter<'f> {
    pub(super) fn new(file: &'f RunFile) -> RunWriter<'f> {
        let first = file.blocks.load(Ordering::Relaxed);
        RunWriter { file, first, block: vec![0; BLOCK_LEN], used: HEAD }
    }

    pub(super) fn push(&mut self, row: RowRef<'_>) -> Result<()> {
        let len = ROW_HEAD + row.key.len() + row.record.len();
        if self.used + len > BLOCK_LEN {
            self.flush()?;
        }
        if let Some(out) = self.block.get_mut(self.used..) {
            self.used += put_row(out, row.key, row.record);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        if let Some(rest) = self.block.get_mut(self.used..) {
            rest.fill(0);
        }
        self.file.append(&mut self.block, self.used)?;
        self.used = HEAD;
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Run> {
        if self.used > HEAD {
            self.flush()?;
        }
        let blocks = self.file.blocks.load(Ordering::Relaxed) - self.first;
        Ok(Run { first: self.first, blocks })
    }
}

/// Reads one run from its beginning.
#[derive(Debug)]
pub(super) struct RunReader {
    file: Arc<RunFile>,
    run: Run,
    /// Blocks read.
    read: u64,
    block: Vec<u8>,
    used: usize,
    at: usize,
}

impl RunReader {
    pub(super) fn new(file: &Arc<RunFile>, run: Run) -> RunReader {
        let block = vec![0; BLOCK_LEN];
        RunReader { file: Arc::clone(file), run, read: 0, block, used: 0, at: 0 }
    }

    /// The row it stands on; none before the first step and behind the last row.
    #[inline]
    pub(super) fn row(&self) -> Option<RowRef<'_>> {
        self.block.get(self.at..self.used).and_then(read_row)
    }

    /// Goes to the next row. False: there is none.
    pub(super) fn step(&mut self) -> Result<bool> {
        if let Some(row) = self.row() {
            self.at += ROW_HEAD + row.key.len() + row.record.len();
        }
        if self.at < self.used {
            return self.row().map(|_| true).ok_or_else(|| self.file.damaged(self.run.first));
        }
        if self.read == self.run.blocks {
            self.used = 0;
            return Ok(false);
        }
        self.used = self.file.read(self.run.first + self.read, &mut self.block)?;
        self.read += 1;
        self.at = HEAD;
        self.row().map(|_| true).ok_or_else(|| self.file.damaged(self.run.first))
    }
}
