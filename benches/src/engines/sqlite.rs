//! SQLite through rusqlite.
//!
//! Each writing thread has a connection of its own; they queue on a mutex, because SQLite's own
//! waiting for the write lock sleeps. Reads share one connection that stays open: its cache is hot.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard},
};

use rusqlite::{Connection, backup::Backup};

use crate::{
    rows::{Digest, Key, Row},
    store::{Result, Store, Writer},
};

pub(crate) const SETTINGS: &str = "\
    SQLite (rusqlite 0.41, bundled): WAL, synchronous=FULL, mmap_size 8 GiB, cache 256 MiB a \
    connection, autocheckpoint at 64 MiB of log (default 4), WITHOUT ROWID table, cached \
    statements, writers queue on a mutex, backup by the online backup API in one step";

/// `cache_size` of a connection, in bytes.
const CACHE_BYTES: u64 = 256 << 20;

const PRAGMAS: &str = "\
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA mmap_size = 8589934592;
    PRAGMA cache_size = -262144;
    PRAGMA wal_autocheckpoint = 16384;";

const INSERT: &str = "INSERT INTO rows (k, v) VALUES (?1, ?2)";

struct Sqlite {
    file: PathBuf,
    reader: Mutex<Connection>,
    turn: Mutex<()>,
}

pub(crate) fn open(folder: &Path) -> Result<Box<dyn Store>> {
    let file = folder.join("data.sqlite");
    let reader = connect(&file)?;
    let table = "CREATE TABLE rows (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID";
    reader.execute_batch(table)?;
    Ok(Box::new(Sqlite { file, reader: Mutex::new(reader), turn: Mutex::new(()) }))
}

pub(super) fn connect(file: &Path) -> Result<Connection> {
    let connection = Connection::open(file)?;
    connection.execute_batch(PRAGMAS)?;
    Ok(connection)
}

fn write(connection: &Connection, rows: &mut dyn Iterator<Item = Row<'_>>) -> Result<()> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let mut insert = connection.prepare_cached(INSERT)?;
    for row in rows {
        insert.execute((row.key.as_slice(), row.value))?;
    }
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}

impl Sqlite {
    fn reader(&self) -> Result<MutexGuard<'_, Connection>> {
        self.reader.lock().map_err(|_| "a reader panicked".into())
    }
}

impl Store for Sqlite {
    fn cache_bytes(&self) -> u64 {
        CACHE_BYTES
    }

    fn load_sorted(&self, rows: &mut dyn Iterator<Item = Row<'_>>) -> Result<()> {
        write(&connect(&self.file)?, rows)
    }

    fn writer(&self) -> Result<Box<dyn Writer + '_>> {
        Ok(Box::new(SqliteWriter { connection: connect(&self.file)?, turn: &self.turn }))
    }

    fn get_all(&self, keys: &[Key]) -> Result<Digest> {
        let connection = self.reader()?;
        let txn = connection.unchecked_transaction()?;
        let mut get = txn.prepare_cached("SELECT v FROM rows WHERE k = ?1")?;
        let mut digest = Digest::default();
        for key in keys {
            let mut found = get.query([key.as_slice()])?;
            let row = found.next()?.ok_or("no such key")?;
            digest.add(row.get_ref(0)?.as_blob()?);
        }
        Ok(digest)
    }

    fn scan(&self) -> Result<Digest> {
        let connection = self.reader()?;
        let mut all = connection.prepare_cached("SELECT k, v FROM rows ORDER BY k")?;
        let mut found = all.query([])?;
        let mut digest = Digest::default();
        while let Some(row) = found.next()? {
            digest.add(row.get_ref(1)?.as_blob()?);
        }
        Ok(digest)
    }

    fn backup(&self, into: &Path) -> Result<bool> {
        let source = connect(&self.file)?;
        let mut target = Connection::open(into.join("data.sqlite"))?;
        Backup::new(&source, &mut target)?.step(-1)?;
        Ok(true)
    }

    fn files(&self) -> Vec<PathBuf> {
        let log = self.file.with_extension("sqlite-wal"); // rows may still be in it alone
        [self.file.clone(), log].into_iter().filter(|file| file.exists()).collect()
    }
}

struct SqliteWriter<'a> {
    connection: Connection,
    turn: &'a Mutex<()>,
}

impl Writer for SqliteWriter<'_> {
    fn commit(&mut self, rows: &[Row<'_>]) -> Result<()> {
        let _turn = self.turn.lock().map_err(|_| "another writer panicked")?;
        write(&self.connection, &mut rows.iter().copied())
    }
}
