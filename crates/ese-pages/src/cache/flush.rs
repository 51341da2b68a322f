//! Writing changed pages to the file. One flush at a time.
//!
//! A batch goes through these steps, and a failure in any of them leaves its pages dirty:
//!
//! 1. *Copy.* Each page is latched for reading just while its image is copied to the batch.
//!    Changes that come later are noted in the frame and belong to the next flush.
//! 2. *Stamp* the checksums, in the copy.
//! 3. *Fence.* The log becomes durable up to the last change of any page of the batch.
//! 4. *Double write.* The copies become durable in the side file ([`crate::dblwr`]).
//! 5. *In place.* Neighbouring pages go out in one write. Ranges that a backup holds come last,
//!    when it has let them go.
//! 6. *Settle*, after a sync of the file: a page that was not changed since the copy is clean; in
//!    mapped mode its slot points to the map again and the frame is free.
//!
//! With the double-write file every batch is settled before the next begins, because the next one
//! overwrites its copies; without it, settling waits until the end or until enough has gathered.

use std::{ops::Range, sync::atomic::Ordering};

use ese_base::{Error, JetErr, LgPos, Pgno, Result, plant};
use parking_lot::{Condvar, Mutex};

use super::{PageCache, guard::ReadGuard};
use crate::{
    aligned::AlignedBuffer,
    checksum,
    dblwr::{self, DoubleWrite},
    fence::LogFence,
    header::DbState,
    page::{PageFlags, PageMut},
};

/// Pages that may wait for a sync when there is no double-write file.
const UNSETTLED_MAX: usize = 8192;
/// Bytes of images in a batch, whatever the options say.
const BATCH_LEN_MAX: usize = 64 << 20;

/// What a flush is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlushGoal {
    /// Every page that is dirty when the flush begins.
    All,
    /// Every page whose first missing change lies before this position: the checkpoint may come
    /// up to here.
    OlderThan(LgPos),
    /// As many of the pages that have been dirty for longest that no more than this many remain.
    DownTo(usize),
}

/// What a flush did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlushStats {
    /// Pages written.
    pub pages: usize,
    /// Batches.
    pub batches: usize,
    /// Writes in place; each covers neighbouring pages.
    pub writes: usize,
    /// Pages that were changed again meanwhile and are still dirty.
    pub changed_again: usize,
}

/// What only the one who flushes touches.
#[derive(Debug, Default)]
pub(super) struct Flusher {
    batch: AlignedBuffer,
    double_write: Option<DoubleWrite>,
    /// Pages that are written and wait for the sync.
    pub(super) unsettled: Vec<Pgno>,
}

/// Lets writers sleep while somebody else flushes for them.
#[derive(Debug, Default)]
pub(super) struct Progress {
    flushing: Mutex<bool>,
    changed: Condvar,
}

/// A flush that is running: at its end, however it ends, those who wait go on.
struct Running<'a> {
    cache: &'a PageCache,
    returned: bool,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.returned {
            // A panic: nobody can tell which pages were written.
            let error = Error::new(JetErr::InternalError, "a panic has interrupted a flush")
                .at_path(self.cache.file.path());
            drop(self.cache.file.poison().remember(error));
        }
        *self.cache.progress.flushing.lock() = false;
        self.cache.progress.changed.notify_all();
    }
}

impl PageCache {
    /// Writes pages to the file, durably. Blocks while another flush is running.
    ///
    /// The caller holds no latch.
    ///
    /// # Errors
    /// `JET_errInstanceUnavailable` (-1090) after an earlier failure; errors of the fence (nothing
    /// of that batch was written, the flush may be repeated); errors of writing, which poison the
    /// file. Pages that were not written stay dirty.
    pub fn flush(&self, goal: FlushGoal, fence: &dyn LogFence) -> Result<FlushStats> {
        let mut flusher = self.flusher.lock();
        *self.progress.flushing.lock() = true;
        let mut running = Running { cache: self, returned: false };
        let result = self.flush_goal(&mut flusher, goal, fence);
        running.returned = true;
        result
    }

    /// Keeps the number of dirty pages, and so the memory, within the limit: flushes, or waits for
    /// somebody who does. Costs one load when there is nothing to do, and the time of one batch
    /// otherwise: whoever changes a page shall not wait while a quarter of the cache is written.
    ///
    /// To be called by writers between changes, holding no latch and no lock that a flush or its
    /// fence needs.
    ///
    /// # Errors
    /// As [`PageCache::flush`].
    #[inline]
    pub fn throttle(&self, fence: &dyn LogFence) -> Result<()> {
        if self.dirty.count() <= self.options.dirty_pages_max {
            return Ok(());
        }
        self.throttle_slowly(fence)
    }

    #[cold]
    fn throttle_slowly(&self, fence: &dyn LogFence) -> Result<()> {
        let limit = self.options.dirty_pages_max;
        while self.dirty.count() > limit {
            self.check_writable()?;
            let mut flushing = self.progress.flushing.lock();
            if *flushing {
                // Woken after each batch and at the end.
                self.progress.changed.wait(&mut flushing);
                continue;
            }
            drop(flushing);
            let rest = (limit + 1).saturating_sub(self.pages_of_a_wait());
            self.flush(FlushGoal::DownTo(rest), fence)?;
        }
        Ok(())
    }

    /// Writes pages before so many are dirty that writers would have to: below the limit of
    /// [`PageCache::throttle`] there is always room for an eighth of it. For a background thread,
    /// several times a second, holding no latch.
    ///
    /// # Errors
    /// As [`PageCache::flush`].
    pub fn flush_ahead(&self, fence: &dyn LogFence) -> Result<FlushStats> {
        let limit = self.options.dirty_pages_max;
        if self.dirty.count() <= limit - limit / 8 {
            return Ok(FlushStats::default());
        }
        self.flush(FlushGoal::DownTo(limit - limit / 4), fence)
    }

    /// How many pages a writer writes, or waits for: as many as one sync is worth.
    fn pages_of_a_wait(&self) -> usize {
        let one_sync = if self.options.double_write { self.batch_pages() } else { UNSETTLED_MAX };
        one_sync.min(self.options.dirty_pages_max / 4).max(1)
    }

    fn flush_goal(
        &self,
        flusher: &mut Flusher,
        goal: FlushGoal,
        fence: &dyn LogFence,
    ) -> Result<FlushStats> {
        let mut stats = FlushStats::default();
        let pages = match goal {
            FlushGoal::All => self.dirty.oldest_pages(usize::MAX),
            FlushGoal::OlderThan(pos) => self.dirty.older_than(pos),
            FlushGoal::DownTo(rest) => {
                self.dirty.oldest_pages(self.dirty.count().saturating_sub(rest))
            }
        };
        if pages.is_empty() {
            // What was latched at the end of the last flush may have kept more frames than allowed.
            self.shrink();
            return Ok(stats);
        }
        self.check_writable()?;
        self.check_not_clean()?;
        flusher.unsettled.clear(); // of a flush that failed: those pages are dirty
        let most = self.prepare(flusher)?;
        for pages in pages.chunks(most) {
            self.write_batch(flusher, pages, fence, &mut stats)?;
            if self.options.double_write || flusher.unsettled.len() >= UNSETTLED_MAX {
                self.settle(flusher, &mut stats)?;
                self.progress.changed.notify_all();
            }
        }
        self.settle(flusher, &mut stats)?;
        self.shrink();
        Ok(stats)
    }

    /// A header that says "clean" must not stand over pages that are being written: after a crash
    /// nobody would look for torn ones (edb-format 1.4).
    fn check_not_clean(&self) -> Result<()> {
        if self.file.header().state() != DbState::CleanShutdown {
            return Ok(());
        }
        Err(Error::new(
            JetErr::InternalError,
            "pages are to be written while the header says that the database is clean",
        )
        .at_path(self.file.path()))
    }

    fn batch_pages(&self) -> usize {
        self.options.batch_pages.clamp(1, BATCH_LEN_MAX / self.page_size.bytes())
    }

    /// Where page images begin in the batch buffer; the front is for the double-write file.
    fn images_at(&self) -> usize {
        dblwr::images_at(self.batch_pages())
    }

    /// Gets the batch buffer and the double-write file. The value is how many pages a batch has.
    fn prepare(&self, flusher: &mut Flusher) -> Result<usize> {
        let len = self.images_at() + self.batch_pages() * self.page_size.bytes();
        if flusher.batch.len() < len {
            flusher.batch = AlignedBuffer::new(len)?;
        }
        if self.options.double_write && flusher.double_write.is_none() {
            flusher.double_write = Some(DoubleWrite::open(&self.file, self.batch_pages())?);
        }
        let room = flusher.double_write.as_ref().map_or(usize::MAX, |side| side.room);
        Ok(self.batch_pages().min(room))
    }

    /// Steps 1 to 5.
    fn write_batch(
        &self,
        flusher: &mut Flusher,
        pages: &[Pgno],
        fence: &dyn LogFence,
        stats: &mut FlushStats,
    ) -> Result<()> {
        let (page_len, images_at) = (self.page_size.bytes(), self.images_at());
        let images = flusher.batch.as_mut_slice().get_mut(images_at..).unwrap_or_default();
        let mut copied = Vec::with_capacity(pages.len());
        let mut end = LgPos::MIN;
        for &pgno in pages {
            let at = copied.len() * page_len;
            let Some(place) = images.get_mut(at..at + page_len) else { break };
            if let Some(page_end) = self.copy_page(pgno, place) {
                copied.push(pgno);
                end = end.max(page_end);
            }
        }
        if copied.is_empty() {
            return Ok(());
        }
        for (&pgno, image) in copied.iter().zip(images.chunks_exact_mut(page_len)) {
            self.stamp(pgno, image);
        }
        if !plant!("pages-skip-fence") {
            fence.ensure_durable(end)?;
        }
        if let Some(side) = &mut flusher.double_write {
            let numbers = copied.iter().copied();
            side.write(&self.file, &mut flusher.batch, images_at, numbers)?;
        }
        let images = flusher.batch.as_slice().get(images_at..).unwrap_or_default();
        stats.writes += self.write_in_place(&copied, images)?;
        stats.batches += 1;
        stats.pages += copied.len();
        flusher.unsettled.append(&mut copied);
        Ok(())
    }

    /// Copies the image as it is now, if the page is dirty. Gives the end of its last change.
    fn copy_page(&self, pgno: Pgno, to: &mut [u8]) -> Option<LgPos> {
        let slot = self.slots.at(pgno)?;
        let guard = ReadGuard::new(self, slot, pgno)?;
        if !slot.is_dirty() {
            return None;
        }
        let frame = self.frames.at(slot.frame()?)?;
        to.copy_from_slice(guard.page().bytes());
        frame.forget_changes();
        Some(frame.end())
    }

    /// Makes a copy ready for the file. A page that Windows has written may carry a flush type,
    /// which we do not keep up: "unknown" is compared with nothing (edb-format 2.2).
    fn stamp(&self, pgno: Pgno, image: &mut [u8]) {
        let mut page = PageMut::new(image, self.page_size);
        let flags = page.as_ref().flags();
        if flags.intersects(PageFlags::FLUSH_TYPE) {
            page.set_flags(flags.difference(PageFlags::FLUSH_TYPE));
        }
        checksum::stamp(image, pgno);
    }

    /// Writes runs of neighbouring pages; those that a backup holds come last.
    fn write_in_place(&self, pages: &[Pgno], images: &[u8]) -> Result<usize> {
        let runs = runs_of(pages);
        let mut held = Vec::new();
        for run in &runs {
            let Some((first, last)) = ends_of(pages, run) else { continue };
            match self.file.ranges().try_begin_write(first, last) {
                Some(_writing) => self.write_run(first, run, images)?,
                None => held.push((first, last, run)),
            }
        }
        for (first, last, run) in held {
            let _writing = self.file.ranges().begin_write(first, last);
            self.write_run(first, run, images)?;
        }
        Ok(runs.len())
    }

    fn write_run(&self, first: Pgno, run: &Range<usize>, images: &[u8]) -> Result<()> {
        let page_len = self.page_size.bytes();
        let bytes = images.get(run.start * page_len..run.end * page_len).unwrap_or_default();
        self.file
            .write_at(bytes, self.page_size.offset_of(first))
            .map_err(|error| error.at_page(first))
    }

    /// Step 6, for everything that was written since the last time.
    fn settle(&self, flusher: &mut Flusher, stats: &mut FlushStats) -> Result<()> {
        if flusher.unsettled.is_empty() {
            return Ok(());
        }
        if !plant!("pages-skip-database-sync") {
            self.file.sync()?;
        }
        for pgno in flusher.unsettled.drain(..) {
            if self.settle_page(pgno) {
                stats.changed_again += 1;
            }
            self.counters.written.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Is the page still dirty?
    fn settle_page(&self, pgno: Pgno) -> bool {
        let Some(slot) = self.slots.at(pgno) else { return false };
        let mapped = self.mapped_image(pgno);
        let _latch = slot.latch.write();
        let Some((no, frame)) = slot.frame().and_then(|no| Some((no, self.frames.at(no)?))) else {
            return false;
        };
        let changed = frame.changed_since_copy();
        let changed = if plant!("pages-forget-change-during-flush") { None } else { changed };
        self.dirty.moved(pgno, frame.start(), changed);
        if let Some(changed) = changed {
            frame.set_start(changed);
            return true;
        }
        slot.set_dirty(false);
        // Otherwise (copy mode, or the map cannot give the page) the frame goes on to serve.
        if let Some(image) = mapped {
            slot.show(image, None);
            self.frames.give_back(no);
        }
        false
    }

    /// Where the page is in the map, present in memory.
    fn mapped_image(&self, pgno: Pgno) -> Option<*mut u8> {
        let map = self.map.as_ref()?;
        let (offset, len) = (self.page_size.offset_of(pgno), self.page_size.bytes());
        map.populate(offset, len).ok()?;
        // SAFETY: rules 1 and 3 of cache/mod.rs: in the file; only a flush writes there, and this
        // is the flush, whose write has ended.
        let bytes = unsafe { map.bytes(offset, len) };
        (bytes.len() == len).then(|| bytes.as_ptr().cast_mut())
    }
}

/// Index ranges of neighbouring pages; the pages are sorted.
fn runs_of(pages: &[Pgno]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut before = None;
    for (at, pgno) in pages.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if before == pgno.0.checked_sub(1) => run.end = at + 1,
            _ => runs.push(at..at + 1),
        }
        before = Some(pgno.0);
    }
    runs
}

fn ends_of(pages: &[Pgno], run: &Range<usize>) -> Option<(Pgno, Pgno)> {
    let pages = pages.get(run.clone())?;
    Some((*pages.first()?, *pages.last()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_form_one_run() {
        let runs = |numbers: &[u32]| {
            let pages: Vec<Pgno> = numbers.iter().copied().map(Pgno).collect();
            runs_of(&pages).iter().map(|run| ends_of(&pages, run).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(runs(&[]), []);
        assert_eq!(runs(&[1]), [(Pgno(1), Pgno(1))]);
        assert_eq!(
            runs(&[1, 2, 3, 7, 9, 10]),
            [(Pgno(1), Pgno(3)), (Pgno(7), Pgno(7)), (Pgno(9), Pgno(10))]
        );
    }
}
