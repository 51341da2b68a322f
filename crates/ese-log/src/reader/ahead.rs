//! The segments of a file, read and verified by a thread of its own while somebody works on those
//! before. Recovery reads so; the files must not be written meanwhile.

use std::{
    fmt,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use ese_base::{Dbid, Error, JetErr, Pgno, Result};
use ese_os::{Env, File, Worker};

use super::segments::{FileEnd, Role, Segments};
use crate::{
    layout::{LogHeader, SEGMENT_HEADER_LEN, SEGMENT_LEN, SegmentBytes},
    records::{Record, framing},
};

/// Segments that are passed on at once.
const BATCH: usize = 64;
/// Batches that wait to be taken; with them the memory is 1.5 MiB.
const BATCHES: usize = 4;

/// Told of the pages that records name before the records are given out. Records that lie in
/// several segments are left out: these are hints.
pub trait Foresight: Send + Sync {
    /// Some time before, on the thread that reads ahead.
    fn is_coming(&self, page: LoggedPage);

    /// Right before the records of a segment, on the thread to which they are given.
    fn is_next(&self, pages: &[LoggedPage]);
}

/// A page of a database, as a record names it.
pub type LoggedPage = (Dbid, Pgno);

/// Segments in order, and behind the last of them how the data of the file ended.
struct Batch {
    /// The number of each segment, and where in `pages` those of its records end.
    numbers: Vec<(u16, usize)>,
    pages: Vec<LoggedPage>,
    segments: Vec<u8>,
    end: Option<Result<FileEnd>>,
}

impl Batch {
    fn new() -> Batch {
        Batch {
            numbers: Vec::with_capacity(BATCH),
            pages: Vec::new(),
            segments: Vec::with_capacity(BATCH * SEGMENT_LEN),
            end: None,
        }
    }
}

/// Who reads the segments of a file.
#[derive(Debug)]
pub(super) enum SegmentSource {
    /// Whoever wants them.
    Here(Segments),
    /// A thread.
    Ahead(Ahead),
}

impl SegmentSource {
    /// With foresight a thread reads, where several can work at the same time.
    pub(super) fn open(
        env: &Env,
        file: &Arc<dyn File>,
        header: &LogHeader,
        role: Role,
        foresight: Option<&Arc<dyn Foresight>>,
    ) -> Result<SegmentSource> {
        let segments = || Segments::new(Arc::clone(file), header, role);
        if let Some(foresight) = foresight.filter(|_| env.threads.processors() > 1)
            && let Some(ahead) = Ahead::start(env, segments(), foresight)?
        {
            return Ok(SegmentSource::Ahead(ahead));
        }
        Ok(SegmentSource::Here(segments()))
    }

    /// See [`Segments::next`].
    pub(super) fn next(&mut self, segment: &mut SegmentBytes) -> Result<Option<u16>> {
        match self {
            SegmentSource::Here(segments) => segments.next(segment),
            SegmentSource::Ahead(ahead) => ahead.next(segment),
        }
    }

    /// See [`Segments::end`]; to be asked once.
    pub(super) fn end(&mut self) -> Result<FileEnd> {
        match self {
            SegmentSource::Here(segments) => segments.end(),
            SegmentSource::Ahead(ahead) => ahead.end(),
        }
    }
}

/// A file that is being read ahead.
pub(super) struct Ahead {
    batch: Batch,
    /// Segments of the batch that were given out.
    at: usize,
    /// Pages of the batch that were told of.
    told: usize,
    foresight: Arc<dyn Foresight>,
    batches: Receiver<Batch>,
    /// Joined when nobody receives any more, which ends it.
    _thread: Worker,
}

impl fmt::Debug for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ahead").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Ahead {
    /// `None` where there are no threads; the segments are gone then.
    fn start(
        env: &Env,
        segments: Segments,
        foresight: &Arc<dyn Foresight>,
    ) -> Result<Option<Ahead>> {
        let (out, batches) = sync_channel(BATCHES);
        let (foresight, of_thread) = (Arc::clone(foresight), Arc::clone(foresight));
        let body = Box::new(move || read(segments, of_thread.as_ref(), &out));
        let thread = env.threads.spawn("ese-log-ahead", body)?;
        let batch = Batch::new();
        Ok(thread.map(|_thread| Ahead { batch, at: 0, told: 0, foresight, batches, _thread }))
    }

    fn next(&mut self, segment: &mut SegmentBytes) -> Result<Option<u16>> {
        while self.at == self.batch.numbers.len() {
            if self.batch.end.is_some() {
                return Ok(None);
            }
            self.batch = self.batches.recv().map_err(|_| lost())?;
            (self.at, self.told) = (0, 0);
        }
        let begin = self.at * SEGMENT_LEN;
        if let Some(bytes) = self.batch.segments.get(begin..begin + SEGMENT_LEN) {
            segment.copy_from_slice(bytes);
        }
        let Some(&(number, end)) = self.batch.numbers.get(self.at) else { return Ok(None) };
        self.foresight.is_next(self.batch.pages.get(self.told..end).unwrap_or_default());
        (self.at, self.told) = (self.at + 1, end);
        Ok(Some(number))
    }

    fn end(&mut self) -> Result<FileEnd> {
        self.batch.end.take().unwrap_or_else(|| Err(lost()))
    }
}

fn lost() -> Error {
    Error::new(JetErr::InternalError, "the thread that reads the log ahead has ended too early")
}

/// Reads the file to its end, or until nobody wants more.
fn read(mut segments: Segments, foresight: &dyn Foresight, out: &SyncSender<Batch>) {
    let mut segment = Box::new([0; SEGMENT_LEN]);
    loop {
        let mut batch = Batch::new();
        while batch.numbers.len() < BATCH && batch.end.is_none() {
            match segments.next(&mut segment) {
                Ok(Some(number)) => {
                    let known = batch.pages.len();
                    pages_of(&segment, &mut batch.pages);
                    let new = batch.pages.get(known..).unwrap_or_default();
                    new.iter().for_each(|page| foresight.is_coming(*page));
                    batch.numbers.push((number, batch.pages.len()));
                    batch.segments.extend_from_slice(segment.as_slice());
                }
                Ok(None) => batch.end = Some(segments.end()),
                Err(error) => batch.end = Some(Err(error)),
            }
        }
        let last = batch.end.is_some();
        if out.send(batch).is_err() || last {
            return;
        }
    }
}

/// The pages that the records of a segment change. What is wrong with one is said when its turn
/// comes.
fn pages_of(segment: &SegmentBytes, pages: &mut Vec<LoggedPage>) {
    let mut rest = segment.get(SEGMENT_HEADER_LEN..).unwrap_or_default();
    while let Some(&number) = rest.first() {
        let len = match number {
            framing::NOP => return,
            framing::NOP2 => 5 + field(rest.get(1..5)),
            framing::FRAGMENT_BEGIN => 7 + field(rest.get(5..7)),
            framing::FRAGMENT => 3 + field(rest.get(1..3)),
            _ => match Record::decode_prefix(rest) {
                Ok((record, len)) => {
                    pages.extend(record.pages().map(|(dbid, pgno, _, _)| (dbid, pgno)));
                    len
                }
                Err(_) => return,
            },
        };
        rest = rest.get(len..).unwrap_or_default();
    }
}

/// A length of some bytes.
fn field(bytes: Option<&[u8]>) -> usize {
    let bytes = bytes.unwrap_or_default().iter().rev();
    bytes.fold(0, |number, byte| number << 8 | usize::from(*byte))
}

#[cfg(test)]
mod tests {
    use ese_base::{DbTime, LgPos, ProcId};
    use ese_os::Threads;
    use parking_lot::Mutex;

    use super::*;
    use crate::{LogStream, StreamEnd, records::NewPage, testing::*};

    /// Real threads, of which two can work at the same time whatever the machine has.
    #[derive(Debug)]
    struct Two(Env);

    impl Threads for Two {
        fn spawn(
            &self,
            name: &str,
            body: Box<dyn FnOnce() + Send + 'static>,
        ) -> Result<Option<Worker>> {
            self.0.threads.spawn(name, body)
        }

        fn processors(&self) -> usize {
            2
        }
    }

    /// Keeps what it is told.
    #[derive(Default)]
    struct Told {
        coming: Mutex<Vec<LoggedPage>>,
        next: Mutex<Vec<LoggedPage>>,
    }

    impl Foresight for Told {
        fn is_coming(&self, page: LoggedPage) {
            self.coming.lock().push(page);
        }

        fn is_next(&self, pages: &[LoggedPage]) {
            // What is next was coming before.
            assert!(self.coming.lock().len() >= self.next.lock().len() + pages.len());
            self.next.lock().extend(pages);
        }
    }

    type Found = (Vec<(LgPos, LgPos, Vec<u8>)>, std::result::Result<StreamEnd, String>);

    fn read_all(env: &Env, told: Option<&Arc<Told>>) -> Found {
        let stream = LogStream::scan(env, &config().names).unwrap();
        let mut reader = stream.reader(LgPos::new(1, 0, 0)).unwrap();
        if let Some(told) = told {
            reader.read_ahead(Arc::clone(told) as Arc<dyn Foresight>);
        }
        let mut records = Vec::new();
        loop {
            match reader.next() {
                Ok(Some(entry)) => records.push((entry.pos, entry.end, entry.bytes.to_vec())),
                Ok(None) => return (records, reader.end().map_err(|error| error.to_string())),
                Err(error) => return (records, Err(error.to_string())),
            }
        }
    }

    /// Three generations, with records of every length and 60 that create a page.
    fn write(env: &Env) {
        let log = crate::Log::create(env, &config(), signature()).unwrap();
        for number in 0..60 {
            append(&log, number, 20 + 97 * usize::try_from(number).unwrap()).unwrap();
            let (dbid, procid, objid) = (Dbid(1), ProcId(1), ese_base::ObjId(2));
            let (pgno, dbtime) = (Pgno(u32::try_from(number).unwrap() + 1), DbTime(number + 1));
            let new = NewPage { procid, dbid, pgno, objid, dbtime };
            log.append(&Record::NewPage(new)).unwrap();
            if number % 20 == 19 {
                log.flush_all().unwrap();
                log.roll().unwrap();
            }
        }
        log.flush_all().unwrap();
    }

    #[test]
    fn a_thread_that_reads_ahead_finds_what_one_that_does_not_finds() {
        let (env, disk) = machine(1);
        write(&env);
        let whole = disk.image();
        let file = std::path::Path::new(DIR).join("edb00002.log");
        let mut ends = std::collections::BTreeSet::new();
        for damage in [0, 2, 5, 9, 12] {
            let mut image = whole.clone();
            if damage > 0 {
                let mut bytes = image.read(&file).unwrap();
                bytes[damage * SEGMENT_LEN + 100] ^= 4;
                image.insert(&file, &bytes);
            }
            let (alone, _) = boot(&image);
            let (mut env, _) = boot(&image);
            env.threads = Arc::new(Two(Env::real()));
            let told = Arc::new(Told::default());
            let (records, end) = read_all(&alone, None);
            let (ahead, ahead_end) = read_all(&env, Some(&told));
            assert!(records == ahead, "damage in segment {damage}");
            let end = end.map(|end| format!("{end:?}"));
            assert_eq!(end, ahead_end.map(|end| format!("{end:?}")));
            ends.insert(end.map_or_else(|error| error, |_| "whole".to_owned()));
            let next: Vec<u32> = told.next.lock().iter().map(|(_, pgno)| pgno.0).collect();
            assert!(next.is_sorted() && (damage > 0 || next.len() > 50), "{next:?}");
        }
        assert!(ends.len() > 2 && ends.contains("whole"), "{ends:?}");
    }

    #[test]
    fn a_reader_that_is_dropped_early_ends_the_thread() {
        let (env, disk) = machine(1);
        write(&env);
        let (mut env, _) = boot(&disk.image());
        env.threads = Arc::new(Two(Env::real()));
        let stream = LogStream::scan(&env, &config().names).unwrap();
        let told = Arc::new(Told::default());
        let mut reader = stream.reader(LgPos::new(1, 0, 0)).unwrap();
        reader.read_ahead(Arc::clone(&told) as Arc<dyn Foresight>);
        assert!(reader.next().unwrap().is_some());
        drop(reader);
        assert_eq!(Arc::strong_count(&told), 1);
    }
}
