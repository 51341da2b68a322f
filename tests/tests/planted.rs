//! The simulator must catch bugs that were put in on purpose (see docs/testing.md).
//!
//! Compiled with `--cfg plant`, the engine has a bug at each `plant!` and one of them is switched
//! on by name. Each must show as a failure of a recovery; without any the same runs are clean.
//! Only bugs that one thread can meet are listed: the simulation has no other.

#![cfg(plant)]

use std::time::Duration;

use ese_base::{PageSize, plant};
use ese_os::Env;
use ese_sim::check::{self, Options};
use ese_tests::sim::{EngineStore, Job, families, run_all, seeds};

/// A bug, the family of workloads that comes by it, and how deep recoveries are cut as well.
struct Planted {
    bug: &'static str,
    family: &'static str,
    depth: u32,
}

const fn planted(bug: &'static str, family: &'static str, depth: u32) -> Planted {
    Planted { bug, family, depth }
}

const PLANTED: &[Planted] = &[
    planted("log-skip-sync", "load", 0),
    planted("log-rewrite-in-place", "small", 0),
    planted("log-prefer-own-version", "load", 0),
    planted("log-skip-header-sync", "roll", 0),
    planted("log-skip-name-sync", "roll", 0),
    planted("log-skip-recycled-name-sync", "recycle", 0),
    planted("log-trust-checksum-alone", "plain", 0),
    planted("pages-skip-fence", "checkpoint", 0),
    planted("pages-skip-double-write-sync", "checkpoint", 0),
    planted("pages-skip-database-sync", "checkpoint", 0),
    planted("engine-undo-from-its-record", "mixed", 0),
    planted("engine-keep-open-groups", "deep", 1),
    planted("engine-checkpoint-before-log", "checkpoint", 0),
    planted("engine-checkpoint-past-transactions", "mixed", 0),
    planted("engine-clean-before-pages", "load", 0),
    planted("engine-keep-lost-pages", "growth", 0),
    planted("engine-forget-released-values", "long", 0),
    planted("engine-root-before-chunks", "long", 0),
    planted("engine-redo-before-attach", "older", 0),
];

/// Time to catch one.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs two workloads of a family on two threads. Gives the first failure.
fn fails(planted: &Planted, seeds: [u64; 2]) -> Option<String> {
    let family = *families().iter().find(|other| other.name == planted.family).unwrap();
    let jobs = seeds.map(|seed| Job { family, page_size: PageSize::K4, seed });
    let outcomes = run_all(&jobs, |job| {
        let options =
            Options { depth: planted.depth, failures_max: 1, ..Options::new(job.seed, 200) };
        let options = if planted.depth == 0 { Options { nested: 0, ..options } } else { options };
        job.run(|settings, workload| check::power_cuts::<EngineStore>(settings, workload, options))
    });
    outcomes.into_iter().find_map(|outcome| outcome.report.failures.into_iter().next())
}

/// Runs workloads until one fails, or time is up.
fn hunt(planted: &Planted) -> Option<String> {
    let clock = Env::real().clock;
    let start = clock.monotonic();
    // Both threads take the next seed.
    (seeds(1)[0]..)
        .step_by(2)
        .take_while(|_| clock.monotonic().saturating_sub(start) < PATIENCE)
        .find_map(|seed| fails(planted, [seed, seed + 1]))
}

#[test]
fn planted_bugs_are_caught() {
    let clock = Env::real().clock;
    for family in ["load", "roll", "checkpoint", "plain"] {
        let sound = planted("none", family, 0);
        assert_eq!(fails(&sound, [1, 2]), None, "no bug is planted, family {family}");
    }
    let mut missed = Vec::new();
    for planted in PLANTED {
        let start = clock.monotonic();
        let (found, hits) = plant::with(planted.bug, || hunt(planted));
        let seconds = clock.monotonic().saturating_sub(start).as_secs_f64();
        let none = if hits == 0 { "NOT CAUGHT: no workload came by" } else { "NOT CAUGHT" };
        let verdict: String = found.as_deref().unwrap_or(none).chars().take(110).collect();
        println!("{:<36} {seconds:6.1} s  {verdict}", planted.bug);
        if found.is_none() {
            missed.push(planted.bug);
        }
    }
    println!("{} of {} planted bugs were caught", PLANTED.len() - missed.len(), PLANTED.len());
    assert_eq!(missed, Vec::<&str>::new(), "the simulator did not see these bugs");
}
