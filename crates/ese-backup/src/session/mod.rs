//! The backup of an instance, call by call.
//!
//! [`BackupContext`] belongs to the instance, not to a thread or session: any thread may make any
//! call of the sequence *begin, attach list, {open, read, close} per database, log list, {open,
//! read, close} per log, truncate, end*, and any other thread may stop it at any moment.
//!
//! * [`table`] decides which call is legal in which state.
//! * `machine` holds the state and its flags between threads; `context` the rest; `begin_end`,
//!   `files`, `logs`, `surrogate` and `snapshot` are the calls.
//! * `read_database` and `read_log` deliver verified bytes, in `pieces`.
//! * what a finished backup leaves in a header is `ese_pages::header::remember_backup`.
//! * [`stop`] is the flag, and the only wait.

mod begin_end;
mod builtin;
mod context;
mod files;
mod logs;
mod machine;
mod pieces;
mod read_database;
mod read_log;
mod snapshot;
pub mod stop;
mod surrogate;
pub mod table;
#[cfg(test)]
mod tests;

pub use begin_end::{
    BEGIN_INCREMENTAL, BEGIN_INTERNAL_COPY, BEGIN_SURROGATE, END_ABORT, END_NO_HEADER_UPDATE,
    END_NORMAL, END_TRUNCATE_DONE,
};
pub(crate) use context::ResumePoint;
pub use context::{BackupContext, FileHandle, LogInfo, OpenedFile};
pub(crate) use machine::Who;
pub(crate) use read_log::{is_shadow, verify_segment};
pub use snapshot::Freeze;
pub use stop::PauseBy;
pub use table::State;
