//! Making, initialising and terminating instances (api-semantics 2, backup-log-recovery 5.6).

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use ese_backup::PauseBy;
use ese_base::{Error, JetErr, Result, Signature};
use ese_engine::{instance::TermMode, recovery::RecoveryFlags};
use ese_os::Env;

use super::{
    JET_GRBIT,
    durable::Teller,
    gate::{Purpose, enter, restoring},
    handles::{JET_INSTANCE, JET_SESID},
    invalid_grbit,
    params::{
        JET_paramCreatePathIfNotExist, JET_paramLogFilePath, JET_paramSystemPath,
        JET_paramTempPath, Params,
    },
    process::{Inst, Life, Mode, PROCESS},
    recovery::{JET_RSTINFO, JET_RSTINFO2, flags_of, options_of},
    session::{find_session, forget_sessions},
};
use crate::shared::Shared;

/// Clean-up may take as long as it needs; sessions in a transaction prevent it.
pub const JET_bitTermComplete: JET_GRBIT = 0x1;
/// Transactions are rolled back, a backup is aborted.
pub const JET_bitTermAbrupt: JET_GRBIT = 0x2;
/// A backup is aborted first.
pub const JET_bitTermStopBackup: JET_GRBIT = 0x4;
/// Databases stay dirty; the next start recovers them.
pub const JET_bitTermDirty: JET_GRBIT = 0x8;

/// Where a database lies now that lay elsewhere when the log was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JET_RSTMAP {
    /// The path that the log knows.
    pub szDatabaseName: PathBuf,
    /// The path now.
    pub szNewDatabaseName: PathBuf,
}

/// Makes an instance, to be given parameters and initialised. An empty name is a name.
///
/// # Errors
/// `JET_errRunningInOneInstanceMode` (-1080), `JET_errInstanceNameInUse` (-1086),
/// `JET_errTooManyInstances` (-1214).
pub fn JetCreateInstance(szInstanceName: &str) -> Result<JET_INSTANCE> {
    let mut process = PROCESS.lock();
    if process.mode == Mode::One {
        return Err(Error::new(
            JetErr::RunningInOneInstanceMode,
            "the process uses the one instance that has no name",
        ));
    }
    process.create(szInstanceName, Mode::Multi).map(|inst| inst.handle)
}

/// As [`JetCreateInstance`]; the name for people is not used.
///
/// # Errors
/// As [`JetCreateInstance`]; `JET_errInvalidGrbit` (-900) for any flag.
pub fn JetCreateInstance2(
    szInstanceName: &str,
    _szDisplayName: &str,
    grbit: JET_GRBIT,
) -> Result<JET_INSTANCE> {
    if grbit != 0 {
        return Err(invalid_grbit("JetCreateInstance2", grbit));
    }
    JetCreateInstance(szInstanceName)
}

/// A running instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JET_INSTANCE_INFO {
    /// The instance.
    pub hInstanceId: JET_INSTANCE,
    /// Its name.
    pub szInstanceName: String,
    /// Its attached databases, without those attached for reading only or without a log.
    pub szDatabaseFileName: Vec<PathBuf>,
}

/// The instances of the process with their databases; those that were only created have none.
///
/// # Errors
/// None.
pub fn JetGetInstanceInfo() -> Result<Vec<JET_INSTANCE_INFO>> {
    let all: Vec<Arc<Inst>> = PROCESS.lock().instances().cloned().collect();
    Ok(all.iter().map(info_of).collect())
}

/// What is told of an instance. One that does not run has no databases.
pub(super) fn info_of(inst: &Arc<Inst>) -> JET_INSTANCE_INFO {
    let databases = inst.shared().map(|shared| shared.attached_databases()).unwrap_or_default();
    // What the log does not know of is in no backup.
    let logged = databases.iter().filter(|database| database.attached.is_logged());
    let paths = logged.map(|database| database.attached.path.clone());
    JET_INSTANCE_INFO {
        hInstanceId: inst.handle,
        szInstanceName: inst.name.clone(),
        szDatabaseFileName: paths.collect(),
    }
}

/// The signature of the log.
pub const JET_InstanceMiscInfoLogSignature: u32 = 0;

/// A fact about an instance: the signature of its log stream, `None` without a log.
///
/// # Errors
/// `JET_errInvalidInstance` (-1115), `JET_errNotInitialized` (-1029), `JET_errInvalidParameter`
/// (-1003) for another level.
pub fn JetGetInstanceMiscInfo(instance: JET_INSTANCE, InfoLevel: u32) -> Result<Option<Signature>> {
    let inst = PROCESS.lock().instance(instance)?;
    let shared = enter(&inst, Purpose::Work)?;
    if InfoLevel != JET_InstanceMiscInfoLogSignature {
        let what = format!("{InfoLevel} is no level of information");
        return Err(Error::new(JetErr::InvalidParameter, what));
    }
    Ok(shared.engine.log.as_ref().map(|log| log.signature()))
}

/// The machine that an instance will run on: files, time and threads of a simulation. Not a Jet
/// function.
///
/// # Errors
/// `JET_errInvalidInstance` (-1115), `JET_errAlreadyInitialized` (-1030).
pub fn use_machine(instance: JET_INSTANCE, env: Env, pauses: PauseBy) -> Result<()> {
    let inst = PROCESS.lock().instance(instance)?;
    if inst.is_past_creation() {
        return Err(Error::new(JetErr::AlreadyInitialized, "the instance was initialised"));
    }
    *inst.machine.lock() = (env, pauses);
    Ok(())
}

/// Initialises an instance; recovers what an earlier one left behind. Without an instance (`None`,
/// or the handle 0, which is then set) the process uses one that nobody needs to name.
///
/// # Errors
/// `JET_errAlreadyInitialized` (-1030), `JET_errInitInProgress` (-1031),
/// `JET_errRunningInMultiInstanceMode` (-1081), `JET_errInvalidInstance` (-1115),
/// `JET_errInvalidPath` (-1023) for a missing folder, `JET_errTempPathInUse` (-1085) for the
/// temporary database of another instance of the process, `JET_errSystemPathInUse` (-1083) and
/// `JET_errLogFilePathInUse` (-1084) for a folder of another instance, `JET_errInvalidSettings`
/// (-1328) for parameters that contradict, those of recovery (backup-log-recovery 3.2 to 3.5). A
/// made instance is gone after an error other than the first four.
pub fn JetInit(pinstance: Option<&mut JET_INSTANCE>) -> Result<JetErr> {
    JetInit2(pinstance, 0)
}

/// As [`JetInit`] with flags for recovery: `JET_bitReplay...` and others.
///
/// `JET_wrnCommittedLogFilesLost` (585): commits are lost, with leave;
/// `JET_wrnCommittedLogFilesRemoved` (587): logs were removed, too.
///
/// # Errors
/// As [`JetInit`]; `JET_errInvalidGrbit` (-900) for unknown flags; those of attaching with
/// `JET_bitKeepDbAttachedAtEndOfRecovery`. With `JET_bitRecoveryWithoutUndo` always
/// `JET_errRecoveredWithoutUndo` (-579) or, where there was nothing to undo,
/// `JET_errRecoveredWithoutUndoDatabasesConsistent` (-584); the instance is gone.
pub fn JetInit2(pinstance: Option<&mut JET_INSTANCE>, grbit: JET_GRBIT) -> Result<JetErr> {
    let flags = flags_of("JetInit2", grbit)? | RecoveryFlags::UNMAPPED_IN_PLACE;
    init(pinstance, JET_RSTINFO2::default(), flags)
}

/// As [`JetInit2`], with a map of where databases lie now, a position before which redo ends, and a
/// callback. With a map, a database that it does not name counts as missing, unless
/// `JET_bitReplayMissingMapEntryDB`.
///
/// # Errors
/// As [`JetInit2`]; `JET_errInvalidParameter` (-1003) for a time to stop at, a position to stop at
/// without a generation, or one together with parameters that remove logs; with a position to stop
/// at `JET_errRecoveredWithoutUndo` (-579); those of the callback.
pub fn JetInit3(
    pinstance: Option<&mut JET_INSTANCE>,
    prstInfo: Option<JET_RSTINFO<'_>>,
    grbit: JET_GRBIT,
) -> Result<JetErr> {
    let flags = flags_of("JetInit3", grbit)?;
    init(pinstance, prstInfo.unwrap_or_default().into(), flags)
}

/// As [`JetInit3`], with flags in the map.
///
/// # Errors
/// As [`JetInit3`]; `JET_errFileNotFound` (-1811) for a database that must not be missing.
pub fn JetInit4(
    pinstance: Option<&mut JET_INSTANCE>,
    prstInfo: Option<JET_RSTINFO2<'_>>,
    grbit: JET_GRBIT,
) -> Result<JetErr> {
    let flags = flags_of("JetInit4", grbit)?;
    init(pinstance, prstInfo.unwrap_or_default(), flags)
}

fn init(
    pinstance: Option<&mut JET_INSTANCE>,
    info: JET_RSTINFO2<'_>,
    flags: RecoveryFlags,
) -> Result<JetErr> {
    let (inst, global) = {
        let mut process = PROCESS.lock();
        let inst = match &pinstance {
            // Where there is no instance, what is handed over is a handle of one that has ended, or
            // was never set.
            Some(handle) if process.has_instances() && **handle != JET_INSTANCE::NIL => {
                process.instance(**handle)?
            }
            _ => match process.mode {
                Mode::Multi => {
                    return Err(Error::new(
                        JetErr::RunningInMultiInstanceMode,
                        "several instances can exist: make one with JetCreateInstance",
                    ));
                }
                Mode::One => {
                    let what = "the instance of the process was initialised";
                    return Err(Error::new(JetErr::AlreadyInitialized, what));
                }
                Mode::None => process.create("", Mode::One)?,
            },
        };
        (inst, process.params.clone())
    };
    {
        let mut life = inst.life.write();
        match *life {
            Life::Created => *life = Life::Starting,
            Life::Starting => {
                let what = "another thread initialises the instance";
                return Err(Error::new(JetErr::InitInProgress, what));
            }
            Life::Restoring => return Err(restoring()),
            Life::Running(_) | Life::Ending(_) => {
                let what = "the instance was initialised";
                return Err(Error::new(JetErr::AlreadyInitialized, what));
            }
        }
    }
    let mut starting = Starting(Some(&inst));
    let (shared, warning) = start(&inst, &global, info, flags)?;
    starting.0 = None;
    *inst.life.write() = Life::Running(shared);
    // Something may have been stopped before there was anything to stop.
    inst.apply_services();
    if let Some(handle) = pinstance {
        *handle = inst.handle;
    }
    Ok(warning)
}

/// An instance that did not start is gone, whether an error has ended it or a panic.
struct Starting<'i>(Option<&'i Inst>);

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        if let Some(inst) = self.0 {
            PROCESS.lock().free(inst.handle);
        }
    }
}

fn start(
    inst: &Inst,
    global: &Params,
    info: JET_RSTINFO2<'_>,
    flags: RecoveryFlags,
) -> Result<(Arc<Shared>, JetErr)> {
    let (env, pauses) = inst.machine.lock().clone();
    let params = inst.params.lock().clone();
    let config = params.to_config(global)?;
    if let Some(temp) = &config.temp_path {
        inst.params.lock().set_text(JET_paramTempPath, &temp.to_string_lossy());
    }
    let options = options_of(inst.handle, info, flags, &params)?;
    check_unique_places(inst, &env, &params)?;
    for dir in [&config.system_dir, &config.log_dir] {
        if params.int(JET_paramCreatePathIfNotExist) != 0 {
            env.fs.create_dir_all(dir)?;
        } else if config.recovery && !env.fs.exists(dir)? {
            return Err(Error::new(JetErr::InvalidPath, "there is no such folder")
                .at_path(dir)
                .advise("make it, or set JET_paramCreatePathIfNotExist"));
        }
    }
    let (shared, report) = Shared::start(&env, config, options, pauses)?;
    tell_durable(inst, &shared)?;
    Ok((shared, report.map_or(JetErr::Success, |report| report.warning())))
}

/// Begins to tell the program of durable commits, if it wants that.
fn tell_durable(inst: &Inst, shared: &Shared) -> Result<()> {
    let callback = inst.params.lock().durable_commit();
    let (Some(callback), Some(log)) = (callback, &shared.engine.log) else { return Ok(()) };
    let teller = Teller::start(&shared.engine.env, inst.handle, log, callback)?;
    *inst.durable.lock() = Some(teller);
    Ok(())
}

/// Where an instance has its files: the temporary database, if it was told a place for it and can
/// have one, and the folders of checkpoint and log, if it has a log.
struct Places {
    temp: Option<PathBuf>,
    logged: Option<(PathBuf, PathBuf)>,
}

impl Places {
    fn of(env: &Env, params: &Params) -> Places {
        // What does not exist yet is known by its name.
        let folder = |path: &Path| env.fs.canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let [system, log] = [JET_paramSystemPath, JET_paramLogFilePath]
            .map(|id| folder(Path::new(&params.text(id))));
        let temp = params.temp_path(&system).filter(|_| params.has_temporary_tables());
        let temp = temp.map(|path| match (path.parent(), path.file_name()) {
            (Some(dir), Some(name)) => folder(dir).join(name),
            _ => path,
        });
        Places { temp, logged: params.is_logged().then_some((system, log)) }
    }
}

/// Two instances of the process must have neither their temporary database, nor their checkpoints,
/// nor their logs at one place, whatever the files are called; said in this order. What other
/// processes have is found out by the lock of the log.
pub(super) fn check_unique_places(inst: &Inst, env: &Env, params: &Params) -> Result<()> {
    let own = Places::of(env, params);
    let others = PROCESS.lock().others(inst);
    for other in others.iter().filter(|other| other.is_past_creation()) {
        let its = Places::of(env, &other.params.lock());
        let used = |code, what: &str, path: &Path| {
            let what = format!("another instance of this process has its {what} there");
            Err(Error::new(code, what).at_path(path))
        };
        if let Some(temp) = own.temp.as_ref().filter(|_| own.temp == its.temp) {
            return used(JetErr::TempPathInUse, "temporary database", temp);
        }
        let (Some((system, log)), Some((its_system, its_log))) = (&own.logged, &its.logged) else {
            continue;
        };
        if system == its_system {
            return used(JetErr::SystemPathInUse, "checkpoint", system);
        }
        if log == its_log {
            return used(JetErr::LogFilePathInUse, "log", log);
        }
    }
    Ok(())
}

/// Terminates an instance as [`JetTerm2`] with [`JET_bitTermAbrupt`]; frees one that was never
/// initialised.
///
/// # Errors
/// As [`JetTerm2`].
pub fn JetTerm(instance: JET_INSTANCE) -> Result<()> {
    JetTerm2(instance, JET_bitTermAbrupt)
}

/// Terminates an instance. All its handles are invalid afterwards.
///
/// # Errors
/// `JET_errInvalidInstance` (-1115), `JET_errInvalidGrbit` (-900). Without [`JET_bitTermAbrupt`],
/// [`JET_bitTermStopBackup`] and [`JET_bitTermDirty`]: `JET_errBackupInProgress` (-505) while a
/// backup is in progress, and without [`JET_bitTermAbrupt`] and [`JET_bitTermDirty`]
/// `JET_errTooManyActiveUsers` (-1059) while a session is in a transaction; the instance goes on
/// then, but no backup can begin any more. With [`JET_bitTermDirty`] always `JET_errDirtyShutdown`
/// (-1116); the instance is gone. Those of writing: the instance is gone, its databases are dirty.
pub fn JetTerm2(instance: JET_INSTANCE, grbit: JET_GRBIT) -> Result<()> {
    let known = JET_bitTermComplete | JET_bitTermAbrupt | JET_bitTermStopBackup | JET_bitTermDirty;
    let contradict = JET_bitTermComplete | JET_bitTermAbrupt;
    let inst = PROCESS.lock().instance(instance)?;
    if grbit & !known != 0 || grbit & contradict == contradict {
        return Err(invalid_grbit("JetTerm2", grbit));
    }
    // One at a time; until it is certain, calls come in as before.
    let Some(_one) = inst.terminating.try_lock() else {
        let what = "another thread terminates the instance";
        return Err(Error::new(JetErr::TermInProgress, what));
    };
    let shared = {
        let life = inst.life.write();
        match life.clone() {
            Life::Created => {
                drop(life);
                PROCESS.lock().free(inst.handle);
                return Ok(());
            }
            Life::Starting => {
                return Err(Error::new(JetErr::NotInitialized, "JetInit has not returned yet"));
            }
            Life::Restoring => return Err(restoring()),
            Life::Ending(_) => {
                let what = "another thread terminates the instance";
                return Err(Error::new(JetErr::TermInProgress, what));
            }
            Life::Running(shared) => shared,
        }
    };
    prepare_term(&shared, grbit)?;
    *inst.life.write() = Life::Ending(Arc::clone(&shared));
    let dirty = grbit & JET_bitTermDirty != 0;
    let ended = shared.terminate(if dirty { TermMode::Dirty } else { TermMode::Clean });
    // Its end waits for the program, so no lock is held.
    let teller = inst.durable.lock().take();
    drop(teller);
    forget_sessions(&inst);
    // The last references of this module: files and locks are free when the caller continues.
    *inst.life.write() = Life::Created;
    drop(shared);
    PROCESS.lock().free(inst.handle);
    match ended {
        Ok(()) if dirty => Err(Error::new(
            JetErr::DirtyShutdown,
            "the instance has ended; its databases are dirty, as was asked for",
        )),
        other => other,
    }
}

/// What can refuse a termination.
fn prepare_term(shared: &Shared, grbit: JET_GRBIT) -> Result<()> {
    let abrupt = grbit & (JET_bitTermAbrupt | JET_bitTermDirty) != 0;
    if grbit & JET_bitTermStopBackup != 0 {
        shared.backup.abort_for_term();
    } else if !abrupt {
        shared.backup.term_complete()?;
    }
    if abrupt { Ok(()) } else { shared.end_sessions(true) }
}

/// The version of the engine, laid out as Windows' own: build number from bit 8 on.
///
/// # Errors
/// `JET_errInvalidSesid` (-1104).
pub fn JetGetVersion(sesid: JET_SESID) -> Result<u32> {
    const MAJOR: u32 = 10;
    const BUILD: u32 = 9900;
    find_session(sesid)?;
    Ok(MAJOR << 28 | BUILD << 8)
}
