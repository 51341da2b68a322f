//! One attached database: its file, its pages, its clock and its counters.

use std::{
    collections::{BTreeMap, HashMap},
    ops::RangeBounds,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
};

use ese_base::{DbTime, Dbid, Error, JetErr, ObjId, PageSize, Pgno, Result};
use ese_log::Log;
use ese_pages::{
    PageCache,
    db_file::{Access, DbFile},
};
use parking_lot::Mutex;

use crate::{
    schema::{TableSchema, TreeInfo},
    tree::{TreeHandle, TreeKind},
};

/// An attached database (ESE: FMP).
#[derive(Debug)]
pub struct Database {
    /// Number within the instance; log records carry it.
    pub dbid: Dbid,
    /// The file with its header.
    pub file: Arc<DbFile>,
    /// Its pages.
    pub cache: PageCache,
    log: OnceLock<Arc<Log>>,
    dbtime: AtomicU64,
    objid_last: AtomicU32,
    /// One handle per tree, so that everybody shares its locks.
    trees: Mutex<HashMap<Pgno, Arc<TreeHandle>>>,
    /// The tree of MSysObjids, once the catalog has been read; `None` where there is no such table.
    objids: OnceLock<Option<Arc<TreeHandle>>>,
    /// Redo: pages that were not there when a record wanted to change them, and why that is wrong
    /// unless a later record says that they are of no use any more.
    missing: Mutex<BTreeMap<Pgno, Error>>,
    /// Pages that the file had when it was opened: behind them is nothing that was written before.
    pages_at_open: u32,
    /// The database root has got pages back since somebody asked.
    root_freed: AtomicBool,
    /// Pages that it may own; 0 = no limit.
    pages_max: AtomicU32,
    /// It is nobody's but the instance's, and means nothing once that has ended.
    temporary: bool,
}

impl Database {
    /// Joins the parts. Counters start where the header stands.
    #[must_use]
    pub fn new(
        dbid: Dbid,
        file: Arc<DbFile>,
        cache: PageCache,
        log: Option<Arc<Log>>,
        dbtime: DbTime,
        objid_last: ObjId,
    ) -> Database {
        Database {
            dbid,
            pages_at_open: file.page_count(),
            file,
            cache,
            log: log.map_or_else(OnceLock::new, OnceLock::from),
            dbtime: AtomicU64::new(dbtime.0),
            objid_last: AtomicU32::new(objid_last.0),
            trees: Mutex::new(HashMap::new()),
            objids: OnceLock::new(),
            missing: Mutex::default(),
            root_freed: AtomicBool::new(false),
            pages_max: AtomicU32::new(0),
            temporary: false,
        }
    }

    /// As [`Database::new`], for one that is not logged and means nothing once its instance has
    /// ended.
    pub(crate) fn temporary(
        dbid: Dbid,
        file: Arc<DbFile>,
        cache: PageCache,
        dbtime: DbTime,
        objid_last: ObjId,
    ) -> Database {
        let db = Database::new(dbid, file, cache, None, dbtime, objid_last);
        Database { temporary: true, ..db }
    }

    /// Can the page hold anything that was written before the file was opened?
    #[must_use]
    pub(crate) fn was_in_file(&self, pgno: Pgno) -> bool {
        pgno.0 <= self.pages_at_open
    }

    /// Is it the temporary database of an instance?
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.temporary
    }

    /// Is it open for reading only?
    #[inline]
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.file.access() == Access::ReadOnly
    }

    /// The limit of the file in pages; 0 is none.
    #[must_use]
    pub fn pages_max(&self) -> u32 {
        self.pages_max.load(Ordering::Relaxed)
    }

    /// Limits the pages that it may own, from now on; 0 = no limit.
    pub fn set_pages_max(&self, pages: u32) {
        self.pages_max.store(pages, Ordering::Relaxed);
    }

    /// As many of `wanted` pages behind the last one as the limit allows, if that is `least`.
    pub(crate) fn pages_allowed(&self, last: Pgno, least: u32, wanted: u32) -> Result<u32> {
        let room = match self.pages_max.load(Ordering::Relaxed) {
            0 => u32::MAX,
            most => most.saturating_sub(last.0),
        };
        if room < least {
            let what = format!("the database owns {} pages, {} more are too many", last.0, least);
            return Err(Error::new(JetErr::OutOfDatabaseSpace, what)
                .at_path(self.file.path())
                .advise("delete something, or attach it with a higher limit"));
        }
        Ok(wanted.min(room))
    }

    /// Page size of the file.
    #[must_use]
    pub fn page_size(&self) -> PageSize {
        self.file.page_size()
    }

    /// The log that describes every change; `None` with recovery off, for the instance or for this
    /// database alone, for one that is attached for reading only, and while redo replays what the
    /// log says already.
    pub fn log(&self) -> Option<&Arc<Log>> {
        self.log.get()
    }

    /// From now on changes are logged: redo has ended, undo begins.
    ///
    /// # Errors
    /// `JET_errInternalError` if it has a log.
    pub(crate) fn connect(&self, log: Arc<Log>) -> Result<()> {
        self.log
            .set(log)
            .map_err(|_| Error::new(JetErr::InternalError, "the database has a log already"))
    }

    /// The next tick of the database clock; every page change takes one.
    ///
    /// It is above the time of each page that was read, also where a header is behind its pages
    /// (Windows leaves such files): redo knows by the times what a page has seen.
    pub fn next_dbtime(&self) -> DbTime {
        let read = self.cache.newest_loaded().0;
        if read > self.dbtime.load(Ordering::Relaxed) {
            self.dbtime.fetch_max(read, Ordering::Relaxed);
        }
        DbTime(self.dbtime.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// The highest tick given out or replayed.
    #[must_use]
    pub fn dbtime(&self) -> DbTime {
        DbTime(self.dbtime.load(Ordering::Relaxed))
    }

    /// Redo: the clock never stands behind a replayed change.
    pub fn advance_dbtime(&self, seen: DbTime) {
        // Beyond it is no time; `NOT_CHECKED` lies there, too.
        if seen < DbTime::LIMIT {
            self.dbtime.fetch_max(seen.0, Ordering::Relaxed);
        }
    }

    /// A new object id.
    ///
    /// # Errors
    /// `JET_errOutOfObjectIDs` when the counter would wrap.
    pub fn next_objid(&self) -> Result<ObjId> {
        self.objid_last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| last.checked_add(1))
            .map(|last| ObjId(last + 1))
            .map_err(|_| {
                Error::new(JetErr::OutOfObjectIDs, "every object id of the database is used")
                    .at_path(self.file.path())
                    .advise("compact the database into a new file")
            })
    }

    /// The highest object id given out or replayed.
    #[must_use]
    pub fn objid_last(&self) -> ObjId {
        ObjId(self.objid_last.load(Ordering::Relaxed))
    }

    /// Redo: object ids that the log mentions are never given out again.
    pub fn advance_objid(&self, seen: ObjId) {
        self.objid_last.fetch_max(seen.0, Ordering::Relaxed);
    }

    /// The handle of a tree; the first caller says what kind it is.
    pub fn tree(&self, fdp: Pgno, objid: ObjId, kind: TreeKind) -> Arc<TreeHandle> {
        let mut trees = self.trees.lock();
        let new = || Arc::new(TreeHandle::new(self.dbid, fdp, objid, kind));
        let handle = trees.entry(fdp).or_insert_with(new);
        if handle.objid != objid {
            // The page was the root of a tree that is gone.
            *handle = new();
        }
        Arc::clone(handle)
    }

    /// The handle of a tree that the catalog tells of.
    pub fn tree_of(&self, tree: &TreeInfo<'_>) -> Arc<TreeHandle> {
        self.tree(tree.fdp, tree.objid, tree.kind)
    }

    /// Notes where the catalog has MSysObjids: files of older engines have it elsewhere than new
    /// ones (edb-format 5.6), or not at all.
    pub(crate) fn set_objids(&self, tables: &[TableSchema]) {
        let table = tables.iter().find(|table| table.name == "MSysObjids");
        self.objids.get_or_init(|| table.map(|table| self.tree_of(&table.tree())));
    }

    /// The tree of MSysObjids.
    pub(crate) fn objids(&self) -> Option<&Arc<TreeHandle>> {
        self.objids.get().and_then(Option::as_ref)
    }

    /// Redo: a page is not there that a record changes.
    pub(crate) fn note_missing(&self, pgno: Pgno, why: Error) {
        self.missing.lock().entry(pgno).or_insert(why);
    }

    /// Redo: these pages are created, or free: what was to be changed on them does not matter.
    pub(crate) fn forget_missing(&self, pages: impl RangeBounds<Pgno>) {
        let mut missing = self.missing.lock();
        if !missing.is_empty() {
            missing.retain(|pgno, _| !pages.contains(pgno));
        }
    }

    /// Forgets all of them; the value says what was missing.
    pub(crate) fn take_missing(&self) -> BTreeMap<Pgno, Error> {
        std::mem::take(&mut *self.missing.lock())
    }

    /// Redo has ended: no page may be missing.
    ///
    /// # Errors
    /// What was wrong with the first one.
    pub(crate) fn check_none_missing(&self) -> Result<()> {
        self.missing.lock().pop_first().map_or(Ok(()), |(_, why)| Err(why))
    }

    /// Notes that the database root got pages back.
    pub(crate) fn note_root_freed(&self) {
        self.root_freed.store(true, Ordering::Relaxed);
    }

    /// Has the database root got pages back since this was asked last?
    pub(crate) fn take_root_freed(&self) -> bool {
        self.root_freed.swap(false, Ordering::Relaxed)
    }

    /// Forgets a tree whose creation was rolled back or whose object was deleted.
    pub fn forget_tree(&self, fdp: Pgno) -> Option<Arc<TreeHandle>> {
        self.trees.lock().remove(&fdp)
    }
}
