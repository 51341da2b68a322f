//! Making and removing files and directories, for the copy and for the restore.

use std::path::{Path, PathBuf};

use ese_base::{Error, JetErr, Result};
use ese_os::{Env, File};

use crate::{
    AlignedBuffer,
    restore::TEMPORARY,
    sets::PRUNED_NAME,
    stream::{CHUNK_LEN, INCOMPLETE_NAME, KEPT_NAME, KEPT_NEW_NAME, MANIFEST_NAME, NEW_NAME},
};

/// Removes a file; it may be gone already.
pub(crate) fn remove_if_there(env: &Env, path: &Path) -> Result<()> {
    match env.fs.remove_file(path) {
        Err(error) if error.code() != JetErr::FileNotFound => Err(error),
        _ => Ok(()),
    }
}

/// CRC-32 of the first `len` bytes of a file. `pause` is called between pieces of 1 MiB, and may
/// end the reading.
pub(crate) fn sum_of(
    file: &dyn File,
    len: u64,
    pause: &mut dyn FnMut() -> Result<()>,
) -> Result<u32> {
    let (mut sum, mut at) = (crc32fast::Hasher::new(), 0);
    let mut buffer = AlignedBuffer::new(CHUNK_LEN)?;
    while at < len {
        pause()?;
        let count = usize::try_from(len - at).unwrap_or(usize::MAX).min(CHUNK_LEN);
        let bytes = buffer.as_mut_slice().get_mut(..count).unwrap_or_default();
        file.read_at(bytes, at)?;
        sum.update(bytes);
        at += count as u64;
    }
    Ok(sum.finalize())
}

/// Is this the name of a file and nothing else: no way to another directory, nothing that a
/// terminal or another system takes for something else?
///
/// # Errors
/// `JET_errInvalidPath` (-1023).
pub(crate) fn check_plain_name(name: &str) -> Result<()> {
    if is_plain_name(name) {
        return Ok(());
    }
    Err(Error::new(JetErr::InvalidPath, format!("{name:?} cannot be the name of a file of a set"))
        .advise("somebody has made this set up: do not restore it"))
}

/// Can a set hold a database of this name, and a restore give it the name back? Files of a set that
/// have names of their own get others there.
#[must_use]
pub fn is_name_for_sets(name: &str) -> bool {
    is_harmless(name) && name.len() + TEMPORARY.len() < 255
}

fn is_plain_name(name: &str) -> bool {
    is_harmless(name)
        && ![MANIFEST_NAME, NEW_NAME, PRUNED_NAME, INCOMPLETE_NAME].contains(&name)
        && ![KEPT_NAME, KEPT_NEW_NAME].contains(&name)
}

fn is_harmless(name: &str) -> bool {
    let harmless = |c: char| !c.is_control() && !matches!(c, '/' | '\\');
    (1..=255).contains(&name.len()) && ![".", ".."].contains(&name) && name.chars().all(harmless)
}

/// Directories that a call has made; what goes wrong later takes them away again.
#[derive(Debug, Default)]
pub(crate) struct MadeDirs(Vec<PathBuf>);

impl MadeDirs {
    /// Makes a directory and those above it that are missing.
    ///
    /// # Errors
    /// The file system's; nothing that this call made is left then.
    pub(crate) fn make(&mut self, env: &Env, dir: &Path) -> Result<()> {
        let mut missing = MadeDirs::default();
        for dir in dir.ancestors().filter(|dir| !dir.as_os_str().is_empty()) {
            if env.fs.exists(dir)? {
                break;
            }
            missing.0.push(dir.to_path_buf());
        }
        if missing.0.is_empty() {
            return Ok(());
        }
        missing.0.reverse();
        if let Err(error) = env.fs.create_dir_all(dir) {
            missing.remove(env);
            return Err(error);
        }
        self.0.append(&mut missing.0);
        Ok(())
    }

    /// Removes those that exist, the deepest first; gives the failures. One that somebody else has
    /// put something into stays.
    pub(crate) fn remove(&self, env: &Env) -> Vec<Error> {
        let there = |dir: &&PathBuf| env.fs.exists(dir).unwrap_or(true);
        self.0.iter().rev().filter(there).filter_map(|dir| env.fs.remove_dir(dir).err()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_directories_that_were_made_are_removed() {
        let root = tempfile::tempdir().unwrap();
        let env = Env::real();
        let at = |name: &str| root.path().join(name);
        env.fs.create_dir_all(&at("there")).unwrap();
        let mut made = MadeDirs::default();
        for dir in ["there", "there/a/b", "there/a/c", "there/a/b"] {
            made.make(&env, &at(dir)).unwrap();
            assert!(env.fs.exists(&at(dir)).unwrap());
        }
        assert!(made.remove(&env).is_empty());
        assert!(env.fs.list(&at("there")).unwrap().is_empty());
        assert!(made.remove(&env).is_empty(), "nothing is left to be removed");
    }
}
