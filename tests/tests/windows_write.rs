//! Databases that Windows wrote are attached, changed and detached: they stay sound, everybody
//! reads what was changed, and what cannot be kept right is refused with its reason.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test copies files, and says what is wrong by ending"
)]

use std::{
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use ese_api::{
    ColType, Database, Env, Instance, JetErr, LgPos, Row, StopToken, Table, TableBuilder,
    Transaction, Value, Values, VerifyOptions, compact, row, verify_database,
};
use ese_base::{PageSize, Pgno};
use ese_engine::schema::{Column, ColumnFlags, Index, Segment, TableFlags};
use ese_pages::{
    DbHeader, DbState, NodeFlags, PageMut,
    checksum::{stamp, stamp_header},
    header::{Located, read_header},
};
use ese_tests::{Reader, peers, real_data, scratch};

/// Rows of the table that is added to each.
const NEW: i32 = 700;

/// Clean databases of Windows in a format that we write: a copy of each in a folder of its own.
fn copies(data: &Path, folder: &Path) -> Vec<PathBuf> {
    let names = [
        "databases/basic.edb",
        "databases/binary.edb",
        "databases/default.edb",
        "databases/index.edb",
        "databases/text.edb",
        "databases/decompress_test.edb",
        "databases/srum-win10-clean.dat",
        "recovery/srum-server2022/a/SRUDB.dat",
        "recovery/srum-server2022/b/SRUDB.dat",
    ];
    let mut copies = Vec::new();
    for (at, name) in names.into_iter().enumerate() {
        let dir = folder.join(at.to_string());
        fs::create_dir(&dir).unwrap();
        let to = dir.join(Path::new(name).file_name().unwrap());
        // Without the permissions, which may be those of evidence.
        fs::write(&to, fs::read(data.join(name)).unwrap()).unwrap();
        copies.push(to);
    }
    copies
}

fn header_of(path: &Path) -> Located {
    let env = Env::real();
    let file = env.fs.open(path, ese_os::OpenMode::Read).unwrap();
    read_header(file.as_ref()).unwrap()
}

/// What a row is found by.
fn key_of(table: &Table, primary: &Index, row: &Row) -> Vec<Value> {
    let column = |segment: &Segment| table.schema().columns.by_id(segment.column).unwrap();
    let value = |segment| row.get(column(segment).name.as_str()).unwrap().clone();
    primary.segments.iter().map(value).collect()
}

/// Takes the first row away and puts one with its values in again: whatever columns and indexes a
/// table of Windows has, its trees change.
fn change(transaction: &mut Transaction<'_>, table: &Table) -> ese_api::Result<Option<Row>> {
    let first = table.rows(transaction).next().transpose()?;
    let Some(first) = first else { return Ok(None) };
    let primary = table.schema().primary().cloned();
    let Some(primary) = primary else { return Ok(None) };
    let key = key_of(table, &primary, &first);
    // A number that the engine gives by itself cannot be given.
    let own = |flags: ColumnFlags| {
        flags.intersects(
            ColumnFlags::AUTOINCREMENT | ColumnFlags::VERSION | ColumnFlags::ESCROW_UPDATE,
        )
    };
    // Text of a fixed length is read without the NULs that fill it up, so it cannot be put back.
    let filled_up = |column: &Column| column.id.is_fixed() && column.ty.is_text();
    let settable: Vec<String> = table
        .columns()
        .filter(|column| !own(column.flags))
        .map(|column| column.name.clone())
        .collect();
    let mut values = Values::new();
    for name in &settable {
        match first.get(name.as_str()) {
            Some(Value::Null) | None => {}
            Some(value) => values.push(name.as_str(), value.clone()),
        }
    }
    assert!(table.delete(transaction, key.as_slice())?, "{}", table.name());
    if !table.columns().any(filled_up) {
        table.insert(transaction, &values)?;
    }
    Ok(Some(first))
}

/// Adds a table with an index, and changes what is there; says which tables refused, and why.
fn work(instance: &Instance, database: &Database) -> Vec<(String, ese_api::Error)> {
    let mut session = instance.session().unwrap();
    let mut refused = Vec::new();
    let mut transaction = session.begin().unwrap();
    let builder = TableBuilder::new("added by us")
        .column("id", ColType::Long)
        .text("name")
        .column("data", ColType::LongBinary)
        .primary(&["id"])
        .secondary("by name", &["name"]);
    let added = database.create_table(&mut transaction, builder).unwrap();
    for id in 0..NEW {
        // Letters: libesedb takes values that begin with other bytes for compressed ones.
        let letter = b'a' + u8::try_from(id % 26).unwrap();
        let data = vec![letter; usize::try_from(id * 7 % 6000).unwrap()];
        let row = row! { "id" => id, "name" => format!("name {id}"), "data" => data };
        added.insert(&mut transaction, &row).unwrap();
    }
    for id in (0..NEW).step_by(3) {
        assert!(added.delete(&mut transaction, id).unwrap());
    }
    transaction.commit().unwrap();
    let reader = session.begin().unwrap();
    let tables: Vec<Table> = database.tables(&reader).unwrap();
    drop(reader);
    for table in tables {
        let schema = table.schema();
        if schema.flags.contains(TableFlags::SYSTEM) || table.name() == "added by us" {
            continue;
        }
        let mut transaction = session.begin().unwrap();
        match change(&mut transaction, &table) {
            Ok(_) => transaction.commit().unwrap(),
            Err(error) => {
                transaction.rollback().unwrap();
                refused.push((table.name().to_owned(), error));
            }
        }
    }
    refused
}

fn verify(path: &Path) {
    let mut quiet = |_: &ese_api::VerifyProgress| {};
    let mut options = VerifyOptions::new(&mut quiet, StopToken::new());
    let report = verify_database(&Env::real(), path, &mut options).unwrap();
    assert!(report.is_sound(), "{}: {:#?}", path.display(), report.problems);
    assert_eq!(report.header.state(), DbState::CleanShutdown);
}

/// What the format asks of whoever writes.
fn check_header(before: &DbHeader, after: &DbHeader) {
    let update = |header: &DbHeader| (header.update_major.get(), header.update_minor.get());
    assert_eq!(update(before), update(after));
    assert_eq!((before.sign_db, before.cb_page_size), (after.sign_db, after.cb_page_size));
    assert!(before.dbtime() < after.dbtime() && before.last_objid() < after.last_objid());
    let resized = after.lgpos_last_resize.get();
    match update(after).0 {
        ..110 => assert_eq!(resized, LgPos::MIN),
        _ => assert_eq!(resized, after.lgpos_consistent.get()),
    }
    // A flush map that lies there is of an older state, and its owner must see that.
    assert!(after.sign_db_hdr_flush.is_null() && after.sign_flush_map_hdr_flush.is_null());
}

#[test]
fn databases_of_windows_are_changed_and_stay_good_to_every_reader() {
    let test = "databases_of_windows_are_changed_and_stay_good_to_every_reader";
    let Some(data) = real_data(test) else { return };
    let folder = scratch();
    let mut refusals = Vec::new();
    for path in copies(&data, folder.path()) {
        let Located { page_size, header, .. } = header_of(&path);
        let instance =
            Instance::builder(path.parent().unwrap()).page_size(page_size).start().unwrap();
        let database = instance.open_database(&path).unwrap();
        refusals.extend(work(&instance, &database));
        drop(database);
        instance.stop().unwrap();
        verify(&path);
        check_header(&header, &header_of(&path).header);
        let Some(peers) = peers(test) else { continue };
        for reader in Reader::ALL {
            let rows = peers.rows(reader, &path, "added by us");
            let left = (0..NEW).filter(|id| id % 3 != 0).count();
            assert_eq!(rows.len(), left, "{}: {}", path.display(), reader.name());
            assert!(rows.iter().all(|row| {
                let id = row["id"].as_i64().unwrap();
                id % 3 != 0 && row["name"] == format!("name {id}")
            }));
        }
    }
    // What was not done has a reason that says what to do.
    for (table, error) in &refusals {
        let told = error.to_string();
        assert!(
            matches!(error.code(), JetErr::SecondaryIndexCorrupted | JetErr::FeatureNotAvailable)
                || error.code() == JetErr::PrimaryIndexCorrupted,
            "{table}: {told}"
        );
        assert!(told.contains("index") || told.contains("column"), "{table}: {told}");
    }
}

/// What Windows has sorted stays as it is: a change of any other column does not reach it.
#[test]
fn columns_that_no_index_of_windows_is_made_of_are_changed() {
    let test = "columns_that_no_index_of_windows_is_made_of_are_changed";
    let Some(data) = real_data(test) else { return };
    let folder = scratch();
    let path = folder.path().join("index.edb");
    fs::write(&path, fs::read(data.join("databases/index.edb")).unwrap()).unwrap();
    let instance = Instance::builder(folder.path()).page_size(PageSize::K4).start().unwrap();
    let database = instance.open_database(&path).unwrap();
    let mut session = instance.session().unwrap();
    let mut transaction = session.begin().unwrap();
    let table = database.table(&transaction, "index").unwrap();
    let before = table.get(&transaction, 1).unwrap().unwrap();
    let new =
        row! { "Short" => 77_i16, "ASCII" => "another text", "LongBinary" => vec![7_u8; 9000] };
    assert!(table.update(&mut transaction, 1, &new).unwrap());
    for text in
        [row! { "Unicode" => "other" }, row! { "LongUnicode" => "other", "Short" => 78_i16 }]
    {
        let refused = table.update(&mut transaction, 1, &text).unwrap_err();
        assert_eq!(refused.code(), JetErr::SecondaryIndexCorrupted, "{refused}");
        assert!(refused.to_string().contains("Unicode\""), "{refused}");
    }
    let after = table.get(&transaction, 1).unwrap().unwrap();
    for column in table.columns() {
        let (name, after) = (column.name.as_str(), after.get(column.name.as_str()));
        match name {
            "Short" => assert_eq!(after, Some(&Value::I16(77))),
            "ASCII" => assert_eq!(after, Some(&Value::Text("another text".into()))),
            "LongBinary" => assert_eq!(after, Some(&Value::Binary(vec![7; 9000]))),
            _ => assert_eq!(after, before.get(name), "{name}"),
        }
    }
    transaction.commit().unwrap();
    drop((table, database, session));
    instance.stop().unwrap();
    // Each entry of each index whose keys are made here is compared with the rows.
    verify(&path);
}

/// Catalog1 is of an older engine: MSysObjids and MSysLocales lie behind a shadow catalog of more
/// pages, and its header says that the shadow is not kept.
#[test]
fn a_catalog_that_lies_elsewhere_and_has_no_shadow_is_changed() {
    let test = "a_catalog_that_lies_elsewhere_and_has_no_shadow_is_changed";
    let Some(data) = real_data(test) else { return };
    let folder = scratch();
    let path = folder.path().join("Catalog1.edb");
    fs::write(&path, fs::read(data.join("databases/Catalog1.edb")).unwrap()).unwrap();
    let shadow = || counts(&path, "MSysObjectsShadow");
    let before = shadow();
    let instance = Instance::builder(folder.path()).page_size(PageSize::K4).start().unwrap();
    let database = instance.open_database(&path).unwrap();
    work(&instance, &database);
    let mut session = instance.session().unwrap();
    let mut transaction = session.begin().unwrap();
    // One that Windows made.
    database.delete_table(&mut transaction, "namespace").unwrap();
    transaction.commit().unwrap();
    drop((session, database));
    instance.stop().unwrap();
    assert_eq!(shadow(), before, "nobody writes there");
    let mut quiet = |_: &ese_api::VerifyProgress| {};
    let mut options = VerifyOptions::new(&mut quiet, StopToken::new());
    let report = verify_database(&Env::real(), &path, &mut options).unwrap();
    let found: Vec<JetErr> = report.problems.iter().map(ese_api::Error::code).collect();
    // It was copied while it was open: an index entry of it leads nowhere.
    assert_eq!(found, [JetErr::SecondaryIndexCorrupted], "{:#?}", report.problems);
    let Some(peers) = peers(test) else { return };
    let rows = peers.rows(Reader::Dissect, &path, "added by us");
    assert_eq!(rows.len(), (0..NEW).filter(|id| id % 3 != 0).count());
}

/// A clean database of Windows with another number of its format in both headers.
fn with_update(from: &Path, to: &Path, update: u32) -> Vec<u8> {
    let mut bytes = fs::read(from).unwrap();
    for copy in [0, 4096] {
        let page = &mut bytes[copy..copy + 4096];
        page[232..236].copy_from_slice(&update.to_le_bytes());
        stamp_header(page);
    }
    fs::write(to, &bytes).unwrap();
    bytes
}

/// The database is refused as it stands, nothing of it is written, and it can be read.
fn refused(path: &Path, table: &str, rows: usize) -> ese_api::Error {
    let bytes = fs::read(path).unwrap();
    let instance = Instance::builder(path.parent().unwrap()).start().unwrap();
    let error = instance.open_database(path).unwrap_err();
    assert!(error.to_string().contains("can be read, not changed"), "{error}");
    instance.stop().unwrap();
    assert!(fs::read(path).unwrap() == bytes, "{} was written", path.display());
    let database = ese_api::Offline::open(&Env::real(), path).unwrap();
    let mut found = 0;
    let each = |_: &[u8], _: &ese_engine::record::RecordView<'_>| {
        found += 1;
        Ok(ControlFlow::Continue(()))
    };
    database.rows(database.table(table).unwrap(), each).unwrap();
    assert_eq!(found, rows);
    error
}

#[test]
fn a_newer_format_is_read_and_never_written() {
    let test = "a_newer_format_is_read_and_never_written";
    let Some(data) = real_data(test) else { return };
    let folder = scratch();
    for update in [191, 200, 230, 300] {
        let path = folder.path().join(format!("{update}.edb"));
        with_update(&data.join("databases/basic.edb"), &path, update);
        let error = refused(&path, "basic", 2);
        assert_eq!(error.code(), JetErr::InvalidDatabaseVersion, "{update}");
        assert!(error.to_string().contains(&format!("format update {update}.0")), "{error}");
    }
}

#[test]
fn a_database_with_pages_that_wait_behind_its_end_is_never_written() {
    let test = "a_database_with_pages_that_wait_behind_its_end_is_never_written";
    let Some(data) = real_data(test) else { return };
    let folder = scratch();
    let path = folder.path().join("shelved.edb");
    let mut bytes = with_update(&data.join("databases/basic.edb"), &path, 180);
    // An extent of one page in the pool of shelved pages, in the root's tree of available ones.
    let (pgno, size) = (Pgno(3), PageSize::K4);
    let at = usize::try_from(size.offset_of(pgno)).unwrap();
    let image = &mut bytes[at..at + size.bytes()];
    let mut page = PageMut::new(image, size);
    let last = page.as_ref().node_count();
    let key = [&[0x82][..], &60_000_u32.to_be_bytes()].concat();
    page.insert_node(last, 0, &key, &1_u32.to_le_bytes(), NodeFlags::empty()).unwrap();
    stamp(image, pgno);
    fs::write(&path, &bytes).unwrap();
    let error = refused(&path, "basic", 2);
    assert_eq!(error.code(), JetErr::FeatureNotAvailable);
    assert!(error.to_string().contains("pages 60000 to 60000 were shelved"), "{error}");
}

#[test]
fn a_copy_of_a_newer_database_keeps_its_format() {
    let test = "a_copy_of_a_newer_database_keeps_its_format";
    let Some(data) = real_data(test) else { return };
    let (folder, env) = (scratch(), Env::real());
    for name in ["databases/srum-win10-clean.dat", "recovery/srum-server2022/b/SRUDB.dat"] {
        let (source, target) = (data.join(name), folder.path().join("copy.edb"));
        compact(&env, &source, &target, &mut |_| (), &StopToken::new()).unwrap();
        let (old, new) = (header_of(&source).header, header_of(&target).header);
        assert_eq!(old.update_major, new.update_major);
        assert_eq!(old.update_minor, new.update_minor);
        verify(&target);
        fs::remove_file(&target).unwrap();
    }
}

/// Rows of a table and entries of each of its indexes.
fn counts(path: &Path, name: &str) -> Vec<usize> {
    let database = ese_api::Offline::open(&Env::real(), path).unwrap();
    let table = database.table(name).unwrap();
    let mut counts = vec![0];
    let each = |_: &[u8], _: &ese_engine::record::RecordView<'_>| {
        counts[0] += 1;
        Ok(ControlFlow::Continue(()))
    };
    database.rows(table, each).unwrap();
    for index in table.indexes.iter().filter(|index| index.objid != table.objid) {
        let mut entries = 0;
        let each = |_: &[u8], _: &[u8]| {
            entries += 1;
            Ok(ControlFlow::Continue(()))
        };
        database.entries(index, each).unwrap();
        counts.push(entries);
    }
    counts
}

#[test]
fn pages_newer_than_the_header_lose_no_change_in_a_crash() {
    let test = "pages_newer_than_the_header_lose_no_change_in_a_crash";
    let Some(data) = real_data(test) else { return };
    let folder = scratch();
    // It was copied while it was open: three pages of an index have times that are yet to come.
    let path = folder.path().join("Catalog1.edb");
    fs::write(&path, fs::read(data.join("databases/Catalog1.edb")).unwrap()).unwrap();
    let before = counts(&path, "backupset");
    let start = || Instance::builder(folder.path()).page_size(PageSize::K4).start().unwrap();
    let instance = start();
    let database = instance.open_database(&path).unwrap();
    let mut session = instance.session().unwrap();
    let mut transaction = session.begin().unwrap();
    let table = database.table(&transaction, "backupset").unwrap();
    let first = table.rows(&transaction).next().unwrap().unwrap();
    let primary = table.schema().primary().unwrap().clone();
    let key = key_of(&table, &primary, &first);
    assert!(table.delete(&mut transaction, key.as_slice()).unwrap());
    transaction.commit().unwrap();
    drop((session, table, database));
    instance.abandon();
    start().stop().unwrap();
    let after = counts(&path, "backupset");
    let expected: Vec<usize> = before.iter().map(|count| count - 1).collect();
    assert_eq!(after, expected, "{before:?}");
}
