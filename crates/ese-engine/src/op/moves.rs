//! Pages that get another number (records 65 and 96), so that the end of a file can be cut off.
//!
//! The record holds the page as it was. The new page is made of it; the old one is emptied; the
//! neighbours and the parent lead to the new one. Where a tree's root moves, the roots of its space
//! trees move with it, in one group, with the space headers of the trees inside it and the rows of
//! the catalog that name it.

use ese_base::{PageSize, Pgno, Result};
use ese_log::records::{PageMove, Record};
use ese_pages::{PageFlags, PageMut, PageRef};

use super::{Undone, group::GroupPages, impossible, merge, node, split::pointer_line};
use crate::space::header::SpaceHeader;

/// [`PageMove::move_flags`]: the root of a tree.
const ROOT: u32 = 1;
/// [`PageMove::move_flags`]: the root of its owned extents.
const ROOT_OF_OWNED: u32 = 2;
/// [`PageMove::move_flags`]: the root of its available extents.
const ROOT_OF_AVAILABLE: u32 = 4;

/// Applies a move to those of its pages that need it.
///
/// # Errors
/// `JET_errInvalidLoggedOperation` (-500) if the record does not describe these pages.
pub fn apply(r: &PageMove<'_>, pages: &mut GroupPages<'_>, size: PageSize) -> Result<()> {
    if let Some(new) = pages.needing(r.pgno_dest) {
        make_new_page(r, &mut new.guard.page_mut(), size)?;
    }
    if let Some(left) = pages.needing(r.pgno_left) {
        left.guard.page_mut().set_next(r.pgno_dest);
    }
    if let Some(right) = pages.needing(r.pgno_right) {
        right.guard.page_mut().set_prev(r.pgno_dest);
    }
    if let Some(parent) = pages.needing(r.pgno_parent) {
        let mut parent = parent.guard.page_mut();
        let guess = usize::try_from(r.iline_parent).unwrap_or(0);
        let iline = pointer_line(parent.as_ref(), guess, r.page.pgno)
            .ok_or_else(|| impossible(r.pgno_parent, "no pointer to the page that moves"))?;
        parent.replace_data(iline, &r.pgno_dest.0.to_le_bytes())?;
    }
    if let Some(old) = pages.needing(r.page.pgno) {
        merge::empty(r.page.pgno, r.page.dbtime, &mut old.guard.page_mut());
    }
    Ok(())
}

/// The page under its new number.
fn make_new_page(r: &PageMove<'_>, new: &mut PageMut<'_>, size: PageSize) -> Result<()> {
    let image = image_of(r, size)?;
    let flags = PageRef::new(&image, size).flags();
    new.bytes_mut().copy_from_slice(&image);
    new.set_stored_pgno(r.pgno_dest);
    new.set_flags(flags - PageFlags::FLUSH_TYPE - PageFlags::PRE_INIT);
    Ok(())
}

/// The page as it was: header and lines, then the gap that the record leaves out, then the slots.
fn image_of(r: &PageMove<'_>, size: PageSize) -> Result<Vec<u8>> {
    let (head, tail) = (r.header.len(), r.trailer.len());
    let gap = size.bytes().checked_sub(head + tail).filter(|_| head >= size.header_len());
    let Some(gap) = gap else {
        let what = format!("a page of {head} and {tail} bytes moves");
        return Err(impossible(r.page.pgno, what));
    };
    let mut image = Vec::with_capacity(size.bytes());
    image.extend_from_slice(r.header);
    image.resize(head + gap, 0);
    image.extend_from_slice(r.trailer);
    Ok(image)
}

/// Applies the group that moves the roots of a tree.
///
/// # Errors
/// As [`apply`].
pub fn apply_root_move(
    records: &[&Record<'_>],
    pages: &mut GroupPages<'_>,
    size: PageSize,
) -> Result<()> {
    let moves = || {
        records.iter().filter_map(|record| match record {
            Record::PageMove(r) => Some(r),
            _ => None,
        })
    };
    let moved = |flag: u32| moves().find(|r| r.move_flags & flag != 0);
    for r in moves() {
        if r.move_flags & (ROOT | ROOT_OF_OWNED | ROOT_OF_AVAILABLE) == 0 {
            return Err(impossible(r.page.pgno, "a page that is no root moves with roots"));
        }
        apply(r, pages, size)?;
    }
    // The root names the root of its owned extents; that of the available ones follows on it.
    if let (Some(root), Some(owned)) = (moved(ROOT), moved(ROOT_OF_OWNED))
        && let Some(page) = pages.needing(root.pgno_dest)
    {
        set_owned_root(root.pgno_dest, owned.pgno_dest, &mut page.guard.page_mut())?;
    }
    for record in records {
        let Some(head) = record.page_head() else { continue };
        let Some(page) = pages.needing(head.pgno) else { continue };
        let mut page = page.guard.page_mut();
        match record {
            Record::SetExternalHeader(r) => {
                let header = SpaceHeader::decode(r.data, head.pgno)?;
                set_space_header(head.pgno, &header, &mut page)?;
            }
            Record::Replace(_) => node::apply(record, &mut page, Undone::Nothing)?,
            _ => {}
        }
    }
    Ok(())
}

fn set_owned_root(pgno: Pgno, owned: Pgno, page: &mut PageMut<'_>) -> Result<()> {
    let mut header = SpaceHeader::decode(page.as_ref().external_header(), pgno)?;
    header.last = owned.0;
    set_space_header(pgno, &header, page)
}

/// The space header alone: a root may keep more there.
fn set_space_header(pgno: Pgno, header: &SpaceHeader, page: &mut PageMut<'_>) -> Result<()> {
    let mut external = page.as_ref().external_header().to_vec();
    header.store(&mut external, pgno)?;
    page.set_external_header(&external)
}

#[cfg(test)]
mod tests;
