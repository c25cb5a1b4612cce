//! What MCP's messages mean: pure builders and parsers, no I/O.
//!
//! | module | talks to | about |
//! |---|---|---|
//! | [`client_side`] | the client | what it asks the gateway itself, and the answers |
//! | [`server_side`] | a server | what the gateway itself asks, and what it reads of the answers |
//! | [`relay`] | both | a message on its way through: ids and names exchanged |
//! | [`bridge`] | both | what a message of one era needs in the other |
//! | [`request_state`] | the client | the sealed word by which a held question is found again |
//! | [`listing`] | | one page of a server's lists, each entry kept byte for byte |
//! | [`capabilities`], [`introduction`] | | what servers and the client say of themselves |
//! | [`failure`] | the client | what is said when a call can't be answered by its server |
//! | [`resource_uri`], [`uri_template`] | | whose a resource is |
//! | [`downstream_id`], [`level`], [`method`], [`tool_name`], [`version`] | | the vocabulary |
//!
//! Invariant: text from one side reaches the other as spliced bytes, never as values written anew.
//!
//! Absent on purpose: any state of a session, and who decides when one of these is said.

pub mod bridge;
pub mod capabilities;
pub mod client_side;
pub mod downstream_id;
pub mod failure;
pub mod introduction;
pub mod level;
pub mod listing;
pub mod method;
pub mod relay;
pub mod request_state;
pub mod resource_uri;
pub mod server_side;
pub mod task;
pub mod tool_name;
pub mod uri_template;
pub mod version;
