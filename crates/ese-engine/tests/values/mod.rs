//! What the tests of long values share: a store, rows with values, and what must hold of all of it.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use std::sync::Arc;

use ese_base::{PageSize, Result};
use ese_engine::{
    catalog,
    cursor::{Cursor, LongEdit, LongStorage},
    instance::{Attached, Instance, InstanceConfig, TermMode},
    record::RecordView,
    schema::{ColType, ColumnDef, ColumnFlags, ColumnId, IndexDef, TableDef, TableSchema},
    session::Session,
    space::check::{check as check_space, trees_of},
    table::Table,
    tree::Position,
};
use ese_os::Env;

pub const ID: ColumnId = ColumnId(1);

pub struct Store {
    pub dir: tempfile::TempDir,
    pub instance: Arc<Instance>,
    pub attached: Arc<Attached>,
}

pub fn start(dir: &tempfile::TempDir, page_size: PageSize, versions: u64) -> Arc<Instance> {
    let mut config = InstanceConfig::new(dir.path());
    config.log_file_size = 1 << 20;
    config.page_size = page_size;
    config.version_store_max = versions;
    Instance::start(&Env::real(), config).unwrap()
}

pub fn def() -> TableDef {
    let columns = vec![
        ColumnDef::new("id", ColType::Long),
        ColumnDef::new("plain", ColType::LongBinary),
        ColumnDef::new("packed", ColType::LongText).with(ColumnFlags::COMPRESSED),
        ColumnDef::new("many", ColType::LongBinary).with(ColumnFlags::MULTI_VALUED),
        ColumnDef::new("short", ColType::Binary),
    ];
    TableDef::new("t", columns).index(IndexDef::primary("pk", &["id"]))
}

impl Store {
    pub fn new(page_size: PageSize) -> Store {
        Store::with_versions(page_size, 64 << 20)
    }

    /// With so much memory for versions.
    pub fn with_versions(page_size: PageSize, versions: u64) -> Store {
        let dir = tempfile::tempdir().unwrap();
        let instance = start(&dir, page_size, versions);
        let attached = instance.create_database(&dir.path().join("a.edb")).unwrap();
        let mut session = Session::begin_session(&instance).unwrap();
        catalog::create_table(&mut session, &attached, &def()).unwrap();
        Store { dir, instance, attached }
    }

    pub fn session(&self) -> Session {
        Session::begin_session(&self.instance).unwrap()
    }

    pub fn table(&self, session: &Session) -> Arc<Table> {
        catalog::open_table(session, &self.attached, "t").unwrap()
    }

    /// Ends the instance and starts it again; `clean` or as after a crash.
    pub fn reopen(self, clean: bool) -> Store {
        let Store { dir, instance, attached } = self;
        let (path, size) = (attached.path.clone(), attached.db.page_size());
        let versions = instance.config.version_store_max;
        drop(attached);
        if clean {
            instance.terminate(TermMode::Clean).unwrap();
        }
        instance.abandon();
        drop(instance);
        let instance = start(&dir, size, versions);
        let attached = instance.attach(&path).unwrap();
        Store { dir, instance, attached }
    }

    /// Everything is counted, whole, and in its place.
    pub fn check(&self) {
        self.instance.background_step().unwrap();
        let session = self.session();
        let tables = catalog::tables(&session, &self.attached).unwrap();
        for table in &tables {
            assert_eq!(table.check_long_values(&session).unwrap(), Vec::<String>::new());
        }
        let schemas: Vec<Arc<TableSchema>> =
            tables.iter().map(|table| Arc::new(table.schema_with_long_values())).collect();
        let db = &self.attached.db;
        let space = check_space(&db.cache, &trees_of(&schemas), db.dbtime());
        assert!(space.problems.is_empty(), "{:?}", space.problems);
        assert!(space.leaked.is_empty(), "{:?}", space.leaked);
    }
}

pub fn column(table: &Table, name: &str) -> ColumnId {
    table.schema.column(name).unwrap().id
}

pub fn bytes(seed: usize, len: usize) -> Vec<u8> {
    let cycle = (0..251_u8).cycle().step_by(31);
    cycle.skip(seed * 17 % 251).take(len).collect()
}

pub fn insert(
    session: &mut Session,
    table: &Table,
    id: i32,
    values: &[(ColumnId, &[u8])],
) -> Result<()> {
    let id = id.to_le_bytes();
    let mut row = vec![(ID, Some(&id[..]))];
    row.extend(values.iter().map(|(id, value)| (*id, Some(*value))));
    let (mut record, mut key) = (Vec::new(), Vec::new());
    table.insert_values(session, &mut Position::default(), &row, &mut record, &mut key)
}

pub fn key_of(id: i32) -> Vec<u8> {
    let mut key = vec![0x7f];
    key.extend_from_slice(&(id.cast_unsigned() ^ 0x8000_0000).to_be_bytes());
    key
}

/// All values of a column of the row with this id.
pub fn read(session: &Session, table: &Table, id: i32, column: ColumnId) -> Option<Vec<Vec<u8>>> {
    let column = table.schema.columns.require(column).unwrap();
    table
        .get(session, &key_of(id), |record| {
            let long_values = table.long_values(session);
            let view = RecordView::new(record, table.schema.page_size).unwrap();
            let view = view.with_long_values(&long_values);
            let data = view.data(column).unwrap();
            (1..=data.len())
                .map(|itag| {
                    let instance = data.nth(itag).unwrap().unwrap();
                    view.bytes_of(column, instance, usize::MAX).unwrap().into_owned()
                })
                .collect()
        })
        .unwrap()
}

pub fn set(
    cursor: &mut Cursor,
    session: &mut Session,
    id: ColumnId,
    edit: LongEdit<'_>,
) -> Result<()> {
    cursor.set_long(session, id, 1, edit, LongStorage::default())
}

/// A small generator: numbers that differ, the same in every run.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }
}
