//! Random operations of many sessions against a model (see docs/testing.md).
//!
//! `ESE_SEED` repeats a seed, `ESE_PAGE` (in KiB) narrows the page sizes, `ESE_STEPS` sets the
//! number of steps of each run, `ESE_TRACE` how many of the last ones a failure tells.

use ese_base::PageSize;
use ese_tests::{
    model::{Counters, Machine, Tally},
    sim::{number, run_all, seeds},
};

/// The seed of every run; another, fresh one comes along.
const FIXED_SEED: u64 = 1;

/// Steps of a whole run.
const STEPS: u64 = 1_000_000;

#[test]
fn sessions_see_what_the_model_says_and_commits_survive() {
    let seeds = seeds(FIXED_SEED);
    println!("seeds {seeds:?}");
    let page = number("ESE_PAGE");
    let sizes = PageSize::ALL;
    let wanted =
        sizes.into_iter().filter(|size| page.is_none_or(|kib| kib << 10 == size.bytes_u64()));
    let sizes: Vec<_> = wanted.collect();
    let jobs: Vec<(u64, PageSize)> =
        seeds.iter().flat_map(|seed| sizes.iter().map(|size| (*seed, *size))).collect();
    let steps = number("ESE_STEPS").unwrap_or(STEPS.div_ceil(jobs.len() as u64));
    let outcomes = run_all(&jobs, |(seed, page_size)| {
        Machine::new(seed, page_size).and_then(|machine| machine.run(steps))
    });
    let (mut all, mut failures) = (Tally::default(), 0);
    for ((seed, page_size), outcome) in jobs.iter().zip(outcomes) {
        match outcome {
            Ok(tally) => all.add(tally),
            Err(reason) => {
                failures += 1;
                let kib = page_size.bytes() / 1024;
                println!("FAILED: ESE_SEED={seed} ESE_PAGE={kib} ESE_STEPS={steps}: {reason}");
            }
        }
    }
    println!("{all:?}");
    assert_eq!(failures, 0, "see above");
    assert!(all.refusals > all.changes / 100, "hardly anything stood in the way");
    let beside = all.indexes_beside;
    assert!(beside > all.steps / 10_000, "{beside} indexes were made beside others' changes");
}

/// Steps of a run on columns that count.
const COUNTS: u64 = 40_000;

#[test]
fn what_sessions_count_and_add_up_is_what_the_model_says() {
    let seeds = seeds(FIXED_SEED);
    println!("seeds {seeds:?}");
    let steps = number("ESE_STEPS").unwrap_or(COUNTS);
    let jobs: Vec<(u64, PageSize)> = seeds.iter().map(|seed| (*seed, PageSize::K4)).collect();
    let outcomes = run_all(&jobs, |(seed, page_size)| {
        Counters::new(seed, page_size).and_then(|counters| counters.run(steps))
    });
    for ((seed, _), outcome) in jobs.iter().zip(outcomes) {
        match outcome {
            Ok((refusals, ended)) => {
                println!("{refusals} refusals, {ended} rows at zero");
                assert!(refusals > steps / 100 && ended > steps / 1000, "little has happened");
            }
            Err(reason) => panic!("FAILED: ESE_SEED={seed} ESE_STEPS={steps}: {reason}"),
        }
    }
}
