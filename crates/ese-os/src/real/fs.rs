//! Names and directories.

use std::{
    ffi::OsStr,
    fs, io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use ese_base::{Error, JetErr, Result};

use super::{errno::path_error, file::RealFile};
use crate::{DirEntry, File, Fs, OpenMode, parent_of};

/// The file systems of this machine.
#[derive(Debug)]
pub(crate) struct RealFs;

impl Fs for RealFs {
    /// Created files are readable by their owner alone, and a symbolic link in their place is
    /// refused. Anything but a regular file is refused with `JET_errFileAccessDenied` (-1032).
    fn open(&self, path: &Path, mode: OpenMode) -> Result<Arc<dyn File>> {
        let wish = matches!(mode, OpenMode::CreateNewDirect | OpenMode::ReadWriteDirect);
        let (file, direct) = match open_with(path, mode, wish, &open_as_asked) {
            Ok(opened) => opened,
            Err(error) => return Err(path_error("open", path, error)),
        };
        let meta = file.metadata().map_err(|error| path_error("open", path, error))?;
        if !meta.is_file() {
            return Err(Error::new(
                JetErr::FileAccessDenied,
                "expected a regular file, found a directory, pipe or device",
            )
            .at_path(path));
        }
        Ok(Arc::new(RealFile::new(path, file, mode, direct)))
    }

    /// A symbolic link exists even if its target does not.
    fn exists(&self, path: &Path) -> Result<bool> {
        match fs::symlink_metadata(path) {
            Ok(_) => Ok(true),
            Err(error) if is_absent(&error) => Ok(false),
            Err(error) => Err(path_error("look up", path, error)),
        }
    }

    /// The permissions count for those, too, whom they do not stop.
    fn is_read_only(&self, path: &Path) -> Result<bool> {
        let meta = fs::metadata(path).map_err(|error| path_error("look up", path, error))?;
        if !meta.is_file() || meta.permissions().readonly() {
            return Ok(meta.is_file());
        }
        // What else there is that forbids it only the attempt tells; nothing is created or cut.
        match fs::OpenOptions::new().write(true).custom_flags(libc::O_CLOEXEC).open(path) {
            Ok(_) => Ok(false),
            Err(error) => {
                Ok(matches!(error.raw_os_error(), Some(libc::EACCES | libc::EPERM | libc::EROFS)))
            }
        }
    }

    /// Names that are not UTF-8 cannot be ours and are left out, see [`Fs::oddly_named`].
    fn list(&self, dir: &Path) -> Result<Vec<DirEntry>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(dir).map_err(|error| dir_error("list", dir, error))? {
            let entry = entry.map_err(|error| dir_error("list", dir, error))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let is_plain = entry.file_type().is_ok_and(|kind| kind.is_file());
            let meta = match fs::metadata(entry.path()).or_else(|_| entry.metadata()) {
                Ok(meta) => meta,
                Err(error) if is_absent(&error) => continue, // removed since it was listed
                Err(error) => return Err(path_error("look up", &entry.path(), error)),
            };
            names.push(DirEntry { name, is_dir: meta.is_dir(), is_plain, len: meta.len() });
        }
        names.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(names)
    }

    fn oddly_named(&self, dir: &Path) -> Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(dir).map_err(|error| dir_error("list", dir, error))? {
            let entry = entry.map_err(|error| dir_error("list", dir, error))?;
            let path = entry.path();
            // Pipes and the like are no evidence, and opening them may wait for ever.
            let is_file = fs::metadata(&path).is_ok_and(|meta| meta.is_file());
            if entry.file_name().to_str().is_none() && is_file {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }

    fn create_dir_all(&self, dir: &Path) -> Result<()> {
        let mut missing = Vec::new();
        let mut at = dir;
        while !at.as_os_str().is_empty() && !at.is_dir() {
            missing.push(at);
            match at.parent() {
                Some(parent) => at = parent,
                None => break,
            }
        }
        // An earlier call may have ended between creating the innermost directory that is there and
        // syncing its name. Whoever may not read the directory above did not create it.
        match parent_of(at) {
            above if above == at || !at.is_dir() => {}
            above => match self.sync_dir(above) {
                Err(error) if error.code() != JetErr::FileAccessDenied => return Err(error),
                _ => {}
            },
        }
        // Outermost first; each new name is made durable before anything is put below it.
        for dir in missing.into_iter().rev() {
            match fs::DirBuilder::new().mode(0o700).create(dir) {
                Ok(()) => self.sync_dir(parent_of(dir))?,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => {}
                Err(error) => return Err(path_error("create directory", dir, error)),
            }
        }
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> Result<()> {
        fs::remove_file(path).map_err(|error| path_error("remove", path, error))
    }

    fn remove_dir(&self, dir: &Path) -> Result<()> {
        fs::remove_dir(dir).map_err(|error| path_error("remove directory", dir, error))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        fs::rename(from, to).map_err(|error| {
            let what = format!("rename to {}", to.display());
            // The system does not say which of the two names is missing.
            let aim = if is_absent(&error) && !parent_of(to).is_dir() { to } else { from };
            path_error(&what, aim, error)
        })
    }

    /// File systems that cannot sync a directory (they answer EINVAL) keep names in order
    /// themselves or not at all; there is nothing else to ask them for.
    fn sync_dir(&self, dir: &Path) -> Result<()> {
        let open = fs::OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_DIRECTORY | libc::O_CLOEXEC)
            .open(dir)
            .map_err(|error| dir_error("open directory", dir, error))?;
        match open.sync_all() {
            Ok(()) => Ok(()),
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(()),
            Err(error) => Err(path_error("sync directory", dir, error)),
        }
    }

    fn canonicalize(&self, path: &Path) -> Result<PathBuf> {
        match fs::canonicalize(path) {
            Ok(resolved) => Ok(resolved),
            Err(error) if is_absent(&error) => {
                let Some(Component::Normal(name)) = path.components().next_back() else {
                    return Err(dir_error("resolve", path, error));
                };
                let dir = parent_of(path);
                let resolved =
                    fs::canonicalize(dir).map_err(|error| dir_error("resolve", dir, error))?;
                Ok(resolved.join::<&OsStr>(name))
            }
            Err(error) => Err(path_error("resolve", path, error)),
        }
    }
}

/// The call that opens, with these flags beside those of the options.
type Open = dyn Fn(&mut fs::OpenOptions, libc::c_int, &Path) -> io::Result<fs::File>;

fn open_as_asked(
    options: &mut fs::OpenOptions,
    flags: libc::c_int,
    path: &Path,
) -> io::Result<fs::File> {
    options.custom_flags(flags).open(path)
}

/// Opens; with O_DIRECT if `direct`, but without it where the file system answers EINVAL. Says
/// which of the two it was.
fn open_with(
    path: &Path,
    mode: OpenMode,
    direct: bool,
    open: &Open,
) -> io::Result<(fs::File, bool)> {
    // O_NONBLOCK keeps the open of a pipe from waiting for its other end; regular files ignore it.
    let mut flags = libc::O_CLOEXEC | libc::O_NONBLOCK;
    if direct {
        flags |= libc::O_DIRECT;
    }
    let mut options = fs::OpenOptions::new();
    options.read(true).mode(0o600);
    match mode {
        OpenMode::Read => {}
        OpenMode::ReadWrite | OpenMode::ReadWriteDirect => {
            options.write(true);
        }
        OpenMode::CreateNew | OpenMode::CreateNewDirect => {
            options.write(true).create_new(true);
            flags |= libc::O_NOFOLLOW;
        }
        OpenMode::CreateOrTruncate => {
            options.write(true).create(true).truncate(true);
            flags |= libc::O_NOFOLLOW;
        }
    }
    match open(&mut options, flags, path) {
        Ok(file) => Ok((file, direct)),
        Err(error) if direct && error.raw_os_error() == Some(libc::EINVAL) => {
            if mode == OpenMode::ReadWriteDirect {
                return open_with(path, mode, false, open);
            }
            // Older kernels refuse O_DIRECT only after they created the name.
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            open_with(path, mode, false, open)
        }
        Err(error) => Err(error),
    }
}

/// The error of a call whose path should be a directory: there, "not found" is a bad path.
#[track_caller]
fn dir_error(what: &str, dir: &Path, error: io::Error) -> Error {
    if is_absent(&error) {
        return Error::new(JetErr::InvalidPath, format!("{what}: {error}"))
            .at_path(dir)
            .caused_by(error);
    }
    path_error(what, dir, error)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENOTDIR))
}

#[cfg(test)]
mod tests;
