//! The data model: B+ trees, space, records, the catalog, transactions and recovery.
//!
//! Modules depend on each other in this order: `op` (one record applied to one page, the same
//! function at run time and at redo), `space` and `tree` (many pages), `record`, `key` and `schema`
//! (what a row is), `version` and `trx` (who sees which row), `database` and `instance` (life).

#![forbid(unsafe_code)]

pub mod database;
pub mod key;
pub mod reader;
pub mod redo;
pub mod record;
pub mod schema;
pub mod op;
pub mod space;
pub mod tree;
