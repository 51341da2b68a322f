//! Splitting pages (log-records 2.4).
//!
//! A group holds one record per level, from the highest page that changes down to the leaf; the
//! highest one does not split and only gets a pointer to a new page (`pgno_new` is 0). Each split
//! carries out an operation while it moves lines: on a leaf the group's node operation, on an
//! internal page the insertion of the pointer that the split below needs. Line numbers in records
//! count the lines of the page *with* the inserted one.
//!
//! | page          | becomes                                                                   |
//! |---------------|---------------------------------------------------------------------------|
//! | new page      | lines from `iline_split` on, prefix key = key of line `iline_prefix_new`    |
//! | split page    | right: the lines before, prefix key from the record; append: as it was;   |
//! |               | vertical: one pointer with an empty key to the new page                   |
//! | right sibling | its left link names the new page                                          |
//! | parent        | a pointer with the record's key before that of the split page; that one   |
//! |               | now leads to the new page                                                 |
//!
//! Both pages are made from the split page as it was before, so the new page can be rebuilt from
//! the record's image when the split page on disk is already newer.

use ese_base::{Pgno, Result};
use ese_log::records::{Record, RecordFlags, Split, SplitType};
use ese_pages::{Node, NodeFlags, PageFlags, PageMut, PageRef};

use super::{impossible, node_flags};

/// What a split does besides moving lines.
#[derive(Clone, Copy, Debug)]
pub enum LineOper<'a> {
    /// Nothing.
    None,
    /// A new line.
    Insert {
        /// Where, on the page before the split.
        iline: usize,
        /// The first part of its key.
        prefix: &'a [u8],
        /// The rest of its key.
        suffix: &'a [u8],
        /// Its data.
        data: &'a [u8],
        /// Its flags.
        flags: NodeFlags,
    },
    /// New data for a line; a flag-deleted one comes back.
    Replace {
        /// The line.
        iline: usize,
        /// Its new data.
        data: &'a [u8],
        /// Flags to add.
        flags: NodeFlags,
        /// Does a flag-deleted node come back?
        revive: bool,
    },
    /// On an internal page: a pointer to `left` before line `iline`, which then leads to `right`.
    Pointer {
        /// The line that pointed to the page below that split.
        iline: usize,
        /// Separator of the two pages.
        key: &'a [u8],
        /// The page that split, as node data.
        left: [u8; 4],
        /// Its new right neighbour, as node data.
        right: [u8; 4],
    },
}

impl<'a> LineOper<'a> {
    /// The operation that a node record carries out inside a split group.
    ///
    /// # Errors
    /// `JET_errInvalidLoggedOperation` for a record that no split makes room for.
    pub fn of(record: Option<&Record<'a>>) -> Result<LineOper<'a>> {
        let Some(record) = record else { return Ok(LineOper::None) };
        let node = record.node_head();
        let iline = node.map_or(0, |node| usize::from(node.page.iline.0));
        let versioned = node.is_some_and(|n| n.page.flags.contains(RecordFlags::VERSIONED));
        let flags = node_flags(versioned);
        match record {
            Record::Insert(r) => Ok(LineOper::Insert {
                iline,
                prefix: r.prefix,
                suffix: r.suffix,
                data: r.data,
                flags,
            }),
            Record::Replace(r) => {
                Ok(LineOper::Replace { iline, data: r.data, flags, revive: false })
            }
            Record::FlagInsertAndReplaceData(r) => {
                Ok(LineOper::Replace { iline, data: r.data, flags, revive: true })
            }
            other => Err(impossible(
                node.map_or(Pgno::NULL, |node| node.page.pgno),
                format!("{} inside a split group", other.name()),
            )),
        }
    }

    /// The pointer operation that the split below asks of its parent, at line `iline`.
    #[must_use]
    pub fn pointer(iline: usize, below: &Split<'a>) -> LineOper<'a> {
        LineOper::Pointer {
            iline,
            key: below.parent_key,
            left: below.page.pgno.0.to_le_bytes(),
            right: below.pgno_new.0.to_le_bytes(),
        }
    }

    /// The lines of `page` after the operation, before any moves.
    ///
    /// # Errors
    /// `JET_errInvalidLoggedOperation` if the page has no such line.
    pub fn lines_of<'l>(&'l self, page: PageRef<'l>) -> Result<Vec<Node<'l>>> {
        let mut lines: Vec<Node<'l>> = Vec::with_capacity(page.node_count() + 1);
        lines.extend(page.nodes());
        let count = lines.len();
        let no_line = |iline: usize| {
            impossible(Pgno::NULL, format!("line {iline} is named, the page has {count} nodes"))
        };
        match *self {
            LineOper::None => {}
            LineOper::Insert { iline, prefix, suffix, data, flags } => {
                if iline > count {
                    return Err(no_line(iline));
                }
                lines.insert(iline, Node { prefix, suffix, data, flags });
            }
            LineOper::Replace { iline, data, flags, revive } => {
                let line = lines.get_mut(iline).ok_or_else(|| no_line(iline))?;
                line.data = data;
                line.flags |= flags;
                if revive {
                    line.flags -= NodeFlags::DELETED;
                }
            }
            LineOper::Pointer { iline, key, ref left, ref right } => {
                let line = lines.get_mut(iline).ok_or_else(|| no_line(iline))?;
                line.data = right;
                let new = Node { prefix: &[], suffix: key, data: left, flags: NodeFlags::empty() };
                lines.insert(iline, new);
            }
        }
        Ok(lines)
    }
}

/// Bytes that a node's key and a string have in common from their start.
pub(crate) fn common_with(node: &Node<'_>, key: &[u8]) -> usize {
    let head = common_len(node.prefix, key);
    if head < node.prefix.len() {
        return head;
    }
    head + common_len(node.suffix, key.get(head..).unwrap_or(&[]))
}

/// Bytes that two strings have in common from their start.
pub(crate) fn common_len(left: &[u8], right: &[u8]) -> usize {
    left.iter().zip(right).take_while(|(l, r)| l == r).count()
}

/// Appends a line, compressed against the page's prefix key. `scratch` is for reuse.
fn append_line(page: &mut PageMut<'_>, line: &Node<'_>, scratch: &mut Vec<u8>) -> Result<()> {
    let iline = page.as_ref().node_count();
    scratch.clear();
    line.append_key(scratch);
    let common = page.as_ref().compress_len(scratch);
    page.insert_node(iline, common, scratch.get(common..).unwrap_or(&[]), line.data, line.flags)
}

fn append_lines(page: &mut PageMut<'_>, lines: &[Node<'_>]) -> Result<()> {
    let mut scratch = Vec::with_capacity(256);
    lines.iter().try_for_each(|line| append_line(page, line, &mut scratch))
}

/// The record's page flags, without what a page carries only on disk.
fn page_flags(bits: u32) -> PageFlags {
    PageFlags::from_bits_retain(bits) - PageFlags::FLUSH_TYPE
}

fn lines<'l>(
    r: &Split<'_>,
    before: PageRef<'l>,
    oper: &'l LineOper<'l>,
) -> Result<(Vec<Node<'l>>, usize)> {
    let lines = oper.lines_of(before).map_err(|error| error.at_page(r.page.pgno))?;
    let split = usize::from(r.iline_split.0);
    if lines.len() != usize::from(r.lines) || split > lines.len() {
        return Err(impossible(
            r.page.pgno,
            format!("a split of {} lines at {split}; the page has {}", r.lines, lines.len()),
        ));
    }
    Ok((lines, split))
}

/// Makes the new page from the split page as it was `before`.
///
/// # Errors
/// `JET_errInvalidLoggedOperation` if the record does not describe that page.
pub fn make_new_page(
    r: &Split<'_>,
    before: PageRef<'_>,
    oper: &LineOper<'_>,
    new: &mut PageMut<'_>,
) -> Result<()> {
    let (lines, split) = lines(r, before, oper)?;
    let moved = lines.get(split..).unwrap_or(&[]);
    let flags = page_flags(r.new_page_flags);
    new.init(r.pgno_new, r.objid_fdp, flags, r.page.dbtime);
    if flags.contains(PageFlags::LEAF) && r.split_type != SplitType::Vertical {
        new.set_prev(r.page.pgno);
        new.set_next(r.pgno_right);
    }
    if let Ok(iline) = usize::try_from(r.iline_prefix_new) {
        let line = moved.get(iline).ok_or_else(|| {
            impossible(r.pgno_new, format!("line {iline} of {} gives the prefix", moved.len()))
        })?;
        new.set_external_header(&line.key_to_vec())?;
    }
    append_lines(new, moved)
}

/// The new page when no line moves to it: it holds the inserted one alone and needs no image.
///
/// # Errors
/// `JET_errInvalidLoggedOperation` if lines do move.
pub fn make_new_page_of_insert(
    r: &Split<'_>,
    oper: &LineOper<'_>,
    new: &mut PageMut<'_>,
) -> Result<()> {
    let LineOper::Insert { iline, prefix, suffix, data, flags } = *oper else {
        return Err(impossible(r.pgno_new, "a split moves lines, but its record has no image"));
    };
    if iline != usize::from(r.iline_split.0) || iline + 1 != usize::from(r.lines) {
        return Err(impossible(r.pgno_new, "a split moves lines, but its record has no image"));
    }
    // The same code as always, on a page that had no other lines.
    let alone = Split { iline_split: ese_base::Iline(0), lines: 1, ..*r };
    let oper = LineOper::Insert { iline: 0, prefix, suffix, data, flags };
    let mut empty = vec![0; new.as_ref().size().bytes()];
    let size = new.as_ref().size();
    PageMut::new(&mut empty, size).init(r.page.pgno, r.objid_fdp, PageFlags::LEAF, r.page.dbtime);
    make_new_page(&alone, PageRef::new(&empty, size), &oper, new)
}

/// Changes the split page, which is as it was `before` (a copy).
///
/// # Errors
/// `JET_errInvalidLoggedOperation` if the record does not describe that page.
pub fn change_split_page(
    r: &Split<'_>,
    before: PageRef<'_>,
    oper: &LineOper<'_>,
    page: &mut PageMut<'_>,
) -> Result<()> {
    let flags = page_flags(r.split_page_flags);
    let leaf = flags.contains(PageFlags::LEAF);
    match r.split_type {
        SplitType::Append => page.set_next(r.pgno_new),
        SplitType::Right => {
            let (lines, split) = lines(r, before, oper)?;
            page.init(r.page.pgno, before.objid(), flags, r.page.dbtime);
            if leaf {
                page.set_prev(before.prev());
                page.set_next(r.pgno_new);
            }
            page.set_external_header(r.prefix_new)?;
            append_lines(page, lines.get(..split).unwrap_or(&[]))?;
        }
        SplitType::Vertical => {
            page.init(r.page.pgno, before.objid(), flags, r.page.dbtime);
            page.set_external_header(before.external_header())?;
            page.insert_node(0, 0, &[], &r.pgno_new.0.to_le_bytes(), NodeFlags::empty())?;
        }
    }
    Ok(())
}

/// The line of `parent` that points to `child`; `guess` is looked at first.
#[must_use]
pub fn pointer_line(parent: PageRef<'_>, guess: usize, child: Pgno) -> Option<usize> {
    if parent.child(guess) == child {
        return Some(guess);
    }
    (0..parent.node_count()).find(|&iline| parent.child(iline) == child)
}

/// Gives a parent that does not split itself the pointer that the split `below` needs.
///
/// # Errors
/// `JET_errBadParentPageLink` (-338) if the parent has no pointer to the page that split.
pub fn insert_pointer(
    parent_pgno: Pgno,
    guess: usize,
    below: &Split<'_>,
    parent: &mut PageMut<'_>,
) -> Result<()> {
    let Some(iline) = pointer_line(parent.as_ref(), guess, below.page.pgno) else {
        return Err(ese_base::Error::new(
            ese_base::JetErr::BadParentPageLink,
            format!("no pointer to page {}, which splits", below.page.pgno),
        )
        .at_page(parent_pgno));
    };
    parent.replace_data(iline, &below.pgno_new.0.to_le_bytes())?;
    let key = below.parent_key;
    let common = parent.as_ref().compress_len(key);
    let left = below.page.pgno.0.to_le_bytes();
    parent.insert_node(iline, common, key.get(common..).unwrap_or(&[]), &left, NodeFlags::empty())
}
