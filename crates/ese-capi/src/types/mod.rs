//! The structures of the interface, field by field as callers lay them out on a 64-bit machine
//! (`long` has 32 bits there). Names are those of the reference pages; where a structure exists
//! with 8-bit and with 16-bit text, `C` is the unit of text. Of a union there is one field, which
//! says all its names. `JET_DBINFOMISC` to `JET_DBINFOMISC6` are beginnings of `JET_DBINFOMISC7`.
//!
//! [`layout`](super::layout) checks sizes and offsets when this is compiled.

mod files;
mod rows;

pub(crate) use files::*;
pub(crate) use rows::*;

/// Declares structures that C shares with us: each may have any bytes.
macro_rules! shared {
    ($($name:ident $(<$c:ident>)? { $($field:ident: $ty:ty),* $(,)? })*) => {$(
        #[derive(Clone, Copy)]
        #[repr(C)]
        #[allow(dead_code, reason = "its place counts, also of what is not looked at")]
        pub(crate) struct $name $(<$c>)? {
            $(pub(crate) $field: $ty,)*
        }

        // SAFETY: a repr(C) structure of numbers and of pointers that may be anything.
        unsafe impl $(<$c: crate::ptr::Plain>)? crate::ptr::Plain for $name $(<$c>)? {}
    )*};
}
pub(crate) use shared;
