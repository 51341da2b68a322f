//! A backup as readable streams, and as a directory.
//!
//! [`BackupStream`] is one backup from begin to end; dropping it aborts it. [`FileReader`] is one
//! of its files as [`std::io::Read`], every byte verified. [`copy_set`] writes all of them with a
//! [`Manifest`] into a directory, or as one stream of frames ([`archive`]).
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
pub(crate) use sink::{Output, Sink};
pub use throttle::Throttle;
pub use unpack::{Staging, Unpacking, unpack};

use crate::{
    AlignedBuffer,
    session::{
        BEGIN_INCREMENTAL, BackupContext, END_ABORT, END_NORMAL, FileHandle, LogInfo, ResumePoint,
        Who,
    },
};

/// Bytes that [`FileReader`] asks for at a time when its caller asks for less.
pub const READ_LEN: usize = 1 << 20;

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
        let (handle, len) = (Some(file.handle), file.len);
        Ok((FileReader { stream: self, handle, len, buffer: None, have: 0, given: 0 }, from))
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

/// A file of a backup as a stream of verified bytes. Dropping it closes it.
#[derive(Debug)]
pub struct FileReader<'a> {
    stream: &'a mut BackupStream,
    /// `None` once it is closed.
    handle: Option<FileHandle>,
    len: u64,
    /// What was read ahead for a caller of small reads, and how much of it was given out.
    buffer: Option<AlignedBuffer>,
    have: usize,
    given: usize,
}

impl FileReader<'_> {
    /// Bytes of the whole file.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Is there nothing to read?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Fills an aligned buffer of whole pages without a further copy; less only at the end of the
    /// file, 0 behind it. Not to be mixed with [`io::Read`].
    ///
    /// # Errors
    /// As [`BackupContext::read_file`].
    pub fn read_aligned(&mut self, buf: &mut [u8]) -> Result<usize> {
        match self.handle {
            Some(handle) => self.stream.context.read_file_as(self.stream.who, handle, buf),
            None => Ok(0),
        }
    }

    /// Stops the backup that the file belongs to: as [`BackupContext::stop`].
    pub fn stop(&self) {
        self.stream.context.stop();
    }

    fn context(&self) -> &BackupContext {
        &self.stream.context
    }

    /// Closes the file; only one that was read to its end counts as copied. Gives the number of
    /// pages whose checksum was right only after a flipped bit was corrected.
    ///
    /// # Errors
    /// As [`BackupContext::close_file`].
    pub fn close(mut self) -> Result<u64> {
        match self.handle.take() {
            Some(handle) => self.stream.context.close_file_as(self.stream.who, handle),
            None => Ok(0),
        }
    }
}

impl io::Read for FileReader<'_> {
    /// The error is the engine's own, see [`jet_error`].
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.given == self.have {
            let mut buffer = match self.buffer.take() {
                Some(buffer) => buffer,
                None => AlignedBuffer::new(READ_LEN).map_err(io::Error::other)?,
            };
            (self.have, self.given) = (0, 0);
            let read = self.read_aligned(buffer.as_mut_slice());
            self.buffer = Some(buffer);
            self.have = read.map_err(io::Error::other)?;
        }
        let ready = match &self.buffer {
            Some(buffer) => buffer.as_slice().get(self.given..self.have).unwrap_or_default(),
            None => &[],
        };
        let count = ready.len().min(out.len());
        for (to, from) in out.iter_mut().zip(ready) {
            *to = *from;
        }
        self.given += count;
        Ok(count)
    }
}

impl Drop for FileReader<'_> {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take()
            && let Err(error) = self.stream.context.close_file_as(self.stream.who, handle)
        {
            tracing::debug!(%error, "the file of the backup had been closed before");
        }
    }
}

/// The engine's error inside an error of [`io::Read`].
#[must_use]
pub fn jet_error(error: &io::Error) -> Option<&ese_base::Error> {
    error.get_ref()?.downcast_ref()
}
