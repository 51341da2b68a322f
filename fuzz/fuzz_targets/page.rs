//! See `ese_fuzz::page`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: ese_fuzz::seeds::write("page"),
    |data: &[u8]| ese_fuzz::page::run(data)
);
