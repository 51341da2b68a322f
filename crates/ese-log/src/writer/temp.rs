//! The next log file, made in advance: full length, every byte written and synced once, so that
//! commits never extend a file or convert extents (performance-report, durable commits).
//!
//! Normally the background thread makes it right after a roll. Where there is no background, or
//! the roll comes sooner, whoever rolls makes it or waits for it. In circular mode the oldest
//! archive that nobody needs becomes the next file; its old content does no harm, because every
//! segment says which generation it is of. When the disk is full a reserve is used up.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use ese_base::{Error, JetErr, LgPos, Result, plant};
use ese_os::{Env, File, OpenMode};
use parking_lot::{Condvar, Mutex};

use super::files::Archives;

/// Zeros are written in pieces of this size.
const PIECE_LEN: usize = 256 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Absent,
    Making,
    Ready {
        from_reserve: bool,
    },
    /// Handed out: it still has the temporary name, so nobody may make another one.
    Taken,
}

/// Makes and hands out the next file.
#[derive(Debug)]
pub(crate) struct NextFile {
    env: Env,
    archives: Arc<Archives>,
    file_len: u64,
    circular: bool,
    state: Mutex<State>,
    changed: Condvar,
    /// Reserves that are left, the next one last.
    reserves: Mutex<Vec<PathBuf>>,
    /// A reserve has been used: no new transactions.
    disk_full: AtomicBool,
}

impl NextFile {
    pub(crate) fn new(
        env: Env,
        archives: Arc<Archives>,
        file_len: u64,
        circular: bool,
    ) -> NextFile {
        NextFile {
            env,
            archives,
            file_len,
            circular,
            state: Mutex::new(State::Absent),
            changed: Condvar::new(),
            reserves: Mutex::new(Vec::new()),
            disk_full: AtomicBool::new(false),
        }
    }

    /// Is the disk full?
    pub(crate) fn is_disk_full(&self) -> bool {
        self.disk_full.load(Ordering::Acquire)
    }

    /// Makes the file if it is not there. Returns at once while somebody else makes it.
    pub(crate) fn prepare(&self, checkpoint: LgPos) -> Result<()> {
        {
            let mut state = self.state.lock();
            if *state != State::Absent {
                return Ok(());
            }
            *state = State::Making;
        }
        let made = self.make(checkpoint);
        *self.state.lock() = match made {
            Ok(from_reserve) => State::Ready { from_reserve },
            Err(_) => State::Absent,
        };
        self.changed.notify_all();
        made.map(|_| ())
    }

    /// Takes the file over; it is made now if it is not there. The value says whether it comes
    /// from a reserve. Until [`NextFile::named`] no other file is made.
    ///
    /// # Errors
    /// `JET_errLogDiskFull` (-529): no space and no reserve is left.
    pub(crate) fn take(&self, checkpoint: LgPos) -> Result<bool> {
        loop {
            {
                let mut state = self.state.lock();
                while *state == State::Making {
                    self.changed.wait(&mut state);
                }
                if let State::Ready { from_reserve } = *state {
                    *state = State::Taken;
                    return Ok(from_reserve);
                }
                // Only one thread rolls at a time: an earlier roll failed half way.
                *state = State::Absent;
            }
            self.prepare(checkpoint)?;
        }
    }

    /// The file that was taken has its own name now: the next one may be made.
    pub(crate) fn named(&self) {
        *self.state.lock() = State::Absent;
    }

    fn path(&self) -> PathBuf {
        self.archives.names.temporary()
    }

    fn make(&self, checkpoint: LgPos) -> Result<bool> {
        if self.circular && self.recycle(checkpoint)? {
            return Ok(false);
        }
        match self.create() {
            Ok(()) => Ok(false),
            Err(e) if e.code() == JetErr::DiskFull => self.use_reserve(&e).map(|()| true),
            Err(e) => Err(e),
        }
    }

    /// Turns the oldest archive that nobody needs into the next file and removes the others.
    /// False if there is none, or somebody else has removed it.
    fn recycle(&self, checkpoint: LgPos) -> Result<bool> {
        let Some(range) = self.archives.retirable(checkpoint) else { return Ok(false) };
        let oldest = range.start;
        let Some(path) = self.archives.path(oldest) else { return Ok(false) };
        let renamed = self.env.fs.open(&path, OpenMode::Read).and_then(|file| {
            let fits = file.len()? == self.file_len;
            if fits { self.env.fs.rename(&path, &self.path()).map(|()| true) } else { Ok(false) }
        });
        let fits = match renamed {
            Err(error) if error.code() == JetErr::FileNotFound => {
                self.archives.forget(oldest);
                return Ok(false);
            }
            renamed => renamed?,
        };
        if fits {
            self.archives.forget(oldest);
            // The new name must be durable before a new header is: otherwise a crash could leave
            // the header of a new generation under the name of an old one.
            if !plant!("log-skip-recycled-name-sync") {
                self.sync_names()?;
            }
        }
        let rest = if fits { oldest.next() } else { oldest };
        // They only take space; the next roll tries again.
        if let Err(error) = self.archives.delete(rest..range.end) {
            tracing::warn!(%error, "a log file that nobody needs could not be removed");
        }
        Ok(fits)
    }

    fn create(&self) -> Result<()> {
        let path = self.path();
        self.remove_if_present(&path)?;
        let made = self
            .env
            .fs
            .open(&path, OpenMode::CreateNew)
            .and_then(|file| self.write_zeros(file.as_ref()));
        if made.is_err() {
            // Half a file only takes space. If it cannot be removed either, the next start does.
            self.remove_if_present(&path).ok();
        }
        made?;
        self.sync_names()
    }

    fn write_zeros(&self, file: &dyn File) -> Result<()> {
        let zeros = vec![0; PIECE_LEN];
        let mut offset = 0;
        while offset < self.file_len {
            let left = usize::try_from(self.file_len - offset).unwrap_or(usize::MAX);
            let piece = zeros.get(..left.min(PIECE_LEN)).unwrap_or_default();
            file.write_at(piece, offset)?;
            offset += piece.len() as u64;
        }
        file.sync()
    }

    /// The disk is full: what was put aside for this becomes the next file.
    fn use_reserve(&self, cause: &Error) -> Result<()> {
        self.disk_full.store(true, Ordering::Release);
        let Some(reserve) = self.reserves.lock().pop() else {
            return Err(Error::new(
                JetErr::LogDiskFull,
                format!("no space for the next log file and no reserve is left: {cause}"),
            )
            .at_path(self.path())
            .advise("free space on the log volume and start again"));
        };
        tracing::error!(%cause, "the log volume is full; a reserve log is used, new transactions are refused");
        self.env.fs.rename(&reserve, &self.path())?;
        self.sync_names()?;
        // Its space is allocated, so this cannot fail for want of space.
        let file = self.env.fs.open(&self.path(), OpenMode::ReadWrite)?;
        self.write_zeros(file.as_ref())
    }

    /// Puts `count` files of full length aside; those of an earlier run are kept.
    ///
    /// # Errors
    /// `JET_errLogDiskFull` (-529): there is no space for them.
    pub(crate) fn make_reserves(&self, count: u32) -> Result<()> {
        let mut reserves = Vec::new();
        let mut created = false;
        for number in 1..=count {
            let path = self.archives.names.reserve(number);
            created |= self.make_reserve(&path).map_err(|e| match e.code() {
                JetErr::DiskFull => {
                    self.remove_if_present(&path).ok();
                    Error::new(JetErr::LogDiskFull, "no space for the reserve logs")
                        .at_path(&path)
                        .caused_by(e)
                }
                _ => e,
            })?;
            reserves.push(path);
        }
        if created {
            self.sync_names()?;
        }
        *self.reserves.lock() = reserves;
        Ok(())
    }

    /// True if a file was created.
    fn make_reserve(&self, path: &Path) -> Result<bool> {
        let fs = &self.env.fs;
        if fs.exists(path)? {
            let file = fs.open(path, OpenMode::ReadWrite)?;
            if file.len()? != self.file_len {
                file.set_len(0)?;
                file.allocate(0, self.file_len)?;
            }
            return Ok(false);
        }
        fs.open(path, OpenMode::CreateNew)?.allocate(0, self.file_len)?;
        Ok(true)
    }

    /// Removes what an earlier run left: after a crash nobody knows what a file holds that was
    /// being made.
    pub(crate) fn discard_leftover(&self) -> Result<()> {
        if self.remove_if_present(&self.path())? {
            self.sync_names()?;
        }
        Ok(())
    }

    fn remove_if_present(&self, path: &Path) -> Result<bool> {
        match self.env.fs.remove_file(path) {
            Ok(()) => Ok(true),
            Err(e) if e.code() == JetErr::FileNotFound => Ok(false),
            Err(e) => Err(e),
        }
    }

    fn sync_names(&self) -> Result<()> {
        self.env.fs.sync_dir(self.archives.names.dir())
    }
}
