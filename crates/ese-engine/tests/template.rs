//! Tables that derive from a template: columns, rows, indexes, and what may not change.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]

use std::{ops::ControlFlow, path::Path, sync::Arc};

use ese_base::JetErr;
use ese_engine::{
    catalog, ddl,
    instance::{Attached, Instance, InstanceConfig, TermMode},
    reader::OfflineDatabase,
    record::{RecordView, encode_row, replace_columns},
    schema::{
        ColType, ColumnDef, ColumnFlags, ColumnId, IndexDef, IndexFlags, Placement, SpaceHints,
        TableDef, TableFlags, TableType,
    },
    session::{Durability, Session},
    table::{Sharing, Table},
    tree::Position,
};
use ese_os::Env;

struct Store {
    instance: Arc<Instance>,
    attached: Arc<Attached>,
}

fn store(dir: &Path, page_size: ese_base::PageSize) -> Store {
    let mut config = InstanceConfig::new(dir);
    config.log_file_size = 256 << 10;
    config.page_size = page_size;
    let instance = Instance::start(&Env::real(), config).unwrap();
    let path = dir.join("a.edb");
    let attached = match path.exists() {
        true => instance.attach(&path).unwrap(),
        false => instance.create_database(&path).unwrap(),
    };
    Store { instance, attached }
}

impl Store {
    fn session(&self) -> Session {
        Session::begin_session(&self.instance).unwrap()
    }

    fn end(self) {
        drop(self.attached);
        self.instance.terminate(TermMode::Clean).unwrap();
    }
}

/// Ids 1 (fixed), 128 (variable), 256 and 257 (tagged).
fn mother() -> TableDef {
    let tagged = |name: &str| ColumnDef::new(name, ColType::Long).placed(Placement::Tagged);
    let columns = vec![
        ColumnDef::new("id", ColType::Long),
        ColumnDef::new("name", ColType::Text),
        tagged("first"),
        tagged("many").with(ColumnFlags::MULTI_VALUED),
    ];
    TableDef {
        kind: TableType::Template,
        ..TableDef::new("mother", columns)
            .index(IndexDef::primary("pk", &["id"]))
            .index(IndexDef::new("by many", &["many"]))
    }
}

fn daughter() -> TableDef {
    let columns = vec![
        ColumnDef::new("extra", ColType::Long),
        ColumnDef::new("note", ColType::Text),
        ColumnDef::new("own", ColType::Long).placed(Placement::Tagged),
        ColumnDef::new("text", ColType::LongText),
    ];
    TableDef {
        template: Some("MOTHER".into()),
        ..TableDef::new("daughter", columns)
            .index(IndexDef::new("by own", &["own"]))
            .index(IndexDef::new("mixed", &["first", "extra", "own"]))
    }
}

fn id_of(table: &Table, name: &str) -> ColumnId {
    table.schema.column(name).unwrap().id
}

fn row(table: &Table, id: i32) -> Vec<u8> {
    let (bytes, twice) = (id.to_le_bytes(), (2 * id).to_le_bytes());
    let of = |name: &str| id_of(table, name);
    let mut record = Vec::new();
    let values = [
        (of("id"), Some(&bytes[..])),
        (of("name"), Some(b"a name")),
        (of("first"), Some(&twice)),
        (of("many"), Some(&bytes)),
        (of("many"), Some(&twice)),
        (of("extra"), Some(&bytes)),
        (of("note"), Some(b"a note")),
        (of("own"), Some(&bytes)),
        (of("text"), Some(b"a text")),
    ];
    encode_row(&table.schema, &values, &mut record).unwrap();
    record
}

fn check(store: &Store, rows: usize) {
    let session = store.session();
    let table = catalog::open_table(&session, &store.attached, "daughter").unwrap();
    assert_eq!(table.check_indexes(&session).unwrap().len(), 0);
    let mut seen = 0;
    let (start, forward) = (ese_engine::tree::Start::End, ese_engine::tree::Direction::Forward);
    let visit = |row: ese_engine::table::RowRef<'_>| {
        let view = RecordView::new(row.record, table.schema.page_size).unwrap();
        let get = |name: &str| {
            let column = table.schema.column(name).unwrap();
            view.data(column).unwrap().first(column).unwrap().map(<[u8]>::to_vec)
        };
        let id = i32::from_le_bytes(get("id").unwrap().try_into().unwrap());
        assert_eq!(get("first"), Some((2 * id).to_le_bytes().to_vec()));
        assert_eq!(get("own"), Some(id.to_le_bytes().to_vec()));
        assert_eq!(get("text").unwrap(), b"a text");
        assert_eq!(get("note").unwrap(), b"a note");
        seen += 1;
        ControlFlow::Continue(())
    };
    table.scan(&session, start, forward, &mut Position::default(), visit).unwrap();
    assert_eq!(seen, rows);
}

#[test]
fn a_derived_table_has_the_columns_and_indexes_of_its_template() {
    for page_size in ese_base::PageSize::ALL {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path(), page_size);
        let mut session = store.session();
        catalog::create_table(&mut session, &store.attached, &mother()).unwrap();
        let table = catalog::create_table(&mut session, &store.attached, &daughter()).unwrap();
        let ids =
            |name: &str| (id_of(&table, name).0, table.schema.column(name).unwrap().stored_id().0);
        assert_eq!([ids("extra"), ids("note")], [(2, 2), (129, 129)], "behind the template's");
        assert_eq!([ids("own"), ids("text")], [(258, 256), (259, 257)], "from 256 on again");
        let names: Vec<_> = table.schema.indexes.iter().map(|index| index.name.as_str()).collect();
        assert_eq!(names, ["pk", "by many", "by own", "mixed"]);
        let inherited = table.schema.index("by many").unwrap();
        assert!(inherited.flags.contains(IndexFlags::DERIVED));
        assert!(table.schema.flags.contains(TableFlags::DERIVED));

        let mut at = Position::default();
        session.begin().unwrap();
        for id in 1..=200 {
            table.insert(&mut session, &mut at, &row(&table, id), &mut Vec::new()).unwrap();
        }
        session.commit(Durability::Durable).unwrap();
        check(&store, 200);

        // In the record, the template's tagged columns carry a bit and come first.
        let record = row(&table, 7);
        let view = RecordView::new(&record, page_size).unwrap();
        let stored: Vec<u16> = view.tagged_ids().unwrap().iter().map(|id| id.0).collect();
        assert_eq!(stored, [256, 257, 256, 257]);
        // Changing one leaves the one with the same number alone.
        let mut changed = Vec::new();
        let value = 5_i32.to_le_bytes();
        let change = [(id_of(&table, "own"), Some(&value[..])), (id_of(&table, "first"), None)];
        replace_columns(&table.schema, &view, &change, &mut changed).unwrap();
        let view = RecordView::new(&changed, page_size).unwrap();
        let stored: Vec<u16> = view.tagged_ids().unwrap().iter().map(|id| id.0).collect();
        assert_eq!(stored, [257, 256, 257]);
        drop((session, table));
        store.end();

        // Reopened, and read without an instance.
        let again = self::store(dir.path(), page_size);
        check(&again, 200);
        again.end();
        let offline = OfflineDatabase::open(&Env::real(), &dir.path().join("a.edb")).unwrap();
        let mut rows = 0;
        let table = offline.table("daughter").unwrap();
        offline
            .rows(table, |_, _| {
                rows += 1;
                Ok(ControlFlow::Continue(()))
            })
            .unwrap();
        assert_eq!(rows, 200);
    }
}

#[test]
fn what_a_template_gives_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), ese_base::PageSize::K4);
    let (mut session, attached) = (store.session(), Arc::clone(&store.attached));
    let session = &mut session;
    let template = catalog::create_table(session, &attached, &mother()).unwrap();
    let table = catalog::create_table(session, &attached, &daughter()).unwrap();
    let code = |result: ese_base::Result<_>| result.map(|_: Arc<Table>| ()).unwrap_err().code();

    let column = ColumnDef::new("late", ColType::Long);
    let added = ddl::add_column(session, &attached, &template, &column);
    assert_eq!(added.unwrap_err().code(), JetErr::FixedDDL);
    let deleted = ddl::delete_table(session, &attached, "mother");
    assert_eq!(deleted.unwrap_err().code(), JetErr::CannotDeleteTemplateTable);
    assert_eq!(code(ddl::delete_column(session, &attached, &template, "name")), JetErr::FixedDDL);

    let inherited = JetErr::FixedInheritedDDL;
    assert_eq!(code(ddl::delete_column(session, &attached, &table, "name")), inherited);
    assert_eq!(code(ddl::rename_column(session, &attached, &table, ("name", "x"))), inherited);
    assert_eq!(code(ddl::delete_index(session, &attached, &table, "by many")), inherited);
    assert_eq!(code(ddl::rename_index(session, &attached, &table, ("by many", "x"))), inherited);
    let default = ddl::set_column_default(session, &attached, &table, "name", b"x");
    assert_eq!(code(default), inherited);
    let again = ColumnDef::new("NAME", ColType::Long);
    let duplicate = ddl::add_column(session, &attached, &table, &again);
    assert_eq!(duplicate.unwrap_err().code(), JetErr::ColumnDuplicate);

    // What is its own changes as in any table.
    let (table, id) = ddl::add_column(session, &attached, &table, &column).unwrap();
    assert_eq!(id, ColumnId(3));
    let table = ddl::delete_column(session, &attached, &table, "note").unwrap();
    let table = ddl::delete_index(session, &attached, &table, "by own").unwrap();
    let index = IndexDef::new("late", &["many", "late"]);
    ddl::create_indexes(session, &attached, &table, &[index], &mut |_| Ok(())).unwrap();
    ddl::delete_table(session, &attached, "daughter").unwrap();
}

#[test]
fn only_templates_are_derived_from_and_they_derive_from_none() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), ese_base::PageSize::K4);
    let mut session = store.session();
    let mut create = |def: TableDef| catalog::create_table(&mut session, &store.attached, &def);
    assert_eq!(create(daughter()).unwrap_err().code(), JetErr::ObjectNotFound);
    create(TableDef { kind: TableType::Ordinary, ..mother() }).unwrap();
    assert_eq!(create(daughter()).unwrap_err().code(), JetErr::DDLNotInheritable);
    create(TableDef { name: "m2".into(), ..mother() }).unwrap();
    let nested = TableDef { kind: TableType::Template, template: Some("m2".into()), ..daughter() };
    assert_eq!(create(nested).unwrap_err().code(), JetErr::CannotNestDDL);
}

#[test]
fn a_fixed_table_can_be_added_to_by_who_has_it_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), ese_base::PageSize::K4);
    let mut session = store.session();
    let def = TableDef { kind: TableType::Fixed, ..mother() };
    let table = catalog::create_table(&mut session, &store.attached, &def).unwrap();
    let column = ColumnDef::new("late", ColType::Long);
    let mut add = |table: &Table| ddl::add_column(&mut session, &store.attached, table, &column);
    assert_eq!(add(&table).unwrap_err().code(), JetErr::FixedDDL);
    let permit = Sharing { deny_read: true, permit_ddl: true, ..Sharing::default() };
    let other = store.session();
    let theirs = table.enter(&other, permit).unwrap();
    assert_eq!(add(&table).unwrap_err().code(), JetErr::TableLocked);
    drop((theirs, other));
    let mut own = store.session();
    let _use = table.enter(&own, permit).unwrap();
    let (table, _) = ddl::add_column(&mut own, &store.attached, &table, &column).unwrap();
    let deleted = ddl::delete_column(&mut own, &store.attached, &table, "late");
    assert_eq!(deleted.unwrap_err().code(), JetErr::FixedDDL, "only what is new");
}

#[test]
fn space_hints_are_kept_with_tables_and_indexes() {
    let dir = tempfile::tempdir().unwrap();
    let size = ese_base::PageSize::K4;
    let hints = SpaceHints {
        density: 60,
        initial: 5 * 4096 - 1,
        grbit: 2,
        growth: 200,
        extent_min: 8192,
        extent_max: 1 << 20,
        ..SpaceHints::default()
    };
    let rounded = SpaceHints { initial: 5 * 4096, ..hints };
    let store = store(dir.path(), size);
    let mut session = store.session();
    let mut def = TableDef { name: "hinted".into(), kind: TableType::Ordinary, ..mother() };
    def.space_hints = Some(hints);
    def.lv_space_hints = Some(SpaceHints { density: 90, ..hints });
    def.indexes[1].space_hints = Some(SpaceHints { density: 70, ..hints });
    catalog::create_table(&mut session, &store.attached, &def).unwrap();
    drop(session);
    store.end();
    let again = self::store(dir.path(), size);
    let session = again.session();
    let table = catalog::open_table(&session, &again.attached, "hinted").unwrap();
    assert_eq!(SpaceHints::of_table(&table.schema), rounded);
    let lv = SpaceHints::of_long_values(&table.schema).unwrap();
    assert_eq!(lv, SpaceHints { density: 90, ..rounded });
    let index = table.schema.index("by many").unwrap();
    assert_eq!(SpaceHints::of_index(index), SpaceHints { density: 70, ..rounded });
    drop((session, table));
    again.end();
}

#[test]
fn a_tree_grows_by_extents_of_the_sizes_that_were_wished_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), ese_base::PageSize::K4);
    let mut session = store.session();
    let columns = vec![ColumnDef::new("n", ColType::Long), ColumnDef::new("b", ColType::Binary)];
    let largest = |hints: Option<SpaceHints>, name: &str, session: &mut Session| {
        let mut def = TableDef::new(name, columns.clone());
        def.space_hints = hints;
        let table = catalog::create_table(session, &store.attached, &def).unwrap();
        session.begin().unwrap();
        let (mut at, mut key, mut record) = (Position::default(), Vec::new(), Vec::new());
        for n in 0..6000_i32 {
            let values =
                [(ColumnId(1), Some(&n.to_le_bytes()[..])), (ColumnId(128), Some(&[7; 250][..]))];
            encode_row(&table.schema, &values, &mut record).unwrap();
            table.insert(session, &mut at, &record, &mut key).unwrap();
        }
        session.commit(Durability::Lazy).unwrap();
        let space = table.space().unwrap();
        assert!(space.owned_pages() >= 400, "{}", space.owned_pages());
        space.owned.iter().map(|extent| extent.pages).collect::<Vec<_>>()
    };
    let hints = SpaceHints {
        growth: 200,
        extent_min: 4 * 4096,
        extent_max: 64 * 4096,
        ..SpaceHints::default()
    };
    let wished = largest(Some(hints), "wished", &mut session);
    assert_eq!(wished.iter().max(), Some(&64), "{wished:?}");
    let steady = SpaceHints { extent_min: 8 * 4096, extent_max: 8 * 4096, ..hints };
    let steady = largest(Some(steady), "steady", &mut session);
    assert!(steady.iter().all(|pages| *pages <= 8), "{steady:?}");
    let free = largest(None, "free", &mut session);
    assert!(free.len() < steady.len(), "{free:?}");
    drop(session);
    store.end();
}
