//! A backup as readable streams, and as a directory.
//!
//! [`BackupStream`] is one backup from begin to end; dropping it aborts it. [`FileReader`] is one
//! of its files as [`std::io::BufRead`], every byte verified. [`copy_set`] writes all of them with
//! a [`Manifest`] into a directory, or as one stream of frames ([`archive`]).
//!
//! A stop reaches the reader as an error of the next read: [`jet_error`] finds
//! `JET_errBackupAbortByServer` in it.

pub mod archive;
mod copy;
mod file_crc;
mod keeping;
mod kept;
mod manifest;
mod names;
mod output;
mod reader;
mod rest;
mod sink;
#[cfg(test)]
mod tests;
mod throttle;
mod unpack;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use ese_base::Result;

pub(crate) use copy::copy_to_folder;
pub use copy::{
    BackupReport, CopyJob, CopyOptions, Destination, Phase, Progress, Resume, backup_to_dir,
    copy_set,
};
pub use kept::KEPT_NAME;
pub(crate) use kept::KEPT_NEW_NAME;
pub use manifest::signature_to_hex;
pub use manifest::{BaseEntry, DatabaseEntry, INCOMPLETE_NAME, LogEntry, MANIFEST_NAME, Manifest};
pub(crate) use manifest::{NEW_NAME, hex32, signature_from_hex};
pub use reader::FileReader;
pub(crate) use rest::Rests;
pub(crate) use sink::{CHUNK_LEN, Output, Sink};
pub use throttle::Throttle;
pub use unpack::{Staging, Unpacking, unpack};

use crate::session::{
    BEGIN_INCREMENTAL, BackupContext, END_ABORT, END_NORMAL, LogInfo, ResumePoint, Who,
};

/// One backup of an instance, from begin to end. Dropped before [`BackupStream::finish`] it is
/// aborted: nothing is recorded, no log deleted that was not already.
///
/// Other callers may use the plain calls of the same [`BackupContext`] meanwhile, and may even
/// end the backup; this stream then answers `JET_errBackupAbortByServer` and never strays into
/// a backup that somebody else began.
#[derive(Debug)]
pub struct BackupStream {
    context: Arc<BackupContext>,
    who: Who,
    ended: bool,
}

impl BackupStream {
    /// Begins a full backup, or an incremental one (logs only).
    ///
    /// # Errors
    /// As [`BackupContext::begin`].
    pub fn begin(context: &Arc<BackupContext>, incremental: bool) -> Result<BackupStream> {
        let serial = context.begin_owned(if incremental { BEGIN_INCREMENTAL } else { 0 })?;
        Ok(BackupStream { context: Arc::clone(context), who: Who::Owner(serial), ended: false })
    }

    /// Goes on with a full backup that was stopped.
    pub(crate) fn again(context: &Arc<BackupContext>, point: ResumePoint) -> Result<BackupStream> {
        let serial = context.begin_again(point)?;
        Ok(BackupStream { context: Arc::clone(context), who: Who::Owner(serial), ended: false })
    }

    /// Where it began.
    pub(crate) fn point(&self) -> Result<ResumePoint> {
        self.context.point(self.who)
    }

    /// A file that was copied wholly before the backup was stopped.
    pub(crate) fn count_as_copied(&mut self, path: &Path) -> Result<()> {
        self.context.count_as_copied(self.who, path)
    }

    /// The attached databases.
    ///
    /// # Errors
    /// As [`BackupContext::attach_info`].
    pub fn databases(&mut self) -> Result<Vec<PathBuf>> {
        self.context.attach_info_as(self.who)
    }

    /// The log files; closes the current generation the first time. No database can be opened any
    /// more.
    ///
    /// # Errors
    /// As [`BackupContext::log_info`].
    pub fn logs(&mut self) -> Result<LogInfo> {
        self.context.log_info_as(self.who)
    }

    /// Opens a database of [`BackupStream::databases`] or a log of [`BackupStream::logs`].
    ///
    /// # Errors
    /// As [`BackupContext::open_file`].
    pub fn open(&mut self, path: &Path) -> Result<FileReader<'_>> {
        self.open_from(path, 0).map(|(reader, _)| reader)
    }

    /// As [`BackupStream::open`], without the first `done` bytes of a database; the value says
    /// where the reading begins.
    pub(crate) fn open_from(&mut self, path: &Path, done: u64) -> Result<(FileReader<'_>, u64)> {
        let (file, from) = self.context.open_file_from(self.who, path, done)?;
        Ok((FileReader::new(self, file.handle, file.len, from), from))
    }

    /// Deletes the logs that this backup makes superfluous. The copy must be durable before.
    ///
    /// # Errors
    /// As [`BackupContext::truncate_log`].
    pub fn truncate(&mut self) -> Result<()> {
        self.context.truncate_log_as(self.who)
    }

    /// Ends the backup and records it in the headers of the databases that were read wholly; gives
    /// their number. After a stop nothing is recorded and the number is 0.
    ///
    /// # Errors
    /// As [`BackupContext::end`].
    pub fn finish(mut self) -> Result<u32> {
        self.ended = true;
        self.context.end_as(self.who, END_NORMAL)
    }

    /// The instance's backup context.
    #[must_use]
    pub fn context(&self) -> &Arc<BackupContext> {
        &self.context
    }
}

impl Drop for BackupStream {
    fn drop(&mut self) {
        if !self.ended
            && let Err(error) = self.context.end_as(self.who, END_ABORT)
        {
            tracing::debug!(%error, "the dropped backup had been ended before");
        }
    }
}

/// The engine's error inside an error of [`io::Read`].
#[must_use]
pub fn jet_error(error: &io::Error) -> Option<&ese_base::Error> {
    error.get_ref()?.downcast_ref()
}
