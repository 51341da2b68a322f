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
fn s10_01_null_is_no_value_and_an_offset_leaves_the_rest() {
    let _mode = multi();
    let row = filled();
    assert_eq!(row.get("binary"), None);
    for (name, whole) in [("memo", 3000), ("packed", 500)] {
        let mut info = JET_RETINFO { ibLongValue: 100, ..JET_RETINFO::default() };
        let read = JetRetrieveColumn(row.ses, row.cur, row.id(name), 0, Some(&mut info)).unwrap();
        assert_eq!(read.unwrap().len(), whole - 100, "{name}");
        assert_eq!(info.columnidNextTagged, row.id(name));
    }
    let mut several = ["binary", "text", "memo"].map(|name| JET_RETRIEVECOLUMN::new(row.id(name)));
    several[2].ibLongValue = 2999;
    JetRetrieveColumns(row.ses, row.cur, &mut several).unwrap();
    let codes = several.each_ref().map(|element| element.err);
    assert_eq!(codes, [JetErr::WrnColumnNull, JetErr::Success, JetErr::Success]);
    assert_eq!((&several[0].data, several[2].data.as_deref()), (&None, Some(&b"m"[..])));
}

#[test]
fn s10_02_behind_the_end_of_a_value_there_are_no_bytes() {
    let _mode = multi();
    let row = filled();
    for name in ["text", "memo", "packed"] {
        let mut behind = JET_RETINFO { ibLongValue: 5000, ..JET_RETINFO::default() };
        let read = JetRetrieveColumn(row.ses, row.cur, row.id(name), 0, Some(&mut behind)).unwrap();
        assert_eq!(read, Some(Vec::new()), "{name}");
    }
}

#[test]
fn s10_01_a_part_comes_with_the_warning_that_there_is_more() {
    let _mode = multi();
    let row = filled();
    for (at, most, part, err) in [
        (0, 2, &b"te"[..], JetErr::WrnBufferTruncated),
        (0, 0, b"", JetErr::WrnBufferTruncated),
        (2, 2, b"xt", JetErr::Success),
        (3, 9, b"t", JetErr::Success),
        (4, 0, b"", JetErr::Success),
    ] {
        let whole = JET_RETRIEVECOLUMN::new(row.id("text"));
        let mut parts = [JET_RETRIEVECOLUMN { ibLongValue: at, cbData: most, ..whole }];
        JetRetrieveColumns(row.ses, row.cur, &mut parts).unwrap();
        assert_eq!((parts[0].data.as_deref(), parts[0].err), (Some(part), err), "{most} from {at}");
    }
}

/// What a caller with a buffer of `room` bytes gets of a value from an offset on, and how many
/// bytes there are from there.
fn into_buffer(
    row: &Wide,
    (name, itag): (&str, usize),
    (offset, room): (usize, usize),
    grbit: u32,
) -> (Vec<u8>, usize) {
    let mut buffer = vec![0xee; room];
    let mut into = [JET_RETRIEVEINTO {
        columnid: row.id(name),
        grbit,
        ibLongValue: offset,
        itagSequence: itag,
        columnidNextTagged: 0,
        buffer: &mut buffer,
        actual: 0,
        err: None,
    }];
    retrieve_into(row.ses, row.cur, &mut into, false).unwrap();
    let actual = into[0].actual;
    buffer.truncate(actual);
    (buffer, actual)
}

/// A change of a part waits outside of the row until that is written. Who asks with a buffer, or
/// for the size alone, was told the size before the change.
#[test]
fn s10_02_a_long_value_has_the_size_that_the_prepared_update_gives_it() {
    let _mode = multi();
    let row = wide();
    row.new_row();
    row.set("memo", Some(&[b'm'; 9000]), 0).unwrap();
    for byte in [b'1', b'2'] {
        row.set_nth("memos", 0, Some(&[byte; 9000])).unwrap();
    }
    row.keep();
    let [append, over, size] = [JET_bitSetAppendLV, JET_bitSetOverwriteLV, JET_bitSetSizeLV];
    let changes: [(usize, u32, usize, usize); 7] = [
        (5000, append, 0, 14000),
        (100, over, 8990, 9090),
        (100, over, 10, 9000),
        (12000, size, 0, 12000),
        (7000, size, 0, 7000),
        (10, size, 0, 10),
        (7000, over | size, 50, 7050),
    ];
    let copy = JET_bitRetrieveCopy;
    let preps = [JET_prepReplace, JET_prepReplaceNoLock, JET_prepInsertCopy];
    let values = [("memo", 1), ("memos", 2)];
    let each = preps.into_iter().flat_map(|prep| values.map(|value| (prep, value)));
    for (prep, value @ (name, itag)) in each {
        for (len, grbit, offset, whole) in changes {
            let case = format!("{prep} {name} {grbit:#x} {len}");
            JetBeginTransaction(row.ses).unwrap();
            row.prepare(prep);
            let info = JET_SETINFO { ibLongValue: offset, itagSequence: itag };
            row.set_part(name, Some(&vec![b'+'; len]), grbit, info).unwrap();
            let told = row.nth(name, itag, copy).unwrap();
            assert_eq!(told.len(), whole, "{case}");
            assert_eq!(into_buffer(&row, value, (0, 0), copy).1, whole, "{case}: the size");
            let all = into_buffer(&row, value, (0, 20_000), copy);
            assert!(all == (told.clone(), whole), "{case}: {} bytes", all.1);
            let from = whole - 5;
            let end = into_buffer(&row, value, (from, 20), copy);
            assert_eq!(end, (told[from..].to_vec(), 5), "{case}: the end");
            assert_eq!(into_buffer(&row, value, (0, 0), 0).1, 9000, "{case}: the row");
            JetRollback(row.ses, 0).unwrap();
        }
    }
    // A second change goes on from the first, and both are written.
    JetBeginTransaction(row.ses).unwrap();
    row.prepare(JET_prepReplace);
    for whole in [14_000, 19_000] {
        row.set("memo", Some(&[b'+'; 5000]), append).unwrap();
        assert_eq!(into_buffer(&row, ("memo", 1), (0, 0), copy).1, whole);
    }
    row.keep();
    assert_eq!(into_buffer(&row, ("memo", 1), (0, 0), 0).1, 19_000);
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
    assert_eq!((count[0].itagSequence, count[0].err), (3, JetErr::Success));
    let mut zero = JET_RETINFO { itagSequence: 0, ..JET_RETINFO::default() };
    let bad = JetRetrieveColumn(row.ses, row.cur, 0, 0, Some(&mut zero));
    assert_eq!(code(bad), JetErr::BadItagSequence);
}

/// Value `n` of all tagged columns: its column and bytes.
fn of_all(row: &Wide, n: usize, grbit: u32) -> (u32, Option<Vec<u8>>) {
    let mut info = JET_RETINFO { itagSequence: n, ..JET_RETINFO::default() };
    let read = JetRetrieveColumn(row.ses, row.cur, 0, grbit, Some(&mut info)).unwrap();
    assert_eq!(info.itagSequence, n, "it stays the number that was asked for");
    (info.columnidNextTagged, read)
}

#[test]
fn s10_04_all_tagged_values_are_numbered_through() {
    let _mode = multi();
    let row = filled();
    let list = |grbit| -> Vec<(u32, usize)> {
        let all = (1..).map(|n| of_all(&row, n, grbit)).take_while(|(column, _)| *column != 0);
        all.map(|(column, value)| (column, value.map_or(usize::MAX, |value| value.len()))).collect()
    };
    let (of_list, default) = (row.id("list"), row.id("tagged default"));
    let (memo, packed) = (row.id("memo"), row.id("packed"));
    let three = [(of_list, 3), (of_list, 3), (of_list, 5)];
    let all = [&three[..], &[(default, 4), (memo, 3000), (packed, 500)]].concat();
    let shown = [&three[..], &[(memo, 3000), (packed, 500)]].concat();
    assert_eq!(list(0), all);
    assert_eq!(list(JET_bitRetrieveIgnoreDefault), shown);
    assert_eq!(of_all(&row, 7, 0), (0, None), "behind the last one");
    let mut count = [JET_RETRIEVECOLUMN { itagSequence: 0, ..JET_RETRIEVECOLUMN::new(0) }];
    JetRetrieveColumns(row.ses, row.cur, &mut count).unwrap();
    assert_eq!((count[0].itagSequence, count[0].columnidNextTagged), (6, 0));
    // A NULL that hides a default counts only where NULLs are asked for.
    JetBeginTransaction(row.ses).unwrap();
    row.prepare(JET_prepReplace);
    row.set("tagged default", None, 0).unwrap();
    assert_eq!(list(0), all, "the copy is another row");
    assert_eq!(list(JET_bitRetrieveCopy), shown);
    let nulls = JET_bitRetrieveCopy | JET_bitRetrieveNull;
    assert_eq!(of_all(&row, 4, nulls), (default, None));
    let mut fourth =
        [JET_RETRIEVECOLUMN { itagSequence: 4, grbit: nulls, ..JET_RETRIEVECOLUMN::new(0) }];
    JetRetrieveColumns(row.ses, row.cur, &mut fourth).unwrap();
    assert_eq!((fourth[0].err, fourth[0].columnidNextTagged), (JetErr::WrnColumnSetNull, default));
}

/// A table with a primary key of two columns and indexes of many kinds, and two rows.
struct Entries {
    live: Live,
    cur: JET_TABLEID,
    ids: Vec<u32>,
}

/// Name, type, flags.
const ENTRY_COLUMNS: [(&str, u32, u32); 8] = [
    ("id", JET_coltypLong, 0),
    ("real", JET_coltypIEEEDouble, 0),
    ("guid", JET_coltypGUID, 0),
    ("bytes", JET_coltypBinary, 0),
    ("text", JET_coltypText, 0),
    ("list", JET_coltypLong, JET_bitColumnTagged | JET_bitColumnMultiValued),
    ("raw", JET_coltypBinary, JET_bitColumnFixed),
    ("long", JET_coltypLongBinary, 0),
];

const GUID: [u8; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

fn entries() -> Entries {
    let live = Live::new();
    let columns = ENTRY_COLUMNS.map(|(name, coltyp, grbit)| JET_COLUMNCREATE {
        szColumnName: name.into(),
        coltyp,
        grbit,
        cbMax: if name == "raw" { 6 } else { 0 },
        ..JET_COLUMNCREATE::default()
    });
    let index = |name: &str, key: &str, grbit| JET_INDEXCREATE {
        szIndexName: name.into(),
        szKey: key.into(),
        grbit,
        ..JET_INDEXCREATE::default()
    };
    let capped = JET_INDEXCREATE { cbVarSegMac: 4, ..index("capped", "+bytes\0+id\0\0", 0) };
    let mut table = JET_TABLECREATE {
        szTableName: "entries".into(),
        rgcolumncreate: columns.into(),
        rgindexcreate: vec![
            index("pk", "+id\0-text\0\0", JET_bitIndexPrimary),
            index("all", "-real\0+guid\0-bytes\0+raw\0+long\0\0", 0),
            index("text", "+text\0-list\0\0", 0),
            index("pieces", "+text\0+id\0\0", JET_bitIndexTuples),
            index("chunks", "+bytes\0\0", JET_bitIndexTuples),
            capped,
        ],
        ..JET_TABLECREATE::default()
    };
    JetCreateTableColumnIndex(live.sesid, live.dbid, &mut table).unwrap();
    JetCloseTable(live.sesid, table.tableid).unwrap();
    let cur = JetOpenTable(live.sesid, live.dbid, "entries", 0).unwrap();
    let ids = table.rgcolumncreate.iter().map(|column| column.columnid).collect();
    let table = Entries { live, cur, ids };
    let bytes: &[u8] = &[9; 19];
    table.insert(-7, Some((-1.5, bytes)), b"Hello", &[30, 10, 20]);
    table.insert(8, None, b"World", &[]);
    table
}

impl Entries {
    fn insert(&self, id: i32, rest: Option<(f64, &[u8])>, text: &[u8], list: &[i32]) {
        let (ses, cur) = (self.live.sesid, self.cur);
        JetBeginTransaction(ses).unwrap();
        JetPrepareUpdate(ses, cur, JET_prepInsert).unwrap();
        let set = |at: usize, value: &[u8], itag| {
            let info = JET_SETINFO { itagSequence: itag, ..JET_SETINFO::default() };
            JetSetColumn(ses, cur, self.ids[at], Some(value), 0, Some(&info)).unwrap();
        };
        set(0, &id.to_le_bytes(), 1);
        set(4, text, 1);
        if let Some((real, bytes)) = rest {
            set(1, &real.to_le_bytes(), 1);
            set(2, &GUID, 1);
            set(3, bytes, 1);
            set(6, b"sixsix", 1);
            set(7, bytes, 1);
        }
        list.iter().for_each(|value| set(5, &value.to_le_bytes(), 0));
        JetUpdate(ses, cur).unwrap();
        JetCommitTransaction(ses, 0).unwrap();
    }

    fn index(&self, name: &str) {
        JetSetCurrentIndex(self.live.sesid, self.cur, Some(name)).unwrap();
    }

    fn read(&self, name: &str, grbit: u32, info: &mut JET_RETINFO) -> Result<Option<Vec<u8>>> {
        let at = ENTRY_COLUMNS.iter().position(|column| column.0 == name).unwrap();
        JetRetrieveColumn(self.live.sesid, self.cur, self.ids[at], grbit, Some(info))
    }

    fn get(&self, name: &str, grbit: u32) -> Result<Option<Vec<u8>>> {
        self.read(name, grbit, &mut JET_RETINFO::default())
    }
}

const FROM_INDEX: u32 = JET_bitRetrieveFromIndex;
const FROM_BOOKMARK: u32 = JET_bitRetrieveFromPrimaryBookmark;

#[test]
fn s10_05_an_entry_gives_the_values_that_its_key_keeps() {
    let _mode = multi();
    let table = entries();
    let (ses, cur) = (table.live.sesid, table.cur);
    table.index("all");
    JetMove(ses, cur, JET_MoveFirst, 0).unwrap();
    for name in ["real", "guid", "bytes", "raw", "long"] {
        let row = table.get(name, 0).unwrap();
        assert!(row.is_some());
        assert_eq!(table.get(name, FROM_INDEX).unwrap(), row, "{name}");
    }
    let mut part = JET_RETINFO { ibLongValue: 15, ..JET_RETINFO::default() };
    assert_eq!(table.read("long", FROM_INDEX, &mut part).unwrap().unwrap(), [9; 4]);
    JetMove(ses, cur, JET_MoveNext, 0).unwrap();
    for name in ["real", "guid", "bytes", "raw", "long"] {
        assert_eq!(table.get(name, FROM_INDEX).unwrap(), None, "{name}");
    }
    // The bookmark has the columns of the primary index, in any other index.
    assert_eq!(table.get("id", FROM_BOOKMARK).unwrap().unwrap(), 8_i32.to_le_bytes());
    assert_eq!(table.get("text", FROM_BOOKMARK).unwrap().unwrap(), b"World");
    assert_eq!(code(table.get("id", FROM_INDEX)), JetErr::ColumnNotFound);
    assert_eq!(code(table.get("real", FROM_BOOKMARK)), JetErr::ColumnNotFound);
    // In the primary index both are the same, and need no row.
    table.index("pk");
    JetMove(ses, cur, JET_MoveFirst, 0).unwrap();
    assert_eq!(code(table.get("real", FROM_INDEX)), JetErr::ColumnNotFound);
    JetDelete(ses, cur).unwrap();
    for grbit in [FROM_INDEX, FROM_BOOKMARK] {
        assert_eq!(table.get("id", grbit).unwrap().unwrap(), (-7_i32).to_le_bytes());
        assert_eq!(code(table.get("text", grbit)), JetErr::RecordDeleted, "the row knows it");
    }
}

#[test]
fn s10_05_what_a_key_lost_is_read_in_the_row_and_values_are_numbered() {
    let _mode = multi();
    let table = entries();
    let (ses, cur) = (table.live.sesid, table.cur);
    table.index("text");
    JetMove(ses, cur, JET_MoveFirst, 0).unwrap();
    let mut found = Vec::new();
    for _ in 0..3 {
        assert_eq!(table.get("text", FROM_INDEX).unwrap().unwrap(), b"Hello", "not HELLO");
        let mut info = JET_RETINFO::default();
        let read = table.read("list", FROM_INDEX | JET_bitRetrieveTag, &mut info).unwrap();
        found.push((read.unwrap()[0], info.itagSequence));
        let mut several = [JET_RETRIEVECOLUMN {
            grbit: FROM_INDEX | JET_bitRetrieveTag,
            ..JET_RETRIEVECOLUMN::new(table.ids[5])
        }];
        JetRetrieveColumns(ses, cur, &mut several).unwrap();
        assert_eq!(several[0].itagSequence, info.itagSequence);
        JetMove(ses, cur, JET_MoveNext, 0).unwrap();
    }
    assert_eq!(found, [(30, 1), (20, 3), (10, 2)], "downwards, with their places in the row");
    let mut info = JET_RETINFO { itagSequence: 5, ..JET_RETINFO::default() };
    assert_eq!(table.read("list", FROM_INDEX | JET_bitRetrieveTag, &mut info).unwrap(), None);
    assert_eq!(info.itagSequence, 1, "NULL is one value");
    // A limit of segments may have cut bytes: even those that fit come from the row.
    table.index("capped");
    JetMove(ses, cur, JET_MoveLast, 0).unwrap();
    assert_eq!(table.get("bytes", FROM_INDEX).unwrap().unwrap(), [9; 19]);
    assert_eq!(table.get("id", FROM_INDEX).unwrap().unwrap(), (-7_i32).to_le_bytes());
    // Off a row nothing is read.
    JetMove(ses, cur, JET_MoveNext, 0).unwrap_err();
    assert_eq!(code(table.get("id", FROM_INDEX)), JetErr::NoCurrentRecord);
}

#[test]
fn s10_05_pieces_of_a_tuple_index_are_asked_for_by_name() {
    let _mode = multi();
    let table = entries();
    let (ses, cur) = (table.live.sesid, table.cur);
    table.index("pieces");
    JetMove(ses, cur, JET_MoveFirst, 0).unwrap();
    let piece = FROM_INDEX | JET_bitRetrieveTuple;
    let refused = JetErr::IndexTuplesCannotRetrieveFromIndex;
    assert_eq!(code(table.get("text", FROM_INDEX)), refused);
    assert_eq!(table.get("text", piece).unwrap().unwrap(), b"Hello", "text is read in the row");
    assert_eq!(table.get("id", FROM_INDEX).unwrap().unwrap(), (-7_i32).to_le_bytes());
    table.index("chunks");
    JetMove(ses, cur, JET_MoveFirst, 0).unwrap();
    assert_eq!(code(table.get("bytes", FROM_INDEX)), refused);
    // The row without bytes has no entry.
    assert_eq!(table.get("bytes", piece).unwrap().unwrap(), [9; 3]);
    for (grbit, column) in [
        (JET_bitRetrieveTuple, "bytes"),
        (FROM_INDEX | FROM_BOOKMARK, "bytes"),
        (0x8000_0000, "bytes"),
    ] {
        assert_eq!(code(table.get(column, grbit)), JetErr::InvalidGrbit, "{grbit:#x}");
    }
    for grbit in [FROM_INDEX, FROM_BOOKMARK] {
        assert_eq!(code(JetRetrieveColumn(ses, cur, 0, grbit, None)), JetErr::BadColumnId);
    }
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

/// What JetEscrowUpdate adds is s11_03; here is what is read.
#[test]
fn s10_07_an_escrow_column_is_read_with_own_and_committed_additions() {
    let _mode = multi();
    let live = Live::new();
    let count = JET_COLUMNCREATE {
        szColumnName: "count".into(),
        coltyp: JET_coltypLong,
        grbit: JET_bitColumnEscrowUpdate,
        pvDefault: vec![10, 0, 0, 0],
        ..JET_COLUMNCREATE::default()
    };
    let mut table = JET_TABLECREATE {
        szTableName: "counts".into(),
        rgcolumncreate: vec![count],
        ..JET_TABLECREATE::default()
    };
    let ours = live.sesid;
    JetCreateTableColumnIndex(ours, live.dbid, &mut table).unwrap();
    JetPrepareUpdate(ours, table.tableid, JET_prepInsert).unwrap();
    JetUpdate(ours, table.tableid).unwrap();
    JetCloseTable(ours, table.tableid).unwrap();
    let theirs = JetDupSession(ours).unwrap();
    let cursors = [ours, theirs].map(|ses| {
        let dbid = JetOpenDatabase(ses, live.path().to_str().unwrap(), 0).unwrap().1;
        JetBeginTransaction(ses).unwrap();
        (ses, JetOpenTable(ses, dbid, "counts", 0).unwrap())
    });
    let id = table.rgcolumncreate[0].columnid;
    for (at, (ses, cur)) in cursors.into_iter().enumerate() {
        let delta = [1_i32, 100][at].to_le_bytes();
        JetEscrowUpdate(ses, cur, id, &delta, &mut [], 0).unwrap();
    }
    let read = || cursors.map(|(ses, cur)| id_at(ses, cur, id).unwrap());
    assert_eq!(read(), [11, 110]);
    JetCommitTransaction(theirs, 0).unwrap();
    assert_eq!(read(), [11, 110], "the one whose transaction goes on sees what it saw");
    JetCommitTransaction(ours, 0).unwrap();
    assert_eq!(read(), [111, 111]);
}

#[test]
fn s10_08_every_element_has_its_answer_and_a_bad_column_ends_the_call() {
    let _mode = multi();
    let row = filled();
    let element = |columnid| JET_RETRIEVECOLUMN::new(columnid);
    let mut several = [element(row.id("text")), element(99), element(row.id("long"))];
    let call = JetRetrieveColumns(row.ses, row.cur, &mut several);
    assert_eq!(code(call), JetErr::ColumnNotFound);
    assert_eq!(several[0].data.as_deref(), Some(&b"text"[..]));
    assert_eq!(several[2].data, None, "not reached");
    several[1].columnid = row.id("binary");
    let overall = JetRetrieveColumns(row.ses, row.cur, &mut several).unwrap();
    let codes = several.each_ref().map(|element| element.err);
    assert_eq!(codes, [JetErr::Success, JetErr::WrnColumnNull, JetErr::Success]);
    assert_eq!(overall, JetErr::Success, "NULL is no warning of the call");
    several[0].cbData = 3;
    let overall = JetRetrieveColumns(row.ses, row.cur, &mut several).unwrap();
    assert_eq!((overall, several[0].err), (JetErr::WrnBufferTruncated, overall));
}

#[test]
fn s10_09_an_unknown_id_is_told_from_one_that_cannot_be() {
    let _mode = multi();
    let row = filled();
    let read = |columnid| JetRetrieveColumn(row.ses, row.cur, columnid, 0, None);
    for columnid in [99, 127, 200, 999, 0xffff] {
        assert_eq!(code(read(columnid)), JetErr::ColumnNotFound, "{columnid}");
    }
    for columnid in [0x1_0000, 0x7fff_ffff] {
        assert_eq!(code(read(columnid)), JetErr::BadColumnId, "{columnid:#x}");
    }
    // The id is looked at before the row.
    let empty = wide();
    let at = |columnid| JetRetrieveColumn(empty.ses, empty.cur, columnid, 0, None);
    assert_eq!(code(at(99)), JetErr::ColumnNotFound);
    assert_eq!(code(at(empty.id("long"))), JetErr::NoCurrentRecord);
    assert_eq!(code(at(0)), JetErr::NoCurrentRecord);
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
    // The row says nothing of "binary": whether there is a default does not matter.
    assert_eq!(codes, [JetErr::Success, skipped, default, default, JetErr::Success]);
    let (_, found) = enumerate(&row, &wanted, u32::MAX, 0);
    assert_eq!(found[2].err, null);
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
    // Fixed ones and variable ones, each up to the last that the row has.
    assert_eq!((size.cNonTaggedColumns, size.cTaggedColumns), (6, 3));
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

#[test]
fn s10_11_long_values_in_a_row_and_its_key_are_measured_for_themselves() {
    let _mode = multi();
    let row = filled();
    let measure = |grbit| {
        let mut size = JET_RECSIZE3::default();
        JetGetRecordSize3(row.ses, row.cur, &mut size, grbit).unwrap();
        size
    };
    let mut less = JET_RECSIZE2::default();
    JetGetRecordSize2(row.ses, row.cur, &mut less, 0).unwrap();
    let size = measure(0);
    assert_eq!(JET_RECSIZE2::from(size), less);
    // Of the long columns only the compressed one has its value in the row; text that is tagged is
    // none of them. A table without primary index gives its rows keys of four bytes.
    assert_eq!((size.cIntrinsicLongValues, size.cbIntrinsicLongValueData), (1, 500));
    let outside_packed = size.cbData - 500;
    let stored = size.cbIntrinsicLongValueDataCompressed;
    assert_eq!(size.cbDataCompressed, outside_packed + stored);
    assert!(stored < 500, "{size:?}");
    assert_eq!(size.cbKey, 4);

    // As it is stored, and nothing is expanded for it.
    let physical = measure(JET_bitRecordSizeIntrinsicPhysicalOnly);
    assert_eq!(
        (physical.cbData, physical.cbDataCompressed),
        (less.cbDataCompressed, less.cbDataCompressed)
    );
    assert_eq!((physical.cbIntrinsicLongValueData, physical.cbLongValueData), (stored, 3000));
    // What the root of a value says, and one node of overhead.
    let logical = measure(JET_bitRecordSizeExtrinsicLogicalOnly);
    assert_eq!((logical.cbLongValueData, logical.cbLongValueDataCompressed), (3000, 3000));
    assert_eq!(logical.cbLongValueOverhead, 4 + 2 + 4 + 8);
    assert!(logical.cbLongValueOverhead < size.cbLongValueOverhead, "{size:?}");
    assert_eq!(logical.cbData, size.cbData);

    let mut total = size;
    JetGetRecordSize3(row.ses, row.cur, &mut total, JET_bitRecordSizeRunningTotal).unwrap();
    assert_eq!((total.cbKey, total.cIntrinsicLongValues), (8, 2));

    // One that an update changes counts the same way, before anything of it is written.
    JetBeginTransaction(row.ses).unwrap();
    row.prepare(JET_prepReplace);
    row.set("memo", Some(&[b'n'; 5000]), JET_bitSetAppendLV).unwrap();
    let changed = JET_bitRecordSizeInCopyBuffer | JET_bitRecordSizeExtrinsicLogicalOnly;
    let changed = measure(changed);
    assert_eq!((changed.cbLongValueData, changed.cbLongValueDataCompressed), (8000, 8000));
    assert_eq!(changed.cbLongValueOverhead, logical.cbLongValueOverhead);
    let chunks = measure(JET_bitRecordSizeInCopyBuffer).cbLongValueOverhead;
    assert!(chunks > changed.cbLongValueOverhead, "{chunks}");
    row.prepare(JET_prepCancel);
    JetRollback(row.ses, 0).unwrap();
    row.new_row();
    assert_eq!(measure(JET_bitRecordSizeInCopyBuffer).cbKey, 0);
}
