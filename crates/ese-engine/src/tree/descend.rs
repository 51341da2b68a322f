//! From the root to a leaf.

use std::cmp::Ordering;

use ese_base::{Error, JetErr, Pgno, Result, limits::TREE_DEPTH_MAX};
use ese_pages::{
    PageFlags, PageRef,
    cache::{PageCache, ReadGuard, WriteGuard},
};

use super::{Position, TreeHandle, TreeView};

/// Which leaf is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target<'a> {
    /// The leftmost.
    First,
    /// The rightmost.
    Last,
    /// The one that an entry belongs to. `data` is empty in trees with unique keys.
    Entry {
        /// Key.
        key: &'a [u8],
        /// The part of the data that orders.
        data: &'a [u8],
    },
}

impl Target<'_> {
    /// Line of the internal page to go down by.
    #[inline]
    pub(crate) fn line_on(&self, page: PageRef<'_>) -> usize {
        match self {
            Target::First => 0,
            Target::Last => page.node_count().saturating_sub(1),
            Target::Entry { key, data } => page.child_index(key, data),
        }
    }
}

/// The child to go down to.
///
/// # Errors
/// `JET_errBadParentPageLink` (-338) where the internal page does not lead on.
#[inline]
pub(crate) fn child_on(
    view: &TreeView,
    page: PageRef<'_>,
    pgno: Pgno,
    target: &Target<'_>,
) -> Result<Pgno> {
    let child = page.child(target.line_on(page));
    if child.is_null() || child == pgno {
        return Err(no_way(view, pgno, child));
    }
    Ok(child)
}

#[cold]
pub(crate) fn no_way(view: &TreeView, pgno: Pgno, child: Pgno) -> Error {
    Error::new(
        JetErr::BadParentPageLink,
        format!("in the tree with root {}, the search is led to page {child} from here", view.root),
    )
    .at_page(pgno)
    .advise("run a verification of the database; restore it from a backup")
}

#[cold]
pub(crate) fn too_deep(view: &TreeView, pgno: Pgno) -> Error {
    Error::new(
        JetErr::BadParentPageLink,
        format!("the tree with root {} is deeper than {TREE_DEPTH_MAX} levels", view.root),
    )
    .at_page(pgno)
}

/// Latches the target's leaf for reading.
#[inline]
pub(crate) fn leaf_for_read<'c>(
    cache: &'c PageCache,
    view: &TreeView,
    target: &Target<'_>,
) -> Result<ReadGuard<'c>> {
    let mut guard = cache.read(view.root)?;
    for _ in 0..TREE_DEPTH_MAX {
        let page = guard.page();
        view.expect_own(page, guard.pgno())?;
        if page.is_leaf() {
            return Ok(guard);
        }
        let child = child_on(view, page, guard.pgno(), target)?;
        // The child is latched before its parent is let go, so no split can come in between.
        guard = cache.read(child)?;
    }
    Err(too_deep(view, guard.pgno()))
}

/// Latches the target's leaf for writing.
pub(crate) fn leaf_for_write<'c>(
    cache: &'c PageCache,
    view: &TreeView,
    target: &Target<'_>,
) -> Result<WriteGuard<'c>> {
    let mut guard = loop {
        let root = cache.read(view.root)?;
        view.expect_own(root.page(), view.root)?;
        if !root.page().is_leaf() {
            break root;
        }
        drop(root);
        let root = cache.write(view.root)?;
        // It may have got a level in between.
        if root.page().is_leaf() {
            view.expect_own(root.page(), view.root)?;
            return Ok(root);
        }
    };
    for _ in 0..TREE_DEPTH_MAX {
        let child = child_on(view, guard.page(), guard.pgno(), target)?;
        if guard.page().flags().contains(PageFlags::PARENT_OF_LEAF) {
            let leaf = cache.write(child)?;
            drop(guard);
            view.expect_own(leaf.page(), child)?;
            if !leaf.page().is_leaf() {
                return Err(no_way(view, child, child));
            }
            return Ok(leaf);
        }
        guard = cache.read(child)?;
        view.expect_own(guard.page(), child)?;
        if guard.page().is_leaf() {
            return Err(no_way(view, child, child));
        }
    }
    Err(too_deep(view, guard.pgno()))
}

/// Where an entry belongs on a leaf to which it certainly belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Behind all others.
    Behind,
    /// Somewhere.
    Within,
}

/// Does the entry belong to this leaf, wherever the caller got it from? Only if that is
/// certain: the page is a leaf of the tree now, and the entry lies between its first and its last
/// one, or behind its first on the rightmost leaf. What a leaf holds in between it never loses
/// without ceasing to hold it.
pub(crate) fn place_on(
    view: &TreeView,
    page: PageRef<'_>,
    key: &[u8],
    data: &[u8],
) -> Option<Place> {
    if !page.is_leaf() || view.expect_own(page, view.root).is_err() {
        return None;
    }
    let count = page.node_count();
    if count == 0 {
        return None;
    }
    let compare = |iline: usize| {
        let node = page.node(iline);
        if view.unique { node.cmp_key(key) } else { node.cmp_key_data(key, data) }
    };
    // On a rightmost leaf the common case is an entry behind the last one.
    match compare(count - 1) {
        Ordering::Less => page.next().is_null().then_some(Place::Behind),
        Ordering::Equal => Some(Place::Within),
        Ordering::Greater => compare(0).is_le().then_some(Place::Within),
    }
}

/// A latched leaf and the place of what was sought.
#[derive(Debug)]
pub struct Found<'c> {
    /// The leaf.
    pub leaf: ReadGuard<'c>,
    /// `Ok`: the line of the entry. `Err`: the line it would be inserted at.
    pub line: std::result::Result<usize, usize>,
}

impl Found<'_> {
    /// The place, to be remembered.
    #[must_use]
    pub fn position(&self) -> Position {
        let (Ok(iline) | Err(iline)) = self.line;
        Position { leaf: self.leaf.pgno(), dbtime: self.leaf.page().dbtime(), iline }
    }
}

/// Searches an entry: by key in trees with unique keys, else by key and data. Flag-deleted entries
/// are found too.
///
/// # Errors
/// The page cache's, and `JET_errBadParentPageLink` for a damaged tree.
#[inline]
pub fn seek<'c>(
    cache: &'c PageCache,
    view: &TreeView,
    key: &[u8],
    data: &[u8],
) -> Result<Found<'c>> {
    let data = view.order_data(data);
    let leaf = leaf_for_read(cache, view, &Target::Entry { key, data })?;
    let line = leaf.page().search(key, data, view.unique);
    Ok(Found { leaf, line })
}

/// As [`seek`], by the tree's guide (`tree/guide.rs`) where it helps. `seat` tells the sessions
/// that read at the same time apart; any number will do.
///
/// # Errors
/// As [`seek`].
#[inline]
pub fn seek_guided<'c>(
    cache: &'c PageCache,
    tree: &TreeHandle,
    seat: usize,
    key: &[u8],
    data: &[u8],
) -> Result<Found<'c>> {
    let view = tree.view();
    if let Some(found) = guided(cache, tree, &view, seat, key, view.order_data(data)) {
        return Ok(found);
    }
    let found = seek(cache, &view, key, data)?;
    if found.leaf.pgno() != view.root && tree.guide.note_lost() {
        drop(found);
        tree.guide.draw(cache, &view);
        return seek(cache, &view, key, data);
    }
    Ok(found)
}

/// The leaf of an entry as the tree's guide has it, if the leaf proves it right.
#[inline]
pub(super) fn guided<'c>(
    cache: &'c PageCache,
    tree: &TreeHandle,
    view: &TreeView,
    seat: usize,
    key: &[u8],
    data: &[u8],
) -> Option<Found<'c>> {
    let pgno = tree.guide.leaf(seat, key, data)?;
    // Any trouble with the page will show again on the way from the root, if it is on that way.
    let leaf = cache.read(pgno).ok()?;
    let page = leaf.page();
    if !page.is_leaf() || view.expect_own(page, pgno).is_err() {
        return None;
    }
    let line = page.search(key, data, view.unique);
    is_certain(page, line).then_some(Found { leaf, line })
}

/// Does a search that ended here prove that it ended on the right leaf? As [`belongs`].
fn is_certain(page: PageRef<'_>, line: std::result::Result<usize, usize>) -> bool {
    match line {
        Ok(_) => true,
        Err(iline) => iline > 0 && (iline < page.node_count() || page.next().is_null()),
    }
}
