//! An instance's part in a snapshot of its volume (backup-log-recovery 4.12).
//!
//! The log goes over to a new generation, so that everything that was appended is on the disk; then
//! the write gate holds back whatever the instance writes. What lies on the disk now is what a
//! crash at this moment would leave: every image of it recovers to what was committed.
//! [`crate::snapshot`] leads several instances through it.

use std::time::Duration;

use ese_base::{Error, JetErr, Result};

use super::{
    context::{Backup, BackupContext, Cause, Ranges},
    logs::check_chain,
    table::{Api, State},
};
use crate::{
    source::{BackupKind, BackupPhase},
    truncate::{self, GenerationRange},
};

/// How an instance is to be frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freeze {
    /// Only the logs are copied.
    pub incremental: bool,
    /// When writes go on by themselves.
    pub timeout: Duration,
}

impl BackupContext {
    /// Holds back everything that the instance writes, for a snapshot of the volume. The value is
    /// the number of the snapshot, for the calls that follow.
    ///
    /// # Errors
    /// `JET_errOSSnapshotNotAllowed` (-2403) while a backup or another snapshot is in progress,
    /// without a log, or when no backup may begin; `JET_errMissingFullBackup` (-560),
    /// `JET_errInvalidBackup` (-526) and `JET_errMissingFileToBackup` (-569) for an incremental
    /// one; those of the log and of the
    /// checkpoint file. Writes go on then.
    pub fn freeze(&self, how: Freeze) -> Result<u64> {
        let mut backup = self.machine.lock();
        self.end_if_timed_out(&mut backup);
        let log = self.source.log_state();
        if !self.machine.is_allowed() || log.disabled || log.recovering {
            let what = "the instance is starting or ending, or has no log";
            return Err(Error::new(JetErr::OSSnapshotNotAllowed, what));
        }
        let next = self.decide(Api::Freeze, &mut backup)?;
        backup.clear(!how.incremental, BackupKind::OsSnapshot);
        self.machine.begin(&mut backup, next);
        self.source.wait_for_attachments();
        let frozen = self.start_snapshot(&mut backup, log.circular);
        let frozen = frozen.and_then(|()| self.source.write_gate().freeze(how.timeout));
        if let Err(error) = frozen {
            self.machine.finish(&mut backup);
            return Err(error);
        }
        tracing::info!(incremental = how.incremental, "writes are held back for a snapshot");
        Ok(backup.serial)
    }

    /// Everything of a freeze but the freeze.
    fn start_snapshot(&self, backup: &mut Backup, circular: bool) -> Result<()> {
        backup.parts = self.parts();
        if !backup.full {
            backup.check_full_before()?;
            if circular {
                let what = "circular logging keeps no logs for an incremental snapshot";
                return Err(Error::new(JetErr::InvalidBackup, what));
            }
        }
        self.mark(backup);
        self.log_step(backup, BackupPhase::PrepareLogs);
        let end = self.source.roll()?;
        let checkpoint = self.source.checkpoint_on_disk()?.generation;
        let logs = self.source.archived_logs()?;
        let lowest = logs.first().map_or(end, |log| log.generation);
        if !backup.full {
            for part in &backup.parts {
                check_chain(&part.database, lowest)?;
            }
        }
        backup.copy_low = if backup.full { checkpoint } else { lowest };
        let needs: Vec<_> = backup.parts.iter().map(|part| backup.needs(&part.database)).collect();
        let delete = truncate::deletable_by_incremental(lowest, end, checkpoint, &needs);
        let copy = GenerationRange::new(backup.copy_low, end);
        backup.ranges = Some(Ranges { copy, delete, logs });
        Ok(())
    }

    /// Lets writes pass again. False: the freeze had come to its deadline, and the snapshot is
    /// over.
    pub fn thaw(&self, serial: u64) -> bool {
        let mut backup = self.machine.lock();
        if !is_snapshot(&backup, serial) {
            return false;
        }
        let held = self.source.write_gate().thaw();
        self.end_if_timed_out(&mut backup);
        self.machine.tell();
        held
    }

    /// Is the snapshot over because its freeze came to the deadline, or the instance has ended?
    #[must_use]
    pub fn has_lost(&self, serial: u64) -> bool {
        let mut backup = self.machine.lock();
        self.end_if_timed_out(&mut backup);
        !is_snapshot(&backup, serial)
    }

    /// Deletes the logs that the snapshot makes superfluous: those before the checkpoint as it was
    /// at the freeze. With circular logging nothing is to be deleted.
    ///
    /// # Errors
    /// `JET_errOSSnapshotInvalidSequence` (-2401) when the snapshot is over; the file system's.
    pub fn truncate_for_snapshot(&self, serial: u64) -> Result<()> {
        let mut backup = self.machine.lock();
        if !is_snapshot(&backup, serial) {
            let what = "the snapshot of this instance is over";
            return Err(Error::new(JetErr::OSSnapshotInvalidSequence, what));
        }
        if self.source.log_state().circular {
            return Ok(());
        }
        let range = backup.ranges.as_ref().map(|ranges| ranges.delete).unwrap_or_default();
        backup.truncated = true;
        self.log_step(&backup, BackupPhase::Truncate);
        let deleted = self.source.delete_logs(range)?;
        tracing::info!(?range, deleted = deleted.len(), "logs truncated after a snapshot");
        Ok(())
    }

    /// Ends the snapshot; writes pass again if they did not. With `record` the headers of all
    /// databases remember it: as a full backup, or incremental one, or with `copy` as one that the
    /// chain of backups leaves out.
    ///
    /// # Errors
    /// Those of writing a header; it has ended all the same.
    pub fn end_snapshot(&self, serial: u64, record: bool, copy: bool) -> Result<()> {
        self.thaw(serial);
        let mut backup = self.machine.lock();
        if !is_snapshot(&backup, serial) {
            return Ok(());
        }
        let recorded = if record { self.record(&backup, !copy).map(|_| ()) } else { Ok(()) };
        self.clean_up(&mut backup, (!record).then_some(Cause::ByCaller));
        recorded
    }
}

fn is_snapshot(backup: &Backup, serial: u64) -> bool {
    backup.state == State::Snapshot && backup.serial == serial
}
