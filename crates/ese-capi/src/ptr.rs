//! Pointers that callers hand over. A value of these types comes from a caller of the C interface,
//! as an argument or as a field of one of its structures, and nowhere else; the interface obliges
//! the caller: a pointer is NULL, or it points to what the reference page of the call names, for as
//! long as the call lasts. That is the reason of every `unsafe` here.
//!
//! Everything is copied, never borrowed as `T`: callers need not align, and may name one place
//! twice.

use std::{ffi::c_void, mem, ptr, slice};

use ese_base::{BkInfo, Error, JetErr, LeLgPos, LogTime, Result, Signature};

/// May have any bytes, all zeros among them.
///
/// # Safety
/// Only for such types.
pub(crate) unsafe trait Plain: Copy {}

macro_rules! plain {
    // SAFETY: numbers, and structures of bytes; every one of their values is one.
    ($($name:ty)*) => { $(unsafe impl Plain for $name {})* };
}

plain! { u8 u16 u32 u64 i32 i64 f64 usize LogTime LeLgPos Signature BkInfo }

// SAFETY: pointers that are only followed as the module says; NULL is one.
unsafe impl<T> Plain for Ptr<T> {}

// SAFETY: as above.
unsafe impl<C> Plain for Str<C> {}

/// The number of bytes of a structure, as callers write it.
pub(crate) const fn size<T>() -> u32 {
    let size = size_of::<T>();
    assert!(size < 1 << 20);
    #[allow(clippy::cast_possible_truncation, reason = "checked in the line above")]
    let size = size as u32;
    size
}

/// A length in bytes that a caller gave.
pub(crate) fn bytes(cb: u32) -> usize {
    usize::try_from(cb).unwrap_or(usize::MAX)
}

/// A length for a caller; there are no longer ones than these.
pub(crate) fn len(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Points to a value, or to the first of several, or is NULL.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Ptr<T>(*mut T);

impl<T> Clone for Ptr<T> {
    fn clone(&self) -> Ptr<T> {
        *self
    }
}

impl<T> Copy for Ptr<T> {}

impl<T> Ptr<T> {
    pub(crate) fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// # Errors
    /// `JET_errInvalidParameter` (-1003) for NULL.
    #[track_caller]
    pub(crate) fn required(self) -> Result<Ptr<T>> {
        if self.is_null() { Err(missing()) } else { Ok(self) }
    }

    /// As a pointer to something else at the same place.
    pub(crate) fn cast<U>(self) -> Ptr<U> {
        Ptr(self.0.cast())
    }

    /// The place so many values further on.
    pub(crate) fn at(self, index: usize) -> Ptr<T> {
        Ptr(self.0.wrapping_add(index))
    }

    /// The place so many bytes further on.
    pub(crate) fn after(self, bytes: u32) -> Ptr<T> {
        Ptr(self.0.wrapping_byte_add(self::bytes(bytes)))
    }

    /// For callers that give it back to a function of theirs.
    pub(crate) fn address(self) -> usize {
        self.0.addr()
    }

    /// Memory of our own, told to a caller.
    pub(crate) fn to(value: &mut T) -> Ptr<T> {
        Ptr(value)
    }

    /// As what is either a number or a pointer.
    pub(crate) fn either<U>(self) -> Either<U> {
        Either(self.0.cast())
    }

    /// Several values of our own; NULL for none.
    pub(crate) fn of_list(list: &mut [T]) -> Ptr<T> {
        if list.is_empty() { Ptr::NULL } else { Ptr(list.as_mut_ptr()) }
    }

    /// A number that callers read as a pointer.
    pub(crate) fn at_address(number: usize) -> Ptr<T> {
        Ptr(ptr::without_provenance_mut(number))
    }

    /// As bytes.
    pub(crate) fn bytes(self) -> Bytes {
        Bytes(self.0.cast())
    }

    pub(crate) const NULL: Ptr<T> = Ptr(ptr::null_mut());
}

impl<T: Plain> Ptr<T> {
    /// The value; `None` at NULL.
    pub(crate) fn read(self) -> Option<T> {
        // SAFETY: not NULL, so there is a value (module head).
        (!self.0.is_null()).then(|| unsafe { self.0.read_unaligned() })
    }

    /// # Errors
    /// `JET_errInvalidParameter` (-1003) for NULL.
    #[track_caller]
    pub(crate) fn get(self) -> Result<T> {
        self.read().ok_or_else(missing)
    }

    /// Writes the value; does nothing at NULL.
    pub(crate) fn write(self, value: T) {
        if !self.0.is_null() {
            // SAFETY: not NULL, so there is room for one value (module head).
            unsafe { self.0.write_unaligned(value) }
        }
    }

    /// Changes the value; does nothing at NULL.
    pub(crate) fn change(self, change: impl FnOnce(&mut T)) {
        if let Some(mut value) = self.read() {
            change(&mut value);
            self.write(value);
        }
    }

    /// The first bytes of a value, of which a caller knows no more; the others are 0.
    ///
    /// # Errors
    /// `JET_errInvalidParameter` (-1003) for NULL.
    #[track_caller]
    pub(crate) fn get_part(self, bytes: u32) -> Result<T> {
        let mut whole = zeroed::<T>();
        let count = self::bytes(bytes).min(size_of::<T>());
        let from = Bytes(self.required()?.0.cast());
        let mut to = Bytes(ptr::from_mut(&mut whole).cast());
        if let (Some(from), Some(to)) = (from.slice(len(count)), to.buffer(len(count))) {
            to.copy_from_slice(from);
        }
        Ok(whole)
    }

    /// Writes the first bytes of a value.
    pub(crate) fn write_part(self, mut value: T, bytes: u32) {
        let count = len(self::bytes(bytes).min(size_of::<T>()));
        let from = Bytes(ptr::from_mut(&mut value).cast());
        let mut to = Bytes(self.0.cast());
        if let (Some(from), Some(to)) = (from.slice(count), to.buffer(count)) {
            to.copy_from_slice(from);
        }
    }

    /// So many values.
    ///
    /// # Errors
    /// `JET_errInvalidParameter` (-1003) for NULL, unless there are none.
    #[track_caller]
    pub(crate) fn list(self, count: u32) -> Result<Vec<T>> {
        if count > 0 {
            self.required()?;
        }
        Ok((0..bytes(count)).filter_map(|index| self.at(index).read()).collect())
    }
}

/// A value of zeros.
pub(crate) fn zeroed<T: Plain>() -> T {
    // SAFETY: zeros are one of its values (`Plain`).
    unsafe { mem::zeroed() }
}

#[track_caller]
fn missing() -> Error {
    Error::new(JetErr::InvalidParameter, "a pointer is NULL that must not be")
}

/// Bytes whose number stands elsewhere, or NULL.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct Bytes(*mut u8);

// SAFETY: as of `Ptr`.
unsafe impl Plain for Bytes {}

impl Bytes {
    pub(crate) const NULL: Bytes = Bytes(ptr::null_mut());

    pub(crate) fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// As a pointer to values.
    pub(crate) fn cast<T>(self) -> Ptr<T> {
        Ptr(self.0.cast())
    }

    /// The bytes; `None` at NULL.
    pub(crate) fn slice(&self, cb: u32) -> Option<&[u8]> {
        // SAFETY: not NULL, so there are so many bytes, and nobody writes them now (module head).
        (!self.0.is_null()).then(|| unsafe { slice::from_raw_parts(self.0, bytes(cb)) })
    }

    /// Room for bytes; `None` at NULL.
    pub(crate) fn buffer(&mut self, cb: u32) -> Option<&mut [u8]> {
        // SAFETY: not NULL, so there is such room, and nobody else looks at it now (module head).
        (!self.0.is_null()).then(|| unsafe { slice::from_raw_parts_mut(self.0, bytes(cb)) })
    }

    /// Copies what fits.
    pub(crate) fn fill(mut self, cb: u32, from: &[u8]) {
        if let Some(room) = self.buffer(cb) {
            room.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        }
    }
}

/// A number of 32 bits or a pointer, as a flag elsewhere says.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct Either<T>(*mut T);

// SAFETY: as of `Ptr`.
unsafe impl<T: Copy> Plain for Either<T> {}

impl<T> Either<T> {
    /// The number; callers may have left the other half as it was.
    pub(crate) fn number(self) -> u32 {
        u32::try_from(self.0.addr() & 0xffff_ffff).unwrap_or(0)
    }

    pub(crate) fn pointer(self) -> Ptr<T> {
        Ptr(self.0)
    }

    pub(crate) fn of_number(number: u32) -> Either<T> {
        Either(ptr::without_provenance_mut(bytes(number)))
    }

    pub(crate) fn of_pointer(pointer: Ptr<T>) -> Either<T> {
        Either(pointer.0)
    }
}

/// Text that ends with a NUL, or NULL.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Str<C>(*mut C);

impl<C> Clone for Str<C> {
    fn clone(&self) -> Str<C> {
        *self
    }
}

impl<C> Copy for Str<C> {}

impl<C: Plain + PartialEq + Default> Str<C> {
    pub(crate) const NULL: Str<C> = Str(ptr::null_mut());

    pub(crate) fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// The pointer itself, for what is no text although its type says so.
    pub(crate) fn cast<T>(self) -> Ptr<T> {
        Ptr(self.0.cast())
    }

    /// Memory at this place has become text.
    pub(crate) fn at(place: Ptr<C>) -> Str<C> {
        Str(place.0)
    }

    /// The units before the NUL; `None` at NULL.
    pub(crate) fn units(self) -> Option<Vec<C>> {
        let place = Ptr(self.0);
        place.read()?;
        let units = (0..).map_while(|index| place.at(index).read());
        Some(units.take_while(|unit| *unit != C::default()).collect())
    }

    /// So many bytes of units, NULs among them; `None` at NULL.
    pub(crate) fn units_of(self, cb: u32) -> Option<Vec<C>> {
        let count = bytes(cb) / size_of::<C>();
        let place = Ptr(self.0);
        (!self.is_null()).then(|| (0..count).filter_map(|index| place.at(index).read()).collect())
    }
}

/// Memory that callers give back with JetFreeBuffer: so many bytes of zeros, which begin at a
/// multiple of 16.
///
/// # Errors
/// `JET_errOutOfMemory` (-1011).
pub(crate) fn allocate(len: usize) -> Result<Bytes> {
    // SAFETY: asks for memory; looks at none.
    let memory = unsafe { libc::calloc(len.max(1), 1) };
    if memory.is_null() {
        let what = format!("no memory for {len} bytes");
        return Err(Error::new(JetErr::OutOfMemory, what));
    }
    Ok(Bytes(memory.cast()))
}

/// Gives memory of [`allocate`] back; NULL is nothing.
pub(crate) fn free(memory: Bytes) {
    // SAFETY: the caller got it from a call whose page says that this one gives it back.
    unsafe { libc::free(memory.0.cast::<c_void>()) }
}
