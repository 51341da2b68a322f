//! Backups of a running instance, and stopping them.

use std::{
    path::Path,
    sync::{Arc, Weak},
};

use ese_backup::stream;
use ese_base::{Result, StopToken};

pub use ese_backup::{
    LogInfo,
    stream::{
        BackupReport, BackupStream as Backup, CopyOptions, FileReader as BackupFile, Manifest,
        Phase as BackupPhase, Progress as BackupProgress, jet_error,
    },
};

use crate::{instance::Instance, shared::Shared};

/// Stops the backup of an instance, from any thread, at any moment, without waiting for anything.
///
/// ```no_run
/// # fn main() -> ese_api::Result<()> {
/// # let instance = ese_api::Instance::builder("/tmp/example").start()?;
/// let stopper = instance.backup_stopper();
/// // Here from the backup's own progress call; another thread may do it as well.
/// let mut enough = |_: &ese_api::BackupProgress| drop(stopper.stop());
/// let (options, never) = (ese_api::CopyOptions::default(), ese_api::StopToken::new());
/// let ended = instance.backup_to_dir_with("/backups/today", options, &mut enough, &never);
/// assert!(ended.is_err_and(|error| error.jet_code() == -801));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BackupStopper(Weak<Shared>);

impl BackupStopper {
    /// Every call that makes the backup progress fails from now on with
    /// `JET_errBackupAbortByServer` (-801), until the backup has ended. Without a backup it has no
    /// effect. False: the instance has ended.
    pub fn stop(&self) -> bool {
        // Handles that a caller still holds keep what has ended in memory.
        let running = self.0.upgrade().filter(|shared| !shared.has_ended());
        running.map(|shared| shared.backup.stop()).is_some()
    }
}

impl Instance {
    /// Begins a full backup: its files are read as streams while others go on writing. Dropped
    /// without [`Backup::finish`] it is aborted.
    ///
    /// # Errors
    /// `JET_errBackupInProgress` (-505), `JET_errLoggingDisabled` (-516), `JET_errLogWriteFail`
    /// (-510), `JET_errLogDiskFull` (-529).
    pub fn begin_backup(&self) -> Result<Backup> {
        Backup::begin(&self.shared.backup, false)
    }

    /// Begins an incremental backup: only the logs since the last full or incremental one.
    ///
    /// # Errors
    /// `JET_errMissingFullBackup` (-560), `JET_errInvalidBackup` (-526) with circular logging; as
    /// [`Instance::begin_backup`].
    pub fn begin_incremental_backup(&self) -> Result<Backup> {
        Backup::begin(&self.shared.backup, true)
    }

    /// Backs up into an empty or new directory. The logs of the instance stay, and the headers
    /// therefore remember a copy, not a full backup that an incremental one could build on: that is
    /// [`Instance::backup_to_dir_with`] and [`CopyOptions::truncate`].
    ///
    /// # Errors
    /// `JET_errBackupDirectoryNotEmpty` (-504), `JET_errBackupAbortByServer` (-801) if it was
    /// stopped; those of [`Instance::begin_backup`], of reading and of writing. Nothing of the set
    /// is left then.
    pub fn backup_to_dir(&self, dir: impl AsRef<Path>) -> Result<BackupReport> {
        self.backup_to_dir_with(dir, CopyOptions::default(), &mut |_| (), &StopToken::new())
    }

    /// As [`Instance::backup_to_dir`]; `progress` is called between pieces of 1 MiB, and `stop`
    /// ends the backup like a [`BackupStopper`].
    ///
    /// # Errors
    /// As [`Instance::backup_to_dir`].
    pub fn backup_to_dir_with(
        &self,
        dir: impl AsRef<Path>,
        options: CopyOptions,
        progress: &mut dyn FnMut(&BackupProgress),
        stop: &StopToken,
    ) -> Result<BackupReport> {
        let env = &self.shared.engine.env;
        stream::backup_to_dir(&self.shared.backup, env, dir.as_ref(), options, progress, stop)
    }

    /// Something that stops this instance's backups; to be given to another thread.
    #[must_use]
    pub fn backup_stopper(&self) -> BackupStopper {
        BackupStopper(Arc::downgrade(&self.shared))
    }
}
