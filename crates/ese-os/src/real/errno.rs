//! From the operating system's error to a JET code: the one place where that is decided.

use std::{io, path::Path};

use ese_base::{Error, JetErr};

use crate::parent_of;

/// The JET code of an operating system error. A missing name is `JET_errFileNotFound`; whether its
/// directory is missing too cannot be seen from the number.
#[must_use]
pub fn code_of(error: &io::Error) -> JetErr {
    let Some(errno) = error.raw_os_error() else {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof => JetErr::FileIOBeyondEOF,
            io::ErrorKind::InvalidInput => JetErr::InvalidPath, // a NUL byte in a name
            _ => JetErr::DiskIO,
        };
    };
    match errno {
        libc::ENOENT => JetErr::FileNotFound,
        libc::ENOTDIR | libc::ENAMETOOLONG => JetErr::InvalidPath,
        // ELOOP: a symbolic link stands where a file is to be created. EAGAIN: a lock is held.
        libc::EACCES
        | libc::EPERM
        | libc::EROFS
        | libc::ETXTBSY
        | libc::EISDIR
        | libc::ELOOP
        | libc::EBUSY
        | libc::EAGAIN => JetErr::FileAccessDenied,
        libc::EEXIST => JetErr::FileAlreadyExists,
        libc::ENOSPC | libc::EDQUOT | libc::EFBIG => JetErr::DiskFull,
        libc::EMFILE | libc::ENFILE => JetErr::OutOfFileHandles,
        libc::ENOMEM => JetErr::OutOfMemory,
        _ => JetErr::DiskIO,
    }
}

/// An error of an open file: what was tried, and the system's words.
#[track_caller]
pub(crate) fn file_error(what: &str, path: &Path, error: io::Error) -> Error {
    Error::new(code_of(&error), format!("{what}: {error}")).at_path(path).caused_by(error)
}

/// An error of a call that takes a path: as [`file_error`], but a missing name whose directory is
/// missing as well is `JET_errInvalidPath`.
#[track_caller]
pub(crate) fn path_error(what: &str, path: &Path, error: io::Error) -> Error {
    let mut code = code_of(&error);
    if code == JetErr::FileNotFound && !parent_of(path).is_dir() {
        code = JetErr::InvalidPath;
    }
    Error::new(code, format!("{what}: {error}")).at_path(path).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_errno_has_its_code() {
        let table = [
            (libc::ENOENT, -1811),
            (libc::ENOTDIR, -1023),
            (libc::EACCES, -1032),
            (libc::EPERM, -1032),
            (libc::EROFS, -1032),
            (libc::ETXTBSY, -1032),
            (libc::EAGAIN, -1032),
            (libc::EEXIST, -1814),
            (libc::ENOSPC, -1808),
            (libc::EDQUOT, -1808),
            (libc::EFBIG, -1808),
            (libc::EMFILE, -1020),
            (libc::ENFILE, -1020),
            (libc::ENOMEM, -1011),
            (libc::EIO, -1022),
            (libc::ENXIO, -1022),
        ];
        for (errno, code) in table {
            assert_eq!(code_of(&io::Error::from_raw_os_error(errno)) as i32, code, "errno {errno}");
        }
    }

    #[test]
    fn an_error_names_path_and_attempt() {
        let error = file_error("write", Path::new("/a/b"), io::Error::from_raw_os_error(28));
        assert_eq!(error.path(), Some(Path::new("/a/b")));
        assert!(error.to_string().contains("write: "), "{error}");
    }
}
