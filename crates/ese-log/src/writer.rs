//! The writer of a log stream.
//!
//! [`Log::append`] puts a record into the buffer under a short lock; [`Log::flush`] makes the log
//! durable up to a position, for many callers at once. The parts:
//!
//! * `buffer` (crate): records become segments;
//! * [`commit`]: who writes and who waits;
//! * [`place`]: writing a segment that grows, so that nothing acknowledged can be torn;
//! * [`roll`]: going over to the next generation;
//! * [`temp`]: the next file, made in advance; reserves for a full disk;
//! * [`files`]: the finished generations;
//! * [`resume`]: starting a stream, or going on with one that was read.
//!
//! Locks, outermost first: rounds ([`commit`]) -> writer -> buffer. No latch of a page is ever
//! taken here, and the observer is called with only the writer's lock held.

mod commit;
mod config;
mod files;
mod place;
mod resume;
mod roll;
mod temp;

#[cfg(test)]
pub(crate) mod tests;

use std::{
    fmt,
    mem::ManuallyDrop,
    ops::Range,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::ThreadId,
};

use ese_base::{Error, Generation, JetErr, LgPos, LogTime, Result, Signature, activity};
use ese_os::{Env, Worker};
use ese_pages::fence::LogFence;
use parking_lot::{Condvar, Mutex, RwLock};

pub use crate::buffer::Appended;
pub use commit::RoundTimes;
pub use config::LogConfig;
pub use files::GenerationPin;

use crate::{
    Attachment, LogLock, LogNames,
    buffer::{Batch, Buffer, Taken, sequence_end},
    layout::DbmsParam,
    records::Record,
};
use commit::{Lead, Role, Rounds};
use files::Archives;
use place::Writer;
use temp::NextFile;

pub(crate) use place::offset_of;

/// What the log asks its instance when a generation ends. All three are called by whichever thread
/// makes the log durable at that moment, so they must not wait for anybody who may be inside
/// [`Log::append`] or [`Log::flush`], and must not call these themselves.
pub trait LogObserver: Send + Sync {
    /// The databases that are attached, for the header of the new generation.
    fn attachments(&self) -> Vec<Attachment>;
    /// The current checkpoint: older generations are not needed for recovery.
    fn checkpoint(&self) -> LgPos;
    /// A generation was begun; its file is durable. Before this returns, the headers of all
    /// attached databases must durably say that it may be needed (backup-log-recovery 1.5, step
    /// 5); only then is any record of it written.
    ///
    /// # Errors
    /// An error fails the log.
    fn rolled(&self, generation: Generation, created: LogTime) -> Result<()>;
}

/// Told how far the log is durable, after each round, by the thread that led it. That thread may
/// hold latches, so a watcher waits for nothing and calls nothing of the engine.
pub type DurableWatcher = Arc<dyn Fn(LgPos) + Send + Sync>;

/// How a log's writer has worked since it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogStatistics {
    /// Rounds of writing; those of a group commit served all that waited.
    pub rounds: u64,
    /// Syncs of log data. More than one for a round means that the round could not write
    /// everything at once without risking what was acknowledged before; none, that it only made
    /// room in the buffer.
    pub syncs: u64,
}

/// One log stream, open for writing.
pub struct Log {
    shared: Arc<Shared>,
    /// The background thread, where there are threads; ended when the log is dropped.
    worker: Mutex<Option<ManuallyDrop<Worker>>>,
}

struct Shared {
    env: Env,
    signature: Signature,
    /// What headers say besides their generation.
    header: HeaderFacts,
    buffer: Mutex<Buffer>,
    rounds: Rounds,
    writer: Mutex<Writer>,
    /// The generation of the current file, and when it was begun.
    written: Mutex<(Generation, LogTime)>,
    archives: Arc<Archives>,
    next_file: NextFile,
    observer: RwLock<Option<Arc<dyn LogObserver>>>,
    watcher: RwLock<Option<DurableWatcher>>,
    background: Background,
    /// Held as long as the stream is open.
    lock: Arc<LogLock>,
}

/// What is the same in all headers of a run.
struct HeaderFacts {
    sectors: u16,
    page_size: ese_base::PageSize,
    params: DbmsParam,
    circular: bool,
    /// Circular logging is or has been on in this stream.
    circular_history: bool,
}

/// What the background thread has to do.
struct Background {
    wanted: Mutex<Wanted>,
    wake: Condvar,
    /// Is there a thread that does it?
    threaded: AtomicBool,
    /// That thread, once it runs.
    thread: Mutex<Option<ThreadId>>,
}

/// What a round is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    /// The file has it.
    Written,
    Durable,
}

#[derive(Default)]
struct Wanted {
    next_file: bool,
    write: bool,
    end: bool,
}

impl Log {
    /// Adds a record. It is not durable yet; [`Log::flush`] with its `end` makes it so.
    ///
    /// Waits for the disk only when the buffer is full.
    ///
    /// # Errors
    /// `JET_errLogWriteFail` (-510) after the log has failed or was closed; `JET_errLogDiskFull`
    /// (-529) for the begin of a transaction when the disk is full; `JET_errLogBufferTooSmall`
    /// (-517) for a record that is too long; `JET_errLogSequenceEnd` (-519) for the begin of a
    /// transaction from [`Generation::LAST`] on, and for everything behind
    /// [`Generation::LAST_OF_RUN`]. Nothing has been added then.
    pub fn append(&self, record: &Record<'_>) -> Result<Appended> {
        let parts = record.parts()?;
        let shared = &self.shared;
        let is_begin = matches!(record, Record::Begin0(_));
        if is_begin && shared.next_file.is_disk_full() {
            return Err(Error::new(
                JetErr::LogDiskFull,
                "the log volume is full; no transaction that changes something can begin",
            )
            .advise("free space on the log volume and start the instance again"));
        }
        if shared.rounds.has_failed() {
            shared.rounds.check()?;
        }
        loop {
            let (appended, worth_writing, tip) = {
                let mut buffer = shared.buffer.lock();
                if is_begin && buffer.is_at_sequence_end() {
                    return Err(sequence_end(buffer.generation()));
                }
                let is_commit = matches!(record, Record::Commit0(_));
                let appended = buffer.append(&parts, is_commit, || shared.env.clock.log_time())?;
                (appended, buffer.is_worth_writing(), buffer.tip())
            };
            match appended {
                Some(appended) => {
                    activity::log_record(parts.encoded_len());
                    if worth_writing {
                        shared.background.want_write();
                    }
                    return Ok(appended);
                }
                None => shared.spill(tip)?,
            }
        }
    }

    /// Returns when every record that ends at or before `end` is durable.
    ///
    /// # Errors
    /// `JET_errLogWriteFail` (-510), or `JET_errLogDiskFull` (-529) when a generation could not be
    /// begun: the log has failed, now or earlier, and nothing will become durable any more.
    pub fn flush(&self, end: LgPos) -> Result<()> {
        self.shared.flush(end)
    }

    /// Makes everything durable that has been appended so far.
    ///
    /// # Errors
    /// As [`Log::flush`].
    pub fn flush_all(&self) -> Result<()> {
        self.flush(self.tip())
    }

    /// Everything before this position is durable.
    #[must_use]
    pub fn durable(&self) -> LgPos {
        self.shared.rounds.durable()
    }

    /// Behind the last record that was appended.
    #[must_use]
    pub fn tip(&self) -> LgPos {
        self.shared.buffer.lock().tip()
    }

    /// Ends the current generation and begins the next; everything appended before is durable
    /// then. The value is the new generation.
    ///
    /// # Errors
    /// As [`Log::flush`]; `JET_errLogSequenceEnd` (-519).
    pub fn roll(&self) -> Result<Generation> {
        self.shared.rounds.check()?;
        let (generation, tip) = {
            let mut buffer = self.shared.buffer.lock();
            if buffer.is_at_sequence_end() {
                return Err(sequence_end(buffer.generation()));
            }
            (buffer.start_generation()?, buffer.tip())
        };
        self.shared.flush(tip)?;
        Ok(generation)
    }

    /// Ends the log for good (`JET_bitStopServiceStopAndEmitLog`): everything appended so far is
    /// durable on return, and every later append fails.
    ///
    /// # Errors
    /// As [`Log::flush`].
    pub fn close(&self) -> Result<()> {
        let tip = self.shared.buffer.lock().close();
        self.flush(tip)
    }

    /// Its instance has ended, or was never begun, and nothing is written any more: others may use
    /// the stream, although threads may still hold the log. If it ended in order, the file of the
    /// lock goes. Who has kept the lock keeps it.
    pub fn let_go(&self, in_order: bool) {
        // It may be making a file in advance.
        self.end_background();
        let lock = &self.shared.lock;
        if in_order {
            lock.end_in_order();
        }
        if Arc::strong_count(lock) == 1 {
            lock.give_back();
        }
    }

    /// Was it ended by [`Log::close`]?
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.buffer.lock().is_closed()
    }

    /// Names the instance that is asked and told about generations.
    pub fn set_observer(&self, observer: Arc<dyn LogObserver>) {
        *self.shared.observer.write() = Some(observer);
    }

    /// Names whoever is told how far the log is durable; `None`: nobody.
    pub fn watch_durable(&self, watcher: Option<DurableWatcher>) {
        *self.shared.watcher.write() = watcher;
    }

    /// Forgets the observer (which commonly holds the log in turn).
    pub fn clear_observer(&self) {
        *self.shared.observer.write() = None;
    }

    /// The generation that the next record goes to, unless it does not fit any more.
    #[must_use]
    pub fn current_generation(&self) -> Generation {
        self.shared.buffer.lock().generation()
    }

    /// The generation whose file is being written, and when it was begun. It can be behind
    /// [`Log::current_generation`] while records wait in the buffer.
    #[must_use]
    pub fn written_generation(&self) -> (Generation, LogTime) {
        *self.shared.written.lock()
    }

    /// How the writer has worked so far.
    #[must_use]
    pub fn statistics(&self) -> LogStatistics {
        // One lock after the other: a leader holds its round while it waits for the writer.
        let rounds = self.shared.rounds.count();
        LogStatistics { rounds, syncs: self.shared.writer.lock().syncs }
    }

    /// How long making the log durable has taken so far. Waits for nothing that takes long.
    #[must_use]
    pub fn round_times(&self) -> RoundTimes {
        self.shared.rounds.times()
    }

    /// The stream's signature.
    #[must_use]
    pub fn signature(&self) -> Signature {
        self.shared.signature
    }

    /// How the stream's files are called.
    #[must_use]
    pub fn names(&self) -> &LogNames {
        &self.shared.archives.names
    }

    /// Bytes of a log file.
    #[must_use]
    pub fn file_len(&self) -> u64 {
        u64::from(self.shared.header.sectors) * 4096
    }

    /// Is the log volume full, so that only commits, rollbacks and a shutdown are possible?
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        self.shared.next_file.is_disk_full()
    }

    /// Is the last generation reached, so that only commits, rollbacks and a shutdown are possible?
    #[must_use]
    pub fn is_at_sequence_end(&self) -> bool {
        self.shared.buffer.lock().is_at_sequence_end()
    }

    /// Recovery has ended, and an instance begins to run: the last generations, which
    /// [`Log::resume`] lets undo go to, are kept for the next recovery.
    pub fn leave_reserve(&self) {
        self.shared.buffer.lock().leave_reserve();
    }

    /// Has circular logging been on at any time in this stream?
    #[must_use]
    pub fn circular_history(&self) -> bool {
        self.shared.header.circular_history
    }

    /// The finished generations on disk, oldest first, with their files.
    #[must_use]
    pub fn generations(&self) -> Vec<(Generation, PathBuf)> {
        self.shared.archives.list()
    }

    /// Keeps circular logging from deleting generations from `from` on, until the value is dropped.
    #[must_use]
    pub fn pin_generations(&self, from: Generation) -> GenerationPin {
        self.shared.archives.pin(from)
    }

    /// Does anybody keep generations, as a backup does from its beginning to its end?
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.shared.archives.is_pinned()
    }

    /// Deletes finished generations of a range, oldest first, but none that recovery needs: those
    /// from the checkpoint on stay. The value is what was deleted.
    ///
    /// # Errors
    /// Whatever the file system answers; some may have been deleted.
    pub fn delete_generations(&self, range: Range<Generation>) -> Result<Vec<Generation>> {
        let needed = self.shared.checkpoint().generation;
        self.shared.archives.delete(range.start..range.end.min(needed).max(range.start))
    }

    /// Does what the background thread would do: makes the next file. In environments without
    /// threads it also hands the file what was appended, without a sync.
    ///
    /// # Errors
    /// Whatever the file system answers. A next file that was not made is tried again by the next
    /// roll; after a failed write the log has failed, as in [`Log::flush`].
    pub fn background_step(&self) -> Result<()> {
        if !self.shared.background.threaded.load(Ordering::Acquire) {
            self.shared.spill(self.tip())?;
        }
        self.shared.next_file.prepare(self.shared.checkpoint())
    }

    /// Starts the background thread, if this environment has threads.
    fn start_background(&mut self) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        shared.background.threaded.store(true, Ordering::Release);
        let body = {
            let shared = Arc::clone(&shared);
            Box::new(move || shared.work())
        };
        let worker = shared.env.threads.spawn("ese-log", body)?.map(ManuallyDrop::new);
        if worker.is_none() {
            shared.background.threaded.store(false, Ordering::Release);
        }
        *self.worker.get_mut() = worker;
        Ok(())
    }

    fn end_background(&self) {
        self.shared.background.end();
        let worker = self.worker.lock().take();
        let Some(worker) = worker else { return };
        // If the observer held the last reference to the log while the background thread asked it
        // something, this is that thread: it cannot wait for itself, and it ends by itself.
        if *self.shared.background.thread.lock() != Some(std::thread::current().id()) {
            // Joins the thread.
            drop(ManuallyDrop::into_inner(worker));
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.end_background();
    }
}

impl LogFence for Log {
    fn ensure_durable(&self, end: LgPos) -> Result<()> {
        self.flush(end)
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("names", &self.shared.archives.names)
            .field("durable", &self.durable())
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn flush(&self, end: LgPos) -> Result<()> {
        while let Role::Lead(lead) = self.rounds.join(end)? {
            self.round(lead, Until::Durable)?;
        }
        Ok(())
    }

    /// Hands the file what was appended, so that there is room in the buffer; a later flush finds
    /// less to do and syncs once for all of it.
    fn spill(&self, tip: LgPos) -> Result<()> {
        match self.rounds.join(tip)? {
            Role::Done => Ok(()),
            Role::Lead(lead) => self.round(lead, Until::Written),
        }
    }

    fn round(&self, lead: Lead<'_>, until: Until) -> Result<()> {
        // Nobody else leads, so the writer is free but for short looks at it.
        let mut writer = self.writer.lock();
        let batch = self
            .buffer
            .lock()
            // What is not synced at once has no second place, so it must not be written again.
            .take(|tail| until == Until::Durable && writer.keep_open(tail));
        let clock = &self.env.clock;
        let begun = (until == Until::Durable).then(|| clock.monotonic());
        let running = self.rounds.start(lead, batch.tip, begun);
        let result = self.write_batch(&mut writer, batch, until);
        drop(writer);
        running.finish(&result, clock.monotonic());
        let watcher = self.watcher.read().clone();
        if let Some(watcher) = watcher {
            watcher(self.rounds.durable());
        }
        result
    }

    /// Writes a batch, going over to new generations where it does.
    fn write_batch(&self, writer: &mut Writer, batch: Batch, until: Until) -> Result<()> {
        let Batch { mut segments, last_open, tip, generation } = batch;
        let mut rest = segments.as_mut_slice();
        while let Some(first) = rest.first() {
            let of = first.generation;
            let count = rest.iter().take_while(|segment| segment.generation == of).count();
            let (group, after) = rest.split_at_mut(count);
            self.enter_generation(writer, of)?;
            writer.write(group, last_open && after.is_empty())?;
            if until == Until::Written {
                writer.start_writeback(group);
            }
            rest = after;
        }
        self.enter_generation(writer, generation)?;
        if until == Until::Durable {
            writer.make_durable()?;
            self.rounds.publish(tip);
        }
        // Those who append wait for this lock.
        segments.iter_mut().for_each(|segment| segment.bytes.fill(0));
        let mut buffer = self.buffer.lock();
        for Taken { bytes, .. } in segments {
            buffer.reuse(bytes);
        }
        Ok(())
    }

    fn enter_generation(&self, writer: &mut Writer, generation: Generation) -> Result<()> {
        while writer.generation < generation {
            self.roll(writer)?;
            self.rounds.publish(LgPos { generation: writer.generation, isec: 1, ib: 0 });
        }
        Ok(())
    }

    fn observer(&self) -> Option<Arc<dyn LogObserver>> {
        self.observer.read().clone()
    }

    fn checkpoint(&self) -> LgPos {
        self.observer().map_or(LgPos::MIN, |observer| observer.checkpoint())
    }

    /// The background thread.
    fn work(&self) {
        *self.background.thread.lock() = Some(std::thread::current().id());
        loop {
            let wanted = {
                let mut wanted = self.background.wanted.lock();
                while !(wanted.next_file || wanted.write || wanted.end) {
                    self.background.wake.wait(&mut wanted);
                }
                std::mem::take(&mut *wanted)
            };
            if wanted.end {
                return;
            }
            if wanted.write {
                let tip = self.buffer.lock().tip();
                // A failure stays in the rounds; every later call answers it.
                if self.spill(tip).is_err() {
                    continue;
                }
            }
            if wanted.next_file
                && let Err(error) = self.next_file.prepare(self.checkpoint())
            {
                // The roll will try again and then answer the error itself.
                tracing::warn!(%error, "the next log file could not be made in advance");
            }
        }
    }
}

impl Background {
    fn new() -> Background {
        Background {
            wanted: Mutex::new(Wanted::default()),
            wake: Condvar::new(),
            threaded: AtomicBool::new(false),
            thread: Mutex::new(None),
        }
    }

    fn want_next_file(&self) {
        if self.threaded.load(Ordering::Acquire) {
            self.wanted.lock().next_file = true;
            self.wake.notify_one();
        }
    }

    fn want_write(&self) {
        if self.threaded.load(Ordering::Acquire) {
            let mut wanted = self.wanted.lock();
            if !wanted.write {
                wanted.write = true;
                self.wake.notify_one();
            }
        }
    }

    fn end(&self) {
        self.wanted.lock().end = true;
        self.wake.notify_one();
    }
}
