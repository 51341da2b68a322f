//! The log buffer: records become segments here.
//!
//! A queue of segments, each tagged with its place. Only the last one can be open; everything
//! before it is complete. Records are laid out by the rules of backup-log-recovery 1A.3:
//!
//! * a record that fits into the rest of the segment goes there;
//! * otherwise, if 32 bytes or more are left, it is cut: a first piece (type 76) up to the
//!   segment's end, then pieces (type 77) at the start of the following segments;
//! * with fewer bytes left they stay zero (padding) and the record starts the next segment;
//! * no record crosses generations: if the rest of this one is too short, the record starts the
//!   next one.
//!
//! Two rules are ours: into a segment that has been *written* no record is cut. Its rest stays
//! zero. So what an acknowledged segment holds never depends on segments that are not yet durable.
//! And a commit begins a segment if the open one is older than [`SPAN_MAX_MS`]: of time a log knows
//! only when segments were begun, and a restore is to end at a moment.

use std::collections::VecDeque;

use ese_base::{Error, Generation, JetErr, LgPos, LogTime, Result};

use crate::{
    layout::{SEGMENT_HEADER_LEN, SEGMENT_LEN, SegmentBytes, put_position, zeroed_segment},
    records::{Parts, Sink, framing},
};

/// Bytes of records in one segment.
const BODY_LEN: usize = SEGMENT_LEN - SEGMENT_HEADER_LEN;
/// Head of a first piece: type, total length (32 bits), length of the piece (16 bits).
const FIRST_PIECE_HEAD: usize = 7;
/// Head of a further piece: type, length of the piece.
const PIECE_HEAD: usize = 3;
/// Less room than this is padded, not filled with a piece.
const CUT_ROOM_MIN: usize = 32;
/// So many segments are handed to the file in the background, however large the buffer is.
const WRITE_SEGMENTS: usize = 128;
/// No commit stands in a segment that was begun so long before.
const SPAN_MAX_MS: u64 = 500;

/// Where an appended record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its position. `ib` is 0 if it is the first in its segment.
    pub start: LgPos,
    /// The first byte behind it. The record is durable once the log is durable up to here.
    pub end: LgPos,
}

#[derive(Debug)]
struct Segment {
    generation: Generation,
    isec: u16,
    bytes: Box<SegmentBytes>,
    begun: LogTime,
    /// First free byte.
    end: usize,
    /// What `end` was when the segment was last given to the writer; 0 if it never was.
    given: usize,
    /// May records still be added?
    open: bool,
}

/// A segment on its way to the file.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) generation: Generation,
    pub(crate) isec: u16,
    pub(crate) bytes: Box<SegmentBytes>,
    pub(crate) end: usize,
    /// Was an earlier version of it written before?
    pub(crate) rewritten: bool,
}

/// Everything that was appended up to some moment.
#[derive(Debug)]
pub(crate) struct Batch {
    /// In the order of their places.
    pub(crate) segments: Vec<Taken>,
    /// The last segment stays open: more will be added to it.
    pub(crate) last_open: bool,
    /// Behind the last record of the batch.
    pub(crate) tip: LgPos,
    /// The generation that the log is in behind the batch.
    pub(crate) generation: Generation,
}

/// The open segment as it stands when a batch is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TailView {
    pub(crate) isec: u16,
    /// Has an earlier version of it been written?
    pub(crate) rewritten: bool,
    /// Bytes left in it.
    pub(crate) room: usize,
    /// Bytes appended (to all segments) since the batch before.
    pub(crate) grown: usize,
}

/// The queue.
#[derive(Debug)]
pub(crate) struct Buffer {
    queue: VecDeque<Segment>,
    /// Where the next segment will lie; beyond `last_data` when the generation is full.
    next_generation: Generation,
    next_isec: u16,
    /// Last segment of a generation that holds data.
    last_data: u16,
    /// No record goes behind this generation.
    last_generation: Generation,
    segments_max: usize,
    pool: Vec<Box<SegmentBytes>>,
    tip: LgPos,
    grown: usize,
    /// No record is taken any more.
    closed: bool,
}

/// How a record is laid down.
enum Layout {
    /// Into the open segment.
    Inside,
    /// The open segment takes a first piece.
    Cut,
    /// From the next segment on.
    Next,
    /// From the start of the next generation on.
    NextGeneration,
}

impl Buffer {
    /// An empty buffer whose first segment will lie at `next`.
    pub(crate) fn new(next: LgPos, last_data: u16, segments_max: usize) -> Buffer {
        Buffer {
            queue: VecDeque::with_capacity(segments_max + 1),
            next_generation: next.generation,
            next_isec: next.isec,
            last_data,
            last_generation: Generation::LAST_OF_ALL,
            segments_max,
            pool: Vec::new(),
            tip: next,
            grown: 0,
            closed: false,
        }
    }

    /// Recovery has ended: the last generations are kept for the next one.
    pub(crate) fn leave_reserve(&mut self) {
        self.last_generation = Generation::LAST_OF_RUN;
    }

    /// Is it too late to begin something?
    pub(crate) fn is_at_sequence_end(&self) -> bool {
        self.next_generation >= Generation::LAST
    }

    /// Takes no record any more. The value is behind the last one.
    pub(crate) fn close(&mut self) -> LgPos {
        self.closed = true;
        self.tip
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    fn check_open(&self) -> Result<()> {
        if self.closed {
            let what = "the log was ended: nothing can change any more";
            return Err(Error::new(JetErr::LogWriteFail, what).advise("terminate the instance"));
        }
        Ok(())
    }

    /// Behind the last record.
    pub(crate) fn tip(&self) -> LgPos {
        self.tip
    }

    /// The generation that the next record probably goes to.
    pub(crate) fn generation(&self) -> Generation {
        self.next_generation
    }

    /// Is it worth a write already? What is written early leaves room for those who append while
    /// a round has to wait for the disk.
    pub(crate) fn is_worth_writing(&self) -> bool {
        self.queue.len() >= (self.segments_max / 2).min(WRITE_SEGMENTS)
    }

    /// Adds a record; `is_commit`: of an outermost transaction. `Ok(None)`: there is no room until
    /// a batch has been taken.
    ///
    /// # Errors
    /// `JET_errLogBufferTooSmall` (-517): the record is too long for the buffer or a generation.
    /// `JET_errLogSequenceEnd` (-519): the last generation is full. `JET_errLogWriteFail` (-510):
    /// closed. Nothing has been added.
    pub(crate) fn append(
        &mut self,
        parts: &Parts<'_>,
        is_commit: bool,
        now: impl Fn() -> LogTime,
    ) -> Result<Option<Appended>> {
        self.check_open()?;
        let len = parts.encoded_len();
        if !is_commit && let Some(appended) = self.append_inside(parts, len) {
            return Ok(Some(appended));
        }
        let (layout, new_segments) = self.lay_out(len, is_commit && self.is_old(&now))?;
        if self.queue.len() + new_segments > self.segments_max {
            if new_segments >= self.segments_max {
                return Err(too_long(len));
            }
            return Ok(None);
        }
        let start = match layout {
            Layout::Inside | Layout::Cut => self.queue.back().map(Segment::position),
            Layout::Next => {
                self.open_segment(&now);
                self.queue.back().map(Segment::position)
            }
            Layout::NextGeneration => {
                self.next_generation.0 += 1;
                self.next_isec = 1;
                self.open_segment(&now);
                self.queue.back().map(Segment::position)
            }
        };
        let mut pieces = Pieces { left: len, piece_left: 0, now: &now, buffer: self };
        pieces.begin(len);
        parts.write(&mut pieces);
        self.grown += len;
        let end = self.queue.back().map(Segment::end_position);
        let (Some(start), Some(end)) = (start, end) else {
            return Err(Error::new(JetErr::InternalError, "the log buffer has no open segment"));
        };
        self.tip = end;
        Ok(Some(Appended { start, end }))
    }

    /// The common case: adds a record to the open segment, if it fits there uncut.
    #[inline]
    fn append_inside(&mut self, parts: &Parts<'_>, len: usize) -> Option<Appended> {
        let tail = self.queue.back_mut().filter(|tail| tail.open)?;
        if len > SEGMENT_LEN - tail.end {
            return None;
        }
        let start = tail.position();
        parts.write(tail);
        let end = tail.end_position();
        self.grown += len;
        self.tip = end;
        Some(Appended { start, end })
    }

    /// Was the open segment begun some time ago? Also if the clock was set back.
    fn is_old(&self, now: impl Fn() -> LogTime) -> bool {
        let tail = self.queue.back().filter(|tail| tail.open);
        tail.is_some_and(|tail| now().unix_ms().abs_diff(tail.begun.unix_ms()) >= SPAN_MAX_MS)
    }

    /// How a record of `len` bytes is laid down, and how many new segments that takes. `fresh`: it
    /// begins a segment.
    fn lay_out(&self, len: usize, fresh: bool) -> Result<(Layout, usize)> {
        let last = usize::from(self.last_data);
        if let Some(tail) = self.queue.back().filter(|tail| tail.open && !fresh) {
            let room = SEGMENT_LEN - tail.end;
            if len <= room {
                return Ok((Layout::Inside, 0));
            }
            if tail.given == 0 && room >= CUT_ROOM_MIN {
                let rest = len - (room - FIRST_PIECE_HEAD);
                let more = rest.div_ceil(BODY_LEN - PIECE_HEAD);
                if usize::from(tail.isec) + more <= last {
                    return Ok((Layout::Cut, more));
                }
            }
        }
        let needed = segments_for(len);
        if usize::from(self.next_isec) + needed - 1 <= last {
            return Ok((Layout::Next, needed));
        }
        if needed > last {
            return Err(too_long(len));
        }
        if self.next_generation >= self.last_generation {
            return Err(sequence_end(self.next_generation));
        }
        Ok((Layout::NextGeneration, needed))
    }

    /// Closes the open segment and opens the next.
    fn open_segment(&mut self, now: &impl Fn() -> LogTime) {
        self.close_segment();
        let mut bytes = self.pool.pop().unwrap_or_else(zeroed_segment);
        let pos = LgPos { generation: self.next_generation, isec: self.next_isec, ib: 0 };
        let begun = now();
        put_position(&mut bytes, pos, begun);
        self.queue.push_back(Segment {
            generation: self.next_generation,
            isec: self.next_isec,
            bytes,
            begun,
            end: SEGMENT_HEADER_LEN,
            given: 0,
            open: true,
        });
        self.next_isec += 1;
    }

    /// Nothing more goes into the open segment.
    fn close_segment(&mut self) {
        if let Some(tail) = self.queue.back_mut() {
            tail.open = false;
            // All of it has been written: there is nothing left to do for it.
            if tail.given == tail.end
                && let Some(mut done) = self.queue.pop_back()
            {
                done.bytes.fill(0);
                self.reuse(done.bytes);
            }
        }
    }

    /// The next record starts a new generation.
    ///
    /// # Errors
    /// `JET_errLogSequenceEnd` (-519): there is none; `JET_errLogWriteFail` (-510): closed.
    pub(crate) fn start_generation(&mut self) -> Result<Generation> {
        self.check_open()?;
        if self.next_generation >= self.last_generation {
            return Err(sequence_end(self.next_generation));
        }
        self.close_segment();
        self.next_generation.0 += 1;
        self.next_isec = 1;
        self.tip = LgPos { generation: self.next_generation, isec: 1, ib: 0 };
        Ok(self.next_generation)
    }

    /// Takes everything that was appended since the last batch. `keep_open` decides whether more
    /// may be added to the last segment afterwards; a copy of it is taken then.
    pub(crate) fn take(&mut self, keep_open: impl FnOnce(TailView) -> bool) -> Batch {
        let mut batch = Batch {
            segments: Vec::with_capacity(self.queue.len()),
            last_open: false,
            tip: self.tip,
            generation: self.next_generation,
        };
        let tail = match self.queue.back() {
            Some(tail) if tail.open => self.queue.pop_back(),
            _ => None,
        };
        batch.segments.extend(self.queue.drain(..).map(Segment::into_taken));
        if let Some(mut tail) = tail {
            if tail.end == tail.given {
                // Nothing new in it; it stays as it is.
                self.queue.push_back(tail);
                return batch;
            }
            let view = TailView {
                isec: tail.isec,
                rewritten: tail.given > 0,
                room: SEGMENT_LEN - tail.end,
                grown: self.grown,
            };
            if tail.end < SEGMENT_LEN && keep_open(view) {
                batch.last_open = true;
                let mut copy = self.pool.pop().unwrap_or_else(zeroed_segment);
                copy.copy_from_slice(tail.bytes.as_slice());
                batch.segments.push(Taken {
                    generation: tail.generation,
                    isec: tail.isec,
                    bytes: copy,
                    end: tail.end,
                    rewritten: tail.given > 0,
                });
                tail.given = tail.end;
                self.queue.push_back(tail);
            } else {
                batch.segments.push(tail.into_taken());
            }
        }
        self.grown = 0;
        batch
    }

    /// Gives a written segment's memory back, all zero again.
    pub(crate) fn reuse(&mut self, bytes: Box<SegmentBytes>) {
        if self.pool.len() < self.segments_max {
            self.pool.push(bytes);
        }
    }
}

impl Segment {
    /// Position of a record that starts at `end`.
    fn position(&self) -> LgPos {
        let ib = if self.end == SEGMENT_HEADER_LEN { 0 } else { self.end };
        LgPos { generation: self.generation, isec: self.isec, ib: u16::try_from(ib).unwrap_or(0) }
    }

    /// Position behind a record that ends at `end`; behind a full segment that is the start of
    /// the next place.
    fn end_position(&self) -> LgPos {
        match u16::try_from(self.end) {
            Ok(ib) if self.end < SEGMENT_LEN => {
                LgPos { generation: self.generation, isec: self.isec, ib }
            }
            _ => LgPos { generation: self.generation, isec: self.isec + 1, ib: 0 },
        }
    }

    fn into_taken(self) -> Taken {
        Taken {
            generation: self.generation,
            isec: self.isec,
            bytes: self.bytes,
            end: self.end,
            rewritten: self.given > 0,
        }
    }

    /// Adds bytes; the caller has checked the room.
    #[inline]
    fn push(&mut self, bytes: &[u8]) {
        if let Some(to) = self.bytes.get_mut(self.end..self.end + bytes.len()) {
            to.copy_from_slice(bytes);
            self.end += bytes.len();
        }
    }
}

impl Sink for Segment {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.push(bytes);
    }
}

/// Segments that a record of `len` bytes takes if it starts one.
fn segments_for(len: usize) -> usize {
    if len <= BODY_LEN {
        1
    } else {
        1 + (len - (BODY_LEN - FIRST_PIECE_HEAD)).div_ceil(BODY_LEN - PIECE_HEAD)
    }
}

/// No generation number is left for what was asked for.
pub(crate) fn sequence_end(generation: Generation) -> Error {
    Error::new(JetErr::LogSequenceEnd, format!("generation {:#x} is the last one", generation.0))
        .advise("end the instance, remove all logs and the checkpoint, and start a new log stream")
}

fn too_long(len: usize) -> Error {
    Error::new(
        JetErr::LogBufferTooSmall,
        format!("a log record of {len} bytes does not fit the log buffer or a log file"),
    )
    .advise("use larger log files or a larger log buffer")
}

/// Writes one record into the open segment and, piece by piece, into following ones.
struct Pieces<'b, F> {
    buffer: &'b mut Buffer,
    now: &'b F,
    /// Bytes of the record that are still to come.
    left: usize,
    /// Bytes that may still go into the current segment.
    piece_left: usize,
}

impl<F: Fn() -> LogTime> Pieces<'_, F> {
    /// Starts a record of `len` bytes: uncut if it fits, else with the head of a first piece.
    fn begin(&mut self, len: usize) {
        let Some(tail) = self.buffer.queue.back_mut() else { return };
        let room = SEGMENT_LEN - tail.end;
        if len <= room {
            self.piece_left = len;
            return;
        }
        self.piece_left = room.saturating_sub(FIRST_PIECE_HEAD);
        let [t0, t1, t2, t3] = u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes();
        let [n0, n1] = u16::try_from(self.piece_left).unwrap_or(0).to_le_bytes();
        tail.push(&[framing::FRAGMENT_BEGIN, t0, t1, t2, t3, n0, n1]);
    }

    fn next_piece(&mut self) {
        self.buffer.open_segment(self.now);
        let Some(tail) = self.buffer.queue.back_mut() else { return };
        self.piece_left = self.left.min(BODY_LEN - PIECE_HEAD);
        let [n0, n1] = u16::try_from(self.piece_left).unwrap_or(0).to_le_bytes();
        tail.push(&[framing::FRAGMENT, n0, n1]);
    }
}

impl<F: Fn() -> LogTime> Sink for Pieces<'_, F> {
    fn put(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.piece_left == 0 {
                self.next_piece();
            }
            let (now, rest) = bytes.split_at(bytes.len().min(self.piece_left));
            let Some(tail) = self.buffer.queue.back_mut() else { return };
            tail.push(now);
            self.piece_left -= now.len();
            self.left -= now.len();
            bytes = rest;
        }
    }
}

#[cfg(test)]
mod tests;
