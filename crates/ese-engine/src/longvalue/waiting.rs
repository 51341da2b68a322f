//! Changes of long values that wait for their row to be written.
//!
//! A value to which one row refers is changed where it lies, together with its row: chunks and root
//! are versioned then, like rows (decision 0025). Until the row is written the changed chunks
//! are here, in memory, so that an update which is dropped has nothing to take back. An update that
//! changes more than [`CHANGED_MAX`] writes a copy of the value instead.

use std::collections::BTreeMap;

use ese_base::{Error, JetErr, Result};

use super::{LongTree, Nodes, Packing, Root, StoredSize, chunk_key, index, read, root_key};
use crate::{record::Lid, session::Session, tree::Position, version::Lock};

/// Bytes of changed chunks that an update holds for one value.
const CHANGED_MAX: u64 = 4 << 20;
/// Values that an update holds changes for: a row may refer to more.
const VALUES_MAX: usize = 16;
/// What a version takes beside the data from before, about.
const VERSION_LEN: u64 = 256;

/// The changes of one update.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    values: Vec<Changed>,
    /// Highest transaction level in which one of them was made.
    pub(crate) level: u8,
}

impl Waiting {
    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Changed> {
        self.values.iter()
    }

    /// The value with this id, if it is changed.
    pub(crate) fn of(&self, lid: Lid) -> Option<&Changed> {
        self.values.iter().find(|value| value.lid == lid)
    }

    /// The row has something else in the place of the value.
    pub(crate) fn forget(&mut self, lid: Lid) {
        self.values.retain(|value| value.lid != lid);
    }

    /// Changes a value; nothing of it on an error. False: that is too much to wait in memory.
    ///
    /// # Errors
    /// Those of reading.
    pub(crate) fn change(
        &mut self,
        nodes: &dyn Nodes,
        (lid, chunk, packing): (Lid, u32, Packing),
        step: &Step<'_>,
    ) -> Result<bool> {
        if let Some(value) = self.values.iter_mut().find(|value| value.lid == lid) {
            return value.change(nodes, step);
        }
        if self.values.len() >= VALUES_MAX {
            return Ok(false);
        }
        let size = super::readable_size(nodes, lid)?;
        let chunks = BTreeMap::new();
        let mut value = Changed { lid, chunk, packing, stored: size, kept: size, size, chunks };
        let fits = value.change(nodes, step)?;
        if fits {
            self.values.push(value);
        }
        Ok(fits)
    }
}

/// One change of a value: bytes over what there is, or behind it, and then a new length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step<'v> {
    /// Where the bytes go; not behind the end.
    pub(crate) offset: u32,
    pub(crate) bytes: &'v [u8],
    /// What is cut off, or filled up with zeros, at the end.
    pub(crate) size: u32,
}

/// A value with changes that wait.
#[derive(Debug)]
pub(crate) struct Changed {
    lid: Lid,
    /// Chunk length.
    chunk: u32,
    packing: Packing,
    /// Its size as it is stored.
    stored: u32,
    /// So many of the stored bytes are still in it, where no chunk below says otherwise.
    kept: u32,
    /// Its size.
    size: u32,
    /// The chunks that are others than stored, whole, by their offsets.
    chunks: BTreeMap<u32, Vec<u8>>,
}

impl Changed {
    pub(crate) fn lid(&self) -> Lid {
        self.lid
    }

    pub(crate) fn size(&self) -> u32 {
        self.size
    }

    pub(crate) fn packing(&self) -> Packing {
        self.packing
    }

    /// At most `most` bytes from `offset` on.
    ///
    /// # Errors
    /// As [`read`].
    pub(crate) fn read(&self, nodes: &dyn Nodes, offset: u32, most: usize) -> Result<Vec<u8>> {
        let left = index(self.size.saturating_sub(offset)).min(most);
        let end = offset.saturating_add(u32::try_from(left).unwrap_or(u32::MAX));
        let (mut out, mut at) = (Vec::new(), offset);
        while at < end {
            let begin = at / self.chunk * self.chunk;
            let stop = match self.chunks.get(&begin) {
                Some(bytes) => {
                    let stop = end.min(begin.saturating_add(self.chunk));
                    let part = bytes.get(index(at - begin)..index(stop - begin));
                    out.extend_from_slice(part.ok_or_else(|| self.gap(begin))?);
                    stop
                }
                None => {
                    // As far as nothing is changed.
                    let next = self.chunks.range(begin..).next().map_or(end, |(at, _)| *at);
                    let stop = end.min(next);
                    let part = read(nodes, self.lid, self.chunk, at, index(stop - at))?;
                    if part.len() != index(stop - at) {
                        return Err(self.gap(begin));
                    }
                    out.extend_from_slice(&part);
                    stop
                }
            };
            at = stop;
        }
        Ok(out)
    }

    /// What it would take in its tree, if nothing of it were compressed.
    pub(crate) fn stored_size(&self, chunks: bool) -> StoredSize {
        let (data, key) = (u64::from(self.size), root_key(self.lid).len() as u64);
        let count = u64::from(self.size.div_ceil(self.chunk.max(1)));
        let chunks = if chunks { count } else { 0 };
        let overhead = key + size_of::<[u32; 2]>() as u64 + chunks * (key + 4);
        StoredSize { data, stored: data, overhead, nodes: chunks + 1 }
    }

    fn gap(&self, at: u32) -> Error {
        let what = format!("long value {}: its chunk at {at} is too short", self.lid.0);
        Error::new(JetErr::LVCorrupted, what)
    }

    fn held(&self) -> u64 {
        self.chunks.values().map(|chunk| chunk.len() as u64).sum()
    }

    /// The chunk at an offset as it is now; nothing behind the end.
    fn load(&self, nodes: &dyn Nodes, at: u32) -> Result<Vec<u8>> {
        if let Some(chunk) = self.chunks.get(&at) {
            return Ok(chunk.clone());
        }
        let len = self.chunk.min(self.kept.saturating_sub(at));
        read(nodes, self.lid, self.chunk, at, index(len))
    }

    fn change(&mut self, nodes: &dyn Nodes, step: &Step<'_>) -> Result<bool> {
        let Step { offset, bytes, size } = *step;
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let end = offset.saturating_add(len);
        let grows = u64::from(size.saturating_sub(self.size.max(end)));
        let more = bytes.len() as u64 + grows + 2 * u64::from(self.chunk);
        if offset > self.size || self.held() + more > CHANGED_MAX || self.cuts_much(size) {
            return Ok(false);
        }
        let mut changed = Vec::new();
        let (mut at, mut rest) = (offset, bytes);
        while at < end {
            let begin = at / self.chunk * self.chunk;
            let stop = begin.saturating_add(self.chunk).min(end);
            let (part, behind) = rest.split_at_checked(index(stop - at)).unwrap_or((rest, &[]));
            let whole = at == begin && stop >= self.size.min(begin.saturating_add(self.chunk));
            let mut chunk = if whole { Vec::new() } else { self.load(nodes, begin)? };
            chunk.resize(chunk.len().max(index(stop - begin)), 0);
            if let Some(place) = chunk.get_mut(index(at - begin)..index(stop - begin)) {
                place.copy_from_slice(part);
            }
            changed.push((begin, chunk));
            (at, rest) = (stop, behind);
        }
        // The last chunk gets another length, if it is not among the changed ones.
        let between = self.size.max(end);
        let edge = size.min(between) / self.chunk * self.chunk;
        let partial = size != between && edge < size && edge < between;
        if partial && !changed.iter().any(|(at, _)| *at == edge) {
            changed.push((edge, self.load(nodes, edge)?));
        }
        self.chunks.extend(changed);
        self.size = between;
        self.resize(size);
        Ok(true)
    }

    /// Gives it a length. The chunk in which the smaller of both ends lies is at hand.
    fn resize(&mut self, size: u32) {
        if size < self.size {
            drop(self.chunks.split_off(&size));
            let last = size / self.chunk * self.chunk;
            if let Some(chunk) = self.chunks.get_mut(&last) {
                chunk.truncate(index(size - last));
            }
            if size < self.kept {
                self.kept = last;
            }
        }
        if size > self.size {
            let mut at = self.size / self.chunk * self.chunk;
            while at < size {
                let len = index(self.chunk.min(size - at));
                self.chunks.entry(at).or_default().resize(len, 0);
                at = at.saturating_add(self.chunk);
            }
        }
        self.size = size;
    }

    /// Chunks that go each take a version: where they are most of the value, the rest is copied.
    fn cuts_much(&self, size: u32) -> bool {
        let (gone, left) = (self.stored.saturating_sub(size) / self.chunk, size / self.chunk);
        gone > left + 1 || u64::from(gone) * VERSION_LEN > CHANGED_MAX / 4
    }

    /// What writing it puts into the version store, about.
    fn versions_len(&self) -> u64 {
        let gone = u64::from(self.stored.saturating_sub(self.size) / self.chunk);
        let replaced = self.chunks.range(..self.stored).map(|(_, chunk)| chunk.len() as u64);
        replaced.sum::<u64>() + VERSION_LEN * (self.chunks.len() as u64 + gone + 2)
    }
}

impl LongTree {
    /// Changes a value where it lies, if nobody else has to do with it: one row refers to it,
    /// nobody else copies that row, and there is room for the versions. False: nothing happened.
    ///
    /// To be called in a statement. Whoever wants to refer to the value, or to change it, before
    /// this transaction has ended and is seen, is in conflict with it: the root is locked.
    ///
    /// # Errors
    /// Those of reading and writing.
    pub(crate) fn change_in_place(&self, session: &mut Session, value: &Changed) -> Result<bool> {
        let (key, instance) = (root_key(value.lid), session.instance());
        let alone = instance.unreferenced.pins.count(&self.tree, value.lid) <= 1;
        if !alone || !instance.versions.has_room_for(value.versions_len()) {
            return Ok(false);
        }
        let old = super::root(&self.seen(session), value.lid)?;
        if old.references != 1 || old.size != value.stored || old.encrypted {
            return Ok(false);
        }
        match session.lock(&self.db, &self.tree, &key, Lock::Write) {
            Err(error) if error.code() == JetErr::WriteConflict => return Ok(false),
            other => other?,
        }
        // Who begins to copy the row now sees the lock.
        if session.instance().unreferenced.pins.count(&self.tree, value.lid) > 1 {
            return Ok(false);
        }
        let LongTree { db, tree, .. } = self;
        let hint = &mut Position::default();
        let end = value.size.div_ceil(self.chunk).saturating_mul(self.chunk);
        self.delete_chunks(session, value.lid, end, old.size)?;
        for (at, content) in &value.chunks {
            let packed = value.packing.packed(content);
            let (key, data) = (chunk_key(value.lid, *at), packed.as_deref().unwrap_or(content));
            if *at < old.size {
                session.replace(db, tree, hint, &key, data)?;
            } else {
                session.insert(db, tree, hint, &key, data)?;
            }
        }
        if value.size != old.size {
            let root = Root { size: value.size, ..old };
            session.replace(db, tree, &mut Position::default(), &key, &root.to_bytes())?;
        }
        Ok(true)
    }
}
