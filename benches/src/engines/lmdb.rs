//! LMDB through heed.

use std::path::{Path, PathBuf};

use heed::{CompactionOption, Database, Env, EnvOpenOptions, PutFlags, types::Bytes};

use crate::{
    rows::{Digest, Key, Row},
    store::{Result, Store, Writer},
};

pub(crate) const SETTINGS: &str = "\
    LMDB (heed 0.22): map of 16 GiB, default flags (every commit syncs), sorted load with \
    MDB_APPEND in one transaction, backup by mdb_env_copy without compaction";

/// Address space reserved for the map; pages are used as the database grows.
const MAP_BYTES: usize = 16 << 30;

struct Lmdb {
    env: Env,
    table: Database<Bytes, Bytes>,
    file: PathBuf,
}

/// An environment in a folder of this process alone, with room for two named databases.
pub(super) fn environment(folder: &Path) -> heed::Result<Env> {
    let mut options = EnvOpenOptions::new();
    options.map_size(MAP_BYTES).max_dbs(2);
    // SAFETY: the folder was made for this process alone, so nobody else changes the mapped file.
    unsafe { options.open(folder) }
}

pub(crate) fn open(folder: &Path) -> Result<Box<dyn Store>> {
    let env = environment(folder)?;
    let mut txn = env.write_txn()?;
    let table = env.create_database(&mut txn, None)?;
    txn.commit()?;
    Ok(Box::new(Lmdb { env, table, file: folder.join("data.mdb") }))
}

impl Store for Lmdb {
    fn cache_bytes(&self) -> u64 {
        0 // it has none of its own: the map is the cache
    }

    fn load_sorted(&self, rows: &mut dyn Iterator<Item = Row<'_>>) -> Result<()> {
        let mut txn = self.env.write_txn()?;
        for row in rows {
            self.table.put_with_flags(&mut txn, PutFlags::APPEND, &row.key, row.value)?;
        }
        Ok(txn.commit()?)
    }

    fn writer(&self) -> Result<Box<dyn Writer + '_>> {
        Ok(Box::new(LmdbWriter(self)))
    }

    fn get_all(&self, keys: &[Key]) -> Result<Digest> {
        let txn = self.env.read_txn()?;
        let mut digest = Digest::default();
        for key in keys {
            digest.add(self.table.get(&txn, key)?.ok_or("no such key")?);
        }
        Ok(digest)
    }

    fn scan(&self) -> Result<Digest> {
        let txn = self.env.read_txn()?;
        let mut digest = Digest::default();
        for row in self.table.iter(&txn)? {
            digest.add(row?.1);
        }
        Ok(digest)
    }

    fn backup(&self, into: &Path) -> Result<bool> {
        self.env.copy_to_path(into.join("data.mdb"), CompactionOption::Disabled)?;
        Ok(true)
    }

    fn files(&self) -> Vec<PathBuf> {
        vec![self.file.clone()]
    }
}

struct LmdbWriter<'a>(&'a Lmdb);

impl Writer for LmdbWriter<'_> {
    fn commit(&mut self, rows: &[Row<'_>]) -> Result<()> {
        let mut txn = self.0.env.write_txn()?;
        for row in rows {
            self.0.table.put(&mut txn, &row.key, row.value)?;
        }
        Ok(txn.commit()?)
    }
}
