//! What the client is told when a call is not answered by its server.
//!
//! A call of a tool is answered with a result that has `isError: true`, since that is what reaches
//! the model; the facts stand under `_meta` for programs. Not under `structuredContent`:
//! clients check that against the tool's output schema, errors included, and throw the text away.

use crate::wire::jsonrpc::{self, ErrorCode};
use crate::wire::request_id::RequestId;
use rea_fsm::{Asks, Executed};
use serde::Serialize;

/// The facts, for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure<'a> {
    /// Which server.
    pub server: &'a str,
    /// What state it is in.
    pub state: &'static str,
    /// Why the call was not answered; a stable word.
    pub reason: &'static str,
    /// Whether the tool may have run.
    pub executed: Executed,
    /// When the server is tried again, RFC 3339, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<String>,
}

/// The key under `_meta`.
pub const META_KEY: &str = "rea/failure";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ToolResult<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    result_type: Option<&'static str>,
    content: [TextContent<'a>; 1],
    is_error: bool,
    #[serde(rename = "_meta")]
    meta: Meta<'a>,
}

#[derive(Serialize)]
struct TextContent<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    text: &'a str,
}

#[derive(Serialize)]
struct Meta<'a> {
    #[serde(rename = "rea/failure")]
    failure: &'a Failure<'a>,
}

/// Appends the failure of a `tools/call`: a text that a model can act on, and the facts.
///
/// A client without a session is told of what kind the result is.
pub fn tool_failure(
    out: &mut Vec<u8>,
    id: &RequestId,
    text: &str,
    failure: &Failure<'_>,
    asks: Asks,
) {
    let result = ToolResult {
        result_type: match asks {
            Asks::Directly => None,
            Asks::InAnswers => Some("complete"),
        },
        content: [TextContent { kind: "text", text }],
        is_error: true,
        meta: Meta { failure },
    };
    jsonrpc::result(out, id, &result);
}

/// Appends the failure of any other request: an error with the facts.
pub fn request_failure(out: &mut Vec<u8>, id: &RequestId, text: &str, failure: &Failure<'_>) {
    jsonrpc::error(out, id, ErrorCode::Unavailable, text, Some(failure));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_tool_call_is_a_result_for_the_model_with_the_facts_beside() {
        let facts = Failure {
            server: "git",
            state: "flap_locked",
            reason: "flap_locked",
            executed: Executed::No,
            retry_at: Some("1970-01-01T00:00:00Z".to_owned()),
        };
        let mut out = Vec::new();
        let text = "not \"executed\"";
        tool_failure(&mut out, &RequestId::from(1), text, &facts, Asks::Directly);
        let expected = format!(
            r#"{{"jsonrpc":"2.0","id":1,"result":{{"content":[{{"type":"text","text":"not \"executed\""}}],"isError":true,"_meta":{{"{META_KEY}":{{"server":"git","state":"flap_locked","reason":"flap_locked","executed":"no","retry_at":"1970-01-01T00:00:00Z"}}}}}}}}"#
        );
        assert_eq!(String::from_utf8(out).expect("text"), expected);
    }

    #[test]
    fn another_failed_request_is_an_error_with_the_facts() {
        let facts = Failure {
            server: "git",
            state: "blocked",
            reason: "blocked",
            executed: Executed::No,
            retry_at: None,
        };
        let mut out = Vec::new();
        request_failure(&mut out, &RequestId::from(1), "no", &facts);
        assert_eq!(
            String::from_utf8(out).expect("text"),
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no","data":{"server":"git","state":"blocked","reason":"blocked","executed":"no"}}}"#
        );
    }
}
