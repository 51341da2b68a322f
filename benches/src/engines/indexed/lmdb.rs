//! LMDB: two databases of one environment.

use std::{
    ops::Bound,
    path::{Path, PathBuf},
};

use heed::{Database, Env, PutFlags, RwTxn, types::Bytes};

use super::{index_entry, parts, sorted_index, stored};
use crate::{
    engines::lmdb::environment,
    indexed::{Change, Entry, IndexedReader, IndexedStore, IndexedWriter},
    rows::{Digest, Key},
    store::Result,
};

type Tree = Database<Bytes, Bytes>;

struct Lmdb {
    env: Env,
    rows: Tree,
    index: Tree,
    file: PathBuf,
}

pub(crate) fn open(folder: &Path) -> Result<Box<dyn IndexedStore>> {
    let env = environment(folder)?;
    let mut txn = env.write_txn()?;
    let rows = env.create_database(&mut txn, Some("rows"))?;
    let index = env.create_database(&mut txn, Some("index"))?;
    txn.commit()?;
    Ok(Box::new(Lmdb { env, rows, index, file: folder.join("data.mdb") }))
}

impl Lmdb {
    fn apply(&self, txn: &mut RwTxn<'_>, change: Change<'_>) -> Result<()> {
        let (rows, index) = (self.rows, self.index);
        match change {
            Change::Insert(Entry { key, tag, value }) => {
                rows.put(txn, &key, &stored(tag, value))?;
                index.put(txn, &index_entry(tag, &key), &[])?;
            }
            Change::SetValue(key, value) => {
                let (tag, _) = parts(rows.get(txn, &key)?.ok_or("no such key")?);
                rows.put(txn, &key, &stored(tag, value))?;
            }
            Change::SetTag(key, tag) => {
                let (old, value) = parts(rows.get(txn, &key)?.ok_or("no such key")?);
                let row = stored(tag, value);
                rows.put(txn, &key, &row)?;
                index.delete(txn, &index_entry(old, &key))?;
                index.put(txn, &index_entry(tag, &key), &[])?;
            }
            Change::Delete(key) => {
                let (old, _) = parts(rows.get(txn, &key)?.ok_or("no such key")?);
                rows.delete(txn, &key)?;
                index.delete(txn, &index_entry(old, &key))?;
            }
        }
        Ok(())
    }
}

impl IndexedStore for Lmdb {
    fn load(&self, rows: &mut dyn Iterator<Item = Entry<'_>>) -> Result<()> {
        let mut txn = self.env.write_txn()?;
        let mut failed = Ok(());
        let index = sorted_index(rows.inspect(|row| {
            let row_bytes = stored(row.tag, row.value);
            let put = self.rows.put_with_flags(&mut txn, PutFlags::APPEND, &row.key, &row_bytes);
            if failed.is_ok() {
                failed = put;
            }
        }));
        failed?;
        for entry in index {
            self.index.put_with_flags(&mut txn, PutFlags::APPEND, &entry, &[])?;
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
        let txn = self.env.read_txn()?;
        let (rows, index) = (self.rows.iter(&txn)?.count(), self.index.iter(&txn)?.count());
        Ok((rows.try_into()?, index.try_into()?))
    }

    fn data_bytes(&self) -> Result<u64> {
        Ok(self.file.metadata()?.len())
    }
}

struct Reader<'a>(&'a Lmdb);

impl IndexedReader for Reader<'_> {
    fn get(&mut self, keys: &[Key]) -> Result<Digest> {
        let txn = self.0.env.read_txn()?;
        let mut digest = Digest::default();
        for key in keys {
            digest.add(parts(self.0.rows.get(&txn, key)?.ok_or("no such key")?).1);
        }
        Ok(digest)
    }

    fn scan(&mut self, from: &[Key], count: usize) -> Result<Digest> {
        let txn = self.0.env.read_txn()?;
        let mut digest = Digest::default();
        for key in from {
            let from = (Bound::Included(key.as_slice()), Bound::Unbounded);
            let rows = self.0.rows.range(&txn, &from)?;
            for row in rows.take(count) {
                digest.add(parts(row?.1).1);
            }
        }
        Ok(digest)
    }
}

struct Writer<'a>(&'a Lmdb);

impl IndexedWriter for Writer<'_> {
    fn commit(&mut self, changes: &[Change<'_>]) -> Result<()> {
        let mut txn = self.0.env.write_txn()?;
        for change in changes {
            self.0.apply(&mut txn, *change)?;
        }
        Ok(txn.commit()?)
    }
}
