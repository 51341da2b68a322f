//! Merging pages and emptying trees (log-records 2.4).
//!
//! A merge group holds one record per page whose pointers change, from the highest down, and one
//! for the leaf that goes or loses lines:
//!
//! | page          | becomes                                                                   |
//! |---------------|---------------------------------------------------------------------------|
//! | merged page   | emptied, with the flag that says so; or left with the lines that stay     |
//! | right, left   | its lines before theirs, or behind; their links pass the emptied page by  |
//! | parent        | loses the pointer (flag 2), or a pointer gets another key (flag 1), or is  |
//! |               | emptied itself (flag 4), when it led nowhere else                         |
//!
//! A pointer that goes leaves its range of keys to the next one. Where there is no next one on the
//! page, or where the lines went left, the pointer before takes over the key, unless the record of
//! the page above says that the bound itself moves.
//!
//! Lines move as they are; the page that gets them keeps its prefix key. They come from the merged
//! page, or from the record's image of it when that page is already newer on disk.

#[cfg(test)]
mod tests;

use ese_base::{DbTime, PageSize, Pgno, Result};
use ese_log::records::{EmptyTree, Merge, MergeType};
use ese_pages::{Node, NodeFlags, PageFlags, PageMut, PageRef};

use super::{
    group::{GroupPages, unpack_image},
    impossible,
    split::pointer_line,
};

/// [`Merge::merge_flags`]: a pointer of the page gets the record's key.
pub const KEY_CHANGE: u8 = 1;
/// [`Merge::merge_flags`]: a pointer of the page goes.
pub const DELETE_NODE: u8 = 2;
/// [`Merge::merge_flags`]: the page is emptied.
pub const EMPTY_PAGE: u8 = 4;

/// Applies the records of a merge group to those of its pages that need it.
///
/// # Errors
/// `JET_errInvalidLoggedOperation` and the like if the records do not describe these pages.
pub fn apply_merges(
    merges: &[Merge<'_>],
    pages: &mut GroupPages<'_>,
    size: PageSize,
) -> Result<()> {
    for r in merges {
        match r.merge_type {
            MergeType::None => change_path_page(r, merges, pages)?,
            MergeType::EmptyPage => pass_by(r, pages),
            MergeType::FullRight
            | MergeType::FullLeft
            | MergeType::PartialRight
            | MergeType::PartialLeft => move_lines(r, pages, size)?,
            MergeType::EmptyTree | MergeType::PageMove => {
                let what = format!("a merge of type {:?} in a group", r.merge_type);
                return Err(impossible(r.page.pgno, what));
            }
        }
    }
    Ok(())
}

/// Empties a page: nothing on it means anything any more, and no reader takes it for his.
pub(super) fn empty(pgno: Pgno, dbtime: DbTime, page: &mut PageMut<'_>) {
    let (objid, flags) = (page.as_ref().objid(), page.as_ref().flags());
    page.init(pgno, objid, (flags - PageFlags::FLUSH_TYPE) | PageFlags::EMPTY, dbtime);
}

/// The neighbours lead past the page, which is emptied.
fn pass_by(r: &Merge<'_>, pages: &mut GroupPages<'_>) {
    if let Some(left) = pages.needing(r.pgno_left) {
        left.guard.page_mut().set_next(r.pgno_right);
    }
    if let Some(right) = pages.needing(r.pgno_right) {
        right.guard.page_mut().set_prev(r.pgno_left);
    }
    if let Some(page) = pages.needing(r.page.pgno) {
        empty(r.page.pgno, r.page.dbtime, &mut page.guard.page_mut());
    }
}

/// Lines go to a neighbour.
fn move_lines(r: &Merge<'_>, pages: &mut GroupPages<'_>, size: PageSize) -> Result<()> {
    let rightwards = matches!(r.merge_type, MergeType::FullRight | MergeType::PartialRight);
    let whole = matches!(r.merge_type, MergeType::FullRight | MergeType::FullLeft);
    let to = if rightwards { r.pgno_right } else { r.pgno_left };
    let first = usize::from(r.iline_merge.0);
    let moves = |line: usize| match (whole, rightwards) {
        (true, _) => true,
        (false, true) => line >= first,
        (false, false) => line <= first,
    };
    let mut image = Vec::new();
    if let Some(destination) = pages.needing(to).map(|page| page.guard.pgno()) {
        match (pages.needing(r.page.pgno), r.image) {
            (Some(page), _) => image.extend_from_slice(page.guard.page().bytes()),
            (None, Some(logged)) if !logged.bytes.is_empty() => {
                unpack_image(r.page.pgno, logged, size, &mut image)?;
            }
            _ => return Err(impossible(destination, "lines move here, but none are at hand")),
        }
        let before = PageRef::new(&image, size);
        let lines: Vec<Node<'_>> = before
            .nodes()
            .enumerate()
            .filter(|(line, _)| moves(*line))
            .map(|(_, node)| node)
            .collect();
        if let Some(page) = pages.needing(to) {
            let mut page = page.guard.page_mut();
            let at = if rightwards { 0 } else { page.as_ref().node_count() };
            insert_lines(&mut page, at, &lines)?;
        }
    }
    if whole {
        pass_by(r, pages);
    } else if let Some(page) = pages.needing(r.page.pgno) {
        let mut page = page.guard.page_mut();
        for line in (0..page.as_ref().node_count()).rev().filter(|line| moves(*line)) {
            page.delete_node(line)?;
        }
    }
    Ok(())
}

/// Inserts lines from `at` on, compressed against the page's prefix key.
fn insert_lines(page: &mut PageMut<'_>, at: usize, lines: &[Node<'_>]) -> Result<()> {
    let mut key = Vec::with_capacity(256);
    for (index, line) in lines.iter().enumerate() {
        key.clear();
        line.append_key(&mut key);
        insert_with_key(page, at + index, &key, line.data, line.flags)?;
    }
    Ok(())
}

fn insert_with_key(
    page: &mut PageMut<'_>,
    iline: usize,
    key: &[u8],
    data: &[u8],
    flags: NodeFlags,
) -> Result<()> {
    let common = page.as_ref().compress_len(key);
    page.insert_node(iline, common, key.get(common..).unwrap_or(&[]), data, flags)
}

/// Changes an internal page as its record says.
fn change_path_page(r: &Merge<'_>, merges: &[Merge<'_>], pages: &mut GroupPages<'_>) -> Result<()> {
    let Some(page) = pages.needing(r.page.pgno) else { return Ok(()) };
    let mut page = page.guard.page_mut();
    let below = merges.iter().find(|other| other.pgno_parent == r.page.pgno);
    let guess = usize::from(r.page.iline.0);
    if r.merge_flags & EMPTY_PAGE != 0 {
        empty(r.page.pgno, r.page.dbtime, &mut page);
    } else if r.merge_flags & DELETE_NODE != 0 {
        let above = merges.iter().find(|other| other.page.pgno == r.pgno_parent);
        let bound_moves = above.is_some_and(|above| above.merge_flags & KEY_CHANGE != 0);
        let went_left = below.is_some_and(|below| below.merge_type == MergeType::FullLeft);
        let iline = below
            .map_or(Some(guess), |below| pointer_line(page.as_ref(), guess, below.page.pgno))
            .ok_or_else(|| impossible(r.page.pgno, "no pointer to the page that is merged"))?;
        let last = iline + 1 == page.as_ref().node_count();
        delete_pointer(r.page.pgno, &mut page, iline, went_left || last && !bound_moves)?;
    } else if r.merge_flags & KEY_CHANGE != 0 {
        // Where the record itself has none, the key is that of the merge below.
        let key = below.map_or(&[][..], |below| below.parent_key);
        let key = if r.parent_key.is_empty() { key } else { r.parent_key };
        change_key(r.page.pgno, &mut page, guess, key)?;
    }
    Ok(())
}

/// Removes a pointer; with `hand_over`, the one before it takes over its key.
fn delete_pointer(pgno: Pgno, page: &mut PageMut<'_>, iline: usize, hand_over: bool) -> Result<()> {
    if page.as_ref().node_count() < 2 {
        return Err(impossible(pgno, "the only pointer of an internal page would go"));
    }
    let key = page.as_ref().node(iline).key_to_vec();
    page.delete_node(iline)?;
    match iline.checked_sub(1) {
        Some(before) if hand_over => change_key(pgno, page, before, &key),
        None if hand_over => Err(impossible(pgno, "no pointer is left of the one that goes")),
        _ => Ok(()),
    }
}

/// Gives a pointer another key.
fn change_key(pgno: Pgno, page: &mut PageMut<'_>, iline: usize, key: &[u8]) -> Result<()> {
    let child = page.as_ref().child(iline);
    if child.is_null() {
        return Err(impossible(pgno, format!("no pointer stands on line {iline}")));
    }
    page.delete_node(iline)?;
    insert_with_key(page, iline, key, &child.0.to_le_bytes(), NodeFlags::empty())
}

/// The root of a tree that loses all its other pages: an empty leaf, which keeps what it owns.
///
/// # Errors
/// Those of a page that is not sound.
pub fn empty_root(r: &EmptyTree<'_>, root: &mut PageMut<'_>) -> Result<()> {
    let page = root.as_ref();
    let external = page.external_header().to_vec();
    let dropped = PageFlags::FLUSH_TYPE | PageFlags::PARENT_OF_LEAF;
    let (objid, flags) = (page.objid(), (page.flags() - dropped) | PageFlags::LEAF);
    root.init(r.node.page.pgno, objid, flags, r.node.page.dbtime);
    root.set_external_header(&external)
}

/// A page that an emptied tree gives up.
pub fn empty_page_of_tree(r: &EmptyTree<'_>, pgno: Pgno, page: &mut PageMut<'_>) {
    empty(pgno, r.node.page.dbtime, page);
}

/// Would this key fit on line `iline` of an internal page instead of the one that is there?
pub(crate) fn key_fits(page: PageRef<'_>, iline: usize, key: &[u8]) -> bool {
    let common = page.compress_len(key);
    let len = PageMut::node_len(common, key.len() - common, 4);
    len <= page.free_bytes() + page.line_len(iline)
}

/// Bytes that lines take on a page with this prefix key, slots included.
pub(crate) fn bytes_on<'n>(page: PageRef<'_>, lines: impl Iterator<Item = Node<'n>>) -> usize {
    // A slot has four bytes.
    let line = |node: Node<'_>| {
        let common = page.compress_len(&node.key_to_vec());
        PageMut::node_len(common, node.key_len() - common, node.data.len()) + 4
    };
    lines.map(line).sum()
}
