//! Restoring backups (backup-log-recovery 6.2, 6.3).

use std::path::{Path, PathBuf};

use ese_backup::restore::{ExternalDatabases, RestoreOptions, RestorePlan, RestoreSource};
use ese_base::{Error, Generation, JetErr, ProcId, Result};
use ese_engine::instance::InstanceConfig;
use ese_log::{LogNames, LogStream, Record, records::Trace};
use ese_os::Env;

use super::{
    JET_LOGINFO, JET_PFNSTATUS, JET_RSTMAP, JET_snpRestore,
    gate::{find_instance, restoring},
    handles::JET_INSTANCE,
    instance::check_unique_places,
    params::{
        JET_paramBaseName, JET_paramCreatePathIfNotExist, JET_paramLogFilePath,
        JET_paramSystemPath, Params,
    },
    process::{Inst, Life, Mode, PROCESS, Process},
    progress::Teller,
};
use crate::restore::{RestoreTarget, restore_external, restore_plan};

/// Of a hundred, what the files of a set are; the replay is the rest.
const FILES: u32 = 80;

/// Restores a set that [`super::JetBackupInstance`] made, with the parameters of an instance that
/// was made and not initialised: the databases go to `szDest`, or to where they were; the logs of
/// the instance that are in its log path and go on where the set ends are replayed after it. The
/// databases are clean then, and the instance can be initialised.
///
/// # Errors
/// `JET_errInvalidParameter` (-1003) for anything that is not an instance and for an empty path;
/// `JET_errAlreadyInitialized` (-1030); `JET_errInvalidPath` (-1023) for a folder that does not
/// exist; `JET_errSystemPathInUse` (-1083), `JET_errLogFilePathInUse` (-1084) and
/// `JET_errTempPathInUse` (-1085) for what another instance of the process uses;
/// `JET_errPageSizeMismatch` (-1213). Of the set `JET_errFileNotFound` (-1811) without logs,
/// `JET_errMissingRestoreLogFiles` (-557), `JET_errGivenLogFileHasBadSignature` (-555),
/// `JET_errGivenLogFileIsNotContiguous` (-556), `JET_errPatchFileMissing` (-538) without a
/// database, `JET_errDatabaseCorrupted` (-1206), `JET_errRestoreOfNonBackupDatabase` (-615),
/// `JET_errDatabasePatchFileMismatch` (-552), `JET_errStartingRestoreLogTooHigh` (-554),
/// `JET_errEndingRestoreLogTooLow` (-553), `JET_errDatabasesNotFromSameSnapshot` (-580),
/// `JET_errLogCorruptDuringHardRestore` (-573), `JET_errLogTornWriteDuringHardRestore` (-570),
/// `JET_errReadVerifyFailure` (-1018). Of the logs that are there
/// `JET_errExistingLogFileHasBadSignature` (-610),
/// `JET_errExistingLogFileIsNotContiguous` (-611), `JET_errMissingCurrentLogFiles` (-565),
/// `JET_errLogCorruptDuringHardRecovery` (-574), `JET_errLogTornWriteDuringHardRecovery` (-571).
/// `JET_errDiskFull` (-1808). Nothing has been replaced unless all files were verified and copied.
pub fn JetRestoreInstance(
    instance: JET_INSTANCE,
    szSource: &Path,
    szDest: Option<&Path>,
    pfn: Option<JET_PFNSTATUS<'_>>,
) -> Result<()> {
    restore(&*find_instance(instance)?, szSource, szDest, pfn)
}

/// As [`JetRestoreInstance`], with the parameters of the process, to where the databases were.
///
/// # Errors
/// As [`JetRestore2`].
pub fn JetRestore(szSource: &Path, pfn: Option<JET_PFNSTATUS<'_>>) -> Result<()> {
    JetRestore2(szSource, None, pfn)
}

/// As [`JetRestoreInstance`], with the parameters of the process.
///
/// # Errors
/// As there; `JET_errRunningInMultiInstanceMode` (-1081); `JET_errAlreadyInitialized` (-1030) where
/// the process has its one instance.
pub fn JetRestore2(
    szSource: &Path,
    szDest: Option<&Path>,
    pfn: Option<JET_PFNSTATUS<'_>>,
) -> Result<()> {
    let inst = {
        let mut process = PROCESS.lock();
        match process.mode {
            Mode::Multi => {
                return Err(Error::new(
                    JetErr::RunningInMultiInstanceMode,
                    "several instances can exist: name one with JetRestoreInstance",
                ));
            }
            Mode::One => return Err(initialised()),
            Mode::None => process.create("", Mode::One)?,
        }
    };
    let done = restore(&inst, szSource, szDest, pfn);
    PROCESS.lock().free(inst.handle);
    done
}

fn initialised() -> Error {
    Error::new(JetErr::AlreadyInitialized, "the instance was initialised")
        .advise("terminate it before a restore")
}

fn restore(
    inst: &Inst,
    source: &Path,
    dest: Option<&Path>,
    status: Option<JET_PFNSTATUS<'_>>,
) -> Result<()> {
    {
        let mut life = inst.life.write();
        match *life {
            Life::Created => {}
            Life::Restoring => return Err(restoring()),
            _ => return Err(initialised()),
        }
        *life = Life::Restoring;
    }
    let mut teller = Teller::new(JET_snpRestore, status);
    let done = restore_set(inst, source, dest, &mut teller);
    *inst.life.write() = Life::Created;
    teller.end(done)
}

fn restore_set(
    inst: &Inst,
    source: &Path,
    dest: Option<&Path>,
    teller: &mut Teller<'_>,
) -> Result<()> {
    if source.as_os_str().is_empty() {
        return Err(Error::new(JetErr::InvalidParameter, "no folder of a backup was given"));
    }
    let (env, _) = inst.machine.lock().clone();
    let global = PROCESS.lock().params.clone();
    let params = inst.params.lock().clone();
    let config = params.to_config(&global)?;
    let create = params.int(JET_paramCreatePathIfNotExist) != 0;
    let dest = dest.filter(|dest| !dest.as_os_str().is_empty());
    let dirs = [Some(config.system_dir.as_path()), Some(config.log_dir.as_path()), dest];
    for dir in dirs.into_iter().flatten() {
        need_dir(&env, dir, create)?;
    }
    check_unique_places(inst, &env, &params)?;
    let plan = RestorePlan::examine(&env, source)?;
    check_settings(&plan, &config)?;
    let mut target = RestoreTarget::in_dir(dest.unwrap_or(&config.system_dir))
        .logs_in(&config.log_dir)
        .system_in(&config.system_dir)
        .rolling_forward();
    if dest.is_none() {
        target = target.at_sources();
        for path in target.places_of(&plan)? {
            need_dir(&env, path.parent().unwrap_or(Path::new("/")), create)?;
        }
    }
    teller.begin();
    with_options(teller, |options| restore_plan(&env, &plan, &target, options, config).map(|_| ()))
}

/// The directory exists, or may be made.
fn need_dir(env: &Env, dir: &Path, create: bool) -> Result<()> {
    if create || env.fs.exists(dir)? {
        return Ok(());
    }
    Err(Error::new(JetErr::InvalidPath, "there is no such folder")
        .at_path(dir)
        .advise("make it, or set JET_paramCreatePathIfNotExist"))
}

/// The set's log must be the one that the parameters name.
fn check_settings(plan: &RestorePlan, config: &InstanceConfig) -> Result<()> {
    if !plan.log_base.eq_ignore_ascii_case(&config.base_name) {
        let what = format!("the logs of the set are called \"{}\"", plan.log_base);
        return Err(Error::new(JetErr::FileNotFound, what)
            .at_path(&plan.dir)
            .advise("set JET_paramBaseName to that name"));
    }
    match plan.databases.iter().find(|database| database.page_size != config.page_size) {
        None => Ok(()),
        Some(other) => {
            let what =
                format!("pages of {}, the parameter says {}", other.page_size, config.page_size);
            Err(Error::new(JetErr::PageSizeMismatch, what)
                .at_path(&other.path)
                .advise("set JET_paramDatabasePageSize to that size"))
        }
    }
}

fn with_options(
    teller: &mut Teller<'_>,
    body: impl FnOnce(&mut RestoreOptions<'_>) -> Result<()>,
) -> Result<()> {
    let stop = teller.stop.clone();
    let mut progress = |so_far: &ese_backup::restore::RestoreProgress| match so_far.replayed {
        None => teller.progress(so_far.bytes_done, so_far.bytes_total, FILES),
        Some(percent) => {
            teller.progress(u64::from(100 * FILES + percent * (99 - FILES)), 100 * 100, 100);
        }
    };
    // What a database replaces is verified and copied by then.
    let (force, keep_damaged) = (true, false);
    body(&mut RestoreOptions { force, keep_damaged, progress: &mut progress, stop })
}

/// Most databases that one call restores.
const MAP_MAX: usize = 14;

/// What an external restore does beside the replay of a set.
struct External<'a> {
    checkpoint: Option<&'a Path>,
    log: Option<&'a Path>,
    map: &'a [JET_RSTMAP],
    backup: &'a Path,
    range: Option<(Generation, Generation)>,
    base: Option<&'a str>,
    after: After,
}

/// Whose logs are replayed after those of the backup.
enum After {
    /// Those in the log path.
    Own,
    /// Of an instance that runs: what it has logged until now.
    Running(std::sync::Arc<Inst>),
    /// Of one that does not.
    Logs(PathBuf),
}

/// Replays the logs of a streaming backup on copies of its databases, which somebody has put where
/// the map says. Generations 0 and 0 are all that there are. Databases that the map does not name
/// are left alone; without a map, those are restored that lie where the logs know them.
///
/// # Errors
/// `JET_errRunningInOneInstanceMode` (-1080); `JET_errInvalidParameter` (-1003) for more than 14
/// databases, for a range that is none, for an empty path; `JET_errFileNotFound` (-1811) for a copy
/// that is not there and for a folder without logs; `JET_errMissingRestoreLogFiles` (-557) for a
/// range that is not there; `JET_errAttachedDatabaseMismatch` (-1216) for a copy of another
/// database than the map says; otherwise as [`JetRestoreInstance`].
pub fn JetExternalRestore(
    szCheckpointFilePath: Option<&Path>,
    szLogPath: Option<&Path>,
    rgrstmap: &[JET_RSTMAP],
    szBackupLogPath: &Path,
    genLow: i32,
    genHigh: i32,
    pfn: Option<JET_PFNSTATUS<'_>>,
) -> Result<JetErr> {
    let job = External {
        checkpoint: szCheckpointFilePath,
        log: szLogPath,
        map: rgrstmap,
        backup: szBackupLogPath,
        range: range_of(genLow, genHigh)?,
        base: None,
        after: After::Own,
    };
    run_external(&job, pfn)
}

/// As [`JetExternalRestore`], and replays what another instance has logged after the backup: one
/// that runs, by its name, or one that does not, by its directories.
/// `JET_wrnTargetInstanceRunning` (578): the instance runs; what it logged before the call was
/// replayed, and it has begun a new log.
///
/// # Errors
/// As [`JetExternalRestore`]; `JET_errInvalidParameter` (-1003) for one of the two directories
/// alone, and for a name together with directories; `JET_errBadRestoreTargetInstance` (-577) for a
/// name that no running instance has, and for one whose logs are called otherwise;
/// `JET_errRestoreInProgress` (-506) while another call restores from it.
#[allow(clippy::too_many_arguments, reason = "the documented interface has them")]
pub fn JetExternalRestore2(
    szCheckpointFilePath: Option<&Path>,
    szLogPath: Option<&Path>,
    rgrstmap: &[JET_RSTMAP],
    szBackupLogPath: &Path,
    pLogInfo: &JET_LOGINFO,
    szTargetInstanceName: Option<&str>,
    szTargetInstanceLogPath: Option<&Path>,
    szTargetInstanceCheckpointPath: Option<&Path>,
    pfn: Option<JET_PFNSTATUS<'_>>,
) -> Result<JetErr> {
    let generation = |number: u32| i32::try_from(number).unwrap_or(-1);
    let range = range_of(generation(pLogInfo.ulGenLow), generation(pLogInfo.ulGenHigh))?;
    if pLogInfo.cbSize != JET_LOGINFO::SIZE {
        let what = format!("a JET_LOGINFO of {} bytes", pLogInfo.cbSize);
        return Err(Error::new(JetErr::InvalidParameter, what));
    }
    let base = Some(pLogInfo.szBaseName.as_str()).filter(|base| !base.is_empty());
    let refuse = |what: &'static str| Err(Error::new(JetErr::InvalidParameter, what));
    let after =
        match (szTargetInstanceName, szTargetInstanceLogPath, szTargetInstanceCheckpointPath) {
            (None, None, None) => After::Own,
            (None, Some(log), Some(_)) => After::Logs(log.to_path_buf()),
            (Some(name), None, None) => After::Running(running_target(name, base)?),
            (None, ..) => return refuse("a target has a log path and a checkpoint path"),
            (Some(_), ..) => return refuse("a target has a name or paths, not both"),
        };
    let job = External {
        checkpoint: szCheckpointFilePath,
        log: szLogPath,
        map: rgrstmap,
        backup: szBackupLogPath,
        range,
        base,
        after,
    };
    run_external(&job, pfn)
}

fn range_of(low: i32, high: i32) -> Result<Option<(Generation, Generation)>> {
    match (u32::try_from(low), u32::try_from(high)) {
        (Ok(0), Ok(0)) => Ok(None),
        (Ok(low), Ok(high)) if 0 < low && low <= high => {
            Ok(Some((Generation(low), Generation(high))))
        }
        _ => {
            let what = format!("{low} to {high} is no range of log generations");
            Err(Error::new(JetErr::InvalidParameter, what))
        }
    }
}

/// The running instance that a restore goes on with.
fn running_target(name: &str, base: Option<&str>) -> Result<std::sync::Arc<Inst>> {
    let bad = |what: &'static str| {
        Error::new(JetErr::BadRestoreTargetInstance, what).within(&format!("target \"{name}\""))
    };
    let all: Vec<_> = PROCESS.lock().instances().cloned().collect();
    let target = all.into_iter().find(|inst| inst.name == name);
    let target = target.filter(|inst| matches!(&*inst.life.read(), Life::Running(_)));
    let target = target.ok_or_else(|| bad("no running instance has this name"))?;
    let own = target.params.lock().text(JET_paramBaseName);
    if base.is_some_and(|base| !base.eq_ignore_ascii_case(&own)) {
        return Err(bad("its logs have another base name"));
    }
    Ok(target)
}

fn run_external(job: &External<'_>, status: Option<JET_PFNSTATUS<'_>>) -> Result<JetErr> {
    let refuse = |what: &'static str| Err(Error::new(JetErr::InvalidParameter, what));
    let inst = {
        let mut process = PROCESS.lock();
        if process.mode == Mode::One {
            return Err(Error::new(
                JetErr::RunningInOneInstanceMode,
                "the process uses the one instance that has no name",
            ));
        }
        if job.map.len() > MAP_MAX {
            return refuse("more than 14 databases cannot be restored at once");
        }
        if job.backup.as_os_str().is_empty() {
            return refuse("no folder with the logs of the backup was given");
        }
        temporary_instance(&mut process)?
    };
    let mut teller = Teller::new(JET_snpRestore, status);
    let done = with_target(job, || external(&inst, job, &mut teller));
    PROCESS.lock().free(inst.handle);
    teller.end(done)
}

/// An instance of the name that the published engine gives it.
fn temporary_instance(process: &mut Process) -> Result<std::sync::Arc<Inst>> {
    let names = (0..10_000).map(|number| format!("Restore{number:04}"));
    let taken = |name: &String| process.instances().any(|inst| inst.name == *name);
    let name = names.into_iter().find(|name| !taken(name)).unwrap_or_default();
    let inst = process.create(&name, Mode::Multi)?;
    *inst.life.write() = Life::Restoring;
    Ok(inst)
}

/// One restore at a time goes on with a running instance.
fn with_target(job: &External<'_>, body: impl FnOnce() -> Result<()>) -> Result<JetErr> {
    let After::Running(target) = &job.after else { return body().map(|()| JetErr::Success) };
    if target.restoring.swap(true, std::sync::atomic::Ordering::SeqCst) {
        let what = "another call restores from the target";
        return Err(Error::new(JetErr::RestoreInProgress, what));
    }
    let done = body();
    target.restoring.store(false, std::sync::atomic::Ordering::SeqCst);
    done.map(|()| JetErr::WrnTargetInstanceRunning)
}

fn external(inst: &Inst, job: &External<'_>, teller: &mut Teller<'_>) -> Result<()> {
    let global = PROCESS.lock().params.clone();
    let env = machine(inst, job);
    let mut config = settings(inst, job, &global)?;
    for dir in [&config.system_dir, &config.log_dir] {
        need_dir(&env, dir, false)?;
    }
    let params = inst.params.lock().clone();
    check_unique_places(inst, &env, &params)?;
    let mut source = RestoreSource::new(job.backup);
    source.generations = job.range;
    let mut found = ExternalDatabases::examine(&env, &[], &source)?;
    match &job.after {
        After::Own => {}
        After::Logs(dir) => copy_later_logs(&env, dir, &found.plan, &config.log_dir)?,
        After::Running(running) => {
            let dir = close_log(running)?;
            extend(&env, &mut source, &found.plan, &dir)?;
        }
    }
    let databases = databases_of(&env, job.map, &found.plan)?;
    found = ExternalDatabases::examine(&env, &databases, &source)?;
    if let Some(base) = job.base.filter(|base| !base.eq_ignore_ascii_case(&found.plan.log_base)) {
        let what = format!("no log of the base name \"{base}\" here");
        return Err(Error::new(JetErr::FileNotFound, what).at_path(job.backup));
    }
    config.base_name.clone_from(&found.plan.log_base);
    let target = RestoreTarget::in_dir(&config.system_dir).logs_in(&config.log_dir);
    teller.begin();
    with_options(teller, |options| {
        restore_external(&env, &found, &target, options, config).map(|_| ())
    })
}

/// The machine of the target, which may be a simulated one.
fn machine(inst: &Inst, job: &External<'_>) -> Env {
    match &job.after {
        After::Running(target) => target.machine.lock().0.clone(),
        _ => inst.machine.lock().0.clone(),
    }
}

fn settings(inst: &Inst, job: &External<'_>, global: &Params) -> Result<InstanceConfig> {
    let mut params = inst.params.lock();
    for (id, path) in [(JET_paramSystemPath, job.checkpoint), (JET_paramLogFilePath, job.log)] {
        if let Some(path) = path {
            params.set_text(id, &path.to_string_lossy());
        }
    }
    params.to_config(global)
}

/// Everything that the instance has logged is in finished generations then. Gives their directory.
fn close_log(target: &Inst) -> Result<PathBuf> {
    let bad = |what: &'static str| Error::new(JetErr::BadRestoreTargetInstance, what);
    let shared = target.shared().ok_or_else(|| bad("the target has ended meanwhile"))?;
    let log = shared.engine.log.as_ref().ok_or_else(|| bad("the target does not log"))?;
    // The record of the published engine (ExtRestore2) has no published layout: a line for whoever
    // reads the log stands for it.
    let (procid, text) = (ProcId::default(), b"external restore: what follows is not part of it");
    log.append(&Record::Trace(Trace { procid, text, rollover: false }))?;
    log.roll()?;
    Ok(shared.engine.config.log_dir.clone())
}

/// Puts the logs of an instance that has ended behind those of the backup: into the log path, where
/// the replay finds them.
fn copy_later_logs(env: &Env, dir: &Path, plan: &RestorePlan, log_dir: &Path) -> Result<()> {
    if env.fs.canonicalize(dir)? == env.fs.canonicalize(log_dir)? {
        return Ok(());
    }
    let stream = LogStream::scan(env, &LogNames::new(dir, &plan.log_base))?;
    let later = stream.archives().filter(|(generation, _)| *generation > plan.gen_high);
    for file in later.map(|(_, file)| file).chain(stream.current()) {
        let to = log_dir.join(file.path.file_name().unwrap_or_default());
        let from = env.fs.open(&file.path, ese_os::OpenMode::Read)?;
        let new = env.fs.open(&to, ese_os::OpenMode::CreateNew)?;
        let mut buffer = vec![0; 1 << 20];
        let (mut at, len) = (0, from.len()?);
        while at < len {
            let count = usize::try_from(len - at).unwrap_or(usize::MAX).min(buffer.len());
            let piece = buffer.get_mut(..count).unwrap_or_default();
            from.read_at(piece, at)?;
            new.write_at(piece, at)?;
            at += count as u64;
        }
        new.sync()?;
    }
    env.fs.sync_dir(log_dir)
}

/// Takes the finished generations of another directory that follow on the backup's.
fn extend(env: &Env, source: &mut RestoreSource, plan: &RestorePlan, dir: &Path) -> Result<()> {
    let stream = LogStream::scan(env, &LogNames::new(dir, &plan.log_base))?;
    let mut high = plan.gen_high;
    for (generation, _) in stream.archives() {
        if generation.0 == high.0 + 1 {
            high = generation;
        }
    }
    source.increments.push(dir.to_path_buf());
    source.generations = Some((plan.gen_low, high));
    Ok(())
}

/// The copies that are to be restored.
fn databases_of(env: &Env, map: &[JET_RSTMAP], plan: &RestorePlan) -> Result<Vec<PathBuf>> {
    let known: Vec<_> = plan.logs.iter().rev().flat_map(|log| &log.attachments).collect();
    if map.is_empty() {
        let mut databases: Vec<PathBuf> = Vec::new();
        for (_, path) in known {
            if !databases.contains(path) && path.is_absolute() && env.fs.exists(path)? {
                databases.push(path.clone());
            }
        }
        return Ok(databases);
    }
    for entry in map {
        let file = env.fs.open(&entry.szNewDatabaseName, ese_os::OpenMode::Read)?;
        let located = ese_pages::header::read_header(file.as_ref())
            .map_err(|error| error.at_path(&entry.szNewDatabaseName))?;
        let named = known.iter().find(|(_, path)| *path == entry.szDatabaseName);
        if named.is_some_and(|(sign, _)| *sign != located.header.sign_db) {
            let what = format!("it is no copy of {}", entry.szDatabaseName.display());
            return Err(Error::new(JetErr::AttachedDatabaseMismatch, what)
                .at_path(&entry.szNewDatabaseName)
                .advise("name the copy of the database that the map means"));
        }
    }
    Ok(map.iter().map(|entry| entry.szNewDatabaseName.clone()).collect())
}
