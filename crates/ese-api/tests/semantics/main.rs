//! The numbered statements of the semantics of the Jet functions, one test for each, named after
//! its number: `s6_02` is statement 2 of section 6. One file a section.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::wildcard_imports,
    reason = "a failing step fails the test; the functions come with all their constants"
)]

mod argument_order;
mod bad_arguments;
mod error_info;
#[path = "../jet_setup/mod.rs"]
mod jet_setup;
mod pets;
mod s01_handles;
mod s02_instances;
mod s03_parameters;
mod s04_sessions;
mod s05_transactions;
mod s06_currency;
mod s07_keys;
mod s08_updates;
mod s09_set;
mod s10_retrieve;
mod s11_defaults;
mod s11_special;
mod s12_indexes;
mod s12_text;
mod s13_info;
mod s13_tables;
mod s14_databases;
mod s14_modes;
mod s15_temporary;
mod s17_callbacks;
mod set_arguments;
mod statements;
mod wide;
