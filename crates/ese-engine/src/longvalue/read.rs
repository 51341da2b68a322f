//! Reading a long value, whole or from an offset on.

use std::ops::ControlFlow;

use ese_base::{Error, JetErr, Result};
use ese_pages::cache::PageCache;

use super::{
    Root, chunk_key, chunk_len, root_key,
    walk::{ROOM_AT_ONCE, damaged, plain_chunk, read_whole},
};
use crate::{
    reader::nodes_from,
    record::{Lid, LongValues},
    schema::TableSchema,
    tree::TreeView,
};

/// Sees a node's key and data, and says whether to go on.
pub type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>> + 'a;

/// Visits the nodes of a long-value tree that a reader sees, from a key on, in order: key and data.
pub trait Nodes {
    /// Ends when the visitor breaks or fails.
    ///
    /// # Errors
    /// Those of reading; the visitor's.
    fn visit(&self, from: &[u8], each: &mut Visit<'_>) -> Result<()>;
}

/// The size of a value in bytes.
///
/// # Errors
/// `JET_errLVCorrupted` (-1526) if the tree has no such value.
pub fn size(nodes: &dyn Nodes, lid: Lid) -> Result<u32> {
    Ok(root(nodes, lid)?.size)
}

/// What a value takes in its tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoredSize {
    /// Bytes of the value.
    pub data: u64,
    /// The same as they are stored: less where chunks are compressed.
    pub stored: u64,
    /// Keys, and the data of the root node.
    pub overhead: u64,
    /// Nodes: the root, and one a chunk.
    pub nodes: u64,
}

/// What a value takes in its tree. Without `chunks` that is what its root says: nothing of it
/// counts as compressed, and no other node is looked at.
///
/// # Errors
/// As [`size`].
pub fn stored_size(nodes: &dyn Nodes, lid: Lid, chunks: bool) -> Result<StoredSize> {
    let key = root_key(lid);
    let mut found = StoredSize { data: u64::from(size(nodes, lid)?), ..StoredSize::default() };
    nodes.visit(&key, &mut |at, data| {
        if !at.starts_with(&key) {
            return Ok(ControlFlow::Break(()));
        }
        let len = data.len() as u64;
        found.nodes += 1;
        found.overhead += at.len() as u64;
        *(if at == key { &mut found.overhead } else { &mut found.stored }) += len;
        Ok(if chunks { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    if !chunks {
        found.stored = found.data;
    }
    Ok(found)
}

pub(crate) fn root(nodes: &dyn Nodes, lid: Lid) -> Result<Root> {
    let (key, mut found) = (root_key(lid), None);
    nodes.visit(&key, &mut |at, data| {
        if at == key {
            found = Some(Root::parse(data).ok_or_else(|| damaged(lid, "its root is malformed"))?);
        }
        Ok(ControlFlow::Break(()))
    })?;
    found.ok_or_else(|| missing(lid))
}

#[cold]
pub(super) fn missing(lid: Lid) -> Error {
    damaged(lid, "it is not in the tree of long values")
}

/// The size of a value whose bytes this version can read.
///
/// # Errors
/// As [`size`]; `JET_errFeatureNotAvailable` for encrypted values.
pub fn readable_size(nodes: &dyn Nodes, lid: Lid) -> Result<u32> {
    let root = root(nodes, lid)?;
    if root.encrypted {
        return Err(encrypted(lid));
    }
    Ok(root.size)
}

#[cold]
pub(super) fn encrypted(lid: Lid) -> Error {
    let what = format!("long value {}: encrypted values cannot be read by this version", lid.0);
    Error::new(JetErr::FeatureNotAvailable, what)
}

/// Reads at most `most` bytes of a value from `offset` on; nothing behind its end. `chunk` is the
/// tree's chunk length.
///
/// # Errors
/// `JET_errLVCorrupted` (-1526) for a value that is missing, has gaps or chunks of a wrong length;
/// `JET_errDecompressionFailed` (-1620); `JET_errFeatureNotAvailable` for encrypted values; those
/// of the source.
pub fn read(nodes: &dyn Nodes, lid: Lid, chunk: u32, offset: u32, most: usize) -> Result<Vec<u8>> {
    let size = readable_size(nodes, lid)?;
    let left = usize::try_from(size.saturating_sub(offset)).unwrap_or(usize::MAX);
    let wanted = left.min(most);
    // Grows by what is really there: the size in the root may be damaged.
    let mut out = Vec::with_capacity(wanted.min(ROOM_AT_ONCE));
    each_part(nodes, lid, (chunk, size), offset, wanted, &mut |part| {
        out.extend_from_slice(part);
        ControlFlow::Continue(())
    })?;
    Ok(out)
}

/// Fills `buf` with a value's bytes from `offset` on, as far as there are any, and says how many
/// they are. `size` is the value's, as [`readable_size`] has it for the same reader.
///
/// # Errors
/// As [`read`].
pub fn read_into(
    nodes: &dyn Nodes,
    lid: Lid,
    (chunk, size): (u32, u32),
    offset: u32,
    buf: &mut [u8],
) -> Result<usize> {
    let left = usize::try_from(size.saturating_sub(offset)).unwrap_or(usize::MAX);
    let wanted = left.min(buf.len());
    let mut rest = buf;
    each_part(nodes, lid, (chunk, size), offset, wanted, &mut |part| {
        if let Some((to, behind)) = std::mem::take(&mut rest).split_at_mut_checked(part.len()) {
            to.copy_from_slice(part);
            rest = behind;
        }
        ControlFlow::Continue(())
    })?;
    Ok(wanted)
}

/// Gives `wanted` bytes from `offset` on, in parts, until the visitor breaks; that many there must
/// be. A part lies in its page wherever it is not compressed there: the visitor runs under the
/// page's latch.
///
/// # Errors
/// As [`read`].
pub fn each_part(
    nodes: &dyn Nodes,
    lid: Lid,
    (chunk, size): (u32, u32),
    offset: u32,
    wanted: usize,
    each: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<()> {
    if wanted == 0 || chunk == 0 {
        return Ok(());
    }
    let (mut next, mut given) = (offset / chunk * chunk, 0);
    let mut enough = false;
    let mut expected = chunk_key(lid, next);
    let first = expected.clone();
    nodes.visit(&first, &mut |key, data| {
        if key != expected {
            return Ok(ControlFlow::Break(()));
        }
        let bytes = plain_chunk(lid, (chunk, size), next, data)?;
        let skip = usize::try_from(offset.saturating_sub(next)).unwrap_or(usize::MAX);
        let bytes = bytes.get(skip..).unwrap_or_default();
        let part = bytes.get(..wanted - given).unwrap_or(bytes);
        enough = each(part).is_break();
        given += part.len();
        next = match next.checked_add(chunk) {
            Some(next) if given < wanted && !enough => next,
            _ => return Ok(ControlFlow::Break(())),
        };
        if let Some(place) = expected.last_chunk_mut() {
            *place = next.to_be_bytes();
        }
        Ok(ControlFlow::Continue(()))
    })?;
    if given < wanted && !enough {
        return Err(damaged(lid, &format!("its chunk at {next} of {size} bytes is missing")));
    }
    Ok(())
}

/// The long values of a table in a file that nobody has attached.
#[derive(Debug)]
pub struct OfflineLongValues<'a> {
    cache: &'a PageCache,
    tree: Option<TreeView>,
    chunk: u32,
}

impl<'a> OfflineLongValues<'a> {
    pub(crate) fn new(cache: &'a PageCache, schema: &TableSchema) -> OfflineLongValues<'a> {
        let tree = schema.lv.as_ref().map(|lv| lv.tree().view());
        OfflineLongValues { cache, tree, chunk: chunk_len(schema) }
    }

    /// The length of a value in bytes.
    ///
    /// # Errors
    /// As [`size`].
    pub fn len_of(&self, lid: Lid) -> Result<u32> {
        size(self, lid)
    }
}

impl Nodes for OfflineLongValues<'_> {
    fn visit(&self, from: &[u8], each: &mut Visit<'_>) -> Result<()> {
        match &self.tree {
            Some(tree) => nodes_from(self.cache, tree, Some(from), each),
            None => Ok(()),
        }
    }
}

impl LongValues for OfflineLongValues<'_> {
    fn read_at(&self, lid: Lid, offset: u32, most: usize) -> Result<Vec<u8>> {
        match (offset, most) {
            // Nobody changes the file, so whatever the tree has of the value belongs to it.
            (0, usize::MAX) => read_whole(self, lid, self.chunk),
            _ => read(self, lid, self.chunk, offset, most),
        }
    }

    fn len_of(&self, lid: Lid) -> Result<u32> {
        size(self, lid)
    }
}
