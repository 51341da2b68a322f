//! Of several things that are wrong at once the first one is said (1.1, 1.3, 8.1, 12.3, 14.1), and
//! nothing has changed whichever it was.

use crate::pets::*;

/// What a call must not change: the rows, the columns, the indexes, what is prepared.
fn content(pets: &Pets) -> (Vec<i32>, usize, usize, Vec<String>) {
    let cur = pets.reopen();
    let mut ids = Vec::new();
    let mut moved = JetMove(pets.ses, cur, JET_MoveFirst, 0);
    while moved.is_ok() {
        ids.push(id_at(pets.ses, cur, pets.id).unwrap());
        moved = JetMove(pets.ses, cur, JET_MoveNext, 0);
    }
    let columns = JetGetTableColumnInfo(pets.ses, cur, None).unwrap().len();
    let indexes = JetGetTableIndexInfo(pets.ses, cur, None).unwrap().len();
    JetCloseTable(pets.ses, cur).unwrap();
    let objects = JetGetObjectInfo(pets.ses, pets.live.dbid, None).unwrap();
    let objects = objects.into_iter().map(|object| object.szName).collect();
    (ids, columns, indexes, objects)
}

fn refused<T: std::fmt::Debug>(pets: &Pets, call: impl FnOnce() -> Result<T>) -> JetErr {
    let before = content(pets);
    let answer = code(call());
    assert_eq!(content(pets), before, "{answer:?}");
    answer
}

#[test]
fn an_update_is_refused_for_the_cursor_the_transaction_what_is_prepared_and_the_row_in_turn() {
    let _mode = multi();
    let pets = pets();
    let (ses, dbid) = (pets.ses, pets.live.dbid);
    let reading = JetOpenTable(ses, dbid, "pets", JET_bitTableReadOnly).unwrap();
    let writing = pets.reopen();
    let prepare = |cur, prep| refused(&pets, || JetPrepareUpdate(ses, cur, prep));
    JetMove(ses, writing, JET_MoveLast, 0).unwrap();
    assert_eq!(code(JetMove(ses, writing, JET_MoveNext, 0)), JetErr::NoCurrentRecord);
    JetBeginTransaction2(ses, JET_bitTransactionReadOnly).unwrap();
    assert_eq!(prepare(reading, JET_prepReplace), JetErr::PermissionDenied);
    assert_eq!(prepare(writing, JET_prepReplace), JetErr::TransReadOnly);
    JetRollback(ses, 0).unwrap();
    assert_eq!(prepare(reading, JET_prepReplace), JetErr::PermissionDenied);
    assert_eq!(prepare(writing, JET_prepReplace), JetErr::NoCurrentRecord);
    JetPrepareUpdate(ses, writing, JET_prepInsert).unwrap();
    assert_eq!(prepare(writing, JET_prepReplace), JetErr::AlreadyPrepared);
    JetPrepareUpdate(ses, writing, JET_prepCancel).unwrap();
    assert_eq!(prepare(writing, JET_prepCancel), JetErr::UpdateNotPrepared);
}

#[test]
fn definitions_are_refused_for_the_cursor_before_what_they_define() {
    let _mode = multi();
    let pets = pets();
    let (ses, dbid) = (pets.ses, pets.live.dbid);
    let cur = JetOpenTable(ses, dbid, "pets", JET_bitTableReadOnly).unwrap();
    let long = JET_COLUMNDEF { coltyp: JET_coltypLong, ..JET_COLUMNDEF::default() };
    let denied = JetErr::PermissionDenied;
    assert_eq!(refused(&pets, || JetAddColumn(ses, cur, "age", &long, &[])), denied);
    assert_eq!(refused(&pets, || JetDeleteColumn(ses, cur, "none")), denied);
    assert_eq!(refused(&pets, || JetDeleteIndex(ses, cur, "none")), denied);
    let index = || JetCreateIndex(ses, cur, "age", 0, "+none\0\0", 0);
    assert_eq!(refused(&pets, index), denied);
    JetBeginTransaction2(ses, JET_bitTransactionReadOnly).unwrap();
    let read_only = JetErr::TransReadOnly;
    assert_eq!(refused(&pets, || JetAddColumn(ses, pets.cur, "age", &long, &[])), read_only);
    assert_eq!(refused(&pets, || JetCreateTable(ses, dbid, "pets", 0, 0)), read_only);
    assert_eq!(refused(&pets, || JetDeleteTable(ses, dbid, "t")), read_only);
    JetRollback(ses, 0).unwrap();
}

#[test]
fn several_indexes_are_refused_for_the_level_the_cursor_and_the_flags_in_turn() {
    let _mode = multi();
    let pets = pets();
    let (ses, dbid) = (pets.ses, pets.live.dbid);
    let index = |name: &str, grbit| JET_INDEXCREATE {
        szIndexName: name.into(),
        szKey: "+age\0\0".into(),
        grbit,
        ..JET_INDEXCREATE::default()
    };
    let make =
        |cur| JetCreateIndex2(ses, cur, &mut [index("a", JET_bitIndexPrimary), index("b", 0)]);
    JetBeginTransaction(ses).unwrap();
    assert_eq!(refused(&pets, || make(pets.cur)), JetErr::InTransaction);
    JetRollback(ses, 0).unwrap();
    assert_eq!(refused(&pets, || make(pets.cur)), JetErr::ExclusiveTableLockRequired);
    let alone = JetOpenTable(ses, dbid, "pets", JET_bitTableDenyRead).unwrap();
    assert_eq!(refused(&pets, || make(alone)), JetErr::InvalidGrbit);
}

#[test]
fn flags_are_looked_at_before_the_state() {
    let _mode = multi();
    let pets = pets();
    let (ses, cur) = (pets.ses, pets.cur);
    assert_eq!(refused(&pets, || JetSeek(ses, cur, 0)), JetErr::InvalidParameter);
    assert_eq!(refused(&pets, || JetSeek(ses, cur, JET_bitSeekEQ)), JetErr::KeyNotMade);
    JetBeginTransaction(ses).unwrap();
    let rename = |grbit| refused(&pets, || JetRenameColumn(ses, cur, "none", "x", grbit));
    assert_eq!(rename(1), JetErr::InvalidGrbit);
    assert_eq!(rename(0), JetErr::InTransaction);
    let detach = |grbit| {
        refused(&pets, || JetDetachDatabase2(ses, pets.live.path().to_str().unwrap(), grbit))
    };
    assert_eq!(detach(0x80), JetErr::InTransaction, "of databases the level comes first");
    assert_eq!(refused(&pets, || JetCompact(ses, "", "", None, 0x80)), JetErr::InTransaction);
    JetRollback(ses, 0).unwrap();
    assert_eq!(refused(&pets, || JetCompact(ses, "", "", None, 0x1000)), JetErr::InvalidGrbit);
    assert_eq!(rename(0), JetErr::ColumnNotFound);
    assert_eq!(detach(0x80), JetErr::InvalidGrbit);
    let commit = |grbit| refused(&pets, || JetCommitTransaction(ses, grbit));
    assert_eq!(commit(0x100), JetErr::InvalidGrbit);
    assert_eq!(commit(0), JetErr::NotInTransaction);
}

#[test]
fn tables_are_refused_for_the_database_the_name_and_what_there_is_in_turn() {
    let _mode = multi();
    let pets = pets();
    let (ses, dbid) = (pets.ses, pets.live.dbid);
    let create =
        |dbid, name: &str, density| refused(&pets, || JetCreateTable(ses, dbid, name, 0, density));
    assert_eq!(create(99, "a!b", 7), JetErr::InvalidDatabaseId);
    assert_eq!(create(dbid, "a!b", 7), JetErr::InvalidName);
    assert_eq!(create(dbid, "pets", 7), JetErr::DensityInvalid);
    assert_eq!(create(dbid, "PETS", 0), JetErr::TableDuplicate);
    let open = |dbid, name: &str, grbit| refused(&pets, || JetOpenTable(ses, dbid, name, grbit));
    assert_eq!(open(99, "a!b", JET_bitTablePermitDDL), JetErr::InvalidDatabaseId);
    assert_eq!(open(dbid, "none", 0), JetErr::ObjectNotFound);
    assert_eq!(open(dbid, "pets", JET_bitTablePermitDDL), JetErr::InvalidGrbit);
}

#[test]
fn a_row_that_is_refused_leaves_its_update_prepared() {
    let _mode = multi();
    let pets = pets();
    let unset = |column, data: &[u8], expected| {
        pets.prepare(JET_prepInsert).unwrap();
        pets.fill(100, "emu", None).unwrap();
        assert_eq!(code(pets.set(column, data)), expected);
        assert_eq!(pets.get(pets.id, JET_bitRetrieveCopy).unwrap(), Some(vec![100, 0, 0, 0]));
        pets.prepare(JET_prepCancel).unwrap();
    };
    let before = content(&pets);
    unset(77, &[1], JetErr::ColumnNotFound);
    unset(0x7fff_ffff, &[1], JetErr::BadColumnId);
    unset(pets.age, &[1, 2, 3], JetErr::InvalidBufferSize);
    pets.prepare(JET_prepInsert).unwrap();
    pets.fill(1, "emu", Some(60)).unwrap();
    assert_eq!(code(pets.update()), JetErr::KeyDuplicate);
    assert_eq!(code(pets.prepare(JET_prepInsert)), JetErr::AlreadyPrepared);
    pets.set(pets.id, &9i32.to_le_bytes()).unwrap();
    assert_eq!(code(pets.update()), JetErr::KeyDuplicate, "of the index over ages");
    assert_eq!(content(&pets), before);
    pets.set(pets.age, &61i32.to_le_bytes()).unwrap();
    pets.update().unwrap();
}
