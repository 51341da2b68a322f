//! See `ese_fuzz::log`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ese_fuzz::log::run(data));
