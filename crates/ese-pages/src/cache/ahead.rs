//! Hints of somebody who knows well before which nodes he will change, as redo does: what lies far
//! apart in memory is then waited for once for many changes, and not in turn for each.

use ese_base::{Iline, Pgno};

use super::{PageCache, guard::ReadGuard, latched::ask_for_ends};
use crate::page::{layout::SLOT_LEN, prefetch::prefetch_at};

/// A page that will be changed, and the node on it if it is one node that will.
type Place = (Pgno, Option<Iline>);

impl PageCache {
    /// Says that this page will be read soon: what is looked at first is on its way to the
    /// processor. Only a hint; a page that is not in memory is let be.
    #[inline]
    pub fn will_read_soon(&self, pgno: Pgno) {
        if let Some(slot) = self.slots.at(pgno) {
            ask_for_ends(slot, self.page_size);
        }
    }

    /// Says that these places will be changed soon: of each page what is looked at first is on its
    /// way to the processor. Only a hint; pages that are not in memory are let be.
    pub fn will_change_soon(&self, places: impl Iterator<Item = Place> + Clone) {
        let slots = places.filter_map(|(pgno, iline)| Some((self.slots.at(pgno)?, iline)));
        slots.clone().for_each(|(slot, _)| prefetch_at(std::ptr::from_ref(slot).cast()));
        for (slot, iline) in slots {
            // The pointer is only a guess as yet, and so is where the node's slot lies.
            let (first, len) = (slot.image().cast_const(), self.page_size.bytes());
            let before = iline.map_or(0, |iline| SLOT_LEN * (usize::from(iline.0) + 1));
            prefetch_at(first);
            prefetch_at(first.wrapping_add(len - 1).wrapping_sub(before));
            if let Some(frame) = slot.frame().and_then(|no| self.frames.at(no)) {
                prefetch_at(std::ptr::from_ref(frame).cast());
            }
        }
    }

    /// Says that these places, of which [`PageCache::will_change_soon`] has been told, are changed
    /// next: their nodes are on their way, too.
    pub fn will_change_next(&self, places: impl Iterator<Item = Place>) {
        for (pgno, iline) in places {
            let guard = self.slots.at(pgno).and_then(|slot| ReadGuard::new(self, slot, pgno));
            if let Some(guard) = guard {
                guard.page().prefetch_change(iline);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ese_base::PageSize;

    use super::*;
    use crate::test_db::{MODES, TestDb, cache, create, flush_all, read};

    /// Hints may name anything: they load nothing, change nothing and leave no latch behind.
    #[test]
    fn hints_leave_every_page_as_it_was() {
        for page_size in PageSize::ALL {
            for mode in MODES {
                let (db, file) = TestDb::real(page_size, 40);
                let first = cache(&file, mode);
                (1..=30).for_each(|pgno| create(&first, pgno, 7));
                flush_all(&first);
                drop((first, file));
                let cache = cache(&db.open(), mode);
                assert_eq!(read(&cache, 3), 7);
                create(&cache, 31, 8);
                let before = cache.stats();
                let lines = [None, Some(0), Some(1), Some(999), Some(u16::MAX)];
                let places = [0, 3, 5, 31, 40, 41, 0x7fef_ffff, u32::MAX].map(Pgno);
                let places = places.iter().flat_map(|pgno| lines.map(|line| (*pgno, line)));
                let places = places.map(|(pgno, line)| (pgno, line.map(Iline)));
                cache.will_change_soon(places.clone());
                cache.will_change_next(places);
                [0, 3, 5, 31, 40, 41, u32::MAX]
                    .map(Pgno)
                    .iter()
                    .for_each(|at| cache.will_read_soon(*at));
                assert_eq!(cache.stats(), before, "{page_size} {mode:?}");
                let loaded = [3, 5, 31, 41].map(|pgno| cache.is_loaded(Pgno(pgno)));
                assert_eq!(loaded, [true, false, true, false]);
                drop((cache.write(Pgno(3)).unwrap(), cache.write(Pgno(31)).unwrap()));
            }
        }
    }
}
