//! Rows, sessions and parameters through the Jet functions.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a failing step fails the test; files are looked at behind the engine's back"
)]

mod jet_setup;

use std::{sync::Arc, thread};

use ese_api::{Env, JetErr, jet::*};
use ese_os::{LockMode, OpenMode};
use jet_setup::{Live, alone, code, multi, set, set_path};

/// A cursor on a table `t` with a long key, a variable text, a list and a long value.
struct Rows {
    live: Live,
    ses: JET_SESID,
    cur: JET_TABLEID,
    id: u32,
    name: u32,
    list: u32,
    long: u32,
}

fn rows(ids: &[i32]) -> Rows {
    let live = Live::new();
    let ses = live.sesid;
    let cur = JetCreateTable(ses, live.dbid, "people", 0, 0).unwrap();
    let column = |name: &str, coltyp, grbit| {
        let def = JET_COLUMNDEF { coltyp, grbit, cbMax: 0, ..JET_COLUMNDEF::default() };
        JetAddColumn(ses, cur, name, &def, &[]).unwrap()
    };
    let id = column("id", JET_coltypLong, JET_bitColumnNotNULL);
    let name = column("name", JET_coltypText, 0);
    let list = column("list", JET_coltypLong, JET_bitColumnTagged | JET_bitColumnMultiValued);
    let long = column("long", JET_coltypLongBinary, 0);
    JetCreateIndex(ses, cur, "pk", JET_bitIndexPrimary, "+id\0\0", 0).unwrap();
    assert_eq!([id, name, list, long], [1, 128, 256, 257]);
    let rows = Rows { live, ses, cur, id, name, list, long };
    for id in ids {
        rows.insert(*id).unwrap();
    }
    // A cursor that was just opened, as the tests expect it.
    JetCloseTable(ses, cur).unwrap();
    let cur = JetOpenTable(ses, rows.live.dbid, "People", 0).unwrap();
    Rows { cur, ..rows }
}

impl Rows {
    fn insert(&self, id: i32) -> ese_api::Result<Vec<u8>> {
        JetPrepareUpdate(self.ses, self.cur, JET_prepInsert)?;
        self.set(self.id, &id.to_le_bytes())?;
        self.set(self.name, format!("row {id}").as_bytes())?;
        JetUpdate(self.ses, self.cur)
    }

    fn set(&self, column: u32, value: &[u8]) -> ese_api::Result<JetErr> {
        JetSetColumn(self.ses, self.cur, column, Some(value), 0, None)
    }

    fn get(&self, column: u32) -> ese_api::Result<Option<Vec<u8>>> {
        JetRetrieveColumn(self.ses, self.cur, column, 0, None)
    }

    fn id(&self) -> ese_api::Result<i32> {
        Ok(i32::from_le_bytes(self.get(self.id)?.unwrap().try_into().unwrap()))
    }

    fn go(&self, by: i32) -> ese_api::Result<()> {
        JetMove(self.ses, self.cur, by, 0)
    }

    fn seek(&self, id: i32, grbit: u32) -> ese_api::Result<JetErr> {
        JetMakeKey(self.ses, self.cur, Some(&id.to_le_bytes()), JET_bitNewKey)?;
        JetSeek(self.ses, self.cur, grbit)
    }
}

#[test]
fn a_new_cursor_stands_on_the_first_row() {
    let _mode = multi();
    let rows = rows(&[10, 20, 30]);
    assert_eq!(rows.id().unwrap(), 10);
    let dup = JetDupCursor(rows.ses, rows.cur, 0).unwrap();
    JetMove(rows.ses, dup, JET_MoveNext, 0).unwrap();
    let id = JetRetrieveColumn(rows.ses, dup, rows.id, 0, None).unwrap().unwrap();
    assert_eq!(id, 20_i32.to_le_bytes(), "the first move goes to the second row");
    JetCloseTable(rows.ses, dup).unwrap();
    assert_eq!(code(JetMove(rows.ses, dup, 1, 0)), JetErr::InvalidTableId);
}

#[test]
fn moves_beyond_an_end_stay_there_and_come_back() {
    let _mode = multi();
    let rows = rows(&[10, 20, 30]);
    let none = JetErr::NoCurrentRecord;
    assert_eq!(code(rows.go(3)), none);
    assert_eq!(code(rows.go(JET_MoveNext)), none);
    assert_eq!(code(rows.id()), none);
    assert_eq!(code(rows.go(0)), none);
    rows.go(JET_MovePrevious).unwrap();
    assert_eq!(rows.id().unwrap(), 30);
    assert_eq!(code(rows.go(-7)), none);
    rows.go(2).unwrap();
    assert_eq!(rows.id().unwrap(), 20);
    rows.go(JET_MoveLast).unwrap();
    assert_eq!(rows.id().unwrap(), 30);
    rows.go(JET_MoveFirst).unwrap();
    assert_eq!((rows.id().unwrap(), rows.go(0).is_ok()), (10, true));
    let empty = self::rows(&[]);
    assert_eq!(code(empty.id()), none);
    assert_eq!(code(empty.go(JET_MoveNext)), none);
    assert_eq!(code(empty.go(JET_MoveFirst)), none);
}

#[test]
fn seeks_find_the_row_or_its_neighbour_and_use_the_key_up() {
    let _mode = multi();
    let rows = rows(&[10, 20, 30]);
    let (success, neighbour) = (JetErr::Success, JetErr::WrnSeekNotEqual);
    for (id, grbit, expected) in [
        (20, JET_bitSeekEQ, Ok((success, 20))),
        (20, JET_bitSeekGE, Ok((success, 20))),
        (20, JET_bitSeekLE, Ok((success, 20))),
        (20, JET_bitSeekGT, Ok((success, 30))),
        (20, JET_bitSeekLT, Ok((success, 10))),
        (15, JET_bitSeekGE, Ok((neighbour, 20))),
        (15, JET_bitSeekLE, Ok((neighbour, 10))),
        (15, JET_bitSeekEQ, Err(JetErr::RecordNotFound)),
        (30, JET_bitSeekGT, Err(JetErr::RecordNotFound)),
        (10, JET_bitSeekLT, Err(JetErr::RecordNotFound)),
        (20, JET_bitSeekEQ | JET_bitCheckUniqueness, Ok((JetErr::WrnUniqueKey, 20))),
    ] {
        let found = rows.seek(id, grbit).map_err(|error| error.code());
        let found = found.map(|warning| (warning, rows.id().unwrap()));
        assert_eq!(found, expected, "{id} {grbit:#x}");
        assert_eq!(code(JetSeek(rows.ses, rows.cur, JET_bitSeekEQ)), JetErr::KeyNotMade);
    }
    // Between rows: no row here, but neighbours.
    rows.seek(15, JET_bitSeekEQ).unwrap_err();
    assert_eq!(code(rows.id()), JetErr::NoCurrentRecord);
    rows.go(JET_MoveNext).unwrap();
    assert_eq!(rows.id().unwrap(), 20);
    rows.seek(15, JET_bitSeekEQ).unwrap_err();
    rows.go(JET_MovePrevious).unwrap();
    assert_eq!(rows.id().unwrap(), 10);
    for wrong in [0, JET_bitSeekEQ | JET_bitSeekGE] {
        let refused = JetSeek(rows.ses, rows.cur, wrong);
        assert_eq!(code(refused), JetErr::InvalidParameter);
    }
}

#[test]
fn keys_are_made_segment_by_segment() {
    let _mode = multi();
    let rows = rows(&[1, 2]);
    let make = |data: Option<&[u8]>, grbit| JetMakeKey(rows.ses, rows.cur, data, grbit);
    assert_eq!(code(make(Some(&[1, 0, 0, 0]), 0)), JetErr::KeyNotMade);
    make(Some(&[2, 0, 0, 0]), JET_bitNewKey).unwrap();
    assert_eq!(code(make(Some(&[2, 0, 0, 0]), 0)), JetErr::KeyIsMade);
    assert_eq!(code(make(Some(&[2, 0]), JET_bitNewKey)), JetErr::InvalidBufferSize);
    let both = JET_bitNewKey | JET_bitFullColumnStartLimit | JET_bitFullColumnEndLimit;
    assert_eq!(code(make(None, both)), JetErr::InvalidGrbit);
    rows.go(JET_MoveLast).unwrap();
    let bookmark = JetGetBookmark(rows.ses, rows.cur).unwrap();
    assert_eq!(JetRetrieveKey(rows.ses, rows.cur, 0).unwrap(), bookmark);
    make(Some(&bookmark), JET_bitNormalizedKey).unwrap();
    assert_eq!(JetRetrieveKey(rows.ses, rows.cur, JET_bitRetrieveCopy).unwrap(), bookmark);
    rows.go(JET_MoveFirst).unwrap();
    assert_eq!(JetSeek(rows.ses, rows.cur, JET_bitSeekEQ).unwrap(), JetErr::Success);
    assert_eq!(rows.id().unwrap(), 2);
    // Behind every row with this key.
    make(Some(&[2, 0, 0, 0]), JET_bitNewKey | JET_bitFullColumnEndLimit).unwrap();
    assert_eq!(code(JetSeek(rows.ses, rows.cur, JET_bitSeekGE)), JetErr::RecordNotFound);
    let none = JetRetrieveKey(rows.ses, rows.cur, JET_bitRetrieveCopy);
    assert_eq!(code(none), JetErr::KeyNotMade);
    assert_eq!(code(JetGotoBookmark(rows.ses, rows.cur, &[])), JetErr::InvalidBookmark);
    JetGotoBookmark(rows.ses, rows.cur, &bookmark).unwrap();
    assert_eq!(rows.id().unwrap(), 2);
}

#[test]
fn updates_are_prepared_changed_and_written() {
    let _mode = multi();
    let rows = rows(&[1]);
    let (ses, cur) = (rows.ses, rows.cur);
    assert_eq!(code(JetUpdate(ses, cur)), JetErr::UpdateNotPrepared);
    assert_eq!(code(rows.set(rows.name, b"x")), JetErr::UpdateNotPrepared);
    assert_eq!(code(JetPrepareUpdate(ses, cur, JET_prepCancel)), JetErr::UpdateNotPrepared);
    assert_eq!(code(JetPrepareUpdate(ses, cur, 99)), JetErr::InvalidParameter);

    // An insert with a mistake stays prepared; the current row is still read without the copy flag.
    JetPrepareUpdate(ses, cur, JET_prepInsert).unwrap();
    assert_eq!(code(JetPrepareUpdate(ses, cur, JET_prepInsert)), JetErr::AlreadyPrepared);
    assert_eq!(code(JetUpdate(ses, cur)), JetErr::ColumnIllegalNull);
    rows.set(rows.id, &1_i32.to_le_bytes()).unwrap();
    assert_eq!(code(JetUpdate(ses, cur)), JetErr::KeyDuplicate);
    rows.set(rows.id, &2_i32.to_le_bytes()).unwrap();
    assert_eq!(rows.id().unwrap(), 1);
    let copy = JetRetrieveColumn(ses, cur, rows.id, JET_bitRetrieveCopy, None).unwrap();
    assert_eq!(copy.unwrap(), 2_i32.to_le_bytes());
    let bookmark = JetUpdate(ses, cur).unwrap();
    assert_eq!(rows.id().unwrap(), 1, "the new row does not become the current one");
    JetGotoBookmark(ses, cur, &bookmark).unwrap();
    assert_eq!(rows.id().unwrap(), 2);

    JetPrepareUpdate(ses, cur, JET_prepReplace).unwrap();
    rows.set(rows.id, &3_i32.to_le_bytes()).unwrap();
    assert_eq!(code(JetUpdate(ses, cur)), JetErr::RecordPrimaryChanged);
    rows.set(rows.id, &2_i32.to_le_bytes()).unwrap();
    assert_eq!(rows.set(rows.name, &[b'n'; 300]).unwrap(), JetErr::WrnColumnMaxTruncated);
    assert_eq!(JetUpdate(ses, cur).unwrap(), bookmark);
    assert_eq!(rows.get(rows.name).unwrap().unwrap().len(), 255);

    JetPrepareUpdate(ses, cur, JET_prepInsertCopy).unwrap();
    rows.set(rows.id, &4_i32.to_le_bytes()).unwrap();
    JetSetColumn(ses, cur, rows.name, None, 0, None).unwrap();
    JetUpdate(ses, cur).unwrap();
    rows.seek(4, JET_bitSeekEQ).unwrap();
    assert_eq!(rows.get(rows.name).unwrap(), None);

    JetPrepareUpdate(ses, cur, JET_prepReplace).unwrap();
    rows.go(JET_MoveFirst).unwrap();
    assert_eq!(code(JetUpdate(ses, cur)), JetErr::UpdateNotPrepared, "a move cancels");
}

#[test]
fn a_deleted_row_keeps_its_place() {
    let _mode = multi();
    let rows = rows(&[1, 2, 3]);
    rows.seek(2, JET_bitSeekEQ).unwrap();
    let bookmark = JetGetBookmark(rows.ses, rows.cur).unwrap();
    JetDelete(rows.ses, rows.cur).unwrap();
    let gone = JetErr::RecordDeleted;
    assert_eq!(code(rows.id()), gone);
    assert_eq!(code(rows.go(0)), gone);
    assert_eq!(code(JetDelete(rows.ses, rows.cur)), gone);
    assert_eq!(code(JetGotoBookmark(rows.ses, rows.cur, &bookmark)), gone);
    rows.go(JET_MovePrevious).unwrap();
    assert_eq!(rows.id().unwrap(), 1);
    rows.go(JET_MoveNext).unwrap();
    assert_eq!(rows.id().unwrap(), 3);
    assert_eq!(code(JetDelete(rows.ses, JET_TABLEID(5))), JetErr::InvalidTableId);
}

#[test]
fn lists_and_long_values_are_written_in_parts() {
    let _mode = multi();
    let rows = rows(&[1]);
    let (ses, cur) = (rows.ses, rows.cur);
    JetPrepareUpdate(ses, cur, JET_prepReplace).unwrap();
    assert_eq!(code(rows.set(rows.long, b"x")), JetErr::NotInTransaction);
    JetPrepareUpdate(ses, cur, JET_prepCancel).unwrap();

    JetBeginTransaction(ses).unwrap();
    JetPrepareUpdate(ses, cur, JET_prepReplace).unwrap();
    for value in [5_i32, 6, 7] {
        let append = JET_SETINFO { itagSequence: 0, ..JET_SETINFO::default() };
        let bytes = value.to_le_bytes();
        JetSetColumn(ses, cur, rows.list, Some(&bytes), 0, Some(&append)).unwrap();
    }
    let second = JET_SETINFO { itagSequence: 2, ..JET_SETINFO::default() };
    JetSetColumn(ses, cur, rows.list, None, 0, Some(&second)).unwrap();
    let long = |data: &[u8], grbit, at| {
        let info = JET_SETINFO { ibLongValue: at, ..JET_SETINFO::default() };
        JetSetColumn(ses, cur, rows.long, Some(data), grbit, Some(&info))
    };
    long(b"hello", 0, 0).unwrap();
    long(b" world", JET_bitSetAppendLV, 0).unwrap();
    long(b"J", JET_bitSetOverwriteLV, 0).unwrap();
    assert_eq!(code(long(b"x", JET_bitSetOverwriteLV, 99)), JetErr::ColumnNoChunk);
    JetUpdate(ses, cur).unwrap();
    JetCommitTransaction(ses, 0).unwrap();

    assert_eq!(rows.get(rows.long).unwrap().unwrap(), b"Jello world");
    let mut part = JET_RETINFO { ibLongValue: 6, ..JET_RETINFO::default() };
    let world = JetRetrieveColumn(ses, cur, rows.long, 0, Some(&mut part)).unwrap().unwrap();
    assert_eq!(world, b"world");
    let mut behind = JET_RETINFO { ibLongValue: 600, ..JET_RETINFO::default() };
    let nothing = JetRetrieveColumn(ses, cur, rows.long, 0, Some(&mut behind)).unwrap();
    assert_eq!(nothing, Some(Vec::new()));
    let mut columns = [
        JET_RETRIEVECOLUMN { itagSequence: 0, ..JET_RETRIEVECOLUMN::new(rows.list) },
        JET_RETRIEVECOLUMN { itagSequence: 2, ..JET_RETRIEVECOLUMN::new(rows.list) },
        JET_RETRIEVECOLUMN { itagSequence: 3, ..JET_RETRIEVECOLUMN::new(rows.list) },
    ];
    JetRetrieveColumns(ses, cur, &mut columns).unwrap();
    assert_eq!(columns[0].itagSequence, 2, "so many values are left");
    assert_eq!(columns[1].data.as_deref(), Some(&7_i32.to_le_bytes()[..]));
    assert_eq!((columns[2].err, &columns[2].data), (JetErr::WrnColumnNull, &None));
    assert_eq!(code(rows.get(0x1_0000)), JetErr::BadColumnId);
    assert_eq!(code(rows.get(99)), JetErr::ColumnNotFound);
    let mut zero = JET_RETINFO { itagSequence: 0, ..JET_RETINFO::default() };
    let bad = JetRetrieveColumn(ses, cur, rows.id, 0, Some(&mut zero));
    assert_eq!(code(bad), JetErr::BadItagSequence);

    JetBeginTransaction(ses).unwrap();
    JetPrepareUpdate(ses, cur, JET_prepReplace).unwrap();
    let mut columns = [
        JET_SETCOLUMN {
            columnid: rows.name,
            data: Some(b"set"),
            grbit: 0,
            ibLongValue: 0,
            itagSequence: 1,
            err: JetErr::Success,
        },
        JET_SETCOLUMN {
            columnid: 99,
            data: None,
            grbit: 0,
            ibLongValue: 0,
            itagSequence: 1,
            err: JetErr::Success,
        },
    ];
    let failed = JetSetColumns(ses, cur, &mut columns);
    assert_eq!((code(failed), columns[1].err), (JetErr::ColumnNotFound, JetErr::ColumnNotFound));
    JetUpdate(ses, cur).unwrap();
    JetCommitTransaction(ses, 0).unwrap();
    assert_eq!(rows.get(rows.name).unwrap().unwrap(), b"set", "those before stay written");
}

#[test]
fn transactions_nest_roll_back_and_conflict() {
    let _mode = multi();
    let rows = rows(&[1]);
    let ses = rows.ses;
    assert_eq!(code(JetCommitTransaction(ses, 0)), JetErr::NotInTransaction);
    assert_eq!(code(JetRollback(ses, 0)), JetErr::NotInTransaction);
    JetBeginTransaction(ses).unwrap();
    rows.insert(2).unwrap();
    JetBeginTransaction(ses).unwrap();
    rows.insert(3).unwrap();
    let inner = JetOpenTable(ses, rows.live.dbid, "people", 0).unwrap();
    JetPrepareUpdate(ses, rows.cur, JET_prepInsert).unwrap();
    JetRollback(ses, 0).unwrap();
    assert_eq!(code(JetMove(ses, inner, 0, 0)), JetErr::InvalidTableId, "opened in the level");
    assert_eq!(code(JetUpdate(ses, rows.cur)), JetErr::UpdateNotPrepared, "prepared in it");
    JetCommitTransaction(ses, JET_bitCommitLazyFlush).unwrap();
    JetCommitTransaction(ses, JET_bitWaitLastLevel0Commit).unwrap();
    assert!(rows.seek(2, JET_bitSeekEQ).is_ok() && rows.seek(3, JET_bitSeekEQ).is_err());
    for _ in 0..7 {
        JetBeginTransaction(ses).unwrap();
    }
    assert_eq!(code(JetBeginTransaction(ses)), JetErr::TransTooDeep);
    JetRollback(ses, JET_bitRollbackAll).unwrap();
    assert_eq!(code(JetRollback(ses, 0)), JetErr::NotInTransaction);

    // The first writer wins.
    let other = JetDupSession(ses).unwrap();
    let dbid = JetOpenDatabase(other, rows.live.path().to_str().unwrap(), 0).unwrap().1;
    let theirs = JetOpenTable(other, dbid, "people", 0).unwrap();
    assert_eq!(code(JetMove(ses, theirs, 1, 0)), JetErr::SesidTableIdMismatch);
    JetBeginTransaction(ses).unwrap();
    JetBeginTransaction(other).unwrap();
    rows.go(JET_MoveFirst).unwrap();
    JetDelete(ses, rows.cur).unwrap();
    assert_eq!(code(JetDelete(other, theirs)), JetErr::WriteConflict);
    JetCommitTransaction(ses, 0).unwrap();
    JetMove(other, theirs, 0, 0).unwrap();
    JetEndSession(other, 0).unwrap();
    assert_eq!(code(JetMove(other, theirs, 0, 0)), JetErr::InvalidSesid);

    // Outside a transaction a change in between is noticed, too.
    rows.go(JET_MoveFirst).unwrap();
    let second = JetDupSession(ses).unwrap();
    let dbid = JetOpenDatabase(second, rows.live.path().to_str().unwrap(), 0).unwrap().1;
    let theirs = JetOpenTable(second, dbid, "people", 0).unwrap();
    let dup = JetDupCursor(ses, rows.cur, 0).unwrap();
    JetPrepareUpdate(ses, rows.cur, JET_prepReplace).unwrap();
    assert_eq!(code(JetPrepareUpdate(ses, dup, JET_prepReplace)), JetErr::SessionWriteConflict);
    JetPrepareUpdate(second, theirs, JET_prepReplace).unwrap();
    for (session, cursor, text) in [(ses, rows.cur, b"a"), (second, theirs, b"b")] {
        JetSetColumn(session, cursor, rows.name, Some(text), 0, None).unwrap();
    }
    JetUpdate(second, theirs).unwrap();
    assert_eq!(code(JetUpdate(ses, rows.cur)), JetErr::WriteConflict);
    JetEndSession(second, 0).unwrap();
    JetBeginTransaction2(ses, JET_bitTransactionReadOnly).unwrap();
    let refused = JetPrepareUpdate(ses, dup, JET_prepInsert);
    assert_eq!(code(refused), JetErr::TransReadOnly);
    JetCommitTransaction(ses, 0).unwrap();
    let reading = JetOpenTable(ses, rows.live.dbid, "people", JET_bitTableReadOnly).unwrap();
    let refused = JetPrepareUpdate(ses, reading, JET_prepInsert);
    assert_eq!(code(refused), JetErr::PermissionDenied);
}

#[test]
fn a_transaction_belongs_to_the_thread_that_began_it() {
    let _mode = multi();
    let rows = rows(&[1]);
    let (ses, cur) = (rows.ses, rows.cur);
    JetBeginTransaction(ses).unwrap();
    let there = thread::scope(|scope| scope.spawn(|| JetMove(ses, cur, 0, 0)).join().unwrap());
    assert_eq!(code(there), JetErr::SessionSharingViolation);
    let there = thread::scope(|scope| scope.spawn(|| JetRollback(ses, 0)).join().unwrap());
    assert_eq!(code(there), JetErr::SessionSharingViolation);
    JetRollback(ses, 0).unwrap();
    thread::scope(|scope| scope.spawn(|| JetMove(ses, cur, 0, 0)).join().unwrap()).unwrap();
}

#[test]
fn tables_that_are_being_defined() {
    let _mode = multi();
    let live = Live::new();
    let (ses, dbid) = (live.sesid, live.dbid);
    let taken = JetCreateTable(ses, dbid, "T", 0, 0);
    assert_eq!(code(taken), JetErr::TableDuplicate);
    assert_eq!(code(JetCreateTable(ses, dbid, "a.b", 0, 0)), JetErr::InvalidName);
    assert_eq!(code(JetCreateTable(ses, 9, "x", 0, 0)), JetErr::InvalidDatabaseId);
    // There is no room for it: this call fails, not the commit of what others of the session do.
    let huge = code(JetCreateTable(ses, dbid, "huge", u32::MAX, 0));
    assert_eq!(huge, JetErr::OutOfDatabaseSpace);
    let cur = JetCreateTable(ses, dbid, "x", 0, 0).unwrap();
    let long = JET_COLUMNDEF { coltyp: JET_coltypLong, ..JET_COLUMNDEF::default() };
    JetAddColumn(ses, cur, "a", &long, &42_i32.to_le_bytes()).unwrap();
    let twice = JetAddColumn(ses, cur, "A", &long, &[]);
    assert_eq!(code(twice), JetErr::ColumnDuplicate);
    let nothing = JetAddColumn(ses, cur, "b", &JET_COLUMNDEF::default(), &[]);
    assert_eq!(code(nothing), JetErr::InvalidColumnType);
    JetCreateIndex(ses, cur, "i", 0, "+a\0\0", 0).unwrap();
    let malformed = JetCreateIndex(ses, cur, "j", JET_bitIndexPrimary, "+a\0", 0);
    assert_eq!(code(malformed), JetErr::IndexInvalidDef);
    JetCloseTable(ses, cur).unwrap();
    let cur = JetOpenTable(ses, dbid, "x", 0).unwrap();
    let late = JetAddColumn(ses, cur, "c", &long, &[]);
    assert_eq!(late.unwrap(), 2, "a table that exists can be changed");
    let columns = JetGetTableColumnInfo(ses, cur, None).unwrap();
    assert_eq!((columns.len(), columns[0].szColumnName.as_str()), (2, "a"));
    JetPrepareUpdate(ses, cur, JET_prepInsert).unwrap();
    JetUpdate(ses, cur).unwrap();
    let first = columns[0].def.columnid;
    let default = JetRetrieveColumn(ses, cur, first, 0, None).unwrap().unwrap();
    assert_eq!(default, 42_i32.to_le_bytes());

    // One that is rolled back never was; one that is committed is there without another call.
    JetBeginTransaction(ses).unwrap();
    JetCreateTable(ses, dbid, "gone", 0, 0).unwrap();
    JetRollback(ses, 0).unwrap();
    let gone = JetOpenTable(ses, dbid, "gone", 0);
    assert_eq!(code(gone), JetErr::ObjectNotFound);
    JetBeginTransaction(ses).unwrap();
    JetCreateTable(ses, dbid, "kept", 0, 0).unwrap();
    JetCommitTransaction(ses, 0).unwrap();
    JetOpenTable(ses, dbid, "kept", 0).unwrap();
}

#[test]
fn databases_are_attached_opened_and_detached() {
    let _mode = multi();
    let live = Live::new();
    let ses = live.sesid;
    let (own, path) = (live.path(), live.dir.path().join("b.edb"));
    let (own, path) = (own.to_str().unwrap(), path.to_str().unwrap());
    assert_eq!(code(JetOpenDatabase(ses, path, 0)), JetErr::DatabaseNotFound);
    assert_eq!(code(JetAttachDatabase(ses, path, 0)), JetErr::FileNotFound);
    assert_eq!(code(JetCreateDatabase(ses, own, 0)), JetErr::DatabaseDuplicate);
    assert_eq!(JetAttachDatabase(ses, own, 0).unwrap(), JetErr::WrnDatabaseAttached);
    let dbid = JetCreateDatabase(ses, path, 0).unwrap();
    assert_eq!(code(JetDetachDatabase(ses, path)), JetErr::DatabaseInUse);
    JetCloseDatabase(ses, dbid, 0).unwrap();
    assert_eq!(code(JetCloseDatabase(ses, dbid, 0)), JetErr::InvalidDatabaseId);
    JetBeginTransaction(ses).unwrap();
    assert_eq!(code(JetDetachDatabase(ses, path)), JetErr::InTransaction);
    JetRollback(ses, 0).unwrap();
    let elsewhere = Live::new();
    let shared = JetAttachDatabase(elsewhere.sesid, path, 0);
    assert_eq!(code(shared), JetErr::DatabaseSharingViolation);
    JetDetachDatabase(ses, path).unwrap();
    assert_eq!(JetAttachDatabase(elsewhere.sesid, path, 0).unwrap(), JetErr::Success);
    JetDetachDatabase(elsewhere.sesid, path).unwrap();
    assert_eq!(code(JetDetachDatabase(ses, path)), JetErr::DatabaseNotFound);
    JetCreateDatabase(ses, path, JET_bitDbOverwriteExisting).unwrap();
    let pages = JetGetDatabaseFileInfo(path, JET_DbInfoPageSize).unwrap();
    assert!(matches!(pages, JET_DBINFO::Number(4096)));
    let used = JetGetDatabaseFileInfo(path, JET_DbInfoDBInUse).unwrap();
    assert!(matches!(used, JET_DBINFO::Flag(true)));
    assert_eq!(code(JetGetDatabaseFileInfo(path, 99)), JetErr::InvalidParameter);
    let deepest = JetGetDatabaseInfo(ses, live.dbid, JET_DbInfoTransactions).unwrap();
    assert!(matches!(deepest, JET_DBINFO::Number(7)));
}

#[test]
fn a_file_is_replaced_only_if_the_new_database_can_be() {
    let _mode = multi();
    let live = Live::new();
    let (ses, over) = (live.sesid, JET_bitDbOverwriteExisting);
    let path = |name: &str| live.dir.path().join(name).to_str().unwrap().to_owned();
    let old = path("old.edb");
    JetCreateDatabase(ses, &old, 0).unwrap();
    assert_eq!(code(JetCreateDatabase(ses, &old, over)), JetErr::DatabaseInUse);
    let again = Live::new();
    assert_eq!(code(JetCreateDatabase(again.sesid, &old, over)), JetErr::DatabaseSharingViolation);
    std::fs::write(path("other.edb"), "somebody's").unwrap();
    // Another process has it: this one knows by the lock alone.
    let other = Env::real().fs.open(path("other.edb").as_ref(), OpenMode::ReadWrite).unwrap();
    other.lock(LockMode::Exclusive).unwrap();
    assert_eq!(code(JetCreateDatabase(ses, &path("other.edb"), over)), JetErr::FileAccessDenied);
    drop(other);
    let more: Vec<JET_DBID> = (3..=6)
        .map(|number| JetCreateDatabase(ses, &path(&format!("{number}.edb")), over).unwrap())
        .collect();
    let full = JetCreateDatabase(ses, &path("other.edb"), over);
    assert_eq!(code(full), JetErr::TooManyAttachedDatabases);
    assert_eq!(std::fs::read(path("other.edb")).unwrap(), b"somebody's");
    JetCloseDatabase(ses, more[0], 0).unwrap();
    JetDetachDatabase(ses, &path("3.edb")).unwrap();
    JetCreateDatabase(ses, &path("other.edb"), over).unwrap();
}

#[test]
fn parameters_are_checked_kept_and_given_back() {
    let _mode = multi();
    let inst = JetCreateInstance("parameters").unwrap();
    let put = |id, value, text| JetSetSystemParameter(Some(inst), JET_SESID::NIL, id, value, text);
    let get = |id| JetGetSystemParameter(Some(inst), JET_SESID::NIL, id).unwrap();
    assert_eq!(code(put(JET_paramBaseName, 0, Some("four"))), JetErr::InvalidParameter);
    put(JET_paramBaseName, 0, Some("abc")).unwrap();
    assert_eq!(get(JET_paramBaseName), JET_PARAM::Text("abc".into()));
    assert_eq!(code(put(JET_paramLogFileSize, 1, None)), JetErr::InvalidParameter);
    put(JET_paramLogFileSize, 128, None).unwrap();
    assert_eq!(get(JET_paramLogFileSize), JET_PARAM::Int(128));
    assert_eq!(code(put(9999, 1, None)), JetErr::InvalidParameter);
    assert_eq!(code(put(JET_paramDatabasePageSize, 8192, None)), JetErr::AlreadyInitialized);
    put(JET_paramDatabasePageSize, 4096, None).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("sub");
    set_path(inst, JET_paramSystemPath, &missing);
    set_path(inst, JET_paramLogFilePath, &missing);
    let stored = format!("{}/", missing.display());
    assert_eq!(get(JET_paramSystemPath), JET_PARAM::Text(stored));
    set(inst, JET_paramCreatePathIfNotExist, 1);
    let mut handle = inst;
    JetInit(Some(&mut handle)).unwrap();
    assert!(missing.join("abc.log").exists() && missing.join("abc.chk").exists());
    assert_eq!(code(put(JET_paramLogFileSize, 256, None)), JetErr::AlreadyInitialized);
    put(JET_paramLogFileSize, 128, None).unwrap();
    assert_eq!(code(JetInit(Some(&mut handle))), JetErr::AlreadyInitialized);
    assert!(error_to_string(-801).unwrap().starts_with("JET_errBackupAbortByServer, "));
    let sesid = JetBeginSession(inst).unwrap();
    assert!(JetGetVersion(sesid).unwrap() >> 8 & 0xffff >= 9900);
    let most = JetGetSystemParameter(None, sesid, JET_paramMaxSessions).unwrap();
    assert_eq!(most, JET_PARAM::Int(16));
    for _ in 1..16 {
        JetBeginSession(inst).unwrap();
    }
    assert_eq!(code(JetBeginSession(inst)), JetErr::OutOfSessions);
    JetTerm(inst).unwrap();
    assert_eq!(code(JetGetVersion(sesid)), JetErr::InvalidSesid);
}

#[test]
fn instances_are_made_fail_and_go() {
    let _alone = alone();
    let inst = JetCreateInstance("same").unwrap();
    assert_eq!(code(JetCreateInstance("same")), JetErr::InstanceNameInUse);
    assert_eq!(code(JetCreateInstance2("b", "", 1)), JetErr::InvalidGrbit);
    assert_eq!(code(JetInit(None)), JetErr::RunningInMultiInstanceMode);
    assert_eq!(code(JetTerm2(inst, 0x100)), JetErr::InvalidGrbit);
    let dir = tempfile::tempdir().unwrap();
    set_path(inst, JET_paramLogFilePath, &dir.path().join("missing"));
    set_path(inst, JET_paramSystemPath, &dir.path().join("missing"));
    let mut handle = inst;
    assert_eq!(code(JetInit(Some(&mut handle))), JetErr::InvalidPath);
    assert_eq!(code(JetTerm(inst)), JetErr::InvalidInstance, "a failed JetInit frees it");
    assert_eq!(code(JetBeginSession(inst)), JetErr::InvalidInstance);

    // The page size is the process's, and free again when no instance is left.
    let page_size = |bytes| {
        let id = JET_paramDatabasePageSize;
        JetSetSystemParameter(None, JET_SESID::NIL, id, bytes, None)
    };
    assert_eq!(code(page_size(5000)), JetErr::InvalidParameter);
    page_size(8192).unwrap();
    let live = Live::new();
    assert_eq!(code(page_size(4096)), JetErr::AlreadyInitialized);
    assert_eq!(live.header().page_size().unwrap().bytes(), 8192);
    live.load(0..10);
    let dir = Arc::clone(&live.dir);
    live.term(JET_bitTermComplete).unwrap();
    page_size(4096).unwrap();
    let other = JetCreateInstance("other page size").unwrap();
    set_path(other, JET_paramSystemPath, dir.path());
    set_path(other, JET_paramLogFilePath, dir.path());
    let mut handle = other;
    assert_eq!(code(JetInit(Some(&mut handle))), JetErr::PageSizeMismatch);
}

#[test]
fn a_complete_termination_waits_for_no_transaction() {
    let _mode = multi();
    let live = Live::new();
    JetBeginTransaction(live.sesid).unwrap();
    assert_eq!(code(JetTerm2(live.inst, JET_bitTermComplete)), JetErr::TooManyActiveUsers);
    live.rows();
    JetRollback(live.sesid, 0).unwrap();
    let (inst, ses) = (live.inst, live.sesid);
    live.term(JET_bitTermComplete).unwrap();
    assert_eq!(code(JetBeginTransaction(ses)), JetErr::InvalidSesid);
    assert_eq!(code(JetBeginSession(inst)), JetErr::InvalidInstance);
}
