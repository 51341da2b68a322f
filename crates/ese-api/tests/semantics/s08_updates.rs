//! Section 8: the update that a cursor prepares.

use crate::pets::*;

const NONE: JetErr = JetErr::NoCurrentRecord;

const KINDS: [u32; 6] = [
    JET_prepInsert,
    JET_prepReplace,
    JET_prepReplaceNoLock,
    JET_prepInsertCopy,
    JET_prepInsertCopyDeleteOriginal,
    JET_prepInsertCopyReplaceOriginal,
];

#[test]
fn s8_00_every_kind_of_update_has_its_conditions() {
    let _mode = multi();
    let pets = pets();
    let (other, theirs) = pets.other();
    for kind in KINDS {
        pets.go(JET_MoveFirst).unwrap();
        pets.prepare(kind).unwrap();
        for second in KINDS {
            assert_eq!(code(pets.prepare(second)), JetErr::AlreadyPrepared, "{kind} {second}");
        }
        pets.prepare(JET_prepCancel).unwrap();
        assert_eq!(code(pets.prepare(JET_prepCancel)), JetErr::UpdateNotPrepared);
        pets.go(-1).unwrap_err();
        if kind == JET_prepInsert {
            pets.prepare(kind).unwrap();
            pets.prepare(JET_prepCancel).unwrap();
        } else {
            assert_eq!(code(pets.prepare(kind)), NONE, "{kind} needs a row");
        }
        // Who locks, and who notices only when it is written.
        JetBeginTransaction(pets.ses).unwrap();
        pets.go(JET_MoveFirst).unwrap();
        pets.prepare(kind).unwrap();
        JetBeginTransaction(other).unwrap();
        JetMove(other, theirs, JET_MoveFirst, 0).unwrap();
        let deleted = JetDelete(other, theirs).map_err(|error| error.code());
        let locks =
            [JET_prepReplace, JET_prepInsertCopyDeleteOriginal, JET_prepInsertCopyReplaceOriginal];
        if locks.contains(&kind) {
            assert_eq!(deleted, Err(JetErr::WriteConflict), "{kind} locks");
        } else {
            deleted.unwrap();
            assert_eq!(code(pets.prepare(JET_prepInsert)), JetErr::AlreadyPrepared);
            if kind == JET_prepReplaceNoLock {
                pets.set(pets.name, b"x").unwrap();
                assert_eq!(code(pets.update()), JetErr::WriteConflict);
            }
            pets.prepare(JET_prepCancel).unwrap();
            let locked = pets.prepare(JET_prepReplace);
            assert_eq!(code(locked), JetErr::WriteConflict, "the lock comes at once");
        }
        JetRollback(other, 0).unwrap();
        JetRollback(pets.ses, 0).unwrap();
    }
    assert_eq!(pets.to(JET_MoveFirst), Ok(1), "nothing of it has stayed");
}

#[test]
fn s8_00_a_row_is_moved_in_a_transaction() {
    let _mode = multi();
    let pets = pets();
    for kind in [JET_prepInsertCopyDeleteOriginal, JET_prepInsertCopyReplaceOriginal] {
        pets.seek_id(3, JET_bitSeekEQ).unwrap();
        pets.prepare(kind).unwrap();
        pets.set(pets.id, &4_i32.to_le_bytes()).unwrap();
        assert_eq!(code(pets.update()), JetErr::NotInTransaction);
        pets.prepare(JET_prepCancel).unwrap();
        JetBeginTransaction(pets.ses).unwrap();
        pets.prepare(kind).unwrap();
        pets.set(pets.id, &2_i32.to_le_bytes()).unwrap();
        assert_eq!(code(pets.update()), JetErr::KeyDuplicate);
        pets.go(0).unwrap();
        pets.seek_id(3, JET_bitSeekEQ).unwrap();
        pets.prepare(kind).unwrap();
        pets.set(pets.id, &4_i32.to_le_bytes()).unwrap();
        pets.update().unwrap();
        assert_eq!(code(pets.at()), JetErr::RecordDeleted);
        pets.go(JET_MoveNext).unwrap();
        assert_eq!((pets.at().unwrap(), pets.get(pets.name, 0).unwrap()), (4, Some(b"cat".into())));
        JetRollback(pets.ses, 0).unwrap();
        assert_eq!(pets.seek_id(3, JET_bitSeekEQ).unwrap(), JetErr::Success);
    }
}

#[test]
fn s8_01_what_is_looked_at_first() {
    let _mode = multi();
    let pets = pets();
    let read_only = JetOpenTable(pets.ses, pets.live.dbid, "pets", JET_bitTableReadOnly).unwrap();
    JetMove(pets.ses, read_only, 100, 0).unwrap_err();
    JetBeginTransaction2(pets.ses, JET_bitTransactionReadOnly).unwrap();
    let prepared = JetPrepareUpdate(pets.ses, read_only, JET_prepReplace);
    assert_eq!(code(prepared), JetErr::PermissionDenied, "the cursor before the transaction");
    JetCommitTransaction(pets.ses, 0).unwrap();
    pets.go(100).unwrap_err();
    JetBeginTransaction2(pets.ses, JET_bitTransactionReadOnly).unwrap();
    let prepared = pets.prepare(JET_prepReplace);
    assert_eq!(code(prepared), JetErr::TransReadOnly, "the transaction before the row");
    JetCommitTransaction(pets.ses, 0).unwrap();
    pets.prepare(JET_prepInsert).unwrap();
    let prepared = pets.prepare(JET_prepReplace);
    assert_eq!(code(prepared), JetErr::AlreadyPrepared, "what is prepared before the row");
    assert_eq!(code(pets.prepare(99)), JetErr::InvalidParameter);
}

#[test]
fn s8_02_two_cursors_of_a_session_do_not_replace_the_same_row() {
    let _mode = multi();
    let pets = pets();
    let second = pets.reopen();
    let theirs = |prep| JetPrepareUpdate(pets.ses, second, prep);
    pets.prepare(JET_prepReplace).unwrap();
    assert_eq!(code(theirs(JET_prepReplace)), JetErr::SessionWriteConflict);
    assert_eq!(code(theirs(JET_prepReplaceNoLock)), JetErr::SessionWriteConflict);
    theirs(JET_prepInsertCopy).unwrap();
    theirs(JET_prepCancel).unwrap();
    JetMove(pets.ses, second, 1, 0).unwrap();
    theirs(JET_prepReplace).unwrap();
    theirs(JET_prepCancel).unwrap();
    pets.prepare(JET_prepCancel).unwrap();
    JetMove(pets.ses, second, -1, 0).unwrap();
    theirs(JET_prepReplace).unwrap();
}

#[test]
fn s8_03_a_failed_update_stays_prepared() {
    let _mode = multi();
    let pets = pets();
    pets.prepare(JET_prepInsert).unwrap();
    assert_eq!(code(pets.update()), JetErr::ColumnIllegalNull);
    pets.fill(1, "fox", Some(7)).unwrap();
    assert_eq!(code(pets.update()), JetErr::KeyDuplicate, "of the primary key");
    pets.set(pets.id, &7_i32.to_le_bytes()).unwrap();
    pets.set(pets.age, &60_i32.to_le_bytes()).unwrap();
    assert_eq!(code(pets.update()), JetErr::KeyDuplicate, "of a unique index");
    assert_eq!(code(pets.prepare(JET_prepInsert)), JetErr::AlreadyPrepared);
    assert_eq!(pets.get(pets.name, JET_bitRetrieveCopy).unwrap(), Some(b"fox".to_vec()));
    assert_eq!(code(pets.seek_id(7, JET_bitSeekEQ)), JetErr::RecordNotFound, "no trace");
    pets.prepare(JET_prepInsert).unwrap();
    pets.fill(7, "fox", Some(60)).unwrap();
    assert_eq!(code(pets.update()), JetErr::KeyDuplicate);
    pets.set(pets.age, &7_i32.to_le_bytes()).unwrap();
    pets.update().unwrap();
    assert_eq!(code(pets.update()), JetErr::UpdateNotPrepared, "success frees it");
}

#[test]
fn s8_04_an_update_gives_the_bookmark_of_its_row() {
    let _mode = multi();
    let pets = pets();
    assert_eq!(code(pets.update()), JetErr::UpdateNotPrepared);
    let inserted = pets.insert(7, "fox", None).unwrap();
    JetGotoBookmark(pets.ses, pets.cur, &inserted).unwrap();
    assert_eq!(pets.at().unwrap(), 7);
    pets.prepare(JET_prepReplace).unwrap();
    pets.set(pets.name, b"fly").unwrap();
    assert_eq!(pets.update().unwrap(), inserted);
    assert_eq!(code(JetUpdate2(pets.ses, pets.cur, 0x100)), JetErr::InvalidGrbit);
}

#[test]
fn s8_05_what_refuses_an_update() {
    let _mode = multi();
    let pets = pets();
    pets.prepare(JET_prepReplace).unwrap();
    pets.set(pets.id, &4_i32.to_le_bytes()).unwrap();
    assert_eq!(code(pets.update()), JetErr::RecordPrimaryChanged);
    pets.prepare(JET_prepCancel).unwrap();
    pets.prepare(JET_prepReplace).unwrap();
    pets.set(pets.age, &50_i32.to_le_bytes()).unwrap();
    assert_eq!(code(pets.update()), JetErr::KeyDuplicate);
    let null = JetSetColumn(pets.ses, pets.cur, pets.id, None, 0, None);
    assert_eq!(code(null), JetErr::ColumnIllegalNull, "explicit NULL fails at once");
    pets.prepare(JET_prepCancel).unwrap();
    pets.prepare(JET_prepInsert).unwrap();
    assert_eq!(code(pets.update()), JetErr::ColumnIllegalNull, "a missing value at the update");
    let table = JetCreateTable(pets.ses, pets.live.dbid, "strict", 0, 0).unwrap();
    let def = JET_COLUMNDEF { coltyp: JET_coltypLong, ..JET_COLUMNDEF::default() };
    JetAddColumn(pets.ses, table, "n", &def, &[]).unwrap();
    let grbit = JET_bitIndexPrimary | JET_bitIndexDisallowNull;
    JetCreateIndex(pets.ses, table, "pk", grbit, "+n\0\0", 0).unwrap();
    JetPrepareUpdate(pets.ses, table, JET_prepInsert).unwrap();
    assert_eq!(code(JetUpdate(pets.ses, table)), JetErr::NullKeyDisallowed);
}

#[test]
fn s8_08_columns_are_set_only_in_a_prepared_update() {
    let _mode = multi();
    let pets = pets();
    assert_eq!(code(pets.set(pets.name, b"x")), JetErr::UpdateNotPrepared);
    pets.prepare(JET_prepReplace).unwrap();
    pets.set(pets.name, b"x").unwrap();
}

#[test]
fn s8_09_the_copy_is_read_only_on_request() {
    let _mode = multi();
    let pets = pets();
    let name = |grbit| pets.get(pets.name, grbit).map(|name| name.map(|n| n[0]));
    assert_eq!(name(JET_bitRetrieveCopy).unwrap(), Some(b'a'), "nothing prepared: the row");
    pets.prepare(JET_prepReplace).unwrap();
    pets.set(pets.name, b"z").unwrap();
    assert_eq!((name(0).unwrap(), name(JET_bitRetrieveCopy).unwrap()), (Some(b'a'), Some(b'z')));
    pets.prepare(JET_prepCancel).unwrap();
    pets.prepare(JET_prepInsert).unwrap();
    assert_eq!((name(0).unwrap(), name(JET_bitRetrieveCopy).unwrap()), (Some(b'a'), None));
    pets.prepare(JET_prepCancel).unwrap();
    pets.go(-1).unwrap_err();
    pets.prepare(JET_prepInsert).unwrap();
    assert_eq!(code(name(0)), NONE);
    assert_eq!(name(JET_bitRetrieveCopy).unwrap(), None);
}

#[test]
fn s8_10_the_compatibility_check_refuses_no_row_of_this_engine() {
    let _mode = multi();
    let pets = pets();
    pets.prepare(JET_prepReplace).unwrap();
    pets.set(pets.name, &[b'x'; 255]).unwrap();
    JetUpdate2(pets.ses, pets.cur, JET_bitUpdateCheckESE97Compatibility).unwrap();
}

#[test]
fn s8_07_an_index_whose_keys_stay_is_not_touched() {
    let _mode = multi();
    let pets = pets();
    let owned = |name: &str| {
        let info = JetGetIndexInfo(pets.ses, pets.live.dbid, "pets", Some(name)).unwrap();
        JetComputeStats(pets.ses, pets.cur).unwrap();
        (info[0].cSpaceOwned, info[0].cSpaceAvailable)
    };
    let before = owned("name");
    pets.index("name");
    pets.seek(b"bee", JET_bitSeekEQ).unwrap();
    assert_eq!(pets.at().unwrap(), 2);
    for age in 1000..1100_i32 {
        pets.prepare(JET_prepReplace).unwrap();
        pets.set(pets.age, &age.to_le_bytes()).unwrap();
        pets.update().unwrap();
        // The entry that the cursor stands on is the one it found.
        assert_eq!(pets.at().unwrap(), 2);
    }
    assert_eq!(owned("name"), before);
    assert_eq!(pets.to(JET_MoveNext), Ok(5));
    pets.index("age");
    pets.seek(&1099_i32.to_le_bytes(), JET_bitSeekEQ).unwrap();
    assert_eq!(pets.at().unwrap(), 2);
    assert_eq!(code(pets.seek(&1050_i32.to_le_bytes(), JET_bitSeekEQ)), JetErr::RecordNotFound);
}

#[test]
fn s8_06_a_row_is_too_big_only_when_no_long_value_can_be_pushed_out_of_it() {
    let _mode = multi();
    let live = Live::new();
    let (ses, dbid) = (live.sesid, live.dbid);
    let names: Vec<String> = (0..24).map(|n| format!("c{n}")).collect();
    let column = |(n, name): (usize, &String)| JET_COLUMNCREATE {
        szColumnName: name.clone(),
        coltyp: if n < 4 { JET_coltypLongBinary } else { JET_coltypText },
        grbit: JET_bitColumnTagged,
        ..JET_COLUMNCREATE::default()
    };
    let mut table = JET_TABLECREATE {
        szTableName: "wide".into(),
        rgcolumncreate: names.iter().enumerate().map(column).collect(),
        ..JET_TABLECREATE::default()
    };
    JetCreateTableColumnIndex(ses, dbid, &mut table).unwrap();
    let (cur, ids): (_, Vec<u32>) =
        (table.tableid, table.rgcolumncreate.iter().map(|column| column.columnid).collect());
    let set = |id, bytes: &[u8]| JetSetColumn(ses, cur, id, Some(bytes), 0, None);
    JetBeginTransaction(ses).unwrap();
    JetPrepareUpdate(ses, cur, JET_prepInsert).unwrap();
    for (n, id) in ids[..4].iter().enumerate() {
        set(*id, &[u8::try_from(n).unwrap(); 800]).unwrap();
    }
    let mut texts = 0;
    let refused = ids[4..].iter().find_map(|id| match set(*id, &[b'x'; 255]) {
        Ok(_) => {
            texts += 255;
            None
        }
        Err(error) => Some(error.code()),
    });
    assert_eq!(refused, Some(JetErr::RecordTooBig));
    assert!(texts > 3000, "the long values made room: {texts} bytes of text in a page of 4096");
    let bookmark = JetUpdate(ses, cur).unwrap();
    JetCommitTransaction(ses, 0).unwrap();
    JetGotoBookmark(ses, cur, &bookmark).unwrap();
    for (n, id) in ids[..4].iter().enumerate() {
        let value = JetRetrieveColumn(ses, cur, *id, 0, None).unwrap().unwrap();
        assert_eq!(value, [u8::try_from(n).unwrap(); 800]);
    }
}
