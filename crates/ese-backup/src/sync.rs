//! The locks and flags that a backup and its stop are made of.
//!
//! `session/{machine,stop,table}.rs` name them by this module alone, so that the model of their
//! interleavings (`tests/stop_model.rs`) compiles the same files with locks that it can schedule.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
