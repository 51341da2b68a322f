//! Why a verb did not succeed, and the exit code of that.
//!
//! | code | meaning |
//! | --- | --- |
//! | 0 | fine |
//! | 1 | a problem was found: damaged, dirty, does not fit together, differs |
//! | 2 | wrong usage |
//! | 3 | could not read or write |
//! | 4 | stopped by Ctrl-C; everything is consistent |
//! | 130 | interrupted at once |

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use ese_api::{Error, ErrorKind, JetErr, Severity};
use serde_json::{Value, json};

use crate::{context::Context, text};

pub(crate) const PROBLEM: u8 = 1;
pub(crate) const USAGE: u8 = 2;
pub(crate) const IO: u8 = 3;
pub(crate) const STOPPED: u8 = 4;
pub(crate) const INTERRUPTED: u8 = 130;

/// How a verb ends.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why a verb did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The engine's word.
    Engine(Error),
    /// The command line asks for something that cannot be.
    Usage(String),
    /// A text file that is to be imported is wrong.
    Input { path: PathBuf, line: u64, error: Error },
    /// Standard output cannot be written.
    Output(io::Error),
    /// What was found has been printed already.
    Problems,
    /// What went wrong has been told already; the exit code.
    Told(u8),
    /// Ctrl-C; what was done until then.
    Stopped(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Engine(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Output(error)
    }
}

impl Failure {
    /// A record that says nothing, or what cannot be.
    pub(crate) fn input(path: &Path, line: u64, what: impl Into<String>) -> Failure {
        let error = Error::new(JetErr::InvalidParameter, what.into()).advise("correct the line");
        Failure::in_line(path, line, error)
    }

    /// What the engine says of a record.
    pub(crate) fn in_line(path: &Path, line: u64, error: Error) -> Failure {
        Failure::Input { path: path.to_path_buf(), line, error }
    }

    /// A file or an argument that cannot be what is wanted.
    pub(crate) fn unsuited(path: &Path, what: impl Into<String>, advice: &'static str) -> Failure {
        Error::new(JetErr::InvalidParameter, what.into()).at_path(path).advise(advice).into()
    }

    /// The failure of a verb whose work ends when nobody reads what it says.
    pub(crate) fn of_work(self) -> Failure {
        match self {
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                Failure::Output(io::Error::other("nobody reads it any more, so the work ended"))
            }
            other => other,
        }
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Failure::Engine(error) => code_of(error),
            Failure::Usage(_) => USAGE,
            Failure::Input { .. } | Failure::Problems => PROBLEM,
            Failure::Told(code) => *code,
            // Whoever reads our output may stop reading; that is no failure.
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Failure::Output(_) => IO,
            Failure::Stopped(_) => STOPPED,
        }
    }

    /// One line for people; `None` if everything has been said. A message that quotes a file's
    /// bytes breaks no line.
    pub(crate) fn text(&self) -> Option<String> {
        let text = self.said()?;
        Some(text::printable(&text).into_owned())
    }

    fn said(&self) -> Option<String> {
        match self {
            Failure::Engine(error) => Some(with_advice(error)),
            Failure::Usage(what) => Some(what.clone()),
            Failure::Input { path, line, error } => {
                Some(format!("{}: line {line}: {}", path.display(), with_advice(error)))
            }
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => None,
            Failure::Output(error) => Some(format!("standard output: {error}")),
            Failure::Problems | Failure::Told(_) => None,
            Failure::Stopped(what) => Some(format!("stopped: {what}")),
        }
    }

    /// One line on standard error, or one JSON object.
    pub(crate) fn tell(&self, context: &Context) {
        let Some(text) = self.text() else { return };
        let mut stderr = io::stderr().lock();
        let told = if context.json {
            writeln!(stderr, "{}", self.json())
        } else {
            // The terminal has printed ^C where the line begins.
            let stopped = matches!(self, Failure::Stopped(_));
            let over = if stopped && stderr.is_terminal() { "\r" } else { "" };
            writeln!(stderr, "{over}ese: {text}")
        };
        // There is nowhere left to complain.
        drop(told);
    }

    /// The same for programs.
    fn json(&self) -> Value {
        match self {
            Failure::Engine(error) => json!({ "error": error_json(error) }),
            Failure::Input { path, line, error } => json!({ "error": {
                "code": error.jet_code(), "name": error.code().info().name,
                "file": path.to_string_lossy(), "line": line, "text": with_advice(error),
            } }),
            other => json!({ "error": { "text": other.text() } }),
        }
    }
}

/// An error with all that is known of it.
pub(crate) fn error_json(error: &Error) -> Value {
    json!({
        "code": error.jet_code(),
        "name": error.code().info().name,
        "file": error.path().map(|path| path.to_string_lossy()),
        "page": error.pgno().map(|pgno| pgno.0),
        "generation": error.generation().map(|generation| generation.0),
        "text": with_advice(error),
    })
}

/// The same of a finding, with how bad it is.
pub(crate) fn finding_json(severity: Severity, error: &Error) -> Value {
    let mut json = error_json(error);
    if let Some(json) = json.as_object_mut() {
        json.insert("severity".to_owned(), severity.to_string().into());
    }
    json
}

/// The error as the engine words it, with what is usually the thing to do if it does not say so.
pub(crate) fn with_advice(error: &Error) -> String {
    match usual_advice(error).filter(|_| error.advice().is_none()) {
        Some(advice) => format!("{error}; {advice}"),
        None => error.to_string(),
    }
}

fn usual_advice(error: &Error) -> Option<&'static str> {
    Some(match error.code() {
        JetErr::FileNotFound | JetErr::InvalidPath => "check the path",
        JetErr::FileAccessDenied => "check what it is and who may read and write it",
        JetErr::FileAlreadyExists => "choose another name",
        JetErr::DiskFull | JetErr::LogDiskFull => "free space on that disk and try again",
        JetErr::OutOfFileHandles => "raise the limit of open files (ulimit -n)",
        JetErr::KeyDuplicate => "leave the record out or choose another key",
        JetErr::ObjectNotFound | JetErr::ColumnNotFound => "`ese tables` lists what is there",
        JetErr::FileIOBeyondEOF => "restore the file from a backup",
        JetErr::InvalidName => "names have 1 to 64 characters of code page 1252, none of ! . [ ]",
        JetErr::ColumnDuplicate => "names are equal in any case; give one of them another",
        JetErr::TooManyColumns => "a table has up to 127 columns of numbers; leave some out",
        JetErr::RecordTooBig => "larger pages hold longer rows (--page-size of a new directory)",
        JetErr::ColumnIllegalNull | JetErr::ColumnTooBig => "correct the record or leave it out",
        _ => match error.kind() {
            ErrorKind::Io => "look for errors of the disk in the system's log",
            ErrorKind::Corruption => "restore the file from a backup",
            ErrorKind::Inconsistent => "bring the files together that belong together",
            _ => return None,
        },
    })
}

fn code_of(error: &Error) -> u8 {
    match error.code() {
        JetErr::FileNotFound
        | JetErr::InvalidPath
        | JetErr::FileAccessDenied
        | JetErr::LogFilePathInUse => return IO,
        // A directory that must be empty and is not.
        JetErr::FileAlreadyExists
        | JetErr::ExistingLogFileHasBadSignature
        | JetErr::ExistingLogFileIsNotContiguous => return USAGE,
        JetErr::FeatureNotAvailable | JetErr::FileInvalidType | JetErr::PageSizeMismatch => {
            return PROBLEM;
        }
        _ => {}
    }
    match error.kind() {
        ErrorKind::Misuse | ErrorKind::Outcome => USAGE,
        ErrorKind::Io | ErrorKind::Resource | ErrorKind::Broken => IO,
        ErrorKind::Corruption | ErrorKind::Inconsistent => PROBLEM,
        ErrorKind::Stopped => STOPPED,
    }
}
