//! Which file of a directory is what. Names only say what a file may be; its header decides.

use std::path::{Path, PathBuf};

use ese_base::{Error, Generation, JetErr, LogTime, Result, Signature};
use ese_log::layout::{Framing, LogHeader};
use ese_os::{DirEntry, Env, OpenMode};
use ese_pages::header::{BackupTrailer, DbHeader, Located, locate};

use super::plan::{PlannedDatabase, PlannedLog};

/// Extensions that databases usually have. A damaged file with one of them is reported as a
/// damaged database; without, it is not known to be one.
const DATABASE_EXTENSIONS: [&str; 7] = ["edb", "dit", "mdb", "sdb", "db", "dat", "jdb"];

/// Extensions of files that may lie beside logs and databases without being either.
const COMPANION_EXTENSIONS: [&str; 14] = [
    "log",
    "jtx",
    "jrs",
    "chk",
    "jcp",
    "jsl",
    "jfm",
    "pat",
    "lck",
    "dwb",
    "json",
    "incomplete",
    "restoring",
    "adding",
];

/// Is this some other file of a log stream or a set: current and temporary logs, reserve logs,
/// checkpoints, flush maps, patch markers, and our own?
pub(super) fn is_companion(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    COMPANION_EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// Has it an extension that databases usually have?
pub(super) fn is_usual_database(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, found)| {
        DATABASE_EXTENSIONS.iter().any(|known| found.eq_ignore_ascii_case(known))
    })
}

/// Reads the header of a log file of a set.
pub(super) fn scan_log(env: &Env, dir: &Path, entry: &DirEntry) -> Result<PlannedLog> {
    let path = dir.join(&entry.name);
    let damaged = |what: &str| {
        Error::new(JetErr::LogCorruptDuringHardRestore, what.to_owned())
            .at_path(&path)
            .advise("bring an intact copy of this log, or restore another set")
    };
    let header = read_log_header(env, &path).map_err(|error| {
        if error.code() == JetErr::LogFileCorrupt {
            damaged("the header of the log is damaged").caused_by(error)
        } else {
            error.at_path(&path)
        }
    })?;
    // Sets made by old versions of the engine elsewhere need not have whole-file lengths.
    let framing = header.framing().map_err(|error| error.at_path(&path))?;
    if framing == Framing::Segments && header.file_len() != entry.len {
        return Err(damaged("the log is not as long as its header says"));
    }
    Ok(PlannedLog {
        name: entry.name.clone(),
        path,
        len: entry.len,
        generation: header.generation,
        created: header.created,
        previous_created: header.previous_created,
        signature: header.signature,
        framing,
        attachments: header
            .attachments
            .iter()
            .map(|attachment| (attachment.sign_db, PathBuf::from(&attachment.path)))
            .collect(),
        crc32: None,
        copies: Vec::new(),
    })
}

/// Reads the header of a log file.
pub(crate) fn read_log_header(env: &Env, path: &Path) -> Result<LogHeader> {
    LogHeader::read(&*env.fs.open(path, OpenMode::Read)?)
}

/// What a file that is no log turned out to be.
pub(super) enum Other {
    Database(Box<PlannedDatabase>),
    /// Nothing of ours.
    Unknown,
}

/// Reads header and trailer of what may be a database. `expected`: it should be one.
pub(super) fn scan_other(env: &Env, dir: &Path, entry: &DirEntry, expected: bool) -> Result<Other> {
    let path = dir.join(&entry.name);
    let usual = is_usual_database(&entry.name);
    let file = match env.fs.open(&path, OpenMode::Read) {
        Ok(file) => file,
        // A pipe, a file of somebody else.
        Err(error) if error.code() == JetErr::FileAccessDenied && !expected && !usual => {
            return Ok(Other::Unknown);
        }
        Err(error) => return Err(error),
    };
    let located = match locate(|offset, buf| file.read_at(buf, offset), entry.len) {
        Ok(located) => located,
        // A foreign file that only lies there.
        Err(error) if error.code() == JetErr::DatabaseCorrupted && !expected && !usual => {
            return Ok(Other::Unknown);
        }
        Err(error) => {
            return Err(Error::new(
                JetErr::DatabaseCorrupted,
                format!("the header of the copied database cannot be read: {}", error.message()),
            )
            .at_path(&path)
            .advise("restore another set")
            .caused_by(error));
        }
    };
    let Located { header, page_size, .. } = located;
    if header.bkinfo_full_cur.gen_low.get() == 0 {
        return Err(Error::new(
            JetErr::RestoreOfNonBackupDatabase,
            "the database was not copied by a streaming backup",
        )
        .at_path(&path)
        .advise("attach it as it is, or remove it from the set"));
    }
    let trailer = read_trailer(&*file, entry.len, &header, page_size.bytes())
        .map_err(|error| error.at_path(&path))?;
    Ok(Other::Database(Box::new(PlannedDatabase {
        name: entry.name.clone(),
        path,
        len: entry.len,
        page_size,
        header,
        trailer,
        source: None,
        crc32: None,
    })))
}

/// The last page of the file, if it belongs to the header.
pub(super) fn read_trailer(
    file: &dyn ese_os::File,
    len: u64,
    header: &DbHeader,
    page_len: usize,
) -> Result<BackupTrailer> {
    let page = page_len as u64;
    if !len.is_multiple_of(page) || len < 4 * page {
        return Err(Error::new(
            JetErr::BadBackupDatabaseSize,
            format!("{len} bytes: expected whole pages of {page} bytes, at least 4"),
        )
        .advise("the copy is incomplete: restore another set"));
    }
    let mismatch = |what: String| {
        Error::new(JetErr::DatabasePatchFileMismatch, what)
            .advise("the copy is incomplete or mixed up: restore another set")
    };
    let mut bytes = vec![0; page_len];
    file.read_at(&mut bytes, len - page)?;
    let trailer = BackupTrailer::decode(&bytes)
        .map_err(|error| mismatch(format!("no trailer at the end: {}", error.message())))?;
    let (of_header, of_trailer) = (header.bkinfo_full_cur, trailer.bkinfo);
    if header.sign_db != trailer.sign_db || header.sign_log != trailer.sign_log {
        return Err(mismatch("header and trailer name different databases or logs".to_owned()));
    }
    if of_header.lgpos_mark != of_trailer.lgpos_mark || of_header.gen_low != of_trailer.gen_low {
        return Err(mismatch(format!(
            "header and trailer are of different backups: {} and {}",
            of_header.lgpos_mark.get(),
            of_trailer.lgpos_mark.get()
        )));
    }
    Ok(trailer)
}

/// Creation time of a log, for the header of a database.
pub(super) fn created(logs: &[PlannedLog], generation: Generation) -> LogTime {
    logs.iter().find(|log| log.generation == generation).map_or(LogTime::NULL, |log| log.created)
}

/// A log of another stream.
pub(super) fn wrong_signature(log: &PlannedLog, expected: Signature) -> Error {
    Error::new(
        JetErr::GivenLogFileHasBadSignature,
        format!("log signature {}, expected {expected}", log.signature),
    )
    .at_path(&log.path)
    .at_generation(log.generation)
    .advise("remove the logs of other instances from the set")
}

/// Directories in which a set may lie: as given, then the two of the atomic layout (6.1).
pub(super) fn candidate_dirs(dir: &Path) -> [PathBuf; 3] {
    [dir.to_path_buf(), dir.join("new"), dir.join("old")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_only_accompany_a_set_are_known() {
        for name in ["edb.log", "edb.chk", "a.pat", "a.jfm", "edbres00001.jrs", "ese-backup.json"] {
            assert!(is_companion(name), "{name}");
        }
        for name in ["a.edb", "readme", "a"] {
            assert!(!is_companion(name), "{name}");
        }
    }
}
