//! What the inner pages alone tell: about how many entries lie before one, which entry lies about
//! there, on which leaves ranges lie, which pages the tree has.

use std::collections::HashSet;

use ese_base::{Error, JetErr, Pgno, Result, limits::TREE_DEPTH_MAX};
use ese_pages::{
    PageFlags,
    cache::{PageCache, ReadGuard},
};

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

/// A range of keys, from the one where reading begins to the one where it ends, in either
/// direction.
pub type KeyRange<'a> = (&'a [u8], &'a [u8]);

/// Where ranges of keys lie.
#[derive(Debug)]
pub struct RangeLeaves {
    /// Their leaves in the order of the ranges, but for a root that is a leaf.
    pub leaves: Vec<Pgno>,
    /// How many ranges, from the first on, have no other leaves.
    pub ranges: usize,
}

/// The leaves that ranges of keys lie on, the first `most` of them. They are not looked at: the
/// pages above them tell.
///
/// # Errors
/// As [`estimate`].
pub fn leaves_of_ranges(
    cache: &PageCache,
    view: &TreeView,
    ranges: &[KeyRange<'_>],
    most: usize,
) -> Result<RangeLeaves> {
    let mut leaves = Leaves { cache, view, most, found: Vec::new() };
    let mut done = 0;
    for (first, last) in ranges {
        let [first, last] = [first, last].map(|key| Target::Entry { key, data: &[] });
        if !leaves.add(cache.read(view.root)?, &first, &last, TREE_DEPTH_MAX)? {
            break;
        }
        done += 1;
    }
    Ok(RangeLeaves { leaves: leaves.found, ranges: done })
}

struct Leaves<'a> {
    cache: &'a PageCache,
    view: &'a TreeView,
    most: usize,
    found: Vec<Pgno>,
}

impl Leaves<'_> {
    /// Adds those below a page from the one of one key to the one of another; says whether there
    /// was room for all. A page stays latched while those below it are, as in every descent.
    fn add(
        &mut self,
        above: ReadGuard<'_>,
        first: &Target<'_>,
        last: &Target<'_>,
        levels: usize,
    ) -> Result<bool> {
        let page = above.page();
        self.view.expect_own(page, above.pgno())?;
        if page.is_leaf() {
            return Ok(true);
        }
        if levels == 0 {
            return Err(too_deep(self.view, above.pgno()));
        }
        let (from, to) = (first.line_on(page), last.line_on(page));
        for step in 0..=from.abs_diff(to) {
            let child = page.child(if from <= to { from + step } else { from - step });
            if child.is_null() || child == above.pgno() {
                return Err(no_way(self.view, above.pgno(), child));
            }
            let room = if page.flags().contains(PageFlags::PARENT_OF_LEAF) {
                self.add_leaf(child)
            } else {
                self.add(self.cache.read(child)?, first, last, levels - 1)?
            };
            if !room {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Ranges side by side may share a leaf.
    fn add_leaf(&mut self, leaf: Pgno) -> bool {
        if self.found.last() != Some(&leaf) {
            if self.found.len() == self.most {
                return false;
            }
            self.found.push(leaf);
        }
        true
    }
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
