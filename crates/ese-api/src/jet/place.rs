//! Bookmarks, and the index by whose order a cursor goes (api-semantics 6.8 to 6.11).

use ese_base::{Error, JetErr, ObjId, Result};
use ese_engine::{
    cursor::{MoveOnSwitch, SecondaryBookmark},
    schema::check_name,
};

use super::{
    JET_GRBIT, JET_bitBookmarkPermitVirtualCurrency, JET_bitMoveBeforeFirst, JET_bitNoMove,
    handles::{JET_SESID, JET_TABLEID},
    invalid_grbit,
    table::{with_cursor, with_cursor_in_callback},
};

/// Names an index without its name, as long as it exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JET_INDEXID(pub(super) ObjId);

impl JET_INDEXID {
    /// The id as a number, for callers that keep it as one.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0.0
    }

    /// The id with this number. It need not be one of an index; that is checked where it is used.
    #[must_use]
    pub fn from_number(number: u32) -> JET_INDEXID {
        JET_INDEXID(ObjId(number))
    }
}

/// The bookmark of the current row: its key in the table's own order, comparable as bytes.
///
/// # Errors
/// The cursor's; `JET_errNoCurrentRecord` (-1603).
pub fn JetGetBookmark(sesid: JET_SESID, tableid: JET_TABLEID) -> Result<Vec<u8>> {
    with_cursor_in_callback(sesid, tableid, |state, cursor| match cursor.temp() {
        Some(temp) => temp.bookmark(&state.engine),
        None => cursor.open(state)?.bookmark(&state.engine).map(<[u8]>::to_vec),
    })
}

/// Moves a cursor to the row with a bookmark; in a secondary index to the row's first entry.
///
/// # Errors
/// The cursor's; `JET_errInvalidBookmark` (-1045) for no bytes, `JET_errRecordDeleted` (-1017),
/// `JET_errNoCurrentRecord` (-1603) where the row has no entry in the current index.
pub fn JetGotoBookmark(sesid: JET_SESID, tableid: JET_TABLEID, pvBookmark: &[u8]) -> Result<()> {
    with_cursor(sesid, tableid, |state, cursor| match cursor.temp() {
        Some(temp) => temp.go_to(&state.engine, pvBookmark),
        None => cursor.open(state)?.go_to(&state.engine, pvBookmark),
    })
}

/// Key and primary bookmark of the current entry of a secondary index.
///
/// # Errors
/// The cursor's; `JET_errNoCurrentIndex` (-1519) in the table's own order,
/// `JET_errNoCurrentRecord` (-1603).
pub fn JetGetSecondaryIndexBookmark(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    _grbit: JET_GRBIT,
) -> Result<(Vec<u8>, Vec<u8>)> {
    with_cursor_in_callback(sesid, tableid, |state, cursor| {
        let SecondaryBookmark { key, primary } =
            cursor.open(state)?.secondary_bookmark(&state.engine)?;
        Ok((key, primary))
    })
}

/// Moves a cursor to an entry of the current secondary index. With
/// [`JET_bitBookmarkPermitVirtualCurrency`] it stands where a missing entry would be.
///
/// # Errors
/// The cursor's; `JET_errNoCurrentIndex` (-1519),
/// `JET_errInvalidBookmark` (-1045), `JET_errRecordDeleted` (-1017) for a missing entry, and for
/// one that belongs to another row, on which the cursor then stands.
pub fn JetGotoSecondaryIndexBookmark(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    pvSecondaryKey: &[u8],
    pvPrimaryBookmark: &[u8],
    grbit: JET_GRBIT,
) -> Result<()> {
    with_cursor(sesid, tableid, |state, cursor| {
        let bookmark =
            SecondaryBookmark { key: pvSecondaryKey.to_vec(), primary: pvPrimaryBookmark.to_vec() };
        let between = grbit & JET_bitBookmarkPermitVirtualCurrency != 0;
        cursor.open(state)?.go_to_secondary(&state.engine, &bookmark, between)
    })
}

/// Goes by the order of an index, from its first entry on; `None` and "" are the table's own.
///
/// # Errors
/// The cursor's; `JET_errIndexNotFound` (-1404), `JET_errFilteredMoveNotSupported` (-1124).
pub fn JetSetCurrentIndex(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    szIndexName: Option<&str>,
) -> Result<()> {
    JetSetCurrentIndex4(sesid, tableid, szIndexName, None, 0, 1)
}

/// As [`JetSetCurrentIndex`]; with [`JET_bitNoMove`] it stays on its row.
///
/// # Errors
/// As [`JetSetCurrentIndex4`].
pub fn JetSetCurrentIndex2(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    szIndexName: Option<&str>,
    grbit: JET_GRBIT,
) -> Result<()> {
    JetSetCurrentIndex4(sesid, tableid, szIndexName, None, grbit, 1)
}

/// As [`JetSetCurrentIndex2`]; on the entry of the row's value with this number, from 1.
///
/// # Errors
/// As [`JetSetCurrentIndex4`].
pub fn JetSetCurrentIndex3(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    szIndexName: Option<&str>,
    grbit: JET_GRBIT,
    itagSequence: u32,
) -> Result<()> {
    JetSetCurrentIndex4(sesid, tableid, szIndexName, None, grbit, itagSequence)
}

/// As [`JetSetCurrentIndex3`]; an index id goes before the name.
///
/// # Errors
/// The cursor's; `JET_errInvalidGrbit` (-900), `JET_errInvalidIndexId` (-1416) for an index that is
/// no more, `JET_errInvalidName` (-1002), `JET_errIndexNotFound` (-1404),
/// `JET_errFilteredMoveNotSupported` (-1124); with [`JET_bitNoMove`] `JET_errNoCurrentRecord`
/// (-1603) where there is no current row or the row has no entry in that index,
/// `JET_errRecordDeleted` (-1017), `JET_errBadItagSequence` (-1518).
pub fn JetSetCurrentIndex4(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    szIndexName: Option<&str>,
    pindexid: Option<&JET_INDEXID>,
    grbit: JET_GRBIT,
    itagSequence: u32,
) -> Result<()> {
    with_cursor(sesid, tableid, |state, cursor| {
        let then = match grbit {
            0 => MoveOnSwitch::First,
            JET_bitMoveBeforeFirst => MoveOnSwitch::BeforeFirst,
            JET_bitNoMove => MoveOnSwitch::Stay(itagSequence),
            other => return Err(invalid_grbit("JetSetCurrentIndex", other)),
        };
        let open = cursor.open(state)?;
        let table = std::sync::Arc::clone(open.table());
        let name = match pindexid {
            None => {
                szIndexName.filter(|name| !name.is_empty()).map_or(Ok(()), check_name)?;
                szIndexName
            }
            Some(JET_INDEXID(objid)) => {
                let index = table.schema.indexes.iter().find(|index| index.objid == *objid);
                let index = index.ok_or_else(|| {
                    let what = "the table has no index with this id";
                    Error::new(JetErr::InvalidIndexId, what)
                })?;
                Some(index.name.as_str())
            }
        };
        open.set_index(&state.engine, name, then)
    })
}

/// The name of the current index; empty for the order of a table without primary index.
///
/// # Errors
/// The cursor's.
pub fn JetGetCurrentIndex(sesid: JET_SESID, tableid: JET_TABLEID) -> Result<String> {
    with_cursor_in_callback(sesid, tableid, |state, cursor| {
        Ok(cursor.open(state)?.current_index().to_owned())
    })
}
