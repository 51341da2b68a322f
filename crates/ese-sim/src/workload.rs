//! Workloads as plain data: what a driver of any store is told to do, step by step.
//!
//! A workload is made from a seed and always succeeds on a store that keeps snapshot isolation with
//! "first writer wins": rows are inserted where none is, replaced and deleted where one is, and no
//! two open transactions touch the same row. What is committed is known beforehand
//! ([`Workload::history`]).

use std::collections::{BTreeMap, HashMap};

use crate::{
    model::{Commit, History, Model, RowOp},
    random::Random,
};

/// One thing to do. Sessions are numbered from 0 and independent of each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Creates a table in a transaction of its own, while no transaction is open anywhere.
    CreateTable {
        /// Its name.
        table: String,
        /// Must it survive a power cut after the call?
        durable: bool,
    },
    /// Begins a transaction, or a nested one.
    Begin {
        /// Who.
        session: usize,
    },
    /// Inserts, replaces or deletes a row in the innermost transaction.
    Row {
        /// Who.
        session: usize,
        /// What; never `CreateTable`.
        op: RowOp,
    },
    /// Reads a row; it must be this.
    Read {
        /// Who.
        session: usize,
        /// Where.
        table: String,
        /// Which.
        key: Vec<u8>,
        /// Its value as the session must see it, `None` if it must see no row.
        value: Option<Vec<u8>>,
    },
    /// Commits the innermost transaction. Only for the outermost it matters if it is durable.
    Commit {
        /// Who.
        session: usize,
        /// Must it survive a power cut after the call?
        durable: bool,
    },
    /// Undoes the innermost transaction.
    Rollback {
        /// Who.
        session: usize,
    },
    /// Writes changed pages and moves the checkpoint.
    Checkpoint,
    /// Writes some changed pages.
    Flush,
    /// Starts a new log generation.
    RollLog,
    /// Takes a full online backup (which also truncates the log).
    Backup,
    /// Joins sparse pages, for a while.
    Defragment,
    /// Makes files shorter as far as that is possible.
    Shrink,
    /// Ends the store in an orderly way and opens it again; no transaction is open.
    Restart,
}

/// What a workload is like. All "of 100" and "of 1000" figures are chances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Tables; some exist from the start, others come later.
    pub tables: usize,
    /// Outermost transactions.
    pub transactions: usize,
    /// Sessions that may have a transaction open at the same time.
    pub sessions: usize,
    /// Deepest nesting of transactions; 1 for none.
    pub depth: usize,
    /// Changes in a transaction, at most.
    pub rows_max: usize,
    /// Longest key, in bytes.
    pub key_bytes_max: usize,
    /// Shortest value, in bytes.
    pub value_bytes_min: usize,
    /// Longest value, in bytes.
    pub value_bytes_max: usize,
    /// Values that are one byte over and over, of 3; the others are random. A checksum that takes
    /// words together does not see whether a sector of equal words is there.
    pub plain_of_3: u64,
    /// Different keys of a table; few make much replacing and deleting.
    pub keys: usize,
    /// Changes of rows that exist which delete them, of 100; the others replace.
    pub delete_of_100: u64,
    /// Commits that are durable, of 100.
    pub durable_of_100: u64,
    /// Transactions that are rolled back, of 100.
    pub rollback_of_100: u64,
    /// Reads after a change, of 100.
    pub read_of_100: u64,
    /// Checkpoints after a transaction's end, of 1000.
    pub checkpoint_of_1000: u64,
    /// Flushes at any step, of 1000.
    pub flush_of_1000: u64,
    /// Forced log rolls at any step, of 1000.
    pub roll_of_1000: u64,
    /// Backups at any step, of 1000.
    pub backup_of_1000: u64,
    /// Defragmentations at any step, of 1000.
    pub defragment_of_1000: u64,
    /// Shortenings of the files at any step, of 1000.
    pub shrink_of_1000: u64,
    /// Restarts after a transaction's end, of 1000.
    pub restart_of_1000: u64,
}

impl Profile {
    /// A workload that a store takes fractions of a second for, with rows from nothing to nearly a
    /// page of `page_bytes`.
    #[must_use]
    pub fn small(page_bytes: usize) -> Profile {
        Profile {
            tables: 3,
            transactions: 40,
            sessions: 1,
            depth: 1,
            rows_max: 8,
            key_bytes_max: 200.min(page_bytes / 8),
            value_bytes_min: 0,
            // With the longest key it still is a row that fits on a page.
            value_bytes_max: page_bytes - page_bytes / 8 - 32,
            plain_of_3: 1,
            keys: 60,
            delete_of_100: 40,
            durable_of_100: 60,
            rollback_of_100: 15,
            read_of_100: 20,
            checkpoint_of_1000: 60,
            flush_of_1000: 30,
            roll_of_1000: 10,
            backup_of_1000: 5,
            defragment_of_1000: 5,
            shrink_of_1000: 5,
            restart_of_1000: 20,
        }
    }

    /// Like [`Profile::small`], with sessions side by side and nested transactions.
    #[must_use]
    pub fn mixed(page_bytes: usize) -> Profile {
        Profile { sessions: 3, depth: 3, transactions: 80, ..Profile::small(page_bytes) }
    }
}

/// A list of steps and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// The seed.
    pub seed: u64,
    /// The profile.
    pub profile: Profile,
    /// What to do, in order.
    pub steps: Vec<Step>,
}

impl Workload {
    /// Makes a workload. The same seed and profile give the same steps.
    #[must_use]
    pub fn generate(seed: u64, profile: &Profile) -> Workload {
        let mut maker = Maker::new(seed, profile);
        maker.run();
        Workload { seed, profile: profile.clone(), steps: maker.steps }
    }

    /// The commits that the steps make, on a store that was empty before.
    #[must_use]
    pub fn history(&self) -> History {
        let mut history = History::new(Model::default());
        let mut open: HashMap<usize, Vec<Vec<RowOp>>> = HashMap::new();
        for step in &self.steps {
            let done = match step {
                Step::CreateTable { table, durable } => {
                    Some((vec![RowOp::CreateTable { table: table.clone() }], *durable))
                }
                Step::Begin { session } => {
                    open.entry(*session).or_default().push(Vec::new());
                    None
                }
                Step::Row { session, op } => {
                    if let Some(inner) = open.get_mut(session).and_then(|levels| levels.last_mut())
                    {
                        inner.push(op.clone());
                    }
                    None
                }
                Step::Commit { session, durable } => {
                    let levels = open.entry(*session).or_default();
                    let ops = levels.pop().unwrap_or_default();
                    match levels.last_mut() {
                        Some(outer) => {
                            outer.extend(ops);
                            None
                        }
                        None => Some((ops, *durable)),
                    }
                }
                Step::Rollback { session } => {
                    open.entry(*session).or_default().pop();
                    None
                }
                _ => None,
            };
            if let Some((ops, durable)) = done {
                let id = history.commits().len() as u64 + 1;
                let fits = history.push(Commit { id, durable, ops });
                debug_assert!(fits, "a workload's own steps fit together");
            }
        }
        history
    }
}

/// A row: number of its table and of its key in that.
type RowId = (usize, usize);

/// Rows that a transaction level changed; `None` for deleted.
type Level = BTreeMap<RowId, Option<Vec<u8>>>;

/// A committed row: the commit that changed it last, and its value or that it is deleted.
type Committed = (usize, Option<Vec<u8>>);

/// What the maker knows of an open session.
#[derive(Default)]
struct Session {
    levels: Vec<Level>,
    /// Changes since the outermost begin.
    changes: usize,
    /// How many it shall make.
    goal: usize,
    /// Commits when it began: later commits of others are not seen and conflict.
    began: usize,
}

/// Makes the steps.
struct Maker<'a> {
    profile: &'a Profile,
    random: Random,
    steps: Vec<Step>,
    keys: Vec<Vec<Vec<u8>>>,
    tables: usize,
    rows: HashMap<RowId, Committed>,
    /// No transaction begins until all have ended: something wants to be alone.
    draining: bool,
    commits: usize,
    begun: usize,
    sessions: Vec<Session>,
}

impl<'a> Maker<'a> {
    fn new(seed: u64, profile: &'a Profile) -> Maker<'a> {
        let mut random = Random::new(seed);
        let keys = (0..profile.tables.max(1)).map(|_| keys(&mut random, profile)).collect();
        Maker {
            profile,
            random,
            steps: Vec::new(),
            keys,
            tables: 0,
            rows: HashMap::new(),
            draining: false,
            commits: 0,
            begun: 0,
            sessions: (0..profile.sessions.max(1)).map(|_| Session::default()).collect(),
        }
    }

    fn run(&mut self) {
        self.create_table();
        while self.begun < self.profile.transactions || !self.idle() {
            self.chores();
            let session = self.random.index(self.sessions.len());
            let now = &self.sessions[session];
            if now.levels.is_empty() {
                if self.begun < self.profile.transactions && !self.draining {
                    self.begin(session);
                }
            } else if now.changes >= now.goal || self.random.chance(1, 12) {
                self.end(session);
            } else if now.levels.len() < self.profile.depth && self.random.chance(1, 6) {
                self.steps.push(Step::Begin { session });
                self.sessions[session].levels.push(Level::new());
            } else {
                self.change(session);
            }
        }
    }

    fn idle(&self) -> bool {
        self.sessions.iter().all(|session| session.levels.is_empty())
    }

    /// What happens beside the transactions.
    fn chores(&mut self) {
        let profile = self.profile;
        for (chance, step) in [
            (profile.flush_of_1000, Step::Flush),
            (profile.roll_of_1000, Step::RollLog),
            (profile.backup_of_1000, Step::Backup),
            (profile.defragment_of_1000, Step::Defragment),
            (profile.shrink_of_1000, Step::Shrink),
        ] {
            if self.random.chance(chance, 1000) {
                self.steps.push(step);
            }
        }
        let restart = self.random.chance(profile.restart_of_1000, 1000);
        let table = self.tables < self.profile.tables && self.random.chance(1, 12);
        self.draining |= restart || table;
        if !self.draining || !self.idle() {
            return;
        }
        self.draining = false;
        if self.tables < self.profile.tables {
            self.create_table();
        }
        if profile.restart_of_1000 > 0 && self.random.chance(1, 2) {
            self.steps.push(Step::Restart);
        }
    }

    fn create_table(&mut self) {
        let table = table_name(self.tables);
        let durable = self.random.chance(self.profile.durable_of_100, 100);
        self.steps.push(Step::CreateTable { table, durable });
        self.tables += 1;
        self.commits += 1;
    }

    fn begin(&mut self, session: usize) {
        self.begun += 1;
        self.steps.push(Step::Begin { session });
        let goal = self.random.between(0, self.profile.rows_max);
        let began = self.commits;
        self.sessions[session] = Session { levels: vec![Level::new()], changes: 0, goal, began };
    }

    /// Ends the innermost transaction of a session.
    fn end(&mut self, session: usize) {
        let rollback = self.random.chance(self.profile.rollback_of_100, 100);
        let durable = self.random.chance(self.profile.durable_of_100, 100);
        let inner = self.sessions[session].levels.pop().unwrap_or_default();
        if rollback {
            self.steps.push(Step::Rollback { session });
        } else {
            self.steps.push(Step::Commit { session, durable });
            match self.sessions[session].levels.last_mut() {
                Some(outer) => outer.extend(inner),
                None => {
                    self.commits += 1;
                    for (row, value) in inner {
                        self.rows.insert(row, (self.commits, value));
                    }
                }
            }
        }
        let outermost = self.sessions[session].levels.is_empty();
        if outermost && self.random.chance(self.profile.checkpoint_of_1000, 1000) {
            self.steps.push(Step::Checkpoint);
        }
    }

    /// Changes a row that no other session's transaction stands in the way of.
    fn change(&mut self, session: usize) {
        self.sessions[session].changes += 1;
        let table = self.random.index(self.tables);
        let row = (table, self.random.index(self.keys[table].len()));
        let taken = |(at, other): (usize, &Session)| {
            at != session && other.levels.iter().any(|level| level.contains_key(&row))
        };
        let newer = self.rows.get(&row).is_some_and(|(by, _)| *by > self.sessions[session].began);
        if newer || self.sessions.iter().enumerate().any(taken) {
            return;
        }
        let key = self.keys[table][row.1].clone();
        let name = table_name(table);
        let value = value(&mut self.random, self.profile);
        let op = match (
            self.seen(session, row).is_some(),
            self.random.chance(self.profile.delete_of_100, 100),
        ) {
            (false, _) => RowOp::Insert { table: name, key, value: value.clone() },
            (true, true) => RowOp::Delete { table: name, key },
            (true, false) => RowOp::Replace { table: name, key, value: value.clone() },
        };
        let left = if matches!(op, RowOp::Delete { .. }) { None } else { Some(value) };
        if let Some(inner) = self.sessions[session].levels.last_mut() {
            inner.insert(row, left);
        }
        self.steps.push(Step::Row { session, op });
        if self.random.chance(self.profile.read_of_100, 100) {
            self.read(session);
        }
    }

    /// Reads a row, own or committed. A row that another session committed since this one began is
    /// left alone: what it was then is not kept here.
    fn read(&mut self, session: usize) {
        let table = self.random.index(self.tables);
        let row = (table, self.random.index(self.keys[table].len()));
        let own = self.sessions[session].levels.iter().any(|level| level.contains_key(&row));
        let newer = self.rows.get(&row).is_some_and(|(by, _)| *by > self.sessions[session].began);
        if newer && !own {
            return;
        }
        let value = self.seen(session, row).cloned();
        let key = self.keys[table][row.1].clone();
        self.steps.push(Step::Read { session, table: table_name(table), key, value });
    }

    /// The row as the session sees it.
    fn seen(&self, session: usize, row: RowId) -> Option<&Vec<u8>> {
        let levels = &self.sessions[session].levels;
        match levels.iter().rev().find_map(|level| level.get(&row)) {
            Some(own) => own.as_ref(),
            None => self.rows.get(&row).and_then(|(_, value)| value.as_ref()),
        }
    }
}

fn table_name(number: usize) -> String {
    format!("table{number}")
}

/// The keys of a table, all different: ascending ones, random ones, ones with a long common start.
fn keys(random: &mut Random, profile: &Profile) -> Vec<Vec<u8>> {
    let mut keys: Vec<Vec<u8>> = Vec::new();
    let common = random.bytes(profile.key_bytes_max.saturating_sub(9) / 2);
    let max = profile.key_bytes_max.max(4);
    while keys.len() < profile.keys.max(1) {
        let number = u32::try_from(keys.len()).unwrap_or_default().to_be_bytes();
        let mut key = match random.below(4) {
            0 => Vec::new(),
            1 => common.clone(),
            2 => {
                let len = random.between(0, 12.min(max - 4));
                random.bytes(len)
            }
            _ => {
                let len = random.between(0, max - 4);
                random.bytes(len)
            }
        };
        // The number makes keys different; no two prefixes and numbers run together alike.
        key.truncate(max - 4);
        key.extend(number);
        keys.push(key);
    }
    keys.sort();
    keys.dedup();
    keys
}

/// A value: mostly small, at times as large as allowed, random or all one byte; never shorter than
/// allowed.
fn value(random: &mut Random, profile: &Profile) -> Vec<u8> {
    let max = profile.value_bytes_max;
    let len = match random.below(10) {
        0..5 => random.between(0, 32.min(max)),
        5..8 => random.between(0, 400.min(max)),
        8 => random.between(0, max),
        _ => random.between(max - max / 16, max),
    };
    let len = len.max(profile.value_bytes_min);
    if random.chance(profile.plain_of_3, 3) {
        let byte = random.bytes(1);
        byte.repeat(len)
    } else {
        random.bytes(len)
    }
}

#[cfg(test)]
mod tests;
