//! The logs of a directory as they are: which streams there are, what follows what, where
//! something is missing, and where two files say that they are the same generation.
//!
//! Files are told by their headers; their names only say which part they play. Nothing is written,
//! and nothing is refused: a file that cannot be read is shown with its reason.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use ese_base::{Dbid, Error, Generation, JetErr, LgPos, Pgno, Result, StopToken};
use ese_log::{Entry, LogFile, LogHeader, LogNames, LogStream, StreamReader};
use ese_os::Env;

use crate::restore::find_base;

/// What the name of a log says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogRole {
    /// The one that is being written (`edb.log`).
    Current,
    /// A finished generation, under its number.
    Archive,
    /// Made in advance, or waiting to be used again (`edbtmp.log`): not part of the stream unless a
    /// roll was not finished.
    Temporary,
    /// A name that no engine gives: a copy, for instance. No recovery looks at it.
    Other,
}

impl fmt::Display for LogRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LogRole::Current => "current",
            LogRole::Archive => "archive",
            LogRole::Temporary => "temporary",
            LogRole::Other => "other name",
        })
    }
}

/// How a file stands to the file of the generation before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLink {
    /// There is none before: the oldest generation here.
    First,
    /// It goes on where the one before ends.
    Follows,
    /// Generations before it are missing here.
    Gap {
        /// The last one that is there.
        after: Generation,
    },
    /// It names another generation before than the one that is here: the stream forked.
    Fork,
    /// Another file of the same generation was begun at the same moment: a copy.
    Copy,
}

impl fmt::Display for LogLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogLink::First => f.write_str("first"),
            LogLink::Follows => f.write_str("follows"),
            LogLink::Gap { after } => write!(f, "GAP after {:#x}", after.0),
            LogLink::Fork => f.write_str("FORK"),
            LogLink::Copy => f.write_str("copy"),
        }
    }
}

/// A log of a stream.
#[derive(Debug)]
pub struct ChainLink {
    /// The file.
    pub file: LogFile,
    /// Its header.
    pub header: LogHeader,
    /// What its name says.
    pub role: LogRole,
    /// How it stands to the one before.
    pub link: LogLink,
}

/// The logs with one signature, by generation.
#[derive(Debug)]
pub struct LogChain {
    /// The signature, as text.
    pub signature: String,
    /// The files.
    pub links: Vec<ChainLink>,
}

impl LogChain {
    /// Does every generation follow the one before, each once? Temporary files and files with other
    /// names do not count.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let counted = |link: &&ChainLink| matches!(link.role, LogRole::Current | LogRole::Archive);
        let mut counted = self.links.iter().filter(counted);
        counted.all(|link| matches!(link.link, LogLink::First | LogLink::Follows))
    }
}

/// All logs of a directory.
#[derive(Debug)]
pub struct LogPicture {
    /// The streams, by signature.
    pub chains: Vec<LogChain>,
    /// Files that are called like logs and have no header that can be read.
    pub unreadable: Vec<(PathBuf, Error)>,
}

/// Looks at all logs of a directory.
///
/// # Errors
/// The file system's.
pub fn look_at_logs(env: &Env, dir: &Path) -> Result<LogPicture> {
    let mut chains: BTreeMap<String, Vec<ChainLink>> = BTreeMap::new();
    let mut unreadable = Vec::new();
    for entry in env.fs.list(dir)?.into_iter().filter(|entry| !entry.is_dir) {
        let Some(role) = role_of(&entry.name) else { continue };
        let path = dir.join(&entry.name);
        let read = LogFile::read(env, path.clone()).and_then(|file| {
            let header = file.header()?.clone();
            Ok((file, header))
        });
        match read {
            Ok((file, header)) => {
                let stream = chains.entry(header.signature.to_string()).or_default();
                stream.push(ChainLink { file, header, role, link: LogLink::First });
            }
            Err(error) => unreadable.push((path, error)),
        }
    }
    let chains = chains.into_iter().map(|(signature, mut links)| {
        // Of one generation, those that recovery looks at come first.
        links.sort_by_key(|link| (link.header.generation, order_of(link.role)));
        judge(&mut links);
        LogChain { signature, links }
    });
    Ok(LogPicture { chains: chains.collect(), unreadable })
}

fn order_of(role: LogRole) -> u8 {
    match role {
        LogRole::Archive => 0,
        LogRole::Current => 1,
        LogRole::Temporary => 2,
        LogRole::Other => 3,
    }
}

/// What a name stands for; `None` for files that are called otherwise.
fn role_of(name: &str) -> Option<LogRole> {
    let (stem, ending) = name.rsplit_once('.')?;
    if !["log", "jtx"].iter().any(|own| ending.eq_ignore_ascii_case(own)) {
        return None;
    }
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some(match stem.split_at_checked(3) {
        Some((_, "")) => LogRole::Current,
        Some((_, rest)) if rest.eq_ignore_ascii_case("tmp") => LogRole::Temporary,
        Some((_, rest)) if matches!(rest.len(), 5 | 8) && digits(rest) => LogRole::Archive,
        _ => LogRole::Other,
    })
}

fn judge(links: &mut [ChainLink]) {
    let mut before: Option<LogHeader> = None;
    for link in links {
        let header = &link.header;
        link.link = match &before {
            None => LogLink::First,
            Some(last) if last.generation == header.generation => {
                if last.created == header.created { LogLink::Copy } else { LogLink::Fork }
            }
            Some(last) if last.generation.0 + 1 < header.generation.0 => {
                LogLink::Gap { after: last.generation }
            }
            Some(last) if last.created == header.previous_created => LogLink::Follows,
            Some(_) => LogLink::Fork,
        };
        // What nobody replays is no ground to judge others by.
        let counts = matches!(link.role, LogRole::Current | LogRole::Archive);
        if counts && !matches!(link.link, LogLink::Copy) {
            before = Some(header.clone());
        }
    }
}

/// The changes of one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageFilter {
    /// The page.
    pub pgno: Pgno,
    /// The database, where several are attached.
    pub dbid: Option<Dbid>,
}

impl PageFilter {
    /// Is a record about this page?
    #[must_use]
    pub fn takes(&self, entry: &Entry<'_>) -> bool {
        let own = |dbid: Dbid| self.dbid.is_none_or(|wanted| wanted == dbid);
        let changed = entry.record.pages().any(|(dbid, pgno, _, _)| pgno == self.pgno && own(dbid));
        let named = entry.record.page_head();
        changed || named.is_some_and(|page| page.pgno == self.pgno && own(page.dbid))
    }
}

/// Visits the records of one log file, or of every generation of the stream in a directory.
///
/// # Errors
/// Those of [`StreamReader::next`], after the records before; `JET_errMissingLogFile` (-528): the
/// directory holds no log; `JET_errClientRequestToStopJetService` (-1329) if stopped; what the
/// visitor answers.
pub fn each_log_record(
    env: &Env,
    path: &Path,
    stop: &StopToken,
    each: &mut dyn FnMut(&Entry<'_>) -> Result<()>,
) -> Result<()> {
    if env.fs.list(path).is_err() {
        let file = LogFile::read(env, path.to_path_buf())?;
        file.header()?;
        return visit(StreamReader::of_file(env, &file), stop, each);
    }
    let base = find_base(env, path)?.ok_or_else(|| {
        Error::new(JetErr::MissingLogFile, "there is no log here")
            .at_path(path)
            .advise("name a log file, or the directory that holds the logs")
    })?;
    let stream = LogStream::scan(env, &LogNames::new(path, &base))?;
    let from = LgPos { generation: stream.oldest()?, isec: 0, ib: 0 };
    visit(stream.reader(from)?, stop, each)
}

fn visit(
    mut reader: StreamReader<'_>,
    stop: &StopToken,
    each: &mut dyn FnMut(&Entry<'_>) -> Result<()>,
) -> Result<()> {
    while let Some(entry) = reader.next()? {
        stop.check()?;
        each(&entry)?;
    }
    Ok(())
}

/// Would the record be written as it lies there? `bytes` is room.
///
/// # Errors
/// `JET_errLogBufferTooSmall` (-517): the record cannot be written at all. A difference is no
/// error.
pub fn is_written_alike(entry: &Entry<'_>, bytes: &mut Vec<u8>) -> Result<bool> {
    bytes.clear();
    entry.record.encode(bytes)?;
    Ok(bytes.as_slice() == entry.bytes)
}
