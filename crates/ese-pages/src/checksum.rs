//! The two checksums of ESE files, and the repair of one flipped bit.
//!
//! * The **header XOR** (edb-format 2.3) guards database headers, log headers and checkpoints.
//! * The **page checksum** (edb-format 2.4) guards pages and log segments: 32 bits of XOR, into
//!   which the page's number goes, and two 16-bit words that locate a single flipped bit. A large
//!   page has four of them, one per quarter; the first covers the stored other three.
//!
//! A page that was repaired is suspect (decision 0006): [`check`] only says what could be done, the
//! caller repairs, validates the structure and reports.

mod ecc;
#[cfg(test)]
mod tests;
mod xor;

use ese_base::{Error, JetErr, PageSize, Pgno, Result, limits::LOG_SEGMENT_LEN};

pub use ecc::ecc_block;
pub use xor::{header_xor, stamp_header, stored_header_xor, verify_header};

use crate::page::{
    PageFlags,
    layout::{FLAGS_AT, LARGE_CHECKSUMS_AT, LARGE_PGNO_AT},
};

/// What a checksum says of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is right.
    Good,
    /// All zero: never written (edb-format 1.1). Whether that is allowed the caller knows.
    Blank,
    /// One bit is wrong in each of `count` blocks; [`repair`] would flip them back.
    Correctable {
        /// The first of them: `8 * byte + bit in byte`.
        bit: u32,
        /// How many, 1 to 4.
        count: u32,
    },
    /// It is wrong beyond repair.
    Bad(Mismatch),
}

/// What did not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Quarter of a large page; 0 on small pages.
    pub block: usize,
    /// Checksum found.
    pub stored: u64,
    /// Checksum of the bytes found, with the expected page number.
    pub computed: u64,
}

impl Mismatch {
    /// The number of the page that these bytes would be right for, if that is all that is wrong.
    #[must_use]
    pub fn right_for(&self, pgno: Pgno) -> Option<Pgno> {
        let difference = self.stored ^ self.computed;
        u32::try_from(difference).ok().map(|low| Pgno(pgno.0 ^ low)).filter(|right| *right != pgno)
    }
}

/// A repair that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrected {
    /// The first bit that was flipped back: `8 * byte + bit in byte`.
    pub bit: u32,
    /// How many were, 1 to 4 (at most one in each quarter of a large page).
    pub count: u32,
}

/// Checks the checksum of a page image. Fast: nothing is written, nothing allocated.
///
/// An image whose length is no page size is [`Verdict::Bad`].
#[must_use]
pub fn check(bytes: &[u8], pgno: Pgno) -> Verdict {
    if !is_page_len(bytes.len()) {
        return Verdict::Bad(Mismatch { block: 0, stored: 0, computed: 0 });
    }
    if new_format(bytes) {
        match first_mismatch(bytes, pgno) {
            None => Verdict::Good,
            Some(mismatch) => check_slowly(bytes, pgno, mismatch),
        }
    } else {
        check_old_format(bytes, pgno)
    }
}

/// Checks a page and turns a wrong checksum into an error.
///
/// # Errors
/// `JET_errReadVerifyFailure` for a wrong checksum, with what was found;
/// `JET_errPageNotInitialized` for a blank page. A page that could be repaired is wrong too: see
/// [`repair`].
pub fn verify(bytes: &[u8], pgno: Pgno) -> Result<()> {
    match check(bytes, pgno) {
        Verdict::Good => Ok(()),
        other => Err(verdict_error(other, pgno)),
    }
}

/// The error for a verdict that is not accepted.
#[track_caller]
#[must_use]
pub fn verdict_error(verdict: Verdict, pgno: Pgno) -> Error {
    verdict_error_among(verdict, pgno, Pgno::MAX)
}

/// As [`verdict_error`], of a file with so many pages: no other is named as the place where the
/// bytes would be right.
#[track_caller]
#[must_use]
pub fn verdict_error_among(verdict: Verdict, pgno: Pgno, last: Pgno) -> Error {
    let error = match verdict {
        Verdict::Good => Error::new(JetErr::InternalError, "the checksum is right"),
        Verdict::Blank => Error::new(JetErr::PageNotInitialized, "the page is blank (all zero)"),
        Verdict::Correctable { bit, count } => Error::new(
            JetErr::ReadVerifyFailure,
            format!("{count} bit(s) of the page are flipped, the first is bit {bit}"),
        ),
        Verdict::Bad(mismatch) => {
            let place = match mismatch.right_for(pgno).filter(|right| *right <= last) {
                Some(right) => format!(" (it would be right for page {right})"),
                None => String::new(),
            };
            Error::new(
                JetErr::ReadVerifyFailure,
                format!(
                    "checksum of block {}: stored {:016x}, computed {:016x}{place}",
                    mismatch.block, mismatch.stored, mismatch.computed
                ),
            )
        }
    };
    error.at_page(pgno)
}

/// Flips the bits back that [`check`] found correctable. `Ok(None)`: the page was right as it is.
///
/// # Errors
/// `JET_errReadVerifyFailure` if it cannot be repaired; `JET_errPageNotInitialized` if it is
/// blank. The image is then as it was.
pub fn repair(bytes: &mut [u8], pgno: Pgno) -> Result<Option<Corrected>> {
    match check(bytes, pgno) {
        Verdict::Good => Ok(None),
        Verdict::Correctable { .. } => match correct(bytes, pgno) {
            Ok(corrected) => Ok(Some(corrected)),
            Err(mismatch) => Err(verdict_error(Verdict::Bad(mismatch), pgno)),
        },
        refused @ (Verdict::Blank | Verdict::Bad(_)) => Err(verdict_error(refused, pgno)),
    }
}

/// Writes the checksums into a page image. An image that says so by its flags gets the old form
/// (XOR and page number), which only files of the first generations hold.
pub fn stamp(bytes: &mut [u8], pgno: Pgno) {
    if !is_page_len(bytes.len()) {
        return;
    }
    if !new_format(bytes) {
        write_u64(bytes, 0, u64::from(pgno.0) << 32);
        stamp_header(bytes);
        return;
    }
    // Block 0 covers the stored checksums of the others, so it comes last.
    for block in (0..block_count(bytes.len())).rev() {
        let computed = computed(bytes, block, pgno);
        write_u64(bytes, stored_at(block), computed);
    }
}

/// The checksum of a log segment: that of a small page whose number is its place in the file
/// (backup-log-recovery 1A.2). It stands in the first 8 bytes.
#[must_use]
pub fn segment_checksum(segment: &[u8; LOG_SEGMENT_LEN], isec: u32) -> u64 {
    ecc_block(segment, isec, true)
}

/// The checksum stored in a log segment.
#[must_use]
pub fn stored_segment_checksum(segment: &[u8; LOG_SEGMENT_LEN]) -> u64 {
    read_u64(segment, 0)
}

/// Writes its checksum into a log segment.
pub fn stamp_segment(segment: &mut [u8; LOG_SEGMENT_LEN], isec: u32) {
    let checksum = segment_checksum(segment, isec);
    write_u64(segment, 0, checksum);
}

fn is_page_len(len: usize) -> bool {
    PageSize::EVER.iter().any(|size| size.bytes() == len)
}

fn block_count(page_len: usize) -> usize {
    if page_len <= PageSize::K8.bytes() { 1 } else { 4 }
}

/// Offset of the stored checksum of a block.
fn stored_at(block: usize) -> usize {
    if block == 0 { 0 } else { LARGE_CHECKSUMS_AT + 8 * (block - 1) }
}

fn block_bytes(bytes: &[u8], block: usize) -> &[u8] {
    let len = bytes.len() / block_count(bytes.len());
    bytes.get(block * len..(block + 1) * len).unwrap_or(&[])
}

fn computed(bytes: &[u8], block: usize, pgno: Pgno) -> u64 {
    ecc_block(block_bytes(bytes, block), pgno.0, block == 0)
}

fn new_format(bytes: &[u8]) -> bool {
    PageFlags::from_bits_retain(read_u32(bytes, FLAGS_AT)).contains(PageFlags::NEW_CHECKSUM)
}

fn first_mismatch(bytes: &[u8], pgno: Pgno) -> Option<Mismatch> {
    (0..block_count(bytes.len())).find_map(|block| {
        let (stored, computed) = (read_u64(bytes, stored_at(block)), computed(bytes, block, pgno));
        (stored != computed).then_some(Mismatch { block, stored, computed })
    })
}

/// Without the flag of the new checksum a page is blank, or of the old form, or the flag itself is
/// the flipped bit.
#[cold]
fn check_old_format(bytes: &[u8], pgno: Pgno) -> Verdict {
    if is_blank(bytes) {
        return Verdict::Blank;
    }
    if verify_header(bytes) && read_u32(bytes, 4) == pgno.0 {
        return Verdict::Good;
    }
    let old_form = Mismatch {
        block: 0,
        stored: read_u64(bytes, 0),
        computed: u64::from(header_xor(bytes)) | u64::from(pgno.0) << 32,
    };
    match check_slowly(bytes, pgno, old_form) {
        // Only if that flag is the one flipped bit is this a page of the new form.
        Verdict::Correctable { bit, count: 1 } if bit == FLAG_BIT => {
            Verdict::Correctable { bit, count: 1 }
        }
        _ => Verdict::Bad(old_form),
    }
}

/// Is every byte zero? A good part of a young database are blank pages, so a backup asks this
/// often: blocks of 256 bytes are looked at without a branch in between.
#[must_use]
pub fn is_blank(bytes: &[u8]) -> bool {
    let (blocks, rest) = bytes.as_chunks::<256>();
    let zero = |block: &[u8]| block.iter().fold(0, |all, byte| all | byte) == 0;
    blocks.iter().all(|block| zero(block)) && zero(rest)
}

/// Number of the bit that says that the page has the new checksum.
const FLAG_BIT: u32 = {
    let mut bit = 8 * 36;
    let mut flag = PageFlags::NEW_CHECKSUM.bits();
    while flag > 1 {
        flag >>= 1;
        bit += 1;
    }
    bit
};

#[cold]
fn check_slowly(bytes: &[u8], pgno: Pgno, mismatch: Mismatch) -> Verdict {
    match correct(&mut bytes.to_vec(), pgno) {
        Ok(Corrected { bit, count }) => Verdict::Correctable { bit, count },
        Err(_) => Verdict::Bad(mismatch),
    }
}

/// Repairs block by block. Block 0 comes first: it holds the stored checksums of the others. On
/// failure the image is as it was.
fn correct(bytes: &mut [u8], pgno: Pgno) -> Result<Corrected, Mismatch> {
    let mut flipped = Vec::new();
    let block_bits = 8 * (bytes.len() / block_count(bytes.len()));
    for block in 0..block_count(bytes.len()) {
        let (stored, computed) = (read_u64(bytes, stored_at(block)), computed(bytes, block, pgno));
        if stored == computed {
            continue;
        }
        let bit = locate_flip(bytes, block, stored ^ computed, block_bits, pgno);
        match bit {
            Some(bit) if flip(bytes, bit) => flipped.push(bit),
            _ => {
                for &bit in &flipped {
                    flip(bytes, bit);
                }
                return Err(Mismatch { block, stored, computed });
            }
        }
    }
    let bit = flipped.first().copied().and_then(|bit| u32::try_from(bit).ok());
    let count = u32::try_from(flipped.len()).unwrap_or(0);
    match bit {
        // After the repair every block must be right, and the page must say that it has this form.
        Some(bit) if new_format(bytes) && first_mismatch(bytes, pgno).is_none() => {
            Ok(Corrected { bit, count })
        }
        _ => {
            for &bit in &flipped {
                flip(bytes, bit);
            }
            Err(Mismatch { block: 0, stored: read_u64(bytes, 0), computed: 0 })
        }
    }
}

/// The one bit of the page whose flip explains the difference of stored and computed checksum.
fn locate_flip(
    bytes: &[u8],
    block: usize,
    difference: u64,
    block_bits: usize,
    pgno: Pgno,
) -> Option<usize> {
    let [x0, x1, x2, x3, l0, l1, h0, h1] = difference.to_le_bytes();
    let xor = u32::from_le_bytes([x0, x1, x2, x3]);
    let (low, high) = (u16::from_le_bytes([l0, l1]), u16::from_le_bytes([h0, h1]));
    // A data bit: one bit of the XOR differs, and the two locators differ by complements.
    if xor.is_power_of_two() && usize::from(low ^ high) == block_bits - 1 {
        let bit = usize::from(low);
        // The stored checksum of block 0 is not part of its data.
        let in_data = bit < block_bits && (block > 0 || bit >= 64);
        return in_data.then_some(block * block_bits + bit);
    }
    // A bit of a stored locator.
    let located_at = 8 * stored_at(block);
    if xor == 0 && difference.is_power_of_two() {
        return Some(located_at + usize::try_from(difference.trailing_zeros()).ok()?);
    }
    // A bit of the stored XOR looks exactly like a page that was written in the wrong place. Only
    // a large page can show, by the number it stores, that this is not so.
    let own_pgno = bytes.len() > PageSize::K8.bytes() && read_u32(bytes, LARGE_PGNO_AT) == pgno.0;
    if low == 0 && high == 0 && xor.is_power_of_two() && block == 0 && own_pgno {
        return usize::try_from(xor.trailing_zeros()).ok();
    }
    None
}

fn flip(bytes: &mut [u8], bit: usize) -> bool {
    match bytes.get_mut(bit / 8) {
        Some(byte) => {
            *byte ^= 1 << (bit % 8);
            true
        }
        None => false,
    }
}

fn read_u32(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |b| u32::from_le_bytes(*b))
}

fn read_u64(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |b| u64::from_le_bytes(*b))
}

fn write_u64(bytes: &mut [u8], at: usize, value: u64) {
    if let Some(to) = bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<8>) {
        *to = value.to_le_bytes();
    }
}
