#![no_main]

#[path = "../../tests/any_bytes/kernel.rs"]
mod kernel;
#[path = "../../tests/any_bytes/parsers.rs"]
mod parsers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::socket(bytes));
