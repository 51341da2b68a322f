//! Taking differences out of text that no option of the collation library leaves out.

use bitflags::bitflags;
use icu_normalizer::{
    DecomposingNormalizerBorrowed, properties::CanonicalCombiningClassMapBorrowed,
};

bitflags! {
    /// What is to be folded away.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(super) struct Fold: u8 {
        /// Upper case becomes lower case.
        const CASE = 1;
        /// Accents are taken out.
        const ACCENTS = 2;
        /// Katakana becomes hiragana.
        const KANA = 4;
        /// Half-width and full-width forms become the ordinary ones.
        const WIDTH = 8;
    }
}

impl Fold {
    /// The text without the differences. Unpaired surrogates become U+FFFD, as they are to the
    /// library.
    pub(super) fn apply<C: Extend<u16> + Default>(self, units: impl Iterator<Item = u16>) -> C {
        let mut out = C::default();
        let mut put = |c: char| {
            let c = if self.contains(Fold::KANA) { hiragana(c) } else { c };
            if self.contains(Fold::CASE) {
                c.to_lowercase().for_each(|c| push(&mut out, c));
            } else {
                push(&mut out, c);
            }
        };
        let mut narrow = |c: char| match self.contains(Fold::WIDTH) && has_width(c) {
            true => COMPATIBLE.normalize_iter(std::iter::once(c)).for_each(&mut put),
            false => put(c),
        };
        let chars = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
        if self.contains(Fold::ACCENTS) {
            let classes = CanonicalCombiningClassMapBorrowed::new();
            CANONICAL
                .normalize_iter(chars)
                .filter(|c| !is_accent(classes.get_u8(*c)))
                .for_each(&mut narrow);
        } else {
            chars.for_each(&mut narrow);
        }
        out
    }
}

const CANONICAL: DecomposingNormalizerBorrowed<'static> = DecomposingNormalizerBorrowed::new_nfd();
const COMPATIBLE: DecomposingNormalizerBorrowed<'static> =
    DecomposingNormalizerBorrowed::new_nfkd();

fn push(out: &mut impl Extend<u16>, c: char) {
    out.extend(c.encode_utf16(&mut [0; 2]).iter().copied());
}

/// Combining classes whose characters have no weight among base letters: overlays, nuktas, voicing
/// marks, the points of Hebrew and Arabic, tone marks, and what stands above, below or beside. The
/// others are vowels.
fn is_accent(class: u8) -> bool {
    matches!(class, 1 | 7 | 8 | 10..=36 | 107 | 122 | 200..=240)
}

fn has_width(c: char) -> bool {
    matches!(c, '\u{3000}' | '\u{ff00}'..='\u{ffef}')
}

fn hiragana(c: char) -> char {
    match c {
        '\u{30a1}'..='\u{30f6}' | '\u{30fd}' | '\u{30fe}' => {
            char::from_u32(u32::from(c) - 0x60).unwrap_or(c)
        }
        _ => c,
    }
}
