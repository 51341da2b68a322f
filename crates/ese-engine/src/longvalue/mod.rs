//! Long values: columns too long for their record, in a tree of their own (edb-format 9).
//!
//! A record holds the value's id (LID). The tree has, for each id, a root node with the number of
//! records that refer to it and the size of the value, and behind it the value in chunks of a fixed
//! length, keyed by id and offset. The tree's order is therefore the order in which a value is
//! read.
//!
//! A value is written, without versions, by the transaction that makes it. Later it is changed only
//! while one row refers to it, with that row and versioned like it (`waiting`), or copied. Beside
//! that references are added and given up, which commutes. Who gives one up does not know whether
//! it was the last: the value is removed when nobody needs the versions of its count any more and
//! the count is zero (`session::unreferenced`).

mod read;
mod remove;
#[cfg(test)]
mod tests;
mod waiting;
mod walk;
mod write;

use ese_base::PageSize;

pub(crate) use read::root;
pub use read::{
    Nodes, OfflineLongValues, StoredSize, Visit, each_part, read, read_into, readable_size, size,
    stored_size,
};
pub(crate) use remove::{remove_some, remove_value};
pub(crate) use waiting::{Changed, Step, Waiting};
pub(crate) use walk::ValueWalk;
pub use write::SIZE_MAX;
pub(crate) use write::{LongTree, Packing};

use crate::{record::Lid, schema::TableSchema};

/// Bytes of a chunk, all but the last of a value (edb-format 9.2).
#[must_use]
pub fn chunk_len(schema: &TableSchema) -> u32 {
    schema.lv_chunk_max.filter(|&len| len > 0).unwrap_or(chunk_len_of(schema.page_size))
}

/// The same where a table has no wish of its own.
#[must_use]
pub fn chunk_len_of(page_size: PageSize) -> u32 {
    match page_size {
        PageSize::K2 => 1966,
        PageSize::K4 => 4014,
        PageSize::K8 => 8110,
        PageSize::K16 => 4050,
        PageSize::K32 => 8150,
    }
}

/// A length as an index; values are shorter than 2 GiB.
fn index(len: u32) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}

/// Key of a value's root node: the id, big-endian, in four bytes, or in eight with the top bit set.
#[must_use]
pub fn root_key(lid: Lid) -> Vec<u8> {
    match u32::try_from(lid.0) {
        Ok(short) => short.to_be_bytes().to_vec(),
        Err(_) => lid.0.to_be_bytes().to_vec(),
    }
}

/// Key of the chunk that begins at this offset.
#[must_use]
pub fn chunk_key(lid: Lid, offset: u32) -> Vec<u8> {
    let mut key = root_key(lid);
    key.extend_from_slice(&offset.to_be_bytes());
    key
}

/// The id in a key of the tree, of a root or of a chunk.
pub(crate) fn lid_of_key(key: &[u8]) -> Option<Lid> {
    let root = match key.len() {
        4 | 8 if key.first().is_some_and(|byte| byte & 0x80 == 0) => key.get(..4),
        8 | 12 if key.first().is_some_and(|byte| byte & 0x80 != 0) => key.get(..8),
        _ => None,
    };
    lid_of_root(root?)
}

/// The id, if it is the key of a root node (edb-format 9.2).
pub(crate) fn lid_of_root(key: &[u8]) -> Option<Lid> {
    let lid = match key.len() {
        4 => Lid(u64::from(u32::from_be_bytes(key.try_into().ok()?))),
        8 if key.first().is_some_and(|byte| byte & 0x80 != 0) => {
            Lid(u64::from_be_bytes(key.try_into().ok()?))
        }
        _ => return None,
    };
    (root_key(lid) == key).then_some(lid)
}

/// What the root node of a value says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// How many records refer to the value; each value of a multi-valued column counts.
    pub references: u32,
    /// Bytes of the value, uncompressed.
    pub size: u32,
    /// The chunks are encrypted.
    pub encrypted: bool,
}

impl Root {
    /// Reads the data of a root node: 8 bytes, or 9 with flags.
    #[must_use]
    pub fn parse(data: &[u8]) -> Option<Root> {
        let (&[r0, r1, r2, r3, s0, s1, s2, s3], flags) = data.split_first_chunk::<8>()?;
        if flags.len() > 1 {
            return None;
        }
        Some(Root {
            references: u32::from_le_bytes([r0, r1, r2, r3]),
            size: u32::from_le_bytes([s0, s1, s2, s3]),
            encrypted: flags.first().is_some_and(|flags| flags & 1 != 0),
        })
    }

    /// The data of a root node.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 8] {
        let mut data = [0; 8];
        let (references, size) = data.split_at_mut(4);
        references.copy_from_slice(&self.references.to_le_bytes());
        size.copy_from_slice(&self.size.to_le_bytes());
        data
    }
}
