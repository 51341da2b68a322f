//! See `ese_fuzz::record`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ese_fuzz::record::run(data));
