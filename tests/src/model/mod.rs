//! Random schema and data operations of many sessions against a model in memory.
//!
//! Sessions take turns on one thread, as a seed says: nothing depends on time. The model knows what
//! each session must see (its snapshot and its own changes), which changes must succeed, and which
//! another transaction stands in the way of. Now and then the store is closed, killed, or loses
//! its power; what is there afterwards must be what some commit left, and nothing that was
//! acknowledged may be missing.

mod counters;
mod machine;
mod points;
mod rows;
mod schema;
mod state;

pub use counters::Counters;
pub use machine::{Machine, Tally};
