//! The databases that redo meets: which file belongs to which record, whether it still needs the
//! records, and how it is made clean at the end.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use ese_base::{
    BkInfo, Dbid, Error, Generation, JetErr, LgPos, LogTime, Pgno, Result, Signature, plant,
};
use ese_log::records::{Backup2, BackupPhase, SetDbVersion};
use ese_os::{Env, Worker, parent_of};
use ese_pages::{
    DbHeader, DbState,
    cache::{CacheOptions, FlushGoal, PageCache},
    db_file::{Access, DbFile},
    dblwr,
    header::{BackupScope, NewHeader, remember_backup},
};

use super::{
    options::{RecoveryFlags, WhenMissing},
    places::{AttachInfo, Placed},
    ranges::{Needs, Ranges, RequireFirst, require_up_to},
    watch::{RecoveryEvent, Watch},
};
use crate::{
    database::Database,
    instance::{INITIAL_PAGES, forget_backups, make_header_clean},
    redo::base,
};

/// A database as redo sees it.
#[derive(Debug)]
pub(super) enum RedoDb {
    /// Records are applied to it.
    Open {
        db: Arc<Database>,
        path: PathBuf,
        /// As [`AttachInfo::leads_to`]; so are the keys of what is remembered of files.
        leads_to: PathBuf,
        created: Creation,
        needs: Needs,
    },
    /// Its file holds all of this run already, or was attached later and may be of a history
    /// without it; records of this number are passed over until the next attach.
    PassedOver,
    /// No such file. An error unless a later record creates or detaches it, or it may be left out.
    Missing { cause: Error, ignored: bool },
    /// No file can be made where its creation begins; nothing is missing unless the log says that
    /// the creation finished.
    Uncreated(Error),
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
    ranges: Ranges,
    by_id: BTreeMap<Dbid, RedoDb>,
    /// Pages that copies missed when a run of the instance ended; see
    /// [`RedoDatabases::carry_missing`].
    owed: BTreeMap<PathBuf, BTreeMap<Pgno, Error>>,
    /// The first generation with commits that is lost, with leave.
    lost_from: Option<Generation>,
    /// Where the attachments of dirty files are logged that have not been met yet.
    ahead: BTreeMap<PathBuf, LgPos>,
    /// Copies in whose place the log has another database, which nothing has created. The caller
    /// may name a place otherwise than the log.
    exchanged: BTreeMap<PathBuf, Error>,
}

impl RedoDatabases {
    pub(super) fn new(
        env: &Env,
        options: CacheOptions,
        page_size: ese_base::PageSize,
        ranges: Ranges,
    ) -> RedoDatabases {
        RedoDatabases {
            env: env.clone(),
            options,
            page_size,
            ranges,
            by_id: BTreeMap::new(),
            owed: BTreeMap::new(),
            lost_from: None,
            ahead: BTreeMap::new(),
            exchanged: BTreeMap::new(),
        }
    }

    /// A run ended cleanly, or a database is detached. A copy out of a backup may be from after
    /// that: a page that it lacks may have been cut off or trimmed before it was copied, and the
    /// log will say so. Such pages are looked for again at the end.
    pub(super) fn carry_missing(&mut self, dbid: Option<Dbid>) {
        if !self.ranges.hard {
            return;
        }
        for (own, state) in &self.by_id {
            if let RedoDb::Open { db, leads_to, .. } = state
                && dbid.is_none_or(|dbid| dbid == *own)
            {
                let missing = db.take_missing();
                if !missing.is_empty() {
                    self.owed.entry(leads_to.clone()).or_default().extend(missing);
                }
            }
        }
    }

    /// The first generation with commits that is lost, with leave.
    pub(super) fn lost_from(&self) -> Option<Generation> {
        self.lost_from
    }

    /// What the databases that are open asked for.
    pub(super) fn needs(&self) -> impl Iterator<Item = Needs> {
        self.by_id.values().filter_map(|db| match db {
            RedoDb::Open { needs, .. } => Some(*needs),
            _ => None,
        })
    }

    /// Is a page record at this position not worth a look at the page?
    pub(super) fn is_before_required(&self, dbid: Dbid, pos: LgPos) -> bool {
        self.ranges.flags.contains(RecoveryFlags::SKIP_BEFORE_REQUIRED)
            && matches!(
                self.by_id.get(&dbid),
                Some(RedoDb::Open { needs, .. }) if pos.generation < needs.min_required
            )
    }

    /// What has to be true before pages are written.
    pub(super) fn fence<'r>(&'r self, db: &'r Database) -> RequireFirst<'r> {
        RequireFirst { file: &db.file, ranges: &self.ranges }
    }

    /// The file of an open database.
    pub(super) fn path_of(&self, dbid: Dbid) -> Option<&Path> {
        match self.by_id.get(&dbid) {
            Some(RedoDb::Open { path, .. }) => Some(path),
            _ => None,
        }
    }

    /// The files of the databases that are open.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        let open = self.by_id.values().filter_map(|db| match db {
            RedoDb::Open { path, .. } => Some(path.clone()),
            _ => None,
        });
        open.collect()
    }

    /// The headers of the databases that are open.
    pub(super) fn headers(&self) -> Vec<DbHeader> {
        self.all_open().iter().map(|db| db.file.header()).collect()
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
    pub(super) fn attach(
        &mut self,
        info: &AttachInfo,
        at: LgPos,
        watch: &mut Watch<'_>,
    ) -> Result<()> {
        if let Some(RedoDb::Open { db, .. }) = self.by_id.get(&info.dbid)
            && db.file.header().sign_db == info.sign_db
        {
            return Ok(());
        }
        let state = self.find(info, at, watch)?;
        if let RedoDb::Open { path, leads_to, db, .. } = &state {
            for (pgno, why) in self.owed.remove(leads_to).into_iter().flatten() {
                db.note_missing(pgno, why);
            }
            watch.tell(&RecoveryEvent::Attached { path })?;
        }
        self.by_id.insert(info.dbid, state);
        Ok(())
    }

    fn find(&mut self, info: &AttachInfo, at: LgPos, watch: &mut Watch<'_>) -> Result<RedoDb> {
        let cause = if info.placed == Placed::Unmapped {
            Error::new(
                JetErr::AttachedDatabaseMismatch,
                format!("the log needs the database at {at}, and the map does not name it"),
            )
            .advise("name it in the map, or allow databases that are not in it")
        } else if info.placed == Placed::Outside {
            let what = "the log knows this database, and it lies outside of where is replayed";
            Error::new(JetErr::AttachedDatabaseMismatch, what)
        } else if self.env.fs.exists(&info.path)? {
            match DbFile::open(&self.env, &info.path, Access::ReadWrite) {
                Ok(file) => return self.open_file(info, file, at, watch),
                // Somebody else has it, or it is not ours to read: as good as absent.
                Err(error) if error.code() == JetErr::FileAccessDenied => error,
                Err(error) => return Err(error),
            }
        } else {
            let when_missing = match info.placed {
                Placed::Mapped { when_missing, .. } => when_missing,
                _ => WhenMissing::AsFlagged,
            };
            if when_missing == WhenMissing::Fail {
                let what = "the file of the map is not there";
                return Err(Error::new(JetErr::FileNotFound, what).at_path(&info.path));
            }
            Error::new(
                JetErr::AttachedDatabaseMismatch,
                format!("the log needs the database at {at}, and it is not there"),
            )
            .advise("put the database back, or restore it from a backup")
        };
        Ok(self.missing(info, cause))
    }

    fn missing(&self, info: &AttachInfo, cause: Error) -> RedoDb {
        let by_map =
            matches!(info.placed, Placed::Mapped { when_missing: WhenMissing::Ignore, .. });
        let unnamed = matches!(info.placed, Placed::Inside | Placed::Outside);
        let ignored = by_map
            || unnamed
            || self.ranges.flags.contains(RecoveryFlags::IGNORE_MISSING_DATABASES);
        RedoDb::Missing { cause: cause.at_path(&info.path), ignored }
    }

    fn open_file(
        &mut self,
        info: &AttachInfo,
        file: DbFile,
        at: LgPos,
        watch: &mut Watch<'_>,
    ) -> Result<RedoDb> {
        let header = file.header();
        if header.page_size()? != self.page_size {
            return Err(Error::new(
                JetErr::PageSizeMismatch,
                format!("pages of {} bytes, the log has {}", header.page_size()?, self.page_size),
            )
            .at_path(&info.path));
        }
        if header.sign_db != info.sign_db {
            return Ok(self.another(info, &header, at));
        }
        let is_clean = header.state() == DbState::CleanShutdown;
        if is_clean && self.is_up_to_date(&header, at) {
            self.exchanged.remove(&info.leads_to);
            return Ok(RedoDb::PassedOver);
        }
        if is_clean && let Err(cause) = check_as_attached(&header, info, at) {
            let cause = cause.at_path(&info.path);
            if header.sign_log != self.ranges.sign_log && !info.placed.is_named() {
                // It has been elsewhere; the log may still say that it was detached before.
                return Ok(RedoDb::Missing { cause, ignored: false });
            }
            return Err(cause);
        }
        if self.is_ahead(&header, at) {
            self.exchanged.remove(&info.leads_to);
            self.ahead.insert(info.leads_to.clone(), header.lgpos_attach.get());
            return Ok(RedoDb::PassedOver);
        }
        self.ahead.remove(&info.leads_to);
        let lost = self.ranges.check(&header, watch).map_err(|error| error.at_path(&info.path))?;
        self.lost_from = lost.or(self.lost_from);
        if !is_clean {
            check_consistent(&header, info).map_err(|error| error.at_path(&info.path))?;
        }
        let created = match header.state() {
            DbState::JustCreated => Creation::Begun,
            _ => Creation::Complete,
        };
        self.exchanged.remove(&info.leads_to);
        self.join(info, file, created, at)
    }

    /// The file is not the database that the log means at `at`.
    fn another(&mut self, info: &AttachInfo, header: &DbHeader, at: LgPos) -> RedoDb {
        let (meant, found) = (info.sign_db, header.sign_db);
        if matches!(info.placed, Placed::Inside | Placed::Moved) {
            let what = format!(
                "from {at} on the log means database {meant}, and the copy is {found}: it was \
                 exchanged"
            );
            let error = Error::new(JetErr::AttachedDatabaseMismatch, what)
                .at_path(&info.path)
                .at_generation(at.generation)
                .advise("restore a backup that was made after it, or end before it");
            self.exchanged.entry(info.leads_to.clone()).or_insert(error);
        }
        let what = format!("the log means database {meant}, the file is {found}");
        let cause = Error::new(JetErr::AttachedDatabaseMismatch, what)
            .advise("put the right database back, or move this one away");
        self.missing(info, cause)
    }

    /// Was the clean file in this log at `at`, or behind? Where it was clean in another log is a
    /// position in that one, and tells nothing of this one.
    fn is_up_to_date(&self, header: &DbHeader, at: LgPos) -> bool {
        header.sign_log == self.ranges.sign_log && header.lgpos_consistent.get() >= at
    }

    /// Was the file attached behind `at`? It was clean then, so that nothing before concerns it;
    /// and what was logged before may be of a history that ended when somebody put an older copy in
    /// the file's place. (As the published source does.)
    fn is_ahead(&self, header: &DbHeader, at: LgPos) -> bool {
        !plant!("engine-redo-before-attach")
            && header.state() == DbState::DirtyShutdown
            && header.sign_log == self.ranges.sign_log
            && header.lgpos_attach.get() > at
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
        header.check_clock().map_err(|error| error.at_path(file.path()))?;
        if header.is_backup_copy() {
            file.cut_trailer()?;
        }
        if header.state() == DbState::CleanShutdown {
            // Attached, and the header did not get to say so: it is about to be changed.
            // From now on it is this log's, which it may never have been before.
            let (begun, sign_log) = (self.ranges.begun(at.generation), self.ranges.sign_log);
            file.update_header(|header| {
                header.set_state(DbState::DirtyShutdown);
                if header.sign_log != sign_log {
                    forget_backups(header);
                }
                header.bkinfo_snapshot_cur = BkInfo::default();
                header.sign_log = sign_log;
                header.lgpos_attach = info.attached.into();
                header.set_last_resize(info.attached);
                require(header, begun);
            })?;
        }
        let cache = PageCache::new(Arc::clone(&file), self.options.clone())?;
        let (dbtime, objid) = (header.dbtime(), header.last_objid());
        let db = Arc::new(Database::new(info.dbid, file, cache, None, dbtime, objid));
        db.advance_dbtime(info.counters.0);
        db.advance_objid(info.counters.1);
        let needs = Needs::of(&header);
        let (path, leads_to) = (info.path.clone(), info.leads_to.clone());
        Ok(RedoDb::Open { db, path, leads_to, created, needs })
    }

    /// Makes the pages of a database that was created at `at`, if this format of the log does not
    /// describe them.
    pub(super) fn create_early(&mut self, dbid: Dbid, at: LgPos, end: LgPos) -> Result<()> {
        let Some(RedoDb::Open { db, created: Creation::Begun, .. }) = self.by_id.get(&dbid) else {
            return Ok(());
        };
        base::create_early_base(db, at, end)?;
        db.file.update_header(|header| {
            header.update_major = base::EARLY_UPDATE.into();
            header.create_update_major = base::EARLY_UPDATE.into();
            header.sort_version = base::EARLY_SORT_VERSION.into();
        })?;
        self.creation_finished(dbid, at)
    }

    /// A database is created at `at`.
    pub(super) fn create(
        &mut self,
        info: &AttachInfo,
        at: LgPos,
        watch: &mut Watch<'_>,
    ) -> Result<()> {
        if matches!(info.placed, Placed::Unmapped | Placed::Outside) {
            return self.attach(info, at, watch);
        }
        // A checkpoint that was written during the creation knows the database already, and one of
        // another signature is a creation that a crash cut off: nothing of either is needed.
        let superseded = |dbid: &Dbid, state: &RedoDb| match state {
            RedoDb::Open { leads_to, .. } => *dbid == info.dbid || *leads_to == info.leads_to,
            _ => false,
        };
        self.by_id.retain(|dbid, state| !superseded(dbid, state));
        self.exchanged.remove(&info.leads_to);
        let made = match self.env.fs.exists(&info.path) {
            Ok(true) => return self.create_over(info, at, watch),
            Ok(false) => self.create_file(info, at),
            Err(error) => Err(error),
        };
        let state = match made {
            Err(error)
                if matches!(error.code(), JetErr::InvalidPath | JetErr::FileAccessDenied) =>
            {
                RedoDb::Uncreated(error.at_path(&info.path))
            }
            made => made?,
        };
        self.by_id.insert(info.dbid, state);
        Ok(())
    }

    /// The file of a create record exists: it is that database, or the beginning of it.
    fn create_over(&mut self, info: &AttachInfo, at: LgPos, watch: &mut Watch<'_>) -> Result<()> {
        // In a restore the copy is older: the database was removed and another one made.
        let overwrite = matches!(
            info.placed,
            Placed::Inside | Placed::Mapped { overwrite_on_create: true, .. }
        );
        let begun = match DbFile::open(&self.env, &info.path, Access::ReadWrite) {
            Ok(file) if overwrite && file.header().sign_db != info.sign_db => {
                !self.is_ahead(&file.header(), at)
            }
            Ok(file) => file.header().state() == DbState::JustCreated,
            // A creation that was cut before both headers were durable left no database.
            Err(error) => match error.code() {
                JetErr::DiskIO => return Err(error),
                // Somebody else has it.
                JetErr::FileAccessDenied => false,
                _ => !self.is_database(&info.path)?,
            },
        };
        if !begun {
            return self.attach(info, at, watch);
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
        self.env.fs.sync_dir(parent_of(path))
    }

    fn create_file(&self, info: &AttachInfo, at: LgPos) -> Result<RedoDb> {
        let (page_size, sign_log) = (self.page_size, self.ranges.sign_log);
        if let Some(dir) = info.path.parent().filter(|_| info.placed == Placed::Inside) {
            self.env.fs.create_dir_all(dir)?;
        }
        let mut header = DbHeader::new(NewHeader { page_size, sign_db: info.sign_db, sign_log });
        header.lgpos_attach = info.attached.into();
        let file = DbFile::create(&self.env, &info.path, header, INITIAL_PAGES)?;
        self.join(info, file, Creation::Begun, at)
    }

    /// The database's format was changed, before anything that needs the newer one.
    pub(super) fn set_version(&self, version: &SetDbVersion) -> Result<()> {
        let Some(db) = self.open(version.dbid) else { return Ok(()) };
        let (major, minor) = (version.update_major, version.update_minor);
        let header = db.file.header();
        let newer = (header.update_major.get(), header.update_minor.get()) < (major, minor);
        if version.major != DbHeader::VERSION || major > DbHeader::UPDATE_MAJOR_NEWEST {
            let what = format!("format {:#x},{major} is newer than what is read", version.major);
            return Err(Error::new(JetErr::InvalidDatabaseVersion, what).at_path(db.file.path()));
        }
        if newer {
            db.file.update_header(|header| {
                header.update_major = major.into();
                header.update_minor = minor.into();
            })?;
        }
        Ok(())
    }

    /// A backup ended, and the header of its database was to remember it.
    pub(super) fn remember_backup(&self, backup: &Backup2<'_>) -> Result<()> {
        let scope = BackupScope::from_u8(backup.scope);
        let (Some(db), Some(scope)) = (self.open(backup.dbid), scope) else { return Ok(()) };
        if backup.phase != BackupPhase::Update {
            return Ok(());
        }
        // Written only where it changes something.
        let mut header = db.file.header();
        if remember_backup(&mut header, scope, backup.kind, backup.mark) {
            db.file.update_header(|header| {
                remember_backup(header, scope, backup.kind, backup.mark);
            })?;
        }
        Ok(())
    }

    /// The creation of a database is complete.
    pub(super) fn creation_finished(&mut self, dbid: Dbid, at: LgPos) -> Result<()> {
        if let Some(state) = self.by_id.remove(&dbid) {
            let state = match state {
                RedoDb::Uncreated(cause) => RedoDb::Missing { cause, ignored: false },
                state => state,
            };
            self.by_id.insert(dbid, state);
        }
        let ranges = &self.ranges;
        if let Some(RedoDb::Open { db, created, .. }) = self.by_id.get_mut(&dbid)
            && *created == Creation::Begun
        {
            *created = Creation::Complete;
            let fence = RequireFirst { file: &db.file, ranges };
            db.cache.flush(FlushGoal::All, &fence)?;
            let begun = ranges.begun(at.generation);
            db.file.update_header(|header| {
                header.set_state(DbState::DirtyShutdown);
                require(header, begun);
            })?;
        }
        Ok(())
    }

    /// A database is detached at `at`: it is clean from there on. One whose creation never finished
    /// was removed when this part of the log was written, and is removed again.
    pub(super) fn detach(&mut self, dbid: Dbid, at: LgPos) -> Result<()> {
        match self.by_id.remove(&dbid) {
            Some(RedoDb::Open { db, path, created: Creation::Begun, .. }) => {
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
            db.cache.flush(FlushGoal::All, &self.fence(db))?;
        }
        make_header_clean(db, at, self.env.clock.log_time())?;
        db.file.remove_double_write()
    }

    /// Before undo: every database that the log needs is there, with every page. The value is how
    /// many are left out, with leave.
    pub(super) fn check_complete(&mut self) -> Result<u32> {
        for db in self.all_open() {
            db.check_none_missing().map_err(|error| error.at_path(db.file.path()))?;
        }
        if let Some((path, pages)) = self.owed.pop_first()
            && let Some((_, why)) = pages.into_iter().next()
        {
            return Err(why.at_path(path));
        }
        if let Some((_, exchanged)) = self.exchanged.pop_first() {
            return Err(exchanged);
        }
        if let Some((path, at)) = self.ahead.pop_first() {
            let what = format!("the file was attached at {at}, which the log does not reach");
            return Err(Error::new(JetErr::RequiredLogFilesMissing, what)
                .at_path(path)
                .at_generation(at.generation)
                .advise("bring the logs that follow"));
        }
        let mut left_out = 0;
        for state in std::mem::take(&mut self.by_id) {
            match state {
                (_, RedoDb::Missing { cause, ignored: false }) => return Err(cause),
                (_, RedoDb::Uncreated(_)) => {}
                (_, RedoDb::Missing { cause, ignored: true }) => {
                    tracing::warn!(%cause, "recovery goes on without a database");
                    left_out += 1;
                }
                (dbid, state) => {
                    self.by_id.insert(dbid, state);
                }
            }
        }
        Ok(left_out)
    }

    /// Writes what redo has changed, and lets go of the databases as they are.
    pub(super) fn leave_dirty(&mut self) -> Result<()> {
        for db in self.all_open() {
            db.cache.flush(FlushGoal::All, &self.fence(&db))?;
        }
        self.by_id.clear();
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

    /// While the rest of recovery goes on, a thread writes what redo has changed, if that is much.
    /// It has come to its end when the value is dropped. What it cannot write stays dirty, and is
    /// written, or refused, when the database is made clean.
    pub(super) fn write_behind(&self, log: &Arc<ese_log::Log>) -> Result<Option<Worker>> {
        let mut databases = self.all_open();
        databases.retain(|db| db.cache.dirty_count() > db.cache.options().batch_pages);
        if databases.is_empty() {
            return Ok(None);
        }
        let log = Arc::clone(log);
        let body = move || {
            for db in databases {
                if let Err(error) = db.cache.flush(FlushGoal::All, log.as_ref()) {
                    tracing::debug!(%error, "pages that redo has changed could not be written yet");
                }
            }
        };
        self.env.threads.spawn("ese-redo-flush", Box::new(body))
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

/// A copy from before the last clean end is not what the log has attached.
fn check_consistent(header: &DbHeader, info: &AttachInfo) -> Result<()> {
    let (theirs, ours) = (header.lgpos_consistent.get(), info.consistent);
    if theirs == ours || theirs == LgPos::MIN || ours == LgPos::MIN {
        return Ok(());
    }
    Err(Error::new(
        JetErr::ConsistentTimeMismatch,
        format!("the log attached it as it was at {ours}; the file was last clean at {theirs}"),
    )
    .advise("put the newer file back, or restore it from a backup"))
}

/// A clean file that is not up to date takes part in the state that the log has attached, and from
/// the attachment on: what was logged between that and a later beginning would be lost.
fn check_as_attached(header: &DbHeader, info: &AttachInfo, at: LgPos) -> Result<()> {
    check_consistent(header, info)?;
    if at <= info.attached || header.lgpos_consistent.get() == LgPos::MIN {
        return Ok(());
    }
    Err(Error::new(
        JetErr::RequiredLogFilesMissing,
        format!(
            "the file is as it was attached at {}, and the log at hand begins at {at}",
            info.attached
        ),
    )
    .at_generation(info.attached.generation)
    .advise("bring the older log files back, or the newer database"))
}

/// The generation from which a file that a checkpoint has attached needs the log, if that is older:
/// somebody has put an older state of it in its place. In which state another log has left a file
/// that was attached, only the whole log can tell, from its `oldest` generation on.
pub(super) fn needed_before(
    header: &DbHeader,
    info: &AttachInfo,
    at: LgPos,
    (sign_log, oldest): (Signature, Generation),
) -> Option<Generation> {
    if header.sign_db != info.sign_db {
        return None;
    }
    let (consistent, min_required) = (header.lgpos_consistent.get(), header.gen_min_required.get());
    match header.state() {
        DbState::CleanShutdown if consistent == LgPos::MIN => None,
        // Its header is dirty before a checkpoint lies behind the attachment.
        DbState::CleanShutdown if consistent == info.consistent => {
            (info.attached < at).then_some(info.attached.generation)
        }
        DbState::CleanShutdown if header.sign_log != sign_log => Some(oldest),
        DbState::CleanShutdown => (consistent < at).then_some(consistent.generation),
        DbState::DirtyShutdown => {
            (min_required < at.generation.0).then_some(Generation(min_required))
        }
        _ => None,
    }
}

/// Recovery of the database needs the log from this generation on.
fn require(header: &mut DbHeader, begun: (Generation, LogTime)) {
    header.gen_min_required = begun.0.0.into();
    header.gen_min_consistent = begun.0.0.into();
    header.gen_max_committed = 0.into();
    require_up_to(header, begun);
}
