//! Structure changes: making room by splitting pages (edb-format 4.7, log-records 2.4). Their
//! counterpart, merging pages, is in [`merge`].
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

mod chain;
pub(super) mod merge;
mod records;

use ese_base::{Pgno, Result};
use ese_pages::{PageMut, PageRef, cache::WriteGuard};
use smallvec::SmallVec;

use self::{
    chain::{Level, Path, chain, look, no_split, path_to},
    records::{carry_out, carry_out_vertical},
};
use super::{
    Position, Target, TreeHandle, Writer,
    change::{Bookmark, Op, Room, insert_on},
    leaf_for_write, plan,
};
use crate::{
    database::Database,
    op::{group::GroupPages, node_flags, split::LineOper},
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
    Line {
        key: &'a [u8],
        data: &'a [u8],
        /// Where the caller's last entry went: if the new one comes right behind it, more will.
        after: Position,
    },
    /// More bytes for an entry that exists.
    Growth { at: Bookmark<'a>, bytes: usize },
    /// A split in any case (space trees: pages were taken for it).
    Split { at: Bookmark<'a> },
}

impl<'a> Need<'a> {
    fn bookmark(&self, op: &Op<'_>) -> Bookmark<'a> {
        match *self {
            Need::Line { key, data, .. } => op.bookmark(key, data),
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
    after: Position,
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
            Room::NoLine => Need::Line { key, data, after },
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
    let need = Need::Line { key, data, after: Position::default() };
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
        Need::Line { key, data, .. } => {
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
        Need::Line { key, data, .. } if page.is_leaf() => {
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
