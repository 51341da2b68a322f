//! Space: which pages a tree owns and which of them are free (edb-format 5).
//!
//! The database root owns every page; a table gets extents from the root, its indexes and long
//! values get theirs from the table. A tree in one extent keeps a bitmap in its root page; it is
//! converted when that is used up. Then, and in larger trees from the start, two small B+ trees
//! list the *owned* extents (OE) and the *available* ones (AE). Pages are taken from the front of
//! an available extent.
//!
//! Changes of space are logged, but belong to no transaction: they are not undone. Their order is
//! such that a crash between two of them can only leak pages, never give a page to two owners:
//! pages leave one list before they enter the next.
//!
//! The space trees split too. The pages for that come from what is at hand: for the owned extents
//! from the front of the extent that is being added, for the available ones from another available
//! extent. So nothing here ever allocates for itself. What they free when they shrink becomes
//! available like any other page. An extent that is wholly free goes back to the parent, but for
//! the first one, which holds the root, and the one that holds the roots of the space trees.
//!
//! Locks: a tree's space lock, then its parent's, up to the root; page latches only under them.

pub mod check;
mod create;
pub mod extent;
pub mod header;
pub(crate) mod lost;
mod resize;

#[cfg(test)]
mod tests;

use std::{ops::ControlFlow, sync::Arc};

use ese_base::{Error, ErrorKind, JetErr, Pgno, ProcId, RceId, Result};
use ese_log::records::{FreeFdp, Record, SetExternalHeader};
use ese_pages::Node;
use parking_lot::MutexGuard;

use self::{
    extent::{Extent, extent_key},
    header::{SINGLE_EXTENT_BITS, SpaceFlags, SpaceHeader},
};
use crate::{
    database::Database,
    op::Undone,
    tree::{
        Direction, Op, PageSource, Position, Room, Spare, Start, Target, TreeHandle, TreeKind,
        Unversioned, Writer, change_leaf, insert_on, leaf_for_write, log_and_apply, pages_needed,
        remove, scan, set_data, split_space_leaf,
    },
};

pub use create::{create_database_root, create_multiple, create_single};
pub(crate) use resize::mend_owned;
pub use resize::{FileSize, file_size, grow_file, shrink_file};

/// The largest step in which trees and files grow, in bytes.
const GROWTH_BYTES_MAX: usize = 64 << 20;
/// The smallest step in which a file grows, in pages.
const FILE_GROWTH_MIN: u32 = 256;
/// The most trees above one that sound files have is two: the table's and the database root. What
/// has more than this leads round in a circle.
const ANCESTORS_MAX: usize = 8;

/// Takes one page of the tree's space; the tree gets more space if it has none.
///
/// # Errors
/// `JET_errDiskFull` (-1808); the codes of damaged space trees (-341, -343); the page cache's and
/// the log's.
pub fn allocate_page(db: &Database, tree: &TreeHandle, writer: Writer) -> Result<Pgno> {
    Ok(Space::lock(db, tree, writer)?.obtain(1, 1)?.first)
}

/// Takes several pages, not necessarily neighbours.
pub(crate) fn allocate_pages(
    db: &Database,
    tree: &TreeHandle,
    writer: Writer,
    count: usize,
    to: &mut Spare,
) -> Result<()> {
    let mut space = Space::lock(db, tree, writer)?;
    for _ in 0..count {
        to.push(space.obtain(1, 1)?.first);
    }
    Ok(())
}

/// Gives one page back to the tree's space. Nobody may reach it any more.
///
/// # Errors
/// As [`allocate_page`]; `JET_errSPAvailExtCorrupted` (-341) if it is free already.
pub fn free_page(db: &Database, tree: &TreeHandle, writer: Writer, pgno: Pgno) -> Result<()> {
    Space::lock(db, tree, writer)?.give(Extent { first: pgno, pages: 1 })
}

/// Gives all extents of a tree back to its parent. Nobody may use the tree any more; the caller
/// has given back its children's space, or gives back that of a whole table at once.
///
/// # Errors
/// As [`free_page`].
pub fn free_fdp(db: &Database, tree: &TreeHandle, writer: Writer) -> Result<()> {
    note_freed(db, tree.fdp, writer)?;
    let space = Space::lock(db, tree, writer)?;
    let Some(parent) = space.parent()? else {
        return Err(Error::new(JetErr::InternalError, "the database root cannot be freed"));
    };
    let owned = space.owned()?;
    let mut parent = Space::lock(db, &parent, writer)?;
    owned.into_iter().try_for_each(|extent| parent.give(extent))
}

/// Tells the log that a tree goes: recovery must not look for its entries any more, because its
/// pages may be in use elsewhere. To be called for the trees inside a freed one as well.
///
/// # Errors
/// The log's.
pub(crate) fn note_freed(db: &Database, fdp: Pgno, writer: Writer) -> Result<()> {
    let record =
        FreeFdp { dbid: db.dbid, pgno_fdp: fdp, trx_committed: writer.trx, kind: 0, more: &[] };
    db.append(&Record::FreeFdp(record)).map(|_| ())
}

/// The last page that the database owns. A file may go on behind it with pages that mean nothing.
///
/// # Errors
/// The page cache's; `JET_errSPOwnExtCorrupted` (-343).
pub fn last_owned(db: &Database) -> Result<Pgno> {
    let root = handle_of(db, Pgno::DATABASE_ROOT)?;
    let root = root.ok_or_else(|| Error::code_only(JetErr::InternalError))?;
    let writer = Writer::system(ProcId(0));
    let owned = Space::lock(db, &root, writer)?.owned()?;
    Ok(owned.last().map_or(Pgno::NULL, Extent::last))
}

/// The tree that a tree got its space from; `None` for the database root.
///
/// # Errors
/// The page cache's; `JET_errSPOwnExtCorrupted` (-343).
pub fn parent_of(db: &Database, tree: &TreeHandle) -> Result<Option<Arc<TreeHandle>>> {
    handle_of(db, read_header(db, tree)?.parent)
}

fn handle_of(db: &Database, fdp: Pgno) -> Result<Option<Arc<TreeHandle>>> {
    if fdp.is_null() {
        return Ok(None);
    }
    let root = db.cache.read(fdp)?;
    // Whoever opens the table itself says how densely its leaves are filled; the flags are enough
    // for its space.
    let kind = TreeKind::of_flags(root.page().flags(), TreeKind::TABLE.density_pct);
    let objid = root.page().objid();
    drop(root);
    Ok(Some(db.tree(fdp, objid, kind)))
}

fn read_header(db: &Database, tree: &TreeHandle) -> Result<SpaceHeader> {
    let root = db.cache.read(tree.fdp)?;
    SpaceHeader::decode(root.page().external_header(), tree.fdp)
}

/// Do the parents of a tree end at one without a parent? They are read without their locks: no
/// tree ever changes its parent.
fn check_ancestors(db: &Database, fdp: Pgno, parent: Pgno) -> Result<()> {
    let mut above = parent;
    for _ in 0..ANCESTORS_MAX {
        if above.is_null() {
            return Ok(());
        }
        if above == fdp {
            break;
        }
        let root = db.cache.read(above)?;
        above = SpaceHeader::decode(root.page().external_header(), above)?.parent;
    }
    Err(circle_of_parents(fdp, parent))
}

#[cold]
fn circle_of_parents(fdp: Pgno, parent: Pgno) -> Error {
    let told =
        format!("the tree gets its space from page {parent}, whose parents lead in a circle");
    Error::new(JetErr::SPOwnExtCorrupted, told).at_page(fdp)
}

/// A tree's space, locked.
struct Space<'a> {
    db: &'a Database,
    tree: &'a TreeHandle,
    writer: Writer,
    header: SpaceHeader,
    _lock: MutexGuard<'a, ()>,
}

/// Pages for splits of the owned-extents tree: from the front of the extent that is added to it.
struct FrontOf<'e> {
    extent: &'e mut Option<Extent>,
    unused: Spare,
}

impl PageSource for FrontOf<'_> {
    fn take(&mut self, count: usize, to: &mut Spare) -> Result<()> {
        for _ in 0..count {
            let Some(extent) = *self.extent else { return Err(no_page_at_hand()) };
            to.push(extent.first);
            *self.extent = extent.without_front(1);
        }
        Ok(())
    }

    fn give_back(&mut self, pages: &[Pgno]) -> Result<()> {
        self.unused.extend_from_slice(pages);
        Ok(())
    }
}

/// Pages for a split that were taken beforehand, or that a merge has freed.
#[derive(Default)]
struct AtHand {
    pages: Spare,
}

impl PageSource for AtHand {
    fn take(&mut self, count: usize, to: &mut Spare) -> Result<()> {
        for _ in 0..count {
            to.push(self.pages.pop().ok_or_else(no_page_at_hand)?);
        }
        Ok(())
    }

    fn give_back(&mut self, pages: &[Pgno]) -> Result<()> {
        self.pages.extend_from_slice(pages);
        Ok(())
    }
}

/// What became of an extent that was joined with its neighbours.
enum Absorbed {
    /// It is listed as available.
    Done,
    /// It is to be listed.
    Rest(Extent),
    /// It is all of an owned extent, which the parent gets back.
    Whole(Extent),
}

#[cold]
fn no_page_at_hand() -> Error {
    Error::new(JetErr::OutOfDatabaseSpace, "a space tree must split, but no page is at hand")
}

impl<'a> Space<'a> {
    fn lock(db: &'a Database, tree: &'a TreeHandle, writer: Writer) -> Result<Space<'a>> {
        let lock = tree.space.lock();
        let header = read_header(db, tree)?;
        Ok(Space { db, tree, writer, header, _lock: lock })
    }

    fn op(&self, root: Pgno) -> Op<'a> {
        let view = self.tree.view().space_tree(root);
        Op { db: self.db, tree: self.tree, view, writer: self.writer, gate: &Unversioned }
    }

    /// The tree above, whose space may be locked next: the way up from it ends. Where a damaged
    /// header makes a tree its own ancestor, this thread would wait for a lock that it holds.
    fn parent(&self) -> Result<Option<Arc<TreeHandle>>> {
        check_ancestors(self.db, self.tree.fdp, self.header.parent)?;
        handle_of(self.db, self.header.parent)
    }

    /// The first extent of a tree in one extent.
    fn primary(&self) -> Result<Extent> {
        Extent::new(self.tree.fdp, self.header.pages).ok_or_else(|| {
            Error::new(JetErr::SPOwnExtCorrupted, "an extent without pages").at_page(self.tree.fdp)
        })
    }

    /// A run of `min` to `most` pages, if need be after the tree got more space.
    fn obtain(&mut self, min: u32, most: u32) -> Result<Extent> {
        let good = min.max(most.div_ceil(2));
        loop {
            if let Some(extent) = self.take(good, most)? {
                return Ok(extent);
            }
            match self.extend(most) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::Resource => {
                    return self.obtain_less(min, most)?.ok_or(error);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// There is no space for all of it: a smaller run is better than none, whether it is free
    /// already or the tree has to get it.
    fn obtain_less(&mut self, min: u32, most: u32) -> Result<Option<Extent>> {
        if let Some(extent) = self.take(min, most)? {
            return Ok(Some(extent));
        }
        if min == most {
            return Ok(None);
        }
        match self.extend(min) {
            Ok(()) => self.take(min, most),
            Err(error) if error.kind() == ErrorKind::Resource => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes a run of `min` to `most` pages from what is free.
    fn take(&mut self, min: u32, most: u32) -> Result<Option<Extent>> {
        if !self.header.is_multiple() {
            return self.take_from_bitmap(min, most);
        }
        let Some(extent) = self.find_available(min, most)? else { return Ok(None) };
        let mut freed = AtHand::default();
        let taken = self.shrink_available(extent, most, Some(&mut freed))?;
        self.give_pages(freed)?;
        Ok(Some(taken))
    }

    /// Pages that the space trees do not need any more become available.
    fn give_pages(&mut self, freed: AtHand) -> Result<()> {
        freed.pages.iter().try_for_each(|&first| self.give_available(Extent { first, pages: 1 }))
    }

    fn take_from_bitmap(&mut self, min: u32, most: u32) -> Result<Option<Extent>> {
        let primary = self.primary()?;
        let bitmap = Extent { pages: primary.pages.min(SINGLE_EXTENT_BITS + 1), ..primary };
        let runs = bitmap.free_runs(self.header.last);
        let Some(run) = runs.into_iter().find(|run| run.pages >= min) else { return Ok(None) };
        let taken = run.front(most);
        for pgno in taken.first.0..=taken.last().0 {
            self.header.last &= !(1 << (pgno - primary.first.0 - 1));
        }
        self.write_header()?;
        Ok(Some(taken))
    }

    /// The first available extent that has `most` pages, or else the largest that has `min`.
    fn find_available(&self, min: u32, most: u32) -> Result<Option<Extent>> {
        let mut best: Option<Extent> = None;
        self.each_extent(self.header.pgno_ae(), Start::End, |extent| {
            if extent.pages >= min && best.is_none_or(|best| best.pages < extent.pages) {
                best = Some(extent);
            }
            if extent.pages >= most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(best)
    }

    /// Takes up to `most` pages from the front of an available extent: its key, the last page,
    /// stays; its count drops.
    fn shrink_available(
        &self,
        extent: Extent,
        most: u32,
        freed: Option<&mut AtHand>,
    ) -> Result<Extent> {
        let taken = extent.front(most);
        let op = self.op(self.header.pgno_ae());
        match extent.without_front(taken.pages) {
            Some(rest) => set_data(&op, &rest.key(), &rest.data())?,
            None => remove(&op, &extent.key(), freed.map(|freed| freed as &mut dyn PageSource))?,
        }
        Ok(taken)
    }

    /// Visits the extents of a space tree in order of their pages.
    fn each_extent(
        &self,
        root: Pgno,
        start: Start<'_>,
        mut visit: impl FnMut(Extent) -> ControlFlow<()>,
    ) -> Result<()> {
        let view = self.tree.view().space_tree(root);
        let mut error = None;
        let each = |node: Node<'_>| {
            if node.is_deleted() {
                return ControlFlow::Continue(());
            }
            match Extent::decode(&node, root) {
                Ok(Some(extent)) => visit(extent),
                Ok(None) => ControlFlow::Continue(()),
                Err(damage) => {
                    error = Some(damage);
                    ControlFlow::Break(())
                }
            }
        };
        scan(&self.db.cache, &view, start, Direction::Forward, &mut Position::default(), each)?;
        error.map_or(Ok(()), Err)
    }

    /// The first extent of a space tree that ends at `pgno` or behind it.
    fn extent_from(&self, root: Pgno, pgno: Pgno) -> Result<Option<Extent>> {
        let mut found = None;
        let key = extent_key(pgno);
        self.each_extent(root, Start::At { key: &key, data: &[] }, |extent| {
            found = Some(extent);
            ControlFlow::Break(())
        })?;
        Ok(found)
    }

    /// All extents that the tree owns.
    fn owned(&self) -> Result<Vec<Extent>> {
        if !self.header.is_multiple() {
            return Ok(vec![self.primary()?]);
        }
        let mut owned = Vec::new();
        self.each_extent(self.header.pgno_oe(), Start::End, |extent| {
            owned.push(extent);
            ControlFlow::Continue(())
        })?;
        Ok(owned)
    }

    /// Puts free pages back. They must be owned and in use.
    fn give(&mut self, extent: Extent) -> Result<()> {
        if self.header.parent.is_null() {
            self.db.note_root_freed();
        }
        if self.header.is_multiple() {
            return self.give_available(extent);
        }
        let primary = self.primary()?;
        for pgno in extent.first.0..=extent.last().0 {
            let bit = pgno.checked_sub(primary.first.0 + 1).filter(|bit| *bit < primary.pages - 1);
            match bit {
                Some(bit) if bit < SINGLE_EXTENT_BITS && self.header.last >> bit & 1 == 0 => {
                    self.header.last |= 1 << bit;
                }
                _ => return Err(not_in_use(self.tree.fdp, extent)),
            }
        }
        self.write_header()
    }

    /// Adds to the available extents; neighbours in the same owned extent become one. What is free
    /// as a whole then goes back to the parent.
    fn give_available(&mut self, extent: Extent) -> Result<()> {
        self.add_available(extent, true)
    }

    /// Adds to the available extents; `may_go`: if a whole one is free, it goes to the parent.
    fn add_available(&mut self, extent: Extent, may_go: bool) -> Result<()> {
        let mut pending = vec![extent];
        while let Some(extent) = pending.pop() {
            let mut freed = AtHand::default();
            match self.absorb_neighbours(extent, may_go, &mut freed)? {
                Absorbed::Done => {}
                Absorbed::Rest(merged) => self.insert_available(merged, &mut pending)?,
                Absorbed::Whole(whole) => self.give_to_parent(whole, &mut freed)?,
            }
            pending.extend(freed.pages.iter().map(|&first| Extent { first, pages: 1 }));
        }
        Ok(())
    }

    /// An owned extent of which no page is in use or listed as available changes its owner.
    fn give_to_parent(&mut self, whole: Extent, freed: &mut AtHand) -> Result<()> {
        // Looked up first: where the parent cannot be had, the tree keeps the extent.
        let parent = self.parent()?;
        remove(&self.op(self.header.pgno_oe()), &whole.key(), Some(freed))?;
        let Some(parent) = parent else { return Ok(()) };
        Space::lock(self.db, &parent, self.writer)?.give(whole)
    }

    /// Joins an extent with available neighbours, which go before anything else changes, so that
    /// no page is ever listed twice.
    fn absorb_neighbours(
        &self,
        extent: Extent,
        may_go: bool,
        freed: &mut AtHand,
    ) -> Result<Absorbed> {
        let (oe, ae) = (self.header.pgno_oe(), self.header.pgno_ae());
        let owner = self
            .extent_from(oe, extent.first)?
            .filter(|owner| owner.contains(extent.first) && owner.contains(extent.last()))
            .ok_or_else(|| not_in_use(self.tree.fdp, extent))?;
        let right = self.extent_from(ae, extent.first)?;
        if right.is_some_and(|right| right.first <= extent.last()) {
            return Err(not_in_use(self.tree.fdp, extent));
        }
        let right = right
            .filter(|right| right.first.0 == extent.last().0 + 1 && owner.contains(right.first));
        let mut merged = extent;
        if extent.first > owner.first
            && let Some(left) = self.extent_from(ae, Pgno(extent.first.0 - 1))?
            && left.last().0 + 1 == extent.first.0
        {
            remove(&self.op(ae), &left.key(), Some(freed))?;
            merged = Extent { first: left.first, pages: left.pages + extent.pages };
        }
        // Is the extent all that its owner has there, and may that go?
        let may_go = may_go && !self.header.parent.is_null();
        let Some(right) = right else {
            let whole = may_go && merged == owner;
            return Ok(if whole { Absorbed::Whole(merged) } else { Absorbed::Rest(merged) });
        };
        let all = Extent { first: merged.first, pages: merged.pages + right.pages };
        if may_go && all == owner {
            remove(&self.op(ae), &right.key(), Some(freed))?;
            return Ok(Absorbed::Whole(all));
        }
        set_data(&self.op(ae), &right.key(), &all.data())?;
        Ok(Absorbed::Done)
    }

    /// Inserts an available extent. If the tree must split for it, the pages come from another
    /// available extent, which only shrinks; what the split does not need is left in `pending`.
    fn insert_available(&mut self, mut extent: Extent, pending: &mut Vec<Extent>) -> Result<()> {
        let op = self.op(self.header.pgno_ae());
        loop {
            let (key, data) = (extent.key(), extent.data());
            let target = Target::Entry { key: &key, data: &[] };
            let mut leaf = leaf_for_write(&self.db.cache, &op.view, &target)?;
            if let Room::Done(_) = insert_on(&op, &mut leaf, &key, &data)? {
                return Ok(());
            }
            drop(leaf);
            let mut source = AtHand::default();
            for _ in 0..pages_needed(&op, &key, &data)? {
                // The tree must keep its shape until it is split, so nothing is merged here.
                match self.find_available(1, 1)? {
                    Some(other) => {
                        source.pages.push(self.shrink_available(other, 1, None)?.first);
                    }
                    None => {
                        let rest = extent.without_front(1).ok_or_else(no_page_at_hand)?;
                        source.pages.push(extent.first);
                        extent = rest;
                    }
                }
            }
            split_space_leaf(&op, &key, &mut source)?;
            let unused = source.pages.iter().map(|&first| Extent { first, pages: 1 });
            pending.extend(unused);
        }
    }

    /// Gets more space: at least `pages` in a row.
    fn extend(&mut self, pages: u32) -> Result<()> {
        let Some(parent) = self.parent()? else { return self.grow_file(pages) };
        if !self.header.is_multiple() {
            return self.convert(&parent, pages);
        }
        let wanted = pages.max(self.growth()?);
        let extent = Space::lock(self.db, &parent, self.writer)?.obtain(pages, wanted)?;
        self.add_owned(extent)?;
        self.header.flags |= SpaceFlags::LAST_ALLOC;
        self.header.pages = extent.pages;
        self.write_header()
    }

    /// How many pages to ask for: what is wished for the tree, or enough that the list of extents
    /// stays short, not so many that much lies idle.
    fn growth(&self) -> Result<u32> {
        if let Some(growth) = self.tree.growth() {
            return Ok(growth.next(self.header.pages));
        }
        let owned: u32 = self.owned()?.iter().map(|extent| extent.pages).sum();
        Ok(growth_step(owned, self.db.page_size().bytes()))
    }

    /// Lists a new extent as owned, then as available.
    fn add_owned(&mut self, extent: Extent) -> Result<()> {
        let mut rest = Some(extent);
        let mut source = FrontOf { extent: &mut rest, unused: Spare::new() };
        let op = self.op(self.header.pgno_oe());
        let mut position = Position::default();
        change_leaf(&op, &extent.key(), &extent.data(), &mut position, &mut source)?;
        let unused: Spare = source.unused;
        let mut pending: Vec<Extent> =
            unused.iter().map(|&first| Extent { first, pages: 1 }).collect();
        pending.extend(rest);
        // What was just asked for does not go back at once.
        pending.into_iter().try_for_each(|extent| self.add_available(extent, false))
    }

    /// The database root grows by growing the file. The file is longer first: pages behind the
    /// owned ones mean nothing, so a crash in between does no harm.
    fn grow_file(&mut self, pages: u32) -> Result<()> {
        let owned = self.owned()?;
        let last = owned.iter().map(Extent::last).max().unwrap_or(Pgno::NULL);
        let step = growth_step(last.0, self.db.page_size().bytes());
        let step = step.max(FILE_GROWTH_MIN).max(pages);
        let step = self.db.pages_allowed(last, pages, step)?;
        self.grow_file_by(last, step)
    }

    /// Writes the space header into the root page.
    fn write_header(&mut self) -> Result<()> {
        edit_external(self.db, self.tree, self.writer, |external| {
            self.header.store(external, self.tree.fdp)
        })
    }
}

/// Changes the external header of a tree's root page.
pub(crate) fn edit_external(
    db: &Database,
    tree: &TreeHandle,
    writer: Writer,
    edit: impl FnOnce(&mut Vec<u8>) -> Result<()>,
) -> Result<()> {
    let op = Op { db, tree, view: tree.view(), writer, gate: &Unversioned };
    let mut root = db.cache.write(tree.fdp)?;
    let mut external = root.page().external_header().to_vec();
    edit(&mut external)?;
    let (dbtime, before) = (db.next_dbtime(), root.page().dbtime());
    let page = op.page_head(tree.fdp, 0, dbtime, before, false);
    let node = op.node_head(page, RceId::default());
    let record = Record::SetExternalHeader(SetExternalHeader { node, data: &external });
    log_and_apply(db, &mut root, &record, dbtime, Undone::Nothing)
}

/// Up to where a tree's root has given numbers to rows; `None`: the root does not say.
pub(crate) fn reserved_numbers(db: &Database, tree: &TreeHandle) -> Result<Option<u64>> {
    Ok(header::highest_number(db.cache.read(tree.fdp)?.page().external_header()))
}

/// Gives numbers up to this one.
pub(crate) fn reserve_numbers(
    db: &Database,
    tree: &TreeHandle,
    writer: Writer,
    upto: u64,
) -> Result<()> {
    edit_external(db, tree, writer, |external| {
        if header::set_highest_number(external, upto) {
            return Ok(());
        }
        let what = "the root keeps no number of rows";
        Err(Error::new(JetErr::DatabaseCorrupted, what).at_page(tree.fdp))
    })
}

/// The step in which something that owns that many pages grows.
fn growth_step(owned: u32, page_bytes: usize) -> u32 {
    let most = u32::try_from(GROWTH_BYTES_MAX / page_bytes).unwrap_or(u32::MAX);
    let least = if owned < 16 { 4 } else { 8 };
    (owned / 8).clamp(least, most)
}

#[cold]
fn not_in_use(fdp: Pgno, extent: Extent) -> Error {
    Error::new(
        JetErr::SPAvailExtCorrupted,
        format!(
            "pages {} to {} are given back, but they are free already or not owned by this tree",
            extent.first,
            extent.last()
        ),
    )
    .at_page(fdp)
    .advise("run a verification of the database; restore it from a backup")
}
