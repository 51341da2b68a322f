//! Databases that Windows wrote, and what a foreign reader says is in them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{Peers, real_data};

/// Every database in the folder of real data.
pub const DATABASES: [&str; 9] = [
    "basic.edb",
    "binary.edb",
    "default.edb",
    "index.edb",
    "text.edb",
    "decompress_test.edb",
    "srum-win10-clean.dat",
    "Catalog1.edb",
    DIRTY,
];

/// This one is dirty and its log is missing: it can only be read as it stands.
pub const DIRTY: &str = "qmgr-16k-dirty.db";

/// Their folder, or `None` (after saying so) where it is absent.
#[must_use]
pub fn databases(test: &str) -> Option<PathBuf> {
    real_data(test).map(|data| data.join("databases"))
}

/// Every row of every table, in its order: objects with `key` (hex digits) and `row` (values in the
/// form of [`canonical`](crate::canonical)).
///
/// # Panics
/// If dissect fails, or was cut short.
#[must_use]
pub fn dissect_rows(peers: &Peers, file: &Path) -> BTreeMap<String, Vec<Value>> {
    let mut tables: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    peers.json_lines("dissect_rows.py", [file], |line| {
        if let Some(table) = line["table"].as_str() {
            tables.entry(table.to_owned()).or_default().push(line);
        } else if let Some(table) = line["end"].as_str() {
            let rows = tables.entry(table.to_owned()).or_default().len();
            assert_eq!(line["rows"], rows, "{}, {table}: cut short", file.display());
        }
    });
    tables
}
