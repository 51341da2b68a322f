//! Backups of a log that others append to and of pages that a flusher writes.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use ese_base::{DbTime, Generation, LgPos, LogTime, PageSize, Pgno, ProcId, Signature, StopToken};
use ese_log::{
    Attachment, Checkpoint, DbmsParam, Log, LogConfig, LogNames, LogObserver, LogStream, Record,
    records::Trace, write_checkpoint,
};
use ese_os::Env;
use ese_pages::{CacheOptions, DbHeader, FlushGoal, NoLog, PageCache};

use super::*;
use crate::{
    LogSource,
    restore::{RestorePlan, verify_set},
    session::{END_ABORT, PauseBy},
    source::{
        ArchivedLog, AttachedDatabase, BackupPhase, BackupRecord, BackupSource, LogState,
        RoundTimes,
    },
    stream::{CopyOptions, backup_to_dir},
    testing::{Setup, TestClock, TestInstance},
    truncate::GenerationRange,
};

/// The files of a [`TestInstance`] with a real log beside them.
#[derive(Debug)]
struct LiveInstance {
    files: Arc<TestInstance>,
    log: LogSource,
}

struct NobodyAttached;

impl LogObserver for NobodyAttached {
    fn attachments(&self) -> Vec<Attachment> {
        Vec::new()
    }

    fn checkpoint(&self) -> LgPos {
        LgPos::new(1, 1, 0)
    }

    fn rolled(&self, _: Generation, _: LogTime) -> Result<()> {
        Ok(())
    }
}

impl LiveInstance {
    fn new(files: Arc<TestInstance>) -> LiveInstance {
        let env = files.env.clone();
        let dir = files.root.join("live");
        env.fs.create_dir_all(&dir).unwrap();
        let mut config = LogConfig::new(&dir, "liv");
        config.file_len = 64 << 10;
        let log = Log::create(&env, &config, files.signature).unwrap();
        log.set_observer(Arc::new(NobodyAttached));
        let checkpoint = LogNames::new(&dir, "liv").checkpoint(&dir);
        let position = LgPos::new(1, 1, 0);
        let content = Checkpoint::new(files.signature, position, DbmsParam::zeroed());
        write_checkpoint(&env, &checkpoint, &content).unwrap();
        LiveInstance { files, log: LogSource::new(&env, Arc::new(log), checkpoint) }
    }

    fn trace(&self, text: &str) -> LgPos {
        let text = text.as_bytes();
        let record = Record::Trace(Trace { procid: ProcId(1), text, rollover: false });
        let appended = self.log.log().append(&record).unwrap();
        self.log.log().flush(appended.end).unwrap();
        appended.end
    }
}

impl BackupSource for LiveInstance {
    fn env(&self) -> &Env {
        self.files.env()
    }
    fn write_gate(&self) -> &ese_os::WriteGate {
        self.files.write_gate()
    }
    fn page_size(&self) -> PageSize {
        self.files.page_size()
    }
    fn log_state(&self) -> LogState {
        LogState::default()
    }
    fn databases(&self) -> Vec<AttachedDatabase> {
        self.files.databases()
    }
    fn folders(&self) -> Vec<std::path::PathBuf> {
        self.files.folders()
    }
    fn last_page(&self, database: &AttachedDatabase) -> Result<Pgno> {
        self.files.last_page(database)
    }
    fn wait_for_attachments(&self) {}
    fn tip(&self) -> LgPos {
        self.log.tip()
    }

    fn durable(&self) -> LgPos {
        self.tip()
    }
    fn round_times(&self) -> RoundTimes {
        self.log.round_times()
    }
    fn current_generation(&self) -> Generation {
        self.log.current_generation()
    }
    fn log_signature(&self) -> Signature {
        self.log.log_signature()
    }
    fn log_base(&self) -> String {
        self.log.log_base()
    }
    fn checkpoint_on_disk(&self) -> Result<LgPos> {
        self.log.checkpoint_on_disk()
    }
    fn archived_logs(&self) -> Result<Vec<ArchivedLog>> {
        Ok(self.log.archived_logs())
    }
    fn pin_logs(&self, from: Option<Generation>) {
        self.log.pin_logs(from);
    }
    fn append(&self, record: &BackupRecord) -> Result<()> {
        self.log.append(record)
    }
    fn roll(&self) -> Result<Generation> {
        self.log.roll()
    }
    fn update_header(
        &self,
        database: &AttachedDatabase,
        change: &mut dyn FnMut(&mut DbHeader),
    ) -> Result<()> {
        self.files.update_header(database, change)
    }
    fn delete_logs(&self, range: GenerationRange) -> Result<Vec<Generation>> {
        self.log.delete_logs(range)
    }
}

fn live(setup: &Setup) -> (Arc<LiveInstance>, Arc<BackupContext>) {
    let instance = Arc::new(LiveInstance::new(Arc::clone(&setup.instance)));
    let source: Arc<dyn BackupSource> = Arc::clone(&instance) as Arc<dyn BackupSource>;
    let context = Arc::new(BackupContext::new(source, PauseBy::Waiting));
    context.allow();
    (instance, context)
}

/// Texts of all trace records in the logs of a directory.
fn traces(env: &Env, dir: &Path) -> Vec<String> {
    let stream = LogStream::scan(env, &LogNames::new(dir, "liv")).unwrap();
    let mut reader = stream.reader(LgPos::new(stream.oldest().unwrap().0, 1, 0)).unwrap();
    let mut texts = Vec::new();
    while let Some(entry) = reader.next().unwrap() {
        if let Record::Trace(trace) = entry.record {
            texts.push(String::from_utf8(trace.text.to_vec()).unwrap());
        }
    }
    texts
}

#[test]
fn a_set_holds_every_record_that_was_durable_before_its_log_list() {
    let setup = Setup::new(PageSize::K4, 2000);
    let (instance, context) = live(&setup);
    let env = setup.instance.env.clone();
    // The database's header says that generation 5 is needed.
    while instance.log.current_generation() < Generation(6) {
        instance.log.roll().unwrap();
    }
    for round in 0..3 {
        let dir: PathBuf = setup.instance.root.join(format!("set{round}"));
        let written = AtomicU64::new(0);
        let done = AtomicBool::new(false);
        let mut before_the_logs = 0;
        let report = thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !done.load(Ordering::SeqCst) {
                        instance.trace(&"x".repeat(700));
                        written.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            let mut progress = |progress: &crate::stream::Progress| {
                if progress.phase == crate::stream::Phase::Databases {
                    // Writers go on while the databases are copied.
                    while written.load(Ordering::SeqCst) < before_the_logs + 20 {
                        thread::yield_now();
                    }
                    before_the_logs = written.load(Ordering::SeqCst);
                }
            };
            let options = CopyOptions { truncate: false };
            let stop = StopToken::new();
            let report = backup_to_dir(&context, &env, &dir, options, &mut progress, &stop);
            done.store(true, Ordering::SeqCst);
            report.unwrap()
        });
        assert_eq!(report.recorded, 1);
        let plan = RestorePlan::examine(&env, &dir).unwrap();
        verify_set(&env, &plan, &mut |_| (), &StopToken::new()).unwrap();
        assert_eq!(plan.gen_low, Generation(1));
        let count = traces(&env, &dir).len() as u64;
        assert!(count >= before_the_logs, "{count} records in the set, {before_the_logs} promised");
    }
}

#[test]
fn the_steps_of_a_backup_are_in_the_log_and_truncation_deletes_files() {
    let setup = Setup::small();
    let (instance, context) = live(&setup);
    for _ in 0..4 {
        instance.log.roll().unwrap();
    }
    let checkpoint = LgPos::new(3, 1, 0);
    let path = setup.instance.root.join("live/liv.chk");
    let content = Checkpoint::new(setup.instance.signature, checkpoint, DbmsParam::zeroed());
    write_checkpoint(&setup.instance.env, &path, &content).unwrap();
    context.begin(0).unwrap();
    copy_databases(&context);
    copy_logs(&context);
    assert_eq!(context.truncate_log_info().unwrap().len(), 2);
    context.truncate_log().unwrap();
    context.end(END_NORMAL).unwrap();
    // The observer of this log still says that generation 1 is needed, and the log obeys that.
    assert_eq!(instance.log.archived_logs().len(), 5);
    let dir = setup.instance.root.join("live");
    let env = &setup.instance.env;
    let stream = LogStream::scan(env, &LogNames::new(&dir, "liv")).unwrap();
    let mut reader = stream.reader(LgPos::new(1, 1, 0)).unwrap();
    let mut phases = Vec::new();
    instance.log.log().flush_all().unwrap();
    while let Some(entry) = reader.next().unwrap() {
        if let Record::Backup2(record) = entry.record {
            phases.push(record.phase);
        }
    }
    use BackupPhase::{Begin, PrepareLogs, Stop, Truncate, Update};
    assert_eq!(phases, [Begin, PrepareLogs, Truncate, Update, Stop]);
}

#[test]
fn case_108_no_page_is_torn_while_a_flusher_writes() {
    // Any page that is wrong at first sight would make the backup pause, and the clock panics.
    let clock = TestClock::new(|_| panic!("a page had to be read again"));
    let env = Env { clock, ..Env::real() };
    let setup = Setup::with_pauses(env, PageSize::K8, &[("a.edb", 2000)], PauseBy::Clock);
    let database = setup.instance.databases().remove(0);
    let mut options = CacheOptions::for_memory(8 << 20, PageSize::K8);
    options.double_write = false;
    let cache = PageCache::new(Arc::clone(&database.file), options).unwrap();
    let done = AtomicBool::new(false);
    let flushed = AtomicU64::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut tick = 10_000;
            while !done.load(Ordering::SeqCst) {
                for step in 0..64u32 {
                    tick += 1;
                    let pgno = Pgno(1 + (u32::try_from(tick).unwrap() * 7919 + step * 31) % 2000);
                    let mut page = cache.write(pgno).unwrap();
                    page.page_mut().set_dbtime(DbTime(tick));
                    page.page_mut().replace_data(3, &tick.to_le_bytes()).unwrap();
                    page.mark_dirty(LgPos::MIN, LgPos::MIN);
                }
                cache.flush(FlushGoal::All, &NoLog).unwrap();
                flushed.fetch_add(64, Ordering::SeqCst);
            }
        });
        let start = flushed.load(Ordering::SeqCst);
        let mut rounds = 0;
        while rounds < 5 || flushed.load(Ordering::SeqCst) < start + 2000 {
            setup.context.begin(0).unwrap();
            copy_databases(&setup.context);
            setup.context.end(END_ABORT).unwrap();
            rounds += 1;
        }
        done.store(true, Ordering::SeqCst);
    });
    assert!(setup.instance.env.clock.monotonic() == Duration::ZERO);
}
