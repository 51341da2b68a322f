//! Long values that are changed where they lie, because one row alone refers to them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]

mod values;

use std::sync::Arc;

use ese_base::{JetErr, PageSize};
use ese_engine::{
    catalog,
    cursor::{Cursor, LongEdit, Prepare},
    record::{Lid, LongValues, RecordView},
    schema::{ColumnId, IndexDef},
    session::{Durability, Session},
    table::{Sharing, Table},
    tree::Position,
};
use values::{ID, Store, bytes, column, def, insert, key_of, read, set};

/// A table whose row 1 has this value, committed.
fn with_value(store: &Store, value: &[u8]) -> (Session, Arc<Table>, ColumnId) {
    let mut session = store.session();
    let table = store.table(&session);
    let plain = column(&table, "plain");
    session.begin().unwrap();
    insert(&mut session, &table, 1, &[(plain, value)]).unwrap();
    session.commit(Durability::Durable).unwrap();
    (session, table, plain)
}

fn open(session: &Session, table: &Arc<Table>) -> Cursor {
    Cursor::open(session, Arc::clone(table), Sharing::default()).unwrap()
}

/// Replaces row `id` with one edit.
fn edit(session: &mut Session, table: &Arc<Table>, id: i32, column: ColumnId, edit: LongEdit<'_>) {
    let mut cursor = open(session, table);
    cursor.go_to(session, &key_of(id)).unwrap();
    cursor.prepare(session, Prepare::Replace).unwrap();
    set(&mut cursor, session, column, edit).unwrap();
    cursor.update(session).unwrap();
}

fn lid(session: &Session, table: &Table, id: i32) -> Lid {
    let row = table.get(session, &key_of(id), <[u8]>::to_vec).unwrap().unwrap();
    RecordView::new(&row, table.schema.page_size).unwrap().lids().unwrap()[0]
}

#[test]
fn a_part_of_a_great_value_costs_what_it_touches() {
    for page_size in [PageSize::K4, PageSize::K32] {
        let store = Store::new(page_size);
        let mut value = bytes(1, 8 << 20);
        let (mut session, table, plain) = with_value(&store, &value);
        let (before, log) = (lid(&session, &table, 1), store.instance.log.as_ref().unwrap());
        let began = log.current_generation();
        for round in 0..20 {
            session.begin().unwrap();
            edit(&mut session, &table, 1, plain, LongEdit::Append(&bytes(round, 100)));
            value.extend_from_slice(&bytes(round, 100));
            let (offset, new) = (round * 400_000, &bytes(round, 5000)[..]);
            let over = LongEdit::Overwrite { offset, bytes: new, cut: false };
            edit(&mut session, &table, 1, plain, over);
            value[offset..offset + 5000].copy_from_slice(new);
            let len = value.len() - 30;
            edit(&mut session, &table, 1, plain, LongEdit::Resize(len));
            value.truncate(len);
            session.commit(Durability::Durable).unwrap();
        }
        // 320 MiB and more, if the value were written anew each time.
        let written = log.current_generation().0 - began.0;
        assert!(written < 8, "{written} files of 1 MiB");
        assert_eq!(lid(&session, &table, 1), before);
        assert_eq!(read(&session, &table, 1, plain), Some(vec![value.clone()]));
        store.check();
        store.instance.abandon();
        drop((session, table));
        let store = store.reopen(false);
        let session = store.session();
        assert_eq!(read(&session, &store.table(&session), 1, plain), Some(vec![value]));
        store.check();
    }
}

#[test]
fn older_readers_go_on_seeing_bytes_and_length_from_before() {
    let store = Store::new(PageSize::K4);
    let value = bytes(1, 50_000);
    let (mut session, table, plain) = with_value(&store, &value);
    let (grown, cut) = ([&value[..], &bytes(2, 10_000)].concat(), &value[..26_000]);
    let mut states = vec![value.clone()];
    let mut readers = Vec::new();
    for edits in [
        LongEdit::Append(&grown[50_000..]),
        LongEdit::Overwrite { offset: 20_000, bytes: &bytes(3, 9000), cut: false },
        LongEdit::Resize(cut.len() + 20_000),
        LongEdit::Resize(60_000),
    ] {
        let mut reader = store.session();
        reader.begin().unwrap();
        readers.push(reader);
        session.begin().unwrap();
        edit(&mut session, &table, 1, plain, edits);
        let mut new = states.last().unwrap().clone();
        match edits {
            LongEdit::Append(more) => new.extend_from_slice(more),
            LongEdit::Overwrite { offset, bytes, .. } => {
                new[offset..offset + bytes.len()].copy_from_slice(bytes);
            }
            LongEdit::Resize(len) => new.resize(len, 0),
            LongEdit::Set(_) => {}
        }
        // Who makes the change sees it; who began before it does not, before and after its commit.
        assert_eq!(read(&session, &table, 1, plain), Some(vec![new.clone()]));
        assert_eq!(
            read(readers.last().unwrap(), &table, 1, plain).as_ref(),
            Some(&states[states.len() - 1..].to_vec())
        );
        session.commit(Durability::Lazy).unwrap();
        states.push(new);
        store.instance.background_step().unwrap();
        for (reader, state) in readers.iter().zip(&states) {
            assert_eq!(read(reader, &table, 1, plain), Some(vec![state.clone()]));
        }
    }
    drop(readers);
    assert_eq!(read(&session, &table, 1, plain), states.pop().map(|state| vec![state]));
    store.check();
}

#[test]
fn what_is_taken_back_at_any_level_leaves_the_value_of_the_level_below() {
    let store = Store::new(PageSize::K4);
    let value = bytes(1, 30_000);
    let (mut session, table, plain) = with_value(&store, &value);
    session.begin().unwrap();
    edit(&mut session, &table, 1, plain, LongEdit::Append(b"first"));
    let first = [&value[..], b"first"].concat();
    for inner in [LongEdit::Append(b"second"), LongEdit::Resize(9000), LongEdit::Resize(50_000)] {
        session.begin().unwrap();
        edit(&mut session, &table, 1, plain, inner);
        edit(&mut session, &table, 1, plain, LongEdit::Append(b"third"));
        session.rollback().unwrap();
        assert_eq!(read(&session, &table, 1, plain), Some(vec![first.clone()]), "{inner:?}");
    }
    session.rollback().unwrap();
    assert_eq!(read(&session, &table, 1, plain), Some(vec![value]));
    store.check();
}

#[test]
fn an_update_that_is_dropped_or_fails_has_changed_nothing() {
    let store = Store::new(PageSize::K4);
    let value = bytes(1, 30_000);
    let (mut session, table, plain) = with_value(&store, &value);
    session.begin().unwrap();
    let mut cursor = open(&session, &table);
    cursor.first(&session).unwrap();
    for kind in [Prepare::Replace, Prepare::ReplaceNoLock] {
        cursor.prepare(&mut session, kind).unwrap();
        set(&mut cursor, &mut session, plain, LongEdit::Append(b"more")).unwrap();
        let copy = cursor.long_values(&session);
        let shown = copy.read_at(lid(&session, &table, 1), 29_999, 100).unwrap();
        assert_eq!(shown, [&value[29_999..], b"more"].concat());
        drop(copy);
        assert_eq!(read(&session, &table, 1, plain), Some(vec![value.clone()]));
        cursor.cancel();
    }
    // The key of the row may not change: the update fails, and stays with what it has changed.
    cursor.prepare(&mut session, Prepare::Replace).unwrap();
    set(&mut cursor, &mut session, plain, LongEdit::Append(b"more")).unwrap();
    cursor.copy().unwrap().set(&table.schema, ID, Some(&9_i32.to_le_bytes())).unwrap();
    let refused = cursor.update(&mut session).unwrap_err();
    assert_eq!(refused.code(), JetErr::RecordPrimaryChanged);
    assert_eq!(read(&session, &table, 1, plain), Some(vec![value.clone()]));
    cursor.copy().unwrap().set(&table.schema, ID, Some(&1_i32.to_le_bytes())).unwrap();
    cursor.update(&mut session).unwrap();
    session.commit(Durability::Lazy).unwrap();
    assert_eq!(read(&session, &table, 1, plain), Some(vec![[&value[..], b"more"].concat()]));
    store.check();
}

#[test]
fn the_first_of_two_writers_wins() {
    let store = Store::new(PageSize::K4);
    let value = bytes(1, 30_000);
    let (mut session, table, plain) = with_value(&store, &value);
    let mut other = store.session();
    // Whether the first one has committed when the second one writes.
    for committed in [false, true] {
        let before = read(&session, &table, 1, plain);
        session.begin().unwrap();
        other.begin().unwrap();
        let mut late = open(&other, &table);
        late.first(&other).unwrap();
        late.prepare(&mut other, Prepare::ReplaceNoLock).unwrap();
        set(&mut late, &mut other, plain, LongEdit::Append(b"late")).unwrap();
        edit(&mut session, &table, 1, plain, LongEdit::Append(b"early"));
        if committed {
            session.commit(Durability::Lazy).unwrap();
        }
        let refused = late.update(&mut other).unwrap_err();
        assert_eq!(refused.code(), JetErr::WriteConflict);
        late.cancel();
        other.rollback().unwrap();
        if !committed {
            session.rollback().unwrap();
            assert_eq!(read(&session, &table, 1, plain), before);
        }
        store.check();
    }
    assert_eq!(read(&session, &table, 1, plain), Some(vec![[&value[..], b"early"].concat()]));
}

#[test]
fn a_value_that_two_rows_share_is_copied_first() {
    let store = Store::new(PageSize::K4);
    let value = bytes(1, 30_000);
    let (mut session, table, plain) = with_value(&store, &value);
    let mut other = store.session();
    // A copy that is prepared, in a transaction or not, counts already.
    for (id, level) in [(2, 0), (3, 1)] {
        if level > 0 {
            other.begin().unwrap();
        }
        let mut copy = open(&other, &table);
        copy.go_to(&other, &key_of(1)).unwrap();
        copy.prepare(&mut other, Prepare::InsertCopy).unwrap();
        let before = read(&session, &table, 1, plain).unwrap();
        session.begin().unwrap();
        edit(&mut session, &table, 1, plain, LongEdit::Append(b"more"));
        session.commit(Durability::Lazy).unwrap();
        let record = copy.copy().unwrap();
        record.set(&table.schema, ID, Some(&i32::to_le_bytes(id))).unwrap();
        copy.update(&mut other).unwrap();
        if level > 0 {
            other.commit(Durability::Lazy).unwrap();
        }
        assert_eq!(read(&session, &table, id, plain), Some(before));
        store.check();
    }
    let more = [&value[..], b"moremore"].concat();
    assert_eq!(read(&session, &table, 1, plain), Some(vec![more]));
    // Later copies, too.
    session.begin().unwrap();
    edit(&mut session, &table, 2, plain, LongEdit::Resize(20_000));
    session.commit(Durability::Lazy).unwrap();
    assert_eq!(read(&session, &table, 2, plain), Some(vec![value[..20_000].to_vec()]));
    store.check();
}

#[test]
fn recovery_takes_back_what_did_not_commit() {
    let store = Store::new(PageSize::K4);
    let value = bytes(1, 60_000);
    let (mut session, table, plain) = with_value(&store, &value);
    let mut other = store.session();
    session.begin().unwrap();
    edit(&mut session, &table, 1, plain, LongEdit::Append(&bytes(5, 9000)));
    session.commit(Durability::Lazy).unwrap();
    let kept = [&value[..], &bytes(5, 9000)].concat();
    session.begin().unwrap();
    edit(&mut session, &table, 1, plain, LongEdit::Append(&bytes(2, 9000)));
    let over = LongEdit::Overwrite { offset: 7, bytes: &bytes(3, 9000), cut: false };
    edit(&mut session, &table, 1, plain, over);
    edit(&mut session, &table, 1, plain, LongEdit::Resize(50_000));
    // So that the log holds all of it.
    other.begin().unwrap();
    insert(&mut other, &table, 2, &[]).unwrap();
    other.commit(Durability::Durable).unwrap();
    store.instance.background_step().unwrap();
    store.instance.abandon();
    drop((session, other, table));
    let store = store.reopen(false);
    let session = store.session();
    assert_eq!(read(&session, &store.table(&session), 1, plain), Some(vec![kept]));
    store.check();
}

#[test]
fn a_value_in_a_key_is_seen_to_change() {
    let store = Store::new(PageSize::K8);
    let mut session = store.session();
    let mut with_index = def().index(IndexDef::new("by_plain", &["plain"]));
    with_index.name = "indexed".to_owned();
    let table = catalog::create_table(&mut session, &store.attached, &with_index).unwrap();
    let plain = column(&table, "plain");
    session.begin().unwrap();
    insert(&mut session, &table, 1, &[(plain, &bytes(1, 20_000))]).unwrap();
    session.commit(Durability::Lazy).unwrap();
    session.begin().unwrap();
    let over = LongEdit::Overwrite { offset: 0, bytes: b"in front", cut: false };
    edit(&mut session, &table, 1, plain, over);
    session.commit(Durability::Lazy).unwrap();
    assert_eq!(table.check_indexes(&session).unwrap(), []);
    store.check();
}

#[test]
fn a_prepared_row_keeps_its_values_outside_a_transaction() {
    for kind in [Prepare::InsertCopy, Prepare::Replace, Prepare::ReplaceNoLock] {
        for deleted in [false, true] {
            let store = Store::new(PageSize::K4);
            let value = bytes(1, 30_000);
            let (mut session, table, plain) = with_value(&store, &value);
            let mut other = store.session();
            let mut cursor = open(&session, &table);
            cursor.first(&session).unwrap();
            cursor.prepare(&mut session, kind).unwrap();
            let old = lid(&session, &table, 1);
            other.begin().unwrap();
            if deleted {
                table.delete(&mut other, &mut Position::default(), &key_of(1)).unwrap();
            } else {
                edit(&mut other, &table, 1, plain, LongEdit::Set(Some(&bytes(2, 20_000))));
            }
            other.commit(Durability::Lazy).unwrap();
            store.instance.background_step().unwrap();
            let shown = cursor.long_values(&session).read_at(old, 0, usize::MAX).unwrap();
            assert_eq!(shown, value, "{kind:?}");
            let record = cursor.copy().unwrap();
            if kind == Prepare::InsertCopy {
                record.set(&table.schema, ID, Some(&2_i32.to_le_bytes())).unwrap();
                cursor.update(&mut session).unwrap();
                assert_eq!(read(&session, &table, 2, plain), Some(vec![value]));
            } else {
                let code = cursor.update(&mut session).unwrap_err().code();
                let wanted = if deleted { JetErr::RecordDeleted } else { JetErr::WriteConflict };
                assert_eq!(code, wanted, "{kind:?}");
                cursor.cancel();
            }
            store.check();
            let clean = kind == Prepare::Replace;
            if !clean {
                store.instance.abandon();
            }
            drop((cursor, session, other, table));
            store.reopen(clean).check();
        }
    }
}

#[test]
fn a_copy_that_is_never_written_leaves_nothing_to_give_back() {
    let store = Store::new(PageSize::K4);
    let (mut session, table, _) = with_value(&store, &bytes(1, 30_000));
    let mut other = store.session();
    let mut cursor = open(&session, &table);
    cursor.first(&session).unwrap();
    cursor.prepare(&mut session, Prepare::InsertCopy).unwrap();
    other.begin().unwrap();
    table.delete(&mut other, &mut Position::default(), &key_of(1)).unwrap();
    other.commit(Durability::Durable).unwrap();
    store.instance.background_step().unwrap();
    store.instance.abandon();
    drop((cursor, session, other, table));
    store.reopen(false).check();
}
