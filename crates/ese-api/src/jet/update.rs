//! Changing rows (api-semantics 8, 9).

use std::sync::Arc;

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    cursor::{LongEdit, LongStorage, Prepare, Sameness},
    record::RecordBuilder,
    schema::{Column, TableSchema},
    temp::TempTable,
    version::Lock,
};

use super::{
    INTERNAL, JET_COLUMNID, JET_GRBIT, JET_bitReadLock, JET_bitSetAppendLV, JET_bitSetCompressed,
    JET_bitSetContiguousLV, JET_bitSetIntrinsicLV, JET_bitSetOverwriteLV,
    JET_bitSetRevertToDefaultValue, JET_bitSetSeparateLV, JET_bitSetSizeLV, JET_bitSetUncompressed,
    JET_bitSetUniqueMultiValues, JET_bitSetUniqueNormalizedMultiValues, JET_bitSetZeroLength,
    JET_bitUpdateCheckESE97Compatibility, JET_bitWriteLock, JET_prepCancel, JET_prepInsert,
    JET_prepInsertCopy, JET_prepInsertCopyDeleteOriginal, JET_prepInsertCopyReplaceOriginal,
    JET_prepReplace, JET_prepReplaceNoLock,
    callback::{DELETING, change_row, reasons_of_update},
    gate::Purpose,
    handles::{JET_SESID, JET_TABLEID},
    invalid_grbit,
    table::{
        Cursor, column_of, is_changing, with_any_cursor, with_cursor, with_cursor_in_callback,
    },
};
use crate::session::SessionState;

/// Which part of a column is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JET_SETINFO {
    /// Offset in bytes, for overwriting.
    pub ibLongValue: usize,
    /// Which value of several, from 1; 0 and numbers behind the last one append.
    pub itagSequence: usize,
}

impl Default for JET_SETINFO {
    fn default() -> JET_SETINFO {
        JET_SETINFO { ibLongValue: 0, itagSequence: 1 }
    }
}

/// One column of a [`JetSetColumns`].
#[derive(Clone, Debug)]
pub struct JET_SETCOLUMN<'v> {
    /// The column.
    pub columnid: JET_COLUMNID,
    /// The value; `None` is NULL.
    pub data: Option<&'v [u8]>,
    /// `JET_bitSet...`.
    pub grbit: JET_GRBIT,
    /// Offset in bytes, for overwriting.
    pub ibLongValue: usize,
    /// Which value of several.
    pub itagSequence: usize,
    /// What became of it.
    pub err: JetErr,
}

/// Begins a change: a new row, a new row that begins as a copy, the current row, which may move;
/// or cancels one.
///
/// # Errors
/// The cursor's; `JET_errInvalidParameter` (-1003) for an unknown kind, `JET_errUpdateNotPrepared`
/// (-1609) for a cancel, `JET_errPermissionDenied` (-1809) for a read-only cursor,
/// `JET_errTransReadOnly` (-1110), `JET_errAlreadyPrepared` (-1607), `JET_errNoCurrentRecord`
/// (-1603), `JET_errRecordDeleted` (-1017), `JET_errSessionWriteConflict` (-1111) where another
/// cursor of the session has prepared the same row, `JET_errWriteConflict` (-1102).
pub fn JetPrepareUpdate(sesid: JET_SESID, tableid: JET_TABLEID, prep: u32) -> Result<()> {
    with_any_cursor(sesid, tableid, Purpose::Work, |state, own, cursor| {
        let kind = match prep {
            JET_prepInsert => Prepare::Insert,
            JET_prepReplace => Prepare::Replace,
            JET_prepReplaceNoLock => Prepare::ReplaceNoLock,
            JET_prepInsertCopy => Prepare::InsertCopy,
            JET_prepInsertCopyDeleteOriginal => Prepare::InsertCopyDeleteOriginal,
            JET_prepInsertCopyReplaceOriginal => Prepare::InsertCopyReplaceOriginal,
            JET_prepCancel => {
                let cancelled = match cursor.temp() {
                    Some(temp) => temp.cancel()?,
                    None => cursor.open(state)?.cancel(),
                };
                return if cancelled { Ok(()) } else { Err(not_prepared()) };
            }
            other => {
                let what = format!("{other} is no kind of update");
                return Err(Error::new(JetErr::InvalidParameter, what));
            }
        };
        if let Some(temp) = cursor.sort()? {
            return temp.prepare(&mut state.engine, kind);
        }
        let open = cursor.open_or_tree(state)?;
        open.prepare(&mut state.engine, kind)?;
        if let Some(key) = open.changing()
            && own.cursors.iter().any(|other| *other != tableid && is_changing(*other, open, key))
        {
            open.cancel();
            let what = "another cursor of the session has prepared an update of the same row";
            return Err(Error::new(JetErr::SessionWriteConflict, what));
        }
        Ok(())
    })
}

#[track_caller]
fn not_prepared() -> Error {
    Error::new(JetErr::UpdateNotPrepared, "no update is prepared")
        .advise("call JetPrepareUpdate first")
}

/// Writes a column of the prepared update. `None` is NULL; so are no bytes, without
/// [`JET_bitSetZeroLength`]. `JET_wrnColumnMaxTruncated` (1512): a variable column cut the value.
///
/// # Errors
/// In this order: the cursor's; `JET_errPermissionDenied` (-1809), `JET_errTransReadOnly` (-1110),
/// `JET_errUpdateNotPrepared` (-1609), `JET_errInvalidGrbit` (-900), `JET_errBadColumnId` (-1517),
/// `JET_errColumnNotFound` (-1507); then what is wrong with the value: `JET_errInvalidColumnType`
/// (-1511) for a column that counts by itself, `JET_errInvalidBufferSize` (-1047),
/// `JET_errColumnTooBig` (-1506), `JET_errNullInvalid` (-1504), `JET_errBadItagSequence`
/// (-1518), `JET_errRecordTooBig` (-1026), `JET_errNotInTransaction` (-1054) for a long column
/// outside a transaction, `JET_errColumnNoChunk` (-1502), `JET_errMultiValuedDuplicate` (-1525),
/// `JET_errMultiValuedDuplicateAfterTruncation` (-1528).
pub fn JetSetColumn(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    columnid: JET_COLUMNID,
    pvData: Option<&[u8]>,
    grbit: JET_GRBIT,
    psetinfo: Option<&JET_SETINFO>,
) -> Result<JetErr> {
    let info = psetinfo.copied().unwrap_or_default();
    with_cursor_in_callback(sesid, tableid, |state, cursor| {
        set_column(state, cursor, columnid, Given::Bytes(pvData), grbit, info)
    })
}

/// As [`JetSetColumn`] with [`JET_bitSetSizeLV`] and, in C, no buffer but a length: the value is
/// cut at `cbData` bytes, or filled up with zeros. Length 0 is NULL without
/// [`JET_bitSetZeroLength`] (api-semantics 9.8).
///
/// # Errors
/// As [`JetSetColumn`]; `JET_errInvalidGrbit` (-900) without that flag, and for a column that is
/// not long.
pub fn set_column_size(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    columnid: JET_COLUMNID,
    cbData: usize,
    grbit: JET_GRBIT,
    psetinfo: Option<&JET_SETINFO>,
) -> Result<JetErr> {
    let info = psetinfo.copied().unwrap_or_default();
    with_cursor_in_callback(sesid, tableid, |state, cursor| {
        set_column(state, cursor, columnid, Given::Size(cbData), grbit, info)
    })
}

/// What a column is given.
#[derive(Clone, Copy)]
enum Given<'v> {
    /// A value; `None` is NULL.
    Bytes(Option<&'v [u8]>),
    /// A length alone.
    Size(usize),
}

impl<'v> Given<'v> {
    fn bytes(self) -> Option<&'v [u8]> {
        match self {
            Given::Bytes(bytes) => bytes,
            Given::Size(_) => None,
        }
    }

    fn len(self) -> usize {
        match self {
            Given::Bytes(bytes) => bytes.map_or(0, <[u8]>::len),
            Given::Size(len) => len,
        }
    }
}

/// Writes several columns, up to the first that fails; those before it stay written.
/// `JET_wrnColumnMaxTruncated` (1512): one of them was cut; its element says so, too.
///
/// # Errors
/// As [`JetSetColumn`], of the first that fails.
pub fn JetSetColumns(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    psetcolumn: &mut [JET_SETCOLUMN<'_>],
) -> Result<JetErr> {
    with_cursor_in_callback(sesid, tableid, |state, cursor| {
        let mut overall = JetErr::Success;
        for element in psetcolumn {
            let info = JET_SETINFO {
                ibLongValue: element.ibLongValue,
                itagSequence: element.itagSequence,
            };
            let (columnid, grbit) = (element.columnid, element.grbit);
            match set_column(state, cursor, columnid, Given::Bytes(element.data), grbit, info) {
                Ok(warning) => {
                    element.err = warning;
                    if warning != JetErr::Success {
                        overall = warning;
                    }
                }
                Err(error) => {
                    element.err = error.code();
                    return Err(error);
                }
            }
        }
        Ok(overall)
    })
}

fn set_column(
    state: &mut SessionState,
    cursor: &mut Cursor,
    columnid: JET_COLUMNID,
    given: Given<'_>,
    grbit: JET_GRBIT,
    info: JET_SETINFO,
) -> Result<JetErr> {
    let level = state.engine.level();
    if let Some(temp) = cursor.sort()? {
        return set_in_sort(temp, columnid, given, grbit, info);
    }
    let open = cursor.open_or_tree(state)?;
    let table = Arc::clone(open.table());
    let schema = &table.schema;
    open.check_updatable(&state.engine)?;
    open.copy()?;
    check_set_flags(grbit, given, schema.page_size.bytes())?;
    let column = column_of(schema, columnid)?;
    if column.ty.is_long() && level == 0 {
        return Err(Error::new(
            JetErr::NotInTransaction,
            format!("column \"{}\": long values are set in a transaction", column.name),
        ));
    }
    open.check_settable(column)?;
    let same = same_values(grbit);
    // Fixed columns have no empty values.
    let empty = grbit & JET_bitSetZeroLength != 0 && !column.id.is_fixed();
    let data = given.bytes().filter(|bytes| !bytes.is_empty() || empty);
    if let (Some(same), Some(value)) = (same, data) {
        open.check_unique_value(&state.engine, column, (info.itagSequence, value), same)?;
    }
    let mut warning = JetErr::Success;
    if column.ty.is_long() {
        if grbit & JET_bitSetContiguousLV != 0 {
            let there = open.copy()?.view(schema)?.data(column)?.len();
            check_first_set(column, there, grbit, info)?;
        }
        let (edit, id) = (long_edit(data, given.len(), grbit, info), column.id);
        let storage = storage_of(grbit);
        open.set_long(&mut state.engine, id, info.itagSequence, edit, storage)?;
    } else {
        check_whole(column, given)?;
        let (data, cut) = cut(column, data);
        open.edit(&mut state.engine, |record| put(schema, record, column, data, info))?;
        warning = cut;
    }
    // NULL in the place of the last value hides the default, unless it is to be seen again.
    let record = open.copy()?;
    if grbit & JET_bitSetRevertToDefaultValue != 0
        && column.id.is_tagged()
        && record.view(schema)?.data(column)?.is_null()
    {
        record.revert_to_default(schema, column.id)?;
    }
    Ok(warning)
}

/// Variable columns cut values.
fn cut<'v>(column: &Column, data: Option<&'v [u8]>) -> (Option<&'v [u8]>, JetErr) {
    let most = usize::try_from(column.max_len).unwrap_or(usize::MAX);
    match data {
        Some(bytes) if column.id.is_variable() && bytes.len() > most => {
            (bytes.get(..most), JetErr::WrnColumnMaxTruncated)
        }
        other => (other, JetErr::Success),
    }
}

/// Writes a column of a new row of a sort. Long values stay in the row, so they need no
/// transaction.
fn set_in_sort(
    temp: &mut TempTable,
    columnid: JET_COLUMNID,
    given: Given<'_>,
    grbit: JET_GRBIT,
    info: JET_SETINFO,
) -> Result<JetErr> {
    temp.copy()?;
    let schema = Arc::clone(temp.schema());
    let column = column_of(&schema, columnid)?;
    check_set_flags(grbit, given, schema.page_size.bytes())?;
    let data = given.bytes();
    let data = data.filter(|bytes| !bytes.is_empty() || grbit & JET_bitSetZeroLength != 0);
    if grbit & JET_bitSetRevertToDefaultValue != 0 {
        temp.copy()?.revert_to_default(&schema, column.id)?;
        return Ok(JetErr::Success);
    }
    if column.ty.is_long() {
        let edit = long_edit(data, given.len(), grbit, info);
        temp.set_long(column.id, info.itagSequence, edit)?;
        return Ok(JetErr::Success);
    }
    check_whole(column, given)?;
    let (data, warning) = cut(column, data);
    put(&schema, temp.copy()?, column, data, info)?;
    Ok(warning)
}

/// Flags that write a part of a value.
const PARTS: JET_GRBIT = JET_bitSetAppendLV | JET_bitSetOverwriteLV | JET_bitSetSizeLV;
/// Flags that refuse a value that is there already.
const UNIQUE: JET_GRBIT = JET_bitSetUniqueMultiValues | JET_bitSetUniqueNormalizedMultiValues;

/// A value that is not long is written as a whole, also with flags for parts of a value; a new size
/// of it alone is none.
fn check_whole(column: &Column, given: Given<'_>) -> Result<()> {
    if matches!(given, Given::Bytes(_)) {
        return Ok(());
    }
    let what = format!("column \"{}\": only long values have a size to be set", column.name);
    Err(Error::new(JetErr::InvalidGrbit, what))
}

/// Which flags go together, as the engine's source has it.
fn check_set_flags(grbit: JET_GRBIT, given: Given<'_>, page_len: usize) -> Result<()> {
    let contiguous = grbit & JET_bitSetContiguousLV != 0;
    if grbit & INTERNAL != 0
        || grbit & UNIQUE != 0 && grbit & PARTS != 0
        || contiguous && grbit & JET_bitSetSeparateLV == 0
        || matches!(given, Given::Size(_)) && grbit & PARTS != JET_bitSetSizeLV
    {
        return Err(invalid_grbit("JetSetColumn", grbit));
    }
    let len = given.len();
    if contiguous && len < page_len {
        let what = format!("a value of {len} bytes has no pages of its own to be contiguous");
        return Err(Error::new(JetErr::InvalidBufferSize, what));
    }
    Ok(())
}

/// Only bytes that are the first ones of a value are laid out contiguously. So many values are
/// there.
fn check_first_set(
    column: &Column,
    there: usize,
    grbit: JET_GRBIT,
    info: JET_SETINFO,
) -> Result<()> {
    let first = info.itagSequence == 0 || info.itagSequence > there;
    if first && grbit & (JET_bitSetSizeLV | JET_bitSetOverwriteLV) != JET_bitSetSizeLV {
        return Ok(());
    }
    let what = format!(
        "column \"{}\": JET_bitSetContiguousLV is for a value that was not there",
        column.name
    );
    Err(Error::new(JetErr::InvalidParameter, what))
}

fn same_values(grbit: JET_GRBIT) -> Option<Sameness> {
    if grbit & JET_bitSetUniqueNormalizedMultiValues != 0 {
        return Some(Sameness::Normalized);
    }
    (grbit & JET_bitSetUniqueMultiValues != 0).then_some(Sameness::Bytes)
}

fn storage_of(grbit: JET_GRBIT) -> LongStorage {
    let outside = grbit & JET_bitSetSeparateLV != 0;
    let compressed = match grbit & (JET_bitSetUncompressed | JET_bitSetCompressed) {
        0 => None,
        flags => Some(flags & JET_bitSetUncompressed == 0),
    };
    let inside = grbit & JET_bitSetIntrinsicLV != 0;
    LongStorage { outside, inside, compressed }
}

fn put(
    schema: &TableSchema,
    update: &mut RecordBuilder,
    column: &Column,
    data: Option<&[u8]>,
    info: JET_SETINFO,
) -> Result<()> {
    let view = update.view(schema)?;
    let values = view.data(column)?.len();
    if column.id.is_tagged() && (values > 1 || info.itagSequence != 1) {
        update.set_instance(schema, column.id, info.itagSequence, data)
    } else {
        update.set(schema, column.id, data)
    }
}

/// What flags, data and their length ask for. Data that is left out counts as no bytes.
fn long_edit(data: Option<&[u8]>, len: usize, grbit: JET_GRBIT, info: JET_SETINFO) -> LongEdit<'_> {
    let bytes = data.unwrap_or_default();
    let cut = grbit & JET_bitSetSizeLV != 0;
    if grbit & JET_bitSetAppendLV != 0 {
        LongEdit::Append(bytes)
    } else if grbit & JET_bitSetOverwriteLV != 0 && cut && len == 0 {
        LongEdit::Set(None)
    } else if grbit & JET_bitSetOverwriteLV != 0 {
        LongEdit::Overwrite { offset: info.ibLongValue, bytes, cut }
    } else if cut && len > 0 {
        LongEdit::Resize(len)
    } else if cut && grbit & JET_bitSetZeroLength != 0 {
        LongEdit::Set(Some(&[]))
    } else {
        LongEdit::Set(data)
    }
}

/// Writes the prepared update; gives the bookmark of the row. A new row does not become the current
/// one. After an error the update is still prepared.
///
/// # Errors
/// The cursor's; `JET_errUpdateNotPrepared` (-1609), `JET_errNullInvalid` (-1504),
/// `JET_errKeyDuplicate` (-1605), `JET_errWriteConflict` (-1102), `JET_errRecordPrimaryChanged`
/// (-1604), `JET_errNullKeyDisallowed` (-1053), those of writing, and what a callback says.
#[track_caller]
pub fn JetUpdate(sesid: JET_SESID, tableid: JET_TABLEID) -> Result<Vec<u8>> {
    change_row(sesid, tableid, reasons_of_update, |state, cursor| match cursor.temp() {
        Some(temp) => temp.update(&mut state.engine),
        None => cursor.open(state)?.update(&mut state.engine),
    })
}

/// As [`JetUpdate`], with flags. Rows of this engine have no form that only older ones could not
/// hold, so [`JET_bitUpdateCheckESE97Compatibility`] refuses nothing.
///
/// # Errors
/// `JET_errInvalidGrbit` (-900) for other flags; as [`JetUpdate`].
#[track_caller]
pub fn JetUpdate2(sesid: JET_SESID, tableid: JET_TABLEID, grbit: JET_GRBIT) -> Result<Vec<u8>> {
    with_cursor(sesid, tableid, |_, _| {
        if grbit & !JET_bitUpdateCheckESE97Compatibility != 0 {
            return Err(invalid_grbit("JetUpdate2", grbit));
        }
        Ok(())
    })?;
    JetUpdate(sesid, tableid)
}

/// Deletes the current row; the cursor stays at its place. An update that was prepared is
/// cancelled.
///
/// # Errors
/// The cursor's; `JET_errPermissionDenied` (-1809), `JET_errTransReadOnly` (-1110),
/// `JET_errAlreadyPrepared` (-1607) where a row is being moved, `JET_errNoCurrentRecord` (-1603),
/// `JET_errRecordDeleted` (-1017), `JET_errWriteConflict` (-1102), those of writing.
#[track_caller]
pub fn JetDelete(sesid: JET_SESID, tableid: JET_TABLEID) -> Result<()> {
    change_row(
        sesid,
        tableid,
        |_| DELETING,
        |state, cursor| cursor.open_or_tree(state)?.delete(&mut state.engine),
    )
}

/// JET_bitKeyLock: what the search key names.
const KEY_LOCK: JET_GRBIT = 0x4;

/// Locks the current row until the transaction ends: for reading, which others can do too, or for
/// writing.
///
/// # Errors
/// The cursor's; `JET_errInvalidGrbit` (-900) unless one kind of lock is named, of a row;
/// `JET_errNotInTransaction` (-1054), `JET_errPermissionDenied` (-1809) for a write lock of a
/// read-only cursor, `JET_errTransReadOnly` (-1110), `JET_errNoCurrentRecord` (-1603),
/// `JET_errRecordDeleted` (-1017), `JET_errWriteConflict` (-1102).
pub fn JetGetLock(sesid: JET_SESID, tableid: JET_TABLEID, grbit: JET_GRBIT) -> Result<()> {
    with_cursor(sesid, tableid, |state, cursor| {
        // The lock of a key instead of a row does not exist here; other flags have no meaning.
        let lock = match grbit & (JET_bitReadLock | JET_bitWriteLock | KEY_LOCK) {
            JET_bitReadLock => Lock::Read,
            JET_bitWriteLock => Lock::Write,
            _ => return Err(invalid_grbit("JetGetLock", grbit)),
        };
        cursor.open(state)?.lock(&mut state.engine, lock)
    })
}
