//! The engines, one file each: how it is opened and with which settings.

pub(crate) mod ese;
pub(crate) mod file;
#[cfg(feature = "peers")]
mod fjall;
pub(crate) mod indexed;
#[cfg(feature = "peers")]
mod lmdb;
#[cfg(feature = "peers")]
mod redb;
#[cfg(feature = "peers")]
mod sqlite;

use std::path::Path;

use crate::{
    indexed::IndexedStore,
    store::{Result, Store},
};

/// An engine that can be measured.
pub(crate) struct Engine {
    pub(crate) name: &'static str,
    /// Everything that is not its default, and what durability means in it.
    pub(crate) settings: &'static str,
    /// Creates a database in an empty folder.
    pub(crate) open: fn(&Path) -> Result<Box<dyn Store>>,
    /// The same for long values.
    pub(crate) open_values: fn(&Path) -> Result<Box<dyn Store>>,
    /// The same for the table with an index.
    pub(crate) open_indexed: fn(&Path) -> Result<Box<dyn IndexedStore>>,
}

/// All of them, in the order of the tables.
pub(crate) const ENGINES: &[Engine] = &[
    Engine {
        name: "ese",
        settings: ese::SETTINGS,
        open: ese::open,
        open_values: ese::open_values,
        open_indexed: indexed::ese::open,
    },
    #[cfg(feature = "peers")]
    Engine {
        name: "lmdb",
        settings: lmdb::SETTINGS,
        open: lmdb::open,
        open_values: lmdb::open,
        open_indexed: indexed::lmdb::open,
    },
    #[cfg(feature = "peers")]
    Engine {
        name: "redb",
        settings: redb::SETTINGS,
        open: redb::open,
        open_values: redb::open,
        open_indexed: indexed::redb::open,
    },
    #[cfg(feature = "peers")]
    Engine {
        name: "sqlite",
        settings: sqlite::SETTINGS,
        open: sqlite::open,
        open_values: sqlite::open,
        open_indexed: indexed::sqlite::open,
    },
    #[cfg(feature = "peers")]
    Engine {
        name: "fjall",
        settings: fjall::SETTINGS,
        open: fjall::open,
        open_values: fjall::open,
        open_indexed: indexed::fjall::open,
    },
];

/// Creates a database of the engine of this name.
pub(crate) fn open(name: &str, folder: &Path) -> Result<Box<dyn Store>> {
    let engine = ENGINES.iter().find(|e| e.name == name).ok_or("no such engine")?;
    (engine.open)(folder)
}

/// The same for long values; also of the plain file, which is no engine.
pub(crate) fn open_values(name: &str, folder: &Path) -> Result<Box<dyn Store>> {
    if name == file::NAME {
        return file::open(folder);
    }
    let engine = ENGINES.iter().find(|e| e.name == name).ok_or("no such engine")?;
    (engine.open_values)(folder)
}

/// The same with the table that has an index.
pub(crate) fn open_indexed(name: &str, folder: &Path) -> Result<Box<dyn IndexedStore>> {
    let engine = ENGINES.iter().find(|e| e.name == name).ok_or("no such engine")?;
    (engine.open_indexed)(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        indexed::{Change, Entry},
        rows::{Row, Rows, key},
    };

    /// A small round through each engine, so that a wrong adapter shows before a long measurement.
    #[test]
    fn every_engine_returns_what_was_loaded_and_committed() {
        for engine in ENGINES {
            let folder = std::env::temp_dir().join(format!(
                "ese-benches-{}-{}",
                engine.name,
                std::process::id()
            ));
            std::fs::create_dir_all(folder.join("copy")).unwrap();
            let store = (engine.open)(&folder).unwrap();
            let rows = Rows::new();
            let mut sorted: Vec<Row<'_>> = (0..500).map(|n| rows.row(n)).collect();
            sorted.sort_unstable_by_key(|row| row.key);
            store.load_sorted(&mut sorted.iter().copied()).unwrap();
            let more: Vec<Row<'_>> = (500..600).map(|n| rows.row(n)).collect();
            store.writer().unwrap().commit(&more).unwrap();
            assert_eq!(store.scan().unwrap(), rows.digest(600), "{}", engine.name);
            let keys: Vec<_> = more.iter().map(|row| row.key).collect();
            assert_eq!(store.get_all(&keys).unwrap().rows, 100, "{}", engine.name);
            assert!(store.get_all(&[[7; 24]]).is_err(), "{}: a key that is not there", engine.name);
            let copied = store.backup(&folder.join("copy")).unwrap();
            let copies = std::fs::read_dir(folder.join("copy")).unwrap().count();
            assert_eq!(copied, copies > 0, "{}", engine.name);
            assert!(store.files().iter().all(|file| file.exists()), "{}", engine.name);
            drop(store);
            std::fs::remove_dir_all(&folder).unwrap();
        }
    }

    #[test]
    fn every_engine_and_the_plain_file_return_long_values() {
        for name in ENGINES.iter().map(|engine| engine.name).chain([file::NAME]) {
            let folder = format!("ese-benches-values-{name}-{}", std::process::id());
            let folder = std::env::temp_dir().join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            let store = open_values(name, &folder).unwrap();
            let rows = Rows::new();
            let mut expected = crate::rows::Digest::default();
            let mut writer = store.writer().unwrap();
            for (n, len) in [(1, 64 << 10), (2, 1 << 20), (3, 5000)] {
                writer.commit(&[rows.long_row(n, len)]).unwrap();
                expected.add(rows.long_row(n, len).value);
            }
            drop(writer);
            assert_eq!(store.get_all(&[key(3), key(1), key(2)]).unwrap(), expected, "{name}");
            assert!(store.get_all(&[key(4)]).is_err(), "{name}");
            drop(store);
            std::fs::remove_dir_all(&folder).unwrap();
        }
    }

    /// The same for the table with an index: every kind of change, seen through table and index.
    #[test]
    fn every_engine_keeps_table_and_index_in_step() {
        for engine in ENGINES {
            let folder = std::env::temp_dir().join(format!(
                "ese-benches-indexed-{}-{}",
                engine.name,
                std::process::id()
            ));
            std::fs::create_dir_all(&folder).unwrap();
            let store = (engine.open_indexed)(&folder).unwrap();
            let rows = Rows::new();
            let entry = |n: u64| Entry { key: key(n), tag: n % 7, value: rows.row(n).value };
            let mut sorted: Vec<Entry<'_>> = (0..500).map(entry).collect();
            sorted.sort_unstable_by_key(|row| row.key);
            store.load(&mut sorted.iter().copied()).unwrap();
            assert_eq!(store.count().unwrap(), (500, 500), "{}", engine.name);
            let mut writer = store.writer().unwrap();
            let changes = [
                Change::Insert(entry(500)),
                Change::SetValue(key(1), rows.row(1000).value),
                Change::SetTag(key(2), 77),
                Change::Delete(key(3)),
                Change::Delete(key(4)),
            ];
            writer.commit(&changes).unwrap();
            writer.commit(&[Change::Delete(key(2))]).unwrap();
            assert_eq!(store.count().unwrap(), (498, 498), "{}", engine.name);
            assert!(writer.commit(&[Change::Delete(key(3))]).is_err(), "{}", engine.name);
            drop(writer);
            let mut reader = store.reader().unwrap();
            let mut expected = crate::rows::Digest::default();
            expected.add(rows.row(1000).value);
            assert_eq!(reader.get(&[key(1)]).unwrap(), expected, "{}", engine.name);
            assert!(reader.get(&[key(3)]).is_err(), "{}", engine.name);
            let there = sorted[200..].iter().map(|row| row.key);
            let from = there.clone().find(|k| ![key(2), key(3), key(4)].contains(k)).unwrap();
            let mut expected = crate::rows::Digest::default();
            let mut all: Vec<_> = (0..501).filter(|n| ![2, 3, 4].contains(n)).collect();
            all.sort_unstable_by_key(|n| key(*n));
            for n in all.iter().filter(|n| key(**n) >= from).take(100) {
                expected.add(rows.row(if *n == 1 { 1000 } else { *n }).value);
            }
            assert_eq!(reader.scan(&[from], 100).unwrap(), expected, "{}", engine.name);
            drop(reader);
            assert!(store.data_bytes().unwrap() > 0, "{}", engine.name);
            drop(store);
            std::fs::remove_dir_all(&folder).unwrap();
        }
    }
}
