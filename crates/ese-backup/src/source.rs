//! What a backup needs of a running instance.
//!
//! The engine does not know backups and this crate does not know trees, sessions or schema: the
//! interface layer implements [`BackupSource`] for an instance and so joins the two. Every method
//! may be called from any thread; none is called while the caller holds a lock of the instance.
//! The methods about the log are one line each with a [`crate::LogSource`].
//!
//! The instance owns its [`crate::BackupContext`] and the context owns its source: an
//! implementation that holds the instance must hold it weakly.

use std::{fmt::Debug, path::PathBuf, sync::Arc};

use ese_base::{BkInfo, Dbid, Generation, LgPos, PageSize, Pgno, Result, Signature};
use ese_log::records::{Backup2, LoggedPath};
use ese_os::{Env, WriteGate};
use ese_pages::{DbHeader, db_file::DbFile};

use crate::truncate::GenerationRange;

/// An attached database that is logged (others are no part of a backup).
#[derive(Clone, Debug)]
pub struct AttachedDatabase {
    /// Its number in the instance.
    pub dbid: Dbid,
    /// Where it was attached, as the application named it.
    pub path: PathBuf,
    /// The open file, with its header and range lock.
    pub file: Arc<DbFile>,
}

/// Whether a backup can begin, as far as the log decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogState {
    /// Recovery is "off": nothing is logged.
    pub disabled: bool,
    /// A write of the log failed.
    pub down: bool,
    /// The instance is in the middle of recovery.
    pub recovering: bool,
    /// Old generations are removed as soon as the checkpoint has passed them.
    pub circular: bool,
    /// The log's disk is full and only its reserve is left.
    pub disk_full: bool,
    /// The last generation number is used.
    pub sequence_end: bool,
}

/// A log file of a finished generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedLog {
    /// Its generation, as its name says.
    pub generation: Generation,
    /// Its path.
    pub path: PathBuf,
}

pub use ese_log::{RoundTimes, records::BackupPhase};

/// What a `Backup2` record tells recovery (backup-log-recovery 1A.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupRecord {
    /// The step of the backup.
    pub phase: BackupPhase,
    /// Who copies.
    pub kind: BackupKind,
    /// What the set will be good for.
    pub scope: BackupScope,
    /// The database, for [`BackupPhase::Update`]; 0 otherwise.
    pub dbid: Dbid,
    /// Mark and generations as known so far.
    pub info: BkInfo,
    /// The database's path, for [`BackupPhase::Update`]; empty otherwise.
    pub path: String,
}

/// Who copies the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum BackupKind {
    /// The calls of this crate.
    Normal = 0,
    /// A snapshot of the operating system.
    OsSnapshot = 1,
    /// A snapshot of the old kind.
    Snapshot = 2,
    /// Another program.
    Surrogate = 3,
}

impl BackupRecord {
    /// The path as log records hold it: UTF-16 with a final zero; nothing if there is none.
    #[must_use]
    pub fn path_bytes(&self) -> Vec<u8> {
        if self.path.is_empty() { Vec::new() } else { LoggedPath::encode(&self.path) }
    }

    /// The record itself. `path` is what [`BackupRecord::path_bytes`] gave.
    #[must_use]
    pub fn to_log_record<'a>(&self, path: &'a [u8]) -> Backup2<'a> {
        Backup2 {
            phase: self.phase,
            kind: self.kind as u32,
            scope: self.scope as u8,
            dbid: self.dbid,
            mark: self.info,
            reserved: 0,
            path,
        }
    }
}

pub use ese_pages::header::BackupScope;

/// A running instance, as its backup sees it.
pub trait BackupSource: Send + Sync + Debug {
    /// The machine.
    fn env(&self) -> &Env;

    /// The gate before everything that the instance writes, for snapshots.
    fn write_gate(&self) -> &WriteGate;

    /// Page size of the instance's databases.
    fn page_size(&self) -> PageSize;

    /// The log, as far as it can forbid a backup.
    fn log_state(&self) -> LogState;

    /// The attached logged databases, in the order of their numbers.
    fn databases(&self) -> Vec<AttachedDatabase>;

    /// The folders in which the instance keeps files: of databases, of the log, the checkpoint.
    fn folders(&self) -> Vec<PathBuf>;

    /// The last page that the database owns now. Pages up to it exist in the file.
    ///
    /// # Errors
    /// As reading the database's root.
    fn last_page(&self, database: &AttachedDatabase) -> Result<Pgno>;

    /// Waits until no attach, detach, creation of a database, or index build without logging is
    /// under way. The backup already shows as in progress, so that none can start.
    fn wait_for_attachments(&self);

    /// Where the next log record will stand.
    fn tip(&self) -> LgPos;

    /// Every log record before it is durable: no power cut makes the log end earlier.
    fn durable(&self) -> LgPos;

    /// How long it took so far to make the log durable, for those who waited for it.
    fn round_times(&self) -> RoundTimes;

    /// Generation of the current log file.
    fn current_generation(&self) -> Generation;

    /// Signature of the log stream.
    fn log_signature(&self) -> Signature;

    /// Three characters that every log file's name begins with.
    fn log_base(&self) -> String;

    /// The checkpoint as the checkpoint *file* has it now.
    ///
    /// # Errors
    /// `JET_errCheckpointFileNotFound` (-542), `JET_errCheckpointCorrupt` (-533).
    fn checkpoint_on_disk(&self) -> Result<LgPos>;

    /// The finished generations on disk, ascending.
    ///
    /// # Errors
    /// The file system's.
    fn archived_logs(&self) -> Result<Vec<ArchivedLog>>;

    /// From now on no generation `>= from` is removed or recycled by anyone but the backup
    /// itself; `None` ends that. A later call replaces an earlier one.
    fn pin_logs(&self, from: Option<Generation>);

    /// Appends a record of the backup. It is durable on return for [`BackupPhase::Update`]; for
    /// the others whenever the log comes to it.
    ///
    /// # Errors
    /// The log's.
    fn append(&self, record: &BackupRecord) -> Result<()>;

    /// Closes the current generation and returns the number of the new one. Everything appended
    /// before the call lies in a finished, durable generation below it.
    ///
    /// # Errors
    /// The log's.
    fn roll(&self) -> Result<Generation>;

    /// Changes fields of a database's header, durably.
    ///
    /// # Errors
    /// The file system's; the instance then takes no more changes.
    fn update_header(
        &self,
        database: &AttachedDatabase,
        change: &mut dyn FnMut(&mut DbHeader),
    ) -> Result<()>;

    /// Deletes the files of finished generations, ascending, and makes that durable; gives those
    /// that it deleted. Generations that are gone already are passed over. The backup has checked
    /// that nothing needs them; the source keeps what recovery needs all the same.
    ///
    /// # Errors
    /// The file system's; some may be deleted.
    fn delete_logs(&self, range: GenerationRange) -> Result<Vec<Generation>>;
}
