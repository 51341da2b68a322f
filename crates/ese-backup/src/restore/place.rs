//! Putting the files of a set where recovery will find them (backup-log-recovery 6.2, steps 2 to
//! 5).

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use ese_base::{Error, Generation, JetErr, PageSize, Result, Signature, StopToken};
use ese_log::{LogLock, LogNames};
use ese_os::{Env, File, LockMode, OpenMode};
use ese_pages::{
    DbHeader, DbState,
    db_file::{Access, DbFile},
    dblwr,
};
use serde::{Deserialize, Serialize};

use super::{
    RestoreProgress,
    plan::{PlannedDatabase, RestorePlan},
    scan::{archived_log_name, created, read_log_header},
    verify::{DatabaseOut, Run, SetReport},
};
use crate::{
    files::{MadeDirs, remove_if_there},
    stream::Sink,
};

/// Marks, beside the databases, that a restore has begun and not finished.
pub const UNFINISHED_NAME: &str = "ese-restore.incomplete";
/// What a file is called until it is whole.
const TEMPORARY: &str = "restoring";

/// Where a set is restored to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreTarget {
    /// For the databases, under their names in the set.
    pub database_dir: PathBuf,
    /// For the logs.
    pub log_dir: PathBuf,
    /// Where the checkpoint of the instance will be; an old one is in the way.
    pub system_dir: PathBuf,
}

impl RestoreTarget {
    /// Everything in one directory.
    #[must_use]
    pub fn in_dir(dir: &Path) -> RestoreTarget {
        let dir = dir.to_path_buf();
        RestoreTarget { database_dir: dir.clone(), log_dir: dir.clone(), system_dir: dir }
    }
}

/// How a set is restored.
pub struct RestoreOptions<'a> {
    /// Replace files that are in the way: databases of the same names, logs and checkpoint of an
    /// instance of the same base name.
    pub force: bool,
    /// Restore damaged pages as they are instead of refusing the set.
    pub keep_damaged: bool,
    /// Called between pieces of 1 MiB.
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
    mark: PathBuf,
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
    /// The replay is done: takes the mark of the unfinished restore away.
    ///
    /// # Errors
    /// The file system's.
    pub fn finish(&self, env: &Env) -> Result<()> {
        env.fs.remove_file(&self.mark)?;
        env.fs.sync_dir(self.mark.parent().unwrap_or(Path::new(".")))
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
/// that would be replaced. If nothing was named yet, nothing stays behind but the empty lock file.
pub fn place(
    env: &Env,
    plan: &RestorePlan,
    target: &RestoreTarget,
    options: &mut RestoreOptions<'_>,
) -> Result<Placed> {
    let mut made = MadeDirs::default();
    let log_dir_is_new = !env.fs.exists(&target.log_dir)?;
    let copied = prepare(env, plan, target, options, &mut made);
    let (mark, report, locks) = match copied {
        Ok(copied) => copied,
        Err(error) => {
            if log_dir_is_new {
                let lock = LogNames::new(&target.log_dir, &plan.log_base).lock();
                drop(remove_if_there(env, &lock));
            }
            for left in made.remove(env) {
                tracing::warn!(error = %left, "a directory of the aborted restore is left behind");
            }
            return Err(error);
        }
    };
    clear_old(env, plan, target)?;
    let databases = name_all(env, plan, target)?;
    Ok(Placed {
        databases,
        log_dir: target.log_dir.clone(),
        log_base: plan.log_base.clone(),
        log_signature: plan.log_signature,
        gen_low: plan.gen_low,
        gen_high: plan.gen_high,
        report,
        lock: locks.log,
        mark,
    })
}

/// Everything before the first file is named: afterwards all of them lie durably under temporary
/// names. Gives the path of the mark.
fn prepare(
    env: &Env,
    plan: &RestorePlan,
    target: &RestoreTarget,
    options: &mut RestoreOptions<'_>,
    made: &mut MadeDirs,
) -> Result<(PathBuf, SetReport, Locks)> {
    for dir in [&target.database_dir, &target.log_dir, &target.system_dir] {
        made.make(env, dir)?;
        if env.fs.canonicalize(dir)? == env.fs.canonicalize(&plan.dir)? {
            return Err(Error::new(JetErr::InvalidPath, "this is the backup set itself")
                .at_path(dir)
                .advise("restore into another directory"));
        }
    }
    let mark = Mark::of(plan, target);
    let mark_path = target.database_dir.join(UNFINISHED_NAME);
    let earlier = Mark::read(env, &mark_path)?;
    check_free(env, plan, target, earlier.as_ref(), options.force)?;
    let locks = Locks::take(env, plan, target)?;
    mark.merged(earlier.as_ref()).write(env, &mark_path)?;
    let mut temporaries = Vec::new();
    let copied = copy_all(env, plan, target, options, &mut temporaries);
    match copied {
        Ok(report) => Ok((mark_path, report, locks)),
        Err(error) => {
            discard(env, &temporaries, earlier.is_none().then_some(mark_path.as_path()));
            Err(error)
        }
    }
}

/// What keeps instances away from the files of the target.
struct Locks {
    log: Arc<LogLock>,
    /// Databases that are in the way, until they have been replaced: an instance with other logs
    /// may have one of them.
    _databases: Vec<Arc<dyn File>>,
}

impl Locks {
    fn take(env: &Env, plan: &RestorePlan, target: &RestoreTarget) -> Result<Locks> {
        let log = LogLock::acquire(env, &LogNames::new(&target.log_dir, &plan.log_base))?;
        let mut databases = Vec::new();
        for database in &plan.databases {
            let path = target.database_dir.join(&database.name);
            if env.fs.exists(&path)? {
                let file = env.fs.open(&path, OpenMode::ReadWrite)?;
                file.lock(LockMode::Exclusive)?;
                databases.push(file);
            }
        }
        Ok(Locks { log, _databases: databases })
    }
}

/// The contents of the mark: what the unfinished restore may have put into the directories.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    databases: Vec<String>,
    log_dir: String,
    log_base: String,
}

impl Mark {
    fn of(plan: &RestorePlan, target: &RestoreTarget) -> Mark {
        Mark {
            databases: plan.databases.iter().map(|database| database.name.clone()).collect(),
            log_dir: target.log_dir.to_string_lossy().into_owned(),
            log_base: plan.log_base.clone(),
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
        env.fs.sync_dir(path.parent().unwrap_or(Path::new(".")))
    }
}

/// Is nothing in the way that is not left over from an unfinished restore?
fn check_free(
    env: &Env,
    plan: &RestorePlan,
    target: &RestoreTarget,
    earlier: Option<&Mark>,
    force: bool,
) -> Result<()> {
    if force {
        return Ok(());
    }
    for database in &plan.databases {
        let path = target.database_dir.join(&database.name);
        let ours = earlier.is_some_and(|mark| mark.databases.contains(&database.name));
        if !ours && env.fs.exists(&path)? {
            return Err(Error::new(
                JetErr::FileAlreadyExists,
                "a file of the restored database's name exists",
            )
            .at_path(&path)
            .advise("restore into another directory, or force the restore to replace it"));
        }
    }
    let now = Mark::of(plan, target);
    let ours =
        earlier.is_some_and(|mark| mark.log_dir == now.log_dir && mark.log_base == now.log_base);
    if ours {
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

/// Is this a log of an instance with that base name, current and temporary ones included?
fn is_log_of(name: &str, base: &str) -> bool {
    if let Some((own, _)) = archived_log_name(name) {
        return own.eq_ignore_ascii_case(base);
    }
    let log =
        [".log", ".jtx"].iter().any(|extension| name.to_ascii_lowercase().ends_with(extension));
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    log && [base.to_owned(), format!("{base}tmp")].iter().any(|own| own.eq_ignore_ascii_case(stem))
}

/// Where a checkpoint of an instance with the set's base name would be.
fn checkpoints(plan: &RestorePlan, target: &RestoreTarget) -> [PathBuf; 2] {
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

/// Copies everything under temporary names.
fn copy_all(
    env: &Env,
    plan: &RestorePlan,
    target: &RestoreTarget,
    options: &mut RestoreOptions<'_>,
    temporaries: &mut Vec<PathBuf>,
) -> Result<SetReport> {
    let mut sink = Sink::new(env)?;
    let mut run = Run::new(plan, options.progress, &options.stop, options.keep_damaged);
    for database in &plan.databases {
        let path = temporary(&target.database_dir, &database.name);
        remove_if_there(env, &path)?;
        temporaries.push(path.clone());
        let file = Sink::create(env, &path, database.len - database.page_size.bytes_u64())?;
        let header_page = restored_header(plan, database).encode()?;
        let out = DatabaseOut { file: &file, header_page: &header_page };
        run.database(env, database, &mut sink, Some(out))?;
        sink.finish(file)?;
    }
    for log in &plan.logs {
        let path = temporary(&target.log_dir, &log.name);
        remove_if_there(env, &path)?;
        temporaries.push(path.clone());
        let file = Sink::create(env, &path, log.len)?;
        run.log(env, log, &mut sink, Some(&file))?;
        sink.finish(file)?;
    }
    sink.drain()?;
    Ok(run.report)
}

/// The header of the restored copy: it needs the logs up to the end of the backup, and says so.
fn restored_header(plan: &RestorePlan, database: &PlannedDatabase) -> DbHeader {
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

/// Removes what belongs to an instance that was here before: its logs and its checkpoint.
fn clear_old(env: &Env, plan: &RestorePlan, target: &RestoreTarget) -> Result<()> {
    for entry in env.fs.list(&target.log_dir)? {
        if !entry.is_dir && is_log_of(&entry.name, &plan.log_base) {
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
fn name_all(env: &Env, plan: &RestorePlan, target: &RestoreTarget) -> Result<Vec<PlacedDatabase>> {
    for log in &plan.logs {
        let path = target.log_dir.join(&log.name);
        env.fs.rename(&temporary(&target.log_dir, &log.name), &path)?;
    }
    env.fs.sync_dir(&target.log_dir)?;
    let mut placed = Vec::new();
    for database in &plan.databases {
        let path = target.database_dir.join(&database.name);
        // Before the name is given: what was here before may have been a later state of the same
        // database, and its double-write file would put newer pages among the restored ones.
        dblwr::remove(env, &path)?;
        env.fs.rename(&temporary(&target.database_dir, &database.name), &path)?;
        // Proves that it opens.
        DbFile::open(env, &path, Access::ReadWrite)?;
        placed.push(PlacedDatabase {
            path,
            source: database.source.clone(),
            signature: database.header.sign_db,
            page_size: database.page_size,
        });
    }
    env.fs.sync_dir(&target.database_dir)?;
    Ok(placed)
}

fn temporary(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.{TEMPORARY}"))
}

/// Best effort after a failure; the mark goes last, and only if this restore made it.
fn discard(env: &Env, temporaries: &[PathBuf], mark: Option<&Path>) {
    for path in temporaries.iter().map(PathBuf::as_path).chain(mark) {
        if let Err(error) = remove_if_there(env, path) {
            tracing::warn!(%error, "a file of the aborted restore is left behind");
        }
    }
}
