//! Which pages hold changes that the file does not have, oldest change first.
//!
//! Touched when a page becomes dirty or clean, not when a dirty page is changed again.
//!
//! **Openings.** A writer appends its log record first and marks the page afterwards, under the
//! write latch. In between, the record is in the log but no page admits to depend on it: a
//! checkpoint taken at that moment could pass the record. So a clean page that is latched for
//! writing is announced here before the record can exist, with a position that is surely not past
//! it: the highest end of a record that this list has seen.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
};

use ese_base::{LgPos, Pgno, plant};
use parking_lot::Mutex;

#[derive(Debug, Default)]
struct Lists {
    /// First missing change and page of every dirty page.
    dirty: BTreeSet<(LgPos, Pgno)>,
    /// Clean pages under a write latch; a handful, one for each writing thread.
    openings: Vec<(LgPos, Pgno)>,
    /// Every record that ends at or before this has been appended.
    appended: LgPos,
}

/// The dirty pages of a cache.
#[derive(Debug, Default)]
pub(crate) struct DirtyPages {
    lists: Mutex<Lists>,
    count: AtomicUsize,
}

impl DirtyPages {
    /// How many pages are dirty.
    #[inline]
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// A clean page is latched for writing.
    pub(crate) fn open(&self, pgno: Pgno) {
        let mut lists = self.lists.lock();
        if plant!("pages-announce-no-change") {
            return;
        }
        let appended = lists.appended;
        lists.openings.push((appended, pgno));
    }

    /// The opened page was left unchanged.
    pub(crate) fn close(&self, pgno: Pgno) {
        self.lists.lock().close(pgno);
    }

    /// The opened page was changed.
    pub(crate) fn add(&self, pgno: Pgno, start: LgPos, end: LgPos) {
        let mut lists = self.lists.lock();
        lists.close(pgno);
        lists.appended = lists.appended.max(end);
        if lists.dirty.insert((start, pgno)) {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The first missing change of a dirty page is another one; `None`: the page is clean.
    pub(crate) fn moved(&self, pgno: Pgno, start: LgPos, changed: Option<LgPos>) {
        let mut lists = self.lists.lock();
        if lists.dirty.remove(&(start, pgno)) {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
        if let Some(changed) = changed
            && lists.dirty.insert((changed, pgno))
        {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// No record before this is missing in the file; `None`: nothing is missing.
    pub(crate) fn oldest(&self) -> Option<LgPos> {
        let lists = self.lists.lock();
        let dirty = lists.dirty.first().map(|entry| entry.0);
        let opening = lists.openings.iter().map(|entry| entry.0).min();
        [dirty, opening].into_iter().flatten().min()
    }

    /// The pages whose first missing change lies before a position, by page number.
    pub(crate) fn older_than(&self, pos: LgPos) -> Vec<Pgno> {
        let lists = self.lists.lock();
        sorted(lists.dirty.range(..(pos, Pgno::NULL)).map(|entry| entry.1).collect())
    }

    /// The `count` pages that have been dirty for longest, by page number.
    pub(crate) fn oldest_pages(&self, count: usize) -> Vec<Pgno> {
        let lists = self.lists.lock();
        sorted(lists.dirty.iter().take(count).map(|entry| entry.1).collect())
    }
}

impl Lists {
    fn close(&mut self, pgno: Pgno) {
        if let Some(at) = self.openings.iter().position(|entry| entry.1 == pgno) {
            self.openings.swap_remove(at);
        }
    }
}

fn sorted(mut pages: Vec<Pgno>) -> Vec<Pgno> {
    pages.sort_unstable();
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(n: u16) -> LgPos {
        LgPos::new(1, n, 0)
    }

    #[test]
    fn the_oldest_missing_change_follows_what_is_added_and_written() {
        let pages = DirtyPages::default();
        assert_eq!((pages.oldest(), pages.count()), (None, 0));
        for (pgno, start) in [(7, 30), (5, 10), (6, 20)] {
            pages.open(Pgno(pgno));
            pages.add(Pgno(pgno), at(start), at(start + 1));
        }
        assert_eq!((pages.oldest(), pages.count()), (Some(at(10)), 3));
        assert_eq!(pages.older_than(at(30)), [Pgno(5), Pgno(6)]);
        assert_eq!(pages.oldest_pages(2), [Pgno(5), Pgno(6)]);
        pages.moved(Pgno(5), at(10), Some(at(40)));
        pages.moved(Pgno(6), at(20), None);
        assert_eq!((pages.oldest(), pages.count()), (Some(at(30)), 2));
        assert_eq!(pages.older_than(LgPos::MAX), [Pgno(5), Pgno(7)]);
    }

    #[test]
    fn a_page_that_may_be_about_to_change_holds_the_oldest_position_back() {
        let pages = DirtyPages::default();
        pages.open(Pgno(1));
        pages.add(Pgno(1), at(10), at(12));
        pages.open(Pgno(2)); // its record, if any, lies at 12 or later
        pages.moved(Pgno(1), at(10), None);
        assert_eq!(pages.oldest(), Some(at(12)));
        pages.close(Pgno(2));
        assert_eq!(pages.oldest(), None);
    }
}
