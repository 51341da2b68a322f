//! Is a page sound, as far as one page can tell (edb-format 11, items 1 to 5)?
//!
//! Runs after the checksum, once per load. On a sound page every answer of [`PageRef`] is true and
//! every change that fits succeeds; what needs more than one page (links, separators, space,
//! the tree's object id) is checked by those who walk trees.

use std::{cmp::Ordering, fmt};

use ese_base::{Error, JetErr, PageSize, Pgno, Result};

use crate::page::{Node, NodeFlags, NodeReader, PageFlags, PageRef, layout::SLOT_LEN};

#[cfg(test)]
mod tests;

/// Why a page is looked at. Messages say it, and blank pages are judged by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validate {
    /// A cursor or the engine wants its content. A blank page is an error.
    Read,
    /// It is copied into a backup. Blank pages are allowed.
    Backup,
    /// The database is being verified. Blank pages are allowed.
    Verify,
}

impl fmt::Display for Validate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Validate::Read => "reading",
            Validate::Backup => "backing up",
            Validate::Verify => "verifying",
        })
    }
}

/// Checks one page.
///
/// # Errors
/// * `JET_errPageNotInitialized`: blank, see [`Validate`]
/// * `JET_errReadPgnoVerifyFailure`: a large page that says another number
/// * `JET_errDatabaseCorrupted`: flags that exclude each other
/// * `JET_errPageTagCorrupted`: slots, lines or free-space bookkeeping
/// * `JET_errNodeCorrupted`: a node, or the order of nodes
/// * `JET_errBadEmptyPage`: an internal page without children
pub fn validate(page: PageRef<'_>, pgno: Pgno, why: Validate) -> Result<()> {
    match check(page, pgno, why) {
        Ok(()) => Ok(()),
        Err(fault) => Err(fault.into_error(pgno, why)),
    }
}

/// What is wrong, before it gets its page and reason.
struct Fault {
    code: JetErr,
    text: String,
}

impl Fault {
    #[cold]
    fn new(code: JetErr, text: impl Into<String>) -> Fault {
        Fault { code, text: text.into() }
    }

    #[track_caller]
    fn into_error(self, pgno: Pgno, why: Validate) -> Error {
        let text =
            if self.text.is_empty() { String::new() } else { format!("{} ({why})", self.text) };
        Error::new(self.code, text).at_page(pgno)
    }
}

type Checked = std::result::Result<(), Fault>;

fn check(page: PageRef<'_>, pgno: Pgno, why: Validate) -> Checked {
    if page.bytes().len() != page.size().bytes() {
        return Err(Fault::new(
            JetErr::InternalError,
            format!("the image is shorter than a page of {} bytes", page.size()),
        ));
    }
    // Only a page without flags can be blank: saves a look at the whole header.
    if page.flags().is_empty() && page.is_blank() {
        return match why {
            Validate::Backup | Validate::Verify => Ok(()),
            Validate::Read => {
                Err(Fault::new(JetErr::PageNotInitialized, "the page is blank (all zero)"))
            }
        };
    }
    if let Some(stored) = page.stored_pgno().filter(|&stored| stored != pgno) {
        return Err(Fault::new(
            JetErr::ReadPgnoVerifyFailure,
            format!("expected page {pgno}, the page says it is {stored}"),
        ));
    }
    check_flags(page.flags())?;
    // Their content means nothing.
    if page.flags().intersects(PageFlags::EMPTY | PageFlags::PRE_INIT) && page.tag_count() == 0 {
        return Ok(());
    }
    check_lines(page)?;
    check_nodes(page)
}

fn check_flags(flags: PageFlags) -> Checked {
    let fault = |text: &str| {
        Err(Fault::new(
            JetErr::DatabaseCorrupted,
            format!("page flags {:#x}: {text}", flags.bits()),
        ))
    };
    if flags.contains(PageFlags::REPAIR) {
        return fault("the repair flag is set");
    }
    if flags.contains(PageFlags::EMPTY | PageFlags::PRE_INIT) {
        return fault("both emptied and not yet used");
    }
    if flags.contains(PageFlags::INDEX | PageFlags::LONG_VALUE) {
        return fault("both index and long value");
    }
    if flags.contains(PageFlags::LEAF | PageFlags::PARENT_OF_LEAF) {
        return fault("both leaf and parent of leaves");
    }
    Ok(())
}

/// Slots, lines and the bookkeeping of free space.
fn check_lines(page: PageRef<'_>) -> Checked {
    let tags = page.tag_count();
    let usable = page.size().bytes() - page.size().header_len();
    let tag_fault = |text: String| Err(Fault::new(JetErr::PageTagCorrupted, text));
    if tags < page.reserved_tags() || tags > page.tag_count_max() {
        return tag_fault(format!(
            "{tags} slots, expected {} to {}",
            page.reserved_tags(),
            page.tag_count_max()
        ));
    }
    let end = usable - SLOT_LEN * tags;
    let ib_mic_free = page.ib_mic_free();
    if ib_mic_free > end {
        return tag_fault(format!("ibMicFree {ib_mic_free} lies in the slot array (from {end})"));
    }
    let mut sum = 0;
    // As long as each line lies behind the one before, none can overlap another.
    let (mut ascending, mut behind) = (true, 0);
    for itag in 0..tags {
        let slot = page.slot(itag);
        if slot.cb == 0 {
            // No line, so its place means nothing (Windows leaves an old one in slot 0). Nodes
            // of no length are found with the nodes.
            continue;
        }
        if slot.ib + slot.cb > ib_mic_free {
            return tag_fault(format!(
                "slot {itag}: line of {} bytes at {} ends behind ibMicFree {ib_mic_free}",
                slot.cb, slot.ib
            ));
        }
        sum += slot.cb;
        ascending &= slot.ib >= behind;
        behind = slot.ib + slot.cb;
    }
    let free = usable.checked_sub(SLOT_LEN * tags + sum);
    if free != Some(page.free_bytes()) {
        return tag_fault(format!(
            "cbFree is {}, expected {} (lines of {sum} bytes, {tags} slots)",
            page.free_bytes(),
            free.map_or_else(|| String::from("none"), |free| free.to_string())
        ));
    }
    if page.uncommitted_free() > page.free_bytes() {
        return tag_fault(format!(
            "cbUncommittedFree {} exceeds cbFree {}",
            page.uncommitted_free(),
            page.free_bytes()
        ));
    }
    if ascending { Ok(()) } else { check_overlaps(page, tags) }
}

/// Marks the bytes of every line; no byte may be marked twice.
fn check_overlaps(page: PageRef<'_>, tags: usize) -> Checked {
    let mut taken = [0_u64; PageSize::K32.bytes() / 64];
    for itag in 0..tags {
        let slot = page.slot(itag);
        let (mut at, end) = (slot.ib, slot.ib + slot.cb);
        while at < end {
            // The bits of one word, from `at` to the line's end or the word's.
            let (in_word, upto) = (at % 64, (end - at / 64 * 64).min(64));
            let mask = (u64::MAX << in_word) & (u64::MAX >> (64 - upto));
            let Some(word) = taken.get_mut(at / 64) else { break };
            if *word & mask != 0 {
                return Err(Fault::new(
                    JetErr::PageTagCorrupted,
                    format!(
                        "slot {itag}: line of {} bytes at {} overlaps another",
                        slot.cb, slot.ib
                    ),
                ));
            }
            *word |= mask;
            at += upto - in_word;
        }
    }
    Ok(())
}

/// Every node, and their order. The lines are known to lie inside the page.
fn check_nodes(page: PageRef<'_>) -> Checked {
    let reader = page.reader();
    let kind = Kind {
        leaf: page.is_leaf(),
        root: page.is_root(),
        by_data: page.flags().contains(PageFlags::NON_UNIQUE),
    };
    if !kind.leaf && reader.count() == 0 && !page.flags().contains(PageFlags::EMPTY) {
        return Err(Fault::new(JetErr::BadEmptyPage, "an internal page without children"));
    }
    let mut before = None;
    for iline in 0..reader.count() {
        let node = reader.node(iline);
        let last = iline + 1 == reader.count();
        if !kind.accepts(&node, last) {
            return Err(kind.explain(page, &reader, iline));
        }
        if let Some(before) = before.replace(node)
            && !kind.ascending(&before, &node)
        {
            // The last separator of the rightmost internal page is empty: infinite.
            if !(last && !kind.leaf && node.key_len() == 0) {
                return Err(Fault::new(
                    JetErr::NodeCorrupted,
                    format!(
                        "slot {}: its key is not greater than that of the slot before",
                        iline + page.reserved_tags()
                    ),
                ));
            }
        }
    }
    Ok(())
}

struct Kind {
    leaf: bool,
    root: bool,
    by_data: bool,
}

impl Kind {
    /// A damaged line reads as an empty node, which has no data and fails here.
    #[inline]
    fn accepts(&self, node: &Node<'_>, last: bool) -> bool {
        let compressed = node.flags.contains(NodeFlags::COMPRESSED);
        let key = node.key_len() > 0 || (last && !self.leaf);
        let data = if self.leaf { !node.data.is_empty() } else { node.data.len() == 4 };
        let prefix = !compressed || (!self.root && node.prefix.len() > 1);
        let flags = self.leaf || !node.flags.intersects(NodeFlags::VERSIONED | NodeFlags::DELETED);
        key && data && prefix && flags
    }

    #[inline]
    fn ascending(&self, before: &Node<'_>, node: &Node<'_>) -> bool {
        let order = if before.prefix.len() == node.prefix.len() {
            before.suffix.cmp(node.suffix)
        } else {
            order_of_keys(before, node)
        };
        match order {
            Ordering::Less if !self.by_data || !self.leaf => true,
            Ordering::Greater if !self.by_data || !self.leaf => false,
            Ordering::Equal if !self.by_data || !self.leaf => false,
            // Key and data count as one string: a key may be the beginning of the other's key and
            // data, so an order found inside both keys stands, and any other is found anew.
            _ => entries_ascending(before, node),
        }
    }

    #[cold]
    fn explain(&self, page: PageRef<'_>, reader: &NodeReader<'_>, iline: usize) -> Fault {
        let itag = iline + page.reserved_tags();
        let (line, node) = (page.line(itag), reader.node(iline));
        let text = if node.data.is_empty() && node.key_len() == 0 {
            format!(
                "line of {} bytes (begins {:02x?}) does not hold its key lengths and data; the \
                 prefix key has {} bytes",
                line.len(),
                line.get(..4).unwrap_or(line),
                page.prefix().len()
            )
        } else if node.flags.contains(NodeFlags::COMPRESSED) && (self.root || node.prefix.len() < 2)
        {
            format!("wrongly compressed key: prefix of {} bytes", node.prefix.len())
        } else if !self.leaf && node.data.len() != 4 {
            format!("expected a page number (4 bytes), found {} bytes", node.data.len())
        } else if !self.leaf && node.key_len() > 0 {
            format!("node flags {:#x} on an internal page", node.flags.bits())
        } else {
            format!("key of {} bytes, data of {} bytes", node.key_len(), node.data.len())
        };
        Fault::new(JetErr::NodeCorrupted, format!("slot {itag}: {text}"))
    }
}

fn order_of_keys(left: &Node<'_>, right: &Node<'_>) -> Ordering {
    let left = left.prefix.iter().chain(left.suffix);
    left.cmp(right.prefix.iter().chain(right.suffix))
}

fn entries_ascending(left: &Node<'_>, right: &Node<'_>) -> bool {
    let left = left.prefix.iter().chain(left.suffix).chain(left.data);
    left.lt(right.prefix.iter().chain(right.suffix).chain(right.data))
}
