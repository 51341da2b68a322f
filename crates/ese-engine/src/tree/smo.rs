//! Structure changes: making room by splitting pages (edb-format 4.7, log-records 2.4).
//!
//! One group of records splits the leaf and as many pages above it as have no room for one more
//! pointer; the page above those gets the pointer and does not split. When the root itself has no
//! room, it first gets a level of its own (a vertical split, a group for itself), and everything
//! starts again. The order within one change:
//!
//! 1. the tree's structure lock (space trees: their owner's space lock, which the caller holds);
//! 2. a look, without coupling, at the pages that will split, to know how many pages are needed;
//! 3. those pages are allocated;
//! 4. the pages are latched, root first, the leaf's right sibling and the new pages last;
//! 5. the split is planned again under the latches (the leaf may have changed meanwhile; internal
//!    pages cannot). If more pages are needed now, everything starts again;
//! 6. consent of the version store, log records, pages.

use ese_base::{DbTime, Error, Iline, JetErr, Pgno, RceId, Result, limits::TREE_DEPTH_MAX};
use ese_log::records::{
    Insert, MacroBegin, MacroCommit, PageImage, Record, Split, SplitOper, SplitType,
};
use ese_pages::{
    NodeFlags, PageFlags, PageMut, PageRef,
    cache::{ReadGuard, WriteGuard},
};
use smallvec::SmallVec;

use super::{
    Position, Target, TreeHandle, Writer,
    change::{Bookmark, Op, Room, insert_on},
    descend::{child_on, too_deep},
    leaf_for_write,
    plan::{self, SplitPlan},
};
use crate::{
    database::Database,
    op::{
        group::{GroupPages, apply_group},
        node_flags,
        split::LineOper,
    },
    space,
};

/// Where the pages for splits come from and where unused ones go back to.
pub(crate) trait PageSource {
    /// Takes pages; called without latches.
    fn take(&mut self, count: usize, to: &mut Spare) -> Result<()>;
    /// Takes back what was not used.
    fn give_back(&mut self, pages: &[Pgno]) -> Result<()>;
}

/// Pages at hand for a split.
pub(crate) type Spare = SmallVec<[Pgno; 4]>;

/// Pages of a tree of entries: from its own space.
pub(crate) struct TreePages<'a> {
    db: &'a Database,
    tree: &'a TreeHandle,
    writer: Writer,
}

impl<'a> TreePages<'a> {
    pub(crate) fn new(db: &'a Database, tree: &'a TreeHandle, writer: Writer) -> TreePages<'a> {
        TreePages { db, tree, writer }
    }
}

impl PageSource for TreePages<'_> {
    fn take(&mut self, count: usize, to: &mut Spare) -> Result<()> {
        space::allocate_pages(self.db, self.tree, self.writer, count, to)
    }

    fn give_back(&mut self, pages: &[Pgno]) -> Result<()> {
        pages.iter().try_for_each(|&page| space::free_page(self.db, self.tree, self.writer, page))
    }
}

/// What room is needed for.
#[derive(Clone, Copy, Debug)]
enum Need<'a> {
    /// A new entry, which the split inserts if it can.
    Line { key: &'a [u8], data: &'a [u8] },
    /// More bytes for an entry that exists.
    Growth { at: Bookmark<'a>, bytes: usize },
    /// A split in any case (space trees: pages were taken for it).
    Split { at: Bookmark<'a> },
}

impl<'a> Need<'a> {
    fn bookmark(&self, op: &Op<'_>) -> Bookmark<'a> {
        match *self {
            Need::Line { key, data } => op.bookmark(key, data),
            Need::Growth { at, .. } | Need::Split { at } => at,
        }
    }
}

/// What a round of splitting came to.
enum Outcome {
    /// The new entry is in.
    Inserted(Position),
    /// There is more room than before, or the leaf changed: look again.
    Again,
    /// More pages are needed than are at hand.
    MorePages,
}

/// Inserts an entry for which its leaf has no room.
pub(crate) fn insert(
    op: &Op<'_>,
    key: &[u8],
    data: &[u8],
    pages: &mut dyn PageSource,
) -> Result<Position> {
    let _structure = (!op.view.is_space()).then(|| op.tree.smo.lock());
    let at = op.bookmark(key, data);
    loop {
        let target = Target::Entry { key: at.key, data: at.data };
        let mut leaf = leaf_for_write(&op.db.cache, &op.view, &target)?;
        let room = insert_on(op, &mut leaf, key, data)?;
        drop(leaf);
        let need = match room {
            Room::Done(place) => return Ok(place),
            Room::NoLine => Need::Line { key, data },
            Room::NoGrowth(bytes) => Need::Growth { at, bytes },
        };
        if let Outcome::Inserted(place) = round(op, &need, pages)? {
            return Ok(place);
        }
    }
}

/// Splits a leaf so that an entry can grow; the caller then looks again.
pub(crate) fn make_room(
    op: &Op<'_>,
    at: Bookmark<'_>,
    bytes: usize,
    pages: &mut dyn PageSource,
) -> Result<()> {
    let _structure = (!op.view.is_space()).then(|| op.tree.smo.lock());
    round(op, &Need::Growth { at, bytes }, pages).map(|_| ())
}

/// Splits the leaf of an entry of a space tree, whether it is full or not, if that can be done with
/// the pages at hand. Tells how many pages it would need otherwise.
pub(crate) fn split_space_leaf(op: &Op<'_>, key: &[u8], pages: &mut dyn PageSource) -> Result<()> {
    round(op, &Need::Split { at: Bookmark { key, data: &[] } }, pages).map(|_| ())
}

/// How many pages an insertion with a full leaf will take.
pub(crate) fn pages_needed(op: &Op<'_>, key: &[u8], data: &[u8]) -> Result<usize> {
    let need = Need::Line { key, data };
    let path = path_to(op, &need)?;
    Ok(look(op, &need, &path)?.map_or(1, |chain| chain.levels.len()))
}

/// One attempt: allocate, split, give back what was not needed.
fn round(op: &Op<'_>, need: &Need<'_>, pages: &mut dyn PageSource) -> Result<Outcome> {
    let mut spare = Spare::new();
    let result = loop {
        match attempt(op, need, &mut spare, pages) {
            Ok(Outcome::MorePages) => {}
            other => break other,
        }
    };
    if !spare.is_empty() {
        // Still under the structure lock, but without latches.
        pages.give_back(&spare)?;
    }
    result
}

fn attempt(
    op: &Op<'_>,
    need: &Need<'_>,
    spare: &mut Spare,
    pages: &mut dyn PageSource,
) -> Result<Outcome> {
    let path = path_to(op, need)?;
    let looked = look(op, need, &path)?;
    let wanted = looked.as_ref().map_or(1, |chain| chain.levels.len());
    if let Some(missing) = wanted.checked_sub(spare.len()).filter(|&missing| missing > 0) {
        pages.take(missing, spare)?;
    }
    match looked {
        Some(chain) => split(op, need, &path, chain.first, spare),
        None => vertical(op, need, spare),
    }
}

/// The pages from the root to the leaf, with the line that leads on.
type Path = SmallVec<[(Pgno, usize); 6]>;

/// Internal pages cannot change under the structure lock, so their latches need not overlap.
fn path_to(op: &Op<'_>, need: &Need<'_>) -> Result<Path> {
    let at = need.bookmark(op);
    let target = Target::Entry { key: at.key, data: at.data };
    let mut path = Path::new();
    let mut pgno = op.view.root;
    while path.len() < TREE_DEPTH_MAX {
        let guard = op.db.cache.read(pgno)?;
        let page = guard.page();
        op.view.expect_own(page, pgno)?;
        if page.is_leaf() {
            path.push((pgno, 0));
            return Ok(path);
        }
        path.push((pgno, target.line_on(page)));
        pgno = child_on(&op.view, page, pgno, &target)?;
    }
    Err(too_deep(&op.view, pgno))
}

/// Plans under read latches, which are given back: what is true of the leaf may change.
fn look(op: &Op<'_>, need: &Need<'_>, path: &Path) -> Result<Option<Chain>> {
    let mut guards: SmallVec<[ReadGuard<'_>; 6]> = SmallVec::new();
    for &(pgno, _) in path {
        guards.push(op.db.cache.read(pgno)?);
    }
    let pages: SmallVec<[PageRef<'_>; 6]> = guards.iter().map(ReadGuard::page).collect();
    chain(op, need, path, &pages)
}

/// A level that splits.
struct Level {
    plan: SplitPlan,
    /// Is the node operation carried out by this split (leaf)?
    with_oper: bool,
    /// Line of the operation: of the new entry on the leaf, of the pointer above.
    iline: usize,
}

/// The levels that split, leaf last; the page above the first of them takes the pointer.
struct Chain {
    /// Index in the path of the first page that splits.
    first: usize,
    levels: SmallVec<[Level; 4]>,
}

/// Plans the splits of a path. `None`: the root must get a level first.
fn chain(
    op: &Op<'_>,
    need: &Need<'_>,
    path: &Path,
    pages: &[PageRef<'_>],
) -> Result<Option<Chain>> {
    let blank = PageRef::new(&[], op.db.page_size());
    let image = |index: usize| pages.get(index).copied().unwrap_or(blank);
    let mut index = path.len() - 1;
    if index == 0 {
        return Ok(None);
    }
    let mut levels: SmallVec<[Level; 4]> = SmallVec::new();
    levels.push(plan_leaf(op, need, image(index))?);
    loop {
        let Some(below) = levels.last() else { return Ok(None) };
        let parent = image(index - 1);
        let key = &below.plan.separator[..];
        let common = parent.compress_len(key);
        if parent.fits(PageMut::node_len(common, key.len() - common, 4)) {
            levels.reverse();
            return Ok(Some(Chain { first: index, levels }));
        }
        index -= 1;
        if index == 0 {
            return Ok(None);
        }
        let iline = path.get(index).map_or(0, |&(_, iline)| iline);
        // The page numbers in the pointers do not matter for the plan.
        let oper = LineOper::Pointer { iline, key, left: [0; 4], right: [0; 4] };
        let lines = oper.lines_of(parent)?;
        let plan = plan::internal(parent, &lines, iline)
            .ok_or_else(|| no_split(op, path.get(index).map_or(Pgno::NULL, |&(pgno, _)| pgno)))?;
        levels.push(Level { plan, with_oper: true, iline });
    }
}

#[cold]
fn no_split(op: &Op<'_>, pgno: Pgno) -> Error {
    Error::new(
        JetErr::InternalError,
        format!("a page of the tree with root {} can be split nowhere", op.view.root),
    )
    .at_page(pgno)
}

#[cold]
fn alone_too_big(op: &Op<'_>, bytes: usize) -> Error {
    Error::new(
        JetErr::RecordTooBig,
        format!(
            "an entry of the tree with root {} stands alone on its page, whose prefix key leaves \
             no room for {bytes} bytes more",
            op.view.root
        ),
    )
}

fn plan_leaf(op: &Op<'_>, need: &Need<'_>, page: PageRef<'_>) -> Result<Level> {
    let unique = op.view.unique;
    let at = need.bookmark(op);
    let (Ok(iline) | Err(iline)) = page.search(at.key, at.data, unique);
    let old: Vec<_> = page.nodes().collect();
    let (plan, with_oper) = match *need {
        Need::Line { key, data } => {
            let flags = NodeFlags::empty();
            let oper = LineOper::Insert { iline, prefix: &[], suffix: key, data, flags };
            let lines = oper.lines_of(page)?;
            match plan::leaf_insert(page, &lines, iline, unique) {
                Some(plan) => (Some(plan), true),
                // The entry is large and belongs into the middle: first make an edge there.
                None => (plan::leaf_at(page, &old, iline, unique), false),
            }
        }
        Need::Growth { bytes, .. } => {
            if old.len() < 2 {
                return Err(alone_too_big(op, bytes));
            }
            (plan::leaf_room(page, &old, (iline, bytes), unique), false)
        }
        Need::Split { .. } => (plan::leaf_room(page, &old, (0, 0), unique), false),
    };
    let plan = plan.ok_or_else(|| no_split(op, op.view.root))?;
    Ok(Level { plan, with_oper, iline })
}

/// Latches, plans again, asks for consent, logs and applies.
///
/// `first` is the first page that splits, by the look.
fn split(
    op: &Op<'_>,
    need: &Need<'_>,
    path: &Path,
    first: usize,
    spare: &mut Spare,
) -> Result<Outcome> {
    let cache = &op.db.cache;
    // From the page that takes the pointer down to the leaf.
    let top = first - 1;
    let mut guards: SmallVec<[WriteGuard<'_>; 6]> = SmallVec::new();
    for &(pgno, _) in path.get(top..).unwrap_or(&[]) {
        guards.push(cache.write(pgno)?);
    }
    let Some(leaf) = guards.last() else { return Ok(Outcome::Again) };
    if !still_full(op, need, leaf.page()) {
        return Ok(Outcome::Again);
    }
    let right_pgno = leaf.page().next();
    let right = if right_pgno.is_null() { None } else { Some(cache.write(right_pgno)?) };
    let chain = {
        // Pages above `top` are not latched; if one of them would have to split, look again.
        let blank = PageRef::new(&[], op.db.page_size());
        let images: SmallVec<[PageRef<'_>; 6]> = (0..path.len())
            .map(|i| i.checked_sub(top).and_then(|i| guards.get(i)))
            .map(|guard| guard.map_or(blank, WriteGuard::page))
            .collect();
        match chain(op, need, path, &images)? {
            Some(chain) if chain.first > top => chain,
            _ => return Ok(Outcome::MorePages),
        }
    };
    if chain.levels.len() > spare.len() {
        return Ok(Outcome::MorePages);
    }
    // Pages that turn out not to take part are let go unchanged.
    let unused = chain.first - 1 - top;
    let mut pages = GroupPages::new();
    for guard in guards.into_iter().skip(unused) {
        pages.push(guard, true);
    }
    if let Some(right) = right {
        pages.push(right, true);
    }
    let mut new = SmallVec::<[Pgno; 4]>::new();
    for _ in &chain.levels {
        let pgno = spare.pop().ok_or_else(|| no_split(op, op.view.root))?;
        new.push(pgno);
        match cache.write_new(pgno) {
            Ok(guard) => pages.push(guard, true),
            Err(error) => {
                spare.extend(new);
                return Err(error);
            }
        }
    }
    let result = carry_out(op, need, path, &chain, &new, right_pgno, &mut pages);
    if result.is_err() {
        spare.extend(new);
    }
    result
}

/// Does the leaf still need the split?
fn still_full(op: &Op<'_>, need: &Need<'_>, page: PageRef<'_>) -> bool {
    let at = need.bookmark(op);
    let found = page.search(at.key, at.data, op.view.unique);
    match *need {
        Need::Line { key, data } => {
            let common = page.compress_len(key);
            let len = PageMut::node_len(common, key.len() - common, data.len());
            let reserve = match found {
                Err(iline) if iline == page.node_count() && page.next().is_null() => {
                    op.view.reserve(page.size())
                }
                Err(_) => 0,
                // Somebody inserted the same key.
                Ok(_) => return false,
            };
            !page.fits(len + reserve)
        }
        Need::Growth { bytes, .. } => found.is_ok() && bytes > page.free_bytes(),
        Need::Split { .. } => page.node_count() >= 2,
    }
}

/// The node operation of the group, ready to be logged.
struct Oper<'a> {
    record: Record<'a>,
    iline: usize,
}

fn insert_record<'a>(
    op: &Op<'_>,
    key: &'a [u8],
    data: &'a [u8],
    leaf: Pgno,
    iline: usize,
    dbtime: DbTime,
    rceid: RceId,
) -> Oper<'a> {
    // Named is the page that splits and the line as if it did not; the key is whole.
    let versioned = op.gate.versioned();
    let page = op.page_head(leaf, iline, dbtime, DbTime::NOT_CHECKED, versioned);
    let node = op.node_head(page, rceid);
    Oper { record: Record::Insert(Insert { node, suffix: key, prefix: &[], data }), iline }
}

fn carry_out(
    op: &Op<'_>,
    need: &Need<'_>,
    path: &Path,
    chain: &Chain,
    new: &[Pgno],
    right_pgno: Pgno,
    pages: &mut GroupPages<'_>,
) -> Result<Outcome> {
    let leaf_level = chain.levels.last().filter(|level| level.with_oper);
    let mut rceid = RceId::default();
    if let (Need::Line { key, data }, Some(_)) = (need, leaf_level) {
        rceid = op.gate.insert(op.tree, key, data, None)?.rceid;
    }
    let dbtime = op.db.next_dbtime();
    let key = match need {
        Need::Line { key, .. } => key,
        Need::Growth { .. } | Need::Split { .. } => &[][..],
    };
    let group = Group { path, chain, new, right_pgno, key };
    let levels = describe_levels(&group, pages, dbtime);
    let mut splits: SmallVec<[Split<'_>; 5]> = SmallVec::new();
    let parent = path.get(chain.first - 1).copied().unwrap_or_default();
    splits.push(path_record(op, parent, pages, dbtime));
    let mut above = parent.0;
    for described in &levels {
        splits.push(split_record(op, described, above, pages, dbtime));
        above = described.pgno;
    }
    let oper = match (need, leaf_level, levels.last()) {
        (Need::Line { key, data }, Some(level), Some(leaf)) => {
            Some(insert_record(op, key, data, leaf.pgno, level.iline, dbtime, rceid))
        }
        _ => None,
    };
    log_and_apply(op, &splits, oper.as_ref().map(|oper| &oper.record), pages, dbtime)?;
    Ok(match (oper, levels.last()) {
        (Some(oper), Some(leaf)) => {
            let at = leaf.plan.at;
            let (page, iline) = match oper.iline.checked_sub(at) {
                Some(iline) => (leaf.new, iline),
                None => (leaf.pgno, oper.iline),
            };
            Outcome::Inserted(Position { leaf: page, dbtime, iline })
        }
        _ => Outcome::Again,
    })
}

/// A level with everything its record borrows.
struct Described<'a> {
    plan: &'a SplitPlan,
    with_oper: bool,
    iline: usize,
    pgno: Pgno,
    new: Pgno,
    right: Pgno,
    prefix_old: Vec<u8>,
    prefix_new: Vec<u8>,
    image: Vec<u8>,
}

/// What a group of splits is made of, besides its pages.
struct Group<'a> {
    path: &'a Path,
    chain: &'a Chain,
    /// One page per level.
    new: &'a [Pgno],
    /// Right sibling of the leaf.
    right_pgno: Pgno,
    /// Key of the new entry.
    key: &'a [u8],
}

fn describe_levels<'a>(
    group: &Group<'a>,
    pages: &GroupPages<'_>,
    dbtime: DbTime,
) -> Vec<Described<'a>> {
    let chain = group.chain;
    let last = chain.levels.len() - 1;
    let level = |(index, level): (usize, &'a Level)| {
        let (pgno, _) = group.path.get(chain.first + index).copied().unwrap_or_default();
        // The key of the line that this level inserts.
        let key = chain.levels.get(index + 1).map_or(group.key, |below| &below.plan.separator);
        let page = pages.page(pgno);
        let prefix_old = page.map_or(Vec::new(), |page| page.prefix().to_vec());
        let prefix_new = match (page, level.plan.prefix_split) {
            (Some(page), Some(line)) => prefix_of(page, level, key, line),
            _ => Vec::new(),
        };
        Described {
            plan: &level.plan,
            with_oper: level.with_oper,
            iline: level.iline,
            pgno,
            new: group.new.get(index).copied().unwrap_or_default(),
            right: if index == last { group.right_pgno } else { Pgno::NULL },
            prefix_old,
            prefix_new,
            image: page.map_or(Vec::new(), |page| image_of(page, level, dbtime)),
        }
    };
    chain.levels.iter().enumerate().map(level).collect()
}

/// The key of line `line`, counted with the line that is inserted with `key`.
fn prefix_of(page: PageRef<'_>, level: &Level, key: &[u8], line: usize) -> Vec<u8> {
    if !level.with_oper || line < level.iline {
        page.node(line).key_to_vec()
    } else if line == level.iline {
        key.to_vec()
    } else {
        page.node(line - 1).key_to_vec()
    }
}

/// The image from which redo can rebuild the new page; empty if no line moves.
fn image_of(page: PageRef<'_>, level: &Level, dbtime: DbTime) -> Vec<u8> {
    let moves = level.plan.at < level.plan.lines - usize::from(level.with_oper);
    if !moves {
        return Vec::new();
    }
    let mut image = page.bytes().to_vec();
    // As genuine engines have it: old content under the new dbtime.
    PageMut::new(&mut image, page.size()).set_dbtime(dbtime);
    image
}

/// The record of the page that takes the pointer and does not split.
fn path_record(
    op: &Op<'_>,
    (pgno, iline): (Pgno, usize),
    pages: &GroupPages<'_>,
    dbtime: DbTime,
) -> Split<'static> {
    let before = pages.page(pgno).map_or(DbTime::NOT_CHECKED, |page| page.dbtime());
    Split {
        page: op.page_head(pgno, 0, dbtime, before, false),
        pgno_new: Pgno::NULL,
        pgno_right: Pgno::NULL,
        dbtime_right_before: DbTime(0),
        pgno_parent: Pgno::NULL,
        dbtime_parent_before: DbTime(0),
        pgno_fdp: op.view.fdp,
        objid_fdp: op.view.objid,
        split_type: SplitType::Vertical,
        split_oper: SplitOper::None,
        iline_oper: line(iline),
        iline_split: Iline(0),
        lines: 0,
        new_page_flags: 0,
        split_page_flags: 0,
        uncommitted_free_src: 0,
        uncommitted_free_dest: 0,
        iline_prefix_split: 0,
        iline_prefix_new: 0,
        parent_key: &[],
        prefix_old: &[],
        prefix_new: &[],
        image: Some(PageImage { flags: 0, bytes: &[] }),
    }
}

/// A line number; a page has fewer than 4096.
fn line(iline: usize) -> Iline {
    Iline(u16::try_from(iline).unwrap_or(u16::MAX))
}

/// A line that supplies a prefix, or -1.
fn prefix_line(iline: Option<usize>) -> i32 {
    iline.and_then(|iline| i32::try_from(iline).ok()).unwrap_or(-1)
}

fn split_record<'d>(
    op: &Op<'_>,
    level: &'d Described<'_>,
    parent: Pgno,
    pages: &GroupPages<'_>,
    dbtime: DbTime,
) -> Split<'d> {
    let before = |pgno: Pgno| pages.page(pgno).map_or(DbTime(0), |page| page.dbtime());
    let flags = pages.page(level.pgno).map_or(PageFlags::empty(), |page| page.flags());
    let flags = flags - PageFlags::FLUSH_TYPE;
    let (split_flags, new_flags) = match level.plan.split_type {
        SplitType::Vertical => {
            let parent_of_leaf = if flags.contains(PageFlags::LEAF) {
                PageFlags::PARENT_OF_LEAF
            } else {
                PageFlags::empty()
            };
            (
                flags - PageFlags::LEAF - PageFlags::PARENT_OF_LEAF | parent_of_leaf,
                flags - PageFlags::ROOT,
            )
        }
        SplitType::Right | SplitType::Append => (flags, flags),
    };
    Split {
        page: op.page_head(level.pgno, 0, dbtime, before(level.pgno), false),
        pgno_new: level.new,
        pgno_right: level.right,
        dbtime_right_before: before(level.right),
        pgno_parent: parent,
        dbtime_parent_before: before(parent),
        pgno_fdp: op.view.fdp,
        objid_fdp: op.view.objid,
        split_type: level.plan.split_type,
        split_oper: if level.with_oper { SplitOper::Insert } else { SplitOper::None },
        iline_oper: if level.with_oper { line(level.iline) } else { Iline(0) },
        iline_split: line(level.plan.at),
        lines: line(level.plan.lines).0,
        new_page_flags: new_flags.bits(),
        split_page_flags: split_flags.bits(),
        uncommitted_free_src: 0,
        uncommitted_free_dest: 0,
        iline_prefix_split: prefix_line(level.plan.prefix_split),
        iline_prefix_new: prefix_line(level.plan.prefix_new),
        parent_key: &level.plan.separator,
        prefix_old: &level.prefix_old,
        prefix_new: &level.prefix_new,
        image: Some(PageImage { flags: 0, bytes: &level.image }),
    }
}

/// The root's lines move to a new page of their own, below it.
fn vertical(op: &Op<'_>, need: &Need<'_>, spare: &mut Spare) -> Result<Outcome> {
    let cache = &op.db.cache;
    let root = cache.write(op.view.root)?;
    let page = root.page();
    if page.is_leaf() && !still_full(op, need, page) {
        return Ok(Outcome::Again);
    }
    let size = page.size();
    let insert = match *need {
        Need::Line { key, data } if page.is_leaf() => {
            let at = need.bookmark(op);
            let (Ok(iline) | Err(iline)) = page.search(at.key, at.data, op.view.unique);
            let versioned = op.gate.versioned();
            let flags = node_flags(versioned);
            let oper = LineOper::Insert { iline, prefix: &[], suffix: key, data, flags };
            let lines = oper.lines_of(page)?;
            plan::vertical(&lines, size).map(|plan| (plan, iline, key, data))
        }
        _ => None,
    };
    let old: Vec<_> = page.nodes().collect();
    let (plan, iline) = match &insert {
        Some((plan, iline, ..)) => (plan.clone(), *iline),
        // What fits on a root fits on any other page, which has no space header.
        None => (plan::vertical(&old, size).ok_or_else(|| no_split(op, op.view.root))?, 0),
    };
    let Some(new) = spare.pop() else { return Ok(Outcome::MorePages) };
    let level = Level { plan, with_oper: insert.is_some(), iline };
    let oper = insert.map(|(_, iline, key, data)| (iline, key, data));
    let result =
        cache.write_new(new).and_then(|new| carry_out_vertical(op, &level, oper, root, new));
    if result.is_err() {
        spare.push(new);
    }
    result
}

fn carry_out_vertical<'c>(
    op: &Op<'_>,
    level: &Level,
    oper: Option<(usize, &[u8], &[u8])>,
    root: WriteGuard<'c>,
    new: WriteGuard<'c>,
) -> Result<Outcome> {
    let new_pgno = new.pgno();
    let mut rceid = RceId::default();
    if let Some((_, key, data)) = oper {
        rceid = op.gate.insert(op.tree, key, data, None)?.rceid;
    }
    let dbtime = op.db.next_dbtime();
    let image = image_of(root.page(), level, dbtime);
    let mut pages = GroupPages::new();
    pages.push(root, true);
    pages.push(new, true);
    let described = Described {
        plan: &level.plan,
        with_oper: level.with_oper,
        iline: level.iline,
        pgno: op.view.root,
        new: new_pgno,
        right: Pgno::NULL,
        prefix_old: Vec::new(),
        prefix_new: Vec::new(),
        image,
    };
    let splits = [split_record(op, &described, Pgno::NULL, &pages, dbtime)];
    let oper = oper
        .map(|(iline, key, data)| insert_record(op, key, data, op.view.root, iline, dbtime, rceid));
    log_and_apply(op, &splits, oper.as_ref().map(|oper| &oper.record), &mut pages, dbtime)?;
    Ok(match oper {
        Some(oper) => Outcome::Inserted(Position { leaf: new_pgno, dbtime, iline: oper.iline }),
        None => Outcome::Again,
    })
}

/// Appends the whole group, then changes the pages: a group of which only a part is in the log is
/// dropped by redo, so nothing may be applied before the last record is in.
fn log_and_apply(
    op: &Op<'_>,
    splits: &[Split<'_>],
    oper: Option<&Record<'_>>,
    pages: &mut GroupPages<'_>,
    dbtime: DbTime,
) -> Result<()> {
    let procid = op.writer.procid;
    let (start, _) = op.db.append(&Record::MacroBegin(MacroBegin { procid, dbtime }))?;
    for split in splits {
        op.db.append(&Record::Split(*split))?;
    }
    if let Some(oper) = oper {
        op.db.append(oper)?;
    }
    let (_, end) = op.db.append(&Record::MacroCommit(MacroCommit { procid, dbtime }))?;
    if let Err(error) = apply_group(splits, oper, pages, op.db.page_size()) {
        return Err(op.db.broken(error));
    }
    pages.stamp(dbtime, start, end);
    Ok(())
}
