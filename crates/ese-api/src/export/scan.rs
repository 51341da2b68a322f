//! Many threads, one order.
//!
//! Whoever runs the scan walks the tree's inside and hands out jobs, each some leaves. Every job
//! has its own channel, and the channels are emptied in the order of the jobs, so that the bytes
//! come in order; a channel holds two pieces, so that a thread that is ahead waits. A job is begun
//! only after all before it were, so the one whose channel is being emptied is always at work.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use ese_base::{Error, JetErr, Pgno, Result};
use ese_engine::{
    reader::{Leaf, LeafPage, Leaves, OfflineDatabase},
    record::RecordView,
    schema::TableSchema,
};
use ese_os::{Env, Worker};
use parking_lot::Mutex;

use super::{
    ExportOptions, ExportedTable,
    rows::{Place, Room, RowWriter},
};

/// Bytes of leaves that make a job.
const JOB_BYTES: usize = 256 << 10;
/// Bytes of a piece that is passed on; the last row of it may be longer.
const PIECE_BYTES: usize = 512 << 10;
/// Jobs that are handed out for each thread before the first of them must be done.
const JOBS_PER_THREAD: usize = 4;
/// Beyond that they wait for the disk and for each other.
const THREADS_MAX: usize = 16;

/// Some rows as bytes.
struct Piece {
    bytes: Vec<u8>,
    told: ExportedTable,
    /// The job ends with it, well or not.
    end: Option<Result<()>>,
}

/// Leaves, and where their rows go. A receiver that is gone wants no more.
struct Job {
    leaves: Vec<Leaf>,
    out: SyncSender<Piece>,
}

/// What one table's export works on.
#[derive(Clone, Copy)]
pub(super) struct Scan<'a> {
    pub(super) env: &'a Env,
    pub(super) database: &'a Arc<OfflineDatabase>,
    pub(super) schema: &'a Arc<TableSchema>,
    pub(super) writer: &'a Arc<RowWriter>,
}

/// What was handed out, and what came of it.
struct Course<'a, 's> {
    scan: Scan<'a>,
    leaves: Leaves<'a>,
    /// The leaves of the first job, which are known before the threads are started.
    first: Option<Vec<Leaf>>,
    per_job: usize,
    /// Bytes and pieces of each job that is at work or waits for it.
    ahead: VecDeque<(u64, Receiver<Piece>)>,
    sink: &'s mut dyn FnMut(&[u8]) -> Result<()>,
    total: ExportedTable,
    /// Bytes of leaves whose rows were given.
    done: u64,
}

impl Scan<'_> {
    pub(super) fn run(
        &self,
        options: &mut ExportOptions<'_>,
        sink: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<ExportedTable> {
        let per_job = (JOB_BYTES / self.database.page_size().bytes()).max(4);
        let mut leaves = self.database.leaves(self.schema)?;
        let first = leaves.next(per_job)?;
        // A table of few leaves needs no threads.
        let few = first.len() < per_job || options.limit.is_some();
        let threads = if few { 1 } else { self.threads(options.threads) };
        // Dropped last: by then every channel is closed, and all threads come to their end.
        let mut workers: Vec<Worker> = Vec::new();
        let (jobs, taken) = sync_channel::<Job>(threads * JOBS_PER_THREAD);
        let taken = Arc::new(Mutex::new(taken));
        for at in 0..if threads > 1 { threads } else { 0 } {
            let Some(worker) = self.worker(at, &taken)? else { break };
            workers.push(worker);
        }
        let mut course = Course {
            scan: *self,
            leaves,
            first: Some(first),
            per_job,
            ahead: VecDeque::new(),
            sink,
            total: ExportedTable::default(),
            done: 0,
        };
        let ended = if workers.is_empty() {
            course.alone(options)
        } else {
            course.shared(workers.len() * JOBS_PER_THREAD, &jobs, options)
        };
        let Course { leaves, ahead, mut total, .. } = course;
        drop((jobs, ahead));
        drop(workers);
        ended?;
        total.lost_pages.append(&mut leaves.into_lost());
        Ok(total)
    }

    fn threads(&self, wanted: usize) -> usize {
        let wanted = if wanted == 0 { self.env.threads.processors() } else { wanted };
        wanted.clamp(1, THREADS_MAX)
    }

    fn worker(&self, at: usize, jobs: &Arc<Mutex<Receiver<Job>>>) -> Result<Option<Worker>> {
        let (jobs, database) = (Arc::clone(jobs), Arc::clone(self.database));
        let (schema, writer) = (Arc::clone(self.schema), Arc::clone(self.writer));
        let body = move || {
            loop {
                // Whoever waits for a job holds the lock; the others wait for that.
                let Ok(job) = jobs.lock().recv() else { return };
                let mut give = |piece: Piece| job.out.send(piece).is_ok();
                let mut left = u64::MAX;
                convert(&database, &schema, &writer, &job.leaves, &mut left, &mut give);
            }
        };
        self.env.threads.spawn(&format!("ese-export-{at}"), Box::new(body))
    }
}

impl Course<'_, '_> {
    /// The leaves of the next job; none at the end.
    fn next_leaves(&mut self) -> Result<Vec<Leaf>> {
        self.first.take().map_or_else(|| self.leaves.next(self.per_job), Ok)
    }

    fn bytes(&self, leaves: &[Leaf]) -> u64 {
        self.scan.database.page_size().bytes_u64() * leaves.len() as u64
    }

    /// So many bytes more are done.
    fn advance(&mut self, bytes: u64, options: &mut ExportOptions<'_>) -> Result<()> {
        let file = self.scan.database.cache().file();
        let all = file.page_size().offset_of(Pgno(file.page_count()));
        self.done += bytes;
        (options.progress)(self.done, all);
        options.stop.check()
    }

    /// Threads do the jobs; at most so many are handed out.
    fn shared(
        &mut self,
        most: usize,
        jobs: &SyncSender<Job>,
        options: &mut ExportOptions<'_>,
    ) -> Result<()> {
        let mut more = true;
        while more || !self.ahead.is_empty() {
            while more && self.ahead.len() < most {
                let leaves = self.next_leaves()?;
                if leaves.is_empty() {
                    more = false;
                    break;
                }
                let bytes = self.bytes(&leaves);
                let (out, pieces) = sync_channel(2);
                jobs.send(Job { leaves, out }).map_err(|_| lost_thread())?;
                self.ahead.push_back((bytes, pieces));
            }
            let Some((bytes, pieces)) = self.ahead.pop_front() else { continue };
            loop {
                let piece = pieces.recv().map_err(|_| lost_thread())?;
                (self.sink)(&piece.bytes)?;
                self.total.append(piece.told);
                options.stop.check()?;
                if let Some(end) = piece.end {
                    end?;
                    break;
                }
            }
            self.advance(bytes, options)?;
        }
        Ok(())
    }

    /// Does all jobs itself.
    fn alone(&mut self, options: &mut ExportOptions<'_>) -> Result<()> {
        let mut left = options.limit.unwrap_or(u64::MAX);
        loop {
            let leaves = self.next_leaves()?;
            if leaves.is_empty() || left == 0 {
                return Ok(());
            }
            let mut result = Ok(());
            let Scan { database, schema, writer, .. } = self.scan;
            let (sink, total) = (&mut self.sink, &mut self.total);
            convert(database, schema, writer, &leaves, &mut left, &mut |piece| {
                result = sink(&piece.bytes);
                total.append(piece.told);
                if let (true, Some(end)) = (result.is_ok(), piece.end) {
                    result = end;
                }
                result.is_ok()
            });
            result?;
            self.advance(self.bytes(&leaves), options)?;
        }
    }
}

fn lost_thread() -> Error {
    Error::new(JetErr::InternalError, "a thread of the export has ended too early")
}

/// The state of one job.
struct Converter<'a, 'g> {
    writer: &'a RowWriter,
    room: Room,
    bytes: Vec<u8>,
    told: ExportedTable,
    /// Rows that are still wanted; not 0.
    left: &'g mut u64,
    give: &'g mut dyn FnMut(Piece) -> bool,
}

impl Converter<'_, '_> {
    fn row(&mut self, place: Place<'_>, record: &RecordView<'_>) -> bool {
        self.writer.row(place, record, &mut self.room, &mut self.bytes, &mut self.told);
        *self.left -= 1;
        if *self.left == 0 {
            self.pass_on(Some(Ok(())));
            return false;
        }
        self.bytes.len() < PIECE_BYTES || self.pass_on(None)
    }

    /// False if nobody wants more.
    fn pass_on(&mut self, end: Option<Result<()>>) -> bool {
        let bytes = std::mem::take(&mut self.bytes);
        (self.give)(Piece { bytes, told: std::mem::take(&mut self.told), end })
    }
}

/// Turns the rows of some leaves into pieces; the last one says how it ended.
fn convert(
    database: &OfflineDatabase,
    schema: &TableSchema,
    writer: &RowWriter,
    leaves: &[Leaf],
    left: &mut u64,
    give: &mut dyn FnMut(Piece) -> bool,
) {
    let (room, bytes, told) = (Room::default(), Vec::new(), ExportedTable::default());
    let mut converter = Converter { writer, room, bytes, told, left, give };
    let end = each_row(database, schema, leaves, &mut converter);
    if let Ok(false) = end {
        return;
    }
    converter.pass_on(Some(end.map(|_| ())));
}

/// False if nobody wants more.
fn each_row(
    database: &OfflineDatabase,
    schema: &TableSchema,
    leaves: &[Leaf],
    converter: &mut Converter<'_, '_>,
) -> Result<bool> {
    let mut reader = database.leaf_reader(schema);
    let (long_values, mut key) = (database.long_values(schema), Vec::new());
    for leaf in leaves {
        let pgno = leaf.pgno();
        let page = match reader.read(leaf) {
            Ok(LeafPage { page, doubt }) => {
                converter.told.lost_pages.extend(doubt);
                page
            }
            Err(lost) => {
                converter.told.lost_pages.push(lost);
                continue;
            }
        };
        if converter.writer.deleted {
            let mut wanted = true;
            database.deleted_on(schema, (pgno, page), |row| {
                let record = match row.line {
                    Some(_) => row.record.with_long_values(&long_values),
                    None => row.record,
                };
                wanted = wanted && converter.row(Place::of_deleted(row), &record);
                Ok(())
            })?;
            if !wanted {
                return Ok(false);
            }
            continue;
        }
        let nodes = page.reader();
        for node in (0..nodes.count()).map(|iline| nodes.node(iline)) {
            if node.is_deleted() {
                continue;
            }
            key.clear();
            node.append_key(&mut key);
            let wanted = match RecordView::new(node.data, schema.page_size) {
                Ok(record) => {
                    let place = Place { pgno, key: &key, deleted: None };
                    converter.row(place, &record.with_long_values(&long_values))
                }
                Err(error) => {
                    let what = format!("table \"{}\"", schema.name);
                    converter.told.lose(error.within(&what).at_page(pgno));
                    true
                }
            };
            if !wanted {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
