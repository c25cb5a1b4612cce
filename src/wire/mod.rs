//! Lines and envelopes: where one message ends, what it is, and where its id stands.
//!
//! Invariant: payloads are ranges of the line that came in. What is written on differs from it in
//! the spliced places alone. Absent on purpose: any method's name but those of the envelope.

pub mod envelope;
pub mod jsonrpc;
pub mod line;
pub mod splice;
