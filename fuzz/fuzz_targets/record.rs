//! See `ese_fuzz::record`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: ese_fuzz::seeds::write("record"),
    |data: &[u8]| ese_fuzz::record::run(data)
);
