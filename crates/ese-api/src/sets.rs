//! Restoring what is not simply a directory: chains of sets, archives, pipes with archives in them,
//! shipped logs.

mod check;

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use ese_backup::{
    restore::{
        PlannedEnd, RestoreOptions, RestoreProgress, RestoreSource, RestoreTarget, RestoreUntil,
    },
    sets::{BackupSet, Shelf},
    stream::{MANIFEST_NAME, Manifest, Staging, Unpacking},
};
use ese_base::{Error, Generation, JetErr, Result};
use ese_log::LogName;
use ese_os::{Env, FileStream};

pub use check::{BackupCheck, Restorable, check_backup};

use crate::restore::{Restored, examine_until, restore_from};

/// Where a set comes from.
pub enum SetInput<'a> {
    /// A directory, or an archive that is a file. Of an incremental set the ones that it builds on
    /// are looked for beside it.
    Path(&'a Path),
    /// An archive of a full set that can only be read from front to back.
    Stream(&'a mut dyn Read),
}

impl std::fmt::Debug for SetInput<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SetInput::Path(path) => f.debug_tuple("Path").field(path).finish(),
            SetInput::Stream(_) => f.debug_tuple("Stream").finish_non_exhaustive(),
        }
    }
}

/// Restores a set, wherever it comes from, with the sets that it builds on, and with the logs of a
/// further directory on top, for instance shipped ones. Archives are read once, from front to back,
/// and lie unpacked inside the target until they are restored, so that twice their size is needed
/// there for a while.
///
/// # Errors
/// As [`restore_from`]; `JET_errMissingFullBackup` (-560) if a set that another one builds on is
/// not beside it; of an archive those of [`ese_backup::stream::archive::ArchiveReader`]: one that
/// is cut off or altered is refused before anything is restored.
pub fn restore_set(
    env: &Env,
    set: SetInput<'_>,
    logs: Option<&Path>,
    target: &RestoreTarget,
    options: &mut RestoreOptions<'_>,
) -> Result<Restored> {
    let chain = match &set {
        SetInput::Path(path) => links(env, path)?,
        SetInput::Stream(_) => Vec::new(),
    };
    if chain.iter().all(|link| !link.is_archive) && !chain.is_empty() {
        let dirs = chain.into_iter().map(|link| link.path).collect();
        return restore_from(env, &source(dirs, logs), target, options);
    }
    let mut staging = Staging::begin(env, &target.database_dir)?;
    let restored = unpack_all(env, &mut staging, set, &chain, options).and_then(|unpacked| {
        let source = source(unpacked.dirs, logs);
        let progress = &mut *options.progress;
        let mut second = |so_far: &RestoreProgress| {
            progress(&RestoreProgress {
                bytes_done: unpacked.bytes + so_far.bytes_done,
                bytes_total: unpacked.bytes + so_far.bytes_total,
            });
        };
        let mut again = RestoreOptions {
            force: options.force,
            keep_damaged: options.keep_damaged,
            progress: &mut second,
            stop: options.stop.clone(),
        };
        restore_from(env, &source, target, &mut again)
    });
    match (restored, staging.end()) {
        (Ok(_), Err(error)) => Err(error),
        (restored, _) => restored,
    }
}

/// What a restore would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedRestore {
    /// The sets that it takes, the full one first.
    pub sets: Vec<PathBuf>,
    /// Name and bytes of each database.
    pub databases: Vec<(String, u64)>,
    /// First generation that is replayed.
    pub gen_low: Generation,
    /// Last generation that is replayed.
    pub gen_high: Generation,
    /// Bytes that are read.
    pub bytes: u64,
    /// Where the replay ends. `None`: a set of the chain is in an archive, and only its logs say
    /// it.
    pub end: Option<PlannedEnd>,
}

/// Says what [`restore_set`] would do, with `until` as [`RestoreTarget::until`]. Of sets in
/// directories the headers and the heads of log segments are looked at, of archives the manifest
/// only; nothing is written.
///
/// # Errors
/// As [`restore_set`], as far as headers and manifests tell.
pub fn plan_restore(
    env: &Env,
    set: &Path,
    logs: Option<&Path>,
    until: Option<RestoreUntil>,
) -> Result<PlannedRestore> {
    let chain = links(env, set)?;
    let sets: Vec<PathBuf> = chain.iter().map(|link| link.path.clone()).collect();
    if chain.iter().all(|link| !link.is_archive) {
        let plan = examine_until(env, &source(sets.clone(), logs), until)?;
        let databases = plan.databases.iter();
        return Ok(PlannedRestore {
            sets,
            databases: databases
                .map(|it| (it.name.clone(), it.len - it.page_size.bytes_u64()))
                .collect(),
            gen_low: plan.gen_low,
            gen_high: plan.gen_high,
            bytes: plan.bytes(),
            end: Some(plan.end(env, until)?),
        });
    }
    let mut plan = PlannedRestore {
        sets,
        databases: Vec::new(),
        gen_low: Generation(u32::MAX),
        gen_high: Generation(0),
        bytes: 0,
        end: None,
    };
    for link in &chain {
        let set = BackupSet::read(env, &link.path)?;
        let page = u64::from(set.manifest.page_size);
        let databases = set.manifest.databases.iter();
        plan.databases.extend(databases.map(|it| (it.name.clone(), it.len.saturating_sub(page))));
        plan.gen_low = plan.gen_low.min(Generation(set.manifest.gen_low));
        plan.gen_high = plan.gen_high.max(Generation(set.manifest.gen_high));
        plan.bytes += set.bytes();
    }
    for entry in logs.map_or(Ok(Vec::new()), |logs| env.fs.list(logs))? {
        if let Some((_, generation)) = LogName::archive(&entry.name) {
            plan.gen_high = plan.gen_high.max(generation);
            plan.bytes += entry.len;
        }
    }
    Ok(plan)
}

/// A link of a chain.
#[derive(Debug)]
struct Link {
    path: PathBuf,
    is_archive: bool,
}

/// A set and those that it builds on, the full one first.
fn links(env: &Env, path: &Path) -> Result<Vec<Link>> {
    let is_archive = env.fs.list(path).is_err();
    let alone = || Ok(vec![Link { path: path.to_path_buf(), is_archive }]);
    // Other programs' sets have no manifest, and ours may have lost it: they are full ones.
    if !is_archive && !env.fs.exists(&path.join(MANIFEST_NAME))? {
        return alone();
    }
    // Of an archive this tells at once what a long reading would tell at its end.
    let set = BackupSet::read(env, path)?;
    if set.manifest.base.is_none() {
        return alone();
    }
    let beside = env.fs.canonicalize(path)?;
    let shelf = Shelf::look(env, beside.parent().unwrap_or(Path::new("/")))?;
    let link = |set: &&BackupSet| Link { path: set.path.clone(), is_archive: set.is_archive };
    Ok(shelf.chain(&set)?.iter().map(link).collect())
}

/// The first directory holds the full set.
fn source(mut dirs: Vec<PathBuf>, logs: Option<&Path>) -> RestoreSource {
    dirs.extend(logs.map(Path::to_path_buf));
    let mut dirs = dirs.into_iter();
    let first = dirs.next().unwrap_or_default();
    dirs.fold(RestoreSource::new(&first), |source, dir| source.with_increment(&dir))
}

/// Directories of a chain, and how many bytes went into new ones.
struct Unpacked {
    dirs: Vec<PathBuf>,
    bytes: u64,
}

fn unpack_all(
    env: &Env,
    staging: &mut Staging,
    set: SetInput<'_>,
    chain: &[Link],
    options: &mut RestoreOptions<'_>,
) -> Result<Unpacked> {
    let mut unpacked = Unpacked { dirs: Vec::new(), bytes: 0 };
    if let SetInput::Stream(input) = set {
        let name = Path::new("standard input");
        unpack_one(staging, input, name, &mut unpacked, options)?;
        let dir = unpacked.dirs.first().cloned().unwrap_or_default();
        if Manifest::read(env, &dir)?.is_some_and(|manifest| manifest.base.is_some()) {
            return Err(Error::new(
                JetErr::MissingFullBackup,
                "an incremental set cannot be restored from a pipe, without those it builds on",
            )
            .advise("put it into a file beside them"));
        }
    }
    for link in chain {
        if link.is_archive {
            let mut file = FileStream::open(env, &link.path)?;
            unpack_one(staging, &mut file, &link.path, &mut unpacked, options)?;
        } else {
            unpacked.dirs.push(link.path.clone());
        }
    }
    Ok(unpacked)
}

fn unpack_one(
    staging: &mut Staging,
    input: &mut dyn Read,
    name: &Path,
    unpacked: &mut Unpacked,
    options: &mut RestoreOptions<'_>,
) -> Result<()> {
    let (progress, before) = (&mut *options.progress, unpacked.bytes);
    let mut have = 0;
    // Every byte is read twice: out of the archive, and on its way to its place.
    let mut report = |done, total: u64| {
        have = done;
        let bytes_total = before.saturating_add(total.max(done)).saturating_mul(2);
        progress(&RestoreProgress { bytes_done: before.saturating_add(done), bytes_total });
    };
    let mut unpacking = Unpacking { progress: &mut report, stop: options.stop.clone() };
    unpacked.dirs.push(staging.add(input, name, &mut unpacking)?);
    unpacked.bytes += have;
    Ok(())
}
