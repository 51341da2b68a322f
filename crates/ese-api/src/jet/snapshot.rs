//! Snapshots of volumes: the instances hold back their writes while the storage copies what lies on
//! the disk (backup-log-recovery 4.12). What is legal when stands in [`ese_backup::snapshot`].

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ese_backup::snapshot::{Snapshot, SnapshotOptions, Stage};
use ese_base::{Error, JetErr, Result};
use parking_lot::Mutex;

use super::{
    JET_GRBIT, JET_INSTANCE_INFO,
    gate::{Purpose, enter, find_instance},
    handles::JET_INSTANCE,
    instance::info_of,
    invalid_grbit,
    params::JET_paramOSSnapshotTimeout,
    process::{Inst, PROCESS},
};

/// Of [`JetOSSnapshotPrepare`]: only logs are copied.
pub const JET_bitIncrementalSnapshot: JET_GRBIT = 0x1;
/// The chain of backups leaves the snapshot out; it truncates no logs.
pub const JET_bitCopySnapshot: JET_GRBIT = 0x2;
/// The snapshot goes on after [`JetOSSnapshotThaw`], until [`JetOSSnapshotEnd`].
pub const JET_bitContinueAfterThaw: JET_GRBIT = 0x4;
/// No instance is in it but those of [`JetOSSnapshotPrepareInstance`].
pub const JET_bitExplicitPrepare: JET_GRBIT = 0x8;
/// Of [`JetOSSnapshotTruncateLog`]: the copy holds every database.
pub const JET_bitAllDatabasesSnapshot: JET_GRBIT = 0x1;
/// Of [`JetOSSnapshotEnd`]: the copy is of no use.
pub const JET_bitAbortSnapshot: JET_GRBIT = 0x1;

/// A snapshot that was prepared and has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JET_OSSNAPID(pub u64);

type Shared = Arc<Mutex<Snapshot>>;

static LAST: AtomicU64 = AtomicU64::new(0);
/// Those that have not ended. Locked for look-ups alone.
static SNAPSHOTS: Mutex<BTreeMap<JET_OSSNAPID, Shared>> = Mutex::new(BTreeMap::new());

fn find(id: JET_OSSNAPID) -> Result<Shared> {
    SNAPSHOTS.lock().get(&id).cloned().ok_or_else(|| {
        Error::new(JetErr::OSSnapshotInvalidSnapId, format!("{id:?} is no snapshot"))
    })
}

fn no_flags(function: &str, grbit: JET_GRBIT, known: JET_GRBIT) -> Result<()> {
    if grbit & !known == 0 { Ok(()) } else { Err(invalid_grbit(function, grbit)) }
}

/// What becomes of a call that may end the snapshot.
fn end_with(id: JET_OSSNAPID, call: impl FnOnce(&mut Snapshot) -> Result<()>) -> Result<()> {
    let snapshot = find(id)?;
    let (answer, stage) = {
        let mut snapshot = snapshot.lock();
        (call(&mut snapshot), snapshot.stage())
    };
    // The list is locked before a snapshot, never after.
    if stage == Stage::Ended {
        SNAPSHOTS.lock().remove(&id);
    }
    answer
}

fn running() -> Vec<Arc<Inst>> {
    PROCESS.lock().instances().cloned().collect()
}

/// Prepares a snapshot: of all running instances that are in no other one, or of none yet with
/// [`JET_bitExplicitPrepare`].
///
/// # Errors
/// `JET_errInvalidGrbit` (-900), `JET_errNotInitialized` (-1029) without a running instance.
pub fn JetOSSnapshotPrepare(grbit: JET_GRBIT) -> Result<JET_OSSNAPID> {
    let known = JET_bitIncrementalSnapshot
        | JET_bitCopySnapshot
        | JET_bitContinueAfterThaw
        | JET_bitExplicitPrepare;
    no_flags("JetOSSnapshotPrepare", grbit, known)?;
    let running: Vec<_> =
        running().into_iter().filter_map(|inst| Some((inst.handle, inst.shared()?))).collect();
    if running.is_empty() {
        return Err(Error::new(JetErr::NotInitialized, "no instance is running"));
    }
    let mut snapshot = Snapshot::prepare(SnapshotOptions {
        incremental: grbit & JET_bitIncrementalSnapshot != 0,
        copy: grbit & JET_bitCopySnapshot != 0,
        continue_after_thaw: grbit & JET_bitContinueAfterThaw != 0,
    });
    let mut all = SNAPSHOTS.lock();
    if grbit & JET_bitExplicitPrepare == 0 {
        for (handle, shared) in running.iter().filter(|(handle, _)| !is_taken(&all, *handle)) {
            // One with a backup in progress is in it; that is for the freeze to say.
            snapshot.add_unchecked(handle.0, &shared.backup);
        }
    }
    let id = JET_OSSNAPID(LAST.fetch_add(1, Ordering::SeqCst) + 1);
    all.insert(id, Arc::new(Mutex::new(snapshot)));
    Ok(id)
}

/// Is the instance in a snapshot? Waits for one that is being frozen at this moment.
fn is_taken(all: &BTreeMap<JET_OSSNAPID, Shared>, handle: JET_INSTANCE) -> bool {
    all.values().any(|other| other.lock().tags().contains(&handle.0))
}

/// Adds an instance to a snapshot.
///
/// # Errors
/// `JET_errInvalidParameter` (-1003) for anything that is not an instance, the gate's,
/// `JET_errInvalidGrbit` (-900), `JET_errOSSnapshotInvalidSnapId` (-2404),
/// `JET_errOSSnapshotInvalidSequence` (-2401) after the freeze, `JET_errOSSnapshotNotAllowed`
/// (-2403) for an instance that is in a snapshot or a backup.
pub fn JetOSSnapshotPrepareInstance(
    snapId: JET_OSSNAPID,
    instance: JET_INSTANCE,
    grbit: JET_GRBIT,
) -> Result<()> {
    let inst = find_instance(instance)?;
    let shared = enter(&inst, Purpose::Work)?;
    no_flags("JetOSSnapshotPrepareInstance", grbit, 0)?;
    let snapshot = find(snapId)?;
    snapshot.lock().check_open()?;
    if is_taken(&SNAPSHOTS.lock(), inst.handle) {
        let what = "the instance is in a snapshot";
        return Err(Error::new(JetErr::OSSnapshotNotAllowed, what));
    }
    snapshot.lock().add(inst.handle.0, &shared.backup)
}

fn frozen(tags: &[u64]) -> Vec<JET_INSTANCE_INFO> {
    running().iter().filter(|inst| tags.contains(&inst.handle.0)).map(info_of).collect()
}

/// Holds back whatever the instances of the snapshot write, until [`JetOSSnapshotThaw`], for
/// `JET_paramOSSnapshotTimeout` milliseconds at most. Reading goes on. What lies on the disk is
/// what recovery makes whole: every committed transaction is in it.
///
/// # Errors
/// `JET_errInvalidGrbit` (-900), `JET_errOSSnapshotInvalidSnapId` (-2404),
/// `JET_errOSSnapshotInvalidSequence` (-2401) out of turn, `JET_errOSSnapshotNotAllowed` (-2403)
/// while an instance is in a backup, starts, ends, or has no log; `JET_errMissingFullBackup` (-560)
/// and `JET_errInvalidBackup` (-526) for incremental ones. All instances write on then, and the
/// snapshot can only be ended.
pub fn JetOSSnapshotFreeze(
    snapId: JET_OSSNAPID,
    grbit: JET_GRBIT,
) -> Result<Vec<JET_INSTANCE_INFO>> {
    no_flags("JetOSSnapshotFreeze", grbit, 0)?;
    let snapshot = find(snapId)?;
    let mut snapshot = snapshot.lock();
    let time = Duration::from_millis(PROCESS.lock().params.int(JET_paramOSSnapshotTimeout));
    snapshot.freeze(time)?;
    Ok(frozen(&snapshot.tags()))
}

/// Lets the instances write again. Without [`JET_bitContinueAfterThaw`] the snapshot has ended, and
/// the headers of the databases remember it.
///
/// # Errors
/// `JET_errInvalidGrbit` (-900), `JET_errOSSnapshotInvalidSnapId` (-2404),
/// `JET_errOSSnapshotInvalidSequence` (-2401) if it is not frozen, `JET_errOSSnapshotTimeOut`
/// (-2402) if the freeze had ended by itself: the copy is of no use.
pub fn JetOSSnapshotThaw(snapId: JET_OSSNAPID, grbit: JET_GRBIT) -> Result<()> {
    no_flags("JetOSSnapshotThaw", grbit, 0)?;
    end_with(snapId, Snapshot::thaw)
}

/// Deletes the logs that the snapshot makes superfluous, with [`JET_bitAllDatabasesSnapshot`];
/// without it nothing.
///
/// # Errors
/// `JET_errInvalidGrbit` (-900), `JET_errOSSnapshotInvalidSnapId` (-2404),
/// `JET_errOSSnapshotInvalidSequence` (-2401) before the thaw, after a freeze that took too long,
/// and of a [`JET_bitCopySnapshot`]; those of deleting.
pub fn JetOSSnapshotTruncateLog(snapId: JET_OSSNAPID, grbit: JET_GRBIT) -> Result<()> {
    truncate(snapId, None, grbit)
}

/// As [`JetOSSnapshotTruncateLog`] for one instance.
///
/// # Errors
/// As there; `JET_errInvalidParameter` (-1003) for anything that is not an instance, the gate's.
pub fn JetOSSnapshotTruncateLogInstance(
    snapId: JET_OSSNAPID,
    instance: JET_INSTANCE,
    grbit: JET_GRBIT,
) -> Result<()> {
    let inst = find_instance(instance)?;
    enter(&inst, Purpose::Work)?;
    truncate(snapId, Some(inst.handle), grbit)
}

fn truncate(id: JET_OSSNAPID, instance: Option<JET_INSTANCE>, grbit: JET_GRBIT) -> Result<()> {
    no_flags("JetOSSnapshotTruncateLog", grbit, JET_bitAllDatabasesSnapshot)?;
    let snapshot = find(id)?;
    let all = grbit & JET_bitAllDatabasesSnapshot != 0;
    snapshot.lock().truncate(instance.map(|instance| instance.0), all)
}

/// The instances of a snapshot, as [`JetOSSnapshotFreeze`] told them.
///
/// # Errors
/// `JET_errInvalidGrbit` (-900), `JET_errOSSnapshotInvalidSnapId` (-2404),
/// `JET_errOSSnapshotInvalidSequence` (-2401) after a freeze that was refused.
pub fn JetOSSnapshotGetFreezeInfo(
    snapId: JET_OSSNAPID,
    grbit: JET_GRBIT,
) -> Result<Vec<JET_INSTANCE_INFO>> {
    no_flags("JetOSSnapshotGetFreezeInfo", grbit, 0)?;
    let snapshot = find(snapId)?;
    let tags = snapshot.lock().info()?;
    Ok(frozen(&tags))
}

/// Ends a snapshot that goes on after the thaw, or that was only prepared. After the thaw the
/// headers of the databases remember it, unless [`JET_bitAbortSnapshot`] is given.
///
/// # Errors
/// `JET_errInvalidGrbit` (-900), `JET_errOSSnapshotInvalidSnapId` (-2404),
/// `JET_errOSSnapshotInvalidSequence` (-2401) while it is frozen or after a freeze that took too
/// long, without [`JET_bitAbortSnapshot`].
pub fn JetOSSnapshotEnd(snapId: JET_OSSNAPID, grbit: JET_GRBIT) -> Result<()> {
    no_flags("JetOSSnapshotEnd", grbit, JET_bitAbortSnapshot)?;
    match grbit & JET_bitAbortSnapshot {
        0 => end_with(snapId, Snapshot::end),
        _ => end_with(snapId, Snapshot::abort),
    }
}

/// Ends a snapshot, whatever its state; a freeze ends, too. Nothing is remembered of it.
///
/// # Errors
/// `JET_errInvalidGrbit` (-900), `JET_errOSSnapshotInvalidSnapId` (-2404).
pub fn JetOSSnapshotAbort(snapId: JET_OSSNAPID, grbit: JET_GRBIT) -> Result<()> {
    no_flags("JetOSSnapshotAbort", grbit, 0)?;
    end_with(snapId, Snapshot::abort)
}
