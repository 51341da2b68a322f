//! The check that puts disk, workload and model together: whatever happens to the machine, a store
//! comes back with a prefix of the commits that covers all it has promised, and goes on working.
//!
//! A store joins by implementing [`Store`]. [`power_cuts`] runs a workload once and boots from
//! states of its recording; [`faults`] runs it again and again with one call failing.

use std::{collections::HashSet, fmt};

use ese_base::{Error, JetErr, Result};
use ese_os::Env;

use crate::{
    CrashState, Plan, Recording, SimDisk, SimEnv, StateOptions,
    model::{History, Model, RowOp},
    random::mix,
    workload::{Step, Workload},
};

/// A store under test. It keeps its files below [`Store::DIR`] of the environment's disk.
pub trait Store: Sized {
    /// The directory of all files of the store.
    const DIR: &'static str = "/store";

    /// What a store is told when it is opened; the same throughout a check.
    type Settings;

    /// Opens the store, recovering it or creating it where there is none.
    fn open(env: &Env, settings: &Self::Settings) -> Result<Self>;

    /// Changes that opening had to make to what it found. A store that was opened and at once cut
    /// off has none to make when it is opened again.
    fn replayed(&self) -> u64 {
        0
    }

    /// Does one step. Never [`Step::Restart`], which the driver does with `close` and `open`. A
    /// [`Step::Read`] that sees another value is an error.
    fn step(&mut self, step: &Step) -> Result<()>;

    /// The whole committed content. No transaction is open.
    fn content(&mut self) -> Result<Model>;

    /// Ends in an orderly way.
    fn close(self) -> Result<()>;

    /// Tries a durable transaction, after a write or a sync of the store's files has failed. True:
    /// it was refused, so that nothing is promised any more.
    fn refuses(&mut self) -> bool {
        true
    }
}

/// How a check is done.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Chooses among states.
    pub seed: u64,
    /// Power cut states of the workload, or runs with a fault.
    pub states: usize,
    /// Power cut states of each recovery: cuts while recovering from a cut. 0 for none.
    pub nested: usize,
    /// Recoveries that are cut within each other: 1 for cuts while recovering from a cut, 2 for
    /// cuts while recovering from those.
    pub depth: u32,
    /// Only one of so many recoveries is cut; 1 for all.
    pub nested_one_of: u64,
    /// Stale bytes in ranges that a file was extended over (see [`StateOptions::garbage`]).
    pub garbage: bool,
    /// After each recovery a durable commit must succeed and survive the next power cut.
    pub follow_up: bool,
    /// Failures after which the check ends.
    pub failures_max: usize,
}

impl Options {
    /// So many states, with everything that is checked.
    #[must_use]
    pub fn new(seed: u64, states: usize) -> Options {
        Options {
            seed,
            states,
            nested: 2,
            depth: 1,
            nested_one_of: 1,
            garbage: true,
            follow_up: true,
            failures_max: 5,
        }
    }

    fn states(&self, seed: u64, budget: usize) -> StateOptions {
        StateOptions { seed, budget, garbage: self.garbage, from_op: 0 }
    }
}

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// States of the workload that were booted from, or runs with a fault.
    pub states: usize,
    /// States of recoveries, cut in turn, that were booted from.
    pub nested: usize,
    /// Times that the store was opened.
    pub recoveries: usize,
    /// One number per different pair of disk image and promise that was booted from.
    pub distinct: HashSet<u64>,
    /// What went wrong, one line each: state, then reason.
    pub failures: Vec<String>,
}

impl Report {
    /// Was everything right?
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.failures.is_empty()
    }

    /// Adds what another check found.
    pub fn add(&mut self, other: Report) {
        self.states += other.states;
        self.nested += other.nested;
        self.recoveries += other.recoveries;
        self.distinct.extend(other.distinct);
        self.failures.extend(other.failures);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} states, {} of recoveries, {} distinct, {} recoveries",
            self.states,
            self.nested,
            self.distinct.len(),
            self.recoveries
        )?;
        for failure in &self.failures {
            write!(f, "\n  {failure}")?;
        }
        Ok(())
    }
}

/// Does the steps of a workload on a disk; marks on it, after each commit, how many commits must
/// survive from then on. Ends with an orderly close. `Err` with what the store said and the number
/// of commits that had returned.
pub fn run<S: Store>(
    settings: &S::Settings,
    workload: &Workload,
    history: &History,
    disk: &SimDisk,
    env: &Env,
) -> Result<(), (Error, usize)> {
    run_watched::<S>(settings, workload, history, disk, env, |_| ())
}

/// As [`run`]; `watch` sees the store after each step, whether it succeeded or not.
fn run_watched<S: Store>(
    settings: &S::Settings,
    workload: &Workload,
    history: &History,
    disk: &SimDisk,
    env: &Env,
    mut watch: impl FnMut(&mut S),
) -> Result<(), (Error, usize)> {
    let mut store = S::open(env, settings).map_err(|error| (error, 0))?;
    let mut returned = 0;
    let mut depth: Vec<usize> = Vec::new();
    for step in &workload.steps {
        if *step == Step::Restart {
            store.close().map_err(|error| (error, returned))?;
            store = S::open(env, settings).map_err(|error| (error, returned))?;
            continue;
        }
        let done = store.step(step);
        watch(&mut store);
        done.map_err(|error| (error, returned))?;
        if ends_outermost(step, &mut depth) {
            returned += 1;
            disk.mark(history.promised(returned) as u64);
        }
    }
    store.close().map_err(|error| (error, returned))
}

/// Follows the nesting of transactions; true for the commit of an outermost one.
fn ends_outermost(step: &Step, depth: &mut Vec<usize>) -> bool {
    let (session, change) = match step {
        Step::CreateTable { .. } => return true,
        Step::Begin { session } => (*session, 1),
        Step::Commit { session, .. } | Step::Rollback { session } => (*session, -1),
        _ => return false,
    };
    if depth.len() <= session {
        depth.resize(session + 1, 0);
    }
    depth[session] = depth[session].saturating_add_signed(change);
    depth[session] == 0 && matches!(step, Step::Commit { .. })
}

/// Runs a workload, then recovers the store from power cuts at all its calls.
pub fn power_cuts<S: Store>(
    settings: &S::Settings,
    workload: &Workload,
    options: Options,
) -> Report {
    let history = workload.history();
    let (env, disk) = SimEnv::new(options.seed);
    let mut check = Check::<S> { settings, history: &history, options, report: Report::default() };
    if let Err((error, returned)) = run::<S>(settings, workload, &history, &disk, &env) {
        check.fail(&format!("workload {} without faults", workload.seed), || {
            format!("failed after {returned} commits: {error}")
        });
        return check.report;
    }
    let recording = disk.recording();
    for state in recording.states(options.states(options.seed, options.states)) {
        check.state(&state, options.depth);
        check.report.states += 1;
        if check.report.failures.len() >= options.failures_max {
            break;
        }
    }
    check.report
}

struct Check<'a, S: Store> {
    settings: &'a S::Settings,
    history: &'a History,
    options: Options,
    report: Report,
}

impl<S: Store> Check<'_, S> {
    fn fail(&mut self, place: &str, reason: impl FnOnce() -> String) {
        self.report.failures.push(format!("{place}: {}", reason()));
    }

    /// Opens the store on a disk and compares its content.
    fn recover(&mut self, disk: &SimDisk, mark: u64) -> Result<(S, Model), String> {
        self.report.recoveries += 1;
        let env = SimEnv::on(disk, mix(self.options.seed, mark));
        let mut store =
            S::open(&env, self.settings).map_err(|error| format!("recovery failed: {error}"))?;
        let content = store.content().map_err(|error| format!("reading failed: {error}"))?;
        match self.history.check(&content, crate::index(mark)) {
            Ok(_) => Ok((store, content)),
            Err(mismatch) => Err(mismatch.to_string()),
        }
    }

    /// Recovers from one state, and from power cuts during that, as deep as is said.
    fn state(&mut self, state: &CrashState, depth: u32) {
        self.report.distinct.insert(mix(state.hash, state.mark));
        let disk = SimDisk::from_image(&state.image);
        disk.mark(state.mark);
        let recovered = self.recover(&disk, state.mark);
        let recovery = disk.recording();
        let outcome = recovered
            .and_then(|(store, content)| {
                self.is_done(state, &recovery, &content)?;
                Ok((store, content))
            })
            .and_then(|(store, content)| self.goes_on(store, content, &disk));
        if let Err(reason) = outcome {
            self.fail(&state.description, || reason);
            return;
        }
        if depth == 0 || !state.hash.is_multiple_of(self.options.nested_one_of.max(1)) {
            return;
        }
        // Only one of many is cut, but those are cut to the full depth.
        let nested = Options { nested_one_of: 1, ..self.options };
        let seed = mix(self.options.seed, state.hash);
        let outer = std::mem::replace(&mut self.options, nested);
        for inner in recovery.states(self.options.states(seed, self.options.nested)) {
            let description =
                format!("{}; then, while recovering: {}", state.description, inner.description);
            self.report.nested += 1;
            self.state(&CrashState { description, ..inner }, depth - 1);
        }
        self.options = outer;
    }

    /// After a recovery and a power cut right behind it, the next recovery finds nothing to do and
    /// the same content. Checked for one of four states.
    fn is_done(
        &mut self,
        state: &CrashState,
        recovery: &Recording,
        content: &Model,
    ) -> Result<(), String> {
        if !self.options.follow_up || !mix(state.hash, 3).is_multiple_of(4) {
            return Ok(());
        }
        let disk = SimDisk::from_image(&recovery.image_at_end(Plan::Nothing));
        let (store, again) = self.recover(&disk, state.mark)?;
        if store.replayed() > 0 {
            return Err(format!("a second recovery still made {} changes", store.replayed()));
        }
        match content.differences(&again, 4) {
            (_, 0) => Ok(()),
            (lines, count) => {
                Err(format!("a second recovery: {count} differences: {}", lines.join("; ")))
            }
        }
    }

    /// A recovered store takes a new commit, and after that (a checkpoint, an orderly end, or
    /// neither) the next power cut leaves exactly what it had.
    fn goes_on(&mut self, mut store: S, mut content: Model, disk: &SimDisk) -> Result<(), String> {
        if !self.options.follow_up {
            return Ok(());
        }
        let way = mix(self.options.seed, content.hash()) % 3;
        let mut steps = follow_up(&mut content);
        if way == 1 {
            steps.push(Step::Checkpoint);
        }
        for step in &steps {
            store.step(step).map_err(|error| format!("after recovery, {step:?}: {error}"))?;
        }
        if way == 2 {
            store.close().map_err(|error| format!("after recovery, closing: {error}"))?;
        } else {
            // The program dies and the power is cut at once.
            drop(store);
        }
        let with = ["a commit", "a commit and a checkpoint", "a commit and an orderly end"]
            [crate::index(way)];
        let image = disk.recording().image_at_end(Plan::Nothing);
        self.report.recoveries += 1;
        let again = SimDisk::from_image(&image);
        let env = SimEnv::on(&again, self.options.seed);
        let found = S::open(&env, self.settings).and_then(|mut store| {
            let found = store.content()?;
            store.close()?;
            Ok(found)
        });
        let found = found.map_err(|error| format!("after recovery and {with}: {error}"))?;
        let (lines, count) = content.differences(&found, 4);
        if count > 0 {
            return Err(format!(
                "after recovery, {with} and a power cut: {count} differences: {}",
                lines.join("; ")
            ));
        }
        Ok(())
    }
}

/// A durable transaction that fits the content, made in the model as well.
fn follow_up(content: &mut Model) -> Vec<Step> {
    let mut steps = Vec::new();
    let table = match content.tables.keys().next() {
        Some(table) => table.clone(),
        None => {
            let table = "follow_up".to_owned();
            content.apply(&RowOp::CreateTable { table: table.clone() });
            steps.push(Step::CreateTable { table: table.clone(), durable: true });
            table
        }
    };
    let key = b"follow up".to_vec();
    let value = b"the store goes on".to_vec();
    let there = content.tables.get(&table).is_some_and(|rows| rows.contains_key(&key));
    let op = if there {
        RowOp::Replace { table, key, value }
    } else {
        RowOp::Insert { table, key, value }
    };
    content.apply(&op);
    steps.extend([
        Step::Begin { session: 0 },
        Step::Row { session: 0, op },
        Step::Commit { session: 0, durable: true },
    ]);
    steps
}

/// The error that a store gives when a [`Step::Read`] saw something else.
#[must_use]
pub fn wrong_read(step: &Step, found: Option<&[u8]>) -> Error {
    Error::new(JetErr::InternalError, format!("{step:?}: found {found:?}"))
}

mod faults;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod toy;

pub use faults::{faults, faults_while_recovering};
