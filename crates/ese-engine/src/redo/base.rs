//! The pages of a new database that logs of format 7.3704 do not describe.
//!
//! These logs say only that a database was created; what the engine of their time put into it is
//! the same in every database (log-records 4). Later formats log each step of it.

use ese_base::{DbTime, Dbid, Iline, LgPos, ObjId, Pgno, ProcId, Result, TrxId};
use ese_log::records::{CreateMultipleExtentFdp, PageHead, RecordFlags};
use ese_pages::{NodeFlags, PageFlags, WriteGuard};

use crate::{
    database::Database,
    op::fdp::{self, FdpPages},
    schema::{
        CatalogEntry, DATABASE_ROOT, MSYS_OBJECTS, MSYS_OBJECTS_FDP, MSYS_OBJECTS_NAME,
        MSYS_OBJECTS_NAME_FDP, MSYS_OBJECTS_ROOT, MSYS_OBJECTS_ROOT_FDP, MSYS_OBJECTS_SHADOW,
        MSYS_OBJECTS_SHADOW_FDP, early_catalog,
    },
    space::extent::Extent,
};

/// Pages of such a database when it begins.
pub(crate) const EARLY_PAGES: Pgno = Pgno(256);
/// The format update that its header names.
pub(crate) const EARLY_UPDATE: u32 = 0x11;
/// The collation version that its header names.
pub(crate) const EARLY_SORT_VERSION: u64 = 0x0006_0101_0006_0101;

/// One of its trees: root, objid, the tree that gave the space, pages, and the dbtimes at which the
/// root, its owned and its available extents were changed last.
struct EarlyTree {
    fdp: Pgno,
    objid: ObjId,
    parent: Pgno,
    pages: u32,
    created: u64,
    /// Of the root and of the available extents.
    changed: (u64, u64),
    /// What is still available, from the end of the extent.
    available: u32,
    flags: PageFlags,
}

fn trees() -> [EarlyTree; 5] {
    let tree = |fdp, objid, parent, pages, created, changed, available| EarlyTree {
        fdp,
        objid,
        parent,
        pages,
        created,
        changed,
        available,
        flags: PageFlags::empty(),
    };
    let (root, objects) = (Pgno::DATABASE_ROOT, MSYS_OBJECTS_FDP);
    let index = PageFlags::INDEX;
    [
        tree(root, DATABASE_ROOT, Pgno::NULL, 256, 6, (6, 14), 224),
        tree(objects, MSYS_OBJECTS, root, 20, 13, (202, 28), 11),
        tree(MSYS_OBJECTS_SHADOW_FDP, MSYS_OBJECTS_SHADOW, root, 9, 20, (204, 20), 6),
        EarlyTree {
            flags: index,
            ..tree(MSYS_OBJECTS_NAME_FDP, MSYS_OBJECTS_NAME, objects, 3, 27, (203, 27), 0)
        },
        EarlyTree {
            flags: index,
            ..tree(MSYS_OBJECTS_ROOT_FDP, MSYS_OBJECTS_ROOT, objects, 3, 34, (115, 34), 0)
        },
    ]
}

/// Makes the pages of a database whose creation stands at `pos` in such a log.
///
/// # Errors
/// The page cache's; those of the disk.
pub(crate) fn create_early_base(db: &Database, pos: LgPos, end: LgPos) -> Result<()> {
    if db.file.page_count() < EARLY_PAGES.0 {
        db.file.grow(EARLY_PAGES)?;
    }
    let rows = early_catalog(db.page_size())?;
    for tree in trees() {
        let [fdp, oe, ae] = [0, 1, 2].map(|n| db.cache.write_new(Pgno(tree.fdp.0 + n)));
        let (mut fdp, mut oe, mut ae) = (fdp?, oe?, ae?);
        let mut pages = FdpPages {
            fdp: Some(fdp.page_mut()),
            oe: Some(oe.page_mut()),
            ae: Some(ae.page_mut()),
        };
        fdp::create_multiple(&creation(db.dbid, &tree), &mut pages)?;
        put_nodes(&mut fdp, &nodes_of(tree.objid, &rows))?;
        shrink(&mut ae, &tree)?;
        for (page, dbtime) in
            [(&mut fdp, tree.changed.0), (&mut oe, tree.created), (&mut ae, tree.changed.1)]
        {
            page.page_mut().set_dbtime(DbTime(dbtime));
            page.mark_dirty(pos, end);
        }
        db.advance_dbtime(DbTime(tree.changed.0));
        db.advance_objid(tree.objid);
    }
    Ok(())
}

/// The record that a later engine would have logged.
fn creation(dbid: Dbid, tree: &EarlyTree) -> CreateMultipleExtentFdp {
    let page = PageHead {
        procid: ProcId(0),
        dbid,
        pgno: tree.fdp,
        dbtime: DbTime(tree.created),
        dbtime_before: DbTime::NOT_CHECKED,
        trx_begin0: TrxId(0),
        level: 0,
        iline: Iline(0),
        flags: RecordFlags::UNIQUE,
    };
    CreateMultipleExtentFdp {
        page,
        objid: tree.objid,
        pgno_oe: Pgno(tree.fdp.0 + 1),
        pgno_ae: Pgno(tree.fdp.0 + 2),
        pgno_fdp_parent: tree.parent,
        primary_pages: tree.pages,
        page_flags: tree.flags.bits(),
    }
}

/// Keys and data of a tree, in order.
fn nodes_of(objid: ObjId, rows: &[CatalogEntry]) -> Vec<(&[u8], &[u8])> {
    let mut nodes: Vec<(&[u8], &[u8])> = match objid {
        MSYS_OBJECTS | MSYS_OBJECTS_SHADOW => {
            rows.iter().map(|row| (&row.key[..], &row.data[..])).collect()
        }
        MSYS_OBJECTS_NAME => rows.iter().map(|row| (&row.name_key[..], &row.key[..])).collect(),
        MSYS_OBJECTS_ROOT => {
            let keys = rows.iter().filter_map(|row| Some((row.root_key.as_deref()?, row)));
            keys.map(|(key, row)| (key, &row.key[..])).collect()
        }
        _ => Vec::new(),
    };
    nodes.sort_unstable();
    nodes
}

fn put_nodes(page: &mut WriteGuard<'_>, nodes: &[(&[u8], &[u8])]) -> Result<()> {
    let mut page = page.page_mut();
    for (iline, (key, data)) in nodes.iter().enumerate() {
        page.insert_node(iline, 0, key, data, NodeFlags::empty())?;
    }
    Ok(())
}

/// What other trees have taken out of the tree's space since.
fn shrink(ae: &mut WriteGuard<'_>, tree: &EarlyTree) -> Result<()> {
    let last = Pgno(tree.fdp.0 + tree.pages - 1);
    let first = Pgno(last.0 + 1 - tree.available);
    match Extent::new(first, tree.available) {
        Some(rest) => ae.page_mut().replace_data(0, &rest.data()),
        None => Ok(()),
    }
}
