//! Arbitrary bytes as the current file of a log stream on a simulated disk: scanning and reading
//! never panic; a stream that can be read to its end can be continued, and then holds what it held
//! and what was added.
//!
//! Input: options, then the file. The file is filled up with zeros to the length its header tells.

use std::path::{Path, PathBuf};

use ese_base::{Generation, LgPos, ProcId, Result};
use ese_log::{
    Log, LogConfig, LogFile, LogHeader, LogStream, Record, Situation, StreamReader,
    layout::SEGMENT_LEN, read_checkpoint, records::Trace,
};
use ese_os::Env;
use ese_pages::checksum::{stamp_header, stamp_segment};
use ese_sim::{Image, SimDisk, SimEnv};

use crate::input::Input;

/// Option bit: give the header a right checksum.
pub const STAMP_HEADER: u8 = 1;
/// Option bit: give each segment a right checksum and take our own stamp away, as if another engine
/// had written it. So damage reaches the records.
pub const STAMP_SEGMENTS: u8 = 2;
/// Option bit: the file is a finished generation and there is no current one.
pub const ARCHIVE: u8 = 4;
/// Option bit: continue a stream that can be read to its end (slow).
pub const GO_ON: u8 = 8;

/// Where the stream lies.
pub const DIR: &str = "/log";

/// Files of a length up to this are tried; longer ones only take longer.
const FILE_LEN_MAX: u64 = 256 << 10;

/// See the head of this module.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let options = input.byte();
    let mut file = input.rest().to_vec();
    if file.len() >= SEGMENT_LEN {
        stamp(&mut file, options);
        fill_up(&mut file);
    }
    let names = config().names;
    let mut path = names.current();
    if options & ARCHIVE != 0 {
        path = names.archive(Generation(1));
    }
    let mut image = Image::empty();
    image.insert(&path, &file);
    let checkpoint = Path::new(DIR).join("edb.chk");
    image.insert(&checkpoint, &file[..file.len().min(2 * SEGMENT_LEN)]);
    let env = SimEnv::on(&SimDisk::from_image(&image), 1);
    if let Err(error) = read_checkpoint(&env, &checkpoint, None) {
        assert!(!error.to_string().is_empty());
    }
    if let Ok(file) = LogFile::read(&env, path) {
        drop(count(&mut StreamReader::of_file(&env, &file)));
    }
    match read(&env) {
        Ok(Some(before)) if options & GO_ON != 0 => go_on(&env, before),
        Ok(_) => {}
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Settings of the stream that seeds come from.
pub fn config() -> LogConfig {
    LogConfig { file_len: 64 << 10, reserves: 0, ..LogConfig::new(PathBuf::from(DIR), "edb") }
}

/// Gives segments right checksums, as the options say.
pub(crate) fn stamp(file: &mut [u8], options: u8) {
    for (isec, segment) in (0_u32..).zip(file.chunks_exact_mut(SEGMENT_LEN)) {
        let Ok(segment) = <&mut [u8; SEGMENT_LEN]>::try_from(segment) else { continue };
        if isec == 0 && options & STAMP_HEADER != 0 {
            stamp_header(segment);
        }
        let used = segment.iter().any(|&byte| byte != 0);
        if isec > 0 && used && options & STAMP_SEGMENTS != 0 {
            segment[24..36].fill(0);
            stamp_segment(segment, isec);
        }
    }
}

fn fill_up(file: &mut Vec<u8>) {
    let header = file.first_chunk().and_then(|bytes| LogHeader::decode(bytes).ok());
    let len = header.map(|header| header.file_len()).filter(|&len| len <= FILE_LEN_MAX);
    if let Some(len) = len.and_then(|len| usize::try_from(len).ok()) {
        file.resize(len, 0);
    }
}

/// How many records a stream holds, and where they end. `None`: nothing that can be continued.
fn read(env: &Env) -> Result<Option<(usize, LgPos)>> {
    let stream = LogStream::scan(env, &config().names)?;
    if stream.situation() != Situation::Current {
        return Ok(None);
    }
    let from = LgPos { generation: stream.oldest()?, isec: 0, ib: 0 };
    let mut reader = stream.reader(from)?;
    let records = count(&mut reader)?;
    Ok(Some((records, reader.position())))
}

fn count(reader: &mut StreamReader<'_>) -> Result<usize> {
    let mut records = 0;
    let mut end = LgPos::MIN;
    while let Some(entry) = reader.next()? {
        assert!(entry.pos >= end && entry.end > entry.pos, "positions only rise");
        end = entry.end;
        assert!(!entry.record.describe().is_empty());
        records += 1;
    }
    Ok(records)
}

fn go_on(env: &Env, (records, end): (usize, LgPos)) {
    let stream = LogStream::scan(env, &config().names).expect("was scanned before");
    let from = LgPos { generation: stream.oldest().expect("there is one"), isec: 0, ib: 0 };
    let stream_end = stream.reader(from).expect("as before").end().expect("was read before");
    let config = LogConfig { page_size: stream_end.page_size(), ..config() };
    // A stream at its last generation or of a strange file size is refused, with a reason.
    let Ok(log) = Log::resume(env, &config, &stream_end) else { return };
    let text = b"one more".as_slice();
    let one_more = Record::Trace(Trace { procid: ProcId(1), text, rollover: false });
    let added = log.append(&one_more).and_then(|at| log.flush(at.end).map(|()| at));
    drop(log);
    let Ok(added) = added else { return };
    assert!(added.start >= end, "nothing that was read is overwritten");
    let (after, last) = read(env).expect("what we wrote can be read").expect("it is current");
    assert!(after > records, "{after} records after adding one to {records}");
    assert_eq!(last, added.end);
}
