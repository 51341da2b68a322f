//! Recovery of a copy: one database, and a log that is only read.
//!
//! Evidence must not change, and logs that another engine has begun cannot always be written on. So
//! the database is copied first; the log is replayed onto the copy, and what did not commit is
//! taken back there without being logged. If that does not come to its end, the copy is thrown
//! away.
//!
//! A database can also be built from its log alone, where the log goes back to its creation, and
//! one that is clean can be rolled forward with what was logged since.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use ese_base::{
    Error, Generation, JetErr, LgPos, ObjId, PageSize, Pgno, Result, Signature, StopToken,
};
use ese_log::{LogStream, StreamReader, records::Record};
use ese_os::{Env, OpenMode, parent_of};
use ese_pages::{Access, CacheOptions, DbFile, DbHeader, DbState, PageCache, header::read_header};

pub use super::changes::TreeChanges;
use super::{
    Limit, MappedDatabase, Ranges, RecoveryFlags, RecoveryOptions, RecoveryReport, RedoEnd,
    ReplayStart, Watch, Watcher, redo_all,
};
use crate::{database::Database, instance::InstanceConfig, reader::OfflineDatabase, space};

/// Memory for pages that were changed and not yet written.
const CACHE_BYTES: u64 = 128 << 20;
/// The type number of [`Record::CreateDb`].
const CREATE_DB: u8 = 14;
/// The type number of [`Record::AttachDb`].
const ATTACH_DB: u8 = 15;

/// What is to be recovered.
pub struct CopyJob<'a> {
    /// The log. Its files are only read.
    pub stream: LogStream,
    /// The copy, which may be changed; or where the database is to be built.
    pub target: PathBuf,
    /// Which database of the log it is.
    pub sign_db: Signature,
    /// Where replay begins, see [`plan`].
    pub from: LgPos,
    /// [`RecoveryFlags::IGNORE_LOST_LOGS`] and [`RecoveryFlags::ALLOW_BACKUP_COPIES`] have a
    /// meaning here.
    pub flags: RecoveryFlags,
    /// Where redo ends, if not where the log does.
    pub until: Option<RedoEnd>,
    /// Ends the work between two records.
    pub stop: StopToken,
    /// Who is told how far it is.
    pub watcher: Option<Watcher<'a>>,
}

impl std::fmt::Debug for CopyJob<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CopyJob")
            .field("target", &self.target)
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

/// What became of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableChanges {
    /// Its name; by object id where the database has no such table any more.
    pub name: String,
    /// Its rows.
    pub rows: TreeChanges,
}

/// What was done.
#[derive(Clone, Debug)]
pub struct CopyReport {
    /// By the recovery.
    pub recovery: RecoveryReport,
    /// To the rows of each table of which anything changed, be it an index or a long value:
    /// operations of the log that the file did not hold yet, and what was taken back. A row that
    /// was inserted and deleted again counts in both.
    pub tables: Vec<TableChanges>,
    /// The first generation that is missing or damaged, with the reason, where it was passed over.
    pub lost: Option<(Generation, String)>,
}

impl CopyReport {
    /// Where there is nothing to be replayed: a replay would begin at `from`.
    #[must_use]
    pub fn of_none(from: LgPos) -> CopyReport {
        let recovery = RecoveryReport { from, to: from, ..RecoveryReport::default() };
        CopyReport { recovery, tables: Vec::new(), lost: None }
    }
}

/// Which generations a recovery reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyPlan {
    /// Where replay begins; behind the last generation: there is nothing to replay.
    pub from: LgPos,
    /// The generations without which the database cannot be made whole; 0: none.
    pub required: (Generation, Generation),
    /// The last generation that may hold commits; 0: not known.
    pub committed: Generation,
    /// The last generation at hand.
    pub last: Generation,
}

/// Which part of a log a database needs. `header` is that of the file; `None`: the database is to
/// be built from the log.
///
/// # Errors
/// `JET_errMissingLogFile` (-528): the generation at which replay has to begin is not there.
/// `JET_errDatabaseLogSetMismatch` (-539): it is the log of another database.
pub fn plan(stream: &LogStream, header: &DbHeader, flags: RecoveryFlags) -> Result<CopyPlan> {
    let newest = stream.readable_header()?;
    let last = stream.last_present()?;
    let (min, max) = header.required();
    let (state, ours) = (header.state(), header.sign_log == newest.signature);
    let none = (Generation(0), Generation(0));
    let begin = |generation: Generation| LgPos { generation, isec: 0, ib: 0 };
    let there = |generation: Generation| stream.header_of(generation).is_ok();
    let (from, required, committed) = match state {
        DbState::CleanShutdown => {
            // What was logged since follows on the generation in which it was closed.
            let closed = header.lgpos_consistent.get().generation;
            let from = if ours { closed } else { stream.oldest().unwrap_or(last) };
            (from, none, Generation(0))
        }
        _ if !ours => {
            let what =
                format!("it belongs to log {}, this is {}", header.sign_log, newest.signature);
            return Err(Error::new(JetErr::DatabaseLogSetMismatch, what)
                .advise("recover it with its own log"));
        }
        DbState::JustCreated => {
            let what = "its creation was not finished";
            return Err(Error::new(JetErr::DatabaseDirtyShutdown, what)
                .advise("build it from its logs (--from-logs)"));
        }
        // A copy out of a backup needs what was logged while it was made.
        _ if header.is_backup_copy() => {
            let copied = &header.bkinfo_full_cur;
            let low = Generation(copied.gen_low.get());
            let high = Generation(copied.gen_high.get());
            (low, (low, high.max(max)), header.committed())
        }
        _ => {
            // Newer engines may need less for the pages than for what has to be taken back.
            let older = Generation(header.gen_min_consistent.get());
            let older = Some(older).filter(|older| older.0 > 0 && *older < min && there(*older));
            (older.unwrap_or(min), (min, max), header.committed())
        }
    };
    // A clean database is ahead of these logs: they hold nothing that it does not.
    if state == DbState::CleanShutdown && from > last {
        return Ok(CopyPlan { from: begin(from), required, committed, last });
    }
    if !there(from) && !flags.contains(RecoveryFlags::IGNORE_LOST_LOGS) || from.0 == 0 {
        if let Err(error) = stream.header_of(from)
            && error.code() != JetErr::MissingLogFile
        {
            return Err(error);
        }
        let what = match state {
            DbState::CleanShutdown => format!(
                "it was closed in generation {:#x}, and what was logged since begins there",
                from.0
            ),
            _ => {
                format!("the database needs generations {:#x} to {:#x}", required.0.0, required.1.0)
            }
        };
        return Err(Error::new(JetErr::MissingLogFile, what)
            .at_generation(from)
            .advise("bring the missing log files"));
    }
    Ok(CopyPlan { from: begin(from), required, committed, last })
}

/// A database that a log creates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creation {
    /// The database.
    pub sign_db: Signature,
    /// Its path, as the log has it.
    pub path: String,
    /// Where its creation is logged.
    pub at: LgPos,
}

/// The databases that the log creates. A generation that is missing or damaged is no error before
/// the log is replayed.
///
/// # Errors
/// `JET_errClientRequestToStopJetService` (-1329).
pub fn creations(env: &Env, stream: &LogStream, stop: &StopToken) -> Result<Vec<Creation>> {
    let mut found = Vec::new();
    let files = stream.archives().map(|(_, file)| file).chain(stream.current());
    for file in files.filter(|file| file.header().is_ok()) {
        stop.check()?;
        let mut reader = StreamReader::of_file(env, file);
        while let Ok(Some(entry)) = reader.next_such(|number| number == CREATE_DB) {
            stop.check()?;
            if let Record::CreateDb(create) = entry.record {
                let (sign_db, path) = (create.sign_db, create.path.text());
                found.retain(|other: &Creation| other.sign_db != sign_db);
                found.push(Creation { sign_db, path, at: entry.pos });
            }
        }
    }
    Ok(found)
}

/// Does the log know the database? Its files list what is attached when they are begun, and its
/// records say what is attached and created.
///
/// # Errors
/// `JET_errClientRequestToStopJetService` (-1329). Logs that cannot be read know nothing.
pub fn knows(env: &Env, stream: &LogStream, sign_db: Signature, stop: &StopToken) -> Result<bool> {
    let files = || stream.archives().map(|(_, file)| file).chain(stream.current());
    let mut headers = files().filter_map(|file| file.header().ok());
    if headers.any(|header| header.attachments.iter().any(|a| a.sign_db == sign_db)) {
        return Ok(true);
    }
    for file in files().filter(|file| file.header().is_ok()) {
        stop.check()?;
        let mut reader = StreamReader::of_file(env, file);
        let wanted = |number| number == CREATE_DB || number == ATTACH_DB;
        while let Ok(Some(entry)) = reader.next_such(wanted) {
            let found = match entry.record {
                Record::CreateDb(create) => create.sign_db,
                Record::AttachDb(attach) => attach.sign_db,
                _ => continue,
            };
            if found == sign_db {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Recovers one database.
///
/// # Errors
/// As [`recover`](crate::instance::recover): logs that are missing, damaged or of another history,
/// with their generation; a database that does not fit its log. The copy is then as far as replay
/// has come, and of no use. `JET_errRequiredLogFilesMissing` (-543): the log was to build the
/// database, and did not, or not up to where redo was to end.
pub fn recover_copy(env: &Env, mut job: CopyJob<'_>) -> Result<CopyReport> {
    let built = !env.fs.exists(&job.target)?;
    if !built && job.from.generation > job.stream.last_present()? {
        return Ok(CopyReport::of_none(job.from));
    }
    let limit = Limit::new(job.until);
    let (stream, lost) = without_loss(job.stream, job.from.generation, job.flags, limit)?;
    let start = replay_start(&stream, job.from, job.flags, limit)?;
    let mut config = InstanceConfig::new(parent_of(&job.target));
    config.page_size = stream.newest_header()?.page_size;
    config.cache_size = CACHE_BYTES;
    // Nobody takes up a copy that was torn.
    config.double_write = false;
    config.resolve(env)?;
    let mut options = RecoveryOptions {
        moved: vec![(job.sign_db, job.target.clone())],
        // The log may know other databases: none of their files is looked for.
        map: vec![MappedDatabase::new(&job.target, &job.target)],
        flags: job.flags | RecoveryFlags::IGNORE_MISSING_DATABASES,
        until: job.until,
        stop: job.stop.clone(),
        watcher: job.watcher.take(),
        ..RecoveryOptions::default()
    };
    let mut watch = Watch::of(&mut options);
    watch.begin()?;
    let mut reader = stream.reader(start.pos)?;
    let mut redone = redo_all(env, &config, options, &mut watch, &start, &mut reader)?;
    redone.check_complete()?;
    let (recovery, trees) = redone.finish_unlogged()?;
    watch.end(true);
    if built && !env.fs.exists(&job.target)? {
        let what = "the logs do not build the database to the end of its creation";
        return Err(Error::new(JetErr::RequiredLogFilesMissing, what)
            .at_path(&job.target)
            .advise("bring all logs from its creation on, or end later"));
    }
    if built {
        grow_to_owned(env, &job.target)?;
    }
    let tables = tables_of(env, &job.target, trees)?;
    Ok(CopyReport { recovery, tables, lost })
}

/// Leaves out what redo does not go to, and, with leave, what is missing or damaged.
fn without_loss(
    stream: LogStream,
    from: Generation,
    flags: RecoveryFlags,
    limit: Limit,
) -> Result<(LogStream, Option<(Generation, String)>)> {
    let last = stream.last_present()?;
    if let Some(end) = limit.generation().filter(|end| *end < last && *end >= from) {
        return Ok((stream.without_from(end.next()), None));
    }
    if !flags.contains(RecoveryFlags::IGNORE_LOST_LOGS) {
        return Ok((stream, None));
    }
    match stream.first_trouble(from)? {
        Some((generation, error)) if generation > from => {
            let why = error.to_string();
            Ok((stream.without_from(generation), Some((generation, why))))
        }
        _ => Ok((stream, None)),
    }
}

fn replay_start(
    stream: &LogStream,
    pos: LgPos,
    flags: RecoveryFlags,
    limit: Limit,
) -> Result<ReplayStart> {
    let newest = stream.newest_header()?;
    let header = stream.header_of(pos.generation)?;
    let last = newest.generation;
    let files = stream.archives().map(|(_, file)| file).chain(stream.current());
    let headers = files.filter_map(|file| file.header().ok());
    let created = headers.map(|header| (header.generation, header.created)).collect();
    let ranges = Ranges {
        sign_log: newest.signature,
        first: stream.oldest()?.min(pos.generation),
        last,
        created,
        flags,
        hard: false,
        pausing: false,
    };
    Ok(ReplayStart {
        pos,
        attachments: header.attachments.clone(),
        params: header.params,
        ranges,
        limit,
        names: stream.names().clone(),
        current: Some(last),
        missing_current_allowed: true,
        sectors: newest.sectors,
        early: newest.version.is_early(),
    })
}

/// A file that was built has the pages that somebody wrote; the database may own more.
fn grow_to_owned(env: &Env, path: &Path) -> Result<()> {
    let file = std::sync::Arc::new(DbFile::open(env, path, Access::ReadWrite)?);
    let size: PageSize = file.page_size();
    let options = CacheOptions::for_memory(1 << 20, size);
    let cache = PageCache::new(std::sync::Arc::clone(&file), options)?;
    let header = file.header();
    let (dbtime, objid) = (header.dbtime(), header.last_objid());
    let dbid = ese_base::Dbid(1);
    let db = Database::new(dbid, std::sync::Arc::clone(&file), cache, None, dbtime, objid);
    let last: Pgno = space::last_owned(&db)?;
    if file.page_count() < last.0 { file.grow(last) } else { Ok(()) }
}

/// Tables by name instead of trees by number: those of indexes and long values are left out.
fn tables_of(
    env: &Env,
    path: &Path,
    mut trees: BTreeMap<ObjId, TreeChanges>,
) -> Result<Vec<TableChanges>> {
    let handle = env.fs.open(path, OpenMode::Read)?;
    let state = read_header(handle.as_ref())?.header.state();
    let mut tables = Vec::new();
    if state == DbState::CleanShutdown {
        let db = OfflineDatabase::open(env, path)?;
        for table in db.tables() {
            let inner: Vec<ObjId> = table.inner_trees().map(|tree| tree.objid).collect();
            let rows = trees.remove(&table.objid);
            if rows.is_some() || inner.iter().any(|objid| trees.contains_key(objid)) {
                let (name, rows) = (table.name.clone(), rows.unwrap_or_default());
                tables.push(TableChanges { name, rows });
            }
            trees.retain(|objid, _| !inner.contains(objid));
        }
    }
    // The root of the database holds no rows.
    trees.remove(&crate::schema::DATABASE_ROOT);
    let gone = trees.into_iter().filter(|(_, rows)| *rows != TreeChanges::default());
    tables.extend(gone.map(|(objid, rows)| TableChanges { name: format!("#{objid}"), rows }));
    Ok(tables)
}
