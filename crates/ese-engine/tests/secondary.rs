//! Secondary indexes: each equals the projection of its table, whatever happens.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]

use std::{collections::BTreeMap, ops::ControlFlow, path::Path, sync::Arc};

use ese_base::{JetErr, PageSize, Result};
use ese_engine::{
    catalog,
    instance::{Attached, Instance, InstanceConfig, TermMode},
    record::{RecordBuilder, encode_row},
    schema::{
        ColType, ColumnDef, ColumnFlags, ColumnId, IndexDef, IndexOptions, KeyPart, Placement,
        TableDef,
    },
    session::{Durability, Session},
    table::Table,
    tree::{Direction, Position, Start},
};
use ese_os::Env;

const ID: ColumnId = ColumnId(1);
const NUMBER: ColumnId = ColumnId(2);
const TEXT: ColumnId = ColumnId(128);

fn table_def() -> TableDef {
    TableDef::new(
        "rows",
        vec![
            ColumnDef::new("id", ColType::Long),
            ColumnDef::new("number", ColType::Long),
            ColumnDef::new("text", ColType::Text),
        ],
    )
    .index(IndexDef::primary("pk", &["id"]))
    .index(IndexDef::new("by number", &["number"]))
    .index(IndexDef {
        options: IndexOptions::UNIQUE | IndexOptions::IGNORE_ANY_NULL,
        ..IndexDef::new("by text", &["text"])
    })
    .index(IndexDef {
        parts: vec![KeyPart::descending("text"), KeyPart::ascending("number")],
        ..IndexDef::new("both", &[])
    })
}

struct Store {
    instance: Arc<Instance>,
    attached: Arc<Attached>,
    table: Arc<Table>,
}

fn start(dir: &Path, page_size: PageSize) -> Arc<Instance> {
    let mut config = InstanceConfig::new(dir);
    config.log_file_size = 256 << 10;
    config.page_size = page_size;
    Instance::start(&Env::real(), config).unwrap()
}

fn create(dir: &Path, page_size: PageSize, def: &TableDef) -> Store {
    let instance = start(dir, page_size);
    let attached = instance.create_database(&dir.join("a.edb")).unwrap();
    let mut session = Session::begin_session(&instance).unwrap();
    let table = catalog::create_table(&mut session, &attached, def).unwrap();
    Store { instance, attached, table }
}

fn reopen(dir: &Path, page_size: PageSize) -> Store {
    let instance = start(dir, page_size);
    let attached = instance.attach(&dir.join("a.edb")).unwrap();
    let session = Session::begin_session(&instance).unwrap();
    let table = catalog::open_table(&session, &attached, "rows").unwrap();
    Store { instance, attached, table }
}

impl Store {
    fn session(&self) -> Session {
        Session::begin_session(&self.instance).unwrap()
    }

    fn record(&self, (id, number, text): (i32, Option<i32>, Option<&str>)) -> Vec<u8> {
        let mut record = Vec::new();
        let number = number.map(i32::to_le_bytes);
        let columns = [
            (ID, Some(&id.to_le_bytes()[..])),
            (NUMBER, number.as_ref().map(|bytes| &bytes[..])),
            (TEXT, text.map(str::as_bytes)),
        ];
        encode_row(&self.table.schema, &columns, &mut record).unwrap();
        record
    }

    fn insert(&self, session: &mut Session, row: (i32, Option<i32>, Option<&str>)) -> Result<()> {
        let (record, mut key) = (self.record(row), Vec::new());
        self.table.insert(session, &mut Position::default(), &record, &mut key)
    }

    fn replace(&self, session: &mut Session, row: (i32, Option<i32>, Option<&str>)) -> Result<()> {
        let record = self.record(row);
        self.table.replace(session, &mut Position::default(), &key(row.0), &record)
    }

    fn delete(&self, session: &mut Session, id: i32) -> Result<()> {
        self.table.delete(session, &mut Position::default(), &key(id))
    }

    fn ids(&self, session: &Session, index: &str) -> Vec<i32> {
        let (mut ids, mut at) = (Vec::new(), Position::default());
        let index = self.table.index(index).unwrap();
        self.table
            .scan_index(session, index, Start::End, Direction::Forward, &mut at, |entry| {
                ids.push(id_of(entry.bookmark));
                ControlFlow::Continue(())
            })
            .unwrap();
        ids
    }

    /// Every index equals the projection of its table, and every page has exactly one use.
    fn check(&self) {
        let session = self.session();
        assert_eq!(self.table.check_indexes(&session).unwrap(), []);
        let tables = catalog::tables(&session, &self.attached).unwrap();
        let schemas: Vec<_> = tables.iter().map(|table| table.schema.clone()).collect();
        let views = ese_engine::space::check::trees_of(&schemas);
        let db = &self.attached.db;
        let report = ese_engine::space::check::check(&db.cache, &views, db.dbtime());
        assert!(report.problems.is_empty(), "{:?}", report.problems);
    }

    fn end(self) {
        let instance = Arc::clone(&self.instance);
        drop(self);
        instance.terminate(TermMode::Clean).unwrap();
    }
}

fn key(id: i32) -> Vec<u8> {
    [&[0x7f][..], &(id.cast_unsigned() ^ 0x8000_0000).to_be_bytes()].concat()
}

fn id_of(key: &[u8]) -> i32 {
    (u32::from_be_bytes(key[1..5].try_into().unwrap()) ^ 0x8000_0000).cast_signed()
}

#[test]
fn entries_come_change_and_go_with_their_rows() {
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path(), PageSize::K4, &table_def());
    let mut session = store.session();
    session.begin().unwrap();
    store.insert(&mut session, (1, Some(30), Some("b"))).unwrap();
    store.insert(&mut session, (2, Some(10), Some("c"))).unwrap();
    store.insert(&mut session, (3, Some(20), Some("a"))).unwrap();
    store.insert(&mut session, (4, Some(20), None)).unwrap();
    assert_eq!(store.ids(&session, "by number"), [2, 3, 4, 1]);
    assert_eq!(store.ids(&session, "BY TEXT"), [3, 1, 2]);
    assert_eq!(store.ids(&session, "both"), [2, 1, 3, 4], "descending: NULL comes last");
    session.commit(Durability::Lazy).unwrap();

    let mut reader = store.session();
    reader.begin_read_only().unwrap();
    session.begin().unwrap();
    store.replace(&mut session, (1, Some(5), Some("b"))).unwrap();
    store.replace(&mut session, (2, None, Some("A2"))).unwrap();
    store.delete(&mut session, 3).unwrap();
    assert_eq!(store.ids(&session, "by number"), [2, 1, 4], "NULL comes first");
    assert_eq!(store.ids(&session, "by text"), [2, 1]);
    assert_eq!(store.ids(&reader, "by number"), [2, 3, 4, 1]);
    session.commit(Durability::Lazy).unwrap();
    assert_eq!(store.ids(&reader, "by number"), [2, 3, 4, 1], "the snapshot stays");
    assert_eq!(store.ids(&reader, "by text"), [3, 1, 2]);
    assert_eq!(store.ids(&reader, "both"), [2, 1, 3, 4]);
    reader.commit(Durability::Lazy).unwrap();
    assert_eq!(store.ids(&reader, "both"), [1, 2, 4]);
    drop((reader, session));
    store.check();
    store.end();
}

#[test]
fn a_duplicate_in_a_unique_index_leaves_no_trace_of_the_row() {
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path(), PageSize::K4, &table_def());
    let mut session = store.session();
    session.begin().unwrap();
    store.insert(&mut session, (1, Some(1), Some("one"))).unwrap();
    store.insert(&mut session, (2, Some(2), Some("two"))).unwrap();
    let refused = store.insert(&mut session, (3, Some(3), Some("ONE"))).unwrap_err();
    assert_eq!(refused.code(), JetErr::KeyDuplicate, "{refused}");
    assert!(refused.to_string().contains("by text"), "{refused}");
    assert_eq!(store.ids(&session, "by number"), [1, 2]);
    assert!(store.table.get(&session, &key(3), |_| ()).unwrap().is_none());
    let refused = store.replace(&mut session, (2, Some(9), Some("one"))).unwrap_err();
    assert_eq!(refused.code(), JetErr::KeyDuplicate);
    let found = store.table.get(&session, &key(2), <[u8]>::to_vec).unwrap();
    assert_eq!(found, Some(store.record((2, Some(2), Some("two")))));
    session.commit(Durability::Lazy).unwrap();
    store.check();

    // 5.4: a key that an unseen transaction has given up or taken is a duplicate, never a conflict.
    let mut other = store.session();
    other.begin().unwrap();
    session.begin().unwrap();
    store.delete(&mut session, 1).unwrap();
    store.insert(&mut session, (4, None, Some("four"))).unwrap();
    for text in ["one", "four"] {
        let refused = store.insert(&mut other, (5, None, Some(text))).unwrap_err();
        assert_eq!(refused.code(), JetErr::KeyDuplicate, "{text}");
    }
    session.commit(Durability::Lazy).unwrap();
    for text in ["one", "four"] {
        let refused = store.insert(&mut other, (5, None, Some(text))).unwrap_err();
        assert_eq!(refused.code(), JetErr::KeyDuplicate, "{text}, after the commit");
    }
    other.rollback().unwrap();
    other.begin().unwrap();
    store.insert(&mut other, (5, None, Some("one"))).unwrap();
    other.commit(Durability::Lazy).unwrap();
    drop((session, other));
    store.check();
    store.end();
}

#[test]
fn a_row_may_take_over_a_unique_key_from_one_that_gives_it_up() {
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path(), PageSize::K4, &table_def());
    let mut session = store.session();
    session.begin().unwrap();
    store.insert(&mut session, (1, None, Some("key"))).unwrap();
    session.commit(Durability::Lazy).unwrap();
    let mut old = store.session();
    old.begin_read_only().unwrap();
    session.begin().unwrap();
    store.replace(&mut session, (1, None, Some("other"))).unwrap();
    store.insert(&mut session, (2, None, Some("key"))).unwrap();
    assert_eq!(store.ids(&session, "by text"), [2, 1]);
    assert_eq!(store.ids(&old, "by text"), [1], "the old snapshot finds the old row there");
    session.rollback().unwrap();
    assert_eq!(store.ids(&session, "by text"), [1]);
    drop((session, old));
    store.check();
    store.end();
}

#[test]
fn a_replacement_that_keeps_a_key_leaves_its_index_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path(), PageSize::K4, &table_def());
    let mut session = store.session();
    session.begin().unwrap();
    store.insert(&mut session, (1, Some(1), Some("Text"))).unwrap();
    let dbtime = |name: &str| {
        let fdp = store.table.index(name).unwrap().schema.fdp;
        store.attached.db.cache.read(fdp).unwrap().page().dbtime()
    };
    let before = (dbtime("by number"), dbtime("by text"), dbtime("both"));
    store.replace(&mut session, (1, Some(2), Some("tEXT"))).unwrap();
    let after = (dbtime("by number"), dbtime("by text"), dbtime("both"));
    assert!(
        before.0 < after.0 && before.1 == after.1 && before.2 < after.2,
        "{before:?} {after:?}"
    );
    session.commit(Durability::Lazy).unwrap();
    drop(session);
    store.check();
    store.end();
}

#[test]
fn values_of_a_multi_valued_column_have_an_entry_each_and_equal_ones_one() {
    let dir = tempfile::tempdir().unwrap();
    let many = ColumnDef::new("many", ColType::Long)
        .with(ColumnFlags::MULTI_VALUED)
        .placed(Placement::Tagged);
    let unique = IndexDef { options: IndexOptions::UNIQUE, ..IndexDef::new("unique", &["many"]) };
    let def = TableDef::new("rows", vec![ColumnDef::new("id", ColType::Long), many])
        .index(IndexDef::primary("pk", &["id"]))
        .index(IndexDef::new("many", &["many"]));
    let store = create(dir.path(), PageSize::K4, &def);
    let strict = TableDef { name: "strict".to_owned(), ..def.index(unique) };
    let mut session = store.session();
    let strict = catalog::create_table(&mut session, &store.attached, &strict).unwrap();
    let record = |table: &Table, id: i32, values: &[i32]| {
        let mut builder = RecordBuilder::new();
        builder.insert(&table.schema).unwrap();
        builder.set(&table.schema, ID, Some(&id.to_le_bytes())).unwrap();
        for (at, value) in values.iter().enumerate() {
            let bytes = value.to_le_bytes();
            builder.set_instance(&table.schema, ColumnId(256), at + 1, Some(&bytes)).unwrap();
        }
        builder.bytes().to_vec()
    };
    session.begin().unwrap();
    let (at, out) = (&mut Position::default(), &mut Vec::new());
    store.table.insert(&mut session, at, &record(&store.table, 1, &[7, 5, 7]), out).unwrap();
    store.table.insert(&mut session, at, &record(&store.table, 2, &[6]), out).unwrap();
    assert_eq!(store.ids(&session, "many"), [1, 2, 1]);
    let twice = record(&strict, 1, &[7, 5, 7]);
    let refused = strict.insert(&mut session, at, &twice, out).unwrap_err();
    assert_eq!(refused.code(), JetErr::MultiValuedIndexViolation, "{refused}");
    assert!(strict.get(&session, &key(1), |_| ()).unwrap().is_none());
    session.commit(Durability::Lazy).unwrap();
    drop((session, strict));
    store.check();
    store.end();
}

/// A small generator: tests repeat.
struct Rng(u64);

impl Rng {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) % bound
    }
}

/// What the table should hold.
type Rows = BTreeMap<i32, (Option<i32>, Option<String>)>;

/// One random change; what the model says must be what the engine says.
fn change(store: &Store, session: &mut Session, rng: &mut Rng, rows: &mut Rows) {
    let id = i32::try_from(rng.below(400)).unwrap();
    let number = (rng.below(8) > 0).then(|| i32::try_from(rng.below(20)).unwrap());
    let length = usize::try_from(rng.below(60)).unwrap();
    let text = (rng.below(8) > 0).then(|| format!("{}{:x>length$}", rng.below(500), ""));
    let taken =
        rows.iter().any(|(other, (_, theirs))| *other != id && text.is_some() && *theirs == text);
    let row = (id, number, text.as_deref());
    let (result, wanted) = match (rng.below(3), rows.contains_key(&id)) {
        (0, true) => (store.delete(session, id), Ok(None)),
        (_, true) if taken => (store.replace(session, row), Err(JetErr::KeyDuplicate)),
        (_, true) => (store.replace(session, row), Ok(Some((number, text.clone())))),
        (_, false) if taken => (store.insert(session, row), Err(JetErr::KeyDuplicate)),
        (_, false) => (store.insert(session, row), Ok(Some((number, text.clone())))),
    };
    match (result, wanted) {
        (Ok(()), Ok(None)) => _ = rows.remove(&id),
        (Ok(()), Ok(Some(values))) => _ = rows.insert(id, values),
        (Err(error), Err(code)) => assert_eq!(error.code(), code, "{error}"),
        (result, wanted) => panic!("{result:?} instead of {wanted:?}"),
    }
}

#[test]
fn random_changes_rollbacks_ends_and_crashes_leave_every_index_the_projection_of_its_table() {
    for page_size in [PageSize::K4, PageSize::K16] {
        let (dir, mut rng) = (tempfile::tempdir().unwrap(), Rng(7));
        let mut store = create(dir.path(), page_size, &table_def());
        let mut rows = Rows::new();
        for round in 0..12 {
            let mut session = store.session();
            for _ in 0..20 {
                let before = rows.clone();
                session.begin().unwrap();
                for _ in 0..rng.below(30) {
                    change(&store, &mut session, &mut rng, &mut rows);
                }
                session.begin().unwrap();
                let inner = rows.clone();
                for _ in 0..rng.below(10) {
                    change(&store, &mut session, &mut rng, &mut rows);
                }
                if rng.below(2) == 0 {
                    session.rollback().unwrap();
                    rows = inner;
                } else {
                    session.commit(Durability::Lazy).unwrap();
                }
                if rng.below(3) == 0 {
                    session.rollback().unwrap();
                    rows = before;
                } else {
                    session.commit(Durability::Lazy).unwrap();
                }
            }
            store.check();
            let mut ids = store.ids(&session, "by number");
            ids.sort_unstable();
            assert_eq!(ids, rows.keys().copied().collect::<Vec<_>>());
            if round % 3 == 2 {
                // A crash with a transaction under way whose log is durable.
                session.begin().unwrap();
                let mut lost = rows.clone();
                for _ in 0..40 {
                    change(&store, &mut session, &mut rng, &mut lost);
                }
                store.instance.log.as_ref().unwrap().flush_all().unwrap();
                store.instance.abandon();
                drop((session, store));
                store = reopen(dir.path(), page_size);
                store.check();
            } else if round % 3 == 1 {
                drop(session);
                store.end();
                store = reopen(dir.path(), page_size);
            }
        }
        store.check();
        store.end();
    }
}
