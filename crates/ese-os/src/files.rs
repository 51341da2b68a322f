//! What several crates do with files and directories, made of the traits.

use std::{
    io::{self, Read},
    path::Path,
    sync::Arc,
};

use ese_base::Result;

use crate::{Env, File, Fs, OpenMode};

/// A file from its beginning to the end that it had when it was opened, as a stream. Errors of the
/// engine are inside those of `std::io`.
#[derive(Debug)]
pub struct FileStream {
    file: Arc<dyn File>,
    at: u64,
    len: u64,
}

impl FileStream {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// Those of [`Fs::open`] and [`File::len`].
    pub fn open(env: &Env, path: &Path) -> Result<FileStream> {
        let file = env.fs.open(path, OpenMode::Read)?;
        let len = file.len()?;
        Ok(FileStream { file, at: 0, len })
    }

    /// Length of the file in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Has it no bytes?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
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

/// The directory that holds a path: the current one for a bare name, the root for itself.
#[must_use]
pub fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => path,
    }
}

/// Is the last part of the path a link? Links further up do not matter.
///
/// # Errors
/// Those of [`Fs::canonicalize`].
pub fn is_link(fs: &dyn Fs, path: &Path) -> Result<bool> {
    let real = fs.canonicalize(parent_of(path))?.join(path.file_name().unwrap_or_default());
    Ok(fs.canonicalize(path)? != real)
}

/// Removes a directory with everything in it. Links in it are removed, and nothing behind them.
///
/// # Errors
/// Those of the file system; a part may be gone.
pub fn remove_tree(fs: &dyn Fs, dir: &Path) -> Result<()> {
    for entry in fs.list(dir)? {
        let path = dir.join(&entry.name);
        if entry.is_dir && !is_link(fs, &path)? {
            remove_tree(fs, &path)?;
        } else {
            fs.remove_file(&path)?;
        }
    }
    fs.remove_dir(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_removed_and_nothing_behind_its_links() {
        let root = tempfile::tempdir().unwrap();
        let env = Env::real();
        let at = |name: &str| root.path().join(name);
        for dir in ["theirs", "tree/sub"] {
            env.fs.create_dir_all(&at(dir)).unwrap();
        }
        for file in ["theirs/a", "tree/b", "tree/sub/c"] {
            env.fs.open(&at(file), OpenMode::CreateNew).unwrap();
        }
        std::os::unix::fs::symlink(at("theirs"), at("tree/sub/link")).unwrap();
        assert!(is_link(&*env.fs, &at("tree/sub/link")).unwrap());
        assert!(!is_link(&*env.fs, &at("tree/sub")).unwrap());
        remove_tree(&*env.fs, &at("tree")).unwrap();
        assert!(!env.fs.exists(&at("tree")).unwrap() && env.fs.exists(&at("theirs/a")).unwrap());
    }

    #[test]
    fn every_path_has_a_directory() {
        for (path, parent) in [("/a/b", "/a"), ("/a", "/"), ("/", "/"), ("a/b", "a"), ("a", ".")] {
            assert_eq!(parent_of(Path::new(path)), Path::new(parent));
        }
    }

    #[test]
    fn a_stream_ends_with_its_file() {
        let root = tempfile::tempdir().unwrap();
        let (env, path) = (Env::real(), root.path().join("a"));
        env.fs.open(&path, OpenMode::CreateNew).unwrap().write_at(b"hello", 0).unwrap();
        let mut stream = FileStream::open(&env, &path).unwrap();
        assert_eq!((stream.len(), stream.is_empty()), (5, false));
        let (mut some, mut rest) = ([0; 2], String::new());
        stream.read_exact(&mut some).unwrap();
        stream.read_to_string(&mut rest).unwrap();
        assert_eq!((&some, rest.as_str()), (b"he", "llo"));
    }
}
