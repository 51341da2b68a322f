//! The backup of one instance: its state, its stop flag, and the calls.
//!
//! How threads come together stands in [`super::machine`], which call is legal when in
//! [`super::table`] alone.

use std::{path::PathBuf, sync::Arc, time::Duration};

use ese_base::{BkInfo, Dbid, Error, Generation, JetErr, LgPos, LogTime, Result, StopToken};

use super::{
    machine::{Machine, Progress, Who, refusal},
    read_database::DatabaseReader,
    read_log::LogReader,
    stop::{PauseBy, Sleeper},
    table::{Api, Reply, State},
};
use crate::{
    source::{
        ArchivedLog, AttachedDatabase, BackupKind, BackupPhase, BackupRecord, BackupScope,
        BackupSource,
    },
    sync::MutexGuard,
    truncate::{CopiedLogs, GenerationRange},
};

/// An open file of a backup. Never 0, 1 or -1; a number is not used again for a long time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileHandle(pub u32);

/// What opening a file answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenedFile {
    /// To be passed to the reading calls.
    pub handle: FileHandle,
    /// Bytes that reading it will deliver.
    pub len: u64,
}

/// Where a full backup began: what it must keep when it goes on after a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ResumePoint {
    /// Where the log was.
    pub(crate) mark: LgPos,
    /// When.
    pub(crate) mark_time: LogTime,
    /// First generation that it copies.
    pub(crate) copy_low: Generation,
}

/// The log files of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogInfo {
    /// Their paths, ascending by generation.
    pub files: Vec<PathBuf>,
    /// First generation.
    pub gen_low: Generation,
    /// Last generation.
    pub gen_high: Generation,
    /// Three characters that every name begins with.
    pub base: String,
}

/// Why a backup ends without effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    ByCaller,
    ByServer,
    Error(JetErr),
}

/// A database of the running backup.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) database: AttachedDatabase,
    /// Its file was delivered to the last byte.
    pub(super) copied: bool,
}

#[derive(Debug)]
pub(super) enum OpenFile {
    Database(DatabaseReader),
    Log(LogReader),
}

/// The log ranges, from the moment the log list was made.
#[derive(Clone, Debug)]
pub(super) struct Ranges {
    pub(super) copy: GenerationRange,
    pub(super) delete: GenerationRange,
    /// The files of both, as they were then.
    pub(super) logs: Vec<ArchivedLog>,
}

/// Everything that changes from call to call.
#[derive(Debug)]
pub(super) struct Backup {
    pub(super) state: State,
    /// Number of the backup, counted from 1.
    pub(super) serial: u64,
    pub(super) full: bool,
    /// Who copies the files.
    pub(super) kind: BackupKind,
    pub(super) mark: LgPos,
    pub(super) mark_time: LogTime,
    /// First generation that a full backup copies.
    pub(super) copy_low: Generation,
    pub(super) ranges: Option<Ranges>,
    pub(super) parts: Vec<Part>,
    pub(super) copied: CopiedLogs,
    pub(super) truncated: bool,
    /// Its handle, and who has opened it.
    pub(super) open: Option<(FileHandle, Who, OpenFile)>,
    pub(super) last_handle: u32,
    pub(super) sleeper: Sleeper,
}

impl Progress for Backup {
    fn state(&self) -> State {
        self.state
    }

    fn set_state(&mut self, state: State) {
        self.state = state;
    }

    fn serial(&self) -> u64 {
        self.serial
    }

    fn count(&mut self) {
        self.serial += 1;
    }
}

/// Longest wait for the end of a freeze without a look at its deadline.
const LOOK: Duration = Duration::from_millis(20);

/// The backup of one instance. It exists as long as the instance does.
#[derive(Debug)]
pub struct BackupContext {
    pub(super) source: Arc<dyn BackupSource>,
    pub(super) pauses: PauseBy,
    pub(super) machine: Machine<Backup>,
}

impl BackupContext {
    /// A context without a backup. No backup may begin until [`BackupContext::allow`].
    #[must_use]
    pub fn new(source: Arc<dyn BackupSource>, pauses: PauseBy) -> BackupContext {
        let machine = Machine::new(|sleeper| Backup {
            state: State::None,
            serial: 0,
            full: true,
            kind: BackupKind::Normal,
            mark: LgPos::MIN,
            mark_time: LogTime::NULL,
            copy_low: Generation(0),
            ranges: None,
            parts: Vec::new(),
            copied: CopiedLogs::default(),
            truncated: false,
            open: None,
            last_handle: 0,
            sleeper,
        });
        BackupContext { source, pauses, machine }
    }

    /// The instance.
    #[must_use]
    pub fn source(&self) -> &Arc<dyn BackupSource> {
        &self.source
    }

    /// The instance is initialised: backups may begin.
    pub fn allow(&self) {
        self.machine.allow();
    }

    /// May backups begin?
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.machine.is_allowed()
    }

    /// `JetStopBackupInstance` (5.2): every call that makes the backup progress fails from now on.
    /// Sets a flag and returns; waits for nothing, whatever other calls are doing.
    pub fn stop(&self) {
        self.machine.switch().stop();
    }

    /// As long as it is there, the token is looked at wherever the backup waits.
    pub(crate) fn watch(&self, token: Option<StopToken>) {
        self.machine.switch().watch(token);
    }

    /// Was the stop given, and no backup begun or ended since?
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.machine.switch().is_stopped()
    }

    /// The answer to calls that cannot run beside a backup (attach, detach, create and shrink a
    /// database, a second backup). Does not wait for a running call.
    ///
    /// # Errors
    /// `JET_errBackupInProgress` (-505), `JET_errSurrogateBackupInProgress` (-617).
    pub fn refuse_if_in_progress(&self) -> Result<()> {
        let Some(code) = self.machine.in_progress() else { return Ok(()) };
        if self.machine.is_snapshot() {
            // A snapshot that came to its deadline is none any more. Whoever asks may hold what a
            // freeze that is running waits for.
            if let Some(mut backup) = self.machine.try_lock() {
                self.end_if_timed_out(&mut backup);
                if backup.state == State::None {
                    return Ok(());
                }
            }
        }
        Err(Error::new(code, "a backup of the instance is in progress")
            .advise("end the backup first"))
    }

    /// `JetTerm2(JET_bitTermComplete)` begins (5.6). From now on no backup can begin, even if the
    /// termination is refused here.
    ///
    /// # Errors
    /// `JET_errBackupInProgress` (-505), `JET_errSurrogateBackupInProgress` (-617).
    pub fn term_complete(&self) -> Result<()> {
        self.machine.forbid();
        self.refuse_if_in_progress()
    }

    /// Any other termination begins (5.6): a backup is cleaned up as aborted by the server. A call
    /// that is running finishes first; its pauses end at once. A snapshot is waited for.
    pub fn abort_for_term(&self) {
        self.machine.forbid();
        self.wait_for_snapshot();
        self.abort_now();
    }

    /// As [`BackupContext::abort_for_term`], but a snapshot ends as well.
    pub fn abort_now(&self) {
        self.source.write_gate().thaw();
        self.machine.abort(|backup| self.clean_up(backup, Some(Cause::ByServer)));
    }

    /// The state, for tests and displays. Waits for a running call.
    #[must_use]
    pub fn state(&self) -> State {
        let mut backup = self.machine.lock();
        self.end_if_timed_out(&mut backup);
        backup.state
    }
}

impl BackupContext {
    /// See [`Machine::gate`].
    pub(super) fn gate(&self, api: Api, who: Who) -> Result<MutexGuard<'_, Backup>> {
        self.machine.gate(api, who)
    }

    /// The table's decision; the state after success.
    pub(super) fn decide(&self, api: Api, backup: &mut Backup) -> Result<State> {
        match self.machine.reply(api, backup) {
            Reply::To(next) => Ok(next),
            Reply::Refuse(code) => Err(refusal(code, api, backup.state)),
            Reply::Cancel(code) => {
                let error = refusal(code, api, backup.state);
                self.clean_up(backup, Some(Cause::Error(code)));
                Err(error)
            }
        }
    }

    pub(super) fn enter(&self, api: Api, who: Who) -> Result<(MutexGuard<'_, Backup>, State)> {
        let mut backup = self.gate(api, who)?;
        let next = self.decide(api, &mut backup)?;
        Ok((backup, next))
    }

    pub(super) fn set_state(&self, backup: &mut Backup, state: State) {
        self.machine.set_state(backup, state);
    }

    /// The backup, once no freeze of a snapshot holds it.
    pub(super) fn lock_when_thawed(&self) -> MutexGuard<'_, Backup> {
        let mut backup = self.machine.lock();
        while backup.state == State::Snapshot && self.source.write_gate().is_frozen() {
            backup = self.let_time_pass(backup);
        }
        self.end_if_timed_out(&mut backup);
        backup
    }

    fn wait_for_snapshot(&self) {
        let mut backup = self.machine.lock();
        self.end_if_timed_out(&mut backup);
        while backup.state == State::Snapshot {
            backup = self.let_time_pass(backup);
            self.end_if_timed_out(&mut backup);
        }
    }

    /// Lets others change the state.
    fn let_time_pass<'a>(&'a self, mut backup: MutexGuard<'a, Backup>) -> MutexGuard<'a, Backup> {
        match self.pauses {
            PauseBy::Waiting => {
                self.machine.wait(&mut backup, LOOK);
                backup
            }
            PauseBy::Clock => {
                drop(backup);
                self.source.env().clock.sleep(LOOK);
                self.machine.lock()
            }
        }
    }

    /// A snapshot whose freeze came to its deadline has ended.
    pub(super) fn end_if_timed_out(&self, backup: &mut Backup) {
        if backup.state == State::Snapshot && self.source.write_gate().has_timed_out() {
            self.clean_up(backup, Some(Cause::Error(JetErr::OSSnapshotTimeOut)));
        }
    }

    /// Ends the backup, whatever its state, and takes the stop back.
    pub(super) fn clean_up(&self, backup: &mut Backup, aborted: Option<Cause>) {
        if let Some(cause) = aborted {
            tracing::info!(?cause, state = backup.state.column(), "the backup ended unrecorded");
            self.log_step(backup, BackupPhase::Abort);
        }
        self.log_step(backup, BackupPhase::Stop);
        self.source.pin_logs(None);
        backup.open = None;
        backup.parts.clear();
        backup.ranges = None;
        backup.copied = CopiedLogs::default();
        backup.truncated = false;
        self.machine.finish(backup);
    }

    /// Logs a step. A failure is the log's own affair: it refuses what follows.
    pub(super) fn log_step(&self, backup: &Backup, phase: BackupPhase) {
        let record = BackupRecord {
            phase,
            kind: backup.kind,
            scope: if backup.full { BackupScope::Full } else { BackupScope::Incremental },
            dbid: Dbid(0),
            info: backup.info(),
            path: String::new(),
        };
        if let Err(error) = self.source.append(&record) {
            tracing::warn!(%error, ?phase, "a step of the backup could not be logged");
        }
    }
}

impl Backup {
    /// Where it began.
    pub(super) fn point(&self) -> ResumePoint {
        ResumePoint { mark: self.mark, mark_time: self.mark_time, copy_low: self.copy_low }
    }

    /// Mark and generations, as far as they are known.
    pub(super) fn info(&self) -> BkInfo {
        let (low, high) = match &self.ranges {
            Some(ranges) => (ranges.copy.low, ranges.copy.end.0.saturating_sub(1)),
            None => (self.copy_low, 0),
        };
        BkInfo {
            lgpos_mark: self.mark.into(),
            logtime_mark: self.mark_time,
            gen_low: low.0.into(),
            gen_high: high.into(),
        }
    }

    /// The next handle: a multiple of 256, so that small numbers are never one.
    pub(super) fn new_handle(&mut self) -> FileHandle {
        self.last_handle = match self.last_handle.checked_add(0x100) {
            Some(next) if next < 0x7fff_0000 => next,
            _ => 0x100,
        };
        FileHandle(self.last_handle)
    }

    /// Is this the open handle? Numbers can be guessed: what the owner of a backup has opened is
    /// nobody else's to read or close.
    pub(super) fn is_open(&self, who: Who, handle: FileHandle) -> bool {
        self.open.as_ref().is_some_and(|(open, by, _)| *open == handle && *by == who)
    }

    /// Marks a file as copied if it was read to the end.
    pub(super) fn count_copied(&mut self, file: &OpenFile) -> bool {
        match file {
            OpenFile::Database(reader) if reader.is_complete() => {
                let dbid = reader.database().dbid;
                for part in self.parts.iter_mut().filter(|part| part.database.dbid == dbid) {
                    part.copied = true;
                }
                true
            }
            OpenFile::Log(reader) if reader.is_complete() => {
                let generation = reader.generation();
                if self.ranges.as_ref().is_some_and(|ranges| ranges.copy.contains(generation)) {
                    self.copied.insert(generation);
                }
                true
            }
            _ => false,
        }
    }
}
