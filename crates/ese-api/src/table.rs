//! Tables: their definition, and their rows.

use std::{
    ops::{Bound, ControlFlow, Deref, RangeBounds},
    path::Path,
    sync::Arc,
};

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    catalog, key,
    record::ColumnValue,
    schema::{
        ColType, Column, ColumnDef, ColumnFlags, ColumnId, Index as IndexSchema, IndexDef,
        IndexOptions, SpaceHints, TableDef, TableSchema, TableType,
    },
    session::Session as EngineSession,
    table::{Sharing, Table as EngineTable, TableUse},
    tree::{Direction, Position, Start},
    version::Lock,
};
use smallvec::SmallVec;

use crate::{
    index::Index,
    key::{Key, key_bytes, order_key_bytes},
    row::{Row, RowView, Values},
    rows::{Bounds, Rows},
    session::{ChangeState, Reader, SessionState, Transaction, Writer},
    shared::OpenDatabase,
    typed::{ColumnType, Typed},
};

/// A table to be created.
///
/// ```
/// use ese_api::{ColType, TableBuilder};
///
/// let people = TableBuilder::new("people")
///     .column("id", ColType::Long)
///     .text("name")
///     .column("photo", ColType::LongBinary)
///     .primary(&["id"]);
/// # let _ = people;
/// ```
#[derive(Clone, Debug)]
pub struct TableBuilder {
    def: TableDef,
}

impl TableBuilder {
    /// A table without columns.
    #[must_use]
    pub fn new(name: &str) -> TableBuilder {
        TableBuilder { def: TableDef::new(name, Vec::new()) }
    }

    /// With a column of a type.
    #[must_use]
    pub fn column(self, name: &str, ty: ColType) -> TableBuilder {
        self.define(ColumnDef::new(name, ty))
    }

    /// With a column that refuses NULL.
    #[must_use]
    pub fn required(self, name: &str, ty: ColType) -> TableBuilder {
        self.define(ColumnDef::new(name, ty).with(ColumnFlags::NOT_NULL))
    }

    /// With a column of long UTF-16 text, which holds every string.
    #[must_use]
    pub fn text(self, name: &str) -> TableBuilder {
        self.define(ColumnDef::new(name, ColType::LongText).unicode())
    }

    /// With a column defined in every detail.
    #[must_use]
    pub fn define(mut self, column: ColumnDef) -> TableBuilder {
        self.def.columns.push(column);
        self
    }

    /// With a primary index over these columns, ascending. Without one the rows have numbers.
    #[must_use]
    pub fn primary(self, columns: &[&str]) -> TableBuilder {
        self.index(IndexDef::primary("primary", columns))
    }

    /// With a secondary index over these columns, ascending: [`Table::index`] reads by it.
    #[must_use]
    pub fn secondary(self, name: &str, columns: &[&str]) -> TableBuilder {
        self.index(IndexDef::new(name, columns))
    }

    /// With a secondary index over these columns that refuses a second row of the same values. Rows
    /// in which all of them are NULL are left out.
    #[must_use]
    pub fn unique(self, name: &str, columns: &[&str]) -> TableBuilder {
        let options = IndexOptions::UNIQUE | IndexOptions::IGNORE_NULL;
        self.index(IndexDef { options, ..IndexDef::new(name, columns) })
    }

    /// With an index defined in every detail.
    #[must_use]
    pub fn index(mut self, index: IndexDef) -> TableBuilder {
        self.def.indexes.push(index);
        self
    }

    /// How full, in percent, leaves are left by rows that come in order: 20 to 100.
    #[must_use]
    pub fn density(mut self, percent: u32) -> TableBuilder {
        self.def.density = percent;
        self
    }

    /// What may become of its schema later: [`TableType::Template`] is for those that others derive
    /// from.
    #[must_use]
    pub fn kind(mut self, kind: TableType) -> TableBuilder {
        self.def.kind = kind;
        self
    }

    /// With the columns and indexes of a template, which must be there.
    #[must_use]
    pub fn derived_from(mut self, template: &str) -> TableBuilder {
        self.def.template = Some(template.to_owned());
        self
    }

    /// With wishes for its space.
    #[must_use]
    pub fn space_hints(mut self, hints: SpaceHints) -> TableBuilder {
        self.def.space_hints = Some(hints);
        self
    }

    /// The definition as the engine has it.
    #[must_use]
    pub fn into_def(self) -> TableDef {
        self.def
    }
}

/// A table of an attached database. Cheap to clone, to be shared by threads.
///
/// A handle keeps its database from being detached, and the files open after the instance has
/// ended: drop it before the same directory is started again.
#[derive(Clone, Debug)]
pub struct Table {
    pub(crate) inner: Arc<EngineTable>,
    pub(crate) database: Arc<OpenDatabase>,
    /// What it denies to other sessions, as long as it is there.
    pub(crate) denies: Option<Arc<TableUse>>,
}

/// What others may do with a table while a handle is there that was opened with this: see
/// [`Database::table_with`](crate::Database::table_with).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableOptions {
    sharing: Sharing,
}

impl TableOptions {
    /// Others may do everything.
    #[must_use]
    pub fn new() -> TableOptions {
        TableOptions::default()
    }

    /// Other sessions can neither read nor change the table (`JET_bitTableDenyRead`).
    #[must_use]
    pub fn deny_read(mut self, on: bool) -> TableOptions {
        self.sharing.deny_read = on;
        self
    }

    /// Other sessions cannot change the table (`JET_bitTableDenyWrite`).
    #[must_use]
    pub fn deny_write(mut self, on: bool) -> TableOptions {
        self.sharing.deny_write = on;
        self
    }

    pub(crate) fn sharing(self) -> Option<Sharing> {
        (self != TableOptions::default()).then_some(self.sharing)
    }
}

/// The version of a table that a session sees. Those who share a handle also share the common case,
/// in which nothing has changed.
pub(crate) enum Current<'t> {
    Same(&'t Arc<EngineTable>),
    Newer(Arc<EngineTable>),
}

impl Deref for Current<'_> {
    type Target = Arc<EngineTable>;

    fn deref(&self) -> &Arc<EngineTable> {
        match self {
            Current::Same(table) => table,
            Current::Newer(table) => table,
        }
    }
}

/// As [`Current`].
///
/// # Errors
/// `JET_errObjectNotFound` (-1305) if the table was deleted, `JET_errTableLocked` (-1302) while
/// another session has it for itself; those of [`OpenDatabase::of`].
pub(crate) fn current<'t>(
    table: &'t Arc<EngineTable>,
    database: &OpenDatabase,
    engine: &EngineSession,
) -> Result<Current<'t>> {
    let attached = database.of(engine)?;
    table.admit(engine, false)?;
    if table.is_newest() {
        return Ok(Current::Same(table));
    }
    catalog::current(engine, attached, table).map(Current::Newer)
}

impl Table {
    /// The table as a session sees it by now. What a handle itself tells of columns and indexes is
    /// as old as the handle; reading and changing rows always goes by the newest.
    ///
    /// # Errors
    /// `JET_errObjectNotFound` (-1305) if it was deleted.
    pub fn refreshed(&self, from: &impl Reader) -> Result<Table> {
        let inner = from
            .cell()
            .with(|state| self.current(&state.engine).map(|current| Arc::clone(&current)))?;
        Ok(Table { inner, database: Arc::clone(&self.database), denies: self.denies.clone() })
    }

    pub(crate) fn current(&self, engine: &EngineSession) -> Result<Current<'_>> {
        current(&self.inner, &self.database, engine)
    }

    /// Are both handles of one table, whatever versions of its schema they have?
    pub(crate) fn is_same(&self, other: &Table) -> bool {
        Arc::ptr_eq(&self.database.attached, &other.database.attached)
            && self.inner.schema.objid == other.inner.schema.objid
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.schema.name
    }

    /// The file of its database.
    #[must_use]
    pub fn database_path(&self) -> &Path {
        &self.database.attached.path
    }

    /// Columns and indexes as the catalog describes them.
    #[must_use]
    pub fn schema(&self) -> &TableSchema {
        &self.inner.schema
    }

    /// Its columns.
    pub fn columns(&self) -> impl Iterator<Item = &Column> {
        self.inner.schema.columns.iter()
    }

    /// The id of a column.
    ///
    /// # Errors
    /// `JET_errColumnNotFound` (-1507).
    pub fn column(&self, name: &str) -> Result<ColumnId> {
        self.inner.schema.column(name).map(|column| column.id)
    }

    /// A column of a known type, for [`Row::of`] and [`Values::with`].
    ///
    /// # Errors
    /// `JET_errColumnNotFound` (-1507), `JET_errInvalidColumnType` (-1511) for a column whose
    /// values are of another type.
    pub fn typed<T: ColumnType>(&self, name: &str) -> Result<Typed<T>> {
        Typed::new(self.inner.schema.column(name)?)
    }

    /// The index with this name, to read by; the primary one too.
    ///
    /// # Errors
    /// `JET_errIndexNotFound` (-1404).
    pub fn index(&self, name: &str) -> Result<Index> {
        Index::named(self, name)
    }

    /// Inserts a row.
    ///
    /// # Errors
    /// `JET_errKeyDuplicate` (-1605), `JET_errNullInvalid` (-1504), `JET_errColumnNotFound`
    /// (-1507), `JET_errInvalidParameter` (-1003) for a value that does not suit its column,
    /// `JET_errRecordTooBig` (-1026), `JET_errTransReadOnly` (-1110), and those of writing.
    pub fn insert(&self, to: &mut impl Writer, row: &Values<'_>) -> Result<()> {
        to.change(|ChangeState(state)| {
            let table = self.current(&state.engine)?;
            insert_row(&table, state, row)
        })
    }

    /// Inserts a row and gives it back as it is stored: with the number of an auto-increment
    /// column, with defaults, and with its [`Bookmark`](crate::Bookmark).
    ///
    /// ```
    /// # fn main() -> ese_api::Result<()> {
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let instance = ese_api::Instance::builder(dir.path().join("data")).start()?;
    /// # let database = instance.create_database("a.edb")?;
    /// # let mut session = instance.session()?;
    /// use ese_api::{ColType, ColumnDef, ColumnFlags, TableBuilder, row};
    ///
    /// let id = ColumnDef::new("id", ColType::Long).with(ColumnFlags::AUTOINCREMENT);
    /// let notes = TableBuilder::new("notes").define(id).text("text").primary(&["id"]);
    /// let notes = database.create_table(&mut session, notes)?;
    /// let note = notes.insert_returning(&mut session, &row! { "text" => "buy milk" })?;
    /// assert_eq!(note["id"], 1.into());
    /// # drop((notes, database, session));
    /// # instance.stop()
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Table::insert`], and those of reading.
    pub fn insert_returning(&self, to: &mut impl Writer, row: &Values<'_>) -> Result<Row> {
        to.change(|ChangeState(state)| {
            let table = self.current(&state.engine)?;
            insert_row(&table, state, row)?;
            let (engine, key) = (&state.engine, &state.key);
            let read = |record: &[u8]| Row::read(&table, engine, key.clone(), record);
            table.get(engine, key, read)?.ok_or_else(|| {
                let what = format!("the row that was inserted into \"{}\"", table.schema.name);
                Error::new(JetErr::RecordNotFound, what)
            })?
        })
    }

    /// Something that inserts rows of always the same columns, fast: see [`Inserter`].
    ///
    /// # Errors
    /// `JET_errColumnNotFound` (-1507).
    pub fn inserter(&self, columns: &[&str]) -> Result<Inserter> {
        let columns = columns.iter().map(|name| self.column(name)).collect::<Result<_>>()?;
        Ok(Inserter {
            table: self.clone(),
            columns,
            position: Position::default(),
            record: Vec::new(),
            key: Vec::new(),
        })
    }

    /// Changes columns of the row with this key. False: there is no such row.
    ///
    /// # Errors
    /// `JET_errWriteConflict` (-1102), `JET_errRecordPrimaryChanged` (-1604), and as
    /// [`Table::insert`].
    pub fn update(
        &self,
        to: &mut impl Writer,
        key: impl Key,
        changes: &Values<'_>,
    ) -> Result<bool> {
        let mut whole = Vec::new();
        key_bytes(&self.inner.schema, key, &mut whole)?;
        to.change(|ChangeState(state)| {
            let table = self.current(&state.engine)?;
            let schema = &table.schema;
            let encoded = changes.encode(schema)?;
            let slices: SmallVec<[ColumnValue<'_>; 16]> =
                encoded.iter().map(|(id, value)| (*id, value.as_deref())).collect();
            let read = table.get(&state.engine, &whole, |old| old.to_vec())?;
            let Some(old) = read else { return Ok(false) };
            let mut position = state.hint(table.db.dbid, schema.fdp);
            let SessionState { engine, record, .. } = state;
            let row = (&whole[..], &old[..]);
            table.replace_values(engine, &mut position, row, &slices, record)?;
            Ok(true)
        })
    }

    /// Deletes the row with this key. False: there is no such row.
    ///
    /// # Errors
    /// `JET_errWriteConflict` (-1102), `JET_errTransReadOnly` (-1110), and those of writing.
    pub fn delete(&self, to: &mut impl Writer, key: impl Key) -> Result<bool> {
        let mut whole = Vec::new();
        key_bytes(&self.inner.schema, key, &mut whole)?;
        to.change(|ChangeState(state)| {
            let table = self.current(&state.engine)?;
            if table.get(&state.engine, &whole, |_| ())?.is_none() {
                return Ok(false);
            }
            let mut position = state.hint(table.db.dbid, table.schema.fdp);
            table.delete(&mut state.engine, &mut position, &whole)?;
            Ok(true)
        })
    }

    /// Locks the row with this key until the transaction ends. While it has a read lock, others can
    /// lock it for reading but not change it; a write lock keeps both away. Nobody waits: what a
    /// lock forbids is `JET_errWriteConflict` at once. False: there is no such row.
    ///
    /// Transactions see one unchanging state, so two of them can each change a row because of what
    /// the other one's row was. A read lock on what a decision rests on prevents that:
    ///
    /// ```
    /// # fn main() -> ese_api::Result<()> {
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let instance = ese_api::Instance::builder(dir.path().join("data")).start()?;
    /// # let database = instance.create_database("a.edb")?;
    /// # let (mut one, mut two) = (instance.session()?, instance.session()?);
    /// use ese_api::{ColType, JetErr, Lock, TableBuilder, row};
    ///
    /// let doctors = TableBuilder::new("doctors").column("id", ColType::Long).column("on_call", ColType::Bit);
    /// let doctors = database.create_table(&mut one, doctors.primary(&["id"]))?;
    /// for id in [1, 2] {
    ///     doctors.insert(&mut one, &row! { "id" => id, "on_call" => true })?;
    /// }
    /// // Each goes off call because the other one is on call.
    /// let (mut a, mut b) = (one.begin()?, two.begin()?);
    /// assert!(doctors.lock(&mut a, 2, Lock::Read)?);
    /// assert!(doctors.lock(&mut b, 1, Lock::Read)?);
    /// let off = row! { "on_call" => false };
    /// assert_eq!(doctors.update(&mut a, 1, &off).unwrap_err().code(), JetErr::WriteConflict);
    /// a.rollback()?;
    /// assert!(doctors.update(&mut b, 2, &off)?);
    /// b.commit()?;
    /// # drop((doctors, database, one, two));
    /// # instance.stop()
    /// # }
    /// ```
    ///
    /// # Errors
    /// `JET_errWriteConflict` (-1102), `JET_errTransReadOnly` (-1110),
    /// `JET_errVersionStoreOutOfMemory` (-1069), those of reading.
    pub fn lock(&self, to: &mut Transaction<'_>, key: impl Key, lock: Lock) -> Result<bool> {
        let mut whole = Vec::new();
        key_bytes(&self.inner.schema, key, &mut whole)?;
        to.change(|ChangeState(state)| {
            self.current(&state.engine)?.lock(&mut state.engine, &whole, lock)
        })
    }

    /// The row with this key.
    ///
    /// # Errors
    /// Those of reading; `JET_errInvalidParameter` (-1003) for a key that does not suit the
    /// columns.
    pub fn get(&self, from: &impl Reader, key: impl Key) -> Result<Option<Row>> {
        let mut whole = Vec::new();
        key_bytes(&self.inner.schema, key, &mut whole)?;
        let found = from.cell().with(|state| {
            let engine = &state.engine;
            let table = self.current(engine)?;
            table.get(engine, &whole, |record| Row::read(&table, engine, whole.clone(), record))
        })?;
        found.transpose()
    }

    /// Looks at the row whose key columns have these bytes (in record encoding: numbers
    /// little-endian), without copying it. The fastest read.
    ///
    /// The visitor runs under a page latch: it must be short and must not use the engine.
    ///
    /// # Errors
    /// Those of reading; `JET_errNoCurrentIndex` (-1519) for a table without primary index.
    pub fn get_with<T>(
        &self,
        from: &mut impl Reader,
        key_columns: &[&[u8]],
        visit: impl FnOnce(RowView<'_>) -> T,
    ) -> Result<Option<T>> {
        let schema = &self.inner.schema;
        let index = self.primary_index()?;
        let values: SmallVec<[Option<&[u8]>; 4]> =
            key_columns.iter().map(|bytes| Some(*bytes)).collect();
        from.cell().with(|state| {
            let SessionState { engine, key: whole, .. } = state;
            key::values_key(schema, index, &values, whole)?;
            let engine = &*engine;
            let table = current(&self.inner, &self.database, engine)?;
            table.get(engine, whole, |record| {
                visit(RowView::with_key(&table, engine, whole, record))
            })
        })
    }

    /// All rows in the order of their keys.
    #[must_use]
    pub fn rows<'r, R: Reader>(&self, from: &'r R) -> Rows<'r> {
        Rows::new(self, from.cell(), Bounds::default())
    }

    /// The rows whose keys lie in a range. A bound with fewer values than key columns takes in, or
    /// leaves out, all rows that begin with them.
    ///
    /// # Errors
    /// `JET_errInvalidParameter` (-1003) for values that do not suit the key columns.
    pub fn range<'r, R: Reader, K: Key + Clone>(
        &self,
        from: &'r R,
        keys: impl RangeBounds<K>,
    ) -> Result<Rows<'r>> {
        let bounds = key_bounds(&self.inner.schema, None, keys)?;
        Ok(Rows::new(self, from.cell(), bounds))
    }

    /// The rows whose keys begin with these values.
    ///
    /// # Errors
    /// As [`Table::range`].
    pub fn prefix<'r, R: Reader>(&self, from: &'r R, key: impl Key) -> Result<Rows<'r>> {
        let mut out = Vec::new();
        key_bytes(&self.inner.schema, key, &mut out)?;
        Ok(Rows::new(self, from.cell(), Bounds::beginning_with(out)))
    }

    /// Visits all rows in key order without copying them, until the visitor breaks. Says whether it
    /// did.
    ///
    /// The visitor runs under a page latch: it must be short and must not use the engine.
    ///
    /// # Errors
    /// Those of reading.
    pub fn scan(
        &self,
        from: &mut impl Reader,
        mut visit: impl FnMut(RowView<'_>) -> ControlFlow<()>,
    ) -> Result<bool> {
        from.cell().with(|state| {
            let (start, to) = (Start::End, Direction::Forward);
            let table = self.current(&state.engine)?;
            table.scan(&state.engine, start, to, &mut Position::default(), |row| {
                visit(RowView::new(&table, &state.engine, row))
            })
        })
    }

    /// As [`Table::scan`], but from the row with this key on, or else the next one. The key is
    /// given as in [`Table::get_with`]; its first columns are enough.
    ///
    /// # Errors
    /// Those of reading; `JET_errNoCurrentIndex` (-1519) for a table without primary index.
    pub fn scan_from(
        &self,
        from: &mut impl Reader,
        key_columns: &[&[u8]],
        mut visit: impl FnMut(RowView<'_>) -> ControlFlow<()>,
    ) -> Result<bool> {
        let index = self.primary_index()?;
        let values: SmallVec<[Option<&[u8]>; 4]> =
            key_columns.iter().map(|bytes| Some(*bytes)).collect();
        from.cell().with(|state| {
            let SessionState { engine, key: first, .. } = state;
            key::values_key(&self.inner.schema, index, &values, first)?;
            let engine = &*engine;
            let table = self.current(engine)?;
            let (start, to) = (Start::At { key: first, data: &[] }, Direction::Forward);
            table.scan(engine, start, to, &mut Position::default(), |row| {
                visit(RowView::new(&table, engine, row))
            })
        })
    }

    fn primary_index(&self) -> Result<&IndexSchema> {
        self.inner.schema.primary().ok_or_else(|| {
            Error::new(
                JetErr::NoCurrentIndex,
                format!("table \"{}\" has no primary index", self.inner.schema.name),
            )
        })
    }
}

/// Inserts a row; its key is left in the state.
fn insert_row(table: &EngineTable, state: &mut SessionState, row: &Values<'_>) -> Result<()> {
    let encoded = row.encode(&table.schema)?;
    let values: SmallVec<[ColumnValue<'_>; 16]> =
        encoded.iter().map(|(id, value)| (*id, value.as_deref())).collect();
    let (dbid, fdp) = (table.db.dbid, table.schema.fdp);
    let mut position = state.hint(dbid, fdp);
    let SessionState { engine, key, record, .. } = state;
    let inserted = table.insert_values(engine, &mut position, &values, record, key);
    state.set_hint(dbid, fdp, position);
    inserted
}

/// The bounds that a range of keys of a secondary index means, or of the table's own order.
pub(crate) fn key_bounds<K: Key + Clone>(
    schema: &TableSchema,
    secondary: Option<&IndexSchema>,
    keys: impl RangeBounds<K>,
) -> Result<Bounds> {
    let bytes = |bound: Bound<&K>| -> Result<Bound<Vec<u8>>> {
        let mut out = Vec::new();
        Ok(match bound {
            Bound::Unbounded => Bound::Unbounded,
            Bound::Included(key) => {
                order_key_bytes(schema, secondary, key.clone(), &mut out)?;
                Bound::Included(out)
            }
            Bound::Excluded(key) => {
                order_key_bytes(schema, secondary, key.clone(), &mut out)?;
                Bound::Excluded(out)
            }
        })
    };
    Ok(Bounds::between(bytes(keys.start_bound())?, bytes(keys.end_bound())?))
}

/// Inserts rows of always the same columns: names are looked up once, values come as bytes in
/// record encoding (numbers little-endian, text in its column's code page), buffers are reused.
/// Rows that come in key order fill pages one after the other without a search.
#[derive(Debug)]
pub struct Inserter {
    table: Table,
    columns: SmallVec<[ColumnId; 8]>,
    position: Position,
    record: Vec<u8>,
    key: Vec<u8>,
}

impl Inserter {
    /// Inserts a row: one value per column, `None` for NULL.
    ///
    /// # Errors
    /// `JET_errInvalidParameter` (-1003) for another number of values than columns,
    /// `JET_errInvalidBufferSize` (-1047) for a number of the wrong length; as [`Table::insert`].
    pub fn insert(&mut self, to: &mut impl Writer, values: &[Option<&[u8]>]) -> Result<()> {
        if values.len() != self.columns.len() {
            return Err(Error::new(
                JetErr::InvalidParameter,
                format!("{} values for {} columns", values.len(), self.columns.len()),
            ));
        }
        let row: SmallVec<[ColumnValue<'_>; 8]> =
            self.columns.iter().copied().zip(values.iter().copied()).collect();
        let Inserter { table, position, record, key, .. } = self;
        to.change(|ChangeState(state)| {
            let table = table.current(&state.engine)?;
            table.insert_values(&mut state.engine, position, &row, record, key)
        })
    }

    /// The key of the row that was inserted last.
    #[must_use]
    pub fn last_key(&self) -> &[u8] {
        &self.key
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.table
    }
}
