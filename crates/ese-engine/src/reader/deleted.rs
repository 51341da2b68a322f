//! What is left of rows that are no more: entries that are only marked as deleted, and lines that
//! were removed from a page whose room nobody has needed since.
//!
//! A mark says for certain that there was a row. What lies in the free room of a page is taken for
//! a row only if it has the shape of the table's records (every length and offset in the header
//! must fit) behind something that has the shape of a node's key. That is strong evidence and no
//! proof: its end is not known, so that a last tagged column may have bytes behind its value that
//! are not its own. Rows that still live are not reported: a split or a reorganised page leaves
//! copies of them.

use std::ops::{ControlFlow, Range};

use ese_base::{Pgno, Result};
use ese_pages::PageRef;

use super::{OfflineDatabase, nodes_from};
use crate::{
    key,
    record::{ColumnData, Instance, RecordView},
    schema::{Column, ColumnFlags, TableSchema},
};

/// How it is known that there was such a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The entry stands in its place, marked as deleted.
    Marked,
    /// The same, but its data were overwritten: only its key is left.
    Wiped,
    /// Its bytes lie in the free room of a page; the table has no row with this key now.
    Remains,
    /// Its bytes lie in the free room of a page; the table has a row with this key now, and it says
    /// something else: this is an older state of it.
    Older,
}

impl Evidence {
    /// A word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Evidence::Marked => "marked",
            Evidence::Wiped => "wiped",
            Evidence::Remains => "remains",
            Evidence::Older => "older",
        }
    }
}

/// A row that is no more.
#[derive(Clone, Copy, Debug)]
pub struct DeletedRow<'r> {
    /// The page that it was found on.
    pub pgno: Pgno,
    /// Its line there, counted from 0; `None` in free room.
    pub line: Option<usize>,
    /// Where its record begins on the page.
    pub offset: usize,
    /// How it is known.
    pub evidence: Evidence,
    /// Its key; empty where it could not be made from what is left.
    pub key: &'r [u8],
    /// The record; of a wiped one, a record that says nothing. A value outside of it is gone with
    /// the row, or is another's by now.
    pub record: RecordView<'r>,
}

impl OfflineDatabase {
    /// Visits what is left of deleted rows on one leaf of a table, marked ones first.
    ///
    /// # Errors
    /// Those of looking for living rows; what the visitor answers.
    pub fn deleted_on(
        &self,
        table: &TableSchema,
        (pgno, page): (Pgno, PageRef<'_>),
        mut each: impl FnMut(&DeletedRow<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut key = Vec::new();
        for (line, node) in page.nodes().enumerate().filter(|(_, node)| node.is_deleted()) {
            key.clear();
            node.append_key(&mut key);
            let (evidence, record) = match RecordView::new(node.data, table.page_size) {
                Ok(record) => (Evidence::Marked, record),
                Err(_) => (Evidence::Wiped, RecordView::new(&NO_COLUMNS, table.page_size)?),
            };
            let (line, offset) = (Some(line), offset_in(page.bytes(), node.data));
            each(&DeletedRow { pgno, line, offset, evidence, key: &key, record })?;
        }
        for run in page.uncovered() {
            let found = candidates(table, page, run.clone());
            for (at, candidate) in found.iter().enumerate() {
                // A tagged part reaches to the end of its record: to where the next line begins.
                let end = found.get(at + 1).map_or(run.end, |next| next.line);
                let bytes = page.bytes().get(candidate.record..end).unwrap_or_default();
                let bytes = bytes.get(..record_len(table, bytes)).unwrap_or(bytes);
                let Ok(record) = RecordView::new(bytes, table.page_size) else { continue };
                if let Some(evidence) = self.judge(table, &record, &mut key)? {
                    let (line, offset, key) = (None, candidate.record, key.as_slice());
                    each(&DeletedRow { pgno, line, offset, evidence, key, record })?;
                }
            }
        }
        Ok(())
    }

    /// Is it a row that lives no more? Makes its key. `None`: the table has the very same row.
    fn judge(
        &self,
        table: &TableSchema,
        record: &RecordView<'_>,
        key: &mut Vec<u8>,
    ) -> Result<Option<Evidence>> {
        key.clear();
        if table.primary().is_none() || key::primary_key(table, record, key).is_err() {
            // Tables without an index of their own number their rows, and records do not say the
            // number: only the bytes can be compared.
            key.clear();
            return Ok(Some(Evidence::Remains));
        }
        let (tree, mut living) = (table.tree().view(), None);
        let found = nodes_from(&self.cache, &tree, Some(key), |found, data| {
            if found == key.as_slice() {
                living = Some(begins_alike(data, record.bytes()));
            }
            Ok(ControlFlow::Break(()))
        });
        // Where the tree cannot be read, nobody knows better.
        Ok(match (found, living) {
            (Ok(()), Some(true)) => None,
            (Ok(()), Some(false)) => Some(Evidence::Older),
            _ => Some(Evidence::Remains),
        })
    }
}

/// The end of what was found is not known, so that the shorter one decides how much is compared.
fn begins_alike(living: &[u8], found: &[u8]) -> bool {
    living.iter().zip(found).all(|(one, other)| one == other)
}

fn offset_in(page: &[u8], data: &[u8]) -> usize {
    data.as_ptr().addr().saturating_sub(page.as_ptr().addr())
}

/// A record without columns: the last fixed and variable ids there could be before the first, and
/// where the head ends.
const NO_COLUMNS: [u8; 4] = [0, 127, 4, 0];
/// Bytes of a length in the head of a node.
const LEN_LEN: usize = 2;
/// Longest key that is looked for before a record.
const KEY_LEN_MOST: usize = 256;

/// Where a removed line seems to begin, and its record.
struct Candidate {
    line: usize,
    record: usize,
}

/// Places in a run of free bytes where lines of the table seem to lie, in order.
fn candidates(table: &TableSchema, page: PageRef<'_>, run: Range<usize>) -> Vec<Candidate> {
    let (mut found, mut at, mut free) = (Vec::new(), run.start, run.start);
    while at < run.end {
        let bytes = page.bytes().get(at..run.end).unwrap_or_default();
        // The key must lie in what no record before it needs.
        let candidate =
            head_len(table, bytes).and_then(|len| Some((len, line_at(page, free, at)?)));
        match candidate {
            Some((len, line)) => {
                found.push(Candidate { line, record: at });
                at += len;
                free = at;
            }
            None => at += 1,
        }
    }
    found
}

/// Does a record of this table begin here? Then the length of its fixed and variable columns.
fn head_len(table: &TableSchema, bytes: &[u8]) -> Option<usize> {
    let &[last_fixed, last_variable, end_low, end_high, ..] = bytes else { return None };
    let columns = &table.columns;
    let fixed_end = usize::from(u16::from_le_bytes([end_low, end_high]));
    let expected = columns.fixed_end(last_fixed)? + usize::from(last_fixed).div_ceil(8);
    // A header that says nothing is no evidence.
    if fixed_end != expected
        || last_variable < 127
        || last_variable > columns.last_variable()
        || (last_fixed == 0 && last_variable == 127)
    {
        return None;
    }
    let view = RecordView::new(bytes, table.page_size).ok()?;
    let mut says_something = false;
    for column in columns.iter().filter(|column| !column.id.is_tagged()) {
        match view.data(column).ok()? {
            ColumnData::Null if column.flags.contains(ColumnFlags::NOT_NULL) => return None,
            ColumnData::One(Instance::Plain(value)) => {
                says_something |= value.iter().any(|byte| *byte != 0);
                let most = usize::try_from(column.max_len).unwrap_or(usize::MAX);
                if column.id.is_variable() && column.max_len > 0 && value.len() > most {
                    return None;
                }
            }
            _ => {}
        }
    }
    says_something.then_some(view.tagged_at())
}

/// The length of a record that ends somewhere in these bytes: all of them if what lies behind its
/// other columns can be the tagged ones, else without these.
fn record_len(table: &TableSchema, bytes: &[u8]) -> usize {
    let Ok(view) = RecordView::new(bytes, table.page_size) else { return bytes.len() };
    let columns = &table.columns;
    let tagged = view.tagged_ids().is_ok_and(|ids| {
        ids.is_sorted() && ids.iter().all(|id| columns.by_stored_id(false, *id).is_some())
    });
    let readable = |column: &Column| view.data(column).is_ok();
    if tagged && columns.iter().filter(|column| column.id.is_tagged()).all(readable) {
        return bytes.len();
    }
    view.tagged_at()
}

/// Where the line begins whose record begins at `record`: before it lie a length and so many bytes
/// of a key, none of them before `free`.
fn line_at(page: PageRef<'_>, free: usize, record: usize) -> Option<usize> {
    let word = |at: usize| {
        let word = page.bytes().get(at..).and_then(<[u8]>::first_chunk)?;
        // Large pages keep the flags of a node in the upper bits.
        Some(usize::from(u16::from_le_bytes(*word) & 0x1fff))
    };
    let most = record.saturating_sub(free + LEN_LEN).min(KEY_LEN_MOST);
    let len = (1..=most).find(|len| word(record - len - LEN_LEN) == Some(*len))?;
    let line = record - len - LEN_LEN;
    // Before the length of a compressed key stands how much of it the page supplies.
    let before = line.checked_sub(LEN_LEN).filter(|before| *before >= free);
    let prefix = page.prefix().len();
    let compressed = before.filter(|at| word(*at).is_some_and(|len| (3..=prefix).contains(&len)));
    Some(compressed.unwrap_or(line))
}
