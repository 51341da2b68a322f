//! The end of an instance (backup-log-recovery 3.7).

use std::sync::{Arc, atomic::Ordering};

use ese_base::{Error, JetErr, LgPos, Result};
use ese_log::{
    Log,
    records::{Record, RunEnd, ShutDownMark, Term2},
};
use ese_pages::cache::FlushGoal;

use super::{Instance, Life, status};
use crate::session;

/// How thoroughly an instance ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TermMode {
    /// Everything is written; databases are clean afterwards.
    Clean,
    /// Only the log is written; databases stay dirty and the next start recovers them.
    Dirty,
}

impl Instance {
    /// Ends the instance. All sessions must have ended.
    ///
    /// # Errors
    /// `JET_errTooManyActiveUsers` (-1059) while sessions exist: the instance goes on.
    /// `JET_errLogSequenceEndDatabasesConsistent` (-548): it has ended in order, databases are
    /// clean, and no other can start before the logs are removed. Any other error leaves the
    /// databases dirty and the instance ended; the next start recovers them.
    pub fn terminate(self: &Arc<Instance>, mode: TermMode) -> Result<()> {
        let sessions = self.clock.sessions();
        if sessions > 0 {
            return Err(Error::new(
                JetErr::TooManyActiveUsers,
                format!("{sessions} sessions have not ended"),
            ));
        }
        if mode == TermMode::Clean && self.check().is_ok() {
            self.clean_up_versions();
            self.end_rows_at_zero()?;
        }
        let life = (Life::Running as u8, Life::Terminating as u8);
        let swapped =
            self.life.compare_exchange(life.0, life.1, Ordering::SeqCst, Ordering::SeqCst);
        if swapped.is_err() {
            return Err(Error::new(JetErr::TermInProgress, "the instance is ending or has ended"));
        }
        self.nudge();
        drop(self.worker.lock().take());
        status::withdraw(self);
        let ended = match mode {
            TermMode::Clean => self.end_clean(),
            TermMode::Dirty => self.end_dirty(),
        };
        self.life.store(Life::Ended as u8, Ordering::SeqCst);
        self.bounds.attached.write().clear();
        self.temp.remove();
        if let Some(log) = &self.log {
            log.let_go(ended.as_ref().err().is_none_or(is_sequence_end));
        }
        ended
    }

    /// Ends the instance as if its process had been killed: every later call is refused, nothing
    /// more is written. Background work has ended on return, so that files and locks are free as
    /// soon as the last handle is dropped.
    pub fn abandon(&self) {
        self.poison(&Error::new(JetErr::InternalError, "the instance was abandoned"));
        self.life.store(Life::Ended as u8, Ordering::SeqCst);
        self.nudge();
        drop(self.worker.lock().take());
    }

    fn end_dirty(&self) -> Result<()> {
        self.check_alive()?;
        match &self.log {
            Some(log) => log.flush(log.tip()),
            None => Ok(()),
        }
    }

    pub(super) fn end_clean(&self) -> Result<()> {
        self.check_alive()?;
        self.clean_up_versions();
        // No session is left: whatever value this lets go can be removed now.
        self.unreferenced.pins.clear();
        session::remove_unreferenced(self)?;
        for attached in self.databases() {
            self.shrink_at_detach(&attached)?;
        }
        let _no_checkpoint = self.bounds.writing.lock();
        let mark = match &self.log {
            None => LgPos::MIN,
            Some(log) => {
                let appended = log.append(&Record::ShutDownMark(ShutDownMark {}))?;
                log.flush(appended.end)?;
                appended.start
            }
        };
        for attached in self.databases().iter().filter(|attached| !attached.is_read_only()) {
            attached.db.cache.flush(FlushGoal::All, self.fence(&attached.db))?;
            self.make_clean(attached, if attached.is_logged() { mark } else { LgPos::MIN })?;
        }
        self.bounds.attached.write().clear();
        let Some(log) = &self.log else { return Ok(()) };
        let term = log.append(&Record::Term2(Term2(RunEnd {
            started: self.init,
            redo_from: LgPos::MIN,
            hard: 0,
            time: Some(self.env.clock.log_time()),
        })))?;
        log.flush(term.end)?;
        self.write_checkpoint(term.start)?;
        if log.is_at_sequence_end() { Err(at_sequence_end(log)) } else { Ok(()) }
    }
}

fn is_sequence_end(error: &Error) -> bool {
    error.code() == JetErr::LogSequenceEndDatabasesConsistent
}

/// All databases are clean, and the log can take no further run.
pub(super) fn at_sequence_end(log: &Log) -> Error {
    let what = "all generation numbers of the log are used up; all databases are clean";
    Error::new(JetErr::LogSequenceEndDatabasesConsistent, what)
        .at_path(log.names().dir())
        .advise("remove the logs and the checkpoint, start a new log stream and make a full backup")
}
