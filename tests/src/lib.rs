//! What the tests across crates share: where things are, when a test may be skipped, and how to
//! ask the foreign readers.
//!
//! A test that needs something which an ordinary clone lacks starts like this:
//!
//! ```no_run
//! let Some(data) = ese_tests::real_data("rows_equal_what_dissect_returns") else { return };
//! let Some(python) = ese_tests::peers("rows_equal_what_dissect_returns") else { return };
//! ```
//!
//! Where the thing is absent, `SKIPPED: ...` appears on the terminal (past the runner's capture)
//! and the test returns; with `CI=true` it fails instead.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    reason = "support of tests: works on real files and fails by panicking"
)]

mod canonical;
mod checkers;
pub mod early;
mod forged;
pub mod kill;
pub mod model;
mod paths;
mod peers;
pub mod sim;
pub mod windows;

pub use canonical::{canonical, hex};
pub use checkers::{Checkers, checkers};
pub use forged::forge;
pub use paths::{real_data, scratch, skip, workspace_root};
pub use peers::{Peers, Reader, Row, peers};
