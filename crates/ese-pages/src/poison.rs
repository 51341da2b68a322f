//! The memory of the first failed write or sync.
//!
//! After a failed sync the operating system may have dropped the data and forgotten the failure, so
//! nothing that was not durable before can become durable later. From then on every attempt to
//! write is refused, with the first cause.

use std::sync::OnceLock;

use ese_base::{Error, JetErr, Result};

/// Set once, by the first failure.
#[derive(Debug, Default)]
pub struct Poison {
    first: OnceLock<String>,
}

impl Poison {
    /// Nothing has failed yet.
    #[must_use]
    pub fn new() -> Poison {
        Poison::default()
    }

    /// Remembers a failure, unless one came before; gives the error back.
    #[must_use]
    pub fn remember(&self, error: Error) -> Error {
        self.first.get_or_init(|| {
            tracing::error!(%error, "a write failed; the file takes no more changes");
            error.to_string()
        });
        error
    }

    /// Is it set?
    #[inline]
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.first.get().is_some()
    }

    /// The first failure, in words.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.first.get().map(String::as_str)
    }

    /// Refuses if a failure came before.
    ///
    /// # Errors
    /// `JET_errInstanceUnavailable` (-1090) with the first cause.
    #[inline]
    pub fn check(&self) -> Result<()> {
        match self.first.get() {
            None => Ok(()),
            Some(cause) => Err(refusal(cause)),
        }
    }
}

#[cold]
fn refusal(cause: &str) -> Error {
    Error::new(
        JetErr::InstanceUnavailable,
        format!("nothing is written after an earlier failure: {cause}"),
    )
    .advise("close the instance, put the device right and start again: recovery keeps every acknowledged commit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_failure_is_remembered() {
        let poison = Poison::new();
        assert!(poison.check().is_ok() && !poison.is_set());
        let first = poison.remember(Error::new(JetErr::DiskIO, "first"));
        assert_eq!(first.code(), JetErr::DiskIO);
        let second = poison.remember(Error::new(JetErr::DiskFull, "second"));
        assert_eq!(second.code(), JetErr::DiskFull);
        let refused = poison.check().unwrap_err();
        assert_eq!(refused.code(), JetErr::InstanceUnavailable);
        assert!(refused.to_string().contains("first") && !refused.to_string().contains("second"));
    }
}
