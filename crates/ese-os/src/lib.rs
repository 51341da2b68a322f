//! The machine behind traits: files, maps, time, threads and randomness.
//!
//! Everything that touches the world goes through an [`Env`]. [`Env::real`] is Linux; the
//! development crate `ese-sim` offers a simulated one that cuts power, tears sectors and fails
//! operations. No other crate of the workspace may use `std::fs` and its kin.

mod env;
mod fs;

pub use env::{Clock, Env, Rng, Threads, Worker};
pub use fs::{DirEntry, File, Fs, LockMode, OpenMode, PageMap};
