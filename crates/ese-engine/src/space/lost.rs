//! Pages that nobody uses and nobody lists as available: found by accounting, given back.
//!
//! Between two records of a structure change a page is in no list, so a crash there would lose it
//! (decision 0009). What a tree owns is available, or a page of the tree, or of its space trees, or
//! owned by a tree inside it; the rest is lost. The leaves themselves are not read: the pages above
//! them name them.

use ese_base::{Error, JetErr, Pgno, Result};

use super::{Space, check::read_extents, extent::Extent, handle_of};
use crate::{
    database::Database,
    tree::{TreeHandle, TreeView, Writer, pages_of},
};

/// What a tree owns, the first page of each extent first.
pub(crate) fn owned_by(db: &Database, fdp: Pgno, writer: Writer) -> Result<Vec<Extent>> {
    let Some(tree) = handle_of(db, fdp)? else { return Ok(Vec::new()) };
    Space::lock(db, &tree, writer)?.owned()
}

/// The pages that a tree has lost, as runs that lie in one owned extent each. `inner` are the roots
/// of all trees that have their space from it. Nobody else may be at work on any of them.
///
/// # Errors
/// Those of damaged trees; `JET_errSPAvailExtCorrupted` (-341) if pages have two uses.
pub(crate) fn lost_pages(
    db: &Database,
    tree: &TreeHandle,
    inner: &[Pgno],
    writer: Writer,
) -> Result<Vec<Extent>> {
    let mut known = Vec::new();
    for fdp in inner {
        known.append(&mut owned_by(db, *fdp, writer)?);
    }
    let space = Space::lock(db, tree, writer)?;
    let view = tree.view();
    let mut pages = pages_of(&db.cache, &view)?;
    let header = space.header;
    if header.is_multiple() {
        for root in [header.pgno_oe(), header.pgno_ae()] {
            pages.append(&mut pages_of(&db.cache, &view.space_tree(root))?);
            known.append(&mut split_buffer(db, &view, root)?);
        }
        known.extend(read_extents(&db.cache, &view.space_tree(header.pgno_ae()))?);
    } else {
        known.append(&mut space.primary()?.free_runs(header.last));
    }
    known.extend(pages.into_iter().map(|first| Extent { first, pages: 1 }));
    known.sort_unstable_by_key(|extent| extent.first);
    let overlap = known.windows(2).find_map(|pair| match pair {
        [a, b] if a.last() >= b.first => Some(b.first),
        _ => None,
    });
    if let Some(pgno) = overlap {
        return Err(Error::new(JetErr::SPAvailExtCorrupted, "the page has two uses").at_page(pgno));
    }
    let mut lost = Vec::new();
    for owned in space.owned()? {
        subtract(owned, &known, &mut lost);
    }
    Ok(lost)
}

/// Gives lost pages back to their tree.
///
/// # Errors
/// As [`super::free_page`].
pub(crate) fn give_back(
    db: &Database,
    tree: &TreeHandle,
    writer: Writer,
    lost: Extent,
) -> Result<()> {
    Space::lock(db, tree, writer)?.give(lost)
}

/// The parts of an extent that are in none of the known ones, which are sorted and disjoint.
fn subtract(owned: Extent, known: &[Extent], lost: &mut Vec<Extent>) {
    let mut next = owned.first.0;
    let from = known.partition_point(|extent| extent.last() < owned.first);
    let until = |next: u32, end: u32, lost: &mut Vec<Extent>| {
        lost.extend(Extent::new(Pgno(next), end.saturating_sub(next)));
    };
    for extent in known.get(from..).unwrap_or_default() {
        if extent.first > owned.last() {
            break;
        }
        until(next, extent.first.0, lost);
        next = next.max(extent.last().0 + 1);
    }
    until(next, owned.last().0 + 1, lost);
}

/// The pages that another engine keeps for splits of a space tree (edb-format 5.5).
fn split_buffer(db: &Database, view: &TreeView, root: Pgno) -> Result<Vec<Extent>> {
    let guard = db.cache.read(root)?;
    view.space_tree(root).expect_own(guard.page(), root)?;
    let mut kept = Vec::new();
    for pair in guard.page().external_header().chunks_exact(8) {
        let (last, count) = pair.split_at(4);
        let word = |bytes: &[u8]| bytes.try_into().map_or(0, u32::from_le_bytes);
        let (last, count) = (word(last), word(count));
        let first = last.checked_sub(count.saturating_sub(1)).map(Pgno);
        kept.extend(first.and_then(|first| Extent::new(first, count)));
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(first: u32, pages: u32) -> Extent {
        Extent { first: Pgno(first), pages }
    }

    #[test]
    fn what_is_left_of_an_extent_is_lost() {
        let known = [extent(1, 4), extent(8, 2), extent(10, 1), extent(14, 6), extent(30, 9)];
        let mut lost = Vec::new();
        subtract(extent(3, 20), &known, &mut lost);
        assert_eq!(lost, [extent(5, 3), extent(11, 3), extent(20, 3)]);
        lost.clear();
        subtract(extent(31, 3), &known, &mut lost);
        assert_eq!(lost, []);
        subtract(extent(50, 2), &known, &mut lost);
        assert_eq!(lost, [extent(50, 2)]);
    }
}
