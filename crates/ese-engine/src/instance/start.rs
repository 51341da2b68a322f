//! The start of an instance: a new stream, or recovery of the one that is there
//! (backup-log-recovery 3.2).

use std::{
    collections::VecDeque,
    sync::{Arc, OnceLock, atomic::AtomicU8},
};

use ese_base::{Error, JetErr, LgPos, Result, Signature, TrxId};
use ese_log::{
    Log, LogLock, LogObserver, LogStream, Situation, read_checkpoint,
    records::{Init2, Record},
};
use ese_os::{Env, OpenMode};
use parking_lot::{Condvar, Mutex, RwLock};

use super::{Attached, Instance, InstanceConfig, checkpoint::Bounds};
use crate::{
    recovery::{self, RecoveryOptions, RecoveryReport, ReplayStart},
    session::Unreferenced,
    temp::{TempFiles, tidy},
    trx::TrxClock,
    version::VersionStore,
};

/// A log that can be written, and what recovery found.
struct Opened {
    log: Arc<Log>,
    last_trx: TrxId,
    report: Option<RecoveryReport>,
}

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
    /// As [`Instance::start`].
    pub fn start_with(
        env: &Env,
        mut config: InstanceConfig,
        options: RecoveryOptions,
    ) -> Result<(Arc<Instance>, Option<RecoveryReport>)> {
        config.log_config().names.check()?;
        if u32::try_from(config.log_file_size).is_err() {
            let what = format!("log files of {} bytes", config.log_file_size);
            return Err(Error::new(JetErr::InvalidParameter, what)
                .advise("give them 64 KiB to 32 MiB, a multiple of 64 KiB"));
        }
        config.resolve(env)?;
        let bounds = Arc::new(Bounds::default());
        let opened = match config.recovery {
            true => Some(open_log(env, &config, &bounds, options)?),
            false => None,
        };
        let (mut init, mut last_trx, mut report, mut log) = (LgPos::MIN, TrxId(0), None, None);
        if let Some(opened) = opened {
            opened.log.set_observer(Arc::clone(&bounds) as Arc<dyn ese_log::LogObserver>);
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
            worker: Mutex::new(None),
            nudge: Arc::new((Mutex::new(false), Condvar::new())),
        });
        tidy(env, &instance.config.temp_path());
        if instance.log.is_some() {
            let _one = instance.bounds.writing.lock();
            instance.write_checkpoint(init)?;
        }
        instance.start_worker()?;
        Ok((instance, report))
    }
}

/// Recovers a stopped instance's databases and ends; nothing stays open.
///
/// # Errors
/// As [`Instance::start`]; `JET_errMissingLogFile` (-528) if there is no log.
pub fn recover(
    env: &Env,
    config: InstanceConfig,
    options: RecoveryOptions,
) -> Result<RecoveryReport> {
    let names = config.log_config().names;
    if LogStream::scan(env, &names)?.situation() == Situation::Empty {
        return Err(Error::new(JetErr::MissingLogFile, "there is no log to recover from")
            .at_path(&config.log_dir)
            .advise("name the directory that holds the log files"));
    }
    let (instance, report) = Instance::start_with(env, config, options)?;
    instance.terminate(super::TermMode::Clean)?;
    Ok(report.unwrap_or_default())
}

fn open_log(
    env: &Env,
    config: &InstanceConfig,
    bounds: &Arc<Bounds>,
    mut options: RecoveryOptions,
) -> Result<Opened> {
    let mut log_config = config.log_config();
    log_config.lock = Some(match options.lock.take() {
        Some(lock) => lock,
        None => LogLock::acquire(env, &log_config.names)?,
    });
    let stream = LogStream::scan(env, &log_config.names)?;
    match stream.situation() {
        Situation::Empty => {
            let stale = config.checkpoint_path();
            if env.fs.exists(&stale)? {
                env.fs.remove_file(&stale)?;
                env.fs.sync_dir(&config.system_dir)?;
            }
            let signature = Signature::new(env.rng.next_u32(), env.clock.log_time());
            let log = Arc::new(Log::create(env, &log_config, signature)?);
            return Ok(Opened { log, last_trx: TrxId(0), report: None });
        }
        Situation::CurrentMissing if !options.hard => {
            return Err(Error::new(
                JetErr::MissingLogFile,
                "the current log file is missing while older ones are there",
            )
            .at_path(stream.names().current())
            .advise("bring it back; without it the last commits are lost"));
        }
        _ => {}
    }
    sync_current(env, &stream)?;
    let start = replay_start(env, config, &stream, options.hard)?;
    let mut reader = stream.reader(start.pos)?;
    let mut redone = recovery::redo_all(env, config, options, &start, &mut reader)?;
    redone.check_complete()?;
    let end = reader.end()?;
    let log = Arc::new(Log::resume(env, &log_config, &end)?);
    let report = if redone.needs_undo() {
        // While undo writes, rolling the log has to keep the headers of these databases in step.
        let open = redone.open_databases();
        *bounds.attached.write() = open.into_iter().map(Attached::replayed).collect();
        bounds.set_checkpoint(start.pos);
        log.set_observer(Arc::clone(bounds) as Arc<dyn ese_log::LogObserver>);
        // A cut between the steps of a roll may have left headers that do not name it yet.
        let (generation, created) = log.written_generation();
        let report = bounds.rolled(generation, created).and_then(|()| redone.finish(env, &log));
        // On failure, too: the log knows the observer, which knows the databases, which know the
        // log, and together they would hold its lock for ever.
        bounds.attached.write().clear();
        report?
    } else {
        redone.report()?
    };
    Ok(Opened { log, last_trx: report.last_trx, report: Some(report) })
}

/// Makes durable what the log's last writer left behind. A killed process may have written records
/// that only the operating system holds; pages and later records must not be durable before them.
fn sync_current(env: &Env, stream: &LogStream) -> Result<()> {
    let Some(current) = stream.current() else { return Ok(()) };
    env.fs.open(&current.path, OpenMode::ReadWrite)?.sync()?;
    env.fs.sync_dir(stream.names().dir())
}

/// Where redo has to begin: at the checkpoint, or at the oldest generation if there is none.
fn replay_start(
    env: &Env,
    config: &InstanceConfig,
    stream: &LogStream,
    hard: bool,
) -> Result<ReplayStart> {
    let signature = stream.signature()?;
    let generations = (stream.oldest()?, stream.newest()?);
    let checkpoint = if hard {
        None
    } else {
        match read_checkpoint(env, &config.checkpoint_path(), Some(signature)) {
            Ok(checkpoint) => Some(checkpoint),
            Err(error) => match error.code() {
                JetErr::CheckpointFileNotFound | JetErr::CheckpointCorrupt => None,
                _ => return Err(error),
            },
        }
    };
    let (pos, attachments, params) = match checkpoint {
        Some(checkpoint) => (checkpoint.checkpoint, checkpoint.attachments, checkpoint.params),
        None => {
            let oldest = generations.0;
            let pos = LgPos { generation: oldest, isec: 0, ib: 0 };
            let header = stream.header_of(oldest)?;
            (pos, header.attachments.clone(), header.params)
        }
    };
    Ok(ReplayStart { pos, attachments, params, signature, generations })
}
