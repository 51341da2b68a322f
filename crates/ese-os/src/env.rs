//! Time, threads, randomness, and the bundle of everything that is passed around.

use std::{fmt::Debug, sync::Arc, time::Duration};

use ese_base::{LogTime, Result};

use crate::Fs;

/// Everything outside the process's own memory. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Env {
    /// Files.
    pub fs: Arc<dyn Fs>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness (signatures only).
    pub rng: Arc<dyn Rng>,
    /// Background threads.
    pub threads: Arc<dyn Threads>,
}

/// Time. Nothing in the engine decides by the wall clock; it only stamps it into headers.
pub trait Clock: Send + Sync + Debug {
    /// Milliseconds since 1970-01-01 UTC.
    fn unix_ms(&self) -> u64;
    /// Time since an arbitrary fixed moment; never goes back.
    fn monotonic(&self) -> Duration;
    /// Waits.
    fn sleep(&self, time: Duration);
    /// The wall clock as headers hold it.
    fn log_time(&self) -> LogTime {
        LogTime::from_unix_ms(self.unix_ms())
    }
}

/// Random numbers.
pub trait Rng: Send + Sync + Debug {
    /// A random number.
    fn next_u32(&self) -> u32;
}

/// Threads.
pub trait Threads: Send + Sync + Debug {
    /// Starts a named thread. `None` where background work must be driven by hand (simulation):
    /// the caller then has to offer a way to do one step of that work.
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send + 'static>)
    -> Result<Option<Worker>>;
    /// How many threads can really work at the same time, at least 1.
    fn processors(&self) -> usize {
        1
    }
}

/// A running thread, joined when dropped. Dropped by the thread itself, which can happen when it
/// held the last reference to its owner, it is left to end on its own.
#[derive(Debug)]
pub struct Worker(Option<std::thread::JoinHandle<()>>);

impl Worker {
    /// Takes charge of a thread.
    #[must_use]
    pub fn new(handle: std::thread::JoinHandle<()>) -> Worker {
        Worker(Some(handle))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(handle) = self.0.take()
            && handle.thread().id() != std::thread::current().id()
            && handle.join().is_err()
        {
            // The thread's panic hook has printed the reason. What it was writing has failed.
        }
    }
}
