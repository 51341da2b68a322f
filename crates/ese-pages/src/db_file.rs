//! One database file: its lock, its header in two copies, its length, raw page I/O.
//!
//! A `DbFile` is open as long as the database is attached; its file lock keeps other engines out.
//! The file grows, and is cut off at its end through its cache. The first failed write
//! or sync is remembered and refuses everything that would write later ([`Poison`]).
//!
//! Order of a header update (edb-format 1.1): one copy, sync, the other copy, sync, so that one
//! copy is whole at any moment. Readers prefer the primary copy, so the shadow goes first, unless
//! the primary was found damaged: then the shadow is the only good copy and must not be touched
//! before the primary is whole again.

mod backup;
#[cfg(test)]
pub(crate) mod tests;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use ese_base::{Error, ErrorKind, JetErr, PageSize, Pgno, Result, plant};
use ese_os::{Env, File, LockMode, OpenMode, parent_of};
use parking_lot::Mutex;

use crate::{
    dblwr,
    header::{BackupTrailer, DbHeader, DbState, HeaderCopy, Located, locate},
    poison::Poison,
    range_lock::RangeLock,
};

pub use backup::{AfterFault, PageFault};

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading and writing; nobody else has it open.
    ReadWrite,
    /// Reading. Nothing is ever written; others may read too.
    ReadOnly,
}

/// Who writes the header, and which copy goes first.
#[derive(Debug)]
struct HeaderWriter {
    /// The primary copy on disk is damaged, the shadow is good.
    primary_is_bad: bool,
}

/// An open database file (ESE: the file side of an FMP).
pub struct DbFile {
    env: Env,
    path: PathBuf,
    file: Arc<dyn File>,
    access: Access,
    page_size: PageSize,
    /// What the file has, or is just being given.
    header: Mutex<DbHeader>,
    /// Held over a header update; taken before `header`.
    header_writer: Mutex<HeaderWriter>,
    /// The last page that lies wholly in the file.
    last_page: AtomicU32,
    /// Held while the file gets longer or shorter.
    growth: Mutex<()>,
    ranges: RangeLock,
    poison: Poison,
    restored: Vec<Pgno>,
    /// Somebody has the right to write pages in place.
    pages_claimed: Arc<AtomicBool>,
}

/// The right to write pages in place, one at a time for each file: the cache has it, or whoever
/// restores torn pages before there is a cache. What is mapped for readers rests on it.
#[derive(Debug)]
pub(crate) struct PagesClaim(Arc<AtomicBool>);

impl Drop for PagesClaim {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl fmt::Debug for DbFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DbFile")
            .field("path", &self.path)
            .field("access", &self.access)
            .field("page_size", &self.page_size)
            .field("last_page", &self.page_count())
            .field("poison", &self.poison.cause())
            .finish_non_exhaustive()
    }
}

impl DbFile {
    /// Creates a database file of `last` blank pages with both copies of a header, durably: when
    /// this returns, name, length and headers survive a power cut.
    ///
    /// # Errors
    /// `JET_errFileAlreadyExists` (-1814), `JET_errInvalidPath` (-1023), `JET_errDiskFull` (-1808),
    /// `JET_errFileAccessDenied` (-1032). A file that could not be finished is removed.
    pub fn create(env: &Env, path: &Path, header: DbHeader, last: Pgno) -> Result<DbFile> {
        let page_size = header.page_size()?;
        let file = env.fs.open(path, OpenMode::CreateNew)?;
        let db = DbFile {
            env: env.clone(),
            path: path.to_path_buf(),
            file,
            access: Access::ReadWrite,
            page_size,
            header: Mutex::new(header),
            header_writer: Mutex::new(HeaderWriter { primary_is_bad: false }),
            last_page: AtomicU32::new(0),
            growth: Mutex::new(()),
            ranges: RangeLock::new(),
            poison: Poison::new(),
            restored: Vec::new(),
            pages_claimed: Arc::default(),
        };
        match db.finish_creation(last) {
            Ok(()) => Ok(db),
            Err(error) => {
                // Best effort: what matters is the first error.
                drop(env.fs.remove_file(path));
                Err(error)
            }
        }
    }

    fn finish_creation(&self, last: Pgno) -> Result<()> {
        self.file.lock(LockMode::Exclusive)?;
        self.file.allocate(0, self.page_size.offset_of(last) + self.page_size.bytes_u64())?;
        self.last_page.store(last.0, Ordering::Release);
        self.update_header(|_| ())?;
        self.env.fs.sync_dir(parent_of(&self.path))
    }

    /// Opens a database file and reads its header, from the shadow if the primary copy is damaged.
    ///
    /// A database that is not clean and has a double-write file gets its torn pages back first
    /// ([`DbFile::restored_pages`]), unless it is opened for reading only.
    ///
    /// # Errors
    /// `JET_errFileAccessDenied` (-1032) if another engine has it open; `JET_errFileNotFound`
    /// (-1811); what [`locate`] says of the header.
    pub fn open(env: &Env, path: &Path, access: Access) -> Result<DbFile> {
        let (mode, lock) = match access {
            Access::ReadWrite => (OpenMode::ReadWrite, LockMode::Exclusive),
            Access::ReadOnly => (OpenMode::Read, LockMode::Shared),
        };
        let file = env.fs.open(path, mode)?;
        file.lock(lock)?;
        let len = file.len()?;
        let located = locate_on(&*file, len).map_err(|error| error.at_path(path))?;
        let page_size = located.page_size;
        if located.copy == HeaderCopy::Shadow {
            tracing::warn!(path = %path.display(), "the database header is damaged; its shadow copy is used");
        }
        let mut db = DbFile {
            env: env.clone(),
            path: path.to_path_buf(),
            file,
            access,
            page_size,
            header: Mutex::new(located.header),
            header_writer: Mutex::new(HeaderWriter {
                primary_is_bad: located.copy == HeaderCopy::Shadow,
            }),
            last_page: AtomicU32::new(last_page(len, page_size)),
            growth: Mutex::new(()),
            ranges: RangeLock::new(),
            poison: Poison::new(),
            restored: Vec::new(),
            pages_claimed: Arc::default(),
        };
        if access == Access::ReadWrite && located.header.state() != DbState::CleanShutdown {
            db.restored = dblwr::recover_double_write(&db)?;
            // A killed process may have left pages that only the operating system holds. The next
            // flush overwrites the double-write file, which may be their only durable copy.
            db.sync()?;
        }
        Ok(db)
    }

    /// The machine it lives on.
    #[must_use]
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// Its path, as it was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it was opened for.
    #[must_use]
    pub fn access(&self) -> Access {
        self.access
    }

    /// Its page size.
    #[inline]
    #[must_use]
    pub fn page_size(&self) -> PageSize {
        self.page_size
    }

    /// The pages that were torn by a crash and restored from the double-write file at open.
    #[must_use]
    pub fn restored_pages(&self) -> &[Pgno] {
        &self.restored
    }

    /// Gives the file back: it is clean, and others may open it while the last reference to this
    /// one is still about to go.
    ///
    /// # Errors
    /// The file system's.
    pub fn unlock(&self) -> Result<()> {
        self.file.unlock()
    }

    /// The page ranges that backups hold.
    #[must_use]
    pub fn ranges(&self) -> &RangeLock {
        &self.ranges
    }

    /// The header, as it was last written or is being written.
    #[must_use]
    pub fn header(&self) -> DbHeader {
        *self.header.lock()
    }

    /// Changes the header and makes the change durable. Updates are done one after another; the
    /// in-memory copy changes only if `change` and both writes succeed.
    ///
    /// # Errors
    /// `JET_errDatabaseFileReadOnly` (-1008), `JET_errInstanceUnavailable` (-1090), and the errors
    /// of writing, which poison the file.
    pub fn update_header<R>(&self, change: impl FnOnce(&mut DbHeader) -> R) -> Result<R> {
        self.check_writable()?;
        let mut writer = self.header_writer.lock();
        let mut header = self.header();
        let result = change(&mut header);
        header.part_from_companions();
        let encode = |header: DbHeader| header.encode().map_err(|error| error.at_path(&self.path));
        let image = encode(header)?;
        let shadow_at = self.page_size.bytes_u64();
        if writer.primary_is_bad && !plant!("pages-trust-damaged-header") {
            // First what the shadow says, and only then something new: a torn copy that is torn
            // once more by other contents can become a header of long ago that checks.
            self.write_at(&encode(self.header())?, 0)?;
            self.sync()?;
        }
        writer.primary_is_bad = false;
        for offset in [shadow_at, 0] {
            self.write_at(&image, offset)?;
            if offset == 0 || !plant!("pages-header-copies-at-once") {
                self.sync()?;
            }
        }
        *self.header.lock() = header;
        Ok(result)
    }

    /// Number of the last page; pages run from 1. Pages that no tree owns count too.
    #[inline]
    #[must_use]
    pub fn page_count(&self) -> u32 {
        self.last_page.load(Ordering::Acquire)
    }

    /// Makes the file reach over page `last`; new pages are blank. Does nothing if it does
    /// already. The new length is durable with the next flush.
    ///
    /// # Errors
    /// `JET_errDiskFull` (-1808): nothing has changed. `JET_errOutOfDatabaseSpace` (-1012) beyond
    /// the largest page number. Failures of the device poison the file.
    pub fn grow(&self, last: Pgno) -> Result<()> {
        self.check_writable()?;
        if last > Pgno::MAX {
            return Err(Error::new(
                JetErr::OutOfDatabaseSpace,
                format!("the last possible page is {}, page {last} was asked for", Pgno::MAX),
            )
            .at_path(&self.path));
        }
        let _growth = self.growth.lock();
        let now = self.page_count();
        if last.0 <= now {
            return Ok(());
        }
        let from = self.page_size.offset_of(Pgno(now + 1));
        let to = self.page_size.offset_of(last) + self.page_size.bytes_u64();
        self.file.allocate(from, to - from).map_err(|error| {
            // A full disk is an answer; anything else means that the device is in trouble.
            if error.kind() == ErrorKind::Resource { error } else { self.poison.remember(error) }
        })?;
        self.last_page.store(last.0, Ordering::Release);
        Ok(())
    }

    /// Cuts the file off behind page `last`. `forget` gets the page that was last, and makes sure
    /// that nobody looks at the pages in between when it returns; nobody new finds them from its
    /// beginning on.
    pub(crate) fn cut_off(&self, last: Pgno, forget: impl FnOnce(u32)) -> Result<()> {
        self.check_writable()?;
        let _growth = self.growth.lock();
        let old = self.page_count();
        if last.0 >= old {
            return Ok(());
        }
        self.last_page.store(last.0, Ordering::Release);
        forget(old);
        let _no_backup_reads = self.ranges.begin_write(Pgno(last.0 + 1), Pgno(old));
        let len = self.page_size.offset_of(last) + self.page_size.bytes_u64();
        self.file.set_len(len).map_err(|error| self.poison.remember(error))
    }

    /// Does the page stand behind the last one with which a backup ends its copy of a database? It
    /// counts in [`DbFile::page_count`], and is no page of the database.
    ///
    /// # Errors
    /// `JET_errDiskIO` (-1022).
    pub fn has_trailer(&self) -> Result<bool> {
        if self.page_count() == 0 {
            return Ok(false);
        }
        let mut page = vec![0; self.page_size.bytes()];
        self.read_page_raw(Pgno(self.page_count()), &mut page)?;
        Ok(BackupTrailer::decode(&page).is_ok_and(|own| own.sign_db == self.header().sign_db))
    }

    /// Makes a backup's copy of a database end with its last page. Done before anybody reads pages.
    ///
    /// # Errors
    /// `JET_errDiskIO` (-1022); failures to write poison the file.
    pub fn cut_trailer(&self) -> Result<()> {
        match self.has_trailer()? {
            true => self.cut_off(Pgno(self.page_count() - 1), |_| ()),
            false => Ok(()),
        }
    }

    /// Reads the page as it is in the file, unverified.
    ///
    /// # Errors
    /// `JET_errFileIOBeyondEOF` (-4001), `JET_errDiskIO` (-1022).
    pub fn read_page_raw(&self, pgno: Pgno, page: &mut [u8]) -> Result<()> {
        self.check_in_file(pgno)?;
        self.file
            .read_at(page, self.page_size.offset_of(pgno))
            .map_err(|error| error.at_path(&self.path).at_page(pgno))
    }

    /// Is the page inside the file?
    ///
    /// # Errors
    /// `JET_errFileIOBeyondEOF` (-4001) with the page.
    pub fn check_in_file(&self, pgno: Pgno) -> Result<()> {
        let last = self.page_count();
        if pgno.0 >= 1 && pgno.0 <= last {
            return Ok(());
        }
        Err(Error::new(
            JetErr::FileIOBeyondEOF,
            format!(
                "the file ends with page {last}: it was cut short, or the page number is wrong"
            ),
        )
        .at_path(&self.path)
        .at_page(pgno))
    }

    /// May the file be written?
    ///
    /// # Errors
    /// `JET_errDatabaseFileReadOnly` (-1008); `JET_errInstanceUnavailable` (-1090) with the first
    /// failure.
    #[inline]
    pub fn check_writable(&self) -> Result<()> {
        if self.access == Access::ReadOnly {
            return Err(read_only(&self.path));
        }
        self.poison.check()
    }

    /// The memory of the first failed write or sync. Somebody who sees the log fail may set it too.
    #[must_use]
    pub fn poison(&self) -> &Poison {
        &self.poison
    }

    /// Deletes the double-write file; to be called when the header on disk says "clean". Nothing
    /// is lost by deleting it then, and nothing by a crash before.
    ///
    /// # Errors
    /// Errors of removing; the database is whole either way.
    pub fn remove_double_write(&self) -> Result<()> {
        dblwr::remove(&self.env, &self.path)
    }

    /// Takes the right to write pages in place.
    pub(crate) fn claim(&self) -> Result<PagesClaim> {
        if self.pages_claimed.swap(true, Ordering::AcqRel) {
            return Err(Error::new(
                JetErr::InternalError,
                "the database file has a page cache already",
            )
            .at_path(&self.path));
        }
        Ok(PagesClaim(Arc::clone(&self.pages_claimed)))
    }

    pub(crate) fn file(&self) -> &Arc<dyn File> {
        &self.file
    }

    /// Writes; a failure poisons.
    pub(crate) fn write_at(&self, bytes: &[u8], offset: u64) -> Result<()> {
        self.poison.check()?;
        self.file.write_at(bytes, offset).map_err(|error| self.poison.remember(error))
    }

    /// Makes everything written durable; a failure poisons.
    pub(crate) fn sync(&self) -> Result<()> {
        self.poison.check()?;
        self.file.sync().map_err(|error| self.poison.remember(error))
    }
}

#[cold]
fn read_only(path: &Path) -> Error {
    Error::new(JetErr::DatabaseFileReadOnly, "the database is open for reading only").at_path(path)
}

/// The header from either copy. A copy that the device cannot read counts as damaged.
fn locate_on(file: &dyn File, len: u64) -> Result<Located> {
    let mut unreadable = None;
    let located = locate(
        |offset, buf| match file.read_at(buf, offset) {
            Err(error) if error.code() == JetErr::DiskIO => {
                unreadable = Some(error);
                buf.fill(0);
                Ok(())
            }
            other => other,
        },
        len,
    );
    match (located, unreadable) {
        (Err(_), Some(error)) => Err(error),
        (located, _) => located,
    }
}

/// The last page that lies wholly in a file of that length.
fn last_page(len: u64, page_size: PageSize) -> u32 {
    let pages = (len / page_size.bytes_u64()).saturating_sub(2);
    u32::try_from(pages).unwrap_or(u32::MAX).min(Pgno::MAX.0)
}
