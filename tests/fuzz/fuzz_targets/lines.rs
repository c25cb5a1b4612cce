//! The line reader.

#![no_main]

#[path = "../../byte_streams/head.rs"]
mod head;
#[path = "../../byte_streams/json.rs"]
mod json;
#[path = "../../byte_streams/lines.rs"]
mod lines;
#[path = "../../byte_streams/memory.rs"]
mod memory;
#[path = "../../byte_streams/oversized.rs"]
mod oversized;

libfuzzer_sys::fuzz_target!(|input: &[u8]| lines::check(input));
