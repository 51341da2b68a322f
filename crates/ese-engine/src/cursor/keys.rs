//! Search keys, made segment by segment (api-semantics 7.1 to 7.5).

use std::borrow::Cow;

use ese_base::{Error, JetErr, Result};

use super::Cursor;
use crate::{
    key::{KeyRules, normalise, normalise_beginning, tuple_limits},
    schema::{Column, Index, TableSchema, TupleLimits},
};

/// The search key that is being made.
#[derive(Clone, Debug, Default)]
pub(crate) struct SearchKey {
    bytes: Vec<u8>,
    /// Segments so far; `None`: no key.
    segments: Option<usize>,
    /// Nothing can follow.
    complete: bool,
}

impl SearchKey {
    /// The column of the segment that comes next; the first one's with `new_key`. `None` when no
    /// segment can follow or no key was begun.
    pub(crate) fn next_column<'t>(
        &self,
        schema: &'t TableSchema,
        index: &Index,
        new_key: bool,
    ) -> Result<Option<&'t Column>> {
        let at = if new_key { Some(0) } else { self.segments };
        let segment = at.and_then(|at| index.segments.get(at));
        segment.map(|segment| schema.columns.require(segment.column)).transpose()
    }

    /// The key with a segment more.
    pub(crate) fn with(
        &self,
        schema: &TableSchema,
        index: &Index,
        value: Option<&[u8]>,
        options: KeyOptions,
    ) -> Result<SearchKey> {
        let fresh = SearchKey { segments: Some(0), ..SearchKey::default() };
        let mut search = if options.new_key { fresh } else { self.clone() };
        let at = search.segments.ok_or_else(|| {
            let what = "the first segment of a key needs JET_bitNewKey";
            Error::new(JetErr::KeyNotMade, what)
        })?;
        let segment = index.segments.get(at).filter(|_| !search.complete);
        let segment =
            segment.ok_or_else(|| Error::new(JetErr::KeyIsMade, "the key has all its segments"))?;
        let column = schema.columns.require(segment.column)?;
        let partial = matches!(options.limit, Some(Limit::PartialStart | Limit::PartialEnd));
        if partial && !column.has_beginnings() {
            return Err(Error::new(
                JetErr::InvalidGrbit,
                format!("column \"{}\": its values have no beginnings", column.name),
            ));
        }
        let value = value.filter(|bytes| !bytes.is_empty() || options.empty_value);
        let value = value.map(|bytes| padded(column, bytes)).transpose()?;
        let value = match tuple_limits(index).filter(|_| at == 0) {
            Some(limits) => Some(piece(&limits, column, value)?),
            None => value,
        };
        let (rules, out) = (KeyRules::of(index), &mut search.bytes);
        match &value {
            Some(value) if partial => {
                normalise_beginning(&rules, column, segment.descending, value, out)?;
            }
            _ => {
                normalise(&rules, column, segment.descending, value.as_deref(), out)?;
            }
        }
        search.segments = Some(at + 1);
        search.complete = options.limit.is_some();
        if matches!(options.limit, Some(Limit::FullEnd | Limit::PartialEnd)) {
            // Behind every key that begins so. What follows in a descending segment can begin with
            // the greatest byte itself: its end, or a NULL. So can letters of UTF-16 text.
            let next = index.segments.get(at + 1);
            let to_the_limit = (partial && (segment.descending || column.is_unicode()))
                || next.is_some_and(|next| next.descending);
            let len = if to_the_limit { rules.key_len_max } else { 0 };
            out.resize(len.max(out.len()) + 1, 0xff);
        }
        Ok(search)
    }

    /// A whole key as it is.
    pub(crate) fn whole(key: &[u8], len_max: usize) -> Result<SearchKey> {
        let most = len_max + 1;
        if key.len() > most {
            let what = format!("a key of {} bytes, at most {most} are legal", key.len());
            return Err(Error::new(JetErr::InvalidParameter, what));
        }
        Ok(SearchKey { bytes: key.to_vec(), segments: Some(0), complete: true })
    }

    /// The key so far.
    pub(crate) fn bytes(&self) -> Result<&[u8]> {
        self.segments.map(|_| self.bytes.as_slice()).ok_or_else(not_made)
    }

    /// The key, which is used up.
    pub(crate) fn take(&mut self) -> Result<Vec<u8>> {
        match self.segments.take() {
            Some(_) => Ok(std::mem::take(self).bytes),
            None => Err(not_made()),
        }
    }
}

#[track_caller]
fn not_made() -> Error {
    Error::new(JetErr::KeyNotMade, "no search key was made").advise("call JetMakeKey first")
}

/// What follows the last segment of a search key that stands for many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The key is below all that begin with these segments.
    FullStart,
    /// The key is behind all that begin with these segments.
    FullEnd,
    /// The key is below all whose last segment begins with this value.
    PartialStart,
    /// The key is behind all whose last segment begins with this value.
    PartialEnd,
}

/// How a segment is added to a search key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyOptions {
    /// It is the first one of a new key.
    pub new_key: bool,
    /// No bytes are an empty value, not NULL.
    pub empty_value: bool,
    /// It is the last one, and stands for many.
    pub limit: Option<Limit>,
}

impl Cursor {
    /// The index whose order the cursor goes by.
    pub(super) fn index(&self) -> Result<&Index> {
        self.order.index(&self.table.schema).ok_or_else(|| {
            Error::new(JetErr::NoCurrentIndex, "the table has no primary index")
                .advise("pass the normalised key, as a bookmark has it")
        })
    }

    /// The column of the segment that comes next in the search key; the first one's with `new_key`.
    /// `None` when no segment can follow or no key was begun.
    ///
    /// # Errors
    /// `JET_errNoCurrentIndex` (-1519).
    pub fn next_key_column(&self, new_key: bool) -> Result<Option<&Column>> {
        self.search.next_column(&self.table.schema, self.index()?, new_key)
    }

    /// Adds a segment to the search key; `None` is NULL. A failed call leaves the key as it was.
    ///
    /// # Errors
    /// `JET_errNoCurrentIndex` (-1519), `JET_errKeyNotMade` (-1608) without a first segment,
    /// `JET_errKeyIsMade` (-1516) behind the last, `JET_errInvalidGrbit` (-900) for the beginning
    /// of something that has none, `JET_errInvalidBufferSize` (-1047),
    /// `JET_errIndexTuplesKeyTooSmall` (-1437).
    pub fn make_key(&mut self, value: Option<&[u8]>, options: KeyOptions) -> Result<()> {
        self.search = self.search.with(&self.table.schema, self.index()?, value, options)?;
        Ok(())
    }

    /// Takes a whole key as it is, for example a bookmark.
    ///
    /// # Errors
    /// `JET_errInvalidParameter` (-1003) for one that is too long.
    pub fn set_key(&mut self, key: &[u8]) -> Result<()> {
        self.search = SearchKey::whole(key, self.key_len_max())?;
        Ok(())
    }

    /// Longest key of the current order in bytes.
    #[must_use]
    pub fn key_len_max(&self) -> usize {
        self.index().map_or(ese_base::limits::KEY_LEN_DEFAULT, Index::key_len_max)
    }

    /// The search key.
    ///
    /// # Errors
    /// `JET_errKeyNotMade` (-1608).
    pub fn search_key(&self) -> Result<&[u8]> {
        self.search.bytes()
    }
}

/// What of a value is compared with the pieces that a tuple index has: as much as the longest.
fn piece<'v>(
    limits: &TupleLimits,
    column: &Column,
    value: Option<Cow<'v, [u8]>>,
) -> Result<Cow<'v, [u8]>> {
    let too_small = || {
        let what = format!(
            "column \"{}\": its pieces have {} characters at least",
            column.name, limits.length_min
        );
        Error::new(JetErr::IndexTuplesKeyTooSmall, what)
    };
    let value = value.filter(|value| !value.is_empty()).ok_or_else(too_small)?;
    if !column.ty.is_text() {
        return Ok(value);
    }
    let piece = limits.cut(&value, 0, column.is_unicode()).ok_or_else(too_small)?;
    Ok(Cow::Owned(piece.to_vec()))
}

/// The value as a column of one length has it. Text is padded; a shorter binary value is as wrong
/// as a longer one, as in the engine's source.
fn padded<'v>(column: &Column, value: &'v [u8]) -> Result<Cow<'v, [u8]>> {
    if column.ty.fixed_len().is_some() || !column.id.is_fixed() || value.is_empty() {
        // The engine says what is wrong with the length of a number.
        return Ok(Cow::Borrowed(value));
    }
    let len = column.fixed_len();
    if value.len() > len || value.len() < len && !column.ty.is_text() {
        return Err(Error::new(
            JetErr::InvalidBufferSize,
            format!("column \"{}\": {} bytes of {len}", column.name, value.len()),
        ));
    }
    let mut whole = value.to_vec();
    while whole.len() < len {
        whole.push(if column.is_unicode() && whole.len() % 2 == 1 { 0 } else { b' ' });
    }
    Ok(Cow::Owned(whole))
}
