//! What else goes on: private memory of this process, and processor time that others take.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How often the memory is looked at.
const SAMPLE_EVERY: Duration = Duration::from_millis(2);

/// A pass begins when others use less than this for a moment, or when patience ends.
const QUIET_PERCENT: f64 = 5.0;
const QUIET_SAMPLE: Duration = Duration::from_millis(300);
const QUIET_PATIENCE: Duration = Duration::from_secs(20);

/// Anonymous resident bytes of this process: heap, stacks, private maps, but no mapped files.
pub(crate) fn private_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("RssAnon:")).unwrap_or_default();
    let kib = line.split_whitespace().next().and_then(|w| w.parse::<u64>().ok()).unwrap_or(0);
    kib * 1024
}

/// Watches the private memory from a thread of its own until it is asked for the peak.
pub(crate) struct MemoryWatch {
    start: u64,
    shared: Arc<(AtomicU64, AtomicBool)>,
    thread: JoinHandle<()>,
}

impl MemoryWatch {
    /// Starts to watch; what is in use now is not counted.
    pub(crate) fn start() -> std::io::Result<MemoryWatch> {
        let start = private_bytes();
        let shared = Arc::new((AtomicU64::new(start), AtomicBool::new(false)));
        let watched = Arc::clone(&shared);
        let thread = thread::Builder::new().name("memory".into()).spawn(move || {
            while !watched.1.load(Ordering::Relaxed) {
                watched.0.fetch_max(private_bytes(), Ordering::Relaxed);
                thread::sleep(SAMPLE_EVERY);
            }
        })?;
        Ok(MemoryWatch { start, shared, thread })
    }

    /// Ends the watch: bytes by which the memory grew at most.
    pub(crate) fn peak(self) -> u64 {
        self.shared.1.store(true, Ordering::Relaxed);
        drop(self.thread.join());
        self.shared.0.load(Ordering::Relaxed).max(private_bytes()).saturating_sub(self.start)
    }
}

/// Processor time so far, in the kernel's ticks.
#[derive(Clone, Copy)]
pub(crate) struct ProcessorTime {
    all: u64,
    busy: u64,
    own: u64,
}

impl ProcessorTime {
    pub(crate) fn now() -> ProcessorTime {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let first = stat.lines().next().unwrap_or_default();
        // user nice system idle iowait irq softirq steal; guest times are inside user and nice
        let ticks: Vec<u64> =
            first.split_whitespace().skip(1).take(8).filter_map(|w| w.parse().ok()).collect();
        let all: u64 = ticks.iter().sum();
        let waiting: u64 = ticks.iter().skip(3).take(2).sum();
        let own = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        // Behind the program's name in brackets: utime stime cutime cstime are fields 12 to 15.
        let fields = own.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        let own = fields.skip(11).take(4).filter_map(|w| w.parse::<u64>().ok()).sum();
        ProcessorTime { all, busy: all - waiting, own }
    }

    /// Percent of the machine that others used since then.
    pub(crate) fn others_percent_since(self) -> f64 {
        let now = ProcessorTime::now();
        let own = now.own.saturating_sub(self.own);
        let others = now.busy.saturating_sub(self.busy).saturating_sub(own);
        100.0 * others as f64 / now.all.saturating_sub(self.all).max(1) as f64
    }
}

/// Waits until others leave the processor alone, but not for ever; says how busy they still are.
pub(crate) fn wait_until_quiet() -> f64 {
    let start = Instant::now();
    loop {
        let before = ProcessorTime::now();
        thread::sleep(QUIET_SAMPLE);
        let others = before.others_percent_since();
        if others < QUIET_PERCENT || start.elapsed() > QUIET_PATIENCE {
            return others;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watch_sees_memory_that_is_already_free_again() {
        let watch = MemoryWatch::start().unwrap();
        let block = vec![1_u8; 32 << 20];
        thread::sleep(SAMPLE_EVERY * 20);
        assert!(block.iter().all(|&b| b == 1));
        drop(block);
        let peak = watch.peak();
        assert!((24 << 20..256 << 20).contains(&peak), "{peak}");
    }

    #[test]
    fn others_use_between_nothing_and_everything() {
        let then = ProcessorTime::now();
        thread::sleep(Duration::from_millis(50));
        assert!((0.0..=100.0).contains(&then.others_percent_since()));
    }
}
