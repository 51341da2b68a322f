//! What JetSetColumn refuses, for every type and place of a column, in the order of its checks; and
//! that a refusal changes nothing (9, 8.1, 8.8).

use crate::pets::*;

/// Types of one length.
const NUMBERS: [(u32, usize); 13] = [
    (JET_coltypBit, 1),
    (JET_coltypUnsignedByte, 1),
    (JET_coltypShort, 2),
    (JET_coltypLong, 4),
    (JET_coltypCurrency, 8),
    (JET_coltypIEEESingle, 4),
    (JET_coltypIEEEDouble, 8),
    (JET_coltypDateTime, 8),
    (JET_coltypUnsignedLong, 4),
    (JET_coltypLongLong, 8),
    (JET_coltypGUID, 16),
    (JET_coltypUnsignedShort, 2),
    (JET_coltypUnsignedLongLong, 8),
];

const FIXED: u32 = JET_bitColumnFixed;
const TAGGED: u32 = JET_bitColumnTagged;

struct Row {
    live: Live,
    ses: JET_SESID,
    cur: JET_TABLEID,
    ids: Vec<u32>,
}

/// A table with columns of these types, longest values and flags, and a new row on which an update
/// is prepared in a transaction.
fn row(columns: &[(u32, u32, u32)]) -> Row {
    let live = Live::new();
    let column = |(at, &(coltyp, longest, grbit)): (usize, &(u32, u32, u32))| JET_COLUMNCREATE {
        szColumnName: format!("c{at}"),
        coltyp,
        cbMax: longest,
        grbit,
        ..JET_COLUMNCREATE::default()
    };
    let mut table = JET_TABLECREATE {
        szTableName: "values".into(),
        rgcolumncreate: columns.iter().enumerate().map(column).collect(),
        ..JET_TABLECREATE::default()
    };
    JetCreateTableColumnIndex(live.sesid, live.dbid, &mut table).unwrap();
    JetCloseTable(live.sesid, table.tableid).unwrap();
    let ids = table.rgcolumncreate.iter().map(|column| column.columnid).collect();
    let (ses, cur) = (live.sesid, JetOpenTable(live.sesid, live.dbid, "values", 0).unwrap());
    JetBeginTransaction(ses).unwrap();
    JetPrepareUpdate(ses, cur, JET_prepInsert).unwrap();
    Row { live, ses, cur, ids }
}

impl Row {
    fn set(&self, at: usize, value: &[u8], grbit: u32, info: JET_SETINFO) -> Result<JetErr> {
        JetSetColumn(self.ses, self.cur, self.ids[at], Some(value), grbit, Some(&info))
    }

    fn plain(&self, at: usize, value: &[u8]) -> Result<JetErr> {
        self.set(at, value, 0, JET_SETINFO::default())
    }

    /// The values of a column in the copy that is being changed.
    fn all(&self, at: usize) -> Vec<Vec<u8>> {
        let nth = |itag| {
            let mut info = JET_RETINFO { itagSequence: itag, ..JET_RETINFO::default() };
            let copy = JET_bitRetrieveCopy;
            JetRetrieveColumn(self.ses, self.cur, self.ids[at], copy, Some(&mut info)).unwrap()
        };
        // What is not tagged has one value.
        (1..).map_while(nth).take(100).collect()
    }
}

#[test]
fn numbers_have_one_length_wherever_they_are() {
    let _mode = multi();
    let places = [0, FIXED, TAGGED];
    let columns: Vec<_> =
        NUMBERS.iter().flat_map(|(ty, _)| places.map(|place| (*ty, 0, place))).collect();
    let row = row(&columns);
    for (at, (coltyp, _, place)) in columns.iter().enumerate() {
        let right = NUMBERS.iter().find(|(ty, _)| ty == coltyp).unwrap().1;
        let good = vec![0xff; right];
        row.plain(at, &good).unwrap();
        for len in (1..=20).filter(|len| *len != right) {
            // Tagged columns look at the longest value first.
            let expected = match *place == TAGGED && len > right {
                true => JetErr::ColumnTooBig,
                false => JetErr::InvalidBufferSize,
            };
            let bad = row.plain(at, &vec![1; len]);
            assert_eq!(code(bad), expected, "type {coltyp}, place {place:#x}, {len} bytes");
            assert_eq!(row.all(at), [&good[..]], "as it was");
        }
        // No bytes are NULL, in fixed columns even where they are meant.
        row.plain(at, &[]).unwrap();
        assert_eq!(row.all(at), Vec::<Vec<u8>>::new());
        if *place != TAGGED {
            row.plain(at, &good).unwrap();
            row.set(at, &[], JET_bitSetZeroLength, JET_SETINFO::default()).unwrap();
            assert_eq!(row.all(at), Vec::<Vec<u8>>::new());
        }
    }
    JetUpdate(row.ses, row.cur).unwrap();
    JetCommitTransaction(row.ses, 0).unwrap();
}

/// 9.2: the same mistake, a value above the column's limit, has one of three outcomes; and long
/// columns refuse like tagged ones, whichever way the value would have grown.
#[test]
fn text_and_bytes_have_limits_by_where_they_are() {
    let _mode = multi();
    let long = [JET_coltypLongText, JET_coltypLongBinary];
    let short = [JET_coltypText, JET_coltypBinary];
    let mut columns = Vec::new();
    for ty in short {
        columns.extend([(ty, 10, FIXED), (ty, 10, 0), (ty, 10, TAGGED), (ty, 0, TAGGED)]);
    }
    columns.extend(long.map(|ty| (ty, 10, 0)));
    columns.extend(long.map(|ty| (ty, 3000, 0)));
    let row = row(&columns);
    for (at, (_, longest, place)) in columns.iter().enumerate() {
        let most = if *longest == 0 { 255 } else { *longest as usize };
        let exact = vec![b'e'; most];
        row.plain(at, &exact).unwrap();
        assert_eq!(row.all(at), [&exact[..]], "column {at}");
        let more = vec![b'm'; most + 1];
        let set = row.plain(at, &more);
        let is_long = at >= 8;
        match *place {
            FIXED => assert_eq!(code(set), JetErr::InvalidBufferSize),
            0 if !is_long => {
                assert_eq!(set.unwrap(), JetErr::WrnColumnMaxTruncated);
                assert_eq!(row.all(at), [&more[..most]], "cut");
                continue;
            }
            _ => assert_eq!(code(set), JetErr::ColumnTooBig),
        }
        assert_eq!(row.all(at), [&exact[..]], "column {at} as it was");
        if is_long {
            let (none, size) = (JET_SETINFO::default(), JET_bitSetSizeLV);
            let at_end = JET_SETINFO { ibLongValue: most, ..none };
            let behind = JET_SETINFO { ibLongValue: most + 1, ..none };
            let big = JetErr::ColumnTooBig;
            for (value, grbit, info, expected) in [
                (&b"x"[..], JET_bitSetAppendLV, none, big),
                (b"x", JET_bitSetOverwriteLV, at_end, big),
                (b"x", JET_bitSetOverwriteLV | size, at_end, big),
                (b"x", JET_bitSetOverwriteLV, behind, JetErr::ColumnNoChunk),
                (&more, size, none, big),
            ] {
                assert_eq!(code(row.set(at, value, grbit, info)), expected, "{grbit:#x}");
                assert_eq!(row.all(at), [&exact[..]], "column {at} as it was");
            }
        }
    }
}

#[test]
fn every_tagged_column_holds_several_values() {
    let _mode = multi();
    let several = TAGGED | JET_bitColumnMultiValued;
    let columns = [
        (JET_coltypLong, 0, TAGGED),
        (JET_coltypText, 0, TAGGED),
        (JET_coltypLongText, 0, 0),
        (JET_coltypLong, 0, several),
        (JET_coltypLongText, 0, several),
    ];
    let row = row(&columns);
    let nth = |itag| JET_SETINFO { itagSequence: itag, ..JET_SETINFO::default() };
    for at in 0..columns.len() {
        row.set(at, b"1234", 0, nth(1)).unwrap();
        for itag in [0, 2, 7] {
            row.set(at, b"more", 0, nth(itag)).unwrap();
        }
        // NULL for a value that there is not changes nothing.
        let before = row.all(at);
        row.set(at, &[], 0, nth(9)).unwrap();
        assert_eq!(row.all(at), before);
    }
    // 0 and 7 have appended, 2 has replaced what 0 had made.
    for at in 0..columns.len() {
        assert_eq!(row.all(at), [b"1234", b"more", b"more"], "column {at}");
    }
    // A bad value among good ones leaves them.
    assert_eq!(code(row.set(3, b"bad", 0, nth(2))), JetErr::InvalidBufferSize);
    let off = JET_SETINFO { itagSequence: 2, ibLongValue: 5 };
    let beyond = row.set(4, b"x", JET_bitSetOverwriteLV, off);
    assert_eq!(code(beyond), JetErr::ColumnNoChunk);
    let missing = JET_SETINFO { itagSequence: 0, ibLongValue: 1 };
    let beyond = row.set(4, b"x", JET_bitSetOverwriteLV, missing);
    assert_eq!(code(beyond), JetErr::ColumnNoChunk);
    assert_eq!(row.all(4), [b"1234", b"more", b"more"]);
}

/// The order is that of the engine's source: handles, rights, state, flags, column, value.
#[test]
fn everything_is_wrong_and_the_first_thing_is_told() {
    let _mode = multi();
    let unlogged = JET_bitSetContiguousLV;
    let columns = [
        (JET_coltypLong, 0, JET_bitColumnAutoincrement),
        (JET_coltypLong, 0, JET_bitColumnVersion),
        (JET_coltypLong, 0, JET_bitColumnNotNULL),
        (JET_coltypLongText, 0, 0),
    ];
    let row = row(&columns);
    JetUpdate(row.ses, row.cur).unwrap_err();
    row.plain(2, &[1, 0, 0, 0]).unwrap();
    JetUpdate(row.ses, row.cur).unwrap();
    JetCommitTransaction(row.ses, 0).unwrap();
    let ses = row.ses;
    let reader = JetOpenTable(ses, row.live.dbid, "values", JET_bitTableReadOnly).unwrap();
    let writer = JetOpenTable(ses, row.live.dbid, "values", 0).unwrap();
    let other = JetDupSession(ses).unwrap();
    let set = |ses, cur, columnid: u32, value: &[u8], grbit| {
        JetSetColumn(ses, cur, columnid, Some(value), grbit, None)
    };
    let (bad_id, no_id, bad_bits) = (0x1_0000, 99, 0x8000_0000);
    // Each line mends what the one before was refused for.
    assert_eq!(
        code(set(JET_SESID(7), JET_TABLEID(7), bad_id, b"x", bad_bits)),
        JetErr::InvalidSesid
    );
    assert_eq!(code(set(other, JET_TABLEID(7), bad_id, b"x", bad_bits)), JetErr::InvalidTableId);
    assert_eq!(code(set(other, reader, bad_id, b"x", bad_bits)), JetErr::SesidTableIdMismatch);
    assert_eq!(code(set(ses, reader, bad_id, b"x", bad_bits)), JetErr::PermissionDenied);
    JetBeginTransaction2(ses, JET_bitTransactionReadOnly).unwrap();
    assert_eq!(code(set(ses, writer, bad_id, b"x", bad_bits)), JetErr::TransReadOnly);
    JetCommitTransaction(ses, 0).unwrap();
    assert_eq!(code(set(ses, writer, bad_id, b"x", bad_bits)), JetErr::UpdateNotPrepared);
    JetPrepareUpdate(ses, writer, JET_prepReplace).unwrap();
    let both = JET_bitSetUniqueMultiValues | JET_bitSetAppendLV;
    for bits in [bad_bits, both, unlogged] {
        assert_eq!(code(set(ses, writer, bad_id, b"x", bits)), JetErr::InvalidGrbit, "{bits:#x}");
    }
    let contiguous = unlogged | JET_bitSetSeparateLV;
    assert_eq!(code(set(ses, writer, bad_id, b"x", contiguous)), JetErr::InvalidBufferSize);
    assert_eq!(code(set(ses, writer, bad_id, b"x", 0)), JetErr::BadColumnId);
    assert_eq!(code(set(ses, writer, no_id, b"x", 0)), JetErr::ColumnNotFound);
    for counts in [0, 1] {
        let counts = set(ses, writer, row.ids[counts], b"x", 0);
        assert_eq!(code(counts), JetErr::InvalidColumnType, "before its length");
    }
    assert_eq!(code(set(ses, writer, row.ids[2], b"x", 0)), JetErr::InvalidBufferSize);
    let null = JetSetColumn(ses, writer, row.ids[2], None, 0, None);
    assert_eq!(code(null), JetErr::ColumnIllegalNull);
    assert_eq!(code(set(ses, writer, row.ids[3], b"x", 0)), JetErr::NotInTransaction);
    // Nothing of all that is in the row.
    let copy = JET_bitRetrieveCopy;
    let read = JetRetrieveColumn(ses, writer, row.ids[2], copy, None).unwrap();
    assert_eq!(read.unwrap(), [1, 0, 0, 0]);
    JetUpdate(ses, writer).unwrap();
}
