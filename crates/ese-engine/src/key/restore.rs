//! From the key of an entry back to what it was made of, as far as that can be told.

use ese_base::{Result, limits::KEY_LEN_DEFAULT};
use smallvec::SmallVec;

use super::{
    entries::{Itags, Made, meets_conditions, next_itags, nth_key, tuple_limits, value_counts},
    normalise::{GUID_ORDER, GUID_ORDER_DOT_NET, KeyRules, prefix},
};
use crate::{
    record::RecordView,
    schema::{ColType, Column, ColumnFlags, ColumnId, Index, IndexFlags, TableSchema},
};

/// What a key says of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restored {
    /// The column is NULL.
    Null,
    /// Its value, in record encoding; of a tuple index, the piece that the entry stands for.
    Value(Vec<u8>),
    /// Only the row knows: text loses its case, long keys lose their end.
    Unknown,
}

/// What the key of an entry says of a column of the index. `None`: the index does not have it.
///
/// # Errors
/// `JET_errColumnNotFound` (-1507) for an index over columns that the table lacks.
pub fn restore(
    schema: &TableSchema,
    index: &Index,
    key: &[u8],
    column: ColumnId,
) -> Result<Option<Restored>> {
    let Some(wanted) = index.segments.iter().position(|segment| segment.column == column) else {
        return Ok(None);
    };
    let rules = KeyRules::of(index);
    // A key shorter than the common limit has columns of known lengths only, all of them whole.
    if key.len() >= rules.key_len_max && rules.key_len_max >= KEY_LEN_DEFAULT {
        return Ok(Some(Restored::Unknown));
    }
    let mut rest = key;
    for (at, segment) in index.segments.iter().enumerate() {
        let column = schema.columns.require(segment.column)?;
        let Some((restored, taken)) = segment_of(&rules, column, segment.descending, rest) else {
            break;
        };
        if at == wanted {
            return Ok(Some(restored));
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    Ok(Some(Restored::Unknown))
}

/// The first segment of `key` and its length; `None` where it does not say how long it is.
fn segment_of(
    rules: &KeyRules<'_>,
    column: &Column,
    descending: bool,
    key: &[u8],
) -> Option<(Restored, usize)> {
    let turned = |byte: u8| if descending { !byte } else { byte };
    match turned(*key.first()?) {
        prefix::NULL | prefix::NULL_HIGH => return Some((Restored::Null, 1)),
        prefix::EMPTY => return Some((Restored::Value(Vec::new()), 1)),
        _ => {}
    }
    let bytes: SmallVec<[u8; 256]> = key.iter().skip(1).map(|byte| turned(*byte)).collect();
    if let Some(len) = column.ty.fixed_len() {
        let value = fixed_type(rules, column.ty, bytes.get(..len)?);
        return Some((Restored::Value(value), 1 + len));
    }
    // What the limit of segments leaves of one, without its prefix byte.
    let room = rules.segment_len_max.map_or(usize::MAX, |most| most.saturating_sub(1));
    if column.ty.is_text() {
        if column.is_unicode() {
            return None;
        }
        let end = bytes.iter().position(|byte| *byte == 0).map_or(bytes.len(), |end| end + 1);
        return Some((Restored::Unknown, 1 + end.min(room)));
    }
    if column.id.is_fixed() {
        let whole = column.fixed_len();
        let value = bytes.get(..whole.min(room))?.to_vec();
        let restored = if whole > room { Restored::Unknown } else { Restored::Value(value) };
        return Some((restored, 1 + whole.min(room)));
    }
    let (value, taken) = ungrouped(&bytes)?;
    match rules.segment_len_max {
        // It may have been cut, even where that does not show.
        Some(_) => Some((Restored::Unknown, 1 + taken.min(room))),
        None => Some((Restored::Value(value), 1 + taken)),
    }
}

/// Binary of any length, and how many bytes of the key it takes. A value that is cut ends with
/// them.
fn ungrouped(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut value, mut taken) = (Vec::new(), 0);
    for group in bytes.chunks(9) {
        let Some((used, group)) = group.split_last().filter(|(_, group)| group.len() == 8) else {
            return Some((value, bytes.len()));
        };
        let len = usize::from(*used);
        value.extend_from_slice(group.get(..len.min(8))?);
        taken += 9;
        if len <= 8 {
            return Some((value, taken));
        }
    }
    Some((value, taken))
}

/// Values of one length.
fn fixed_type(rules: &KeyRules<'_>, ty: ColType, segment: &[u8]) -> Vec<u8> {
    let mut value = segment.to_vec();
    match ty {
        ColType::Bit => {}
        ColType::Guid => {
            let order = if rules.dot_net_guid { GUID_ORDER_DOT_NET } else { GUID_ORDER };
            for (from, to) in segment.iter().zip(order) {
                if let Some(byte) = value.get_mut(to) {
                    *byte = *from;
                }
            }
        }
        _ => {
            let float = matches!(ty, ColType::IeeeSingle | ColType::IeeeDouble | ColType::DateTime);
            let signed = matches!(
                ty,
                ColType::Short | ColType::Long | ColType::Currency | ColType::LongLong
            );
            let negative = segment.first().is_some_and(|byte| byte & 0x80 == 0);
            if float && negative {
                value.iter_mut().for_each(|byte| *byte = !*byte);
            } else if (float || signed)
                && let Some(byte) = value.first_mut()
            {
                *byte ^= 0x80;
            }
            value.reverse();
        }
    }
    value
}

/// Which value of a column the entry with this key was made of, counted from 1. `None`: the row has
/// no such entry.
///
/// # Errors
/// As [`super::for_each_key`].
pub fn itag_of_key(
    schema: &TableSchema,
    index: &Index,
    record: &RecordView<'_>,
    key: &[u8],
    column: ColumnId,
) -> Result<Option<usize>> {
    if !meets_conditions(schema, index, record)? {
        return Ok(None);
    }
    let limits = tuple_limits(index);
    let mut itags = Itags::from_elem(1, index.segments.len());
    let counts = value_counts(schema, index, record)?;
    let mut scratch = Vec::new();
    loop {
        for tuple in 0..limits.map_or(1, |limits| limits.count) {
            let place = limits.map(|limits| (limits, limits.place(tuple)));
            let made = nth_key(schema, index, record, &itags, place, &mut scratch)?;
            if made == Made::OutOfTuples {
                break;
            }
            if made == Made::Key && scratch == key {
                let at = index.segments.iter().position(|segment| segment.column == column);
                return Ok(at.and_then(|at| itags.get(at)).copied());
            }
        }
        if counts.is_empty() || !next_itags(index, &counts, &mut itags) {
            return Ok(None);
        }
    }
}

/// Can entries of the index stand for another value of this column than its first?
#[must_use]
pub(crate) fn is_spread(index: &Index, column: &Column) -> bool {
    index.flags.contains(IndexFlags::MULTI_VALUED)
        && column.flags.contains(ColumnFlags::MULTI_VALUED)
}
