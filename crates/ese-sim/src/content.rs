//! The bytes of one file, shared between a disk and all crash images of it.
//!
//! Two levels of reference-counted blocks: a copy of a file copies its list of groups, a change
//! copies one group and one chunk. Hashes are kept in the blocks, so comparing two images that
//! differ in one page costs that page.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use crate::random::{hash_bytes, mix};

/// Bytes that are shared or copied as one.
const CHUNK: usize = 4096;
/// Chunks of a group.
const GROUP: usize = 64;
const GROUP_BYTES: u64 = (CHUNK * GROUP) as u64;

#[derive(Debug)]
struct Chunk {
    bytes: [u8; CHUNK],
    hash: OnceLock<u64>,
}

impl Clone for Chunk {
    fn clone(&self) -> Chunk {
        Chunk { bytes: self.bytes, hash: OnceLock::new() }
    }
}

impl Chunk {
    /// 0 for a chunk of zeros, which is the same as none.
    fn hash(&self) -> u64 {
        *self.hash.get_or_init(|| {
            if self.bytes.iter().all(|byte| *byte == 0) { 0 } else { hash_bytes(&self.bytes) | 1 }
        })
    }
}

#[derive(Debug)]
struct Group {
    chunks: [Option<Arc<Chunk>>; GROUP],
    hash: OnceLock<u64>,
}

impl Clone for Group {
    fn clone(&self) -> Group {
        Group { chunks: self.chunks.clone(), hash: OnceLock::new() }
    }
}

impl Group {
    fn hash(&self) -> u64 {
        *self.hash.get_or_init(|| {
            let mut hash = 0_u64;
            for (at, chunk) in self.chunks.iter().enumerate() {
                match chunk.as_ref().map_or(0, |chunk| chunk.hash()) {
                    0 => {}
                    some => hash = hash.wrapping_add(mix(at as u64, some)),
                }
            }
            hash
        })
    }
}

/// A file's bytes and length. Bytes that were never written are zero and take no memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    len: u64,
    groups: BTreeMap<u64, Arc<Group>>,
    hash: OnceLock<u64>,
}

impl Content {
    pub(crate) fn new(bytes: &[u8]) -> Content {
        let mut content = Content::default();
        content.put(0, bytes);
        content.set_len(bytes.len() as u64);
        content
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Bytes at an offset, zeros where there are none. Does not look at the length.
    pub(crate) fn read(&self, offset: u64, buf: &mut [u8]) {
        let mut at = offset;
        let mut rest = buf;
        while !rest.is_empty() {
            let (group, chunk, within) = place(at);
            let take = rest.len().min(CHUNK - within);
            let (part, tail) = rest.split_at_mut(take);
            match self.groups.get(&group).and_then(|group| group.chunks[chunk].as_ref()) {
                Some(chunk) => part.copy_from_slice(&chunk.bytes[within..within + take]),
                None => part.fill(0),
            }
            rest = tail;
            at += take as u64;
        }
    }

    /// The first offset from `offset` on where something was written, in whole chunks; `u64::MAX`
    /// if there is none before the end.
    pub(crate) fn next_written(&self, offset: u64) -> u64 {
        let (group, chunk, _) = place(offset);
        for (&at, found) in self.groups.range(group..) {
            let from = if at == group { chunk } else { 0 };
            let written = (from..GROUP).find(|chunk| found.chunks[*chunk].is_some());
            if let Some(chunk) = written {
                let begin = at * GROUP_BYTES + (chunk * CHUNK) as u64;
                let data = begin.max(offset);
                return if data < self.len { data } else { u64::MAX };
            }
        }
        u64::MAX
    }

    /// Places bytes without looking at or changing the length.
    pub(crate) fn put(&mut self, offset: u64, bytes: &[u8]) {
        self.hash = OnceLock::new();
        let mut at = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            let (group, chunk, within) = place(at);
            let take = rest.len().min(CHUNK - within);
            let (part, tail) = rest.split_at(take);
            let group = self.groups.entry(group).or_insert_with(empty_group);
            let group = Arc::make_mut(group);
            group.hash = OnceLock::new();
            let chunk = Arc::make_mut(group.chunks[chunk].get_or_insert_with(empty_chunk));
            chunk.hash = OnceLock::new();
            chunk.bytes[within..within + take].copy_from_slice(part);
            rest = tail;
            at += take as u64;
        }
    }

    /// Raises the length, never lowers it.
    pub(crate) fn grow(&mut self, len: u64) {
        if len > self.len {
            self.len = len;
            self.hash = OnceLock::new();
        }
    }

    /// Sets the length. Bytes behind a lowered one are gone for good.
    pub(crate) fn set_len(&mut self, len: u64) {
        self.len = len;
        self.cut();
    }

    /// Drops bytes behind the length.
    pub(crate) fn cut(&mut self) {
        self.hash = OnceLock::new();
        self.groups.split_off(&self.len.div_ceil(GROUP_BYTES));
        let (group, chunk, within) = place(self.len);
        let Some(group) = self.groups.get_mut(&group) else { return };
        let group = Arc::make_mut(group);
        group.hash = OnceLock::new();
        if let Some(last) = group.chunks[chunk].as_mut() {
            let last = Arc::make_mut(last);
            last.hash = OnceLock::new();
            last.bytes[within..].fill(0);
        }
        group.chunks[chunk + 1..].fill(None);
    }

    /// Equal for equal length and bytes.
    pub(crate) fn hash(&self) -> u64 {
        *self.hash.get_or_init(|| {
            let mut hash = mix(0, self.len);
            for (at, group) in &self.groups {
                match group.hash() {
                    0 => {}
                    some => hash = hash.wrapping_add(mix(*at, some)),
                }
            }
            hash
        })
    }

    /// All bytes up to the length.
    pub(crate) fn to_vec(&self) -> Vec<u8> {
        let mut bytes = vec![0; crate::index(self.len)];
        self.read(0, &mut bytes);
        bytes
    }
}

fn empty_group() -> Arc<Group> {
    Arc::new(Group { chunks: [const { None }; GROUP], hash: OnceLock::new() })
}

fn empty_chunk() -> Arc<Chunk> {
    Arc::new(Chunk { bytes: [0; CHUNK], hash: OnceLock::new() })
}

/// Group, chunk in it and byte in that, of an offset.
fn place(offset: u64) -> (u64, usize, usize) {
    let in_group = crate::index(offset % GROUP_BYTES);
    (offset / GROUP_BYTES, in_group / CHUNK, in_group % CHUNK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Random;

    #[test]
    fn random_changes_equal_those_of_a_plain_vector() {
        let mut random = Random::new(11);
        let mut plain: Vec<u8> = Vec::new();
        let mut content = Content::default();
        for _ in 0..400 {
            let at = random.index(600_000);
            if random.chance(1, 8) {
                plain.resize(at, 0);
                content.set_len(at as u64);
            } else {
                let len = random.between(0, 9000);
                let bytes = random.bytes(len);
                if plain.len() < at + len {
                    plain.resize(at + len, 0);
                }
                plain[at..at + len].copy_from_slice(&bytes);
                content.put(at as u64, &bytes);
                content.grow((at + len) as u64);
            }
            assert_eq!(content.len(), plain.len() as u64);
        }
        assert_eq!(content.to_vec(), plain);
        assert_eq!(content.hash(), Content::new(&plain).hash());
    }

    #[test]
    fn a_copy_is_independent_and_equal_bytes_hash_equal() {
        let mut first = Content::new(&[1; 10_000]);
        let before = first.hash();
        let second = first.clone();
        first.put(5000, &[2]);
        assert_ne!(first.hash(), before);
        assert_eq!(second.hash(), before);
        first.put(5000, &[1]);
        assert_eq!(first.hash(), before);
        first.put(9_999, &[0; 9_000]);
        first.cut();
        let mut third = second;
        third.put(9_999, &[0]);
        assert_eq!(
            first.hash(),
            third.hash(),
            "zeros written and bytes never written are the same"
        );
        third.grow(10_001);
        assert_ne!(first.hash(), third.hash(), "the length counts");
    }

    #[test]
    fn a_sparse_file_of_terabytes_is_cheap() {
        let mut content = Content::default();
        content.grow(1 << 44);
        content.put((1 << 44) - 3, b"end");
        let mut tail = [9; 5];
        content.read((1 << 44) - 5, &mut tail);
        assert_eq!(&tail, b"\0\0end");
        let data = (1 << 44) - 4096;
        assert_eq!((content.next_written(0), content.next_written(data + 5)), (data, data + 5));
        assert_eq!(content.next_written(1 << 44), u64::MAX);
        content.set_len(1 << 43);
        assert_eq!(content.next_written(0), u64::MAX);
        content.set_len(1 << 44);
        content.read((1 << 44) - 5, &mut tail);
        assert_eq!(tail, [0; 5]);
    }
}
