//! The ESE transaction log: records, generations, group commit, reader, checkpoint.

#![forbid(unsafe_code)]

pub mod layout;
pub mod records;

pub use records::Record;
