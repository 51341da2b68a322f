//! The size of the file: growing on request, and cutting free pages off at the end.
//!
//! To cut: what is available at the end leaves the list of available extents, the last owned extent
//! gives way to a shorter one, the log says so and is durable, and only then is the file cut
//! (decision 0010). A crash before the log says so leaves lost pages, which recovery gives back,
//! and perhaps both the old and the shorter extent, of which recovery removes the shorter.

use ese_base::{Error, JetErr, Pgno, Result};
use ese_log::records::{ExtendDb, Record, ShrinkDb};

use super::{AtHand, Space, extent::Extent, handle_of};
use crate::{
    database::Database,
    tree::{PageSource, Position, Spare, Writer, change_leaf, remove},
};

/// How long the file is, and what of it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSize {
    /// The last page that the database owns.
    pub last: Pgno,
    /// The last page in use, or of the first extent: the file can be cut behind it.
    pub used: Pgno,
}

/// Which of the forms of the record is written: the one that all engines know.
const SHRINK_FORM: u8 = 78;

fn root_space<'a>(
    db: &'a Database,
    root: &'a crate::tree::TreeHandle,
    writer: Writer,
) -> Result<Space<'a>> {
    Space::lock(db, root, writer)
}

fn no_root() -> Error {
    Error::new(JetErr::InternalError, "there is no database root")
}

/// How long the file is and could be.
///
/// # Errors
/// The page cache's; `JET_errSPOwnExtCorrupted` (-343).
pub fn file_size(db: &Database, writer: Writer) -> Result<FileSize> {
    let root = handle_of(db, Pgno::DATABASE_ROOT)?.ok_or_else(no_root)?;
    let space = root_space(db, &root, writer)?;
    let owned = space.owned()?;
    space.size(&owned)
}

/// Makes the file longer until the database owns `pages` pages. Gives the number that it owns now.
///
/// # Errors
/// `JET_errDiskFull` (-1808), `JET_errOutOfDatabaseSpace` (-1012), and as
/// [`super::allocate_page`].
pub fn grow_file(db: &Database, writer: Writer, pages: u32) -> Result<u32> {
    let root = handle_of(db, Pgno::DATABASE_ROOT)?.ok_or_else(no_root)?;
    let mut space = root_space(db, &root, writer)?;
    let last = space.owned()?.last().map_or(Pgno::NULL, Extent::last);
    if let Some(missing) = pages.checked_sub(last.0).filter(|missing| *missing > 0) {
        db.pages_allowed(last, missing, missing)?;
        space.grow_file_by(last, missing)?;
        return Ok(pages);
    }
    Ok(last.0)
}

/// Cuts free pages at the end of the file off, but leaves `least` pages and the first extent.
/// Gives the number of pages that the database owns now. While a backup reads the file, nothing
/// happens.
///
/// # Errors
/// As [`super::allocate_page`]; failures of the device make the database unusable.
pub fn shrink_file(db: &Database, writer: Writer, least: u32) -> Result<u32> {
    let root = handle_of(db, Pgno::DATABASE_ROOT)?.ok_or_else(no_root)?;
    let mut space = root_space(db, &root, writer)?;
    let owned = space.owned()?;
    let FileSize { last, used } = space.size(&owned)?;
    let target = Pgno(used.0.max(least));
    // A backup asks for the last page, which waits for this, after it has pinned the log.
    if target >= last || db.log().is_some_and(|log| log.is_pinned()) {
        return Ok(last.0);
    }
    space.disown(&owned, last, target)?;
    let pages = last.0 - target.0;
    let record = ShrinkDb { form: SHRINK_FORM, dbid: db.dbid, last: target, pages, dbtime: None };
    let (_, end) = db.append(&Record::ShrinkDb(record))?;
    if let Some(log) = db.log() {
        log.flush(end)?;
    }
    db.cache.cut_off(target)?;
    Ok(target.0)
}

/// Removes what a crash between the two steps of shortening an owned extent left: the longer one
/// holds. Gives the number of extents removed.
///
/// # Errors
/// As [`super::allocate_page`].
pub(crate) fn mend_owned(db: &Database, writer: Writer) -> Result<u32> {
    let root = handle_of(db, Pgno::DATABASE_ROOT)?.ok_or_else(no_root)?;
    let space = root_space(db, &root, writer)?;
    let owned = space.owned()?;
    let mut removed = 0;
    for pair in owned.windows(2) {
        if let [shorter, longer] = pair
            && shorter.first == longer.first
        {
            let mut source = FromAvailable { space: &space, unused: Spare::new() };
            remove(&space.op(space.header.pgno_oe()), &shorter.key(), Some(&mut source))?;
            // What the tree does not need any more is lost, and found in a moment.
            removed += 1;
        }
    }
    Ok(removed)
}

/// Pages for a split of the owned-extents tree, from what is available.
struct FromAvailable<'s, 'a> {
    space: &'s Space<'a>,
    unused: Spare,
}

impl PageSource for FromAvailable<'_, '_> {
    fn take(&mut self, count: usize, to: &mut Spare) -> Result<()> {
        for _ in 0..count {
            let none = || Error::new(JetErr::OutOfDatabaseSpace, "no page for the list of extents");
            let extent = self.space.find_available(1, 1)?.ok_or_else(none)?;
            let mut freed = AtHand::default();
            to.push(self.space.shrink_available(extent, 1, Some(&mut freed))?.first);
            self.unused.extend(freed.pages);
        }
        Ok(())
    }

    fn give_back(&mut self, pages: &[Pgno]) -> Result<()> {
        self.unused.extend_from_slice(pages);
        Ok(())
    }
}

impl Space<'_> {
    /// Of the database root.
    fn size(&self, owned: &[Extent]) -> Result<FileSize> {
        let last = owned.last().map_or(Pgno::NULL, Extent::last);
        let mut used = last;
        while let Some(free) = self.extent_from(self.header.pgno_ae(), used)?
            && free.last() == used
        {
            used = Pgno(free.first.0 - 1);
        }
        let first = owned.first().map_or(last, Extent::last);
        Ok(FileSize { last, used: used.max(first) })
    }

    /// Makes the database own nothing behind `target`; the pages there are available.
    fn disown(&mut self, owned: &[Extent], last: Pgno, target: Pgno) -> Result<()> {
        let mut freed = AtHand::default();
        let mut rest = None;
        let mut end = last;
        while end > target {
            let ae = self.header.pgno_ae();
            let Some(free) = self.extent_from(ae, end)?.filter(|free| free.last() == end) else {
                return Err(super::not_in_use(self.tree.fdp, Extent { first: end, pages: 1 }));
            };
            remove(&self.op(ae), &free.key(), Some(&mut freed))?;
            rest = Extent::new(free.first, (target.0 + 1).saturating_sub(free.first.0));
            end = Pgno(free.first.0 - 1);
        }
        let mut source = FromAvailable { space: self, unused: Spare::new() };
        for extent in owned.iter().rev().filter(|extent| extent.last() > target) {
            let op = self.op(self.header.pgno_oe());
            let pages = (target.0 + 1).saturating_sub(extent.first.0);
            if let Some(shorter) = Extent::new(extent.first, pages) {
                let at = &mut Position::default();
                change_leaf(&op, &shorter.key(), &shorter.data(), at, &mut source)?;
            }
            remove(&op, &extent.key(), Some(&mut source))?;
        }
        freed.pages.extend(source.unused);
        rest.map_or(Ok(()), |rest| self.add_available(rest, false))?;
        self.give_pages(freed)
    }

    /// Adds so many pages behind the last one.
    pub(super) fn grow_file_by(&mut self, last: Pgno, pages: u32) -> Result<()> {
        let extent = Extent::new(Pgno(last.0 + 1), pages).ok_or_else(|| {
            Error::new(JetErr::OutOfDatabaseSpace, "the database has as many pages as can be")
        })?;
        if self.db.file.page_count() < extent.last().0 {
            self.db.file.grow(extent.last())?;
        }
        let record = ExtendDb { dbid: self.tree.dbid, last: extent.last(), more: &[] };
        self.db.append(&Record::ExtendDb(record))?;
        self.add_owned(extent)
    }
}
