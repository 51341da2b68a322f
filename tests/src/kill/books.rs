//! What one thread has committed, and what its next transaction does.

use std::collections::BTreeMap;

use ese_base::PageSize;
use ese_sim::Random;

/// A row of a thread: a slot, and a line of it. Slots are used again and again, so that the
/// database stays small and keys come back that were deleted.
pub type RowId = (u32, u8);

/// Slots of a thread.
const SLOTS: u64 = 48;
/// Most lines of a slot.
const LINES: u8 = 6;

/// Who loads, and how: what plans and contents depend on besides the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thread {
    /// The seed of all threads.
    pub seed: u64,
    /// Its number, from 0.
    pub number: i16,
    /// Page size of the database: rows are small, and now and then half a page.
    pub page_size: PageSize,
}

/// One change of a row, which the transaction's number goes into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new row.
    Insert(RowId),
    /// Other content for a row.
    Replace(RowId),
    /// No row any more.
    Delete(RowId),
}

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With a durable commit.
    Durable,
    /// With a commit that does not wait.
    Lazy,
    /// With a rollback.
    Rollback,
}

/// A transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// At least one, in order.
    pub changes: Vec<Change>,
    /// Its end.
    pub end: End,
}

/// The committed rows of a thread, each with the number of the transaction that wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    rows: BTreeMap<RowId, u64>,
}

impl Thread {
    fn random(&self, number: u64, purpose: u64) -> Random {
        let mut random = Random::new(self.seed ^ (purpose << 56));
        let thread = u64::from(self.number.unsigned_abs());
        Random::new(random.next_u64() ^ (thread << 48) ^ number)
    }

    /// What a row holds after transaction `number` wrote it.
    #[must_use]
    pub fn content(&self, row: RowId, number: u64) -> Vec<u8> {
        let line = u64::from(row.0) << 8 | u64::from(row.1);
        let mut random = self.random(number, 1 + line);
        let longest = if random.chance(1, 12) { self.page_size.bytes() / 2 } else { 300 };
        let len = random.between(0, longest);
        random.bytes(len)
    }

    /// The row's key in the second table: keys there come in no order.
    #[must_use]
    pub fn scattered(&self, row: RowId) -> i64 {
        let line = u64::from(row.0) << 8 | u64::from(row.1);
        i64::from_le_bytes(self.random(line, 255).next_u64().to_le_bytes())
    }
}

impl Books {
    /// Books with these rows.
    #[must_use]
    pub fn new(rows: BTreeMap<RowId, u64>) -> Books {
        Books { rows }
    }

    /// Its rows.
    #[must_use]
    pub fn rows(&self) -> &BTreeMap<RowId, u64> {
        &self.rows
    }

    /// What transaction `number` does when these are the rows before it: it fills a slot anew,
    /// often empties an old one, and often changes some row elsewhere.
    #[must_use]
    pub fn plan(&self, thread: &Thread, number: u64) -> Plan {
        let mut random = thread.random(number, 0);
        let slot = slot_of(number);
        let lines = u8::try_from(random.between(1, LINES.into())).unwrap_or(LINES);
        let mut changes = Vec::new();
        for line in 0..LINES {
            let row = (slot, line);
            match (line < lines, self.rows.contains_key(&row)) {
                (true, false) => changes.push(Change::Insert(row)),
                (true, true) => changes.push(Change::Replace(row)),
                (false, true) => changes.push(Change::Delete(row)),
                (false, false) => {}
            }
        }
        if random.chance(2, 3) {
            let old = slot_of(number + SLOTS / 2);
            let rows = self.rows.range((old, 0)..=(old, u8::MAX));
            changes.extend(rows.map(|(row, _)| Change::Delete(*row)));
        }
        let others: Vec<RowId> = self.rows.keys().copied().collect();
        let other = others.get(random.index(others.len())).copied();
        let touched = |row| changes.iter().any(|change| change.row() == row);
        if let Some(row) = other.filter(|row| random.chance(1, 2) && !touched(*row)) {
            changes.push(Change::Replace(row));
        }
        let end = match random.below(20) {
            0..12 => End::Durable,
            12..16 => End::Lazy,
            _ => End::Rollback,
        };
        Plan { changes, end }
    }

    /// Transaction `number` has committed.
    pub fn commit(&mut self, number: u64, plan: &Plan) {
        for change in &plan.changes {
            match change {
                Change::Insert(row) | Change::Replace(row) => {
                    self.rows.insert(*row, number);
                }
                Change::Delete(row) => {
                    self.rows.remove(row);
                }
            }
        }
    }

    /// Finds out how far a thread came that began with these books and transaction `first`. `found`
    /// is what it left, `acknowledged` the last durable commit that returned, `returned` the last
    /// commit of any kind that did. Gives the number that a later run may begin with; `None` if
    /// no prefix of its commits that holds all acknowledged ones, and at most one that had not
    /// returned, left this.
    #[must_use]
    pub fn explain(
        &self,
        thread: &Thread,
        first: u64,
        acknowledged: Option<u64>,
        returned: Option<u64>,
        found: &Books,
    ) -> Option<u64> {
        let mut books = self.clone();
        let mut explained = acknowledged.is_none() && books == *found;
        for number in first.. {
            let plan = books.plan(thread, number);
            if plan.end == End::Rollback {
                continue;
            }
            books.commit(number, &plan);
            explained |= acknowledged.is_none_or(|last| number >= last) && books == *found;
            if returned.is_none_or(|last| number > last) {
                return explained.then_some(number + 1);
            }
        }
        None
    }
}

impl Change {
    /// The row.
    #[must_use]
    pub fn row(&self) -> RowId {
        match self {
            Change::Insert(row) | Change::Replace(row) | Change::Delete(row) => *row,
        }
    }
}

fn slot_of(number: u64) -> u32 {
    u32::try_from(number % SLOTS).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREAD: Thread = Thread { seed: 1, number: 2, page_size: PageSize::K4 };

    /// The books after all transactions below `end`, and the commits among them.
    fn run(end: u64) -> (Books, Vec<u64>) {
        let (mut books, mut commits) = (Books::default(), Vec::new());
        for number in 0..end {
            let plan = books.plan(&THREAD, number);
            if plan.end != End::Rollback {
                books.commit(number, &plan);
                commits.push(number);
            }
        }
        (books, commits)
    }

    #[test]
    fn slots_are_used_again_and_every_kind_of_change_occurs() {
        let mut seen = [0; 3];
        let mut books = Books::default();
        for number in 0..400 {
            let plan = books.plan(&THREAD, number);
            for change in &plan.changes {
                let there = books.rows().contains_key(&change.row());
                let kind = match change {
                    Change::Insert(_) => 0,
                    Change::Replace(_) => 1,
                    Change::Delete(_) => 2,
                };
                assert_eq!(there, kind > 0, "{number}: {change:?}");
                seen[kind] += 1;
            }
            if plan.end != End::Rollback {
                books.commit(number, &plan);
            }
        }
        assert!(seen.iter().all(|count| *count > 50), "{seen:?}");
        assert!(books.rows().len() <= 48 * 6);
    }

    #[test]
    fn a_prefix_of_the_commits_is_explained_and_nothing_else() {
        let (_, commits) = run(100);
        let (acknowledged, returned) = (commits[20], commits[22]);
        let explain = |found: &Books| {
            let start = Books::default();
            start.explain(&THREAD, 0, Some(acknowledged), Some(returned), found)
        };
        // Acknowledged, returned, and the one that was under way.
        for last in &commits[20..=23] {
            assert_eq!(explain(&run(last + 1).0), Some(commits[23] + 1), "{last}");
        }
        assert_eq!(explain(&run(commits[19] + 1).0), None, "an acknowledged commit is lost");
        assert_eq!(explain(&run(commits[24] + 1).0), None, "a commit that nobody began");
        let mut torn = run(returned + 1).0;
        torn.rows.pop_last();
        assert_eq!(explain(&torn), None, "a part of a transaction");
    }
}
