//! XPRESS, the plain LZ77 form (MS-XCA 2.3; edb-format 9.6): decompression only.
//!
//! Genuine engines compress page images in log records with it.

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
