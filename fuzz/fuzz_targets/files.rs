#![no_main]

#[path = "../../tests/any_files/reader.rs"]
mod reader;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    reader::read(bytes);
});
