//! The life of an instance: start, attached databases, checkpoint, background work, end.
//!
//! Everything hangs on an [`Instance`] value; two instances in a process share nothing. The log,
//! the version store and the transaction clock are shared by all its databases, so one
//! transaction can change several of them.

mod attach;
mod beyond;
mod checkpoint;
mod config;
mod create;
mod open;
mod resize;
mod start;
mod status;
mod term;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashSet, VecDeque},
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    time::Duration,
};

use ese_base::{Dbid, Error, JetErr, LgPos, ProcId, Result, TrxId};
use ese_log::Log;
use ese_os::{Env, Worker};
use ese_pages::fence::{LogFence, NoLog};
use parking_lot::{Condvar, Mutex, RwLock};

use self::checkpoint::Bounds;
pub(crate) use self::checkpoint::CheckpointHold;
pub use status::{OldestTransaction, Status, Told, read_status};

pub use self::{
    attach::{AttachMode, Attached},
    config::{InstanceConfig, ShrinkMode},
    start::{recover, recover_telling},
    term::TermMode,
};
pub(crate) use self::{
    attach::{cache_options, forget_backups, make_header_clean},
    config::lasting,
    create::INITIAL_PAGES,
};
use crate::{
    database::Database,
    session::{self, AtZero, Change, TreeDrop, Unreferenced},
    temp::TempFiles,
    trx::{OpenTransaction, TrxClock},
    version::VersionStore,
};

/// How long background work rests when nobody wakes it.
const REST: Duration = Duration::from_millis(50);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Life {
    Running = 0,
    Terminating = 1,
    Ended = 2,
}

/// The version store at a moment.
#[derive(Clone, Debug)]
pub struct VersionInfo {
    /// Versions that are kept.
    pub versions: u64,
    /// Their memory, approximately.
    pub bytes: u64,
    /// How much it may become.
    pub bytes_max: u64,
    /// The transaction whose snapshot is oldest; nothing newer than it is let go.
    pub oldest: Option<OpenTransaction>,
}

/// What a commit leaves to be done when everybody sees it.
#[derive(Debug)]
struct Retired {
    number: TrxId,
    changes: Vec<Change>,
    drops: Vec<TreeDrop>,
    /// Until the drops are done and the values gone; there if there are any.
    hold: Option<Arc<CheckpointHold>>,
}

impl Retired {
    fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.drops.is_empty()
    }
}

/// A running instance (ESE: INST).
#[derive(Debug)]
pub struct Instance {
    /// Files, time, threads.
    pub env: Env,
    /// What it was started with.
    pub config: InstanceConfig,
    /// The log; `None` with recovery off.
    pub log: Option<Arc<Log>>,
    pub(crate) clock: TrxClock,
    /// Versions of all its databases.
    pub versions: VersionStore,
    /// What the log asks of its instance; shared with the log itself.
    bounds: Arc<Bounds>,
    /// Position of the `Init2` record of this run; the final `Term2` names it.
    init: LgPos,
    life: AtomicU8,
    poison: OnceLock<(JetErr, String)>,
    /// Commits whose versions some snapshot may still need, oldest first.
    retired: Mutex<VecDeque<Retired>>,
    /// Rows that end if a number of theirs is zero.
    pub(crate) at_zero: Mutex<HashSet<AtZero>>,
    /// Long values that may have lost their last reference.
    pub(crate) unreferenced: Unreferenced,
    /// Held for reading by who cleans up after commits, for writing by who detaches a database:
    /// what is half cleaned up is done by then. Who finds it taken leaves the work to the next.
    cleaning: RwLock<()>,
    /// Its temporary tables.
    pub(crate) temp: TempFiles,
    /// Changed pages are written as soon as possible, see [`Instance::quiesce`].
    quiesced: AtomicBool,
    /// When the lazy commits so far must be durable, by the clock that never goes back.
    durable_by: Mutex<Option<Duration>>,
    worker: Mutex<Option<Worker>>,
    nudge: Arc<(Mutex<bool>, Condvar)>,
}

impl Instance {
    /// Refuses calls after an earlier failure or while the instance ends.
    ///
    /// # Errors
    /// `JET_errInstanceUnavailable` (-1090) naming the first failure, `JET_errTermInProgress`
    /// (-1000), `JET_errNotInitialized` (-1029) after the end.
    pub fn check(&self) -> Result<()> {
        self.check_alive()?;
        match self.life.load(Ordering::Acquire) {
            0 => Ok(()),
            1 => Err(Error::new(JetErr::TermInProgress, "the instance is being terminated")),
            _ => Err(Error::new(JetErr::NotInitialized, "the instance has ended")),
        }
    }

    /// Refuses calls after an earlier failure.
    ///
    /// # Errors
    /// `JET_errInstanceUnavailable` (-1090) naming the first failure.
    pub fn check_alive(&self) -> Result<()> {
        match self.poison.get() {
            None => Ok(()),
            Some((code, cause)) => Err(Error::new(
                JetErr::InstanceUnavailable,
                format!("the instance stopped after a failure: {cause} ({})", *code as i32),
            )
            .advise("terminate it and start it again; recovery puts the files right")),
        }
    }

    /// Remembers the first failure; from then on every call is refused.
    pub fn poison(&self, cause: &Error) {
        if self.poison.set((cause.code(), cause.to_string())).is_ok() {
            tracing::error!(%cause, "the instance cannot go on");
        }
    }

    /// The rule that a database's pages obey before they are written.
    pub(crate) fn fence<'a>(&'a self, db: &'a Database) -> &'a dyn LogFence {
        match db.log() {
            Some(log) => log.as_ref(),
            None => &NoLog,
        }
    }

    /// The attached databases, by number.
    #[must_use]
    pub fn databases(&self) -> Vec<Arc<Attached>> {
        self.bounds.attached.read().clone()
    }

    /// The attached database with this number.
    ///
    /// # Errors
    /// `JET_errInvalidDatabaseId` (-1010).
    pub fn database(&self, dbid: Dbid) -> Result<Arc<Attached>> {
        let attached = self.bounds.attached.read();
        attached.iter().find(|other| other.db.dbid == dbid).cloned().ok_or_else(|| {
            Error::new(JetErr::InvalidDatabaseId, format!("no database has number {dbid}"))
        })
    }

    /// What the version store holds, and which transaction keeps it from letting go.
    #[must_use]
    pub fn version_info(&self) -> VersionInfo {
        VersionInfo {
            versions: self.versions.entries(),
            bytes: self.versions.bytes(),
            bytes_max: self.config.version_store_max,
            oldest: self.clock.oldest(self.env.clock.monotonic()),
        }
    }

    /// A full version store names the transaction that fills it.
    pub(crate) fn explain(&self, error: Error) -> Error {
        if error.code() != JetErr::VersionStoreOutOfMemory {
            return error;
        }
        let VersionInfo { versions, bytes, bytes_max, oldest } = self.version_info();
        let oldest = oldest.map_or_else(|| "none".to_owned(), |oldest| oldest.to_string());
        let what = format!(
            "the version store holds {versions} versions, {bytes} of {bytes_max} bytes; the oldest \
             transaction: {oldest}"
        );
        Error::new(JetErr::VersionStoreOutOfMemory, what)
            .advise("end the oldest transaction, or commit in smaller steps")
    }

    /// Number of sessions.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.clock.sessions()
    }

    /// Takes over the versions of a commit: drops them now if everybody sees it, else later.
    pub(crate) fn retire(
        &self,
        number: TrxId,
        changes: Vec<Change>,
        (drops, hold): (Vec<TreeDrop>, Option<Arc<CheckpointHold>>),
    ) {
        let mut retired = self.retired.lock();
        retired.push_back(Retired { number, changes, drops, hold });
        drop(retired);
        self.clean_up_versions();
        self.keep_up_with_values();
    }

    /// Where more long values are let go than the background removes, whoever lets them go
    /// removes some.
    fn keep_up_with_values(&self) {
        if self.unreferenced.is_long() {
            self.nudge();
        }
        // As with versions: others may be at work, or wait to be alone.
        if self.unreferenced.is_too_long()
            && let Some(_cleaning) = self.cleaning.try_read_recursive()
            && let Err(error) = session::remove_some_unreferenced(self)
        {
            tracing::warn!(%error, "long values could not be removed");
            if self.check_alive().is_ok() {
                self.poison(&error);
            }
        }
    }

    /// Drops versions that no snapshot needs any more, and removes the nodes that their
    /// transactions deleted.
    pub fn clean_up_versions(&self) {
        // One cleaner at a time; whoever finds another at work leaves its commit to that one or the
        // next.
        let Some(_cleaning) = self.cleaning.try_read_recursive() else { return };
        while let Some(mut retired) = self.retired.try_lock() {
            let ready = retired.front().is_some_and(|next| self.clock.seen_by_all(next.number));
            let Some(Retired { changes, drops, hold, .. }) =
                (if ready { retired.pop_front() } else { None })
            else {
                return;
            };
            drop(retired);
            // The checkpoint is held until the trees are dropped.
            let mut cleaned = session::clean_up(self, &changes, hold.as_ref());
            if cleaned.is_ok() && !drops.is_empty() {
                cleaned = session::perform_drops(self, &drops);
            }
            if let Err(error) = cleaned {
                tracing::warn!(%error, "deleted rows could not be removed; they stay invisible");
                if self.check_alive().is_ok() && error.kind() != ese_base::ErrorKind::Outcome {
                    self.poison(&error);
                }
                return;
            }
        }
    }

    /// Deletes the rows that additions have brought to zero, and the long values to which no row
    /// refers any more. At the end of the log sequence they stay: no transaction begins any more.
    pub(crate) fn end_rows_at_zero(self: &Arc<Instance>) -> Result<()> {
        let Some(_cleaning) = self.cleaning.try_read() else { return Ok(()) };
        let ended = session::end_rows_at_zero(self).and_then(|()| {
            // The rows that ended may have been the last to refer to a value.
            self.clean_up_versions();
            session::remove_unreferenced(self)
        });
        match ended {
            Err(error)
                if matches!(error.code(), JetErr::TermInProgress | JetErr::LogSequenceEnd) =>
            {
                Ok(())
            }
            other => other,
        }
    }

    /// Runs page changes that belong to no transaction. A slot of their own keeps the checkpoint
    /// before their first record, because a record is in the log a moment before its page
    /// counts as changed.
    pub(crate) fn system_work<T>(&self, work: impl FnOnce(ProcId) -> Result<T>) -> Result<T> {
        let slot = self.clock.register_system()?;
        if let Some(log) = &self.log {
            slot.set_begin0(log.tip());
        }
        let result = work(slot.procid);
        slot.clear();
        self.clock.unregister(&slot);
        result
    }

    /// Starts background work where the environment has threads.
    fn start_worker(self: &Arc<Instance>) -> Result<()> {
        let (instance, nudge): (Weak<Instance>, _) =
            (Arc::downgrade(self), Arc::clone(&self.nudge));
        let body = move || {
            let mut publisher = status::Publisher::default();
            let mut rest = REST;
            loop {
                {
                    let (due, wake) = &*nudge;
                    let mut due = due.lock();
                    if !*due {
                        wake.wait_for(&mut due, rest);
                    }
                    *due = false;
                }
                let Some(instance) = instance.upgrade() else { return };
                if instance.life.load(Ordering::Acquire) != Life::Running as u8 {
                    return;
                }
                if instance.check_alive().is_ok()
                    && let Err(error) = instance.background_step()
                {
                    instance.poison(&error);
                }
                publisher.publish(&instance);
                rest = instance.rest();
            }
        };
        *self.worker.lock() = self.env.threads.spawn("ese-flush", Box::new(body))?;
        Ok(())
    }

    /// From now on, or no longer, changed pages are written at once instead of when a checkpoint
    /// far behind wants it, so that recovery would be quick (`JET_bitStopServiceQuiesceCaches`).
    /// Waits for nothing.
    pub fn quiesce(&self, on: bool) {
        self.quiesced.store(on, Ordering::SeqCst);
        self.nudge();
    }

    /// Has the background work make all commits so far durable when this time has passed, or
    /// earlier if somebody has wished so.
    pub fn make_durable_within(&self, delay: Duration) {
        let wished = self.env.clock.monotonic().saturating_add(delay);
        let mut by = self.durable_by.lock();
        *by = Some(by.map_or(wished, |earlier| earlier.min(wished)));
        drop(by);
        if delay < REST {
            // The background work has to rest for less than it does now.
            self.nudge();
        }
    }

    /// How long the background work may rest: no longer than a lazy commit may wait.
    fn rest(&self) -> Duration {
        let Some(by) = *self.durable_by.lock() else { return REST };
        by.saturating_sub(self.env.clock.monotonic()).min(REST)
    }

    /// Makes lazy commits durable whose time has come.
    fn flush_due_commits(&self) -> Result<()> {
        let now = self.env.clock.monotonic();
        // Taken before the log is asked for its end: who commits meanwhile wishes anew.
        let due = self.durable_by.lock().take_if(|by| *by <= now);
        match (&self.log, due) {
            (Some(log), Some(_)) => log.flush(log.tip()),
            _ => Ok(()),
        }
    }

    /// Tells the background thread that there is something to do now.
    pub(crate) fn nudge(&self) {
        let (due, wake) = &*self.nudge;
        *due.lock() = true;
        wake.notify_one();
    }

    /// One round of background work: frames, versions, old dirty pages, checkpoint. Called by the
    /// background thread; where there is none (simulation), by whoever drives the instance.
    ///
    /// # Errors
    /// Those of writing; the instance is then poisoned by the caller.
    pub fn background_step(self: &Arc<Instance>) -> Result<()> {
        self.flush_due_commits()?;
        let databases = self.databases();
        let changeable = databases.iter().filter(|attached| !attached.is_read_only());
        changeable.for_each(|attached| attached.db.cache.make_frames_ahead());
        self.clean_up_versions();
        self.end_rows_at_zero()?;
        self.shrink_behind()?;
        self.flush_ahead()?;
        self.flush_behind()?;
        self.advance_checkpoint()
    }
}

impl Drop for Instance {
    /// Lets go of files and locks. Whoever did not terminate it leaves dirty databases behind,
    /// which the next start recovers.
    fn drop(&mut self) {
        self.nudge();
        drop(self.worker.get_mut().take());
        // The directory is still locked; one that is abandoned leaves everything behind.
        if self.check_alive().is_ok() {
            self.temp.remove();
        }
        // The log knows the observer, which knows the databases, which know the log.
        if let Some(log) = &self.log {
            log.clear_observer();
        }
        self.bounds.attached.write().clear();
    }
}
