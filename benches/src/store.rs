//! What an engine must offer to be measured.

use std::path::{Path, PathBuf};

use crate::rows::{Digest, Key, Row};

/// Errors of a measurement: whatever the engine says.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// An open, empty database with one table: 24-byte keys, values of bytes.
pub(crate) trait Store: Sync {
    /// Bytes it was told to use for its own cache; the memory figure is compared with it.
    fn cache_bytes(&self) -> u64;

    /// Loads rows that come in key order; durable at return.
    fn load_sorted(&self, rows: &mut dyn Iterator<Item = Row<'_>>) -> Result<()>;

    /// A writer for the calling thread.
    fn writer(&self) -> Result<Box<dyn Writer + '_>>;

    /// Looks all keys up in one read transaction, digests the values. A missing key is an error.
    fn get_all(&self, keys: &[Key]) -> Result<Digest>;

    /// Reads all rows in key order in one read transaction and digests them.
    fn scan(&self) -> Result<Digest>;

    /// Copies the open database into an empty folder, while others may write. `false`: the engine
    /// has no such call.
    fn backup(&self, into: &Path) -> Result<bool>;

    /// As [`Store::backup`], but nothing has to be durable at return, as with `cp`.
    fn backup_stream(&self, _into: &Path) -> Result<bool> {
        Ok(false)
    }

    /// The files and folders that a plain copy would have to take.
    fn files(&self) -> Vec<PathBuf>;
}

/// Writes transactions of new rows.
pub(crate) trait Writer {
    /// One transaction; durable at return (a power cut right after loses nothing of it).
    fn commit(&mut self, rows: &[Row<'_>]) -> Result<()>;
}
