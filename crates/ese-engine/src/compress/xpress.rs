//! XPRESS, the plain LZ77 form (MS-XCA 2.3; edb-format 9.6).
//!
//! Genuine engines compress values, and page images in log records, with it.

use ese_base::{Error, JetErr, Result};

/// First byte of compressed data: scheme 3 in bits 3 to 7.
const SCHEME: u8 = 0x18;

/// Expands data that begins with the scheme byte and the 16-bit length, to at most `most` bytes.
///
/// # Errors
/// `JET_errDecompressionFailed` (-1620) if the bytes are no such stream.
pub fn decompress(packed: &[u8], most: usize) -> Result<Vec<u8>> {
    let (&[scheme, low, high], stream) =
        packed.split_first_chunk::<3>().ok_or_else(|| damaged("no header"))?;
    let len = usize::from(u16::from_le_bytes([low, high]));
    if scheme != SCHEME || len > most {
        return Err(damaged("another scheme, or more data than there can be"));
    }
    let mut out = Vec::with_capacity(len);
    let mut input = Input { rest: stream, nibble: None };
    while out.len() < len {
        let flags = u32::from_le_bytes(input.take()?);
        for item in (0..32).rev() {
            if out.len() >= len {
                break;
            }
            if flags >> item & 1 == 0 {
                out.extend(input.take::<1>()?);
            } else {
                let (distance, count) = input.reference()?;
                copy(&mut out, distance, count, len)?;
            }
        }
    }
    Ok(out)
}

/// Repeats what stands `distance` bytes back; the copy may overlap what it makes.
fn copy(out: &mut Vec<u8>, distance: usize, count: usize, len: usize) -> Result<()> {
    let from = out.len().checked_sub(distance);
    let from = from.filter(|_| count <= len - out.len());
    let from = from.ok_or_else(|| damaged("a reference to what is not there"))?;
    for at in from..from + count {
        let Some(&byte) = out.get(at) else { return Err(damaged("a reference without end")) };
        out.push(byte);
    }
    Ok(())
}

/// Matches reach back this far.
const WINDOW: usize = 1 << 13;
/// Shortest match.
const MATCH_MIN: usize = 3;
const HASH_BITS: u32 = 12;

/// Compresses bytes, header first; `None` if they are too many for the header or do not get
/// shorter.
pub fn compress(plain: &[u8]) -> Option<Vec<u8>> {
    let len = u16::try_from(plain.len()).ok()?;
    let mut out = Output::new(plain.len());
    out.bytes.push(SCHEME);
    out.bytes.extend_from_slice(&len.to_le_bytes());
    // The last place of each hash of three bytes, one behind it; 0 = none.
    let mut places = vec![0_u16; 1 << HASH_BITS];
    let mut at = 0;
    while let Some(rest) = plain.get(at..).filter(|rest| !rest.is_empty()) {
        if out.bytes.len() >= plain.len() {
            return None;
        }
        let before = note_place(&mut places, plain, at);
        let count = before.map_or(0, |before| common(plain, before, at));
        match (before, rest.first()) {
            (Some(before), _) if count >= MATCH_MIN => {
                out.reference(at - before, count);
                for inside in at + 1..at + count {
                    note_place(&mut places, plain, inside);
                }
                at += count;
            }
            (_, Some(&byte)) => {
                out.literal(byte);
                at += 1;
            }
            (_, None) => break,
        }
    }
    out.finish();
    (out.bytes.len() < plain.len()).then_some(out.bytes)
}

/// Notes a place and gives the last one in the window whose three bytes hash alike.
fn note_place(places: &mut [u16], plain: &[u8], at: usize) -> Option<usize> {
    let &[a, b, c] = plain.get(at..)?.first_chunk::<MATCH_MIN>()?;
    let hash = u32::from_le_bytes([a, b, c, 0]).wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS);
    let slot = places.get_mut(usize::try_from(hash).ok()?)?;
    let before = usize::from(std::mem::replace(slot, u16::try_from(at + 1).ok()?));
    before.checked_sub(1).filter(|before| at - before <= WINDOW)
}

/// How many bytes are the same from two places on.
fn common(plain: &[u8], before: usize, at: usize) -> usize {
    let tails =
        plain.get(before..).unwrap_or_default().iter().zip(plain.get(at..).unwrap_or_default());
    tails.take_while(|(a, b)| a == b).count()
}

struct Output {
    bytes: Vec<u8>,
    /// Where the current word of flags stands; what it holds; how many.
    flags_at: usize,
    flags: u32,
    filled: u32,
    /// Where a byte has room for another half.
    nibble_at: Option<usize>,
}

impl Output {
    fn new(room: usize) -> Output {
        let bytes = Vec::with_capacity(room + 16);
        Output { bytes, flags_at: 0, flags: 0, filled: 32, nibble_at: None }
    }

    /// Announces the next item, before its bytes.
    fn flag(&mut self, is_match: bool) {
        if self.filled == 32 {
            self.finish();
            self.flags_at = self.bytes.len();
            self.bytes.extend_from_slice(&[0; 4]);
            (self.flags, self.filled) = (0, 0);
        }
        self.flags = self.flags << 1 | u32::from(is_match);
        self.filled += 1;
    }

    fn literal(&mut self, byte: u8) {
        self.flag(false);
        self.bytes.push(byte);
    }

    fn reference(&mut self, distance: usize, count: usize) {
        self.flag(true);
        let (distance, code) = (to_u16(distance - 1), to_u16(count - MATCH_MIN));
        self.bytes.extend_from_slice(&(distance << 3 | code.min(7)).to_le_bytes());
        let Some(more) = code.checked_sub(7) else { return };
        let [low, _] = more.min(15).to_le_bytes();
        match self.nibble_at.take().and_then(|at| self.bytes.get_mut(at)) {
            Some(byte) => *byte |= low << 4,
            None => {
                self.nibble_at = Some(self.bytes.len());
                self.bytes.push(low);
            }
        }
        let Some(more) = more.checked_sub(15) else { return };
        match u8::try_from(more) {
            Ok(byte) if byte < 255 => self.bytes.push(byte),
            _ => {
                self.bytes.push(255);
                self.bytes.extend_from_slice(&code.to_le_bytes());
            }
        }
    }

    /// Puts the flags in their place; items that do not come count as matches.
    fn finish(&mut self) {
        let unused = 32 - self.filled;
        let flags = match unused {
            0 => self.flags,
            _ => self.flags.unbounded_shl(unused) | (1_u32.unbounded_shl(unused)).wrapping_sub(1),
        };
        if let Some(place) = self.bytes.get_mut(self.flags_at..self.flags_at + 4)
            && self.flags_at > 0
        {
            place.copy_from_slice(&flags.to_le_bytes());
        }
    }
}

/// Data to be compressed has less than 64 KiB.
fn to_u16(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

struct Input<'a> {
    rest: &'a [u8],
    /// High half of a byte whose low half was used.
    nibble: Option<u8>,
}

impl Input<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (&head, rest) =
            self.rest.split_first_chunk::<N>().ok_or_else(|| damaged("it ends too early"))?;
        self.rest = rest;
        Ok(head)
    }

    /// Distance and length of a match.
    fn reference(&mut self) -> Result<(usize, usize)> {
        let word = u16::from_le_bytes(self.take()?);
        let distance = usize::from(word >> 3) + 1;
        let code = usize::from(word & 7);
        let count = if code == 7 { self.long_count()? } else { code };
        Ok((distance, count + 3))
    }

    fn long_count(&mut self) -> Result<usize> {
        let nibble = match self.nibble.take() {
            Some(high) => high,
            None => {
                let [byte] = self.take()?;
                self.nibble = Some(byte >> 4);
                byte & 15
            }
        };
        if nibble < 15 {
            return Ok(7 + usize::from(nibble));
        }
        let [byte] = self.take()?;
        if byte < 255 {
            return Ok(7 + 15 + usize::from(byte));
        }
        let word = u16::from_le_bytes(self.take()?);
        if word != 0 {
            return Ok(usize::from(word));
        }
        usize::try_from(u32::from_le_bytes(self.take()?)).map_err(|_| damaged("a match too long"))
    }
}

#[cold]
fn damaged(what: &'static str) -> Error {
    Error::new(JetErr::DecompressionFailed, format!("XPRESS data: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_format_description_expand() {
        // MS-XCA 3.1: the alphabet has no matches, "abc" a hundred times is one long match.
        let mut packed = vec![SCHEME, 26, 0, 0x3f, 0, 0, 0];
        packed.extend(b'a'..=b'z');
        assert_eq!(decompress(&packed, 100).unwrap(), (b'a'..=b'z').collect::<Vec<_>>());
        let packed = [
            SCHEME, 0x2c, 0x01, 0xff, 0xff, 0xff, 0x1f, b'a', b'b', b'c', 0x17, 0x00, 0x0f, 0xff,
            0x26, 0x01,
        ];
        assert_eq!(decompress(&packed, 300).unwrap(), b"abc".repeat(100));
    }

    #[test]
    fn what_is_compressed_expands_again() {
        let mut cases: Vec<Vec<u8>> = vec![
            b"abc".repeat(100),
            vec![0; 65_535],
            (0..=255).cycle().take(40_000).collect(),
            b"a".repeat(70),
        ];
        // Matches of every length, at changing places of the flags and nibbles.
        for count in 3..400 {
            let run = vec![b'x'; count];
            cases.push([&b"0123456789abcdef"[..], &run, b"-0123456789abcdef", &run].concat());
        }
        let mut state = 1_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        cases.extend((1..60).map(|n| (0..n * 97).map(|_| noise() % 5).collect()));
        let mut compressed = 0;
        for plain in cases {
            let Some(packed) = compress(&plain) else { continue };
            assert!(packed.len() < plain.len());
            assert_eq!(decompress(&packed, plain.len()).unwrap(), plain);
            compressed += 1;
        }
        assert!(compressed > 440, "{compressed}");
        let random: Vec<u8> = (0..5000).map(|_| noise()).collect();
        assert_eq!(compress(&random), None);
        assert_eq!(compress(&vec![0; 65_536]), None, "the header has 16 bits");
        assert_eq!(compress(&[]), None);
    }

    #[test]
    fn damaged_data_is_an_error_and_never_more_than_promised() {
        let packed = [
            SCHEME, 0x2c, 0x01, 0xff, 0xff, 0xff, 0x1f, b'a', b'b', b'c', 0x17, 0x00, 0x0f, 0xff,
            0x26, 0x01,
        ];
        for cut in 0..packed.len() {
            assert!(decompress(&packed[..cut], 300).is_err(), "cut at {cut}");
        }
        assert!(decompress(&packed, 299).is_err());
        for at in 0..packed.len() {
            for bit in 0..8 {
                let mut flipped = packed;
                flipped[at] ^= 1 << bit;
                if let Ok(out) = decompress(&flipped, 4096) {
                    assert!(out.len() <= 4096);
                }
            }
        }
    }
}
