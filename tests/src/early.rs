//! Logs of format 7.3704 (log-records 3), made here: no file of that format may be in the test
//! data.
//!
//! This is a second implementation of the format's rules, for the writing side: records lie in one
//! stream of bytes, cut into ranges that end at sector borders, each guarded by a checksum record.

use ese_log::{LogHeader, LogVersion, records::Record};

const CHECKSUM_LEN: usize = 22;

/// A log file of the older format.
#[derive(Debug)]
pub struct EarlyLog {
    sector: usize,
    generation: u32,
    bytes: Vec<u8>,
    /// Next byte of the stream.
    at: usize,
    /// Of the last checksum record.
    open: usize,
    /// What the open range covers begins here.
    start: usize,
}

impl EarlyLog {
    /// An empty file of a stream; the header is that of a newer log with another version.
    ///
    /// # Panics
    /// If the header cannot be written.
    #[must_use]
    pub fn new(like: &LogHeader, sector: u16, sectors: u16) -> EarlyLog {
        let header = LogHeader {
            sector_len: sector,
            header_sectors: 4096 / sector,
            sectors,
            version: LogVersion { major: 7, minor: 3704, update_major: 15, update_minor: 0 },
            previous_checksum: 0,
            ..like.clone()
        };
        let mut bytes = header.encode().expect("the attachments fit").to_vec();
        // What such files hold behind their data.
        bytes.resize(usize::from(sector) * usize::from(sectors), 0xda);
        let at = 4096;
        let mut log = EarlyLog {
            sector: usize::from(sector),
            generation: header.generation.0,
            bytes,
            at,
            open: at,
            start: at,
        };
        log.begin_range(at);
        log
    }

    fn begin_range(&mut self, start: usize) {
        (self.open, self.start) = (self.at, start);
        self.bytes[self.at..self.at + CHECKSUM_LEN].fill(0);
        self.bytes[self.at] = 42;
        self.at += CHECKSUM_LEN;
    }

    /// Appends a record.
    ///
    /// # Panics
    /// If the record cannot be written, or the file is full.
    pub fn record(&mut self, record: &Record<'_>) {
        let mut bytes = Vec::new();
        record.encode(&mut bytes).expect("a record can be written");
        self.raw(&bytes);
    }

    /// Appends bytes.
    ///
    /// # Panics
    /// If the file is full.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    /// Where the next record begins.
    #[must_use]
    pub fn position(&self) -> (u16, u16) {
        let short = |value: usize| u16::try_from(value).expect("a small file");
        (short(self.at / self.sector), short(self.at % self.sector))
    }

    /// May the open range end at the last sector border?
    #[must_use]
    pub fn may_end_range(&self) -> bool {
        let border = self.at - self.at % self.sector;
        // A checksum record lies in one sector.
        border >= self.open + CHECKSUM_LEN && self.at % self.sector + CHECKSUM_LEN <= self.sector
    }

    /// Ends the open range at the last sector border; the next one begins behind the record that is
    /// cut by it.
    ///
    /// # Panics
    /// If there is no border yet.
    pub fn end_range(&mut self) {
        assert!(self.may_end_range(), "a range ends at a border");
        let border = self.at - self.at % self.sector;
        let next = self.at - self.open - CHECKSUM_LEN;
        let (open, start) = (self.open, self.start);
        self.begin_range(border);
        // Sums come last: the range behind may not change what this one covers.
        self.seal(open, start, border, next);
    }

    /// What a run does that begins after a crash: the bytes since the last border are not trusted.
    ///
    /// # Panics
    /// If there is no border yet.
    pub fn crash_and_go_on(&mut self, skip: usize) {
        assert!(self.may_end_range(), "a range ends at a border");
        let border = self.at - self.at % self.sector;
        let place = border + skip;
        let next = place - self.open - CHECKSUM_LEN;
        let (open, start) = (self.open, self.start);
        self.at = place;
        self.begin_range(place);
        self.seal(open, start, border, next);
    }

    /// Ends the file's data; with a second copy of the last range if it lies in one sector.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        let sector = self.sector;
        let sector_of = move |at: usize| at / sector;
        let (open, start) = (self.open, self.start);
        if sector_of(self.at - 1) != sector_of(open) {
            let border = self.at.next_multiple_of(self.sector);
            self.bytes[self.at..border].fill(0);
            self.at = border;
        }
        let stop = self.at;
        self.seal(open, start, stop, 0);
        if sector_of(stop - 1) == sector_of(open) {
            let first = open - open % self.sector;
            let copy = first + self.sector;
            self.bytes.copy_within(first..copy, copy);
            let sum = open + self.sector + 13;
            let value = u32::from_le_bytes(self.bytes[sum..sum + 4].try_into().expect("4 bytes"));
            let value = value ^ 0x5ad0_5ec7;
            self.bytes[sum..sum + 4].copy_from_slice(&value.to_le_bytes());
        }
        self.bytes
    }

    fn seal(&mut self, at: usize, start: usize, stop: usize, next: usize) {
        let word = |value: usize| u32::try_from(value).expect("a small file");
        let behind = at + CHECKSUM_LEN;
        let sector_end = at - at % self.sector + self.sector;
        let long = stop > sector_end;
        let (back, forward, next) = (word(at - start), word(stop - behind), word(next));
        let mark: u8 = if long { 0x9a } else { 0xd1 };
        let fixed = back ^ forward ^ next ^ u32::from(mark) ^ self.generation;
        let before = fold(&self.bytes[start..at]);
        let sum = 0xfeed_beaf ^ fixed ^ before ^ fold(&self.bytes[behind..stop]);
        let short = match long {
            true => 0xdead_c0de ^ fixed ^ before ^ fold(&self.bytes[behind..sector_end]),
            false => 0,
        };
        for (offset, value) in [(1, back), (5, forward), (9, next), (13, sum), (17, short)] {
            self.bytes[at + offset..at + offset + 4].copy_from_slice(&value.to_le_bytes());
        }
        self.bytes[at + 21] = mark;
    }
}

fn fold(bytes: &[u8]) -> u32 {
    bytes.chunks(4).fold(0, |sum, chunk| {
        let mut word = [0; 4];
        word[..chunk.len()].copy_from_slice(chunk);
        sum ^ u32::from_le_bytes(word)
    })
}
