//! Are the generations at hand that a database's header asks for? (backup-log-recovery 3.4)

use std::collections::BTreeMap;

use ese_base::{Error, Generation, JetErr, LgPos, LogTime, Result, Signature};
use ese_pages::{DbHeader, DbState, db_file::DbFile, fence::LogFence};

use super::{
    options::RecoveryFlags,
    watch::{RecoveryEvent, Watch},
};

/// What is there of the log, and what recovery may pass over.
#[derive(Clone, Debug)]
pub(crate) struct Ranges {
    pub(crate) sign_log: Signature,
    /// First and last generation at hand.
    pub(crate) first: Generation,
    pub(crate) last: Generation,
    /// When the generations at hand were begun.
    pub(crate) created: BTreeMap<Generation, LogTime>,
    pub(crate) flags: RecoveryFlags,
    /// Is this the replay of a backup set? Then the databases are backup copies on purpose.
    pub(crate) hard: bool,
    /// Redo ends early and nothing is undone: databases may need more than it reads.
    pub(crate) pausing: bool,
}

impl Ranges {
    /// A generation and when it was begun.
    pub(super) fn begun(&self, generation: Generation) -> (Generation, LogTime) {
        (generation, self.created.get(&generation).copied().unwrap_or(LogTime::NULL))
    }

    /// Refuses a database that the log at hand does not recover. The value is the first generation
    /// with commits of the database that is lost with leave.
    pub(super) fn check(
        &self,
        header: &DbHeader,
        watch: &mut Watch<'_>,
    ) -> Result<Option<Generation>> {
        if header.state() == DbState::CleanShutdown || header.state() == DbState::JustCreated {
            return Ok(None);
        }
        if header.sign_log != self.sign_log {
            return Err(Error::new(
                JetErr::DatabaseLogSetMismatch,
                format!("it belongs to log {}, these are {}", header.sign_log, self.sign_log),
            )
            .advise("recover it with its own log"));
        }
        self.check_copy(header, watch)?;
        self.check_snapshot(header)?;
        self.check_required(header)?;
        if header.gen_max_committed.get() <= self.last.0 || self.pausing {
            return Ok(None);
        }
        let lost = Error::new(
            JetErr::CommittedLogFilesMissing,
            format!(
                "commits reach to generation {:#x}; the last at hand is {:#x}",
                header.gen_max_committed, self.last.0
            ),
        )
        .advise("bring the missing log files back");
        if !self.flags.contains(RecoveryFlags::IGNORE_LOST_LOGS) {
            return Err(lost.advise(
                "bring the missing log files back, or recover without them and lose those commits",
            ));
        }
        let quiet = self.flags.contains(RecoveryFlags::QUIET_ABOUT_LOSS);
        let said = if quiet { Ok(()) } else { Err(lost) };
        if let Err(lost) = watch.ask(&RecoveryEvent::Condition, said) {
            tracing::warn!(%lost, "commits are lost, with leave");
        }
        Ok(Some(self.last.next()))
    }

    fn check_copy(&self, header: &DbHeader, watch: &mut Watch<'_>) -> Result<()> {
        if header.bkinfo_full_cur.gen_low.get() == 0 || self.hard {
            return Ok(());
        }
        let leave = RecoveryFlags::ALLOW_BACKUP_COPIES | RecoveryFlags::WITHOUT_UNDO;
        let answer = if self.flags.intersects(leave) {
            Ok(())
        } else {
            Err(Error::new(
                JetErr::SoftRecoveryOnBackupDatabase,
                "the file is a copy out of a backup",
            )
            .advise("restore the backup set it belongs to"))
        };
        watch.ask(&RecoveryEvent::Condition, answer)
    }

    /// A copy out of a snapshot of the disk needs the logs that were written while it was taken.
    fn check_snapshot(&self, header: &DbHeader) -> Result<()> {
        let snapshot = &header.bkinfo_snapshot_cur;
        let (low, high) = (snapshot.gen_low.get(), snapshot.gen_high.get());
        if low == 0 || low >= self.first.0 && high <= self.last.0 {
            return Ok(());
        }
        Err(Error::new(
            JetErr::SoftRecoveryOnSnapshot,
            format!(
                "it is out of a snapshot with generations {low:#x} to {high:#x}; at hand are {:#x} \
                 to {:#x}",
                self.first.0, self.last.0
            ),
        )
        .advise("put the logs of the snapshot beside it"))
    }

    fn check_required(&self, header: &DbHeader) -> Result<()> {
        let (min, max) = (header.gen_min_required.get(), header.gen_max_required.get());
        if min < self.first.0 || max > self.last.0 && !self.pausing {
            return Err(Error::new(
                JetErr::RequiredLogFilesMissing,
                format!(
                    "it needs generations {min:#x} to {max:#x}; at hand are {:#x} to {:#x}",
                    self.first.0, self.last.0
                ),
            )
            .advise("bring the missing log files back"));
        }
        let (theirs, ours) = (header.logtime_gen_max_required, self.created.get(&Generation(max)));
        match ours {
            Some(ours) if !theirs.is_null() && theirs != *ours => Err(Error::new(
                JetErr::RequiredLogFilesMissing,
                format!(
                    "it needs the generation {max:#x} that was begun at {theirs}; the one at hand \
                     was begun at {ours}"
                ),
            )
            .at_generation(Generation(max))
            .advise("bring the right log files back")),
            _ => Ok(()),
        }
    }
}

/// Recovery of the database needs the log up to this generation.
pub(super) fn require_up_to(header: &mut DbHeader, (last, created): (Generation, LogTime)) {
    header.gen_max_required = last.0.into();
    header.logtime_gen_max_required = created;
    if header.gen_max_committed.get() <= last.0 {
        header.gen_max_committed = last.0.into();
        header.logtime_gen_max_create = created;
    }
}

/// Redo writes pages of a database: before, its header says which generations they come from. The
/// log itself is durable.
pub(super) struct RequireFirst<'r> {
    pub(super) file: &'r DbFile,
    pub(super) ranges: &'r Ranges,
}

impl LogFence for RequireFirst<'_> {
    fn ensure_durable(&self, end: LgPos) -> Result<()> {
        let header = self.file.header();
        let knows = header.gen_max_required.get() >= end.generation.0;
        if knows || header.state() != DbState::DirtyShutdown {
            return Ok(());
        }
        let begun = self.ranges.begun(end.generation);
        self.file.update_header(|header| {
            // Another thread may have made it clean since.
            if header.state() == DbState::DirtyShutdown {
                require_up_to(header, begun);
            }
        })
    }
}

/// The generations that a database's header asked for when redo met it; 0: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Needs {
    pub(super) min_required: Generation,
    pub(super) max_required: Generation,
    pub(super) max_committed: Generation,
}

impl Needs {
    pub(super) fn of(header: &DbHeader) -> Needs {
        if header.state() != DbState::DirtyShutdown {
            return Needs::default();
        }
        Needs {
            min_required: Generation(header.gen_min_required.get()),
            max_required: Generation(header.gen_max_required.get()),
            max_committed: Generation(header.gen_max_committed.get()),
        }
    }
}
