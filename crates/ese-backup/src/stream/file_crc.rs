//! The CRC-32 of a file whose pieces are written by several threads, in any order.
//!
//! Each writer sums its piece, so that the reading thread, which is the slowest, does not; the
//! pieces' sums are combined in the order of their places.

use std::collections::BTreeMap;

use crc32fast::Hasher;
use parking_lot::Mutex;

/// The sum so far.
#[derive(Default)]
pub(crate) struct FileCrc(Mutex<Pieces>);

#[derive(Default)]
struct Pieces {
    /// Sum of the first `len` bytes.
    sum: Hasher,
    len: u64,
    /// Sums of pieces behind a gap, by their places. As many as writers at most.
    ahead: BTreeMap<u64, (Hasher, u64)>,
}

impl FileCrc {
    /// Of a file the first bytes of which were summed before.
    pub(crate) fn going_on(sum: u32, len: u64) -> FileCrc {
        let sum = Hasher::new_with_initial_len(sum, len);
        FileCrc(Mutex::new(Pieces { sum, len, ahead: BTreeMap::new() }))
    }

    /// Takes the piece in that stands at `offset`. Pieces neither overlap nor come twice.
    pub(crate) fn add(&self, offset: u64, piece: &[u8]) {
        let mut sum = Hasher::new();
        sum.update(piece);
        let mut pieces = self.0.lock();
        pieces.ahead.insert(offset, (sum, piece.len() as u64));
        loop {
            let next = pieces.len;
            let Some((sum, len)) = pieces.ahead.remove(&next) else { return };
            pieces.sum.combine(&sum);
            pieces.len += len;
        }
    }

    /// The sum of the file's first `len` bytes; `None` if not exactly these were taken in.
    pub(crate) fn of_all(&self, len: u64) -> Option<u32> {
        let pieces = self.0.lock();
        (pieces.len == len && pieces.ahead.is_empty()).then(|| pieces.sum.clone().finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_in_any_order_give_the_sum_of_the_whole() {
        let bytes: Vec<u8> = (0..10_000u32).map(|n| u8::try_from(n * 7 % 251).unwrap()).collect();
        for order in [[0usize, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
            let crc = FileCrc::default();
            for index in order {
                assert_eq!(crc.of_all(10_000), None, "a piece is missing");
                let piece = bytes.chunks(3000).nth(index).unwrap();
                crc.add(index as u64 * 3000, piece);
            }
            assert_eq!(crc.of_all(10_000), Some(crc32fast::hash(&bytes)));
            assert_eq!(crc.of_all(9_999), None);
        }
        assert_eq!(FileCrc::default().of_all(0), Some(0));
        let (first, rest) = bytes.split_at(4321);
        let crc = FileCrc::going_on(crc32fast::hash(first), first.len() as u64);
        assert_eq!(crc.of_all(4321), Some(crc32fast::hash(first)));
        crc.add(4321, rest);
        assert_eq!(crc.of_all(10_000), Some(crc32fast::hash(&bytes)));
    }
}
