//! What a caller may tell recovery beyond the configuration. The Rust builder, JetInit2 and
//! JetInit3, `ese recover` and restores all say it with [`RecoveryOptions`].

use std::{fmt, path::PathBuf, sync::Arc};

use ese_base::{Generation, LgPos, LogTime, Signature, StopToken};
use ese_log::LogLock;

use super::watch::Watcher;

bitflags::bitflags! {
    /// The bits of JetInit2 and JetInit3 (jet-bits), by their values there.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct RecoveryFlags: u32 {
        /// A database that the log needs and that is not there is left out.
        const IGNORE_MISSING_DATABASES = 0x4;
        /// Redo only. The databases stay dirty; recovery can be run again, with more logs.
        const WITHOUT_UNDO = 0x8;
        /// Remove all finished generations after a recovery that has succeeded.
        const TRUNCATE_LOGS = 0x10;
        /// With a map: databases that it does not name are where the log says.
        const UNMAPPED_IN_PLACE = 0x20;
        /// Where there is no log, no new one is begun.
        const LOG_MUST_EXIST = 0x40;
        /// Generations at the end may be lost, as long as no database needs them to be whole.
        const IGNORE_LOST_LOGS = 0x80;
        /// The current log may be absent where there are finished ones.
        const ALLOW_MISSING_CURRENT = 0x100;
        /// A database out of a backup may be recovered like any other.
        const ALLOW_BACKUP_COPIES = 0x200;
        /// No warning in the trace about generations that are lost.
        const QUIET_ABOUT_LOSS = 0x400;
        /// The watcher is asked at each step of the decision, not only told of the progress.
        const EXTERNAL_CONTROL = 0x800;
        /// Databases are attached again when recovery has ended, by whoever started the instance.
        const KEEP_ATTACHED = 0x1000;
        /// Page changes of generations that a database does not need any more are not looked at.
        const SKIP_BEFORE_REQUIRED = 0x2000;
        /// Begin no later than the databases of the map need.
        const START_AT_MAPPED = 0x4000;
    }
}

/// What is done where the file of a map's entry is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenMissing {
    /// As [`RecoveryFlags::IGNORE_MISSING_DATABASES`] says.
    #[default]
    AsFlagged,
    /// The database is left out.
    Ignore,
    /// `JET_errFileNotFound` (-1811).
    Fail,
}

/// Where a database lies now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedDatabase {
    /// The path that the log knows.
    pub logged: PathBuf,
    /// The path now.
    pub now: PathBuf,
    /// If it is not there.
    pub when_missing: WhenMissing,
    /// The replay of its creation replaces a file that is there.
    pub overwrite_on_create: bool,
}

impl MappedDatabase {
    /// The database that the log knows as `logged` lies at `now`.
    #[must_use]
    pub fn new(logged: impl Into<PathBuf>, now: impl Into<PathBuf>) -> MappedDatabase {
        MappedDatabase {
            logged: logged.into(),
            now: now.into(),
            when_missing: WhenMissing::AsFlagged,
            overwrite_on_create: false,
        }
    }
}

/// How far redo goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedoEnd {
    /// To the end, or before the first record at or past this position. Nothing is undone; the
    /// databases stay dirty, the log is as it was.
    Pause(LgPos),
    /// Before the first record at or past this position, as if the log had ended there: what is
    /// behind it is removed from the log, unfinished transactions are taken back.
    CutAt(LgPos),
    /// As [`RedoEnd::CutAt`], before the first segment of the log that was begun after this time
    /// (UTC).
    CutAfter(LogTime),
}

/// What a caller may tell recovery beyond the configuration.
#[derive(Default)]
pub struct RecoveryOptions<'a> {
    /// Where databases lie now, by signature, when that is neither where the log says nor in the
    /// instance's own directories, where they are found without a word.
    pub moved: Vec<(Signature, PathBuf)>,
    /// Where databases lie now, by the path that the log knows. Where there are entries, a
    /// database without one counts as missing, unless [`RecoveryFlags::UNMAPPED_IN_PLACE`].
    pub map: Vec<MappedDatabase>,
    /// Only databases of `moved` and `map`, and those inside the instance's own directories, are
    /// opened or made. Others that the log knows are left out: they may be somebody's.
    pub confined: bool,
    /// See there.
    pub flags: RecoveryFlags,
    /// Where redo ends, if not where the log does.
    pub until: Option<RedoEnd>,
    /// The replay of a backup set: its databases are marked as copies.
    pub hard: bool,
    /// With [`RecoveryOptions::hard`]: the first generation, whatever older ones are there.
    pub first: Option<Generation>,
    /// The right to use the logs, if the caller has it already.
    pub lock: Option<Arc<LogLock>>,
    /// Ends the redo between two records; another recovery then begins anew.
    pub stop: StopToken,
    /// Who is told how far recovery is, and with [`RecoveryFlags::EXTERNAL_CONTROL`] asked.
    pub watcher: Option<Watcher<'a>>,
}

impl RecoveryOptions<'_> {
    /// Of an ordinary recovery with these flags.
    #[must_use]
    pub fn with_flags(flags: RecoveryFlags) -> Self {
        RecoveryOptions { flags, ..RecoveryOptions::default() }
    }

    /// Of the replay of a backup set, with the places of its databases.
    #[must_use]
    pub fn restoring(moved: Vec<(Signature, PathBuf)>) -> Self {
        RecoveryOptions { moved, hard: true, ..RecoveryOptions::default() }
    }
}

impl fmt::Debug for RecoveryOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecoveryOptions")
            .field("moved", &self.moved)
            .field("map", &self.map)
            .field("flags", &self.flags)
            .field("until", &self.until)
            .field("confined", &self.confined)
            .field("hard", &self.hard)
            .finish_non_exhaustive()
    }
}
