//! A directory of backup sets: which there are, what builds on what, which may go.
//!
//! A set lies in a directory of its own or in an archive (`*.esebak`). An incremental one names the
//! sum of the manifest of the set that it builds on ([`BaseEntry`]); with its base, and the base of
//! that, down to a full one, it makes a chain.

mod prune;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use ese_base::{Error, JetErr, Result};
use ese_os::{DirEntry, Env};

pub use prune::{PrunePlan, PruneReason};

use crate::{
    source::BackupSource,
    stream::{
        BaseEntry, INCOMPLETE_NAME, MANIFEST_NAME, Manifest,
        archive::{ARCHIVE_EXTENSION, read_archive_manifest},
    },
};
pub(crate) use prune::PRUNED_NAME;

/// A complete set, by its manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupSet {
    /// Its directory, or the archive.
    pub path: PathBuf,
    /// The last part of the path.
    pub name: String,
    /// Is it an archive?
    pub is_archive: bool,
    /// What it holds.
    pub manifest: Manifest,
}

impl BackupSet {
    /// Reads the manifest of a set; nothing else of it is looked at.
    ///
    /// # Errors
    /// `JET_errFileInvalidType` (-1812) without a manifest or with a damaged one, or if the file is
    /// no archive; `JET_errFileIOBeyondEOF` (-4001) for an archive that is cut off; the file
    /// system's.
    pub fn read(env: &Env, path: &Path) -> Result<BackupSet> {
        let is_archive = env.fs.list(path).is_err();
        let manifest = if is_archive {
            read_archive_manifest(env, path)?
        } else {
            Manifest::read(env, path)?.ok_or_else(|| {
                Error::new(JetErr::FileInvalidType, "there is no manifest of a backup set here")
                    .at_path(path)
                    .advise("name a set that `ese backup` has completed")
            })?
        };
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(BackupSet { path: path.to_path_buf(), name, is_archive, manifest })
    }

    /// Bytes of its databases and logs.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let databases = self.manifest.databases.iter().map(|entry| entry.len);
        let all = databases.chain(self.manifest.logs.iter().map(|entry| entry.len));
        all.fold(0, u64::saturating_add)
    }

    /// What an incremental set that builds on this one says of it.
    #[must_use]
    pub fn as_base(&self) -> BaseEntry {
        self.manifest.as_base(&self.name)
    }
}

/// What a directory of sets holds.
#[derive(Debug, Default)]
pub struct Shelf {
    /// The complete sets, the oldest first.
    pub sets: Vec<BackupSet>,
    /// What is not complete: being written, or left by one that was killed.
    pub unfinished: Vec<PathBuf>,
    /// Sets that a pruning had begun to remove.
    pub half_pruned: Vec<PathBuf>,
    /// What looks like a set and cannot be read.
    pub unreadable: Vec<Error>,
}

impl Shelf {
    /// Looks at a directory. Other files in it are passed over.
    ///
    /// # Errors
    /// The file system's, of listing the directory.
    pub fn look(env: &Env, dir: &Path) -> Result<Shelf> {
        let mut shelf = Shelf::default();
        for entry in env.fs.list(dir)? {
            shelf.add(env, &dir.join(&entry.name), &entry);
        }
        shelf.sets.sort_by(|a, b| {
            let order = |set: &BackupSet| (set.manifest.created.clone(), set.manifest.gen_high);
            order(a).cmp(&order(b)).then_with(|| a.name.cmp(&b.name))
        });
        Ok(shelf)
    }

    /// Is there no set here, nor a part of one?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let parts = [&self.unfinished, &self.half_pruned];
        self.sets.is_empty() && self.unreadable.is_empty() && parts.iter().all(|it| it.is_empty())
    }

    fn add(&mut self, env: &Env, path: &Path, entry: &DirEntry) {
        let ending = entry.name.rsplit_once('.').map_or("", |(_, ending)| ending);
        if !entry.is_dir {
            let unfinished = format!(".{ARCHIVE_EXTENSION}.incomplete");
            if entry.name.to_ascii_lowercase().ends_with(&unfinished) {
                self.unfinished.push(path.to_path_buf());
            } else if ending.eq_ignore_ascii_case(ARCHIVE_EXTENSION) {
                self.read(env, path);
            }
            return;
        }
        let names: BTreeSet<String> = match env.fs.list(path) {
            Ok(entries) => entries.into_iter().map(|entry| entry.name).collect(),
            // Every volume has it, and only root sees into it.
            Err(_) if entry.name == "lost+found" => return,
            Err(error) => return self.unreadable.push(error),
        };
        if names.contains(PRUNED_NAME) {
            self.half_pruned.push(path.to_path_buf());
        } else if names.contains(MANIFEST_NAME) {
            self.read(env, path);
        } else if names.contains(INCOMPLETE_NAME) {
            self.unfinished.push(path.to_path_buf());
        }
    }

    fn read(&mut self, env: &Env, path: &Path) {
        match BackupSet::read(env, path) {
            Ok(set) => self.sets.push(set),
            Err(error) => self.unreadable.push(error),
        }
    }

    /// The set whose manifest has this sum.
    #[must_use]
    pub fn set(&self, id: &str) -> Option<&BackupSet> {
        self.sets.iter().find(|set| set.manifest.id() == id)
    }

    /// A set and all that it builds on, the full one first.
    ///
    /// # Errors
    /// `JET_errMissingFullBackup` (-560) if a link is not here.
    pub fn chain<'a>(&'a self, last: &'a BackupSet) -> Result<Vec<&'a BackupSet>> {
        let mut chain = vec![last];
        let mut link = last;
        while let Some(base) = &link.manifest.base {
            let known = |set: &&&BackupSet| set.manifest.id() == base.crc32;
            let found = self.set(&base.crc32).filter(|_| !chain.iter().any(|set| known(&set)));
            link = found.ok_or_else(|| self.missing_base(link, base))?;
            chain.push(link);
        }
        chain.reverse();
        if link.manifest.kind == "full" {
            return Ok(chain);
        }
        Err(Error::new(
            JetErr::MissingFullBackup,
            format!("a set of kind {:?} that builds on nothing", link.manifest.kind),
        )
        .at_path(&link.path))
    }

    /// It is not here, or its manifest is damaged.
    fn missing_base(&self, set: &BackupSet, base: &BaseEntry) -> Error {
        let on = format!("the set builds on {:?}, made at {}", base.name, base.created);
        let is_base = |error: &&Error| {
            let mut names = error.path().into_iter().flat_map(Path::components).rev().take(2);
            names.any(|name| name.as_os_str() == base.name.as_str())
        };
        // What cannot be read may be the base under another name, too.
        let unreadable = self.unreadable.iter().find(is_base).or_else(|| self.unreadable.first());
        let Some(damaged) = unreadable else {
            return Error::new(
                JetErr::MissingFullBackup,
                format!("{on}, and that is not beside it"),
            )
            .at_path(&set.path)
            .advise("bring the sets of the chain together in one directory");
        };
        Error::new(
            JetErr::MissingFullBackup,
            format!("{on}, and no intact manifest of that is beside it: {}", damaged.message()),
        )
        .at_path(damaged.path().unwrap_or(&set.path))
        .advise(
            "bring back an intact copy of that manifest; or copy the other files of the full set \
             elsewhere and restore that copy, with the sets that build on it as further logs (--logs)",
        )
        .caused_by(damaged.clone())
    }

    /// A set whose chain is broken, with those that can take the place of what is gone: the links
    /// that are here, and below them the newest set whose logs reach those of the lowest, with all
    /// that it builds on. Whether its log is that of the links their logs tell.
    #[must_use]
    pub fn chain_around<'a>(&'a self, last: &'a BackupSet) -> Option<Vec<&'a BackupSet>> {
        let (mut links, mut lowest) = (vec![last], last);
        let in_links = |links: &[&BackupSet], set: &BackupSet| {
            links.iter().any(|link| link.manifest.id() == set.manifest.id())
        };
        while let Some(base) = &lowest.manifest.base {
            let found = self.set(&base.crc32).filter(|set| !in_links(&links, set));
            let Some(found) = found else { break };
            links.push(found);
            lowest = found;
        }
        let (of, reached) = (&last.manifest, lowest.manifest.gen_low);
        let joins = |set: &&BackupSet| {
            let manifest = &set.manifest;
            manifest.log_signature == of.log_signature
                && manifest.gen_high < of.gen_high
                && manifest.gen_high.saturating_add(1) >= reached
                && !in_links(&links, set)
        };
        let below = self.sets.iter().filter(joins).filter_map(|set| self.chain(set).ok());
        let mut chain = below.max_by_key(|chain| chain.last().map(|set| set.manifest.gen_high))?;
        chain.extend(links.into_iter().rev());
        Some(chain)
    }

    /// The newest set of a log stream with all that it builds on.
    #[must_use]
    pub fn newest_of(&self, log_signature: &str) -> Option<&BackupSet> {
        let ours = self.sets.iter().filter(|set| set.manifest.log_signature == log_signature);
        ours.filter(|set| self.chain(set).is_ok()).max_by_key(|set| set.manifest.gen_high)
    }

    /// The newest set that an incremental one of this instance can build on.
    ///
    /// # Errors
    /// The file system's.
    pub fn newest_base(&self, source: &dyn BackupSource) -> Result<Option<&BackupSet>> {
        let mut newest: Option<&BackupSet> = None;
        for set in self.sets.iter().filter(|set| self.chain(set).is_ok()) {
            let later = newest.is_none_or(|it| it.manifest.gen_high < set.manifest.gen_high);
            if later && set.as_base().is_continued_by(source)? {
                newest = Some(set);
            }
        }
        Ok(newest)
    }
}
