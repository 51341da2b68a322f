//! The log of a history, replayed over any mixture of old and new pages, gives the same pages.

use std::{collections::HashMap, sync::Arc};

use ese_base::{DbTime, Dbid, JetErr, LgPos, ObjId, PageSize, Pgno, RceId, StopToken};
use ese_log::{
    Log, LogNames, LogStream,
    records::{MergeType, Oper, Record},
};
use ese_os::{Env, OpenMode};
use ese_pages::{Access, CacheMode, DbFile, FlushGoal, PageCache, checksum};

use super::{Outcome, Undone, redo_macro, redo_page_record};
use crate::{
    database::Database,
    tree::{
        self, Position, TreeHandle, TreeKind, Undo, UndoOper,
        tests::harness::{self, KINDS, Numbering, Rng, TestDb, WRITER},
    },
};

/// Records of a whole log with their places.
type History = Vec<(LgPos, LgPos, Vec<u8>)>;

fn history(test: &TestDb) -> History {
    test.db.log().unwrap().flush_all().unwrap();
    let names = LogNames::new(test.dir.path(), "edb");
    let stream = LogStream::scan(&Env::real(), &names).unwrap();
    let mut reader = stream.reader(LgPos::new(1, 0, 0)).unwrap();
    let mut records = Vec::new();
    while let Some(entry) = reader.next().unwrap() {
        let mut bytes = Vec::new();
        entry.record.encode(&mut bytes).unwrap();
        records.push((entry.pos, entry.end, bytes));
    }
    records
}

/// Replays records as recovery does.
fn replay(db: &Database, history: &History) -> (usize, usize) {
    let (mut applied, mut skipped) = (0, 0);
    let mut count = |outcome: Outcome| match outcome {
        Outcome::Applied => applied += 1,
        Outcome::Skipped => skipped += 1,
        Outcome::NoPage => {}
    };
    let mut groups: HashMap<u16, Vec<(LgPos, LgPos, Record<'_>)>> = HashMap::new();
    let mut before: HashMap<u32, Vec<u8>> = HashMap::new();
    for (pos, end, bytes) in history {
        let record = Record::decode(bytes).unwrap();
        match record {
            Record::MacroBegin(r) => drop(groups.insert(r.procid.0, Vec::new())),
            Record::MacroCommit(r) => {
                // A history may begin in the middle of a group.
                let Some(group) = groups.remove(&r.procid.0) else { continue };
                redo_macro(db, &group).unwrap().into_iter().for_each(&mut count);
            }
            Record::ExtendDb(r) => db.file.grow(r.last).unwrap(),
            Record::UndoInfo(r) if r.oper == Oper::Replace => {
                before.insert(r.node.rceid.0, r.data.to_vec());
            }
            record => {
                let Some(head) = record.page_head() else { continue };
                if let Some(group) = groups.get_mut(&head.procid.0) {
                    group.push((*pos, *end, record));
                    continue;
                }
                let image = match record {
                    Record::Undo(r) => {
                        before.get(&r.node.rceid.0).map(|image| Undone::Before(image))
                    }
                    _ => None,
                };
                let image = image.unwrap_or(Undone::Nothing);
                count(redo_page_record(db, &record, *pos, *end, image).unwrap());
            }
        }
    }
    (applied, skipped)
}

fn image(db: &Database, pgno: u32) -> Option<Vec<u8>> {
    match db.cache.read(Pgno(pgno)) {
        Ok(guard) => Some(guard.page().bytes().to_vec()),
        Err(error) => {
            assert_eq!(error.code(), JetErr::PageNotInitialized, "{error}");
            None
        }
    }
}

fn images(db: &Database) -> Vec<Option<Vec<u8>>> {
    (1..=db.file.page_count()).map(|pgno| image(db, pgno)).collect()
}

/// Pages are equal but for the checksum and the two bits that change with every write.
fn assert_same(found: &Database, expected: &[Option<Vec<u8>>], what: &str) {
    let strip = |image: Option<Vec<u8>>| {
        image.map(|mut image| {
            image[..8].fill(0);
            image[37] &= 0x7f;
            image[38] &= 0xfe;
            if image.len() >= 16384 {
                image[40..64].fill(0);
            }
            image
        })
    };
    for (index, page) in expected.iter().enumerate() {
        let pgno = u32::try_from(index + 1).unwrap();
        let (found, page) = (strip(image(found, pgno)), strip(page.clone()));
        assert!(found == page, "{what}: page {pgno} differs");
    }
}

/// A file of chosen pages, opened without a log.
fn database_of(test: &TestDb, name: &str, pages: &[Option<Vec<u8>>]) -> Database {
    let size = test.db.page_size();
    let path = test.dir.path().join(name);
    let env = Env::real();
    drop(harness::new_file(&env, &path, size, u32::try_from(pages.len()).unwrap()));
    let file = env.fs.open(&path, OpenMode::ReadWrite).unwrap();
    for (index, page) in pages.iter().enumerate() {
        let pgno = Pgno(u32::try_from(index + 1).unwrap());
        if let Some(page) = page {
            let mut page = page.clone();
            checksum::stamp(&mut page, pgno);
            file.write_at(&page, size.offset_of(pgno)).unwrap();
        }
    }
    drop(file);
    let file = Arc::new(DbFile::open(&env, &path, Access::ReadWrite).unwrap());
    let options = harness::options(size, CacheMode::Copy);
    let cache = PageCache::new(Arc::clone(&file), options).unwrap();
    Database::new(Dbid(1), file, cache, None, DbTime::FIRST, ObjId(0))
}

struct Changer<'a> {
    test: &'a TestDb,
    gate: Numbering,
    tree: Arc<TreeHandle>,
    keys: Vec<(Vec<u8>, Vec<u8>)>,
    place: Position,
}

impl Changer<'_> {
    fn undo(&self, oper: UndoOper<'_>, key: &[u8], bm_data: &[u8]) {
        self.undo_version(self.gate.last(), oper, key, bm_data);
    }

    fn undo_version(&self, rceid: RceId, oper: UndoOper<'_>, key: &[u8], bm_data: &[u8]) {
        let what = Undo { oper, rceid, key, bm_data };
        tree::undo(&self.test.db, &self.tree, WRITER, &what).unwrap();
    }

    fn insert(&mut self, rng: &mut Rng) {
        let (db, tree) = (&self.test.db, &self.tree);
        let most = db.page_size().bytes() / 20;
        let len = 3 + rng.below(most.min(90));
        let mut key = vec![b'p'; rng.below(3) * 11];
        key.extend(rng.bytes(len));
        // Now and then a large row: it makes splits leave a single old line on the right.
        let most = if rng.below(6) == 0 { db.page_size().bytes() / 3 } else { most };
        let len = 1 + rng.below(most);
        let data = rng.bytes(len);
        tree::insert(db, tree, WRITER, &self.gate, &mut self.place, &key, &data).unwrap();
        if rng.below(8) == 0 {
            self.undo(UndoOper::Insert, &key, &data);
        } else {
            self.keys.push((key, data));
        }
    }

    fn change(&mut self, rng: &mut Rng) {
        let (db, tree) = (&self.test.db, &Arc::clone(&self.tree));
        let Some(last) = self.keys.len().checked_sub(1) else { return };
        let pick = rng.below(last + 1);
        let (key, data) = self.keys[pick].clone();
        if tree.kind.unique && rng.below(2) == 0 {
            let len = 1 + rng.below(db.page_size().bytes() / 10);
            let new = rng.bytes(len);
            let place = &mut self.place;
            tree::replace(db, tree, WRITER, &self.gate, place, &key, &data, &new).unwrap();
            if rng.below(4) == 0 {
                self.undo(UndoOper::Replace { before: &data }, &key, &data);
            } else {
                self.keys[pick].1 = new;
            }
            return;
        }
        tree::flag_delete(db, tree, WRITER, &self.gate, &mut self.place, &key, &data).unwrap();
        match rng.below(4) {
            0 => self.undo(UndoOper::FlagDelete, &key, &data),
            1 => {
                let place = &mut self.place;
                tree::insert(db, tree, WRITER, &self.gate, place, &key, &data).unwrap();
            }
            2 if tree.kind.unique => {
                // A deletion and a revival by one transaction, which rolls back.
                let deletion = self.gate.last();
                let new = rng.bytes(1 + data.len() / 2);
                let place = &mut self.place;
                tree::insert(db, tree, WRITER, &self.gate, place, &key, &new).unwrap();
                self.undo(UndoOper::Insert, &key, &[]);
                let replacement = RceId(deletion.0 + 1);
                self.undo_version(replacement, UndoOper::Replace { before: &data }, &key, &[]);
                self.undo_version(deletion, UndoOper::FlagDelete, &key, &[]);
            }
            _ => {
                // A lot goes together, so that leaves empty.
                self.keys.swap_remove(pick);
                tree::delete_node(db, tree, WRITER, &key, &data, &|| true).unwrap();
            }
        }
    }
}

/// A tree of few large entries that loses them again: leaves empty beside full ones, and at last
/// the whole tree.
fn grow_and_empty(test: &TestDb) -> Arc<TreeHandle> {
    let (db, tree) = (&test.db, test.create(&test.root(), TreeKind::TABLE, 1));
    let (gate, place) = (Numbering::default(), &mut Position::default());
    let data = vec![7; db.page_size().bytes() * 3 / 10];
    for row in 0..40_u8 {
        tree::insert(db, &tree, WRITER, &gate, place, &[row], &data).unwrap();
    }
    let (first, rest): (Vec<u8>, Vec<u8>) = (0..40).partition(|row| row / 4 % 3 == 1);
    for row in first.into_iter().chain(rest) {
        tree::flag_delete(db, &tree, WRITER, &gate, place, &[row], &[]).unwrap();
        tree::delete_node(db, &tree, WRITER, &[row], &[], &|| true).unwrap();
    }
    let root = db.cache.read(tree.fdp).unwrap();
    assert!(root.page().is_leaf() && root.page().node_count() == 0);
    drop(root);
    tree
}

/// Leaves are joined, and filled from their neighbours. What undo may still need stays.
fn defragment(test: &TestDb, tree: &TreeHandle) {
    let (mut place, stop) = (tree::DefragPlace::default(), StopToken::new());
    let rules = tree::DefragRules { fill: true, unneeded: &|_, _| false };
    while !place.done {
        tree::defragment(&test.db, tree, WRITER, &mut place, 10, rules, &stop).unwrap();
    }
}

/// A history of two trees, with the pages as they were at several moments.
fn make_history(test: &TestDb, kind: TreeKind, seed: u64) -> Vec<Vec<Option<Vec<u8>>>> {
    let mut rng = Rng::new(seed);
    let mut moments = vec![Vec::new()];
    let table = test.create(&test.root(), TreeKind::TABLE, 2);
    let other = test.create(&table, kind, 1);
    let emptied = grow_and_empty(test);
    moments.push(images(&test.db));
    let mut changers = [table, other].map(|tree| Changer {
        test,
        gate: Numbering::default(),
        tree,
        keys: Vec::new(),
        place: Position::default(),
    });
    for step in 0..2400 {
        let which = rng.below(2);
        // It grows, shrinks until little is left, and grows again.
        let inserts = if (900..1800).contains(&step) { 1 } else { 6 };
        if rng.below(10) < inserts {
            changers[which].insert(&mut rng);
        } else {
            changers[which].change(&mut rng);
        }
        if step % 400 == 399 {
            moments.push(images(&test.db));
            changers.iter().for_each(|changer| defragment(test, &changer.tree));
        }
    }
    // Versions of both gates carry the same numbers, but only one replaces.
    let trees: Vec<_> = changers.iter().map(|changer| &changer.tree).chain([&emptied]).collect();
    test.check(&trees);
    moments.push(images(&test.db));
    moments
}

#[test]
fn a_replayed_history_gives_the_same_bytes() {
    for page_size in PageSize::EVER {
        let test = TestDb::logged(page_size, 40);
        let moments = make_history(&test, KINDS[1], 11);
        let history = history(&test);
        let merges = |wanted: MergeType| {
            let is = |record| matches!(record, Record::Merge(r) if r.merge_type == wanted);
            history.iter().filter(|(.., bytes)| is(Record::decode(bytes).unwrap())).count()
        };
        for merge_type in [MergeType::EmptyPage, MergeType::FullRight, MergeType::FullLeft] {
            assert!(merges(merge_type) > 0, "{page_size}: no merge of type {merge_type:?}");
        }
        let is_empty_tree = |bytes| matches!(Record::decode(bytes), Ok(Record::EmptyTree(_)));
        assert!(history.iter().any(|(.., bytes)| is_empty_tree(bytes)));
        let db = database_of(&test, "copy.edb", &vec![None; 40]);
        let (applied, skipped) = replay(&db, &history);
        assert!(applied > 1500 && skipped == 0, "{applied} applied, {skipped} skipped");
        assert_same(&db, moments.last().unwrap(), "replay from nothing");
        assert_eq!(db.dbtime(), test.db.dbtime());
        // A second time nothing is left to do.
        let (again, _) = replay(&db, &history);
        assert_eq!(again, 0);
    }
}

#[test]
fn any_mixture_of_older_and_newer_pages_is_brought_to_the_same_state() {
    for (page_size, seeds) in [(PageSize::K4, 0..12), (PageSize::K16, 0..4)] {
        let test = TestDb::logged(page_size, 40);
        let moments = make_history(&test, KINDS[1], 23);
        let history = history(&test);
        let last = moments.last().unwrap();
        for seed in seeds {
            let mut rng = Rng::new(1000 + seed);
            let pages: Vec<_> = (0..last.len())
                .map(|page| {
                    let moment = rng.below(moments.len());
                    moments[moment].get(page).cloned().flatten()
                })
                .collect();
            let db = database_of(&test, &format!("mixture{seed}.edb"), &pages);
            replay(&db, &history);
            assert_same(&db, last, &format!("{page_size} seed {seed}"));
        }
    }
}

#[test]
fn pages_flushed_in_the_middle_of_a_history_are_taken_up_where_they_stand() {
    let test = TestDb::logged(PageSize::K4, 40);
    let log: Arc<Log> = Arc::clone(test.db.log().unwrap());
    let tree = test.create(&test.root(), TreeKind::TABLE, 1);
    let mut changer = Changer {
        test: &test,
        gate: Numbering::default(),
        tree,
        keys: Vec::new(),
        place: Position::default(),
    };
    let mut rng = Rng::new(77);
    let env = Env::real();
    for step in 0..2000 {
        changer.insert(&mut rng);
        changer.change(&mut rng);
        if step % 100 == 99 {
            let dirty = test.db.cache.dirty_count();
            test.db.cache.flush(FlushGoal::DownTo(dirty / 2), log.as_ref()).unwrap();
        }
    }
    // The file as a crash at this moment leaves it.
    let from = env.fs.open(test.db.file.path(), OpenMode::Read).unwrap();
    let mut bytes = vec![0; usize::try_from(from.len().unwrap()).unwrap()];
    from.read_at(&mut bytes, 0).unwrap();
    let path = test.dir.path().join("crashed.edb");
    let to = env.fs.open(&path, OpenMode::CreateNew).unwrap();
    to.write_at(&bytes, 0).unwrap();
    drop(to);
    let file = Arc::new(DbFile::open(&env, &path, Access::ReadWrite).unwrap());
    let options = harness::options(PageSize::K4, CacheMode::Mapped);
    let cache = PageCache::new(Arc::clone(&file), options).unwrap();
    let db = Database::new(Dbid(1), file, cache, None, DbTime::FIRST, ObjId(0));
    let (applied, skipped) = replay(&db, &history(&test));
    assert!(applied > 100 && skipped > 100, "{applied} applied, {skipped} skipped");
    assert_same(&db, &images(&test.db), "after the crash");
}

#[test]
fn a_group_without_its_commit_did_not_happen() {
    let test = TestDb::logged(PageSize::K4, 40);
    let tree = test.create(&test.root(), TreeKind::TABLE, 1);
    let gate = Numbering::default();
    let mut place = Position::default();
    let mut row = 0_u32;
    let mut before = images(&test.db);
    let count = |history: &History| {
        let commit = |bytes: &[u8]| matches!(Record::decode(bytes), Ok(Record::MacroCommit(_)));
        history.iter().filter(|(_, _, bytes)| commit(bytes)).count()
    };
    while count(&history(&test)) < 3 {
        before = images(&test.db);
        tree::insert(&test.db, &tree, WRITER, &gate, &mut place, &row.to_be_bytes(), &[5; 700])
            .unwrap();
        row += 1;
    }
    let mut history = history(&test);
    let last = history
        .iter()
        .rposition(|(_, _, bytes)| matches!(Record::decode(bytes), Ok(Record::MacroBegin(_))));
    let allocated = history.len();
    history.pop();
    let db = database_of(&test, "cut.edb", &vec![None; 40]);
    replay(&db, &history);
    // The page for the split was allocated before the group; the tree's own pages are as before.
    assert!(last.is_some_and(|last| last < allocated));
    for (index, page) in before.iter().enumerate() {
        let pgno = u32::try_from(index + 1).unwrap();
        let own = page.as_ref().is_some_and(|page| {
            let page = ese_pages::PageRef::new(page, PageSize::K4);
            page.objid() == tree.objid && page.is_leaf() && !page.is_root()
        });
        if own {
            assert_eq!(image(&db, pgno), *page, "page {pgno}");
        }
    }
    let report = crate::tree::check::check(&db.cache, &tree.view(), db.dbtime());
    assert!(report.problems.is_empty(), "{:?}", report.problems);
}

#[test]
fn a_page_from_another_history_is_refused() {
    let test = TestDb::logged(PageSize::K4, 40);
    let tree = test.create(&test.root(), TreeKind::TABLE, 1);
    let gate = Numbering::default();
    let mut place = Position::default();
    for row in 0..3_u32 {
        tree::insert(&test.db, &tree, WRITER, &gate, &mut place, &row.to_be_bytes(), b"x").unwrap();
    }
    let history = history(&test);
    let (pos, end, bytes) = history.last().unwrap();
    let record = Record::decode(bytes).unwrap();
    let head = *record.page_head().unwrap();
    let at_time = |name: &str, dbtime: u64| {
        let mut pages = images(&test.db);
        let index = usize::try_from(head.pgno.0 - 1).unwrap();
        let mut page = pages[index].clone().unwrap();
        ese_pages::PageMut::new(&mut page, PageSize::K4).set_dbtime(DbTime(dbtime));
        pages[index] = Some(page);
        let db = database_of(&test, name, &pages);
        redo_page_record(&db, &record, *pos, *end, Undone::Nothing)
    };
    let before = head.dbtime_before.0;
    assert_eq!(at_time("old.edb", before - 1).unwrap_err().code(), JetErr::DbTimeTooOld);
    assert_eq!(at_time("same.edb", head.dbtime.0).unwrap(), Outcome::Skipped);
    // A history in which the page was changed once in between.
    let skewed = Record::Insert(match record {
        Record::Insert(mut insert) => {
            insert.node.page.dbtime = DbTime(before + 9);
            insert
        }
        other => panic!("{other:?}"),
    });
    let db = database_of(&test, "new.edb", &images(&test.db));
    let error = redo_page_record(&db, &skewed, *pos, *end, Undone::Nothing).unwrap_err();
    assert_eq!((error.code(), error.pgno()), (JetErr::DbTimeTooNew, Some(head.pgno)));
}

#[test]
fn a_replay_that_begins_within_a_group_passes_over_its_rest() {
    let test = TestDb::logged(PageSize::K4, 40);
    let tree = test.create(&test.root(), TreeKind::TABLE, 1);
    let gate = Numbering::default();
    let mut place = Position::default();
    let before = images(&test.db);
    for row in 0..40_u32 {
        tree::insert(&test.db, &tree, WRITER, &gate, &mut place, &row.to_be_bytes(), &[5; 700])
            .unwrap();
    }
    let mut history = history(&test);
    let is = |bytes: &[u8], wanted: fn(&Record<'_>) -> bool| {
        Record::decode(bytes).is_ok_and(|record| wanted(&record))
    };
    history.retain(|(_, _, bytes)| !is(bytes, |record| matches!(record, Record::MacroBegin(_))));
    let after = images(&test.db);
    let db = database_of(&test, "after.edb", &after);
    let (applied, skipped) = replay(&db, &history);
    assert_eq!(applied, 0);
    assert!(skipped > 40);
    assert_same(&db, &after, "all of it was there");

    let old = database_of(&test, "before.edb", &before);
    let split = |(_, _, bytes): &&(LgPos, LgPos, Vec<u8>)| {
        is(bytes, |record| matches!(record, Record::Split(_)))
    };
    let (pos, end, bytes) = history.iter().find(split).unwrap();
    let record = Record::decode(bytes).unwrap();
    let refused = redo_page_record(&old, &record, *pos, *end, Undone::Nothing).unwrap_err();
    assert_eq!(refused.code(), JetErr::LogFileCorrupt);
}
