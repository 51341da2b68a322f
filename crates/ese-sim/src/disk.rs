//! The simulated disk: names and files in memory, every call counted, recorded and open to faults.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::Arc,
};

use ese_base::{Error, JetErr, Result};
use parking_lot::{Mutex, MutexGuard};

use crate::{
    content::Content,
    fault::{Action, Counts, Fault, OpKind},
    image::Image,
    plan::{Fate, Fates},
    recording::{CrashState, Effect, Entry, Recording, StateOptions, normal},
    track::{Change, FileId, Node, Tracker, apply_name},
};

/// A disk in memory. Cloning it gives another handle to the same disk.
///
/// It is never slow and never has the last word: what reads see (the cache) is apart from what is
/// durable, and [`SimDisk::recording`] tells every state between. Maps are not offered: the engine
/// runs its copying mode on it.
#[derive(Clone, Debug)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

/// One file as reads see it.
#[derive(Debug, Default)]
pub(crate) struct Inode {
    pub(crate) content: Content,
    /// Handles that are open.
    pub(crate) handles: u32,
    /// Handles with a lock, and whether it is exclusive.
    pub(crate) locks: Vec<(u64, bool)>,
    pub(crate) unreadable: Vec<(u64, u64)>,
    linked: bool,
}

/// The whole disk.
#[derive(Debug)]
pub(crate) struct State {
    /// Names as calls see them.
    names: BTreeMap<Arc<Path>, Node>,
    pub(crate) files: HashMap<FileId, Inode>,
    next_file: FileId,
    next_handle: u64,
    pub(crate) tracker: Tracker,
    recording: Option<Recording>,
    mark: u64,
    next_op: u64,
    counts: Counts,
    faults: Vec<Fault>,
    faults_hit: u64,
    first_fault_op: Option<u64>,
    first_failure: Option<(OpKind, Arc<Path>)>,
    /// The power is off from this call on.
    power_off_at: Option<u64>,
    /// Bytes that files may still grow by.
    free: Option<u64>,
}

impl SimDisk {
    /// An empty disk, recording.
    #[must_use]
    pub fn new() -> SimDisk {
        SimDisk::from_image(&Image::empty())
    }

    /// A disk that was just powered on: everything in the image is durable, nothing is cached,
    /// open or locked. It records.
    #[must_use]
    pub fn from_image(image: &Image) -> SimDisk {
        let (tracker, next_file) = Tracker::new(image);
        let mut files = HashMap::new();
        for node in tracker.names().values() {
            if let Node::File(file) = node {
                let content = tracker.durable(*file).map(|c| (**c).clone()).unwrap_or_default();
                files.insert(*file, Inode { content, linked: true, ..Inode::default() });
            }
        }
        let recording = Recording { base: tracker.clone(), base_mark: 0, log: Vec::new() };
        SimDisk {
            state: Arc::new(Mutex::new(State {
                names: tracker.names().clone(),
                files,
                next_file,
                next_handle: 0,
                tracker,
                recording: Some(recording),
                mark: 0,
                next_op: 0,
                counts: Counts::default(),
                faults: Vec::new(),
                faults_hit: 0,
                first_fault_op: None,
                first_failure: None,
                power_off_at: None,
                free: None,
            })),
        }
    }

    /// Starts a new recording here (what came before is forgotten), or ends it. Long runs that
    /// need no crash states save the memory of all written data.
    pub fn record(&self, on: bool) {
        let mut state = self.lock();
        let mark = state.mark;
        let recording =
            on.then(|| Recording { base: state.tracker.clone(), base_mark: mark, log: Vec::new() });
        state.recording = recording;
    }

    /// A copy of what was recorded so far. Written data is shared, not copied.
    #[must_use]
    pub fn recording(&self) -> Recording {
        let state = self.lock();
        match &state.recording {
            Some(recording) => recording.clone(),
            None => {
                Recording { base: state.tracker.clone(), base_mark: state.mark, log: Vec::new() }
            }
        }
    }

    /// States that a power cut right now could leave.
    #[must_use]
    pub fn crash_states(&self, options: StateOptions) -> Vec<CrashState> {
        let state = self.lock();
        let here = Entry {
            op: state.next_op,
            kind: OpKind::Query,
            path: Arc::from(Path::new("/")),
            offset: 0,
            len: 0,
            effect: Effect::Mark(state.mark),
        };
        let now = Recording { base: state.tracker.clone(), base_mark: state.mark, log: vec![here] };
        drop(state);
        now.states(options).collect()
    }

    /// The disk as calls see it now: what an orderly shutdown of the machine would leave.
    #[must_use]
    pub fn image(&self) -> Image {
        let state = self.lock();
        let each = vec![Fate::Keep; state.tracker.pending().len()];
        state.tracker.image(&Fates { each, garbage: None })
    }

    /// Remembers that the workload was promised something (say, that commit number `mark` is
    /// durable). Crash states carry the newest mark that was set before the cut.
    pub fn mark(&self, mark: u64) {
        let mut state = self.lock();
        state.mark = mark;
        let op = state.next_op;
        state.note(Entry {
            op,
            kind: OpKind::Query,
            path: Arc::from(Path::new("/")),
            offset: 0,
            len: 0,
            effect: Effect::Mark(mark),
        });
    }

    /// Calls so far, by kind.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.lock().counts
    }

    /// Number that the next call gets.
    #[must_use]
    pub fn next_op(&self) -> u64 {
        self.lock().next_op
    }

    /// Adds a fault.
    pub fn add_fault(&self, fault: Fault) {
        self.lock().faults.push(fault);
    }

    /// Takes all faults away, switches the power on and forgets unreadable ranges.
    pub fn heal(&self) {
        let mut state = self.lock();
        state.faults.clear();
        state.power_off_at = None;
        for file in state.files.values_mut() {
            file.unreadable.clear();
        }
    }

    /// How many calls a fault has hit.
    #[must_use]
    pub fn faults_hit(&self) -> u64 {
        self.lock().faults_hit
    }

    /// Number of the first call that a fault has hit.
    #[must_use]
    pub fn first_fault_op(&self) -> Option<u64> {
        self.lock().first_fault_op
    }

    /// Kind and path of the first call that a fault made fail, at least in part.
    #[must_use]
    pub fn first_failure(&self) -> Option<(OpKind, Arc<Path>)> {
        self.lock().first_failure.clone()
    }

    /// From call number `op` on everything fails with `JET_errDiskIO`, as for a program whose
    /// device is gone. `None` switches the power on.
    pub fn power_off_at(&self, op: Option<u64>) {
        self.lock().power_off_at = op;
    }

    /// Bytes by which files may still grow in all; removed and shortened files give theirs back.
    /// Writes beyond that do what fits and answer `JET_errDiskFull`. `None`: no limit.
    pub fn set_free_space(&self, bytes: Option<u64>) {
        self.lock().free = bytes;
    }

    /// Bytes that are still free, where a limit is set.
    #[must_use]
    pub fn free_space(&self) -> Option<u64> {
        self.lock().free
    }

    /// Reads that touch this range answer `JET_errDiskIO` until it is written again. False if there
    /// is no such file.
    pub fn make_unreadable(&self, path: &Path, offset: u64, len: u64) -> bool {
        let mut state = self.lock();
        let Some(Node::File(file)) = state.names.get(&*normal(path)).copied() else { return false };
        let Some(inode) = state.files.get_mut(&file) else { return false };
        inode.unreadable.push((offset, offset.saturating_add(len)));
        true
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl Default for SimDisk {
    fn default() -> SimDisk {
        SimDisk::new()
    }
}

/// A call that was counted and may go on; what is left to do about faults.
pub(crate) struct Call {
    pub(crate) op: u64,
    kind: OpKind,
    path: Arc<Path>,
    pub(crate) action: Option<Action>,
}

impl State {
    /// Counts a call and asks the faults. `Err` if it fails without doing anything.
    #[track_caller]
    pub(crate) fn begin(&mut self, kind: OpKind, path: &Arc<Path>) -> Result<Call> {
        let op = self.next_op;
        self.next_op += 1;
        self.counts.0[kind as usize] += 1;
        let call = Call { op, kind, path: Arc::clone(path), action: None };
        if self.power_off_at.is_some_and(|off| op >= off) {
            self.end(&call, 0, 0, Effect::None);
            return Err(simulated(JetErr::DiskIO, &call, "the power is off"));
        }
        let text = path.to_string_lossy();
        let mut action = None;
        for fault in &mut self.faults {
            action = action.or(fault.strike(kind, &text));
        }
        if action.is_some() {
            self.faults_hit += 1;
            self.first_fault_op.get_or_insert(op);
        }
        if action.is_some_and(Action::fails) {
            self.first_failure.get_or_insert_with(|| (kind, Arc::clone(path)));
        }
        match action {
            Some(Action::Fail(code)) => {
                self.end(&call, 0, 0, Effect::None);
                Err(simulated(code, &call, "a fault was set"))
            }
            Some(Action::FailShort(code)) if kind != OpKind::Write => {
                self.end(&call, 0, 0, Effect::None);
                Err(simulated(code, &call, "a fault was set"))
            }
            action => Ok(Call { action, ..call }),
        }
    }

    /// Records what a call did.
    pub(crate) fn end(&mut self, call: &Call, offset: u64, len: u64, effect: Effect) {
        self.note(Entry {
            op: call.op,
            kind: call.kind,
            path: Arc::clone(&call.path),
            offset,
            len,
            effect,
        });
    }

    fn note(&mut self, entry: Entry) {
        self.tracker.follow(&entry);
        if let Some(recording) = &mut self.recording {
            recording.log.push(entry);
        }
    }

    /// The file that has this name.
    pub(crate) fn file_at(&self, path: &Path) -> Option<FileId> {
        match self.names.get(&*normal(path)) {
            Some(Node::File(file)) => Some(*file),
            _ => None,
        }
    }

    /// Records a call that changed names, and changes them.
    pub(crate) fn end_with(&mut self, call: &Call, change: Change) {
        apply_name(&mut self.names, &change);
        self.end(call, 0, 0, Effect::Change(Arc::new(change)));
    }

    /// Takes free space, as much as there is of it.
    pub(crate) fn take_space(&mut self, wanted: u64) -> u64 {
        let Some(free) = &mut self.free else { return wanted };
        let granted = wanted.min(*free);
        *free -= granted;
        granted
    }

    pub(crate) fn give_space(&mut self, bytes: u64) {
        if let Some(free) = &mut self.free {
            *free += bytes;
        }
    }

    pub(crate) fn new_file(&mut self) -> FileId {
        let file = self.next_file;
        self.next_file += 1;
        self.files.insert(file, Inode { linked: true, ..Inode::default() });
        file
    }

    /// Counts a new handle of a file; gives its number.
    pub(crate) fn new_handle(&mut self, file: FileId) -> u64 {
        if let Some(inode) = self.files.get_mut(&file) {
            inode.handles += 1;
        }
        self.next_handle += 1;
        self.next_handle
    }

    /// A name of the file went; a file without name and handle goes too.
    pub(crate) fn unlink(&mut self, file: FileId) {
        if let Some(inode) = self.files.get_mut(&file) {
            inode.linked = false;
        }
        self.drop_unused(file);
    }

    pub(crate) fn drop_unused(&mut self, file: FileId) {
        let unused = self.files.get(&file).is_some_and(|inode| !inode.linked && inode.handles == 0);
        if unused && let Some(inode) = self.files.remove(&file) {
            self.give_space(inode.content.len());
        }
    }

    /// The directory of a path must exist.
    #[track_caller]
    pub(crate) fn need_dir(&self, dir: &Path) -> Result<()> {
        match self.names.get(dir) {
            Some(Node::Dir) => Ok(()),
            _ => Err(Error::new(JetErr::InvalidPath, "no such directory").at_path(dir)),
        }
    }

    pub(crate) fn node(&self, path: &Path) -> Option<Node> {
        self.names.get(path).copied()
    }

    pub(crate) fn children<'a>(&'a self, dir: &'a Path) -> impl Iterator<Item = (&'a Path, Node)> {
        self.names
            .iter()
            .filter(move |(path, _)| path.parent() == Some(dir))
            .map(|(path, node)| (&**path, *node))
    }
}

#[track_caller]
pub(crate) fn simulated(code: JetErr, call: &Call, why: &str) -> Error {
    Error::new(code, format!("simulated {:?} failure of op {}: {why}", call.kind, call.op))
        .at_path(&call.path)
}

#[cfg(test)]
mod tests;
