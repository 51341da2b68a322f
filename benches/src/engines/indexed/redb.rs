//! redb: two tables.

use std::path::{Path, PathBuf};

use redb::{Database, ReadOnlyTable, ReadableDatabase, ReadableTable, TableDefinition};

use super::{index_entry, parts, sorted_index, stored};
use crate::{
    engines::redb::CACHE_BYTES,
    indexed::{Change, Entry, IndexedReader, IndexedStore, IndexedWriter},
    rows::{Digest, Key},
    store::Result,
};

const ROWS: TableDefinition<'_, &[u8; 24], &[u8]> = TableDefinition::new("rows");
const INDEX: TableDefinition<'_, &[u8; 32], ()> = TableDefinition::new("index");

type Rows<'txn> = redb::Table<'txn, &'static [u8; 24], &'static [u8]>;
type Index<'txn> = redb::Table<'txn, &'static [u8; 32], ()>;

struct Redb {
    db: Database,
    file: PathBuf,
}

pub(crate) fn open(folder: &Path) -> Result<Box<dyn IndexedStore>> {
    let file = folder.join("data.redb");
    let db = Database::builder().set_cache_size(CACHE_BYTES).create(&file)?;
    Ok(Box::new(Redb { db, file }))
}

fn apply(rows: &mut Rows<'_>, index: &mut Index<'_>, change: Change<'_>) -> Result<()> {
    match change {
        Change::Insert(Entry { key, tag, value }) => {
            rows.insert(&key, stored(tag, value).as_slice())?;
            index.insert(&index_entry(tag, &key), ())?;
        }
        Change::SetValue(key, value) => {
            let tag = parts(rows.get(&key)?.ok_or("no such key")?.value()).0;
            rows.insert(&key, stored(tag, value).as_slice())?;
        }
        Change::SetTag(key, tag) => {
            let (old, row) = {
                let found = rows.get(&key)?.ok_or("no such key")?;
                let (old, value) = parts(found.value());
                (old, stored(tag, value))
            };
            rows.insert(&key, row.as_slice())?;
            index.remove(&index_entry(old, &key))?;
            index.insert(&index_entry(tag, &key), ())?;
        }
        Change::Delete(key) => {
            let old = parts(rows.remove(&key)?.ok_or("no such key")?.value()).0;
            index.remove(&index_entry(old, &key))?;
        }
    }
    Ok(())
}

impl Redb {
    fn rows(&self) -> Result<ReadOnlyTable<&'static [u8; 24], &'static [u8]>> {
        Ok(self.db.begin_read()?.open_table(ROWS)?)
    }
}

impl IndexedStore for Redb {
    fn load(&self, rows: &mut dyn Iterator<Item = Entry<'_>>) -> Result<()> {
        let txn = self.db.begin_write()?;
        {
            let (mut table, mut index) = (txn.open_table(ROWS)?, txn.open_table(INDEX)?);
            let mut failed = Ok(());
            let entries = sorted_index(rows.inspect(|row| {
                let put = table.insert(&row.key, stored(row.tag, row.value).as_slice());
                if failed.is_ok() {
                    failed = put.map(|_| ());
                }
            }));
            failed?;
            for entry in &entries {
                index.insert(entry, ())?;
            }
        }
        Ok(txn.commit()?)
    }

    fn reader(&self) -> Result<Box<dyn IndexedReader + '_>> {
        Ok(Box::new(Reader(self)))
    }

    fn writer(&self) -> Result<Box<dyn IndexedWriter + '_>> {
        Ok(Box::new(Writer(self)))
    }

    fn count(&self) -> Result<(u64, u64)> {
        let index = self.db.begin_read()?.open_table(INDEX)?;
        let (rows, index) = (self.rows()?.iter()?.count(), index.iter()?.count());
        Ok((rows.try_into()?, index.try_into()?))
    }

    fn data_bytes(&self) -> Result<u64> {
        Ok(self.file.metadata()?.len())
    }
}

struct Reader<'a>(&'a Redb);

impl IndexedReader for Reader<'_> {
    fn get(&mut self, keys: &[Key]) -> Result<Digest> {
        let rows = self.0.rows()?;
        let mut digest = Digest::default();
        for key in keys {
            digest.add(parts(rows.get(key)?.ok_or("no such key")?.value()).1);
        }
        Ok(digest)
    }

    fn scan(&mut self, from: &[Key], count: usize) -> Result<Digest> {
        let rows = self.0.rows()?;
        let mut digest = Digest::default();
        for key in from {
            for row in rows.range::<&[u8; 24]>(key..)?.take(count) {
                digest.add(parts(row?.1.value()).1);
            }
        }
        Ok(digest)
    }
}

struct Writer<'a>(&'a Redb);

impl IndexedWriter for Writer<'_> {
    fn commit(&mut self, changes: &[Change<'_>]) -> Result<()> {
        let txn = self.0.db.begin_write()?;
        {
            let (mut rows, mut index) = (txn.open_table(ROWS)?, txn.open_table(INDEX)?);
            for change in changes {
                apply(&mut rows, &mut index, *change)?;
            }
        }
        Ok(txn.commit()?)
    }
}
