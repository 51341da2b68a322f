//! The read-only map of one file: large windows, made on demand, never moved.
//!
//! The table of windows only grows: a slot goes from null to the address of its window once and
//! stays so until the map is dropped. That is why [`PageMap::bytes`] is one atomic load and an
//! addition. A window may reach past the end of the file; the part behind the end becomes readable
//! when the file grows over it, so growth changes nothing here.

use std::{
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    ptr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering},
    },
};

use ese_base::{Error, JetErr, Result};
use memmap2::{MmapOptions, MmapRaw};
use parking_lot::Mutex;

use super::{
    descriptor::Descriptor,
    errno::{code_of, file_error},
};
use crate::PageMap;

/// Bytes of one window of a [`PageMap`]. A range that [`PageMap::bytes`] can give lies within one.
pub const MAP_WINDOW: u64 = 1 << 30;

/// Windows of one map: files of up to 32 TiB. The largest database has 16 TiB.
const WINDOWS: usize = 1 << 15;

/// The windows of one file.
#[derive(Debug)]
pub(crate) struct WindowMap {
    path: PathBuf,
    file: Arc<Descriptor>,
    /// First byte of each window; null until somebody needs it. Written once, under `owned`.
    windows: Box<[AtomicPtr<u8>]>,
    /// What keeps the windows mapped.
    owned: Mutex<Vec<MmapRaw>>,
    /// A length that the file is known to have reached. It never shrinks while mapped.
    known_len: AtomicU64,
    /// Bytes of a page of the operating system.
    os_page: usize,
    /// The kernel is older than 5.14.
    no_populate: AtomicBool,
}

impl WindowMap {
    /// A map without windows yet. The first is made at once to learn whether the file system
    /// offers maps at all: `None` if not.
    pub(crate) fn new(path: &Path, file: Arc<Descriptor>) -> Option<WindowMap> {
        let map = WindowMap {
            path: path.to_path_buf(),
            file,
            windows: (0..WINDOWS).map(|_| AtomicPtr::new(ptr::null_mut())).collect(),
            owned: Mutex::new(Vec::new()),
            known_len: AtomicU64::new(0),
            os_page: os_page(),
            no_populate: AtomicBool::new(false),
        };
        // No maps, or no room in the address space: reading pages with `read_at` works without.
        map.make(0).is_ok().then_some(map)
    }

    /// The first byte of a window, mapping it if it is new.
    fn make(&self, window: usize) -> io::Result<*mut u8> {
        let slot =
            self.windows.get(window).ok_or_else(|| io::Error::from_raw_os_error(libc::EFBIG))?;
        let mut owned = self.owned.lock();
        let present = slot.load(Ordering::Acquire);
        if !present.is_null() {
            return Ok(present);
        }
        let len =
            usize::try_from(MAP_WINDOW).map_err(|_| io::Error::from_raw_os_error(libc::ENOMEM))?;
        let raw = MmapOptions::new()
            .offset(window as u64 * MAP_WINDOW)
            .len(len)
            .map_raw_read_only(&**self.file)?;
        let first = raw.as_mut_ptr();
        owned.push(raw);
        // Release: who sees the address sees the mapping behind it.
        slot.store(first, Ordering::Release);
        Ok(first)
    }

    /// The first byte of a window that exists or can be made.
    #[inline]
    fn window(&self, offset: u64) -> io::Result<*mut u8> {
        let window = usize::try_from(offset / MAP_WINDOW).unwrap_or(usize::MAX);
        match self.windows.get(window).map(|slot| slot.load(Ordering::Acquire)) {
            Some(first) if !first.is_null() => Ok(first),
            _ => self.make(window),
        }
    }

    /// Is the range inside the file? Asks the system only when the file may have grown.
    fn reaches(&self, end: u64) -> Result<()> {
        if end <= self.known_len.load(Ordering::Relaxed) {
            return Ok(());
        }
        let meta = self.file.metadata();
        let len = meta.map_err(|error| file_error("length", &self.path, error))?.len();
        self.known_len.fetch_max(len, Ordering::Relaxed);
        if end <= len {
            return Ok(());
        }
        Err(self.beyond(end, len))
    }

    #[track_caller]
    fn beyond(&self, end: u64, len: u64) -> Error {
        Error::new(
            JetErr::FileIOBeyondEOF,
            format!("a mapped range ends at {end}, the file at {len}"),
        )
        .at_path(&self.path)
    }

    /// Makes one range inside one window present.
    fn populate_in_window(&self, offset: u64, len: usize) -> io::Result<()> {
        if self.no_populate.load(Ordering::Relaxed) {
            return self.read_through(offset, len);
        }
        let first = self.window(offset)?;
        let within = usize::try_from(offset % MAP_WINDOW).unwrap_or(usize::MAX);
        // madvise wants whole pages; a window starts at one.
        let start = within - within % self.os_page;
        loop {
            // SAFETY: the caller cut the range to one window, and a window stays mapped as long as
            // `self`. MADV_POPULATE_READ changes no byte that anyone can see.
            let done = unsafe {
                libc::madvise(
                    first.wrapping_add(start).cast(),
                    within - start + len,
                    libc::MADV_POPULATE_READ,
                )
            };
            if done == 0 {
                return Ok(());
            }
            let error = io::Error::last_os_error();
            match error.raw_os_error() {
                Some(libc::EINTR | libc::EAGAIN) => {}
                Some(libc::EINVAL) => {
                    self.no_populate.store(true, Ordering::Relaxed);
                    return self.read_through(offset, len);
                }
                _ => return Err(error),
            }
        }
    }

    /// For kernels before 5.14: an ordinary read brings the range into the page cache and reports
    /// what the device says. A page that is dropped again before it is touched is then read by the
    /// fault itself, whose error would be a signal; only the newer call excludes that.
    fn read_through(&self, offset: u64, len: usize) -> io::Result<()> {
        self.window(offset)?;
        let mut chunk = [0u8; 4096];
        let mut done = 0;
        while done < len {
            let part = chunk.len().min(len - done);
            let Some(part) = chunk.get_mut(..part) else { break };
            self.file.read_exact_at(part, offset + done as u64)?;
            done += part.len();
        }
        Ok(())
    }
}

impl PageMap for WindowMap {
    /// The range may cross windows. Errors name the file; the caller knows the page.
    fn populate(&self, offset: u64, len: usize) -> Result<()> {
        let end = offset.saturating_add(len as u64);
        self.reaches(end)?;
        let mut at = offset;
        while at < end {
            let window_end = (at / MAP_WINDOW + 1).saturating_mul(MAP_WINDOW);
            let part = end.min(window_end) - at;
            let part_len = usize::try_from(part).unwrap_or(usize::MAX);
            if let Err(error) = self.populate_in_window(at, part_len) {
                return Err(self.populate_error(at, part_len, error));
            }
            at += part;
        }
        Ok(())
    }

    /// Empty if the range crosses windows or its window cannot be mapped; neither happens to a page
    /// that was populated.
    ///
    /// # Safety
    /// As the trait says; that the window stays mapped is kept here.
    #[inline]
    unsafe fn bytes(&self, offset: u64, len: usize) -> &[u8] {
        let within = offset % MAP_WINDOW;
        if within.saturating_add(len as u64) > MAP_WINDOW {
            return &[];
        }
        let Ok(first) = self.window(offset) else { return &[] };
        let Ok(within) = usize::try_from(within) else { return &[] };
        // The window has MAP_WINDOW bytes, so the address stays inside it.
        let start = first.wrapping_add(within);
        // SAFETY: the range lies in one window, which stays mapped and in place as long as `self`;
        // that it lies inside the file and that no one writes these bytes is the caller's promise.
        unsafe { std::slice::from_raw_parts(start, len) }
    }
}

impl WindowMap {
    /// A range that could not be made present: the file was cut, or the device cannot read it.
    #[cold]
    #[track_caller]
    fn populate_error(&self, offset: u64, len: usize, error: io::Error) -> Error {
        let end = offset + len as u64;
        if let Ok(now) = self.file.metadata().map(|meta| meta.len())
            && now < end
        {
            return self.beyond(end, now);
        }
        // EFAULT is the kernel's word for "touching this would raise SIGBUS".
        let code = match error.raw_os_error() {
            Some(libc::EFAULT | libc::EHWPOISON) => JetErr::DiskIO,
            _ => code_of(&error),
        };
        Error::new(code, format!("reading {len} mapped bytes at offset {offset}: {error}"))
            .at_path(&self.path)
            .caused_by(error)
    }
}

/// Bytes of a page of the operating system.
fn os_page() -> usize {
    // SAFETY: the call takes a number and gives one.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).ok().filter(|size| size.is_power_of_two()).unwrap_or(4096)
}

#[cfg(test)]
mod tests;
