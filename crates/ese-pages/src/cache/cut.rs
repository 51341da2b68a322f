//! Cutting the end of the file off, with the pages in it.
//!
//! Nobody can reach the pages by the trees any more; but somebody may remember the number of one,
//! and look whether it is still what it was. So the file counts as shorter first, which refuses
//! whoever comes now; then every page is latched for writing once, which waits for whoever came
//! before, and forgotten; and only then the file gets shorter. The flusher is kept off meanwhile,
//! and backups that read the file are waited for.

use ese_base::{Pgno, Result};

use super::{PageCache, slot::Slot};

impl PageCache {
    /// Cuts the file off behind page `last`. Changes of the pages behind it are forgotten; they
    /// must be in nobody's way, and stay so until this returns. The new length is durable with
    /// the next flush.
    ///
    /// # Errors
    /// Failures of the device poison the file.
    pub fn cut_off(&self, last: Pgno) -> Result<()> {
        let mut flusher = self.flusher.lock();
        flusher.unsettled.retain(|pgno| *pgno <= last);
        self.file.cut_off(last, |old| {
            for pgno in (last.0 + 1..=old).map(Pgno) {
                if let Some(slot) = self.slots.at(pgno) {
                    self.forget(slot, pgno);
                }
            }
        })
    }

    fn forget(&self, slot: &Slot, pgno: Pgno) {
        let _latch = slot.latch.write();
        let frame = slot.frame().and_then(|no| Some((no, self.frames.at(no)?)));
        if slot.is_dirty()
            && let Some((_, frame)) = frame
        {
            self.dirty.moved(pgno, frame.start(), None);
            slot.set_dirty(false);
        }
        slot.show(std::ptr::null_mut(), None);
        if let Some((no, _)) = frame {
            self.frames.give_back(no);
        }
    }
}
