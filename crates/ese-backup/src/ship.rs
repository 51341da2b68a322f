//! Log shipping: the log of a running instance is copied to another place as it grows, so that a
//! backup set and what was shipped since restore the state of a moment ago.
//!
//! [`Shipper::step`] copies every finished generation that is not there yet, then the one that is
//! being written as far as it is. It only reads the instance's files, so it works from another
//! process and never holds the instance up. The destination holds
//!
//! * the generations under their own names; the last one may be unfinished, and is replaced when
//!   more of it was written;
//! * [`STATE_NAME`]: what was shipped, written after it.
//!
//! What was shipped is looked for again: when a shipper begins, when a generation was finished, and
//! when the state is gone. What is lost then is shipped again while the instance still has it; and
//! so is what turns out not to be what the instance has, of which each step compares a little.
//!
//! Why an unfinished generation is a prefix of the log: the writer fills a file from its begin to
//! its end, and overwrites the shadow of a segment only when the segment itself is in its place. A
//! file that is read from its end to its begin therefore never shows a segment without all those
//! before it. The newest one may be cut short, like after a power cut; the replay ends there.

mod destination;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use ese_base::{Error, Generation, JetErr, Result, Signature, limits::LOG_SEGMENT_LEN};
use ese_log::{
    LogName, LogNames, NameKind,
    layout::{LOG_HEADER_LEN, LogHeader},
};
use ese_os::{Env, File, OpenMode};
use serde::{Deserialize, Serialize};

pub use destination::{DirDestination, ShipDestination};

use crate::{session::verify_segment, stream::signature_to_hex};

/// Name of the file that says what was shipped.
pub const STATE_NAME: &str = "ese-ship.json";
const FORMAT: &str = "ese-ship";
const VERSION: u32 = 1;
/// No log file of any version is longer.
const FILE_LEN_MAX: u64 = 1 << 28;
/// Generations that a step compares.
const COMPARED_A_STEP: usize = 8;
/// How often a segment that is just being written is read again.
const TRIES: u32 = 50;
/// How often a log that goes over to its next generation is looked at, and how long in between.
const LOOKS: u32 = 200;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(2);

/// What was shipped, as the destination remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShipState {
    format: String,
    version: u32,
    /// Base name of the log files.
    pub log_base: String,
    /// Signature of the log stream, 28 bytes in hexadecimal.
    pub log_signature: String,
    /// First generation that was shipped.
    pub gen_low: u32,
    /// Last generation that was shipped whole; 0 if none was.
    pub gen_finished: u32,
    /// When that one was begun: what goes on behind it says so. Empty if none was, and in states
    /// of earlier versions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub finished_created: String,
    /// The generation that was being written.
    pub gen_open: u32,
    /// Where the last comparison with the log ended. 0 in states of earlier versions.
    #[serde(default)]
    pub gen_compared: u32,
    /// When that was, ISO 8601.
    pub shipped: String,
}

/// What a step has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shipped {
    /// Finished generations that were copied.
    pub finished: Vec<Generation>,
    /// The generation that is being written, if more of it was copied.
    pub open: Option<Generation>,
    /// Finished generations that were damaged at the destination, or lost there, and were copied
    /// again.
    pub again: Vec<Generation>,
    /// Those before this one are gone from the destination, and the instance does not have them any
    /// more: what is there begins here.
    pub begins: Option<Generation>,
    /// Bytes that were copied.
    pub bytes: u64,
}

/// Ships the log of one directory to one destination.
#[derive(Debug)]
pub struct Shipper {
    env: Env,
    dir: PathBuf,
    base: String,
    to: Box<dyn ShipDestination>,
    state: Option<ShipState>,
    /// Sum of the open generation as it was shipped last.
    open: Option<(Generation, u32)>,
    /// How many generations of earlier shippers are still to be compared with the log; `None`
    /// before the first step.
    uncompared: Option<usize>,
}

/// The log files of a directory.
#[derive(Debug, Default)]
struct Found {
    finished: BTreeMap<Generation, PathBuf>,
    current: Option<PathBuf>,
}

impl Found {
    /// The first generation whose name may still be lost in a power cut, after which its file is
    /// written on: the next one gets its own name only when that of this one is durable.
    fn unsettled(&self, env: &Env) -> Result<Generation> {
        let last = self.finished.keys().next_back().copied().unwrap_or_default();
        let Some(path) = &self.current else { return Ok(last) };
        match env.fs.open(path, OpenMode::Read).and_then(|file| LogHeader::read(&*file)) {
            Ok(header) => Ok(header.generation.max(last)),
            Err(error) if error.code() == JetErr::FileNotFound => Ok(last),
            Err(error) => Err(error.at_path(path)),
        }
    }
}

impl Shipper {
    /// `dir` holds the log with this base name. Goes on where the destination says.
    ///
    /// # Errors
    /// `JET_errFileInvalidType` (-1812) if the destination's state cannot be understood;
    /// `JET_errBackupDirectoryNotEmpty` (-504) if it has none, but something that was not shipped:
    /// it may be the directory of an instance; those of the destination.
    pub fn new(env: &Env, dir: &Path, base: &str, to: Box<dyn ShipDestination>) -> Result<Shipper> {
        let state = match to.read(STATE_NAME)? {
            None => {
                check_new(&*to, base)?;
                None
            }
            Some(text) => Some(parse(&text).map_err(|error| error.at_path(to.place(STATE_NAME)))?),
        };
        let (env, dir, base) = (env.clone(), dir.to_path_buf(), base.to_owned());
        Ok(Shipper { env, dir, base, to, state, open: None, uncompared: None })
    }

    /// What the destination holds; `None` if nothing was ever shipped.
    #[must_use]
    pub fn state(&self) -> Option<&ShipState> {
        self.state.as_ref()
    }

    /// Copies what is new. On return it is durable in the destination, as far as the destination
    /// can say that.
    ///
    /// # Errors
    /// `JET_errMissingLogFile` (-528) if a generation was removed before it was shipped, or from
    /// the destination, and the instance does not have it any more: what comes after it is of no
    /// use without a new backup; `JET_errBadLogSignature` (-530) if the destination holds the log
    /// of another instance, `JET_errGivenLogFileIsNotContiguous` (-556) if it holds that of another
    /// way that this one went; `JET_errLogReadVerifyFailure` (-612) for a damaged log; those of
    /// reading and of the destination. The next step goes on.
    pub fn step(&mut self) -> Result<Shipped> {
        let mut shipped = Shipped::default();
        // A generation may be finished while the one before it is copied, and while the log goes
        // over to the next one there is no current file for a moment.
        for _ in 0..LOOKS {
            let found = self.find()?;
            self.ship_finished(&found, &mut shipped)?;
            if self.ship_open(&found, &mut shipped)? {
                // Not before: now the log is known to be that of the destination.
                self.look_after(&found, &mut shipped)?;
                return Ok(shipped);
            }
            self.env.clock.sleep(PAUSE);
        }
        Err(Error::new(JetErr::MissingLogFile, "there is no log that is being written")
            .at_path(&self.dir)
            .advise("start the instance: it finishes what a crash has cut off"))
    }

    fn find(&self) -> Result<Found> {
        let mut found = Found::default();
        for entry in self.env.fs.list(&self.dir)?.into_iter().filter(|entry| !entry.is_dir) {
            let path = self.dir.join(&entry.name);
            match LogName::parse(&entry.name).filter(|name| name.is_of(&self.base)) {
                Some(LogName { kind: NameKind::Current, .. }) => found.current = Some(path),
                Some(LogName { kind: NameKind::Archive { generation, .. }, .. }) => {
                    found.finished.insert(generation, path);
                }
                _ => {}
            }
        }
        Ok(found)
    }

    fn ship_finished(&mut self, found: &Found, shipped: &mut Shipped) -> Result<()> {
        let done = self.state.as_ref().map_or(0, |state| state.gen_finished);
        let mut next = self.next();
        let (first, end) = (Generation(done.saturating_add(1)), found.unsettled(&self.env)?);
        for (generation, path) in found.finished.range(first..end.max(first)) {
            if let Some(expected) = next.filter(|next| *next < generation.0) {
                return Err(self.missing(Generation(expected)));
            }
            let (header, bytes) = match self.read(path, *generation) {
                // Removed since it was listed; the next look tells whether that was too early.
                Err(error) if error.code() == JetErr::FileNotFound => return Ok(()),
                read => read?,
            };
            self.check_stream(&header.signature)?;
            self.check_follows(&header, path)?;
            self.to.write(&self.name_of(*generation, path), &bytes)?;
            shipped.finished.push(*generation);
            shipped.bytes += bytes.len() as u64;
            self.remember(&header, Some(*generation))?;
            next = Some(generation.0.saturating_add(1));
        }
        Ok(())
    }

    /// False: the file is another generation than was expected, so look again.
    fn ship_open(&mut self, found: &Found, shipped: &mut Shipped) -> Result<bool> {
        let Some(path) = &found.current else { return Ok(false) };
        let read =
            self.env.fs.open(path, OpenMode::Read).and_then(|file| read_whole(&self.env, &*file));
        let (header, bytes) = match read {
            // In the middle of going over to the next generation.
            Err(error) if error.code() == JetErr::FileNotFound => return Ok(false),
            read => read.map_err(|error| error.at_path(path))?,
        };
        self.check_stream(&header.signature)?;
        self.check_follows(&header, path)?;
        let generation = header.generation;
        match self.next() {
            Some(expected) if expected < generation.0 => {
                if found.finished.keys().any(|finished| finished.0 >= expected) {
                    return Ok(false);
                }
                // Once more: it may have been finished since the directory was listed.
                let again = self.find()?;
                return match again.finished.contains_key(&Generation(expected)) {
                    true => Ok(false),
                    false => Err(self.missing(Generation(expected))),
                };
            }
            // The file was opened after the directory was listed, so this is no race.
            Some(expected) if expected > generation.0 => {
                return Err(Error::new(
                    JetErr::LogGenerationMismatch,
                    format!("generations up to {:#x} were shipped already", expected - 1),
                )
                .at_path(path)
                .at_generation(generation)
                .advise("this is an older copy of the instance: ship into a new directory"));
            }
            _ => {}
        }
        let sum = crc32fast::hash(&bytes);
        if self.open == Some((generation, sum)) {
            return Ok(true);
        }
        self.to.write(&self.name_of(generation, path), &bytes)?;
        self.open = Some((generation, sum));
        shipped.open = Some(generation);
        shipped.bytes += bytes.len() as u64;
        self.remember(&header, None)?;
        Ok(true)
    }

    /// Is what was shipped still there, and what the instance has?
    fn look_after(&mut self, found: &Found, shipped: &mut Shipped) -> Result<()> {
        let Some(state) = &self.state else { return Ok(()) };
        let (low, finished) = (state.gen_low, state.gen_finished);
        let has_state = self.to.read(STATE_NAME)?.is_some();
        if self.uncompared == Some(0) && has_state && shipped.finished.is_empty() {
            return Ok(());
        }
        let names = self.to.names()?;
        let there = names.iter().filter_map(|name| {
            let (base, generation) = LogName::archive(name)?;
            base.eq_ignore_ascii_case(&self.base).then_some((generation, name.as_str()))
        });
        let there: BTreeMap<Generation, &str> = there.collect();
        let mut lost = Vec::new();
        for generation in (low..=finished).map(Generation).filter(|it| !there.contains_key(it)) {
            match found.finished.get(&generation) {
                Some(path) => self.ship_again(generation, path, None, shipped)?,
                None => lost.push(generation),
            }
        }
        self.begin_behind(&lost, shipped)?;
        if !has_state {
            self.write_state()?;
        }
        self.compare(found, &there, shipped)?;
        match self.open {
            Some((open, _)) if !there.contains_key(&open) && open.0 > finished => {
                self.open = None;
                self.ship_open(found, shipped).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Compares some of the generations that both sides have, one round of them in the life of a
    /// shipper. Each begins where the one before has left off.
    fn compare(
        &mut self,
        found: &Found,
        there: &BTreeMap<Generation, &str>,
        shipped: &mut Shipped,
    ) -> Result<()> {
        let Some(state) = self.state.as_ref().filter(|_| self.uncompared != Some(0)) else {
            return Ok(());
        };
        let of_before = Generation(state.gen_low)..=Generation(state.gen_finished);
        let of_before = found.finished.range(of_before);
        let both: Vec<(Generation, &Path, &str)> = of_before
            .filter(|(generation, _)| !shipped.finished.contains(generation))
            .filter_map(|(generation, path)| {
                Some((*generation, path.as_path(), *there.get(generation)?))
            })
            .collect();
        let next = both.partition_point(|(generation, ..)| generation.0 <= state.gen_compared);
        let left = self.uncompared.unwrap_or(both.len()).min(both.len());
        let (done, begin) = both.split_at(next);
        let mut last = None;
        for (generation, path, name) in begin.iter().chain(done).take(left.min(COMPARED_A_STEP)) {
            self.ship_again(*generation, path, Some(name), shipped)?;
            last = Some(*generation);
        }
        self.uncompared = Some(left.saturating_sub(COMPARED_A_STEP));
        let (Some(last), Some(state)) = (last, &mut self.state) else { return Ok(()) };
        state.gen_compared = last.0;
        self.write_state()
    }

    /// Ships a generation again unless it lies there as the instance has it.
    fn ship_again(
        &self,
        generation: Generation,
        path: &Path,
        name: Option<&str>,
        shipped: &mut Shipped,
    ) -> Result<()> {
        let (_, bytes) = match self.read(path, generation) {
            // Removed since it was listed.
            Err(error) if error.code() == JetErr::FileNotFound => return Ok(()),
            read => read?,
        };
        // What cannot be read is replaced like what is wrong.
        let there = name.and_then(|name| self.to.read(name).ok().flatten());
        if there.is_some_and(|there| there == bytes) {
            return Ok(());
        }
        let name = name.map_or_else(|| self.name_of(generation, path), str::to_owned);
        self.to.write(&name, &bytes)?;
        shipped.again.push(generation);
        shipped.bytes += bytes.len() as u64;
        Ok(())
    }

    /// The oldest generations may have been taken away: sets that were made since do not need them.
    /// One that is lost between others makes all behind it useless.
    fn begin_behind(&mut self, lost: &[Generation], shipped: &mut Shipped) -> Result<()> {
        let Some(state) = &mut self.state else { return Ok(()) };
        let oldest = lost.iter().zip(state.gen_low..).take_while(|(it, at)| it.0 == *at).count();
        if let Some(lost) = lost.get(oldest) {
            let name = LogNames::new("", &self.base).archive(*lost);
            let what = "it was shipped and is not there any more, nor in the log of the instance";
            return Err(Error::new(JetErr::MissingLogFile, what)
                .at_path(self.to.place(&name.to_string_lossy()))
                .at_generation(*lost)
                .advise("bring it back; or make a new backup, and ship into a new directory"));
        }
        let Some(last) = lost.last() else { return Ok(()) };
        state.gen_low = last.0.saturating_add(1);
        shipped.begins = Some(Generation(state.gen_low));
        self.write_state()
    }

    /// A finished generation, verified.
    fn read(&self, path: &Path, generation: Generation) -> Result<(LogHeader, Vec<u8>)> {
        let file = self.env.fs.open(path, OpenMode::Read)?;
        let (header, bytes) = read_whole(&self.env, &*file).map_err(|error| error.at_path(path))?;
        // A file that is not needed any more may be used again under another name.
        if header.generation != generation {
            return Err(Error::new(
                JetErr::FileNotFound,
                format!("the file holds generation {:#x} by now", header.generation.0),
            )
            .at_path(path)
            .at_generation(generation));
        }
        Ok((header, bytes))
    }

    /// The first generation that is not shipped whole; `None` if nothing was shipped.
    fn next(&self) -> Option<u32> {
        self.state.as_ref().map(|state| state.gen_low.max(state.gen_finished.saturating_add(1)))
    }

    /// The name of a finished generation, with the ending that the instance uses.
    fn name_of(&self, generation: Generation, like: &Path) -> String {
        let like = like.file_name().unwrap_or_default().to_string_lossy();
        let extension = LogName::parse(&like).map(|name| name.extension).unwrap_or_default();
        let name = LogNames::new("", &self.base).with_extension(extension).archive(generation);
        name.to_string_lossy().into_owned()
    }

    /// Logs that are there without a state belong to this stream, too, or are no logs at all: none
    /// of another is written over.
    fn check_stream(&self, signature: &Signature) -> Result<()> {
        let foreign = match &self.state {
            Some(state) if state.log_signature != signature_to_hex(signature) => STATE_NAME.into(),
            Some(_) => return Ok(()),
            None => match self.foreign_log(signature)? {
                Some(name) => name,
                None => return Ok(()),
            },
        };
        Err(Error::new(
            JetErr::BadLogSignature,
            "the destination holds the log of another instance, or of before a restore",
        )
        .at_path(self.to.place(&foreign))
        .advise("ship into a new directory, and make a backup to go with it"))
    }

    /// A log at the destination that is of another stream, or cannot be read.
    fn foreign_log(&self, signature: &Signature) -> Result<Option<String>> {
        for name in self.to.names()? {
            if LogName::archive(&name).is_none() {
                continue;
            }
            let Some(content) = self.to.read(&name)? else { continue };
            let header = content.first_chunk::<LOG_HEADER_LEN>();
            let header = header.and_then(|block| LogHeader::decode(block).ok());
            if header.is_none_or(|header| header.signature != *signature) {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// An instance that was put back may have come to the same generations on another way.
    fn check_follows(&self, header: &LogHeader, path: &Path) -> Result<()> {
        let Some(state) = &self.state else { return Ok(()) };
        let (before, after) = (&state.finished_created, header.previous_created.to_string());
        let next = header.generation.0 == state.gen_finished.saturating_add(1);
        if !next || before.is_empty() || *before == after {
            return Ok(());
        }
        Err(Error::new(
            JetErr::GivenLogFileIsNotContiguous,
            format!(
                "the generation before it was begun at {after}, the one that was shipped at \
                 {before}"
            ),
        )
        .at_path(path)
        .at_generation(header.generation)
        .advise(
            "the instance was put back and has gone another way: ship into a new directory, and \
             make a backup to go with it",
        ))
    }

    fn missing(&self, generation: Generation) -> Error {
        Error::new(JetErr::MissingLogFile, "the log was removed before it was shipped")
            .at_path(&self.dir)
            .at_generation(generation)
            .advise("make a new backup, and ship into a new directory")
    }

    fn remember(&mut self, header: &LogHeader, finished: Option<Generation>) -> Result<()> {
        let generation = header.generation.0;
        let before = self.state.take();
        let compared = before.as_ref().map_or(0, |state| state.gen_compared);
        let state = ShipState {
            format: FORMAT.to_owned(),
            version: VERSION,
            log_base: self.base.clone(),
            log_signature: signature_to_hex(&header.signature),
            gen_low: before.as_ref().map_or(generation, |state| state.gen_low),
            finished_created: match (finished, &before) {
                (Some(_), _) => header.created.to_string(),
                (None, Some(before)) => before.finished_created.clone(),
                (None, None) => String::new(),
            },
            gen_finished: finished
                .map_or(before.map_or(0, |state| state.gen_finished), |generation| generation.0),
            gen_open: generation.saturating_add(u32::from(finished.is_some())),
            gen_compared: compared,
            shipped: self.env.clock.log_time().to_string(),
        };
        self.state = Some(state);
        self.write_state()
    }

    fn write_state(&self) -> Result<()> {
        let text = serde_json::to_vec_pretty(&self.state)
            .map_err(|error| Error::new(JetErr::InternalError, format!("ship state: {error}")))?;
        self.to.write(STATE_NAME, &text)
    }
}

/// Nothing but logs of this name is there: another file would be lost, or is an instance's.
fn check_new(to: &dyn ShipDestination, base: &str) -> Result<()> {
    let ours = |name: &String| {
        let parts = LogName::archive(name);
        parts.is_some_and(|(own, _)| own.eq_ignore_ascii_case(base))
    };
    match to.names()?.into_iter().find(|name| !ours(name)) {
        None => Ok(()),
        Some(name) => Err(Error::new(
            JetErr::BackupDirectoryNotEmpty,
            format!("the destination holds \"{name}\", which was not shipped"),
        )
        .at_path(to.place(&name))
        .advise("ship into a new directory")),
    }
}

fn parse(text: &[u8]) -> Result<ShipState> {
    let wrong = |what: String| {
        Error::new(JetErr::FileInvalidType, what).advise("ship into a new directory")
    };
    let state: ShipState = serde_json::from_slice(text)
        .map_err(|error| wrong(format!("not what `ese ship` writes: {error}")))?;
    if state.format != FORMAT || state.version != VERSION || state.gen_low == 0 {
        return Err(wrong(format!("expected {FORMAT} of version {VERSION}")));
    }
    Ok(state)
}

/// A log file as it is at some moment: see the head of this module.
fn read_whole(env: &Env, file: &dyn File) -> Result<(LogHeader, Vec<u8>)> {
    let len = file.len()?;
    let first = LogHeader::read(file)?;
    if len != first.file_len() || len > FILE_LEN_MAX {
        return Err(Error::new(
            JetErr::LogFileSizeMismatch,
            format!("the log has {len} bytes, its header says {}", first.file_len()),
        )
        .at_generation(first.generation));
    }
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
    for (isec, segment) in bytes.chunks_mut(LOG_SEGMENT_LEN).enumerate().skip(1).rev() {
        read_segment(env, file, isec as u64, segment)
            .map_err(|error| error.at_generation(first.generation))?;
    }
    file.read_at(bytes.get_mut(..LOG_HEADER_LEN).unwrap_or_default(), 0)?;
    let last = LogHeader::read(file)?;
    if (last.generation, last.created) == (first.generation, first.created) {
        return Ok((last, bytes));
    }
    // The file was used again while it was read.
    Err(Error::new(JetErr::FileNotFound, "the generation was removed while it was read")
        .at_generation(first.generation))
}

fn read_segment(env: &Env, file: &dyn File, isec: u64, segment: &mut [u8]) -> Result<()> {
    let mut tries = 0;
    loop {
        file.read_at(segment, isec * LOG_SEGMENT_LEN as u64)?;
        match verify_segment(segment, isec) {
            Ok(()) => return Ok(()),
            // It may be half written at this moment.
            Err(_) if tries < TRIES => {
                tries += 1;
                env.clock.sleep(std::time::Duration::from_millis(1));
            }
            Err(what) => {
                return Err(Error::new(JetErr::LogReadVerifyFailure, what)
                    .advise("the log is damaged: make a full backup after a clean shutdown"));
            }
        }
    }
}
