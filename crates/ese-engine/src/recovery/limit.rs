//! Redo that ends before the log does, and who is told of each log that is read.

use ese_base::{Error, Generation, JetErr, LgPos, LogTime, Result};
use ese_log::LogNames;

use super::{
    ReplayStart,
    databases::RedoDatabases,
    options::RedoEnd,
    watch::{LogPlace, NextAction, OpenReason, RecoveryEvent, Watch},
};

/// How far redo goes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limit(Option<RedoEnd>);

impl Limit {
    pub(crate) fn new(until: Option<RedoEnd>) -> Limit {
        Limit(until)
    }

    /// Does nothing follow on redo?
    pub(crate) fn is_pause(self) -> bool {
        matches!(self.0, Some(RedoEnd::Pause(_)))
    }

    /// The last generation that has to be looked at, where that is known beforehand.
    pub(crate) fn generation(self) -> Option<Generation> {
        match self.0 {
            Some(RedoEnd::Pause(pos) | RedoEnd::CutAt(pos)) => Some(pos.generation),
            Some(RedoEnd::CutAfter(_)) | None => None,
        }
    }

    /// Is a record beyond it, which begins at `pos` in a segment that was begun at `time`?
    pub(super) fn is_passed(self, pos: LgPos, time: LogTime) -> bool {
        match self.0 {
            None => false,
            Some(RedoEnd::Pause(end) | RedoEnd::CutAt(end)) => pos >= end,
            Some(RedoEnd::CutAfter(end)) => time.is_after(end),
        }
    }
}

/// Tells of each log that redo comes to, and how far it is.
pub(super) struct Announcer<'s> {
    start: &'s ReplayStart,
    /// The last log that was told of.
    told: Generation,
    /// The last segment that was told of.
    isec: u16,
}

impl Announcer<'_> {
    pub(super) fn new(start: &ReplayStart) -> Announcer<'_> {
        Announcer { start, told: start.pos.generation, isec: u16::MAX }
    }

    /// Redo begins.
    pub(super) fn first(&self, watch: &mut Watch<'_>, databases: &RedoDatabases) -> Result<()> {
        let generation = self.told;
        self.open(generation, self.start.current == Some(generation), watch, databases)
    }

    /// Redo has come to this place.
    pub(super) fn reached(
        &mut self,
        pos: LgPos,
        watch: &mut Watch<'_>,
        databases: &RedoDatabases,
    ) -> Result<()> {
        if pos.generation == self.told && pos.isec == self.isec {
            return Ok(());
        }
        self.up_to(pos.generation, watch, databases)?;
        self.isec = pos.isec;
        let sectors = u64::from(self.start.sectors.max(1));
        let first = self.start.pos.generation.0;
        let parts = |generation: u32| u64::from(generation.saturating_sub(first)) * sectors;
        let done = parts(pos.generation.0) + u64::from(pos.isec).min(sectors);
        watch.progress(done, parts(self.start.ranges.last.0 + 1))
    }

    /// The log has ended.
    pub(super) fn end(&mut self, watch: &mut Watch<'_>, databases: &RedoDatabases) -> Result<()> {
        let last = self.start.ranges.last;
        self.up_to(last, watch, databases)?;
        let ends_here = self.start.limit.generation().is_some_and(|end| end <= last);
        if self.start.current.is_none() && !ends_here {
            self.try_current(last.next(), watch, databases)?;
            let allowed = self.start.missing_current_allowed;
            let answer = if allowed { Ok(()) } else { Err(missing_current(&self.start.names)) };
            let path = self.start.names.current();
            let generation = last.next();
            let log = LogPlace { generation, current: true, path: &path };
            let (next, headers) = (NextAction::Undo, &*databases.headers());
            watch.ask(&RecoveryEvent::MissingLog { log, next, headers }, answer)?;
        }
        watch.progress(1, 1)
    }

    fn up_to(
        &mut self,
        last: Generation,
        watch: &mut Watch<'_>,
        databases: &RedoDatabases,
    ) -> Result<()> {
        while self.told < last {
            self.told.0 += 1;
            if self.start.current == Some(self.told) {
                self.try_current(self.told, watch, databases)?;
            } else {
                self.open(self.told, false, watch, databases)?;
            }
        }
        Ok(())
    }

    /// A generation that has no archive may be the current one.
    fn try_current(
        &self,
        generation: Generation,
        watch: &mut Watch<'_>,
        databases: &RedoDatabases,
    ) -> Result<()> {
        self.open(generation, false, watch, databases)?;
        let path = self.start.names.archive(generation);
        let log = LogPlace { generation, current: false, path: &path };
        let (next, headers) = (NextAction::TryCurrent, &*databases.headers());
        watch.tell(&RecoveryEvent::MissingLog { log, next, headers })?;
        self.open(generation, true, watch, databases)
    }

    fn open(
        &self,
        generation: Generation,
        current: bool,
        watch: &mut Watch<'_>,
        databases: &RedoDatabases,
    ) -> Result<()> {
        if !watch.is_control() {
            return Ok(());
        }
        let names = &self.start.names;
        let path = if current { names.current() } else { names.archive(generation) };
        let log = LogPlace { generation, current, path: &path };
        let (reason, headers) = (OpenReason::Redo, &*databases.headers());
        watch.tell(&RecoveryEvent::OpenLog { log, reason, headers })?;
        watch.tell(&RecoveryEvent::Notification { event: 301 })
    }
}

/// The answer where there are finished logs and no current one.
#[track_caller]
pub(crate) fn missing_current(names: &LogNames) -> Error {
    Error::new(JetErr::MissingLogFile, "the current log file is missing while older ones are there")
        .at_path(names.current())
        .advise("bring it back; without it the last commits are lost")
}
