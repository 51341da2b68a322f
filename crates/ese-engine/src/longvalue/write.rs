//! Changing long values in a session's transaction.
//!
//! Nobody else can see a value before the transaction that makes it commits: its root is versioned
//! like a row, its chunks need no versions (`session::own`). Here such values are written. Who
//! wants to change another value does that in place (`super::waiting`), or makes a copy and lets
//! its reference to the old one go. References are counted by additions, which commute.

use std::{ops::ControlFlow, sync::Arc};

use ese_base::{Error, JetErr, Result};

use super::{Changed, Nodes, Root, Visit, chunk_key, index, read, read::missing, root, root_key};
use crate::{
    compress,
    database::Database,
    record::Lid,
    session::{ChunkPlace, Session},
    tree::{Position, TreeHandle},
    version::Addition,
};

/// Longest value (api-semantics 9.8).
pub const SIZE_MAX: u32 = 0x7fff_ffff;

/// A table's long-value tree, for changes.
#[derive(Clone, Debug)]
pub(crate) struct LongTree {
    pub(crate) db: Arc<Database>,
    pub(crate) tree: Arc<TreeHandle>,
    /// Chunk length.
    pub(crate) chunk: u32,
}

/// How the bytes of a value are to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// As they are.
    Plain,
    /// Compressed where that makes a chunk shorter.
    Compressed,
}

impl Packing {
    /// The bytes of a chunk as they are stored, if that is not as they are.
    pub(super) fn packed(self, content: &[u8]) -> Option<Vec<u8>> {
        match self {
            Packing::Compressed => compress::compress(content),
            Packing::Plain => None,
        }
    }
}

impl LongTree {
    /// The tree as a session sees it.
    pub(crate) fn seen<'s>(&'s self, session: &'s Session) -> SeenNodes<'s> {
        SeenNodes { db: &self.db, tree: &self.tree, session }
    }

    /// Makes a value that one record refers to.
    pub(crate) fn create(
        &self,
        session: &mut Session,
        lid: Lid,
        value: &[u8],
        packing: Packing,
    ) -> Result<()> {
        let root = Root { references: 1, size: 0, encrypted: false };
        let at = &mut Position::default();
        session.insert(&self.db, &self.tree, at, &root_key(lid), &root.to_bytes())?;
        self.write(session, lid, 0, value, packing)
    }

    /// Makes a value that has the first `size` bytes of another one, with the changes of it that
    /// wait.
    pub(crate) fn copy(
        &self,
        session: &mut Session,
        (from, to): (Lid, Lid),
        (size, changed): (u32, Option<&Changed>),
        packing: Packing,
    ) -> Result<()> {
        self.create(session, to, &[], packing)?;
        let old = self.own_root(session, to)?;
        let (mut at, hint) = (0, &mut Position::default());
        while at < size {
            let len = self.chunk.min(size - at);
            let seen = self.seen(session);
            let part = match changed {
                Some(changed) => changed.read(&seen, at, index(len))?,
                None => read(&seen, from, self.chunk, at, index(len))?,
            };
            self.put_chunk(session, hint, (to, at), false, &part, packing)?;
            at += len;
        }
        // Once: what a node was before is kept until the statement ends, for each change of it.
        if size > 0 { self.put_root(session, to, Root { size, ..old }) } else { Ok(()) }
    }

    /// Writes bytes over a value from `offset` on, which lies inside it or at its end; the value
    /// grows where they go beyond.
    pub(crate) fn write(
        &self,
        session: &mut Session,
        lid: Lid,
        offset: u32,
        bytes: &[u8],
        packing: Packing,
    ) -> Result<()> {
        let old = self.own_root(session, lid)?;
        let end = u32::try_from(bytes.len()).ok().and_then(|len| offset.checked_add(len));
        let end = end.filter(|end| *end <= SIZE_MAX).ok_or_else(too_big)?;
        let mut hint = Position::default();
        let mut rest = bytes;
        let mut from = offset;
        while from < end {
            let at = from / self.chunk * self.chunk;
            let len = (at + self.chunk).min(end) - from;
            let (part, behind) = rest.split_at_checked(index(len)).unwrap_or((rest, &[]));
            let had = self.chunk.min(old.size.saturating_sub(at));
            let whole;
            let content = if from == at && len >= had {
                part
            } else {
                let mut patched = read(&self.seen(session), lid, self.chunk, at, index(had))?;
                patched.resize(index(had.max(from - at + len)), 0);
                if let Some(place) = patched.get_mut(index(from - at)..index(from - at + len)) {
                    place.copy_from_slice(part);
                }
                whole = patched;
                &whole
            };
            self.put_chunk(session, &mut hint, (lid, at), had > 0, content, packing)?;
            (rest, from) = (behind, from + len);
        }
        if end > old.size {
            self.put_root(session, lid, Root { size: end, ..old })?;
        }
        Ok(())
    }

    /// Cuts a value, or fills it up with zeros.
    pub(crate) fn resize(
        &self,
        session: &mut Session,
        lid: Lid,
        size: u32,
        packing: Packing,
    ) -> Result<()> {
        if size > SIZE_MAX {
            return Err(too_big());
        }
        let old = self.own_root(session, lid)?;
        if old.size <= size {
            return self.fill_up(session, lid, old, size, packing);
        }
        let last = size / self.chunk * self.chunk;
        let kept = if size > last {
            read(&self.seen(session), lid, self.chunk, last, index(size - last))?
        } else {
            Vec::new()
        };
        let first_gone = if size > last { last.saturating_add(self.chunk) } else { last };
        self.delete_chunks(session, lid, first_gone, old.size)?;
        if !kept.is_empty() {
            let at = &mut Position::default();
            self.put_chunk(session, at, (lid, last), true, &kept, packing)?;
        }
        self.put_root(session, lid, Root { size, ..old })
    }

    /// Fills a value up with zeros. Each chunk and the root are written once: what a node was
    /// before is kept until the statement ends, for each change of it.
    fn fill_up(
        &self,
        session: &mut Session,
        lid: Lid,
        old: Root,
        size: u32,
        packing: Packing,
    ) -> Result<()> {
        if old.size == size {
            return Ok(());
        }
        let to_boundary = (self.chunk - old.size % self.chunk) % self.chunk;
        let mut at = old.size + to_boundary.min(size - old.size);
        let zeros = vec![0; index(self.chunk.min(size - old.size))];
        let zeros_of = |len: u32| zeros.get(..index(len)).unwrap_or(&zeros);
        if at > old.size {
            self.write(session, lid, old.size, zeros_of(at - old.size), packing)?;
        }
        if at == size {
            return Ok(());
        }
        let hint = &mut Position::default();
        while at < size {
            let len = self.chunk.min(size - at);
            self.put_chunk(session, hint, (lid, at), false, zeros_of(len), packing)?;
            at += len;
        }
        self.put_root(session, lid, Root { size, ..old })
    }

    /// One record more refers to the value. The caller keeps it (`session::Pins`): it is there even
    /// if no row refers to it any more.
    pub(crate) fn share(&self, session: &mut Session, lid: Lid) -> Result<()> {
        self.count(session, lid, 1)
    }

    /// One record less refers to the value. It goes when all can see that it was the last one.
    pub(crate) fn release(&self, session: &mut Session, lid: Lid) -> Result<()> {
        self.count(session, lid, -1)
    }

    fn count(&self, session: &mut Session, lid: Lid, delta: i64) -> Result<()> {
        let at = &mut Position::default();
        let added = Addition { offset: 0, delta, wide: false, ends_row: delta < 0 };
        let counted = session.add(&self.db, &self.tree, at, &root_key(lid), added);
        counted.map_err(|error| match error.code() {
            JetErr::RecordNotFound | JetErr::RecordDeleted => missing(lid),
            _ => error,
        })
    }

    /// Does the session see such a value?
    pub(crate) fn has(&self, session: &Session, lid: Lid) -> Result<bool> {
        let (key, mut found) = (root_key(lid), false);
        self.seen(session).visit(&key, &mut |at, _| {
            found = at == key;
            Ok(ControlFlow::Break(()))
        })?;
        Ok(found)
    }

    pub(super) fn delete_chunks(
        &self,
        session: &mut Session,
        lid: Lid,
        from: u32,
        size: u32,
    ) -> Result<()> {
        let (mut at, mut hint) = (from, Position::default());
        while at < size {
            session.delete(&self.db, &self.tree, &mut hint, &chunk_key(lid, at), &[])?;
            at = at.saturating_add(self.chunk);
        }
        Ok(())
    }

    fn put_chunk(
        &self,
        session: &mut Session,
        hint: &mut Position,
        (lid, at): (Lid, u32),
        exists: bool,
        content: &[u8],
        packing: Packing,
    ) -> Result<()> {
        let packed = packing.packed(content);
        let data = packed.as_deref().unwrap_or(content);
        let LongTree { db, tree, .. } = self;
        let root = root_key(lid);
        if exists {
            return session.rewrite_own(db, tree, hint, &chunk_key(lid, at), data);
        }
        let place = ChunkPlace { root: &root, offset: at, step: self.chunk };
        session.insert_own_chunk(db, tree, hint, place, data)
    }

    fn put_root(&self, session: &mut Session, lid: Lid, root: Root) -> Result<()> {
        let LongTree { db, tree, .. } = self;
        session.rewrite_own(db, tree, &mut Position::default(), &root_key(lid), &root.to_bytes())
    }

    /// The root of a value that is about to be changed.
    fn own_root(&self, session: &Session, lid: Lid) -> Result<Root> {
        if !session.is_own(&self.tree, &root_key(lid)) {
            let what = "a long value is changed that the transaction has not made";
            return Err(Error::new(JetErr::InternalError, what).at_path(self.db.file.path()));
        }
        root(&self.seen(session), lid)
    }
}

#[track_caller]
fn too_big() -> Error {
    Error::new(JetErr::ColumnTooBig, format!("a long value has at most {SIZE_MAX} bytes"))
}

/// The nodes of a tree that a session sees.
#[derive(Debug)]
pub(crate) struct SeenNodes<'a> {
    pub(crate) db: &'a Database,
    pub(crate) tree: &'a TreeHandle,
    pub(crate) session: &'a Session,
}

impl Nodes for SeenNodes<'_> {
    fn visit(&self, from: &[u8], each: &mut Visit<'_>) -> Result<()> {
        let position = &mut Position::default();
        crate::table::visit_seen(self.db, self.tree, self.session, (from, position), each)
    }
}
