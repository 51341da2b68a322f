//! Getting rid of leaves: an empty one goes, a sparse one joins a neighbour (edb-format 4.7).
//!
//! Under the structure lock internal pages and the links between leaves stand still, so all but
//! the leaves' entries is decided before anything is latched for writing. Then the pages are
//! latched from the top, those of one level from left to right, the leaves are looked at again,
//! the group is logged and applied. The pages that went are given back when no latch is held any
//! more; they carry a flag that tells every late comer that they are no leaves of this tree.

use ese_base::{DbTime, Iline, LgPos, Pgno, RceId, Result};
use ese_log::records::{
    EmptyTree, MacroAbort, MacroBegin, MacroCommit, Merge, MergeType, PageImage, Record,
};
use ese_pages::{
    Node, PageFlags, PageMut, PageRef,
    cache::{PageCache, WriteGuard},
};
use smallvec::SmallVec;

use super::{
    Need, PageSource,
    chain::{Path, path_to},
};
use crate::{
    op::{
        group::GroupPages,
        merge::{
            DELETE_NODE, EMPTY_PAGE, KEY_CHANGE, apply_merges, bytes_on, empty_page_of_tree,
            empty_root, key_fits,
        },
    },
    tree::{
        change::{Bookmark, Op},
        plan,
    },
};

/// A leaf may look for a neighbour to join when it uses no more than this part of its bytes.
const SPARSE_PCT: usize = 50;
/// Leaves that join for want of entries fill their page to at most this part.
pub(crate) const JOINED_PCT: usize = 85;

/// Is it worth looking for a neighbour to join? Asked after each removal, so it says yes only a few
/// times while a leaf empties: twice while the number of its entries halves.
pub(crate) fn is_sparse(page: PageRef<'_>) -> bool {
    let all = plan::capacity(page.size());
    let used = all.saturating_sub(page.free_bytes());
    let count = page.node_count();
    let step = (count.next_power_of_two() / 4).max(1);
    !page.is_root() && count.is_multiple_of(step) && used * 100 <= all * SPARSE_PCT
}

/// How a leaf goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// It holds nothing that anybody needs.
    Empty,
    /// Its entries go to the right.
    Right,
    /// Its entries go to the left.
    Left,
}

/// The pages that take part when a leaf goes.
struct Removal {
    /// Index in the path of the page that loses a pointer.
    top: usize,
    /// Pages on the way from the pointer before to the leaf that takes over the keys: the last
    /// separator of each becomes that of the pointer that goes.
    spine: SmallVec<[Pgno; 2]>,
    /// That separator.
    key: Vec<u8>,
    left: Pgno,
    right: Pgno,
}

/// Where a removal leads.
enum Shape {
    /// Nothing is left but the root.
    WholeTree,
    Part(Removal),
    /// A page has no room for the key that it would take over.
    NoRoom,
}

/// Removes the last entry of a leaf, and the leaf with it. The entry must be flag-deleted;
/// `unneeded` is asked under the latch. `false`: the leaf holds more, or the entry is needed.
pub(crate) fn remove_with_leaf(
    op: &Op<'_>,
    at: Bookmark<'_>,
    unneeded: &dyn Fn() -> bool,
    pages: &mut dyn PageSource,
) -> Result<bool> {
    let _structure = (!op.view.is_space()).then(|| op.tree.smo.lock());
    let path = path_to(op, &Need::Split { at })?;
    if path.len() < 2 {
        return Ok(false);
    }
    let goes = |page: PageRef<'_>| {
        page.node_count() == 1
            && op.search(page, at) == Ok(0)
            && page.node(0).is_deleted()
            && unneeded()
    };
    let freed = match shape(op, &path, Way::Empty)? {
        Shape::NoRoom => return Ok(false),
        Shape::WholeTree => empty_tree(op, &path, &goes)?,
        Shape::Part(part) => {
            let fits = |guards: &Leaves<'_>| goes(guards.leaf.page());
            carry_out(op, &path, &part, Way::Empty, &fits)?
        }
    };
    pages.give_back(&freed)?;
    Ok(!freed.is_empty())
}

/// Joins the leaf of an entry with a neighbour under the same parent, if both together fill no
/// more than `most_pct` of a page. Tells whether it did.
pub(crate) fn join_leaf(
    op: &Op<'_>,
    at: Bookmark<'_>,
    most_pct: usize,
    pages: &mut dyn PageSource,
) -> Result<bool> {
    let _structure = if op.view.is_space() {
        None
    } else {
        // Whoever changes the structure now may well make this superfluous.
        let Some(lock) = op.tree.smo.try_lock() else { return Ok(false) };
        Some(lock)
    };
    let path = path_to(op, &Need::Split { at })?;
    let Some(&(parent, iline)) = path.len().checked_sub(2).and_then(|index| path.get(index)) else {
        return Ok(false);
    };
    let last = op.db.cache.read(parent)?.page().node_count().saturating_sub(1);
    for way in [Way::Right, Way::Left] {
        let sibling = if way == Way::Right { iline < last } else { iline > 0 };
        if !sibling || !joins(op, &path, way, most_pct)? {
            continue;
        }
        let Shape::Part(part) = shape(op, &path, way)? else { continue };
        let fits = |leaves: &Leaves<'_>| leaves.join(way, most_pct);
        let freed = carry_out(op, &path, &part, way, &fits)?;
        pages.give_back(&freed)?;
        if !freed.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Moves entries from the right neighbour under the same parent to the leaf of an entry, as many as
/// leave that no fuller than `most_pct`, if it uses no more than `sparse_pct` of its bytes. What
/// does not fit stays. Tells whether it moved any.
pub(crate) fn fill_leaf(
    op: &Op<'_>,
    at: Bookmark<'_>,
    (sparse_pct, most_pct): (usize, usize),
) -> Result<bool> {
    let Some(_structure) = op.tree.smo.try_lock() else { return Ok(false) };
    let path = path_to(op, &Need::Split { at })?;
    let Some(&(parent, iline)) = path.len().checked_sub(2).and_then(|index| path.get(index)) else {
        return Ok(false);
    };
    let cache = &op.db.cache;
    let above = cache.write(parent)?;
    if iline + 1 >= above.page().node_count() {
        return Ok(false);
    }
    let (leaf, right) = (cache.write(leaf_of(&path))?, above.page().child(iline + 1));
    let (page, all) = (leaf.page(), plan::capacity(leaf.page().size()));
    let used = all.saturating_sub(page.free_bytes());
    if page.next() != right || used * 100 > all * sparse_pct {
        return Ok(false);
    }
    let from = cache.write(right)?;
    let room = (all * most_pct / 100).saturating_sub(used);
    let count = lines_that_fit(from.page(), page, room);
    let Some(last) = count.checked_sub(1).filter(|_| count < from.page().node_count()) else {
        return Ok(false);
    };
    let (left, first) = (from.page().node(last), from.page().node(count));
    let separator = plan::separator(&left, &first, op.view.unique);
    if !key_fits(above.page(), iline, &separator) {
        return Ok(false);
    }
    let mut pages = GroupPages::new();
    let left = leaf.pgno();
    for guard in [above, leaf, from] {
        pages.push(guard, true);
    }
    let dbtime = op.db.next_dbtime();
    let image = image_of(&pages, right, dbtime);
    let key_change = Merge {
        merge_flags: KEY_CHANGE,
        parent_key: &separator,
        ..plain(op, &pages, dbtime, (parent, iline), Pgno::NULL)
    };
    let moved = Merge {
        pgno_left: left,
        dbtime_left_before: pages.page(left).map_or(DbTime(0), |page| page.dbtime()),
        iline_merge: Iline(u16::try_from(last).unwrap_or(u16::MAX)),
        merge_type: MergeType::PartialLeft,
        size_total: size_of_lines(pages.page(right)),
        size_max_total: size_of_lines(pages.page(right)),
        image: Some(PageImage { flags: 0, bytes: &image }),
        ..plain(op, &pages, dbtime, (right, 0), parent)
    };
    log_and_apply(op, &[key_change, moved], &mut pages, dbtime)?;
    Ok(true)
}

/// How many lines at the front of a page fit into `room` bytes of another.
fn lines_that_fit(from: PageRef<'_>, to: PageRef<'_>, room: usize) -> usize {
    let room = room.min(to.free_bytes());
    let mut bytes = 0;
    let fits = |node: &Node<'_>| {
        bytes += bytes_on(to, std::iter::once(*node));
        bytes <= room
    };
    from.nodes().take_while(fits).count()
}

/// A look, under read latches, whether the leaf's lines would fit on a sibling.
fn joins(op: &Op<'_>, path: &Path, way: Way, most_pct: usize) -> Result<bool> {
    let cache = &op.db.cache;
    let leaf = cache.read(leaf_of(path))?;
    let image = leaf.page().bytes().to_vec();
    let (left, right) = (leaf.page().prev(), leaf.page().next());
    // One latch at a time: to the left there is no order in which both could be held.
    drop(leaf);
    let sibling = cache.read(if way == Way::Right { right } else { left })?;
    Ok(fit_together(PageRef::new(&image, op.db.page_size()), sibling.page(), most_pct))
}

fn fit_together(from: PageRef<'_>, to: PageRef<'_>, most_pct: usize) -> bool {
    let moved = bytes_on(to, from.nodes());
    let all = plan::capacity(to.size());
    let used = all.saturating_sub(to.free_bytes());
    from.node_count() > 0
        && to.node_count() > 0
        && moved <= to.free_bytes()
        && (used + moved) * 100 <= all * most_pct
}

fn leaf_of(path: &Path) -> Pgno {
    path.last().map_or(Pgno::NULL, |&(pgno, _)| pgno)
}

/// Which pages take part. Reads only what stands still.
fn shape(op: &Op<'_>, path: &Path, way: Way) -> Result<Shape> {
    let cache = &op.db.cache;
    let leaf = path.len() - 1;
    let (left, right) = {
        let leaf = cache.read(leaf_of(path))?;
        (leaf.page().prev(), leaf.page().next())
    };
    let mut top = leaf - 1;
    loop {
        let (pgno, iline) = path.get(top).copied().unwrap_or_default();
        let guard = cache.read(pgno)?;
        let page = guard.page();
        if page.node_count() < 2 {
            if top == 0 {
                return Ok(Shape::WholeTree);
            }
            top -= 1;
            continue;
        }
        let mut part = Removal { top, spine: SmallVec::new(), key: Vec::new(), left, right };
        let hands_over = way == Way::Left || iline + 1 == page.node_count();
        let Some(before) = iline.checked_sub(1).filter(|_| hands_over) else {
            return Ok(Shape::Part(part));
        };
        part.key = page.node(iline).key_to_vec();
        // The line that goes leaves more room than the key can take, unless the prefix key helps
        // it less than it helped before; then its own line is no longer than it was.
        let mut child = page.child(before);
        drop(guard);
        for _ in top + 1..leaf {
            let guard = cache.read(child)?;
            let page = guard.page();
            let last = page.node_count().saturating_sub(1);
            if page.is_leaf() || !key_fits(page, last, &part.key) {
                return Ok(Shape::NoRoom);
            }
            part.spine.push(child);
            child = page.child(last);
        }
        return Ok(Shape::Part(part));
    }
}

/// The latched leaves: the one that goes and its neighbours.
struct Leaves<'a> {
    left: Option<&'a WriteGuard<'a>>,
    leaf: &'a WriteGuard<'a>,
    right: Option<&'a WriteGuard<'a>>,
}

impl Leaves<'_> {
    fn join(&self, way: Way, most_pct: usize) -> bool {
        let to = if way == Way::Right { self.right } else { self.left };
        to.is_some_and(|to| fit_together(self.leaf.page(), to.page(), most_pct))
    }
}

/// Latches, asks `goes`, logs and applies. Gives the pages that went; none if `goes` said no.
fn carry_out(
    op: &Op<'_>,
    path: &Path,
    part: &Removal,
    way: Way,
    goes: &dyn Fn(&Leaves<'_>) -> bool,
) -> Result<SmallVec<[Pgno; 4]>> {
    let cache: &PageCache = &op.db.cache;
    let leaf_index = path.len() - 1;
    let mut pages = GroupPages::new();
    for (index, &(pgno, _)) in path.iter().enumerate().take(leaf_index).skip(part.top) {
        // The page beside it on the level lies to its left.
        let spine = index.checked_sub(part.top + 1).and_then(|level| part.spine.get(level));
        if let Some(&spine) = spine {
            pages.push(cache.write(spine)?, true);
        }
        pages.push(cache.write(pgno)?, true);
    }
    let neighbour = |pgno: Pgno| match pgno.is_null() {
        true => Ok(None),
        false => cache.write(pgno).map(Some),
    };
    let left = neighbour(part.left)?;
    let leaf = cache.write(leaf_of(path))?;
    let right = neighbour(part.right)?;
    if !goes(&Leaves { left: left.as_ref(), leaf: &leaf, right: right.as_ref() }) {
        return Ok(SmallVec::new());
    }
    for guard in left.into_iter().chain([leaf]).chain(right) {
        pages.push(guard, true);
    }
    let dbtime = op.db.next_dbtime();
    let image = match way {
        Way::Empty => Vec::new(),
        Way::Left | Way::Right => image_of(&pages, leaf_of(path), dbtime),
    };
    let merges = records(op, path, part, way, &pages, dbtime, &image);
    log_and_apply(op, &merges, &mut pages, dbtime)?;
    Ok(path.iter().skip(part.top + 1).map(|&(pgno, _)| pgno).collect())
}

/// The leaf before its lines move; as genuine engines have it, under the new dbtime.
fn image_of(pages: &GroupPages<'_>, leaf: Pgno, dbtime: DbTime) -> Vec<u8> {
    let Some(page) = pages.page(leaf) else { return Vec::new() };
    let mut image = page.bytes().to_vec();
    PageMut::new(&mut image, page.size()).set_dbtime(dbtime);
    image
}

/// The record of a page that takes part, before it is said how.
fn plain<'i>(
    op: &Op<'_>,
    pages: &GroupPages<'_>,
    dbtime: DbTime,
    (pgno, iline): (Pgno, usize),
    parent: Pgno,
) -> Merge<'i> {
    let before = |pgno: Pgno| pages.page(pgno).map_or(DbTime(0), |page| page.dbtime());
    Merge {
        page: op.page_head(pgno, iline, dbtime, before(pgno), false),
        pgno_right: Pgno::NULL,
        dbtime_right_before: DbTime(0),
        pgno_left: Pgno::NULL,
        dbtime_left_before: DbTime(0),
        pgno_parent: parent,
        dbtime_parent_before: before(parent),
        pgno_fdp: op.view.fdp,
        objid_fdp: op.view.objid,
        size_total: 0,
        size_max_total: 0,
        uncommitted_free_dest: 0,
        iline_merge: Iline(0),
        merge_flags: 0,
        merge_type: MergeType::None,
        parent_key: &[],
        image: Some(PageImage { flags: 0, bytes: &[] }),
    }
}

fn records<'i>(
    op: &Op<'_>,
    path: &Path,
    part: &'i Removal,
    way: Way,
    pages: &GroupPages<'_>,
    dbtime: DbTime,
    image: &'i [u8],
) -> SmallVec<[Merge<'i>; 4]> {
    let before = |pgno: Pgno| pages.page(pgno).map_or(DbTime(0), |page| page.dbtime());
    let leaf_index = path.len() - 1;
    let plain =
        |pgno: Pgno, iline: usize, parent: Pgno| plain(op, pages, dbtime, (pgno, iline), parent);
    let mut merges: SmallVec<[Merge<'i>; 4]> = SmallVec::new();
    let mut parent = Pgno::NULL;
    for (index, &(pgno, iline)) in path.iter().enumerate().skip(part.top) {
        let spine = index.checked_sub(part.top + 1).and_then(|level| part.spine.get(level));
        if let Some(&spine) = spine.filter(|_| index < leaf_index) {
            let last = pages.page(spine).map_or(0, |page| page.node_count().saturating_sub(1));
            let record = plain(spine, last, Pgno::NULL);
            merges.push(Merge { merge_flags: KEY_CHANGE, parent_key: &part.key, ..record });
        }
        let mut record = plain(pgno, iline, parent);
        record.merge_flags = if index == part.top { DELETE_NODE } else { EMPTY_PAGE };
        if index == leaf_index {
            (record.pgno_left, record.dbtime_left_before) = (part.left, before(part.left));
            (record.pgno_right, record.dbtime_right_before) = (part.right, before(part.right));
            record.merge_type = match way {
                Way::Empty => MergeType::EmptyPage,
                Way::Right => MergeType::FullRight,
                Way::Left => MergeType::FullLeft,
            };
            record.size_total = size_of_lines(pages.page(pgno));
            record.size_max_total = record.size_total;
            record.image = Some(PageImage { flags: 0, bytes: image });
        }
        merges.push(record);
        parent = pgno;
    }
    merges
}

fn size_of_lines(page: Option<PageRef<'_>>) -> u16 {
    let Some(page) = page else { return 0 };
    let sum: usize = (0..page.node_count()).map(|iline| page.line_len(iline)).sum();
    u16::try_from(sum).unwrap_or(u16::MAX)
}

/// Appends the whole group, then changes the pages, as splits do.
fn log_and_apply(
    op: &Op<'_>,
    merges: &[Merge<'_>],
    pages: &mut GroupPages<'_>,
    dbtime: DbTime,
) -> Result<()> {
    let procid = op.writer.procid;
    let append = || -> Result<(LgPos, LgPos)> {
        let (start, _) = op.db.append(&Record::MacroBegin(MacroBegin { procid, dbtime }))?;
        for merge in merges {
            op.db.append(&Record::Merge(*merge))?;
        }
        let (_, end) = op.db.append(&Record::MacroCommit(MacroCommit { procid, dbtime }))?;
        Ok((start, end))
    };
    let (start, end) = append().inspect_err(|_| {
        drop(op.db.append(&Record::MacroAbort(MacroAbort { procid, dbtime })));
    })?;
    if let Err(error) = apply_merges(merges, pages, op.db.page_size()) {
        return Err(op.db.broken(error));
    }
    pages.stamp(dbtime, start, end);
    Ok(())
}

/// The last leaf of a tree goes: the root becomes an empty leaf.
fn empty_tree(
    op: &Op<'_>,
    path: &Path,
    goes: &dyn Fn(PageRef<'_>) -> bool,
) -> Result<SmallVec<[Pgno; 4]>> {
    let mut guards: SmallVec<[WriteGuard<'_>; 4]> = SmallVec::new();
    for &(pgno, _) in path {
        guards.push(op.db.cache.write(pgno)?);
    }
    if !guards.last().is_some_and(|leaf| goes(leaf.page())) {
        return Ok(SmallVec::new());
    }
    let Some((root, rest)) = guards.split_first_mut() else { return Ok(SmallVec::new()) };
    let mut list = Vec::with_capacity(16 * rest.len());
    for page in rest.iter() {
        let flags = page.page().flags() - PageFlags::FLUSH_TYPE;
        list.extend_from_slice(&page.page().dbtime().0.to_le_bytes());
        list.extend_from_slice(&page.pgno().0.to_le_bytes());
        list.extend_from_slice(&flags.bits().to_le_bytes());
    }
    let dbtime = op.db.next_dbtime();
    let page = op.page_head(root.pgno(), 0, dbtime, root.page().dbtime(), false);
    let record = EmptyTree { node: op.node_head(page, RceId::default()), list: &list };
    let (start, end) = op.db.append(&Record::EmptyTree(record))?;
    empty_root(&record, &mut root.page_mut()).map_err(|error| op.db.broken(error))?;
    for page in rest.iter_mut() {
        let pgno = page.pgno();
        empty_page_of_tree(&record, pgno, &mut page.page_mut());
    }
    for guard in guards.iter_mut() {
        guard.page_mut().set_dbtime(dbtime);
        guard.mark_dirty(start, end);
    }
    Ok(path.iter().skip(1).map(|&(pgno, _)| pgno).collect())
}
