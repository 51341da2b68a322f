//! Records out of segments and ranges: padding skipped, pieces put together, generations chained.

use std::{collections::VecDeque, fmt, path::Path, sync::Arc};

use ese_base::{Error, Generation, JetErr, LgPos, LogTime, Result};
use ese_os::{Env, OpenMode};

use super::{
    ahead::{Foresight, SegmentSource},
    end::StreamEnd,
    ranges::Ranges,
    segments::{FileEnd, Role},
    stream::{LogFile, LogStream},
};
use crate::{
    layout::{Framing, LogHeader, SEGMENT_HEADER_LEN, SEGMENT_LEN, SegmentBytes, segment_time},
    records::{Record, framing},
};

/// A record at its place.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its position; `ib` is 0 if it is first in its segment.
    pub pos: LgPos,
    /// The first byte behind it, as [`crate::Appended::end`].
    pub end: LgPos,
    /// When the segment was begun in which the record ends; null in 7.3704, which has none.
    pub time: LogTime,
    /// The record.
    pub record: Record<'a>,
    /// Its bytes, as the log holds them: pieces put together.
    pub bytes: &'a [u8],
}

/// Reads the records of a stream in order. Holds one window of one file and one record at a time.
pub struct StreamReader<'s> {
    env: Env,
    stream: Option<&'s LogStream>,
    files: VecDeque<&'s LogFile>,
    from: LgPos,
    open: Option<OpenFile<'s>>,
    /// The file before the open one: its header and how it ended.
    finished: Option<(&'s LogHeader, FileEnd)>,
    cursor: Cursor,
    /// Position and type of the last record that was read.
    last: Option<(LgPos, u8)>,
    /// Behind the last record.
    end: LgPos,
    /// A record without an end in a file of ranges.
    unfinished: Option<LgPos>,
    /// A thread reads ahead, and tells this.
    foresight: Option<Arc<dyn Foresight>>,
    /// See [`StreamReader::refuse_torn`].
    torn_refused: bool,
}

impl fmt::Debug for StreamReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamReader")
            .field("from", &self.from)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct OpenFile<'s> {
    source: Source,
    header: &'s LogHeader,
    path: &'s Path,
}

/// Names the file that is read, if it is the one that an error is about. Whoever reads the log for
/// a database would be blamed otherwise.
fn of_file(open: Option<&OpenFile<'_>>, error: Error) -> Error {
    let own = |open: &&OpenFile<'_>| error.generation() == Some(open.header.generation);
    match open.filter(own).map(|open| open.path) {
        Some(path) => error.at_path(path),
        None => error,
    }
}

/// The last write of a finished generation is torn.
fn torn(pos: LgPos) -> Error {
    let what = format!("the segment at {pos} is torn: only its second copy is whole");
    Error::new(JetErr::LogTornWriteDuringHardRecovery, what)
        .at_generation(pos.generation)
        .advise("bring an intact copy of this log, or restore without it and those behind it")
}

/// Where the records of a file come from.
#[derive(Debug)]
enum Source {
    Segments(SegmentSource),
    Ranges(Box<Ranges>),
}

/// Where reading stands.
#[derive(Debug)]
struct Cursor {
    generation: Generation,
    isec: u16,
    segment: Box<SegmentBytes>,
    /// Next byte in the segment.
    at: usize,
    /// A record that is being put together.
    pending: Option<Pending>,
    /// Its bytes so far; after it is complete, the bytes of the record given out.
    pieces: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    start: LgPos,
    total: usize,
}

/// The next record, found but not yet decoded.
struct Located {
    pos: LgPos,
    at: Where,
}

/// Where the bytes of a record are.
#[derive(Clone, Copy)]
enum Where {
    /// In the segment, where the cursor stands: how far it reaches, its content says.
    Segment,
    /// Put together out of pieces.
    Pieces,
    /// In the open file.
    Range(usize, usize),
}

impl<'s> StreamReader<'s> {
    pub(super) fn new(
        stream: &'s LogStream,
        files: Vec<&'s LogFile>,
        from: LgPos,
    ) -> Result<StreamReader<'s>> {
        Ok(StreamReader::over(stream.env.clone(), Some(stream), files, from))
    }

    /// Reads one file by itself, as if no other followed.
    #[must_use]
    pub fn of_file(env: &Env, file: &'s LogFile) -> StreamReader<'s> {
        StreamReader::of_files(env, vec![file])
    }

    /// Reads files of which each follows on the one before, from the first on.
    #[must_use]
    pub fn of_files(env: &Env, files: Vec<&'s LogFile>) -> StreamReader<'s> {
        StreamReader::over(env.clone(), None, files, LgPos::MIN)
    }

    pub(super) fn over(
        env: Env,
        stream: Option<&'s LogStream>,
        files: Vec<&'s LogFile>,
        from: LgPos,
    ) -> StreamReader<'s> {
        StreamReader {
            env,
            stream,
            files: files.into(),
            from,
            open: None,
            finished: None,
            cursor: Cursor {
                generation: Generation(0),
                isec: 0,
                segment: Box::new([0; SEGMENT_LEN]),
                at: SEGMENT_LEN,
                pending: None,
                pieces: Vec::new(),
            },
            last: None,
            end: from,
            unfinished: None,
            foresight: None,
            torn_refused: false,
        }
    }

    /// From the next file on, another thread reads and verifies ahead, where several can work at
    /// the same time, and tells of records that come. The files must not be written meanwhile.
    pub fn read_ahead(&mut self, foresight: Arc<dyn Foresight>) {
        self.foresight = Some(foresight);
    }

    /// A finished generation whose last write is torn is refused, though its second copy is whole:
    /// what a restore replays behind its set is to be put right before (backup-log-recovery 3.5).
    /// The current log may be torn, as after any crash.
    pub fn refuse_torn(&mut self) {
        self.torn_refused = true;
    }

    /// The next record; `None` at the end of the log.
    ///
    /// A torn tail just ends the log. A record whose last pieces are missing there is dropped.
    ///
    /// # Errors
    /// `JET_errLogFileCorrupt` (-501): damage, or a record that cannot be. Chain errors:
    /// `JET_errBadLogSignature` (-530), `JET_errInvalidLogSequence` (-515),
    /// `JET_errLogSequenceChecksumMismatch` (-590). Header errors: see [`LogHeader::decode`];
    /// `JET_errLogFileSizeMismatch` (-541). `JET_errBadLogVersion` (-514) for formats that cannot
    /// be read. `JET_errLogTornWriteDuringHardRecovery` (-571) where torn logs are refused.
    // Not an Iterator: the record borrows from the reader.
    #[allow(clippy::should_implement_trait, reason = "a lending iterator")]
    pub fn next(&mut self) -> Result<Option<Entry<'_>>> {
        self.next_such(|_| true)
    }

    /// As [`StreamReader::next`], of the records with a wanted type number. What is in the others
    /// is not looked at.
    ///
    /// # Errors
    /// As [`StreamReader::next`].
    pub fn next_such(&mut self, wanted: impl Fn(u8) -> bool) -> Result<Option<Entry<'_>>> {
        loop {
            let Some(located) = self.locate()? else { return Ok(None) };
            let is_before = located.pos < self.from && self.from.isec != 0;
            if is_before || self.last.is_none_or(|(_, number)| !wanted(number)) {
                self.pass(&located)?;
                continue;
            }
            let (bytes, time) = match located.at {
                Where::Segment => {
                    let time = segment_time(&self.cursor.segment);
                    let rest = self.cursor.segment.get(self.cursor.at..).unwrap_or_default();
                    let decoded = Record::decode_prefix(rest);
                    let open = self.open.as_ref();
                    let (record, len) =
                        decoded.map_err(|e| of_file(open, at_pos(e, located.pos)))?;
                    self.cursor.at += len;
                    self.end = self.cursor.position_behind();
                    let bytes = rest.get(..len).unwrap_or_default();
                    return Ok(Some(Entry {
                        pos: located.pos,
                        end: self.end,
                        time,
                        record,
                        bytes,
                    }));
                }
                Where::Pieces => {
                    (self.cursor.pieces.as_slice(), segment_time(&self.cursor.segment))
                }
                Where::Range(at, len) => match &self.open {
                    Some(OpenFile { source: Source::Ranges(ranges), .. }) => {
                        (ranges.bytes(at, len), LogTime::NULL)
                    }
                    _ => (&[][..], LogTime::NULL),
                },
            };
            let decoded = Record::decode(bytes).map_err(|e| at_pos(e, located.pos));
            let record = decoded.map_err(|e| of_file(self.open.as_ref(), e))?;
            return Ok(Some(Entry { pos: located.pos, end: self.end, time, record, bytes }));
        }
    }

    /// Steps behind a record that nobody wants to see.
    fn pass(&mut self, located: &Located) -> Result<()> {
        if let Where::Segment = located.at {
            let rest = self.cursor.segment.get(self.cursor.at..).unwrap_or_default();
            let len = Record::record_len(rest).map_err(|e| at_pos(e, located.pos));
            self.cursor.at += len.map_err(|e| of_file(self.open.as_ref(), e))?;
            self.end = self.cursor.position_behind();
        }
        Ok(())
    }

    /// Finds the next record. It has to be decoded, or passed, before the next one is asked for.
    fn locate(&mut self) -> Result<Option<Located>> {
        loop {
            if let Some(OpenFile { source: Source::Ranges(ranges), .. }) = &mut self.open {
                if let Some((at, len)) = ranges.next()? {
                    let pos = ranges.position(at);
                    self.end = ranges.here();
                    self.last = ranges.bytes(at, len).first().map(|number| (pos, *number));
                    return Ok(Some(Located { pos, at: Where::Range(at, len) }));
                }
            } else if let Some(located) =
                self.cursor.locate().map_err(|e| of_file(self.open.as_ref(), e))?
            {
                let number = match located.at {
                    Where::Segment => self.cursor.segment.get(self.cursor.at),
                    _ => {
                        self.end = self.cursor.position_behind();
                        self.cursor.pieces.first()
                    }
                };
                self.last = number.map(|number| (located.pos, *number));
                return Ok(Some(located));
            }
            if !self.next_part()? {
                return Ok(None);
            }
        }
    }

    /// Goes on to the next segment, or the next file. False at the end of the log.
    fn next_part(&mut self) -> Result<bool> {
        loop {
            let end = match self.open.as_mut().map(|open| (&mut open.source, open.header)) {
                None => None,
                Some((Source::Segments(segments), header)) => {
                    if let Some(isec) = segments.next(&mut self.cursor.segment)? {
                        self.cursor.generation = header.generation;
                        self.cursor.isec = isec;
                        self.cursor.at = SEGMENT_HEADER_LEN;
                        return Ok(true);
                    }
                    let end = segments.end()?;
                    let is_open = |stream: &LogStream| {
                        let last = stream.last.as_ref();
                        last.zip(self.open.as_ref())
                            .is_some_and(|(last, open)| last.path == open.path)
                    };
                    if self.torn_refused && end.torn && !self.stream.is_some_and(is_open) {
                        let pos = LgPos { generation: header.generation, isec: end.last, ib: 0 };
                        return Err(of_file(self.open.as_ref(), torn(pos)));
                    }
                    Some(end)
                }
                Some((Source::Ranges(ranges), _)) if !ranges.is_ended() => return Ok(true),
                Some((Source::Ranges(ranges), _)) => {
                    self.unfinished = ranges.unfinished();
                    Some(ranges.end())
                }
            };
            if let Some((open, end)) = self.open.take().zip(end) {
                self.finished = Some((open.header, end));
            }
            if !self.open_next()? {
                return Ok(false);
            }
        }
    }

    fn open_next(&mut self) -> Result<bool> {
        let Some(file) = self.files.pop_front() else { return Ok(false) };
        let header = file.checked_header()?;
        if let Some((previous, _)) = &self.finished {
            check_chain(previous, header).map_err(|e| e.at_path(&file.path))?;
        }
        // The header of the file behind tells whether this one is complete.
        let role = match self.files.front() {
            None => Role::Last,
            Some(next) => {
                let next = next.checked_header()?;
                // One that is no successor knows nothing of this one, and is refused in its turn.
                let follows = check_chain(header, next).is_ok();
                let known = follows && next.version.has_previous_checksum();
                Role::Followed { checksum: known.then_some(next.previous_checksum) }
            }
        };
        let handle = self.env.fs.open(&file.path, OpenMode::Read)?;
        let framing = header.framing()?;
        let source = match framing {
            Framing::Segments => {
                let foresight = self.foresight.as_ref();
                Source::Segments(SegmentSource::open(&self.env, &handle, header, role, foresight)?)
            }
            Framing::Ranges => {
                let followed = role != Role::Last;
                Source::Ranges(Box::new(Ranges::read(handle.as_ref(), header, followed)?))
            }
        };
        self.open = Some(OpenFile { source, header, path: &file.path });
        if self.finished.is_none() {
            self.end = LgPos { generation: header.generation, isec: header.header_sectors, ib: 0 };
        }
        Ok(true)
    }

    /// Where the log ended, for [`crate::Log::resume`]. Reads on if the end was not reached yet.
    ///
    /// # Errors
    /// As [`StreamReader::next`].
    pub fn end(mut self) -> Result<StreamEnd> {
        while let Some(located) = self.locate()? {
            self.pass(&located)?;
        }
        let (Some((header, file_end)), Some(stream)) = (self.finished, self.stream) else {
            return Err(Error::new(
                JetErr::InternalError,
                "the end of a stream is known only after reading a stream",
            ));
        };
        let unfinished = self
            .cursor
            .pending
            .map(|pending| pending.start)
            .filter(|start| start.generation == header.generation);
        let unfinished = unfinished.or(self.unfinished);
        let last_segment = if file_end.last > 0 { Some(self.cursor.segment) } else { None };
        Ok(StreamEnd::new(stream, header, file_end, last_segment, unfinished, self.last))
    }

    /// Behind the last record read so far.
    #[must_use]
    pub fn position(&self) -> LgPos {
        self.end
    }
}

impl Cursor {
    /// The next record in the segment; `None`: the segment has no more.
    fn locate(&mut self) -> Result<Option<Located>> {
        loop {
            let rest = self.segment.get(self.at..).unwrap_or_default();
            let (Some(&number), pos) = (rest.first(), self.position()) else { return Ok(None) };
            match number {
                framing::NOP => {
                    if rest.iter().any(|&b| b != 0) {
                        return Err(corrupt(pos, "data behind the padding of a segment"));
                    }
                    self.at = SEGMENT_LEN;
                }
                framing::NOP2 => {
                    let len = 5 + usize::try_from(u32_at(rest, 1)).unwrap_or(usize::MAX - 5);
                    if len > rest.len() {
                        return Err(corrupt(pos, "padding reaches beyond its segment"));
                    }
                    self.at += len;
                }
                framing::FRAGMENT_BEGIN => self.first_piece(pos)?,
                framing::FRAGMENT => {
                    if let Some(start) = self.piece(pos)? {
                        return Ok(Some(Located { pos: start, at: Where::Pieces }));
                    }
                }
                _ => {
                    self.drop_pending(pos, number)?;
                    return Ok(Some(Located { pos, at: Where::Segment }));
                }
            }
        }
    }

    fn first_piece(&mut self, pos: LgPos) -> Result<()> {
        self.drop_pending(pos, framing::FRAGMENT_BEGIN)?;
        let rest = self.segment.get(self.at..).unwrap_or_default();
        let total = usize::try_from(u32_at(rest, 1)).unwrap_or(usize::MAX);
        let len = usize::from(u16_at(rest, 5));
        let piece = rest.get(7..7 + len).ok_or_else(|| {
            corrupt(pos, "the first piece of a record reaches beyond its segment")
        })?;
        if len >= total {
            return Err(corrupt(pos, "the first piece of a record is longer than the record"));
        }
        self.pieces.clear();
        self.pieces.extend_from_slice(piece);
        self.pending = Some(Pending { start: pos, total });
        self.at += 7 + len;
        Ok(())
    }

    /// Takes a further piece; the value is the start of the record that it completes.
    fn piece(&mut self, pos: LgPos) -> Result<Option<LgPos>> {
        let Some(pending) = self.pending else {
            return Err(corrupt(pos, "a piece of a record that has no beginning"));
        };
        if self.at != SEGMENT_HEADER_LEN {
            return Err(corrupt(pos, "a piece of a record inside a segment"));
        }
        let rest = self.segment.get(self.at..).unwrap_or_default();
        let len = usize::from(u16_at(rest, 1));
        let piece = rest
            .get(3..3 + len)
            .ok_or_else(|| corrupt(pos, "a piece of a record reaches beyond its segment"))?;
        if self.pieces.len() + len > pending.total {
            return Err(corrupt(pos, "the pieces of a record are longer than the record"));
        }
        self.pieces.extend_from_slice(piece);
        self.at += 3 + len;
        if self.pieces.len() < pending.total {
            return Ok(None);
        }
        self.pending = None;
        let len = Record::record_len(&self.pieces).map_err(|e| at_pos(e, pending.start))?;
        if len != pending.total {
            return Err(corrupt(pending.start, "a record put together has another length"));
        }
        Ok(Some(pending.start))
    }

    /// A record of type `number` begins while another is unfinished. That is legal only where a
    /// recovery went on after a crash: at the start of a segment, with what recoveries log first.
    fn drop_pending(&mut self, pos: LgPos, number: u8) -> Result<()> {
        let Some(pending) = self.pending else { return Ok(()) };
        if pos.ib != 0 || !matches!(number, 17 | 51 | 36) {
            return Err(corrupt(pending.start, "a record ends before all its pieces are there"));
        }
        self.pending = None;
        Ok(())
    }

    /// Position of a record that starts here.
    fn position(&self) -> LgPos {
        let ib = if self.at == SEGMENT_HEADER_LEN { 0 } else { self.at };
        LgPos {
            generation: self.generation,
            isec: self.isec,
            ib: u16::try_from(ib).unwrap_or_default(),
        }
    }

    /// Position behind a record that ends here.
    fn position_behind(&self) -> LgPos {
        if self.at >= SEGMENT_LEN {
            LgPos { generation: self.generation, isec: self.isec + 1, ib: 0 }
        } else {
            LgPos {
                generation: self.generation,
                isec: self.isec,
                ib: u16::try_from(self.at).unwrap_or_default(),
            }
        }
    }
}

/// Does `next` follow `previous` in one stream (backup-log-recovery 1.4)?
pub(super) fn check_chain(previous: &LogHeader, next: &LogHeader) -> Result<()> {
    if next.signature != previous.signature {
        return Err(Error::new(
            JetErr::BadLogSignature,
            format!(
                "the log is of stream {}, the one before of {}",
                next.signature, previous.signature
            ),
        )
        .at_generation(next.generation));
    }
    if !next.follows(previous.id()) {
        return Err(Error::new(
            JetErr::InvalidLogSequence,
            format!(
                "generation {:#x} says that the one before was begun at {}; generation {:#x} was \
                 begun at {}",
                next.generation.0, next.previous_created, previous.generation.0, previous.created
            ),
        )
        .at_generation(next.generation));
    }
    Ok(())
}

#[track_caller]
fn corrupt(pos: LgPos, what: &'static str) -> Error {
    at_pos(Error::new(JetErr::LogFileCorrupt, what), pos)
}

fn at_pos(error: Error, pos: LgPos) -> Error {
    let generation = pos.generation;
    error.within(&format!("at {pos}")).at_generation(generation).advise(format!(
        "the log is damaged: bring another copy of generation {:#x}, or end the recovery before it",
        generation.0
    ))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |b| u16::from_le_bytes(*b))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |b| u32::from_le_bytes(*b))
}
