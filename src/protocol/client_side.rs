//! What a client asks the gateway itself, and the answers.

use super::listing::ListKind;
use super::{bridge, method, version};
use crate::wire::jsonrpc::{self, ErrorCode};
use crate::wire::params::Params;
use crate::wire::raw::Raw;
use crate::wire::request_id::RequestId;
use rea_fsm::{Asks, ProtocolVersion};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The revision that a client's `initialize` asks for, known or not.
pub fn wanted_version<'a>(params: Option<&Params<'a>>) -> Option<Cow<'a, str>> {
    params?
        .raw()
        .member("protocolVersion")
        .and_then(Raw::as_str)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InitializeResult<'a> {
    protocol_version: &'static str,
    capabilities: Option<Raw<'a>>,
    server_info: Implementation,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<&'a str>,
}

#[derive(Serialize)]
struct Implementation {
    name: &'static str,
    version: &'static str,
}

const SERVER_INFO: Implementation = Implementation {
    name: "rea",
    version: env!("CARGO_PKG_VERSION"),
};

/// Appends the answer to `initialize`. `capabilities` is an object, as JSON.
pub fn initialize_result(
    out: &mut Vec<u8>,
    id: &RequestId,
    version: ProtocolVersion,
    capabilities: &str,
    instructions: Option<&str>,
) {
    let result = InitializeResult {
        protocol_version: version::name(version),
        capabilities: Raw::parse(capabilities),
        server_info: SERVER_INFO,
        instructions,
    };
    jsonrpc::result(out, id, &result);
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DiscoverResult<'a> {
    result_type: &'static str,
    supported_versions: [&'static str; 5],
    capabilities: Option<Raw<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<&'a str>,
    ttl_ms: u64,
    cache_scope: &'static str,
    #[serde(rename = "_meta")]
    meta: ResultMeta,
}

#[derive(Serialize)]
struct ResultMeta {
    #[serde(rename = "io.modelcontextprotocol/serverInfo")]
    server_info: Implementation,
}

/// Every revision that clients are answered in, the newest first.
fn supported_versions() -> [&'static str; 5] {
    [
        ProtocolVersion::V2026_07_28,
        ProtocolVersion::V2025_11_25,
        ProtocolVersion::V2025_06_18,
        ProtocolVersion::V2025_03_26,
        ProtocolVersion::V2024_11_05,
    ]
    .map(version::name)
}

/// Appends the answer to `server/discover`. Servers come and go, so it is not to be kept.
pub fn discover_result(
    out: &mut Vec<u8>,
    id: &RequestId,
    capabilities: &str,
    instructions: Option<&str>,
) {
    let result = DiscoverResult {
        result_type: "complete",
        supported_versions: supported_versions(),
        capabilities: Raw::parse(capabilities),
        instructions,
        ttl_ms: 0,
        cache_scope: "private",
        meta: ResultMeta {
            server_info: SERVER_INFO,
        },
    };
    jsonrpc::result(out, id, &result);
}

/// Appends the refusal of a request of a revision that is not spoken here.
pub fn unsupported_version(out: &mut Vec<u8>, id: &RequestId, requested: &str) {
    #[derive(Serialize)]
    struct Data<'a> {
        supported: [&'static str; 1],
        requested: &'a str,
    }
    let data = Data {
        // Of those that stand beside a request. The others begin with a handshake.
        supported: [version::name(ProtocolVersion::V2026_07_28)],
        requested,
    };
    let text = "Unsupported protocol version";
    jsonrpc::error(out, id, ErrorCode::UnsupportedVersion, text, Some(&data));
}

/// Appends the answer to a list request, all on one page; `entries` appends the entries.
pub fn list_result(
    out: &mut Vec<u8>,
    id: &RequestId,
    kind: ListKind,
    asks: Asks,
    entries: impl FnOnce(&mut Vec<u8>),
) {
    let typed = match asks {
        Asks::Directly => String::new(),
        Asks::InAnswers => format!("{},{},", bridge::COMPLETE, bridge::NOT_CACHED),
    };
    let member = kind.member();
    let head = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{{typed}"{member}":["#);
    out.extend_from_slice(head.as_bytes());
    entries(out);
    out.extend_from_slice(b"]}}");
}

/// Appends a notification that says that something has changed, on a stream if there is one.
pub fn changed(out: &mut Vec<u8>, method: &str, stream: Option<&RequestId>) {
    let params = stream.map(OnStream::of);
    jsonrpc::notification(out, method, params.as_ref());
}

#[derive(Serialize)]
struct OnStream<'a> {
    #[serde(rename = "_meta")]
    meta: StreamMeta<'a>,
}

#[derive(Serialize)]
struct StreamMeta<'a> {
    #[serde(rename = "io.modelcontextprotocol/subscriptionId")]
    subscription_id: &'a RequestId,
}

impl<'a> OnStream<'a> {
    const fn of(subscription_id: &'a RequestId) -> Self {
        Self {
            meta: StreamMeta { subscription_id },
        }
    }
}

/// What a stream of notifications tells.
#[derive(Debug)]
pub struct Listened<'a> {
    /// Changes of the list of tools.
    pub tools: bool,
    /// Changes of the list of prompts.
    pub prompts: bool,
    /// Changes of the list of resources.
    pub resources: bool,
    /// Changes of these resources.
    pub uris: &'a [&'a str],
}

/// Appends the first message of a stream: what it tells.
pub fn listen_acknowledged(out: &mut Vec<u8>, stream: &RequestId, listened: &Listened<'_>) {
    #[derive(Serialize)]
    struct Acknowledged<'a> {
        #[serde(flatten)]
        on: OnStream<'a>,
        notifications: Filter<'a>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Filter<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        tools_list_changed: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        prompts_list_changed: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        resources_list_changed: Option<bool>,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        resource_subscriptions: &'a [&'a str],
    }
    let said = |wanted: bool| wanted.then_some(true);
    let params = Acknowledged {
        on: OnStream::of(stream),
        notifications: Filter {
            tools_list_changed: said(listened.tools),
            prompts_list_changed: said(listened.prompts),
            resources_list_changed: said(listened.resources),
            resource_subscriptions: listened.uris,
        },
    };
    jsonrpc::notification(out, method::LISTEN_ACKNOWLEDGED, Some(&params));
}

/// Appends the end of a stream.
pub fn listen_ended(out: &mut Vec<u8>, stream: &RequestId) {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Ended<'a> {
        result_type: &'static str,
        #[serde(flatten)]
        on: OnStream<'a>,
    }
    let result = Ended {
        result_type: "complete",
        on: OnStream::of(stream),
    };
    jsonrpc::result(out, stream, &result);
}

/// Appends a question to the client.
pub fn ask(out: &mut Vec<u8>, id: u64, method: &str, params: Option<Raw<'_>>) {
    jsonrpc::request(out, &RequestId::from(id), method, params.as_ref());
}

/// Appends that a question needs no answer any more.
pub fn cancelled(out: &mut Vec<u8>, id: u64) {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Cancelled {
        request_id: u64,
    }
    let params = Cancelled { request_id: id };
    jsonrpc::notification(out, method::CANCELLED, Some(&params));
}

/// Appends the answer to a call that goes on when the client repeats it with answers to these
/// questions: key, method and params of each.
pub fn input_required(
    out: &mut Vec<u8>,
    id: &RequestId,
    questions: &[(String, String, Option<String>)],
    state: &str,
) {
    #[derive(Serialize)]
    struct Question<'a> {
        method: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        params: Option<Raw<'a>>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct InputRequired<'a> {
        result_type: &'static str,
        input_requests: BTreeMap<&'a str, Question<'a>>,
        request_state: &'a str,
    }
    let input_requests = questions.iter().map(|(key, method, params)| {
        let params = params.as_deref().and_then(Raw::parse);
        (key.as_str(), Question { method, params })
    });
    let result = InputRequired {
        result_type: "input_required",
        input_requests: input_requests.collect(),
        request_state: state,
    };
    jsonrpc::result(out, id, &result);
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
    fn the_answer_promises_what_the_servers_have() {
        let version = env!("CARGO_PKG_VERSION");
        let id = RequestId::from(0);
        let capabilities = r#"{"tools":{ }}"#;
        let answer = text(|out| {
            let version = ProtocolVersion::V2025_06_18;
            initialize_result(out, &id, version, capabilities, Some("be kind"));
        });
        assert_eq!(
            answer,
            format!(
                r#"{{"jsonrpc":"2.0","id":0,"result":{{"protocolVersion":"2025-06-18","capabilities":{{"tools":{{ }}}},"serverInfo":{{"name":"rea","version":"{version}"}},"instructions":"be kind"}}}}"#
            )
        );
    }

    #[test]
    fn a_client_without_a_session_is_told_every_revision() {
        let version = env!("CARGO_PKG_VERSION");
        let id = RequestId::from(1);
        assert_eq!(
            text(|out| discover_result(out, &id, r#"{"tools":{}}"#, None)),
            format!(
                r#"{{"jsonrpc":"2.0","id":1,"result":{{"resultType":"complete","supportedVersions":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"capabilities":{{"tools":{{}}}},"ttlMs":0,"cacheScope":"private","_meta":{{"io.modelcontextprotocol/serverInfo":{{"name":"rea","version":"{version}"}}}}}}}}"#
            )
        );
        assert_eq!(
            text(|out| unsupported_version(out, &id, "1900-01-01")),
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32022,"message":"Unsupported protocol version","data":{"supported":["2026-07-28"],"requested":"1900-01-01"}}}"#
        );
    }

    #[test]
    fn entries_are_listed_byte_for_byte() {
        let id = RequestId::from_json(r#""l""#).expect("an id");
        let entries = |out: &mut Vec<u8>| out.extend_from_slice(br#"{ "name":"\ud800" }"#);
        assert_eq!(
            text(|out| list_result(out, &id, ListKind::Tools, Asks::Directly, entries)),
            r#"{"jsonrpc":"2.0","id":"l","result":{"tools":[{ "name":"\ud800" }]}}"#
        );
        assert_eq!(
            text(|out| list_result(
                out,
                &id,
                ListKind::ResourceTemplates,
                Asks::InAnswers,
                |_| ()
            )),
            r#"{"jsonrpc":"2.0","id":"l","result":{"resultType":"complete","ttlMs":0,"cacheScope":"private","resourceTemplates":[]}}"#
        );
    }

    #[test]
    fn what_is_told_on_a_stream_says_which() {
        let stream = RequestId::from(4);
        assert_eq!(
            text(|out| changed(out, method::TOOLS_LIST_CHANGED, Some(&stream))),
            r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":4}}}"#
        );
        assert_eq!(
            text(|out| changed(out, method::TOOLS_LIST_CHANGED, None)),
            r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#
        );
        let listened = Listened {
            tools: true,
            prompts: false,
            resources: false,
            uris: &["x://a"],
        };
        assert_eq!(
            text(|out| listen_acknowledged(out, &stream, &listened)),
            r#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":4},"notifications":{"toolsListChanged":true,"resourceSubscriptions":["x://a"]}}}"#
        );
        assert_eq!(
            text(|out| listen_ended(out, &stream)),
            r#"{"jsonrpc":"2.0","id":4,"result":{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":4}}}"#
        );
    }

    #[test]
    fn questions_in_an_answer_stand_as_the_server_wrote_them() {
        let id = RequestId::from(2);
        let params = r#"{ "message":"\ud800","n":1e400 }"#;
        let questions = [(
            "question-1".to_owned(),
            method::ELICITATION.to_owned(),
            Some(params.to_owned()),
        )];
        assert_eq!(
            text(|out| input_required(out, &id, &questions, "rea1.00")),
            format!(
                r#"{{"jsonrpc":"2.0","id":2,"result":{{"resultType":"input_required","inputRequests":{{"question-1":{{"method":"elicitation/create","params":{params}}}}},"requestState":"rea1.00"}}}}"#
            )
        );
    }
}
