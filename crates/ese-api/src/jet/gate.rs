//! The first checks of every call: find what is meant, then refuse what cannot be now
//! (api-semantics 1, backup-log-recovery 5.5).

use std::sync::Arc;

use ese_base::{Error, JetErr, Result};

use super::{
    handles::JET_INSTANCE,
    process::{Inst, Life, Mode, PROCESS},
    stop::ALL_SERVICES,
};
use crate::shared::Shared;

/// The instance of a backup or stop call.
///
/// # Errors
/// `JET_errInvalidParameter` (-1003) for anything that is not an instance.
pub(super) fn find_instance(handle: JET_INSTANCE) -> Result<Arc<Inst>> {
    PROCESS
        .lock()
        .instance(handle)
        .map_err(|error| Error::new(JetErr::InvalidParameter, error.message().to_owned()))
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
/// (-1090), `JET_errTermInProgress` (-1000), `JET_errNotInitialized` (-1029).
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
        Life::Created | Life::Starting => {
            Err(Error::new(JetErr::NotInitialized, "the instance was not initialised"))
        }
    }
}
