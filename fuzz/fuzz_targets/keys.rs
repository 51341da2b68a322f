//! See `ese_fuzz::keys`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: ese_fuzz::seeds::write("keys"),
    |data: &[u8]| ese_fuzz::keys::run(data)
);
