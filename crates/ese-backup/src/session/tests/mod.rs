//! The calls, driven on real files. Names with a number are the cases of backup-log-recovery 7.

mod cases;
mod every_cell;
mod live;
mod reading;
mod stopping;

use std::path::Path;

use ese_base::{Error, JetErr, Result};

use crate::{
    AlignedBuffer,
    session::{BackupContext, END_NORMAL, FileHandle},
};

/// A reading buffer of 1 MiB.
pub(super) fn buffer() -> AlignedBuffer {
    AlignedBuffer::new(1 << 20).unwrap()
}

/// Reads an open file to its end.
pub(super) fn read_all(context: &BackupContext, handle: FileHandle) -> Result<Vec<u8>> {
    let mut buffer = buffer();
    let mut bytes = Vec::new();
    loop {
        match context.read_file(handle, buffer.as_mut_slice())? {
            0 => return Ok(bytes),
            count => bytes.extend_from_slice(&buffer.as_slice()[..count]),
        }
    }
}

/// Opens, reads to the end and closes.
pub(super) fn copy_file(context: &BackupContext, path: &Path) -> Result<Vec<u8>> {
    let file = context.open_file(path)?;
    let bytes = read_all(context, file.handle)?;
    assert_eq!(bytes.len() as u64, file.len);
    context.close_file(file.handle)?;
    Ok(bytes)
}

/// Copies every database of the running backup.
pub(super) fn copy_databases(context: &BackupContext) {
    for path in context.attach_info().unwrap() {
        copy_file(context, &path).unwrap();
    }
}

/// Copies every log of the running backup.
pub(super) fn copy_logs(context: &BackupContext) {
    for path in context.log_info().unwrap().files {
        copy_file(context, &path).unwrap();
    }
}

/// A full backup from begin to end.
pub(super) fn full_backup(context: &BackupContext) {
    context.begin(0).unwrap();
    copy_databases(context);
    copy_logs(context);
    context.truncate_log().unwrap();
    context.end(END_NORMAL).unwrap();
}

pub(super) fn code<T: std::fmt::Debug>(result: Result<T>) -> i32 {
    match result {
        Ok(_) => 0,
        Err(error) => error.jet_code(),
    }
}

#[track_caller]
pub(super) fn assert_code<T: std::fmt::Debug>(result: Result<T>, expected: JetErr) {
    let found = result.map_err(|error: Error| error.code());
    assert_eq!(found.as_ref().err(), Some(&expected), "{found:?}");
}
