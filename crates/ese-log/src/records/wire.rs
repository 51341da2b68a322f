//! How record fields become bytes and back.
//!
//! A record is a fixed head (type byte first, packed, little-endian) and a tail of variable
//! parts whose lengths stand in the head. [`Head`] collects a head on the stack; the tail is
//! never copied before it goes to its [`Sink`]. Reading is bounds-checked everywhere: a record
//! comes from a disk.

use std::fmt::{self, Write};

use ese_base::{
    DbTime, Dbid, Error, Hex, Iline, JetErr, LeLgPos, LgPos, LogTime, ObjId, Pgno, ProcId, RceId,
    Result, Signature, TrxId,
};
use zerocopy::{FromBytes, IntoBytes};

/// Where an encoded record goes, piece by piece.
pub trait Sink {
    /// Takes the next bytes of the record.
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// The longest head: Split2 has 110 bytes.
const HEAD_LEN_MAX: usize = 112;
/// The most variable parts that a record has: Split2 has four.
pub(crate) const TAIL_PARTS_MAX: usize = 4;
/// The variable parts of a record, in stored order; unused ones are empty.
pub(crate) type Tail<'t> = [&'t [u8]; TAIL_PARTS_MAX];

/// The fixed part of a record under construction.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    bytes: [u8; HEAD_LEN_MAX],
    len: usize,
    /// A variable part was longer than its length field can say.
    too_long: bool,
}

impl Head {
    #[inline]
    pub(crate) fn new(number: u8) -> Head {
        let mut head = Head { bytes: [0; HEAD_LEN_MAX], len: 0, too_long: false };
        head.put(&[number]);
        head
    }

    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        if let Some(to) = self.bytes.get_mut(self.len..end) {
            to.copy_from_slice(bytes);
            self.len = end;
        } else {
            self.too_long = true;
        }
    }

    #[inline]
    pub(crate) fn field(&mut self, field: impl Field) {
        field.put(self);
    }

    /// A length field of type `N`.
    #[inline]
    pub(crate) fn len_of<N: LenField>(&mut self, bytes: &[u8]) {
        match N::from_len(bytes.len()) {
            Some(len) => len.put(self),
            None => self.refuse(),
        }
    }

    /// The record cannot be said in this form; [`Parts::new`] will answer with an error.
    pub(crate) fn refuse(&mut self) {
        self.too_long = true;
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    #[cold]
    fn refusal(&self) -> Error {
        Error::new(
            JetErr::LogBufferTooSmall,
            format!(
                "a variable part of a log record of type {} is longer than its length field",
                self.bytes[0]
            ),
        )
    }
}

/// A record ready to be written: the head built, the tail still where the caller has it.
/// Making it does not allocate, and writing it cannot fail.
#[derive(Clone, Copy)]
pub struct Parts<'t> {
    head: Head,
    tail: Tail<'t>,
}

impl<'t> Parts<'t> {
    #[inline]
    pub(crate) fn new(head: Head, tail: Tail<'t>) -> Result<Parts<'t>> {
        if head.too_long { Err(head.refusal()) } else { Ok(Parts { head, tail }) }
    }

    /// Bytes of the whole record.
    #[must_use]
    #[inline]
    pub fn encoded_len(&self) -> usize {
        self.head.len + self.tail.iter().map(|part| part.len()).sum::<usize>()
    }

    /// Hands the record's bytes over, in order.
    #[inline]
    pub fn write(&self, sink: &mut (impl Sink + ?Sized)) {
        sink.put(self.head.bytes());
        for part in self.tail {
            if !part.is_empty() {
                sink.put(part);
            }
        }
    }
}

impl fmt::Debug for Parts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parts({} bytes, type {})", self.encoded_len(), self.head.bytes[0])
    }
}

/// Reads a record's fields one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Input<'b> {
    rest: &'b [u8],
    number: u8,
}

impl<'b> Input<'b> {
    /// Takes the type byte; there must be one.
    pub(crate) fn new(bytes: &'b [u8]) -> Result<Input<'b>> {
        let Some((&number, rest)) = bytes.split_first() else {
            return Err(Error::new(JetErr::LogFileCorrupt, "a log record without any byte"));
        };
        Ok(Input { rest, number })
    }

    pub(crate) fn number(&self) -> u8 {
        self.number
    }

    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    #[inline]
    pub(crate) fn take(&mut self, len: usize) -> Result<&'b [u8]> {
        match self.rest.split_at_checked(len) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(self.short(len)),
        }
    }

    #[cold]
    fn short(&self, len: usize) -> Error {
        Error::new(
            JetErr::LogFileCorrupt,
            format!(
                "a log record of type {} needs {len} more bytes where {} are left",
                self.number,
                self.rest.len()
            ),
        )
    }

    #[cold]
    pub(crate) fn impossible(&self, what: &str, value: impl fmt::Display) -> Error {
        Error::new(
            JetErr::LogFileCorrupt,
            format!("a log record of type {} has {what} {value}", self.number),
        )
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let bytes = self.take(N)?;
        bytes.try_into().map_err(|_| self.short(N))
    }

    #[inline]
    pub(crate) fn field<F: Field>(&mut self) -> Result<F> {
        F::read(self)
    }

    #[inline]
    pub(crate) fn len_of<N: LenField>(&mut self) -> Result<usize> {
        Ok(N::read(self)?.to_len())
    }

    /// For records that start with the length of their rest: the rest, and nothing behind it.
    pub(crate) fn sized_rest(&mut self) -> Result<Input<'b>> {
        let len = self.len_of::<u32>()?;
        let rest = self.take(len)?;
        Ok(Input { rest, number: self.number })
    }

    /// Everything that is left.
    pub(crate) fn all(&mut self) -> &'b [u8] {
        std::mem::take(&mut self.rest)
    }
}

/// A field of fixed size.
pub(crate) trait Field: Copy {
    /// Appends it to a head.
    fn put(self, head: &mut Head);
    /// Takes it from the input.
    fn read(input: &mut Input<'_>) -> Result<Self>;
}

/// An integer that holds a length.
pub(crate) trait LenField: Field {
    fn from_len(len: usize) -> Option<Self>;
    fn to_len(self) -> usize;
}

macro_rules! integer_fields {
    ($($int:ty),*) => {$(
        impl Field for $int {
            #[inline]
            fn put(self, head: &mut Head) {
                head.put(&self.to_le_bytes());
            }
            #[inline]
            fn read(input: &mut Input<'_>) -> Result<$int> {
                Ok(<$int>::from_le_bytes(input.array()?))
            }
        }
    )*};
}
integer_fields!(u8, u16, u32, u64, i16, i32, i64);

impl LenField for u16 {
    #[inline]
    fn from_len(len: usize) -> Option<u16> {
        u16::try_from(len).ok()
    }
    #[inline]
    fn to_len(self) -> usize {
        usize::from(self)
    }
}

impl LenField for u32 {
    #[inline]
    fn from_len(len: usize) -> Option<u32> {
        u32::try_from(len).ok()
    }
    #[inline]
    fn to_len(self) -> usize {
        usize::try_from(self).unwrap_or(usize::MAX)
    }
}

macro_rules! id_fields {
    ($($id:ident($int:ty)),*) => {$(
        impl Field for $id {
            #[inline]
            fn put(self, head: &mut Head) {
                self.0.put(head);
            }
            #[inline]
            fn read(input: &mut Input<'_>) -> Result<$id> {
                Ok($id(<$int>::read(input)?))
            }
        }
    )*};
}
id_fields!(
    Pgno(u32),
    ObjId(u32),
    DbTime(u64),
    TrxId(u32),
    Dbid(u8),
    ProcId(u16),
    RceId(u32),
    Iline(u16)
);

macro_rules! byte_fields {
    ($($ty:ty),*) => {$(
        impl Field for $ty {
            fn put(self, head: &mut Head) {
                head.put(self.as_bytes());
            }
            fn read(input: &mut Input<'_>) -> Result<$ty> {
                let bytes: [u8; size_of::<$ty>()] = input.array()?;
                <$ty>::read_from_bytes(&bytes)
                    .map_err(|_| Error::code_only(JetErr::LogFileCorrupt))
            }
        }
    )*};
}
byte_fields!(LogTime, Signature, LeLgPos, ese_base::BkInfo);

impl Field for LgPos {
    fn put(self, head: &mut Head) {
        LeLgPos::from(self).put(head);
    }
    fn read(input: &mut Input<'_>) -> Result<LgPos> {
        Ok(LeLgPos::read(input)?.get())
    }
}

/// How a field looks in a one-line description.
pub(crate) trait Show {
    fn show(&self, name: &str, out: &mut String);
}

/// Appends formatted text; writing to a string cannot fail.
pub(crate) fn text(out: &mut String, args: fmt::Arguments<'_>) {
    if out.write_fmt(args).is_err() {
        out.push('?');
    }
}

macro_rules! show_display {
    ($($ty:ty),*) => {$(
        impl Show for $ty {
            fn show(&self, name: &str, out: &mut String) {
                text(out, format_args!(" {name}={self}"));
            }
        }
    )*};
}
show_display!(
    u8, u16, u32, u64, i16, i32, i64, Pgno, ObjId, TrxId, Dbid, ProcId, RceId, Iline, LgPos,
    LogTime, Signature
);

impl Show for DbTime {
    fn show(&self, name: &str, out: &mut String) {
        if *self == DbTime::NOT_CHECKED {
            text(out, format_args!(" {name}=-"));
        } else {
            text(out, format_args!(" {name}={self}"));
        }
    }
}

impl Show for ese_base::BkInfo {
    fn show(&self, name: &str, out: &mut String) {
        text(
            out,
            format_args!(
                " {name}={}@{}:{:X}-{:X}",
                self.lgpos_mark.get(),
                self.logtime_mark,
                self.gen_low,
                self.gen_high
            ),
        );
    }
}

impl<T: Show> Show for Option<T> {
    fn show(&self, name: &str, out: &mut String) {
        if let Some(value) = self {
            value.show(name, out);
        }
    }
}

impl Show for &[u8] {
    /// Short values in hexadecimal, long ones by their length and first bytes.
    fn show(&self, name: &str, out: &mut String) {
        const SHOWN_MAX: usize = 24;
        text(out, format_args!(" {name}[{}]={:.SHOWN_MAX$}", self.len(), Hex(self)));
    }
}

/// A record: what the list in `records` needs of each.
pub(crate) trait Body<'b>: Sized {
    /// The type byte it is written with.
    fn number(&self) -> u8;
    /// The fixed part.
    fn head(&self) -> Head;
    /// The variable parts in stored order.
    fn tail(&self) -> Tail<'_>;
    /// Reads the record behind its type byte and takes exactly its bytes.
    fn decode(input: &mut Input<'b>) -> Result<Self>;
    /// Appends ` field=value` for each field.
    fn show_fields(&self, out: &mut String);
}

/// An integer with named values; others are refused when read.
macro_rules! wire_enum {
    (
        $(#[$doc:meta])*
        $name:ident: $int:ty { $($(#[$vdoc:meta])* $variant:ident = $value:literal,)* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $crate::records::wire::Field for $name {
            fn put(self, head: &mut $crate::records::wire::Head) {
                let value: $int = match self { $($name::$variant => $value,)* };
                value.put(head);
            }
            fn read(input: &mut $crate::records::wire::Input<'_>) -> ese_base::Result<$name> {
                match input.field::<$int>()? {
                    $($value => Ok($name::$variant),)*
                    other => Err(input.impossible(stringify!($name), other)),
                }
            }
        }

        impl $crate::records::wire::Show for $name {
            fn show(&self, name: &str, out: &mut String) {
                $crate::records::wire::text(out, format_args!(" {name}={self:?}"));
            }
        }
    };
}

/// A record whose head is a plain sequence of fields. `name: &'a [u8] => u16` is a variable part
/// whose length stands here in the head; `tail` lists the variable parts in stored order.
macro_rules! record_struct {
    (
        $(#[$doc:meta])*
        $name:ident $(<$lt:lifetime>)? = $number:literal {
            $($(#[$fdoc:meta])* $field:ident: $fty:ty $(=> $len:ty)?,)*
        }
        $(tail { $($tail:ident),* })?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name $(<$lt>)? {
            $($(#[$fdoc])* pub $field: $fty,)*
        }

        impl<'b $(, $lt)?> $crate::records::wire::Body<'b> for $name $(<$lt>)?
        where $('b: $lt)?
        {
            #[inline]
            fn number(&self) -> u8 {
                $number
            }
            #[inline]
            fn head(&self) -> $crate::records::wire::Head {
                #[allow(unused_mut, reason = "a record without fields")]
                let mut head = $crate::records::wire::Head::new($number);
                $($crate::records::wire::put_field!(head, self.$field $(, $len)?);)*
                head
            }
            #[inline]
            fn tail(&self) -> $crate::records::wire::Tail<'_> {
                $crate::records::wire::tail_of!(self $(, $($tail),*)?)
            }
            #[inline]
            fn decode(
                input: &mut $crate::records::wire::Input<'b>
            ) -> ese_base::Result<Self> {
                let _ = &input;
                $(let $field = $crate::records::wire::read_field!(input $(, $len)?);)*
                $($(let $tail = input.take($tail)?;)*)?
                Ok($name { $($field),* })
            }
            fn show_fields(&self, out: &mut String) {
                let _ = &out;
                $($crate::records::wire::Show::show(&self.$field, stringify!($field), out);)*
            }
        }
    };
}

macro_rules! put_field {
    ($head:ident, $value:expr) => {
        $head.field($value)
    };
    ($head:ident, $value:expr, $len:ty) => {
        $head.len_of::<$len>($value)
    };
}

macro_rules! read_field {
    ($input:ident) => {
        $input.field()?
    };
    ($input:ident, $len:ty) => {
        $input.len_of::<$len>()?
    };
}

macro_rules! tail_of {
    ($self:ident) => {
        [&[], &[], &[], &[]]
    };
    ($self:ident, $a:ident) => {
        [$self.$a, &[], &[], &[]]
    };
    ($self:ident, $a:ident, $b:ident) => {
        [$self.$a, $self.$b, &[], &[]]
    };
    ($self:ident, $a:ident, $b:ident, $c:ident) => {
        [$self.$a, $self.$b, $self.$c, &[]]
    };
}

pub(crate) use {put_field, read_field, record_struct, tail_of, wire_enum};
