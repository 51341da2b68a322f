//! Reading many columns at once (api-semantics 10.10; the reference pages of JetEnumerateColumns,
//! JET_ENUMCOLUMN and JET_ENUMCOLUMNVALUE).

use std::borrow::Cow;

use ese_base::{JetErr, Result};
use ese_engine::{
    record::{ColumnData, Instance, RecordView},
    schema::{Column, TableSchema},
};

use super::{
    JET_COLUMNID, JET_GRBIT, JET_bitEnumerateCompressOutput, JET_bitEnumerateCopy,
    JET_bitEnumerateIgnoreDefault, JET_bitEnumerateIgnoreUserDefinedDefault,
    JET_bitEnumerateInRecordOnly, JET_bitEnumeratePresenceOnly, JET_bitEnumerateTaggedOnly,
    handles::{JET_SESID, JET_TABLEID},
    invalid_grbit,
    table::{column_of, columnid_of, with_cursor_in_callback},
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
    let known = JET_bitEnumerateCopy
        | JET_bitEnumerateIgnoreDefault
        | JET_bitEnumeratePresenceOnly
        | JET_bitEnumerateTaggedOnly
        | JET_bitEnumerateCompressOutput
        | JET_bitEnumerateIgnoreUserDefinedDefault
        | JET_bitEnumerateInRecordOnly;
    with_cursor_in_callback(sesid, tableid, |state, cursor| {
        let all = rgEnumColumnId.is_empty();
        if grbit & !known != 0 || grbit & JET_bitEnumerateTaggedOnly != 0 && !all {
            return Err(invalid_grbit("JetEnumerateColumns", grbit));
        }
        let most = usize::try_from(cbDataMost).unwrap_or(usize::MAX);
        cursor.look(state, grbit & JET_bitEnumerateCopy, |schema, record| {
            let row = Row { schema, record, most, grbit };
            if all {
                *prgEnumColumn = row.all()?;
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
            failed
        })
    })
    .inspect_err(|error| {
        if !matches!(error.code(), JetErr::BadColumnId | JetErr::ColumnNotFound) {
            prgEnumColumn.clear();
        }
    })
}

/// A row that is enumerated, and how.
struct Row<'a> {
    schema: &'a TableSchema,
    record: &'a RecordView<'a>,
    most: usize,
    grbit: JET_GRBIT,
}

impl Row<'_> {
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
                ColumnData::Null => column.default.is_some(),
                ColumnData::Default(_) => !self.has(JET_bitEnumerateIgnoreDefault),
                ColumnData::One(_) | ColumnData::Many(_) => true,
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
            ColumnData::Null if all => return plain(JetErr::WrnColumnNull),
            ColumnData::Default(_) if all && self.has(JET_bitEnumerateIgnoreDefault) => {
                return plain(JetErr::WrnColumnDefault);
            }
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
        let itag = usize::try_from(itagSequence).unwrap_or(usize::MAX);
        let Some(instance) = data.nth(itag)? else { return bare(JetErr::WrnColumnNull) };
        if matches!(data, ColumnData::Default(_)) && self.has(JET_bitEnumerateIgnoreDefault) {
            return bare(JetErr::WrnColumnDefault);
        }
        if self.has(JET_bitEnumeratePresenceOnly) {
            return bare(JetErr::WrnColumnPresent);
        }
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
