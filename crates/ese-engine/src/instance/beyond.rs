//! Finished logs that have the number of the current one, or a later one.
//!
//! Such a file is a mistake: a copy that was put in the wrong place, or an older log in the place
//! of the current one. Nobody could tell which of them goes on, and the first roll would meet them.
//! So nothing is begun (-515), unless JET_paramDeleteOutOfRangeLogs lets those of this stream go
//! (backup-log-recovery 3.5; as the published source does).

use std::path::{Path, PathBuf};

use ese_base::{Error, Generation, JetErr, Result};
use ese_log::{LogFile, LogStream, Situation};
use ese_os::Env;

use super::InstanceConfig;
use crate::recovery::{RecoveryFlags, RecoveryOptions};

/// The stream without such files, and which they are: they are removed when redo has shown that
/// nothing needs them.
///
/// # Errors
/// `JET_errInvalidLogSequence` (-515) without leave; `JET_errBadLogSignature` (-530): one is of
/// another stream; why the header of one cannot be used.
pub(super) fn leave_out(
    stream: LogStream,
    config: &InstanceConfig,
    options: &RecoveryOptions<'_>,
) -> Result<(LogStream, Vec<PathBuf>)> {
    // Whatever else is wrong with the current log is found when it is read.
    let (Situation::Current, Ok(header), false) =
        (stream.situation(), stream.newest_header(), options.hard)
    else {
        return Ok((stream, Vec::new()));
    };
    let (current, signature) = (header.generation, header.signature);
    let beyond = stream.archives().filter(|(generation, _)| *generation >= current);
    let beyond: Vec<&LogFile> = beyond.map(|(_, file)| file).collect();
    let Some(last) = beyond.last() else { return Ok((stream, Vec::new())) };
    // Who gives leave to lose commits means the current log, not those before it.
    let may_lose = options.flags.contains(RecoveryFlags::IGNORE_LOST_LOGS);
    if !config.delete_out_of_range_logs || may_lose {
        return Err(refused(&stream, current, &last.path));
    }
    for file in &beyond {
        if file.header()?.signature != signature {
            let what = "a log of another stream, with a number that is to come";
            return Err(Error::new(JetErr::BadLogSignature, what).at_path(&file.path));
        }
    }
    let paths = beyond.iter().map(|file| file.path.clone()).collect();
    Ok((stream.without_archives_from(current), paths))
}

/// Removes them, the newest first.
///
/// # Errors
/// Those of the file system.
pub(super) fn remove(env: &Env, dir: &Path, paths: &[PathBuf]) -> Result<()> {
    for path in paths.iter().rev() {
        tracing::warn!(path = %path.display(), "a log is removed that has a number of the future");
        env.fs.remove_file(path)?;
        env.fs.sync_dir(dir)?;
    }
    Ok(())
}

fn refused(stream: &LogStream, current: Generation, last: &Path) -> Error {
    let name = last.file_name().unwrap_or_default().display();
    let what = format!(
        "the current log is generation {:#x}, and a finished one with this number or a later one is \
         here, up to \"{name}\"",
        current.0
    );
    Error::new(JetErr::InvalidLogSequence, what)
        .at_path(stream.names().current())
        .at_generation(current)
        .advise("bring the right current log back, or move the logs away that do not belong here")
}
