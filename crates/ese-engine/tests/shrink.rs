//! Space over the life of an instance: deleted rows, dropped tables, crashes and reopen.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test says what is wrong by ending"
)]

use std::{path::Path, sync::Arc, time::Duration};

use ese_base::{Generation, PageSize, StopReason, StopToken};
use ese_engine::{
    catalog, ddl,
    defrag::Defragmentation,
    instance::{Attached, Instance, InstanceConfig, ShrinkMode, TermMode},
    record::encode_row,
    recovery::{RecoveryOptions, RecoveryReport},
    schema::{ColType, ColumnDef, ColumnId, IndexDef, TableDef},
    session::{Durability, Session},
    space::check::{SpaceReport, check, trees_of},
    table::Table,
    tree::Position,
};
use ese_os::Env;
use ese_pages::cache::FlushGoal;

const ID: ColumnId = ColumnId(1);
const VALUE: ColumnId = ColumnId(128);

struct Store {
    dir: tempfile::TempDir,
    instance: Arc<Instance>,
    attached: Arc<Attached>,
    recovered: Option<RecoveryReport>,
}

fn start(dir: &Path) -> (Arc<Instance>, Option<RecoveryReport>) {
    start_with(dir, ShrinkMode::OnRequest)
}

fn start_with(dir: &Path, shrink: ShrinkMode) -> (Arc<Instance>, Option<RecoveryReport>) {
    let mut config = InstanceConfig::new(dir);
    config.log_file_size = 1 << 20;
    config.page_size = PageSize::K4;
    config.shrink = shrink;
    Instance::start_with(&Env::real(), config, RecoveryOptions::default()).unwrap()
}

impl Store {
    fn new() -> Store {
        Store::with(ShrinkMode::OnRequest)
    }

    fn with(shrink: ShrinkMode) -> Store {
        let dir = tempfile::tempdir().unwrap();
        let (instance, recovered) = start_with(dir.path(), shrink);
        let attached = instance.create_database(&dir.path().join("a.edb")).unwrap();
        Store { dir, instance, attached, recovered }
    }

    fn session(&self) -> Session {
        Session::begin_session(&self.instance).unwrap()
    }

    fn create(&self, name: &str) -> Arc<Table> {
        let columns =
            vec![ColumnDef::new("id", ColType::Long), ColumnDef::new("v", ColType::Binary)];
        let def = TableDef::new(name, columns).index(IndexDef::primary("pk", &["id"]));
        catalog::create_table(&mut self.session(), &self.attached, &def).unwrap()
    }

    fn open(&self, name: &str) -> Arc<Table> {
        catalog::open_table(&self.session(), &self.attached, name).unwrap()
    }

    /// Kills the process, so to speak, and starts again.
    fn crash(self) -> Store {
        let Store { dir, instance, attached, .. } = self;
        instance.log.as_ref().unwrap().flush_all().unwrap();
        instance.abandon();
        instance.abandon();
        drop((attached, instance));
        let (instance, recovered) = start(dir.path());
        let attached = instance.attach(&dir.path().join("a.edb")).unwrap();
        Store { dir, instance, attached, recovered }
    }

    /// What a machine finds that stops now, while sessions are at work.
    fn image(&self) -> Store {
        self.image_with(None)
    }

    /// As [`Store::image`], with a checkpoint from before: so much is replayed.
    fn image_with(&self, checkpoint: Option<&[u8]>) -> Store {
        self.instance.log.as_ref().unwrap().flush_all().unwrap();
        let dir = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(self.dir.path()).unwrap() {
            let from = entry.unwrap().path();
            std::fs::copy(&from, dir.path().join(from.file_name().unwrap())).unwrap();
        }
        if let Some(checkpoint) = checkpoint {
            std::fs::write(dir.path().join("edb.chk"), checkpoint).unwrap();
        }
        let (instance, recovered) = start(dir.path());
        let attached = instance.attach(&dir.path().join("a.edb")).unwrap();
        Store { dir, instance, attached, recovered }
    }

    /// Pages that the database root has free.
    fn available(&self) -> u32 {
        self.report().available
    }

    /// Every page has one owner and one use.
    fn check(&self) -> SpaceReport {
        let report = self.report();
        assert!(report.problems.is_empty(), "{:#?}", report.problems);
        report
    }

    fn report(&self) -> SpaceReport {
        let session = self.session();
        let tables = catalog::tables(&session, &self.attached).unwrap();
        let schemas: Vec<_> = tables.iter().map(|table| table.schema.clone()).collect();
        let db = &self.attached.db;
        check(&db.cache, &trees_of(&schemas), db.dbtime())
    }

    fn insert(&self, table: &Table, ids: impl Iterator<Item = i32>, len: usize) {
        let mut session = self.session();
        session.begin().unwrap();
        for id in ids {
            let (mut record, mut key) = (Vec::new(), Vec::new());
            let value = vec![7; len];
            let columns = [(ID, Some(&id.to_le_bytes()[..])), (VALUE, Some(&value[..]))];
            encode_row(&table.schema, &columns, &mut record).unwrap();
            table.insert(&mut session, &mut Position::default(), &record, &mut key).unwrap();
        }
        session.commit(Durability::Lazy).unwrap();
    }

    fn delete(&self, table: &Table, ids: impl Iterator<Item = i32>) {
        let mut session = self.session();
        session.begin().unwrap();
        for id in ids {
            let key = [&[0x7f][..], &(id.cast_unsigned() ^ 0x8000_0000).to_be_bytes()].concat();
            table.delete(&mut session, &mut Position::default(), &key).unwrap();
        }
        session.commit(Durability::Lazy).unwrap();
    }

    fn end(self) {
        self.instance.terminate(TermMode::Clean).unwrap();
    }
}

/// Numbers that look like chance, the same in every run.
fn scrambled(from: i32, count: i32) -> Vec<i32> {
    let mut ids: Vec<i32> = (from..from + count).collect();
    ids.sort_by_key(|id| u64::from(id.cast_unsigned()).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 13);
    ids
}

/// Pages that trees use: what is owned and not available.
fn used(store: &Store) -> u32 {
    let report = store.check();
    assert!(report.leaked.is_empty(), "{:?}", report.leaked);
    report.owned - report.available
}

#[test]
fn deleting_half_at_random_and_inserting_half_again_keeps_the_size() {
    let store = Store::new();
    let table = store.create("rows");
    let mut present = scrambled(0, 20_000);
    store.insert(&table, present.iter().copied(), 200);
    let (file, pages) = (store.attached.db.file.page_count(), used(&store));
    for round in 0..4 {
        let (gone, kept) = present.split_at(present.len() / 2);
        store.delete(&table, gone.iter().copied());
        // The same keys again, others between them, or all behind the last one.
        let new: Vec<i32> = match round {
            0 => gone.to_vec(),
            1 => gone.iter().map(|id| id + 1_000_000).collect(),
            _ => scrambled(round * 10_000_000, 10_000),
        };
        store.insert(&table, new.iter().copied(), 200);
        present = kept.iter().copied().chain(new).collect();
        present.sort_by_key(|id| id.wrapping_mul(7919) % 10_007);
        let (now, used) = (store.attached.db.file.page_count(), used(&store));
        assert!(now * 100 <= file * 115, "round {round}: the file had {file} pages, now {now}");
        assert!(used * 100 <= pages * 115, "round {round}: {pages} pages were used, now {used}");
    }
    store.delete(&table, present.iter().copied());
    let report = store.check();
    let tree = report.trees.iter().find(|tree| tree.pages[0] == table.schema.fdp).unwrap();
    assert_eq!((tree.pages.len(), tree.entries, tree.deleted), (1, 0, 0));
    // All but the first extent and the space trees has gone back, and the file can be as it was.
    drop(table);
    let pages = store.instance.shrink_database(&store.attached, 0).unwrap();
    assert_eq!((pages, store.attached.db.file.page_count()), (254, 254));
    store.check();
    store.end();
}

#[test]
fn redo_passes_over_what_was_cut_off_and_makes_again_what_came_after() {
    let store = Store::new();
    let checkpoint = std::fs::read(store.dir.path().join("edb.chk")).unwrap();
    let low = store.create("low");
    store.insert(&low, 0..200, 250);
    let high = store.create("high");
    store.insert(&high, 0..9000, 250);
    write_all(&store);
    let long = store.attached.db.file.page_count();
    store.delete(&high, 0..9000);
    store.insert(&low, 200..400, 250);
    let short = store.instance.shrink_database(&store.attached, 0).unwrap();
    assert!(short * 4 < long, "{long} pages, then {short}");
    assert_eq!(store.attached.db.file.page_count(), short);
    let cut = store.image_with(Some(&checkpoint));
    assert_eq!(cut.attached.db.file.page_count(), short);
    let rows = |report: SpaceReport| report.trees.iter().map(|tree| tree.entries).max();
    assert_eq!(rows(cut.check()), Some(400));
    cut.end();
    // It grows again, and a part of that is written.
    store.insert(&high, 20_000..24_000, 250);
    write_all(&store);
    store.insert(&high, 24_000..26_000, 250);
    let again = store.image_with(Some(&checkpoint));
    let report = again.check();
    assert!(report.leaked.is_empty(), "{:?}", report.leaked);
    assert_eq!(rows(report), Some(6000));
    again.end();
    drop((low, high));
    store.end();
}

#[test]
fn files_are_cut_off_at_work_and_at_the_end_as_the_settings_say() {
    for (mode, at_work, at_end) in [
        (ShrinkMode::OnRequest, false, false),
        (ShrinkMode::AtDetach, false, true),
        (ShrinkMode::Always, true, true),
    ] {
        let store = Store::with(mode);
        let table = store.create("rows");
        store.insert(&table, 0..9000, 250);
        let full = store.attached.db.file.page_count();
        store.delete(&table, 0..9000);
        drop(table);
        let mut now = full;
        // The background thread may be at it just then, and this one finds nothing left to do.
        for _ in 0..1000 {
            store.instance.background_step().unwrap();
            now = store.attached.db.file.page_count();
            if now < full || !at_work {
                break;
            }
            store.instance.env.clock.sleep(Duration::from_millis(5));
        }
        assert_eq!(now < full, at_work, "{mode:?}: {full} pages, then {now}");
        assert_eq!(store.attached.db.file.header().shrink_count.get() > 0, at_work);
        let path = store.dir.path().join("a.edb");
        let Store { dir, instance, attached, .. } = store;
        drop(attached);
        instance.terminate(TermMode::Clean).unwrap();
        let len = std::fs::metadata(&path).unwrap().len();
        assert_eq!(len == 256 * 4096, at_end, "{mode:?}: {len} bytes");
        drop(dir);
    }
}

#[test]
fn a_database_grows_to_the_pages_that_are_asked_for() {
    let store = Store::new();
    assert_eq!(store.instance.grow_database(&store.attached, 1000).unwrap(), 1000);
    assert_eq!(store.instance.grow_database(&store.attached, 500).unwrap(), 1000);
    let report = store.check();
    assert_eq!(report.owned, 1000);
    assert_eq!(store.instance.shrink_database(&store.attached, 600).unwrap(), 600);
    assert_eq!(store.check().owned, 600);
    let store = store.crash();
    assert_eq!((store.check().owned, store.attached.db.file.page_count()), (600, 600));
    store.end();
}

#[test]
fn nothing_is_cut_off_while_a_backup_keeps_the_log() {
    let store = Store::new();
    store.instance.grow_database(&store.attached, 1000).unwrap();
    let pin = store.instance.log.as_ref().unwrap().pin_generations(Generation(0));
    assert_eq!(store.instance.shrink_database(&store.attached, 0).unwrap(), 1000);
    drop(pin);
    assert_eq!(store.instance.shrink_database(&store.attached, 0).unwrap(), 254);
    store.end();
}

#[test]
fn defragmentation_of_a_database_joins_sparse_leaves_of_all_trees() {
    let store = Store::new();
    let table = store.create("rows");
    store.insert(&table, 0..9000, 250);
    let index = IndexDef::new("by value", &["v", "id"]);
    let (mut session, mut progress) = (store.session(), |_| Ok(()));
    let attached = &store.attached;
    let table = ddl::create_indexes(&mut session, attached, &table, &[index], &mut progress);
    let table = table.unwrap();
    // Not so many that leaves join at once.
    store.delete(&table, (0..9000).filter(|id| id % 5 < 2));
    let before = used(&store);
    let mut pass = Defragmentation::new(&store.attached);
    let stop = StopToken::new();
    let mut steps = 0;
    while pass.step(&store.instance, &stop).unwrap() {
        steps += 1;
        if steps == 20 {
            // Others go on, also with what the pass has yet to come by.
            store.insert(&table, 9000..9010, 250);
            drop(store.create("new"));
        }
    }
    let (after, report) = (used(&store), pass.report());
    assert!(
        steps > 50 && report.joined > 100 && report.filled > 100 && report.trees > 6,
        "{steps} steps, {report:?}"
    );
    assert!(after * 4 < before * 3, "{before} pages, then {after}");
    stop.stop(StopReason::Requested);
    assert!(Defragmentation::new(&store.attached).step(&store.instance, &stop).is_err());
    let again = store.image();
    assert_eq!(used(&again), after);
    again.end();
    drop(session);
    store.end();
}

#[test]
fn a_table_that_loses_its_rows_gives_its_space_back_also_over_a_crash() {
    let store = Store::new();
    let table = store.create("rows");
    let before = store.check().available;
    store.insert(&table, 0..6000, 250);
    drop(table);
    let store = store.crash();
    let table = store.open("rows");
    store.delete(&table, (0..6000).filter(|id| id % 3 != 0));
    drop(table);
    let store = store.crash();
    store.check();
    let table = store.open("rows");
    store.delete(&table, (0..6000).filter(|id| id % 3 == 0));
    let report = store.check();
    let tree = report.trees.iter().find(|tree| tree.pages[0] == table.schema.fdp).unwrap();
    assert_eq!((tree.pages.len(), tree.entries, tree.deleted), (1, 0, 0));
    // The first extents of the tables stay, and what the growing file brought is free.
    assert!(report.available + 16 >= before, "{before} available, then {}", report.available);
    drop(table);
    let store = store.crash();
    let report = store.check();
    assert!(report.leaked.is_empty(), "{:?}", report.leaked);
    store.end();
}

#[test]
fn a_crash_after_the_end_of_a_table_does_not_touch_its_pages_again() {
    let mut store = Store::new();
    for round in 0..3 {
        let table = store.create("old");
        store.insert(&table, 0..3000, 250);
        store.delete(&table, (0..3000).filter(|id| id % 2 == round % 2));
        drop(table);
        ddl::delete_table(&mut store.session(), &store.attached, "old").unwrap();
        store.instance.background_step().unwrap();
        // Its pages are used again.
        let table = store.create(&format!("new{round}"));
        store.insert(&table, 0..3000, 250);
        drop(table);
        store = store.crash();
        let report = store.check();
        let rows = report.trees.iter().map(|tree| tree.entries).max();
        assert_eq!(rows, Some(3000));
    }
    store.end();
}

/// Writes all pages and moves the checkpoint as far as may be.
fn write_all(store: &Store) {
    let log = store.instance.log.as_ref().unwrap();
    store.attached.db.cache.flush(FlushGoal::All, log.as_ref()).unwrap();
    log.roll().unwrap();
    store.instance.advance_checkpoint().unwrap();
}

#[test]
fn trees_that_a_reader_kept_from_going_are_given_back_after_a_crash() {
    let store = Store::new();
    let kept = store.create("kept");
    store.insert(&kept, 0..3000, 250);
    let empty = store.check().available;
    let mut session = store.session();
    let index = IndexDef::new("by value", &["v", "id"]);
    let mut progress = |_| Ok(());
    let attached = &store.attached;
    let kept = ddl::create_indexes(&mut session, attached, &kept, &[index], &mut progress).unwrap();
    let table = store.create("old");
    store.insert(&table, 0..3000, 250);
    drop(table);
    let mut reader = store.session();
    reader.begin().unwrap();
    ddl::delete_table(&mut session, attached, "old").unwrap();
    let kept = ddl::delete_index(&mut session, attached, &kept, "by value").unwrap();
    // The checkpoint may not pass what recovery will need.
    write_all(&store);
    store.insert(&kept, 3000..3001, 250);
    let used = store.available();
    let store = store.image();
    let report = store.check();
    assert!(report.leaked.is_empty(), "{:?}", report.leaked);
    assert!(report.available > used + 200, "{used} available, then {}", report.available);
    // What the growing file brought is free as well; the table may have kept an extent.
    assert!(report.available + 64 > empty, "{empty} available, then {}", report.available);
    store.end();
}

#[test]
fn what_an_unfinished_transaction_created_is_given_back_after_a_crash() {
    let store = Store::new();
    let kept = store.create("kept");
    store.insert(&kept, 0..3000, 250);
    let mut session = store.session();
    session.begin().unwrap();
    let columns = vec![ColumnDef::new("id", ColType::Long), ColumnDef::new("v", ColType::Binary)];
    let def = TableDef::new("new", columns).index(IndexDef::primary("pk", &["id"]));
    catalog::create_table(&mut session, &store.attached, &def).unwrap();
    let index = IndexDef::new("by value", &["v", "id"]);
    let mut progress = |_| Ok(());
    let made = ddl::create_indexes(&mut session, &store.attached, &kept, &[index], &mut progress);
    drop((made.unwrap(), kept));
    write_all(&store);
    let store = store.image();
    let report = store.check();
    assert!(report.leaked.is_empty(), "{:?}", report.leaked);
    assert_eq!(catalog::tables(&store.session(), &store.attached).unwrap().len(), 5);
    let recovered = store.recovered.as_ref().unwrap();
    assert!(recovered.reclaimed_pages > 10, "{recovered:?}");
    store.end();
}
