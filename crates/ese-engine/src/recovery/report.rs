//! What a recovery did.

use std::path::PathBuf;

use ese_base::{Generation, JetErr, LgPos, TrxId};

/// What a recovery did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Where redo began.
    pub from: LgPos,
    /// Where the log ended, or redo was to end.
    pub to: LgPos,
    /// Records read.
    pub records: u64,
    /// Page changes that were applied.
    pub applied: u64,
    /// Page changes that the page already held.
    pub skipped: u64,
    /// Transactions that were taken back.
    pub rolled_back: u64,
    /// Torn or damaged pages that were put right before redo.
    pub restored_pages: u64,
    /// Pages that work which did not come to its end had taken, given back.
    pub reclaimed_pages: u64,
    /// The highest transaction number of the log.
    pub last_trx: TrxId,
    /// Redo is done and nothing was undone, because that was asked for: the databases are dirty.
    pub without_undo: bool,
    /// The first generation with commits that is lost, with leave
    /// ([`RecoveryFlags::IGNORE_LOST_LOGS`](super::RecoveryFlags::IGNORE_LOST_LOGS)).
    pub lost_from: Option<Generation>,
    /// Log files that did not fit or were damaged, removed with the same leave.
    pub removed_logs: u32,
    /// Databases that were not there and were left out, with leave.
    pub ignored_databases: u32,
    /// Databases that were attached where the log ended. They are clean now, unless `without_undo`.
    pub attached: Vec<PathBuf>,
}

impl RecoveryReport {
    /// `JET_wrnCommittedLogFilesRemoved` (587), `JET_wrnCommittedLogFilesLost` (585), or success:
    /// the most important of what was lost (backup-log-recovery 3.5).
    #[must_use]
    pub fn warning(&self) -> JetErr {
        match (self.removed_logs, self.lost_from) {
            (1.., _) => JetErr::WrnCommittedLogFilesRemoved,
            (0, Some(_)) => JetErr::WrnCommittedLogFilesLost,
            (0, None) => JetErr::Success,
        }
    }
}
