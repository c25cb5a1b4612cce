//! What other programs' files say of a server, and what it is here.
//!
//! Registries are copied from clients' files. What has another name here, or no place, is told in words that help; it
//! is never taken over in silence.

use super::yaml::{Key, Node, Value};

/// What other programs' files have, and what it is here.
const FOREIGN: &[(&str, &str, &str)] = &[
    ("disabled", "enabled", "write enabled: false instead"),
    (
        "type",
        "command",
        "leave it out: every server is spoken to over standard input and output",
    ),
    (
        "transport",
        "command",
        "leave it out: every server is spoken to over standard input and output",
    ),
];

/// What to write instead of a key of other programs. It is good only where the key that it is about
/// is known.
pub(super) fn advice(key: &str, known: &[&str]) -> Option<&'static str> {
    FOREIGN
        .iter()
        .find(|(foreign, ours, _)| *foreign == key && known.contains(ours))
        .map(|&(_, _, words)| words)
}

/// Keys with which clients' files name a server that is reached by HTTP.
const HTTP_KEYS: [&str; 4] = ["url", "serverUrl", "httpUrl", "headers"];
/// The same, where the kind is named.
const KIND_KEYS: [&str; 2] = ["type", "transport"];
const HTTP_KINDS: [&str; 4] = ["http", "sse", "streamable-http", "streamableHttp"];

/// The first key that says that the server is reached by HTTP. One is enough to tell what is wrong,
/// and the rest of such an entry is of no use.
pub(super) fn http_key(node: &Node) -> Option<&Key> {
    let Value::Map(entries) = &node.value else {
        return None;
    };
    let is_http = |(key, node): &&(Key, Node)| {
        let key = key.text.as_str();
        HTTP_KEYS.contains(&key)
            || KIND_KEYS.contains(&key)
                && match &node.value {
                    Value::Plain(kind) | Value::Quoted(kind) => HTTP_KINDS.contains(&kind.as_str()),
                    Value::Null | Value::List(_) | Value::Map(_) => false,
                }
    };
    entries.iter().find(is_http).map(|(key, _)| key)
}
