//! The write-ahead rule, seen from the pages: who can say that the log is durable up to a position.
//!
//! The pages do not know the log; they only know that a page must not be written before the record
//! of its last change is durable (backup-log-recovery 1.6, rule 1). The log implements this trait.

use std::fmt::Debug;

use ese_base::{LgPos, Result};

/// Makes the log durable up to a position.
pub trait LogFence: Send + Sync {
    /// Returns once every record that ends at or before `end` is durable. [`LgPos::MIN`] asks for
    /// nothing. Called without any page latch, but inside a flush: it must not flush this cache.
    ///
    /// # Errors
    /// Whatever made the log fail. The pages that asked stay dirty and unwritten.
    fn ensure_durable(&self, end: LgPos) -> Result<()>;
}

/// The fence of a database whose changes are not logged: nothing has to be durable first.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLog;

impl LogFence for NoLog {
    fn ensure_durable(&self, _end: LgPos) -> Result<()> {
        Ok(())
    }
}
