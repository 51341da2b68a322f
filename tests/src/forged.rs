//! Logs with other contents than they were written with, which only comparing them can tell.

use std::path::Path;

use ese_api::Env;
use ese_log::{LogFile, Record, StreamReader};

const SEGMENT: usize = 4096;

/// A log's bytes with the data of one record changed, and the checksum of its segment right again.
///
/// # Panics
/// If it is no log, or has no record with data that lies in one segment.
#[must_use]
pub fn forge(path: &Path) -> Vec<u8> {
    let mut bytes = std::fs::read(path).expect("the log");
    let file = LogFile::read(&Env::real(), path.to_path_buf()).expect("the log's header");
    let mut reader = StreamReader::of_file(&Env::real(), &file);
    let (segment, last) = loop {
        let entry = reader.next().expect("a record").expect("a record with data");
        let has_data = match entry.record {
            Record::Replace(r) => !r.data.is_empty(),
            Record::Insert(r) => !r.data.is_empty(),
            _ => false,
        };
        if has_data && entry.pos.isec == entry.end.isec {
            break (entry.pos.isec, usize::from(entry.end.ib) - 1);
        }
    };
    let places = bytes.as_chunks_mut::<SEGMENT>().0;
    let place = places.get_mut(usize::from(segment)).expect("the segment that was read");
    *place.get_mut(last).expect("the record's last byte") ^= 0x55;
    // Our own writer stamps its segments, whose stamp is of other contents now.
    place.get_mut(24..36).expect("the stamp").fill(0);
    ese_pages::checksum::stamp_segment(place, u32::from(segment));
    bytes
}
