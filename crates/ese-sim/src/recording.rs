//! The log of what a workload did to a disk, and every state that a power cut could have left.

use std::{
    collections::HashSet,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    fault::OpKind,
    image::Image,
    plan::{FIRST_PLANS, Plan},
    random::{hash_bytes, mix},
    track::{Change, FileId, Tracker},
};

/// One call, as it was recorded.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Number of the call among all calls to this disk, from 0.
    pub(crate) op: u64,
    pub(crate) kind: OpKind,
    pub(crate) path: Arc<Path>,
    pub(crate) offset: u64,
    pub(crate) len: u64,
    pub(crate) effect: Effect,
}

/// What a call did to the medium.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// Nothing: it read, asked or failed.
    None,
    Change(Arc<Change>),
    SyncFile(FileId),
    /// A sync failed and its data will never be written.
    ForgetFile(FileId),
    SyncDir,
    /// The workload was promised something.
    Mark(u64),
}

impl Tracker {
    pub(crate) fn follow(&mut self, entry: &Entry) {
        match &entry.effect {
            Effect::None | Effect::Mark(_) => {}
            Effect::Change(change) => self.issue(Arc::clone(change)),
            Effect::SyncFile(file) => self.sync_file(*file),
            Effect::ForgetFile(file) => self.forget_file(*file),
            Effect::SyncDir => self.sync_dir(&entry.path),
        }
    }
}

/// Everything that was done to a disk since it was booted or the recording was started.
#[derive(Clone, Debug)]
pub struct Recording {
    pub(crate) base: Tracker,
    pub(crate) base_mark: u64,
    pub(crate) log: Vec<Entry>,
}

/// Which states to make.
#[derive(Clone, Copy, Debug)]
pub struct StateOptions {
    /// Chooses among the endless many. The same seed gives the same states.
    pub seed: u64,
    /// How many states at most.
    pub budget: usize,
    /// In half of the states, ranges that a file was extended over before their data came hold
    /// stale bytes instead of zeros (as file systems without ordered data do).
    pub garbage: bool,
    /// The power is not cut before this call.
    pub from_op: u64,
}

/// What a power cut left, and how it came to that.
#[derive(Clone, Debug)]
pub struct CrashState {
    /// The durable bytes and names.
    pub image: Image,
    /// [`Image::hash`] of it.
    pub hash: u64,
    /// Number of the last call before the cut; its effect may or may not have reached the medium.
    pub op: u64,
    /// The newest mark that was set before the cut ([`crate::SimDisk::mark`]).
    pub mark: u64,
    /// Where the state stands in its recording; see [`Recording::state`].
    pub id: StateId,
    /// One line that names call, plan and id.
    pub description: String,
}

/// Names one state of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateId {
    /// Seed of the enumeration.
    pub seed: u64,
    /// Entry of the log after which the power was cut.
    pub point: usize,
    /// Number of the plan.
    pub plan: u64,
    /// Stale bytes in extended ranges?
    pub garbage: bool,
}

impl fmt::Display for StateId {
    /// `seed:point:plan`, with `:stale` behind it where extended ranges hold stale bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stale = if self.garbage { ":stale" } else { "" };
        write!(f, "{}:{}:{}{stale}", self.seed, self.point, self.plan)
    }
}

impl StateId {
    /// Reads what [`StateId`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<StateId> {
        let (text, garbage) = match text.strip_suffix(":stale") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let mut parts = text.split(':');
        let id = StateId {
            seed: parts.next()?.parse().ok()?,
            point: parts.next()?.parse().ok()?,
            plan: parts.next()?.parse().ok()?,
            garbage,
        };
        parts.next().is_none().then_some(id)
    }
}

impl Recording {
    /// Number of recorded calls.
    #[must_use]
    pub fn len(&self) -> usize {
        self.log.len()
    }

    /// Was nothing recorded?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.log.is_empty()
    }

    /// A hash over all calls, their places and data: equal for two runs that did the same.
    #[must_use]
    pub fn hash(&self) -> u64 {
        let mut hash = 0;
        for entry in &self.log {
            hash = mix(hash, mix(entry.kind as u64, entry.op));
            hash = mix(hash, hash_bytes(entry.path.as_os_str().as_encoded_bytes()));
            hash = mix(hash, mix(entry.offset, entry.len));
            hash = match &entry.effect {
                Effect::None => mix(hash, 0),
                Effect::Change(change) => match &**change {
                    Change::Write { data, .. } => mix(hash, hash_bytes(data)),
                    Change::Rename { to, .. } | Change::RenameDir { to, .. } => {
                        mix(hash, hash_bytes(to.as_os_str().as_encoded_bytes()))
                    }
                    _ => mix(hash, 1),
                },
                Effect::SyncFile(_) | Effect::SyncDir => mix(hash, 2),
                Effect::ForgetFile(_) => mix(hash, 3),
                Effect::Mark(mark) => mix(hash, *mark),
            };
        }
        hash
    }

    /// One line per recorded call that is not a read or a question: the order of creations, writes
    /// and syncs, for goldens and for reading a failure.
    #[must_use]
    pub fn trace(&self) -> String {
        self.told(u64::MAX).map(|entry| describe(entry) + "\n").collect()
    }

    /// As [`Recording::trace`], each with its number, up to and including call number `op`.
    #[must_use]
    pub fn trace_until(&self, op: u64) -> String {
        self.told(op).map(|entry| format!("{:>6} {}\n", entry.op, describe(entry))).collect()
    }

    fn told(&self, until: u64) -> impl Iterator<Item = &Entry> {
        let told = |entry: &&Entry| !matches!(entry.kind, OpKind::Read | OpKind::Query);
        self.log.iter().take_while(move |entry| entry.op <= until).filter(told)
    }

    /// The states that power cuts could leave, deduplicated by image and mark. The cut goes round
    /// robin over all calls that change anything, so that a small budget reaches all parts of the
    /// workload; within a call the telling plans come first. Ends when the budget is used or
    /// nothing new turns up.
    #[must_use]
    pub fn states(&self, options: StateOptions) -> States<'_> {
        States {
            recording: self,
            options,
            points: self.points(options.from_op),
            pass: 0,
            at: 0,
            follow: Follow::new(self),
            seen: HashSet::new(),
            news_in_pass: 0,
            dull_passes: 0,
            yielded: 0,
        }
    }

    /// Makes one state again: the one that a description named.
    #[must_use]
    pub fn state(&self, id: StateId) -> Option<CrashState> {
        let mut follow = Follow::new(self);
        follow.go_to(id.point)?;
        follow.state(id)
    }

    /// What the medium holds after a call if the power is cut then and the plan decides.
    #[must_use]
    pub fn snapshot_at(&self, op: u64, plan: Plan) -> Option<Image> {
        let point = self.log.iter().position(|entry| entry.op == op)?;
        let mut follow = Follow::new(self);
        follow.go_to(point)?;
        Some(follow.tracker.image(&plan.fates(follow.tracker.pending(), None)))
    }

    /// What the medium holds after all that was recorded, if the power is cut then.
    #[must_use]
    pub fn image_at_end(&self, plan: Plan) -> Image {
        let mut follow = Follow::new(self);
        let _ = self.log.len().checked_sub(1).and_then(|last| follow.go_to(last));
        follow.tracker.image(&plan.fates(follow.tracker.pending(), None))
    }

    /// The newest mark of the recording.
    #[must_use]
    pub fn last_mark(&self) -> u64 {
        let marks = self.log.iter().rev().filter_map(|entry| match entry.effect {
            Effect::Mark(mark) => Some(mark),
            _ => None,
        });
        marks.into_iter().next().unwrap_or(self.base_mark)
    }

    /// The calls after which a cut can leave something that it could not leave before.
    fn points(&self, from_op: u64) -> Vec<usize> {
        let effective = |pair: &&(usize, &Entry)| {
            pair.1.op >= from_op && !matches!(pair.1.effect, Effect::None)
        };
        self.log.iter().enumerate().filter(|pair| effective(&pair)).map(|(at, _)| at).collect()
    }
}

/// The disk as it was after some entry of the log.
#[derive(Debug)]
struct Follow<'a> {
    recording: &'a Recording,
    tracker: Tracker,
    mark: u64,
    /// Entries followed so far.
    done: usize,
}

impl<'a> Follow<'a> {
    fn new(recording: &'a Recording) -> Follow<'a> {
        Follow { recording, tracker: recording.base.clone(), mark: recording.base_mark, done: 0 }
    }

    /// Goes on to the state just after an entry; `None` if there is no such entry.
    fn go_to(&mut self, point: usize) -> Option<()> {
        if point < self.done.saturating_sub(1) {
            *self = Follow::new(self.recording);
        }
        while self.done <= point {
            let entry = self.recording.log.get(self.done)?;
            self.tracker.follow(entry);
            if let Effect::Mark(mark) = entry.effect {
                self.mark = mark;
            }
            self.done += 1;
        }
        Some(())
    }

    fn state(&self, id: StateId) -> Option<CrashState> {
        self.state_if(id, |_, _| true)
    }

    /// The state, if it is wanted by its hash and mark.
    fn state_if(&self, id: StateId, wanted: impl FnOnce(u64, u64) -> bool) -> Option<CrashState> {
        let entry = self.recording.log.get(id.point)?;
        let pending = self.tracker.pending();
        let plan = Plan::numbered(id.plan, pending, mix(id.seed, id.point as u64))?;
        let garbage = id.garbage.then(|| mix(id.seed, id.plan));
        let image = self.tracker.image(&plan.fates(pending, garbage));
        let (hash, mark) = (image.hash(), self.mark);
        if !wanted(hash, mark) {
            return None;
        }
        let description = format!(
            "power cut after op {} ({}), {} pending changes: {plan}{} [{id}]",
            entry.op,
            describe(entry),
            pending.len(),
            if id.garbage { ", stale bytes in extended ranges" } else { "" },
        );
        Some(CrashState { image, hash, op: entry.op, mark, id, description })
    }
}

/// Iterator over crash states; see [`Recording::states`].
#[derive(Debug)]
pub struct States<'a> {
    recording: &'a Recording,
    options: StateOptions,
    points: Vec<usize>,
    pass: u64,
    /// Next of `points` in this pass.
    at: usize,
    follow: Follow<'a>,
    seen: HashSet<(u64, u64)>,
    news_in_pass: usize,
    dull_passes: u32,
    yielded: usize,
}

impl States<'_> {
    /// So many passes without a new state end the enumeration.
    const DULL_PASSES_MAX: u32 = 32;

    /// How many points of a pass are left out between two, when the budget is smaller than one
    /// pass.
    fn stride(&self) -> usize {
        (self.points.len() / self.options.budget.max(1)).max(1)
    }

    /// Which plan this pass asks for at a point. The first passes begin with another plan at each
    /// point, so that even one pass sees all kinds.
    fn plan_number(&self, at: usize) -> u64 {
        if self.pass >= FIRST_PLANS {
            return self.pass;
        }
        self.pass.wrapping_add(mix(self.options.seed, at as u64)) % FIRST_PLANS
    }

    /// Moves to the next pass; false if the last ones found nothing.
    fn next_pass(&mut self) -> bool {
        self.dull_passes = if self.news_in_pass == 0 { self.dull_passes + 1 } else { 0 };
        self.news_in_pass = 0;
        self.pass += 1;
        let stride = self.stride() as u64;
        self.at = crate::index(mix(self.options.seed, self.pass) % stride);
        self.follow = Follow::new(self.recording);
        self.dull_passes < Self::DULL_PASSES_MAX
    }
}

impl Iterator for States<'_> {
    type Item = CrashState;

    fn next(&mut self) -> Option<CrashState> {
        if self.points.is_empty() {
            return None;
        }
        while self.yielded < self.options.budget {
            let Some(&point) = self.points.get(self.at) else {
                if self.next_pass() {
                    continue;
                }
                return None;
            };
            let plan = self.plan_number(self.at);
            self.at += self.stride();
            self.follow.go_to(point)?;
            let garbage = self.options.garbage && mix(self.options.seed, plan) & 1 == 1;
            let id = StateId { seed: self.options.seed, point, plan, garbage };
            let seen = &mut self.seen;
            let new = |hash, mark| seen.insert((hash, mark));
            let Some(state) = self.follow.state_if(id, new) else { continue };
            self.news_in_pass += 1;
            self.yielded += 1;
            return Some(state);
        }
        None
    }
}

/// One call in words.
fn describe(entry: &Entry) -> String {
    let path = entry.path.display();
    match (&entry.effect, entry.kind) {
        (Effect::Mark(mark), _) => format!("mark {mark}"),
        (Effect::Change(change), _) => match &**change {
            Change::Write { offset, data, .. } => format!("write {path} {offset}+{}", data.len()),
            Change::SetLen { len, .. } => format!("set length {path} {len}"),
            Change::Allocate { end, .. } => format!("allocate {path} to {end}"),
            Change::Create { .. } => format!("create {path}"),
            Change::CreateDir { .. } => format!("create directory {path}"),
            Change::Remove { .. } => format!("remove {path}"),
            Change::Rename { to, .. } | Change::RenameDir { to, .. } => {
                format!("rename {path} to {}", to.display())
            }
        },
        (Effect::SyncFile(_), _) => format!("sync {path}"),
        (Effect::ForgetFile(_), _) => format!("failed sync {path}"),
        (Effect::SyncDir, _) => format!("sync directory {path}"),
        (Effect::None, kind) => format!("{kind:?} {path} {}+{}", entry.offset, entry.len),
    }
}

/// The path as the disk names it: absolute, without `.` and `..`.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::from("/");
    for part in path.components() {
        match part {
            std::path::Component::Normal(name) => normal.push(name),
            std::path::Component::ParentDir => {
                normal.pop();
            }
            _ => {}
        }
    }
    normal
}

#[cfg(test)]
mod tests;
