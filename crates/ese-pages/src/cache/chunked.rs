//! An array that grows by appending chunks and never moves what it holds, so that a reference into
//! it lives as long as the array and a look-up takes no lock: three loads.

use std::sync::OnceLock;

/// Chunks that one directory holds.
const DIRECTORY_BITS: u32 = 10;

type Chunk<T> = OnceLock<Box<[T]>>;
type Directory<T> = OnceLock<Box<[Chunk<T>]>>;

/// `2^31` elements at most, in chunks of `2^CHUNK_BITS`. Index 0 exists like any other.
#[derive(Debug)]
pub(crate) struct Chunked<T, const CHUNK_BITS: u32> {
    directories: Box<[Directory<T>]>,
}

impl<T, const CHUNK_BITS: u32> Chunked<T, CHUNK_BITS> {
    /// An empty array for indexes below `2^index_bits`.
    pub(crate) fn new(index_bits: u32) -> Self {
        let count = 1_usize << index_bits.saturating_sub(CHUNK_BITS + DIRECTORY_BITS);
        Chunked { directories: empty(count) }
    }

    /// The element, if its chunk was made.
    #[inline]
    pub(crate) fn at(&self, index: u32) -> Option<&T> {
        let (directory, chunk, place) = Self::split(index);
        self.directories.get(directory)?.get()?.get(chunk)?.get()?.get(place)
    }

    /// The element; makes its chunk if needed, each element by `make`. `None` past the limit.
    pub(crate) fn at_or_make(&self, index: u32, make: impl Fn() -> T) -> Option<&T> {
        let (directory, chunk, place) = Self::split(index);
        self.directories
            .get(directory)?
            .get_or_init(|| empty(1 << DIRECTORY_BITS))
            .get(chunk)?
            .get_or_init(|| std::iter::repeat_with(make).take(1 << CHUNK_BITS).collect())
            .get(place)
    }

    #[inline]
    fn split(index: u32) -> (usize, usize, usize) {
        let index = index as usize;
        (
            index >> (CHUNK_BITS + DIRECTORY_BITS),
            (index >> CHUNK_BITS) & ((1 << DIRECTORY_BITS) - 1),
            index & ((1 << CHUNK_BITS) - 1),
        )
    }
}

fn empty<T>(count: usize) -> Box<[OnceLock<T>]> {
    std::iter::repeat_with(OnceLock::new).take(count).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn elements_are_made_by_chunks_and_stay_where_they_are() {
        let array: Chunked<AtomicU32, 4> = Chunked::new(31);
        assert!(array.at(5).is_none());
        let five = array.at_or_make(5, AtomicU32::default).unwrap();
        five.store(5, Ordering::Relaxed);
        assert!(array.at(15).is_some() && array.at(16).is_none());
        for index in [0, 16, 1 << 14, (1 << 14) - 1, (1 << 31) - 1] {
            array.at_or_make(index, AtomicU32::default).unwrap().store(index, Ordering::Relaxed);
        }
        assert_eq!(array.at(1 << 14).unwrap().load(Ordering::Relaxed), 1 << 14);
        assert_eq!(array.at((1 << 31) - 1).unwrap().load(Ordering::Relaxed), (1 << 31) - 1);
        assert!(std::ptr::eq(five, array.at(5).unwrap()));
        assert!(array.at_or_make(1 << 31, AtomicU32::default).is_none());
        assert!(array.at(u32::MAX).is_none());
    }
}
