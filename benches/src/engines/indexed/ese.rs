//! ese: a table with a secondary index.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use ese_api::{
    ColType, ColumnDef, ColumnId, Inserter, Instance, Placement, RowView, Session, Table,
    TableBuilder, Transaction, Values,
};

use crate::{
    engines::ese::{LOAD_BATCH, start},
    indexed::{Change, Entry, IndexedReader, IndexedStore, IndexedWriter},
    rows::{Digest, Key},
    store::Result,
};

struct Ese {
    instance: Instance,
    table: Table,
    tag: ColumnId,
    value: ColumnId,
    file: PathBuf,
}

pub(crate) fn open(folder: &Path) -> Result<Box<dyn IndexedStore>> {
    let instance = start(folder)?;
    let file = folder.join("bench.edb");
    let database = instance.create_database(&file)?;
    let mut session = instance.session()?;
    let mut trx = session.begin()?;
    let table = database.create_table(&mut trx, definition())?;
    trx.commit()?;
    let (tag, value) = (table.column("tag")?, table.column("value")?);
    drop(session);
    Ok(Box::new(Ese { instance, table, tag, value, file }))
}

/// The table.
pub(crate) fn definition() -> TableBuilder {
    let key = ColumnDef::new("key", ColType::Binary).max_len(24).placed(Placement::Fixed);
    TableBuilder::new("rows")
        .define(key)
        .column("tag", ColType::LongLong)
        .column("value", ColType::Binary)
        .primary(&["key"])
        .secondary("by_tag", &["tag"])
        .density(100)
}

fn insert(
    to: &mut Transaction<'_>,
    inserter: &mut Inserter,
    row: &Entry<'_>,
) -> ese_api::Result<()> {
    inserter.insert(to, &[Some(&row.key), Some(&row.tag.to_le_bytes()), Some(row.value)])
}

impl Ese {
    fn inserter(&self) -> ese_api::Result<Inserter> {
        self.table.inserter(&["key", "tag", "value"])
    }

    fn digest(&self, digest: &mut Digest, row: &RowView<'_>) -> ese_api::Result<()> {
        row.bytes(self.value).map(|value| digest.add(value.unwrap_or_default()))
    }

    fn apply(
        &self,
        to: &mut Transaction<'_>,
        inserter: &mut Inserter,
        change: &Change<'_>,
    ) -> ese_api::Result<bool> {
        match change {
            Change::Insert(row) => insert(to, inserter, row).map(|()| true),
            Change::SetValue(key, value) => {
                let values = Values::new().set(self.value, *value);
                self.table.update(to, key.as_slice(), &values)
            }
            Change::SetTag(key, tag) => {
                let values = Values::new().set(self.tag, tag.cast_signed());
                self.table.update(to, key.as_slice(), &values)
            }
            Change::Delete(key) => self.table.delete(to, key.as_slice()),
        }
    }
}

impl IndexedStore for Ese {
    fn load(&self, rows: &mut dyn Iterator<Item = Entry<'_>>) -> Result<()> {
        let mut session = self.instance.session()?;
        let mut inserter = self.inserter()?;
        let mut rows = rows.peekable();
        loop {
            let mut trx = session.begin()?;
            for row in rows.by_ref().take(LOAD_BATCH) {
                insert(&mut trx, &mut inserter, &row)?;
            }
            if rows.peek().is_none() {
                return Ok(trx.commit()?);
            }
            trx.commit_lazy()?;
        }
    }

    fn reader(&self) -> Result<Box<dyn IndexedReader + '_>> {
        Ok(Box::new(EseReader { store: self, session: self.instance.session()? }))
    }

    fn writer(&self) -> Result<Box<dyn IndexedWriter + '_>> {
        let (session, inserter) = (self.instance.session()?, self.inserter()?);
        Ok(Box::new(EseWriter { store: self, session, inserter }))
    }

    fn count(&self) -> Result<(u64, u64)> {
        let mut session = self.instance.session()?;
        let trx = session.begin_read_only()?;
        let (mut rows, mut entries) = (0, 0);
        for row in self.table.rows(&trx) {
            row?;
            rows += 1;
        }
        for row in self.table.index("by_tag")?.rows(&trx) {
            row?;
            entries += 1;
        }
        Ok((rows, entries))
    }

    fn data_bytes(&self) -> Result<u64> {
        Ok(self.file.metadata()?.len())
    }
}

struct EseReader<'a> {
    store: &'a Ese,
    session: Session,
}

impl IndexedReader for EseReader<'_> {
    fn get(&mut self, keys: &[Key]) -> Result<Digest> {
        let mut trx = self.session.begin_read_only()?;
        let mut digest = Digest::default();
        for key in keys {
            let visit = |row: RowView<'_>| self.store.digest(&mut digest, &row);
            self.store.table.get_with(&mut trx, &[key], visit)?.ok_or("no such key")??;
        }
        Ok(digest)
    }

    fn scan(&mut self, from: &[Key], count: usize) -> Result<Digest> {
        let mut trx = self.session.begin_read_only()?;
        let mut digest = Digest::default();
        let mut failed = Ok(());
        for key in from {
            let mut left = count;
            self.store.table.scan_from(&mut trx, &[key], |row| {
                failed = self.store.digest(&mut digest, &row);
                left -= 1;
                if left == 0 || failed.is_err() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })?;
            failed?;
            failed = Ok(());
        }
        Ok(digest)
    }
}

struct EseWriter<'a> {
    store: &'a Ese,
    session: Session,
    inserter: Inserter,
}

impl IndexedWriter for EseWriter<'_> {
    /// The first writer of a row wins: where another thread was first, the transaction is repeated.
    fn commit(&mut self, changes: &[Change<'_>]) -> Result<()> {
        let EseWriter { store, session, inserter } = self;
        let found = session.transact(|trx| {
            for change in changes {
                if !store.apply(trx, inserter, change)? {
                    return Ok(false);
                }
            }
            Ok(true)
        })?;
        if found { Ok(()) } else { Err("no such key".into()) }
    }
}
