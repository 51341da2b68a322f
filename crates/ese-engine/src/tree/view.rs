//! What searching and changing a tree's pages needs to know of it.

use ese_base::{Error, JetErr, ObjId, PageSize, Pgno, Result};
use ese_pages::{PageFlags, PageRef};

use super::TreeKind;

/// One B+ tree: the entries of an object, or one of its two space trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeView {
    /// Root page.
    pub root: Pgno,
    /// Root page of the object that owns the pages; the same unless this is a space tree.
    pub fdp: Pgno,
    /// Object id on every page.
    pub objid: ObjId,
    /// Is the order by key alone?
    pub unique: bool,
    /// Is the order of the object's own tree by key alone? (Log records of its space trees say so.)
    pub unique_fdp: bool,
    /// Flags that every page carries.
    pub page_flags: PageFlags,
    /// How full, in percent, appending leaves a leaf.
    pub density_pct: u8,
}

impl TreeView {
    /// The entries of the object with this root.
    #[must_use]
    pub fn new(fdp: Pgno, objid: ObjId, kind: TreeKind) -> TreeView {
        TreeView {
            root: fdp,
            fdp,
            objid,
            unique: kind.unique,
            unique_fdp: kind.unique,
            page_flags: kind.all_page_flags(),
            density_pct: kind.density_pct,
        }
    }

    /// One of the space trees of this tree's object.
    #[must_use]
    pub fn space_tree(&self, root: Pgno) -> TreeView {
        TreeView {
            root,
            unique: true,
            page_flags: self.page_flags | PageFlags::SPACE_TREE,
            density_pct: 100,
            ..*self
        }
    }

    /// Is it a space tree?
    #[must_use]
    pub fn is_space(&self) -> bool {
        self.page_flags.contains(PageFlags::SPACE_TREE)
    }

    /// The part of an entry's data that orders it: none in trees with unique keys.
    #[inline]
    pub(crate) fn order_data<'d>(&self, data: &'d [u8]) -> &'d [u8] {
        if self.unique { &[] } else { data }
    }

    /// Bytes of a leaf that appending leaves free (edb-format 4.7).
    #[inline]
    pub(crate) fn reserve(&self, size: PageSize) -> usize {
        let free_pct = 100 - usize::from(self.density_pct.clamp(20, 100));
        size.bytes() * free_pct / 100
    }

    /// Is this page one of this tree's?
    ///
    /// # Errors
    /// `JET_errBadParentPageLink` (-338) if it belongs to another object or kind of tree.
    #[inline]
    pub(crate) fn expect_own(&self, page: PageRef<'_>, pgno: Pgno) -> Result<()> {
        let foreign = PageFlags::SPACE_TREE | PageFlags::EMPTY;
        if page.objid() == self.objid
            && page.flags() & foreign == self.page_flags & PageFlags::SPACE_TREE
        {
            return Ok(());
        }
        Err(self.foreign(page, pgno))
    }

    /// The root, and no other page of the tree, says that it is the root.
    ///
    /// # Errors
    /// `JET_errBadParentPageLink` (-338) if the page is another one than the tree has there.
    pub(crate) fn expect_root_flag(&self, page: PageRef<'_>, pgno: Pgno) -> Result<()> {
        if page.is_root() == (pgno == self.root) {
            return Ok(());
        }
        Err(self.foreign(page, pgno))
    }

    #[cold]
    fn foreign(&self, page: PageRef<'_>, pgno: Pgno) -> Error {
        Error::new(
            JetErr::BadParentPageLink,
            format!(
                "the tree with root {} and object {} leads to a page of object {} with flags {:#x}",
                self.root,
                self.objid,
                page.objid(),
                page.flags().bits()
            ),
        )
        .at_page(pgno)
        .advise("run a verification of the database; restore it from a backup")
    }
}
