//! The state of an instance's backup as several threads see it: one mutex and three atomics.
//!
//! The mutex holds the backup; a call keeps it from its first check to its last effect, so calls
//! of different threads come one after the other. Outside the mutex are the stop flag, the
//! permission to begin, and what others must know (is a backup in progress?). So neither a stop nor
//! an attach that only wants to be refused ever waits for a call that reads.
//!
//! What a backup does in its states is not known here: `B` is all of it. `tests/stop_model.rs`
//! runs this file and its neighbours through every interleaving of a stop, a reader and an end.

use std::{fmt, time::Duration};

use ese_base::{Error, JetErr, Result};

use super::{
    stop::{Sleeper, StopSwitch},
    table::{Api, Reply, State, reply},
};
use crate::sync::{AtomicBool, AtomicU8, Condvar, Mutex, MutexGuard, Ordering};

/// What the machine must know of a backup.
pub(crate) trait Progress {
    /// Where it stands.
    fn state(&self) -> State;
    /// Only the machine calls this.
    fn set_state(&mut self, state: State);
    /// Its number in its instance.
    fn serial(&self) -> u64;
    /// A new backup has the next number. Only the machine calls this.
    fn count(&mut self);
}

/// Who makes a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// A caller of the plain sequence, which belongs to the instance.
    Anyone,
    /// The owner of one particular backup: it must not go on in another one that somebody began
    /// after its own was ended.
    Owner(u64),
}

/// The backup of one instance, with its flags.
pub(crate) struct Machine<B> {
    stop: StopSwitch,
    /// Backups may begin: from the end of a successful initialisation until a termination began.
    allowed: AtomicBool,
    /// The state, as far as others must know it without the mutex.
    published: AtomicU8,
    backup: Mutex<B>,
    /// Notified when a snapshot thaws and when a backup ends.
    changed: Condvar,
}

const NONE: u8 = 0;
const LOCAL: u8 = 1;
const SURROGATE: u8 = 2;
const SNAPSHOT: u8 = 3;

impl<B: fmt::Debug> fmt::Debug for Machine<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine")
            .field("stop", &self.stop)
            .field("allowed", &self.allowed)
            .field("published", &self.published)
            .finish_non_exhaustive()
    }
}

impl<B: Progress> Machine<B> {
    /// Nothing is in progress, and nothing may begin yet.
    pub(crate) fn new(backup: impl FnOnce(Sleeper) -> B) -> Machine<B> {
        let (stop, sleeper) = StopSwitch::new();
        Machine {
            stop,
            allowed: AtomicBool::new(false),
            published: AtomicU8::new(NONE),
            backup: Mutex::new(backup(sleeper)),
            changed: Condvar::new(),
        }
    }

    /// The stop flag.
    pub(crate) fn switch(&self) -> &StopSwitch {
        &self.stop
    }

    /// Backups may begin from now on.
    pub(crate) fn allow(&self) {
        self.allowed.store(true, Ordering::SeqCst);
    }

    /// May one begin? A beginning backup asks with the mutex held: a termination forbids first and
    /// takes the mutex then, so either it finds the backup or the backup finds it.
    pub(crate) fn is_allowed(&self) -> bool {
        self.allowed.load(Ordering::SeqCst)
    }

    /// Why nothing can run beside a backup now. Waits for nothing.
    pub(crate) fn in_progress(&self) -> Option<JetErr> {
        match self.published.load(Ordering::SeqCst) {
            NONE => None,
            SURROGATE => Some(JetErr::SurrogateBackupInProgress),
            _ => Some(JetErr::BackupInProgress),
        }
    }

    /// Is what is in progress a snapshot? Waits for nothing.
    pub(crate) fn is_snapshot(&self) -> bool {
        self.published.load(Ordering::SeqCst) == SNAPSHOT
    }

    /// From now on no backup begins; what is in progress stays.
    pub(crate) fn forbid(&self) {
        self.allowed.store(false, Ordering::SeqCst);
    }

    /// Ends what is in progress, as the termination of the instance does: a pause ends at once, a
    /// call that is running finishes first. No backup can begin any more.
    pub(crate) fn abort(&self, clean_up: impl FnOnce(&mut B)) {
        self.forbid();
        self.stop.stop();
        let mut backup = self.backup.lock();
        if backup.state() == State::None {
            self.stop.clear();
        } else {
            clean_up(&mut backup);
        }
    }

    /// The backup, when no other call has it.
    pub(crate) fn lock(&self) -> MutexGuard<'_, B> {
        self.backup.lock()
    }

    /// The backup, unless another call has it.
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, B>> {
        self.backup.try_lock()
    }

    /// Lets others have the backup until something changes, for `time` at most.
    pub(crate) fn wait(&self, backup: &mut MutexGuard<'_, B>, time: Duration) {
        self.changed.wait_for(backup, time);
    }

    /// Wakes those in [`Machine::wait`].
    pub(crate) fn tell(&self) {
        self.changed.notify_all();
    }

    /// The first checks of every call of a sequence: is there a backup, was it stopped.
    pub(crate) fn gate(&self, api: Api, who: Who) -> Result<MutexGuard<'_, B>> {
        let backup = self.backup.lock();
        if let Who::Owner(serial) = who
            && (backup.serial() != serial || !backup.state().is_local())
        {
            return Err(Error::new(
                JetErr::BackupAbortByServer,
                "the backup was ended by another call or by the termination of the instance",
            ));
        }
        match self.reply(api, &backup) {
            Reply::Refuse(code @ (JetErr::NoBackup | JetErr::BackupAbortByServer)) => {
                if code == JetErr::NoBackup && api.ends() {
                    self.forget_stop(&backup);
                }
                Err(refusal(code, api, backup.state()))
            }
            _ => Ok(backup),
        }
    }

    /// The table's answer.
    pub(crate) fn reply(&self, api: Api, backup: &B) -> Reply {
        reply(api, backup.state(), self.stop.is_stopped())
    }

    /// A backup begins in this state: a stop that was given before it does not concern it.
    pub(crate) fn begin(&self, backup: &mut B, state: State) {
        self.stop.clear();
        backup.count();
        self.set_state(backup, state);
    }

    /// The backup has come to this state.
    pub(crate) fn set_state(&self, backup: &mut B, state: State) {
        backup.set_state(state);
        let published = match state {
            State::None => NONE,
            State::Surrogate => SURROGATE,
            State::Snapshot => SNAPSHOT,
            _ => LOCAL,
        };
        self.published.store(published, Ordering::SeqCst);
    }

    /// The backup has ended; a stop ends with it.
    pub(crate) fn finish(&self, backup: &mut B) {
        self.set_state(backup, State::None);
        self.stop.clear();
        self.tell();
    }

    /// A stop that found no backup is forgotten by the next call that begins or ends one (5.2).
    pub(crate) fn forget_stop(&self, backup: &B) {
        if backup.state() == State::None {
            self.stop.clear();
        }
    }
}

/// The error for a refusal of the table.
#[track_caller]
pub(crate) fn refusal(code: JetErr, api: Api, state: State) -> Error {
    let message = match code {
        JetErr::NoBackup => format!("{api:?}: no backup is in progress"),
        JetErr::BackupAbortByServer => format!("{api:?}: the backup was stopped"),
        JetErr::BackupInProgress
        | JetErr::SurrogateBackupInProgress
        | JetErr::OSSnapshotNotAllowed => {
            format!("{api:?}: a backup is in progress (state {})", state.column())
        }
        JetErr::OutOfMemory => format!("{api:?}: one file can be open at a time, and one is"),
        JetErr::DatabaseNotFound => {
            format!("{api:?}: not an attached database, and the logs' turn has not come")
        }
        JetErr::InvalidParameter => format!("{api:?}: no file is open"),
        _ => format!("{api:?} is not legal in state {}", state.column()),
    };
    let error = Error::new(code, message);
    match code {
        JetErr::BackupAbortByServer => error.advise("end the backup; a new one may begin at once"),
        _ => error,
    }
}
