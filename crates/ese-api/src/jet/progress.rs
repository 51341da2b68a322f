//! How long calls tell what they are doing: JET_PFNSTATUS and what it is told.

use ese_base::{Error, Result, StopReason, StopToken};

use super::{
    JET_SNP, JET_SNPROG, JET_SNT, JET_sntBegin, JET_sntComplete, JET_sntFail, JET_sntProgress,
};

/// A database is compacted.
pub const JET_snpCompact: JET_SNP = 4;
/// A backup is made.
pub const JET_snpBackup: JET_SNP = 9;

/// Is told how far a call has come. An error ends the call, which answers with it.
pub type JET_PFNSTATUS<'a> = &'a mut dyn FnMut(JET_SNP, JET_SNT, &JET_SNPROG) -> Result<()>;

/// Tells a status function what it may be told: each step once, and never less than before.
pub(super) struct Teller<'a> {
    snp: JET_SNP,
    status: Option<JET_PFNSTATUS<'a>>,
    last: u32,
    /// What the function answered when it wanted the call to end.
    failure: Option<Error>,
    /// Stopped then.
    pub(super) stop: StopToken,
}

impl<'a> Teller<'a> {
    pub(super) fn new(snp: JET_SNP, status: Option<JET_PFNSTATUS<'a>>) -> Teller<'a> {
        Teller { snp, status, last: 0, failure: None, stop: StopToken::new() }
    }

    fn tell(&mut self, snt: JET_SNT, done: u32) {
        let Some(status) = self.status.as_mut().filter(|_| self.failure.is_none()) else { return };
        if let Err(error) = status(self.snp, snt, &of_100(done)) {
            self.failure = Some(error);
            self.stop.stop(StopReason::Requested);
        }
    }

    pub(super) fn begin(&mut self) {
        self.tell(JET_sntBegin, 0);
    }

    /// So much is done, of the first `share` of a hundred.
    pub(super) fn progress(&mut self, done: u64, total: u64, share: u32) {
        let part = done.saturating_mul(u64::from(share)) / total.max(1);
        let part = u32::try_from(part).unwrap_or(share).min(share);
        if part > self.last {
            self.last = part;
            self.tell(JET_sntProgress, part);
        }
    }

    /// The call has come to its end.
    ///
    /// # Errors
    /// The call's, or the function's own if that ended the call.
    pub(super) fn end<T>(mut self, done: Result<T>) -> Result<T> {
        match (done, self.failure.take()) {
            (Ok(value), None) => {
                self.tell(JET_sntComplete, 100);
                // The work is done: nothing is taken back any more.
                Ok(value)
            }
            (Ok(value), Some(_)) => Ok(value),
            (Err(_), Some(failure)) => Err(failure),
            (Err(error), None) => {
                if self.snp != JET_snpBackup {
                    self.tell(JET_sntFail, self.last);
                }
                Err(error)
            }
        }
    }
}

/// So many of a hundred.
fn of_100(done: u32) -> JET_SNPROG {
    JET_SNPROG { cunitDone: done.min(100), cunitTotal: 100 }
}
