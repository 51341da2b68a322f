//! Section 13: what lists and calls tell of tables.

use crate::pets::*;

/// The engine's source tells of a column, beside its definition, whether the cursor may write,
/// country 1 and the language of the instance's order of text. By a table's name no cursor writes.
#[test]
fn s13_11_column_info_tells_whether_the_cursor_writes_and_of_which_language_it_is() {
    let _mode = multi();
    let pets = pets();
    let (ses, dbid) = (pets.ses, pets.live.dbid);
    let reads = JetOpenTable(ses, dbid, "pets", JET_bitTableReadOnly).unwrap();
    for (cur, updatable) in [(pets.cur, JET_bitColumnUpdatable), (reads, 0)] {
        for column in JetGetTableColumnInfo(ses, cur, None).unwrap() {
            assert_eq!(column.def.grbit & JET_bitColumnUpdatable, updatable);
            assert_eq!(column.langid, 0x409);
        }
    }
    let by_name = JetGetColumnInfo(ses, dbid, "pets", Some("age")).unwrap().remove(0);
    assert_eq!(by_name.def.grbit, JET_bitColumnFixed, "nobody writes by the table's name");
    let list = JET_COLUMNLIST::open(ses, &[by_name]).unwrap();
    let short = |column| {
        let bytes = bytes_of(ses, list.tableid, column);
        u16::from_le_bytes(bytes.try_into().unwrap())
    };
    JetMove(ses, list.tableid, JET_MoveFirst, 0).unwrap();
    assert_eq!((short(list.columnidCountry), short(list.columnidLangid)), (1, 0x409));
    JetCloseTable(ses, list.tableid).unwrap();
}

#[test]
fn s13_11_lists_tell_of_all_columns_indexes_and_tables() {
    let _mode = multi();
    let pets = pets();
    let (ses, dbid) = (pets.ses, pets.live.dbid);
    let columns = JetGetColumnInfo(ses, dbid, "pets", None).unwrap();
    let names: Vec<&str> = columns.iter().map(|column| column.szColumnName.as_str()).collect();
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

/// In the engine's source the name and the template's name want room (`JET_errBufferTooSmall`),
/// which is the C interface's; a temporary table answers `JET_errObjectNotFound` for JET_TblInfo
/// and `JET_errInvalidOperation` for names and the database, when there are such tables.
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
    let Ok(JET_TBLINFO::SpaceUsage(owned, free, extents)) = info(JET_TblInfoSpaceUsage) else {
        panic!("no space usage");
    };
    assert!(owned >= 4 && free < owned, "the table and three indexes: {owned} {free}");
    assert_eq!(extents.iter().map(|(_, pages)| u64::from(*pages)).sum::<u64>(), owned);
    assert_eq!(info(JET_TblInfoSpaceOwned).unwrap(), JET_TBLINFO::Number(owned));
    assert_eq!(info(JET_TblInfoSpaceAvailable).unwrap(), JET_TBLINFO::Number(free));
    assert!(matches!(info(JET_TblInfoObjectId).unwrap(), JET_TBLINFO::Number(8..)));
    assert_eq!(code(info(99)), JetErr::FeatureNotAvailable);
}

/// The text of a column in the current row.
fn text_of(ses: JET_SESID, list: JET_TABLEID, column: JET_COLUMNID) -> String {
    let bytes = bytes_of(ses, list, column);
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    String::from_utf16(&units.collect::<Vec<_>>()).unwrap()
}

fn number_of(ses: JET_SESID, list: JET_TABLEID, column: JET_COLUMNID) -> u32 {
    u32::from_le_bytes(bytes_of(ses, list, column).try_into().unwrap())
}

fn bytes_of(ses: JET_SESID, list: JET_TABLEID, column: JET_COLUMNID) -> Vec<u8> {
    JetRetrieveColumn(ses, list, column, 0, None).unwrap().unwrap_or_default()
}

/// What `read` gives for each row of a list, from its beginning.
fn rows_of<T>(ses: JET_SESID, list: JET_TABLEID, mut read: impl FnMut() -> T) -> Vec<T> {
    let mut rows = Vec::new();
    let mut moved = JetMove(ses, list, JET_MoveFirst, 0);
    while moved.is_ok() {
        rows.push(read());
        moved = JetMove(ses, list, JET_MoveNext, 0);
    }
    assert_eq!(code(moved), JetErr::NoCurrentRecord);
    rows
}

#[test]
fn s13_11_lists_are_temporary_tables_that_the_caller_closes() {
    let _mode = multi();
    let pets = pets();
    let (ses, dbid) = (pets.ses, pets.live.dbid);
    let columns = JetGetColumnInfo(ses, dbid, "pets", None).unwrap();
    let list = JET_COLUMNLIST::open(ses, &columns).unwrap();
    // The list is sorted by name, as its key says.
    let rows = rows_of(ses, list.tableid, || {
        let name = text_of(ses, list.tableid, list.columnidcolumnname);
        (name, number_of(ses, list.tableid, list.columnidcoltyp))
    });
    let mut wanted: Vec<(String, u32)> =
        columns.iter().map(|column| (column.szColumnName.clone(), column.def.coltyp)).collect();
    wanted.sort_unstable();
    assert_eq!((rows, list.cRecord), (wanted, 4));
    JetCloseTable(ses, list.tableid).unwrap();

    let indexes = JetGetIndexInfo(ses, dbid, "pets", None).unwrap();
    let list = JET_INDEXLIST::open(ses, &indexes, &columns).unwrap();
    let rows = rows_of(ses, list.tableid, || {
        let of = |column| number_of(ses, list.tableid, column);
        let name = text_of(ses, list.tableid, list.columnidindexname);
        let column = text_of(ses, list.tableid, list.columnidcolumnname);
        (name, of(list.columnidiColumn), column, of(list.columnidgrbitColumn))
    });
    let mut wanted: Vec<(String, u32, String, u32)> = Vec::new();
    for index in &indexes {
        for (at, (_, column, descending)) in (0..).zip(&index.rgcolumn) {
            let order = if *descending { JET_bitKeyDescending } else { JET_bitKeyAscending };
            wanted.push((index.szIndexName.clone(), at, column.clone(), order));
        }
    }
    wanted.sort_unstable();
    assert_eq!(u32::try_from(wanted.len()).unwrap(), list.cRecord);
    assert_eq!(rows, wanted);
    JetCloseTable(ses, list.tableid).unwrap();

    let objects = JetGetObjectInfo(ses, dbid, None).unwrap();
    let list = JET_OBJECTLIST::open(ses, &objects).unwrap();
    let rows = rows_of(ses, list.tableid, || text_of(ses, list.tableid, list.columnidobjectname));
    assert_eq!(rows.len(), objects.len());
    assert!(rows.contains(&"pets".to_owned()), "{rows:?}");
    JetCloseTable(ses, list.tableid).unwrap();
    assert_eq!(code(JetMove(ses, list.tableid, JET_MoveFirst, 0)), JetErr::InvalidTableId);

    let bookmarks = vec![vec![1, 2], vec![1, 3], vec![7; 300]];
    let list = JET_RECORDLIST::open(ses, &bookmarks).unwrap();
    let rows = rows_of(ses, list.tableid, || bytes_of(ses, list.tableid, list.columnidBookmark));
    assert_eq!((rows, list.cRecord), (bookmarks, 3));
    let back = JetMove(ses, list.tableid, JET_MovePrevious, 0);
    assert_eq!(code(back), JetErr::IllegalOperation, "forward only");
    JetCloseTable(ses, list.tableid).unwrap();
}

#[test]
fn s13_11_columns_are_told_by_name_by_id_and_with_their_table() {
    let _mode = multi();
    let pets = pets();
    let (ses, cur) = (pets.ses, pets.cur);
    let by_id = JetGetTableColumnInfo(ses, cur, pets.name).unwrap();
    assert_eq!(by_id, JetGetTableColumnInfo(ses, cur, Some("NAME")).unwrap());
    assert_eq!((by_id[0].szColumnName.as_str(), by_id[0].def.coltyp), ("name", JET_coltypText));
    let base = &by_id[0];
    assert_eq!((base.szBaseTableName.as_str(), base.szBaseColumnName.as_str()), ("pets", "name"));
    assert_eq!(code(JetGetTableColumnInfo(ses, cur, 77)), JetErr::ColumnNotFound);
    assert_eq!(code(JetGetTableColumnInfo(ses, cur, 0)), JetErr::BadColumnId);
    let own = JetGetColumnInfo(ses, pets.live.dbid, "pets", JET_COLUMNCHOICE::Own).unwrap();
    assert_eq!(own.len(), 4);
}

/// Before a counting the numbers are zero; they are as old as the last counting.
#[test]
fn s13_12_counting_changes_what_the_info_calls_tell() {
    let _mode = multi();
    let pets = pets();
    let (ses, dbid) = (pets.ses, pets.live.dbid);
    let numbers = || {
        let object = JetGetObjectInfo(ses, dbid, Some("pets")).unwrap().remove(0);
        let name = JetGetIndexInfo(ses, dbid, "pets", Some("name")).unwrap().remove(0);
        (object.cRecord, name.cEntry, name.cKey)
    };
    assert_eq!(numbers(), (0, 0, 0));
    JetComputeStats(ses, pets.cur).unwrap();
    assert_eq!(numbers(), (6, 6, 4), "bee has three");
    pets.insert(9, "elk", None).unwrap();
    assert_eq!(numbers(), (6, 6, 4));
    JetComputeStats(ses, pets.cur).unwrap();
    assert_eq!(numbers(), (7, 7, 5));
    let object = JetGetObjectInfo(ses, dbid, Some("pets")).unwrap().remove(0);
    assert!(object.cPage >= 1, "{object:?}");
    JetBeginTransaction2(ses, JET_bitTransactionReadOnly).unwrap();
    assert_eq!(code(JetComputeStats(ses, pets.cur)), JetErr::TransReadOnly);
    JetRollback(ses, 0).unwrap();
}
