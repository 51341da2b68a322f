//! Changing columns of an existing record. What is not changed is copied as it is stored, unknown
//! columns, values outside the record and compressed values included.

use ese_base::Result;
use smallvec::SmallVec;

use super::{
    encode::{
        ColumnValue, RowShape, TaggedWriter, ValueList, check_len, check_value_len, long_ext,
        normal_value, null_refused, put_variable_end, several_values, write_fixed,
    },
    tagged::Entry,
    view::{RecordView, damaged},
};
use crate::schema::{Column, ColumnFlags, ColumnId, Columns, TableSchema};

/// New content of one column.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change<'v> {
    /// NULL; a column with a default stores it explicitly.
    Null,
    /// Nothing stored: the default shows again (tagged columns).
    Absent,
    /// One value.
    Value(&'v [u8]),
    /// A tagged entry, ready made: extended byte and, for lists, the values with their offset bits.
    List(u8, &'v [(u16, &'v [u8])]),
    /// A tagged entry with this extended byte.
    Raw(u8, &'v [u8]),
}

/// Changes columns of `old` and writes the new record to `out`, which is emptied first. Values as
/// in [`super::encode_row`]; those of a multi-valued column replace all that it had.
///
/// # Errors
/// As [`super::encode_row`], and `JET_errDatabaseCorrupted` when the old record is damaged.
pub fn replace_columns(
    schema: &TableSchema,
    old: &RecordView<'_>,
    changes: &[ColumnValue<'_>],
    out: &mut Vec<u8>,
) -> Result<()> {
    let mut sorted: SmallVec<[ColumnValue<'_>; 8]> = SmallVec::from_slice(changes);
    sorted.sort_by_key(|(id, _)| *id);
    let mut lists: SmallVec<[ValueList<'_>; 2]> = SmallVec::new();
    for group in sorted.chunk_by(|a, b| a.0 == b.0) {
        if let [(id, _), _, ..] = group {
            lists.push(several_values(schema.columns.require(*id)?, group)?);
        }
    }
    let mut lists = lists.iter();
    let mut single: SmallVec<[(ColumnId, Change<'_>); 8]> = SmallVec::new();
    for group in sorted.chunk_by(|a, b| a.0 == b.0) {
        let Some((id, first)) = group.first() else { continue };
        let several = if group.len() > 1 { lists.next() } else { None };
        single.push(match (several, first) {
            (Some(list), _) => (*id, Change::List(long_ext(schema.columns.require(*id)?), list)),
            (None, Some(value)) => (*id, Change::Value(value)),
            (None, None) => (*id, Change::Null),
        });
    }
    apply(&RowShape::of(schema), old, &single, out)
}

/// Applies changes, ascending by column id and one per column.
pub(super) fn apply(
    shape: &RowShape<'_>,
    old: &RecordView<'_>,
    changes: &[(ColumnId, Change<'_>)],
    out: &mut Vec<u8>,
) -> Result<()> {
    for (id, change) in changes {
        let column = shape.columns.require(*id)?;
        if column.flags.contains(ColumnFlags::NOT_NULL) && matches!(change, Change::Null) {
            return Err(null_refused(shape.columns, *id));
        }
    }
    let (fixed, rest) =
        changes.split_at(changes.partition_point(|(id, _)| *id <= ColumnId::FIXED_LAST));
    let (variable, tagged) =
        rest.split_at(rest.partition_point(|(id, _)| *id <= ColumnId::VARIABLE_LAST));
    out.clear();
    edit_fixed(shape, old, fixed, out)?;
    edit_variable(shape, old, variable, out)?;
    edit_tagged(shape, old, tagged, out)?;
    check_len(shape, out.len())
}

/// Does the change make the column present in the fixed or variable part?
fn extends(column: &Column, change: &Change<'_>) -> bool {
    match change {
        Change::Null => column.has_default(),
        _ => true,
    }
}

/// Highest column of a part: what the record has, or what a change adds.
fn last_after(columns: &Columns, old: u8, changes: &[(ColumnId, Change<'_>)]) -> Result<u8> {
    let mut last = u16::from(old);
    for (id, change) in changes {
        if extends(columns.require(*id)?, change) {
            last = last.max(id.0);
        }
    }
    u8::try_from(last).map_err(|_| damaged("a fixed or variable column id above 255"))
}

fn edit_fixed(
    shape: &RowShape<'_>,
    old: &RecordView<'_>,
    changes: &[(ColumnId, Change<'_>)],
    out: &mut Vec<u8>,
) -> Result<()> {
    let last = last_after(shape.columns, old.last_fixed, changes)?;
    if last == old.last_fixed {
        out.extend_from_slice(fixed_part(old)?);
    } else {
        extend_fixed(shape, old, last, out)?;
    }
    let bitmap = out.len() - usize::from(last).div_ceil(8);
    for (id, change) in changes.iter().filter(|(id, _)| id.0 <= u16::from(last)) {
        let value = match change {
            Change::Value(value) => Some(*value),
            _ => None,
        };
        write_fixed(out, bitmap, shape.columns.require(*id)?, value, shape.filler)?;
    }
    let end = u16::try_from(out.len()).map_err(|_| damaged("a fixed part above 64 KiB"))?;
    let [end_low, end_high] = end.to_le_bytes();
    let header = out.get_mut(..4).ok_or_else(|| damaged("a record without header"))?;
    header.copy_from_slice(&[last, old.last_variable, end_low, end_high]);
    Ok(())
}

/// Header, fixed columns and bitmap of a record.
fn fixed_part<'a>(old: &RecordView<'a>) -> Result<&'a [u8]> {
    old.bytes.get(..old.fixed_end).ok_or_else(|| damaged("a record ends within its fixed part"))
}

/// Copies the fixed part and makes room up to column `last`: new columns begin with their default.
fn extend_fixed(
    shape: &RowShape<'_>,
    old: &RecordView<'_>,
    last: u8,
    out: &mut Vec<u8>,
) -> Result<()> {
    let fixed = fixed_part(old)?;
    let (columns, map) = fixed.split_at(old.bitmap);
    let end = shape.columns.fixed_end(last).filter(|end| *end >= columns.len());
    let end = end.ok_or_else(|| damaged("a fixed part longer than the table's columns"))?;
    out.extend_from_slice(columns);
    out.resize(end, shape.filler);
    out.extend_from_slice(map);
    out.resize(end + usize::from(last).div_ceil(8), 0xff);
    for id in u16::from(old.last_fixed) + 1..=u16::from(last) {
        if let Some(column) = shape.columns.by_id(ColumnId(id)) {
            write_fixed(out, end, column, column.default.as_deref(), shape.filler)?;
        }
    }
    Ok(())
}

fn edit_variable(
    shape: &RowShape<'_>,
    old: &RecordView<'_>,
    changes: &[(ColumnId, Change<'_>)],
    out: &mut Vec<u8>,
) -> Result<()> {
    let last = last_after(shape.columns, old.last_variable, changes)?;
    let array = out.len();
    let data = array + 2 * usize::from(last - 127);
    out.resize(data, 0);
    let mut changes = changes.iter().peekable();
    for id in 128..=u16::from(last) {
        let id = ColumnId(id);
        let value = match changes.next_if(|(changed, _)| *changed == id) {
            Some((_, Change::Value(value))) => {
                check_value_len(shape.columns.require(id)?, value)?;
                Some(*value)
            }
            Some(_) => None,
            None if id.0 <= u16::from(old.last_variable) => old
                .variable_bytes(id)
                .ok_or_else(|| damaged(format!("variable column {id} of a record is malformed")))?,
            None => shape.columns.by_id(id).and_then(|column| column.default.as_deref()),
        };
        put_variable_end(out, array + 2 * usize::from(id.0 - 128), data, value)?;
    }
    if let Some(byte) = out.get_mut(1) {
        *byte = last;
    }
    Ok(())
}

/// What one column of the tagged part becomes.
enum Kept<'k, 'a> {
    Old(Entry<'a>),
    New(ColumnId, &'k Change<'k>),
}

fn edit_tagged(
    shape: &RowShape<'_>,
    old: &RecordView<'_>,
    changes: &[(ColumnId, Change<'_>)],
    out: &mut Vec<u8>,
) -> Result<()> {
    if changes.is_empty() {
        out.extend_from_slice(old.bytes.get(old.tagged..).unwrap_or_default());
        return Ok(());
    }
    let kept = merge_tagged(shape.columns, old, changes)?;
    let mut writer = TaggedWriter::begin(out, shape, kept.len());
    for item in &kept {
        let (id, change) = match item {
            Kept::Old(entry) => {
                writer.copy(entry)?;
                continue;
            }
            Kept::New(id, change) => (*id, *change),
        };
        let column = shape.columns.require(id)?;
        match change {
            Change::Value(value) => {
                writer.single(id, long_ext(column), normal_value(column, value)?)?;
            }
            Change::Raw(ext, data) => writer.single(id, *ext, data)?,
            Change::List(ext, list) => writer.list(id, *ext, list)?,
            Change::Null | Change::Absent => writer.null(id)?,
        }
    }
    Ok(())
}

/// Old entries and changes in stored order (derived ones first, then by id), without what
/// disappears.
fn merge_tagged<'k, 'a>(
    columns: &Columns,
    old: &RecordView<'a>,
    changes: &'k [(ColumnId, Change<'k>)],
) -> Result<SmallVec<[Kept<'k, 'a>; 8]>> {
    let part = old.tagged_part()?;
    let mut kept = SmallVec::new();
    let mut changes = changes.iter().peekable();
    let place = |kept: &mut SmallVec<[Kept<'k, 'a>; 8]>,
                 (id, change): &'k (ColumnId, Change<'k>)| {
        let has_default = columns.by_id(*id).is_some_and(|column| column.has_default());
        match change {
            Change::Absent => {}
            Change::Null if !has_default => {}
            _ => kept.push(Kept::New(*id, change)),
        }
    };
    let mut before = None;
    for at in 0..part.len() {
        let entry = part.entry(at)?;
        // Searches miss what stands out of order: the change would seem to be lost.
        let order = (!entry.derived, entry.id);
        if before.replace(order).is_some_and(|before| before >= order) {
            return Err(damaged("the tagged columns of a record are out of order"));
        }
        let Some(own_id) = columns.tagged_id(entry.derived, entry.id) else {
            kept.push(Kept::Old(entry));
            continue;
        };
        while let Some(change) = changes.next_if(|(id, _)| *id < own_id) {
            place(&mut kept, change);
        }
        match changes.next_if(|(id, _)| *id == own_id) {
            Some(change) => place(&mut kept, change),
            None => kept.push(Kept::Old(entry)),
        }
    }
    for change in changes {
        place(&mut kept, change);
    }
    Ok(kept)
}
