//! Reading columns (api-semantics 10).

use std::{borrow::Cow, sync::Arc};

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    cursor::EntryPart,
    key::Restored,
    record::{ColumnData, Instance, RecordView},
    schema::{Column, TableSchema},
};

use super::{
    INTERNAL, JET_COLUMNID, JET_GRBIT, JET_bitRetrieveCopy, JET_bitRetrieveFromIndex,
    JET_bitRetrieveFromPrimaryBookmark, JET_bitRetrieveIgnoreDefault, JET_bitRetrieveNull,
    JET_bitRetrieveTag, JET_bitRetrieveTuple,
    computed::Computed,
    handles::{JET_SESID, JET_TABLEID},
    invalid_grbit,
    session::Own,
    table::{Cursor, column_of, columnid_of, with_cursor_and_session},
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
    /// How many bytes are wanted at most.
    pub cbData: usize,
    /// What was read; `None` is NULL.
    pub data: Option<Vec<u8>>,
    /// `JET_errSuccess`, `JET_wrnColumnNull` (1004), of column 0 `JET_wrnColumnSetNull` (1068), or
    /// `JET_wrnBufferTruncated` (1006): there are more bytes.
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
            cbData: usize::MAX,
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
    /// Bytes, at most.
    most: usize,
    itag: usize,
}

impl Wanted {
    fn has(&self, flags: JET_GRBIT) -> bool {
        self.grbit & flags != 0
    }

    /// Which flags exclude each other.
    fn check(&self) -> Result<()> {
        let entry = self.has(JET_bitRetrieveFromIndex);
        if self.grbit & INTERNAL != 0
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

/// Where the bytes of a value go.
#[derive(Debug)]
enum Sink<'b> {
    /// Into memory of their own.
    Vec(Vec<u8>),
    /// Into a caller's, as many as fit; and how many there are.
    Room(&'b mut [u8], usize),
}

impl Sink<'_> {
    fn put(&mut self, bytes: &[u8]) {
        match self {
            Sink::Vec(to) => *to = bytes.to_vec(),
            Sink::Room(room, whole) => {
                *whole = bytes.len();
                room.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            }
        }
    }

    /// Puts a value from the wanted offset on. Of one outside of the record no more is read than
    /// is wanted.
    fn take(
        &mut self,
        record: &RecordView<'_>,
        column: &Column,
        instance: Instance<'_>,
        wanted: &Wanted,
    ) -> Result<()> {
        match self {
            Sink::Vec(to) => {
                let bytes = record.bytes_from(column, instance, wanted.offset, wanted.most)?;
                *to = Cow::into_owned(bytes);
            }
            Sink::Room(room, _) if matches!(instance, Instance::Separated(_)) => {
                let rest = record.len_of(column, instance)?.saturating_sub(wanted.offset);
                let most = room.len().min(rest);
                if most > 0 {
                    let bytes = record.bytes_from(column, instance, wanted.offset, most)?;
                    self.put(&bytes);
                }
                if let Sink::Room(_, whole) = self {
                    *whole = rest;
                }
            }
            Sink::Room(..) => {
                let most = usize::MAX;
                self.put(&record.bytes_from(column, instance, wanted.offset, most)?);
            }
        }
        Ok(())
    }

    /// Bytes of the value, whether or not they fit.
    fn whole(&self) -> usize {
        match self {
            Sink::Vec(bytes) => bytes.len(),
            Sink::Room(_, whole) => *whole,
        }
    }

    /// The bytes of a value that is there.
    fn into_vec(self, found: &Found) -> Option<Vec<u8>> {
        match self {
            Sink::Vec(bytes) if found.present => Some(bytes),
            _ => None,
        }
    }
}

/// What was found.
#[derive(Debug)]
struct Found {
    /// There is a value; the sink has it.
    present: bool,
    columnid: JET_COLUMNID,
    /// Number of the value, or of values where that was asked for.
    itag: usize,
    err: JetErr,
}

/// What a look at the row gives.
#[derive(Debug)]
enum Answer {
    Found(Found),
    /// A callback knows.
    Computed(Computed),
}

impl Found {
    /// A value that the sink has got.
    fn value(columnid: JET_COLUMNID, itag: usize) -> Found {
        Found { present: true, columnid, itag, err: JetErr::Success }
    }

    fn null(columnid: JET_COLUMNID, itag: usize) -> Found {
        Found { present: false, columnid, itag, err: JetErr::WrnColumnNull }
    }

    /// An answer about how many values there are.
    fn count(columnid: JET_COLUMNID, itag: usize) -> Found {
        Found { present: false, columnid, itag, err: JetErr::Success }
    }
}

impl Answer {
    /// The value, which a callback may have to compute.
    #[track_caller]
    fn found(self, sesid: JET_SESID, tableid: JET_TABLEID, sink: &mut Sink<'_>) -> Result<Found> {
        match self {
            Answer::Found(found) => Ok(found),
            Answer::Computed(computed) => {
                let columnid = computed.columnid();
                Ok(match computed.value(sesid, tableid)? {
                    Some(bytes) => {
                        sink.put(&bytes);
                        Found::value(columnid, 1)
                    }
                    None => Found::null(columnid, 1),
                })
            }
        }
    }
}

impl JET_RETRIEVECOLUMN {
    fn wanted(&self, grbit: JET_GRBIT) -> Wanted {
        let (columnid, offset, itag) = (self.columnid, self.ibLongValue, self.itagSequence);
        // One byte more tells whether there are more.
        Wanted { columnid, grbit, offset, most: self.cbData.saturating_add(1), itag }
    }

    fn answer(&mut self, found: Found, sink: Sink<'_>) {
        let entry = JET_bitRetrieveFromIndex | JET_bitRetrieveFromPrimaryBookmark;
        self.columnidNextTagged = found.columnid;
        if self.itagSequence == 0 || self.grbit & entry != 0 {
            self.itagSequence = found.itag;
        }
        (self.err, self.data) = (found.err, sink.into_vec(&found));
        if let Some(data) = self.data.as_mut().filter(|data| data.len() > self.cbData) {
            data.truncate(self.cbData);
            self.err = JetErr::WrnBufferTruncated;
        }
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
        if let Some(temp) = self.sort()? {
            let schema = Arc::clone(temp.schema());
            let look = |record: &[u8]| body(&schema, &RecordView::new(record, schema.page_size)?);
            return temp.read(&state.engine, look)?;
        }
        let open = self.open_or_tree(state)?;
        let table = Arc::clone(open.table());
        if grbit & JET_bitRetrieveCopy != 0
            && let Some(record) = open.prepared()
        {
            let view = record.view(&table.schema)?;
            return body(&table.schema, &view.with_long_values(&open.long_values(&state.engine)));
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
        sink: &mut Sink<'_>,
    ) -> Result<Answer> {
        wanted.check()?;
        let (schema, sort) = match self.sort()? {
            Some(temp) => (Arc::clone(temp.schema()), true),
            None => (Arc::clone(&self.open_or_tree(state)?.table().schema), false),
        };
        let Wanted { columnid, grbit, .. } = wanted;
        let found = |found| Ok(Answer::Found(found));
        // Keys of a sort are not taken apart: its rows are at hand.
        if let Some(part) = wanted.part().filter(|_| !sort) {
            let column = column_of(&schema, columnid)?;
            let with_itag = wanted.has(JET_bitRetrieveTag);
            let entry =
                self.open_or_tree(state)?.read_entry(&state.engine, column, part, with_itag)?;
            wanted.itag = entry.itag;
            match entry.value {
                Restored::Null => return found(Found::null(columnid, entry.itag)),
                Restored::Value(bytes) => {
                    let offset = if column.ty.is_long() { wanted.offset } else { 0 };
                    sink.put(bytes.get(offset..).unwrap_or_default());
                    return found(Found::value(columnid, entry.itag));
                }
                Restored::Unknown => {}
            }
        }
        if columnid == 0 {
            return self.look(state, grbit, |schema, record| {
                if wanted.itag == 0 && !count {
                    return Err(bad_itag());
                }
                nth_of_all(schema, record, &wanted, sink)
            });
        }
        column_of(&schema, columnid)?;
        if wanted.itag == 0 && !count {
            return Err(bad_itag());
        }
        self.look(state, grbit, |schema, record| {
            let column = column_of(schema, columnid)?;
            if wanted.itag == 0 {
                return found(Found::count(columnid, record.data(column)?.len()));
            }
            value_of(column, record, columnid, &wanted, sink)
        })
    }
}

/// The row that a callback which computes a default is told: it sees no other.
pub(super) fn image_of(own: &Own, tableid: JET_TABLEID) -> Option<bool> {
    let told = own.told.iter().rev().find(|told| told.cursor == tableid)?;
    told.image.map(|(_, copy)| copy)
}

/// Flags as they count in the callback that is running, if one is.
fn flags_in_callback(own: &Own, tableid: JET_TABLEID, grbit: JET_GRBIT) -> Result<JET_GRBIT> {
    let entry = JET_bitRetrieveFromIndex | JET_bitRetrieveFromPrimaryBookmark;
    match image_of(own, tableid) {
        None => Ok(grbit),
        Some(_) if grbit & entry != 0 => Err(invalid_grbit("JetRetrieveColumn", grbit)),
        Some(true) => Ok(grbit | JET_bitRetrieveCopy),
        Some(false) => Ok(grbit & !JET_bitRetrieveCopy),
    }
}

#[track_caller]
fn bad_itag() -> Error {
    Error::new(JetErr::BadItagSequence, "values are counted from 1")
        .advise("JetRetrieveColumns says how many there are")
}

fn value_of(
    column: &Column,
    record: &RecordView<'_>,
    columnid: JET_COLUMNID,
    wanted: &Wanted,
    sink: &mut Sink<'_>,
) -> Result<Answer> {
    let data = record.data(column)?;
    let null = Ok(Answer::Found(Found::null(columnid, wanted.itag)));
    if data.is_default() && (wanted.has(JET_bitRetrieveIgnoreDefault) || wanted.itag != 1) {
        return null;
    }
    if matches!(data, ColumnData::Computed) {
        let copy = wanted.has(JET_bitRetrieveCopy);
        return Ok(Answer::Computed(Computed::new(columnid, column, copy)));
    }
    let Some(instance) = data.nth(wanted.itag)? else { return null };
    sink.take(record, column, instance, wanted)?;
    Ok(Answer::Found(Found::value(columnid, wanted.itag)))
}

/// A value of all that the tagged columns of a row have, by its number; number 0 counts them.
fn nth_of_all(
    schema: &TableSchema,
    record: &RecordView<'_>,
    wanted: &Wanted,
    sink: &mut Sink<'_>,
) -> Result<Answer> {
    let mut before = 0;
    for column in schema.columns.iter().filter(|column| column.id.is_tagged()) {
        let data = record.data(column)?;
        let count = match data {
            // A row says NULL of a column to hide its default.
            ColumnData::Null => {
                usize::from(column.has_default() && wanted.has(JET_bitRetrieveNull))
            }
            _ if data.is_default() && wanted.has(JET_bitRetrieveIgnoreDefault) => 0,
            _ => data.len(),
        };
        if wanted.itag > before && wanted.itag <= before + count {
            let columnid = columnid_of(schema, column);
            if data.is_null() {
                let err = JetErr::WrnColumnSetNull;
                return Ok(Answer::Found(Found { err, ..Found::null(columnid, 1) }));
            }
            let itag = wanted.itag - before;
            return value_of(column, record, columnid, &Wanted { itag, ..*wanted }, sink);
        }
        before += count;
    }
    let none = if wanted.itag == 0 { Found::count(0, before) } else { Found::null(0, 0) };
    Ok(Answer::Found(none))
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
/// `JET_errNoCurrentRecord` (-1603), `JET_errRecordDeleted` (-1017); of a default that a callback
/// computes what that says, `JET_errCallbackFailed` (-2101), `JET_errCallbackNotResolved` (-2102).
#[track_caller]
pub fn JetRetrieveColumn(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    columnid: JET_COLUMNID,
    grbit: JET_GRBIT,
    pretinfo: Option<&mut JET_RETINFO>,
) -> Result<Option<Vec<u8>>> {
    let info = pretinfo.as_deref().copied().unwrap_or_default();
    let (offset, itag) = (info.ibLongValue, info.itagSequence);
    let wanted = Wanted { columnid, grbit, offset, most: usize::MAX, itag };
    let mut sink = Sink::Vec(Vec::new());
    let answer = with_cursor_and_session(sesid, tableid, |state, own, cursor| {
        let grbit = flags_in_callback(own, tableid, grbit)?;
        cursor.retrieve(state, Wanted { grbit, ..wanted }, false, &mut sink)
    })?;
    let found = answer.found(sesid, tableid, &mut sink)?;
    if let Some(info) = pretinfo {
        info.columnidNextTagged = found.columnid;
        if wanted.has(JET_bitRetrieveTag) && wanted.part().is_some() {
            info.itagSequence = found.itag;
        }
    }
    Ok(sink.into_vec(&found))
}

/// Reads several columns; each element has its own answer. `JET_wrnBufferTruncated` (1006): one of
/// them has more bytes than were wanted (api-semantics 10.8).
///
/// # Errors
/// The cursor's and the row's; a bad column id ends the call.
pub fn JetRetrieveColumns(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    pretrievecolumn: &mut [JET_RETRIEVECOLUMN],
) -> Result<JetErr> {
    let mut at = 0;
    loop {
        let computed = with_cursor_and_session(sesid, tableid, |state, own, cursor| {
            while let Some(element) = pretrievecolumn.get_mut(at) {
                let grbit = flags_in_callback(own, tableid, element.grbit)?;
                let mut sink = Sink::Vec(Vec::new());
                match cursor.retrieve(state, element.wanted(grbit), true, &mut sink)? {
                    Answer::Found(found) => element.answer(found, sink),
                    computed @ Answer::Computed(_) => return Ok(Some(computed)),
                }
                at += 1;
            }
            Ok(None)
        })?;
        // Callbacks are called with no lock held.
        let (Some(computed), Some(element)) = (computed, pretrievecolumn.get_mut(at)) else {
            let cut = |element: &JET_RETRIEVECOLUMN| element.err == JetErr::WrnBufferTruncated;
            let any = pretrievecolumn.iter().any(cut);
            return Ok(if any { JetErr::WrnBufferTruncated } else { JetErr::Success });
        };
        let mut sink = Sink::Vec(Vec::new());
        let found = computed.found(sesid, tableid, &mut sink)?;
        element.answer(found, sink);
        at += 1;
    }
}

/// One column of a [`retrieve_into`].
#[derive(Debug)]
pub struct JET_RETRIEVEINTO<'b> {
    /// The column.
    pub columnid: JET_COLUMNID,
    /// `JET_bitRetrieve...`.
    pub grbit: JET_GRBIT,
    /// Offset in bytes.
    pub ibLongValue: usize,
    /// As of [`JET_RETRIEVECOLUMN::itagSequence`].
    pub itagSequence: usize,
    /// As of [`JET_RETRIEVECOLUMN::columnidNextTagged`].
    pub columnidNextTagged: JET_COLUMNID,
    /// What fits of the value is put here.
    pub buffer: &'b mut [u8],
    /// Bytes of the value from the offset on, whether or not they fit.
    pub actual: usize,
    /// As of [`JET_RETRIEVECOLUMN::err`]; `None` where the call ended before it came here.
    pub err: Option<JetErr>,
}

impl JET_RETRIEVEINTO<'_> {
    fn wanted(&self, grbit: JET_GRBIT) -> Wanted {
        let (columnid, offset, itag) = (self.columnid, self.ibLongValue, self.itagSequence);
        Wanted { columnid, grbit, offset, most: usize::MAX, itag }
    }

    fn answer(&mut self, found: &Found, whole: usize, count: bool) {
        let entry = JET_bitRetrieveFromIndex | JET_bitRetrieveFromPrimaryBookmark;
        self.columnidNextTagged = found.columnid;
        let asked = match count {
            true => self.itagSequence == 0 || self.grbit & entry != 0,
            false => self.grbit & JET_bitRetrieveTag != 0 && self.grbit & entry != 0,
        };
        if asked {
            self.itagSequence = found.itag;
        }
        self.actual = if found.present { whole } else { 0 };
        self.err = Some(match found.err {
            JetErr::Success if self.actual > self.buffer.len() => JetErr::WrnBufferTruncated,
            other => other,
        });
    }
}

/// [`JetRetrieveColumns`] for callers with buffers: values are copied into them, and nothing else
/// is allocated. Of long values no more is read than fits. With `count`, value 0 asks how many
/// there are; without, as of [`JetRetrieveColumn`], it is none. Not a Jet function.
///
/// # Errors
/// As [`JetRetrieveColumn`]; elements before the one that fails have their answers.
pub fn retrieve_into(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    elements: &mut [JET_RETRIEVEINTO<'_>],
    count: bool,
) -> Result<()> {
    let mut at = 0;
    loop {
        let computed = with_cursor_and_session(sesid, tableid, |state, own, cursor| {
            while let Some(element) = elements.get_mut(at) {
                let grbit = flags_in_callback(own, tableid, element.grbit)?;
                let wanted = element.wanted(grbit);
                let mut sink = Sink::Room(&mut *element.buffer, 0);
                let answer = cursor.retrieve(state, wanted, count, &mut sink)?;
                let Answer::Found(found) = answer else { return Ok(Some(answer)) };
                let whole = sink.whole();
                element.answer(&found, whole, count);
                at += 1;
            }
            Ok(None)
        })?;
        // Callbacks are called with no lock held.
        let (Some(computed), Some(element)) = (computed, elements.get_mut(at)) else {
            return Ok(());
        };
        let mut sink = Sink::Room(&mut *element.buffer, 0);
        let found = computed.found(sesid, tableid, &mut sink)?;
        let whole = sink.whole();
        element.answer(&found, whole, count);
        at += 1;
    }
}
