//! Failing disks, simulated: every call that the engine makes fails once, or fails from then on,
//! does half of its work, finds the disk full, or is a sync that loses what it was asked to keep.
//!
//! After a failed write or sync the instance refuses whatever comes. A restart on the same machine
//! and power cuts at and after the failure find every commit that was acknowledged.
//!
//! One short workload is tried at every call. Longer ones and recoveries are sampled, evenly from
//! a place that the seed chooses; `ESE_SEED`, `ESE_FAMILY`, `ESE_PAGE` and `ESE_STATES` are those
//! of the simulator.

#![expect(clippy::print_stdout, reason = "the table of what was tried is part of the result")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]

use std::{collections::BTreeMap, path::Path};

use ese_api::{RestoreOptions, RestoreTarget};
use ese_base::{JetErr, PageSize, Result, StopToken};
use ese_os::Env;
use ese_sim::{
    Action, AfterFailedSync, Counts, Fault, Image, OpKind, Plan, Random, SimDisk, SimEnv,
    check::{self, Options, Report, Store},
    model::Model,
    workload::{Profile, Step, Workload},
};
use ese_tests::sim::{EngineStore, Job, Settings, families, jobs_of, run_all, seeds, states_or};

/// The seed of every run; another, fresh one comes along.
const FIXED_SEED: u64 = 1;

/// A way to fail.
#[derive(Clone, Copy)]
struct Way {
    name: &'static str,
    /// The kind of call that it concerns; `None` for all.
    kind: Option<OpKind>,
    fault: fn(u64) -> Fault,
    /// May a restarted program trust what it reads?
    same_machine: bool,
}

impl Way {
    /// Does it fail to the end?
    fn lasts(&self) -> bool {
        ["fails for good", "disk full"].contains(&self.name)
    }
}

const WAYS: [Way; 7] = [
    Way {
        name: "fails once",
        kind: None,
        fault: |n| Fault::nth_of_all(n, JetErr::DiskIO),
        same_machine: true,
    },
    Way {
        name: "fails for good",
        kind: None,
        fault: |n| Fault::nth_of_all(n, JetErr::DiskIO).forever(),
        same_machine: true,
    },
    Way {
        name: "half a write",
        kind: Some(OpKind::Write),
        fault: |n| {
            let fault = Fault::nth(OpKind::Write, n, JetErr::DiskIO);
            fault.act(Action::FailShort(JetErr::DiskIO))
        },
        same_machine: true,
    },
    Way {
        name: "disk full",
        kind: Some(OpKind::Write),
        fault: |n| {
            let fault = Fault::nth(OpKind::Write, n, JetErr::DiskFull).forever();
            fault.act(Action::FailShort(JetErr::DiskFull))
        },
        same_machine: true,
    },
    Way {
        name: "sync, data kept",
        kind: Some(OpKind::Sync),
        fault: |n| failed_sync(n, AfterFailedSync::StaysDirty),
        same_machine: true,
    },
    Way {
        name: "sync, data lost",
        kind: Some(OpKind::Sync),
        fault: |n| failed_sync(n, AfterFailedSync::CleanAndOld),
        same_machine: true,
    },
    Way {
        name: "sync, data lies",
        kind: Some(OpKind::Sync),
        fault: |n| failed_sync(n, AfterFailedSync::CleanAndNew),
        same_machine: false,
    },
];

fn failed_sync(n: u64, after: AfterFailedSync) -> Fault {
    let fault = Fault::nth(OpKind::Sync, n, JetErr::DiskIO);
    fault.act(Action::FailSync(JetErr::DiskIO, after))
}

/// Calls of one workload that are made to fail, each in a run of its own.
#[derive(Clone, Copy)]
struct Trial {
    subject: &'static str,
    job: Job,
    way: Way,
    /// The first call, and from one to the next.
    first: u64,
    stride: u64,
    runs: usize,
    /// Of so many recoveries from power cuts instead of the workload.
    recoveries: usize,
}

impl Trial {
    fn run(self) -> Report {
        let Trial { way, first, stride, .. } = self;
        let (settings, workload) = subject(self.subject, self.job);
        let options = Options { nested: 0, ..Options::new(self.job.seed, self.runs) };
        let fault = |n| (way.fault)(first + n);
        let same = way.same_machine;
        if self.recoveries > 0 {
            let cuts = self.recoveries;
            check::faults_while_recovering::<EngineStore>(
                &settings, &workload, options, cuts, stride, same, fault,
            )
        } else {
            check::faults::<EngineStore>(&settings, &workload, options, stride, same, fault)
        }
    }
}

const TOUR: &str = "tour";

/// A family's workload, or the tour: a bit of everything, so short that each call can be tried.
fn subject(name: &str, job: Job) -> (Settings, Workload) {
    let (mut profile, mut settings) = job.family.at(job.page_size);
    if name == TOUR {
        profile = Profile {
            tables: 2,
            transactions: 10,
            sessions: 2,
            depth: 2,
            rows_max: 6,
            keys: 12,
            rollback_of_100: 25,
            checkpoint_of_1000: 80,
            flush_of_1000: 40,
            roll_of_1000: 40,
            backup_of_1000: 30,
            restart_of_1000: 30,
            ..Profile::small(job.page_size.bytes())
        };
        settings = Settings { background_one_of: 5, ..Settings::new(job.page_size) };
    }
    (settings, Workload::generate(job.seed, &profile))
}

/// The calls of a workload without faults.
fn calls_of(name: &str, job: Job) -> Counts {
    let (settings, workload) = subject(name, job);
    let (env, disk) = SimEnv::new(workload.seed);
    check::run::<EngineStore>(&settings, &workload, &workload.history(), &disk, &env)
        .unwrap_or_else(|(error, _)| panic!("{name} without faults: {error}"));
    disk.counts()
}

/// Runs trials, prints what came of them for each subject and way, and fails on a failure.
fn conclude(test: &str, trials: &[Trial]) {
    let reports = run_all(trials, Trial::run);
    let mut lines: BTreeMap<(&str, usize, &str), Report> = BTreeMap::new();
    let mut all = Report::default();
    for (trial, report) in trials.iter().zip(reports) {
        let kib = trial.job.page_size.bytes() / 1024;
        lines.entry((trial.subject, kib, trial.way.name)).or_default().add(report.clone());
        if !report.is_clean() {
            let (seed, first) = (trial.job.seed, trial.first);
            println!(
                "FAILED: ESE_FAMILY={} ESE_PAGE={kib} ESE_SEED={seed} {test}, {}, calls from \
                 {first}",
                trial.subject, trial.way.name
            );
            for failure in &report.failures {
                println!("  {}", failure.chars().take(2000).collect::<String>());
            }
        }
        all.add(report);
    }
    println!("workload  page  way               failing calls  recoveries");
    for ((subject, kib, way), report) in &lines {
        let (states, recoveries) = (report.states, report.recoveries);
        println!("{subject:<11}{kib:>3}  {way:<20}{states:>11}{recoveries:>12}");
    }
    println!("{test}: {} failing calls, {} recoveries", all.states, all.recoveries);
    assert!(all.is_clean(), "{} failures, see above", all.failures.len());
}

#[test]
fn a_failure_of_any_call_of_a_short_workload_loses_nothing() {
    const PARTS: u64 = 8;
    let seed = seeds(FIXED_SEED)[0];
    let job = Job { family: families()[0], page_size: PageSize::K4, seed };
    let counts = calls_of(TOUR, job);
    println!("seed {seed}, {counts:?}");
    let mut trials = Vec::new();
    for way in WAYS {
        for part in 0..PARTS {
            let (first, stride, runs) = (part, PARTS, usize::MAX);
            trials.push(Trial { subject: TOUR, job, way, first, stride, runs, recoveries: 0 });
        }
    }
    conclude("any_call", &trials);
}

/// All families. The page sizes take turns, unless the environment names something or wants more.
fn sampled(seeds: &[u64]) -> Vec<Job> {
    let jobs = jobs_of(&PageSize::ALL, seeds);
    let narrowed = ["ESE_FAMILY", "ESE_PAGE", "ESE_STATES"];
    if narrowed.iter().any(|name| std::env::var_os(name).is_some()) {
        return jobs;
    }
    let turn = |job: &Job| {
        let family = families().iter().position(|family| family.name == job.family.name);
        let size = PageSize::ALL.iter().position(|size| *size == job.page_size);
        (family.unwrap_or(0) as u64 + job.seed) % PageSize::ALL.len() as u64
            == size.unwrap_or(0) as u64
    };
    jobs.into_iter().filter(turn).collect()
}

#[test]
fn failures_in_the_middle_of_anything_lose_nothing() {
    let seeds = seeds(FIXED_SEED);
    println!("seeds {seeds:?}");
    let runs = states_or(1);
    let mut trials = Vec::new();
    for job in sampled(&seeds) {
        let subject = job.family.name;
        let counts = calls_of(subject, job);
        for way in WAYS {
            let calls = way.kind.map_or(counts.total(), |kind| counts.of(kind));
            let stride = calls.div_ceil(runs as u64).max(1);
            let first = Random::new(job.seed ^ calls).below(stride);
            trials.push(Trial { subject, job, way, first, stride, runs, recoveries: 0 });
        }
    }
    conclude("middle", &trials);
}

/// A backup set on a disk with nothing else, and what was in the database.
fn backed_up(settings: &Settings, workload: &Workload) -> (Image, Model) {
    let (env, disk) = SimEnv::new(workload.seed);
    let mut store = EngineStore::open(&env, settings).unwrap();
    for step in workload.steps.iter().filter(|step| !matches!(step, Step::Restart | Step::Backup)) {
        store.step(step).unwrap();
    }
    store.step(&Step::Backup).unwrap();
    let content = store.content().unwrap();
    store.close().unwrap();
    for entry in env.fs.list(Path::new(EngineStore::DIR)).unwrap() {
        env.fs.remove_file(&Path::new(EngineStore::DIR).join(entry.name)).unwrap();
    }
    (disk.recording().image_at_end(Plan::All), content)
}

fn restore(env: &Env, force: bool) -> Result<()> {
    let target = RestoreTarget::in_dir(Path::new(EngineStore::DIR));
    let (keep_damaged, stop) = (false, StopToken::new());
    let mut options = RestoreOptions { force, keep_damaged, progress: &mut |_| (), stop };
    ese_api::restore_with(env, Path::new("/set-0"), &target, &mut options).map(drop)
}

#[test]
fn a_restore_that_failed_anywhere_can_be_repeated() {
    let seed = seeds(FIXED_SEED)[0];
    let job = Job { family: families()[0], page_size: PageSize::K4, seed };
    let (settings, workload) = subject(TOUR, job);
    let (image, content) = backed_up(&settings, &workload);
    let mut runs = 0;
    for way in WAYS {
        for number in (0..).step_by(if way.kind.is_some() { 1 } else { 5 }) {
            let disk = SimDisk::from_image(&image);
            let env = SimEnv::on(&disk, seed);
            disk.add_fault((way.fault)(number));
            let outcome = restore(&env, false);
            if disk.faults_hit() == 0 {
                outcome.unwrap();
                break;
            }
            runs += 1;
            let told = outcome.as_ref().err().map(ToString::to_string);
            let at = format!("seed {seed}, {}, call {number}: {told:?}", way.name);
            assert!(told.as_ref().is_none_or(|told| told.contains('/')), "names no file: {at}");
            disk.heal();
            // The one thing that may fail without a word: the lock file stays, in nobody's way.
            let lock = Path::new(EngineStore::DIR).join("edb.lck");
            let stays = env.fs.exists(&lock).unwrap();
            assert!(told.is_some() || !way.lasts() || stays, "no error: {at}");
            if !way.same_machine {
                continue;
            }
            if told.is_some() {
                restore(&env, true).unwrap_or_else(|error| panic!("{at}, then {error}"));
            }
            let mut store = EngineStore::open(&env, &settings).unwrap();
            assert_eq!(store.content().unwrap().differences(&content, 4).0, [""; 0], "{at}");
        }
    }
    println!("restoring: {runs} failing calls");
    assert!(runs > 100, "{runs}");
}

#[test]
fn failures_while_recovering_lose_nothing() {
    let seeds = seeds(FIXED_SEED);
    println!("seeds {seeds:?}");
    let mut trials = Vec::new();
    for job in sampled(&seeds) {
        for way in WAYS {
            // A recovery makes some hundred calls.
            let stride = if way.kind.is_some() { 7 } else { 61 };
            let first = Random::new(job.seed).below(stride);
            let (subject, runs, recoveries) = (job.family.name, states_or(2), 1);
            trials.push(Trial { subject, job, way, first, stride, runs, recoveries });
        }
    }
    conclude("recovering", &trials);
}
