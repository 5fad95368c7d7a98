#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| paravent::fuzzing::run("token", bytes));
