//! Temporary tables against a model, with little memory, and on disks that fail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    reason = "a test says what is wrong by ending; its numbers are small"
)]

use std::{cmp::Ordering, path::Path, sync::Arc};

use ese_base::{JetErr, Result};
use ese_engine::{
    cursor::{KeyOptions, LongEdit, LongStorage, Prepare, Seek},
    instance::{Instance, InstanceConfig, TermMode},
    record::RecordView,
    schema::{ColType, ColumnDef, ColumnId},
    session::{Durability, Session},
    temp::{KeyOrder, TempColumn, TempOptions, TempTable, TempTableDef},
};
use ese_os::Env;
use ese_pages::cache::CacheMode;
use ese_sim::{Fault, OpKind, SimEnv};

/// The same numbers in every run.
struct Rng(u64);

impl Rng {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// Number, text, and what is not in the key.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    number: Option<i32>,
    bytes: Option<Vec<u8>>,
    value: Vec<u8>,
}

/// What a table is and should hold, in the order of its keys.
struct Model {
    options: TempOptions,
    descending: bool,
    keyed: bool,
    rows: Vec<Row>,
}

impl Model {
    fn compare(&self, a: &Row, b: &Row) -> Ordering {
        fn nulls<T: Ord>(a: Option<&T>, b: Option<&T>, high: bool) -> Ordering {
            match (a, b) {
                (None, Some(_)) if high => Ordering::Greater,
                (Some(_), None) if high => Ordering::Less,
                _ => a.cmp(&b),
            }
        }
        let high = self.options.contains(TempOptions::SORT_NULLS_HIGH);
        let by_bytes = nulls(a.bytes.as_ref(), b.bytes.as_ref(), high);
        let by_bytes = if self.descending { by_bytes.reverse() } else { by_bytes };
        nulls(a.number.as_ref(), b.number.as_ref(), high).then(by_bytes)
    }

    fn keeps_all(&self) -> bool {
        let options = self.options;
        let reads_once = options.contains(TempOptions::FORWARD_ONLY);
        !self.keyed || reads_once && !options.contains(TempOptions::UNIQUE)
    }

    fn sort(&mut self) {
        if !self.keyed {
            return;
        }
        let mut rows = std::mem::take(&mut self.rows);
        rows.sort_by(|a, b| self.compare(a, b));
        if !self.keeps_all() {
            rows.dedup_by(|b, a| self.compare(a, b).is_eq());
        }
        self.rows = rows;
    }

    /// May cursors go anywhere?
    fn is_free(&self) -> bool {
        let free = TempOptions::SCROLLABLE
            | TempOptions::INDEXED
            | TempOptions::UPDATABLE
            | TempOptions::FORCE_MATERIALIZATION;
        !self.keyed || self.options.intersects(free)
    }
}

const ALL: TempOptions = TempOptions::all();

fn definition(model: &Model) -> TempTableDef {
    let column = |ty, order| TempColumn { def: ColumnDef::new("", ty), key: order };
    let key = |order| model.keyed.then_some(order);
    let second = if model.descending { KeyOrder::Descending } else { KeyOrder::Ascending };
    TempTableDef {
        columns: vec![
            column(ColType::Binary, None),
            column(ColType::Long, key(KeyOrder::Ascending)),
            column(ColType::Binary, key(second)),
        ],
        options: model.options,
        ..TempTableDef::default()
    }
}

fn start(env: &Env, dir: &Path, change: impl FnOnce(&mut InstanceConfig)) -> Arc<Instance> {
    env.fs.create_dir_all(dir).unwrap();
    let mut config = InstanceConfig::new(dir);
    config.log_file_size = 64 << 10;
    config.sort_memory = 3 * (64 << 10);
    change(&mut config);
    Instance::start(env, config).unwrap()
}

fn values(row: &Row) -> (Option<Vec<u8>>, Option<Vec<u8>>, Vec<u8>) {
    (row.number.map(|number| number.to_le_bytes().to_vec()), row.bytes.clone(), row.value.clone())
}

fn insert(session: &mut Session, table: &mut TempTable, row: &Row) -> Result<()> {
    let ids: Vec<ColumnId> = table.columns().to_vec();
    let (number, bytes, value) = values(row);
    let list =
        [(ids[1], number.as_deref()), (ids[0], Some(value.as_slice())), (ids[2], bytes.as_deref())];
    if row.value.len().is_multiple_of(2) {
        return table.insert(session, &list, &mut Vec::new());
    }
    table.prepare(session, Prepare::Insert)?;
    let schema = Arc::clone(table.schema());
    for (id, value) in list {
        match table.tree()? {
            Some(tree) => tree.edit(session, |record| record.set(&schema, id, value))?,
            None => table.copy()?.set(&schema, id, value)?,
        }
    }
    let done = table.update(session).map(|_| ());
    if done.is_err() {
        assert!(table.cancel()?);
    }
    done
}

fn current(session: &Session, table: &mut TempTable) -> Result<Row> {
    let (ids, schema) = (table.columns().to_vec(), Arc::clone(table.schema()));
    table.read(session, |record| {
        let view = RecordView::new(record, schema.page_size).unwrap();
        let value = |id| {
            let column = schema.columns.require(id).unwrap();
            view.data(column).unwrap().first(column).unwrap().map(<[u8]>::to_vec)
        };
        Row {
            number: value(ids[1]).map(|bytes| i32::from_le_bytes(bytes.try_into().unwrap())),
            bytes: value(ids[2]),
            value: value(ids[0]).unwrap_or_default(),
        }
    })
}

fn check_rows(session: &Session, table: &mut TempTable, model: &Model, backward: bool) {
    let mut rows = model.rows.clone();
    if backward {
        rows.reverse();
    }
    let mut moved = if backward { table.last(session) } else { table.first(session) };
    for (at, row) in rows.iter().enumerate() {
        moved.unwrap_or_else(|error| panic!("row {at}: {error}"));
        assert_eq!(current(session, table).unwrap(), *row, "row {at}");
        moved = table.move_by(session, if backward { -1 } else { 1 }, false);
    }
    assert_eq!(moved.unwrap_err().code(), JetErr::NoCurrentRecord);
    assert_eq!(current(session, table).unwrap_err().code(), JetErr::NoCurrentRecord);
}

fn check_seeks(session: &Session, table: &mut TempTable, model: &Model, rng: &mut Rng) {
    for _ in 0..100 {
        let wanted = random_row(rng);
        let (number, bytes, _) = values(&wanted);
        let options = |new_key| KeyOptions { new_key, empty_value: true, limit: None };
        table.make_key(number.as_deref(), options(true)).unwrap();
        table.make_key(bytes.as_deref(), options(false)).unwrap();
        let relation =
            [Seek::Equal, Seek::GreaterOrEqual, Seek::Greater, Seek::LessOrEqual, Seek::Less]
                [rng.below(5) as usize];
        let order = |row: &&Row| model.compare(row, &wanted);
        let found = match relation {
            Seek::Equal => model.rows.iter().find(|row| order(row).is_eq()),
            Seek::GreaterOrEqual => model.rows.iter().find(|row| order(row).is_ge()),
            Seek::Greater => model.rows.iter().find(|row| order(row).is_gt()),
            Seek::LessOrEqual => model.rows.iter().rfind(|row| order(row).is_le()),
            Seek::Less => model.rows.iter().rfind(|row| order(row).is_lt()),
        };
        let sought = table.seek(session, relation, false, false);
        match found {
            Some(row) => {
                sought.unwrap_or_else(|error| panic!("{relation:?} {wanted:?}: {error}"));
                assert_eq!(current(session, table).unwrap(), *row, "{relation:?} {wanted:?}");
            }
            None => assert_eq!(sought.unwrap_err().code(), JetErr::RecordNotFound),
        }
    }
}

fn random_row(rng: &mut Rng) -> Row {
    let len = rng.below(12) as usize;
    Row {
        number: (!rng.chance(10)).then(|| rng.below(60) as i32 - 30),
        bytes: (!rng.chance(10)).then(|| (0..len).map(|_| rng.below(3) as u8).collect()),
        value: vec![rng.below(256) as u8; 1 + rng.below(200) as usize],
    }
}

/// Changes rows of a tree, and the model alike.
fn change_rows(session: &mut Session, table: &mut TempTable, model: &mut Model, rng: &mut Rng) {
    for _ in 0..50 {
        if model.rows.is_empty() || rng.chance(40) {
            let row = random_row(rng);
            let there = model.rows.iter().any(|other| model.compare(other, &row).is_eq());
            let inserted = insert(session, table, &row);
            if model.keyed && there {
                assert_eq!(inserted.unwrap_err().code(), JetErr::KeyDuplicate);
            } else {
                inserted.unwrap();
                model.rows.push(row);
                model.sort();
            }
            continue;
        }
        let at = rng.below(model.rows.len() as u64) as usize;
        table.first(session).unwrap();
        if at > 0 {
            table.move_by(session, at as i32, false).unwrap();
        }
        let ids = table.columns().to_vec();
        let tree = table.tree().unwrap().unwrap();
        if rng.chance(50) {
            tree.delete(session).unwrap();
            model.rows.remove(at);
        } else {
            let value = random_row(rng).value;
            tree.prepare(session, Prepare::Replace).unwrap();
            let schema = Arc::clone(&tree.table().schema);
            tree.edit(session, |record| record.set(&schema, ids[0], Some(&value))).unwrap();
            tree.update(session).unwrap();
            model.rows[at].value = value;
        }
    }
}

fn run(instance: &Arc<Instance>, seed: u64) {
    let mut rng = Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut session = Session::begin_session(instance).unwrap();
    let options = TempOptions::from_bits_truncate(rng.below(u64::from(ALL.bits()) + 1) as u32);
    let keyed = !rng.chance(10);
    let mut model = Model { options, descending: rng.chance(50), keyed, rows: Vec::new() };
    let opened = TempTable::open(&session, &definition(&model));
    if options.contains(TempOptions::FORWARD_ONLY) && model.is_free() {
        assert_eq!(opened.unwrap_err().code(), JetErr::CannotMaterializeForwardOnlySort);
        return;
    }
    let mut table = opened.unwrap();
    if rng.chance(50) {
        session.begin().unwrap();
    }
    let count = [0, 1, 40, 3000][rng.below(4) as usize];
    let at_once = table.tree().unwrap().is_some();
    for _ in 0..count {
        let row = random_row(&mut rng);
        let inserted = insert(&mut session, &mut table, &row);
        let there = model.rows.iter().any(|other| model.compare(other, &row).is_eq());
        if at_once && keyed && there {
            assert_eq!(inserted.unwrap_err().code(), JetErr::KeyDuplicate, "seed {seed}");
        } else {
            inserted.unwrap();
            model.rows.push(row);
        }
    }
    model.sort();
    check_rows(&session, &mut table, &model, false);
    check_rows(&session, &mut table, &model, false);
    if model.is_free() {
        check_rows(&session, &mut table, &model, true);
    }
    let tree = table.tree().unwrap().is_some();
    let sought = tree || options.intersects(TempOptions::SCROLLABLE | TempOptions::INDEXED);
    if keyed && sought {
        check_seeks(&session, &mut table, &model, &mut rng);
    }
    if tree {
        change_rows(&mut session, &mut table, &mut model, &mut rng);
        check_rows(&session, &mut table, &model, false);
    }
    match session.level() {
        0 => {}
        _ if rng.chance(50) => session.commit(Durability::Lazy).unwrap(),
        _ => session.rollback().unwrap(),
    }
}

#[test]
fn temporary_tables_do_what_the_model_does() {
    let dir = tempfile::tempdir().unwrap();
    let instance = start(&Env::real(), dir.path(), |_| ());
    for seed in 0..400 {
        run(&instance, seed);
    }
    instance.terminate(TermMode::Clean).unwrap();
    let left = Env::real().fs.list(dir.path()).unwrap();
    assert!(!left.iter().any(|entry| entry.name.contains(".tmp")), "{left:?}");
}

fn simple(options: TempOptions) -> TempTableDef {
    definition(&Model { options, descending: false, keyed: true, rows: Vec::new() })
}

fn row(number: i32, len: usize) -> Row {
    Row { number: Some(number), bytes: None, value: vec![7; len] }
}

fn numbers(session: &Session, table: &mut TempTable) -> Vec<i32> {
    let mut numbers = Vec::new();
    let mut moved = table.first(session);
    while moved.is_ok() {
        numbers.extend(current(session, table).unwrap().number);
        moved = table.move_by(session, 1, false);
    }
    numbers
}

#[test]
fn rows_of_a_tree_are_taken_back_with_their_transaction_and_rows_of_a_sort_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let instance = start(&Env::real(), dir.path(), |_| ());
    let mut session = Session::begin_session(&instance).unwrap();
    let mut sort = TempTable::open(&session, &simple(TempOptions::SCROLLABLE)).unwrap();
    let forced = simple(TempOptions::FORCE_MATERIALIZATION);
    let mut tree = TempTable::open(&session, &forced).unwrap();
    let mut closed = TempTable::open(&session, &forced).unwrap();
    session.begin().unwrap();
    for table in [&mut sort, &mut tree, &mut closed] {
        insert(&mut session, table, &row(1, 10)).unwrap();
    }
    // What a closed table had is not taken back any more.
    drop(closed);
    session.rollback().unwrap();
    insert(&mut session, &mut tree, &row(2, 10)).unwrap();
    assert_eq!(numbers(&session, &mut sort), [1]);
    assert_eq!(numbers(&session, &mut tree), [2]);
    session.begin_read_only().unwrap();
    insert(&mut session, &mut tree, &row(3, 10)).unwrap();
    session.commit(Durability::Durable).unwrap();
    assert_eq!(numbers(&session, &mut tree), [2, 3], "temporary rows are nobody's data");
}

#[test]
fn long_values_of_a_temporary_table_lie_outside_of_its_rows_and_go_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let instance = start(&Env::real(), dir.path(), |_| ());
    let mut session = Session::begin_session(&instance).unwrap();
    let key =
        TempColumn { def: ColumnDef::new("n", ColType::Long), key: Some(KeyOrder::Ascending) };
    let long = TempColumn { def: ColumnDef::new("v", ColType::LongBinary), key: None };
    let def = TempTableDef { columns: vec![key, long], ..TempTableDef::default() };
    for round in 0..20 {
        let mut table = TempTable::open(&session, &def).unwrap();
        let ids = table.columns().to_vec();
        session.begin().unwrap();
        let tree = table.tree().unwrap().unwrap();
        for number in 0..20_u8 {
            tree.prepare(&mut session, Prepare::Insert).unwrap();
            let schema = Arc::clone(&tree.table().schema);
            let bytes = i32::from(number).to_le_bytes();
            tree.edit(&mut session, |record| record.set(&schema, ids[0], Some(&bytes))).unwrap();
            let value = vec![number; 20_000];
            let edit = LongEdit::Set(Some(&value));
            tree.set_long(&mut session, ids[1], 1, edit, LongStorage::default()).unwrap();
            tree.update(&mut session).unwrap();
        }
        if round % 4 < 2 {
            session.commit(Durability::Lazy).unwrap();
        }
        tree.first(&session).unwrap();
        tree.move_by(&session, 7, false).unwrap();
        let engine = Arc::clone(tree.table());
        let value = tree.read(&session, |record| {
            let values = engine.long_values(&session);
            let view = RecordView::new(record, engine.schema.page_size).unwrap();
            let view = view.with_long_values(&values);
            let column = engine.schema.columns.require(ids[1]).unwrap();
            let instance = view.data(column).unwrap().nth(1).unwrap().unwrap();
            view.bytes_of(column, instance, usize::MAX).unwrap().into_owned()
        });
        assert_eq!(value.unwrap(), vec![7; 20_000]);
        drop((engine, table));
        if session.level() > 0 {
            session.rollback().unwrap();
        }
    }
    let path = dir.path().join("edb.tmp");
    let len = Env::real().fs.open(&path, ese_os::OpenMode::Read).unwrap().len().unwrap();
    assert!(len < 8 << 20, "pages of closed tables are used again: {len} bytes");
}

#[test]
fn what_a_killed_instance_leaves_is_removed_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let env = Env::real();
    let names = || -> Vec<String> {
        let entries = env.fs.list(dir.path()).unwrap();
        entries.into_iter().map(|e| e.name).filter(|name| name.contains(".tmp")).collect()
    };
    let instance = start(&env, dir.path(), |_| ());
    let mut session = Session::begin_session(&instance).unwrap();
    let forced = simple(TempOptions::FORCE_MATERIALIZATION);
    let tree = TempTable::open(&session, &forced).unwrap();
    let mut sort = TempTable::open(&session, &simple(TempOptions::SCROLLABLE)).unwrap();
    for number in 0..2000 {
        insert(&mut session, &mut sort, &row(number, 200)).unwrap();
    }
    assert_eq!(names().len(), 2, "{:?}", names());
    instance.abandon();
    // A killed process runs no destructors.
    let copies: Vec<String> = names();
    for name in &copies {
        std::fs::copy(dir.path().join(name), dir.path().join(format!("kept {name}"))).unwrap();
    }
    drop((tree, sort, session, instance));
    for name in &copies {
        std::fs::rename(dir.path().join(format!("kept {name}")), dir.path().join(name)).unwrap();
    }
    assert_eq!(names().len(), 2);
    let instance = start(&env, dir.path(), |_| ());
    assert!(names().is_empty(), "{:?}", names());
    let session = Session::begin_session(&instance).unwrap();
    drop(TempTable::open(&session, &forced).unwrap());
    drop(session);
    instance.terminate(TermMode::Clean).unwrap();
    assert!(names().is_empty(), "{:?}", names());
}

#[test]
fn no_other_file_is_taken_for_a_temporary_database() {
    let dir = tempfile::tempdir().unwrap();
    let env = Env::real();
    let instance = start(&env, dir.path(), |_| ());
    instance.create_database(&dir.path().join("a.edb")).unwrap();
    instance.terminate(TermMode::Clean).unwrap();
    drop(instance);
    std::fs::write(dir.path().join("notes"), "precious").unwrap();
    for name in ["a.edb", "notes"] {
        let place = dir.path().join(name);
        let before = std::fs::read(&place).unwrap();
        let instance = start(&env, dir.path(), |config| config.temp_path = Some(place.clone()));
        let session = Session::begin_session(&instance).unwrap();
        let opened = TempTable::open(&session, &simple(TempOptions::FORCE_MATERIALIZATION));
        assert_eq!(opened.unwrap_err().code(), JetErr::FileAlreadyExists);
        drop(session);
        instance.terminate(TermMode::Clean).unwrap();
        assert_eq!(std::fs::read(&place).unwrap(), before, "{name}");
    }
}

#[test]
fn files_that_look_empty_are_left_alone_unless_they_can_be_a_begun_temporary_database() {
    let dir = tempfile::tempdir().unwrap();
    let env = Env::real();
    let new = vec![0; 256 * 4096];
    let zeros_first = [vec![0; 4096], b"precious".to_vec()].concat();
    let files = [
        ("edb.tmp.7", Vec::new(), true),
        ("edb.tmp.8", zeros_first.clone(), true),
        ("edb.tmp.9", new.clone(), false),
        ("edb.tmp.10", new.clone(), true),
        ("edb.tmp", zeros_first, true),
    ];
    for (name, bytes, _) in &files {
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    let used = env.fs.open(&dir.path().join("edb.tmp.10"), ese_os::OpenMode::Read).unwrap();
    used.lock(ese_os::LockMode::Shared).unwrap();
    start(&env, dir.path(), |_| ()).terminate(TermMode::Clean).unwrap();
    for (name, bytes, stays) in &files {
        let path = dir.path().join(name);
        assert_eq!(path.exists(), *stays, "{name}");
        assert!(!stays || std::fs::read(&path).unwrap() == *bytes, "{name}");
    }
    for begun in [Vec::new(), new] {
        let path = dir.path().join("edb.tmp");
        std::fs::write(&path, begun).unwrap();
        start(&env, dir.path(), |_| ()).terminate(TermMode::Clean).unwrap();
        assert!(!path.exists());
    }
}

/// An instance on a simulated disk with little memory for sorts and trees.
fn simulated() -> (Arc<Instance>, Arc<ese_sim::SimDisk>) {
    let (env, disk) = SimEnv::new(1);
    let instance = start(&env, Path::new("/db"), |config| {
        config.cache_mode = Some(CacheMode::Copy);
        config.cache_size = 1 << 20;
    });
    (instance, disk)
}

/// Fills temporary tables until one fails; then the instance must be as good as before.
fn fill_until_failure(options: TempOptions, fault: impl Fn(&ese_sim::SimDisk), code: JetErr) {
    let (instance, disk) = simulated();
    let mut session = Session::begin_session(&instance).unwrap();
    session.begin().unwrap();
    let mut table = TempTable::open(&session, &simple(options)).unwrap();
    insert(&mut session, &mut table, &row(-1, 10)).unwrap();
    fault(&disk);
    let failed = (0..60_000).find_map(|number| {
        let inserted = insert(&mut session, &mut table, &row(number, 200));
        inserted.err()
    });
    let failed = failed.or_else(|| table.first(&session).err());
    assert_eq!(failed.expect("it fails").code(), code, "{options:?}");
    disk.heal();
    disk.set_free_space(None);
    session.rollback().unwrap();
    drop(table);
    // The instance is as good as before: its log, its databases, and new temporary tables.
    instance.check().unwrap();
    let mut table = TempTable::open(&session, &simple(options)).unwrap();
    for number in (0..3000).rev() {
        insert(&mut session, &mut table, &row(number, 200)).unwrap();
    }
    assert_eq!(numbers(&session, &mut table), (0..3000).collect::<Vec<_>>());
    drop((table, session));
    instance.create_database(Path::new("/db/a.edb")).unwrap();
    instance.terminate(TermMode::Clean).unwrap();
}

#[test]
fn a_full_disk_ends_a_temporary_table_and_nothing_else() {
    let full = |disk: &ese_sim::SimDisk| disk.set_free_space(Some(0));
    for options in [
        TempOptions::FORCE_MATERIALIZATION,
        TempOptions::SCROLLABLE,
        TempOptions::UPDATABLE,
        TempOptions::FORWARD_ONLY,
    ] {
        fill_until_failure(options, full, JetErr::DiskFull);
    }
}

#[test]
fn a_failing_device_ends_a_temporary_table_and_nothing_else() {
    for options in [
        TempOptions::FORCE_MATERIALIZATION,
        TempOptions::SCROLLABLE,
        TempOptions::UPDATABLE,
        TempOptions::FORWARD_ONLY,
    ] {
        for kind in [OpKind::Write, OpKind::Sync, OpKind::Allocate] {
            let sorts = !options.contains(TempOptions::FORCE_MATERIALIZATION);
            if sorts && kind != OpKind::Write {
                continue;
            }
            let fault = Fault::nth(kind, 0, JetErr::DiskIO).on(".tmp").forever();
            fill_until_failure(options, |disk| disk.add_fault(fault.clone()), JetErr::DiskIO);
        }
    }
}
