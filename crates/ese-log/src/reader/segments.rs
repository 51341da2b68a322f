//! The segments of one log file in order, and where its data ends.
//!
//! In the last file of a stream the data may end anywhere, with remains of unfinished writes
//! behind it. In a file that has a successor all data was durable before the successor was begun,
//! so everything that does not look whole is damage.

use std::sync::Arc;

use ese_base::{Error, Generation, JetErr, LgPos, Result, plant};
use ese_os::File;

use crate::layout::{
    Found, LogHeader, SEGMENT_LEN, SegmentBytes, Stamp, classify, stored_checksum, used_len,
};

/// Segments read at once.
const WINDOW: u16 = 64;

/// What a place that is not in the window would hold; there is none.
const NOTHING: SegmentBytes = [0; SEGMENT_LEN];

/// What is known about a file's place in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// No generation follows.
    Last,
    /// A generation follows; its header says what the checksums of this one XOR to, unless its
    /// format has no such field.
    Followed { checksum: Option<u64> },
}

/// Reads one file segment by segment.
#[derive(Debug)]
pub(crate) struct Segments {
    file: Arc<dyn File>,
    generation: Generation,
    /// Number of places, header included.
    sectors: u16,
    role: Role,
    /// The place that is looked at next.
    next: u16,
    window: Vec<u8>,
    /// First place in the window.
    window_first: u16,
    /// What the place looked at last holds: each is looked at as the shadow of the one before, and
    /// then as itself.
    seen: Option<(u16, Found)>,
    /// XOR of the checksums of the segments given out.
    sum: u64,
    /// The last segment given out came from its shadow.
    from_shadow: bool,
    /// And that because it was not whole in its own place.
    torn: bool,
}

/// How the data of a file ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileEnd {
    /// The last segment; 0 if there is none.
    pub(crate) last: u16,
    /// The last segment must be written to its own place: only its shadow is whole, or longer.
    pub(crate) repair: bool,
    /// The last segment is whole in its shadow alone.
    pub(crate) torn: bool,
    /// XOR of the checksums of all segments.
    pub(crate) sum: u64,
    /// Places behind the data with remains of unfinished writes.
    pub(crate) remains: Vec<u16>,
}

impl Segments {
    pub(crate) fn new(file: Arc<dyn File>, header: &LogHeader, role: Role) -> Segments {
        Segments::over(file, header.generation, header.sectors, role)
    }

    /// A file of a generation with so many places.
    pub(crate) fn over(
        file: Arc<dyn File>,
        generation: Generation,
        sectors: u16,
        role: Role,
    ) -> Segments {
        Segments {
            file,
            generation,
            sectors,
            role,
            next: 1,
            window: Vec::new(),
            window_first: 0,
            seen: None,
            sum: 0,
            from_shadow: false,
            torn: false,
        }
    }

    /// XOR of the checksums of the segments given out so far.
    pub(crate) fn sum(&self) -> u64 {
        self.sum
    }

    /// Copies the next segment; the value is its number. `None`: the data ends here, see
    /// [`Segments::end`]; `segment` is as it was.
    pub(crate) fn next(&mut self, segment: &mut SegmentBytes) -> Result<Option<u16>> {
        let isec = self.next;
        // The last place can hold nothing but a shadow.
        if isec + 1 >= self.sectors {
            return Ok(None);
        }
        self.hold(isec, 2)?;
        let own_is_whole = matches!(self.look(isec)?, Found::Own(_));
        let next_is_shadow = matches!(self.look(isec + 1)?, Found::Shadow(_));
        let from_shadow = next_is_shadow && {
            // Of two whole versions the longer is newer: both only ever grow.
            let longer = used_len(self.held(isec + 1)) > used_len(self.held(isec));
            !own_is_whole || longer && !plant!("log-prefer-own-version")
        };
        if !own_is_whole && !from_shadow {
            return Ok(None);
        }
        segment.copy_from_slice(self.held(isec + u16::from(from_shadow)));
        self.from_shadow = from_shadow;
        self.torn = !own_is_whole;
        self.sum ^= stored_checksum(segment);
        self.next += 1;
        Ok(Some(isec))
    }

    /// Looks at everything behind the data, after [`Segments::next`] has answered `None`.
    ///
    /// # Errors
    /// `JET_errLogFileCorrupt` (-501): there is something that the end of the data does not
    /// explain. `JET_errLogSequenceChecksumMismatch` (-590): all segments are whole, but they are
    /// not those that the next generation was begun after.
    pub(crate) fn end(&mut self) -> Result<FileEnd> {
        let mut end = FileEnd {
            last: self.next - 1,
            repair: self.from_shadow,
            torn: self.torn,
            sum: self.sum,
            remains: Vec::new(),
        };
        let mut first_bad = None;
        for isec in self.next..self.sectors {
            match self.look(isec)? {
                Found::Zero | Found::Old => {}
                // A copy of the last segment.
                Found::Shadow(_) if isec == self.next => {}
                Found::Own(stamp) | Found::Shadow(stamp) => {
                    self.check_later(isec, stamp)?;
                    end.remains.push(isec);
                }
                Found::Future(pos) => {
                    return Err(self.corrupt(format!(
                        "place {isec:#x} holds a segment of position {pos}, which this file \
                         cannot have reached"
                    )));
                }
                Found::Bad => {
                    first_bad.get_or_insert(isec);
                    end.remains.push(isec);
                }
            }
        }
        match self.role {
            Role::Last => {}
            Role::Followed { checksum } => self.check_followed(checksum, &end, first_bad)?,
        }
        Ok(end)
    }

    /// A whole segment lies behind the end of the data. A power cut can leave that only if the
    /// two belong to one unfinished write; that its stamp can tell.
    fn check_later(&self, isec: u16, stamp: Option<Stamp>) -> Result<()> {
        let missing = self.next;
        match stamp {
            Some(stamp) if stamp.settled <= missing => Ok(()),
            _ if plant!("log-ignore-later-data") => Ok(()),
            _ => Err(self.corrupt(format!(
                "the segment at {} is damaged: a later one at {isec:#x} was written after it \
                 was durable",
                LgPos { generation: self.generation, isec: missing, ib: 0 }
            ))),
        }
    }

    /// The next generation was begun when this one was complete and durable.
    fn check_followed(
        &self,
        checksum: Option<u64>,
        end: &FileEnd,
        first_bad: Option<u16>,
    ) -> Result<()> {
        let complete = self.next + 1 >= self.sectors;
        // Zero is the checksum of an empty generation, and what some engines store when they do
        // not know it.
        match checksum.filter(|&expected| expected != 0 || end.sum == 0) {
            Some(expected) if expected == end.sum => Ok(()),
            // A format without that checksum. A generation that was ended early is short.
            None if complete || first_bad.is_none() => Ok(()),
            Some(expected) if complete => Err(Error::new(
                JetErr::LogSequenceChecksumMismatch,
                format!(
                    "the segments' checksums XOR to {:016x}, the next generation says {expected:016x}",
                    end.sum
                ),
            )
            .at_path(self.file.path())
            .at_generation(self.generation)),
            _ => Err(self.corrupt(format!(
                "the data of a finished generation ends at {}, where {}",
                LgPos { generation: self.generation, isec: self.next, ib: 0 },
                if first_bad == Some(self.next) { "a damaged segment lies" } else { "more must be" },
            ))),
        }
    }

    #[track_caller]
    fn corrupt(&self, what: String) -> Error {
        Error::new(JetErr::LogFileCorrupt, what)
            .at_path(self.file.path())
            .at_generation(self.generation)
            .advise(
                "the log cannot have come to this by a crash; restore it from a copy, or recover \
                 the databases from a backup",
            )
    }

    /// Tells what a place holds.
    fn look(&mut self, isec: u16) -> Result<Found> {
        if let Some((seen, found)) = self.seen
            && seen == isec
        {
            return Ok(found);
        }
        self.hold(isec, 1)?;
        let found = classify(self.held(isec), LgPos { generation: self.generation, isec, ib: 0 });
        self.seen = Some((isec, found));
        Ok(found)
    }

    /// Sees to it that places are in the window.
    fn hold(&mut self, first: u16, count: u16) -> Result<()> {
        let held = u16::try_from(self.window.len() / SEGMENT_LEN).unwrap_or(u16::MAX);
        let inside = first >= self.window_first && first - self.window_first + count <= held;
        if inside { Ok(()) } else { self.fill_window(first) }
    }

    /// A place in the window.
    fn held(&self, isec: u16) -> &SegmentBytes {
        let index = usize::from(isec.wrapping_sub(self.window_first)) * SEGMENT_LEN;
        let found = self.window.get(index..).and_then(<[u8]>::first_chunk);
        found.unwrap_or(&NOTHING)
    }

    fn fill_window(&mut self, first: u16) -> Result<()> {
        let count = WINDOW.min(self.sectors - first);
        self.window.resize(usize::from(count) * SEGMENT_LEN, 0);
        self.window_first = first;
        // Somebody may be writing: what was said of older bytes says nothing of these.
        self.seen = None;
        let offset = crate::writer::offset_of(first);
        let read = self.file.read_at(&mut self.window, offset);
        read.map_err(|e| {
            // The window is not what it says.
            self.window.clear();
            e.at_path(self.file.path()).at_generation(self.generation)
        })
    }
}
