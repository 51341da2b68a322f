//! Section 10: what is read of a row.

use crate::{
    pets::*,
    wide::{Wide, wide},
};

/// A row with a value in most columns.
fn filled() -> Wide {
    let row = wide();
    row.new_row();
    row.set("long", Some(&[1, 0, 0, 0]), 0).unwrap();
    row.set("text", Some(b"text"), 0).unwrap();
    for value in ["one", "two", "three"] {
        row.set_nth("list", 0, Some(value.as_bytes())).unwrap();
    }
    row.set("memo", Some(&[b'm'; 3000]), 0).unwrap();
    row.set("packed", Some(&[b'p'; 500]), 0).unwrap();
    row.keep();
    row
}

#[test]
fn s10_02_behind_the_end_of_a_value_there_are_no_bytes() {
    let _mode = multi();
    let row = filled();
    for name in ["text", "memo", "packed"] {
        let behind = JET_RETINFO { ibLongValue: 5000, ..JET_RETINFO::default() };
        let read = JetRetrieveColumn(row.ses, row.cur, row.id(name), 0, Some(&behind)).unwrap();
        assert_eq!(read, Some(Vec::new()), "{name}");
    }
}

#[test]
fn s10_03_values_are_numbered_and_counted() {
    let _mode = multi();
    let row = filled();
    assert_eq!(row.nth("list", 3, 0).unwrap(), b"three");
    assert_eq!(row.nth("list", 4, 0), None);
    assert_eq!(row.nth("text", 2, 0), None);
    let mut count =
        [JET_RETRIEVECOLUMN { itagSequence: 0, ..JET_RETRIEVECOLUMN::new(row.id("list")) }];
    JetRetrieveColumns(row.ses, row.cur, &mut count).unwrap();
    assert_eq!(count[0].itagSequence, 3);
}

#[test]
fn s10_06_defaults_show_where_the_row_says_nothing_unless_they_are_ignored() {
    let _mode = multi();
    let row = filled();
    assert_eq!(row.get("tagged default").unwrap(), b"dflt");
    assert_eq!(row.nth("tagged default", 1, JET_bitRetrieveIgnoreDefault), None);
    assert_eq!(row.nth("text", 1, JET_bitRetrieveIgnoreDefault).unwrap(), b"text");
    let def = JET_COLUMNDEF { coltyp: JET_coltypLong, ..JET_COLUMNDEF::default() };
    let late = JetAddColumn(row.ses, row.cur, "late", &def, &[9, 0, 0, 0]).unwrap();
    let read = JetRetrieveColumn(row.ses, row.cur, late, 0, None).unwrap();
    assert_eq!(read.unwrap(), [9, 0, 0, 0], "the row is older than the column");
}

fn enumerate(
    row: &Wide,
    wanted: &[JET_ENUMCOLUMNID],
    most: u32,
    grbit: u32,
) -> (Result<()>, Vec<JET_ENUMCOLUMN>) {
    let mut found = Vec::new();
    let done = JetEnumerateColumns(row.ses, row.cur, wanted, &mut found, most, grbit);
    (done, found)
}

fn values(column: &JET_ENUMCOLUMN) -> Vec<(u32, JetErr, usize)> {
    let values = column.rgEnumColumnValue.iter();
    values.map(|value| (value.itagSequence, value.err, value.pvData.len())).collect()
}

#[test]
fn s10_10_all_columns_with_values_are_enumerated() {
    let _mode = multi();
    let row = filled();
    let names = |found: &[JET_ENUMCOLUMN]| -> Vec<String> {
        let infos = JetGetTableColumnInfo(row.ses, row.cur, None).unwrap();
        let name = |id| infos.iter().find(|info| info.def.columnid == id).unwrap();
        found.iter().map(|column| name(column.columnid).szColumnName.clone()).collect()
    };
    let (done, found) = enumerate(&row, &[], u32::MAX, 0);
    done.unwrap();
    let all = ["long", "default", "text", "list", "tagged default", "memo", "packed"];
    assert_eq!(names(&found), all);
    let list = &found[3];
    let ok = JetErr::Success;
    assert_eq!(values(list), [(1, ok, 3), (2, ok, 3), (3, ok, 5)]);
    assert_eq!((values(&found[5]), values(&found[6])), (vec![(1, ok, 3000)], vec![(1, ok, 500)]));

    let (_, found) = enumerate(&row, &[], u32::MAX, JET_bitEnumerateTaggedOnly);
    assert_eq!(names(&found), all[3..]);
    let (_, found) = enumerate(&row, &[], u32::MAX, JET_bitEnumerateIgnoreDefault);
    assert_eq!(names(&found), ["long", "default", "text", "list", "memo", "packed"]);
    let (_, found) = enumerate(&row, &[], u32::MAX, JET_bitEnumeratePresenceOnly);
    assert!(found.iter().all(|column| {
        column.err == JetErr::WrnColumnPresent && column.rgEnumColumnValue.is_empty()
    }));

    let (_, found) = enumerate(&row, &[], u32::MAX, JET_bitEnumerateCompressOutput);
    let single = JetErr::WrnColumnSingleValue;
    assert_eq!((found[0].err, &found[0].pvData[..]), (single, &[1, 0, 0, 0][..]));
    assert_eq!((found[5].err, found[5].pvData.len()), (single, 3000));
    assert_eq!((found[3].err, values(&found[3]).len()), (ok, 3), "several values stay a list");

    let (_, found) = enumerate(&row, &[], 10, JET_bitEnumerateCompressOutput);
    assert_eq!(values(&found[5]), [(1, JetErr::WrnColumnTruncated, 10)]);
    assert_eq!(found[6].pvData.len(), 500, "values in the row are not cut");
    let (_, found) = enumerate(&row, &[], u32::MAX, JET_bitEnumerateInRecordOnly);
    assert_eq!(values(&found[5]), [(1, JetErr::WrnColumnNotInRecord, 0)]);
}

#[test]
fn s10_10_columns_and_values_are_enumerated_as_they_are_asked_for() {
    let _mode = multi();
    let row = filled();
    let of = |columnid, itags: &[u32]| JET_ENUMCOLUMNID { columnid, rgtagSequence: itags.into() };
    let id = |name| row.id(name);
    let wanted = [
        of(id("list"), &[2, 0, 9]),
        of(0, &[]),
        of(id("binary"), &[]),
        of(id("tagged default"), &[]),
        of(id("text"), &[]),
    ];
    let (done, found) = enumerate(&row, &wanted, u32::MAX, JET_bitEnumerateIgnoreDefault);
    done.unwrap();
    let codes: Vec<JetErr> = found.iter().map(|column| column.err).collect();
    let (skipped, null) = (JetErr::WrnColumnSkipped, JetErr::WrnColumnNull);
    let default = JetErr::WrnColumnDefault;
    assert_eq!(codes, [JetErr::Success, skipped, null, default, JetErr::Success]);
    let list = [(2, JetErr::Success, 3), (0, skipped, 0), (9, null, 0)];
    assert_eq!(values(&found[0]), list);
    // Ids that are none do not keep the others back.
    let wanted = [of(99, &[]), of(id("text"), &[]), of(0x1_0000, &[])];
    let (done, found) = enumerate(&row, &wanted, u32::MAX, 0);
    assert_eq!(code(done), JetErr::ColumnNotFound);
    let codes: Vec<JetErr> = found.iter().map(|column| column.err).collect();
    assert_eq!(codes, [JetErr::ColumnNotFound, JetErr::Success, JetErr::BadColumnId]);
    for (wanted, grbit) in [(&wanted[..1], JET_bitEnumerateTaggedOnly), (&[], 0x1_0000)] {
        let (done, found) = enumerate(&row, wanted, u32::MAX, grbit);
        assert_eq!((code(done), found.len()), (JetErr::InvalidGrbit, 0));
    }
    // The copy that is being changed.
    JetBeginTransaction(row.ses).unwrap();
    row.prepare(JET_prepReplace);
    row.set("text", Some(b"other"), 0).unwrap();
    let wanted = [of(id("text"), &[])];
    let text =
        |grbit| enumerate(&row, &wanted, u32::MAX, grbit).1[0].rgEnumColumnValue[0].pvData.clone();
    assert_eq!((text(0), text(JET_bitEnumerateCopy)), (b"text".to_vec(), b"other".to_vec()));
}

#[test]
fn s10_11_a_row_is_measured_with_or_without_what_is_outside_of_it() {
    let _mode = multi();
    let row = filled();
    let measure = |size: &mut JET_RECSIZE2, grbit| {
        JetGetRecordSize2(row.ses, row.cur, size, grbit).unwrap();
    };
    let mut size = JET_RECSIZE2::default();
    measure(&mut size, 0);
    // long 4, bit 1, fixed binary 4, fixed text 4, default 4; text 4; list 11; packed 500.
    assert_eq!(size.cbData, 21 - 4 + 4 + 11 + 500);
    assert_eq!((size.cbLongValueData, size.cbLongValueDataCompressed), (3000, 3000));
    assert!(size.cbDataCompressed < size.cbData, "{size:?}");
    assert_eq!((size.cNonTaggedColumns, size.cTaggedColumns), (3, 3));
    assert_eq!((size.cLongValues, size.cMultiValues, size.cCompressedColumns), (1, 2, 1));
    assert!(size.cbOverhead > 4 && size.cbLongValueOverhead > 8, "{size:?}");

    let once = size;
    measure(&mut size, JET_bitRecordSizeRunningTotal);
    assert_eq!((size.cbData, size.cLongValues), (2 * once.cbData, 2 * once.cLongValues));
    measure(&mut size, JET_bitRecordSizeLocal);
    assert_eq!((size.cbData, size.cbLongValueData), (once.cbData, 0));
    let mut first = JET_RECSIZE::default();
    JetGetRecordSize(row.ses, row.cur, &mut first, 0).unwrap();
    assert_eq!((first.cbData, first.cbOverhead), (once.cbData, once.cbOverhead));
    let unknown = JetGetRecordSize(row.ses, row.cur, &mut first, 0x8);
    assert_eq!(code(unknown), JetErr::InvalidGrbit);
    // A new row has no key yet, and nobody has to stand on one.
    row.new_row();
    measure(&mut size, JET_bitRecordSizeInCopyBuffer);
    assert_eq!((size.cTaggedColumns, size.cbLongValueData), (0, 0));
    assert!(size.cbOverhead < once.cbOverhead);
}
