use super::{
    toy::{BUG, Bug, Toy},
    *,
};
use crate::{Action, AfterFailedSync, Fault, OpKind, workload::Profile};

fn profile() -> Profile {
    Profile { checkpoint_of_1000: 120, restart_of_1000: 40, ..Profile::small(4096) }
}

/// Runs the power cut check with one bug in the toy store, over seeds until it fails.
fn cut_with(bug: Bug, seeds: u64, states: usize) -> Report {
    BUG.set(bug);
    let mut all = Report::default();
    for seed in 0..seeds {
        let workload = Workload::generate(seed, &profile());
        let report = power_cuts::<Toy>(&(), &workload, Options::new(seed, states));
        all.add(report);
        if !all.is_clean() {
            break;
        }
    }
    BUG.set(Bug::None);
    all
}

#[test]
fn a_right_store_survives_every_cut() {
    let report = cut_with(Bug::None, 6, 400);
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.states, 2400);
    assert!(report.recoveries > 4 * report.states, "recoveries are cut and followed up: {report}");
}

#[test]
fn the_check_finds_every_planted_durability_bug() {
    for bug in [
        Bug::SkipLogSync,
        Bug::SkipRecordHash,
        Bug::KeepTornTail,
        Bug::SkipSnapSync,
        Bug::SkipDirSync,
        Bug::RemoveLogEarly,
        Bug::TrustStaleTmp,
        Bug::SplitCommit,
    ] {
        let report = cut_with(bug, 20, 400);
        assert!(!report.is_clean(), "{bug:?} was not found: {report}");
        println!("{bug:?} after {} states: {}", report.states, report.failures[0]);
    }
}

#[test]
fn nested_transactions_and_sessions_side_by_side_survive_too() {
    let profile = Profile { checkpoint_of_1000: 100, ..Profile::mixed(4096) };
    for seed in 0..3 {
        let workload = Workload::generate(seed, &profile);
        let report = power_cuts::<Toy>(&(), &workload, Options::new(seed, 150));
        assert!(report.is_clean(), "{report}");
    }
}

fn with_faults(bug: Bug, same_machine: bool, fault: impl Fn(u64) -> Fault) -> Report {
    BUG.set(bug);
    let workload = Workload::generate(2, &Profile { transactions: 20, ..profile() });
    let report = faults::<Toy>(&(), &workload, Options::new(1, 10_000), 1, same_machine, fault);
    BUG.set(Bug::None);
    report
}

#[test]
fn a_right_store_survives_a_failure_of_every_call() {
    let report = with_faults(Bug::None, true, |n| Fault::nth_of_all(n, JetErr::DiskIO));
    assert!(report.is_clean(), "{report}");
    assert!(report.states > 100, "{report}");
    let full =
        |n| Fault::nth(OpKind::Write, n, JetErr::DiskFull).act(Action::FailShort(JetErr::DiskFull));
    let report = with_faults(Bug::None, true, full);
    assert!(report.is_clean(), "{report}");
    let gone = |n| Fault::nth_of_all(n, JetErr::DiskIO).forever();
    let report = with_faults(Bug::None, true, gone);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn a_store_that_goes_on_after_a_failed_write_is_found() {
    let write = |n| Fault::nth(OpKind::Write, n, JetErr::DiskIO);
    let report = with_faults(Bug::GoOn, true, write);
    assert!(report.failures[0].contains("goes on after a write"), "{report}");
    // Nothing is lost when a read fails.
    let read = |n| Fault::nth(OpKind::Read, n, JetErr::DiskIO);
    assert!(with_faults(Bug::GoOn, true, read).is_clean());
}

#[test]
fn a_right_store_survives_a_failure_of_every_call_of_its_recoveries() {
    let workload = Workload::generate(2, &Profile { transactions: 20, ..profile() });
    let (options, fault) = (Options::new(1, 1000), |n| Fault::nth_of_all(n, JetErr::DiskIO));
    let report = faults_while_recovering::<Toy>(&(), &workload, options, 20, 1, true, fault);
    assert!(report.is_clean(), "{report}");
    assert!(report.states > 100, "{report}");
}

fn sync_fault(after: AfterFailedSync) -> impl Fn(u64) -> Fault {
    move |n| {
        Fault::nth(OpKind::Sync, n, JetErr::DiskIO).act(Action::FailSync(JetErr::DiskIO, after))
    }
}

#[test]
fn a_sync_error_that_is_swallowed_or_repeated_is_found() {
    let lost = AfterFailedSync::CleanAndNew;
    let right = with_faults(Bug::None, false, sync_fault(lost));
    assert!(right.is_clean(), "{right}");
    assert!(right.states > 10, "{right}");
    for bug in [Bug::IgnoreSyncError, Bug::RetrySync] {
        let report = with_faults(bug, false, sync_fault(lost));
        assert!(!report.is_clean(), "{bug:?} was not found: {report}");
    }
    // Repeating is harmless only on a system that keeps the data.
    let report = with_faults(Bug::RetrySync, false, sync_fault(AfterFailedSync::StaysDirty));
    assert!(report.is_clean(), "{report}");
}

#[test]
fn the_same_seed_finds_the_same_failure_in_the_same_words() {
    let once = cut_with(Bug::SkipLogSync, 3, 200);
    let twice = cut_with(Bug::SkipLogSync, 3, 200);
    assert!(!once.is_clean());
    assert_eq!(once.failures, twice.failures);
    assert!(once.failures[0].contains("power cut after op"), "{once}");
}

#[test]
fn the_same_seed_makes_the_same_calls_on_the_disk() {
    let log = |seed| {
        let workload = Workload::generate(seed, &profile());
        let (env, disk) = SimEnv::new(seed);
        run::<Toy>(&(), &workload, &workload.history(), &disk, &env).unwrap();
        disk.recording().hash()
    };
    assert_eq!(log(4), log(4));
    assert_ne!(log(4), log(5));
}
