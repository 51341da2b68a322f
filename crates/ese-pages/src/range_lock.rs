//! Page ranges that hold still while a backup reads them from the file.
//!
//! Two parties only: readers of the *file* (backup) take a [`Hold`], the flusher announces each
//! in-place write. A hold and a write of the same page exclude each other, so a read never sees
//! half a write. Nobody else waits here: readers and writers of the *cache* are not concerned.
//! Waits are short, one write or one read of some pages; they are never nested.

use std::fmt;

use ese_base::Pgno;
use parking_lot::{Condvar, Mutex};

/// Pages from the first to the last, both included.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Range {
    first: Pgno,
    last: Pgno,
}

impl Range {
    fn overlaps(self, other: Range) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

#[derive(Default)]
struct State {
    held: Vec<Range>,
    in_writing: Vec<Range>,
}

/// The lock of one database file. Empty most of the time.
#[derive(Default)]
pub struct RangeLock {
    state: Mutex<State>,
    changed: Condvar,
}

impl fmt::Debug for RangeLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.lock();
        f.debug_struct("RangeLock")
            .field("held", &state.held.len())
            .field("in_writing", &state.in_writing.len())
            .finish()
    }
}

impl RangeLock {
    /// A lock that nobody holds.
    #[must_use]
    pub fn new() -> RangeLock {
        RangeLock::default()
    }

    /// Keeps the flusher off these pages until the hold is dropped; waits for a write of them that
    /// is under way. Several holds may overlap.
    #[must_use]
    pub fn hold(&self, first: Pgno, last: Pgno) -> Hold<'_> {
        let range = Range { first, last };
        let mut state = self.state.lock();
        // Announced before the wait, so that a stream of writes cannot starve the reader.
        state.held.push(range);
        while state.in_writing.iter().any(|writing| writing.overlaps(range)) {
            self.changed.wait(&mut state);
        }
        Hold { lock: self, range }
    }

    /// Announces a write of these pages, if no hold forbids it now.
    pub(crate) fn try_begin_write(&self, first: Pgno, last: Pgno) -> Option<InWriting<'_>> {
        let range = Range { first, last };
        let mut state = self.state.lock();
        if state.held.iter().any(|held| held.overlaps(range)) {
            return None;
        }
        state.in_writing.push(range);
        Some(InWriting { lock: self, range })
    }

    /// Announces a write of these pages; waits until no hold forbids it.
    pub(crate) fn begin_write(&self, first: Pgno, last: Pgno) -> InWriting<'_> {
        let range = Range { first, last };
        let mut state = self.state.lock();
        while state.held.iter().any(|held| held.overlaps(range)) {
            self.changed.wait(&mut state);
        }
        state.in_writing.push(range);
        InWriting { lock: self, range }
    }

    fn remove(&self, from: impl FnOnce(&mut State) -> &mut Vec<Range>, range: Range) {
        let mut state = self.state.lock();
        let list = from(&mut state);
        if let Some(at) = list.iter().position(|entry| *entry == range) {
            list.swap_remove(at);
        }
        drop(state);
        self.changed.notify_all();
    }
}

/// While it lives, the flusher does not write the pages of its range.
pub struct Hold<'a> {
    lock: &'a RangeLock,
    range: Range,
}

impl fmt::Debug for Hold<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hold({}..={})", self.range.first, self.range.last)
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.lock.remove(|state| &mut state.held, self.range);
    }
}

/// While it lives, a new hold of these pages waits.
pub(crate) struct InWriting<'a> {
    lock: &'a RangeLock,
    range: Range,
}

impl Drop for InWriting<'_> {
    fn drop(&mut self) {
        self.lock.remove(|state| &mut state.in_writing, self.range);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn a_hold_forbids_writes_of_its_pages_and_of_no_others() {
        let lock = RangeLock::new();
        let hold = lock.hold(Pgno(10), Pgno(20));
        assert!(lock.try_begin_write(Pgno(20), Pgno(25)).is_none());
        assert!(lock.try_begin_write(Pgno(1), Pgno(100)).is_none());
        assert!(lock.try_begin_write(Pgno(21), Pgno(25)).is_some());
        assert!(lock.try_begin_write(Pgno(1), Pgno(9)).is_some());
        drop(hold);
        assert!(lock.try_begin_write(Pgno(1), Pgno(100)).is_some());
    }

    #[test]
    fn holds_may_overlap_and_the_last_one_to_end_lets_writes_pass() {
        let lock = RangeLock::new();
        let a = lock.hold(Pgno(1), Pgno(5));
        let b = lock.hold(Pgno(1), Pgno(5));
        drop(a);
        assert!(lock.try_begin_write(Pgno(3), Pgno(3)).is_none());
        drop(b);
        assert!(lock.try_begin_write(Pgno(3), Pgno(3)).is_some());
    }

    #[test]
    fn each_side_waits_for_the_other() {
        let lock = RangeLock::new();
        let busy = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for writer in [true, false] {
                let (lock, busy) = (&lock, &busy);
                scope.spawn(move || {
                    for _ in 0..2000 {
                        let (_write, _hold);
                        if writer {
                            _write = lock.begin_write(Pgno(2), Pgno(4));
                        } else {
                            _hold = lock.hold(Pgno(4), Pgno(8));
                        }
                        assert!(!busy.swap(true, Ordering::AcqRel), "both were inside");
                        busy.store(false, Ordering::Release);
                    }
                });
            }
        });
        assert!(lock.try_begin_write(Pgno(1), Pgno(9)).is_some(), "nothing was left behind");
    }
}
