//! The simulator must catch bugs that were put in on purpose (see docs/testing.md).
//!
//! Compiled with `--cfg plant`, the engine has a bug at each `plant!` and one of them is switched
//! on by name. Each must show as a failure of a recovery; without any the same runs are clean.

#![cfg(plant)]

use std::time::Duration;

use ese_base::{PageSize, plant};
use ese_os::Env;
use ese_sim::check::{self, Options};
use ese_tests::sim::{EngineStore, Job, families};

/// Bugs, and the family of workloads that comes by each.
const PLANTED: &[(&str, &str)] = &[
    ("log-skip-sync", "load"),
    ("log-acknowledge-early", "load"),
    ("log-rewrite-in-place", "load"),
    ("log-skip-settling-sync", "load"),
    ("log-resume-without-sync", "restart"),
    ("log-checkpoint-copies-at-once", "checkpoint"),
    ("log-trust-checksum-alone", "circular"),
    ("pages-header-copies-at-once", "checkpoint"),
    ("log-prefer-own-version", "load"),
    ("log-skip-header-sync", "roll"),
    ("log-skip-name-sync", "roll"),
    ("log-roll-untold", "roll"),
    ("pages-skip-fence", "checkpoint"),
    ("pages-skip-double-write-sync", "checkpoint"),
    ("pages-skip-database-sync", "checkpoint"),
    ("pages-forget-change-during-flush", "checkpoint"),
    ("pages-announce-no-change", "checkpoint"),
];

/// How many of them have to be caught; the issue asks for ten.
const CAUGHT_MIN: usize = 10;
/// Time to catch one.
const PATIENCE: Duration = Duration::from_secs(25);

/// Runs a workload of a family. Gives the first failure.
fn fails(family: &str, seed: u64) -> Option<String> {
    let family = *families().iter().find(|other| other.name == family).unwrap();
    let options = Options { nested: 0, failures_max: 1, ..Options::new(seed, 300) };
    let job = Job { family, page_size: PageSize::K4, seed };
    let outcome =
        job.run(|settings, workload| check::power_cuts::<EngineStore>(settings, workload, options));
    outcome.report.failures.first().cloned()
}

/// Runs workloads of a family until one fails, or time is up.
fn hunt(family: &str) -> Option<String> {
    let clock = Env::real().clock;
    let start = clock.monotonic();
    (1..)
        .take_while(|_| clock.monotonic().saturating_sub(start) < PATIENCE)
        .find_map(|seed| fails(family, seed))
}

#[test]
fn planted_bugs_are_caught() {
    let clock = Env::real().clock;
    for family in ["load", "roll", "checkpoint"] {
        assert_eq!(fails(family, 1), None, "the engine without a planted bug, family {family}");
    }
    let mut caught = 0;
    for (bug, family) in PLANTED {
        let start = clock.monotonic();
        let (found, hits) = plant::with(bug, || hunt(family));
        let seconds = clock.monotonic().saturating_sub(start).as_secs_f64();
        let missed = if hits == 0 { "NOT CAUGHT: no workload came by" } else { "NOT CAUGHT" };
        let verdict = found.as_deref().unwrap_or(missed);
        let verdict: String = verdict.chars().take(110).collect();
        println!("{bug:<34} {seconds:6.1} s  {verdict}");
        caught += usize::from(found.is_some());
    }
    println!("{caught} of {} planted bugs were caught", PLANTED.len());
    assert!(caught >= CAUGHT_MIN, "only {caught} bugs were caught");
}
