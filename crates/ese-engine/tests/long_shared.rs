//! Long values that sessions share and let go, and what a value that is being written costs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]

mod values;

use std::{collections::BTreeSet, sync::Arc};

use ese_base::PageSize;
use ese_engine::{
    cursor::{Cursor, LongEdit, Prepare},
    session::{Durability, Session},
    table::{Sharing, Table},
    tree::Position,
};
use values::{ID, Numbers, Store, bytes, column, insert, key_of, read, set};

/// Inserts a row that is a copy of another one.
fn copy(session: &mut Session, table: &Arc<Table>, (from, to): (i32, i32)) {
    let mut cursor = Cursor::open(session, Arc::clone(table), Sharing::default()).unwrap();
    cursor.go_to(session, &key_of(from)).unwrap();
    cursor.prepare(session, Prepare::InsertCopy).unwrap();
    cursor.copy().unwrap().set(&table.schema, ID, Some(&to.to_le_bytes())).unwrap();
    cursor.update(session).unwrap();
}

fn delete(session: &mut Session, table: &Table, id: i32) {
    table.delete(session, &mut Position::default(), &key_of(id)).unwrap();
}

#[test]
fn sessions_that_copy_and_delete_rows_of_one_value_do_not_conflict() {
    let store = Store::new(PageSize::K4);
    let (mut a, mut b) = (store.session(), store.session());
    let table = store.table(&a);
    let plain = column(&table, "plain");
    a.begin().unwrap();
    insert(&mut a, &table, 1, &[(plain, &bytes(1, 20_000))]).unwrap();
    a.commit(Durability::Lazy).unwrap();
    // Both copy; one of them is taken back.
    a.begin().unwrap();
    b.begin().unwrap();
    copy(&mut a, &table, (1, 2));
    copy(&mut b, &table, (1, 3));
    copy(&mut b, &table, (1, 4));
    a.rollback().unwrap();
    b.commit(Durability::Lazy).unwrap();
    store.check();
    // Both let go: each sees that the other still refers to the value.
    a.begin().unwrap();
    b.begin().unwrap();
    delete(&mut a, &table, 1);
    delete(&mut b, &table, 3);
    copy(&mut a, &table, (4, 5));
    delete(&mut b, &table, 4);
    b.commit(Durability::Lazy).unwrap();
    assert_eq!(read(&a, &table, 4, plain), Some(vec![bytes(1, 20_000)]), "its snapshot");
    a.commit(Durability::Lazy).unwrap();
    store.check();
    assert_eq!(read(&a, &table, 5, plain), Some(vec![bytes(1, 20_000)]));
    a.begin().unwrap();
    delete(&mut a, &table, 5);
    a.commit(Durability::Lazy).unwrap();
    store.check();
    drop((a, b, table));
    store.reopen(false).check();
}

#[test]
fn the_last_two_references_go_at_the_same_time_and_the_value_with_them() {
    for crash in [false, true] {
        let store = Store::new(PageSize::K4);
        let (mut a, mut b, mut old) = (store.session(), store.session(), store.session());
        let table = store.table(&a);
        let plain = column(&table, "plain");
        a.begin().unwrap();
        insert(&mut a, &table, 1, &[(plain, &bytes(1, 700_000))]).unwrap();
        copy(&mut a, &table, (1, 2));
        a.commit(Durability::Lazy).unwrap();
        old.begin().unwrap();
        a.begin().unwrap();
        b.begin().unwrap();
        delete(&mut a, &table, 1);
        delete(&mut b, &table, 2);
        a.commit(Durability::Lazy).unwrap();
        b.commit(Durability::Durable).unwrap();
        store.instance.background_step().unwrap();
        // Somebody still sees both rows. Meanwhile the log moves on past the deletions.
        assert_eq!(read(&old, &table, 2, plain), Some(vec![bytes(1, 700_000)]));
        a.begin().unwrap();
        insert(&mut a, &table, 9, &[(plain, &bytes(9, 3_000_000))]).unwrap();
        a.commit(Durability::Durable).unwrap();
        for _ in 0..4 {
            store.instance.background_step().unwrap();
        }
        if crash {
            store.instance.abandon();
            drop((a, b, old, table));
            let store = store.reopen(false);
            store.check();
            let session = store.session();
            let table = store.table(&session);
            assert_eq!(read(&session, &table, 9, plain), Some(vec![bytes(9, 3_000_000)]));
        } else {
            old.commit(Durability::Lazy).unwrap();
            store.check();
        }
    }
}

#[test]
fn references_are_exact_however_sessions_interleave() {
    let mut store = Store::new(PageSize::K4);
    let mut numbers = Numbers(7);
    for round in 0..12 {
        {
            let mut sessions = [store.session(), store.session(), store.session()];
            let table = store.table(&sessions[0]);
            let plain = column(&table, "plain");
            // Every session works on rows of its own, all of which share the first one's value.
            let first = 1000 * round;
            let session = &mut sessions[0];
            session.begin().unwrap();
            insert(session, &table, first, &[(plain, &bytes(3, 9000))]).unwrap();
            session.commit(Durability::Lazy).unwrap();
            let mut rows: [BTreeSet<i32>; 3] = Default::default();
            let (mut before, mut next) = (rows.clone(), first);
            for _ in 0..60 {
                let who = numbers.below(3);
                let (session, rows) = (&mut sessions[who], &mut rows[who]);
                if session.level() == 0 {
                    session.begin().unwrap();
                    before[who].clone_from(rows);
                }
                match (numbers.below(5), rows.first().copied()) {
                    (0, Some(id)) | (1, Some(id)) => {
                        delete(session, &table, id);
                        rows.remove(&id);
                    }
                    (2, _) if numbers.below(3) == 0 => {
                        session.rollback().unwrap();
                        rows.clone_from(&before[who]);
                    }
                    (2, _) => session.commit(Durability::Lazy).unwrap(),
                    _ => {
                        next += 1;
                        copy(session, &table, (first, next));
                        rows.insert(next);
                    }
                }
            }
            if numbers.below(2) == 0 {
                for session in &mut sessions {
                    while session.level() > 0 {
                        session.commit(Durability::Durable).unwrap();
                    }
                }
            }
        }
        store.check();
        if round % 3 == 2 {
            store.instance.abandon();
            store = store.reopen(false);
            store.check();
        }
    }
}

#[test]
fn a_value_that_is_written_takes_next_to_no_versions_whatever_its_length() {
    // A version for each chunk would take several times as much.
    for page_size in [PageSize::K4, PageSize::K32] {
        let store = Store::with_versions(page_size, 64 << 10);
        let mut session = store.session();
        let table = store.table(&session);
        let plain = column(&table, "plain");
        let whole = bytes(5, 6 << 20);
        session.begin().unwrap();
        insert(&mut session, &table, 1, &[(plain, &whole)]).unwrap();
        session.commit(Durability::Lazy).unwrap();
        // The same in pieces that end anywhere, by a level of its own in between.
        let mut cursor = Cursor::open(&session, Arc::clone(&table), Sharing::default()).unwrap();
        session.begin().unwrap();
        cursor.prepare(&mut session, Prepare::Insert).unwrap();
        cursor.copy().unwrap().set(&table.schema, ID, Some(&2_i32.to_le_bytes())).unwrap();
        for (n, piece) in whole.chunks(3001).enumerate() {
            let nested = n % 100 == 7;
            if nested {
                session.begin().unwrap();
            }
            set(&mut cursor, &mut session, plain, LongEdit::Append(piece)).unwrap();
            if nested {
                session.commit(Durability::Lazy).unwrap();
                cursor.level_committed(2);
            }
        }
        cursor.update(&mut session).unwrap();
        session.commit(Durability::Lazy).unwrap();
        assert_eq!(read(&session, &table, 2, plain), Some(vec![whole.clone()]));
        store.check();
        // Taken back, and let go.
        session.begin().unwrap();
        insert(&mut session, &table, 3, &[(plain, &whole)]).unwrap();
        session.rollback().unwrap();
        session.begin().unwrap();
        delete(&mut session, &table, 1);
        delete(&mut session, &table, 2);
        session.commit(Durability::Lazy).unwrap();
        store.check();
        // A crash takes back what is not committed.
        session.begin().unwrap();
        insert(&mut session, &table, 4, &[(plain, &whole)]).unwrap();
        store.instance.abandon();
        drop((session, cursor, table));
        store.reopen(false).check();
    }
}
