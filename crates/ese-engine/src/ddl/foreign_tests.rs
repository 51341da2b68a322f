//! Indexes over UTF-16 text that another sort version filled.

use std::ops::ControlFlow;

use ese_os::Env;

use super::*;
use crate::{
    cursor::{Cursor, KeyOptions, MoveOnSwitch},
    instance::{Instance, InstanceConfig, TermMode},
    record::encode_row,
    schema::{TableDef, encode_text},
    session::Durability,
    tree::{Direction, Start},
};

fn row(table: &Table, name: &str) -> Vec<u8> {
    let (name, mut record) = (encode_text(name, 1200).unwrap(), Vec::new());
    encode_row(&table.schema, &[(ColumnId(128), Some(&name))], &mut record).unwrap();
    record
}

fn insert(session: &mut Session, table: &Table, name: &str) -> Result<()> {
    table.insert(session, &mut Position::default(), &row(table, name), &mut Vec::new())
}

/// Makes all indexes of the table those of another version; gives what was attached anew.
fn age(
    instance: &Arc<Instance>,
    attached: Arc<Attached>,
    session: &mut Session,
    name: &str,
) -> (Arc<Attached>, Arc<Table>) {
    let table = catalog::open_table(session, &attached, name).unwrap();
    session.begin().unwrap();
    for index in &table.schema.indexes {
        let old = schema::index_row(&table.schema, index).unwrap();
        let mut older = index.clone();
        older.sort_version = Some(Box::new(7_u64.to_le_bytes()));
        let new = schema::index_row(&table.schema, &older).unwrap();
        CatalogTrees::of(&table.db).replace(session, &table.db, (&old, &new)).unwrap();
    }
    session.commit(Durability::Durable).unwrap();
    let path = attached.path.clone();
    drop(table);
    instance.detach(&attached).unwrap();
    drop(attached);
    let attached = instance.attach(&path).unwrap();
    let table = catalog::open_table(session, &attached, name).unwrap();
    (attached, table)
}

fn entries(session: &Session, table: &Table, index: &str) -> usize {
    let (mut count, at) = (0, &mut Position::default());
    let index = table.index(index).unwrap();
    table
        .scan_index(session, index, Start::End, Direction::Forward, at, |_| {
            count += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    count
}

fn start(dir: &std::path::Path) -> (Arc<Instance>, Arc<Attached>, Session) {
    let instance = Instance::start(&Env::real(), InstanceConfig::new(dir)).unwrap();
    let attached = instance.create_database(&dir.join("a.edb")).unwrap();
    let session = Session::begin_session(&instance).unwrap();
    (instance, attached, session)
}

#[test]
fn a_foreign_index_is_read_refuses_changes_and_is_made_anew_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let (instance, attached, mut session) = start(dir.path());
    let def = TableDef::new("t", vec![ColumnDef::new("name", ColType::Text).unicode()])
        .index(IndexDef::new("by name", &["name"]))
        .index(IndexDef::new("again", &["name"]));
    let table = catalog::create_table(&mut session, &attached, &def).unwrap();
    session.begin().unwrap();
    for name in ["one", "Two", "three", "ONE"] {
        insert(&mut session, &table, name).unwrap();
    }
    session.commit(Durability::Durable).unwrap();
    drop(table);
    let (attached, table) = age(&instance, attached, &mut session, "t");
    assert!(table.schema.indexes.iter().all(schema::Index::is_foreign));
    // The rows come in the order that they have.
    assert_eq!(entries(&session, &table, "by name"), 4);
    let mut cursor = Cursor::new(Arc::clone(&table));
    cursor.set_index(&session, Some("by name"), MoveOnSwitch::First).unwrap();
    cursor.last(&session).unwrap();
    let options = KeyOptions { new_key: true, ..KeyOptions::default() };
    let sought = cursor.make_key(Some(b"o\0"), options).unwrap_err();
    assert_eq!(sought.code(), JetErr::SecondaryIndexCorrupted);
    drop(cursor);
    // Nothing that would need a key of theirs is done.
    session.begin().unwrap();
    let refused = insert(&mut session, &table, "four").unwrap_err();
    assert_eq!(refused.code(), JetErr::SecondaryIndexCorrupted);
    assert!(refused.message().contains("by name"), "{refused}");
    session.commit(Durability::Durable).unwrap();

    let quiet = &mut |_| Ok(());
    let missing = rebuild_index(&mut session, &attached, &table, "none", quiet).unwrap_err();
    assert_eq!(missing.code(), JetErr::IndexNotFound);
    session.begin().unwrap();
    let newest = rebuild_index(&mut session, &attached, &table, "by name", quiet).unwrap();
    assert!(!newest.schema.index("by name").unwrap().is_foreign());
    session.rollback().unwrap();
    let table = catalog::open_table(&session, &attached, "t").unwrap();
    assert!(table.schema.index("by name").unwrap().is_foreign(), "taken back");
    let table = rebuild_index(&mut session, &attached, &table, "by name", quiet).unwrap();
    session.begin().unwrap();
    let other = insert(&mut session, &table, "four").unwrap_err();
    assert!(other.message().contains("again"), "{other}");
    session.commit(Durability::Durable).unwrap();
    let table = delete_index(&mut session, &attached, &table, "again").unwrap();
    session.begin().unwrap();
    insert(&mut session, &table, "four").unwrap();
    session.commit(Durability::Durable).unwrap();
    assert_eq!(table.check_indexes(&session).unwrap(), []);
    assert_eq!(entries(&session, &table, "by name"), 5);
    drop((table, session, attached));
    instance.terminate(TermMode::Clean).unwrap();
}

#[test]
fn rows_in_a_foreign_order_are_read_and_keep_their_keys() {
    let dir = tempfile::tempdir().unwrap();
    let (instance, attached, mut session) = start(dir.path());
    let def = TableDef::new("t", vec![ColumnDef::new("name", ColType::Text).unicode()])
        .index(IndexDef::primary("pk", &["name"]));
    let table = catalog::create_table(&mut session, &attached, &def).unwrap();
    session.begin().unwrap();
    insert(&mut session, &table, "one").unwrap();
    session.commit(Durability::Durable).unwrap();
    drop(table);
    let (attached, table) = age(&instance, attached, &mut session, "t");
    session.begin().unwrap();
    let refused = insert(&mut session, &table, "two").unwrap_err();
    assert_eq!(refused.code(), JetErr::PrimaryIndexCorrupted);
    let mut cursor = Cursor::new(Arc::clone(&table));
    cursor.first(&session).unwrap();
    let found = cursor.read(&session, <[u8]>::to_vec).unwrap();
    assert_eq!(found, row(&table, "one"));
    let bookmark = cursor.bookmark(&session).unwrap().to_vec();
    cursor.go_to(&session, &bookmark).unwrap();
    let mut replace =
        |record: &[u8]| table.replace(&mut session, &mut Position::default(), &bookmark, record);
    replace(&found).unwrap();
    let replaced = replace(&row(&table, "two")).unwrap_err();
    assert_eq!(replaced.code(), JetErr::PrimaryIndexCorrupted);
    session.commit(Durability::Durable).unwrap();
    let quiet = &mut |_| Ok(());
    let rebuilt = rebuild_index(&mut session, &attached, &table, "pk", quiet).unwrap_err();
    assert_eq!(rebuilt.code(), JetErr::FeatureNotAvailable);
}
