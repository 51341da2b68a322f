//! Reading entries in order.
//!
//! A scan stays on a leaf for as long as the visitor wants more, under one read latch, and goes on
//! by the sibling links. To the right it latches the next leaf before it lets this one go. To the
//! left that order is not allowed (latches go from left to right): it lets go, latches the
//! previous leaf and looks whether both are still what they were; if not, it searches again.

use std::{cmp::Ordering, ops::ControlFlow};

use ese_base::{Error, JetErr, Pgno, Result};
use ese_pages::{
    Node, PageRef,
    cache::{PageCache, ReadGuard},
};

use super::{Found, Position, Target, TreeHandle, TreeView, leaf_for_read, seek, seek_guided};

/// Which way a scan goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To greater entries.
    Forward,
    /// To smaller entries.
    Backward,
}

/// Where a scan starts. `data` matters only in trees whose keys are not unique.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a> {
    /// At the end of the tree that the direction starts from.
    End,
    /// At this entry, or else at the next one in the direction.
    At {
        /// Key.
        key: &'a [u8],
        /// Data.
        data: &'a [u8],
    },
    /// At the next entry in the direction that is not this one.
    Beyond {
        /// Key.
        key: &'a [u8],
        /// Data.
        data: &'a [u8],
    },
}

impl<'a> Start<'a> {
    fn entry(&self, view: &TreeView) -> Option<(&'a [u8], &'a [u8])> {
        match *self {
            Start::End => None,
            Start::At { key, data } | Start::Beyond { key, data } => {
                Some((key, view.order_data(data)))
            }
        }
    }
}

/// How often a search starts over because leaves split at the wrong moment, before the links are
/// taken for damaged.
const TRIES_MAX: usize = 1000;

/// Visits entries in order, flag-deleted ones included, until the visitor breaks or there are no
/// more. Returns whether the visitor broke.
///
/// `position` may name the leaf of the start from an earlier call; it is left at the last entry
/// that was visited. The visitor runs under the leaf's latch: it must be short and must not touch
/// the tree.
///
/// # Errors
/// The page cache's; `JET_errBadPageLink` (-327) and `JET_errBadParentPageLink` (-338) for a
/// damaged tree.
pub fn scan(
    cache: &PageCache,
    view: &TreeView,
    start: Start<'_>,
    direction: Direction,
    position: &mut Position,
    mut visit: impl FnMut(Node<'_>) -> ControlFlow<()>,
) -> Result<bool> {
    scan_from((cache, view), None, start, direction, position, &mut visit)
}

/// As [`scan`], and finds its start by the tree's guide (`tree/guide.rs`) where it helps; `seat` as
/// in [`seek_guided`].
///
/// # Errors
/// As [`scan`].
pub fn scan_guided(
    cache: &PageCache,
    (tree, seat): (&TreeHandle, usize),
    start: Start<'_>,
    direction: Direction,
    position: &mut Position,
    mut visit: impl FnMut(Node<'_>) -> ControlFlow<()>,
) -> Result<bool> {
    let view = tree.view();
    scan_from((cache, &view), Some((tree, seat)), start, direction, position, &mut visit)
}

fn scan_from(
    (cache, view): (&PageCache, &TreeView),
    guide: Option<(&TreeHandle, usize)>,
    start: Start<'_>,
    direction: Direction,
    position: &mut Position,
    visit: &mut impl FnMut(Node<'_>) -> ControlFlow<()>,
) -> Result<bool> {
    let end = if direction == Direction::Forward { Target::First } else { Target::Last };
    let first = first_leaf((cache, view), guide, &start, end, position)?;
    match direction {
        Direction::Forward => forward(cache, view, first, start, position, visit),
        Direction::Backward => backward(cache, view, first, start, position, visit),
    }
}

/// The leaf to start on, and where the entry to start at stands on it or would stand.
type First<'c> = (ReadGuard<'c>, Option<std::result::Result<usize, usize>>);

/// Latches the leaf to start on; without a search, if the remembered place is still right.
fn first_leaf<'c>(
    (cache, view): (&'c PageCache, &TreeView),
    guide: Option<(&TreeHandle, usize)>,
    start: &Start<'_>,
    end: Target<'_>,
    position: &Position,
) -> Result<First<'c>> {
    let Some((key, data)) = start.entry(view) else {
        return Ok((leaf_for_read(cache, view, &end)?, None));
    };
    if let Some((leaf, iline)) = remembered(cache, view, position, key, data) {
        return Ok((leaf, Some(Ok(iline))));
    }
    let Found { leaf, line } = match guide {
        Some((tree, seat)) => seek_guided(cache, tree, seat, key, data)?,
        None => seek(cache, view, key, data)?,
    };
    Ok((leaf, Some(line)))
}

/// The leaf of a position, and where the entry stands on it, if that is still that very place or
/// the next one: who reads on often asks for what comes behind.
#[inline]
fn remembered<'c>(
    cache: &'c PageCache,
    view: &TreeView,
    position: &Position,
    key: &[u8],
    data: &[u8],
) -> Option<(ReadGuard<'c>, usize)> {
    if position.leaf.is_null() {
        return None;
    }
    let leaf = cache.read(position.leaf).ok()?;
    let page = leaf.page();
    let same = page.dbtime() == position.dbtime
        && page.is_leaf()
        && view.expect_own(page, position.leaf).is_ok();
    if !same {
        return None;
    }
    let stands_at =
        |&at: &usize| at < page.node_count() && order(view, page, at, key, data).is_eq();
    let found = [position.iline, position.iline + 1].into_iter().find(stands_at)?;
    Some((leaf, found))
}

fn forward<'c>(
    cache: &'c PageCache,
    view: &TreeView,
    (mut leaf, line): First<'c>,
    start: Start<'_>,
    position: &mut Position,
    visit: &mut impl FnMut(Node<'_>) -> ControlFlow<()>,
) -> Result<bool> {
    let mut iline = match (line, start) {
        (Some(Ok(iline)), Start::Beyond { .. }) => iline + 1,
        (Some(Ok(iline) | Err(iline)), _) => iline,
        (None, _) => 0,
    };
    let mut leaves = 0;
    loop {
        let page = leaf.page();
        // Far away in memory: on its way while this leaf is read.
        cache.will_read_soon(page.next());
        let nodes = page.reader();
        while iline < nodes.count() {
            if visit(nodes.node(iline)).is_break() {
                *position = Position { leaf: leaf.pgno(), dbtime: page.dbtime(), iline };
                return Ok(true);
            }
            iline += 1;
        }
        let next = page.next();
        if next.is_null() || page.is_root() {
            *position = last_of(&leaf);
            return Ok(false);
        }
        let right = cache.read(next)?;
        check_link(view, right.page(), next, right.page().prev(), leaf.pgno())?;
        // No tree has more leaves than the file has pages: damaged links must not go in a circle.
        leaves += 1;
        if leaves > cache.file().page_count() {
            return Err(bad_link(next, leaf.pgno(), next));
        }
        leaf = right;
        iline = 0;
    }
}

fn last_of(leaf: &ReadGuard<'_>) -> Position {
    let page = leaf.page();
    Position {
        leaf: leaf.pgno(),
        dbtime: page.dbtime(),
        iline: page.node_count().saturating_sub(1),
    }
}

#[inline]
fn order(view: &TreeView, page: PageRef<'_>, iline: usize, key: &[u8], data: &[u8]) -> Ordering {
    let node = page.node(iline);
    if view.unique { node.cmp_key(key) } else { node.cmp_key_data(key, data) }
}

fn check_link(
    view: &TreeView,
    page: PageRef<'_>,
    pgno: Pgno,
    link: Pgno,
    expected: Pgno,
) -> Result<()> {
    view.expect_own(page, pgno)?;
    if page.is_leaf() && link == expected {
        return Ok(());
    }
    Err(bad_link(pgno, link, expected))
}

#[cold]
fn bad_link(pgno: Pgno, link: Pgno, expected: Pgno) -> Error {
    Error::new(
        JetErr::BadPageLink,
        format!("the leaf leads back to page {link}, but was reached from page {expected}"),
    )
    .at_page(pgno)
    .advise("run a verification of the database; restore it from a backup")
}

#[cold]
fn empty_leaf(pgno: Pgno) -> Error {
    Error::new(JetErr::BadEmptyPage, "a leaf with siblings holds no entry").at_page(pgno)
}

fn backward<'c>(
    cache: &'c PageCache,
    view: &TreeView,
    (mut leaf, line): First<'c>,
    start: Start<'_>,
    position: &mut Position,
    visit: &mut impl FnMut(Node<'_>) -> ControlFlow<()>,
) -> Result<bool> {
    // The lines before this one are still to be visited.
    let mut end = match (line, start) {
        (Some(Ok(iline)), Start::At { .. }) => iline + 1,
        (Some(Ok(iline) | Err(iline)), _) => iline,
        (None, _) => leaf.page().node_count(),
    };
    let (mut bound, mut leaves) = (Vec::new(), 0);
    loop {
        let page = leaf.page();
        let nodes = page.reader();
        while end > 0 {
            end -= 1;
            if visit(nodes.node(end)).is_break() {
                *position = Position { leaf: leaf.pgno(), dbtime: page.dbtime(), iline: end };
                return Ok(true);
            }
        }
        if page.prev().is_null() || page.is_root() {
            *position = Position { leaf: leaf.pgno(), dbtime: page.dbtime(), iline: 0 };
            return Ok(false);
        }
        leaves += 1;
        if leaves > cache.file().page_count() {
            return Err(bad_link(page.prev(), leaf.pgno(), page.prev()));
        }
        (leaf, end) = leaf_before(cache, view, leaf, &mut bound)?;
    }
}

/// The leaf to the left, and how many of its lines lie before the first entry of `leaf`.
fn leaf_before<'c>(
    cache: &'c PageCache,
    view: &TreeView,
    leaf: ReadGuard<'c>,
    bound: &mut Vec<u8>,
) -> Result<(ReadGuard<'c>, usize)> {
    let (here, mut prev) = (leaf.pgno(), leaf.page().prev());
    if leaf.page().node_count() == 0 {
        return Err(empty_leaf(here));
    }
    // The first entry: everything before it is still to be visited.
    bound.clear();
    let first = leaf.page().node(0);
    first.append_key(bound);
    let key_len = bound.len();
    if !view.unique {
        bound.extend_from_slice(first.data);
    }
    drop(leaf);
    let (key, data) = bound.split_at_checked(key_len).unwrap_or((bound, &[]));
    if let Some(found) = left_of(cache, view, here, prev, key, data)? {
        return Ok(found);
    }
    // Pages split or merged in between: search the entry and take what lies left of it.
    for _ in 0..TRIES_MAX {
        let leaf = leaf_for_read(cache, view, &Target::Entry { key, data })?;
        let (Ok(line) | Err(line)) = leaf.page().search(key, data, view.unique);
        if line > 0 || leaf.page().prev().is_null() {
            return Ok((leaf, line));
        }
        let here = leaf.pgno();
        prev = leaf.page().prev();
        drop(leaf);
        if let Some(found) = left_of(cache, view, here, prev, key, data)? {
            return Ok(found);
        }
    }
    Err(bad_link(prev, here, here))
}

/// The leaf `prev`, if it is still the left neighbour of `here` and the entry still lies between
/// the two. Without a latch on either both may have been merged away and used again.
fn left_of<'c>(
    cache: &'c PageCache,
    view: &TreeView,
    here: Pgno,
    prev: Pgno,
    key: &[u8],
    data: &[u8],
) -> Result<Option<(ReadGuard<'c>, usize)>> {
    let is_leaf = |page: PageRef<'_>, pgno| page.is_leaf() && view.expect_own(page, pgno).is_ok();
    let left = cache.read(prev)?;
    let (page, count) = (left.page(), left.page().node_count());
    let behind = |line: usize| order(view, page, line, key, data).is_lt();
    if !is_leaf(page, prev) || page.next() != here || !count.checked_sub(1).is_some_and(behind) {
        return Ok(None);
    }
    // To the right a second latch is allowed.
    let right = cache.read(here)?;
    let first = right.page();
    let at_or_before = is_leaf(first, here)
        && first.prev() == prev
        && first.node_count() > 0
        && order(view, first, 0, key, data).is_ge();
    drop(right);
    Ok(at_or_before.then_some((left, count)))
}
