//! Databases that Windows wrote, and what a foreign reader says is in them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use ese_base::PageSize;
use ese_pages::{NodeFlags, PageFlags, PageRef};
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

/// Pages of a database file, page 1 first; `None` for blank ones.
///
/// # Panics
/// If the file cannot be read.
#[must_use]
pub fn pages_of(file: &Path, size: PageSize) -> Vec<Option<Vec<u8>>> {
    let bytes = std::fs::read(file).expect("the file can be read");
    let pages = bytes.chunks_exact(size.bytes()).skip(2);
    pages.map(|page| (!PageRef::new(page, size).is_blank()).then(|| page.to_vec())).collect()
}

/// Key, data, flags and length of the prefix.
pub type Line = (Vec<u8>, Vec<u8>, NodeFlags, usize);

/// All of a page that means something: not the order of lines in memory, the flags that say that
/// versions may exist, nor the bits that change with every write.
#[must_use]
pub fn page_meaning(page: PageRef<'_>) -> (Vec<u64>, Vec<u8>, Vec<Line>) {
    let flags = page.flags() - PageFlags::FLUSH_TYPE;
    let free = u64::try_from(page.free_bytes()).unwrap_or(u64::MAX);
    let numbers = [page.prev().0, page.next().0, page.objid().0, flags.bits()].map(u64::from);
    let numbers = [&numbers[..], &[page.dbtime().0, free]].concat();
    let lines = page.nodes().map(|node| {
        let flags = node.flags - NodeFlags::VERSIONED;
        (node.key_to_vec(), node.data.to_vec(), flags, node.prefix.len())
    });
    (numbers, page.external_header().to_vec(), lines.collect())
}
