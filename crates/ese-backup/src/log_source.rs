//! The log half of a [`BackupSource`], for every instance whose log is an [`ese_log::Log`].

use std::{fmt, path::PathBuf, sync::Arc};

use ese_base::{Generation, LgPos, Result, Signature};
use ese_log::{GenerationPin, Log, Record, RoundTimes, read_checkpoint, records::BackupPhase};
use ese_os::Env;
use parking_lot::Mutex;

#[cfg(doc)]
use crate::source::BackupSource;
use crate::{
    source::{ArchivedLog, BackupRecord},
    truncate::GenerationRange,
};

/// A log with its checkpoint file, as backups use them. Each method does what the method of the
/// same name of [`BackupSource`] promises.
pub struct LogSource {
    env: Env,
    log: Arc<Log>,
    checkpoint: PathBuf,
    pin: Mutex<Option<GenerationPin>>,
}

impl fmt::Debug for LogSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogSource")
            .field("checkpoint", &self.checkpoint)
            .field("pin", &*self.pin.lock())
            .finish_non_exhaustive()
    }
}

impl LogSource {
    /// `checkpoint` is the path of the checkpoint file.
    #[must_use]
    pub fn new(env: &Env, log: Arc<Log>, checkpoint: PathBuf) -> LogSource {
        LogSource { env: env.clone(), log, checkpoint, pin: Mutex::new(None) }
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// See [`BackupSource::tip`].
    #[must_use]
    pub fn tip(&self) -> LgPos {
        self.log.tip()
    }

    /// See [`BackupSource::durable`].
    #[must_use]
    pub fn durable(&self) -> LgPos {
        self.log.durable()
    }

    /// See [`BackupSource::round_times`].
    #[must_use]
    pub fn round_times(&self) -> RoundTimes {
        self.log.round_times()
    }

    /// See [`BackupSource::current_generation`].
    #[must_use]
    pub fn current_generation(&self) -> Generation {
        self.log.current_generation()
    }

    /// See [`BackupSource::log_signature`].
    #[must_use]
    pub fn log_signature(&self) -> Signature {
        self.log.signature()
    }

    /// See [`BackupSource::log_base`].
    #[must_use]
    pub fn log_base(&self) -> String {
        self.log.names().base().to_owned()
    }

    /// See [`BackupSource::checkpoint_on_disk`].
    ///
    /// # Errors
    /// `JET_errCheckpointFileNotFound` (-542), `JET_errCheckpointCorrupt` (-533),
    /// `JET_errBadCheckpointSignature` (-532).
    pub fn checkpoint_on_disk(&self) -> Result<LgPos> {
        let signature = Some(self.log.signature());
        read_checkpoint(&self.env, &self.checkpoint, signature).map(|found| found.checkpoint)
    }

    /// See [`BackupSource::archived_logs`].
    #[must_use]
    pub fn archived_logs(&self) -> Vec<ArchivedLog> {
        let generations = self.log.generations().into_iter();
        generations.map(|(generation, path)| ArchivedLog { generation, path }).collect()
    }

    /// See [`BackupSource::pin_logs`].
    pub fn pin_logs(&self, from: Option<Generation>) {
        // The new pin is there before the old one goes.
        let new = from.map(|from| self.log.pin_generations(from));
        drop(std::mem::replace(&mut *self.pin.lock(), new));
    }

    /// See [`BackupSource::append`].
    ///
    /// # Errors
    /// The log's.
    pub fn append(&self, record: &BackupRecord) -> Result<()> {
        let path = record.path_bytes();
        let appended = self.log.append(&Record::Backup2(record.to_log_record(&path)))?;
        if record.phase == BackupPhase::Update { self.log.flush(appended.end) } else { Ok(()) }
    }

    /// See [`BackupSource::roll`].
    ///
    /// # Errors
    /// The log's.
    pub fn roll(&self) -> Result<Generation> {
        self.log.roll()
    }

    /// See [`BackupSource::delete_logs`].
    ///
    /// # Errors
    /// The file system's.
    pub fn delete_logs(&self, range: GenerationRange) -> Result<Vec<Generation>> {
        self.log.delete_generations(range.low..range.end)
    }
}
