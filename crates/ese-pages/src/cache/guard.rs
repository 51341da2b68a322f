//! A latched page. Guards release the latch when dropped; they stay on their thread.

use std::fmt;

use ese_base::{DbTime, Error, JetErr, LgPos, Pgno, Result, activity};

use super::{
    PageCache,
    frame::{Frame, FrameNo, FreeFrame},
    latched::Latched,
    slot::Slot,
};
use crate::{
    latch,
    page::{PageMut, PageRef},
};

/// A page latched for reading.
pub struct ReadGuard<'a> {
    pgno: Pgno,
    latched: Latched<latch::Read<'a>>,
}

impl<'a> ReadGuard<'a> {
    /// `None` if the page is not loaded.
    #[inline]
    pub(super) fn new(cache: &'a PageCache, slot: &'a Slot, pgno: Pgno) -> Option<ReadGuard<'a>> {
        let latched = Latched::read(slot, cache.page_size)?;
        cache.touch(slot);
        Some(ReadGuard { pgno, latched })
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
        self.latched.page()
    }
}

/// A page latched for reading, with the right to become a [`WriteGuard`].
pub struct RdwGuard<'a> {
    cache: &'a PageCache,
    slot: &'a Slot,
    pgno: Pgno,
    latched: Latched<latch::Rdw<'a>>,
}

impl<'a> RdwGuard<'a> {
    /// `None` if the page is not loaded.
    #[inline]
    pub(super) fn new(cache: &'a PageCache, slot: &'a Slot, pgno: Pgno) -> Option<RdwGuard<'a>> {
        let latched = Latched::rdw(slot, cache.page_size)?;
        cache.touch(slot);
        Some(RdwGuard { cache, slot, pgno, latched })
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
        self.latched.page()
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
        WriteGuard::new(self.cache, self.slot, self.latched.upgrade(), self.pgno)
    }

    /// Lets another thread have the right to upgrade.
    #[must_use]
    pub fn downgrade(self) -> ReadGuard<'a> {
        ReadGuard { pgno: self.pgno, latched: self.latched.downgrade() }
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
/// A change counts only if it is followed by [`WriteGuard::mark_dirty`] before the guard is
/// dropped.
pub struct WriteGuard<'a> {
    cache: &'a PageCache,
    slot: &'a Slot,
    frame: &'a Frame,
    frame_no: FrameNo,
    pgno: Pgno,
    before: Before,
    /// The thread was unwinding already when the guard came: a change under it that ends is whole.
    in_unwinding: bool,
    /// The image of `frame`. The latch goes after `Drop::drop` has put the slot in order.
    latched: Latched<latch::Write<'a>>,
}

impl<'a> WriteGuard<'a> {
    /// The page is loaded and latched.
    #[inline]
    pub(super) fn new(
        cache: &'a PageCache,
        slot: &'a Slot,
        latched: Latched<latch::Write<'a>>,
        pgno: Pgno,
    ) -> Result<WriteGuard<'a>> {
        cache.touch(slot);
        if slot.is_dirty()
            && let Some(frame_no) = slot.frame()
            && let Some(frame) = cache.frames.at(frame_no)
        {
            let before = Before::Nothing;
            return Ok(WriteGuard::made(cache, slot, (frame_no, frame), pgno, before, latched));
        }
        WriteGuard::of_clean(cache, slot, latched, pgno)
    }

    #[inline]
    fn made(
        cache: &'a PageCache,
        slot: &'a Slot,
        (frame_no, frame): (FrameNo, &'a Frame),
        pgno: Pgno,
        before: Before,
        latched: Latched<latch::Write<'a>>,
    ) -> WriteGuard<'a> {
        let in_unwinding = std::thread::panicking();
        WriteGuard { cache, slot, frame, frame_no, pgno, before, in_unwinding, latched }
    }

    /// A clean page gets a frame, if it has none, and is announced as about to change. One with a
    /// time that no clock comes to cannot change: its changes would have times below its own, and
    /// redo would take them for done.
    #[inline(never)]
    fn of_clean(
        cache: &'a PageCache,
        slot: &'a Slot,
        latched: Latched<latch::Write<'a>>,
        pgno: Pgno,
    ) -> Result<WriteGuard<'a>> {
        let dbtime = latched.page().dbtime();
        if dbtime >= DbTime::LIMIT {
            let what = format!("the page's time is {dbtime}, which no database comes to");
            return Err(Error::new(JetErr::DbTimeCorrupted, what)
                .at_path(cache.file.path())
                .at_page(pgno)
                .advise("the page can be read, not changed: restore or compact the database"));
        }
        let before = Before::Clean { image: slot.image(), frame: slot.frame() };
        if let Some(frame_no) = slot.frame()
            && let Some(frame) = cache.frames.at(frame_no)
        {
            cache.dirty.open(pgno);
            return Ok(WriteGuard::made(cache, slot, (frame_no, frame), pgno, before, latched));
        }
        let mut free = cache.take_frame(pgno)?;
        free.bytes_mut().copy_from_slice(latched.page().bytes());
        WriteGuard::in_frame(cache, slot, latched.into_latch(), free, before, pgno)
    }

    /// The page gets a frame of zeros, whatever it has.
    pub(super) fn new_page(
        cache: &'a PageCache,
        slot: &'a Slot,
        pgno: Pgno,
    ) -> Result<WriteGuard<'a>> {
        let mut free = cache.take_frame(pgno)?;
        free.bytes_mut().fill(0);
        let latch = slot.latch.write();
        let (image, frame) = (slot.image(), slot.frame());
        let before = if slot.is_dirty() {
            if let Some(old) = frame.and_then(|no| cache.frames.at(no)) {
                free.frame().inherit(old);
            }
            Before::Replaced { image, frame }
        } else {
            Before::Clean { image, frame }
        };
        cache.touch(slot);
        WriteGuard::in_frame(cache, slot, latch, free, before, pgno)
    }

    /// The slot shows the new frame from here on.
    fn in_frame(
        cache: &'a PageCache,
        slot: &'a Slot,
        latch: latch::Write<'a>,
        free: FreeFrame<'a>,
        before: Before,
        pgno: Pgno,
    ) -> Result<WriteGuard<'a>> {
        let (frame_no, frame) = free.show(slot);
        let Some(latched) = Latched::of_latch(slot, latch, cache.page_size) else {
            return Err(Error::new(JetErr::InternalError, "a frame has no memory").at_page(pgno));
        };
        if matches!(before, Before::Clean { .. }) {
            cache.dirty.open(pgno);
        }
        Ok(WriteGuard::made(cache, slot, (frame_no, frame), pgno, before, latched))
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
        self.latched.page()
    }

    /// Its content, to be changed.
    #[inline]
    #[must_use]
    pub fn page_mut(&mut self) -> PageMut<'_> {
        self.latched.page_mut()
    }

    /// Says which log records describe the change: `start` is where the first of them begins (the
    /// checkpoint stays before it until the page is written), `end` is where the last one ends
    /// (the log is made durable up to there before the page is written). Both were appended
    /// before. Without logging both are [`LgPos::MIN`].
    #[inline]
    pub fn mark_dirty(&mut self, start: LgPos, end: LgPos) {
        match self.before {
            Before::Clean { .. } => activity::page_dirtied(),
            Before::Nothing | Before::Replaced { .. } => activity::page_redirtied(),
        }
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

    /// A panic unwinds through the change of a page: it may be half done, and must never be
    /// written.
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
        if std::thread::panicking() && !self.in_unwinding {
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
