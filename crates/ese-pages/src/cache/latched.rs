//! The image of a page under its latch: the one place where latched pages become slices.

use std::{ptr::NonNull, slice};

use ese_base::PageSize;

use super::slot::Slot;
use crate::{
    latch,
    page::{PageMut, PageRef, prefetch::prefetch_at},
};

/// A page image and the latch that makes looking at it right. `L` is one of the three latches.
///
/// Made only from a slot whose latch was just taken, so image and latch belong together; under any
/// latch the slot's pointer stays what it is, except that the holder of the write latch changes it
/// and then makes a new `Latched`.
pub(super) struct Latched<L> {
    image: NonNull<u8>,
    page_size: PageSize,
    /// Last: released after everything else of the owner was dropped.
    latch: L,
}

/// The page's header and the end of its slot array will be looked at first: on their way while the
/// latch is taken. The pointer is only a guess as yet.
#[inline]
pub(super) fn ask_for_ends(slot: &Slot, page_size: PageSize) {
    let (first, len) = (slot.image().cast_const(), page_size.bytes());
    prefetch_at(first);
    prefetch_at(first.wrapping_add(len - 64));
    prefetch_at(first.wrapping_add(len - 128));
}

impl<'a> Latched<latch::Read<'a>> {
    /// `None`: the page is not loaded.
    #[inline]
    pub(super) fn read(slot: &'a Slot, page_size: PageSize) -> Option<Self> {
        ask_for_ends(slot, page_size);
        let latch = slot.latch.read();
        Some(Latched { image: NonNull::new(slot.image())?, page_size, latch })
    }
}

impl<'a> Latched<latch::Rdw<'a>> {
    /// `None`: the page is not loaded.
    #[inline]
    pub(super) fn rdw(slot: &'a Slot, page_size: PageSize) -> Option<Self> {
        let latch = slot.latch.rdw();
        Some(Latched { image: NonNull::new(slot.image())?, page_size, latch })
    }

    #[inline]
    pub(super) fn upgrade(self) -> Latched<latch::Write<'a>> {
        let Latched { image, page_size, latch } = self;
        Latched { image, page_size, latch: latch.upgrade() }
    }

    #[inline]
    pub(super) fn downgrade(self) -> Latched<latch::Read<'a>> {
        let Latched { image, page_size, latch } = self;
        Latched { image, page_size, latch: latch.downgrade() }
    }
}

impl<'a> Latched<latch::Write<'a>> {
    /// `None`: the page is not loaded.
    #[inline]
    pub(super) fn write(slot: &'a Slot, page_size: PageSize) -> Option<Self> {
        ask_for_ends(slot, page_size);
        let latch = slot.latch.write();
        Some(Latched { image: NonNull::new(slot.image())?, page_size, latch })
    }

    /// The image that the slot shows, which its latch says nothing about yet.
    pub(super) fn of_latch(
        slot: &'a Slot,
        latch: latch::Write<'a>,
        page_size: PageSize,
    ) -> Option<Self> {
        Some(Latched { image: NonNull::new(slot.image())?, page_size, latch })
    }

    /// The slot shows another image now.
    pub(super) fn into_latch(self) -> latch::Write<'a> {
        self.latch
    }

    /// The image, to be changed. The caller has seen to it that it lies in a frame.
    #[inline]
    pub(super) fn page_mut(&mut self) -> PageMut<'_> {
        let len = self.page_size.bytes();
        // SAFETY: rules 1 and 2 of cache/mod.rs: a frame, under the write latch, and `self`, the
        // only way to it, is borrowed mutably.
        let bytes = unsafe { slice::from_raw_parts_mut(self.image.as_ptr(), len) };
        PageMut::new(bytes, self.page_size)
    }
}

impl<L> Latched<L> {
    #[inline]
    pub(super) fn page(&self) -> PageRef<'_> {
        let len = self.page_size.bytes();
        // SAFETY: rules 1 to 3 of cache/mod.rs: a whole page, and `self` holds its latch, so
        // nobody changes it while `self` is borrowed.
        let bytes = unsafe { slice::from_raw_parts(self.image.as_ptr(), len) };
        PageRef::new(bytes, self.page_size)
    }
}
