//! Compressed values and chunks of long values (edb-format 9.5), in both directions.
//!
//! Bits 3 to 7 of the first byte name the scheme, bits 0 to 2 belong to it. Compressed bytes never
//! say how much they become but within a bound that the caller sets, so that damaged or hostile
//! data costs no more memory than a genuine value of that size.

mod seven_bit;
#[cfg(test)]
mod tests;
pub mod xpress;

use ese_base::{Error, JetErr, Result};

/// How bytes are compressed: bits 3 to 7 of the first of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    /// Characters below 0x80 in seven bits each.
    SevenBitAscii,
    /// The same of UTF-16 code units.
    SevenBitUnicode,
    Xpress,
    /// Nothing: the value was overwritten when it was deleted.
    Scrub,
    Xpress9,
    Xpress10,
    Lz4,
}

impl Scheme {
    fn of(first: u8) -> Option<Scheme> {
        Some(match first >> 3 {
            1 => Scheme::SevenBitAscii,
            2 => Scheme::SevenBitUnicode,
            3 => Scheme::Xpress,
            4 => Scheme::Scrub,
            5 => Scheme::Xpress9,
            6 => Scheme::Xpress10,
            7 => Scheme::Lz4,
            _ => return None,
        })
    }
}

/// Expands compressed bytes, scheme byte first, to at most `most` bytes.
///
/// # Errors
/// `JET_errDecompressionFailed` (-1620) for bytes that are no such data or become more;
/// `JET_errFeatureNotAvailable` for XPRESS9 and XPRESS10, which only newer servers write.
pub fn expand(packed: &[u8], most: usize) -> Result<Vec<u8>> {
    let first = *packed.first().ok_or_else(|| damaged("no bytes at all"))?;
    let scheme = Scheme::of(first)
        .ok_or_else(|| damaged(format!("first byte {first:#04x} names no scheme")))?;
    match scheme {
        Scheme::SevenBitAscii => seven_bit::expand_ascii(packed, most),
        Scheme::SevenBitUnicode => seven_bit::expand_unicode(packed, most),
        Scheme::Xpress => xpress::decompress(packed, most),
        Scheme::Scrub => Err(damaged("the value was erased")),
        Scheme::Lz4 => lz4(packed, most),
        Scheme::Xpress9 | Scheme::Xpress10 => Err(Error::new(
            JetErr::FeatureNotAvailable,
            format!("data compressed by scheme {scheme:?} cannot be read by this version"),
        )),
    }
}

/// Compresses bytes by the scheme that makes them shortest; `None` if none makes them shorter than
/// they are.
#[must_use]
pub fn compress(plain: &[u8]) -> Option<Vec<u8>> {
    let seven = seven_bit::pack_unicode(plain).or_else(|| seven_bit::pack_ascii(plain));
    let xpress = if plain.len() >= XPRESS_MIN { xpress::compress(plain) } else { None };
    let best = match (seven, xpress) {
        (Some(a), Some(b)) if b.len() < a.len() => Some(b),
        (Some(a), _) => Some(a),
        (None, b) => b,
    };
    best.filter(|packed| packed.len() < plain.len())
}

/// Shorter data is not worth a search for repetitions.
const XPRESS_MIN: usize = 64;

/// Scheme byte, length of the plain data, one LZ4 block.
fn lz4(packed: &[u8], most: usize) -> Result<Vec<u8>> {
    let (&[_, low, high], block) =
        packed.split_first_chunk::<3>().ok_or_else(|| damaged("no header"))?;
    let len = usize::from(u16::from_le_bytes([low, high]));
    if len > most {
        return Err(damaged("more data than there can be"));
    }
    let out = lz4_flex::block::decompress(block, len).map_err(|e| damaged(format!("LZ4: {e}")))?;
    if out.len() == len { Ok(out) } else { Err(damaged("LZ4: less data than it promises")) }
}

#[cold]
fn damaged(what: impl std::fmt::Display) -> Error {
    Error::new(JetErr::DecompressionFailed, format!("compressed data: {what}"))
}
