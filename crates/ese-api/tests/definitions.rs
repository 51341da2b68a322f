//! Tables and indexes of every kind through the Rust interface, and locks on rows.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]

use ese_api::{
    ColType, ConditionDef, Database, Error, IndexDef, Instance, JetErr, Lock, Session, SpaceHints,
    Table, TableBuilder, TableType, TupleLimits, Value, row,
};
use tempfile::TempDir;

fn start() -> (TempDir, Instance, Database, Session) {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::builder(dir.path()).start().unwrap();
    let database = instance.create_database("a.edb").unwrap();
    let session = instance.session().unwrap();
    (dir, instance, database, session)
}

fn notes() -> TableBuilder {
    TableBuilder::new("notes")
        .column("id", ColType::Long)
        .column("text", ColType::Text)
        .column("done", ColType::Bit)
        .primary(&["id"])
}

fn fill(table: &Table, session: &mut Session, rows: i32) {
    session
        .transact(|transaction| {
            for id in 0..rows {
                let done = (id % 3 == 0).then_some(true);
                let text = format!("note number {id}");
                table.insert(
                    transaction,
                    &row! { "id" => id, "text" => text.as_str(), "done" => done },
                )?;
            }
            Ok(())
        })
        .unwrap();
}

fn ids(table: &Table, session: &Session, index: &str) -> Vec<i32> {
    let (id, index) = (table.typed::<i32>("id").unwrap(), table.index(index).unwrap());
    index.rows(session).map(|row| row.unwrap().of(&id).unwrap().unwrap()).collect()
}

#[test]
fn a_conditional_index_holds_the_rows_that_meet_its_conditions() {
    let (_dir, _instance, database, mut session) = start();
    let conditions = vec![ConditionDef { column: "done".to_owned(), must_be_null: true }];
    let open = IndexDef { conditions, ..IndexDef::new("open", &["id"]) };
    let table = database.create_table(&mut session, notes().index(open)).unwrap();
    fill(&table, &mut session, 7);
    assert_eq!(ids(&table, &session, "open"), [1, 2, 4, 5]);
    table.update(&mut session, 4, &row! { "done" => true }).unwrap();
    assert_eq!(ids(&table, &session, "open"), [1, 2, 5]);
}

#[test]
fn a_tuple_index_finds_what_stands_inside_of_a_text() {
    let (_dir, _instance, database, mut session) = start();
    let tuples = Some(TupleLimits { length_min: 3, length_max: 6, ..TupleLimits::default() });
    let pieces = IndexDef { tuples, ..IndexDef::new("pieces", &["text"]) };
    let table = database.create_table(&mut session, notes().index(pieces)).unwrap();
    fill(&table, &mut session, 50);
    let (id, pieces) = (table.typed::<i32>("id").unwrap(), table.index("pieces").unwrap());
    let mut found: Vec<i32> = pieces
        .starting_with(&session, "ber 1")
        .unwrap()
        .map(|row| row.unwrap().of(&id).unwrap().unwrap())
        .collect();
    found.sort_unstable();
    assert_eq!(found, [1, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
}

#[test]
fn an_index_finds_texts_by_their_beginning() {
    let (_dir, _instance, database, mut session) = start();
    let table =
        notes().secondary("by text", &["text"]).text("wide").secondary("by wide", &["wide"]);
    let table = database.create_table(&mut session, table).unwrap();
    let words = ["", "co", "coat", "Cow", "cp", "cn", "c"];
    for (id, word) in (0..).zip(words) {
        table.insert(&mut session, &row! { "id" => id, "text" => word, "wide" => word }).unwrap();
    }
    let id = table.typed::<i32>("id").unwrap();
    let word = |id: Option<i32>| words[usize::try_from(id.unwrap()).unwrap()];
    let found = |index: &str, beginning: &str| -> Vec<&str> {
        let index = table.index(index).unwrap();
        let rows = index.starting_with(&session, beginning).unwrap();
        rows.map(|row| word(row.unwrap().of(&id).unwrap())).collect()
    };
    for index in ["by text", "by wide"] {
        assert_eq!(found(index, "co"), ["co", "coat", "Cow"], "{index}");
        assert_eq!(found(index, "cox"), [""; 0], "{index}");
        assert_eq!(found(index, "c").len(), 6, "{index}");
    }
    let by_id = table.index("primary").unwrap();
    let refused = by_id.starting_with(&session, 5).unwrap_err();
    assert_eq!(refused.code(), JetErr::InvalidParameter, "{refused}");
}

#[test]
fn tables_derive_from_a_template_with_its_columns_and_indexes() {
    let (_dir, _instance, database, mut session) = start();
    let template = notes().secondary("by text", &["text"]).kind(TableType::Template);
    database.create_table(&mut session, template).unwrap();
    let hints = SpaceHints { initial: 64 << 10, ..SpaceHints::default() };
    let derived = TableBuilder::new("mine").column("own", ColType::Long).derived_from("notes");
    let derived = database.create_table(&mut session, derived.space_hints(hints)).unwrap();
    let values = row! { "id" => 1, "text" => "b", "own" => 5 };
    derived.insert(&mut session, &values).unwrap();
    derived.insert(&mut session, &row! { "id" => 2, "text" => "a" }).unwrap();
    assert_eq!(ids(&derived, &session, "by text"), [2, 1]);
    let refused = database.delete_table(&mut session, "notes").unwrap_err();
    assert_eq!(refused.code(), JetErr::CannotDeleteTemplateTable);
    let missing = TableBuilder::new("x").derived_from("nothing");
    let refused = database.create_table(&mut session, missing).unwrap_err();
    assert_eq!(refused.code(), JetErr::ObjectNotFound, "{refused}");
}

#[test]
fn making_an_index_tells_how_far_it_is_and_can_be_stopped() {
    let (_dir, _instance, database, mut session) = start();
    let table = database.create_table(&mut session, notes()).unwrap();
    fill(&table, &mut session, 20_000);
    let by_text = [IndexDef::new("by text", &["text"])];
    let mut calls = 0;
    let stopped = table.create_indexes_with(&mut session, &by_text, &mut |progress| {
        calls += 1;
        assert!(progress.rows <= 20_000);
        let what = "enough";
        if progress.rows > 1000 {
            Err(Error::new(JetErr::ClientRequestToStopJetService, what))
        } else {
            Ok(())
        }
    });
    assert_eq!(stopped.unwrap_err().code(), JetErr::ClientRequestToStopJetService);
    assert!(calls > 0);
    let table = table.refreshed(&session).unwrap();
    assert_eq!(table.index("by text").unwrap_err().code(), JetErr::IndexNotFound);
    let mut last = 0;
    table
        .create_indexes_with(&mut session, &by_text, &mut |progress| {
            assert!(progress.rows >= last);
            last = progress.rows;
            Ok(())
        })
        .unwrap();
    assert!(last > 0);
    assert_eq!(ids(&table.refreshed(&session).unwrap(), &session, "by text").len(), 20_000);
}

#[test]
fn locks_on_rows_keep_others_from_changing_what_a_decision_rests_on() {
    let (_dir, instance, database, mut one) = start();
    let table = database.create_table(&mut one, notes()).unwrap();
    fill(&table, &mut one, 3);
    let mut two = instance.session().unwrap();
    let (mut a, mut b) = (one.begin().unwrap(), two.begin().unwrap());
    assert!(!table.lock(&mut a, 99, Lock::Read).unwrap(), "there is no such row");
    assert!(table.lock(&mut a, 1, Lock::Read).unwrap());
    assert!(table.lock(&mut b, 1, Lock::Read).unwrap());
    let conflict = |done: ese_api::Result<bool>| done.unwrap_err().code() == JetErr::WriteConflict;
    assert!(conflict(table.update(&mut b, 1, &row! { "text" => "x" })));
    assert!(conflict(table.lock(&mut b, 1, Lock::Write)));
    assert!(table.lock(&mut b, 2, Lock::Write).unwrap());
    assert!(conflict(table.lock(&mut a, 2, Lock::Read)));
    a.commit().unwrap();
    assert!(table.update(&mut b, 1, &row! { "text" => "x" }).unwrap());
    b.commit().unwrap();
    let refused = table.lock(&mut one.begin_read_only().unwrap(), 1, Lock::Write);
    assert_eq!(refused.unwrap_err().code(), JetErr::TransReadOnly);
}

#[test]
fn a_long_value_can_be_the_primary_key_however_long_it_is() {
    let (_dir, _instance, database, mut session) = start();
    let table = TableBuilder::new("long").column("b", ColType::LongBinary).primary(&["b"]);
    let table = database.create_table(&mut session, table).unwrap();
    for (byte, len) in [(3, 10), (1, 1020), (4, 1024), (2, 5000), (0, 70_000)] {
        table.insert(&mut session, &row! { "b" => vec![byte; len] }).unwrap();
    }
    let lens: Vec<usize> = table
        .rows(&session)
        .map(|row| match row.unwrap().get("b") {
            Some(Value::Binary(bytes)) => bytes.len(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(lens, [70_000, 1020, 5000, 10, 1024]);
    let again = table.insert(&mut session, &row! { "b" => vec![2_u8; 6000] }).unwrap_err();
    assert_eq!(again.code(), JetErr::KeyDuplicate, "its first bytes are the key");
}
