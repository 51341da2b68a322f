//! The databases that redo meets: which file belongs to which record, whether it still needs the
//! records, and how it is made clean at the end.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use ese_base::{DbTime, Dbid, Error, Generation, JetErr, LgPos, ObjId, Result, Signature, plant};
use ese_log::Attachment;
use ese_os::Env;
use ese_pages::{
    DbHeader, DbState,
    cache::{CacheOptions, FlushGoal, PageCache},
    db_file::{Access, DbFile},
    dblwr,
    fence::NoLog,
    header::NewHeader,
};

use crate::{
    database::Database,
    instance::{INITIAL_PAGES, make_header_clean},
};

/// A database as redo sees it.
#[derive(Debug)]
pub(super) enum RedoDb {
    /// Records are applied to it.
    Open { db: Arc<Database>, path: PathBuf, created: Creation },
    /// Its file holds all of this run already; records of this number are passed over until the
    /// next attach.
    UpToDate,
    /// No such file. An error unless a later record creates or detaches it.
    Missing { cause: Error },
}

/// How far the creation of a database has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Creation {
    /// It existed before, or its creation finished.
    Complete,
    /// Its `CreateDbFinish` has not been seen.
    Begun,
}

/// All databases of a replay.
#[derive(Debug)]
pub(super) struct RedoDatabases {
    env: Env,
    options: CacheOptions,
    page_size: ese_base::PageSize,
    sign_log: Signature,
    /// First and last generation at hand.
    generations: (Generation, Generation),
    /// Is this the replay of a backup set? Then the databases are backup copies on purpose.
    hard: bool,
    by_id: BTreeMap<Dbid, RedoDb>,
}

/// What an attach record or an attachment list says of a database.
#[derive(Clone, Debug)]
pub(super) struct AttachInfo {
    pub(super) dbid: Dbid,
    pub(super) sign_db: Signature,
    pub(super) path: PathBuf,
    /// Its clock and its last object id then: replay may begin behind the records that moved them,
    /// and the header is older.
    pub(super) counters: (DbTime, ObjId),
}

impl From<&Attachment> for AttachInfo {
    fn from(attachment: &Attachment) -> AttachInfo {
        AttachInfo {
            dbid: attachment.dbid,
            sign_db: attachment.sign_db,
            path: PathBuf::from(&attachment.path),
            counters: (attachment.dbtime, attachment.objid_last),
        }
    }
}

impl RedoDatabases {
    pub(super) fn new(
        env: &Env,
        options: CacheOptions,
        page_size: ese_base::PageSize,
        sign_log: Signature,
        generations: (Generation, Generation),
        hard: bool,
    ) -> RedoDatabases {
        let env = env.clone();
        RedoDatabases {
            env,
            options,
            page_size,
            sign_log,
            generations,
            hard,
            by_id: BTreeMap::new(),
        }
    }

    /// The database that a page record changes, if it needs the record.
    pub(super) fn open(&self, dbid: Dbid) -> Option<&Arc<Database>> {
        match self.by_id.get(&dbid) {
            Some(RedoDb::Open { db, .. }) => Some(db),
            _ => None,
        }
    }

    /// All databases that are open.
    pub(super) fn all_open(&self) -> Vec<Arc<Database>> {
        let open = self.by_id.values().filter_map(|db| match db {
            RedoDb::Open { db, .. } => Some(Arc::clone(db)),
            _ => None,
        });
        open.collect()
    }

    /// A database is attached at `at`, or was attached when replay begins there.
    pub(super) fn attach(&mut self, info: &AttachInfo, at: LgPos) -> Result<()> {
        if let Some(RedoDb::Open { db, .. }) = self.by_id.get(&info.dbid)
            && db.file.header().sign_db == info.sign_db
        {
            return Ok(());
        }
        let state = if self.env.fs.exists(&info.path)? {
            self.open_file(info, at)?
        } else {
            let cause = Error::new(
                JetErr::AttachedDatabaseMismatch,
                format!("the log needs the database at {at}, and it is not there"),
            )
            .at_path(&info.path)
            .advise("put the database back, or restore it from a backup");
            RedoDb::Missing { cause }
        };
        self.by_id.insert(info.dbid, state);
        Ok(())
    }

    fn open_file(&self, info: &AttachInfo, at: LgPos) -> Result<RedoDb> {
        let file = DbFile::open(&self.env, &info.path, Access::ReadWrite)?;
        let header = file.header();
        if header.page_size()? != self.page_size {
            return Err(Error::new(
                JetErr::PageSizeMismatch,
                format!("pages of {} bytes, the log has {}", header.page_size()?, self.page_size),
            )
            .at_path(&info.path));
        }
        if header.sign_db != info.sign_db {
            let cause = Error::new(
                JetErr::AttachedDatabaseMismatch,
                format!("the log means database {}, the file is {}", info.sign_db, header.sign_db),
            )
            .at_path(&info.path)
            .advise("put the right database back, or move this one away");
            return Ok(RedoDb::Missing { cause });
        }
        if header.state() == DbState::CleanShutdown && header.lgpos_consistent.get() >= at {
            return Ok(RedoDb::UpToDate);
        }
        self.check_range(&header).map_err(|error| error.at_path(&info.path))?;
        let created = match header.state() {
            DbState::JustCreated => Creation::Begun,
            _ => Creation::Complete,
        };
        self.join(info, file, created, at)
    }

    fn join(
        &self,
        info: &AttachInfo,
        file: DbFile,
        created: Creation,
        at: LgPos,
    ) -> Result<RedoDb> {
        let file = Arc::new(file);
        let header = file.header();
        if header.state() == DbState::CleanShutdown {
            // Attached, and the header did not get to say so: it is about to be changed.
            // From now on it is this log's, which it may never have been before.
            let (last, sign_log) = (self.generations.1, self.sign_log);
            file.update_header(|header| {
                header.set_state(DbState::DirtyShutdown);
                header.sign_log = sign_log;
                require(header, at, last);
            })?;
        }
        let cache = PageCache::new(Arc::clone(&file), self.options.clone())?;
        let (dbtime, objid) = (header.dbtime(), header.last_objid());
        let db = Arc::new(Database::new(info.dbid, file, cache, None, dbtime, objid));
        db.advance_dbtime(info.counters.0);
        db.advance_objid(info.counters.1);
        Ok(RedoDb::Open { db, path: info.path.clone(), created })
    }

    /// Are the generations at hand that the header asks for? (backup-log-recovery 3.4)
    fn check_range(&self, header: &DbHeader) -> Result<()> {
        if header.state() == DbState::CleanShutdown || header.state() == DbState::JustCreated {
            return Ok(());
        }
        if header.sign_log != self.sign_log {
            return Err(Error::new(
                JetErr::DatabaseLogSetMismatch,
                format!("it belongs to log {}, these are {}", header.sign_log, self.sign_log),
            )
            .advise("recover it with its own log"));
        }
        if header.bkinfo_full_cur.gen_low.get() != 0 && !self.hard {
            return Err(Error::new(
                JetErr::SoftRecoveryOnBackupDatabase,
                "the file is a copy out of a backup",
            )
            .advise("restore the backup set it belongs to"));
        }
        let (first, last) = self.generations;
        let (min, max) = (header.gen_min_required.get(), header.gen_max_required.get());
        if min < first.0 || max > last.0 {
            return Err(Error::new(
                JetErr::RequiredLogFilesMissing,
                format!(
                    "it needs generations {min:#x} to {max:#x}; at hand are {:#x} to {:#x}",
                    first.0, last.0
                ),
            )
            .advise("bring the missing log files back"));
        }
        if header.gen_max_committed.get() > last.0 {
            return Err(Error::new(
                JetErr::CommittedLogFilesMissing,
                format!(
                    "commits reach to generation {:#x}; the last at hand is {:#x}",
                    header.gen_max_committed, last.0
                ),
            )
            .advise("bring the missing log files back"));
        }
        Ok(())
    }

    /// A database is created at `at`.
    pub(super) fn create(&mut self, info: &AttachInfo, at: LgPos) -> Result<()> {
        // A checkpoint that was written during the creation knows the database already, and one of
        // another signature is a creation that a crash cut off: nothing of either is needed.
        let superseded = |dbid: &Dbid, state: &RedoDb| match state {
            RedoDb::Open { path, .. } => *dbid == info.dbid || *path == info.path,
            _ => false,
        };
        self.by_id.retain(|dbid, state| !superseded(dbid, state));
        if self.env.fs.exists(&info.path)? {
            return self.create_over(info, at);
        }
        let state = self.create_file(info, at)?;
        self.by_id.insert(info.dbid, state);
        Ok(())
    }

    /// The file of a create record exists: it is that database, or the beginning of it.
    fn create_over(&mut self, info: &AttachInfo, at: LgPos) -> Result<()> {
        let begun = match DbFile::open(&self.env, &info.path, Access::ReadWrite) {
            Ok(file) => file.header().state() == DbState::JustCreated,
            // A creation that was cut before both headers were durable left no database.
            Err(error) => match error.code() {
                JetErr::FileAccessDenied | JetErr::DiskIO => return Err(error),
                _ => !self.is_database(&info.path)?,
            },
        };
        if !begun {
            return self.attach(info, at);
        }
        self.remove(&info.path)?;
        let state = self.create_file(info, at)?;
        self.by_id.insert(info.dbid, state);
        Ok(())
    }

    /// Does the file's first header page carry the mark of a database? It is written when the
    /// shadow is durable, so a creation that was cut before has none, even with a torn shadow.
    fn is_database(&self, path: &Path) -> Result<bool> {
        let file = self.env.fs.open(path, ese_os::OpenMode::Read)?;
        let mut start = [0; 8];
        Ok(file.read_at(&mut start, 0).is_ok() && start[4..] == DbHeader::MAGIC.to_le_bytes())
    }

    /// Removes the file of a database that nobody was told of.
    fn remove(&self, path: &Path) -> Result<()> {
        self.env.fs.remove_file(path)?;
        dblwr::remove(&self.env, path)?;
        path.parent().map_or(Ok(()), |dir| self.env.fs.sync_dir(dir))
    }

    fn create_file(&self, info: &AttachInfo, at: LgPos) -> Result<RedoDb> {
        let (page_size, sign_log) = (self.page_size, self.sign_log);
        let header = DbHeader::new(NewHeader { page_size, sign_db: info.sign_db, sign_log });
        let file = DbFile::create(&self.env, &info.path, header, INITIAL_PAGES)?;
        self.join(info, file, Creation::Begun, at)
    }

    /// The creation of a database is complete.
    pub(super) fn creation_finished(&mut self, dbid: Dbid, at: LgPos) -> Result<()> {
        let last = self.generations.1;
        if let Some(RedoDb::Open { db, created, .. }) = self.by_id.get_mut(&dbid)
            && *created == Creation::Begun
        {
            *created = Creation::Complete;
            db.cache.flush(FlushGoal::All, &NoLog)?;
            db.file.update_header(|header| {
                header.set_state(DbState::DirtyShutdown);
                require(header, at, last);
                header.lgpos_attach = at.into();
            })?;
        }
        Ok(())
    }

    /// A database is detached at `at`: it is clean from there on. One whose creation never finished
    /// was removed when this part of the log was written, and is removed again.
    pub(super) fn detach(&mut self, dbid: Dbid, at: LgPos) -> Result<()> {
        match self.by_id.remove(&dbid) {
            Some(RedoDb::Open { db, path, created: Creation::Begun }) => {
                drop(db);
                self.remove(&path)
            }
            Some(RedoDb::Open { db, .. }) => self.make_clean(&db, at),
            _ => Ok(()),
        }
    }

    /// All databases are clean at `at`: a run ended there, or recovery is about to.
    pub(super) fn detach_all(&mut self, at: LgPos) -> Result<()> {
        let ids: Vec<Dbid> = self.by_id.keys().copied().collect();
        for dbid in ids {
            self.detach(dbid, at)?;
        }
        Ok(())
    }

    fn make_clean(&self, db: &Database, at: LgPos) -> Result<()> {
        db.check_none_missing().map_err(|error| error.at_path(db.file.path()))?;
        if !plant!("engine-clean-before-pages") {
            db.cache.flush(FlushGoal::All, &NoLog)?;
        }
        make_header_clean(db, at, self.env.clock.log_time())?;
        db.file.remove_double_write()
    }

    /// Before undo: every database that the log needs is there, with every page.
    pub(super) fn check_complete(&mut self) -> Result<()> {
        for db in self.all_open() {
            db.check_none_missing().map_err(|error| error.at_path(db.file.path()))?;
        }
        for state in std::mem::take(&mut self.by_id) {
            match state {
                (_, RedoDb::Missing { cause }) => return Err(cause),
                (dbid, state) => {
                    self.by_id.insert(dbid, state);
                }
            }
        }
        Ok(())
    }

    /// Removes databases whose creation never finished; nobody was told that they exist.
    pub(super) fn remove_unfinished(&mut self) -> Result<()> {
        let unfinished: Vec<Dbid> = self
            .by_id
            .iter()
            .filter(|(_, db)| matches!(db, RedoDb::Open { created: Creation::Begun, .. }))
            .map(|(&dbid, _)| dbid)
            .collect();
        for dbid in unfinished {
            if let Some(RedoDb::Open { path, db, .. }) = self.by_id.remove(&dbid) {
                drop(db);
                self.remove(&path)?;
            }
        }
        Ok(())
    }

    /// Joins the databases to the log, so that undo can write its records.
    pub(super) fn connect(&mut self, log: &Arc<ese_log::Log>) -> Result<()> {
        for state in self.by_id.values_mut() {
            if let RedoDb::Open { db, .. } = state {
                db.connect(Arc::clone(log))?;
            }
        }
        Ok(())
    }
}

/// Recovery of the database needs the log from `at` to the last generation at hand.
fn require(header: &mut DbHeader, at: LgPos, last: Generation) {
    header.gen_min_required = at.generation.0.into();
    header.gen_min_consistent = at.generation.0.into();
    header.gen_max_required = last.0.into();
    header.gen_max_committed = last.0.into();
}
