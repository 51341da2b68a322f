//! Long values that go, while something else is at work or wrong.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test says what is wrong by ending, and damages files as others would"
)]

mod values;

use std::sync::Arc;

use ese_base::{ErrorKind, JetErr, PageSize};
use ese_engine::{
    cursor::{Cursor, LongEdit, Prepare},
    instance::TermMode,
    session::{Durability, Session},
    table::{Sharing, Table},
    tree::Position,
};
use values::{ID, Store, bytes, column, insert, key_of, read, set};

fn delete(session: &mut Session, table: &Table, id: i32) {
    session.begin().unwrap();
    table.delete(session, &mut Position::default(), &key_of(id)).unwrap();
    session.commit(Durability::Durable).unwrap();
}

#[test]
fn a_commit_that_cannot_let_go_of_dropped_values_does_so_when_it_is_tried_again() {
    let store = Store::with_versions(PageSize::K4, 64 << 10);
    let (mut a, mut b) = (store.session(), store.session());
    let table = store.table(&a);
    let plain = column(&table, "plain");
    a.begin().unwrap();
    // Updates that come to nothing, and one whose values are at its end let go of.
    for id in 1..=3 {
        let mut cursor = Cursor::open(&a, Arc::clone(&table), Sharing::default()).unwrap();
        cursor.prepare(&mut a, Prepare::Insert).unwrap();
        cursor.copy().unwrap().set(&table.schema, ID, Some(&i32::to_le_bytes(id))).unwrap();
        set(&mut cursor, &mut a, plain, LongEdit::Set(Some(&bytes(2, 20_000)))).unwrap();
        cursor.cancel();
    }
    b.begin().unwrap();
    let full = (10..).find_map(|id| insert(&mut b, &table, id, &[]).err()).unwrap();
    assert_eq!(full.code(), JetErr::VersionStoreOutOfMemory);
    let refused = a.commit(Durability::Lazy).unwrap_err();
    assert_eq!(refused.code(), JetErr::VersionStoreOutOfMemory);
    assert_eq!(a.level(), 1);
    b.rollback().unwrap();
    a.commit(Durability::Lazy).unwrap();
    store.check();
}

#[test]
fn chunks_of_a_value_that_another_transaction_writes_are_not_nobodys() {
    let store = Store::new(PageSize::K4);
    let mut session = store.session();
    let table = store.table(&session);
    let plain = column(&table, "plain");
    session.begin().unwrap();
    insert(&mut session, &table, 1, &[(plain, &bytes(1, 50_000))]).unwrap();
    store.check();
    session.rollback().unwrap();
    store.check();
}

#[test]
fn a_damaged_page_of_a_value_that_goes_stops_neither_the_instance_nor_its_recovery() {
    for recovered in [false, true] {
        let store = Store::new(PageSize::K4);
        let mut session = store.session();
        let table = store.table(&session);
        let plain = column(&table, "plain");
        let value = |id: u32| -> Vec<u8> {
            (0..100_000).flat_map(|n: u32| (n << 4 | id).to_le_bytes()).collect()
        };
        session.begin().unwrap();
        for (id, nth) in (1..=3).zip(1..) {
            insert(&mut session, &table, id, &[(plain, &value(nth))]).unwrap();
        }
        session.commit(Durability::Durable).unwrap();
        drop((session, table));
        let store = damaged(store, value(1).get(200_000..200_200).unwrap());
        let mut session = store.session();
        let table = store.table(&session);
        delete(&mut session, &table, 1);
        delete(&mut session, &table, 2);
        let store = if recovered {
            store.instance.abandon();
            drop((session, table));
            store.reopen(false)
        } else {
            store.instance.background_step().unwrap();
            drop((session, table));
            store.reopen(true)
        };
        store.instance.background_step().unwrap();
        store.instance.check().unwrap();
        let session = store.session();
        let table = store.table(&session);
        assert_eq!(read(&session, &table, 3, plain), Some(vec![value(3)]));
        // The damaged value takes room still, the other one that went does not.
        let wrong = table.check_long_values(&session).unwrap_err();
        assert_eq!(wrong.kind(), ErrorKind::Corruption, "{wrong}");
    }
}

/// Ends the instance, damages the page with these bytes, and starts again.
fn damaged(store: Store, bytes: &[u8]) -> Store {
    let path = store.attached.path.clone();
    let Store { dir, instance, attached } = store;
    drop(attached);
    instance.terminate(TermMode::Clean).unwrap();
    drop(instance);
    let mut file = std::fs::read(&path).unwrap();
    let at = file.windows(bytes.len()).position(|window| window == bytes).unwrap();
    // More than what the checksum can put right.
    file[at..at + bytes.len()].iter_mut().zip(1..).for_each(|(byte, n)| *byte ^= n);
    std::fs::write(&path, file).unwrap();
    let instance = values::start(&dir, PageSize::K4, 64 << 20);
    let attached = instance.attach(&path).unwrap();
    Store { dir, instance, attached }
}
