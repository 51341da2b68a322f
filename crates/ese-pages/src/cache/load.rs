//! First touch of a page: bring it to memory, verify it once, show it in its slot.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use ese_base::{DbTime, Error, JetErr, PageSize, Pgno, Result, activity};
use ese_os::PageMap;

use super::{PageCache, chunked::Chunked, slot::Slot};
use crate::{
    checksum::{self, Verdict},
    page::{PageFlags, PageRef},
    validate::{Validate, validate},
};

/// Bytes that the first touch of a page brings along.
const WINDOW_LEN: u32 = 64 << 10;
/// Windows that are brought along when the window before was touched: somebody reads on.
const WINDOWS_AHEAD: u32 = 4;

/// A set of numbers, one bit each.
#[derive(Debug)]
struct Marks(Chunked<AtomicU64, 10>);

impl Marks {
    fn new() -> Marks {
        Marks(Chunked::new(27))
    }

    /// Was it not marked before?
    fn mark(&self, number: u32) -> bool {
        let bit = 1_u64 << (number % 64);
        self.0
            .at_or_make(number / 64, AtomicU64::default)
            .is_some_and(|word| word.fetch_or(bit, Ordering::Relaxed) & bit == 0)
    }

    fn is_marked(&self, number: u32) -> bool {
        let bit = 1_u64 << (number % 64);
        self.0.at(number / 64).is_some_and(|word| word.load(Ordering::Relaxed) & bit != 0)
    }

    fn unmark(&self, number: u32) {
        let bit = 1_u64 << (number % 64);
        if let Some(word) = self.0.at(number / 64).filter(|_| self.is_marked(number)) {
            word.fetch_and(!bit, Ordering::Relaxed);
        }
    }
}

/// Pages that the system was told to read and that nobody has come for yet.
#[derive(Debug)]
pub(super) struct Announced(Marks);

impl Announced {
    pub(super) fn new() -> Announced {
        Announced(Marks::new())
    }

    /// Announces a page. Was it not announced before?
    pub(super) fn add(&self, pgno: Pgno) -> bool {
        !self.0.is_marked(pgno.0) && self.0.mark(pgno.0)
    }
}

/// Which windows of the file have been read ahead. A hint only: pages may have left memory since.
#[derive(Debug)]
pub(super) struct Windows {
    touched: Marks,
    pages: u32,
}

impl Windows {
    pub(super) fn new(page_size: PageSize) -> Windows {
        // Page sizes are powers of two up to half a window.
        let pages = WINDOW_LEN / page_size.bytes_u32();
        Windows { touched: Marks::new(), pages }
    }

    /// The pages to bring along with this one, first and count; `None` if that was done before.
    /// Windows count from page 0, so that they do not straddle larger units of the file.
    fn touch(&self, pgno: Pgno, last: u32) -> Option<(Pgno, u32)> {
        let window = pgno.0 / self.pages;
        if !self.touched.mark(window) {
            return None;
        }
        let sequential = window.checked_sub(1).is_some_and(|before| self.touched.is_marked(before));
        let count = if sequential { WINDOWS_AHEAD } else { 1 };
        for ahead in 1..count {
            self.touched.mark(window + ahead);
        }
        let first = (window * self.pages).max(1);
        let end = (window + count).saturating_mul(self.pages).min(last.saturating_add(1));
        Some((Pgno(first), end.saturating_sub(first)))
    }
}

impl PageCache {
    /// Loads the page unless somebody else was faster. The caller holds no latch of it.
    pub(super) fn load(&self, slot: &Slot, pgno: Pgno) -> Result<()> {
        self.file.check_in_file(pgno)?;
        let clock = &self.file.env().clock;
        let begun = clock.monotonic();
        let flags = match &self.map {
            Some(map) => self.load_mapped(map, slot, pgno),
            None => self.load_copied(slot, pgno),
        }
        .map_err(|error| error.at_path(self.file.path()).at_page(pgno))?;
        self.announced.0.unmark(pgno.0);
        let long_value = flags.is_some_and(|flags| flags.contains(PageFlags::LONG_VALUE));
        activity::page_missed(clock.monotonic().saturating_sub(begun), long_value);
        Ok(())
    }

    /// The device is waited for without a latch; the checksum is computed under it. Gives the
    /// page's flags unless somebody else was faster.
    fn load_mapped(
        &self,
        map: &Arc<dyn PageMap>,
        slot: &Slot,
        pgno: Pgno,
    ) -> Result<Option<PageFlags>> {
        let (offset, len) = (self.page_size.offset_of(pgno), self.page_size.bytes());
        if let Some((first, count)) = self.windows.touch(pgno, self.file.page_count()) {
            // What fails here is reported when the page that fails is touched.
            let bytes = count as usize * len;
            if let Err(error) = map.populate(self.page_size.offset_of(first), bytes) {
                tracing::debug!(%error, "read-ahead failed");
            }
        }
        map.populate(offset, len)?;
        let _latch = slot.latch.write();
        if slot.is_loaded() {
            return Ok(None);
        }
        // Under the latch: from here on the file is not cut off before the page (cut.rs).
        self.file.check_in_file(pgno)?;
        // SAFETY: rules 1 and 3 of cache/mod.rs: in the file, not loaded, so not being written.
        let bytes = unsafe { map.bytes(offset, len) };
        if bytes.len() != len {
            return Err(Error::new(JetErr::OutOfMemory, "the page cannot be mapped"));
        }
        let (repaired, flags) = self.inspect(pgno, bytes)?;
        match repaired {
            None => slot.show(bytes.as_ptr().cast_mut(), None),
            // A clean page with a frame in mapped mode: the mapped bytes are not good.
            Some(repaired) => {
                let mut free = self.take_frame(pgno)?;
                free.bytes_mut().copy_from_slice(&repaired);
                free.show(slot);
            }
        }
        self.counters.loaded.fetch_add(1, Ordering::Relaxed);
        activity::page_read();
        Ok(Some(flags))
    }

    /// The page is read into a frame under its write latch; only those who want this page wait.
    /// Gives the page's flags unless somebody else was faster.
    fn load_copied(&self, slot: &Slot, pgno: Pgno) -> Result<Option<PageFlags>> {
        if let Some((first, count)) = self.windows.touch(pgno, self.file.page_count()) {
            self.will_need(first, count);
        }
        let mut free = self.take_frame(pgno)?;
        let _latch = slot.latch.write();
        if slot.is_loaded() {
            return Ok(None);
        }
        // This also looks, now that the page is latched, if the file still has it.
        self.file.read_page_raw(pgno, free.bytes_mut())?;
        let (repaired, flags) = self.inspect(pgno, free.bytes_mut())?;
        if let Some(repaired) = repaired {
            free.bytes_mut().copy_from_slice(&repaired);
        }
        free.show(slot);
        slot.mark_referenced();
        self.counters.loaded.fetch_add(1, Ordering::Relaxed);
        activity::page_read();
        Ok(Some(flags))
    }

    /// Is the page sound? `Some`: it is after this repair, which was counted and reported. A
    /// repaired page is believed only if its structure is sound too (decision 0006). With it go the
    /// page's flags.
    fn inspect(&self, pgno: Pgno, bytes: &[u8]) -> Result<(Option<Vec<u8>>, PageFlags)> {
        let judge = |bytes: &[u8]| {
            let page = PageRef::new(bytes, self.page_size);
            validate(page, pgno, Validate::Read)?;
            if page.dbtime() < DbTime::LIMIT {
                self.newest_loaded.fetch_max(page.dbtime().0, Ordering::Relaxed);
            }
            Ok(page.flags())
        };
        match checksum::check(bytes, pgno) {
            Verdict::Good => judge(bytes).map(|flags| (None, flags)),
            verdict @ Verdict::Correctable { .. } => {
                let error = checksum::verdict_error(verdict, pgno);
                let mut repaired = bytes.to_vec();
                checksum::repair(&mut repaired, pgno)?;
                let flags = judge(&repaired)?;
                self.counters.corrected.fetch_add(1, Ordering::Relaxed);
                self.note_corrected(pgno);
                tracing::warn!(path = %self.file.path().display(), %error, "flipped bits were corrected");
                Ok((Some(repaired), flags))
            }
            verdict => {
                let last = Pgno(self.file.page_count());
                Err(checksum::verdict_error_among(verdict, pgno, last))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_brought_once_and_further_ahead_when_somebody_reads_on() {
        let windows = Windows::new(PageSize::K8); // 8 pages each
        assert_eq!(windows.touch(Pgno(19), 1000), Some((Pgno(16), 8)));
        assert_eq!(windows.touch(Pgno(20), 1000), None);
        assert_eq!(windows.touch(Pgno(24), 1000), Some((Pgno(24), 32)));
        assert_eq!(windows.touch(Pgno(55), 1000), None);
        assert_eq!(windows.touch(Pgno(56), 60), Some((Pgno(56), 5)));
        assert_eq!(windows.touch(Pgno(3), 1000), Some((Pgno(1), 7)));
        assert_eq!(windows.touch(Pgno::MAX, u32::MAX).map(|ahead| ahead.1), Some(8));
    }
}
