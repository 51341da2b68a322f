//! The engines, one file each: how it is opened and with which settings.

mod ese;
#[cfg(feature = "peers")]
mod lmdb;
#[cfg(feature = "peers")]
mod redb;
#[cfg(feature = "peers")]
mod sqlite;

use std::path::Path;

use crate::store::{Result, Store};

/// An engine that can be measured.
pub(crate) struct Engine {
    pub(crate) name: &'static str,
    /// Everything that is not its default, and what durability means in it.
    pub(crate) settings: &'static str,
    /// Creates a database in an empty folder.
    pub(crate) open: fn(&Path) -> Result<Box<dyn Store>>,
}

/// All of them, in the order of the tables.
pub(crate) const ENGINES: &[Engine] = &[
    Engine { name: "ese", settings: ese::SETTINGS, open: ese::open },
    #[cfg(feature = "peers")]
    Engine { name: "lmdb", settings: lmdb::SETTINGS, open: lmdb::open },
    #[cfg(feature = "peers")]
    Engine { name: "redb", settings: redb::SETTINGS, open: redb::open },
    #[cfg(feature = "peers")]
    Engine { name: "sqlite", settings: sqlite::SETTINGS, open: sqlite::open },
];

/// Creates a database of the engine of this name.
pub(crate) fn open(name: &str, folder: &Path) -> Result<Box<dyn Store>> {
    let engine = ENGINES.iter().find(|e| e.name == name).ok_or("no such engine")?;
    (engine.open)(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{Row, Rows};

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
}
