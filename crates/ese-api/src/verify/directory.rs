//! A directory: its databases, its log, and whether they fit together; or a backup set.

use std::path::{Path, PathBuf};

use ese_backup::restore::{RestorePlan, SetReport, verify_set};
use ese_base::{Error, Generation, JetErr, LgPos, Result};
use ese_log::{LogNames, LogStream, Situation};
use ese_os::Env;
use ese_pages::DbState;

use super::{DatabaseReport, VerifyOptions, VerifyProgress, verify_database};
use crate::restore::{databases_in, find_base};

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

/// What the verification of a directory found.
#[derive(Debug)]
pub struct DirReport {
    /// The directory.
    pub path: PathBuf,
    /// Its databases, by name.
    pub databases: Vec<DatabaseReport>,
    /// Its log.
    pub log: Option<LogReport>,
    /// If it is a backup set: what was read.
    pub set: Option<SetReport>,
    /// What is wrong beyond single databases and the log.
    pub problems: Vec<Error>,
}

impl DirReport {
    /// Everything that is wrong.
    pub fn all_problems(&self) -> impl Iterator<Item = &Error> {
        let databases = self.databases.iter().flat_map(|database| &database.problems);
        let log = self.log.iter().flat_map(|log| &log.problems);
        self.problems.iter().chain(databases).chain(log)
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
    let mut report = DirReport {
        path: dir.to_path_buf(),
        databases: Vec::new(),
        log: None,
        set: None,
        problems: Vec::new(),
    };
    let manifest = dir.join(ese_backup::stream::MANIFEST_NAME);
    let incomplete = dir.join(ese_backup::stream::INCOMPLETE_NAME);
    if env.fs.exists(&manifest)? || env.fs.exists(&incomplete)? {
        verify_backup(env, dir, &mut report, options)?;
        return Ok(report);
    }
    let databases = databases_in(env, dir)?;
    let base = find_base(env, dir)?;
    if databases.is_empty() && base.is_none() {
        return Err(Error::new(JetErr::FileNotFound, "neither a database nor a log is here")
            .at_path(dir)
            .advise("name a database file, the directory of an instance, or a backup set"));
    }
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
        let stream = LogStream::scan(env, &LogNames::new(dir, &base))?;
        let log = verify_log(&stream, base, options)?;
        check_required(&mut report, &stream, &log);
        report.log = Some(log);
    }
    Ok(report)
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
        });
    };
    let verified = RestorePlan::examine(env, dir)
        .and_then(|plan| verify_set(env, &plan, &mut progress, &options.stop));
    match verified {
        Ok(found) => report.set = Some(found),
        Err(error) if error.code() == JetErr::ClientRequestToStopJetService => return Err(error),
        Err(error) => report.problems.push(error),
    }
    Ok(())
}

fn verify_log(
    stream: &LogStream,
    base: String,
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
    if stream.situation() == Situation::CurrentMissing {
        let what = "the current log file is missing while older ones are there";
        log.problems.push(
            Error::new(JetErr::MissingLogFile, what)
                .at_path(stream.names().current())
                .advise("bring it back; without it the last commits are lost"),
        );
    }
    let read = read_log(stream, &mut log, options);
    match read {
        Err(error) if error.code() == JetErr::ClientRequestToStopJetService => return Err(error),
        Err(error) => log.problems.push(error),
        Ok(()) => {}
    }
    Ok(log)
}

fn read_log(
    stream: &LogStream,
    log: &mut LogReport,
    options: &mut VerifyOptions<'_>,
) -> Result<()> {
    log.generations = (stream.oldest()?, stream.newest()?);
    let files = stream.archives().map(|(_, file)| file).chain(stream.current());
    options.expect(files.map(|file| file.len).sum());
    let from = LgPos { generation: log.generations.0, isec: 0, ib: 0 };
    let mut reader = stream.reader(from)?;
    let mut generation = from.generation;
    while let Some(entry) = reader.next()? {
        log.records += 1;
        log.end = entry.end;
        if entry.pos.generation != generation {
            generation = entry.pos.generation;
            options.advance(stream.newest_header()?.file_len())?;
        }
    }
    options.advance(stream.newest_header()?.file_len())?;
    log.ended_cleanly = reader.end()?.ended_cleanly();
    Ok(())
}

/// Dirty databases need their generations.
fn check_required(report: &mut DirReport, stream: &LogStream, log: &LogReport) {
    let (first, last) = log.generations;
    let Ok(signature) = stream.signature() else { return };
    for database in &report.databases {
        let header = &database.header;
        if header.state() == DbState::CleanShutdown {
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
