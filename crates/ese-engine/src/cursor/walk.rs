//! From entry to entry, in the table's own order or a secondary index's.

use std::{ops::ControlFlow, sync::Arc};

use ese_base::{Error, JetErr, Pgno, Result};

use super::{Cursor, Place, no_current_record, passes};
use crate::{
    schema::{Index, TableSchema},
    session::Session,
    table::{EntryRef, RowRef, SecondaryIndex, Table},
    tree::{Direction, Position, Start, TreeHandle},
};

/// An entry: its key in the current order, and the key of its row where that is another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: Vec<u8>,
    /// Empty in the table's own order.
    pub(super) row: Vec<u8>,
}

/// Which order a cursor goes by.
#[derive(Clone, Debug)]
pub(super) enum Order {
    /// The table's own.
    Primary,
    /// A secondary index's.
    Secondary(Arc<SecondaryIndex>),
}

/// An entry under the latch of its page.
#[derive(Clone, Copy, Debug)]
pub(super) enum Seen<'a> {
    Row(RowRef<'a>),
    Entry(EntryRef<'a>),
}

impl<'a> Seen<'a> {
    pub(super) fn append_key(&self, out: &mut Vec<u8>) {
        match self {
            Seen::Row(row) => row.append_key(out),
            Seen::Entry(entry) => entry.append_key(out),
        }
    }

    /// The record, or in a secondary index the bookmark of the row.
    pub(super) fn data(&self) -> &'a [u8] {
        match self {
            Seen::Row(row) => row.record,
            Seen::Entry(entry) => entry.bookmark,
        }
    }
}

impl Order {
    /// The order of the index with this name; no name is the table's own.
    pub(super) fn named(table: &Table, name: &str) -> Result<Order> {
        let primary = table.schema.primary();
        if name.is_empty() || primary.is_some_and(|index| index.name.eq_ignore_ascii_case(name)) {
            return Ok(Order::Primary);
        }
        table.index(name).map(|index| Order::Secondary(Arc::clone(index))).ok_or_else(|| {
            Error::new(
                JetErr::IndexNotFound,
                format!("table \"{}\" has no index \"{name}\"", table.schema.name),
            )
        })
    }

    pub(super) fn is_primary(&self) -> bool {
        matches!(self, Order::Primary)
    }

    pub(super) fn secondary(&self) -> Option<Arc<SecondaryIndex>> {
        match self {
            Order::Primary => None,
            Order::Secondary(index) => Some(Arc::clone(index)),
        }
    }

    /// What makes its keys; nothing does in a table without primary index.
    pub(super) fn index<'t>(&'t self, table: &'t TableSchema) -> Option<&'t Index> {
        match self {
            Order::Primary => table.primary(),
            Order::Secondary(index) => Some(&index.schema),
        }
    }

    /// Are its keys distinct?
    pub(super) fn is_unique(&self) -> bool {
        match self {
            Order::Primary => true,
            Order::Secondary(index) => index.schema.is_unique(),
        }
    }

    pub(super) fn tree(&self, table: &Table) -> Arc<TreeHandle> {
        match self {
            Order::Primary => Arc::clone(&table.tree),
            Order::Secondary(index) => Arc::clone(&index.tree),
        }
    }

    /// Does the session see this entry?
    pub(super) fn has(&self, table: &Table, session: &Session, entry: &Entry) -> Result<bool> {
        let Order::Secondary(_) = self else {
            return Ok(table.get(session, &entry.key, |_| ())?.is_some());
        };
        let start = Start::At { key: &entry.key, data: &entry.row };
        let (mut key, mut same) = (Vec::new(), false);
        let at = &mut Position::default();
        self.scan(table, session, start, Direction::Forward, at, |found| {
            found.append_key(&mut key);
            same = key == entry.key && found.data() == entry.row;
            ControlFlow::Break(())
        })?;
        Ok(same)
    }

    /// Visits entries. The visitor runs under a page latch.
    pub(super) fn scan(
        &self,
        table: &Table,
        session: &Session,
        start: Start<'_>,
        to: Direction,
        position: &mut Position,
        mut visit: impl FnMut(Seen<'_>) -> ControlFlow<()>,
    ) -> Result<bool> {
        match self {
            Order::Primary => table.scan(session, start, to, position, |row| visit(Seen::Row(row))),
            Order::Secondary(index) => {
                table.scan_index(session, index, start, to, position, |e| visit(Seen::Entry(e)))
            }
        }
    }
}

/// Behind every bookmark: entries of one key come before this one. Trees whose keys are not unique
/// order by key and bookmark as one string.
pub(super) static BEHIND: [u8; 2048] = [0xff; 2048];

/// Pages that a sequential cursor asks for ahead of the leaf it comes to.
const AHEAD: u32 = 16;

/// How far to walk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps {
    /// Entries to go, from 1.
    pub(super) count: u32,
    /// Keys count, not entries.
    pub(super) distinct: bool,
    /// The range is an end.
    pub(super) in_range: bool,
}

impl Steps {
    pub(super) const ONE: Steps = Steps { count: 1, distinct: false, in_range: false };
}

impl Cursor {
    /// Walks from `start` and leaves the entry it comes to in `self.next`. False: there are not so
    /// many.
    pub(super) fn walk(
        &mut self,
        session: &Session,
        start: Start<'_>,
        to: Direction,
        steps: Steps,
    ) -> Result<bool> {
        if steps.distinct && !self.order.is_unique() {
            return self.walk_keys(session, start, to, steps);
        }
        self.walk_entries(session, start, to, steps)
    }

    /// Walks from key to key: each is sought behind the one before, however many entries share it.
    fn walk_keys(
        &mut self,
        session: &Session,
        start: Start<'_>,
        to: Direction,
        steps: Steps,
    ) -> Result<bool> {
        let single = Steps { count: 1, distinct: false, ..steps };
        let mut passed = match start {
            // A place between entries, which a failed seek leaves, has no row. No entry has its
            // key, and the first one behind it counts, even if that begins with the same bytes.
            Start::Beyond { key, data } if !data.is_empty() => Some(key.to_vec()),
            _ => None,
        };
        for _ in 0..steps.count {
            let start = match (&passed, to) {
                (None, _) => start,
                (Some(key), Direction::Forward) => Start::Beyond { key, data: &BEHIND },
                (Some(key), Direction::Backward) => Start::Beyond { key, data: &[] },
            };
            if !self.walk(session, start, to, single)? {
                return Ok(false);
            }
            passed.get_or_insert_default().clone_from(&self.next.key);
        }
        Ok(true)
    }

    fn walk_entries(
        &mut self,
        session: &Session,
        start: Start<'_>,
        to: Direction,
        steps: Steps,
    ) -> Result<bool> {
        let Cursor { table, order, next, position, range, filters, sequential, .. } = self;
        let limit = range.as_ref().filter(|range| steps.in_range && range.limits(to));
        let (mut left, mut outside, mut failed) = (steps.count, false, None);
        let leaf = position.leaf;
        let found = order.scan(table, session, start, to, position, |entry| {
            if left == 1 || limit.is_some() {
                next.key.clear();
                entry.append_key(&mut next.key);
            }
            if limit.is_some_and(|range| range.excludes(&next.key)) {
                outside = true;
                return ControlFlow::Break(());
            }
            if !filters.is_empty() {
                // The order is the table's own, so the entry is the row.
                match passes(filters, table, session, entry.data()) {
                    Ok(true) => {}
                    Ok(false) => return ControlFlow::Continue(()),
                    Err(error) => {
                        failed = Some(error);
                        return ControlFlow::Break(());
                    }
                }
            }
            left -= 1;
            if left > 0 {
                return ControlFlow::Continue(());
            }
            next.row.clear();
            if !order.is_primary() {
                next.row.extend_from_slice(entry.data());
            }
            ControlFlow::Break(())
        })?;
        if outside {
            // A range has done its work when a move comes to its end.
            *range = None;
        }
        if *sequential && position.leaf != leaf {
            // Leaves that were written in order lie in order.
            let first = match to {
                Direction::Forward => position.leaf.0.saturating_add(1),
                Direction::Backward => position.leaf.0.saturating_sub(AHEAD).max(1),
            };
            table.db.cache.will_need(Pgno(first), AHEAD);
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(found && !outside),
        }
    }

    /// The entry that a walk found is the current one.
    pub(super) fn land(&mut self) {
        std::mem::swap(&mut self.here, &mut self.next);
        self.place = Place::Row;
    }

    /// Walks to an entry, or off the end.
    pub(super) fn go(
        &mut self,
        session: &Session,
        start: Start<'_>,
        to: Direction,
        steps: Steps,
    ) -> Result<()> {
        if self.walk(session, start, to, steps)? {
            self.land();
            return Ok(());
        }
        self.place = match to {
            Direction::Forward => Place::After,
            Direction::Backward => Place::Before,
        };
        Err(no_current_record())
    }

    /// Goes to the first entry; nothing happens where there is none.
    pub(super) fn find_first(&mut self, session: &Session) -> Result<()> {
        if self.walk(session, Start::End, Direction::Forward, Steps::ONE)? {
            self.land();
        }
        Ok(())
    }
}
