//! fjall: two keyspaces, changed in one batch.

use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode, Readable};

use super::{index_entry, parts, sorted_index, stored};
use crate::{
    engines::fjall::CACHE_BYTES,
    indexed::{Change, Entry, IndexedReader, IndexedStore, IndexedWriter},
    rows::{Digest, Key},
    store::Result,
};

struct Fjall {
    db: Database,
    rows: Keyspace,
    index: Keyspace,
}

pub(crate) fn open(folder: &Path) -> Result<Box<dyn IndexedStore>> {
    let db = Database::builder(folder).cache_size(CACHE_BYTES).open()?;
    let rows = db.keyspace("rows", KeyspaceCreateOptions::default)?;
    let index = db.keyspace("index", KeyspaceCreateOptions::default)?;
    Ok(Box::new(Fjall { db, rows, index }))
}

impl Fjall {
    fn apply(&self, batch: &mut OwnedWriteBatch, change: Change<'_>) -> Result<()> {
        let (rows, index) = (&self.rows, &self.index);
        match change {
            Change::Insert(Entry { key, tag, value }) => {
                batch.insert(rows, key, stored(tag, value));
                batch.insert(index, index_entry(tag, &key), []);
            }
            Change::SetValue(key, value) => {
                let (tag, _) = parts(&rows.get(key)?.ok_or("no such key")?);
                batch.insert(rows, key, stored(tag, value));
            }
            Change::SetTag(key, tag) => {
                let row = rows.get(key)?.ok_or("no such key")?;
                let (old, value) = parts(&row);
                batch.insert(rows, key, stored(tag, value));
                batch.remove(index, index_entry(old, &key));
                batch.insert(index, index_entry(tag, &key), []);
            }
            Change::Delete(key) => {
                let (old, _) = parts(&rows.get(key)?.ok_or("no such key")?);
                batch.remove(rows, key);
                batch.remove(index, index_entry(old, &key));
            }
        }
        Ok(())
    }
}

impl IndexedStore for Fjall {
    fn load(&self, rows: &mut dyn Iterator<Item = Entry<'_>>) -> Result<()> {
        let mut ingestion = self.rows.start_ingestion()?;
        let mut failed = Ok(());
        let index = sorted_index(rows.inspect(|row| {
            let written = ingestion.write(row.key, stored(row.tag, row.value));
            if failed.is_ok() {
                failed = written;
            }
        }));
        failed?;
        ingestion.finish()?;
        let mut ingestion = self.index.start_ingestion()?;
        for entry in index {
            ingestion.write(entry, [])?;
        }
        ingestion.finish()?;
        Ok(self.db.persist(PersistMode::SyncAll)?)
    }

    fn reader(&self) -> Result<Box<dyn IndexedReader + '_>> {
        Ok(Box::new(Reader(self)))
    }

    fn writer(&self) -> Result<Box<dyn IndexedWriter + '_>> {
        Ok(Box::new(Writer(self)))
    }

    fn count(&self) -> Result<(u64, u64)> {
        let (rows, index) = (self.rows.len()?, self.index.len()?);
        Ok((rows.try_into()?, index.try_into()?))
    }

    fn data_bytes(&self) -> Result<u64> {
        Ok(self.rows.disk_space() + self.index.disk_space())
    }
}

struct Reader<'a>(&'a Fjall);

impl IndexedReader for Reader<'_> {
    fn get(&mut self, keys: &[Key]) -> Result<Digest> {
        let snapshot = self.0.db.snapshot();
        let mut digest = Digest::default();
        for key in keys {
            let row = snapshot.get(&self.0.rows, key)?.ok_or("no such key")?;
            digest.add(parts(&row).1);
        }
        Ok(digest)
    }

    fn scan(&mut self, from: &[Key], count: usize) -> Result<Digest> {
        let snapshot = self.0.db.snapshot();
        let mut digest = Digest::default();
        for key in from {
            for row in snapshot.range(&self.0.rows, key.as_slice()..).take(count) {
                digest.add(parts(&row.value()?).1);
            }
        }
        Ok(digest)
    }
}

struct Writer<'a>(&'a Fjall);

impl IndexedWriter for Writer<'_> {
    fn commit(&mut self, changes: &[Change<'_>]) -> Result<()> {
        let mut batch = self.0.db.batch().durability(Some(PersistMode::SyncData));
        for change in changes {
            self.0.apply(&mut batch, *change)?;
        }
        Ok(batch.commit()?)
    }
}
