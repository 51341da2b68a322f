//! The calls that begin and end a backup (backup-log-recovery 4.3, 4.10).

use ese_base::{Error, Generation, JetErr, Result};
use ese_pages::header::{BackupScope, kind_of_header, remember_backup};

use super::{
    context::{Backup, BackupContext, Cause, Part, Ranges, ResumePoint},
    machine::Who,
    table::{Api, State},
};
use crate::{
    source::{BackupKind, BackupPhase, BackupRecord},
    truncate::{CopiedLogs, GenerationRange},
};

/// `JET_bitBackupIncremental`.
pub const BEGIN_INCREMENTAL: u32 = 0x1;
/// `JET_bitBackupSurrogate`: another program copies the files.
pub const BEGIN_SURROGATE: u32 = 0x20;
/// `JET_bitBackupInternalCopy`: a full backup that the application makes for itself.
pub const BEGIN_INTERNAL_COPY: u32 = 0x40;
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
        self.begin_with(grbit, None, None)
    }

    /// Goes on with a full backup that was stopped: its mark and its first log stay those of its
    /// begin, so the log still holds every change since then.
    pub(crate) fn begin_again(&self, point: ResumePoint) -> Result<u64> {
        self.begin_with(0, None, Some(point))
    }

    /// `logs`: the generations that a surrogate says it copies. `again`: what goes on.
    pub(super) fn begin_with(
        &self,
        grbit: u32,
        logs: Option<GenerationRange>,
        again: Option<ResumePoint>,
    ) -> Result<u64> {
        let checked = self.check_begin(grbit);
        if checked.is_err() {
            self.machine.forget_stop(&self.machine.lock());
        }
        checked?;
        let mut backup = self.lock_when_thawed();
        // Asked again: a termination forbids first and takes the mutex then.
        self.check_allowed()?;
        let surrogate = grbit & BEGIN_SURROGATE != 0;
        let full = grbit & BEGIN_INCREMENTAL == 0;
        let api = match (surrogate, full) {
            (true, _) => Api::BeginSurrogate,
            (false, true) => Api::BeginFull,
            (false, false) => Api::BeginIncremental,
        };
        let next = self.decide(api, &mut backup)?;
        backup.clear(full, if surrogate { BackupKind::Surrogate } else { BackupKind::Normal });
        // Shown as in progress before the wait: whoever attaches looks there under its own lock,
        // so it is either waited for or refused.
        self.machine.begin(&mut backup, next);
        self.source.wait_for_attachments();
        let mut started = match again {
            None => self.start(&mut backup),
            Some(point) => self.start_again(&mut backup, point),
        };
        if started.is_ok() && surrogate {
            started = self.start_surrogate(&mut backup, logs);
        }
        if let Err(error) = started {
            self.source.pin_logs(None);
            self.machine.finish(&mut backup);
            return Err(error);
        }
        self.log_step(&backup, BackupPhase::Begin);
        let kind = backup.kind;
        tracing::info!(full, ?kind, mark = %backup.mark, low = backup.copy_low.0, "backup begins");
        Ok(backup.serial)
    }

    pub(super) fn check_allowed(&self) -> Result<()> {
        if self.machine.is_allowed() {
            return Ok(());
        }
        let what = "the instance is not initialised yet or terminates";
        Err(Error::new(JetErr::BackupNotAllowedYet, what))
    }

    pub(super) fn check_begin(&self, grbit: u32) -> Result<()> {
        let refuse = |code, what: &'static str| Err(Error::new(code, what));
        self.check_allowed()?;
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
        if grbit & !known != 0 {
            let what = format!("of the flags {grbit:#x} some are unknown");
            return Err(Error::new(JetErr::InvalidGrbit, what));
        }
        if log.circular && grbit & (BEGIN_INCREMENTAL | BEGIN_SURROGATE) != 0 {
            let what = "circular logging keeps no logs for an incremental backup";
            return refuse(JetErr::InvalidBackup, what);
        }
        if grbit & BEGIN_INTERNAL_COPY != 0 && grbit != BEGIN_INTERNAL_COPY {
            let what = format!("flags {grbit:#x} contradict each other");
            return Err(Error::new(JetErr::InvalidGrbit, what));
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
        self.mark(backup);
        if backup.full {
            backup.copy_low = self.source.checkpoint_on_disk()?.generation;
            self.source.pin_logs(Some(backup.copy_low));
        } else {
            backup.parts = self.parts();
            backup.check_full_before()?;
        }
        Ok(())
    }

    /// As [`BackupContext::start`], where the first log is known: it and all behind it must still
    /// be there.
    fn start_again(&self, backup: &mut Backup, point: ResumePoint) -> Result<()> {
        self.source.pin_logs(Some(point.copy_low));
        (backup.mark, backup.mark_time, backup.copy_low) =
            (point.mark, point.mark_time, point.copy_low);
        // Behind the newest finished one nothing can be missing: the log may be ahead of its files.
        let (there, current) = (self.source.archived_logs()?, self.source.current_generation());
        let newest = there.last().map_or(Generation(0), |log| log.generation);
        let needed = GenerationRange::new(point.copy_low, newest.next());
        let is_there = |generation: &Generation| {
            there.binary_search_by_key(generation, |log| log.generation).is_ok()
        };
        match needed.iter().find(|generation| !is_there(generation)) {
            None if point.copy_low <= current => Ok(()),
            None => Err(Error::new(
                JetErr::MissingFileToBackup,
                format!(
                    "the stopped backup began with generation {:#x}, the log is at {:#x}",
                    point.copy_low.0, current.0
                ),
            )
            .advise("this is an older copy of the instance: begin the backup anew")),
            Some(missing) => Err(Error::new(
                JetErr::MissingFileToBackup,
                "a log that was written since the backup was stopped is gone",
            )
            .at_generation(missing)
            .advise(
                "begin the backup anew; a backup that truncates the logs must not come between",
            )),
        }
    }

    /// A surrogate copies all databases and the logs that it named. It deletes no log, so none is
    /// kept for it.
    fn start_surrogate(&self, backup: &mut Backup, logs: Option<GenerationRange>) -> Result<()> {
        backup.parts = self.parts();
        let delete = GenerationRange::default();
        backup.ranges = logs.map(|copy| Ranges { copy, delete, logs: Vec::new() });
        self.source.pin_logs(None);
        Ok(())
    }

    /// Remembers where the log is as the backup begins.
    pub(super) fn mark(&self, backup: &mut Backup) {
        backup.mark = self.source.tip();
        backup.mark_time = self.source.env().clock.log_time();
    }

    pub(super) fn parts(&self) -> Vec<Part> {
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
        let api = end_of(grbit)?;
        let (mut backup, _) = self.enter(api, who)?;
        let surrogate = backup.state == State::Surrogate;
        let mismatch = surrogate.then_some(Cause::Error(JetErr::SurrogateBackupInProgress));
        self.finish(&mut backup, grbit, mismatch)
    }

    /// Records the backup, unless something speaks against it, and ends it.
    pub(super) fn finish(
        &self,
        backup: &mut Backup,
        grbit: u32,
        mismatch: Option<Cause>,
    ) -> Result<u32> {
        if let Some((_, _, file)) = backup.open.take() {
            backup.count_copied(&file);
        }
        let aborted = if self.is_stopped() {
            Some(Cause::ByServer)
        } else if mismatch.is_some() {
            mismatch
        } else if grbit & END_ABORT != 0 || backup.ranges.is_none() {
            Some(Cause::ByCaller)
        } else {
            None
        };
        let mut recorded = Ok(0);
        if aborted.is_none() && grbit & END_NO_HEADER_UPDATE == 0 {
            let truncated = backup.truncated || grbit & END_TRUNCATE_DONE != 0;
            recorded = self.record(backup, truncated);
        }
        self.clean_up(backup, aborted);
        recorded
    }

    /// Writes the backup into the headers of its databases, each after its log record. The first
    /// failure ends it: the instance takes no more changes then.
    pub(super) fn record(&self, backup: &Backup, truncated: bool) -> Result<u32> {
        let scope = BackupScope::of(backup.full, truncated);
        let info = backup.info();
        let whole = !backup.full || backup.kind != BackupKind::Normal;
        let mut recorded = 0;
        for part in backup.parts.iter().filter(|part| part.copied || whole) {
            let database = &part.database;
            self.source.append(&BackupRecord {
                phase: BackupPhase::Update,
                kind: backup.kind,
                scope,
                dbid: database.dbid,
                info,
                path: database.path.to_string_lossy().into_owned(),
            })?;
            self.source.update_header(database, &mut |header| {
                remember_backup(header, scope, backup.kind as u32, info);
            })?;
            recorded += 1;
        }
        tracing::info!(?scope, recorded, "the backup ended");
        Ok(recorded)
    }
}

/// Which end the flags ask for.
///
/// # Errors
/// `JET_errInvalidParameter` (-1003) by the row [`Api::EndNeither`] of the table.
pub(super) fn end_of(grbit: u32) -> Result<Api> {
    let known = END_NORMAL | END_ABORT | END_TRUNCATE_DONE | END_NO_HEADER_UPDATE;
    match grbit & (END_NORMAL | END_ABORT) {
        END_NORMAL if grbit & !known == 0 => Ok(Api::EndNormal),
        END_ABORT if grbit & !known == 0 => Ok(Api::EndAbort),
        _ => Err(Error::new(
            JetErr::InvalidParameter,
            format!(
                "end of a backup: flags {grbit:#x}, expected exactly one of normal (1) and abort \
                 (2)"
            ),
        )),
    }
}

impl Backup {
    /// Nothing of an earlier backup is left.
    pub(super) fn clear(&mut self, full: bool, kind: BackupKind) {
        self.full = full;
        self.kind = kind;
        self.copy_low = Generation(0);
        self.ranges = None;
        self.parts.clear();
        self.copied = CopiedLogs::default();
        self.truncated = false;
    }

    /// Is there a full backup of every database that an incremental one can build on?
    pub(super) fn check_full_before(&self) -> Result<()> {
        for part in &self.parts {
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
            if header.bkinfo_type_full_prev.get() != kind_of_header(self.kind as u32) {
                // Two who copy would each have half of a chain, and truncate the other's logs.
                return Err(Error::new(
                    JetErr::MissingFullBackup,
                    "the last full backup is of another kind: a snapshot goes on from a snapshot, \
                     a stream from a stream",
                )
                .at_path(&part.database.path)
                .advise("make a full backup of this kind first"));
            }
        }
        Ok(())
    }
}
