//! Reading ahead of a program that says which entries it will come for.

use std::ops::ControlFlow;

use ese_base::Result;

use super::Cursor;
use crate::{
    longvalue::{chunk_key, root_key},
    record::{ColumnData, Instance, Lid, RecordView},
    schema::ColumnId,
    session::Session,
    table::Table,
    tree::{self, Direction, KeyRange, Position, Start},
};

/// Leaves of an index that one call announces at most.
const LEAVES_MAX: usize = 128;
/// Long values that one call looks for at most, and pages of them that it announces.
const VALUES_MAX: usize = 256;
/// Rows that it looks at for them: those of a full call have a few long values a leaf.
const ROWS_MAX: usize = 4096;
/// Pages of each value that are announced, unless the first one is enough.
const VALUE_PAGES: u32 = 16;

impl Cursor {
    /// Has the leaves read ahead on which ranges of keys lie, as far as they are not in memory.
    /// Gives how many ranges that was for, from the first on: at least one if there is one, and it
    /// may be in part.
    ///
    /// # Errors
    /// Those of reading.
    pub fn read_ahead(&self, ranges: &[KeyRange<'_>]) -> Result<usize> {
        let (tree, cache) = (self.order.tree(&self.table), &self.table.db.cache);
        let found = tree::leaves_of_ranges(cache, &tree.view(), ranges, LEAVES_MAX)?;
        cache.will_need_all(found.leaves);
        Ok(found.ranges.max(1).min(ranges.len()))
    }

    /// Has the long values read ahead that the rows of ranges have in these columns: their first
    /// pages, or only the first one. The ranges are of the table's own order.
    ///
    /// # Errors
    /// Those of reading.
    pub fn read_values_ahead(
        &self,
        session: &Session,
        ranges: &[KeyRange<'_>],
        columns: &[ColumnId],
        only_first_page: bool,
    ) -> Result<()> {
        let Some(values) = self.table.long_tree() else { return Ok(()) };
        // First: to find the end of a range the leaf behind it may have to be read.
        self.read_ahead_behind(ranges)?;
        let lids = lids_in(&self.table, session, ranges, columns)?;
        let pages = if only_first_page { 1 } else { VALUE_PAGES };
        let bytes = pages * self.table.schema.page_size.bytes_u32();
        let last = (bytes / values.chunk).saturating_sub(1) * values.chunk;
        let keys: Vec<_> =
            lids.into_iter().map(|lid| (root_key(lid), chunk_key(lid, last))).collect();
        let ranges: Vec<KeyRange<'_>> =
            keys.iter().map(|(first, last)| (first.as_slice(), last.as_slice())).collect();
        let cache = &self.table.db.cache;
        let found = tree::leaves_of_ranges(cache, &values.tree.view(), &ranges, VALUES_MAX)?;
        cache.will_need_all(found.leaves);
        Ok(())
    }
}

impl Cursor {
    /// In ESE the walk through the rows of a range has the leaf behind it read ahead, too, if it
    /// comes to a third leaf.
    fn read_ahead_behind(&self, ranges: &[KeyRange<'_>]) -> Result<()> {
        let (view, cache) = (self.table.tree.view(), &self.table.db.cache);
        for (one, other) in ranges {
            let range = (*one.min(other), *one.max(other));
            let found = tree::leaves_of_ranges(cache, &view, &[range], LEAVES_MAX)?;
            if let ([_, _, .., last], 1) = (found.leaves.as_slice(), found.ranges) {
                let leaf = cache.read(*last)?;
                let next = leaf.page().next();
                // The leaf may have left the tree meanwhile.
                if view.expect_own(leaf.page(), *last).is_ok() && !next.is_null() {
                    cache.will_need(next, 1);
                }
            }
        }
        Ok(())
    }
}

/// The long values of columns in the rows of ranges, in the order of their tree.
fn lids_in(
    table: &Table,
    session: &Session,
    ranges: &[KeyRange<'_>],
    columns: &[ColumnId],
) -> Result<Vec<Lid>> {
    let (mut lids, mut rows, mut key) = (Vec::new(), 0, Vec::new());
    for (one, other) in ranges {
        let (low, high) = (one.min(other), one.max(other));
        let mut failed = None;
        let start = Start::At { key: low, data: &[] };
        let place = &mut Position::default();
        table.scan(session, start, Direction::Forward, place, |row| {
            key.clear();
            row.append_key(&mut key);
            if key.as_slice() > *high || lids.len() >= VALUES_MAX || rows == ROWS_MAX {
                return ControlFlow::Break(());
            }
            rows += 1;
            match append_lids(table, row.record, columns, &mut lids) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
    }
    lids.sort_unstable();
    lids.dedup();
    lids.truncate(VALUES_MAX);
    Ok(lids)
}

fn append_lids(
    table: &Table,
    record: &[u8],
    columns: &[ColumnId],
    lids: &mut Vec<Lid>,
) -> Result<()> {
    let schema = &table.schema;
    let record = RecordView::new(record, schema.page_size)?;
    for column in columns {
        match record.data(schema.columns.require(*column)?)? {
            ColumnData::One(Instance::Separated(lid)) => lids.push(lid),
            ColumnData::Many(values) => {
                for value in values.iter() {
                    if let Instance::Separated(lid) = value? {
                        lids.push(lid);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}
