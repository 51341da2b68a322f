//! Keys: what names a row, or where a range of rows begins and ends.

use ese_base::{Error, JetErr, Result};
use ese_engine::schema::{Index, TableSchema};

use crate::row::{Guid, Value};

/// Where a row is in its table: the bytes of its primary key as the table orders them, or those of
/// its number in a table without primary index. It names the row from any transaction, as long as
/// the row lives and keeps its key (api-semantics.md 8).
///
/// A [`crate::Row`] has one. As a key it finds the row again without its key columns being known,
/// and [`crate::Rows::after`] lets an iteration go on later where it was:
///
/// ```
/// # fn main() -> ese_api::Result<()> {
/// # let dir = tempfile::tempdir().unwrap();
/// # let instance = ese_api::Instance::builder(dir.path().join("data")).start()?;
/// # let database = instance.create_database("a.edb")?;
/// # let mut session = instance.session()?;
/// use ese_api::{TableBuilder, row};
///
/// let notes = database.create_table(&mut session, TableBuilder::new("notes").text("text"))?;
/// for text in ["one", "two", "three"] {
///     notes.insert(&mut session, &row! { "text" => text })?;
/// }
/// let page: Vec<_> = notes.rows(&session).take(2).collect::<Result<_, _>>()?;
/// let next = notes.rows(&session).after(page[1].bookmark())?.next().unwrap()?;
/// assert_eq!(next["text"], "three".into());
/// assert!(notes.update(&mut session, next.bookmark(), &row! { "text" => "last" })?);
/// # drop((notes, database, session));
/// # instance.stop()
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bookmark(Vec<u8>);

impl Bookmark {
    pub(crate) fn new(bytes: Vec<u8>) -> Bookmark {
        Bookmark(bytes)
    }

    /// The bookmark of these bytes, as [`Bookmark::as_bytes`] told them: for those who keep
    /// bookmarks elsewhere. Bytes that no row has find nothing.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Bookmark {
        Bookmark(bytes.to_vec())
    }

    /// Its bytes; bookmarks of one table compare as these do.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What a [`Key`] is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyParts {
    /// Values of the key columns.
    Values(Vec<Value>),
    /// The place of a row in its table.
    Bookmark(Bookmark),
}

/// Values that stand for the key columns of a table, in the order of its primary index; fewer
/// values stand for all rows that begin with them. A table without primary index has the row's
/// number as its key.
///
/// Single values, tuples, arrays and slices of values are keys; so is a [`Bookmark`] wherever rows
/// of a table are meant, and not entries of one of its indexes.
pub trait Key {
    /// What it is made of.
    fn into_parts(self) -> KeyParts;
}

macro_rules! single_keys {
    ($($ty:ty),*) => {$(
        impl Key for $ty {
            fn into_parts(self) -> KeyParts {
                KeyParts::Values(vec![self.into()])
            }
        }
    )*};
}

single_keys!(
    Value,
    bool,
    u8,
    i16,
    u16,
    i32,
    u32,
    i64,
    u64,
    f32,
    f64,
    Guid,
    &str,
    String,
    &String,
    &[u8],
    Vec<u8>
);

impl Key for &[Value] {
    fn into_parts(self) -> KeyParts {
        KeyParts::Values(self.to_vec())
    }
}

impl Key for Vec<Value> {
    fn into_parts(self) -> KeyParts {
        KeyParts::Values(self)
    }
}

impl<const N: usize> Key for [Value; N] {
    fn into_parts(self) -> KeyParts {
        KeyParts::Values(self.into())
    }
}

macro_rules! tuple_keys {
    ($(($($name:ident $at:tt),+))*) => {$(
        impl<$($name: Into<Value>),+> Key for ($($name,)+) {
            fn into_parts(self) -> KeyParts {
                KeyParts::Values(vec![$(self.$at.into()),+])
            }
        }
    )*};
}

tuple_keys! { (A 0) (A 0, B 1) (A 0, B 1, C 2) (A 0, B 1, C 2, D 3) }

impl Key for &Bookmark {
    fn into_parts(self) -> KeyParts {
        KeyParts::Bookmark(self.clone())
    }
}

/// The bytes of the key of a row, or of the beginning of keys.
pub(crate) fn key_bytes(schema: &TableSchema, key: impl Key, out: &mut Vec<u8>) -> Result<()> {
    order_key_bytes(schema, None, key, out)
}

/// The bytes of a key of a secondary index, or of the beginning of keys; `None` is the table's own
/// order.
pub(crate) fn order_key_bytes(
    schema: &TableSchema,
    secondary: Option<&Index>,
    key: impl Key,
    out: &mut Vec<u8>,
) -> Result<()> {
    match (key.into_parts(), secondary) {
        (KeyParts::Bookmark(Bookmark(bytes)), None) => {
            *out = bytes;
            Ok(())
        }
        (KeyParts::Bookmark(_), Some(index)) => Err(no_index_key(schema, index)),
        (KeyParts::Values(values), _) => match secondary.or(schema.primary()) {
            Some(index) => values_bytes(schema, index, &values, out),
            None => row_number(schema, &values, out),
        },
    }
}

/// What all keys of an index begin with in which the last of these values is the beginning of the
/// column's.
pub(crate) fn beginning_bytes(
    schema: &TableSchema,
    index: &Index,
    key: impl Key,
    out: &mut Vec<u8>,
) -> Result<()> {
    let KeyParts::Values(values) = key.into_parts() else {
        return Err(no_index_key(schema, index));
    };
    let encoded = segment_values(schema, index, &values)?;
    let slices: Vec<Option<&[u8]>> = encoded.iter().map(Option::as_deref).collect();
    ese_engine::key::beginning_key(schema, index, &slices, out)
}

pub(crate) fn no_index_key(schema: &TableSchema, index: &Index) -> Error {
    let (table, index) = (&schema.name, &index.name);
    let what = format!("a bookmark is no key of index \"{index}\" of table \"{table}\"");
    Error::new(JetErr::InvalidParameter, what)
        .advise("give the values of its columns, or ask the table")
}

fn values_bytes(
    schema: &TableSchema,
    index: &Index,
    values: &[Value],
    out: &mut Vec<u8>,
) -> Result<()> {
    let encoded = segment_values(schema, index, values)?;
    let slices: Vec<Option<&[u8]>> = encoded.iter().map(Option::as_deref).collect();
    ese_engine::key::values_key(schema, index, &slices, out)
}

fn row_number(schema: &TableSchema, values: &[Value], out: &mut Vec<u8>) -> Result<()> {
    let number = match values {
        [Value::U32(number)] => Some(*number),
        [Value::I32(number)] => u32::try_from(*number).ok(),
        [Value::I64(number)] => u32::try_from(*number).ok(),
        [Value::U64(number)] => u32::try_from(*number).ok(),
        _ => None,
    };
    let number = number.ok_or_else(|| {
        Error::new(
            JetErr::InvalidParameter,
            format!("table \"{}\" has no primary index: its key is a row number", schema.name),
        )
    })?;
    out.clear();
    out.extend_from_slice(&ese_engine::key::sequential(number));
    Ok(())
}

/// The values as the columns of an index store them.
fn segment_values(
    schema: &TableSchema,
    index: &Index,
    values: &[Value],
) -> Result<Vec<Option<Vec<u8>>>> {
    let mut encoded = Vec::with_capacity(values.len());
    for (segment, value) in index.segments.iter().zip(values) {
        encoded.push(value.encode(schema.columns.require(segment.column)?)?);
    }
    // The engine says what is wrong with too many.
    encoded.resize(values.len(), None);
    Ok(encoded)
}
