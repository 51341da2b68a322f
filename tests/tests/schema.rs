//! A database after many schema changes, looked at by those who know only the format.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]

use std::sync::Arc;

use ese_base::PageSize;
use ese_engine::{
    catalog, ddl,
    instance::{Instance, InstanceConfig, TermMode},
    record::encode_row,
    schema::{ColType, ColumnDef, ColumnId, IndexDef, IndexOptions, KeyPart, TableDef},
    session::{Durability, Session},
    table::Table,
    tree::Position,
};
use ese_os::Env;
use ese_tests::checkers;

fn insert(session: &mut Session, table: &Table, id: i32) {
    let bytes = id.to_le_bytes();
    let mut row = vec![(ColumnId(1), Some(&bytes[..]))];
    if let Ok(column) = table.schema.column("name") {
        row.push((column.id, Some(&b"some text"[..])));
    }
    let (mut record, mut key) = (Vec::new(), Vec::new());
    encode_row(&table.schema, &row, &mut record).unwrap();
    table.insert(session, &mut Position::default(), &record, &mut key).unwrap();
}

#[test]
fn the_checkers_find_nothing_after_schema_changes_at_every_page_size() {
    let test = "the_checkers_find_nothing_after_schema_changes_at_every_page_size";
    let Some(checkers) = checkers(test) else { return };
    for page_size in PageSize::ALL {
        let dir = tempfile::tempdir().unwrap();
        let mut config = InstanceConfig::new(dir.path());
        config.page_size = page_size;
        let instance = Instance::start(&Env::real(), config).unwrap();
        let file = dir.path().join("a.edb");
        let attached = instance.create_database(&file).unwrap();
        let mut session = Session::begin_session(&instance).unwrap();
        let columns = ["id", "x", "y"].map(|name| ColumnDef::new(name, ColType::Long));
        let mut columns = columns.to_vec();
        columns.push(ColumnDef::new("name", ColType::Text));
        columns.push(ColumnDef::new("long", ColType::LongBinary));
        let def = TableDef::new("first", columns)
            .index(IndexDef::primary("pk", &["id"]))
            .index(IndexDef::new("by name", &["name"]));
        let mut table = catalog::create_table(&mut session, &attached, &def).unwrap();
        session.begin().unwrap();
        (0..3000).for_each(|id| insert(&mut session, &table, id));
        session.commit(Durability::Lazy).unwrap();
        for round in 0..6 {
            session.begin().unwrap();
            let column = ColumnDef::new(&format!("c{round}"), ColType::Long);
            let column = column.with_default(&[round, 0, 0, 0]);
            let newer = ddl::add_column(&mut session, &attached, &table, &column).unwrap().0;
            let defs = [
                IndexDef {
                    parts: vec![KeyPart::descending(&column.name), KeyPart::ascending("id")],
                    options: IndexOptions::UNIQUE,
                    ..IndexDef::new(&format!("u{round}"), &[])
                },
                IndexDef::new(&format!("i{round}"), &["y", "name"]),
            ];
            let newer =
                ddl::create_indexes(&mut session, &attached, &newer, &defs, &mut |_| Ok(()));
            let newer = newer.unwrap();
            insert(&mut session, &newer, 10_000 + i32::from(round));
            if round % 3 == 2 {
                session.rollback().unwrap();
                continue;
            }
            session.commit(Durability::Lazy).unwrap();
            table = newer;
        }
        let other = TableDef { name: "other".to_owned(), ..def };
        let other = catalog::create_table(&mut session, &attached, &other).unwrap();
        session.begin().unwrap();
        (0..500).for_each(|id| insert(&mut session, &other, id));
        session.commit(Durability::Lazy).unwrap();
        table = ddl::delete_index(&mut session, &attached, &table, "u0").unwrap();
        table = ddl::delete_index(&mut session, &attached, &table, "by name").unwrap();
        for name in ["x", "c0", "long"] {
            table = ddl::delete_column(&mut session, &attached, &table, name).unwrap();
        }
        table = ddl::rename_column(&mut session, &attached, &table, ("y", "z")).unwrap();
        table = ddl::rename_index(&mut session, &attached, &table, ("i1", "renamed")).unwrap();
        ddl::rename_table(&mut session, &attached, "first", "second").unwrap();
        ddl::delete_table(&mut session, &attached, "other").unwrap();
        assert_eq!(table.check_indexes(&session).unwrap(), []);
        drop((session, table, other));
        instance.terminate(TermMode::Clean).unwrap();
        drop((instance, Arc::clone(&attached), attached));
        checkers.check(&file).unwrap_or_else(|found| panic!("{page_size}: {found}"));
    }
}
