//! One JSON object, in which a key that occurs twice is refused: of two values only one would be
//! loaded, and nobody would know.

use std::{collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The fields of an object.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn object(text: &[u8]) -> Result<Map<String, Value>, String> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Strict.deserialize(&mut reader);
    let value = value.and_then(|value| reader.end().map(|()| value)).map_err(|error| {
        // Its lines are those of the record, which is one.
        let (text, place) = (error.to_string(), format!(" at line {} ", error.line()));
        let text = text.replace(&place, " at ");
        if error.is_eof() { format!("{text}; a record is one whole line") } else { text }
    })?;
    let Value::Object(fields) = value else {
        return Err("expected a JSON object, one a line".to_owned());
    };
    let mut names = HashSet::new();
    // As names of columns they are equal in any case.
    match fields.keys().find(|name| !names.insert(name.to_ascii_lowercase())) {
        Some(name) => Err(twice(name)),
        None => Ok(fields),
    }
}

fn twice(key: &str) -> String {
    format!("the key \"{key}\" occurs twice")
}

/// Reads any value as `serde_json` does, but for keys that occur twice.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, bit: bool) -> Result<Value, E> {
        Ok(Value::Bool(bit))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = from.next_element_seed(Strict)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = from.next_key::<String>()? {
            if fields.contains_key(&key) {
                return Err(A::Error::custom(twice(&key)));
            }
            fields.insert(key, from.next_value_seed(Strict)?);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_as_ever() {
        let text = r#" {"a": [1, -2, 1.5, 18446744073709551615], "b": {"c": null, "d": true},
            "e": "x\u00e9", "f": {}} "#;
        let expected: Map<String, Value> = serde_json::from_str(text).unwrap();
        assert_eq!(object(text.as_bytes()), Ok(expected));
    }

    #[test]
    fn what_is_no_object_with_different_keys_is_refused() {
        for (text, words) in [
            (r#"{"a": 1, "b": 2, "a": 3}"#, "the key \"a\" occurs twice at column"),
            (r#"{"a": 1, "A": 3}"#, "the key \"A\" occurs twice"),
            (r#"{"a": [{"b": 1, "b": 1}]}"#, "the key \"b\" occurs twice"),
            ("[1]", "expected a JSON object, one a"),
            ("{\"a\": 1,", "a record is one whole"),
            ("{\"a\": 1} x", "trailing characters at column 10"),
            ("{\"a\": oops}", "expected value at column 7"),
            ("{\"a\": \"\u{1}\"}", "control character"),
            ("{\"a\": 1e999}", "out of range"),
        ] {
            let refused = object(text.as_bytes()).unwrap_err();
            assert!(refused.contains(words) && !refused.contains("at line"), "{text}: {refused}");
        }
    }
}
