//! The second table: a primary key, one secondary index, rows that change.
//!
//! `workload` is what is measured, `zipf` draws its popular keys; the engines' side is in
//! `engines/indexed`.

pub(crate) mod workload;
pub(crate) mod zipf;

use crate::{
    rows::{Digest, Key},
    store::Result,
};

/// A row: 24-byte key, 8-byte tag with a secondary index, value of 150 bytes.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) key: Key,
    pub(crate) tag: u64,
    pub(crate) value: &'a [u8],
}

/// One change of a row; the row of the key exists, or for an insert does not.
#[derive(Clone, Copy)]
pub(crate) enum Change<'a> {
    Insert(Entry<'a>),
    /// The indexed column stays as it is.
    SetValue(Key, &'a [u8]),
    /// The index entry moves.
    SetTag(Key, u64),
    Delete(Key),
}

/// An open, empty database with the table and its index.
pub(crate) trait IndexedStore: Sync {
    /// Loads rows that come in key order, with their index; durable at return. Not measured: each
    /// engine does it as it likes best.
    fn load(&self, rows: &mut dyn Iterator<Item = Entry<'_>>) -> Result<()>;

    /// A reader for the calling thread.
    fn reader(&self) -> Result<Box<dyn IndexedReader + '_>>;

    /// A writer for the calling thread.
    fn writer(&self) -> Result<Box<dyn IndexedWriter + '_>>;

    /// Number of rows of the table and of entries of the index, each counted by walking it.
    fn count(&self) -> Result<(u64, u64)>;

    /// Bytes of the files that hold rows and index, without logs.
    fn data_bytes(&self) -> Result<u64>;
}

/// Reads; each call is one read transaction.
pub(crate) trait IndexedReader {
    /// Looks all keys up and digests the values. A missing key is an error.
    fn get(&mut self, keys: &[Key]) -> Result<Digest>;

    /// Reads `count` rows in key order from each of the keys on and digests the values.
    fn scan(&mut self, from: &[Key], count: usize) -> Result<Digest>;
}

/// Writes.
pub(crate) trait IndexedWriter {
    /// One transaction; durable at return.
    fn commit(&mut self, changes: &[Change<'_>]) -> Result<()>;
}
