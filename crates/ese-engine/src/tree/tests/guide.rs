//! Searches by the guide find what searches from the root find, however the tree has changed.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use ese_base::{PageSize, ProcId};

use super::harness::{KINDS, Model, Rng, TestDb, WRITER};
use crate::tree::{
    Position, TreeHandle, Unversioned, Writer, delete_node, descend::guided, flag_delete, insert,
    seek, seek_guided,
};

fn row(number: u32) -> ([u8; 4], [u8; 40]) {
    (number.to_be_bytes(), [7; 40])
}

fn add(test: &TestDb, tree: &TreeHandle, number: u32) {
    let (key, data) = row(number);
    let mut place = Position::default();
    insert(&test.db, tree, WRITER, &Unversioned, &mut place, &key, &data).unwrap();
}

fn remove(test: &TestDb, tree: &TreeHandle, writer: Writer, (key, data): (&[u8], &[u8])) {
    let mut place = Position::default();
    flag_delete(&test.db, tree, writer, &Unversioned, &mut place, key, data).unwrap();
    delete_node(&test.db, tree, writer, key, data, &|| true).unwrap();
}

/// Does the guide alone find the leaf of a row?
fn is_guided(test: &TestDb, tree: &TreeHandle, number: u32) -> bool {
    let (view, (key, data)) = (tree.view(), row(number));
    guided(&test.db.cache, tree, &view, 3, &key, view.order_data(&data)).is_some()
}

/// Both ways lead to the same place, for every row that is there or could be.
fn both_ways_agree(test: &TestDb, tree: &TreeHandle, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let (key, data) = row(number);
        let one = seek_guided(&test.db.cache, tree, 0, &key, &data).unwrap();
        let one = (one.leaf.pgno(), one.line);
        let other = seek(&test.db.cache, &tree.view(), &key, &data).unwrap();
        assert_eq!(one, (other.leaf.pgno(), other.line), "row {number}");
    }
}

#[test]
fn a_tree_that_is_searched_often_gets_a_guide_and_one_that_has_changed_a_new_one() {
    for kind in KINDS {
        let test = TestDb::new(PageSize::K4, 64);
        let tree = test.create(&test.root(), kind, 1);
        for number in (0..20_000).step_by(2) {
            add(&test, &tree, number);
        }
        assert!(!is_guided(&test, &tree, 4000));
        both_ways_agree(&test, &tree, 0..20_001);
        assert!(is_guided(&test, &tree, 4000) && is_guided(&test, &tree, 4001));
        // The leaves split many times: most of what the map says is wrong now.
        for number in (1..20_000).step_by(2) {
            add(&test, &tree, number);
        }
        both_ways_agree(&test, &tree, 0..20_001);
        let known = (0..20_000).filter(|number| is_guided(&test, &tree, *number)).count();
        assert!(known > 19_000, "{known}");
    }
}

#[test]
fn a_guide_to_leaves_that_have_gone_or_serve_another_tree_leads_nobody_astray() {
    for kind in KINDS {
        let test = TestDb::new(PageSize::K4, 64);
        let tree = test.create(&test.root(), kind, 1);
        for number in 0..20_000 {
            add(&test, &tree, number);
        }
        both_ways_agree(&test, &tree, 0..2000);
        assert!(is_guided(&test, &tree, 15_000));
        for number in (0..20_000).filter(|number| number % 50 != 0) {
            let (key, data) = row(number);
            remove(&test, &tree, WRITER, (&key, &data));
        }
        // Their pages become leaves of this tree at other places, and of another one.
        let other = test.create(&test.root(), kind, 1);
        for number in 20_000..30_000 {
            add(&test, &tree, number);
            add(&test, &other, number - 20_000);
        }
        both_ways_agree(&test, &tree, 0..30_000);
        both_ways_agree(&test, &other, 0..30_000);
        test.check(&[&tree, &other]);
    }
}

#[test]
fn changes_by_the_guide_or_by_remembered_places_go_where_a_search_from_the_root_leads() {
    for (kind, seed) in KINDS.into_iter().zip(1..) {
        let mut rng = Rng::new(seed);
        let test = TestDb::new(PageSize::K4, 64);
        let (tree, other) =
            (test.create(&test.root(), kind, 1), test.create(&test.root(), kind, 1));
        let mut models = [Model::new(&test.db, &tree), Model::new(&test.db, &other)];
        let mut places = vec![Position::default()];
        let mut next = 0;
        for round in 0..40 {
            let model = &mut models[round % 2];
            for _ in 0..600 {
                // Any place at all: of an entry nearby, of one far away, of the other tree.
                model.position = places[rng.below(places.len())];
                let number =
                    if round % 3 == 0 { next } else { u32::try_from(rng.next() >> 32).unwrap() };
                next += 100_000;
                let (key, data) = row(number);
                model.insert(&key, &data);
                places.push(model.position);
            }
            // Leaves empty, join and become leaves of the other tree.
            for _ in 0..if round % 8 == 7 { 2000 } else { 100 } {
                let Some(order) = model.pick(&mut rng) else { break };
                model.position = places[rng.below(places.len())];
                model.delete(&order, rng.below(4) > 0);
            }
            if round % 5 == 0 {
                // The guide is drawn, if the one that there is leads astray too often.
                for (key, data) in model.entries.values().take(3000) {
                    drop(seek_guided(&test.db.cache, &model.tree, 1, key, data).unwrap());
                }
            }
            let few = places.len().saturating_sub(1000);
            places.drain(..few);
            models.iter().for_each(Model::compare);
        }
        drop(models);
        test.check(&[&tree, &other]);
    }
}

#[test]
fn readers_by_the_guide_always_find_what_stays_while_everything_around_it_comes_and_goes() {
    for kind in KINDS {
        let test = TestDb::logged(PageSize::K4, 64);
        let tree = test.create(&test.root(), kind, 1);
        let steady: Vec<u32> = (0..3000).map(|n| n * 1_000_000).collect();
        for &number in &steady {
            add(&test, &tree, number);
        }
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let (test, tree, steady, done) = (&test, &tree, &steady, &done);
            let readers: Vec<_> = (0..3)
                .map(|seat| scope.spawn(move || read(test, tree, steady, (seat, done))))
                .collect();
            let writers: Vec<_> =
                (1..=3).map(|id| scope.spawn(move || churn(test, tree, id))).collect();
            for writer in writers {
                writer.join().unwrap();
            }
            done.store(true, Ordering::Relaxed);
            for reader in readers {
                assert!(reader.join().unwrap() > 10_000);
            }
        });
        test.check(&[&tree]);
    }
}

/// Looks for rows that are always there and for neighbours of theirs that never are.
fn read(
    test: &TestDb,
    tree: &TreeHandle,
    steady: &[u32],
    (seat, done): (usize, &AtomicBool),
) -> usize {
    let (mut rng, mut reads) = (Rng::new(u64::try_from(seat).unwrap() + 5), 0);
    while !done.load(Ordering::Relaxed) || reads <= 10_000 {
        let number = steady[rng.below(steady.len())];
        for (number, expected) in [(number, true), (number + 500_000, false)] {
            let (key, data) = row(number);
            let found = seek_guided(&test.db.cache, tree, seat, &key, &data).unwrap();
            assert_eq!(found.line.is_ok(), expected, "row {number}");
            let (Ok(line) | Err(line)) = found.line;
            let page = found.leaf.page();
            // Also what is not there lies between its neighbours, or at the end of the tree.
            let below = line.checked_sub(1).map(|before| page.node(before).key_to_vec());
            assert!(below.is_none_or(|below| below < key.to_vec()), "row {number}");
            let above = (line < page.node_count()).then(|| page.node(line).key_to_vec());
            assert!(above.is_none_or(|above| above >= key.to_vec()), "row {number}");
            reads += 1;
        }
    }
    reads
}

/// Fills and empties one part of the tree after the other, so that leaves split, join and move on.
fn churn(test: &TestDb, tree: &TreeHandle, id: u32) {
    let writer = Writer { procid: ProcId(u16::try_from(id).unwrap() + 1), ..WRITER };
    let mut rng = Rng::new(u64::from(id));
    for _ in 0..15 {
        let from = u32::try_from(rng.below(2900)).unwrap() * 1_000_000;
        let keys: Vec<[u8; 4]> =
            (0..400).map(|n: u32| (from + n * 7001 + 1 + id).to_be_bytes()).collect();
        let data = [u8::try_from(id).unwrap(); 60];
        let mut place = Position::default();
        let mut own = Vec::new();
        for key in keys {
            let added =
                insert(&test.db, tree, writer, &Unversioned, &mut place, &key, &data).is_ok();
            // Another thread may be in the same place.
            if added {
                own.push(key);
            }
        }
        for key in own {
            remove(test, tree, writer, (&key, &data));
        }
    }
}
