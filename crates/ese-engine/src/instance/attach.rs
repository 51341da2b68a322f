//! Attaching and detaching databases: the order in which the log and the header learn of it.
//!
//! Attach: log the record, make it durable, mark the header dirty with the generations it needs,
//! and only then let anybody change a page. Detach: write all pages, log the record, make it
//! durable, mark the header clean at its position.
//!
//! A database that is attached for reading only, and one that is not logged, are nothing that the
//! log, its checkpoint or a recovery knows of. Of the first nothing is written at all.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use ese_base::{
    BkInfo, DbTime, Dbid, Error, JetErr, LgPos, LogTime, ObjId, Pgno, ProcId, Result, Signature,
    limits::DATABASES_MAX,
};
use ese_log::{
    Attachment, Log,
    records::{AttachDb, DetachDb, LoggedPath, Record},
};
use ese_pages::{
    DbHeader, DbState,
    cache::{CacheMode, CacheOptions, FlushGoal, PageCache},
    db_file::{Access, DbFile},
};

use parking_lot::{Mutex, RwLockWriteGuard};

use super::{Instance, Retired, checkpoint::require_up_to};
use crate::{
    catalog,
    database::Database,
    schema::DATABASE_ROOT,
    space::check::{SpaceUsage, usage},
    tables::Tables,
    tree::TreeKind,
};

/// How a database is attached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AttachMode {
    /// Nothing of the file is written, its header neither; others may read it at the same time
    /// (`JET_bitDbReadOnly`).
    pub read_only: bool,
    /// The log says nothing of it: after a crash it is of no use any more
    /// (`JET_bitDbRecoveryOff`).
    pub unlogged: bool,
}

impl AttachMode {
    /// Without a log.
    pub const UNLOGGED: AttachMode = AttachMode { read_only: false, unlogged: true };

    /// Does the log know of it, where there is one?
    pub(super) fn is_logged(self) -> bool {
        !self.read_only && !self.unlogged
    }
}

/// An attached database and what is known of its tables.
#[derive(Debug)]
pub struct Attached {
    /// The database.
    pub db: Arc<Database>,
    /// Its file, as the log names it.
    pub path: PathBuf,
    /// Position of the record that attached or created it.
    pub(super) attach: LgPos,
    /// Its last clean position before that.
    pub(super) consistent: LgPos,
    /// How it is attached.
    pub(super) mode: AttachMode,
    /// Its tables.
    pub(crate) tables: Tables,
    /// Held while MSysLocales is written.
    pub(crate) locales: Mutex<()>,
}

impl Attached {
    /// How it is attached.
    #[must_use]
    pub fn mode(&self) -> AttachMode {
        self.mode
    }

    /// Is it attached for reading only?
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.mode.read_only
    }

    /// Does the log know of it, where the instance has one?
    #[must_use]
    pub fn is_logged(&self) -> bool {
        self.mode.is_logged()
    }

    /// What the database owns, and what of it no table has.
    ///
    /// # Errors
    /// As [`usage`](crate::space::check::usage).
    pub fn space(&self) -> Result<SpaceUsage> {
        let root = self.db.tree(Pgno::DATABASE_ROOT, DATABASE_ROOT, TreeKind::TABLE);
        usage(&self.db.cache, &root.view())
    }

    /// A database as recovery has it: no tables are known, and none are needed.
    pub(super) fn replayed(db: Arc<Database>) -> Arc<Attached> {
        let header = db.file.header();
        Arc::new(Attached {
            path: db.file.path().to_path_buf(),
            db,
            attach: header.lgpos_attach.get(),
            consistent: header.lgpos_consistent.get(),
            mode: AttachMode::default(),
            tables: Tables::default(),
            locales: Mutex::default(),
        })
    }

    pub(super) fn as_attachment(&self) -> Attachment {
        let header = self.db.file.header();
        Attachment {
            dbid: self.db.dbid,
            dbtime: self.db.dbtime(),
            objid_last: self.db.objid_last(),
            pages_max: 0,
            sparse: false,
            lgpos_attach: self.attach,
            lgpos_consistent: self.consistent,
            sign_db: header.sign_db,
            path: self.path.to_string_lossy().into_owned(),
        }
    }
}

impl Instance {
    /// Attaches a clean database for reading and writing.
    ///
    /// # Errors
    /// `JET_errDatabaseDirtyShutdown` (-550), `JET_errSoftRecoveryOnBackupDatabase` (-544) for a
    /// backup copy, `JET_errPageSizeMismatch` (-1213), `JET_errInvalidDatabaseVersion` (-1209) for
    /// a format that cannot be written, `JET_errFeatureNotAvailable` (-1001) for a database with
    /// pages that are to come back when the file grows, `JET_errDbTimeCorrupted` (-344) for
    /// a header with a clock that would run over, `JET_errTooManyAttachedDatabases`,
    /// `JET_errDatabaseDuplicate` (-1201) if it is attached already, and those of opening the file.
    pub fn attach(self: &Arc<Instance>, path: &Path) -> Result<Arc<Attached>> {
        self.attach_as(path, AttachMode::default())
    }

    /// Attaches a clean database in a way of its own.
    ///
    /// # Errors
    /// As [`Instance::attach`], but for reading only newer formats do not matter;
    /// `JET_errDatabaseFileReadOnly` (-1008) where it is to be changed and the file cannot be
    /// written.
    pub fn attach_as(self: &Arc<Instance>, path: &Path, mode: AttachMode) -> Result<Arc<Attached>> {
        self.check()?;
        let path = self.env.fs.canonicalize(path)?;
        self.check_path(&path, mode)?;
        let access = if mode.read_only { Access::ReadOnly } else { Access::ReadWrite };
        if access == Access::ReadWrite && self.env.fs.is_read_only(&path)? {
            let what = "the file cannot be written: its permissions or its file system forbid it";
            return Err(Error::new(JetErr::DatabaseFileReadOnly, what)
                .at_path(&path)
                .advise("attach it for reading only, or make the file writable"));
        }
        let file = DbFile::open(&self.env, &path, access)?;
        let header = file.header();
        check_attachable(&header, self.config.page_size).map_err(|e| e.at_path(&path))?;
        if !mode.read_only {
            check_changeable(&header).map_err(|e| e.at_path(&path))?;
        }
        let dbid = self.free_dbid()?;
        let consistent = header.lgpos_consistent.get();
        let mut attached = self.join(dbid, file, &path, LgPos::MIN, consistent, mode)?;
        // What can fail because of the file comes before anything says that it is ours.
        catalog::load(&attached)?;
        if mode.read_only {
            let attached = Arc::new(attached);
            self.bounds.attached.write().push(Arc::clone(&attached));
            return Ok(attached);
        }
        check_nothing_shelved(&attached, &header).map_err(|e| e.at_path(&path))?;
        // A clean file whose attachment lies before a checkpoint is an older state of it.
        let _no_checkpoint = self.bounds.writing.lock();
        if mode.is_logged() {
            attached.attach = self.log_attach(dbid, &path, &header)?;
        }
        let attached = Arc::new(attached);
        // Listed first: if the log rolls once this header is dirty, the observer marks it, too.
        self.bounds.attached.write().push(Arc::clone(&attached));
        // The header may be dirty by half, and the log says that the database is attached: no
        // checkpoint may forget it, so it stays listed and nothing more is written.
        self.mark_dirty(&attached).inspect_err(|error| self.poison(error))?;
        Ok(attached)
    }

    /// Before anything of a database is made or changed: can it be attached under this name?
    pub(super) fn check_path(&self, path: &Path, mode: AttachMode) -> Result<()> {
        if self.databases().iter().any(|attached| attached.path == path) {
            return Err(Error::new(JetErr::DatabaseDuplicate, "the database is attached already")
                .at_path(path)
                .advise("use the handle that there is"));
        }
        if !mode.is_logged() {
            return Ok(());
        }
        // Each new log lists what is attached: where the names do not fit, no log can follow.
        let mut names = self.bounds.list();
        names.push(Attachment {
            dbid: Dbid(0),
            dbtime: DbTime::default(),
            objid_last: ObjId(0),
            pages_max: 0,
            sparse: false,
            lgpos_attach: LgPos::MIN,
            lgpos_consistent: LgPos::MIN,
            sign_db: Signature::NULL,
            path: path.to_string_lossy().into_owned(),
        });
        Attachment::encode_list(&names).map(drop).map_err(|error| {
            error.at_path(path).advise("use shorter paths, or an instance for each few databases")
        })
    }

    /// The number that the next database gets.
    ///
    /// # Errors
    /// `JET_errTooManyAttachedDatabases` (-1805).
    pub fn free_dbid(&self) -> Result<Dbid> {
        let attached = self.bounds.attached.read();
        (1..=DATABASES_MAX)
            .map(Dbid)
            .find(|&dbid| attached.iter().all(|other| other.db.dbid != dbid))
            .ok_or_else(|| {
                Error::new(
                    JetErr::TooManyAttachedDatabases,
                    format!("{DATABASES_MAX} databases are attached already"),
                )
            })
    }

    /// Joins file, cache and log to a database.
    pub(super) fn join(
        &self,
        dbid: Dbid,
        file: DbFile,
        path: &Path,
        attach: LgPos,
        consistent: LgPos,
        mode: AttachMode,
    ) -> Result<Attached> {
        let header = file.header();
        let log = self.log.clone().filter(|_| mode.is_logged());
        let db = open_database(self, dbid, file, header.dbtime(), log)?;
        Ok(Attached {
            db: Arc::new(db),
            path: path.to_path_buf(),
            attach,
            consistent,
            mode,
            tables: Tables::default(),
            locales: Mutex::default(),
        })
    }

    fn log_attach(&self, dbid: Dbid, path: &Path, header: &DbHeader) -> Result<LgPos> {
        let Some(log) = &self.log else { return Ok(LgPos::MIN) };
        let bytes = LoggedPath::encode(&path.to_string_lossy());
        let appended = log.append(&Record::AttachDb(AttachDb {
            procid: ProcId(0),
            dbid,
            pages_max: 0,
            lgpos_consistent: header.lgpos_consistent.get(),
            sign_db: header.sign_db,
            sign_log: header.sign_log,
            flags: 0,
            path: LoggedPath::wide(&bytes),
        }))?;
        log.flush(appended.end)?;
        Ok(appended.start)
    }

    /// Marks the header dirty, with the generations that recovery would need.
    pub(super) fn mark_dirty(&self, attached: &Attached) -> Result<()> {
        let now = self.env.clock.log_time();
        // Read before the header is locked: whoever writes the log may be waiting for the header.
        let log = self.log.as_ref().filter(|_| attached.is_logged());
        let log = log.map(|log| (log.signature(), log.written_generation()));
        // What no log says of it must not be taken for what an older log says: it is another
        // database from now on, for every log and backup there is. (As the published source does.)
        let renamed = attached.mode.unlogged.then(|| Signature::new(self.env.rng.next_u32(), now));
        attached.db.file.update_header(|header| {
            header.set_state(DbState::DirtyShutdown);
            header.sign_db = renamed.unwrap_or(header.sign_db);
            if log.is_none_or(|(sign_log, _)| header.sign_log != sign_log) {
                forget_backups(header);
            }
            // What a snapshot of the disk has left: it took the file while that was not in use, or
            // died. (As the published source does at an attach.)
            header.bkinfo_snapshot_cur = BkInfo::default();
            header.logtime_attach = now;
            header.lgpos_attach = attached.attach.into();
            header.set_last_resize(attached.attach);
            header.dbid = u32::from(attached.db.dbid.0).into();
            if let Some((sign_log, (generation, created))) = log {
                header.sign_log = sign_log;
                header.gen_min_required = attached.attach.generation.0.into();
                header.gen_min_consistent = attached.attach.generation.0.into();
                require_up_to(header, generation, created);
            }
        })?;
        match self.log.as_ref().filter(|_| attached.is_logged()) {
            Some(log) => require_written(&attached.db.file, log),
            None => Ok(()),
        }
    }

    /// Detaches a database: afterwards its file is clean and no longer ours.
    ///
    /// # Errors
    /// `JET_errDatabaseInUse` while versions of it are needed by open transactions, and those of
    /// writing.
    pub fn detach(self: &Arc<Instance>, attached: &Arc<Attached>) -> Result<()> {
        self.check()?;
        let Some(_cleaning) = self.all_cleaned_up(attached.db.dbid)? else {
            return Err(Error::new(
                JetErr::DatabaseInUse,
                "an open transaction still needs older versions of rows",
            )
            .at_path(&attached.path)
            .advise("end the sessions that use the database"));
        };
        self.shrink_at_detach(attached)?;
        let _no_checkpoint = self.bounds.writing.lock();
        if !attached.is_read_only() {
            attached.db.cache.flush(FlushGoal::All, self.fence(&attached.db))?;
            let pos = self.log_detach(attached)?;
            self.make_clean(attached, pos)?;
        }
        self.bounds.attached.write().retain(|other| !Arc::ptr_eq(other, attached));
        self.at_zero.lock().retain(|row| row.dbid != attached.db.dbid);
        // The background threads may have it in their hands for a moment longer.
        attached.db.file.unlock()
    }

    /// Cleans up after all commits, and keeps others from it. `None`: somebody still needs
    /// versions, or is at work on a long value of the database that may have to go.
    fn all_cleaned_up(
        self: &Arc<Instance>,
        dbid: Dbid,
    ) -> Result<Option<RwLockWriteGuard<'_, ()>>> {
        // What others were at when the lock was asked for may leave something once more.
        for _ in 0..4 {
            self.clean_up_versions();
            self.end_rows_at_zero()?;
            let cleaning = self.cleaning.write();
            let retired = self.retired.lock().iter().all(Retired::is_empty);
            if retired && !self.unreferenced.has_any_of(dbid) {
                return Ok(Some(cleaning));
            }
        }
        Ok(None)
    }

    fn log_detach(&self, attached: &Attached) -> Result<LgPos> {
        let Some(log) = attached.db.log() else { return Ok(LgPos::MIN) };
        let bytes = LoggedPath::encode(&attached.path.to_string_lossy());
        let appended = log.append(&Record::DetachDb(DetachDb {
            procid: ProcId(0),
            dbid: attached.db.dbid,
            flags: 0,
            path: LoggedPath::wide(&bytes),
        }))?;
        log.flush(appended.end)?;
        Ok(appended.start)
    }

    /// Marks a header clean whose pages are all written; the log does not matter to it any more.
    pub(super) fn make_clean(&self, attached: &Attached, pos: LgPos) -> Result<()> {
        let db = &attached.db;
        let now = self.env.clock.log_time();
        make_header_clean(db, pos, now)?;
        db.file.remove_double_write()
    }
}

/// The log may have rolled after it was asked, and has passed over a header that was clean still.
fn require_written(file: &DbFile, log: &Log) -> Result<()> {
    let (generation, created) = log.written_generation();
    if file.header().gen_max_required.get() >= generation.0 {
        return Ok(());
    }
    file.update_header(|header| require_up_to(header, generation, created))
}

/// The transition to clean shutdown (edb-format 1.4).
pub(crate) fn make_header_clean(db: &Database, pos: LgPos, now: LogTime) -> Result<()> {
    db.file.update_header(|header| {
        header.set_clean(pos, now);
        header.set_dbtime(db.dbtime());
        header.set_last_objid(db.objid_last());
    })
}

/// A database comes to another log, or to none: backups that it remembers were of the old one, and
/// no incremental one can build on them. (As the published source does at an attach.)
pub(crate) fn forget_backups(header: &mut DbHeader) {
    let none = BkInfo::default();
    (header.bkinfo_full_prev, header.bkinfo_type_full_prev) = (none, 0.into());
    (header.bkinfo_inc_prev, header.bkinfo_type_inc_prev) = (none, 0.into());
    (header.bkinfo_copy_prev, header.bkinfo_type_copy_prev) = (none, 0.into());
    (header.bkinfo_diff_prev, header.bkinfo_type_diff_prev) = (none, 0.into());
}

/// Joins a file with a cache of the instance's settings.
pub(crate) fn open_database(
    instance: &Instance,
    dbid: Dbid,
    file: DbFile,
    dbtime: DbTime,
    log: Option<Arc<Log>>,
) -> Result<Database> {
    let file = Arc::new(file);
    let objid_last = file.header().last_objid();
    let cache = PageCache::new(Arc::clone(&file), cache_options(&instance.config))?;
    Ok(Database::new(dbid, file, cache, log, dbtime, objid_last))
}

/// The cache settings that an instance's settings mean.
pub(crate) fn cache_options(config: &super::InstanceConfig) -> CacheOptions {
    let mode = config.cache_mode.unwrap_or(CacheMode::Mapped);
    let pages_max = config.cache_pages();
    CacheOptions {
        mode,
        pages_max,
        // Where clean pages need memory too, some is left for them.
        dirty_pages_max: if mode == CacheMode::Copy { pages_max / 4 * 3 } else { pages_max },
        double_write: config.double_write,
        ..CacheOptions::for_memory(pages_max * config.page_size.bytes(), config.page_size)
    }
}

/// May this database be attached?
fn check_attachable(header: &DbHeader, page_size: ese_base::PageSize) -> Result<()> {
    let found = header.page_size()?;
    if found != page_size {
        return Err(Error::new(
            JetErr::PageSizeMismatch,
            format!("the database has pages of {found} bytes, the instance of {page_size}"),
        )
        .advise(format!("start the instance with page size {found}")));
    }
    if header.state() != DbState::CleanShutdown {
        let (min, max) = (header.gen_min_required.get(), header.gen_max_required.get());
        return Err(if header.bkinfo_full_cur.gen_low.get() != 0 {
            Error::new(JetErr::SoftRecoveryOnBackupDatabase, "the file is a copy out of a backup")
                .advise("restore it with its logs")
        } else {
            Error::new(
                JetErr::DatabaseDirtyShutdown,
                format!("{:?}: it needs log generations {min:#x} to {max:#x}", header.state()),
            )
            .advise("recover it from its logs")
        });
    }
    Ok(())
}

/// May it be attached for writing, too?
fn check_changeable(header: &DbHeader) -> Result<()> {
    if header.update_major.get() > DbHeader::UPDATE_MAJOR_CHANGED {
        return Err(Error::new(
            JetErr::InvalidDatabaseVersion,
            format!(
                "format update {}.{} is newer than {}, the newest whose databases are changed",
                header.update_major,
                header.update_minor,
                DbHeader::UPDATE_MAJOR_CHANGED
            ),
        )
        .advise("it can be read, not changed: attach it for reading only"));
    }
    header.check_clock()
}

/// Engines that cut a file off where pages behind the end still belong to somebody keep a list of
/// these pages (edb-format 5.3, from update 120 on). Whoever makes the file longer again would have
/// to give them back to their owners, which we do not.
fn check_nothing_shelved(attached: &Attached, header: &DbHeader) -> Result<()> {
    if header.update_major.get() <= DbHeader::UPDATE_MAJOR_LAST_RESIZE {
        return Ok(());
    }
    let end = attached.db.file.page_count();
    let available = attached.space()?.available;
    let Some(shelved) = available.iter().find(|extent| extent.last().0 > end) else {
        return Ok(());
    };
    Err(Error::new(
        JetErr::FeatureNotAvailable,
        format!(
            "pages {} to {} were shelved when the file was cut off behind page {end}",
            shelved.first,
            shelved.last()
        ),
    )
    .advise("it can be read, not changed; compacted by its own engine it has no such pages"))
}
