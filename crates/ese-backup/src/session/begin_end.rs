//! The calls that begin and end a backup (backup-log-recovery 4.3, 4.10).

use std::sync::atomic::Ordering;

use ese_base::{Error, Generation, JetErr, Result};

use super::{
    context::{Backup, BackupContext, Cause, Part, Who},
    marks,
    table::{Api, State},
};
use crate::{
    source::{BackupKind, BackupPhase, BackupRecord},
    truncate::CopiedLogs,
};

/// `JET_bitBackupIncremental`.
pub const BEGIN_INCREMENTAL: u32 = 0x1;
/// `JET_bitBackupSurrogate`.
const BEGIN_SURROGATE: u32 = 0x20;
/// `JET_bitBackupInternalCopy`.
const BEGIN_INTERNAL_COPY: u32 = 0x40;
/// `JET_bitBackupEndNormal`.
pub const END_NORMAL: u32 = 0x1;
/// `JET_bitBackupEndAbort`.
pub const END_ABORT: u32 = 0x2;
/// `JET_bitBackupTruncateDone`: the logs were truncated by other means.
pub const END_TRUNCATE_DONE: u32 = 0x100;
/// `JET_bitBackupNoDbHeaderUpdate`.
pub const END_NO_HEADER_UPDATE: u32 = 0x200;

impl BackupContext {
    /// `JetBeginExternalBackupInstance` (4.3).
    ///
    /// # Errors
    /// In the order of the checks: `JET_errBackupNotAllowedYet` (-523), `JET_errLoggingDisabled`
    /// (-516), `JET_errLogWriteFail` (-510), `JET_errInvalidParameter` (-1003) during recovery,
    /// `JET_errInvalidGrbit` (-900), `JET_errInvalidBackup` (-526) for an incremental backup of a
    /// circular log, `JET_errLogDiskFull` (-529), `JET_errLogSequenceEnd` (-519),
    /// `JET_errBackupInProgress` (-505), `JET_errSurrogateBackupInProgress` (-617); then those of
    /// the checkpoint file (-542, -533) or `JET_errMissingFullBackup` (-560).
    pub fn begin(&self, grbit: u32) -> Result<()> {
        self.begin_owned(grbit).map(|_| ())
    }

    /// Begins a backup and gives its number, for calls that must not stray into another one.
    pub(crate) fn begin_owned(&self, grbit: u32) -> Result<u64> {
        let mut backup = self.backup.lock();
        self.check_begin(grbit)?;
        let full = grbit & BEGIN_INCREMENTAL == 0;
        let api = if full { Api::BeginFull } else { Api::BeginIncremental };
        let next = self.decide(api, &mut backup)?;
        self.stop.clear();
        backup.serial += 1;
        backup.full = full;
        backup.ranges = None;
        backup.parts.clear();
        backup.copied = CopiedLogs::default();
        backup.truncated = false;
        // Shown as in progress before the wait: whoever attaches looks there under its own lock,
        // so it is either waited for or refused.
        self.set_state(&mut backup, next);
        self.source.wait_for_attachments();
        if let Err(error) = self.start(&mut backup) {
            self.source.pin_logs(None);
            self.set_state(&mut backup, State::None);
            self.stop.clear();
            return Err(error);
        }
        self.log_step(&backup, BackupPhase::Begin);
        tracing::info!(full, mark = %backup.mark, copy_low = backup.copy_low.0, "backup begins");
        Ok(backup.serial)
    }

    pub(super) fn check_begin(&self, grbit: u32) -> Result<()> {
        let refuse = |code, what: &'static str| Err(Error::new(code, what));
        if !self.allowed.load(Ordering::SeqCst) {
            let what = "the instance is not initialised yet or terminates";
            return refuse(JetErr::BackupNotAllowedYet, what);
        }
        let log = self.source.log_state();
        if log.disabled {
            return refuse(JetErr::LoggingDisabled, "recovery is off: there is no log to copy");
        }
        if log.down {
            return refuse(JetErr::LogWriteFail, "an earlier write of the log failed");
        }
        if log.recovering {
            return refuse(JetErr::InvalidParameter, "the instance is recovering");
        }
        let known = BEGIN_INCREMENTAL | BEGIN_SURROGATE | BEGIN_INTERNAL_COPY;
        let copy = grbit & BEGIN_INTERNAL_COPY != 0;
        if grbit & !known != 0 || (copy && grbit != BEGIN_INTERNAL_COPY) {
            let what = format!("flags {grbit:#x} are unknown or contradict each other");
            return Err(Error::new(JetErr::InvalidGrbit, what));
        }
        if log.circular && grbit & (BEGIN_INCREMENTAL | BEGIN_SURROGATE) != 0 {
            let what = "circular logging keeps no logs for an incremental backup";
            return refuse(JetErr::InvalidBackup, what);
        }
        if grbit & (BEGIN_SURROGATE | BEGIN_INTERNAL_COPY) != 0 {
            let what = "surrogate backups and internal copies are not offered yet";
            return refuse(JetErr::FeatureNotAvailable, what);
        }
        if log.disk_full {
            return refuse(JetErr::LogDiskFull, "the log's disk is full");
        }
        if log.sequence_end {
            return refuse(JetErr::LogSequenceEnd, "the last log generation is in use");
        }
        Ok(())
    }

    /// The part of a begin that can fail after the state was taken.
    fn start(&self, backup: &mut Backup) -> Result<()> {
        // Everything is pinned until it is known what is needed: between the reading of the
        // checkpoint and the pin nothing may be removed.
        self.source.pin_logs(Some(Generation(0)));
        backup.mark = self.source.tip();
        backup.mark_time = self.source.env().clock.log_time();
        backup.copy_low = Generation(0);
        if backup.full {
            backup.copy_low = self.source.checkpoint_on_disk()?.generation;
            self.source.pin_logs(Some(backup.copy_low));
        } else {
            backup.parts = self.parts();
            for part in &backup.parts {
                let header = part.database.file.header();
                if header.bkinfo_full_prev.gen_low.get() == 0 {
                    return Err(Error::new(
                        JetErr::MissingFullBackup,
                        "an incremental backup needs an earlier full one of every database",
                    )
                    .at_path(&part.database.path)
                    .advise(
                        "make a full backup first that truncates the logs (--truncate); one that \
                         leaves them counts as a copy",
                    ));
                }
            }
        }
        Ok(())
    }

    fn parts(&self) -> Vec<Part> {
        let databases = self.source.databases().into_iter();
        databases.map(|database| Part { database, copied: false }).collect()
    }

    /// `JetEndExternalBackupInstance2` (4.10). A backup that was stopped, aborted, or never asked
    /// for its logs ends without any record; so does one whose databases were not read wholly.
    ///
    /// # Errors
    /// `JET_errInvalidParameter` (-1003) unless exactly one of [`END_NORMAL`] and [`END_ABORT`] is
    /// given; `JET_errNoBackup` (-520); and a failure of writing a database's header, after which
    /// the backup is ended all the same.
    pub fn end(&self, grbit: u32) -> Result<()> {
        self.end_as(Who::Anyone, grbit).map(|_| ())
    }

    /// As [`BackupContext::end`]; says how many databases' headers remember the backup.
    pub(crate) fn end_as(&self, who: Who, grbit: u32) -> Result<u32> {
        let known = END_NORMAL | END_ABORT | END_TRUNCATE_DONE | END_NO_HEADER_UPDATE;
        let api = match grbit & (END_NORMAL | END_ABORT) {
            END_NORMAL if grbit & !known == 0 => Api::EndNormal,
            END_ABORT if grbit & !known == 0 => Api::EndAbort,
            _ => {
                return Err(Error::new(
                    JetErr::InvalidParameter,
                    format!(
                        "end of a backup: flags {grbit:#x}, expected exactly one of normal (1) \
                         and abort (2)"
                    ),
                ));
            }
        };
        let (mut backup, _) = self.enter(api, who)?;
        if let Some((_, file)) = backup.open.take() {
            backup.count_copied(&file);
        }
        let aborted = if self.stop.is_stopped() {
            Some(Cause::ByServer)
        } else if api == Api::EndAbort || backup.ranges.is_none() {
            Some(Cause::ByCaller)
        } else {
            None
        };
        let mut recorded = Ok(0);
        if aborted.is_none() && grbit & END_NO_HEADER_UPDATE == 0 {
            recorded = self.record(&backup, grbit & END_TRUNCATE_DONE != 0);
        }
        self.clean_up(&mut backup, aborted);
        recorded
    }

    /// Writes the backup into the headers of its databases, each after its log record. The first
    /// failure ends it: the instance takes no more changes then.
    fn record(&self, backup: &Backup, truncate_done: bool) -> Result<u32> {
        let truncated = backup.truncated || truncate_done;
        let scope = marks::scope(backup.full, truncated);
        let info = backup.info();
        let mut recorded = 0;
        for part in backup.parts.iter().filter(|part| part.copied || !backup.full) {
            let database = &part.database;
            self.source.append(&BackupRecord {
                phase: BackupPhase::Update,
                kind: BackupKind::Normal,
                scope,
                dbid: database.dbid,
                info,
                path: database.path.to_string_lossy().into_owned(),
            })?;
            self.source.update_header(database, &mut |header| {
                marks::stamp(header, scope, BackupKind::Normal, info);
            })?;
            recorded += 1;
        }
        tracing::info!(?scope, recorded, "the backup ended");
        Ok(recorded)
    }
}
