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

/// What a pipe is called in messages.
const PIPE: &str = "standard input";

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
/// Where a set that another one builds on is gone, a further set beside it takes its place if its
/// logs reach those of the set; the report then names the missing one among what was damaged.
///
/// # Errors
/// As [`restore_from`]; `JET_errMissingFullBackup` (-560) if a set that another one builds on is
/// not beside it, and no other can take its place ([`RestoreTarget::allow_loss`]: then what is
/// there before it is restored); of an archive those of
/// [`ese_backup::stream::archive::ArchiveReader`]: one that is cut off or altered is refused before
/// anything is restored.
pub fn restore_set(
    env: &Env,
    set: SetInput<'_>,
    logs: Option<&Path>,
    target: &RestoreTarget,
    options: &mut RestoreOptions<'_>,
) -> Result<Restored> {
    let chain = match &set {
        SetInput::Path(path) => match chain_of(env, path) {
            Err(error) if target.allow_loss => chain_before(env, path, error)?,
            chain => chain?,
        },
        SetInput::Stream(_) => Chain::default(),
    };
    let restored = restore_chain(env, set, &chain, logs, target, options);
    match (restored, chain.gap) {
        (restored, None) => restored,
        (Ok(restored), Some(Gap::Lost(error))) => {
            Ok(Restored { loss: restored.loss.or(Some(error)), ..restored })
        }
        (Ok(mut restored), Some(Gap::Filled(error))) => {
            restored.set.damaged.push(error);
            Ok(restored)
        }
        // It was no set of this history.
        (Err(error), Some(Gap::Filled(missing))) if parts_do_not_join(&error) => Err(missing),
        (Err(error), Some(_)) => Err(error),
    }
}

fn restore_chain(
    env: &Env,
    set: SetInput<'_>,
    chain: &Chain,
    logs: Option<&Path>,
    target: &RestoreTarget,
    options: &mut RestoreOptions<'_>,
) -> Result<Restored> {
    if chain.links.iter().all(|link| !link.is_archive) && !chain.links.is_empty() {
        return restore_from(env, &source(chain.paths(), logs), target, options);
    }
    let mut staging = Staging::begin(env, &target.database_dir)?;
    let restored = unpack_all(env, &mut staging, set, &chain.links, options).and_then(|unpacked| {
        let source = source(unpacked.dirs, logs);
        let progress = &mut *options.progress;
        let mut second = |so_far: &RestoreProgress| {
            progress(&RestoreProgress {
                bytes_done: unpacked.bytes + so_far.bytes_done,
                bytes_total: unpacked.bytes + so_far.bytes_total,
                replayed: so_far.replayed,
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
    let chain = chain_of(env, set)?;
    let sets = chain.paths();
    if chain.links.iter().all(|link| !link.is_archive) {
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
    for link in &chain.links {
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

impl From<&BackupSet> for Link {
    fn from(set: &BackupSet) -> Link {
        Link { path: set.path.clone(), is_archive: set.is_archive }
    }
}

/// A set and those that it builds on, the full one first.
#[derive(Debug, Default)]
struct Chain {
    links: Vec<Link>,
    gap: Option<Gap>,
}

/// A set of a chain is not there, with the error that says so.
#[derive(Debug)]
enum Gap {
    /// Another one takes its place.
    Filled(Error),
    /// The chain ends before it.
    Lost(Error),
}

impl Chain {
    fn new<'a>(sets: impl IntoIterator<Item = &'a BackupSet>, gap: Option<Gap>) -> Chain {
        Chain { links: sets.into_iter().map(Link::from).collect(), gap }
    }

    fn paths(&self) -> Vec<PathBuf> {
        self.links.iter().map(|link| link.path.clone()).collect()
    }
}

/// Do logs of two sets not belong together?
fn parts_do_not_join(error: &Error) -> bool {
    matches!(
        error.code(),
        JetErr::GivenLogFileIsNotContiguous
            | JetErr::GivenLogFileHasBadSignature
            | JetErr::MissingRestoreLogFiles
    )
}

/// The sets that lie beside a set, itself among them.
fn shelf_of(env: &Env, set: &Path) -> Result<Shelf> {
    let beside = env.fs.canonicalize(set)?;
    Shelf::look(env, beside.parent().unwrap_or(Path::new("/")))
}

/// # Errors
/// As [`Shelf::chain`], where no other set takes the place of one that is gone.
fn chain_of(env: &Env, path: &Path) -> Result<Chain> {
    let is_archive = env.fs.list(path).is_err();
    let alone = || {
        let links = vec![Link { path: path.to_path_buf(), is_archive }];
        Ok(Chain { links, gap: None })
    };
    // Other programs' sets have no manifest, and ours may have lost it: they are full ones.
    if !is_archive && !env.fs.exists(&path.join(MANIFEST_NAME))? {
        return alone();
    }
    // Of an archive this tells at once what a long reading would tell at its end.
    let set = BackupSet::read(env, path)?;
    if set.manifest.base.is_none() {
        return alone();
    }
    let shelf = shelf_of(env, path)?;
    let gone = match shelf.chain(&set) {
        Ok(chain) => return Ok(Chain::new(chain, None)),
        Err(gone) => gone,
    };
    match shelf.chain_around(&set) {
        Some(chain) => Ok(Chain::new(chain, Some(Gap::Filled(gone)))),
        None => Err(gone),
    }
}

/// Where a link of a chain is gone: the newest set before it of the same log, with what that builds
/// on.
///
/// # Errors
/// The one that says what is gone, if there is no such set or if it says something else.
fn chain_before(env: &Env, path: &Path, gone: Error) -> Result<Chain> {
    let Ok(last) = BackupSet::read(env, path) else { return Err(gone) };
    if gone.code() != JetErr::MissingFullBackup {
        return Err(gone);
    }
    let mut shelf = shelf_of(env, path)?;
    shelf.sets.retain(|set| set.manifest.gen_high < last.manifest.gen_high);
    match shelf.newest_of(&last.manifest.log_signature) {
        Some(newest) => Ok(Chain::new(shelf.chain(newest)?, Some(Gap::Lost(gone)))),
        None => Err(gone),
    }
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
        unpack_pipe(env, staging, input, &mut unpacked, options)?;
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

fn unpack_pipe(
    env: &Env,
    staging: &mut Staging,
    input: &mut dyn Read,
    unpacked: &mut Unpacked,
    options: &mut RestoreOptions<'_>,
) -> Result<()> {
    unpack_one(staging, input, Path::new(PIPE), unpacked, options)?;
    let dir = unpacked.dirs.first().cloned().unwrap_or_default();
    if Manifest::read(env, &dir)?.is_none_or(|manifest| manifest.base.is_none()) {
        return Ok(());
    }
    let what = "an incremental set cannot be restored from a pipe, without those it builds on";
    Err(Error::new(JetErr::MissingFullBackup, what).advise("put it into a file beside them"))
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
        let bytes_done = before.saturating_add(done);
        progress(&RestoreProgress { bytes_done, bytes_total, replayed: None });
    };
    let mut unpacking = Unpacking { progress: &mut report, stop: options.stop.clone() };
    unpacked.dirs.push(staging.add(input, name, &mut unpacking)?);
    unpacked.bytes += have;
    Ok(())
}
