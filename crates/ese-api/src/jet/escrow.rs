//! Numbers that several sessions add to at once (api-semantics 11.3).

use std::sync::Arc;

use ese_base::{Error, JetErr, Result};
use ese_engine::{schema::ColumnFlags, table::OnRollback};

use super::{
    JET_COLUMNID, JET_GRBIT, JET_bitEscrowNoRollback,
    gate::Purpose,
    handles::{JET_SESID, JET_TABLEID},
    table::{column_of, is_changing, with_any_cursor},
};

/// Adds to an escrow column of the current row. The number from before, as this session sees it,
/// goes to `pvOld`, unless that is empty; the answer is its length.
///
/// # Errors
/// `JET_errNotInTransaction` (-1054), the cursor's, `JET_errPermissionDenied` (-1809) for a
/// read-only one, `JET_errTransReadOnly` (-1110), `JET_errColumnNotFound` (-1507),
/// `JET_errAlreadyPrepared` (-1607), `JET_errInvalidBufferSize` (-1047) where the addend has not
/// the column's length or the buffer is too short, `JET_errInvalidOperation` (-1906) for another
/// kind of column, `JET_errSessionWriteConflict` (-1111), `JET_errNoCurrentRecord` (-1603),
/// `JET_errRecordDeleted` (-1017), `JET_errWriteConflict` (-1102) where another session has changed
/// or locked the row in another way.
pub fn JetEscrowUpdate(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    columnid: JET_COLUMNID,
    pv: &[u8],
    pvOld: &mut [u8],
    grbit: JET_GRBIT,
) -> Result<usize> {
    with_any_cursor(sesid, tableid, Purpose::Work, |state, own, cursor| {
        if state.engine.level() == 0 {
            return Err(Error::new(JetErr::NotInTransaction, "additions are for transactions"));
        }
        let open = cursor.open(state)?;
        open.check_updatable(&state.engine)?;
        let table = Arc::clone(open.table());
        let column = column_of(&table.schema, columnid)?;
        if open.is_prepared() {
            return Err(Error::new(JetErr::AlreadyPrepared, "an update is prepared"));
        }
        let len =
            if column.id.is_fixed() { column.fixed_len() } else { column_most(column.max_len) };
        if pv.len() != len || !pvOld.is_empty() && pvOld.len() < len {
            let what = format!("column \"{}\" has {len} bytes", column.name);
            return Err(Error::new(JetErr::InvalidBufferSize, what));
        }
        if !column.flags.contains(ColumnFlags::ESCROW_UPDATE) {
            let what = format!("column \"{}\" is no escrow column", column.name);
            return Err(Error::new(JetErr::InvalidOperation, what));
        }
        let key = open.bookmark(&state.engine)?.to_vec();
        let rival = |other: &JET_TABLEID| *other != tableid && is_changing(*other, open, &key);
        if own.cursors.iter().any(rival) {
            let what = "another cursor of the session has prepared an update of the same row";
            return Err(Error::new(JetErr::SessionWriteConflict, what));
        }
        let on_rollback = match grbit & JET_bitEscrowNoRollback {
            0 => OnRollback::Undo,
            _ => OnRollback::Keep,
        };
        let old = open.add(&mut state.engine, (column.id, number(pv)), on_rollback)?;
        if let (Some(place), Some(old)) = (pvOld.get_mut(..len), old.to_le_bytes().get(..len)) {
            place.copy_from_slice(old);
        }
        Ok(len)
    })
}

fn column_most(len: u32) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}

/// A signed number of 4 or 8 bytes.
fn number(bytes: &[u8]) -> i64 {
    match *bytes {
        [a, b, c, d] => i64::from(i32::from_le_bytes([a, b, c, d])),
        _ => bytes.try_into().map_or(0, i64::from_le_bytes),
    }
}
