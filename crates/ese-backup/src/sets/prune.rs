//! Removing old sets, by whole chains.
//!
//! Sets go in an order in which no set that is left loses what it builds on: those that build on
//! others first. Of a set in a directory the manifest is renamed to [`PRUNED_NAME`] first, its
//! files follow, that name goes last: a power cut at any moment leaves a whole set, or one that is
//! known as half removed and that the next pruning removes.

use std::{collections::BTreeSet, path::PathBuf};

use ese_base::{Error, JetErr, Result};
use ese_os::{Env, OpenMode, is_link, parent_of};

use super::{BackupSet, Shelf};
use crate::{
    files::{check_plain_name, remove_if_there},
    restore::{RestorePlan, RestoreSource},
    stream::{INCOMPLETE_NAME, KEPT_NAME, MANIFEST_NAME, Manifest},
};

/// What the manifest of a set is called while the set is being removed.
pub(crate) const PRUNED_NAME: &str = "ese-backup.pruned.json";

/// Why a set stays or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PruneReason {
    /// One of the newest full sets, of which so many are kept.
    Newest,
    /// It builds on a set that stays.
    BuildsOnKept,
    /// There are enough newer full sets.
    Superseded,
    /// It builds on a set that goes.
    BuildsOnRemoved,
}

/// What a pruning will do.
#[derive(Debug)]
pub struct PrunePlan {
    /// The sets that stay, the oldest first.
    pub kept: Vec<(BackupSet, PruneReason)>,
    /// The sets that go, in the order in which they do.
    pub removed: Vec<(BackupSet, PruneReason)>,
    /// Remains of earlier prunings, which go as well.
    pub half_removed: Vec<PathBuf>,
    /// What is not complete and stays: somebody may be writing it.
    pub unfinished: Vec<PathBuf>,
}

impl PrunePlan {
    /// Plans to keep the `keep` newest full sets with everything that builds on them. Nothing is
    /// changed.
    ///
    /// # Errors
    /// Whatever cannot be judged ends the planning: the first set that cannot be read, a set whose
    /// base is not there (`JET_errMissingFullBackup`, -560), a file that a manifest lists and that
    /// is not there in its length (`JET_errMissingRestoreLogFiles`, -557), sets of different
    /// databases or with clocks that contradict the log (`JET_errInvalidParameter`, -1003), a
    /// directory to be removed with a file that the manifest does not list
    /// (`JET_errFileInvalidType`, -1812); `keep` is 0 (-1003).
    pub fn new(env: &Env, shelf: Shelf, keep: usize) -> Result<PrunePlan> {
        if keep == 0 {
            return Err(Error::new(JetErr::InvalidParameter, "nothing would be kept")
                .advise("keep at least one"));
        }
        if let Some(error) = shelf.unreadable.into_iter().next() {
            return Err(error);
        }
        let shelf = Shelf { unreadable: Vec::new(), ..shelf };
        shelf.sets.iter().try_for_each(|set| check_all_there(env, set))?;
        check_one_instance(&shelf)?;
        let full: Vec<&BackupSet> =
            shelf.sets.iter().filter(|set| set.manifest.base.is_none()).collect();
        check_order(&full)?;
        // Copies of one set count once.
        let mut newest: BTreeSet<&str> = BTreeSet::new();
        for set in full.iter().rev() {
            if newest.len() < keep {
                newest.insert(set.manifest.id());
            }
        }
        let (mut kept, mut removed) = (Vec::new(), Vec::new());
        for set in &shelf.sets {
            let chain = shelf.chain(set)?;
            let root = chain.first().is_some_and(|root| newest.contains(root.manifest.id()));
            let (to, reason) = match (root, set.manifest.base.is_none()) {
                (true, true) => (&mut kept, PruneReason::Newest),
                (true, false) => (&mut kept, PruneReason::BuildsOnKept),
                (false, true) => (&mut removed, PruneReason::Superseded),
                (false, false) => (&mut removed, PruneReason::BuildsOnRemoved),
            };
            to.push((chain.len(), set.clone(), reason));
        }
        // Who builds on others goes before them.
        removed.sort_by_key(|(links, ..)| std::cmp::Reverse(*links));
        let sets = |list: Vec<(usize, BackupSet, PruneReason)>| {
            list.into_iter().map(|(_, set, reason)| (set, reason)).collect::<Vec<_>>()
        };
        let (kept, removed) = (sets(kept), sets(removed));
        for (set, _) in &removed {
            check_only_listed(env, set)?;
        }
        let Shelf { half_pruned: half_removed, unfinished, .. } = shelf;
        Ok(PrunePlan { kept, removed, half_removed, unfinished })
    }

    /// Can what stays be restored, as far as the headers of its databases and logs tell? Pages are
    /// not read, and archives not looked into.
    ///
    /// # Errors
    /// As [`RestorePlan::examine_source`].
    pub fn check_kept(&self, env: &Env) -> Result<()> {
        let kept = self.kept.iter().map(|(set, _)| set.clone());
        let shelf = Shelf { sets: kept.collect(), ..Shelf::default() };
        let nothing_goes = self.removed.is_empty();
        let mut sets = shelf.sets.iter().filter(|_| !nothing_goes);
        sets.try_for_each(|set| check_headers(env, &shelf.chain(set)?))
    }

    /// Does it. `told` is called before each set is removed.
    ///
    /// # Errors
    /// The file system's; what was planned and not done can be done by the next pruning.
    pub fn run(&self, env: &Env, told: &mut dyn FnMut(&std::path::Path)) -> Result<()> {
        for dir in &self.half_removed {
            told(dir);
            remove_rest(env, dir)?;
        }
        for (set, _) in &self.removed {
            told(&set.path);
            if set.is_archive {
                env.fs.remove_file(&set.path)?;
            } else {
                // From here on this is no set any more.
                let pruned = set.path.join(PRUNED_NAME);
                env.fs.rename(&set.path.join(MANIFEST_NAME), &pruned)?;
                env.fs.sync_dir(&set.path)?;
                remove_rest(env, &set.path)?;
            }
            // Durably gone before what it builds on.
            env.fs.sync_dir(parent_of(&set.path))?;
        }
        Ok(())
    }
}

/// Removes what the renamed manifest lists, then the manifest, then the directory if nobody has put
/// anything else into it.
fn remove_rest(env: &Env, dir: &std::path::Path) -> Result<()> {
    let pruned = dir.join(PRUNED_NAME);
    let listed = Manifest::read_file(env, &pruned)?;
    for name in names(&listed) {
        check_plain_name(name).map_err(|error| error.at_path(&pruned))?;
        remove_if_there(env, &dir.join(name))?;
    }
    remove_if_there(env, &dir.join(INCOMPLETE_NAME))?;
    remove_if_there(env, &dir.join(KEPT_NAME))?;
    // The list goes when everything on it is durably gone.
    env.fs.sync_dir(dir)?;
    env.fs.remove_file(&pruned)?;
    env.fs.sync_dir(dir)?;
    if env.fs.list(dir)?.is_empty() { env.fs.remove_dir(dir) } else { Ok(()) }
}

fn names(manifest: &Manifest) -> impl Iterator<Item = &str> {
    let databases = manifest.databases.iter().map(|entry| entry.name.as_str());
    databases.chain(manifest.logs.iter().map(|entry| entry.name.as_str()))
}

/// The full sets have a database in common; otherwise "the newest" means nothing.
fn check_one_instance(shelf: &Shelf) -> Result<()> {
    let databases = |set: &BackupSet| {
        let entries = set.manifest.databases.iter();
        entries.map(|entry| entry.signature.clone()).collect::<BTreeSet<_>>()
    };
    let mut full = shelf.sets.iter().filter(|set| set.manifest.base.is_none());
    let Some(first) = full.next() else { return Ok(()) };
    match full.find(|set| databases(set).is_disjoint(&databases(first))) {
        None => Ok(()),
        Some(other) => Err(Error::new(
            JetErr::InvalidParameter,
            format!("this set and {:?} are of different databases", first.name),
        )
        .at_path(&other.path)
        .advise("keep the sets of each instance in a directory of its own")),
    }
}

/// Clocks may run back, a log does not: which set is the newest must be the same by both.
fn check_order(oldest_first: &[&BackupSet]) -> Result<()> {
    for (at, newer) in oldest_first.iter().enumerate() {
        let same_log =
            |set: &&&BackupSet| set.manifest.log_signature == newer.manifest.log_signature;
        let before = oldest_first.iter().take(at).filter(same_log);
        let Some(older) = before.max_by_key(|set| set.manifest.gen_high) else { continue };
        if older.manifest.gen_high > newer.manifest.gen_high {
            return Err(Error::new(
                JetErr::InvalidParameter,
                format!(
                    "the set says it is of {}, after {:?}, but its log ends before that one's: a \
                     clock was wrong",
                    newer.manifest.created, older.name
                ),
            )
            .at_path(&newer.path)
            .advise("remove by hand what is not needed"));
        }
    }
    Ok(())
}

/// Every file that the manifest lists is there in its full length: a set that has lost one is none
/// for which others may go.
fn check_all_there(env: &Env, set: &BackupSet) -> Result<()> {
    if set.is_archive {
        return Ok(());
    }
    let databases = set.manifest.databases.iter().map(|entry| (&entry.name, entry.len));
    let listed = databases.chain(set.manifest.logs.iter().map(|entry| (&entry.name, entry.len)));
    let entries = env.fs.list(&set.path)?;
    for (name, len) in listed {
        let found = entries.iter().find(|entry| entry.name == *name).map(|entry| entry.len);
        if found != Some(len) {
            let found = found.map_or("no such file".to_owned(), |len| format!("{len} bytes"));
            return Err(Error::new(
                JetErr::MissingRestoreLogFiles,
                format!("the manifest lists a file of {len} bytes; found {found}"),
            )
            .at_path(set.path.join(name))
            .advise("move the set elsewhere, and look what became of it"));
        }
    }
    Ok(())
}

fn check_headers(env: &Env, chain: &[&BackupSet]) -> Result<()> {
    let mut dirs = chain.iter().filter(|link| !link.is_archive).map(|link| link.path.as_path());
    let Some(full) = dirs.next().filter(|_| chain.iter().all(|link| !link.is_archive)) else {
        return Ok(());
    };
    let source = dirs.fold(RestoreSource::new(full), RestoreSource::with_increment);
    RestorePlan::examine_source(env, &source).map(|_| ())
}

/// In the directory is nothing but the set.
fn check_only_listed(env: &Env, set: &BackupSet) -> Result<()> {
    names(&set.manifest)
        .try_for_each(|name| check_plain_name(name).map_err(|error| error.at_path(&set.path)))?;
    if set.is_archive {
        return env.fs.open(&set.path, OpenMode::Read).map(|_| ());
    }
    if is_link(&*env.fs, &set.path)? {
        return Err(Error::new(JetErr::FileInvalidType, "this is a link to a set elsewhere")
            .at_path(&set.path)
            .advise("remove the link"));
    }
    let listed: BTreeSet<&str> =
        names(&set.manifest).chain([MANIFEST_NAME, INCOMPLETE_NAME, KEPT_NAME]).collect();
    match env.fs.list(&set.path)?.iter().find(|entry| !listed.contains(entry.name.as_str())) {
        None => Ok(()),
        Some(entry) => Err(Error::new(
            JetErr::FileInvalidType,
            "the manifest of the set does not list this, so nobody knows whether it is needed",
        )
        .at_path(set.path.join(&entry.name))
        .advise("move it elsewhere")),
    }
}
