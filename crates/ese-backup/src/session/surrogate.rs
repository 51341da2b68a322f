//! Surrogate backups: another program copies the files, and the instance only remembers it
//! (backup-log-recovery 4.11).

use ese_base::{Error, Generation, JetErr, Result};

use super::{
    begin_end::{BEGIN_INCREMENTAL, BEGIN_SURROGATE, end_of},
    context::{BackupContext, Cause},
    machine::Who,
    table::{Api, State},
};
use crate::truncate::GenerationRange;

impl BackupContext {
    /// `JetBeginSurrogateBackup` (4.11): another program copies all databases, and the logs from
    /// `first` to `last`. As long as it lasts, no other backup can begin, and the calls of a
    /// sequence answer `JET_errNoBackup` (-520).
    ///
    /// # Errors
    /// `JET_errBackupNotAllowedYet` (-523); `JET_errInvalidParameter` (-1003) for a range that ends
    /// before it begins or behind the current generation; `JET_errInvalidGrbit` (-900) for flags
    /// but [`BEGIN_INCREMENTAL`] and [`BEGIN_SURROGATE`], which is implied; then as
    /// [`BackupContext::begin`].
    pub fn begin_surrogate(&self, first: Generation, last: Generation, grbit: u32) -> Result<()> {
        self.check_allowed()?;
        let current = self.source.current_generation();
        if first > last || last > current {
            return Err(Error::new(
                JetErr::InvalidParameter,
                format!(
                    "logs from {:#x} to {:#x} of a surrogate backup; the current one is {:#x}",
                    first.0, last.0, current.0
                ),
            ));
        }
        if grbit & !(BEGIN_INCREMENTAL | BEGIN_SURROGATE) != 0 {
            let what = format!("flags {grbit:#x} of a surrogate backup");
            return Err(Error::new(JetErr::InvalidGrbit, what));
        }
        let copied = GenerationRange::new(first, last.next());
        self.begin_with(grbit | BEGIN_SURROGATE, Some(copied), None).map(|_| ())
    }

    /// `JetEndSurrogateBackup`: a normal end is remembered in the headers of all databases, as a
    /// snapshot, unless the stop was given. A backup of another kind ends without any record.
    ///
    /// # Errors
    /// As [`BackupContext::end`].
    pub fn end_surrogate(&self, grbit: u32) -> Result<()> {
        end_of(grbit)?;
        let (mut backup, _) = self.enter(Api::EndSurrogate, Who::Anyone)?;
        let local = backup.state != State::Surrogate;
        let mismatch = local.then_some(Cause::Error(JetErr::BackupInProgress));
        self.finish(&mut backup, grbit, mismatch).map(|_| ())
    }
}
