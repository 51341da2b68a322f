//! Moving, seeking, keys and bookmarks (api-semantics 6, 7).

use std::{ops::ControlFlow, sync::Arc};

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    key::{KeyRules, normalise},
    table::Table,
    tree::{Direction, Start},
};

use super::{
    JET_GRBIT, JET_MoveFirst, JET_MoveLast, JET_bitCheckUniqueness, JET_bitFullColumnEndLimit,
    JET_bitFullColumnStartLimit, JET_bitKeyDataZeroLength, JET_bitMoveKeyNE, JET_bitNewKey,
    JET_bitNormalizedKey, JET_bitRetrieveCopy, JET_bitSeekEQ, JET_bitSeekGE, JET_bitSeekGT,
    JET_bitSeekLE, JET_bitSeekLT,
    handles::{JET_SESID, JET_TABLEID},
    invalid_grbit,
    table::{Cursor, Place, SearchKey, with_cursor},
    unavailable,
};
use crate::session::SessionState;

#[track_caller]
pub(super) fn no_current_record() -> Error {
    Error::new(JetErr::NoCurrentRecord, "the cursor is on no row")
}

#[track_caller]
pub(super) fn record_deleted() -> Error {
    Error::new(JetErr::RecordDeleted, "the row was deleted")
}

impl Cursor {
    /// The key of the current row, which need not exist any more.
    ///
    /// # Errors
    /// `JET_errNoCurrentRecord` (-1603).
    pub(super) fn current_key(&mut self, state: &mut SessionState) -> Result<Vec<u8>> {
        self.resolve_first(state)?;
        match &self.place {
            Place::Row(key) => Ok(key.clone()),
            _ => Err(no_current_record()),
        }
    }

    /// Finds the first row for a cursor that was just opened. It stays undecided on an empty table.
    fn resolve_first(&mut self, state: &mut SessionState) -> Result<()> {
        if self.place == Place::First {
            let table = self.table(state)?;
            if let Some(key) = self.step(state, &table, Start::End, Direction::Forward, 1)? {
                self.place = Place::Row(key);
            }
        }
        Ok(())
    }

    /// The key of the `count`th visible row from `start` on.
    fn step(
        &mut self,
        state: &mut SessionState,
        table: &Table,
        start: Start<'_>,
        to: Direction,
        count: u32,
    ) -> Result<Option<Vec<u8>>> {
        let (mut left, mut key) = (count, Vec::new());
        let found = table.scan(&state.engine, start, to, &mut self.position, |row| {
            left -= 1;
            if left > 0 {
                return ControlFlow::Continue(());
            }
            row.append_key(&mut key);
            ControlFlow::Break(())
        })?;
        Ok(found.then_some(key))
    }

    fn go(
        &mut self,
        state: &mut SessionState,
        start: Start<'_>,
        to: Direction,
        count: u32,
    ) -> Result<()> {
        let table = self.table(state)?;
        match self.step(state, &table, start, to, count)? {
            Some(key) => {
                self.place = Place::Row(key);
                Ok(())
            }
            None => {
                self.place = match to {
                    Direction::Forward => Place::After,
                    Direction::Backward => Place::Before,
                };
                Err(no_current_record())
            }
        }
    }

    /// Is the current row there?
    fn verify(&mut self, state: &mut SessionState) -> Result<()> {
        let key = self.current_key(state)?;
        let table = self.table(state)?;
        table.get(&state.engine, &key, |_| ())?.ok_or_else(record_deleted)
    }

    fn move_by(&mut self, state: &mut SessionState, rows: i32) -> Result<()> {
        self.resolve_first(state)?;
        let to = if rows > 0 { Direction::Forward } else { Direction::Backward };
        let count = rows.unsigned_abs();
        let place = self.place.clone();
        match (&place, to) {
            // The table was empty when somebody looked.
            (Place::First, _) => Err(no_current_record()),
            (Place::Before, Direction::Backward) | (Place::After, Direction::Forward) => {
                Err(no_current_record())
            }
            (Place::Before | Place::After, _) => self.go(state, Start::End, to, count),
            (Place::Row(key) | Place::Gap(key), _) => {
                self.go(state, Start::Beyond { key, data: &[] }, to, count)
            }
        }
    }
}

/// Moves a cursor: to an end, by a number of rows, or nowhere, which says whether its row exists.
///
/// # Errors
/// The cursor's; `JET_errNoCurrentRecord` (-1603) when there is no such row: the cursor then stands
/// behind the last row or before the first; `JET_errRecordDeleted` (-1017).
pub fn JetMove(sesid: JET_SESID, tableid: JET_TABLEID, cRow: i32, grbit: JET_GRBIT) -> Result<()> {
    with_cursor(sesid, tableid, |state, cursor| {
        // Keys are distinct here, so every row has another key than the one before.
        if grbit & !JET_bitMoveKeyNE != 0 {
            return Err(invalid_grbit("JetMove", grbit));
        }
        cursor.update = None;
        match cRow {
            JET_MoveFirst => cursor.go(state, Start::End, Direction::Forward, 1),
            JET_MoveLast => cursor.go(state, Start::End, Direction::Backward, 1),
            0 => cursor.verify(state),
            rows => cursor.move_by(state, rows),
        }
    })
}

/// Adds a segment to the search key of a cursor. `None` is NULL; so are no bytes, without
/// [`JET_bitKeyDataZeroLength`].
///
/// # Errors
/// The cursor's; `JET_errNoCurrentIndex` (-1519) for a table without primary index (but a
/// normalised key), `JET_errKeyNotMade` (-1608) without a first segment, `JET_errKeyIsMade` (-1516)
/// behind the last, `JET_errInvalidGrbit` (-900), `JET_errInvalidBufferSize` (-1047),
/// `JET_errInvalidParameter` (-1003) for a normalised key that is too long.
pub fn JetMakeKey(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    pvData: Option<&[u8]>,
    grbit: JET_GRBIT,
) -> Result<()> {
    with_cursor(sesid, tableid, |state, cursor| {
        let table = cursor.table(state)?;
        if grbit & JET_bitNormalizedKey != 0 {
            let bytes = pvData.unwrap_or_default();
            let most = table.schema.key_len_max() + 1;
            if bytes.len() > most {
                let what = format!("a key of {} bytes, at most {most} are legal", bytes.len());
                return Err(Error::new(JetErr::InvalidParameter, what));
            }
            cursor.search = SearchKey { bytes: bytes.to_vec(), segments: Some(0), complete: true };
            return Ok(());
        }
        make_segment(&table, &mut cursor.search, pvData, grbit)
    })
}

fn make_segment(
    table: &Table,
    search: &mut SearchKey,
    data: Option<&[u8]>,
    grbit: JET_GRBIT,
) -> Result<()> {
    let limits = JET_bitFullColumnStartLimit | JET_bitFullColumnEndLimit;
    let known = JET_bitNewKey | JET_bitKeyDataZeroLength | limits;
    if grbit & !known != 0 {
        return Err(unavailable(&format!("flag {:#x} of JetMakeKey", grbit & !known)));
    }
    if grbit & limits == limits {
        return Err(invalid_grbit("JetMakeKey", grbit));
    }
    let index = table.schema.primary().ok_or_else(|| {
        Error::new(JetErr::NoCurrentIndex, "the table has no primary index")
            .advise("pass the normalised key, as JetGetBookmark gives it")
    })?;
    if grbit & JET_bitNewKey != 0 {
        *search = SearchKey { segments: Some(0), ..SearchKey::default() };
    }
    let Some(at) = search.segments else {
        let what = "the first segment of a key needs JET_bitNewKey";
        return Err(Error::new(JetErr::KeyNotMade, what));
    };
    let segment = index.segments.get(at).filter(|_| !search.complete);
    let segment =
        segment.ok_or_else(|| Error::new(JetErr::KeyIsMade, "the key has all its segments"))?;
    let column = table.schema.columns.require(segment.column)?;
    let value = data.filter(|bytes| !bytes.is_empty() || grbit & JET_bitKeyDataZeroLength != 0);
    normalise(&KeyRules::of(index), column, segment.descending, value, &mut search.bytes)?;
    search.segments = Some(at + 1);
    search.complete = grbit & limits != 0;
    if grbit & JET_bitFullColumnEndLimit != 0 {
        // Behind every key that begins so.
        search.bytes.push(0xff);
    }
    Ok(())
}

/// Moves a cursor to the row that the search key and one direction name; the key is used up.
/// `JET_wrnSeekNotEqual` (1039): it is a neighbour; `JET_wrnUniqueKey` (345): nobody else has the
/// key.
///
/// # Errors
/// The cursor's; `JET_errInvalidParameter` (-1003) unless one direction is given,
/// `JET_errKeyNotMade` (-1608), `JET_errRecordNotFound` (-1601): the cursor then stands where the
/// row would be.
pub fn JetSeek(sesid: JET_SESID, tableid: JET_TABLEID, grbit: JET_GRBIT) -> Result<JetErr> {
    let directions = JET_bitSeekEQ | JET_bitSeekLT | JET_bitSeekLE | JET_bitSeekGE | JET_bitSeekGT;
    with_cursor(sesid, tableid, |state, cursor| {
        if (grbit & directions).count_ones() != 1 {
            let what = format!("JetSeek needs one direction, flags are {grbit:#x}");
            return Err(Error::new(JetErr::InvalidParameter, what));
        }
        if grbit & !(directions | JET_bitCheckUniqueness) != 0 {
            return Err(unavailable("a flag of JetSeek"));
        }
        if cursor.search.segments.is_none() {
            return Err(Error::new(JetErr::KeyNotMade, "no key was made with JetMakeKey"));
        }
        let key = std::mem::take(&mut cursor.search).bytes;
        cursor.update = None;
        let table = cursor.table(state)?;
        let sought = seek(state, cursor, &table, &key, grbit & directions);
        if grbit & JET_bitCheckUniqueness != 0 && grbit & JET_bitSeekEQ != 0 {
            return sought.map(|_| JetErr::WrnUniqueKey);
        }
        sought
    })
}

fn seek(
    state: &mut SessionState,
    cursor: &mut Cursor,
    table: &Arc<Table>,
    key: &[u8],
    direction: JET_GRBIT,
) -> Result<JetErr> {
    let (at, beyond) = (Start::At { key, data: &[] }, Start::Beyond { key, data: &[] });
    let (start, to) = match direction {
        JET_bitSeekGT => (beyond, Direction::Forward),
        JET_bitSeekLT => (beyond, Direction::Backward),
        JET_bitSeekLE => (at, Direction::Backward),
        _ => (at, Direction::Forward),
    };
    let found = match cursor.step(state, table, start, to, 1) {
        Ok(found) => found,
        Err(error) => {
            cursor.place = Place::Before;
            return Err(error);
        }
    };
    let equal = found.as_deref() == Some(key);
    match (found, direction) {
        (Some(found), JET_bitSeekEQ) if equal => {
            cursor.place = Place::Row(found);
            Ok(JetErr::Success)
        }
        (_, JET_bitSeekEQ) => {
            cursor.place = Place::Gap(key.to_vec());
            Err(not_found())
        }
        (Some(found), JET_bitSeekGT | JET_bitSeekLT) => {
            cursor.place = Place::Row(found);
            Ok(JetErr::Success)
        }
        (Some(found), _) => {
            cursor.place = Place::Row(found);
            Ok(if equal { JetErr::Success } else { JetErr::WrnSeekNotEqual })
        }
        (None, _) => {
            cursor.place = match to {
                Direction::Forward => Place::After,
                Direction::Backward => Place::Before,
            };
            Err(not_found())
        }
    }
}

#[track_caller]
fn not_found() -> Error {
    Error::new(JetErr::RecordNotFound, "no row has such a key")
}

/// The bookmark of the current row: its key in the table's own order, comparable as bytes.
///
/// # Errors
/// The cursor's; `JET_errNoCurrentRecord` (-1603).
pub fn JetGetBookmark(sesid: JET_SESID, tableid: JET_TABLEID) -> Result<Vec<u8>> {
    with_cursor(sesid, tableid, |state, cursor| cursor.current_key(state))
}

/// Moves a cursor to the row with a bookmark.
///
/// # Errors
/// The cursor's; `JET_errInvalidBookmark` (-1045) for no bytes, `JET_errRecordDeleted` (-1017).
pub fn JetGotoBookmark(sesid: JET_SESID, tableid: JET_TABLEID, pvBookmark: &[u8]) -> Result<()> {
    with_cursor(sesid, tableid, |state, cursor| {
        if pvBookmark.is_empty() {
            return Err(Error::new(JetErr::InvalidBookmark, "the bookmark is empty"));
        }
        cursor.search = SearchKey::default();
        cursor.update = None;
        let table = cursor.table(state)?;
        if table.get(&state.engine, pvBookmark, |_| ())?.is_none() {
            return Err(record_deleted());
        }
        cursor.place = Place::Row(pvBookmark.to_vec());
        Ok(())
    })
}

/// The key of the current row, or with [`JET_bitRetrieveCopy`] the search key.
///
/// # Errors
/// The cursor's; `JET_errNoCurrentRecord` (-1603), `JET_errKeyNotMade` (-1608).
pub fn JetRetrieveKey(sesid: JET_SESID, tableid: JET_TABLEID, grbit: JET_GRBIT) -> Result<Vec<u8>> {
    with_cursor(sesid, tableid, |state, cursor| {
        if grbit & !JET_bitRetrieveCopy != 0 {
            return Err(invalid_grbit("JetRetrieveKey", grbit));
        }
        if grbit & JET_bitRetrieveCopy == 0 {
            return cursor.current_key(state);
        }
        match cursor.search.segments {
            Some(_) => Ok(cursor.search.bytes.clone()),
            None => Err(Error::new(JetErr::KeyNotMade, "no key was made with JetMakeKey")),
        }
    })
}
