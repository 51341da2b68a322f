//! Section 13: tables, and changing them.

use std::sync::{Arc, Mutex};

use crate::{jet_setup::alone, pets::*};

fn long() -> JET_COLUMNDEF {
    JET_COLUMNDEF { coltyp: JET_coltypLong, ..JET_COLUMNDEF::default() }
}

#[test]
fn s13_01_who_makes_a_table_has_it_alone_until_its_cursor_is_closed() {
    let _mode = multi();
    let pets = pets();
    let (other, _) = pets.other();
    let dbid = pets.live.dbid;
    let mine = JetCreateTable(pets.ses, dbid, "new", 0, 0).unwrap();
    JetAddColumn(pets.ses, mine, "a", &long(), &[]).unwrap();
    JetMove(pets.ses, mine, 1, 0).unwrap_err();
    let open = || JetOpenTable(other, dbid, "new", 0);
    assert_eq!(code(open()), JetErr::TableLocked);
    JetOpenTable(pets.ses, dbid, "new", 0).unwrap();
    JetCloseTable(pets.ses, mine).unwrap();
    open().unwrap();
    for name in ["", "a.b", "a!", " a", "a[", "a]", "a\u{1}", &"x".repeat(65)] {
        let made = JetCreateTable(pets.ses, dbid, name, 0, 0);
        assert_eq!(code(made), JetErr::InvalidName, "{name:?}");
    }
    JetCreateTable(pets.ses, dbid, &"x".repeat(64), 0, 0).unwrap();
}

#[test]
fn s13_01_a_table_is_there_as_soon_as_it_is_made() {
    let _mode = multi();
    let pets = pets();
    let (other, _) = pets.other();
    let (ses, dbid) = (pets.ses, pets.live.dbid);
    let cur = JetCreateTable(ses, dbid, "new", 0, 0).unwrap();
    assert_eq!(code(JetCreateTable(ses, dbid, "New", 0, 0)), JetErr::TableDuplicate);
    assert_eq!(code(JetCreateTable(other, dbid, "new", 0, 0)), JetErr::TableDuplicate);
    assert_eq!(code(JetOpenTable(other, dbid, "new", 0)), JetErr::TableLocked);
    let a = JetAddColumn(ses, cur, "a", &long(), &[]).unwrap();
    // A transaction that is taken back takes nothing of what was there before.
    JetBeginTransaction(ses).unwrap();
    JetAddColumn(ses, cur, "b", &long(), &[]).unwrap();
    JetPrepareUpdate(ses, cur, JET_prepInsert).unwrap();
    JetSetColumn(ses, cur, a, Some(&1i32.to_le_bytes()), 0, None).unwrap();
    JetUpdate(ses, cur).unwrap();
    JetRollback(ses, 0).unwrap();
    let columns = JetGetTableColumnInfo(ses, cur, None).unwrap();
    assert_eq!(columns.iter().map(|c| &*c.szColumnName).collect::<Vec<_>>(), ["a"]);
    assert_eq!(JetIndexRecordCount(ses, cur, 0).unwrap(), 0);
    JetCloseTable(ses, cur).unwrap();
    JetOpenTable(other, dbid, "new", 0).unwrap();
}

#[test]
fn s13_01_what_a_level_adds_to_a_new_table_goes_with_the_level() {
    let _mode = multi();
    let pets = pets();
    let (ses, dbid) = (pets.ses, pets.live.dbid);
    let names = |cur| -> Vec<String> {
        let columns = JetGetTableColumnInfo(ses, cur, None).unwrap();
        columns.into_iter().map(|column| column.szColumnName).collect()
    };
    let add = |cur, name: &str| JetAddColumn(ses, cur, name, &long(), &[]).unwrap();
    JetBeginTransaction(ses).unwrap();
    let cur = JetCreateTable(ses, dbid, "new", 0, 0).unwrap();
    for name in ["a", "b", "c"] {
        add(cur, name);
    }
    JetBeginTransaction(ses).unwrap();
    for name in ["d", "e"] {
        add(cur, name);
    }
    JetCreateIndex(ses, cur, "pk", JET_bitIndexPrimary, "+a\0\0", 0).unwrap();
    JetCreateIndex(ses, cur, "by d", 0, "+d\0\0", 0).unwrap();
    assert_eq!(names(cur), ["a", "b", "c", "d", "e"]);
    JetRollback(ses, 0).unwrap();
    assert_eq!(names(cur), ["a", "b", "c"]);
    assert_eq!(JetGetTableIndexInfo(ses, cur, None).unwrap().len(), 0);
    JetBeginTransaction(ses).unwrap();
    for name in ["f", "g"] {
        add(cur, name);
    }
    JetCommitTransaction(ses, 0).unwrap();
    JetDeleteColumn(ses, cur, "b").unwrap();
    assert_eq!(names(cur), ["a", "c", "f", "g"]);
    JetCommitTransaction(ses, 0).unwrap();
    assert_eq!(names(cur), ["a", "c", "f", "g"]);
    // And all of it goes with a table that is taken back.
    JetBeginTransaction(ses).unwrap();
    let gone = JetCreateTable(ses, dbid, "gone", 0, 0).unwrap();
    (0..100).for_each(|i| _ = add(gone, &format!("c{i}")));
    JetCreateIndex(ses, gone, "by c1", 0, "+c1\0\0", 0).unwrap();
    JetRollback(ses, 0).unwrap();
    assert_eq!(code(JetOpenTable(ses, dbid, "gone", 0)), JetErr::ObjectNotFound);
    JetCreateTable(ses, dbid, "gone", 0, 0).unwrap();
}

#[test]
fn s13_01_rows_get_their_order_before_the_first_of_them() {
    let _mode = multi();
    let pets = pets();
    let (ses, dbid) = (pets.ses, pets.live.dbid);
    let primary =
        |cur, name: &str| JetCreateIndex(ses, cur, name, JET_bitIndexPrimary, "+a\0\0", 0);
    let cur = JetCreateTable(ses, dbid, "new", 0, 0).unwrap();
    let a = JetAddColumn(ses, cur, "a", &long(), &[]).unwrap();
    JetCreateIndex(ses, cur, "by a", 0, "-a\0\0", 0).unwrap();
    JetCloseTable(ses, cur).unwrap();
    let shared = JetOpenTable(ses, dbid, "new", 0).unwrap();
    assert_eq!(code(primary(shared, "pk")), JetErr::ExclusiveTableLockRequired);
    JetCloseTable(ses, shared).unwrap();
    let cur = JetOpenTable(ses, dbid, "new", JET_bitTableDenyRead).unwrap();
    let insert = |value: i32| {
        JetPrepareUpdate(ses, cur, JET_prepInsert).unwrap();
        JetSetColumn(ses, cur, a, Some(&value.to_le_bytes()), 0, None).unwrap();
        JetUpdate(ses, cur)
    };
    JetBeginTransaction(ses).unwrap();
    insert(1).unwrap();
    assert_eq!(code(primary(cur, "pk")), JetErr::TableNotEmpty);
    JetRollback(ses, 0).unwrap();
    primary(cur, "pk").unwrap();
    assert_eq!(code(primary(cur, "second")), JetErr::IndexHasPrimary);
    for value in [3, 1, 2] {
        insert(value).unwrap();
    }
    assert_eq!(code(insert(2)), JetErr::KeyDuplicate);
    JetPrepareUpdate(ses, cur, JET_prepCancel).unwrap();
    let all = |index| {
        JetSetCurrentIndex(ses, cur, index).unwrap();
        let mut found = Vec::new();
        let mut moved = JetMove(ses, cur, JET_MoveFirst, 0);
        while moved.is_ok() {
            found.push(id_at(ses, cur, a).unwrap());
            moved = JetMove(ses, cur, JET_MoveNext, 0);
        }
        found
    };
    assert_eq!(all(None), [1, 2, 3]);
    assert_eq!(all(Some("by a")), [3, 2, 1]);
}

#[test]
fn s13_01_a_table_that_was_made_survives_a_crash_with_what_was_added() {
    let _mode = multi();
    let mut pets = pets();
    let (ses, dbid) = (pets.ses, pets.live.dbid);
    let cur = JetCreateTable(ses, dbid, "new", 0, 0).unwrap();
    JetAddColumn(ses, cur, "a", &long(), &[]).unwrap();
    JetCreateIndex(ses, cur, "pk", JET_bitIndexPrimary, "+a\0\0", 0).unwrap();
    JetCreateTable(ses, dbid, "bare", 0, 0).unwrap();
    pets.live.ended = true;
    assert_eq!(code(JetTerm2(pets.live.inst, JET_bitTermDirty)), JetErr::DirtyShutdown);
    let dir = std::sync::Arc::clone(&pets.live.dir);
    drop(pets);
    let live = Live::again(&dir);
    let cur = JetOpenTable(live.sesid, live.dbid, "new", 0).unwrap();
    let columns = JetGetTableColumnInfo(live.sesid, cur, None).unwrap();
    assert_eq!(columns.iter().map(|c| &*c.szColumnName).collect::<Vec<_>>(), ["a"]);
    assert_eq!(JetGetTableIndexInfo(live.sesid, cur, None).unwrap().len(), 1);
    JetOpenTable(live.sesid, live.dbid, "bare", 0).unwrap();
}

#[test]
fn s13_02_a_table_that_cannot_be_made_leaves_nothing() {
    let _mode = multi();
    let pets = pets();
    let column = |name: &str| JET_COLUMNCREATE {
        szColumnName: name.into(),
        coltyp: JET_coltypLong,
        ..JET_COLUMNCREATE::default()
    };
    let mut table = JET_TABLECREATE {
        szTableName: "broken".into(),
        rgcolumncreate: vec![column("a"), column("A")],
        ..JET_TABLECREATE::default()
    };
    let made = JetCreateTableColumnIndex(pets.ses, pets.live.dbid, &mut table);
    assert_eq!(code(made), JetErr::ColumnDuplicate);
    let open = JetOpenTable(pets.ses, pets.live.dbid, "broken", 0);
    assert_eq!(code(open), JetErr::ObjectNotFound);
    table.rgcolumncreate.pop();
    JetCreateTableColumnIndex(pets.ses, pets.live.dbid, &mut table).unwrap();
    assert_eq!(table.cCreated, 2, "the table and a column");
}

/// The reference page of JetOpenTable speaks of other sessions only. The engine's source agrees for
/// reading; the right to deny others their changes is given once, so a second cursor that asks for
/// it gets JET_errTableInUse, of whatever session it is.
#[test]
fn s13_01_a_name_that_is_looked_up_is_checked_too() {
    let _mode = multi();
    let pets = pets();
    let (ses, cur, dbid) = (pets.ses, pets.cur, pets.live.dbid);
    let codes = |name: &str| {
        [
            code(JetSetCurrentIndex(ses, cur, Some(name))),
            code(JetDeleteIndex(ses, cur, name)),
            code(JetGetTableIndexInfo(ses, cur, Some(name))),
            code(JetGetIndexInfo(ses, dbid, "pets", Some(name))),
            code(JetDeleteColumn(ses, cur, name)),
            code(JetRenameColumn(ses, cur, name, "other", 0)),
            code(JetSetColumnDefaultValue(ses, dbid, "pets", name, &[1; 4], 0)),
            code(JetGetTableColumnInfo(ses, cur, Some(name))),
            code(JetGetColumnInfo(ses, dbid, "pets", Some(name))),
            code(JetGetColumnInfo(ses, dbid, name, None)),
            code(JetGetIndexInfo(ses, dbid, name, None)),
            code(JetGetObjectInfo(ses, dbid, Some(name))),
            code(JetDeleteTable(ses, dbid, name)),
        ]
    };
    for name in ["a.b", "a!", " pets", "a[", "a]", "a\u{1}", &"x".repeat(65)] {
        assert_eq!(codes(name), [JetErr::InvalidName; 13], "{name:?}");
    }
    let [index, column, object] =
        [JetErr::IndexNotFound, JetErr::ColumnNotFound, JetErr::ObjectNotFound];
    let missing = [[index; 4].as_slice(), &[column; 5], &[object; 4]].concat();
    assert_eq!(codes("none")[..], missing);
    JetSetCurrentIndex(ses, cur, Some("")).unwrap();
}

#[test]
fn s13_03_who_denies_what_to_whom() {
    let _mode = multi();
    let pets = empty();
    let (other, theirs) = pets.other();
    let (ses, dbid) = (pets.ses, pets.live.dbid);
    let open = |ses, grbit| JetOpenTable(ses, dbid, "pets", grbit);
    for deny in [JET_bitTableDenyRead, JET_bitTableDenyWrite] {
        assert_eq!(code(open(ses, deny)), JetErr::TableInUse, "another session changes it");
    }
    JetCloseTable(other, theirs).unwrap();
    let reading = open(other, JET_bitTableReadOnly).unwrap();
    assert_eq!(code(open(ses, JET_bitTableDenyRead)), JetErr::TableInUse);
    let held = open(ses, JET_bitTableDenyWrite).unwrap();
    assert_eq!(code(open(other, 0)), JetErr::TableLocked);
    open(other, JET_bitTableReadOnly).unwrap();
    for again in [open(ses, JET_bitTableDenyWrite), open(other, JET_bitTableDenyWrite | 4)] {
        assert_eq!(code(again), JetErr::TableInUse, "it is given once");
    }
    open(ses, 0).unwrap();
    JetCloseTable(ses, held).unwrap();
    open(other, 0).unwrap();
    JetCloseTable(other, reading).unwrap();
    JetEndSession(other, 0).unwrap();
    open(ses, JET_bitTableDenyRead).unwrap();
    open(ses, JET_bitTableDenyRead).unwrap();
    open(ses, 0).unwrap();
}

/// The engine's source puts off the end of a cursor that has made versions until the transaction
/// ends, and what the cursor denies with it.
#[test]
fn s13_03_what_a_cursor_denies_lasts_until_the_end_of_the_transaction_that_has_changed_the_table() {
    let _mode = multi();
    let pets = empty();
    let (ses, dbid) = (pets.ses, pets.live.dbid);
    JetCloseTable(ses, pets.cur).unwrap();
    let (other, theirs) = pets.other();
    JetCloseTable(other, theirs).unwrap();
    let counter = JET_COLUMNDEF { grbit: JET_bitColumnAutoincrement, ..long() };
    let open = |ses, name| JetOpenTable(ses, dbid, name, 0);

    // A table that the transaction makes.
    JetBeginTransaction(ses).unwrap();
    let made = JetCreateTable(ses, dbid, "made", 0, 0).unwrap();
    JetCloseTable(ses, made).unwrap();
    let again = open(ses, "made").unwrap();
    JetAddColumn(ses, again, "number", &counter, &[]).unwrap();
    JetCloseTable(ses, again).unwrap();
    JetCommitTransaction(ses, 0).unwrap();
    let shared = open(ses, "made").unwrap();
    let late = JetAddColumn(ses, shared, "late", &counter, &[]);
    assert_eq!(code(late), JetErr::ExclusiveTableLockRequired);
    JetCloseTable(ses, shared).unwrap();
    JetCloseTable(other, open(other, "made").unwrap()).unwrap();

    // One that was there, closed with changes and without, in a level that holds or does not.
    let change = |level_holds: bool, changes: bool| {
        JetBeginTransaction(ses).unwrap();
        let held = JetOpenTable(ses, dbid, "made", JET_bitTableDenyRead).unwrap();
        JetBeginTransaction(ses).unwrap();
        if changes {
            JetPrepareUpdate(ses, held, JET_prepInsert).unwrap();
            JetUpdate(ses, held).unwrap();
        }
        JetCloseTable(ses, held).unwrap();
        match level_holds {
            true => JetCommitTransaction(ses, 0).unwrap(),
            false => JetRollback(ses, 0).unwrap(),
        }
    };
    change(true, false);
    JetCloseTable(other, open(other, "made").unwrap()).unwrap();
    JetRollback(ses, 0).unwrap();
    for (holds, ends_well) in [(true, true), (true, false), (false, true)] {
        change(holds, true);
        assert_eq!(code(open(other, "made")), JetErr::TableLocked, "{holds}");
        match ends_well {
            true => JetCommitTransaction(ses, 0).unwrap(),
            false => JetRollback(ses, 0).unwrap(),
        }
        JetCloseTable(other, open(other, "made").unwrap()).unwrap();
    }
    // What is opened in a level that is taken back goes with it.
    JetBeginTransaction(ses).unwrap();
    change(true, true);
    JetRollback(ses, 0).unwrap();
    JetCommitTransaction(ses, 0).unwrap();
    JetBeginTransaction(ses).unwrap();
    change(true, true);
    // It is not in the way of who closed it.
    assert_eq!(code(JetDeleteTable(other, dbid, "made")), JetErr::TableLocked);
    JetDeleteTable(ses, dbid, "made").unwrap();
    JetRollback(ses, JET_bitRollbackAll).unwrap();
    JetDeleteTable(other, dbid, "made").unwrap();
}

#[test]
fn s13_06_a_table_in_use_is_not_deleted() {
    let _mode = multi();
    let pets = pets();
    let delete = |name| JetDeleteTable(pets.ses, pets.live.dbid, name);
    assert_eq!(code(delete("none")), JetErr::ObjectNotFound);
    assert_eq!(code(delete("pets")), JetErr::TableInUse, "own cursors count");
    let table = JetCreateTable(pets.ses, pets.live.dbid, "gone", 0, 0).unwrap();
    JetCloseTable(pets.ses, table).unwrap();
    JetBeginTransaction(pets.ses).unwrap();
    delete("gone").unwrap();
    assert_eq!(code(JetOpenTable(pets.ses, pets.live.dbid, "gone", 0)), JetErr::ObjectNotFound);
    JetRollback(pets.ses, 0).unwrap();
    let table = JetOpenTable(pets.ses, pets.live.dbid, "gone", 0).unwrap();
    JetCloseTable(pets.ses, table).unwrap();
    delete("gone").unwrap();
    assert_eq!(code(JetOpenTable(pets.ses, pets.live.dbid, "gone", 0)), JetErr::ObjectNotFound);
}

/// Who deletes a table has it for itself until the transaction ends: a cursor that was opened in
/// between would be on no table after the commit.
#[test]
fn s13_06_a_table_that_is_being_deleted_is_locked() {
    let _mode = multi();
    let pets = pets();
    let (ses, dbid) = (pets.ses, pets.live.dbid);
    let (other, _) = pets.other();
    let open = || JetOpenTable(other, dbid, "gone", 0);
    let table = JetCreateTable(ses, dbid, "gone", 0, 0).unwrap();
    JetCloseTable(ses, table).unwrap();

    JetBeginTransaction(ses).unwrap();
    JetDeleteTable(ses, dbid, "gone").unwrap();
    assert_eq!(code(open()), JetErr::TableLocked);
    JetRollback(ses, 0).unwrap();
    JetCloseTable(other, open().unwrap()).unwrap();

    // A level of its own takes it back, and so does a deletion that fails.
    JetBeginTransaction(ses).unwrap();
    JetBeginTransaction(ses).unwrap();
    JetDeleteTable(ses, dbid, "gone").unwrap();
    JetRollback(ses, 0).unwrap();
    JetCloseTable(other, open().unwrap()).unwrap();
    let held = open().unwrap();
    assert_eq!(code(JetDeleteTable(ses, dbid, "gone")), JetErr::TableInUse);
    JetCloseTable(other, open().unwrap()).unwrap();
    JetCloseTable(other, held).unwrap();

    JetDeleteTable(ses, dbid, "gone").unwrap();
    assert_eq!(code(open()), JetErr::TableLocked);
    JetCommitTransaction(ses, 0).unwrap();
    assert_eq!(code(open()), JetErr::ObjectNotFound);
}

#[test]
fn s13_07_schema_changes_belong_to_the_transaction() {
    let _mode = multi();
    let pets = pets();
    let (ses, cur) = (pets.ses, pets.cur);
    let (other, theirs) = pets.other();
    let columns = |ses, cur| JetGetTableColumnInfo(ses, cur, None).unwrap().len();
    JetBeginTransaction(ses).unwrap();
    let id = JetAddColumn(ses, cur, "legs", &long(), &4_i32.to_le_bytes()).unwrap();
    assert_eq!(pets.get(id, 0).unwrap(), Some(4_i32.to_le_bytes().to_vec()), "the default");
    assert_eq!((columns(ses, cur), columns(other, theirs)), (5, 4), "others do not see it yet");
    JetRollback(ses, 0).unwrap();
    assert_eq!(columns(ses, cur), 4);
    JetAddColumn(ses, cur, "legs", &long(), &4_i32.to_le_bytes()).unwrap();
    assert_eq!(columns(other, theirs), 5);
    assert_eq!(code(JetDeleteColumn(ses, cur, "name")), JetErr::ColumnInUse);
    assert_eq!(code(JetDeleteColumn(ses, cur, "none")), JetErr::ColumnNotFound);
    JetDeleteColumn2(ses, cur, "legs", 0).unwrap();
    assert_eq!(columns(ses, cur), 4);
    JetSetCurrentIndex(other, theirs, Some("down")).unwrap();
    assert_eq!(code(JetDeleteIndex(ses, cur, "down")), JetErr::IndexInUse);
    JetSetCurrentIndex(other, theirs, None).unwrap();
    let down = JetGetTableIndexInfo(ses, cur, Some("down")).unwrap()[0].indexid;
    JetDeleteIndex(ses, cur, "down").unwrap();
    assert_eq!(code(JetSetCurrentIndex(ses, cur, Some("down"))), JetErr::IndexNotFound);
    let stale = JetSetCurrentIndex4(ses, cur, None, Some(&down), 0, 1);
    assert_eq!(code(stale), JetErr::InvalidIndexId);
    pets.go(JET_MoveFirst).unwrap();
    assert_eq!(pets.rest(), [1, 2, 3, 5, 6, 8]);
}

#[test]
fn s13_08_a_column_is_renamed_and_gets_another_default() {
    let _mode = multi();
    let pets = pets();
    let (ses, cur, dbid) = (pets.ses, pets.cur, pets.live.dbid);
    let id = JetAddColumn(ses, cur, "legs", &long(), &4_i32.to_le_bytes()).unwrap();
    let rename = |from, to| JetRenameColumn(ses, cur, from, to, 0);
    JetBeginTransaction(ses).unwrap();
    assert_eq!(code(rename("legs", "feet")), JetErr::InTransaction);
    JetRollback(ses, 0).unwrap();
    assert_eq!(code(rename("none", "feet")), JetErr::ColumnNotFound);
    assert_eq!(code(rename("legs", "age")), JetErr::ColumnDuplicate);
    rename("legs", "feet").unwrap();
    let info = JetGetColumnInfo(ses, dbid, "pets", Some("feet")).unwrap();
    assert_eq!(info[0].def.columnid, id);
    let set = |name, value: &[u8]| JetSetColumnDefaultValue(ses, dbid, "pets", name, value, 0);
    assert_eq!(code(set("feet", &[])), JetErr::ColumnIllegalNull);
    assert_eq!(code(set("age", &4_i32.to_le_bytes())), JetErr::ColumnInUse);
    // The engine's source wants the table for itself, as who opens it with JET_bitTableDenyRead.
    let (other, theirs) = pets.other();
    assert_eq!(code(set("feet", &6_i32.to_le_bytes())), JetErr::TableInUse);
    JetCloseTable(other, theirs).unwrap();
    set("feet", &6_i32.to_le_bytes()).unwrap();
    let again = JetOpenTable(other, pets.live.dbid, "pets", 0).unwrap();
    JetCloseTable(other, again).unwrap();
    assert_eq!(pets.get(id, 0).unwrap(), Some(6_i32.to_le_bytes().to_vec()));
    JetCloseTable(ses, cur).unwrap();
    JetRenameTable(ses, dbid, "pets", "animals").unwrap();
    assert_eq!(code(JetOpenTable(ses, dbid, "pets", 0)), JetErr::ObjectNotFound);
    JetOpenTable(ses, dbid, "animals", 0).unwrap();
    assert_eq!(code(JetRenameTable(ses, dbid, "animals", "t")), JetErr::TableDuplicate);
}

/// The reference page of JET_COLUMNID has ids unique within a table and a column's id its own for
/// good, until the database is compacted. In the engine's source a new id follows the last one of
/// its range that the table knows; real databases fix the first ids as the statement has them.
/// The engine's source refuses a cursor that has the table alone and only reads it.
#[test]
fn s13_06_who_only_reads_does_not_keep_others_from_reading() {
    let _mode = multi();
    let pets = pets();
    let (ses, dbid) = (pets.ses, pets.live.dbid);
    JetCloseTable(ses, pets.cur).unwrap();
    let alone = JET_bitTableDenyRead | JET_bitTableReadOnly;
    assert_eq!(code(JetOpenTable(ses, dbid, "pets", alone)), JetErr::InvalidGrbit);
    JetOpenTable(ses, dbid, "pets", alone | JET_bitTablePermitDDL).unwrap();
}

#[test]
fn s13_09_column_ids_rise_within_their_range_and_are_not_used_again() {
    let _mode = multi();
    let pets = pets();
    assert_eq!([pets.id, pets.age, pets.name, pets.data], [1, 2, 128, 256]);
    let add = |name: &str, def: JET_COLUMNDEF| JetAddColumn(pets.ses, pets.cur, name, &def, &[]);
    assert_eq!(add("a", long()).unwrap(), 3);
    JetDeleteColumn(pets.ses, pets.cur, "a").unwrap();
    assert_eq!(add("a", long()).unwrap(), 4);
}

#[test]
fn s13_10_where_a_column_lies_follows_from_its_type() {
    let _mode = multi();
    let pets = pets();
    let add = |name: &str, coltyp, grbit| {
        let def = JET_COLUMNDEF { coltyp, grbit, ..JET_COLUMNDEF::default() };
        JetAddColumn(pets.ses, pets.cur, name, &def, &[])
    };
    assert!((1..128).contains(&add("guid", JET_coltypGUID, 0).unwrap()));
    assert!((128..256).contains(&add("binary", JET_coltypBinary, 0).unwrap()));
    assert!(add("long text", JET_coltypLongText, 0).unwrap() >= 256);
    assert!(add("tagged", JET_coltypLong, JET_bitColumnTagged).unwrap() >= 256);
    let multi = add("multi", JET_coltypLong, JET_bitColumnMultiValued);
    assert_eq!(code(multi), JetErr::MultiValuedColumnMustBeTagged);
    let not_null = add("required", JET_coltypLong, JET_bitColumnTagged | JET_bitColumnNotNULL);
    assert_eq!(code(not_null), JetErr::TaggedNotNULL);
}

/// The engine's source asks for the flags that it knows, and looks at no other.
#[test]
fn s13_10_flags_that_nobody_knows_mean_nothing() {
    let _mode = multi();
    let pets = pets();
    let (ses, dbid) = (pets.ses, pets.live.dbid);
    let nobodys = 0x0100_0000;
    let told = JET_bitColumnUpdatable | JET_bitColumnMaybeNull;
    for (name, grbit) in [("a", nobodys), ("b", told), ("c", nobodys | JET_bitColumnTagged)] {
        let def = JET_COLUMNDEF { coltyp: JET_coltypLong, grbit, ..JET_COLUMNDEF::default() };
        JetAddColumn(ses, pets.cur, name, &def, &[]).unwrap();
        let column = JetGetTableColumnInfo(ses, pets.cur, Some(name)).unwrap().remove(0);
        let place =
            if grbit & JET_bitColumnTagged == 0 { JET_bitColumnFixed } else { JET_bitColumnTagged };
        assert_eq!(column.def.grbit, place | JET_bitColumnUpdatable, "{name}");
    }
    JetCreateIndex(ses, pets.cur, "odd", nobodys, "+age\0\0", 0).unwrap();
    let mut table = template("odd", nobodys, None);
    JetCreateTableColumnIndex(ses, dbid, &mut table).unwrap();
    // What means something that is not there is refused.
    let encrypted = JET_COLUMNDEF { coltyp: JET_coltypLong, grbit: 0x10_0000, ..long() };
    let encrypted = JetAddColumn(ses, pets.cur, "encrypted", &encrypted, &[]);
    assert_eq!(code(encrypted), JetErr::FeatureNotAvailable);
    let deferred = JetCreateIndex(ses, pets.cur, "deferred", 0x10_0000, "+age\0\0", 0);
    assert_eq!(code(deferred), JetErr::FeatureNotAvailable);
    let mut system = template("system", 0x8000_0000, None);
    assert_eq!(code(JetCreateTableColumnIndex(ses, dbid, &mut system)), JetErr::InvalidGrbit);
}

fn template(name: &str, grbit: JET_GRBIT, parent: Option<&str>) -> JET_TABLECREATE {
    let column = |name: &str, coltyp, grbit| JET_COLUMNCREATE {
        szColumnName: name.into(),
        coltyp,
        grbit,
        ..JET_COLUMNCREATE::default()
    };
    let prefix = if parent.is_some() { "own " } else { "" };
    JET_TABLECREATE {
        szTableName: name.into(),
        grbit,
        szTemplateTableName: parent.map(str::to_owned),
        rgcolumncreate: vec![
            column(&format!("{prefix}fixed"), JET_coltypLong, 0),
            column(&format!("{prefix}text"), JET_coltypText, 0),
            column(&format!("{prefix}tagged"), JET_coltypLong, JET_bitColumnTagged),
        ],
        rgindexcreate: vec![JET_INDEXCREATE {
            szIndexName: format!("{prefix}index"),
            szKey: format!("+{prefix}tagged\0\0"),
            ..JET_INDEXCREATE::default()
        }],
        ..JET_TABLECREATE::default()
    }
}

/// The engine's source refuses JET_bitTableCreateNoFixedVarColumnsInDerivedTables, with the flag of
/// a template and without it.
#[test]
fn s13_05_a_derived_table_inherits_from_its_template() {
    let _mode = multi();
    let live = Live::new();
    let (ses, dbid) = (live.sesid, live.dbid);
    let create = |mut table: JET_TABLECREATE| {
        let made = JetCreateTableColumnIndex4(ses, dbid, &mut table);
        made.map(|()| table)
    };
    let is_template = JET_bitTableCreateTemplateTable;
    let mother = create(template("mother", is_template, None)).unwrap();
    let nested = create(template("x", is_template, Some("mother")));
    assert_eq!(code(nested), JetErr::CannotNestDDL);
    for bits in [is_template, 0] {
        let bits = bits | JET_bitTableCreateNoFixedVarColumnsInDerivedTables;
        assert_eq!(code(create(template("x", bits, None))), JetErr::InvalidGrbit);
    }
    assert_eq!(code(create(template("x", 0, Some("t")))), JetErr::DDLNotInheritable);
    assert_eq!(code(create(template("x", 0, Some("none")))), JetErr::ObjectNotFound);
    let table = create(template("daughter", 0, Some("mother"))).unwrap();
    let (cur, bit) = (table.tableid, 0x8000_0000);
    let ids = |table: &JET_TABLECREATE| -> Vec<u32> {
        table.rgcolumncreate.iter().map(|column| column.columnid).collect()
    };
    assert_eq!(ids(&mother), [bit | 1, bit | 128, bit | 256]);
    assert_eq!(ids(&table), [2, 129, 256]);
    let columns = JetGetTableColumnInfo(ses, cur, None).unwrap();
    assert_eq!(columns.len(), 6);
    let name = JET_TBLINFO::Name("mother".into());
    assert_eq!(JetGetTableInfo(ses, cur, JET_TblInfoTemplateTableName).unwrap(), name);

    // Both columns 256, each by its id.
    JetBeginTransaction(ses).unwrap();
    JetPrepareUpdate(ses, cur, JET_prepInsert).unwrap();
    let set = |column: u32, value: i32| {
        JetSetColumn(ses, cur, column, Some(&value.to_le_bytes()), 0, None).unwrap();
    };
    set(256, 7);
    set(bit | 256, 8);
    set(bit | 1, 9);
    JetUpdate(ses, cur).unwrap();
    JetCommitTransaction(ses, 0).unwrap();
    for (column, value) in [(256, 7), (bit | 256, 8), (bit | 1, 9)] {
        assert_eq!(id_at(ses, cur, column).unwrap(), value, "{column:#x}");
    }
    let wrong = JetRetrieveColumn(ses, cur, bit | 129, 0, None);
    assert_eq!(code(wrong), JetErr::ColumnNotFound, "its own column has no such bit");
    for (index, value) in [("index", 8_i32), ("own index", 7)] {
        JetSetCurrentIndex(ses, cur, Some(index)).unwrap();
        JetMakeKey(ses, cur, Some(&value.to_le_bytes()), JET_bitNewKey).unwrap();
        JetSeek(ses, cur, JET_bitSeekEQ).unwrap();
    }

    let fixed = JetErr::FixedInheritedDDL;
    assert_eq!(code(JetDeleteColumn(ses, cur, "fixed")), fixed);
    let own = JetDeleteColumn2(ses, cur, "fixed", JET_bitDeleteColumnIgnoreTemplateColumns);
    assert_eq!(code(own), JetErr::ColumnNotFound, "it is none of its own");
    assert_eq!(code(JetDeleteIndex(ses, cur, "index")), fixed);
    let def = JET_COLUMNDEF { coltyp: JET_coltypLong, ..JET_COLUMNDEF::default() };
    let frozen = JetAddColumn(ses, mother.tableid, "late", &def, &[]);
    assert_eq!(code(frozen), JetErr::FixedDDL);
    assert_eq!(JetAddColumn(ses, cur, "late", &def, &[]).unwrap(), 3);
    JetCloseTable(ses, mother.tableid).unwrap();
    assert_eq!(code(JetDeleteTable(ses, dbid, "mother")), JetErr::CannotDeleteTemplateTable);
}

#[test]
fn s13_04_a_fixed_table_is_added_to_by_who_has_it_alone_and_asks_for_it() {
    let _mode = multi();
    let live = Live::new();
    let (ses, dbid) = (live.sesid, live.dbid);
    let mut table = template("fixed", JET_bitTableCreateFixedDDL, None);
    table.grbit |= JET_bitTableCreateImmutableStructure;
    JetCreateTableColumnIndex3(ses, dbid, &mut table).unwrap();
    assert_eq!((table.tableid, table.cCreated), (JET_TABLEID::default(), 0), "left as it was");
    let def = JET_COLUMNDEF { coltyp: JET_coltypLong, ..JET_COLUMNDEF::default() };
    let cur = JetOpenTable(ses, dbid, "fixed", JET_bitTableDenyRead).unwrap();
    assert_eq!(code(JetAddColumn(ses, cur, "late", &def, &[])), JetErr::FixedDDL);
    let shared = JetOpenTable(ses, dbid, "fixed", JET_bitTablePermitDDL);
    assert_eq!(code(shared), JetErr::InvalidGrbit);
    let permit = JET_bitTablePermitDDL | JET_bitTableDenyRead;
    let cur = JetOpenTable(ses, dbid, "fixed", permit).unwrap();
    JetAddColumn(ses, cur, "late", &def, &[]).unwrap();
    JetCreateIndex(ses, cur, "late", 0, "+late\0\0", 0).unwrap();
    assert_eq!(code(JetDeleteIndex(ses, cur, "late")), JetErr::FixedDDL);
    assert_eq!(code(JetDeleteColumn(ses, cur, "text")), JetErr::FixedDDL);
}

/// The engine's source lets a template be added to as long as nothing derives from it.
#[test]
fn s13_05_a_template_is_added_to_until_a_table_derives_from_it() {
    let _mode = multi();
    let live = Live::new();
    let (ses, dbid) = (live.sesid, live.dbid);
    let mut mother = template("mother", JET_bitTableCreateTemplateTable, None);
    JetCreateTableColumnIndex3(ses, dbid, &mut mother).unwrap();
    JetCloseTable(ses, mother.tableid).unwrap();
    let def = JET_COLUMNDEF { coltyp: JET_coltypLong, ..JET_COLUMNDEF::default() };
    let cur = JetOpenTable(ses, dbid, "mother", JET_bitTableDenyRead).unwrap();
    assert_eq!(code(JetAddColumn(ses, cur, "late", &def, &[])), JetErr::FixedDDL);
    JetCloseTable(ses, cur).unwrap();
    let permit = JET_bitTablePermitDDL | JET_bitTableDenyRead;
    let cur = JetOpenTable(ses, dbid, "mother", permit).unwrap();
    let late = JetAddColumn(ses, cur, "late", &def, &7_i32.to_le_bytes()).unwrap();
    JetCreateIndex(ses, cur, "late", 0, "+late\0\0", 0).unwrap();
    let other = JetDupSession(ses).unwrap();
    let theirs = JetOpenDatabase(other, live.path().to_str().unwrap(), 0).unwrap().1;
    let mut early = template("early", 0, Some("mother"));
    early.rgcolumncreate.clear();
    early.rgindexcreate.clear();
    let locked = JetCreateTableColumnIndex3(other, theirs, &mut early);
    assert_eq!(code(locked), JetErr::TableLocked);
    let mut child = JET_TABLECREATE { szTableName: "child".into(), ..early };
    JetCreateTableColumnIndex3(ses, dbid, &mut child).unwrap();
    let frozen = JetAddColumn(ses, cur, "later", &def, &[]);
    assert_eq!(code(frozen), JetErr::FixedDDL, "a table derives from it now");
    JetCloseTable(ses, cur).unwrap();
    assert_eq!(code(JetOpenTable(ses, dbid, "mother", permit)), JetErr::TableInUse);
    let cur = child.tableid;
    JetPrepareUpdate(ses, cur, JET_prepInsert).unwrap();
    JetUpdate(ses, cur).unwrap();
    JetSetCurrentIndex(ses, cur, Some("late")).unwrap();
    assert_eq!(id_at(ses, cur, late).unwrap(), 7, "inherited with its default and its index");
}

/// The engine's source looks for columns that must have a value when a row is new.
#[test]
fn s13_10_rows_older_than_a_column_that_refuses_null_can_still_be_changed() {
    let _mode = multi();
    let pets = pets();
    let must = JET_COLUMNDEF { grbit: JET_bitColumnFixed | JET_bitColumnNotNULL, ..long() };
    let must = JetAddColumn(pets.ses, pets.cur, "must", &must, &[]).unwrap();
    pets.seek_id(1, JET_bitSeekEQ).unwrap();
    pets.prepare(JET_prepReplace).unwrap();
    pets.set(pets.name, b"ape").unwrap();
    pets.update().unwrap();
    pets.prepare(JET_prepReplace).unwrap();
    let null = JetSetColumn(pets.ses, pets.cur, must, None, 0, None);
    assert_eq!(code(null), JetErr::ColumnIllegalNull);
    pets.prepare(JET_prepCancel).unwrap();
    assert_eq!(code(pets.insert(99, "new", None)), JetErr::ColumnIllegalNull);
}

/// As many tagged columns as there are ids, in one call: each costs the same, however many there
/// are before it.
#[test]
fn s13_09_a_table_is_made_with_all_the_columns_that_it_can_have() {
    let _mode = multi();
    let live = Live::with(|inst| {
        let versions = JET_paramMaxVerPages;
        JetSetSystemParameter(Some(inst), JET_SESID::NIL, versions, 1024, None).unwrap();
    });
    let column = |name: String| JET_COLUMNCREATE {
        szColumnName: name,
        coltyp: JET_coltypLong,
        grbit: JET_bitColumnTagged,
        ..JET_COLUMNCREATE::default()
    };
    let mut table = JET_TABLECREATE {
        szTableName: "many".into(),
        rgcolumncreate: (0..64_993).map(|n| column(format!("c{n}"))).collect(),
        ..JET_TABLECREATE::default()
    };
    JetCreateTableColumnIndex(live.sesid, live.dbid, &mut table).unwrap();
    let ids = table.rgcolumncreate.iter().map(|column| column.columnid);
    assert!(ids.eq(256..256 + 64_993));
    JetCloseTable(live.sesid, table.tableid).unwrap();
    let mut again = JET_TABLECREATE { szTableName: "twice".into(), ..table.clone() };
    again.rgcolumncreate[64_992].szColumnName = "C7".into();
    let twice = JetCreateTableColumnIndex(live.sesid, live.dbid, &mut again);
    assert_eq!(code(twice), JetErr::ColumnDuplicate);
    again.rgcolumncreate.push(column("one more".into()));
    again.rgcolumncreate[64_992].szColumnName = "c64992".into();
    let more = JetCreateTableColumnIndex(live.sesid, live.dbid, &mut again);
    assert_eq!(code(more), JetErr::TooManyColumns);
}

/// Who is told that a cursor goes is told before the transaction is taken back.
#[test]
fn s13_03_what_a_cursor_denies_lasts_until_the_end_of_its_session_has_taken_the_changes_back() {
    let _alone = alone();
    let opens = Arc::new(Mutex::new(None));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (open, to) = (Arc::clone(&opens), Arc::clone(&seen));
    let callback = JET_CALLBACK::new(move |_| {
        let (ses, dbid) = open.lock().unwrap().unwrap();
        to.lock().unwrap().push(code(JetOpenTable(ses, dbid, "pets", 0)));
        Ok(())
    });
    set_runtime_callback(None, Some(&callback)).unwrap();
    let pets = empty();
    pets.insert(1, "ant", None).unwrap();
    set_runtime_callback(None, None).unwrap();
    JetCloseTable(pets.ses, pets.cur).unwrap();
    let path = pets.live.path();
    let another = || {
        let ses = JetBeginSession(pets.live.inst).unwrap();
        (ses, JetOpenDatabase(ses, path.to_str().unwrap(), 0).unwrap().1)
    };
    *opens.lock().unwrap() = Some(another());
    let (ses, dbid) = another();
    JetBeginTransaction(ses).unwrap();
    let held = JetOpenTable(ses, dbid, "pets", JET_bitTableDenyRead).unwrap();
    JetSetLS(ses, held, 1, 0).unwrap();
    JetMove(ses, held, JET_MoveFirst, 0).unwrap();
    JetDelete(ses, held).unwrap();
    JetEndSession(ses, 0).unwrap();
    assert_eq!(*seen.lock().unwrap(), [JetErr::TableLocked]);
    let (ses, dbid) = opens.lock().unwrap().unwrap();
    JetCloseTable(ses, JetOpenTable(ses, dbid, "pets", 0).unwrap()).unwrap();
}
