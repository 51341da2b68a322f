//! What all handles of one instance share: the engine, its backup, its sessions and databases.
//!
//! Locks, outermost first: `attaching` (in the source) -> `databases` -> `sessions` -> one session
//! cell -> the engine's own. A stop of the backup takes none of them.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use ese_backup::{BackupContext, PauseBy, restore::UNFINISHED_NAME};
use ese_base::{Error, JetErr, Result};
use ese_engine::{
    instance::{AttachMode, Attached, Instance, InstanceConfig, TermMode},
    recovery::{RecoveryFlags, RecoveryOptions, RecoveryReport},
    session::Session,
};
use ese_os::{Env, GateWait, LockMode, OpenMode, WriteGate, parent_of};
use parking_lot::Mutex;

use crate::{
    defrag::Background,
    jet::Attachments,
    session::{Living, SessionCell},
    source::EngineSource,
};

/// A database that somebody may have a handle of. Tables and databases keep it alive; as long as
/// anybody but the list does, it cannot be detached.
#[derive(Debug)]
pub(crate) struct OpenDatabase {
    pub(crate) attached: Arc<Attached>,
    /// Whose it is.
    instance: Weak<Instance>,
    /// Callbacks and local storage of its tables.
    pub(crate) attachments: Attachments,
    /// Who has it alone, as long as somebody does.
    alone: Mutex<Weak<()>>,
    /// It was attached when recovery ended, and nobody has attached it since
    /// (`JET_bitKeepDbAttachedAtEndOfRecovery`).
    kept: AtomicBool,
}

/// The right to have a database alone, until it is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Alone(Arc<()>);

impl OpenDatabase {
    fn new(attached: Arc<Attached>, instance: &Arc<Instance>) -> Arc<OpenDatabase> {
        let instance = Arc::downgrade(instance);
        let (attachments, alone, kept) = Default::default();
        Arc::new(OpenDatabase { attached, instance, attachments, alone, kept })
    }

    /// May somebody use it who has it alone, or does not?
    ///
    /// # Errors
    /// `JET_errDatabaseLocked` (-1207); `JET_errDatabaseAttachedForRecovery` (-1231) if nobody has
    /// attached it but recovery.
    pub(crate) fn admit(&self, own: Option<&Alone>) -> Result<()> {
        if self.kept.load(Ordering::Acquire) {
            let what = "only recovery has attached the database";
            return Err(Error::new(JetErr::DatabaseAttachedForRecovery, what)
                .at_path(&self.attached.path)
                .advise("attach it"));
        }
        match self.alone.lock().upgrade() {
            Some(held) if own.is_none_or(|own| !Arc::ptr_eq(&own.0, &held)) => {
                Err(Error::new(JetErr::DatabaseLocked, "somebody else has the database alone")
                    .at_path(&self.attached.path)
                    .advise("try again when it is closed"))
            }
            _ => Ok(()),
        }
    }

    /// Gives it to somebody alone who is admitted, and has no other handle than this one yet.
    ///
    /// # Errors
    /// `JET_errDatabaseInUse` (-1202) while anybody uses it.
    pub(crate) fn claim(self: &Arc<OpenDatabase>) -> Result<Alone> {
        let mut alone = self.alone.lock();
        // The list of databases has one, the caller the other. Whoever takes a third one now looks
        // at `alone` before using it.
        if Arc::strong_count(self) > 2 || alone.strong_count() > 0 {
            let what = "the database is open already, and cannot be had alone";
            return Err(Error::new(JetErr::DatabaseInUse, what)
                .at_path(&self.attached.path)
                .advise("close it everywhere first"));
        }
        let right = Arc::new(());
        *alone = Arc::downgrade(&right);
        Ok(Alone(right))
    }

    /// What a session works on. A session of another instance would write the wrong log and see
    /// what nobody has committed.
    ///
    /// # Errors
    /// `JET_errInvalidSesid` (-1104).
    #[inline]
    pub(crate) fn of(&self, session: &Session) -> Result<&Arc<Attached>> {
        if std::ptr::eq(self.instance.as_ptr(), Arc::as_ptr(session.instance())) {
            return Ok(&self.attached);
        }
        Err(Error::new(JetErr::InvalidSesid, "the session is one of another instance")
            .at_path(&self.attached.path)
            .advise("use a session of the instance that the database is attached to"))
    }
}

/// The sessions of an instance.
#[derive(Debug, Default)]
struct Sessions {
    /// No session may begin any more.
    closed: bool,
    cells: Vec<Weak<SessionCell>>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) engine: Arc<Instance>,
    pub(crate) backup: Arc<BackupContext>,
    source: Arc<EngineSource>,
    databases: Mutex<Vec<Arc<OpenDatabase>>>,
    sessions: Mutex<Sessions>,
    living: Arc<Living>,
    pub(crate) defragmentations: Mutex<Vec<Background>>,
    /// What runs in the background for a user rests.
    pub(crate) background_paused: Arc<AtomicBool>,
}

/// A restore that was cut off has put some of its files in the place of those that were here: what
/// is here now is of two times, and what would be committed now, the next restore replaces.
fn refuse_half_restored(env: &Env, config: &InstanceConfig) -> Result<()> {
    let mark = config.system_dir.join(UNFINISHED_NAME);
    if !env.fs.exists(&mark)? {
        return Ok(());
    }
    Err(Error::new(JetErr::RestoreInProgress, "a restore into this directory was not finished")
        .at_path(mark)
        .advise("repeat it (`ese restore SET DIR`), or restore into another directory"))
}

impl Shared {
    pub(crate) fn start(
        env: &Env,
        config: InstanceConfig,
        options: RecoveryOptions<'_>,
        pauses: PauseBy,
    ) -> Result<(Arc<Shared>, Option<RecoveryReport>)> {
        // Recovery writes through it, too: it is open as long as no snapshot freezes it.
        let (env, gate) = WriteGate::over(
            env,
            match pauses {
                PauseBy::Waiting => GateWait::Waiting,
                PauseBy::Clock => GateWait::Clock,
            },
        );
        refuse_half_restored(&env, &config)?;
        let keep = options.flags.contains(RecoveryFlags::KEEP_ATTACHED);
        let (engine, report) = Instance::start_with(&env, config, options)?;
        let source = Arc::new(EngineSource::new(&engine, gate));
        let for_backup: Arc<dyn ese_backup::BackupSource> = Arc::clone(&source) as Arc<_>;
        let backup = Arc::new(BackupContext::new(for_backup, pauses));
        backup.allow();
        let shared = Shared {
            engine,
            backup,
            source,
            databases: Mutex::default(),
            sessions: Mutex::default(),
            living: Arc::default(),
            defragmentations: Mutex::default(),
            background_paused: Arc::default(),
        };
        if let Some(report) = report.as_ref().filter(|_| keep) {
            shared.keep(&report.attached)?;
        }
        Ok((Arc::new(shared), report))
    }

    /// Attaches what recovery has let go; whoever attaches it next is the first to do so.
    fn keep(&self, recovered: &[PathBuf]) -> Result<()> {
        for path in recovered {
            let (database, _) = self.attach(path, AttachMode::default())?;
            database.kept.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Begins a session and lists it.
    pub(crate) fn begin_session(&self) -> Result<Arc<SessionCell>> {
        let mut sessions = self.sessions.lock();
        if sessions.closed {
            self.engine.check()?;
            return Err(ended());
        }
        let cell = Arc::new(SessionCell::begin(&self.engine, &self.living)?);
        if sessions.cells.len() == sessions.cells.capacity() {
            // Before the list grows, so that each session is looked at a few times only.
            sessions.cells.retain(|cell| cell.strong_count() > 0);
            let live = sessions.cells.len();
            sessions.cells.reserve(live.max(16));
        }
        sessions.cells.push(Arc::downgrade(&cell));
        Ok(cell)
    }

    /// Creates a database; refused while a backup is in progress.
    pub(crate) fn create_database(
        &self,
        path: &Path,
        mode: AttachMode,
    ) -> Result<Arc<OpenDatabase>> {
        let _attaching = self.source.attaching.lock();
        self.create_while_attaching(path, mode)
    }

    /// Creates a database in place of a file that nobody uses, if there is one.
    pub(crate) fn replace_database(
        &self,
        path: &Path,
        mode: AttachMode,
    ) -> Result<Arc<OpenDatabase>> {
        let _attaching = self.source.attaching.lock();
        let fs = &self.engine.env.fs;
        if fs.exists(path)? {
            // Whatever refuses the new database does so while the old one is there.
            self.engine.check()?;
            self.backup.refuse_if_in_progress()?;
            if self.find_database(path)?.is_some() {
                let what = "an attached database cannot be replaced";
                return Err(Error::new(JetErr::DatabaseInUse, what).at_path(path));
            }
            self.engine.free_dbid()?;
            // Nobody, in any process, may have it attached.
            let old = fs.open(path, OpenMode::ReadWrite)?;
            old.lock(LockMode::Exclusive)?;
            fs.remove_file(path)?;
            // Before the log says that the path is a new database's.
            fs.sync_dir(parent_of(path))?;
        }
        self.create_while_attaching(path, mode)
    }

    /// The caller holds `attaching`.
    fn create_while_attaching(&self, path: &Path, mode: AttachMode) -> Result<Arc<OpenDatabase>> {
        self.backup.refuse_if_in_progress()?;
        let attached = self.engine.create_database_as(path, mode)?;
        let mut databases = self.databases.lock();
        let database = OpenDatabase::new(attached, &self.engine);
        databases.push(Arc::clone(&database));
        Ok(database)
    }

    /// The attached database with this path.
    pub(crate) fn find_database(&self, path: &Path) -> Result<Option<Arc<OpenDatabase>>> {
        let path = self.engine.env.fs.canonicalize(path)?;
        let databases = self.databases.lock();
        Ok(databases.iter().find(|database| database.attached.path == path).cloned())
    }

    /// Attaches a database; refused while a backup is in progress. True: it was attached before, in
    /// whatever mode, but not for reading only if it is to be changed.
    pub(crate) fn attach(
        &self,
        path: &Path,
        mode: AttachMode,
    ) -> Result<(Arc<OpenDatabase>, bool)> {
        if let Some(database) = self.find_database(path)? {
            return attached_before(database, mode);
        }
        let _attaching = self.source.attaching.lock();
        self.backup.refuse_if_in_progress()?;
        // Somebody else may have attached it meanwhile.
        if let Some(database) = self.find_database(path)? {
            return attached_before(database, mode);
        }
        let attached = self.engine.attach_as(path, mode)?;
        let database = OpenDatabase::new(attached, &self.engine);
        self.databases.lock().push(Arc::clone(&database));
        Ok((database, false))
    }

    /// Detaches a database that nobody but the caller has a handle of.
    pub(crate) fn detach(&self, database: Arc<OpenDatabase>) -> Result<()> {
        let _attaching = self.source.attaching.lock();
        self.backup.refuse_if_in_progress()?;
        // Off the list first, so that nobody gets a new handle; the list is not locked while the
        // engine writes.
        self.databases.lock().retain(|other| !Arc::ptr_eq(other, &database));
        self.stop_defragmentation(&database.attached);
        let detached = if Arc::strong_count(&database) > 1 {
            Err(Error::new(
                JetErr::DatabaseInUse,
                "other handles of the database or of its tables exist",
            )
            .at_path(&database.attached.path)
            .advise("drop them first"))
        } else {
            self.engine.detach(&database.attached)
        };
        if detached.is_err() {
            self.databases.lock().push(database);
        }
        detached
    }

    pub(crate) fn attached_databases(&self) -> Vec<Arc<OpenDatabase>> {
        self.databases.lock().clone()
    }

    /// Ends all sessions, rolling their transactions back. Waits for calls that are running. With
    /// `only_idle` a session in a transaction makes it fail, and nothing has happened.
    pub(crate) fn end_sessions(&self, only_idle: bool) -> Result<()> {
        let mut sessions = self.sessions.lock();
        let cells: Vec<Arc<SessionCell>> =
            sessions.cells.iter().filter_map(Weak::upgrade).collect();
        if only_idle && cells.iter().any(|cell| cell.is_in_transaction()) {
            return Err(Error::new(
                JetErr::TooManyActiveUsers,
                "a session has an open transaction",
            )
            .advise("commit it or roll it back"));
        }
        sessions.closed = true;
        for cell in cells {
            cell.end();
        }
        sessions.cells.clear();
        Ok(())
    }

    /// Ends the instance: backup, sessions, engine. Afterwards the files are released as soon as
    /// the last handle is gone.
    pub(crate) fn terminate(&self, mode: TermMode) -> Result<()> {
        self.backup.abort_for_term();
        self.stop_defragmentations();
        self.end_sessions(false)?;
        // Also for those that other threads are just ending: they are on no list any more.
        self.living.wait_for_none();
        let ended = self.engine.terminate(mode);
        self.databases.lock().clear();
        ended
    }

    /// Lets go of everything without writing, as a killed process would.
    pub(crate) fn abandon(&self) {
        // No snapshot holds up who has to be waited for.
        self.backup.source().write_gate().thaw();
        self.engine.abandon();
        self.stop_defragmentations();
        self.backup.abort_now();
        let mut sessions = self.sessions.lock();
        sessions.closed = true;
        for cell in sessions.cells.drain(..).filter_map(|cell| cell.upgrade()) {
            cell.end();
        }
        drop(sessions);
        self.databases.lock().clear();
    }
}

impl Shared {
    /// Which services rest: background work of users; and are changed pages written at once?
    pub(crate) fn set_services(&self, background_paused: bool, quiesced: bool) {
        self.background_paused.store(background_paused, Ordering::SeqCst);
        self.engine.quiesce(quiesced);
    }

    /// Has the instance come to its end? Waits for nothing.
    pub(crate) fn has_ended(&self) -> bool {
        self.engine.check().is_err_and(|error| error.code() == JetErr::NotInitialized)
    }
}

/// What an attach finds that comes second, or after recovery.
fn attached_before(
    database: Arc<OpenDatabase>,
    mode: AttachMode,
) -> Result<(Arc<OpenDatabase>, bool)> {
    if database.attached.is_read_only() && !mode.read_only {
        let what = "the database is attached for reading only";
        return Err(Error::new(JetErr::DatabaseFileReadOnly, what)
            .at_path(&database.attached.path)
            .advise("detach it before it is attached for changes"));
    }
    let kept = database.kept.swap(false, Ordering::AcqRel);
    Ok((database, !kept))
}

/// The answer to calls through handles of an instance that has ended.
#[track_caller]
pub(crate) fn ended() -> Error {
    Error::new(JetErr::NotInitialized, "the instance has ended")
}
