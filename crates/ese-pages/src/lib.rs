//! Pages of an ESE database: is this page image right, and who may look at it?
//!
//! * [`page`] reads and changes one page image: header, slot array, nodes (edb-format 2 to 4).
//! * [`checksum`] computes, verifies and repairs by the two checksums (edb-format 2.3, 2.4).
//! * [`header`] is the database header in its two copies and the trailer of a backup
//!   (edb-format 1).
//! * [`validate`] says whether a page is sound: whoever has validated a page may rely on what its
//!   accessors answer. Without it they never panic, but answer empty nodes where bytes are wrong.
//! * [`dump`] prints a page for people and tests.

pub mod checksum;
pub mod dump;
pub mod header;
pub mod page;
pub mod validate;

pub use header::{DbHeader, DbState};
pub use page::{Node, NodeFlags, PageFlags, PageMut, PageRef};
pub use validate::{Validate, validate};
