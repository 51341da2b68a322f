//! Looking at a backup set: what is in it, and can it be restored? Nothing is written.

use std::path::{Path, PathBuf};

use ese_base::{Error, Generation, JetErr, LogTime, PageSize, Result, Signature};
use ese_log::layout::Framing;
use ese_os::{DirEntry, Env};
use ese_pages::{DbHeader, header::BackupTrailer};

use super::scan::{
    Other, archived_log_name, candidate_dirs, is_companion, scan_log, scan_other, wrong_signature,
};
use crate::stream::{INCOMPLETE_NAME, Manifest, signature_from_hex};

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
    /// Where it was attached when it was copied, if the set has a manifest.
    pub source: Option<PathBuf>,
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
    pub fn examine(env: &Env, set_dir: &Path) -> Result<RestorePlan> {
        let (dir, entries) = find_set(env, set_dir)?;
        let manifest = check_finished(env, &dir, &entries)?;
        let mut ignored = Vec::new();
        let mut logs = Vec::new();
        let mut databases = Vec::new();
        for entry in &entries {
            if let Some((_, generation)) = archived_log_name(&entry.name) {
                let log = scan_log(env, &dir, entry)?;
                check_name(&log, generation)?;
                logs.push(log);
            } else if !is_companion(&entry.name) {
                match scan_other(env, &dir, entry, is_expected(entry, &entries, manifest.as_ref()))?
                {
                    Other::Database(database) => databases.push(*database),
                    Other::Unknown => ignored.push(dir.join(&entry.name)),
                }
            }
        }
        logs.sort_by_key(|log| log.generation);
        let Some(first) = databases.first() else {
            return Err(Error::new(JetErr::PatchFileMissing, "the set holds no database")
                .at_path(&dir)
                .advise("copy the databases of the backup into this directory"));
        };
        let log_signature = first.header.sign_log;
        check_chain(&logs, log_signature)?;
        let log_base = logs.first().and_then(|log| archived_log_name(&log.name));
        let log_base = log_base.map_or_else(String::new, |(base, _)| base.to_owned());
        let mut plan = RestorePlan {
            gen_low: logs.first().map_or(Generation(0), |log| log.generation),
            gen_high: logs.last().map_or(Generation(0), |log| log.generation),
            dir,
            databases,
            logs,
            log_signature,
            log_base,
            manifest,
            ignored,
        };
        for database in &plan.databases {
            plan.check_database(database)?;
        }
        plan.check_manifest()?;
        Ok(plan)
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

    /// Everything that the manifest lists is there in its full length.
    fn check_manifest(&mut self) -> Result<()> {
        let Some(manifest) = &self.manifest else { return Ok(()) };
        for entry in &manifest.logs {
            if !self.logs.iter().any(|log| log.name == entry.name && log.len == entry.len) {
                return Err(Error::new(
                    JetErr::MissingRestoreLogFiles,
                    format!("the manifest lists a log of {} bytes, which is not there", entry.len),
                )
                .at_path(self.dir.join(&entry.name))
                .at_generation(Generation(entry.generation)));
            }
        }
        for entry in &manifest.databases {
            let signature = signature_from_hex(&entry.signature);
            let found = self.databases.iter_mut().find(|database| {
                database.name == entry.name
                    && database.len == entry.len
                    && signature.is_none_or(|signature| signature == database.header.sign_db)
            });
            match found {
                Some(database) => database.source = Some(PathBuf::from(&entry.source)),
                None => {
                    return Err(Error::new(
                        JetErr::DatabasePatchFileMismatch,
                        format!("not the database of {} bytes that the manifest lists", entry.len),
                    )
                    .at_path(self.dir.join(&entry.name)));
                }
            }
        }
        Ok(())
    }
}

/// The directory of the set and its files.
fn find_set(env: &Env, set_dir: &Path) -> Result<(PathBuf, Vec<DirEntry>)> {
    let mut unfinished = None;
    for dir in candidate_dirs(set_dir) {
        if dir != set_dir && !env.fs.exists(&dir)? {
            continue;
        }
        let mut entries = env.fs.list(&dir)?;
        entries.retain(|entry| !entry.is_dir);
        if entries.iter().any(|entry| archived_log_name(&entry.name).is_some()) {
            return Ok((dir, entries));
        }
        if entries.iter().any(|entry| entry.name == INCOMPLETE_NAME) {
            unfinished.get_or_insert(dir);
        }
    }
    match unfinished {
        Some(dir) => Err(never_finished(&dir)),
        None => Err(Error::new(JetErr::FileNotFound, "no log of a backup set here")
            .at_path(set_dir)
            .advise("name the directory that the backup was written into")),
    }
}

fn never_finished(dir: &Path) -> Error {
    Error::new(JetErr::MissingRestoreLogFiles, "the backup into this directory was not finished")
        .at_path(dir)
        .advise("restore another set")
}

/// The manifest; an error if the set says that it was never finished.
fn check_finished(env: &Env, dir: &Path, entries: &[DirEntry]) -> Result<Option<Manifest>> {
    let manifest = Manifest::read(env, dir)?;
    let marked = entries.iter().any(|entry| entry.name == INCOMPLETE_NAME);
    if marked && manifest.is_none() { Err(never_finished(dir)) } else { Ok(manifest) }
}

/// Must the file be a database: is it in the manifest, or has it a patch marker beside it?
fn is_expected(entry: &DirEntry, entries: &[DirEntry], manifest: Option<&Manifest>) -> bool {
    let listed = manifest.is_some_and(|manifest| {
        manifest.databases.iter().any(|database| database.name == entry.name)
    });
    let stem = entry.name.rsplit_once('.').map_or(entry.name.as_str(), |(stem, _)| stem);
    let marker = format!("{stem}.pat");
    listed || entries.iter().any(|other| other.name.eq_ignore_ascii_case(&marker))
}

fn check_name(log: &PlannedLog, by_name: Generation) -> Result<()> {
    if log.generation == by_name {
        return Ok(());
    }
    Err(Error::new(
        JetErr::LogGenerationMismatch,
        format!("named as generation {:#x}, its header says {:#x}", by_name.0, log.generation.0),
    )
    .at_path(&log.path)
    .advise("give the log its own name back"))
}

/// One stream, no hole, each log the successor of the one before.
fn check_chain(logs: &[PlannedLog], signature: Signature) -> Result<()> {
    if let Some(foreign) = logs.iter().find(|log| log.signature != signature) {
        return Err(wrong_signature(foreign, signature));
    }
    for pair in logs.windows(2) {
        let [before, log] = pair else { continue };
        let expected = before.generation.0.saturating_add(1);
        if log.generation.0 > expected {
            return Err(Error::new(
                JetErr::MissingRestoreLogFiles,
                format!("the next log in the set is {:#x}", log.generation.0),
            )
            .at_path(&log.path)
            .at_generation(Generation(expected))
            .advise("add the missing log to the set"));
        }
        if log.generation.0 < expected || log.previous_created != before.created {
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
