//! Many threads on one tree: nothing is lost, nothing locks up, the structure holds.

use std::{
    collections::BTreeSet,
    ops::ControlFlow,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use ese_base::{PageSize, ProcId};

use super::harness::{KINDS, Rng, TestDb, WRITER};
use crate::tree::{
    Direction, Position, Start, TreeHandle, Unversioned, Writer, delete_node, flag_delete, insert,
    replace, scan, seek,
};

/// The entries that a thread owns: their keys end with its number.
fn work(test: &TestDb, tree: &TreeHandle, number: u8, steps: usize) -> BTreeSet<Vec<u8>> {
    let mut rng = Rng::new(u64::from(number) + 99);
    let writer = Writer { procid: ProcId(u16::from(number) + 1), ..WRITER };
    let mut own = BTreeSet::new();
    let (db, gate) = (&test.db, &Unversioned);
    let mut place = Position::default();
    for step in 0..steps {
        let mut key = rng.bytes(2);
        if number == 0 {
            // One thread loads in order.
            key = u32::try_from(step).unwrap().to_be_bytes().to_vec();
            key.insert(0, 0xff);
        }
        key.push(number);
        let data = vec![number; 20 + rng.below(200)];
        match rng.below(10) {
            0..=6 if !own.contains(&key) => {
                insert(db, tree, writer, gate, &mut place, &key, &[number; 30]).unwrap();
                own.insert(key);
            }
            7 if own.contains(&key) && tree.kind.unique => {
                replace(db, tree, writer, gate, &mut place, &key, &[], &data).unwrap();
            }
            8 | 9 => {
                let Some(key) = own.range(key..).next().cloned() else { continue };
                let Ok(found) = seek(&db.cache, &tree.view(), &key, &[number; 30]) else {
                    panic!()
                };
                let old = found.leaf.page().node(found.line.unwrap()).data.to_vec();
                drop(found);
                flag_delete(db, tree, writer, gate, &mut place, &key, &old).unwrap();
                delete_node(db, tree, writer, &key, &old, &|| true).unwrap();
                own.remove(&key);
            }
            _ => {}
        }
    }
    own
}

/// Reads until told to stop; every scan must be in order and see each steady entry once.
fn read(test: &TestDb, tree: &TreeHandle, done: &AtomicBool, direction: Direction) -> usize {
    let mut scans = 0;
    while !done.load(Ordering::Relaxed) || scans == 0 {
        let (mut last, mut steady): (Option<Vec<u8>>, usize) = (None, 0);
        let mut position = Position::default();
        scan(&test.db.cache, &tree.view(), Start::End, direction, &mut position, |node| {
            let mut entry = node.key_to_vec();
            if entry.starts_with(b"steady") {
                steady += 1;
            }
            if !tree.kind.unique {
                entry.extend_from_slice(node.data);
            }
            if let Some(last) = &last {
                let ascending = *last < entry;
                assert_eq!(ascending, direction == Direction::Forward, "{last:?} {entry:?}");
            }
            last = Some(entry);
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(steady, 300);
        scans += 1;
    }
    scans
}

#[test]
fn threads_that_insert_delete_and_scan_lose_nothing() {
    for kind in KINDS {
        let test = TestDb::logged(PageSize::K4, 64);
        let tree = test.create(&test.root(), kind, 1);
        let mut place = Position::default();
        for row in 0..300_u32 {
            let key = [&b"steady"[..], &row.to_be_bytes()].concat();
            insert(&test.db, &tree, WRITER, &Unversioned, &mut place, &key, &[1; 50]).unwrap();
        }
        let done = AtomicBool::new(false);
        let (test_ref, tree_ref, done_ref) = (&test, &tree, &done);
        let owned: Vec<BTreeSet<Vec<u8>>> = thread::scope(|scope| {
            let readers = [Direction::Forward, Direction::Backward].map(|direction| {
                scope.spawn(move || read(test_ref, tree_ref, done_ref, direction))
            });
            let writers: Vec<_> = (0..4)
                .map(|number| scope.spawn(move || work(test_ref, tree_ref, number, 4000)))
                .collect();
            let owned = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
            done.store(true, Ordering::Relaxed);
            for reader in readers {
                assert!(reader.join().unwrap() > 0);
            }
            owned
        });
        let mut expected: BTreeSet<Vec<u8>> = owned.into_iter().flatten().collect();
        let mut position = Position::default();
        let cache = &test.db.cache;
        let forward = Direction::Forward;
        scan(cache, &tree.view(), Start::End, forward, &mut position, |node| {
            let key = node.key_to_vec();
            if !node.is_deleted() && !key.starts_with(b"steady") {
                assert!(expected.remove(&key), "{key:?} was deleted, or is here twice");
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        assert!(expected.is_empty(), "{} entries are lost", expected.len());
        test.check(&[&tree]);
    }
}

#[test]
fn threads_that_grow_trees_of_one_table_share_its_space() {
    let test = TestDb::logged(PageSize::K4, 64);
    let table = test.create(&test.root(), KINDS[0], 1);
    let mut trees = vec![std::sync::Arc::clone(&table)];
    trees.extend((0..3).map(|_| test.create(&table, KINDS[1], 1)));
    thread::scope(|scope| {
        for (number, tree) in trees.iter().enumerate() {
            let test = &test;
            let number = u8::try_from(number).unwrap();
            scope.spawn(move || work(test, tree, number, 6000));
            scope.spawn(move || work(test, tree, number + 8, 6000));
        }
    });
    test.check(&trees.iter().collect::<Vec<_>>());
}
