//! Online defragmentation of an attached database: on the caller's thread, or in the background.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ese_base::{JetErr, Result, StopReason, StopToken};
use ese_engine::{
    defrag::{DefragReport, Defragmentation},
    instance::{Attached, Instance},
    table::Table,
};
use ese_os::Worker;
use parking_lot::{Condvar, Mutex};

use crate::{database::Database, shared::Shared};

/// How long the background rests between two passes.
const REST: Duration = Duration::from_secs(60);

/// Longest rest of paused background work without a look whether it may go on.
const LOOK: Duration = Duration::from_millis(20);

/// How far a defragmentation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefragOptions {
    /// Passes over all trees, at most.
    pub passes: u32,
    /// Time, at most; it ends between two steps when that is over.
    pub time: Option<Duration>,
}

impl Default for DefragOptions {
    /// One pass, however long it takes.
    fn default() -> DefragOptions {
        DefragOptions { passes: 1, time: None }
    }
}

/// What a defragmentation did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DefragOutcome {
    /// Complete passes.
    pub passes: u32,
    /// Counts over all passes.
    pub report: DefragReport,
    /// All passes that were asked for are complete: the time sufficed.
    pub complete: bool,
}

impl Database {
    /// Joins sparse leaves of all trees, step by step, while others read and write. Pages that
    /// become free serve their tree; wholly free extents go back to the database. `progress` is
    /// told now and then.
    ///
    /// # Errors
    /// What the token says when it is stopped, `progress`'s own, and those of writing. The database
    /// is whole in any case.
    pub fn defragment(
        &self,
        options: DefragOptions,
        progress: &mut dyn FnMut(DefragReport) -> Result<()>,
        stop: &StopToken,
    ) -> Result<DefragOutcome> {
        let mut run = Run::new(self.engine(), self.attached());
        let end = options.time.map(|time| run.now().saturating_add(time));
        while run.outcome.passes < options.passes {
            if !run.pass(end, progress, stop)? {
                return Ok(run.outcome);
            }
        }
        Ok(DefragOutcome { complete: true, ..run.outcome })
    }
}

/// Passes over a database.
struct Run<'a> {
    engine: &'a Arc<Instance>,
    attached: &'a Arc<Attached>,
    /// Only the trees of this one.
    table: Option<&'a Arc<Table>>,
    /// Only whole leaves are joined.
    whole_only: bool,
    outcome: DefragOutcome,
}

impl<'a> Run<'a> {
    fn new(engine: &'a Arc<Instance>, attached: &'a Arc<Attached>) -> Run<'a> {
        let outcome = DefragOutcome::default();
        Run { engine, attached, table: None, whole_only: false, outcome }
    }

    fn now(&self) -> Duration {
        self.engine.env.clock.monotonic()
    }

    /// One pass. `false`: time was over before its end.
    fn pass(
        &mut self,
        end: Option<Duration>,
        progress: &mut dyn FnMut(DefragReport) -> Result<()>,
        stop: &StopToken,
    ) -> Result<bool> {
        let mut pass = match self.table {
            Some(table) => Defragmentation::of_table(self.attached, table),
            None => Defragmentation::new(self.attached),
        };
        pass.fill = !self.whole_only;
        let before = self.outcome.report;
        loop {
            let more = pass.step(self.engine, stop)?;
            self.outcome.report = sum(before, pass.report());
            progress(self.outcome.report)?;
            if !more {
                self.outcome.passes += 1;
                return Ok(true);
            }
            if end.is_some_and(|end| self.now() >= end) {
                return Ok(false);
            }
        }
    }
}

fn sum(a: DefragReport, b: DefragReport) -> DefragReport {
    DefragReport {
        trees: a.trees + b.trees,
        leaves: a.leaves + b.leaves,
        joined: a.joined + b.joined,
        filled: a.filled + b.filled,
        removed: a.removed + b.removed,
    }
}

/// What the background is to do.
#[derive(Debug, Default)]
pub(crate) struct BackgroundOptions {
    /// Only the trees of this table.
    pub(crate) table: Option<Arc<Table>>,
    /// May only whole leaves be joined?
    pub(crate) whole_only: bool,
    /// Passes, at most.
    pub(crate) passes: Option<u32>,
    /// Time, at most.
    pub(crate) time: Option<Duration>,
}

/// What the background's thread and those who stop it share.
#[derive(Debug, Default)]
struct State {
    /// Complete passes, and whether it has ended.
    progress: Mutex<(u32, bool)>,
    changed: Condvar,
}

/// A defragmentation in the background.
#[derive(Debug)]
pub(crate) struct Background {
    attached: Arc<Attached>,
    stop: StopToken,
    state: Arc<State>,
    started: Duration,
    worker: Option<Worker>,
}

/// What a background defragmentation had done when it was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DefragStopped {
    /// Complete passes.
    pub(crate) passes: u32,
    /// How long it was at work or resting.
    pub(crate) time: Duration,
}

impl Shared {
    /// Starts passes over a database in the background, with rests between them, until somebody
    /// stops it; with limits, until they are reached. `done` is called at its end. `false`: one is
    /// running already.
    pub(crate) fn start_defragmentation(
        &self,
        attached: &Arc<Attached>,
        options: BackgroundOptions,
        done: Box<dyn FnOnce() + Send>,
    ) -> Result<bool> {
        let mut running = self.defragmentations.lock();
        running.retain(|other| !other.state.progress.lock().1);
        if running.iter().any(|other| Arc::ptr_eq(&other.attached, attached)) {
            return Ok(false);
        }
        let started = self.engine.env.clock.monotonic();
        let (stop, state) = (StopToken::new(), Arc::new(State::default()));
        let end = options.time.map(|time| started.saturating_add(time));
        let paused = Arc::clone(&self.background_paused);
        let body = {
            let (engine, attached) = (Arc::clone(&self.engine), Arc::clone(attached));
            let (stop, state) = (stop.clone(), Arc::clone(&state));
            move || {
                let mut run = Run::new(&engine, &attached);
                (run.table, run.whole_only) = (options.table.as_ref(), options.whole_only);
                let result = in_background(run, (options.passes, end), &paused, &stop, &state);
                if let Err(error) = result
                    && error.code() != JetErr::ClientRequestToStopJetService
                {
                    tracing::warn!(%error, "defragmentation has ended");
                }
                state.progress.lock().1 = true;
                drop((engine, attached, options));
                done();
            }
        };
        let worker = self.engine.env.threads.spawn("ese-defrag", Box::new(body))?;
        let attached = Arc::clone(attached);
        running.push(Background { attached, stop, state, started, worker });
        Ok(true)
    }

    /// Stops the background's passes over a database, waiting for the step under way. `None`: none
    /// was running.
    pub(crate) fn stop_defragmentation(&self, attached: &Attached) -> Option<DefragStopped> {
        let mut running = self.defragmentations.lock();
        let place = running.iter().position(|other| std::ptr::eq(&*other.attached, attached))?;
        let background = running.swap_remove(place);
        drop(running);
        let time = self.engine.env.clock.monotonic().saturating_sub(background.started);
        let (passes, ended) = background.end();
        (!ended).then_some(DefragStopped { passes, time })
    }

    /// Stops all.
    pub(crate) fn stop_defragmentations(&self) {
        let running = std::mem::take(&mut *self.defragmentations.lock());
        running.into_iter().for_each(|background| _ = background.end());
    }
}

impl Background {
    /// Ends it; tells how many passes it made, and whether it had ended before.
    fn end(mut self) -> (u32, bool) {
        let ended = self.state.progress.lock().1;
        self.stop.stop(StopReason::Requested);
        self.state.changed.notify_all();
        drop(self.worker.take());
        (self.state.progress.lock().0, ended)
    }
}

fn in_background(
    mut run: Run<'_>,
    (passes, end): (Option<u32>, Option<Duration>),
    paused: &AtomicBool,
    stop: &StopToken,
    state: &State,
) -> Result<()> {
    let clock = Arc::clone(&run.engine.env.clock);
    // Between two steps nothing is held.
    let mut rest_if_paused = |_: DefragReport| -> Result<()> {
        while paused.load(Ordering::SeqCst) && stop.reason().is_none() {
            clock.sleep(LOOK);
        }
        Ok(())
    };
    rest_if_paused(DefragReport::default())?;
    while run.pass(end, &mut rest_if_paused, stop)? {
        let mut progress = state.progress.lock();
        progress.0 = run.outcome.passes;
        if passes.is_some_and(|most| progress.0 >= most) {
            return Ok(());
        }
        let now = run.now();
        let rest = end.map_or(REST, |end| REST.min(end.saturating_sub(now)));
        let until = now.saturating_add(rest);
        // Wakes up early for nothing but a stop.
        while stop.reason().is_none() && run.now() < until {
            state.changed.wait_for(&mut progress, until.saturating_sub(run.now()));
        }
        if end.is_some_and(|end| run.now() >= end) {
            return Ok(());
        }
    }
    Ok(())
}
