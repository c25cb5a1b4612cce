//! The sealed `requestState`.

#![no_main]

#[path = "../../byte_streams/request_state.rs"]
mod request_state;

libfuzzer_sys::fuzz_target!(|input: &[u8]| request_state::check(input));
