//! Records that change several pages of a tree at once (log-records 2.4 and 2.8). They stand
//! inside a group of [`super::MacroBegin`] .. [`super::MacroCommit`].

use ese_base::{DbTime, Dbid, Iline, ObjId, Pgno, ProcId, Result};

use super::{
    node::{NodeHead, PageHead},
    wire::{Body, Head, Input, Show, Tail, record_struct, text, wire_enum},
};

wire_enum! {
    /// How a page is split.
    SplitType: u8 {
        /// The root gets a new level: its nodes move to the new page.
        Vertical = 0,
        /// The nodes from `iline_split` on move to the new right page.
        Right = 1,
        /// Only the new node goes to the new right page.
        Append = 2,
    }
}

wire_enum! {
    /// The node operation that a split makes room for.
    SplitOper: u8 {
        /// None: a page of the path, or a split for its own sake.
        None = 0,
        /// An insertion.
        Insert = 1,
        /// A replacement.
        Replace = 2,
        /// A revival with new data.
        FlagInsertAndReplaceData = 3,
    }
}

wire_enum! {
    /// How pages are merged.
    MergeType: u8 {
        /// A page of the path: nothing is merged here.
        None = 0,
        /// The empty page is unlinked.
        EmptyPage = 1,
        /// All nodes move to the right sibling.
        FullRight = 2,
        /// Some nodes move to the right sibling.
        PartialRight = 3,
        /// The tree becomes empty.
        EmptyTree = 4,
        /// All nodes move to the left sibling.
        FullLeft = 5,
        /// Some nodes move to the left sibling.
        PartialLeft = 6,
        /// The page moves to another page number.
        PageMove = 7,
    }
}

/// The page before a split or merge, for rebuilding the other page from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageImage<'a> {
    /// 0 raw, 1 dehydrated (the slots moved up behind the data), 2 XPRESS-compressed.
    pub flags: u32,
    /// The image; empty where none is needed. Its header holds the group's dbtime.
    pub bytes: &'a [u8],
}

impl Show for PageImage<'_> {
    fn show(&self, name: &str, out: &mut String) {
        text(out, format_args!(" {name}[{}] form {}", self.bytes.len(), self.flags));
    }
}

/// One level of a split. Type 62; 27 is the same without an image. A level that does not split
/// has `pgno_new` 0: it only takes part in the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split<'a> {
    /// The page that splits; `page.iline` is the line of its parent's node.
    pub page: PageHead,
    /// The new page, or 0.
    pub pgno_new: Pgno,
    /// The right neighbour of the split page, or 0.
    pub pgno_right: Pgno,
    /// Its dbtime before.
    pub dbtime_right_before: DbTime,
    /// The parent, or 0.
    pub pgno_parent: Pgno,
    /// Its dbtime before.
    pub dbtime_parent_before: DbTime,
    /// Root of the tree.
    pub pgno_fdp: Pgno,
    /// Object id of the tree.
    pub objid_fdp: ObjId,
    /// How the page splits.
    pub split_type: SplitType,
    /// What the split makes room for.
    pub split_oper: SplitOper,
    /// Line of that operation, counted on the page before the split.
    pub iline_oper: Iline,
    /// First line that moves.
    pub iline_split: Iline,
    /// Lines of the page, with the one to be inserted.
    pub lines: u16,
    /// Flags of the new page.
    pub new_page_flags: u32,
    /// Flags of the split page.
    pub split_page_flags: u32,
    /// Uncommitted free bytes of the split page afterwards.
    pub uncommitted_free_src: i16,
    /// Uncommitted free bytes of the new page.
    pub uncommitted_free_dest: i16,
    /// The line that supplies the split page's new prefix, or -1.
    pub iline_prefix_split: i32,
    /// The line that supplies the new page's prefix, or -1.
    pub iline_prefix_new: i32,
    /// Key that the parent's node for the split page gets.
    pub parent_key: &'a [u8],
    /// Prefix of the split page before.
    pub prefix_old: &'a [u8],
    /// Prefix of the split page afterwards.
    pub prefix_new: &'a [u8],
    /// Type 62: image of the split page before the split (may be empty). `None`: type 27.
    pub image: Option<PageImage<'a>>,
}

/// The image's length field, or nothing in the old forms.
fn put_image(head: &mut Head, image: Option<PageImage<'_>>) {
    if let Some(image) = image {
        head.field(image.flags);
        head.len_of::<u32>(image.bytes);
    }
}

/// Flags and length of the image, if the record's form has one.
fn read_image_head(input: &mut Input<'_>, present: bool) -> Result<Option<(u32, usize)>> {
    if present { Ok(Some((input.field()?, input.len_of::<u32>()?))) } else { Ok(None) }
}

fn read_image<'b>(
    input: &mut Input<'b>,
    head: Option<(u32, usize)>,
) -> Result<Option<PageImage<'b>>> {
    head.map(|(flags, len)| Ok(PageImage { flags, bytes: input.take(len)? })).transpose()
}

fn image_bytes<'t>(image: &'t Option<PageImage<'_>>) -> &'t [u8] {
    image.as_ref().map_or(&[], |image| image.bytes)
}

impl<'b: 'a, 'a> Body<'b> for Split<'a> {
    fn number(&self) -> u8 {
        if self.image.is_some() { 62 } else { 27 }
    }
    fn head(&self) -> Head {
        let mut head = Head::new(Body::number(self));
        head.field(self.page);
        head.field(self.pgno_new);
        head.field(self.pgno_right);
        head.field(self.dbtime_right_before);
        head.field(self.pgno_parent);
        head.field(self.dbtime_parent_before);
        head.field(self.pgno_fdp);
        head.field(self.objid_fdp);
        head.field(self.split_type);
        head.field(self.split_oper);
        head.field(self.iline_oper);
        head.field(self.iline_split);
        head.field(self.lines);
        head.field(self.new_page_flags);
        head.field(self.split_page_flags);
        head.field(self.uncommitted_free_src);
        head.field(self.uncommitted_free_dest);
        head.field(self.iline_prefix_split);
        head.field(self.iline_prefix_new);
        head.len_of::<u16>(self.prefix_old);
        head.len_of::<u16>(self.prefix_new);
        head.len_of::<u16>(self.parent_key);
        put_image(&mut head, self.image);
        head
    }
    fn tail(&self) -> Tail<'_> {
        [self.parent_key, self.prefix_old, self.prefix_new, image_bytes(&self.image)]
    }
    fn decode(input: &mut Input<'b>) -> Result<Self> {
        let mut split = Split {
            page: input.field()?,
            pgno_new: input.field()?,
            pgno_right: input.field()?,
            dbtime_right_before: input.field()?,
            pgno_parent: input.field()?,
            dbtime_parent_before: input.field()?,
            pgno_fdp: input.field()?,
            objid_fdp: input.field()?,
            split_type: input.field()?,
            split_oper: input.field()?,
            iline_oper: input.field()?,
            iline_split: input.field()?,
            lines: input.field()?,
            new_page_flags: input.field()?,
            split_page_flags: input.field()?,
            uncommitted_free_src: input.field()?,
            uncommitted_free_dest: input.field()?,
            iline_prefix_split: input.field()?,
            iline_prefix_new: input.field()?,
            parent_key: &[],
            prefix_old: &[],
            prefix_new: &[],
            image: None,
        };
        let prefix_old = input.len_of::<u16>()?;
        let prefix_new = input.len_of::<u16>()?;
        let parent_key = input.len_of::<u16>()?;
        let image = read_image_head(input, input.number() == 62)?;
        split.parent_key = input.take(parent_key)?;
        split.prefix_old = input.take(prefix_old)?;
        split.prefix_new = input.take(prefix_new)?;
        split.image = read_image(input, image)?;
        Ok(split)
    }
    fn show_fields(&self, out: &mut String) {
        self.page.show("page", out);
        self.pgno_new.show("new", out);
        self.pgno_right.show("right", out);
        self.dbtime_right_before.show("right_before", out);
        self.pgno_parent.show("parent", out);
        self.dbtime_parent_before.show("parent_before", out);
        self.pgno_fdp.show("fdp", out);
        self.objid_fdp.show("objid", out);
        self.split_type.show("type", out);
        self.split_oper.show("oper", out);
        self.iline_oper.show("iline_oper", out);
        self.iline_split.show("iline_split", out);
        self.lines.show("lines", out);
        text(
            out,
            format_args!(
                " flags_new={:#x} flags_split={:#x} prefix_lines={},{}",
                self.new_page_flags,
                self.split_page_flags,
                self.iline_prefix_split,
                self.iline_prefix_new
            ),
        );
        self.parent_key.show("parent_key", out);
        self.prefix_old.show("prefix_old", out);
        self.prefix_new.show("prefix_new", out);
        self.image.show("image", out);
    }
}

/// One level of a merge. Type 63; 28 is the same without an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merge<'a> {
    /// The page whose nodes leave.
    pub page: PageHead,
    /// Its right neighbour, or 0.
    pub pgno_right: Pgno,
    /// Dbtime of that before.
    pub dbtime_right_before: DbTime,
    /// Its left neighbour, or 0.
    pub pgno_left: Pgno,
    /// Dbtime of that before.
    pub dbtime_left_before: DbTime,
    /// The parent, or 0.
    pub pgno_parent: Pgno,
    /// Dbtime of that before.
    pub dbtime_parent_before: DbTime,
    /// Root of the tree.
    pub pgno_fdp: Pgno,
    /// Object id of the tree.
    pub objid_fdp: ObjId,
    /// Bytes of the nodes that move.
    pub size_total: u16,
    /// The most they could grow to by undo.
    pub size_max_total: u16,
    /// Uncommitted free bytes of the destination.
    pub uncommitted_free_dest: u16,
    /// First line that moves.
    pub iline_merge: Iline,
    /// 1: the parent's key changes; 2: its node is deleted; 4: the page becomes empty.
    pub merge_flags: u8,
    /// How the pages merge.
    pub merge_type: MergeType,
    /// New key of the parent's node.
    pub parent_key: &'a [u8],
    /// Type 63: image of the page before (may be empty). `None`: type 28.
    pub image: Option<PageImage<'a>>,
}

impl<'b: 'a, 'a> Body<'b> for Merge<'a> {
    fn number(&self) -> u8 {
        if self.image.is_some() { 63 } else { 28 }
    }
    fn head(&self) -> Head {
        let mut head = Head::new(Body::number(self));
        head.field(self.page);
        head.field(self.pgno_right);
        head.field(self.dbtime_right_before);
        head.field(self.pgno_left);
        head.field(self.dbtime_left_before);
        head.field(self.pgno_parent);
        head.field(self.dbtime_parent_before);
        head.field(self.pgno_fdp);
        head.field(self.objid_fdp);
        head.field(self.size_total);
        head.field(self.size_max_total);
        head.field(self.uncommitted_free_dest);
        head.field(self.iline_merge);
        head.field(self.merge_flags);
        head.field(self.merge_type);
        head.len_of::<u16>(self.parent_key);
        put_image(&mut head, self.image);
        head
    }
    fn tail(&self) -> Tail<'_> {
        [self.parent_key, image_bytes(&self.image), &[], &[]]
    }
    fn decode(input: &mut Input<'b>) -> Result<Self> {
        let mut merge = Merge {
            page: input.field()?,
            pgno_right: input.field()?,
            dbtime_right_before: input.field()?,
            pgno_left: input.field()?,
            dbtime_left_before: input.field()?,
            pgno_parent: input.field()?,
            dbtime_parent_before: input.field()?,
            pgno_fdp: input.field()?,
            objid_fdp: input.field()?,
            size_total: input.field()?,
            size_max_total: input.field()?,
            uncommitted_free_dest: input.field()?,
            iline_merge: input.field()?,
            merge_flags: input.field()?,
            merge_type: input.field()?,
            parent_key: &[],
            image: None,
        };
        let parent_key = input.len_of::<u16>()?;
        let image = read_image_head(input, input.number() == 63)?;
        merge.parent_key = input.take(parent_key)?;
        merge.image = read_image(input, image)?;
        Ok(merge)
    }
    fn show_fields(&self, out: &mut String) {
        self.page.show("page", out);
        self.pgno_right.show("right", out);
        self.dbtime_right_before.show("right_before", out);
        self.pgno_left.show("left", out);
        self.dbtime_left_before.show("left_before", out);
        self.pgno_parent.show("parent", out);
        self.dbtime_parent_before.show("parent_before", out);
        self.pgno_fdp.show("fdp", out);
        self.objid_fdp.show("objid", out);
        self.merge_type.show("type", out);
        self.merge_flags.show("merge_flags", out);
        self.iline_merge.show("iline_merge", out);
        self.parent_key.show("parent_key", out);
        self.image.show("image", out);
    }
}

record_struct! {
    /// All pages of a tree but its root are freed.
    EmptyTree<'a> = 48 {
        /// The root.
        node: NodeHead,
        /// Items of 16 bytes, see [`EmptyTree::pages`].
        list: &'a [u8] => u16,
    }
    tail { list }
}

/// One page of an [`EmptyTree`] record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmptyTreePage {
    /// Its dbtime before.
    pub dbtime_before: DbTime,
    /// The page.
    pub pgno: Pgno,
    /// Its flags.
    pub page_flags: u32,
}

impl EmptyTree<'_> {
    /// The pages that are freed; a last item that is not whole is left out.
    pub fn pages(&self) -> impl Iterator<Item = EmptyTreePage> + '_ {
        self.list.as_chunks::<16>().0.iter().map(|item| {
            let (dbtime, rest) = item.split_at(8);
            let (pgno, flags) = rest.split_at(4);
            EmptyTreePage {
                dbtime_before: DbTime(u64::from_le_bytes(dbtime.try_into().unwrap_or_default())),
                pgno: Pgno(u32::from_le_bytes(pgno.try_into().unwrap_or_default())),
                page_flags: u32::from_le_bytes(flags.try_into().unwrap_or_default()),
            }
        })
    }
}

record_struct! {
    /// A page gets another page number; its content is in the record.
    PageMove<'a> = 65 {
        /// The page that is left.
        page: PageHead,
        /// The page it becomes.
        pgno_dest: Pgno,
        /// Left neighbour, or 0.
        pgno_left: Pgno,
        /// Right neighbour, or 0.
        pgno_right: Pgno,
        /// Parent.
        pgno_parent: Pgno,
        /// Dbtime of the left neighbour before.
        dbtime_left_before: DbTime,
        /// Dbtime of the right neighbour before.
        dbtime_right_before: DbTime,
        /// Dbtime of the parent before.
        dbtime_parent_before: DbTime,
        /// Root of the tree.
        pgno_fdp: Pgno,
        /// Object id of the tree.
        objid_fdp: ObjId,
        /// Line of the parent's node.
        iline_parent: i32,
        /// 1: a root with its own rules, ..
        move_flags: u32,
        /// First part of the page image: header and data.
        header: &'a [u8] => u32,
        /// Last part of the page image: the slots.
        trailer: &'a [u8] => u32,
    }
    tail { header, trailer }
}

record_struct! {
    /// A root page and its children's links move together with the following records.
    RootPageMove = 96 {
        /// Dbtime of the group.
        dbtime: DbTime,
        /// Database.
        dbid: Dbid,
        /// Object id of the tree.
        objid: ObjId,
        /// Session.
        procid: ProcId,
    }
}

/// A list of page numbers, as stored: 32-bit little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PgnoList<'a>(pub &'a [u8]);

impl PgnoList<'_> {
    /// The page numbers; a last one that is not whole is left out.
    pub fn iter(&self) -> impl Iterator<Item = Pgno> + '_ {
        self.0.as_chunks::<4>().0.iter().map(|item| Pgno(u32::from_le_bytes(*item)))
    }
}

/// The pages of the atomic group that ends with the next MacroCommit. Advisory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MacroInfo<'a> {
    /// The pages.
    pub pages: PgnoList<'a>,
}

impl<'b: 'a, 'a> Body<'b> for MacroInfo<'a> {
    fn number(&self) -> u8 {
        67
    }
    fn head(&self) -> Head {
        let mut head = Head::new(67);
        head.len_of::<u32>(self.pages.0);
        head
    }
    fn tail(&self) -> Tail<'_> {
        [self.pages.0, &[], &[], &[]]
    }
    fn decode(input: &mut Input<'b>) -> Result<Self> {
        let len = input.len_of::<u32>()?;
        Ok(MacroInfo { pages: PgnoList(input.take(len)?) })
    }
    fn show_fields(&self, out: &mut String) {
        out.push_str(" pages=");
        for (i, pgno) in self.pages.iter().enumerate() {
            text(out, format_args!("{}{pgno}", if i == 0 { "" } else { "," }));
        }
    }
}

/// Like [`MacroInfo`], with the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MacroInfo2<'a> {
    /// Database.
    pub dbid: Dbid,
    /// Number of pages, as stored.
    pub count: u32,
    /// The pages.
    pub pages: PgnoList<'a>,
}

impl<'b: 'a, 'a> Body<'b> for MacroInfo2<'a> {
    fn number(&self) -> u8 {
        73
    }
    fn head(&self) -> Head {
        let mut head = Head::new(73);
        // The length counts dbid and count too.
        match u32::try_from(self.pages.0.len() + 5) {
            Ok(len) => head.field(len),
            Err(_) => head.refuse(),
        }
        head.field(self.dbid);
        head.field(self.count);
        head
    }
    fn tail(&self) -> Tail<'_> {
        [self.pages.0, &[], &[], &[]]
    }
    fn decode(input: &mut Input<'b>) -> Result<Self> {
        let mut rest = input.sized_rest()?;
        Ok(MacroInfo2 { dbid: rest.field()?, count: rest.field()?, pages: PgnoList(rest.all()) })
    }
    fn show_fields(&self, out: &mut String) {
        self.dbid.show("dbid", out);
        self.count.show("count", out);
    }
}
