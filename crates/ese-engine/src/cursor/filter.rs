//! Filters: rows that moves and seeks leave out (api-semantics 7.15).

use std::cmp::Ordering;

use ese_base::{Error, JetErr, Result};

use super::Cursor;
use crate::{
    key::{KeyRules, normalise},
    record::RecordView,
    schema::{Column, ColumnId},
    session::Session,
    table::Table,
};

/// How a column's value must relate to the filter's (JET_relop).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The same.
    Equal,
    /// It begins with the filter's.
    Prefix,
    /// Another.
    NotEqual,
    /// Not greater.
    LessOrEqual,
    /// Smaller.
    Less,
    /// Not smaller.
    GreaterOrEqual,
    /// Greater.
    Greater,
    /// No bit of the filter's is set.
    NoBitOf,
    /// A bit of the filter's is set.
    AnyBitOf,
}

/// A condition on one column. NULL is not comparable: a row where the column is NULL passes only
/// "equal to NULL".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The column.
    pub column: ColumnId,
    /// The relation.
    pub relation: Relation,
    /// In record encoding; `None` is NULL.
    pub value: Option<Vec<u8>>,
}

impl Cursor {
    /// Replaces the filters; none removes them. As long as there are some, the cursor stays in the
    /// table's own order.
    ///
    /// # Errors
    /// `JET_errColumnNotFound` (-1507); `JET_errFilteredMoveNotSupported` (-1124) in the order of a
    /// secondary index, and for a relation that the column, or NULL, cannot have;
    /// `JET_errInvalidBufferSize` (-1047) for a number of the wrong length. The filters are as
    /// before then.
    pub fn set_filters(&mut self, filters: Vec<Filter>) -> Result<()> {
        if !self.order.is_primary() {
            let what = "rows are filtered in the order of the primary index alone";
            return Err(Error::new(JetErr::FilteredMoveNotSupported, what));
        }
        for filter in &filters {
            let column = self.table.schema.columns.require(filter.column)?;
            check(column, filter)?;
        }
        self.filters = filters;
        Ok(())
    }

    /// Has it filters?
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        !self.filters.is_empty()
    }
}

fn check(column: &Column, filter: &Filter) -> Result<()> {
    let fixed = column.ty.fixed_len();
    let refused = match (&filter.value, filter.relation) {
        (None, Relation::Equal | Relation::NotEqual) => false,
        (None, _) => true,
        (Some(_), Relation::Prefix) => fixed.is_some(),
        (Some(_), Relation::NoBitOf | Relation::AnyBitOf) => fixed.is_none(),
        (Some(_), _) => false,
    };
    if refused {
        return Err(Error::new(
            JetErr::FilteredMoveNotSupported,
            format!("column \"{}\" cannot have the relation {:?}", column.name, filter.relation),
        ));
    }
    match (&filter.value, fixed) {
        (Some(value), Some(len)) if value.len() != len => Err(Error::new(
            JetErr::InvalidBufferSize,
            format!("column \"{}\": {} bytes instead of {len}", column.name, value.len()),
        )),
        _ => Ok(()),
    }
}

/// Do all filters let the record through?
pub(super) fn passes(
    filters: &[Filter],
    table: &Table,
    session: &Session,
    record: &[u8],
) -> Result<bool> {
    let (schema, long_values) = (&table.schema, table.long_values(session));
    let record = RecordView::new(record, schema.page_size)?.with_long_values(&long_values);
    for filter in filters {
        let column = schema.columns.require(filter.column)?;
        let value = match record.data(column)?.nth(1)? {
            Some(value) => Some(record.bytes_of(column, value, usize::MAX)?),
            None => None,
        };
        if !holds(column, filter, value.as_deref())? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn holds(column: &Column, filter: &Filter, value: Option<&[u8]>) -> Result<bool> {
    let (value, wanted) = match (value, &filter.value) {
        (Some(value), Some(wanted)) => (value, wanted.as_slice()),
        (value, None) => return Ok(value.is_none() == (filter.relation == Relation::Equal)),
        (None, Some(_)) => return Ok(false),
    };
    let any_bit = || value.iter().zip(wanted).any(|(have, mask)| have & mask != 0);
    Ok(match filter.relation {
        Relation::Prefix => begins(column, value, wanted),
        Relation::NoBitOf => !any_bit(),
        Relation::AnyBitOf => any_bit(),
        Relation::Equal => compare(column, value, wanted)?.is_eq(),
        Relation::NotEqual => compare(column, value, wanted)?.is_ne(),
        Relation::LessOrEqual => compare(column, value, wanted)?.is_le(),
        Relation::Less => compare(column, value, wanted)?.is_lt(),
        Relation::GreaterOrEqual => compare(column, value, wanted)?.is_ge(),
        Relation::Greater => compare(column, value, wanted)?.is_gt(),
    })
}

/// Text of code page 1252 has no case in keys, and none here.
fn begins(column: &Column, value: &[u8], wanted: &[u8]) -> bool {
    let Some(head) = value.get(..wanted.len()) else { return false };
    if column.ty.is_text() && !column.is_unicode() {
        head.eq_ignore_ascii_case(wanted)
    } else {
        head == wanted
    }
}

/// Numbers by value, binary by bytes, Western text as in keys, UTF-16 by code units.
fn compare(column: &Column, value: &[u8], wanted: &[u8]) -> Result<Ordering> {
    if column.is_unicode() {
        let units = |bytes: &[u8]| {
            let pairs = bytes.chunks_exact(2);
            pairs.map(|pair| u16::from(pair[0]) | u16::from(pair[1]) << 8).collect::<Vec<_>>()
        };
        return Ok(units(value).cmp(&units(wanted)));
    }
    if column.ty.fixed_len().is_none() && !column.ty.is_text() {
        return Ok(value.cmp(wanted));
    }
    let rules = KeyRules::plain(usize::MAX);
    let (mut a, mut b) = (Vec::new(), Vec::new());
    normalise(&rules, column, false, Some(value), &mut a)?;
    normalise(&rules, column, false, Some(wanted), &mut b)?;
    Ok(a.cmp(&b))
}
