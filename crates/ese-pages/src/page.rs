//! One page image: header, slot array, nodes (edb-format 2.1, 3, 4.1 to 4.4).
//!
//! ```text
//! 0         40 or 80          ibMicFree                              page size
//! | header  | lines in any order | free ...      | slot n-1 .. 1, 0 |
//! ```
//!
//! The slot array grows down from the page's end; slot 0 names the *external header* (the space
//! header of a root, the prefix key of any other page), the others name the nodes in key order.
//! A *line* is the bytes of one slot. Offsets in slots and `ibMicFree` count from the end of the
//! page header. Small pages (4 and 8 KiB) keep a node's three flags in its slot, large ones in the
//! first two bytes of its line.
//!
//! [`PageRef`] reads and never panics, whatever the bytes are; [`crate::validate()`] establishes
//! once per load that what it answers is true. [`PageMut`] changes pages and keeps the free-space
//! bookkeeping exact (edb-format 3.3); it refuses, with an error and without a change, what would
//! leave a page unsound.

mod edit;
mod flags;
mod free;
pub(crate) mod layout;
mod node;
pub(crate) mod prefetch;
mod read;
mod search;
#[cfg(test)]
mod tests;

pub use edit::PageMut;
pub use flags::{NodeFlags, PageFlags};
pub use node::Node;
pub use read::{NodeReader, PageRef};
