//! Section 11: columns that the engine counts in.

use std::{sync::Arc, thread, time::Duration};

use crate::pets::*;

/// A table with a row, and a cursor on it: `id`, `count` (escrow, default 10), `plain`, `text`.
struct Counter {
    live: Live,
    cur: JET_TABLEID,
    ids: Vec<u32>,
}

fn column(name: &str, coltyp: u32, grbit: u32, default: &[u8]) -> JET_COLUMNCREATE {
    JET_COLUMNCREATE {
        szColumnName: name.into(),
        coltyp,
        grbit,
        pvDefault: default.into(),
        ..JET_COLUMNCREATE::default()
    }
}

fn counter() -> Counter {
    let live = Live::new();
    let mut table = JET_TABLECREATE {
        szTableName: "counts".into(),
        rgcolumncreate: vec![
            column("id", JET_coltypLong, 0, &[]),
            column("count", JET_coltypLong, JET_bitColumnEscrowUpdate, &10_i32.to_le_bytes()),
            column("plain", JET_coltypLong, 0, &[]),
            column("text", JET_coltypText, 0, &[]),
        ],
        ..JET_TABLECREATE::default()
    };
    JetCreateTableColumnIndex(live.sesid, live.dbid, &mut table).unwrap();
    JetCloseTable(live.sesid, table.tableid).unwrap();
    let cur = JetOpenTable(live.sesid, live.dbid, "counts", 0).unwrap();
    let ids = table.rgcolumncreate.iter().map(|column| column.columnid).collect();
    let counter = Counter { live, cur, ids };
    JetPrepareUpdate(counter.live.sesid, cur, JET_prepInsert).unwrap();
    JetUpdate(counter.live.sesid, cur).unwrap();
    counter
}

impl Counter {
    fn add(&self, delta: i32) -> Result<i32> {
        add(self.live.sesid, self.cur, self.ids[1], delta, 0)
    }

    fn count(&self) -> i32 {
        id_at(self.live.sesid, self.cur, self.ids[1]).unwrap()
    }

    fn other(&self) -> (JET_SESID, JET_TABLEID) {
        let ses = JetDupSession(self.live.sesid).unwrap();
        let dbid = JetOpenDatabase(ses, self.live.path().to_str().unwrap(), 0).unwrap().1;
        (ses, JetOpenTable(ses, dbid, "counts", 0).unwrap())
    }
}

fn add(ses: JET_SESID, cur: JET_TABLEID, column: u32, delta: i32, grbit: u32) -> Result<i32> {
    let mut old = [0; 4];
    let len = JetEscrowUpdate(ses, cur, column, &delta.to_le_bytes(), &mut old, grbit)?;
    assert_eq!(len, 4);
    Ok(i32::from_le_bytes(old))
}

#[test]
fn s11_03_sessions_add_to_an_escrow_column_at_once() {
    let _mode = multi();
    let counter = counter();
    let (other, theirs) = counter.other();
    let ses = counter.live.sesid;
    JetBeginTransaction(ses).unwrap();
    JetBeginTransaction(other).unwrap();
    let their_add = |delta, grbit| add(other, theirs, counter.ids[1], delta, grbit);
    assert_eq!(counter.add(5).unwrap(), 10, "the number from before");
    assert_eq!(their_add(100, 0).unwrap(), 10, "as this session sees it");
    assert_eq!(counter.add(-1).unwrap(), 15);
    assert_eq!((counter.count(), id_at(other, theirs, counter.ids[1]).unwrap()), (14, 110));
    // Other changes of the row conflict.
    let replace = JetPrepareUpdate(other, theirs, JET_prepReplace);
    assert_eq!(code(replace), JetErr::WriteConflict);
    assert_eq!(code(JetDelete(other, theirs)), JetErr::WriteConflict);
    assert_eq!(code(JetGetLock(other, theirs, JET_bitWriteLock)), JetErr::WriteConflict);
    assert_eq!(their_add(1_000, JET_bitEscrowNoRollback).unwrap(), 110);
    JetRollback(other, 0).unwrap();
    assert_eq!(counter.count(), 1_014, "one was for good");
    JetCommitTransaction(ses, 0).unwrap();
    assert_eq!(id_at(other, theirs, counter.ids[1]).unwrap(), 1_014);
}

#[test]
fn s11_03_an_addition_is_checked_in_this_order() {
    let _mode = multi();
    let counter = counter();
    let (ses, cur) = (counter.live.sesid, counter.cur);
    assert_eq!(code(counter.add(1)), JetErr::NotInTransaction);
    JetBeginTransaction(ses).unwrap();
    let update = |column: usize, delta: &[u8], old: &mut [u8]| {
        JetEscrowUpdate(ses, cur, counter.ids[column], delta, old, 0)
    };
    let unknown = JetEscrowUpdate(ses, cur, 99, &[0; 4], &mut [], 0);
    assert_eq!(code(unknown), JetErr::ColumnNotFound);
    JetPrepareUpdate(ses, cur, JET_prepReplace).unwrap();
    assert_eq!(code(update(1, &[0; 3], &mut [])), JetErr::AlreadyPrepared);
    let second = JetDupCursor(ses, cur, 0).unwrap();
    let rival = JetEscrowUpdate(ses, second, counter.ids[1], &[0; 4], &mut [], 0);
    assert_eq!(code(rival), JetErr::SessionWriteConflict);
    JetPrepareUpdate(ses, cur, JET_prepCancel).unwrap();
    assert_eq!(code(update(1, &[0; 8], &mut [])), JetErr::InvalidBufferSize);
    assert_eq!(code(update(1, &[0; 4], &mut [0; 3])), JetErr::InvalidBufferSize);
    assert_eq!(code(update(2, &[0; 4], &mut [])), JetErr::InvalidOperation, "no escrow column");
    assert_eq!(update(1, &[1, 0, 0, 0], &mut []).unwrap(), 4, "the old number is not asked for");
    assert_eq!(counter.count(), 11);
    let reader = JetOpenTable(ses, counter.live.dbid, "counts", JET_bitTableReadOnly).unwrap();
    let refused = JetEscrowUpdate(ses, reader, counter.ids[1], &[0; 4], &mut [], 0);
    assert_eq!(code(refused), JetErr::PermissionDenied);
    JetRollback(ses, 0).unwrap();
    JetBeginTransaction2(ses, JET_bitTransactionReadOnly).unwrap();
    assert_eq!(code(counter.add(1)), JetErr::TransReadOnly);
    JetRollback(ses, 0).unwrap();
    JetMove(ses, cur, 1, 0).unwrap_err();
    JetBeginTransaction(ses).unwrap();
    assert_eq!(code(counter.add(1)), JetErr::NoCurrentRecord);
    JetRollback(ses, 0).unwrap();
}

/// The engine's source asks for a Long with a default in an exclusive, empty table, and gives
/// JET_errInvalidGrbit for another type.
#[test]
fn s11_03_an_escrow_column_is_a_long_with_a_default_made_before_all_rows() {
    let _mode = multi();
    let counter = counter();
    let (ses, dbid) = (counter.live.sesid, counter.live.dbid);
    let escrow = JET_bitColumnEscrowUpdate;
    let one = 1_i32.to_le_bytes();
    for (coltyp, grbit, default, expected) in [
        (JET_coltypShort, escrow, &[1, 0][..], JetErr::InvalidGrbit),
        (JET_coltypLong, escrow, &[][..], JetErr::InvalidGrbit),
        (JET_coltypLong, escrow | JET_bitColumnTagged, &one[..], JetErr::CannotBeTagged),
    ] {
        let mut table = JET_TABLECREATE {
            szTableName: "refused".into(),
            rgcolumncreate: vec![column("n", coltyp, grbit, default)],
            ..JET_TABLECREATE::default()
        };
        assert_eq!(code(JetCreateTableColumnIndex(ses, dbid, &mut table)), expected);
    }
    let def = JET_COLUMNDEF { coltyp: JET_coltypLong, grbit: escrow, ..JET_COLUMNDEF::default() };
    let late = JetAddColumn(ses, counter.cur, "late", &def, &one);
    assert_eq!(code(late), JetErr::ExclusiveTableLockRequired);
    JetCloseTable(ses, counter.cur).unwrap();
    let cur = JetOpenTable(ses, dbid, "counts", JET_bitTableDenyRead).unwrap();
    assert_eq!(code(JetAddColumn(ses, cur, "late", &def, &one)), JetErr::TableNotEmpty);
    assert_eq!(grbit_of(ses, cur, "count"), JET_bitColumnFixed | escrow | JET_bitColumnUpdatable);
    let indexed = JetCreateIndex(ses, cur, "i", 0, "+count\0\0", 0);
    assert_eq!(code(indexed), JetErr::CannotIndex);
}

fn grbit_of(ses: JET_SESID, cur: JET_TABLEID, name: &str) -> u32 {
    JetGetTableColumnInfo(ses, cur, Some(name)).unwrap()[0].def.grbit
}

/// A table with an id and the columns given, and a cursor on it.
fn table_of(live: &Live, columns: Vec<JET_COLUMNCREATE>) -> Result<(JET_TABLEID, Vec<u32>)> {
    let mut table = JET_TABLECREATE {
        szTableName: "numbers".into(),
        rgcolumncreate: [vec![column("id", JET_coltypLong, 0, &[])], columns].concat(),
        ..JET_TABLECREATE::default()
    };
    JetCreateTableColumnIndex(live.sesid, live.dbid, &mut table)?;
    JetCloseTable(live.sesid, table.tableid)?;
    let cur = JetOpenTable(live.sesid, live.dbid, "numbers", 0)?;
    Ok((cur, table.rgcolumncreate.iter().map(|column| column.columnid).collect()))
}

fn number(live: &Live, cur: JET_TABLEID, column: u32, grbit: u32) -> u64 {
    let bytes = JetRetrieveColumn(live.sesid, cur, column, grbit, None).unwrap().unwrap();
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn insert(live: &Live, cur: JET_TABLEID) {
    JetPrepareUpdate(live.sesid, cur, JET_prepInsert).unwrap();
    let bookmark = JetUpdate(live.sesid, cur).unwrap();
    JetGotoBookmark(live.sesid, cur, &bookmark).unwrap();
}

#[test]
fn s11_01_a_number_is_given_when_the_row_is_prepared_and_only_once() {
    let _mode = multi();
    for coltyp in [JET_coltypLong, JET_coltypCurrency, JET_coltypLongLong] {
        let live = Live::new();
        let auto = column("number", coltyp, JET_bitColumnAutoincrement, &[]);
        let (cur, ids) = table_of(&live, vec![auto]).unwrap();
        let (ses, id) = (live.sesid, ids[1]);
        let made = JET_bitColumnFixed | JET_bitColumnAutoincrement | JET_bitColumnUpdatable;
        assert_eq!(grbit_of(ses, cur, "number"), made);
        let prepare = |prep| JetPrepareUpdate(ses, cur, prep).unwrap();
        prepare(JET_prepInsert);
        assert_eq!(number(&live, cur, id, JET_bitRetrieveCopy), 1, "before JetUpdate");
        JetUpdate(ses, cur).unwrap();
        // What is cancelled or taken back leaves a gap.
        prepare(JET_prepInsert);
        prepare(JET_prepCancel);
        JetBeginTransaction(ses).unwrap();
        insert(&live, cur);
        assert_eq!(number(&live, cur, id, 0), 3);
        JetRollback(ses, 0).unwrap();
        insert(&live, cur);
        assert_eq!(number(&live, cur, id, 0), 4);
        // A copy is another row; one that takes the place of its original is the same.
        prepare(JET_prepInsertCopy);
        assert_eq!(number(&live, cur, id, JET_bitRetrieveCopy), 5);
        JetUpdate(ses, cur).unwrap();
        JetBeginTransaction(ses).unwrap();
        prepare(JET_prepInsertCopyReplaceOriginal);
        assert_eq!(number(&live, cur, id, JET_bitRetrieveCopy), 4);
        JetUpdate(ses, cur).unwrap();
        JetCommitTransaction(ses, 0).unwrap();
        JetMove(ses, cur, JET_MoveFirst, 0).unwrap();
        JetBeginTransaction(ses).unwrap();
        prepare(JET_prepInsertCopyDeleteOriginal);
        assert_eq!(number(&live, cur, id, JET_bitRetrieveCopy), 6);
        JetUpdate(ses, cur).unwrap();
        JetCommitTransaction(ses, 0).unwrap();
    }
}

#[test]
fn s11_01_an_auto_increment_column_is_a_fixed_number_and_the_only_one() {
    let _mode = multi();
    let live = Live::new();
    let auto = JET_bitColumnAutoincrement;
    let both = auto | JET_bitColumnVersion;
    for (coltyp, grbit, second, expected) in [
        (JET_coltypShort, auto, 0, JetErr::InvalidGrbit),
        (JET_coltypText, auto, 0, JetErr::InvalidGrbit),
        (JET_coltypText, auto | JET_bitColumnTagged, 0, JetErr::InvalidGrbit),
        (JET_coltypLong, auto | JET_bitColumnTagged, 0, JetErr::CannotBeTagged),
        (JET_coltypLong, both, 0, JetErr::InvalidGrbit),
        (JET_coltypLong, auto, auto, JetErr::ColumnRedundant),
        (JET_coltypShort, JET_bitColumnVersion, 0, JetErr::InvalidGrbit),
        (JET_coltypLong, JET_bitColumnDeleteOnZero, 0, JetErr::InvalidGrbit),
    ] {
        let first = column("a", coltyp, grbit, &[]);
        let columns = vec![first, column("b", JET_coltypLong, second, &[])];
        assert_eq!(code(table_of(&live, columns)), expected, "{coltyp} {grbit:#x}");
    }
    let auto = column("number", JET_coltypLong, auto, &[]);
    let (cur, ids) = table_of(&live, vec![auto]).unwrap();
    let set = || JetSetColumn(live.sesid, cur, ids[1], Some(&9_i32.to_le_bytes()), 0, None);
    for prep in [JET_prepInsert, JET_prepReplace] {
        JetPrepareUpdate(live.sesid, cur, prep).unwrap();
        assert_eq!(code(set()), JetErr::InvalidColumnType);
        let bookmark = JetUpdate(live.sesid, cur).unwrap();
        JetGotoBookmark(live.sesid, cur, &bookmark).unwrap();
        assert_eq!(number(&live, cur, ids[1], 0), 1);
    }
}

/// The engine's source numbers the rows that exist, in the order of their keys, and asks for an
/// exclusive table.
#[test]
fn s11_01_numbers_go_on_behind_the_highest_after_a_restart_and_in_a_new_column() {
    let _mode = multi();
    let live = Live::new();
    let (cur, _) = table_of(&live, vec![]).unwrap();
    (0..3).for_each(|_| insert(&live, cur));
    let auto = JET_bitColumnAutoincrement;
    let def = JET_COLUMNDEF { coltyp: JET_coltypLong, grbit: auto, ..JET_COLUMNDEF::default() };
    let shared = JetAddColumn(live.sesid, cur, "number", &def, &[]);
    assert_eq!(code(shared), JetErr::ExclusiveTableLockRequired);
    JetCloseTable(live.sesid, cur).unwrap();
    let cur = JetOpenTable(live.sesid, live.dbid, "numbers", JET_bitTableDenyRead).unwrap();
    let id = JetAddColumn(live.sesid, cur, "number", &def, &[]).unwrap();
    let all = |live: &Live, cur| {
        let mut all = Vec::new();
        let mut at = JetMove(live.sesid, cur, JET_MoveFirst, 0);
        while at.is_ok() {
            all.push(number(live, cur, id, 0));
            at = JetMove(live.sesid, cur, JET_MoveNext, 0);
        }
        all
    };
    assert_eq!(all(&live, cur), [1, 2, 3]);
    insert(&live, cur);
    assert_eq!(number(&live, cur, id, 0), 4);
    JetMove(live.sesid, cur, JET_MoveFirst, 0).unwrap();
    JetDelete(live.sesid, cur).unwrap();
    let dir = Arc::clone(&live.dir);
    drop(live);
    let live = Live::again(&dir);
    let cur = JetOpenTable(live.sesid, live.dbid, "numbers", 0).unwrap();
    insert(&live, cur);
    assert_eq!(all(&live, cur), [2, 3, 4, 5]);
}

/// The engine's source lets an insert begin with another version, and counts a row that is older
/// than the column from 1.
#[test]
fn s11_02_a_version_begins_with_zero_and_counts_replaces() {
    let _mode = multi();
    let live = Live::new();
    let counts = column("version", JET_coltypLong, JET_bitColumnVersion, &[]);
    let (cur, ids) = table_of(&live, vec![counts]).unwrap();
    let (ses, id) = (live.sesid, ids[1]);
    let replace = || {
        JetPrepareUpdate(ses, cur, JET_prepReplace).unwrap();
        JetUpdate(ses, cur).unwrap();
    };
    insert(&live, cur);
    assert_eq!(number(&live, cur, id, 0), 0);
    replace();
    replace();
    assert_eq!(number(&live, cur, id, 0), 2);
    JetPrepareUpdate(ses, cur, JET_prepReplace).unwrap();
    let seven = 7_i32.to_le_bytes();
    let set = JetSetColumn(ses, cur, id, Some(&seven), 0, None);
    assert_eq!(code(set), JetErr::InvalidColumnType);
    JetPrepareUpdate(ses, cur, JET_prepCancel).unwrap();
    JetPrepareUpdate(ses, cur, JET_prepInsert).unwrap();
    JetSetColumn(ses, cur, id, Some(&seven), 0, None).unwrap();
    let bookmark = JetUpdate(ses, cur).unwrap();
    JetGotoBookmark(ses, cur, &bookmark).unwrap();
    assert_eq!(number(&live, cur, id, 0), 7);
    JetBeginTransaction(ses).unwrap();
    replace();
    assert_eq!(number(&live, cur, id, 0), 8);
    JetRollback(ses, 0).unwrap();
    assert_eq!(number(&live, cur, id, 0), 7, "taken back with the change");
    let def = JET_COLUMNDEF {
        coltyp: JET_coltypLong,
        grbit: JET_bitColumnVersion,
        ..JET_COLUMNDEF::default()
    };
    JetDeleteColumn(ses, cur, "version").unwrap();
    let late = JetAddColumn(ses, cur, "late", &def, &[]).unwrap();
    replace();
    assert_eq!(number(&live, cur, late, 0), 1);
}

#[test]
fn s11_03_a_row_at_zero_goes_when_nobody_needs_its_versions() {
    let _mode = multi();
    for ends in [JET_bitColumnDeleteOnZero, JET_bitColumnFinalize] {
        let live = Live::new();
        let grbit = JET_bitColumnEscrowUpdate | ends;
        let counts = column("count", JET_coltypLong, grbit, &0_i32.to_le_bytes());
        let (cur, ids) = table_of(&live, vec![counts]).unwrap();
        let ses = live.sesid;
        insert(&live, cur);
        let step = |delta, grbit| {
            JetBeginTransaction(ses).unwrap();
            add(ses, cur, ids[1], delta, grbit).unwrap();
        };
        // Taken back: the row is at zero as before, and stays. So it does while it is not.
        step(1, 0);
        JetRollback(ses, 0).unwrap();
        step(2, 0);
        JetCommitTransaction(ses, 0).unwrap();
        // Somebody reads while it goes to zero.
        let reader = JetDupSession(ses).unwrap();
        let dbid = JetOpenDatabase(reader, live.path().to_str().unwrap(), 0).unwrap().1;
        let theirs = JetOpenTable(reader, dbid, "numbers", 0).unwrap();
        JetBeginTransaction(reader).unwrap();
        JetMove(reader, theirs, JET_MoveFirst, 0).unwrap();
        assert_eq!(id_at(reader, theirs, ids[1]).unwrap(), 2);
        step(-2, 0);
        JetCommitTransaction(ses, 0).unwrap();
        assert_eq!(id_at(ses, cur, ids[1]).unwrap(), 0, "at zero and still there");
        assert_eq!(id_at(reader, theirs, ids[1]).unwrap(), 2);
        JetCommitTransaction(reader, 0).unwrap();
        let gone = (0..200).any(|_| {
            thread::sleep(Duration::from_millis(20));
            JetMove(ses, cur, JET_MoveFirst, 0).is_err()
        });
        assert!(gone, "the row is still there");
    }
}
