//! The engines' side of the table with an index. Where an engine has no indexes of its own, a
//! second tree of tag and key is kept in the same transaction.

pub(crate) mod ese;
#[cfg(feature = "peers")]
pub(crate) mod fjall;
#[cfg(feature = "peers")]
pub(crate) mod lmdb;
#[cfg(feature = "peers")]
pub(crate) mod redb;
#[cfg(feature = "peers")]
pub(crate) mod sqlite;

#[cfg(feature = "peers")]
use crate::{indexed::Entry, rows::Key};

/// Rows of engines that know only keys and values: the tag stands before the value.
#[cfg(feature = "peers")]
fn stored(tag: u64, value: &[u8]) -> Vec<u8> {
    [&tag.to_be_bytes(), value].concat()
}

/// Tag and value of such a row.
#[cfg(feature = "peers")]
fn parts(row: &[u8]) -> (u64, &[u8]) {
    row.split_first_chunk().map_or((0, row), |(tag, value)| (u64::from_be_bytes(*tag), value))
}

/// An entry of such an index.
#[cfg(feature = "peers")]
fn index_entry(tag: u64, key: &Key) -> [u8; 32] {
    let mut entry = [0; 32];
    entry[..8].copy_from_slice(&tag.to_be_bytes());
    entry[8..].copy_from_slice(key);
    entry
}

/// The index entries of rows, in order.
#[cfg(feature = "peers")]
fn sorted_index<'r>(rows: impl Iterator<Item = Entry<'r>>) -> Vec<[u8; 32]> {
    let mut entries: Vec<_> = rows.map(|row| index_entry(row.tag, &row.key)).collect();
    entries.sort_unstable();
    entries
}
