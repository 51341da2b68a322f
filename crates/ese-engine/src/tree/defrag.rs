//! Joining sparse leaves step by step, while others read and write.
//!
//! A step looks at one leaf, removes flag-deleted entries that nobody needs (a crash can leave
//! some), and joins it with a neighbour if both together fit on a page with some room to spare. A
//! leaf that cannot be joined, but is far from full, gets entries from its right neighbour, so that
//! further on there is a leaf less.
//! Between two steps nothing is held; the place is remembered by key, so it does not matter what
//! others do to the tree meanwhile.

use std::fmt;

use ese_base::{Result, StopToken};
use smallvec::SmallVec;

use super::{
    Target, TreeHandle, Unversioned, Writer,
    change::{Bookmark, Op, delete_entry},
    leaf_for_read,
    smo::{
        TreePages,
        merge::{fill_leaf, join_leaf},
    },
};
use crate::database::Database;

/// How full, in percent, a leaf may be that two were joined to.
const FULL_PCT: usize = 90;

/// A leaf that uses no more than this, in percent, is filled from its right neighbour.
const FILLED_PCT: usize = 70;

/// What a defragmentation may do.
#[derive(Clone, Copy)]
pub struct DefragRules<'a> {
    /// May entries move between leaves that both stay?
    pub fill: bool,
    /// Is told key and bookmark data of a flag-deleted entry; may nobody want it back?
    pub unneeded: &'a dyn Fn(&[u8], &[u8]) -> bool,
}

impl fmt::Debug for DefragRules<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DefragRules").field("fill", &self.fill).finish_non_exhaustive()
    }
}

/// Where the defragmentation of a tree stands; starts at its first leaf.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DefragPlace {
    /// Key, and the part of the data that orders, of the first entry of the next leaf.
    next: Option<(Vec<u8>, Vec<u8>)>,
    /// Leaves that were looked at.
    pub visited: u64,
    /// Leaves that are gone because they were joined with others.
    pub joined: u64,
    /// Leaves that got entries from their right neighbours.
    pub filled: u64,
    /// Flag-deleted entries that are gone.
    pub removed: u64,
    /// The last leaf has been reached.
    pub done: bool,
}

/// Defragments up to `steps` leaves of a tree from a place on.
///
/// # Errors
/// What the token says when it is stopped; the page cache's and the log's. The tree is whole
/// whenever this returns, and the place is where it can go on.
pub fn defragment(
    db: &Database,
    tree: &TreeHandle,
    writer: Writer,
    place: &mut DefragPlace,
    steps: u64,
    rules: DefragRules<'_>,
    stop: &StopToken,
) -> Result<()> {
    let op = Op::new(db, tree, writer, &Unversioned);
    for _ in 0..steps {
        if place.done {
            return Ok(());
        }
        stop.check()?;
        step(&op, place, rules)?;
    }
    Ok(())
}

type Entry = (Vec<u8>, SmallVec<[u8; 64]>);

fn step(op: &Op<'_>, place: &mut DefragPlace, rules: DefragRules<'_>) -> Result<()> {
    let target = match &place.next {
        None => Target::First,
        Some((key, data)) => Target::Entry { key, data },
    };
    let leaf = leaf_for_read(&op.db.cache, &op.view, &target)?;
    let page = leaf.page();
    let count = page.node_count();
    if count == 0 {
        place.done = true;
        return Ok(());
    }
    let bookmark = |iline: usize| -> Entry {
        let node = page.node(iline);
        (node.key_to_vec(), SmallVec::from_slice(op.view.order_data(node.data)))
    };
    let (first, last) = (bookmark(0), bookmark(count - 1));
    let deleted = (0..count).filter(|iline| page.node(*iline).is_deleted());
    let deleted: Vec<Entry> = deleted.map(bookmark).collect();
    let (next, is_root) = (page.next(), page.is_root());
    drop(leaf);
    if remove_deleted(op, &deleted, place, rules.unneeded)? {
        // The leaf may be another one now: look again.
        place.next = Some((first.0, first.1.to_vec()));
        return Ok(());
    }
    place.visited += 1;
    if is_root {
        place.done = true;
        return Ok(());
    }
    let at = Bookmark { key: &first.0, data: &first.1 };
    let pages = &mut TreePages::new(op.db, op.tree, op.writer);
    if join_leaf(op, at, FULL_PCT, pages)? {
        // What it joined may take in yet another: look at the same entries again.
        place.joined += 1;
        place.next = Some((first.0, first.1.to_vec()));
        return Ok(());
    }
    if next.is_null() {
        place.done = true;
        return Ok(());
    }
    if rules.fill && fill_leaf(op, at, (FILLED_PCT, FULL_PCT))? {
        place.filled += 1;
    }
    place.next = first_behind(op, &last.0, &last.1)?;
    place.done = place.next.is_none();
    Ok(())
}

/// Removes entries that nobody needs. Tells whether there were any.
fn remove_deleted(
    op: &Op<'_>,
    deleted: &[Entry],
    place: &mut DefragPlace,
    unneeded: &dyn Fn(&[u8], &[u8]) -> bool,
) -> Result<bool> {
    let before = place.removed;
    for (key, data) in deleted {
        let pages = &mut TreePages::new(op.db, op.tree, op.writer);
        let at = Bookmark { key, data };
        if delete_entry(op, at, &|| unneeded(key, data), pages)? {
            place.removed += 1;
        }
    }
    Ok(place.removed > before)
}

/// The first entry of the leaf behind the one that this entry belongs to.
fn first_behind(op: &Op<'_>, key: &[u8], data: &[u8]) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
    let leaf = leaf_for_read(&op.db.cache, &op.view, &Target::Entry { key, data })?;
    let next = leaf.page().next();
    if next.is_null() || leaf.page().is_root() {
        return Ok(None);
    }
    // To the right a second latch is allowed, so the link still holds.
    let right = op.db.cache.read(next)?;
    op.view.expect_own(right.page(), next)?;
    let node = right.page().node(0);
    let entry = (node.key_to_vec(), op.view.order_data(node.data).to_vec());
    Ok((right.page().node_count() > 0).then_some(entry))
}
