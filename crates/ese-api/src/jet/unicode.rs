//! The order of UTF-16 text in keys (api-semantics 12.13).

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    key::{locale_name, locale_number},
    schema::UnicodeIndex,
};

use super::{JET_INDEXCREATE, JET_bitIndexUnicode};

/// Locale by number, and flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JET_UNICODEINDEX {
    /// Number of the locale; 0 = the instance's.
    pub lcid: u32,
    /// Flags of LCMapString; LCMAP_SORTKEY is added.
    pub dwMapFlags: u32,
}

/// Locale by name, and flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JET_UNICODEINDEX2 {
    /// Name of the locale: empty is the invariant one, none the instance's.
    pub szLocaleName: Option<String>,
    /// Flags of LCMapString; LCMAP_SORTKEY is added.
    pub dwMapFlags: u32,
}

impl JET_UNICODEINDEX {
    /// The same with the name of the locale.
    ///
    /// # Errors
    /// `JET_errInvalidLanguageId` (-1062).
    pub fn named(&self) -> Result<JET_UNICODEINDEX2> {
        let JET_UNICODEINDEX { lcid, dwMapFlags } = *self;
        Ok(JET_UNICODEINDEX2 { szLocaleName: locale_name(lcid)?, dwMapFlags })
    }
}

impl JET_UNICODEINDEX2 {
    /// As the engine has it.
    pub(super) fn engine(&self) -> UnicodeIndex {
        let UnicodeIndex { locale, .. } = UnicodeIndex::default();
        let locale = self.szLocaleName.clone().unwrap_or(locale);
        UnicodeIndex { locale, map_flags: self.dwMapFlags }
    }

    pub(super) fn of(unicode: &UnicodeIndex) -> JET_UNICODEINDEX2 {
        let UnicodeIndex { locale, map_flags } = unicode.clone();
        JET_UNICODEINDEX2 { szLocaleName: Some(locale), dwMapFlags: map_flags }
    }

    /// The number of the locale; 0x1000 where it has none.
    #[must_use]
    pub fn lcid(&self) -> u32 {
        locale_number(self.szLocaleName.as_deref().unwrap_or(&self.engine().locale))
    }
}

/// Locale and flags that an index to be made asks for; `None` is the instance's.
pub(super) fn index_order(index: &JET_INDEXCREATE) -> Result<(Option<String>, Option<u32>)> {
    if index.grbit & JET_bitIndexUnicode == 0 {
        return Ok((locale_name(index.lcid)?, None));
    }
    let given = index.pidxunicode.as_ref().ok_or_else(|| {
        Error::new(
            JetErr::InvalidParameter,
            format!("index \"{}\" has no order of UTF-16 text", index.szIndexName),
        )
    })?;
    // No flags are no wish either (for temporary tables they are one).
    Ok((given.szLocaleName.clone(), Some(given.dwMapFlags).filter(|flags| *flags != 0)))
}
