//! Indexes that are made while other transactions have changes of rows under way.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use ese_base::{JetErr, PageSize, Result};
use ese_engine::{
    catalog, ddl,
    instance::{Attached, Instance, InstanceConfig},
    record::encode_row,
    schema::{
        ColType, ColumnDef, ColumnFlags, ColumnId, ConditionDef, IndexDef, IndexOptions, Placement,
        TableDef, TupleLimits,
    },
    session::{Durability, Session},
    table::Table,
    tree::Position,
};
use ese_os::Env;

const ROWS: i32 = 400;

struct Store {
    dir: tempfile::TempDir,
    instance: Arc<Instance>,
    attached: Arc<Attached>,
}

fn start(dir: &Path) -> Arc<Instance> {
    let mut config = InstanceConfig::new(dir);
    config.log_file_size = 256 << 10;
    config.page_size = PageSize::K4;
    Instance::start(&Env::real(), config).unwrap()
}

impl Store {
    /// A store, and its table of rows 0 to [`ROWS`].
    fn new() -> (Store, Arc<Table>) {
        let dir = tempfile::tempdir().unwrap();
        let instance = start(dir.path());
        let attached = instance.create_database(&dir.path().join("a.edb")).unwrap();
        let store = Store { dir, instance, attached };
        let many = ColumnDef::new("many", ColType::Binary)
            .placed(Placement::Tagged)
            .with(ColumnFlags::MULTI_VALUED);
        let columns = vec![
            ColumnDef::new("id", ColType::Long),
            ColumnDef::new("n", ColType::Long),
            ColumnDef::new("text", ColType::Binary),
            many,
            ColumnDef::new("long", ColType::LongBinary),
        ];
        let def = TableDef::new("t", columns).index(IndexDef::primary("pk", &["id"]));
        let mut session = store.session();
        let table = catalog::create_table(&mut session, &store.attached, &def).unwrap();
        session.begin().unwrap();
        (0..ROWS).for_each(|id| insert(&mut session, &table, id, id * 7).unwrap());
        session.commit(Durability::Lazy).unwrap();
        (store, table)
    }

    fn session(&self) -> Session {
        Session::begin_session(&self.instance).unwrap()
    }

    fn open(&self) -> Arc<Table> {
        catalog::open_table(&self.session(), &self.attached, "t").unwrap()
    }

    fn create(&self, session: &mut Session, defs: &[IndexDef]) -> Result<Arc<Table>> {
        let table = catalog::open_table(session, &self.attached, "t").unwrap();
        ddl::create_indexes(session, &self.attached, &table, defs, &mut |_| Ok(()))
    }

    fn delete(&self, session: &mut Session, defs: &[IndexDef]) {
        for def in defs {
            let table = catalog::open_table(session, &self.attached, "t").unwrap();
            ddl::delete_index(session, &self.attached, &table, &def.name).unwrap();
        }
    }

    /// Indexes equal their table, every page has one use, none is lost; gives the free pages.
    fn check(&self, what: &str) -> u32 {
        let (available, leaked) = self.check_while_open(what);
        assert_eq!(leaked, 0, "{what}");
        available
    }

    /// The same, while a transaction may be open that was there before an index was taken back: its
    /// pages wait for that. Gives the free pages, and how many have no use.
    fn check_while_open(&self, what: &str) -> (u32, u32) {
        self.instance.background_step().unwrap();
        let session = self.session();
        let tables = catalog::tables(&session, &self.attached).unwrap();
        for table in &tables {
            assert_eq!(table.check_indexes(&session).unwrap(), [], "{what}");
        }
        let schemas = tables.iter().map(|table| Arc::new(table.schema_with_long_values()));
        let schemas: Vec<_> = schemas.collect();
        let views = ese_engine::space::check::trees_of(&schemas);
        let db = &self.attached.db;
        let report = ese_engine::space::check::check(&db.cache, &views, db.dbtime());
        assert!(report.problems.is_empty(), "{what}: {:?}", report.problems);
        (report.available, report.leaked.iter().map(|extent| extent.pages).sum())
    }

    /// What is there after a crash that left the whole log; `held` is what still uses the store.
    fn crash(self, held: (Session, Session, Arc<Table>)) -> Store {
        self.instance.log.as_ref().unwrap().flush_all().unwrap();
        let Store { dir, instance, attached } = self;
        instance.abandon();
        instance.abandon();
        drop((held, attached, instance));
        let instance = start(dir.path());
        let attached = instance.attach(&dir.path().join("a.edb")).unwrap();
        Store { dir, instance, attached }
    }
}

fn record(table: &Table, id: i32, number: i32) -> Vec<u8> {
    let (id, number, mut record) = (id.to_le_bytes(), number.to_le_bytes(), Vec::new());
    let column = |name| table.schema.column(name).unwrap().id;
    let text = format!("text of {number:?}");
    let many = [[number[0], 1], [number[0], 2]];
    let values: [(ColumnId, Option<&[u8]>); 5] = [
        (column("id"), Some(&id)),
        (column("n"), Some(&number)),
        (column("text"), Some(text.as_bytes())),
        (column("many"), Some(&many[0])),
        (column("many"), Some(&many[1])),
    ];
    encode_row(&table.schema, &values, &mut record).unwrap();
    record
}

fn insert(session: &mut Session, table: &Table, id: i32, number: i32) -> Result<()> {
    let at = &mut Position::default();
    table.insert(session, at, &record(table, id, number), &mut Vec::new())
}

fn replace(session: &mut Session, table: &Table, id: i32, number: i32) -> Result<()> {
    table.replace(session, &mut Position::default(), &key(id), &record(table, id, number))
}

fn delete(session: &mut Session, table: &Table, id: i32) -> Result<()> {
    table.delete(session, &mut Position::default(), &key(id))
}

/// Deletes a row if there is one. Was there?
fn remove(session: &mut Session, table: &Table, id: i32) -> Result<bool> {
    match table.get(session, &key(id), |_| ())? {
        Some(()) => delete(session, table, id).map(|()| true),
        None => Ok(false),
    }
}

fn key(id: i32) -> Vec<u8> {
    [&[0x7f][..], &(id.cast_unsigned() ^ 0x8000_0000).to_be_bytes()].concat()
}

/// One index of each kind.
fn kinds() -> Vec<IndexDef> {
    let conditions = vec![ConditionDef { column: "text".to_owned(), must_be_null: false }];
    let tuples = TupleLimits { length_min: 2, length_max: 6, count: 30, increment: 1, start: 0 };
    vec![
        IndexDef::new("plain", &["n"]),
        IndexDef { options: IndexOptions::UNIQUE, ..IndexDef::new("unique", &["n"]) },
        IndexDef { conditions, ..IndexDef::new("conditional", &["text", "n"]) },
        IndexDef { tuples: Some(tuples), ..IndexDef::new("tuples", &["text"]) },
        IndexDef::new("many", &["many"]),
    ]
}

/// Every way of changing rows, of which some end as they began.
fn change(session: &mut Session, table: &Table) {
    insert(session, table, 1000, 100_000).unwrap();
    delete(session, table, 1).unwrap();
    replace(session, table, 2, 100_002).unwrap();
    // There and back, with another key in between.
    replace(session, table, 3, 100_003).unwrap();
    replace(session, table, 3, 21).unwrap();
    insert(session, table, 1004, 100_004).unwrap();
    delete(session, table, 1004).unwrap();
    delete(session, table, 5).unwrap();
    insert(session, table, 5, 100_005).unwrap();
    // The key of a unique index goes from one row to the other.
    delete(session, table, 6).unwrap();
    insert(session, table, 1006, 42).unwrap();
}

/// Goes on with rows that were changed before the index was there.
fn change_more(session: &mut Session, table: &Table) {
    replace(session, table, 1000, 100_100).unwrap();
    insert(session, table, 1, 100_101).unwrap();
    delete(session, table, 2).unwrap();
    replace(session, table, 3, 100_103).unwrap();
    insert(session, table, 1004, 100_104).unwrap();
    replace(session, table, 5, 35).unwrap();
    delete(session, table, 1006).unwrap();
}

#[test]
fn open_changes_are_followed_whatever_becomes_of_them_and_of_the_index() {
    let (store, table) = Store::new();
    let (mut maker, mut writer) = (store.session(), store.session());
    let defs = kinds();
    for case in 0..32 {
        let [in_transaction, keeps, goes_on, first, commits] =
            [0, 1, 2, 3, 4].map(|bit| case >> bit & 1 == 1);
        let what = format!(
            "in a transaction {in_transaction}, kept {keeps}, the writer goes on {goes_on}, ends \
             first {first}, commits {commits}"
        );
        writer.begin().unwrap();
        change(&mut writer, &table);
        let end = |writer: &mut Session| {
            if goes_on {
                change_more(writer, &table);
            }
            match commits {
                true => writer.commit(Durability::Lazy).unwrap(),
                false => writer.rollback().unwrap(),
            }
        };
        if in_transaction {
            maker.begin().unwrap();
        }
        let newest = store.create(&mut maker, &defs).unwrap();
        assert_eq!(newest.check_indexes(&maker).unwrap(), [], "{what}");
        if first {
            end(&mut writer);
            assert_eq!(newest.check_indexes(&maker).unwrap(), [], "{what}");
        }
        if in_transaction && keeps {
            maker.commit(Durability::Lazy).unwrap();
        } else if in_transaction {
            maker.rollback().unwrap();
        }
        let waiting = store.check_while_open(&what).1;
        let waits = in_transaction && !keeps && !first;
        assert_eq!(waiting > 0, waits, "{what}");
        if !first {
            end(&mut writer);
        }
        store.check(&what);
        if in_transaction && !keeps {
            assert!(store.open().secondary_indexes().is_empty());
        } else {
            store.delete(&mut maker, &defs);
        }
        if commits {
            // As it was.
            writer.begin().unwrap();
            for id in [1, 2, 3, 5, 6, 1000, 1004, 1006] {
                remove(&mut writer, &table, id).unwrap();
            }
            for id in [1, 2, 3, 5, 6] {
                insert(&mut writer, &table, id, id * 7).unwrap();
            }
            writer.commit(Durability::Lazy).unwrap();
        }
    }
}

#[test]
fn levels_that_are_taken_back_take_back_their_entries_only() {
    for commits_inner in [true, false] {
        let (store, table) = Store::new();
        let (mut maker, mut writer) = (store.session(), store.session());
        in_levels(&store, (&mut maker, &mut writer), &table, commits_inner);
        writer.rollback().unwrap();
        store.check("taken back");
        store.delete(&mut maker, &kinds());
        in_levels(&store, (&mut maker, &mut writer), &table, commits_inner);
        let store = store.crash((maker, writer, table));
        assert_eq!(store.open().secondary_indexes().len(), kinds().len());
        store.check("taken back after a crash");
    }
}

/// Leaves the writer in its outermost level.
fn in_levels(
    store: &Store,
    (maker, writer): (&mut Session, &mut Session),
    table: &Table,
    commits_inner: bool,
) {
    writer.begin().unwrap();
    insert(writer, table, 2000, 200_000).unwrap();
    replace(writer, table, 10, 200_010).unwrap();
    writer.begin().unwrap();
    replace(writer, table, 2000, 200_001).unwrap();
    delete(writer, table, 10).unwrap();
    writer.begin().unwrap();
    insert(writer, table, 2001, 200_002).unwrap();
    store.create(maker, &kinds()).unwrap();
    writer.rollback().unwrap();
    store.check("the innermost level is taken back");
    // The level that follows is none that anything of the index belongs to.
    writer.begin().unwrap();
    insert(writer, table, 2002, 200_003).unwrap();
    writer.rollback().unwrap();
    if commits_inner {
        writer.commit(Durability::Lazy).unwrap();
        writer.begin().unwrap();
        insert(writer, table, 2003, 200_004).unwrap();
    }
    writer.rollback().unwrap();
    let newest = store.open();
    assert_eq!(newest.check_indexes(writer).unwrap(), []);
    store.check("what is left is open");
}

#[test]
fn who_makes_an_index_sees_it_as_it_sees_the_rows() {
    let (store, table) = Store::new();
    let (mut maker, mut writer) = (store.session(), store.session());
    for keeps in [false, true] {
        maker.begin().unwrap();
        let own = insert(&mut maker, &table, 3000, 300_000);
        own.unwrap();
        writer.begin().unwrap();
        change(&mut writer, &table);
        writer.commit(Durability::Lazy).unwrap();
        writer.begin().unwrap();
        change_more(&mut writer, &table);
        writer.commit(Durability::Lazy).unwrap();
        writer.begin().unwrap();
        replace(&mut writer, &table, 1000, 100_000).unwrap();
        let newest = store.create(&mut maker, &kinds()).unwrap();
        assert_eq!(newest.check_indexes(&maker).unwrap(), []);
        // What it does not see stands in its way, in the rows and in unique keys.
        let refused = replace(&mut maker, &newest, 3, 1).unwrap_err();
        assert_eq!(refused.code(), JetErr::WriteConflict);
        let refused = insert(&mut maker, &newest, 3001, 100_103).unwrap_err();
        assert_eq!(refused.code(), JetErr::KeyDuplicate);
        replace(&mut maker, &newest, 3000, 300_001).unwrap();
        assert_eq!(newest.check_indexes(&maker).unwrap(), []);
        if keeps {
            maker.commit(Durability::Lazy).unwrap();
            store.check("committed");
            writer.commit(Durability::Lazy).unwrap();
            assert_eq!(store.open().secondary_indexes().len(), 5);
        } else {
            maker.rollback().unwrap();
            writer.rollback().unwrap();
            writer.begin().unwrap();
            for id in [1, 3, 5, 1000, 1004] {
                delete(&mut writer, &table, id).unwrap();
            }
            for id in [1, 2, 3, 5, 6] {
                insert(&mut writer, &table, id, id * 7).unwrap();
            }
            writer.commit(Durability::Lazy).unwrap();
        }
        store.check("ended");
    }
    // Nothing of it is left that only its maker had to know.
    let store = store.crash((maker, writer, table));
    store.check("after a crash");
}

#[test]
fn keys_that_are_unique_only_if_others_roll_back_are_duplicates() {
    let (store, table) = Store::new();
    let (mut maker, mut writer, mut third) = (store.session(), store.session(), store.session());
    let free = store.check("nothing has happened");
    let unique = [IndexDef { options: IndexOptions::UNIQUE, ..IndexDef::new("unique", &["n"]) }];
    writer.begin().unwrap();
    insert(&mut writer, &table, 4000, 400_000).unwrap();
    insert(&mut writer, &table, 4001, 7).unwrap();
    let refused = store.create(&mut maker, &unique).unwrap_err();
    assert_eq!(refused.code(), JetErr::KeyDuplicate);
    assert!(store.open().secondary_indexes().is_empty());
    // The writer is none the wiser.
    replace(&mut writer, &table, 4001, 400_001).unwrap();
    let kept = store.create(&mut maker, &unique).map(drop);
    assert_eq!(kept.unwrap_err().code(), JetErr::KeyDuplicate, "a key that it had on its way");
    writer.rollback().unwrap();
    drop(store.create(&mut maker, &unique).unwrap());
    store.check("made");
    store.delete(&mut maker, &unique);

    // One gives a key up, the other takes it.
    writer.begin().unwrap();
    delete(&mut writer, &table, 8).unwrap();
    third.begin().unwrap();
    insert(&mut third, &table, 4002, 56).unwrap();
    assert_eq!(store.create(&mut maker, &unique).unwrap_err().code(), JetErr::KeyDuplicate);
    maker.begin().unwrap();
    assert_eq!(store.create(&mut maker, &unique).unwrap_err().code(), JetErr::KeyDuplicate);
    insert(&mut maker, &table, 4003, 400_003).unwrap();
    delete(&mut maker, &table, 4003).unwrap();
    maker.commit(Durability::Lazy).unwrap();
    third.rollback().unwrap();
    drop(store.create(&mut maker, &unique).unwrap());
    let refused = insert(&mut third_at_work(&store), &store.open(), 4004, 56).unwrap_err();
    assert_eq!(refused.code(), JetErr::KeyDuplicate);
    writer.commit(Durability::Lazy).unwrap();
    insert(&mut third_at_work(&store), &store.open(), 4005, 56).unwrap();
    store.check("the key is free");
    store.delete(&mut maker, &unique);
    drop((maker, writer, third, table));
    assert_eq!(store.check("all is done"), free, "all space is free again");
}

fn third_at_work(store: &Store) -> Session {
    let mut session = store.session();
    session.begin().unwrap();
    session
}

#[test]
fn a_crash_leaves_exact_indexes_or_none() {
    // Which of the two ends before the crash, and whether the making fails.
    for case in 0..8 {
        let [makes, commits, fails] = [0, 1, 2].map(|bit| case >> bit & 1 == 1);
        let what = format!("made {makes}, committed {commits}, fails {fails}");
        let (store, table) = Store::new();
        let (mut maker, mut writer) = (store.session(), store.session());
        let free = store.check(&what);
        writer.begin().unwrap();
        change(&mut writer, &table);
        if fails {
            insert(&mut writer, &table, 5000, 70).unwrap();
        }
        maker.begin().unwrap();
        let made = store.create(&mut maker, &kinds()).map(drop);
        assert_eq!(made.is_err(), fails, "{what}");
        if makes {
            maker.commit(Durability::Lazy).unwrap();
        }
        insert(&mut writer, &table, 5001, 500_001).unwrap();
        if commits {
            writer.commit(Durability::Lazy).unwrap();
        }
        let store = store.crash((maker, writer, table));
        let indexes = if makes && !fails { 5 } else { 0 };
        assert_eq!(store.open().secondary_indexes().len(), indexes, "{what}");
        let left = store.check(&what);
        assert!(indexes > 0 || commits || left + 8 >= free, "{what}: {left} of {free}");
        let mut session = store.session();
        session.begin().unwrap();
        let taken = insert(&mut session, &store.open(), 5001, 500_001);
        assert_eq!(taken.is_err(), commits, "{what}");
    }
}

#[test]
fn values_outside_of_rows_that_others_change_make_no_keys() {
    let (store, table) = Store::new();
    let (mut maker, mut writer) = (store.session(), store.session());
    writer.begin().unwrap();
    let column = table.schema.column("long").unwrap().id;
    let (long, mut whole, mut key) = (vec![7; 5000], Vec::new(), Vec::new());
    let (id, number) = (6000_i32.to_le_bytes(), 600_000_i32.to_le_bytes());
    let values: [(ColumnId, Option<&[u8]>); 3] =
        [(ColumnId(1), Some(&id)), (ColumnId(2), Some(&number)), (column, Some(&long))];
    let at = &mut Position::default();
    table.insert_values(&mut writer, at, &values, &mut whole, &mut key).unwrap();
    let by_long = [IndexDef::new("by long", &["long"])];
    assert_eq!(store.create(&mut maker, &by_long).unwrap_err().code(), JetErr::WriteConflict);
    drop(store.create(&mut maker, &kinds()).unwrap());
    writer.commit(Durability::Lazy).unwrap();
    drop(store.create(&mut maker, &by_long).unwrap());
    store.check("made");
    assert_eq!(store.open().secondary_indexes().len(), 6);
}

#[test]
fn indexes_are_made_beside_writers_that_never_rest() {
    let (store, table) = Store::new();
    let (done, conflicts) = (AtomicBool::new(false), AtomicUsize::new(0));
    let defs: Vec<_> = kinds().into_iter().filter(|def| def.name != "unique").collect();
    thread::scope(|scope| {
        for own in 0..3 {
            let (store, table, done, conflicts) = (&store, &table, &done, &conflicts);
            scope.spawn(move || {
                let mut session = store.session();
                let mut round = own;
                while !done.load(Ordering::Relaxed) {
                    round += 1;
                    session.begin().unwrap();
                    let (id, new) = (round * 13 % ROWS, 10_000 * (own + 1) + round % 200);
                    let mut some = || {
                        replace(&mut session, table, id, new)?;
                        session.begin()?;
                        if !remove(&mut session, table, new)? {
                            insert(&mut session, table, new, new)?;
                        }
                        match round % 3 {
                            0 => session.rollback()?,
                            _ => session.commit(Durability::Lazy)?,
                        }
                        replace(&mut session, table, (id + 1) % ROWS, new + 1)
                    };
                    let changed = some();
                    while session.level() > 1 {
                        session.rollback().unwrap();
                    }
                    match changed {
                        Ok(()) if round % 2 == 0 => session.commit(Durability::Lazy).unwrap(),
                        Ok(()) => session.rollback().unwrap(),
                        Err(error) => {
                            let codes = [JetErr::WriteConflict, JetErr::KeyDuplicate];
                            assert!(codes.contains(&error.code()), "{error}");
                            conflicts.fetch_add(1, Ordering::Relaxed);
                            session.rollback().unwrap();
                        }
                    }
                }
            });
        }
        let mut maker = store.session();
        for round in 0..60 {
            if round % 3 == 0 {
                maker.begin().unwrap();
                let newest = store.create(&mut maker, &defs).unwrap();
                assert_eq!(newest.check_indexes(&maker).unwrap(), []);
                maker.rollback().unwrap();
                continue;
            }
            let newest = store.create(&mut maker, &defs).unwrap();
            maker.begin().unwrap();
            assert_eq!(newest.check_indexes(&maker).unwrap(), []);
            maker.commit(Durability::Lazy).unwrap();
            store.delete(&mut maker, &defs);
        }
        drop(store.create(&mut maker, &defs).unwrap());
        done.store(true, Ordering::Relaxed);
    });
    store.check("at the end");
}

/// The root of an index that was deleted becomes that of a new one, while somebody still needs
/// versions of its nodes: they are not versions of the new nodes with the same keys.
#[test]
fn a_new_index_has_no_versions_of_the_one_whose_root_it_got() {
    let (store, _) = Store::new();
    let long = |name| ColumnDef::new(name, ColType::Long);
    let def = TableDef::new("two", vec![long("id"), long("v"), long("m")])
        .index(IndexDef::primary("pk", &["id"]));
    let [mut writer, mut maker, mut deleter] = [(); 3].map(|()| store.session());
    let table = catalog::create_table(&mut writer, &store.attached, &def).unwrap();
    let row = |id: i32, v: i32, m: i32| {
        let bytes = [id, v, m].map(i32::to_le_bytes);
        let columns = ["id", "v", "m"].map(|name| table.schema.column(name).unwrap().id);
        let values: Vec<(ColumnId, Option<&[u8]>)> =
            columns.into_iter().zip(bytes.iter().map(|bytes| Some(&bytes[..]))).collect();
        let mut record = Vec::new();
        encode_row(&table.schema, &values, &mut record).unwrap();
        record
    };
    writer.begin().unwrap();
    for id in 1..=10 {
        let at = &mut Position::default();
        table.insert(&mut writer, at, &row(id, 5, 7), &mut Vec::new()).unwrap();
    }
    writer.commit(Durability::Lazy).unwrap();
    let make = |session: &mut Session, index: IndexDef| {
        let table = catalog::open_table(session, &store.attached, "two").unwrap();
        ddl::create_indexes(session, &store.attached, &table, &[index], &mut |_| Ok(())).unwrap()
    };
    let table = make(&mut writer, IndexDef::new("xv", &["v"]));
    let root = table.secondary_indexes()[0].schema.fdp;

    writer.begin().unwrap();
    let at = &mut Position::default();
    // An entry of the old index that was not there before, with the bytes of one of the new index;
    // and a change that gives the new index versions of its own, so that it is asked for them.
    table.replace(&mut writer, at, &key(1), &row(1, 7, 7)).unwrap();
    table.replace(&mut writer, at, &key(2), &row(2, 5, 8)).unwrap();
    ddl::delete_index(&mut deleter, &store.attached, &table, "xv").unwrap();
    maker.begin().unwrap();
    assert!(table.get(&maker, &key(1), |_| ()).unwrap().is_some());
    writer.commit(Durability::Lazy).unwrap();
    store.instance.background_step().unwrap();
    let newest = make(&mut maker, IndexDef::new("xm", &["m"]));
    assert_eq!(newest.secondary_indexes()[0].schema.fdp, root);
    assert_eq!(newest.check_indexes(&maker).unwrap(), []);
    maker.commit(Durability::Lazy).unwrap();
    store.check("after all");
}
