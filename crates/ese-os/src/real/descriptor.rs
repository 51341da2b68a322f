//! An open file that handle and map share, and the lock on it.

use std::{
    fs, io,
    ops::Deref,
    os::fd::AsRawFd,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::LockMode;

/// An open file. Its lock ends with it, in the moment when it is dropped: closing alone would leave
/// the lock to a child process that was forked a moment ago and has not yet executed its program.
#[derive(Debug)]
pub(crate) struct Descriptor {
    file: fs::File,
    locked: AtomicBool,
}

impl Descriptor {
    pub(crate) fn new(file: fs::File) -> Descriptor {
        Descriptor { file, locked: AtomicBool::new(false) }
    }

    /// Takes a lock of this strength on the whole file, or changes to it.
    pub(crate) fn lock(&self, mode: LockMode) -> io::Result<()> {
        let kind = match mode {
            LockMode::Shared => libc::F_RDLCK,
            LockMode::Exclusive => libc::F_WRLCK,
        };
        self.set_lock(kind)?;
        self.locked.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Gives the lock up.
    pub(super) fn unlock(&self) -> io::Result<()> {
        self.set_lock(libc::F_UNLCK)?;
        self.locked.store(false, Ordering::Relaxed);
        Ok(())
    }

    fn set_lock(&self, kind: i32) -> io::Result<()> {
        let whole = libc::flock {
            l_type: i16::try_from(kind).unwrap_or_default(),
            l_whence: 0, // SEEK_SET
            l_start: 0,
            l_len: 0, // to the end, wherever that moves
            l_pid: 0, // required for OFD locks
        };
        // SAFETY: the pointer is to `whole`, which lives through the call.
        let set =
            unsafe { libc::fcntl(self.file.as_raw_fd(), libc::F_OFD_SETLK, &raw const whole) };
        if set == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // Where this fails, closing the file that follows is what ends the lock.
        if *self.locked.get_mut() {
            drop(self.set_lock(libc::F_UNLCK));
        }
    }
}

impl Deref for Descriptor {
    type Target = fs::File;

    fn deref(&self) -> &fs::File {
        &self.file
    }
}
