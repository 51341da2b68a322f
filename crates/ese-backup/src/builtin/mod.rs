//! The built-in backup into a folder (backup-log-recovery 6.1): JetBackup.
//!
//! The folder holds a set, or in the atomic layout the sets `new` and `old` and, while one is made,
//! `temp`. A restore looks in the folder, then in `new`, then in `old`, so each of these states can
//! be restored:
//!
//! ```text
//! full, atomic:  [new] -> old    temp is filled    temp -> new    old goes
//! ```
//!
//! The logs of the instance are truncated, and the headers remember the backup, when the set is
//! `new`: what they say is true at every moment. An incremental backup puts its logs into the
//! folder of the set that it goes on with (`increment`).

mod increment;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use ese_base::{Error, JetErr, Result, StopToken};
use ese_os::{Env, is_link};

use crate::{
    files::MadeDirs,
    session::BackupContext,
    stream::{BackupReport, CopyJob, CopyOptions, Progress, copy_to_folder},
};

pub use increment::add_increment;

/// Longest path of a folder, in bytes (`MAX_PATH` of the documented interface without its NUL).
pub const FOLDER_PATH_MAX: usize = 259;

/// How a folder is backed up into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FolderOptions {
    /// The logs since the last backup only.
    pub incremental: bool,
    /// The atomic layout: the last complete set is there at every moment.
    pub atomic: bool,
    /// Make the folder if it is not there.
    pub create_dir: bool,
}

/// Makes a backup into a folder and truncates the logs.
///
/// # Errors
/// In the order of the checks: those of [`BackupContext::begin`]; `JET_errInvalidPath` (-1023) for
/// a path that is too long or a folder that is not there; `JET_errDeleteBackupFileFail` (-524) for
/// the rest of an earlier backup that cannot be removed, or in whose place the instance keeps
/// files; `JET_errBackupDirectoryNotEmpty` (-504);
/// `JET_errNoBackupDirectory` (-503) for an incremental backup of the atomic layout without a set;
/// `JET_errMakeBackupDirectoryFail` (-525); `JET_errInvalidLogSequence` (-515) for logs that do not
/// go on with the set; `JET_errBackupAbortByServer` (-801) after a stop; those of reading and
/// writing. What the call made is gone then. An error of truncating or of the headers leaves the
/// new set, complete and in its place.
pub fn backup_to_folder(
    context: &Arc<BackupContext>,
    env: &Env,
    path: &Path,
    options: FolderOptions,
    progress: &mut dyn FnMut(&Progress),
    stop: &StopToken,
) -> Result<()> {
    context.check_can_begin(options.incremental)?;
    check_folder(env, path, options)?;
    for sub in ["temp", "new", "old"] {
        refuse_live_folder(context, env, &path.join(sub), JetErr::DeleteBackupFileFail)?;
    }
    remove_set(env, &path.join("temp"))?;
    if options.incremental {
        let dir = match options.atomic {
            true => retire(env, path)?.ok_or_else(|| no_set(path))?,
            false => refuse_atomic_layout(env, path)?,
        };
        return add_increment(context, env, &dir, progress, stop)?.truncation.map_or(Ok(()), Err);
    }
    if !options.atomic {
        return full(context, env, path, None, progress, stop)?.truncation.map_or(Ok(()), Err);
    }
    let (temp, new) = (path.join("temp"), path.join("new"));
    retire(env, path)?;
    let mut made = MadeDirs::default();
    made.make(env, &temp).map_err(|error| {
        Error::new(JetErr::MakeBackupDirectoryFail, "the folder for the copy cannot be made")
            .at_path(&temp)
            .caused_by(error)
    })?;
    let copy = match full(context, env, &temp, Some(&new), progress, stop) {
        Ok(copy) => copy,
        Err(error) => {
            for left in made.remove(env) {
                tracing::warn!(error = %left, "a folder of the aborted backup is left behind");
            }
            return Err(error);
        }
    };
    remove_set(env, &path.join("old"))?;
    // Only now: the set is complete, and logs that only it still has may be gone.
    copy.truncation.map_or(Ok(()), Err)
}

fn check_folder(env: &Env, path: &Path, options: FolderOptions) -> Result<()> {
    let len = path.as_os_str().len();
    if len > FOLDER_PATH_MAX {
        let what = format!("a path of {len} bytes, at most {FOLDER_PATH_MAX} are possible");
        return Err(Error::new(JetErr::InvalidPath, what).at_path(path));
    }
    if options.create_dir || env.fs.exists(path)? {
        return Ok(());
    }
    Err(Error::new(JetErr::InvalidPath, "there is no such folder")
        .at_path(path)
        .advise("make it, or set JET_paramCreatePathIfNotExist"))
}

/// What the instance works with is no set, whatever the name of its folder: nothing there is a
/// backup's to remove, and a log that is put beside itself is no copy.
fn refuse_live_folder(context: &BackupContext, env: &Env, dir: &Path, code: JetErr) -> Result<()> {
    if !env.fs.exists(dir)? {
        return Ok(());
    }
    let dir = env.fs.canonicalize(dir)?;
    let folders = context.source().folders();
    if !folders.iter().any(|own| env.fs.canonicalize(own).is_ok_and(|own| own == dir)) {
        return Ok(());
    }
    let what = "expected a folder for backups, found one in which the instance keeps files";
    Err(Error::new(code, what).at_path(&dir).advise("choose another folder"))
}

/// A full copy into an empty folder, which then gets its name.
fn full(
    context: &Arc<BackupContext>,
    env: &Env,
    dir: &Path,
    name: Option<&Path>,
    progress: &mut dyn FnMut(&Progress),
    stop: &StopToken,
) -> Result<BackupReport> {
    let options = CopyOptions { truncate: true };
    let job = CopyJob { options, ..CopyJob::new(progress, stop) };
    copy_to_folder(context, env, dir, name, job)
}

/// The first step of the atomic layout: what was new is old. Gives the folder of the old set, if
/// there is one.
fn retire(env: &Env, path: &Path) -> Result<Option<PathBuf>> {
    let (new, old) = (path.join("new"), path.join("old"));
    if env.fs.exists(&new)? {
        refuse_link(env, &new)?;
        remove_set(env, &old)?;
        env.fs.rename(&new, &old)?;
        env.fs.sync_dir(path)?;
    }
    Ok(env.fs.exists(&old)?.then_some(old))
}

fn no_set(path: &Path) -> Error {
    Error::new(JetErr::NoBackupDirectory, "there is no set that an incremental backup goes on with")
        .at_path(path)
        .advise("make a full backup into this folder first")
}

/// The folder of a plain set.
fn refuse_atomic_layout(env: &Env, path: &Path) -> Result<PathBuf> {
    for sub in ["new", "old"] {
        if env.fs.exists(&path.join(sub))? {
            let what = format!("the folder holds \"{sub}\" of the atomic layout");
            return Err(Error::new(JetErr::BackupDirectoryNotEmpty, what)
                .at_path(path)
                .advise("make an atomic incremental backup, or choose another folder"));
        }
    }
    Ok(path.to_path_buf())
}

/// Removes a folder of files, if it is there.
fn remove_set(env: &Env, dir: &Path) -> Result<()> {
    if !env.fs.exists(dir)? {
        return Ok(());
    }
    let cannot = |error: Error| {
        Error::new(JetErr::DeleteBackupFileFail, "an old backup cannot be removed")
            .at_path(dir)
            .caused_by(error)
    };
    refuse_link(env, dir).map_err(cannot)?;
    for entry in env.fs.list(dir).map_err(cannot)? {
        env.fs.remove_file(&dir.join(&entry.name)).map_err(cannot)?;
    }
    env.fs.remove_dir(dir).map_err(cannot)
}

/// What a link leads to is not ours.
fn refuse_link(env: &Env, dir: &Path) -> Result<()> {
    if !is_link(&*env.fs, dir)? {
        return Ok(());
    }
    Err(Error::new(JetErr::FileAccessDenied, "expected a folder, found a link to one").at_path(dir))
}
