//! The one error type. An error is a JET code plus what an operator needs: which file, which page
//! or generation, what was expected and found, what to do, and where in the source it arose.

use std::{
    borrow::Cow,
    fmt,
    panic::Location,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{ErrCat, Generation, JetErr, Pgno};

/// Result of a fallible operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error with its JET code. One word wide.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    code: JetErr,
    message: Cow<'static, str>,
    path: Option<PathBuf>,
    pgno: Option<Pgno>,
    generation: Option<Generation>,
    advice: Option<Cow<'static, str>>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
    origin: &'static Location<'static>,
}

/// How the engine reacts to an error; coarser than the code's category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The caller's mistake or the wrong moment. Nothing changed.
    Misuse,
    /// An ordinary negative answer: not found, duplicate, write conflict.
    Outcome,
    /// A device or file system said no.
    Io,
    /// A limit was reached: memory, version store, disk space.
    Resource,
    /// Bytes are wrong.
    Corruption,
    /// Files do not belong together, or a database needs its logs.
    Inconsistent,
    /// The engine itself is broken or was stopped by an earlier failure.
    Broken,
    /// Somebody asked to end.
    Stopped,
}

impl Error {
    /// An error with a code and a message that says what was expected and what was found.
    #[track_caller]
    #[must_use]
    pub fn new(code: JetErr, message: impl Into<Cow<'static, str>>) -> Error {
        Error(Box::new(Inner {
            code,
            message: message.into(),
            path: None,
            pgno: None,
            generation: None,
            advice: None,
            source: None,
            origin: Location::caller(),
        }))
    }

    /// An error whose code says it all.
    #[track_caller]
    #[must_use]
    pub fn code_only(code: JetErr) -> Error {
        Error::new(code, "")
    }

    /// Says in front of the message what it is about. File, page and advice stay.
    #[must_use]
    pub fn within(self, what: &str) -> Error {
        self.map_message(|message| format!("{what}: {message}"))
    }

    /// Names the file.
    #[must_use]
    pub fn at_path(mut self, path: impl AsRef<Path>) -> Error {
        self.0.path.get_or_insert_with(|| path.as_ref().to_path_buf());
        self
    }

    /// The same of another file: a copy that is gone is of no help to anybody.
    #[must_use]
    pub fn with_path(mut self, path: impl AsRef<Path>) -> Error {
        self.0.path = Some(path.as_ref().to_path_buf());
        self
    }

    /// Names the page.
    #[must_use]
    pub fn at_page(mut self, pgno: Pgno) -> Error {
        self.0.pgno.get_or_insert(pgno);
        self
    }

    /// Names the log generation.
    #[must_use]
    pub fn at_generation(mut self, generation: Generation) -> Error {
        self.0.generation.get_or_insert(generation);
        self
    }

    /// Says what the reader of the message can do.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<Cow<'static, str>>) -> Error {
        self.0.advice = Some(advice.into());
        self
    }

    /// Keeps the error below.
    #[must_use]
    pub fn caused_by(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        self.0.source = Some(source.into().into());
        self
    }

    /// The same under another code.
    #[must_use]
    pub fn with_code(mut self, code: JetErr) -> Error {
        self.0.code = code;
        self
    }

    /// Says more, or less, behind the same code.
    #[must_use]
    pub fn map_message(mut self, change: impl FnOnce(&str) -> String) -> Error {
        self.0.message = change(&self.0.message).into();
        self
    }

    /// The JET code.
    #[must_use]
    pub fn code(&self) -> JetErr {
        self.0.code
    }

    /// The JET code as the number that the C interface returns.
    #[must_use]
    pub fn jet_code(&self) -> i32 {
        self.0.code as i32
    }

    /// The message without code, place and advice.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The page, where one is known.
    #[must_use]
    pub fn pgno(&self) -> Option<Pgno> {
        self.0.pgno
    }

    /// The log generation, where one is known.
    #[must_use]
    pub fn generation(&self) -> Option<Generation> {
        self.0.generation
    }

    /// The file, where one is known.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// What the reader of the message can do, where that is known.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.0.advice.as_deref()
    }

    /// Where in the source the error arose.
    #[must_use]
    pub fn origin(&self) -> &'static Location<'static> {
        self.0.origin
    }

    /// How the engine reacts.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        kind_of(self.0.code)
    }
}

/// The reaction class of a code: its ERRCAT, with the exceptions named one by one.
fn kind_of(code: JetErr) -> ErrorKind {
    match code {
        // ERRCAT_Operation, as are failures of the engine; these three were asked for.
        JetErr::BackupAbortByServer
        | JetErr::ClientRequestToStopJetService
        | JetErr::TermInProgress => ErrorKind::Stopped,
        // ERRCAT_State, but no answer: a call at the wrong moment.
        JetErr::NoBackup => ErrorKind::Misuse,
        // ERRCAT_Usage or none, but found in files, whoever named them.
        JetErr::LogFileSizeMismatch
        | JetErr::SoftRecoveryOnBackupDatabase
        | JetErr::RestoreOfNonBackupDatabase
        | JetErr::PatchFileMissing
        | JetErr::DatabasePatchFileMismatch
        | JetErr::BadBackupDatabaseSize => ErrorKind::Inconsistent,
        JetErr::InvalidLoggedOperation => ErrorKind::Corruption,
        other => match other.info().category {
            ErrCat::Usage => ErrorKind::Misuse,
            ErrCat::State => ErrorKind::Outcome,
            ErrCat::IO => ErrorKind::Io,
            ErrCat::Memory | ErrCat::Quota | ErrCat::Disk | ErrCat::Resource => ErrorKind::Resource,
            ErrCat::Corruption | ErrCat::Fragmentation => ErrorKind::Corruption,
            ErrCat::Inconsistent => ErrorKind::Inconsistent,
            _ => ErrorKind::Broken,
        },
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        let info = inner.code.info();
        let what = if inner.message.is_empty() { info.text } else { &inner.message };
        if let Some(path) = &inner.path {
            write!(f, "{}: ", path.display())?;
        }
        if let Some(pgno) = inner.pgno {
            write!(f, "page {pgno}: ")?;
        }
        if let Some(generation) = inner.generation {
            write!(f, "log generation {:#x}: ", generation.0)?;
        }
        write!(f, "{what} ({} {})", info.name, inner.code as i32)?;
        if let Some(advice) = &inner.advice {
            write!(f, "; {advice}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} [at {}]", self.0.origin)?;
        if let Some(source) = &self.0.source {
            write!(f, " caused by: {source}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|s| {
            let s: &(dyn std::error::Error + 'static) = s.as_ref();
            s
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_word_and_names_code_place_and_advice() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        let error = Error::new(JetErr::ReadVerifyFailure, "checksum 1, expected 2")
            .at_path("a.edb")
            .at_page(Pgno(7))
            .advise("restore the page from a backup");
        assert_eq!(
            error.to_string(),
            "a.edb: page 7: checksum 1, expected 2 (JET_errReadVerifyFailure -1018); \
             restore the page from a backup"
        );
        assert_eq!(error.jet_code(), -1018);
        assert_eq!(error.advice(), Some("restore the page from a backup"));
    }

    #[test]
    fn every_code_maps_back_to_itself_and_has_a_text() {
        for &code in JetErr::ALL {
            assert_eq!(JetErr::from_code(code as i32), Some(code));
            assert!(!code.info().name.is_empty() && !code.info().text.is_empty(), "{code:?}");
        }
    }

    #[test]
    fn the_codes_that_the_engine_reacts_to_have_the_right_kind() {
        for (code, kind) in [
            (JetErr::InvalidParameter, ErrorKind::Misuse),
            (JetErr::InvalidBackupSequence, ErrorKind::Misuse),
            (JetErr::NoBackup, ErrorKind::Misuse),
            (JetErr::LogFileSizeMismatch, ErrorKind::Inconsistent),
            (JetErr::InvalidLoggedOperation, ErrorKind::Corruption),
            (JetErr::TermInProgress, ErrorKind::Stopped),
            (JetErr::RecordNotFound, ErrorKind::Outcome),
            (JetErr::KeyDuplicate, ErrorKind::Outcome),
            (JetErr::WriteConflict, ErrorKind::Outcome),
            (JetErr::DiskIO, ErrorKind::Io),
            (JetErr::DiskFull, ErrorKind::Resource),
            (JetErr::ReadVerifyFailure, ErrorKind::Corruption),
            (JetErr::LogFileCorrupt, ErrorKind::Corruption),
            (JetErr::DatabaseDirtyShutdown, ErrorKind::Inconsistent),
            (JetErr::InstanceUnavailable, ErrorKind::Broken),
            (JetErr::BackupAbortByServer, ErrorKind::Stopped),
        ] {
            assert_eq!(Error::code_only(code).kind(), kind, "{code:?}");
        }
    }
}
