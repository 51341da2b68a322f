//! A request to end, seen by everybody who holds the token.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use crate::{Error, JetErr};

/// Why to stop. A later reason can only be a stronger one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum StopReason {
    /// The user asked (Ctrl-C, a cancelled call).
    Requested = 1,
    /// The application stops the service (`JetStopService`).
    StopService = 2,
    /// The instance terminates.
    Term = 3,
}

/// One atomic flag. Asking to stop never waits, and asking twice is asking once.
#[derive(Clone, Debug, Default)]
pub struct StopToken(Arc<AtomicU8>);

impl StopToken {
    /// A token that nobody has stopped.
    #[must_use]
    pub fn new() -> StopToken {
        StopToken::default()
    }

    /// Asks everybody who holds the token to stop.
    pub fn stop(&self, reason: StopReason) {
        self.0.fetch_max(reason as u8, Ordering::AcqRel);
    }

    /// The strongest reason given so far.
    #[must_use]
    pub fn reason(&self) -> Option<StopReason> {
        match self.0.load(Ordering::Acquire) {
            0 => None,
            1 => Some(StopReason::Requested),
            2 => Some(StopReason::StopService),
            _ => Some(StopReason::Term),
        }
    }

    /// An error if somebody asked to stop; to be called between units of work.
    ///
    /// # Errors
    /// `JET_errClientRequestToStopJetService` or `JET_errTermInProgress`.
    #[track_caller]
    pub fn check(&self) -> Result<(), Error> {
        match self.reason() {
            None => Ok(()),
            Some(StopReason::Requested | StopReason::StopService) => {
                Err(Error::code_only(JetErr::ClientRequestToStopJetService))
            }
            Some(StopReason::Term) => Err(Error::code_only(JetErr::TermInProgress)),
        }
    }
}
