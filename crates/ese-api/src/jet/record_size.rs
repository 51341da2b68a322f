//! How large a row is (api-semantics 10.11; the reference pages of JET_RECSIZE and
//! JET_RECSIZE2; ESE's source for JET_RECSIZE3).

use ese_base::Result;
use ese_engine::record::RecordSize;

use super::{
    JET_GRBIT, JET_bitRecordSizeExtrinsicLogicalOnly, JET_bitRecordSizeInCopyBuffer,
    JET_bitRecordSizeIntrinsicPhysicalOnly, JET_bitRecordSizeLocal, JET_bitRecordSizeRunningTotal,
    JET_bitRetrieveCopy,
    handles::{JET_SESID, JET_TABLEID},
    invalid_grbit,
    table::{Cursor, with_cursor_in_callback},
};
use crate::session::SessionState;

/// Bytes of a row's place in its page beside key and record: its tag and the length of its key.
const NODE_OVERHEAD: u64 = 4 + 2;

/// Sizes and counts of a row, or of several rows added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JET_RECSIZE3 {
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
    /// Of `cbData`, that of columns whose values may be outside of the row.
    pub cbIntrinsicLongValueData: u64,
    /// `cbIntrinsicLongValueData` as it is stored.
    pub cbIntrinsicLongValueDataCompressed: u64,
    /// Values of such columns that are in the row.
    pub cIntrinsicLongValues: u64,
    /// The key of the row, which `cbOverhead` counts too.
    pub cbKey: u64,
}

/// The first eleven members of [`JET_RECSIZE3`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JET_RECSIZE2 {
    /// See [`JET_RECSIZE3::cbData`].
    pub cbData: u64,
    /// See [`JET_RECSIZE3::cbLongValueData`].
    pub cbLongValueData: u64,
    /// See [`JET_RECSIZE3::cbOverhead`].
    pub cbOverhead: u64,
    /// See [`JET_RECSIZE3::cbLongValueOverhead`].
    pub cbLongValueOverhead: u64,
    /// See [`JET_RECSIZE3::cNonTaggedColumns`].
    pub cNonTaggedColumns: u64,
    /// See [`JET_RECSIZE3::cTaggedColumns`].
    pub cTaggedColumns: u64,
    /// See [`JET_RECSIZE3::cLongValues`].
    pub cLongValues: u64,
    /// See [`JET_RECSIZE3::cMultiValues`].
    pub cMultiValues: u64,
    /// See [`JET_RECSIZE3::cCompressedColumns`].
    pub cCompressedColumns: u64,
    /// See [`JET_RECSIZE3::cbDataCompressed`].
    pub cbDataCompressed: u64,
    /// See [`JET_RECSIZE3::cbLongValueDataCompressed`].
    pub cbLongValueDataCompressed: u64,
}

/// The first eight members of [`JET_RECSIZE3`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JET_RECSIZE {
    /// See [`JET_RECSIZE3::cbData`].
    pub cbData: u64,
    /// See [`JET_RECSIZE3::cbLongValueData`].
    pub cbLongValueData: u64,
    /// See [`JET_RECSIZE3::cbOverhead`].
    pub cbOverhead: u64,
    /// See [`JET_RECSIZE3::cbLongValueOverhead`].
    pub cbLongValueOverhead: u64,
    /// See [`JET_RECSIZE3::cNonTaggedColumns`].
    pub cNonTaggedColumns: u64,
    /// See [`JET_RECSIZE3::cTaggedColumns`].
    pub cTaggedColumns: u64,
    /// See [`JET_RECSIZE3::cLongValues`].
    pub cLongValues: u64,
    /// See [`JET_RECSIZE3::cMultiValues`].
    pub cMultiValues: u64,
}

macro_rules! first_members {
    ($($name:ident { $($field:ident)* })*) => {$(
        impl From<$name> for JET_RECSIZE3 {
            fn from(told: $name) -> JET_RECSIZE3 {
                JET_RECSIZE3 { $($field: told.$field,)* ..JET_RECSIZE3::default() }
            }
        }

        impl From<JET_RECSIZE3> for $name {
            fn from(sizes: JET_RECSIZE3) -> $name {
                $name { $($field: sizes.$field),* }
            }
        }
    )*};
}

first_members! {
    JET_RECSIZE {
        cbData cbLongValueData cbOverhead cbLongValueOverhead cNonTaggedColumns cTaggedColumns
        cLongValues cMultiValues
    }
    JET_RECSIZE2 {
        cbData cbLongValueData cbOverhead cbLongValueOverhead cNonTaggedColumns cTaggedColumns
        cLongValues cMultiValues cCompressedColumns cbDataCompressed cbLongValueDataCompressed
    }
}

/// Says how large the current row is, or with [`JET_bitRecordSizeInCopyBuffer`] the one that is
/// being changed. [`JET_bitRecordSizeRunningTotal`] adds to what `precsize` holds;
/// [`JET_bitRecordSizeLocal`] leaves out the bytes of values outside of the row. Two flags cost
/// less: with [`JET_bitRecordSizeIntrinsicPhysicalOnly`] values in the row count as they are
/// stored, with [`JET_bitRecordSizeExtrinsicLogicalOnly`] those outside of it as long as they are.
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
    let mut sizes = (*precsize).into();
    JetGetRecordSize3(sesid, tableid, &mut sizes, grbit)?;
    *precsize = sizes.into();
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
    let mut sizes = (*precsize).into();
    JetGetRecordSize3(sesid, tableid, &mut sizes, grbit)?;
    *precsize = sizes.into();
    Ok(())
}

/// As [`JetGetRecordSize2`], with the long values in the row and its key for themselves.
///
/// # Errors
/// As [`JetGetRecordSize`].
pub fn JetGetRecordSize3(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    precsize: &mut JET_RECSIZE3,
    grbit: JET_GRBIT,
) -> Result<()> {
    with_cursor_in_callback(sesid, tableid, |state, cursor| {
        if grbit & !KNOWN != 0 {
            return Err(invalid_grbit("JetGetRecordSize", grbit));
        }
        let copy = grbit & JET_bitRecordSizeInCopyBuffer != 0;
        let from = if copy { JET_bitRetrieveCopy } else { 0 };
        let expand = grbit & JET_bitRecordSizeIntrinsicPhysicalOnly == 0;
        let row = cursor.look(state, from, |_, record| record.size(expand))?;
        let key_len = key_len(state, cursor, copy)? as u64;
        let mut total = match grbit & JET_bitRecordSizeRunningTotal {
            0 => JET_RECSIZE3::default(),
            _ => *precsize,
        };
        total.add_row(&row, key_len);
        if grbit & JET_bitRecordSizeLocal == 0 {
            let chunks = grbit & JET_bitRecordSizeExtrinsicLogicalOnly == 0;
            for lid in row.lids {
                let open = cursor.open_or_tree(state)?;
                let value = match copy {
                    true => open.long_values(&state.engine).stored(lid, chunks)?,
                    false => open.table().long_values(&state.engine).stored(lid, chunks)?,
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

/// The flags of these functions.
const KNOWN: JET_GRBIT = JET_bitRecordSizeInCopyBuffer
    | JET_bitRecordSizeRunningTotal
    | JET_bitRecordSizeLocal
    | JET_bitRecordSizeIntrinsicPhysicalOnly
    | JET_bitRecordSizeExtrinsicLogicalOnly;

impl JET_RECSIZE3 {
    /// Adds what is in the row itself.
    fn add_row(&mut self, row: &RecordSize, key_len: u64) {
        add(&mut self.cbData, row.data);
        add(&mut self.cbDataCompressed, row.stored);
        add(&mut self.cbOverhead, NODE_OVERHEAD + key_len + row.overhead);
        add(&mut self.cNonTaggedColumns, row.plain_columns);
        add(&mut self.cTaggedColumns, row.tagged_columns);
        add(&mut self.cMultiValues, row.more_values);
        add(&mut self.cCompressedColumns, row.compressed);
        add(&mut self.cLongValues, row.lids.len() as u64);
        add(&mut self.cbIntrinsicLongValueData, row.long_data);
        add(&mut self.cbIntrinsicLongValueDataCompressed, row.long_stored);
        add(&mut self.cIntrinsicLongValues, row.long_values);
        add(&mut self.cbKey, key_len);
    }
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
