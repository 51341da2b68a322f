//! Memory in whole, aligned 4 KiB blocks: what frames are made of and what batches are written
//! from.

use std::{collections::TryReserveError, fmt};

use ese_base::{Error, JetErr, Result};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bytes of a block; every page size is a multiple.
pub(crate) const BLOCK_LEN: usize = 4096;

/// One block.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(4096))]
pub(crate) struct Block([u8; BLOCK_LEN]);

/// A buffer of whole blocks, zeroed when made.
#[derive(Default)]
pub(crate) struct AlignedBuf {
    blocks: Vec<Block>,
}

impl AlignedBuf {
    /// At least `len` bytes, rounded up to whole blocks.
    ///
    /// # Errors
    /// `JET_errOutOfMemory`.
    pub(crate) fn zeroed(len: usize) -> Result<AlignedBuf> {
        let count = len.div_ceil(BLOCK_LEN);
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(count).map_err(|error| no_memory(len, &error))?;
        blocks.resize(count, Block([0; BLOCK_LEN]));
        Ok(AlignedBuf { blocks })
    }

    pub(crate) fn len(&self) -> usize {
        self.blocks.len() * BLOCK_LEN
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.blocks.as_slice().as_bytes()
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        self.blocks.as_mut_slice().as_mut_bytes()
    }

    /// Where the bytes lie; they stay there while the buffer lives, wherever it moves.
    pub(crate) fn as_mut_ptr(&mut self) -> *mut u8 {
        self.blocks.as_mut_ptr().cast()
    }
}

impl fmt::Debug for AlignedBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AlignedBuf({} bytes)", self.len())
    }
}

fn no_memory(len: usize, error: &TryReserveError) -> Error {
    Error::new(JetErr::OutOfMemory, format!("no memory for {len} bytes of page buffers: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_zeroed_and_whole_blocks() {
        let mut buf = AlignedBuf::zeroed(5000).unwrap();
        assert_eq!(buf.len(), 8192);
        assert_eq!(buf.as_mut_ptr().addr() % BLOCK_LEN, 0);
        assert!(buf.bytes().iter().all(|&byte| byte == 0));
        buf.bytes_mut()[8191] = 1;
        assert_eq!(buf.bytes()[8191], 1);
        assert_eq!(AlignedBuf::zeroed(usize::MAX / 2).unwrap_err().code(), JetErr::OutOfMemory);
    }
}
