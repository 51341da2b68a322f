//! Group commit: who writes, who waits, who is woken.
//!
//! Whoever needs durability first becomes the leader: it takes everything appended so far, writes
//! it with one write and one sync, and wakes all whose records were in it. There is no log-writer
//! thread, so a commit costs no hand-over; while the leader waits for the disk, others append, and
//! the first of them leads the next round. Every waiter is served by the round that runs when it
//! comes or by the one after: nobody starves.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use ese_base::{Error, JetErr, LgPos, Result, plant};
use parking_lot::{Condvar, Mutex, MutexGuard};

/// The state of the rounds.
#[derive(Debug)]
pub(crate) struct Rounds {
    state: Mutex<State>,
    /// Waiters of even and of odd rounds, so that the end of a round wakes only its own.
    done: [Condvar; 2],
    /// Everything before this position is durable; packed, see [`pack`].
    durable: AtomicU64,
    /// Is there a failure? For a look without the lock.
    failed: AtomicBool,
}

#[derive(Debug)]
struct State {
    /// Number of the round that runs or comes next.
    round: u64,
    /// Is somebody writing?
    running: bool,
    /// What the running round makes durable.
    covers: LgPos,
    /// The first failure; nothing is written after it.
    failure: Option<Error>,
    /// Of the rounds that somebody waited for.
    times: RoundTimes,
}

/// How long the rounds took that made the log durable. Times are those of the machine's clock
/// ([`ese_os::Clock::monotonic`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoundTimes {
    /// Rounds that are over.
    pub ended: u64,
    /// What they took together.
    pub took: Duration,
    /// Since when another one is running.
    pub running_since: Option<Duration>,
}

/// What a caller of [`Rounds::join`] has to do.
pub(crate) enum Role<'a> {
    /// It is durable already.
    Done,
    /// Write, then call [`Running::finish`]. The lock is held until the batch has been taken:
    /// pass it to [`Rounds::start`].
    Lead(Lead<'a>),
}

/// The right to lead the next round.
pub(crate) struct Lead<'a>(MutexGuard<'a, State>);

/// A round that is being written. A leader that unwinds fails the log: nobody can tell what is on
/// the disk, and whoever waits must not wait for ever.
#[must_use]
pub(crate) struct Running<'a>(Option<&'a Rounds>);

impl Running<'_> {
    /// The round is over. Wakes those whose records were in it, and one of those who came too
    /// late for it, who leads the next if nobody else does.
    pub(crate) fn finish(mut self, result: &Result<()>, now: Duration) {
        if let Some(rounds) = self.0.take() {
            rounds.finish(result, Some(now));
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(rounds) = self.0.take() {
            let what = "whoever wrote it ended in a panic";
            rounds.finish(&Err(Error::new(JetErr::LogWriteFail, what)), None);
        }
    }
}

impl Rounds {
    pub(crate) fn new(durable: LgPos) -> Rounds {
        Rounds {
            state: Mutex::new(State {
                round: 0,
                running: false,
                covers: durable,
                failure: None,
                times: RoundTimes::default(),
            }),
            done: [Condvar::new(), Condvar::new()],
            durable: AtomicU64::new(durable.to_u64()),
            failed: AtomicBool::new(false),
        }
    }

    /// Rounds that are over.
    pub(crate) fn count(&self) -> u64 {
        self.state.lock().round
    }

    /// How long those took that somebody waited for.
    pub(crate) fn times(&self) -> RoundTimes {
        self.state.lock().times
    }

    /// Has the log failed?
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Everything before this position is durable.
    pub(crate) fn durable(&self) -> LgPos {
        LgPos::from_u64(self.durable.load(Ordering::Acquire))
    }

    /// Returns when the log is durable up to `end`, or when the caller has to lead.
    ///
    /// # Errors
    /// The first failure, if there was one.
    pub(crate) fn join(&self, end: LgPos) -> Result<Role<'_>> {
        if self.durable() >= end {
            return Ok(Role::Done);
        }
        let mut state = self.state.lock();
        loop {
            if self.durable() >= end {
                return Ok(Role::Done);
            }
            if let Some(failure) = &state.failure {
                return Err(failure.clone());
            }
            if !state.running {
                return Ok(Role::Lead(Lead(state)));
            }
            let round = if end <= state.covers { state.round } else { state.round + 1 };
            self.done(round).wait(&mut state);
        }
    }

    /// The leader's batch reaches up to `covers`; others may come in now. `now`: somebody waits
    /// until it is durable, so the round's time counts.
    pub(crate) fn start<'a>(
        &'a self,
        lead: Lead<'a>,
        covers: LgPos,
        now: Option<Duration>,
    ) -> Running<'a> {
        let Lead(mut state) = lead;
        state.running = true;
        state.covers = covers;
        state.times.running_since = now;
        drop(state);
        if plant!("log-acknowledge-early") {
            self.publish(covers);
        }
        Running(Some(self))
    }

    /// Part of the round is durable.
    pub(crate) fn publish(&self, durable: LgPos) {
        self.durable.store(durable.to_u64(), Ordering::Release);
    }

    fn finish(&self, result: &Result<()>, now: Option<Duration>) {
        let mut state = self.state.lock();
        let ended = state.round;
        let times = &mut state.times;
        if let (Some(begun), Some(now)) = (times.running_since.take(), now) {
            times.ended += 1;
            times.took += now.saturating_sub(begun);
        }
        state.running = false;
        state.round += 1;
        if let Err(error) = result {
            state.failure.get_or_insert_with(|| refusal(error));
            self.failed.store(true, Ordering::Release);
            drop(state);
            self.done(ended).notify_all();
            self.done(ended + 1).notify_all();
            return;
        }
        drop(state);
        self.done(ended).notify_all();
        self.done(ended + 1).notify_one();
    }

    /// The first failure.
    ///
    /// # Errors
    /// `JET_errLogWriteFail` (-510) or `JET_errLogDiskFull` (-529), with the first cause.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.state.lock().failure {
            Some(failure) => Err(failure.clone()),
            None => Ok(()),
        }
    }

    fn done(&self, round: u64) -> &Condvar {
        let [even, odd] = &self.done;
        if round.is_multiple_of(2) { even } else { odd }
    }
}

/// What everybody hears from the first failure on.
fn refusal(cause: &Error) -> Error {
    let code = match cause.code() {
        JetErr::LogDiskFull | JetErr::DiskFull => JetErr::LogDiskFull,
        JetErr::LogSequenceEnd => JetErr::LogSequenceEnd,
        _ => JetErr::LogWriteFail,
    };
    let told = cause.clone().with_code(code).within("the log cannot be written any more");
    told.advise("end the instance and start it again; recovery keeps what was committed")
}
