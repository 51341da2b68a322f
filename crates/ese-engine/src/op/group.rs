//! The pages of a macro group, and a split group applied to them, at run time and at redo.
//!
//! The caller latches every page of the group for writing, once, and says of each whether it still
//! needs the group (at run time: all do).

use ese_base::{DbTime, LgPos, PageSize, Pgno, Result};
use ese_log::records::{PageImage, Record, Split, SplitOper};
use ese_pages::{PageRef, cache::WriteGuard};
use smallvec::SmallVec;

use super::{
    impossible,
    split::{LineOper, change_split_page, insert_pointer, make_new_page, make_new_page_of_insert},
};
use crate::compress::xpress;

/// One page of a group.
#[derive(Debug)]
pub struct GroupPage<'c> {
    /// The latched page.
    pub guard: WriteGuard<'c>,
    /// Does it need the group? Otherwise it is newer and stays as it is.
    pub needed: bool,
}

/// The pages of a group, each once.
#[derive(Debug, Default)]
pub struct GroupPages<'c>(SmallVec<[GroupPage<'c>; 6]>);

impl<'c> GroupPages<'c> {
    /// No pages.
    #[must_use]
    pub fn new() -> GroupPages<'c> {
        GroupPages(SmallVec::new())
    }

    /// Adds a page; the caller has made sure that it is not there.
    pub fn push(&mut self, guard: WriteGuard<'c>, needed: bool) {
        self.0.push(GroupPage { guard, needed });
    }

    /// A page of the group.
    pub fn find(&mut self, pgno: Pgno) -> Option<&mut GroupPage<'c>> {
        self.0.iter_mut().find(|page| page.guard.pgno() == pgno)
    }

    /// The image of a page of the group.
    #[must_use]
    pub fn page(&self, pgno: Pgno) -> Option<PageRef<'_>> {
        self.0.iter().find(|page| page.guard.pgno() == pgno).map(|page| page.guard.page())
    }

    /// Stamps and marks the pages that were changed.
    pub fn stamp(&mut self, dbtime: DbTime, start: LgPos, end: LgPos) {
        for page in self.0.iter_mut().filter(|page| page.needed) {
            page.guard.page_mut().set_dbtime(dbtime);
            page.guard.mark_dirty(start, end);
        }
    }

    /// The page, if it is there and needs the group.
    pub(super) fn needing(&mut self, pgno: Pgno) -> Option<&mut GroupPage<'c>> {
        self.find(pgno).filter(|page| page.needed)
    }
}

/// Applies the levels of a split, root first, with the node operation they make room for.
///
/// # Errors
/// `JET_errInvalidLoggedOperation` and the like if the records do not describe these pages.
pub fn apply_group(
    splits: &[Split<'_>],
    oper: Option<&Record<'_>>,
    pages: &mut GroupPages<'_>,
    size: PageSize,
) -> Result<()> {
    for (level, r) in splits.iter().enumerate() {
        let below = splits.get(level + 1).filter(|below| !below.pgno_new.is_null());
        let iline = usize::from(r.iline_oper.0);
        if r.pgno_new.is_null() {
            if let Some(below) = below
                && let Some(page) = pages.needing(r.page.pgno)
            {
                insert_pointer(r.page.pgno, iline, below, &mut page.guard.page_mut())?;
            }
            continue;
        }
        let line_oper = match below {
            Some(below) => LineOper::pointer(iline, below),
            None if r.split_oper == SplitOper::None => LineOper::None,
            None => LineOper::of(oper)?,
        };
        apply_split(r, &line_oper, pages, size)?;
    }
    Ok(())
}

fn apply_split(
    r: &Split<'_>,
    oper: &LineOper<'_>,
    pages: &mut GroupPages<'_>,
    size: PageSize,
) -> Result<()> {
    let mut image = Vec::new();
    let new_needed = pages.needing(r.pgno_new).is_some();
    let before = match pages.needing(r.page.pgno) {
        Some(page) => {
            image.extend_from_slice(page.guard.page().bytes());
            true
        }
        None => match r.image {
            Some(logged) if new_needed && !logged.bytes.is_empty() => {
                unpack_image(r.page.pgno, logged, size, &mut image)?;
                true
            }
            _ => false,
        },
    };
    let before = before.then(|| PageRef::new(&image, size));
    if let Some(new) = pages.needing(r.pgno_new) {
        let mut new = new.guard.page_mut();
        match before {
            Some(before) => make_new_page(r, before, oper, &mut new)?,
            None => make_new_page_of_insert(r, oper, &mut new)?,
        }
    }
    if let Some(page) = pages.needing(r.page.pgno)
        && let Some(before) = before
    {
        change_split_page(r, before, oper, &mut page.guard.page_mut())?;
    }
    if !r.pgno_right.is_null()
        && let Some(right) = pages.needing(r.pgno_right)
    {
        right.guard.page_mut().set_prev(r.pgno_new);
    }
    Ok(())
}

/// The logged image of a split or merged page as a whole page.
pub(super) fn unpack_image(
    pgno: Pgno,
    image: PageImage<'_>,
    size: PageSize,
    to: &mut Vec<u8>,
) -> Result<()> {
    let whole = match image.flags {
        0 => Some(image.bytes.to_vec()),
        1 => rehydrate(image.bytes, size),
        2 => Some(xpress::decompress(image.bytes, size.bytes())?),
        _ => None,
    };
    match whole {
        Some(whole) if whole.len() == size.bytes() => {
            *to = whole;
            Ok(())
        }
        _ => Err(impossible(
            pgno,
            format!("a page image of form {} with {} bytes", image.flags, image.bytes.len()),
        )),
    }
}

/// A dehydrated page lacks the gap between data and slots.
fn rehydrate(image: &[u8], size: PageSize) -> Option<Vec<u8>> {
    // Number of slots: itagState at offset 34, its low 12 bits (edb-format 2.1).
    let state = image.get(34..)?.first_chunk::<2>()?;
    let slots = usize::from(u16::from_le_bytes(*state) & 0x0fff) * 4;
    let (data, slots) = image.split_at_checked(image.len().checked_sub(slots)?)?;
    let gap = size.bytes().checked_sub(image.len())?;
    let mut page = Vec::with_capacity(size.bytes());
    page.extend_from_slice(data);
    page.resize(data.len() + gap, 0);
    page.extend_from_slice(slots);
    Some(page)
}

#[cfg(test)]
mod tests {
    use ese_base::ObjId;
    use ese_pages::{NodeFlags, PageFlags, PageMut};

    use super::*;

    #[test]
    fn a_dehydrated_image_gets_its_gap_back() {
        for size in PageSize::ALL {
            let mut page = vec![0; size.bytes()];
            let mut page_mut = PageMut::new(&mut page, size);
            page_mut.init(Pgno(9), ObjId(3), PageFlags::LEAF, DbTime(7));
            for (iline, key) in [b"abc", b"abd", b"xyz"].into_iter().enumerate() {
                page_mut.insert_node(iline, 0, key, b"data", NodeFlags::empty()).unwrap();
            }
            let data = size.header_len() + 3 * (2 + 3 + 4);
            let mut packed = page[..data].to_vec();
            packed.extend_from_slice(&page[size.bytes() - 4 * 4..]);
            assert_eq!(rehydrate(&packed, size), Some(page));
            assert_eq!(rehydrate(&packed[..20], size), None);
            assert_eq!(rehydrate(&[0xff; 40], size), None);
        }
    }
}
