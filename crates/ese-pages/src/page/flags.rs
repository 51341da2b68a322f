//! Flags of pages and of nodes.

use bitflags::bitflags;

bitflags! {
    /// What a page is (edb-format 2.2). Unknown bits are kept.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct PageFlags: u32 {
        /// Root of a tree that owns space, or of one of its space trees.
        const ROOT = 0x0001;
        /// Holds entries, not child pages.
        const LEAF = 0x0002;
        /// Internal page whose children are leaves.
        const PARENT_OF_LEAF = 0x0004;
        /// Emptied by a merge and freed; the content means nothing.
        const EMPTY = 0x0008;
        /// Left by a repair; must not be set.
        const REPAIR = 0x0010;
        /// Page of an owned-extent or available-extent tree.
        const SPACE_TREE = 0x0020;
        /// Page of a secondary index or of its space trees.
        const INDEX = 0x0040;
        /// Page of a long-value tree or of its space trees.
        const LONG_VALUE = 0x0080;
        /// The tree orders by key and data, not by key alone.
        const NON_UNIQUE = 0x0400;
        /// Records have the format of edb-format section 7; always set.
        const NEW_RECORD_FORMAT = 0x0800;
        /// The checksum is the error-correcting one; always set.
        const NEW_CHECKSUM = 0x2000;
        /// Content was overwritten for secrecy.
        const SCRUBBED = 0x4000;
        /// Two bits that change with every write, for lost-flush detection; 0 is "unknown".
        const FLUSH_TYPE = 0x1_8000;
        /// Allocated, not yet consumed.
        const PRE_INIT = 0x2_0000;
        /// Root of a deleted tree, in revert snapshots only.
        const FDP_DELETE = 0x4_0000;

        const _ = !0;
    }
}

impl PageFlags {
    /// The two flags that every page we write carries.
    pub const FORMAT: PageFlags = PageFlags::NEW_RECORD_FORMAT.union(PageFlags::NEW_CHECKSUM);
}

bitflags! {
    /// State of a node (edb-format 4.1).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct NodeFlags: u8 {
        /// Versions of this node may exist in memory. Noise on disk.
        const VERSIONED = 1;
        /// Logically absent: readers skip it.
        const DELETED = 2;
        /// The key begins with bytes of the page's prefix key. Kept by [`crate::PageMut`].
        const COMPRESSED = 4;
    }
}
