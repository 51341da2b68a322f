//! One JSON object, in which a key that occurs twice is refused: of two values only one would be
//! loaded, and nobody would know.

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The fields of an object.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn object(text: &[u8]) -> Result<Map<String, Value>, String> {
    let text = quote_long_numbers(text);
    let mut reader = serde_json::Deserializer::from_slice(&text);
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

/// Is it a whole number, as JSON writes it, that no type holds? Read as a float it would lose
/// digits.
pub(super) fn is_long_number(token: &[u8]) -> bool {
    let digits = token.strip_prefix(b"-").unwrap_or(token);
    // What begins with a zero is no number of JSON, or none.
    let whole = !digits.starts_with(b"0") && digits.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(token).unwrap_or_default();
    whole && !digits.is_empty() && text.parse::<i64>().is_err() && text.parse::<u64>().is_err()
}

/// Whole numbers that no type holds become strings.
fn quote_long_numbers(text: &[u8]) -> Cow<'_, [u8]> {
    /// All shorter ones fit.
    const DIGITS_MIN: usize = 19;
    let has_many = text.split(|byte| !byte.is_ascii_digit()).any(|run| run.len() >= DIGITS_MIN);
    if !has_many {
        return Cow::Borrowed(text);
    }
    let (mut quoted, mut rest) = (Vec::with_capacity(text.len() + 2), text);
    while let Some(first) = rest.first() {
        let len = match first {
            b'"' => string_len(rest),
            b'-' | b'0'..=b'9' => {
                let part = |byte: &&u8| byte.is_ascii_digit() || b"+-.eE".contains(*byte);
                rest.iter().take_while(part).count()
            }
            _ => 1,
        };
        let (token, behind) = rest.split_at(len.clamp(1, rest.len()));
        let mark: &[u8] = if is_long_number(token) { b"\"" } else { b"" };
        quoted.extend([mark, token, mark].concat());
        rest = behind;
    }
    Cow::Owned(quoted)
}

/// Bytes of the string that a text begins with, its marks included.
fn string_len(text: &[u8]) -> usize {
    let mut escaped = false;
    let end = text.iter().skip(1).position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |at| at + 2)
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
    fn whole_numbers_that_no_type_holds_keep_their_digits() {
        let long = "12345678901234567890123";
        let text = format!(
            r#"{{"a": {long}, "b": -{long}, "c": [18446744073709551616, 1e300], "d": "{long} \\",
            "e\"{long}": {long}.5, "f": -9223372036854775808, "g": 18446744073709551615, "h": {long}e2}}"#
        );
        let fields = object(text.as_bytes()).unwrap();
        assert_eq!(fields["a"], long);
        assert_eq!(fields["b"], format!("-{long}"));
        assert_eq!(fields["c"][0], "18446744073709551616");
        assert!(fields["c"][1].is_f64() && fields["h"].is_f64());
        assert_eq!(fields["d"], format!("{long} \\"));
        assert!(fields[&format!("e\"{long}")].is_f64());
        assert_eq!(fields["f"], i64::MIN);
        assert_eq!(fields["g"], u64::MAX);
        let torn = format!("{{\"a\": \"{long}");
        assert!(object(torn.as_bytes()).unwrap_err().contains("a record is one whole"));
        assert!(object(format!("{{\"a\": 0{long}}}").as_bytes()).is_err());
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
