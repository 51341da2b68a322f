//! Who owns which pages of a database that nobody has attached.

use std::path::Path;

use ese_base::{ObjId, Pgno, Result, StopToken};
use ese_engine::{
    reader::OfflineDatabase,
    schema::{TableSchema, TreeInfo, TreeRole},
    space::{
        check::{check_until, trees_of, usage},
        extent::Extent,
    },
    tree::TreeView,
};
use ese_os::Env;
use ese_pages::PageRef;

/// A tree and its pages. Counts are pages, and of this tree alone: what it gave to the trees inside
/// it is theirs.
#[derive(Clone, Debug)]
pub struct TreeSpace {
    /// Name of the table; of the database: empty.
    pub table: String,
    /// Name of the index, for indexes.
    pub index: Option<String>,
    /// What it is.
    pub role: TreeRole,
    /// Its root.
    pub root: Pgno,
    /// Its object.
    pub objid: ObjId,
    /// Pages that are its own, used or not.
    pub owned: u32,
    /// Pages that hold its entries.
    pub used: u32,
    /// Pages of its space trees.
    pub space: u32,
    /// Pages that it has and does not use.
    pub available: u32,
    /// Pages that are nobody's although it owns them: wasted until the database is compacted.
    pub leaked: u32,
    /// Levels.
    pub depth: usize,
    /// Leaves.
    pub leaves: u32,
    /// Living entries.
    pub entries: u64,
    /// Entries that are only marked as deleted.
    pub deleted: u64,
    /// How full its leaves are, in per cent of their room.
    pub fill_pct: u32,
    /// What is wrong with it.
    pub problems: usize,
}

impl TreeSpace {
    /// Nothing is counted yet.
    fn new(table: &str, tree: &TreeInfo<'_>) -> TreeSpace {
        TreeSpace {
            table: table.to_owned(),
            index: tree.index.map(|index| index.name.clone()),
            role: tree.role,
            root: tree.fdp,
            objid: tree.objid,
            owned: 0,
            used: 0,
            space: 0,
            available: 0,
            leaked: 0,
            depth: 0,
            leaves: 0,
            entries: 0,
            deleted: 0,
            fill_pct: 0,
            problems: 0,
        }
    }
}

/// What a page is for its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageUse {
    /// Behind what the database owns.
    Beyond,
    /// It holds entries.
    Used,
    /// It belongs to a space tree.
    Space,
    /// It is available.
    Available,
    /// It is lost.
    Leaked,
}

/// The pages of a database.
#[derive(Debug)]
pub struct SpaceMap {
    /// Bytes of a page.
    pub page_size: u32,
    /// Pages of the file.
    pub pages: u32,
    /// Every tree, the database first, each table before what is inside it.
    pub trees: Vec<TreeSpace>,
    /// What is wrong, in words.
    pub problems: Vec<String>,
    /// For each page from 1 on: its tree's place in `trees`, and what it is.
    map: Vec<(u32, PageUse)>,
}

impl SpaceMap {
    /// A page's tree, as its place in [`SpaceMap::trees`], and what it is to it.
    #[must_use]
    pub fn of_page(&self, pgno: Pgno) -> Option<(usize, PageUse)> {
        let at = usize::try_from(pgno.0).ok()?.checked_sub(1)?;
        let (tree, page) = *self.map.get(at)?;
        Some((usize::try_from(tree).ok()?, page))
    }
}

/// Looks at every tree of a database and at what each owns. Holds some bytes for each page. A
/// database that is not clean is read as it stands if `as_is`.
///
/// # Errors
/// As [`OfflineDatabase::open`]; `JET_errClientRequestToStopJetService` (-1329) if stopped. Those
/// of damaged roots are among [`SpaceMap::problems`].
pub fn space_map(env: &Env, path: &Path, as_is: bool, stop: &StopToken) -> Result<SpaceMap> {
    let database = OfflineDatabase::open_for(env, path, as_is)?;
    let views = trees_of(database.tables());
    let found = check_until(database.cache(), &views, database.clock_max(), stop)?;
    let file = database.cache().file();
    let pages = file.page_count();
    let mut trees = names(database.tables());
    let mut map = vec![(0_u32, PageUse::Beyond); usize::try_from(pages).unwrap_or(0)];
    let mut problems: Vec<String> = found.problems.iter().map(ToString::to_string).collect();
    for (name, losses) in database.catalog_losses() {
        let pages = losses.pages.iter().map(|lost| &lost.error);
        let told = pages.chain(&losses.rows).map(|error| format!("{name} is lost: {error}"));
        problems.extend(told);
    }
    let mut available = Vec::new();
    for (at, view) in views.iter().enumerate() {
        stop.check()?;
        match usage(database.cache(), view) {
            Ok(usage) => {
                // The database owns all; whoever comes later is further inside.
                usage.owned.iter().for_each(|run| fill(&mut map, run, at, PageUse::Space));
                available.push(usage.available);
            }
            Err(error) => {
                problems.push(error.to_string());
                available.push(Vec::new());
            }
        }
    }
    for (at, runs) in available.iter().enumerate() {
        runs.iter().for_each(|run| fill(&mut map, run, at, PageUse::Available));
    }
    for (at, tree) in found.trees.iter().enumerate() {
        for pgno in &tree.pages {
            fill(&mut map, &Extent { first: *pgno, pages: 1 }, at, PageUse::Used);
        }
    }
    for run in &found.leaked {
        for page in
            map.iter_mut().skip(index(run.first)).take(usize::try_from(run.pages).unwrap_or(0))
        {
            page.1 = PageUse::Leaked;
        }
    }
    for (at, (tree, report)) in trees.iter_mut().zip(&found.trees).enumerate() {
        stop.check()?;
        let view = views.get(at);
        (tree.depth, tree.leaves) = (report.depth, report.leaves);
        (tree.entries, tree.deleted) = (report.entries, report.deleted);
        tree.problems = report.problems.len();
        tree.fill_pct = view.map_or(0, |view| fill_pct(&database, view, &report.pages));
    }
    count(&map, &mut trees);
    Ok(SpaceMap { page_size: database.page_size().bytes_u32(), pages, trees, problems, map })
}

/// The trees in the order of [`trees_of`].
fn names(tables: &[TableSchema]) -> Vec<TreeSpace> {
    let mut trees = vec![TreeSpace::new("", &TreeInfo::DATABASE_ROOT)];
    for table in tables {
        trees.extend(table.trees().map(|tree| TreeSpace::new(&table.name, &tree)));
    }
    trees
}

fn index(pgno: Pgno) -> usize {
    usize::try_from(pgno.0).unwrap_or(usize::MAX).saturating_sub(1)
}

fn fill(map: &mut [(u32, PageUse)], run: &Extent, tree: usize, page_use: PageUse) {
    let tree = u32::try_from(tree).unwrap_or(u32::MAX);
    let pages = usize::try_from(run.pages).unwrap_or(0);
    for page in map.iter_mut().skip(index(run.first)).take(pages) {
        *page = (tree, page_use);
    }
}

fn count(map: &[(u32, PageUse)], trees: &mut [TreeSpace]) {
    for (tree, page_use) in map {
        let at = usize::try_from(*tree).unwrap_or(usize::MAX);
        let Some(tree) = trees.get_mut(at) else { continue };
        tree.owned += u32::from(*page_use != PageUse::Beyond);
        match page_use {
            PageUse::Beyond => {}
            PageUse::Used => tree.used += 1,
            PageUse::Space => tree.space += 1,
            PageUse::Available => tree.available += 1,
            PageUse::Leaked => tree.leaked += 1,
        }
    }
}

/// How full the leaves of a tree are.
fn fill_pct(database: &OfflineDatabase, view: &TreeView, pages: &[Pgno]) -> u32 {
    let (mut room, mut free) = (0_u64, 0_u64);
    for pgno in pages {
        let Ok(guard) = database.cache().read(*pgno) else { continue };
        let page: PageRef<'_> = guard.page();
        if page.is_leaf() && page.objid() == view.objid {
            room += (page.size().bytes() - page.size().header_len()) as u64;
            free += page.free_bytes() as u64;
        }
    }
    u32::try_from((room.saturating_sub(free) * 100).checked_div(room).unwrap_or(0)).unwrap_or(100)
}
