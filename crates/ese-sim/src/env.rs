//! The simulated machine: virtual time, seeded randomness, no threads.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ese_base::Result;
use ese_os::{Clock, Env, Rng, Threads, Worker};
use parking_lot::Mutex;

use crate::{disk::SimDisk, random::Random};

/// Makes simulated environments.
#[derive(Clone, Copy, Debug)]
pub struct SimEnv;

impl SimEnv {
    /// A machine with an empty disk. The same seed gives the same machine.
    // It is a maker of environments and no environment itself, so it gives one.
    #[allow(clippy::new_ret_no_self, reason = "the pair is what every test needs")]
    #[must_use]
    pub fn new(seed: u64) -> (Env, Arc<SimDisk>) {
        let disk = Arc::new(SimDisk::new());
        (SimEnv::on(&disk, seed), disk)
    }

    /// A machine with this disk: the way to boot from a crash image.
    #[must_use]
    pub fn on(disk: &SimDisk, seed: u64) -> Env {
        Env {
            fs: Arc::new(disk.clone()),
            clock: Arc::new(SimClock::new()),
            rng: Arc::new(SimRng::new(seed)),
            threads: Arc::new(SimThreads),
        }
    }
}

/// Time that passes only when somebody sleeps or [`SimClock::advance`] is called.
#[derive(Debug)]
pub struct SimClock {
    nanos: AtomicU64,
}

impl SimClock {
    /// 2020-01-01 00:00 UTC: where every simulated clock starts.
    pub const START_UNIX_MS: u64 = 1_577_836_800_000;

    /// A clock at its start.
    #[must_use]
    pub fn new() -> SimClock {
        SimClock { nanos: AtomicU64::new(0) }
    }

    /// Lets time pass.
    pub fn advance(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Ordering::SeqCst);
    }
}

impl Default for SimClock {
    fn default() -> SimClock {
        SimClock::new()
    }
}

impl Clock for SimClock {
    fn unix_ms(&self) -> u64 {
        SimClock::START_UNIX_MS + self.nanos.load(Ordering::SeqCst) / 1_000_000
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.nanos.load(Ordering::SeqCst))
    }

    fn sleep(&self, time: Duration) {
        self.advance(time);
    }
}

/// Random numbers from a seed.
#[derive(Debug)]
pub struct SimRng(Mutex<Random>);

impl SimRng {
    /// Numbers of this seed.
    #[must_use]
    pub fn new(seed: u64) -> SimRng {
        SimRng(Mutex::new(Random::new(seed)))
    }
}

impl Rng for SimRng {
    fn next_u32(&self) -> u32 {
        u32::try_from(self.0.lock().next_u64() >> 32).unwrap_or_default()
    }
}

/// No threads: work of the background is driven by hand.
#[derive(Debug)]
pub struct SimThreads;

impl Threads for SimThreads {
    /// Always `Ok(None)`; the body is dropped.
    fn spawn(
        &self,
        _name: &str,
        _body: Box<dyn FnOnce() + Send + 'static>,
    ) -> Result<Option<Worker>> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_only_on_demand() {
        let (env, _) = SimEnv::new(1);
        assert_eq!(env.clock.unix_ms(), SimClock::START_UNIX_MS);
        env.clock.sleep(Duration::from_secs(3600));
        assert_eq!(env.clock.monotonic(), Duration::from_secs(3600));
        assert_eq!(env.clock.unix_ms(), SimClock::START_UNIX_MS + 3_600_000);
    }

    #[test]
    fn randomness_follows_the_seed_and_nothing_runs_behind() {
        let numbers = |seed| {
            let (env, _) = SimEnv::new(seed);
            (0..4).map(|_| env.rng.next_u32()).collect::<Vec<_>>()
        };
        assert_eq!(numbers(5), numbers(5));
        assert_ne!(numbers(5), numbers(6));
        let (env, _) = SimEnv::new(1);
        assert!(env.threads.spawn("never", Box::new(|| unreachable!())).unwrap().is_none());
    }
}
