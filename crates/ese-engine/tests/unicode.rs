//! Indexes over UTF-16 text: what they hold, what the catalog says of them, and what becomes of
//! those that another engine filled.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]

use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};

use ese_base::{JetErr, Result};
use ese_engine::{
    catalog,
    cursor::{Cursor, KeyOptions, Limit, MoveOnSwitch, Seek},
    ddl,
    instance::{Attached, Instance, InstanceConfig, TermMode},
    key,
    record::{ColumnData, RecordView, encode_row},
    schema::{
        ColType, ColumnDef, ColumnFlags, ColumnId, IndexDef, IndexFlags, IndexOptions, KeyPart,
        Placement, TableDef, TupleLimits, UnicodeIndex, decode_text, encode_text,
    },
    session::{Durability, Session},
    table::Table,
    tree::{Direction, Position, Start},
};
use ese_os::Env;

const ID: ColumnId = ColumnId(1);
const NAME: ColumnId = ColumnId(128);
const WORDS: ColumnId = ColumnId(256);

struct Store {
    instance: Arc<Instance>,
    attached: Arc<Attached>,
    session: Session,
    dir: tempfile::TempDir,
}

fn start(dir: &std::path::Path) -> Arc<Instance> {
    let mut config = InstanceConfig::new(dir);
    config.unicode = UnicodeIndex { locale: "sv-SE".into(), ..UnicodeIndex::default() };
    Instance::start(&Env::real(), config).unwrap()
}

impl Store {
    fn new() -> Store {
        let dir = tempfile::tempdir().unwrap();
        let instance = start(dir.path());
        let attached = instance.create_database(&dir.path().join("a.edb")).unwrap();
        let session = Session::begin_session(&instance).unwrap();
        Store { instance, attached, session, dir }
    }

    fn reopened(self) -> Store {
        let Store { instance, attached, session, dir } = self;
        drop((session, attached));
        instance.terminate(TermMode::Clean).unwrap();
        drop(instance);
        let instance = start(dir.path());
        let attached = instance.attach(&dir.path().join("a.edb")).unwrap();
        let session = Session::begin_session(&instance).unwrap();
        Store { instance, attached, session, dir }
    }

    /// What MSysLocales counts.
    fn counted(&self) -> BTreeMap<String, i32> {
        let table = catalog::open_table(&self.session, &self.attached, "MSysLocales").unwrap();
        let mut rows = BTreeMap::new();
        let at = &mut Position::default();
        let forward = Direction::Forward;
        table
            .scan(&self.session, Start::End, forward, at, |row| {
                let view = RecordView::new(row.record, table.schema.page_size).unwrap();
                let name = plain(&table, &view, ColumnId(128));
                let value = plain(&table, &view, ColumnId(2));
                let name = decode_text(&name, 1200);
                if let Some(name) = name.strip_prefix("LocaleName=") {
                    let locale = name.split(',').next().unwrap().to_owned();
                    rows.insert(locale, i32::from_le_bytes(value.try_into().unwrap()));
                }
                ControlFlow::Continue(())
            })
            .unwrap();
        rows
    }
}

fn plain(table: &Table, view: &RecordView<'_>, id: ColumnId) -> Vec<u8> {
    let column = table.schema.columns.require(id).unwrap();
    match view.column(&table.schema.columns, id).unwrap() {
        ColumnData::One(one) => one.plain(column).unwrap().to_vec(),
        _ => Vec::new(),
    }
}

fn utf16(text: &str) -> Vec<u8> {
    encode_text(text, 1200).unwrap()
}

fn words_def() -> TableDef {
    let columns = vec![
        ColumnDef::new("id", ColType::Long),
        ColumnDef::new("name", ColType::Text).unicode(),
        ColumnDef::new("words", ColType::Text)
            .unicode()
            .placed(Placement::Tagged)
            .with(ColumnFlags::MULTI_VALUED),
    ];
    TableDef::new("t", columns).index(IndexDef::primary("pk", &["id"]))
}

fn insert(session: &mut Session, table: &Table, id: i32, name: &str, words: &[&str]) -> Result<()> {
    let (id, name) = (id.to_le_bytes(), utf16(name));
    let words: Vec<Vec<u8>> = words.iter().map(|word| utf16(word)).collect();
    let mut row = vec![(ID, Some(&id[..])), (NAME, Some(&name[..]))];
    row.extend(words.iter().map(|word| (WORDS, Some(&word[..]))));
    let (mut record, mut key) = (Vec::new(), Vec::new());
    encode_row(&table.schema, &row, &mut record)?;
    table.insert(session, &mut Position::default(), &record, &mut key)
}

/// The ids of the rows in the order of an index.
fn ids(session: &Session, table: &Table, index: &str) -> Vec<i32> {
    let (mut ids, at) = (Vec::new(), &mut Position::default());
    let index = table.index(index).unwrap();
    table
        .scan_index(session, index, Start::End, Direction::Forward, at, |entry| {
            let number: [u8; 4] = entry.bookmark[1..].try_into().unwrap();
            ids.push(i32::from_be_bytes(number) ^ i32::MIN);
            ControlFlow::Continue(())
        })
        .unwrap();
    ids
}

#[test]
fn indexes_over_text_are_made_kept_up_and_found_again() {
    let mut store = Store::new();
    let down = IndexDef { parts: vec![KeyPart::descending("name")], ..IndexDef::new("down", &[]) };
    let unique = IndexDef { options: IndexOptions::UNIQUE, ..IndexDef::new("unique", &["name"]) };
    let tuples = IndexDef {
        tuples: Some(TupleLimits { length_max: 4, ..TupleLimits::default() }),
        ..IndexDef::new("tuples", &["name"])
    };
    let def = words_def()
        .index(unique.unicode("en-US", 0x3_0401))
        .index(down)
        .index(IndexDef::new("words", &["words"]))
        .index(tuples);
    let table = catalog::create_table(&mut store.session, &store.attached, &def).unwrap();
    let session = &mut store.session;
    session.begin().unwrap();
    for (id, name, words) in [
        (1, "zebra", &["b", "A"][..]),
        (2, "\u{d6}l", &[]),
        (3, "ofen", &["\u{e4}", "a"]),
        (4, "Apfel", &["B", "b", "c"]),
        (5, "", &["c"]),
    ] {
        insert(session, &table, id, name, words).unwrap();
    }
    let refused = insert(session, &table, 6, "OFEN", &[]).unwrap_err();
    assert_eq!(refused.code(), JetErr::KeyDuplicate);
    assert_eq!(ids(session, &table, "unique"), [5, 4, 3, 2, 1], "English");
    assert_eq!(ids(session, &table, "down"), [2, 1, 3, 4, 5], "Swedish: \u{f6} is behind z");
    assert_eq!(ids(session, &table, "words"), [2, 1, 3, 1, 4, 4, 5, 3], "equal words once a row");
    // "zebra" has zebr, ebra and bra.
    assert_eq!(ids(session, &table, "tuples").iter().filter(|id| **id == 1).count(), 3);
    session.commit(Durability::Lazy).unwrap();
    assert_eq!(table.check_indexes(session).unwrap(), []);
    assert_eq!(store.counted(), [("en-US".to_owned(), 1), ("sv-SE".to_owned(), 3)].into());

    let def = [IndexDef::new("later", &["name", "id"]).unicode("de-DE", 0)];
    let session = &mut store.session;
    let quiet = &mut |_| Ok(());
    let newer = ddl::create_indexes(session, &store.attached, &table, &def, quiet).unwrap();
    assert_eq!(ids(session, &newer, "later"), [5, 4, 3, 2, 1]);
    drop((table, newer));
    let store = store.reopened();
    let table = catalog::open_table(&store.session, &store.attached, "t").unwrap();
    assert_eq!(store.counted()["de-DE"], 1);
    let later = &table.index("later").unwrap().schema;
    assert!(later.flags.contains(IndexFlags::LOCALE_SET | IndexFlags::LOCALISED_TEXT));
    assert_eq!((later.locale.as_deref(), later.lcmap_flags), (Some("de-DE"), Some(0x400)));
    assert_eq!(table.check_indexes(&store.session).unwrap(), []);
}

#[test]
fn a_primary_key_of_text_orders_the_rows_and_is_found_whatever_its_case() {
    let mut store = Store::new();
    let def = TableDef::new("t", vec![ColumnDef::new("name", ColType::Text).unicode()])
        .index(IndexDef::primary("pk", &["name"]));
    let table = catalog::create_table(&mut store.session, &store.attached, &def).unwrap();
    let session = &mut store.session;
    let row = |name: &str| {
        let mut record = Vec::new();
        encode_row(&table.schema, &[(NAME, Some(&utf16(name)))], &mut record).unwrap();
        record
    };
    session.begin().unwrap();
    for name in ["banana", "Cherry", "apple", "\u{e5}kerb\u{e4}r"] {
        let mut key = Vec::new();
        table.insert(session, &mut Position::default(), &row(name), &mut key).unwrap();
    }
    let again = table.insert(session, &mut Position::default(), &row("APPLE"), &mut Vec::new());
    assert_eq!(again.unwrap_err().code(), JetErr::KeyDuplicate);
    let mut key = Vec::new();
    let index = table.schema.primary().unwrap();
    key::values_key(&table.schema, index, &[Some(&utf16("CHERRY"))], &mut key).unwrap();
    // Another case is the same key, so the row may be replaced by it.
    table.replace(session, &mut Position::default(), &key, &row("CHERRY")).unwrap();
    let found = table.get(session, &key, <[u8]>::to_vec).unwrap();
    assert_eq!(found, Some(row("CHERRY")));
    let other = table.replace(session, &mut Position::default(), &key, &row("Kirsche"));
    assert_eq!(other.unwrap_err().code(), JetErr::RecordPrimaryChanged);
    let (mut names, at) = (Vec::new(), &mut Position::default());
    table
        .scan(session, Start::End, Direction::Forward, at, |row| {
            let view = RecordView::new(row.record, table.schema.page_size).unwrap();
            names.push(decode_text(&plain(&table, &view, NAME), 1200));
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(names, ["apple", "banana", "CHERRY", "\u{e5}kerb\u{e4}r"]);
    session.commit(Durability::Lazy).unwrap();
    assert_eq!(store.counted(), [("sv-SE".to_owned(), 1)].into());
}

#[test]
fn wildcards_find_all_that_begins_with_letters() {
    let mut store = Store::new();
    let def = words_def().index(IndexDef::new("by name", &["name"]).unicode("", 1));
    let table = catalog::create_table(&mut store.session, &store.attached, &def).unwrap();
    let session = &mut store.session;
    // What follows the letters may be of any script, and of the last of all characters.
    let names =
        ["caf", "cafe", "Caf\u{e9}", "CAF\u{42f}", "caf\u{ffff}", "caf\u{5317}", "cag", "ca", ""];
    session.begin().unwrap();
    for (id, name) in (1..).zip(names) {
        insert(session, &table, id, name, &[]).unwrap();
    }
    session.commit(Durability::Lazy).unwrap();
    let mut cursor = Cursor::new(Arc::clone(&table));
    cursor.set_index(session, Some("by name"), MoveOnSwitch::First).unwrap();
    let mut seek = |limit, relation| {
        let options = KeyOptions { new_key: true, limit: Some(limit), ..KeyOptions::default() };
        cursor.make_key(Some(&utf16("caf")), options).unwrap();
        cursor.seek(session, relation, false, false).unwrap();
        let bookmark = cursor.bookmark(session).unwrap();
        i32::from_be_bytes(bookmark[1..5].try_into().unwrap()) ^ i32::MIN
    };
    assert_eq!(seek(Limit::PartialStart, Seek::GreaterOrEqual), 1);
    assert_eq!(seek(Limit::PartialStart, Seek::Less), 8);
    assert_eq!(seek(Limit::PartialEnd, Seek::Less), 5);
    assert_eq!(seek(Limit::PartialEnd, Seek::Greater), 7);
    assert_eq!(seek(Limit::FullStart, Seek::GreaterOrEqual), 1);
    assert_eq!(seek(Limit::FullEnd, Seek::Greater), 2);
}

#[test]
fn sessions_that_create_indexes_at_once_do_not_meet_in_the_table_of_locales() {
    let mut store = Store::new();
    let mut other = Session::begin_session(&store.instance).unwrap();
    store.session.begin().unwrap();
    other.begin().unwrap();
    for (session, name) in [(&mut store.session, "a"), (&mut other, "b")] {
        let mut def = words_def().index(IndexDef::new("by name", &["name"]));
        def.name = name.into();
        catalog::create_table(session, &store.attached, &def).unwrap();
    }
    other.rollback().unwrap();
    store.session.commit(Durability::Durable).unwrap();
    // Creations are counted, also those that were taken back.
    assert_eq!(store.counted(), [("sv-SE".to_owned(), 2)].into());
}
