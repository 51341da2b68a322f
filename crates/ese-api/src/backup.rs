//! Backups of a running instance, and stopping them.

use std::{
    ops::RangeInclusive,
    path::Path,
    sync::{Arc, Weak},
};

use ese_backup::{
    builtin::backup_to_folder,
    session::{BEGIN_INCREMENTAL, END_ABORT, END_NORMAL, END_TRUNCATE_DONE},
    sets::Shelf,
    stream,
};
use ese_base::{Error, Generation, JetErr, Result, StopToken};

pub use ese_backup::{
    LogInfo,
    builtin::FolderOptions,
    snapshot::{Snapshot, SnapshotOptions, Stage as SnapshotStage},
    stream::{
        BackupReport, BackupStream as Backup, BaseEntry as BackupBase, CopyJob as BackupJob,
        CopyOptions, Destination as BackupDestination, FileReader as BackupFile, Manifest,
        Phase as BackupPhase, Progress as BackupProgress, Resume as BackupResume, Throttle,
        jet_error,
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

/// What a surrogate backup did with the logs that it made superfluous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SurrogateLogs {
    /// They are gone: incremental backups can build on it.
    Truncated,
    /// They are there: it counts as a copy.
    Kept,
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

    /// As [`Instance::backup_to_dir`]; `progress` is called between pieces of at most 1 MiB, and
    /// `stop` ends the backup like a [`BackupStopper`].
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

    /// Backs up into a directory, an archive or a stream; fully or building on an earlier set; with
    /// a limit that can be changed while it runs.
    ///
    /// ```no_run
    /// use ese_api::{BackupDestination, BackupJob, CopyOptions, Instance, StopToken, Throttle};
    /// # fn main() -> ese_api::Result<()> {
    /// # let instance = Instance::builder("/tmp/example").start()?;
    /// let (throttle, stop) = (Throttle::new(Some(50_000_000)), StopToken::new());
    /// let mut progress = |so_far: &ese_api::BackupProgress| println!("{}", so_far.bytes_done);
    /// let job = BackupJob {
    ///     // Another thread may call `throttle.set`.
    ///     throttle: throttle.clone(),
    ///     base: Some(instance.backup_base("/backups")?),
    ///     options: CopyOptions { truncate: true },
    ///     ..BackupJob::new(&mut progress, &stop)
    /// };
    /// instance.back_up(BackupDestination::Archive("/backups/tuesday.esebak".as_ref()), job)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Instance::backup_to_dir`]; `JET_errFileAlreadyExists` (-1814) for an archive that
    /// exists, `JET_errInvalidParameter` (-1003) for a stream with truncation; of an incremental
    /// backup also those of [`Instance::begin_incremental_backup`], `JET_errMissingFileToBackup`
    /// (-569) if logs between it and its base are gone, and
    /// `JET_errGivenLogFileHasBadSignature` (-555) for a base of another instance; with
    /// [`BackupJob::resume`](ese_backup::stream::CopyJob::resume) those of [`stream::copy_set`].
    pub fn back_up(&self, to: BackupDestination<'_>, job: BackupJob<'_>) -> Result<BackupReport> {
        stream::copy_set(&self.shared.backup, &self.shared.engine.env, to, job)
    }

    /// The newest set in a directory of sets from which this instance's log has gone on: what an
    /// incremental backup into the same directory builds on. Sets from before a restore of an older
    /// one are of another history.
    ///
    /// # Errors
    /// `JET_errMissingFullBackup` (-560) if there is none; the file system's.
    pub fn backup_base(&self, dir: impl AsRef<Path>) -> Result<BackupBase> {
        let dir = dir.as_ref();
        let shelf = Shelf::look(&self.shared.engine.env, dir)?;
        let newest = shelf.newest_base(&**self.shared.backup.source())?;
        newest.map(|set| set.as_base()).ok_or_else(|| {
            Error::new(JetErr::MissingFullBackup, "there is no complete set of this instance here")
                .at_path(dir)
                .advise("make a full backup first, beside which the incremental ones are put")
        })
    }

    /// The built-in backup of the Jet API: a full one, or an incremental one that goes into the
    /// directory of the set that it goes on with, in the plain or in the atomic layout. The logs
    /// are truncated.
    ///
    /// ```no_run
    /// # fn main() -> ese_api::Result<()> {
    /// # let instance = ese_api::Instance::builder("/tmp/example").start()?;
    /// use ese_api::{FolderOptions, StopToken};
    /// let options = FolderOptions { atomic: true, create_dir: true, incremental: false };
    /// instance.backup_to_folder("/backups", options, &mut |_| (), &StopToken::new())?;
    /// // Restorable at every moment, also while the next one replaces it:
    /// ese_api::restore("/backups", "/restored")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`ese_backup::builtin::backup_to_folder`].
    pub fn backup_to_folder(
        &self,
        dir: impl AsRef<Path>,
        options: FolderOptions,
        progress: &mut dyn FnMut(&BackupProgress),
        stop: &StopToken,
    ) -> Result<()> {
        let env = &self.shared.engine.env;
        backup_to_folder(&self.shared.backup, env, dir.as_ref(), options, progress, stop)
    }

    /// Begins a backup whose files another program copies: all databases, and the logs of these
    /// generations. The instance only remembers it, at [`Instance::end_surrogate_backup`].
    ///
    /// # Errors
    /// `JET_errInvalidParameter` (-1003) for generations that are not there yet;
    /// `JET_errSurrogateBackupInProgress` (-617); as [`Instance::begin_backup`] and
    /// [`Instance::begin_incremental_backup`].
    pub fn begin_surrogate_backup(
        &self,
        logs: RangeInclusive<Generation>,
        incremental: bool,
    ) -> Result<()> {
        let grbit = if incremental { BEGIN_INCREMENTAL } else { 0 };
        self.shared.backup.begin_surrogate(*logs.start(), *logs.end(), grbit)
    }

    /// Ends it: with what became of it, or `None` when it came to nothing.
    ///
    /// # Errors
    /// `JET_errNoBackup` (-520), and those of writing the headers of the databases.
    pub fn end_surrogate_backup(&self, done: Option<SurrogateLogs>) -> Result<()> {
        self.shared.backup.end_surrogate(match done {
            Some(SurrogateLogs::Truncated) => END_NORMAL | END_TRUNCATE_DONE,
            Some(SurrogateLogs::Kept) => END_NORMAL,
            None => END_ABORT,
        })
    }

    /// Prepares a snapshot of this instance: between [`Snapshot::freeze`] and [`Snapshot::thaw`]
    /// nothing that it writes reaches the disk while reading goes on, so that the storage can copy
    /// its files as they are at one moment. Recovery makes such a copy whole, with everything that
    /// was committed.
    ///
    /// # Errors
    /// `JET_errOSSnapshotNotAllowed` (-2403) while a backup or another snapshot is in progress.
    pub fn prepare_snapshot(&self, options: SnapshotOptions) -> Result<Snapshot> {
        let mut snapshot = Snapshot::prepare(options);
        snapshot.add(0, &self.shared.backup)?;
        Ok(snapshot)
    }

    /// Is a backup, a surrogate one or a snapshot of this instance in progress? Waits for nothing.
    #[must_use]
    pub fn is_backing_up(&self) -> bool {
        self.shared.backup.refuse_if_in_progress().is_err()
    }

    /// Something that stops this instance's backups; to be given to another thread.
    #[must_use]
    pub fn backup_stopper(&self) -> BackupStopper {
        BackupStopper(Arc::downgrade(&self.shared))
    }
}
