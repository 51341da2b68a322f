//! Attached databases.

use std::{path::Path, sync::Arc};

use ese_base::{PageSize, Result};
use ese_engine::{
    catalog,
    instance::{Attached, Instance},
};
use ese_pages::DbHeader;

use crate::{
    session::{ChangeState, Reader, Writer},
    shared::{OpenDatabase, Shared},
    table::{Table, TableBuilder},
};

/// A database that is attached to an instance. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    pub(crate) open: Arc<OpenDatabase>,
    shared: Arc<Shared>,
}

impl Database {
    pub(crate) fn new(open: Arc<OpenDatabase>, shared: &Arc<Shared>) -> Database {
        Database { open, shared: Arc::clone(shared) }
    }

    pub(crate) fn attached(&self) -> &Arc<Attached> {
        &self.open.attached
    }

    pub(crate) fn engine(&self) -> &Arc<Instance> {
        &self.shared.engine
    }

    /// Its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.open.attached.path
    }

    /// Its page size.
    #[must_use]
    pub fn page_size(&self) -> PageSize {
        self.open.attached.db.page_size()
    }

    /// Its header as the file has it now.
    #[must_use]
    pub fn header(&self) -> DbHeader {
        self.open.attached.db.file.header()
    }

    /// Creates a table. It belongs to the transaction: others see it when that has committed.
    ///
    /// # Errors
    /// `JET_errTableDuplicate` (-1303), `JET_errInvalidName` (-1002), `JET_errColumnDuplicate`
    /// (-1508), other errors of definitions, and those of writing. Nothing of the table is left
    /// then.
    pub fn create_table(&self, to: &mut impl Writer, table: TableBuilder) -> Result<Table> {
        let def = table.into_def();
        let created = to.change(|ChangeState(state)| {
            let attached = self.open.of(&state.engine)?;
            catalog::create_table(&mut state.engine, attached, &def)
        })?;
        Ok(Table { inner: created, database: Arc::clone(&self.open) })
    }

    /// Opens a table.
    ///
    /// # Errors
    /// `JET_errObjectNotFound` (-1305).
    pub fn table(&self, from: &impl Reader, name: &str) -> Result<Table> {
        let opened = from
            .cell()
            .with(|state| catalog::open_table(&state.engine, self.open.of(&state.engine)?, name))?;
        Ok(Table { inner: opened, database: Arc::clone(&self.open) })
    }

    /// All tables, those of the system (`MSys...`) included, by name.
    ///
    /// # Errors
    /// Those of reading.
    pub fn tables(&self, from: &impl Reader) -> Result<Vec<Table>> {
        let all = from
            .cell()
            .with(|state| catalog::tables(&state.engine, self.open.of(&state.engine)?))?;
        let tables = all.into_iter();
        Ok(tables.map(|inner| Table { inner, database: Arc::clone(&self.open) }).collect())
    }

    /// Pages that the database owns, free ones included. The file has two more, for its header.
    #[must_use]
    pub fn pages(&self) -> u32 {
        self.open.attached.db.file.page_count()
    }

    /// Makes the database own at least `pages` pages. Gives the number that it owns.
    ///
    /// # Errors
    /// `JET_errDiskFull` (-1808), `JET_errOutOfDatabaseSpace` (-1012), and those of writing.
    pub fn grow(&self, pages: u32) -> Result<u32> {
        self.engine().grow_database(self.attached(), pages)
    }

    /// Cuts free pages at the end of the file off, but leaves `least` pages. Gives the number of
    /// pages that the database owns then. While a backup is in progress nothing happens. Free
    /// pages elsewhere stay; [`Database::defragment`] makes more of them, and a compaction into
    /// a new file leaves none.
    ///
    /// # Errors
    /// Those of writing.
    pub fn shrink(&self, least: u32) -> Result<u32> {
        self.engine().shrink_database(self.attached(), least)
    }

    /// Detaches the database: writes everything and leaves a clean file that belongs to nobody.
    ///
    /// # Errors
    /// `JET_errDatabaseInUse` (-1202) while other handles of it or of its tables exist,
    /// `JET_errBackupInProgress` (-505), and those of writing.
    pub fn detach(self) -> Result<()> {
        let Database { open, shared } = self;
        shared.detach(open)
    }
}
