//! Output of a backup copy: large aligned writes past the page cache, by threads of its own.
//!
//! Writing through the page cache would leave gigabytes of dirty pages behind, and the next
//! commit's sync of the log would wait for them (measured at 300 to 500 ms). Direct output leaves
//! none. Where a file system does not offer it, write-back is started after each block.
//!
//! The reading thread fills buffers and hands them over; a fixed number of buffers circulates, so
//! that memory stays bounded and whichever side is slower sets the pace. Several threads write,
//! because a device is at its best with some requests to choose from. But whoever commits
//! meanwhile waits behind all of them: a gentle copy hands over one small write at a time and waits
//! for it. Files are synced when all their writes are done. Without threads the hand-over is a
//! plain call.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crossbeam::channel::{Receiver, Sender, bounded};
use ese_base::{Error, JetErr, Result};
use ese_os::{Env, File, OpenMode, Worker, reserve_like};
use ese_pages::checksum;

use super::file_crc::FileCrc;
use crate::AlignedBuffer;

/// Bytes of one buffer, and so of one write.
pub(crate) const CHUNK_LEN: usize = 1 << 20;
/// Threads that write.
const WRITERS: usize = 3;
/// Bytes of one write of a gentle copy.
const GENTLE_LEN: usize = 512 << 10;
/// Bytes of a block that is left out of a write if it is blank.
const BLANK_UNIT: usize = 64 << 10;
/// Buffers in circulation: one being filled, one for each writer, and some between.
const BUFFERS: usize = WRITERS + 4;
/// Files that are written and not synced yet; more would only hold handles.
const UNSYNCED_MAX: usize = 32;

// Multiples of every page size, and enough for the first read of a database.
const _: () = assert!(CHUNK_LEN.is_multiple_of(GENTLE_LEN) && GENTLE_LEN.is_multiple_of(32 * 1024));
const _: () = assert!(GENTLE_LEN >= 3 * 32 * 1024);

/// A file of the copy.
#[derive(Clone)]
pub(crate) struct Output {
    file: Arc<dyn File>,
    crc: Option<Arc<FileCrc>>,
}

impl Output {
    /// Reserves room for the bytes up to `to`; those before `from` have it.
    pub(crate) fn reserve(&self, from: u64, to: u64) -> Result<()> {
        self.file.allocate(from, to - from)
    }

    /// From now on what is written is summed by the threads that write it. The sum is whole once
    /// the sink is drained.
    pub(crate) fn summed(&mut self) -> Arc<FileCrc> {
        Arc::clone(self.crc.get_or_insert_default())
    }
}

enum Job {
    /// Sum and write the first `len` bytes at `offset`.
    Write { output: Output, buffer: AlignedBuffer, len: usize, offset: u64 },
    /// Make the file durable and let go of it. All its writes are done.
    Sync(Arc<dyn File>),
}

/// Answer to a job: the buffer to be filled again, or the first failure.
type Answer = Result<Option<AlignedBuffer>>;

/// The writing side of a copy.
pub(crate) struct Sink {
    /// Buffers that nobody uses. Without workers they never leave this list.
    free: Vec<AlignedBuffer>,
    /// Jobs whose answer has not come back.
    under_way: usize,
    /// Files whose last write was handed over.
    unsynced: Vec<Arc<dyn File>>,
    workers: Option<Workers>,
}

struct Workers {
    jobs: Sender<Job>,
    answers: Receiver<Answer>,
    /// Nobody wants the jobs any more that are still queued.
    abandoned: Arc<AtomicBool>,
    /// Joined when the sink is dropped; `jobs` is dropped before (order of the fields), which is
    /// what ends the threads.
    _threads: Vec<Worker>,
}

impl Sink {
    pub(crate) fn new(env: &Env) -> Result<Sink> {
        let free =
            (0..BUFFERS).map(|_| AlignedBuffer::new(CHUNK_LEN)).collect::<Result<Vec<_>>>()?;
        let workers = Workers::start(env)?;
        Ok(Sink { free, under_way: 0, unsynced: Vec::new(), workers })
    }

    /// For files that are only read: one buffer, and nobody who writes.
    pub(crate) fn for_reading() -> Result<Sink> {
        let free = vec![AlignedBuffer::new(CHUNK_LEN)?];
        Ok(Sink { free, under_way: 0, unsynced: Vec::new(), workers: None })
    }

    /// How many bytes of a buffer are to be filled. Who is `gentle` also waits for each write
    /// ([`Sink::settle`]), so that the device has nothing of his left in between.
    pub(crate) fn piece_len(gentle: bool) -> usize {
        if gentle { GENTLE_LEN } else { CHUNK_LEN }
    }

    /// Creates a file of the copy. Its space is reserved, so that a full disk shows before
    /// anything was read.
    pub(crate) fn create(env: &Env, path: &Path, len: u64) -> Result<Output> {
        let file = env.fs.open(path, OpenMode::CreateNewDirect)?;
        if len > 0 {
            file.allocate(0, len)?;
        }
        Ok(Output { file, crc: None })
    }

    /// As [`Sink::create`], of a file that is as long as what comes of it; see [`Output::reserve`].
    pub(crate) fn create_growing(env: &Env, path: &Path) -> Result<Output> {
        Sink::create(env, path, 0)
    }

    /// As [`Sink::create`], of a file that is there: where that has holes, nothing is reserved.
    pub(crate) fn create_like(env: &Env, path: &Path, len: u64, model: &Path) -> Result<Output> {
        let model = env.fs.open(model, OpenMode::Read)?;
        let file = env.fs.open(path, OpenMode::CreateNewDirect)?;
        reserve_like(&*file, &*model, len)?;
        Ok(Output { file, crc: None })
    }

    /// Opens a file of a copy whose first `done` bytes were written before, with this sum. What was
    /// written behind them is forgotten.
    pub(crate) fn reopen(env: &Env, path: &Path, len: u64, done: u64, sum: u32) -> Result<Output> {
        let file = env.fs.open(path, OpenMode::ReadWriteDirect)?;
        // Blank blocks are not written, so the rest has to read as zeros.
        file.set_len(done)?;
        if len > done {
            file.allocate(done, len - done)?;
        }
        Ok(Output { file, crc: Some(Arc::new(FileCrc::going_on(sum, done))) })
    }

    /// A buffer to fill; waits for one to come back if all are under way.
    pub(crate) fn buffer(&mut self) -> Result<AlignedBuffer> {
        while self.free.is_empty() {
            self.take_answer()?;
        }
        self.free.pop().ok_or_else(lost_buffer)
    }

    /// Gives a buffer back unused.
    pub(crate) fn give_back(&mut self, buffer: AlignedBuffer) {
        self.free.push(buffer);
    }

    /// Writes the first `len` bytes of a buffer; returns before they are written.
    pub(crate) fn write(
        &mut self,
        output: &Output,
        buffer: AlignedBuffer,
        len: usize,
        offset: u64,
    ) -> Result<()> {
        self.submit(Job::Write { output: output.clone(), buffer, len, offset })
    }

    /// Makes a file durable once its writes are done; returns before.
    pub(crate) fn finish(&mut self, output: Output) -> Result<()> {
        self.unsynced.push(output.file);
        if self.unsynced.len() < UNSYNCED_MAX { Ok(()) } else { self.drain() }
    }

    /// Waits until everything handed over is durable, of a file that is being written, too.
    pub(crate) fn sync(&mut self, output: Option<&Output>) -> Result<()> {
        self.settle()?;
        if let Some(output) = output {
            self.submit(Job::Sync(Arc::clone(&output.file)))?;
        }
        self.drain()
    }

    /// Waits until everything handed over is written, and every finished file durable.
    pub(crate) fn drain(&mut self) -> Result<()> {
        self.settle()?;
        for file in std::mem::take(&mut self.unsynced) {
            self.submit(Job::Sync(file))?;
        }
        self.settle()
    }

    /// Waits until everything handed over is written.
    pub(crate) fn settle(&mut self) -> Result<()> {
        while self.under_way > 0 {
            self.take_answer()?;
        }
        Ok(())
    }

    fn submit(&mut self, job: Job) -> Result<()> {
        let Some(workers) = &self.workers else {
            let answer = perform(job);
            return self.keep(answer);
        };
        // Take what has come back already, so that the answers' channel never fills up.
        let arrived: Vec<Answer> = workers.answers.try_iter().collect();
        if workers.jobs.send(job).is_err() {
            return Err(worker_gone());
        }
        self.under_way += 1;
        for answer in arrived {
            self.under_way -= 1;
            self.keep(answer)?;
        }
        Ok(())
    }

    fn take_answer(&mut self) -> Result<()> {
        let Some(workers) = self.workers.as_ref().filter(|_| self.under_way > 0) else {
            return Err(lost_buffer());
        };
        let answer = workers.answers.recv().map_err(|_| worker_gone())?;
        self.under_way -= 1;
        self.keep(answer)
    }

    fn keep(&mut self, answer: Answer) -> Result<()> {
        self.free.extend(answer?);
        Ok(())
    }
}

impl Workers {
    /// `None` where there are no threads.
    fn start(env: &Env) -> Result<Option<Workers>> {
        // Dropped last if not all threads come up: dropping waits for them, and what ends them is
        // that the other ends of their channels are gone.
        let mut threads = Vec::new();
        // Answers never wait for room: at most one per queued job and one per writer are about.
        let (jobs, job_source) = bounded::<Job>(BUFFERS);
        let (answer_sink, answers) = bounded::<Answer>(2 * BUFFERS + WRITERS);
        let abandoned = Arc::new(AtomicBool::new(false));
        for _ in 0..WRITERS {
            let (jobs, answers) = (job_source.clone(), answer_sink.clone());
            let abandoned = Arc::clone(&abandoned);
            let body = Box::new(move || {
                for job in jobs {
                    if abandoned.load(Ordering::Acquire) {
                        break;
                    }
                    if answers.send(perform(job)).is_err() {
                        break;
                    }
                }
            });
            match env.threads.spawn("ese-backup-write", body)? {
                Some(thread) => threads.push(thread),
                None => return Ok(None),
            }
        }
        Ok(Some(Workers { jobs, answers, abandoned, _threads: threads }))
    }
}

impl Drop for Sink {
    /// What is queued after a failure or a stop is not written, and above all not synced.
    fn drop(&mut self) {
        if let Some(workers) = &self.workers {
            workers.abandoned.store(true, Ordering::Release);
        }
    }
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sink").field("under_way", &self.under_way).finish_non_exhaustive()
    }
}

fn perform(job: Job) -> Answer {
    match job {
        Job::Write { output, buffer, len, offset } => {
            let bytes = buffer.as_slice().get(..len).ok_or_else(lost_buffer)?;
            if let Some(crc) = &output.crc {
                crc.add(offset, bytes);
            }
            for (at, run) in runs(bytes) {
                let at = offset + at as u64;
                output.file.write_at(run, at)?;
                output.file.start_writeback(at, run.len() as u64);
            }
            Ok(Some(buffer))
        }
        Job::Sync(file) => file.sync().map(|()| None),
    }
}

/// The parts of a buffer that are not blank, each with its place. The rest reads as zeros anyway,
/// because the file's space was reserved when it was created; a young database and the last log
/// are blank for a good part, and a device takes its time for zeros as for anything else.
fn runs(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let blank = |block: &[u8]| checksum::is_blank(block);
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = || bytes.get(at..).unwrap_or_default().chunks(BLANK_UNIT);
        let skipped: usize = rest().take_while(|block| blank(block)).map(<[u8]>::len).sum();
        at += skipped;
        let rest = || bytes.get(at..).unwrap_or_default().chunks(BLANK_UNIT);
        let len: usize = rest().take_while(|block| !blank(block)).map(<[u8]>::len).sum();
        let start = at;
        at += len;
        bytes.get(start..at).filter(|run| !run.is_empty()).map(|run| (start, run))
    })
}

fn lost_buffer() -> Error {
    Error::new(JetErr::InternalError, "a buffer of the backup's output is unaccounted for")
}

fn worker_gone() -> Error {
    Error::new(JetErr::InternalError, "the writing threads of the backup ended early")
}

#[cfg(test)]
mod tests {
    use std::{mem::ManuallyDrop, sync::mpsc::channel};

    use ese_os::Threads;

    use super::*;
    use crate::testing::without_threads;

    /// Starts one thread, and then no more.
    #[derive(Debug)]
    struct OneThread {
        machine: Env,
        started: AtomicBool,
        /// Instead of a failure: as where there are no threads.
        quietly: bool,
    }

    impl Threads for OneThread {
        fn spawn(
            &self,
            name: &str,
            body: Box<dyn FnOnce() + Send + 'static>,
        ) -> Result<Option<Worker>> {
            match (self.started.swap(true, Ordering::Relaxed), self.quietly) {
                (false, _) => self.machine.threads.spawn(name, body),
                (true, true) => Ok(None),
                (true, false) => Err(Error::new(JetErr::OutOfThreads, "no more threads")),
            }
        }
    }

    #[test]
    fn threads_that_came_up_end_when_another_does_not() {
        for quietly in [false, true] {
            let machine = Env::real();
            let threads = OneThread { machine: machine.clone(), started: false.into(), quietly };
            let env = Env { threads: Arc::new(threads), ..machine.clone() };
            let (done, wait) = channel();
            let body = Box::new(move || {
                let code = Sink::new(&env).map(|_| ()).map_err(|error| error.code());
                done.send(code).unwrap();
            });
            // Dropping it would wait for a thread that hangs.
            let worker = ManuallyDrop::new(machine.threads.spawn("sink", body).unwrap());
            let answer = wait.recv_timeout(std::time::Duration::from_secs(20));
            let expected = if quietly { Ok(()) } else { Err(JetErr::OutOfThreads) };
            assert_eq!(answer, Ok(expected));
            drop(ManuallyDrop::into_inner(worker));
        }
    }

    fn copy_through(env: &Env, dir: &Path, gentle: bool) {
        let mut sink = Sink::new(env).unwrap();
        let mut crcs = Vec::new();
        for name in ["a", "b"] {
            let path = dir.join(name);
            let chunks = 9u8;
            let mut file = Sink::create(env, &path, u64::from(chunks) * CHUNK_LEN as u64).unwrap();
            crcs.push(file.summed());
            for chunk in 0..chunks {
                let mut buffer = sink.buffer().unwrap();
                buffer.as_mut_slice().fill(chunk);
                sink.write(&file, buffer, CHUNK_LEN, u64::from(chunk) * CHUNK_LEN as u64).unwrap();
                if gentle {
                    sink.settle().unwrap();
                }
            }
            sink.finish(file).unwrap();
        }
        sink.drain().unwrap();
        let len = 9 * CHUNK_LEN as u64;
        assert!(crcs.iter().all(|crc| crc.of_all(len) == crcs[0].of_all(len)));
        assert!(crcs[0].of_all(len).is_some());
        for name in ["a", "b"] {
            let file = env.fs.open(&dir.join(name), OpenMode::Read).unwrap();
            for chunk in 0..9u8 {
                let mut byte = [0xff; 1];
                file.read_at(&mut byte, (u64::from(chunk) + 1) * CHUNK_LEN as u64 - 1).unwrap();
                assert_eq!(byte[0], chunk);
            }
        }
    }

    #[test]
    fn blocks_arrive_in_place_with_and_without_a_thread() {
        let env = Env::real();
        for env in [without_threads(&env), env] {
            for gentle in [false, true] {
                let dir = tempfile::tempdir().unwrap();
                copy_through(&env, dir.path(), gentle);
            }
        }
    }

    #[test]
    fn blank_blocks_are_left_out_and_read_as_zeros() {
        let mut bytes = vec![0; 10 * BLANK_UNIT + 5000];
        assert_eq!(runs(&bytes).count(), 0);
        for block in [2, 3, 7] {
            bytes[block * BLANK_UNIT + 17 * block] = 1;
        }
        bytes[10 * BLANK_UNIT + 4999] = 1;
        let found: Vec<_> = runs(&bytes).map(|(at, run)| (at, run.len())).collect();
        let unit = BLANK_UNIT;
        assert_eq!(found, [(2 * unit, 2 * unit), (7 * unit, unit), (10 * unit, 5000)]);

        let env = Env::real();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let mut sink = Sink::new(&env).unwrap();
        let mut file = Sink::create(&env, &path, CHUNK_LEN as u64).unwrap();
        let crc = file.summed();
        let mut buffer = sink.buffer().unwrap();
        buffer.as_mut_slice().fill(0);
        buffer.as_mut_slice()[5 * unit] = 9;
        let expected = buffer.as_slice().to_vec();
        sink.write(&file, buffer, CHUNK_LEN, 0).unwrap();
        sink.finish(file).unwrap();
        sink.drain().unwrap();
        let mut found = vec![0xff; CHUNK_LEN];
        env.fs.open(&path, OpenMode::Read).unwrap().read_at(&mut found, 0).unwrap();
        assert!(found == expected);
        assert_eq!(crc.of_all(CHUNK_LEN as u64), Some(crc32fast::hash(&expected)));
    }

    #[test]
    fn a_failed_write_reaches_the_reading_side() {
        let env = Env::real();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        Sink::create(&env, &path, 4096).unwrap();
        let file = env.fs.open(&path, OpenMode::Read).unwrap();
        let read_only = Output { file, crc: None };
        let mut sink = Sink::new(&env).unwrap();
        let mut buffer = sink.buffer().unwrap();
        buffer.as_mut_slice().fill(1);
        sink.write(&read_only, buffer, 4096, 0).unwrap();
        assert!(sink.drain().is_err());
    }
}
