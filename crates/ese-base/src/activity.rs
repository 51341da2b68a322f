//! What the calling thread has made the engine do: pages and log records (JET_THREADSTATS).
//!
//! Each thread counts for itself, so that counting touches no memory that others use. A number that
//! passes its limit begins again at 0; who measures takes the difference of two looks.

use std::{cell::Cell, time::Duration};

/// Counts of one thread since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Pages that were latched.
    pub pages_referenced: u32,
    /// Pages that were read from a file.
    pub pages_read: u32,
    /// Pages that the system was told to read ahead.
    pub pages_preread: u32,
    /// Clean pages that were changed.
    pub pages_dirtied: u32,
    /// Dirty pages that were changed again.
    pub pages_redirtied: u32,
    /// Log records.
    pub log_records: u32,
    /// Their bytes.
    pub log_bytes: u32,
    /// Pages that the thread waited for because they were not in memory.
    pub misses: Misses,
    /// Those of them that hold long values.
    pub long_value_misses: Misses,
    /// Long values that were read outside of their rows, whole or in part.
    pub long_values_read: u32,
}

/// Pages that were waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Misses {
    /// How many.
    pub pages: u32,
    /// How long all of them together.
    pub waited: Duration,
}

struct Counts {
    referenced: Cell<u32>,
    read: Cell<u32>,
    preread: Cell<u32>,
    dirtied: Cell<u32>,
    redirtied: Cell<u32>,
    records: Cell<u32>,
    record_bytes: Cell<u32>,
    misses: Cell<Misses>,
    long_value_misses: Cell<Misses>,
    long_values_read: Cell<u32>,
}

const NO_MISSES: Misses = Misses { pages: 0, waited: Duration::ZERO };

thread_local! {
    static COUNTS: Counts = const {
        Counts {
            referenced: Cell::new(0),
            read: Cell::new(0),
            preread: Cell::new(0),
            dirtied: Cell::new(0),
            redirtied: Cell::new(0),
            records: Cell::new(0),
            record_bytes: Cell::new(0),
            misses: Cell::new(NO_MISSES),
            long_value_misses: Cell::new(NO_MISSES),
            long_values_read: Cell::new(0),
        }
    };
}

#[inline]
fn add(count: &Cell<u32>, more: u32) {
    count.set(count.get().wrapping_add(more));
}

impl Activity {
    /// What the calling thread has done so far.
    #[must_use]
    pub fn of_this_thread() -> Activity {
        COUNTS.with(|counts| Activity {
            pages_referenced: counts.referenced.get(),
            pages_read: counts.read.get(),
            pages_preread: counts.preread.get(),
            pages_dirtied: counts.dirtied.get(),
            pages_redirtied: counts.redirtied.get(),
            log_records: counts.records.get(),
            log_bytes: counts.record_bytes.get(),
            misses: counts.misses.get(),
            long_value_misses: counts.long_value_misses.get(),
            long_values_read: counts.long_values_read.get(),
        })
    }
}

/// A page was latched.
#[inline]
pub fn page_referenced() {
    COUNTS.with(|counts| add(&counts.referenced, 1));
}

/// A page was read from its file.
#[inline]
pub fn page_read() {
    COUNTS.with(|counts| add(&counts.read, 1));
}

/// A page was waited for that was not in memory.
pub fn page_missed(waited: Duration, long_value: bool) {
    let note = |misses: &Cell<Misses>| {
        let Misses { pages, waited: before } = misses.get();
        misses.set(Misses { pages: pages.wrapping_add(1), waited: before.saturating_add(waited) });
    };
    COUNTS.with(|counts| {
        note(&counts.misses);
        if long_value {
            note(&counts.long_value_misses);
        }
    });
}

/// A long value outside of its row was read, or a part of it.
#[inline]
pub fn long_value_read() {
    COUNTS.with(|counts| add(&counts.long_values_read, 1));
}

/// So many pages will be read soon.
#[inline]
pub fn pages_preread(pages: u32) {
    COUNTS.with(|counts| add(&counts.preread, pages));
}

/// A page was changed, which was clean before.
#[inline]
pub fn page_dirtied() {
    COUNTS.with(|counts| add(&counts.dirtied, 1));
}

/// A page was changed, which was dirty before.
#[inline]
pub fn page_redirtied() {
    COUNTS.with(|counts| add(&counts.redirtied, 1));
}

/// A record of so many bytes was appended to a log.
#[inline]
pub fn log_record(bytes: usize) {
    COUNTS.with(|counts| {
        add(&counts.records, 1);
        add(&counts.record_bytes, u32::try_from(bytes).unwrap_or(u32::MAX));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thread_counts_for_itself() {
        let before = Activity::of_this_thread();
        log_record(70);
        page_referenced();
        page_missed(Duration::from_micros(7), false);
        page_missed(Duration::from_micros(4), true);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                assert_eq!(Activity::of_this_thread(), Activity::default());
                pages_preread(8);
            });
        });
        let after = Activity::of_this_thread();
        assert_eq!(after.log_bytes - before.log_bytes, 70);
        assert_eq!(after.pages_referenced - before.pages_referenced, 1);
        assert_eq!(after.pages_preread, before.pages_preread);
        assert_eq!(after.misses.pages - before.misses.pages, 2);
        assert_eq!(after.misses.waited - before.misses.waited, Duration::from_micros(11));
        assert_eq!(after.long_value_misses.pages - before.long_value_misses.pages, 1);
    }
}
