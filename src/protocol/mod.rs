//! What MCP's messages mean: pure builders and parsers, no I/O.
//!
//! | module | talks to | about |
//! |---|---|---|
//! | [`client_side`] | the client | `initialize`, the list of tools |
//! | [`server_side`] | a server | `initialize`, `ping`, `tools/list` |
//! | [`tool_page`] | | one page of a server's tools, each kept byte for byte |
//! | [`relay`] | both | a message on its way through: ids and names exchanged |
//! | [`failure`] | the client | what is said when a call can't be answered by its server |
//! | [`downstream_id`], [`tool_name`], [`version`] | | the vocabulary |
//!
//! Invariant: text from one side reaches the other as spliced bytes, never as values written anew.
//!
//! Absent on purpose: the modern era (no handshake, `server/discover`), and any state of a session.

pub mod bridge;
pub mod capabilities;
pub mod client_side;
pub mod downstream_id;
pub mod failure;
pub mod introduction;
pub mod listing;
pub mod method;
pub mod relay;
pub mod request_state;
pub mod resource_uri;
pub mod server_side;
pub mod tool_name;
pub mod uri_template;
pub mod version;
