//! Logs by what they are: files of any name, in any directories, put together into streams by
//! signature and chain (backup-log-recovery 1.4).
//!
//! Beside the files of a stream there may be copies of them, older generations that wait to be used
//! again, logs of other streams under the same names, and logs of another history: a stream that
//! was copied and written on in two places. The header of a generation says when the one before was
//! begun, and in newer formats what it holds; that decides. Where nothing decides between two files
//! that differ, the generation cannot be used, and the error names both.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::Bound,
    path::{Path, PathBuf},
};

use ese_base::{Error, Generation, JetErr, LogTime, Result, Signature};
use ese_os::{Env, OpenMode, parent_of};

use super::{
    records::StreamReader,
    segments::{Role, Segments},
    stream::{LogFile, LogStream, Situation},
};
use crate::{
    LogNames,
    layout::{Framing, LogHeader, SEGMENT_LEN},
    names::{LogName, NameKind},
};

/// What the name of a log says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogRole {
    /// A finished generation, under its number.
    Archive,
    /// The one that is being written (`edb.log`).
    Current,
    /// Made in advance, or waiting to be used again (`edbtmp.log`): not part of the stream unless a
    /// roll was not finished.
    Temporary,
    /// A name that no engine gives: a copy, for instance. No start of an instance looks at it.
    Other,
}

impl LogRole {
    /// The role of a file, whatever its stream is called.
    #[must_use]
    pub fn of(path: &Path) -> LogRole {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match LogName::parse(&name).map(|name| name.kind) {
            Some(NameKind::Archive { .. }) => LogRole::Archive,
            Some(NameKind::Current) => LogRole::Current,
            Some(NameKind::Temporary) => LogRole::Temporary,
            Some(NameKind::Reserve) | None => LogRole::Other,
        }
    }
}

impl fmt::Display for LogRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LogRole::Archive => "archive",
            LogRole::Current => "current",
            LogRole::Temporary => "temporary",
            LogRole::Other => "other name",
        })
    }
}

/// All log files of some places.
#[derive(Debug)]
pub struct LogPool {
    env: Env,
    places: Vec<PathBuf>,
    files: Vec<LogFile>,
    damaged: Vec<Error>,
}

/// Which stream is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Its signature.
    pub signature: Signature,
    /// A generation and when it was begun: decides between two histories.
    pub known: Option<(Generation, LogTime)>,
}

/// A log file of the wanted stream that is not used.
#[derive(Clone, Debug)]
pub struct LeftAside {
    /// The file.
    pub path: PathBuf,
    /// What its header says.
    pub generation: Generation,
    /// Why.
    pub why: String,
}

impl LogPool {
    /// Looks at every file of these directories (and at these files), and keeps the logs. What in
    /// a directory is called like a log and cannot be read is noted; the others may be all that is
    /// needed.
    ///
    /// # Errors
    /// The file system's, of listing a directory or reading a file that was named.
    pub fn gather(env: &Env, places: &[PathBuf]) -> Result<LogPool> {
        let mut pool = LogPool {
            env: env.clone(),
            places: places.to_vec(),
            files: Vec::new(),
            damaged: Vec::new(),
        };
        for place in places {
            match env.fs.list(place) {
                Ok(entries) => {
                    for entry in entries {
                        pool.look_at_entry(place.join(entry.name), entry.is_dir);
                    }
                    for path in env.fs.oddly_named(place)? {
                        pool.look_at(path)?;
                    }
                }
                Err(error) if env.fs.exists(place)? => {
                    // A file; what cannot be listed and is none fails here, too.
                    pool.look_at(place.clone()).map_err(|_| error)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(pool)
    }

    fn look_at_entry(&mut self, path: PathBuf, is_dir: bool) {
        if !is_dir {
            let looked = self.look_at(path);
            self.damaged.extend(looked.err());
        } else if named_as_log(&path) {
            let what = "a directory is called like a log";
            self.damaged.push(Error::new(JetErr::FileAccessDenied, what).at_path(path));
        }
    }

    fn look_at(&mut self, path: PathBuf) -> Result<()> {
        let named_as_log = named_as_log(&path);
        let is_temporary = LogRole::of(&path) == LogRole::Temporary;
        let file = match LogFile::read(&self.env, path) {
            Ok(file) => file,
            // Others may keep what is no log to themselves.
            Err(_) if !named_as_log => return Ok(()),
            Err(error) => return Err(error),
        };
        match file.header() {
            Ok(_) => self.files.push(file),
            // One that is made in advance has no header yet.
            Err(error) if named_as_log && !is_temporary => self.damaged.push(error),
            Err(_) => {}
        }
        Ok(())
    }

    /// Where it was looked.
    #[must_use]
    pub fn places(&self) -> &[PathBuf] {
        &self.places
    }

    /// Are there no logs?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The logs, with their headers.
    pub fn files(&self) -> impl Iterator<Item = (&LogFile, &LogHeader)> {
        self.files.iter().filter_map(|file| Some((file, file.header().ok()?)))
    }

    /// Are two files of one generation copies: do the records of one begin with all of the other?
    #[must_use]
    pub fn are_copies(&self, one: &LogFile, other: &LogFile) -> bool {
        !matches!(self.compare(one, other), Compared::Differ(_))
    }

    /// Files that are called like logs and are none that can be read, with the reason.
    #[must_use]
    pub fn damaged(&self) -> &[Error] {
        &self.damaged
    }

    /// The same, when nothing else is wanted any more.
    #[must_use]
    pub fn into_damaged(self) -> Vec<Error> {
        self.damaged
    }

    /// The streams of which there are logs, each once.
    #[must_use]
    pub fn signatures(&self) -> Vec<Signature> {
        let mut found: Vec<Signature> = Vec::new();
        for (_, header) in self.files() {
            if !found.contains(&header.signature) {
                found.push(header.signature);
            }
        }
        found
    }

    /// Puts the wanted stream together. What is wrong with a generation is said when it is read:
    /// a missing one, one of which there are two, one that does not follow on the one before.
    ///
    /// # Errors
    /// `JET_errMissingLogFile` (-528): there is no log at all. `JET_errBadLogSignature` (-530):
    /// there are logs, and none of this stream. The file system's.
    pub fn stream(&self, wanted: &Wanted) -> Result<(LogStream, Vec<LeftAside>)> {
        let mut by_generation: BTreeMap<Generation, Vec<&LogFile>> = BTreeMap::new();
        for (file, header) in self.files() {
            if header.signature == wanted.signature {
                by_generation.entry(header.generation).or_default().push(file);
            }
        }
        if by_generation.is_empty() {
            return Err(self.no_stream(wanted));
        }
        let mut choice = Choice { pool: self, groups: BTreeMap::new(), aside: Vec::new() };
        for (generation, files) in &by_generation {
            choice.group(*generation, files)?;
        }
        let chosen = choice.walk(wanted);
        let mut aside = choice.aside;
        aside.extend(self.of_other_streams(wanted));
        let mut archives = chosen;
        let last = archives.pop_last().map(|(_, file)| file);
        let names = names_of(last.as_ref());
        let env = self.env.clone();
        Ok((LogStream { env, names, archives, last, situation: Situation::Current }, aside))
    }

    fn of_other_streams(&self, wanted: &Wanted) -> impl Iterator<Item = LeftAside> {
        let others = self.files().filter(|(_, header)| header.signature != wanted.signature);
        others.map(|(file, header)| LeftAside {
            path: file.path.clone(),
            generation: header.generation,
            why: format!("of another stream, {}", header.signature),
        })
    }

    fn no_stream(&self, wanted: &Wanted) -> Error {
        if let Some(error) = self.damaged.first().filter(|_| self.files.is_empty()) {
            return error.clone();
        }
        let Some(other) = self.files.first() else {
            return Error::new(JetErr::MissingLogFile, "there is no log to recover from")
                .advise("name the directory that holds the log files");
        };
        let signature = other.header().map_or(Signature::NULL, |header| header.signature);
        let what =
            format!("the logs here are of stream {signature}, wanted is {}", wanted.signature);
        Error::new(JetErr::BadLogSignature, what)
            .at_path(&other.path)
            .advise("bring the logs of the database together with it")
    }

    /// How the records of two files of one generation compare.
    fn compare(&self, one: &LogFile, other: &LogFile) -> Compared {
        let mut one = StreamReader::of_file(&self.env, one);
        let mut other = StreamReader::of_file(&self.env, other);
        let (mut left, mut right) = (Vec::new(), Vec::new());
        loop {
            let place = one.position();
            match (step(&mut one, &mut left), step(&mut other, &mut right)) {
                (false, false) => return Compared::Equal,
                (true, false) => return Compared::Longer,
                (false, true) => return Compared::Shorter,
                (true, true) if left == right => {}
                (true, true) => return Compared::Differ(place),
            }
        }
    }
}

/// XOR of the checksums of a file's segments.
fn sum_of(env: &Env, file: &LogFile, header: &LogHeader) -> Result<u64> {
    if header.framing()? != Framing::Segments {
        return Ok(0);
    }
    let handle = env.fs.open(&file.path, OpenMode::Read)?;
    let mut segments = Segments::new(handle, header, Role::Last);
    let mut segment = Box::new([0; SEGMENT_LEN]);
    while segments.next(&mut segment)?.is_some() {}
    Ok(segments.sum())
}

/// Does a log hold what the next generation says that it was begun after? Reads it.
///
/// # Errors
/// `JET_errLogSequenceChecksumMismatch` (-590): it does not; the file system's.
pub fn check_successor(env: &Env, file: &LogFile, next: &LogHeader) -> Result<()> {
    let header = file.header()?;
    if !next.version.has_previous_checksum() || next.previous_checksum == 0 {
        return Ok(());
    }
    let sum = sum_of(env, file, header)?;
    if sum == next.previous_checksum {
        return Ok(());
    }
    let what = format!(
        "the segments' checksums XOR to {sum:016x}, the next generation says {:016x}",
        next.previous_checksum
    );
    Err(Error::new(JetErr::LogSequenceChecksumMismatch, what)
        .at_path(&file.path)
        .at_generation(header.generation)
        .advise("bring the log that belongs there: this one is damaged, or another state of it"))
}

/// Takes the next record's bytes, with its position in front; false at the end.
fn step(reader: &mut StreamReader<'_>, bytes: &mut Vec<u8>) -> bool {
    bytes.clear();
    let Ok(Some(entry)) = reader.next() else { return false };
    bytes.extend_from_slice(&entry.pos.isec.to_le_bytes());
    bytes.extend_from_slice(&entry.pos.ib.to_le_bytes());
    entry.record.encode(bytes).is_ok()
}

enum Compared {
    Equal,
    Longer,
    Shorter,
    Differ(ese_base::LgPos),
}

impl Group<'_> {
    /// Was the next generation begun after this?
    fn leads_to(&self, next: &LogHeader) -> bool {
        self.created == next.previous_created
            && self.sum.is_none_or(|sum| sum == next.previous_checksum)
    }
}

/// The files of one generation that were begun at the same time; of those that several successors
/// were begun after, each its own.
struct Group<'p> {
    created: LogTime,
    /// XOR of the checksums, where it tells histories apart that were begun alike.
    sum: Option<u64>,
    best: std::result::Result<&'p LogFile, Error>,
    header: &'p LogHeader,
}

struct Choice<'p> {
    pool: &'p LogPool,
    groups: BTreeMap<Generation, Vec<Group<'p>>>,
    aside: Vec<LeftAside>,
}

impl<'p> Choice<'p> {
    /// Sorts the files of one generation by the time it was begun.
    fn group(&mut self, generation: Generation, files: &[&'p LogFile]) -> Result<()> {
        let mut groups: Vec<Group<'p>> = Vec::new();
        let mut files: Vec<&'p LogFile> = files.to_vec();
        // Files with the name of their generation first, so that of equal ones they are taken.
        files.sort_by_key(|file| (LogRole::of(&file.path), file.path.clone()));
        for file in files {
            let header = file.header()?;
            let created = header.created;
            let sum = match self.known_sums(generation, created)[..] {
                [] | [_] => None,
                // The stream forked behind it.
                _ => Some(sum_of(&self.pool.env, file, header)?),
            };
            let alike = |group: &Group<'_>| (group.created, group.sum) == (created, sum);
            match groups.iter().position(alike) {
                None => groups.push(Group { created, sum, best: Ok(file), header }),
                Some(place) => {
                    let group = groups.remove(place);
                    let better = self.better(generation, group, file)?;
                    groups.insert(place, better);
                }
            }
        }
        self.groups.insert(generation, groups);
        Ok(())
    }

    /// Of two files that begin alike.
    fn better(
        &mut self,
        generation: Generation,
        group: Group<'p>,
        other: &'p LogFile,
    ) -> Result<Group<'p>> {
        let Ok(best) = group.best else { return Ok(group) };
        let header = other.header()?;
        let known = group.sum.or(self.known_sums(generation, group.created).first().copied());
        let sums =
            (sum_of(&self.pool.env, best, group.header)?, sum_of(&self.pool.env, other, header)?);
        let (keep, drop, why) = match (known, self.pool.compare(best, other)) {
            (Some(sum), _) if sums.0 == sum && sums.1 != sum => {
                (best, other, "it does not hold what the next generation was begun after")
            }
            (Some(sum), _) if sums.1 == sum && sums.0 != sum => {
                (other, best, "it does not hold what the next generation was begun after")
            }
            (_, Compared::Equal) => (best, other, "a copy of the one that is used"),
            (_, Compared::Longer) => (best, other, "an older copy, which ends earlier"),
            (_, Compared::Shorter) => (other, best, "an older copy, which ends earlier"),
            (_, Compared::Differ(place)) => {
                let what = format!(
                    "there are two of this generation that differ from {place} on: {} and {}",
                    best.path.display(),
                    other.path.display()
                );
                let error = Error::new(JetErr::InvalidLogSequence, what)
                    .at_path(&other.path)
                    .at_generation(generation)
                    .advise("take away the one that is not of this database");
                return Ok(Group { best: Err(error), ..group });
            }
        };
        self.set_aside(drop, generation, why);
        Ok(Group { best: Ok(keep), header: keep.header()?, ..group })
    }

    /// What the successors of a generation say that it holds.
    fn known_sums(&self, generation: Generation, created: LogTime) -> Vec<u64> {
        let next = self.pool.files().map(|(_, header)| header).filter(|next| {
            next.generation == generation.next()
                && next.previous_created == created
                && next.version.has_previous_checksum()
        });
        let sums: BTreeSet<u64> =
            next.map(|next| next.previous_checksum).filter(|sum| *sum != 0).collect();
        sums.into_iter().collect()
    }

    fn set_aside(&mut self, file: &LogFile, generation: Generation, why: &str) {
        self.aside.push(LeftAside { path: file.path.clone(), generation, why: why.to_owned() });
    }

    /// Goes along the chain, both ways from a generation that is sure.
    fn walk(&mut self, wanted: &Wanted) -> BTreeMap<Generation, LogFile> {
        let mut chosen: BTreeMap<Generation, usize> = BTreeMap::new();
        let Some(&newest) = self.groups.keys().next_back() else { return BTreeMap::new() };
        let known = wanted.known.filter(|(generation, created)| {
            let groups = self.groups.get(generation);
            groups.is_some_and(|groups| groups.iter().any(|group| group.created == *created))
        });
        let (anchor, created) = known.unwrap_or((newest, LogTime::NULL));
        if let Some(place) = self.one_of(anchor, |group| group.created == created) {
            chosen.insert(anchor, place);
        }
        let lower: Vec<Generation> = self.groups.range(..anchor).rev().map(|(g, _)| *g).collect();
        for generation in lower {
            let next = self.header_of(&chosen, generation.next());
            let fits = |group: &Group<'_>| next.is_some_and(|next| group.leads_to(next));
            if let Some(place) = self.one_of(generation, fits) {
                chosen.insert(generation, place);
            }
        }
        let above = (Bound::Excluded(anchor), Bound::Unbounded);
        let higher: Vec<Generation> = self.groups.range(above).map(|(g, _)| *g).collect();
        for generation in higher {
            let before = self.header_of(&chosen, generation.before());
            let created = before.map(|header| header.created);
            let fits = |group: &Group<'_>| Some(group.header.previous_created) == created;
            if let Some(place) = self.one_of(generation, fits) {
                chosen.insert(generation, place);
            }
        }
        self.take(&chosen)
    }

    fn header_of(
        &self,
        chosen: &BTreeMap<Generation, usize>,
        generation: Generation,
    ) -> Option<&'p LogHeader> {
        let place = *chosen.get(&generation)?;
        self.groups.get(&generation)?.get(place).map(|group| group.header)
    }

    /// The group that fits, or the only one there is; where several fit, the first, which is then
    /// marked: nothing says which of them is meant.
    fn one_of(
        &mut self,
        generation: Generation,
        fits: impl Fn(&Group<'_>) -> bool,
    ) -> Option<usize> {
        let groups = self.groups.get_mut(&generation)?;
        let mut fitting = (0..groups.len()).filter(|place| groups.get(*place).is_some_and(&fits));
        let (first, second) = (fitting.next(), fitting.next());
        let (place, other) = match (first, second) {
            (Some(first), None) => return Some(first),
            (Some(first), Some(second)) => (first, second),
            (None, _) if groups.len() == 1 => return Some(0),
            (None, _) => (0, 1),
        };
        let begun = |place: usize| groups.get(place).map(|group| group.created);
        let what = format!(
            "there are two of this generation, of different histories: begun at {} and at {}",
            begun(place)?,
            begun(other)?
        );
        let error = Error::new(JetErr::InvalidLogSequence, what)
            .at_generation(generation)
            .advise("take away the logs that are not of this database");
        if let Some(group) = groups.get_mut(place) {
            group.best = Err(error);
        }
        Some(place)
    }

    fn take(&mut self, chosen: &BTreeMap<Generation, usize>) -> BTreeMap<Generation, LogFile> {
        let mut files = BTreeMap::new();
        for (generation, groups) in std::mem::take(&mut self.groups) {
            let place = chosen.get(&generation).copied();
            for (index, group) in groups.into_iter().enumerate() {
                match (group.best, Some(index) == place) {
                    (Ok(file), true) => drop(files.insert(generation, file.clone())),
                    (Err(error), true) => {
                        drop(files.insert(generation, unusable(group.header, error)));
                    }
                    (Ok(file), false) => {
                        self.set_aside(file, generation, "of another history of the stream");
                    }
                    (Err(_), false) => {}
                }
            }
        }
        files
    }
}

/// A generation that is there and cannot be used.
fn unusable(header: &LogHeader, error: Error) -> LogFile {
    let path = error.path().map(Path::to_path_buf).unwrap_or_default();
    LogFile::without_header(path, header.file_len(), error)
}

/// Is the file called like a log of any stream?
fn named_as_log(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| matches!(ending.as_str(), "log" | "jtx"))
}

fn names_of(last: Option<&LogFile>) -> LogNames {
    let path = last.map(|file| file.path.clone()).unwrap_or_default();
    let dir = parent_of(&path);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    LogNames::new(dir, LogName::parse(&name).map_or("edb", |name| name.base))
}
