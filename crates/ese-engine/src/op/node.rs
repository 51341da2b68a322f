//! Operations on one node of one page.

use ese_base::{Error, JetErr, Pgno, Result};
use ese_log::records::{Delta, Delta64, NodeHead, Oper, Record, RecordFlags, ReplaceD, Undo, diff};
use ese_pages::{NodeFlags, PageMut, PageRef};

use super::{impossible, node_flags};
use crate::version::Addition;

/// What the undo of a change puts back; record 39 does not carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undone<'a> {
    /// The record is no undo of a replacement or an addition.
    Nothing,
    /// The data from before the replacement.
    Before(&'a [u8]),
    /// What was added to a number.
    Added(Addition),
}

/// Applies a record that changes one node (or the external header) of one page.
///
/// # Errors
/// `JET_errInvalidLoggedOperation` (-500) if the record names a line that is not there or does not
/// apply to single pages; the page's own errors if it is not sound or the node does not fit. The
/// page's nodes are unchanged then.
#[inline]
pub fn apply(record: &Record<'_>, page: &mut PageMut<'_>, undone: Undone<'_>) -> Result<()> {
    match record {
        Record::Insert(r) => {
            let (iline, flags) = place(&r.node);
            if !page.as_ref().prefix().starts_with(r.prefix) {
                return Err(impossible(r.node.page.pgno, "an insertion under another prefix key"));
            }
            page.insert_node(iline, r.prefix.len(), r.suffix, r.data, flags)
        }
        Record::FlagInsert(r) => revive(page, &r.node, None),
        Record::FlagInsertAndReplaceData(r) => revive(page, &r.node, Some(r.data)),
        Record::FlagDelete(r) => {
            let (iline, flags) = place(&r.node);
            let old = existing(page.as_ref(), &r.node)?;
            page.set_node_flags(iline, old | flags | NodeFlags::DELETED)
        }
        Record::Replace(r) => replace(page, &r.node, r.data),
        Record::ReplaceD(r) => replace_difference(page, r),
        Record::Delete(r) => {
            existing(page.as_ref(), &r.node)?;
            page.delete_node(place(&r.node).0)
        }
        Record::Undo(r) => undo(page, r, undone),
        Record::SetExternalHeader(r) => page.set_external_header(r.data),
        Record::Delta(Delta { node, delta, offset, .. }) => {
            let old = data_of(page.as_ref(), node)?;
            let new = add::<4>(old, *offset, |bytes| {
                i32::from_le_bytes(bytes).wrapping_add(*delta).to_le_bytes()
            });
            replace(page, node, &new.ok_or_else(|| outside(node))?)
        }
        Record::Delta64(Delta64 { node, delta, offset, .. }) => {
            let old = data_of(page.as_ref(), node)?;
            let new = add::<8>(old, *offset, |bytes| {
                i64::from_le_bytes(bytes).wrapping_add(*delta).to_le_bytes()
            });
            replace(page, node, &new.ok_or_else(|| outside(node))?)
        }
        other => Err(Error::new(
            JetErr::InvalidLoggedOperation,
            format!("{} is no operation on one node", other.name()),
        )),
    }
}

/// Line and node flags of a record.
#[inline]
fn place(node: &NodeHead) -> (usize, NodeFlags) {
    let versioned = node.page.flags.contains(RecordFlags::VERSIONED);
    (usize::from(node.page.iline.0), node_flags(versioned))
}

/// The flags of the node that a record names.
fn existing(page: PageRef<'_>, node: &NodeHead) -> Result<NodeFlags> {
    let iline = usize::from(node.page.iline.0);
    if iline < page.node_count() {
        return Ok(page.node(iline).flags);
    }
    Err(no_line(node.page.pgno, iline, page.node_count()))
}

fn data_of<'p>(page: PageRef<'p>, node: &NodeHead) -> Result<&'p [u8]> {
    existing(page, node)?;
    Ok(page.node(usize::from(node.page.iline.0)).data)
}

#[cold]
fn no_line(pgno: Pgno, iline: usize, count: usize) -> Error {
    impossible(pgno, format!("line {iline} is named, the page has {count} nodes"))
}

#[cold]
fn outside(node: &NodeHead) -> Error {
    impossible(node.page.pgno, "an addition behind the end of the node's data")
}

/// A flag-deleted node comes back.
fn revive(page: &mut PageMut<'_>, node: &NodeHead, data: Option<&[u8]>) -> Result<()> {
    let (iline, flags) = place(node);
    let old = existing(page.as_ref(), node)?;
    if let Some(data) = data {
        page.replace_data(iline, data)?;
    }
    page.set_node_flags(iline, (old | flags) - NodeFlags::DELETED)
}

fn replace(page: &mut PageMut<'_>, node: &NodeHead, data: &[u8]) -> Result<()> {
    let (iline, flags) = place(node);
    let old = existing(page.as_ref(), node)?;
    page.replace_data(iline, data)?;
    if old.contains(flags) { Ok(()) } else { page.set_node_flags(iline, old | flags) }
}

fn replace_difference(page: &mut PageMut<'_>, r: &ReplaceD<'_>) -> Result<()> {
    let old = data_of(page.as_ref(), &r.node)?;
    let mut new = Vec::with_capacity(usize::from(r.new_len));
    diff::apply(old, r.diff, r.wide, &mut new)?;
    if old.len() != usize::from(r.old_len) || new.len() != usize::from(r.new_len) {
        return Err(impossible(
            r.node.page.pgno,
            format!(
                "a difference from {} to {} bytes applied to {} bytes gives {}",
                r.old_len,
                r.new_len,
                old.len(),
                new.len()
            ),
        ));
    }
    replace(page, &r.node, &new)
}

/// Takes an operation back. An inserted node stays as a flag-deleted one: clean-up removes it.
fn undo(page: &mut PageMut<'_>, r: &Undo<'_>, undone: Undone<'_>) -> Result<()> {
    let iline = usize::from(r.node.page.iline.0);
    let old = existing(page.as_ref(), &r.node)?;
    match (r.oper, undone) {
        (Oper::Insert, _) => page.set_node_flags(iline, old | NodeFlags::DELETED),
        (Oper::FlagDelete, _) => page.set_node_flags(iline, old - NodeFlags::DELETED),
        (Oper::Replace, Undone::Before(data)) => page.replace_data(iline, data),
        (Oper::Delta | Oper::Delta64, Undone::Added(added)) => {
            let old = data_of(page.as_ref(), &r.node)?;
            let new = with_added(old, added.inverse()).ok_or_else(|| outside(&r.node))?;
            page.replace_data(iline, &new)
        }
        (Oper::Replace | Oper::Delta | Oper::Delta64, _) => {
            Err(impossible(r.node.page.pgno, "the undo of a change that nobody has seen"))
        }
    }
}

/// Adds to a number inside `old`, of four bytes or of eight.
fn with_added(old: &[u8], added: Addition) -> Option<Vec<u8>> {
    if added.wide {
        return add::<8>(old, added.offset, |bytes| {
            i64::from_le_bytes(bytes).wrapping_add(added.delta).to_le_bytes()
        });
    }
    let [a, b, c, d, ..] = added.delta.to_le_bytes();
    let delta = i32::from_le_bytes([a, b, c, d]);
    add::<4>(old, added.offset, |bytes| i32::from_le_bytes(bytes).wrapping_add(delta).to_le_bytes())
}

/// Adds to a number inside `old`.
fn add<const N: usize>(
    old: &[u8],
    offset: u16,
    sum: impl FnOnce([u8; N]) -> [u8; N],
) -> Option<Vec<u8>> {
    let mut new = old.to_vec();
    let number = new.get_mut(usize::from(offset)..)?.first_chunk_mut::<N>()?;
    *number = sum(*number);
    Some(new)
}
