//! Keys of UTF-16 text.

use std::cmp::Ordering;

use ese_base::JetErr;
use proptest::prelude::*;

use super::{collation::locale_row_name, *};
use crate::schema::{CODE_PAGE_UNICODE, ColType, Column, ColumnFlags, ColumnId, Origin};

const CASE: u32 = 0x1;
const NONSPACE: u32 = 0x2;
const SYMBOLS: u32 = 0x4;
const DIGITS: u32 = 0x8;
const BYTE_REVERSAL: u32 = 0x800;
const STRING_SORT: u32 = 0x1000;
const KANA: u32 = 0x1_0000;
const WIDTH: u32 = 0x2_0000;

/// Flags that lead to different options each.
const FLAGS: [u32; 14] = [
    0,
    CASE,
    KANA | WIDTH,
    CASE | KANA | WIDTH,
    CASE | KANA | WIDTH | NONSPACE,
    KANA | WIDTH | NONSPACE,
    NONSPACE,
    CASE | NONSPACE,
    CASE | KANA,
    CASE | WIDTH | NONSPACE,
    CASE | KANA | WIDTH | SYMBOLS,
    CASE | KANA | WIDTH | DIGITS,
    SYMBOLS | STRING_SORT,
    0x10 | 0x20 | 0x0800_0000,
];

const LOCALES: [&str; 10] =
    ["", "en-US", "de-DE_phoneb", "sv-SE", "da-DK", "tr-TR", "fr-CA", "ja-JP", "th-TH", "zh-TW"];

fn collation(locale: &str, map_flags: u32) -> Collation {
    Collation::new(&UnicodeIndex { locale: locale.to_owned(), map_flags }).unwrap()
}

fn column() -> Column {
    Column {
        id: ColumnId(128),
        name: "u".into(),
        ty: ColType::Text,
        flags: ColumnFlags::empty(),
        max_len: 255,
        code_page: CODE_PAGE_UNICODE,
        record_offset: 0,
        default: None,
        callback: None,
        origin: Origin::default(),
    }
}

fn bytes(units: &[u16]) -> Vec<u8> {
    units.iter().flat_map(|unit| unit.to_le_bytes()).collect()
}

fn utf16(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn rules(collation: &Collation, key_len_max: usize) -> KeyRules<'_> {
    KeyRules { collation: Some(collation), ..KeyRules::plain(key_len_max) }
}

fn segment(collation: &Collation, descending: bool, units: &[u16], out: &mut Vec<u8>) -> bool {
    let rules = rules(collation, 1 << 20);
    normalise(&rules, &column(), descending, Some(&bytes(units)), out).unwrap()
}

fn key(collation: &Collation, text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    assert!(!segment(collation, false, &utf16(text), &mut out));
    out
}

fn same(locale: &str, flags: u32, a: &str, b: &str) -> bool {
    let collation = collation(locale, flags);
    key(&collation, a) == key(&collation, b)
}

#[test]
fn each_flag_leaves_out_what_it_names() {
    let default = CASE | KANA | WIDTH;
    for (a, b, ignored_by) in [
        ("stra\u{df}e", "STRA\u{1e9e}E", CASE),
        ("Apple", "aPPLE", CASE),
        ("\u{e9}t\u{e9}", "ete", NONSPACE),
        ("\u{3042}\u{3044}", "\u{30a2}\u{30a4}", KANA),
        ("\u{30ab}\u{30bf}", "\u{ff76}\u{ff80}", WIDTH),
        ("\u{ff21}\u{ff11}", "A1", WIDTH),
        ("co-op (5 $)", "coop5", SYMBOLS),
    ] {
        for flags in FLAGS.into_iter().filter(|flags| flags & 0x30 == 0) {
            assert_eq!(same("", flags, a, b), flags & ignored_by != 0, "{a} {b} {flags:#x}");
        }
        assert!(same("en-US", default | NONSPACE | SYMBOLS, a, b), "{a} {b}");
    }
    // Voicing marks, the points of Hebrew, and a precomposed and a decomposed form.
    assert!(same("ja-JP", NONSPACE, "\u{304c}", "\u{304b}"));
    assert!(same("he-IL", NONSPACE, "\u{5d0}\u{5b8}", "\u{5d0}"));
    assert!(same("", 0, "\u{e9}", "e\u{301}"));
    assert!(!same("hi-IN", NONSPACE, "\u{915}\u{941}", "\u{915}"));
    let digits = collation("en-US", default | DIGITS);
    assert!(key(&digits, "part 9") < key(&digits, "part 10"));
    let plain = collation("en-US", default);
    assert!(key(&plain, "part 9") > key(&plain, "part 10"));
}

#[test]
fn locales_order_as_their_languages_do() {
    let before = |locale: &str, a: &str, b: &str| {
        let collation = collation(locale, LCMAP_FLAGS_DEFAULT);
        key(&collation, a) < key(&collation, b)
    };
    assert!(before("en-US", "\u{f6}l", "zebra") && before("sv-SE", "zebra", "\u{f6}l"));
    assert!(before("de-DE", "Ofen", "\u{d6}fen") && before("de-DE_phoneb", "\u{d6}fen", "Ofen"));
    assert!(before("es-ES", "ch", "cz"));
    assert!(before("es-ES_tradnl", "cz", "ch") && before("cs-CZ", "hz", "ch"));
    // Turkish has two letters i.
    assert!(same("en-US", LCMAP_FLAGS_DEFAULT, "I", "i"));
    assert!(!same("tr-TR", LCMAP_FLAGS_DEFAULT, "I", "i"));
    // The first syllables of "north" and "capital" by pinyin and by strokes.
    assert!(before("zh-CN", "\u{5317}", "\u{4e2d}") && before("zh-TW", "\u{4e2d}", "\u{5317}"));
}

#[test]
fn numbers_and_names_of_locales_belong_together() {
    assert_eq!(locale_name(0x409).unwrap().as_deref(), Some("en-US"));
    assert_eq!(locale_name(0x7f).unwrap().as_deref(), Some(""));
    assert_eq!(locale_name(0x07).unwrap().as_deref(), Some("de"));
    assert_eq!(locale_name(0).unwrap(), None);
    assert_eq!(locale_name(0xffff).unwrap_err().code(), JetErr::InvalidLanguageId);
    assert_eq!(locale_number("DE-de_PHONEB"), 0x10407);
    assert_eq!(locale_number("en-SE"), 0x1000);
    for lcid in 1..0x4_2000 {
        let Ok(Some(name)) = locale_name(lcid) else { continue };
        let made = collation(&name, 0);
        assert_eq!(made.unicode().locale, name, "{lcid:#x}");
        assert!(lcid < 0x400 && lcid != 0x7f || locale_number(&name) == lcid, "{lcid:#x} {name}");
    }
    assert_eq!(collation("EN-us", 0).unicode().locale, "EN-us", "as it was given");
    assert_eq!(collation("en-se", 0).unicode().locale, "en-se");
    for name in
        ["xx-XX", "en US", "en-US-u-co-phonebk", "\u{0}", "-", "en-US-x-0123456789012345678"]
    {
        let unicode = UnicodeIndex { locale: name.into(), map_flags: 0 };
        let error = Collation::new(&unicode).map(|made| made.unicode().locale.clone()).unwrap_err();
        assert_eq!(error.code(), JetErr::InvalidLanguageId, "{name}");
    }
    for map_flags in [0x100, 0x200, 0x40_0000, 0x8000_0000, 0x4_0401] {
        let unicode = UnicodeIndex { locale: String::new(), map_flags };
        let error = Collation::new(&unicode).map(|_| ()).unwrap_err();
        assert_eq!(error.code(), JetErr::InvalidLCMapStringFlags, "{map_flags:#x}");
    }
    assert_eq!(collation("", 0).unicode().map_flags, 0x400);
}

#[test]
fn the_row_of_a_maker_of_keys_is_spelled_as_windows_does() {
    let id = [1, 0, 0, 0, 0xee, 0x57, 0x5c, 0x1e, 0, 0xb4, 0xd0, 0, 0x0b, 0xb1, 0xe1, 0x1e];
    assert_eq!(
        locale_row_name("en-US", &id, 0x0006_020f_0006_020f).unwrap(),
        "LocaleName=en-US,SortID=00000001-57ee-1e5c-00b4-d0000bb1e11e,Ver=6020f0006020f"
    );
    assert_eq!(locale_row_name("en-US", &id[1..], 1), None);
}

#[test]
fn null_empty_ignorable_and_other_text_come_in_this_order() {
    let made = collation("en-US", LCMAP_FLAGS_DEFAULT | SYMBOLS);
    let rules = rules(&made, 255);
    let of = |value: Option<&[u8]>, descending| {
        let mut out = Vec::new();
        normalise(&rules, &column(), descending, value, &mut out).unwrap();
        out
    };
    let values: [Option<&[u8]>; 5] = [None, Some(b""), Some(b"-\0"), Some(b"a\0"), Some(b"b\0")];
    for pair in values.windows(2) {
        assert!(of(pair[0], false) < of(pair[1], false) && of(pair[0], true) > of(pair[1], true));
    }
    // An odd byte is no character.
    assert_eq!(of(Some(b"a"), false), [0x40]);
    assert_eq!(of(Some(b"a\0b"), false), of(Some(b"A\0"), false));
}

#[test]
fn a_key_is_cut_at_its_limit_and_says_so() {
    let made = collation("en-US", LCMAP_FLAGS_DEFAULT);
    for len in [3, 20, 255, 1000] {
        for text in ["ab\u{e9}".repeat(500), "\u{301}".repeat(3000), "\u{1f600}".repeat(999)] {
            let (mut full, mut cut) = (Vec::new(), Vec::new());
            let value = bytes(&utf16(&text));
            normalise(&rules(&made, 1 << 20), &column(), false, Some(&value), &mut full).unwrap();
            assert!(
                normalise(&rules(&made, len), &column(), false, Some(&value), &mut cut).unwrap()
            );
            assert!(cut.len() <= len);
            if !text.starts_with('\u{301}') {
                assert_eq!(cut, full[..len], "what is left out of the text does not show");
            }
        }
    }
    let limited = KeyRules { segment_len_max: Some(4), ..rules(&made, 255) };
    let mut out = Vec::new();
    assert!(
        !normalise(&limited, &column(), false, Some(&[b'a', 0].repeat(400)), &mut out).unwrap()
    );
    assert_eq!(out.len(), 4);
}

/// FNV-1a.
fn hash(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

#[test]
fn keys_of_this_sort_version_never_change() {
    // If this fails, keys in files are not those that would be made now: raise SORT_VERSION, so
    // that old indexes are seen as foreign, and only then write the new number here.
    let mut sum = hash(0xcbf2_9ce4_8422_2325, &SORT_VERSION.to_le_bytes());
    for locale in LOCALES {
        for flags in [LCMAP_FLAGS_DEFAULT, 0, CASE | NONSPACE, SYMBOLS | DIGITS | BYTE_REVERSAL] {
            let made = collation(locale, flags);
            let mut out = Vec::new();
            for code in 1..=0xffff_u16 {
                out.clear();
                let neighbours = [u16::from(b'c'), code, u16::from(b'H'), code ^ 1];
                segment(&made, false, &neighbours, &mut out);
                sum = hash(sum, &out);
            }
        }
    }
    assert_eq!(sum, 0x17c9_bf6f_3a88_0bf9, "{sum:#018x}");
}

/// Text in which much is almost equal.
fn text() -> impl Strategy<Value = Vec<u16>> {
    let one_of = |chars: &str| proptest::sample::select(chars.chars().collect::<Vec<_>>());
    let letter = prop_oneof![
        4 => one_of("aAbBcChHiI\u{131}\u{130}sS\u{df}zZ"),
        2 => one_of("e\u{e9}E\u{c9}o\u{f6}\u{d8}\u{e6}\u{301}\u{308}\u{323}"),
        2 => one_of(" -'.$_+09\u{661}5\u{0}"),
        1 => one_of("\u{3042}\u{30a2}\u{ff71}\u{304c}\u{30ab}\u{3099}\u{ff9e}"),
        1 => one_of("\u{30fc}\u{ff21}\u{3000}\u{3041}\u{ac00}\u{1100}\u{1161}\u{4e2d}\u{5317}"),
        1 => one_of("\u{e01}\u{e40}\u{915}\u{941}\u{5d0}\u{5b8}\u{fffe}\u{ffff}\u{1f600}\u{10ffff}"),
        1 => any::<char>(),
    ];
    let unit = prop_oneof![
        30 => letter.prop_map(|c| c.encode_utf16(&mut [0; 2]).to_vec()),
        1 => any::<u16>().prop_map(|unit| vec![unit]),
    ];
    proptest::collection::vec(unit, 1..12).prop_map(|units| units.concat())
}

fn any_collation() -> impl Strategy<Value = Collation> {
    (proptest::sample::select(&LOCALES[..]), proptest::sample::select(&FLAGS[..]))
        .prop_map(|(locale, flags)| collation(locale, flags))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn keys_order_as_the_library_compares(made in any_collation(), a in text(), b in text()) {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        segment(&made, false, &a, &mut first);
        segment(&made, false, &b, &mut second);
        prop_assert_eq!(first.cmp(&second), made.compare(&a, &b), "{:?}", made.unicode());
        prop_assert!(!first[..first.len() - 1].contains(&0));
    }

    #[test]
    fn segments_decide_one_after_the_other(
        made in any_collation(),
        reversed: bool,
        rows in proptest::collection::vec((text(), text()), 2),
        down in any::<[bool; 2]>(),
    ) {
        let flags = made.unicode().map_flags | if reversed { BYTE_REVERSAL } else { 0 };
        let keyed = collation(&made.unicode().locale, flags);
        let key = |(a, b): &(Vec<u16>, Vec<u16>)| {
            let mut out = Vec::new();
            segment(&keyed, down[0], a, &mut out);
            segment(&keyed, down[1], b, &mut out);
            out
        };
        let turned = |order: Ordering, down: bool| if down { order.reverse() } else { order };
        let expected = turned(made.compare(&rows[0].0, &rows[1].0), down[0])
            .then(turned(made.compare(&rows[0].1, &rows[1].1), down[1]));
        let (a, b) = (key(&rows[0]), key(&rows[1]));
        if reversed {
            // Another order, with the same equalities.
            prop_assert_eq!(a == b, expected.is_eq());
        } else {
            prop_assert_eq!(a.cmp(&b), expected);
        }
    }

    #[test]
    fn text_that_begins_with_another_has_a_key_that_begins_with_its_letters(
        locale in proptest::sample::select(&LOCALES[..]),
        flags in proptest::sample::select(&FLAGS[..]),
        reversed: bool,
        head in "[a-gA-G\u{e9}\u{3042}\u{4e2d} .]{1,8}",
        tail in "[j-zJ-Z\u{430}\u{5d0}\u{ac00}$]{0,8}",
    ) {
        let made = collation(locale, flags & !DIGITS | if reversed { BYTE_REVERSAL } else { 0 });
        let mut beginning = Vec::new();
        let head16 = bytes(&utf16(&head));
        normalise_beginning(&rules(&made, 255), &column(), false, &head16, &mut beginning).unwrap();
        let whole = key(&made, &(head.clone() + &tail));
        prop_assert!(whole.starts_with(&beginning), "{:?}", made.unicode());
        // And other letters do not.
        let other = key(&made, &("h".to_owned() + &head));
        prop_assert!(beginning.len() < 3 || reversed || !other.starts_with(&beginning));
    }
}

/// The limit may come from a damaged catalog.
#[test]
fn a_key_of_no_length_is_empty_and_cut() {
    let collation = collation("", 0);
    let rules = KeyRules { collation: Some(&collation), ..KeyRules::plain(0) };
    for text in ["a", "\u{10000}\u{10000}"] {
        let text: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut out = Vec::new();
        assert!(normalise(&rules, &column(), false, Some(&text), &mut out).unwrap());
        assert_eq!(out, []);
        normalise_beginning(&rules, &column(), false, &text, &mut out).unwrap();
        assert_eq!(out, []);
    }
}
