//! The envelope, and edits of its line.

#![no_main]

#[path = "../../byte_streams/envelope.rs"]
mod envelope;
#[path = "../../byte_streams/json.rs"]
mod json;
#[path = "../../byte_streams/model.rs"]
mod model;

libfuzzer_sys::fuzz_target!(|input: &[u8]| envelope::check(input));
