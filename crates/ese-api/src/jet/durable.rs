//! Telling a program which of its commits have become durable (the reference page of
//! JET_PFNDURABLECOMMITCALLBACK; api-semantics 5.10).
//!
//! Whoever writes the log notes how far it is durable; a thread of the instance tells the program.
//! It holds no lock meanwhile, so the program may call the engine, but not terminate the instance.
//!
//! Who commits returns when the program has been told of it, as in ESE, where the function is
//! called before those are woken who wait for the log. He waits without a lock. So the function may
//! commit itself, which waits for nobody then, but not wait for another thread that commits.

use std::{
    fmt,
    sync::Arc,
    thread::{self, ThreadId},
};

use ese_base::{LgPos, Result};
use ese_log::Log;
use ese_os::{Env, Worker};
use parking_lot::{Condvar, Mutex};

use super::{
    JET_COMMIT_ID,
    handles::{JET_INSTANCE, JET_SESID},
    params::{JET_PARAM, JET_paramDurableCommitCallback, find, set},
};

type Tells = dyn Fn(JET_INSTANCE, &JET_COMMIT_ID) + Send + Sync;

/// A function that is told how far the log is durable: all commits whose number is lower than the
/// one it is told are.
#[derive(Clone)]
pub struct JET_DURABLECOMMIT {
    tells: Arc<Tells>,
    number: u64,
}

impl JET_DURABLECOMMIT {
    /// Calls `told`, from a thread of the engine. By the number, if it is not 0, callers recognise
    /// the function: two with the same number are the same.
    pub fn new(
        number: u64,
        told: impl Fn(JET_INSTANCE, &JET_COMMIT_ID) + Send + Sync + 'static,
    ) -> JET_DURABLECOMMIT {
        JET_DURABLECOMMIT { tells: Arc::new(told), number }
    }

    /// The number that was given to [`JET_DURABLECOMMIT::new`].
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl fmt::Debug for JET_DURABLECOMMIT {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JET_DURABLECOMMIT")
    }
}

impl PartialEq for JET_DURABLECOMMIT {
    fn eq(&self, other: &JET_DURABLECOMMIT) -> bool {
        let same = self.number != 0 && self.number == other.number;
        same || Arc::ptr_eq(&self.tells, &other.tells)
    }
}

impl Eq for JET_DURABLECOMMIT {}

/// Whom an instance tells of durable commits: JetSetSystemParameter with
/// `JET_paramDurableCommitCallback`, which has no number in Rust. Not a Jet function.
///
/// # Errors
/// `JET_errAlreadyInitialized` (-1030) after JetInit, `JET_errInvalidInstance` (-1115).
pub fn set_durable_commit_callback(
    instance: Option<JET_INSTANCE>,
    sesid: JET_SESID,
    callback: Option<JET_DURABLECOMMIT>,
) -> Result<()> {
    let new = JET_PARAM::DurableCommit(callback);
    set(instance, sesid, find(JET_paramDurableCommitCallback)?, new)
}

/// What names the commits before a position of the log.
pub(super) fn commit_id(log: &Log, before: LgPos) -> JET_COMMIT_ID {
    let [isec, ib] = [before.isec, before.ib].map(i64::from);
    let commitId = i64::from(before.generation.0) << 32 | isec << 16 | ib;
    JET_COMMIT_ID { signLog: log.signature(), commitId }
}

/// How far the log is durable, and how far the program knows.
#[derive(Debug, Default)]
struct State {
    durable: LgPos,
    told: LgPos,
    end: bool,
    /// Will what is noted be told?
    tells: bool,
    /// The thread that tells.
    teller: Option<ThreadId>,
}

/// What those who write the log, those who commit and the one who tells know of each other.
#[derive(Debug, Default)]
pub(super) struct Notes {
    state: Mutex<State>,
    /// There is something to tell, or an end.
    wake: Condvar,
    /// Something was told, or nothing will be any more.
    told: Condvar,
}

/// The thread that tells the program.
#[derive(Debug)]
pub(super) struct Teller {
    log: Arc<Log>,
    notes: Arc<Notes>,
    worker: Option<Worker>,
}

impl Teller {
    /// Begins to tell. In an environment without threads nobody is told.
    pub(super) fn start(
        env: &Env,
        instance: JET_INSTANCE,
        log: &Arc<Log>,
        callback: JET_DURABLECOMMIT,
    ) -> Result<Teller> {
        let notes = Arc::new(Notes::default());
        let durable = log.durable();
        *notes.state.lock() = State { durable, told: durable, tells: true, ..State::default() };
        let body = {
            let (notes, log) = (Arc::clone(&notes), Arc::clone(log));
            move || notes.work(|durable| (callback.tells)(instance, &commit_id(&log, durable)))
        };
        let worker = env.threads.spawn("ese-durable", Box::new(body))?;
        if worker.is_none() {
            notes.state.lock().tells = false;
        }
        log.watch_durable(Some({
            let notes = Arc::clone(&notes);
            Arc::new(move |durable| notes.note(durable, false))
        }));
        // What became durable before somebody watched.
        notes.note(log.durable(), false);
        Ok(Teller { log: Arc::clone(log), notes, worker })
    }
}

impl Teller {
    /// For those who commit.
    pub(super) fn notes(&self) -> Arc<Notes> {
        Arc::clone(&self.notes)
    }
}

impl Drop for Teller {
    /// Everything that is durable has been told afterwards.
    fn drop(&mut self) {
        self.log.watch_durable(None);
        self.notes.note(self.log.durable(), true);
        // Joins the thread.
        drop(self.worker.take());
    }
}

impl Notes {
    fn note(&self, durable: LgPos, end: bool) {
        let mut state = self.state.lock();
        state.durable = state.durable.max(durable);
        state.end |= end;
        self.wake.notify_one();
    }

    /// Returns when the program has been told of everything before a position that is durable. The
    /// caller holds no lock that a call of the program might need.
    pub(super) fn wait_told(&self, durable: LgPos) {
        let mut state = self.state.lock();
        let own = Some(thread::current().id());
        while state.told < durable && state.tells && state.teller != own {
            self.told.wait(&mut state);
        }
    }

    fn work(&self, tell: impl Fn(LgPos)) {
        self.state.lock().teller = Some(thread::current().id());
        let _gone = Gone(self);
        let mut state = self.state.lock();
        loop {
            while state.durable == state.told && !state.end {
                self.wake.wait(&mut state);
            }
            if state.durable == state.told {
                return;
            }
            let durable = state.durable;
            drop(state);
            tell(durable);
            state = self.state.lock();
            state.told = durable;
            self.told.notify_all();
        }
    }
}

/// Nobody tells any more, also if the program's function has panicked.
struct Gone<'a>(&'a Notes);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.state.lock().tells = false;
        self.0.told.notify_all();
    }
}
