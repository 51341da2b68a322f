//! Are the long values of a table whole, and does each count the rows that refer to it? Chunks are
//! read as by those who read a value, compressed ones expanded.
//!
//! Values and rows are in trees of different order, so the references are counted in memory, for
//! [`AT_ONCE`] values in one pass over the rows: 64 MiB at the most, however many values there are.

use std::ops::ControlFlow;

use ese_base::{Error, JetErr, Result, StopToken};

use super::{OfflineDatabase, nodes_from};
use crate::{
    longvalue::{Root, ValueWalk, chunk_len, lid_of_key, lid_of_root, root_key},
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
    /// The first of the problems that a copy with right counts would have, too.
    pub(crate) damage: Option<Error>,
    /// By id the references that rows have to each value that counts them wrongly; 0 of those that
    /// nobody needs. Only for [`OfflineDatabase::count_long_values`], since there may be many.
    pub(crate) counts: Option<Vec<(Lid, u32)>>,
}

impl LongValueFindings {
    /// Notes a problem that a compaction puts right.
    fn miscount(&mut self, error: Error) {
        if self.problems.len() < FINDINGS_MAX {
            self.problems.push(error);
        }
    }

    fn problem(&mut self, error: Error) {
        if self.damage.is_none() {
            self.damage = Some(error.clone());
        }
        self.miscount(error);
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

/// Values that are counted in one pass over the rows.
#[derive(Default)]
struct Part {
    counted: Vec<Counted>,
    /// What is wrong with nodes of theirs.
    faults: Vec<(Lid, Error)>,
    /// Where the part behind them begins.
    next: Option<Lid>,
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
        self.check_long_values_by(table, stop, AT_ONCE, LongValueFindings::default())
    }

    /// As [`OfflineDatabase::check_long_values`], and keeps the right counts: 16 bytes for each
    /// value that has a wrong one.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn count_long_values(
        &self,
        table: &TableSchema,
        stop: &StopToken,
    ) -> Result<LongValueFindings> {
        let findings = LongValueFindings { counts: Some(Vec::new()), ..Default::default() };
        self.check_long_values_by(table, stop, AT_ONCE, findings)
    }

    /// As [`OfflineDatabase::check_long_values`], with so many values in one pass. Adds to the
    /// findings.
    pub(super) fn check_long_values_by(
        &self,
        table: &TableSchema,
        stop: &StopToken,
        at_once: usize,
        mut findings: LongValueFindings,
    ) -> Result<LongValueFindings> {
        if !table.columns.all().any(|column| column.ty.is_long()) {
            return Ok(findings);
        }
        let mut from = Some(Lid(0));
        while let Some(first) = from {
            let Part { mut counted, faults, next } =
                self.some_values(table, first, (at_once.max(1), stop), &mut findings)?;
            // Ids up to the next part are this one's, also those that are missing.
            let range = first..next.unwrap_or(Lid(u64::MAX));
            self.count_references(table, range, (&mut counted, stop), &mut findings)?;
            findings.values += counted.len() as u64;
            for (lid, fault) in faults {
                let value = counted.binary_search_by_key(&lid, |value| value.lid).ok();
                // What nobody refers to need not be whole.
                if value.and_then(|at| counted.get(at)).is_none_or(|value| value.found > 0) {
                    findings.problem(told(table, fault));
                }
            }
            for value in counted {
                compare(table, value, &mut findings);
            }
            from = next;
        }
        Ok(findings)
    }

    /// Values from an id on.
    fn some_values(
        &self,
        table: &TableSchema,
        first: Lid,
        (at_once, stop): (usize, &StopToken),
        findings: &mut LongValueFindings,
    ) -> Result<Part> {
        let Some(lv) = &table.lv else { return Ok(Part::default()) };
        let (mut counted, mut next) = (Vec::new(), None);
        let mut walk = Walk::new(table);
        let begin = (first.0 > 0).then(|| root_key(first));
        nodes_from(self.cache(), &lv.tree().view(), begin.as_deref(), |key, data| {
            stop.check()?;
            let Some(lid) = lid_of_root(key) else {
                walk.chunk(key, data, findings);
                return Ok(ControlFlow::Continue(()));
            };
            walk.ended(findings);
            if counted.len() >= at_once {
                next = Some(lid);
                return Ok(ControlFlow::Break(()));
            }
            match Root::parse(data) {
                Some(root) => {
                    counted.push(Counted { lid, references: root.references, found: 0 });
                    walk.at = Some(ValueWalk::new(lid, root, walk.chunk));
                }
                None => {
                    walk.last = Some(lid);
                    findings.problem(wrong(table, lid, "its root is malformed"));
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        walk.ended(findings);
        Ok(Part { counted, faults: walk.faults, next })
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
        findings.orphan(wrong(table, lid, &what).advise(COMPACT));
    } else if found == references {
        return;
    } else {
        let what = format!("it counts {references} references, the rows have {found}");
        let error = wrong(table, lid, &what);
        if goes(references) {
            // Its chunks may be gone in part.
            return findings.problem(error);
        }
        findings.miscount(error.advise(COMPACT));
    }
    if let Some(counts) = &mut findings.counts {
        counts.push((lid, found));
    }
}

/// What puts counts right, and leaves out what nobody refers to.
const COMPACT: &str = "compact the database, or restore it from a backup";

/// The way along the nodes of all values.
struct Walk<'t> {
    table: &'t TableSchema,
    chunk: u32,
    /// The value at hand, as long as nothing is wrong with it.
    at: Option<ValueWalk>,
    /// The value that was at hand last, whose other chunks are passed over.
    last: Option<Lid>,
    /// What is wrong with values, once for each.
    faults: Vec<(Lid, Error)>,
}

impl<'t> Walk<'t> {
    fn new(table: &'t TableSchema) -> Walk<'t> {
        Walk { table, chunk: chunk_len(table), at: None, last: None, faults: Vec::new() }
    }

    fn chunk(&mut self, key: &[u8], data: &[u8], findings: &mut LongValueFindings) {
        let lid = lid_of_key(key).unwrap_or(Lid(0));
        match self.at.as_mut().filter(|at| at.lid() == lid) {
            Some(at) if goes(at.root().references) => {}
            Some(at) => match at.chunk(key, data) {
                // Newer servers compress in ways that this version cannot read.
                Err(error) if error.code() != JetErr::FeatureNotAvailable => {
                    self.at = None;
                    self.last = Some(lid);
                    self.fault(lid, error, findings);
                }
                _ => {}
            },
            None if self.last.replace(lid) != Some(lid) => {
                let what = "there are chunks of it, and no root";
                findings.orphan(wrong(self.table, lid, what).advise(COMPACT));
            }
            None => {}
        }
    }

    /// The value at hand has no more chunks.
    fn ended(&mut self, findings: &mut LongValueFindings) {
        if let Some(at) = self.at.take()
            && !goes(at.root().references)
            && let Err(error) = at.end()
        {
            self.fault(at.lid(), error, findings);
        }
    }

    fn fault(&mut self, lid: Lid, error: Error, findings: &mut LongValueFindings) {
        if self.faults.len() < FINDINGS_MAX {
            self.faults.push((lid, error));
        } else {
            // Nobody refers to it, perhaps; but more is wrong than can be told.
            findings.problem(told(self.table, error));
        }
    }
}

/// Is a value with so many references about to be removed, perhaps by half already (edb-format
/// 9.2)?
fn goes(references: u32) -> bool {
    matches!(references, 0 | u32::MAX)
}

#[cold]
fn wrong(table: &TableSchema, lid: Lid, what: &str) -> Error {
    told(table, Error::new(JetErr::LVCorrupted, format!("long value {}: {what}", lid.0)))
}

/// What is wrong with a value, for those who know the database and not the table.
#[cold]
fn told(table: &TableSchema, error: Error) -> Error {
    error
        .map_message(|what| format!("table \"{}\", {what}", table.name))
        .advise("`ese export` gives all other values; restore the database from a backup")
}
