//! What the tests of this crate share: numbered records, and streams on a simulated disk.

use std::{path::Path, sync::Arc};

use ese_base::{Generation, LgPos, LogTime, ProcId, Result, Signature};
use ese_os::Env;
use ese_sim::{Image, SimDisk, SimEnv};
use parking_lot::Mutex;

use crate::{
    Attachment, Log, LogConfig, LogObserver, LogStream, Record, Situation, StreamEnd,
    records::Trace,
};

/// Where test streams lie.
pub(crate) const DIR: &str = "/log";

/// The text of record `number`, `len` bytes long but at least long enough for its number.
pub(crate) fn text(number: u64, len: usize) -> Vec<u8> {
    let mut text = format!("{number}:").into_bytes();
    let fill = b'a' + u8::try_from(number % 26).unwrap();
    text.resize(text.len().max(len), fill);
    text
}

pub(crate) fn number_of(record: &Record<'_>) -> Option<u64> {
    let Record::Trace(trace) = record else { return None };
    let colon = trace.text.iter().position(|&b| b == b':')?;
    let number = std::str::from_utf8(&trace.text[..colon]).ok()?.parse().ok()?;
    (trace.text == text(number, trace.text.len())).then_some(number)
}

/// Appends record `number` of about `len` bytes.
pub(crate) fn append(log: &Log, number: u64, len: usize) -> Result<crate::Appended> {
    let text = text(number, len);
    log.append(&Record::Trace(Trace { procid: ProcId(1), text: &text, rollover: false }))
}

pub(crate) fn config() -> LogConfig {
    LogConfig { file_len: 64 << 10, reserves: 0, ..LogConfig::new(DIR, "edb") }
}

pub(crate) fn signature() -> Signature {
    Signature::new(0x1234_5678, LogTime::from_unix_ms(1_600_000_000_000))
}

/// A simulated machine with an empty log directory.
pub(crate) fn machine(seed: u64) -> (Env, Arc<SimDisk>) {
    let (env, disk) = SimEnv::new(seed);
    env.fs.create_dir_all(Path::new(DIR)).unwrap();
    // What follows is recorded; the directory is there for good.
    disk.record(true);
    (env, disk)
}

/// Boots a machine from what another left.
pub(crate) fn boot(image: &Image) -> (Env, Arc<SimDisk>) {
    let disk = Arc::new(SimDisk::from_image(image));
    (SimEnv::on(&disk, 1), disk)
}

/// Everything that is in a stream.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) numbers: Vec<u64>,
    /// Position and end of each record.
    pub(crate) places: Vec<(LgPos, LgPos)>,
    pub(crate) end: StreamEnd,
}

/// Reads a stream from its oldest generation on. `None`: there is no stream.
pub(crate) fn read(env: &Env) -> Result<Option<Contents>> {
    let stream = LogStream::scan(env, &config().names)?;
    if stream.situation() == Situation::Empty {
        return Ok(None);
    }
    assert_ne!(stream.situation(), Situation::CurrentMissing);
    let from = LgPos { generation: stream.oldest()?, isec: 0, ib: 0 };
    let mut reader = stream.reader(from)?;
    let (mut numbers, mut places) = (Vec::new(), Vec::new());
    while let Some(entry) = reader.next()? {
        numbers.push(number_of(&entry.record).expect("a numbered record, whole"));
        places.push((entry.pos, entry.end));
    }
    Ok(Some(Contents { numbers, places, end: reader.end()? }))
}

/// An observer that remembers.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    pub(crate) checkpoint: Mutex<LgPos>,
    pub(crate) attachments: Mutex<Vec<Attachment>>,
    pub(crate) rolled: Mutex<Vec<Generation>>,
}

impl LogObserver for Witness {
    fn attachments(&self) -> Vec<Attachment> {
        self.attachments.lock().clone()
    }
    fn checkpoint(&self) -> LgPos {
        *self.checkpoint.lock()
    }
    fn rolled(&self, generation: Generation, _created: LogTime) -> Result<()> {
        self.rolled.lock().push(generation);
        Ok(())
    }
}
