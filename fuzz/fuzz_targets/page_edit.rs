//! See `ese_fuzz::page_edit`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ese_fuzz::page_edit::run(data));
