//! The machine behind traits: files, maps, time, threads and randomness.
//!
//! Everything that touches the world goes through an [`Env`]. [`Env::real`] is Linux; the
//! development crate `ese-sim` offers a simulated one that cuts power, tears sectors and fails
//! operations. No other crate of the workspace may use `std::fs` and its kin.
//!
//! A file handle and all its clones share one open file description, so its lock lives as long as
//! the last of them and the last map of it.

mod env;
mod files;
mod freeze;
mod fs;
mod real;

pub use env::{Clock, Env, Rng, Threads, Worker};
pub use files::{FileStream, data_ranges, is_link, parent_of, remove_tree, reserve_like};
pub use freeze::{GateWait, WriteGate};
pub use fs::{DirEntry, File, Fs, LockMode, OpenMode, PageMap};
pub use real::{DIRECT_ALIGN, MAP_WINDOW, code_of, forked, prefer_large_pages};
