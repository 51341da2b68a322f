//! How large a row is (api-semantics 10.11; the reference pages of JET_RECSIZE and JET_RECSIZE2).

use ese_base::Result;

use super::{
    JET_GRBIT, JET_bitRecordSizeInCopyBuffer, JET_bitRecordSizeLocal,
    JET_bitRecordSizeRunningTotal, JET_bitRetrieveCopy,
    handles::{JET_SESID, JET_TABLEID},
    invalid_grbit,
    table::{Cursor, with_cursor_in_callback},
};
use crate::session::SessionState;

/// Bytes of a row's place in its page beside key and record: its tag and the length of its key.
const NODE_OVERHEAD: u64 = 4 + 2;

/// Sizes and counts of a row, or of several rows added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JET_RECSIZE2 {
    /// Bytes of values in the row; fixed columns take theirs even if they are NULL.
    pub cbData: u64,
    /// Bytes of values outside of the row.
    pub cbLongValueData: u64,
    /// All other bytes of the row, its key among them.
    pub cbOverhead: u64,
    /// All other bytes of the values outside of the row.
    pub cbLongValueOverhead: u64,
    /// Fixed and variable columns up to the last of each that the row has room for, NULL or not.
    pub cNonTaggedColumns: u64,
    /// Tagged columns of the row.
    pub cTaggedColumns: u64,
    /// Values outside of the row.
    pub cLongValues: u64,
    /// Values beyond the first of their column.
    pub cMultiValues: u64,
    /// Values that are compressed.
    pub cCompressedColumns: u64,
    /// `cbData` as it is stored.
    pub cbDataCompressed: u64,
    /// `cbLongValueData` as it is stored.
    pub cbLongValueDataCompressed: u64,
}

/// The first eight members of [`JET_RECSIZE2`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JET_RECSIZE {
    /// See [`JET_RECSIZE2::cbData`].
    pub cbData: u64,
    /// See [`JET_RECSIZE2::cbLongValueData`].
    pub cbLongValueData: u64,
    /// See [`JET_RECSIZE2::cbOverhead`].
    pub cbOverhead: u64,
    /// See [`JET_RECSIZE2::cbLongValueOverhead`].
    pub cbLongValueOverhead: u64,
    /// See [`JET_RECSIZE2::cNonTaggedColumns`].
    pub cNonTaggedColumns: u64,
    /// See [`JET_RECSIZE2::cTaggedColumns`].
    pub cTaggedColumns: u64,
    /// See [`JET_RECSIZE2::cLongValues`].
    pub cLongValues: u64,
    /// See [`JET_RECSIZE2::cMultiValues`].
    pub cMultiValues: u64,
}

/// Says how large the current row is, or with [`JET_bitRecordSizeInCopyBuffer`] the one that is
/// being changed. [`JET_bitRecordSizeRunningTotal`] adds to what `precsize` holds;
/// [`JET_bitRecordSizeLocal`] leaves out the bytes of values outside of the row.
///
/// # Errors
/// The cursor's; `JET_errInvalidGrbit` (-900), `JET_errNoCurrentRecord` (-1603),
/// `JET_errRecordDeleted` (-1017).
pub fn JetGetRecordSize(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    precsize: &mut JET_RECSIZE,
    grbit: JET_GRBIT,
) -> Result<()> {
    let mut total = JET_RECSIZE2 {
        cbData: precsize.cbData,
        cbLongValueData: precsize.cbLongValueData,
        cbOverhead: precsize.cbOverhead,
        cbLongValueOverhead: precsize.cbLongValueOverhead,
        cNonTaggedColumns: precsize.cNonTaggedColumns,
        cTaggedColumns: precsize.cTaggedColumns,
        cLongValues: precsize.cLongValues,
        cMultiValues: precsize.cMultiValues,
        ..JET_RECSIZE2::default()
    };
    JetGetRecordSize2(sesid, tableid, &mut total, grbit)?;
    *precsize = JET_RECSIZE {
        cbData: total.cbData,
        cbLongValueData: total.cbLongValueData,
        cbOverhead: total.cbOverhead,
        cbLongValueOverhead: total.cbLongValueOverhead,
        cNonTaggedColumns: total.cNonTaggedColumns,
        cTaggedColumns: total.cTaggedColumns,
        cLongValues: total.cLongValues,
        cMultiValues: total.cMultiValues,
    };
    Ok(())
}

/// As [`JetGetRecordSize`], with what compression saves.
///
/// # Errors
/// As [`JetGetRecordSize`].
pub fn JetGetRecordSize2(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    precsize: &mut JET_RECSIZE2,
    grbit: JET_GRBIT,
) -> Result<()> {
    let known =
        JET_bitRecordSizeInCopyBuffer | JET_bitRecordSizeRunningTotal | JET_bitRecordSizeLocal;
    with_cursor_in_callback(sesid, tableid, |state, cursor| {
        if grbit & !known != 0 {
            return Err(invalid_grbit("JetGetRecordSize", grbit));
        }
        let copy = grbit & JET_bitRecordSizeInCopyBuffer != 0;
        let from = if copy { JET_bitRetrieveCopy } else { 0 };
        let row = cursor.look(state, from, |_, record| record.size())?;
        let key_len = key_len(state, cursor, copy)?;
        let mut total = match grbit & JET_bitRecordSizeRunningTotal {
            0 => JET_RECSIZE2::default(),
            _ => *precsize,
        };
        add(&mut total.cbData, row.data);
        add(&mut total.cbDataCompressed, row.stored);
        add(&mut total.cbOverhead, NODE_OVERHEAD + key_len as u64 + row.overhead);
        add(&mut total.cNonTaggedColumns, row.plain_columns);
        add(&mut total.cTaggedColumns, row.tagged_columns);
        add(&mut total.cMultiValues, row.more_values);
        add(&mut total.cCompressedColumns, row.compressed);
        add(&mut total.cLongValues, row.lids.len() as u64);
        if grbit & JET_bitRecordSizeLocal == 0 {
            for lid in row.lids {
                let open = cursor.open_or_tree(state)?;
                let value = match copy {
                    true => open.long_values(&state.engine).stored(lid)?,
                    false => open.table().long_values(&state.engine).stored(lid)?,
                };
                add(&mut total.cbLongValueData, value.data);
                add(&mut total.cbLongValueDataCompressed, value.stored);
                add(&mut total.cbLongValueOverhead, value.overhead + value.nodes * NODE_OVERHEAD);
            }
        }
        *precsize = total;
        Ok(())
    })
}

/// Length of the key of the row that is looked at.
fn key_len(state: &mut SessionState, cursor: &mut Cursor, copy: bool) -> Result<usize> {
    if let Some(temp) = cursor.sort()? {
        return temp.current_key(&state.engine).map(<[u8]>::len);
    }
    let open = cursor.open_or_tree(state)?;
    // A row that is being made has no key yet.
    let new = copy && open.is_prepared() && open.changing().is_none();
    if new { Ok(0) } else { open.bookmark(&state.engine).map(<[u8]>::len) }
}

/// Totals come from callers: they end at their limit.
fn add(total: &mut u64, more: u64) {
    *total = total.saturating_add(more);
}
