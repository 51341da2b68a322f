//! Runs families on all processors and says what came of it.
//!
//! `ESE_SEED` repeats one seed, `ESE_FAMILY` and `ESE_PAGE` (in KiB) narrow the choice,
//! `ESE_STATES` sets the number of states of each workload.

use std::{
    env,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ese_base::PageSize;
use ese_os::Env;
use ese_sim::{check::Report, workload::Workload};

use super::{Family, Findings, Settings, families};

/// One workload of a family.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// Its family.
    pub family: Family,
    /// Page size of the databases.
    pub page_size: PageSize,
    /// Its seed.
    pub seed: u64,
}

/// What became of a job.
#[derive(Debug)]
pub struct Outcome {
    /// The job.
    pub job: Job,
    /// What the check found.
    pub report: Report,
    /// What the verifications saw at most.
    pub seen: Findings,
    /// How long it took.
    pub time: Duration,
}

impl Job {
    /// Makes the workload and gives it to a check.
    pub fn run(self, check: impl FnOnce(&Settings, &Workload) -> Report) -> Outcome {
        let clock = Env::real().clock;
        let start = clock.monotonic();
        let (profile, settings) = self.family.at(self.page_size);
        let workload = Workload::generate(self.seed, &profile);
        let report = check(&settings, &workload);
        let time = clock.monotonic().saturating_sub(start);
        Outcome { job: self, report, seen: settings.seen.most(), time }
    }

    /// What to type to see a failure again.
    #[must_use]
    pub fn repeat(&self, test: &str) -> String {
        format!(
            "ESE_FAMILY={} ESE_PAGE={} ESE_SEED={} cargo test --profile sim -p ese-tests --test \
             simulator --features simulator {test} -- --nocapture",
            self.family.name,
            self.page_size.bytes() / 1024,
            self.seed
        )
    }
}

/// A number from the environment.
#[must_use]
pub fn number(name: &str) -> Option<u64> {
    env::var(name).ok().and_then(|text| text.trim().parse().ok())
}

/// The seeds of a run: `ESE_SEED` alone, or a fixed one and a fresh one.
#[must_use]
pub fn seeds(fixed: u64) -> Vec<u64> {
    match number("ESE_SEED") {
        Some(seed) => vec![seed],
        // Short, so that it can be typed.
        None => vec![fixed, u64::from(Env::real().rng.next_u32())],
    }
}

/// How many states each workload shall have: `ESE_STATES` or the default.
#[must_use]
pub fn states_or(default: usize) -> usize {
    number("ESE_STATES").and_then(|count| usize::try_from(count).ok()).unwrap_or(default)
}

/// Jobs of all families at some page sizes, as far as the environment does not narrow the choice.
#[must_use]
pub fn jobs_of(page_sizes: &[PageSize], seeds: &[u64]) -> Vec<Job> {
    let wanted = env::var("ESE_FAMILY").ok();
    let page = number("ESE_PAGE");
    let mut jobs = Vec::new();
    for &seed in seeds {
        for &page_size in page_sizes {
            for &family in families() {
                let chosen = wanted.as_deref().is_none_or(|name| name == family.name);
                if chosen && page.is_none_or(|kib| kib * 1024 == page_size.bytes_u64()) {
                    jobs.push(Job { family, page_size, seed });
                }
            }
        }
    }
    jobs
}

/// Runs jobs on all processors; the outcomes stand in the order of the jobs.
pub fn run_all<J: Copy + Sync, O: Send>(jobs: &[J], run: impl Fn(J) -> O + Sync) -> Vec<O> {
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(at) else { break };
                    let outcome = run(*job);
                    outcomes.lock().unwrap_or_else(PoisonError::into_inner).push((at, outcome));
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|(at, _)| *at);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}
