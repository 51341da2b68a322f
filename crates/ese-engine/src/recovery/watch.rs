//! Who is told of a recovery, and asked (backup-log-recovery 3.8).
//!
//! With external control each decision of a recovery is a question with an answer that the engine
//! would give itself. Whoever watches gives that one back, or another: success means "go on".

use std::path::Path;

use ese_base::{Error, Generation, JetErr, Result};
use ese_pages::DbHeader;

use super::options::{RecoveryFlags, RecoveryOptions};

/// Success, or the code with which recovery is to end.
pub type Answer = std::result::Result<(), JetErr>;

/// Told of each step with the answer that would be given without it.
pub type Watcher<'a> = Box<dyn FnMut(&RecoveryEvent<'_>, Answer) -> Answer + Send + 'a>;

/// Why a log is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenReason {
    /// To see whether and where recovery is needed.
    Check,
    /// To redo it.
    Redo,
    /// To write what undo does.
    Undo,
    /// Recovery is over.
    Do,
}

/// What success means where a log is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextAction {
    /// There is no way to go on.
    MustFail,
    /// Redo begins.
    Redo,
    /// The current log is tried.
    TryCurrent,
    /// Redo has ended, undo begins.
    Undo,
    /// A new log is begun.
    NewStream,
}

/// A log, as far as its place is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPlace<'a> {
    /// Its generation; 0 while nobody knows.
    pub generation: Generation,
    /// Is it the current one?
    pub current: bool,
    /// Its file.
    pub path: &'a Path,
}

/// A step of a recovery.
#[derive(Clone, Copy, Debug)]
pub enum RecoveryEvent<'a> {
    /// It begins.
    Begin,
    /// So many of a hundred parts are done. An error ends recovery.
    Progress {
        /// 0 to 100.
        percent: u32,
    },
    /// It has succeeded, or done what it was asked for.
    Complete,
    /// It has failed.
    Fail,
    /// A log is opened.
    OpenLog {
        /// Which.
        log: LogPlace<'a>,
        /// What for.
        reason: OpenReason,
        /// Of the databases that are being recovered.
        headers: &'a [DbHeader],
    },
    /// The checkpoint file is read.
    OpenCheckpoint {
        /// The file.
        path: &'a Path,
    },
    /// A log is not there.
    MissingLog {
        /// Which.
        log: LogPlace<'a>,
        /// What success means.
        next: NextAction,
        /// Of the databases that are being recovered.
        headers: &'a [DbHeader],
    },
    /// Redo has ended and undo is about to begin. Nothing of the log was changed so far.
    BeginUndo {
        /// Of the databases that are being recovered.
        headers: &'a [DbHeader],
    },
    /// What Windows would write into its event log: 301 a log is replayed, 302 recovery has ended.
    Notification {
        /// Its number.
        event: u32,
    },
    /// The default answer is an error that success would pass over: a backup copy (-544), or
    /// (success then only keeps the trace quiet) commits that are lost (-582).
    Condition,
    /// A database takes part in the recovery from here on.
    Attached {
        /// Its file.
        path: &'a Path,
    },
    /// It is about to be let go.
    Detaching {
        /// Its file.
        path: &'a Path,
    },
    /// What a program has put into the log at a commit.
    CommitContext {
        /// As the log has it.
        context: &'a [u8],
    },
}

/// A watcher that stays in the thread of the recovery.
type Watching<'a> = Box<dyn FnMut(&RecoveryEvent<'_>, Answer) -> Answer + 'a>;

/// The watcher of a recovery, and what it wants to know.
pub(crate) struct Watch<'a> {
    watcher: Option<Watching<'a>>,
    control: bool,
    percent: Option<u32>,
}

impl std::fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("control", &self.control).finish_non_exhaustive()
    }
}

impl<'a> Watch<'a> {
    /// Takes the watcher out of the options.
    pub(crate) fn of(options: &mut RecoveryOptions<'a>) -> Watch<'a> {
        let control = options.flags.contains(RecoveryFlags::EXTERNAL_CONTROL);
        let watcher = options.watcher.take().map(|watcher| -> Watching<'a> { watcher });
        Watch { watcher, control, percent: None }
    }

    /// Tells how many percent of the log are replayed, and nothing else.
    pub(crate) fn telling(progress: &'a mut dyn FnMut(u32)) -> Watch<'a> {
        let watcher = move |event: &RecoveryEvent<'_>, usual| {
            if let RecoveryEvent::Progress { percent } = event {
                progress(*percent);
            }
            usual
        };
        Watch { watcher: Some(Box::new(watcher)), control: false, percent: None }
    }

    /// Is anybody asked?
    pub(crate) fn is_control(&self) -> bool {
        self.control && self.watcher.is_some()
    }

    /// A step whose default is an answer of our own.
    ///
    /// # Errors
    /// The default, or what the watcher wants instead.
    pub(crate) fn ask(&mut self, event: &RecoveryEvent<'_>, default: Result<()>) -> Result<()> {
        let Some(watcher) = self.watcher.as_mut().filter(|_| self.control) else { return default };
        let usual = match &default {
            Ok(()) => Ok(()),
            Err(error) => Err(error.code()),
        };
        match (watcher(event, usual), default) {
            (Ok(()), _) => Ok(()),
            (Err(code), Err(default)) if code == default.code() => Err(default),
            (Err(code), _) => Err(refused(code)),
        }
    }

    /// A step that goes on unless the watcher objects.
    ///
    /// # Errors
    /// What the watcher wants.
    pub(crate) fn tell(&mut self, event: &RecoveryEvent<'_>) -> Result<()> {
        self.ask(event, Ok(()))
    }

    /// Recovery begins.
    ///
    /// # Errors
    /// What the watcher wants.
    pub(crate) fn begin(&mut self) -> Result<()> {
        self.of_progress(&RecoveryEvent::Begin)
    }

    /// So many of `all` parts are done.
    ///
    /// # Errors
    /// What the watcher wants.
    pub(crate) fn progress(&mut self, done: u64, all: u64) -> Result<()> {
        if self.watcher.is_none() {
            return Ok(());
        }
        let percent = u32::try_from(done.min(all) * 100 / all.max(1)).unwrap_or(100);
        if self.percent.is_some_and(|before| before >= percent) {
            return Ok(());
        }
        self.percent = Some(percent);
        self.of_progress(&RecoveryEvent::Progress { percent })
    }

    /// Recovery has ended; nobody can object any more.
    pub(crate) fn end(&mut self, succeeded: bool) {
        let event = if succeeded { RecoveryEvent::Complete } else { RecoveryEvent::Fail };
        self.of_progress(&event).ok();
    }

    fn of_progress(&mut self, event: &RecoveryEvent<'_>) -> Result<()> {
        match self.watcher.as_mut() {
            None => Ok(()),
            Some(watcher) => watcher(event, Ok(())).map_err(refused),
        }
    }
}

#[track_caller]
fn refused(code: JetErr) -> Error {
    Error::new(code, "whoever watches the recovery ended it")
}
