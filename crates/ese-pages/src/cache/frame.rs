//! Frames: private page images in memory, and the log positions that belong to a changed page.
//!
//! Frames are numbered, live in slabs and stay until the cache is dropped; a free list hands them
//! out again. Who takes a frame owns its bytes alone until it shows them in a slot; from then on
//! the slot's latch rules.

use std::{
    mem::ManuallyDrop,
    slice,
    sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering},
};

use ese_base::{Error, JetErr, LgPos, PageSize, Pgno, Result};
use parking_lot::Mutex;

use super::{chunked::Chunked, slot::Slot};
use crate::aligned::AlignedBuffer;

/// Frames of a slab of a small cache: 256 KiB to 2 MiB of memory at a time.
const SLAB_FRAMES: u32 = 64;
/// Memory of a slab of a large cache. Random reads of changed pages wait for the processor's
/// address tables more than for memory, unless the system backs a slab with large pages.
const LARGE_SLAB: usize = 8 << 20;
/// Slabs of the large size that a cache must be allowed to fill at the least to get them.
const LARGE_SLABS_MIN: usize = 8;
/// Stands in `changed` for "not since the copy".
const UNCHANGED: u64 = u64::MAX;

/// Number of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameNo(u32);

impl FrameNo {
    pub(crate) fn from_stored(stored: u32) -> Option<FrameNo> {
        stored.checked_sub(1).map(FrameNo)
    }

    pub(crate) fn stored(frame: Option<FrameNo>) -> u32 {
        frame.map_or(0, |no| no.0 + 1)
    }
}

/// What is known of a frame besides its bytes. Changed under the write latch of the page it
/// belongs to, except `changed`, which the flusher also resets under the read latch.
#[derive(Debug)]
pub(crate) struct Frame {
    image: AtomicPtr<u8>,
    owner: AtomicU32,
    start: AtomicU64,
    end: AtomicU64,
    changed: AtomicU64,
}

impl Frame {
    /// Where the bytes lie, one page long.
    #[inline]
    pub(crate) fn image(&self) -> *mut u8 {
        self.image.load(Ordering::Relaxed)
    }

    /// The page that it belongs to; `Pgno::NULL` while it is free.
    pub(crate) fn owner(&self) -> Pgno {
        Pgno(self.owner.load(Ordering::Relaxed))
    }

    /// First change that the file does not have.
    pub(crate) fn start(&self) -> LgPos {
        LgPos::from_u64(self.start.load(Ordering::Relaxed))
    }

    /// The log must be durable up to here before the page is written.
    pub(crate) fn end(&self) -> LgPos {
        LgPos::from_u64(self.end.load(Ordering::Relaxed))
    }

    /// The page becomes dirty.
    pub(crate) fn first_change(&self, start: LgPos, end: LgPos) {
        self.start.store(start.to_u64(), Ordering::Relaxed);
        self.end.store(end.to_u64(), Ordering::Relaxed);
        self.changed.store(start.to_u64(), Ordering::Relaxed);
    }

    /// A page that is dirty is changed again. True if this change begins before the first one: the
    /// caller then puts it first.
    #[inline]
    #[must_use]
    pub(crate) fn next_change(&self, start: LgPos, end: LgPos) -> bool {
        let (start, end) = (start.to_u64(), end.to_u64());
        if end > self.end.load(Ordering::Relaxed) {
            self.end.store(end, Ordering::Relaxed);
        }
        if start < self.changed.load(Ordering::Relaxed) {
            self.changed.store(start, Ordering::Relaxed);
        }
        start < self.start.load(Ordering::Relaxed)
    }

    /// The flusher copies the image: changes from now on are not in the copy.
    pub(crate) fn forget_changes(&self) {
        self.changed.store(UNCHANGED, Ordering::Relaxed);
    }

    /// First change since the copy.
    pub(crate) fn changed_since_copy(&self) -> Option<LgPos> {
        Some(self.changed.load(Ordering::Relaxed))
            .filter(|at| *at != UNCHANGED)
            .map(LgPos::from_u64)
    }

    /// The first missing change is another one from now on.
    pub(crate) fn set_start(&self, start: LgPos) {
        self.start.store(start.to_u64(), Ordering::Relaxed);
    }

    /// This frame takes the place of another one of the same page, which is dirty.
    pub(crate) fn inherit(&self, other: &Frame) {
        for (to, from) in
            [(&self.start, &other.start), (&self.end, &other.end), (&self.changed, &other.changed)]
        {
            to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }
}

struct Slab {
    frames: Box<[Frame]>,
    /// Owns the memory that the frames point to.
    _memory: AlignedBuffer,
}

impl std::fmt::Debug for Slab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Slab({} frames)", self.frames.len())
    }
}

#[derive(Debug, Default)]
struct Pool {
    free: Vec<FrameNo>,
    /// Frames made so far; always whole slabs.
    made: u32,
    /// How many belonged to a page when somebody last thought ahead.
    used_before: u32,
}

/// All frames of a cache.
#[derive(Debug)]
pub(crate) struct FrameTable {
    page_size: PageSize,
    /// Frames to be expected at most.
    frames: usize,
    /// Frames of a slab; a power of two.
    slab_frames: u32,
    slabs: Chunked<std::sync::OnceLock<Slab>, 4>,
    pool: Mutex<Pool>,
    /// `Pool::made`, for those who only look.
    made: AtomicU32,
    used: AtomicU32,
}

impl FrameTable {
    /// A table for about that many frames; there can be more.
    pub(crate) fn new(page_size: PageSize, frames: usize) -> FrameTable {
        let large = LARGE_SLAB / page_size.bytes();
        let slab_frames = match u32::try_from(large) {
            Ok(slab_frames) if frames >= LARGE_SLABS_MIN * large => slab_frames,
            _ => SLAB_FRAMES,
        };
        FrameTable {
            page_size,
            frames,
            slab_frames,
            slabs: Chunked::new(22),
            pool: Mutex::default(),
            made: AtomicU32::new(0),
            used: AtomicU32::new(0),
        }
    }

    /// The frame of that number; `None` if there was never one.
    #[inline]
    pub(crate) fn at(&self, no: FrameNo) -> Option<&Frame> {
        // By shift and mask: the divisor is a power of two.
        let slab = self.slabs.at(no.0 >> self.slab_frames.trailing_zeros())?.get()?;
        slab.frames.get((no.0 & (self.slab_frames - 1)) as usize)
    }

    /// Frames that belong to a page now.
    pub(crate) fn used(&self) -> u32 {
        self.used.load(Ordering::Relaxed)
    }

    /// Frames made so far; numbers run from 0 to below this.
    pub(crate) fn made(&self) -> u32 {
        self.made.load(Ordering::Acquire)
    }

    /// The frame of that number, for the clock hand.
    pub(crate) fn nth(&self, n: u32) -> Option<(FrameNo, &Frame)> {
        let no = FrameNo(n);
        self.at(no).map(|frame| (no, frame))
    }

    /// A frame for a page. Its bytes are what the last owner left.
    ///
    /// # Errors
    /// `JET_errOutOfMemory`.
    pub(crate) fn take(&self, pgno: Pgno) -> Result<FreeFrame<'_>> {
        let mut pool = self.pool.lock();
        if pool.free.is_empty() {
            let memory = self.slab_memory()?;
            self.add_slab(&mut pool, memory);
        }
        let taken = pool.free.pop().and_then(|no| self.at(no).map(|frame| (no, frame)));
        drop(pool);
        let Some((no, frame)) = taken else {
            return Err(Error::new(JetErr::OutOfBuffers, "every frame number is used"));
        };
        self.used.fetch_add(1, Ordering::Relaxed);
        frame.owner.store(pgno.0, Ordering::Relaxed);
        Ok(FreeFrame { table: self, no, frame })
    }

    /// Gives a frame back that no slot shows any more. Nobody looks at its bytes.
    pub(crate) fn give_back(&self, no: FrameNo) {
        let Some(frame) = self.at(no) else { return };
        frame.owner.store(0, Ordering::Relaxed);
        self.used.fetch_sub(1, Ordering::Relaxed);
        self.pool.lock().free.push(no);
    }

    /// Makes large slabs while there are still free frames, if more are being used: their memory
    /// takes milliseconds to get, for which nobody should wait under a latch. To be called every
    /// now and then in the background. Where memory is short, whoever needs the frame is told.
    pub(crate) fn make_ahead(&self) {
        if self.slab_frames <= SLAB_FRAMES {
            return;
        }
        let used = self.used();
        let before = std::mem::replace(&mut self.pool.lock().used_before, used);
        let grown = used.saturating_sub(before);
        // As many may be used until the next call, and as many while the memory is got.
        let ahead = self.slab_frames + 2 * grown;
        while grown > 0
            && self.has_less_than(ahead)
            && let Ok(memory) = self.slab_memory()
        {
            self.add_slab(&mut self.pool.lock(), memory);
        }
    }

    /// Are fewer frames free, and may there be more?
    fn has_less_than(&self, count: u32) -> bool {
        let pool = self.pool.lock();
        pool.free.len() < count as usize && (pool.made as usize) < self.frames
    }

    fn slab_memory(&self) -> Result<AlignedBuffer> {
        AlignedBuffer::new(self.page_size.bytes() * self.slab_frames as usize)
    }

    /// Adds the frames of a slab, unless all frame numbers are used.
    fn add_slab(&self, pool: &mut Pool, mut memory: AlignedBuffer) {
        let page_len = self.page_size.bytes();
        let slab_no = pool.made / self.slab_frames;
        let Some(place) = self.slabs.at_or_make(slab_no, std::sync::OnceLock::new) else { return };
        let base = memory.as_mut_ptr();
        let frames = (0..self.slab_frames as usize).map(|n| Frame {
            image: AtomicPtr::new(base.wrapping_add(n * page_len)),
            owner: AtomicU32::new(0),
            start: AtomicU64::new(0),
            end: AtomicU64::new(0),
            changed: AtomicU64::new(UNCHANGED),
        });
        let slab = Slab { frames: frames.collect(), _memory: memory };
        if place.set(slab).is_ok() {
            // Last first, so that the lowest number is handed out first.
            pool.free.extend((pool.made..pool.made + self.slab_frames).rev().map(FrameNo));
            pool.made += self.slab_frames;
            self.made.store(pool.made, Ordering::Release);
        }
    }
}

/// A frame that was taken and is shown in no slot: its bytes belong to the holder alone. Dropped,
/// it goes back to the free list.
pub(crate) struct FreeFrame<'a> {
    table: &'a FrameTable,
    no: FrameNo,
    frame: &'a Frame,
}

impl<'a> FreeFrame<'a> {
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        let len = self.table.page_size.bytes();
        // SAFETY: rules 1 and 3 of cache/mod.rs: the frame's memory is one page long and lives as
        // long as the table; the frame was just taken, is shown nowhere, and `self`, the only way
        // to it, is borrowed mutably.
        unsafe { slice::from_raw_parts_mut(self.frame.image(), len) }
    }

    pub(crate) fn frame(&self) -> &'a Frame {
        self.frame
    }

    /// Shows the frame in the slot of its page; under the slot's write latch.
    pub(crate) fn show(self, slot: &Slot) -> (FrameNo, &'a Frame) {
        let shown = ManuallyDrop::new(self);
        slot.show(shown.frame.image(), Some(shown.no));
        (shown.no, shown.frame)
    }
}

impl Drop for FreeFrame<'_> {
    fn drop(&mut self) {
        self.table.give_back(self.no);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_positions_keep_their_order_and_come_back() {
        let positions = [
            LgPos::MIN,
            LgPos::new(0, 0, 1),
            LgPos::new(0, 1, 0),
            LgPos::new(1, 0, 0),
            LgPos::new(1, 65535, 65535),
            LgPos::new(2, 3, 4),
            LgPos::MAX,
        ];
        for pair in positions.windows(2) {
            assert!(pair[0].to_u64() < pair[1].to_u64(), "{pair:?}");
        }
        for pos in positions {
            assert_eq!(LgPos::from_u64(pos.to_u64()), pos);
        }
        assert!(LgPos::MAX.to_u64() < UNCHANGED);
    }

    #[test]
    fn frames_are_reused_and_their_memory_does_not_overlap() {
        let table = FrameTable::new(PageSize::K8, 16);
        let taken: Vec<_> = (1..=200).map(|n| table.take(Pgno(n)).unwrap()).collect();
        let mut places: Vec<usize> = taken.iter().map(|free| free.frame.image().addr()).collect();
        places.sort_unstable();
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= 8192));
        assert_eq!((table.used(), table.made()), (200, 256));
        drop(taken);
        assert_eq!((table.used(), table.made()), (0, 256));
        let free = table.take(Pgno(9)).unwrap();
        assert_eq!((free.frame.owner(), table.made()), (Pgno(9), 256));
    }

    #[test]
    fn a_large_cache_takes_its_memory_in_larger_slabs() {
        for (page_size, frames) in [(PageSize::K4, 2048), (PageSize::K32, 256)] {
            let table = FrameTable::new(page_size, 8 * frames as usize);
            let taken: Vec<_> = (1..=frames + 1).map(|n| table.take(Pgno(n)).unwrap()).collect();
            assert_eq!(table.made(), 2 * frames);
            let last = table.at(taken.last().unwrap().no).unwrap();
            assert_eq!(last.owner(), Pgno(frames + 1));
            let small = FrameTable::new(page_size, 8 * frames as usize - 1);
            drop(small.take(Pgno(1)).unwrap());
            assert_eq!(small.made(), 64);
        }
    }

    #[test]
    fn a_large_slab_is_made_ahead_only_while_more_frames_are_used() {
        let (slab, slabs) = (1024, 8);
        let table = FrameTable::new(PageSize::K8, slabs * slab);
        table.make_ahead();
        assert_eq!(table.made(), 0, "nobody uses any");
        let mut taken = vec![table.take(Pgno(1)).unwrap()];
        let made = |times: usize| {
            (0..times).for_each(|_| table.make_ahead());
            table.made() as usize / slab
        };
        assert_eq!((made(1), made(3)), (2, 2), "one ahead, and no more while nobody needs it");
        taken.push(table.take(Pgno(2)).unwrap());
        assert_eq!(made(1), 2, "more than a slab is free");
        while table.used() as usize <= slab {
            taken.push(table.take(Pgno(3)).unwrap());
        }
        assert_eq!(made(1), 4, "for what is used as quickly, twice");
        while table.used() as usize <= (slabs - 1) * slab {
            taken.push(table.take(Pgno(3)).unwrap());
        }
        assert_eq!(made(1), slabs);
        taken.push(table.take(Pgno(4)).unwrap());
        assert_eq!(made(1), slabs, "the cache is full");
    }
}
