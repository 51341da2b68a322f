//! Restoring what is not simply a directory: archives, and pipes with archives in them.

use std::{
    io::{self, Read},
    path::Path,
};

use ese_backup::{
    restore::{RestoreOptions, RestoreProgress, RestoreTarget},
    sets::BackupSet,
    stream::{Staging, Unpacking},
};
use ese_base::Result;
use ese_os::{Env, File, OpenMode};

use crate::restore::{Restored, restore_with};

/// Where a set comes from.
pub enum SetInput<'a> {
    /// A directory, or an archive that is a file.
    Path(&'a Path),
    /// An archive that can only be read from front to back.
    Stream(&'a mut dyn Read),
}

impl std::fmt::Debug for SetInput<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SetInput::Path(path) => f.debug_tuple("Path").field(path).finish(),
            SetInput::Stream(_) => f.debug_tuple("Stream").finish_non_exhaustive(),
        }
    }
}

/// Restores a set, wherever it comes from. An archive is read once, from front to back, and lies
/// unpacked inside the target until it is restored, so that twice its size is needed there for a
/// while.
///
/// # Errors
/// As [`restore_with`]; of an archive those of [`ese_backup::stream::archive::ArchiveReader`]: one
/// that is cut off or altered is refused before anything is restored.
pub fn restore_set(
    env: &Env,
    set: SetInput<'_>,
    target: &RestoreTarget,
    options: &mut RestoreOptions<'_>,
) -> Result<Restored> {
    match set {
        SetInput::Path(path) if env.fs.list(path).is_ok() => {
            restore_with(env, path, target, options)
        }
        SetInput::Path(path) => {
            // Tells at once what a long reading would tell at its end.
            BackupSet::read(env, path)?;
            let mut file = FileStream::open(env, path)?;
            from_archive(env, &mut file, path, target, options)
        }
        SetInput::Stream(input) => {
            from_archive(env, input, Path::new("standard input"), target, options)
        }
    }
}

fn from_archive(
    env: &Env,
    input: &mut dyn Read,
    name: &Path,
    target: &RestoreTarget,
    options: &mut RestoreOptions<'_>,
) -> Result<Restored> {
    let mut staging = Staging::begin(env, &target.database_dir)?;
    let restored = unpack_and_restore(env, &mut staging, input, name, target, options);
    match (restored, staging.end()) {
        (Ok(_), Err(error)) => Err(error),
        (restored, _) => restored,
    }
}

fn unpack_and_restore(
    env: &Env,
    staging: &mut Staging,
    input: &mut dyn Read,
    name: &Path,
    target: &RestoreTarget,
    options: &mut RestoreOptions<'_>,
) -> Result<Restored> {
    let progress = &mut *options.progress;
    let mut unpacked = 0;
    // Every byte is read twice: out of the archive, and on its way to its place.
    let mut first = |done, total: u64| {
        unpacked = done;
        progress(&RestoreProgress { bytes_done: done, bytes_total: total.max(done) * 2 });
    };
    let mut unpacking = Unpacking { progress: &mut first, stop: options.stop.clone() };
    let dir = staging.add(input, name, &mut unpacking)?;
    let mut second = |so_far: &RestoreProgress| {
        progress(&RestoreProgress {
            bytes_done: unpacked + so_far.bytes_done,
            bytes_total: unpacked + so_far.bytes_total,
        });
    };
    let mut again = RestoreOptions {
        force: options.force,
        keep_damaged: options.keep_damaged,
        progress: &mut second,
        stop: options.stop.clone(),
    };
    restore_with(env, &dir, target, &mut again)
}

/// A file from its beginning, as a stream.
struct FileStream {
    file: std::sync::Arc<dyn File>,
    at: u64,
    len: u64,
}

impl FileStream {
    fn open(env: &Env, path: &Path) -> Result<FileStream> {
        let file = env.fs.open(path, OpenMode::Read)?;
        let len = file.len()?;
        Ok(FileStream { file, at: 0, len })
    }
}

impl Read for FileStream {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.len - self.at).unwrap_or(usize::MAX);
        let count = out.len().min(left);
        let out = out.get_mut(..count).unwrap_or_default();
        self.file.read_at(out, self.at).map_err(io::Error::other)?;
        self.at += count as u64;
        Ok(count)
    }
}
