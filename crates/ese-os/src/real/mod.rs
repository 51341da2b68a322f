//! The real machine: Linux.
//!
//! This is the only place of the workspace that calls the operating system. It decides nothing
//! about durability or order; it makes single calls behave as the traits promise (whole
//! transfers, one error code per cause, the path in every error).
#![allow(
    clippy::disallowed_methods,
    reason = "the traits are implemented here, with the methods that others may not use"
)]

#[cfg(test)]
mod child;
mod descriptor;
mod errno;
mod file;
mod fork;
mod fs;
mod machine;
mod map;
mod probe;

use std::sync::Arc;

pub use errno::code_of;
pub use file::DIRECT_ALIGN;
pub use fork::forked;
pub use machine::prefer_large_pages;
pub use map::MAP_WINDOW;

use crate::Env;

impl Env {
    /// The machine that this process runs on.
    #[must_use]
    pub fn real() -> Env {
        Env {
            fs: Arc::new(fs::RealFs),
            clock: Arc::new(machine::RealClock::new()),
            rng: Arc::new(machine::RealRng),
            threads: Arc::new(machine::RealThreads),
        }
    }
}
