//! Columns of a known Rust type: what does not suit shows when the column is looked up, not when a
//! row is read.

use std::{fmt, marker::PhantomData};

use ese_base::{Error, JetErr, Result};
use ese_engine::schema::{ColType, Column, ColumnId};

use crate::row::{Guid, Value, Values};

/// A Rust type that columns can hold.
pub trait ColumnType: Sized {
    /// Do columns of this type have such values?
    fn suits(ty: ColType) -> bool;

    /// The value; `None` for NULL.
    ///
    /// # Errors
    /// `JET_errInvalidColumnType` (-1511) for a value of another type.
    fn from_value(value: &Value) -> Result<Option<Self>>;

    /// As a column value.
    fn into_value(self) -> Value;
}

macro_rules! column_types {
    ($($ty:ty: $($coltype:ident)|+, $($value:ident)|+, $copy:expr;)*) => {$(
        impl ColumnType for $ty {
            fn suits(ty: ColType) -> bool {
                matches!(ty, $(ColType::$coltype)|+)
            }

            fn from_value(value: &Value) -> Result<Option<$ty>> {
                match value {
                    Value::Null => Ok(None),
                    $(Value::$value(inner) => Ok(Some($copy(inner))),)+
                    other => Err(another_type(stringify!($ty), other)),
                }
            }

            fn into_value(self) -> Value {
                self.into()
            }
        }
    )*};
}

column_types! {
    bool: Bit, Bit, Clone::clone;
    u8: UnsignedByte, U8, Clone::clone;
    i16: Short, I16, Clone::clone;
    u16: UnsignedShort, U16, Clone::clone;
    i32: Long, I32, Clone::clone;
    u32: UnsignedLong, U32, Clone::clone;
    i64: LongLong | Currency | DateTime, I64 | Currency | DateTime, Clone::clone;
    u64: UnsignedLongLong, U64, Clone::clone;
    f32: IeeeSingle, F32, Clone::clone;
    f64: IeeeDouble, F64, Clone::clone;
    Guid: Guid, Guid, Clone::clone;
    String: Text | LongText, Text, Clone::clone;
    Vec<u8>: Binary | LongBinary, Binary, Clone::clone;
}

#[track_caller]
fn another_type(wanted: &str, value: &Value) -> Error {
    Error::new(JetErr::InvalidColumnType, format!("{value:?} is no {wanted}"))
}

/// A column whose values are of type `T`: what [`Table::typed`](crate::Table::typed) gives.
pub struct Typed<T> {
    id: ColumnId,
    ty: PhantomData<fn() -> T>,
}

impl<T: ColumnType> Typed<T> {
    pub(crate) fn new(column: &Column) -> Result<Typed<T>> {
        if T::suits(column.ty) {
            return Ok(Typed { id: column.id, ty: PhantomData });
        }
        Err(Error::new(
            JetErr::InvalidColumnType,
            format!(
                "column \"{}\" of type {:?} does not hold values of type {}",
                column.name,
                column.ty,
                std::any::type_name::<T>()
            ),
        ))
    }
}

impl<T> Typed<T> {
    /// The column's id.
    #[must_use]
    pub fn id(&self) -> ColumnId {
        self.id
    }
}

impl<T> Clone for Typed<T> {
    fn clone(&self) -> Typed<T> {
        *self
    }
}

impl<T> Copy for Typed<T> {}

impl<T> fmt::Debug for Typed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Typed<{}>({})", std::any::type_name::<T>(), self.id)
    }
}

impl Values<'_> {
    /// With a value for one column more, of the column's own type.
    #[must_use]
    pub fn with<T: ColumnType>(mut self, column: Typed<T>, value: T) -> Self {
        self.push(column.id(), value.into_value());
        self
    }
}
