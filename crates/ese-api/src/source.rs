//! An engine instance as its backup sees it.

use std::{path::PathBuf, sync::Arc};

use ese_backup::{
    AttachedDatabase, BackupSource, LogSource,
    source::{ArchivedLog, BackupRecord, LogState, RoundTimes},
    truncate::GenerationRange,
};
use ese_base::{Error, Generation, JetErr, LgPos, PageSize, Pgno, Result, Signature};
use ese_engine::{instance::Instance, space};
use ese_os::{Env, WriteGate, parent_of};
use ese_pages::DbHeader;
use parking_lot::Mutex;

/// Joins an instance to the backup crate. The backup's context owns it; nothing points back.
#[derive(Debug)]
pub(crate) struct EngineSource {
    engine: Arc<Instance>,
    /// Before everything that the engine writes.
    gate: Arc<WriteGate>,
    /// `None` with recovery off.
    log: Option<LogSource>,
    /// Held by whoever attaches, detaches or creates a database. A beginning backup takes it once
    /// after it shows as in progress: then whoever has it is done, and whoever comes is refused.
    pub(crate) attaching: Mutex<()>,
}

impl EngineSource {
    pub(crate) fn new(engine: &Arc<Instance>, gate: Arc<WriteGate>) -> EngineSource {
        let log = engine.log.as_ref().map(|log| {
            let checkpoint = log.names().checkpoint(&engine.config.system_dir);
            LogSource::new(&engine.env, Arc::clone(log), checkpoint)
        });
        EngineSource { engine: Arc::clone(engine), gate, log, attaching: Mutex::new(()) }
    }

    fn log(&self) -> Result<&LogSource> {
        self.log
            .as_ref()
            .ok_or_else(|| Error::new(JetErr::LoggingDisabled, "recovery is off: there is no log"))
    }
}

impl BackupSource for EngineSource {
    fn env(&self) -> &Env {
        &self.engine.env
    }

    fn write_gate(&self) -> &WriteGate {
        &self.gate
    }

    fn page_size(&self) -> PageSize {
        self.engine.config.page_size
    }

    fn log_state(&self) -> LogState {
        let Some(source) = &self.log else {
            return LogState { disabled: true, ..LogState::default() };
        };
        let log = source.log();
        LogState {
            disabled: false,
            down: self.engine.check_alive().is_err() || log.is_closed(),
            recovering: false,
            circular: self.engine.config.circular_log,
            disk_full: log.is_disk_full(),
            sequence_end: log.is_at_sequence_end(),
        }
    }

    fn databases(&self) -> Vec<AttachedDatabase> {
        let mut databases: Vec<AttachedDatabase> = self
            .engine
            .databases()
            .into_iter()
            .filter(|attached| attached.db.log().is_some())
            .map(|attached| AttachedDatabase {
                dbid: attached.db.dbid,
                path: attached.path.clone(),
                file: Arc::clone(&attached.db.file),
            })
            .collect();
        databases.sort_by_key(|database| database.dbid);
        databases
    }

    fn folders(&self) -> Vec<PathBuf> {
        let (config, databases) = (&self.engine.config, self.engine.databases());
        let files = databases.iter().map(|attached| &attached.path).chain(&config.temp_path);
        let folders = files.map(|path| parent_of(path).to_path_buf());
        folders.chain([config.log_dir.clone(), config.system_dir.clone()]).collect()
    }

    fn last_page(&self, database: &AttachedDatabase) -> Result<Pgno> {
        space::last_owned(&self.engine.database(database.dbid)?.db)
    }

    fn wait_for_attachments(&self) {
        drop(self.attaching.lock());
    }

    fn tip(&self) -> LgPos {
        self.log.as_ref().map_or(LgPos::MIN, LogSource::tip)
    }

    fn durable(&self) -> LgPos {
        self.log.as_ref().map_or(LgPos::MIN, LogSource::durable)
    }

    fn round_times(&self) -> RoundTimes {
        self.log.as_ref().map_or_else(RoundTimes::default, LogSource::round_times)
    }

    fn current_generation(&self) -> Generation {
        self.log.as_ref().map_or(Generation(0), LogSource::current_generation)
    }

    fn log_signature(&self) -> Signature {
        self.log.as_ref().map_or(Signature::NULL, LogSource::log_signature)
    }

    fn log_base(&self) -> String {
        self.engine.config.base_name.clone()
    }

    fn checkpoint_on_disk(&self) -> Result<LgPos> {
        self.log()?.checkpoint_on_disk()
    }

    fn archived_logs(&self) -> Result<Vec<ArchivedLog>> {
        Ok(self.log()?.archived_logs())
    }

    fn pin_logs(&self, from: Option<Generation>) {
        if let Some(log) = &self.log {
            log.pin_logs(from);
        }
    }

    fn append(&self, record: &BackupRecord) -> Result<()> {
        self.log()?.append(record)
    }

    fn roll(&self) -> Result<Generation> {
        self.log()?.roll()
    }

    fn update_header(
        &self,
        database: &AttachedDatabase,
        change: &mut dyn FnMut(&mut DbHeader),
    ) -> Result<()> {
        let updated = database.file.update_header(change);
        if let Err(error) = &updated {
            self.engine.poison(error);
        }
        updated
    }

    fn delete_logs(&self, range: GenerationRange) -> Result<Vec<Generation>> {
        self.log()?.delete_logs(range)
    }
}
