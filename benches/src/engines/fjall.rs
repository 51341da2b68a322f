//! fjall.

use std::path::{Path, PathBuf};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable};

use crate::{
    rows::{Digest, Key, Row},
    store::{Result, Store, Writer},
};

pub(crate) const SETTINGS: &str = "\
    fjall 3.1: block cache 512 MiB, otherwise defaults; each commit is a batch with \
    PersistMode::SyncData; sorted load by its ingestion; it has no online backup";

pub(super) const CACHE_BYTES: u64 = 512 << 20;

struct Fjall {
    db: Database,
    rows: Keyspace,
    folder: PathBuf,
}

pub(crate) fn open(folder: &Path) -> Result<Box<dyn Store>> {
    let db = Database::builder(folder).cache_size(CACHE_BYTES).open()?;
    let rows = db.keyspace("rows", KeyspaceCreateOptions::default)?;
    Ok(Box::new(Fjall { db, rows, folder: folder.to_path_buf() }))
}

impl Store for Fjall {
    fn cache_bytes(&self) -> u64 {
        CACHE_BYTES
    }

    fn load_sorted(&self, rows: &mut dyn Iterator<Item = Row<'_>>) -> Result<()> {
        let mut ingestion = self.rows.start_ingestion()?;
        for row in rows {
            ingestion.write(row.key, row.value)?;
        }
        ingestion.finish()?;
        Ok(self.db.persist(PersistMode::SyncAll)?)
    }

    fn writer(&self) -> Result<Box<dyn Writer + '_>> {
        Ok(Box::new(FjallWriter(self)))
    }

    fn get_all(&self, keys: &[Key]) -> Result<Digest> {
        let snapshot = self.db.snapshot();
        let mut digest = Digest::default();
        for key in keys {
            digest.add(&snapshot.get(&self.rows, key)?.ok_or("no such key")?);
        }
        Ok(digest)
    }

    fn scan(&self) -> Result<Digest> {
        let mut digest = Digest::default();
        for row in self.db.snapshot().iter(&self.rows) {
            digest.add(&row.value()?);
        }
        Ok(digest)
    }

    fn backup(&self, _into: &Path) -> Result<bool> {
        Ok(false)
    }

    /// Its log and the folders of its trees.
    fn files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    }
}

struct FjallWriter<'a>(&'a Fjall);

impl Writer for FjallWriter<'_> {
    fn commit(&mut self, rows: &[Row<'_>]) -> Result<()> {
        let mut batch = self.0.db.batch().durability(Some(PersistMode::SyncData));
        for row in rows {
            batch.insert(&self.0.rows, row.key, row.value);
        }
        Ok(batch.commit()?)
    }
}
