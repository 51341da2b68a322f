//! The start of an instance, on the log that [`super::open`] has made, or recovered.

use std::{
    collections::VecDeque,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU8},
    },
};

use ese_base::{Error, Generation, JetErr, LgPos, Result, TrxId};
use ese_log::{
    LogStream, Situation,
    records::{Init2, Record},
};
use ese_os::Env;
use parking_lot::{Condvar, Mutex, RwLock};

use super::{
    Instance, InstanceConfig,
    checkpoint::Bounds,
    open::{Opened, Opening, open_log},
};
use crate::{
    recovery::{RecoveryFlags, RecoveryOptions, RecoveryReport, Watch},
    session::Unreferenced,
    temp::{TempFiles, tidy},
    trx::TrxClock,
    version::VersionStore,
};

impl Instance {
    /// Starts an instance; recovers what an earlier one left behind.
    ///
    /// # Errors
    /// `JET_errLogFilePathInUse` (-1084) if another instance has the directory; those of recovery
    /// (backup-log-recovery 3.2 to 3.5): nothing is changed that a second try would need.
    pub fn start(env: &Env, config: InstanceConfig) -> Result<Arc<Instance>> {
        let options = RecoveryOptions::default();
        Instance::start_with(env, config, options).map(|(instance, _)| instance)
    }

    /// Starts an instance and tells what recovery did, if there was a log.
    ///
    /// # Errors
    /// As [`Instance::start`]. `JET_errRecoveredWithoutUndo` (-579),
    /// `JET_errRecoveredWithoutUndoDatabasesConsistent` (-584): recovery has done what it was asked
    /// for, and no instance runs. `JET_errInvalidSettings` (-1328): settings that contradict.
    /// `JET_errLogFileSizeMismatchDatabasesConsistent` (-545) where the log files must have the
    /// configured size: recovery is done, and the logs can be removed.
    /// `JET_errLogSequenceEndDatabasesConsistent` (-548) where no generation is left for another
    /// run: recovery is done, and the logs have to be removed.
    pub fn start_with(
        env: &Env,
        config: InstanceConfig,
        mut options: RecoveryOptions<'_>,
    ) -> Result<(Arc<Instance>, Option<RecoveryReport>)> {
        let watch = Watch::of(&mut options);
        match start_or_stop(env, config, options, watch)? {
            Started::Running(instance, report) => Ok((instance, report)),
            Started::RedoOnly { consistent: true, .. } => Err(Error::new(
                JetErr::RecoveredWithoutUndoDatabasesConsistent,
                "redo is done and nothing is left to undo",
            )),
            Started::RedoOnly { report, .. } => Err(Error::new(
                JetErr::RecoveredWithoutUndo,
                format!("redo is done up to {}; nothing was undone, as was asked for", report.to),
            )
            .advise("bring more logs and recover again, or recover with undo")),
        }
    }
}

/// What became of a start.
enum Started {
    Running(Arc<Instance>, Option<RecoveryReport>),
    /// Recovery was to end before undo.
    RedoOnly {
        report: RecoveryReport,
        consistent: bool,
    },
}

fn start_or_stop(
    env: &Env,
    mut config: InstanceConfig,
    options: RecoveryOptions<'_>,
    watch: Watch<'_>,
) -> Result<Started> {
    config.log_config().names.check()?;
    if u32::try_from(config.log_file_size).is_err() {
        let what = format!("log files of {} bytes", config.log_file_size);
        return Err(Error::new(JetErr::InvalidParameter, what)
            .advise("give them 64 KiB to 32 MiB, a multiple of 64 KiB"));
    }
    config.resolve(env)?;
    let truncate = options.flags.contains(RecoveryFlags::TRUNCATE_LOGS);
    let bounds = Arc::new(Bounds::default());
    let opened = match config.recovery {
        true => match open_log(env, &config, &bounds, options, watch)? {
            Opening::Running(opened) => Some(opened),
            Opening::RedoOnly { report, consistent } => {
                return Ok(Started::RedoOnly { report, consistent });
            }
        },
        false => None,
    };
    let log = opened.as_ref().map(|opened| Arc::clone(&opened.log));
    let started = run(env, config, bounds, opened, truncate);
    if let (Some(log), Err(_)) = (log, &started) {
        log.let_go(true);
    }
    started
}

fn run(
    env: &Env,
    config: InstanceConfig,
    bounds: Arc<Bounds>,
    opened: Option<Opened>,
    truncate: bool,
) -> Result<Started> {
    let (mut init, mut last_trx, mut report, mut log) = (LgPos::MIN, TrxId(0), None, None);
    if let Some(opened) = opened {
        opened.log.set_observer(Arc::clone(&bounds) as Arc<dyn ese_log::LogObserver>);
        opened.log.leave_reserve();
        let params = config.log_params();
        let time = Some(env.clock.log_time());
        let appended = opened.log.append(&Record::Init2(Init2 { params: &params, time }))?;
        opened.log.flush(appended.end)?;
        init = appended.start;
        (last_trx, report) = (opened.last_trx, opened.report);
        log = Some(opened.log);
    }
    let instance = Arc::new(Instance {
        env: env.clone(),
        versions: VersionStore::new(config.version_store_max),
        config,
        log,
        clock: TrxClock::starting_after(last_trx),
        bounds,
        init,
        life: AtomicU8::new(0),
        poison: OnceLock::new(),
        retired: Mutex::new(VecDeque::new()),
        at_zero: Mutex::default(),
        unreferenced: Unreferenced::default(),
        cleaning: RwLock::default(),
        temp: TempFiles::default(),
        quiesced: AtomicBool::new(false),
        durable_by: Mutex::new(None),
        worker: Mutex::new(None),
        nudge: Arc::new((Mutex::new(false), Condvar::new())),
    });
    tidy(env, &instance.config.temp_path());
    if instance.log.is_some() {
        let _one = instance.bounds.writing.lock();
        instance.write_checkpoint(init)?;
    }
    if let Some(log) = instance.log.as_ref().filter(|_| truncate && report.is_some()) {
        // They are not needed, so it does no harm if one stays.
        if let Err(error) = log.delete_generations(Generation(0)..init.generation) {
            tracing::warn!(%error, "the logs before the recovery could not all be removed");
        }
    }
    instance.start_worker()?;
    Ok(Started::Running(instance, report))
}

/// Recovers a stopped instance's databases and ends; nothing stays open.
///
/// # Errors
/// As [`Instance::start_with`], but where redo was to be all, its report;
/// `JET_errMissingLogFile` (-528) if there is no log.
pub fn recover(
    env: &Env,
    config: InstanceConfig,
    mut options: RecoveryOptions<'_>,
) -> Result<RecoveryReport> {
    let watch = Watch::of(&mut options);
    recover_watched(env, config, options, watch)
}

/// As [`recover`] without a watcher; `progress` is told how many percent of the log are replayed.
///
/// # Errors
/// As [`recover`].
pub fn recover_telling(
    env: &Env,
    config: InstanceConfig,
    options: RecoveryOptions<'_>,
    progress: &mut dyn FnMut(u32),
) -> Result<RecoveryReport> {
    recover_watched(env, config, options, Watch::telling(progress))
}

fn recover_watched(
    env: &Env,
    config: InstanceConfig,
    options: RecoveryOptions<'_>,
    watch: Watch<'_>,
) -> Result<RecoveryReport> {
    let names = config.log_config().names;
    if LogStream::scan(env, &names)?.situation() == Situation::Empty {
        return Err(Error::new(JetErr::MissingLogFile, "there is no log to recover from")
            .at_path(&config.log_dir)
            .advise("name the directory that holds the log files"));
    }
    match start_or_stop(env, config, options, watch)? {
        Started::Running(instance, report) => {
            instance.terminate(super::TermMode::Clean)?;
            Ok(report.unwrap_or_default())
        }
        Started::RedoOnly { report, .. } => Ok(report),
    }
}
