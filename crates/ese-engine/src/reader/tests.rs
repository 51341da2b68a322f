//! Databases built page by page on the simulated disk, so that every state and damage can be had.

use std::path::PathBuf;

use ese_base::{DbTime, LgPos, LogTime, Signature, StopToken};
use ese_os::OpenMode;
use ese_pages::{FlushGoal, NoLog, NodeFlags, header::NewHeader};
use ese_sim::SimEnv;

use super::*;
use crate::{
    longvalue::{Root, chunk_key, root_key},
    record::{ColumnValue, Instance, Lid, RecordBuilder, encode_row},
    schema::{
        ColType, ColumnDef, ColumnFlags, IndexDef, LongValueTree, MSYS_LOCALES_FDP,
        MSYS_OBJIDS_FDP, TableDef, base_catalog, base_locales, base_objids, base_tables,
        table_rows,
    },
};

const PAGE: PageSize = PageSize::K32;
const TABLE_FDP: Pgno = Pgno(31);
const TABLE_OBJID: ObjId = ObjId(8);

fn path() -> PathBuf {
    PathBuf::from("/db/a.edb")
}

fn people() -> TableSchema {
    let mut table = TableDef::new(
        "people",
        vec![
            ColumnDef::new("id", ColType::Long).with(ColumnFlags::NOT_NULL),
            ColumnDef::new("name", ColType::Text).unicode(),
            ColumnDef::new("photo", ColType::LongBinary),
        ],
    )
    .index(IndexDef::primary("pk", &["id"]))
    .build(PAGE)
    .unwrap();
    table.place(TABLE_OBJID, TABLE_FDP);
    table
}

type NodeParts = (Vec<u8>, Vec<u8>, NodeFlags);
type Nodes = Vec<NodeParts>;

fn put_tree(cache: &PageCache, pgno: Pgno, objid: ObjId, nodes: &Nodes) {
    let mut guard = cache.write_new(pgno).unwrap();
    let mut page = guard.page_mut();
    page.init(pgno, objid, PageFlags::ROOT | PageFlags::LEAF, DbTime(0x40));
    page.set_external_header(&[0; 16]).unwrap();
    for (at, (key, data, flags)) in nodes.iter().enumerate() {
        page.insert_node(at, 0, key, data, *flags).unwrap();
    }
    guard.mark_dirty(LgPos::MIN, LgPos::MIN);
}

fn live((key, data): (Vec<u8>, Vec<u8>)) -> NodeParts {
    (key, data, NodeFlags::empty())
}

/// A database with the base tables and `people`, whose rows are given.
fn database(state: DbState, rows: &Nodes) -> Env {
    let (env, _) = SimEnv::new(1);
    env.fs.create_dir_all(path().parent().unwrap()).unwrap();
    let signature = Signature::new(7, LogTime::from_unix_ms(1_700_000_000_000));
    let new = NewHeader { page_size: PAGE, sign_db: signature, sign_log: Signature::NULL };
    let header = DbHeader::new(new);
    let file = Arc::new(DbFile::create(&env, &path(), header, Pgno(40)).unwrap());
    let cache = PageCache::new(file, CacheOptions::for_memory(1 << 22, PAGE)).unwrap();
    let mut catalog = base_catalog(PAGE).unwrap();
    catalog.extend(table_rows(&people()).unwrap());
    let catalog: Nodes = catalog.into_iter().map(|row| live((row.key, row.data))).collect();
    put_tree(&cache, MSYS_OBJECTS_FDP, MSYS_OBJECTS, &catalog);
    put_tree(&cache, MSYS_OBJECTS_SHADOW_FDP, MSYS_OBJECTS_SHADOW, &catalog);
    let objids = base_objids(PAGE).unwrap().into_iter().map(live).collect();
    put_tree(&cache, MSYS_OBJIDS_FDP, ObjId(6), &objids);
    let locales = base_locales(PAGE).unwrap().into_iter().map(live).collect();
    put_tree(&cache, MSYS_LOCALES_FDP, ObjId(7), &locales);
    put_tree(&cache, TABLE_FDP, TABLE_OBJID, rows);
    cache.flush(FlushGoal::All, &NoLog).unwrap();
    cache
        .file()
        .update_header(|header| {
            header.set_state(state);
            if state == DbState::DirtyShutdown {
                header.gen_min_required = 0x1e.into();
                header.gen_max_required = 0x21.into();
            }
        })
        .unwrap();
    env
}

fn row(values: &[ColumnValue<'_>]) -> (Vec<u8>, Vec<u8>) {
    let schema = people();
    let (mut key, mut data) = (Vec::new(), Vec::new());
    encode_row(&schema, values, &mut data).unwrap();
    let view = RecordView::new(&data, PAGE).unwrap();
    crate::key::primary_key(&schema, &view, &mut key).unwrap();
    (key, data)
}

fn three_rows() -> Nodes {
    let columns = people();
    let id = columns.column("id").unwrap().id;
    let name = columns.column("name").unwrap().id;
    let rows = [(1_i32, &b"A\0\xe9\0"[..]), (2, b"gone"), (3, b"")];
    let mut nodes: Nodes = rows
        .iter()
        .map(|(n, text)| live(row(&[(id, Some(&n.to_le_bytes())), (name, Some(text))])))
        .collect();
    nodes[1].2 = NodeFlags::DELETED;
    nodes
}

fn damage(env: &Env, pgno: Pgno) {
    let file = env.fs.open(&path(), OpenMode::ReadWrite).unwrap();
    // A regular pattern would cancel out in the checksum, which is an exclusive or.
    let noise: Vec<u8> = (0..61).collect();
    file.write_at(&noise, PAGE.offset_of(pgno) + 1000).unwrap();
}

#[test]
fn rows_come_in_order_without_the_deleted_ones() {
    let env = database(DbState::CleanShutdown, &three_rows());
    let db = OfflineDatabase::open(&env, &path()).unwrap();
    assert_eq!(db.catalog_source(), CatalogSource::Main);
    let names: Vec<&str> = db.tables().iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["MSysObjects", "MSysObjectsShadow", "MSysObjids", "MSysLocales", "people"]);
    let table = db.table("PEOPLE").unwrap();
    let mut rows = Vec::new();
    db.rows(table, |_, record| {
        let values: Result<Vec<Value>> =
            table.columns.iter().map(|column| Value::read(column, record)).collect();
        rows.push(values?);
        Ok(ControlFlow::Continue(()))
    })
    .unwrap();
    assert_eq!(
        rows,
        [
            [Value::I32(1), Value::Text("A\u{e9}".into()), Value::Null],
            [Value::I32(3), Value::Text(String::new()), Value::Null],
        ]
    );
    let error = db.table("nobody").unwrap_err();
    assert_eq!(error.code(), JetErr::ObjectNotFound);
}

#[test]
fn the_system_tables_read_like_any_other() {
    let env = database(DbState::CleanShutdown, &Nodes::new());
    let db = OfflineDatabase::open(&env, &path()).unwrap();
    let locales = db.table("MSysLocales").unwrap();
    let key = locales.column("Key").unwrap();
    let mut keys = Vec::new();
    db.rows(locales, |_, record| {
        keys.push(Value::read(key, record)?);
        Ok(ControlFlow::Continue(()))
    })
    .unwrap();
    assert_eq!(keys.len(), 7);
    let objects = db.table("MSysObjects").unwrap();
    let name = objects.column("Name").unwrap();
    let mut found = false;
    db.rows(objects, |_, record| {
        found |= Value::read(name, record)? == Value::Text("photo".into());
        Ok(ControlFlow::Continue(()))
    })
    .unwrap();
    assert!(found, "the catalog describes itself and the user's table");
}

#[test]
fn a_visitor_can_stop_and_can_fail() {
    let env = database(DbState::CleanShutdown, &three_rows());
    let db = OfflineDatabase::open(&env, &path()).unwrap();
    let table = db.table("people").unwrap();
    let mut seen = 0;
    db.rows(table, |_, _| {
        seen += 1;
        Ok(ControlFlow::Break(()))
    })
    .unwrap();
    assert_eq!(seen, 1);
    let error = db.rows(table, |_, _| Err(Error::code_only(JetErr::OutOfMemory))).unwrap_err();
    assert_eq!(error.code(), JetErr::OutOfMemory);
}

#[test]
fn a_dirty_database_is_refused_and_named_with_its_logs() {
    let env = database(DbState::DirtyShutdown, &three_rows());
    let error = OfflineDatabase::open(&env, &path()).unwrap_err();
    assert_eq!(error.code(), JetErr::DatabaseDirtyShutdown);
    let text = error.to_string();
    for part in ["/db/a.edb", "0x1e", "0x21", "ese recover"] {
        assert!(text.contains(part), "{text}");
    }
    let db = OfflineDatabase::open_as_is(&env, &path()).unwrap();
    assert_eq!(db.tables().len(), 5);
}

#[test]
fn a_damaged_catalog_is_read_from_its_shadow() {
    let env = database(DbState::CleanShutdown, &three_rows());
    damage(&env, MSYS_OBJECTS_FDP);
    let db = OfflineDatabase::open(&env, &path()).unwrap();
    assert_eq!(db.catalog_source(), CatalogSource::Shadow);
    assert_eq!(db.table("people").unwrap().fdp, TABLE_FDP);
    drop(db);
    damage(&env, MSYS_OBJECTS_SHADOW_FDP);
    let error = OfflineDatabase::open(&env, &path()).unwrap_err();
    assert_eq!((error.code(), error.pgno()), (JetErr::ReadVerifyFailure, Some(MSYS_OBJECTS_FDP)));
}

#[test]
fn a_damaged_page_of_a_table_is_named() {
    let env = database(DbState::CleanShutdown, &three_rows());
    damage(&env, TABLE_FDP);
    let db = OfflineDatabase::open(&env, &path()).unwrap();
    let table = db.table("people").unwrap();
    let error = db.rows(table, |_, _| Ok(ControlFlow::Continue(()))).unwrap_err();
    assert_eq!((error.code(), error.pgno()), (JetErr::ReadVerifyFailure, Some(TABLE_FDP)));
    assert!(error.to_string().contains("/db/a.edb"));
}

#[test]
fn a_malformed_row_is_named_by_table_and_key() {
    let mut rows = three_rows();
    rows[2].1 = vec![9, 9];
    let env = database(DbState::CleanShutdown, &rows);
    let db = OfflineDatabase::open(&env, &path()).unwrap();
    let table = db.table("people").unwrap();
    let error = db.rows(table, |_, _| Ok(ControlFlow::Continue(()))).unwrap_err();
    assert_eq!(error.code(), JetErr::DatabaseCorrupted);
    assert!(error.message().contains("\"people\", row 7f80000003"), "{error}");
}

/// Gives the table two leaves: each with the one that both its links name, and its rows. The left
/// one holds what is below the first row of the other.
fn split_table(env: &Env, state: DbState, links: [Pgno; 2], leaves: [&[NodeParts]; 2]) {
    let file = Arc::new(DbFile::open(env, &path(), Access::ReadWrite).unwrap());
    let cache = PageCache::new(file, CacheOptions::for_memory(1 << 22, PAGE)).unwrap();
    for ((pgno, (prev, next)), rows) in
        [(LEAVES[0], (links[0], LEAVES[1])), (LEAVES[1], (LEAVES[0], links[1]))]
            .into_iter()
            .zip(leaves)
    {
        let mut guard = cache.write_new(pgno).unwrap();
        let mut page = guard.page_mut();
        page.init(pgno, TABLE_OBJID, PageFlags::LEAF, DbTime(0x40));
        page.set_prev(prev);
        page.set_next(next);
        for (at, (key, data, flags)) in rows.iter().enumerate() {
            page.insert_node(at, 0, key, data, *flags).unwrap();
        }
        guard.mark_dirty(LgPos::MIN, LgPos::MIN);
    }
    let mut root = cache.write(TABLE_FDP).unwrap();
    let mut page = root.page_mut();
    let flags = PageFlags::ROOT | PageFlags::PARENT_OF_LEAF;
    page.init(TABLE_FDP, TABLE_OBJID, flags, DbTime(0x40));
    page.set_external_header(&[0; 16]).unwrap();
    for (at, key, child) in [(0, &leaves[1][0].0[..], LEAVES[0]), (1, &[], LEAVES[1])] {
        page.insert_node(at, 0, key, &child.0.to_le_bytes(), NodeFlags::empty()).unwrap();
    }
    root.mark_dirty(LgPos::MIN, LgPos::MIN);
    drop(root);
    cache.flush(FlushGoal::All, &NoLog).unwrap();
    cache.file().update_header(|header| header.set_state(state)).unwrap();
}

const LEAVES: [Pgno; 2] = [Pgno(32), Pgno(33)];

/// Two leaves that lead to each other: every link is answered by its opposite.
#[test]
fn leaves_in_a_circle_are_damage_and_not_an_endless_scan() {
    let env = database(DbState::DirtyShutdown, &Nodes::new());
    let rows = three_rows();
    split_table(&env, DbState::DirtyShutdown, [LEAVES[1], LEAVES[0]], [&rows[..1], &rows[2..]]);
    let db = OfflineDatabase::open_as_is(&env, &path()).unwrap();
    let table = db.table("people").unwrap();
    let result = db.rows(table, |_, _| Ok(ControlFlow::Continue(())));
    assert_eq!(result.unwrap_err().code(), JetErr::BadPageLink);
    drop(db);
    // One that is closed behind the first leaf.
    split_table(&env, DbState::DirtyShutdown, [Pgno::NULL, LEAVES[0]], [&rows[..1], &rows[2..]]);
    let db = OfflineDatabase::open_as_is(&env, &path()).unwrap();
    let table = db.table("people").unwrap();
    let mut seen = 0;
    let result = db.rows(table, |_, _| {
        seen += 1;
        Ok(ControlFlow::Continue(()))
    });
    assert_eq!(result.unwrap_err().code(), JetErr::BadPageLink);
    assert_eq!(seen, 2);
}

/// A split of which only one half was written, or a page that was put back from elsewhere.
#[test]
fn rows_outside_of_their_separators_are_lost_or_in_doubt() {
    for state in [DbState::CleanShutdown, DbState::DirtyShutdown] {
        let env = database(DbState::DirtyShutdown, &Nodes::new());
        let mut rows = three_rows();
        rows.remove(1);
        split_table(&env, state, [Pgno::NULL, Pgno::NULL], [&rows, &rows[1..]]);
        let db = OfflineDatabase::open_as_is(&env, &path()).unwrap();
        let table = db.table("people").unwrap();
        let mut keys = Vec::new();
        let losses = db.rows_as_is(table, |key, _| {
            keys.push(key.to_vec());
            Ok(ControlFlow::Continue(()))
        });
        let losses = losses.unwrap();
        let [lost] = &losses.pages[..] else { panic!("{losses:?}") };
        assert_eq!((lost.pgno, lost.rows, lost.inner), (LEAVES[0], Some(2), false));
        assert_eq!(lost.error.code(), JetErr::BadParentPageLink);
        let [first, last] = [&rows[0].0, &rows[1].0];
        // Where pages are of different times the rows may be nowhere else.
        let dirty = state == DbState::DirtyShutdown;
        assert_eq!(lost.given, dirty);
        let expected = if dirty { vec![first, last, last] } else { vec![last] };
        assert_eq!(keys.iter().collect::<Vec<_>>(), expected);
        assert!(losses.rows.is_empty());
    }
}

#[test]
fn a_table_whose_template_is_missing_is_refused_by_name() {
    let env = database(DbState::CleanShutdown, &three_rows());
    let db = OfflineDatabase::open(&env, &path()).unwrap();
    let mut table = db.table("people").unwrap().clone();
    table.template = Some("mother".into());
    let error = db.rows(&table, |_, _| Ok(ControlFlow::Continue(()))).unwrap_err();
    assert_eq!(error.code(), JetErr::ObjectNotFound);
    assert!(error.message().contains("people"));
}

#[test]
fn nothing_is_written_to_the_file() {
    let env = database(DbState::CleanShutdown, &three_rows());
    let contents = || {
        let file = env.fs.open(&path(), OpenMode::Read).unwrap();
        let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
        file.read_at(&mut bytes, 0).unwrap();
        bytes
    };
    let before = contents();
    let names = env.fs.list(path().parent().unwrap()).unwrap();
    let db = OfflineDatabase::open(&env, &path()).unwrap();
    db.rows(db.table("people").unwrap(), |_, _| Ok(ControlFlow::Continue(()))).unwrap();
    drop(db);
    assert!(before == contents());
    assert_eq!(names, env.fs.list(path().parent().unwrap()).unwrap());
}

/// What is wrong with these long values, for rows that refer to each of these ids.
fn long_value_findings(values: &[(Vec<u8>, Vec<u8>)], lids: &[u64]) -> (Vec<String>, Vec<String>) {
    let columns = people();
    let (id, photo) = (columns.column("id").unwrap().id, columns.column("photo").unwrap().id);
    let rows = lids.iter().zip(1_i32..).map(|(lid, n)| {
        let mut record = RecordBuilder::new();
        record.insert(&columns).unwrap();
        record.set(&columns, id, Some(&n.to_le_bytes())).unwrap();
        record.put_instance(&columns, photo, 1, Some(Instance::Separated(Lid(*lid)))).unwrap();
        let mut key = Vec::new();
        crate::key::primary_key(&columns, &record.view(&columns).unwrap(), &mut key).unwrap();
        live((key, record.bytes().to_vec()))
    });
    let env = database(DbState::DirtyShutdown, &rows.collect());
    let (fdp, objid) = (Pgno(35), ObjId(9));
    let file = Arc::new(DbFile::open(&env, &path(), Access::ReadWrite).unwrap());
    let cache = PageCache::new(file, CacheOptions::for_memory(1 << 22, PAGE)).unwrap();
    put_tree(&cache, fdp, objid, &values.iter().cloned().map(live).collect());
    cache.flush(FlushGoal::All, &NoLog).unwrap();
    drop(cache);
    let db = OfflineDatabase::open_as_is(&env, &path()).unwrap();
    let (density, flags, pages) = (100, 0, 1);
    let lv =
        LongValueTree { objid, fdp, density, flags, pages, space_hints: None, fdp_set_time: None };
    let table = TableSchema { lv: Some(lv), ..db.table("people").unwrap().clone() };
    let texts = |errors: Vec<Error>| -> Vec<String> {
        assert!(errors.iter().all(|error| error.code() == JetErr::LVCorrupted));
        errors.iter().map(|error| error.message().replace("table \"people\", ", "")).collect()
    };
    let check = |at_once| {
        let (stop, found) = (StopToken::new(), LongValueFindings::default());
        let found = db.check_long_values_by(&table, &stop, at_once, found).unwrap();
        (texts(found.problems), texts(found.orphans))
    };
    let found = check(100);
    // However many passes it takes.
    for at_once in [1, 2] {
        let (mut ours, mut all) = (check(at_once), found.clone());
        for texts in [&mut ours.0, &mut ours.1, &mut all.0, &mut all.1] {
            texts.sort();
        }
        assert_eq!(ours, all, "{at_once} at once");
    }
    found
}

fn value(lid: u64, references: u32, size: u32, chunks: &[(u32, usize)]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let root = Root { references, size, encrypted: false };
    let mut nodes = vec![(root_key(Lid(lid)), root.to_bytes().to_vec())];
    nodes.extend(chunks.iter().map(|(at, len)| (chunk_key(Lid(lid), *at), vec![1; *len])));
    nodes
}

#[test]
fn long_values_are_compared_with_the_rows_that_refer_to_them() {
    let sound = [value(1, 2, 8160, &[(0, 8150), (8150, 10)]), value(4, 1, 9, &[(0, 9)])].concat();
    assert_eq!(long_value_findings(&sound, &[1, 4, 1]), (vec![], vec![]));
    let (problems, orphans) = long_value_findings(&sound, &[1, 3, 9]);
    assert_eq!(
        problems,
        [
            "long value 3: a row refers to it, it is gone",
            "long value 9: a row refers to it, it is gone",
            "long value 1: it counts 2 references, the rows have 1",
        ]
    );
    assert_eq!(orphans, ["long value 4: no row refers to it; it counts 1 references"]);
}

#[test]
fn missing_and_odd_chunks_of_long_values_are_named() {
    let cases: [(Vec<_>, &str); 6] = [
        (value(1, 1, 8160, &[(0, 8150)]), "its chunk at 8150 of 8160 bytes is missing"),
        (value(1, 1, 8160, &[(8150, 10)]), "its chunk at 0 of 8160 bytes is missing"),
        (value(1, 1, 8, &[]), "its chunk at 0 of 8 bytes is missing"),
        (value(1, 1, 8, &[(0, 8), (8150, 4)]), "it has a chunk at 8150, behind its 8 bytes"),
        (value(1, 1, 8, &[(0, 9)]), "its chunk at 0 has 9 bytes, 8 belong there"),
        (vec![(root_key(Lid(1)), vec![1, 2, 3])], "its root is malformed"),
    ];
    for (nodes, what) in cases {
        let (problems, orphans) = long_value_findings(&nodes, &[1]);
        assert_eq!(problems.first(), Some(&format!("long value 1: {what}")));
        assert_eq!(orphans, Vec::<String>::new());
    }
    for references in [0, u32::MAX] {
        let (problems, orphans) = long_value_findings(&value(1, references, 8, &[]), &[]);
        assert_eq!(problems, Vec::<String>::new(), "a value that goes may be so by half");
        assert_eq!(orphans.len(), 1);
    }
    let stray = vec![(chunk_key(Lid(2), 0), vec![1; 5]), (chunk_key(Lid(2), 8150), vec![1; 5])];
    let (problems, orphans) = long_value_findings(&stray, &[]);
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(orphans, ["long value 2: there are chunks of it, and no root"]);
}

/// The rows of `people` in the catalog.
fn described() -> Nodes {
    let mut catalog = base_catalog(PAGE).unwrap();
    catalog.extend(table_rows(&people()).unwrap());
    catalog.into_iter().map(|row| live((row.key, row.data))).collect()
}

/// In what a catalog with these rows contradicts the shadow.
fn contradictions(catalog: &Nodes) -> Vec<String> {
    let env = database(DbState::DirtyShutdown, &three_rows());
    let file = Arc::new(DbFile::open(&env, &path(), Access::ReadWrite).unwrap());
    let cache = PageCache::new(file, CacheOptions::for_memory(1 << 22, PAGE)).unwrap();
    put_tree(&cache, MSYS_OBJECTS_FDP, MSYS_OBJECTS, catalog);
    cache.flush(FlushGoal::All, &NoLog).unwrap();
    drop(cache);
    let db = OfflineDatabase::open_as_is(&env, &path()).unwrap();
    let found = db.catalog_contradictions(&StopToken::new()).unwrap();
    assert!(found.iter().all(|error| error.code() == JetErr::CatalogCorrupted));
    found.iter().map(|error| error.message().to_owned()).collect()
}

/// Sets one column of the catalog's row that has this text in it.
fn with(name: &[u8], column: &str, value: &[u8]) -> Nodes {
    let mut catalog = described();
    let [objects, ..] = base_tables(PAGE).unwrap();
    let named = |data: &[u8]| data.windows(name.len()).any(|part| part == name);
    let (_, data, _) = catalog.iter_mut().rev().find(|(_, data, _)| named(data)).unwrap();
    let mut record = RecordBuilder::new();
    record.edit(&objects, data).unwrap();
    record.set(&objects, objects.column(column).unwrap().id, Some(value)).unwrap();
    *data = record.bytes().to_vec();
    catalog
}

#[test]
fn catalogs_that_say_the_same_in_other_bytes_contradict_nothing() {
    assert_eq!(contradictions(&described()), Vec::<String>::new());
    // Only the catalog has what JetComputeStats found.
    let counted = with(b"people", "Stats", &[7; 32]);
    assert_ne!(counted, described());
    assert_eq!(contradictions(&counted), Vec::<String>::new());
}

#[test]
fn what_each_catalog_says_of_an_object_is_told() {
    assert_eq!(
        contradictions(&with(b"photo", "ColtypOrPgnoFDP", &12_u32.to_le_bytes())),
        ["column \"photo\" of table \"people\": type LongText in MSysObjects, LongBinary in \
          MSysObjectsShadow"]
    );
    let without: Nodes = described().into_iter().rev().skip(1).rev().collect();
    assert_eq!(
        contradictions(&without),
        ["index \"pk\" of table \"people\" is in MSysObjectsShadow and not in MSysObjects"]
    );
    // Longer than what is shown of it.
    let told = contradictions(&with(b"photo", "DefaultValue", &[5; 60]));
    let shown = "05".repeat(40);
    let expected =
        format!("column \"photo\" of table \"people\": default {shown}.. in MSysObjects, nothing");
    assert!(told.len() == 1 && told[0].starts_with(&expected), "{told:?}");
}
