//! The built-in backup into a folder (backup-log-recovery 6.1).
//!
//! The set is the one that [`crate::restore`] restores, with its manifest.

use std::{cell::Cell, path::Path};

use ese_backup::{
    builtin::{FolderOptions, backup_to_folder},
    stream::Progress,
};
use ese_base::{Error, JetErr, Result};

use super::{
    JET_GRBIT, JET_PFNSTATUS, JET_bitBackupIncremental,
    gate::{Purpose, enter, find_instance, find_single},
    handles::JET_INSTANCE,
    invalid_grbit,
    params::JET_paramCreatePathIfNotExist,
    process::{Inst, Life},
    progress::{JET_snpBackup, Teller},
};

/// The last complete set is there at every moment: it becomes `old` when the new one in `temp`
/// becomes `new`.
pub const JET_bitBackupAtomic: JET_GRBIT = 0x4;

/// Makes a backup of the instance in a folder and truncates its logs. Without
/// [`JET_bitBackupAtomic`] the folder of a full one must be empty; with
/// [`JET_bitBackupIncremental`] the logs since the last backup are added to the set in the folder.
/// Without a path nothing is copied: the logs below the checkpoint are deleted.
///
/// `pfnStatus` is told of the steps of a full backup; an error that it answers ends the backup.
///
/// # Errors
/// In the order of the checks: `JET_errInvalidParameter` (-1003) for anything that is not an
/// instance; the gate's; `JET_errBackupNotAllowedYet` (-523), `JET_errLoggingDisabled` (-516),
/// `JET_errLogWriteFail` (-510), `JET_errInvalidGrbit` (-900), `JET_errInvalidBackup` (-526) for an
/// incremental one with circular logging, `JET_errLogDiskFull` (-529), `JET_errLogSequenceEnd`
/// (-519), `JET_errBackupInProgress` (-505), `JET_errSurrogateBackupInProgress` (-617);
/// `JET_errInvalidPath` (-1023), `JET_errDeleteBackupFileFail` (-524),
/// `JET_errBackupDirectoryNotEmpty` (-504), `JET_errNoBackupDirectory` (-503),
/// `JET_errMakeBackupDirectoryFail` (-525), `JET_errMissingFullBackup` (-560),
/// `JET_errInvalidLogSequence` (-515); `JET_errBackupAbortByServer` (-801) after a stop,
/// `JET_errTermInProgress` (-1000) when the instance is terminated meanwhile; those of reading and
/// writing. The files of the call are gone then, and an earlier set is as it was. Only an error of
/// truncating leaves the new set, complete and in its place.
pub fn JetBackupInstance(
    instance: JET_INSTANCE,
    szBackupPath: &Path,
    grbit: JET_GRBIT,
    pfnStatus: Option<JET_PFNSTATUS<'_>>,
) -> Result<()> {
    back_up(&*find_instance(instance)?, szBackupPath, grbit, pfnStatus)
}

/// As [`JetBackupInstance`] for the only instance.
///
/// # Errors
/// As there; `JET_errRunningInMultiInstanceMode` (-1081).
pub fn JetBackup(
    szBackupPath: &Path,
    grbit: JET_GRBIT,
    pfnStatus: Option<JET_PFNSTATUS<'_>>,
) -> Result<()> {
    back_up(&*find_single()?, szBackupPath, grbit, pfnStatus)
}

fn back_up(
    inst: &Inst,
    path: &Path,
    grbit: JET_GRBIT,
    status: Option<JET_PFNSTATUS<'_>>,
) -> Result<()> {
    let shared = enter(inst, Purpose::Work)?;
    let incremental = grbit & JET_bitBackupIncremental != 0;
    if grbit & !(JET_bitBackupIncremental | JET_bitBackupAtomic) != 0 {
        return Err(invalid_grbit("JetBackupInstance", grbit));
    }
    if path.as_os_str().is_empty() {
        let deleted = shared.backup.truncate_below_checkpoint(incremental);
        return deleted.map(|_| ()).map_err(|error| of_ending(inst, error));
    }
    let options = FolderOptions {
        incremental,
        atomic: grbit & JET_bitBackupAtomic != 0,
        create_dir: inst.params.lock().int(JET_paramCreatePathIfNotExist) != 0,
    };
    let mut teller = Teller::new(JET_snpBackup, status.filter(|_| !incremental));
    let stop = teller.stop.clone();
    let begun = Cell::new(false);
    let mut progress = |now: &Progress| {
        if !begun.replace(true) {
            teller.begin();
        }
        teller.progress(now.bytes_done, now.bytes_total, 99);
    };
    let env = &shared.engine.env;
    let done = backup_to_folder(&shared.backup, env, path, options, &mut progress, &stop);
    teller.end(done.map_err(|error| of_ending(inst, error)))
}

/// A termination stops the backup; its caller hears why.
fn of_ending(inst: &Inst, error: Error) -> Error {
    let ends = error.code() == JetErr::BackupAbortByServer
        && matches!(&*inst.life.read(), Life::Ending(_) | Life::Created);
    match ends {
        false => error,
        true => {
            Error::new(JetErr::TermInProgress, "the instance is being terminated").caused_by(error)
        }
    }
}
