//! How bad a finding is.

use std::fmt;

use ese_base::{Error, ErrorKind, JetErr};

/// How bad a finding is: what it means for the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is wrong, but somebody may want to know it.
    Info,
    /// All data are there and can be read, but what guards them has suffered, or the database needs
    /// its log before it can be used.
    Warning,
    /// Data are damaged or missing; the rest can be read.
    Error,
    /// As it is, nothing in the file can be used.
    Fatal,
}

impl Severity {
    /// All of them, the worst first.
    pub const ALL: [Severity; 4] =
        [Severity::Fatal, Severity::Error, Severity::Warning, Severity::Info];

    /// What a code means where nothing more is known.
    #[must_use]
    pub fn of(error: &Error) -> Severity {
        match error.code() {
            // The state of a database: whole together with its log. Without a checkpoint the log is
            // read from its beginning.
            JetErr::DatabaseDirtyShutdown
            | JetErr::SoftRecoveryOnBackupDatabase
            | JetErr::CheckpointCorrupt => Severity::Warning,
            JetErr::InvalidDatabaseVersion
            | JetErr::FileInvalidType
            | JetErr::PageSizeMismatch
            | JetErr::FeatureNotAvailable => Severity::Fatal,
            // Without a page it is the whole file.
            JetErr::DatabaseCorrupted | JetErr::ReadVerifyFailure if error.pgno().is_none() => {
                Severity::Fatal
            }
            _ if error.kind() == ErrorKind::Resource => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
            Severity::Fatal => "fatal",
        })
    }
}
