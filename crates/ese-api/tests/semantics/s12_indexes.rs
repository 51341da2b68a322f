//! Section 12: indexes and their definitions.

use crate::{jet_setup::set, pets::*};

fn index(name: &str, key: &str, grbit: u32) -> JET_INDEXCREATE {
    JET_INDEXCREATE {
        szIndexName: name.into(),
        szKey: key.into(),
        grbit,
        ..JET_INDEXCREATE::default()
    }
}

#[test]
fn s12_01_a_key_is_a_list_of_signed_names_with_two_nuls_at_its_end() {
    let _mode = multi();
    let pets = pets();
    let create = |key: &str| JetCreateIndex(pets.ses, pets.cur, "new", 0, key, 0);
    for malformed in ["+name", "+name\0", "name\0\0", "\0\0", "+name\0\0+id\0\0"] {
        assert_eq!(code(create(malformed)), JetErr::IndexInvalidDef, "{malformed:?}");
    }
    assert_eq!(code(create("")), JetErr::InvalidParameter);
    assert_eq!(code(create("+none\0\0")), JetErr::ColumnNotFound);
    create("-age\0+name\0\0").unwrap();
    pets.index("new");
    assert_eq!(pets.rest(), [1, 2, 5, 6, 8, 3], "NULL comes last in a descending column");
}

/// The engine's source wants a sign of the first column only, and looks for none that is there
/// twice.
#[test]
fn s12_01_columns_behind_the_first_need_no_sign_and_one_may_be_there_twice() {
    let _mode = multi();
    let pets = pets();
    let create = |name: &str, key: &str| JetCreateIndex(pets.ses, pets.cur, name, 0, key, 0);
    create("unsigned", "-age\0name\0id\0\0").unwrap();
    let info = JetGetTableIndexInfo(pets.ses, pets.cur, Some("unsigned")).unwrap().remove(0);
    assert_eq!(info.create.szKey, "-age\0+name\0+id\0\0");
    create("twice", "+name\0-name\0+name\0\0").unwrap();
    create("most", &format!("{}\0", "+age\0".repeat(16))).unwrap();
    let many = create("more", &format!("{}\0", "+age\0".repeat(17)));
    assert_eq!(code(many), JetErr::IndexInvalidDef);
    pets.index("twice");
    let sorted = pets.rest();
    assert_eq!(sorted, [1, 2, 5, 8, 3, 6]);
    pets.index("most");
    assert_eq!(pets.rest(), [3, 8, 6, 5, 2, 1]);
    pets.insert(9, "bear", Some(55)).unwrap();
    pets.index("most");
    let mut key = JET_bitNewKey;
    for _ in 0..16 {
        pets.key(&55_i32.to_le_bytes(), key).unwrap();
        key = 0;
    }
    JetSeek(pets.ses, pets.cur, JET_bitSeekEQ).unwrap();
    assert_eq!(pets.at().unwrap(), 9);
    JetDelete(pets.ses, pets.cur).unwrap();
    pets.index("twice");
    assert_eq!(pets.rest(), sorted);
}

#[test]
fn s12_02_there_is_one_primary_index_and_it_stays() {
    let _mode = multi();
    let pets = pets();
    let second = JetCreateIndex(pets.ses, pets.cur, "p2", JET_bitIndexPrimary, "+age\0\0", 0);
    assert_eq!(code(second), JetErr::IndexHasPrimary);
    let delete = |name| JetDeleteIndex(pets.ses, pets.cur, name);
    assert_eq!(code(delete("pk")), JetErr::IndexMustStay);
    assert_eq!(code(delete("none")), JetErr::IndexNotFound);
    let twice = JetCreateIndex(pets.ses, pets.cur, "NAME", 0, "+age\0\0", 0);
    assert_eq!(code(twice), JetErr::IndexDuplicate);
}

#[test]
fn s12_03_several_indexes_are_made_at_once_outside_a_transaction() {
    let _mode = multi();
    let pets = pets();
    let mut two = [index("a", "+age\0+id\0\0", 0), index("b", "-name\0-age\0\0", 0)];
    let shared = JetCreateIndex2(pets.ses, pets.cur, &mut two);
    assert_eq!(code(shared), JetErr::ExclusiveTableLockRequired);
    assert!(two.iter().all(|one| one.err == Some(JetErr::ExclusiveTableLockRequired)));
    assert_eq!(code(JetCreateIndex2(pets.ses, pets.cur, &mut [])), JetErr::InvalidParameter);
    let (ses, dbid) = (pets.ses, pets.live.dbid);
    let cur = JetOpenTable(ses, dbid, "pets", JET_bitTableDenyRead).unwrap();
    JetBeginTransaction(ses).unwrap();
    assert_eq!(code(JetCreateIndex2(ses, cur, &mut two)), JetErr::InTransaction);
    JetRollback(ses, 0).unwrap();
    let mut with_primary = [two[0].clone(), index("p", "+age\0\0", JET_bitIndexPrimary)];
    assert_eq!(code(JetCreateIndex2(ses, cur, &mut with_primary)), JetErr::InvalidGrbit);
    let mut with_duplicates = [two[0].clone(), index("u", "+name\0\0", JET_bitIndexUnique)];
    assert_eq!(code(JetCreateIndex2(ses, cur, &mut with_duplicates)), JetErr::KeyDuplicate);
    assert_eq!(JetGetTableIndexInfo(ses, cur, None).unwrap().len(), 4, "no trace");
    JetCreateIndex4(ses, cur, &mut two).unwrap();
    assert!(two.iter().all(|one| one.err == Some(JetErr::Success)));
    JetSetCurrentIndex(ses, cur, Some("a")).unwrap();
    assert_eq!(id_at(ses, cur, pets.id).unwrap(), 3);
    assert_eq!(JetIndexRecordCount(ses, cur, 0).unwrap(), 6);
}

#[test]
fn s12_05_null_keys_have_entries_unless_they_are_ignored() {
    let _mode = multi();
    let pets = pets();
    pets.insert(9, "", None).unwrap();
    for (name, key, grbit, expected) in [
        ("all", "+age\0+name\0\0", 0, &[9, 3, 8, 6, 5, 2, 1][..]),
        ("high", "+age\0+name\0\0", JET_bitIndexSortNullsHigh, &[8, 6, 5, 2, 1, 3, 9]),
        ("null", "+age\0+name\0\0", JET_bitIndexIgnoreNull, &[3, 8, 6, 5, 2, 1]),
        ("any", "+name\0+age\0\0", JET_bitIndexIgnoreAnyNull, &[1, 8, 5, 2, 6]),
        ("first", "+name\0+age\0\0", JET_bitIndexIgnoreFirstNull, &[1, 8, 5, 2, 3, 6]),
    ] {
        JetCreateIndex(pets.ses, pets.cur, name, grbit, key, 0).unwrap();
        pets.index(name);
        assert_eq!(pets.rest(), expected, "{name}");
    }
    let refusing =
        JetCreateIndex(pets.ses, pets.cur, "no", JET_bitIndexDisallowNull, "+age\0\0", 0);
    assert_eq!(code(refusing), JetErr::NullKeyDisallowed);
}

/// The reference page of JetCreateIndex says nothing of it. In the engine's source a key of NULLs
/// is entered like any other, and a unique tree refuses the second one, unless the index ignores
/// them.
#[test]
fn s12_06_null_keys_collide_in_a_unique_index_unless_they_are_ignored() {
    let _mode = multi();
    let pets = pets();
    let unique = JET_bitIndexUnique;
    JetCreateIndex(pets.ses, pets.cur, "u", unique, "+age\0\0", 0).unwrap();
    let second = pets.insert(9, "emu", None);
    assert_eq!(code(second), JetErr::KeyDuplicate);
    pets.prepare(JET_prepCancel).unwrap();
    JetDeleteIndex(pets.ses, pets.cur, "u").unwrap();
    pets.insert(9, "emu", None).unwrap();
    let made = JetCreateIndex(pets.ses, pets.cur, "u", unique, "+age\0\0", 0);
    assert_eq!(code(made), JetErr::KeyDuplicate);
    let ignoring = unique | JET_bitIndexIgnoreNull;
    JetCreateIndex(pets.ses, pets.cur, "u", ignoring, "+age\0\0", 0).unwrap();
}

/// The engine's source takes as many conditions as key columns, 16, and gives
/// JET_errIndexInvalidDef for more; the reference page of JET_CONDITIONALCOLUMN names no number.
#[test]
fn s12_07_conditions_leave_rows_out_and_all_must_hold() {
    let _mode = multi();
    let pets = pets();
    let when = |name: &str, grbit| JET_CONDITIONALCOLUMN { szColumnName: name.into(), grbit };
    let (null, not_null) = (JET_bitIndexColumnMustBeNull, JET_bitIndexColumnMustBeNonNull);
    let create = |name: &str, conditions: Vec<JET_CONDITIONALCOLUMN>| {
        let mut new =
            [JET_INDEXCREATE { rgconditionalcolumn: conditions, ..index(name, "+name\0\0", 0) }];
        JetCreateIndex2(pets.ses, pets.cur, &mut new)
    };
    create("aged", vec![when("age", not_null)]).unwrap();
    create("ageless", vec![when("age", null), when("name", not_null)]).unwrap();
    for (name, expected) in [("aged", &[1, 2, 5, 8, 6][..]), ("ageless", &[3])] {
        pets.index(name);
        assert_eq!(pets.rest(), expected, "{name}");
    }
    assert_eq!(code(create("x", vec![when("none", null)])), JetErr::ColumnNotFound);
    assert_eq!(code(create("x", vec![when("age", 3)])), JetErr::InvalidGrbit);
    assert_eq!(code(create("x", vec![when("age", null); 17])), JetErr::IndexInvalidDef);
}

#[test]
fn s12_09_a_tuple_index_has_the_pieces_of_its_text() {
    let _mode = multi();
    let pets = pets();
    pets.insert(9, "elephant", None).unwrap();
    pets.insert(10, "phantom", None).unwrap();
    let create = |key: &str, grbit, limits: Option<JET_TUPLELIMITS>| {
        let limited = if limits.is_some() { JET_bitIndexTupleLimits } else { 0 };
        let mut new = [JET_INDEXCREATE {
            ptuplelimits: limits,
            ..index("pieces", key, grbit | limited | JET_bitIndexTuples)
        }];
        JetCreateIndex2(pets.ses, pets.cur, &mut new)
    };
    let unique = create("+name\0\0", JET_bitIndexUnique, None);
    assert_eq!(code(unique), JetErr::IndexTuplesNonUniqueOnly);
    assert_eq!(code(create("+age\0\0", 0, None)), JetErr::IndexTuplesTextBinaryColumnsOnly);
    let limits = |min, max, increment| JET_TUPLELIMITS {
        chLengthMin: min,
        chLengthMax: max,
        chToIndexMax: 100,
        cchIncrement: increment,
        ichStart: 0,
    };
    for (min, max, increment) in [(1, 10, 1), (3, 256, 1), (5, 4, 1), (3, 10, 0)] {
        let made = create("+name\0\0", 0, Some(limits(min, max, increment)));
        assert_eq!(code(made), JetErr::IndexTuplesInvalidLimits, "{min} {max} {increment}");
    }
    create("+name\0\0", 0, Some(limits(3, 10, 1))).unwrap();
    pets.index("pieces");
    pets.key(b"phant", JET_bitNewKey | JET_bitPartialColumnStartLimit).unwrap();
    JetSeek(pets.ses, pets.cur, JET_bitSeekGE).unwrap();
    pets.key(b"phant", JET_bitNewKey | JET_bitPartialColumnEndLimit).unwrap();
    pets.range(JET_bitRangeUpperLimit).unwrap();
    assert_eq!(pets.rest(), [9, 10]);
    // No piece is shorter than three, and none longer than ten.
    for short in [&b"ph"[..], b""] {
        assert_eq!(code(pets.key(short, JET_bitNewKey)), JetErr::IndexTuplesKeyTooSmall);
    }
    pets.insert(11, "abcdefghijklmn", None).unwrap();
    pets.index("pieces");
    pets.key(b"abcdefghijxyz", JET_bitNewKey).unwrap();
    JetSeek(pets.ses, pets.cur, JET_bitSeekEQ).unwrap();
}

/// The engine's source takes 0 (of the beginning: the greatest number) for no wish.
#[test]
fn s12_09_tuple_limits_that_are_not_said_have_defaults() {
    let _mode = multi();
    let pets = pets();
    let create = |name: &str, limits: Option<JET_TUPLELIMITS>| {
        let grbit = JET_bitIndexTuples | JET_bitIndexTupleLimits;
        let new = JET_INDEXCREATE { ptuplelimits: limits, ..index(name, "+name\0\0", grbit) };
        JetCreateIndex2(pets.ses, pets.cur, &mut [new])
    };
    let none = JET_TUPLELIMITS {
        chLengthMin: 0,
        chLengthMax: 0,
        chToIndexMax: 0,
        cchIncrement: 1,
        ichStart: u32::MAX,
    };
    create("default", Some(none)).unwrap();
    let info = JetGetTableIndexInfo(pets.ses, pets.cur, Some("default")).unwrap().remove(0);
    let limits = info.create.ptuplelimits.unwrap();
    assert_eq!((limits.chLengthMin, limits.chLengthMax, limits.chToIndexMax), (3, 10, 32_767));
    assert_eq!((limits.cchIncrement, limits.ichStart), (1, 0));
    assert_eq!(code(create("announced", None)), JetErr::IndexInvalidDef);
}

#[test]
fn s12_09_tuple_limits_come_from_the_instance_where_the_index_brings_none() {
    let _mode = multi();
    let pets = pets_in(Live::with(|inst| {
        set(inst, JET_paramIndexTuplesLengthMin, 5);
        set(inst, JET_paramIndexTuplesLengthMax, 6);
        set(inst, JET_paramIndexTuplesToIndexMax, 4);
    }));
    pets.insert(9, "abcdefghijkl", None).unwrap();
    let grbit = JET_bitIndexTuples;
    JetCreateIndex(pets.ses, pets.cur, "pieces", grbit, "+name\0\0", 0).unwrap();
    pets.index("pieces");
    assert_eq!(JetIndexRecordCount(pets.ses, pets.cur, 0).unwrap(), 4);
    assert_eq!(code(pets.key(b"abcd", JET_bitNewKey)), JetErr::IndexTuplesKeyTooSmall);
    let info = JetGetTableIndexInfo(pets.ses, pets.cur, Some("pieces")).unwrap().remove(0);
    let limits = info.create.ptuplelimits.unwrap();
    assert_eq!((limits.chLengthMin, limits.chLengthMax, limits.chToIndexMax), (5, 6, 4));
}

#[test]
fn s12_10_a_key_has_its_limits() {
    let _mode = multi();
    let pets = pets();
    let info = |name: &str| JetGetTableIndexInfo(pets.ses, pets.cur, Some(name)).unwrap().remove(0);
    assert_eq!((info("name").cbKeyMost, info("name").cbVarSegMac), (255, 255));
    let mut long = [JET_INDEXCREATE {
        cbKeyMost: 900,
        cbVarSegMac: 100,
        ..index("long", "+name\0\0", JET_bitIndexKeyMost)
    }];
    JetCreateIndex2(pets.ses, pets.cur, &mut long).unwrap();
    assert_eq!((info("long").cbKeyMost, info("long").cbVarSegMac), (900, 100));
    for most in [254, 4000] {
        let mut wrong = [JET_INDEXCREATE {
            cbKeyMost: most,
            ..index("wrong", "+name\0\0", JET_bitIndexKeyMost)
        }];
        let made = JetCreateIndex2(pets.ses, pets.cur, &mut wrong);
        assert_eq!(code(made), JetErr::IndexInvalidDef, "{most}");
    }
    let segment = JET_INDEXCREATE { cbVarSegMac: 256, ..index("wrong", "+name\0\0", 0) };
    let made = JetCreateIndex2(pets.ses, pets.cur, &mut [segment]);
    assert_eq!(code(made), JetErr::IndexInvalidDef);
    JetCreateIndex(pets.ses, pets.cur, "255", JET_bitIndexKeyMost, "+name\0\0", 0).unwrap();
    assert_eq!(info("255").cbKeyMost, 255);
}

#[test]
fn s12_11_a_density_is_twenty_to_a_hundred_percent() {
    let _mode = multi();
    let pets = pets();
    for density in [1, 19, 101] {
        let made = JetCreateIndex(pets.ses, pets.cur, "d", 0, "+age\0\0", density);
        assert_eq!(code(made), JetErr::DensityInvalid, "{density}");
    }
    JetCreateIndex(pets.ses, pets.cur, "d", 0, "+age\0\0", 20).unwrap();
    assert_eq!(JetGetTableIndexInfo(pets.ses, pets.cur, Some("d")).unwrap()[0].ulDensity, 20);
}

#[test]
fn s12_09_info_gives_back_what_makes_the_index_again() {
    let _mode = multi();
    let pets = pets();
    let hints = JET_SPACEHINTS {
        ulInitialDensity: 70,
        cbInitial: 4096,
        ulGrowth: 150,
        cbMaxExtent: 1 << 20,
        ..JET_SPACEHINTS::default()
    };
    let wish = JET_INDEXCREATE {
        rgconditionalcolumn: vec![JET_CONDITIONALCOLUMN {
            szColumnName: "age".into(),
            grbit: JET_bitIndexColumnMustBeNonNull,
        }],
        ptuplelimits: Some(JET_TUPLELIMITS {
            chLengthMin: 2,
            chLengthMax: 8,
            chToIndexMax: 50,
            cchIncrement: 2,
            ichStart: 1,
        }),
        pSpacehints: Some(hints),
        ..index("wish", "-name\0+age\0\0", JET_bitIndexTuples | JET_bitIndexTupleLimits)
    };
    JetCreateIndex3(pets.ses, pets.cur, &mut [wish]).unwrap();
    let info = |name: &str| JetGetTableIndexInfo(pets.ses, pets.cur, Some(name)).unwrap().remove(0);
    let first = info("wish");
    assert_eq!((first.ulDensity, first.create.szKey.as_str()), (70, "-name\0+age\0\0"));
    assert_eq!((first.create.cbKeyMost, first.create.cbVarSegMac), (255, 0));
    let plain = info("name").create;
    assert_eq!((plain.cbKeyMost, plain.cbVarSegMac), (255, 255), "what counts for it");
    let back = first.create.pSpacehints.unwrap();
    assert_eq!((back.ulGrowth, back.cbMaxExtent, back.ulInitialDensity), (150, 1 << 20, 70));
    let mut again = JET_INDEXCREATE { szIndexName: "again".into(), ..first.create.clone() };
    JetCreateIndex4(pets.ses, pets.cur, std::slice::from_mut(&mut again)).unwrap();
    let second = info("again");
    assert_eq!(second.grbit, first.grbit);
    let limits = |info: &JET_INDEXINFO| format!("{:?}", info.create.ptuplelimits);
    assert_eq!(limits(&second), limits(&first));
    assert_eq!(second.create.rgconditionalcolumn.len(), 1);
    let bad = JET_SPACEHINTS { cbMinExtent: 8192, cbMaxExtent: 4096, ..hints };
    let mut bad = [JET_INDEXCREATE { pSpacehints: Some(bad), ..index("bad", "+name\0\0", 0) }];
    let refused = JetCreateIndex2(pets.ses, pets.cur, &mut bad);
    assert_eq!(
        (code(refused), bad[0].err),
        (JetErr::SpaceHintsInvalid, Some(JetErr::SpaceHintsInvalid))
    );
}

#[test]
fn s12_04_what_has_no_version_is_made_outside_a_transaction_or_with_the_table_alone() {
    let _mode = multi();
    let pets = pets();
    let (ses, dbid) = (pets.ses, pets.live.dbid);
    let (unversioned, def) = (
        JET_bitIndexUnversioned,
        JET_COLUMNDEF {
            coltyp: JET_coltypLong,
            grbit: JET_bitColumnUnversioned,
            ..JET_COLUMNDEF::default()
        },
    );
    JetBeginTransaction(ses).unwrap();
    let made = JetCreateIndex2(ses, pets.cur, &mut [index("i", "+age\0\0", unversioned)]);
    assert_eq!(code(made), JetErr::InTransaction);
    let made = JetCreateIndex(ses, pets.cur, "i", unversioned, "+age\0\0", 0);
    assert_eq!(code(made), JetErr::InTransaction);
    assert_eq!(code(JetAddColumn(ses, pets.cur, "c", &def, &[])), JetErr::InTransaction);
    JetRollback(ses, 0).unwrap();
    JetCreateIndex2(ses, pets.cur, &mut [index("i", "+age\0\0", unversioned)]).unwrap();
    JetAddColumn(ses, pets.cur, "c", &def, &[]).unwrap();
    JetCloseTable(ses, pets.cur).unwrap();
    let alone = JetOpenTable(ses, dbid, "pets", JET_bitTableDenyRead);
    // The cursor that filled the table is this session's own.
    let alone = alone.unwrap();
    JetBeginTransaction(ses).unwrap();
    JetCreateIndex(ses, alone, "j", unversioned, "+age\0\0", 0).unwrap();
    JetCommitTransaction(ses, 0).unwrap();
}

/// The reference page of JetCreateIndex2 has the three ways; of equal keys of one row it does not
/// speak. In the engine's source the tree of a non-unique index, ordered by key and bookmark, takes
/// an entry once, and a unique one gives JET_errMultiValuedIndexViolation.
#[test]
fn s12_08_several_values_have_several_entries() {
    let _mode = multi();
    let live = Live::new();
    let (ses, dbid) = (live.sesid, live.dbid);
    let column = |name: &str, grbit| JET_COLUMNCREATE {
        szColumnName: name.into(),
        coltyp: JET_coltypLong,
        grbit,
        ..JET_COLUMNCREATE::default()
    };
    let multi_valued = JET_bitColumnTagged | JET_bitColumnMultiValued;
    let mut table = JET_TABLECREATE {
        szTableName: "lists".into(),
        rgcolumncreate: vec![column("a", multi_valued), column("b", multi_valued)],
        ..JET_TABLECREATE::default()
    };
    JetCreateTableColumnIndex(ses, dbid, &mut table).unwrap();
    let cur = table.tableid;
    JetPrepareUpdate(ses, cur, JET_prepInsert).unwrap();
    let info = JET_SETINFO { itagSequence: 0, ..JET_SETINFO::default() };
    for (column, values) in [(0, &[1, 2, 2][..]), (1, &[5, 6, 7, 8])] {
        for value in values {
            let id = table.rgcolumncreate[column].columnid;
            let bytes = i32::to_le_bytes(*value);
            JetSetColumn(ses, cur, id, Some(&bytes), 0, Some(&info)).unwrap();
        }
    }
    JetUpdate(ses, cur).unwrap();
    let both = JET_bitIndexCrossProduct | JET_bitIndexNestedTable;
    for (name, grbit, entries) in [
        ("first", 0, 2),
        ("cross", JET_bitIndexCrossProduct, 8),
        ("nested", JET_bitIndexNestedTable, 4),
    ] {
        JetCreateIndex(ses, cur, name, grbit, "+a\0+b\0\0", 0).unwrap();
        JetSetCurrentIndex(ses, cur, Some(name)).unwrap();
        assert_eq!(JetIndexRecordCount(ses, cur, 0).unwrap(), entries, "{name}");
    }
    assert_eq!(code(JetCreateIndex(ses, cur, "x", both, "+a\0\0", 0)), JetErr::InvalidGrbit);
}

#[test]
fn s12_12_every_element_says_what_became_of_it() {
    let _mode = multi();
    let pets = pets();
    JetCloseTable(pets.ses, pets.cur).unwrap();
    let mut two = [index("good", "+age\0\0", 0), index("bad", "+none\0\0", 0)];
    let cur = JetOpenTable(pets.ses, pets.live.dbid, "pets", JET_bitTableDenyRead).unwrap();
    assert_eq!(code(JetCreateIndex2(pets.ses, cur, &mut two)), JetErr::ColumnNotFound);
    assert!(two.iter().all(|index| index.err == Some(JetErr::ColumnNotFound)));
    let density = JET_INDEXCREATE { ulDensity: 10, ..index("d", "+age\0\0", 0) };
    assert_eq!(code(JetCreateIndex2(pets.ses, cur, &mut [density])), JetErr::DensityInvalid);
}
