//! See `ese_fuzz::log_record`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: ese_fuzz::seeds::write("log_record"),
    |data: &[u8]| ese_fuzz::log_record::run(data)
);
