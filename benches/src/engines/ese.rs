//! ese through its Rust API.

use std::{
    fs::File,
    io::{BufRead, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use ese_api::{
    Backup, ColType, ColumnDef, ColumnId, Instance, PageSize, Placement, Session, Table,
    TableBuilder,
};

use crate::{
    rows::{Digest, Key, Row},
    store::{Result, Store, Writer as RowWriter},
};

pub(crate) const SETTINGS: &str = "\
    ese: pages of 8 KiB, double-write on, log files of 32 MiB, checkpoint at most 512 MiB back, \
    512 MiB for changed pages; durable commits; sorted load in lazy transactions of 1,000 rows and \
    a durable last one, which fills pages to 80 %, the default (to 100 % in the second part); \
    backup by Instance::backup_to_dir, as a stream by Instance::begin_backup; values of 64 KiB and \
    1 MiB in pages of 32 KiB";

pub(crate) const CACHE_BYTES: u64 = 512 << 20;
pub(crate) const LOAD_BATCH: usize = 1000;

struct Ese {
    instance: Instance,
    table: Table,
    value: ColumnId,
    /// Do the values lie outside of their rows?
    is_long: bool,
    file: PathBuf,
}

/// An instance with the settings that are measured.
pub(crate) fn start(folder: &Path) -> ese_api::Result<Instance> {
    start_with(folder, |_| ())
}

/// As [`start`], with further settings.
pub(crate) fn start_with(
    folder: &Path,
    configure: impl FnOnce(&mut ese_api::InstanceConfig),
) -> ese_api::Result<Instance> {
    Instance::builder(folder)
        .page_size(PageSize::K8)
        .log_file_size(32 << 20)
        .checkpoint_depth(512 << 20)
        .cache_size(CACHE_BYTES)
        .configure(configure)
        .start()
}

pub(crate) fn open(folder: &Path) -> Result<Box<dyn Store>> {
    create(folder, start(folder)?, ColType::Binary)
}

/// For values that lie outside of their rows.
pub(crate) fn open_values(folder: &Path) -> Result<Box<dyn Store>> {
    let instance = start_with(folder, |config| config.page_size = PageSize::K32)?;
    create(folder, instance, ColType::LongBinary)
}

fn create(folder: &Path, instance: Instance, value: ColType) -> Result<Box<dyn Store>> {
    let file = folder.join("bench.edb");
    let database = instance.create_database(&file)?;
    let mut session = instance.session()?;
    let mut trx = session.begin()?;
    let key = ColumnDef::new("key", ColType::Binary).max_len(24).placed(Placement::Fixed);
    let builder = TableBuilder::new("rows").define(key).column("value", value).primary(&["key"]);
    let table = database.create_table(&mut trx, builder)?;
    trx.commit()?;
    let (is_long, value) = (value == ColType::LongBinary, table.column("value")?);
    drop(session);
    Ok(Box::new(Ese { instance, table, value, is_long, file }))
}

impl Store for Ese {
    fn cache_bytes(&self) -> u64 {
        CACHE_BYTES
    }

    fn load_sorted(&self, rows: &mut dyn Iterator<Item = Row<'_>>) -> Result<()> {
        let mut session = self.instance.session()?;
        let mut inserter = self.table.inserter(&["key", "value"])?;
        let mut rows = rows.peekable();
        loop {
            let mut trx = session.begin()?;
            for row in rows.by_ref().take(LOAD_BATCH) {
                inserter.insert(&mut trx, &[Some(&row.key), Some(row.value)])?;
            }
            if rows.peek().is_none() {
                return Ok(trx.commit()?);
            }
            trx.commit_lazy()?;
        }
    }

    fn writer(&self) -> Result<Box<dyn RowWriter + '_>> {
        let session = self.instance.session()?;
        let inserter = self.table.inserter(&["key", "value"])?;
        Ok(Box::new(EseWriter { session, inserter }))
    }

    fn get_all(&self, keys: &[Key]) -> Result<Digest> {
        let mut session = self.instance.session()?;
        let mut trx = session.begin_read_only()?;
        let mut digest = Digest::default();
        if self.is_long {
            for key in keys {
                let mut reader =
                    self.table.read_value(&trx, key.as_slice(), "value")?.ok_or("no such key")?;
                let (mut left, mut long) = (reader.len(), digest.long());
                reader.visit(|part| {
                    left -= part.len() as u64;
                    long.add(part, left == 0);
                    ControlFlow::Continue(())
                })?;
            }
            return Ok(digest);
        }
        for key in keys {
            let found = self.table.get_with(&mut trx, &[key], |row| {
                row.bytes(self.value).map(|value| digest.add(value.unwrap_or_default()))
            })?;
            found.ok_or("no such key")??;
        }
        Ok(digest)
    }

    fn scan(&self) -> Result<Digest> {
        let mut session = self.instance.session()?;
        let mut trx = session.begin_read_only()?;
        let mut digest = Digest::default();
        let mut failed = Ok(());
        self.table.scan(&mut trx, |row| match row.bytes(self.value) {
            Ok(value) => {
                digest.add(value.unwrap_or_default());
                ControlFlow::Continue(())
            }
            Err(error) => {
                failed = Err(error);
                ControlFlow::Break(())
            }
        })?;
        failed?;
        Ok(digest)
    }

    fn backup(&self, into: &Path) -> Result<bool> {
        self.instance.backup_to_dir(into)?;
        Ok(true)
    }

    /// What a program does that reads the streams of a backup and writes them where it likes.
    fn backup_stream(&self, into: &Path) -> Result<bool> {
        let mut backup = self.instance.begin_backup()?;
        let databases = backup.databases()?;
        copy_streams(&mut backup, &databases, into)?;
        let logs = backup.logs()?.files;
        copy_streams(&mut backup, &logs, into)?;
        backup.finish()?;
        Ok(true)
    }

    /// Database and finished logs: what a backup consists of.
    fn files(&self) -> Vec<PathBuf> {
        let folder = self.file.parent().and_then(|folder| std::fs::read_dir(folder).ok());
        let paths = folder.into_iter().flatten().flatten().map(|entry| entry.path());
        let archived = |path: &PathBuf| {
            let stem = path.file_stem().map_or(0, std::ffi::OsStr::len);
            path.extension().is_some_and(|e| e == "log" || e == "jtx") && stem > "edbtmp".len()
        };
        std::iter::once(self.file.clone()).chain(paths.filter(archived)).collect()
    }
}

/// Copies files of a backup into a folder.
fn copy_streams(backup: &mut Backup, files: &[PathBuf], into: &Path) -> Result<()> {
    for path in files {
        let mut from = backup.open(path)?;
        let mut to = File::create(into.join(path.file_name().unwrap_or_default()))?;
        loop {
            let verified = from.fill_buf()?;
            if verified.is_empty() {
                break;
            }
            to.write_all(verified)?;
            let count = verified.len();
            from.consume(count);
        }
        from.close()?;
    }
    Ok(())
}

struct EseWriter {
    session: Session,
    inserter: ese_api::Inserter,
}

impl RowWriter for EseWriter {
    fn commit(&mut self, rows: &[Row<'_>]) -> Result<()> {
        let mut trx = self.session.begin()?;
        for row in rows {
            self.inserter.insert(&mut trx, &[Some(&row.key), Some(row.value)])?;
        }
        Ok(trx.commit()?)
    }
}
