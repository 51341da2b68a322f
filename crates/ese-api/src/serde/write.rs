//! From a struct to values.

use serde::ser::{
    Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, Serializer,
};

use super::NoRow;
use crate::row::{Value, Values};

type Result<T> = std::result::Result<T, NoRow>;

fn no_row<T>(what: &str) -> Result<T> {
    Err(NoRow(format!("{what} is no row: a row is named values")))
}

fn no_value<T>(what: &str) -> Result<T> {
    Err(NoRow(format!("{what} is no value of a column")))
}

macro_rules! refuse {
    ($refusal:ident: $($method:ident($($arg:ty),*) -> $ok:ty, $what:expr;)*) => {$(
        fn $method(self $(, _: $arg)*) -> Result<$ok> {
            $refusal($what)
        }
    )*};
}

/// Takes a struct or a map with text keys.
pub(super) struct RowWriter;

/// The values so far, and the name of the next.
#[derive(Default)]
pub(super) struct Named {
    values: Values<'static>,
    name: Option<String>,
}

impl Serializer for RowWriter {
    type Ok = Values<'static>;
    type Error = NoRow;
    type SerializeSeq = Impossible<Values<'static>, NoRow>;
    type SerializeTuple = Impossible<Values<'static>, NoRow>;
    type SerializeTupleStruct = Impossible<Values<'static>, NoRow>;
    type SerializeTupleVariant = Impossible<Values<'static>, NoRow>;
    type SerializeMap = Named;
    type SerializeStruct = Named;
    type SerializeStructVariant = Impossible<Values<'static>, NoRow>;

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Named> {
        Ok(Named::default())
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Named> {
        Ok(Named::default())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Values<'static>> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<Values<'static>> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<Values<'static>> {
        no_row("a variant")
    }

    refuse! { no_row:
        serialize_bool(bool) -> Values<'static>, "a bool";
        serialize_i8(i8) -> Values<'static>, "a number";
        serialize_i16(i16) -> Values<'static>, "a number";
        serialize_i32(i32) -> Values<'static>, "a number";
        serialize_i64(i64) -> Values<'static>, "a number";
        serialize_u8(u8) -> Values<'static>, "a number";
        serialize_u16(u16) -> Values<'static>, "a number";
        serialize_u32(u32) -> Values<'static>, "a number";
        serialize_u64(u64) -> Values<'static>, "a number";
        serialize_f32(f32) -> Values<'static>, "a number";
        serialize_f64(f64) -> Values<'static>, "a number";
        serialize_char(char) -> Values<'static>, "a character";
        serialize_str(&str) -> Values<'static>, "text";
        serialize_bytes(&[u8]) -> Values<'static>, "a list of bytes";
        serialize_none() -> Values<'static>, "nothing";
        serialize_unit() -> Values<'static>, "nothing";
        serialize_unit_struct(&'static str) -> Values<'static>, "nothing";
        serialize_unit_variant(&'static str, u32, &'static str) -> Values<'static>, "a variant";
        serialize_seq(Option<usize>) -> Self::SerializeSeq, "a list";
        serialize_tuple(usize) -> Self::SerializeTuple, "a tuple";
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct, "a tuple";
        serialize_tuple_variant(&'static str, u32, &'static str, usize)
            -> Self::SerializeTupleVariant, "a variant";
        serialize_struct_variant(&'static str, u32, &'static str, usize)
            -> Self::SerializeStructVariant, "a variant";
    }
}

impl Named {
    fn put<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<()> {
        let value = value
            .serialize(ValueWriter)
            .map_err(|NoRow(what)| NoRow(format!("\"{name}\": {what}")))?;
        self.values.push(name.to_owned(), value);
        Ok(())
    }
}

impl SerializeStruct for Named {
    type Ok = Values<'static>;
    type Error = NoRow;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<()> {
        self.put(name, value)
    }

    fn end(self) -> Result<Values<'static>> {
        Ok(self.values)
    }
}

impl SerializeMap for Named {
    type Ok = Values<'static>;
    type Error = NoRow;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        match key.serialize(ValueWriter)? {
            Value::Text(name) => self.name = Some(name),
            other => return Err(NoRow(format!("{other:?} is no name of a column"))),
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let name = self.name.take().ok_or_else(|| NoRow("a value without name".into()))?;
        self.put(&name, value)
    }

    fn end(self) -> Result<Values<'static>> {
        Ok(self.values)
    }
}

/// Takes one value.
struct ValueWriter;

/// A list of values.
#[derive(Default)]
struct Listed(Vec<Value>);

impl Serializer for ValueWriter {
    type Ok = Value;
    type Error = NoRow;
    type SerializeSeq = Listed;
    type SerializeTuple = Listed;
    type SerializeTupleStruct = Impossible<Value, NoRow>;
    type SerializeTupleVariant = Impossible<Value, NoRow>;
    type SerializeMap = Impossible<Value, NoRow>;
    type SerializeStruct = Impossible<Value, NoRow>;
    type SerializeStructVariant = Impossible<Value, NoRow>;

    fn serialize_bool(self, v: bool) -> Result<Value> {
        Ok(v.into())
    }

    fn serialize_i8(self, v: i8) -> Result<Value> {
        Ok(i16::from(v).into())
    }

    fn serialize_i16(self, v: i16) -> Result<Value> {
        Ok(v.into())
    }

    fn serialize_i32(self, v: i32) -> Result<Value> {
        Ok(v.into())
    }

    fn serialize_i64(self, v: i64) -> Result<Value> {
        Ok(v.into())
    }

    fn serialize_u8(self, v: u8) -> Result<Value> {
        Ok(v.into())
    }

    fn serialize_u16(self, v: u16) -> Result<Value> {
        Ok(v.into())
    }

    fn serialize_u32(self, v: u32) -> Result<Value> {
        Ok(v.into())
    }

    fn serialize_u64(self, v: u64) -> Result<Value> {
        Ok(v.into())
    }

    fn serialize_f32(self, v: f32) -> Result<Value> {
        Ok(v.into())
    }

    fn serialize_f64(self, v: f64) -> Result<Value> {
        Ok(v.into())
    }

    fn serialize_char(self, v: char) -> Result<Value> {
        Ok(v.to_string().into())
    }

    fn serialize_str(self, v: &str) -> Result<Value> {
        Ok(v.into())
    }

    fn serialize_bytes(self, v: &[u8]) -> Result<Value> {
        Ok(v.into())
    }

    fn serialize_none(self) -> Result<Value> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Value> {
        Ok(variant.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<Value> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<Value> {
        no_value("a variant with content")
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Listed> {
        Ok(Listed::default())
    }

    fn serialize_tuple(self, _len: usize) -> Result<Listed> {
        Ok(Listed::default())
    }

    refuse! { no_value:
        serialize_unit_struct(&'static str) -> Value, "a struct";
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct, "a tuple";
        serialize_tuple_variant(&'static str, u32, &'static str, usize)
            -> Self::SerializeTupleVariant, "a variant with content";
        serialize_map(Option<usize>) -> Self::SerializeMap, "a map";
        serialize_struct(&'static str, usize) -> Self::SerializeStruct, "a struct";
        serialize_struct_variant(&'static str, u32, &'static str, usize)
            -> Self::SerializeStructVariant, "a variant with content";
    }
}

impl SerializeSeq for Listed {
    type Ok = Value;
    type Error = NoRow;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.0.push(value.serialize(ValueWriter)?);
        Ok(())
    }

    fn end(self) -> Result<Value> {
        Ok(Value::Multi(self.0))
    }
}

impl SerializeTuple for Listed {
    type Ok = Value;
    type Error = NoRow;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<Value> {
        SerializeSeq::end(self)
    }
}
