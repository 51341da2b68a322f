//! Building a record from values, in one pass and without allocating.

use ese_base::{Error, JetErr, PageSize, Result};
use smallvec::SmallVec;

use super::tagged::{TAGFLD_LEN, ext, ib};
use crate::schema::{CODE_PAGE_UNICODE, ColType, Column, ColumnId, Columns, TableSchema};

/// A column and its value in record encoding; `None` is NULL.
pub type ColumnValue<'v> = (ColumnId, Option<&'v [u8]>);

/// Values of a multi-valued column, each with its offset bits.
pub(super) type ValueList<'v> = SmallVec<[(u16, &'v [u8]); 8]>;

/// What shapes the records of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowShape<'s> {
    pub(crate) columns: &'s Columns,
    pub(crate) page_size: PageSize,
    pub(crate) record_len_max: usize,
    /// What stands in the place of a NULL fixed column. Zero: some readers show it. The catalog
    /// has Windows' own filler.
    pub(crate) filler: u8,
}

impl<'s> RowShape<'s> {
    pub(crate) fn of(schema: &'s TableSchema) -> RowShape<'s> {
        RowShape {
            columns: &schema.columns,
            page_size: schema.page_size,
            record_len_max: schema.record_len_max(),
            filler: 0,
        }
    }
}

/// Encodes a new row into `out`, which is emptied first.
///
/// Values come in record encoding (edb-format 7.2), in any order of columns; ascending ids are
/// fastest. A tagged column is given once per value. A column that is not given has its
/// default: fixed and variable ones are copied into the record, tagged ones stay absent.
///
/// # Errors
/// `JET_errColumnNotFound`, `JET_errInvalidBufferSize` (length of a fixed column),
/// `JET_errColumnTooBig`, `JET_errNullInvalid` (-1504), `JET_errBadItagSequence` (a second value of
/// a fixed or variable column), `JET_errRecordTooBig` (edb-format 7.7).
pub fn encode_row(
    schema: &TableSchema,
    values: &[ColumnValue<'_>],
    out: &mut Vec<u8>,
) -> Result<()> {
    encode_columns(&RowShape::of(schema), values, out)
}

/// As [`encode_row`], for a shape.
pub(crate) fn encode_columns(
    shape: &RowShape<'_>,
    values: &[ColumnValue<'_>],
    out: &mut Vec<u8>,
) -> Result<()> {
    if !values.is_sorted_by_key(|(id, _)| *id) {
        let mut sorted: SmallVec<[ColumnValue<'_>; 16]> = SmallVec::from_slice(values);
        sorted.sort_by_key(|(id, _)| *id);
        return encode_columns(shape, &sorted, out);
    }
    let fixed_count = values.partition_point(|(id, _)| *id <= ColumnId::FIXED_LAST);
    let (fixed, rest) = values.split_at(fixed_count);
    let variable_count = rest.partition_point(|(id, _)| *id <= ColumnId::VARIABLE_LAST);
    let (variable, tagged) = rest.split_at(variable_count);

    out.clear();
    put_fixed(shape, fixed, out)?;
    put_variable(shape, variable, out)?;
    if !tagged.is_empty() {
        put_tagged(shape, tagged, out)?;
    }
    check_len(shape, out.len())?;
    check_required(shape.columns, values)
}

/// Is the record short enough for its page?
pub(super) fn check_len(shape: &RowShape<'_>, len: usize) -> Result<()> {
    if len > shape.record_len_max {
        return Err(Error::new(
            JetErr::RecordTooBig,
            format!(
                "a record of {len} bytes; pages of {} bytes hold at most {}",
                shape.page_size, shape.record_len_max
            ),
        ));
    }
    Ok(())
}

/// Columns that refuse NULL and have no value given, nor a default to fall back on.
fn check_required(columns: &Columns, values: &[ColumnValue<'_>]) -> Result<()> {
    for id in columns.required() {
        let at = values.partition_point(|(given, _)| given < id);
        match values.get(at) {
            Some((given, Some(_))) if given == id => {}
            Some((given, None)) if given == id => return Err(null_refused(columns, *id)),
            _ if columns.by_id(*id).is_some_and(|column| column.has_default()) => {}
            _ => return Err(null_refused(columns, *id)),
        }
    }
    Ok(())
}

#[track_caller]
pub(super) fn null_refused(columns: &Columns, id: ColumnId) -> Error {
    let name = columns.by_id(id).map_or("", |column| column.name.as_str());
    Error::new(JetErr::ColumnIllegalNull, format!("column \"{name}\" refuses NULL"))
}

/// Fixed columns: up to the highest that has a value or a default.
fn put_fixed(shape: &RowShape<'_>, values: &[ColumnValue<'_>], out: &mut Vec<u8>) -> Result<()> {
    let columns = shape.columns;
    let defaults = columns.defaults();
    let defaults = defaults.split_at(defaults.partition_point(|id| id.is_fixed())).0;
    let last_given = values.iter().rev().find(|(_, value)| value.is_some());
    let last = last_given.map_or(0, |(id, _)| id.0).max(defaults.last().map_or(0, |id| id.0));
    let last = u8::try_from(last).map_err(|_| out_of_range())?;
    let end = columns.fixed_end(last).ok_or_else(|| {
        Error::new(JetErr::ColumnNotFound, format!("the table has no column with id {last}"))
    })?;
    let bitmap_len = usize::from(last).div_ceil(8);
    let fixed_end = u16::try_from(end + bitmap_len).map_err(|_| out_of_range())?;
    let [end_low, end_high] = fixed_end.to_le_bytes();
    out.extend_from_slice(&[last, 127, end_low, end_high]);
    out.resize(end, shape.filler);
    out.resize(end + bitmap_len, 0xff);
    for id in defaults {
        let column = columns.require(*id)?;
        let default = column.default.as_deref().unwrap_or_default();
        write_fixed(out, end, column, Some(default), shape.filler)?;
    }
    let mut previous = ColumnId(0);
    for (id, value) in values {
        let column = columns.require(*id)?;
        if *id == previous {
            return Err(second_value(column));
        }
        previous = *id;
        if id.0 <= u16::from(last) {
            write_fixed(out, end, column, *value, shape.filler)?;
        }
    }
    Ok(())
}

/// Writes a fixed column and its bit into a record whose bitmap begins at `bitmap`.
pub(super) fn write_fixed(
    record: &mut [u8],
    bitmap: usize,
    column: &Column,
    value: Option<&[u8]>,
    filler: u8,
) -> Result<()> {
    let bit = usize::from(column.id.0).saturating_sub(1);
    let begin = usize::from(column.record_offset);
    let (fixed, map) = record.split_at_mut_checked(bitmap).ok_or_else(out_of_range)?;
    let place = fixed.get_mut(begin..begin + column.fixed_len()).ok_or_else(out_of_range)?;
    let map_byte = map.get_mut(bit / 8).ok_or_else(out_of_range)?;
    let mask = 1 << (bit % 8);
    let Some(value) = value else {
        place.fill(filler);
        *map_byte |= mask;
        return Ok(());
    };
    *map_byte &= !mask;
    if value.len() == place.len() {
        place.copy_from_slice(value);
    } else {
        pad(place, column, value)?;
    }
    if column.ty == ColType::Bit {
        place.fill(if value.iter().all(|byte| *byte == 0) { 0 } else { 0xff });
    }
    Ok(())
}

/// Fixed binary and text columns are filled up (edb-format 7.2); other types must fit exactly.
fn pad(place: &mut [u8], column: &Column, value: &[u8]) -> Result<()> {
    let paddable = matches!(column.ty, ColType::Binary | ColType::Text);
    let wrong = || {
        Error::new(
            JetErr::InvalidBufferSize,
            format!(
                "column \"{}\" has values of {} bytes, not of {}",
                column.name,
                column.fixed_len(),
                value.len()
            ),
        )
    };
    if !paddable {
        return Err(wrong());
    }
    let (text, padding) = place.split_at_mut_checked(value.len()).ok_or_else(wrong)?;
    text.copy_from_slice(value);
    match column.ty {
        ColType::Text if column.code_page == CODE_PAGE_UNICODE => {
            for (at, byte) in padding.iter_mut().enumerate() {
                *byte = if at % 2 == 0 { 0x20 } else { 0 };
            }
        }
        ColType::Text => padding.fill(0x20),
        _ => padding.fill(0),
    }
    Ok(())
}

/// Variable columns: up to the highest that has a value or a default.
fn put_variable(shape: &RowShape<'_>, values: &[ColumnValue<'_>], out: &mut Vec<u8>) -> Result<()> {
    let columns = shape.columns;
    let defaults = columns.defaults();
    let defaults = defaults.split_at(defaults.partition_point(|id| id.is_fixed())).1;
    let last_given = values.iter().rev().find(|(_, value)| value.is_some());
    let last = last_given.map_or(127, |(id, _)| id.0).max(defaults.last().map_or(127, |id| id.0));
    let array = out.len();
    let data = array + 2 * usize::from(last - 127);
    out.resize(data, 0);
    let mut values = values.iter().peekable();
    for id in 128..=last {
        let id = ColumnId(id);
        let given = values.next_if(|(given, _)| *given == id);
        let value = match given {
            Some((_, value)) => {
                let column = columns.require(id)?;
                if values.peek().is_some_and(|(next, _)| *next == id) {
                    return Err(second_value(column));
                }
                check_value_len(column, value.unwrap_or_default())?;
                *value
            }
            None => columns.by_id(id).and_then(|column| column.default.as_deref()),
        };
        let at = array + 2 * usize::from(id.0 - 128);
        put_variable_end(out, at, data, value)?;
    }
    // What is left are NULLs above the last value.
    for (id, _) in values {
        columns.require(*id)?;
    }
    if let Some(byte) = out.get_mut(1) {
        *byte = u8::try_from(last).map_err(|_| out_of_range())?;
    }
    Ok(())
}

/// Appends a variable value and enters its end at `at`; `data` is where variable data begins.
pub(super) fn put_variable_end(
    out: &mut Vec<u8>,
    at: usize,
    data: usize,
    value: Option<&[u8]>,
) -> Result<()> {
    out.extend_from_slice(value.unwrap_or_default());
    let end = u16::try_from(out.len() - data).ok().filter(|end| *end < 0x8000);
    let end = end.ok_or_else(out_of_range)? | if value.is_none() { 0x8000 } else { 0 };
    let place = out.get_mut(at..at + 2).ok_or_else(out_of_range)?;
    place.copy_from_slice(&end.to_le_bytes());
    Ok(())
}

/// Tagged columns: the array first, each entry as its data is appended.
fn put_tagged(shape: &RowShape<'_>, values: &[ColumnValue<'_>], out: &mut Vec<u8>) -> Result<()> {
    let mut stored = 0;
    for group in values.chunk_by(|a, b| a.0 == b.0) {
        let column = group.first().map(|(id, _)| shape.columns.require(*id)).transpose()?;
        stored += usize::from(column.is_some_and(|column| is_stored(column, group)));
    }
    let mut writer = TaggedWriter::begin(out, shape, stored);
    for group in values.chunk_by(|a, b| a.0 == b.0) {
        let Some((id, first)) = group.first() else { continue };
        let column = shape.columns.require(*id)?;
        if !is_stored(column, group) {
            continue;
        }
        if group.len() == 1 {
            let Some(value) = first else {
                writer.null(*id)?;
                continue;
            };
            let value = normal_value(column, value)?;
            writer.single(*id, long_ext(column), value)?;
        } else {
            put_list(&mut writer, column, group)?;
        }
    }
    Ok(())
}

/// NULL is stored only to override a default.
fn is_stored(column: &Column, group: &[ColumnValue<'_>]) -> bool {
    column.has_default() || group.iter().any(|(_, value)| value.is_some())
}

fn put_list(
    writer: &mut TaggedWriter<'_>,
    column: &Column,
    group: &[ColumnValue<'_>],
) -> Result<()> {
    writer.list(column.id, long_ext(column), &several_values(column, group)?)
}

/// The values of a tagged column, fit to be stored. It holds as many as are given: whether it was
/// made to hold several only tells indexes which of them count.
pub(super) fn several_values<'v>(
    column: &Column,
    group: &[ColumnValue<'v>],
) -> Result<ValueList<'v>> {
    if !column.id.is_tagged() {
        return Err(second_value(column));
    }
    let value = |(_, value): &ColumnValue<'v>| {
        let value = value.ok_or_else(|| {
            Error::new(
                JetErr::InvalidParameter,
                format!("column \"{}\": NULL among several values", column.name),
            )
        })?;
        Ok((0, normal_value(column, value)?))
    };
    group.iter().map(value).collect()
}

/// The extended byte of a column's plain values.
pub(super) fn long_ext(column: &Column) -> u8 {
    if column.ty.is_long() { ext::LONG } else { 0 }
}

/// A value fit to be stored in a tagged column: any bit that is not zero is all ones.
pub(super) fn normal_value<'v>(column: &Column, value: &'v [u8]) -> Result<&'v [u8]> {
    check_value_len(column, value)?;
    Ok(match (column.ty, value) {
        (ColType::Bit, [0]) => &[0],
        (ColType::Bit, _) => &[0xff],
        _ => value,
    })
}

/// Longest value of a variable or tagged column; one length for fixed types among tagged ones.
pub(crate) fn check_value_len(column: &Column, value: &[u8]) -> Result<()> {
    let code = match column.ty.fixed_len() {
        // Of tagged columns the limit comes first.
        Some(len) if len < value.len() && column.id.is_tagged() => JetErr::ColumnTooBig,
        Some(len) if len != value.len() => JetErr::InvalidBufferSize,
        None if column.max_len != 0
            && usize::try_from(column.max_len).is_ok_and(|max| value.len() > max) =>
        {
            JetErr::ColumnTooBig
        }
        _ => return Ok(()),
    };
    Err(Error::new(
        code,
        format!(
            "column \"{}\" takes {} bytes, the value has {}",
            column.name,
            column.max_len,
            value.len()
        ),
    ))
}

#[track_caller]
fn second_value(column: &Column) -> Error {
    Error::new(
        JetErr::BadItagSequence,
        format!("column \"{}\" holds one value, several were given", column.name),
    )
}

/// A value as the record of this column holds it: lengths checked, fixed columns filled up.
pub(crate) fn column_value(column: &Column, value: &[u8]) -> Result<Vec<u8>> {
    if !column.id.is_fixed() {
        return normal_value(column, value).map(<[u8]>::to_vec);
    }
    let begin = usize::from(column.record_offset);
    let bitmap = begin + column.fixed_len();
    let mut record = vec![0; bitmap + usize::from(column.id.0).div_ceil(8)];
    write_fixed(&mut record, bitmap, column, Some(value), 0)?;
    Ok(record.get(begin..bitmap).unwrap_or_default().to_vec())
}

/// Bytes of a record in which every fixed column has a value and nothing else has.
pub(crate) fn minimal_len(columns: &Columns) -> usize {
    let last = columns.last_fixed();
    columns.fixed_end(last).unwrap_or(0) + usize::from(last).div_ceil(8)
}

/// Only rows far beyond every page size get here.
#[track_caller]
fn out_of_range() -> Error {
    Error::new(JetErr::RecordTooBig, "a record is longer than its own offsets can say")
}

/// Appends a tagged part, entry by entry in ascending order of column ids.
pub(super) struct TaggedWriter<'o> {
    out: &'o mut Vec<u8>,
    small: bool,
    /// Where the tagged part begins.
    base: usize,
    /// Where the next TAGFLD goes.
    next: usize,
    /// How many tagged ids belong to the template table.
    inherited: u16,
}

impl<'o> TaggedWriter<'o> {
    /// Reserves the array; exactly `count` entries must follow.
    pub(super) fn begin(out: &'o mut Vec<u8>, shape: &RowShape<'_>, count: usize) -> Self {
        let base = out.len();
        out.resize(base + count * TAGFLD_LEN, 0);
        let inherited = shape.columns.inherited_tagged();
        TaggedWriter { out, small: shape.page_size.is_small(), base, next: base, inherited }
    }

    /// Enters a TAGFLD of a column of the table.
    fn entry(&mut self, id: ColumnId, flags: u16) -> Result<()> {
        match id.0 - ColumnId::TAGGED_FIRST.0 {
            at if at < self.inherited => self.stored_entry(id, flags | ib::DERIVED),
            _ => self.stored_entry(ColumnId(id.0 - self.inherited), flags),
        }
    }

    /// Enters a TAGFLD whose data begins at the end of what is there.
    fn stored_entry(&mut self, id: ColumnId, flags: u16) -> Result<()> {
        let ib = u16::try_from(self.out.len() - self.base).map_err(|_| out_of_range())?;
        if ib > if self.small { ib::SMALL_MASK } else { ib::LARGE_MASK } {
            return Err(out_of_range());
        }
        let [id_low, id_high] = id.0.to_le_bytes();
        let [ib_low, ib_high] = (ib | flags).to_le_bytes();
        let place = self.out.get_mut(self.next..self.next + TAGFLD_LEN);
        place.ok_or_else(out_of_range)?.copy_from_slice(&[id_low, id_high, ib_low, ib_high]);
        self.next += TAGFLD_LEN;
        Ok(())
    }

    /// An explicit NULL.
    pub(super) fn null(&mut self, id: ColumnId) -> Result<()> {
        if self.small {
            return self.entry(id, ib::SMALL_NULL);
        }
        self.entry(id, 0)?;
        self.out.push(ext::NULL);
        Ok(())
    }

    /// One value with its extended byte (left out on small pages when it is 0).
    pub(super) fn single(&mut self, id: ColumnId, ext: u8, data: &[u8]) -> Result<()> {
        let with_ext = ext != 0 || !self.small;
        self.entry(id, if self.small && with_ext { ib::SMALL_EXTENDED } else { 0 })?;
        if with_ext {
            self.out.push(ext);
        }
        self.out.extend_from_slice(data);
        Ok(())
    }

    /// Several values, each with the bits of its offset word (0x8000: outside the record). Two
    /// short plain values of a short type have a form of their own, which readers expect
    /// (edb-format 7.5).
    pub(super) fn list(&mut self, id: ColumnId, ext: u8, list: &[(u16, &[u8])]) -> Result<()> {
        let flags = if self.small { ib::SMALL_EXTENDED } else { 0 };
        self.entry(id, flags)?;
        if let [(0, first), (0, second)] = list
            && ext == 0
            && let Ok(first_len) = u8::try_from(first.len())
        {
            self.out.extend_from_slice(&[ext::MULTI | ext::TWO, first_len]);
            self.out.extend_from_slice(first);
            self.out.extend_from_slice(second);
            return Ok(());
        }
        self.out.push(ext | ext::MULTI);
        let mut offset = 2 * list.len();
        for (bits, value) in list {
            let word = u16::try_from(offset).ok().filter(|word| *word < 0x8000);
            let word = word.ok_or_else(out_of_range)? | bits;
            self.out.extend_from_slice(&word.to_le_bytes());
            offset += value.len();
        }
        for (_, value) in list {
            self.out.extend_from_slice(value);
        }
        Ok(())
    }

    /// An entry copied from another record of the same page size, without looking at its data.
    pub(super) fn copy(&mut self, entry: &super::tagged::Entry<'_>) -> Result<()> {
        let derived = if entry.derived { ib::DERIVED } else { 0 };
        if self.small {
            let extended = if entry.ext != 0 { ib::SMALL_EXTENDED } else { 0 };
            let null = if entry.null { ib::SMALL_NULL } else { 0 };
            self.stored_entry(entry.id, derived | extended | null)?;
        } else {
            self.stored_entry(entry.id, derived)?;
        }
        if entry.ext != 0 || !self.small {
            self.out.push(entry.ext);
        }
        self.out.extend_from_slice(entry.data);
        Ok(())
    }
}
