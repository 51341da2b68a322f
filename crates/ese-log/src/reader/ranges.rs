//! The records of a log of format 7.3704 (log-records 3): one stream of bytes that runs over sector
//! borders, guarded by checksum records that lie in the stream themselves.
//!
//! Each checksum record covers the bytes before it in its sector and some behind it, and says where
//! the next one is. The chain ends with a range that names no next one, or, in the newest file,
//! with a range that was never written completely. A file is held in memory as a whole: usually
//! these have 1 to 5 MB.
//!
//! A crash can leave a record without its end. The next run then begins with a checksum record in
//! the middle of a sector that covers nothing before it: reading goes on there.

use std::collections::VecDeque;

use ese_base::{Error, JetErr, LgPos, Result};
use ese_os::File;

use super::segments::FileEnd;
use crate::{
    layout::LogHeader,
    records::{Record, framing, is_record},
};

/// Bytes of a checksum record.
const CHECKSUM_LEN: usize = 22;
/// Seed of the checksum of a range.
const SEED: u32 = 0xfeed_beaf;
/// Seed of the checksum of its first sector alone.
const SHORT_SEED: u32 = 0xdead_c0de;
/// What tells the checksum of a range's second copy from that of the first.
const SHADOW: u32 = 0x5ad0_5ec7;
/// The range is longer than a sector, and its first one has a checksum of its own.
const SHORT_IN_USE: u8 = 0x9a;
/// The range ends in its sector.
const SHORT_UNUSED: u8 = 0xd1;
/// Places that are tried when something may lie behind the end of the chain: more than a file holds
/// ranges, and few enough for a file that was made to be slow.
const TRIES_MAX: usize = 4096;
/// Zeros that stand for the missing rest of a record: no record is longer.
const RECORD_LEN_MAX: usize = 1 << 18;

/// The records of one file in order.
#[derive(Debug)]
pub(crate) struct Ranges {
    bytes: Vec<u8>,
    generation: ese_base::Generation,
    sector_len: usize,
    /// Does a later generation say that this one is complete?
    followed: bool,
    /// Where the next record begins.
    at: usize,
    /// First byte behind the last range.
    stop: usize,
    /// Bytes that are not part of the stream: from, to.
    gaps: VecDeque<(usize, usize)>,
    ended: bool,
    /// A record that begins here has no end.
    unfinished: Option<LgPos>,
}

/// A checksum record and what it covers.
#[derive(Clone, Copy, Debug)]
struct Range {
    /// Where the record lies.
    at: usize,
    start: usize,
    stop: usize,
    next: Option<usize>,
}

/// Why a checksum record cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// There is none, or it says what cannot be.
    Shape,
    /// It is sound, as the second copy of the one a sector before.
    Shadow,
    /// Its first sector is sound, the rest is not.
    FirstSectorOnly,
    /// What it covers is not what was written.
    Sum,
}

impl Ranges {
    /// Reads a file and follows its checksums. `followed`: a later generation is there, so this one
    /// was complete.
    ///
    /// # Errors
    /// `JET_errLogFileCorrupt` (-501): the chain of checksums ends where it cannot have ended.
    pub(crate) fn read(file: &dyn File, header: &LogHeader, followed: bool) -> Result<Ranges> {
        let len = usize::try_from(header.file_len()).unwrap_or(usize::MAX);
        let mut bytes = vec![0; len];
        file.read_at(&mut bytes, 0).map_err(|e| e.at_generation(header.generation))?;
        let sector_len = usize::from(header.sector_len).max(1);
        let first = usize::from(header.header_sectors) * sector_len;
        let mut ranges = Ranges {
            bytes,
            generation: header.generation,
            sector_len,
            followed,
            at: first,
            stop: first,
            gaps: VecDeque::new(),
            ended: false,
            unfinished: None,
        };
        ranges.follow(first).map_err(|e| e.at_path(file.path()))?;
        Ok(ranges)
    }

    /// Follows the checksum records from the first one on.
    fn follow(&mut self, first: usize) -> Result<()> {
        let mut at = first;
        loop {
            let range = match self.check(at) {
                Ok(range) => range,
                Err(fault) => match self.rescue(at, fault)? {
                    Some(range) => range,
                    None => return Ok(()),
                },
            };
            // What an earlier run left at the end of its last range is not trusted.
            if range.start == range.at && range.at % self.sector_len != 0 {
                self.gaps.push_back((self.stop, range.at));
            }
            self.stop = range.stop;
            match range.next {
                // Each next one is further on, so this ends.
                Some(next) if next > at => at = next,
                _ => return Ok(()),
            }
        }
    }

    /// A range that cannot be used: the second copy of it, or of its first sector, or the end.
    fn rescue(&mut self, at: usize, fault: Fault) -> Result<Option<Range>> {
        if let Some(range) = self.take_shadow(at) {
            return Ok(Some(range));
        }
        if self.followed {
            return Err(self.corrupt(at, "a range of a finished generation is damaged"));
        }
        if let Some(later) = self.later_range(at) {
            let what = format!("a range is damaged, and there is one behind it, at {later}");
            return Err(self.corrupt(at, what));
        }
        if fault != Fault::FirstSectorOnly {
            return Ok(None);
        }
        let (start, stop) = (at - at % self.sector_len, self.sector_end(at));
        let start = if self.u32_at(at + 1) == 0 { at } else { start };
        Ok(Some(Range { at, start, stop, next: None }))
    }

    /// The last range was written twice, the second time in the sector behind.
    fn take_shadow(&mut self, at: usize) -> Option<Range> {
        let copy = at.checked_add(self.sector_len)?;
        if self.check(copy).err()? != Fault::Shadow {
            return None;
        }
        let start = copy - copy % self.sector_len;
        let end = start + self.sector_len;
        if end > self.bytes.len() {
            return None;
        }
        self.bytes.copy_within(start..end, start - self.sector_len);
        // It is sound where it belongs, but for the mark of a second copy.
        let back = usize::try_from(self.u32_at(at + 1)).ok()?;
        let forward = usize::try_from(self.u32_at(at + 5)).ok()?;
        Some(Range { at, start: at - back, stop: at + CHECKSUM_LEN + forward, next: None })
    }

    /// A sound range behind `at`, which has none.
    fn later_range(&self, at: usize) -> Option<LgPos> {
        let from = self.sector_end(at);
        let rest = self.bytes.get(from..)?;
        let places = rest.iter().enumerate().filter(|(_, byte)| **byte == framing::CHECKSUM);
        let mut places = places.map(|(offset, _)| from + offset).take(TRIES_MAX);
        places.find(|place| self.check(*place).is_ok()).map(|place| self.position(place))
    }

    /// Is there a sound checksum record at `at`?
    fn check(&self, at: usize) -> std::result::Result<Range, Fault> {
        let record = self.bytes.get(at..).and_then(|rest| rest.first_chunk::<CHECKSUM_LEN>());
        let record = record.filter(|r| r[0] == framing::CHECKSUM).ok_or(Fault::Shape)?;
        let [back, forward, next] = [1, 5, 9].map(|field| self.u32_at(at + field));
        let inside = at % self.sector_len;
        let len = |value: u32| usize::try_from(value).map_err(|_| Fault::Shape);
        let (back_len, forward_len) = (len(back)?, len(forward)?);
        let behind = at + CHECKSUM_LEN;
        let stop = behind.checked_add(forward_len).filter(|stop| *stop <= self.bytes.len());
        let stop = stop.ok_or(Fault::Shape)?;
        let span = inside + CHECKSUM_LEN + forward_len;
        let whole = span.is_multiple_of(self.sector_len);
        let use_short = record[CHECKSUM_LEN - 1];
        let short = self.u32_at(at + 17);
        let fits = match use_short {
            SHORT_IN_USE => span > self.sector_len && whole,
            SHORT_UNUSED => span <= self.sector_len && short == 0,
            _ => false,
        };
        if !fits || !(back_len == 0 || back_len == inside) {
            return Err(Fault::Shape);
        }
        let next = self.next_of(at, stop, len(next)?, whole)?;
        let fixed = back ^ forward ^ self.u32_at(at + 9) ^ u32::from(use_short) ^ self.generation.0;
        let backward = fold(self.bytes.get(at - back_len..at).unwrap_or_default());
        let sum = SEED ^ fixed ^ backward ^ fold(self.bytes.get(behind..stop).unwrap_or_default());
        let stored = self.u32_at(at + 13);
        if stored == sum {
            return Ok(Range { at, start: at - back_len, stop, next });
        }
        if stored == sum ^ SHADOW {
            return Err(Fault::Shadow);
        }
        let first = self.bytes.get(behind..self.sector_end(at)).unwrap_or_default();
        let first_is_sound =
            use_short == SHORT_IN_USE && short == SHORT_SEED ^ fixed ^ backward ^ fold(first);
        Err(if first_is_sound { Fault::FirstSectorOnly } else { Fault::Sum })
    }

    /// Where the next checksum record is: in the sector behind the range.
    fn next_of(
        &self,
        at: usize,
        stop: usize,
        next: usize,
        whole: bool,
    ) -> std::result::Result<Option<usize>, Fault> {
        if next == 0 {
            return Ok(None);
        }
        let place = (at + CHECKSUM_LEN).checked_add(next).ok_or(Fault::Shape)?;
        let fits = whole && place / self.sector_len == stop / self.sector_len;
        if fits { Ok(Some(place)) } else { Err(Fault::Shape) }
    }

    /// The place of the next record and its length; `None`: there is none, see [`Ranges::end`].
    ///
    /// # Errors
    /// `JET_errLogFileCorrupt` (-501): there is something else than a record, or, in a finished
    /// generation, a record without its end.
    pub(crate) fn next(&mut self) -> Result<Option<(usize, usize)>> {
        while !self.ended {
            if let Some(&(from, to)) = self.gaps.front()
                && self.at >= from
            {
                self.gaps.pop_front();
                self.at = to;
                continue;
            }
            if self.at >= self.stop {
                self.ended = true;
                break;
            }
            let border = self.gaps.front().copied();
            let limit = border.map_or(self.stop, |(from, _)| from);
            let rest = self.bytes.get(self.at..limit).unwrap_or_default();
            match rest.first() {
                Some(&framing::NOP) => self.at += 1,
                Some(&framing::CHECKSUM) => self.at += CHECKSUM_LEN,
                _ => match Record::record_len(rest) {
                    Ok(len) => {
                        let at = self.at;
                        self.at += len;
                        return Ok(Some((at, len)));
                    }
                    Err(error) => self.without_end(error, rest.to_vec(), border)?,
                },
            }
        }
        Ok(None)
    }

    /// What begins here does not end where the bytes that are trusted do.
    fn without_end(
        &mut self,
        error: Error,
        mut rest: Vec<u8>,
        border: Option<(usize, usize)>,
    ) -> Result<()> {
        let len = rest.len();
        let known = rest.first().is_some_and(|number| is_record(*number));
        // With zeros in the place of what is missing it is a record, if it is one at all.
        rest.resize(len + RECORD_LEN_MAX, 0);
        let is_begun = known && Record::record_len(&rest).is_ok_and(|whole| whole > len);
        if !is_begun {
            return Err(self.corrupt(self.at, error.message().to_owned()));
        }
        match border {
            Some((_, to)) => {
                self.gaps.pop_front();
                self.at = to;
            }
            None if self.followed => {
                let what = "a record of a finished generation has no end";
                return Err(self.corrupt(self.at, what));
            }
            None => {
                self.unfinished = Some(self.position(self.at));
                self.ended = true;
            }
        }
        Ok(())
    }

    /// Has [`Ranges::next`] answered `None`?
    pub(crate) fn is_ended(&self) -> bool {
        self.ended
    }

    /// The bytes of a record that [`Ranges::next`] has found.
    pub(crate) fn bytes(&self, at: usize, len: usize) -> &[u8] {
        self.bytes.get(at..at + len).unwrap_or_default()
    }

    /// Where the next record begins, at the earliest.
    pub(crate) fn here(&self) -> LgPos {
        self.position(self.at)
    }

    /// The position of a byte.
    pub(crate) fn position(&self, at: usize) -> LgPos {
        let short = |value: usize| u16::try_from(value).unwrap_or(u16::MAX);
        LgPos {
            generation: self.generation,
            isec: short(at / self.sector_len),
            ib: short(at % self.sector_len),
        }
    }

    /// How the data of the file ended. This format says nothing of it to the next generation.
    pub(crate) fn end(&self) -> FileEnd {
        FileEnd::default()
    }

    /// The position of a record that has no end.
    pub(crate) fn unfinished(&self) -> Option<LgPos> {
        self.unfinished
    }

    fn sector_end(&self, at: usize) -> usize {
        at - at % self.sector_len + self.sector_len
    }

    fn u32_at(&self, at: usize) -> u32 {
        let bytes = self.bytes.get(at..).and_then(<[u8]>::first_chunk);
        bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }

    #[track_caller]
    fn corrupt(&self, at: usize, what: impl Into<String>) -> Error {
        let what = format!("at {}: {}", self.position(at), what.into());
        Error::new(JetErr::LogFileCorrupt, what).at_generation(self.generation)
    }
}

/// XOR of the words of a region, counted from its first byte; the last one is filled with zeros.
fn fold(bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<4>();
    let sum = words.iter().fold(0, |sum, word| sum ^ u32::from_le_bytes(*word));
    let mut last = [0; 4];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    sum ^ u32::from_le_bytes(last)
}
