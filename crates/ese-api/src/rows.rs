//! Iterating over rows.

use std::{collections::VecDeque, ops::Bound, ops::ControlFlow, sync::Arc};

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    table::{SecondaryIndex, Table as EngineTable},
    tree::{Direction, Position, Start},
};

use crate::{
    key::{Bookmark, no_index_key},
    row::{Row, RowView},
    session::{SessionCell, SessionState},
    shared::OpenDatabase,
    table::{Current, Table, current},
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

impl Bounds {
    /// Keys that begin with these bytes.
    pub(crate) fn beginning_with(low: Vec<u8>) -> Bounds {
        Bounds::between(Bound::Included(low.clone()), Bound::Included(low))
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

impl Bounds {
    /// Is a key behind the end that a walk in this direction has?
    fn end_before(&self, to: Direction, key: &[u8]) -> bool {
        match (to, &self.low, &self.high) {
            (Direction::Forward, _, Some(high)) => key >= high.as_slice(),
            (Direction::Backward, Some(low), _) => key < low.as_slice(),
            _ => false,
        }
    }

    /// Has a walk in this direction an end?
    fn is_open(&self, to: Direction) -> bool {
        match to {
            Direction::Forward => self.high.is_none(),
            Direction::Backward => self.low.is_none(),
        }
    }

    fn start(&self, to: Direction) -> Start<'_> {
        match (to, &self.low, &self.high) {
            (Direction::Forward, Some(low), _) => Start::At { key: low, data: &[] },
            (Direction::Backward, _, Some(high)) => Start::Beyond { key: high, data: &[] },
            _ => Start::End,
        }
    }
}

/// An entry of an index: its key and the bookmark of its row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry {
    key: Vec<u8>,
    pub(crate) bookmark: Vec<u8>,
}

/// An iterator over rows of a table, in the order of its keys or of an index.
///
/// Rows are fetched in batches. Inside a transaction it shows the transaction's state at each
/// fetch; outside, each fetch shows the newest committed state.
#[derive(Debug)]
pub struct Rows<'r> {
    table: Arc<EngineTable>,
    database: Arc<OpenDatabase>,
    /// The index whose order it is; `None` is the table's own.
    index: Option<Arc<SecondaryIndex>>,
    cell: &'r Arc<SessionCell>,
    bounds: Bounds,
    direction: Direction,
    position: Position,
    /// What was fetched last; in the table's own order the bookmark is empty.
    last: Option<Entry>,
    batch: usize,
    ready: VecDeque<Result<Row>>,
    done: bool,
}

impl<'r> Rows<'r> {
    pub(crate) fn new(table: &Table, cell: &'r Arc<SessionCell>, bounds: Bounds) -> Rows<'r> {
        Rows::by(table, None, cell, bounds)
    }

    pub(crate) fn by(
        table: &Table,
        index: Option<Arc<SecondaryIndex>>,
        cell: &'r Arc<SessionCell>,
        bounds: Bounds,
    ) -> Rows<'r> {
        Rows {
            table: Arc::clone(&table.inner),
            database: Arc::clone(&table.database),
            index,
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

    /// The rows that come behind the one with this bookmark: an iteration goes on where another
    /// one ended. The row itself may be gone. To be called after [`Rows::rev`], and before the
    /// first row is taken.
    ///
    /// # Errors
    /// `JET_errInvalidParameter` (-1003) for rows in the order of a secondary index, where a
    /// bookmark is no place.
    pub fn after(mut self, bookmark: &Bookmark) -> Result<Rows<'r>> {
        if let Some(index) = &self.index {
            return Err(no_index_key(&self.table.schema, &index.schema));
        }
        let key = bookmark.as_bytes().to_vec();
        let before_begin = match (self.direction, &self.bounds.low, &self.bounds.high) {
            (Direction::Forward, Some(low), _) => key < *low,
            (Direction::Backward, _, Some(high)) => key >= *high,
            _ => false,
        };
        if !before_begin {
            self.last = Some(Entry { key, bookmark: Vec::new() });
        }
        Ok(self)
    }

    /// Visits the rows that are left without copying them, until the visitor breaks. Says whether
    /// it did.
    ///
    /// The visitor runs under a page latch: it must be short and must not use the engine.
    ///
    /// # Errors
    /// Those of reading.
    pub fn visit(mut self, mut each: impl FnMut(RowView<'_>) -> ControlFlow<()>) -> Result<bool> {
        self.follow()?;
        let (table, cell) = (Arc::clone(&self.table), self.cell);
        // First the rows that were fetched and not given out.
        for row in std::mem::take(&mut self.ready) {
            let row = row?;
            let flow = cell.with(|state| {
                let engine = &state.engine;
                table.get(engine, row.key(), |record| {
                    each(RowView::with_key(&table, engine, row.key(), record))
                })
            })?;
            if flow.is_some_and(|flow| flow.is_break()) {
                return Ok(true);
            }
        }
        let Some(index) = self.index.clone() else {
            return cell.with(|state| {
                self.walk(state, |row| each(RowView::new(&table, &state.engine, row)))
            });
        };
        while !self.done {
            let broke = cell.with(|state| {
                for Entry { bookmark, .. } in self.entries(state, &index)? {
                    let engine = &state.engine;
                    let flow = table.get(engine, &bookmark, |record| {
                        each(RowView::with_key(&table, engine, &bookmark, record))
                    })?;
                    if flow.is_some_and(|flow| flow.is_break()) {
                        return Ok(true);
                    }
                }
                Ok(false)
            })?;
            if broke {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(crate) fn table(&self) -> Table {
        let (inner, database) = (Arc::clone(&self.table), Arc::clone(&self.database));
        Table { inner, database, denies: None }
    }

    pub(crate) fn cell(&self) -> &'r Arc<SessionCell> {
        self.cell
    }

    /// The index whose order it is, unless it is the table's own.
    pub(crate) fn secondary(&self) -> Option<Arc<SecondaryIndex>> {
        self.index.clone()
    }

    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// Gives the rows that were fetched and not given out.
    pub(crate) fn take_ready(&mut self, mut each: impl FnMut(&[u8])) -> Result<()> {
        std::mem::take(&mut self.ready)
            .into_iter()
            .try_for_each(|row| row.map(|row| each(row.key())))
    }

    /// Follows the schema: goes on with the version of the table that the session sees by now.
    pub(crate) fn follow(&mut self) -> Result<()> {
        let cell = self.cell;
        let newer =
            cell.with(|state| match current(&self.table, &self.database, &state.engine)? {
                Current::Same(_) => Ok(None),
                Current::Newer(table) => Ok(Some(table)),
            })?;
        let Some(table) = newer else { return Ok(()) };
        if let Some(index) = &self.index {
            let objid = index.schema.objid;
            let same = table.secondary_indexes().iter().find(|other| other.schema.objid == objid);
            let same = same.ok_or_else(|| {
                let what = format!("index \"{}\" was deleted", index.schema.name);
                Error::new(JetErr::IndexNotFound, what)
            })?;
            self.index = Some(Arc::clone(same));
        }
        self.table = table;
        Ok(())
    }

    fn start(&self) -> Start<'_> {
        match &self.last {
            Some(Entry { key, bookmark }) => Start::Beyond { key, data: bookmark },
            None => self.bounds.start(self.direction),
        }
    }

    /// Scans the table from where the last fetch ended to the bound; says whether the visitor
    /// broke.
    pub(crate) fn walk(
        &mut self,
        state: &SessionState,
        mut each: impl FnMut(ese_engine::table::RowRef<'_>) -> ControlFlow<()>,
    ) -> Result<bool> {
        if self.bounds.empty {
            return Ok(false);
        }
        let (mut position, to) = (self.position, self.direction);
        let (bounds, open) = (&self.bounds, self.bounds.is_open(to));
        let (mut key, mut broke) = (Vec::new(), false);
        self.table.scan(&state.engine, self.start(), to, &mut position, |row| {
            if !open {
                key.clear();
                row.append_key(&mut key);
                if bounds.end_before(to, &key) {
                    return ControlFlow::Break(());
                }
            }
            let flow = each(row);
            broke = flow.is_break();
            flow
        })?;
        self.position = position;
        Ok(broke)
    }

    /// The next batch of an index's entries.
    pub(crate) fn entries(
        &mut self,
        state: &SessionState,
        index: &SecondaryIndex,
    ) -> Result<Vec<Entry>> {
        if self.bounds.empty {
            self.done = true;
            return Ok(Vec::new());
        }
        let (mut position, to, wanted) = (self.position, self.direction, self.batch);
        let mut batch: Vec<Entry> = Vec::with_capacity(wanted);
        let bounds = &self.bounds;
        let start = self.start();
        self.table.scan_index(&state.engine, index, start, to, &mut position, |found| {
            let mut entry = Entry::default();
            found.append_key(&mut entry.key);
            if bounds.end_before(to, &entry.key) {
                return ControlFlow::Break(());
            }
            entry.bookmark.extend_from_slice(found.bookmark);
            batch.push(entry);
            if batch.len() < wanted { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        self.position = position;
        self.done = batch.len() < wanted;
        self.last = batch.last().cloned().or(self.last.take());
        self.batch = (self.batch * 4).min(BATCH_MAX);
        Ok(batch)
    }

    /// Fetches the next batch.
    fn fetch(&mut self) -> Result<()> {
        self.follow()?;
        let (table, cell) = (Arc::clone(&self.table), self.cell);
        if let Some(index) = self.index.clone() {
            self.ready = cell.with(|state| {
                let mut rows = VecDeque::new();
                for Entry { bookmark, .. } in self.entries(state, &index)? {
                    let engine = &state.engine;
                    let read = |record: &[u8]| Row::read(&table, engine, bookmark.clone(), record);
                    rows.extend(table.get(engine, &bookmark, read)?);
                }
                Ok(rows)
            })?;
            return Ok(());
        }
        let (mut batch, wanted) = (VecDeque::with_capacity(self.batch), self.batch);
        let broke = cell.with(|state| {
            self.walk(state, |row| {
                batch.push_back(RowView::new(&table, &state.engine, row).to_row());
                let enough = batch.len() >= wanted || batch.back().is_some_and(Result::is_err);
                if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
        })?;
        self.done = !broke;
        match batch.back() {
            Some(Ok(row)) => {
                self.last = Some(Entry { key: row.key().to_vec(), bookmark: Vec::new() });
            }
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
        // A batch of an index can come without rows: others have deleted them meanwhile.
        while self.ready.is_empty() && !self.done {
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
