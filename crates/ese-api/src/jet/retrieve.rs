//! Reading columns (api-semantics 10).

use std::{borrow::Cow, sync::Arc};

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    cursor::EntryPart,
    key::Restored,
    record::{ColumnData, RecordView},
    schema::{Column, TableSchema},
};

use super::{
    JET_COLUMNID, JET_GRBIT, JET_bitRetrieveCopy, JET_bitRetrieveFromIndex,
    JET_bitRetrieveFromPrimaryBookmark, JET_bitRetrieveIgnoreDefault, JET_bitRetrieveNull,
    JET_bitRetrieveTag, JET_bitRetrieveTuple,
    handles::{JET_SESID, JET_TABLEID},
    invalid_grbit,
    table::{Cursor, column_of, columnid_of, with_cursor_in_callback},
};
use crate::session::SessionState;

/// Which part of a column is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JET_RETINFO {
    /// Offset in bytes.
    pub ibLongValue: usize,
    /// Which value of several, from 1; of column 0, which of all values in tagged columns. With
    /// [`JET_bitRetrieveTag`] the number of the value that the index entry stands for is put here.
    pub itagSequence: usize,
    /// The column that was read is put here: of column 0 the one whose value it was, or 0.
    pub columnidNextTagged: JET_COLUMNID,
}

impl Default for JET_RETINFO {
    fn default() -> JET_RETINFO {
        JET_RETINFO { ibLongValue: 0, itagSequence: 1, columnidNextTagged: 0 }
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
    /// Which value of several, from 1; of column 0, which of all values in tagged columns. 0 asks
    /// for their number, which then stands here; so does the number of the value that an index
    /// entry stands for.
    pub itagSequence: usize,
    /// The column that was read is put here: of column 0 the one whose value it was, or 0.
    pub columnidNextTagged: JET_COLUMNID,
    /// What was read; `None` is NULL.
    pub data: Option<Vec<u8>>,
    /// `JET_errSuccess`, `JET_wrnColumnNull` (1004), or of column 0 `JET_wrnColumnSetNull` (1068).
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
            columnidNextTagged: 0,
            data: None,
            err: JetErr::Success,
        }
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    columnid: JET_COLUMNID,
    grbit: JET_GRBIT,
    offset: usize,
    itag: usize,
}

impl Wanted {
    fn has(&self, flags: JET_GRBIT) -> bool {
        self.grbit & flags != 0
    }

    /// Which flags there are, and which exclude each other.
    fn check(&self) -> Result<()> {
        let known = JET_bitRetrieveCopy
            | JET_bitRetrieveFromIndex
            | JET_bitRetrieveFromPrimaryBookmark
            | JET_bitRetrieveTag
            | JET_bitRetrieveNull
            | JET_bitRetrieveIgnoreDefault
            | JET_bitRetrieveTuple;
        let entry = self.has(JET_bitRetrieveFromIndex);
        if self.grbit & !known != 0
            || self.has(JET_bitRetrieveTuple) && !entry
            || self.has(JET_bitRetrieveFromPrimaryBookmark) && entry
        {
            return Err(invalid_grbit("JetRetrieveColumn", self.grbit));
        }
        Ok(())
    }

    /// Which part of the index entry answers, if one does.
    fn part(&self) -> Option<EntryPart> {
        if self.has(JET_bitRetrieveFromIndex) {
            return Some(EntryPart::Key { tuple: self.has(JET_bitRetrieveTuple) });
        }
        self.has(JET_bitRetrieveFromPrimaryBookmark).then_some(EntryPart::Bookmark)
    }
}

/// What was found.
#[derive(Debug)]
struct Found {
    data: Option<Vec<u8>>,
    columnid: JET_COLUMNID,
    /// Number of the value, or of values where that was asked for.
    itag: usize,
    err: JetErr,
}

impl Found {
    fn new(data: Option<Vec<u8>>, columnid: JET_COLUMNID, itag: usize) -> Found {
        let err = if data.is_some() { JetErr::Success } else { JetErr::WrnColumnNull };
        Found { data, columnid, itag, err }
    }

    /// An answer about how many values there are.
    fn count(columnid: JET_COLUMNID, itag: usize) -> Found {
        Found { data: None, columnid, itag, err: JetErr::Success }
    }
}

impl Cursor {
    /// Runs a look at the record that flags name: the current row, or with
    /// [`JET_bitRetrieveCopy`] the copy that is being changed.
    pub(super) fn look<T>(
        &mut self,
        state: &mut SessionState,
        grbit: JET_GRBIT,
        body: impl FnOnce(&TableSchema, &RecordView<'_>) -> Result<T>,
    ) -> Result<T> {
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

    /// Reads a value. With `count`, number 0 asks how many there are; else it is none.
    fn retrieve(
        &mut self,
        state: &mut SessionState,
        mut wanted: Wanted,
        count: bool,
    ) -> Result<Found> {
        wanted.check()?;
        let open = self.open(state)?;
        let table = Arc::clone(open.table());
        let Wanted { columnid, grbit, .. } = wanted;
        if let Some(part) = wanted.part() {
            let column = column_of(&table.schema, columnid)?;
            let with_itag = wanted.has(JET_bitRetrieveTag);
            let entry = open.read_entry(&state.engine, column, part, with_itag)?;
            wanted.itag = entry.itag;
            match entry.value {
                Restored::Null => return Ok(Found::new(None, columnid, entry.itag)),
                Restored::Value(bytes) => {
                    let offset = if column.ty.is_long() { wanted.offset } else { 0 };
                    let rest = bytes.get(offset..).unwrap_or_default();
                    return Ok(Found::new(Some(rest.to_vec()), columnid, entry.itag));
                }
                Restored::Unknown => {}
            }
        }
        if columnid == 0 {
            return self.look(state, grbit, |schema, record| {
                if wanted.itag == 0 && !count {
                    return Err(bad_itag());
                }
                nth_of_all(schema, record, &wanted)
            });
        }
        column_of(&table.schema, columnid)?;
        if wanted.itag == 0 && !count {
            return Err(bad_itag());
        }
        self.look(state, grbit, |schema, record| {
            let column = column_of(schema, columnid)?;
            if wanted.itag == 0 {
                return Ok(Found::count(columnid, record.data(column)?.len()));
            }
            let data = value_of(column, record, &wanted)?;
            Ok(Found::new(data, columnid, wanted.itag))
        })
    }
}

#[track_caller]
fn bad_itag() -> Error {
    Error::new(JetErr::BadItagSequence, "values are counted from 1")
        .advise("JetRetrieveColumns says how many there are")
}

fn value_of(column: &Column, record: &RecordView<'_>, wanted: &Wanted) -> Result<Option<Vec<u8>>> {
    let data = record.data(column)?;
    if matches!(data, ColumnData::Default(_)) && wanted.has(JET_bitRetrieveIgnoreDefault) {
        return Ok(None);
    }
    let Some(instance) = data.nth(wanted.itag)? else { return Ok(None) };
    record.bytes_from(column, instance, wanted.offset, usize::MAX).map(Cow::into_owned).map(Some)
}

/// A value of all that the tagged columns of a row have, by its number; number 0 counts them.
fn nth_of_all(schema: &TableSchema, record: &RecordView<'_>, wanted: &Wanted) -> Result<Found> {
    let mut before = 0;
    for column in schema.columns.iter().filter(|column| column.id.is_tagged()) {
        let data = record.data(column)?;
        let count = match data {
            // A row says NULL of a column to hide its default.
            ColumnData::Null => {
                usize::from(column.default.is_some() && wanted.has(JET_bitRetrieveNull))
            }
            ColumnData::Default(_) if wanted.has(JET_bitRetrieveIgnoreDefault) => 0,
            _ => data.len(),
        };
        if wanted.itag > before && wanted.itag <= before + count {
            let columnid = columnid_of(schema, column);
            if data.is_null() {
                let err = JetErr::WrnColumnSetNull;
                return Ok(Found { err, ..Found::new(None, columnid, 1) });
            }
            let itag = wanted.itag - before;
            let value = value_of(column, record, &Wanted { itag, ..*wanted })?;
            return Ok(Found::new(value, columnid, itag));
        }
        before += count;
    }
    Ok(if wanted.itag == 0 { Found::count(0, before) } else { Found::new(None, 0, 0) })
}

/// Reads a column; `None` is NULL (`JET_wrnColumnNull`). Behind the end of a value there are no
/// bytes.
///
/// * Column 0 stands for all tagged columns: `itagSequence` counts through their values, in the
///   order of the columns. Defaults count unless [`JET_bitRetrieveIgnoreDefault`] says otherwise,
///   NULLs that hide a default count with [`JET_bitRetrieveNull`].
/// * [`JET_bitRetrieveFromIndex`] reads the current index entry,
///   [`JET_bitRetrieveFromPrimaryBookmark`] its bookmark. Text and keys of full length do not tell
///   the value: it is read in the row.
///
/// # Errors
/// The cursor's; `JET_errInvalidGrbit` (-900), `JET_errBadColumnId` (-1517),
/// `JET_errColumnNotFound` (-1507), also for a column that the index does not have;
/// `JET_errIndexTuplesCannotRetrieveFromIndex` (-1436) for the first column of a tuple index
/// without [`JET_bitRetrieveTuple`]; `JET_errBadItagSequence` (-1518) for value 0;
/// `JET_errNoCurrentRecord` (-1603), `JET_errRecordDeleted` (-1017).
pub fn JetRetrieveColumn(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    columnid: JET_COLUMNID,
    grbit: JET_GRBIT,
    pretinfo: Option<&mut JET_RETINFO>,
) -> Result<Option<Vec<u8>>> {
    let info = pretinfo.as_deref().copied().unwrap_or_default();
    let wanted = Wanted { columnid, grbit, offset: info.ibLongValue, itag: info.itagSequence };
    let found = with_cursor_in_callback(sesid, tableid, |state, cursor| {
        cursor.retrieve(state, wanted, false)
    })?;
    if let Some(info) = pretinfo {
        info.columnidNextTagged = found.columnid;
        if wanted.has(JET_bitRetrieveTag) && wanted.part().is_some() {
            info.itagSequence = found.itag;
        }
    }
    Ok(found.data)
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
            let (columnid, grbit) = (element.columnid, element.grbit);
            let (offset, itag) = (element.ibLongValue, element.itagSequence);
            let wanted = Wanted { columnid, grbit, offset, itag };
            let found = cursor.retrieve(state, wanted, true)?;
            element.columnidNextTagged = found.columnid;
            if itag == 0 || wanted.part().is_some() {
                element.itagSequence = found.itag;
            }
            (element.data, element.err) = (found.data, found.err);
        }
        Ok(())
    })
}
