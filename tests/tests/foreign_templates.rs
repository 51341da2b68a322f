//! A template and a table that derives from it, with an escrow column and space hints, read by the
//! foreign readers: the independent checkers find nothing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing step fails the test")]

use ese_api::{
    ColType, ColumnDef, ColumnFlags, Env, IndexDef, Instance, Placement, StopToken, VerifyOptions,
    VerifyProgress, verify_dir,
};
use ese_engine::{
    catalog,
    record::encode_row,
    schema::{SpaceHints, TableDef, TableType},
    session::{Durability, Session},
    tree::Position,
};
use ese_tests::{Reader, checkers, peers, scratch};
use serde_json::{Value, json};

fn mother() -> TableDef {
    let count = ColumnDef::new("count", ColType::Long).with(ColumnFlags::ESCROW_UPDATE);
    let columns = vec![
        ColumnDef::new("id", ColType::Long),
        count.with_default(&5_i32.to_le_bytes()),
        ColumnDef::new("name", ColType::Text),
        ColumnDef::new("tag", ColType::Long).placed(Placement::Tagged),
    ];
    TableDef {
        kind: TableType::Template,
        space_hints: Some(SpaceHints { density: 90, growth: 150, ..SpaceHints::default() }),
        ..TableDef::new("mother", columns)
            .index(IndexDef::primary("pk", &["id"]))
            .index(IndexDef::new("by tag", &["tag"]))
    }
}

fn daughter() -> TableDef {
    let columns = vec![
        ColumnDef::new("extra", ColType::Long),
        ColumnDef::new("note", ColType::Text),
        ColumnDef::new("own tag", ColType::Long).placed(Placement::Tagged),
    ];
    TableDef {
        template: Some("mother".into()),
        ..TableDef::new("daughter", columns).index(IndexDef::new("by own tag", &["own tag"]))
    }
}

const TEST: &str = "a_derived_table_is_sound_and_its_template_is_read_by_all";

#[test]
fn a_derived_table_is_sound_and_its_template_is_read_by_all() {
    let folder = scratch();
    let file = folder.path().join("a.edb");
    let instance = Instance::builder(folder.path()).circular_log(true).start().unwrap();
    let database = instance.create_database("a.edb").unwrap();
    let attached = instance.engine().databases().remove(0);
    let mut session = Session::begin_session(instance.engine()).unwrap();
    let twin = TableDef { template: Some("mother".into()), ..TableDef::new("twin", Vec::new()) };
    for def in [mother(), daughter(), twin] {
        let table = catalog::create_table(&mut session, &attached, &def).unwrap();
        session.begin().unwrap();
        for id in 1..=300_i32 {
            let (number, mut record) = (id.to_le_bytes(), Vec::new());
            let mut values = Vec::new();
            for column in table.schema.columns.iter().filter(|column| column.name != "count") {
                let text = matches!(column.ty, ColType::Text);
                values.push((column.id, Some(if text { &b"text"[..] } else { &number })));
            }
            encode_row(&table.schema, &values, &mut record).unwrap();
            table.insert(&mut session, &mut Position::default(), &record, &mut Vec::new()).unwrap();
        }
        session.commit(Durability::Durable).unwrap();
    }
    drop((session, attached, database));
    instance.stop().unwrap();
    let mut quiet = |_: &VerifyProgress| ();
    let mut options = VerifyOptions::new(&mut quiet, StopToken::new());
    let report = verify_dir(&Env::real(), folder.path(), &mut options).unwrap();
    let problems: Vec<String> = report.all_problems().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{problems:#?}");
    if let Some(checkers) = checkers(TEST) {
        assert_eq!(checkers.check(&file), Ok(()));
    }
    let Some(peers) = peers(TEST) else { return };
    // Of inherited columns only libesedb knows, and of a table's own besides them it does not.
    let all = Reader::ALL.map(|reader| (reader, "mother"));
    for (reader, table) in all.into_iter().chain([(Reader::Pyesedb, "twin")]) {
        let rows = peers.rows(reader, &file, table);
        assert_eq!(rows.len(), 300, "{reader:?} {table}");
        for (row, id) in rows.iter().zip(1..) {
            let all = json!({ "id": id, "count": 5, "name": "text", "tag": id });
            assert_eq!(Value::from(row.clone()), all, "{reader:?} {table}");
        }
    }
    // dissect returns the table's own columns; impacket cuts variable ones at the wrong place.
    let rows = peers.rows(Reader::Dissect, &file, "daughter");
    assert_eq!(rows.len(), 300);
    for (row, id) in rows.iter().zip(1..) {
        let own = json!({ "extra": id, "note": "text", "own tag": id });
        assert_eq!(Value::from(row.clone()), own);
    }
}
