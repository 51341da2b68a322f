//! One segment of a key.

use ese_base::{Error, JetErr, Result};

use super::{collation::Collation, unicode::unicode_text};
use crate::schema::{ColType, Column, Index, IndexFlags};

/// Prefix bytes.
pub(super) mod prefix {
    pub(in super::super) const NULL: u8 = 0x00;
    pub(in super::super) const EMPTY: u8 = 0x40;
    pub(in super::super) const DATA: u8 = 0x7f;
    pub(in super::super) const NULL_HIGH: u8 = 0xc0;
}

/// Source bytes of a GUID in key order, and as .NET orders them.
pub(super) const GUID_ORDER: [usize; 16] = [10, 11, 12, 13, 14, 15, 8, 9, 6, 7, 4, 5, 0, 1, 2, 3];
pub(super) const GUID_ORDER_DOT_NET: [usize; 16] =
    [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

/// What of an index shapes its keys.
#[derive(Clone, Copy, Debug)]
pub struct KeyRules<'i> {
    /// Longest key in bytes.
    pub key_len_max: usize,
    /// Longest segment of a variable-length column, prefix byte included, where it is limited.
    pub segment_len_max: Option<usize>,
    /// NULL sorts behind values.
    pub nulls_high: bool,
    /// GUIDs order as .NET orders them.
    pub dot_net_guid: bool,
    /// How UTF-16 text sorts, if that is known here.
    pub collation: Option<&'i Collation>,
    /// The keys are those of rows, not of entries.
    pub primary: bool,
}

impl KeyRules<'_> {
    /// Rules without options, and without UTF-16 text.
    #[must_use]
    pub fn plain(key_len_max: usize) -> KeyRules<'static> {
        KeyRules {
            key_len_max,
            segment_len_max: None,
            nulls_high: false,
            dot_net_guid: false,
            collation: None,
            primary: false,
        }
    }

    /// The rules of an index.
    #[must_use]
    pub fn of(index: &Index) -> KeyRules<'_> {
        let key_len_max = index.key_len_max();
        KeyRules {
            key_len_max,
            segment_len_max: index
                .var_seg_mac
                .map(usize::from)
                .filter(|segment| *segment < key_len_max),
            nulls_high: index.flags.contains(IndexFlags::NULLS_HIGH),
            dot_net_guid: index.flags.contains(IndexFlags::DOT_NET_GUID),
            collation: index.collation.as_deref(),
            primary: index.is_primary(),
        }
    }
}

/// Appends one segment to the key in `out`. `value` is in record encoding; `None` is NULL. Answers
/// whether the limit of the key cut the segment (the limit of a segment is no cut).
///
/// # Errors
/// `JET_errSecondaryIndexCorrupted` (-1414) and `JET_errPrimaryIndexCorrupted` (-1413) for UTF-16
/// text where another engine made the keys, `JET_errInvalidBufferSize` for a value whose length
/// does not suit its type.
pub fn normalise(
    rules: &KeyRules<'_>,
    column: &Column,
    descending: bool,
    value: Option<&[u8]>,
    out: &mut Vec<u8>,
) -> Result<bool> {
    let begin = out.len();
    let room = rules.key_len_max.saturating_sub(begin);
    let cut = match value {
        None => {
            let null = if rules.nulls_high { prefix::NULL_HIGH } else { prefix::NULL };
            put(out, &[null], room)
        }
        Some(bytes) if column.ty.fixed_len().is_some() => {
            fixed_type(rules, column, bytes, room, out)?
        }
        Some([]) => put(out, &[prefix::EMPTY], room),
        Some(bytes) => match column.ty {
            ColType::Text | ColType::LongText if column.is_unicode() => {
                unicode_text(rules, column, bytes, room, out)?
            }
            ColType::Text | ColType::LongText => western_text(rules, bytes, room, out),
            _ if column.id.is_fixed() => raw_binary(rules, bytes, room, out),
            _ => grouped_binary(rules, bytes, room, out),
        },
    };
    if descending {
        for byte in out.iter_mut().skip(begin) {
            *byte = !*byte;
        }
    }
    Ok(cut)
}

/// Appends as much as there is room for; answers whether that was not all.
pub(super) fn put(out: &mut Vec<u8>, bytes: &[u8], room: usize) -> bool {
    out.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    bytes.len() > room
}

/// Types of one length.
fn fixed_type(
    rules: &KeyRules<'_>,
    column: &Column,
    value: &[u8],
    room: usize,
    out: &mut Vec<u8>,
) -> Result<bool> {
    let mut segment = [0; 17];
    segment[0] = prefix::DATA;
    let len = value.len();
    let body = segment.get_mut(1..=len).filter(|_| column.ty.fixed_len() == Some(len));
    let body = body.ok_or_else(|| {
        Error::new(
            JetErr::InvalidBufferSize,
            format!("column \"{}\": a value of {len} bytes does not suit its type", column.name),
        )
    })?;
    match column.ty {
        ColType::Bit => body.fill(if value == [0] { 0 } else { 0xff }),
        ColType::Guid => {
            let order = if rules.dot_net_guid { GUID_ORDER_DOT_NET } else { GUID_ORDER };
            for (byte, from) in body.iter_mut().zip(order) {
                *byte = value.get(from).copied().unwrap_or(0);
            }
        }
        _ => {
            // Big-endian, so that bytes compare as the number does.
            for (byte, from) in body.iter_mut().zip(value.iter().rev()) {
                *byte = *from;
            }
            flip_sign(column.ty, body);
        }
    }
    Ok(put(out, segment.get(..=len).unwrap_or_default(), room))
}

/// Signed numbers: negative ones come first. Floats, in addition: among negative ones the larger
/// magnitude comes first.
fn flip_sign(ty: ColType, big_endian: &mut [u8]) {
    let float = matches!(ty, ColType::IeeeSingle | ColType::IeeeDouble | ColType::DateTime);
    let signed =
        matches!(ty, ColType::Short | ColType::Long | ColType::Currency | ColType::LongLong);
    let negative = big_endian.first().is_some_and(|byte| byte & 0x80 != 0);
    if float && negative {
        big_endian.iter_mut().for_each(|byte| *byte = !*byte);
    } else if (float || signed)
        && let Some(byte) = big_endian.first_mut()
    {
        *byte ^= 0x80;
    }
}

/// Longest segment of a variable-length value, prefix byte included.
pub(super) fn segment_room(rules: &KeyRules<'_>, room: usize) -> usize {
    rules.segment_len_max.map_or(room, |max| room.min(max))
}

/// What a segment of this length would take if the key had no limit.
pub(super) fn wanted(rules: &KeyRules<'_>, len: usize) -> usize {
    rules.segment_len_max.map_or(len, |max| len.min(max))
}

/// Binary of a fixed column: as it is.
fn raw_binary(rules: &KeyRules<'_>, value: &[u8], room: usize, out: &mut Vec<u8>) -> bool {
    if let Some(limit) = segment_room(rules, room).checked_sub(1) {
        out.push(prefix::DATA);
        put(out, value, limit);
    }
    wanted(rules, value.len() + 1) > room
}

/// Binary of any length: groups of 8 bytes, zero-padded, each followed by 9 (more follows) or by
/// the number of bytes used (edb-format 8.3). A cut keeps the groups that fit and the first bytes
/// of the next.
fn grouped_binary(rules: &KeyRules<'_>, value: &[u8], room: usize, out: &mut Vec<u8>) -> bool {
    let full = 1 + 9 * value.len().div_ceil(8);
    let limit = full.min(segment_room(rules, room));
    if limit == 0 {
        return true;
    }
    out.reserve(limit);
    out.push(prefix::DATA);
    let mut left = limit - 1;
    let mut rest = value;
    while let Some((chunk, more)) = rest.split_first_chunk::<8>()
        && left >= 9
    {
        out.extend_from_slice(chunk);
        out.push(if more.is_empty() { 8 } else { 9 });
        rest = more;
        left -= 9;
    }
    // The last, shorter chunk, or the first bytes of the one that is cut.
    let mut group = [0; 9];
    for (byte, from) in group.iter_mut().zip(rest.iter().take(8)) {
        *byte = *from;
    }
    group[8] = u8::try_from(rest.len().min(9)).unwrap_or(9);
    out.extend_from_slice(group.get(..left).unwrap_or_default());
    wanted(rules, full) > room
}

/// Text of code page 1252: a-z made upper case, up to the first NUL, then a NUL (edb-format 8.4).
/// If it is cut, the last byte is the next source byte minus 0x20 whatever its case: a quirk that
/// is on disk.
fn western_text(rules: &KeyRules<'_>, value: &[u8], room: usize, out: &mut Vec<u8>) -> bool {
    let value = if rules.key_len_max == 255 { value.get(..255).unwrap_or(value) } else { value };
    let text_len = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    let text = value.get(..text_len).unwrap_or_default();
    let limit = segment_room(rules, room);
    if limit == 0 {
        return true;
    }
    out.push(prefix::DATA);
    let limit = limit - 1;
    if text.len() < limit {
        out.extend(text.iter().map(u8::to_ascii_uppercase));
        out.push(0);
        return false;
    }
    if let Some((next, head)) = text.get(..limit).and_then(<[u8]>::split_last) {
        out.extend(head.iter().map(u8::to_ascii_uppercase));
        out.push(next.wrapping_sub(0x20));
    }
    wanted(rules, text.len() + 2) > room
}
