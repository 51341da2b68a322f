//! Which pages of a path split, and how.

use ese_base::{Error, JetErr, Pgno, Result, limits::TREE_DEPTH_MAX};
use ese_pages::{Node, NodeFlags, PageFlags, PageMut, PageRef, cache::ReadGuard};
use smallvec::SmallVec;

use super::Need;
use crate::{
    op::split::LineOper,
    tree::{
        Target,
        change::Op,
        descend::{child_on, too_deep},
        plan::{self, SplitPlan},
    },
};

/// The pages from the root to the leaf, with the line that leads on.
pub(super) type Path = SmallVec<[(Pgno, usize); 6]>;

/// Internal pages cannot change under the structure lock, so their latches need not overlap.
pub(super) fn path_to(op: &Op<'_>, need: &Need<'_>) -> Result<Path> {
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
pub(super) fn look(op: &Op<'_>, need: &Need<'_>, path: &Path) -> Result<Option<Chain>> {
    let mut guards: SmallVec<[ReadGuard<'_>; 6]> = SmallVec::new();
    for &(pgno, _) in path {
        guards.push(op.db.cache.read(pgno)?);
    }
    let pages: SmallVec<[PageRef<'_>; 6]> = guards.iter().map(ReadGuard::page).collect();
    chain(op, need, path, &pages)
}

/// A level that splits.
pub(super) struct Level {
    pub(super) plan: SplitPlan,
    /// Is the node operation carried out by this split (leaf)?
    pub(super) with_oper: bool,
    /// Line of the operation: of the new entry on the leaf, of the pointer above.
    pub(super) iline: usize,
}

/// The levels that split, leaf last; the page above the first of them takes the pointer.
pub(super) struct Chain {
    /// Index in the path of the first page that splits.
    pub(super) first: usize,
    pub(super) levels: SmallVec<[Level; 4]>,
}

/// Plans the splits of a path. `None`: the root must get a level first.
pub(super) fn chain(
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
    levels.push(plan_leaf(op, need, path.last().map_or(Pgno::NULL, |leaf| leaf.0), image(index))?);
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
pub(super) fn no_split(op: &Op<'_>, pgno: Pgno) -> Error {
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

/// Is this the key of the first chunk of a long value whose root is the page's last entry? Who
/// reads the value comes for both, so they go to one page, as in ESE.
fn begins_a_value(page: PageRef<'_>, key: &[u8]) -> bool {
    let Some(last) = page.node_count().checked_sub(1).map(|last| page.node(last)) else {
        return false;
    };
    page.flags().contains(PageFlags::LONG_VALUE)
        && key.len() > last.key_len()
        && key.starts_with(&last.key_to_vec())
}

fn plan_leaf(op: &Op<'_>, need: &Need<'_>, pgno: Pgno, page: PageRef<'_>) -> Result<Level> {
    let unique = op.view.unique;
    let at = need.bookmark(op);
    let (Ok(iline) | Err(iline)) = page.search(at.key, at.data, unique);
    if let Need::Line { key, data, .. } = *need
        && iline == page.node_count()
        && page.next().is_null()
    {
        let new = Node { prefix: &[], suffix: key, data, flags: NodeFlags::empty() };
        let plan = match begins_a_value(page, key) {
            true => {
                let lines: Vec<_> = page.nodes().chain([new]).collect();
                plan::leaf_append_with_last(page, &lines, unique)
            }
            false => None,
        };
        let plan = plan.or_else(|| plan::leaf_append(page, new, unique));
        let plan = plan.ok_or_else(|| no_split(op, op.view.root))?;
        return Ok(Level { plan, with_oper: true, iline });
    }
    let old: Vec<_> = page.nodes().collect();
    let (plan, with_oper) = match *need {
        Need::Line { key, data, after } => {
            let hot = after.leaf == pgno && after.iline + 1 == iline;
            let flags = NodeFlags::empty();
            let oper = LineOper::Insert { iline, prefix: &[], suffix: key, data, flags };
            let lines = oper.lines_of(page)?;
            match plan::leaf_insert(page, &lines, iline, hot, unique) {
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
