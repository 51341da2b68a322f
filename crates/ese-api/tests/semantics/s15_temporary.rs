//! Section 15: temporary tables.

use crate::pets::*;

/// A temporary table of a number and a text, and maybe another column.
struct Temp {
    live: Live,
    ses: JET_SESID,
    cur: JET_TABLEID,
    ids: Vec<u32>,
}

fn column(coltyp: u32, grbit: u32) -> JET_COLUMNDEF {
    JET_COLUMNDEF { coltyp, grbit, ..JET_COLUMNDEF::default() }
}

fn key_and_text() -> [JET_COLUMNDEF; 2] {
    [column(JET_coltypLong, JET_bitColumnTTKey), column(JET_coltypText, 0)]
}

fn temp(columns: &[JET_COLUMNDEF], grbit: u32) -> Temp {
    let live = Live::new();
    let (cur, ids) = JetOpenTempTable(live.sesid, columns, grbit).unwrap();
    Temp { ses: live.sesid, live, cur, ids }
}

/// With the rows 3, 1, 2.
fn three(grbit: u32) -> Temp {
    let temp = temp(&key_and_text(), grbit);
    for number in [3, 1, 2] {
        temp.insert(number, "text").unwrap();
    }
    temp
}

impl Temp {
    fn open(&self, columns: &[JET_COLUMNDEF], grbit: u32) -> Temp2 {
        let (cur, ids) = JetOpenTempTable(self.ses, columns, grbit).unwrap();
        Temp2 { ses: self.ses, cur, ids }
    }

    fn insert(&self, number: i32, text: &str) -> Result<Vec<u8>> {
        insert(self.ses, self.cur, &self.ids, number, text)
    }

    fn go(&self, rows: i32) -> Result<()> {
        JetMove(self.ses, self.cur, rows, 0)
    }

    fn at(&self) -> Result<i32> {
        number_at(self.ses, self.cur, self.ids[0])
    }

    /// The row that a move leads to, or the code.
    fn to(&self, rows: i32) -> std::result::Result<i32, JetErr> {
        self.go(rows).and_then(|()| self.at()).map_err(|error| error.code())
    }

    fn seek(&self, number: i32, grbit: u32) -> std::result::Result<(JetErr, i32), JetErr> {
        let key = number.to_le_bytes();
        JetMakeKey(self.ses, self.cur, Some(&key), JET_bitNewKey).unwrap();
        let sought = JetSeek(self.ses, self.cur, grbit);
        sought.and_then(|code| Ok((code, self.at()?))).map_err(|error| error.code())
    }
}

/// A further table of the same session.
struct Temp2 {
    ses: JET_SESID,
    cur: JET_TABLEID,
    ids: Vec<u32>,
}

impl Temp2 {
    fn numbers(&self) -> Vec<i32> {
        numbers(self.ses, self.cur, self.ids[0])
    }
}

fn insert(
    ses: JET_SESID,
    cur: JET_TABLEID,
    ids: &[u32],
    number: i32,
    text: &str,
) -> Result<Vec<u8>> {
    JetPrepareUpdate(ses, cur, JET_prepInsert)?;
    JetSetColumn(ses, cur, ids[0], Some(&number.to_le_bytes()), 0, None)?;
    JetSetColumn(ses, cur, ids[1], Some(text.as_bytes()), 0, None)?;
    let done = JetUpdate(ses, cur);
    if done.is_err() {
        JetPrepareUpdate(ses, cur, JET_prepCancel).unwrap();
    }
    done
}

fn number_at(ses: JET_SESID, cur: JET_TABLEID, id: u32) -> Result<i32> {
    let bytes = JetRetrieveColumn(ses, cur, id, 0, None)?;
    Ok(bytes.map_or(i32::MIN, |bytes| i32::from_le_bytes(bytes.try_into().unwrap())))
}

fn numbers(ses: JET_SESID, cur: JET_TABLEID, id: u32) -> Vec<i32> {
    let mut numbers = Vec::new();
    let mut moved = JetMove(ses, cur, JET_MoveFirst, 0);
    while moved.is_ok() {
        numbers.push(number_at(ses, cur, id).unwrap());
        moved = JetMove(ses, cur, JET_MoveNext, 0);
    }
    assert_eq!(code(moved), JetErr::NoCurrentRecord);
    numbers
}

#[test]
fn s15_01_rows_are_only_inserted_until_the_first_move_or_seek() {
    let _mode = multi();
    let temp = three(JET_bitTTScrollable);
    let (ses, cur) = (temp.ses, temp.cur);
    let illegal = JetErr::IllegalOperation;
    JetPrepareUpdate(ses, cur, JET_prepInsert).unwrap();
    let read = |grbit| JetRetrieveColumn(ses, cur, temp.ids[0], grbit, None);
    assert_eq!(code(read(0)), illegal);
    assert_eq!(code(read(JET_bitRetrieveCopy)), illegal, "not even what is prepared");
    JetPrepareUpdate(ses, cur, JET_prepCancel).unwrap();
    assert_eq!(code(JetPrepareUpdate(ses, cur, JET_prepReplace)), illegal);
    assert_eq!(code(JetDelete(ses, cur)), illegal);
    assert_eq!(code(JetGetBookmark(ses, cur)), illegal);
    assert_eq!(code(JetGotoBookmark(ses, cur, &[0; 4])), illegal);
    assert_eq!(code(JetSetCurrentIndex(ses, cur, None)), illegal);
    assert_eq!(code(JetDupCursor(ses, cur, 0)), illegal);
    assert_eq!(code(JetIndexRecordCount(ses, cur, 0)), illegal);
    assert_eq!(code(JetGetTableInfo(ses, cur, JET_TblInfo)), illegal);
    assert_eq!(code(JetGetLS(ses, cur, JET_bitLSCursor)), illegal);
    assert_eq!(code(JetGetTableColumnInfo(ses, cur, None)), illegal);
    assert_eq!(code(JetAddColumn(ses, cur, "c", &column(JET_coltypLong, 0), &[])), illegal);
    temp.insert(4, "one more").unwrap();
    assert_eq!(temp.to(JET_MoveFirst), Ok(1));
    assert_eq!(code(JetPrepareUpdate(ses, cur, JET_prepInsert)), illegal, "it is over");
    assert_eq!(temp.to(1), Ok(2), "and the cursor is where it was");
    // A table from the start takes rows at any time.
    for columns in [
        vec![column(JET_coltypLong, JET_bitColumnTTKey), column(JET_coltypLongText, 0)],
        vec![column(JET_coltypLong, 0), column(JET_coltypText, 0)],
    ] {
        let table = temp.open(&columns, 0);
        for number in [2, 1] {
            JetBeginTransaction(ses).unwrap();
            insert(ses, table.cur, &table.ids, number, "text").unwrap();
            JetCommitTransaction(ses, 0).unwrap();
            JetMove(ses, table.cur, JET_MoveFirst, 0).unwrap();
        }
        assert_eq!(table.numbers().len(), 2);
        assert_eq!(code(JetSetCurrentIndex(ses, table.cur, None)), illegal);
        assert_eq!(code(JetIndexRecordCount(ses, table.cur, 0)), illegal);
    }
    let columns = [column(JET_coltypLong, JET_bitColumnTTKey), column(JET_coltypLongText, 0)];
    let inside = temp.open(&columns, JET_bitTTIntrinsicLVsOnly);
    let text = "a long text that stays in its row";
    insert(ses, inside.cur, &inside.ids, 1, &text[..6]).unwrap();
    JetPrepareUpdate(ses, inside.cur, JET_prepInsert).unwrap();
    JetSetColumn(ses, inside.cur, inside.ids[0], Some(&[0; 4]), 0, None).unwrap();
    let set =
        |data: &[u8], grbit| JetSetColumn(ses, inside.cur, inside.ids[1], Some(data), grbit, None);
    for part in text.as_bytes().chunks(5) {
        set(part, JET_bitSetAppendLV).unwrap();
    }
    // There is no other place for what the row has no room for, nor for a length alone.
    for (len, grbit) in [(40_000, 0), (32_767, JET_bitSetAppendLV)] {
        let refused = set(&vec![b'x'; len], grbit);
        assert_eq!(code(refused), JetErr::CannotSeparateIntrinsicLV, "{len}");
    }
    JetUpdate(ses, inside.cur).unwrap();
    JetMove(ses, inside.cur, JET_MoveFirst, 0).unwrap();
    let read = JetRetrieveColumn(ses, inside.cur, inside.ids[1], 0, None).unwrap();
    assert_eq!(read.as_deref(), Some(text.as_bytes()));
}

#[test]
fn s15_02_what_a_sort_can_do_when_it_is_read() {
    let _mode = multi();
    let temp = three(0);
    let (ses, cur) = (temp.ses, temp.cur);
    assert_eq!([temp.to(JET_MoveFirst), temp.to(1), temp.to(1)], [Ok(1), Ok(2), Ok(3)]);
    assert_eq!(temp.to(-1), Err(JetErr::IllegalOperation), "it goes forward");
    assert_eq!(temp.seek(2, JET_bitSeekEQ), Err(JetErr::IllegalOperation));
    assert_eq!(code(JetSetIndexRange(ses, cur, 0)), JetErr::IllegalOperation);
    assert_eq!(temp.to(1), Err(JetErr::NoCurrentRecord));
    assert_eq!([temp.to(JET_MoveFirst), temp.to(JET_MoveLast)], [Ok(1), Ok(3)]);
    for grbit in [JET_bitTTScrollable, JET_bitTTIndexed] {
        let temp = three(grbit);
        let (ses, cur) = (temp.ses, temp.cur);
        assert_eq!([temp.to(JET_MoveLast), temp.to(-2)], [Ok(3), Ok(1)]);
        assert_eq!(temp.to(-1), Err(JetErr::NoCurrentRecord));
        assert_eq!(temp.seek(2, JET_bitSeekEQ), Ok((JetErr::Success, 2)));
        assert_eq!(temp.seek(2, JET_bitSeekGT), Ok((JetErr::Success, 3)));
        assert_eq!(temp.seek(2, JET_bitSeekLT), Ok((JetErr::Success, 1)));
        assert_eq!(temp.seek(9, JET_bitSeekLE), Ok((JetErr::Success, 3)));
        assert_eq!(temp.seek(9, JET_bitSeekEQ), Err(JetErr::RecordNotFound));
        assert_eq!(code(JetSeek(ses, cur, JET_bitSeekEQ)), JetErr::KeyNotMade, "it is used up");
        temp.seek(2, JET_bitSeekEQ).unwrap();
        let (bookmark, key) =
            (JetGetBookmark(ses, cur).unwrap(), JetRetrieveKey(ses, cur, 0).unwrap());
        assert_eq!((bookmark.len(), key.len()), (4, 5), "the number of the row; its key");
        let dup = JetDupCursor(ses, cur, 0).unwrap();
        assert_eq!(number_at(ses, dup, temp.ids[0]).unwrap(), 1, "on the first row");
        JetGotoBookmark(ses, dup, &bookmark).unwrap();
        assert_eq!(number_at(ses, dup, temp.ids[0]).unwrap(), 2);
        assert_eq!(code(JetGotoBookmark(ses, dup, &key)), JetErr::InvalidBookmark);
        let Ok(JET_TBLINFO::Object(object)) = JetGetTableInfo(ses, cur, JET_TblInfo) else {
            panic!("no object");
        };
        assert_eq!((object.cRecord, object.objtyp), (3, JET_objtypTable));
        assert_eq!(code(JetGetTableInfo(ses, cur, JET_TblInfoName)), JetErr::InvalidOperation);
        let mut size = JET_RECSIZE::default();
        JetGetRecordSize(ses, cur, &mut size, 0).unwrap();
        assert_eq!(size.cbData, 8);
        // A limit of moves.
        temp.seek(1, JET_bitSeekEQ).unwrap();
        JetMakeKey(ses, cur, Some(&2_i32.to_le_bytes()), JET_bitNewKey).unwrap();
        let upper = JET_bitRangeInclusive | JET_bitRangeUpperLimit;
        JetSetIndexRange(ses, cur, upper).unwrap();
        assert_eq!([temp.to(1), temp.to(1)], [Ok(2), Err(JetErr::NoCurrentRecord)]);
        for illegal in [
            JetDelete(ses, cur),
            JetGetLock(ses, cur, JET_bitWriteLock),
            JetSetCurrentIndex(ses, cur, None),
            JetGetCursorInfo(ses, cur),
        ] {
            assert_eq!(code(illegal), JetErr::IllegalOperation);
        }
        JetCloseTable(ses, cur).unwrap();
        JetMove(ses, dup, 1, 0).unwrap();
        assert_eq!(number_at(ses, dup, temp.ids[0]).unwrap(), 3, "the rows are still there");
    }
    let temp = three(JET_bitTTUpdatable);
    assert_eq!(temp.to(JET_MoveFirst), Ok(1));
    JetDelete(temp.ses, temp.cur).unwrap();
    temp.insert(7, "new").unwrap();
    temp.seek(3, JET_bitSeekEQ).unwrap();
    JetPrepareUpdate(temp.ses, temp.cur, JET_prepReplace).unwrap();
    JetSetColumn(temp.ses, temp.cur, temp.ids[1], Some(b"other"), 0, None).unwrap();
    JetUpdate(temp.ses, temp.cur).unwrap();
    let text = JetRetrieveColumn(temp.ses, temp.cur, temp.ids[1], 0, None).unwrap();
    assert_eq!(text.as_deref(), Some(&b"other"[..]));
    assert_eq!(numbers(temp.ses, temp.cur, temp.ids[0]), [2, 3, 7], "it is a table now");
}

#[test]
fn s15_03_what_becomes_of_rows_with_one_key() {
    let _mode = multi();
    let temp = temp(&key_and_text(), 0);
    let (ses, columns) = (temp.ses, key_and_text());
    let of = |columns: &[JET_COLUMNDEF], grbit| {
        let table = temp.open(columns, grbit);
        let codes: Vec<JetErr> = [2, 1, 2, 2, 1]
            .map(|number| match insert(ses, table.cur, &table.ids, number, "text") {
                Ok(_) => JetErr::Success,
                Err(error) => error.code(),
            })
            .to_vec();
        let numbers = table.numbers();
        JetCloseTable(ses, table.cur).unwrap();
        (codes.iter().filter(|code| **code == JetErr::KeyDuplicate).count(), numbers)
    };
    for grbit in [0, JET_bitTTUnique, JET_bitTTScrollable, JET_bitTTIndexed, JET_bitTTUpdatable] {
        assert_eq!(of(&columns, grbit), (0, vec![1, 2]), "{grbit:#x}: silently removed");
    }
    assert_eq!(of(&columns, JET_bitTTForwardOnly), (0, vec![1, 1, 2, 2, 2]), "kept");
    assert_eq!(of(&columns, JET_bitTTForwardOnly | JET_bitTTUnique), (0, vec![1, 2]));
    for grbit in [JET_bitTTForceMaterialization, JET_bitTTErrorOnDuplicateInsertion] {
        assert_eq!(of(&columns, grbit), (3, vec![1, 2]), "refused at once");
    }
    let keyless = [column(JET_coltypLong, 0), column(JET_coltypText, 0)];
    for grbit in [0, JET_bitTTUnique, JET_bitTTUpdatable] {
        assert_eq!(of(&keyless, grbit), (0, vec![2, 1, 2, 2, 1]), "{grbit:#x}: as they came");
    }
}

#[test]
fn s15_04_a_forward_only_sort_is_never_a_table() {
    let _mode = multi();
    let temp = temp(&key_and_text(), 0);
    let open = |columns: &[JET_COLUMNDEF], grbit| {
        let opened = JetOpenTempTable(temp.ses, columns, JET_bitTTForwardOnly | grbit);
        opened.map(|(cur, _)| JetCloseTable(temp.ses, cur).unwrap())
    };
    let never = JetErr::CannotMaterializeForwardOnlySort;
    for grbit in
        [JET_bitTTIndexed, JET_bitTTUpdatable, JET_bitTTScrollable, JET_bitTTForceMaterialization]
    {
        assert_eq!(code(open(&key_and_text(), grbit)), never, "{grbit:#x}");
    }
    open(&key_and_text(), JET_bitTTUnique | JET_bitTTSortNullsHigh).unwrap();
    let long = [column(JET_coltypLong, JET_bitColumnTTKey), column(JET_coltypLongText, 0)];
    assert_eq!(code(open(&long, 0)), never);
    open(&long, JET_bitTTIntrinsicLVsOnly).unwrap();
    assert_eq!(code(open(&[column(JET_coltypLong, 0)], 0)), never, "without key");
    let none = Live::with(|inst| crate::jet_setup::set(inst, JET_paramMaxTemporaryTables, 0));
    let refused = JetOpenTempTable(none.sesid, &key_and_text(), 0);
    assert_eq!(code(refused), JetErr::TooManySorts);
    let two = Live::with(|inst| crate::jet_setup::set(inst, JET_paramMaxTemporaryTables, 2));
    let open = || JetOpenTempTable(two.sesid, &key_and_text(), 0);
    let (first, _) = open().unwrap();
    open().unwrap();
    assert_eq!(code(open()), JetErr::TooManySorts);
    JetCloseTable(two.sesid, first).unwrap();
    open().unwrap();
}

#[test]
fn s15_05_the_key_is_made_of_the_columns_that_say_so_in_their_order() {
    let _mode = multi();
    let key = JET_bitColumnTTKey;
    let columns = [
        column(JET_coltypText, 0),
        column(JET_coltypLong, key | JET_bitColumnTTDescending),
        column(JET_coltypLongText, 0),
        column(JET_coltypShort, key),
    ];
    let temp = temp(&columns, 0);
    assert_eq!(temp.ids, [128, 1, 256, 2], "in the order of the definitions, and ordinary");
    let ses = temp.ses;
    let put = |cur, ids: &[u32], long: Option<i32>, short: i16| {
        JetPrepareUpdate(ses, cur, JET_prepInsert).unwrap();
        let long = long.map(i32::to_le_bytes);
        JetSetColumn(ses, cur, ids[1], long.as_ref().map(|l| &l[..]), 0, None).unwrap();
        JetSetColumn(ses, cur, ids[3], Some(&short.to_le_bytes()), 0, None).unwrap();
        JetUpdate(ses, cur).map(|_| ())
    };
    for (long, short) in [(Some(1), 1), (None, 7), (Some(2), 2), (Some(2), 1)] {
        put(temp.cur, &temp.ids, long, short).unwrap();
    }
    assert_eq!(numbers(ses, temp.cur, temp.ids[1]), [2, 2, 1, i32::MIN], "descending, NULL last");
    // More than sixteen columns: the others are no part of the key.
    let many = vec![column(JET_coltypLong, key); 17];
    let wide = temp.open(&many, 0);
    for last in [1, 2] {
        JetPrepareUpdate(ses, wide.cur, JET_prepInsert).unwrap();
        JetSetColumn(ses, wide.cur, wide.ids[16], Some(&[last, 0, 0, 0]), 0, None).unwrap();
        JetUpdate(ses, wide.cur).unwrap();
    }
    assert_eq!(numbers(ses, wide.cur, wide.ids[16]), [1], "one key");
    // Nothing of it is in the log.
    let tip = || temp.live.log_bytes();
    let before = tip();
    let table = temp.open(&key_and_text(), JET_bitTTForceMaterialization);
    JetBeginTransaction(ses).unwrap();
    for number in 0..1000 {
        insert(ses, table.cur, &table.ids, number, "text").unwrap();
    }
    JetCommitTransaction(ses, 0).unwrap();
    assert_eq!(tip(), before);
    JetBeginTransaction(ses).unwrap();
    insert(ses, table.cur, &table.ids, 5000, "text").unwrap();
    JetRollback(ses, 0).unwrap();
    assert_eq!(table.numbers().len(), 1000, "but transactions of the session count");
    assert_eq!(code(JetDeleteTable(ses, 0, "temporary")), JetErr::CannotDeleteTempTable);
    let other = JetDupSession(ses).unwrap();
    let delete = JetDeleteTable(other, 0, "temporary");
    assert_eq!(code(delete), JetErr::InvalidDatabaseId, "who has none does not know where");
    JetCloseTable(ses, table.cur).unwrap();
    assert_eq!(code(JetMove(ses, table.cur, 0, 0)), JetErr::InvalidTableId);
}

#[test]
fn s15_06_the_first_move_leads_to_the_first_row() {
    let _mode = multi();
    assert_eq!(three(0).to(1), Ok(1));
    assert_eq!(three(0).to(0), Ok(1));
    assert_eq!(three(0).to(2), Ok(2));
    assert_eq!(three(0).to(JET_MoveLast), Ok(3));
    assert_eq!(three(JET_bitTTScrollable).to(-1), Err(JetErr::NoCurrentRecord));
    let temp = three(JET_bitTTUpdatable);
    assert_eq!(temp.to(1), Ok(1), "a table's cursor is before the first row");
    for grbit in [0, JET_bitTTScrollable, JET_bitTTUpdatable] {
        let empty = temp.open(&key_and_text(), grbit);
        let moved = JetMove(temp.ses, empty.cur, 1, 0);
        assert_eq!(code(moved), JetErr::NoCurrentRecord);
    }
}

/// A neighbour is as good as the row while the table is a sort; a tree warns.
#[test]
fn s7_10_a_neighbour_in_a_sort_is_no_warning() {
    let _mode = multi();
    let temp = temp(&key_and_text(), JET_bitTTIndexed);
    for number in [10, 20] {
        temp.insert(number, "text").unwrap();
    }
    assert_eq!(temp.seek(15, JET_bitSeekGE), Ok((JetErr::Success, 20)));
    let tree = JET_bitTTForceMaterialization;
    let (cur, ids) = JetOpenTempTable(temp.ses, &key_and_text(), tree).unwrap();
    insert(temp.ses, cur, &ids, 20, "text").unwrap();
    JetMakeKey(temp.ses, cur, Some(&15_i32.to_le_bytes()), JET_bitNewKey).unwrap();
    assert_eq!(JetSeek(temp.ses, cur, JET_bitSeekGE).unwrap(), JetErr::WrnSeekNotEqual);
}

#[test]
fn s13_12_of_a_temporary_table_little_is_told() {
    let _mode = multi();
    let temp = temp(&key_and_text(), JET_bitTTForceMaterialization);
    let info = |level| code(JetGetTableInfo(temp.ses, temp.cur, level));
    assert_eq!(info(JET_TblInfo), JetErr::ObjectNotFound);
    assert_eq!(info(JET_TblInfoName), JetErr::InvalidOperation);
    assert_eq!(info(JET_TblInfoDbid), JetErr::InvalidOperation);
}

#[test]
fn text_sorts_by_the_locale_and_flags_that_are_asked_for() {
    let _mode = multi();
    let live = Live::new();
    let text = |grbit| JET_COLUMNDEF { cp: 1200, ..column(JET_coltypText, grbit) };
    let columns = [text(JET_bitColumnTTKey)];
    let words = ["zebra", "\u{e4}pple", "Zebra", "apple"];
    let utf16 = |word: &str| word.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let sorted = |cur, id| {
        for word in words {
            JetPrepareUpdate(live.sesid, cur, JET_prepInsert).unwrap();
            JetSetColumn(live.sesid, cur, id, Some(&utf16(word)), 0, None).unwrap();
            JetUpdate(live.sesid, cur).unwrap();
        }
        let mut found = Vec::new();
        while JetMove(live.sesid, cur, JET_MoveNext, 0).is_ok() {
            let word = JetRetrieveColumn(live.sesid, cur, id, 0, None).unwrap().unwrap();
            let at = words.iter().position(|other| utf16(other) == word).unwrap();
            found.push(words[at]);
        }
        found
    };
    const IGNORE_CASE: u32 = 1;
    const SWEDISH: u32 = 0x41d;
    let swedish = JET_UNICODEINDEX { lcid: SWEDISH, dwMapFlags: IGNORE_CASE };
    let (cur, ids) = JetOpenTempTable3(live.sesid, &columns, Some(&swedish), 0).unwrap();
    assert_eq!(sorted(cur, ids[0]), ["apple", "zebra", "\u{e4}pple"], "case does not matter");
    let (cur, ids) = JetOpenTempTable2(live.sesid, &columns, 0x409, 0).unwrap();
    let english = sorted(cur, ids[0]);
    assert_eq!(english[..2], ["apple", "\u{e4}pple"]);
    let mut table = JET_OPENTEMPORARYTABLE2 {
        rgcolumndef: columns.to_vec(),
        pidxunicode: Some(JET_UNICODEINDEX2 {
            szLocaleName: Some("sv-SE".into()),
            dwMapFlags: IGNORE_CASE,
        }),
        ..JET_OPENTEMPORARYTABLE2::default()
    };
    JetOpenTemporaryTable2(live.sesid, &mut table).unwrap();
    assert_eq!(sorted(table.tableid, table.rgcolumnid[0]), ["apple", "zebra", "\u{e4}pple"]);
    let bad = JET_UNICODEINDEX { lcid: 0xffff, dwMapFlags: 0 };
    let opened = JetOpenTempTable3(live.sesid, &columns, Some(&bad), 0);
    assert_eq!(code(opened), JetErr::InvalidLanguageId);
    for (most, segment) in [(100, 0), (255, 300), (5000, 0), (0, 256), (70_000, 0)] {
        let mut table = JET_OPENTEMPORARYTABLE {
            rgcolumndef: columns.to_vec(),
            cbKeyMost: most,
            cbVarSegMac: segment,
            ..JET_OPENTEMPORARYTABLE::default()
        };
        let opened = JetOpenTemporaryTable(live.sesid, &mut table);
        assert_eq!(code(opened), JetErr::InvalidParameter, "{most} {segment}");
    }
    let none = [column(99, 0)];
    assert_eq!(code(JetOpenTempTable(live.sesid, &none, 0)), JetErr::InvalidColumnType);
}

#[test]
fn a_temporary_table_goes_with_the_level_that_opened_it_and_with_its_session() {
    let _mode = multi();
    let live = Live::new();
    let ses = live.sesid;
    JetBeginTransaction(ses).unwrap();
    let (sort, ids) = JetOpenTempTable(ses, &key_and_text(), 0).unwrap();
    insert(ses, sort, &ids, 1, "text").unwrap();
    JetRollback(ses, 0).unwrap();
    assert_eq!(code(JetMove(ses, sort, 1, 0)), JetErr::InvalidTableId);
    let (sort, ids) = JetOpenTempTable(ses, &key_and_text(), 0).unwrap();
    JetBeginTransaction(ses).unwrap();
    insert(ses, sort, &ids, 1, "text").unwrap();
    JetPrepareUpdate(ses, sort, JET_prepInsert).unwrap();
    JetRollback(ses, 0).unwrap();
    JetPrepareUpdate(ses, sort, JET_prepInsert).unwrap();
    assert_eq!(numbers(ses, sort, ids[0]), [1], "a sort knows no transactions");
    let other = JetDupSession(ses).unwrap();
    let moved = JetMove(other, sort, 1, 0);
    assert_eq!(code(moved), JetErr::SesidTableIdMismatch);
    let tree = JET_bitTTForceMaterialization;
    let (theirs, _) = JetOpenTempTable(other, &key_and_text(), tree).unwrap();
    JetEndSession(other, 0).unwrap();
    assert_eq!(code(JetMove(ses, theirs, 1, 0)), JetErr::InvalidTableId);
}

/// The reference pages name flags; the engine's source looks at no other.
#[test]
fn s15_04_flags_that_nobody_knows_are_ignored() {
    let _mode = multi();
    let temp = three(0x200 | 0x1000_0000);
    assert_eq!(temp.to(JET_MoveFirst), Ok(1));
    let both = JET_bitTTForwardOnly | JET_bitTTIndexed;
    let refused = JetOpenTempTable(temp.ses, &key_and_text(), both);
    assert_eq!(code(refused), JetErr::CannotMaterializeForwardOnlySort);
}
