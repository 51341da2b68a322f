//! Creating trees and converting them.

use ese_base::{DbTime, ObjId, Pgno, Result};
use ese_log::records::{
    ConvertAvailable, ConvertFdp, CreateMultipleExtentFdp, CreateSingleExtentFdp, PageHead, Record,
    RecordFlags,
};
use ese_pages::{PageFlags, cache::WriteGuard};

use super::{Space, extent::Extent, growth_step};
use crate::{
    database::Database,
    op::fdp::{self, FdpPages},
    tree::{TreeHandle, TreeKind, Writer},
};

/// Creates an empty tree in one extent of its parent's space and returns its root. The other
/// `pages - 1` pages are available to it.
///
/// # Errors
/// As [`super::allocate_page`].
pub fn create_single(
    db: &Database,
    parent: &TreeHandle,
    writer: Writer,
    objid: ObjId,
    kind: TreeKind,
    pages: u32,
) -> Result<Pgno> {
    let pages = pages.max(1);
    let extent = Space::lock(db, parent, writer)?.obtain(pages, pages)?;
    let dbtime = db.next_dbtime();
    let page = head(db, writer, extent.first, dbtime, DbTime::NOT_CHECKED, order_flag(kind));
    let record = CreateSingleExtentFdp {
        page,
        objid,
        pgno_fdp_parent: parent.fdp,
        primary_pages: pages,
        page_flags: kind.all_page_flags().bits(),
    };
    let mut root = db.cache.write_new(extent.first)?;
    let (start, end) = db.append(&Record::CreateSingleExtentFdp(record))?;
    fdp::create_single(&record, &mut root.page_mut()).map_err(|error| db.broken(error))?;
    root.mark_dirty(start, end);
    Ok(extent.first)
}

/// Creates an empty tree that has its space trees from the start, with at least 3 pages of its
/// parent's space: root, owned extents, available extents, in this order.
///
/// # Errors
/// As [`super::allocate_page`].
pub fn create_multiple(
    db: &Database,
    parent: &TreeHandle,
    writer: Writer,
    objid: ObjId,
    kind: TreeKind,
    pages: u32,
) -> Result<Pgno> {
    let pages = pages.max(3);
    let extent = Space::lock(db, parent, writer)?.obtain(pages, pages)?;
    create_multiple_at(db, writer, extent, parent.fdp, objid, kind)?;
    Ok(extent.first)
}

/// Creates the tree that owns every page of a new database: pages 1 to `pages`, at least 3.
///
/// # Errors
/// The page cache's and the log's.
pub fn create_database_root(
    db: &Database,
    root: &TreeHandle,
    writer: Writer,
    pages: u32,
) -> Result<()> {
    let extent = Extent { first: root.fdp, pages: pages.max(3) };
    create_multiple_at(db, writer, extent, Pgno::NULL, root.objid, root.kind)
}

fn create_multiple_at(
    db: &Database,
    writer: Writer,
    extent: Extent,
    parent: Pgno,
    objid: ObjId,
    kind: TreeKind,
) -> Result<()> {
    let pgno = extent.first;
    let (pgno_oe, pgno_ae) = (Pgno(pgno.0 + 1), Pgno(pgno.0 + 2));
    let mut root = db.cache.write_new(pgno)?;
    let mut oe = db.cache.write_new(pgno_oe)?;
    let mut ae = db.cache.write_new(pgno_ae)?;
    let dbtime = db.next_dbtime();
    let record = CreateMultipleExtentFdp {
        page: head(db, writer, pgno, dbtime, DbTime::NOT_CHECKED, order_flag(kind)),
        objid,
        pgno_oe,
        pgno_ae,
        pgno_fdp_parent: parent,
        primary_pages: extent.pages,
        page_flags: kind.all_page_flags().bits(),
    };
    let (start, end) = db.append(&Record::CreateMultipleExtentFdp(record))?;
    let mut pages = all_three(&mut root, &mut oe, &mut ae);
    fdp::create_multiple(&record, &mut pages).map_err(|error| db.broken(error))?;
    for mut guard in [root, oe, ae] {
        guard.mark_dirty(start, end);
    }
    Ok(())
}

/// What a record says about the order of the tree's keys.
fn order_flag(kind: TreeKind) -> RecordFlags {
    if kind.unique { RecordFlags::UNIQUE } else { RecordFlags::empty() }
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
        let own = growth_step(self.header.pages, self.db.page_size().bytes()).saturating_add(2);
        let step = self.tree.growth().map_or(own, |growth| growth.next(self.header.pages));
        let least = pages.saturating_add(2);
        let wanted = least.max(step);
        let secondary = Space::lock(self.db, parent, self.writer)?.obtain(least, wanted)?;
        let (pgno_oe, pgno_ae) = (secondary.first, Pgno(secondary.first.0 + 1));
        let mut root = self.db.cache.write(self.tree.fdp)?;
        let mut oe = self.db.cache.write_new(pgno_oe)?;
        let mut ae = self.db.cache.write_new(pgno_ae)?;
        let (dbtime, before) = (self.db.next_dbtime(), root.page().dbtime());
        let flags = order_flag(self.tree.kind);
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
