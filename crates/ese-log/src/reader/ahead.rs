//! The segments of a file, read and verified by a thread of its own while somebody works on those
//! before. Recovery reads so; the files must not be written meanwhile.

use std::{
    fmt,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use ese_base::{Dbid, Error, Iline, JetErr, Pgno, Result};
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

/// Told of the pages that records change before the records are given out. Records that lie in
/// several segments are left out: these are hints.
pub trait Foresight: Send + Sync {
    /// Some time before, on the thread that reads ahead: what a segment names.
    fn is_coming(&self, places: &[LoggedPlace]);

    /// Nothing that comes has been read yet: the thread to which the records are given has time.
    fn is_waited_for(&self) {}

    /// About a segment before, on the thread to which the records are given.
    fn is_soon(&self, places: &[LoggedPlace]);

    /// Right before the records of a segment, on the same thread.
    fn is_next(&self, places: &[LoggedPlace]);
}

/// What a record changes: a page of a database, and the node on it if it is about one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggedPlace {
    /// The database.
    pub dbid: Dbid,
    /// The page.
    pub pgno: Pgno,
    /// The node.
    pub iline: Option<Iline>,
}

/// Segments in order, and behind the last of them how the data of the file ended.
struct Batch {
    /// The number of each segment, and where in `places` those of its records end.
    numbers: Vec<(u16, usize)>,
    places: Vec<LoggedPlace>,
    segments: Vec<u8>,
    end: Option<Result<FileEnd>>,
}

impl Batch {
    fn new() -> Batch {
        Batch {
            numbers: Vec::with_capacity(BATCH),
            places: Vec::new(),
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
        Ok(thread.map(|_thread| Ahead { batch, at: 0, foresight, batches, _thread }))
    }

    fn next(&mut self, segment: &mut SegmentBytes) -> Result<Option<u16>> {
        while self.at == self.batch.numbers.len() {
            if self.batch.end.is_some() {
                return Ok(None);
            }
            self.batch = match self.batches.try_recv() {
                Ok(batch) => batch,
                Err(_) => {
                    self.foresight.is_waited_for();
                    self.batches.recv().map_err(|_| lost())?
                }
            };
            self.at = 0;
            // Of all others it is said with the segment before.
            self.foresight.is_soon(self.places_of(0));
        }
        let begin = self.at * SEGMENT_LEN;
        if let Some(bytes) = self.batch.segments.get(begin..begin + SEGMENT_LEN) {
            segment.copy_from_slice(bytes);
        }
        let Some(&(number, _)) = self.batch.numbers.get(self.at) else { return Ok(None) };
        self.foresight.is_soon(self.places_of(self.at + 1));
        self.foresight.is_next(self.places_of(self.at));
        self.at += 1;
        Ok(Some(number))
    }

    /// What the records of a segment of the batch change.
    fn places_of(&self, at: usize) -> &[LoggedPlace] {
        let Some(&(_, end)) = self.batch.numbers.get(at) else { return &[] };
        let begin = match at.checked_sub(1).and_then(|before| self.batch.numbers.get(before)) {
            Some(&(_, end)) => end,
            None => 0,
        };
        self.batch.places.get(begin..end).unwrap_or_default()
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
                    let known = batch.places.len();
                    places_of(&segment, &mut batch.places);
                    foresight.is_coming(batch.places.get(known..).unwrap_or_default());
                    batch.numbers.push((number, batch.places.len()));
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

/// What the records of a segment change. What is wrong with one is said when its turn comes.
fn places_of(segment: &SegmentBytes, places: &mut Vec<LoggedPlace>) {
    let mut rest = segment.get(SEGMENT_HEADER_LEN..).unwrap_or_default();
    while let Some(&number) = rest.first() {
        let len = match number {
            framing::NOP => return,
            framing::NOP2 => 5 + field(rest.get(1..5)),
            framing::FRAGMENT_BEGIN => 7 + field(rest.get(5..7)),
            framing::FRAGMENT => 3 + field(rest.get(1..3)),
            _ => match Record::decode_prefix(rest) {
                Ok((record, len)) => {
                    let iline = record.node_head().map(|node| node.page.iline);
                    let pages = record.pages();
                    places.extend(pages.map(|(dbid, pgno, ..)| LoggedPlace { dbid, pgno, iline }));
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
    use ese_base::{DbTime, LgPos, ObjId, ProcId, RceId, TrxId};
    use ese_os::Threads;
    use parking_lot::Mutex;

    use super::*;
    use crate::{
        LogStream, StreamEnd,
        records::{Delete, NewPage, NodeHead, PageHead, RecordFlags},
        testing::*,
    };

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
        coming: Mutex<Vec<LoggedPlace>>,
        soon: Mutex<Vec<LoggedPlace>>,
        next: Mutex<Vec<LoggedPlace>>,
    }

    impl Foresight for Told {
        fn is_coming(&self, places: &[LoggedPlace]) {
            self.coming.lock().extend(places);
        }

        fn is_soon(&self, places: &[LoggedPlace]) {
            self.soon.lock().extend(places);
            assert!(self.coming.lock().starts_with(&self.soon.lock()));
        }

        fn is_next(&self, places: &[LoggedPlace]) {
            self.next.lock().extend(places);
            assert!(self.soon.lock().starts_with(&self.next.lock()));
        }
    }

    /// The node that is changed.
    const LINE: Iline = Iline(7);

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

    /// Three generations, with records of every length, 60 that create a page and 60 that change a
    /// node.
    fn write(env: &Env) {
        let log = crate::Log::create(env, &config(), signature()).unwrap();
        for number in 0..60 {
            append(&log, number, 20 + 97 * usize::try_from(number).unwrap()).unwrap();
            let (dbid, procid, objid) = (Dbid(1), ProcId(1), ObjId(2));
            let (pgno, dbtime) = (Pgno(u32::try_from(number).unwrap() + 1), DbTime(number + 1));
            let new = NewPage { procid, dbid, pgno, objid, dbtime };
            log.append(&Record::NewPage(new)).unwrap();
            let (dbtime_before, flags) = (DbTime::NOT_CHECKED, RecordFlags::empty());
            let (trx_begin0, level, iline) = (TrxId(1), 1, LINE);
            let page = PageHead {
                procid,
                dbid,
                pgno,
                dbtime,
                dbtime_before,
                trx_begin0,
                level,
                iline,
                flags,
            };
            let node = NodeHead { page, rceid: RceId(0), pgno_fdp: Pgno(1), objid_fdp: objid };
            log.append(&Record::Delete(Delete { node })).unwrap();
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
            let next = told.next.lock();
            assert!(next.is_sorted_by_key(|place| place.pgno), "{next:?}");
            for line in [None, Some(LINE)] {
                let count = next.iter().filter(|place| place.iline == line).count();
                assert!(damage > 0 || count > 50, "{next:?}");
            }
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
