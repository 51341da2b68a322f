//! See `ese_fuzz::header`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ese_fuzz::header::run(data));
