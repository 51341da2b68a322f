//! Indexes over UTF-16 text: those that Windows filled are read in their order, refused where keys
//! would be mixed and made anew by name; those of ours are read by everybody.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test copies a file, and says what is wrong by ending"
)]

use std::{fs, ops::ControlFlow, sync::Arc};

use ese_base::{JetErr, PageSize};
use ese_engine::{
    catalog,
    cursor::{Cursor, KeyOptions, MoveOnSwitch},
    ddl,
    instance::{Attached, Instance, InstanceConfig, TermMode},
    record::{ColumnData, RecordView, encode_row},
    schema::{
        ColType, ColumnDef, ColumnFlags, ColumnId, IndexDef, IndexOptions, KeyPart, Placement,
        TableDef, TupleLimits, decode_text, encode_text,
    },
    session::{Durability, Session},
    table::Table,
    tree::{Direction, Position, Start},
};
use ese_os::Env;
use ese_sim::Random;
use ese_tests::{Reader, checkers, peers, real_data, scratch};

/// The rows of MSysLocales that name a locale, with their numbers.
fn locales(session: &Session, attached: &Attached) -> Vec<(String, i32)> {
    let table = catalog::open_table(session, attached, "MSysLocales").unwrap();
    let (mut rows, at) = (Vec::new(), &mut Position::default());
    table
        .scan(session, Start::End, Direction::Forward, at, |row| {
            let view = RecordView::new(row.record, table.schema.page_size).unwrap();
            let plain = |id| match view.column(&table.schema.columns, ColumnId(id)).unwrap() {
                ColumnData::One(one) => {
                    let column = table.schema.columns.require(ColumnId(id)).unwrap();
                    one.plain(column).unwrap().to_vec()
                }
                _ => Vec::new(),
            };
            let number = i32::from_le_bytes(plain(2).try_into().unwrap());
            rows.push((decode_text(&plain(128), 1200), number));
            ControlFlow::Continue(())
        })
        .unwrap();
    rows.retain(|(name, _)| name.starts_with("LocaleName="));
    rows
}

fn entries(session: &Session, table: &Table, index: &str) -> Vec<Vec<u8>> {
    let (mut found, at) = (Vec::new(), &mut Position::default());
    let index = table.index(index).unwrap();
    table
        .scan_index(session, index, Start::End, Direction::Forward, at, |entry| {
            found.push(entry.bookmark.to_vec());
            ControlFlow::Continue(())
        })
        .unwrap();
    found
}

#[test]
fn an_index_that_windows_filled_is_read_refused_and_made_anew() {
    let test = "an_index_that_windows_filled_is_read_refused_and_made_anew";
    let Some(data) = real_data(test) else { return };
    let folder = scratch();
    let file = folder.path().join("index.edb");
    fs::write(&file, fs::read(data.join("databases/index.edb")).unwrap()).unwrap();
    let instance = Instance::start(&Env::real(), InstanceConfig::new(folder.path())).unwrap();
    let attached = instance.attach(&file).unwrap();
    let mut session = Session::begin_session(&instance).unwrap();
    let theirs = "LocaleName=en-US,SortID=00000001-57ee-1e5c-00b4-d0000bb1e11e,Ver=6020f0006020f";
    assert_eq!(locales(&session, &attached), [(theirs.to_owned(), 2)]);

    let table = catalog::open_table(&session, &attached, "index").unwrap();
    let index = &table.index("IxUnicode").unwrap().schema;
    assert!(index.is_foreign());
    let before = entries(&session, &table, "IxUnicode");
    assert!(!before.is_empty());
    let mut cursor = Cursor::new(Arc::clone(&table));
    cursor.set_index(&session, Some("IxUnicode"), MoveOnSwitch::First).unwrap();
    cursor.first(&session).unwrap();
    let key = cursor.current_key(&session).unwrap().to_vec();
    let options = KeyOptions { new_key: true, ..KeyOptions::default() };
    let refused = cursor.make_key(Some(b"U\0"), options).unwrap_err();
    assert_eq!(refused.code(), JetErr::SecondaryIndexCorrupted);
    // A key of theirs that somebody has kept is good.
    cursor.set_key(&key).unwrap();
    drop(cursor);
    session.begin().unwrap();
    let (mut record, mut bookmark) = (Vec::new(), Vec::new());
    encode_row(&table.schema, &[], &mut record).unwrap_or_default();
    let at = &mut Position::default();
    assert!(table.insert(&mut session, at, &record, &mut bookmark).is_err());
    session.rollback().unwrap();

    let quiet = &mut |_| Ok(());
    let table = ddl::rebuild_index(&mut session, &attached, &table, "IxUnicode", quiet).unwrap();
    let index = &table.index("IxUnicode").unwrap().schema;
    assert!(!index.is_foreign());
    assert_eq!(entries(&session, &table, "IxUnicode"), before);
    assert!(table.index("IxLongUnicode").unwrap().schema.is_foreign());
    let mut cursor = Cursor::new(Arc::clone(&table));
    cursor.set_index(&session, Some("IxUnicode"), MoveOnSwitch::First).unwrap();
    cursor.make_key(Some(b"U\0"), options).unwrap();
    let counted = locales(&session, &attached);
    assert_eq!(counted.len(), 2, "{counted:?}");
    assert!(counted.contains(&(theirs.to_owned(), 2)) && counted.iter().any(|row| row.1 == 1));
    drop((cursor, table, session, attached));
    instance.terminate(TermMode::Clean).unwrap();
    if let Some(checkers) = checkers(test) {
        assert_eq!(checkers.check(&file), Ok(()));
    }
}

fn words(random: &mut Random) -> String {
    let from =
        ["a", "\u{e9}", "E", "\u{20ac}", "\u{416}", "\u{4e2d}", "\u{1f600}", "-", "\u{304b}"];
    (0..random.between(1, 30)).map(|_| from[random.index(from.len())]).collect()
}

#[test]
fn databases_with_indexes_over_text_are_good_to_every_reader() {
    let test = "databases_with_indexes_over_text_are_good_to_every_reader";
    for page_size in PageSize::ALL {
        let folder = scratch();
        let file = folder.path().join("text.edb");
        let mut config = InstanceConfig::new(folder.path());
        config.page_size = page_size;
        let instance = Instance::start(&Env::real(), config).unwrap();
        let attached = instance.create_database(&file).unwrap();
        let mut session = Session::begin_session(&instance).unwrap();
        let list = ColumnDef::new("list", ColType::Text).unicode().placed(Placement::Tagged);
        let down = [KeyPart::descending("name"), KeyPart::ascending("number")];
        let tuples = Some(TupleLimits { length_max: 5, ..TupleLimits::default() });
        let def = TableDef::new(
            "t",
            vec![
                ColumnDef::new("number", ColType::Long),
                ColumnDef::new("name", ColType::Text).unicode(),
                list.with(ColumnFlags::MULTI_VALUED),
            ],
        )
        .index(IndexDef::primary("pk", &["name", "number"]).unicode("sv-SE", 0))
        .index(IndexDef { parts: down.into(), ..IndexDef::new("down", &[]) })
        .index(IndexDef { key_most: Some(900), ..IndexDef::new("list", &["list", "name"]) })
        .index(IndexDef { tuples, ..IndexDef::new("tuples", &["name"]) }.unicode("", 1))
        .index(IndexDef {
            options: IndexOptions::UNIQUE,
            ..IndexDef::new("unique", &["number", "name"]).unicode("de-DE_phoneb", 0x3_0407)
        });
        let table = catalog::create_table(&mut session, &attached, &def).unwrap();
        session.begin().unwrap();
        let mut random = Random::new(12);
        for number in 0..2000_i32 {
            let name = encode_text(&words(&mut random), 1200).unwrap();
            let list = [0; 2].map(|_| encode_text(&words(&mut random), 1200).unwrap());
            let number = number.to_le_bytes();
            let row = [
                (ColumnId(1), Some(&number[..])),
                (ColumnId(128), Some(&name[..])),
                (ColumnId(256), Some(&list[0][..])),
                (ColumnId(256), Some(&list[1][..])),
            ];
            let (mut record, mut key) = (Vec::new(), Vec::new());
            encode_row(&table.schema, &row, &mut record).unwrap();
            table.insert(&mut session, &mut Position::default(), &record, &mut key).unwrap();
        }
        session.commit(Durability::Lazy).unwrap();
        assert_eq!(table.check_indexes(&session).unwrap(), []);
        let numbers: i32 = locales(&session, &attached).iter().map(|(_, number)| number).sum();
        assert_eq!(numbers, 5);
        drop((table, session, attached));
        instance.terminate(TermMode::Clean).unwrap();
        if let Some(checkers) = checkers(test) {
            assert_eq!(checkers.check(&file), Ok(()), "{page_size:?}");
        }
        if let Some(peers) = peers(test) {
            let rows = Reader::ALL.map(|reader| {
                let mut rows = peers.rows(reader, &file, "t");
                // libesedb does not take lists apart.
                rows.iter_mut().for_each(|row| _ = row.remove("list"));
                rows
            });
            assert_eq!(rows[0].len(), 2000, "{page_size:?}");
            assert!(rows[0] == rows[1], "{page_size:?}: pyesedb and dissect");
            assert!(rows[1] == rows[2], "{page_size:?}: dissect and impacket");
        }
    }
}
