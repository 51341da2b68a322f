//! The calls that stop backups and services (backup-log-recovery 5). None of them waits: they look
//! the instance up and set a flag.

use std::sync::atomic::Ordering;

use ese_base::{Error, JetErr, Result};

use super::{
    JET_GRBIT,
    gate::{find_instance, find_single},
    handles::JET_INSTANCE,
    invalid_grbit,
    process::Inst,
};

/// All services: every later call is refused.
pub const JET_bitStopServiceAll: JET_GRBIT = 0;
/// Background tasks.
pub const JET_bitStopServiceBackgroundUserTasks: JET_GRBIT = 0x2;
/// Caches are written.
pub const JET_bitStopServiceQuiesceCaches: JET_GRBIT = 0x4;
/// The log ends.
pub const JET_bitStopServiceStopAndEmitLog: JET_GRBIT = 0x8;
/// Takes stops back.
pub const JET_bitStopServiceResume: JET_GRBIT = 0x8000_0000;

/// How "all" is remembered: a bit that no caller can give.
pub(super) const ALL_SERVICES: u32 = 0x1;

const SINGLE_SERVICES: u32 = JET_bitStopServiceBackgroundUserTasks
    | JET_bitStopServiceQuiesceCaches
    | JET_bitStopServiceStopAndEmitLog;

/// Keeps the streaming backup of the only instance from going on.
///
/// # Errors
/// `JET_errRunningInMultiInstanceMode` (-1081); `JET_errInvalidParameter` (-1003) without an
/// instance. Nothing has changed then.
pub fn JetStopBackup() -> Result<()> {
    stop_backup(&*find_single()?);
    Ok(())
}

/// Keeps the streaming backup of one instance from going on: every call that makes it progress
/// fails with `JET_errBackupAbortByServer` (-801) until the backup has been ended. Calls that end
/// the backup are still allowed. Can be called at any moment, from any thread, and waits for
/// nothing.
///
/// # Errors
/// `JET_errInvalidParameter` (-1003) for anything that is not an instance. Nothing has changed
/// then.
pub fn JetStopBackupInstance(instance: JET_INSTANCE) -> Result<()> {
    stop_backup(&*find_instance(instance)?);
    Ok(())
}

fn stop_backup(inst: &Inst) {
    // Before JetInit there is nothing to stop, and nothing of it would last.
    if let Some(shared) = inst.shared() {
        shared.backup.stop();
    }
}

/// Makes every later call of the only instance fail, except those that end something.
///
/// # Errors
/// As [`JetStopBackup`].
pub fn JetStopService() -> Result<()> {
    stop_service(&*find_single()?, JET_bitStopServiceAll)
}

/// Makes every later call of the instance fail with `JET_errClientRequestToStopJetService` (-1329),
/// except those that end something.
///
/// # Errors
/// As [`JetStopBackupInstance`].
pub fn JetStopServiceInstance(instance: JET_INSTANCE) -> Result<()> {
    stop_service(&*find_instance(instance)?, JET_bitStopServiceAll)
}

/// Stops services of the instance, or takes that back. Single services make no call fail: work
/// that runs in the background for users rests, changed pages are written at once. All at once is
/// [`JetStopServiceInstance`]. [`JET_bitStopServiceStopAndEmitLog`] makes the log durable, waiting
/// for that, and ends it: nothing can be changed any more (`JET_errLogWriteFail`, -510).
///
/// # Errors
/// As [`JetStopBackupInstance`]; `JET_errInvalidGrbit` (-900) for unknown flags and for
/// [`JET_bitStopServiceStopAndEmitLog`] with any other;
/// `JET_errClientRequestToStopJetService` (-1329) for taking back after all were stopped;
/// `JET_errLogWriteFail` (-510) if the log cannot be made durable. Source of the facts:
/// backup-log-recovery 5.7.
pub fn JetStopServiceInstance2(instance: JET_INSTANCE, grbit: JET_GRBIT) -> Result<()> {
    stop_service(&*find_instance(instance)?, grbit)
}

fn stop_service(inst: &Inst, grbit: JET_GRBIT) -> Result<()> {
    let bits = grbit & !JET_bitStopServiceResume;
    let resume = grbit & JET_bitStopServiceResume != 0;
    let emit = bits & JET_bitStopServiceStopAndEmitLog != 0;
    if bits & !SINGLE_SERVICES != 0 || (emit && grbit != JET_bitStopServiceStopAndEmitLog) {
        return Err(invalid_grbit("JetStopServiceInstance2", grbit));
    }
    if emit {
        let shared = inst.shared();
        let log = shared.as_ref().and_then(|shared| shared.engine.log.as_ref());
        return log.map_or(Ok(()), |log| log.close());
    }
    let _one = inst.stopping.lock();
    let change = |stopped: u32| -> Option<u32> {
        match (resume, bits) {
            (true, _) if stopped & ALL_SERVICES != 0 => None,
            (true, 0) => Some(0),
            (true, bits) => Some(stopped & !bits),
            (false, 0) => Some(stopped | ALL_SERVICES),
            (false, bits) => Some(stopped | bits),
        }
    };
    match inst.stopped.fetch_update(Ordering::SeqCst, Ordering::SeqCst, change) {
        Ok(_) => {
            inst.apply_services();
            Ok(())
        }
        Err(_) => Err(Error::new(
            JetErr::ClientRequestToStopJetService,
            "all services were stopped; that cannot be taken back",
        )),
    }
}

impl Inst {
    /// Tells the running instance which services rest.
    pub(super) fn apply_services(&self) {
        let stopped = self.stopped_services();
        let stopped = |service| stopped & (service | ALL_SERVICES) != 0;
        if let Some(shared) = self.shared() {
            shared.set_services(
                stopped(JET_bitStopServiceBackgroundUserTasks),
                stopped(JET_bitStopServiceQuiesceCaches),
            );
        }
    }
}
