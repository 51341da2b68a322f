//! See `ese_fuzz::archive`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: ese_fuzz::seeds::write("archive"),
    |data: &[u8]| ese_fuzz::archive::run(data)
);
