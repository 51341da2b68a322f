//! One stored value as what every form can write.

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    reader::Guid,
    schema::{CODE_PAGE_UNICODE, ColType, Column, decode_text},
};

use super::date;

/// A value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar<'a> {
    Null,
    Bit(bool),
    Int(i64),
    /// Above the largest `i64`.
    Big(u64),
    Float(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// A date as text, where its eight bytes, read as a number, are one (docs/cli.md).
#[must_use]
pub fn date_text(raw: i64) -> Option<String> {
    let mut text = String::new();
    date::append(raw, &mut text).then_some(text)
}

/// Decodes the bytes of a value. `text` is room for what has to be built.
pub(super) fn decode<'s>(
    column: &Column,
    bytes: &'s [u8],
    raw_dates: bool,
    text: &'s mut String,
) -> Result<Scalar<'s>> {
    text.clear();
    Ok(match column.ty {
        ColType::Nil => Scalar::Null,
        ColType::Bit => Scalar::Bit(number::<1>(column, bytes)? != [0]),
        ColType::UnsignedByte => Scalar::Int(u8::from_le_bytes(number(column, bytes)?).into()),
        ColType::Short => Scalar::Int(i16::from_le_bytes(number(column, bytes)?).into()),
        ColType::UnsignedShort => Scalar::Int(u16::from_le_bytes(number(column, bytes)?).into()),
        ColType::Long => Scalar::Int(i32::from_le_bytes(number(column, bytes)?).into()),
        ColType::UnsignedLong => Scalar::Int(u32::from_le_bytes(number(column, bytes)?).into()),
        ColType::LongLong | ColType::Currency => {
            Scalar::Int(i64::from_le_bytes(number(column, bytes)?))
        }
        ColType::UnsignedLongLong => {
            let number = u64::from_le_bytes(number(column, bytes)?);
            i64::try_from(number).map_or(Scalar::Big(number), Scalar::Int)
        }
        ColType::IeeeSingle => Scalar::Float(f32::from_le_bytes(number(column, bytes)?).into()),
        ColType::IeeeDouble => Scalar::Float(f64::from_le_bytes(number(column, bytes)?)),
        ColType::DateTime => {
            let raw = i64::from_le_bytes(number(column, bytes)?);
            if !raw_dates && date::append(raw, text) {
                Scalar::Text(text)
            } else {
                Scalar::Int(raw)
            }
        }
        ColType::Guid => {
            *text = Guid(number(column, bytes)?).to_string();
            Scalar::Text(text)
        }
        ColType::Binary | ColType::LongBinary => Scalar::Bytes(bytes),
        ColType::Text | ColType::LongText => {
            if !append_ascii(bytes, column.code_page, text) {
                *text = decode_text(bytes, column.code_page);
            }
            Scalar::Text(text)
        }
    })
}

/// Most texts are plain ASCII without a NUL: these need no decoding. False for any other.
fn append_ascii(bytes: &[u8], code_page: u16, text: &mut String) -> bool {
    if code_page != CODE_PAGE_UNICODE {
        let plain = bytes.iter().all(|byte| (1..0x80).contains(byte));
        if plain && let Ok(plain) = std::str::from_utf8(bytes) {
            text.push_str(plain);
        }
        return plain;
    }
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() || !pairs.iter().all(|pair| pair[1] == 0 && (1..0x80).contains(&pair[0])) {
        return false;
    }
    text.extend(pairs.iter().map(|pair| char::from(pair[0])));
    true
}

fn number<const N: usize>(column: &Column, bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| {
        Error::new(
            JetErr::DatabaseCorrupted,
            format!("column \"{}\": a value of {} bytes, expected {N}", column.name, bytes.len()),
        )
    })
}
