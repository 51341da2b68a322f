//! Section 13: tables, and changing them.

use crate::pets::*;

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
    JetCloseTable(ses, held).unwrap();
    open(other, 0).unwrap();
    JetCloseTable(other, reading).unwrap();
    JetEndSession(other, 0).unwrap();
    open(ses, JET_bitTableDenyRead).unwrap();
    open(ses, JET_bitTableDenyRead).unwrap();
    open(ses, 0).unwrap();
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
    assert_eq!(info[0].1.columnid, id);
    let set = |name, value: &[u8]| JetSetColumnDefaultValue(ses, dbid, "pets", name, value, 0);
    assert_eq!(code(set("feet", &[])), JetErr::ColumnIllegalNull);
    assert_eq!(code(set("age", &4_i32.to_le_bytes())), JetErr::ColumnInUse);
    set("feet", &6_i32.to_le_bytes()).unwrap();
    assert_eq!(pets.get(id, 0).unwrap(), Some(6_i32.to_le_bytes().to_vec()));
    JetCloseTable(ses, cur).unwrap();
    JetRenameTable(ses, dbid, "pets", "animals").unwrap();
    assert_eq!(code(JetOpenTable(ses, dbid, "pets", 0)), JetErr::ObjectNotFound);
    JetOpenTable(ses, dbid, "animals", 0).unwrap();
    assert_eq!(code(JetRenameTable(ses, dbid, "animals", "t")), JetErr::TableDuplicate);
}

/// Real databases and the catalog's own rules fix the first ids as the statement has them.
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

#[test]
fn s13_11_lists_tell_of_all_columns_indexes_and_tables() {
    let _mode = multi();
    let pets = pets();
    let (ses, dbid) = (pets.ses, pets.live.dbid);
    let columns = JetGetColumnInfo(ses, dbid, "pets", None).unwrap();
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["id", "age", "name", "data"]);
    let missing = JetGetColumnInfo(ses, dbid, "pets", Some("none"));
    assert_eq!(code(missing), JetErr::ColumnNotFound);
    let indexes = JetGetIndexInfo(ses, dbid, "pets", None).unwrap();
    assert_eq!(indexes.len(), 4);
    let down = &JetGetIndexInfo(ses, dbid, "pets", Some("DOWN")).unwrap()[0];
    let key = [(pets.name, "name".to_owned(), true), (pets.id, "id".to_owned(), false)];
    assert_eq!(down.rgcolumn, key);
    let age = &JetGetIndexInfo(ses, dbid, "pets", Some("age")).unwrap()[0];
    assert_eq!(age.grbit & JET_bitIndexUnique, JET_bitIndexUnique);
    assert_eq!(age.grbit & JET_bitIndexIgnoreNull, JET_bitIndexIgnoreNull);
    assert_eq!(code(JetGetIndexInfo(ses, dbid, "pets", Some("x"))), JetErr::IndexNotFound);
    assert_eq!(code(JetGetIndexInfo(ses, dbid, "x", None)), JetErr::ObjectNotFound);
    JetSetCurrentIndex4(ses, pets.cur, None, Some(&down.indexid), 0, 1).unwrap();
    assert_eq!(JetGetCurrentIndex(ses, pets.cur).unwrap(), "down");
    let objects = JetGetObjectInfo(ses, dbid, None).unwrap();
    let system = objects.iter().filter(|object| object.flags & JET_bitObjectSystem != 0).count();
    assert_eq!((objects.len() - system, system > 0), (2, true), "pets and t");
    assert_eq!(JetGetObjectInfo(ses, dbid, Some("PETS")).unwrap()[0].szName, "pets");
}

#[test]
fn s13_12_what_a_cursor_knows_of_its_table() {
    let _mode = multi();
    let pets = pets();
    let info = |level| JetGetTableInfo(pets.ses, pets.cur, level);
    assert_eq!(info(JET_TblInfoName).unwrap(), JET_TBLINFO::Name("pets".into()));
    assert_eq!(info(JET_TblInfoDbid).unwrap(), JET_TBLINFO::Dbid(pets.live.dbid));
    assert_eq!(info(JET_TblInfoTemplateTableName).unwrap(), JET_TBLINFO::Name(String::new()));
    assert!(matches!(info(JET_TblInfoSpaceAlloc).unwrap(), JET_TBLINFO::SpaceAlloc(_, 80)));
    assert!(matches!(info(JET_TblInfo).unwrap(), JET_TBLINFO::Object(_)));
    assert_eq!(code(info(99)), JetErr::InvalidParameter);
}
