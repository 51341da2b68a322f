//! The logs of a directory as they are: which streams there are, what follows what, where
//! something is missing, and where two files say that they are the same generation.
//!
//! Files are found and compared as a recovery into a copy does it ([`LogPool`]). Nothing is
//! written, and nothing is refused: a file that cannot be read is shown with its reason.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Path, PathBuf},
};

use ese_base::{Dbid, Error, Generation, JetErr, Pgno, Result, StopToken};
use ese_log::{Entry, LogFile, LogHeader, LogName, LogPool, StreamReader, Wanted};

pub use ese_log::LogRole;
use ese_os::Env;

use crate::restore::find_base;

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
    /// It names another generation before than the one that is here, or has other records than
    /// another file of its generation: the stream forked.
    Fork,
    /// It is the current log by its name, and finished ones of later generations are here: an older
    /// log stands where the newest has to be.
    Behind {
        /// The last finished one.
        last: Generation,
    },
    /// Its records are those of another file of the same generation, or the first of them.
    Copy,
}

impl fmt::Display for LogLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogLink::First => f.write_str("first"),
            LogLink::Follows => f.write_str("follows"),
            LogLink::Gap { after } => write!(f, "GAP after {:#x}", after.0),
            LogLink::Fork => f.write_str("FORK"),
            LogLink::Behind { last } => write!(f, "BEHIND {:#x}", last.0),
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
    /// Is it the one of its generation that a recovery into a copy reads? A temporary file is,
    /// where the next generation goes on from it.
    pub used: bool,
}

impl ChainLink {
    fn generation(&self) -> Generation {
        self.header.generation
    }
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
    /// Does every generation follow the one before, with no other history of it beside? Copies do
    /// no harm, and temporary files do not count.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.wrong_links().next().is_none()
    }

    /// The files behind a gap, those of another history, and a current log that is older than
    /// others.
    pub fn wrong_links(&self) -> impl Iterator<Item = &ChainLink> {
        self.links.iter().filter(|link| {
            let wrong =
                matches!(link.link, LogLink::Gap { .. } | LogLink::Fork | LogLink::Behind { .. });
            wrong && (link.used || link.role != LogRole::Temporary)
        })
    }
}

/// All logs of a directory.
#[derive(Debug)]
pub struct LogPicture {
    /// The streams, by signature.
    pub chains: Vec<LogChain>,
    /// Why files that are called like logs cannot be read; each error names its file.
    pub unreadable: Vec<Error>,
}

/// Looks at all logs of a directory.
///
/// # Errors
/// The file system's.
pub fn look_at_logs(env: &Env, dir: &Path) -> Result<LogPicture> {
    let pool = LogPool::gather(env, &[dir.to_path_buf()])?;
    let mut chains: BTreeMap<String, Vec<ChainLink>> = BTreeMap::new();
    for (file, header) in pool.files() {
        let (file, header, role) = (file.clone(), header.clone(), LogRole::of(&file.path));
        let stream = chains.entry(header.signature.to_string()).or_default();
        stream.push(ChainLink { file, header, role, link: LogLink::First, used: false });
    }
    let chains = chains.into_iter().map(|(signature, mut links)| {
        sort(&pool, &mut links)?;
        judge(&pool, &mut links);
        Ok(LogChain { signature, links })
    });
    let chains = chains.collect::<Result<Vec<LogChain>>>()?;
    Ok(LogPicture { chains, unreadable: pool.into_damaged() })
}

/// By generation; of one, the file that a recovery takes comes first, whatever it is called.
fn sort(pool: &LogPool, links: &mut [ChainLink]) -> Result<()> {
    let Some(first) = links.first() else { return Ok(()) };
    let wanted = Wanted { signature: first.header.signature, known: None };
    let (stream, _) = pool.stream(&wanted)?;
    let taken = stream.archives().map(|(_, file)| file).chain(stream.current());
    // None where nothing decides between two.
    let taken = taken.filter(|file| file.header().is_ok());
    let taken: BTreeSet<PathBuf> = taken.map(|file| file.path.clone()).collect();
    // A temporary file may be a generation that waits to be used again, long after its time.
    let goes_on: Vec<_> =
        links.iter().map(|it| (it.header.generation, it.header.previous_created)).collect();
    for link in &mut *links {
        let next = (link.header.generation.next(), link.header.created);
        let waits = link.role == LogRole::Temporary && !goes_on.contains(&next);
        link.used = taken.contains(&link.file.path) && !waits;
    }
    links.sort_by_cached_key(|link| {
        let path = link.file.path.clone();
        let waits = link.role == LogRole::Temporary && !link.used;
        (link.header.generation, waits, !link.used, link.role, path)
    });
    Ok(())
}

fn judge(pool: &LogPool, links: &mut [ChainLink]) {
    judge_sequence(pool, links);
    let finished = links.iter().filter(|link| link.role == LogRole::Archive);
    let Some(last) = finished.map(ChainLink::generation).max() else { return };
    for link in links.iter_mut().filter(|link| link.role == LogRole::Current) {
        // A gap or a fork says more.
        let wrong = matches!(link.link, LogLink::Gap { .. } | LogLink::Fork);
        if link.generation() < last && !wrong {
            link.link = LogLink::Behind { last };
        }
    }
}

fn judge_sequence(pool: &LogPool, links: &mut [ChainLink]) {
    let mut before: Option<(LogFile, LogHeader)> = None;
    for link in links {
        let header = &link.header;
        link.link = match &before {
            None => LogLink::First,
            Some((file, last)) if last.generation == header.generation => {
                let alike = last.created == header.created && pool.are_copies(file, &link.file);
                if alike { LogLink::Copy } else { LogLink::Fork }
            }
            Some((_, last)) if last.generation.next() < header.generation => {
                LogLink::Gap { after: last.generation }
            }
            Some((_, last)) if last.created == header.previous_created => LogLink::Follows,
            Some(_) => LogLink::Fork,
        };
        // What nobody replays is no ground to judge others by.
        let first = before.as_ref().is_none_or(|(_, last)| last.generation != header.generation);
        if first && (link.used || link.role != LogRole::Temporary) {
            before = Some((link.file.clone(), header.clone()));
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

/// Visits the records of one log file, or of every generation of the stream in a directory. There,
/// what is missing, damaged, or of another stream is gone around: the value says what that was.
///
/// # Errors
/// Of a file those of [`StreamReader::next`], after the records before; `JET_errMissingLogFile`
/// (-528): the directory holds no log; `JET_errClientRequestToStopJetService` (-1329) if stopped;
/// what the visitor answers.
pub fn each_log_record(
    env: &Env,
    path: &Path,
    stop: &StopToken,
    each: &mut dyn FnMut(&Entry<'_>) -> Result<()>,
) -> Result<Vec<Error>> {
    if env.fs.list(path).is_err() {
        let file = LogFile::read(env, path.to_path_buf())?;
        file.header()?;
        visit(&mut StreamReader::of_file(env, &file), stop, each)??;
        return Ok(Vec::new());
    }
    let picture = look_at_logs(env, path)?;
    let chain = the_chain(&picture, find_base(env, path)?.as_deref(), path)?;
    let mut problems: Vec<Error> = chain.wrong_links().map(wrong_link).collect();
    for row in rows_of(chain, &mut problems) {
        let mut rest = row.as_slice();
        while !rest.is_empty() {
            let mut reader = StreamReader::of_files(env, rest.to_vec());
            let Err(error) = visit(&mut reader, stop, each)? else { break };
            problems.push(error);
            // What follows on the damaged one can be read again.
            let at = reader.position().generation;
            let read = |file: &&LogFile| file.header().is_ok_and(|it| it.generation <= at);
            let behind = rest.iter().take_while(|file| read(file)).count().max(1);
            rest = rest.get(behind..).unwrap_or_default();
        }
    }
    let others = picture.chains.iter().filter(|other| !std::ptr::eq(*other, chain));
    problems.extend(others.filter_map(|other| left_out(other, path)));
    problems.extend(picture.unreadable);
    Ok(problems)
}

/// Says that the logs of a stream were not read: their positions are those of the stream that was,
/// and nobody could tell the records apart. Temporary ones hold nothing that anybody misses.
fn left_out(chain: &LogChain, dir: &Path) -> Option<Error> {
    let mut links = chain.links.iter().filter(|link| link.role != LogRole::Temporary);
    let (first, more) = (links.next()?, links.count());
    let beside = match more {
        0 => String::new(),
        _ => format!(", and {more} more"),
    };
    let what = format!("it is of another stream{beside}; its records were left out");
    let advice =
        format!("name the file to read them; `ese log {}` tells the streams", dir.display());
    let error = Error::new(JetErr::BadLogSignature, what).at_path(&first.file.path);
    Some(error.at_generation(first.header.generation).advise(advice))
}

/// The stream with this base name, or the only one.
fn the_chain<'p>(picture: &'p LogPicture, base: Option<&str>, dir: &Path) -> Result<&'p LogChain> {
    let named = |link: &ChainLink| {
        let name = link.file.path.file_name().unwrap_or_default().to_string_lossy();
        let is_of = |base| LogName::parse(&name).is_some_and(|name| name.is_of(base));
        base.filter(|base| is_of(base)).map(|_| (link.role == LogRole::Current, link.generation()))
    };
    // A log of another stream under such a name is older, or is none of the current one.
    let newest = |chain: &&LogChain| chain.links.iter().filter_map(named).max();
    let found = picture.chains.iter().filter_map(|it| Some((newest(&it)?, it)));
    if let Some((_, chain)) = found.max_by_key(|(newest, _)| *newest) {
        return Ok(chain);
    }
    let what = match &picture.chains[..] {
        [chain] => return Ok(chain),
        [] => match picture.unreadable.first() {
            Some(error) => return Err(error.clone()),
            None => "there is no log here",
        },
        _ => "there are logs of several streams here",
    };
    Err(Error::new(JetErr::MissingLogFile, what)
        .at_path(dir)
        .advise("name a log file, or the directory that holds the logs"))
}

/// The files that a recovery into a copy reads, in rows of which each follows on the one before;
/// those that cannot be read are among the problems.
fn rows_of<'c>(chain: &'c LogChain, problems: &mut Vec<Error>) -> Vec<Vec<&'c LogFile>> {
    let mut rows: Vec<Vec<&LogFile>> = Vec::new();
    let mut last: Option<&LogHeader> = None;
    for link in chain.links.iter().filter(|link| link.used) {
        let header = match link.file.checked_header() {
            Ok(header) => header,
            Err(error) => {
                problems.push(error);
                last = None;
                continue;
            }
        };
        let follows = last.is_some_and(|last| header.follows(last.id()));
        match rows.last_mut().filter(|_| follows) {
            Some(row) => row.push(&link.file),
            None => rows.push(vec![&link.file]),
        }
        last = Some(header);
    }
    rows
}

/// Why a file does not follow on the one before.
pub(crate) fn wrong_link(link: &ChainLink) -> Error {
    let generation = link.header.generation;
    let error = match link.link {
        LogLink::Gap { after } => {
            let (first, last) = (after.0 + 1, generation.0 - 1);
            let what = match first == last {
                true => format!("generation {first:#x} is missing before it"),
                false => format!("generations {first:#x} to {last:#x} are missing before it"),
            };
            Error::new(JetErr::MissingLogFile, what)
                .advise("bring them back, if a database or a backup needs them")
        }
        LogLink::Behind { last } => {
            let what = format!(
                "the current log is generation {:#x}, and finished ones are here up to {:#x}: it was \
                 replaced by an older one",
                generation.0, last.0
            );
            Error::new(JetErr::MissingLogFile, what)
                .advise("bring the current log back; without it the last commits are lost")
        }
        _ => {
            let what = "it has another history than the logs beside it: the stream forked";
            Error::new(JetErr::InvalidLogSequence, what)
                .advise("take away the logs that are not of this database")
        }
    };
    error.at_path(&link.file.path).at_generation(generation)
}

/// The inner error is the log's.
fn visit(
    reader: &mut StreamReader<'_>,
    stop: &StopToken,
    each: &mut dyn FnMut(&Entry<'_>) -> Result<()>,
) -> Result<Result<()>> {
    loop {
        match reader.next() {
            Ok(Some(entry)) => {
                stop.check()?;
                each(&entry)?;
            }
            Ok(None) => return Ok(Ok(())),
            Err(error) => return Ok(Err(error)),
        }
    }
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
