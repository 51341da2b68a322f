//! The leaves of a tree in order, damage or not: for those who want every row that can be had.
//!
//! The tree is walked from above, and only its inner pages are read: whoever gets the leaves reads
//! them, several at a time if he likes. Memory: one bit for each page of the file. An inner page
//! that cannot be read hides all leaves below it; these are then looked for in the whole file, by
//! the object id that every page carries, and come last, in the order of their keys among
//! themselves.
//!
//! A page may be whole and still be another one: its write was lost, or it was put back from
//! elsewhere. So each leaf comes with its place in the tree, and is compared with it: the
//! separators around it, its neighbours, the flag of a root. In a clean database a leaf with keys
//! of another place is lost like one that cannot be read; one with the right keys and other
//! neighbours is given, with a doubt. The pages of a database that is not clean are of different
//! times: there the links do not count, and keys out of place are a doubt, for their rows may be
//! nowhere else.

use ese_base::{Error, JetErr, Pgno, Result, limits::TREE_DEPTH_MAX};
use ese_pages::{
    DbState, PageCache, PageFlags, PageRef, Validate,
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
    /// It can be read, but does not fit where the tree has it: its rows were given, and may be old,
    /// double, or not all.
    pub given: bool,
    /// What is wrong with it.
    pub error: Error,
}

/// A leaf, and where the tree has it.
#[derive(Clone, Debug)]
pub struct Leaf {
    pgno: Pgno,
    /// `None`: no inner page led to it.
    place: Option<Place>,
}

impl Leaf {
    /// The page.
    #[must_use]
    pub fn pgno(&self) -> Pgno {
        self.pgno
    }
}

/// Where the inner pages have a leaf.
#[derive(Clone, Debug)]
struct Place {
    bounds: Bounds,
    /// The leaves on both sides; `None`: what is there could not be read.
    prev: Option<Pgno>,
    next: Option<Pgno>,
}

/// The separators around a page: its keys are at least `low` and less than `high`. An empty one is
/// no bound.
#[derive(Clone, Debug, Default)]
struct Bounds {
    low: Vec<u8>,
    high: Vec<u8>,
}

impl Bounds {
    /// Do the keys of a leaf lie between the separators? They rise, or the page would not be sound.
    fn hold_leaf(&self, page: PageRef<'_>) -> bool {
        let Some(last) = page.node_count().checked_sub(1) else { return true };
        let below = |key: &[u8], line| page.node(line).cmp_key(key).is_lt();
        !below(&self.low, 0) && (self.high.is_empty() || below(&self.high, last))
    }

    /// Do the separators of an inner page lie there? Its last one is the page's own bound.
    fn hold_inner(&self, page: PageRef<'_>) -> bool {
        let Some(last) = page.node_count().checked_sub(1) else { return false };
        let first = page.node(0);
        let above = first.key_len() == 0 || first.cmp_key(&self.low).is_gt();
        above && page.node(last).cmp_key(&self.high).is_eq()
    }
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

/// An inner page on the way down: its children, each with the separator behind it, and how many
/// were visited.
#[derive(Debug)]
struct Step {
    children: Vec<(Pgno, Vec<u8>)>,
    visited: usize,
    above_leaves: bool,
    /// What is left for the children that were not visited.
    bounds: Bounds,
}

impl Step {
    /// The next child and its bounds.
    fn advance(&mut self) -> Option<(Pgno, Bounds)> {
        let (child, separator) = self.children.get_mut(self.visited)?;
        self.visited += 1;
        let separator = std::mem::take(separator);
        let low = std::mem::replace(&mut self.bounds.low, separator.clone());
        // The last separator of the rightmost page is infinite.
        let high = if separator.is_empty() { self.bounds.high.clone() } else { separator };
        Some((*child, Bounds { low, high }))
    }
}

/// A page that an inner page leads to.
struct Child {
    pgno: Pgno,
    leaf: bool,
    bounds: Bounds,
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

/// Is everything where it belongs, as long as nothing is damaged? Not where pages were written at
/// different times, and the log has the rest.
fn is_clean(cache: &PageCache) -> bool {
    cache.file().header().state() == DbState::CleanShutdown
}

/// The leaves of one tree; made by [`super::OfflineDatabase::leaves`].
#[derive(Debug)]
pub struct Leaves<'a> {
    cache: &'a PageCache,
    tree: TreeView,
    stack: Vec<Step>,
    seen: PageSet,
    stage: Stage,
    clean: bool,
    /// The leaf that was come by last; it is given when it is known what follows.
    last: Option<Leaf>,
    /// Was something lost since then?
    gap: bool,
    lost: Vec<LostPage>,
}

impl<'a> Leaves<'a> {
    pub(super) fn new(cache: &'a PageCache, tree: TreeView) -> Leaves<'a> {
        Leaves {
            cache,
            tree,
            stack: Vec::new(),
            seen: PageSet::new(cache.file().page_count()),
            stage: Stage::New,
            clean: is_clean(cache),
            last: None,
            gap: false,
            lost: Vec::new(),
        }
    }

    /// The next leaves, at most `most`; none at the end.
    ///
    /// # Errors
    /// None for damage, see [`Leaves::lost`]; those of reading the whole file for leaves that
    /// nothing leads to.
    pub fn next(&mut self, most: usize) -> Result<Vec<Leaf>> {
        let mut found = Vec::with_capacity(most.min(1024));
        if self.stage == Stage::New {
            self.stage = Stage::InTree;
            let root = self.tree.root;
            if self.seen.insert(root) {
                found.extend(self.descend(root, Bounds::default()));
            } else {
                self.lose_misplaced(root, true);
            }
        }
        while found.len() < most {
            if let Stage::Strays(strays) = &mut self.stage {
                match strays.pop() {
                    Some(pgno) => found.push(Leaf { pgno, place: None }),
                    None => break,
                }
                continue;
            }
            match self.child() {
                Some(Child { pgno, leaf: true, bounds }) => {
                    found.extend(self.come_by(pgno, bounds));
                }
                Some(Child { pgno, leaf: false, bounds }) => {
                    found.extend(self.descend(pgno, bounds));
                }
                None => {
                    found.extend(self.last_of_all());
                    let searched = self.lost.iter().any(|lost| lost.inner);
                    let strays = if searched { self.strays()? } else { Vec::new() };
                    self.stage = Stage::Strays(strays);
                }
            }
        }
        Ok(found)
    }

    /// Takes a leaf in, and gives the one before, whose neighbours are known by now.
    fn come_by(&mut self, pgno: Pgno, bounds: Bounds) -> Option<Leaf> {
        let known = !std::mem::take(&mut self.gap);
        let mut before = self.last.take();
        if let Some(Place { next, .. }) = before.as_mut().and_then(|leaf| leaf.place.as_mut()) {
            *next = known.then_some(pgno);
        }
        let prev = before.as_ref().map_or(Pgno::NULL, Leaf::pgno);
        let place = Place { bounds, prev: known.then_some(prev), next: None };
        self.last = Some(Leaf { pgno, place: Some(place) });
        before
    }

    fn last_of_all(&mut self) -> Option<Leaf> {
        let mut last = self.last.take()?;
        if let (Some(place), false) = (last.place.as_mut(), self.gap) {
            place.next = Some(Pgno::NULL);
        }
        Some(last)
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
    fn child(&mut self) -> Option<Child> {
        loop {
            let step = self.stack.last_mut()?;
            let Some((pgno, bounds)) = step.advance() else {
                self.stack.pop();
                continue;
            };
            let leaf = step.above_leaves;
            if !pgno.is_null() && self.seen.insert(pgno) {
                return Some(Child { pgno, leaf, bounds });
            }
            self.lose_misplaced(pgno, !leaf);
        }
    }

    /// Reads a page of the tree's inside, or the root. Gives a leaf as [`Leaves::come_by`] does.
    fn descend(&mut self, pgno: Pgno, bounds: Bounds) -> Option<Leaf> {
        if self.stack.len() >= TREE_DEPTH_MAX {
            let what = format!("the tree is deeper than {TREE_DEPTH_MAX} levels");
            let error = Error::new(JetErr::BadParentPageLink, what).at_page(pgno);
            self.lose(pgno, true, error);
            return None;
        }
        let read = self.cache.read(pgno).and_then(|guard| {
            let page = guard.page();
            self.tree.expect_own(page, pgno)?;
            self.tree.expect_root_flag(page, pgno)?;
            if page.is_leaf() {
                return if pgno == self.tree.root { Ok(None) } else { Err(misplaced(pgno)) };
            }
            if self.clean && !bounds.hold_inner(page) {
                return Err(misplaced(pgno));
            }
            let children = page.nodes().enumerate();
            let children = children.map(|(line, node)| (page.child(line), node.key_to_vec()));
            Ok(Some((children.collect(), page.flags().contains(PageFlags::PARENT_OF_LEAF))))
        });
        match read {
            Ok(Some((children, above_leaves))) => {
                self.stack.push(Step { children, visited: 0, above_leaves, bounds });
            }
            Ok(None) => return self.come_by(pgno, bounds),
            Err(error) => self.lose(pgno, true, error),
        }
        None
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
        self.gap = true;
        self.lost.push(LostPage { pgno, inner, rows: None, given: false, error });
    }

    /// Leaves of the tree that the walk did not come by, the greatest keys first.
    fn strays(&mut self) -> Result<Vec<Pgno>> {
        let mut reader = LeafReader::new(self.cache, self.tree);
        let mut strays = Vec::new();
        for pgno in (1..=self.cache.file().page_count()).map(Pgno) {
            // A page that cannot be read at all is not known to belong to the tree.
            let key = match reader.read(&Leaf { pgno, place: None }) {
                Ok(LeafPage { page, .. }) if page.node_count() > 0 => page.node(0).key_to_vec(),
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

/// A page that is whole, and another one than the tree has there.
#[cold]
fn misplaced(pgno: Pgno) -> Error {
    let what = "the page is whole, but of another place in the tree: its write was lost, or it was \
                put back from elsewhere";
    Error::new(JetErr::BadParentPageLink, what)
        .at_page(pgno)
        .advise("run a verification of the database; restore it from a backup")
}

/// A leaf that was read.
#[derive(Debug)]
pub struct LeafPage<'r> {
    /// The page.
    pub page: PageRef<'r>,
    /// It does not fit where the tree has it.
    pub doubt: Option<LostPage>,
}

/// Reads leaves of one tree from the file, past the cache: each is wanted once.
#[derive(Debug)]
pub struct LeafReader<'a> {
    cache: &'a PageCache,
    tree: TreeView,
    clean: bool,
    page: Vec<u8>,
}

impl<'a> LeafReader<'a> {
    pub(super) fn new(cache: &'a PageCache, tree: TreeView) -> LeafReader<'a> {
        let page = vec![0; cache.page_size().bytes()];
        LeafReader { cache, tree, clean: is_clean(cache), page }
    }

    /// Reads a leaf, verifies it, repairs single flipped bits in memory, and compares it with its
    /// place in the tree.
    ///
    /// # Errors
    /// Why it cannot be used, with what it held, as far as one can tell.
    pub fn read(&mut self, leaf: &Leaf) -> std::result::Result<LeafPage<'_>, LostPage> {
        let pgno = leaf.pgno;
        match self.try_read(pgno).and_then(|()| self.compare(leaf)) {
            Ok(doubt) => {
                let doubt = doubt.map(|error| {
                    let error = error.at_path(self.cache.file().path()).at_page(pgno);
                    LostPage {
                        pgno,
                        inner: false,
                        rows: self.rows_there(&error),
                        given: true,
                        error,
                    }
                });
                Ok(LeafPage { page: PageRef::new(&self.page, self.cache.page_size()), doubt })
            }
            Err(error) => {
                let error = error.at_path(self.cache.file().path()).at_page(pgno);
                let rows = self.rows_there(&error);
                Err(LostPage { pgno, inner: false, rows, given: false, error })
            }
        }
    }

    /// Is a leaf the one that the tree has there? `Some`: a doubt.
    fn compare(&self, leaf: &Leaf) -> Result<Option<Error>> {
        let Some(Place { bounds, prev, next }) = &leaf.place else { return Ok(None) };
        let page = PageRef::new(&self.page, self.cache.page_size());
        if !bounds.hold_leaf(page) {
            return if self.clean {
                Err(misplaced(leaf.pgno))
            } else {
                Ok(Some(misplaced(leaf.pgno)))
            };
        }
        let other = |link: Pgno, known: Option<Pgno>| known.is_some_and(|known| known != link);
        if !self.clean || !(other(page.prev(), *prev) || other(page.next(), *next)) {
            return Ok(None);
        }
        let number = |pgno: Option<Pgno>| pgno.map_or("?".to_owned(), |pgno| pgno.to_string());
        let what = format!(
            "the leaf leads to pages {} and {}, the tree has it between {} and {}",
            page.prev(),
            page.next(),
            number(*prev),
            number(*next)
        );
        Ok(Some(
            Error::new(JetErr::BadPageLink, what)
                .advise("run a verification of the database; restore it from a backup"),
        ))
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
        self.tree.expect_root_flag(page, pgno)?;
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
