//! Values in the form that the scripts of `tests/peers` print them in.

use std::fmt::Write;

use ese_engine::reader::Value;
use serde_json::json;

/// A value in the form of `tests/peers/read_all.py`.
#[must_use]
pub fn canonical(value: &Value) -> serde_json::Value {
    let float = |number: f64| match number {
        n if n.is_nan() => json!("nan"),
        n if n.is_infinite() => json!(if n > 0.0 { "inf" } else { "-inf" }),
        n => json!(n),
    };
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bit(bit) => json!(bit),
        Value::U8(n) => json!(n),
        Value::I16(n) => json!(n),
        Value::U16(n) => json!(n),
        Value::I32(n) => json!(n),
        Value::U32(n) => json!(n),
        Value::I64(n) | Value::Currency(n) | Value::DateTime(n) => json!(n),
        Value::U64(n) => json!(n),
        Value::F32(n) => float(f64::from(*n)),
        Value::F64(n) => float(*n),
        Value::Guid(guid) => json!(hex(&guid.0)),
        Value::Binary(bytes) => json!(hex(bytes)),
        Value::Text(text) => json!(text),
        Value::Multi(list) => list.iter().map(canonical).collect(),
    }
}

/// Bytes as hex digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}
