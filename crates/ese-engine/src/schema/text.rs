//! Text of code page 1252 and UTF-16LE as Rust strings.
//!
//! Decoding never fails and never loses which bytes were there: a byte that stands for no character
//! (five of code page 1252, unpaired surrogates) becomes `\xNN` for each byte, as Python's
//! `backslashreplace` does. An odd last byte of UTF-16 text is taken with a zero byte behind it;
//! NULs at the end are dropped, because many applications store a terminator.

use std::fmt::Write as _;

use super::CODE_PAGE_UNICODE;

/// Characters of bytes 0x80..=0x9f; a NUL marks the bytes that have none.
const HIGH: [char; 32] = [
    '\u{20ac}', '\0', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}',
    '\u{2c6}', '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\0', '\u{17d}', '\0', '\0',
    '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}', '\u{2dc}',
    '\u{2122}', '\u{161}', '\u{203a}', '\u{153}', '\0', '\u{17e}', '\u{178}',
];

/// The character of a byte of code page 1252.
fn western_char(byte: u8) -> Option<char> {
    match byte {
        0x80..=0x9f => HIGH.get(usize::from(byte - 0x80)).copied().filter(|c| *c != '\0'),
        _ => Some(char::from(byte)),
    }
}

/// The byte of a character in code page 1252.
fn western_byte(c: char) -> Option<u8> {
    match u32::from(c) {
        code @ (0..=0x7f | 0xa0..=0xff) => u8::try_from(code).ok(),
        0x80..=0x9f => None,
        _ => HIGH.iter().position(|high| *high == c).and_then(|at| u8::try_from(0x80 + at).ok()),
    }
}

/// Decodes a text value of a column with this code page; any but 1200 reads as 1252.
#[must_use]
pub fn decode_text(bytes: &[u8], code_page: u16) -> String {
    let mut text =
        if code_page == CODE_PAGE_UNICODE { decode_utf16(bytes) } else { decode_western(bytes) };
    text.truncate(text.trim_end_matches('\0').len());
    text
}

/// Encodes text for a column with this code page. `None` when a character has no byte in it.
#[must_use]
pub fn encode_text(text: &str, code_page: u16) -> Option<Vec<u8>> {
    if code_page == CODE_PAGE_UNICODE {
        return Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
    }
    text.chars().map(western_byte).collect()
}

fn decode_western(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match western_char(*byte) {
            Some(c) => text.push(c),
            None => push_escaped(&mut text, &[*byte]),
        }
    }
    text
}

fn decode_utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks(2).map(|pair| match *pair {
        [low, high] => u16::from_le_bytes([low, high]),
        [low] => u16::from(low),
        _ => 0,
    });
    let mut text = String::with_capacity(bytes.len() / 2);
    for decoded in char::decode_utf16(units) {
        match decoded {
            Ok(c) => text.push(c),
            Err(error) => push_escaped(&mut text, &error.unpaired_surrogate().to_le_bytes()),
        }
    }
    text
}

fn push_escaped(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing into a string does not fail.
        _ = write!(text, "\\x{byte:02x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::CODE_PAGE_WESTERN;

    #[test]
    fn western_text_round_trips_and_bytes_without_a_character_are_escaped() {
        let every: Vec<u8> = (1..=255).collect();
        let text = decode_text(&every, CODE_PAGE_WESTERN);
        assert!(text.contains("\\x81") && text.contains('\u{20ac}') && text.contains('\u{ff}'));
        let clean: Vec<u8> = every.into_iter().filter(|b| western_char(*b).is_some()).collect();
        let text = decode_text(&clean, CODE_PAGE_WESTERN);
        assert_eq!(encode_text(&text, CODE_PAGE_WESTERN), Some(clean));
        assert_eq!(encode_text("\u{4e00}", CODE_PAGE_WESTERN), None);
    }

    #[test]
    fn utf16_text_keeps_pairs_and_escapes_single_surrogates() {
        let bytes = encode_text("a\u{1f600}", CODE_PAGE_UNICODE).unwrap();
        assert_eq!(decode_text(&bytes, CODE_PAGE_UNICODE), "a\u{1f600}");
        assert_eq!(decode_text(&[0x3d, 0xd8, 0x41, 0x00], CODE_PAGE_UNICODE), "\\x3d\\xd8A");
        assert_eq!(decode_text(&[0x41, 0x00, 0x42], CODE_PAGE_UNICODE), "AB");
    }

    #[test]
    fn nuls_at_the_end_are_dropped_and_others_are_kept() {
        assert_eq!(decode_text(b"a\0b\0\0", CODE_PAGE_WESTERN), "a\0b");
    }
}
