//! The stop flag of an instance's backup, and the one wait that it ends early.
//!
//! Whoever stops writes one atomic flag and wakes the wait. No lock of a running call is taken:
//! the flag is outside the mutex that a call holds, and waking locks only the sleeper's own parking
//! place, which no one keeps while touching a file.

use std::{fmt, time::Duration};

use ese_base::StopToken;
use ese_os::Clock;

use crate::sync::{AtomicBool, Condvar, Mutex, Ordering};

/// How a pause between two attempts at reading a damaged page passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PauseBy {
    /// Asleep, and awake at once when the stop is given.
    #[default]
    Waiting,
    /// By [`Clock::sleep`] in slices of [`SLICE`], for a simulated clock. A stop is seen after the
    /// running slice.
    Clock,
}

/// Longest sleep of [`PauseBy::Clock`] without a look at the flag.
pub const SLICE: Duration = Duration::from_millis(10);

/// Longest sleep of [`PauseBy::Waiting`] without a look at a caller's token, which wakes nobody.
const LOOK: Duration = Duration::from_millis(50);

/// The flag, and the sleeper's parking place.
pub(crate) struct StopSwitch {
    stopped: AtomicBool,
    /// Locked by the sleeper while it looks, and by who wakes it: so no wake-up comes between the
    /// look and the sleep.
    parked: Mutex<()>,
    wake: Condvar,
    /// Of the copy that is running; stops as the flag does.
    token: Mutex<Option<StopToken>>,
}

/// The right to sleep on the switch. There is one; it belongs to the running call.
#[derive(Debug)]
pub(crate) struct Sleeper(());

impl fmt::Debug for StopSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StopSwitch").field("stopped", &self.is_stopped()).finish_non_exhaustive()
    }
}

impl StopSwitch {
    pub(crate) fn new() -> (StopSwitch, Sleeper) {
        let switch = StopSwitch {
            stopped: AtomicBool::new(false),
            parked: Mutex::new(()),
            wake: Condvar::new(),
            token: Mutex::new(None),
        };
        (switch, Sleeper(()))
    }

    /// Sets the flag and wakes the sleeper.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        drop(self.parked.lock());
        self.wake.notify_all();
    }

    /// Takes the flag back.
    pub(crate) fn clear(&self) {
        self.stopped.store(false, Ordering::SeqCst);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// From now on pauses look at this token, too.
    pub(crate) fn watch(&self, token: Option<StopToken>) {
        *self.token.lock() = token;
    }

    /// Was the stop given, here or by the token?
    fn look(&self) -> bool {
        if self.token.lock().as_ref().is_some_and(|token| token.reason().is_some()) {
            self.stopped.store(true, Ordering::SeqCst);
        }
        self.is_stopped()
    }

    /// Lets `time` pass, or less when the stop is given. True: the stop was given.
    pub(crate) fn pause(
        &self,
        _sleeper: &Sleeper,
        clock: &dyn Clock,
        by: PauseBy,
        time: Duration,
    ) -> bool {
        match by {
            PauseBy::Clock => {
                let mut left = time;
                while !left.is_zero() && !self.look() {
                    let slice = left.min(SLICE);
                    clock.sleep(slice);
                    left -= slice;
                }
            }
            PauseBy::Waiting => {
                let end = clock.monotonic() + time;
                let mut parked = self.parked.lock();
                while !self.look() {
                    let now = clock.monotonic();
                    if now >= end {
                        break;
                    }
                    self.wake.wait_for(&mut parked, (end - now).min(LOOK));
                }
            }
        }
        self.look()
    }
}
