//! The copy of a database's file, before the log is replayed onto it.

use std::path::{Path, PathBuf};

use ese_base::{Result, StopToken};
use ese_os::{Env, OpenMode, data_ranges, parent_of, reserve_like};
use ese_pages::{Access, DbFile};

use super::{CopyProgress, CopyWatcher};

/// Bytes that are copied between two looks at the stop.
const CHUNK: usize = 1 << 20;

/// Copies the database, with the images of pages that were being written when it was left.
pub(super) fn place(
    env: &Env,
    source: Option<&Path>,
    target: &Path,
    progress: CopyWatcher<'_>,
    stop: &StopToken,
) -> Result<()> {
    let Some(source) = source else { return Ok(()) };
    // The lock keeps an instance from changing it meanwhile.
    let _open = DbFile::open(env, source, Access::ReadOnly)?;
    copy_file(env, source, target, progress, stop)?;
    let images = double_write_of(source);
    if env.fs.exists(&images)? {
        copy_file(env, &images, &double_write_of(target), progress, stop)?;
    }
    env.fs.sync_dir(parent_of(target))
}

pub(super) fn double_write_of(path: &Path) -> PathBuf {
    ese_pages::dblwr::path_of(path)
}

fn copy_file(
    env: &Env,
    from: &Path,
    to: &Path,
    progress: CopyWatcher<'_>,
    stop: &StopToken,
) -> Result<()> {
    let from_file = env.fs.open(from, OpenMode::Read)?;
    let to_file = env.fs.open(to, OpenMode::CreateNew)?;
    let total = from_file.len()?;
    // Holes stay holes: evidence may be a file of terabytes that is all but empty.
    reserve_like(&*to_file, &*from_file, total)?;
    let mut buffer = vec![0; CHUNK];
    for (mut done, end) in data_ranges(&*from_file, total, CHUNK as u64) {
        while done < end {
            stop.check()?;
            let len = usize::try_from(end - done).unwrap_or(CHUNK).min(CHUNK);
            let chunk = buffer.get_mut(..len).unwrap_or_default();
            from_file.read_at(chunk, done)?;
            to_file.write_at(chunk, done)?;
            done += u64::try_from(len).unwrap_or(0);
            progress(&CopyProgress { database: from, replaying: false, done, total });
        }
    }
    progress(&CopyProgress { database: from, replaying: false, done: total, total });
    to_file.sync()
}
