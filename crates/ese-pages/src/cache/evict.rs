//! Taking frames, and in copy mode taking them back from clean pages.

use std::sync::atomic::Ordering;

use ese_base::{Pgno, Result};

use super::{
    PageCache,
    frame::{Frame, FrameNo, FreeFrame},
};

/// Frames that the hand looks at, at most, for one frame that is wanted: all of them twice would
/// be enough, but nobody shall wait for that in a cache full of dirty pages.
const STEPS_MAX: u32 = 4096;

/// The hand of the clock: number of the frame that it looks at next.
#[derive(Debug, Default)]
pub(super) struct Clock {
    hand: u32,
}

impl PageCache {
    /// A frame for a page. In copy mode a clean page may lose its own for it; if all are dirty or
    /// latched, the cache grows beyond `pages_max` for a while.
    pub(super) fn take_frame(&self, pgno: Pgno) -> Result<FreeFrame<'_>> {
        if self.map.is_none() && self.frames.used() as usize >= self.options.pages_max {
            self.evict();
        }
        self.frames.take(pgno)
    }

    /// Gets the memory for more frames while it is not needed yet, if it soon will be. For a
    /// background thread, several times a second.
    pub fn make_frames_ahead(&self) {
        self.frames.make_ahead();
    }

    /// In copy mode: gives back what the cache has grown beyond its limit, now that pages are
    /// clean.
    pub(super) fn shrink(&self) {
        if self.map.is_none() && self.frames.used() as usize > self.options.pages_max {
            self.evict();
        }
    }

    /// Takes frames back until one more page fits into the limit, as far as that is easy.
    fn evict(&self) {
        // Somebody else moving the hand makes room for both.
        let Some(mut clock) = self.clock.try_lock() else { return };
        let made = self.frames.made();
        for _ in 0..STEPS_MAX.min(made.saturating_mul(2)) {
            let at = if clock.hand < made { clock.hand } else { 0 };
            clock.hand = at + 1;
            if self.frames.nth(at).is_some_and(|(no, frame)| self.evict_frame(no, frame))
                && (self.frames.used() as usize) < self.options.pages_max
            {
                return;
            }
        }
    }

    /// Takes the frame back if its page is clean, not latched, and not used since the last round.
    fn evict_frame(&self, no: FrameNo, frame: &Frame) -> bool {
        let owner = frame.owner();
        if owner.is_null() {
            return false;
        }
        let Some(slot) = self.slots.at(owner) else { return false };
        if slot.is_dirty() || slot.take_referenced() {
            return false;
        }
        let Some(_latch) = slot.latch.try_write() else { return false };
        // The frame may have changed hands before the latch was taken.
        if slot.is_dirty() || slot.frame() != Some(no) {
            return false;
        }
        slot.show(std::ptr::null_mut(), None);
        self.frames.give_back(no);
        self.counters.evicted.fetch_add(1, Ordering::Relaxed);
        true
    }
}
