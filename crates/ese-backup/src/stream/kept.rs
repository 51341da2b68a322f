//! What a copy that was stopped has come to: a small file in the unfinished set, from which the
//! copy can go on (`docs/decisions/0024`).
//!
//! It says where the backup began (its mark, its first log) and of each file how many bytes are
//! durable in the set, with their sum. It is written after what it speaks of is durable, under
//! another name first; whatever lies behind the bytes that it names counts as nothing.
//!
//! A later part reads the rest of the files at its own time. That is sound as long as the log since
//! the first begin is there: the replay of the set begins at the first log of the first part, so it
//! brings every page, whenever it was read, to the same moment.

use std::path::{Path, PathBuf};

use ese_base::{Error, Generation, JetErr, LgPos, LogTime, Result};
use ese_log::LogName;
use ese_os::{Env, OpenMode};
use serde::{Deserialize, Serialize};

use super::{
    INCOMPLETE_NAME, MANIFEST_NAME,
    archive::FileKind,
    manifest::{hex32, read_whole, replace, seal, signature_to_hex},
};
use crate::{
    files::{check_plain_name, remove_if_there, sum_of},
    restore::read_log_header,
    session::ResumePoint,
    source::BackupSource,
};

/// Name of the file that says how far an unfinished set has come.
pub const KEPT_NAME: &str = "ese-backup.kept.json";
/// What it is called until it is durable.
pub(crate) const KEPT_NEW_NAME: &str = "ese-backup.kept.json.new";
const FORMAT: &str = "ese-backup-kept";
const VERSION: u32 = 1;

/// How far an unfinished set has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    format: String,
    version: u32,
    /// When the backup began, as the manifest will say it.
    pub(super) created: String,
    pub(super) page_size: u32,
    pub(super) log_base: String,
    log_signature: String,
    mark: String,
    mark_time: String,
    gen_low: u32,
    /// Up to where the log was durable when this was written.
    tip: String,
    /// The newest finished generation then, and when it was begun; 0: none from `gen_low` on.
    gen_finished: u32,
    finished_created: String,
    /// The attached databases.
    databases: Vec<KeptDatabase>,
    /// The files of the set that were begun, in their order there.
    pub(super) files: Vec<KeptFile>,
    crc32: String,
}

/// A database that belongs to the backup.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct KeptDatabase {
    source: String,
    signature: String,
}

/// A file of an unfinished set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptFile {
    pub(super) name: String,
    /// Where it is copied from.
    pub(super) source: String,
    pub(super) log: bool,
    /// Bytes that it will have, as far as was known.
    pub(super) len: u64,
    /// Bytes that are durable and verified.
    pub(super) done: u64,
    /// Their sum.
    pub(super) crc32: String,
    pub(super) corrected_pages: u64,
}

impl KeptFile {
    /// A file that begins.
    pub(super) fn new(kind: FileKind, name: &str, source: &Path, len: u64) -> KeptFile {
        KeptFile {
            name: name.to_owned(),
            source: source.to_string_lossy().into_owned(),
            log: kind == FileKind::Log,
            len,
            done: 0,
            crc32: hex32(0),
            corrected_pages: 0,
        }
    }

    /// Nothing of it has to be read again.
    pub(super) fn is_whole(&self) -> bool {
        self.done == self.len
    }

    /// The sum of what is durable.
    pub(super) fn sum(&self) -> u32 {
        u32::from_str_radix(&self.crc32, 16).unwrap_or(0)
    }
}

impl Kept {
    /// Of a backup that has begun.
    pub(super) fn new(source: &dyn BackupSource, point: ResumePoint, created: String) -> Kept {
        Kept {
            format: FORMAT.to_owned(),
            version: VERSION,
            created,
            page_size: source.page_size().bytes_u32(),
            log_base: source.log_base(),
            log_signature: signature_to_hex(&source.log_signature()),
            mark: point.mark.to_string(),
            mark_time: point.mark_time.to_string(),
            gen_low: point.copy_low.0,
            tip: String::new(),
            gen_finished: 0,
            finished_created: String::new(),
            databases: attached(source),
            files: Vec::new(),
            crc32: hex32(0),
        }
    }

    /// Where the backup began.
    pub(super) fn point(&self) -> Result<ResumePoint> {
        let mark = LgPos::parse(&self.mark);
        let time = LogTime::parse(&self.mark_time);
        match (mark, time) {
            (Some(mark), Some(mark_time)) if self.gen_low > 0 => {
                Ok(ResumePoint { mark, mark_time, copy_low: Generation(self.gen_low) })
            }
            _ => Err(Error::new(JetErr::FileInvalidType, "the begin of the backup is no position")),
        }
    }

    /// The file that is copied from there, as far as it has come.
    pub(super) fn file(&self, kind: FileKind, source: &Path) -> Option<&KeptFile> {
        let log = kind == FileKind::Log;
        self.files.iter().find(|file| file.log == log && Path::new(&file.source) == source)
    }

    /// Writes it. What it speaks of is durable.
    pub(super) fn write(&mut self, dir: &Path, source: &dyn BackupSource) -> Result<()> {
        let env = source.env();
        // Pages are in the file only when their records are durable, so the set knows of nothing
        // behind this, and no power cut makes the log end before it.
        self.tip = source.durable().to_string();
        let finished = source.archived_logs()?.pop();
        (self.gen_finished, self.finished_created) = match finished {
            Some(log) if log.generation.0 >= self.gen_low => {
                (log.generation.0, read_log_header(env, &log.path)?.created.to_string())
            }
            _ => (0, String::new()),
        };
        let text = seal(self, |kept| &mut kept.crc32)?;
        replace(env, dir, (KEPT_NEW_NAME, KEPT_NAME), &text)
    }

    fn read(env: &Env, dir: &Path) -> Result<Option<Kept>> {
        let path = dir.join(KEPT_NAME);
        if !env.fs.exists(&path)? {
            return Ok(None);
        }
        let wrong = |what: String| {
            Error::new(JetErr::FileInvalidType, what).at_path(&path).advise("begin the backup anew")
        };
        let bytes = read_whole(env, &path)?.map_err(wrong)?;
        let kept: Kept = serde_json::from_slice(&bytes)
            .map_err(|error| wrong(format!("not what a stopped backup leaves: {error}")))?;
        if kept.format != FORMAT || kept.version != VERSION {
            return Err(wrong(format!("expected {FORMAT} of version {VERSION}")));
        }
        if seal(&mut kept.clone(), |kept| &mut kept.crc32)?.as_bytes() != bytes {
            return Err(wrong("its checksum does not match its contents".to_owned()));
        }
        for file in &kept.files {
            check_plain_name(&file.name).map_err(|error| error.at_path(&path))?;
        }
        Ok(Some(kept))
    }

    /// What lies in a directory and can be gone on with; `None` if there is nothing at all.
    ///
    /// # Errors
    /// `JET_errBackupDirectoryNotEmpty` (-504) for anything else; `JET_errFileInvalidType` (-1812)
    /// for one that is damaged.
    pub(super) fn look(env: &Env, dir: &Path) -> Result<Option<Kept>> {
        if !env.fs.exists(dir)? {
            return Ok(None);
        }
        let names: Vec<String> = env.fs.list(dir)?.into_iter().map(|entry| entry.name).collect();
        let Some(any) = names.first() else { return Ok(None) };
        let refuse = |what: &str, advice: &'static str| {
            let what = what.to_owned();
            Err(Error::new(JetErr::BackupDirectoryNotEmpty, what).at_path(dir).advise(advice))
        };
        let is_there = |name: &str| names.iter().any(|own| own == name);
        if is_there(MANIFEST_NAME) {
            return refuse("a complete set is here", "choose an empty or new directory");
        }
        match Kept::read(env, dir)? {
            Some(kept) if is_there(INCOMPLETE_NAME) => Ok(Some(kept)),
            _ if is_there(INCOMPLETE_NAME) => refuse(
                "the backup that was begun here was not made to be gone on with",
                "remove it, or choose an empty or new directory",
            ),
            _ => refuse(
                &format!("the directory for the backup holds \"{any}\""),
                "choose an empty or new directory",
            ),
        }
    }

    /// Is this instance the one of the backup, not older than when it was stopped, with the same
    /// databases, and is everything in the set that was put there?
    ///
    /// # Errors
    /// `JET_errGivenLogFileHasBadSignature` (-555), `JET_errPageSizeMismatch` (-1213),
    /// `JET_errAttachedDatabaseMismatch` (-1216), `JET_errGivenLogFileIsNotContiguous` (-556) if
    /// the log has gone another way since; `JET_errFileIOBeyondEOF` (-4001) for a file of the set
    /// that is shorter than it was, `JET_errFileAccessDenied` (-1032) for one that is none.
    pub(super) fn check(&self, dir: &Path, source: &dyn BackupSource) -> Result<()> {
        let refuse = |code: JetErr, what: String| {
            Err(Error::new(code, what).at_path(dir).advise("begin the backup anew"))
        };
        if self.log_signature != signature_to_hex(&source.log_signature())
            || self.log_base != source.log_base()
        {
            let what = "the stopped backup is of another instance, or of an earlier log";
            return refuse(JetErr::GivenLogFileHasBadSignature, what.to_owned());
        }
        if self.page_size != source.page_size().bytes_u32() {
            let what = format!("the stopped backup is of pages of {} bytes", self.page_size);
            return refuse(JetErr::PageSizeMismatch, what);
        }
        let now = attached(source);
        if now != self.databases {
            let names = |list: &[KeptDatabase]| {
                let names: Vec<&str> = list.iter().map(|it| it.source.as_str()).collect();
                names.join(", ")
            };
            let (then, now) = (names(&self.databases), names(&now));
            let what = format!("the stopped backup is of {then}; attached are {now}, or others");
            return refuse(JetErr::AttachedDatabaseMismatch, what);
        }
        if !self.is_behind(source)? {
            let what = format!("the log was at {} when the backup was stopped", self.tip);
            return refuse(JetErr::GivenLogFileIsNotContiguous, what);
        }
        let entries = source.env().fs.list(dir)?;
        for file in &self.files {
            let entry = entries.iter().find(|entry| entry.name == file.name);
            let path = dir.join(&file.name);
            match entry {
                Some(entry) if !entry.is_plain => {
                    let what = "expected a file of the set, found a link, pipe or device";
                    return refuse(JetErr::FileAccessDenied, what.to_owned());
                }
                Some(entry) if entry.len >= file.done => {}
                None if file.done == 0 => {}
                _ => {
                    let what =
                        format!("of the file {} bytes were kept, which it has not", file.done);
                    return refuse(JetErr::FileIOBeyondEOF, what).map_err(|it| it.at_path(path));
                }
            }
        }
        Ok(())
    }

    /// Has the log gone on from where it was? One that was put back, or went another way, has not.
    fn is_behind(&self, source: &dyn BackupSource) -> Result<bool> {
        let Some(tip) = LgPos::parse(&self.tip) else { return Ok(false) };
        if source.tip() < tip {
            return Ok(false);
        }
        let logs = source.archived_logs()?;
        match logs.iter().find(|log| log.generation.0 == self.gen_finished) {
            Some(log) => {
                let header = read_log_header(source.env(), &log.path)?;
                Ok(header.created.to_string() == self.finished_created)
            }
            // One that is gone is missed by name later.
            None => Ok(true),
        }
    }

    /// Reads what is kept, and gives up what is not as it was written: it is copied again. True:
    /// there was such a file. `pause` is called between pieces of 1 MiB.
    pub(super) fn compare(
        &mut self,
        env: &Env,
        dir: &Path,
        pause: &mut dyn FnMut() -> Result<()>,
    ) -> Result<bool> {
        let mut lost = false;
        for file in self.files.iter_mut().filter(|file| file.done > 0) {
            let path = dir.join(&file.name);
            let kept = env.fs.open(&path, OpenMode::Read)?;
            if sum_of(&*kept, file.done, pause)? != file.sum() {
                tracing::warn!(path = %path.display(), "a kept file has changed: copied again");
                (file.done, file.crc32, file.corrected_pages) = (0, hex32(0), 0);
                lost = true;
            }
        }
        Ok(lost)
    }

    /// Removes what a stopped backup has left, also where nobody can read how far it had come; the
    /// mark goes last. False: nothing was there.
    ///
    /// # Errors
    /// As [`Kept::look`], but for a damaged file.
    pub(super) fn discard(env: &Env, dir: &Path, source: &dyn BackupSource) -> Result<bool> {
        let kept = match Kept::look(env, dir) {
            Ok(None) => return Ok(false),
            Ok(kept) => kept,
            Err(error) if error.code() == JetErr::FileInvalidType => {
                if !env.fs.exists(&dir.join(INCOMPLETE_NAME))? {
                    return Err(error);
                }
                None
            }
            Err(error) => return Err(error),
        };
        // Without it the files are those that a backup of this instance would have.
        let own = attached(source);
        let databases = kept.as_ref().map_or(&own, |kept| &kept.databases).iter();
        let databases: Vec<_> =
            databases.filter_map(|it| Path::new(&it.source).file_name()).collect();
        let base = kept.as_ref().map_or_else(|| source.log_base(), |kept| kept.log_base.clone());
        let listed = kept.iter().flat_map(|kept| &kept.files).map(|file| file.name.as_str());
        let listed: Vec<&str> = listed.collect();
        let mut files: Vec<PathBuf> = Vec::new();
        for entry in env.fs.list(dir)?.into_iter().filter(|entry| !entry.is_dir) {
            let log = LogName::archive(&entry.name).is_some_and(|(own, _)| own == base);
            let name = entry.name.as_str();
            // Some may have been begun after this was written.
            if log || listed.contains(&name) || databases.iter().any(|own| *own == name) {
                files.push(dir.join(name));
            }
        }
        files.extend([KEPT_NEW_NAME, KEPT_NAME].map(|name| dir.join(name)));
        for path in files {
            remove_if_there(env, &path)?;
        }
        env.fs.sync_dir(dir)?;
        remove_if_there(env, &dir.join(INCOMPLETE_NAME))?;
        env.fs.sync_dir(dir)?;
        Ok(true)
    }
}

fn attached(source: &dyn BackupSource) -> Vec<KeptDatabase> {
    let databases = source.databases().into_iter().map(|database| KeptDatabase {
        source: database.path.to_string_lossy().into_owned(),
        signature: signature_to_hex(&database.file.header().sign_db),
    });
    let mut databases: Vec<KeptDatabase> = databases.collect();
    databases.sort();
    databases
}

#[cfg(test)]
mod tests;
