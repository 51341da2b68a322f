//! Trees that shrink: leaves that empty or become sparse, trees that lose everything.

use std::{
    ops::ControlFlow,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use ese_base::{PageSize, StopReason, StopToken};

use super::{
    harness::{KINDS, Model, Rng, TestDb, WRITER},
    key,
};
use crate::tree::{
    DefragPlace, DefragRules, Direction, Position, Start, TreeKind, Unversioned, defragment,
    delete_node, flag_delete, insert, scan,
};

/// Fills a tree with entries in random order, with separators that do not compress.
fn fill(model: &mut Model<'_>, rng: &mut Rng, count: usize, page_size: PageSize) {
    for _ in 0..count / 2 {
        let shared = rng.bytes(page_size.bytes() / 24);
        for _ in 0..2 {
            let key = [&shared[..], &rng.bytes(6)].concat();
            let data = rng.bytes(page_size.bytes() / 40);
            model.insert(&key, &data);
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Order {
    Rising,
    Falling,
    Random,
    /// First all but the outermost, from the middle.
    Inner,
}

#[test]
fn a_tree_that_loses_every_entry_is_an_empty_root_again() {
    for page_size in PageSize::EVER {
        for kind in KINDS {
            for order in [Order::Rising, Order::Falling, Order::Random, Order::Inner] {
                let mut rng = Rng::new(9);
                let test = TestDb::new(page_size, 32);
                let tree = test.create(&test.root(), kind, 1);
                let mut model = Model::new(&test.db, &tree);
                fill(&mut model, &mut rng, 2400, page_size);
                let before = test.check(&[&tree]);
                assert!(before.trees[1].depth >= 3, "{page_size}");
                let mut orders: Vec<_> = model.entries.keys().cloned().collect();
                match order {
                    Order::Rising => {}
                    Order::Falling => orders.reverse(),
                    Order::Inner => orders.rotate_left(1200),
                    Order::Random => {
                        for place in (1..orders.len()).rev() {
                            orders.swap(place, rng.below(place + 1));
                        }
                    }
                }
                for (step, entry) in orders.iter().enumerate() {
                    model.delete(entry, true);
                    if step % 800 == 799 {
                        model.compare();
                        test.check(&[&tree]);
                    }
                }
                let after = test.check(&[&tree]);
                let what = format!("{page_size} {order:?}");
                assert_eq!(after.trees[1].pages, [tree.fdp], "{what}");
                assert_eq!(after.trees[1].deleted, 0, "{what}");
                // And it grows again.
                fill(&mut model, &mut rng, 400, page_size);
                model.compare();
                assert_eq!(test.check(&[&tree]).owned, before.owned, "{what}");
            }
        }
    }
}

#[test]
fn trees_of_many_levels_grow_and_go_again() {
    let longest = 996;
    let mut depth = 0;
    for kind in KINDS {
        let mut rng = Rng::new(17);
        let test = TestDb::new(PageSize::K4, 32);
        let tree = test.create(&test.root(), kind, 1);
        let mut model = Model::new(&test.db, &tree);
        // Long keys, of which few have enough in common that anything could be shortened: four
        // pointers fill a page.
        for _ in 0..1600 {
            let shared = rng.bytes(longest - 4);
            for _ in 0..2 {
                model.insert(&[&shared[..], &rng.bytes(4)].concat(), &[1; 3]);
            }
        }
        model.compare();
        let report = test.check(&[&tree]);
        depth = depth.max(report.trees[1].depth);
        let stop = StopToken::new();
        let rules = DefragRules { fill: true, unneeded: &|_, _| true };
        while !model.entries.is_empty() {
            for _ in 0..400 {
                if let Some(order) = model.pick(&mut rng) {
                    model.delete(&order, rng.below(8) > 0);
                }
            }
            let mut place = DefragPlace::default();
            while !place.done {
                defragment(&test.db, &tree, WRITER, &mut place, 50, rules, &stop).unwrap();
            }
            model.compare();
            test.check(&[&tree]);
        }
        let after = test.check(&[&tree]);
        assert_eq!((after.trees[1].pages.len(), after.trees[1].deleted), (1, 0));
    }
    assert!(depth >= 6, "{depth} levels");
}

#[test]
fn sparse_leaves_join_their_neighbours() {
    for page_size in PageSize::EVER {
        let test = TestDb::new(page_size, 32);
        let tree = test.create(&test.root(), TreeKind::TABLE, 1);
        let mut model = Model::new(&test.db, &tree);
        let rows = 2000 * page_size.bytes_u32() / 4096;
        for row in 0..rows {
            model.insert(&row.to_be_bytes(), &[7; 100]);
        }
        let before = test.check(&[&tree]).trees[1].leaves;
        for row in (0..rows).filter(|row| row % 8 != 0) {
            model.delete(&row.to_be_bytes(), true);
        }
        model.compare();
        let after = test.check(&[&tree]).trees[1].leaves;
        assert!(after * 3 <= before, "{page_size}: {before} leaves, {after} afterwards");
    }
}

#[test]
fn histories_that_grow_and_shrink_leave_what_a_sorted_map_predicts() {
    for (round, page_size) in PageSize::EVER.into_iter().enumerate() {
        for kind in KINDS {
            let mut rng = Rng::new(71 + round as u64);
            let test = TestDb::new(page_size, 32);
            let tree = test.create(&test.root(), kind, 1);
            let mut model = Model::new(&test.db, &tree);
            let longest = page_size.bytes() / 32;
            for wave in 0..6 {
                for _ in 0..2500 {
                    // Waves of growth and of shrinking, in turn.
                    if (rng.below(10) < 8) == (wave % 2 == 0) {
                        let (key, len) = (key(&mut rng, longest), 1 + rng.below(200));
                        let data = rng.bytes(len);
                        model.insert(&key, &data);
                    } else if let Some(order) = model.pick(&mut rng) {
                        let physically = rng.below(8) > 0;
                        model.delete(&order, physically);
                    }
                }
                model.compare();
                test.check(&[&tree]);
            }
        }
    }
}

/// Visits the whole tree again and again; entries must come in order, steady ones each time.
fn read(test: &TestDb, tree: &crate::tree::TreeHandle, done: &AtomicBool, direction: Direction) {
    let mut position = Position::default();
    while !done.load(Ordering::Relaxed) {
        let (mut last, mut steady): (Option<Vec<u8>>, usize) = (None, 0);
        let cache = &test.db.cache;
        scan(cache, &tree.view(), Start::End, direction, &mut position, |node| {
            let entry = node.key_to_vec();
            steady += usize::from(entry.last() == Some(&b's'));
            if let Some(last) = &last {
                let ascending = *last < entry;
                assert_eq!(ascending, direction == Direction::Forward, "{last:?} {entry:?}");
            }
            last = Some(entry);
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(steady, 16);
    }
}

#[test]
fn scans_see_every_steady_entry_while_leaves_come_and_go() {
    for kind in KINDS {
        let test = TestDb::logged(PageSize::K4, 64);
        let tree = test.create(&test.root(), kind, 1);
        let add = |key: &[u8]| {
            let place = &mut Position::default();
            insert(&test.db, &tree, WRITER, &Unversioned, place, key, &[5; 300]).unwrap();
        };
        (0..16_u8).for_each(|row| add(&[row * 16, b's']));
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let readers = [Direction::Forward, Direction::Backward].map(|direction| {
                let (test, tree, done) = (&test, &tree, &done);
                scope.spawn(move || read(test, tree, done, direction))
            });
            let writers: Vec<_> = (0..3_u8)
                .map(|number| {
                    let (db, tree) = (&test.db, &tree);
                    let add = &add;
                    scope.spawn(move || {
                        let mut rng = Rng::new(u64::from(number) + 5);
                        for _ in 0..12 {
                            let keys: std::collections::BTreeSet<Vec<u8>> =
                                (0..400).map(|_| [&rng.bytes(3)[..], &[number]].concat()).collect();
                            keys.iter().for_each(|key| add(key));
                            for key in &keys {
                                let place = &mut Position::default();
                                let data = &[5; 300];
                                flag_delete(db, tree, WRITER, &Unversioned, place, key, data)
                                    .unwrap();
                                delete_node(db, tree, WRITER, key, data, &|| true).unwrap();
                            }
                        }
                    })
                })
                .collect();
            let (db, tree, over) = (&test.db, &tree, &done);
            let tidier = scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let (mut place, stop) = (DefragPlace::default(), StopToken::new());
                    // Flag-deleted entries are the writers' to remove.
                    let rules = DefragRules { fill: true, unneeded: &|_, _| false };
                    while !place.done {
                        defragment(db, tree, WRITER, &mut place, 3, rules, &stop).unwrap();
                    }
                }
            });
            let ended: Vec<_> = writers.into_iter().map(thread::ScopedJoinHandle::join).collect();
            done.store(true, Ordering::Relaxed);
            ended.into_iter().for_each(|ended| ended.unwrap());
            readers.into_iter().chain([tidier]).for_each(|other| other.join().unwrap());
        });
        let report = test.check(&[&tree]);
        assert_eq!((report.trees[1].entries, report.trees[1].deleted), (16, 0));
        assert!(report.trees[1].leaves < 16, "{} leaves", report.trees[1].leaves);
    }
}

#[test]
fn defragmentation_goes_step_by_step_and_can_be_stopped() {
    for kind in KINDS {
        let test = TestDb::new(PageSize::K4, 64);
        let tree = test.create(&test.root(), kind, 1);
        let mut model = Model::new(&test.db, &tree);
        let mut rng = Rng::new(4);
        for _ in 0..4000 {
            let key = rng.bytes(6);
            model.insert(&key, &[7; 90]);
        }
        // Not so sparse that removals join leaves by themselves.
        let gone: Vec<_> = model.entries.keys().enumerate().collect();
        let gone: Vec<_> =
            gone.iter().filter(|(row, _)| row % 9 < 4).map(|(_, key)| key.to_vec()).collect();
        gone.iter().for_each(|entry| model.delete(entry, true));
        let before = test.check(&[&tree]).trees[1].leaves;
        let (mut place, stop) = (DefragPlace::default(), StopToken::new());
        let fill = rng.below(2) == 0;
        let needed = DefragRules { fill, unneeded: &|_, _| false };
        let mut calls = 0;
        while !place.done {
            let steps = 5;
            defragment(&test.db, &tree, WRITER, &mut place, steps, needed, &stop).unwrap();
            calls += 1;
            // Others go on meanwhile.
            let key = [&b"z"[..], &rng.bytes(3)].concat();
            model.insert(&key, &[1; 9]);
        }
        model.compare();
        let after = test.check(&[&tree]).trees[1].leaves;
        assert!(calls > 10 && after * 4 <= before * 3, "{before} leaves, then {after}");
        assert!(place.joined > 0 && place.visited >= u64::from(after));
        let mut again = DefragPlace::default();
        stop.stop(StopReason::Requested);
        let stopped = defragment(&test.db, &tree, WRITER, &mut again, 1, needed, &stop);
        assert_eq!(stopped.unwrap_err().code(), stop.check().unwrap_err().code());
        assert_eq!(again, DefragPlace::default());
    }
}
