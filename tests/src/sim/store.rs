//! The engine as a store under test: one instance, one or two databases, sessions side by side.
//!
//! Keys and values of the workload become a binary primary key and a long binary column, both also
//! in secondary indexes. There are no threads in the simulation, so the store does a piece of the
//! background's work now and then, at moments that depend only on the steps before.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use ese_api::{Instance, InstanceBuilder, RecoveryFlags, RecoveryOptions, RedoEnd, StopToken};
use ese_backup::PauseBy;
use ese_base::{Error, JetErr, LgPos, PageSize, Result};
use ese_engine::{
    catalog,
    defrag::Defragmentation,
    instance::{Attached, InstanceConfig, ShrinkMode},
    key,
    record::{RecordView, encode_row},
    schema::{
        ColType, ColumnDef, ColumnFlags, ColumnId, IndexDef, IndexOptions, KeyPart, TableDef,
    },
    session::{Durability, Session},
    table::{OnRollback, Table},
    tree::{Direction, Position, Start},
};
use ese_log::{Log, LogNames, LogStream, Situation};
use ese_os::Env;
use ese_pages::cache::{CacheMode, FlushGoal};
use ese_sim::{
    check::{Store, wrong_read},
    model::{Model, RowOp, Rows},
    workload::Step,
};

use super::verify::{Findings, verify};

/// How the engine is set up in a family of workloads.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Page size of the databases.
    pub page_size: PageSize,
    /// Reuse log files that recovery no longer needs.
    pub circular: bool,
    /// Bytes of log that a crash may have to replay.
    pub checkpoint_depth: u64,
    /// Changed pages that may wait for being written; 64 is the least.
    pub dirty_pages: u64,
    /// One of so many steps is followed by a piece of background work; 0 for none.
    pub background_one_of: u64,
    /// Tables with an odd last digit lie in a second database.
    pub two_databases: bool,
    /// Detach the databases before an orderly end.
    pub detach: bool,
    /// Compact the databases after an orderly end.
    pub compact: bool,
    /// After an orderly end, start once more for changes that nobody shall see, put the databases
    /// back as they were, and recover dirty databases without a checkpoint from then on.
    pub put_back: bool,
    /// Restore every whole backup elsewhere, and compare.
    pub restore_sets: bool,
    /// When free pages at the end of the files are cut off, beside the steps that ask for it.
    pub shrink: ShrinkMode,
    /// Values go outside of their rows when they are long, as they do for users.
    pub long_values: bool,
    /// Recover in stages: redo as far as some position, redo to the end, and then with undo.
    pub staged_recovery: bool,
    /// What the verifications of all stores with these settings saw at most.
    pub seen: Seen,
}

/// The most that verifications saw; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Seen(Arc<Mutex<Findings>>);

impl Seen {
    fn note(&self, found: Findings) {
        let mut so_far = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *so_far = so_far.most(found);
    }

    /// The maxima.
    #[must_use]
    pub fn most(&self) -> Findings {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Settings {
    /// The smallest log files, one database, everything on.
    #[must_use]
    pub fn new(page_size: PageSize) -> Settings {
        Settings {
            page_size,
            circular: false,
            checkpoint_depth: 96 << 10,
            dirty_pages: 64,
            background_one_of: 8,
            two_databases: false,
            detach: false,
            compact: false,
            put_back: false,
            restore_sets: false,
            shrink: ShrinkMode::OnRequest,
            long_values: false,
            staged_recovery: false,
            seen: Seen::default(),
        }
    }

    /// Starts an instance with these settings in a directory, which is made if it is not there.
    pub(crate) fn start(&self, env: &Env, dir: &str) -> Result<Instance> {
        env.fs.create_dir_all(Path::new(dir))?;
        if self.staged_recovery {
            self.redo_in_stages(env, dir)?;
        }
        self.builder(env, dir).start()
    }

    fn builder(&self, env: &Env, dir: &str) -> InstanceBuilder {
        Instance::builder(dir)
            .env(env.clone(), PauseBy::Clock)
            .configure(|config| self.configure(config))
    }

    /// Redo without undo, to the middle of the newest log and to its end.
    fn redo_in_stages(&self, env: &Env, dir: &str) -> Result<()> {
        let stream = LogStream::scan(env, &LogNames::new(dir, "edb"))?;
        if stream.situation() == Situation::Empty {
            return Ok(());
        }
        let middle = LgPos { generation: stream.newest()?, isec: 4, ib: 0 };
        let stages = [
            RecoveryOptions { until: Some(RedoEnd::Pause(middle)), ..RecoveryOptions::default() },
            RecoveryOptions::with_flags(RecoveryFlags::WITHOUT_UNDO),
        ];
        for options in stages {
            match self.builder(env, dir).recovery_options(options).start() {
                Err(error)
                    if matches!(
                        error.code(),
                        JetErr::RecoveredWithoutUndo
                            | JetErr::RecoveredWithoutUndoDatabasesConsistent
                    ) => {}
                Err(error) => return Err(error),
                Ok(instance) => {
                    instance.abandon();
                    let what = "an instance runs although undo was left out";
                    return Err(Error::new(JetErr::InternalError, what));
                }
            }
        }
        Ok(())
    }

    fn configure(&self, config: &mut InstanceConfig) {
        config.page_size = self.page_size;
        config.log_file_size = 64 << 10;
        config.log_buffer = 128 << 10;
        config.circular_log = self.circular;
        config.checkpoint_depth = self.checkpoint_depth;
        config.cache_size = self.dirty_pages * self.page_size.bytes_u64();
        config.cache_mode = Some(CacheMode::Copy);
        config.version_store_max = 8 << 20;
        config.shrink = self.shrink;
    }
}

/// A running engine.
#[derive(Debug)]
pub struct EngineStore {
    pub(super) env: Env,
    pub(super) settings: Settings,
    /// `None` only while it is being closed.
    instance: Option<Instance>,
    pub(super) databases: Vec<Arc<Attached>>,
    sessions: HashMap<usize, Session>,
    tables: BTreeMap<String, Arc<Table>>,
    steps: u64,
    pub(super) backups: u64,
    /// A call has failed: dropped now, it ends as a program does that gives up.
    failed: bool,
    replayed: u64,
}

/// Steps of a defragmentation; enough for the system's tables and some of the workload's.
const DEFRAGMENT_STEPS: u32 = 40;

const KEY: ColumnId = ColumnId(128);
const VALUE: ColumnId = ColumnId(256);
/// The length of the value, entered by additions to an escrow column.
const LENGTH: ColumnId = ColumnId(1);

fn table_def(name: &str) -> TableDef {
    let length = ColumnDef::new("length", ColType::Long).with(ColumnFlags::ESCROW_UPDATE);
    let columns = vec![
        ColumnDef::new("k", ColType::Binary),
        ColumnDef::new("v", ColType::LongBinary),
        length.with_default(&0_i32.to_le_bytes()),
    ];
    let unique = IndexDef {
        parts: vec![KeyPart::descending("k"), KeyPart::ascending("v")],
        options: IndexOptions::UNIQUE,
        ..IndexDef::new("unique", &[])
    };
    TableDef::new(name, columns)
        .index(IndexDef::primary("pk", &["k"]))
        .index(IndexDef::new("by value", &["v"]))
        .index(unique)
}

/// Tables of a history that comes to nothing are called so; no model knows them.
const LOST: &str = "lost";

/// What is added to a length too much, and taken off again.
const DETOUR: i64 = 1_000_000;

/// Does the table lie in the second database?
fn is_odd(table: &str) -> bool {
    table.bytes().last().is_some_and(|digit| digit % 2 == 1)
}

impl EngineStore {
    pub(super) fn path(number: usize) -> PathBuf {
        Path::new(Self::DIR).join(["a.edb", "b.edb"][number % 2])
    }

    fn attach(&mut self) -> Result<()> {
        let instance = self.running()?;
        let mut databases = Vec::new();
        for number in 0..1 + usize::from(self.settings.two_databases) {
            let path = EngineStore::path(number);
            drop(instance.open_or_create_database(&path)?);
            let attached = instance.engine().databases();
            databases.extend(attached.into_iter().filter(|attached| attached.path == path));
        }
        self.databases = databases;
        Ok(())
    }

    pub(super) fn running(&self) -> Result<&Instance> {
        self.instance
            .as_ref()
            .ok_or_else(|| Error::new(JetErr::NotInitialized, "the store is being closed"))
    }

    fn log(&self) -> Result<&Arc<Log>> {
        let log = self.running()?.engine().log.as_ref();
        log.ok_or_else(|| Error::new(JetErr::LoggingDisabled, "the store runs without a log"))
    }

    fn session(&mut self, number: usize) -> Result<&mut Session> {
        let engine = Arc::clone(self.running()?.engine());
        match self.sessions.entry(number) {
            Entry::Occupied(old) => Ok(old.into_mut()),
            Entry::Vacant(new) => Ok(new.insert(Session::begin_session(&engine)?)),
        }
    }

    /// The database that a table of this name lies in.
    fn home(&self, table: &str) -> Result<&Arc<Attached>> {
        let number = usize::from(self.databases.len() > 1 && is_odd(table));
        self.databases
            .get(number)
            .ok_or_else(|| Error::new(JetErr::InvalidDatabaseId, "the database is not attached"))
    }

    fn table(&mut self, session: usize, name: &str) -> Result<Arc<Table>> {
        if let Some(table) = self.tables.get(name) {
            return Ok(Arc::clone(table));
        }
        let attached = Arc::clone(self.home(name)?);
        let table = catalog::open_table(self.session(session)?, &attached, name)?;
        self.tables.insert(name.to_owned(), Arc::clone(&table));
        Ok(table)
    }

    fn create_table(&mut self, name: &str, durable: bool) -> Result<()> {
        let attached = Arc::clone(self.home(name)?);
        let session = self.session(0)?;
        session.begin()?;
        catalog::create_table(session, &attached, &table_def(name))?;
        session.commit(durability(durable))
    }

    /// Changes of a history that comes to nothing, unless the power goes before its end; in pages
    /// that the others change, too.
    pub(super) fn change_in_vain(&mut self) -> Result<()> {
        self.session(0)?;
        for number in 0..self.databases.len() {
            let names = self.names_of(number)?;
            let count = names.iter().filter(|name| name.starts_with(LOST)).count();
            let table = format!("{LOST}{count}-{number}");
            self.create_table(&table, false)?;
            self.session(0)?.begin()?;
            for key in 0..30_u8 {
                let (table, key, value) = (table.clone(), vec![key; 3], vec![key; 200]);
                self.row(0, &RowOp::Insert { table, key, value })?;
            }
            self.session(0)?.commit(Durability::Durable)?;
            self.log()?.roll()?;
        }
        Ok(())
    }

    fn names_of(&self, number: usize) -> Result<Vec<String>> {
        let session = Session::begin_session(self.running()?.engine())?;
        let tables = catalog::tables(&session, &self.databases[number])?;
        Ok(tables.iter().map(|table| table.schema.name.clone()).collect())
    }

    fn row(&mut self, session: usize, op: &RowOp) -> Result<()> {
        let (name, key, value) = match op {
            RowOp::CreateTable { table } => return self.create_table(table, false),
            RowOp::Insert { table, key, value } | RowOp::Replace { table, key, value } => {
                (table, key, Some(value.as_slice()))
            }
            RowOp::Delete { table, key } => (table, key, None),
        };
        let table = self.table(session, name)?;
        let long = self.settings.long_values;
        let session = self.session(session)?;
        let (mut at, mut normal, mut record) = (Position::default(), Vec::new(), Vec::new());
        let values = [(KEY, Some(key.as_slice())), (VALUE, value)];
        let whole = if long { &values[..1] } else { &values };
        encode_row(&table.schema, whole, &mut record)?;
        normal_key(&table, &record, &mut normal)?;
        match op {
            RowOp::Insert { .. } if long => {
                table.insert_values(session, &mut at, &values, &mut record, &mut normal)?;
            }
            RowOp::Insert { .. } => table.insert(session, &mut at, &record, &mut normal)?,
            RowOp::Replace { .. } => {
                // A row that is not there any more is refused like any other change of it.
                match table.get(session, &normal, <[u8]>::to_vec)?.filter(|_| long) {
                    Some(old) => {
                        let (row, zero) = ((&normal[..], &old[..]), Some(&[0; 4][..]));
                        let values = [values[1], (LENGTH, zero)];
                        table.replace_values(session, &mut at, row, &values, &mut record)?;
                    }
                    None => table.replace(session, &mut at, &normal, &record)?,
                }
            }
            _ => return table.delete(session, &mut at, &normal),
        }
        let length = i64::try_from(value.map_or(0, <[u8]>::len)).unwrap_or(0);
        for delta in [length + DETOUR, -DETOUR] {
            let addition = (LENGTH, delta);
            table.add_to_column(session, &mut at, &normal, addition, OnRollback::Undo)?;
        }
        Ok(())
    }

    fn read(&mut self, session: usize, name: &str, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let table = self.table(session, name)?;
        let (mut normal, mut record) = (Vec::new(), Vec::new());
        encode_row(&table.schema, &[(KEY, Some(key))], &mut record)?;
        normal_key(&table, &record, &mut normal)?;
        let session = self.session(session)?;
        let row = table.get(session, &normal, |row| columns_of(&table, session, row))?;
        row.transpose().map(|row| row.map(|(_, value)| value))
    }

    /// What threads of the background would do by now.
    fn background(&mut self) -> Result<()> {
        self.steps += 1;
        let every = self.settings.background_one_of;
        if every == 0 {
            return Ok(());
        }
        let engine = Arc::clone(self.running()?.engine());
        let outcome = match (self.steps % every, self.steps / every % 3) {
            (0, 0) => self.log()?.background_step(),
            (0, _) => engine.background_step(),
            _ => Ok(()),
        };
        // The background thread does this, too.
        outcome.inspect_err(|error| engine.poison(error))
    }

    pub(super) fn flush(&self, goal: impl Fn(usize) -> FlushGoal) -> Result<()> {
        let log = self.log()?;
        for attached in &self.databases {
            let cache = &attached.db.cache;
            cache.flush(goal(cache.dirty_count()), log.as_ref())?;
        }
        Ok(())
    }

    /// A part of a pass over each database.
    fn defragment(&self) -> Result<()> {
        let (engine, stop) = (self.running()?.engine(), StopToken::new());
        for attached in &self.databases {
            let mut pass = Defragmentation::new(attached);
            let mut steps = 0;
            while steps < DEFRAGMENT_STEPS && pass.step(engine, &stop)? {
                steps += 1;
            }
        }
        Ok(())
    }

    fn one(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::CreateTable { table, durable } => self.create_table(table, *durable),
            Step::Begin { session } => self.session(*session)?.begin(),
            Step::Row { session, op } => self.row(*session, op),
            Step::Read { session, table, key, value } => {
                let found = self.read(*session, table, key)?;
                if found == *value { Ok(()) } else { Err(wrong_read(step, found.as_deref())) }
            }
            Step::Commit { session, durable } => {
                self.session(*session)?.commit(durability(*durable))
            }
            Step::Rollback { session } => self.session(*session)?.rollback(),
            Step::Checkpoint => {
                self.flush(|_| FlushGoal::All)?;
                self.running()?.engine().advance_checkpoint()
            }
            Step::Flush => self.flush(|dirty| FlushGoal::DownTo(dirty / 2)),
            Step::RollLog => self.log()?.roll().map(|_| ()),
            Step::Backup => self.backup(),
            Step::Defragment => self.defragment(),
            Step::Shrink => self.shrink(),
            Step::Restart => Err(Error::new(JetErr::InternalError, "the driver restarts")),
        }
    }

    /// The rows of one database, into the model.
    pub(super) fn rows_of(
        &self,
        session: &Session,
        attached: &Attached,
        model: &mut Model,
    ) -> Result<()> {
        for table in catalog::tables(session, attached)? {
            if ["MSys", LOST].iter().any(|start| table.schema.name.starts_with(start)) {
                continue;
            }
            let (mut rows, mut failed) = (Rows::new(), Ok(()));
            let mut at = Position::default();
            table.scan(
                session,
                Start::End,
                Direction::Forward,
                &mut at,
                |row| match columns_of(&table, session, row.record) {
                    Ok((key, value)) => {
                        rows.insert(key, value);
                        ControlFlow::Continue(())
                    }
                    Err(error) => {
                        failed = Err(error);
                        ControlFlow::Break(())
                    }
                },
            )?;
            failed?;
            model.tables.insert(table.schema.name.clone(), rows);
        }
        Ok(())
    }
}

fn durability(durable: bool) -> Durability {
    if durable { Durability::Durable } else { Durability::Lazy }
}

fn normal_key(table: &Table, record: &[u8], out: &mut Vec<u8>) -> Result<()> {
    key::primary_key(&table.schema, &RecordView::new(record, table.db.page_size())?, out)
}

fn columns_of(table: &Table, session: &Session, record: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    let values = table.long_values(session);
    let view = RecordView::new(record, table.db.page_size())?.with_long_values(&values);
    let column = |id| -> Result<Vec<u8>> {
        let column = table.schema.columns.require(id)?;
        let instance = view.data(column)?.nth(1)?.ok_or_else(|| {
            Error::new(JetErr::DatabaseCorrupted, format!("a row without its column {}", id.0))
        })?;
        Ok(view.bytes_of(column, instance, usize::MAX)?.into_owned())
    };
    let (key, value, length) = (column(KEY)?, column(VALUE)?, column(LENGTH)?);
    let counted = i32::from_le_bytes(length.as_slice().try_into().unwrap_or_default());
    if usize::try_from(counted) != Ok(value.len()) {
        let what = format!("a row's length is {length:?}, its value has {} bytes", value.len());
        return Err(Error::new(JetErr::DatabaseCorrupted, what));
    }
    Ok((key, value))
}

impl Store for EngineStore {
    type Settings = Settings;

    fn open(env: &Env, settings: &Settings) -> Result<EngineStore> {
        if settings.put_back {
            EngineStore::lose_checkpoint(env)?;
        }
        let instance = settings.start(env, Self::DIR)?;
        let replayed = instance.recovery_report().map_or(0, |report| report.applied);
        let mut store = EngineStore {
            env: env.clone(),
            settings: settings.clone(),
            instance: Some(instance),
            databases: Vec::new(),
            sessions: HashMap::new(),
            tables: BTreeMap::new(),
            steps: 0,
            backups: 0,
            failed: false,
            replayed,
        };
        store.attach().inspect_err(|_| store.failed = true)?;
        Ok(store)
    }

    fn replayed(&self) -> u64 {
        self.replayed
    }

    fn step(&mut self, step: &Step) -> Result<()> {
        let done = self.one(step);
        if let (Step::Checkpoint | Step::Flush, Err(error)) = (step, &done) {
            // As in the background, which does this otherwise.
            self.running()?.engine().poison(error);
        }
        let done = done.and_then(|()| self.background());
        self.failed |= done.is_err();
        done
    }

    fn refuses(&mut self) -> bool {
        let session = usize::MAX;
        let table = self.tables.keys().next().cloned();
        let row = |table| RowOp::Insert { table, key: b"refused".to_vec(), value: Vec::new() };
        let tried = match table {
            None => self.create_table("refused", true),
            Some(table) => self
                .session(session)
                .and_then(Session::begin)
                .and_then(|()| self.row(session, &row(table)))
                .and_then(|()| self.session(session)?.commit(Durability::Durable)),
        };
        self.sessions.remove(&session);
        tried.is_err()
    }

    fn content(&mut self) -> Result<Model> {
        let session = Session::begin_session(self.running()?.engine())?;
        let mut model = Model::default();
        for attached in &self.databases {
            self.settings.seen.note(verify(&self.env, &session, attached)?);
            self.rows_of(&session, attached, &mut model)?;
        }
        Ok(model)
    }

    fn close(mut self) -> Result<()> {
        self.sessions.clear();
        self.tables.clear();
        self.databases.clear();
        match self.instance.take() {
            Some(instance) => EngineStore::end(instance, &self.settings, &self.env),
            None => Ok(()),
        }
    }
}

impl Drop for EngineStore {
    /// After an error the program ends as well as it can; otherwise it dies.
    fn drop(&mut self) {
        let Some(instance) = self.instance.take() else { return };
        if self.failed {
            self.sessions.clear();
            // Refused or not, the answer changes nothing.
            drop(instance.stop());
        } else {
            instance.abandon();
        }
    }
}
