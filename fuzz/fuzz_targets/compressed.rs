//! See `ese_fuzz::compressed`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: ese_fuzz::seeds::write("compressed"),
    |data: &[u8]| ese_fuzz::compressed::run(data)
);
