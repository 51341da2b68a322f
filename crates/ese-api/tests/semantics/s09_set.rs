//! Section 9: what JetSetColumn does with values.

use crate::{pets::*, wide::wide};

const NO_BYTES: Option<&[u8]> = Some(&[]);

#[test]
fn s9_01_no_bytes_are_null_unless_they_are_meant() {
    let _mode = multi();
    let row = wide();
    row.new_row();
    for name in ["text", "binary", "tagged text", "memo"] {
        row.set(name, NO_BYTES, 0).unwrap();
        assert_eq!(row.copy(name), None, "{name}");
        row.set(name, NO_BYTES, JET_bitSetZeroLength).unwrap();
        assert_eq!(row.copy(name), Some(Vec::new()), "{name}");
        row.set(name, None, 0).unwrap();
        assert_eq!(row.copy(name), None, "{name}");
    }
    row.set("long", Some(&[1, 0, 0, 0]), 0).unwrap();
    row.set("long", NO_BYTES, 0).unwrap();
    assert_eq!(row.copy("long"), None);
}

#[test]
fn s9_02_the_wrong_length_has_three_outcomes() {
    let _mode = multi();
    let row = wide();
    row.new_row();
    let eleven = Some(&b"hello world"[..]);
    // Fixed: refused, or filled up where text or bytes are short.
    assert_eq!(code(row.set("long", Some(&[1, 2, 3]), 0)), JetErr::InvalidBufferSize);
    assert_eq!(code(row.set("long", Some(&[0; 8]), 0)), JetErr::InvalidBufferSize);
    assert_eq!(code(row.set("fixed binary", eleven, 0)), JetErr::InvalidBufferSize);
    row.set("fixed binary", Some(b"ab"), 0).unwrap();
    row.set("fixed text", Some(b"ab"), 0).unwrap();
    assert_eq!(row.copy("fixed binary").unwrap(), b"ab\0\0");
    assert_eq!(row.copy("fixed text").unwrap(), b"ab  ");
    // Variable: cut, with a warning.
    assert_eq!(row.set("text", eleven, 0).unwrap(), JetErr::WrnColumnMaxTruncated);
    assert_eq!(row.copy("text").unwrap(), b"hello worl");
    // Tagged: refused, and what was there stays.
    row.set("tagged text", Some(b"old"), 0).unwrap();
    assert_eq!(code(row.set("tagged text", eleven, 0)), JetErr::ColumnTooBig);
    assert_eq!(row.copy("tagged text").unwrap(), b"old");
}

/// The engine's source stores 0xff for every byte but 0.
#[test]
fn s9_03_a_bit_is_all_ones_or_zero() {
    let _mode = multi();
    let row = wide();
    row.new_row();
    for (given, stored) in [(0, 0), (1, 0xff), (0x80, 0xff)] {
        row.set("bit", Some(&[given]), 0).unwrap();
        assert_eq!(row.copy("bit").unwrap(), [stored]);
    }
}

/// Auto-increment columns refuse values always, version columns only in a replace: see 11.1, 11.2.
#[test]
fn s9_04_columns_that_count_by_themselves_are_not_set() {
    let _mode = multi();
    let row = wide();
    let auto = JET_COLUMNDEF {
        coltyp: JET_coltypLong,
        grbit: JET_bitColumnAutoincrement,
        ..JET_COLUMNDEF::default()
    };
    let version = JET_COLUMNDEF { grbit: JET_bitColumnVersion, ..auto };
    JetCloseTable(row.ses, row.cur).unwrap();
    let cur = JetOpenTable(row.ses, row.dbid(), "wide", JET_bitTableDenyRead).unwrap();
    let ids = [auto, version].map(|def| {
        let name = format!("counts {:x}", def.grbit);
        JetAddColumn(row.ses, cur, &name, &def, &[]).unwrap()
    });
    let set = |prep| {
        JetPrepareUpdate(row.ses, cur, prep).unwrap();
        let codes = ids.map(|id| {
            let set = JetSetColumn(row.ses, cur, id, Some(&[1, 0, 0, 0]), 0, None);
            set.map_or_else(|error| error.code(), |_| JetErr::Success)
        });
        let bookmark = JetUpdate(row.ses, cur).unwrap();
        JetGotoBookmark(row.ses, cur, &bookmark).unwrap();
        codes
    };
    assert_eq!(set(JET_prepInsert), [JetErr::InvalidColumnType, JetErr::Success]);
    assert_eq!(set(JET_prepReplace), [JetErr::InvalidColumnType; 2]);
}

#[test]
fn s9_05_values_are_appended_replaced_and_renumbered() {
    let _mode = multi();
    let row = wide();
    row.new_row();
    for (itag, value) in [(0, "a"), (0, "b"), (9, "c"), (2, "B")] {
        row.set_nth("list", itag, Some(value.as_bytes())).unwrap();
    }
    assert_eq!(row.all("list"), [b"a", b"B", b"c"]);
    row.set_nth("list", 1, None).unwrap();
    assert_eq!(row.all("list"), [b"B", b"c"]);
    row.set_nth("list", 7, None).unwrap();
    assert_eq!(row.all("list"), [b"B", b"c"]);
    assert_eq!(row.copy("tagged default").unwrap(), b"dflt");
    row.set_nth("tagged default", 1, Some(b"own")).unwrap();
    assert_eq!(row.all("tagged default"), [b"own"]);
    row.keep();
    assert_eq!(row.nth("list", 2, 0).unwrap(), b"c");
}

#[test]
fn s9_06_null_hides_a_default_until_it_is_reverted() {
    let _mode = multi();
    let row = wide();
    row.new_row();
    row.set("tagged default", Some(b"own"), 0).unwrap();
    row.set("tagged default", None, 0).unwrap();
    assert_eq!(row.copy("tagged default"), None);
    row.set("tagged default", None, JET_bitSetRevertToDefaultValue).unwrap();
    assert_eq!(row.copy("tagged default").unwrap(), b"dflt");
}

#[test]
fn s9_06_null_hides_the_default_of_a_long_column_too() {
    let _mode = multi();
    let row = wide();
    for grbit in [0, JET_bitColumnMultiValued] {
        let def = JET_COLUMNDEF { coltyp: JET_coltypLongText, grbit, ..JET_COLUMNDEF::default() };
        let name = format!("long default {grbit}");
        let id = JetAddColumn(row.ses, row.cur, &name, &def, b"dflt").unwrap();
        let copy = || JetRetrieveColumn(row.ses, row.cur, id, JET_bitRetrieveCopy, None).unwrap();
        row.new_row();
        assert_eq!(copy().unwrap(), b"dflt");
        JetSetColumn(row.ses, row.cur, id, None, 0, None).unwrap();
        assert_eq!(copy(), None);
        JetSetColumn(row.ses, row.cur, id, Some(b"own"), JET_bitSetAppendLV, None).unwrap();
        assert_eq!(copy().unwrap(), b"own");
        JetSetColumn(row.ses, row.cur, id, None, 0, None).unwrap();
        row.keep();
        assert_eq!(JetRetrieveColumn(row.ses, row.cur, id, 0, None).unwrap(), None);
    }
}

#[test]
fn s9_05_values_are_added_behind_one_that_is_compressed() {
    let _mode = multi();
    let row = wide();
    let grbit = JET_bitColumnMultiValued | JET_bitColumnCompressed;
    let def = JET_COLUMNDEF { coltyp: JET_coltypLongText, grbit, ..JET_COLUMNDEF::default() };
    let id = JetAddColumn(row.ses, row.cur, "packed list", &def, &[]).unwrap();
    let nth = |itag| JET_SETINFO { itagSequence: itag, ..JET_SETINFO::default() };
    let text = |n: u8| vec![b'a' + n; 400];
    row.new_row();
    for (n, itag) in [(0, 0), (1, 0), (2, 3), (3, 0)] {
        JetSetColumn(row.ses, row.cur, id, Some(&text(n)), 0, Some(&nth(itag))).unwrap();
    }
    row.keep();
    for n in 0..4 {
        let mut info = JET_RETINFO { itagSequence: usize::from(n) + 1, ..JET_RETINFO::default() };
        let value = JetRetrieveColumn(row.ses, row.cur, id, 0, Some(&mut info)).unwrap();
        assert_eq!(value, Some(text(n)), "value {n}");
    }
}

#[test]
fn s9_08_a_value_stays_in_its_row_if_that_is_asked_for() {
    let _mode = multi();
    let row = wide();
    for (grbit, outside) in [(0, 1), (JET_bitSetIntrinsicLV, 0)] {
        row.new_row();
        row.set("memo", Some(&[7; 3000]), grbit).unwrap();
        row.keep();
        assert_eq!(row.get("memo").unwrap(), [7; 3000]);
        let mut size = JET_RECSIZE2::default();
        JetGetRecordSize2(row.ses, row.cur, &mut size, 0).unwrap();
        assert_eq!(size.cLongValues, outside, "{grbit:#x}");
    }
}

#[test]
fn s9_07_long_values_need_a_transaction_and_short_ones_do_not() {
    let _mode = multi();
    let row = wide();
    row.prepare(JET_prepInsert);
    assert_eq!(code(row.set("memo", Some(b"x"), 0)), JetErr::NotInTransaction);
    row.set("text", Some(b"x"), 0).unwrap();
    row.set_nth("list", 0, Some(b"x")).unwrap();
    JetUpdate(row.ses, row.cur).unwrap();
}

#[test]
fn s9_08_long_values_are_appended_overwritten_and_sized() {
    let _mode = multi();
    let row = wide();
    let [append, over, size] = [JET_bitSetAppendLV, JET_bitSetOverwriteLV, JET_bitSetSizeLV];
    for separate in [0, JET_bitSetSeparateLV] {
        row.new_row();
        row.set("memo", NO_BYTES, append).unwrap();
        assert_eq!(row.copy("memo"), Some(Vec::new()), "no bytes make an empty value");
        row.set("memo", Some(b"hello"), append | separate).unwrap();
        row.set("memo", NO_BYTES, append).unwrap();
        let at = |offset| JET_SETINFO { ibLongValue: offset, ..JET_SETINFO::default() };
        row.set_part("memo", Some(b"p me"), over, at(3)).unwrap();
        assert_eq!(row.copy("memo").unwrap(), b"help me");
        let behind = row.set_part("memo", Some(b"x"), over, at(8));
        assert_eq!(code(behind), JetErr::ColumnNoChunk);
        let missing = row.set_part("small memo", Some(b"x"), over, at(1));
        assert_eq!(code(missing), JetErr::ColumnNoChunk);
        row.set_part("memo", Some(b"L"), over | size, at(2)).unwrap();
        assert_eq!(row.copy("memo").unwrap(), b"heL");
        row.set("memo", Some(&[0; 5]), size).unwrap();
        assert_eq!(row.copy("memo").unwrap(), b"heL\0\0");
        row.set("memo", NO_BYTES, size | JET_bitSetZeroLength).unwrap();
        assert_eq!(row.copy("memo"), Some(Vec::new()));
        row.set("memo", NO_BYTES, size).unwrap();
        assert_eq!(row.copy("memo"), None, "size 0 is NULL");
        assert_eq!(code(row.set("small memo", Some(&[1; 2001]), 0)), JetErr::ColumnTooBig);
        row.set("small memo", Some(&[1; 2000]), 0).unwrap();
        assert_eq!(code(row.set("small memo", Some(&[1]), append)), JetErr::ColumnTooBig);
        assert_eq!(row.copy("small memo").unwrap(), [1; 2000], "as it was");
        row.keep();
    }
}

#[test]
fn s9_08_a_value_is_refused_where_it_is_there_already() {
    let _mode = multi();
    let row = wide();
    let unique = JET_bitSetUniqueMultiValues;
    let normalized = JET_bitSetUniqueNormalizedMultiValues;
    let set = |name: &str, itag, value: &[u8], grbit| {
        let info = JET_SETINFO { itagSequence: itag, ..JET_SETINFO::default() };
        row.set_part(name, Some(value), grbit, info)
    };
    for name in ["list", "memos"] {
        row.new_row();
        set(name, 0, b"one", unique).unwrap();
        assert_eq!(code(set(name, 0, b"one", unique)), JetErr::MultiValuedDuplicate, "{name}");
        set(name, 1, b"one", unique).unwrap();
        set(name, 0, b"ONE", unique).unwrap();
        assert_eq!(row.all(name), [b"one", b"ONE"], "{name}");
        for part in [JET_bitSetAppendLV, JET_bitSetOverwriteLV, JET_bitSetSizeLV] {
            assert_eq!(code(set(name, 1, b"x", unique | part)), JetErr::InvalidGrbit);
        }
        JetRollback(row.ses, 0).unwrap();
    }
    row.new_row();
    set("list", 0, b"two", 0).unwrap();
    let case = set("list", 0, b"TWO", normalized);
    assert_eq!(code(case), JetErr::MultiValuedDuplicate, "text is compared as keys are");
    // Values outside of the row, and such as differ behind the end of a key.
    set("memos", 0, &[7; 5000], unique).unwrap();
    let twice = set("memos", 0, &[7; 5000], unique);
    assert_eq!(code(twice), JetErr::MultiValuedDuplicate);
    set("memos", 0, &[7; 5001], unique).unwrap();
    let cut = set("memos", 0, &[7; 5002], normalized);
    assert_eq!(code(cut), JetErr::MultiValuedDuplicateAfterTruncation);
    set("memos", 0, &[8; 5002], normalized).unwrap();
    row.keep();
}

/// The reference page and the engine's source: contiguous values are separate, and longer than a
/// page.
#[test]
fn s9_08_how_a_value_is_stored_may_be_said_with_it() {
    let _mode = multi();
    let row = wide();
    let text = "a text that repeats itself; ".repeat(30);
    let packed = |name: &str, grbit| {
        row.new_row();
        row.set(name, Some(text.as_bytes()), grbit).unwrap();
        row.keep();
        assert_eq!(row.get(name).unwrap(), text.as_bytes());
        let mut size = JET_RECSIZE2::default();
        JetGetRecordSize2(row.ses, row.cur, &mut size, 0).unwrap();
        let stored = size.cbDataCompressed + size.cbLongValueDataCompressed;
        (stored < size.cbData + size.cbLongValueData, size.cLongValues)
    };
    assert_eq!(packed("packed", 0), (true, 0));
    assert_eq!(packed("packed", JET_bitSetUncompressed), (false, 0));
    assert_eq!(packed("memo", 0), (false, 0));
    assert_eq!(packed("memo", JET_bitSetCompressed), (true, 0));
    assert_eq!(packed("memo", JET_bitSetSeparateLV), (false, 1));
    assert_eq!(packed("memo", JET_bitSetSeparateLV | JET_bitSetCompressed), (true, 1));
    row.new_row();
    let contiguous = JET_bitSetContiguousLV;
    let set = |len, grbit| row.set("memo", Some(&vec![b'x'; len]), grbit);
    assert_eq!(code(set(100_000, contiguous)), JetErr::InvalidGrbit);
    let separate = contiguous | JET_bitSetSeparateLV;
    assert_eq!(code(set(100, separate)), JetErr::InvalidBufferSize);
    // In the engine's source such a value is set once, with its bytes.
    assert_eq!(code(set(100_000, separate | JET_bitSetSizeLV)), JetErr::InvalidParameter);
    set(100_000, separate).unwrap();
    for again in [0, JET_bitSetAppendLV, JET_bitSetOverwriteLV] {
        assert_eq!(code(set(100_000, separate | again)), JetErr::InvalidParameter, "{again}");
    }
    row.keep();
    assert_eq!(row.get("memo").unwrap(), vec![b'x'; 100_000]);
    // Four bytes are no longer than the id that would stand for them.
    row.new_row();
    row.set("memo", Some(b"four"), JET_bitSetSeparateLV).unwrap();
    row.keep();
    let mut size = JET_RECSIZE::default();
    JetGetRecordSize(row.ses, row.cur, &mut size, 0).unwrap();
    assert_eq!(size.cLongValues, 0);
}

#[test]
fn s9_09_several_are_set_up_to_the_first_that_fails() {
    let _mode = multi();
    let row = wide();
    row.new_row();
    let element = |name: &str, data| JET_SETCOLUMN {
        columnid: row.id(name),
        data: Some(data),
        grbit: 0,
        ibLongValue: 0,
        itagSequence: 1,
        err: JetErr::Success,
    };
    let mut elements = [
        element("text", &b"hello world"[..]),
        element("long", &b"bad"[..]),
        element("tagged text", &b"never"[..]),
    ];
    let set = JetSetColumns(row.ses, row.cur, &mut elements);
    assert_eq!(code(set), JetErr::InvalidBufferSize);
    let codes = [JetErr::WrnColumnMaxTruncated, JetErr::InvalidBufferSize, JetErr::Success];
    assert_eq!(elements.each_ref().map(|element| element.err), codes);
    assert_eq!(row.copy("text").unwrap(), b"hello worl");
    assert_eq!(row.copy("tagged text"), None);
    // Of those that were all set the call says what was the matter.
    elements[1].data = Some(&[1, 0, 0, 0]);
    let overall = JetSetColumns(row.ses, row.cur, &mut elements).unwrap();
    assert_eq!(overall, JetErr::WrnColumnMaxTruncated);
    let overall = JetSetColumns(row.ses, row.cur, &mut elements[1..]).unwrap();
    assert_eq!(overall, JetErr::Success);
}

#[test]
fn s9_08_a_length_is_set_without_a_buffer_of_it() {
    let _mode = multi();
    let row = wide();
    let zero = JET_bitSetZeroLength;
    let size = |name: &str, len, grbit| {
        set_column_size(row.ses, row.cur, row.id(name), len, JET_bitSetSizeLV | grbit, None)
    };
    row.new_row();
    row.set("memo", Some(b"hello"), 0).unwrap();
    size("memo", 3, 0).unwrap();
    assert_eq!(row.copy("memo").unwrap(), b"hel");
    size("memo", 5 << 20, 0).unwrap();
    row.keep();
    let mut info = JET_RETINFO { ibLongValue: (5 << 20) - 2, ..JET_RETINFO::default() };
    let end = JetRetrieveColumn(row.ses, row.cur, row.id("memo"), 0, Some(&mut info)).unwrap();
    assert_eq!(end.unwrap(), [0, 0]);
    row.new_row();
    row.set("memo", Some(b"hello"), 0).unwrap();
    size("memo", 0, zero).unwrap();
    assert_eq!(row.copy("memo"), Some(Vec::new()));
    size("memo", 0, 0).unwrap();
    assert_eq!(row.copy("memo"), None);
    assert_eq!(code(size("small memo", 2001, 0)), JetErr::ColumnTooBig);
    assert_eq!(code(size("memo", 1 << 31, 0)), JetErr::ColumnTooBig);
    for (name, grbit) in [("text", 0), ("memo", JET_bitSetAppendLV), ("memo", 0x1000_0000)] {
        assert_eq!(code(size(name, 4, grbit)), JetErr::InvalidGrbit, "{name} {grbit:#x}");
    }
    let without = set_column_size(row.ses, row.cur, row.id("memo"), 4, 0, None);
    assert_eq!(code(without), JetErr::InvalidGrbit);
    assert_eq!(row.copy("memo"), None);
}

/// Flags for parts of a value concern long values alone, as in the engine's source.
#[test]
fn s9_07_what_is_not_long_is_written_whole() {
    let _mode = multi();
    let row = wide();
    row.new_row();
    for name in ["text", "fixed text", "tagged text", "list"] {
        for grbit in [0, JET_bitSetAppendLV, JET_bitSetOverwriteLV, JET_bitSetSizeLV] {
            let info = JET_SETINFO { ibLongValue: 2, ..JET_SETINFO::default() };
            row.set(name, Some(b"abcd"), 0).unwrap();
            row.set_part(name, Some(b"wxyz"), grbit, info).unwrap();
            assert_eq!(row.copy(name).as_deref(), Some(&b"wxyz"[..]), "{name} {grbit:#x}");
        }
    }
}

/// The reference page of JET_COLUMNDEF: 1252 and 1200, and 0 for text is 1252. Bytes are stored as
/// they come.
#[test]
fn s9_11_text_has_one_of_two_code_pages_and_is_bytes() {
    let _mode = multi();
    let row = wide();
    let def = |cp| JET_COLUMNDEF { coltyp: JET_coltypText, cp, ..JET_COLUMNDEF::default() };
    let add = |name: &str, cp| JetAddColumn(row.ses, row.cur, name, &def(cp), &[]);
    for cp in [437, 65001, 1250] {
        assert_eq!(code(add("bad", cp)), JetErr::InvalidCodePage);
    }
    add("western", 0).unwrap();
    let id = add("unicode", 1200).unwrap();
    let info = JetGetTableColumnInfo(row.ses, row.cur, Some("western")).unwrap();
    assert_eq!(info[0].def.cp, 1252);
    row.prepare(JET_prepInsert);
    JetSetColumn(row.ses, row.cur, id, Some(&[0x41, 0, 0x42]), 0, None).unwrap();
    let bookmark = JetUpdate(row.ses, row.cur).unwrap();
    JetGotoBookmark(row.ses, row.cur, &bookmark).unwrap();
    let read = JetRetrieveColumn(row.ses, row.cur, id, 0, None).unwrap();
    assert_eq!(read.unwrap(), [0x41, 0, 0x42]);
}
