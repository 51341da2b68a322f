//! A directory: its databases, its log, and whether they fit together; or a backup set.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use ese_backup::{
    restore::{RestorePlan, SetReport, examine_logs, verify_set},
    ship::STATE_NAME,
    stream::Manifest,
};
use ese_base::{Dbid, Error, Generation, JetErr, LgPos, Result, Signature};
use ese_log::{LogFile, LogNames, LogStream, Record, Situation, StreamReader, check_successor};
use ese_os::{Env, OpenMode};
use ese_pages::{DbState, header::read_header};

use super::{DatabaseReport, FileReport, Severity, VerifyOptions, VerifyProgress, verify_database};
use crate::{
    copies::is_ahead,
    logs::{LogLink, LogPicture, LogRole, each_log_record, look_at_logs, wrong_link},
    restore::{FoundDatabases, file_name, find_base, look_for_databases, looks_like_backup_set},
};

/// What the verification of a log found.
#[derive(Debug)]
pub struct LogReport {
    /// The three characters that its names begin with.
    pub base: String,
    /// First and last generation of the unbroken row.
    pub generations: (Generation, Generation),
    /// Records.
    pub records: u64,
    /// Behind the last whole record.
    pub end: LgPos,
    /// Did the instance that wrote it end properly?
    pub ended_cleanly: bool,
    /// What is wrong, with code and generation. A torn end is not wrong.
    pub problems: Vec<Error>,
}

/// What the verification of a directory, or of one file, found.
#[derive(Debug)]
pub struct DirReport {
    /// The directory, or the file.
    pub path: PathBuf,
    /// Its databases, by name.
    pub databases: Vec<DatabaseReport>,
    /// Its log.
    pub log: Option<LogReport>,
    /// If it is a backup set: what was read.
    pub set: Option<SetReport>,
    /// If it is a file, and no database: what was read.
    pub file: Option<FileReport>,
    /// What is wrong beyond single databases and the log.
    pub problems: Vec<Error>,
}

impl DirReport {
    pub(super) fn new(path: &Path) -> DirReport {
        DirReport {
            path: path.to_path_buf(),
            databases: Vec::new(),
            log: None,
            set: None,
            file: None,
            problems: Vec::new(),
        }
    }

    /// Everything that is wrong.
    pub fn all_problems(&self) -> impl Iterator<Item = &Error> {
        let databases = self.databases.iter().flat_map(|database| &database.problems);
        let log = self.log.iter().flat_map(|log| &log.problems);
        self.problems.iter().chain(databases).chain(log)
    }

    /// Everything that is wrong, and how bad it is.
    pub fn findings(&self) -> impl Iterator<Item = (Severity, &Error)> {
        let log = self.log.iter().flat_map(|log| &log.problems);
        let others = self.problems.iter().chain(log);
        let databases = self.databases.iter().flat_map(DatabaseReport::findings);
        others.map(|error| (Severity::of(error), error)).chain(databases)
    }

    /// Is nothing wrong?
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.all_problems().next().is_none()
    }
}

/// Verifies everything in a directory that belongs to an instance which is not running, or a backup
/// set.
///
/// # Errors
/// The file system's; `JET_errFileNotFound` (-1811) if there is neither database nor log;
/// `JET_errFileAccessDenied` (-1032) while an instance has a database;
/// `JET_errClientRequestToStopJetService` (-1329) if stopped. Everything else is a finding.
pub fn verify_dir(env: &Env, dir: &Path, options: &mut VerifyOptions<'_>) -> Result<DirReport> {
    let mut report = DirReport::new(dir);
    let manifest = dir.join(ese_backup::stream::MANIFEST_NAME);
    let incomplete = dir.join(ese_backup::stream::INCOMPLETE_NAME);
    let marked = env.fs.exists(&manifest)? || env.fs.exists(&incomplete)?;
    if marked || looks_like_backup_set(env, dir)? {
        verify_backup(env, dir, &mut report, options)?;
        if !marked {
            let what = "this looks like a backup set without its manifest";
            report.problems.push(
                Error::new(JetErr::FileNotFound, what)
                    .at_path(&manifest)
                    .advise("bring it back; without it files that are missing are not missed"),
            );
        }
        return Ok(report);
    }
    let FoundDatabases { databases, mut unreadable, alike } = look_for_databases(env, dir)?;
    unreadable.extend(alike);
    let base = find_base(env, dir)?;
    let picture = look_at_logs(env, dir)?;
    let nothing = databases.is_empty() && unreadable.is_empty() && picture.chains.is_empty();
    if nothing && base.is_none() {
        return Err(Error::new(JetErr::FileNotFound, "neither a database nor a log is here")
            .at_path(dir)
            .advise("name a database file, the directory of an instance, or a backup set"));
    }
    report.problems = unreadable;
    for database in databases {
        match verify_database(env, &database, options) {
            Ok(found) => report.databases.push(found),
            // Stopped, or in use.
            Err(error) => match error.code() {
                JetErr::ClientRequestToStopJetService | JetErr::FileAccessDenied => {
                    return Err(error);
                }
                _ => report.problems.push(error),
            },
        }
    }
    if let Some(base) = base {
        match LogStream::scan(env, &LogNames::new(dir, &base)) {
            Ok(stream) => {
                let mut named = Named::default();
                let log = verify_log(env, &stream, base, &mut named, options)?;
                check_required(&mut report, &stream, &log);
                check_names(&mut report, &stream, &log);
                check_named(env, dir, &mut report, &named)?;
                report.log = Some(log);
            }
            // One of its files cannot be read. The others are looked at one by one.
            Err(error) => report.problems.push(error),
        }
    }
    for problem in check_chains(env, picture, report.log.as_ref(), options)? {
        // What ended the look at the stream is said once.
        if report.problems.iter().all(|other| other.path() != problem.path()) {
            report.problems.push(problem);
        }
    }
    Ok(report)
}

/// What the log that was read does not show: gaps and forks, and damage in logs before a gap,
/// behind other damage, or under other names.
fn check_chains(
    env: &Env,
    picture: LogPicture,
    log: Option<&LogReport>,
    options: &VerifyOptions<'_>,
) -> Result<Vec<Error>> {
    let mut problems = Vec::new();
    let told = |path: Option<&Path>| {
        log.is_some_and(|log| log.problems.iter().any(|other| other.path() == path))
    };
    for chain in &picture.chains {
        for link in chain.wrong_links() {
            problems.push(wrong_link(link));
        }
        for (at, link) in chain.links.iter().enumerate() {
            let copy =
                matches!(link.link, LogLink::Copy) || link.role == LogRole::Temporary && !link.used;
            let named = matches!(link.role, LogRole::Current | LogRole::Archive);
            // A reader goes on to the next file when it has come to the end of one.
            let was_read = log.is_some_and(|log| {
                let (first, last) = (log.generations.0, log.end.generation);
                named && first <= link.header.generation && link.header.generation < last
                    || log.problems.is_empty() && named && link.header.generation == last
            });
            if copy || was_read || told(Some(&link.file.path)) {
                continue;
            }
            let read =
                each_log_record(env, &link.file.path, &options.stop, &mut |_| Ok(())).map(drop);
            let next = chain
                .links
                .iter()
                .skip(at + 1)
                .find(|next| next.used && next.header.previous_created == link.header.created);
            match (read, next) {
                (Err(error), _) if error.code() == JetErr::ClientRequestToStopJetService => {
                    return Err(error);
                }
                (Err(error), _) => problems.push(error),
                (Ok(()), Some(next)) if link.used => {
                    problems.extend(check_successor(env, &link.file, &next.header).err());
                }
                (Ok(()), _) => {}
            }
        }
    }
    let unreadable = picture.unreadable.into_iter();
    problems.extend(unreadable.filter(|error| !told(error.path())));
    Ok(problems)
}

fn verify_backup(
    env: &Env,
    dir: &Path,
    report: &mut DirReport,
    options: &mut VerifyOptions<'_>,
) -> Result<()> {
    let mut progress = |done: &ese_backup::restore::RestoreProgress| {
        (options.progress)(&VerifyProgress {
            bytes_done: done.bytes_done,
            bytes_total: done.bytes_total,
            replayed: None,
        });
    };
    // What is wrong with a manifest is said by whoever needs it.
    let manifest = Manifest::read(env, dir).ok().flatten();
    let examined = match manifest.is_some_and(|manifest| manifest.base.is_some()) {
        true => examine_logs(env, dir),
        false => RestorePlan::examine(env, dir),
    };
    let verified = examined.and_then(|plan| verify_set(env, &plan, &mut progress, &options.stop));
    match verified {
        Ok(found) => report.set = Some(found),
        Err(error) if error.code() == JetErr::ClientRequestToStopJetService => return Err(error),
        Err(error) => report.problems.push(error),
    }
    Ok(())
}

fn verify_log(
    env: &Env,
    stream: &LogStream,
    base: String,
    named: &mut Named,
    options: &mut VerifyOptions<'_>,
) -> Result<LogReport> {
    let mut log = LogReport {
        base,
        generations: (Generation(0), Generation(0)),
        records: 0,
        end: LgPos::MIN,
        ended_cleanly: false,
        problems: Vec::new(),
    };
    // What was shipped ends with a generation that has its number, finished or not.
    let shipped = env.fs.exists(&stream.names().dir().join(STATE_NAME))?;
    if stream.situation() == Situation::CurrentMissing && !shipped {
        let what = "the current log file is missing while older ones are there";
        log.problems.push(
            Error::new(JetErr::MissingLogFile, what)
                .at_path(stream.names().current())
                .advise("bring it back; without it the last commits are lost"),
        );
    }
    let read = read_log(env, stream, &mut log, named, options);
    match read {
        Err(error) if error.code() == JetErr::ClientRequestToStopJetService => return Err(error),
        Err(error) => log.problems.push(error),
        Ok(()) => {}
    }
    Ok(log)
}

fn read_log(
    env: &Env,
    stream: &LogStream,
    log: &mut LogReport,
    named: &mut Named,
    options: &mut VerifyOptions<'_>,
) -> Result<()> {
    let files = stream.archives().map(|(_, file)| file).chain(stream.current());
    options.expect(files.map(|file| file.len).sum());
    let mut reader = match stream.newest() {
        Ok(newest) => {
            log.generations = (stream.oldest()?, newest);
            stream.reader(LgPos { generation: log.generations.0, isec: 0, ib: 0 })?
        }
        Err(error) => {
            log.problems.push(error);
            let files = finished_row(stream);
            let (Some((first, _)), Some((last, _))) = (files.first(), files.last()) else {
                return Ok(());
            };
            log.generations = (*first, *last);
            StreamReader::of_files(env, files.into_iter().map(|(_, file)| file).collect())
        }
    };
    for attachment in &stream.header_of(log.generations.0)?.attachments {
        named.attach(attachment.dbid, &attachment.path, attachment.sign_db);
    }
    let len = stream.header_of(log.generations.1)?.file_len();
    let mut generation = log.generations.0;
    while let Some(entry) = reader.next()? {
        log.records += 1;
        log.end = entry.end;
        named.see(&entry.record);
        if entry.pos.generation != generation {
            generation = entry.pos.generation;
            options.advance(len)?;
        }
    }
    options.advance(len)?;
    log.ended_cleanly = reader.end()?.ended_cleanly();
    Ok(())
}

/// The newest finished generations without a gap, where the one behind them cannot be used.
fn finished_row(stream: &LogStream) -> Vec<(Generation, &LogFile)> {
    let mut row: Vec<(Generation, &LogFile)> = Vec::new();
    for (generation, file) in stream.archives().rev() {
        let joins = row.last().is_none_or(|(next, _)| generation.0 + 1 == next.0);
        if !joins || file.header().is_err() {
            break;
        }
        row.push((generation, file));
    }
    row.reverse();
    row
}

/// Finished generations are called as their headers say; one outside of the row that was read may
/// be called as it likes, and a start of the instance would take it for what it is not.
fn check_names(report: &mut DirReport, stream: &LogStream, log: &LogReport) {
    let errors = stream.archives().filter_map(|(_, file)| file.header().err());
    let told = |error: &Error| log.problems.iter().any(|other| other.path() == error.path());
    let other = errors.filter(|error| error.code() == JetErr::LogGenerationMismatch);
    report.problems.extend(other.filter(|error| !told(error)).map(|error| {
        error.advise("give it the name of its generation, or take it away if that is here")
    }));
}

/// The databases that a log names.
#[derive(Debug, Default)]
struct Named {
    /// File names of all of them.
    files: BTreeSet<String>,
    /// Those whose creation has not finished: they may be missing.
    begun: BTreeMap<Dbid, (String, Signature)>,
    /// Those that are attached at the end: they have to be there for its recovery.
    attached: BTreeMap<Dbid, (String, Signature)>,
}

impl Named {
    fn attach(&mut self, dbid: Dbid, path: &str, signature: Signature) {
        self.files.extend(file_name(path));
        self.attached.insert(dbid, (path.to_owned(), signature));
    }

    fn see(&mut self, record: &Record<'_>) {
        match record {
            Record::AttachDb(attach) => {
                self.attach(attach.dbid, &attach.path.text(), attach.sign_db);
            }
            Record::CreateDb(create) => {
                let path = create.path.text();
                self.files.extend(file_name(&path));
                self.begun.insert(create.dbid, (path, create.sign_db));
            }
            Record::CreateDbFinish(finish) => {
                if let Some(created) = self.begun.remove(&finish.dbid) {
                    self.attached.insert(finish.dbid, created);
                }
            }
            Record::DetachDb(detach) => drop(self.attached.remove(&detach.dbid)),
            Record::Term2(_) | Record::RecoveryQuit2(_) => {
                self.begun.clear();
                self.attached.clear();
            }
            _ => {}
        }
    }
}

/// What the log calls a database is one, and those that it needs are there.
fn check_named(env: &Env, dir: &Path, report: &mut DirReport, named: &Named) -> Result<()> {
    let known = |path: &Path| {
        report.databases.iter().any(|database| database.path == path)
            || report.problems.iter().any(|problem| problem.path() == Some(path))
    };
    let mut problems = Vec::new();
    for name in &named.files {
        let path = dir.join(name);
        if known(&path) || !env.fs.exists(&path)? {
            continue;
        }
        let header = env.fs.open(&path, OpenMode::Read).and_then(|f| read_header(f.as_ref()));
        problems.extend(header.err());
    }
    for (path, signature) in named.attached.values() {
        let here = report.databases.iter().any(|found| found.header.sign_db == *signature);
        if here {
            continue;
        }
        let local = dir.join(file_name(path).unwrap_or_default());
        if let Some(other) = report.databases.iter().find(|found| found.path == local) {
            let what = format!(
                "the log needs database {signature}, and the file is {}",
                other.header.sign_db
            );
            problems.push(
                Error::new(JetErr::AttachedDatabaseMismatch, what)
                    .at_path(&local)
                    .advise("put the right database in its place, or take it to a log of its own"),
            );
            continue;
        }
        // One that is damaged has been named, and one elsewhere is not looked at.
        if env.fs.exists(&local)? || env.fs.exists(Path::new(path))? {
            continue;
        }
        problems.push(
            Error::new(JetErr::AttachedDatabaseMismatch, "the log needs it, and it is not there")
                .at_path(path)
                .advise("put the database back, or restore it from a backup"),
        );
    }
    report.problems.extend(problems);
    Ok(())
}

/// Dirty databases need their generations, and no log ends before the state that a clean one is in.
fn check_required(report: &mut DirReport, stream: &LogStream, log: &LogReport) {
    let (first, last) = log.generations;
    let end = log.end.max(LgPos { generation: last, isec: 0, ib: 0 });
    let Ok(signature) = stream.signature() else { return };
    for database in &report.databases {
        let header = &database.header;
        if header.state() == DbState::CleanShutdown {
            // Where the log cannot be read to its end, that was said.
            if header.sign_log == signature && log.problems.is_empty() {
                report.problems.extend(is_ahead(&database.path, header, end));
            }
            continue;
        }
        let (min, max) = header.required();
        let error = if header.sign_log != signature {
            Error::new(
                JetErr::DatabaseLogSetMismatch,
                format!("it belongs to log {}, these are {signature}", header.sign_log),
            )
        } else if min < first || max > last {
            Error::new(
                JetErr::RequiredLogFilesMissing,
                format!(
                    "it needs generations {:#x} to {:#x}; at hand are {:#x} to {:#x}",
                    min.0, max.0, first.0, last.0
                ),
            )
        } else {
            continue;
        };
        report.problems.push(error.at_path(&database.path));
    }
}
