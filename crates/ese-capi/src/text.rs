//! Text between callers and the engine. Names without ending and those that end in A have 8-bit
//! text, which is UTF-8 here; what code pages have in common with ASCII is. Names that end in W
//! have UTF-16. What is no such text is refused with `JET_errUnicodeTranslationFail` (-602).
//!
//! Paths come with `/` or `\` between their parts, and go out with `/`. A folder that was set as a
//! parameter is given back absolute and with a `/` at its end.

use std::path::PathBuf;

use ese_base::{Error, JetErr, Result};

use crate::ptr::{Bytes, Plain, Ptr, Str, bytes, len};

/// A unit of text.
pub(crate) trait Unit: Plain + PartialEq + Default {
    /// Is this the unit of UTF-16?
    const WIDE: bool;

    /// The text.
    ///
    /// # Errors
    /// `JET_errUnicodeTranslationFail` (-602).
    fn decode(units: &[Self]) -> Result<String>;

    fn encode(text: &str) -> Vec<Self>;

    /// Appends the unit as it lies in memory.
    fn append(self, to: &mut Vec<u8>);
}

#[track_caller]
fn untranslatable(what: &'static str) -> Error {
    Error::new(JetErr::UnicodeTranslationFail, what)
}

impl Unit for u8 {
    const WIDE: bool = false;

    fn decode(units: &[u8]) -> Result<String> {
        let text = std::str::from_utf8(units);
        text.map(str::to_owned).map_err(|_| untranslatable("the text is not UTF-8"))
    }

    fn encode(text: &str) -> Vec<u8> {
        text.as_bytes().to_vec()
    }

    fn append(self, to: &mut Vec<u8>) {
        to.push(self);
    }
}

impl Unit for u16 {
    const WIDE: bool = true;

    fn decode(units: &[u16]) -> Result<String> {
        String::from_utf16(units).map_err(|_| untranslatable("half of a surrogate pair"))
    }

    fn encode(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn append(self, to: &mut Vec<u8>) {
        to.extend(self.to_le_bytes());
    }
}

impl<C: Unit> Str<C> {
    /// The text; `None` at NULL.
    pub(crate) fn text(self) -> Result<Option<String>> {
        self.units().map(|units| C::decode(&units)).transpose()
    }

    /// The text; NULL is none.
    pub(crate) fn or_empty(self) -> Result<String> {
        self.text().map(Option::unwrap_or_default)
    }

    /// A name.
    ///
    /// # Errors
    /// `JET_errInvalidParameter` (-1003) for NULL.
    #[track_caller]
    pub(crate) fn name(self) -> Result<String> {
        let missing = || Error::new(JetErr::InvalidParameter, "a name is NULL");
        self.text()?.ok_or_else(missing)
    }

    /// A path.
    ///
    /// # Errors
    /// `JET_errInvalidParameter` (-1003) for NULL.
    #[track_caller]
    pub(crate) fn path(self) -> Result<String> {
        self.name().map(with_slashes)
    }

    /// The path of a database; NULL is as good as an empty one, which no call takes.
    pub(crate) fn database_path(self) -> Result<String> {
        Ok(self.text()?.map(with_slashes).unwrap_or_default())
    }

    /// A path; `None` at NULL.
    pub(crate) fn path_if_any(self) -> Result<Option<PathBuf>> {
        Ok(self.text()?.map(with_slashes).map(PathBuf::from))
    }
}

pub(crate) fn with_slashes(path: String) -> String {
    if path.contains('\\') { path.replace('\\', "/") } else { path }
}

/// Writes text and a NUL into a buffer of `cb` bytes. What does not fit is left out; the NUL is
/// there. False: it did not fit.
pub(crate) fn put<C: Unit>(to: Ptr<C>, cb: u32, text: &str) -> bool {
    let units = C::encode(text);
    let room = bytes(cb) / size_of::<C>();
    if to.is_null() || room == 0 {
        return false;
    }
    let count = units.len().min(room - 1);
    for (at, unit) in units.iter().take(count).enumerate() {
        to.at(at).write(*unit);
    }
    to.at(count).write(C::default());
    count == units.len()
}

/// As [`put`].
///
/// # Errors
/// `JET_errBufferTooSmall` (-1038) for what did not fit.
pub(crate) fn put_whole<C: Unit>(to: Ptr<C>, cb: u32, text: &str) -> Result<()> {
    if put(to, cb, text) {
        return Ok(());
    }
    let what = format!("a buffer of {cb} bytes for text of {} characters", text.len());
    Err(Error::new(JetErr::BufferTooSmall, what))
}

/// Writes a list of texts that ends with two NULs, as much of it as fits. Gives the bytes of the
/// whole list, and of what was written.
pub(crate) fn put_list<C: Unit>(to: Bytes, cb: u32, texts: &[String]) -> (u32, u32) {
    let mut units = Vec::new();
    for text in texts {
        units.extend(C::encode(text));
        units.push(C::default());
    }
    units.push(C::default());
    if texts.is_empty() {
        units.push(C::default());
    }
    let mut list = Vec::new();
    units.into_iter().for_each(|unit: C| unit.append(&mut list));
    to.fill(cb, &list);
    let written = if to.is_null() { 0 } else { list.len().min(bytes(cb)) };
    (len(list.len()), len(written))
}

/// Text in an array of a structure.
pub(crate) fn array<C: Unit, const N: usize>(text: &str) -> [C; N] {
    let mut array = [C::default(); N];
    let units = C::encode(text);
    for (to, from) in array.iter_mut().take(N - 1).zip(units) {
        *to = from;
    }
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_refused_and_ascii_is_text_in_both_widths() {
        assert_eq!(u8::decode(b"table").unwrap(), "table");
        assert_eq!(u16::decode(&[116, 0x20ac]).unwrap(), "t\u{20ac}");
        let refused = JetErr::UnicodeTranslationFail;
        assert_eq!(u8::decode(b"t\xe4st").unwrap_err().code(), refused);
        assert_eq!(u16::decode(&[0xd800, 116]).unwrap_err().code(), refused);
    }

    #[test]
    fn text_that_does_not_fit_is_cut_before_its_nul() {
        let mut room = [9_u16; 4];
        assert!(put(Ptr::to(&mut room).cast::<u16>(), 8, "abc"));
        assert_eq!(room, [97, 98, 99, 0]);
        let mut room = [9_u8; 4];
        assert!(!put(Ptr::to(&mut room).cast::<u8>(), 3, "abc"));
        assert_eq!(room, [97, 98, 0, 9]);
        assert!(!put::<u8>(Ptr::NULL, 3, "abc"));
    }

    #[test]
    fn lists_end_with_two_nuls_and_tell_their_length_where_they_do_not_fit() {
        let texts = ["a".to_owned(), "bc".to_owned()];
        assert_eq!(put_list::<u8>(Bytes::NULL, 0, &texts), (6, 0));
        assert_eq!(put_list::<u16>(Bytes::NULL, 0, &texts), (12, 0));
        assert_eq!(put_list::<u16>(Bytes::NULL, 0, &[]), (4, 0));
    }
}
