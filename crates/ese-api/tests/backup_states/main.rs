//! The backup of an instance in all its states, through the Jet functions: every call in every
//! state, surrogates, snapshots, services and terminations beside it (backup-log-recovery 4.2,
//! 4.11, 4.12, 5.6, 5.7).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a failing step fails the test; tables are printed; files are looked at behind the \
              engine's back"
)]

mod every_cell;
#[path = "../jet_setup/mod.rs"]
mod jet_setup;
mod load;
mod midway;
mod services;
mod snapshot;
mod surrogate;
mod terminations;
