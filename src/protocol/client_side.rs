//! What a client asks the gateway itself, and the answers.

use super::{method, version};
use crate::wire::jsonrpc;
use crate::wire::params::Params;
use crate::wire::raw::Raw;
use crate::wire::request_id::RequestId;
use rea_fsm::ProtocolVersion;
use serde::Serialize;
use std::borrow::Cow;

/// The revision that a client's `initialize` asks for, known or not.
pub fn wanted_version<'a>(params: Option<&Params<'a>>) -> Option<Cow<'a, str>> {
    params?
        .raw()
        .member("protocolVersion")
        .and_then(Raw::as_str)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InitializeResult {
    protocol_version: &'static str,
    capabilities: Capabilities,
    server_info: ServerInfo,
}

#[derive(Serialize)]
struct Capabilities {
    tools: ListCapability,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListCapability {
    list_changed: bool,
}

#[derive(Serialize)]
struct ServerInfo {
    name: &'static str,
    version: &'static str,
}

/// Appends the answer to `initialize`. Changes of the list are always promised: servers come and
/// go after the answer.
pub fn initialize_result(out: &mut Vec<u8>, id: &RequestId, version: ProtocolVersion) {
    let result = InitializeResult {
        protocol_version: version::name(version),
        capabilities: Capabilities {
            tools: ListCapability { list_changed: true },
        },
        server_info: ServerInfo {
            name: "rea",
            version: env!("CARGO_PKG_VERSION"),
        },
    };
    jsonrpc::result(out, id, &result);
}

/// Appends the answer to `tools/list`, each tool as it was spliced, all on one page.
pub fn tools_list_result<'t>(
    out: &mut Vec<u8>,
    id: &RequestId,
    tools: impl IntoIterator<Item = &'t [u8]>,
) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    out.extend_from_slice(id.as_str().as_bytes());
    out.extend_from_slice(br#","result":{"tools":["#);
    for (index, tool) in tools.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(tool);
    }
    out.extend_from_slice(b"]}}");
}

/// Appends `notifications/tools/list_changed`.
pub fn tools_list_changed(out: &mut Vec<u8>) {
    jsonrpc::notification(out, method::TOOLS_LIST_CHANGED, jsonrpc::NONE);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::envelope::{Message, parse};

    fn text(build: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        build(&mut out);
        String::from_utf8(out).expect("JSON is text")
    }

    #[test]
    fn the_wanted_version_is_read_if_there_is_one() {
        let wanted = |params: &str| {
            let line = format!(r#"{{"jsonrpc":"2.0","id":0,"method":"initialize"{params}}}"#);
            let Ok(Message::Request(request)) = parse(line.as_bytes()) else {
                panic!("a request")
            };
            wanted_version(request.params.as_ref()).map(Cow::into_owned)
        };
        let params = r#","params":{"capabilities":{},"protocolVersion":"2025-03-\u00326"}"#;
        assert_eq!(wanted(params).as_deref(), Some("2025-03-26"));
        for params in ["", r#","params":[]"#, r#","params":{"protocolVersion":2}"#] {
            assert_eq!(wanted(params), None, "{params}");
        }
    }

    #[test]
    fn the_answer_promises_changes_of_the_list() {
        let version = env!("CARGO_PKG_VERSION");
        let id = RequestId::from(0);
        let answer = text(|out| initialize_result(out, &id, ProtocolVersion::V2025_06_18));
        assert_eq!(
            answer,
            format!(
                r#"{{"jsonrpc":"2.0","id":0,"result":{{"protocolVersion":"2025-06-18","capabilities":{{"tools":{{"listChanged":true}}}},"serverInfo":{{"name":"rea","version":"{version}"}}}}}}"#
            )
        );
    }

    #[test]
    fn tools_are_listed_byte_for_byte() {
        let id = RequestId::from_json(r#""l""#).expect("an id");
        let tools: [&[u8]; 2] = [br#"{"name":"a__b","x":1e400}"#, br#"{ "name":"\ud800" }"#];
        assert_eq!(
            text(|out| tools_list_result(out, &id, tools)),
            r#"{"jsonrpc":"2.0","id":"l","result":{"tools":[{"name":"a__b","x":1e400},{ "name":"\ud800" }]}}"#
        );
        assert_eq!(
            text(|out| tools_list_result(out, &id, [])),
            r#"{"jsonrpc":"2.0","id":"l","result":{"tools":[]}}"#
        );
    }
}
