//! See `ese_fuzz::tagged`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: ese_fuzz::seeds::write("tagged"),
    |data: &[u8]| ese_fuzz::tagged::run(data)
);
