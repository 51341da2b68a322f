//! What every layer of the engine shares: identifiers, the error type with its JET codes,
//! small structures that appear in several files on disk, the stop token, and limits.
//!
//! This crate performs no I/O and contains no unsafe code.

#![forbid(unsafe_code)]

pub mod activity;
mod codes;
mod error;
mod hex;
mod ids;
pub mod limits;
mod ondisk;
pub mod plant;
mod stop;

pub use codes::{CodeInfo, ErrCat, JetErr};
pub use error::{Error, ErrorKind, Result};
pub use hex::Hex;
pub use ids::{
    DbTime, Dbid, Generation, Iline, LgPos, ObjId, PageSize, Pgno, ProcId, RceId, TrxId,
};
pub use ondisk::{BkInfo, LeLgPos, LogTime, Signature};
pub use stop::{StopReason, StopToken};
