//! Page operations: what a log record does to the pages it names.
//!
//! At run time a change is encoded as a record, appended to the log and applied; at redo the same
//! record is decoded and applied. Both call the functions of this module, which see nothing but
//! the record and page images: so a page's bytes are a function of the records since it was
//! created, and replaying a history gives the same bytes again.
//!
//! * [`apply`] applies a record of one node to its page.
//! * [`split`] applies the levels of a split group.
//! * [`merge`] applies a merge group, and empties trees.
//! * [`moves`] gives pages another number; [`scrub`] overwrites what nobody needs.
//! * [`fdp`] creates the pages of a tree that owns space.
//!
//! None of them looks at or stamps a dbtime: the caller decides whether a page still needs the
//! record, and stamps it.

pub mod fdp;
pub mod group;
pub mod merge;
pub mod moves;
mod node;
pub mod scrub;
pub mod split;

#[cfg(test)]
mod tests;

use ese_base::{Error, JetErr, LgPos, Pgno, Result};
use ese_log::Record;
use ese_pages::NodeFlags;

use crate::database::Database;

pub use node::{Undone, apply};

/// Node flags that an operation leaves: [`NodeFlags::VERSIONED`] if the version store knows it.
pub(crate) fn node_flags(versioned: bool) -> NodeFlags {
    if versioned { NodeFlags::VERSIONED } else { NodeFlags::empty() }
}

/// The error of a record that does not describe a change of the page it is applied to.
#[cold]
#[track_caller]
pub(crate) fn impossible(pgno: Pgno, what: impl Into<String>) -> Error {
    Error::new(JetErr::InvalidLoggedOperation, what.into()).at_page(pgno)
}

impl Database {
    /// Appends a record and says where it starts and ends; without a log both are
    /// [`LgPos::MIN`], which asks for nothing.
    #[inline]
    pub(crate) fn append(&self, record: &Record<'_>) -> Result<(LgPos, LgPos)> {
        match self.log() {
            Some(log) => log.append(record).map(|at| (at.start, at.end)),
            None => Ok((LgPos::MIN, LgPos::MIN)),
        }
    }

    /// The log has a record that its page did not take: an invariant of the engine is broken, and
    /// nothing of this database may be written any more. Recovery will apply what the log says.
    #[cold]
    pub(crate) fn broken(&self, error: Error) -> Error {
        let error = Error::new(JetErr::InternalError, "a logged change could not be applied")
            .at_path(self.file.path())
            .caused_by(error);
        self.file.poison().remember(error)
    }
}
