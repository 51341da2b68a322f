//! Attached databases.

use std::{path::Path, sync::Arc};

use ese_base::{PageSize, Result};
use ese_engine::{
    catalog,
    instance::{AttachMode, Attached, Instance},
};
use ese_pages::DbHeader;

use crate::{
    session::{ChangeState, Reader, Writer},
    shared::{Alone, OpenDatabase, Shared},
    table::{Table, TableBuilder, TableOptions},
};

/// How a database is opened or created: see [`Instance::open_database_with`] and
/// [`Instance::create_database_with`].
///
/// ```
/// use ese_api::DatabaseOptions;
///
/// let options = DatabaseOptions::new().read_only(true).exclusive(true);
/// # let _ = options;
/// ```
///
/// [`Instance::open_database_with`]: crate::Instance::open_database_with
/// [`Instance::create_database_with`]: crate::Instance::create_database_with
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DatabaseOptions {
    mode: AttachMode,
    exclusive: bool,
}

impl DatabaseOptions {
    /// For reading and writing, with a log, together with others.
    #[must_use]
    pub fn new() -> DatabaseOptions {
        DatabaseOptions::default()
    }

    /// Nothing of the file is written, not even its header, and it need not be writable. The log
    /// says nothing of it; backups leave it out. Several processes, and several instances of one,
    /// may read a file at the same time in this way. Changes are `JET_errDatabaseFileReadOnly`
    /// (-1008). (`JET_bitDbReadOnly`)
    #[must_use]
    pub fn read_only(mut self, on: bool) -> DatabaseOptions {
        self.mode.read_only = on;
        self
    }

    /// Only this handle, and its clones, can use the database as long as one of them is there.
    /// (`JET_bitDbExclusive`)
    #[must_use]
    pub fn exclusive(mut self, on: bool) -> DatabaseOptions {
        self.exclusive = on;
        self
    }

    /// Whether the log says what becomes of it, as it does by default. Without, changes cost less,
    /// backups leave it out, and after a crash it is of no use any more. For older logs and backups
    /// it is another database from then on. (`JET_bitDbRecoveryOff`)
    #[must_use]
    pub fn logged(mut self, on: bool) -> DatabaseOptions {
        self.mode.unlogged = !on;
        self
    }

    pub(crate) fn mode(self) -> AttachMode {
        self.mode
    }
}

/// A database that is attached to an instance. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    pub(crate) open: Arc<OpenDatabase>,
    shared: Arc<Shared>,
    /// Nobody else may use it as long as this is there.
    _alone: Option<Alone>,
}

impl Database {
    /// A handle like others.
    ///
    /// # Errors
    /// `JET_errDatabaseLocked` (-1207) while somebody has it alone.
    pub(crate) fn new(open: Arc<OpenDatabase>, shared: &Arc<Shared>) -> Result<Database> {
        Database::with(open, shared, DatabaseOptions::default())
    }

    /// A handle that may have it alone.
    ///
    /// # Errors
    /// As [`Database::new`]; `JET_errDatabaseInUse` (-1202).
    pub(crate) fn with(
        open: Arc<OpenDatabase>,
        shared: &Arc<Shared>,
        options: DatabaseOptions,
    ) -> Result<Database> {
        open.admit(None)?;
        let alone = options.exclusive.then(|| open.claim()).transpose()?;
        Ok(Database { open, shared: Arc::clone(shared), _alone: alone })
    }

    /// Is it attached for reading only?
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.open.attached.is_read_only()
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
        Ok(Table { inner: created, database: Arc::clone(&self.open), denies: None })
    }

    /// Opens a table.
    ///
    /// # Errors
    /// `JET_errObjectNotFound` (-1305), `JET_errTableLocked` (-1302) while another session has it
    /// for itself.
    pub fn table(&self, from: &impl Reader, name: &str) -> Result<Table> {
        self.table_with(from, name, TableOptions::new())
    }

    /// Opens a table and denies other sessions something, as long as the handle or a clone of it
    /// is there. What they do then with handles of their own, or with this one, is
    /// `JET_errTableLocked` (-1302). Nothing is denied to the session that opens it.
    ///
    /// ```
    /// # fn main() -> ese_api::Result<()> {
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let instance = ese_api::Instance::builder(dir.path()).start()?;
    /// # let database = instance.create_database("a.edb")?;
    /// # let (mut mine, mut other) = (instance.session()?, instance.session()?);
    /// use ese_api::{ColType, JetErr, TableBuilder, TableOptions, row};
    ///
    /// let prices = TableBuilder::new("prices").column("id", ColType::Long).primary(&["id"]);
    /// database.create_table(&mut mine, prices)?;
    /// let prices = database.table_with(&mine, "prices", TableOptions::new().deny_write(true))?;
    /// prices.insert(&mut mine, &row! { "id" => 1 })?;
    /// let theirs = database.table(&other, "prices")?;
    /// assert!(theirs.get(&other, 1)?.is_some());
    /// let refused = theirs.insert(&mut other, &row! { "id" => 2 }).unwrap_err();
    /// assert_eq!(refused.code(), JetErr::TableLocked);
    /// drop(prices);
    /// theirs.insert(&mut other, &row! { "id" => 2 })?;
    /// # drop((theirs, database, mine, other));
    /// # instance.stop()
    /// # }
    /// ```
    ///
    /// # Errors
    /// `JET_errObjectNotFound` (-1305); `JET_errTableLocked` (-1302) where another session denies
    /// this or deletes the table, `JET_errTableInUse` (-1304) where a cursor of another session is
    /// there that this denies, or somebody has the right already to deny changes. Handles of tables
    /// are no cursors: they are refused when they are used.
    pub fn table_with(
        &self,
        from: &impl Reader,
        name: &str,
        options: TableOptions,
    ) -> Result<Table> {
        let (inner, denies) = from.cell().with(|state| {
            let engine = &state.engine;
            let table = catalog::open_table(engine, self.open.of(engine)?, name)?;
            table.admit(engine, false)?;
            let denies =
                options.sharing().map(|sharing| table.enter(engine, sharing).map(Arc::new));
            Ok((table, denies.transpose()?))
        })?;
        Ok(Table { inner, database: Arc::clone(&self.open), denies })
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
        let database = || Arc::clone(&self.open);
        Ok(tables.map(|inner| Table { inner, database: database(), denies: None }).collect())
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
        let Database { open, shared, .. } = self;
        shared.detach(open)
    }
}
