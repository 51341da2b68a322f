//! Small helpers over the file traits: whole files, streams, and directories of our own making.

use std::{io, path::Path};

use ese_api::{Env, Error, JetErr, Result, looks_like_backup_set};
use ese_backup::stream::{INCOMPLETE_NAME, MANIFEST_NAME, archive::ARCHIVE_EXTENSION};
use ese_os::OpenMode;

use crate::failure::{Failure, Outcome};

/// The bytes of a file that is not longer than this.
pub(crate) fn read(env: &Env, path: &Path, len_max: u64) -> Result<Vec<u8>> {
    let file = env.fs.open(path, OpenMode::Read)?;
    let len = file.len()?;
    let len = usize::try_from(len).ok().filter(|_| len <= len_max).ok_or_else(|| {
        Error::new(JetErr::OutOfMemory, format!("the file has {len} bytes, too many to read whole"))
            .at_path(path)
    })?;
    let mut bytes = vec![0; len];
    file.read_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// How a set is laid down or given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetForm {
    Directory,
    Archive,
    /// Standard input or output.
    Pipe,
}

/// Standard input and output in the place of a path.
pub(crate) fn is_pipe(path: &Path) -> bool {
    path == Path::new("-")
}

pub(crate) fn no_archive_from_a_terminal() -> Failure {
    Failure::Usage("an archive is expected on standard input".into())
}

/// Does the name end as that of an archive?
pub(crate) fn is_archive_name(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case(ARCHIVE_EXTENSION))
}

/// The engine's error inside an error of a stream, or one that says what happened.
pub(crate) fn stream_error(path: &Path, error: &io::Error) -> Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(inner) => inner.clone().at_path(path),
        None => Error::new(ese_os::code_of(error), error.to_string()).at_path(path),
    }
}

/// A set must stay what it is: an instance that starts in it would change its files.
pub(crate) fn refuse_backup_set(env: &Env, dir: &Path) -> Outcome {
    for name in [MANIFEST_NAME, INCOMPLETE_NAME] {
        if env.fs.exists(&dir.join(name))? {
            return Err(Failure::Usage(format!(
                "{}: this is a backup set; make databases of it with `ese restore`",
                dir.display()
            )));
        }
    }
    if looks_like_backup_set(env, dir)? {
        return Err(Failure::Usage(format!(
            "{}: this looks like a backup set without its manifest; make databases of it with `ese \
             restore`",
            dir.display()
        )));
    }
    Ok(())
}
