//! Section 6: where a cursor stands.

use crate::pets::*;

const NONE: JetErr = JetErr::NoCurrentRecord;

#[test]
fn s6_01_a_new_cursor_is_on_the_first_row_before_anybody_looks() {
    let _mode = multi();
    let pets = pets();
    assert_eq!(pets.to(JET_MoveNext), Ok(2), "the first move goes to the second row");
    let dup = JetDupCursor(pets.ses, pets.cur, 0).unwrap();
    assert_eq!(id_at(pets.ses, dup, pets.id).unwrap(), 1, "a duplicate begins anew");
    pets.index("name");
    assert_eq!(pets.at().unwrap(), 1);
    pets.index("down");
    assert_eq!(pets.to(JET_MoveNext), Ok(3), "after dog comes cat");

    // No error on an empty table before somebody looks; and a row that came meanwhile is seen.
    let empty = empty();
    empty.index("name");
    assert_eq!(code(empty.at()), NONE);
    assert_eq!(empty.to(JET_MoveNext), Err(NONE));
    let empty = self::empty();
    let dup = JetDupCursor(empty.ses, empty.cur, 0).unwrap();
    empty.insert(7, "gnu", None).unwrap();
    assert_eq!(id_at(empty.ses, dup, empty.id).unwrap(), 7);
}

#[test]
fn s6_02_a_move_past_an_end_stays_there_and_the_way_back_leads_to_the_last_row() {
    let _mode = multi();
    let pets = pets();
    for (index, first, last) in [("pk", 1, 8), ("name", 1, 6), ("down", 6, 1)] {
        pets.index(index);
        assert_eq!(pets.to(100), Err(NONE), "{index}");
        assert_eq!(pets.to(JET_MoveNext), Err(NONE), "and stays");
        assert_eq!(pets.to(JET_MovePrevious), Ok(last), "{index}");
        assert_eq!(pets.to(-100), Err(NONE));
        assert_eq!(pets.to(JET_MovePrevious), Err(NONE));
        assert_eq!(pets.to(JET_MoveNext), Ok(first), "{index}");
        assert_eq!(pets.to(2), pets.to(0));
    }
}

#[test]
fn s6_03_a_move_by_nothing_says_whether_the_row_exists() {
    let _mode = multi();
    let pets = pets();
    for index in ["pk", "name"] {
        pets.index(index);
        pets.go(0).unwrap();
        pets.go(JET_MoveLast).unwrap();
        pets.go(JET_MoveNext).unwrap_err();
        assert_eq!(code(pets.go(0)), NONE);
        pets.go(JET_MoveFirst).unwrap();
        JetBeginTransaction(pets.ses).unwrap();
        JetDelete(pets.ses, pets.cur).unwrap();
        assert_eq!(code(pets.go(0)), JetErr::RecordDeleted);
        JetRollback(pets.ses, 0).unwrap();
        pets.go(0).unwrap();
    }
    let young = JET_INDEX_COLUMN {
        columnid: pets.age,
        relop: JET_relopLessThan,
        pv: 40_i32.to_le_bytes().to_vec(),
        grbit: 0,
    };
    pets.index("");
    JetSetCursorFilter(pets.ses, pets.cur, std::slice::from_ref(&young), 0).unwrap();
    pets.go(JET_MoveFirst).unwrap();
    assert_eq!(code(pets.go(0)), JetErr::FilteredMoveNotSupported);
    JetSetCursorFilter(pets.ses, pets.cur, &[], 0).unwrap();
    pets.go(0).unwrap();
}

#[test]
fn s6_04_ends_drop_the_range_and_moves_by_keys_skip_duplicates() {
    let _mode = multi();
    let pets = pets();
    pets.index("name");
    let limit = || {
        pets.seek(b"ant", JET_bitSeekEQ).unwrap();
        pets.key(b"bee", JET_bitNewKey).unwrap();
        pets.range(JET_bitRangeUpperLimit | JET_bitRangeInclusive).unwrap();
    };
    limit();
    assert_eq!(pets.rest(), [1, 2, 5, 8], "steps keep the range");
    limit();
    pets.go(JET_MoveFirst).unwrap();
    assert_eq!(pets.rest(), [1, 2, 5, 8, 3, 6], "an end drops it");
    limit();
    assert_eq!(pets.to(JET_MoveLast), Ok(6));

    let keys = |rows| {
        let moved = JetMove(pets.ses, pets.cur, rows, JET_bitMoveKeyNE);
        moved.and_then(|()| pets.at()).map_err(|error| error.code())
    };
    pets.go(JET_MoveFirst).unwrap();
    assert_eq!([keys(1), keys(1), keys(1), keys(1)], [Ok(2), Ok(3), Ok(6), Err(NONE)]);
    pets.go(JET_MoveLast).unwrap();
    assert_eq!([keys(-1), keys(-1), keys(-1), keys(-1)], [Ok(3), Ok(8), Ok(1), Err(NONE)]);
    pets.go(JET_MoveFirst).unwrap();
    assert_eq!(keys(2), Ok(3), "two keys, four rows");
    pets.index("down");
    assert_eq!(
        code(pets.seek(b"bee", JET_bitSeekEQ)),
        JetErr::RecordNotFound,
        "keys go on with id"
    );
    assert_eq!(keys(1), Ok(2), "the first entry behind the place, whatever its key begins with");
    pets.seek(b"bee", JET_bitSeekEQ).unwrap_err();
    assert_eq!(keys(2), Ok(5));
    pets.index("pk");
    pets.go(JET_MoveFirst).unwrap();
    assert_eq!([keys(1), keys(2)], [Ok(2), Ok(5)], "no difference where keys are distinct");

    pets.prepare(JET_prepInsert).unwrap();
    pets.go(JET_MoveNext).unwrap();
    assert_eq!(code(pets.update()), JetErr::UpdateNotPrepared, "cancelled silently");
}

#[test]
fn s6_05_a_deleted_row_leaves_the_cursor_in_its_gap() {
    let _mode = multi();
    let pets = pets();
    // At level 0 the call is a transaction of its own.
    pets.seek_id(3, JET_bitSeekEQ).unwrap();
    pets.prepare(JET_prepReplace).unwrap();
    JetDelete(pets.ses, pets.cur).unwrap();
    assert_eq!(code(pets.update()), JetErr::UpdateNotPrepared);
    assert_eq!(code(pets.at()), JetErr::RecordDeleted);
    assert_eq!(code(JetDelete(pets.ses, pets.cur)), JetErr::RecordDeleted);
    assert_eq!(pets.to(JET_MoveNext), Ok(5));
    pets.index("name");
    pets.seek(b"bee", JET_bitSeekEQ).unwrap();
    pets.go(JET_MoveNext).unwrap();
    JetBeginTransaction(pets.ses).unwrap();
    JetDelete(pets.ses, pets.cur).unwrap();
    assert_eq!(code(pets.at()), JetErr::RecordDeleted);
    assert_eq!(pets.to(JET_MovePrevious), Ok(2));
    JetCommitTransaction(pets.ses, 0).unwrap();
    assert_eq!(pets.to(JET_MoveNext), Ok(8));
    JetBeginTransaction(pets.ses).unwrap();
    pets.prepare(JET_prepInsertCopyDeleteOriginal).unwrap();
    assert_eq!(code(JetDelete(pets.ses, pets.cur)), JetErr::AlreadyPrepared);
}

#[test]
fn s6_06_an_update_does_not_move_the_cursor() {
    let _mode = multi();
    let pets = pets();
    pets.go(JET_MoveNext).unwrap();
    let bookmark = pets.insert(4, "eel", None).unwrap();
    assert_eq!(pets.at().unwrap(), 2);
    pets.go(100).unwrap_err();
    pets.insert(9, "elk", None).unwrap();
    assert_eq!(code(pets.at()), NONE);
    JetGotoBookmark(pets.ses, pets.cur, &bookmark).unwrap();
    assert_eq!(pets.at().unwrap(), 4);

    // With a secondary index current, the old entry is where the next move starts.
    pets.index("name");
    pets.seek(b"ant", JET_bitSeekEQ).unwrap();
    pets.prepare(JET_prepReplace).unwrap();
    pets.set(pets.name, b"zebra").unwrap();
    pets.update().unwrap();
    assert_eq!(pets.at().unwrap(), 1, "the row is still there");
    assert_eq!(pets.to(JET_MoveNext), Ok(2), "but the old entry counts");
    assert_eq!(pets.to(JET_MoveLast), Ok(1));
}

#[test]
fn s6_07_a_seek_that_finds_nothing_stands_between_its_neighbours() {
    let _mode = multi();
    let pets = pets();
    let not_found = JetErr::RecordNotFound;
    for step in [JET_MoveNext, JET_MovePrevious] {
        assert_eq!(code(pets.seek_id(4, JET_bitSeekEQ)), not_found);
        assert_eq!(code(pets.at()), NONE);
        assert_eq!(pets.to(step), Ok(if step == JET_MoveNext { 5 } else { 3 }));
    }
    pets.index("name");
    assert_eq!(code(pets.seek(b"bat", JET_bitSeekEQ)), not_found);
    assert_eq!(pets.to(JET_MoveNext), Ok(2));
    assert_eq!(code(pets.seek(b"bef", JET_bitSeekEQ)), not_found);
    assert_eq!(pets.to(JET_MovePrevious), Ok(8));
    for (name, grbit, back, to) in [
        (b"zoo", JET_bitSeekGE, JET_MovePrevious, 6),
        (b"zoo", JET_bitSeekGT, JET_MovePrevious, 6),
        (b"aaa", JET_bitSeekLE, JET_MoveNext, 1),
        (b"aaa", JET_bitSeekLT, JET_MoveNext, 1),
    ] {
        assert_eq!(code(pets.seek(name, grbit)), not_found);
        assert_eq!(pets.to(-back), Err(NONE), "beyond the end");
        assert_eq!(pets.to(back), Ok(to));
    }
}

#[test]
fn s6_08_a_bookmark_leads_to_the_row_in_any_index_that_has_it() {
    let _mode = multi();
    let pets = pets();
    pets.seek_id(3, JET_bitSeekEQ).unwrap();
    let cat = JetGetBookmark(pets.ses, pets.cur).unwrap();
    pets.index("down");
    JetGotoBookmark(pets.ses, pets.cur, &cat).unwrap();
    assert_eq!((pets.at().unwrap(), pets.to(JET_MoveNext)), (3, Ok(2)));
    pets.index("age");
    let goto = |bookmark: &[u8]| JetGotoBookmark(pets.ses, pets.cur, bookmark);
    assert_eq!(code(goto(&cat)), NONE, "the row has no age");
    assert_eq!(code(goto(&[])), JetErr::InvalidBookmark);
    let mut gone = cat.clone();
    *gone.last_mut().unwrap() = 99;
    assert_eq!(code(goto(&gone)), JetErr::RecordDeleted);

    pets.index("name");
    pets.key(b"bee", JET_bitNewKey).unwrap();
    pets.range(JET_bitRangeUpperLimit).unwrap();
    pets.key(b"bee", JET_bitNewKey).unwrap();
    pets.prepare(JET_prepInsert).unwrap();
    goto(&cat).unwrap();
    assert_eq!(code(JetSeek(pets.ses, pets.cur, JET_bitSeekEQ)), JetErr::KeyNotMade);
    assert_eq!(code(pets.update()), JetErr::UpdateNotPrepared);
    assert_eq!(code(pets.range(JET_bitRangeRemove)), JetErr::InvalidOperation);
}

#[test]
fn s6_09_a_secondary_bookmark_leads_to_its_entry() {
    let _mode = multi();
    let pets = pets();
    let goto = |key: &[u8], row: &[u8], grbit| {
        JetGotoSecondaryIndexBookmark(pets.ses, pets.cur, key, row, grbit)
    };
    assert_eq!(code(goto(b"x", b"x", 0)), JetErr::NoCurrentIndex);
    let get = || JetGetSecondaryIndexBookmark(pets.ses, pets.cur, 0);
    assert_eq!(code(get()), JetErr::NoCurrentIndex);
    pets.index("name");
    pets.seek(b"bee", JET_bitSeekEQ).unwrap();
    pets.go(JET_MoveNext).unwrap();
    let (key, row) = get().unwrap();
    pets.go(JET_MoveFirst).unwrap();
    goto(&key, &row, 0).unwrap();
    assert_eq!(pets.at().unwrap(), 5);
    assert_eq!(code(goto(&[], &row, 0)), JetErr::InvalidBookmark);
    assert_eq!(code(goto(&key, &[], 0)), JetErr::InvalidBookmark, "keys are not distinct");
    JetDelete(pets.ses, pets.cur).unwrap();
    assert_eq!(code(goto(&key, &row, 0)), JetErr::RecordDeleted);
    assert_eq!(code(pets.at()), NONE);
    let between = JET_bitBookmarkPermitVirtualCurrency;
    assert_eq!(code(goto(&key, &row, between)), JetErr::RecordDeleted);
    assert_eq!(pets.to(JET_MoveNext), Ok(8), "the entry behind the missing one");

    pets.index("age");
    let (key, row) = get().unwrap();
    goto(&key, &[], 0).unwrap();
    assert_eq!(pets.at().unwrap(), 8);
    let mut other = row;
    *other.last_mut().unwrap() = 1;
    assert_eq!(code(goto(&key, &other, 0)), JetErr::RecordDeleted);
    assert_eq!(pets.at().unwrap(), 8, "and stands on that entry");
}

#[test]
fn s6_10_another_index_becomes_current_with_or_without_moving() {
    let _mode = multi();
    let pets = pets();
    let (ses, cur) = (pets.ses, pets.cur);
    let stay = |name| JetSetCurrentIndex2(ses, cur, Some(name), JET_bitNoMove);
    let current = || JetGetCurrentIndex(ses, cur).unwrap();
    assert_eq!(current(), "pk");
    pets.seek_id(6, JET_bitSeekEQ).unwrap();
    stay("down").unwrap();
    assert_eq!((current().as_str(), pets.at().unwrap()), ("down", 6));
    assert_eq!(pets.to(JET_MoveNext), Ok(3));
    assert_eq!(code(stay("age")), NONE, "no entry there");
    assert_eq!((current().as_str(), pets.at().unwrap()), ("down", 3), "nothing has changed");
    stay("").unwrap();
    assert_eq!((current().as_str(), pets.to(JET_MoveNext)), ("pk", Ok(5)));
    JetSetCurrentIndex(ses, cur, None).unwrap();
    assert_eq!(pets.at().unwrap(), 1, "to the first row, although the index was current");
    pets.go(-1).unwrap_err();
    assert_eq!(code(stay("name")), NONE, "no current row");
    JetSetCurrentIndex2(ses, cur, Some("name"), JET_bitMoveBeforeFirst).unwrap();
    assert_eq!(code(pets.at()), NONE);
    assert_eq!(pets.to(JET_MoveNext), Ok(1));
    for grbit in [4, JET_bitNoMove | JET_bitMoveBeforeFirst] {
        let refused = JetSetCurrentIndex2(ses, cur, Some("name"), grbit);
        assert_eq!(code(refused), JetErr::InvalidGrbit);
    }
    assert_eq!(code(JetSetCurrentIndex(ses, cur, Some("none"))), JetErr::IndexNotFound);
    for index in ["name", "pk"] {
        pets.prepare(JET_prepInsert).unwrap();
        JetSetCurrentIndex2(ses, cur, Some(index), JET_bitNoMove).unwrap();
        assert_eq!(code(pets.update()), JetErr::UpdateNotPrepared);
    }
    let filter = JET_INDEX_COLUMN { columnid: pets.age, ..JET_INDEX_COLUMN::default() };
    JetSetCursorFilter(ses, cur, &[filter], 0).unwrap();
    let refused = JetSetCurrentIndex(ses, cur, Some("name"));
    assert_eq!(code(refused), JetErr::FilteredMoveNotSupported);
}

#[test]
fn s6_11_a_bookmark_is_the_normalised_primary_key() {
    let _mode = multi();
    let pets = pets();
    let mut bookmarks = Vec::new();
    pets.go(JET_MoveFirst).unwrap();
    loop {
        let bookmark = JetGetBookmark(pets.ses, pets.cur).unwrap();
        assert_eq!(JetRetrieveKey(pets.ses, pets.cur, 0).unwrap(), bookmark);
        bookmarks.push(bookmark);
        if pets.go(JET_MoveNext).is_err() {
            break;
        }
    }
    assert!(bookmarks.is_sorted() && bookmarks.len() == 6, "comparable as bytes");
    assert_eq!(bookmarks[0], [0x7f, 0x80, 0, 0, 1]);
    assert_eq!(code(JetGetBookmark(pets.ses, pets.cur)), NONE);
    pets.index("down");
    assert_eq!(JetGetBookmark(pets.ses, pets.cur).unwrap(), bookmarks[4], "dog, id 6");

    // Without primary index it is a number of at least four bytes.
    let table = JetCreateTable(pets.ses, pets.live.dbid, "plain", 0, 0).unwrap();
    for _ in 0..2 {
        JetPrepareUpdate(pets.ses, table, JET_prepInsert).unwrap();
        JetUpdate(pets.ses, table).unwrap();
    }
    JetMove(pets.ses, table, JET_MoveLast, 0).unwrap();
    assert_eq!(JetGetBookmark(pets.ses, table).unwrap(), [0, 0, 0, 2]);
    assert_eq!(JetGetCurrentIndex(pets.ses, table).unwrap(), "");
}

#[test]
fn s6_12_a_position_is_a_part_of_all_entries() {
    let _mode = multi();
    let pets = empty();
    let goto = |lt, total| {
        let place = JET_RECPOS { centriesLT: lt, centriesTotal: total, ..JET_RECPOS::default() };
        JetGotoPosition(pets.ses, pets.cur, &place)
    };
    assert_eq!(code(goto(0, 10)), JetErr::RecordNotFound);
    JetBeginTransaction(pets.ses).unwrap();
    for id in 0..2000 {
        pets.insert(id, &format!("pet {:04}", 1999 - id), Some(id)).unwrap();
    }
    JetCommitTransaction(pets.ses, 0).unwrap();
    for index in ["pk", "name"] {
        pets.index(index);
        let mut last = 0;
        for tenth in 0..=10 {
            goto(tenth, 10).unwrap();
            let place = JetGetRecordPosition(pets.ses, pets.cur, 0).unwrap();
            let JET_RECPOS { centriesLT, centriesTotal, .. } = place;
            assert!(centriesLT < centriesTotal && place.centriesInRange == 1);
            let got = centriesLT * 100 / centriesTotal;
            assert!(got.abs_diff(tenth * 10) <= 15, "{index}: {tenth}/10 is {got} percent");
            assert!(got >= last);
            last = got;
        }
    }
    assert_eq!(code(goto(11, 10)), JetErr::InvalidParameter);
    pets.go(JET_MoveFirst).unwrap();
    pets.key(b"pet 9", JET_bitNewKey).unwrap();
    pets.range(JET_bitRangeUpperLimit).unwrap();
    pets.prepare(JET_prepInsert).unwrap();
    goto(1, 2).unwrap();
    assert_eq!(code(pets.range(JET_bitRangeRemove)), JetErr::InvalidOperation);
    assert_eq!(code(pets.update()), JetErr::UpdateNotPrepared);
    pets.go(5000).unwrap_err();
    assert_eq!(code(JetGetRecordPosition(pets.ses, pets.cur, 0)), NONE);
}

#[test]
fn s6_13_counting_goes_from_the_current_entry_to_the_end_or_the_range() {
    let _mode = multi();
    let pets = pets();
    let count = |max| JetIndexRecordCount(pets.ses, pets.cur, max);
    assert_eq!(count(0).unwrap(), 6);
    pets.seek_id(5, JET_bitSeekEQ).unwrap();
    assert_eq!((count(0).unwrap(), count(2).unwrap(), pets.at().unwrap()), (3, 2, 5));
    pets.index("age");
    assert_eq!(count(0).unwrap(), 5, "entries, not rows");
    pets.index("name");
    pets.seek(b"bee", JET_bitSeekEQ | JET_bitSetIndexRange).unwrap();
    assert_eq!((count(0).unwrap(), pets.at().unwrap()), (3, 2));
    assert_eq!(JetIndexRecordCount2(pets.ses, pets.cur, 1).unwrap(), 1);
    pets.go(10).unwrap_err();
    assert_eq!(code(count(0)), NONE);
    // In the engine's source nothing is counted from an entry that is gone.
    for index in ["pk", "name"] {
        JetBeginTransaction(pets.ses).unwrap();
        pets.index(index);
        JetDelete(pets.ses, pets.cur).unwrap();
        assert_eq!(code(count(0)), JetErr::RecordDeleted, "{index}");
        JetRollback(pets.ses, 0).unwrap();
    }
    let empty = empty();
    assert_eq!(JetIndexRecordCount(empty.ses, empty.cur, 0).unwrap(), 0);
    empty.go(JET_MoveFirst).unwrap_err();
    assert_eq!(code(JetIndexRecordCount(empty.ses, empty.cur, 0)), NONE);
}

#[test]
fn s6_14_cursor_info_tells_of_changes_by_others() {
    let _mode = multi();
    let pets = pets();
    let (other, theirs) = pets.other();
    let info = || JetGetCursorInfo(pets.ses, pets.cur);
    info().unwrap();
    JetBeginTransaction(pets.ses).unwrap();
    assert_eq!(pets.at().unwrap(), 1);
    JetPrepareUpdate(other, theirs, JET_prepReplace).unwrap();
    JetSetColumn(other, theirs, pets.name, Some(b"asp"), 0, None).unwrap();
    JetUpdate(other, theirs).unwrap();
    assert_eq!(code(info()), JetErr::WriteConflict, "committed behind the snapshot");
    JetCommitTransaction(pets.ses, 0).unwrap();
    info().unwrap();
    JetBeginTransaction(other).unwrap();
    JetMove(other, theirs, 1, 0).unwrap();
    JetDelete(other, theirs).unwrap();
    pets.go(1).unwrap();
    assert_eq!(code(info()), JetErr::WriteConflict, "not committed yet");
    JetRollback(other, 0).unwrap();
    info().unwrap();
    pets.go(100).unwrap_err();
    assert_eq!(code(info()), NONE);
}

/// A move by keys goes past all entries of a key at once, in both directions, and out of gaps.
#[test]
fn s6_04_moves_by_keys_leave_duplicates_out() {
    let _mode = multi();
    let pets = pets();
    for id in 100..400 {
        pets.insert(id, "bee", None).unwrap();
    }
    pets.index("name");
    let by_keys = |rows| {
        JetMove(pets.ses, pets.cur, rows, JET_bitMoveKeyNE)
            .and_then(|()| pets.at())
            .map_err(|error| error.code())
    };
    assert_eq!(pets.to(JET_MoveFirst), Ok(1));
    assert_eq!((by_keys(1), by_keys(1), by_keys(1)), (Ok(2), Ok(3), Ok(6)));
    assert_eq!(by_keys(1), Err(JetErr::NoCurrentRecord));
    assert_eq!(by_keys(-2), Ok(3), "from behind the last one");
    assert_eq!(by_keys(-1), Ok(399), "the last of the duplicates");
    assert_eq!(by_keys(-1), Ok(1));
    assert_eq!(by_keys(3), Ok(6));
    pets.seek(b"beetle", JET_bitSeekEQ).unwrap_err();
    assert_eq!(by_keys(1), Ok(3));
    pets.seek(b"beetle", JET_bitSeekEQ).unwrap_err();
    assert_eq!(by_keys(-1), Ok(399));
}
