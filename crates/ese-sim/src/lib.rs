//! A disk that cuts power, tears sectors, fills up and fails; a model of what a database must
//! hold; workloads; and the check that puts the three together. For tests only.
//!
//! The usual course of a test: make a machine ([`SimEnv::new`]), run a workload once on the real
//! engine while its disk records, [`mark`](SimDisk::mark) each acknowledged commit, then take the
//! [`Recording`], boot the engine from each of its [`states`](Recording::states) and compare what
//! it recovers with the [`model`]. [`check`] does that last part.
//!
//! Everything is decided by seeds. A failure names its state; [`Recording::state`] makes it again.

#![forbid(unsafe_code)]

pub mod check;
mod content;
mod disk;
mod env;
mod fault;
mod file;
mod image;
pub mod model;
mod names;
mod plan;
mod random;
mod recording;
mod track;
pub mod workload;

pub use disk::SimDisk;
pub use env::{SimClock, SimEnv, SimRng, SimThreads};
pub use fault::{Action, AfterFailedSync, Counts, Fault, OpKind};
pub use image::Image;
pub use plan::{Plan, Rest, Sectors};
pub use random::Random;
pub use recording::{CrashState, Recording, StateId, StateOptions, States};
pub use track::SECTOR;

/// An offset or length as an index. Machines with smaller addresses are not supported.
pub(crate) fn index(value: u64) -> usize {
    const { assert!(usize::BITS >= 64) };
    usize::try_from(value).unwrap_or(usize::MAX)
}
