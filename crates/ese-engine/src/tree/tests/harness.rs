//! A database with one tree, and a model to compare it with.

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use ese_base::{
    DbTime, Dbid, Error, JetErr, LgPos, LogTime, ObjId, PageSize, Pgno, ProcId, RceId, Result,
    Signature, TrxId,
};
use ese_log::{Log, LogConfig};
use ese_os::Env;
use ese_pages::{
    CacheMode, CacheOptions, DbFile, DbHeader, PageCache, PageFlags, header::NewHeader,
};

use crate::{
    database::Database,
    space::{self, check::SpaceReport},
    tree::{
        Direction, InsertVersion, Position, Start, TreeHandle, TreeKind, Unversioned, VersionGate,
        Writer, delete_node, flag_delete, insert, replace, scan, seek,
    },
};

/// Somebody.
pub(crate) const WRITER: Writer =
    Writer { procid: ProcId(1), trx: TrxId(1), level: 1, begin: LgPos::MAX };

/// A reproducible source of random numbers (xorshift64*).
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Rng {
        Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 16).unwrap() % bound
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next().to_le_bytes()[3]).collect()
    }
}

pub(crate) fn new_file(env: &Env, path: &std::path::Path, size: PageSize, pages: u32) -> DbFile {
    let sign_db = Signature::new(7, LogTime::from_unix_ms(1_700_000_000_000));
    let header = DbHeader::new(NewHeader { page_size: size, sign_db, sign_log: Signature::NULL });
    DbFile::create(env, path, header, Pgno(pages)).unwrap()
}

/// A fresh database file with a root, on this machine's disk; removed at the end.
pub(crate) struct TestDb {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) db: Arc<Database>,
}

pub(crate) fn options(page_size: PageSize, mode: CacheMode) -> CacheOptions {
    CacheOptions { mode, ..CacheOptions::for_memory(256 << 20, page_size) }
}

/// A gate that numbers versions, as the version store does.
#[derive(Default)]
pub(crate) struct Numbering(AtomicU32);

impl Numbering {
    pub(crate) fn last(&self) -> RceId {
        RceId(self.0.load(Ordering::Relaxed))
    }

    fn next(&self) -> RceId {
        RceId(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

impl VersionGate for Numbering {
    fn versioned(&self) -> bool {
        true
    }

    fn insert(
        &self,
        _tree: &TreeHandle,
        _key: &[u8],
        _data: &[u8],
        existing: Option<&[u8]>,
    ) -> Result<InsertVersion> {
        let replace_rceid = if existing.is_some() { self.next() } else { RceId(0) };
        Ok(InsertVersion { rceid: self.next(), replace_rceid })
    }

    fn replace(&self, _: &TreeHandle, _: &[u8], _: &[u8], _: &[u8]) -> Result<RceId> {
        Ok(self.next())
    }

    fn delete(&self, _: &TreeHandle, _: &[u8], _: &[u8]) -> Result<RceId> {
        Ok(self.next())
    }

    fn duplicate(&self, _: &TreeHandle, _: &[u8], _: &[u8]) -> Error {
        Error::code_only(JetErr::KeyDuplicate)
    }
}

impl TestDb {
    /// `pages` pages, logged.
    pub(crate) fn logged(page_size: PageSize, pages: u32) -> TestDb {
        TestDb::with_log(page_size, pages, |dir| {
            let config = LogConfig { page_size, ..LogConfig::new(dir.path(), "edb") };
            let sign = Signature::new(5, LogTime::from_unix_ms(1_700_000_000_000));
            Some(Arc::new(Log::create(&Env::real(), &config, sign).unwrap()))
        })
    }

    /// `pages` pages, owned by the database root.
    pub(crate) fn new(page_size: PageSize, pages: u32) -> TestDb {
        TestDb::with_log(page_size, pages, |_| None)
    }

    pub(crate) fn with_log(
        page_size: PageSize,
        pages: u32,
        log: impl FnOnce(&tempfile::TempDir) -> Option<Arc<Log>>,
    ) -> TestDb {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("test.edb");
        let file = Arc::new(new_file(&Env::real(), &path, page_size, pages));
        let cache =
            PageCache::new(Arc::clone(&file), options(page_size, CacheMode::Mapped)).unwrap();
        let log = log(&dir);
        let db = Database::new(Dbid(1), file, cache, log, DbTime::FIRST, ObjId(0));
        let objid = db.next_objid().unwrap();
        let root = db.tree(Pgno(1), objid, TreeKind::TABLE);
        space::create_database_root(&db, &root, WRITER, pages).unwrap();
        TestDb { dir, db: Arc::new(db) }
    }

    pub(crate) fn root(&self) -> Arc<TreeHandle> {
        self.db.tree(Pgno(1), ObjId(1), TreeKind::TABLE)
    }

    pub(crate) fn create(
        &self,
        parent: &TreeHandle,
        kind: TreeKind,
        pages: u32,
    ) -> Arc<TreeHandle> {
        let objid = self.db.next_objid().unwrap();
        let fdp = space::create_single(&self.db, parent, WRITER, objid, kind, pages).unwrap();
        self.db.tree(fdp, objid, kind)
    }

    /// Everything that can be said against the trees; a leak is an objection too.
    pub(crate) fn check(&self, trees: &[&Arc<TreeHandle>]) -> SpaceReport {
        let mut views = vec![self.root().view()];
        views.extend(trees.iter().map(|tree| tree.view()));
        let report = space::check::check(&self.db.cache, &views, self.db.dbtime());
        assert!(report.problems.is_empty(), "{:#?}", report.problems);
        assert!(report.leaked.is_empty(), "leaked: {:?}", report.leaked);
        report
    }
}

/// A tree and what it must contain.
pub(crate) struct Model<'a> {
    pub(crate) db: &'a Database,
    pub(crate) tree: Arc<TreeHandle>,
    /// Key, then data that orders (empty in unique trees); the value is the data.
    pub(crate) entries: BTreeMap<Vec<u8>, (Vec<u8>, Vec<u8>)>,
    pub(crate) position: Position,
}

impl<'a> Model<'a> {
    pub(crate) fn new(db: &'a Database, tree: &Arc<TreeHandle>) -> Model<'a> {
        Model {
            db,
            tree: Arc::clone(tree),
            entries: BTreeMap::new(),
            position: Position::default(),
        }
    }

    fn order(&self, key: &[u8], data: &[u8]) -> Vec<u8> {
        let mut order = key.to_vec();
        if !self.tree.kind.unique {
            order.extend_from_slice(data);
        }
        order
    }

    pub(crate) fn insert(&mut self, key: &[u8], data: &[u8]) {
        let result =
            insert(self.db, &self.tree, WRITER, &Unversioned, &mut self.position, key, data);
        let order = self.order(key, data);
        if let std::collections::btree_map::Entry::Vacant(entry) = self.entries.entry(order) {
            result.unwrap();
            entry.insert((key.to_vec(), data.to_vec()));
        } else {
            assert_eq!(result.unwrap_err().code(), ese_base::JetErr::KeyDuplicate);
        }
    }

    pub(crate) fn replace(&mut self, order: &[u8], data: &[u8]) {
        let (key, old) = self.entries.get_mut(order).unwrap();
        let place = &mut self.position;
        replace(self.db, &self.tree, WRITER, &Unversioned, place, key, old, data).unwrap();
        *old = data.to_vec();
    }

    pub(crate) fn delete(&mut self, order: &[u8], physically: bool) {
        let (key, data) = self.entries.remove(order).unwrap();
        let place = &mut self.position;
        flag_delete(self.db, &self.tree, WRITER, &Unversioned, place, &key, &data).unwrap();
        if physically {
            delete_node(self.db, &self.tree, WRITER, &key, &data, &|| true).unwrap();
        }
    }

    /// A random entry's order.
    pub(crate) fn pick(&self, rng: &mut Rng) -> Option<Vec<u8>> {
        let probe = rng.bytes(3);
        self.entries
            .range(probe..)
            .next()
            .or_else(|| self.entries.iter().next())
            .map(|(order, _)| order.clone())
    }

    pub(crate) fn rows(&self, direction: Direction) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut rows = Vec::new();
        let view = self.tree.view();
        let mut position = Position::default();
        scan(&self.db.cache, &view, Start::End, direction, &mut position, |node| {
            if !node.is_deleted() {
                rows.push((node.key_to_vec(), node.data.to_vec()));
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        rows
    }

    /// The tree holds what the model holds, by scans both ways and by searches.
    pub(crate) fn compare(&self) {
        let expected: Vec<_> = self.entries.values().cloned().collect();
        assert!(self.rows(Direction::Forward) == expected, "forward scan");
        let mut backward = self.rows(Direction::Backward);
        backward.reverse();
        assert!(backward == expected, "backward scan");
        for (key, data) in expected.iter().step_by(7) {
            let found = seek(&self.db.cache, &self.tree.view(), key, data).unwrap();
            let iline = found.line.unwrap();
            assert_eq!(found.leaf.page().node(iline).data, data);
        }
    }
}

/// The kinds of trees that tests run over.
pub(crate) const KINDS: [TreeKind; 2] =
    [TreeKind::TABLE, TreeKind { unique: false, page_flags: PageFlags::INDEX, density_pct: 100 }];
