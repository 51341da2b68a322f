//! Iterating over rows.

use std::{collections::VecDeque, ops::Bound, ops::ControlFlow, sync::Arc};

use ese_base::Result;
use ese_engine::{
    table::Table as EngineTable,
    tree::{Direction, Position, Start},
};

use crate::{
    row::{Row, RowView},
    session::SessionCell,
    table::Table,
};

/// Rows that are fetched at a time. The first fetch is small, for those who want few.
const BATCH_FIRST: usize = 4;
const BATCH_MAX: usize = 256;

/// Keys from `low` on and below `high`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bounds {
    low: Option<Vec<u8>>,
    high: Option<Vec<u8>>,
    /// No key is in between.
    empty: bool,
}

impl Bounds {
    /// Bounds of beginnings of keys.
    pub(crate) fn between(from: Bound<Vec<u8>>, to: Bound<Vec<u8>>) -> Bounds {
        let mut empty = false;
        let low = match from {
            Bound::Unbounded => None,
            Bound::Included(key) => Some(key),
            Bound::Excluded(key) => {
                let after = after_all_with(key);
                empty |= after.is_none();
                after
            }
        };
        let high = match to {
            Bound::Unbounded => None,
            Bound::Included(key) => after_all_with(key),
            Bound::Excluded(key) => Some(key),
        };
        Bounds { low, high, empty }
    }
}

/// The smallest key behind all that begin with these bytes; `None` if there is none.
fn after_all_with(mut key: Vec<u8>) -> Option<Vec<u8>> {
    while let Some(last) = key.pop() {
        if let Some(next) = last.checked_add(1) {
            key.push(next);
            return Some(key);
        }
    }
    None
}

/// An iterator over rows of a table, in the order of their keys.
///
/// Rows are fetched in batches. Inside a transaction it shows the transaction's state at each
/// fetch; outside, each fetch shows the newest committed state.
#[derive(Debug)]
pub struct Rows<'r> {
    table: Arc<EngineTable>,
    cell: &'r Arc<SessionCell>,
    bounds: Bounds,
    direction: Direction,
    position: Position,
    /// Key of the row that was fetched last.
    last: Option<Vec<u8>>,
    batch: usize,
    ready: VecDeque<Result<Row>>,
    done: bool,
}

impl<'r> Rows<'r> {
    pub(crate) fn new(table: &Table, cell: &'r Arc<SessionCell>, bounds: Bounds) -> Rows<'r> {
        Rows {
            table: Arc::clone(&table.inner),
            cell,
            done: bounds.empty,
            bounds,
            direction: Direction::Forward,
            position: Position::default(),
            last: None,
            batch: BATCH_FIRST,
            ready: VecDeque::new(),
        }
    }

    /// The same rows, the last one first. To be called before the first row is taken.
    #[must_use]
    pub fn rev(mut self) -> Rows<'r> {
        self.direction = match self.direction {
            Direction::Forward => Direction::Backward,
            Direction::Backward => Direction::Forward,
        };
        self
    }

    /// Visits the rows that are left without copying them, until the visitor breaks. Says whether
    /// it did.
    ///
    /// The visitor runs under a page latch: it must be short and must not use the engine.
    ///
    /// # Errors
    /// Those of reading.
    pub fn visit(mut self, mut each: impl FnMut(RowView<'_>) -> ControlFlow<()>) -> Result<bool> {
        let table = Arc::clone(&self.table);
        self.walk(|row| each(RowView::new(&table, row)))
    }

    /// Scans from where the last fetch ended to the bound; says whether the visitor broke.
    fn walk(
        &mut self,
        mut each: impl FnMut(ese_engine::table::RowRef<'_>) -> ControlFlow<()>,
    ) -> Result<bool> {
        let Rows { table, cell, bounds, direction, position, last, .. } = self;
        if bounds.empty {
            return Ok(false);
        }
        let start = match (&last, *direction, &bounds.low, &bounds.high) {
            (Some(last), ..) => Start::Beyond { key: last, data: &[] },
            (None, Direction::Forward, Some(low), _) => Start::At { key: low, data: &[] },
            (None, Direction::Backward, _, Some(high)) => Start::Beyond { key: high, data: &[] },
            _ => Start::End,
        };
        let (mut key, mut broke) = (Vec::new(), false);
        cell.with(|state| {
            table.scan(&state.engine, start, *direction, position, |row| {
                let outside = match (*direction, &bounds.low, &bounds.high) {
                    (Direction::Forward, _, Some(high)) => {
                        key.clear();
                        row.append_key(&mut key);
                        &key >= high
                    }
                    (Direction::Backward, Some(low), _) => {
                        key.clear();
                        row.append_key(&mut key);
                        &key < low
                    }
                    _ => false,
                };
                if outside {
                    return ControlFlow::Break(());
                }
                let flow = each(row);
                broke = flow.is_break();
                flow
            })
        })?;
        Ok(broke)
    }

    /// Fetches the next batch.
    fn fetch(&mut self) -> Result<()> {
        let (mut batch, wanted) = (VecDeque::with_capacity(self.batch), self.batch);
        let table = Arc::clone(&self.table);
        let broke = self.walk(|row| {
            batch.push_back(RowView::new(&table, row).to_row());
            let enough = batch.len() >= wanted || batch.back().is_some_and(Result::is_err);
            if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        self.done = !broke;
        match batch.back() {
            Some(Ok(row)) => self.last = Some(row.key().to_vec()),
            Some(Err(_)) => self.done = true,
            None => {}
        }
        self.ready = batch;
        self.batch = (self.batch * 4).min(BATCH_MAX);
        Ok(())
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Result<Row>> {
        if self.ready.is_empty() && !self.done {
            // An error ends the iteration.
            if let Err(error) = self.fetch() {
                self.done = true;
                return Some(Err(error));
            }
        }
        self.ready.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_is_its_next_greater_neighbour() {
        assert_eq!(after_all_with(vec![1, 2]), Some(vec![1, 3]));
        assert_eq!(after_all_with(vec![1, 0xff, 0xff]), Some(vec![2]));
        assert_eq!(after_all_with(vec![0xff]), None);
        assert_eq!(after_all_with(Vec::new()), None);
    }

    #[test]
    fn bounds_take_in_or_leave_out_all_that_begins_with_them() {
        let bounds = Bounds::between(Bound::Excluded(vec![5]), Bound::Included(vec![7]));
        assert_eq!((bounds.low, bounds.high), (Some(vec![6]), Some(vec![8])));
        assert!(Bounds::between(Bound::Excluded(vec![0xff]), Bound::Unbounded).empty);
    }
}
