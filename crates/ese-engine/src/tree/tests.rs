//! Trees against a model.

mod guide;
pub(crate) mod harness;
mod merge;
mod stress;

use std::ops::ControlFlow;

use ese_base::{JetErr, PageSize};

use self::harness::{KINDS, Model, Rng, TestDb, WRITER};
use super::{
    Direction, Position, Start, TreeHandle, TreeKind, Undo, UndoOper, Unversioned, check,
    flag_delete, insert, replace, scan, seek, undo,
};

/// Keys that share long prefixes, so that pages compress, and differ in length.
fn key(rng: &mut Rng, longest: usize) -> Vec<u8> {
    let mut key = b"customers/".to_vec();
    let shared = rng.below(4);
    key.extend(std::iter::repeat_n(b'a', shared * longest / 8));
    let len = 4 + rng.below(longest / 2);
    key.extend(rng.bytes(len));
    key
}

#[test]
fn random_histories_leave_the_tree_that_a_sorted_map_predicts() {
    for (round, page_size) in PageSize::EVER.into_iter().enumerate() {
        for kind in KINDS {
            let seed = 17 + round as u64;
            let mut rng = Rng::new(seed);
            let test = TestDb::new(page_size, 32);
            let tree = test.create(&test.root(), kind, 1);
            let mut model = Model::new(&test.db, &tree);
            let longest = page_size.bytes() / 32;
            for step in 0..6000 {
                match rng.below(10) {
                    0..=5 => {
                        let key = key(&mut rng, longest);
                        let len = 1 + rng.below(page_size.bytes() / 16);
                        let data = rng.bytes(len);
                        model.insert(&key, &data);
                    }
                    6 | 7 => {
                        if let (true, Some(order)) = (kind.unique, model.pick(&mut rng)) {
                            let len = 1 + rng.below(page_size.bytes() / 8);
                            let data = rng.bytes(len);
                            model.replace(&order, &data);
                        }
                    }
                    _ => {
                        if let Some(order) = model.pick(&mut rng) {
                            let physically = rng.below(3) > 0;
                            model.delete(&order, physically);
                        }
                    }
                }
                if step % 2000 == 0 {
                    model.compare();
                }
            }
            model.compare();
            let report = test.check(&[&tree]);
            let entries = model.entries.len() as u64;
            assert_eq!(report.trees[1].entries, entries, "{page_size} seed {seed}");
            assert!(report.trees[1].depth >= 2);
        }
    }
}

#[test]
fn long_keys_grow_a_tree_of_three_levels_or_more_on_every_page_size() {
    for page_size in PageSize::EVER {
        for kind in KINDS {
            let mut rng = Rng::new(5);
            let test = TestDb::new(page_size, 32);
            let tree = test.create(&test.root(), kind, 1);
            let mut model = Model::new(&test.db, &tree);
            // Pairs that share all but their ends make separators as long as keys; different
            // pairs share little, so the separators do not compress.
            for _ in 0..1500 {
                let shared = rng.bytes(page_size.bytes() / 24);
                for _ in 0..2 {
                    let key = [&shared[..], &rng.bytes(6)].concat();
                    let data = rng.bytes(page_size.bytes() / 40);
                    model.insert(&key, &data);
                }
            }
            model.compare();
            let report = test.check(&[&tree]);
            assert!(report.trees[1].depth >= 3, "{page_size}: depth {}", report.trees[1].depth);
        }
    }
}

#[test]
fn entries_in_order_fill_their_leaves_to_the_density() {
    for page_size in PageSize::ALL {
        for density_pct in [80, 100] {
            let test = TestDb::new(page_size, 32);
            let kind = TreeKind { density_pct, ..TreeKind::TABLE };
            let tree = test.create(&test.root(), kind, 4);
            let mut model = Model::new(&test.db, &tree);
            let rows = 400 * page_size.bytes_u32() / 4096;
            for row in 0..rows {
                model.insert(&row.to_be_bytes(), &[9; 150]);
            }
            model.compare();
            let report = test.check(&[&tree]);
            let bytes = rows as usize * (2 + 4 + 150 + 4);
            let pages = report.trees[1].leaves as usize;
            let filled = bytes * 100 / (pages * page_size.bytes());
            assert!(
                filled + 8 >= usize::from(density_pct),
                "{page_size}: {filled} percent in {pages} leaves"
            );
        }
    }
}

#[test]
fn entries_in_falling_order_do_not_halve_their_leaves() {
    let test = TestDb::new(PageSize::K4, 32);
    let tree = test.create(&test.root(), TreeKind::TABLE, 4);
    let mut model = Model::new(&test.db, &tree);
    for row in (0..3000_u32).rev() {
        model.insert(&row.to_be_bytes(), &[9; 150]);
    }
    model.compare();
    let leaves = test.check(&[&tree]).trees[1].leaves;
    assert!(leaves < 3000 / 20, "{leaves} leaves");
}

#[test]
fn entries_in_order_between_others_fill_their_leaves() {
    let test = TestDb::new(PageSize::K4, 32);
    for kind in KINDS {
        let tree = test.create(&test.root(), kind, 4);
        let mut model = Model::new(&test.db, &tree);
        for outer in 0..200_u32 {
            model.insert(&[&b"a"[..], &outer.to_be_bytes()].concat(), &[9; 60]);
            model.insert(&[&b"z"[..], &outer.to_be_bytes()].concat(), &[9; 60]);
        }
        let before = super::check::check(&test.db.cache, &tree.view(), test.db.dbtime()).leaves;
        for row in 0..3000_u32 {
            model.insert(&[&b"m"[..], &row.to_be_bytes()].concat(), &[9; 100]);
        }
        model.compare();
        let report = super::check::check(&test.db.cache, &tree.view(), test.db.dbtime());
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        let bytes = 3000 * (2 + 5 + 100 + 4);
        let filled = bytes * 100 / ((report.leaves - before) as usize * 4096);
        assert!(filled >= 90, "{filled} percent in {} leaves", report.leaves - before);
    }
}

#[test]
fn an_entry_as_large_as_a_page_takes_goes_in_anywhere() {
    for page_size in PageSize::EVER {
        let test = TestDb::new(page_size, 32);
        let tree = test.create(&test.root(), TreeKind::TABLE, 1);
        let mut model = Model::new(&test.db, &tree);
        let most = super::plan::capacity(page_size) - 4 - 2;
        // First into an empty root, then between, before and behind others.
        model.insert(b"m", &vec![1; most - 1]);
        for key in 0..40_u8 {
            model.insert(&[b'a' + key % 26, key], &[2; 100]);
        }
        for key in [&b"a"[..], b"ab", b"hz", b"zz", b"lll"] {
            model.insert(key, &vec![3; most - key.len()]);
        }
        model.compare();
        test.check(&[&tree]);
        let mut position = Position::default();
        let error =
            insert(&test.db, &tree, WRITER, &Unversioned, &mut position, b"q", &vec![0; most]);
        assert_eq!(error.unwrap_err().code(), JetErr::RecordTooBig);
    }
}

#[test]
fn a_replacement_that_no_longer_fits_splits_the_leaf() {
    let test = TestDb::new(PageSize::K4, 32);
    let tree = test.create(&test.root(), TreeKind::TABLE, 1);
    let mut model = Model::new(&test.db, &tree);
    for row in 0..60_u32 {
        model.insert(&row.to_be_bytes(), &[1; 40]);
    }
    for row in 0..60_u32 {
        model.replace(&row.to_be_bytes(), &vec![2; 3000]);
    }
    model.compare();
    let report = test.check(&[&tree]);
    assert_eq!(report.trees[1].leaves, 60);
}

#[test]
fn a_flag_deleted_entry_comes_back_with_new_data() {
    for kind in KINDS {
        let test = TestDb::new(PageSize::K4, 32);
        let tree = test.create(&test.root(), kind, 1);
        let mut model = Model::new(&test.db, &tree);
        for row in 0..200_u32 {
            model.insert(&row.to_be_bytes(), &[1; 60]);
        }
        for row in (0..200_u32).step_by(3) {
            let mut order = row.to_be_bytes().to_vec();
            if !kind.unique {
                order.extend_from_slice(&[1; 60]);
            }
            model.delete(&order, false);
        }
        model.compare();
        for row in (0..200_u32).step_by(3) {
            let data = if kind.unique { vec![7; 90] } else { vec![1; 60] };
            model.insert(&row.to_be_bytes(), &data);
        }
        model.compare();
        assert_eq!(test.check(&[&tree]).trees[1].deleted, 0);
    }
}

#[test]
fn undo_takes_each_operation_back() {
    let test = TestDb::new(PageSize::K4, 32);
    let tree = test.create(&test.root(), TreeKind::TABLE, 1);
    let mut model = Model::new(&test.db, &tree);
    for row in 0..20_u32 {
        model.insert(&row.to_be_bytes(), &[1; 190]);
    }
    let (key, db) = (5_u32.to_be_bytes(), &test.db);
    let back = |oper| {
        let what = Undo { oper, rceid: Default::default(), key: &key, bm_data: &[] };
        undo(db, &tree, WRITER, &what).unwrap();
    };
    flag_delete(db, &tree, WRITER, &Unversioned, &mut Position::default(), &key, &[]).unwrap();
    back(UndoOper::FlagDelete);
    model.compare();
    // The space that the shorter value left is used by others before the undo needs it.
    let place = &mut Position::default();
    replace(db, &tree, WRITER, &Unversioned, place, &key, &[], b"short").unwrap();
    for row in 100..120_u32 {
        let mut key = 5_u32.to_be_bytes().to_vec();
        key.extend(row.to_be_bytes());
        model.insert(&key, &[3; 150]);
    }
    back(UndoOper::Replace { before: &[1; 190] });
    model.compare();
    model.insert(b"new", b"data");
    model.entries.remove(&b"new"[..]);
    let what =
        Undo { oper: UndoOper::Insert, rceid: Default::default(), key: b"new", bm_data: &[] };
    undo(db, &tree, WRITER, &what).unwrap();
    model.compare();
    assert_eq!(test.check(&[&tree]).trees[1].deleted, 1);
}

/// The first entry that a scan meets, whose key is a number.
fn first_of(
    test: &TestDb,
    tree: &TreeHandle,
    start: Start<'_>,
    direction: Direction,
    position: &mut Position,
) -> Option<u32> {
    let mut found = None;
    scan(&test.db.cache, &tree.view(), start, direction, position, |node| {
        let key: [u8; 4] = node.key_to_vec().try_into().unwrap();
        found = Some(u32::from_be_bytes(key));
        ControlFlow::Break(())
    })
    .unwrap();
    found
}

#[test]
fn a_scan_starts_at_or_beyond_any_entry_in_both_directions() {
    let test = TestDb::new(PageSize::K4, 32);
    let tree = test.create(&test.root(), TreeKind::TABLE, 1);
    let mut model = Model::new(&test.db, &tree);
    for row in 0..600_u32 {
        model.insert(&(row * 2).to_be_bytes(), &[1; 100]);
    }
    for probe in 0..1200_u32 {
        let key = probe.to_be_bytes();
        let at = Start::At { key: &key, data: &[] };
        let beyond = Start::Beyond { key: &key, data: &[] };
        let even = probe % 2 == 0;
        let first =
            |start, direction| first_of(&test, &tree, start, direction, &mut Position::default());
        let up = |n: u32| (n < 1200).then_some(n);
        assert_eq!(first(at, Direction::Forward), up(probe.next_multiple_of(2)));
        let next = if even { probe + 2 } else { probe + 1 };
        assert_eq!(first(beyond, Direction::Forward), up(next));
        assert_eq!(first(at, Direction::Backward), Some(probe / 2 * 2));
        let before = if even { probe.checked_sub(2) } else { Some(probe - 1) };
        assert_eq!(first(beyond, Direction::Backward), before);
    }
}

#[test]
fn a_cursor_steps_through_the_tree_by_its_remembered_place() {
    let test = TestDb::new(PageSize::K4, 32);
    let tree = test.create(&test.root(), TreeKind::TABLE, 1);
    let mut model = Model::new(&test.db, &tree);
    for row in 0..400_u32 {
        model.insert(&row.to_be_bytes(), &[1; 100]);
    }
    for direction in [Direction::Forward, Direction::Backward] {
        let (mut position, mut steps) = (Position::default(), 0_u32);
        let mut last: Option<Vec<u8>> = None;
        loop {
            let start = match &last {
                None => Start::End,
                Some(key) => Start::Beyond { key, data: &[] },
            };
            let mut next: Option<Vec<u8>> = None;
            let cache = &test.db.cache;
            scan(cache, &tree.view(), start, direction, &mut position, |node| {
                next = Some(node.key_to_vec());
                ControlFlow::Break(())
            })
            .unwrap();
            let Some(key) = next else { break };
            last = Some(key);
            steps += 1;
        }
        assert_eq!(steps, 400);
    }
}

#[test]
fn who_reads_on_from_a_remembered_place_finds_what_he_asks_for() {
    let test = TestDb::new(PageSize::K4, 32);
    let tree = test.create(&test.root(), TreeKind::TABLE, 1);
    let mut model = Model::new(&test.db, &tree);
    for row in 0..400_u32 {
        model.insert(&(2 * row).to_be_bytes(), &[1; 100]);
    }
    // The entry of the place itself, the next one, the one behind it, and none.
    for step in [0, 2, 4, 1] {
        let mut position = Position::default();
        for asked in (0..790_u32).step_by(2) {
            for asked in [asked, asked + step] {
                let key = asked.to_be_bytes();
                let start = Start::At { key: &key, data: &[] };
                let found = first_of(&test, &tree, start, Direction::Forward, &mut position);
                assert_eq!(found, Some(asked.next_multiple_of(2)));
            }
        }
    }
}

#[test]
fn a_place_that_the_tree_left_behind_does_not_mislead() {
    let test = TestDb::new(PageSize::K4, 32);
    let tree = test.create(&test.root(), TreeKind::TABLE, 1);
    let mut model = Model::new(&test.db, &tree);
    for row in 0..20_u32 {
        model.insert(&(row * 100).to_be_bytes(), &[1; 100]);
    }
    let found = seek(&test.db.cache, &tree.view(), &500_u32.to_be_bytes(), &[]).unwrap();
    let old = found.position();
    drop(found);
    for row in 0..2000_u32 {
        model.insert(&row.to_be_bytes(), &[2; 90]);
        // Places from far away: useless, never wrong.
        model.position = old;
    }
    model.compare();
    test.check(&[&tree]);
}

#[test]
fn the_checker_sees_a_page_that_does_not_belong() {
    let test = TestDb::new(PageSize::K4, 32);
    let tree = test.create(&test.root(), TreeKind::TABLE, 1);
    let mut model = Model::new(&test.db, &tree);
    for row in 0..200_u32 {
        model.insert(&row.to_be_bytes(), &[1; 100]);
    }
    let found = seek(&test.db.cache, &tree.view(), &100_u32.to_be_bytes(), &[]).unwrap();
    let leaf = found.leaf.pgno();
    drop(found);
    type Damage = (&'static str, fn(&mut ese_pages::PageMut<'_>), JetErr);
    let damage: [Damage; 4] = [
        ("left link", |page| page.set_prev(ese_base::Pgno(3)), JetErr::BadPageLink),
        ("object", |page| page.set_objid(ese_base::ObjId(77)), JetErr::BadParentPageLink),
        ("clock", |page| page.set_dbtime(ese_base::DbTime(1 << 40)), JetErr::DbTimeCorrupted),
        (
            "order",
            |page| {
                let flags = ese_pages::NodeFlags::empty();
                page.insert_node(0, 0, &9999_u32.to_be_bytes(), b"x", flags).unwrap();
            },
            JetErr::NodeCorrupted,
        ),
    ];
    for (what, change, code) in damage {
        let mut guard = test.db.cache.write(leaf).unwrap();
        let whole = guard.page().bytes().to_vec();
        change(&mut guard.page_mut());
        guard.mark_dirty(ese_base::LgPos::MIN, ese_base::LgPos::MIN);
        drop(guard);
        let report = check::check(&test.db.cache, &tree.view(), test.db.dbtime());
        assert!(report.problems.iter().any(|p| p.code() == code), "{what}: {:?}", report.problems);
        let mut guard = test.db.cache.write(leaf).unwrap();
        guard.page_mut().bytes_mut().copy_from_slice(&whole);
        guard.mark_dirty(ese_base::LgPos::MIN, ese_base::LgPos::MIN);
    }
    test.check(&[&tree]);
}
