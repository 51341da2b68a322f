//! What a database must hold: ordered maps, and the commits that made them.
//!
//! The rule that a recovered database is held against: its content equals the state after some
//! prefix of the commits, and that prefix covers every commit that was acknowledged as durable.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
};

use ese_base::Hex;

use crate::random::{hash_bytes, mix};

/// The rows of a table by key.
pub type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// The content of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// Tables by name.
    pub tables: BTreeMap<String, Rows>,
}

/// One change of the content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowOp {
    /// A table that was not there.
    CreateTable {
        /// Its name.
        table: String,
    },
    /// A row under a key that was free.
    Insert {
        /// Table of the row.
        table: String,
        /// Key of the row.
        key: Vec<u8>,
        /// Value of the row.
        value: Vec<u8>,
    },
    /// A new value for a row.
    Replace {
        /// Table of the row.
        table: String,
        /// Key of the row.
        key: Vec<u8>,
        /// New value.
        value: Vec<u8>,
    },
    /// A row less.
    Delete {
        /// Table of the row.
        table: String,
        /// Key of the row.
        key: Vec<u8>,
    },
}

/// A transaction that was committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Place in the order of commits, from 1.
    pub id: u64,
    /// Was the commit promised to survive a power cut (as opposed to lazy)?
    pub durable: bool,
    /// Its changes in order.
    pub ops: Vec<RowOp>,
}

impl Model {
    /// Makes a change. False, and nothing changed, if it does not fit: a table or key that is there
    /// or is not there.
    pub fn apply(&mut self, op: &RowOp) -> bool {
        match op {
            RowOp::CreateTable { table } => {
                let fresh = !self.tables.contains_key(table);
                self.tables.entry(table.clone()).or_default();
                fresh
            }
            RowOp::Insert { table, key, value } => match self.tables.get_mut(table) {
                Some(rows) if !rows.contains_key(key) => {
                    rows.insert(key.clone(), value.clone());
                    true
                }
                _ => false,
            },
            RowOp::Replace { table, key, value } => {
                match self.tables.get_mut(table).and_then(|rows| rows.get_mut(key)) {
                    Some(old) => {
                        old.clone_from(value);
                        true
                    }
                    None => false,
                }
            }
            RowOp::Delete { table, key } => {
                self.tables.get_mut(table).is_some_and(|rows| rows.remove(key).is_some())
            }
        }
    }

    /// Equal for equal content. It is a sum over tables and rows, so that [`History`] can follow
    /// single changes.
    #[must_use]
    pub fn hash(&self) -> u64 {
        let mut sum = 0_u64;
        for (table, rows) in &self.tables {
            sum = sum.wrapping_add(table_hash(table));
            for (key, value) in rows {
                sum = sum.wrapping_add(row_hash(table, key, value));
            }
        }
        sum
    }

    /// Number of rows of all tables.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.tables.values().map(BTreeMap::len).sum()
    }

    /// What `found` has otherwise than this model: a line each, at most `limit`, and the number of
    /// all differences.
    #[must_use]
    pub fn differences(&self, found: &Model, limit: usize) -> (Vec<String>, usize) {
        let mut all = Differences { lines: Vec::new(), count: 0, limit };
        for table in self.tables.keys().chain(found.tables.keys().filter(|t| !self.has(t))) {
            match (self.tables.get(table), found.tables.get(table)) {
                (Some(wanted), Some(found)) => all.rows(table, wanted, found),
                (Some(_), None) => all.add(|| format!("table {table} is missing")),
                _ => all.add(|| format!("table {table} should not be there")),
            }
        }
        (all.lines, all.count)
    }

    fn has(&self, table: &str) -> bool {
        self.tables.contains_key(table)
    }
}

struct Differences {
    lines: Vec<String>,
    count: usize,
    limit: usize,
}

impl Differences {
    fn add(&mut self, line: impl FnOnce() -> String) {
        self.count += 1;
        if self.lines.len() < self.limit {
            self.lines.push(line());
        }
    }

    fn rows(&mut self, table: &str, wanted: &Rows, found: &Rows) {
        for (key, value) in wanted {
            match found.get(key) {
                Some(same) if same == value => {}
                Some(other) => self.add(|| {
                    format!("{table} {}: wanted {}, found {}", hex(key), hex(value), hex(other))
                }),
                None => {
                    self.add(|| format!("{table} {}: missing, wanted {}", hex(key), hex(value)));
                }
            }
        }
        for (key, value) in found.iter().filter(|(key, _)| !wanted.contains_key(*key)) {
            self.add(|| format!("{table} {}: should not be there, found {}", hex(key), hex(value)));
        }
    }
}

/// The first bytes and the length, for messages.
fn hex(bytes: &[u8]) -> String {
    match bytes.len() {
        0 => "(empty)".into(),
        1..=12 => Hex(bytes).to_string(),
        len => format!("{:.12}({len} bytes)", Hex(bytes)),
    }
}

fn table_hash(table: &str) -> u64 {
    mix(1, hash_bytes(table.as_bytes()))
}

fn row_hash(table: &str, key: &[u8], value: &[u8]) -> u64 {
    mix(mix(hash_bytes(table.as_bytes()), hash_bytes(key)), hash_bytes(value))
}

/// All commits of a workload in their order, and the content after each.
#[derive(Clone, Debug)]
pub struct History {
    base: Model,
    commits: Vec<Commit>,
    /// Content after all commits.
    model: Model,
    hash: u64,
    /// Lengths of the prefixes whose content has this hash.
    by_hash: HashMap<u64, Vec<usize>>,
}

impl History {
    /// Starts from a content that was there before.
    #[must_use]
    pub fn new(base: Model) -> History {
        let hash = base.hash();
        let by_hash = HashMap::from([(hash, vec![0])]);
        History { model: base.clone(), base, commits: Vec::new(), hash, by_hash }
    }

    /// Adds a commit; its id must be one more than the number of commits so far. False, and nothing
    /// is added, if the id or a change does not fit.
    pub fn push(&mut self, commit: Commit) -> bool {
        if commit.id != self.commits.len() as u64 + 1 || !self.fits(&commit.ops) {
            return false;
        }
        for op in &commit.ops {
            self.follow(op);
        }
        self.commits.push(commit);
        self.by_hash.entry(self.hash).or_default().push(self.commits.len());
        true
    }

    /// Could these changes be made one after another?
    fn fits(&self, ops: &[RowOp]) -> bool {
        let mut tables: HashSet<&str> = HashSet::new();
        let mut rows: HashMap<(&str, &[u8]), bool> = HashMap::new();
        ops.iter().all(|op| {
            let (table, key, wanted, left) = match op {
                RowOp::CreateTable { table } => {
                    return !self.model.has(table) && tables.insert(table);
                }
                RowOp::Insert { table, key, .. } => (table.as_str(), key.as_slice(), false, true),
                RowOp::Replace { table, key, .. } => (table.as_str(), key.as_slice(), true, true),
                RowOp::Delete { table, key } => (table.as_str(), key.as_slice(), true, false),
            };
            let old = self.model.tables.get(table);
            let there = rows
                .insert((table, key), left)
                .unwrap_or_else(|| old.is_some_and(|rows| rows.contains_key(key)));
            there == wanted && (old.is_some() || tables.contains(table))
        })
    }

    /// Makes a change that fits in the model and its hash.
    fn follow(&mut self, op: &RowOp) {
        let old = |table: &String, key: &Vec<u8>| {
            let value = self.model.tables.get(table).and_then(|rows| rows.get(key));
            value.map_or(0, |value| row_hash(table, key, value))
        };
        let (gone, new) = match op {
            RowOp::CreateTable { table } => (0, table_hash(table)),
            RowOp::Insert { table, key, value } => (0, row_hash(table, key, value)),
            RowOp::Replace { table, key, value } => (old(table, key), row_hash(table, key, value)),
            RowOp::Delete { table, key } => (old(table, key), 0),
        };
        self.hash = self.hash.wrapping_sub(gone).wrapping_add(new);
        self.model.apply(op);
    }

    /// The commits in their order.
    #[must_use]
    pub fn commits(&self) -> &[Commit] {
        &self.commits
    }

    /// Content after all commits.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Content after the first so many commits.
    #[must_use]
    pub fn state(&self, prefix: usize) -> Model {
        let mut model = self.base.clone();
        for op in self.commits.iter().take(prefix).flat_map(|commit| &commit.ops) {
            model.apply(op);
        }
        model
    }

    /// How many commits must survive when the calls of the first `returned` have returned: up to
    /// and including the last durable one of them (lazy ones before it come along, because the log
    /// is durable up to a point). A commit that changed nothing writes nothing and promises
    /// nothing.
    #[must_use]
    pub fn promised(&self, returned: usize) -> usize {
        let returned = &self.commits[..returned.min(self.commits.len())];
        let promises = |commit: &Commit| commit.durable && !commit.ops.is_empty();
        returned.iter().rposition(promises).map_or(0, |at| at + 1)
    }

    /// Which prefix of the commits a content equals: the longest, if several do.
    #[must_use]
    pub fn prefix_of(&self, content: &Model) -> Option<usize> {
        self.by_hash.get(&content.hash())?.last().copied()
    }

    /// Holds a recovered content against the rule: equal to a prefix that has at least `promised`
    /// commits. Gives the prefix.
    pub fn check(&self, recovered: &Model, promised: usize) -> Result<usize, Mismatch> {
        match self.prefix_of(recovered) {
            Some(prefix) if prefix >= promised => Ok(prefix),
            Some(prefix) => Err(Mismatch::Lost { prefix, promised }),
            None => Err(self.explain(recovered, promised)),
        }
    }

    /// The prefix that comes closest, and what is wrong with it.
    #[cold]
    fn explain(&self, recovered: &Model, promised: usize) -> Mismatch {
        const TRIED_MAX: usize = 400;
        let mut nearest = (usize::MAX, promised);
        let mut model = self.state(promised);
        for prefix in promised..=self.commits.len().min(promised + TRIED_MAX) {
            if prefix > promised {
                self.commits[prefix - 1].ops.iter().for_each(|op| {
                    model.apply(op);
                });
            }
            let (_, count) = model.differences(recovered, 0);
            nearest = nearest.min((count, prefix));
        }
        let (differences, count) = self.state(nearest.1).differences(recovered, 6);
        Mismatch::NoPrefix { nearest: nearest.1, promised, differences, count }
    }
}

/// How a recovered content breaks the rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// It equals a prefix of the commits, but a promised commit is not in it.
    Lost {
        /// Commits that are there.
        prefix: usize,
        /// Commits that must be there.
        promised: usize,
    },
    /// It equals the state after no prefix: part of a transaction, rows of nowhere, lost rows.
    NoPrefix {
        /// The prefix with the fewest differences.
        nearest: usize,
        /// Commits that must be there.
        promised: usize,
        /// The first of the differences.
        differences: Vec<String>,
        /// Number of all differences.
        count: usize,
    },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mismatch::Lost { prefix, promised } => {
                write!(f, "{promised} commits were promised, {prefix} are there")
            }
            Mismatch::NoPrefix { nearest, promised, differences, count } => {
                write!(
                    f,
                    "content of no prefix ({promised} commits were promised); against the \
                     nearest, {nearest} commits, {count} differences: {}",
                    differences.join("; ")
                )
            }
        }
    }
}

impl std::error::Error for Mismatch {}

#[cfg(test)]
mod tests;
