//! The manifest of a backup set: a small JSON file of our own, written last.
//! Its fields, and the two files that mark what is unfinished, are described in
//! `docs/format/backup-set.md`. In short:
//!
//! * The last `crc32` is that of the same text with eight zeros in its place.
//! * While a set is being written the directory holds [`INCOMPLETE_NAME`]; it goes away only
//!   after the manifest is durable. A directory with that file and without a valid manifest is an
//!   unfinished set, whatever else lies in it.
//! * Restore works without a manifest (other programs' sets have none). With one it also notices
//!   a file that is missing, short or changed.

use std::path::Path;

use ese_base::{Error, Hex, JetErr, Result, Signature};
use ese_os::{Env, OpenMode};
use serde::{Deserialize, Serialize};
use zerocopy::{FromBytes, IntoBytes};

use super::kept::KEPT_NAME;
use crate::{
    files::{remove_if_there, sum_of},
    source::BackupSource,
};

/// Name of the manifest in a set.
pub const MANIFEST_NAME: &str = "ese-backup.json";
/// Name of the file that marks an unfinished set.
pub const INCOMPLETE_NAME: &str = "ese-backup.incomplete";
/// What the manifest is called until it is durable.
pub(crate) const NEW_NAME: &str = "ese-backup.json.new";
/// No manifest of ours is longer; a longer file is not read.
const LEN_MAX: u64 = 16 << 20;
const FORMAT: &str = "ese-backup-set";
const VERSION: u32 = 1;

/// The contents of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    format: String,
    version: u32,
    /// `full` or `incremental`.
    pub kind: String,
    /// When the backup began, ISO 8601.
    pub created: String,
    /// Page size of the databases in bytes.
    pub page_size: u32,
    /// Base name of the log files.
    pub log_base: String,
    /// Signature of the log stream, 28 bytes in hexadecimal.
    pub log_signature: String,
    /// First generation in the set.
    pub gen_low: u32,
    /// Last generation in the set.
    pub gen_high: u32,
    /// The set that an incremental one builds on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<BaseEntry>,
    /// The database files.
    pub databases: Vec<DatabaseEntry>,
    /// The log files, ascending.
    pub logs: Vec<LogEntry>,
    crc32: String,
}

/// The set that another one builds on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseEntry {
    /// What it was called when the other one was made; only to find it.
    pub name: String,
    /// When it was made.
    pub created: String,
    /// Signature of its log stream, 28 bytes in hexadecimal.
    pub log_signature: String,
    /// Its last generation.
    pub gen_high: u32,
    /// The sum of its manifest, which tells it from every other set.
    pub crc32: String,
    /// CRC-32 of its last log, where its manifest was at hand; not written.
    #[serde(skip)]
    pub last_log_crc32: Option<String>,
}

impl BaseEntry {
    /// Has the log gone on from this set? One that was restored from an older set has the same
    /// signature, and under the same generations it is another log. A last log of the set that is
    /// not there any more tells nothing.
    ///
    /// # Errors
    /// The file system's.
    pub fn is_continued_by(&self, source: &dyn BackupSource) -> Result<bool> {
        if self.log_signature != signature_to_hex(&source.log_signature()) {
            return Ok(false);
        }
        if source.tip().generation.0 <= self.gen_high {
            return Ok(false);
        }
        let logs = source.archived_logs()?;
        let last = logs.iter().find(|log| log.generation.0 == self.gen_high);
        let (Some(last), Some(listed)) = (last, &self.last_log_crc32) else { return Ok(true) };
        let file = source.env().fs.open(&last.path, OpenMode::Read)?;
        let sum = sum_of(&*file, file.len()?, &mut || Ok(()))?;
        Ok(hex32(sum) == *listed)
    }
}

/// A database file of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseEntry {
    /// Its name in the set.
    pub name: String,
    /// Where it was attached.
    pub source: String,
    /// Bytes, with the trailer page.
    pub len: u64,
    /// CRC-32 of the whole file, 8 hexadecimal digits.
    pub crc32: String,
    /// Signature of the database, 28 bytes in hexadecimal.
    pub signature: String,
    /// Pages whose checksum was right only after one bit was corrected.
    pub corrected_pages: u64,
}

/// A log file of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Its name in the set.
    pub name: String,
    /// Its generation.
    pub generation: u32,
    /// Bytes.
    pub len: u64,
    /// CRC-32 of the whole file, 8 hexadecimal digits.
    pub crc32: String,
}

impl Manifest {
    /// A manifest without files.
    #[must_use]
    pub fn new(kind: &str, created: String, page_size: u32, log_base: String) -> Manifest {
        Manifest {
            format: FORMAT.to_owned(),
            version: VERSION,
            kind: kind.to_owned(),
            created,
            page_size,
            log_base,
            log_signature: String::new(),
            gen_low: 0,
            gen_high: 0,
            base: None,
            databases: Vec::new(),
            logs: Vec::new(),
            crc32: hex32(0),
        }
    }

    /// The sum of the manifest, 8 hexadecimal digits: it tells its set from every other one.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.crc32
    }

    /// What an incremental set says of this one. `name` is that of its directory or file.
    #[must_use]
    pub fn as_base(&self, name: &str) -> BaseEntry {
        BaseEntry {
            name: name.to_owned(),
            created: self.created.clone(),
            log_signature: self.log_signature.clone(),
            gen_high: self.gen_high,
            crc32: self.crc32.clone(),
            last_log_crc32: self.logs.last().map(|log| log.crc32.clone()),
        }
    }

    /// Writes the manifest durably: under another name first, so that a crash leaves no part of
    /// it. Then the mark of the unfinished set is removed.
    ///
    /// # Errors
    /// The file system's.
    pub(crate) fn write(&mut self, env: &Env, dir: &Path) -> Result<()> {
        replace(env, dir, (NEW_NAME, MANIFEST_NAME), &self.seal()?)?;
        remove_if_there(env, &dir.join(KEPT_NAME))?;
        env.fs.remove_file(&dir.join(INCOMPLETE_NAME))?;
        env.fs.sync_dir(dir)
    }

    /// Reads and checks the manifest of a set; `None` if the set has none.
    ///
    /// # Errors
    /// `JET_errFileInvalidType` (-1812) for a manifest that is damaged or of an unknown version,
    /// and the file system's.
    pub fn read(env: &Env, dir: &Path) -> Result<Option<Manifest>> {
        let path = dir.join(MANIFEST_NAME);
        if !env.fs.exists(&path)? {
            return Ok(None);
        }
        Manifest::read_file(env, &path).map(Some)
    }

    /// Reads and checks a manifest, whatever it is called.
    pub(crate) fn read_file(env: &Env, path: &Path) -> Result<Manifest> {
        let wrong = |what: String| {
            Error::new(JetErr::FileInvalidType, what).at_path(path).advise(
                "bring back an intact copy of it, or restore from another set. Without its \
                     checks: copy the other files of the set elsewhere and restore that copy, with \
                     the sets that build on this one as further logs (--logs)",
            )
        };
        Manifest::from_text(&read_whole(env, path)?.map_err(wrong)?).map_err(wrong)
    }

    /// The text, with the checksum in it that this sets.
    pub(super) fn seal(&mut self) -> Result<String> {
        seal(self, |manifest| &mut manifest.crc32)
    }

    pub(super) fn from_text(text: &[u8]) -> Result<Manifest, String> {
        let manifest: Manifest = serde_json::from_slice(text)
            .map_err(|error| format!("not a backup manifest: {error}"))?;
        if manifest.format != FORMAT || manifest.version != VERSION {
            return Err(format!(
                "expected a {FORMAT} of version {VERSION}, found {} of version {}",
                manifest.format, manifest.version
            ));
        }
        let expected = manifest.clone().seal().map_err(|error| error.to_string())?;
        if expected.as_bytes() != text {
            return Err("the manifest's checksum does not match its contents".to_owned());
        }
        Ok(manifest)
    }
}

/// The text of something, with the checksum in it that this sets.
pub(super) fn seal<T: Serialize>(of: &mut T, sum: fn(&mut T) -> &mut String) -> Result<String> {
    let text = |of: &T| {
        serde_json::to_string_pretty(of)
            .map_err(|error| Error::new(JetErr::InternalError, format!("backup manifest: {error}")))
    };
    *sum(of) = hex32(0);
    *sum(of) = hex32(crc32fast::hash(text(of)?.as_bytes()));
    text(of)
}

/// Writes a small file durably: under another name first, so that a crash leaves no part of it.
pub(super) fn replace(env: &Env, dir: &Path, (new, name): (&str, &str), text: &str) -> Result<()> {
    let new = dir.join(new);
    let file = env.fs.open(&new, OpenMode::CreateOrTruncate)?;
    file.write_at(text.as_bytes(), 0)?;
    file.sync()?;
    drop(file);
    env.fs.rename(&new, &dir.join(name))?;
    env.fs.sync_dir(dir)
}

/// A small file, or why it is too large.
pub(super) fn read_whole(env: &Env, path: &Path) -> Result<Result<Vec<u8>, String>> {
    let file = env.fs.open(path, OpenMode::Read)?;
    let len = file.len()?;
    let Some(len) = usize::try_from(len).ok().filter(|_| len <= LEN_MAX) else {
        let what = format!("a backup manifest is at most {LEN_MAX} bytes, this file has {len}");
        return Ok(Err(what));
    };
    let mut bytes = vec![0; len];
    file.read_at(&mut bytes, 0)?;
    Ok(Ok(bytes))
}

/// A number as 8 hexadecimal digits.
#[must_use]
pub(crate) fn hex32(value: u32) -> String {
    format!("{value:08x}")
}

/// A signature as 56 hexadecimal digits.
#[must_use]
pub fn signature_to_hex(signature: &Signature) -> String {
    Hex(signature.as_bytes()).to_string()
}

/// The signature that [`signature_to_hex`] wrote.
#[must_use]
pub(crate) fn signature_from_hex(text: &str) -> Option<Signature> {
    Signature::read_from_bytes(&Hex::parse(text)?).ok()
}

#[cfg(test)]
mod tests {
    use ese_base::LogTime;

    use super::*;

    fn sample() -> Manifest {
        let mut manifest = Manifest::new("full", "2026-01-31T12:00:00Z".into(), 8192, "edb".into());
        manifest.gen_low = 3;
        manifest.gen_high = 4;
        manifest.databases.push(DatabaseEntry {
            name: "a \"b\".edb".into(),
            source: "/data/a \"b\".edb".into(),
            len: 8192 * 5,
            crc32: hex32(0xdead_beef),
            signature: signature_to_hex(&Signature::new(7, LogTime::from_unix_ms(1))),
            corrected_pages: 0,
        });
        manifest
    }

    #[test]
    fn a_manifest_reads_back_and_the_mark_of_the_unfinished_set_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let env = Env::real();
        env.fs.open(&dir.path().join(INCOMPLETE_NAME), OpenMode::CreateNew).unwrap();
        assert_eq!(Manifest::read(&env, dir.path()).unwrap(), None);
        sample().write(&env, dir.path()).unwrap();
        let read = Manifest::read(&env, dir.path()).unwrap().unwrap();
        assert_eq!(read.databases, sample().databases);
        let names: Vec<_> =
            env.fs.list(dir.path()).unwrap().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, [MANIFEST_NAME]);
    }

    #[test]
    fn every_changed_byte_of_a_manifest_is_noticed() {
        let text = sample().seal().unwrap().into_bytes();
        assert!(Manifest::from_text(&text).is_ok());
        for at in 0..text.len() {
            let mut bad = text.clone();
            bad[at] ^= 1;
            assert!(Manifest::from_text(&bad).is_err(), "byte {at}");
            assert!(Manifest::from_text(&text[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_signature_survives_its_hexadecimal_form() {
        let signature = Signature::new(0x1234_5678, LogTime::from_unix_ms(1_709_210_096_789));
        assert_eq!(signature_from_hex(&signature_to_hex(&signature)), Some(signature));
        assert_eq!(signature_from_hex("12"), None);
        assert_eq!(signature_from_hex("\u{e9}\u{e9}"), None);
    }
}
