//! Looking a database, a directory or a backup set over: is everything sound? Nothing is written.

mod database;
mod directory;
mod header;
mod severity;
mod single;

pub use database::{DatabaseReport, verify_database};
pub use directory::{DirReport, LogReport, verify_dir};
pub use severity::Severity;
pub use single::{FileKind, FileReport, kind_of_file, verify_file, verify_flush_map};

use std::fmt;

use ese_base::StopToken;

/// How far a verification has come, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerifyProgress {
    /// Read and verified so far.
    pub bytes_done: u64,
    /// Of everything, as far as it is known.
    pub bytes_total: u64,
    /// A backup is checked: of a hundred parts of its log, those that are replayed. `None`: files
    /// are read.
    pub replayed: Option<u32>,
}

/// Options of a verification.
pub struct VerifyOptions<'a> {
    /// Called between pieces of 1 MiB.
    pub progress: &'a mut dyn FnMut(&VerifyProgress),
    /// Looked at there.
    pub stop: StopToken,
    /// The trees of a database that is not clean are looked at, too: what is wrong with them may be
    /// put right by recovery.
    pub as_is: bool,
    so_far: VerifyProgress,
}

impl fmt::Debug for VerifyOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyOptions").field("so_far", &self.so_far).finish_non_exhaustive()
    }
}

impl<'a> VerifyOptions<'a> {
    /// With a progress call.
    #[must_use]
    pub fn new(progress: &'a mut dyn FnMut(&VerifyProgress), stop: StopToken) -> VerifyOptions<'a> {
        VerifyOptions { progress, stop, as_is: false, so_far: VerifyProgress::default() }
    }

    /// More bytes will be read.
    fn expect(&mut self, bytes: u64) {
        self.so_far.bytes_total += bytes;
    }

    /// Bytes were read.
    fn advance(&mut self, bytes: u64) -> ese_base::Result<()> {
        self.so_far.bytes_done += bytes;
        self.so_far.bytes_total = self.so_far.bytes_total.max(self.so_far.bytes_done);
        (self.progress)(&self.so_far);
        self.stop.check()
    }
}
