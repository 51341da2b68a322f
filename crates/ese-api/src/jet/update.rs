//! Changing rows (api-semantics 8, 9).
//!
//! A prepared replace takes no lock: a change that somebody else makes meanwhile is noticed when it
//! is written (`JET_errWriteConflict`), by the snapshot of the transaction, or outside one by
//! comparing the row with what it was.

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    record::RecordBuilder,
    schema::{Column, TableSchema},
    table::Table,
};

use super::{
    JET_COLUMNID, JET_GRBIT, JET_bitSetAppendLV, JET_bitSetOverwriteLV,
    JET_bitSetRevertToDefaultValue, JET_bitSetSizeLV, JET_bitSetZeroLength, JET_prepCancel,
    JET_prepInsert, JET_prepInsertCopy, JET_prepReplace, JET_prepReplaceNoLock,
    cursor::record_deleted,
    handles::{JET_SESID, JET_TABLEID},
    table::{Cursor, Update, column_id, with_cursor},
    unavailable,
};
use crate::session::{Durability, SessionState};

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

/// Begins a change: a new row, a new row that begins as a copy, the current row; or cancels one.
///
/// # Errors
/// The cursor's; `JET_errPermissionDenied` (-1809) for a read-only cursor, `JET_errAlreadyPrepared`
/// (-1607), `JET_errUpdateNotPrepared` (-1609) for a cancel, `JET_errNoCurrentRecord` (-1603),
/// `JET_errRecordDeleted` (-1017), `JET_errInvalidParameter` (-1003) for an unknown kind,
/// `JET_errFeatureNotAvailable` (-1001) for kinds that later versions bring.
pub fn JetPrepareUpdate(sesid: JET_SESID, tableid: JET_TABLEID, prep: u32) -> Result<()> {
    with_cursor(sesid, tableid, |state, cursor| {
        if prep == JET_prepCancel {
            return match cursor.update.take() {
                Some(_) => Ok(()),
                None => Err(not_prepared()),
            };
        }
        check_kind(prep)?;
        if cursor.read_only {
            let what = "the cursor was opened for reading only";
            return Err(Error::new(JetErr::PermissionDenied, what));
        }
        state.engine.check_writable()?;
        if cursor.update.is_some() {
            let what = "an update is prepared already";
            return Err(Error::new(JetErr::AlreadyPrepared, what));
        }
        let table = cursor.table(state)?;
        let mut update =
            Update { record: RecordBuilder::new(), replaces: None, level: state.engine.level() };
        if prep == JET_prepInsert {
            update.record.insert(&table.schema)?;
        } else {
            let key = cursor.current_key(state)?;
            let row = table.get(&state.engine, &key, <[u8]>::to_vec)?;
            let row = row.ok_or_else(record_deleted)?;
            update.record.edit(&table.schema, &row)?;
            if prep != JET_prepInsertCopy {
                update.replaces = Some((key, row));
            }
        }
        cursor.update = Some(update);
        Ok(())
    })
}

fn check_kind(prep: u32) -> Result<()> {
    match prep {
        JET_prepInsert | JET_prepInsertCopy | JET_prepReplace | JET_prepReplaceNoLock => Ok(()),
        7 | 9 => Err(unavailable("moving a row (JET_prepInsertCopy...Original)")),
        other => Err(Error::new(JetErr::InvalidParameter, format!("{other} is no kind of update"))),
    }
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
/// The cursor's; `JET_errUpdateNotPrepared` (-1609), `JET_errColumnNotFound` (-1507),
/// `JET_errInvalidBufferSize` (-1047), `JET_errColumnTooBig` (-1506), `JET_errNullInvalid` (-1504),
/// `JET_errBadItagSequence` (-1518), `JET_errRecordTooBig` (-1026), `JET_errNotInTransaction`
/// (-1054) for a long column outside a transaction, `JET_errColumnNoChunk` (-1502).
pub fn JetSetColumn(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    columnid: JET_COLUMNID,
    pvData: Option<&[u8]>,
    grbit: JET_GRBIT,
    psetinfo: Option<&JET_SETINFO>,
) -> Result<JetErr> {
    let info = psetinfo.copied().unwrap_or_default();
    with_cursor(sesid, tableid, |state, cursor| {
        set_column(state, cursor, columnid, pvData, grbit, info)
    })
}

/// Writes several columns, up to the first that fails; those before it stay written.
///
/// # Errors
/// As [`JetSetColumn`], of the first that fails.
pub fn JetSetColumns(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    psetcolumn: &mut [JET_SETCOLUMN<'_>],
) -> Result<()> {
    with_cursor(sesid, tableid, |state, cursor| {
        for element in psetcolumn {
            let info = JET_SETINFO {
                ibLongValue: element.ibLongValue,
                itagSequence: element.itagSequence,
            };
            let (columnid, grbit) = (element.columnid, element.grbit);
            match set_column(state, cursor, columnid, element.data, grbit, info) {
                Ok(warning) => element.err = warning,
                Err(error) => {
                    element.err = error.code();
                    return Err(error);
                }
            }
        }
        Ok(())
    })
}

fn set_column(
    state: &mut SessionState,
    cursor: &mut Cursor,
    columnid: JET_COLUMNID,
    data: Option<&[u8]>,
    grbit: JET_GRBIT,
    info: JET_SETINFO,
) -> Result<JetErr> {
    let table = cursor.table(state)?;
    let Some(update) = &mut cursor.update else { return Err(not_prepared()) };
    let schema = &table.schema;
    let column = schema.columns.require(column_id(columnid)?)?;
    let parts = JET_bitSetAppendLV | JET_bitSetOverwriteLV | JET_bitSetSizeLV;
    if grbit & !(parts | JET_bitSetZeroLength | JET_bitSetRevertToDefaultValue) != 0 {
        return Err(unavailable(&format!("flags {grbit:#x} of JetSetColumn")));
    }
    if column.ty.is_long() && state.engine.level() == 0 {
        return Err(Error::new(
            JetErr::NotInTransaction,
            format!("column \"{}\": long values are set in a transaction", column.name),
        ));
    }
    let data = data.filter(|bytes| !bytes.is_empty() || grbit & JET_bitSetZeroLength != 0);
    if grbit & JET_bitSetRevertToDefaultValue != 0 {
        update.record.revert_to_default(schema, column.id)?;
        return Ok(JetErr::Success);
    }
    if grbit & parts != 0 {
        let value = part(schema, update, column, data.unwrap_or_default(), grbit, info)?;
        put(schema, update, column, value.as_deref(), info)?;
        return Ok(JetErr::Success);
    }
    let most = usize::try_from(column.max_len).unwrap_or(usize::MAX);
    let (data, warning) = match data {
        Some(bytes) if column.id.is_variable() && bytes.len() > most => {
            (bytes.get(..most), JetErr::WrnColumnMaxTruncated)
        }
        other => (other, JetErr::Success),
    };
    put(schema, update, column, data, info)?;
    Ok(warning)
}

fn put(
    schema: &TableSchema,
    update: &mut Update,
    column: &Column,
    data: Option<&[u8]>,
    info: JET_SETINFO,
) -> Result<()> {
    let view = update.record.view(schema)?;
    let values = view.data(column)?.len();
    if column.id.is_tagged() && (values > 1 || info.itagSequence != 1) {
        update.record.set_instance(schema, column.id, info.itagSequence, data)
    } else {
        update.record.set(schema, column.id, data)
    }
}

/// The value that appending, overwriting or resizing makes of the one that is there.
fn part(
    schema: &TableSchema,
    update: &Update,
    column: &Column,
    data: &[u8],
    grbit: JET_GRBIT,
    info: JET_SETINFO,
) -> Result<Option<Vec<u8>>> {
    if !column.ty.is_long() {
        return Err(Error::new(
            JetErr::InvalidGrbit,
            format!("column \"{}\": only long values are written in parts", column.name),
        ));
    }
    let view = update.record.view(schema)?;
    let old = match view.data(column)?.nth(info.itagSequence)? {
        Some(instance) => Some(instance.plain(column)?.to_vec()),
        None => None,
    };
    let had = old.as_ref().map_or(0, Vec::len);
    let mut value = old.unwrap_or_default();
    if grbit & JET_bitSetAppendLV != 0 {
        value.extend_from_slice(data);
        return Ok(Some(value));
    }
    if grbit & JET_bitSetOverwriteLV != 0 {
        if info.ibLongValue > had {
            return Err(Error::new(
                JetErr::ColumnNoChunk,
                format!("byte {} of a value of {had} bytes", info.ibLongValue),
            ));
        }
        let end = info.ibLongValue + data.len();
        if end > value.len() || grbit & JET_bitSetSizeLV != 0 {
            value.resize(end, 0);
        }
        if let Some(place) = value.get_mut(info.ibLongValue..end) {
            place.copy_from_slice(data);
        }
        return Ok(Some(value));
    }
    // Only the size: as many bytes as were given.
    value.resize(data.len(), 0);
    Ok((!value.is_empty() || grbit & JET_bitSetZeroLength != 0).then_some(value))
}

/// Writes the prepared update; gives the bookmark of the row. A new row does not become the current
/// one. After an error the update is still prepared.
///
/// # Errors
/// The cursor's; `JET_errUpdateNotPrepared` (-1609), `JET_errNullInvalid` (-1504),
/// `JET_errKeyDuplicate` (-1605), `JET_errWriteConflict` (-1102), `JET_errRecordPrimaryChanged`
/// (-1604), `JET_errNullKeyDisallowed` (-1053), those of writing.
pub fn JetUpdate(sesid: JET_SESID, tableid: JET_TABLEID) -> Result<Vec<u8>> {
    with_cursor(sesid, tableid, |state, cursor| {
        let table = cursor.table(state)?;
        let Some(update) = cursor.update.take() else { return Err(not_prepared()) };
        let written = update
            .record
            .check(&table.schema)
            .and_then(|()| in_transaction(state, |state| write(state, cursor, &table, &update)));
        if written.is_err() {
            cursor.update = Some(update);
        }
        written
    })
}

fn write(
    state: &mut SessionState,
    cursor: &mut Cursor,
    table: &Table,
    update: &Update,
) -> Result<Vec<u8>> {
    let record = update.record.bytes();
    let Some((key, before)) = &update.replaces else {
        let mut key = Vec::new();
        table.insert(&mut state.engine, &mut cursor.position, record, &mut key)?;
        return Ok(key);
    };
    let same = table.get(&state.engine, key, |now| now == before)?;
    match same {
        None => return Err(record_deleted()),
        Some(false) if update.level == 0 => {
            return Err(Error::new(
                JetErr::WriteConflict,
                "the row has changed since the update was prepared",
            ));
        }
        Some(_) => {}
    }
    table.replace(&mut state.engine, &mut cursor.position, key, record)?;
    Ok(key.clone())
}

/// Runs a change in the open transaction, or in one of its own.
fn in_transaction<T>(
    state: &mut SessionState,
    body: impl FnOnce(&mut SessionState) -> Result<T>,
) -> Result<T> {
    if state.engine.level() > 0 {
        return body(state);
    }
    state.engine.begin()?;
    let changed = body(state).and_then(|value| {
        state.engine.commit(Durability::Durable)?;
        Ok(value)
    });
    if changed.is_err() && state.engine.level() > 0 {
        state.engine.rollback()?;
    }
    changed
}

/// Deletes the current row; the cursor stays at its place. An update that was prepared is
/// cancelled.
///
/// # Errors
/// The cursor's; `JET_errNoCurrentRecord` (-1603), `JET_errRecordDeleted` (-1017),
/// `JET_errWriteConflict` (-1102), `JET_errPermissionDenied` (-1809), those of writing.
pub fn JetDelete(sesid: JET_SESID, tableid: JET_TABLEID) -> Result<()> {
    with_cursor(sesid, tableid, |state, cursor| {
        if cursor.read_only {
            let what = "the cursor was opened for reading only";
            return Err(Error::new(JetErr::PermissionDenied, what));
        }
        cursor.update = None;
        let key = cursor.current_key(state)?;
        let table = cursor.table(state)?;
        in_transaction(state, |state| {
            if table.get(&state.engine, &key, |_| ())?.is_none() {
                return Err(record_deleted());
            }
            table.delete(&mut state.engine, &mut cursor.position, &key)
        })
    })
}
