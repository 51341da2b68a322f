//! A limit of the bytes that a copy reads in a second, which can be changed while it runs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ese_os::Env;

/// The limit. Its clones are the same limit: whoever has one can change it while the copy runs.
#[derive(Clone, Debug, Default)]
pub struct Throttle(Arc<AtomicU64>);

impl Throttle {
    /// So many bytes a second; `None` is no limit.
    #[must_use]
    pub fn new(bytes_per_second: Option<u64>) -> Throttle {
        let throttle = Throttle::default();
        throttle.set(bytes_per_second);
        throttle
    }

    /// Changes the limit; holds from the next piece of 1 MiB on, and ends a pause at once.
    pub fn set(&self, bytes_per_second: Option<u64>) {
        self.0.store(bytes_per_second.unwrap_or(0), Ordering::Relaxed);
    }

    /// The limit.
    #[must_use]
    pub fn bytes_per_second(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|limit| *limit > 0)
    }
}

/// Keeps one copy under its limit. What it did not use in the past does not count.
pub(super) struct Pacer {
    throttle: Throttle,
    /// Before this moment nothing more is read.
    free_from: Duration,
}

/// Between two looks at the limit, and at whoever may want to stop.
const LOOK: Duration = Duration::from_millis(20);

impl Pacer {
    pub(super) fn new(throttle: &Throttle) -> Pacer {
        Pacer { throttle: throttle.clone(), free_from: Duration::ZERO }
    }

    /// So much was read: waits until it fits under the limit, the limit is changed, or `go_on`
    /// says no; it is asked again and again.
    pub(super) fn wait(&mut self, env: &Env, bytes: u64, go_on: &mut dyn FnMut() -> bool) {
        let Some(limit) = self.throttle.bytes_per_second() else {
            self.free_from = Duration::ZERO;
            return;
        };
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(limit);
        let cost = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let mut now = env.clock.monotonic();
        self.free_from = self.free_from.max(now).saturating_add(cost);
        while now < self.free_from && go_on() {
            if self.throttle.bytes_per_second() != Some(limit) {
                self.free_from = now;
                return;
            }
            env.clock.sleep(LOOK.min(self.free_from - now));
            now = env.clock.monotonic();
        }
    }
}

#[cfg(test)]
mod tests {
    use ese_sim::SimEnv;

    use super::*;

    #[test]
    fn a_copy_takes_as_long_as_its_limit_says() {
        let (env, _disk) = SimEnv::new(1);
        let throttle = Throttle::new(Some(10 << 20));
        let mut pacer = Pacer::new(&throttle);
        let begun = env.clock.monotonic();
        for _ in 0..50 {
            pacer.wait(&env, 1 << 20, &mut || true);
        }
        let took = env.clock.monotonic() - begun;
        assert!(took >= Duration::from_millis(4990) && took < Duration::from_secs(6), "{took:?}");
    }

    #[test]
    fn a_changed_limit_and_a_stop_end_the_wait() {
        let (env, _disk) = SimEnv::new(1);
        let throttle = Throttle::new(Some(1));
        let mut pacer = Pacer::new(&throttle);
        let begun = env.clock.monotonic();
        let mut asked = 0;
        pacer.wait(&env, 1 << 20, &mut || {
            asked += 1;
            if asked == 5 {
                throttle.set(None);
            }
            true
        });
        assert!(env.clock.monotonic() - begun < Duration::from_secs(1));
        assert_eq!(throttle.bytes_per_second(), None);
        throttle.set(Some(1));
        let mut calls = 0;
        pacer.wait(&env, 1 << 20, &mut || {
            calls += 1;
            calls < 4
        });
        assert_eq!(calls, 4);
        assert!(env.clock.monotonic() - begun < Duration::from_secs(2));
    }
}
