//! One open file.

use std::{
    fs, io,
    os::{
        fd::{AsRawFd, RawFd},
        unix::fs::{FileExt, MetadataExt as _},
    },
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use ese_base::{Error, JetErr, Result};

use super::{descriptor::Descriptor, errno::file_error, map::WindowMap, probe};
use crate::{File, LockMode, OpenMode, PageMap, parent_of};

/// Offsets, lengths and buffer addresses of a file opened with [`OpenMode::CreateNewDirect`] should
/// be multiples of this. The first transfer that is not (usually the tail) switches the handle to
/// ordinary output for good; nothing fails.
pub const DIRECT_ALIGN: usize = 4096;

/// A regular file of this machine.
#[derive(Debug)]
pub(crate) struct RealFile {
    path: PathBuf,
    file: Arc<Descriptor>,
    mode: OpenMode,
    /// O_DIRECT is set on the handle.
    direct: AtomicBool,
}

impl RealFile {
    pub(crate) fn new(path: &Path, file: fs::File, mode: OpenMode, direct: bool) -> RealFile {
        RealFile {
            path: path.to_path_buf(),
            file: Arc::new(Descriptor::new(file)),
            mode,
            direct: AtomicBool::new(direct),
        }
    }

    fn fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }

    #[track_caller]
    fn error(&self, what: &str, error: io::Error) -> Error {
        file_error(what, &self.path, error)
    }

    /// Leaves O_DIRECT before a transfer that it would refuse.
    fn admit(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        if !self.direct.load(Ordering::Relaxed) {
            return Ok(());
        }
        let align = DIRECT_ALIGN as u64;
        let aligned = offset.is_multiple_of(align)
            && (buf.len() as u64).is_multiple_of(align)
            && buf.as_ptr().addr().is_multiple_of(DIRECT_ALIGN);
        if aligned { Ok(()) } else { self.leave_direct() }
    }

    /// Switches the handle to ordinary transfers. Dirty pages that follow are made durable by the
    /// same `sync`.
    fn leave_direct(&self) -> io::Result<()> {
        // SAFETY: F_GETFL takes no pointer; the descriptor is open as long as `self.file`.
        let flags = unsafe { libc::fcntl(self.fd(), libc::F_GETFL) };
        if flags < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: F_SETFL takes a number; the descriptor is open as long as `self.file`.
        let set = unsafe { libc::fcntl(self.fd(), libc::F_SETFL, flags & !libc::O_DIRECT) };
        if set < 0 {
            return Err(io::Error::last_os_error());
        }
        self.direct.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Writes all of `buf`: goes on after short writes and interruptions.
    fn write_all(&self, mut buf: &[u8], mut offset: u64) -> io::Result<()> {
        offset.checked_add(buf.len() as u64).map_or_else(too_large, fits)?;
        self.admit(buf, offset)?;
        while !buf.is_empty() {
            match self.file.write_at(buf, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    buf = buf.get(written..).unwrap_or_default();
                    offset += written as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The device wants a larger unit than DIRECT_ALIGN, or a short write left a tail.
                Err(error)
                    if error.raw_os_error() == Some(libc::EINVAL)
                        && self.direct.load(Ordering::Relaxed) =>
                {
                    self.leave_direct()?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Fills `buf`; gives the number of bytes that the file had.
    fn read_full(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.admit(buf, offset)?;
        let mut done = 0;
        while let Some(rest) = buf.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, offset + done as u64) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error)
                    if error.raw_os_error() == Some(libc::EINVAL)
                        && self.direct.load(Ordering::Relaxed) =>
                {
                    self.leave_direct()?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }
}

/// The longest file that the system's offsets can express.
fn fits(end: u64) -> io::Result<()> {
    if i64::try_from(end).is_ok() { Ok(()) } else { too_large() }
}

fn too_large() -> io::Result<()> {
    Err(io::Error::from_raw_os_error(libc::EFBIG))
}

impl File for RealFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        let wanted = buf.len();
        match self.read_full(buf, offset) {
            Ok(read) if read == wanted => Ok(()),
            Ok(read) => Err(Error::new(
                JetErr::FileIOBeyondEOF,
                format!("read of {wanted} bytes at offset {offset}: the file ends after {read}"),
            )
            .at_path(&self.path)),
            Err(error) => {
                Err(self.error(&format!("read of {wanted} bytes at offset {offset}"), error))
            }
        }
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> Result<()> {
        self.write_all(buf, offset).map_err(|error| {
            self.error(&format!("write of {} bytes at offset {offset}", buf.len()), error)
        })
    }

    fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(|error| self.error("sync", error))
    }

    fn start_writeback(&self, offset: u64, len: u64) {
        let (Ok(offset), Ok(len)) = (i64::try_from(offset), i64::try_from(len)) else { return };
        // The answer is of no use: this is a hint, and errors come back from `sync`.
        // SAFETY: the call takes no pointer; the descriptor is open as long as `self.file`.
        unsafe { libc::sync_file_range(self.fd(), offset, len, libc::SYNC_FILE_RANGE_WRITE) };
    }

    fn will_need(&self, offset: u64, len: u64) {
        let (Ok(offset), Ok(len)) = (i64::try_from(offset), i64::try_from(len)) else { return };
        // A hint without an answer.
        // SAFETY: the call takes no pointer; the descriptor is open as long as `self.file`.
        unsafe { libc::posix_fadvise(self.fd(), offset, len, libc::POSIX_FADV_WILLNEED) };
    }

    fn next_data(&self, offset: u64) -> u64 {
        let Ok(from) = i64::try_from(offset) else { return offset };
        // The position of the descriptor, which this moves, is used by nobody.
        // SAFETY: the call takes no pointer; the descriptor is open as long as `self.file`.
        let found = unsafe { libc::lseek(self.fd(), from, libc::SEEK_DATA) };
        match u64::try_from(found) {
            Ok(data) => data,
            Err(_) if io::Error::last_os_error().raw_os_error() == Some(libc::ENXIO) => u64::MAX,
            Err(_) => offset,
        }
    }

    fn disk_bytes(&self) -> Result<u64> {
        /// Whatever the file system's own blocks are (stat(2)).
        const UNIT: u64 = 512;
        let metadata = self.file.metadata().map_err(|error| self.error("disk space", error))?;
        Ok(metadata.blocks().saturating_mul(UNIT))
    }

    fn len(&self) -> Result<u64> {
        Ok(self.file.metadata().map_err(|error| self.error("length", error))?.len())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        let set = fits(len).and_then(|()| self.file.set_len(len));
        set.map_err(|error| self.error(&format!("set length to {len}"), error))
    }

    fn allocate(&self, offset: u64, len: u64) -> Result<()> {
        let what = || format!("allocate {len} bytes at offset {offset}");
        let end = offset.saturating_add(len);
        fits(end).map_err(|error| self.error(&what(), error))?;
        let (Ok(start), Ok(count)) = (i64::try_from(offset), i64::try_from(len)) else {
            return Err(self.error(&what(), io::Error::from_raw_os_error(libc::EFBIG)));
        };
        if len == 0 {
            return Ok(());
        }
        let before = self.len()?;
        loop {
            // SAFETY: the call takes no pointer; the descriptor is open as long as `self.file`.
            let done = unsafe { libc::fallocate(self.fd(), 0, start, count) };
            if done == 0 {
                return Ok(());
            }
            let error = io::Error::last_os_error();
            match error.raw_os_error() {
                Some(libc::EINTR) => {}
                Some(libc::EOPNOTSUPP | libc::ENOSYS) => break,
                _ => {
                    // Some file systems keep what they found before the disk was full. The space
                    // behind the old end was asked for by nobody else. What went wrong first is
                    // what the caller hears of.
                    if end > before {
                        drop(self.file.set_len(before));
                    }
                    return Err(self.error(&what(), error));
                }
            }
        }
        if self.len()? < end { self.set_len(end) } else { Ok(()) }
    }

    /// An exclusive lock needs a handle that may write. A second call on the same handle changes
    /// the strength. The lock is an OFD lock: it excludes other handles of this process, hard
    /// links and other names of the file, and ends with the handle and its maps, however the
    /// process ends.
    fn lock(&self, mode: LockMode) -> Result<()> {
        let Err(error) = self.file.lock(mode) else { return Ok(()) };
        let (message, advice) = match error.raw_os_error() {
            Some(libc::EAGAIN | libc::EACCES) => (
                "in use: another program or handle has locked it".to_owned(),
                "close the program or instance that uses the file",
            ),
            _ => (
                format!("{mode:?} lock: {error}"),
                "the file must be open for writing and its file system must offer locks",
            ),
        };
        Err(Error::new(JetErr::FileAccessDenied, message)
            .at_path(&self.path)
            .advise(advice)
            .caused_by(error))
    }

    fn unlock(&self) -> Result<()> {
        self.file.unlock().map_err(|error| self.error("unlock", error))
    }

    fn is_at(&self, path: &Path) -> Result<bool> {
        let own = self.file.metadata().map_err(|error| self.error("look at", error))?;
        match fs::metadata(path) {
            Ok(there) => Ok((there.dev(), there.ino()) == (own.dev(), own.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.error("look at the name of", error)),
        }
    }

    /// `None` also for a direct handle, and where the directory does not let the probe create its
    /// file. The map shares the handle's lock.
    fn map(&self) -> Result<Option<Arc<dyn PageMap>>> {
        if self.direct.load(Ordering::Relaxed) {
            return Ok(None);
        }
        // Nothing is written through a read-only handle: there is nothing to be coherent with.
        if self.mode != OpenMode::Read
            && !probe::maps_are_coherent(parent_of(&self.path)).unwrap_or(false)
        {
            return Ok(None);
        }
        let map = WindowMap::new(&self.path, Arc::clone(&self.file));
        Ok(map.map(|map| Arc::new(map) as Arc<dyn PageMap>))
    }
}

#[cfg(test)]
mod tests;
