//! See `ese_fuzz::log`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: ese_fuzz::seeds::write("log"),
    |data: &[u8]| ese_fuzz::log::run(data)
);
