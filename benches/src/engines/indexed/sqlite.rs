//! SQLite: a table without row ids and a real index.

use std::{
    path::{Path, PathBuf},
    sync::Mutex,
};

use rusqlite::Connection;

use crate::{
    engines::sqlite::connect,
    indexed::{Change, Entry, IndexedReader, IndexedStore, IndexedWriter},
    rows::{Digest, Key},
    store::Result,
};

struct Sqlite {
    file: PathBuf,
    /// Writers queue here: SQLite's own waiting for the write lock sleeps.
    turn: Mutex<()>,
}

pub(crate) fn open(folder: &Path) -> Result<Box<dyn IndexedStore>> {
    let file = folder.join("data.sqlite");
    let table = "CREATE TABLE rows (k BLOB PRIMARY KEY, t INTEGER NOT NULL, v BLOB NOT NULL) \
                 WITHOUT ROWID";
    connect(&file)?.execute_batch(table)?;
    Ok(Box::new(Sqlite { file, turn: Mutex::new(()) }))
}

fn apply(connection: &Connection, change: Change<'_>) -> Result<()> {
    let changed = match change {
        Change::Insert(Entry { key, tag, value }) => connection
            .prepare_cached("INSERT INTO rows (k, t, v) VALUES (?1, ?2, ?3)")?
            .execute((key.as_slice(), tag.cast_signed(), value))?,
        Change::SetValue(key, value) => connection
            .prepare_cached("UPDATE rows SET v = ?2 WHERE k = ?1")?
            .execute((key.as_slice(), value))?,
        Change::SetTag(key, tag) => connection
            .prepare_cached("UPDATE rows SET t = ?2 WHERE k = ?1")?
            .execute((key.as_slice(), tag.cast_signed()))?,
        Change::Delete(key) => {
            connection.prepare_cached("DELETE FROM rows WHERE k = ?1")?.execute([key.as_slice()])?
        }
    };
    if changed == 1 { Ok(()) } else { Err(format!("{changed} rows changed").into()) }
}

impl IndexedStore for Sqlite {
    fn load(&self, rows: &mut dyn Iterator<Item = Entry<'_>>) -> Result<()> {
        let connection = connect(&self.file)?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for row in rows {
            apply(&connection, Change::Insert(row))?;
        }
        connection.execute_batch("CREATE INDEX by_tag ON rows (t); COMMIT")?;
        Ok(())
    }

    fn reader(&self) -> Result<Box<dyn IndexedReader + '_>> {
        Ok(Box::new(Reader(connect(&self.file)?)))
    }

    fn writer(&self) -> Result<Box<dyn IndexedWriter + '_>> {
        Ok(Box::new(Writer { connection: connect(&self.file)?, turn: &self.turn }))
    }

    fn count(&self) -> Result<(u64, u64)> {
        let connection = connect(&self.file)?;
        let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        let rows = count("SELECT count(*) FROM rows NOT INDEXED WHERE length(v) > 0")?;
        let index = count("SELECT count(t) FROM rows INDEXED BY by_tag")?;
        Ok((rows.try_into()?, index.try_into()?))
    }

    fn data_bytes(&self) -> Result<u64> {
        // What is still in its log belongs into the file.
        connect(&self.file)?
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))?;
        Ok(self.file.metadata()?.len())
    }
}

struct Reader(Connection);

impl IndexedReader for Reader {
    fn get(&mut self, keys: &[Key]) -> Result<Digest> {
        let txn = self.0.unchecked_transaction()?;
        let mut get = txn.prepare_cached("SELECT v FROM rows WHERE k = ?1")?;
        let mut digest = Digest::default();
        for key in keys {
            let mut found = get.query([key.as_slice()])?;
            digest.add(found.next()?.ok_or("no such key")?.get_ref(0)?.as_blob()?);
        }
        Ok(digest)
    }

    fn scan(&mut self, from: &[Key], count: usize) -> Result<Digest> {
        let txn = self.0.unchecked_transaction()?;
        let sql = "SELECT k, v FROM rows WHERE k >= ?1 ORDER BY k LIMIT ?2";
        let mut scan = txn.prepare_cached(sql)?;
        let limit = i64::try_from(count)?;
        let mut digest = Digest::default();
        for key in from {
            let mut found = scan.query((key.as_slice(), limit))?;
            while let Some(row) = found.next()? {
                digest.add(row.get_ref(1)?.as_blob()?);
            }
        }
        Ok(digest)
    }
}

struct Writer<'a> {
    connection: Connection,
    turn: &'a Mutex<()>,
}

impl IndexedWriter for Writer<'_> {
    fn commit(&mut self, changes: &[Change<'_>]) -> Result<()> {
        let _turn = self.turn.lock().map_err(|_| "another writer panicked")?;
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for change in changes {
            apply(&self.connection, *change)?;
        }
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}
