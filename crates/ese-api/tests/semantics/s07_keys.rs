//! Section 7: keys, seeks, ranges and filters.

use std::sync::Arc;

use crate::pets::*;

const NONE: JetErr = JetErr::NoCurrentRecord;
const UPPER: u32 = JET_bitRangeUpperLimit;
const INCLUSIVE: u32 = JET_bitRangeInclusive;

#[test]
fn s7_01_a_key_belongs_to_a_cursor_and_an_index_and_is_made_in_order() {
    let _mode = multi();
    let pets = pets();
    let id = 5_i32.to_le_bytes();
    assert_eq!(code(pets.key(&id, 0)), JetErr::KeyNotMade);
    pets.key(&id, JET_bitNewKey).unwrap();
    assert_eq!(code(pets.key(&id, 0)), JetErr::KeyIsMade);
    pets.index("down");
    assert_eq!(code(JetSeek(pets.ses, pets.cur, JET_bitSeekEQ)), JetErr::KeyNotMade, "lost");
    pets.key(b"bee", JET_bitNewKey).unwrap();
    pets.key(&id, 0).unwrap();
    assert_eq!(code(pets.key(&id, 0)), JetErr::KeyIsMade);
    JetSeek(pets.ses, pets.cur, JET_bitSeekEQ).unwrap();
    assert_eq!(pets.at().unwrap(), 5);
    pets.key(b"bee", JET_bitNewKey | JET_bitFullColumnStartLimit).unwrap();
    assert_eq!(code(pets.key(&id, 0)), JetErr::KeyIsMade, "nothing follows a limit");
    // The failed call left the key as it was.
    JetSeek(pets.ses, pets.cur, JET_bitSeekGE).unwrap();
    assert_eq!(pets.at().unwrap(), 2);
}

#[test]
fn s7_02_no_bytes_are_null_and_lengths_must_suit() {
    let _mode = multi();
    let pets = pets();
    pets.insert(10, "", Some(1)).unwrap();
    JetPrepareUpdate(pets.ses, pets.cur, JET_prepInsert).unwrap();
    pets.set(pets.id, &11_i32.to_le_bytes()).unwrap();
    JetSetColumn(pets.ses, pets.cur, pets.name, Some(b""), JET_bitSetZeroLength, None).unwrap();
    pets.update().unwrap();
    pets.index("name");
    pets.seek(b"", JET_bitSeekEQ).unwrap();
    assert_eq!(pets.at().unwrap(), 10, "NULL");
    pets.key(b"", JET_bitNewKey | JET_bitKeyDataZeroLength).unwrap();
    JetSeek(pets.ses, pets.cur, JET_bitSeekEQ).unwrap();
    assert_eq!(pets.at().unwrap(), 11, "an empty text");
    pets.index("pk");
    for wrong in [&[1_u8][..], &[1, 0, 0, 0, 0]] {
        assert_eq!(code(pets.key(wrong, JET_bitNewKey)), JetErr::InvalidBufferSize);
    }
    pets.key(b"", JET_bitNewKey).unwrap();

    // Fixed text is padded with spaces.
    let table = JetCreateTable(pets.ses, pets.live.dbid, "fixed", 0, 0).unwrap();
    let def = JET_COLUMNDEF {
        coltyp: JET_coltypText,
        cbMax: 4,
        cp: 1252,
        grbit: JET_bitColumnFixed,
        ..JET_COLUMNDEF::default()
    };
    let column = JetAddColumn(pets.ses, table, "code", &def, &[]).unwrap();
    JetCreateIndex(pets.ses, table, "pk", JET_bitIndexPrimary, "+code\0\0", 0).unwrap();
    JetPrepareUpdate(pets.ses, table, JET_prepInsert).unwrap();
    JetSetColumn(pets.ses, table, column, Some(b"ab"), 0, None).unwrap();
    JetUpdate(pets.ses, table).unwrap();
    JetMakeKey(pets.ses, table, Some(b"ab"), JET_bitNewKey).unwrap();
    assert_eq!(JetSeek(pets.ses, table, JET_bitSeekEQ).unwrap(), JetErr::Success);
    let long = JetMakeKey(pets.ses, table, Some(b"abcde"), JET_bitNewKey);
    assert_eq!(code(long), JetErr::InvalidBufferSize);

    // Fixed binary values are not.
    let def = JET_COLUMNDEF { coltyp: JET_coltypBinary, ..def };
    JetAddColumn(pets.ses, table, "bytes", &def, &[]).unwrap();
    JetCreateIndex(pets.ses, table, "bytes", 0, "+bytes\0\0", 0).unwrap();
    JetSetCurrentIndex(pets.ses, table, Some("bytes")).unwrap();
    for wrong in [&b"abc"[..], b"abcde"] {
        let made = JetMakeKey(pets.ses, table, Some(wrong), JET_bitNewKey);
        assert_eq!(code(made), JetErr::InvalidBufferSize);
    }
    for right in [&b"abcd"[..], b""] {
        JetMakeKey(pets.ses, table, Some(right), JET_bitNewKey).unwrap();
    }
}

#[test]
fn s7_03_a_normalised_key_is_taken_as_it_is() {
    let _mode = multi();
    let pets = pets();
    pets.go(3).unwrap();
    let bookmark = JetGetBookmark(pets.ses, pets.cur).unwrap();
    pets.go(JET_MoveFirst).unwrap();
    let everything = JET_bitNormalizedKey | 0xf00;
    pets.key(&bookmark, everything).unwrap();
    JetSeek(pets.ses, pets.cur, JET_bitSeekEQ).unwrap();
    assert_eq!(pets.at().unwrap(), 5);
    pets.key(&[0xff; 256], JET_bitNormalizedKey).unwrap();
    let long = pets.key(&[0xff; 257], JET_bitNormalizedKey);
    assert_eq!(code(long), JetErr::InvalidParameter);
    // Without primary index there is no other way.
    let table = JetCreateTable(pets.ses, pets.live.dbid, "plain", 0, 0).unwrap();
    JetPrepareUpdate(pets.ses, table, JET_prepInsert).unwrap();
    let bookmark = JetUpdate(pets.ses, table).unwrap();
    let made = JetMakeKey(pets.ses, table, Some(&[1]), JET_bitNewKey);
    assert_eq!(code(made), JetErr::NoCurrentIndex);
    JetMakeKey(pets.ses, table, Some(&bookmark), JET_bitNormalizedKey).unwrap();
    assert_eq!(JetSeek(pets.ses, table, JET_bitSeekEQ).unwrap(), JetErr::Success);
}

/// The reference page of JetMakeKey adds what the statement leaves open: the two older limits do
/// not go with the four newer ones, and the type of the column decides which of the two is meant.
#[test]
fn s7_04_limits_are_below_or_behind_all_that_begins_so() {
    let _mode = multi();
    let pets = pets();
    pets.insert(9, "beef", None).unwrap();
    pets.index("down");
    let limits = [
        JET_bitFullColumnStartLimit,
        JET_bitFullColumnEndLimit,
        JET_bitPartialColumnStartLimit,
        JET_bitPartialColumnEndLimit,
    ];
    for (at, limit) in limits.into_iter().enumerate() {
        for other in limits.into_iter().skip(at + 1).chain([JET_bitStrLimit, JET_bitSubStrLimit]) {
            let made = pets.key(b"b", JET_bitNewKey | limit | other);
            assert_eq!(code(made), JetErr::InvalidGrbit, "{limit:#x} {other:#x}");
        }
    }
    let between = |value: &[u8], start, end| {
        pets.key(value, JET_bitNewKey | start).unwrap();
        if JetSeek(pets.ses, pets.cur, JET_bitSeekGE).is_err() {
            return Vec::new();
        }
        pets.key(value, JET_bitNewKey | end).unwrap();
        match pets.range(UPPER) {
            Ok(()) => pets.rest(),
            Err(error) => {
                assert_eq!(error.code(), NONE);
                Vec::new()
            }
        }
    };
    let (start, end) = (JET_bitPartialColumnStartLimit, JET_bitPartialColumnEndLimit);
    // Descending: of "bee" and "beef", the longer one comes first.
    assert_eq!(between(b"be", start, end), [9, 2, 5, 8]);
    assert_eq!(between(b"bee", start, end), [9, 2, 5, 8]);
    assert!(between(b"cow", start, end).is_empty());
    let (start, end) = (JET_bitFullColumnStartLimit, JET_bitFullColumnEndLimit);
    assert_eq!(between(b"bee", start, end), [2, 5, 8]);
    assert_eq!(between(b"bee", start, JET_bitStrLimit), [2, 5, 8]);
    assert_eq!(between(b"bee", start, JET_bitStrLimit | JET_bitSubStrLimit), [2, 5, 8]);
    pets.index("name");
    let (start, end) = (JET_bitPartialColumnStartLimit, JET_bitPartialColumnEndLimit);
    assert_eq!(between(b"be", start, end), [2, 5, 8, 9]);
    assert_eq!(between(b"be", start, JET_bitSubStrLimit), [2, 5, 8, 9]);
    pets.index("pk");
    for limit in [start, end] {
        let made = pets.key(&1_i32.to_le_bytes(), JET_bitNewKey | limit);
        assert_eq!(code(made), JetErr::InvalidGrbit, "numbers have no beginnings");
    }
}

#[test]
fn s7_05_a_key_beyond_the_limit_is_cut_silently() {
    let _mode = multi();
    let pets = pets();
    let long = |tail: &str| format!("{}{tail}", "x".repeat(250));
    pets.insert(20, &long("aaaaa"), None).unwrap();
    pets.insert(21, "y", None).unwrap();
    pets.index("down");
    let (other, beyond) = (long("aaaaa"), long("aaaab"));
    pets.key(other.as_bytes(), JET_bitNewKey | JET_bitFullColumnStartLimit).unwrap();
    assert_eq!(JetSeek(pets.ses, pets.cur, JET_bitSeekGE).unwrap(), JetErr::Success);
    assert_eq!(pets.at().unwrap(), 20);
    pets.index("name");
    // The difference lies behind the cut: callers look at the column.
    assert_eq!(pets.seek(beyond.as_bytes(), JET_bitSeekEQ).unwrap(), JetErr::Success);
    assert_eq!(pets.get(pets.name, 0).unwrap(), Some(other.into_bytes()));
    let index = JET_bitIndexPrimary | JET_bitIndexDisallowTruncation;
    let table = JetCreateTable(pets.ses, pets.live.dbid, "whole", 0, 0).unwrap();
    let def = JET_COLUMNDEF { coltyp: JET_coltypBinary, ..JET_COLUMNDEF::default() };
    let column = JetAddColumn(pets.ses, table, "b", &def, &[]).unwrap();
    JetCreateIndex(pets.ses, table, "pk", index, "+b\0\0", 0).unwrap();
    JetPrepareUpdate(pets.ses, table, JET_prepInsert).unwrap();
    JetSetColumn(pets.ses, table, column, Some(&[7; 255]), 0, None).unwrap();
    assert_eq!(code(JetUpdate(pets.ses, table)), JetErr::KeyTruncated);
}

#[test]
fn s7_06_a_seek_has_one_direction_and_uses_the_key_up() {
    let _mode = multi();
    let pets = pets();
    let seek = |grbit| JetSeek(pets.ses, pets.cur, grbit);
    // The direction is looked at before the key.
    assert_eq!(code(seek(0)), JetErr::InvalidParameter);
    assert_eq!(code(seek(JET_bitSeekEQ | JET_bitSeekGT)), JetErr::InvalidParameter);
    assert_eq!(code(seek(JET_bitSeekEQ)), JetErr::KeyNotMade);
    for id in [5_i32, 4] {
        assert_eq!(pets.seek_id(id, JET_bitSeekEQ).is_ok(), id == 5);
        assert_eq!(code(seek(JET_bitSeekEQ)), JetErr::KeyNotMade);
    }
    pets.prepare(JET_prepInsert).unwrap();
    pets.seek_id(2, JET_bitSeekEQ | JET_bitSetIndexRange).unwrap();
    assert_eq!(code(pets.update()), JetErr::UpdateNotPrepared);
    pets.seek_id(2, JET_bitSeekEQ).unwrap();
    assert_eq!(code(pets.range(JET_bitRangeRemove)), JetErr::InvalidOperation);
}

#[test]
fn s7_07_what_a_seek_answers_and_where_it_lands() {
    let _mode = multi();
    let pets = pets();
    let (success, neighbour) = (JetErr::Success, JetErr::WrnSeekNotEqual);
    let not_found = Err(JetErr::RecordNotFound);
    let seek = |name: &[u8], grbit| {
        let sought = pets.seek(name, grbit).map_err(|error| error.code());
        sought.map(|warning| (warning, pets.at().unwrap()))
    };
    for index in ["name", "pk"] {
        pets.index(index);
        let key = |name: &str| {
            if index == "name" {
                return name.as_bytes().to_vec();
            }
            let id: i32 = ["ant", "bee", "bef", "cat", "dog", "zoo", "aaa"]
                .iter()
                .zip([1, 2, 4, 5, 8, 9, 0])
                .find_map(|(known, id)| (*known == name).then_some(id))
                .unwrap();
            id.to_le_bytes().to_vec()
        };
        let by_name = index == "name";
        let pick = |name, id| if by_name { name } else { id };
        for (name, grbit, expected) in [
            ("bee", JET_bitSeekEQ, Ok((success, 2))),
            ("bee", JET_bitSeekGE, Ok((success, 2))),
            ("bee", JET_bitSeekLE, Ok((success, 2))),
            ("bee", JET_bitSeekGT, Ok((success, 3))),
            ("bee", JET_bitSeekLT, Ok((success, 1))),
            ("bef", JET_bitSeekEQ, not_found),
            ("bef", JET_bitSeekGE, Ok((neighbour, pick(3, 5)))),
            ("bef", JET_bitSeekLE, Ok((neighbour, pick(8, 3)))),
            ("bef", JET_bitSeekGT, Ok((success, pick(3, 5)))),
            ("bef", JET_bitSeekLT, Ok((success, pick(8, 3)))),
            ("zoo", JET_bitSeekGE, not_found),
            ("zoo", JET_bitSeekGT, not_found),
            ("aaa", JET_bitSeekLE, not_found),
            ("aaa", JET_bitSeekLT, not_found),
            ("ant", JET_bitSeekLT, not_found),
        ] {
            assert_eq!(seek(&key(name), grbit), expected, "{index} {name} {grbit:#x}");
        }
    }
}

#[test]
fn s7_08_uniqueness_is_checked_on_request() {
    let _mode = multi();
    let pets = pets();
    let unique = JET_bitSeekEQ | JET_bitCheckUniqueness;
    assert_eq!(pets.seek_id(2, unique).unwrap(), JetErr::WrnUniqueKey);
    pets.index("name");
    assert_eq!(pets.seek(b"bee", unique).unwrap(), JetErr::Success);
    assert_eq!(pets.seek(b"cat", unique).unwrap(), JetErr::WrnUniqueKey);
    let both = unique | JET_bitSetIndexRange;
    assert_eq!(pets.seek(b"dog", both).unwrap(), JetErr::WrnUniqueKey);
    assert_eq!(code(pets.range(JET_bitRangeRemove)), JetErr::InvalidOperation, "no range then");
    pets.seek(b"bee", both).unwrap();
    assert_eq!(pets.rest(), [2, 5, 8]);
}

#[test]
fn s7_09_a_seek_can_set_the_range_of_its_key() {
    let _mode = multi();
    let pets = pets();
    pets.index("name");
    pets.seek(b"bee", JET_bitSeekEQ | JET_bitSetIndexRange).unwrap();
    assert_eq!(pets.rest(), [2, 5, 8]);
    assert_eq!(code(pets.range(JET_bitRangeRemove)), JetErr::InvalidOperation, "it is gone");
    assert_eq!(pets.to(JET_MovePrevious), Ok(6), "from behind the last entry");
}

#[test]
fn s7_11_a_range_limits_moves_towards_its_end() {
    let _mode = multi();
    let pets = pets();
    let limit = |id: i32, grbit| {
        pets.key(&id.to_le_bytes(), JET_bitNewKey).unwrap();
        pets.range(grbit)
    };
    assert_eq!(code(pets.range(UPPER)), JetErr::KeyNotMade);
    assert_eq!(code(pets.range(JET_bitRangeRemove)), JetErr::InvalidOperation);
    limit(5, UPPER).unwrap();
    assert_eq!(code(pets.range(UPPER)), JetErr::KeyNotMade, "used up");
    assert_eq!(pets.rest(), [1, 2, 3]);
    pets.go(JET_MoveFirst).unwrap();
    limit(5, UPPER | INCLUSIVE).unwrap();
    assert_eq!(pets.rest(), [1, 2, 3, 5]);

    // The other direction can leave. Where the current row lies outside no range is left.
    pets.seek_id(5, JET_bitSeekEQ).unwrap();
    limit(6, UPPER | INCLUSIVE).unwrap();
    assert_eq!(pets.to(JET_MovePrevious), Ok(3));
    pets.seek_id(6, JET_bitSeekEQ).unwrap();
    assert_eq!(code(limit(3, UPPER)), NONE);
    assert_eq!(code(pets.at()), NONE);
    assert_eq!(pets.to(JET_MoveNext), Err(NONE), "behind the end");
    assert_eq!(code(pets.range(JET_bitRangeRemove)), JetErr::InvalidOperation, "it is gone");
    pets.go(JET_MoveFirst).unwrap();
    assert_eq!(code(limit(3, INCLUSIVE)), NONE);
    assert_eq!(pets.to(JET_MovePrevious), Err(NONE), "before the beginning");
    pets.seek_id(6, JET_bitSeekEQ).unwrap();
    limit(3, INCLUSIVE).unwrap();
    assert_eq!([pets.to(-1), pets.to(-1), pets.to(-1)], [Ok(5), Ok(3), Err(NONE)]);

    pets.go(JET_MoveFirst).unwrap();
    limit(5, UPPER | JET_bitRangeInstantDuration).unwrap();
    assert_eq!(code(pets.range(JET_bitRangeRemove)), JetErr::InvalidOperation, "only checked");
    pets.go(100).unwrap_err();
    assert_eq!(code(limit(5, UPPER)), NONE, "on no row");
    for positioning in 0..4 {
        pets.seek_id(1, JET_bitSeekEQ).unwrap();
        limit(3, UPPER).unwrap();
        match positioning {
            0 => pets.seek_id(1, JET_bitSeekEQ).map(|_| ()).unwrap(),
            1 => pets.go(JET_MoveFirst).unwrap(),
            2 => pets.index("pk"),
            _ => {
                let bookmark = JetGetBookmark(pets.ses, pets.cur).unwrap();
                JetGotoBookmark(pets.ses, pets.cur, &bookmark).unwrap();
            }
        }
        assert_eq!(pets.rest(), [1, 2, 3, 5, 6, 8], "{positioning}");
    }
    let table = JetCreateTable(pets.ses, pets.live.dbid, "plain", 0, 0).unwrap();
    JetPrepareUpdate(pets.ses, table, JET_prepInsert).unwrap();
    let bookmark = JetUpdate(pets.ses, table).unwrap();
    JetMakeKey(pets.ses, table, Some(&bookmark), JET_bitNormalizedKey).unwrap();
    assert_eq!(code(JetSetIndexRange(pets.ses, table, UPPER)), JetErr::NoCurrentIndex);
}

/// The reference page of JetSetIndexRange says that only moves in the range's direction end there
/// and that the other direction stays open. In the engine's source a move over a limit leaves the
/// cursor after the last entry, or before the first, of the index, and no range; the way back
/// begins there, at the index's end, which may lie outside of what the range was.
#[test]
fn s7_12_from_beyond_the_range_a_move_back_begins_at_the_end_of_the_index() {
    let _mode = multi();
    let pets = pets();
    let limit = |id: i32, grbit| {
        pets.key(&id.to_le_bytes(), JET_bitNewKey).unwrap();
        pets.range(grbit).unwrap();
    };
    for inclusive in [0, INCLUSIVE] {
        pets.go(JET_MoveFirst).unwrap();
        limit(5, UPPER | inclusive);
        assert_eq!(pets.to(100), Err(NONE));
        assert_eq!(pets.to(JET_MoveNext), Err(NONE), "and stays");
        assert_eq!(pets.to(JET_MovePrevious), Ok(8));
        assert_eq!([pets.to(-1), pets.to(1)], [Ok(6), Ok(8)], "the range is gone");
        // An end of the index that comes first is none of the range.
        pets.go(JET_MoveFirst).unwrap();
        limit(7, UPPER | inclusive);
        pets.seek_id(3, JET_bitSeekEQ).unwrap();
        limit(9, UPPER | inclusive);
        assert_eq!([pets.to(100), pets.to(-1)], [Err(NONE), Ok(8)]);
        pets.range(JET_bitRangeRemove).unwrap();
    }
    pets.go(JET_MoveLast).unwrap();
    limit(3, INCLUSIVE);
    assert_eq!(pets.to(-100), Err(NONE));
    assert_eq!(pets.to(JET_MoveNext), Ok(1));
    pets.index("name");
    pets.seek(b"bee", JET_bitSeekEQ | JET_bitSetIndexRange).unwrap();
    assert_eq!(pets.to(100), Err(NONE));
    assert_eq!(pets.to(-2), Ok(3));
}

#[test]
fn s7_13_ranges_of_several_indexes_meet() {
    let _mode = multi();
    let pets = pets();
    let (ses, second) = (pets.ses, pets.reopen());
    let range = |tableid| JET_INDEXRANGE { tableid, grbit: JET_bitRecordInIndex };
    let both = [range(pets.cur), range(second)];
    let meet = |ranges: &[JET_INDEXRANGE]| JetIntersectIndexes(ses, ranges, 0);
    assert_eq!(code(meet(&both)), JetErr::InvalidParameter, "the primary index");
    pets.index("name");
    JetSetCurrentIndex(ses, second, Some("name")).unwrap();
    assert_eq!(code(meet(&both)), JetErr::InvalidParameter, "the same index");
    JetSetCurrentIndex(ses, second, Some("age")).unwrap();
    pets.seek(b"bee", JET_bitSeekEQ | JET_bitSetIndexRange).unwrap();
    JetMakeKey(ses, second, Some(&20_i32.to_le_bytes()), JET_bitNewKey).unwrap();
    JetSeek(ses, second, JET_bitSeekGE).unwrap();
    assert_eq!(code(meet(&[])), JetErr::InvalidParameter);
    assert_eq!(code(meet(&[range(second); 65])), JetErr::InvalidParameter);
    assert_eq!(code(meet(&[range(second); 2])), JetErr::InvalidParameter);
    let outside = JET_INDEXRANGE { tableid: second, grbit: JET_bitRecordNotInIndex };
    assert_eq!(code(meet(&[range(pets.cur), outside])), JetErr::InvalidGrbit);
    let found = meet(&both).unwrap();
    assert!(found.is_sorted());
    assert_eq!(code(pets.at()), NONE, "the cursors have moved");
    let ids = |found: Vec<Vec<u8>>| -> Vec<i32> {
        pets.index("pk");
        let go = |bookmark: Vec<u8>| {
            JetGotoBookmark(ses, pets.cur, &bookmark).unwrap();
            pets.at().unwrap()
        };
        found.into_iter().map(go).collect()
    };
    assert_eq!(ids(found), [2, 5], "bees of 20 and more");
    pets.index("name");
    pets.seek(b"bee", JET_bitSeekEQ | JET_bitSetIndexRange).unwrap();
    assert_eq!(ids(meet(&[range(pets.cur)]).unwrap()), [2, 5, 8], "one is enough");
}

#[test]
fn s7_14_hints_are_checked_and_counted() {
    let _mode = multi();
    let pets = pets();
    let (ses, cur) = (pets.ses, pets.cur);
    let keys: [&[u8]; 2] = [&[0x7f, 0x80, 0, 0, 1], &[0x7f, 0x80, 0, 0, 9]];
    let back = [keys[1], keys[0]];
    let (forward, backward) = (JET_bitPrereadForward, JET_bitPrereadBackward);
    let preread = |keys: &[&[u8]], grbit| JetPrereadKeys(ses, cur, keys, grbit);
    assert_eq!(preread(&keys, forward).unwrap(), 2);
    assert_eq!(preread(&back, backward).unwrap(), 2);
    assert_eq!(code(preread(&back, forward)), JetErr::InvalidParameter);
    assert_eq!(code(preread(&keys, backward)), JetErr::InvalidParameter);
    for grbit in [0, forward | backward] {
        assert_eq!(code(preread(&keys, grbit)), JetErr::InvalidGrbit);
    }
    assert_eq!(code(preread(&[&[0; 3000]], forward)), JetErr::InvalidBufferSize);

    let value = |relop| JET_INDEX_COLUMN {
        columnid: pets.id,
        relop,
        pv: 3_i32.to_le_bytes().to_vec(),
        grbit: 0,
    };
    let ranges = |relop| {
        [JET_INDEX_RANGE { rgStartColumns: vec![value(relop)], rgEndColumns: vec![value(relop)] }]
    };
    let preread = |ranges: &[JET_INDEX_RANGE], columns: &[JET_COLUMNID]| {
        let mut read = 0;
        JetPrereadIndexRanges(ses, cur, ranges, Some(&mut read), columns, forward).map(|()| read)
    };
    let equal = ranges(JET_relopEquals);
    assert_eq!(preread(&equal, &[]).unwrap(), 1);
    let greater = ranges(JET_relopGreaterThan);
    assert_eq!(code(preread(&greater, &[])), JetErr::InvalidParameter);
    assert_eq!(code(preread(&[], &[])), JetErr::InvalidParameter);
    assert_eq!(preread(&equal, &[pets.data]).unwrap(), 1);
    assert_eq!(code(preread(&equal, &[pets.age])), JetErr::MustBeSeparateLongValue);
    pets.index("age");
    assert_eq!(code(preread(&equal, &[pets.data])), JetErr::InvalidPreread);

    JetSetTableSequential(ses, cur, forward).unwrap();
    assert_eq!(code(JetSetTableSequential(ses, cur, 0x80)), JetErr::InvalidGrbit);
    pets.index("pk");
    assert_eq!(pets.rest(), [1, 2, 3, 5, 6, 8]);
    assert_eq!(code(JetResetTableSequential(ses, cur, 1)), JetErr::InvalidGrbit);
    JetResetTableSequential(ses, cur, 0).unwrap();
}

#[test]
fn s7_15_filters_leave_rows_out_of_moves_and_seeks() {
    let _mode = multi();
    let pets = pets();
    let age = |relop, age: i32| JET_INDEX_COLUMN {
        columnid: pets.age,
        relop,
        pv: age.to_le_bytes().to_vec(),
        grbit: 0,
    };
    let no_age =
        |relop| JET_INDEX_COLUMN { columnid: pets.age, relop, ..JET_INDEX_COLUMN::default() };
    let name = |relop, name: &str| JET_INDEX_COLUMN {
        columnid: pets.name,
        relop,
        pv: name.as_bytes().to_vec(),
        grbit: 0,
    };
    let set = |filters: &[JET_INDEX_COLUMN]| JetSetCursorFilter(pets.ses, pets.cur, filters, 0);
    let passing = |filters: &[JET_INDEX_COLUMN]| {
        set(filters).unwrap();
        pets.go(JET_MoveFirst).map(|()| pets.rest()).unwrap_or_default()
    };
    assert_eq!(passing(&[age(JET_relopLessThan, 30)]), [6, 8]);
    assert_eq!(passing(&[age(JET_relopLessThanOrEqual, 30)]), [5, 6, 8]);
    assert_eq!(passing(&[age(JET_relopGreaterThan, 50)]), [1]);
    assert_eq!(passing(&[age(JET_relopGreaterThanOrEqual, 50)]), [1, 2]);
    assert_eq!(passing(&[age(JET_relopEquals, 50)]), [2]);
    assert_eq!(passing(&[age(JET_relopNotEquals, 50)]), [1, 5, 6, 8], "NULL compares false");
    assert_eq!(passing(&[no_age(JET_relopEquals)]), [3]);
    assert_eq!(passing(&[no_age(JET_relopNotEquals)]), [1, 2, 5, 6, 8]);
    assert_eq!(passing(&[age(JET_relopBitmaskEqualsZero, 4)]), [2, 8]);
    assert_eq!(passing(&[age(JET_relopBitmaskNotEqualsZero, 4)]), [1, 5, 6]);
    assert_eq!(passing(&[name(JET_relopPrefixEquals, "be")]), [2, 5, 8]);
    let both = [name(JET_relopEquals, "bee"), age(JET_relopLessThan, 40)];
    assert_eq!(passing(&both), [5, 8], "all must hold");
    assert_eq!(passing(&[]), [1, 2, 3, 5, 6, 8], "none removes them");
    set(&[]).unwrap();
    let refused = JetErr::FilteredMoveNotSupported;
    pets.index("name");
    for filters in [&[][..], &[age(JET_relopLessThan, 40)]] {
        assert_eq!(code(set(filters)), refused, "in the order of another index");
    }
    pets.index("pk");
    set(&[age(JET_relopLessThan, 40)]).unwrap();
    assert_eq!(code(pets.seek_id(1, JET_bitSeekEQ)), JetErr::RecordNotFound);
    assert_eq!(pets.seek_id(1, JET_bitSeekGE).unwrap(), JetErr::WrnSeekNotEqual);
    assert_eq!(pets.at().unwrap(), 5, "the first one that passes");
    assert_eq!(code(JetSetCurrentIndex(pets.ses, pets.cur, Some("name"))), refused);
    assert_eq!(code(JetIndexRecordCount(pets.ses, pets.cur, 0)), refused);
    assert_eq!(code(JetGotoPosition(pets.ses, pets.cur, &JET_RECPOS::default())), refused);
    // A refused filter leaves the old ones.
    assert_eq!(code(set(&[age(JET_relopPrefixEquals, 1)])), refused);
    assert_eq!(code(set(&[age(99, 1)])), JetErr::InvalidParameter);
    assert_eq!(code(set(&[no_age(JET_relopLessThan)])), refused);
    let mut short = age(JET_relopEquals, 1);
    short.pv.pop();
    assert_eq!(code(set(&[short])), JetErr::InvalidBufferSize);
    pets.go(JET_MoveFirst).unwrap();
    assert_eq!(pets.rest(), [5, 6, 8]);
}

/// A range of one column, from one value to another.
fn from_to(columnid: JET_COLUMNID, start: i32, end: i32) -> JET_INDEX_RANGE {
    let value = |value: i32| JET_INDEX_COLUMN {
        columnid,
        relop: JET_relopEquals,
        pv: value.to_le_bytes().to_vec(),
        grbit: 0,
    };
    JET_INDEX_RANGE { rgStartColumns: vec![value(start)], rgEndColumns: vec![value(end)] }
}

#[test]
fn s7_14_ranges_are_in_the_order_of_the_reading_if_they_are_to_be_counted() {
    let _mode = multi();
    let pets = pets();
    let range = |start, end| from_to(pets.id, start, end);
    let (forward, backward) = (JET_bitPrereadForward, JET_bitPrereadBackward);
    let refused = Err(JetErr::InvalidParameter);
    for (ranges, grbit, counted, uncounted) in [
        (vec![range(1, 3), range(5, 8)], forward, Ok(2), Ok(())),
        (vec![range(8, 5), range(3, 1)], backward, Ok(2), Ok(())),
        (vec![range(5, 8), range(1, 3)], forward, refused, Ok(())),
        (vec![range(3, 1), range(8, 5)], backward, refused, Ok(())),
        (vec![range(1, 5), range(3, 8)], forward, refused, refused.map(drop)),
        (vec![range(8, 3), range(5, 1)], backward, refused, refused.map(drop)),
        (vec![range(3, 1)], forward, refused, refused.map(drop)),
        (vec![range(1, 3)], backward, refused, refused.map(drop)),
    ] {
        let mut read = 0;
        let told = Some(&mut read);
        let done = JetPrereadIndexRanges(pets.ses, pets.cur, &ranges, told, &[], grbit);
        assert_eq!(done.map(|()| read).map_err(|e| e.code()), counted, "{ranges:?} {grbit}");
        let done = JetPrereadIndexRanges(pets.ses, pets.cur, &ranges, None, &[], grbit);
        assert_eq!(done.map_err(|e| e.code()), uncounted, "{ranges:?} {grbit}");
    }
}

/// 400 rows of an instance that has nothing in memory; the first twenty have values of three pages
/// each.
fn cold_rows(dir: Option<&Arc<tempfile::TempDir>>) -> Live {
    if let Some(dir) = dir {
        return Live::again(dir);
    }
    let live = Live::new();
    live.load(0..400);
    JetBeginTransaction(live.sesid).unwrap();
    JetMove(live.sesid, live.tableid, JET_MoveFirst, 0).unwrap();
    for _ in 0..20 {
        JetPrepareUpdate(live.sesid, live.tableid, JET_prepReplace).unwrap();
        let long = [7; 3 * 4014];
        let grbit = JET_bitSetSeparateLV;
        JetSetColumn(live.sesid, live.tableid, live.value, Some(&long), grbit, None).unwrap();
        JetUpdate(live.sesid, live.tableid).unwrap();
        JetMove(live.sesid, live.tableid, JET_MoveNext, 0).unwrap();
    }
    JetCommitTransaction(live.sesid, 0).unwrap();
    let dir = Arc::clone(&live.dir);
    live.term(0).unwrap();
    Live::again(&dir)
}

#[test]
fn s7_14_ranges_are_read_ahead_whole_with_the_long_values_of_their_rows() {
    let _mode = multi();
    let live = cold_rows(None);
    let dir = Arc::clone(&live.dir);
    // How many pages that announces: what is in memory or was announced is not announced again.
    let pages = |live: &Live, ranges: &[(i32, i32)], columns: &[JET_COLUMNID], grbit| {
        let ranges: Vec<_> = ranges.iter().map(|(a, b)| from_to(live.key, *a, *b)).collect();
        let (before, mut read) = (JetGetThreadStats(), 0);
        let (sesid, told) = (live.sesid, Some(&mut read));
        JetPrereadIndexRanges(sesid, live.tableid, &ranges, told, columns, grbit).unwrap();
        assert_eq!(read as usize, ranges.len());
        JetGetThreadStats().cPagePreread - before.cPagePreread
    };
    let (forward, backward) = (JET_bitPrereadForward, JET_bitPrereadBackward);
    let all = pages(&live, &[(0, 1000)], &[], forward);
    assert!((20..60).contains(&all), "{all} leaves of 400 rows of 200 bytes");
    assert_eq!(pages(&live, &[(0, 1000)], &[], forward), 0);
    let first = [live.value];
    assert_eq!(pages(&live, &[(0, 1000)], &first, forward | JET_bitPrereadFirstPage), 20);
    assert_eq!(pages(&live, &[(0, 9)], &first, forward), 20, "two more of each of ten");
    assert_eq!(pages(&live, &[(1000, 0)], &first, backward), 20, "and of the others");
    live.term(0).unwrap();

    let live = cold_rows(Some(&dir));
    assert_eq!(pages(&live, &[(50, 50)], &[], forward), 1);
    assert_eq!(pages(&live, &[(50, 50), (51, 51)], &[], forward), 0, "the same leaf");
    let rest = pages(&live, &[(0, 199), (200, 1000)], &[], forward);
    assert_eq!(rest, all - 1, "one leaf was announced before, and one that both have counts once");
    // What was read is in memory.
    live.rows();
    assert_eq!(pages(&live, &[(0, 1000)], &first, forward), 0);
}

/// As in the engine's source: the older limit is one of the beginning where binary values have
/// one, and of the whole column otherwise.
#[test]
fn s7_04_the_older_limit_of_a_binary_column_is_behind_all_that_begins_so() {
    let _mode = multi();
    let pets = pets();
    let column = |name: &str, longest, grbit| {
        let (coltyp, none) = (JET_coltypBinary, JET_COLUMNDEF::default());
        let column = JET_COLUMNDEF { coltyp, cbMax: longest, grbit, ..none };
        let columnid = JetAddColumn(pets.ses, pets.cur, name, &column, &[]).unwrap();
        let key = format!("+{name}\0\0");
        JetCreateIndex(pets.ses, pets.cur, name, 0, &key, 0).unwrap();
        columnid
    };
    let (bytes, four) = (column("bytes", 0, 0), column("four", 4, JET_bitColumnFixed));
    let values: [&[u8]; 6] = [b"a", b"ab", b"abc", b"abcdefghijk", b"abd", b"b"];
    for (at, value) in (20..).zip(values) {
        pets.prepare(JET_prepInsert).unwrap();
        pets.fill(at, "x", None).unwrap();
        pets.set(bytes, value).unwrap();
        let whole: Vec<u8> = value.iter().copied().chain([0; 4]).take(4).collect();
        pets.set(four, &whole).unwrap();
        pets.update().unwrap();
    }
    let below = |key: &[u8]| {
        pets.key(key, JET_bitNewKey | JET_bitFullColumnStartLimit).unwrap();
        JetSeek(pets.ses, pets.cur, JET_bitSeekGE).unwrap();
        pets.key(key, JET_bitNewKey | JET_bitStrLimit).unwrap();
        pets.range(UPPER).unwrap();
        pets.rest()
    };
    pets.index("bytes");
    assert_eq!(below(b"ab"), [21, 22, 23, 24]);
    assert_eq!(below(b"abcdefgh"), [23]);
    pets.index("four");
    assert_eq!(below(b"ab\0\0"), [21]);
}
