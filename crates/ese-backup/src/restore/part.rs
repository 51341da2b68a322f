//! One directory of a restore: a set, or an incremental one that is put on top of it.

use std::path::{Path, PathBuf};

use ese_base::{Error, Generation, JetErr, Result, Signature};
use ese_log::{LogName, NameKind, layout::LogHeader};
use ese_os::{DirEntry, Env};

use super::{
    plan::{PlannedDatabase, PlannedLog},
    scan::{
        Other, candidate_dirs, is_companion, is_usual_database, read_log_header, scan_log,
        scan_other,
    },
};
use crate::{
    files::check_plain_name,
    sets::PRUNED_NAME,
    stream::{
        DatabaseEntry, INCOMPLETE_NAME, KEPT_NAME, MANIFEST_NAME, Manifest, signature_from_hex,
    },
};

/// What is wanted of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// Databases and logs, as the manifest says if there is one.
    Set,
    /// The logs, as the manifest says if there is one.
    Logs,
    /// The logs that are there, whatever a manifest says.
    AnyLogs,
}

/// What a directory of a restore holds.
#[derive(Debug)]
pub(super) struct Part {
    want: Want,
    /// Later logs are not looked at.
    up_to: Option<Generation>,
    /// There are some.
    pub(super) cut: bool,
    pub(super) dir: PathBuf,
    pub(super) manifest: Option<Manifest>,
    pub(super) logs: Vec<PlannedLog>,
    pub(super) databases: Vec<PlannedDatabase>,
    pub(super) ignored: Vec<PathBuf>,
    /// Logs that are damaged or missing.
    pub(super) lost: Vec<LostLog>,
    /// The log that an instance was writing, in a directory that is no set.
    current: Option<(PathBuf, LogHeader)>,
}

/// A log that a directory should hold and does not, or not whole.
#[derive(Debug)]
pub(super) struct LostLog {
    generation: Generation,
    /// Its CRC-32 by the manifest.
    crc32: Option<String>,
    pub(super) error: Error,
}

impl LostLog {
    /// It is there.
    pub(super) fn is_damaged(&self) -> bool {
        self.error.code() == JetErr::LogCorruptDuringHardRestore
    }
}

impl Part {
    /// Looks at a directory; of its files only headers and trailers are read.
    pub(super) fn read(
        env: &Env,
        set_dir: &Path,
        want: Want,
        up_to: Option<Generation>,
    ) -> Result<Part> {
        let (dir, entries) = find_set(env, set_dir)?;
        let (manifest, being_changed) = match want {
            Want::AnyLogs => (None, false),
            Want::Set | Want::Logs => check_finished(env, &dir, &entries)?,
        };
        let mut part = Part {
            want,
            up_to,
            cut: false,
            dir,
            manifest,
            logs: Vec::new(),
            databases: Vec::new(),
            ignored: Vec::new(),
            lost: Vec::new(),
            current: None,
        };
        for entry in &entries {
            // What a backup that did not come to its end has put beside the files of the set.
            if being_changed && !part.lists(&entry.name) {
                part.ignored.push(part.dir.join(&entry.name));
                continue;
            }
            part.add(env, entry, &entries)?;
        }
        Ok(part)
    }

    fn lists(&self, name: &str) -> bool {
        self.manifest.as_ref().is_some_and(|manifest| {
            manifest.databases.iter().any(|entry| entry.name == name)
                || manifest.logs.iter().any(|entry| entry.name == name)
        })
    }

    fn is_behind(&self, generation: Generation) -> bool {
        self.up_to.is_some_and(|last| generation > last)
    }

    fn lists_database(&self, name: &str) -> bool {
        self.manifest.as_ref().is_some_and(|it| it.databases.iter().any(|it| it.name == name))
    }

    fn add(&mut self, env: &Env, entry: &DirEntry, all: &[DirEntry]) -> Result<()> {
        let path = self.dir.join(&entry.name);
        if let Some((_, generation)) = LogName::archive(&entry.name) {
            if self.is_behind(generation) {
                self.cut = true;
                return Ok(());
            }
            refuse_strange(entry, &path)?;
            match scan_log(env, &self.dir, entry).map_err(|error| error.at_generation(generation)) {
                Ok(log) => {
                    check_name(&log, generation)?;
                    self.logs.push(log);
                }
                Err(error) if error.code() == JetErr::LogCorruptDuringHardRestore => {
                    self.lost.push(LostLog { generation, crc32: None, error });
                }
                Err(error) => return Err(error),
            }
            return Ok(());
        }
        if self.want == Want::Logs && self.manifest.is_none() && is_current(&entry.name) {
            self.current = read_log_header(env, &path).ok().map(|header| (path, header));
            return Ok(());
        }
        // Whatever it is called: programs choose the names of databases.
        let listed = self.lists_database(&entry.name);
        if is_companion(&entry.name) && !listed || self.want != Want::Set {
            return Ok(());
        }
        let expected = is_expected(entry, all, self.manifest.as_ref());
        if expected || is_usual_database(&entry.name) {
            refuse_strange(entry, &path)?;
        } else if !entry.is_plain {
            self.ignored.push(path);
            return Ok(());
        }
        match scan_other(env, &self.dir, entry, expected)? {
            // The set is what its manifest lists.
            Other::Database(_) if self.manifest.is_some() && !listed => self.ignored.push(path),
            Other::Database(database) => {
                check_plain_name(&entry.name)
                    .map_err(|error| error.with_code(JetErr::FileInvalidType).at_path(&self.dir))?;
                self.databases.push(*database);
            }
            Other::Unknown => self.ignored.push(path),
        }
        Ok(())
    }

    /// The log does not go on behind these in a file that is not replayed.
    pub(super) fn check_current(&self, signature: Signature, last: Generation) -> Result<()> {
        let Some((path, header)) = &self.current else { return Ok(()) };
        let next = last.next();
        if header.signature != signature || header.generation != next || self.is_behind(next) {
            return Ok(());
        }
        let what = "the log goes on in this file, which is no finished generation";
        Err(Error::new(JetErr::MissingCurrentLogFiles, what)
            .at_path(path)
            .at_generation(next)
            .advise(
                "ship it first (`ese ship LOGS DEST --once`) and give DEST, or restore without \
                 what is in it (--allow-loss)",
            ))
    }

    /// The database of an entry of the manifest is missing, or something else stands in its place.
    fn not_the_listed(&self, entry: &DatabaseEntry) -> Error {
        let path = self.dir.join(&entry.name);
        let found = self.databases.iter().find(|database| database.name == entry.name);
        let (what, advice) = match found {
            None => ("it is not there or is no copy of a database".to_owned(), "bring it back"),
            Some(database) if database.len != entry.len => {
                (format!("found one of {} bytes", database.len), "put the set's own file back")
            }
            Some(database) => (
                format!("found another database, with signature {}", database.header.sign_db),
                "put the set's own file back",
            ),
        };
        let what = format!("the manifest lists a database of {} bytes here; {what}", entry.len);
        let code = match self.databases.is_empty() {
            true => JetErr::PatchFileMissing,
            false => JetErr::DatabasePatchFileMismatch,
        };
        Error::new(code, what).at_path(path).advise(advice)
    }

    /// For those who have no other directory to turn to.
    pub(super) fn refuse_lost(&self) -> Result<()> {
        self.lost.first().map_or(Ok(()), |lost| Err(lost.error.clone()))
    }

    /// Is a log here that is certainly the one that another directory has lost?
    pub(super) fn serves_for(&self, lost: &LostLog) -> bool {
        self.logs.iter().any(|log| {
            // Without sums nobody knows whether it is of the same history.
            let same = lost.crc32.is_some() && log.crc32 == lost.crc32;
            log.generation == lost.generation && same
        })
    }

    /// Everything that the manifest lists is there in its full length; the sums to compare with.
    /// Logs that are not are [`Part::lost`].
    pub(super) fn check_manifest(&mut self) -> Result<()> {
        let Some(manifest) = &self.manifest else { return Ok(()) };
        for entry in &manifest.logs {
            if self.up_to.is_some_and(|last| Generation(entry.generation) > last) {
                self.cut = true;
                continue;
            }
            let crc32 = Some(entry.crc32.clone());
            let mut logs = self.logs.iter_mut();
            if let Some(log) = logs.find(|log| log.name == entry.name && log.len == entry.len) {
                log.crc32 = crc32;
                continue;
            }
            let generation = Generation(entry.generation);
            let mut damaged = self.lost.iter_mut();
            if let Some(lost) = damaged.find(|lost| lost.generation == generation) {
                lost.crc32 = crc32;
                continue;
            }
            // One of another length is there and is not the one.
            self.logs.retain(|log| log.name != entry.name);
            let what =
                format!("the manifest lists a log of {} bytes, which is not there", entry.len);
            let error = Error::new(JetErr::MissingRestoreLogFiles, what)
                .at_path(self.dir.join(&entry.name))
                .at_generation(generation)
                .advise("bring the log back, or restore another set");
            self.lost.push(LostLog { generation, crc32, error });
        }
        let databases = if self.want == Want::Set { manifest.databases.as_slice() } else { &[] };
        for entry in databases {
            let signature = signature_from_hex(&entry.signature);
            let found = self.databases.iter_mut().find(|database| {
                database.name == entry.name
                    && database.len == entry.len
                    && signature.is_none_or(|signature| signature == database.header.sign_db)
            });
            match found {
                Some(database) => {
                    database.source = Some(PathBuf::from(&entry.source));
                    database.crc32 = Some(entry.crc32.clone());
                }
                None => return Err(self.not_the_listed(entry)),
            }
        }
        Ok(())
    }
}

/// A link, a pipe or a device stands where a file of the set should be.
fn refuse_strange(entry: &DirEntry, path: &Path) -> Result<()> {
    if entry.is_plain {
        return Ok(());
    }
    let what = "expected a file of the backup set, found a link, pipe or device";
    Err(Error::new(JetErr::FileAccessDenied, what)
        .at_path(path)
        .advise("put the file itself into the set"))
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
        let is_one = |entry: &DirEntry| {
            LogName::archive(&entry.name).is_some() || entry.name == MANIFEST_NAME
        };
        if entries.iter().any(is_one) {
            return Ok((dir, entries));
        }
        if entries.iter().any(|entry| entry.name == INCOMPLETE_NAME) {
            unfinished.get_or_insert((dir, entries));
        }
    }
    match unfinished {
        Some((dir, entries)) => Err(never_finished(&dir, &entries)),
        None => Err(Error::new(JetErr::FileNotFound, "no log of a backup set here")
            .at_path(set_dir)
            .advise("name the directory that the backup was written into")),
    }
}

fn never_finished(dir: &Path, entries: &[DirEntry]) -> Error {
    let advice = match entries.iter().any(|entry| entry.name == KEPT_NAME) {
        true => "go on with it (`ese backup DIR SET --resume`), or restore another set",
        false => "restore another set",
    };
    Error::new(JetErr::MissingRestoreLogFiles, "the backup into this directory was not finished")
        .at_path(dir)
        .advise(advice)
}

/// The manifest; an error if the set says that it was never finished. True: a backup is adding to
/// the set or has stopped in the middle of it, and only what the manifest lists belongs to the set.
fn check_finished(env: &Env, dir: &Path, entries: &[DirEntry]) -> Result<(Option<Manifest>, bool)> {
    if let Some(entry) = entries.iter().find(|entry| entry.name == MANIFEST_NAME) {
        refuse_strange(entry, &dir.join(&entry.name))?;
    }
    let manifest = Manifest::read(env, dir)?;
    // A pruning renames the manifest before it removes the files one after the other.
    if entries.iter().any(|entry| entry.name == PRUNED_NAME) {
        return Err(never_finished(dir, entries));
    }
    let marked = entries.iter().any(|entry| entry.name == INCOMPLETE_NAME);
    if marked && manifest.is_none() {
        Err(never_finished(dir, entries))
    } else {
        Ok((manifest, marked))
    }
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

fn is_current(name: &str) -> bool {
    LogName::parse(name).is_some_and(|name| name.kind == NameKind::Current)
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
