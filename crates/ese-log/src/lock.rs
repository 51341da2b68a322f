//! One instance per log directory: a lock on a side file, held as long as the stream is used.

use std::sync::Arc;

use ese_base::{Error, JetErr, Result};
use ese_os::{Env, File, LockMode, OpenMode};

use crate::LogNames;

/// The right to use a log stream. Given back when dropped (or when the process ends).
#[derive(Debug)]
pub struct LogLock {
    /// Holds the lock; never read or written.
    _file: Arc<dyn File>,
}

impl LogLock {
    /// Takes the right to use the stream of these names. Recovery takes it before it looks at
    /// any file and hands it to the writer afterwards.
    ///
    /// # Errors
    /// `JET_errLogFilePathInUse` (-1084): another instance, in this process or another, has it.
    pub fn acquire(env: &Env, names: &LogNames) -> Result<Arc<LogLock>> {
        let path = names.lock();
        let mode = if env.fs.exists(&path)? { OpenMode::ReadWrite } else { OpenMode::CreateNew };
        let file = match env.fs.open(&path, mode) {
            // Somebody else created it in between.
            Err(e) if e.code() == JetErr::FileAlreadyExists => {
                env.fs.open(&path, OpenMode::ReadWrite)?
            }
            other => other?,
        };
        file.lock(LockMode::Exclusive).map_err(|e| match e.code() {
            JetErr::FileAccessDenied => Error::new(
                JetErr::LogFilePathInUse,
                format!("another instance uses the logs {:?} of this directory", names.base()),
            )
            .at_path(names.dir())
            .advise("end the other instance, or give this one its own log directory"),
            _ => e,
        })?;
        Ok(Arc::new(LogLock { _file: file }))
    }
}
