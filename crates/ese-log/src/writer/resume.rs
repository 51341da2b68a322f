//! Starting a stream, and going on with one that was read to its end.
//!
//! Going on after a crash makes durable what was read, then repairs the tail, in an order that a
//! further crash cannot harm:
//!
//! 1. If the last segment was found whole, or longer, only in its shadow, it is written to its own
//!    place and synced.
//! 2. If anything behind the data is left of an unfinished write, everything behind the data is
//!    overwritten with zeros and synced. Otherwise a later crash could join the remains of this
//!    one to new segments.
//! 3. If the last record has no end, its pieces go: zeros from the last one on, then the segment
//!    with the first piece is written without it, to the shadow and then to its own place. Each
//!    step is synced before the next.
//!
//! New records start a fresh segment: what was there is never written again.

use std::{collections::BTreeMap, sync::Arc};

use ese_base::{Error, JetErr, LgPos, LogTime, Result, Signature, plant};
use ese_os::{Env, File, OpenMode};
use parking_lot::{Mutex, RwLock};

use super::{
    Background, HeaderFacts, Log, LogConfig, Shared,
    commit::Rounds,
    files::Archives,
    place::{Writer, offset_of},
    temp::NextFile,
};
use crate::{
    LogLock, LogNames,
    buffer::Buffer,
    layout::{
        Found, LogVersion, SEGMENT_LEN, SegmentBytes, Stamp, classify, seal_as, stored_checksum,
    },
    reader::{Situation, StreamEnd},
};

impl Log {
    /// Begins a new stream with its first generation. Its directory must exist and hold no log of
    /// the name.
    ///
    /// # Errors
    /// `JET_errLogFilePathInUse` (-1084); `JET_errFileAlreadyExists` (-1814) if there is a current
    /// log; `JET_errInvalidParameter` (-1003); `JET_errLogDiskFull` (-529).
    pub fn create(env: &Env, config: &LogConfig, signature: Signature) -> Result<Log> {
        let lock = own_lock(env, config)?;
        let names = config.names.clone();
        if env.fs.exists(&names.current())? {
            return Err(Error::new(JetErr::FileAlreadyExists, "there is a log already")
                .at_path(names.current()));
        }
        let (sectors, first) = (config.sectors()?, config.first_generation);
        let archives = Archives::new(env.clone(), names, BTreeMap::new());
        let before = LgPos { generation: first.before(), isec: sectors - 1, ib: 0 };
        let writer = Writer::new(None, before.generation, LogTime::NULL, 0);
        let mut log = open(env, config, lock, signature, sectors, false, archives, before, writer)?;
        log.shared.buffer.lock().start_generation()?;
        log.flush_all()?;
        log.start_background()?;
        log.shared.background.want_next_file();
        Ok(log)
    }

    /// Goes on with a stream where reading it ended: repairs the tail, finishes an unfinished
    /// roll, and opens it for appending. The stream's own file size is kept. If its newest file
    /// has another format version than we write, the first record begins a new generation.
    ///
    /// # Errors
    /// `JET_errLogFilePathInUse` (-1084); `JET_errPageSizeMismatch` (-1213) if the stream is of
    /// another page size; `JET_errLogDiskFull` (-529); whatever the file system answers.
    pub fn resume(env: &Env, config: &LogConfig, end: &StreamEnd) -> Result<Log> {
        let lock = own_lock(env, config)?;
        if end.version.is_early() {
            let what = format!("logs of format {} are only read", end.version);
            return Err(Error::new(JetErr::BadLogVersion, what)
                .at_path(end.names.dir())
                .advise("recover into a copy (ese recover DIR --out COPY)"));
        }
        if end.page_size != config.page_size {
            return Err(Error::new(
                JetErr::PageSizeMismatch,
                format!(
                    "the logs are of pages of {} bytes, not {}",
                    end.page_size, config.page_size
                ),
            )
            .at_path(end.names.dir()));
        }
        let names = end.names.clone();
        // A killed process may have left names that only the system's cache holds.
        env.fs.sync_dir(names.dir())?;
        let archives = Archives::new(env.clone(), names.clone(), end.archives.clone());
        let (file, last, sum) = match end.situation {
            Situation::Empty | Situation::CurrentMissing => (None, end.file.last, end.file.sum),
            Situation::UnfinishedRoll => {
                env.fs.rename(&names.temporary(), &names.current())?;
                env.fs.sync_dir(names.dir())?;
                let file = env.fs.open(&names.current(), OpenMode::ReadWrite)?;
                let (last, sum) = repair(file.as_ref(), end)?;
                (Some(file), last, sum)
            }
            Situation::Current => {
                let file = open_current(env, &names, end)?;
                let (last, sum) = repair(file.as_ref(), end)?;
                (Some(file), last, sum)
            }
        };
        let go_on = file.is_some() && end.version == LogVersion::OURS;
        let tip = LgPos { generation: end.generation, isec: last + 1, ib: 0 };
        let writer = Writer::new(file, end.generation, end.created, sum);
        let mut log = open(
            env,
            config,
            lock,
            end.signature,
            end.sectors,
            end.circular_history,
            archives,
            tip,
            writer,
        )?;
        if !go_on {
            log.shared.buffer.lock().start_generation()?;
        }
        log.start_background()?;
        log.shared.background.want_next_file();
        Ok(log)
    }
}

fn own_lock(env: &Env, config: &LogConfig) -> Result<Arc<LogLock>> {
    match &config.lock {
        Some(lock) => Ok(Arc::clone(lock)),
        None => LogLock::acquire(env, &config.names),
    }
}

/// The current file may have been found under a name of other case.
fn open_current(env: &Env, names: &LogNames, end: &StreamEnd) -> Result<Arc<dyn File>> {
    let (found, wanted) = (&end.path, names.current());
    if *found != wanted {
        env.fs.rename(found, &wanted)?;
        env.fs.sync_dir(names.dir())?;
    }
    env.fs.open(&wanted, OpenMode::ReadWrite)
}

// One caller for a new stream and one for an old one; a struct would only rename the parts.
#[allow(clippy::too_many_arguments, reason = "private constructor with two callers")]
fn open(
    env: &Env,
    config: &LogConfig,
    lock: Arc<LogLock>,
    signature: Signature,
    sectors: u16,
    circular_before: bool,
    archives: Arc<Archives>,
    tip: LgPos,
    writer: Writer,
) -> Result<Log> {
    let file_len = u64::from(sectors) * 4096;
    let next_file = NextFile::new(env.clone(), Arc::clone(&archives), file_len, config.circular);
    next_file.discard_leftover()?;
    next_file.make_reserves(config.reserves)?;
    let mut params = config.params;
    params.csec_lg_file = u32::from(sectors).into();
    let written = Mutex::new((writer.generation, writer.created));
    Ok(Log {
        shared: Arc::new(Shared {
            env: env.clone(),
            signature,
            header: HeaderFacts {
                sectors,
                page_size: config.page_size,
                params,
                circular: config.circular,
                circular_history: config.circular || circular_before,
            },
            buffer: Mutex::new(Buffer::new(tip, sectors - 2, config.buffer_segments())),
            rounds: Rounds::new(tip),
            writer: Mutex::new(writer),
            written,
            archives,
            next_file,
            observer: RwLock::new(None),
            watcher: RwLock::new(None),
            background: Background::new(),
            lock,
        }),
        worker: Mutex::default(),
    })
}

/// Repairs the tail of the last file. The values are its last segment and the XOR of the
/// checksums of all segments afterwards.
fn repair(file: &dyn File, end: &StreamEnd) -> Result<(u16, u64)> {
    // A killed process may have left data that only the system's cache holds: what was read may
    // be the mirror of a segment whose one durable copy lies in the place that is written next.
    if !plant!("log-resume-without-sync") {
        file.sync()?;
    }
    let mut last = end.file.last;
    let mut sum = end.file.sum;
    if let Some(segment) = end.last_segment.as_deref().filter(|_| end.file.repair) {
        tracing::warn!(
            generation = end.generation.0,
            segment = last,
            "torn log tail repaired from its shadow"
        );
        put(file, last, segment)?;
    }
    let torn = !end.file.remains.is_empty() || end.unfinished.is_some();
    if torn && !plant!("log-keep-remains") {
        clear_from(file, last + 1, end.sectors)?;
    }
    if let Some(start) = end.unfinished.filter(|_| !plant!("log-keep-unfinished")) {
        // The segments from the first piece on leave the sum; what is left of the first returns.
        let mut first = read_own(file, end, start.isec)?;
        for isec in start.isec..=last {
            sum ^= stored_checksum(read_own(file, end, isec)?.as_ref());
        }
        // From the end, one by one: at any moment the data just ends earlier.
        let zeros = [0; SEGMENT_LEN];
        for isec in (start.isec + 1..=last).rev() {
            put(file, isec, &zeros)?;
        }
        if start.ib == 0 {
            put(file, start.isec, &zeros)?;
            last = start.isec - 1;
        } else {
            first.get_mut(usize::from(start.ib)..).unwrap_or_default().fill(0);
            seal_as(&mut first, start.isec, Stamp { settled: start.isec, end: start.ib });
            sum ^= stored_checksum(&first);
            put(file, start.isec + 1, &first)?;
            put(file, start.isec, &first)?;
            last = start.isec;
        }
    }
    Ok((last, sum))
}

/// Overwrites the file with zeros from a place on. Not only where remains are: genuine engines
/// want the generations of what lies behind the data never to rise, and zeros count as none.
fn clear_from(file: &dyn File, first: u16, sectors: u16) -> Result<()> {
    const PIECE: u16 = 64;
    let zeros = vec![0; SEGMENT_LEN * usize::from(PIECE)];
    let mut isec = first;
    while isec < sectors {
        let count = PIECE.min(sectors - isec);
        let piece = zeros.get(..SEGMENT_LEN * usize::from(count)).unwrap_or_default();
        file.write_at(piece, offset_of(isec))?;
        isec += count;
    }
    file.sync()
}

/// A segment of the data, which lies at its own place (after step 1).
fn read_own(file: &dyn File, end: &StreamEnd, isec: u16) -> Result<Box<SegmentBytes>> {
    let mut segment = Box::new([0; SEGMENT_LEN]);
    file.read_at(segment.as_mut_slice(), offset_of(isec))?;
    let pos = LgPos { generation: end.generation, isec, ib: 0 };
    match classify(&segment, pos) {
        Found::Own(_) => Ok(segment),
        other => Err(Error::new(
            JetErr::LogFileCorrupt,
            format!("at {pos}: the log changed while it was read: {other:?}"),
        )
        .at_path(file.path())
        .at_generation(end.generation)),
    }
}

fn put(file: &dyn File, isec: u16, segment: &SegmentBytes) -> Result<()> {
    file.write_at(segment.as_slice(), offset_of(isec))?;
    file.sync()
}
