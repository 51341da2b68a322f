//! Creating the root of a tree that owns space, and its space trees (edb-format 5.1 to 5.4).
//!
//! A record creates up to three pages. At redo some of them may already be newer on disk; the
//! caller then passes `None` for them.

use ese_base::{DbTime, ObjId, Pgno, Result};
use ese_log::records::{ConvertFdp, CreateMultipleExtentFdp, CreateSingleExtentFdp, RecordFlags};
use ese_pages::{NodeFlags, PageFlags, PageMut};

use super::impossible;
use crate::space::{
    extent::Extent,
    header::{SINGLE_EXTENT_BITS, SpaceFlags, SpaceHeader},
};

/// The three pages of a tree with its own extents.
#[derive(Debug, Default)]
pub struct FdpPages<'p> {
    /// The root (FDP).
    pub fdp: Option<PageMut<'p>>,
    /// Root of the owned extents.
    pub oe: Option<PageMut<'p>>,
    /// Root of the available extents.
    pub ae: Option<PageMut<'p>>,
}

/// The bits of logged page flags that say what kind of tree it is; the rest is page state.
fn kind_of(flags: u32) -> PageFlags {
    PageFlags::from_bits_retain(flags)
        & (PageFlags::INDEX | PageFlags::LONG_VALUE | PageFlags::NON_UNIQUE)
}

fn header_flags(record: RecordFlags) -> SpaceFlags {
    if record.contains(RecordFlags::UNIQUE) { SpaceFlags::empty() } else { SpaceFlags::NON_UNIQUE }
}

/// Makes an empty root leaf with an external header.
fn init_root(
    page: &mut PageMut<'_>,
    pgno: Pgno,
    objid: ObjId,
    kind: PageFlags,
    dbtime: DbTime,
    header: &[u8; 16],
) -> Result<()> {
    page.init(pgno, objid, kind | PageFlags::ROOT | PageFlags::LEAF, dbtime);
    page.set_external_header(header)
}

/// Makes the root of a space tree and puts its extents in, first one first.
fn init_space_root(
    page: &mut PageMut<'_>,
    pgno: Pgno,
    objid: ObjId,
    kind: PageFlags,
    dbtime: DbTime,
    extents: &[Extent],
) -> Result<()> {
    // The split buffer stays zero: pages for splits come out of the extents at hand.
    init_root(page, pgno, objid, kind | PageFlags::SPACE_TREE, dbtime, &[0; 16])?;
    for (iline, extent) in extents.iter().enumerate() {
        page.insert_node(iline, 0, &extent.key(), &extent.data(), NodeFlags::empty())?;
    }
    Ok(())
}

/// Record 25: the root of a tree in one extent, all other pages of which are available.
///
/// # Errors
/// `JET_errInvalidLoggedOperation` for an extent without pages.
pub fn create_single(r: &CreateSingleExtentFdp, fdp: &mut PageMut<'_>) -> Result<()> {
    let free = r.primary_pages.checked_sub(1);
    let free = free.ok_or_else(|| impossible(r.page.pgno, "a tree in an extent without pages"))?;
    let header = SpaceHeader {
        pages: r.primary_pages,
        parent: r.pgno_fdp_parent,
        flags: header_flags(r.page.flags),
        last: low_bits(free),
    };
    let kind = kind_of(r.page_flags);
    init_root(fdp, r.page.pgno, r.objid, kind, r.page.dbtime, &header.encode())
}

/// The `count` lowest bits set, at most 32.
fn low_bits(count: u32) -> u32 {
    if count >= SINGLE_EXTENT_BITS { u32::MAX } else { (1 << count) - 1 }
}

/// Record 24: the root of a tree and its two space trees, all in its first extent.
///
/// # Errors
/// `JET_errInvalidLoggedOperation` for an extent of fewer than 3 pages.
pub fn create_multiple(r: &CreateMultipleExtentFdp, pages: &mut FdpPages<'_>) -> Result<()> {
    let kind = kind_of(r.page_flags);
    let Some(primary) = Extent::new(r.page.pgno, r.primary_pages).filter(|e| e.pages >= 3) else {
        return Err(impossible(r.page.pgno, "a tree with space trees in fewer than 3 pages"));
    };
    if let Some(fdp) = &mut pages.fdp {
        let header = SpaceHeader {
            pages: r.primary_pages,
            parent: r.pgno_fdp_parent,
            flags: header_flags(r.page.flags) | SpaceFlags::MULTIPLE,
            last: r.pgno_oe.0,
        };
        init_root(fdp, r.page.pgno, r.objid, kind, r.page.dbtime, &header.encode())?;
    }
    if let Some(oe) = &mut pages.oe {
        init_space_root(oe, r.pgno_oe, r.objid, kind, r.page.dbtime, &[primary])?;
    }
    if let Some(ae) = &mut pages.ae {
        // Root and space roots are the first three pages.
        let rest = primary.without_front(3);
        init_space_root(ae, r.pgno_ae, r.objid, kind, r.page.dbtime, rest.as_slice())?;
    }
    Ok(())
}

/// Records 26 and 58: a tree in one extent gets a second extent, whose first two pages become its
/// space trees.
///
/// # Errors
/// `JET_errInvalidLoggedOperation` for extents that cannot be.
pub fn convert(r: &ConvertFdp, pages: &mut FdpPages<'_>) -> Result<()> {
    let wrong = || impossible(r.page.pgno, "a conversion with impossible extents");
    let primary = Extent::new(r.page.pgno, r.primary_pages).ok_or_else(wrong)?;
    let secondary = Extent::new(r.pgno_secondary_first, r.secondary_pages)
        .filter(|extent| extent.pages >= 2)
        .ok_or_else(wrong)?;
    // The old form of the record has neither bitmap nor flags: the root has them.
    let (bits, kind, unique) = match (&r.available, &pages.fdp) {
        (Some(available), _) => (
            available.bits,
            kind_of(available.page_flags),
            r.page.flags.contains(RecordFlags::UNIQUE),
        ),
        (None, Some(fdp)) => {
            let page = fdp.as_ref();
            let header = SpaceHeader::decode(page.external_header(), r.page.pgno)?;
            let kind = kind_of(page.flags().bits());
            (header.last, kind, !header.flags.contains(SpaceFlags::NON_UNIQUE))
        }
        (None, None) if pages.oe.is_none() && pages.ae.is_none() => return Ok(()),
        (None, None) => return Err(wrong()),
    };
    if let Some(fdp) = &mut pages.fdp {
        let order = if unique { SpaceFlags::empty() } else { SpaceFlags::NON_UNIQUE };
        let header = SpaceHeader {
            pages: r.primary_pages,
            parent: r.pgno_fdp_parent,
            flags: order | SpaceFlags::MULTIPLE,
            last: r.pgno_oe.0,
        };
        let mut external = fdp.as_ref().external_header().to_vec();
        header.store(&mut external, r.page.pgno)?;
        fdp.set_external_header(&external)?;
    }
    let mut owned = [primary, secondary];
    owned.sort_unstable_by_key(|extent| extent.first);
    if let Some(oe) = &mut pages.oe {
        init_space_root(oe, r.pgno_oe, r.objid, kind, r.page.dbtime, &owned)?;
    }
    if let Some(ae) = &mut pages.ae {
        let mut free = primary.free_runs(bits);
        free.extend(secondary.without_front(2));
        free.sort_unstable_by_key(|extent| extent.first);
        init_space_root(ae, r.pgno_ae, r.objid, kind, r.page.dbtime, &free)?;
    }
    Ok(())
}
