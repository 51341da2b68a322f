//! The streaming backup, call by call (backup-log-recovery 4).
//!
//! The sequence belongs to the instance: any thread may make any call of it, and no session is
//! needed.

use std::{
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

use ese_backup::{FileHandle, State, session::END_NORMAL};
use ese_base::{Error, Generation, JetErr, Result};

use super::{
    JET_GRBIT,
    gate::{Purpose, enter, find_instance, find_single},
    handles::{JET_HANDLE, JET_INSTANCE},
    process::Inst,
};
use crate::shared::Shared;

/// Only the logs since the last full or incremental backup.
pub const JET_bitBackupIncremental: JET_GRBIT = 0x1;
/// Another program copies the files; [`JetBeginSurrogateBackup`] implies it.
pub const JET_bitBackupSurrogate: JET_GRBIT = 0x20;
/// A full backup that the application makes for itself.
pub const JET_bitBackupInternalCopy: JET_GRBIT = 0x40;
/// Of [`JetEndExternalBackupInstance2`]: everything was copied.
pub const JET_bitBackupEndNormal: JET_GRBIT = 0x1;
/// The copy is of no use.
pub const JET_bitBackupEndAbort: JET_GRBIT = 0x2;
/// The logs were truncated by other means.
pub const JET_bitBackupTruncateDone: JET_GRBIT = 0x100;
/// The headers of the databases do not remember it.
pub const JET_bitBackupNoDbHeaderUpdate: JET_GRBIT = 0x200;

/// The logs of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JET_LOGINFO {
    /// [`JET_LOGINFO::SIZE`].
    pub cbSize: u32,
    /// First generation.
    pub ulGenLow: u32,
    /// Last generation.
    pub ulGenHigh: u32,
    /// Three characters that every name begins with.
    pub szBaseName: String,
}

impl JET_LOGINFO {
    /// Bytes of the structure in the C interface.
    pub const SIZE: u32 = 16;

    /// A structure to be filled.
    #[must_use]
    pub fn new() -> JET_LOGINFO {
        JET_LOGINFO {
            cbSize: JET_LOGINFO::SIZE,
            ulGenLow: 0,
            ulGenHigh: 0,
            szBaseName: String::new(),
        }
    }
}

impl Default for JET_LOGINFO {
    fn default() -> JET_LOGINFO {
        JET_LOGINFO::new()
    }
}

/// A file that was opened for a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JET_OPENEDFILE {
    /// For reading and closing it.
    pub hfFile: JET_HANDLE,
    /// Its length: lower 32 bits.
    pub ulFileSizeLow: u32,
    /// Its length: upper 32 bits.
    pub ulFileSizeHigh: u32,
}

/// Paths, each with a NUL behind it, and another NUL at the end.
fn multi_sz(paths: &[PathBuf]) -> Vec<u8> {
    let mut list = Vec::new();
    for path in paths {
        list.extend_from_slice(path.as_os_str().as_bytes());
        list.push(0);
    }
    list.push(0);
    if paths.is_empty() {
        list.push(0);
    }
    list
}

/// The paths of a list such as [`JetGetAttachInfoInstance`] writes.
#[must_use]
pub fn paths_of(list: &[u8]) -> Vec<PathBuf> {
    let parts = list.split(|byte| *byte == 0).take_while(|part| !part.is_empty());
    parts.map(|part| PathBuf::from(std::ffi::OsString::from_vec(part.to_vec()))).collect()
}

/// Copies as much as fits; gives the bytes of everything, and of what was copied.
fn fill(list: &[u8], buffer: Option<&mut [u8]>) -> (usize, usize) {
    let room = buffer.map_or(0, |buffer| {
        let count = buffer.len().min(list.len());
        for (to, from) in buffer.iter_mut().zip(list) {
            *to = *from;
        }
        count
    });
    (list.len(), room)
}

fn begin(inst: &Inst, grbit: JET_GRBIT) -> Result<()> {
    enter(inst, Purpose::Work)?.backup.begin(grbit)
}

/// Begins a backup: a full one, or with [`JET_bitBackupIncremental`] only of the logs.
///
/// # Errors
/// `JET_errInvalidParameter` (-1003) for anything that is not an instance, the gate's, then by
/// backup-log-recovery 4.3: `JET_errBackupNotAllowedYet` (-523), `JET_errLoggingDisabled` (-516),
/// `JET_errLogWriteFail` (-510), `JET_errInvalidGrbit` (-900), `JET_errInvalidBackup` (-526),
/// `JET_errLogDiskFull` (-529), `JET_errBackupInProgress` (-505), `JET_errMissingFullBackup`
/// (-560).
pub fn JetBeginExternalBackupInstance(instance: JET_INSTANCE, grbit: JET_GRBIT) -> Result<()> {
    begin(&*find_instance(instance)?, grbit)
}

/// As [`JetBeginExternalBackupInstance`] for the only instance.
///
/// # Errors
/// As there; `JET_errRunningInMultiInstanceMode` (-1081).
pub fn JetBeginExternalBackup(grbit: JET_GRBIT) -> Result<()> {
    begin(&*find_single()?, grbit)
}

fn attach_info(inst: &Inst, buffer: Option<&mut [u8]>) -> Result<usize> {
    let paths = enter(inst, Purpose::Work)?.backup.attach_info()?;
    Ok(fill(&multi_sz(&paths), buffer).0)
}

/// Writes the paths of the databases as a list with NULs; gives the bytes of the whole list also
/// where they do not fit.
///
/// # Errors
/// The instance's; `JET_errNoBackup` (-520), `JET_errBackupAbortByServer` (-801),
/// `JET_errInvalidBackupSequence` (-521).
pub fn JetGetAttachInfoInstance(
    instance: JET_INSTANCE,
    szzDatabases: Option<&mut [u8]>,
) -> Result<usize> {
    attach_info(&*find_instance(instance)?, szzDatabases)
}

/// As [`JetGetAttachInfoInstance`] for the only instance.
///
/// # Errors
/// As there; `JET_errRunningInMultiInstanceMode` (-1081).
pub fn JetGetAttachInfo(szzDatabases: Option<&mut [u8]>) -> Result<usize> {
    attach_info(&*find_single()?, szzDatabases)
}

fn open_file(inst: &Inst, path: Option<&Path>) -> Result<JET_OPENEDFILE> {
    let shared = enter(inst, Purpose::Work)?;
    // The backup knows the order of its checks; an empty path stands for none.
    let opened = shared.backup.open_file(path.unwrap_or(Path::new("")))?;
    let half = |shift: u32| u32::try_from(opened.len >> shift & 0xffff_ffff).unwrap_or(0);
    Ok(JET_OPENEDFILE {
        hfFile: JET_HANDLE(u64::from(opened.handle.0)),
        ulFileSizeLow: half(0),
        ulFileSizeHigh: half(32),
    })
}

/// Opens a database, or a log of the list.
///
/// # Errors
/// The instance's; `JET_errNoBackup` (-520), `JET_errBackupAbortByServer` (-801),
/// `JET_errInvalidParameter` (-1003) without a path, `JET_errOutOfMemory` (-1011) while a file is
/// open, `JET_errDatabaseNotFound` (-1203), `JET_errInvalidBackupSequence` (-521),
/// `JET_errMissingFileToBackup` (-569).
pub fn JetOpenFileInstance(
    instance: JET_INSTANCE,
    szFileName: Option<&Path>,
) -> Result<JET_OPENEDFILE> {
    open_file(&*find_instance(instance)?, szFileName)
}

/// As [`JetOpenFileInstance`] for the only instance.
///
/// # Errors
/// As there; `JET_errRunningInMultiInstanceMode` (-1081).
pub fn JetOpenFile(szFileName: Option<&Path>) -> Result<JET_OPENEDFILE> {
    open_file(&*find_single()?, szFileName)
}

/// A number that was never given out is no open file.
fn file(handle: JET_HANDLE) -> FileHandle {
    FileHandle(u32::try_from(handle.0).unwrap_or(u32::MAX))
}

fn read_file(inst: &Inst, handle: JET_HANDLE, buffer: &mut [u8]) -> Result<usize> {
    enter(inst, Purpose::Work)?.backup.read_file(file(handle), buffer)
}

/// Reads the next verified bytes of an open file; 0 at its end. The buffer begins at a multiple of
/// 4096 bytes in memory (see [`AlignedBuffer`](ese_backup::AlignedBuffer)) and is whole pages long,
/// at least 3 in the first read of a database and 2 of a log.
///
/// # Errors
/// The instance's; `JET_errNoBackup` (-520), `JET_errBackupAbortByServer` (-801) after a stop,
/// `JET_errInvalidParameter` (-1003), `JET_errReadVerifyFailure` (-1018) and its kin,
/// `JET_errLogReadVerifyFailure` (-612).
pub fn JetReadFileInstance(
    instance: JET_INSTANCE,
    hfFile: JET_HANDLE,
    pv: &mut [u8],
) -> Result<usize> {
    read_file(&*find_instance(instance)?, hfFile, pv)
}

/// As [`JetReadFileInstance`] for the only instance.
///
/// # Errors
/// As there; `JET_errRunningInMultiInstanceMode` (-1081).
pub fn JetReadFile(hfFile: JET_HANDLE, pv: &mut [u8]) -> Result<usize> {
    read_file(&*find_single()?, hfFile, pv)
}

fn close_file(inst: &Inst, handle: JET_HANDLE) -> Result<()> {
    enter(inst, Purpose::Work)?.backup.close_file(file(handle))
}

/// Closes an open file; also after a stop.
///
/// # Errors
/// The instance's; `JET_errNoBackup` (-520), `JET_errInvalidParameter` (-1003).
pub fn JetCloseFileInstance(instance: JET_INSTANCE, hfFile: JET_HANDLE) -> Result<()> {
    close_file(&*find_instance(instance)?, hfFile)
}

/// As [`JetCloseFileInstance`] for the only instance.
///
/// # Errors
/// As there; `JET_errRunningInMultiInstanceMode` (-1081).
pub fn JetCloseFile(hfFile: JET_HANDLE) -> Result<()> {
    close_file(&*find_single()?, hfFile)
}

fn log_info(
    inst: &Inst,
    buffer: Option<&mut [u8]>,
    info: Option<&mut JET_LOGINFO>,
) -> Result<usize> {
    let shared = enter(inst, Purpose::Work)?;
    if let Some(info) = &info
        && info.cbSize != JET_LOGINFO::SIZE
    {
        return Err(wrong_size(&shared, info.cbSize));
    }
    let logs = shared.backup.log_info()?;
    if let Some(info) = info {
        info.ulGenLow = logs.gen_low.0;
        info.ulGenHigh = logs.gen_high.0;
        info.szBaseName.clone_from(&logs.base);
    }
    let asked = buffer.is_some();
    let (whole, copied) = fill(&multi_sz(&logs.files), buffer);
    Ok(if asked { copied } else { whole })
}

/// What is wrong with the backup is said before what is wrong with the argument.
fn wrong_size(shared: &Shared, size: u32) -> Error {
    match shared.backup.state() {
        State::None | State::Surrogate => Error::new(JetErr::NoBackup, "no backup is in progress"),
        _ if shared.backup.is_stopped() => {
            Error::new(JetErr::BackupAbortByServer, "the backup was stopped")
        }
        _ => Error::new(
            JetErr::InvalidParameter,
            format!("JET_LOGINFO of {size} bytes, expected {}", JET_LOGINFO::SIZE),
        ),
    }
}

/// Closes the current generation and writes the paths of the logs as a list with NULs; gives the
/// bytes that were written, or without a buffer the bytes of the whole list.
///
/// # Errors
/// The instance's; `JET_errNoBackup` (-520), `JET_errBackupAbortByServer` (-801),
/// `JET_errInvalidBackupSequence` (-521), `JET_errMissingFileToBackup` (-569).
pub fn JetGetLogInfoInstance(instance: JET_INSTANCE, szzLogs: Option<&mut [u8]>) -> Result<usize> {
    log_info(&*find_instance(instance)?, szzLogs, None)
}

/// As [`JetGetLogInfoInstance`] with the range of generations.
///
/// # Errors
/// As there; `JET_errInvalidParameter` (-1003) for a structure of another size.
pub fn JetGetLogInfoInstance2(
    instance: JET_INSTANCE,
    szzLogs: Option<&mut [u8]>,
    pLogInfo: Option<&mut JET_LOGINFO>,
) -> Result<usize> {
    log_info(&*find_instance(instance)?, szzLogs, pLogInfo)
}

/// As [`JetGetLogInfoInstance`] for the only instance.
///
/// # Errors
/// As there; `JET_errRunningInMultiInstanceMode` (-1081).
pub fn JetGetLogInfo(szzLogs: Option<&mut [u8]>) -> Result<usize> {
    log_info(&*find_single()?, szzLogs, None)
}

fn truncate_log_info(inst: &Inst, buffer: Option<&mut [u8]>) -> Result<usize> {
    let logs = enter(inst, Purpose::Work)?.backup.truncate_log_info()?;
    let asked = buffer.is_some();
    let (whole, copied) = fill(&multi_sz(&logs), buffer);
    Ok(if asked { copied } else { whole })
}

/// As [`JetGetLogInfoInstance`], for the logs that a truncation will delete.
///
/// # Errors
/// As there.
pub fn JetGetTruncateLogInfoInstance(
    instance: JET_INSTANCE,
    szzLogs: Option<&mut [u8]>,
) -> Result<usize> {
    truncate_log_info(&*find_instance(instance)?, szzLogs)
}

/// As [`JetGetTruncateLogInfoInstance`] for the only instance.
///
/// # Errors
/// As there; `JET_errRunningInMultiInstanceMode` (-1081).
pub fn JetGetTruncateLogInfo(szzLogs: Option<&mut [u8]>) -> Result<usize> {
    truncate_log_info(&*find_single()?, szzLogs)
}

fn truncate_log(inst: &Inst) -> Result<()> {
    enter(inst, Purpose::Work)?.backup.truncate_log()
}

/// Deletes the logs that the backup makes superfluous.
///
/// # Errors
/// The instance's; `JET_errNoBackup` (-520), `JET_errBackupAbortByServer` (-801),
/// `JET_errInvalidBackupSequence` (-521), `JET_errLogFileNotCopied` (-616).
pub fn JetTruncateLogInstance(instance: JET_INSTANCE) -> Result<()> {
    truncate_log(&*find_instance(instance)?)
}

/// As [`JetTruncateLogInstance`] for the only instance.
///
/// # Errors
/// As there; `JET_errRunningInMultiInstanceMode` (-1081).
pub fn JetTruncateLog() -> Result<()> {
    truncate_log(&*find_single()?)
}

/// Ends the backup as [`JetEndExternalBackupInstance2`] with [`JET_bitBackupEndNormal`].
///
/// # Errors
/// As there.
pub fn JetEndExternalBackupInstance(instance: JET_INSTANCE) -> Result<()> {
    JetEndExternalBackupInstance2(instance, END_NORMAL)
}

/// Ends the backup; also after a stop, when nothing of it is recorded.
///
/// # Errors
/// The instance's; `JET_errInvalidParameter` (-1003) unless one of [`JET_bitBackupEndNormal`] and
/// [`JET_bitBackupEndAbort`] is given, `JET_errNoBackup` (-520), those of writing a header.
pub fn JetEndExternalBackupInstance2(instance: JET_INSTANCE, grbit: JET_GRBIT) -> Result<()> {
    enter(&*find_instance(instance)?, Purpose::Work)?.backup.end(grbit)
}

/// As [`JetEndExternalBackupInstance`] for the only instance.
///
/// # Errors
/// As there; `JET_errRunningInMultiInstanceMode` (-1081).
pub fn JetEndExternalBackup() -> Result<()> {
    enter(&*find_single()?, Purpose::Work)?.backup.end(END_NORMAL)
}

/// Begins a backup whose files another program copies: all databases, and the logs from
/// `lgenFirst` to `lgenLast`. As long as it lasts no other backup can begin, and the calls of a
/// sequence answer `JET_errNoBackup` (-520).
///
/// # Errors
/// As [`JetBeginExternalBackupInstance`]; `JET_errInvalidParameter` (-1003) for a range that ends
/// before it begins or behind the current generation; `JET_errSurrogateBackupInProgress` (-617).
/// Source of the facts: backup-log-recovery 4.11.
pub fn JetBeginSurrogateBackup(
    instance: JET_INSTANCE,
    lgenFirst: u32,
    lgenLast: u32,
    grbit: JET_GRBIT,
) -> Result<()> {
    let shared = enter(&*find_instance(instance)?, Purpose::Work)?;
    shared.backup.begin_surrogate(Generation(lgenFirst), Generation(lgenLast), grbit)
}

/// Ends it. With [`JET_bitBackupEndNormal`], and without a stop, the headers of all databases
/// remember it as a snapshot: a full or incremental one with [`JET_bitBackupTruncateDone`], else
/// one that the chain of backups leaves out. A backup of another kind ends without any record.
///
/// # Errors
/// As [`JetEndExternalBackupInstance2`].
pub fn JetEndSurrogateBackup(instance: JET_INSTANCE, grbit: JET_GRBIT) -> Result<()> {
    enter(&*find_instance(instance)?, Purpose::Work)?.backup.end_surrogate(grbit)
}

/// Where the backup of an instance stands, and whether the stop was given. Not a Jet function;
/// waits for a running call of the backup.
///
/// # Errors
/// The instance's.
pub fn backup_state(instance: JET_INSTANCE) -> Result<(State, bool)> {
    let shared = enter(&*find_instance(instance)?, Purpose::Work)?;
    Ok((shared.backup.state(), shared.backup.is_stopped()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_end_with_two_nuls_and_read_back() {
        let paths = [PathBuf::from("/a/b.edb"), PathBuf::from("/c d.edb")];
        let list = multi_sz(&paths);
        assert_eq!(list, b"/a/b.edb\0/c d.edb\0\0");
        assert_eq!(paths_of(&list), paths);
        assert_eq!(multi_sz(&[]), b"\0\0");
        let mut small = [9; 4];
        assert_eq!(fill(&list, Some(&mut small)), (list.len(), 4));
        assert_eq!(&small, b"/a/b");
        assert_eq!(fill(&list, None), (list.len(), 0));
    }
}
