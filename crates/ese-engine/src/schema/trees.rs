//! The trees of a database as its catalog tells of them: whoever opens one of them, or walks over
//! all, asks here where its root is, to which object it belongs and of what kind it is.

use std::iter::once;

use ese_base::{ObjId, Pgno};
use ese_pages::PageFlags;

use super::{DATABASE_ROOT, Index, LongValueTree, TableSchema};
use crate::tree::{TreeKind, TreeView};

/// What a tree holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeRole {
    /// The root of the database: it owns every page and gives them to tables.
    Database,
    /// The rows of a table.
    Table,
    /// A secondary index.
    Index,
    /// The long values of a table.
    LongValues,
}

impl TreeRole {
    /// A word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            TreeRole::Database => "database",
            TreeRole::Table => "table",
            TreeRole::Index => "index",
            TreeRole::LongValues => "long values",
        }
    }
}

/// A tree that owns space.
#[derive(Clone, Copy, Debug)]
pub struct TreeInfo<'a> {
    /// What it holds.
    pub role: TreeRole,
    /// The index, for trees of indexes.
    pub index: Option<&'a Index>,
    /// Root page.
    pub fdp: Pgno,
    /// Object.
    pub objid: ObjId,
    /// Kind.
    pub kind: TreeKind,
}

impl TreeInfo<'_> {
    /// The root of every database.
    pub const DATABASE_ROOT: TreeInfo<'static> = TreeInfo {
        role: TreeRole::Database,
        index: None,
        fdp: Pgno::DATABASE_ROOT,
        objid: DATABASE_ROOT,
        kind: TreeKind::TABLE,
    };

    /// The tree as its readers walk it.
    #[must_use]
    pub fn view(&self) -> TreeView {
        TreeView::new(self.fdp, self.objid, self.kind)
    }
}

impl TableSchema {
    /// The tree of its rows, from which the others have their space.
    #[must_use]
    pub fn tree(&self) -> TreeInfo<'_> {
        let kind = TreeKind { density_pct: density_pct(self.density), ..TreeKind::TABLE };
        let (fdp, objid) = (self.fdp, self.objid);
        TreeInfo { role: TreeRole::Table, index: None, fdp, objid, kind }
    }

    /// The trees that have their space from the table's: secondary indexes and long values.
    pub fn inner_trees(&self) -> impl Iterator<Item = TreeInfo<'_>> {
        self.secondary().map(Index::tree).chain(self.lv.iter().map(LongValueTree::tree))
    }

    /// All its trees: rows, indexes, long values.
    pub fn trees(&self) -> impl Iterator<Item = TreeInfo<'_>> {
        once(self.tree()).chain(self.inner_trees())
    }
}

impl Index {
    /// The tree of a secondary index. A primary index has the table's.
    #[must_use]
    pub fn tree(&self) -> TreeInfo<'_> {
        let kind = TreeKind {
            unique: self.is_unique(),
            page_flags: PageFlags::INDEX,
            density_pct: density_pct(self.density),
        };
        let (fdp, objid) = (self.fdp, self.objid);
        TreeInfo { role: TreeRole::Index, index: Some(self), fdp, objid, kind }
    }
}

impl LongValueTree {
    /// The tree of a table's long values.
    #[must_use]
    pub fn tree(&self) -> TreeInfo<'_> {
        let kind = TreeKind { density_pct: density_pct(self.density), ..TreeKind::LONG_VALUES };
        let (fdp, objid) = (self.fdp, self.objid);
        TreeInfo { role: TreeRole::LongValues, index: None, fdp, objid, kind }
    }
}

/// A density of the catalog, in per cent. Those that the catalog of a damaged or foreign file makes
/// up fill pages as usual.
fn density_pct(density: u32) -> u8 {
    u8::try_from(density).unwrap_or(TreeKind::TABLE.density_pct)
}
