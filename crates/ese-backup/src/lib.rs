//! A restorable copy of an instance while others write, and its restoration.
//!
//! ```text
//! begin -> databases: header, verified pages, trailer -> roll the log -> logs -> truncate -> end
//! ```
//!
//! * [`session`]: the streaming backup call by call, and the stop (backup-log-recovery 4, 5).
//! * [`source`]: what the backup needs of an instance. The engine does not know backups; the
//!   interface layer implements [`BackupSource`] for it.
//! * [`stream`]: the same as [`std::io::Read`], and the copy into a directory.
//! * [`sets`]: a directory of sets: chains of incremental ones, and which may go.
//! * [`ship`]: the log of a running instance, copied to another place as it grows.
//! * [`snapshot`]: copies that the storage makes while writes are held back (4.12).
//! * [`restore`]: from a backup set to files that recovery can make whole (6.2, 6.4).
//! * [`truncate`]: which logs are copied and which may go.
//!
//! Why the copy is consistent although everybody goes on writing: its pages are from different
//! moments, but the log set begins at the checkpoint that was on disk before the first page was
//! read and ends behind the last page read, so redo brings every page to the same moment.
//!
//! Invariants: a stop never waits; no log is deleted before every log of the set was read to its
//! end; nothing that was stopped leaves a mark in a header; a set is complete only with its
//! manifest.

#![forbid(unsafe_code)]

pub mod builtin;
mod files;
mod log_source;
pub mod restore;
pub mod session;
pub mod sets;
pub mod ship;
pub mod snapshot;
pub mod source;
pub mod stream;
mod sync;
#[cfg(test)]
pub(crate) mod testing;
pub mod truncate;

pub use ese_pages::aligned::{AlignedBuffer, BLOCK_LEN};
pub use files::is_name_for_sets;
pub use log_source::LogSource;
pub use session::{BackupContext, FileHandle, LogInfo, OpenedFile, PauseBy, State};
pub use source::{AttachedDatabase, BackupSource};
