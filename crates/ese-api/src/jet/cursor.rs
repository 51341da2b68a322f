//! Moving, keys, seeking and ranges (api-semantics 6, 7).

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    cursor::{KeyOptions, Limit, RangeOptions, Seek},
    schema::Column,
};

use super::{
    JET_GRBIT, JET_MoveFirst, JET_MoveLast, JET_bitCheckUniqueness, JET_bitFullColumnEndLimit,
    JET_bitFullColumnStartLimit, JET_bitKeyDataZeroLength, JET_bitMoveKeyNE, JET_bitNewKey,
    JET_bitNormalizedKey, JET_bitPartialColumnEndLimit, JET_bitPartialColumnStartLimit,
    JET_bitRangeInclusive, JET_bitRangeInstantDuration, JET_bitRangeRemove, JET_bitRangeUpperLimit,
    JET_bitRetrieveCopy, JET_bitSeekEQ, JET_bitSeekGE, JET_bitSeekGT, JET_bitSeekLE, JET_bitSeekLT,
    JET_bitSetIndexRange, JET_bitStrLimit, JET_bitSubStrLimit,
    handles::{JET_SESID, JET_TABLEID},
    invalid_grbit,
    table::{with_cursor, with_cursor_in_callback},
};

/// Moves a cursor: to an end, by a number of rows, or nowhere, which says whether its row exists.
/// With [`JET_bitMoveKeyNE`] rows with the key of the one before do not count.
///
/// # Errors
/// The cursor's; `JET_errNoCurrentRecord` (-1603) when there is no such row: the cursor then stands
/// behind the last row or before the first; `JET_errRecordDeleted` (-1017);
/// `JET_errFilteredMoveNotSupported` (-1124) nowhere with filters.
pub fn JetMove(sesid: JET_SESID, tableid: JET_TABLEID, cRow: i32, grbit: JET_GRBIT) -> Result<()> {
    with_cursor(sesid, tableid, |state, cursor| {
        let distinct = grbit & JET_bitMoveKeyNE != 0;
        if let Some(temp) = cursor.temp() {
            return match cRow {
                JET_MoveFirst => temp.first(&state.engine),
                JET_MoveLast => temp.last(&state.engine),
                rows => temp.move_by(&state.engine, rows, distinct),
            };
        }
        let open = cursor.open(state)?;
        match cRow {
            JET_MoveFirst => open.first(&state.engine),
            JET_MoveLast => open.last(&state.engine),
            rows => open.move_by(&state.engine, rows, distinct),
        }
    })
}

/// Adds a segment to the search key of a cursor. `None` is NULL; so are no bytes, without
/// [`JET_bitKeyDataZeroLength`].
///
/// # Errors
/// The cursor's; `JET_errNoCurrentIndex` (-1519) for a table without primary index (but a
/// normalised key), `JET_errInvalidGrbit` (-900) for limits that contradict each other or that the
/// column cannot have, `JET_errKeyNotMade` (-1608) without a first segment, `JET_errKeyIsMade`
/// (-1516) behind the last, `JET_errInvalidBufferSize` (-1047), `JET_errIndexTuplesKeyTooSmall`
/// (-1437) for less than the shortest piece of a tuple index, `JET_errInvalidParameter` (-1003) for
/// a normalised key that is too long.
pub fn JetMakeKey(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    pvData: Option<&[u8]>,
    grbit: JET_GRBIT,
) -> Result<()> {
    with_cursor(sesid, tableid, |state, cursor| {
        let new_key = grbit & JET_bitNewKey != 0;
        let empty_value = grbit & JET_bitKeyDataZeroLength != 0;
        if let Some(temp) = cursor.temp() {
            if grbit & JET_bitNormalizedKey != 0 {
                return temp.set_key(pvData.unwrap_or_default());
            }
            let limit = key_limit(grbit, temp.next_key_column(new_key)?)?;
            return temp.make_key(pvData, KeyOptions { new_key, empty_value, limit });
        }
        let open = cursor.open(state)?;
        if grbit & JET_bitNormalizedKey != 0 {
            return open.set_key(pvData.unwrap_or_default());
        }
        let limit = key_limit(grbit, open.next_key_column(new_key)?)?;
        open.make_key(pvData, KeyOptions { new_key, empty_value, limit })
    })
}

/// The limit that flags name. The two older ones let the type of the column decide which is meant:
/// of binary values that have beginnings it is the beginning.
fn key_limit(grbit: JET_GRBIT, column: Option<&Column>) -> Result<Option<Limit>> {
    let is_text = column.is_some_and(|column| column.ty.is_text());
    let has_beginnings = column.is_some_and(Column::has_beginnings);
    let has = |flag| grbit & flag != 0;
    let new = grbit
        & (JET_bitFullColumnStartLimit
            | JET_bitFullColumnEndLimit
            | JET_bitPartialColumnStartLimit
            | JET_bitPartialColumnEndLimit);
    if new != 0 && has(JET_bitStrLimit | JET_bitSubStrLimit) {
        return Err(invalid_grbit("JetMakeKey", grbit));
    }
    Ok(match new {
        0 if has(JET_bitSubStrLimit) && is_text => Some(Limit::PartialEnd),
        0 if has(JET_bitStrLimit) && has_beginnings && !is_text => Some(Limit::PartialEnd),
        0 if has(JET_bitStrLimit) => Some(Limit::FullEnd),
        0 => None,
        JET_bitFullColumnStartLimit => Some(Limit::FullStart),
        JET_bitFullColumnEndLimit => Some(Limit::FullEnd),
        JET_bitPartialColumnStartLimit => Some(Limit::PartialStart),
        JET_bitPartialColumnEndLimit => Some(Limit::PartialEnd),
        _ => return Err(invalid_grbit("JetMakeKey", grbit)),
    })
}

/// Moves a cursor to the row that the search key and one direction name; the key is used up.
/// `JET_wrnSeekNotEqual` (1039): it is a neighbour; `JET_wrnUniqueKey` (345): nobody else has the
/// key. With [`JET_bitSetIndexRange`] moves forward end with the rows of the key.
///
/// # Errors
/// The cursor's; `JET_errInvalidParameter` (-1003) unless one direction is given,
/// `JET_errKeyNotMade` (-1608), `JET_errRecordNotFound` (-1601): the cursor then stands where the
/// row would be.
pub fn JetSeek(sesid: JET_SESID, tableid: JET_TABLEID, grbit: JET_GRBIT) -> Result<JetErr> {
    let directions = JET_bitSeekEQ | JET_bitSeekLT | JET_bitSeekLE | JET_bitSeekGE | JET_bitSeekGT;
    with_cursor(sesid, tableid, |state, cursor| {
        let relation = match grbit & directions {
            JET_bitSeekEQ => Seek::Equal,
            JET_bitSeekLT => Seek::Less,
            JET_bitSeekLE => Seek::LessOrEqual,
            JET_bitSeekGE => Seek::GreaterOrEqual,
            JET_bitSeekGT => Seek::Greater,
            _ => {
                let what = format!("JetSeek needs one direction, flags are {grbit:#x}");
                return Err(Error::new(JetErr::InvalidParameter, what));
            }
        };
        let (alone, range) =
            (grbit & JET_bitCheckUniqueness != 0, grbit & JET_bitSetIndexRange != 0);
        let sought = match cursor.temp() {
            Some(temp) => temp.seek(&state.engine, relation, alone, range)?,
            None => cursor.open(state)?.seek(&state.engine, relation, alone, range)?,
        };
        Ok(match relation {
            Seek::Equal if sought.alone => JetErr::WrnUniqueKey,
            Seek::GreaterOrEqual | Seek::LessOrEqual if !sought.exact => JetErr::WrnSeekNotEqual,
            _ => JetErr::Success,
        })
    })
}

/// Limits moves in one direction by the search key, which is used up; or looks only whether the
/// current row is inside; or removes the limit.
///
/// # Errors
/// The cursor's; `JET_errInvalidGrbit` (-900), `JET_errInvalidOperation` (-1906) where there is no
/// limit to remove, `JET_errNoCurrentIndex` (-1519) for a table without primary index,
/// `JET_errKeyNotMade` (-1608), `JET_errNoCurrentRecord` (-1603): the current row lies outside;
/// there is no limit then, and the cursor stands behind it.
pub fn JetSetIndexRange(sesid: JET_SESID, tableid: JET_TABLEID, grbit: JET_GRBIT) -> Result<()> {
    let known = JET_bitRangeInclusive | JET_bitRangeUpperLimit | JET_bitRangeInstantDuration;
    with_cursor(sesid, tableid, |state, cursor| {
        if grbit & JET_bitRangeRemove != 0 {
            // All other flags are ignored.
            return match cursor.temp() {
                Some(temp) => temp.remove_range(),
                None => cursor.open(state)?.remove_range(),
            };
        }
        if grbit & !known != 0 {
            return Err(invalid_grbit("JetSetIndexRange", grbit));
        }
        let options = RangeOptions {
            inclusive: grbit & JET_bitRangeInclusive != 0,
            upper: grbit & JET_bitRangeUpperLimit != 0,
            instant: grbit & JET_bitRangeInstantDuration != 0,
        };
        match cursor.temp() {
            Some(temp) => temp.set_range(&state.engine, options),
            None => cursor.open(state)?.set_range(&state.engine, options),
        }
    })
}

/// The key of the current entry, or with [`JET_bitRetrieveCopy`] the search key.
///
/// # Errors
/// The cursor's; `JET_errNoCurrentRecord` (-1603), `JET_errRecordDeleted` (-1017),
/// `JET_errKeyNotMade` (-1608).
pub fn JetRetrieveKey(sesid: JET_SESID, tableid: JET_TABLEID, grbit: JET_GRBIT) -> Result<Vec<u8>> {
    with_cursor_in_callback(sesid, tableid, |state, cursor| {
        if let Some(temp) = cursor.temp() {
            let key = match grbit & JET_bitRetrieveCopy {
                0 => temp.current_key(&state.engine),
                _ => temp.search_key(),
            };
            return key.map(<[u8]>::to_vec);
        }
        let open = cursor.open(state)?;
        let key = if grbit & JET_bitRetrieveCopy != 0 {
            open.search_key()
        } else {
            open.current_key(&state.engine)
        };
        key.map(<[u8]>::to_vec)
    })
}
