//! Are the long values of a table whole, and does each count the rows that refer to it?
//!
//! Values and rows are in trees of different order, so the references are counted in memory, for
//! [`AT_ONCE`] values in one pass over the rows: 64 MiB at the most, however many values there are.

use std::ops::ControlFlow;

use ese_base::{Error, JetErr, Result, StopToken};

use super::{OfflineDatabase, nodes_from};
use crate::{
    longvalue::{Root, chunk_len, lid_of_key, lid_of_root, root_key},
    record::{Lid, RecordView},
    schema::TableSchema,
};

/// Values that are counted in one pass over the rows; 16 bytes each.
const AT_ONCE: usize = 4 << 20;
/// Findings of a kind that are kept.
const FINDINGS_MAX: usize = 1000;

/// What was found of a table's long values.
#[derive(Debug, Default)]
pub struct LongValueFindings {
    /// Values that were looked at.
    pub values: u64,
    /// Values that rows refer to and that are missing, not whole, or counted wrongly.
    pub problems: Vec<Error>,
    /// Values, and chunks without a value, that no row refers to: wasted.
    pub orphans: Vec<Error>,
}

impl LongValueFindings {
    fn problem(&mut self, error: Error) {
        if self.problems.len() < FINDINGS_MAX {
            self.problems.push(error);
        }
    }

    fn orphan(&mut self, error: Error) {
        if self.orphans.len() < FINDINGS_MAX {
            self.orphans.push(error);
        }
    }
}

/// A value whose references are being counted.
#[derive(Clone, Copy, Debug)]
struct Counted {
    lid: Lid,
    /// What its root says.
    references: u32,
    /// What the rows say.
    found: u32,
}

impl OfflineDatabase {
    /// Compares each long value of a table with the rows that refer to it, and looks whether all
    /// its chunks are there.
    ///
    /// # Errors
    /// Damaged pages and rows; `JET_errClientRequestToStopJetService` (-1329) if stopped.
    pub fn check_long_values(
        &self,
        table: &TableSchema,
        stop: &StopToken,
    ) -> Result<LongValueFindings> {
        self.check_long_values_by(table, stop, AT_ONCE)
    }

    /// As [`OfflineDatabase::check_long_values`], with so many values in one pass.
    pub(super) fn check_long_values_by(
        &self,
        table: &TableSchema,
        stop: &StopToken,
        at_once: usize,
    ) -> Result<LongValueFindings> {
        let mut findings = LongValueFindings::default();
        if !table.columns.all().any(|column| column.ty.is_long()) {
            return Ok(findings);
        }
        let mut from = Some(Lid(0));
        while let Some(first) = from {
            let (mut counted, next) =
                self.some_values(table, first, (at_once.max(1), stop), &mut findings)?;
            // Ids up to the next part are this one's, also those that are missing.
            let range = first..next.unwrap_or(Lid(u64::MAX));
            self.count_references(table, range, (&mut counted, stop), &mut findings)?;
            findings.values += counted.len() as u64;
            for value in counted {
                compare(table, value, &mut findings);
            }
            from = next;
        }
        Ok(findings)
    }

    /// Values from an id on, and where the part behind them begins.
    fn some_values(
        &self,
        table: &TableSchema,
        first: Lid,
        (at_once, stop): (usize, &StopToken),
        findings: &mut LongValueFindings,
    ) -> Result<(Vec<Counted>, Option<Lid>)> {
        let (mut counted, mut next) = (Vec::new(), None);
        let Some(lv) = &table.lv else { return Ok((counted, next)) };
        let mut walk = Walk { table, chunk: chunk_len(table), at: None, stray: None };
        let begin = (first.0 > 0).then(|| root_key(first));
        nodes_from(self.cache(), &lv.tree().view(), begin.as_deref(), |key, data| {
            let Some(lid) = lid_of_root(key) else {
                walk.chunk(key, data, findings);
                return Ok(ControlFlow::Continue(()));
            };
            walk.ended(findings);
            stop.check()?;
            if counted.len() >= at_once {
                next = Some(lid);
                return Ok(ControlFlow::Break(()));
            }
            match Root::parse(data) {
                Some(root) => {
                    counted.push(Counted { lid, references: root.references, found: 0 });
                    walk.at = Some((lid, root, 0));
                }
                None => findings.problem(wrong(table, lid, "its root is malformed")),
            }
            Ok(ControlFlow::Continue(()))
        })?;
        walk.ended(findings);
        Ok((counted, next))
    }

    fn count_references(
        &self,
        table: &TableSchema,
        range: std::ops::Range<Lid>,
        (counted, stop): (&mut [Counted], &StopToken),
        findings: &mut LongValueFindings,
    ) -> Result<()> {
        let mut rows = 0_u32;
        self.nodes(&table.tree().view(), |_, data| {
            rows = rows.wrapping_add(1);
            if rows.is_multiple_of(1024) {
                stop.check()?;
            }
            let lids = RecordView::new(data, table.page_size)?.lids()?;
            for lid in lids.into_iter().filter(|lid| range.contains(lid)) {
                match counted.binary_search_by_key(&lid, |value| value.lid) {
                    Ok(at) => {
                        if let Some(value) = counted.get_mut(at) {
                            value.found = value.found.saturating_add(1);
                        }
                    }
                    Err(_) => findings.problem(wrong(table, lid, "a row refers to it, it is gone")),
                }
            }
            Ok(ControlFlow::Continue(()))
        })
    }
}

fn compare(table: &TableSchema, value: Counted, findings: &mut LongValueFindings) {
    let Counted { lid, references, found } = value;
    if found == 0 {
        let what = format!("no row refers to it; it counts {references} references");
        findings.orphan(wrong(table, lid, &what));
    } else if found != references {
        let what = format!("it counts {references} references, the rows have {found}");
        findings.problem(wrong(table, lid, &what));
    }
}

/// The way along the chunks of values.
struct Walk<'t> {
    table: &'t TableSchema,
    chunk: u32,
    /// The value at hand, and where its next chunk must be.
    at: Option<(Lid, Root, u32)>,
    /// The value whose chunks were named as nobody's.
    stray: Option<Lid>,
}

impl Walk<'_> {
    fn chunk(&mut self, key: &[u8], data: &[u8], findings: &mut LongValueFindings) {
        let lid = lid_of_key(key).unwrap_or(Lid(0));
        let offset = key.last_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        let Some((of, root, next)) = self.at.as_mut().filter(|(of, ..)| *of == lid) else {
            if self.stray.replace(lid) != Some(lid) {
                findings.orphan(wrong(self.table, lid, "there are chunks of it, and no root"));
            }
            return;
        };
        if goes(root) {
            return;
        }
        let (of, size) = (*of, root.size);
        let most = usize::try_from(self.chunk.min(size.saturating_sub(offset)));
        if offset >= size {
            let what = format!("it has a chunk at {offset}, behind its {size} bytes");
            findings.problem(wrong(self.table, of, &what));
        } else if offset != *next {
            let what = format!("its chunk at {next} of {size} bytes is missing");
            findings.problem(wrong(self.table, of, &what));
        } else if !root.encrypted && most.is_ok_and(|most| data.len() > most) {
            // Shorter ones are compressed.
            let what = format!("its chunk at {offset} has {} bytes", data.len());
            findings.problem(wrong(self.table, of, &what));
        }
        *next = offset.saturating_add(self.chunk);
    }

    /// The value at hand has no more chunks.
    fn ended(&mut self, findings: &mut LongValueFindings) {
        if let Some((lid, root, next)) = self.at.take()
            && next < root.size
            && !goes(&root)
        {
            let what = format!("its chunk at {next} of {} bytes is missing", root.size);
            findings.problem(wrong(self.table, lid, &what));
        }
    }
}

/// Is a value about to be removed, perhaps by half already (edb-format 9.2)?
fn goes(root: &Root) -> bool {
    matches!(root.references, 0 | u32::MAX)
}

#[cold]
fn wrong(table: &TableSchema, lid: Lid, what: &str) -> Error {
    let what = format!("table \"{}\", long value {}: {what}", table.name, lid.0);
    Error::new(JetErr::LVCorrupted, what)
        .advise("compact the database, or restore it from a backup")
}
