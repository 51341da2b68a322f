//! Checking a whole tree: order, separators, sibling links, depth, flags (edb-format 11, 6 to 10).
//!
//! A check reads every page of the tree once and collects what is wrong instead of stopping at the
//! first finding. The tree must not change meanwhile.

use std::collections::HashSet;

use ese_base::{DbTime, Error, JetErr, Pgno, Result, StopToken, limits::TREE_DEPTH_MAX};
use ese_pages::{Node, NodeFlags, PageCache, PageFlags, PageRef, Validate, validate};

use super::TreeView;

/// What a check of one tree found.
#[derive(Debug, Default)]
pub struct TreeReport {
    /// Every page of the tree, the root first.
    pub pages: Vec<Pgno>,
    /// Levels: 1 for a tree whose root is a leaf.
    pub depth: usize,
    /// Leaves.
    pub leaves: u32,
    /// Live entries.
    pub entries: u64,
    /// Flag-deleted entries.
    pub deleted: u64,
    /// What is wrong, with page and code.
    pub problems: Vec<Error>,
}

/// Checks a tree. `dbtime_max` is the database's clock: no page may be newer.
#[must_use]
pub fn check(cache: &PageCache, view: &TreeView, dbtime_max: DbTime) -> TreeReport {
    // Nobody stops this token, and nothing else is an error.
    check_until(cache, view, dbtime_max, &StopToken::new()).unwrap_or_default()
}

/// As [`check`], until somebody stops it.
///
/// # Errors
/// `JET_errClientRequestToStopJetService` (-1329) if stopped between two pages. Everything else is
/// a finding.
pub fn check_until(
    cache: &PageCache,
    view: &TreeView,
    dbtime_max: DbTime,
    stop: &StopToken,
) -> Result<TreeReport> {
    let mut walk = Walk {
        cache,
        view,
        dbtime_max,
        stop,
        report: TreeReport::default(),
        seen: HashSet::new(),
        leaf_depth: None,
        last_leaf: None,
        last_entry: None,
    };
    walk.page(view.root, 1, None, None);
    // The last leaf of all.
    if let Some((leaf, next)) = walk.last_leaf
        && !next.is_null()
    {
        let what = format!("the rightmost leaf leads on to page {next}");
        walk.problem(leaf, JetErr::BadPageLink, what);
    }
    // What a walk that was stopped has found is of no use: it looks like a damaged tree.
    stop.check()?;
    Ok(walk.report)
}

struct Walk<'a> {
    cache: &'a PageCache,
    view: &'a TreeView,
    dbtime_max: DbTime,
    stop: &'a StopToken,
    report: TreeReport,
    seen: HashSet<Pgno>,
    leaf_depth: Option<usize>,
    /// The leaf visited last and its right link.
    last_leaf: Option<(Pgno, Pgno)>,
    /// The greatest entry so far, as ordered bytes.
    last_entry: Option<Vec<u8>>,
}

impl Walk<'_> {
    fn problem(&mut self, pgno: Pgno, code: JetErr, what: impl Into<String>) {
        self.report.problems.push(Error::new(code, what.into()).at_page(pgno));
    }

    /// Checks a page and what is below it. All entries are at least `low` and less than `high`;
    /// `None` is no bound. Returns whether it is a leaf.
    fn page(
        &mut self,
        pgno: Pgno,
        depth: usize,
        low: Option<&[u8]>,
        high: Option<&[u8]>,
    ) -> Option<bool> {
        // The pages on the way back up end in the same way.
        if self.stop.reason().is_some() {
            return None;
        }
        if depth > TREE_DEPTH_MAX || !self.seen.insert(pgno) {
            let what = format!("reached twice, or deeper than {TREE_DEPTH_MAX} levels");
            self.problem(pgno, JetErr::BadParentPageLink, what);
            return None;
        }
        // A copy, so that no latch is held while pages below are read.
        let image = match self.cache.read(pgno) {
            Ok(guard) => guard.page().bytes().to_vec(),
            Err(error) => {
                self.report.problems.push(error);
                return None;
            }
        };
        let page = PageRef::new(&image, self.cache.page_size());
        self.report.pages.push(pgno);
        self.report.depth = self.report.depth.max(depth);
        if let Err(error) = validate(page, pgno, Validate::Read) {
            self.report.problems.push(error);
            return None;
        }
        self.header(page, pgno);
        if page.is_leaf() {
            self.leaf(page, pgno, depth, low, high);
        } else {
            self.internal(page, pgno, depth, low, high);
        }
        Some(page.is_leaf())
    }

    fn header(&mut self, page: PageRef<'_>, pgno: Pgno) {
        if let Err(error) = self.view.expect_own(page, pgno) {
            self.report.problems.push(error);
        }
        let flags = page.flags();
        if page.dbtime() > self.dbtime_max || page.dbtime() == DbTime(0) {
            let what =
                format!("dbtime {} with a database clock of {}", page.dbtime(), self.dbtime_max);
            self.problem(pgno, JetErr::DbTimeCorrupted, what);
        }
        match (pgno == self.view.root, flags.contains(PageFlags::ROOT)) {
            (true, false) => {
                let what = format!("flags {:#x} lack that of a root, which it is", flags.bits());
                self.problem(pgno, JetErr::DatabaseCorrupted, what);
            }
            (false, true) => {
                let what = format!(
                    "flags {:#x} have that of a root, but the root of the tree is page {}",
                    flags.bits(),
                    self.view.root
                );
                self.problem(pgno, JetErr::DatabaseCorrupted, what);
            }
            _ => {}
        }
        // The non-unique flag of space trees depends on how they came to be (edb-format 2.2).
        let missing = self.view.page_flags - PageFlags::NON_UNIQUE - flags;
        if !missing.is_empty() {
            let what = format!("flags {:#x} lack {:#x} of its tree", flags.bits(), missing.bits());
            self.problem(pgno, JetErr::DatabaseCorrupted, what);
        }
        if !self.view.is_space() && flags.contains(PageFlags::NON_UNIQUE) == self.view.unique {
            let what = "the non-unique flag differs from the tree's".to_owned();
            self.problem(pgno, JetErr::DatabaseCorrupted, what);
        }
    }

    fn internal(
        &mut self,
        page: PageRef<'_>,
        pgno: Pgno,
        depth: usize,
        low: Option<&[u8]>,
        high: Option<&[u8]>,
    ) {
        if !page.prev().is_null() || !page.next().is_null() {
            self.problem(pgno, JetErr::BadPageLink, "an internal page with siblings");
        }
        let count = page.node_count();
        let parent_of_leaf = page.flags().contains(PageFlags::PARENT_OF_LEAF);
        let mut below = low.map(<[u8]>::to_vec);
        for (iline, node) in page.nodes().enumerate() {
            let last = iline + 1 == count;
            let key = node.key_to_vec();
            self.separator(pgno, &node, &key, last, below.as_deref(), high);
            let bound = if key.is_empty() { high } else { Some(&key[..]) };
            let child = page.child(iline);
            if self.page(child, depth + 1, below.as_deref(), bound) == Some(!parent_of_leaf) {
                self.problem(pgno, JetErr::BadParentPageLink, "the parent-of-leaf flag is wrong");
            }
            below = Some(key);
        }
    }

    /// Checks one pointer of an internal page; `below` is the separator before it.
    fn separator(
        &mut self,
        pgno: Pgno,
        node: &Node<'_>,
        key: &[u8],
        last: bool,
        below: Option<&[u8]>,
        high: Option<&[u8]>,
    ) {
        if node.flags.intersects(NodeFlags::DELETED | NodeFlags::VERSIONED) {
            self.problem(pgno, JetErr::NodeCorrupted, "a pointer with flags of an entry");
        }
        // The last one of a page is the page's own bound.
        if last && key != high.unwrap_or(&[]) {
            let what = "the last separator is not that of the parent".to_owned();
            self.problem(pgno, JetErr::BadParentPageLink, what);
        }
        if key.is_empty() && !last {
            self.problem(pgno, JetErr::NodeCorrupted, "an infinite separator that is not the last");
        }
        if !key.is_empty() && below.is_some_and(|below| below >= key) {
            self.problem(pgno, JetErr::NodeCorrupted, "separators are not ascending");
        }
    }

    fn leaf(
        &mut self,
        page: PageRef<'_>,
        pgno: Pgno,
        depth: usize,
        low: Option<&[u8]>,
        high: Option<&[u8]>,
    ) {
        self.report.leaves += 1;
        if *self.leaf_depth.get_or_insert(depth) != depth {
            let what = format!("a leaf on level {depth}; others are elsewhere");
            self.problem(pgno, JetErr::BadParentPageLink, what);
        }
        let (prev, expected) = (page.prev(), self.last_leaf.map_or(Pgno::NULL, |(leaf, _)| leaf));
        let leads_here = self.last_leaf.is_none_or(|(_, next)| next == pgno);
        if prev != expected || !leads_here {
            let what = format!("the left link is {prev}, the leaf before is {expected}");
            self.problem(pgno, JetErr::BadPageLink, what);
        }
        self.last_leaf = Some((pgno, page.next()));
        if page.next().is_null() != high.is_none() {
            self.problem(pgno, JetErr::BadPageLink, "right link and separator disagree");
        }
        if page.node_count() == 0 && pgno != self.view.root {
            self.problem(pgno, JetErr::BadEmptyPage, "an empty leaf");
        }
        for node in page.nodes() {
            self.entry(pgno, &node, low, high);
        }
    }

    fn entry(&mut self, pgno: Pgno, node: &Node<'_>, low: Option<&[u8]>, high: Option<&[u8]>) {
        if node.is_deleted() {
            self.report.deleted += 1;
        } else {
            self.report.entries += 1;
        }
        let mut entry = node.key_to_vec();
        if !self.view.unique {
            entry.extend_from_slice(node.data);
        }
        if self.last_entry.as_ref().is_some_and(|last| *last >= entry) {
            self.problem(pgno, JetErr::NodeCorrupted, "entries are not ascending");
        }
        let entry_slice = &entry[..];
        if low.is_some_and(|low| entry_slice < low) || high.is_some_and(|high| entry_slice >= high)
        {
            self.problem(pgno, JetErr::BadParentPageLink, "an entry outside its separators");
        }
        self.last_entry = Some(entry);
    }
}
