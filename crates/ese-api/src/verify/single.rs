//! One file, whatever it is: a database, a log, a checkpoint, or one that holds no data.

use std::{fmt, path::Path};

use ese_backup::stream::archive::{ArchivePart, ArchiveReader, FRAME_DATA_LEN, MAGIC};
use ese_base::{Error, Generation, JetErr, Result};
use ese_log::{
    LogFile, LogName, NameKind,
    layout::{CHECKPOINT_COPY_LEN, Checkpoint},
    read_checkpoint,
};
use ese_os::{Env, FileStream, OpenMode};
use ese_pages::{checksum::verify_header, header::read_header};

use super::{DirReport, VerifyOptions, verify_database};
use crate::logs::each_log_record;

/// Bytes of the headers of the engine's files, the smallest pages included.
const HEADER_LEN: usize = 4096;
/// Where the type of the file stands in all of them (edb-format 1.3, backup-log-recovery 1A.1).
const TYPE_AT: usize = 667;

/// A file of the engine that is no database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A generation of a log.
    Log,
    /// A checkpoint.
    Checkpoint,
    /// Which pages of a database were written; nobody needs it.
    FlushMap,
    /// Room for a log, should the disk be full. What is in it means nothing.
    Reserve,
    /// Room for the next log, made in advance: its header is blank.
    Prepared,
    /// Held by a running instance. It is empty.
    Lock,
    /// A backup set as one file.
    Archive,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            FileKind::Log => "log",
            FileKind::Checkpoint => "checkpoint",
            FileKind::FlushMap => "flush map",
            FileKind::Reserve => "reserve log",
            FileKind::Prepared => "log made in advance",
            FileKind::Lock => "lock file",
            FileKind::Archive => "archive of a backup set",
        })
    }
}

/// What a file is that is no database: by what is in it, else by its name. `None`: a database, or
/// nothing that is known.
///
/// # Errors
/// The file system's.
pub fn kind_of_file(env: &Env, path: &Path) -> Result<Option<FileKind>> {
    let file = env.fs.open(path, OpenMode::Read)?;
    let mut header = vec![0; HEADER_LEN];
    let read = match file.read_at(&mut header, 0) {
        Ok(()) => true,
        Err(error) if error.code() == JetErr::FileIOBeyondEOF => false,
        Err(error) => return Err(error),
    };
    let mut start = [0; MAGIC.len()];
    if file.read_at(&mut start, 0).is_ok() && start == MAGIC {
        return Ok(Some(FileKind::Archive));
    }
    let kind = header.get(TYPE_AT..).and_then(<[u8]>::first_chunk).copied();
    let whole = read && verify_header(&header);
    Ok(match kind.map(u32::from_le_bytes).filter(|_| whole) {
        Some(3) => Some(FileKind::Log),
        Some(4) => Some(FileKind::Checkpoint),
        Some(7) => Some(FileKind::FlushMap),
        // A whole header of another kind is a database's; one of larger pages is longer.
        Some(_) => None,
        None if read_header(file.as_ref()).is_ok() => None,
        None => kind_by_name(path, header.iter().all(|byte| Some(byte) == header.first())),
    })
}

fn kind_by_name(path: &Path, is_blank: bool) -> Option<FileKind> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match LogName::parse(&name).map(|name| name.kind) {
        Some(NameKind::Reserve) => return Some(FileKind::Reserve),
        Some(NameKind::Temporary) if is_blank => return Some(FileKind::Prepared),
        _ => {}
    }
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    Some(match ending.as_str() {
        "log" | "jtx" => FileKind::Log,
        "chk" | "jcp" => FileKind::Checkpoint,
        "jfm" => FileKind::FlushMap,
        "lck" => FileKind::Lock,
        _ => return None,
    })
}

/// A file that is no database, verified by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    /// What it is.
    pub kind: FileKind,
    /// Of a log: its generation, if its header can be read.
    pub generation: Option<Generation>,
    /// Of a log: its records, up to the first damage.
    pub records: u64,
}

/// Verifies one file. A database is looked at as by [`verify_database`]; a log record by record; of
/// a checkpoint both copies, of a flush map its header. The others hold nothing.
///
/// # Errors
/// The file system's; `JET_errFileAccessDenied` (-1032) while a database is attached;
/// `JET_errClientRequestToStopJetService` (-1329) if stopped. Everything else is a finding, also
/// that it is no file of the engine.
pub fn verify_file(env: &Env, path: &Path, options: &mut VerifyOptions<'_>) -> Result<DirReport> {
    let mut report = DirReport::new(path);
    let Some(kind) = kind_of_file(env, path)? else {
        match verify_database(env, path, options) {
            Ok(database) => report.databases.push(database),
            Err(error) => report.problems.push(finding(error)?),
        }
        return Ok(report);
    };
    let mut found = FileReport { kind, generation: None, records: 0 };
    let verified = match kind {
        FileKind::Log => verify_log_file(env, path, &mut found, options),
        FileKind::Checkpoint => verify_checkpoint(env, path),
        FileKind::FlushMap => verify_flush_map(env, path),
        FileKind::Archive => verify_archive(env, path, options),
        FileKind::Reserve | FileKind::Prepared | FileKind::Lock => Ok(()),
    };
    report.file = Some(found);
    if let Err(error) = verified {
        report.problems.push(finding(error)?);
    }
    Ok(report)
}

/// What is wrong with the file itself, and not with reaching it.
fn finding(error: Error) -> Result<Error> {
    use ese_base::ErrorKind::{Corruption, Inconsistent};
    // Another format is one of the caller's mistakes elsewhere.
    let found = matches!(error.kind(), Corruption | Inconsistent)
        || error.code() == JetErr::FeatureNotAvailable;
    if found { Ok(error) } else { Err(error) }
}

fn verify_log_file(
    env: &Env,
    path: &Path,
    found: &mut FileReport,
    options: &mut VerifyOptions<'_>,
) -> Result<()> {
    let file = LogFile::read(env, path.to_path_buf())?;
    options.expect(file.len);
    found.generation = Some(file.header()?.generation);
    file.checked_header()?;
    let stop = options.stop.clone();
    each_log_record(env, path, &stop, &mut |_| {
        found.records += 1;
        Ok(())
    })?;
    options.advance(file.len)
}

/// One whole copy is enough for a recovery, but it is the last one.
fn verify_checkpoint(env: &Env, path: &Path) -> Result<()> {
    read_checkpoint(env, path, None)?;
    let file = env.fs.open(path, OpenMode::Read)?;
    for (copy, name) in [(0, "first"), (1, "second")] {
        let mut bytes = Box::new([0; CHECKPOINT_COPY_LEN]);
        let read = file.read_at(bytes.as_mut_slice(), copy * HEADER_LEN as u64);
        if read.is_err() || Checkpoint::decode(&bytes)?.is_none() {
            let what = format!("the {name} copy of the checkpoint is damaged or missing");
            return Err(Error::new(JetErr::CheckpointCorrupt, what)
                .at_path(path)
                .advise("the other copy is whole: the next start of the instance writes both"));
        }
    }
    Ok(())
}

/// Every frame has the sum of its bytes; what is missing at the end shows by the missing manifest.
fn verify_archive(env: &Env, path: &Path, options: &mut VerifyOptions<'_>) -> Result<()> {
    let stream = FileStream::open(env, path)?;
    options.expect(stream.len());
    let mut reader = ArchiveReader::new(stream, path);
    let mut buffer = vec![0; FRAME_DATA_LEN];
    while let Some(part) = reader.next(&mut buffer)? {
        if let ArchivePart::Data(len) = part {
            options.advance(len as u64)?;
        }
    }
    Ok(())
}

/// Has a flush map a header that can be used?
///
/// # Errors
/// `JET_errReadVerifyFailure` (-1018) if not; the file system's.
pub fn verify_flush_map(env: &Env, path: &Path) -> Result<()> {
    let mut header = vec![0; HEADER_LEN];
    let read = env.fs.open(path, OpenMode::Read)?.read_at(&mut header, 0);
    if read.is_ok() && verify_header(&header) {
        return Ok(());
    }
    let what = "this is called like a flush map, but its header is none or damaged";
    Err(Error::new(JetErr::ReadVerifyFailure, what)
        .at_path(path)
        .advise("delete it: the engine makes it anew"))
}
