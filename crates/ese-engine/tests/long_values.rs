//! Long values in their own tree: kept, shared, changed, taken back, and counted exactly.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]

use std::{collections::BTreeMap, sync::Arc};

use ese_base::{JetErr, PageSize, Result};
use ese_engine::{
    catalog,
    cursor::{Cursor, LongEdit, LongStorage, Prepare},
    ddl,
    instance::{Attached, Instance, InstanceConfig, TermMode},
    record::{RecordView, Value},
    schema::{ColType, ColumnDef, ColumnFlags, ColumnId, IndexDef, TableDef, TableSchema},
    session::{Durability, Session},
    space::check::{check as check_space, trees_of},
    table::{Sharing, Table},
    tree::Position,
};
use ese_os::Env;

const ID: ColumnId = ColumnId(1);

struct Store {
    dir: tempfile::TempDir,
    instance: Arc<Instance>,
    attached: Arc<Attached>,
}

fn start(dir: &tempfile::TempDir, page_size: PageSize) -> Arc<Instance> {
    let mut config = InstanceConfig::new(dir.path());
    config.log_file_size = 1 << 20;
    config.page_size = page_size;
    Instance::start(&Env::real(), config).unwrap()
}

fn def() -> TableDef {
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
    fn new(page_size: PageSize) -> Store {
        let dir = tempfile::tempdir().unwrap();
        let instance = start(&dir, page_size);
        let attached = instance.create_database(&dir.path().join("a.edb")).unwrap();
        let mut session = Session::begin_session(&instance).unwrap();
        catalog::create_table(&mut session, &attached, &def()).unwrap();
        Store { dir, instance, attached }
    }

    fn session(&self) -> Session {
        Session::begin_session(&self.instance).unwrap()
    }

    fn table(&self, session: &Session) -> Arc<Table> {
        catalog::open_table(session, &self.attached, "t").unwrap()
    }

    /// Ends the instance and starts it again; `clean` or as after a crash.
    fn reopen(self, clean: bool) -> Store {
        let Store { dir, instance, attached } = self;
        let (path, size) = (attached.path.clone(), attached.db.page_size());
        drop(attached);
        if clean {
            instance.terminate(TermMode::Clean).unwrap();
        }
        drop(instance);
        let instance = start(&dir, size);
        let attached = instance.attach(&path).unwrap();
        Store { dir, instance, attached }
    }

    /// Everything is counted, whole, and in its place.
    fn check(&self) {
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

fn column(table: &Table, name: &str) -> ColumnId {
    table.schema.column(name).unwrap().id
}

fn bytes(seed: usize, len: usize) -> Vec<u8> {
    let cycle = (0..251_u8).cycle().step_by(31);
    cycle.skip(seed * 17 % 251).take(len).collect()
}

fn insert(
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

fn key_of(id: i32) -> Vec<u8> {
    let mut key = vec![0x7f];
    key.extend_from_slice(&(id.cast_unsigned() ^ 0x8000_0000).to_be_bytes());
    key
}

/// All values of a column of the row with this id.
fn read(session: &Session, table: &Table, id: i32, column: ColumnId) -> Option<Vec<Vec<u8>>> {
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

#[test]
fn values_of_every_length_come_back_at_every_page_size() {
    for page_size in PageSize::ALL {
        let mut store = Store::new(page_size);
        let lens = [0, 1, 1022, 1023, 1024, 4013, 4014, 4015, 8110, 8150, 8151, 30_000, 200_000];
        {
            let mut session = store.session();
            let table = store.table(&session);
            let (plain, packed) = (column(&table, "plain"), column(&table, "packed"));
            session.begin().unwrap();
            for (id, len) in (0..).zip(lens) {
                let text = b"compress me ".repeat(len / 12 + 1);
                let values = [(plain, &bytes(len, len)[..]), (packed, &text[..len])];
                insert(&mut session, &table, id, &values).unwrap();
            }
            session.commit(Durability::Durable).unwrap();
        }
        for clean in [None, Some(true), Some(false)] {
            if let Some(clean) = clean {
                store = store.reopen(clean);
            }
            let session = store.session();
            let table = store.table(&session);
            for (id, len) in (0..).zip(lens) {
                let text = b"compress me ".repeat(len / 12 + 1);
                let plain = read(&session, &table, id, column(&table, "plain"));
                assert_eq!(plain, Some(vec![bytes(len, len)]), "{len} bytes");
                let packed = read(&session, &table, id, column(&table, "packed"));
                assert_eq!(packed, Some(vec![text[..len].to_vec()]), "{len} bytes");
            }
            store.check();
        }
    }
}

#[test]
fn a_row_too_long_for_its_page_puts_its_longest_values_outside() {
    let store = Store::new(PageSize::K4);
    let mut session = store.session();
    let table = store.table(&session);
    let many = column(&table, "many");
    session.begin().unwrap();
    // Ten values of 900 bytes: each would stay in the row, all of them cannot.
    let values: Vec<Vec<u8>> = (0..10).map(|n| bytes(n, 900 + n)).collect();
    let slices: Vec<(ColumnId, &[u8])> = values.iter().map(|v| (many, v.as_slice())).collect();
    insert(&mut session, &table, 1, &slices).unwrap();
    session.commit(Durability::Lazy).unwrap();
    assert_eq!(read(&session, &table, 1, many), Some(values));
    let inside = table.get(&session, &key_of(1), <[u8]>::len).unwrap().unwrap();
    assert!(inside < 4000 && inside > 1000, "{inside} bytes");
    store.check();
}

#[test]
fn others_see_the_value_of_their_snapshot_until_they_end() {
    let store = Store::new(PageSize::K4);
    let (mut old, mut session) = (store.session(), store.session());
    let table = store.table(&session);
    let plain = column(&table, "plain");
    session.begin().unwrap();
    insert(&mut session, &table, 1, &[(plain, &bytes(1, 20_000))]).unwrap();
    insert(&mut session, &table, 2, &[(plain, &bytes(2, 20_000))]).unwrap();
    session.commit(Durability::Lazy).unwrap();
    old.begin().unwrap();
    session.begin().unwrap();
    let (mut hint, mut record) = (Position::default(), Vec::new());
    let before = table.get(&session, &key_of(1), <[u8]>::to_vec).unwrap().unwrap();
    let new = bytes(3, 9000);
    let change = [(plain, Some(&new[..]))];
    let row = (&key_of(1)[..], &before[..]);
    table.replace_values(&mut session, &mut hint, row, &change, &mut record).unwrap();
    table.delete(&mut session, &mut hint, &key_of(2)).unwrap();
    session.commit(Durability::Lazy).unwrap();
    store.instance.background_step().unwrap();
    assert_eq!(read(&old, &table, 1, plain), Some(vec![bytes(1, 20_000)]));
    assert_eq!(read(&old, &table, 2, plain), Some(vec![bytes(2, 20_000)]));
    assert_eq!(read(&session, &table, 1, plain), Some(vec![new]));
    assert_eq!(read(&session, &table, 2, plain), None);
    old.commit(Durability::Lazy).unwrap();
    store.check();
}

#[test]
fn what_is_taken_back_leaves_no_value_behind() {
    let store = Store::new(PageSize::K4);
    let mut session = store.session();
    let table = store.table(&session);
    let plain = column(&table, "plain");
    // The first value makes the tree, which stays; the value does not.
    session.begin().unwrap();
    insert(&mut session, &table, 1, &[(plain, &bytes(1, 5000))]).unwrap();
    session.rollback().unwrap();
    store.check();
    // A refused row takes its values with it.
    session.begin().unwrap();
    insert(&mut session, &table, 1, &[(plain, &bytes(1, 5000))]).unwrap();
    let twice = insert(&mut session, &table, 1, &[(plain, &bytes(2, 5000))]).unwrap_err();
    assert_eq!(twice.code(), JetErr::KeyDuplicate);
    session.begin().unwrap();
    table.delete(&mut session, &mut Position::default(), &key_of(1)).unwrap();
    insert(&mut session, &table, 2, &[(plain, &bytes(3, 50_000))]).unwrap();
    session.rollback().unwrap();
    session.commit(Durability::Lazy).unwrap();
    assert_eq!(read(&session, &table, 1, plain), Some(vec![bytes(1, 5000)]));
    assert_eq!(read(&session, &table, 2, plain), None);
    store.check();
}

#[test]
fn a_new_table_and_its_values_are_taken_back_together() {
    let mut store = Store::new(PageSize::K4);
    let mut session = store.session();
    for level in [1, 2] {
        session.begin().unwrap();
        let new = TableDef { name: "new".to_owned(), ..def() };
        let table = catalog::create_table(&mut session, &store.attached, &new).unwrap();
        let plain = column(&table, "plain");
        (1..level).for_each(|_| session.begin().unwrap());
        insert(&mut session, &table, 1, &[(plain, &bytes(1, 5000))]).unwrap();
        assert_eq!(read(&session, &table, 1, plain), Some(vec![bytes(1, 5000)]));
        session.rollback().unwrap();
        if level == 2 {
            // The table is still there, its tree of long values is made anew.
            assert_eq!(read(&session, &table, 1, plain), None);
            insert(&mut session, &table, 2, &[(plain, &bytes(2, 6000))]).unwrap();
            session.commit(Durability::Durable).unwrap();
            assert_eq!(read(&session, &table, 2, plain), Some(vec![bytes(2, 6000)]));
        }
        store.instance.background_step().unwrap();
        store.check();
    }
    drop(session);
    store = store.reopen(false);
    store.check();
    let mut session = store.session();
    ddl::delete_table(&mut session, &store.attached, "new").unwrap();
    store.check();
    drop(session);
    store.reopen(true).check();
}

fn set(cursor: &mut Cursor, session: &mut Session, id: ColumnId, edit: LongEdit<'_>) -> Result<()> {
    cursor.set_long(session, id, 1, edit, LongStorage::default())
}

#[test]
fn a_dropped_update_leaves_no_value_and_changes_none() {
    let store = Store::new(PageSize::K4);
    let mut session = store.session();
    let table = store.table(&session);
    let plain = column(&table, "plain");
    session.begin().unwrap();
    insert(&mut session, &table, 1, &[(plain, &bytes(1, 20_000))]).unwrap();
    session.commit(Durability::Lazy).unwrap();
    let mut cursor = Cursor::open(&session, Arc::clone(&table), Sharing::default()).unwrap();
    session.begin().unwrap();
    cursor.first(&session).unwrap();
    cursor.prepare(&mut session, Prepare::Replace).unwrap();
    set(&mut cursor, &mut session, plain, LongEdit::Append(&bytes(2, 10_000))).unwrap();
    cursor.cancel();
    cursor.prepare(&mut session, Prepare::Insert).unwrap();
    set(&mut cursor, &mut session, plain, LongEdit::Set(Some(&bytes(3, 10_000)))).unwrap();
    cursor.cancel();
    session.commit(Durability::Lazy).unwrap();
    assert_eq!(read(&session, &table, 1, plain), Some(vec![bytes(1, 20_000)]));
    store.check();
}

#[test]
fn a_row_keeps_no_value_that_a_later_step_of_its_update_replaced() {
    let store = Store::new(PageSize::K4);
    let mut session = store.session();
    let table = store.table(&session);
    let (plain, many) = (column(&table, "plain"), column(&table, "many"));
    let mut cursor = Cursor::open(&session, Arc::clone(&table), Sharing::default()).unwrap();
    // Somewhere here the second value has no room that the first one had: the first goes outside,
    // and then it is replaced.
    for (id, len) in (0..).zip((500..1000).step_by(7)) {
        session.begin().unwrap();
        cursor.prepare(&mut session, Prepare::Insert).unwrap();
        let record = cursor.copy().unwrap();
        record.set(&table.schema, ID, Some(&i32::to_le_bytes(id))).unwrap();
        for (itag, len) in [(1, 1000), (2, 1000), (3, len)] {
            let edit = LongEdit::Set(Some(&bytes(1, 1023)[..len]));
            let storage = LongStorage::default();
            cursor.set_long(&mut session, many, itag, edit, storage).unwrap();
        }
        set(&mut cursor, &mut session, plain, LongEdit::Set(Some(&bytes(2, 1010)))).unwrap();
        set(&mut cursor, &mut session, plain, LongEdit::Set(Some(&bytes(3, 1023)))).unwrap();
        cursor.update(&mut session).unwrap();
        session.commit(Durability::Lazy).unwrap();
        assert_eq!(read(&session, &table, id, plain), Some(vec![bytes(3, 1023)]));
    }
    store.check();
}

#[test]
fn a_row_keeps_no_value_that_was_put_outside_before_it_was_replaced() {
    let store = Store::new(PageSize::K4);
    let mut session = store.session();
    let table = store.table(&session);
    let [plain, many, short] = ["plain", "many", "short"].map(|name| column(&table, name));
    let filler = bytes(1, 1000);
    session.begin().unwrap();
    let values: [(ColumnId, &[u8]); 4] =
        [(plain, &bytes(2, 1010)), (many, &filler), (many, &filler), (many, &filler[..650])];
    insert(&mut session, &table, 1, &values).unwrap();
    let old = table.get(&session, &key_of(1), <[u8]>::to_vec).unwrap().unwrap();
    // The first makes the row too long, which puts the old value of the second outside. The third
    // is packed, which a row in one piece cannot have.
    let packed = column(&table, "packed");
    let values = [(short, 200), (plain, 5), (packed, 5)].map(|(id, len)| (id, filler.get(..len)));
    let (key, mut record) = (key_of(1), Vec::new());
    let hint = &mut Position::default();
    table.replace_values(&mut session, hint, (&key, &old), &values, &mut record).unwrap();
    session.commit(Durability::Lazy).unwrap();
    assert_eq!(read(&session, &table, 1, plain), Some(vec![filler[..5].to_vec()]));
    store.check();
}

#[test]
fn an_update_goes_with_the_level_that_changed_its_values() {
    let store = Store::new(PageSize::K4);
    let mut session = store.session();
    let table = store.table(&session);
    let plain = column(&table, "plain");
    let mut cursor = Cursor::open(&session, Arc::clone(&table), Sharing::default()).unwrap();
    let edits = [LongEdit::Append(b"more"), LongEdit::Resize(6000), LongEdit::Set(None)];
    for (id, edit) in (0..).zip(edits) {
        session.begin().unwrap();
        cursor.prepare(&mut session, Prepare::Insert).unwrap();
        let record = cursor.copy().unwrap();
        record.set(&table.schema, ID, Some(&i32::to_le_bytes(id))).unwrap();
        set(&mut cursor, &mut session, plain, LongEdit::Set(Some(&bytes(1, 5000)))).unwrap();
        session.begin().unwrap();
        set(&mut cursor, &mut session, plain, edit).unwrap();
        session.rollback().unwrap();
        cursor.levels_rolled_back(1);
        // NULL changes the row only, which is in memory: the value is there until the update ends.
        let stays = matches!(edit, LongEdit::Set(None));
        assert_eq!(cursor.is_prepared(), stays, "{edit:?}");
        if stays {
            cursor.update(&mut session).unwrap();
        }
        session.commit(Durability::Lazy).unwrap();
        store.check();
    }
}

#[test]
fn copies_of_a_row_share_its_values_until_one_changes() {
    let store = Store::new(PageSize::K4);
    let mut session = store.session();
    let table = store.table(&session);
    let plain = column(&table, "plain");
    session.begin().unwrap();
    insert(&mut session, &table, 1, &[(plain, &bytes(1, 20_000))]).unwrap();
    let mut cursor = Cursor::open(&session, Arc::clone(&table), Sharing::default()).unwrap();
    for id in 2..6_i32 {
        cursor.first(&session).unwrap();
        cursor.prepare(&mut session, Prepare::InsertCopy).unwrap();
        let record = cursor.copy().unwrap();
        record.set(&table.schema, ID, Some(&id.to_le_bytes())).unwrap();
        cursor.update(&mut session).unwrap();
    }
    session.commit(Durability::Lazy).unwrap();
    store.check();
    session.begin().unwrap();
    cursor.first(&session).unwrap();
    cursor.prepare(&mut session, Prepare::Replace).unwrap();
    let edit = LongEdit::Overwrite { offset: 7, bytes: b"changed", cut: false };
    set(&mut cursor, &mut session, plain, edit).unwrap();
    cursor.update(&mut session).unwrap();
    session.commit(Durability::Lazy).unwrap();
    store.check();
    let mut changed = bytes(1, 20_000);
    changed[7..14].copy_from_slice(b"changed");
    assert_eq!(read(&session, &table, 1, plain), Some(vec![changed]));
    for id in 2..6 {
        assert_eq!(read(&session, &table, id, plain), Some(vec![bytes(1, 20_000)]));
        session.begin().unwrap();
        table.delete(&mut session, &mut Position::default(), &key_of(id)).unwrap();
        session.commit(Durability::Lazy).unwrap();
        store.check();
    }
}

/// A small generator: numbers that differ, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }
}

#[test]
fn random_edits_equal_those_of_a_vector() {
    for (seed, page_size) in (1..).zip(PageSize::ALL) {
        let mut store = Store::new(page_size);
        let mut numbers = Numbers(seed);
        let mut model: BTreeMap<(i32, &str), Option<Vec<u8>>> = BTreeMap::new();
        for round in 0..6 {
            let mut session = store.session();
            let table = store.table(&session);
            let mut cursor =
                Cursor::open(&session, Arc::clone(&table), Sharing::default()).unwrap();
            for _ in 0..25 {
                step(&mut session, &table, &mut cursor, &mut numbers, &mut model);
            }
            for ((id, name), value) in &model {
                let ours = read(&session, &table, *id, column(&table, name)).unwrap();
                assert_eq!(ours, Vec::from_iter(value.clone()), "{id}, {name}");
            }
            drop((cursor, table, session));
            store.check();
            if round % 2 == 1 {
                store = store.reopen(round % 4 == 1);
                store.check();
            }
        }
    }
}

/// One transaction of random edits of a row, kept or taken back.
fn step(
    session: &mut Session,
    table: &Arc<Table>,
    cursor: &mut Cursor,
    numbers: &mut Numbers,
    model: &mut BTreeMap<(i32, &'static str), Option<Vec<u8>>>,
) {
    let id = i32::try_from(numbers.below(8)).unwrap();
    let names = ["plain", "packed"];
    let before = model.clone();
    session.begin().unwrap();
    if model.contains_key(&(id, "plain")) {
        cursor.go_to(session, &key_of(id)).unwrap();
        cursor.prepare(session, Prepare::Replace).unwrap();
    } else {
        cursor.prepare(session, Prepare::Insert).unwrap();
        let copy = cursor.copy().unwrap();
        copy.set(&table.schema, ID, Some(&id.to_le_bytes())).unwrap();
        model.extend(names.map(|name| ((id, name), None)));
    }
    for _ in 0..=numbers.below(4) {
        let name = names[numbers.below(2)];
        let value = model.get_mut(&(id, name)).unwrap();
        let had = value.as_ref().map_or(0, Vec::len);
        let len = [0, 3, 900, 1100, 5000, 30_000][numbers.below(6)];
        let data = bytes(numbers.below(1000), len);
        let edit = match numbers.below(6) {
            0 => LongEdit::Set(None),
            1 => LongEdit::Set(Some(&data)),
            2 => LongEdit::Append(&data),
            3 => LongEdit::Resize(len),
            kind => {
                let offset = numbers.below(had + 1);
                LongEdit::Overwrite { offset, bytes: &data, cut: kind == 5 }
            }
        };
        set(cursor, session, column(table, name), edit)
            .unwrap_or_else(|error| panic!("{name}, {had} bytes, {edit:?}: {error}"));
        let mut new = value.take().unwrap_or_default();
        *value = match edit {
            LongEdit::Set(bytes) => bytes.map(<[u8]>::to_vec),
            LongEdit::Append(bytes) => Some([&new, bytes].concat()),
            LongEdit::Resize(len) => {
                new.resize(len, 0);
                Some(new)
            }
            LongEdit::Overwrite { offset, bytes, cut } => {
                let end = offset + bytes.len();
                new.resize(if cut { end } else { end.max(had) }, 0);
                new[offset..end].copy_from_slice(bytes);
                Some(new)
            }
        };
    }
    match numbers.below(4) {
        0 => {
            cursor.cancel();
            session.commit(Durability::Durable).unwrap();
            *model = before;
        }
        1 => {
            cursor.update(session).unwrap();
            session.rollback().unwrap();
            cursor.levels_rolled_back(0);
            *model = before;
        }
        _ => {
            cursor.update(session).unwrap();
            if numbers.below(5) == 0 {
                table.delete(session, &mut Position::default(), &key_of(id)).unwrap();
                model.retain(|(other, _), _| *other != id);
            }
            session.commit(Durability::Durable).unwrap();
        }
    }
}

#[test]
fn an_index_over_long_values_follows_them() {
    let store = Store::new(PageSize::K8);
    let mut session = store.session();
    let mut with_index = def().index(IndexDef::new("by_plain", &["plain"]));
    with_index.name = "indexed".to_owned();
    let table = catalog::create_table(&mut session, &store.attached, &with_index).unwrap();
    let plain = column(&table, "plain");
    session.begin().unwrap();
    for id in 0..50 {
        let len = usize::try_from(id).unwrap() * 150;
        insert(&mut session, &table, id, &[(plain, &bytes(len, len))]).unwrap();
    }
    session.commit(Durability::Durable).unwrap();
    assert_eq!(table.check_indexes(&session).unwrap(), []);
    session.begin().unwrap();
    for id in 0..25 {
        table.delete(&mut session, &mut Position::default(), &key_of(id)).unwrap();
    }
    session.commit(Durability::Durable).unwrap();
    assert_eq!(table.check_indexes(&session).unwrap(), []);
    let value = Value::read(
        table.schema.columns.require(ID).unwrap(),
        &RecordView::new(
            &table.get(&session, &key_of(30), <[u8]>::to_vec).unwrap().unwrap(),
            table.schema.page_size,
        )
        .unwrap(),
    );
    assert_eq!(value.unwrap(), Value::I32(30));
    store.check();
}
