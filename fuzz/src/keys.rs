//! Two values of any column as segments of a key, under any rules: making a key never panics, never
//! passes the limit, and says so when the limit cut it. Keys of numbers and bytes order as their
//! values, NULL before them or behind, the other way round where the column is descending. Equal
//! values have equal keys. The beginning of a value begins its key.
//!
//! Input: column, options, limits, locale and flags of the text order, length of the first value,
//! then both values.

use std::{cmp::Ordering, sync::OnceLock};

use ese_base::PageSize;
use ese_engine::{
    key::{Collation, KeyRules, MapFlags, UnicodeIndex, normalise, normalise_beginning},
    schema::{ColType, Column, ColumnDef, Placement, TableDef},
};

use crate::input::Input;

/// Locales with rules of their own, and the invariant one.
const LOCALES: [&str; 6] = ["", "en-US", "de-DE", "sv-SE", "tr-TR", "ja-JP"];
const FLAGS: [u32; 6] = [
    0,
    MapFlags::IGNORE_CASE.bits(),
    MapFlags::IGNORE_NONSPACE.bits() | MapFlags::IGNORE_SYMBOLS.bits(),
    MapFlags::DIGITS_AS_NUMBERS.bits() | MapFlags::STRING_SORT.bits(),
    MapFlags::BYTE_REVERSAL.bits(),
    MapFlags::IGNORE_KANA_TYPE.bits()
        | MapFlags::IGNORE_WIDTH.bits()
        | MapFlags::LINGUISTIC_CASING.bits(),
];

/// See the head of this module.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let columns = columns();
    let column = &columns[input.below(columns.len())];
    let options = input.byte();
    let descending = options & 1 != 0;
    let (key_len_max, segment) = (input.below(2001), 1 + input.below(300));
    let collation = collation(usize::from(input.byte()));
    let rules = KeyRules {
        key_len_max,
        segment_len_max: (options & 8 != 0).then_some(segment).filter(|len| *len < key_len_max),
        nulls_high: options & 2 != 0,
        dot_net_guid: options & 4 != 0,
        collation: (options & 16 == 0).then_some(collation),
        primary: options & 32 != 0,
    };
    let len = usize::from(input.byte());
    let first = (options & 64 == 0).then(|| input.bytes(len));
    let second = (options & 128 == 0).then(|| input.rest());
    let key = |value: Option<&[u8]>| {
        let mut out = Vec::new();
        let cut = normalise(&rules, column, descending, value, &mut out).ok()?;
        assert!(out.len() <= key_len_max, "{} bytes, limit {key_len_max}", out.len());
        assert!(!cut || out.len() == key_len_max, "cut, but there is room");
        Some((out, cut))
    };
    let (Some((a, cut_a)), Some((b, cut_b))) = (key(first), key(second)) else { return };
    if first == second {
        assert_eq!(a, b, "one value, two keys");
    }
    let whole = !cut_a && !cut_b && rules.segment_len_max.is_none();
    if let Some(order) = order(column, &rules, first, second).filter(|_| whole) {
        let order = if descending { order.reverse() } else { order };
        assert_eq!(a.cmp(&b), order, "{:?}: {first:?} and {second:?}", column.ty);
    }
    let variable =
        matches!(column.ty, ColType::Binary | ColType::LongBinary) && !column.id.is_fixed();
    let begins = first.zip(second).filter(|(first, second)| second.starts_with(first));
    let begins = begins.filter(|(first, _)| variable && whole && !first.is_empty());
    if let Some((first, _)) = begins {
        let mut beginning = Vec::new();
        if normalise_beginning(&rules, column, descending, first, &mut beginning).is_ok() {
            assert!(b.starts_with(&beginning), "{beginning:x?} does not begin {b:x?}");
        }
    }
    if column.ty.is_text() || variable {
        // Whatever it is good for, it keeps to the limit.
        for value in [first, second].into_iter().flatten() {
            let mut out = Vec::new();
            if normalise_beginning(&rules, column, descending, value, &mut out).is_ok() {
                assert!(out.len() <= key_len_max, "{} bytes, limit {key_len_max}", out.len());
            }
        }
    }
}

/// How two values compare, where that is the whole truth about their keys.
fn order(
    column: &Column,
    rules: &KeyRules<'_>,
    first: Option<&[u8]>,
    second: Option<&[u8]>,
) -> Option<Ordering> {
    let (a, b) = match (first, second) {
        (None, None) => return Some(Ordering::Equal),
        (None, Some(_)) if rules.nulls_high => return Some(Ordering::Greater),
        (None, Some(_)) => return Some(Ordering::Less),
        (Some(_), None) => return order(column, rules, second, first).map(Ordering::reverse),
        (Some(a), Some(b)) => (a, b),
    };
    let signed = |bytes: &[u8]| -> Option<i128> {
        let sign = if bytes.last()? & 0x80 != 0 { 0xff } else { 0 };
        let mut wide = [sign; 16];
        wide[..bytes.len()].copy_from_slice(bytes);
        Some(i128::from_le_bytes(wide))
    };
    let unsigned = |bytes: &[u8]| -> Option<u128> {
        let mut wide = [0; 16];
        wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(u128::from_le_bytes(wide))
    };
    Some(match column.ty {
        ColType::Short | ColType::Long | ColType::Currency | ColType::LongLong => {
            signed(a)?.cmp(&signed(b)?)
        }
        ColType::UnsignedByte | ColType::UnsignedShort | ColType::UnsignedLong => {
            unsigned(a)?.cmp(&unsigned(b)?)
        }
        ColType::Binary | ColType::LongBinary if !column.id.is_fixed() => a.cmp(b),
        _ => return None,
    })
}

fn columns() -> &'static [Column] {
    static COLUMNS: OnceLock<Vec<Column>> = OnceLock::new();
    COLUMNS.get_or_init(|| {
        let mut columns = Vec::new();
        for ty in ColType::ALL.into_iter().filter(|ty| *ty != ColType::Nil) {
            for placement in [Placement::Auto, Placement::Fixed, Placement::Tagged] {
                let plain = ColumnDef::new("c", ty).placed(placement);
                for def in [plain.clone(), plain.clone().unicode(), plain.max_len(20)] {
                    // Some combinations there are not.
                    if let Ok(table) = TableDef::new("t", vec![def]).build(PageSize::K8) {
                        columns.extend_from_slice(table.columns.all());
                    }
                }
            }
        }
        columns
    })
}

fn collation(choice: usize) -> &'static Collation {
    static ALL: OnceLock<Vec<Collation>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let of = |locale: &str, map_flags| UnicodeIndex { locale: locale.to_owned(), map_flags };
        let pairs = LOCALES.iter().flat_map(|locale| FLAGS.iter().map(move |f| of(locale, *f)));
        pairs.map(|unicode| Collation::new(&unicode).expect("a known order")).collect()
    });
    &all[choice % all.len()]
}

/// Inputs to start from: each column with values that tell its rules.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let text: Vec<u8> =
        "Stra\u{df}e \u{ff21}\u{ff22} \u{304b}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut seeds = Vec::new();
    for column in 0..columns().len() {
        let (low, values) = (column.to_le_bytes(), [text.as_slice(), &[0x80; 8], b"a\0b", &[]]);
        for (nth, value) in values.iter().enumerate() {
            let options = u8::try_from(nth * 3 % 32).unwrap_or(0);
            let len = u8::try_from(value.len()).unwrap_or(u8::MAX);
            let head = [low[0], low[1], options, 0xd0, 0x07, 0x40, 0, 7, len];
            seeds.push([&head, *value, value, b"x"].concat());
        }
    }
    seeds
}
