//! From a backup set to files that recovery can make whole (backup-log-recovery 6.2 to 6.4).
//!
//! ```text
//! examine (nothing written) -> place (files, under a mark) -> replay (the engine) -> finish
//! ```
//!
//! The replay itself is the engine's: redo over exactly the generations of the set, then undo.
//! [`restore`] takes it as a closure.
//!
//! A crash leaves one of three: nothing but files named `*.restoring`; or files with the mark
//! [`UNFINISHED_NAME`] beside them, which a new restore into the same directory replaces without
//! being forced; or everything done. A placed copy keeps its "backup copy" header until recovery has
//! made it clean, so that no engine mistakes it for an ordinary dirty database.

mod external;
mod forward;
mod part;
mod place;
mod plan;
mod scan;
mod target;
#[cfg(test)]
mod tests;
mod until;
mod verify;

use std::path::Path;

use ese_base::{Error, JetErr, Result};
use ese_os::Env;

use self::part::{Part, Want};
use crate::stream::Manifest;

pub use external::{ExternalDatabases, place_external};
pub use place::{Placed, PlacedDatabase, RestoreOptions, TEMPORARY, UNFINISHED_NAME, place};
pub use plan::{LogCopy, PlannedDatabase, PlannedLog, RestorePlan, RestoreSource};
pub(crate) use scan::read_log_header;
pub use target::{RestoreTarget, is_of_instance};
pub use until::{PlannedEnd, RestoreUntil};
pub use verify::{SetReport, verify_set};

/// How far a restore or a verification has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestoreProgress {
    /// Bytes read and verified so far.
    pub bytes_done: u64,
    /// Bytes of the set.
    pub bytes_total: u64,
    /// Of a hundred parts of the log, those that are replayed. `None`: files are read.
    pub replayed: Option<u32>,
}

/// The logs of a set, checked among themselves, and its manifest.
///
/// # Errors
/// As [`RestorePlan::examine`], as far as they are about logs.
pub(crate) fn logs_of_set(env: &Env, dir: &Path) -> Result<(Vec<PlannedLog>, Option<Manifest>)> {
    let mut part = Part::read(env, dir, Want::Logs, None)?;
    part.check_manifest()?;
    part.refuse_lost()?;
    let logs = plan::choose_logs(part.logs, None)?;
    if let Some(first) = logs.first() {
        plan::check_chain(&logs, first.signature)?;
    }
    Ok((logs, part.manifest))
}

/// The logs of a set that need not hold databases, as a plan to be verified: an incremental set
/// cannot be restored by itself.
///
/// # Errors
/// As [`RestorePlan::examine`], as far as they are about logs; `JET_errMissingRestoreLogFiles`
/// (-557) if there is none.
pub fn examine_logs(env: &Env, dir: &Path) -> Result<RestorePlan> {
    let (logs, manifest) = logs_of_set(env, dir)?;
    let Some(signature) = logs.first().map(|log| log.signature) else {
        return Err(Error::new(JetErr::MissingRestoreLogFiles, "the set holds no log")
            .at_path(dir)
            .advise("bring its logs back, or make another backup"));
    };
    let mut plan = RestorePlan::of(dir.to_path_buf(), Vec::new(), logs, signature)?;
    plan.manifest = manifest;
    Ok(plan)
}

/// Places the files of a set and has them replayed.
///
/// # Errors
/// As [`place`] and `replay`. The target then stays marked as unfinished, and a new restore may
/// replace what is there.
pub fn restore(
    env: &Env,
    plan: &RestorePlan,
    target: &RestoreTarget,
    options: &mut RestoreOptions<'_>,
    replay: impl FnOnce(&Placed, &mut RestoreOptions<'_>) -> Result<()>,
) -> Result<Placed> {
    let placed = place(env, plan, target, options)?;
    replay(&placed, options)?;
    placed.finish(env)?;
    Ok(placed)
}
