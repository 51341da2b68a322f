//! Reading and writing the checkpoint file (backup-log-recovery 2.1).
//!
//! The file is rewritten in place: copy 1, sync, copy 2, sync. So one of the two is always whole,
//! whatever a power cut does to the other.

use std::path::Path;

use ese_base::{Error, JetErr, Result, Signature, plant};
use ese_os::{Env, OpenMode, parent_of};

use crate::layout::{CHECKPOINT_COPY_LEN, Checkpoint};

const COPY_LEN_U64: u64 = 4096;

/// Reads a checkpoint file: copy 1, or copy 2 if the first is damaged.
///
/// # Errors
/// `JET_errCheckpointFileNotFound` (-542), `JET_errCheckpointCorrupt` (-533) when both copies are
/// damaged, `JET_errFileInvalidType` (-1812) when it is something else; with `signature`,
/// `JET_errBadCheckpointSignature` (-532) when it belongs to another stream. What the first two
/// mean to a recovery is for the caller to say.
pub fn read_checkpoint(env: &Env, path: &Path, signature: Option<Signature>) -> Result<Checkpoint> {
    let file = env.fs.open(path, OpenMode::Read).map_err(|e| match e.code() {
        JetErr::FileNotFound | JetErr::InvalidPath => {
            Error::new(JetErr::CheckpointFileNotFound, "there is no checkpoint file")
                .at_path(path)
                .caused_by(e)
        }
        _ => e,
    })?;
    let mut cause = None;
    for copy in 0..2 {
        let mut bytes = Box::new([0; CHECKPOINT_COPY_LEN]);
        // A copy that cannot be read is as good as a damaged one.
        if let Err(error) = file.read_at(bytes.as_mut_slice(), copy * COPY_LEN_U64) {
            cause = Some(error);
            continue;
        }
        let Some(checkpoint) = Checkpoint::decode(&bytes).map_err(|e| e.at_path(path))? else {
            continue;
        };
        if let Some(expected) = signature
            && checkpoint.signature != expected
        {
            return Err(Error::new(
                JetErr::BadCheckpointSignature,
                format!(
                    "the checkpoint is of log stream {}, the logs are of {expected}",
                    checkpoint.signature
                ),
            )
            .at_path(path));
        }
        return Ok(checkpoint);
    }
    let error = Error::new(JetErr::CheckpointCorrupt, "both copies of the checkpoint are damaged")
        .at_path(path)
        .advise("without a checkpoint, recovery starts at the oldest log; remove the file");
    Err(match cause {
        Some(cause) => error.caused_by(cause),
        None => error,
    })
}

/// Writes a checkpoint file and makes it durable.
///
/// The caller has already made durable what the new position relies on: the pages, and the
/// database headers (backup-log-recovery 1.6, rule 4).
///
/// # Errors
/// Whatever the file system answers.
pub fn write_checkpoint(env: &Env, path: &Path, checkpoint: &Checkpoint) -> Result<()> {
    let bytes = checkpoint.encode()?;
    let created = !env.fs.exists(path)?;
    let mode = if created { OpenMode::CreateNew } else { OpenMode::ReadWrite };
    let file = env.fs.open(path, mode)?;
    for copy in 0..2 {
        file.write_at(bytes.as_slice(), copy * COPY_LEN_U64)?;
        if copy == 1 || !plant!("log-checkpoint-copies-at-once") {
            file.sync()?;
        }
    }
    if created {
        env.fs.sync_dir(parent_of(path))?;
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
