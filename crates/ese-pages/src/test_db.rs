//! Databases for tests: on this machine's disk or the simulated one, with pages that say whether
//! they are whole.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use ese_base::{DbTime, LgPos, LogTime, ObjId, PageSize, Pgno, Result, Signature};
use ese_os::Env;
use ese_sim::{Image, SimDisk, SimEnv};

use crate::{
    Access, CacheMode, CacheOptions, DbFile, DbHeader, FlushGoal, NoLog, NodeFlags, PageCache,
    PageFlags, PageRef, WriteGuard, header::NewHeader,
};

/// Nodes on a test page.
const NODES: usize = 9;

/// Both modes; tests of the cache run in each.
pub(crate) const MODES: [CacheMode; 2] = [CacheMode::Mapped, CacheMode::Copy];

pub(crate) fn signature(random: u32) -> Signature {
    Signature::new(random, LogTime::from_unix_ms(1_700_000_000_000))
}

pub(crate) fn new_header(page_size: PageSize) -> DbHeader {
    DbHeader::new(NewHeader { page_size, sign_db: signature(7), sign_log: Signature::NULL })
}

/// A database of `last` pages, whose file is removed with it.
pub(crate) struct TestDb {
    _dir: Option<tempfile::TempDir>,
    pub(crate) env: Env,
    pub(crate) disk: Option<Arc<SimDisk>>,
    pub(crate) path: PathBuf,
}

impl TestDb {
    /// On this machine's disk; gives the file, open.
    pub(crate) fn real(page_size: PageSize, last: u32) -> (TestDb, Arc<DbFile>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("test.edb");
        let db = TestDb { _dir: Some(dir), env: Env::real(), disk: None, path };
        let file = db.create(page_size, last);
        (db, file)
    }

    /// On a simulated disk; only copy mode works there.
    pub(crate) fn simulated(page_size: PageSize, last: u32) -> (TestDb, Arc<DbFile>) {
        let (env, disk) = SimEnv::new(1);
        env.fs.create_dir_all(Path::new("/db")).unwrap();
        let path = PathBuf::from("/db/test.edb");
        let db = TestDb { _dir: None, env, disk: Some(disk), path };
        let file = db.create(page_size, last);
        (db, file)
    }

    /// A simulated machine that boots from what a power cut left.
    pub(crate) fn booted(image: &Image) -> TestDb {
        let disk = SimDisk::from_image(image);
        let env = SimEnv::on(&disk, 2);
        TestDb { _dir: None, env, disk: Some(Arc::new(disk)), path: PathBuf::from("/db/test.edb") }
    }

    fn create(&self, page_size: PageSize, last: u32) -> Arc<DbFile> {
        Arc::new(DbFile::create(&self.env, &self.path, new_header(page_size), Pgno(last)).unwrap())
    }

    pub(crate) fn sim(&self) -> &SimDisk {
        self.disk.as_ref().expect("on a simulated disk")
    }

    pub(crate) fn open(&self) -> Arc<DbFile> {
        Arc::new(DbFile::open(&self.env, &self.path, Access::ReadWrite).unwrap())
    }

    /// Changes bytes of the file behind everybody's back.
    pub(crate) fn overwrite(&self, path: &Path, offset: u64, bytes: &[u8]) {
        let file = self.env.fs.open(path, ese_os::OpenMode::ReadWrite).unwrap();
        file.write_at(bytes, offset).unwrap();
        file.sync().unwrap();
    }

    pub(crate) fn dwb(&self) -> PathBuf {
        crate::dblwr::path_of(&self.path)
    }
}

/// Small limits, so that tests reach them.
pub(crate) fn options(mode: CacheMode) -> CacheOptions {
    CacheOptions { mode, pages_max: 16, dirty_pages_max: 8, batch_pages: 4, double_write: true }
}

pub(crate) fn cache(file: &Arc<DbFile>, mode: CacheMode) -> PageCache {
    let cache = PageCache::new(Arc::clone(file), options(mode)).unwrap();
    assert_eq!(cache.mode(), mode, "this machine's file system offers maps");
    cache
}

/// Makes the page a leaf that holds a value, many times over.
pub(crate) fn fill_new(guard: &mut WriteGuard<'_>, value: u64) {
    let pgno = guard.pgno();
    let mut page = guard.page_mut();
    page.init(pgno, ObjId(2), PageFlags::LEAF | PageFlags::ROOT, DbTime(value));
    for n in 0..NODES {
        let key = u32::try_from(n).unwrap().to_be_bytes();
        page.insert_node(n, 0, &key, &datum(pgno, value), NodeFlags::empty()).unwrap();
    }
}

/// Changes the value of a page that holds one.
pub(crate) fn fill(guard: &mut WriteGuard<'_>, value: u64) {
    let data = datum(guard.pgno(), value);
    let mut page = guard.page_mut();
    page.set_dbtime(DbTime(value));
    for n in 0..NODES {
        page.replace_data(n, &data).unwrap();
    }
}

fn datum(pgno: Pgno, value: u64) -> [u8; 128] {
    let mut data = [0; 128];
    for (n, to) in data.chunks_exact_mut(8).enumerate() {
        let word = value.rotate_left(u32::try_from(n).unwrap()) ^ u64::from(pgno.0);
        to.copy_from_slice(&word.to_le_bytes());
    }
    data
}

/// The value of a page; panics if it is a mixture of two, or another page's.
pub(crate) fn value_of(page: PageRef<'_>, pgno: Pgno) -> u64 {
    let value = page.dbtime().0;
    assert_eq!(page.node_count(), NODES, "page {pgno}");
    for node in page.nodes() {
        assert_eq!(node.data, datum(pgno, value), "page {pgno}: not all parts say {value}");
    }
    value
}

/// Creates a page with a value; the change is logged at generation 1, segment `value`.
pub(crate) fn create(cache: &PageCache, pgno: u32, value: u64) {
    let mut guard = cache.write_new(Pgno(pgno)).unwrap();
    fill_new(&mut guard, value);
    guard.mark_dirty(start(value), end(value));
}

/// Gives a page another value.
pub(crate) fn change(cache: &PageCache, pgno: u32, value: u64) -> Result<()> {
    let mut guard = cache.write(Pgno(pgno))?;
    fill(&mut guard, value);
    guard.mark_dirty(start(value), end(value));
    Ok(())
}

pub(crate) fn read(cache: &PageCache, pgno: u32) -> u64 {
    value_of(cache.read(Pgno(pgno)).unwrap().page(), Pgno(pgno))
}

/// Where the record of a value begins and ends.
pub(crate) fn start(value: u64) -> LgPos {
    LgPos::new(1, u16::try_from(value).unwrap(), 16)
}

pub(crate) fn end(value: u64) -> LgPos {
    LgPos::new(1, u16::try_from(value).unwrap(), 32)
}

pub(crate) fn flush_all(cache: &PageCache) {
    cache.flush(FlushGoal::All, &NoLog).unwrap();
    assert_eq!((cache.dirty_count(), cache.oldest_dirty()), (0, None));
}
