//! Putting the files of a set where recovery will find them (backup-log-recovery 6.2, steps 2 to
//! 5).

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use ese_base::{Error, Generation, JetErr, PageSize, Result, Signature, StopToken};
use ese_log::{LogLock, LogName, LogNames, NameKind};
use ese_os::{Env, File, LockMode, OpenMode, parent_of};
use ese_pages::{
    DbHeader, DbState,
    db_file::{Access, DbFile},
    dblwr,
};
use serde::{Deserialize, Serialize};

use super::{
    RestoreProgress, RestoreTarget,
    forward::Existing,
    plan::{PlannedDatabase, PlannedLog, RestorePlan},
    scan::{created, read_log_header},
    target::refuse_strange,
    verify::{DatabaseOut, Run, SetReport},
};
use crate::{
    files::{MadeDirs, remove_if_there},
    stream::Sink,
};

/// Marks, beside the databases, that a restore has begun and not finished.
pub const UNFINISHED_NAME: &str = "ese-restore.incomplete";
/// The ending that a restored file has until all files are whole.
pub const TEMPORARY: &str = "restoring";

/// How a set is restored.
pub struct RestoreOptions<'a> {
    /// Replace files that are in the way: databases of the same names, logs and checkpoint of an
    /// instance of the same base name.
    pub force: bool,
    /// Restore damaged pages as they are instead of refusing the set.
    pub keep_damaged: bool,
    /// Called between pieces of 1 MiB, and for each percent of the log that is replayed.
    pub progress: &'a mut dyn FnMut(&RestoreProgress),
    /// Looked at there.
    pub stop: StopToken,
}

impl fmt::Debug for RestoreOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestoreOptions")
            .field("force", &self.force)
            .field("keep_damaged", &self.keep_damaged)
            .finish_non_exhaustive()
    }
}

/// Files that stand ready for the replay.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The databases.
    pub databases: Vec<PlacedDatabase>,
    /// Where the logs are.
    pub log_dir: PathBuf,
    /// Three characters that every log's name begins with.
    pub log_base: String,
    /// The stream of the logs.
    pub log_signature: Signature,
    /// First generation to be replayed.
    pub gen_low: Generation,
    /// Last generation to be replayed.
    pub gen_high: Generation,
    /// What was verified on the way.
    pub report: SetReport,
    /// The right to use the logs. The replay needs it, and nobody may come in between.
    pub lock: Arc<LogLock>,
    pub(super) mark: Option<PathBuf>,
}

/// A database that stands ready for the replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedDatabase {
    /// Where it is now.
    pub path: PathBuf,
    /// Where it was attached when it was copied, if the set has a manifest. Log records name this
    /// place; the signature says it for sure.
    pub source: Option<PathBuf>,
    /// Its identity.
    pub signature: Signature,
    /// Its page size.
    pub page_size: PageSize,
}

impl Placed {
    /// Databases that stand ready beside the logs of a plan, with no mark of an unfinished restore.
    pub(super) fn new(
        plan: &RestorePlan,
        target: &RestoreTarget,
        databases: Vec<PlacedDatabase>,
        report: SetReport,
        lock: Arc<LogLock>,
    ) -> Placed {
        Placed {
            databases,
            log_dir: target.log_dir.clone(),
            log_base: plan.log_base.clone(),
            log_signature: plan.log_signature,
            gen_low: plan.gen_low,
            gen_high: plan.gen_high,
            report,
            lock,
            mark: None,
        }
    }

    /// The replay is done: takes the mark of the unfinished restore away.
    ///
    /// # Errors
    /// The file system's.
    pub fn finish(&self, env: &Env) -> Result<()> {
        let Some(mark) = &self.mark else { return Ok(()) };
        env.fs.remove_file(mark)?;
        env.fs.sync_dir(parent_of(mark))
    }

    /// The databases are clean, and older than the logs: these go, so that the next instance begins
    /// a new log. The old one may have gone on elsewhere, under the same generations.
    ///
    /// # Errors
    /// The file system's.
    pub fn forget_logs(&self, env: &Env) -> Result<()> {
        for entry in env.fs.list(&self.log_dir)? {
            let ours = LogName::parse(&entry.name).is_some_and(|name| name.is_of(&self.log_base));
            if ours && !entry.is_dir {
                env.fs.remove_file(&self.log_dir.join(&entry.name))?;
            }
        }
        env.fs.sync_dir(&self.log_dir)
    }
}

/// Copies, verifies and names the files of a set, durably.
///
/// # Errors
/// `JET_errInvalidPath` (-1023) for the set's own directory, `JET_errFileAlreadyExists` (-1814) for
/// a database in the way, `JET_errExistingLogFileHasBadSignature` (-610) or
/// `JET_errExistingLogFileIsNotContiguous` (-611) for logs in the way, unless forced; those of
/// [`super::verify_set`]; `JET_errDiskFull` (-1808). `JET_errLogFilePathInUse` (-1084) or
/// `JET_errFileAccessDenied` (-1032), forced or not, while an instance uses the logs or a database
/// that would be replaced. If nothing was named yet, nothing stays behind.
pub fn place(
    env: &Env,
    plan: &RestorePlan,
    target: &RestoreTarget,
    options: &mut RestoreOptions<'_>,
) -> Result<Placed> {
    let mut made = MadeDirs::default();
    let places = target.places_of(plan)?;
    let run = Placing { env, plan, target, places };
    let prepared = match run.prepare(options, &mut made) {
        Ok(prepared) => prepared,
        Err(error) => {
            for left in made.remove(env) {
                tracing::warn!(error = %left, "a directory of the aborted restore is left behind");
            }
            return Err(error);
        }
    };
    run.clear_old()?;
    let databases = run.name_all(&prepared.existing)?;
    let Prepared { report, locks, mark, .. } = prepared;
    Ok(Placed { mark: Some(mark), ..Placed::new(plan, target, databases, report, locks.log) })
}

/// A restore that places its files.
struct Placing<'a> {
    env: &'a Env,
    plan: &'a RestorePlan,
    target: &'a RestoreTarget,
    /// Of the databases, in the order of the plan.
    places: Vec<PathBuf>,
}

/// All files lie durably under temporary names.
struct Prepared {
    mark: PathBuf,
    report: SetReport,
    locks: Locks,
    existing: Existing,
}

impl Placing<'_> {
    fn databases(&self) -> impl Iterator<Item = (&PlannedDatabase, &PathBuf)> {
        self.plan.databases.iter().zip(&self.places)
    }

    /// Everything before the first file is named.
    fn prepare(&self, options: &mut RestoreOptions<'_>, made: &mut MadeDirs) -> Result<Prepared> {
        let Placing { env, plan, target, places } = self;
        let of_target = [&target.database_dir, &target.log_dir, &target.system_dir];
        let dirs = of_target.into_iter().map(PathBuf::as_path);
        for dir in dirs.chain(places.iter().map(|path| parent_of(path))) {
            made.make(env, dir)?;
            let own = env.fs.canonicalize(dir)?;
            for set in plan.dirs() {
                if own == env.fs.canonicalize(set)? {
                    return Err(Error::new(JetErr::InvalidPath, "this is the backup set itself")
                        .at_path(dir)
                        .advise("restore into another directory"));
                }
            }
        }
        refuse_strange(env, plan, target, places)?;
        let mark = Mark::of(self);
        let mark_path = target.database_dir.join(UNFINISHED_NAME);
        let earlier = Mark::read(env, &mark_path)?;
        self.check_free(earlier.as_ref(), options.force)?;
        let locks = self.lock()?;
        let existing = match target.roll_forward {
            true => Existing::check(env, plan, target)?,
            false => Existing::default(),
        };
        let mut temporaries = Vec::new();
        let report = self.copy_all(options, &mut temporaries).inspect_err(|_| {
            discard(env, &temporaries);
        })?;
        // Not before: until now nothing of what was here has changed, and who goes on working with
        // it loses nothing to a restore that is not forced.
        mark.merged(earlier.as_ref()).write(env, &mark_path)?;
        Ok(Prepared { mark: mark_path, report, locks, existing })
    }

    fn lock(&self) -> Result<Locks> {
        let names = LogNames::new(&self.target.log_dir, &self.plan.log_base);
        let log = LogLock::acquire(self.env, &names)?;
        // However the restore ends.
        log.end_in_order();
        let mut databases = Vec::new();
        for path in &self.places {
            if self.env.fs.exists(path)? {
                let file = self.env.fs.open(path, OpenMode::ReadWrite)?;
                file.lock(LockMode::Exclusive)?;
                databases.push(file);
            }
        }
        Ok(Locks { log, _databases: databases })
    }

    /// What the mark calls a database: by its name where it lies beside the mark.
    fn label(&self, path: &Path) -> String {
        let inside = path.strip_prefix(&self.target.database_dir).unwrap_or(path);
        inside.to_string_lossy().into_owned()
    }

    /// Is nothing in the way that is not left over from an unfinished restore?
    fn check_free(&self, earlier: Option<&Mark>, force: bool) -> Result<()> {
        if force {
            return Ok(());
        }
        let Placing { env, plan, target, places } = self;
        for path in places {
            let ours = earlier.is_some_and(|mark| mark.databases.contains(&self.label(path)));
            if !ours && env.fs.exists(path)? {
                return Err(Error::new(
                    JetErr::FileAlreadyExists,
                    "a file of the restored database's name exists",
                )
                .at_path(path)
                .advise("restore into another directory, or force the restore to replace it"));
            }
        }
        let now = Mark::of(self);
        let ours = earlier.is_some_and(|mark| {
            mark.log_dir == now.log_dir && mark.log_base == now.log_base && !mark.keeps_logs
        });
        if ours || target.roll_forward {
            return Ok(());
        }
        for path in checkpoints(plan, target) {
            if env.fs.exists(&path)? {
                return Err(Error::new(JetErr::FileAlreadyExists, "a checkpoint file exists")
                    .at_path(&path)
                    .advise("restore into another directory, or force the restore to remove it"));
            }
        }
        for entry in env.fs.list(&target.log_dir)? {
            if !entry.is_dir && is_log_of(&entry.name, &plan.log_base) {
                let path = target.log_dir.join(&entry.name);
                return Err(log_in_the_way(env, plan, &path));
            }
        }
        Ok(())
    }

    /// Copies everything under temporary names.
    fn copy_all(
        &self,
        options: &mut RestoreOptions<'_>,
        temporaries: &mut Vec<PathBuf>,
    ) -> Result<SetReport> {
        let Placing { env, plan, .. } = self;
        let mut sink = Sink::new(env)?;
        let mut run = Run::new(plan, options.progress, &options.stop, options.keep_damaged);
        for (database, place) in self.databases() {
            let path = temporary(place);
            remove_if_there(env, &path)?;
            temporaries.push(path.clone());
            let len = database.len - database.page_size.bytes_u64();
            let file = Sink::create_like(env, &path, len, &database.path)?;
            let header_page = restored_header(plan, database).encode()?;
            let out = DatabaseOut { file: &file, header_page: &header_page };
            run.database(env, database, &mut sink, Some(out))?;
            sink.finish(file)?;
        }
        for log in &plan.logs {
            let path = self.temporary_of(log);
            remove_if_there(env, &path)?;
            temporaries.push(path.clone());
            let file = Sink::create(env, &path, log.len)?;
            run.log(env, log, &mut sink, Some(&file))?;
            sink.finish(file)?;
        }
        sink.drain()?;
        Ok(run.report)
    }

    fn temporary_of(&self, log: &PlannedLog) -> PathBuf {
        temporary(&self.target.log_dir.join(&log.name))
    }

    /// Removes what belongs to an instance that was here before: its checkpoint, and its logs if
    /// they are not to be replayed.
    fn clear_old(&self) -> Result<()> {
        let Placing { env, plan, target, .. } = self;
        for entry in env.fs.list(&target.log_dir)? {
            let old = !entry.is_dir && is_log_of(&entry.name, &plan.log_base);
            if old && !target.roll_forward {
                env.fs.remove_file(&target.log_dir.join(&entry.name))?;
            }
        }
        for path in checkpoints(plan, target) {
            remove_if_there(env, &path)?;
        }
        env.fs.sync_dir(&target.log_dir)?;
        env.fs.sync_dir(&target.system_dir)
    }

    /// Gives every file its name, logs first: a database is never there without its logs.
    fn name_all(&self, existing: &Existing) -> Result<Vec<PlacedDatabase>> {
        let Placing { env, plan, target, .. } = self;
        for log in &plan.logs {
            let own = existing.path_of(log.generation);
            let path = own.unwrap_or_else(|| target.log_dir.join(&log.name));
            env.fs.rename(&self.temporary_of(log), &path)?;
        }
        env.fs.sync_dir(&target.log_dir)?;
        let mut placed = Vec::new();
        for (database, path) in self.databases() {
            // Before the name is given: what was here before may have been a later state of the
            // same database, and its double-write file would put newer pages among the restored
            // ones.
            dblwr::remove(env, path)?;
            env.fs.rename(&temporary(path), path)?;
            // Proves that it opens.
            DbFile::open(env, path, Access::ReadWrite)?;
            placed.push(PlacedDatabase {
                path: path.clone(),
                source: database.source.clone(),
                signature: database.header.sign_db,
                page_size: database.page_size,
            });
        }
        let dirs: BTreeSet<&Path> = self.places.iter().map(|path| parent_of(path)).collect();
        dirs.into_iter().try_for_each(|dir| env.fs.sync_dir(dir))?;
        Ok(placed)
    }
}

/// What keeps instances away from the files of the target.
struct Locks {
    log: Arc<LogLock>,
    /// Databases that are in the way, until they have been replaced: an instance with other logs
    /// may have one of them.
    _databases: Vec<Arc<dyn File>>,
}

/// The contents of the mark: what the unfinished restore may have put into the directories.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    databases: Vec<String>,
    log_dir: String,
    log_base: String,
    /// The logs that were there are not the restore's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    keeps_logs: bool,
}

impl Mark {
    fn of(run: &Placing<'_>) -> Mark {
        Mark {
            databases: run.places.iter().map(|path| run.label(path)).collect(),
            log_dir: run.target.log_dir.to_string_lossy().into_owned(),
            log_base: run.plan.log_base.clone(),
            keeps_logs: run.target.roll_forward,
        }
    }

    /// A mark that cannot be read was cut short by a crash, before anything was placed.
    fn read(env: &Env, path: &Path) -> Result<Option<Mark>> {
        if !env.fs.exists(path)? {
            return Ok(None);
        }
        let file = env.fs.open(path, OpenMode::Read)?;
        let len = usize::try_from(file.len()?.min(1 << 20)).unwrap_or(0);
        let mut bytes = vec![0; len];
        file.read_at(&mut bytes, 0)?;
        Ok(serde_json::from_slice(&bytes).ok())
    }

    fn merged(mut self, earlier: Option<&Mark>) -> Mark {
        let names = earlier.map(|mark| mark.databases.as_slice()).unwrap_or_default();
        self.databases.extend(names.iter().cloned());
        self.databases.sort();
        self.databases.dedup();
        let same = |mark: &&Mark| mark.log_dir == self.log_dir && mark.log_base == self.log_base;
        self.keeps_logs |= earlier.filter(same).is_some_and(|mark| mark.keeps_logs);
        self
    }

    fn write(&self, env: &Env, path: &Path) -> Result<()> {
        let text = serde_json::to_vec(self).map_err(|error| {
            Error::new(JetErr::InternalError, format!("mark of the restore: {error}"))
        })?;
        let new = path.with_extension(TEMPORARY);
        let file = env.fs.open(&new, OpenMode::CreateOrTruncate)?;
        file.write_at(&text, 0)?;
        file.sync()?;
        env.fs.rename(&new, path)?;
        env.fs.sync_dir(parent_of(path))
    }
}

/// Is this a log of an instance with that base name, current and temporary ones included?
fn is_log_of(name: &str, base: &str) -> bool {
    LogName::parse(name).is_some_and(|name| name.is_of(base) && name.kind != NameKind::Reserve)
}

/// Where a checkpoint of an instance with the set's base name would be.
pub(super) fn checkpoints(plan: &RestorePlan, target: &RestoreTarget) -> [PathBuf; 2] {
    ["chk", "jcp"].map(|extension| target.system_dir.join(format!("{}.{extension}", plan.log_base)))
}

fn log_in_the_way(env: &Env, plan: &RestorePlan, path: &Path) -> Error {
    let header = read_log_header(env, path);
    let advice = "restore into another directory, or force the restore to replace the logs";
    match header {
        Ok(header) if header.signature == plan.log_signature => Error::new(
            JetErr::ExistingLogFileIsNotContiguous,
            "a log of the same instance exists in the log directory",
        ),
        _ => Error::new(
            JetErr::ExistingLogFileHasBadSignature,
            "a log of another instance exists in the log directory",
        ),
    }
    .at_path(path)
    .advise(advice)
}

/// The header of the restored copy: it needs the logs up to the end of the backup, and says so.
pub(super) fn restored_header(plan: &RestorePlan, database: &PlannedDatabase) -> DbHeader {
    let mut header = database.header;
    let high = Generation(database.trailer.bkinfo.gen_high.get());
    header.set_state(DbState::DirtyShutdown);
    header.bkinfo_full_cur.gen_high = high.0.into();
    if header.gen_min_required.get() == 0 {
        header.gen_min_required = header.bkinfo_full_cur.gen_low;
    }
    header.gen_max_required = high.0.into();
    header.gen_max_committed = high.0.into();
    header.logtime_gen_max_required = created(&plan.logs, high);
    header.logtime_gen_max_create = header.logtime_gen_max_required;
    header
}

pub(super) fn temporary(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(TEMPORARY);
    PathBuf::from(name)
}

/// Best effort after a failure.
fn discard(env: &Env, temporaries: &[PathBuf]) {
    for path in temporaries {
        if let Err(error) = remove_if_there(env, path) {
            tracing::warn!(%error, "a file of the aborted restore is left behind");
        }
    }
}
