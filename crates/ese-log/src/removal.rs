//! The end of a stream is removed for good, because the one who recovers has said so
//! (backup-log-recovery 3.5 and 3.6).

use ese_base::{Generation, JetErr, Result};
use ese_os::Env;

use crate::{LogStream, Situation};

/// Removes the files of the generations from `generation` on, with the file that was made in
/// advance. The value is how many finished or current ones went.
///
/// The newest go first: whatever a crash leaves is a stream that ends earlier, never one with a
/// hole.
///
/// # Errors
/// Whatever the file system answers; some may have gone.
pub fn remove_from(env: &Env, stream: &LogStream, generation: Generation) -> Result<u32> {
    let mut doomed = Vec::new();
    if stream.situation() != Situation::Empty
        && let (Some(current), Ok(last)) = (stream.current(), stream.last_present())
        && last >= generation
    {
        doomed.push(current.path.clone());
    }
    let archives = stream.archives().rev().take_while(|(other, _)| *other >= generation);
    doomed.extend(archives.map(|(_, file)| file.path.clone()));
    // After a roll that was cut it is the newest generation.
    if stream.situation() != Situation::UnfinishedRoll {
        remove(env, &stream.names().temporary())?;
    }
    let mut gone = 0;
    for path in &doomed {
        remove(env, path)?;
        env.fs.sync_dir(stream.names().dir())?;
        gone += 1;
    }
    Ok(gone)
}

/// Removes a stream of which nobody needs anything any more: all its databases are clean.
///
/// The oldest go first and the current one last: whatever a crash leaves starts, and has nothing to
/// replay.
///
/// # Errors
/// Whatever the file system answers; some may have gone.
pub fn remove_all(env: &Env, stream: &LogStream) -> Result<()> {
    let archives = stream.archives().map(|(_, file)| &file.path);
    let current = stream.current().map(|file| &file.path);
    for path in archives.chain(current) {
        remove(env, path)?;
        env.fs.sync_dir(stream.names().dir())?;
    }
    remove(env, &stream.names().temporary())
}

/// Gives the newest finished generation the name of the current one, where there is none: the
/// stream is to go on inside it.
///
/// # Errors
/// Whatever the file system answers.
pub fn make_current(env: &Env, stream: &LogStream) -> Result<()> {
    if stream.situation() != Situation::CurrentMissing {
        return Ok(());
    }
    if let Some((_, newest)) = stream.archives().next_back() {
        env.fs.rename(&newest.path, &stream.names().current())?;
        env.fs.sync_dir(stream.names().dir())?;
    }
    Ok(())
}

fn remove(env: &Env, path: &std::path::Path) -> Result<()> {
    match env.fs.remove_file(path) {
        Err(error) if error.code() != JetErr::FileNotFound => Err(error),
        _ => Ok(()),
    }
}
