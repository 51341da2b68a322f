//! What the inner pages alone tell: about how many entries lie before one, which entry lies about
//! there, which leaf will be needed, which pages the tree has.

use std::collections::HashSet;

use ese_base::{Error, JetErr, Pgno, Result, limits::TREE_DEPTH_MAX};
use ese_pages::{PageFlags, cache::PageCache};

use super::{
    Target, TreeView,
    descend::{child_on, no_way, too_deep},
};

/// An estimate, as if every page of a level held as many entries as the one on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Entries before the sought one.
    pub before: u64,
    /// All entries, at least one.
    pub total: u64,
}

/// Estimates where an entry stands in its tree. Exact while the tree is one page.
///
/// # Errors
/// The page cache's, and `JET_errBadParentPageLink` (-338) for a damaged tree.
pub fn estimate(cache: &PageCache, view: &TreeView, key: &[u8], data: &[u8]) -> Result<Estimate> {
    let target = Target::Entry { key, data: view.order_data(data) };
    let mut guard = cache.read(view.root)?;
    // Before and total in units of subtrees of the level so far.
    let (mut before, mut total) = (0_u64, 1_u64);
    for _ in 0..TREE_DEPTH_MAX {
        let page = guard.page();
        view.expect_own(page, guard.pgno())?;
        let count = page.node_count() as u64;
        let line = if page.is_leaf() {
            let (Ok(line) | Err(line)) = page.search(key, view.order_data(data), view.unique);
            line
        } else {
            target.line_on(page)
        };
        before = before.saturating_mul(count).saturating_add(line as u64);
        total = total.saturating_mul(count);
        if page.is_leaf() {
            return Ok(Estimate { before, total: total.max(1) });
        }
        let child = child_on(view, page, guard.pgno(), &target)?;
        guard = cache.read(child)?;
    }
    Err(too_deep(view, guard.pgno()))
}

/// Key and data of an entry that has about the part `before` of `total` entries before it; `None`
/// in an empty tree. It may be flag-deleted.
///
/// # Errors
/// As [`estimate`].
pub fn entry_near(
    cache: &PageCache,
    view: &TreeView,
    before: u64,
    total: u64,
) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
    // The part of the level's current page that lies before, as a fraction.
    let (mut part, whole) = (u128::from(before), u128::from(total.max(1)));
    let mut guard = cache.read(view.root)?;
    for _ in 0..TREE_DEPTH_MAX {
        let page = guard.page();
        view.expect_own(page, guard.pgno())?;
        let count = page.node_count();
        if count == 0 {
            return Ok(None);
        }
        let scaled = part * count as u128;
        let line = usize::try_from(scaled / whole).unwrap_or(count).min(count - 1);
        part = scaled.saturating_sub(line as u128 * whole).min(whole);
        let node = page.node(line);
        if page.is_leaf() {
            return Ok(Some((node.key_to_vec(), node.data.to_vec())));
        }
        let child = page.child(line);
        if child.is_null() || child == guard.pgno() {
            return Err(no_way(view, guard.pgno(), child));
        }
        guard = cache.read(child)?;
    }
    Err(too_deep(view, guard.pgno()))
}

/// Asks the system to read the leaf that a key belongs to, unless finding out would itself wait.
///
/// # Errors
/// As [`estimate`].
pub fn will_need(cache: &PageCache, view: &TreeView, key: &[u8]) -> Result<()> {
    let target = Target::Entry { key, data: &[] };
    let mut pgno: Pgno = view.root;
    for _ in 0..TREE_DEPTH_MAX {
        let guard = cache.read(pgno)?;
        let page = guard.page();
        view.expect_own(page, pgno)?;
        if page.is_leaf() {
            return Ok(());
        }
        let child = child_on(view, page, pgno, &target)?;
        if page.flags().contains(PageFlags::PARENT_OF_LEAF) {
            cache.will_need(child, 1);
            return Ok(());
        }
        drop(guard);
        pgno = child;
    }
    Err(too_deep(view, pgno))
}

/// All pages of a tree, the root first. The tree must not change meanwhile.
///
/// # Errors
/// As [`estimate`], also if a page is reached twice.
pub(crate) fn pages_of(cache: &PageCache, view: &TreeView) -> Result<Vec<Pgno>> {
    let mut pages = vec![view.root];
    let mut seen = HashSet::from([view.root]);
    let mut inner = vec![view.root];
    while let Some(pgno) = inner.pop() {
        let guard = cache.read(pgno)?;
        let page = guard.page();
        view.expect_own(page, pgno)?;
        if page.is_leaf() {
            continue;
        }
        let above_leaves = page.flags().contains(PageFlags::PARENT_OF_LEAF);
        for child in (0..page.node_count()).map(|iline| page.child(iline)) {
            if child.is_null() || !seen.insert(child) {
                let what = format!("page {child} has two places in the tree, or none");
                return Err(Error::new(JetErr::BadParentPageLink, what).at_page(pgno));
            }
            pages.push(child);
            if !above_leaves {
                inner.push(child);
            }
        }
    }
    Ok(pages)
}
