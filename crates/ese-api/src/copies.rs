//! Recovery into copies: databases and logs that must not change, wherever they come from.
//!
//! Logs are chosen by what they are, not by what they are called; each database is copied and
//! replayed by itself.

mod place;
mod reach;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use ese_base::{Error, ErrorKind, Generation, JetErr, LgPos, Pgno, Result, Signature, StopToken};
use ese_engine::{
    reader::is_temporary,
    recovery::{
        RecoveryEvent, RecoveryFlags, RedoEnd,
        copy::{self, CopyJob, CopyPlan, CopyReport, Creation},
    },
    space::check::last_owned,
};
use ese_log::{
    LeftAside, LogFile, LogHeader, LogName, LogPool, LogStream, NameKind, Record, StreamReader,
    Wanted, check_successor,
};
use ese_os::{Env, OpenMode, parent_of};
use ese_pages::{Access, DbFile, DbHeader, DbState, header::read_header};

use self::{
    place::{double_write_of, place},
    reach::check_reach,
};
use crate::{
    diff::{self, DiffOptions, TableDifference},
    restore::{file_name, look_for_databases},
};

/// With it every stream begins.
const FIRST: Generation = Generation(1);
/// Missing generations that are told one by one.
const MISSING_MAX: usize = 1000;
/// Endings by which the name of a copy is taken for that of a file.
const FILE_ENDINGS: [&str; 3] = ["edb", "dat", "db"];

/// What is to be recovered, and where to.
#[derive(Clone, Debug, Default)]
pub struct CopyRequest {
    /// Directories with logs, or log files; the databases are looked for there, too.
    pub logs: Vec<PathBuf>,
    /// The databases; empty: those that are found beside the logs.
    pub databases: Vec<PathBuf>,
    /// The directory for the copies, made if it is missing; or, of one database, a file that does
    /// not exist and ends like one.
    pub out: PathBuf,
    /// Build the databases from the logs that go back to their creation, whatever files are there.
    pub from_logs: bool,
    /// [`RecoveryFlags::IGNORE_LOST_LOGS`] has a meaning here.
    pub flags: RecoveryFlags,
    /// Where redo ends, if not where the log does.
    pub until: Option<RedoEnd>,
}

/// How far a recovery into copies is.
#[derive(Clone, Copy, Debug)]
pub struct CopyProgress<'a> {
    /// The database.
    pub database: &'a Path,
    /// Is the log being replayed? Before, the file is copied.
    pub replaying: bool,
    /// Bytes that were copied; of a hundred parts of the replay, those that are done.
    pub done: u64,
    /// All of them.
    pub total: u64,
}

/// Whoever is told of it.
pub type CopyWatcher<'a> = &'a mut (dyn FnMut(&CopyProgress<'_>) + Send);

/// What recovery of one database needs, and whether it is there.
#[derive(Debug)]
pub struct DatabasePlan {
    /// The file; `None`: it is to be built from the log.
    pub source: Option<PathBuf>,
    /// Where the copy is to lie.
    pub target: PathBuf,
    /// The database's signature.
    pub sign_db: Signature,
    /// The signature of its log.
    pub sign_log: Signature,
    /// The state of the file.
    pub state: Option<DbState>,
    /// Which part of the log it needs.
    pub needs: Option<CopyPlan>,
    /// The log files that are read, in order.
    pub files: Vec<PathBuf>,
    /// Generations that are missing.
    pub missing: Vec<Generation>,
    /// Bytes of log to be replayed.
    pub log_bytes: u64,
    /// Log files of this stream that are not read, with the reason.
    pub aside: Vec<LeftAside>,
    /// Why it cannot be recovered, if it cannot.
    pub refused: Option<Error>,
}

/// A database that was recovered.
#[derive(Debug)]
pub struct CopiedDatabase {
    /// The file; `None`: it was built from the log.
    pub source: Option<PathBuf>,
    /// The copy.
    pub target: PathBuf,
    /// The database's signature.
    pub sign_db: Signature,
    /// The state of the file before.
    pub state: Option<DbState>,
    /// It is clean and the logs know nothing of it: they are another database's, and it was copied
    /// as it is.
    pub unknown: bool,
    /// Log files of its stream that were not read, with the reason.
    pub aside: Vec<LeftAside>,
    /// What was done, or why nothing could be. Then there is no copy.
    pub outcome: Result<CopyReport>,
    /// How the rows of the copy differ from those of the file, of each table that the recovery
    /// touched; from nothing where there was no file. `None` where the file could not be read.
    pub differences: Option<Vec<TableDifference>>,
}

/// What became of each database.
#[derive(Debug)]
pub struct Copied {
    /// Those that are there, or that the log creates.
    pub databases: Vec<CopiedDatabase>,
    /// Why files that are called like databases could not be taken for any. They are not among
    /// `databases`, and must not be passed over in silence.
    pub unreadable: Vec<Error>,
}

/// What recovery needs for each database.
#[derive(Debug)]
pub struct CopiesPlan {
    /// As in [`Copied`].
    pub databases: Vec<DatabasePlan>,
    /// As in [`Copied`].
    pub unreadable: Vec<Error>,
}

/// Recovers databases into copies. Nothing but the copies is written.
///
/// # Errors
/// `JET_errMissingLogFile` (-528) if there is no log; `JET_errFileNotFound` (-1811) if there is no
/// database, or why the only files that are called like databases are none; the file system's.
/// `JET_errClientRequestToStopJetService` (-1329) if it was stopped: there is no copy then. What is
/// wrong with one database is its outcome.
pub fn recover_into(
    env: &Env,
    request: &CopyRequest,
    progress: CopyWatcher<'_>,
    stop: &StopToken,
) -> Result<Copied> {
    let Works { works, unreadable } = works(env, request, stop)?;
    let mut databases = Vec::with_capacity(works.len());
    for work in works {
        match copied(env, request, work, progress, stop) {
            Ok(copied) => databases.push(copied),
            Err(error) => {
                // Whoever begins anew finds nothing in the way.
                for CopiedDatabase { target, .. } in
                    databases.iter().filter(|it| it.outcome.is_ok())
                {
                    drop(env.fs.remove_file(target));
                }
                return Err(error);
            }
        }
    }
    Ok(Copied { databases, unreadable })
}

/// Recovers one database. An error is one of all of them.
fn copied(
    env: &Env,
    request: &CopyRequest,
    work: Work,
    progress: CopyWatcher<'_>,
    stop: &StopToken,
) -> Result<CopiedDatabase> {
    let target = work.target.clone();
    let (source, sign_db, state) = (work.source.clone(), work.sign_db, work.state());
    let (unknown, aside) = (work.needless && work.stream.is_ok(), work.aside.clone());
    let outcome = run(env, request, work, progress, stop);
    let path = source.as_deref().unwrap_or(&target);
    let outcome = match outcome.map_err(|error| explained(error, &aside).at_path(path)) {
        Err(error) if error.code() == JetErr::ClientRequestToStopJetService => return Err(error),
        outcome => outcome,
    };
    let differences = compared(env, source.as_deref(), &target, &outcome, stop)?;
    Ok(CopiedDatabase { source, target, sign_db, state, unknown, aside, outcome, differences })
}

/// What became of the rows. Whoever stops it gets no copy either.
fn compared(
    env: &Env,
    source: Option<&Path>,
    target: &Path,
    outcome: &Result<CopyReport>,
    stop: &StopToken,
) -> Result<Option<Vec<TableDifference>>> {
    let Ok(report) = outcome else { return Ok(None) };
    let touched: Vec<String> = report.tables.iter().map(|table| table.name.clone()).collect();
    let options = DiffOptions { stop: stop.clone(), ..DiffOptions::default() };
    match diff::differences(env, (source, target), &touched, &options) {
        Ok(differences) => Ok(Some(differences)),
        Err(error) if error.code() == JetErr::ClientRequestToStopJetService => {
            drop(env.fs.remove_file(target));
            Err(error)
        }
        // What was there before cannot be read as it stands.
        Err(_) => Ok(None),
    }
}

/// Says what [`recover_into`] would need and do; reads the logs to their end.
///
/// # Errors
/// As [`recover_into`].
pub fn plan_recovery(env: &Env, request: &CopyRequest, stop: &StopToken) -> Result<CopiesPlan> {
    let Works { works, unreadable } = works(env, request, stop)?;
    let plans = works.into_iter().map(|work| work.plan(request, stop));
    Ok(CopiesPlan { databases: plans.collect::<Result<_>>()?, unreadable })
}

/// The names that the copies of [`recover_into`] would get.
///
/// # Errors
/// As [`recover_into`].
pub fn copy_targets(env: &Env, request: &CopyRequest, stop: &StopToken) -> Result<Vec<PathBuf>> {
    let Works { works, .. } = works(env, request, stop)?;
    Ok(works.into_iter().map(|work| work.target).collect())
}

/// The databases to be recovered.
struct Works {
    works: Vec<Work>,
    unreadable: Vec<Error>,
}

/// A database that is there.
type Source = (PathBuf, Box<DbHeader>);

/// One database to be recovered.
struct Work {
    source: Option<PathBuf>,
    header: Option<Box<DbHeader>>,
    target: PathBuf,
    sign_db: Signature,
    sign_log: Signature,
    stream: Result<LogStream>,
    aside: Vec<LeftAside>,
    creation: Option<Creation>,
    /// The database is clean, and the logs know nothing of it, or there are none.
    needless: bool,
    /// Why the stream ends before the log does.
    cut_short: Option<Error>,
    /// What of the file is missing, unless the log has it made again or cut off itself.
    cut_off: Option<Error>,
}

impl Work {
    fn state(&self) -> Option<DbState> {
        self.header.as_ref().map(|header| header.state())
    }

    /// The file that is there, or is to be.
    fn path(&self) -> PathBuf {
        self.source.clone().unwrap_or_else(|| self.target.clone())
    }

    /// Where replay begins, and what is needed.
    fn needs(&self, request: &CopyRequest, stop: &StopToken) -> Result<CopyPlan> {
        let stream = self.stream.as_ref();
        if self.needless {
            self.cut_off.clone().map_or(Ok(()), Err)?;
            // There may be no log at all.
            let last = stream.as_ref().map_or(Ok(Generation(0)), |it| it.last_present())?;
            let none = (Generation(0), Generation(0));
            let from = LgPos::new(last.0.saturating_add(1), 0, 0);
            return Ok(CopyPlan { from, required: none, committed: none.0, last });
        }
        let stream = stream.map_err(Clone::clone)?;
        match (&self.header, &self.creation) {
            (_, Some(creation)) if is_before(request, creation.at) => {
                let what = format!("the database is created at {}", creation.at);
                Err(Error::new(JetErr::RequiredLogFilesMissing, what)
                    .at_generation(creation.at.generation)
                    .advise("let redo end later"))
            }
            (_, Some(creation)) => Ok(CopyPlan {
                from: LgPos { isec: 0, ib: 0, ..creation.at },
                required: (Generation(0), Generation(0)),
                committed: Generation(0),
                last: stream.last_present()?,
            }),
            (Some(header), None) => {
                let plan = copy::plan(stream, header, flags_of(request))?;
                match &self.cut_off {
                    Some(error) if !resizes(stream, plan.from, self.sign_db, stop)? => {
                        Err(error.clone())
                    }
                    _ => Ok(plan),
                }
            }
            (None, None) => Err(Error::code_only(JetErr::InternalError)),
        }
    }

    fn plan(self, request: &CopyRequest, stop: &StopToken) -> Result<DatabasePlan> {
        let path = self.path();
        let needs = self.needs(request, stop).map_err(|error| error.at_path(&path));
        let mut plan = DatabasePlan {
            state: self.state(),
            source: self.source,
            target: self.target,
            sign_db: self.sign_db,
            sign_log: self.sign_log,
            needs: needs.as_ref().ok().copied(),
            files: Vec::new(),
            missing: Vec::new(),
            log_bytes: 0,
            aside: self.aside,
            refused: None,
        };
        let Ok(stream) = &self.stream else {
            plan.refused = needs.err();
            return Ok(plan);
        };
        let required = self.header.as_ref().map_or((0, 0), |header| {
            let (min, max) = header.required();
            (min.0, max.0.max(header.committed().0))
        });
        let (from, needs_to) = match &needs {
            Ok(needs) => (needs.from.generation.0, needs.last.0.max(required.1)),
            Err(_) => required,
        };
        let last = stream.last_present().ok();
        let current = stream.current().zip(last).map(|(file, last)| (last, file));
        let there: BTreeMap<Generation, &LogFile> = stream.archives().chain(current).collect();
        for generation in (from.max(1)..=needs_to).map(Generation) {
            match there.get(&generation) {
                Some(file) => plan.files.push(file.path.clone()),
                None => plan.missing.push(generation),
            }
            // A header may ask for what cannot be.
            if plan.missing.len() >= MISSING_MAX {
                break;
            }
        }
        plan.refused = match needs {
            Err(error) => Some(error),
            Ok(needs) => {
                let read = measure(stream, needs.from, &mut plan.log_bytes, stop);
                read.and_then(|()| check_reach(&needs, request, self.cut_short)).err()
            }
        };
        plan.refused = plan.refused.map(|error| explained(error, &plan.aside).at_path(&path));
        match plan.refused {
            Some(error) if error.code() == JetErr::ClientRequestToStopJetService => Err(error),
            _ => Ok(plan),
        }
    }
}

/// What stands where the log of a stream would go on, if it cannot be read or is another stream's.
/// A last log that has its number is all that can be asked for where nothing stands there: sets and
/// shipped logs end so.
fn cut_short(pool: &LogPool, stream: &LogStream, signature: Signature) -> Option<Error> {
    let last = stream.last_present().ok()?;
    let stands_at = |path: &Path, is_meant: &dyn Fn(Generation) -> bool| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = LogName::parse(&name).filter(|name| name.is_of(stream.names().base()));
        name.is_some_and(|name| match name.kind {
            NameKind::Current => true,
            NameKind::Archive { generation, .. } => is_meant(generation),
            NameKind::Temporary | NameKind::Reserve => false,
        })
    };
    let advice = "bring the log, or recover without it and lose what was committed in it";
    let next = last.next();
    let behind = |path: &Path| stands_at(path, &|generation| generation > last);
    let damaged = pool.damaged().iter().find(|error| error.path().is_some_and(behind));
    if let Some(error) = damaged {
        return Some(error.clone().at_generation(next).advise(advice));
    }
    // One of another stream with a later number is in nobody's place.
    let foreign = |(file, header): &(&LogFile, &LogHeader)| {
        header.signature != signature && stands_at(&file.path, &|generation| generation == next)
    };
    let (file, header) = pool.files().find(foreign)?;
    let what = format!("it is of another stream, {}, than the logs before it", header.signature);
    let error = Error::new(JetErr::BadLogSignature, what).at_path(&file.path);
    Some(error.at_generation(next).advise(advice))
}

/// Reads the log from a position on, and counts its bytes.
fn measure(stream: &LogStream, from: LgPos, bytes: &mut u64, stop: &StopToken) -> Result<()> {
    if from.generation > stream.last_present()? {
        return Ok(());
    }
    let mut reader = stream.reader(from)?;
    let mut place = (Generation(0), 0);
    while let Some(entry) = reader.next()? {
        let here = (entry.pos.generation, entry.pos.isec);
        if here == place {
            continue;
        }
        stop.check()?;
        let sectors = match here.0 == place.0 {
            true => u64::from(here.1 - place.1),
            false => u64::from(here.1),
        };
        place = here;
        *bytes += sectors * u64::from(stream.header_of(here.0)?.sector_len);
    }
    Ok(())
}

/// Is redo to end before this record?
fn is_before(request: &CopyRequest, at: LgPos) -> bool {
    matches!(request.until, Some(RedoEnd::CutAt(end)) if end <= at)
}

/// A log that is cut on purpose has lost what lies behind.
fn flags_of(request: &CopyRequest) -> RecoveryFlags {
    let cut = RecoveryFlags::IGNORE_LOST_LOGS | RecoveryFlags::QUIET_ABOUT_LOSS;
    request.flags | if request.until.is_some() { cut } else { RecoveryFlags::empty() }
}

fn works(env: &Env, request: &CopyRequest, stop: &StopToken) -> Result<Works> {
    let pool = LogPool::gather(env, &request.logs)?;
    let Sources { there: sources, mut unreadable, alike } = sources(env, request)?;
    let mut works = if request.from_logs {
        // Among those that the logs create is what such a file was.
        let wanted = if unreadable.is_empty() { &sources[..] } else { &[] };
        unreadable.clear();
        built(env, &pool, wanted, stop)?
    } else {
        let mut works = Vec::with_capacity(sources.len());
        for (path, header) in sources {
            works.push(of_file(env, &pool, request, (path, header), stop)?);
        }
        works
    };
    if works.is_empty() {
        if let Some(error) = unreadable.into_iter().chain(alike).next() {
            return Err(error);
        }
        let place = request.logs.first().cloned().unwrap_or_default();
        let file = env.fs.open(&place, OpenMode::Read);
        if file.is_ok_and(|file| read_header(file.as_ref()).is_ok()) {
            let what = "this is a database, where its logs are wanted";
            return Err(Error::new(JetErr::FileInvalidType, what).at_path(&place).advise(
                "name the directory that holds the logs; --roll-forward names the database",
            ));
        }
        return Err(Error::new(JetErr::FileNotFound, "there is no database here")
            .at_path(place)
            .advise("name the database, or build it from all of its logs (--from-logs)"));
    }
    let alone = works.len() + unreadable.len() == 1;
    for work in &mut works {
        work.target = target_of(env, &request.out, &work.target, alone)?;
    }
    unreadable.extend(alike);
    Ok(Works { works, unreadable })
}

/// The databases that are there, with their headers.
struct Sources {
    there: Vec<Source>,
    /// Why others cannot be read.
    unreadable: Vec<Error>,
    /// The same of files that only begin like one: told, and else of no weight.
    alike: Vec<Error>,
}

fn sources(env: &Env, request: &CopyRequest) -> Result<Sources> {
    let (mut paths, mut unreadable) = (request.databases.clone(), Vec::new());
    let mut alike = Vec::new();
    if paths.is_empty() {
        for place in &request.logs {
            match env.fs.list(place) {
                Ok(_) => {
                    let found = look_for_databases(env, place)?;
                    paths.extend(found.databases);
                    unreadable.extend(found.unreadable);
                    alike.extend(found.alike);
                }
                Err(error) if error.code() == JetErr::FileAccessDenied => return Err(error),
                // A log file that was named has no databases inside.
                Err(_) => {}
            }
        }
    }
    let mut sources = Vec::with_capacity(paths.len());
    for path in paths {
        let file = env.fs.open(&path, OpenMode::Read)?;
        let header = read_header(file.as_ref()).map_err(|error| error.at_path(&path))?.header;
        sources.push((path, Box::new(header)));
    }
    // A temporary database that a crash has left was never logged, and means nothing.
    if sources.len() > 1 {
        sources.retain(|(_, header)| {
            header.state() == DbState::CleanShutdown || !header.sign_log.is_null()
        });
    }
    Ok(Sources { there: sources, unreadable, alike })
}

/// The file of a database may know of more log than there is, which ends at `end`.
pub(crate) fn is_ahead(path: &Path, header: &DbHeader, end: LgPos) -> Option<Error> {
    let (closed, last) = (header.lgpos_consistent.get(), end.generation);
    let reached = closed.generation.max(header.required().1).max(header.committed());
    let (what, next) = if reached > last {
        let what = format!(
            "the database's file is at generation {:#x}, the last log here is {:#x}",
            reached.0, last.0
        );
        (what, last.next())
    } else if closed > end {
        (format!("the database's file is at {closed}, the log here ends at {end}"), last)
    } else {
        return None;
    };
    let error = Error::new(JetErr::MissingLogFile, what).at_path(path).at_generation(next);
    Some(error.advise("bring the log, or build what the logs here give (--allow-lost-logs)"))
}

/// Behind the last whole record of a log. Where it is damaged that is told by whoever reads it, and
/// only the generation counts.
fn end_of(stream: &LogStream) -> Option<LgPos> {
    let last = stream.last_present().ok()?;
    let mut end = LgPos { generation: last, isec: 0, ib: 0 };
    let behind = LgPos { generation: last, ..LgPos::MAX };
    let Ok(mut reader) = stream.reader(end) else { return Some(behind) };
    loop {
        match reader.next() {
            Ok(Some(entry)) => end = end.max(entry.end),
            Ok(None) => return Some(end),
            Err(_) => return Some(behind),
        }
    }
}

fn of_file(
    env: &Env,
    pool: &LogPool,
    request: &CopyRequest,
    (path, header): Source,
    stop: &StopToken,
) -> Result<Work> {
    let (sign_db, mut sign_log) = (header.sign_db, header.sign_log);
    let clean = header.state() == DbState::CleanShutdown;
    let mut needless = false;
    // A clean database may be attached to any log, and its header knows the last one.
    if clean && let [only] = pool.signatures()[..] {
        sign_log = only;
    }
    let max = header.required().1;
    let begun = header.logtime_gen_max_required;
    let known = (!clean && max.0 > 0 && !begun.is_null()).then_some((max, begun));
    let (mut stream, aside) = match pool.stream(&Wanted { signature: sign_log, known }) {
        Ok((stream, aside)) => (Ok(stream), with_damaged(pool, aside)),
        Err(error) => (Err(error), Vec::new()),
    };
    let no_logs = pool.is_empty() && pool.damaged().is_empty();
    if header.is_temporary() {
        stream = Err(is_temporary());
    }
    // A clean database of which these logs know nothing is what it is. Whoever named it meant that
    // they belong together.
    needless |= clean && no_logs && request.databases.is_empty();
    if clean
        && let Ok(logs) = &stream
        && sign_log != header.sign_log
        && !copy::knows(env, logs, sign_db, stop)?
    {
        match request.databases.is_empty() {
            true => needless = true,
            false => stream = Err(not_of(&path, &header, sign_log)),
        }
    }
    let target = PathBuf::from(path.file_name().unwrap_or_default());
    let cut_off = cut_off(env, &path);
    let cut_short = stream.as_ref().ok().and_then(|stream| cut_short(pool, stream, sign_log));
    // A clean database is whole as it is. Whoever named it meant to go on from it.
    let named = clean && sign_log == header.sign_log && !request.databases.is_empty();
    let end = stream.as_ref().ok().filter(|_| named).and_then(end_of);
    let ahead = end.and_then(|end| is_ahead(&path, &header, end));
    let cut_short = cut_short.or(ahead);
    Ok(Work {
        source: Some(path),
        header: Some(header),
        target,
        sign_db,
        sign_log,
        stream,
        aside,
        creation: None,
        needless,
        cut_short,
        cut_off,
    })
}

/// Is the file shorter than what the database owns? Damage that keeps this from being known is met
/// later.
fn cut_off(env: &Env, path: &Path) -> Option<Error> {
    let file = DbFile::open(env, path, Access::ReadOnly).ok()?;
    let pages = file.page_count();
    let last = match last_owned(file) {
        Ok(last) if last.0 <= pages => return None,
        Ok(last) => last,
        Err(error) if error.code() == JetErr::FileIOBeyondEOF => {
            error.pgno().unwrap_or(Pgno::DATABASE_ROOT)
        }
        Err(_) => return None,
    };
    let what = format!("the file ends with page {pages}, and the database owns pages up to {last}");
    let error = Error::new(JetErr::DatabaseCorrupted, what).at_path(path).at_page(last);
    Some(error.advise("the file was cut off: bring a whole copy of it"))
}

/// Does the log make the database, or cut its file off?
fn resizes(stream: &LogStream, from: LgPos, sign_db: Signature, stop: &StopToken) -> Result<bool> {
    if from.generation > stream.last_present()? {
        return Ok(false);
    }
    let mut reader = stream.reader(from)?;
    // What is wrong with the log is said when it is read for its own sake.
    while let Ok(Some(entry)) = reader.next() {
        stop.check()?;
        match entry.record {
            Record::ShrinkDb(_) => return Ok(true),
            Record::CreateDb(create) if create.sign_db == sign_db => return Ok(true),
            _ => {}
        }
    }
    Ok(false)
}

fn not_of(path: &Path, header: &DbHeader, sign_log: Signature) -> Error {
    let what = format!(
        "the logs here, of stream {sign_log}, know nothing of this database, {}, which was last \
         attached to {}",
        header.sign_db, header.sign_log
    );
    Error::new(JetErr::BadLogSignature, what).at_path(path).advise("bring the logs of the database")
}

/// Files that are called like logs and cannot be read are told, too: they may be what is missing.
fn with_damaged(pool: &LogPool, mut aside: Vec<LeftAside>) -> Vec<LeftAside> {
    aside.extend(pool.damaged().iter().map(|error| LeftAside {
        path: error.path().map(Path::to_path_buf).unwrap_or_default(),
        generation: error.generation().unwrap_or_default(),
        why: format!("not readable: {}", error.message()),
    }));
    aside
}

/// The databases that the logs create, those of the files if there are any.
fn built(env: &Env, pool: &LogPool, sources: &[Source], stop: &StopToken) -> Result<Vec<Work>> {
    if pool.is_empty() {
        return Err(Error::new(JetErr::MissingLogFile, "there is no log to build a database from"));
    }
    let (mut works, mut oldest, mut damage) = (Vec::new(), Generation(0), None);
    for sign_log in pool.signatures() {
        let wanted = Wanted { signature: sign_log, known: None };
        let (stream, _) = pool.stream(&wanted)?;
        damage = damage.or_else(|| damage_at_begin(env, &stream));
        oldest = stream.archives().next().map_or(stream.last_present()?, |(oldest, _)| oldest);
        for creation in copy::creations(env, &stream, stop)? {
            // There may be several copies of its file, under names that people gave them.
            let mut own = sources.iter().filter(|(_, header)| header.sign_db == creation.sign_db);
            let logged = file_name(&creation.path).map(PathBuf::from);
            let is_logged =
                |(path, _): &&Source| path.file_name() == logged.as_deref().map(Path::as_os_str);
            let source = own.clone().find(is_logged).or_else(|| own.next());
            if source.is_none() && !sources.is_empty() {
                continue;
            }
            // Two of one name lay in different directories.
            let free = |name: &PathBuf| works.iter().all(|work: &Work| work.target != *name);
            let found = source.and_then(|(path, _)| path.file_name()).map(PathBuf::from);
            let name = logged.filter(free).or(found);
            let (stream, aside) = pool.stream(&wanted)?;
            let aside = with_damaged(pool, aside);
            let cut_short = cut_short(pool, &stream, sign_log).or_else(|| {
                let (path, header) = source.filter(|(_, it)| it.sign_log == sign_log)?;
                is_ahead(path, header, end_of(&stream)?)
            });
            works.push(Work {
                source: None,
                header: None,
                target: name.unwrap_or_else(|| PathBuf::from("database.edb")),
                sign_db: creation.sign_db,
                sign_log,
                stream: Ok(stream),
                aside,
                creation: Some(creation),
                needless: false,
                cut_short,
                cut_off: None,
            });
        }
    }
    if works.is_empty() {
        // What was created there can be told by nobody else.
        let unreadable = pool.damaged().iter().find(|error| error.path().is_some_and(is_first));
        if let Some(error) = damage.or_else(|| unreadable.cloned()) {
            return Err(error);
        }
        let place = pool.places().first().cloned().unwrap_or_default();
        if oldest == FIRST {
            let what = "the logs here go back to their first generation, and create no database";
            return Err(Error::new(JetErr::FileNotFound, what)
                .at_path(place)
                .advise("recover the database's file"));
        }
        let what = format!(
            "the logs here begin with generation {:#x}, after the creation of the database",
            oldest.0
        );
        return Err(Error::new(JetErr::MissingPreviousLogFile, what)
            .at_path(place)
            .at_generation(oldest.before())
            .advise("bring all logs from the creation on, or recover the database's file"));
    }
    Ok(works)
}

/// What is wrong with the first generation of a stream, where most databases are created.
fn damage_at_begin(env: &Env, stream: &LogStream) -> Option<Error> {
    let mut files = stream.archives().map(|(_, file)| file).chain(stream.current());
    let file = files.next().filter(|file| file.header().is_ok_and(|it| it.generation == FIRST))?;
    let mut reader = StreamReader::of_file(env, file);
    loop {
        match reader.next() {
            Ok(Some(_)) => {}
            // It ends before its records do, where the next one says that it was finished.
            Ok(None) => return check_successor(env, file, files.next()?.header().ok()?).err(),
            Err(error) => return Some(error),
        }
    }
}

/// Is a file called like the first generation of a log?
fn is_first(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let archive = |name: LogName| matches!(name.kind, NameKind::Archive { generation: FIRST, .. });
    LogName::parse(&name).is_some_and(archive)
}

/// Where a copy is to lie: `out` is a directory, unless it is to be the only copy's own name.
fn target_of(env: &Env, out: &Path, name: &Path, alone: bool) -> Result<PathBuf> {
    if env.fs.exists(out)? {
        return match env.fs.list(out) {
            Ok(_) => Ok(out.join(name)),
            Err(_) => Err(Error::new(JetErr::FileAlreadyExists, "the copy would replace a file")
                .at_path(out)
                .advise("name a file that does not exist, or a directory")),
        };
    }
    let ending = |path: &Path| path.extension().map(|e| e.to_string_lossy().to_lowercase());
    let is_file = ending(out).is_some_and(|end| {
        Some(&end) == ending(name).as_ref() || FILE_ENDINGS.contains(&end.as_str())
    });
    Ok(if alone && is_file { out.to_path_buf() } else { out.join(name) })
}

fn run(
    env: &Env,
    request: &CopyRequest,
    work: Work,
    progress: CopyWatcher<'_>,
    stop: &StopToken,
) -> Result<CopyReport> {
    let needs = work.needs(request, stop)?;
    check_reach(&needs, request, work.cut_short)?;
    let stream = match work.stream {
        Err(error) if !work.needless => return Err(error),
        stream => stream.ok(),
    };
    // What is missing is said before anything is copied.
    let nothing = needs.from.generation > needs.last;
    if let Some(stream) = stream.as_ref().filter(|_| !nothing)
        && !flags_of(request).contains(RecoveryFlags::IGNORE_LOST_LOGS)
    {
        drop(stream.reader(needs.from)?);
    }
    if env.fs.exists(&work.target)? {
        return Err(would_replace(&work.target));
    }
    let dir = parent_of(&work.target);
    let made = !env.fs.exists(dir)?;
    env.fs.create_dir_all(dir)?;
    // It gets its name when it is whole: whoever is killed leaves nothing that looks like a copy.
    // Two that do the same have names of their own.
    let mut name = work.target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{:08x}.unfinished", env.rng.next_u32()));
    let unfinished = work.target.with_file_name(name);
    let recovered =
        place(env, work.source.as_deref(), &unfinished, progress, stop).and_then(|()| {
            let Some(stream) = stream else { return Ok(CopyReport::of_none(needs.from)) };
            let path = work.source.clone().unwrap_or_else(|| work.target.clone());
            let watcher: ese_engine::recovery::Watcher<'_> = Box::new(move |event, usual| {
                if let RecoveryEvent::Progress { percent } = event {
                    let (done, total) = (u64::from(*percent), 100);
                    progress(&CopyProgress { database: &path, replaying: true, done, total });
                }
                usual
            });
            copy::recover_copy(
                env,
                CopyJob {
                    stream,
                    target: unfinished.clone(),
                    sign_db: work.sign_db,
                    from: needs.from,
                    flags: flags_of(request) | RecoveryFlags::ALLOW_BACKUP_COPIES,
                    until: request.until,
                    stop: stop.clone(),
                    watcher: Some(watcher),
                },
            )
        });
    let named = |error: Error| match error.path() {
        Some(path) if path != unfinished => error,
        // The half copy is gone by the time this is read.
        _ => match (error.kind(), &work.source) {
            (ErrorKind::Corruption | ErrorKind::Inconsistent, Some(source)) => {
                error.with_path(source)
            }
            _ => error.with_path(&work.target),
        },
    };
    let named = recovered.map_err(named).and_then(|report| {
        if env.fs.exists(&work.target)? {
            return Err(would_replace(&work.target));
        }
        env.fs.rename(&unfinished, &work.target)?;
        env.fs.sync_dir(parent_of(&work.target))?;
        Ok(report)
    });
    if named.is_err() {
        // The first error matters; a copy that is half recovered is of no use.
        for path in [double_write_of(&unfinished), unfinished] {
            drop(env.fs.remove_file(&path));
        }
        // Others may have put something there meanwhile; then it stays.
        if made {
            drop(env.fs.remove_dir(dir));
        }
    }
    named
}

fn would_replace(path: &Path) -> Error {
    Error::new(JetErr::FileAlreadyExists, "the copy would replace a file")
        .at_path(path)
        .advise("name another place for the copies")
}

/// A generation that is not there, with what lies in its place.
fn explained(error: Error, aside: &[LeftAside]) -> Error {
    let Some(generation) = error.generation().filter(|_| error.code() == JetErr::MissingLogFile)
    else {
        return error;
    };
    // By its header, or by the name that it has been given.
    let number = format!("{:05X}", generation.0);
    let instead = |file: &&LeftAside| {
        let stem = file.path.file_stem().unwrap_or_default().to_string_lossy().to_uppercase();
        [generation, Generation(0)].contains(&file.generation) || stem.ends_with(&number)
    };
    aside.iter().filter(instead).fold(error, |error, file| {
        error.map_message(|what| format!("{what}; {} is {}", file.path.display(), file.why))
    })
}
