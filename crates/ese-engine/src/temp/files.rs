//! The temporary database of an instance, and the names of its other temporary files.
//!
//! The temporary database is a database like any other, but for this: nothing of it is logged,
//! nobody attaches it, recovery does not know it. It is made when the first tree needs it and
//! removed when the instance ends; what a killed process leaves behind is removed at the next
//! start. Its trees use the same code as all others, and the same version store.
//!
//! A failed write makes it useless, and nothing else: its tables answer with an error until they
//! are closed, and the next table that needs a tree gets a new database.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use ese_base::{DbTime, Dbid, Error, JetErr, ObjId, PageSize, Pgno, ProcId, Result, Signature};
use ese_os::{Env, File, LockMode, OpenMode};
use ese_pages::{
    DbHeader,
    cache::{CacheOptions, PageCache},
    db_file::{Access, DbFile},
    header::NewHeader,
};
use parking_lot::Mutex;

use crate::{
    database::Database,
    instance::{INITIAL_PAGES, Instance, cache_options},
    schema::{DATABASE_ROOT, SpaceHints, TableSchema},
    session::TreeDrop,
    space,
    table::Table,
    tree::{TreeHandle, TreeKind, Writer},
};

/// Number of the first temporary database of an instance; log records never carry it.
const DBID_FIRST: Dbid = Dbid(0);
/// Numbers of those that come when one has failed: versions may still speak of its pages.
const DBID_NEXT: u8 = 128;

/// What an instance has of temporary files.
#[derive(Debug, Default)]
pub(crate) struct TempFiles {
    state: Mutex<State>,
    /// Temporary tables that are open.
    open: Arc<AtomicU32>,
}

#[derive(Debug, Default)]
struct State {
    database: Option<Arc<TempDatabase>>,
    /// Databases so far.
    made: u8,
}

/// Counts a temporary table as long as it is open.
#[derive(Debug)]
pub(super) struct OpenTable(Arc<AtomicU32>);

impl Drop for OpenTable {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl TempFiles {
    /// Registers a temporary table.
    ///
    /// # Errors
    /// `JET_errTooManySorts` (-1701) beyond the instance's limit.
    pub(super) fn enter(&self, most: u32) -> Result<OpenTable> {
        let more = |open| if open < most { Some(open + 1) } else { None };
        match self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
            Ok(_) => Ok(OpenTable(Arc::clone(&self.open))),
            Err(open) => {
                let what = format!(
                    "{open} temporary tables are open, {most} are allowed (JET_paramMaxTemporaryTables)"
                );
                Err(Error::new(JetErr::TooManySorts, what).advise("close some, or allow more"))
            }
        }
    }

    /// The temporary database.
    ///
    /// # Errors
    /// Those of creating it; `JET_errFileAlreadyExists` (-1814) where another file stands in its
    /// place, `JET_errFileAccessDenied` (-1032) where another instance has it.
    pub(super) fn database(&self, instance: &Instance) -> Result<Arc<TempDatabase>> {
        let mut state = self.state.lock();
        if let Some(database) = &state.database {
            if database.failure().is_none() {
                return Ok(Arc::clone(database));
            }
            database.remove();
            state.database = None;
        }
        let base = instance.config.temp_path();
        let (dbid, path) = match state.made {
            0 => (DBID_FIRST, base),
            // The tables of the failed one hold its name until they are closed.
            n => (Dbid(DBID_NEXT | (n & 0x7f)), with_suffix(&base, &format!(".{n}"))),
        };
        let database = Arc::new(TempDatabase::create(instance, dbid, &path)?);
        state.made = state.made.wrapping_add(1).max(1);
        state.database = Some(Arc::clone(&database));
        Ok(database)
    }

    /// Removes the temporary database: the instance ends.
    pub(crate) fn remove(&self) {
        if let Some(database) = self.state.lock().database.take() {
            database.remove();
        }
    }
}

/// A name for a file of runs that nobody has used.
pub(super) fn run_path(instance: &Instance) -> PathBuf {
    let name = format!("{RUN}{:08x}", instance.env.rng.next_u32());
    with_suffix(&instance.config.temp_path(), &name)
}

/// What the names of files of runs go on with.
const RUN: &str = ".run-";

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Removes what an instance that was killed has left. What cannot be removed now stays.
pub(crate) fn tidy(env: &Env, path: &Path) {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str()))
    else {
        return;
    };
    let Ok(entries) = env.fs.list(dir) else { return };
    for entry in entries {
        let Some(rest) = entry.name.strip_prefix(name) else { continue };
        let own = match rest.strip_prefix(RUN) {
            Some(number) => number.len() == 8 && number.bytes().all(|b| b.is_ascii_hexdigit()),
            None => {
                rest.is_empty() || rest.strip_prefix('.').is_some_and(|n| n.parse::<u8>().is_ok())
            }
        };
        if own && !entry.is_dir {
            let left = dir.join(&entry.name);
            let removed = match rest.starts_with(RUN) {
                true => remove_run(env, &left),
                false => remove_old(env, &left, rest.is_empty()),
            };
            if let Err(error) = removed {
                tracing::debug!(%error, "a temporary file of an earlier run stays");
            }
        }
    }
}

fn remove_run(env: &Env, path: &Path) -> Result<()> {
    env.fs.open(path, OpenMode::ReadWrite)?.lock(LockMode::Exclusive)?;
    env.fs.remove_file(path)
}

/// Removes a temporary database that nobody uses, and no other file. An empty one may be the
/// beginning of a database where its name is exactly that (`named`); beside it, it is anybody's.
fn remove_old(env: &Env, path: &Path, named: bool) -> Result<()> {
    let temporary = match DbFile::open(env, path, Access::ReadOnly) {
        Ok(file) => Some(file.header().is_temporary()),
        Err(error) if error.code() == JetErr::FileAccessDenied => return Err(error),
        // Killed before it had a header, perhaps.
        Err(_) => None,
    };
    if temporary != Some(false) {
        let file = env.fs.open(path, OpenMode::ReadWrite)?;
        file.lock(LockMode::Exclusive)?;
        if temporary == Some(true) || is_begun(&*file, named)? {
            return env.fs.remove_file(path);
        }
    }
    let what = "a file that is no temporary database stands in the place of one";
    Err(Error::new(JetErr::FileAlreadyExists, what)
        .at_path(path)
        .advise("point JET_paramTempPath elsewhere"))
}

/// Has a file no more than what the creation of a temporary database does before the header: no
/// bytes at all, if that counts, or the length of a new database of some page size, and zeros?
fn is_begun(file: &dyn File, empty_too: bool) -> Result<bool> {
    let len = file.len()?;
    if len == 0 {
        return Ok(empty_too);
    }
    // The pages, and the two headers before them.
    let pages = u64::from(INITIAL_PAGES.0) + 2;
    if !PageSize::ALL.iter().any(|size| pages * size.bytes_u64() == len) {
        return Ok(false);
    }
    let mut head = [0; 4096];
    file.read_at(&mut head, 0)?;
    Ok(head.iter().all(|byte| *byte == 0))
}

/// A temporary database.
#[derive(Debug)]
pub(super) struct TempDatabase {
    pub(super) db: Arc<Database>,
    /// Trees of tables that were closed while versions of their rows were still there.
    closed: Mutex<Vec<Closed>>,
}

#[derive(Debug)]
struct Closed {
    drop: TreeDrop,
    trees: Vec<Arc<TreeHandle>>,
}

impl TempDatabase {
    fn create(instance: &Instance, dbid: Dbid, path: &Path) -> Result<TempDatabase> {
        let (env, config) = (&instance.env, &instance.config);
        if env.fs.exists(path)? {
            remove_old(env, path, true)?;
        }
        let sign_db = Signature::new(env.rng.next_u32(), env.clock.log_time());
        let page_size = config.page_size;
        let mut header = DbHeader::new(NewHeader { page_size, sign_db, sign_log: Signature::NULL });
        header.dbid = 0.into();
        let file = Arc::new(DbFile::create(env, path, header, INITIAL_PAGES)?);
        let whole = cache_options(config);
        let share = |pages: usize| (pages / 4).max(64);
        let options = CacheOptions {
            pages_max: share(whole.pages_max),
            dirty_pages_max: share(whole.dirty_pages_max),
            batch_pages: whole.batch_pages.min(share(whole.pages_max)),
            double_write: false,
            ..whole
        };
        let cache = PageCache::new(Arc::clone(&file), options)?;
        let db = Database::temporary(dbid, file, cache, DbTime::FIRST, ObjId(1000));
        let root = db.tree(Pgno::DATABASE_ROOT, DATABASE_ROOT, TreeKind::TABLE);
        space::create_database_root(&db, &root, system(), INITIAL_PAGES.0)?;
        Ok(TempDatabase { db: Arc::new(db), closed: Mutex::default() })
    }

    /// Why nothing can be done with it any more, if that is so.
    pub(super) fn failure(&self) -> Option<&str> {
        self.db.file.poison().cause()
    }

    /// Gives its disk space back; who has it open still can read it.
    fn remove(&self) {
        let file = &self.db.file;
        if let Err(error) = file.env().fs.remove_file(file.path()) {
            tracing::debug!(%error, "a temporary database stays until the next start");
        }
    }

    /// Makes an empty table.
    pub(super) fn create_table(self: &Arc<Self>, schema: &TableSchema) -> Result<TempTree> {
        self.reclaim();
        let db = &self.db;
        let mut schema = schema.clone();
        let root = db.tree(Pgno::DATABASE_ROOT, DATABASE_ROOT, TreeKind::TABLE);
        let objid = db.next_objid()?;
        let growth = SpaceHints::of_table(&schema).growth(schema.page_size);
        let fdp = space::create_single(db, &root, system(), objid, TreeKind::TABLE, 1)?;
        schema.place(objid, fdp);
        let table = Arc::new(Table::new(db, schema, None));
        table.tree.set_growth(growth);
        Ok(TempTree { table, home: Arc::clone(self) })
    }

    /// Gives back the pages of closed tables that no version speaks of any more.
    fn reclaim(&self) {
        if self.failure().is_some() {
            return;
        }
        self.closed.lock().retain(|closed| {
            let needed = |tree: &Arc<TreeHandle>| tree.versions.load(Ordering::Acquire) > 0;
            if closed.trees.iter().any(needed) {
                return true;
            }
            if let Err(error) = closed.drop.give_back(system()) {
                tracing::warn!(%error, "pages of a temporary table could not be given back");
            }
            false
        });
    }
}

/// Who changes temporary pages outside of transactions.
pub(super) fn system() -> Writer {
    Writer::system(ProcId(0))
}

/// A table in a temporary database; its pages are given back when the last cursor has gone.
#[derive(Debug)]
pub(super) struct TempTree {
    pub(super) table: Arc<Table>,
    pub(super) home: Arc<TempDatabase>,
}

impl Drop for TempTree {
    fn drop(&mut self) {
        let drop = self.table.as_drop();
        let mut trees = vec![Arc::clone(&self.table.tree)];
        trees.extend(self.table.long_tree().map(|long| long.tree));
        // Values of updates that were dropped go with the table.
        self.table.core.long.forget();
        for tree in &trees {
            *tree.gone.write() = true;
        }
        self.home.closed.lock().push(Closed { drop, trees });
        self.home.reclaim();
    }
}
