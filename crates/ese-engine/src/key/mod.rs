//! Normalised keys: byte strings that compare as the values they stand for (edb-format section 8).
//!
//! A key is its segments one after the other, each with a prefix byte: 0x00 NULL, 0x40 empty, 0x7F
//! data (0xC0 NULL where NULLs sort high). A descending segment is inverted, prefix byte included.
//! The whole key is cut at the index's limit: what follows the cut is not written at all.
//!
//! Text of code page 1252 follows ESE bit for bit. The keys of UTF-16 text are our own
//! ([`Collation`]): in an index that another engine filled only NULL and empty values have one,
//! anything else is `JET_errSecondaryIndexCorrupted` or `JET_errPrimaryIndexCorrupted`.

mod collation;
mod entries;
mod fold;
mod locale;
mod normalise;
mod partial;
mod restore;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod text_tests;
mod unicode;

pub use collation::{Collation, LCMAP_FLAGS_DEFAULT, MapFlags, UnicodeIndex};
pub(crate) use collation::{SORT_ID, SORT_VERSION, locale_row_name};
pub use entries::{
    beginning_key, check_supported, for_each_key, primary_key, record_key, values_key,
};
pub(crate) use entries::{check_supported_columns, tuple_limits};
pub use locale::{LOCALE_DEFAULT, locale_name, locale_number};
pub use normalise::{KeyRules, normalise};
pub use partial::normalise_beginning;
pub(crate) use restore::is_spread;
pub use restore::{Restored, itag_of_key, restore};

/// Key of row number `n` of a table without primary index: 4 bytes, big-endian, no prefix byte.
#[must_use]
pub fn sequential(n: u32) -> [u8; 4] {
    n.to_be_bytes()
}

/// The number behind a sequential row key.
#[must_use]
pub fn sequential_number(key: &[u8]) -> Option<u32> {
    key.try_into().ok().map(u32::from_be_bytes)
}
