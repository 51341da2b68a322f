//! The latch of a page: short, physical, in memory.
//!
//! | mode  | together with            | for                                              |
//! |-------|--------------------------|--------------------------------------------------|
//! | read  | read, one rdw            | looking                                          |
//! | rdw   | read                     | looking now, changing perhaps (ESE: "RDW latch") |
//! | write | nothing                  | changing                                         |
//!
//! Built on parking_lot's raw lock, one word wide. It is fair between readers and writers: a
//! reader that arrives behind a waiting writer waits too. So a thread must never take a second
//! latch of a page that it has already latched, not even two read latches.
//!
//! Every unlock of the raw lock is unsafe because it must match a lock. The guards here are the
//! only callers: a guard is made by locking and unlocks once, when dropped or turned into another.

use std::{fmt, mem::ManuallyDrop};

use parking_lot::{
    RawRwLock,
    lock_api::{RawRwLock as _, RawRwLockUpgrade as _, RawRwLockUpgradeDowngrade as _},
};

/// One latch.
pub(crate) struct Latch(RawRwLock);

impl Latch {
    pub(crate) const fn new() -> Latch {
        Latch(RawRwLock::INIT)
    }

    #[inline]
    pub(crate) fn read(&self) -> Read<'_> {
        self.0.lock_shared();
        Read(self)
    }

    #[inline]
    pub(crate) fn rdw(&self) -> Rdw<'_> {
        self.0.lock_upgradable();
        Rdw(self)
    }

    #[inline]
    pub(crate) fn write(&self) -> Write<'_> {
        self.0.lock_exclusive();
        Write(self)
    }

    pub(crate) fn try_write(&self) -> Option<Write<'_>> {
        // Made only after success: a guard that is dropped unlocks.
        if self.0.try_lock_exclusive() { Some(Write(self)) } else { None }
    }
}

impl fmt::Debug for Latch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.0.is_locked_exclusive(), self.0.is_locked()) {
            (true, _) => "Latch(write)",
            (false, true) => "Latch(read)",
            (false, false) => "Latch(free)",
        })
    }
}

/// A read latch.
pub(crate) struct Read<'a>(&'a Latch);

impl Drop for Read<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this guard was made by a shared lock and gives it back once.
        unsafe { self.0.0.unlock_shared() };
    }
}

/// A read latch that alone may become a write latch.
pub(crate) struct Rdw<'a>(&'a Latch);

impl<'a> Rdw<'a> {
    /// Waits until the readers have left; none can enter meanwhile.
    #[inline]
    pub(crate) fn upgrade(self) -> Write<'a> {
        let latch = ManuallyDrop::new(self).0;
        // SAFETY: the guard held the upgradable lock and is not dropped any more.
        unsafe { latch.0.upgrade() };
        Write(latch)
    }

    /// Lets another thread have the right to upgrade.
    #[inline]
    pub(crate) fn downgrade(self) -> Read<'a> {
        let latch = ManuallyDrop::new(self).0;
        // SAFETY: the guard held the upgradable lock and is not dropped any more.
        unsafe { latch.0.downgrade_upgradable() };
        Read(latch)
    }
}

impl Drop for Rdw<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this guard was made by an upgradable lock and gives it back once.
        unsafe { self.0.0.unlock_upgradable() };
    }
}

/// A write latch.
pub(crate) struct Write<'a>(&'a Latch);

impl Drop for Write<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this guard was made by an exclusive lock and gives it back once.
        unsafe { self.0.0.unlock_exclusive() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_modes_exclude_what_the_table_says() {
        let latch = Latch::new();
        {
            let _a = latch.read();
            let _b = latch.read();
            let _rdw = latch.rdw();
            assert!(latch.try_write().is_none());
        }
        let write = latch.rdw().upgrade();
        assert!(latch.try_write().is_none());
        drop(write);
        assert!(latch.try_write().is_some());
        let _read = latch.rdw().downgrade();
        let _rdw = latch.rdw();
    }

    #[test]
    fn an_upgrade_sees_no_change_between_reading_and_writing() {
        let latch = Latch::new();
        let value = std::sync::atomic::AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2000 {
                        let rdw = latch.rdw();
                        let seen = value.load(std::sync::atomic::Ordering::Relaxed);
                        let _write = rdw.upgrade();
                        value.store(seen + 1, std::sync::atomic::Ordering::Relaxed);
                    }
                });
                scope.spawn(|| {
                    for _ in 0..2000 {
                        let _read = latch.read();
                        std::hint::black_box(value.load(std::sync::atomic::Ordering::Relaxed));
                    }
                });
            }
        });
        assert_eq!(value.into_inner(), 8000);
    }
}
