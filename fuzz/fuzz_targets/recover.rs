//! See `ese_fuzz::recover`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: ese_fuzz::seeds::write("recover"),
    |data: &[u8]| ese_fuzz::recover::run(data)
);
