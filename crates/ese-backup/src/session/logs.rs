//! The calls about log files (backup-log-recovery 4.7, 4.8).

use std::path::PathBuf;

use ese_base::{Error, Generation, JetErr, Result};

use super::{
    context::{Backup, BackupContext, LogInfo, Ranges},
    machine::{Who, refusal},
    table::Api,
};
use crate::{
    source::{ArchivedLog, AttachedDatabase, BackupPhase},
    truncate::{self, DatabaseNeeds, GenerationRange},
};

impl BackupContext {
    /// `JetGetLogInfoInstance` and its relatives (4.7): the logs that belong to the backup. The
    /// first call closes the current generation.
    ///
    /// # Errors
    /// By the table; `JET_errFileNotFound` (-1811) if there is no finished log at all,
    /// `JET_errMissingFileToBackup` (-569) if one is missing; those of closing a generation. The
    /// state is then as before.
    pub fn log_info(&self) -> Result<LogInfo> {
        self.log_info_as(Who::Anyone)
    }

    pub(crate) fn log_info_as(&self, who: Who) -> Result<LogInfo> {
        let ranges = self.prepared_ranges(Api::LogInfo, who)?;
        Ok(LogInfo {
            files: ranges.paths(ranges.copy),
            gen_low: ranges.copy.low,
            gen_high: ranges.copy.end.before(),
            base: self.source.log_base(),
        })
    }

    /// `JetGetTruncateLogInfoInstance`: the logs that truncation will delete; may be none.
    ///
    /// # Errors
    /// As [`BackupContext::log_info`].
    pub fn truncate_log_info(&self) -> Result<Vec<PathBuf>> {
        let ranges = self.prepared_ranges(Api::TruncateLogInfo, Who::Anyone)?;
        Ok(ranges.paths(ranges.delete))
    }

    fn prepared_ranges(&self, api: Api, who: Who) -> Result<Ranges> {
        let (mut backup, next) = self.enter(api, who)?;
        if backup.ranges.is_none() {
            backup.ranges = Some(self.prepare_logs(&backup)?);
        }
        self.set_state(&mut backup, next);
        backup.ranges.clone().ok_or_else(|| {
            Error::new(JetErr::InternalError, "the log ranges of the backup are gone")
        })
    }

    /// Closes the current generation and settles which logs are copied and which deleted.
    fn prepare_logs(&self, backup: &Backup) -> Result<Ranges> {
        self.log_step(backup, BackupPhase::PrepareLogs);
        let end = self.source.roll()?;
        let logs = self.source.archived_logs()?;
        let Some(lowest) = logs.first().map(|log| log.generation) else {
            return Err(Error::new(JetErr::FileNotFound, "there is no finished log file"));
        };
        let databases = self.source.databases();
        let needs: Vec<DatabaseNeeds> =
            databases.iter().map(|database| backup.needs(database)).collect();
        let (copy, delete) = if backup.full {
            let delete = truncate::deletable_by_full(lowest, backup.copy_low, &needs);
            (GenerationRange::new(backup.copy_low, end), delete)
        } else {
            let checkpoint = self.source.checkpoint_on_disk()?.generation;
            for database in &databases {
                check_chain(database, lowest)?;
            }
            let delete = truncate::deletable_by_incremental(lowest, end, checkpoint, &needs);
            (GenerationRange::new(lowest, end), delete)
        };
        let ranges = Ranges { copy, delete, logs };
        match ranges.copy.iter().find(|generation| ranges.log(*generation).is_none()) {
            Some(missing) => Err(Error::new(
                JetErr::MissingFileToBackup,
                "a log file that the backup needs is not on disk",
            )
            .at_generation(missing)
            .advise("make a full backup after the next checkpoint")),
            None => Ok(ranges),
        }
    }

    /// `JetTruncateLogInstance` (4.8): deletes the logs that this backup makes superfluous. May be
    /// called again.
    ///
    /// # Errors
    /// By the table; `JET_errLogFileNotCopied` (-616) unless every log of the list was read to its
    /// end; the file system's, after which some logs may be gone already.
    pub fn truncate_log(&self) -> Result<()> {
        self.truncate_log_as(Who::Anyone)
    }

    pub(crate) fn truncate_log_as(&self, who: Who) -> Result<()> {
        let (mut backup, next) = self.enter(Api::TruncateLog, who)?;
        let Some(ranges) = backup.ranges.clone() else {
            return Err(refusal(JetErr::InvalidBackupSequence, Api::TruncateLog, backup.state));
        };
        if let Some(missing) = backup.copied.first_missing(ranges.copy) {
            return Err(Error::new(
                JetErr::LogFileNotCopied,
                "a log of the list was not read to its end",
            )
            .at_generation(missing)
            .advise("read every file of the log list, then truncate"));
        }
        backup.truncated = true;
        self.log_step(&backup, BackupPhase::Truncate);
        let deleted = self.source.delete_logs(ranges.delete)?;
        tracing::info!(range = ?ranges.delete, deleted = deleted.len(), "logs truncated");
        self.set_state(&mut backup, next);
        Ok(())
    }
}

impl Backup {
    pub(super) fn needs(&self, database: &AttachedDatabase) -> DatabaseNeeds {
        let header = database.file.header();
        let copied =
            self.parts.iter().any(|part| part.copied && part.database.dbid == database.dbid);
        DatabaseNeeds {
            copied,
            full_prev_gen_high: Generation(header.bkinfo_full_prev.gen_high.get()),
            gen_min_required: Generation(header.gen_min_required.get()),
        }
    }
}

impl Ranges {
    fn log(&self, generation: Generation) -> Option<&ArchivedLog> {
        let at = self.logs.binary_search_by_key(&generation, |log| log.generation).ok()?;
        self.logs.get(at)
    }

    fn paths(&self, range: GenerationRange) -> Vec<PathBuf> {
        range.iter().filter_map(|at| self.log(at)).map(|log| log.path.clone()).collect()
    }
}

/// The logs on disk must continue the last full or incremental backup of a database.
pub(super) fn check_chain(database: &AttachedDatabase, lowest: Generation) -> Result<()> {
    let header = database.file.header();
    let covered = header.bkinfo_full_prev.gen_high.get().max(header.bkinfo_inc_prev.gen_high.get());
    if lowest.0 <= covered.saturating_add(1) {
        return Ok(());
    }
    Err(Error::new(
        JetErr::MissingFileToBackup,
        format!(
            "the last backup ends with log generation {covered:#x}, the logs on disk begin with \
             {:#x}",
            lowest.0
        ),
    )
    .at_path(&database.path)
    .advise("make a full backup"))
}
