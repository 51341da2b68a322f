//! What the built-in backup needs beside the calls of a sequence (backup-log-recovery 6.1).

use ese_base::{Error, Generation, JetErr, Result};

use super::{BEGIN_INCREMENTAL, END_ABORT, context::BackupContext, machine::Who};
use crate::truncate::{DatabaseNeeds, deletable_by_incremental};

impl BackupContext {
    /// Could a backup begin now? For who has to look at other things before it does.
    ///
    /// # Errors
    /// As [`BackupContext::begin`], as far as nothing has to be read for them.
    pub fn check_can_begin(&self, incremental: bool) -> Result<()> {
        self.check_begin(if incremental { BEGIN_INCREMENTAL } else { 0 })?;
        self.refuse_if_in_progress()
    }

    /// The backup without a target: deletes the finished logs below the checkpoint that no database
    /// requires, and copies nothing. No header changes, because it is no backup. With circular
    /// logging nothing is deleted: the log does that itself. Gives what was deleted.
    ///
    /// # Errors
    /// As [`BackupContext::begin`]; `JET_errBackupAbortByServer` (-801) after a stop; those of
    /// deleting.
    pub fn truncate_below_checkpoint(&self, incremental: bool) -> Result<Vec<Generation>> {
        // A backup as far as others are concerned: nobody else begins one or attaches a database.
        let serial = self.begin_owned(if incremental { BEGIN_INCREMENTAL } else { 0 })?;
        let deleted = self.delete_below_checkpoint();
        self.end_as(Who::Owner(serial), END_ABORT)?;
        deleted
    }

    fn delete_below_checkpoint(&self) -> Result<Vec<Generation>> {
        let source = self.source();
        if source.log_state().circular {
            return Ok(Vec::new());
        }
        let checkpoint = source.checkpoint_on_disk()?.generation;
        let logs = source.archived_logs()?;
        let Some(lowest) = logs.first().map(|log| log.generation) else { return Ok(Vec::new()) };
        let databases = source.databases();
        let needs: Vec<DatabaseNeeds> = databases
            .iter()
            .map(|database| DatabaseNeeds {
                copied: false,
                full_prev_gen_high: Generation(0),
                gen_min_required: Generation(database.file.header().gen_min_required.get()),
            })
            .collect();
        if self.is_stopped() {
            return Err(Error::new(JetErr::BackupAbortByServer, "the backup was stopped"));
        }
        source.delete_logs(deletable_by_incremental(lowest, checkpoint, checkpoint, &needs))
    }
}
