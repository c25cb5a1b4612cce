//! MCP's messages as far as the gateway speaks them itself. Pure: text in, text out.
//!
//! The legacy era (revisions up to 2025-11-25) is spoken on both sides.

pub mod client;
pub mod downstream;
pub mod downstream_id;
pub mod names;
pub mod version;
