//! Records of one node on one page (log-records 2.3).

use bitflags::bitflags;
use ese_base::{DbTime, Dbid, Iline, ObjId, Pgno, ProcId, RceId, Result, TrxId};

use super::wire::{Body, Field, Head, Input, Show, Tail, record_struct, text, wire_enum};

bitflags! {
    /// What a page record says about the operation and its tree (`flags@31`).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct RecordFlags: u8 {
        /// The operation is in the version store: undone if its transaction does not commit.
        const VERSIONED = 1;
        /// The node was flag-deleted.
        const DELETED = 2;
        /// The tree's keys are unique.
        const UNIQUE = 4;
        /// The tree is a space tree (owned or available extents).
        const SPACE = 8;
        /// The index was being created while others changed the table.
        const CONCURRENT_INDEX = 0x10;
        /// Done by the engine, not for a user's transaction.
        const SYSTEM_TASK = 0x20;
        const _ = !0;
    }
}

impl Field for RecordFlags {
    #[inline]
    fn put(self, head: &mut Head) {
        self.bits().put(head);
    }
    #[inline]
    fn read(input: &mut Input<'_>) -> Result<RecordFlags> {
        Ok(RecordFlags::from_bits_retain(input.field()?))
    }
}

impl Show for RecordFlags {
    fn show(&self, name: &str, out: &mut String) {
        text(out, format_args!(" {name}={:#x}", self.bits()));
    }
}

/// "P": what every record that changes a page starts with; 32 bytes with the type byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageHead {
    /// Session.
    pub procid: ProcId,
    /// Database.
    pub dbid: Dbid,
    /// The page.
    pub pgno: Pgno,
    /// The page's dbtime after the change.
    pub dbtime: DbTime,
    /// The page's dbtime before it; [`DbTime::NOT_CHECKED`] inside macros and for new pages.
    pub dbtime_before: DbTime,
    /// Transaction, as its outermost begin numbered it.
    pub trx_begin0: TrxId,
    /// Transaction level.
    pub level: u8,
    /// The node; 0 is the first one (slot 1).
    pub iline: Iline,
    /// Kind of operation and tree.
    pub flags: RecordFlags,
}

impl Field for PageHead {
    #[inline]
    fn put(self, head: &mut Head) {
        head.field(self.procid);
        head.field(self.dbid);
        head.field(self.pgno);
        head.field(self.dbtime);
        head.field(self.dbtime_before);
        head.field(self.trx_begin0);
        head.field(self.level);
        head.field(self.iline);
        head.field(self.flags);
    }
    #[inline]
    fn read(input: &mut Input<'_>) -> Result<PageHead> {
        Ok(PageHead {
            procid: input.field()?,
            dbid: input.field()?,
            pgno: input.field()?,
            dbtime: input.field()?,
            dbtime_before: input.field()?,
            trx_begin0: input.field()?,
            level: input.field()?,
            iline: input.field()?,
            flags: input.field()?,
        })
    }
}

impl Show for PageHead {
    fn show(&self, _name: &str, out: &mut String) {
        text(out, format_args!(" {}:{}[{}]", self.dbid, self.pgno, self.iline));
        self.dbtime.show("dbtime", out);
        self.dbtime_before.show("before", out);
        text(
            out,
            format_args!(
                " trx={:x} procid={} level={} flags={:#x}",
                self.trx_begin0.0,
                self.procid,
                self.level,
                self.flags.bits()
            ),
        );
    }
}

/// "N": a page record about a node; 44 bytes with the type byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeHead {
    /// The page part.
    pub page: PageHead,
    /// Version entry of the operation; 0 if it has none.
    pub rceid: RceId,
    /// Root of the tree.
    pub pgno_fdp: Pgno,
    /// Object id of the tree.
    pub objid_fdp: ObjId,
}

impl Field for NodeHead {
    #[inline]
    fn put(self, head: &mut Head) {
        head.field(self.page);
        head.field(self.rceid);
        head.field(self.pgno_fdp);
        head.field(self.objid_fdp);
    }
    #[inline]
    fn read(input: &mut Input<'_>) -> Result<NodeHead> {
        Ok(NodeHead {
            page: input.field()?,
            rceid: input.field()?,
            pgno_fdp: input.field()?,
            objid_fdp: input.field()?,
        })
    }
}

impl Show for NodeHead {
    fn show(&self, name: &str, out: &mut String) {
        self.page.show(name, out);
        text(
            out,
            format_args!(" rceid={} fdp={} objid={}", self.rceid, self.pgno_fdp, self.objid_fdp),
        );
    }
}

wire_enum! {
    /// The operation that an undo or an undo information is about.
    Oper: u16 {
        /// An insertion, new node or revived one.
        Insert = 1,
        /// A replacement of the data.
        Replace = 2,
        /// A flag deletion.
        FlagDelete = 3,
        /// An addition to a counter.
        Delta = 4,
        /// An addition to a 64-bit counter.
        Delta64 = 5,
    }
}

record_struct! {
    /// A new node. The key is `prefix ++ suffix`; a prefix that is not empty means that the node
    /// is stored with that many bytes of the page's prefix.
    Insert<'a> = 29 {
        /// Page, line and tree.
        node: NodeHead,
        /// The key behind the prefix.
        suffix: &'a [u8] => u16,
        /// The part of the key that the page's prefix supplies.
        prefix: &'a [u8] => u16,
        /// The node's data.
        data: &'a [u8] => u16,
    }
    tail { prefix, suffix, data }
}

record_struct! {
    /// A flag-deleted node comes back with the same data.
    FlagInsert<'a> = 30 {
        /// Page, line and tree.
        node: NodeHead,
        /// The node's key.
        key: &'a [u8] => u16,
        /// The node's data.
        data: &'a [u8] => u16,
    }
    tail { key, data }
}

record_struct! {
    /// A flag-deleted node comes back with new data.
    FlagInsertAndReplaceData<'a> = 31 {
        /// Page, line and tree.
        node: NodeHead,
        /// The node's key.
        key: &'a [u8] => u16,
        /// The new data.
        data: &'a [u8] => u16,
        /// Version entry of the replacement; the insertion's is in `node`.
        rceid_replace: RceId,
    }
    tail { key, data }
}

record_struct! {
    /// A node is marked as deleted.
    FlagDelete = 32 {
        /// Page, line and tree.
        node: NodeHead,
    }
}

record_struct! {
    /// A node's line is removed from the page.
    Delete = 35 {
        /// Page, line and tree.
        node: NodeHead,
    }
}

/// A node's data is replaced; the record holds the whole new data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replace<'a> {
    /// Page, line and tree.
    pub node: NodeHead,
    /// Bytes of the data before.
    pub old_len: u16,
    /// The new data.
    pub data: &'a [u8],
}

/// A node's data is replaced; the record holds the difference (see [`super::diff`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplaceD<'a> {
    /// Page, line and tree.
    pub node: NodeHead,
    /// Bytes of the data before.
    pub old_len: u16,
    /// Bytes of the data afterwards.
    pub new_len: u16,
    /// Does the difference have the wide form (16-bit offsets, for large pages)?
    pub wide: bool,
    /// The difference.
    pub diff: &'a [u8],
}

/// Bit 15 of the length field of a replacement: wide form of the difference.
const WIDE: u16 = 0x8000;

impl<'b: 'a, 'a> Body<'b> for Replace<'a> {
    fn number(&self) -> u8 {
        33
    }
    fn head(&self) -> Head {
        let mut head = Head::new(33);
        head.field(self.node);
        head.len_of::<u16>(self.data);
        head.field(self.old_len);
        head.len_of::<u16>(self.data);
        head
    }
    fn tail(&self) -> Tail<'_> {
        [self.data, &[], &[], &[]]
    }
    fn decode(input: &mut Input<'b>) -> Result<Self> {
        let node = input.field()?;
        let len: u16 = input.field()?;
        let old_len = input.field()?;
        let new_len: u16 = input.field()?;
        let data = input.take(usize::from(len & !WIDE))?;
        if len != new_len {
            return Err(input.impossible("a whole replacement with a new length of", new_len));
        }
        Ok(Replace { node, old_len, data })
    }
    fn show_fields(&self, out: &mut String) {
        self.node.show("node", out);
        self.old_len.show("old_len", out);
        self.data.show("data", out);
    }
}

impl<'b: 'a, 'a> Body<'b> for ReplaceD<'a> {
    fn number(&self) -> u8 {
        34
    }
    fn head(&self) -> Head {
        let mut head = Head::new(34);
        head.field(self.node);
        match u16::try_from(self.diff.len()) {
            Ok(len) if len < WIDE => head.field(if self.wide { len | WIDE } else { len }),
            _ => head.refuse(),
        }
        head.field(self.old_len);
        head.field(self.new_len);
        head
    }
    fn tail(&self) -> Tail<'_> {
        [self.diff, &[], &[], &[]]
    }
    fn decode(input: &mut Input<'b>) -> Result<Self> {
        let node = input.field()?;
        let len: u16 = input.field()?;
        let old_len = input.field()?;
        let new_len = input.field()?;
        let diff = input.take(usize::from(len & !WIDE))?;
        Ok(ReplaceD { node, old_len, new_len, wide: len & WIDE != 0, diff })
    }
    fn show_fields(&self, out: &mut String) {
        self.node.show("node", out);
        self.old_len.show("old_len", out);
        self.new_len.show("new_len", out);
        self.diff.show("diff", out);
    }
}

record_struct! {
    /// The before-image of a versioned operation that follows. Changes no page; its dbtimes are
    /// [`DbTime::NOT_CHECKED`].
    UndoInfo<'a> = 36 {
        /// Page and tree.
        node: NodeHead,
        /// Key of the node.
        key: &'a [u8] => u16,
        /// Data part of the bookmark (trees whose keys are not unique).
        bm_data: &'a [u8] => u16,
        /// The operation: replace or flag delete.
        oper: Oper,
        /// Largest size the node has had since it was last committed.
        max_len: i16,
        /// Growth of the node by the operation.
        delta_len: i16,
        /// Data before the operation (replace only).
        data: &'a [u8] => u16,
    }
    tail { key, bm_data, data }
}

record_struct! {
    /// A number inside a node's data is added to.
    Delta<'a> = 37 {
        /// Page, line and tree.
        node: NodeHead,
        /// Key of the node.
        key: &'a [u8] => u16,
        /// Data part of the bookmark.
        bm_data: &'a [u8] => u16,
        /// What is added.
        delta: i32,
        /// Where in the data the number stands.
        offset: u16,
    }
    tail { key, bm_data }
}

record_struct! {
    /// A 64-bit number inside a node's data is added to.
    Delta64<'a> = 93 {
        /// Page, line and tree.
        node: NodeHead,
        /// Key of the node.
        key: &'a [u8] => u16,
        /// Data part of the bookmark.
        bm_data: &'a [u8] => u16,
        /// What is added.
        delta: i64,
        /// Where in the data the number stands.
        offset: u16,
    }
    tail { key, bm_data }
}

record_struct! {
    /// Slot 0 of a root page gets new data.
    SetExternalHeader<'a> = 38 {
        /// Page and tree.
        node: NodeHead,
        /// The new data.
        data: &'a [u8] => u16,
    }
    tail { data }
}

record_struct! {
    /// Compensation: the named operation is taken back. Has its own dbtimes and changes the page.
    Undo<'a> = 39 {
        /// Page, line and tree.
        node: NodeHead,
        /// Key of the node.
        key: &'a [u8] => u16,
        /// Data part of the bookmark.
        bm_data: &'a [u8] => u16,
        /// The operation that is undone.
        oper: Oper,
        /// Transaction level of the undone operation.
        level_undone: u8,
    }
    tail { key, bm_data }
}

record_struct! {
    /// Deleted data on a page is overwritten.
    Scrub<'a> = 64 {
        /// Page and tree.
        node: NodeHead,
        /// What is scrubbed.
        scrub_flags: u32,
        /// Number of entries in `items`.
        count: u32,
        /// What is scrubbed on the page.
        items: &'a [u8] => u16,
    }
    tail { items }
}
