//! The file traits and the durability that each call promises.
//!
//! Nothing is durable until it is synced: data by [`File::sync`], a created, renamed or removed
//! name by [`Fs::sync_dir`] on its directory. A failed write or sync leaves the file's content
//! unknown; callers treat it as fatal (they never retry on the same data).

use std::{
    fmt::Debug,
    path::{Path, PathBuf},
    sync::Arc,
};

use ese_base::Result;

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// Existing file, for reading only. Nothing is ever written.
    Read,
    /// Existing file, for reading and writing.
    ReadWrite,
    /// New file; it is an error (`JET_errFileAlreadyExists`) if the name exists.
    CreateNew,
    /// New file, or the existing one cut to length 0.
    CreateOrTruncate,
    /// Like `CreateNew`, written past the page cache where the file system allows it (large
    /// sequential output such as a backup copy): offsets, lengths and buffers should then be
    /// multiples of 4096 bytes. Falls back to ordinary output where it is not supported.
    CreateNewDirect,
    /// Like `ReadWrite`, written as with `CreateNewDirect`.
    ReadWriteDirect,
}

/// Strength of a whole-file lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockMode {
    /// Several holders, no exclusive one.
    Shared,
    /// One holder.
    Exclusive,
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// The name alone, without its directory.
    pub name: String,
    /// Is it a directory, or a link to one?
    pub is_dir: bool,
    /// Is it a file itself, and no link, directory, pipe or device?
    pub is_plain: bool,
    /// Bytes, for files.
    pub len: u64,
}

/// A file system. Paths are absolute or relative to the process; errors name the path.
///
/// Codes: `JET_errFileNotFound` (-1811), `JET_errInvalidPath` (-1023) for a missing directory or a
/// bad name, `JET_errFileAccessDenied` (-1032), `JET_errFileAlreadyExists` (-1814),
/// `JET_errDiskFull` (-1808), `JET_errOutOfFileHandles` (-1020), `JET_errOutOfMemory` (-1011),
/// `JET_errDiskIO` (-1022) for the rest.
pub trait Fs: Send + Sync + Debug {
    /// Opens or creates a file.
    fn open(&self, path: &Path, mode: OpenMode) -> Result<Arc<dyn File>>;
    /// Does the name exist?
    fn exists(&self, path: &Path) -> Result<bool>;
    /// Is it a file that this process may not write: because nobody may (no write permission is
    /// set, the file system is read-only), or because it has no right to?
    fn is_read_only(&self, path: &Path) -> Result<bool> {
        self.exists(path).map(|_| false)
    }
    /// The names in a directory, sorted.
    fn list(&self, dir: &Path) -> Result<Vec<DirEntry>>;
    /// Files whose names [`Fs::list`] leaves out, because they are not UTF-8; whoever looks for
    /// files by what they hold finds them here. By name; none where all names are.
    fn oddly_named(&self, dir: &Path) -> Result<Vec<PathBuf>> {
        _ = dir;
        Ok(Vec::new())
    }
    /// Creates a directory and its missing parents. The entries are synced, also that of a
    /// directory that was there (an earlier call may have ended before its sync).
    fn create_dir_all(&self, dir: &Path) -> Result<()>;
    /// Removes a file.
    fn remove_file(&self, path: &Path) -> Result<()>;
    /// Removes an empty directory.
    fn remove_dir(&self, dir: &Path) -> Result<()>;
    /// Renames a file within one file system, replacing the target atomically.
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;
    /// Makes creations, renames and removals in this directory durable.
    fn sync_dir(&self, dir: &Path) -> Result<()>;
    /// The absolute path with links resolved; the last component need not exist.
    fn canonicalize(&self, path: &Path) -> Result<PathBuf>;
}

/// An open file. All operations are positional and may be called from several threads.
pub trait File: Send + Sync + Debug {
    /// The path it was opened by, for messages.
    fn path(&self) -> &Path;
    /// Reads exactly `buf.len()` bytes. `JET_errFileIOBeyondEOF` (-4001) if the file ends before.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()>;
    /// Writes all of `buf`, extending the file if needed.
    fn write_at(&self, buf: &[u8], offset: u64) -> Result<()>;
    /// Makes all completed writes and the length durable (`fdatasync`).
    fn sync(&self) -> Result<()>;
    /// Starts write-back of a range without waiting; makes nothing durable. Only a hint.
    fn start_writeback(&self, offset: u64, len: u64);
    /// Says that a range will be read soon. Only a hint.
    fn will_need(&self, offset: u64, len: u64);
    /// The first offset from `offset` on that may hold anything but zeros: what lies before it is a
    /// hole of a sparse file. `offset` where that is not known, `u64::MAX` if only a hole follows.
    fn next_data(&self, offset: u64) -> u64 {
        offset
    }
    /// Bytes of disk that it takes: less than its length if it has holes. Room that is reserved and
    /// was never written counts, though [`File::next_data`] passes over it.
    fn disk_bytes(&self) -> Result<u64> {
        self.len()
    }
    /// Length in bytes.
    fn len(&self) -> Result<u64>;
    /// Is it empty?
    fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Cuts or extends (with zeros) to a length.
    fn set_len(&self, len: u64) -> Result<()>;
    /// Reserves disk space for a range and extends the file over it; new bytes read as zero.
    /// `JET_errDiskFull` if there is none. Falls back to `set_len`.
    fn allocate(&self, offset: u64, len: u64) -> Result<()>;
    /// Locks the whole file until the handle is dropped, against other handles in this and other
    /// processes. `JET_errFileAccessDenied` (-1032) at once if another handle holds it.
    fn lock(&self, mode: LockMode) -> Result<()>;
    /// Gives the lock up before the handle is dropped: others may still have a reference to it.
    fn unlock(&self) -> Result<()>;
    /// Is it the file that has this name now? Another one may have taken it, or nobody has it.
    fn is_at(&self, path: &Path) -> Result<bool>;
    /// Maps the file for reading, if this file system's maps are coherent with its writes.
    /// `None` means: read pages with `read_at` instead.
    fn map(&self) -> Result<Option<Arc<dyn PageMap>>>;
}

/// A read-only map that covers a file as it grows, in windows that never move.
pub trait PageMap: Send + Sync + Debug {
    /// Makes a range of the file present in memory, so that touching it cannot fault.
    /// `JET_errDiskIO` if the device cannot deliver it, `JET_errFileIOBeyondEOF` past the end.
    fn populate(&self, offset: u64, len: usize) -> Result<()>;
    /// The bytes of a range inside one window (a page always is, when aligned to its size).
    ///
    /// # Safety
    /// The range lies inside the file and stays so, and no one writes these bytes of the file while
    /// the slice lives. The page cache keeps both: the file is locked against other engines, it is
    /// cut off only behind pages that nobody looks at any more, and a page is only written while
    /// its readers use its frame.
    unsafe fn bytes(&self, offset: u64, len: usize) -> &[u8];
}
