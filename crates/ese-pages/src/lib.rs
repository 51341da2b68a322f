//! Pages of an ESE database: is this page image right, and who may look at it?
//!
//! * [`page`] reads and changes one page image: header, slot array, nodes (edb-format 2 to 4).
//! * [`checksum`] computes, verifies and repairs by the two checksums (edb-format 2.3, 2.4).
//! * [`header`] is the database header in its two copies and the trailer of a backup
//!   (edb-format 1).
//! * [`mod@validate`] says whether a page is sound: whoever has validated a page may rely on what
//!   its accessors answer. Without it they never panic, but answer empty nodes where bytes are
//!   wrong.
//! * [`dump`] prints a page for people and tests.
//! * [`db_file`] is one attached file: lock, header updates, growth, reading for a backup.
//! * [`cache`] hands out latched pages and writes changed ones; its head has the rules of memory.
//! * [`dblwr`] restores pages that a crash has torn; [`range_lock`] keeps the flusher off pages
//!   that a backup reads; [`fence`] is the write-ahead rule; [`poison`] remembers the first failed
//!   write.

pub mod aligned;
pub mod cache;
pub mod checksum;
pub mod db_file;
pub mod dblwr;
pub mod dump;
pub mod fence;
pub mod header;
mod latch;
pub mod page;
#[cfg(all(test, plant))]
mod planted;
pub mod poison;
pub mod range_lock;
#[cfg(test)]
pub(crate) mod test_db;
#[cfg(test)]
pub(crate) mod test_rng;
pub mod validate;

pub use cache::{
    CacheMode, CacheOptions, CacheStats, FlushGoal, FlushStats, PageCache, RdwGuard, ReadGuard,
    WriteGuard,
};
pub use db_file::{Access, DbFile};
pub use dblwr::recover_double_write;
pub use fence::{LogFence, NoLog};
pub use header::{DbHeader, DbState};
pub use page::{Node, NodeFlags, PageFlags, PageMut, PageRef};
pub use poison::Poison;
pub use range_lock::{Hold, RangeLock};
pub use validate::{Validate, validate};
