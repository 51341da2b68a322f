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

/// The parts of the first `len` bytes of a file that may hold anything but zeros, ascending: begin
/// and end, both in whole units of `unit` but for the last end. What lies between them are holes of
/// a sparse file, which a copy need not write.
pub fn data_ranges(file: &dyn File, len: u64, unit: u64) -> impl Iterator<Item = (u64, u64)> + '_ {
    let unit = unit.max(1);
    let mut at = 0;
    std::iter::from_fn(move || {
        let data = file.next_data(at);
        if at >= len || data >= len {
            return None;
        }
        let begin = data / unit * unit;
        let mut end = begin;
        while end < len && file.next_data(end) < end.saturating_add(unit) {
            end = end.saturating_add(unit);
        }
        at = end;
        Some((begin, end.min(len)))
    })
}

/// Gives a new file the length of what it is to be a copy of, and its space on the disk, so that a
/// full disk shows before anything is copied. Where the model has holes, so has the copy; room that
/// is only reserved there is reserved here.
///
/// # Errors
/// Those of [`File::allocate`].
pub fn reserve_like(copy: &dyn File, model: &dyn File, len: u64) -> Result<()> {
    const UNIT: u64 = 1 << 20;
    if len == 0 {
        return Ok(());
    }
    if model.disk_bytes()? >= len {
        return copy.allocate(0, len);
    }
    for (begin, end) in data_ranges(model, len, UNIT) {
        copy.allocate(begin, end - begin)?;
    }
    if copy.len()? < len { copy.set_len(len) } else { Ok(()) }
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
    fn data_lies_between_holes() {
        let root = tempfile::tempdir().unwrap();
        let (env, path) = (Env::real(), root.path().join("a"));
        let file = env.fs.open(&path, OpenMode::CreateNew).unwrap();
        const UNIT: u64 = 1 << 20;
        let all = |len| data_ranges(&*file, len, UNIT).collect::<Vec<_>>();
        assert_eq!(all(0), []);
        file.write_at(&[1; 5], 40 * UNIT + 7).unwrap();
        file.write_at(&[1; 5], 42 * UNIT - 1).unwrap();
        file.write_at(&[1; 5], 90 * UNIT).unwrap();
        file.set_len(200 * UNIT).unwrap();
        // A file system that knows nothing of holes has one range.
        if all(200 * UNIT).len() > 1 {
            let expected = [(40 * UNIT, 43 * UNIT), (90 * UNIT, 91 * UNIT)];
            assert_eq!(all(200 * UNIT), expected);
            assert_eq!(all(90 * UNIT + 3), [expected[0], (90 * UNIT, 90 * UNIT + 3)]);
        }
        let copy = env.fs.open(&root.path().join("b"), OpenMode::CreateNew).unwrap();
        reserve_like(&*copy, &*file, 200 * UNIT).unwrap();
        assert_eq!(copy.len().unwrap(), 200 * UNIT);
        let taken = (copy.disk_bytes().unwrap(), file.disk_bytes().unwrap());
        assert!(taken.1 >= 200 * UNIT || taken.0 <= 5 * UNIT, "{taken:?}");
        // Room that is reserved stays reserved.
        file.allocate(0, 200 * UNIT).unwrap();
        let whole = env.fs.open(&root.path().join("c"), OpenMode::CreateNew).unwrap();
        reserve_like(&*whole, &*file, 200 * UNIT).unwrap();
        let taken = (whole.disk_bytes().unwrap(), file.disk_bytes().unwrap());
        assert!(taken.1 < 200 * UNIT || taken.0 >= 200 * UNIT, "{taken:?}");
        file.set_len(0).unwrap();
        file.write_at(&[1; 5], 0).unwrap();
        assert_eq!(all(5), [(0, 5)]);
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
