//! What is durable and what is only on its way: the part of a disk that a power cut looks at.
//!
//! A change becomes *pending* when its call succeeds and *durable* when a sync covers it. At a
//! power cut each pending change may have reached the medium wholly, partly or not at all, in any
//! order; the plan says which. The rules that hold for every plan:
//!
//! - a file's bytes and length belong to the file, not to its name: a kept name shows whatever of
//!   the file's changes was kept;
//! - a name belongs to its directory; a rename is one change and belongs to the directory of its
//!   target;
//! - sectors of [`SECTOR`] bytes are written wholly or not at all;
//! - a write, the length that it extends the file to, and a change of length by itself are kept or
//!   dropped separately, except that nothing written after a dropped shortening survives (it would
//!   lie in blocks that the file never got).

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
    sync::Arc,
};

use crate::{
    content::Content,
    image::{Image, ImageNode},
    plan::{Fate, Fates},
    random::Random,
};

/// Bytes that a power cut cannot tear.
pub const SECTOR: u64 = 512;

/// Number of a file, independent of its names.
pub(crate) type FileId = u64;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Dir,
    File(FileId),
}

/// One change of the disk.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Write {
        file: FileId,
        offset: u64,
        data: Arc<[u8]>,
    },
    SetLen {
        file: FileId,
        len: u64,
        shortens: bool,
    },
    Allocate {
        file: FileId,
        end: u64,
    },
    Create {
        path: Arc<Path>,
        file: FileId,
    },
    CreateDir {
        path: Arc<Path>,
    },
    Remove {
        path: Arc<Path>,
    },
    Rename {
        from: Arc<Path>,
        to: Arc<Path>,
        file: FileId,
    },
    /// With everything in it. Names in it that were not durable before never become so: whoever
    /// renames a directory has synced it.
    RenameDir {
        from: Arc<Path>,
        to: Arc<Path>,
    },
}

impl Change {
    /// The file whose sync makes this durable.
    pub(crate) fn file(&self) -> Option<FileId> {
        match self {
            Change::Write { file, .. }
            | Change::SetLen { file, .. }
            | Change::Allocate { file, .. } => Some(*file),
            _ => None,
        }
    }

    /// The directory whose sync makes this durable.
    pub(crate) fn dir(&self) -> Option<&Path> {
        match self {
            Change::Create { path, .. }
            | Change::CreateDir { path }
            | Change::Remove { path }
            | Change::Rename { to: path, .. }
            | Change::RenameDir { to: path, .. } => path.parent(),
            _ => None,
        }
    }

    /// A change of names, not of bytes.
    pub(crate) fn is_name(&self) -> bool {
        self.file().is_none()
    }
}

/// Durable bytes and names, and the pending changes in the order of their calls.
#[derive(Clone, Debug)]
pub(crate) struct Tracker {
    names: BTreeMap<Arc<Path>, Node>,
    files: HashMap<FileId, Arc<Content>>,
    pending: Vec<Arc<Change>>,
}

impl Tracker {
    /// Starts from an image; also gives the number that the next file gets.
    pub(crate) fn new(image: &Image) -> (Tracker, FileId) {
        let mut tracker =
            Tracker { names: BTreeMap::new(), files: HashMap::new(), pending: Vec::new() };
        let mut next = 1;
        for (path, node) in &image.nodes {
            let node = match node {
                ImageNode::Dir => Node::Dir,
                ImageNode::File(content) => {
                    tracker.files.insert(next, Arc::clone(content));
                    next += 1;
                    Node::File(next - 1)
                }
            };
            tracker.names.insert(Arc::clone(path), node);
        }
        (tracker, next)
    }

    pub(crate) fn names(&self) -> &BTreeMap<Arc<Path>, Node> {
        &self.names
    }

    pub(crate) fn pending(&self) -> &[Arc<Change>] {
        &self.pending
    }

    /// The durable bytes of a file.
    pub(crate) fn durable(&self, file: FileId) -> Option<&Arc<Content>> {
        self.files.get(&file)
    }

    pub(crate) fn issue(&mut self, change: Arc<Change>) {
        if let Change::RenameDir { to, .. } = &*change {
            // Names of a directory that was removed from that place are no names of this one.
            for gone in self.take(|old| old.dir().is_some_and(|dir| dir.starts_with(&**to))) {
                apply_name(&mut self.names, &gone);
            }
        }
        self.pending.push(change);
    }

    pub(crate) fn sync_file(&mut self, file: FileId) {
        let mut content = None;
        for change in self.take(|change| change.file() == Some(file)) {
            let content = content.get_or_insert_with(|| {
                self.files.get(&file).map(|c| (**c).clone()).unwrap_or_default()
            });
            apply_whole(content, &change);
        }
        if let Some(content) = content {
            self.files.insert(file, Arc::new(content));
        }
    }

    /// A sync that failed and after which the system holds the data for clean: nothing of it will
    /// ever be written.
    pub(crate) fn forget_file(&mut self, file: FileId) {
        self.take(|change| change.file() == Some(file));
    }

    pub(crate) fn sync_dir(&mut self, dir: &Path) {
        for change in self.take(|change| change.dir() == Some(dir)) {
            apply_name(&mut self.names, &change);
        }
        // Files that no durable name and no pending change knows any more.
        let mut known: HashSet<FileId> = self.names.values().filter_map(|n| file_of(*n)).collect();
        known.extend(self.pending.iter().filter_map(|change| match **change {
            Change::Create { file, .. } | Change::Rename { file, .. } => Some(file),
            _ => change.file(),
        }));
        self.files.retain(|file, _| known.contains(file));
    }

    /// Takes the pending changes that match out of the list, in order.
    fn take(&mut self, matches: impl Fn(&Change) -> bool) -> Vec<Arc<Change>> {
        let (taken, left) =
            std::mem::take(&mut self.pending).into_iter().partition(|change| matches(change));
        self.pending = left;
        taken
    }

    /// What is on the medium when the power is cut now and the pending changes fare so.
    pub(crate) fn image(&self, fates: &Fates) -> Image {
        let mut names = self.names.clone();
        let mut changed: HashMap<FileId, Content> = HashMap::new();
        let mut cut_off: HashSet<FileId> = HashSet::new();
        for (change, fate) in self.pending.iter().zip(&fates.each) {
            let Some(file) = change.file() else {
                if *fate == Fate::Keep {
                    apply_name(&mut names, change);
                }
                continue;
            };
            let lost_shortening =
                matches!(**change, Change::SetLen { shortens: true, .. }) && *fate != Fate::Keep;
            if lost_shortening {
                cut_off.insert(file);
            }
            if *fate == Fate::Drop || cut_off.contains(&file) {
                continue;
            }
            let content = changed.entry(file).or_insert_with(|| {
                self.files.get(&file).map(|content| (**content).clone()).unwrap_or_default()
            });
            match *fate {
                Fate::Torn { sectors, length } => {
                    apply_torn(content, change, |at, of| sectors.keeps(at, of), length, fates);
                }
                _ => apply_whole(content, change),
            }
        }
        for content in changed.values_mut() {
            content.cut();
        }
        let mut changed: HashMap<FileId, Arc<Content>> =
            changed.into_iter().map(|(file, content)| (file, Arc::new(content))).collect();
        let mut image = Image { nodes: BTreeMap::new() };
        for (path, node) in names {
            let node = match node {
                Node::Dir => ImageNode::Dir,
                Node::File(file) => ImageNode::File(Arc::clone(
                    changed
                        .entry(file)
                        .or_insert_with(|| self.files.get(&file).cloned().unwrap_or_default()),
                )),
            };
            image.nodes.insert(path, node);
        }
        image.drop_orphans();
        image
    }
}

fn file_of(node: Node) -> Option<FileId> {
    match node {
        Node::Dir => None,
        Node::File(file) => Some(file),
    }
}

/// Applies a change of bytes or length.
pub(crate) fn apply_whole(content: &mut Content, change: &Change) {
    match change {
        Change::Write { offset, data, .. } => {
            content.put(*offset, data);
            content.grow(offset + data.len() as u64);
        }
        Change::SetLen { len, .. } => content.set_len(*len),
        Change::Allocate { end, .. } => content.grow(*end),
        _ => {}
    }
}

/// Applies the chosen sectors of a write, and its length or not. With garbage, sectors that the new
/// length covers but that were not written hold stale bytes.
fn apply_torn(
    content: &mut Content,
    change: &Change,
    keeps: impl Fn(u64, u64) -> bool,
    length: bool,
    fates: &Fates,
) {
    let Change::Write { offset, data, .. } = change else {
        if length {
            apply_whole(content, change);
        }
        return;
    };
    let (start, end) = (*offset, offset + data.len() as u64);
    let old_len = content.len();
    let first = start / SECTOR;
    let count = end.div_ceil(SECTOR) - first;
    for at in 0..count {
        let from = ((first + at) * SECTOR).max(start);
        let to = ((first + at + 1) * SECTOR).min(end);
        if keeps(at, count) {
            let part = crate::index(from - start)..crate::index(to - start);
            content.put(from, &data[part]);
        } else if let (Some(seed), true) = (fates.garbage, length && to > old_len) {
            let from = from.max(old_len);
            let stale = Random::new(seed ^ from).bytes(crate::index(to - from));
            content.put(from, &stale);
        }
    }
    if length {
        content.grow(end);
    }
}

/// Applies a change of names.
pub(crate) fn apply_name(names: &mut BTreeMap<Arc<Path>, Node>, change: &Change) {
    match change {
        Change::Create { path, file } => {
            names.insert(Arc::clone(path), Node::File(*file));
        }
        Change::CreateDir { path } => {
            names.insert(Arc::clone(path), Node::Dir);
        }
        Change::Remove { path } => {
            names.remove(path);
        }
        Change::Rename { from, to, file } => {
            // The old name may by now be another file's, when changes between were dropped.
            if names.get(from) == Some(&Node::File(*file)) {
                names.remove(from);
            }
            names.insert(Arc::clone(to), Node::File(*file));
        }
        Change::RenameDir { from, to } => {
            let inside: Vec<Arc<Path>> =
                names.keys().filter(|path| path.starts_with(from)).map(Arc::clone).collect();
            for path in inside {
                let rest = path.strip_prefix(from).unwrap_or(&path);
                // Joining nothing would leave a separator behind.
                let moved =
                    if rest.as_os_str().is_empty() { to.to_path_buf() } else { to.join(rest) };
                if let Some(node) = names.remove(&path) {
                    names.insert(Arc::from(moved), node);
                }
            }
        }
        Change::Write { .. } | Change::SetLen { .. } | Change::Allocate { .. } => {}
    }
}
