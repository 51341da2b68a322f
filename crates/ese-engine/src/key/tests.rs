use ese_base::{JetErr, ObjId, PageSize, Pgno};
use proptest::prelude::*;

use super::*;
use crate::schema::{
    CODE_PAGE_UNICODE, CODE_PAGE_WESTERN, ColType, Column, ColumnFlags, ColumnId, Index,
    IndexFlags, Segment,
};

fn column(id: u16, ty: ColType, code_page: u16) -> Column {
    Column {
        id: ColumnId(id),
        origin: crate::schema::Origin::default(),
        name: format!("c{id}"),
        ty,
        flags: ColumnFlags::empty(),
        max_len: ty.fixed_len().map_or(255, |len| u32::try_from(len).unwrap()),
        code_page,
        record_offset: 4,
        default: None,
        callback: None,
    }
}

fn rules() -> KeyRules<'static> {
    KeyRules::plain(255)
}

fn segment(ty: ColType, value: &[u8]) -> Vec<u8> {
    let id = if ty.fixed_len().is_some() { 1 } else { 128 };
    let mut out = Vec::new();
    normalise(&rules(), &column(id, ty, CODE_PAGE_WESTERN), false, Some(value), &mut out).unwrap();
    out
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

#[test]
fn the_examples_of_the_format_text_come_out_byte_for_byte() {
    assert_eq!(segment(ColType::Long, &1_i32.to_le_bytes()), hex("7f80000001"));
    assert_eq!(segment(ColType::Bit, &[1]), hex("7fff"));
    assert_eq!(segment(ColType::Bit, &[0]), hex("7f00"));
    assert_eq!(segment(ColType::Long, &(-13_371_337_i32).to_le_bytes()), hex("7f7f33f837"));
    assert_eq!(
        segment(ColType::Guid, &hex("f10a363f6667dc469af20dacf295c2a1")),
        hex("7f0dacf295c2a19af2dc466667f10a363f")
    );
    assert_eq!(
        segment(ColType::Binary, b"test binary data"),
        hex("7f 746573742062696e 09 6172792064617461 08")
    );
    assert_eq!(segment(ColType::Text, b"MSysObjects"), hex("7f 4d5359534f424a45435453 00"));
}

#[test]
fn null_and_empty_are_one_byte_and_descending_inverts_it_too() {
    let text = column(128, ColType::Text, CODE_PAGE_WESTERN);
    let long = column(1, ColType::Long, 0);
    let one = |rules: &KeyRules, column: &Column, descending, value: Option<&[u8]>| {
        let mut out = Vec::new();
        normalise(rules, column, descending, value, &mut out).unwrap();
        out
    };
    assert_eq!(one(&rules(), &text, false, None), [0x00]);
    assert_eq!(one(&rules(), &text, false, Some(b"")), [0x40]);
    assert_eq!(one(&rules(), &text, true, None), [0xff]);
    assert_eq!(one(&KeyRules { nulls_high: true, ..rules() }, &long, false, None), [0xc0]);
    let minus_one = one(&rules(), &long, true, Some(&(-1_i32).to_le_bytes()));
    assert_eq!(minus_one, [0x80, 0x80, 0, 0, 0]);
}

#[test]
fn guids_can_follow_the_order_of_dot_net() {
    let mut out = Vec::new();
    let guid = hex("f10a363f6667dc469af20dacf295c2a1");
    let rules = KeyRules { dot_net_guid: true, ..rules() };
    normalise(&rules, &column(1, ColType::Guid, 0), false, Some(&guid), &mut out).unwrap();
    assert_eq!(out, hex("7f 3f360af1 6766 46dc 9af20dacf295c2a1"));
}

#[test]
fn text_is_upper_case_up_to_the_first_nul_and_only_ascii_letters_change() {
    assert_eq!(segment(ColType::Text, b"ab\xe4\0rest"), hex("7f 4142e4 00"));
    assert_eq!(segment(ColType::Text, b"\0"), hex("7f 00"));
}

#[test]
fn cut_text_ends_in_the_quirk_and_nothing_follows_it() {
    let limits = KeyRules { key_len_max: 6, ..rules() };
    let text = column(128, ColType::Text, CODE_PAGE_WESTERN);
    let mut out = Vec::new();
    // Room for five bytes behind the prefix; the text and its end would need six.
    assert!(normalise(&limits, &text, false, Some(b"abcdE"), &mut out).unwrap());
    assert_eq!(out, [0x7f, b'A', b'B', b'C', b'D', b'E' - 0x20]);
    assert!(normalise(&limits, &text, false, None, &mut out).unwrap());
    assert_eq!(out.len(), 6);
    // One byte less fits with its end.
    let mut out = Vec::new();
    assert!(!normalise(&limits, &text, false, Some(b"abcd"), &mut out).unwrap());
    assert_eq!(out, b"\x7fABCD\0");
}

#[test]
fn cut_binary_keeps_whole_groups_and_the_first_bytes_of_the_next() {
    let binary = column(128, ColType::Binary, 0);
    let value: Vec<u8> = (1..=20).collect();
    for room in 0..=28 {
        let limits = KeyRules { key_len_max: room, ..rules() };
        let mut out = Vec::new();
        let cut = normalise(&limits, &binary, false, Some(&value), &mut out).unwrap();
        let whole = segment(ColType::Binary, &value);
        assert_eq!(out, whole[..room.min(whole.len())], "room {room}");
        assert_eq!(cut, room < whole.len());
    }
}

#[test]
fn the_limit_of_a_segment_is_no_cut_of_the_key() {
    let limits = KeyRules { segment_len_max: Some(4), ..rules() };
    let mut out = Vec::new();
    let text = column(128, ColType::Text, CODE_PAGE_WESTERN);
    assert!(!normalise(&limits, &text, false, Some(b"abcdef"), &mut out).unwrap());
    assert!(
        !normalise(&limits, &column(129, ColType::Binary, 0), false, Some(b"abcdef"), &mut out)
            .unwrap()
    );
    assert_eq!(out, [0x7f, b'A', b'B', b'c' - 0x20, 0x7f, b'a', b'b', b'c']);
}

#[test]
fn utf16_text_in_an_index_of_another_engine_has_only_its_null_and_empty_keys() {
    let mut out = Vec::new();
    let text = column(128, ColType::Text, CODE_PAGE_UNICODE);
    let error = normalise(&rules(), &text, false, Some(b"a\0"), &mut out).unwrap_err();
    assert_eq!(error.code(), JetErr::SecondaryIndexCorrupted);
    assert!(error.message().contains("another engine"), "{error}");
    let primary = KeyRules { primary: true, ..rules() };
    let error = normalise(&primary, &text, false, Some(b"a\0"), &mut out).unwrap_err();
    assert_eq!(error.code(), JetErr::PrimaryIndexCorrupted);
    normalise(&rules(), &text, false, None, &mut out).unwrap();
    normalise(&rules(), &text, false, Some(b""), &mut out).unwrap();
    assert_eq!(out, [0x00, 0x40]);
}

#[test]
fn a_value_that_does_not_suit_its_type_is_an_error() {
    let mut out = Vec::new();
    for len in [0, 3, 5, 16, 17, 40] {
        let value = vec![0; len];
        let error =
            normalise(&rules(), &column(1, ColType::Long, 0), false, Some(&value), &mut out);
        assert_eq!(error.unwrap_err().code(), JetErr::InvalidBufferSize);
    }
}

/// An index over columns `1: Long` and `128: Text` with these flags.
fn index(flags: IndexFlags) -> Index {
    let segment = |id| Segment { column: ColumnId(id), descending: false, of_template: false };
    Index {
        name: "i".into(),
        objid: ObjId(9),
        fdp: Pgno(40),
        density: 80,
        flags: flags | IndexFlags::WIDE_SEGMENTS,
        segments: vec![segment(1), segment(128)],
        conditions: Vec::new(),
        key_most: None,
        var_seg_mac: None,
        lcid: 0,
        lcmap_flags: None,
        locale: None,
        sort_version: None,
        sort_id: None,
        collation: None,
        tuple_limits: None,
        space_hints: None,
        fdp_set_time: None,
    }
}

mod rows {
    use super::*;
    use crate::{
        record::{RecordView, encode_row},
        schema::{Columns, Condition, TableSchema},
    };

    fn schema() -> TableSchema {
        let mut list = column(256, ColType::Long, 0);
        list.flags = ColumnFlags::MULTI_VALUED;
        let columns = Columns::new(vec![
            column(1, ColType::Long, 0),
            column(128, ColType::Text, CODE_PAGE_WESTERN),
            list,
        ]);
        TableSchema::new("t", PageSize::K4, columns.unwrap())
    }

    fn keys(index: &Index, values: &[(ColumnId, Option<&[u8]>)]) -> ese_base::Result<Vec<Vec<u8>>> {
        let schema = schema();
        let mut record = Vec::new();
        encode_row(&schema, values, &mut record)?;
        let view = RecordView::new(&record, schema.page_size)?;
        let (mut found, mut scratch) = (Vec::new(), Vec::new());
        for_each_key(&schema, index, &view, &mut scratch, |key| {
            found.push(key.to_vec());
            Ok(())
        })?;
        Ok(found)
    }

    const ONE: &[u8] = &1_i32.to_le_bytes();
    const FIXED: ColumnId = ColumnId(1);
    const TEXT: ColumnId = ColumnId(128);
    const LIST: ColumnId = ColumnId(256);

    #[test]
    fn null_flags_decide_which_rows_have_an_entry() {
        let all = IndexFlags::ALLOW_ALL_NULLS;
        let first = IndexFlags::ALLOW_FIRST_NULL;
        let some = IndexFlags::ALLOW_SOME_NULLS;
        let none: &[(ColumnId, Option<&[u8]>)] = &[];
        let only_first: &[(ColumnId, Option<&[u8]>)] = &[(FIXED, Some(ONE))];
        let only_second: &[(ColumnId, Option<&[u8]>)] = &[(TEXT, Some(b"a"))];
        for (flags, rows) in [
            (all | first | some, [1, 1, 1]),
            (first | some, [0, 1, 1]),
            (some, [0, 1, 0]),
            (IndexFlags::empty(), [0, 0, 0]),
        ] {
            let counts =
                [none, only_first, only_second].map(|row| keys(&index(flags), row).unwrap().len());
            assert_eq!(counts, rows, "{flags:?}");
        }
        let error = keys(&index(IndexFlags::NO_NULL_SEGMENT), only_first).unwrap_err();
        assert_eq!(error.code(), JetErr::NullKeyDisallowed);
        assert_eq!(keys(&index(all), none).unwrap(), [vec![0, 0]], "both segments are NULL");
    }

    #[test]
    fn conditions_leave_rows_out() {
        let mut conditional = index(IndexFlags::ALLOW_SOME_NULLS);
        conditional.conditions =
            vec![Condition { column: TEXT, must_be_null: true, of_template: false }];
        assert_eq!(keys(&conditional, &[(FIXED, Some(ONE))]).unwrap().len(), 1);
        assert_eq!(keys(&conditional, &[(FIXED, Some(ONE)), (TEXT, Some(b"x"))]).unwrap().len(), 0);
    }

    #[test]
    fn each_value_of_a_multi_valued_column_has_an_entry_and_equal_keys_have_one() {
        let mut multi = index(IndexFlags::MULTI_VALUED);
        multi.segments[1].column = LIST;
        let two = 2_i32.to_le_bytes();
        let values: &[(ColumnId, Option<&[u8]>)] =
            &[(FIXED, Some(ONE)), (LIST, Some(ONE)), (LIST, Some(&two)), (LIST, Some(ONE))];
        let long = |n: i32| segment(ColType::Long, &n.to_le_bytes());
        assert_eq!(
            keys(&multi, values).unwrap(),
            [[long(1), long(1)].concat(), [long(1), long(2)].concat()]
        );
    }

    #[test]
    fn an_index_can_refuse_to_cut_a_key() {
        let mut strict = index(IndexFlags::DISALLOW_TRUNCATION);
        strict.key_most = Some(8);
        let row: &[(ColumnId, Option<&[u8]>)] = &[(FIXED, Some(ONE)), (TEXT, Some(b"abc"))];
        assert_eq!(keys(&strict, row).unwrap_err().code(), JetErr::KeyTruncated);
        strict.flags.remove(IndexFlags::DISALLOW_TRUNCATION);
        assert_eq!(keys(&strict, row).unwrap()[0].len(), 8);
    }

    #[test]
    fn a_search_key_is_the_beginning_of_the_row_key() {
        let schema = schema();
        let (mut search, plain) = (Vec::new(), index(IndexFlags::empty()));
        values_key(&schema, &plain, &[Some(ONE)], &mut search).unwrap();
        let row: &[(ColumnId, Option<&[u8]>)] = &[(FIXED, Some(ONE)), (TEXT, Some(b"abc"))];
        assert!(keys(&plain, row).unwrap()[0].starts_with(&search));
        let many = [None; 3];
        let error = values_key(&schema, &plain, &many, &mut search).unwrap_err();
        assert_eq!(error.code(), JetErr::InvalidParameter);
    }

    #[test]
    fn indexes_of_later_issues_are_refused_by_name() {
        let schema = schema();
        let error = check_supported(&schema, &index(IndexFlags::DEFERRED_POPULATE)).unwrap_err();
        assert_eq!(error.code(), JetErr::FeatureNotAvailable);
        assert!(error.message().contains("index \"i\""));
        for flags in [IndexFlags::UNIQUE, IndexFlags::CROSS_PRODUCT, IndexFlags::NESTED_TABLE] {
            check_supported(&schema, &index(flags)).unwrap();
        }
    }
}

proptest! {
    #[test]
    fn keys_of_numbers_order_as_the_numbers_do(a: i64, b: i64) {
        let key = |n: i64| segment(ColType::Currency, &n.to_le_bytes());
        prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
        let key = |n: i64| segment(ColType::UnsignedLongLong, &n.cast_unsigned().to_le_bytes());
        prop_assert_eq!(key(a).cmp(&key(b)), a.cast_unsigned().cmp(&b.cast_unsigned()));
    }

    #[test]
    fn keys_of_floats_order_as_the_floats_do(a in -1e300_f64..1e300, b in -1e300_f64..1e300) {
        let key = |n: f64| segment(ColType::IeeeDouble, &n.to_le_bytes());
        prop_assert_eq!(key(a).cmp(&key(b)), a.partial_cmp(&b).unwrap());
    }

    #[test]
    fn keys_of_binary_order_as_the_bytes_do(
        a in proptest::collection::vec(0_u8..3, 1..40),
        b in proptest::collection::vec(0_u8..3, 1..40),
    ) {
        prop_assert_eq!(segment(ColType::Binary, &a).cmp(&segment(ColType::Binary, &b)), a.cmp(&b));
    }
}

/// All types of one length, bytes of any length, bytes of a fixed column, and text, which loses
/// its case.
const RESTORED: [(u16, ColType); 16] = [
    (1, ColType::Bit),
    (2, ColType::UnsignedByte),
    (3, ColType::Short),
    (4, ColType::Long),
    (5, ColType::Currency),
    (6, ColType::IeeeSingle),
    (7, ColType::IeeeDouble),
    (8, ColType::DateTime),
    (9, ColType::UnsignedLong),
    (10, ColType::LongLong),
    (11, ColType::Guid),
    (12, ColType::UnsignedShort),
    (13, ColType::UnsignedLongLong),
    (14, ColType::Binary),
    (128, ColType::Binary),
    (256, ColType::Text),
];

/// A value of a column out of random bytes; `None` is NULL.
fn value_of((id, ty): (u16, ColType), bytes: &[u8]) -> Option<Vec<u8>> {
    let (first, rest) = bytes.split_first().filter(|(first, _)| **first > 60)?;
    let len = if id == 14 { Some(6) } else { ty.fixed_len() };
    let mut value = rest.to_vec();
    match len {
        Some(len) => value.resize(len, *first),
        // What is cut at the length of a key could not come back.
        None => value.truncate(usize::from(*first) % 21),
    }
    match ty {
        ColType::Bit => value = vec![if first % 2 == 0 { 0 } else { 0xff }],
        ColType::Text => value.iter_mut().for_each(|byte| *byte |= 0x20),
        _ => {}
    }
    Some(value)
}

proptest! {
    #[test]
    fn what_a_key_keeps_comes_back_from_it(
        order in proptest::sample::subsequence((0..RESTORED.len()).collect::<Vec<_>>(), 1..6)
            .prop_shuffle(),
        bytes in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 22), 6),
        descending: u8,
        nulls_high: bool,
    ) {
        let mut columns: Vec<Column> =
            RESTORED.iter().map(|(id, ty)| column(*id, *ty, CODE_PAGE_WESTERN)).collect();
        let mut offset = 4;
        for column in columns.iter_mut().filter(|column| column.id.is_fixed()) {
            if column.id.0 == 14 {
                column.max_len = 6;
            }
            column.record_offset = offset;
            offset += u16::try_from(column.fixed_len()).unwrap();
        }
        let columns = crate::schema::Columns::new(columns).unwrap();
        let schema = crate::schema::TableSchema::new("t", PageSize::K4, columns);
        let flags = if nulls_high { IndexFlags::NULLS_HIGH } else { IndexFlags::empty() };
        let mut index = index(flags);
        index.segments = order
            .iter()
            .enumerate()
            .map(|(at, which)| Segment {
                column: ColumnId(RESTORED[*which].0),
                descending: descending >> at & 1 == 1,
                of_template: false,
            })
            .collect();
        let given = order.iter().zip(&bytes);
        let values: Vec<Option<Vec<u8>>> =
            given.map(|(which, bytes)| value_of(RESTORED[*which], bytes)).collect();
        let given: Vec<Option<&[u8]>> = values.iter().map(Option::as_deref).collect();
        let mut key = Vec::new();
        values_key(&schema, &index, &given, &mut key).unwrap();
        for (which, value) in order.iter().zip(&values) {
            let (id, ty) = RESTORED[*which];
            let found = restore(&schema, &index, &key, ColumnId(id)).unwrap().unwrap();
            let expected = match value {
                None => Restored::Null,
                Some(text) if ty == ColType::Text && !text.is_empty() => Restored::Unknown,
                Some(value) => Restored::Value(value.clone()),
            };
            prop_assert_eq!(found, expected, "{:?}", ty);
        }
        prop_assert_eq!(restore(&schema, &index, &key, ColumnId(99)).unwrap(), None);
    }
}
