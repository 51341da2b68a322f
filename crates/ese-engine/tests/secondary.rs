//! Secondary indexes: each equals the projection of its table, whatever happens.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]

use std::{collections::BTreeMap, ops::ControlFlow, path::Path, sync::Arc};

use ese_base::{JetErr, PageSize, Result};
use ese_engine::{
    catalog,
    instance::{Attached, Instance, InstanceConfig, TermMode},
    record::{RecordBuilder, encode_row},
    schema::{
        ColType, ColumnDef, ColumnFlags, ColumnId, ConditionDef, IndexDef, IndexOptions, KeyPart,
        Placement, TableDef, TupleLimits, UnicodeIndex, add_index,
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

#[test]
fn conditions_tuples_and_combinations_decide_which_entries_a_row_has() {
    let dir = tempfile::tempdir().unwrap();
    let many = |name: &str| {
        ColumnDef::new(name, ColType::Long)
            .with(ColumnFlags::MULTI_VALUED)
            .placed(Placement::Tagged)
    };
    let text = ColumnDef::new("text", ColType::Text);
    let columns = vec![ColumnDef::new("id", ColType::Long), text, many("a"), many("b")];
    let with =
        |name, columns: &[&str], options| IndexDef { options, ..IndexDef::new(name, columns) };
    let condition =
        |column: &str, must_be_null| vec![ConditionDef { column: column.to_owned(), must_be_null }];
    let limits = TupleLimits { length_min: 2, length_max: 3, count: 3, increment: 2, start: 1 };
    let def = TableDef::new("rows", columns)
        .index(IndexDef::primary("pk", &["id"]))
        .index(IndexDef::new("first", &["a", "b"]))
        .index(with("cross", &["a", "b"], IndexOptions::CROSS_PRODUCT))
        .index(with("nested", &["a", "b"], IndexOptions::NESTED_TABLE))
        .index(IndexDef { conditions: condition("text", true), ..IndexDef::new("null", &["id"]) })
        .index(IndexDef { conditions: condition("text", false), ..IndexDef::new("set", &["id"]) })
        .index(IndexDef { tuples: Some(limits), ..IndexDef::new("tuples", &["text"]) });
    let store = create(dir.path(), PageSize::K4, &def);
    let schema = &store.table.schema;
    let mut session = store.session();
    session.begin().unwrap();
    type Row<'a> = (i32, Option<&'a str>, &'a [i32], &'a [i32]);
    let rows: [Row<'_>; 3] = [
        (1, Some("abcdefghij"), &[1, 2, 3], &[7, 8]),
        (2, None, &[], &[5]),
        (3, Some("xy"), &[], &[]),
    ];
    for (id, text, a, b) in rows {
        let mut builder = RecordBuilder::new();
        builder.insert(schema).unwrap();
        builder.set(schema, ID, Some(&id.to_le_bytes())).unwrap();
        builder.set(schema, TEXT, text.map(str::as_bytes)).unwrap();
        for (column, values) in [(ColumnId(256), a), (ColumnId(257), b)] {
            for value in values {
                builder.set_instance(schema, column, 0, Some(&value.to_le_bytes())).unwrap();
            }
        }
        let (at, out) = (&mut Position::default(), &mut Vec::new());
        store.table.insert(&mut session, at, builder.bytes(), out).unwrap();
    }
    assert_eq!(store.ids(&session, "first"), [3, 2, 1, 1, 1]);
    assert_eq!(store.ids(&session, "cross"), [3, 2, 1, 1, 1, 1, 1, 1]);
    assert_eq!(store.ids(&session, "nested"), [3, 2, 1, 1, 1], "the third pair is (3, NULL)");
    assert_eq!(store.ids(&session, "null"), [2]);
    assert_eq!(store.ids(&session, "set"), [1, 3]);
    let index = store.table.index("tuples").unwrap();
    let (mut keys, mut at) = (Vec::new(), Position::default());
    let visit = |entry: ese_engine::table::EntryRef<'_>| {
        let mut key = Vec::new();
        entry.append_key(&mut key);
        keys.push(key);
        ControlFlow::Continue(())
    };
    let to = Direction::Forward;
    store.table.scan_index(&session, index, Start::End, to, &mut at, visit).unwrap();
    let tuple = |text: &[u8]| [&[0x7f], text, &[0]].concat();
    assert_eq!(keys, [tuple(b"BCD"), tuple(b"DEF"), tuple(b"FGH")], "NULL has no entry");
    store.delete(&mut session, 1).unwrap();
    assert_eq!(store.ids(&session, "cross"), [3, 2]);
    session.commit(Durability::Lazy).unwrap();
    drop(session);
    store.check();
    store.end();
}

#[test]
fn a_definition_of_tuples_or_conditions_that_cannot_be_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path(), PageSize::K4, &table_def());
    let (schema, tuples) = (&store.table.schema, Some(TupleLimits::default()));
    let text = || IndexDef { tuples, ..IndexDef::new("i", &["text"]) };
    let limits = Some(TupleLimits { length_min: 1, ..TupleLimits::default() });
    let condition = |column: &str| ConditionDef { column: column.to_owned(), must_be_null: true };
    let both = IndexOptions::CROSS_PRODUCT | IndexOptions::NESTED_TABLE;
    for (def, code) in [
        (IndexDef { tuples: limits, ..text() }, JetErr::IndexTuplesInvalidLimits),
        (IndexDef { options: IndexOptions::UNIQUE, ..text() }, JetErr::IndexTuplesNonUniqueOnly),
        (IndexDef { var_seg_mac: Some(9), ..text() }, JetErr::IndexTuplesVarSegMacNotAllowed),
        (
            IndexDef { tuples, ..IndexDef::new("i", &["number"]) },
            JetErr::IndexTuplesTextBinaryColumnsOnly,
        ),
        (IndexDef { options: both, ..IndexDef::new("i", &["text"]) }, JetErr::InvalidGrbit),
        (
            IndexDef { options: IndexOptions::EMPTY, ..IndexDef::new("i", &["text"]) },
            JetErr::InvalidGrbit,
        ),
        (
            IndexDef { conditions: vec![condition("none")], ..IndexDef::new("i", &["text"]) },
            JetErr::ColumnNotFound,
        ),
    ] {
        let refused = add_index(schema, &def, &UnicodeIndex::default()).unwrap_err();
        assert_eq!(refused.code(), code, "{refused}");
    }
    store.end();
}

#[test]
fn a_full_version_store_names_the_transaction_that_fills_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = InstanceConfig::new(dir.path());
    config.version_store_max = 64 << 10;
    let instance = Instance::start(&Env::real(), config).unwrap();
    let attached = instance.create_database(&dir.path().join("a.edb")).unwrap();
    let mut session = Session::begin_session(&instance).unwrap();
    let table = catalog::create_table(&mut session, &attached, &table_def()).unwrap();
    let store = Store { instance, attached, table };
    assert!(store.instance.version_info().oldest.is_none());
    let mut old = store.session();
    old.begin().unwrap();
    old.begin().unwrap();
    assert!(old.rollback().is_ok());
    let refused = (0..10_000).find_map(|id| {
        session.begin().unwrap();
        let refused = store.insert(&mut session, (id, None, None)).err();
        if refused.is_some() {
            session.rollback().unwrap();
        } else {
            session.commit(Durability::Lazy).unwrap();
        }
        refused
    });
    let refused = refused.unwrap();
    assert_eq!(refused.code(), JetErr::VersionStoreOutOfMemory);
    let text = refused.to_string();
    let wanted = format!("session {}, level 1", old.procid());
    assert!(text.contains(&wanted) && text.contains("secondary.rs"), "{text}");
    let info = store.instance.version_info();
    let oldest = info.oldest.unwrap();
    assert_eq!((oldest.session, oldest.level), (old.procid(), 1));
    assert!(info.versions > 100 && info.bytes <= info.bytes_max && oldest.log_position.is_none());
    old.rollback().unwrap();
    store.instance.background_step().unwrap();
    assert_eq!(store.instance.version_info().versions, 0);
    drop((old, session));
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
