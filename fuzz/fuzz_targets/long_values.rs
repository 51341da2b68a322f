//! See `ese_fuzz::long_values`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: ese_fuzz::seeds::write("long_values"),
    |data: &[u8]| ese_fuzz::long_values::run(data)
);
