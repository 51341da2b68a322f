//! The slot of a page: its latch and where its image lies.
//!
//! Everything in a slot but the latch and the `referenced` mark is changed only under the slot's
//! write latch, and read under any of its latches (or as a guess that is checked again under one).
//! So the atomics need no ordering of their own: the latch orders them.

use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, Ordering};

use ese_base::Pgno;

use super::{chunked::Chunked, frame::FrameNo};
use crate::latch::Latch;

/// One page of the file. 24 bytes.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) latch: Latch,
    /// The image to look at: in the map or in a frame. Null: not loaded, nothing is known of it.
    image: AtomicPtr<u8>,
    /// Number of the frame + 1; 0: none.
    frame: AtomicU32,
    /// The image holds changes that the file does not have: 0 or 1.
    dirty: AtomicU8,
    /// Used since the clock hand last came by (copy mode).
    referenced: AtomicU8,
}

const _: () = assert!(size_of::<Slot>() == 24);

impl Slot {
    fn new() -> Slot {
        Slot {
            latch: Latch::new(),
            image: AtomicPtr::new(std::ptr::null_mut()),
            frame: AtomicU32::new(0),
            dirty: AtomicU8::new(0),
            referenced: AtomicU8::new(0),
        }
    }

    #[inline]
    pub(crate) fn image(&self) -> *mut u8 {
        self.image.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn is_loaded(&self) -> bool {
        !self.image().is_null()
    }

    #[inline]
    pub(crate) fn frame(&self) -> Option<FrameNo> {
        FrameNo::from_stored(self.frame.load(Ordering::Relaxed))
    }

    /// Under the write latch: from now on the page is looked at there.
    pub(crate) fn show(&self, image: *mut u8, frame: Option<FrameNo>) {
        self.image.store(image, Ordering::Relaxed);
        self.frame.store(FrameNo::stored(frame), Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn is_dirty(&self) -> bool {
        self.dirty.load(Ordering::Relaxed) != 0
    }

    /// Under the write latch.
    pub(crate) fn set_dirty(&self, dirty: bool) {
        self.dirty.store(u8::from(dirty), Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn mark_referenced(&self) {
        // Looked at first: a store would take the cache line from the other readers.
        if self.referenced.load(Ordering::Relaxed) == 0 {
            self.referenced.store(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn take_referenced(&self) -> bool {
        self.referenced.swap(0, Ordering::Relaxed) != 0
    }
}

/// The slots of a file, by page number.
#[derive(Debug)]
pub(crate) struct SlotTable {
    slots: Chunked<Slot, 12>,
}

impl SlotTable {
    pub(crate) fn new() -> SlotTable {
        SlotTable { slots: Chunked::new(31) }
    }

    /// The slot, if anybody has asked for it or a neighbour before.
    #[inline]
    pub(crate) fn at(&self, pgno: Pgno) -> Option<&Slot> {
        self.slots.at(pgno.0)
    }

    /// The slot; `None` for numbers that no page can have.
    pub(crate) fn at_or_make(&self, pgno: Pgno) -> Option<&Slot> {
        if pgno > Pgno::MAX { None } else { self.slots.at_or_make(pgno.0, Slot::new) }
    }
}
