//! Offsets and fields of a page, spelt as ESE spells them (edb-format 2.1, 3.1, 4.1).

use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
    little_endian::{U16, U32, U64},
};

/// The header that all pages begin with.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct PageHeader {
    pub(crate) checksum: U64,
    pub(crate) dbtime_dirtied: U64,
    pub(crate) pgno_prev: U32,
    pub(crate) pgno_next: U32,
    pub(crate) objid_fdp: U32,
    pub(crate) cb_free: U16,
    pub(crate) cb_uncommitted_free: U16,
    pub(crate) ib_mic_free: U16,
    /// Bits 0-11: slots in the array, slot 0 included; bits 12-14: reserved slots, 0 meaning 1.
    pub(crate) itag_state: U16,
    pub(crate) flags: U32,
}

const _: () = {
    assert!(size_of::<PageHeader>() == 40);
    assert!(std::mem::offset_of!(PageHeader, dbtime_dirtied) == 8);
    assert!(std::mem::offset_of!(PageHeader, pgno_prev) == 16);
    assert!(std::mem::offset_of!(PageHeader, pgno_next) == 20);
    assert!(std::mem::offset_of!(PageHeader, objid_fdp) == 24);
    assert!(std::mem::offset_of!(PageHeader, cb_free) == 28);
    assert!(std::mem::offset_of!(PageHeader, cb_uncommitted_free) == 30);
    assert!(std::mem::offset_of!(PageHeader, ib_mic_free) == 32);
    assert!(std::mem::offset_of!(PageHeader, itag_state) == 34);
    assert!(std::mem::offset_of!(PageHeader, flags) == 36);
};

/// What is read where a page image is too short to have a header.
pub(crate) static NO_HEADER: PageHeader = PageHeader {
    checksum: U64::ZERO,
    dbtime_dirtied: U64::ZERO,
    pgno_prev: U32::ZERO,
    pgno_next: U32::ZERO,
    objid_fdp: U32::ZERO,
    cb_free: U16::ZERO,
    cb_uncommitted_free: U16::ZERO,
    ib_mic_free: U16::ZERO,
    itag_state: U16::ZERO,
    flags: U32::ZERO,
};

/// Offset of the flags, for those who look at raw bytes before a checksum is known to be right.
pub(crate) const FLAGS_AT: usize = 36;
/// Offset of the page number in the header of a large page.
pub(crate) const LARGE_PGNO_AT: usize = 64;
/// Offset of the checksum of block 1 of a large page; blocks 2 and 3 follow.
pub(crate) const LARGE_CHECKSUMS_AT: usize = 40;
/// Bytes of one slot.
pub(crate) const SLOT_LEN: usize = 4;
/// Bits of `itag_state` that count slots.
pub(crate) const ITAG_MASK: u16 = 0x0fff;
/// Bits of a key length inside a line.
pub(crate) const KEY_LEN_MASK: u16 = 0x1fff;
/// Where node flags stand in the 16-bit word that carries them.
pub(crate) const NODE_FLAGS_SHIFT: u32 = 13;
/// Bits of length and offset in a slot of a small page.
pub(crate) const SMALL_SLOT_MASK: u16 = 0x1fff;
/// Bits of length and offset in a slot of a large page.
pub(crate) const LARGE_SLOT_MASK: u16 = 0x7fff;
