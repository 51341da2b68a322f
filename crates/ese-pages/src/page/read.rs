//! Reading a page.

use ese_base::{DbTime, Iline, ObjId, PageSize, Pgno};
use zerocopy::FromBytes;

use super::{
    Node, NodeFlags, PageFlags,
    layout::{
        ITAG_MASK, KEY_LEN_MASK, LARGE_PGNO_AT, LARGE_SLOT_MASK, NO_HEADER, NODE_FLAGS_SHIFT,
        PageHeader, SLOT_LEN, SMALL_SLOT_MASK,
    },
    prefetch::prefetch,
};

/// Bytes that the processor brings at once.
const CACHE_LINE: usize = 64;
/// Bytes of a node that are asked for before it is changed: it goes on by itself behind.
const PREFETCHED_MAX: usize = 4 * CACHE_LINE;

/// A page image to read. Cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct PageRef<'a> {
    bytes: &'a [u8],
    size: PageSize,
}

/// One slot, masked: where its line lies, and the node flags of a small page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Bytes of the line.
    pub(crate) cb: usize,
    /// Offset of the line from the end of the page header.
    pub(crate) ib: usize,
    /// Bits 13-15 of the offset word; flags on small pages, junk on large ones.
    pub(crate) high_bits: u8,
}

impl Slot {
    #[inline]
    fn decode([cb0, cb1, ib0, ib1]: [u8; SLOT_LEN], mask: u16) -> Slot {
        let (cb, ib) = (u16::from_le_bytes([cb0, cb1]), u16::from_le_bytes([ib0, ib1]));
        Slot {
            cb: usize::from(cb & mask),
            ib: usize::from(ib & mask),
            high_bits: ib1 >> (NODE_FLAGS_SHIFT - 8),
        }
    }
}

impl<'a> PageRef<'a> {
    /// Reads `bytes` as one page. Bytes beyond the page size are ignored; an image that is too
    /// short reads as blank.
    #[inline]
    #[must_use]
    pub fn new(bytes: &'a [u8], size: PageSize) -> PageRef<'a> {
        PageRef { bytes: bytes.get(..size.bytes()).unwrap_or(&[]), size }
    }

    /// The image.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The page size.
    #[inline]
    #[must_use]
    pub fn size(&self) -> PageSize {
        self.size
    }

    #[inline]
    pub(crate) fn header(&self) -> &'a PageHeader {
        PageHeader::ref_from_prefix(self.bytes).map_or(&NO_HEADER, |(header, _)| header)
    }

    /// Database time of the last change.
    #[inline]
    #[must_use]
    pub fn dbtime(&self) -> DbTime {
        DbTime(self.header().dbtime_dirtied.get())
    }

    /// Left sibling of a leaf.
    #[inline]
    #[must_use]
    pub fn prev(&self) -> Pgno {
        Pgno(self.header().pgno_prev.get())
    }

    /// Right sibling of a leaf.
    #[inline]
    #[must_use]
    pub fn next(&self) -> Pgno {
        Pgno(self.header().pgno_next.get())
    }

    /// The tree that the page belongs to.
    #[inline]
    #[must_use]
    pub fn objid(&self) -> ObjId {
        ObjId(self.header().objid_fdp.get())
    }

    /// What the page is.
    #[inline]
    #[must_use]
    pub fn flags(&self) -> PageFlags {
        PageFlags::from_bits_retain(self.header().flags.get())
    }

    /// The page's own number, which only large pages store.
    #[must_use]
    pub fn stored_pgno(&self) -> Option<Pgno> {
        if self.size.is_small() {
            return None;
        }
        let word = self.bytes.get(LARGE_PGNO_AT..)?.first_chunk::<4>()?;
        Some(Pgno(u32::from_le_bytes(*word)))
    }

    /// Was the page never written: is its whole header zero (edb-format 1.1)?
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.bytes.iter().take(self.size.header_len()).all(|&byte| byte == 0)
    }

    /// Does it hold entries, not child pages?
    #[inline]
    #[must_use]
    pub fn is_leaf(&self) -> bool {
        self.flags().contains(PageFlags::LEAF)
    }

    /// Is it the root of a tree or of a space tree?
    #[inline]
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.flags().contains(PageFlags::ROOT)
    }

    /// Bytes that lines and their slots can still take, gaps included (cbFree).
    #[inline]
    #[must_use]
    pub fn free_bytes(&self) -> usize {
        usize::from(self.header().cb_free.get())
    }

    /// The part of the free bytes that uncommitted deletes gave; 0 in clean files.
    #[must_use]
    pub fn uncommitted_free(&self) -> usize {
        usize::from(self.header().cb_uncommitted_free.get())
    }

    /// Offset, from the end of the page header, behind which no line lies (ibMicFree).
    #[must_use]
    pub(crate) fn ib_mic_free(&self) -> usize {
        usize::from(self.header().ib_mic_free.get())
    }

    /// Slots in the array as the header counts them, external header included.
    #[inline]
    pub(crate) fn tag_count(&self) -> usize {
        usize::from(self.header().itag_state.get() & ITAG_MASK)
    }

    /// Slots before the first node: 1, or up to 7 on pages of update 270 and later.
    #[inline]
    pub(crate) fn reserved_tags(&self) -> usize {
        usize::from(self.header().itag_state.get() >> 12 & 7).max(1)
    }

    /// The most slots that fit between the page header and the page's end.
    #[inline]
    pub(crate) fn tag_count_max(&self) -> usize {
        self.bytes.len().saturating_sub(self.size.header_len()) / SLOT_LEN
    }

    /// Nodes on the page; the external header is not counted. Never more than fit on a page.
    #[inline]
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.tag_count().min(self.tag_count_max()).saturating_sub(self.reserved_tags())
    }

    #[inline]
    pub(crate) fn slot(&self, itag: usize) -> Slot {
        let mask = if self.size.is_small() { SMALL_SLOT_MASK } else { LARGE_SLOT_MASK };
        // Wrapped around for an impossible slot, and then out of range.
        let at = self.bytes.len().wrapping_sub((itag + 1) * SLOT_LEN);
        match self.bytes.get(at..).and_then(<[u8]>::first_chunk) {
            Some(slot) => Slot::decode(*slot, mask),
            None => Slot::default(),
        }
    }

    /// Asks the processor for what a change of a node touches: its line, and where a new or a
    /// longer one would go. Only a hint.
    pub(crate) fn prefetch_change(&self, iline: Option<Iline>) {
        let lines = self.size.header_len();
        prefetch(self.bytes, lines + self.ib_mic_free());
        let Some(iline) = iline else { return };
        let slot = self.slot(usize::from(iline.0) + self.reserved_tags());
        let begin = lines + slot.ib;
        for at in (begin..begin + slot.cb.min(PREFETCHED_MAX)).step_by(CACHE_LINE) {
            prefetch(self.bytes, at);
        }
    }

    /// The line of a slot; empty if it does not lie inside the page.
    #[inline]
    pub(crate) fn line(&self, itag: usize) -> &'a [u8] {
        let slot = self.slot(itag);
        let start = self.size.header_len() + slot.ib;
        self.bytes.get(start..start + slot.cb).unwrap_or(&[])
    }

    /// Slot 0: the space header of a root, the prefix key of any other page (edb-format 4.2).
    #[inline]
    #[must_use]
    pub fn external_header(&self) -> &'a [u8] {
        if self.tag_count() == 0 { &[] } else { self.line(0) }
    }

    /// The page's prefix key; empty on roots, which do not compress keys.
    #[inline]
    #[must_use]
    pub fn prefix(&self) -> &'a [u8] {
        if self.is_root() { &[] } else { self.external_header() }
    }

    /// A view for reading many nodes: what all of them share is looked up once.
    #[inline]
    #[must_use]
    pub fn reader(&self) -> NodeReader<'a> {
        // Clamped, so the nodes' part of the slot array lies inside the page.
        let (count, reserved) = (self.node_count(), self.reserved_tags());
        let end = self.bytes.len().saturating_sub(reserved * SLOT_LEN);
        let slots = self.bytes.get(end.saturating_sub(count * SLOT_LEN)..end).unwrap_or(&[]);
        NodeReader {
            bytes: self.bytes,
            header_len: self.size.header_len(),
            small: self.size.is_small(),
            slots: slots.as_chunks::<SLOT_LEN>().0,
            prefix: self.prefix(),
        }
    }

    /// Node `iline`, counted from 0. Out of range, or where bytes are wrong: an empty node.
    #[inline]
    #[must_use]
    pub fn node(&self, iline: usize) -> Node<'a> {
        self.reader().node(iline)
    }

    /// The nodes in key order, deleted ones included.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = Node<'a>> + ExactSizeIterator + use<'a> {
        let reader = self.reader();
        (0..reader.count()).map(move |iline| reader.node(iline))
    }

    /// Bytes of `key` that the page's prefix key supplies when it is stored here: all they have in
    /// common if that is more than 2, else 0; on roots always 0 (edb-format 4.3).
    #[inline]
    #[must_use]
    pub fn compress_len(&self, key: &[u8]) -> usize {
        let common = common_len(self.prefix(), key);
        if common > 2 { common } else { 0 }
    }

    /// Does a line of that many bytes fit, with its slot? (Perhaps only after reorganisation.)
    #[inline]
    #[must_use]
    pub fn fits(&self, line_len: usize) -> bool {
        line_len + SLOT_LEN <= self.free_bytes()
    }

    /// Bytes of the line of a node (node header, suffix and data); 0 if out of range.
    #[inline]
    #[must_use]
    pub fn line_len(&self, iline: usize) -> usize {
        if iline < self.node_count() { self.slot(iline + self.reserved_tags()).cb } else { 0 }
    }
}

/// Reads nodes of one page; made by [`PageRef::reader`].
#[derive(Clone, Copy, Debug)]
pub struct NodeReader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) header_len: usize,
    pub(super) small: bool,
    /// The slots of the nodes, the last node's first.
    pub(super) slots: &'a [[u8; SLOT_LEN]],
    pub(super) prefix: &'a [u8],
}

/// A line taken apart, before its prefix is looked up.
#[derive(Clone, Copy, Default)]
pub(super) struct RawNode<'a> {
    pub(super) cb_prefix: usize,
    pub(super) cb_suffix: usize,
    /// Suffix, then data.
    pub(super) body: &'a [u8],
    pub(super) flags: u8,
}

impl<'a> NodeReader<'a> {
    /// Nodes on the page.
    #[inline]
    #[must_use]
    pub fn count(&self) -> usize {
        self.slots.len()
    }

    /// Asks the processor for the beginning of a node. Only a hint.
    #[inline(always)]
    pub(super) fn prefetch(&self, iline: usize) {
        let mask = if self.small { SMALL_SLOT_MASK } else { LARGE_SLOT_MASK };
        let at = self.slots.len().wrapping_sub(iline + 1);
        if let Some(slot) = self.slots.get(at) {
            prefetch(self.bytes, self.header_len + Slot::decode(*slot, mask).ib);
        }
    }

    #[inline]
    pub(super) fn raw(&self, iline: usize) -> RawNode<'a> {
        self.try_raw(iline).unwrap_or_default()
    }

    #[inline]
    fn try_raw(&self, iline: usize) -> Option<RawNode<'a>> {
        let mask = if self.small { SMALL_SLOT_MASK } else { LARGE_SLOT_MASK };
        let at = self.slots.len().checked_sub(iline + 1)?;
        let slot = Slot::decode(*self.slots.get(at)?, mask);
        let start = self.header_len + slot.ib;
        let line = self.bytes.get(start..start + slot.cb)?;
        let (first, rest) = split_u16(line)?;
        let flags =
            if self.small { slot.high_bits } else { (first >> NODE_FLAGS_SHIFT).to_le_bytes()[0] };
        let first = usize::from(first & KEY_LEN_MASK);
        if flags & NodeFlags::COMPRESSED.bits() == 0 {
            return Some(RawNode { cb_prefix: 0, cb_suffix: first, body: rest, flags });
        }
        let (second, body) = split_u16(rest)?;
        Some(RawNode {
            cb_prefix: first,
            cb_suffix: usize::from(second & KEY_LEN_MASK),
            body,
            flags,
        })
    }

    /// Node `iline`, counted from 0. Out of range, or where bytes are wrong: an empty node.
    #[inline]
    #[must_use]
    pub fn node(&self, iline: usize) -> Node<'a> {
        let raw = self.raw(iline);
        let Some((suffix, data)) = raw.body.split_at_checked(raw.cb_suffix) else {
            return Node::default();
        };
        let Some(prefix) = self.prefix.get(..raw.cb_prefix) else {
            return Node::default();
        };
        Node { prefix, suffix, data, flags: NodeFlags::from_bits_truncate(raw.flags) }
    }
}

#[inline]
fn split_u16(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (word, rest) = bytes.split_first_chunk::<2>()?;
    Some((u16::from_le_bytes(*word), rest))
}

/// Bytes that two strings have in common from their start.
#[inline]
#[must_use]
pub(crate) fn common_len(left: &[u8], right: &[u8]) -> usize {
    let ((left_words, _), (right_words, _)) = (left.as_chunks::<8>(), right.as_chunks::<8>());
    let mut common = 0;
    for (l, r) in left_words.iter().zip(right_words) {
        let difference = u64::from_le_bytes(*l) ^ u64::from_le_bytes(*r);
        if difference != 0 {
            return common + usize::from((difference.trailing_zeros() / 8).to_le_bytes()[0]);
        }
        common += 8;
    }
    let rest = left.iter().zip(right).skip(common);
    common + rest.take_while(|(l, r)| l == r).count()
}
