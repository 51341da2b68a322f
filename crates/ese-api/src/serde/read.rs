//! From a row to a struct.

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor,
    value::SeqDeserializer,
};

use super::NoRow;
use crate::row::{Row, Value};

/// A row as serde's source.
pub(super) struct RowReader<'r>(pub(super) &'r Row);

impl<'de> Deserializer<'de> for RowReader<'_> {
    type Error = NoRow;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NoRow> {
        let columns: Vec<(&str, &Value)> = self.0.iter().collect();
        visitor.visit_map(Columns { columns: columns.into_iter(), value: None })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

/// The columns that are left.
struct Columns<'r> {
    columns: std::vec::IntoIter<(&'r str, &'r Value)>,
    value: Option<(&'r str, &'r Value)>,
}

impl<'de> MapAccess<'de> for Columns<'_> {
    type Error = NoRow;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, NoRow> {
        let Some((name, value)) = self.columns.next() else { return Ok(None) };
        self.value = Some((name, value));
        seed.deserialize(name.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, NoRow> {
        let (name, value) =
            self.value.take().ok_or_else(|| NoRow("a value without name".into()))?;
        seed.deserialize(ValueReader(value))
            .map_err(|NoRow(what)| NoRow(format!("column \"{name}\": {what}")))
    }
}

/// A value as serde's source.
#[derive(Clone, Copy)]
struct ValueReader<'r>(&'r Value);

impl<'de> IntoDeserializer<'de, NoRow> for ValueReader<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for ValueReader<'_> {
    type Error = NoRow;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NoRow> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bit(bit) => visitor.visit_bool(*bit),
            Value::U8(n) => visitor.visit_u8(*n),
            Value::I16(n) => visitor.visit_i16(*n),
            Value::U16(n) => visitor.visit_u16(*n),
            Value::I32(n) => visitor.visit_i32(*n),
            Value::U32(n) => visitor.visit_u32(*n),
            Value::I64(n) | Value::Currency(n) | Value::DateTime(n) => visitor.visit_i64(*n),
            Value::U64(n) => visitor.visit_u64(*n),
            Value::F32(n) => visitor.visit_f32(*n),
            Value::F64(n) => visitor.visit_f64(*n),
            Value::Guid(guid) => visitor.visit_string(guid.to_string()),
            Value::Binary(bytes) => visitor.visit_bytes(bytes),
            Value::Text(text) => visitor.visit_str(text),
            Value::Multi(values) => {
                visitor.visit_seq(SeqDeserializer::new(values.iter().map(ValueReader)))
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NoRow> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    /// Bytes and single values are lists where lists are wanted; NULL is an empty one.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NoRow> {
        match self.0 {
            Value::Null => visitor.visit_seq(SeqDeserializer::new(std::iter::empty::<u8>())),
            Value::Binary(bytes) => visitor.visit_seq(SeqDeserializer::new(bytes.iter().copied())),
            Value::Multi(_) => self.deserialize_any(visitor),
            _ => visitor.visit_seq(SeqDeserializer::new(std::iter::once(self))),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, NoRow> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, NoRow> {
        visitor.visit_newtype_struct(self)
    }

    /// A variant without content, by its name.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NoRow> {
        let name = String::deserialize(self)?;
        visitor.visit_enum(name.into_deserializer())
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct tuple_struct map struct identifier ignored_any
    }
}
