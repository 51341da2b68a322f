//! Recovery and its options through the Jet functions: backup-log-recovery 3.2 to 3.8 row by row,
//! and group G of its section 7, each case under its number.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::wildcard_imports,
    reason = "a failing step fails the test; files are damaged behind the engine's back"
)]

mod control;
mod databases;
mod group_g;
#[path = "../jet_setup/mod.rs"]
mod jet_setup;
mod left;
mod limits;
mod lost;
mod start;
