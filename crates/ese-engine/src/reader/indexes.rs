//! Do the indexes of a table hold exactly what its rows say, and has each row its own key?
//!
//! Rows and entries lie in different orders, so they are compared as sets of hashes. Sums of hashes
//! are compared first, which needs no memory. Only where they differ are the entries told that make
//! the difference, [`AT_ONCE`] hashes in memory at a time, however many there are.

use std::{
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    ops::ControlFlow,
};

use ese_base::{Error, Hex, JetErr, Result, StopToken};

use super::OfflineDatabase;
use crate::{
    key,
    record::RecordView,
    schema::{Index, TableSchema},
};

/// Hashes of rows, and as many of entries, that are held at a time; 8 bytes each.
const AT_ONCE: u64 = 2 << 20;
/// Findings of an index that are kept.
const FINDINGS_MAX: usize = 20;
/// Bytes of a key that a finding shows.
const SHOWN: usize = 40;

/// Entries as a set: how many they are, and the sum of their hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    count: u64,
    hashes: u64,
}

impl Sum {
    fn add(&mut self, hash: u64) {
        self.count += 1;
        self.hashes = self.hashes.wrapping_add(hash);
    }
}

/// What of an entry is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// Its key and its row.
    Entry,
    /// Its row alone: the keys are made in a way that is not ours.
    Row,
}

impl By {
    fn hash(self, key: &[u8], bookmark: &[u8]) -> u64 {
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        match self {
            By::Entry => hasher.hash_one((key, bookmark)),
            By::Row => hasher.hash_one(bookmark),
        }
    }
}

impl OfflineDatabase {
    /// Compares the keys of a table's rows, and the entries of its secondary indexes, with what the
    /// rows say. Of indexes over text that another engine sorts only this is looked at: does each
    /// entry belong to a row? What this version knows nothing about is passed over.
    ///
    /// Gives what is wrong, some of it for each index: `JET_errPrimaryIndexCorrupted` (-1413),
    /// `JET_errSecondaryIndexCorrupted` (-1414).
    ///
    /// # Errors
    /// Damaged pages and rows; `JET_errClientRequestToStopJetService` (-1329) if stopped.
    pub fn check_indexes(&self, table: &TableSchema, stop: &StopToken) -> Result<Vec<Error>> {
        let mut problems = Vec::new();
        if table.is_orphan() {
            return Ok(problems);
        }
        if let Some(primary) = table.primary()
            && key::check_supported(table, primary).is_ok()
        {
            self.check_row_keys(table, primary, stop, &mut problems)?;
        }
        for index in table.secondary() {
            let by = match key::check_supported(table, index) {
                Ok(()) => By::Entry,
                Err(error) if error.code() == JetErr::SecondaryIndexCorrupted => By::Row,
                // Of a kind that nobody knows.
                Err(_) => continue,
            };
            let mut check = IndexCheck { database: self, table, index, by, stop };
            check.run(&mut problems)?;
        }
        Ok(problems)
    }

    fn check_row_keys(
        &self,
        table: &TableSchema,
        primary: &Index,
        stop: &StopToken,
        problems: &mut Vec<Error>,
    ) -> Result<()> {
        let (mut made, mut wrong) = (Vec::new(), 0);
        let visited = self.rows(table, |stored, record| {
            stop.check()?;
            key::primary_key(table, record, &mut made)?;
            if made != stored && wrong < FINDINGS_MAX {
                wrong += 1;
                let what = format!(
                    "the row with key {} has columns whose key is {}",
                    shown(stored),
                    shown(&made)
                );
                problems.push(finding(JetErr::PrimaryIndexCorrupted, table, primary, &what));
            }
            Ok(ControlFlow::Continue(()))
        });
        pass_over(visited)
    }
}

/// Takes the hash of an entry, its key, and the key of its row.
type Each<'e> = &'e mut dyn FnMut(u64, &[u8], &[u8]);

struct IndexCheck<'c> {
    database: &'c OfflineDatabase,
    table: &'c TableSchema,
    index: &'c Index,
    by: By,
    stop: &'c StopToken,
}

impl IndexCheck<'_> {
    fn run(&mut self, problems: &mut Vec<Error>) -> Result<()> {
        let (mut rows, mut entries) = (Sum::default(), Sum::default());
        match self.each_of_rows(&mut |hash, _, _| rows.add(hash)) {
            // Nobody can say what the index should hold.
            Err(error) if error.code() == JetErr::FeatureNotAvailable => return Ok(()),
            made => made?,
        }
        self.each_entry(&mut |hash, _, _| entries.add(hash))?;
        if self.by == By::Entry && rows == entries {
            return Ok(());
        }
        let parts = rows.count.max(entries.count).div_ceil(AT_ONCE).max(1);
        let mut found = 0;
        for part in 0..parts {
            self.tell(part, parts, &mut found, problems)?;
        }
        Ok(())
    }

    /// Tells what one part of all hashes has on one side only.
    fn tell(
        &self,
        part: u64,
        parts: u64,
        found: &mut usize,
        problems: &mut Vec<Error>,
    ) -> Result<()> {
        let mine = |hash: u64| hash % parts == part;
        let (mut rows, mut entries) = (Vec::new(), Vec::new());
        self.each_of_rows(&mut |hash, _, _| rows.extend(mine(hash).then_some(hash)))?;
        self.each_entry(&mut |hash, _, _| entries.extend(mine(hash).then_some(hash)))?;
        rows.sort_unstable();
        entries.sort_unstable();
        let mut add = |what: &str, key: &[u8], bookmark: &[u8]| {
            *found += 1;
            if *found <= FINDINGS_MAX {
                let what = format!("entry {} of row {} {what}", shown(key), shown(bookmark));
                let code = JetErr::SecondaryIndexCorrupted;
                problems.push(finding(code, self.table, self.index, &what));
            }
        };
        self.each_entry(&mut |hash, key, bookmark| {
            if mine(hash) && rows.binary_search(&hash).is_err() {
                add("belongs to no row that has this key", key, bookmark);
            }
        })?;
        if self.by == By::Row {
            return Ok(());
        }
        self.each_of_rows(&mut |hash, key, bookmark| {
            if mine(hash) && entries.binary_search(&hash).is_err() {
                add("is missing", key, bookmark);
            }
        })
    }

    /// Visits what the rows say: hash, key, row.
    fn each_of_rows(&self, each: Each<'_>) -> Result<()> {
        let mut scratch = Vec::new();
        self.database.rows(self.table, |bookmark, record| {
            self.stop.check()?;
            self.keys_of(record, &mut scratch, &mut |key| {
                each(self.by.hash(key, bookmark), key, bookmark);
            })?;
            Ok(ControlFlow::Continue(()))
        })
    }

    fn keys_of(
        &self,
        record: &RecordView<'_>,
        scratch: &mut Vec<u8>,
        each: &mut dyn FnMut(&[u8]),
    ) -> Result<()> {
        if self.by == By::Row {
            each(&[]);
            return Ok(());
        }
        key::for_each_key(self.table, self.index, record, scratch, |key| {
            each(key);
            Ok(())
        })
    }

    fn each_entry(&self, each: Each<'_>) -> Result<()> {
        self.database.entries(self.index, |key, bookmark| {
            self.stop.check()?;
            each(self.by.hash(key, bookmark), key, bookmark);
            Ok(ControlFlow::Continue(()))
        })
    }
}

/// What this version cannot make a key of is no finding.
fn pass_over(visited: Result<()>) -> Result<()> {
    match visited {
        Err(error) if error.code() == JetErr::FeatureNotAvailable => Ok(()),
        other => other,
    }
}

fn finding(code: JetErr, table: &TableSchema, index: &Index, what: &str) -> Error {
    let what = format!("index \"{}\" of table \"{}\": {what}", index.name, table.name);
    Error::new(code, what).advise("make the index anew, or restore the database")
}

/// Bytes as digits, cut where they are many.
fn shown(bytes: &[u8]) -> String {
    let digits = format!("{:.SHOWN$}", Hex(bytes));
    if bytes.len() > SHOWN { format!("{digits} ({} bytes)", bytes.len()) } else { digits }
}
