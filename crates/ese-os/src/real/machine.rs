//! Time, randomness and threads of the real machine.

use std::{
    hash::{BuildHasher, Hasher},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use ese_base::{Error, JetErr, Result};

use crate::{Clock, Rng, Threads, Worker};

/// The system's clocks.
#[derive(Debug)]
pub(crate) struct RealClock {
    start: Instant,
}

impl RealClock {
    pub(crate) fn new() -> RealClock {
        RealClock { start: Instant::now() }
    }
}

impl Clock for RealClock {
    /// 0 if the machine's clock stands before 1970.
    fn unix_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// `getrandom`, or the standard library's hash seeds where a sandbox refuses the call.
#[derive(Debug)]
pub(crate) struct RealRng;

impl Rng for RealRng {
    fn next_u32(&self) -> u32 {
        let mut bytes = [0u8; 4];
        loop {
            // SAFETY: the pointer and length are those of `bytes`, which lives through the call.
            let got = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
            if usize::try_from(got) == Ok(bytes.len()) {
                return u32::from_le_bytes(bytes);
            }
            if std::io::Error::last_os_error().kind() != std::io::ErrorKind::Interrupted {
                break;
            }
        }
        let wide = std::collections::hash_map::RandomState::new().build_hasher().finish();
        u32::try_from(wide >> 32).unwrap_or_default()
    }
}

/// Threads of the operating system.
#[derive(Debug)]
pub(crate) struct RealThreads;

impl Threads for RealThreads {
    /// `JET_errOutOfThreads` (-103) if the system refuses.
    fn spawn(
        &self,
        name: &str,
        body: Box<dyn FnOnce() + Send + 'static>,
    ) -> Result<Option<Worker>> {
        match std::thread::Builder::new().name(name.to_owned()).spawn(body) {
            Ok(handle) => Ok(Some(Worker::new(handle))),
            Err(error) => Err(Error::new(
                JetErr::OutOfThreads,
                format!("starting thread \"{name}\": {error}"),
            )
            .caused_by(error)),
        }
    }

    fn processors(&self) -> usize {
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
    }
}

/// Asks for large pages of memory (2 MiB) behind a range that has not been touched yet: it is then
/// found with far fewer entries of the processor's address tables. Only a hint; whole large pages
/// inside the range profit.
pub fn prefer_large_pages<T>(memory: &mut [std::mem::MaybeUninit<T>]) {
    let page = 4096;
    let start = memory.as_mut_ptr().cast::<u8>();
    let ahead = start.align_offset(page);
    let Some(len) = size_of_val(memory).checked_sub(ahead) else { return };
    let whole = len - len % page;
    // SAFETY: the range lies in `memory`, which is borrowed mutably; the call changes no byte of
    // it. What it answers does not matter.
    let _ = unsafe { libc::madvise(start.wrapping_add(ahead).cast(), whole, libc::MADV_HUGEPAGE) };
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use super::*;

    #[test]
    fn asking_for_large_pages_takes_any_range_and_leaves_it_usable() {
        for len in [0, 1, 4095, 5 << 20] {
            let mut memory: Vec<u8> = Vec::with_capacity(len);
            prefer_large_pages(memory.spare_capacity_mut());
            memory.resize(len, 7);
            assert!(memory.iter().all(|byte| *byte == 7));
        }
    }

    #[test]
    fn the_clock_runs_and_knows_the_century() {
        let clock = RealClock::new();
        let before = clock.monotonic();
        clock.sleep(Duration::from_millis(2));
        assert!(clock.monotonic() >= before + Duration::from_millis(2));
        assert!(clock.unix_ms() > 1_700_000_000_000, "2023 or later");
    }

    #[test]
    fn random_numbers_differ() {
        let first: Vec<u32> = (0..8).map(|_| RealRng.next_u32()).collect();
        let again: Vec<u32> = (0..8).map(|_| RealRng.next_u32()).collect();
        assert_ne!(first, again);
    }

    #[test]
    fn a_worker_is_joined_when_dropped() {
        let count = Arc::new(AtomicU32::new(0));
        let inner = Arc::clone(&count);
        let worker = RealThreads
            .spawn(
                "count",
                Box::new(move || {
                    std::thread::sleep(Duration::from_millis(20));
                    assert_eq!(std::thread::current().name(), Some("count"));
                    inner.fetch_add(1, Ordering::SeqCst);
                }),
            )
            .unwrap();
        drop(worker.expect("the real machine has threads"));
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }
}
