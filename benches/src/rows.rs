//! The rows: random keys of 24 bytes, values of 150 bytes that do not compress.
//!
//! Row `n` is the same in every run and every engine, and costs a few nanoseconds to make, so the
//! generator does not show in the figures.

/// A key.
pub(crate) type Key = [u8; 24];

/// Bytes of a value.
pub(crate) const VALUE_LEN: usize = 150;

/// Bytes of the longest value.
pub(crate) const LONGEST: usize = 1 << 20;

/// Values that are longer are digested whole.
const LONG: usize = 4096;

/// Random bytes that values are cut from.
const POOL_LEN: usize = 2 << 20;

/// One row.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) key: Key,
    pub(crate) value: &'a [u8],
}

/// What was read, in short; proves that an engine returned the right rows and touched them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) rows: u64,
    pub(crate) sum: u64,
}

impl Digest {
    /// Takes one value in; of a long one every word, as whoever reads it wants it.
    pub(crate) fn add(&mut self, value: &[u8]) {
        self.rows += 1;
        if value.len() > LONG {
            let (words, _) = value.as_chunks();
            self.sum = sum_words(self.sum, words);
        }
        self.add_ends(value, value);
    }

    /// The same for a long value that comes in parts.
    pub(crate) fn long(&mut self) -> LongDigest<'_> {
        self.rows += 1;
        LongDigest { digest: self, begun: false, odd: [0; 8], odd_len: 0 }
    }

    fn add_ends(&mut self, first: &[u8], last: &[u8]) {
        let head = first.first_chunk().map_or(0, |head| u64::from_le_bytes(*head));
        let tail = last.last().map_or(0, |&last| u64::from(last));
        self.sum = self.sum.wrapping_add(head).wrapping_add(tail);
    }
}

fn sum_words(sum: u64, words: &[[u8; 8]]) -> u64 {
    words.iter().map(|word| u64::from_le_bytes(*word)).fold(sum, u64::wrapping_add)
}

/// A long value on its way into a digest.
pub(crate) struct LongDigest<'d> {
    digest: &'d mut Digest,
    begun: bool,
    /// The beginning of a word that lies in two parts.
    odd: [u8; 8],
    odd_len: usize,
}

impl LongDigest<'_> {
    /// Takes the next part in; the first has at least a word. `last`: no other comes.
    pub(crate) fn add(&mut self, mut part: &[u8], last: bool) {
        let first = if self.begun { &[] } else { part };
        self.digest.add_ends(first, if last { part } else { &[] });
        self.begun = true;
        if self.odd_len > 0 {
            let (end, rest) = part.split_at((8 - self.odd_len).min(part.len()));
            self.keep(end);
            part = rest;
        }
        let (words, rest) = part.as_chunks();
        self.digest.sum = sum_words(self.digest.sum, words);
        self.keep(rest);
    }

    fn keep(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.odd[self.odd_len] = *byte;
            self.odd_len += 1;
            if self.odd_len == self.odd.len() {
                self.digest.sum = self.digest.sum.wrapping_add(u64::from_le_bytes(self.odd));
                self.odd_len = 0;
            }
        }
    }
}

/// The generator.
pub(crate) struct Rows {
    pool: Vec<u8>,
}

impl Rows {
    pub(crate) fn new() -> Rows {
        let words = (0..POOL_LEN.div_ceil(8)).zip(1_u64..).map(|(_, n)| mix(n ^ 0x5eed));
        Rows { pool: words.flat_map(u64::to_le_bytes).collect() }
    }

    /// Row number `n`.
    pub(crate) fn row(&self, n: u64) -> Row<'_> {
        self.long_row(n, VALUE_LEN)
    }

    /// Row number `n` with a value of this length, at most [`LONGEST`].
    pub(crate) fn long_row(&self, n: u64, len: usize) -> Row<'_> {
        let span = u64::try_from(self.pool.len() - LONGEST).unwrap_or(1);
        let at = usize::try_from(mix(n ^ 0xabcd_ef01) % span).unwrap_or(0);
        Row { key: key(n), value: self.pool.get(at..at + len).unwrap_or_default() }
    }

    /// What a scan of rows `0..count` must give.
    pub(crate) fn digest(&self, count: u64) -> Digest {
        let mut digest = Digest::default();
        (0..count).for_each(|n| digest.add(self.row(n).value));
        digest
    }
}

/// The key of row number `n`.
pub(crate) fn key(n: u64) -> Key {
    let mut key = [0; 24];
    for (part, word) in key.chunks_exact_mut(8).zip(0_u64..) {
        part.copy_from_slice(&mix(n.wrapping_mul(3).wrapping_add(word)).to_be_bytes());
    }
    key
}

/// Keys of `count` rows out of `0..of`, in random order.
pub(crate) fn random_keys(count: u64, of: u64) -> Vec<Key> {
    (0..count).map(|n| key(mix(n ^ 0x0dd_ba11) % of)).collect()
}

/// A bijection of 64 bits that looks random (the finaliser of splitmix64).
pub(crate) fn mix(n: u64) -> u64 {
    let z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_the_same_every_time_and_keys_differ() {
        let rows = Rows::new();
        assert_eq!(rows.row(7).value.len(), VALUE_LEN);
        assert_eq!(rows.row(7).value, Rows::new().row(7).value);
        let mut keys: Vec<Key> = (0..10_000).map(key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 10_000);
    }

    #[test]
    fn a_digest_sees_missing_and_changed_rows() {
        let rows = Rows::new();
        let mut digest = Digest::default();
        (0..99).for_each(|n| digest.add(rows.row(n).value));
        assert_ne!(digest, rows.digest(100));
        digest.add(rows.row(98).value);
        assert_ne!(digest, rows.digest(100));
    }
}
