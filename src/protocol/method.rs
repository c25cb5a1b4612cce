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
/// One page of prompts.
pub const PROMPTS_LIST: &str = "prompts/list";
/// Fills a prompt in.
pub const PROMPTS_GET: &str = "prompts/get";
/// The list of prompts is another one now.
pub const PROMPTS_LIST_CHANGED: &str = "notifications/prompts/list_changed";
/// One page of resources.
pub const RESOURCES_LIST: &str = "resources/list";
/// One page of templates of resources' URIs.
pub const RESOURCE_TEMPLATES_LIST: &str = "resources/templates/list";
/// A resource's contents.
pub const RESOURCES_READ: &str = "resources/read";
/// Tell me when a resource changes.
pub const RESOURCES_SUBSCRIBE: &str = "resources/subscribe";
/// Tell me no more.
pub const RESOURCES_UNSUBSCRIBE: &str = "resources/unsubscribe";
/// The list of resources is another one now.
pub const RESOURCES_LIST_CHANGED: &str = "notifications/resources/list_changed";
/// A resource that was subscribed to has changed.
pub const RESOURCES_UPDATED: &str = "notifications/resources/updated";
/// What may an argument be?
pub const COMPLETE: &str = "completion/complete";
/// How much a server is to tell.
pub const SET_LEVEL: &str = "logging/setLevel";
/// What a server tells.
pub const MESSAGE: &str = "notifications/message";
/// What becomes of a task.
pub const TASKS_GET: &str = "tasks/get";
/// What came of a task.
pub const TASKS_RESULT: &str = "tasks/result";
/// Ends a task.
pub const TASKS_CANCEL: &str = "tasks/cancel";
/// What the client is asked for by a task of the era without a handshake.
pub const TASKS_UPDATE: &str = "tasks/update";
/// One page of tasks.
pub const TASKS_LIST: &str = "tasks/list";
/// How it stands with a task.
pub const TASKS_STATUS: &str = "notifications/tasks/status";
/// The same, in the era without a handshake.
pub const TASKS_TOLD: &str = "notifications/tasks";
/// A server asks the client's model.
pub const SAMPLING: &str = "sampling/createMessage";
/// A server asks the client's user.
pub const ELICITATION: &str = "elicitation/create";
/// A server asks for the folders that the client works in.
pub const ROOTS_LIST: &str = "roots/list";
/// Those folders are others now.
pub const ROOTS_LIST_CHANGED: &str = "notifications/roots/list_changed";
/// Opens a stream of notifications, in the era without a handshake.
pub const LISTEN: &str = "subscriptions/listen";
/// Such a stream is open.
pub const LISTEN_ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";
/// What are you? Of the era without a handshake.
pub const DISCOVER: &str = "server/discover";

/// How a client without a session gets what the era without a handshake has taken away.
pub fn removed(method: &str) -> Option<&'static str> {
    match method {
        INITIALIZE => Some("each request says for itself what its client is and can do"),
        PING => Some("any request shows whether the server is there, `server/discover` too"),
        SET_LEVEL => Some("each request says in `_meta` how much it wants to be told"),
        RESOURCES_SUBSCRIBE => Some("`subscriptions/listen` tells of changes"),
        RESOURCES_UNSUBSCRIBE => Some("`notifications/cancelled` ends a `subscriptions/listen`"),
        _ => None,
    }
}

/// Whether the answer to this request may be that the server asks something. A client that sends
/// another one does not look for a question in its answer.
pub fn may_be_answered_with_questions(method: &str) -> bool {
    [TOOLS_CALL, PROMPTS_GET, RESOURCES_READ].contains(&method)
}

/// Whether a server may ask for this in the answer to a call.
pub fn may_stand_in_an_answer(method: &str) -> bool {
    [SAMPLING, ELICITATION, ROOTS_LIST].contains(&method)
}

/// Whether this is asked of servers only: a client has no answer to it.
pub fn is_for_servers(method: &str) -> bool {
    [
        INITIALIZE,
        DISCOVER,
        TOOLS_LIST,
        TOOLS_CALL,
        PROMPTS_LIST,
        PROMPTS_GET,
        RESOURCES_LIST,
        RESOURCE_TEMPLATES_LIST,
        RESOURCES_READ,
        RESOURCES_SUBSCRIBE,
        RESOURCES_UNSUBSCRIBE,
        COMPLETE,
        SET_LEVEL,
        LISTEN,
    ]
    .contains(&method)
}
