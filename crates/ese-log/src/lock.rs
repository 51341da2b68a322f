//! One instance per log directory: a lock on a side file, held as long as the stream is used.
//!
//! Who ends in order, or fails to start, removes the file while the lock is still held. Whoever has
//! opened it just before gets a lock on a file without a name, which keeps nobody away: so who has
//! locked a file looks whether it still has its name, and opens again otherwise.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use ese_base::{Error, JetErr, Result};
use ese_os::{Env, File, LockMode, OpenMode};

use crate::LogNames;

/// So many times the file is opened anew at most. Each time another instance has come to its end.
const TRIES_MAX: usize = 100;

/// The right to use a log stream. Given back by [`LogLock::give_back`], when dropped, or when the
/// process ends.
#[derive(Debug)]
pub struct LogLock {
    env: Env,
    path: PathBuf,
    /// Holds the lock; never read or written.
    file: Arc<dyn File>,
    ended: AtomicBool,
    given_back: AtomicBool,
}

impl LogLock {
    /// Takes the right to use the stream of these names. Recovery takes it before it looks at
    /// any file and hands it to the writer afterwards.
    ///
    /// # Errors
    /// `JET_errLogFilePathInUse` (-1084): another instance, in this process or another, has it.
    pub fn acquire(env: &Env, names: &LogNames) -> Result<Arc<LogLock>> {
        let path = names.lock();
        for _ in 0..TRIES_MAX {
            let Some(file) = open(env, &path)? else { continue };
            let locked = file.lock(LockMode::Exclusive);
            if !file.is_at(&path)? {
                continue;
            }
            return match locked {
                Ok(()) => {
                    let (env, ended) = (env.clone(), AtomicBool::new(false));
                    let given_back = AtomicBool::new(false);
                    Ok(Arc::new(LogLock { env, path, file, ended, given_back }))
                }
                Err(error) if error.code() == JetErr::FileAccessDenied => Err(in_use(names)),
                Err(error) => Err(error),
            };
        }
        Err(in_use(names))
    }

    /// The stream is used no more, and in order: the last one who drops the lock removes its file.
    /// Where nobody says so the file stays, which is in nobody's way. May be said beforehand by who
    /// does not hand the lock on.
    pub fn end_in_order(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// Gives the right back before the lock is dropped, to which another thread may be about to
    /// lose a reference. The caller has the only one that is meant to last, and writes no more.
    pub fn give_back(&self) {
        if self.given_back.swap(true, Ordering::Relaxed) {
            return;
        }
        if self.ended.load(Ordering::Relaxed) && self.file.is_at(&self.path).unwrap_or(false) {
            // A file that stays is in nobody's way.
            drop(self.env.fs.remove_file(&self.path));
        }
        // What fails here ends with the file handle.
        drop(self.file.unlock());
    }
}

impl Drop for LogLock {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Opens the file, or makes it. `None`: it came or went in between.
fn open(env: &Env, path: &Path) -> Result<Option<Arc<dyn File>>> {
    let mode = if env.fs.exists(path)? { OpenMode::ReadWrite } else { OpenMode::CreateNew };
    match (env.fs.open(path, mode), mode) {
        (Err(e), OpenMode::CreateNew) if e.code() == JetErr::FileAlreadyExists => Ok(None),
        (Err(e), OpenMode::ReadWrite) if e.code() == JetErr::FileNotFound => Ok(None),
        (opened, _) => opened.map(Some),
    }
}

fn in_use(names: &LogNames) -> Error {
    Error::new(
        JetErr::LogFilePathInUse,
        format!("another instance uses the logs {:?} of this directory", names.base()),
    )
    .at_path(names.dir())
    .advise("end the other instance, or give this one its own log directory")
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn the_file_goes_with_the_end_and_stays_where_that_is_not_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let (env, names) = (Env::real(), LogNames::new(dir.path(), "edb"));
        let lock = LogLock::acquire(&env, &names).unwrap();
        let used = LogLock::acquire(&env, &names).unwrap_err().code();
        assert_eq!(used, JetErr::LogFilePathInUse);
        drop(lock);
        assert!(names.lock().exists(), "as if the process had been killed");
        let lock = LogLock::acquire(&env, &names).unwrap();
        lock.end_in_order();
        assert!(names.lock().exists(), "it is still held");
        drop(lock);
        assert!(!names.lock().exists());
    }

    #[test]
    fn who_has_given_it_back_may_still_be_referred_to() {
        let dir = tempfile::tempdir().unwrap();
        let (env, names) = (Env::real(), LogNames::new(dir.path(), "edb"));
        for in_order in [true, false] {
            let lock = LogLock::acquire(&env, &names).unwrap();
            if in_order {
                lock.end_in_order();
            }
            lock.give_back();
            assert_eq!(names.lock().exists(), !in_order);
            let next = LogLock::acquire(&env, &names).unwrap();
            drop(lock);
            assert!(names.lock().exists(), "it is the next one's");
            assert_eq!(
                LogLock::acquire(&env, &names).unwrap_err().code(),
                JetErr::LogFilePathInUse
            );
            drop(next);
        }
    }

    /// Whoever holds a file that has lost its name takes nothing from the one who has the new one.
    #[test]
    fn a_file_without_its_name_is_no_lock() {
        let dir = tempfile::tempdir().unwrap();
        let (env, names) = (Env::real(), LogNames::new(dir.path(), "edb"));
        let first = LogLock::acquire(&env, &names).unwrap();
        env.fs.remove_file(&names.lock()).unwrap();
        assert!(!first.file.is_at(&names.lock()).unwrap());
        let second = LogLock::acquire(&env, &names).unwrap();
        first.end_in_order();
        drop(first);
        assert!(second.file.is_at(&names.lock()).unwrap(), "the other one's file");
    }

    #[test]
    fn of_all_who_come_and_go_one_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let (env, names) = (Env::real(), LogNames::new(dir.path(), "edb"));
        let (inside, start) = (AtomicBool::new(false), Barrier::new(4));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    start.wait();
                    for _ in 0..500 {
                        let Ok(lock) = LogLock::acquire(&env, &names) else { continue };
                        assert!(!inside.swap(true, Ordering::SeqCst), "two have it");
                        lock.end_in_order();
                        inside.store(false, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(!names.lock().exists());
    }
}
