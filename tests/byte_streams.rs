//! Any bytes at all: what must hold whatever is written to the gateway.
//!
//! Each property is a function of bytes, and is checked twice: here on random bytes and on every
//! kept seed, and by the targets of `tests/fuzz/` on whatever covers more of the code.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a property that does not hold says so"
)]

#[path = "byte_streams/clients.rs"]
mod clients;
#[path = "byte_streams/conversation.rs"]
mod conversation;
#[path = "byte_streams/envelope.rs"]
mod envelope;
#[path = "byte_streams/era.rs"]
mod era;
#[path = "byte_streams/found.rs"]
mod found;
#[path = "byte_streams/head.rs"]
mod head;
#[path = "byte_streams/json.rs"]
mod json;
#[path = "byte_streams/lines.rs"]
mod lines;
#[path = "byte_streams/memory.rs"]
mod memory;
#[path = "byte_streams/model.rs"]
mod model;
#[path = "byte_streams/oversized.rs"]
mod oversized;
#[path = "byte_streams/random.rs"]
mod random;
#[path = "byte_streams/request_state.rs"]
mod request_state;
#[path = "byte_streams/seeds.rs"]
mod seeds;
#[path = "byte_streams/servers.rs"]
mod servers;
#[path = "simulation/mod.rs"]
mod simulation;
#[path = "byte_streams/texts.rs"]
mod texts;
