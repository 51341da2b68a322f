//! What an instance says about its log.

use std::{path::PathBuf, sync::Arc};

use ese_base::{Error, Generation, JetErr, PageSize, Result};

use crate::{DbmsParam, LogLock, LogNames};

/// Settings of a log stream (backup-log-recovery 1.2).
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// Directory, base name and endings.
    pub names: LogNames,
    /// Bytes of a log file: 64 KiB to 32 MiB in steps of 64 KiB. A stream that exists keeps its
    /// own size.
    pub file_len: u32,
    /// Page size of the databases; it stands in every header.
    pub page_size: PageSize,
    /// Delete or reuse generations that nobody needs any more.
    pub circular: bool,
    /// The number of the first generation of a new stream.
    pub first_generation: Generation,
    /// Bytes of records that may wait to be written (rounded to segments of 4 KiB, at least 128
    /// KiB). An appender that finds no room waits for the disk.
    pub buffer_len: usize,
    /// Parameters that headers hold for people to read. Log path and file size are filled in.
    pub params: DbmsParam,
    /// Number of reserve logs: space put aside for a shutdown on a full disk.
    pub reserves: u32,
    /// The right to use the directory, if the caller has taken it already.
    pub lock: Option<Arc<LogLock>>,
}

impl LogConfig {
    /// The defaults: 5 MiB files, 4 KiB pages, no circular logging, 1 MiB of buffer, two reserves.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>, base: impl Into<String>) -> LogConfig {
        LogConfig {
            names: LogNames::new(dir, base),
            file_len: 5 << 20,
            page_size: PageSize::K4,
            circular: false,
            first_generation: Generation(1),
            buffer_len: 1 << 20,
            params: DbmsParam::zeroed(),
            reserves: 2,
            lock: None,
        }
    }

    /// Segments of a file.
    ///
    /// # Errors
    /// `JET_errInvalidParameter` (-1003) for a size that is not allowed.
    pub(crate) fn sectors(&self) -> Result<u16> {
        const STEP: u32 = 64 << 10;
        if !(STEP..=32 << 20).contains(&self.file_len) || !self.file_len.is_multiple_of(STEP) {
            return Err(Error::new(
                JetErr::InvalidParameter,
                format!(
                    "log files of {} bytes; expected a multiple of 65536 up to 33554432",
                    self.file_len
                ),
            ));
        }
        u16::try_from(self.file_len / 4096).map_err(|_| Error::code_only(JetErr::InvalidParameter))
    }

    /// Segments of the buffer.
    pub(crate) fn buffer_segments(&self) -> usize {
        (self.buffer_len / 4096).max(32)
    }
}
