//! The page cache of one database file: who may look at a page, who may change it, and when a
//! changed page goes to the file.
//!
//! # How a page is found
//!
//! Every page has a *slot* in an array indexed by page number (`slot.rs`): a latch and a pointer to
//! the image that is valid now. A hit is: latch, load the pointer. There is no hash, no list and
//! no lock besides the page's own latch.
//!
//! # Two modes
//!
//! *Mapped*: clean pages are looked at in the read-only map of the file; only changed pages have
//! frames. *Copy*: every page that is looked at has a frame, and a clock hand takes clean frames
//! back. Copy mode serves file systems without a coherent map (the simulated disk among them) and
//! callers who want a bounded cache. Everything but `load.rs` and `evict.rs` is the same for both.
//!
//! # Life of a changed page
//!
//! A write latch on a clean page gives it a frame (mapped mode: a copy). [`WriteGuard::mark_dirty`]
//! says which log records describe the change. The flusher (`flush.rs`) copies the image under the
//! read latch, asks the [`LogFence`](crate::fence::LogFence), writes the double-write file, then in
//! place, syncs, and then, under the write latch, lets the frame go, if the page has not been
//! changed since the copy.
//!
//! # SAFETY: the argument for the unsafe lines of this module
//!
//! Latched images are handed out as `&[u8]` and `&mut [u8]` made from the slot's pointer. That is
//! sound because of these rules, each kept in the place named:
//!
//! 1. *Valid memory.* The pointer is null (not loaded), or points to a whole page image: in a
//!    frame, whose slab lives as long as the cache (`frame.rs`), or in the map, whose windows never
//!    move or shrink while the cache holds the map (`ese_os::PageMap`); the page was inside the
//!    file when it was loaded, which is looked at under its latch, and a page that the file loses
//!    is forgotten under its write latch before (`cut.rs`). Other engines are kept out by the
//!    file lock.
//! 2. *Shared or exclusive.* `&[u8]` exists only under the page's latch and borrows its guard;
//!    `&mut [u8]` exists only under the write latch, borrows the guard mutably, and only ever
//!    points to a frame: a write guard is not made before the page has one (`guard.rs`).
//! 3. *Nobody writes what is looked at.* Frames are written only by 2, or by whoever took the frame
//!    from the free list before showing it in a slot. The map is never written by us through
//!    memory. The file is written in place only by the flusher, one at a time, and only pages that
//!    are dirty: such a page has a frame and its slot points there; the pointer goes back to the
//!    map under the write latch after the write has ended (`flush.rs`). Before a page is loaded,
//!    nobody looks at its mapped bytes, and it is loaded under the write latch (`load.rs`).
//!    A file has one cache at a time, and torn pages are restored only while it has none
//!    (`PagesClaim`).
//! 4. *No faults.* A mapped page is populated before it is touched; an unreadable page is an error
//!    there. (The operating system may drop the page later and fail to read it again: then the
//!    process gets a signal. Copy mode has no such case.)

mod ahead;
mod chunked;
mod cut;
mod dirty;
mod evict;
mod flush;
mod frame;
mod guard;
mod latched;
mod load;
mod slot;
#[cfg(test)]
pub(crate) mod tests;

use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use ese_base::{DbTime, Error, JetErr, LgPos, PageSize, Pgno, Result, activity};
use ese_os::PageMap;
use parking_lot::Mutex;

use self::{
    dirty::DirtyPages,
    evict::Clock,
    flush::{Flusher, Progress},
    frame::FrameTable,
    latched::Latched,
    load::{Announced, Windows},
    slot::{Slot, SlotTable},
};
use crate::db_file::{DbFile, PagesClaim};

pub use flush::{FlushGoal, FlushStats};
pub use guard::{RdwGuard, ReadGuard, WriteGuard};

/// Where clean pages are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheMode {
    /// In the file's map. Becomes [`CacheMode::Copy`] where the file system has no coherent map.
    Mapped,
    /// In frames.
    Copy,
}

/// How a cache behaves.
#[derive(Clone, Debug)]
pub struct CacheOptions {
    /// Where clean pages are looked at.
    pub mode: CacheMode,
    /// Copy mode: frames that the cache tries to stay within. Dirty pages and pages that are
    /// latched are never taken back, so more exist for a while if all are.
    pub pages_max: usize,
    /// Changed pages beyond which [`PageCache::throttle`] makes writers wait or flush.
    pub dirty_pages_max: usize,
    /// Pages of one write batch: what the double-write file holds, and the flusher's buffer.
    pub batch_pages: usize,
    /// Write every batch to the double-write file first, so that a torn page can be restored.
    /// To be switched off only where the device writes a page wholly or not at all.
    pub double_write: bool,
}

impl CacheOptions {
    /// Options for a memory budget in bytes.
    #[must_use]
    pub fn for_memory(bytes: usize, page_size: PageSize) -> CacheOptions {
        let pages = (bytes / page_size.bytes()).max(16);
        CacheOptions {
            mode: CacheMode::Mapped,
            pages_max: pages,
            dirty_pages_max: pages.div_ceil(2),
            batch_pages: ((4 << 20) / page_size.bytes()).min(pages),
            double_write: true,
        }
    }
}

impl Default for CacheOptions {
    /// For 64 MiB of 8 KiB pages.
    fn default() -> CacheOptions {
        CacheOptions::for_memory(64 << 20, PageSize::K8)
    }
}

/// What a cache has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Pages loaded and verified.
    pub loaded: u64,
    /// Pages whose checksum needed a repair of flipped bits when they were loaded.
    pub corrected: u64,
    /// Frames taken back from clean pages (copy mode).
    pub evicted: u64,
    /// Pages written to the file.
    pub written: u64,
    /// Frames that belong to a page now.
    pub frames: u64,
    /// Pages that are dirty now.
    pub dirty: u64,
}

#[derive(Debug, Default)]
struct Counters {
    loaded: AtomicU64,
    corrected: AtomicU64,
    evicted: AtomicU64,
    written: AtomicU64,
}

/// The pages of one database file. See the module's head.
pub struct PageCache {
    file: Arc<DbFile>,
    options: CacheOptions,
    page_size: PageSize,
    /// `None`: copy mode.
    map: Option<Arc<dyn PageMap>>,
    slots: SlotTable,
    frames: FrameTable,
    dirty: DirtyPages,
    windows: Windows,
    announced: Announced,
    clock: Mutex<Clock>,
    flusher: Mutex<Flusher>,
    progress: Progress,
    counters: Counters,
    corrected: Mutex<BTreeSet<Pgno>>,
    /// The highest time of any page that was read from the file.
    newest_loaded: AtomicU64,
    /// Nobody else writes pages of the file in place.
    _claim: PagesClaim,
}

impl fmt::Debug for PageCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageCache")
            .field("file", &self.file.path())
            .field("mode", &self.mode())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

impl PageCache {
    /// An empty cache over a file.
    ///
    /// # Errors
    /// `JET_errInternalError` if the file has a cache already; `JET_errDiskIO` and the like if it
    /// cannot be mapped.
    pub fn new(file: Arc<DbFile>, options: CacheOptions) -> Result<PageCache> {
        let claim = file.claim()?;
        let map = match options.mode {
            CacheMode::Mapped => file.file().map()?,
            CacheMode::Copy => None,
        };
        let page_size = file.page_size();
        // In mapped mode only changed pages have frames.
        let frames = if map.is_some() { options.dirty_pages_max } else { options.pages_max };
        Ok(PageCache {
            options,
            page_size,
            map,
            slots: SlotTable::new(),
            frames: FrameTable::new(page_size, frames),
            dirty: DirtyPages::default(),
            windows: Windows::new(page_size),
            announced: Announced::new(),
            clock: Mutex::default(),
            flusher: Mutex::default(),
            progress: Progress::default(),
            counters: Counters::default(),
            corrected: Mutex::default(),
            newest_loaded: AtomicU64::new(0),
            _claim: claim,
            file,
        })
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Arc<DbFile> {
        &self.file
    }

    /// Page size of the file.
    #[inline]
    #[must_use]
    pub fn page_size(&self) -> PageSize {
        self.page_size
    }

    /// Pages that were read with flipped bits put right, by number, the first ten thousand of them.
    /// Some damage looks like one flipped bit, so whoever reads evidence wants to know.
    #[must_use]
    pub fn corrected_pages(&self) -> Vec<Pgno> {
        self.corrected.lock().iter().copied().collect()
    }

    /// Notes a page that was put right after it was read past the cache.
    pub fn note_corrected(&self, pgno: Pgno) {
        const NOTED_MAX: usize = 10_000;
        let mut corrected = self.corrected.lock();
        if corrected.len() < NOTED_MAX {
            corrected.insert(pgno);
        }
    }

    /// The mode it works in, which may differ from the mode asked for.
    #[must_use]
    pub fn mode(&self) -> CacheMode {
        if self.map.is_some() { CacheMode::Mapped } else { CacheMode::Copy }
    }

    /// The options it was made with.
    #[must_use]
    pub fn options(&self) -> &CacheOptions {
        &self.options
    }

    /// Latches a page for reading and loads it if needed.
    ///
    /// The caller holds no latch of this page, and takes latches in the order of the
    /// architecture (root to leaf, left to right).
    ///
    /// # Errors
    /// `JET_errPageNotInitialized` (-1019) for a blank page, `JET_errReadVerifyFailure` (-1018) for
    /// a wrong checksum, the codes of [`validate`](crate::validate::validate) for a wrong
    /// structure, `JET_errFileIOBeyondEOF` (-4001) past the end of the file, `JET_errDiskIO`
    /// (-1022). All name the page.
    #[inline]
    pub fn read(&self, pgno: Pgno) -> Result<ReadGuard<'_>> {
        if let Some(slot) = self.slots.at(pgno)
            && let Some(guard) = ReadGuard::new(self, slot, pgno)
        {
            activity::page_referenced();
            return Ok(guard);
        }
        self.read_unloaded(pgno)
    }

    /// Is the page in memory? It may come or go at any moment.
    pub fn is_loaded(&self, pgno: Pgno) -> bool {
        self.slots.at(pgno).is_some_and(Slot::is_loaded)
    }

    /// Latches a page for reading if it is in memory. Nothing is read.
    pub fn read_loaded(&self, pgno: Pgno) -> Option<ReadGuard<'_>> {
        self.slots.at(pgno).and_then(|slot| ReadGuard::new(self, slot, pgno))
    }

    #[cold]
    fn read_unloaded(&self, pgno: Pgno) -> Result<ReadGuard<'_>> {
        let slot = self.slot(pgno)?;
        loop {
            // In copy mode the page may be evicted again before it is latched.
            self.load(slot, pgno)?;
            if let Some(guard) = ReadGuard::new(self, slot, pgno) {
                activity::page_referenced();
                return Ok(guard);
            }
        }
    }

    /// Latches a page for reading with the right to upgrade; readers may come in beside it.
    ///
    /// # Errors
    /// As [`PageCache::read`].
    pub fn rdw(&self, pgno: Pgno) -> Result<RdwGuard<'_>> {
        let slot = self.slot(pgno)?;
        loop {
            if let Some(guard) = RdwGuard::new(self, slot, pgno) {
                activity::page_referenced();
                return Ok(guard);
            }
            self.load(slot, pgno)?;
        }
    }

    /// Latches a page for writing. It has a frame from here on, so nothing can fail between the
    /// log record and the change.
    ///
    /// # Errors
    /// As [`PageCache::read`]; `JET_errDatabaseFileReadOnly` (-1008);
    /// `JET_errInstanceUnavailable` (-1090) after a failed write; `JET_errOutOfMemory`.
    #[inline]
    pub fn write(&self, pgno: Pgno) -> Result<WriteGuard<'_>> {
        self.check_writable()?;
        let slot = self.slot(pgno)?;
        loop {
            if let Some(latched) = Latched::write(slot, self.page_size) {
                activity::page_referenced();
                return WriteGuard::new(self, slot, latched, pgno);
            }
            self.load(slot, pgno)?;
        }
    }

    /// Latches a page for writing that is about to be created: its image is all zero and nothing
    /// is read. If the guard is dropped without [`WriteGuard::mark_dirty`], the page is what it
    /// was.
    ///
    /// # Errors
    /// As [`PageCache::write`], without those of reading. The file must have grown over the page
    /// before ([`DbFile::grow`]).
    pub fn write_new(&self, pgno: Pgno) -> Result<WriteGuard<'_>> {
        self.check_writable()?;
        self.file.check_in_file(pgno)?;
        let slot = self.slot(pgno)?;
        activity::page_referenced();
        WriteGuard::new_page(self, slot, pgno)
    }

    /// The first change that the file does not have; a checkpoint must not be past it. `None`:
    /// the file has everything.
    ///
    /// To take a checkpoint, ask the log for its tip *before* calling this: the minimum of both is
    /// safe, also while writers are between their log record and [`WriteGuard::mark_dirty`].
    #[must_use]
    pub fn oldest_dirty(&self) -> Option<LgPos> {
        self.dirty.oldest()
    }

    /// The highest time of any page that was read from the file. In a copy that was made while the
    /// database was in use, pages may be newer than the header.
    #[inline]
    #[must_use]
    pub fn newest_loaded(&self) -> DbTime {
        DbTime(self.newest_loaded.load(Ordering::Relaxed))
    }

    /// How many pages are dirty.
    #[inline]
    #[must_use]
    pub fn dirty_count(&self) -> usize {
        self.dirty.count()
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        CacheStats {
            loaded: self.counters.loaded.load(Ordering::Relaxed),
            corrected: self.counters.corrected.load(Ordering::Relaxed),
            evicted: self.counters.evicted.load(Ordering::Relaxed),
            written: self.counters.written.load(Ordering::Relaxed),
            frames: u64::from(self.frames.used()),
            dirty: u64::try_from(self.dirty.count()).unwrap_or(u64::MAX),
        }
    }

    /// Says that these pages will be read soon. Only a hint. Those count as read ahead that are
    /// neither in memory nor announced already.
    pub fn will_need(&self, first: Pgno, count: u32) {
        let end = first.0.saturating_add(count).min(self.file.page_count().saturating_add(1));
        let new = (first.0..end).map(Pgno).filter(|pgno| {
            // In this order: what has been read is forgotten as announced.
            !self.is_loaded(*pgno) && self.announced.add(*pgno)
        });
        activity::pages_preread(u32::try_from(new.count()).unwrap_or(u32::MAX));
        self.file.file().will_need(
            self.page_size.offset_of(first),
            u64::from(count) * self.page_size.bytes_u64(),
        );
    }

    /// The same of pages in any order, one hint for those that lie side by side.
    pub fn will_need_all(&self, mut pages: Vec<Pgno>) {
        pages.sort_unstable();
        pages.dedup();
        for run in pages.chunk_by(|page, next| page.0.checked_add(1) == Some(next.0)) {
            if let Some(first) = run.first() {
                self.will_need(*first, u32::try_from(run.len()).unwrap_or(u32::MAX));
            }
        }
    }

    #[inline]
    fn slot(&self, pgno: Pgno) -> Result<&Slot> {
        match self.slots.at(pgno) {
            Some(slot) => Ok(slot),
            None => self.make_slot(pgno),
        }
    }

    /// A page number from a damaged page must not make room for slots, so it is checked first.
    #[cold]
    fn make_slot(&self, pgno: Pgno) -> Result<&Slot> {
        self.file.check_in_file(pgno)?;
        self.slots.at_or_make(pgno).ok_or_else(|| {
            Error::new(JetErr::FileIOBeyondEOF, format!("no page is numbered above {}", Pgno::MAX))
                .at_page(pgno)
        })
    }

    #[inline]
    fn check_writable(&self) -> Result<()> {
        self.file.check_writable()
    }

    /// In copy mode: the clock hand shall pass by this page once.
    #[inline]
    fn touch(&self, slot: &Slot) {
        if self.map.is_none() {
            slot.mark_referenced();
        }
    }
}
