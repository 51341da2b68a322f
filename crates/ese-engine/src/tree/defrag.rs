//! Joining sparse leaves step by step, while others read and write.
//!
//! A step looks at one leaf and joins it with a neighbour if both together fit on a page with some
//! room to spare. Between two steps nothing is held; the place is remembered by key, so it does
//! not matter what others do to the tree meanwhile.

use ese_base::{Result, StopToken};
use smallvec::SmallVec;

use super::{
    Target, TreeHandle, Unversioned, Writer,
    change::{Bookmark, Op},
    leaf_for_read,
    smo::{TreePages, merge::join_leaf},
};
use crate::database::Database;

/// How full, in percent, a leaf may be that two were joined to.
const FULL_PCT: usize = 90;

/// Where the defragmentation of a tree stands; starts at its first leaf.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DefragPlace {
    /// Key, and the part of the data that orders, of the first entry of the next leaf.
    next: Option<(Vec<u8>, Vec<u8>)>,
    /// Leaves that were looked at.
    pub visited: u64,
    /// Leaves that are gone.
    pub joined: u64,
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
    stop: &StopToken,
) -> Result<()> {
    let op = Op::new(db, tree, writer, &Unversioned);
    for _ in 0..steps {
        if place.done {
            return Ok(());
        }
        stop.check()?;
        step(&op, place)?;
    }
    Ok(())
}

fn step(op: &Op<'_>, place: &mut DefragPlace) -> Result<()> {
    let target = match &place.next {
        None => Target::First,
        Some((key, data)) => Target::Entry { key, data },
    };
    let leaf = leaf_for_read(&op.db.cache, &op.view, &target)?;
    let page = leaf.page();
    let count = page.node_count();
    if page.is_root() || count == 0 {
        place.done = true;
        return Ok(());
    }
    let bookmark = |iline: usize| {
        let node = page.node(iline);
        (node.key_to_vec(), SmallVec::<[u8; 64]>::from_slice(op.view.order_data(node.data)))
    };
    let (first, last) = (bookmark(0), bookmark(count - 1));
    let next = page.next();
    drop(leaf);
    place.visited += 1;
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
    place.next = first_behind(op, &last.0, &last.1)?;
    place.done = place.next.is_none();
    Ok(())
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
