//! The data model: B+ trees, space, records, the catalog, transactions and recovery.
//!
//! Modules depend on each other in this order: `op` (one record applied to one page, the same
//! function at run time and at redo), `space` and `tree` (many pages), `record`, `key` and `schema`
//! (what a row is), `version` and `trx` (who sees which row), `database` and `instance` (life).

#![forbid(unsafe_code)]

pub mod catalog;
pub mod compact;
pub mod compress;
pub mod cursor;
pub mod database;
pub mod ddl;
pub mod defrag;
pub mod instance;
pub mod key;
mod locales;
pub mod longvalue;
pub mod op;
pub mod reader;
pub mod record;
pub mod recovery;
pub mod redo;
pub mod schema;
pub mod session;
pub mod sort;
pub mod space;
pub mod table;
mod tables;
pub mod temp;
pub mod tree;
pub mod trx;
pub mod version;
