//! Small helpers over the file traits: whole files, streams, and directories of our own making.

use std::{
    io::{self, Read},
    path::Path,
    sync::Arc,
};

use ese_api::{Env, Error, JetErr, Result, looks_like_backup_set};
use ese_backup::stream::{INCOMPLETE_NAME, MANIFEST_NAME, archive::ARCHIVE_EXTENSION};
use ese_os::{File, OpenMode};

use crate::failure::{Failure, Outcome};

/// The bytes of a file that is not longer than this.
pub(crate) fn read(env: &Env, path: &Path, len_max: u64) -> Result<Vec<u8>> {
    let file = env.fs.open(path, OpenMode::Read)?;
    let len = file.len()?;
    let len = usize::try_from(len).ok().filter(|_| len <= len_max).ok_or_else(|| {
        Error::new(JetErr::OutOfMemory, format!("the file has {len} bytes, too many to read whole"))
            .at_path(path)
    })?;
    let mut bytes = vec![0; len];
    file.read_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// A file from its beginning, as a stream.
#[derive(Debug)]
pub(crate) struct FileStream {
    file: Arc<dyn File>,
    at: u64,
    len: u64,
}

impl FileStream {
    pub(crate) fn open(env: &Env, path: &Path) -> Result<FileStream> {
        let file = env.fs.open(path, OpenMode::Read)?;
        let len = file.len()?;
        Ok(FileStream { file, at: 0, len })
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }
}

impl Read for FileStream {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.len - self.at).unwrap_or(usize::MAX);
        let count = out.len().min(left);
        let out = out.get_mut(..count).unwrap_or_default();
        self.file.read_at(out, self.at).map_err(io::Error::other)?;
        self.at += u64::try_from(count).unwrap_or(0);
        Ok(count)
    }
}

/// How a set is laid down or given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetForm {
    Directory,
    Archive,
    /// Standard input or output.
    Pipe,
}

/// Standard input and output in the place of a path.
pub(crate) fn is_pipe(path: &Path) -> bool {
    path == Path::new("-")
}

/// Does the name end as that of an archive?
pub(crate) fn is_archive_name(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case(ARCHIVE_EXTENSION))
}

/// The engine's error inside an error of a stream, or one that says what happened.
pub(crate) fn stream_error(path: &Path, error: &io::Error) -> Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(inner) => Error::new(inner.code(), inner.message().to_owned()).at_path(path),
        None => Error::new(JetErr::DiskIO, error.to_string()).at_path(path),
    }
}

/// Removes a directory of our own making with everything in it.
pub(crate) fn remove_tree(env: &Env, dir: &Path) -> Result<()> {
    for entry in env.fs.list(dir)? {
        let path = dir.join(&entry.name);
        if entry.is_dir {
            remove_tree(env, &path)?;
        } else {
            env.fs.remove_file(&path)?;
        }
    }
    env.fs.remove_dir(dir)
}

/// A set must stay what it is: an instance that starts in it would change its files.
pub(crate) fn refuse_backup_set(env: &Env, dir: &Path) -> Outcome {
    for name in [MANIFEST_NAME, INCOMPLETE_NAME] {
        if env.fs.exists(&dir.join(name))? {
            return Err(Failure::Usage(format!(
                "{}: this is a backup set; make databases of it with `ese restore`",
                dir.display()
            )));
        }
    }
    if looks_like_backup_set(env, dir)? {
        return Err(Failure::Usage(format!(
            "{}: this looks like a backup set without its manifest; make databases of it with `ese \
             restore`",
            dir.display()
        )));
    }
    Ok(())
}
