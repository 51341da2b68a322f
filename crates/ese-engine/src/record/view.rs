//! Reading a record in place.

use std::{borrow::Cow, fmt};

use ese_base::{Error, JetErr, PageSize, Result};

use super::{tagged::TaggedPart, u16_at};
use crate::{
    compress,
    schema::{Column, ColumnId, Columns},
};

/// Id of a value that lives in the table's long-value tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lid(pub u64);

impl Lid {
    /// From the 4 or 8 bytes that a record holds.
    pub(super) fn from_record(bytes: &[u8]) -> Option<Lid> {
        match bytes.len() {
            4 => bytes.try_into().ok().map(|b| Lid(u64::from(u32::from_le_bytes(b)))),
            8 => bytes.try_into().ok().map(|b| Lid(u64::from_le_bytes(b))),
            _ => None,
        }
    }
}

/// Where the values of a table lie that its records only point at.
pub trait LongValues: fmt::Debug {
    /// The bytes of a value from `offset` on, at most `most` of them; none behind its end.
    ///
    /// # Errors
    /// `JET_errLVCorrupted` (-1526) for a value that is not there or damaged.
    fn read_at(&self, lid: Lid, offset: u32, most: usize) -> Result<Vec<u8>>;

    /// The length of a value in bytes.
    ///
    /// # Errors
    /// As [`LongValues::read_at`].
    fn len_of(&self, lid: Lid) -> Result<u32>;
}

/// What a compressed value inside a record becomes at most: its length has 16 bits.
const COMPRESSED_MOST: usize = 0xffff;

/// One value of a column, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instance<'a> {
    /// The bytes themselves.
    Plain(&'a [u8]),
    /// Compressed bytes, compression header first (edb-format 9.5).
    Compressed(&'a [u8]),
    /// Encrypted bytes.
    Encrypted(&'a [u8]),
    /// Outside the record.
    Separated(Lid),
}

impl<'a> Instance<'a> {
    /// The bytes, if they lie here in plain form.
    ///
    /// # Errors
    /// `JET_errFeatureNotAvailable`, naming the column and what this version cannot read.
    pub fn plain(self, column: &Column) -> Result<&'a [u8]> {
        let feature = match self {
            Instance::Plain(bytes) => return Ok(bytes),
            Instance::Compressed(_) => "compressed values",
            Instance::Encrypted(_) => "encrypted values",
            Instance::Separated(_) => "long values outside the record",
        };
        Err(unavailable(column, feature))
    }
}

/// The values of a multi-valued column, in the order of their itagSequence.
#[derive(Clone, Copy, Debug)]
pub struct Instances<'a>(pub(super) super::tagged::Entry<'a>);

impl<'a> Instances<'a> {
    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.instance_count()
    }

    /// Always false: a column without values is NULL.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Value `itag`, counted from 1.
    ///
    /// # Errors
    /// `JET_errDatabaseCorrupted` for bytes that are no value list.
    pub fn nth(&self, itag: usize) -> Result<Option<Instance<'a>>> {
        match itag.checked_sub(1) {
            Some(at) if at < self.len() => self.0.instance(at).map(Some),
            _ => Ok(None),
        }
    }

    /// All values.
    pub fn iter(&self) -> impl Iterator<Item = Result<Instance<'a>>> {
        let entry = self.0;
        (0..self.len()).map(move |at| entry.instance(at))
    }
}

/// What a record says of a column.
#[derive(Clone, Copy, Debug)]
pub enum ColumnData<'a> {
    /// NULL: stored as such, or absent without a default.
    Null,
    /// Absent; the table's default, always plain.
    Default(&'a [u8]),
    /// Absent; a callback computes the default.
    Computed,
    /// One value.
    One(Instance<'a>),
    /// Several values of a multi-valued column (also one, when stored as a list).
    Many(Instances<'a>),
}

impl<'a> ColumnData<'a> {
    /// The first value in plain form; `None` for NULL.
    ///
    /// # Errors
    /// As [`Instance::plain`] and [`Instances::nth`].
    pub fn first(self, column: &Column) -> Result<Option<&'a [u8]>> {
        match self {
            ColumnData::Null => Ok(None),
            ColumnData::Default(bytes) => Ok(Some(bytes)),
            ColumnData::Computed => Err(computed()),
            ColumnData::One(instance) => instance.plain(column).map(Some),
            ColumnData::Many(list) => match list.nth(1)? {
                Some(instance) => instance.plain(column).map(Some),
                None => Ok(None),
            },
        }
    }

    /// Is it NULL?
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, ColumnData::Null)
    }

    /// Number of values: 0 for NULL.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            ColumnData::Null => 0,
            ColumnData::Default(_) | ColumnData::Computed | ColumnData::One(_) => 1,
            ColumnData::Many(list) => list.len(),
        }
    }

    /// Same as [`ColumnData::is_null`].
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.is_null()
    }

    /// Is it stored as in another record of the row? Equal values may be stored in two ways, so
    /// what differs here may still be equal; what is computed never counts as the same.
    ///
    /// # Errors
    /// As [`Instances::nth`].
    pub(crate) fn is_stored_as(self, other: ColumnData<'_>) -> Result<bool> {
        let computed = |data| matches!(data, ColumnData::Computed);
        if computed(self)
            || computed(other)
            || self.is_default() != other.is_default()
            || self.len() != other.len()
        {
            return Ok(false);
        }
        for itag in 1..=self.len() {
            if self.nth(itag)? != other.nth(itag)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Does the row say nothing of the column, so that its default shows?
    #[must_use]
    pub fn is_default(&self) -> bool {
        matches!(self, ColumnData::Default(_) | ColumnData::Computed)
    }

    /// Value `itag`, counted from 1; a default counts as value 1.
    ///
    /// # Errors
    /// As [`Instances::nth`]; `JET_errFeatureNotAvailable` for a default that a callback computes.
    pub fn nth(self, itag: usize) -> Result<Option<Instance<'a>>> {
        match self {
            ColumnData::Many(list) => list.nth(itag),
            _ if itag != 1 => Ok(None),
            ColumnData::Null => Ok(None),
            ColumnData::Computed => Err(computed()),
            ColumnData::Default(bytes) => Ok(Some(Instance::Plain(bytes))),
            ColumnData::One(instance) => Ok(Some(instance)),
        }
    }
}

/// A record, cut into its parts. The parts lie inside the bytes; what is inside them is checked
/// when it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct RecordView<'a> {
    pub(super) bytes: &'a [u8],
    /// The table's long values, for who wants to see them through the record.
    long_values: Option<&'a dyn LongValues>,
    pub(super) page_size: PageSize,
    pub(super) last_fixed: u8,
    /// 127 = none.
    pub(super) last_variable: u8,
    /// End of the fixed columns, where the NULL bitmap begins.
    pub(super) bitmap: usize,
    /// End of the fixed part, where the array of variable ends begins.
    pub(super) fixed_end: usize,
    /// First byte of variable data.
    pub(super) variable: usize,
    /// First byte of the tagged part.
    pub(super) tagged: usize,
}

impl<'a> RecordView<'a> {
    /// Cuts a record of a database with this page size.
    ///
    /// # Errors
    /// `JET_errDatabaseCorrupted` when the parts do not fit the bytes.
    pub fn new(bytes: &'a [u8], page_size: PageSize) -> Result<RecordView<'a>> {
        let &[last_fixed, last_variable, end_low, end_high, ..] = bytes else {
            return Err(damaged(format!("a record needs 4 bytes, this one has {}", bytes.len())));
        };
        let fixed_end = usize::from(u16::from_le_bytes([end_low, end_high]));
        let bitmap_len = usize::from(last_fixed).div_ceil(8);
        if last_fixed > 127 || last_variable < 127 || fixed_end < 4 + bitmap_len {
            return Err(damaged(format!(
                "record header: last fixed column {last_fixed}, last variable column \
                 {last_variable}, end of the fixed part {fixed_end}"
            )));
        }
        let variable = fixed_end + 2 * usize::from(last_variable - 127);
        let variable_len = match last_variable {
            127 => 0,
            _ => u16_at(bytes, variable - 2).map_or(usize::MAX, |end| usize::from(end & 0x7fff)),
        };
        let tagged = variable.saturating_add(variable_len);
        if tagged > bytes.len() {
            return Err(damaged(format!(
                "the variable columns of a record end behind its {} bytes",
                bytes.len()
            )));
        }
        Ok(RecordView {
            bytes,
            long_values: None,
            page_size,
            last_fixed,
            last_variable,
            bitmap: fixed_end - bitmap_len,
            fixed_end,
            variable,
            tagged,
        })
    }

    /// The same record, able to show the values that lie outside of it.
    #[must_use]
    pub fn with_long_values(self, long_values: &'a dyn LongValues) -> RecordView<'a> {
        RecordView { long_values: Some(long_values), ..self }
    }

    /// The first bytes of a value of this record, at most `most` of them, wherever and however they
    /// are stored.
    ///
    /// # Errors
    /// As [`RecordView::bytes_from`].
    pub fn bytes_of<'s>(
        &self,
        column: &Column,
        instance: Instance<'s>,
        most: usize,
    ) -> Result<Cow<'s, [u8]>> {
        self.bytes_from(column, instance, 0, most)
    }

    /// The length of a value in bytes. Of one outside of the record only its root is read.
    ///
    /// # Errors
    /// As [`RecordView::bytes_from`].
    pub fn len_of(&self, column: &Column, instance: Instance<'_>) -> Result<usize> {
        match (instance, self.long_values) {
            (Instance::Separated(lid), Some(long_values)) => {
                let len = long_values.len_of(lid);
                let len = len.map_err(|error| error.within(&format!("column \"{}\"", column.name)));
                Ok(usize::try_from(len?).unwrap_or(usize::MAX))
            }
            _ => Ok(self.bytes_from(column, instance, 0, usize::MAX)?.len()),
        }
    }

    /// As [`RecordView::bytes_of`], from an offset on; there are no bytes behind the end.
    ///
    /// # Errors
    /// `JET_errFeatureNotAvailable` for encrypted values, and for values outside a record that does
    /// not know its table's long values; `JET_errDecompressionFailed` (-1620);
    /// `JET_errLVCorrupted` (-1526).
    pub fn bytes_from<'s>(
        &self,
        column: &Column,
        instance: Instance<'s>,
        offset: usize,
        most: usize,
    ) -> Result<Cow<'s, [u8]>> {
        let part = |bytes: &[u8]| {
            let begin = offset.min(bytes.len());
            begin..begin + most.min(bytes.len() - begin)
        };
        let found = match (instance, self.long_values) {
            (Instance::Compressed(packed), _) => {
                compress::expand(packed, COMPRESSED_MOST).map(|mut bytes| {
                    bytes.truncate(part(&bytes).end);
                    bytes.drain(..part(&bytes).start);
                    bytes
                })
            }
            (Instance::Separated(lid), Some(long_values)) => {
                long_values.read_at(lid, u32::try_from(offset).unwrap_or(u32::MAX), most)
            }
            _ => {
                let bytes = instance.plain(column)?;
                return Ok(Cow::Borrowed(bytes.get(part(bytes)).unwrap_or_default()));
            }
        };
        let what = || format!("column \"{}\"", column.name);
        found.map(Cow::Owned).map_err(|error| error.within(&what()))
    }

    /// The whole record.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Where the tagged columns begin: all before is accounted for by the record's own fields.
    pub(crate) fn tagged_at(&self) -> usize {
        self.tagged
    }

    /// Highest fixed column present; 0 = none.
    #[must_use]
    pub fn last_fixed(&self) -> u8 {
        self.last_fixed
    }

    /// Highest variable column present; 127 = none.
    #[must_use]
    pub fn last_variable(&self) -> u8 {
        self.last_variable
    }

    /// The column with this id.
    ///
    /// # Errors
    /// `JET_errColumnNotFound` for an unknown id, `JET_errDatabaseCorrupted` for bytes that make no
    /// sense.
    pub fn column<'s>(&self, columns: &'s Columns, id: ColumnId) -> Result<ColumnData<'s>>
    where
        'a: 's,
    {
        self.data(columns.require(id)?)
    }

    /// What the record says of this column of its table.
    ///
    /// # Errors
    /// As [`RecordView::column`].
    pub fn data<'s>(&self, column: &'s Column) -> Result<ColumnData<'s>>
    where
        'a: 's,
    {
        if column.id.is_fixed() {
            self.fixed(column)
        } else if column.id.is_variable() {
            self.variable(column)
        } else {
            match self.tagged_part()?.find(column)? {
                None => Ok(absent(column)),
                Some(entry) => entry.data(column),
            }
        }
    }

    fn fixed<'s>(&self, column: &'s Column) -> Result<ColumnData<'s>>
    where
        'a: 's,
    {
        if column.id.0 > u16::from(self.last_fixed) {
            return Ok(absent(column));
        }
        if self.fixed_is_null(column.id) {
            return Ok(ColumnData::Null);
        }
        let begin = usize::from(column.record_offset);
        let end = begin + column.fixed_len();
        match self.bytes.get(begin..end) {
            Some(bytes) if end <= self.bitmap => Ok(ColumnData::One(Instance::Plain(bytes))),
            _ => Err(damaged_column(column, "lies outside the fixed part of the record")),
        }
    }

    /// The bit of a fixed column that is present; an absent one counts as NULL.
    pub(super) fn fixed_is_null(&self, id: ColumnId) -> bool {
        let bit = usize::from(id.0).saturating_sub(1);
        let byte = self.bytes.get(self.bitmap..self.fixed_end).and_then(|map| map.get(bit / 8));
        byte.is_none_or(|byte| byte >> (bit % 8) & 1 == 1)
    }

    fn variable<'s>(&self, column: &'s Column) -> Result<ColumnData<'s>>
    where
        'a: 's,
    {
        if column.id.0 > u16::from(self.last_variable) {
            return Ok(absent(column));
        }
        match self.variable_bytes(column.id) {
            Some(Some(bytes)) => Ok(ColumnData::One(Instance::Plain(bytes))),
            Some(None) => Ok(ColumnData::Null),
            None => Err(damaged_column(column, "has no place among the variable columns")),
        }
    }

    /// A variable column that is present: its bytes, or `None` for NULL. Outer `None`: damage.
    pub(super) fn variable_bytes(&self, id: ColumnId) -> Option<Option<&'a [u8]>> {
        let at = usize::from(id.0).checked_sub(128)?;
        let end = u16_at(self.bytes, self.fixed_end + 2 * at)?;
        if end & 0x8000 != 0 {
            return Some(None);
        }
        let begin = match at {
            0 => 0,
            _ => usize::from(u16_at(self.bytes, self.fixed_end + 2 * at - 2)? & 0x7fff),
        };
        let data = self.bytes.get(self.variable..self.tagged)?;
        data.get(begin..usize::from(end)).map(Some)
    }

    /// The tagged part.
    pub(super) fn tagged_part(&self) -> Result<TaggedPart<'a>> {
        TaggedPart::new(self.bytes.get(self.tagged..).unwrap_or_default(), self.page_size)
    }

    /// Ids of the values that lie outside of the record, once for each reference.
    ///
    /// # Errors
    /// `JET_errDatabaseCorrupted`.
    pub fn lids(&self) -> Result<Vec<Lid>> {
        let (part, mut lids) = (self.tagged_part()?, Vec::new());
        for at in 0..part.len() {
            part.entry(at)?.append_lids(&mut lids)?;
        }
        Ok(lids)
    }

    /// Stored ids of the tagged columns that are there, explicit NULLs included, in stored order.
    ///
    /// # Errors
    /// `JET_errDatabaseCorrupted`.
    pub fn tagged_ids(&self) -> Result<Vec<ColumnId>> {
        let part = self.tagged_part()?;
        (0..part.len()).map(|at| part.entry(at).map(|entry| entry.id)).collect()
    }
}

/// A column that the record does not mention.
fn absent(column: &Column) -> ColumnData<'_> {
    if column.is_computed() {
        return ColumnData::Computed;
    }
    column.default.as_deref().map_or(ColumnData::Null, ColumnData::Default)
}

/// Callbacks belong to the interface that has sessions and cursors to give to them.
#[track_caller]
fn computed() -> Error {
    Error::new(JetErr::FeatureNotAvailable, "the default of a column is computed by a callback")
        .advise("read it with JetRetrieveColumn")
}

#[track_caller]
fn unavailable(column: &Column, feature: &str) -> Error {
    Error::new(
        JetErr::FeatureNotAvailable,
        format!("column \"{}\": {feature} cannot be read by this version", column.name),
    )
}

#[track_caller]
pub(super) fn damaged(what: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(JetErr::DatabaseCorrupted, what)
}

#[track_caller]
pub(super) fn damaged_column(column: &Column, what: &str) -> Error {
    damaged(format!("column \"{}\" {what}", column.name))
}
