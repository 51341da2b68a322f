//! Where logs are shipped to.

use std::{
    fmt::Debug,
    path::{Path, PathBuf},
    sync::Arc,
};

use ese_base::{Error, JetErr, Result};
use ese_os::{Env, File, LockMode, OpenMode};

use super::FILE_LEN_MAX;
use crate::files::remove_if_there;

/// A flat place of small files, each written whole.
pub trait ShipDestination: Send + Debug {
    /// Puts a file there, or replaces it: whoever looks sees the old content or the new one, never
    /// a part. Durable on return.
    ///
    /// # Errors
    /// The destination's.
    fn write(&self, name: &str, content: &[u8]) -> Result<()>;
    /// A file's content; `None` if it is not there.
    ///
    /// # Errors
    /// The destination's.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>>;
    /// The names of all that is there, but for what the destination itself needs.
    ///
    /// # Errors
    /// The destination's.
    fn names(&self) -> Result<Vec<String>>;
    /// Where a file is, for messages.
    fn place(&self, name: &str) -> PathBuf;
}

/// Keeps a second shipper away.
const LOCK_NAME: &str = "ese-ship.lck";

/// A directory of this machine. Who has it keeps others from shipping into it.
pub struct DirDestination {
    env: Env,
    dir: PathBuf,
    /// Held until this is dropped.
    _lock: Arc<dyn File>,
}

impl Debug for DirDestination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("DirDestination").field(&self.dir).finish()
    }
}

impl DirDestination {
    /// Makes the directory if it is missing.
    ///
    /// # Errors
    /// `JET_errFileAccessDenied` (-1032) if somebody else ships into it; the file system's.
    pub fn open(env: &Env, dir: &Path) -> Result<DirDestination> {
        env.fs.create_dir_all(dir)?;
        let path = dir.join(LOCK_NAME);
        let lock = match env.fs.open(&path, OpenMode::CreateNew) {
            Err(error) if error.code() == JetErr::FileAlreadyExists => {
                env.fs.open(&path, OpenMode::ReadWrite)?
            }
            opened => opened?,
        };
        lock.lock(LockMode::Exclusive).map_err(|error| {
            Error::new(JetErr::FileAccessDenied, "somebody else ships into this directory")
                .at_path(dir)
                .advise("one shipper is enough; give another instance another directory")
                .caused_by(error)
        })?;
        Ok(DirDestination { env: env.clone(), dir: dir.to_path_buf(), _lock: lock })
    }
}

impl ShipDestination for DirDestination {
    fn write(&self, name: &str, content: &[u8]) -> Result<()> {
        let new = self.dir.join(format!("{name}.new"));
        remove_if_there(&self.env, &new)?;
        let file = self.env.fs.open(&new, OpenMode::CreateNew)?;
        // A log is blank behind its end, and the disk need not hear of it.
        let used = content.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        file.write_at(content.get(..used).unwrap_or_default(), 0)?;
        file.set_len(content.len() as u64)?;
        file.sync()?;
        drop(file);
        self.env.fs.rename(&new, &self.dir.join(name))?;
        self.env.fs.sync_dir(&self.dir)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let path = self.dir.join(name);
        if !self.env.fs.exists(&path)? {
            return Ok(None);
        }
        let file = self.env.fs.open(&path, OpenMode::Read)?;
        let len = file.len()?;
        let len = usize::try_from(len).ok().filter(|_| len <= FILE_LEN_MAX).ok_or_else(|| {
            Error::new(JetErr::FileInvalidType, format!("{len} bytes are too many")).at_path(&path)
        })?;
        let mut bytes = vec![0; len];
        file.read_at(&mut bytes, 0)?;
        Ok(Some(bytes))
    }

    fn names(&self) -> Result<Vec<String>> {
        let entries = self.env.fs.list(&self.dir)?.into_iter().map(|entry| entry.name);
        // A file that was being written when the power failed is written again.
        Ok(entries.filter(|name| name != LOCK_NAME && !name.ends_with(".new")).collect())
    }

    fn place(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}
