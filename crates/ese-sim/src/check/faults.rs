//! The check with failing calls: a store that is told of a failure promises nothing it cannot keep.

use std::path::Path;

use ese_base::{Error, Result};

use super::{Check, Options, Report, Store, run, run_watched};
use crate::{
    CrashState, Fault, OpKind, SimDisk, SimEnv, StateOptions, model::History, random::mix,
    workload::Workload,
};

/// Power cuts of each run with a fault, at and after the call that it hit.
const FAULT_STATES: usize = 6;

/// Runs a workload with the fault that `fault` gives for 0, 1, 2, ... until a run is not hit any
/// more or `options.states` runs are done; a large workload is sampled evenly by `stride`. When the
/// store answers an error it is dropped, and what it promised must be there after a restart of
/// the program and after power cuts. Once a write or a sync of its files has failed, it must
/// refuse ([`Store::refuses`]).
///
/// `same_machine` says if a restarted program may trust what it reads: not after a failed sync
/// whose data counts as clean.
pub fn faults<S: Store>(
    settings: &S::Settings,
    workload: &Workload,
    options: Options,
    stride: u64,
    same_machine: bool,
    fault: impl Fn(u64) -> Fault,
) -> Report {
    let history = workload.history();
    let mut check = Check::<S> { settings, history: &history, options, report: Report::default() };
    for number in (0..).step_by(crate::index(stride.max(1))).take(options.states) {
        let (env, disk) = SimEnv::new(options.seed);
        disk.add_fault(fault(number));
        let mut refuses = None;
        let watch = |store: &mut S| {
            if refuses.is_none() && has_lost_writes::<S>(&disk) {
                refuses = Some(store.refuses());
            }
        };
        let outcome = run_watched::<S>(settings, workload, &history, &disk, &env, watch);
        if disk.faults_hit() == 0 {
            break;
        }
        check.report.states += 1;
        let place = format!("fault {number} ({})", told(&outcome));
        if refuses == Some(false) {
            check.fail(&place, || "the store goes on after a write or sync has failed".to_owned());
        }
        if let Err((error, _)) = &outcome
            && !names_a_file(error)
        {
            check.fail(&place, || "the error names no file".to_owned());
        }
        check.after_fault(number, &place, &disk, same_machine);
        if check.report.failures.len() >= options.failures_max {
            break;
        }
    }
    check.report
}

/// As [`faults`], with the failing call within a recovery: the workload runs without faults, and
/// for each of `cuts` power cuts of it the recovery is made to fail at its calls, one after the
/// other.
pub fn faults_while_recovering<S: Store>(
    settings: &S::Settings,
    workload: &Workload,
    options: Options,
    cuts: usize,
    stride: u64,
    same_machine: bool,
    fault: impl Fn(u64) -> Fault,
) -> Report {
    let history = workload.history();
    let mut check = Check::<S> { settings, history: &history, options, report: Report::default() };
    let (env, disk) = SimEnv::new(options.seed);
    if let Err((error, _)) = run::<S>(settings, workload, &history, &disk, &env) {
        check.fail(&format!("workload {} without faults", workload.seed), || error.to_string());
        return check.report;
    }
    for state in disk.recording().states(options.states(options.seed, cuts)) {
        for number in (0..).step_by(crate::index(stride.max(1))).take(options.states) {
            let disk = SimDisk::from_image(&state.image);
            disk.mark(state.mark);
            disk.add_fault(fault(number));
            let recovered = recover::<S>(settings, &history, &disk, &state);
            if disk.faults_hit() == 0 {
                break;
            }
            check.report.states += 1;
            let place = format!("{}; then fault {number} while recovering", state.description);
            match recovered {
                Ok(told) => {
                    let place = format!("{place} ({told})");
                    check.after_fault(mix(state.hash, number), &place, &disk, same_machine);
                }
                Err(reason) => check.fail(&place, || reason),
            }
            if check.report.failures.len() >= options.failures_max {
                return check.report;
            }
        }
    }
    check.report
}

/// Recovers while a call fails. It may end with an error or not; it may not end with other content.
fn recover<S: Store>(
    settings: &S::Settings,
    history: &History,
    disk: &SimDisk,
    state: &CrashState,
) -> Result<String, String> {
    let env = SimEnv::on(disk, mix(state.hash, 1));
    let found = S::open(&env, settings).and_then(|mut store| store.content());
    match found {
        Ok(content) => match history.check(&content, crate::index(state.mark)) {
            Ok(_) => Ok("no error".to_owned()),
            Err(mismatch) => Err(format!("recovered all the same: {mismatch}")),
        },
        Err(error) => Ok(error.to_string()),
    }
}

/// Has a write or a sync of the store's own files failed?
fn has_lost_writes<S: Store>(disk: &SimDisk) -> bool {
    disk.first_failure().is_some_and(|(kind, path)| {
        matches!(kind, OpKind::Write | OpKind::Sync) && path.starts_with(Path::new(S::DIR))
    })
}

/// Does the error name a file? Not always the one whose call failed first: the store may do
/// without that.
fn names_a_file(error: &Error) -> bool {
    error.to_string().contains('/')
}

fn told(outcome: &Result<(), (Error, usize)>) -> String {
    match outcome {
        Ok(()) => "no error".to_owned(),
        Err((error, returned)) => format!("after {returned} commits: {error}"),
    }
}

impl<S: Store> Check<'_, S> {
    /// The store met a fault: what it promised before must be there.
    fn after_fault(&mut self, number: u64, place: &str, disk: &SimDisk, same_machine: bool) {
        let recording = disk.recording();
        let mark = recording.last_mark();
        let seed = mix(self.options.seed, number);
        let from_op = disk.first_fault_op().unwrap_or_default();
        let options = StateOptions { from_op, ..self.options.states(seed, FAULT_STATES) };
        for state in recording.states(options) {
            let description = format!("{place}; {}", state.description);
            self.state(&CrashState { description, ..state }, 0);
        }
        if same_machine {
            disk.heal();
            let outcome = self
                .recover(disk, mark)
                .and_then(|(store, content)| self.goes_on(store, content, disk));
            if let Err(reason) = outcome {
                self.fail(&format!("{place}; the program restarts"), || reason);
            }
        }
    }
}
