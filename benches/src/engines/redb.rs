//! redb.

use std::path::{Path, PathBuf};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use crate::{
    rows::{Digest, Key, Row},
    store::{Result, Store, Writer},
};

pub(crate) const SETTINGS: &str = "\
    redb 4.4: cache 1 GiB, otherwise defaults (Durability::Immediate, one-phase commit, \
    checksums); it has no online backup";

pub(super) const CACHE_BYTES: usize = 1 << 30;

const TABLE: TableDefinition<'_, &[u8; 24], &[u8]> = TableDefinition::new("rows");

struct Redb {
    db: Database,
    file: PathBuf,
}

pub(crate) fn open(folder: &Path) -> Result<Box<dyn Store>> {
    let file = folder.join("data.redb");
    let db = Database::builder().set_cache_size(CACHE_BYTES).create(&file)?;
    let store = Redb { db, file };
    store.write(&mut std::iter::empty())?; // the table exists from the start
    Ok(Box::new(store))
}

impl Redb {
    fn write(&self, rows: &mut dyn Iterator<Item = Row<'_>>) -> Result<()> {
        let txn = self.db.begin_write()?;
        let mut table = txn.open_table(TABLE)?;
        for row in rows {
            table.insert(&row.key, row.value)?;
        }
        drop(table);
        Ok(txn.commit()?)
    }
}

impl Store for Redb {
    fn cache_bytes(&self) -> u64 {
        CACHE_BYTES as u64
    }

    fn load_sorted(&self, rows: &mut dyn Iterator<Item = Row<'_>>) -> Result<()> {
        self.write(rows)
    }

    fn writer(&self) -> Result<Box<dyn Writer + '_>> {
        Ok(Box::new(RedbWriter(self)))
    }

    fn get_all(&self, keys: &[Key]) -> Result<Digest> {
        let table = self.db.begin_read()?.open_table(TABLE)?;
        let mut digest = Digest::default();
        for key in keys {
            digest.add(table.get(key)?.ok_or("no such key")?.value());
        }
        Ok(digest)
    }

    fn scan(&self) -> Result<Digest> {
        let table = self.db.begin_read()?.open_table(TABLE)?;
        let mut digest = Digest::default();
        for row in table.iter()? {
            digest.add(row?.1.value());
        }
        Ok(digest)
    }

    fn backup(&self, _into: &Path) -> Result<bool> {
        Ok(false)
    }

    fn files(&self) -> Vec<PathBuf> {
        vec![self.file.clone()]
    }
}

struct RedbWriter<'a>(&'a Redb);

impl Writer for RedbWriter<'_> {
    fn commit(&mut self, rows: &[Row<'_>]) -> Result<()> {
        self.0.write(&mut rows.iter().copied())
    }
}
