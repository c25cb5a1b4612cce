//! Names of methods, as the legacy era writes them.

/// Opens a session.
pub const INITIALIZE: &str = "initialize";
/// The client is ready.
pub const INITIALIZED: &str = "notifications/initialized";
/// Are you there?
pub const PING: &str = "ping";
/// One page of tools.
pub const TOOLS_LIST: &str = "tools/list";
/// Calls a tool.
pub const TOOLS_CALL: &str = "tools/call";
/// The sender wants no reply any more.
pub const CANCELLED: &str = "notifications/cancelled";
/// How far a request has come.
pub const PROGRESS: &str = "notifications/progress";
/// The list of tools is another one now.
pub const TOOLS_LIST_CHANGED: &str = "notifications/tools/list_changed";
/// What are you? Of the era without a handshake.
pub const DISCOVER: &str = "server/discover";
