//! What the gateway itself asks a server, and what it reads of the answers.

use super::downstream_id::DownstreamId;
use super::{method, version};
use crate::wire::jsonrpc::{self, NONE};
use crate::wire::raw::Raw;
use crate::wire::request_id::RequestId;
use rea_fsm::{HandshakeFailure, Listing, Offer};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InitializeParams<'a> {
    protocol_version: &'static str,
    capabilities: NoCapabilities,
    client_info: ClientInfo<'a>,
}

/// The gateway relays no requests of servers yet, so it promises none.
#[derive(Serialize)]
struct NoCapabilities {}

#[derive(Serialize)]
struct ClientInfo<'a> {
    name: &'a str,
    version: &'static str,
}

#[derive(Serialize)]
struct ListParams<'a> {
    cursor: Raw<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CancelledParams<'a> {
    request_id: &'a RequestId,
}

/// Appends `initialize`, which offers the newest revision.
pub fn initialize(out: &mut Vec<u8>, id: DownstreamId, server: &str) {
    let params = InitializeParams {
        protocol_version: version::name(version::NEWEST_LEGACY),
        capabilities: NoCapabilities {},
        client_info: ClientInfo {
            name: &format!("rea-gateway-client:{server}"),
            version: env!("CARGO_PKG_VERSION"),
        },
    };
    jsonrpc::request(out, &id.request_id(), method::INITIALIZE, Some(&params));
}

/// Appends `notifications/initialized`.
pub fn initialized(out: &mut Vec<u8>) {
    jsonrpc::notification(out, method::INITIALIZED, NONE);
}

/// Appends `ping`.
pub fn ping(out: &mut Vec<u8>, id: DownstreamId) {
    jsonrpc::request(out, &id.request_id(), method::PING, NONE);
}

/// Appends `server/discover`, which only a server of the era without a handshake answers.
pub fn discover(out: &mut Vec<u8>, id: DownstreamId) {
    jsonrpc::request(out, &id.request_id(), method::DISCOVER, NONE);
}

/// Appends `tools/list`: for the first page, or for the one that `cursor` of the page before asks
/// for.
pub fn tools_list(out: &mut Vec<u8>, id: DownstreamId, cursor: Option<Raw<'_>>) {
    let params = cursor.map(|cursor| ListParams { cursor });
    jsonrpc::request(out, &id.request_id(), method::TOOLS_LIST, params.as_ref());
}

/// Appends `notifications/cancelled` for a request that this server got.
pub fn cancelled(out: &mut Vec<u8>, id: DownstreamId) {
    let params = CancelledParams {
        request_id: &id.request_id(),
    };
    jsonrpc::notification(out, method::CANCELLED, Some(&params));
}

/// What a server's answer to `initialize` offers.
///
/// # Errors
/// It names no revision, or one that we don't speak.
pub fn offer(result: Raw<'_>) -> Result<Offer, HandshakeFailure> {
    let wanted = result
        .member("protocolVersion")
        .and_then(Raw::as_str)
        .ok_or(HandshakeFailure::Malformed)?;
    let version = version::legacy(&wanted).ok_or(HandshakeFailure::Unsupported)?;
    let has_tools = result
        .member("capabilities")
        .and_then(|capabilities| capabilities.member("tools"))
        .is_some_and(Raw::is_object);
    let listing = if has_tools {
        Listing::Tools
    } else {
        Listing::Nothing
    };
    Ok(Offer { version, listing })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rea_fsm::{CallId, ProtocolVersion};

    fn text(build: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        build(&mut out);
        String::from_utf8(out).expect("JSON is text")
    }

    #[test]
    fn initialize_offers_the_newest_revision_and_no_capability() {
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"initialize","params":{{"protocolVersion":"2025-11-25","capabilities":{{}},"clientInfo":{{"name":"rea-gateway-client:git","version":"{version}"}}}}}}"#
        );
        assert_eq!(
            text(|out| initialize(out, DownstreamId::Own(0), "git")),
            expected
        );
    }

    #[test]
    fn requests_of_the_gateway_have_odd_ids_and_the_cursor_as_the_server_wrote_it() {
        assert_eq!(
            text(|out| ping(out, DownstreamId::Own(3))),
            r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#
        );
        assert_eq!(
            text(|out| tools_list(out, DownstreamId::Own(1), None)),
            r#"{"jsonrpc":"2.0","id":3,"method":"tools/list"}"#
        );
        assert_eq!(
            text(|out| tools_list(out, DownstreamId::Own(1), Raw::parse(r#""\ud800\/""#))),
            r#"{"jsonrpc":"2.0","id":3,"method":"tools/list","params":{"cursor":"\ud800\/"}}"#
        );
        assert_eq!(
            text(|out| cancelled(out, DownstreamId::Call(CallId(4)))),
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":8}}"#
        );
        assert_eq!(
            text(initialized),
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#
        );
    }

    fn offered(result: &str) -> Result<Offer, HandshakeFailure> {
        offer(Raw::parse(result).expect("valid JSON"))
    }

    #[test]
    fn a_servers_offer_is_its_version_and_whether_it_has_tools() {
        let version = ProtocolVersion::V2024_11_05;
        for (capabilities, listing) in [
            (r#""tools":{},"x":1"#, Listing::Tools),
            (r#""tools":null"#, Listing::Nothing),
            ("", Listing::Nothing),
        ] {
            let result =
                format!(r#"{{"protocolVersion":"2024-11-05","capabilities":{{{capabilities}}}}}"#);
            assert_eq!(offered(&result), Ok(Offer { version, listing }));
        }
    }

    #[test]
    fn an_answer_without_a_version_that_we_know_opens_no_session() {
        for result in ["{}", "null", r#"{"protocolVersion":1}"#] {
            assert_eq!(offered(result), Err(HandshakeFailure::Malformed));
        }
        let newer = r#"{"protocolVersion":"2099-01-01"}"#;
        assert_eq!(offered(newer), Err(HandshakeFailure::Unsupported));
    }
}
