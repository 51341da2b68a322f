//! The files of a log stream in a directory, and what their presence means (backup-log-recovery
//! 3.2).

use std::{collections::BTreeMap, path::PathBuf};

use ese_base::{Error, ErrorKind, Generation, JetErr, LgPos, Result, Signature};
use ese_os::{Env, OpenMode};

use super::records::StreamReader;
use crate::{
    Extension, LogNames,
    layout::{LogHeader, SEGMENT_HEADER_LEN},
    names::{LogName, NameKind},
};

/// One log file.
#[derive(Clone, Debug)]
pub struct LogFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its length in bytes.
    pub len: u64,
    header: Result<LogHeader>,
}

impl LogFile {
    /// Opens a file and reads its header; a header that cannot be used is kept as an error.
    ///
    /// # Errors
    /// When the file cannot be opened or read at all.
    pub fn read(env: &Env, path: PathBuf) -> Result<LogFile> {
        let file = env.fs.open(&path, OpenMode::Read)?;
        let len = file.len()?;
        match LogHeader::read(&*file).map_err(|error| error.at_path(&path)) {
            Err(error) if error.kind() == ErrorKind::Io => Err(error),
            header => Ok(LogFile { header, path, len }),
        }
    }

    /// One that is there and cannot be used.
    pub(super) fn without_header(path: PathBuf, len: u64, why: Error) -> LogFile {
        LogFile { path, len, header: Err(why) }
    }

    /// Its header.
    ///
    /// # Errors
    /// Why it cannot be used (see [`LogHeader::decode`]).
    pub fn header(&self) -> Result<&LogHeader> {
        match &self.header {
            Ok(header) => Ok(header),
            Err(error) => Err(error.clone()),
        }
    }

    /// Its header, after checking what must hold for a file that is read.
    ///
    /// # Errors
    /// As [`LogFile::header`]; `JET_errLogFileSizeMismatch` (-541): the file has another length
    /// than its header says.
    pub fn checked_header(&self) -> Result<&LogHeader> {
        let header = self.header()?;
        if header.file_len() != self.len {
            return Err(Error::new(
                JetErr::LogFileSizeMismatch,
                format!("the file has {} bytes, its header says {}", self.len, header.file_len()),
            )
            .at_path(&self.path)
            .at_generation(header.generation));
        }
        Ok(header)
    }

    /// Do the records go as far as a position of this generation? It may be the place of the next
    /// record as well, which is in the next segment where the last one is full. The file is read.
    ///
    /// # Errors
    /// As [`StreamReader::next`].
    pub fn reaches(&self, env: &Env, pos: LgPos) -> Result<bool> {
        let mut reader = StreamReader::of_file(env, self);
        while reader.next()?.is_some() {}
        let end = reader.position();
        let begins_segment = usize::from(pos.ib) <= SEGMENT_HEADER_LEN;
        Ok(pos <= end || begins_segment && pos.isec == end.isec.saturating_add(1))
    }
}

/// What the files in the directory mean for a start (backup-log-recovery 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Situation {
    /// No log: a new stream begins. (A temporary file alone carries nothing.)
    Empty,
    /// There is a current log.
    Current,
    /// No current log, but the temporary file holds the generation after the newest archive: a
    /// crash in the middle of a roll. Nothing is missing; resuming finishes the roll.
    UnfinishedRoll,
    /// Archives without a current log. By default that is `JET_errMissingLogFile` (-528); whoever
    /// accepts the loss goes on behind the newest archive.
    CurrentMissing,
}

/// The files of one stream.
#[derive(Debug)]
pub struct LogStream {
    pub(super) env: Env,
    pub(super) names: LogNames,
    pub(super) archives: BTreeMap<Generation, LogFile>,
    /// `edb.log`, or `edbtmp.log` after an unfinished roll.
    pub(super) last: Option<LogFile>,
    pub(super) situation: Situation,
}

impl LogStream {
    /// Finds the files of a base name in a directory. Names tell which files to look at, headers
    /// tell what they are. A damaged header is no error before its generation is wanted.
    ///
    /// # Errors
    /// Whatever the file system answers; `JET_errFileAccessDenied` (-1032): a directory has the
    /// name of a file that the log writes.
    pub fn scan(env: &Env, names: &LogNames) -> Result<LogStream> {
        let found = found_names(env, names)?;
        // A stream uses one ending throughout; the current log says which.
        let extension = [NameKind::Current, NameKind::Temporary]
            .iter()
            .find_map(|kind| found.iter().find(|f| f.kind == *kind).map(|f| f.extension))
            .or_else(|| found.first().map(|f| f.extension))
            .unwrap_or_default();
        let mut archives = BTreeMap::new();
        let (mut current, mut temporary) = (None, None);
        let mut long_numbers = !found.is_empty();
        for name in found.into_iter().filter(|f| f.extension == extension) {
            let file = LogFile::read(env, names.dir().join(&name.name))?;
            match name.kind {
                NameKind::Current => current = Some(file),
                NameKind::Temporary => temporary = Some(file),
                NameKind::Archive { generation, long } => {
                    long_numbers &= long;
                    archives.insert(generation, check_number(file, generation));
                }
                // Those are not among the found.
                NameKind::Reserve => {}
            }
        }
        long_numbers &= !archives.is_empty();
        let names = names.clone().with_extension(extension).with_long_numbers(long_numbers);
        let (last, situation) = match (current, archives.last_key_value()) {
            (Some(current), _) => (Some(current), Situation::Current),
            (None, None) => (None, Situation::Empty),
            (None, Some((_, newest))) => match temporary.filter(|next| follows(next, newest)) {
                Some(next) => (Some(next), Situation::UnfinishedRoll),
                None => (None, Situation::CurrentMissing),
            },
        };
        Ok(LogStream { env: env.clone(), names, archives, last, situation })
    }

    /// What the files mean.
    #[must_use]
    pub fn situation(&self) -> Situation {
        self.situation
    }

    /// How the files are called.
    #[must_use]
    pub fn names(&self) -> &LogNames {
        &self.names
    }

    /// The finished generations on disk.
    pub fn archives(&self) -> impl DoubleEndedIterator<Item = (Generation, &LogFile)> {
        self.archives.iter().map(|(generation, file)| (*generation, file))
    }

    /// The current log (after an unfinished roll, the file that will be it).
    #[must_use]
    pub fn current(&self) -> Option<&LogFile> {
        self.last.as_ref()
    }

    /// The header of the newest generation: it names stream, page size and file size.
    ///
    /// # Errors
    /// `JET_errMissingLogFile` (-528) if there is no log; why the header cannot be used.
    pub fn newest_header(&self) -> Result<&LogHeader> {
        match self.last.as_ref().or_else(|| self.archives.values().next_back()) {
            Some(file) => file.header(),
            None => Err(self.missing("there is no log file")),
        }
    }

    pub(super) fn newest_path(&self) -> PathBuf {
        let newest = self.last.as_ref().or_else(|| self.archives.values().next_back());
        newest.map_or_else(|| self.names.current(), |file| file.path.clone())
    }

    /// The header of a generation.
    ///
    /// # Errors
    /// `JET_errMissingLogFile` (-528) if it is not on disk; why the header cannot be used.
    pub fn header_of(&self, generation: Generation) -> Result<&LogHeader> {
        match self.last.as_ref().map(LogFile::header) {
            Some(Ok(header)) if header.generation == generation => return Ok(header),
            // What is wrong with the file in its place.
            Some(Err(error)) if self.last_present().is_ok_and(|last| last == generation) => {
                return Err(error);
            }
            _ => {}
        }
        match self.archives.get(&generation) {
            Some(file) => file.header(),
            None => Err(self
                .missing("the log file of this generation is not on disk")
                .at_generation(generation)),
        }
    }

    /// The stream's signature.
    ///
    /// # Errors
    /// As [`LogStream::newest_header`].
    pub fn signature(&self) -> Result<Signature> {
        Ok(self.newest_header()?.signature)
    }

    /// The newest generation.
    ///
    /// # Errors
    /// As [`LogStream::newest_header`].
    pub fn newest(&self) -> Result<Generation> {
        Ok(self.newest_header()?.generation)
    }

    /// The oldest generation from which on none is missing up to the newest.
    ///
    /// # Errors
    /// As [`LogStream::newest_header`].
    pub fn oldest(&self) -> Result<Generation> {
        let mut oldest = self.newest()?;
        while let Some(before) = oldest.0.checked_sub(1).map(Generation)
            && self.archives.contains_key(&before)
        {
            oldest = before;
        }
        Ok(oldest)
    }

    /// Reads records from a position on (from the start of its generation if it has no segment).
    ///
    /// # Errors
    /// `JET_errMissingLogFile` (-528): a generation from there on is not on disk, or there is none
    /// at all. Headers are checked when their file is reached.
    pub fn reader(&self, from: LgPos) -> Result<StreamReader<'_>> {
        let newest = self.newest()?;
        if from.generation > newest || from.generation.0 == 0 {
            return Err(self
                .missing("the log file to start at is not on disk")
                .at_generation(from.generation));
        }
        let mut files = Vec::new();
        for generation in (from.generation.0..=newest.0).map(Generation) {
            let last = self.last.as_ref().filter(|_| generation == newest);
            match last.or_else(|| self.archives.get(&generation)) {
                Some(file) => files.push(file),
                None => {
                    return Err(self
                        .missing("a log file is missing while later ones are there")
                        .at_generation(generation));
                }
            }
        }
        StreamReader::new(self, files, from)
    }

    fn missing(&self, what: &'static str) -> Error {
        Error::new(JetErr::MissingLogFile, what).at_path(self.names.dir())
    }
}

struct FoundName {
    name: String,
    kind: NameKind,
    extension: Extension,
}

fn found_names(env: &Env, names: &LogNames) -> Result<Vec<FoundName>> {
    let mut found = Vec::new();
    for entry in env.fs.list(names.dir())? {
        let parsed = LogName::parse(&entry.name).filter(|name| name.is_of(names.base()));
        if entry.is_dir && parsed.is_some() {
            // Found out later, when files next to it have been written or removed.
            let what = "a directory stands where the log has a file";
            return Err(Error::new(JetErr::FileAccessDenied, what)
                .at_path(names.dir().join(entry.name))
                .advise("move the directory elsewhere"));
        }
        if let Some(LogName { kind, extension, .. }) = parsed
            && kind != NameKind::Reserve
        {
            found.push(FoundName { name: entry.name, kind, extension });
        }
    }
    Ok(found)
}

/// The generation in an archive's name must be that of its header.
fn check_number(mut file: LogFile, generation: Generation) -> LogFile {
    if let Ok(header) = &file.header
        && header.generation != generation
    {
        file.header = Err(Error::new(
            JetErr::LogGenerationMismatch,
            format!(
                "the name says generation {:#x}, the header {:#x}",
                generation.0, header.generation.0
            ),
        )
        .at_path(&file.path));
    }
    file
}

/// Is `next` the generation that was begun after `newest`?
fn follows(next: &LogFile, newest: &LogFile) -> bool {
    match (&next.header, &newest.header) {
        (Ok(next), Ok(newest)) => next.follows(newest.id()),
        _ => false,
    }
}
