//! A restore whose databases somebody else has put in their places (backup-log-recovery 6.3): the
//! files are made ready for the replay where they lie.
//!
//! A copy is ready when its header names the last generation of its backup (which is 0 while it is
//! a copy); its trailer is cut off after that. So a restore that was interrupted can be repeated.

use std::path::{Path, PathBuf};

use ese_base::{Error, Generation, JetErr, Result};
use ese_log::{LogLock, LogNames};
use ese_os::{Env, LockMode, OpenMode, parent_of};
use ese_pages::{
    db_file::{Access, DbFile},
    dblwr,
    header::{BackupTrailer, Located, read_header},
};
use zerocopy::FromZeros;

use super::{
    RestoreTarget,
    forward::Existing,
    part::{Part, Want},
    place::{Placed, PlacedDatabase, RestoreOptions, checkpoints, restored_header, temporary},
    plan::{PlannedDatabase, RestorePlan, RestoreSource, choose_logs},
    scan::read_trailer,
    target::refuse_strange,
    verify::Run,
};
use crate::{files::remove_if_there, stream::Sink};

/// What an external restore begins with.
#[derive(Clone, Debug)]
pub struct ExternalDatabases {
    /// Databases and logs, examined.
    pub plan: RestorePlan,
    /// Databases that an earlier try has made ready, in the order of the plan.
    ready: Vec<bool>,
}

impl ExternalDatabases {
    /// Looks at copies of databases in their places, and at the logs of their backup.
    ///
    /// # Errors
    /// `JET_errFileNotFound` (-1811) for a copy that is not there, and for a directory without
    /// logs; otherwise as [`RestorePlan::examine_source`].
    pub fn examine(
        env: &Env,
        databases: &[PathBuf],
        logs: &RestoreSource,
    ) -> Result<ExternalDatabases> {
        let mut all = Vec::new();
        for dir in std::iter::once(&logs.dir).chain(&logs.increments) {
            let part = Part::read(env, dir, Want::AnyLogs, None)?;
            part.refuse_lost()?;
            all.extend(part.logs);
        }
        let chosen =
            choose_logs(all, logs.generations).map_err(|error| error.at_path(&logs.dir))?;
        let Some(signature) = chosen.first().map(|log| log.signature) else {
            return Err(
                Error::new(JetErr::FileNotFound, "no log of a backup here").at_path(&logs.dir)
            );
        };
        let (mut found, mut ready) = (Vec::new(), Vec::new());
        for path in databases {
            let (database, is_ready) = scan_in_place(env, path)?;
            found.push(database);
            ready.push(is_ready);
        }
        let mut plan = RestorePlan::of(logs.dir.clone(), found, chosen, signature)?;
        plan.name_sources();
        Ok(ExternalDatabases { plan, ready })
    }
}

/// Reads header and trailer of a copy where it lies. True: it was made ready already.
fn scan_in_place(env: &Env, path: &Path) -> Result<(PlannedDatabase, bool)> {
    let file = env.fs.open(path, OpenMode::Read)?;
    let len = file.len()?;
    let located = read_header(file.as_ref()).map_err(|error| {
        Error::new(JetErr::DatabaseCorrupted, "the header of the copied database cannot be read")
            .at_path(path)
            .advise("copy the database out of the backup again")
            .caused_by(error)
    })?;
    let Located { header, page_size, .. } = located;
    let info = header.bkinfo_full_cur;
    if info.gen_low.get() == 0 {
        let what = "the database was not copied by a streaming backup, or is restored already";
        return Err(Error::new(JetErr::RestoreOfNonBackupDatabase, what)
            .at_path(path)
            .advise("attach it as it is"));
    }
    let ready = info.gen_high.get() != 0;
    let trailer = if ready {
        let mut trailer = BackupTrailer::new_zeroed();
        (trailer.bkinfo, trailer.sign_db, trailer.sign_log) =
            (info, header.sign_db, header.sign_log);
        trailer
    } else {
        read_trailer(&*file, len, &header, page_size.bytes()).map_err(|e| e.at_path(path))?
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (source, crc32, path) = (None, None, path.to_path_buf());
    let database = PlannedDatabase { name, path, len, page_size, header, trailer, source, crc32 };
    Ok((database, ready))
}

/// Makes databases ready where they lie, and brings their logs into the log directory of the target
/// unless they are there. Logs that are there and go on where these end stay, and are replayed.
///
/// # Errors
/// As [`super::place`]. If a database or a log was found damaged, no database has been changed.
pub fn place_external(
    env: &Env,
    external: &ExternalDatabases,
    target: &RestoreTarget,
    options: &mut RestoreOptions<'_>,
) -> Result<Placed> {
    let plan = &external.plan;
    let paths: Vec<PathBuf> = plan.databases.iter().map(|database| database.path.clone()).collect();
    refuse_strange(env, plan, target, &paths)?;
    let lock = LogLock::acquire(env, &LogNames::new(&target.log_dir, &plan.log_base))?;
    // However the restore ends.
    lock.end_in_order();
    for path in &paths {
        // Nobody may have it attached.
        env.fs.open(path, OpenMode::ReadWrite)?.lock(LockMode::Exclusive)?;
    }
    let existing = Existing::check(env, plan, target)?;
    let mut temporaries = Vec::new();
    let copied = copy(env, external, target, options, &mut temporaries);
    let report = match copied {
        Ok(report) => report,
        Err(error) => {
            for path in temporaries.iter().map(|(_, temporary, _)| temporary) {
                if let Err(error) = remove_if_there(env, path) {
                    tracing::warn!(%error, "a file of the aborted restore is left behind");
                }
            }
            return Err(error);
        }
    };
    for path in checkpoints(plan, target) {
        remove_if_there(env, &path)?;
    }
    env.fs.sync_dir(&target.system_dir)?;
    for (generation, temporary, path) in &temporaries {
        env.fs.rename(temporary, existing.path_of(*generation).as_ref().unwrap_or(path))?;
    }
    env.fs.sync_dir(&target.log_dir)?;
    let mut databases = Vec::new();
    for (database, ready) in plan.databases.iter().zip(&external.ready) {
        make_ready(env, plan, database, *ready)?;
        databases.push(PlacedDatabase {
            path: database.path.clone(),
            source: database.source.clone(),
            signature: database.header.sign_db,
            page_size: database.page_size,
        });
    }
    Ok(Placed::new(plan, target, databases, report, lock))
}

/// A log that was copied: generation, temporary name, own name.
type CopiedLog = (Generation, PathBuf, PathBuf);

/// Verifies everything, and copies the logs that lie elsewhere under temporary names.
fn copy(
    env: &Env,
    external: &ExternalDatabases,
    target: &RestoreTarget,
    options: &mut RestoreOptions<'_>,
    temporaries: &mut Vec<CopiedLog>,
) -> Result<super::SetReport> {
    let plan = &external.plan;
    let mut sink = Sink::new(env)?;
    let mut run = Run::new(plan, options.progress, &options.stop, options.keep_damaged);
    for (database, _) in plan.databases.iter().zip(&external.ready).filter(|(_, ready)| !**ready) {
        run.database(env, database, &mut sink, None)?;
    }
    let home = env.fs.canonicalize(&target.log_dir)?;
    for log in &plan.logs {
        if env.fs.canonicalize(parent_of(&log.path))? == home {
            run.log(env, log, &mut sink, None)?;
            continue;
        }
        let path = target.log_dir.join(&log.name);
        let new = temporary(&path);
        remove_if_there(env, &new)?;
        temporaries.push((log.generation, new.clone(), path));
        let file = Sink::create(env, &new, log.len)?;
        run.log(env, log, &mut sink, Some(&file))?;
        sink.finish(file)?;
    }
    sink.drain()?;
    Ok(run.report)
}

/// The header first: with it the copy is ready, with or without its trailer.
fn make_ready(
    env: &Env,
    plan: &RestorePlan,
    database: &PlannedDatabase,
    ready: bool,
) -> Result<()> {
    let path = &database.path;
    if !ready {
        // What lies beside the copy is of another time.
        dblwr::remove(env, path)?;
        let header = restored_header(plan, database);
        DbFile::open(env, path, Access::ReadWrite)?.update_header(|own| *own = header)?;
    }
    DbFile::open(env, path, Access::ReadWrite)?.cut_trailer()?;
    env.fs.open(path, OpenMode::ReadWrite)?.sync()
}
