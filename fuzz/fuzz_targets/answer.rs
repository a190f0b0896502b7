#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| regatta_fuzz::answer::run(input));
