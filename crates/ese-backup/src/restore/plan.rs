//! Looking at a backup set: what is in it, and can it be restored? Nothing is written.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use ese_base::{Error, Generation, JetErr, LogTime, PageSize, Result, Signature};
use ese_log::{LogId, LogName, layout::Framing};
use ese_os::{Env, parent_of};
use ese_pages::{DbHeader, header::BackupTrailer};

use super::{
    part::{Part, Want},
    scan::wrong_signature,
};
use crate::stream::Manifest;

/// A database copy of a set.
#[derive(Clone, Debug)]
pub struct PlannedDatabase {
    /// Its name in the set.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// Bytes, with the trailer.
    pub len: u64,
    /// Its page size.
    pub page_size: PageSize,
    /// Its header.
    pub header: DbHeader,
    /// Its trailer.
    pub trailer: BackupTrailer,
    /// Where it was attached when it was copied: by the manifest, else by the log.
    pub source: Option<PathBuf>,
    /// CRC-32 of the file by the manifest, 8 hexadecimal digits.
    pub crc32: Option<String>,
}

/// A log of a set.
#[derive(Clone, Debug)]
pub struct PlannedLog {
    /// Its name in the set.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// Bytes.
    pub len: u64,
    /// Its generation, from the header.
    pub generation: Generation,
    /// When it was created.
    pub created: LogTime,
    /// When the generation before it was created.
    pub previous_created: LogTime,
    /// The stream it belongs to.
    pub signature: Signature,
    /// How its records lie; decides what can be verified without reading them.
    pub framing: Framing,
    /// The databases that were attached when it was created, with their paths then.
    pub attachments: Vec<(Signature, PathBuf)>,
    /// CRC-32 of the file by the manifest, 8 hexadecimal digits.
    pub crc32: Option<String>,
    /// The same log in other directories of the source: one of them serves where this is damaged.
    pub copies: Vec<LogCopy>,
}

/// A further copy of a log.
#[derive(Clone, Debug)]
pub struct LogCopy {
    /// Where it lies.
    pub path: PathBuf,
    /// Its CRC-32 by the manifest beside it.
    pub crc32: Option<String>,
}

impl PlannedLog {
    /// Which log it is.
    #[must_use]
    pub fn id(&self) -> LogId {
        LogId { signature: self.signature, generation: self.generation, created: self.created }
    }

    /// Is it another copy of the same file?
    fn is_same_as(&self, other: &PlannedLog) -> bool {
        (self.id(), self.previous_created, self.len)
            == (other.id(), other.previous_created, other.len)
    }
}

/// Where the files of a restore come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreSource {
    /// The set with the databases.
    pub dir: PathBuf,
    /// Directories with further logs: incremental sets, or whatever else continues the set.
    pub increments: Vec<PathBuf>,
    /// First and last generation that is taken; everything there is without.
    pub generations: Option<(Generation, Generation)>,
    /// Logs behind this generation are not looked at, whatever a manifest says.
    pub up_to: Option<Generation>,
}

impl RestoreSource {
    /// A set with everything in it.
    #[must_use]
    pub fn new(dir: &Path) -> RestoreSource {
        let (dir, increments) = (dir.to_path_buf(), Vec::new());
        RestoreSource { dir, increments, generations: None, up_to: None }
    }

    /// With the logs of another directory on top.
    #[must_use]
    pub fn with_increment(mut self, dir: &Path) -> RestoreSource {
        self.increments.push(dir.to_path_buf());
        self
    }
}

/// A set that was looked at and can be restored.
#[derive(Clone, Debug)]
pub struct RestorePlan {
    /// Where the set lies: the directory that was named, or `new` or `old` in it.
    pub dir: PathBuf,
    /// The databases.
    pub databases: Vec<PlannedDatabase>,
    /// The logs, ascending, without a hole.
    pub logs: Vec<PlannedLog>,
    /// First generation to be replayed.
    pub gen_low: Generation,
    /// Last generation to be replayed.
    pub gen_high: Generation,
    /// The log stream.
    pub log_signature: Signature,
    /// Three characters that every log's name begins with.
    pub log_base: String,
    /// The manifest, if the set has one.
    pub manifest: Option<Manifest>,
    /// Files that are no part of the set.
    pub ignored: Vec<PathBuf>,
    /// There are logs behind the last one, which are left out.
    pub cut: bool,
    /// What is wrong with logs of which another directory holds a sound copy, which serves.
    pub damaged: Vec<Error>,
}

impl RestorePlan {
    /// Looks at a set.
    ///
    /// # Errors
    /// * `JET_errFileNotFound` (-1811): no log in the directory, its `new` or its `old`
    /// * `JET_errMissingRestoreLogFiles` (-557): a generation is missing, or the set was never
    ///   finished
    /// * `JET_errGivenLogFileHasBadSignature` (-555), `JET_errGivenLogFileIsNotContiguous` (-556)
    /// * `JET_errLogCorruptDuringHardRestore` (-573): the header of a log is damaged
    /// * `JET_errPatchFileMissing` (-538): no database
    /// * `JET_errDatabaseCorrupted` (-1206), `JET_errRestoreOfNonBackupDatabase` (-615),
    ///   `JET_errBadBackupDatabaseSize` (-561), `JET_errDatabasePatchFileMismatch` (-552)
    /// * `JET_errStartingRestoreLogTooHigh` (-554), `JET_errEndingRestoreLogTooLow` (-553)
    /// * `JET_errDatabasesNotFromSameSnapshot` (-580)
    /// * `JET_errMissingCurrentLogFiles` (-565): behind the logs of a further directory the log
    ///   goes on in a file that is no finished generation
    /// * `JET_errFileAccessDenied` (-1032): a link, pipe or device is among the files
    pub fn examine(env: &Env, set_dir: &Path) -> Result<RestorePlan> {
        RestorePlan::examine_source(env, &RestoreSource::new(set_dir))
    }

    /// Looks at a set, at incremental ones on top of it, and at a range of their generations.
    ///
    /// # Errors
    /// As [`RestorePlan::examine`]; `JET_errMissingRestoreLogFiles` (-557) if the range is not
    /// there.
    pub fn examine_source(env: &Env, source: &RestoreSource) -> Result<RestorePlan> {
        let mut part = Part::read(env, &source.dir, Want::Set, source.up_to)?;
        part.check_manifest()?;
        let mut more = Vec::new();
        for dir in &source.increments {
            let mut logs = Part::read(env, dir, Want::Logs, source.up_to)?;
            logs.check_manifest()?;
            more.push(logs);
        }
        let parts: Vec<&Part> = std::iter::once(&part).chain(&more).collect();
        let (lost, damaged) = lost_and_damaged(&parts)?;
        let Some(first) = part.databases.first() else {
            return Err(Error::new(JetErr::PatchFileMissing, "the set holds no database")
                .at_path(&part.dir)
                .advise("copy the databases of the backup into this directory"));
        };
        let log_signature = first.header.sign_log;
        // In the order of the directories: the first copy of a generation counts.
        let all = parts.iter().flat_map(|part| part.logs.clone()).collect();
        let logs = choose_logs(all, source.generations)?;
        if logs.is_empty() {
            let none = Error::new(JetErr::FileNotFound, "no log of a backup set here")
                .at_path(&part.dir)
                .advise("name the directory that the backup was written into");
            return Err(lost.map_or(none, |error| error.with_code(JetErr::FileNotFound)));
        }
        let databases = part.databases.clone();
        let mut plan = RestorePlan::of(part.dir.clone(), databases, logs, log_signature)?;
        // Behind what the logs that are there say of each other, which says more.
        if let Some(error) = lost {
            return Err(error);
        }
        plan.ignored.clone_from(&part.ignored);
        plan.damaged = damaged;
        plan.cut |= parts.iter().any(|part| part.cut);
        // Of a range somebody has said where it ends.
        if source.generations.is_none() {
            for part in &more {
                part.check_current(log_signature, plan.gen_high)?;
            }
            plan.cut |= source.up_to.is_some_and(|last| last == plan.gen_high);
        }
        plan.databases = part.databases;
        plan.manifest = part.manifest;
        plan.name_sources();
        Ok(plan)
    }

    /// Checks what the headers say of each other.
    pub(super) fn of(
        dir: PathBuf,
        databases: Vec<PlannedDatabase>,
        logs: Vec<PlannedLog>,
        log_signature: Signature,
    ) -> Result<RestorePlan> {
        check_chain(&logs, log_signature)?;
        let log_base = logs.first().and_then(|log| LogName::archive(&log.name));
        let log_base = log_base.map_or_else(String::new, |(base, _)| base.to_owned());
        let plan = RestorePlan {
            gen_low: logs.first().map_or(Generation(0), |log| log.generation),
            gen_high: logs.last().map_or(Generation(0), |log| log.generation),
            dir,
            databases,
            logs,
            log_signature,
            log_base,
            manifest: None,
            ignored: Vec::new(),
            cut: false,
            damaged: Vec::new(),
        };
        for database in &plan.databases {
            plan.check_database(database)?;
        }
        check_distinct(&plan.databases)?;
        check_snapshots(&plan.databases)?;
        Ok(plan)
    }

    /// Leaves out the logs behind a generation.
    pub fn leave_out_behind(&mut self, last: Generation) {
        let before = self.logs.len();
        self.logs.retain(|log| log.generation <= last);
        self.cut |= self.logs.len() < before;
        self.gen_high = self.logs.last().map_or(Generation(0), |log| log.generation);
    }

    /// Where databases were, by the logs, of which the manifest does not say it.
    pub(super) fn name_sources(&mut self) {
        let headers = || self.logs.iter().rev().flat_map(|log| &log.attachments);
        for database in self.databases.iter_mut().filter(|database| database.source.is_none()) {
            let same = |(sign, _): &&(Signature, PathBuf)| *sign == database.header.sign_db;
            database.source = headers().find(same).map(|(_, path)| path.clone());
        }
    }

    /// The directories that its files lie in.
    pub(super) fn dirs(&self) -> BTreeSet<&Path> {
        let copies = self.logs.iter().flat_map(|log| &log.copies).map(|copy| copy.path.as_path());
        let files = self.logs.iter().map(|log| log.path.as_path()).chain(copies);
        let files = files.chain(self.databases.iter().map(|database| database.path.as_path()));
        files.map(parent_of).chain([self.dir.as_path()]).collect()
    }

    /// Bytes of all its files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let databases: u64 = self.databases.iter().map(|database| database.len).sum();
        databases + self.logs.iter().map(|log| log.len).sum::<u64>()
    }

    /// Do the logs reach from the begin of the copy to its end?
    fn check_database(&self, database: &PlannedDatabase) -> Result<()> {
        if database.header.sign_log != self.log_signature {
            return Err(Error::new(
                JetErr::GivenLogFileHasBadSignature,
                format!(
                    "the database belongs to log {}, the set to {}",
                    database.header.sign_log, self.log_signature
                ),
            )
            .at_path(&database.path));
        }
        let low = database.header.bkinfo_full_cur.gen_low.get();
        let high = database.trailer.bkinfo.gen_high.get();
        let needs = format!(
            "the copy needs log generations {low:#x} to {high:#x}, the set holds {:#x} to {:#x}",
            self.gen_low.0, self.gen_high.0
        );
        let code = if low < self.gen_low.0 {
            JetErr::StartingRestoreLogTooHigh
        } else if high > self.gen_high.0 {
            JetErr::EndingRestoreLogTooLow
        } else {
            return Ok(());
        };
        Err(Error::new(code, needs)
            .at_path(&database.path)
            .advise("add the missing logs to the set"))
    }
}

/// Of the logs that directories have lost: what is wrong with the first that is nowhere else, and
/// with those of which another directory has a sound copy.
///
/// # Errors
/// A log that is damaged and nowhere else.
fn lost_and_damaged(parts: &[&Part]) -> Result<(Option<Error>, Vec<Error>)> {
    let (mut lost, mut damaged) = (None, Vec::new());
    for log in parts.iter().flat_map(|part| &part.lost) {
        if parts.iter().any(|part| part.serves_for(log)) {
            damaged.push(log.error.clone());
        } else if log.is_damaged() {
            return Err(log.error.clone());
        } else {
            lost.get_or_insert_with(|| log.error.clone());
        }
    }
    Ok((lost, damaged))
}

/// The logs that are replayed: each generation once, and only those of the range.
pub(super) fn choose_logs(
    mut logs: Vec<PlannedLog>,
    range: Option<(Generation, Generation)>,
) -> Result<Vec<PlannedLog>> {
    logs.sort_by_key(|log| log.generation);
    logs.dedup_by(|later, first| {
        let same = later.path.parent() != first.path.parent() && later.is_same_as(first);
        if same {
            first.copies.push(LogCopy { path: later.path.clone(), crc32: later.crc32.clone() });
        }
        same
    });
    let Some((low, high)) = range else { return Ok(logs) };
    logs.retain(|log| low <= log.generation && log.generation <= high);
    let missing = match (logs.first(), logs.last()) {
        (None, _) => {
            let what = format!("no log of generations {:#x} to {:#x} here", low.0, high.0);
            return Err(Error::new(JetErr::FileNotFound, what));
        }
        (Some(first), _) if first.generation != low => low,
        (_, Some(last)) if last.generation != high => high,
        _ => return Ok(logs),
    };
    let what = "a generation of the range that was asked for is missing";
    Err(Error::new(JetErr::MissingRestoreLogFiles, what).at_generation(missing))
}

/// Of two copies of one database the log would be replayed into one alone.
fn check_distinct(databases: &[PlannedDatabase]) -> Result<()> {
    for (at, database) in databases.iter().enumerate() {
        let same = |other: &&PlannedDatabase| other.header.sign_db == database.header.sign_db;
        if let Some(other) = databases.iter().take(at).find(same) {
            let what =
                format!("{:?} and {:?} are copies of the same database", other.name, database.name);
            return Err(Error::new(JetErr::DatabaseSignInUse, what)
                .at_path(&database.path)
                .advise("take the one out of the set that does not belong to it"));
        }
    }
    Ok(())
}

/// Databases of a snapshot of the operating system are of one moment, which is that of all.
fn check_snapshots(databases: &[PlannedDatabase]) -> Result<()> {
    let of_snapshot = |database: &&PlannedDatabase| {
        database.header.bkinfo_full_cur.logtime_mark.snapshot_and_ms_high & 1 != 0
    };
    let Some(first) = databases.iter().find(of_snapshot) else { return Ok(()) };
    let mark = |database: &PlannedDatabase| {
        let info = &database.header.bkinfo_full_cur;
        (info.lgpos_mark.get(), info.logtime_mark)
    };
    match databases.iter().find(|other| mark(other) != mark(first)) {
        None => Ok(()),
        Some(other) => Err(Error::new(
            JetErr::DatabasesNotFromSameSnapshot,
            format!("it was copied at {}, {} at {}", mark(other).0, first.name, mark(first).0),
        )
        .at_path(&other.path)
        .advise("restore databases of one snapshot together")),
    }
}

/// One stream, no hole, each log the successor of the one before.
pub(super) fn check_chain(logs: &[PlannedLog], signature: Signature) -> Result<()> {
    if let Some(foreign) = logs.iter().find(|log| log.signature != signature) {
        return Err(wrong_signature(foreign, signature));
    }
    for pair in logs.windows(2) {
        let [before, log] = pair else { continue };
        let expected = before.generation.next();
        if log.generation > expected {
            return Err(Error::new(
                JetErr::MissingRestoreLogFiles,
                format!("the next log in the set is {:#x}", log.generation.0),
            )
            .at_path(&log.path)
            .at_generation(expected)
            .advise("add the missing log to the set"));
        }
        if log.generation < expected || log.previous_created != before.created {
            return Err(Error::new(
                JetErr::GivenLogFileIsNotContiguous,
                format!(
                    "the log follows one created at {}, the one before it was created at {}",
                    log.previous_created, before.created
                ),
            )
            .at_path(&log.path)
            .at_generation(log.generation)
            .advise("the set mixes logs of different histories: restore another set"));
        }
    }
    Ok(())
}
