//! The engine through the functions of the Jet API, under their own names.
//!
//! One Rust function per Jet function, with the same checks in the same order and the same codes;
//! what is an error there is an `Err` here, what is a warning is part of the answer. Arguments are
//! Rust's: slices instead of pointers and lengths, `Option` instead of NULL, vectors instead of
//! buffers that the caller has to guess the size of. Where the buffer rules themselves are
//! behaviour that clients rely on (the file lists of a backup), buffers are kept.
//!
//! * [`process`](self): instances and modes of the process. Handles are numbers that carry the
//!   generation of their slot, so an old one is recognised. They are looked up under a short lock
//!   and used without it: a running call blocks nobody's stop.
//! * A stop ([`JetStopBackupInstance`] and its relatives) takes no lock that any running call
//!   holds.
//!
//! * What the C interface says with lengths and pointers has no place here: sizes of structures,
//!   buffers that are absent or too short. A value comes whole, with its length.
//!
//! What this version does not cover answers `JET_errFeatureNotAvailable` (-1001) or names the bit
//! that it does not know.
#![allow(
    non_snake_case,
    non_camel_case_types,
    non_upper_case_globals,
    reason = "functions, types and constants have the names of the documented interface"
)]

mod alter;
mod backup;
mod bits;
mod callback;
mod computed;
mod context;
mod copy;
mod count;
mod cursor;
mod database;
mod define;
mod durable;
mod enumerate;
mod error_info;
mod escrow;
mod gate;
mod handles;
mod info;
mod instance;
mod lists;
mod log_info;
mod maintain;
mod multi;
mod param_list;
mod params;
mod place;
mod presets;
mod process;
mod progress;
mod record_size;
mod recovery;
mod restore;
mod retrieve;
mod session;
mod snapshot;
mod stop;
mod table;
mod temp;
mod unicode;
mod update;

pub use alter::*;
pub use backup::*;
pub use bits::*;
pub(crate) use callback::Attachments;
pub use callback::{
    JET_CALLBACK, JET_CALLBACKINFO, JET_CBTYP, JET_LS, JET_LSNil, JetGetLS, JetRegisterCallback,
    JetSetLS, JetUnregisterCallback,
};
pub use computed::{
    JET_DEFAULTCALLBACK, JET_DEFAULTINFO, JET_USERDEFINEDDEFAULT, provide_callback,
};
pub use context::*;
pub use copy::*;
pub use count::*;
pub use cursor::*;
pub use database::*;
pub use define::*;
pub use durable::{JET_DURABLECOMMIT, set_durable_commit_callback};
pub use enumerate::*;
pub use error_info::*;
pub use escrow::*;
pub use gate::stop_after_panic;
pub use handles::{JET_DBID, JET_HANDLE, JET_INSTANCE, JET_SESID, JET_TABLEID};
pub use info::*;
pub use instance::*;
pub use lists::*;
pub use log_info::{JET_LogInfoMisc, JET_LogInfoMisc2, JET_LogInfoMisc3, JetGetLogFileInfo};
pub use maintain::*;
pub use multi::{JET_SETSYSPARAM, JetEnableMultiInstance};
pub use params::*;
pub use place::*;
pub use presets::*;
pub use progress::{JET_PFNSTATUS, JET_snpBackup, JET_snpCompact};
pub use record_size::*;
pub use recovery::*;
pub use restore::*;
pub use retrieve::*;
pub use session::*;
pub use snapshot::*;
pub use stop::*;
pub use table::*;
pub use temp::*;
pub use unicode::{JET_UNICODEINDEX, JET_UNICODEINDEX2};
pub use update::*;

/// Flags of a call.
pub type JET_GRBIT = u32;
/// Id of a column.
pub type JET_COLUMNID = u32;

use ese_base::{Error, JetErr};

/// Flags of columns that only the engine itself sets. Callers who set them are refused; other
/// flags that have no meaning are ignored (api-semantics 1.8).
const INTERNAL: JET_GRBIT = 0xf000_0000;

/// An unknown or contradictory flag.
#[track_caller]
fn invalid_grbit(function: &str, grbit: JET_GRBIT) -> Error {
    Error::new(JetErr::InvalidGrbit, format!("{function}: flags {grbit:#x}"))
}

/// Something that a later version brings.
#[track_caller]
fn unavailable(what: &str) -> Error {
    Error::new(JetErr::FeatureNotAvailable, format!("{what} is not available in this version"))
}
