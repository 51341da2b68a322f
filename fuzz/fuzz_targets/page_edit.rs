//! See `ese_fuzz::page_edit`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: ese_fuzz::seeds::write("page_edit"),
    |data: &[u8]| ese_fuzz::page_edit::run(data)
);
