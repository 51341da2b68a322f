//! Power cuts and failing disks, simulated (see docs/testing.md).

#![expect(clippy::print_stdout, reason = "the table of what was tried is part of the result")]

use std::collections::BTreeMap;

use ese_base::PageSize;
use ese_sim::check::{self, Options, Report};
use ese_tests::sim::{
    EngineStore, Findings, Outcome, cut_backups, cut_prunes, cut_restores, jobs_of, run_all, seeds,
    states_or,
};

/// The seed of every run; another, fresh one comes along.
const FIXED_SEED: u64 = 1;

/// States that differ, of a run that nothing narrows.
const DISTINCT_MIN: usize = 20_000;

/// Prints what came of the jobs, a line per family and page size, and fails on a failure.
fn conclude(test: &str, outcomes: &[Outcome]) -> Report {
    let mut lines: BTreeMap<String, (Report, Findings, f64)> = BTreeMap::new();
    let mut all = Report::default();
    for outcome in outcomes {
        let kib = outcome.job.page_size.bytes() / 1024;
        let line = lines.entry(format!("{:<11}{kib:>3} KiB", outcome.job.family.name));
        let line = line.or_default();
        line.0.add(outcome.report.clone());
        line.1 = line.1.most(outcome.seen);
        line.2 += outcome.time.as_secs_f64();
        all.add(outcome.report.clone());
    }
    println!("family     page    states   nested distinct recoveries depth pages  seconds");
    for (name, (report, seen, seconds)) in &lines {
        println!(
            "{name} {:>8} {:>8} {:>8} {:>10} {:>5} {:>5} {seconds:>8.1}",
            report.states,
            report.nested,
            report.distinct.len(),
            report.recoveries,
            seen.depth,
            seen.pages,
        );
    }
    println!(
        "{test}: {} distinct states ({} of the workloads, {} of recoveries), {} recoveries",
        all.distinct.len(),
        all.states,
        all.nested,
        all.recoveries
    );
    for outcome in outcomes.iter().filter(|outcome| !outcome.report.is_clean()) {
        println!("FAILED: {}", outcome.job.repeat(test));
        for failure in &outcome.report.failures {
            let failure: String = failure.chars().take(2000).collect();
            println!("  {failure}");
        }
    }
    assert!(all.is_clean(), "{} failures, see above", all.failures.len());
    all
}

#[test]
fn power_cuts_at_every_call_leave_a_prefix_of_the_commits() {
    let seeds = seeds(FIXED_SEED);
    println!("seeds {seeds:?}");
    let jobs = jobs_of(&PageSize::ALL, &seeds);
    let outcomes = run_all(&jobs, |job| {
        let small = job.page_size == PageSize::K4;
        let states = states_or(if small { 150 } else { 48 });
        let options =
            Options { depth: 2, nested: 2, nested_one_of: 4, ..Options::new(job.seed, states) };
        job.run(|settings, workload| check::power_cuts::<EngineStore>(settings, workload, options))
    });
    let all = conclude("power_cuts", &outcomes);
    let narrowed = ["ESE_SEED", "ESE_FAMILY", "ESE_PAGE", "ESE_STATES"];
    if narrowed.iter().all(|name| std::env::var_os(name).is_none()) {
        assert!(all.distinct.len() >= DISTINCT_MIN, "only {} distinct states", all.distinct.len());
    }
}

/// States that differ, of the cuts of backups and restores.
const DISTINCT_SETS_MIN: usize = 20_000;

#[test]
fn power_cuts_of_backups_and_restores_leave_no_set_that_only_seems_complete() {
    let seeds = seeds(FIXED_SEED);
    println!("seeds {seeds:?}");
    let families = ["load", "checkpoint", "roll"];
    let jobs: Vec<_> = jobs_of(&PageSize::ALL, &seeds)
        .into_iter()
        .filter(|job| families.contains(&job.family.name))
        .collect();
    let outcomes = run_all(&jobs, |job| {
        let states = states_or(770);
        job.run(|settings, workload| {
            let mut report = cut_backups(settings, workload, states);
            report.add(cut_restores(settings, workload, states / 10));
            report
        })
    });
    let all = conclude("power_cuts_of_backups", &outcomes);
    let narrowed = ["ESE_SEED", "ESE_FAMILY", "ESE_PAGE", "ESE_STATES"];
    if narrowed.iter().all(|name| std::env::var_os(name).is_none()) {
        let distinct = all.distinct.len();
        assert!(distinct >= DISTINCT_SETS_MIN, "only {distinct} distinct states");
    }
}

#[test]
fn power_cuts_of_prunings_harm_no_set_that_stays_and_leave_none_that_only_seems_complete() {
    let seeds = seeds(FIXED_SEED);
    println!("seeds {seeds:?}");
    let families = ["load", "roll"];
    let jobs: Vec<_> = jobs_of(&[PageSize::K4, PageSize::K32], &seeds)
        .into_iter()
        .filter(|job| families.contains(&job.family.name))
        .collect();
    let outcomes = run_all(&jobs, |job| {
        job.run(|settings, workload| cut_prunes(settings, workload, states_or(400)))
    });
    conclude("power_cuts_of_prunings", &outcomes);
}
