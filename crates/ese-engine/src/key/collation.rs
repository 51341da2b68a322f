//! Sort keys of UTF-16 text (decision 0011).
//!
//! Windows makes them with `LCMapStringEx` from weights that exist only there. Ours come from the
//! Unicode collation library, under a sort id and version of our own: an index tells by them who
//! made its keys, and keys of different makers are never mixed.
//!
//! | flag of LCMapString | here |
//! |---|---|
//! | all of NORM_IGNORECASE, NORM_IGNOREKANATYPE, NORM_IGNOREWIDTH | secondary strength |
//! | NORM_IGNOREKANATYPE, NORM_IGNOREWIDTH | secondary strength and the level of case |
//! | other sets of these three | tertiary strength, what is ignored is folded away before |
//! | NORM_IGNORENONSPACE | primary strength; with tertiary strength accents are taken out before |
//! | NORM_IGNORESYMBOLS | spaces, punctuation, symbols and currency signs are left out |
//! | LINGUISTIC_IGNORECASE, LINGUISTIC_IGNOREDIACRITIC | as NORM_IGNORECASE, NORM_IGNORENONSPACE |
//! | NORM_LINGUISTIC_CASING | nothing: cases are what the locale says |
//! | SORT_DIGITSASNUMBERS | numeric ordering |
//! | SORT_STRINGSORT | nothing: hyphens and apostrophes are always like other punctuation |
//! | LCMAP_BYTEREV | the bytes of the key change places in pairs |
//! | LCMAP_SORTKEY | always |

use bitflags::bitflags;
use ese_base::{Error, Hex, JetErr, Result};
use icu_collator::{
    CollatorBorrowed,
    options::{AlternateHandling, CaseLevel, CollatorOptions, MaxVariable, Strength},
    preferences::CollationNumericOrdering,
};
use smallvec::SmallVec;

use super::{
    fold::Fold,
    locale::{LOCALE_DEFAULT, checked_name, preferences},
};

bitflags! {
    /// Flags of LCMapString that an index can have.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct MapFlags: u32 {
        /// Case does not matter.
        const IGNORE_CASE = 0x0000_0001;
        /// Accents do not matter.
        const IGNORE_NONSPACE = 0x0000_0002;
        /// Punctuation and symbols do not matter.
        const IGNORE_SYMBOLS = 0x0000_0004;
        /// Digits sort as the number they make.
        const DIGITS_AS_NUMBERS = 0x0000_0008;
        /// As `IGNORE_CASE`.
        const LINGUISTIC_IGNORE_CASE = 0x0000_0010;
        /// As `IGNORE_NONSPACE`.
        const LINGUISTIC_IGNORE_DIACRITIC = 0x0000_0020;
        /// Make a sort key: always set.
        const SORT_KEY = 0x0000_0400;
        /// Swap the bytes of each pair.
        const BYTE_REVERSAL = 0x0000_0800;
        /// Punctuation sorts as symbols do.
        const STRING_SORT = 0x0000_1000;
        /// Hiragana and katakana are the same.
        const IGNORE_KANA_TYPE = 0x0001_0000;
        /// Half-width and full-width characters are the same.
        const IGNORE_WIDTH = 0x0002_0000;
        /// Cases are those of the language.
        const LINGUISTIC_CASING = 0x0800_0000;
    }
}

/// LCMapString flags that index rows carry: sort key, ignoring case, kana type and width.
pub const LCMAP_FLAGS_DEFAULT: u32 = 0x0003_0401;

/// Who made the keys of an index: `SortID` of its catalog row, in the byte order of a GUID.
/// {8d6f1a52-3c0b-4e97-a1f4-65736531b7c2}
pub(crate) const SORT_ID: [u8; 16] = [
    0x52, 0x1a, 0x6f, 0x8d, 0x0b, 0x3c, 0x97, 0x4e, 0xa1, 0xf4, 0x65, 0x73, 0x65, 0x31, 0xb7, 0xc2,
];
/// `Version` of its catalog row. To be raised whenever the key of any text changes: with another
/// version of the library's data, or with the rules here (the test of the fingerprint tells).
pub(crate) const SORT_VERSION: u64 = 1;

/// What the key of MSysLocales says of the makers of keys; `None` for an id that is no GUID.
pub(crate) fn locale_row_name(locale: &str, sort_id: &[u8], version: u64) -> Option<String> {
    let id: [u8; 16] = sort_id.try_into().ok()?;
    let [a, b, c, d, e, f, g, h, i, j, node @ ..] = id;
    let (first, second) = (u32::from_le_bytes([a, b, c, d]), u16::from_le_bytes([e, f]));
    let third = u16::from_le_bytes([g, h]);
    let node = Hex(&node);
    Some(format!(
        "LocaleName={locale},SortID={first:08x}-{second:04x}-{third:04x}-{i:02x}{j:02x}-{node},\
         Ver={version:x}"
    ))
}

/// How UTF-16 text sorts in an index (JET_UNICODEINDEX2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnicodeIndex {
    /// Name of the locale; empty is the invariant one.
    pub locale: String,
    /// Flags of LCMapString; LCMAP_SORTKEY is added.
    pub map_flags: u32,
}

impl Default for UnicodeIndex {
    fn default() -> UnicodeIndex {
        UnicodeIndex { locale: LOCALE_DEFAULT.to_owned(), map_flags: LCMAP_FLAGS_DEFAULT }
    }
}

impl UnicodeIndex {
    /// The same as indexes keep it: the name is one of a locale, the flags are complete.
    ///
    /// # Errors
    /// `JET_errInvalidLanguageId` (-1062), `JET_errInvalidLCMapStringFlags` (-1064).
    pub fn checked(&self) -> Result<UnicodeIndex> {
        let locale = checked_name(&self.locale)?;
        let flags = MapFlags::from_bits(self.map_flags).ok_or_else(|| {
            Error::new(
                JetErr::InvalidLCMapStringFlags,
                format!("{:#x} are no flags for sort keys", self.map_flags),
            )
        })?;
        Ok(UnicodeIndex { locale, map_flags: (flags | MapFlags::SORT_KEY).bits() })
    }
}

/// Makes the sort keys of one locale with one set of flags. Costs a look-up of data when it is
/// made, and nothing but the key afterwards; an index has one.
#[derive(Debug)]
pub struct Collation {
    unicode: UnicodeIndex,
    collator: CollatorBorrowed<'static>,
    fold: Fold,
    byte_reversal: bool,
}

impl PartialEq for Collation {
    fn eq(&self, other: &Collation) -> bool {
        self.unicode == other.unicode
    }
}

impl Eq for Collation {}

/// UTF-16 that is to be sorted, most often on the stack.
type Units = SmallVec<[u16; 256]>;

/// Ends each level of a sort key.
const LEVEL_END: u8 = 1;

impl Collation {
    /// # Errors
    /// `JET_errInvalidLanguageId` (-1062), `JET_errInvalidLCMapStringFlags` (-1064).
    pub fn new(unicode: &UnicodeIndex) -> Result<Collation> {
        let unicode = unicode.checked()?;
        let flags = MapFlags::from_bits_retain(unicode.map_flags);
        let (options, fold) = options(flags);
        let mut preferences = preferences(&unicode.locale);
        if flags.contains(MapFlags::DIGITS_AS_NUMBERS) {
            preferences.numeric_ordering = Some(CollationNumericOrdering::True);
        }
        let collator = CollatorBorrowed::try_new(preferences, options).map_err(|error| {
            let what = format!("locale \"{}\": {error}", unicode.locale);
            Error::new(JetErr::UnicodeLanguageValidationFailure, what)
        })?;
        let byte_reversal = flags.contains(MapFlags::BYTE_REVERSAL);
        Ok(Collation { unicode, collator, fold, byte_reversal })
    }

    /// Locale and flags.
    #[must_use]
    pub fn unicode(&self) -> &UnicodeIndex {
        &self.unicode
    }

    /// Appends the sort key of the first `units_max` units of UTF-16LE text; answers whether there
    /// were more. The key has no zero byte.
    pub(super) fn sort_key(&self, text: &[u8], units_max: usize, out: &mut Vec<u8>) -> bool {
        let begin = out.len();
        let (units, cut) = self.units(text, units_max);
        // A vector takes everything.
        let Ok(()) = self.collator.write_sort_key_utf16_to(&units, out);
        if self.byte_reversal {
            swap_pairs(out.get_mut(begin..).unwrap_or_default());
        }
        cut
    }

    /// Appends what the sort keys of all texts begin with that begin with this one: its base
    /// letters. Contractions and numbers across its end do not count as beginning so.
    pub(super) fn beginning(&self, text: &[u8], units_max: usize, out: &mut Vec<u8>) {
        let begin = out.len();
        let (units, _) = self.units(text, units_max);
        let Ok(()) = self.collator.write_sort_key_utf16_to(&units, out);
        let key = out.get(begin..).unwrap_or_default();
        let letters = key.iter().position(|byte| *byte == LEVEL_END).unwrap_or(key.len());
        if self.byte_reversal {
            // A byte without its fellow will change places with one that is not known.
            out.truncate(begin + letters / 2 * 2);
            swap_pairs(out.get_mut(begin..).unwrap_or_default());
        } else {
            out.truncate(begin + letters);
        }
    }

    /// The text with what the flags ignore folded away.
    fn units(&self, text: &[u8], units_max: usize) -> (Units, bool) {
        let (pairs, _) = text.as_chunks::<2>();
        let mut end = pairs.len().min(units_max);
        let unit = |pair: &[u8; 2]| u16::from_le_bytes(*pair);
        let cut = end < pairs.len();
        let last = end.checked_sub(1).filter(|_| cut);
        if let Some(last) = last
            && pairs.get(last).is_some_and(|pair| (0xd800..0xdc00).contains(&unit(pair)))
        {
            // Not half a character.
            end = last;
        }
        let units = pairs.iter().take(end).map(unit);
        (if self.fold.is_empty() { units.collect() } else { self.fold.apply(units) }, cut)
    }

    #[cfg(test)]
    pub(super) fn compare(&self, a: &[u16], b: &[u16]) -> std::cmp::Ordering {
        if self.fold.is_empty() {
            return self.collator.compare_utf16(a, b);
        }
        let fold = |units: &[u16]| -> Units { self.fold.apply(units.iter().copied()) };
        self.collator.compare_utf16(&fold(a), &fold(b))
    }
}

fn swap_pairs(bytes: &mut [u8]) {
    bytes.as_chunks_mut::<2>().0.iter_mut().for_each(|pair| pair.swap(0, 1));
}

/// The library's options, and what they cannot express.
fn options(flags: MapFlags) -> (CollatorOptions, Fold) {
    let has = |wanted| flags.intersects(wanted);
    let case = has(MapFlags::IGNORE_CASE | MapFlags::LINGUISTIC_IGNORE_CASE);
    let accents = has(MapFlags::IGNORE_NONSPACE | MapFlags::LINGUISTIC_IGNORE_DIACRITIC);
    let (kana, width) = (has(MapFlags::IGNORE_KANA_TYPE), has(MapFlags::IGNORE_WIDTH));
    let mut options = CollatorOptions::default();
    let mut fold = Fold::empty();
    if kana && width {
        options.strength = Some(if accents { Strength::Primary } else { Strength::Secondary });
        options.case_level = Some(if case { CaseLevel::Off } else { CaseLevel::On });
    } else {
        options.strength = Some(Strength::Tertiary);
        options.case_level = Some(CaseLevel::Off);
        fold.set(Fold::CASE, case);
        fold.set(Fold::ACCENTS, accents);
        fold.set(Fold::KANA, kana);
        fold.set(Fold::WIDTH, width);
    }
    options.alternate_handling = Some(AlternateHandling::NonIgnorable);
    if has(MapFlags::IGNORE_SYMBOLS) {
        options.alternate_handling = Some(AlternateHandling::Shifted);
        options.max_variable = Some(MaxVariable::Currency);
    }
    (options, fold)
}
