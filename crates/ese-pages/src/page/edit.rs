//! Changing a page.
//!
//! Every method either does all of its change and keeps the bookkeeping exact (edb-format 3.3), or
//! answers an error and leaves the page's content as it was (a refused insert or replace may have
//! moved lines together). The errors are the last line of defence: callers ask [`PageRef::fits`]
//! and check line numbers before they log a change.

use ese_base::{DbTime, Error, JetErr, ObjId, PageSize, Pgno, Result};
use zerocopy::FromBytes;

use super::{
    NodeFlags, PageFlags, PageRef,
    layout::{
        ITAG_MASK, KEY_LEN_MASK, LARGE_PGNO_AT, LARGE_SLOT_MASK, NODE_FLAGS_SHIFT, PageHeader,
        SLOT_LEN, SMALL_SLOT_MASK,
    },
    read::{Slot, common_len},
};

/// A page image to change.
#[derive(Debug)]
pub struct PageMut<'a> {
    bytes: &'a mut [u8],
    size: PageSize,
}

/// Space left between the last line and the slot array, slot of a new line not counted.
struct Room {
    tags: usize,
    ib_mic_free: usize,
    contiguous: usize,
}

impl<'a> PageMut<'a> {
    /// Changes `bytes` as one page. They must be at least as long as a page; every change of a
    /// shorter image is refused.
    #[inline]
    #[must_use]
    pub fn new(bytes: &'a mut [u8], size: PageSize) -> PageMut<'a> {
        let len = bytes.len().min(size.bytes());
        let (bytes, _) = bytes.split_at_mut(len);
        PageMut { bytes, size }
    }

    /// Makes it an empty page (all else zero): no node, no external header. The two flags of the
    /// format are added. Large pages also get their own number.
    pub fn init(&mut self, pgno: Pgno, objid: ObjId, flags: PageFlags, dbtime: DbTime) {
        self.bytes.fill(0);
        let usable = self.size.bytes() - self.size.header_len();
        if let Some(header) = self.header_mut() {
            header.dbtime_dirtied = dbtime.0.into();
            header.objid_fdp = objid.0.into();
            header.flags = (flags | PageFlags::FORMAT).bits().into();
            header.itag_state = 1.into();
            header.cb_free = word(usable - SLOT_LEN).into();
        }
        self.set_stored_pgno(pgno);
    }

    /// Sets the number that a large page knows of itself; small ones have none.
    pub fn set_stored_pgno(&mut self, pgno: Pgno) {
        if !self.size.is_small()
            && let Some(own) = self.bytes.get_mut(LARGE_PGNO_AT..LARGE_PGNO_AT + 4)
        {
            own.copy_from_slice(&pgno.0.to_le_bytes());
        }
    }

    /// The page, to read.
    #[inline]
    #[must_use]
    pub fn as_ref(&self) -> PageRef<'_> {
        PageRef::new(self.bytes, self.size)
    }

    /// The image, to read.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes
    }

    /// The image, to overwrite as a whole (a page image from a log record, a copy).
    #[must_use]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.bytes
    }

    #[inline]
    fn header_mut(&mut self) -> Option<&mut PageHeader> {
        PageHeader::mut_from_prefix(self.bytes).ok().map(|(header, _)| header)
    }

    /// Sets the database time of the last change.
    #[inline]
    pub fn set_dbtime(&mut self, dbtime: DbTime) {
        if let Some(header) = self.header_mut() {
            header.dbtime_dirtied = dbtime.0.into();
        }
    }

    /// Sets the left sibling.
    pub fn set_prev(&mut self, pgno: Pgno) {
        if let Some(header) = self.header_mut() {
            header.pgno_prev = pgno.0.into();
        }
    }

    /// Sets the right sibling.
    pub fn set_next(&mut self, pgno: Pgno) {
        if let Some(header) = self.header_mut() {
            header.pgno_next = pgno.0.into();
        }
    }

    /// Sets the owning tree.
    pub fn set_objid(&mut self, objid: ObjId) {
        if let Some(header) = self.header_mut() {
            header.objid_fdp = objid.0.into();
        }
    }

    /// Sets what the page is. The two flags of the format are added.
    pub fn set_flags(&mut self, flags: PageFlags) {
        if let Some(header) = self.header_mut() {
            header.flags = (flags | PageFlags::FORMAT).bits().into();
        }
    }

    /// Bytes of the line of a node with these parts.
    #[inline]
    #[must_use]
    pub const fn node_len(cb_prefix: usize, suffix_len: usize, data_len: usize) -> usize {
        (if cb_prefix == 0 { 2 } else { 4 }) + suffix_len + data_len
    }

    /// Does a line of that many bytes fit, with its slot? (Perhaps only after reorganisation.)
    #[inline]
    #[must_use]
    pub fn fits(&self, line_len: usize) -> bool {
        self.as_ref().fits(line_len)
    }

    /// Inserts a node before node `iline` (at the end if that is the node count). `cb_prefix`
    /// bytes of its key come from the page's prefix key; [`NodeFlags::COMPRESSED`] is set or
    /// cleared accordingly, whatever `flags` says.
    ///
    /// # Errors
    /// `JET_errInternalError` if it does not fit or a position is out of range (the caller did not
    /// ask), `JET_errPageTagCorrupted` if the page's bookkeeping is wrong.
    pub fn insert_node(
        &mut self,
        iline: usize,
        cb_prefix: usize,
        suffix: &[u8],
        data: &[u8],
        flags: NodeFlags,
    ) -> Result<()> {
        let page = self.as_ref();
        let itag = iline + page.reserved_tags();
        let cb = Self::node_len(cb_prefix, suffix.len(), data.len());
        if iline > page.node_count() || !page.fits(cb) || cb > self.size.bytes() {
            return Err(refused("insert", iline, cb, &page));
        }
        if cb_prefix > page.prefix().len() || suffix.len() > usize::from(KEY_LEN_MASK) {
            return Err(refused("insert with this key", iline, cb, &page));
        }
        if page.tag_count() >= usize::from(ITAG_MASK) {
            return Err(damaged(itag, "the page has as many slots as its header can count"));
        }
        let room = self.make_room(cb + SLOT_LEN)?;
        self.open_slot(itag, room.tags)?;
        let slot = Slot { cb, ib: room.ib_mic_free, high_bits: 0 };
        let mut flags = flags;
        flags.set(NodeFlags::COMPRESSED, cb_prefix != 0);
        self.write_slot(itag, slot, flags)?;
        self.write_line(slot, cb_prefix, suffix, data, flags)?;
        if let Some(header) = self.header_mut() {
            header.itag_state = (header.itag_state.get() + 1).into();
            header.ib_mic_free = word(slot.ib + cb).into();
            header.cb_free = (header.cb_free.get() - word(cb + SLOT_LEN)).into();
        }
        Ok(())
    }

    /// Replaces the data of node `iline`; key and flags stay. An equal or shorter value stays in
    /// place, a longer one moves behind the last line if it cannot grow where it is.
    ///
    /// # Errors
    /// `JET_errInternalError` if it does not fit or there is no such node,
    /// `JET_errPageTagCorrupted` or `JET_errNodeCorrupted` if the page is not sound.
    pub fn replace_data(&mut self, iline: usize, data: &[u8]) -> Result<()> {
        let page = self.as_ref();
        if iline >= page.node_count() {
            return Err(refused("replace", iline, data.len(), &page));
        }
        let itag = iline + page.reserved_tags();
        let old_data = page.node(iline).data.len();
        let old = page.slot(itag);
        // All before the data: node header and suffix.
        let Some(head) = old.cb.checked_sub(old_data).filter(|&head| head >= 2) else {
            return Err(damaged(itag, "its line is shorter than its data"));
        };
        let cb = head + data.len();
        if cb.saturating_sub(old.cb) > page.free_bytes() || cb > self.size.bytes() {
            return Err(refused("replace", iline, cb, &page));
        }
        let slot = self.resize_line(itag, old, cb, head)?;
        let at = self.size.header_len() + slot.ib + head;
        self.slice_mut(at, data.len())?.copy_from_slice(data);
        Ok(())
    }

    /// Removes node `iline` physically.
    ///
    /// # Errors
    /// `JET_errInternalError` if there is no such node, `JET_errPageTagCorrupted` if the page's
    /// bookkeeping is wrong.
    pub fn delete_node(&mut self, iline: usize) -> Result<()> {
        let page = self.as_ref();
        if iline >= page.node_count() {
            return Err(refused("delete", iline, 0, &page));
        }
        let tags = page.tag_count();
        let itag = iline + page.reserved_tags();
        let slot = page.slot(itag);
        let (ib_mic_free, free) = (page.ib_mic_free(), page.free_bytes() + slot.cb + SLOT_LEN);
        if free > self.size.bytes() || tags > page.tag_count_max() {
            return Err(damaged(itag, "slots, free space and its length exceed the page"));
        }
        let end = self.bytes.len();
        // The slots behind it (lower in memory) move up over it.
        let behind = end - SLOT_LEN * tags..end - SLOT_LEN * (itag + 1);
        self.bytes.copy_within(behind, end - SLOT_LEN * (tags - 1));
        let empty = tags == 2 && self.as_ref().slot(0).cb == 0;
        if let Some(header) = self.header_mut() {
            header.itag_state = (header.itag_state.get() - 1).into();
            header.cb_free = word(free).into();
            if empty {
                header.ib_mic_free = 0.into();
            } else if slot.ib + slot.cb == ib_mic_free {
                header.ib_mic_free = word(slot.ib).into();
            }
        }
        Ok(())
    }

    /// Sets the flags of node `iline`. [`NodeFlags::COMPRESSED`] stays as it is: it belongs to the
    /// bytes of the line.
    ///
    /// # Errors
    /// `JET_errInternalError` if there is no such node, `JET_errPageTagCorrupted` if its line does
    /// not lie inside the page.
    pub fn set_node_flags(&mut self, iline: usize, flags: NodeFlags) -> Result<()> {
        let page = self.as_ref();
        if iline >= page.node_count() {
            return Err(refused("set flags", iline, 0, &page));
        }
        let itag = iline + page.reserved_tags();
        let slot = page.slot(itag);
        let mut flags = flags;
        flags.set(NodeFlags::COMPRESSED, page.node(iline).flags.contains(NodeFlags::COMPRESSED));
        if self.size.is_small() {
            return self.write_slot(itag, slot, flags);
        }
        let at = self.size.header_len() + slot.ib;
        let first = self.slice_mut(at, 2)?;
        if let [_, high] = first {
            *high = (*high & 0x1f) | (flags.bits() << (NODE_FLAGS_SHIFT - 8));
        }
        Ok(())
    }

    /// Sets slot 0: the space header of a root, the prefix key of any other page.
    ///
    /// # Errors
    /// `JET_errInternalError` if it does not fit, or if compressed nodes use prefix bytes that
    /// would change under them; `JET_errPageTagCorrupted` if the bookkeeping is wrong.
    pub fn set_external_header(&mut self, value: &[u8]) -> Result<()> {
        let page = self.as_ref();
        let old = page.slot(0);
        if page.tag_count() == 0 || value.len().saturating_sub(old.cb) > page.free_bytes() {
            return Err(Error::new(
                JetErr::InternalError,
                format!(
                    "an external header of {} bytes does not fit: {} free, old one {} bytes",
                    value.len(),
                    page.free_bytes(),
                    old.cb
                ),
            ));
        }
        let used = page.nodes().map(|node| node.prefix.len()).max().unwrap_or(0);
        if used > common_len(page.prefix(), value) {
            return Err(Error::new(
                JetErr::InternalError,
                format!("nodes use {used} bytes of the prefix key that is to be replaced"),
            ));
        }
        let slot = self.resize_line(0, old, value.len(), 0)?;
        let at = self.size.header_len() + slot.ib;
        self.slice_mut(at, value.len())?.copy_from_slice(value);
        Ok(())
    }

    /// Moves the lines together, in slot order, so that all free space is one piece. A page whose
    /// slots are not sound stays as it is.
    pub fn reorganise(&mut self) {
        // The scratch copy lives on the stack; most pages are small, so it is sized by the page.
        match self.size {
            PageSize::K2 => self.reorganise_with(&mut [0; 2048]),
            PageSize::K4 => self.reorganise_with(&mut [0; 4096]),
            PageSize::K8 => self.reorganise_with(&mut [0; 8192]),
            PageSize::K16 => self.reorganise_with(&mut [0; 16384]),
            PageSize::K32 => self.reorganise_with(&mut [0; 32768]),
        }
    }

    fn reorganise_with(&mut self, scratch: &mut [u8]) {
        let header_len = self.size.header_len();
        let page = self.as_ref();
        let tags = page.tag_count();
        if page.bytes().len() != scratch.len() || tags > page.tag_count_max() {
            return;
        }
        // Sound means here: every line inside the page, and all of them together fit.
        let mut sum = 0;
        for itag in 0..tags {
            let slot = page.slot(itag);
            if page.line(itag).len() != slot.cb {
                return;
            }
            sum += slot.cb;
        }
        if header_len + sum + SLOT_LEN * tags > scratch.len() {
            return;
        }
        scratch.copy_from_slice(self.bytes);
        let old = PageRef::new(scratch, self.size);
        let mut ib = 0;
        for itag in 0..tags {
            let line = old.line(itag);
            if let Some(to) = self.bytes.get_mut(header_len + ib..header_len + ib + line.len()) {
                to.copy_from_slice(line);
            }
            let slot = old.slot(itag);
            // Cannot fail: the slot was read from this array.
            if self.place_slot(itag, Slot { ib, ..slot }).is_err() {
                return;
            }
            ib += line.len();
        }
        if let Some(header) = self.header_mut() {
            header.ib_mic_free = word(ib).into();
        }
    }

    fn room(&self) -> Room {
        let page = self.as_ref();
        let (tags, ib_mic_free) = (page.tag_count(), page.ib_mic_free());
        let contiguous = page
            .bytes()
            .len()
            .saturating_sub(self.size.header_len() + ib_mic_free + SLOT_LEN * tags);
        Room { tags, ib_mic_free, contiguous }
    }

    /// Sees to it that `bytes` lie free in one piece behind the last line.
    #[inline]
    fn make_room(&mut self, bytes: usize) -> Result<Room> {
        let room = self.room();
        if room.contiguous >= bytes { Ok(room) } else { self.make_room_slowly(bytes) }
    }

    #[cold]
    fn make_room_slowly(&mut self, bytes: usize) -> Result<Room> {
        self.reorganise();
        let room = self.room();
        if room.contiguous >= bytes {
            return Ok(room);
        }
        Err(Error::new(
            JetErr::PageTagCorrupted,
            format!(
                "free-space bookkeeping: cbFree is {}, but only {} bytes are free after \
                 reorganisation",
                self.as_ref().free_bytes(),
                room.contiguous
            ),
        ))
    }

    /// Gives the line of `itag` a new length and keeps its first `keep` bytes. The slot then names
    /// where it lies. The caller has checked that the free bytes suffice.
    fn resize_line(&mut self, itag: usize, old: Slot, cb: usize, keep: usize) -> Result<Slot> {
        if self.as_ref().line(itag).len() != old.cb {
            return Err(damaged(itag, "its line does not lie inside the page"));
        }
        let room = self.room();
        let last = old.ib + old.cb == room.ib_mic_free;
        let (slot, ib_mic_free) = if cb <= old.cb {
            let ib_mic_free = if last { old.ib + cb } else { room.ib_mic_free };
            (Slot { cb, ..old }, ib_mic_free)
        } else if last && cb - old.cb <= room.contiguous {
            (Slot { cb, ..old }, old.ib + cb)
        } else if cb <= room.contiguous {
            let from = self.size.header_len() + old.ib;
            let to = self.size.header_len() + room.ib_mic_free;
            if keep > 0 {
                self.bytes.copy_within(from..from + keep, to);
            }
            (Slot { cb, ib: room.ib_mic_free, ..old }, room.ib_mic_free + cb)
        } else {
            return self.resize_line_after_reorganising(itag, cb, keep);
        };
        self.place_slot(itag, slot)?;
        if let Some(header) = self.header_mut() {
            header.ib_mic_free = word(ib_mic_free).into();
            let free = (usize::from(header.cb_free.get()) + old.cb).saturating_sub(cb);
            header.cb_free = word(free).into();
        }
        Ok(slot)
    }

    /// The way out when the free bytes suffice only together with the line's own: all lines are
    /// moved together, then this one behind the others, where it can grow.
    #[cold]
    fn resize_line_after_reorganising(
        &mut self,
        itag: usize,
        cb: usize,
        keep: usize,
    ) -> Result<Slot> {
        self.reorganise();
        let old = self.as_ref().slot(itag);
        let room = self.room();
        if cb.saturating_sub(old.cb) > room.contiguous || old.ib + old.cb > room.ib_mic_free {
            return Err(damaged(itag, "cbFree promises space that is not there"));
        }
        let header_len = self.size.header_len();
        let from = header_len + old.ib;
        let behind = room.ib_mic_free - old.ib;
        self.slice_mut(from, behind)?.rotate_left(old.cb);
        for other in 0..room.tags {
            let slot = self.as_ref().slot(other);
            if other != itag && slot.ib >= old.ib + old.cb {
                self.place_slot(other, Slot { ib: slot.ib - old.cb, ..slot })?;
            }
        }
        let moved = Slot { ib: room.ib_mic_free - old.cb, ..old };
        self.place_slot(itag, moved)?;
        // Now it is the last line, so this ends in the second branch.
        self.resize_line(itag, moved, cb, keep)
    }

    /// Opens a gap in the slot array at `itag`.
    #[inline]
    fn open_slot(&mut self, itag: usize, tags: usize) -> Result<()> {
        let end = self.bytes.len();
        if itag > tags || SLOT_LEN * (tags + 1) > end {
            return Err(damaged(itag, "the slot array is shorter than that"));
        }
        let moved = end - SLOT_LEN * tags..end - SLOT_LEN * itag;
        if !moved.is_empty() {
            self.bytes.copy_within(moved, end - SLOT_LEN * (tags + 1));
        }
        Ok(())
    }

    /// Writes a slot with node flags, which only small pages keep there.
    #[inline]
    fn write_slot(&mut self, itag: usize, slot: Slot, flags: NodeFlags) -> Result<()> {
        let high_bits = if self.size.is_small() { flags.bits() } else { 0 };
        self.place_slot(itag, Slot { high_bits, ..slot })
    }

    /// Writes a slot; on small pages `high_bits` are the node flags.
    #[inline]
    fn place_slot(&mut self, itag: usize, slot: Slot) -> Result<()> {
        let (mask, high_bits) = if self.size.is_small() {
            (SMALL_SLOT_MASK, u16::from(slot.high_bits))
        } else {
            (LARGE_SLOT_MASK, 0)
        };
        let cb = word(slot.cb) & mask;
        let ib = (word(slot.ib) & mask) | (high_bits << NODE_FLAGS_SHIFT);
        let at = self.bytes.len().wrapping_sub((itag + 1) * SLOT_LEN);
        let ([cb0, cb1], [ib0, ib1]) = (cb.to_le_bytes(), ib.to_le_bytes());
        let to = self.bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<SLOT_LEN>);
        let Some(to) = to else {
            return Err(damaged(itag, "the slot lies outside the page"));
        };
        *to = [cb0, cb1, ib0, ib1];
        Ok(())
    }

    #[inline]
    fn write_line(
        &mut self,
        slot: Slot,
        cb_prefix: usize,
        suffix: &[u8],
        data: &[u8],
        flags: NodeFlags,
    ) -> Result<()> {
        let flag_bits = if self.size.is_small() { 0 } else { u16::from(flags.bits()) };
        let line = self.slice_mut(self.size.header_len() + slot.ib, slot.cb)?;
        let head = if cb_prefix == 0 { 2 } else { 4 };
        let (line_head, body) = line.split_at_mut(head);
        let first = if cb_prefix == 0 { suffix.len() } else { cb_prefix };
        let first = word(first) | (flag_bits << NODE_FLAGS_SHIFT);
        match line_head {
            [a, b] => [*a, *b] = first.to_le_bytes(),
            [a, b, c, d] => {
                [*a, *b] = first.to_le_bytes();
                [*c, *d] = word(suffix.len()).to_le_bytes();
            }
            _ => {}
        }
        let (line_suffix, line_data) = body.split_at_mut(suffix.len());
        line_suffix.copy_from_slice(suffix);
        line_data.copy_from_slice(data);
        Ok(())
    }

    #[inline]
    fn slice_mut(&mut self, at: usize, len: usize) -> Result<&mut [u8]> {
        match self.bytes.get_mut(at..at + len) {
            Some(slice) => Ok(slice),
            None => Err(Error::new(
                JetErr::PageTagCorrupted,
                format!("{len} bytes at offset {at} do not lie inside the page"),
            )),
        }
    }
}

/// A length or offset within a page as 16 bits. Pages have at most 32768 bytes, so nothing that
/// has been checked against a page's size is ever cut.
#[inline]
fn word(value: usize) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

#[cold]
#[track_caller]
fn refused(what: &str, iline: usize, cb: usize, page: &PageRef<'_>) -> Error {
    Error::new(
        JetErr::InternalError,
        format!(
            "{what} at line {iline} ({cb} bytes) refused: the page has {} nodes and {} free bytes",
            page.node_count(),
            page.free_bytes()
        ),
    )
}

#[cold]
#[track_caller]
fn damaged(itag: usize, what: &str) -> Error {
    Error::new(JetErr::PageTagCorrupted, format!("slot {itag}: {what}"))
}
