//! The built-in backup into a folder (backup-log-recovery 6.1): full ones, directly or atomically.
//!
//! The set is the one that [`crate::restore`] restores, with its manifest.

use std::path::Path;

use ese_backup::stream::{BackupReport, CopyOptions, backup_to_dir};
use ese_base::{Error, JetErr, Result, StopToken};
use ese_os::Env;

use super::{
    JET_GRBIT, JET_bitBackupIncremental,
    gate::{Purpose, enter, find_instance, find_single},
    handles::JET_INSTANCE,
    invalid_grbit,
    params::JET_paramCreatePathIfNotExist,
    process::Inst,
    unavailable,
};
use crate::shared::Shared;

/// The last complete set is there at every moment: it becomes `old` when the new one in `temp`
/// becomes `new`.
pub const JET_bitBackupAtomic: JET_GRBIT = 0x4;

/// How far a backup has come: bytes so far, and all bytes as far as they are known.
pub type JET_PFNSTATUS<'a> = &'a mut dyn FnMut(u64, u64);

/// Makes a full backup of the instance in a folder and truncates its logs. Without
/// [`JET_bitBackupAtomic`] the folder must be empty.
///
/// # Errors
/// `JET_errInvalidParameter` (-1003) for anything that is not an instance, the gate's,
/// `JET_errInvalidGrbit` (-900), `JET_errBackupInProgress` (-505), `JET_errInvalidPath` (-1023),
/// `JET_errBackupDirectoryNotEmpty` (-504), `JET_errBackupAbortByServer` (-801) after a stop, those
/// of beginning, reading and writing; `JET_errFeatureNotAvailable` (-1001) for incremental backups.
/// The files of the call are gone then, and an earlier set is as it was. Only an error of
/// truncating leaves the new set, complete and in its place.
pub fn JetBackupInstance(
    instance: JET_INSTANCE,
    szBackupPath: &Path,
    grbit: JET_GRBIT,
    pfnStatus: Option<JET_PFNSTATUS<'_>>,
) -> Result<()> {
    back_up(&*find_instance(instance)?, szBackupPath, grbit, pfnStatus)
}

/// As [`JetBackupInstance`] for the only instance.
///
/// # Errors
/// As there; `JET_errRunningInMultiInstanceMode` (-1081).
pub fn JetBackup(
    szBackupPath: &Path,
    grbit: JET_GRBIT,
    pfnStatus: Option<JET_PFNSTATUS<'_>>,
) -> Result<()> {
    back_up(&*find_single()?, szBackupPath, grbit, pfnStatus)
}

fn back_up(
    inst: &Inst,
    path: &Path,
    grbit: JET_GRBIT,
    status: Option<JET_PFNSTATUS<'_>>,
) -> Result<()> {
    let shared = enter(inst, Purpose::Work)?;
    if grbit & !(JET_bitBackupIncremental | JET_bitBackupAtomic) != 0 {
        return Err(invalid_grbit("JetBackupInstance", grbit));
    }
    // Before anything is looked at in the folder; the copy itself asks again.
    shared.backup.refuse_if_in_progress()?;
    if grbit & JET_bitBackupIncremental != 0 {
        return Err(unavailable("JetBackupInstance for an incremental backup"));
    }
    if path.as_os_str().is_empty() {
        return Err(unavailable("JetBackupInstance without a folder"));
    }
    let env = &shared.engine.env;
    let create = inst.params.lock().int(JET_paramCreatePathIfNotExist) != 0;
    if !create && !env.fs.exists(path)? {
        return Err(Error::new(JetErr::InvalidPath, "there is no such folder")
            .at_path(path)
            .advise("make it, or set JET_paramCreatePathIfNotExist"));
    }
    // The copy makes the folder, and removes it if nothing comes of it.
    remove_set(env, &path.join("temp"))?;
    if grbit & JET_bitBackupAtomic == 0 {
        return copy(&shared, path, status)?.truncation.map_or(Ok(()), Err);
    }
    let (temp, new, old) = (path.join("temp"), path.join("new"), path.join("old"));
    if env.fs.exists(&new)? {
        remove_set(env, &old)?;
        env.fs.rename(&new, &old)?;
        env.fs.sync_dir(path)?;
    }
    let made = copy(&shared, &temp, status)?;
    env.fs.rename(&temp, &new)?;
    env.fs.sync_dir(path)?;
    remove_set(env, &old)?;
    // Only now: the set is complete, and logs that only it still has may be gone.
    made.truncation.map_or(Ok(()), Err)
}

fn copy(shared: &Shared, dir: &Path, status: Option<JET_PFNSTATUS<'_>>) -> Result<BackupReport> {
    let mut nobody = |_, _| ();
    let status = status.unwrap_or(&mut nobody);
    let mut progress = |now: &ese_backup::stream::Progress| {
        status(now.bytes_done, now.bytes_total);
    };
    let options = CopyOptions { truncate: true };
    let env = &shared.engine.env;
    backup_to_dir(&shared.backup, env, dir, options, &mut progress, &StopToken::new())
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
    for entry in env.fs.list(dir)? {
        env.fs.remove_file(&dir.join(&entry.name)).map_err(cannot)?;
    }
    env.fs.remove_dir(dir).map_err(cannot)
}
