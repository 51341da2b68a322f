//! Column values as Rust values.
//!
//! The forms are those that dissect.esedb hands out, so that the two can be compared: numbers as
//! numbers, dates as their eight bytes (what they mean differs between applications), text as
//! decoded by [`decode_text`] (its head says what happens to bytes that are no characters, and to
//! NULs at the end).

use std::fmt;

use ese_base::{Error, JetErr, Result};

use super::view::{ColumnData, Instance, RecordView};
use crate::schema::{ColType, Column, decode_text, encode_text};

/// A GUID in Microsoft's mixed byte order, as columns hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Guid(pub [u8; 16]);

impl fmt::Display for Guid {
    /// `3f360af1-6766-46dc-9af2-0dacf295c2a1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
        for (at, from) in ORDER.into_iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{:02x}", self.0.get(from).copied().unwrap_or(0))?;
        }
        Ok(())
    }
}

impl Guid {
    /// The GUID of a text as `to_string` writes it, with or without braces.
    #[must_use]
    pub fn parse(text: &str) -> Option<Guid> {
        let text = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
        let groups: Vec<&str> = text.split('-').collect();
        if groups.iter().map(|group| group.len()).ne([8, 4, 4, 4, 12]) || !text.is_ascii() {
            return None;
        }
        let digits: String = groups.concat();
        let number = u128::from_str_radix(&digits, 16).ok()?.to_be_bytes();
        let [a, b, c, d, e, f, g, h, rest @ ..] = number;
        let mut guid = [d, c, b, a, f, e, h, g, 0, 0, 0, 0, 0, 0, 0, 0];
        if let Some(tail) = guid.get_mut(8..) {
            tail.copy_from_slice(&rest);
        }
        Some(Guid(guid))
    }
}

/// A value of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// Bit; any byte but 0 is true.
    Bit(bool),
    /// UnsignedByte.
    U8(u8),
    /// Short.
    I16(i16),
    /// UnsignedShort.
    U16(u16),
    /// Long.
    I32(i32),
    /// UnsignedLong.
    U32(u32),
    /// LongLong.
    I64(i64),
    /// UnsignedLongLong.
    U64(u64),
    /// Currency, by convention in units of 1/10000.
    Currency(i64),
    /// IEEESingle.
    F32(f32),
    /// IEEEDouble.
    F64(f64),
    /// DateTime: its eight bytes as a signed little-endian number.
    DateTime(i64),
    /// GUID.
    Guid(Guid),
    /// Binary and LongBinary.
    Binary(Vec<u8>),
    /// Text and LongText.
    Text(String),
    /// The values of a multi-valued column that are stored as a list, in order.
    Multi(Vec<Value>),
}

impl Value {
    /// Decodes one plain value of a column.
    ///
    /// # Errors
    /// `JET_errDatabaseCorrupted` for a number of the wrong length.
    pub fn decode(column: &Column, bytes: &[u8]) -> Result<Value> {
        Ok(match column.ty {
            ColType::Nil => Value::Null,
            ColType::Bit => Value::Bit(number::<1>(column, bytes)? != [0]),
            ColType::UnsignedByte => Value::U8(u8::from_le_bytes(number(column, bytes)?)),
            ColType::Short => Value::I16(i16::from_le_bytes(number(column, bytes)?)),
            ColType::UnsignedShort => Value::U16(u16::from_le_bytes(number(column, bytes)?)),
            ColType::Long => Value::I32(i32::from_le_bytes(number(column, bytes)?)),
            ColType::UnsignedLong => Value::U32(u32::from_le_bytes(number(column, bytes)?)),
            ColType::LongLong => Value::I64(i64::from_le_bytes(number(column, bytes)?)),
            ColType::UnsignedLongLong => Value::U64(u64::from_le_bytes(number(column, bytes)?)),
            ColType::Currency => Value::Currency(i64::from_le_bytes(number(column, bytes)?)),
            ColType::IeeeSingle => Value::F32(f32::from_le_bytes(number(column, bytes)?)),
            ColType::IeeeDouble => Value::F64(f64::from_le_bytes(number(column, bytes)?)),
            ColType::DateTime => Value::DateTime(i64::from_le_bytes(number(column, bytes)?)),
            ColType::Guid => Value::Guid(Guid(number(column, bytes)?)),
            ColType::Binary | ColType::LongBinary => Value::Binary(bytes.to_vec()),
            ColType::Text | ColType::LongText => Value::Text(decode_text(bytes, column.code_page)),
        })
    }

    /// Reads a column of a record; absent columns have their default.
    ///
    /// # Errors
    /// As [`RecordView::data`], [`RecordView::bytes_of`] and [`Value::decode`].
    pub fn read(column: &Column, record: &RecordView<'_>) -> Result<Value> {
        Ok(match record.data(column)? {
            ColumnData::Null => Value::Null,
            data @ (ColumnData::Default(_) | ColumnData::Computed) => {
                Value::decode(column, data.first(column)?.unwrap_or_default())?
            }
            ColumnData::One(instance) => {
                Value::decode(column, &record.bytes_of(column, instance, usize::MAX)?)?
            }
            ColumnData::Many(list) => Value::Multi(
                list.iter()
                    .map(|instance| {
                        Value::decode(column, &record.bytes_of(column, instance?, usize::MAX)?)
                    })
                    .collect::<Result<_>>()?,
            ),
        })
    }

    /// Can a column of a record be read, as far as its values lie in the record? Says what
    /// [`Value::read`] would say, without making values.
    ///
    /// # Errors
    /// As [`Value::read`].
    pub fn check_inside(column: &Column, record: &RecordView<'_>) -> Result<()> {
        let inside = |instance| match instance {
            Instance::Separated(_) => Ok(()),
            instance => check_len(column, &record.bytes_of(column, instance, usize::MAX)?),
        };
        match record.data(column)? {
            ColumnData::Null | ColumnData::Computed => Ok(()),
            ColumnData::Default(bytes) => check_len(column, bytes),
            ColumnData::One(instance) => inside(instance),
            ColumnData::Many(list) => list.iter().try_for_each(|instance| inside(instance?)),
        }
    }

    /// Encodes one value for a column; `None` for NULL. Whole numbers fit any column of whole
    /// numbers that can hold them, and floats; text fits text columns whose code page has its
    /// characters.
    ///
    /// # Errors
    /// `JET_errInvalidParameter`, naming the column, for a value that does not suit its type.
    pub fn encode(&self, column: &Column) -> Result<Option<Vec<u8>>> {
        let unsuited = || {
            Error::new(
                JetErr::InvalidParameter,
                format!(
                    "column \"{}\" of type {:?} cannot hold {}",
                    column.name,
                    column.ty,
                    self.in_words()
                ),
            )
        };
        let bytes = match (column.ty, self) {
            (_, Value::Null) => return Ok(None),
            (ColType::Bit, Value::Bit(bit)) => vec![if *bit { 0xff } else { 0 }],
            (ColType::IeeeSingle, Value::F32(float)) => float.to_le_bytes().to_vec(),
            (ColType::IeeeDouble, Value::F64(float)) => float.to_le_bytes().to_vec(),
            (ColType::IeeeDouble, Value::F32(float)) => f64::from(*float).to_le_bytes().to_vec(),
            (ColType::Guid, Value::Guid(Guid(guid))) => guid.to_vec(),
            (ColType::Binary | ColType::LongBinary, Value::Binary(bytes)) => bytes.clone(),
            (ColType::Text | ColType::LongText, Value::Text(text)) => {
                encode_text(text, column.code_page).ok_or_else(unsuited)?
            }
            (_, other) => {
                let whole = other.whole_number().ok_or_else(unsuited)?;
                encode_whole(column.ty, whole).ok_or_else(unsuited)?
            }
        };
        Ok(Some(bytes))
    }

    /// The value for a message: not more of it than tells which one it is.
    fn in_words(&self) -> String {
        const SHOWN: usize = 40;
        match self {
            Value::Null => "NULL".to_owned(),
            Value::Bit(bit) => bit.to_string(),
            Value::F32(float) => float.to_string(),
            Value::F64(float) => float.to_string(),
            Value::Guid(guid) => guid.to_string(),
            Value::Binary(bytes) => format!("{} bytes", bytes.len()),
            Value::Text(text) => match text.char_indices().nth(SHOWN) {
                Some((cut, _)) => format!("\"{}...\"", text.get(..cut).unwrap_or_default()),
                None => format!("\"{text}\""),
            },
            Value::Multi(values) => format!("{} values at once", values.len()),
            whole => whole.whole_number().map(|n| n.to_string()).unwrap_or_default(),
        }
    }

    /// The number, if it is whole.
    fn whole_number(&self) -> Option<i128> {
        Some(match self {
            Value::U8(n) => i128::from(*n),
            Value::I16(n) => i128::from(*n),
            Value::U16(n) => i128::from(*n),
            Value::I32(n) => i128::from(*n),
            Value::U32(n) => i128::from(*n),
            Value::I64(n) | Value::Currency(n) | Value::DateTime(n) => i128::from(*n),
            Value::U64(n) => i128::from(*n),
            _ => return None,
        })
    }
}

/// A whole number in the encoding of a type that can hold it.
fn encode_whole(ty: ColType, n: i128) -> Option<Vec<u8>> {
    fn le<T, const N: usize>(n: i128, bytes: fn(T) -> [u8; N]) -> Option<Vec<u8>>
    where
        T: TryFrom<i128>,
    {
        T::try_from(n).ok().map(|n| bytes(n).to_vec())
    }
    match ty {
        ColType::UnsignedByte => le(n, u8::to_le_bytes),
        ColType::Short => le(n, i16::to_le_bytes),
        ColType::UnsignedShort => le(n, u16::to_le_bytes),
        ColType::Long => le(n, i32::to_le_bytes),
        ColType::UnsignedLong => le(n, u32::to_le_bytes),
        ColType::LongLong | ColType::Currency | ColType::DateTime => le(n, i64::to_le_bytes),
        ColType::UnsignedLongLong => le(n, u64::to_le_bytes),
        // Through 32 bits, so that no digit is lost.
        ColType::IeeeDouble => i32::try_from(n).ok().map(|n| f64::from(n).to_le_bytes().to_vec()),
        ColType::IeeeSingle => i16::try_from(n).ok().map(|n| f32::from(n).to_le_bytes().to_vec()),
        _ => None,
    }
}

fn number<const N: usize>(column: &Column, bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| wrong_len(column, bytes, N))
}

fn check_len(column: &Column, bytes: &[u8]) -> Result<()> {
    match column.ty.fixed_len() {
        Some(len) if len != bytes.len() => Err(wrong_len(column, bytes, len)),
        _ => Ok(()),
    }
}

#[cold]
fn wrong_len(column: &Column, bytes: &[u8], len: usize) -> Error {
    let found = bytes.len();
    let what = format!("column \"{}\": a value of {found} bytes, expected {len}", column.name);
    Error::new(JetErr::DatabaseCorrupted, what)
}

/// Rust values as column values; a missing one is NULL.
macro_rules! from {
    ($($ty:ty => $make:expr),* $(,)?) => {$(
        impl From<$ty> for Value {
            fn from(value: $ty) -> Value {
                $make(value)
            }
        }
    )*};
}

from! {
    bool => Value::Bit, u8 => Value::U8, i16 => Value::I16, u16 => Value::U16, i32 => Value::I32,
    u32 => Value::U32, i64 => Value::I64, u64 => Value::U64, f32 => Value::F32, f64 => Value::F64,
    Guid => Value::Guid, Vec<u8> => Value::Binary, String => Value::Text,
    &[u8] => |bytes: &[u8]| Value::Binary(bytes.to_vec()),
    &str => |text: &str| Value::Text(text.to_owned()),
    &String => |text: &String| Value::Text(text.clone()),
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(bytes: &[u8; N]) -> Value {
        Value::Binary(bytes.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}
