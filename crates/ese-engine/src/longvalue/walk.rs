//! The nodes of one value in the order of the tree: which must come next, and what it must hold.
//! Those who read a value as a whole and those who check one go this way, so that the one tells
//! what the other does.

use std::{borrow::Cow, ops::ControlFlow};

use ese_base::{Error, JetErr, Result};

use super::{Nodes, Root, index, lid_of_key, read::missing, root_key};
use crate::{compress, record::Lid};

/// Room that is made for a value before any of it is seen.
pub(super) const ROOM_AT_ONCE: usize = 2 << 20;

/// The way along the chunks of a value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ValueWalk {
    lid: Lid,
    root: Root,
    /// The tree's chunk length; not 0.
    chunk: u32,
    /// Where the next chunk must begin.
    next: u32,
}

impl ValueWalk {
    pub(crate) fn new(lid: Lid, root: Root, chunk: u32) -> ValueWalk {
        ValueWalk { lid, root, chunk, next: 0 }
    }

    pub(crate) fn lid(&self) -> Lid {
        self.lid
    }

    pub(crate) fn root(&self) -> Root {
        self.root
    }

    /// The next chunk in plain form; `None` if it is encrypted.
    ///
    /// # Errors
    /// `JET_errLVCorrupted` (-1526) if it is not the one that must come, or of a wrong length;
    /// those of [`plain_chunk`].
    pub(crate) fn chunk<'d>(
        &mut self,
        key: &[u8],
        data: &'d [u8],
    ) -> Result<Option<Cow<'d, [u8]>>> {
        let at = key.last_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        let Root { size, encrypted, .. } = self.root;
        if at >= size {
            let what = format!("it has a chunk at {at}, behind its {size} bytes");
            return Err(damaged(self.lid, &what));
        }
        if at != self.next {
            return Err(self.lacks_next());
        }
        self.next = at.saturating_add(self.chunk);
        if encrypted {
            return Ok(None);
        }
        plain_chunk(self.lid, (self.chunk, size), at, data).map(Some)
    }

    /// There are no more chunks.
    ///
    /// # Errors
    /// `JET_errLVCorrupted` (-1526) if one is missing.
    pub(crate) fn end(&self) -> Result<()> {
        if self.next < self.root.size { Err(self.lacks_next()) } else { Ok(()) }
    }

    #[cold]
    fn lacks_next(&self) -> Error {
        let what = format!("its chunk at {} of {} bytes is missing", self.next, self.root.size);
        damaged(self.lid, &what)
    }
}

/// The chunk at `at` of a value of `size` bytes in plain form. Nothing on the node says that it is
/// compressed: it is if it is shorter than the chunk must be (edb-format 9.3).
///
/// # Errors
/// `JET_errLVCorrupted` (-1526) for a wrong length; `JET_errDecompressionFailed` (-1620);
/// `JET_errFeatureNotAvailable` for schemes that only newer servers write.
pub(super) fn plain_chunk(
    lid: Lid,
    (chunk, size): (u32, u32),
    at: u32,
    data: &[u8],
) -> Result<Cow<'_, [u8]>> {
    let (len, found) = (index(chunk.min(size.saturating_sub(at))), data.len());
    if found == len {
        return Ok(Cow::Borrowed(data));
    }
    if found > len {
        let what = format!("its chunk at {at} has {found} bytes, {len} belong there");
        return Err(damaged(lid, &what));
    }
    let expanded = compress::expand(data, len).map_err(|error| {
        let what = format!("long value {}: its chunk at {at} has {found} bytes for {len}", lid.0);
        error.within(&what)
    })?;
    if expanded.len() != len {
        let what =
            format!("its chunk at {at} becomes {} bytes, {len} belong there", expanded.len());
        return Err(damaged(lid, &what));
    }
    Ok(Cow::Owned(expanded))
}

/// Reads a value with everything that the tree has of it: also chunks behind its end are told.
///
/// # Errors
/// As [`super::read()`].
pub(super) fn read_whole(nodes: &dyn Nodes, lid: Lid, chunk: u32) -> Result<Vec<u8>> {
    let (key, mut walk, mut out, mut wrong) = (root_key(lid), None, Vec::new(), None);
    let mut node = |at: &[u8], data: &[u8]| -> Result<ControlFlow<()>> {
        match &mut walk {
            _ if lid_of_key(at) != Some(lid) => return Ok(ControlFlow::Break(())),
            None if at != key => return Ok(ControlFlow::Break(())),
            None => {
                let malformed = || damaged(lid, "its root is malformed");
                let root = Root::parse(data).ok_or_else(malformed)?;
                if root.encrypted {
                    return Err(super::read::encrypted(lid));
                }
                // Grows by what is really there: the size in the root may be damaged.
                out.reserve(index(root.size).min(ROOM_AT_ONCE));
                walk = Some(ValueWalk::new(lid, root, chunk));
            }
            Some(walk) => {
                out.extend_from_slice(&walk.chunk(at, data)?.unwrap_or_default());
            }
        }
        Ok(ControlFlow::Continue(()))
    };
    let visited = nodes.visit(&key, &mut |at, data| {
        Ok(node(at, data).unwrap_or_else(|error| {
            wrong = Some(error);
            ControlFlow::Break(())
        }))
    });
    if let Some(error) = wrong {
        return Err(error);
    }
    match walk {
        // A damaged page behind a value that is whole is none of its pages.
        Some(walk) if walk.end().is_ok() => Ok(out),
        _ => {
            visited?;
            walk.ok_or_else(|| missing(lid))?.end().map(|()| out)
        }
    }
}

#[cold]
pub(super) fn damaged(lid: Lid, what: &str) -> Error {
    Error::new(JetErr::LVCorrupted, format!("long value {}: {what}", lid.0))
        .advise("the database is damaged: restore it from a backup")
}
