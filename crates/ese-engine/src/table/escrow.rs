//! Escrow columns: numbers that several transactions add to at once (api-semantics 11.3).

use ese_base::{Error, JetErr, Result};

use super::Table;
use crate::{
    record::{RecordView, replace_columns},
    schema::{Column, ColumnFlags, ColumnId},
    session::Session,
    tree::Position,
    version::Addition,
};

/// What becomes of an addition whose transaction is taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnRollback {
    /// It is taken back, too.
    #[default]
    Undo,
    /// It stays; all see it at once. A change of the row by the same transaction that is taken back
    /// takes it along.
    Keep,
}

impl Table {
    /// Adds to a number of the row with this key. Additions of several transactions do not conflict
    /// with each other, only with other changes of the row and with locks. Gives the number from
    /// before, as this session sees it.
    ///
    /// # Errors
    /// `JET_errInvalidOperation` (-1906) for a column that is no escrow column,
    /// `JET_errInvalidParameter` (-1003) for a number wider than it, `JET_errRecordDeleted`
    /// (-1017), `JET_errWriteConflict` (-1102), those of the session and of writing.
    pub fn add_to_column(
        &self,
        session: &mut Session,
        hint: &mut Position,
        key: &[u8],
        (column, delta): (ColumnId, i64),
        on_rollback: OnRollback,
    ) -> Result<i64> {
        self.check_changeable(session)?;
        let column = self.schema.columns.require(column)?;
        if !column.flags.contains(ColumnFlags::ESCROW_UPDATE) {
            let what = format!("column \"{}\" is no escrow column", column.name);
            return Err(Error::new(JetErr::InvalidOperation, what));
        }
        let wide = column.fixed_len() == 8;
        if !wide && i32::try_from(delta).is_err() {
            let what = format!("{delta} does not fit into column \"{}\" of 4 bytes", column.name);
            return Err(Error::new(JetErr::InvalidParameter, what));
        }
        let row = self.get(session, key, <[u8]>::to_vec)?;
        let row = row.ok_or_else(|| Error::new(JetErr::RecordDeleted, "the row was deleted"))?;
        let view = RecordView::new(&row, self.schema.page_size)?;
        let value = view.data(column)?.first(column)?;
        let old = number_of(value.unwrap_or_default());
        let stored = value.is_some() && u16::from(view.last_fixed()) >= column.id.0;
        if !stored {
            // The row is older than the column: it gets the number by an ordinary change.
            self.store_number(session, hint, key, (&view, column), old.wrapping_add(delta))?;
            return Ok(old);
        }
        let ends_row = column.flags.intersects(ColumnFlags::FINALIZE | ColumnFlags::DELETE_ON_ZERO);
        let added = Addition { offset: column.record_offset, delta, wide, ends_row };
        let done = match on_rollback {
            OnRollback::Undo => session.add(&self.db, &self.tree, hint, key, added),
            OnRollback::Keep => session.add_for_good(&self.db, &self.tree, hint, key, added),
        };
        done.map(|()| old).map_err(|error| self.as_conflict(session, key, error))
    }

    fn store_number(
        &self,
        session: &mut Session,
        hint: &mut Position,
        key: &[u8],
        (row, column): (&RecordView<'_>, &Column),
        number: i64,
    ) -> Result<()> {
        let (bytes, mut record) = (number.to_le_bytes(), Vec::new());
        let value = bytes.get(..column.fixed_len());
        replace_columns(&self.schema, row, &[(column.id, value)], &mut record)?;
        self.replace(session, hint, key, &record)
    }
}

fn number_of(bytes: &[u8]) -> i64 {
    match *bytes {
        [a, b, c, d] => i64::from(i32::from_le_bytes([a, b, c, d])),
        _ => bytes.try_into().map_or(0, i64::from_le_bytes),
    }
}
