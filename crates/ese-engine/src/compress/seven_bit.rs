//! Seven bits for each character (edb-format 9.5): a scheme byte whose low three bits tell how many
//! bits of the last byte are used, less one; then the characters, lowest bits first.

use ese_base::Result;

use super::damaged;

/// Expands to bytes.
pub(super) fn expand_ascii(packed: &[u8], most: usize) -> Result<Vec<u8>> {
    Ok(characters(packed, most)?.collect())
}

/// Expands to UTF-16 code units, low byte first.
pub(super) fn expand_unicode(packed: &[u8], most: usize) -> Result<Vec<u8>> {
    Ok(characters(packed, most / 2)?.flat_map(|c| [c, 0]).collect())
}

/// The characters, at most `most`.
fn characters(packed: &[u8], most: usize) -> Result<impl Iterator<Item = u8>> {
    let (first, bytes) = packed.split_first().ok_or_else(|| damaged("no bytes at all"))?;
    let bits = match bytes.len() {
        0 => 0,
        n => (n - 1) * 8 + usize::from(first & 7) + 1,
    };
    if bits % 7 != 0 || bits / 7 > most {
        return Err(damaged(format!("{bits} bits of characters, of which {most} fit")));
    }
    Ok((0..bits / 7).map(move |at| {
        let (byte, shift) = (at * 7 / 8, at * 7 % 8);
        let low = bytes.get(byte).copied().unwrap_or(0);
        let high = bytes.get(byte + 1).copied().unwrap_or(0);
        let [wide, _] = (u16::from_le_bytes([low, high]) >> shift).to_le_bytes();
        wide & 0x7f
    }))
}
