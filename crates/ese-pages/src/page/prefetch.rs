//! Asking the processor for bytes that will be looked at, before they are: several are then under
//! way at once, where each would be waited for in turn.

/// Asks for the line of memory that byte `at` lies in. Only a hint; a place outside of the bytes is
/// let be.
#[inline(always)]
pub(crate) fn prefetch(bytes: &[u8], at: usize) {
    if let Some(byte) = bytes.get(at) {
        prefetch_at(byte);
    }
}

/// Asks for the line of memory at an address. Only a hint; any address will do.
#[inline(always)]
pub(crate) fn prefetch_at(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the instruction changes no memory and cannot fault, wherever it points.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
