//! The XOR checksum of headers (edb-format 2.3).

/// What the XOR starts with: the magic number of database headers.
const SEED: u32 = 0x89AB_CDEF;

/// XOR of all little-endian 32-bit words but the first, which holds the checksum.
///
/// For headers of databases (with the page's size), logs (4096 bytes) and checkpoint copies
/// (4096 bytes), and for pages of the old form. Bytes that do not fill a word are left out.
#[must_use]
pub fn header_xor(bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<8>();
    let folded = words.iter().fold(0, |sum, word| sum ^ u64::from_le_bytes(*word));
    let [a, b, c, d, e, f, g, h] = folded.to_le_bytes();
    let mut sum = u32::from_le_bytes([a, b, c, d]) ^ u32::from_le_bytes([e, f, g, h]);
    if let Some(word) = rest.first_chunk::<4>() {
        sum ^= u32::from_le_bytes(*word);
    }
    // The first word was folded in with the others; a second time takes it out again.
    SEED ^ sum ^ stored_header_xor(bytes)
}

/// The checksum that the header holds; 0 if there are not 4 bytes.
#[must_use]
pub fn stored_header_xor(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |word| u32::from_le_bytes(*word))
}

/// Writes its checksum into a header.
pub fn stamp_header(bytes: &mut [u8]) {
    let checksum = header_xor(bytes);
    if let Some(stored) = bytes.first_chunk_mut::<4>() {
        *stored = checksum.to_le_bytes();
    }
}

/// Is the checksum of a header right? (All zero bytes are not.)
#[must_use]
pub fn verify_header(bytes: &[u8]) -> bool {
    bytes.len() >= 8 && header_xor(bytes) == stored_header_xor(bytes)
}
