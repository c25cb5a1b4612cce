//! What a client of the legacy era says, and what it is answered.

use super::version;
use crate::wire::envelope::{ParseError, decode, members, range_in};
use crate::wire::jsonrpc;
use rea_fsm::ProtocolVersion;
use serde::Serialize;
use std::borrow::Cow;
use std::ops::Range;

/// The revision that a client's `initialize` asks for.
pub fn wanted_version(params: Option<&str>) -> Option<Cow<'_, str>> {
    let [wanted] = members(params?, ["protocolVersion"]).ok()?;
    wanted.and_then(decode)
}

/// Appends the answer to `initialize`.
pub fn initialized(id: &str, version: ProtocolVersion, out: &mut Vec<u8>) {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Hello<'a> {
        protocol_version: &'a str,
        capabilities: Capabilities,
        server_info: Info<'a>,
    }
    #[derive(Serialize)]
    struct Capabilities {
        tools: Tools,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Tools {
        list_changed: bool,
    }
    #[derive(Serialize)]
    struct Info<'a> {
        name: &'a str,
        version: &'a str,
    }
    let hello = Hello {
        protocol_version: version::name(version),
        capabilities: Capabilities {
            tools: Tools { list_changed: true },
        },
        server_info: Info {
            name: "rea",
            version: env!("CARGO_PKG_VERSION"),
        },
    };
    jsonrpc::result(id, &hello, out);
}

/// Appends the answer to `ping`.
pub fn pong(id: &str, out: &mut Vec<u8>) {
    #[derive(Serialize)]
    struct Nothing {}
    jsonrpc::result(id, &Nothing {}, out);
}

/// Appends the answer to `tools/list`, one page with every tool's object as it stands.
pub fn tools<'a>(id: &str, tools: impl Iterator<Item = &'a [u8]>, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(br#","result":{"tools":["#);
    for (index, tool) in tools.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(tool);
    }
    out.extend_from_slice(b"]}}");
}

/// The notification that the list of tools is not what it was.
pub fn tools_changed() -> Vec<u8> {
    jsonrpc::bare_notification("notifications/tools/list_changed")
}

/// Appends a tool's result of our own: an error that a model can act on, with facts for programs.
pub fn tool_error<T: Serialize>(id: &str, text: &str, facts: &T, out: &mut Vec<u8>) {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct ToolResult<'a, T> {
        content: [Text<'a>; 1],
        is_error: bool,
        #[serde(rename = "_meta")]
        meta: Meta<'a, T>,
    }
    #[derive(Serialize)]
    struct Text<'a> {
        r#type: &'a str,
        text: &'a str,
    }
    #[derive(Serialize)]
    struct Meta<'a, T> {
        rea: &'a T,
    }
    let content = [Text {
        r#type: "text",
        text,
    }];
    jsonrpc::result(
        id,
        &ToolResult {
            content,
            is_error: true,
            meta: Meta { rea: facts },
        },
        out,
    );
}

/// What routing needs of a `tools/call`.
#[derive(Debug, PartialEq, Eq)]
pub struct ToolCall<'a> {
    /// The tool's name, decoded.
    pub name: Cow<'a, str>,
    /// Where the name stands in the parameters.
    pub name_at: Range<usize>,
    /// The client's token for progress, as it stands.
    pub progress_token: Option<&'a str>,
}

/// Reads the parameters of a `tools/call`.
///
/// # Errors
/// There is no name, or it stands there twice.
pub fn tool_call(params: Option<&str>) -> Result<ToolCall<'_>, ParseError> {
    let params = params.ok_or(ParseError::NotAMessage)?;
    let [name_json, meta] = members(params, ["name", "_meta"])?;
    let name_json = name_json.ok_or(ParseError::NotAMessage)?;
    let name = decode(name_json).ok_or(ParseError::NotAMessage)?;
    let progress_token = meta
        .and_then(|meta| members(meta, ["progressToken"]).ok())
        .and_then(|[progress_token]| progress_token);
    Ok(ToolCall {
        name,
        name_at: range_in(params, name_json),
        progress_token,
    })
}

/// The id of the request that a `notifications/cancelled` gives up, as it stands.
pub fn cancelled_request(params: Option<&str>) -> Option<&str> {
    let [request_id] = members(params?, ["requestId"]).ok()?;
    request_id
}

/// The token of a `notifications/progress`, as it stands.
pub fn progress_token(params: Option<&str>) -> Option<&str> {
    let [token] = members(params?, ["progressToken"]).ok()?;
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_read_no_deeper_than_its_name_and_token() {
        let params = r#"{"arguments":{"a":1e400,"a":"\ud800"},"n\u0061me":"f__\u0065cho","_meta":{"progressToken":1.50}}"#;
        let call = tool_call(Some(params)).expect("it is a call");
        assert_eq!(call.name, "f__echo");
        assert_eq!(&params[call.name_at], r#""f__\u0065cho""#);
        assert_eq!(call.progress_token, Some("1.50"));
    }

    #[test]
    fn a_name_that_stands_twice_is_refused() {
        let params = r#"{"name":"a__b","n\u0061me":"a__c"}"#;
        assert_eq!(tool_call(Some(params)), Err(ParseError::Duplicate("name")));
    }

    #[test]
    fn a_tools_error_of_ours_has_words_and_facts() {
        let mut out = Vec::new();
        tool_error("7", "it \"died\"", &[1], &mut out);
        assert_eq!(
            String::from_utf8_lossy(&out),
            r#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"it \"died\""}],"isError":true,"_meta":{"rea":[1]}}}"#
        );
    }
}
