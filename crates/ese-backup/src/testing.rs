//! An instance for tests: real database and log files in a temporary directory, and a log that
//! is rolled by hand. Steps of the instance can be made to wait, so that a test can look at a call
//! in its middle.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

use ese_base::{
    DbTime, Dbid, Error, Generation, JetErr, LgPos, LogTime, ObjId, PageSize, Pgno, Result,
    Signature, StopReason, StopToken,
};
use ese_log::{
    LogNames,
    layout::{DbmsParam, HeaderFlags, LogHeader, LogVersion},
};
use ese_os::{Clock, Env, GateWait, OpenMode, Threads, Worker, WriteGate};
use ese_pages::{
    DbHeader, DbState, NodeFlags, PageFlags, PageMut,
    checksum::{stamp, stamp_segment},
    db_file::{Access, DbFile},
    header::NewHeader,
};
use ese_sim::{SimDisk, SimEnv};
use parking_lot::Mutex;
use tempfile::TempDir;

use crate::{
    session::{BackupContext, PauseBy},
    source::{
        ArchivedLog, AttachedDatabase, BackupPhase, BackupRecord, BackupSource, LogState,
        RoundTimes,
    },
    truncate::GenerationRange,
};

/// Segments of a test log: header, data, shadow.
const SEGMENTS: u16 = 16;

/// Where a test can hold the instance up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Roll,
    Delete,
    LastPage,
    UpdateHeader,
    Attachments,
}

/// Two ends for a test that holds a step up.
pub(crate) struct Held {
    pub(crate) reached: Receiver<()>,
    pub(crate) go_on: Sender<()>,
}

#[derive(Debug)]
struct Hold {
    step: Step,
    reached: Sender<()>,
    go_on: Receiver<()>,
}

/// The instance.
#[derive(Debug)]
pub(crate) struct TestInstance {
    pub(crate) root: PathBuf,
    /// Removed with the instance; none on a simulated disk.
    temporary: Option<TempDir>,
    pub(crate) env: Env,
    gate: Arc<WriteGate>,
    pub(crate) page_size: PageSize,
    pub(crate) signature: Signature,
    names: LogNames,
    databases: Mutex<Vec<AttachedDatabase>>,
    last_pages: Mutex<BTreeMap<u8, Pgno>>,
    current: AtomicU32,
    created: Mutex<BTreeMap<u32, LogTime>>,
    pub(crate) checkpoint: Mutex<std::result::Result<u32, JetErr>>,
    pub(crate) log_state: Mutex<LogState>,
    pub(crate) records: Mutex<Vec<BackupRecord>>,
    pub(crate) pins: Mutex<Vec<Option<Generation>>>,
    hold: Mutex<Option<Hold>>,
    /// Whoever commits all the time.
    pub(crate) committer: Mutex<Option<Committer>>,
}

/// A context over a fresh instance.
pub(crate) struct Setup {
    pub(crate) instance: Arc<TestInstance>,
    pub(crate) context: Arc<BackupContext>,
}

impl Setup {
    /// One database of `pages` pages; generations 1 to 5, checkpoint in 3.
    pub(crate) fn new(page_size: PageSize, pages: u32) -> Setup {
        Setup::with_env(Env::real(), page_size, &[("a.edb", pages)])
    }

    pub(crate) fn small() -> Setup {
        Setup::new(PageSize::K4, 7)
    }

    pub(crate) fn with_env(env: Env, page_size: PageSize, databases: &[(&str, u32)]) -> Setup {
        Setup::with_pauses(env, page_size, databases, PauseBy::Waiting)
    }

    pub(crate) fn with_pauses(
        env: Env,
        page_size: PageSize,
        databases: &[(&str, u32)],
        pauses: PauseBy,
    ) -> Setup {
        let temporary = Some(tempfile::tempdir().unwrap());
        Setup::over(TestInstance::new(env, page_size, temporary), databases, pauses)
    }

    /// The same on a simulated disk, in `/inst`.
    pub(crate) fn on_sim(databases: &[(&str, u32)]) -> (Setup, Arc<SimDisk>) {
        let (env, disk) = SimEnv::new(1);
        let instance = TestInstance::new(env, PageSize::K4, None);
        (Setup::over(instance, databases, PauseBy::Clock), disk)
    }

    fn over(instance: TestInstance, databases: &[(&str, u32)], pauses: PauseBy) -> Setup {
        let instance = Arc::new(instance);
        for (name, pages) in databases {
            instance.attach(name, *pages);
        }
        for _ in 1..5 {
            instance.new_generation();
        }
        let source: Arc<dyn BackupSource> = Arc::clone(&instance) as Arc<dyn BackupSource>;
        let context = Arc::new(BackupContext::new(source, pauses));
        context.allow();
        Setup { instance, context }
    }

    pub(crate) fn database_path(&self) -> PathBuf {
        self.instance.databases()[0].path.clone()
    }
}

impl TestInstance {
    fn new(env: Env, page_size: PageSize, temporary: Option<TempDir>) -> TestInstance {
        let (env, gate) = WriteGate::over(&env, GateWait::Waiting);
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let root = temporary.as_ref().map_or(PathBuf::from("/inst"), |dir| dir.path().into());
        env.fs.create_dir_all(&root).unwrap();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let instance = TestInstance {
            names: LogNames::new(&root, "edb"),
            env,
            gate,
            page_size,
            signature: Signature::new(number, LogTime::from_unix_ms(1_700_000_000_000)),
            databases: Mutex::default(),
            last_pages: Mutex::default(),
            current: AtomicU32::new(1),
            created: Mutex::default(),
            checkpoint: Mutex::new(Ok(3)),
            log_state: Mutex::default(),
            records: Mutex::default(),
            pins: Mutex::default(),
            hold: Mutex::default(),
            committer: Mutex::default(),
            root,
            temporary,
        };
        instance.write_log(&instance.names.current(), 1).unwrap();
        instance
    }

    /// Creates a database full of leaves and attaches it.
    pub(crate) fn attach(&self, name: &str, pages: u32) {
        let path = self.root.join(name);
        let dbid = Dbid(u8::try_from(self.databases.lock().len() + 1).unwrap());
        let mut header = DbHeader::new(NewHeader {
            page_size: self.page_size,
            sign_db: Signature::new(u32::from(dbid.0) + 1000, LogTime::from_unix_ms(1)),
            sign_log: self.signature,
        });
        header.set_state(DbState::DirtyShutdown);
        header.gen_min_required = 3.into();
        header.gen_max_required = 5.into();
        header.gen_max_committed = 5.into();
        drop(DbFile::create(&self.env, &path, header, Pgno(pages)).unwrap());
        let file = self.env.fs.open(&path, OpenMode::ReadWrite).unwrap();
        for pgno in (1..=pages).map(Pgno) {
            let image = leaf(self.page_size, pgno);
            file.write_at(&image, self.page_size.offset_of(pgno)).unwrap();
        }
        drop(file);
        let file = Arc::new(DbFile::open(&self.env, &path, Access::ReadWrite).unwrap());
        self.last_pages.lock().insert(dbid.0, Pgno(pages));
        self.databases.lock().push(AttachedDatabase { dbid, path, file });
    }

    pub(crate) fn header(&self, index: usize) -> DbHeader {
        self.databases.lock()[index].file.header()
    }

    /// Ends the current generation and begins the next one.
    pub(crate) fn new_generation(&self) -> Generation {
        self.try_new_generation().unwrap()
    }

    fn try_new_generation(&self) -> Result<Generation> {
        let old = self.current.load(Ordering::SeqCst);
        let archive = self.names.archive(Generation(old));
        self.env.fs.rename(&self.names.current(), &archive)?;
        self.current.store(old + 1, Ordering::SeqCst);
        self.write_log(&self.names.current(), old + 1)?;
        Ok(Generation(old + 1))
    }

    pub(crate) fn archive(&self, generation: u32) -> PathBuf {
        self.names.archive(Generation(generation))
    }

    /// The generations on disk that are finished.
    pub(crate) fn on_disk(&self) -> Vec<u32> {
        self.archived_logs().unwrap().into_iter().map(|log| log.generation.0).collect()
    }

    fn write_log(&self, path: &Path, generation: u32) -> Result<()> {
        let created = LogTime::from_unix_ms(1_700_000_000_000 + u64::from(generation) * 1000);
        let mut known = self.created.lock();
        let previous = known.get(&(generation - 1)).copied().unwrap_or(LogTime::NULL);
        known.insert(generation, created);
        drop(known);
        let bytes = log_image(generation, created, previous, self.signature, self.page_size);
        let file = self.env.fs.open(path, OpenMode::CreateOrTruncate)?;
        file.write_at(&bytes, 0)?;
        // Only a simulated disk loses what was not synced.
        if self.temporary.is_none() {
            file.sync()?;
            self.env.fs.sync_dir(&self.root)?;
        }
        Ok(())
    }

    /// Changes bytes of a file behind everybody's back.
    pub(crate) fn poke(&self, path: &Path, offset: u64, change: impl FnOnce(&mut u8)) {
        let file = self.env.fs.open(path, OpenMode::ReadWrite).unwrap();
        let mut byte = [0];
        file.read_at(&mut byte, offset).unwrap();
        change(&mut byte[0]);
        file.write_at(&byte, offset).unwrap();
    }

    /// The next time that the instance comes to `step` it waits for the test.
    pub(crate) fn hold(&self, step: Step) -> Held {
        let (reached, reached_end) = channel();
        let (go_on, go_on_end) = channel();
        *self.hold.lock() = Some(Hold { step, reached, go_on: go_on_end });
        Held { reached: reached_end, go_on }
    }

    fn at(&self, step: Step) {
        let held = {
            let mut hold = self.hold.lock();
            if hold.as_ref().is_some_and(|hold| hold.step == step) { hold.take() } else { None }
        };
        if let Some(hold) = held {
            hold.reached.send(()).unwrap();
            hold.go_on.recv().unwrap();
        }
    }

    pub(crate) fn phases(&self) -> Vec<BackupPhase> {
        self.records.lock().iter().map(|record| record.phase).collect()
    }
}

impl BackupSource for TestInstance {
    fn env(&self) -> &Env {
        &self.env
    }

    fn write_gate(&self) -> &WriteGate {
        &self.gate
    }

    fn page_size(&self) -> PageSize {
        self.page_size
    }

    fn log_state(&self) -> LogState {
        *self.log_state.lock()
    }

    fn databases(&self) -> Vec<AttachedDatabase> {
        self.databases.lock().clone()
    }

    fn folders(&self) -> Vec<PathBuf> {
        vec![self.names.dir().to_path_buf()]
    }

    fn last_page(&self, database: &AttachedDatabase) -> Result<Pgno> {
        self.at(Step::LastPage);
        Ok(self.last_pages.lock()[&database.dbid.0])
    }

    fn wait_for_attachments(&self) {
        self.at(Step::Attachments);
    }

    fn tip(&self) -> LgPos {
        LgPos::new(self.current.load(Ordering::SeqCst), 2, 100)
    }

    fn durable(&self) -> LgPos {
        self.tip()
    }

    fn round_times(&self) -> RoundTimes {
        let now = self.env.clock.monotonic();
        self.committer.lock().as_mut().map(|committer| committer.until(now)).unwrap_or_default()
    }

    fn current_generation(&self) -> Generation {
        Generation(self.current.load(Ordering::SeqCst))
    }

    fn log_signature(&self) -> Signature {
        self.signature
    }

    fn log_base(&self) -> String {
        self.names.base().to_owned()
    }

    fn checkpoint_on_disk(&self) -> Result<LgPos> {
        match *self.checkpoint.lock() {
            Ok(generation) => Ok(LgPos::new(generation, 1, 0)),
            Err(code) => Err(Error::code_only(code)),
        }
    }

    fn archived_logs(&self) -> Result<Vec<ArchivedLog>> {
        let current = self.current.load(Ordering::SeqCst);
        let mut all = Vec::new();
        for generation in (1..current).map(Generation) {
            let path = self.names.archive(generation);
            if self.env.fs.exists(&path)? {
                all.push(ArchivedLog { generation, path });
            }
        }
        Ok(all)
    }

    fn pin_logs(&self, from: Option<Generation>) {
        self.pins.lock().push(from);
    }

    fn append(&self, record: &BackupRecord) -> Result<()> {
        self.records.lock().push(record.clone());
        Ok(())
    }

    fn roll(&self) -> Result<Generation> {
        self.at(Step::Roll);
        self.try_new_generation()
    }

    fn update_header(
        &self,
        database: &AttachedDatabase,
        change: &mut dyn FnMut(&mut DbHeader),
    ) -> Result<()> {
        self.at(Step::UpdateHeader);
        database.file.update_header(change)
    }

    fn delete_logs(&self, range: GenerationRange) -> Result<Vec<Generation>> {
        self.at(Step::Delete);
        let mut deleted = Vec::new();
        for generation in range.iter() {
            match self.env.fs.remove_file(&self.names.archive(generation)) {
                Ok(()) => deleted.push(generation),
                Err(error) if error.code() == JetErr::FileNotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(deleted)
    }
}

/// Somebody who commits all the time: one round of the log follows the other.
#[derive(Debug)]
pub(crate) struct Committer {
    /// What a round takes if the device has nothing else to do.
    usual: Duration,
    begun: Duration,
    ends: Duration,
    /// What the device has to do before the next round ends.
    waiting: Duration,
    ended: u64,
    took: Duration,
    /// Whom it tells to stop, and when.
    pub(crate) stops: Option<(Duration, StopToken)>,
}

impl Committer {
    pub(crate) fn new(usual: Duration, now: Duration) -> Committer {
        Committer {
            usual,
            begun: now,
            ends: now + usual,
            waiting: Duration::ZERO,
            ended: 0,
            took: Duration::ZERO,
            stops: None,
        }
    }

    /// Somebody gives the device something to do, for which the next round has to wait.
    pub(crate) fn delay(&mut self, time: Duration) {
        self.waiting += time;
    }

    pub(crate) fn until(&mut self, now: Duration) -> RoundTimes {
        while self.ends <= now {
            self.ended += 1;
            self.took += self.ends - self.begun;
            self.begun = self.ends;
            self.ends += self.usual + std::mem::take(&mut self.waiting);
        }
        if let Some((_, stop)) = self.stops.as_ref().filter(|(at, _)| *at <= now) {
            stop.stop(StopReason::Requested);
        }
        RoundTimes { ended: self.ended, took: self.took, running_since: Some(self.begun) }
    }
}

/// A leaf with some nodes, different for every page.
pub(crate) fn leaf(size: PageSize, pgno: Pgno) -> Vec<u8> {
    let mut bytes = vec![0; size.bytes()];
    let mut page = PageMut::new(&mut bytes, size);
    page.init(pgno, ObjId(7), PageFlags::LEAF, DbTime(0x40 + u64::from(pgno.0)));
    for (index, number) in (0..20u32).enumerate() {
        let key = (pgno.0 * 100 + number).to_be_bytes();
        let data = [u8::try_from(number).unwrap(); 64];
        page.insert_node(index, 0, &key, &data, NodeFlags::empty()).unwrap();
    }
    stamp(&mut bytes, pgno);
    bytes
}

/// A whole log file with data in half of its segments.
pub(crate) fn log_image(
    generation: u32,
    created: LogTime,
    previous_created: LogTime,
    signature: Signature,
    page_size: PageSize,
) -> Vec<u8> {
    let header = LogHeader {
        generation: Generation(generation),
        sector_len: 4096,
        header_sectors: 1,
        sectors: SEGMENTS,
        page_size,
        created,
        previous_created,
        version: LogVersion::OURS,
        signature,
        params: DbmsParam::zeroed(),
        flags: HeaderFlags::empty(),
        checkpoint: LgPos::MIN,
        previous_checksum: 0,
        engine_format: 0,
        attachments: Vec::new(),
    };
    let mut bytes = header.encode().unwrap().to_vec();
    for isec in 1..u32::from(SEGMENTS) {
        let mut segment = [0; 4096];
        if isec <= u32::from(SEGMENTS) / 2 {
            segment[100..200].fill(u8::try_from(isec).unwrap());
            segment[36..40].copy_from_slice(&0x2000u32.to_le_bytes());
            stamp_segment(&mut segment, isec);
        }
        bytes.extend(segment);
    }
    bytes
}

/// The same machine without background threads, as a simulation has none.
pub(crate) fn without_threads(env: &Env) -> Env {
    Env { threads: Arc::new(NoThreads), ..env.clone() }
}

#[derive(Debug)]
struct NoThreads;

impl Threads for NoThreads {
    fn spawn(&self, _: &str, _: Box<dyn FnOnce() + Send + 'static>) -> Result<Option<Worker>> {
        Ok(None)
    }
}

/// A clock that only moves when somebody sleeps, and calls the test then.
pub(crate) struct TestClock {
    slept_ms: AtomicU64,
    on_sleep: Box<dyn Fn(Duration) + Send + Sync>,
}

impl std::fmt::Debug for TestClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TestClock({} ms)", self.slept_ms.load(Ordering::SeqCst))
    }
}

impl TestClock {
    /// `on_sleep` gets the time slept so far, this sleep included.
    pub(crate) fn new(on_sleep: impl Fn(Duration) + Send + Sync + 'static) -> Arc<TestClock> {
        Arc::new(TestClock { slept_ms: AtomicU64::new(0), on_sleep: Box::new(on_sleep) })
    }

    pub(crate) fn slept(&self) -> Duration {
        Duration::from_millis(self.slept_ms.load(Ordering::SeqCst))
    }
}

impl Clock for TestClock {
    fn unix_ms(&self) -> u64 {
        1_700_000_000_000 + self.slept_ms.load(Ordering::SeqCst)
    }

    fn monotonic(&self) -> Duration {
        self.slept()
    }

    fn sleep(&self, time: Duration) {
        let ms = u64::try_from(time.as_millis()).unwrap();
        self.slept_ms.fetch_add(ms, Ordering::SeqCst);
        (self.on_sleep)(self.slept());
    }
}
