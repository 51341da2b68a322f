//! See `ese_fuzz::page`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ese_fuzz::page::run(data));
