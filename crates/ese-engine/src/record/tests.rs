use std::collections::BTreeMap;

use ese_base::{JetErr, PageSize};
use proptest::prelude::*;

use super::*;
use crate::schema::{ColType, ColumnDef, ColumnFlags, ColumnId, Placement, TableDef, TableSchema};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

fn table(page_size: PageSize, columns: Vec<ColumnDef>) -> TableSchema {
    TableDef::new("t", columns).build(page_size).unwrap()
}

fn encode(schema: &TableSchema, values: &[ColumnValue<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_row(schema, values, &mut out).unwrap();
    out
}

fn refused(schema: &TableSchema, values: &[ColumnValue<'_>]) -> JetErr {
    encode_row(schema, values, &mut Vec::new()).unwrap_err().code()
}

/// All values of a column, or `None` for NULL.
fn values(schema: &TableSchema, record: &[u8], id: u16) -> Option<Vec<Vec<u8>>> {
    let column = schema.columns.require(ColumnId(id)).unwrap();
    let view = RecordView::new(record, schema.page_size).unwrap();
    match view.data(column).unwrap() {
        ColumnData::Null => None,
        ColumnData::Default(bytes) => Some(vec![bytes.to_vec()]),
        ColumnData::Computed => panic!("no callback computes a default here"),
        ColumnData::One(instance) => Some(vec![instance.plain(column).unwrap().to_vec()]),
        ColumnData::Many(list) => Some(
            list.iter().map(|instance| instance.unwrap().plain(column).unwrap().to_vec()).collect(),
        ),
    }
}

fn one(schema: &TableSchema, record: &[u8], id: u16) -> Option<Vec<u8>> {
    values(schema, record, id).map(|list| list.into_iter().next().unwrap())
}

/// The table of edb-format 7.9, as Windows made it.
fn basic() -> TableSchema {
    let types = [
        ColType::Long,
        ColType::Bit,
        ColType::UnsignedByte,
        ColType::Short,
        ColType::Long,
        ColType::Currency,
        ColType::IeeeSingle,
        ColType::IeeeDouble,
        ColType::DateTime,
        ColType::UnsignedLong,
        ColType::LongLong,
        ColType::Guid,
        ColType::UnsignedShort,
    ];
    let columns =
        types.iter().enumerate().map(|(n, ty)| ColumnDef::new(&format!("c{n}"), *ty)).collect();
    table(PageSize::K4, columns)
}

#[test]
fn the_worked_example_of_the_format_text_reads_and_encodes() {
    let schema = basic();
    let row =
        hex("0d7f4c00 01000000 00 d5 c7fa 37f833ff c9b000b41dc00400 0000803f 43614724f9806941
         0000000080afe140 c907cc00 37f833ffffffffff f10a363f6667dc469af20dacf295c2a1 3905 00e0");
    assert_eq!(row.len(), 76);
    assert_eq!(one(&schema, &row, 3).unwrap(), [213]);
    assert_eq!(one(&schema, &row, 4).unwrap(), (-1337_i16).to_le_bytes());
    let double = f64::from_le_bytes(one(&schema, &row, 8).unwrap().try_into().unwrap());
    assert!((double - 13_371_337.133_7).abs() < 0.001);
    assert_eq!(one(&schema, &row, 13).unwrap(), 1337_u16.to_le_bytes());
    let given: Vec<(ColumnId, Vec<u8>)> =
        (1..=13).map(|id| (ColumnId(id), one(&schema, &row, id).unwrap())).collect();
    let given: Vec<ColumnValue<'_>> =
        given.iter().map(|(id, value)| (*id, Some(value.as_slice()))).collect();
    assert_eq!(encode(&schema, &given), row);
    // The second row ends with column 9; the others are NULL.
    let short = encode(&schema, &given[..9]);
    assert_eq!(short[..4], [9, 0x7f, 0x2e, 0]);
    assert!(short.ends_with(&[0x00, 0xfe]));
    assert_eq!(one(&schema, &short, 10), None);
}

#[test]
fn a_row_of_nothing_is_four_bytes() {
    let schema = basic();
    assert_eq!(encode(&schema, &[]), [0, 0x7f, 4, 0]);
    assert_eq!(encode(&schema, &[(ColumnId(5), None)]), [0, 0x7f, 4, 0]);
}

#[test]
fn null_fixed_columns_are_zero_and_their_bit_is_set() {
    let schema = basic();
    let row = encode(&schema, &[(ColumnId(4), Some(&[1, 2])), (ColumnId(2), None)]);
    assert_eq!(row, hex("047f0d00 00000000 00 00 0102 f7"));
    assert_eq!(one(&schema, &row, 1), None);
    assert_eq!(one(&schema, &row, 4).unwrap(), [1, 2]);
}

fn mixed(page_size: PageSize) -> TableSchema {
    table(
        page_size,
        vec![
            ColumnDef::new("fixed", ColType::Long).with_default(&[9, 0, 0, 0]),
            ColumnDef::new("text", ColType::Text).max_len(20),
            ColumnDef::new("binary", ColType::Binary).with_default(b"dd"),
            ColumnDef::new("long", ColType::LongText).with_default(b"long default"),
            ColumnDef::new("number", ColType::Long).placed(Placement::Tagged),
            ColumnDef::new("list", ColType::Binary)
                .placed(Placement::Tagged)
                .with(ColumnFlags::MULTI_VALUED),
            ColumnDef::new("longs", ColType::LongBinary).with(ColumnFlags::MULTI_VALUED),
            ColumnDef::new("bits", ColType::Bit)
                .placed(Placement::Tagged)
                .with(ColumnFlags::MULTI_VALUED),
        ],
    )
}

const FIXED: ColumnId = ColumnId(1);
const TEXT: ColumnId = ColumnId(128);
const BINARY: ColumnId = ColumnId(129);
const LONG: ColumnId = ColumnId(256);
const NUMBER: ColumnId = ColumnId(257);
const LIST: ColumnId = ColumnId(258);
const LONGS: ColumnId = ColumnId(259);
const BITS: ColumnId = ColumnId(260);

#[test]
fn defaults_of_fixed_and_variable_columns_are_stored_and_others_come_from_the_schema() {
    let schema = mixed(PageSize::K4);
    let row = encode(&schema, &[]);
    assert_eq!(row, hex("01810900 09000000 fe 0080 0200 6464"));
    assert_eq!(one(&schema, &row, 129).unwrap(), b"dd");
    let view = RecordView::new(&row, schema.page_size).unwrap();
    let long = view.column(&schema.columns, LONG).unwrap();
    assert!(matches!(long, ColumnData::Default(b"long default")));
    // A record from before the columns were added has the same values.
    let old = [0, 0x7f, 4, 0];
    for id in [1, 129, 256] {
        assert_eq!(values(&schema, &old, id), values(&schema, &row, id));
    }
    // NULL has to be said.
    let null = encode(&schema, &[(FIXED, None), (BINARY, None), (LONG, None)]);
    for id in [1, 129, 256] {
        assert_eq!(values(&schema, &null, id), None, "column {id}");
    }
    assert!(null.ends_with(&[0x00, 0x01, 0x04, 0x20]), "explicit NULL: {null:02x?}");
}

#[test]
fn zero_length_is_not_null() {
    let schema = mixed(PageSize::K4);
    let row = encode(&schema, &[(TEXT, Some(b"")), (LONG, Some(b"")), (LIST, Some(b""))]);
    for id in [128, 256, 258] {
        assert_eq!(values(&schema, &row, id).unwrap(), [b""]);
    }
    assert_eq!(values(&schema, &row, 257), None);
}

/// Vectors of edb-format 7.4 and 7.5 (multi.edb).
#[test]
fn tagged_columns_have_the_bytes_that_windows_writes() {
    let schema = mixed(PageSize::K4);
    let row = encode(&schema, &[(BITS, Some(&[0])), (BITS, Some(&[7]))]);
    assert!(row.ends_with(&hex("0401 0440 18 01 00 ff")), "{row:02x?}");
    let row = encode(&schema, &[(LIST, Some(b"a")), (LIST, Some(b"")), (LIST, Some(b"bc"))]);
    assert!(row.ends_with(&hex("0201 0440 08 0600 0700 0700 61 6263")), "{row:02x?}");
    let row = encode(&schema, &[(LONGS, Some(b"a")), (LONGS, Some(b"b"))]);
    assert!(row.ends_with(&hex("0301 0440 09 0400 0500 61 62")), "{row:02x?}");
    let row = encode(&schema, &[(NUMBER, Some(&[1, 2, 3, 4])), (LONG, Some(b"x"))]);
    assert!(row.ends_with(&hex("0001 0840 0101 0a00 01 78 01020304")), "{row:02x?}");
}

#[test]
fn large_pages_have_the_extended_byte_everywhere() {
    let schema = mixed(PageSize::K16);
    let row = encode(&schema, &[(NUMBER, Some(&[1, 2, 3, 4])), (LONG, None)]);
    assert!(row.ends_with(&hex("0001 0800 0101 0900 20 00 01020304")), "{row:02x?}");
    assert_eq!(values(&schema, &row, 256), None);
    assert_eq!(one(&schema, &row, 257).unwrap(), [1, 2, 3, 4]);
}

#[test]
fn fixed_text_and_binary_are_filled_up() {
    let schema = table(
        PageSize::K4,
        vec![
            ColumnDef::new("w", ColType::Text).placed(Placement::Fixed).max_len(4),
            ColumnDef::new("u", ColType::Text).placed(Placement::Fixed).max_len(5).unicode(),
            ColumnDef::new("b", ColType::Binary).placed(Placement::Fixed).max_len(3),
        ],
    );
    let row = encode(
        &schema,
        &[(ColumnId(1), Some(b"x")), (ColumnId(2), Some(b"y\0")), (ColumnId(3), Some(b"z"))],
    );
    assert_eq!(one(&schema, &row, 1).unwrap(), b"x   ");
    assert_eq!(one(&schema, &row, 2).unwrap(), b"y\0 \0 ");
    assert_eq!(one(&schema, &row, 3).unwrap(), b"z\0\0");
    assert_eq!(refused(&schema, &[(ColumnId(1), Some(b"12345"))]), JetErr::InvalidBufferSize);
}

#[test]
fn bad_values_are_refused_with_the_right_code() {
    let schema = mixed(PageSize::K4);
    for (given, code) in [
        (&[(ColumnId(99), Some(&b"x"[..]))][..], JetErr::ColumnNotFound),
        (&[(ColumnId(200), Some(b"x"))], JetErr::ColumnNotFound),
        (&[(ColumnId(200), None)], JetErr::ColumnNotFound),
        (&[(ColumnId(999), Some(b"x"))], JetErr::ColumnNotFound),
        (&[(ColumnId(0), Some(b"x"))], JetErr::ColumnNotFound),
        (&[(ColumnId(0xffff), Some(b"x"))], JetErr::ColumnNotFound),
        (&[(FIXED, Some(b"abc"))], JetErr::InvalidBufferSize),
        (&[(NUMBER, Some(b"abc"))], JetErr::InvalidBufferSize),
        (&[(TEXT, Some(&[b'x'; 21]))], JetErr::ColumnTooBig),
        (&[(LONG, Some(&[b'x'; 3800]))], JetErr::RecordTooBig),
        (&[(LONG, Some(&[b'x'; 70_000]))], JetErr::RecordTooBig),
        (&[(TEXT, Some(b"a")), (TEXT, Some(b"b"))], JetErr::BadItagSequence),
        (&[(FIXED, Some(b"aaaa")), (FIXED, Some(b"bbbb"))], JetErr::BadItagSequence),
        (&[(LIST, Some(b"a")), (LIST, None)], JetErr::InvalidParameter),
    ] {
        assert_eq!(refused(&schema, given), code, "{given:?}");
    }
}

#[test]
fn a_record_may_be_as_long_as_the_limit_and_not_longer() {
    for page_size in PageSize::EVER {
        let schema = table(page_size, vec![ColumnDef::new("l", ColType::LongBinary)]);
        let max = schema.record_len_max();
        let value = vec![1; max - 9];
        assert_eq!(encode(&schema, &[(LONG, Some(&value))]).len(), max);
        let value = vec![1; max - 8];
        assert_eq!(refused(&schema, &[(LONG, Some(&value))]), JetErr::RecordTooBig);
    }
    assert_eq!(basic().record_len_max(), 3789);
}

#[test]
fn columns_that_refuse_null_need_a_value_or_a_default() {
    let not_null = |name, ty| ColumnDef::new(name, ty).with(ColumnFlags::NOT_NULL);
    let schema = table(
        PageSize::K4,
        vec![
            not_null("f", ColType::Long),
            not_null("v", ColType::Text),
            not_null("d", ColType::Text).with_default(b"d"),
            not_null("t", ColType::LongText),
        ],
    );
    let (f, v, t) = (ColumnId(1), ColumnId(128), ColumnId(256));
    let full: [ColumnValue<'_>; 3] = [(f, Some(&[1, 0, 0, 0])), (v, Some(b"")), (t, Some(b"x"))];
    encode(&schema, &full);
    for missing in 0..3 {
        let mut given = full.to_vec();
        given[missing].1 = None;
        assert_eq!(refused(&schema, &given), JetErr::ColumnIllegalNull);
        given.remove(missing);
        assert_eq!(refused(&schema, &given), JetErr::ColumnIllegalNull);
    }
    let mut builder = RecordBuilder::new();
    builder.insert(&schema).unwrap();
    assert_eq!(builder.check(&schema).unwrap_err().code(), JetErr::ColumnIllegalNull);
    builder.set_all(&schema, &full).unwrap();
    builder.check(&schema).unwrap();
    let error = builder.set(&schema, v, None).unwrap_err();
    assert_eq!(error.code(), JetErr::ColumnIllegalNull);
    assert!(error.message().contains("\"v\""));
}

#[test]
fn unsorted_values_give_the_same_record() {
    let schema = mixed(PageSize::K4);
    let sorted: [ColumnValue<'_>; 4] =
        [(FIXED, Some(b"abcd")), (TEXT, Some(b"t")), (LIST, Some(b"1")), (LIST, Some(b"2"))];
    let unsorted = [sorted[2], sorted[1], sorted[3], sorted[0]];
    assert_eq!(encode(&schema, &unsorted), encode(&schema, &sorted));
}

#[test]
fn replacing_columns_keeps_the_rest_as_it_is_stored() {
    let schema = mixed(PageSize::K4);
    // A separated long value (lid 7), a compressed one, and a column the schema does not know.
    let mut row = encode(&schema, &[(TEXT, Some(b"old"))]);
    row.extend_from_slice(&hex("0001 0c40 0301 1140 0901 1520 05 07000000 03 1841 41"));
    let view = RecordView::new(&row, schema.page_size).unwrap();
    let mut out = Vec::new();
    let changes: [ColumnValue<'_>; 3] =
        [(NUMBER, Some(b"nnnn")), (TEXT, Some(b"new text")), (FIXED, None)];
    replace_columns(&schema, &view, &changes, &mut out).unwrap();
    assert_eq!(one(&schema, &out, 128).unwrap(), b"new text");
    assert_eq!(one(&schema, &out, 257).unwrap(), b"nnnn");
    assert_eq!(one(&schema, &out, 1), None);
    assert_eq!(one(&schema, &out, 129).unwrap(), b"dd");
    let view = RecordView::new(&out, schema.page_size).unwrap();
    let ids: Vec<u16> = view.tagged_ids().unwrap().iter().map(|id| id.0).collect();
    assert_eq!(ids, [256, 257, 259, 265]);
    let long = view.column(&schema.columns, LONG).unwrap();
    assert!(matches!(long, ColumnData::One(Instance::Separated(Lid(7)))));
    let longs = view.column(&schema.columns, LONGS).unwrap();
    assert!(
        matches!(longs, ColumnData::One(Instance::Compressed(bytes)) if bytes == hex("184141"))
    );
}

#[test]
fn replacing_a_list_is_like_inserting_it() {
    let schema = mixed(PageSize::K4);
    let row = encode(&schema, &[(LIST, Some(b"1")), (LIST, Some(b"2")), (BITS, Some(&[1]))]);
    let view = RecordView::new(&row, schema.page_size).unwrap();
    let mut out = Vec::new();
    let three: [ColumnValue<'_>; 3] =
        [(LIST, Some(b"a")), (LONGS, Some(b"lo")), (LIST, Some(b"bc"))];
    replace_columns(&schema, &view, &three, &mut out).unwrap();
    let whole = [three[0], three[1], three[2], (BITS, Some(&[1]))];
    assert_eq!(out, encode(&schema, &whole));
    // Columns that hold one value, and NULL among several.
    for (changes, code) in [
        ([(TEXT, Some(&b"1"[..])), (TEXT, None)], JetErr::BadItagSequence),
        ([(LIST, Some(b"1")), (LIST, None)], JetErr::InvalidParameter),
    ] {
        let error = replace_columns(&schema, &view, &changes, &mut out).unwrap_err();
        assert_eq!(error.code(), code);
    }
}

#[test]
fn what_later_issues_bring_is_named_and_not_read() {
    let schema = mixed(PageSize::K4);
    let column = schema.columns.require(LONG).unwrap();
    for (ext, feature) in [("05", "outside the record"), ("03", "compressed"), ("41", "encrypted")]
    {
        let row = [hex("007f0400 0001 0440"), hex(ext), hex("07000000")].concat();
        let view = RecordView::new(&row, schema.page_size).unwrap();
        let error = view.data(column).unwrap().first(column).unwrap_err();
        assert_eq!(error.code(), JetErr::FeatureNotAvailable);
        assert!(
            error.message().contains("\"long\"") && error.message().contains(feature),
            "{error}"
        );
    }
    // Separated and compressed members of a list.
    let row = hex("007f0400 0301 0440 0b 0600 0880 0c00 0000 01000000 78");
    let view = RecordView::new(&row, schema.page_size).unwrap();
    let ColumnData::Many(list) = view.column(&schema.columns, LONGS).unwrap() else {
        panic!("a list")
    };
    let list: Vec<Instance<'_>> = list.iter().collect::<ese_base::Result<_>>().unwrap();
    assert_eq!(
        list,
        [Instance::Compressed(&[0, 0]), Instance::Separated(Lid(1)), Instance::Plain(b"x")]
    );
}

#[test]
fn values_of_a_column_are_set_by_their_ordinal() {
    let schema = mixed(PageSize::K4);
    let mut builder = RecordBuilder::new();
    builder.insert(&schema).unwrap();
    for (itag, value, expected) in [
        (0, Some("a"), vec!["a"]),
        (9, Some("b"), vec!["a", "b"]),
        (0, Some("c"), vec!["a", "b", "c"]),
        (2, Some("B"), vec!["a", "B", "c"]),
        (1, None, vec!["B", "c"]),
        (9, None, vec!["B", "c"]),
        (2, None, vec!["B"]),
    ] {
        builder.set_instance(&schema, LIST, itag, value.map(str::as_bytes)).unwrap();
        let stored = values(&schema, builder.bytes(), LIST.0).unwrap();
        assert_eq!(stored, expected.iter().map(|text| text.as_bytes()).collect::<Vec<_>>());
    }
    builder.set_instance(&schema, LIST, 1, None).unwrap();
    assert_eq!(values(&schema, builder.bytes(), LIST.0), None);
    let error = builder.set_instance(&schema, TEXT, 0, Some(b"nnnn")).unwrap_err();
    assert_eq!(error.code(), JetErr::InvalidColumnType);
    // Whether a column was made to hold several values does not matter to rows.
    for number in [b"1111", b"2222"] {
        builder.set_instance(&schema, NUMBER, 0, Some(number)).unwrap();
    }
    assert_eq!(values(&schema, builder.bytes(), NUMBER.0).unwrap(), [b"1111", b"2222"]);
    // The default of a column is not one of its values.
    builder.set_instance(&schema, LONG, 0, Some(b"own")).unwrap();
    assert_eq!(values(&schema, builder.bytes(), 256).unwrap(), [b"own"]);
    builder.set(&schema, LONG, None).unwrap();
    assert_eq!(values(&schema, builder.bytes(), 256), None);
    builder.revert_to_default(&schema, LONG).unwrap();
    assert_eq!(values(&schema, builder.bytes(), 256).unwrap(), [b"long default"]);
}

#[test]
fn a_long_value_outside_the_record_survives_in_a_list() {
    let schema = mixed(PageSize::K4);
    let mut builder = RecordBuilder::new();
    builder.edit(&schema, &hex("007f0400 0301 0440 05 07000000")).unwrap();
    builder.set_instance(&schema, LONGS, 0, Some(b"xyz")).unwrap();
    assert!(builder.bytes().ends_with(&hex("0301 0440 09 0480 0800 07000000 78797a")));
    builder.set_instance(&schema, LONGS, 2, None).unwrap();
    assert_eq!(builder.bytes(), hex("007f0400 0301 0440 05 07000000"));
}

#[test]
fn a_failed_change_leaves_the_builder_as_it_was() {
    let schema = mixed(PageSize::K4);
    let mut builder = RecordBuilder::new();
    builder.insert(&schema).unwrap();
    builder.set(&schema, TEXT, Some(b"kept")).unwrap();
    let before = builder.bytes().to_vec();
    let error = builder.set(&schema, LONG, Some(&[0; 5000])).unwrap_err();
    assert_eq!(error.code(), JetErr::RecordTooBig);
    assert_eq!(builder.bytes(), before);
}

/// What a test row holds: values by column id.
type Model = BTreeMap<u16, Vec<Vec<u8>>>;

fn any_change() -> impl Strategy<Value = (u16, Option<Vec<Vec<u8>>>)> {
    let bytes = |len| proptest::collection::vec(any::<u8>(), len);
    let one = |id: u16, value: BoxedStrategy<Vec<u8>>| {
        proptest::option::of(value.prop_map(|value| vec![value]))
            .prop_map(move |value| (id, value))
            .boxed()
    };
    let many = |id: u16, len: std::ops::Range<usize>| {
        proptest::option::of(proptest::collection::vec(bytes(len), 1..5))
            .prop_map(move |values| (id, values))
            .boxed()
    };
    prop_oneof![
        one(1, bytes(4..5).boxed()),
        one(128, bytes(0..21).boxed()),
        one(129, bytes(0..50).boxed()),
        one(256, bytes(0..300).boxed()),
        one(257, bytes(4..5).boxed()),
        many(258, 0..20),
        many(259, 0..300),
    ]
}

fn expected(schema: &TableSchema, model: &Model, id: u16) -> Option<Vec<Vec<u8>>> {
    match model.get(&id) {
        Some(list) if list.is_empty() => None,
        Some(list) => Some(list.clone()),
        None => {
            let column = schema.columns.by_id(ColumnId(id)).unwrap();
            column.default.as_ref().map(|default| vec![default.to_vec()])
        }
    }
}

proptest! {
    #[test]
    fn rows_hold_what_was_put_in_however_it_was_put(
        changes in proptest::collection::vec(any_change(), 0..12),
        large: bool,
    ) {
        let schema = mixed(if large { PageSize::K16 } else { PageSize::K8 });
        let mut model = Model::new();
        let mut builder = RecordBuilder::new();
        builder.insert(&schema).unwrap();
        for (id, values) in &changes {
            let column = ColumnId(*id);
            builder.set(&schema, column, None).unwrap();
            for value in values.iter().flatten() {
                if column.is_tagged() {
                    builder.set_instance(&schema, column, 0, Some(value)).unwrap();
                } else {
                    builder.set(&schema, column, Some(value)).unwrap();
                }
            }
            model.insert(*id, values.clone().unwrap_or_default());
        }
        let given: Vec<ColumnValue<'_>> = model
            .iter()
            .flat_map(|(id, list)| {
                let null = list.is_empty().then_some((ColumnId(*id), None));
                null.into_iter().chain(list.iter().map(|v| (ColumnId(*id), Some(v.as_slice()))))
            })
            .collect();
        let row = encode(&schema, &given);
        for id in [1, 128, 129, 256, 257, 258, 259, 260] {
            let wanted = expected(&schema, &model, id);
            prop_assert_eq!(values(&schema, &row, id), wanted.clone(), "encoded column {}", id);
            prop_assert_eq!(values(&schema, builder.bytes(), id), wanted, "built column {}", id);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..80),
        large: bool,
    ) {
        let schema = mixed(if large { PageSize::K32 } else { PageSize::K4 });
        read_everything(&schema, &bytes);
    }

    #[test]
    fn damaged_records_never_panic(at in 0_usize..200, byte: u8, cut in 0_usize..200, large: bool) {
        let schema = mixed(if large { PageSize::K32 } else { PageSize::K4 });
        let mut row = encode(&schema, &[
            (FIXED, Some(b"ffff")), (TEXT, Some(b"text")), (BINARY, Some(b"b")),
            (LONG, Some(b"long")), (NUMBER, Some(b"nnnn")),
            (LIST, Some(b"1")), (LIST, Some(b"2")),
            (LONGS, Some(b"x")), (LONGS, Some(b"y")), (LONGS, Some(b"z")),
        ]);
        let (at, cut) = (at % row.len(), cut % row.len());
        row[at] = byte;
        read_everything(&schema, &row);
        read_everything(&schema, &row[..cut]);
    }
}

/// Reads and edits every column; only panics matter.
fn read_everything(schema: &TableSchema, bytes: &[u8]) {
    let Ok(view) = RecordView::new(bytes, schema.page_size) else { return };
    for column in schema.columns.iter() {
        if let Ok(ColumnData::Many(list)) = view.data(column) {
            list.iter().for_each(drop);
        }
        drop(view.data(column).and_then(|data| data.first(column)));
        drop(replace_columns(schema, &view, &[(column.id, None)], &mut Vec::new()));
    }
    let mut builder = RecordBuilder::new();
    if builder.edit(schema, bytes).is_ok() {
        drop(builder.set_instance(schema, LONGS, 0, Some(b"v")));
        drop(builder.set_instance(schema, LIST, 1, None));
    }
}

mod of_values {
    use super::*;
    use crate::schema::Column;

    fn column(ty: ColType) -> Column {
        let schema = table(PageSize::K4, vec![ColumnDef::new("c", ty)]);
        schema.column("c").unwrap().clone()
    }

    #[test]
    fn every_type_survives_encoding_and_decoding() {
        for (ty, value) in [
            (ColType::Bit, Value::Bit(true)),
            (ColType::UnsignedByte, Value::U8(200)),
            (ColType::Short, Value::I16(-2)),
            (ColType::UnsignedShort, Value::U16(65_535)),
            (ColType::Long, Value::I32(i32::MIN)),
            (ColType::UnsignedLong, Value::U32(u32::MAX)),
            (ColType::LongLong, Value::I64(i64::MIN)),
            (ColType::UnsignedLongLong, Value::U64(u64::MAX)),
            (ColType::Currency, Value::Currency(-12_345)),
            (ColType::IeeeSingle, Value::F32(1.5)),
            (ColType::IeeeDouble, Value::F64(-2.25)),
            (ColType::DateTime, Value::DateTime(133_665_133_847_362_548)),
            (ColType::Guid, Value::Guid(Guid([7; 16]))),
            (ColType::Binary, Value::Binary(vec![0, 1, 2])),
            (ColType::LongText, Value::Text("Gr\u{fc}n \u{20ac}".into())),
        ] {
            let column = column(ty);
            let bytes = value.encode(&column).unwrap().unwrap();
            assert_eq!(Value::decode(&column, &bytes).unwrap(), value);
            assert_eq!(Value::Null.encode(&column).unwrap(), None);
        }
    }

    #[test]
    fn whole_numbers_fit_where_they_fit() {
        let encode = |ty, value: Value| value.encode(&column(ty)).ok().flatten();
        assert_eq!(encode(ColType::UnsignedByte, Value::I64(255)), Some(vec![255]));
        assert_eq!(encode(ColType::UnsignedByte, Value::I64(256)), None);
        assert_eq!(encode(ColType::UnsignedLong, Value::I64(-1)), None);
        let two = Some(2.0_f64.to_le_bytes().to_vec());
        assert_eq!(encode(ColType::IeeeDouble, Value::I64(2)), two);
        assert_eq!(encode(ColType::Long, Value::Text("2".into())), None);
        let error = Value::Text("\u{4e00}".into()).encode(&column(ColType::Text)).unwrap_err();
        assert_eq!(error.code(), JetErr::InvalidParameter);
        assert!(error.message().contains("\"c\""));
        let words = |value: Value| value.encode(&column(ColType::Long)).unwrap_err().to_string();
        let long = "x".repeat(41);
        for (value, told) in [
            (Value::Text("abc".into()), "cannot hold \"abc\""),
            (Value::Text(long.clone()), &format!("cannot hold \"{}...\"", &long[1..])),
            (Value::I64(1 << 40), "cannot hold 1099511627776"),
            (Value::Binary(vec![1, 2]), "cannot hold 2 bytes"),
            (Value::Multi(vec![Value::Null; 3]), "cannot hold 3 values at once"),
            (Value::Bit(true), "cannot hold true"),
        ] {
            let error = words(value);
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn guids_are_written_in_the_usual_form_and_read_back() {
        let guid = Guid(hex("f10a363f6667dc469af20dacf295c2a1").try_into().unwrap());
        let text = "3f360af1-6766-46dc-9af2-0dacf295c2a1";
        assert_eq!(guid.to_string(), text);
        assert_eq!(Guid::parse(text), Some(guid));
        assert_eq!(Guid::parse(&format!("{{{text}}}")), Some(guid));
        for bad in ["", "3f360af1", &text[1..], "3f360af1-6766-46dc-9af2-0dacf295c2ag", "{}"] {
            assert_eq!(Guid::parse(bad), None, "{bad}");
        }
    }
}

/// Found by fuzzing: in a damaged record a change went behind the place where a search looks, and
/// the new value was never seen.
#[test]
fn a_record_with_tagged_columns_out_of_order_is_not_changed() {
    let columns = ["a", "b", "c"].map(|name| ColumnDef::new(name, ColType::LongBinary));
    let schema = table(PageSize::K4, columns.into());
    let row = encode(&schema, &[(ColumnId(256), Some(b"x")), (ColumnId(257), Some(b"y"))]);
    let tagged = RecordView::new(&row, schema.page_size).unwrap().tagged;
    let mut damaged = row;
    damaged[tagged..tagged + 2].copy_from_slice(&258_u16.to_le_bytes());
    let view = RecordView::new(&damaged, schema.page_size).unwrap();
    let changed = replace_columns(&schema, &view, &[(ColumnId(258), None)], &mut Vec::new());
    assert_eq!(changed.unwrap_err().code(), JetErr::DatabaseCorrupted);
}
