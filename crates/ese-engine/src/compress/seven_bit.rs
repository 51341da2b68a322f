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

/// Packs bytes below 0x80; `None` if there is another one, or none at all.
pub(super) fn pack_ascii(plain: &[u8]) -> Option<Vec<u8>> {
    if plain.is_empty() || !plain.is_ascii() {
        return None;
    }
    Some(pack(0x08, plain.iter().copied(), plain.len()))
}

/// Packs UTF-16 code units below 0x80; `None` if there is another one, or none at all.
pub(super) fn pack_unicode(plain: &[u8]) -> Option<Vec<u8>> {
    let (units, rest) = plain.as_chunks::<2>();
    if units.is_empty() || !rest.is_empty() || units.iter().any(|[c, high]| *c > 0x7f || *high != 0)
    {
        return None;
    }
    Some(pack(0x10, units.iter().map(|[c, _]| *c), units.len()))
}

/// Puts characters together, behind a first byte for `scheme`.
fn pack(scheme: u8, characters: impl Iterator<Item = u8>, count: usize) -> Vec<u8> {
    let bits = count * 7;
    let mut out = Vec::with_capacity(1 + bits.div_ceil(8));
    let [used, ..] = ((bits + 7) % 8).to_le_bytes();
    out.push(scheme | used);
    let (mut pending, mut filled) = (0_u16, 0);
    for character in characters {
        pending |= u16::from(character) << filled;
        filled += 7;
        if filled >= 8 {
            let [low, high] = pending.to_le_bytes();
            out.push(low);
            pending = u16::from(high);
            filled -= 8;
        }
    }
    if filled > 0 {
        let [low, _] = pending.to_le_bytes();
        out.push(low);
    }
    out
}
