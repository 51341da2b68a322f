//! See `ese_fuzz::header`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: ese_fuzz::seeds::write("header"),
    |data: &[u8]| ese_fuzz::header::run(data)
);
