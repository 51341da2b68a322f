//! Buffers that direct output accepts: whole 4 KiB blocks at 4 KiB addresses.

use ese_base::{Error, JetErr, Result};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Alignment that the reading calls ask for (backup-log-recovery section 9, D24) and that direct
/// output wants.
pub const BLOCK_LEN: usize = 4096;

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(4096))]
struct Block([u8; BLOCK_LEN]);

/// A byte buffer whose address and length are multiples of [`BLOCK_LEN`].
pub struct AlignedBuffer(Vec<Block>);

impl AlignedBuffer {
    /// A buffer of at least `len` bytes, all zero.
    ///
    /// # Errors
    /// `JET_errOutOfMemory` (-1011).
    pub fn new(len: usize) -> Result<AlignedBuffer> {
        let blocks = len.div_ceil(BLOCK_LEN);
        let mut memory = Vec::new();
        memory.try_reserve_exact(blocks).map_err(|error| {
            Error::new(JetErr::OutOfMemory, format!("a buffer of {len} bytes")).caused_by(error)
        })?;
        memory.resize(blocks, Block([0; BLOCK_LEN]));
        Ok(AlignedBuffer(memory))
    }

    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The bytes, to be filled.
    #[must_use]
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        self.0.as_mut_bytes()
    }
}

impl std::fmt::Debug for AlignedBuffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AlignedBuffer({} bytes)", self.0.len() * BLOCK_LEN)
    }
}

/// Does the slice begin at a multiple of [`BLOCK_LEN`]?
#[must_use]
pub(crate) fn is_aligned(bytes: &[u8]) -> bool {
    bytes.as_ptr().addr().is_multiple_of(BLOCK_LEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_rounded_up_and_aligned() {
        let mut buffer = AlignedBuffer::new(BLOCK_LEN + 1).unwrap();
        assert_eq!(buffer.as_slice().len(), 2 * BLOCK_LEN);
        assert!(is_aligned(buffer.as_slice()));
        buffer.as_mut_slice()[BLOCK_LEN] = 7;
        assert!(!is_aligned(&buffer.as_slice()[1..]));
        assert_eq!(buffer.as_slice()[BLOCK_LEN], 7);
    }
}
