//! A snapshot of volumes: several instances hold back their writes while the storage makes a copy
//! of what lies on the disk (backup-log-recovery 4.12).
//!
//! ```text
//! prepare -> freeze -> thaw -> { truncate -> end, if it goes on after the thaw }
//! ```
//!
//! [`step`] is the table of which call is legal when; [`Snapshot`] does what the calls do. Each
//! frozen instance thaws by itself when the time is over, and the snapshot is lost then: the copy
//! may have been made while files were written.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use ese_base::{Error, JetErr, Result};

use crate::session::{BackupContext, Freeze};

/// Where a snapshot stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Stage {
    /// Its instances are known.
    Prepared,
    /// They hold back their writes.
    Frozen,
    /// They write again; it goes on until its end.
    Thawed,
    /// Its logs were truncated.
    Truncated,
    /// The freeze took too long.
    TimedOut,
    /// The freeze was refused; nothing is left but its end.
    Failed,
    /// Over.
    Ended,
}

impl Stage {
    /// Every stage, in the order of the table's columns.
    pub const ALL: [Stage; 7] = [
        Stage::Prepared,
        Stage::Frozen,
        Stage::Thawed,
        Stage::Truncated,
        Stage::TimedOut,
        Stage::Failed,
        Stage::Ended,
    ];
}

/// A call of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `JetOSSnapshotPrepareInstance`.
    PrepareInstance,
    /// `JetOSSnapshotFreeze`.
    Freeze,
    /// `JetOSSnapshotThaw`; without `JET_bitContinueAfterThaw` the snapshot ends with it.
    Thaw,
    /// `JetOSSnapshotTruncateLog`, `JetOSSnapshotTruncateLogInstance`.
    TruncateLog,
    /// `JetOSSnapshotGetFreezeInfo`.
    FreezeInfo,
    /// `JetOSSnapshotEnd(0)`.
    End,
    /// `JetOSSnapshotAbort`, `JetOSSnapshotEnd(JET_bitAbortSnapshot)`.
    Abort,
}

impl Call {
    /// Every call, in the order of the table's rows.
    pub const ALL: [Call; 7] = [
        Call::PrepareInstance,
        Call::Freeze,
        Call::Thaw,
        Call::TruncateLog,
        Call::FreezeInfo,
        Call::End,
        Call::Abort,
    ];
}

/// The table: the stage after a call's success, or why it is refused.
///
/// # Errors
/// `JET_errOSSnapshotInvalidSequence` (-2401), `JET_errOSSnapshotTimeOut` (-2402) for a thaw that
/// comes too late, `JET_errOSSnapshotInvalidSnapId` (-2404) after the end.
pub fn step(call: Call, stage: Stage) -> Result<Stage, JetErr> {
    use Stage::{Ended, Failed, Frozen, Prepared, Thawed, TimedOut, Truncated};
    match (call, stage) {
        (_, Ended) => Err(JetErr::OSSnapshotInvalidSnapId),
        (Call::PrepareInstance, Prepared) => Ok(Prepared),
        (Call::Freeze, Prepared) => Ok(Frozen),
        (Call::Thaw, Frozen) => Ok(Thawed),
        (Call::Thaw, TimedOut) => Err(JetErr::OSSnapshotTimeOut),
        (Call::TruncateLog, Thawed | Truncated) => Ok(Truncated),
        (Call::FreezeInfo, Failed) => Err(JetErr::OSSnapshotInvalidSequence),
        (Call::FreezeInfo, stage) => Ok(stage),
        (Call::End, Prepared | Thawed | Truncated | Failed) | (Call::Abort, _) => Ok(Ended),
        _ => Err(JetErr::OSSnapshotInvalidSequence),
    }
}

/// What kind of snapshot it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SnapshotOptions {
    /// Only the logs are copied (`JET_bitIncrementalSnapshot`).
    pub incremental: bool,
    /// The chain of backups leaves it out, and it truncates nothing (`JET_bitCopySnapshot`).
    pub copy: bool,
    /// It goes on after the thaw, until its end (`JET_bitContinueAfterThaw`).
    pub continue_after_thaw: bool,
}

/// An instance of a snapshot.
#[derive(Clone, Debug)]
struct Member {
    /// The caller's number of it.
    tag: u64,
    /// Who has ended lets go of its files, whatever snapshots are still prepared.
    context: Weak<BackupContext>,
    /// Number of the freeze, as long as there is one.
    serial: Option<u64>,
}

/// One snapshot, from its preparation to its end.
#[derive(Debug)]
pub struct Snapshot {
    options: SnapshotOptions,
    stage: Stage,
    members: Vec<Member>,
}

impl Snapshot {
    /// A snapshot of no instance yet.
    #[must_use]
    pub fn prepare(options: SnapshotOptions) -> Snapshot {
        Snapshot { options, stage: Stage::Prepared, members: Vec::new() }
    }

    /// Where it stands now: a freeze may have come to its deadline.
    pub fn stage(&mut self) -> Stage {
        if self.stage == Stage::Frozen && self.is_lost() {
            self.stage = Stage::TimedOut;
        }
        self.stage
    }

    fn is_lost(&self) -> bool {
        let mut frozen = self.frozen();
        frozen.any(|(context, serial)| context.is_none_or(|context| context.has_lost(serial)))
    }

    /// The frozen instances, as far as they are there, with the numbers of their freezes.
    fn frozen(&self) -> impl Iterator<Item = (Option<Arc<BackupContext>>, u64)> {
        self.members.iter().filter_map(|member| Some((member.context.upgrade(), member.serial?)))
    }

    /// The instances in it, by the numbers that they were added with.
    #[must_use]
    pub fn tags(&self) -> Vec<u64> {
        self.members.iter().map(|member| member.tag).collect()
    }

    fn enter(&mut self, call: Call) -> Result<Stage> {
        let stage = self.stage();
        step(call, stage)
            .map_err(|code| Error::new(code, format!("{call:?} of a snapshot that is {stage:?}")))
    }

    /// Adds an instance.
    ///
    /// # Errors
    /// By the table; `JET_errOSSnapshotNotAllowed` (-2403) if it is in already, or a backup of it
    /// is in progress.
    pub fn add(&mut self, tag: u64, context: &Arc<BackupContext>) -> Result<()> {
        self.enter(Call::PrepareInstance)?;
        let there = self.members.iter().any(|member| member.tag == tag);
        if there || context.refuse_if_in_progress().is_err() || !context.is_allowed() {
            let what = "the instance is in a snapshot or a backup, or it is ending";
            return Err(Error::new(JetErr::OSSnapshotNotAllowed, what));
        }
        self.add_unchecked(tag, context);
        Ok(())
    }

    /// Adds an instance to a snapshot that was just prepared; the freeze will say whether it may
    /// be in it.
    pub fn add_unchecked(&mut self, tag: u64, context: &Arc<BackupContext>) {
        self.members.push(Member { tag, context: Arc::downgrade(context), serial: None });
    }

    /// Can instances be added?
    ///
    /// # Errors
    /// By the table.
    pub fn check_open(&mut self) -> Result<()> {
        self.enter(Call::PrepareInstance).map(|_| ())
    }

    /// Holds back the writes of all instances, for `timeout` at most.
    ///
    /// # Errors
    /// By the table, and as [`BackupContext::freeze`] for the first instance that cannot be frozen:
    /// all write again then, and the snapshot can only be ended.
    pub fn freeze(&mut self, timeout: Duration) -> Result<()> {
        let next = self.enter(Call::Freeze)?;
        let how = Freeze { incremental: self.options.incremental, timeout };
        let frozen = self.members.iter_mut().try_for_each(|member| {
            // An instance that has ended since is not in it.
            if let Some(context) = member.context.upgrade() {
                member.serial = Some(context.freeze(how)?);
            }
            Ok(())
        });
        if let Err(error) = frozen {
            self.stage = Stage::Failed;
            self.release(false)?;
            return Err(error);
        }
        self.stage = next;
        Ok(())
    }

    /// Lets all instances write again.
    ///
    /// # Errors
    /// By the table; `JET_errOSSnapshotTimeOut` (-2402) if the freeze of one had come to its
    /// deadline: what was copied meanwhile is of no use. Those of writing headers.
    pub fn thaw(&mut self) -> Result<()> {
        let entered = self.enter(Call::Thaw);
        if let Ok(next) = entered {
            // All of them, whatever the first one says.
            let held = self.frozen().fold(true, |held, (context, serial)| {
                context.is_some_and(|context| context.thaw(serial)) && held
            });
            self.stage = if held { next } else { Stage::TimedOut };
        }
        let late = self.stage == Stage::TimedOut;
        if late {
            self.release(false)?;
        }
        let over = entered.is_ok() || late;
        if over && !self.options.continue_after_thaw {
            self.stage = Stage::Ended;
            self.release(!late)?;
        }
        if late && entered.is_ok() {
            let what = "the freeze had come to its deadline before the thaw";
            return Err(Error::new(JetErr::OSSnapshotTimeOut, what));
        }
        entered.map(|_| ())
    }

    /// Deletes the logs that the snapshot makes superfluous, of one instance or of all. Without
    /// `all_databases` (the copy holds every database) nothing is deleted.
    ///
    /// # Errors
    /// By the table; `JET_errOSSnapshotInvalidSequence` (-2401) of a copy and for an instance that
    /// is not in it; those of deleting, after the logs of the others.
    pub fn truncate(&mut self, tag: Option<u64>, all_databases: bool) -> Result<()> {
        let next = self.enter(Call::TruncateLog)?;
        let refuse = |what: &'static str| Err(Error::new(JetErr::OSSnapshotInvalidSequence, what));
        if self.options.copy {
            return refuse("a copy truncates no logs");
        }
        if tag.is_some_and(|tag| self.members.iter().all(|member| member.tag != tag)) {
            return refuse("the instance is not in the snapshot");
        }
        let mut first_error = Ok(());
        let meant = self.members.iter().filter(|member| tag.is_none_or(|tag| tag == member.tag));
        for member in meant {
            if let (true, Some(serial), Some(context)) =
                (all_databases, member.serial, member.context.upgrade())
            {
                first_error = first_error.and(context.truncate_for_snapshot(serial));
            }
        }
        first_error?;
        self.stage = next;
        Ok(())
    }

    /// Says which instances are in it.
    ///
    /// # Errors
    /// By the table.
    pub fn info(&mut self) -> Result<Vec<u64>> {
        self.enter(Call::FreezeInfo)?;
        Ok(self.tags())
    }

    /// Ends it. The headers of all databases remember it if it was thawed in time.
    ///
    /// # Errors
    /// By the table; those of writing headers: it has ended then.
    pub fn end(&mut self) -> Result<()> {
        let next = self.enter(Call::End)?;
        let thawed = matches!(self.stage, Stage::Thawed | Stage::Truncated);
        self.stage = next;
        self.release(thawed)
    }

    /// Ends it without any record, whatever its stage; writes go on.
    ///
    /// # Errors
    /// By the table.
    pub fn abort(&mut self) -> Result<()> {
        self.stage = self.enter(Call::Abort)?;
        self.release(false)
    }

    /// Lets go of the instances.
    fn release(&mut self, record: bool) -> Result<()> {
        let mut first_error = Ok(());
        for member in &mut self.members {
            if let (Some(serial), Some(context)) = (member.serial.take(), member.context.upgrade())
            {
                let ended = context.end_snapshot(serial, record, self.options.copy);
                first_error = first_error.and(ended);
            }
        }
        first_error
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        if let Err(error) = self.release(false) {
            tracing::warn!(%error, "a snapshot could not be ended");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The states and calls of backup-log-recovery 4.12, as codes; 0 where a call is legal.
    const PUBLISHED: &str = "
call             Prepared Frozen Thawed Truncated TimedOut Failed Ended
PrepareInstance         0  -2401  -2401     -2401    -2401  -2401 -2404
Freeze                  0  -2401  -2401     -2401    -2401  -2401 -2404
Thaw                -2401      0  -2401     -2401    -2402  -2401 -2404
TruncateLog         -2401  -2401      0         0    -2401  -2401 -2404
FreezeInfo              0      0      0         0        0  -2401 -2404
End                     0  -2401      0         0    -2401      0 -2404
Abort                   0      0      0         0        0      0 -2404
";

    #[test]
    fn the_table_of_snapshots_is_the_published_one() {
        let lines = PUBLISHED.trim().lines().skip(1);
        assert_eq!(lines.clone().count(), Call::ALL.len());
        for (line, call) in lines.zip(Call::ALL) {
            let mut words = line.split_whitespace();
            assert_eq!(words.next(), Some(format!("{call:?}").as_str()));
            for (word, stage) in words.zip(Stage::ALL) {
                let code = step(call, stage).map_or_else(|code| code as i32, |_| 0);
                assert_eq!(code.to_string(), word, "{call:?} of a snapshot that is {stage:?}");
            }
        }
    }
}
