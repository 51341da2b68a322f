//! A program that loads rows until it is killed, and what it may leave behind.
//!
//! Several threads run transactions, each thread one after the other. What a transaction does is
//! decided by the seed, its thread, its number and the rows that the thread has committed before
//! ([`Books::plan`]). So the program (`tests/src/bin/loader.rs`) and the test that kills it
//! (`tests/tests/kill.rs`) agree on it without talking; all that the program says is which commits
//! have returned.

mod books;
mod loader;
mod rows;

pub use books::{Books, Change, End, Plan, RowId, Thread};
pub use loader::{Mode, Order, Said};
pub use rows::{read_all, start};
