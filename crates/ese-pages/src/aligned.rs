//! Memory in whole, aligned 4 KiB blocks: what frames are made of, what batches are written from,
//! and what direct output and the reading calls of a backup want (backup-log-recovery section 9).

use std::{collections::TryReserveError, fmt};

use ese_base::{Error, JetErr, Result};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bytes of a block; every page size is a multiple.
pub const BLOCK_LEN: usize = 4096;

/// Buffers of this size ask for large pages of memory.
const LARGE_LEN: usize = 4 << 20;

/// One block.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(4096))]
struct Block([u8; BLOCK_LEN]);

/// A buffer of whole blocks: its address and its length are multiples of [`BLOCK_LEN`].
#[derive(Default)]
pub struct AlignedBuffer {
    blocks: Vec<Block>,
}

impl AlignedBuffer {
    /// At least `len` bytes, rounded up to whole blocks, all zero.
    ///
    /// # Errors
    /// `JET_errOutOfMemory` (-1011).
    pub fn new(len: usize) -> Result<AlignedBuffer> {
        let count = len.div_ceil(BLOCK_LEN);
        let mut blocks: Vec<Block> = Vec::new();
        blocks.try_reserve_exact(count).map_err(|error| no_memory(len, &error))?;
        if len >= LARGE_LEN {
            ese_os::prefer_large_pages(blocks.spare_capacity_mut());
        }
        blocks.resize(count, Block([0; BLOCK_LEN]));
        Ok(AlignedBuffer { blocks })
    }

    /// Bytes, a multiple of [`BLOCK_LEN`].
    #[must_use]
    pub fn len(&self) -> usize {
        self.blocks.len() * BLOCK_LEN
    }

    /// Has it no blocks?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.blocks.as_slice().as_bytes()
    }

    /// The bytes, to be filled.
    #[must_use]
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        self.blocks.as_mut_slice().as_mut_bytes()
    }

    /// Where the bytes lie; they stay there while the buffer lives, wherever it moves.
    pub(crate) fn as_mut_ptr(&mut self) -> *mut u8 {
        self.blocks.as_mut_ptr().cast()
    }
}

impl fmt::Debug for AlignedBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AlignedBuffer({} bytes)", self.len())
    }
}

/// Does the slice begin at a multiple of [`BLOCK_LEN`]?
#[must_use]
pub fn is_aligned(bytes: &[u8]) -> bool {
    bytes.as_ptr().addr().is_multiple_of(BLOCK_LEN)
}

fn no_memory(len: usize, error: &TryReserveError) -> Error {
    Error::new(JetErr::OutOfMemory, format!("a buffer of {len} bytes: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_zeroed_and_whole_blocks() {
        let mut buf = AlignedBuffer::new(5000).unwrap();
        assert_eq!(buf.len(), 8192);
        assert!(is_aligned(buf.as_slice()) && !is_aligned(&buf.as_slice()[1..]));
        assert!(buf.as_slice().iter().all(|&byte| byte == 0));
        buf.as_mut_slice()[8191] = 1;
        assert_eq!(buf.as_slice()[8191], 1);
        assert_eq!(AlignedBuffer::new(usize::MAX / 2).unwrap_err().code(), JetErr::OutOfMemory);
    }
}
