//! Reading columns (api-semantics 10).

use std::{borrow::Cow, sync::Arc};

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    record::{ColumnData, RecordView},
    schema::TableSchema,
};

use super::{
    JET_COLUMNID, JET_GRBIT, JET_bitRetrieveCopy, JET_bitRetrieveFromIndex,
    JET_bitRetrieveFromPrimaryBookmark, JET_bitRetrieveIgnoreDefault,
    handles::{JET_SESID, JET_TABLEID},
    invalid_grbit,
    table::{Cursor, column_of, with_cursor_in_callback},
    unavailable,
};
use crate::session::SessionState;

/// Which part of a column is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JET_RETINFO {
    /// Offset in bytes.
    pub ibLongValue: usize,
    /// Which value of several, from 1.
    pub itagSequence: usize,
}

impl Default for JET_RETINFO {
    fn default() -> JET_RETINFO {
        JET_RETINFO { ibLongValue: 0, itagSequence: 1 }
    }
}

/// One column of a [`JetRetrieveColumns`].
#[derive(Clone, Debug)]
pub struct JET_RETRIEVECOLUMN {
    /// The column.
    pub columnid: JET_COLUMNID,
    /// `JET_bitRetrieve...`.
    pub grbit: JET_GRBIT,
    /// Offset in bytes.
    pub ibLongValue: usize,
    /// Which value of several, from 1; 0 asks for their number, which then stands here.
    pub itagSequence: usize,
    /// What was read; `None` is NULL.
    pub data: Option<Vec<u8>>,
    /// `JET_errSuccess`, or `JET_wrnColumnNull` (1004).
    pub err: JetErr,
}

impl JET_RETRIEVECOLUMN {
    /// The whole first value of a column.
    #[must_use]
    pub fn new(columnid: JET_COLUMNID) -> JET_RETRIEVECOLUMN {
        JET_RETRIEVECOLUMN {
            columnid,
            grbit: 0,
            ibLongValue: 0,
            itagSequence: 1,
            data: None,
            err: JetErr::Success,
        }
    }
}

impl Cursor {
    /// Runs a look at the record that flags name: the current row, or the copy that is being
    /// changed.
    pub(super) fn look<T>(
        &mut self,
        state: &mut SessionState,
        grbit: JET_GRBIT,
        body: impl FnOnce(&TableSchema, &RecordView<'_>) -> Result<T>,
    ) -> Result<T> {
        let known = JET_bitRetrieveCopy
            | JET_bitRetrieveFromIndex
            | JET_bitRetrieveFromPrimaryBookmark
            | JET_bitRetrieveIgnoreDefault;
        let both = JET_bitRetrieveFromIndex | JET_bitRetrieveFromPrimaryBookmark;
        if grbit & !known != 0 || grbit & both == both {
            return Err(invalid_grbit("JetRetrieveColumn", grbit));
        }
        let open = self.open(state)?;
        let table = Arc::clone(open.table());
        if grbit & JET_bitRetrieveCopy != 0
            && let Some(record) = open.prepared()
        {
            let view = record.view(&table.schema)?;
            return body(&table.schema, &view.with_long_values(&table.long_values(&state.engine)));
        }
        open.read(&state.engine, |record| {
            let view = RecordView::new(record, table.schema.page_size)?;
            body(&table.schema, &view.with_long_values(&table.long_values(&state.engine)))
        })?
    }
}

fn retrieve(
    schema: &TableSchema,
    record: &RecordView<'_>,
    (columnid, grbit): (JET_COLUMNID, JET_GRBIT),
    info: JET_RETINFO,
) -> Result<Option<Vec<u8>>> {
    let column = column_of(schema, columnid)?;
    let data = record.data(column)?;
    if matches!(data, ColumnData::Default(_)) && grbit & JET_bitRetrieveIgnoreDefault != 0 {
        return Ok(None);
    }
    let Some(instance) = data.nth(info.itagSequence)? else { return Ok(None) };
    record.bytes_from(column, instance, info.ibLongValue, usize::MAX).map(Cow::into_owned).map(Some)
}

/// Reads a column; `None` is NULL (`JET_wrnColumnNull`). Behind the end of a value there are no
/// bytes.
///
/// # Errors
/// The cursor's; `JET_errNoCurrentRecord` (-1603), `JET_errRecordDeleted` (-1017),
/// `JET_errColumnNotFound` (-1507), `JET_errBadColumnId` (-1517), `JET_errBadItagSequence` (-1518)
/// for value 0, `JET_errInvalidGrbit` (-900).
pub fn JetRetrieveColumn(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    columnid: JET_COLUMNID,
    grbit: JET_GRBIT,
    pretinfo: Option<&JET_RETINFO>,
) -> Result<Option<Vec<u8>>> {
    let info = pretinfo.copied().unwrap_or_default();
    with_cursor_in_callback(sesid, tableid, |state, cursor| {
        if columnid == 0 {
            return Err(if info.itagSequence == 0 {
                Error::new(JetErr::BadItagSequence, "value 0 of all columns")
            } else {
                unavailable("walking all tagged values of a row (column id 0)")
            });
        }
        if info.itagSequence == 0 {
            return Err(Error::new(JetErr::BadItagSequence, "values are counted from 1"));
        }
        cursor
            .look(state, grbit, |schema, record| retrieve(schema, record, (columnid, grbit), info))
    })
}

/// Reads several columns; each element has its own answer.
///
/// # Errors
/// The cursor's and the row's; a bad column id ends the call.
pub fn JetRetrieveColumns(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    pretrievecolumn: &mut [JET_RETRIEVECOLUMN],
) -> Result<()> {
    with_cursor_in_callback(sesid, tableid, |state, cursor| {
        for element in pretrievecolumn {
            let info = JET_RETINFO {
                ibLongValue: element.ibLongValue,
                itagSequence: element.itagSequence,
            };
            cursor.look(state, element.grbit, |schema, record| {
                if element.itagSequence == 0 {
                    let column = column_of(schema, element.columnid)?;
                    element.itagSequence = record.data(column)?.len();
                    return Ok(());
                }
                let what = (element.columnid, element.grbit);
                element.data = retrieve(schema, record, what, info)?;
                element.err = match element.data {
                    Some(_) => JetErr::Success,
                    None => JetErr::WrnColumnNull,
                };
                Ok(())
            })?;
        }
        Ok(())
    })
}
