//! A client's stream into the whole gateway, over the simulated world.

#![no_main]

#[path = "../../byte_streams/conversation.rs"]
mod conversation;
#[path = "../../byte_streams/era.rs"]
mod era;
#[path = "../../byte_streams/head.rs"]
mod head;
#[path = "../../byte_streams/json.rs"]
mod json;
#[path = "../../byte_streams/model.rs"]
mod model;
#[path = "../../byte_streams/oversized.rs"]
mod oversized;
#[path = "../../byte_streams/servers.rs"]
mod servers;
#[path = "../../simulation/mod.rs"]
mod simulation;

libfuzzer_sys::fuzz_target!(|input: &[u8]| era::check(input));
