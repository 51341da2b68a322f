//! See `ese_fuzz::replay`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: ese_fuzz::seeds::write("replay"),
    |data: &[u8]| ese_fuzz::replay::run(data)
);
