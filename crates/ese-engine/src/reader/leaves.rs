//! The leaves of a tree in order, damage or not: for those who want every row that can be had.
//!
//! The tree is walked from above, and only its inner pages are read: whoever gets the leaves reads
//! them, several at a time if he likes. Memory: one bit for each page of the file. An inner page
//! that cannot be read hides all leaves below it; these are then looked for in the whole file, by
//! the object id that every page carries, and come last, in the order of their keys among
//! themselves.

use ese_base::{Error, JetErr, Pgno, Result, limits::TREE_DEPTH_MAX};
use ese_pages::{
    PageCache, PageFlags, PageRef, Validate,
    checksum::{self, Verdict},
    validate,
};

use crate::tree::TreeView;

/// A page that could not be read, and what that costs.
#[derive(Clone, Debug)]
pub struct LostPage {
    /// The page.
    pub pgno: Pgno,
    /// Is it a page of the tree's inside? Then the leaves below it were looked for elsewhere.
    pub inner: bool,
    /// Rows that were on it, as far as what is left of its header tells; `None` if it tells nothing
    /// that can be.
    pub rows: Option<u32>,
    /// What is wrong with it.
    pub error: Error,
}

/// One bit for each page of a file.
#[derive(Debug)]
struct PageSet(Vec<u64>);

impl PageSet {
    fn new(pages: u32) -> PageSet {
        PageSet(vec![0; usize::try_from(pages / 64).unwrap_or(0) + 1])
    }

    /// Puts a page in. False if it is there already, or no page of the file.
    fn insert(&mut self, pgno: Pgno) -> bool {
        let mask = 1_u64 << (pgno.0 % 64);
        let word = usize::try_from(pgno.0 / 64).ok().and_then(|at| self.0.get_mut(at));
        word.is_some_and(|word| {
            let new = *word & mask == 0;
            *word |= mask;
            new
        })
    }
}

/// An inner page on the way down: its children, and how many were visited.
#[derive(Debug)]
struct Step {
    children: Vec<Pgno>,
    visited: usize,
    above_leaves: bool,
}

/// Where a walk stands.
#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing was read.
    New,
    InTree,
    /// The tree is done; leaves that no inner page led to, the next one last.
    Strays(Vec<Pgno>),
}

/// The leaves of one tree; made by [`super::OfflineDatabase::leaves`].
#[derive(Debug)]
pub struct Leaves<'a> {
    cache: &'a PageCache,
    tree: TreeView,
    stack: Vec<Step>,
    seen: PageSet,
    stage: Stage,
    lost: Vec<LostPage>,
}

impl<'a> Leaves<'a> {
    pub(super) fn new(cache: &'a PageCache, tree: TreeView) -> Leaves<'a> {
        let seen = PageSet::new(cache.file().page_count());
        Leaves { cache, tree, stack: Vec::new(), seen, stage: Stage::New, lost: Vec::new() }
    }

    /// The next leaves, at most `most`; none at the end.
    ///
    /// # Errors
    /// None for damage, see [`Leaves::lost`]; those of reading the whole file for leaves that
    /// nothing leads to.
    pub fn next(&mut self, most: usize) -> Result<Vec<Pgno>> {
        let mut found = Vec::with_capacity(most.min(1024));
        if self.stage == Stage::New {
            self.stage = Stage::InTree;
            let root = self.tree.root;
            if self.seen.insert(root) {
                self.descend(root, &mut found);
            } else {
                self.lose_misplaced(root, true);
            }
        }
        while found.len() < most {
            if let Stage::Strays(strays) = &mut self.stage {
                match strays.pop() {
                    Some(stray) => found.push(stray),
                    None => break,
                }
                continue;
            }
            match self.child() {
                Some((child, true)) => found.push(child),
                Some((child, false)) => self.descend(child, &mut found),
                None => {
                    let searched = self.lost.iter().any(|lost| lost.inner);
                    let strays = if searched { self.strays()? } else { Vec::new() };
                    self.stage = Stage::Strays(strays);
                }
            }
        }
        Ok(found)
    }

    /// What could not be read of the tree's inside so far.
    #[must_use]
    pub fn lost(&self) -> &[LostPage] {
        &self.lost
    }

    /// Gives away what [`Leaves::lost`] shows.
    #[must_use]
    pub fn into_lost(self) -> Vec<LostPage> {
        self.lost
    }

    /// The next page below the inner pages on the way, and whether they say that it is a leaf.
    fn child(&mut self) -> Option<(Pgno, bool)> {
        loop {
            let step = self.stack.last_mut()?;
            let Some(&child) = step.children.get(step.visited) else {
                self.stack.pop();
                continue;
            };
            step.visited += 1;
            let leaf = step.above_leaves;
            if !child.is_null() && self.seen.insert(child) {
                return Some((child, leaf));
            }
            self.lose_misplaced(child, !leaf);
        }
    }

    /// Reads a page that need not be a leaf.
    fn descend(&mut self, pgno: Pgno, found: &mut Vec<Pgno>) {
        if self.stack.len() >= TREE_DEPTH_MAX {
            let what = format!("the tree is deeper than {TREE_DEPTH_MAX} levels");
            let error = Error::new(JetErr::BadParentPageLink, what).at_page(pgno);
            return self.lose(pgno, true, error);
        }
        let read = self.cache.read(pgno).and_then(|guard| {
            let page = guard.page();
            self.tree.expect_own(page, pgno)?;
            Ok((!page.is_leaf()).then(|| Step {
                children: (0..page.node_count()).map(|iline| page.child(iline)).collect(),
                visited: 0,
                above_leaves: page.flags().contains(PageFlags::PARENT_OF_LEAF),
            }))
        });
        match read {
            Ok(Some(step)) => self.stack.push(step),
            Ok(None) => found.push(pgno),
            Err(error) => self.lose(pgno, true, error),
        }
    }

    /// A page that the tree names and that cannot be a page of it.
    fn lose_misplaced(&mut self, pgno: Pgno, inner: bool) {
        let pages = self.cache.file().page_count();
        let error = if pgno.0 > pages {
            let what = format!("it lies behind the end of the file, which is page {pages}");
            Error::new(JetErr::FileIOBeyondEOF, what)
        } else {
            let what = format!("page {pgno} has two places in the tree, or is none of the file");
            Error::new(JetErr::BadParentPageLink, what)
        };
        self.lose(pgno, inner, error.at_page(pgno));
    }

    fn lose(&mut self, pgno: Pgno, inner: bool, error: Error) {
        self.lost.push(LostPage { pgno, inner, rows: None, error });
    }

    /// Leaves of the tree that the walk did not come by, the greatest keys first.
    fn strays(&mut self) -> Result<Vec<Pgno>> {
        let mut reader = LeafReader::new(self.cache, self.tree);
        let mut strays = Vec::new();
        for pgno in (1..=self.cache.file().page_count()).map(Pgno) {
            // A page that cannot be read at all is not known to belong to the tree.
            let key = match reader.read(pgno) {
                Ok(page) if page.node_count() > 0 => page.node(0).key_to_vec(),
                _ => continue,
            };
            if self.seen.insert(pgno) {
                strays.push((key, pgno));
            }
        }
        strays.sort_unstable_by(|one, other| other.cmp(one));
        Ok(strays.into_iter().map(|(_, pgno)| pgno).collect())
    }
}

/// Reads leaves of one tree from the file, past the cache: each is wanted once.
#[derive(Debug)]
pub struct LeafReader<'a> {
    cache: &'a PageCache,
    tree: TreeView,
    page: Vec<u8>,
}

impl<'a> LeafReader<'a> {
    pub(super) fn new(cache: &'a PageCache, tree: TreeView) -> LeafReader<'a> {
        LeafReader { cache, tree, page: vec![0; cache.page_size().bytes()] }
    }

    /// Reads a leaf, verifies it, and repairs single flipped bits in memory.
    ///
    /// # Errors
    /// Why it cannot be used, with what it held, as far as one can tell.
    pub fn read(&mut self, pgno: Pgno) -> std::result::Result<PageRef<'_>, LostPage> {
        match self.try_read(pgno) {
            Ok(()) => Ok(PageRef::new(&self.page, self.cache.page_size())),
            Err(error) => {
                let error = error.at_path(self.cache.file().path()).at_page(pgno);
                Err(LostPage { pgno, inner: false, rows: self.rows_there(&error), error })
            }
        }
    }

    fn try_read(&mut self, pgno: Pgno) -> Result<()> {
        self.cache.file().read_page_raw(pgno, &mut self.page)?;
        let corrected = match checksum::check(&self.page, pgno) {
            Verdict::Good => false,
            Verdict::Correctable { .. } => {
                checksum::repair(&mut self.page, pgno)?;
                true
            }
            verdict @ (Verdict::Blank | Verdict::Bad(_)) => {
                let last = Pgno(self.cache.file().page_count());
                return Err(checksum::verdict_error_among(verdict, pgno, last));
            }
        };
        let page = PageRef::new(&self.page, self.cache.page_size());
        validate(page, pgno, Validate::Read)?;
        self.tree.expect_own(page, pgno)?;
        if corrected {
            self.cache.note_corrected(pgno);
        }
        if page.is_leaf() {
            return Ok(());
        }
        Err(Error::new(JetErr::BadParentPageLink, "a leaf was expected, this is an inner page"))
    }

    /// The rows that a damaged page's header counts, if that can be true.
    fn rows_there(&self, error: &Error) -> Option<u32> {
        let page = PageRef::new(&self.page, self.cache.page_size());
        let own = page.objid() == self.tree.objid && page.is_leaf();
        let read = !matches!(error.code(), JetErr::FileIOBeyondEOF | JetErr::DiskIO);
        (own && read).then(|| u32::try_from(page.node_count()).ok()).flatten()
    }
}
