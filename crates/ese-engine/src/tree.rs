//! B+ trees: search, scan, change, split (edb-format 4).
//!
//! # Latches
//!
//! A thread latches pages from the root down and, among leaves, from left to right; it holds the
//! page above while it waits for the one below. It never latches a page twice. Operations latch the
//! leaf for writing and only read what is above. Whoever changes the shape of a tree (a split, a
//! merge) first takes the tree's structure lock: internal pages change only under it, so its holder
//! may read them without coupling. Pages for the change are allocated before anything is latched.
//!
//! A page that a merge frees is emptied under its latch and carries a flag from then on, so whoever
//! comes by a remembered page number sees that it is no leaf of this tree any more. Nobody follows
//! a sibling link without holding the page it stands on, but for scans to the left, which look
//! again.
//!
//! Locks, outermost first: structure lock of the tree, space lock of the tree, space lock of its
//! parent, page latches, version store, log buffer.
//!
//! # Order of a change
//!
//! Everything that can fail comes first: latches, room, the version store's consent (the *gate*).
//! Then a dbtime is taken, the record appended, the page changed and stamped, the latch given back.

mod change;
pub mod check;
mod defrag;
mod descend;
mod guide;
mod outline;
pub mod plan;
mod scan;
mod smo;
mod view;

#[cfg(test)]
pub(crate) mod tests;

use std::sync::{OnceLock, atomic::AtomicU64};

use ese_base::{Dbid, Error, JetErr, LgPos, ObjId, Pgno, ProcId, RceId, Result, TrxId};
use ese_log::records::RecordFlags;
use ese_pages::PageFlags;
use parking_lot::{Mutex, RwLock};

pub use change::{
    MakeData, Undo, UndoOper, add, delete_node, flag_delete, insert, replace, replace_with, undo,
};
pub use defrag::{DefragPlace, DefragRules, defragment};
pub use descend::{Found, seek, seek_guided};
pub use outline::{Estimate, KeyRange, RangeLeaves, entry_near, estimate, leaves_of_ranges};
pub use scan::{Direction, Start, scan, scan_guided};
pub use view::TreeView;

use self::guide::Guide;
use crate::{schema::Growth, version::Addition};

pub(crate) use change::{Op, Room, change_leaf, insert_on, log_and_apply, remove, set_data};
pub(crate) use descend::{Target, leaf_for_read, leaf_for_write};
pub(crate) use outline::pages_of;
pub(crate) use smo::{PageSource, Spare, pages_needed, split_space_leaf};

/// What kind of tree it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeKind {
    /// Do keys alone identify entries? Otherwise key and data do.
    pub unique: bool,
    /// [`PageFlags::INDEX`] and [`PageFlags::LONG_VALUE`], where they apply.
    pub page_flags: PageFlags,
    /// How full, in percent, appending leaves a leaf.
    pub density_pct: u8,
}

impl TreeKind {
    /// A table's tree.
    pub const TABLE: TreeKind =
        TreeKind { unique: true, page_flags: PageFlags::empty(), density_pct: 80 };

    /// The tree of a table's long values.
    pub const LONG_VALUES: TreeKind =
        TreeKind { unique: true, page_flags: PageFlags::LONG_VALUE, density_pct: 100 };

    /// A unique index, as those of the catalog are.
    pub const UNIQUE_INDEX: TreeKind =
        TreeKind { unique: true, page_flags: PageFlags::INDEX, density_pct: 80 };

    /// Flags that every page of the tree carries.
    #[must_use]
    pub fn all_page_flags(&self) -> PageFlags {
        let order = if self.unique { PageFlags::empty() } else { PageFlags::NON_UNIQUE };
        self.page_flags | order
    }

    /// Does it hold long values?
    #[must_use]
    pub fn is_of_long_values(&self) -> bool {
        self.page_flags.contains(PageFlags::LONG_VALUE)
    }

    /// The kind that page flags tell of.
    #[must_use]
    pub fn of_flags(flags: PageFlags, density_pct: u8) -> TreeKind {
        TreeKind {
            unique: !flags.contains(PageFlags::NON_UNIQUE),
            page_flags: flags & (PageFlags::INDEX | PageFlags::LONG_VALUE),
            density_pct,
        }
    }
}

/// One tree of an attached database: its identity and its locks (ESE: FCB).
#[derive(Debug)]
pub struct TreeHandle {
    /// Database.
    pub dbid: Dbid,
    /// Root page; never changes.
    pub fdp: Pgno,
    /// Object id; on every page of the tree and of its space trees.
    pub objid: ObjId,
    /// What kind of tree.
    pub kind: TreeKind,
    /// Live versions of its nodes; readers need no version store while it is 0.
    pub versions: AtomicU64,
    /// Versions of nodes that do not say on their page that they have any.
    pub(crate) unmarked: AtomicU64,
    /// Held by whoever changes the shape of the tree.
    pub(crate) smo: Mutex<()>,
    /// Held by whoever changes what the tree owns.
    pub(crate) space: Mutex<()>,
    /// Its pages are given back: nothing may go there any more.
    pub(crate) gone: RwLock<bool>,
    /// The short way to its leaves.
    guide: Guide,
    /// The sizes of extents that were wished for it.
    growth: OnceLock<Growth>,
}

impl TreeHandle {
    /// The handle of a tree. One per tree and database, so that its locks mean something:
    /// `Database::tree` keeps them.
    #[must_use]
    pub fn new(dbid: Dbid, fdp: Pgno, objid: ObjId, kind: TreeKind) -> TreeHandle {
        TreeHandle {
            dbid,
            fdp,
            objid,
            kind,
            versions: AtomicU64::new(0),
            unmarked: AtomicU64::new(0),
            smo: Mutex::new(()),
            space: Mutex::new(()),
            gone: RwLock::new(false),
            guide: Guide::default(),
            growth: OnceLock::new(),
        }
    }

    /// Notes the sizes of extents that are wished for it; they do not change.
    pub(crate) fn set_growth(&self, growth: Option<Growth>) {
        if let Some(growth) = growth {
            self.growth.get_or_init(|| growth);
        }
    }

    /// The sizes of extents that were wished for it.
    pub(crate) fn growth(&self) -> Option<Growth> {
        self.growth.get().copied()
    }

    /// The tree of its entries, for reading.
    #[must_use]
    pub fn view(&self) -> TreeView {
        TreeView::new(self.fdp, self.objid, self.kind)
    }
}

/// Who changes pages; goes into every record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writer {
    /// Session.
    pub procid: ProcId,
    /// Transaction, as its outermost begin numbered it.
    pub trx: TrxId,
    /// Transaction level.
    pub level: u8,
    /// Where the transaction begins in the log; [`LgPos::MAX`] if there is none to be undone.
    pub begin: LgPos,
}

impl Writer {
    /// Work outside any transaction.
    #[must_use]
    pub fn system(procid: ProcId) -> Writer {
        Writer { procid, trx: TrxId(0), level: 0, begin: LgPos::MAX }
    }
}

/// What the version store says to an insertion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InsertVersion {
    /// Version of the insertion.
    pub rceid: RceId,
    /// Version of the replacement, when a flag-deleted node comes back with other data.
    pub replace_rceid: RceId,
}

/// The version store's consent. Asked under the write latch of the leaf, when everything else is
/// certain and nothing has been logged or changed; an error leaves the tree as it is.
pub trait VersionGate {
    /// Are the operations versioned: undone if the transaction does not commit?
    fn versioned(&self) -> bool;

    /// A new node, or a flag-deleted one (with the data `existing`) that comes back.
    ///
    /// # Errors
    /// `JET_errWriteConflict` and the version store's own.
    fn insert(
        &self,
        tree: &TreeHandle,
        key: &[u8],
        data: &[u8],
        existing: Option<&[u8]>,
    ) -> Result<InsertVersion>;

    /// New data for a node; `old` is what it has.
    ///
    /// # Errors
    /// As [`VersionGate::insert`].
    fn replace(&self, tree: &TreeHandle, key: &[u8], bm_data: &[u8], old: &[u8]) -> Result<RceId>;

    /// A node is flag-deleted.
    ///
    /// # Errors
    /// As [`VersionGate::insert`].
    fn delete(&self, tree: &TreeHandle, key: &[u8], bm_data: &[u8]) -> Result<RceId>;

    /// Something is added to a number in a node's data.
    ///
    /// # Errors
    /// As [`VersionGate::insert`].
    fn add(&self, _tree: &TreeHandle, _key: &[u8], _added: Addition) -> Result<RceId> {
        Ok(RceId::default())
    }

    /// The error for an insertion where a live node stands: duplicate, or conflict with a
    /// transaction whose change cannot be seen.
    fn duplicate(&self, tree: &TreeHandle, key: &[u8], bm_data: &[u8]) -> Error;
}

/// The gate of changes that no transaction owns: space trees, clean-up, bulk creation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unversioned;

impl VersionGate for Unversioned {
    fn versioned(&self) -> bool {
        false
    }

    fn insert(
        &self,
        _tree: &TreeHandle,
        _key: &[u8],
        _data: &[u8],
        _existing: Option<&[u8]>,
    ) -> Result<InsertVersion> {
        Ok(InsertVersion::default())
    }

    fn replace(
        &self,
        _tree: &TreeHandle,
        _key: &[u8],
        _bm_data: &[u8],
        _old: &[u8],
    ) -> Result<RceId> {
        Ok(RceId::default())
    }

    fn delete(&self, _tree: &TreeHandle, _key: &[u8], _bm_data: &[u8]) -> Result<RceId> {
        Ok(RceId::default())
    }

    fn duplicate(&self, tree: &TreeHandle, _key: &[u8], _bm_data: &[u8]) -> Error {
        Error::new(
            JetErr::KeyDuplicate,
            format!("the key is already in the tree with root {}", tree.fdp),
        )
    }
}

/// A place that a caller remembers: the next access goes there without a search if the leaf has
/// not changed. Never wrong, at most useless.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The leaf; [`Pgno::NULL`] for no place.
    pub leaf: Pgno,
    /// Dbtime of the leaf when the place was remembered.
    pub dbtime: ese_base::DbTime,
    /// Line on the leaf.
    pub iline: usize,
}

/// The record flags of an operation on a tree.
pub(crate) fn record_flags(view: &TreeView, versioned: bool) -> RecordFlags {
    let mut flags = RecordFlags::empty();
    flags.set(RecordFlags::VERSIONED, versioned);
    flags.set(RecordFlags::UNIQUE, view.unique_fdp);
    flags.set(RecordFlags::SPACE, view.is_space());
    flags
}
