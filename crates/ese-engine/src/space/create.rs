//! Creating trees and converting them.

use ese_base::{DbTime, Error, JetErr, ObjId, Pgno, Result};
use ese_log::records::{
    ConvertAvailable, ConvertFdp, CreateMultipleExtentFdp, CreateSingleExtentFdp, PageHead, Record,
    RecordFlags,
};
use ese_pages::{PageFlags, cache::WriteGuard};

use super::{Space, growth_step};
use crate::{
    database::Database,
    op::fdp::{self, FdpPages},
    tree::{TreeHandle, TreeKind, Writer},
};

/// A tree to be created.
#[derive(Clone, Copy, Debug)]
pub struct NewTree {
    /// Its object id.
    pub objid: ObjId,
    /// What kind of tree.
    pub kind: TreeKind,
    /// Pages of its first extent: at least 1, or 3 with space trees.
    pub pages: u32,
    /// Does it have space trees from the start? Otherwise it starts in one extent.
    pub multiple: bool,
}

/// Creates an empty tree in space of its parent and returns its root.
///
/// # Errors
/// As [`super::allocate_page`].
pub fn create_fdp(
    db: &Database,
    parent: &TreeHandle,
    writer: Writer,
    new: &NewTree,
) -> Result<Pgno> {
    let extent = Space::lock(db, parent, writer)?.obtain(new.pages, new.pages)?;
    create_fdp_at(db, writer, extent.first, parent.fdp, new)?;
    Ok(extent.first)
}

/// Creates an empty tree at a page; it gets that page and the ones behind it. This is how the
/// database root comes to be, whose parent is [`Pgno::NULL`].
///
/// # Errors
/// The page cache's and the log's.
pub fn create_fdp_at(
    db: &Database,
    writer: Writer,
    fdp: Pgno,
    parent: Pgno,
    new: &NewTree,
) -> Result<()> {
    let dbtime = db.next_dbtime();
    let mut flags = RecordFlags::empty();
    flags.set(RecordFlags::UNIQUE, new.kind.unique);
    let page = head(db, writer, fdp, dbtime, DbTime::NOT_CHECKED, flags);
    let page_flags = new.kind.all_page_flags().bits();
    let mut root = db.cache.write_new(fdp)?;
    if !new.multiple {
        let record = CreateSingleExtentFdp {
            page,
            objid: new.objid,
            pgno_fdp_parent: parent,
            primary_pages: new.pages,
            page_flags,
        };
        let (start, end) = db.append(&Record::CreateSingleExtentFdp(record))?;
        fdp::create_single(&record, &mut root.page_mut()).map_err(|error| db.broken(error))?;
        root.mark_dirty(start, end);
        return Ok(());
    }
    if new.pages < 3 {
        return Err(Error::new(JetErr::InternalError, "a tree with space trees needs 3 pages"));
    }
    let (pgno_oe, pgno_ae) = (Pgno(fdp.0 + 1), Pgno(fdp.0 + 2));
    let mut oe = db.cache.write_new(pgno_oe)?;
    let mut ae = db.cache.write_new(pgno_ae)?;
    let record = CreateMultipleExtentFdp {
        page,
        objid: new.objid,
        pgno_oe,
        pgno_ae,
        pgno_fdp_parent: parent,
        primary_pages: new.pages,
        page_flags,
    };
    let (start, end) = db.append(&Record::CreateMultipleExtentFdp(record))?;
    let mut pages = all_three(&mut root, &mut oe, &mut ae);
    fdp::create_multiple(&record, &mut pages).map_err(|error| db.broken(error))?;
    for mut guard in [root, oe, ae] {
        guard.mark_dirty(start, end);
    }
    Ok(())
}

fn all_three<'p>(
    fdp: &'p mut WriteGuard<'_>,
    oe: &'p mut WriteGuard<'_>,
    ae: &'p mut WriteGuard<'_>,
) -> FdpPages<'p> {
    FdpPages { fdp: Some(fdp.page_mut()), oe: Some(oe.page_mut()), ae: Some(ae.page_mut()) }
}

fn head(
    db: &Database,
    writer: Writer,
    pgno: Pgno,
    dbtime: DbTime,
    dbtime_before: DbTime,
    flags: RecordFlags,
) -> PageHead {
    PageHead {
        procid: writer.procid,
        dbid: db.dbid,
        pgno,
        dbtime,
        dbtime_before,
        trx_begin0: writer.trx,
        level: writer.level,
        iline: ese_base::Iline(0),
        flags,
    }
}

impl Space<'_> {
    /// The one extent is used up: a second one, whose first two pages become the space trees
    /// (edb-format 5.4). At least `pages` pages in a row are free afterwards.
    pub(super) fn convert(&mut self, parent: &TreeHandle, pages: u32) -> Result<()> {
        let step = growth_step(self.header.pages, self.db.page_size().bytes());
        let (least, wanted) = (pages.saturating_add(2), pages.max(step).saturating_add(2));
        let secondary = Space::lock(self.db, parent, self.writer)?.obtain(least, wanted)?;
        let (pgno_oe, pgno_ae) = (secondary.first, Pgno(secondary.first.0 + 1));
        let mut root = self.db.cache.write(self.tree.fdp)?;
        let mut oe = self.db.cache.write_new(pgno_oe)?;
        let mut ae = self.db.cache.write_new(pgno_ae)?;
        let (dbtime, before) = (self.db.next_dbtime(), root.page().dbtime());
        let mut flags = RecordFlags::empty();
        flags.set(RecordFlags::UNIQUE, self.tree.kind.unique);
        let kind = self.tree.kind.all_page_flags() | PageFlags::FORMAT;
        let record = ConvertFdp {
            page: head(self.db, self.writer, self.tree.fdp, dbtime, before, flags),
            objid: self.tree.objid,
            pgno_oe,
            pgno_ae,
            pgno_fdp_parent: self.header.parent,
            pgno_secondary_first: secondary.first,
            primary_pages: self.header.pages,
            secondary_pages: secondary.pages,
            available: Some(ConvertAvailable { bits: self.header.last, page_flags: kind.bits() }),
        };
        let (start, end) = self.db.append(&Record::ConvertFdp(record))?;
        let mut pages = all_three(&mut root, &mut oe, &mut ae);
        fdp::convert(&record, &mut pages).map_err(|error| self.db.broken(error))?;
        for mut guard in [root, oe, ae] {
            guard.page_mut().set_dbtime(dbtime);
            guard.mark_dirty(start, end);
        }
        self.header = super::read_header(self.db, self.tree)?;
        Ok(())
    }
}
