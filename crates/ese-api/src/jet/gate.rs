//! The first checks of every call: find what is meant, then refuse what cannot be now
//! (api-semantics 1, backup-log-recovery 5.5).

use std::sync::Arc;

use ese_base::{Error, JetErr, Result};

use super::{
    handles::{JET_INSTANCE, JET_SESID},
    process::{Inst, Life, Mode, PROCESS},
    session::find_session,
    stop::ALL_SERVICES,
};
use crate::shared::Shared;

/// The instance of a backup or stop call.
///
/// # Errors
/// `JET_errInvalidParameter` (-1003) for anything that is not an instance.
pub(super) fn find_instance(handle: JET_INSTANCE) -> Result<Arc<Inst>> {
    PROCESS.lock().instance(handle).map_err(|error| error.with_code(JetErr::InvalidParameter))
}

/// The instance of a call without a handle.
///
/// # Errors
/// `JET_errInvalidParameter` (-1003) if there is none, `JET_errRunningInMultiInstanceMode` (-1081).
pub(super) fn find_single() -> Result<Arc<Inst>> {
    let process = PROCESS.lock();
    match process.mode {
        Mode::Multi => Err(Error::new(
            JetErr::RunningInMultiInstanceMode,
            "several instances can exist: name the one that is meant",
        )),
        Mode::None | Mode::One => process.single().ok_or_else(|| {
            Error::new(JetErr::InvalidParameter, "no instance exists in this process")
        }),
    }
}

/// Stops the instance of a call in which the engine panicked: every later call of it is refused
/// (`JET_errInstanceUnavailable`, -1090). Where neither handle says which one that is, all are
/// stopped. For whoever lets no panic through; not a Jet function.
pub fn stop_after_panic(instance: JET_INSTANCE, sesid: JET_SESID) {
    let named = match find_session(sesid) {
        Ok(session) => Some(Arc::clone(&session.inst)),
        Err(_) => PROCESS.lock().instance(instance).ok(),
    };
    let hit = match named {
        Some(inst) => vec![inst],
        // It is gone: it broke while it started or ended.
        None if instance != JET_INSTANCE::NIL => Vec::new(),
        None => PROCESS.lock().instances().cloned().collect(),
    };
    let cause = Error::new(JetErr::InternalError, "the engine panicked");
    for shared in hit.iter().filter_map(|inst| inst.shared()) {
        shared.engine.poison(&cause);
    }
}

/// Calls that end something pass although the service was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Work,
    CleanUp,
}

/// Lets a call in, or says why not.
///
/// # Errors
/// In this order: `JET_errClientRequestToStopJetService` (-1329), `JET_errInstanceUnavailable`
/// (-1090), `JET_errTermInProgress` (-1000), `JET_errRestoreInProgress` (-506),
/// `JET_errNotInitialized` (-1029).
pub(super) fn enter(inst: &Inst, purpose: Purpose) -> Result<Arc<Shared>> {
    if purpose == Purpose::Work && inst.stopped_services() & ALL_SERVICES != 0 {
        return Err(Error::new(
            JetErr::ClientRequestToStopJetService,
            "the service of the instance was stopped",
        )
        .advise("terminate the instance"));
    }
    let life = inst.life.read().clone();
    match life {
        Life::Running(shared) => {
            shared.engine.check_alive()?;
            Ok(shared)
        }
        Life::Ending(shared) => {
            shared.engine.check_alive()?;
            Err(Error::new(JetErr::TermInProgress, "the instance is being terminated"))
        }
        Life::Restoring => Err(restoring()),
        Life::Created | Life::Starting => {
            Err(Error::new(JetErr::NotInitialized, "the instance was not initialised"))
        }
    }
}

/// The answer while a restore has the instance.
#[track_caller]
pub(super) fn restoring() -> Error {
    Error::new(JetErr::RestoreInProgress, "a restore is running with this instance")
        .advise("wait for its end")
}
