//! An embedded storage engine that reads and writes ESE's own files.
//!
//! ```
//! # fn main() -> ese_api::Result<()> {
//! # let temporary = tempfile::tempdir().unwrap();
//! # let dir = temporary.path().join("data");
//! # let set = temporary.path().join("set");
//! use ese_api::{ColType, Instance, TableBuilder, row};
//!
//! let instance = Instance::builder(&dir).start()?;
//! let database = instance.create_database("people.edb")?;
//! let mut session = instance.session()?;
//!
//! let mut transaction = session.begin()?;
//! let people = TableBuilder::new("people").column("id", ColType::Long).text("name");
//! let people = database.create_table(&mut transaction, people.primary(&["id"]))?;
//! people.insert(&mut transaction, &row! { "id" => 1, "name" => "Ada" })?;
//! people.insert(&mut transaction, &row! { "id" => 2, "name" => "Grace" })?;
//! transaction.commit()?; // durable
//!
//! let ada = people.get(&session, 1)?.unwrap();
//! assert_eq!(ada["name"], "Ada".into());
//! let names: Vec<_> = people.rows(&session).map(|row| row.unwrap()["name"].clone()).collect();
//! assert_eq!(names, ["Ada".into(), "Grace".into()]);
//!
//! instance.backup_to_dir(&set)?; // while others go on writing
//! instance.stop()?;
//! # drop((people, database, session));
//! ese_api::restore(&set, temporary.path().join("elsewhere"))?;
//! # Ok(())
//! # }
//! ```
//!
//! # Words
//!
//! * An [`Instance`] is a running engine: a directory with a log, a checkpoint, and any number of
//!   sessions; up to six [`Database`] files are attached to it.
//! * A [`Session`] runs one [`Transaction`] at a time. A transaction sees the state of the moment
//!   it began (a snapshot); readers never wait for writers, and the first writer of a row wins.
//! * A [`Table`] has columns and a primary index, in whose order its rows lie; each further
//!   [`Index`] has them in another order.
//! * A [`TempTable`] sorts rows for a session and is gone with it; what does not fit into memory
//!   goes through a temporary file.
//! * A [`Backup`] is a stream of verified files, read while others write, that
//!   [`BackupStopper::stop`] ends at any moment. [`restore`] makes databases of it again.
//!
//! Every error is an [`Error`] with its JET code, the file and page or log generation it is about,
//! and what can be done. [`jet`] has the same engine as the functions of the Jet API.
//!
//! With the feature `serde`, `Row::to` and `Table::insert_struct` turn rows into structs and back.
//!
//! # Threads
//!
//! Everything here is Send and Sync. One session runs one call at a time; use a session per thread.

#![forbid(unsafe_code)]

mod alter;
mod backup;
mod compact;
mod copies;
mod database;
mod defrag;
mod diff;
mod elsewhere;
mod export;
mod index;
mod instance;
pub mod jet;
mod key;
mod logs;
mod long;
mod meet;
mod restore;
mod row;
mod rows;
#[cfg(feature = "serde")]
mod serde;
mod session;
mod sets;
mod shared;
mod source;
mod space;
mod table;
mod temp;
mod typed;
mod verify;

pub use backup::{
    Backup, BackupBase, BackupDestination, BackupFile, BackupJob, BackupPhase, BackupProgress,
    BackupReport, BackupResume, BackupStopper, CopyOptions, FolderOptions, LogInfo, Manifest,
    Snapshot, SnapshotOptions, SnapshotStage, SurrogateLogs, Throttle, jet_error,
};
pub use compact::{Compacted, compact};
pub use copies::{
    Copied, CopiedDatabase, CopiesPlan, CopyProgress, CopyRequest, CopyWatcher, DatabasePlan,
    copy_targets, plan_recovery, recover_into,
};
pub use database::{Database, DatabaseOptions};
pub use defrag::{DefragOptions, DefragOutcome};
pub use diff::{DiffCounts, DiffOptions, Difference, TableDifference, diff_databases};
pub use elsewhere::{Elsewhere, databases_elsewhere};
pub use ese_backup::{
    PauseBy,
    sets::{BackupSet, PrunePlan, PruneReason, Shelf},
    ship::{DirDestination, ShipDestination, ShipState, Shipped, Shipper},
};
pub use ese_base::{
    Error, ErrorKind, Generation, JetErr, LgPos, LogTime, PageSize, Result, Signature, StopReason,
    StopToken,
};
pub use ese_engine::{
    compact::CompactProgress,
    ddl::BuildProgress,
    defrag::DefragReport,
    instance::{InstanceConfig, ShrinkMode, VersionInfo},
    reader::{
        CatalogSource, DeletedRow, Evidence, Leaf, LeafPage, LeafReader, Leaves, Losses, LostPage,
        OfflineDatabase as Offline,
    },
    recovery::{
        MappedDatabase, RecoveryEvent, RecoveryFlags, RecoveryOptions, RecoveryReport, RedoEnd,
        WhenMissing,
        copy::{CopyPlan, CopyReport, TableChanges, TreeChanges},
    },
    schema::{
        ColType, Column, ColumnDef, ColumnFlags, ColumnId, ConditionDef, IndexDef, IndexOptions,
        KeyPart, Placement, SpaceHints, TableDef, TableSchema, TableType, TreeRole, TupleLimits,
        UnicodeIndex,
    },
    temp::KeyOrder,
    trx::OpenTransaction,
    version::Lock,
};
pub use ese_log::LeftAside;
pub use ese_os::Env;
pub use ese_pages::{DbHeader, cache::CacheMode};
pub use export::{
    ExportFormat, ExportOptions, ExportedTable, SqliteFile, csv_heading, date_text, export_table,
};
pub use index::Index;
pub use instance::{Instance, InstanceBuilder};
pub use key::{Bookmark, Key, KeyParts};
pub use logs::{
    ChainLink, LogChain, LogLink, LogPicture, LogRole, PageFilter, each_log_record,
    is_written_alike, look_at_logs,
};
pub use long::{LongReader, LongWriter};
pub use meet::Common;
pub use restore::{
    FoundDatabases, PlannedEnd, RestoreOptions, RestorePlan, RestoreProgress, RestoreSource,
    RestoreTarget, RestoreUntil, Restored, SetReport, databases_in, find_base, look_for_databases,
    looks_like_backup_set, recover, recover_by, recover_with, restore, restore_from, restore_with,
    verify_set,
};
pub use row::{ColumnRef, Guid, Row, RowView, Value, Values};
pub use rows::Rows;
#[doc(hidden)]
pub use session::{ChangeState, SessionCell, View};
pub use session::{Durability, Reader, Session, TRIES_MAX, Transaction, Writer};
pub use sets::{
    BackupCheck, PlannedRestore, Restorable, SetInput, check_backup, plan_restore, restore_set,
};
pub use space::{PageUse, SpaceMap, TreeSpace, space_map};
pub use table::{Inserter, Table, TableBuilder, TableOptions};
pub use temp::{TempRow, TempRows, TempTable, TempTableBuilder};
pub use typed::{ColumnType, Typed};
pub use verify::{
    DatabaseReport, DirReport, FileKind, FileReport, LogReport, Severity, VerifyOptions,
    VerifyProgress, kind_of_file, verify_database, verify_dir, verify_file, verify_flush_map,
};

/// The example of the README compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// Handles move between threads and are shared by them.
const _: () = {
    const fn threads<T: Send + Sync>() {}
    threads::<Instance>();
    threads::<Database>();
    threads::<Table>();
    threads::<Index>();
    threads::<Session>();
    threads::<Transaction<'static>>();
    threads::<Inserter>();
    threads::<TempTable>();
    threads::<Row>();
    threads::<Backup>();
    threads::<BackupStopper>();
    threads::<Error>();
};
