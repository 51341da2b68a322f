//! Keys of whole rows: which entries a row has in an index.

use std::{borrow::Cow, collections::HashSet};

use ese_base::{Error, JetErr, Result};
use smallvec::SmallVec;

use super::{
    normalise::{KeyRules, normalise},
    partial::normalise_beginning,
    unicode::check_ours,
};
use crate::{
    record::RecordView,
    schema::{Column, ColumnFlags, Columns, Index, IndexFlags, Segment, TableSchema, TupleLimits},
};

/// Is this an index whose keys this version can make?
///
/// # Errors
/// `JET_errFeatureNotAvailable`, naming the index and what it needs;
/// `JET_errSecondaryIndexCorrupted` (-1414) or `JET_errPrimaryIndexCorrupted` (-1413) for UTF-16
/// text whose keys another engine made.
pub fn check_supported(schema: &TableSchema, index: &Index) -> Result<()> {
    check_supported_columns(&schema.columns, index)
}

/// As [`check_supported`], for the columns alone.
pub(crate) fn check_supported_columns(columns: &Columns, index: &Index) -> Result<()> {
    let feature = if index.flags.contains(IndexFlags::DEFERRED_POPULATE) {
        "deferred population"
    } else if !index.flags.contains(IndexFlags::WIDE_SEGMENTS) {
        "segments in the format before update 7"
    } else {
        for segment in &index.segments {
            check_ours(index, columns.require(segment.column)?)?;
        }
        return Ok(());
    };
    Err(Error::new(
        JetErr::FeatureNotAvailable,
        format!("index \"{}\": {feature} are not available in this version", index.name),
    ))
}

/// The key of a row in the table's own order.
///
/// # Errors
/// `JET_errNoCurrentIndex` for a table without primary index (its rows have sequential keys), and
/// as [`record_key`].
pub fn primary_key(schema: &TableSchema, record: &RecordView<'_>, out: &mut Vec<u8>) -> Result<()> {
    let index = schema.primary().ok_or_else(|| {
        Error::new(
            JetErr::NoCurrentIndex,
            format!("table \"{}\" has no primary index", schema.name),
        )
    })?;
    record_key(schema, index, record, out).map(|_| ())
}

/// The first key of a row in an index, into `out`, which is emptied first. Answers whether the row
/// has an entry there: NULL segments and conditions may leave it out.
///
/// # Errors
/// `JET_errNullKeyDisallowed` (-1053), `JET_errKeyTruncated` (-346) where the index says so,
/// `JET_errFeatureNotAvailable` for values that lie outside the record or are compressed, as
/// [`normalise`].
pub fn record_key(
    schema: &TableSchema,
    index: &Index,
    record: &RecordView<'_>,
    out: &mut Vec<u8>,
) -> Result<bool> {
    let first = Itags::from_elem(1, index.segments.len());
    let tuple = tuple_limits(index).map(|limits| (limits, limits.start as usize));
    Ok(meets_conditions(schema, index, record)?
        && nth_key(schema, index, record, &first, tuple, out)? == Made::Key)
}

/// Every key of a row in an index. `scratch` is emptied and used for each; a key that several
/// values of a multi-valued column share is given once.
///
/// # Errors
/// As [`record_key`] and [`check_supported`], and what `each` answers;
/// `JET_errMultiValuedIndexViolation` (-1411) where several values share a key of a unique index.
pub fn for_each_key(
    schema: &TableSchema,
    index: &Index,
    record: &RecordView<'_>,
    scratch: &mut Vec<u8>,
    mut each: impl FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    check_supported(schema, index)?;
    if !meets_conditions(schema, index, record)? {
        return Ok(());
    }
    let limits = tuple_limits(index);
    let mut itags = Itags::from_elem(1, index.segments.len());
    let counts = value_counts(schema, index, record)?;
    if counts.is_empty() && limits.is_none() {
        if nth_key(schema, index, record, &itags, None, scratch)? == Made::Key {
            each(scratch)?;
        }
        return Ok(());
    }
    let mut seen = HashSet::new();
    loop {
        for tuple in 0..limits.map_or(1, |limits| limits.count) {
            let place = limits.map(|limits| (limits, limits.place(tuple)));
            match nth_key(schema, index, record, &itags, place, scratch)? {
                Made::OutOfTuples => break,
                Made::None => {}
                Made::Key if seen.insert(scratch.clone()) => each(scratch)?,
                Made::Key if index.is_unique() => return Err(violation(index)),
                Made::Key => {}
            }
        }
        if !next_itags(index, &counts, &mut itags) {
            return Ok(());
        }
    }
}

#[cold]
fn violation(index: &Index) -> Error {
    let what =
        format!("two values of one row have the same key in unique index \"{}\"", index.name);
    Error::new(JetErr::MultiValuedIndexViolation, what)
}

/// Which value each segment takes, counted from 1.
pub(super) type Itags = SmallVec<[usize; 16]>;

pub(crate) fn tuple_limits(index: &Index) -> Option<TupleLimits> {
    index.tuple_limits.as_deref().and_then(TupleLimits::decode)
}

/// The segments that take one value after the other, with their numbers of values; none if every
/// segment takes its first.
pub(super) fn value_counts(
    schema: &TableSchema,
    index: &Index,
    record: &RecordView<'_>,
) -> Result<SmallVec<[(usize, usize); 4]>> {
    let mut counts = SmallVec::new();
    if !index.flags.contains(IndexFlags::MULTI_VALUED) {
        return Ok(counts);
    }
    let all = index.flags.intersects(IndexFlags::CROSS_PRODUCT | IndexFlags::NESTED_TABLE);
    for (at, segment) in index.segments.iter().enumerate() {
        let column = schema.columns.require(segment.column)?;
        if column.flags.contains(ColumnFlags::MULTI_VALUED) {
            counts.push((at, record.data(column)?.len().max(1)));
            if !all {
                break;
            }
        }
    }
    Ok(counts)
}

fn set(itags: &mut Itags, at: usize, to: usize) {
    if let Some(itag) = itags.get_mut(at) {
        *itag = to;
    }
}

/// Goes to the next combination of values. `false`: that was the last.
pub(super) fn next_itags(index: &Index, counts: &[(usize, usize)], itags: &mut Itags) -> bool {
    if index.flags.contains(IndexFlags::NESTED_TABLE) {
        // Equal ordinals, up to those of the column with most values; what another lacks is NULL.
        let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let next = counts.first().map_or(1, |(at, _)| itags.get(*at).copied().unwrap_or(1)) + 1;
        counts.iter().for_each(|(at, _)| set(itags, *at, next));
        return next <= most;
    }
    for (at, count) in counts.iter().rev() {
        let next = itags.get(*at).copied().unwrap_or(1) + 1;
        if next <= *count {
            set(itags, *at, next);
            return true;
        }
        set(itags, *at, 1);
    }
    false
}

/// A search key: `values` stand for the first segments of the index, in its order.
///
/// # Errors
/// As [`normalise`], and `JET_errInvalidParameter` for more values than segments.
pub fn values_key(
    schema: &TableSchema,
    index: &Index,
    values: &[Option<&[u8]>],
    out: &mut Vec<u8>,
) -> Result<()> {
    if values.len() > index.segments.len() {
        return Err(Error::new(
            JetErr::InvalidParameter,
            format!(
                "{} values for the {} segments of index \"{}\"",
                values.len(),
                index.segments.len(),
                index.name
            ),
        ));
    }
    let rules = KeyRules::of(index);
    out.clear();
    for (segment, value) in index.segments.iter().zip(values) {
        let column = schema.columns.require(segment.column)?;
        if normalise(&rules, column, segment.descending, *value, out)? {
            break;
        }
    }
    Ok(())
}

/// What all keys begin with whose first segments have the values before the last one, and whose
/// next segment begins with the last one.
///
/// # Errors
/// As [`values_key`]; `JET_errInvalidParameter` (-1003) for a last value that is NULL or of a
/// column whose values have no beginnings.
pub fn beginning_key(
    schema: &TableSchema,
    index: &Index,
    values: &[Option<&[u8]>],
    out: &mut Vec<u8>,
) -> Result<()> {
    let (last, whole) = values.split_last().unwrap_or((&None, &[]));
    values_key(schema, index, whole, out)?;
    let segment = index.segments.get(whole.len());
    let column = segment.map(|segment| schema.columns.require(segment.column)).transpose()?;
    match (segment, column, last) {
        (Some(segment), Some(column), Some(value)) if column.has_beginnings() => {
            let rules = KeyRules::of(index);
            normalise_beginning(&rules, column, segment.descending, value, out).map(drop)
        }
        _ => Err(Error::new(
            JetErr::InvalidParameter,
            format!("index \"{}\": the last value is no beginning of a text", index.name),
        )),
    }
}

/// Conditional columns: all must hold.
pub(super) fn meets_conditions(
    schema: &TableSchema,
    index: &Index,
    record: &RecordView<'_>,
) -> Result<bool> {
    for condition in &index.conditions {
        let data = record.column(&schema.columns, condition.column)?;
        if data.is_null() != condition.must_be_null {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Which segments of a key are NULL.
#[derive(Clone, Copy, Debug, Default)]
struct Nulls {
    first: bool,
    any: bool,
    not_all: bool,
}

impl Nulls {
    fn note(&mut self, at: usize, null: bool) {
        self.first |= null && at == 0;
        self.any |= null;
        self.not_all |= !null;
    }

    /// Does such a key have an entry (edb-format 8.6)?
    fn allowed(self, index: &Index) -> Result<bool> {
        if !self.any {
            return Ok(true);
        }
        if index.flags.contains(IndexFlags::NO_NULL_SEGMENT) {
            return Err(Error::new(
                JetErr::NullKeyDisallowed,
                format!("index \"{}\" refuses NULL", index.name),
            ));
        }
        Ok(index.flags.contains(if !self.not_all {
            IndexFlags::ALLOW_ALL_NULLS
        } else if self.first {
            IndexFlags::ALLOW_FIRST_NULL
        } else {
            IndexFlags::ALLOW_SOME_NULLS
        }))
    }
}

/// What became of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    Key,
    /// NULL segments leave it out.
    None,
    /// The text is NULL or too short for a tuple at that place.
    OutOfTuples,
}

/// The key in which each segment takes the value with its itag; `tuple` = (limits, first character)
/// cuts the first segment.
pub(super) fn nth_key(
    schema: &TableSchema,
    index: &Index,
    record: &RecordView<'_>,
    itags: &[usize],
    tuple: Option<(TupleLimits, usize)>,
    out: &mut Vec<u8>,
) -> Result<Made> {
    let rules = KeyRules::of(index);
    let mut nulls = Nulls::default();
    let mut cut = false;
    out.clear();
    for (at, segment) in index.segments.iter().enumerate() {
        let column = schema.columns.require(segment.column)?;
        let itag = itags.get(at).copied().unwrap_or(1);
        let stored = segment_value(record, column, itag)?;
        let mut value = stored.as_deref();
        if at == 0
            && let Some((limits, place)) = tuple
        {
            value = match value {
                Some(text) => match limits.cut(text, place, column.is_unicode()) {
                    Some(text) => Some(text),
                    None => return Ok(Made::OutOfTuples),
                },
                None => return Ok(Made::OutOfTuples),
            };
        }
        nulls.note(at, value.is_none());
        if !cut {
            cut = put_segment(&rules, index, segment, column, value, out)?;
        }
    }
    Ok(if nulls.allowed(index)? { Made::Key } else { Made::None })
}

/// More than any key holds, and all that a tuple index looks at (32,767 characters of two bytes).
const SEGMENT_BYTES_MOST: usize = 1 << 16;

/// The value of a segment, or as much of its beginning as a key or tuple can hold.
fn segment_value<'s>(
    record: &RecordView<'s>,
    column: &'s Column,
    itag: usize,
) -> Result<Option<Cow<'s, [u8]>>> {
    match record.data(column)?.nth(itag)? {
        Some(instance) => record.bytes_of(column, instance, SEGMENT_BYTES_MOST).map(Some),
        None => Ok(None),
    }
}

fn put_segment(
    rules: &KeyRules<'_>,
    index: &Index,
    segment: &Segment,
    column: &Column,
    value: Option<&[u8]>,
    out: &mut Vec<u8>,
) -> Result<bool> {
    let cut = normalise(rules, column, segment.descending, value, out)?;
    if cut && index.flags.contains(IndexFlags::DISALLOW_TRUNCATION) {
        return Err(Error::new(
            JetErr::KeyTruncated,
            format!(
                "index \"{}\": a key above {} bytes, and the index refuses to cut it",
                index.name, rules.key_len_max
            ),
        ));
    }
    Ok(cut)
}
