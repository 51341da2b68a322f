//! Checking who owns what: every page of the database has exactly one use (edb-format 11, 12 to
//! 15).

use std::{borrow::Borrow, collections::HashMap, iter, ops::ControlFlow, sync::Arc};

use ese_base::{DbTime, Error, JetErr, Pgno, Result, StopToken};
use ese_pages::{CacheMode, CacheOptions, DbFile, PageCache};

use super::{extent::Extent, header::SpaceHeader};
use crate::{
    schema::{TableSchema, TreeInfo},
    tree::{
        Direction, Position, Start, TreeView,
        check::{TreeReport, check_until as check_tree},
        scan,
    },
};

/// What a check of a database's trees and their space found.
#[derive(Debug, Default)]
pub struct SpaceReport {
    /// One report per tree, in the order they were named.
    pub trees: Vec<TreeReport>,
    /// Pages that are owned, but neither used nor available. A crash can leave some; they are
    /// wasted, nothing is wrong with them.
    pub leaked: Vec<Extent>,
    /// Pages of the file that no tree uses: free ones, leaked ones, and those behind the last page
    /// that the database owns. What is in them is nobody's row.
    pub unused: Vec<Extent>,
    /// Pages that the database root owns.
    pub owned: u32,
    /// Of these, available ones.
    pub available: u32,
    /// What is wrong, with page and code: damaged trees and contradictions about space.
    pub problems: Vec<Error>,
}

/// What the owner of a page says of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Nothing,
    Free,
    Used,
}

/// What is known of one tree.
struct Owner {
    view: TreeView,
    parent: Pgno,
    owned: Vec<Extent>,
    available: Vec<Extent>,
    space_pages: Vec<Pgno>,
}

/// All trees that a catalog tells of, the database root first.
#[must_use]
pub fn trees_of<T: Borrow<TableSchema>>(tables: &[T]) -> Vec<TreeView> {
    let tables = tables.iter().flat_map(|table| table.borrow().trees());
    iter::once(TreeInfo::DATABASE_ROOT).chain(tables).map(|tree| tree.view()).collect()
}

/// Checks every tree of a database and its space. `trees` names all trees that own space, among
/// them the database root. The database must not change meanwhile.
#[must_use]
pub fn check(cache: &PageCache, trees: &[TreeView], dbtime_max: DbTime) -> SpaceReport {
    // Nobody stops this token, and nothing else is an error.
    check_until(cache, trees, dbtime_max, &StopToken::new()).unwrap_or_default()
}

/// As [`check`], until somebody stops it.
///
/// # Errors
/// `JET_errClientRequestToStopJetService` (-1329) if stopped between two pages. Everything else is
/// a finding.
pub fn check_until(
    cache: &PageCache,
    trees: &[TreeView],
    dbtime_max: DbTime,
    stop: &StopToken,
) -> Result<SpaceReport> {
    let mut report = SpaceReport::default();
    let mut owners = Vec::new();
    for view in trees {
        let tree = check_tree(cache, view, dbtime_max, stop)?;
        report.trees.push(tree);
        match read_owner(cache, view, dbtime_max, stop, &mut report.problems) {
            Ok(owner) => owners.push(Some(owner)),
            Err(error) => {
                stop.check()?;
                report.problems.push(error);
                owners.push(None);
            }
        }
    }
    let mut map = Map::new(&owners, cache, &mut report);
    map.assign(&owners, &mut report);
    map.judge(&owners, &mut report);
    report.unused = map.unused(cache.file().page_count());
    for tree in &mut report.trees {
        report.problems.append(&mut tree.problems);
    }
    Ok(report)
}

fn read_owner(
    cache: &PageCache,
    view: &TreeView,
    dbtime_max: DbTime,
    stop: &StopToken,
    problems: &mut Vec<Error>,
) -> Result<Owner> {
    let header = {
        let root = cache.read(view.root)?;
        SpaceHeader::decode(root.page().external_header(), view.root)?
    };
    let mut owner = Owner {
        view: *view,
        parent: header.parent,
        owned: Vec::new(),
        available: Vec::new(),
        space_pages: Vec::new(),
    };
    if !header.is_multiple() {
        let primary = Extent::new(view.root, header.pages).ok_or_else(|| {
            Error::new(JetErr::SPOwnExtCorrupted, "an extent without pages").at_page(view.root)
        })?;
        owner.available = primary.free_runs(header.last);
        owner.owned.push(primary);
        return Ok(owner);
    }
    for (root, extents) in
        [(header.pgno_oe(), &mut owner.owned), (header.pgno_ae(), &mut owner.available)]
    {
        let space = view.space_tree(root);
        let mut tree = check_tree(cache, &space, dbtime_max, stop)?;
        problems.append(&mut tree.problems);
        owner.space_pages.append(&mut tree.pages);
        *extents = read_extents(cache, &space)?;
    }
    Ok(owner)
}

/// What a tree owns, and what of it is free. The trees inside it have their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpaceUsage {
    /// All its extents.
    pub owned: Vec<Extent>,
    /// Those that nobody uses.
    pub available: Vec<Extent>,
}

impl SpaceUsage {
    /// Pages that it owns.
    #[must_use]
    pub fn owned_pages(&self) -> u64 {
        pages_of(&self.owned)
    }

    /// Pages that are free.
    #[must_use]
    pub fn available_pages(&self) -> u64 {
        pages_of(&self.available)
    }
}

fn pages_of(extents: &[Extent]) -> u64 {
    extents.iter().map(|extent| u64::from(extent.pages)).sum()
}

/// What a tree owns at the moment.
///
/// # Errors
/// The page cache's, and codes of a damaged space tree.
pub fn usage(cache: &PageCache, view: &TreeView) -> Result<SpaceUsage> {
    let header = {
        let root = cache.read(view.root)?;
        SpaceHeader::decode(root.page().external_header(), view.root)?
    };
    if !header.is_multiple() {
        let primary = Extent::new(view.root, header.pages).ok_or_else(|| {
            Error::new(JetErr::SPOwnExtCorrupted, "an extent without pages").at_page(view.root)
        })?;
        let available = primary.free_runs(header.last);
        return Ok(SpaceUsage { owned: vec![primary], available });
    }
    Ok(SpaceUsage {
        owned: read_extents(cache, &view.space_tree(header.pgno_oe()))?,
        available: read_extents(cache, &view.space_tree(header.pgno_ae()))?,
    })
}

/// The last page that a database owns, as its file stands.
///
/// # Errors
/// As [`usage`]; `JET_errFileIOBeyondEOF` (-4001) where the file ends before what says so.
pub fn last_owned(file: DbFile) -> Result<Pgno> {
    let mut options = CacheOptions::for_memory(1 << 20, file.page_size());
    options.mode = CacheMode::Copy;
    last_owned_in(&PageCache::new(Arc::new(file), options)?)
}

/// As [`last_owned`], of a file that has a cache.
pub(crate) fn last_owned_in(cache: &PageCache) -> Result<Pgno> {
    let owned = usage(cache, &TreeInfo::DATABASE_ROOT.view())?.owned;
    Ok(owned.iter().map(Extent::last).max().unwrap_or(Pgno::DATABASE_ROOT))
}

/// All extents of a space tree, also those of pools that are not ours to take from.
pub(super) fn read_extents(cache: &PageCache, view: &TreeView) -> Result<Vec<Extent>> {
    let mut extents = Vec::new();
    let mut error = None;
    let mut position = Position::default();
    scan(cache, view, Start::End, Direction::Forward, &mut position, |node| {
        if node.is_deleted() {
            return ControlFlow::Continue(());
        }
        match Extent::decode_any_pool(&node, view.root) {
            Ok(found) => extents.extend(found.map(|(_, extent)| extent)),
            Err(damage) => error = Some(damage),
        }
        ControlFlow::Continue(())
    })?;
    error.map_or(Ok(extents), Err)
}

/// One entry per page of the database.
struct Map {
    /// The innermost owner: index into the list of owners, plus one; 0 for none.
    owner: Vec<u32>,
    uses: Vec<Use>,
}

impl Map {
    fn new(owners: &[Option<Owner>], cache: &PageCache, report: &mut SpaceReport) -> Map {
        let known = owners.iter().flatten();
        let last = known.flat_map(|owner| &owner.owned).map(|extent| extent.last().0).max();
        let pages = cache.file().page_count();
        let last = last.unwrap_or(0);
        if last > pages {
            report.problems.push(
                Error::new(
                    JetErr::SPOwnExtCorrupted,
                    format!("page {last} is owned, but the file ends with page {pages}"),
                )
                .at_page(Pgno(last)),
            );
        }
        // Index 0 is no page.
        let len = usize::try_from(last.min(pages)).unwrap_or(0) + 1;
        Map { owner: vec![0; len], uses: vec![Use::Nothing; len] }
    }

    /// The pages of an extent that lie in the file.
    fn pages(&self, extent: &Extent) -> std::ops::Range<usize> {
        let index = |pgno: u32| usize::try_from(pgno).unwrap_or(usize::MAX).min(self.owner.len());
        index(extent.first.0)..index(extent.last().0.saturating_add(1))
    }

    /// Gives every page to its innermost owner, outer owners first.
    fn assign(&mut self, owners: &[Option<Owner>], report: &mut SpaceReport) {
        let by_root: HashMap<Pgno, usize> = owners
            .iter()
            .enumerate()
            .filter_map(|(index, owner)| Some((owner.as_ref()?.view.root, index)))
            .collect();
        let depth = |mut index: usize| {
            let mut depth = 0_usize;
            // A cycle of parents ends when it is longer than the list.
            while let Some(owner) = owners.get(index).and_then(Option::as_ref)
                && depth <= owners.len()
                && let Some(&parent) = by_root.get(&owner.parent)
            {
                index = parent;
                depth += 1;
            }
            depth
        };
        let mut order: Vec<(usize, usize)> =
            by_root.values().map(|&index| (depth(index), index)).collect();
        order.sort_unstable();
        for (_, index) in order {
            let Some(owner) = owners.get(index).and_then(Option::as_ref) else { continue };
            let expected = by_root.get(&owner.parent).map_or(0, |&parent| number(parent));
            for extent in &owner.owned {
                let range = self.pages(extent);
                let outer = self.owner.get_mut(range).unwrap_or_default();
                if outer.iter().any(|&outer| outer != expected) {
                    report.problems.push(overlap(owner, extent));
                }
                outer.fill(number(index));
            }
        }
    }

    /// Every page has one use, by its owner.
    fn judge(&mut self, owners: &[Option<Owner>], report: &mut SpaceReport) {
        for (index, owner) in owners.iter().enumerate() {
            let Some(owner) = owner else { continue };
            for extent in &owner.available {
                // Those behind the end of the file are a finding of their own.
                report.available += u32::try_from(self.pages(extent).len()).unwrap_or(u32::MAX);
                self.claim(owner, index, *extent, Use::Free, report);
            }
            let tree_pages = report.trees.get(index).map(|tree| tree.pages.clone());
            for pgno in tree_pages.unwrap_or_default().iter().chain(&owner.space_pages) {
                let page = Extent { first: *pgno, pages: 1 };
                self.claim(owner, index, page, Use::Used, report);
            }
        }
        for (index, (owner, state)) in self.owner.iter().zip(&self.uses).enumerate() {
            if *owner == 0 {
                continue;
            }
            report.owned += 1;
            if *state != Use::Nothing {
                continue;
            }
            let pgno = Pgno(u32::try_from(index).unwrap_or(0));
            add_to_runs(&mut report.leaked, pgno);
        }
    }

    /// The pages up to this one that no tree uses.
    fn unused(&self, last: u32) -> Vec<Extent> {
        let mut runs = Vec::new();
        for pgno in 1..=last {
            let state = usize::try_from(pgno).ok().and_then(|index| self.uses.get(index));
            if state != Some(&Use::Used) {
                add_to_runs(&mut runs, Pgno(pgno));
            }
        }
        runs
    }

    fn claim(
        &mut self,
        owner: &Owner,
        index: usize,
        extent: Extent,
        new: Use,
        report: &mut SpaceReport,
    ) {
        let range = self.pages(&extent);
        let foreign = self
            .owner
            .get(range.clone())
            .is_none_or(|owners| owners.iter().any(|&owner| owner != number(index)));
        let uses = self.uses.get_mut(range).unwrap_or_default();
        let taken = uses.iter().any(|&state| state != Use::Nothing);
        uses.fill(new);
        if !foreign && !taken {
            return;
        }
        let what = if new == Use::Free { "available" } else { "in use" };
        let why = if foreign { "they belong to another tree" } else { "they have another use" };
        report.problems.push(
            Error::new(
                JetErr::SPAvailExtCorrupted,
                format!(
                    "pages {} to {} are {what} for the tree with root {}, but {why}",
                    extent.first,
                    extent.last(),
                    owner.view.root
                ),
            )
            .at_page(extent.first),
        );
    }
}

/// Pages come in ascending order.
fn add_to_runs(runs: &mut Vec<Extent>, pgno: Pgno) {
    match runs.last_mut() {
        Some(run) if run.last().0 + 1 == pgno.0 => run.pages += 1,
        _ => runs.push(Extent { first: pgno, pages: 1 }),
    }
}

/// How an owner stands in the map.
fn number(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap_or(u32::MAX)
}

fn overlap(owner: &Owner, extent: &Extent) -> Error {
    Error::new(
        JetErr::SPOwnExtCorrupted,
        format!(
            "pages {} to {} are owned by the tree with root {}, but not all by its parent {} \
             alone before",
            extent.first,
            extent.last(),
            owner.view.root,
            owner.parent
        ),
    )
    .at_page(extent.first)
}
