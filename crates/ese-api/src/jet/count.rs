//! Counting, positions, filters, hints, and ranges that meet (api-semantics 6.12 to 6.14, 7.13 to
//! 7.15).

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    cursor::{Cursor as EngineCursor, Filter, KeyOptions, Limit, Relation, intersect},
    schema::ColumnId,
    tree::KeyRange,
};

use super::{
    JET_COLUMNID, JET_GRBIT, JET_bitPrereadBackward, JET_bitPrereadFirstPage,
    JET_bitPrereadForward, JET_bitPrereadNormalizedKey, JET_bitRecordInIndex, JET_bitZeroLength,
    JET_relopBitmaskEqualsZero, JET_relopBitmaskNotEqualsZero, JET_relopEquals,
    JET_relopGreaterThan, JET_relopGreaterThanOrEqual, JET_relopLessThan, JET_relopLessThanOrEqual,
    JET_relopNotEquals, JET_relopPrefixEquals,
    gate::Purpose,
    handles::{JET_SESID, JET_TABLEID},
    invalid_grbit,
    session::find_session,
    table::{column_of, with_cursor, with_cursor_in_callback, with_open_cursors},
};
use crate::session::SessionState;

/// Where an entry stands among all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JET_RECPOS {
    /// Entries before it.
    pub centriesLT: u64,
    /// Entries at it.
    pub centriesInRange: u64,
    /// All entries.
    pub centriesTotal: u64,
}

/// Estimates where the current entry stands in the current index.
///
/// # Errors
/// The cursor's; `JET_errNoCurrentRecord` (-1603).
pub fn JetGetRecordPosition(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    _grbit: JET_GRBIT,
) -> Result<JET_RECPOS> {
    with_cursor_in_callback(sesid, tableid, |state, cursor| {
        let place = cursor.open(state)?.record_position(&state.engine)?;
        Ok(JET_RECPOS {
            centriesLT: place.before,
            centriesInRange: place.same,
            centriesTotal: place.total,
        })
    })
}

/// Moves a cursor to about the entry that has such a part of all before it.
///
/// # Errors
/// The cursor's; `JET_errInvalidParameter` (-1003) for more before it than there are,
/// `JET_errFilteredMoveNotSupported` (-1124), `JET_errRecordNotFound` (-1601) in an empty index.
pub fn JetGotoPosition(sesid: JET_SESID, tableid: JET_TABLEID, precpos: &JET_RECPOS) -> Result<()> {
    with_cursor(sesid, tableid, |state, cursor| {
        let JET_RECPOS { centriesLT, centriesTotal, .. } = *precpos;
        cursor.open(state)?.go_to_position(&state.engine, centriesLT, centriesTotal)
    })
}

/// Counts entries from the current one to the end of the index or of the range, up to `crecMax`
/// (0 = no limit).
///
/// # Errors
/// The cursor's; `JET_errNoCurrentRecord` (-1603), `JET_errFilteredMoveNotSupported` (-1124),
/// `JET_errTooManyRecords` (-1094) for a number that does not fit.
pub fn JetIndexRecordCount(sesid: JET_SESID, tableid: JET_TABLEID, crecMax: u32) -> Result<u32> {
    let counted = JetIndexRecordCount2(sesid, tableid, u64::from(crecMax))?;
    u32::try_from(counted)
        .map_err(|_| Error::new(JetErr::TooManyRecords, format!("{counted} entries")))
}

/// As [`JetIndexRecordCount`], for any number.
///
/// # Errors
/// As there.
pub fn JetIndexRecordCount2(sesid: JET_SESID, tableid: JET_TABLEID, crecMax: u64) -> Result<u64> {
    with_cursor(sesid, tableid, |state, cursor| cursor.open(state)?.count(&state.engine, crecMax))
}

/// Says whether the session could change the current row.
///
/// # Errors
/// The cursor's; `JET_errNoCurrentRecord` (-1603), `JET_errRecordDeleted` (-1017),
/// `JET_errWriteConflict` (-1102) where another session has changed it and this one does not see
/// that.
pub fn JetGetCursorInfo(sesid: JET_SESID, tableid: JET_TABLEID) -> Result<()> {
    with_cursor_in_callback(sesid, tableid, |state, cursor| {
        cursor.open_or_tree(state)?.check_unchanged(&state.engine)
    })
}

/// A column with a value: a filter, or a part of a range.
#[derive(Clone, Debug, Default)]
pub struct JET_INDEX_COLUMN {
    /// The column.
    pub columnid: JET_COLUMNID,
    /// `JET_relop...`.
    pub relop: u32,
    /// In record encoding; no bytes are NULL, without [`JET_bitZeroLength`].
    pub pv: Vec<u8>,
    /// [`JET_bitZeroLength`].
    pub grbit: JET_GRBIT,
}

impl JET_INDEX_COLUMN {
    fn value(&self) -> Option<&[u8]> {
        let given = !self.pv.is_empty() || self.grbit & JET_bitZeroLength != 0;
        given.then_some(self.pv.as_slice())
    }
}

/// Leaves out rows that do not meet all conditions, in moves and seeks from now on. No conditions:
/// all rows again.
///
/// # Errors
/// The cursor's; `JET_errInvalidGrbit` (-900) for flags, `JET_errInvalidParameter` (-1003) for an
/// unknown relation, `JET_errColumnNotFound` (-1507), `JET_errBadColumnId` (-1517),
/// `JET_errFilteredMoveNotSupported` (-1124) in the order of a secondary index and for a relation
/// that a column cannot have,
/// `JET_errInvalidBufferSize` (-1047).
pub fn JetSetCursorFilter(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    rgColumnFilters: &[JET_INDEX_COLUMN],
    grbit: JET_GRBIT,
) -> Result<()> {
    with_cursor(sesid, tableid, |state, cursor| {
        if grbit != 0 {
            return Err(invalid_grbit("JetSetCursorFilter", grbit));
        }
        let table = cursor.table(state)?;
        let mut filters = Vec::with_capacity(rgColumnFilters.len());
        for filter in rgColumnFilters {
            if filter.grbit & !JET_bitZeroLength != 0 {
                return Err(invalid_grbit("JetSetCursorFilter", filter.grbit));
            }
            filters.push(Filter {
                column: column_of(&table.schema, filter.columnid)?.id,
                relation: relation(filter.relop)?,
                value: filter.value().map(<[u8]>::to_vec),
            });
        }
        cursor.open(state)?.set_filters(filters)
    })
}

fn relation(relop: u32) -> Result<Relation> {
    Ok(match relop {
        JET_relopEquals => Relation::Equal,
        JET_relopPrefixEquals => Relation::Prefix,
        JET_relopNotEquals => Relation::NotEqual,
        JET_relopLessThanOrEqual => Relation::LessOrEqual,
        JET_relopLessThan => Relation::Less,
        JET_relopGreaterThanOrEqual => Relation::GreaterOrEqual,
        JET_relopGreaterThan => Relation::Greater,
        JET_relopBitmaskEqualsZero => Relation::NoBitOf,
        JET_relopBitmaskNotEqualsZero => Relation::AnyBitOf,
        other => {
            return Err(Error::new(JetErr::InvalidParameter, format!("{other} is no relation")));
        }
    })
}

/// Has entries read ahead, as far as they lie on 128 leaves. Gives for how many of the keys that
/// is.
///
/// # Errors
/// The cursor's; `JET_errInvalidGrbit` (-900) unless one direction is named,
/// `JET_errInvalidBufferSize` (-1047) for a key that is too long, `JET_errInvalidParameter` (-1003)
/// for keys that are not in the order of the direction.
pub fn JetPrereadKeys(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    rgpvKeys: &[&[u8]],
    grbit: JET_GRBIT,
) -> Result<u32> {
    with_cursor(sesid, tableid, |state, cursor| {
        if grbit != JET_bitPrereadForward && grbit != JET_bitPrereadBackward {
            return Err(invalid_grbit("JetPrereadKeys", grbit));
        }
        let open = cursor.open(state)?;
        let most = open.key_len_max();
        if let Some(key) = rgpvKeys.iter().find(|key| key.len() > most) {
            let what = format!("a key of {} bytes", key.len());
            return Err(Error::new(JetErr::InvalidBufferSize, what));
        }
        let sorted = match grbit {
            JET_bitPrereadForward => rgpvKeys.is_sorted(),
            _ => rgpvKeys.is_sorted_by(|a, b| a >= b),
        };
        if !sorted {
            let what = "the keys are not in the order of the direction";
            return Err(Error::new(JetErr::InvalidParameter, what));
        }
        let ranges: Vec<KeyRange<'_>> = rgpvKeys.iter().map(|key| (*key, *key)).collect();
        Ok(number(open.read_ahead(&ranges)?))
    })
}

/// A range of an index: the values it begins and ends with.
#[derive(Clone, Debug, Default)]
pub struct JET_INDEX_RANGE {
    /// Of the first columns of the index.
    pub rgStartColumns: Vec<JET_INDEX_COLUMN>,
    /// Of the first columns of the index.
    pub rgEndColumns: Vec<JET_INDEX_COLUMN>,
}

/// Has the entries of ranges read ahead, as far as they lie on 128 leaves, and of the rows in these
/// ranges the long values of the columns that are named: up to 256 pages, 16 of each value, with
/// [`JET_bitPrereadFirstPage`] one.
///
/// Ranges are given in the order of the reading if `pcRangesPreread` is to be told how many were
/// read ahead, the last of them perhaps in part; otherwise in any order.
///
/// # Errors
/// The cursor's; `JET_errInvalidGrbit` (-900) unless one direction is named,
/// `JET_errInvalidParameter` (-1003) for no ranges, for one that begins behind its end, in the
/// direction that is named, for ranges that overlap or are out of order, or for relations other
/// than [`JET_relopEquals`] and, in the last column, [`JET_relopPrefixEquals`];
/// `JET_errInvalidPreread`
/// (-424) for columns to be read too while a secondary index is current,
/// `JET_errMustBeSeparateLongValue` (-423) for columns whose values are always in the row; as
/// [`JetMakeKey`](super::JetMakeKey).
pub fn JetPrereadIndexRanges(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    rgIndexRanges: &[JET_INDEX_RANGE],
    pcRangesPreread: Option<&mut u32>,
    rgcolumnidPreread: &[JET_COLUMNID],
    grbit: JET_GRBIT,
) -> Result<()> {
    let directions = JET_bitPrereadForward | JET_bitPrereadBackward;
    let known = directions | JET_bitPrereadFirstPage | JET_bitPrereadNormalizedKey;
    with_cursor(sesid, tableid, |state, cursor| {
        if (grbit & directions).count_ones() != 1 || grbit & !known != 0 {
            return Err(invalid_grbit("JetPrereadIndexRanges", grbit));
        }
        if rgIndexRanges.is_empty() {
            return Err(Error::new(JetErr::InvalidParameter, "no ranges"));
        }
        let open = cursor.open(state)?;
        let columns = preread_columns(open, rgcolumnidPreread)?;
        let mut ranges = range_keys(state, open, rgIndexRanges, grbit)?;
        let forward = grbit & JET_bitPrereadForward != 0;
        if pcRangesPreread.is_none() {
            ranges.sort_unstable();
            if !forward {
                ranges.reverse();
            }
        }
        check_order(&ranges, forward)?;
        let ranges: Vec<KeyRange<'_>> =
            ranges.iter().map(|(start, end)| (start.as_slice(), end.as_slice())).collect();
        let done = open.read_ahead(&ranges)?;
        if !columns.is_empty() {
            let ranges = ranges.get(..done).unwrap_or(&ranges);
            let only_first_page = grbit & JET_bitPrereadFirstPage != 0;
            open.read_values_ahead(&state.engine, ranges, &columns, only_first_page)?;
        }
        if let Some(told) = pcRangesPreread {
            *told = number(done);
        }
        Ok(())
    })
}

fn number(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}

/// The columns whose long values are to be read ahead, too.
fn preread_columns(open: &EngineCursor, columns: &[JET_COLUMNID]) -> Result<Vec<ColumnId>> {
    if !columns.is_empty() && open.is_on_secondary() {
        let what = "columns are not read ahead through a secondary index";
        return Err(Error::new(JetErr::InvalidPreread, what));
    }
    let of = |id: &JET_COLUMNID| {
        let column = column_of(&open.table().schema, *id)?;
        if !column.ty.is_long() {
            return Err(Error::new(
                JetErr::MustBeSeparateLongValue,
                format!("values of column \"{}\" are always in the row", column.name),
            ));
        }
        Ok(column.id)
    };
    columns.iter().map(of).collect()
}

/// Start and end of each range as keys of the current index. A range without an end is its start.
fn range_keys(
    state: &SessionState,
    open: &EngineCursor,
    ranges: &[JET_INDEX_RANGE],
    grbit: JET_GRBIT,
) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let (low, high) = (Limit::FullStart, Limit::FullEnd);
    let (first, last) = match grbit & JET_bitPrereadForward {
        0 => (high, low),
        _ => (low, high),
    };
    let keys = |range: &JET_INDEX_RANGE| {
        let start = range_key(state, open, &range.rgStartColumns, grbit, first)?;
        let end = match range.rgEndColumns.as_slice() {
            [] => start.clone(),
            columns => range_key(state, open, columns, grbit, last)?,
        };
        Ok((start, end))
    };
    ranges.iter().map(keys).collect()
}

/// In the direction of the reading each range begins before its end, and no earlier than the one
/// before it ends.
fn check_order(ranges: &[(Vec<u8>, Vec<u8>)], forward: bool) -> Result<()> {
    let in_order = |a: &[u8], b: &[u8]| if forward { a <= b } else { a >= b };
    if !ranges.iter().all(|(start, end)| in_order(start, end)) {
        let what = "a range begins behind its end, in the direction of the reading";
        return Err(Error::new(JetErr::InvalidParameter, what));
    }
    if !ranges.is_sorted_by(|(_, end), (start, _)| in_order(end, start)) {
        let what = "the ranges overlap, or are not in the order of the reading";
        return Err(Error::new(JetErr::InvalidParameter, what));
    }
    Ok(())
}

/// The key that one end of a range means in the current index.
fn range_key(
    state: &SessionState,
    open: &EngineCursor,
    columns: &[JET_INDEX_COLUMN],
    grbit: JET_GRBIT,
    limit: Limit,
) -> Result<Vec<u8>> {
    if grbit & JET_bitPrereadNormalizedKey != 0 {
        return match columns {
            [only] => Ok(only.pv.clone()),
            _ => Err(Error::new(JetErr::InvalidParameter, "a normalised key is one value")),
        };
    }
    let mut maker = EngineCursor::new(std::sync::Arc::clone(open.table()));
    maker.set_index(&state.engine, Some(open.current_index()), Default::default())?;
    for (at, column) in columns.iter().enumerate() {
        let last = at + 1 == columns.len();
        let limit = match (column.relop, last, limit) {
            (JET_relopEquals, false, _) => None,
            (JET_relopEquals, true, limit) => Some(limit),
            (JET_relopPrefixEquals, true, Limit::FullStart) => Some(Limit::PartialStart),
            (JET_relopPrefixEquals, true, _) => Some(Limit::PartialEnd),
            (other, ..) => {
                let what = format!("relation {other} at value {at} of a range");
                return Err(Error::new(JetErr::InvalidParameter, what));
            }
        };
        let empty_value = column.grbit & JET_bitZeroLength != 0;
        maker.make_key(column.value(), KeyOptions { new_key: at == 0, empty_value, limit })?;
    }
    maker.search_key().map(<[u8]>::to_vec)
}

/// A range that is to be met: from the current entry of a cursor to the end of its range.
#[derive(Clone, Copy, Debug)]
pub struct JET_INDEXRANGE {
    /// The cursor.
    pub tableid: JET_TABLEID,
    /// [`JET_bitRecordInIndex`].
    pub grbit: JET_GRBIT,
}

/// The bookmarks, in order, of the rows that lie in all ranges.
///
/// # Errors
/// The cursors'; `JET_errInvalidParameter` (-1003) unless there are 1 to 64 ranges on one table,
/// each in another secondary index; `JET_errInvalidGrbit` (-900), `JET_errNoCurrentRecord` (-1603).
pub fn JetIntersectIndexes(
    sesid: JET_SESID,
    rgindexrange: &[JET_INDEXRANGE],
    grbit: JET_GRBIT,
) -> Result<Vec<Vec<u8>>> {
    let invalid = |what: &'static str| Error::new(JetErr::InvalidParameter, what);
    // The session comes first.
    find_session(sesid)?.call(Purpose::Work, |_, _| Ok(()))?;
    if grbit != 0 {
        return Err(invalid_grbit("JetIntersectIndexes", grbit));
    }
    if rgindexrange.is_empty() || rgindexrange.len() > 64 {
        return Err(invalid("1 to 64 ranges are intersected"));
    }
    if let Some(range) = rgindexrange.iter().find(|range| range.grbit != JET_bitRecordInIndex) {
        return Err(invalid_grbit("JetIntersectIndexes", range.grbit));
    }
    let handles: Vec<JET_TABLEID> = rgindexrange.iter().map(|range| range.tableid).collect();
    with_open_cursors(sesid, &handles, |state, cursors| intersect(&state.engine, cursors))
}

/// Says that the cursor will go over the table in order, so that pages are read ahead.
///
/// # Errors
/// The cursor's; `JET_errInvalidGrbit` (-900) for flags other than one direction.
pub fn JetSetTableSequential(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    grbit: JET_GRBIT,
) -> Result<()> {
    with_cursor(sesid, tableid, |state, cursor| {
        if grbit & !(JET_bitPrereadForward | JET_bitPrereadBackward) != 0 {
            return Err(invalid_grbit("JetSetTableSequential", grbit));
        }
        cursor.open(state)?.set_sequential(true);
        Ok(())
    })
}

/// Takes [`JetSetTableSequential`] back.
///
/// # Errors
/// The cursor's; `JET_errInvalidGrbit` (-900) for flags.
pub fn JetResetTableSequential(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    grbit: JET_GRBIT,
) -> Result<()> {
    with_cursor(sesid, tableid, |state, cursor| {
        if grbit != 0 {
            return Err(invalid_grbit("JetResetTableSequential", grbit));
        }
        cursor.open(state)?.set_sequential(false);
        Ok(())
    })
}
