//! Instances: the engine, running.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use ese_backup::PauseBy;
use ese_base::{Error, JetErr, PageSize, Result};
use ese_engine::{
    instance::{Instance as EngineInstance, InstanceConfig, TermMode, VersionInfo},
    recovery::{RecoveryOptions, RecoveryReport},
};
use ese_log::{LogNames, LogStream, Situation};
use ese_os::Env;
use ese_pages::cache::CacheMode;

use crate::{
    database::{Database, DatabaseOptions},
    session::Session,
    shared::Shared,
};

/// Settings of an instance that is to be started. Sizes are bytes.
#[derive(Debug)]
#[must_use]
pub struct InstanceBuilder {
    env: Env,
    dir: PathBuf,
    config: InstanceConfig,
    page_size: Option<PageSize>,
    pauses: PauseBy,
    recovery: RecoveryOptions<'static>,
}

impl InstanceBuilder {
    fn new(dir: &Path) -> InstanceBuilder {
        InstanceBuilder {
            env: Env::real(),
            dir: dir.to_path_buf(),
            config: InstanceConfig::new(dir),
            page_size: None,
            pauses: PauseBy::Waiting,
            recovery: RecoveryOptions::default(),
        }
    }

    /// Page size of its databases. By default that of the log that is there, else 4 KiB.
    pub fn page_size(mut self, size: PageSize) -> InstanceBuilder {
        self.page_size = Some(size);
        self
    }

    /// Size of a log file: 64 KiB to 32 MiB, a multiple of 64 KiB. A log that is there keeps its
    /// own.
    pub fn log_file_size(mut self, bytes: u64) -> InstanceBuilder {
        self.config.log_file_size = bytes;
        self
    }

    /// Directory of the log, if it is another one.
    pub fn log_dir(mut self, dir: impl Into<PathBuf>) -> InstanceBuilder {
        self.config.log_dir = dir.into();
        self
    }

    /// Three letters or digits that the names of log and checkpoint begin with; `edb` by default.
    pub fn base_name(mut self, base: &str) -> InstanceBuilder {
        base.clone_into(&mut self.config.base_name);
        self
    }

    /// Reuse log files that recovery no longer needs. Incremental backups are not possible then.
    pub fn circular_log(mut self, on: bool) -> InstanceBuilder {
        self.config.circular_log = on;
        self
    }

    /// Keep a log at all. Without one a crash leaves databases unusable, and there is no backup.
    pub fn recovery(mut self, on: bool) -> InstanceBuilder {
        self.config.recovery = on;
        self
    }

    /// What recovery may do and how far it goes, where there is a log: see [`RecoveryOptions`].
    ///
    /// ```
    /// use ese_api::{Instance, RecoveryFlags, RecoveryOptions};
    /// # fn main() -> ese_api::Result<()> {
    /// # let dir = tempfile::tempdir().unwrap();
    /// let flags = RecoveryFlags::IGNORE_MISSING_DATABASES | RecoveryFlags::IGNORE_LOST_LOGS;
    /// let options = RecoveryOptions::with_flags(flags);
    /// let instance = Instance::builder(dir.path()).recovery_options(options).start()?;
    /// if let Some(report) = instance.recovery_report() {
    ///     println!("{} records, {:?}", report.records, report.warning());
    /// }
    /// # instance.stop()
    /// # }
    /// ```
    pub fn recovery_options(mut self, options: RecoveryOptions<'static>) -> InstanceBuilder {
        self.recovery = options;
        self
    }

    /// Memory for changed pages; in copy mode for all pages.
    pub fn cache_size(mut self, bytes: u64) -> InstanceBuilder {
        self.config.cache_size = bytes;
        self
    }

    /// How clean pages are read.
    pub fn cache_mode(mut self, mode: CacheMode) -> InstanceBuilder {
        self.config.cache_mode = Some(mode);
        self
    }

    /// Memory for the rows of a temporary table in bytes; what is more goes through a temporary
    /// file. Less than 128 KiB counts as that.
    pub fn sort_memory(mut self, bytes: u64) -> InstanceBuilder {
        self.config.sort_memory = bytes;
        self
    }

    /// How much log a crash may have to replay.
    pub fn checkpoint_depth(mut self, bytes: u64) -> InstanceBuilder {
        self.config.checkpoint_depth = bytes;
        self
    }

    /// Every other setting of the engine.
    pub fn configure(mut self, change: impl FnOnce(&mut InstanceConfig)) -> InstanceBuilder {
        change(&mut self.config);
        self
    }

    /// Another machine: files, time and threads of a simulation, for instance. In one where time
    /// passes only by sleeping, [`PauseBy::Clock`] lets pauses of a backup pass.
    pub fn env(mut self, env: Env, pauses: PauseBy) -> InstanceBuilder {
        self.env = env;
        self.pauses = pauses;
        self
    }

    /// Starts the instance: a new log, or recovery with the one that is there. Missing directories
    /// are created.
    ///
    /// # Errors
    /// `JET_errLogFilePathInUse` (-1084) while another instance has the directory,
    /// `JET_errInvalidParameter` (-1003) for a base name, log file or page size that cannot be,
    /// `JET_errPageSizeMismatch` (-1213), and those of recovery, which leave everything as it was;
    /// with a recovery that is to end before undo `JET_errRecoveredWithoutUndo` (-579) or
    /// `JET_errRecoveredWithoutUndoDatabasesConsistent` (-584).
    pub fn start(self) -> Result<Instance> {
        let InstanceBuilder { env, dir, mut config, page_size, pauses, recovery } = self;
        env.fs.create_dir_all(&config.log_dir)?;
        config.page_size = match page_size {
            Some(PageSize::K2) => return Err(too_small_pages()),
            Some(size) => size,
            None => existing_page_size(&env, &config)?.unwrap_or(config.page_size),
        };
        env.fs.create_dir_all(&config.system_dir)?;
        let (shared, report) = Shared::start(&env, config, recovery, pauses)?;
        Ok(Instance { dir, shared, report, ended: false })
    }
}

#[cold]
fn too_small_pages() -> Error {
    Error::new(JetErr::InvalidParameter, "no new log or database has pages of 2048 bytes")
        .advise("choose 4096, 8192, 16384 or 32768; of an old database `ese compact` makes a copy")
}

/// The page size of the log that is there.
fn existing_page_size(env: &Env, config: &InstanceConfig) -> Result<Option<PageSize>> {
    let stream = LogStream::scan(env, &LogNames::new(&config.log_dir, &config.base_name))?;
    match stream.situation() {
        Situation::Empty => Ok(None),
        _ => stream.readable_header().map(|header| Some(header.page_size)),
    }
}

/// A running instance: databases, sessions and one log, in a directory of their own.
///
/// Send and Sync. Dropped without [`Instance::stop`] it stops all the same, and only logs what goes
/// wrong.
pub struct Instance {
    dir: PathBuf,
    pub(crate) shared: Arc<Shared>,
    report: Option<RecoveryReport>,
    ended: bool,
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl Instance {
    /// The settings of an instance in this directory.
    pub fn builder(dir: impl AsRef<Path>) -> InstanceBuilder {
        InstanceBuilder::new(dir.as_ref())
    }

    /// What recovery did when the instance started; `None` if the log was new.
    #[must_use]
    pub fn recovery_report(&self) -> Option<&RecoveryReport> {
        self.report.as_ref()
    }

    /// What the version store holds, and which open transaction is the oldest: where it began, how
    /// long ago, at which level. The store cannot let go of what that one may still need.
    #[must_use]
    pub fn version_info(&self) -> VersionInfo {
        self.shared.engine.version_info()
    }

    /// Its directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The engine below, for tools that look inside.
    #[must_use]
    pub fn engine(&self) -> &Arc<EngineInstance> {
        &self.shared.engine
    }

    /// Creates a database and attaches it. A relative path begins at the instance's directory.
    ///
    /// # Errors
    /// `JET_errDatabaseDuplicate` (-1201) if the file exists, `JET_errTooManyAttachedDatabases`
    /// (-1805), `JET_errBackupInProgress` (-505), `JET_errInvalidPath` (-1023) for a path that
    /// names no file, and those of writing.
    pub fn create_database(&self, path: impl AsRef<Path>) -> Result<Database> {
        self.create_database_with(path, DatabaseOptions::new())
    }

    /// Creates a database and attaches it, with options of its own.
    ///
    /// # Errors
    /// As [`Instance::create_database`]; `JET_errInvalidParameter` (-1003) for one that is to be
    /// read only.
    pub fn create_database_with(
        &self,
        path: impl AsRef<Path>,
        options: DatabaseOptions,
    ) -> Result<Database> {
        let path = path.as_ref();
        if path.file_name().is_none() {
            let what = format!("\"{}\" names no file", path.display());
            return Err(Error::new(JetErr::InvalidPath, what).advise("give the database a name"));
        }
        let open = self.shared.create_database(&self.dir.join(path), options.mode())?;
        Database::with(open, &self.shared, options)
    }

    /// Attaches a database, unless it is attached already. A relative path begins at the instance's
    /// directory.
    ///
    /// # Errors
    /// `JET_errFileNotFound` (-1811), `JET_errFileAccessDenied` (-1032) while somebody else has it,
    /// `JET_errDatabaseDirtyShutdown` (-550), `JET_errSoftRecoveryOnBackupDatabase` (-544),
    /// `JET_errPageSizeMismatch` (-1213), `JET_errBackupInProgress` (-505),
    /// `JET_errDatabaseFileReadOnly` (-1008) for a file that cannot be written,
    /// `JET_errDatabaseLocked` (-1207) while another handle has it alone.
    pub fn open_database(&self, path: impl AsRef<Path>) -> Result<Database> {
        self.open_database_with(path, DatabaseOptions::new())
    }

    /// Attaches a database with options of its own, unless it is attached already: then only
    /// [`DatabaseOptions::exclusive`] counts, and what is attached for reading only cannot be
    /// opened for changes.
    ///
    /// ```
    /// # fn main() -> ese_api::Result<()> {
    /// # let dir = tempfile::tempdir().unwrap();
    /// use ese_api::{ColType, DatabaseOptions, Instance, JetErr, TableBuilder, row};
    ///
    /// let instance = Instance::builder(dir.path()).start()?;
    /// let mut session = instance.session()?;
    /// let database = instance.create_database("a.edb")?;
    /// let pets = TableBuilder::new("pets").column("id", ColType::Long).primary(&["id"]);
    /// database.create_table(&mut session, pets)?.insert(&mut session, &row! { "id" => 1 })?;
    /// database.detach()?;
    ///
    /// let options = DatabaseOptions::new().read_only(true);
    /// let database = instance.open_database_with("a.edb", options)?;
    /// let pets = database.table(&session, "pets")?;
    /// assert!(pets.get(&session, 1)?.is_some());
    /// let refused = pets.insert(&mut session, &row! { "id" => 2 }).unwrap_err();
    /// assert_eq!(refused.code(), JetErr::DatabaseFileReadOnly);
    /// # drop((pets, database, session));
    /// # instance.stop()
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Instance::open_database`]; `JET_errDatabaseFileReadOnly` (-1008) where it is to be
    /// changed, and cannot be written or is attached for reading only; `JET_errDatabaseLocked`
    /// (-1207) while another handle has it alone, `JET_errDatabaseInUse` (-1202) where this one is
    /// to have it alone and others are there.
    pub fn open_database_with(
        &self,
        path: impl AsRef<Path>,
        options: DatabaseOptions,
    ) -> Result<Database> {
        let (open, _) = self.shared.attach(&self.dir.join(path), options.mode())?;
        Database::with(open, &self.shared, options)
    }

    /// Attaches the database, or creates it if there is no such file.
    ///
    /// # Errors
    /// As [`Instance::open_database`] and [`Instance::create_database`].
    pub fn open_or_create_database(&self, path: impl AsRef<Path>) -> Result<Database> {
        let path = path.as_ref();
        if path.file_name().is_some() && self.shared.engine.env.fs.exists(&self.dir.join(path))? {
            self.open_database(path)
        } else {
            self.create_database(path)
        }
    }

    /// The databases that are attached through handles, but for those that somebody has alone.
    #[must_use]
    pub fn databases(&self) -> Vec<Database> {
        let all = self.shared.attached_databases().into_iter();
        all.filter_map(|open| Database::new(open, &self.shared).ok()).collect()
    }

    /// Begins a session.
    ///
    /// # Errors
    /// `JET_errInstanceUnavailable` (-1090) after a failed write; `JET_errOutOfSessions` (-1101).
    pub fn session(&self) -> Result<Session> {
        Session::new(&self.shared)
    }

    /// Stops: a backup is aborted, sessions end and their transactions are rolled back, everything
    /// is written, all databases are clean. Calls that are running finish first; later ones through
    /// old handles answer `JET_errNotInitialized` (-1029).
    ///
    /// The files are released when the last database, table or backup handle is gone, too: drop
    /// them before the directory is started again.
    ///
    /// # Errors
    /// `JET_errLogSequenceEndDatabasesConsistent` (-548): it has stopped, and its log can take no
    /// other run. Those of writing: the databases are dirty then, and the next start recovers them.
    pub fn stop(mut self) -> Result<()> {
        self.ended = true;
        self.shared.terminate(TermMode::Clean)
    }

    /// Stops quickly: only the log is written, databases stay dirty, the next start recovers them.
    ///
    /// # Errors
    /// Those of writing.
    pub fn stop_dirty(mut self) -> Result<()> {
        self.ended = true;
        self.shared.terminate(TermMode::Dirty)
    }

    /// Lets go of all files without writing anything more, as if the process had been killed. For
    /// tests of recovery.
    pub fn abandon(mut self) {
        self.ended = true;
        self.shared.abandon();
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if let Err(error) = self.shared.terminate(TermMode::Clean) {
            tracing::error!(%error, dir = %self.dir.display(), "the dropped instance is not clean");
        }
    }
}
