//! Lines and message envelopes, without I/O.
//!
//! ```text
//! bytes ──line──▶ one line ──envelope──▶ Message (spans into the line) ──splice──▶ bytes
//!                    └─ over the limit ─▶ oversized: who it belongs to, nothing else
//! ```
//!
//! Invariant: what is not `rea`'s to change leaves byte for byte as it came. Nothing here turns a
//! payload into values and writes it again; an edit replaces spans, the rest is copied.
//!
//! Absent on purpose: knowledge of any MCP method, reading and writing, and `serde_json::Value`.

pub mod envelope;
pub mod jsonrpc;
pub mod line;
pub mod oversized;
pub mod params;
pub mod raw;
pub mod request_id;
mod scan;
pub mod splice;

#[cfg(test)]
mod properties;
