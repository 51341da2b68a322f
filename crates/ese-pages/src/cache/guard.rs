//! A latched page. Guards release the latch when dropped; they stay on their thread.
//!
//! Where a slice is made from the slot's pointer, the argument is in the head of
//! [`super`] (`cache/mod.rs`); the rule that it rests on is named.

use std::{fmt, ptr::NonNull, slice};

use ese_base::{Error, JetErr, LgPos, PageSize, Pgno, Result};

use super::{
    PageCache,
    frame::{Frame, FrameNo},
    slot::Slot,
};
use crate::{
    latch,
    page::{PageMut, PageRef},
};

/// A page latched for reading.
pub struct ReadGuard<'a> {
    image: NonNull<u8>,
    pgno: Pgno,
    page_size: PageSize,
    _latch: latch::Read<'a>,
}

impl<'a> ReadGuard<'a> {
    /// `None` if the page is not loaded.
    #[inline]
    pub(super) fn new(
        cache: &'a PageCache,
        slot: &'a Slot,
        latch: latch::Read<'a>,
        pgno: Pgno,
    ) -> Option<ReadGuard<'a>> {
        let image = NonNull::new(slot.image())?;
        cache.touch(slot);
        Some(ReadGuard { image, pgno, page_size: cache.page_size, _latch: latch })
    }

    /// Its number.
    #[inline]
    #[must_use]
    pub fn pgno(&self) -> Pgno {
        self.pgno
    }

    /// Its content.
    #[inline]
    #[must_use]
    pub fn page(&self) -> PageRef<'_> {
        // SAFETY: rules 1 to 3 of cache/mod.rs; this guard holds the read latch.
        let bytes = unsafe { slice::from_raw_parts(self.image.as_ptr(), self.page_size.bytes()) };
        PageRef::new(bytes, self.page_size)
    }
}

/// A page latched for reading, with the right to become a [`WriteGuard`].
pub struct RdwGuard<'a> {
    cache: &'a PageCache,
    slot: &'a Slot,
    image: NonNull<u8>,
    pgno: Pgno,
    latch: latch::Rdw<'a>,
}

impl<'a> RdwGuard<'a> {
    /// `None` if the page is not loaded.
    #[inline]
    pub(super) fn new(
        cache: &'a PageCache,
        slot: &'a Slot,
        latch: latch::Rdw<'a>,
        pgno: Pgno,
    ) -> Option<RdwGuard<'a>> {
        let image = NonNull::new(slot.image())?;
        cache.touch(slot);
        Some(RdwGuard { cache, slot, image, pgno, latch })
    }

    /// Its number.
    #[inline]
    #[must_use]
    pub fn pgno(&self) -> Pgno {
        self.pgno
    }

    /// Its content.
    #[inline]
    #[must_use]
    pub fn page(&self) -> PageRef<'_> {
        let size = self.cache.page_size;
        // SAFETY: rules 1 to 3 of cache/mod.rs; this guard holds the upgradable read latch.
        let bytes = unsafe { slice::from_raw_parts(self.image.as_ptr(), size.bytes()) };
        PageRef::new(bytes, size)
    }

    /// Waits for the readers to leave. What was read before still holds: nobody can change the
    /// page in between. On an error the latch is released.
    ///
    /// # Errors
    /// `JET_errDatabaseFileReadOnly`, `JET_errInstanceUnavailable`, `JET_errOutOfMemory`, as
    /// [`PageCache::write`].
    #[inline]
    pub fn upgrade(self) -> Result<WriteGuard<'a>> {
        self.cache.check_writable()?;
        WriteGuard::new(self.cache, self.slot, self.latch.upgrade(), self.pgno)
    }

    /// Lets another thread have the right to upgrade.
    #[must_use]
    pub fn downgrade(self) -> ReadGuard<'a> {
        ReadGuard {
            image: self.image,
            pgno: self.pgno,
            page_size: self.cache.page_size,
            _latch: self.latch.downgrade(),
        }
    }
}

/// What to go back to if a write guard is dropped without a mark.
enum Before {
    /// Nothing: the page was dirty and its frame is the one that is changed, or it was marked.
    Nothing,
    /// The page was clean.
    Clean { image: *mut u8, frame: Option<FrameNo> },
    /// The page was dirty and another frame was put in its place (`write_new`).
    Replaced { image: *mut u8, frame: Option<FrameNo> },
}

/// A page latched for writing.
///
/// A change counts only if it is followed by [`WriteGuard::mark_dirty`] before the guard is dropped.
pub struct WriteGuard<'a> {
    cache: &'a PageCache,
    slot: &'a Slot,
    frame: &'a Frame,
    frame_no: FrameNo,
    image: NonNull<u8>,
    pgno: Pgno,
    before: Before,
    // Last, though all fields outlive `Drop::drop`: the latch goes when the slot is in order.
    _latch: latch::Write<'a>,
}

impl<'a> WriteGuard<'a> {
    /// The page is loaded.
    #[inline]
    pub(super) fn new(
        cache: &'a PageCache,
        slot: &'a Slot,
        latch: latch::Write<'a>,
        pgno: Pgno,
    ) -> Result<WriteGuard<'a>> {
        cache.touch(slot);
        if slot.is_dirty()
            && let Some(frame_no) = slot.frame()
            && let Some(frame) = cache.frames.at(frame_no)
            && let Some(image) = NonNull::new(slot.image())
        {
            let before = Before::Nothing;
            return Ok(WriteGuard {
                cache,
                slot,
                frame,
                frame_no,
                image,
                pgno,
                before,
                _latch: latch,
            });
        }
        WriteGuard::of_clean(cache, slot, latch, pgno)
    }

    /// A clean page gets a frame, if it has none.
    #[inline(never)]
    fn of_clean(
        cache: &'a PageCache,
        slot: &'a Slot,
        latch: latch::Write<'a>,
        pgno: Pgno,
    ) -> Result<WriteGuard<'a>> {
        let before = Before::Clean { image: slot.image(), frame: slot.frame() };
        let (frame_no, frame) = match slot.frame().and_then(|no| Some((no, cache.frames.at(no)?))) {
            Some(own) => own,
            None => {
                let (no, frame) = cache.take_frame(pgno)?;
                let len = cache.page_size.bytes();
                // SAFETY: rules 1 and 3: the slot's image, in the map, under the write latch.
                let from = unsafe { slice::from_raw_parts(slot.image(), len) };
                // SAFETY: rule 3: the frame was just taken and is shown in no slot.
                let to = unsafe { slice::from_raw_parts_mut(frame.image(), len) };
                to.copy_from_slice(from);
                (no, frame)
            }
        };
        WriteGuard::show(cache, slot, (frame_no, frame), before, latch, pgno)
    }

    /// The page gets a frame of zeros, whatever it has.
    pub(super) fn new_page(
        cache: &'a PageCache,
        slot: &'a Slot,
        latch: latch::Write<'a>,
        pgno: Pgno,
    ) -> Result<WriteGuard<'a>> {
        let (frame_no, frame) = cache.take_frame(pgno)?;
        // SAFETY: rule 3: the frame was just taken and is shown in no slot.
        let bytes = unsafe { slice::from_raw_parts_mut(frame.image(), cache.page_size.bytes()) };
        bytes.fill(0);
        let (image, old) = (slot.image(), slot.frame());
        let before = if slot.is_dirty() {
            if let Some(old) = old.and_then(|no| cache.frames.at(no)) {
                frame.inherit(old);
            }
            Before::Replaced { image, frame: old }
        } else {
            Before::Clean { image, frame: old }
        };
        cache.touch(slot);
        WriteGuard::show(cache, slot, (frame_no, frame), before, latch, pgno)
    }

    /// Shows the frame; a clean page is announced as about to change.
    fn show(
        cache: &'a PageCache,
        slot: &'a Slot,
        (frame_no, frame): (FrameNo, &'a Frame),
        before: Before,
        latch: latch::Write<'a>,
        pgno: Pgno,
    ) -> Result<WriteGuard<'a>> {
        let Some(image) = NonNull::new(frame.image()) else {
            return Err(Error::new(JetErr::InternalError, "a frame has no memory").at_page(pgno));
        };
        if matches!(before, Before::Clean { .. }) {
            cache.dirty.open(pgno);
        }
        slot.show(image.as_ptr(), Some(frame_no));
        Ok(WriteGuard { cache, slot, frame, frame_no, image, pgno, before, _latch: latch })
    }

    /// Its number.
    #[inline]
    #[must_use]
    pub fn pgno(&self) -> Pgno {
        self.pgno
    }

    /// Its content.
    #[inline]
    #[must_use]
    pub fn page(&self) -> PageRef<'_> {
        let size = self.cache.page_size;
        // SAFETY: rules 1 and 2 of cache/mod.rs; this guard holds the write latch.
        let bytes = unsafe { slice::from_raw_parts(self.image.as_ptr(), size.bytes()) };
        PageRef::new(bytes, size)
    }

    /// Its content, to be changed.
    #[inline]
    #[must_use]
    pub fn page_mut(&mut self) -> PageMut<'_> {
        let size = self.cache.page_size;
        // SAFETY: rules 1 and 2 of cache/mod.rs: a frame, under the write latch, and the guard is
        // borrowed mutably.
        let bytes = unsafe { slice::from_raw_parts_mut(self.image.as_ptr(), size.bytes()) };
        PageMut::new(bytes, size)
    }

    /// Says which log records describe the change: `start` is where the first of them begins (the
    /// checkpoint stays before it until the page is written), `end` is where the last one ends
    /// (the log is made durable up to there before the page is written). Both were appended
    /// before. Without logging both are [`LgPos::MIN`].
    #[inline]
    pub fn mark_dirty(&mut self, start: LgPos, end: LgPos) {
        if !matches!(self.before, Before::Nothing) {
            self.mark_first(start, end);
        } else if self.frame.next_change(start, end) {
            self.put_first(start);
        }
    }

    /// The records of a macro group count from its begin, which may lie before a record of another
    /// writer that has made the page dirty already.
    #[cold]
    fn put_first(&mut self, start: LgPos) {
        self.cache.dirty.moved(self.pgno, self.frame.start(), Some(start));
        self.frame.set_start(start);
    }

    #[inline(never)]
    fn mark_first(&mut self, start: LgPos, end: LgPos) {
        let old = match std::mem::replace(&mut self.before, Before::Nothing) {
            Before::Nothing => None,
            Before::Clean { frame, .. } => {
                self.frame.first_change(start, end);
                self.slot.set_dirty(true);
                self.cache.dirty.add(self.pgno, start, end);
                frame
            }
            Before::Replaced { frame, .. } => {
                if self.frame.next_change(start, end) {
                    self.put_first(start);
                }
                frame
            }
        };
        if let Some(old) = old.filter(|old| *old != self.frame_no) {
            self.cache.frames.give_back(old);
        }
    }

    /// A panic unwinds through the change of a page: it may be half done, and must never be written.
    #[cold]
    fn abandon(&self) {
        let error =
            Error::new(JetErr::InternalError, "a panic has interrupted a change of the page")
                .at_path(self.cache.file.path())
                .at_page(self.pgno);
        drop(self.cache.file.poison().remember(error));
    }

    /// Puts everything back as it was: nobody has seen the frame.
    #[cold]
    fn go_back(&mut self) {
        let (image, frame, clean) = match std::mem::replace(&mut self.before, Before::Nothing) {
            Before::Nothing => return,
            Before::Clean { image, frame } => (image, frame, true),
            Before::Replaced { image, frame } => (image, frame, false),
        };
        self.slot.show(image, frame);
        if frame != Some(self.frame_no) {
            self.cache.frames.give_back(self.frame_no);
        }
        if clean {
            self.cache.dirty.close(self.pgno);
        }
    }
}

impl Drop for WriteGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        if !matches!(self.before, Before::Nothing) {
            self.go_back();
        }
        if std::thread::panicking() {
            self.abandon();
        }
    }
}

macro_rules! debug {
    ($name:ident) => {
        impl fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "(page {})"), self.pgno)
            }
        }
    };
}

debug!(ReadGuard);
debug!(RdwGuard);
debug!(WriteGuard);
