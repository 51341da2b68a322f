//! The page checksum of one block (edb-format 2.4), at memory speed.
//!
//! By definition the locator `L` is the XOR of the numbers of all set bits. Bit `j` of it is
//! therefore the parity of those set bits whose number has bit `j`. The low 6 bits of a number are
//! the place in a 64-bit word, so they follow from the XOR of all words. For each higher bit the
//! words whose index has that bit must be XORed. That is done as a tournament: neighbours are
//! XORed pairwise, the right one of each pair goes into the sum of that level, and the pairs'
//! results enter the next level; so each level costs half of the one before.

/// Words per row: rows are what the processor's vector registers hold.
const LANES: usize = 4;
/// Rows that one step of the first loop folds, in three levels.
const ROWS: usize = 8;
/// Bytes that one step folds.
const STEP: usize = 8 * LANES * ROWS;
/// Steps of the largest block, 8 KiB.
const STEPS_MAX: usize = 8192 / STEP;

type Row = [u64; LANES];

#[inline(always)]
fn xor(left: Row, right: Row) -> Row {
    let mut out = left;
    for (l, r) in out.iter_mut().zip(right) {
        *l ^= r;
    }
    out
}

/// The checksum of a block of 1, 2, 4 or 8 KiB: `H << 48 | L << 32 | (X ^ pgno)`.
///
/// With `header_block` the first 8 bytes, which hold the stored checksum, count as zero. A block of
/// another length (a caller's mistake) is cut to a whole number of 256-byte steps, at most 8 KiB.
#[must_use]
pub fn ecc_block(block: &[u8], pgno: u32, header_block: bool) -> u64 {
    let (steps, _) = block.as_chunks::<STEP>();
    let mut step_rows = [[0; LANES]; STEPS_MAX];
    let mut levels = [[0; LANES]; 3];
    let mut count = 0;
    for (step, to) in steps.iter().zip(&mut step_rows) {
        *to = fold_step(step, &mut levels);
        count += 1;
    }
    let mut fold = Fold { total: [0; LANES], locator: 0 };
    // Bits 0-5 of a bit number: place in the word; 6-7: lane; 8-10: row in the step; 11..: step.
    for (level, row) in levels.into_iter().enumerate() {
        fold.add_parity(8 + level, parity_word(row));
    }
    fold.steps(&mut step_rows, count);
    if header_block && let Some(stored) = block.first_chunk::<8>() {
        // Word 0 has index 0: it took part in the total and in no level.
        fold.total[0] ^= u64::from_le_bytes(*stored);
    }
    fold.finish(8 * STEP * count, pgno)
}

/// Folds eight rows into one, adding the right halves of each level to its sum.
#[inline(always)]
fn fold_step(step: &[u8; STEP], levels: &mut [Row; 3]) -> Row {
    let row = |index: usize| -> Row {
        let mut row = [0; LANES];
        for (lane, word) in row.iter_mut().enumerate() {
            let at = 8 * (index * LANES + lane);
            *word = step
                .get(at..)
                .and_then(<[u8]>::first_chunk)
                .map_or(0, |bytes| u64::from_le_bytes(*bytes));
        }
        row
    };
    let [level0, level1, level2] = levels;
    let (r1, r3, r5, r7) = (row(1), row(3), row(5), row(7));
    *level0 = xor(*level0, xor(xor(r1, r3), xor(r5, r7)));
    let (p0, p1) = (xor(row(0), r1), xor(row(2), r3));
    let (p2, p3) = (xor(row(4), r5), xor(row(6), r7));
    *level1 = xor(*level1, xor(p1, p3));
    let (q0, q1) = (xor(p0, p1), xor(p2, p3));
    *level2 = xor(*level2, q1);
    xor(q0, q1)
}

struct Fold {
    total: Row,
    locator: u32,
}

impl Fold {
    fn add_parity(&mut self, bit: usize, word: u64) {
        self.locator |= (word.count_ones() & 1) << bit;
    }

    /// The upper levels: the same tournament among the results of the steps.
    fn steps(&mut self, rows: &mut [Row; STEPS_MAX], count: usize) {
        let (mut bit, mut width) = (11, count);
        while width > 1 {
            let mut odd = [0; LANES];
            for pair in 0..width / 2 {
                let (left, right) = (rows[2 * pair], rows[2 * pair + 1]);
                odd = xor(odd, right);
                rows[pair] = xor(left, right);
            }
            self.add_parity(bit, parity_word(odd));
            bit += 1;
            width /= 2;
        }
        self.total = rows[0];
    }

    fn finish(mut self, bits: usize, pgno: u32) -> u64 {
        let [_, w1, w2, w3] = self.total;
        self.add_parity(6, w1 ^ w3);
        self.add_parity(7, w2 ^ w3);
        let column = parity_word(self.total);
        for (bit, mask) in COLUMN_MASKS.into_iter().enumerate() {
            self.add_parity(bit, column & mask);
        }
        let low = u64::from(self.locator);
        let odd = column.count_ones() & 1 == 1;
        // With an odd number of set bits the complemented numbers XOR to the complement.
        let all = u64::try_from(bits.saturating_sub(1)).unwrap_or(0);
        let high = if odd { low ^ all } else { low };
        let xor = (column ^ (column >> 32)) & 0xffff_ffff;
        (high << 48) | (low << 32) | (xor ^ u64::from(pgno))
    }
}

/// XOR of a row's words: a word of the same parity.
#[inline]
fn parity_word(row: Row) -> u64 {
    let [a, b, c, d] = row;
    (a ^ b) ^ (c ^ d)
}

/// The bits of a word whose number has bit 0, 1, ... 5.
const COLUMN_MASKS: [u64; 6] = [
    0xaaaa_aaaa_aaaa_aaaa,
    0xcccc_cccc_cccc_cccc,
    0xf0f0_f0f0_f0f0_f0f0,
    0xff00_ff00_ff00_ff00,
    0xffff_0000_ffff_0000,
    0xffff_ffff_0000_0000,
];
