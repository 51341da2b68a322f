//! Bytes as hexadecimal digits.

use std::fmt;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Bytes that are shown as hexadecimal digits: `{}` shows all of them, `{:.16}` the first 16 and
/// `..` where there are more.
///
/// ```
/// use ese_base::Hex;
/// assert_eq!(Hex(b"\x00\xab\xff").to_string(), "00abff");
/// assert_eq!(format!("{:.2}", Hex(b"\x00\xab\xff")), "00ab..");
/// assert_eq!(Hex::parse("00ABff"), Some(vec![0, 0xab, 0xff]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hex<'a>(pub &'a [u8]);

impl<'a> Hex<'a> {
    /// All digits, as ASCII.
    pub fn digits(self) -> impl Iterator<Item = u8> + 'a {
        let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
        self.0.iter().flat_map(move |byte| [digit(byte >> 4), digit(byte & 15)])
    }
}

impl Hex<'_> {
    /// The bytes of a text of nothing but pairs of digits, capital or not.
    #[must_use]
    pub fn parse(text: &str) -> Option<Vec<u8>> {
        let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
        let digits: Vec<u8> = text.as_bytes().iter().map(digit).collect::<Option<_>>()?;
        let pairs = digits.len().is_multiple_of(2).then(|| digits.chunks_exact(2))?;
        Some(pairs.map(|pair| pair.iter().fold(0_u8, |byte, digit| byte << 4 | digit)).collect())
    }
}

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = f.precision().and_then(|most| self.0.get(..most)).unwrap_or(self.0);
        let text: String = Hex(shown).digits().map(char::from).collect();
        f.write_str(&text)?;
        if shown.len() < self.0.len() { f.write_str("..") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_bytes_again() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(Hex::parse(&Hex(&all).to_string()), Some(all));
        assert_eq!(Hex::parse(""), Some(Vec::new()));
        for wrong in ["0", "0g", "+1", "\u{e9}", "0 1 "] {
            assert_eq!(Hex::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn what_is_cut_says_so() {
        let shown = |most: usize| format!("{:.most$}", Hex(b"abc"));
        assert_eq!([shown(0), shown(2), shown(3), shown(4)], ["..", "6162..", "616263", "616263"]);
    }
}
