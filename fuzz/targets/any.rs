//! The target that `PARAVENT_FUZZ` names: one program in the place of one for each, where they are to be built first.
#![no_main]

use std::sync::LazyLock;

static NAME: LazyLock<String> = LazyLock::new(|| {
    std::env::var("PARAVENT_FUZZ").expect("PARAVENT_FUZZ names one of the folders of fuzz/seeds")
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| paravent::fuzzing::run(&NAME, bytes));
