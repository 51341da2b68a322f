//! Changing tables while others work with them (api-semantics 12, 13), and adding to numbers.

use ese_base::Result;
use ese_engine::{
    ddl::{self, BuildProgress},
    schema::{ColumnDef, ColumnId, IndexDef},
    table::OnRollback,
};

use crate::{
    database::Database,
    key::{Key, key_bytes},
    session::{ChangeState, Writer},
    table::Table,
};

/// A change belongs to the transaction: others see it when that has committed. Handles follow by
/// themselves. `JET_errWriteConflict` (-1102): another open transaction has changed the definition.
impl Table {
    /// Adds a column. Rows that exist show its default; a column that numbers rows numbers them.
    ///
    /// # Errors
    /// `JET_errColumnDuplicate` (-1508), `JET_errInvalidName` (-1002), `JET_errFixedDDL` (-1323),
    /// `JET_errTableLocked` (-1302), `JET_errWriteConflict`, those of writing.
    pub fn add_column(&self, to: &mut impl Writer, column: &ColumnDef) -> Result<ColumnId> {
        to.change(|ChangeState(state)| {
            let table = self.current(&state.engine)?;
            let attached = &self.database.attached;
            ddl::add_column(&mut state.engine, attached, &table, column).map(|(_, id)| id)
        })
    }

    /// Deletes a column. Rows keep its values until they are written again, unreachable.
    ///
    /// # Errors
    /// `JET_errColumnNotFound` (-1507), `JET_errColumnInUse` (-1046) for a column of an index, and
    /// as [`Table::add_column`].
    pub fn delete_column(&self, to: &mut impl Writer, name: &str) -> Result<()> {
        to.change(|ChangeState(state)| {
            let table = self.current(&state.engine)?;
            let attached = &self.database.attached;
            ddl::delete_column(&mut state.engine, attached, &table, name).map(drop)
        })
    }

    /// Gives a column another name.
    ///
    /// # Errors
    /// `JET_errColumnNotFound` (-1507), and as [`Table::add_column`].
    pub fn rename_column(&self, to: &mut impl Writer, from: &str, name: &str) -> Result<()> {
        to.change(|ChangeState(state)| {
            let table = self.current(&state.engine)?;
            let attached = &self.database.attached;
            ddl::rename_column(&mut state.engine, attached, &table, (from, name)).map(drop)
        })
    }

    /// Makes secondary indexes over the rows that exist, in one scan. Other transactions may have
    /// changes of rows under way: they are entered as well, and taken back with the rows. New
    /// changes wait until the indexes are there.
    ///
    /// # Errors
    /// `JET_errIndexDuplicate` (-1403), `JET_errKeyDuplicate` (-1605) and others for rows that an
    /// index refuses, also as another transaction has them that has not ended;
    /// `JET_errWriteConflict` (-1102) for indexes over long columns while another transaction has
    /// changed values that lie outside of their rows; as [`Table::add_column`]. Nothing of the
    /// indexes is left then.
    pub fn create_indexes(&self, to: &mut impl Writer, indexes: &[IndexDef]) -> Result<()> {
        self.create_indexes_with(to, indexes, &mut |_| Ok(()))
    }

    /// As [`Table::create_indexes`]; `progress` is told now and then, and stops the work with any
    /// error. It must not change rows of the table.
    ///
    /// # Errors
    /// As [`Table::create_indexes`]; what `progress` returns.
    pub fn create_indexes_with(
        &self,
        to: &mut impl Writer,
        indexes: &[IndexDef],
        progress: &mut dyn FnMut(BuildProgress) -> Result<()>,
    ) -> Result<()> {
        to.change(|ChangeState(state)| {
            let table = self.current(&state.engine)?;
            let attached = &self.database.attached;
            ddl::create_indexes(&mut state.engine, attached, &table, indexes, progress).map(drop)
        })
    }

    /// Deletes a secondary index.
    ///
    /// # Errors
    /// `JET_errIndexNotFound` (-1404), `JET_errIndexMustStay` (-1405) for the primary index,
    /// `JET_errIndexInUse` (-1051), and as [`Table::add_column`].
    pub fn delete_index(&self, to: &mut impl Writer, name: &str) -> Result<()> {
        to.change(|ChangeState(state)| {
            let table = self.current(&state.engine)?;
            let attached = &self.database.attached;
            ddl::delete_index(&mut state.engine, attached, &table, name).map(drop)
        })
    }

    /// Adds to a number of the row with this key, in an escrow column: additions of several
    /// transactions do not conflict with each other. Gives the number from before, as this
    /// session sees it.
    ///
    /// ```
    /// # fn main() -> ese_api::Result<()> {
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let instance = ese_api::Instance::builder(dir.path().join("data")).start()?;
    /// # let database = instance.create_database("a.edb")?;
    /// # let (mut one, mut two) = (instance.session()?, instance.session()?);
    /// use ese_api::{ColType, ColumnDef, ColumnFlags, TableBuilder, row};
    ///
    /// let visits = ColumnDef::new("visits", ColType::Long).with(ColumnFlags::ESCROW_UPDATE);
    /// let pages = TableBuilder::new("pages")
    ///     .column("id", ColType::Long)
    ///     .define(visits.with_default(&0_i32.to_le_bytes()))
    ///     .primary(&["id"]);
    /// let pages = database.create_table(&mut one, pages)?;
    /// pages.insert(&mut one, &row! { "id" => 1 })?;
    /// let (mut a, mut b) = (one.begin()?, two.begin()?);
    /// assert_eq!(pages.add(&mut a, 1, "visits", 1)?, 0);
    /// assert_eq!(pages.add(&mut b, 1, "visits", 1)?, 0);
    /// a.commit()?;
    /// b.commit()?;
    /// let visits = pages.typed::<i32>("visits")?;
    /// assert_eq!(pages.get(&one, 1)?.unwrap().of(&visits)?, Some(2));
    /// # drop((pages, database, one, two));
    /// # instance.stop()
    /// # }
    /// ```
    ///
    /// # Errors
    /// `JET_errInvalidOperation` (-1906) for another kind of column, `JET_errInvalidParameter`
    /// (-1003) for a number wider than it, `JET_errRecordDeleted` (-1017) where there is no such
    /// row, `JET_errWriteConflict` (-1102) where another transaction has changed the row in another
    /// way; those of writing.
    pub fn add(
        &self,
        to: &mut impl Writer,
        key: impl Key,
        column: &str,
        delta: i64,
    ) -> Result<i64> {
        let mut whole = Vec::new();
        key_bytes(self.schema(), key, &mut whole)?;
        to.change(|ChangeState(state)| {
            let table = self.current(&state.engine)?;
            let addition = (table.schema.column(column)?.id, delta);
            let mut position = state.hint(table.db.dbid, table.schema.fdp);
            let (engine, undo) = (&mut state.engine, OnRollback::Undo);
            table.add_to_column(engine, &mut position, &whole, addition, undo)
        })
    }
}

impl Database {
    /// Deletes a table. Its space is free when the deletion has committed and nobody sees the table
    /// any more.
    ///
    /// # Errors
    /// `JET_errObjectNotFound` (-1305), `JET_errTableInUse` (-1304) while a cursor of
    /// [`jet`](crate::jet) is open on it, `JET_errCannotDeleteTemplateTable` (-1319),
    /// `JET_errWriteConflict` (-1102), those of writing.
    pub fn delete_table(&self, to: &mut impl Writer, name: &str) -> Result<()> {
        to.change(|ChangeState(state)| {
            let attached = self.open.of(&state.engine)?;
            ddl::delete_table(&mut state.engine, attached, name)
        })
    }

    /// Gives a table another name.
    ///
    /// # Errors
    /// `JET_errObjectNotFound` (-1305), `JET_errTableDuplicate` (-1303), `JET_errInvalidName`
    /// (-1002), `JET_errWriteConflict` (-1102), those of writing.
    pub fn rename_table(&self, to: &mut impl Writer, from: &str, name: &str) -> Result<()> {
        to.change(|ChangeState(state)| {
            let attached = self.open.of(&state.engine)?;
            ddl::rename_table(&mut state.engine, attached, from, name).map(drop)
        })
    }
}
