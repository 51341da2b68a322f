//! Space: growth, conversion, giving back, and that no page is ever lost or given twice.

use ese_base::{JetErr, PageSize, Pgno};

use super::{
    allocate_page, create_multiple, edit_external, free_fdp, free_page, header::SpaceHeader,
    parent_of,
};
use crate::tree::{
    TreeKind,
    tests::harness::{KINDS, Rng, TestDb, WRITER},
};

/// Pages that a test holds would look leaked, so they are given back before a check.
fn give_back(test: &TestDb, tree: &crate::tree::TreeHandle, pages: &[Pgno]) {
    for &page in pages {
        free_page(&test.db, tree, WRITER, page).unwrap();
    }
}

#[test]
fn the_catalog_gets_the_pages_that_every_database_has_it_on() {
    let test = TestDb::new(PageSize::K4, 254);
    let root = test.root();
    let multiple = |parent: &crate::tree::TreeHandle, pages| {
        let objid = test.db.next_objid().unwrap();
        let kind = TreeKind::TABLE;
        let fdp = create_multiple(&test.db, parent, WRITER, objid, kind, pages).unwrap();
        test.db.tree(fdp, objid, kind)
    };
    let catalog = multiple(&root, 20);
    let shadow = multiple(&root, 5);
    let name = multiple(&catalog, 3);
    let root_objects = multiple(&catalog, 3);
    let objids = test.create(&root, TreeKind::TABLE, 1);
    // edb-format 5.6.
    let fdps = [&catalog, &shadow, &name, &root_objects, &objids].map(|tree| tree.fdp.0);
    assert_eq!(fdps, [4, 24, 7, 10, 29]);
    assert_eq!(parent_of(&test.db, &name).unwrap().unwrap().fdp, Pgno(4));
    test.check(&[&catalog, &shadow, &name, &root_objects, &objids]);
}

#[test]
fn a_tree_in_one_extent_is_converted_when_that_is_used_up() {
    for kind in KINDS {
        for pages in [1, 4, 40] {
            let test = TestDb::new(PageSize::K4, 64);
            let tree = test.create(&test.root(), kind, pages);
            let taken: Vec<Pgno> =
                (0..60).map(|_| allocate_page(&test.db, &tree, WRITER).unwrap()).collect();
            let mut sorted = taken.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), 60);
            give_back(&test, &tree, &taken);
            test.check(&[&tree]);
        }
    }
}

#[test]
fn pages_given_back_join_their_neighbours() {
    let test = TestDb::new(PageSize::K4, 400);
    let root = test.root();
    let taken: Vec<Pgno> =
        (0..300).map(|_| allocate_page(&test.db, &root, WRITER).unwrap()).collect();
    // Every second one first: no neighbours, so the list of free extents grows and splits.
    let (odd, even): (Vec<_>, Vec<_>) = taken.iter().partition(|page| page.0 % 2 == 1);
    give_back(&test, &root, &odd);
    give_back(&test, &root, &even);
    // Nothing is left in use but the root and the roots of its space trees.
    let report = test.check(&[]);
    assert_eq!(report.available + 3, report.owned);
    let error = free_page(&test.db, &root, WRITER, taken[10]).unwrap_err();
    assert_eq!(error.code(), JetErr::SPAvailExtCorrupted);
}

#[test]
fn space_trees_split_with_the_pages_they_list() {
    let mut rng = Rng::new(3);
    let test = TestDb::new(PageSize::K4, 64);
    let root = test.root();
    let mut held = Vec::new();
    for _ in 0..6000 {
        held.push(allocate_page(&test.db, &root, WRITER).unwrap());
    }
    // Given back in random order: thousands of free extents of one page at times.
    let mut order = held.clone();
    for place in (1..order.len()).rev() {
        order.swap(place, rng.below(place + 1));
    }
    let (now, later) = order.split_at(3000);
    give_back(&test, &root, now);
    let mut again: Vec<Pgno> =
        (0..500).map(|_| allocate_page(&test.db, &root, WRITER).unwrap()).collect();
    give_back(&test, &root, later);
    again.sort_unstable();
    again.dedup();
    assert_eq!(again.len(), 500);
    give_back(&test, &root, &again);
    test.check(&[]);
}

#[test]
fn a_large_tree_has_few_extents() {
    let test = TestDb::new(PageSize::K4, 64);
    let tree = test.create(&test.root(), TreeKind::TABLE, 1);
    let mut taken = Vec::new();
    for _ in 0..60_000 {
        taken.push(allocate_page(&test.db, &tree, WRITER).unwrap());
    }
    let space = super::Space::lock(&test.db, &tree, WRITER).unwrap();
    let owned = space.owned().unwrap();
    assert!(owned.len() < 100, "{} extents", owned.len());
    drop(space);
    // In order of their numbers they join again.
    give_back(&test, &tree, &taken);
    test.check(&[&tree]);
}

#[test]
fn a_freed_tree_gives_all_its_pages_to_its_parent() {
    let test = TestDb::new(PageSize::K4, 64);
    let (root, mut trees) = (test.root(), Vec::new());
    for pages in [1, 3, 10] {
        let tree = test.create(&root, TreeKind::TABLE, pages);
        let taken: Vec<Pgno> =
            (0..30).map(|_| allocate_page(&test.db, &tree, WRITER).unwrap()).collect();
        give_back(&test, &tree, &taken);
        trees.push(tree);
    }
    test.check(&trees.iter().collect::<Vec<_>>());
    let tree = trees.remove(1);
    free_fdp(&test.db, &tree, WRITER).unwrap();
    test.db.forget_tree(tree.fdp);
    test.check(&trees.iter().collect::<Vec<_>>());
}

/// Writes another parent into a tree's space header, as damage would.
fn set_parent(test: &TestDb, tree: &crate::tree::TreeHandle, parent: Pgno) {
    edit_external(&test.db, tree, WRITER, |external| {
        let mut header = SpaceHeader::decode(external, tree.fdp)?;
        header.parent = parent;
        header.store(external, tree.fdp)
    })
    .unwrap();
}

/// Takes pages of a tree until that fails, which must be before 10,000.
fn refusal_of_pages(test: &TestDb, tree: &crate::tree::TreeHandle) -> ese_base::Error {
    (0..10_000).find_map(|_| allocate_page(&test.db, tree, WRITER).err()).expect("a refusal")
}

#[test]
fn parents_in_a_circle_are_damage_and_nobody_waits() {
    let refused = |tree: &str, error: ese_base::Error| {
        assert_eq!(error.code(), JetErr::SPOwnExtCorrupted, "{tree}: {error}");
        assert!(error.to_string().contains("circle"), "{tree}: {error}");
    };
    for pages in [1, 8] {
        let test = TestDb::new(PageSize::K4, 64);
        let (root, kind) = (test.root(), TreeKind::TABLE);
        let table = test.create(&root, kind, pages);
        let index = test.create(&table, KINDS[1], pages);
        let below = test.create(&index, KINDS[1], 1);
        // Its own parent.
        set_parent(&test, &index, index.fdp);
        refused("index", refusal_of_pages(&test, &index));
        // Two that are each other's, seen from both and from one below them.
        set_parent(&test, &index, table.fdp);
        set_parent(&test, &table, index.fdp);
        for (name, tree) in [("table", &table), ("index", &index), ("below", &below)] {
            refused(name, refusal_of_pages(&test, tree));
        }
        refused("freed", free_fdp(&test.db, &below, WRITER).unwrap_err());
        // The database root, which has no parent.
        for parent in [root.fdp, table.fdp] {
            set_parent(&test, &root, parent);
            refused("root", refusal_of_pages(&test, &root));
        }
    }
}

#[test]
fn indexes_take_their_space_from_their_table() {
    let test = TestDb::new(PageSize::K4, 64);
    let table = test.create(&test.root(), TreeKind::TABLE, 1);
    let index = test.create(&table, KINDS[1], 1);
    let taken: Vec<Pgno> =
        (0..200).map(|_| allocate_page(&test.db, &index, WRITER).unwrap()).collect();
    give_back(&test, &index, &taken);
    let report = test.check(&[&table, &index]);
    assert!(report.owned > 200);
}

#[test]
fn a_tree_that_gives_its_pages_back_keeps_its_first_extent_alone() {
    for pages in [1, 4, 40] {
        let test = TestDb::new(PageSize::K4, 64);
        let tree = test.create(&test.root(), TreeKind::TABLE, pages);
        let owned = |tree| super::Space::lock(&test.db, tree, WRITER).unwrap().owned().unwrap();
        let mut rng = Rng::new(u64::from(pages));
        for round in 0..3 {
            let mut taken: Vec<Pgno> =
                (0..3000).map(|_| allocate_page(&test.db, &tree, WRITER).unwrap()).collect();
            assert!(owned(&tree).len() > 8);
            for place in (1..taken.len()).rev().filter(|_| round > 0) {
                taken.swap(place, rng.below(place + 1));
            }
            give_back(&test, &tree, &taken);
            // The first one, the one that the roots of the space trees lie in, and perhaps one with
            // the last leaf of the owned extents: a root that has got a level keeps it.
            let left = owned(&tree);
            assert!(left.len() <= 3, "{left:?}");
            assert_eq!(left[0].first, tree.fdp);
            test.check(&[&tree]);
        }
    }
}

#[test]
fn an_index_gives_its_extents_back_to_its_table_and_that_to_the_database() {
    let test = TestDb::new(PageSize::K4, 64);
    let table = test.create(&test.root(), TreeKind::TABLE, 1);
    let index = test.create(&table, KINDS[1], 1);
    let before = test.check(&[&table, &index]).available;
    let taken: Vec<Pgno> =
        (0..2000).map(|_| allocate_page(&test.db, &index, WRITER).unwrap()).collect();
    give_back(&test, &index, &taken);
    let after = test.check(&[&table, &index]);
    assert!(after.owned - after.available < 40, "{} in use", after.owned - after.available);
    assert!(before < after.available);
}

#[test]
fn under_a_limit_the_last_pages_are_given_out_though_more_were_wished_for() {
    for room in 1..12 {
        let test = TestDb::new(PageSize::K4, 64);
        let tree = test.create(&test.root(), TreeKind::TABLE, 1);
        let limit = 64 + room;
        test.db.set_pages_max(limit);
        let mut taken = Vec::new();
        let error = loop {
            match allocate_page(&test.db, &tree, WRITER) {
                Ok(page) => taken.push(page),
                Err(error) => break error,
            }
        };
        assert_eq!(error.code(), JetErr::OutOfDatabaseSpace);
        assert_eq!(taken.iter().max(), Some(&Pgno(limit)), "{room} pages behind the file's first");
        give_back(&test, &tree, &taken);
        test.check(&[&tree]);
    }
}
