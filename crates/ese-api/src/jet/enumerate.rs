//! Reading many columns at once (api-semantics 10.10; the reference pages of JetEnumerateColumns,
//! JET_ENUMCOLUMN and JET_ENUMCOLUMNVALUE).

use std::borrow::Cow;

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    record::{ColumnData, Instance, RecordView},
    schema::{Column, TableSchema},
};

use super::{
    JET_COLUMNID, JET_GRBIT, JET_bitEnumerateCompressOutput, JET_bitEnumerateCopy,
    JET_bitEnumerateIgnoreDefault, JET_bitEnumerateIgnoreUserDefinedDefault,
    JET_bitEnumerateInRecordOnly, JET_bitEnumeratePresenceOnly, JET_bitEnumerateTaggedOnly,
    JET_bitRetrieveCopy,
    computed::Computed,
    handles::{JET_SESID, JET_TABLEID},
    invalid_grbit,
    retrieve::image_of,
    table::{column_of, columnid_of, with_cursor_and_session},
};

/// A column to be enumerated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JET_ENUMCOLUMNID {
    /// The column; 0 is skipped (`JET_wrnColumnSkipped`, 1531).
    pub columnid: JET_COLUMNID,
    /// Which of its values, from 1; 0 is skipped. Empty: all of them.
    pub rgtagSequence: Vec<u32>,
}

/// A value that was enumerated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JET_ENUMCOLUMNVALUE {
    /// Which of the column's values, from 1.
    pub itagSequence: u32,
    /// `JET_errSuccess`, `JET_wrnColumnNull` (1004), `JET_wrnColumnSkipped` (1531),
    /// `JET_wrnColumnTruncated` (1534), `JET_wrnColumnPresent` (1535), `JET_wrnColumnDefault`
    /// (1537), or `JET_wrnColumnNotInRecord` (1539).
    pub err: JetErr,
    /// Its bytes.
    pub pvData: Vec<u8>,
}

/// A column that was enumerated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JET_ENUMCOLUMN {
    /// The column.
    pub columnid: JET_COLUMNID,
    /// `JET_errSuccess`, `JET_wrnColumnNull` (1004), `JET_wrnColumnSkipped` (1531),
    /// `JET_wrnColumnPresent` (1535), `JET_wrnColumnSingleValue` (1536), `JET_wrnColumnDefault`
    /// (1537), `JET_errColumnNotFound` (-1507), or `JET_errBadColumnId` (-1517).
    pub err: JetErr,
    /// Its values; none with a warning or error but 1536, and none with that.
    pub rgEnumColumnValue: Vec<JET_ENUMCOLUMNVALUE>,
    /// With `JET_wrnColumnSingleValue`, the bytes of its only value.
    pub pvData: Vec<u8>,
}

impl JET_ENUMCOLUMN {
    fn without_values(columnid: JET_COLUMNID, err: JetErr) -> JET_ENUMCOLUMN {
        JET_ENUMCOLUMN { columnid, err, rgEnumColumnValue: Vec::new(), pvData: Vec::new() }
    }
}

/// Reads columns of the current row, or of the copy that is being changed: those in
/// `rgEnumColumnId` in their order, or, if there are none, all that have values. Values that lie
/// outside of the row are cut at `cbDataMost` bytes; 0 means none of them.
///
/// # Errors
/// The cursor's and the row's; `JET_errInvalidGrbit` (-900); `JET_errBadColumnId` (-1517) and
/// `JET_errColumnNotFound` (-1507) after all other columns have been read: `prgEnumColumn` is
/// filled then, and says which columns are meant. After any other error it is empty.
pub fn JetEnumerateColumns(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    rgEnumColumnId: &[JET_ENUMCOLUMNID],
    prgEnumColumn: &mut Vec<JET_ENUMCOLUMN>,
    cbDataMost: u32,
    grbit: JET_GRBIT,
) -> Result<()> {
    prgEnumColumn.clear();
    let mut computed = Vec::new();
    let known = JET_bitEnumerateCopy
        | JET_bitEnumerateIgnoreDefault
        | JET_bitEnumeratePresenceOnly
        | JET_bitEnumerateTaggedOnly
        | JET_bitEnumerateCompressOutput
        | JET_bitEnumerateIgnoreUserDefinedDefault
        | JET_bitEnumerateInRecordOnly;
    let done = with_cursor_and_session(sesid, tableid, |state, own, cursor| {
        let all = rgEnumColumnId.is_empty();
        if grbit & !known != 0 || grbit & JET_bitEnumerateTaggedOnly != 0 && !all {
            return Err(invalid_grbit("JetEnumerateColumns", grbit));
        }
        let most = usize::try_from(cbDataMost).unwrap_or(usize::MAX);
        let copy = image_of(own, tableid).unwrap_or(grbit & JET_bitEnumerateCopy != 0);
        let flags = if copy { JET_bitRetrieveCopy } else { 0 };
        cursor.look(state, flags, |schema, record| {
            let row = Row { schema, record, most, grbit, copy };
            if all {
                *prgEnumColumn = row.all()?;
                computed = row.computed(prgEnumColumn)?;
                return Ok(());
            }
            let mut failed = Ok(());
            for wanted in rgEnumColumnId {
                let column = match column_of(schema, wanted.columnid) {
                    _ if wanted.columnid == 0 => {
                        JET_ENUMCOLUMN::without_values(0, JetErr::WrnColumnSkipped)
                    }
                    Ok(column) => row.column(column, &wanted.rgtagSequence)?,
                    Err(error) => {
                        let code = error.code();
                        failed = failed.and(Err(error));
                        JET_ENUMCOLUMN::without_values(wanted.columnid, code)
                    }
                };
                prgEnumColumn.push(column);
            }
            computed = row.computed(prgEnumColumn)?;
            failed
        })
    });
    let done = match done {
        Err(error) if !is_of_column(&error) => Err(error),
        // Callbacks are called with no lock held.
        other => compute(sesid, tableid, computed, prgEnumColumn, grbit).and(other),
    };
    done.inspect_err(|error| {
        if !is_of_column(error) {
            prgEnumColumn.clear();
        }
    })
}

/// Is a column meant that there is not, so that the others have been read?
fn is_of_column(error: &Error) -> bool {
    matches!(error.code(), JetErr::BadColumnId | JetErr::ColumnNotFound)
}

/// Fills in the defaults that callbacks compute, in the columns with these places.
fn compute(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    computed: Vec<(usize, Computed)>,
    columns: &mut [JET_ENUMCOLUMN],
    grbit: JET_GRBIT,
) -> Result<()> {
    for (at, one) in computed {
        let value = one.value(sesid, tableid).map_err(|error| {
            // The codes of columns that there are not would say something else.
            let code = if is_of_column(&error) { JetErr::CallbackFailed } else { error.code() };
            Error::new(code, "the callback of a column").caused_by(error)
        })?;
        let Some(column) = columns.get_mut(at) else { continue };
        let first = column.rgEnumColumnValue.iter_mut().filter(|value| value.itagSequence == 1);
        match value {
            None if grbit & JET_bitEnumerateCompressOutput != 0 => {
                *column = JET_ENUMCOLUMN::without_values(column.columnid, JetErr::WrnColumnNull);
            }
            None => first.for_each(|value| value.err = JetErr::WrnColumnNull),
            Some(pvData) => first.for_each(|value| value.pvData.clone_from(&pvData)),
        }
        if grbit & JET_bitEnumerateCompressOutput != 0
            && let [value] = &mut column.rgEnumColumnValue[..]
            && value.err == JetErr::Success
        {
            column.pvData = std::mem::take(&mut value.pvData);
            column.err = JetErr::WrnColumnSingleValue;
            column.rgEnumColumnValue.clear();
        }
    }
    Ok(())
}

/// A row that is enumerated, and how.
struct Row<'a> {
    schema: &'a TableSchema,
    record: &'a RecordView<'a>,
    most: usize,
    grbit: JET_GRBIT,
    copy: bool,
}

impl Row<'_> {
    /// The columns of a list whose default a callback computes, as far as their values are asked
    /// for, with their places.
    fn computed(&self, columns: &[JET_ENUMCOLUMN]) -> Result<Vec<(usize, Computed)>> {
        let mut found = Vec::new();
        for (at, wanted) in columns.iter().enumerate() {
            let mut values = wanted.rgEnumColumnValue.iter();
            if values.all(|value| value.itagSequence != 1 || value.err != JetErr::Success) {
                continue;
            }
            let column = column_of(self.schema, wanted.columnid)?;
            if matches!(self.record.data(column)?, ColumnData::Computed) {
                found.push((at, Computed::new(wanted.columnid, column, self.copy)));
            }
        }
        Ok(found)
    }

    /// Is a column left out because the row says nothing of it?
    fn ignores(&self, column: &Column, data: ColumnData<'_>) -> bool {
        let absent = match data {
            ColumnData::Computed if self.has(JET_bitEnumerateIgnoreUserDefinedDefault) => {
                return true;
            }
            ColumnData::Computed | ColumnData::Default(_) => true,
            // The row of a table that had no such column yet.
            ColumnData::Null if column.id.is_fixed() => {
                column.id.0 > u16::from(self.record.last_fixed())
            }
            ColumnData::Null if column.id.is_variable() => {
                column.id.0 > u16::from(self.record.last_variable())
            }
            // In the place of a default NULL is stored.
            ColumnData::Null => !column.has_default(),
            _ => false,
        };
        absent && self.has(JET_bitEnumerateIgnoreDefault)
    }

    fn has(&self, flag: JET_GRBIT) -> bool {
        self.grbit & flag != 0
    }

    /// All columns with values; those that are NULL only where the row says so itself.
    fn all(&self) -> Result<Vec<JET_ENUMCOLUMN>> {
        let mut found = Vec::new();
        for column in self.schema.columns.iter() {
            if self.has(JET_bitEnumerateTaggedOnly) && !column.id.is_tagged() {
                continue;
            }
            let shown = match self.record.data(column)? {
                ColumnData::Null => column.has_default(),
                data => !self.ignores(column, data),
            };
            if shown {
                found.push(self.column(column, &[])?);
            }
        }
        Ok(found)
    }

    fn column(&self, column: &Column, itags: &[u32]) -> Result<JET_ENUMCOLUMN> {
        let columnid = columnid_of(self.schema, column);
        let plain = |err| Ok(JET_ENUMCOLUMN::without_values(columnid, err));
        let data = self.record.data(column)?;
        let all = itags.is_empty();
        match data {
            _ if all && self.ignores(column, data) => return plain(JetErr::WrnColumnDefault),
            ColumnData::Null if all => return plain(JetErr::WrnColumnNull),
            _ if all && self.has(JET_bitEnumeratePresenceOnly) => {
                return plain(JetErr::WrnColumnPresent);
            }
            _ => {}
        }
        let mut values = Vec::new();
        if all {
            for itag in (1..).take(data.len()) {
                values.push(self.value(column, data, itag)?);
            }
        } else {
            for itag in itags {
                values.push(self.value(column, data, *itag)?);
            }
        }
        if all
            && self.has(JET_bitEnumerateCompressOutput)
            && !matches!(data, ColumnData::Computed)
            && let [value] = &mut values[..]
            && value.err == JetErr::Success
        {
            let pvData = std::mem::take(&mut value.pvData);
            let err = JetErr::WrnColumnSingleValue;
            return Ok(JET_ENUMCOLUMN { pvData, ..JET_ENUMCOLUMN::without_values(columnid, err) });
        }
        let err = JetErr::Success;
        Ok(JET_ENUMCOLUMN {
            rgEnumColumnValue: values,
            ..JET_ENUMCOLUMN::without_values(columnid, err)
        })
    }

    fn value(
        &self,
        column: &Column,
        data: ColumnData<'_>,
        itagSequence: u32,
    ) -> Result<JET_ENUMCOLUMNVALUE> {
        let answer = |err, pvData| Ok(JET_ENUMCOLUMNVALUE { itagSequence, err, pvData });
        let bare = |err| answer(err, Vec::new());
        if itagSequence == 0 {
            return bare(JetErr::WrnColumnSkipped);
        }
        if self.ignores(column, data) {
            return bare(JetErr::WrnColumnDefault);
        }
        let itag = usize::try_from(itagSequence).unwrap_or(usize::MAX);
        if itag > data.len() {
            return bare(JetErr::WrnColumnNull);
        }
        if self.has(JET_bitEnumeratePresenceOnly) {
            return bare(JetErr::WrnColumnPresent);
        }
        if matches!(data, ColumnData::Computed) {
            // Filled in when no lock is held.
            return bare(JetErr::Success);
        }
        let Some(instance) = data.nth(itag)? else { return bare(JetErr::WrnColumnNull) };
        if !matches!(instance, Instance::Separated(_)) {
            let bytes = self.record.bytes_of(column, instance, usize::MAX)?;
            return answer(JetErr::Success, Cow::into_owned(bytes));
        }
        if self.has(JET_bitEnumerateInRecordOnly) {
            return bare(JetErr::WrnColumnNotInRecord);
        }
        // One byte more tells whether there is more.
        let bytes = self.record.bytes_of(column, instance, self.most.saturating_add(1))?;
        let mut bytes = Cow::into_owned(bytes);
        let cut = bytes.len() > self.most;
        bytes.truncate(self.most);
        answer(if cut { JetErr::WrnColumnTruncated } else { JetErr::Success }, bytes)
    }
}
