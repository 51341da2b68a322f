//! Power cuts and failing disks, simulated (see docs/testing.md).

use std::collections::BTreeMap;

use ese_base::PageSize;
use ese_sim::check::{self, Options, Report};
use ese_tests::sim::{EngineStore, Findings, Outcome, jobs_of, run_all, seeds, states_or};

/// The seed of every run; another, fresh one comes along.
const FIXED_SEED: u64 = 1;

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
    println!("family     page    states   nested distinct recoveries depth pages leaked  seconds");
    for (name, (report, seen, seconds)) in &lines {
        println!(
            "{name} {:>8} {:>8} {:>8} {:>10} {:>5} {:>5} {:>6} {seconds:>8.1}",
            report.states,
            report.nested,
            report.distinct.len(),
            report.recoveries,
            seen.depth,
            seen.pages,
            seen.leaked,
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
        let states = states_or(if small { 400 } else { 120 });
        let options =
            Options { depth: 2, nested: 2, nested_one_of: 4, ..Options::new(job.seed, states) };
        job.run(|settings, workload| check::power_cuts::<EngineStore>(settings, workload, options))
    });
    conclude("power_cuts", &outcomes);
}

/// A tool: makes the state again that a failure named, tells how it came about, exports it and
/// recovers it. `ESE_STATE` is the text in brackets, several of them joined by `>` for cuts while
/// recovering; `ESE_EXPORT` is a directory for the files.
#[test]
fn one_state_again() {
    let Ok(ids) = std::env::var("ESE_STATE") else { return };
    let page = states::page_size();
    let job = jobs_of(&[page], &seeds(FIXED_SEED)).into_iter().next().unwrap();
    states::again(job, &ids);
}

mod states {
    use std::path::PathBuf;

    use ese_log::{dump_file, read_checkpoint};
    use ese_os::Env;
    use ese_pages::{Access, DbFile};
    use ese_sim::{
        Recording, SimDisk, SimEnv, StateId,
        check::{Store, run},
        workload::Workload,
    };
    use ese_tests::sim::Job;

    use super::*;

    pub(super) fn page_size() -> PageSize {
        let kib: usize = std::env::var("ESE_PAGE").map_or(4, |text| text.parse().unwrap());
        PageSize::ALL.into_iter().find(|size| size.bytes() == kib * 1024).unwrap()
    }

    pub(super) fn again(job: Job, ids: &str) {
        let (profile, settings) = job.family.at(job.page_size);
        let workload = Workload::generate(job.seed, &profile);
        let (env, disk) = SimEnv::new(job.seed);
        let ran = run::<EngineStore>(&settings, &workload, &workload.history(), &disk, &env);
        println!("the workload: {ran:?}");
        let mut recording: Recording = disk.recording();
        let mut disk = SimDisk::new();
        for id in ids.split('>') {
            let state = recording.state(StateId::parse(id.trim()).unwrap()).unwrap();
            println!("---- {}\n{}", state.description, recording.trace_until(state.op));
            disk = SimDisk::from_image(&state.image);
            export(&disk.image());
            let env = SimEnv::on(&disk, job.seed);
            match EngineStore::open(&env, &settings) {
                Ok(mut store) => match store.content() {
                    Ok(content) => {
                        let found = workload.history().prefix_of(&content);
                        println!("recovered: prefix {found:?}, promised {}", state.mark);
                    }
                    Err(error) => println!("content: {error:#}"),
                },
                Err(error) => println!("open: {error:#}"),
            }
            recording = disk.recording();
        }
        drop(disk);
    }

    fn export(image: &ese_sim::Image) {
        let Ok(dir) = std::env::var("ESE_EXPORT") else { return };
        let (dir, env) = (PathBuf::from(dir), Env::real());
        drop(std::fs::remove_dir_all(&dir));
        image.export(env.fs.as_ref(), &dir).unwrap();
        let mut names: Vec<_> = image.files().map(|(path, _)| path.to_path_buf()).collect();
        names.sort();
        for path in names {
            let real = dir.join(path.strip_prefix("/").unwrap());
            match path.extension().and_then(|ending| ending.to_str()) {
                Some("chk") => println!("---- checkpoint {:?}", read_checkpoint(&env, &real, None)),
                Some("edb") => match DbFile::open(&env, &real, Access::ReadOnly) {
                    Ok(file) => println!("---- {} {:?}", path.display(), file.header()),
                    Err(error) => println!("---- {error}"),
                },
                _ => {}
            }
            if path.extension().is_some_and(|ending| ending == "log") {
                println!("---- {}", path.display());
                let dumped = dump_file(&env, &real, &mut |line| {
                    println!("{}", line.chars().take(300).collect::<String>());
                    Ok(())
                });
                println!("{dumped:?}");
            }
        }
    }
}
