//! Section 11: columns that the engine counts in.

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
        let dbid = JetOpenDatabase(ses, self.live.path().to_str().unwrap(), 0).unwrap();
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
    let info = JetGetTableColumnInfo(ses, cur, Some("count")).unwrap();
    assert_eq!(info[0].def.grbit, JET_bitColumnFixed | escrow);
    let indexed = JetCreateIndex(ses, cur, "i", 0, "+count\0\0", 0);
    assert_eq!(code(indexed), JetErr::CannotIndex);
}
