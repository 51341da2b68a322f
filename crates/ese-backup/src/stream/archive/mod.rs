//! A backup set as one stream of frames, written and read from front to back.
//!
//! ```text
//! start, { file, data ... } for each database, then for each log, manifest, end of the stream
//! ```
//!
//! Every frame says its kind and number, the archive that it belongs to, and has two CRC-32: of its
//! head and of its content. The manifest is the last frame: an archive without it is cut off,
//! whatever else it holds. The layout is in `docs/format/backup-archive.md`.

mod read;
mod scan;
#[cfg(test)]
mod tests;
mod write;

use std::io;

use ese_base::{Error, JetErr, Result};
use serde::{Deserialize, Serialize};

pub use read::{ArchivePart, ArchiveReader};
pub use scan::read_archive_manifest;
pub(super) use write::ArchiveOutput;

/// Bytes of a data frame's content: all but the last one of a file have as many.
pub const FRAME_DATA_LEN: usize = 1 << 20;
/// The usual ending of an archive's name.
pub const ARCHIVE_EXTENSION: &str = "esebak";

const HEAD_LEN: usize = 32;
/// An archive begins with these bytes.
pub const MAGIC: [u8; 4] = *b"ESEF";
const FORMAT: &str = "ese-backup-archive";
const VERSION: u32 = 1;
/// Of a start or file frame's content.
const TEXT_LEN_MAX: u32 = 64 << 10;
/// Of a manifest.
const MANIFEST_LEN_MAX: u32 = 16 << 20;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Start = 1,
    File = 2,
    Data = 3,
    Manifest = 4,
}

/// The first 32 bytes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FrameHead {
    kind: Kind,
    number: u64,
    len: u32,
    crc: u32,
    archive: u32,
}

impl FrameHead {
    fn encode(&self) -> [u8; HEAD_LEN] {
        let mut bytes = [0; HEAD_LEN];
        let fields: [(usize, &[u8]); 6] = [
            (0, &MAGIC),
            (4, &[self.kind as u8]),
            (8, &self.number.to_le_bytes()),
            (16, &self.len.to_le_bytes()),
            (20, &self.crc.to_le_bytes()),
            (24, &self.archive.to_le_bytes()),
        ];
        let (body, sum) = bytes.split_at_mut(HEAD_LEN - 4);
        for (at, field) in fields {
            body.iter_mut().skip(at).zip(field).for_each(|(to, from)| *to = *from);
        }
        sum.copy_from_slice(&crc32fast::hash(body).to_le_bytes());
        bytes
    }

    /// The head, or what is wrong with it.
    fn decode(bytes: &[u8; HEAD_LEN]) -> Result<FrameHead, &'static str> {
        let word = |at: usize| {
            let field = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
            field.map_or(0, |field| u32::from_le_bytes(*field))
        };
        let (body, _) = bytes.split_at(HEAD_LEN - 4);
        if !bytes.starts_with(&MAGIC) {
            return Err("no frame begins here");
        }
        if crc32fast::hash(body) != word(HEAD_LEN - 4) {
            return Err("the checksum of its head is wrong");
        }
        let kind = match word(4) {
            1 => Kind::Start,
            2 => Kind::File,
            3 => Kind::Data,
            4 => Kind::Manifest,
            _ => return Err("of an unknown kind"),
        };
        let number = u64::from(word(8)) | u64::from(word(12)) << 32;
        Ok(FrameHead { kind, number, len: word(16), crc: word(20), archive: word(24) })
    }
}

/// The content of the first frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveStart {
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
    /// About as many bytes of databases follow.
    pub bytes: u64,
}

impl ArchiveStart {
    pub(super) fn new(
        kind: &str,
        created: String,
        page_size: u32,
        log_base: String,
        bytes: u64,
    ) -> ArchiveStart {
        let (format, kind) = (FORMAT.to_owned(), kind.to_owned());
        ArchiveStart { format, version: VERSION, kind, created, page_size, log_base, bytes }
    }
}

/// What a file of a set is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// A database with its trailer.
    Database,
    /// A finished log generation.
    Log,
}

/// The content of a file frame: what the data frames behind it are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileHead {
    /// Database or log.
    pub kind: FileKind,
    /// Its name in the set.
    pub name: String,
    /// Its bytes.
    pub len: u64,
}

/// The engine's error inside an error of a stream, or one that says what happened.
pub(crate) fn from_io(error: io::Error, doing: &str) -> Error {
    if !error.get_ref().is_some_and(|inner| inner.is::<Error>()) {
        let told = Error::new(ese_os::code_of(&error), format!("cannot {doing}: {error}"));
        return match error.kind() {
            io::ErrorKind::BrokenPipe => told.advise("nobody reads the pipe to its end"),
            _ => told,
        };
    }
    match error.into_inner().map(|inner| inner.downcast::<Error>()) {
        Some(Ok(inner)) => *inner,
        _ => Error::new(JetErr::DiskIO, format!("cannot {doing}")),
    }
}

fn to_text(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value)
        .map_err(|error| Error::new(JetErr::InternalError, format!("frame of a backup: {error}")))
}
