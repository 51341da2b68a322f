//! Do the maps of a file system show what is written to the file?
//!
//! On some network and user-space file systems they do not: the map is a copy that ordinary writes
//! do not reach. The question is put to the file system itself, with a small file that nobody else
//! sees, and not to a list of names.

use std::{
    fs, io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use memmap2::{MmapOptions, MmapRaw};

/// Pages of the probe; the second one is written after the map was made and looked at.
const LEN: usize = 4096;

/// Whether maps of files in this directory are coherent with writes, also behind the length that
/// the file had when it was mapped. An error means that the directory takes no new file.
pub(crate) fn maps_are_coherent(dir: &Path) -> io::Result<bool> {
    let file = nameless_file(dir)?;
    file.write_all_at(&[0x11; LEN], 0)?;
    let Ok(map) = MmapOptions::new().len(2 * LEN).map_raw_read_only(&file) else {
        return Ok(false);
    };
    let mut seen = look(&map, 0) == 0x11;
    file.write_all_at(&[0x22; LEN], 0)?;
    seen &= look(&map, 0) == 0x22;
    file.write_all_at(&[0x33; LEN], LEN as u64)?;
    seen &= look(&map, LEN) == 0x33;
    file.write_all_at(&[0x44; 1], LEN as u64 + 1)?;
    seen &= look(&map, LEN + 1) == 0x44;
    Ok(seen)
}

/// One byte of a map, read anew each time.
fn look(map: &MmapRaw, at: usize) -> u8 {
    assert!(at < map.len(), "the probe looks inside its own map");
    let place = map.as_ptr().wrapping_add(at);
    // SAFETY: the place lies inside the map, behind which the probe's own file has its bytes (no
    // one else can open or cut it); volatile, because the file is written between two looks.
    unsafe { place.read_volatile() }
}

/// A new file in the directory that no one else can reach: without a name where the file system
/// knows such files, else with one that is removed at once.
fn nameless_file(dir: &Path) -> io::Result<fs::File> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    match options.clone().custom_flags(libc::O_TMPFILE | libc::O_CLOEXEC).open(dir) {
        Ok(file) => Ok(file),
        Err(error)
            if matches!(
                error.raw_os_error(),
                Some(libc::EOPNOTSUPP | libc::EISDIR | libc::EINVAL | libc::ENOENT)
            ) =>
        {
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = dir.join(format!(".ese-map-probe-{}-{number}", std::process::id()));
            let file = options
                .create_new(true)
                .custom_flags(libc::O_CLOEXEC | libc::O_NOFOLLOW)
                .open(&path)?;
            fs::remove_file(&path)?;
            Ok(file)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_file_system_is_coherent_and_the_probe_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert!(maps_are_coherent(dir.path()).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_directory_that_takes_no_file_is_an_error() {
        assert!(maps_are_coherent(Path::new("/proc")).is_err());
    }
}
