//! What the gateway says to a server of the legacy era, and what it reads in its answers.

use super::version;
use crate::wire::envelope::{self, decode, members, range_in};
use crate::wire::jsonrpc;
use crate::wire::splice::{Edit, splice};
use rea_fsm::{CallClass, HandshakeFailure, Listing, Offer};
use serde::Serialize;
use serde_json::value::RawValue;

/// The line that begins the handshake.
pub fn initialize(id: u64, server: &str) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Params<'a> {
        protocol_version: &'a str,
        capabilities: Nothing,
        client_info: Info<'a>,
    }
    #[derive(Serialize)]
    struct Info<'a> {
        name: &'a str,
        version: &'a str,
    }
    let name = format!("rea-gateway-client:{server}");
    let client_info = Info {
        name: &name,
        version: env!("CARGO_PKG_VERSION"),
    };
    let protocol_version = version::name(version::NEWEST_LEGACY);
    jsonrpc::request(
        id,
        "initialize",
        &Params {
            protocol_version,
            capabilities: Nothing {},
            client_info,
        },
    )
}

#[derive(Serialize)]
struct Nothing {}

/// The line that ends the handshake.
pub fn initialized() -> Vec<u8> {
    jsonrpc::bare_notification("notifications/initialized")
}

/// The line that asks whether the server lives.
pub fn ping(id: u64) -> Vec<u8> {
    jsonrpc::request(id, "ping", &Nothing {})
}

/// The line that asks a server of the modern era what it is.
pub fn discover(id: u64) -> Vec<u8> {
    jsonrpc::request(id, "server/discover", &Nothing {})
}

/// The line that asks for a page of tools.
pub fn list_tools(id: u64, cursor: Option<&str>) -> Vec<u8> {
    #[derive(Serialize)]
    struct Params<'a> {
        cursor: &'a str,
    }
    match cursor {
        Some(cursor) => jsonrpc::request(id, "tools/list", &Params { cursor }),
        None => jsonrpc::request(id, "tools/list", &Nothing {}),
    }
}

/// The line that gives a call up.
pub fn cancelled(request_id: u64) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Params {
        request_id: u64,
    }
    jsonrpc::notification("notifications/cancelled", &Params { request_id })
}

/// What an answer to `initialize` offers.
///
/// # Errors
/// It is no such answer, or agrees on a revision that we don't know.
pub fn offer(result: &str) -> Result<Offer, HandshakeFailure> {
    let [wanted, capabilities] = members(result, ["protocolVersion", "capabilities"])
        .map_err(|_| HandshakeFailure::Malformed)?;
    let wanted = wanted.and_then(decode).ok_or(HandshakeFailure::Malformed)?;
    let version = version::legacy(&wanted).ok_or(HandshakeFailure::Unsupported)?;
    let [tools] = capabilities
        .map_or(Ok([None]), |capabilities| members(capabilities, ["tools"]))
        .map_err(|_| HandshakeFailure::Malformed)?;
    let listing = match tools {
        Some(tools) if tools.starts_with('{') => Listing::Tools,
        Some(_) | None => Listing::Nothing,
    };
    Ok(Offer { version, listing })
}

/// One tool as a server lists it, its bytes kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedTool {
    /// The server's name for it, decoded.
    pub name: String,
    /// Its object as JSON text, with the name that clients are shown in the name's place.
    pub json: Vec<u8>,
    /// The name that clients are shown.
    pub shown_name: String,
    /// What the server says about repeating it.
    pub hinted_class: CallClass,
}

/// A page of tools.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// The tools, in the server's order. One that has no name is left out.
    pub tools: Vec<ListedTool>,
    /// Where the next page begins, if there is one.
    pub next_cursor: Option<String>,
}

/// Reads a page of tools.
///
/// # Errors
/// It is no page.
pub fn page(result: &str, shown: impl Fn(&str) -> String) -> Result<Page, envelope::ParseError> {
    let [tools, next_cursor] = members(result, ["tools", "nextCursor"])?;
    let tools: Vec<&RawValue> = tools
        .and_then(|tools| serde_json::from_str(tools).ok())
        .ok_or(envelope::ParseError::NotAMessage)?;
    let tools = tools
        .into_iter()
        .filter_map(|tool| listed(tool.get(), &shown))
        .collect();
    let next_cursor = next_cursor
        .and_then(decode)
        .map(std::borrow::Cow::into_owned);
    Ok(Page { tools, next_cursor })
}

fn listed(tool: &str, shown: impl Fn(&str) -> String) -> Option<ListedTool> {
    let [name_json, annotations] = members(tool, ["name", "annotations"]).ok()?;
    let name_json = name_json?;
    let name = decode(name_json)?.into_owned();
    let shown_name = shown(&name);
    let quoted = serde_json::to_string(&shown_name).ok()?;
    let mut json = Vec::with_capacity(tool.len() + quoted.len());
    let edit = Edit {
        at: range_in(tool, name_json),
        bytes: quoted.as_bytes(),
    };
    splice(tool.as_bytes(), &[edit], &mut json);
    Some(ListedTool {
        name,
        json,
        shown_name,
        hinted_class: hinted_class(annotations),
    })
}

fn hinted_class(annotations: Option<&str>) -> CallClass {
    let hints = annotations
        .and_then(|annotations| members(annotations, ["readOnlyHint", "idempotentHint"]).ok());
    match hints {
        Some([Some("true"), _]) => CallClass::ReadOnly,
        Some([_, Some("true")]) => CallClass::Idempotent,
        Some([_, _]) | None => CallClass::Unsafe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rea_fsm::ProtocolVersion;

    #[test]
    fn a_servers_offer_is_its_version_and_whether_it_has_tools() {
        let with = r#"{"protocolVersion":"2025-06-18","capabilities":{"tools":{}}}"#;
        let version = ProtocolVersion::V2025_06_18;
        assert_eq!(
            offer(with),
            Ok(Offer {
                version,
                listing: Listing::Tools
            })
        );
        let without = r#"{"protocolVersion":"2025-06-18","capabilities":{}}"#;
        assert_eq!(
            offer(without),
            Ok(Offer {
                version,
                listing: Listing::Nothing
            })
        );
        let newer = r#"{"protocolVersion":"2099-01-01","capabilities":{}}"#;
        assert_eq!(offer(newer), Err(HandshakeFailure::Unsupported));
        assert_eq!(offer("[]"), Err(HandshakeFailure::Malformed));
    }

    #[test]
    fn a_listed_tool_keeps_every_byte_but_its_name() {
        let result = r#"{"x":1e400,"tools":[{ "z" : 1e400,"n\u0061me":"ec\u0068o", "a":1,"a":2,"annotations":{"idempotentHint":true}}],"nextCursor":"p\u00322"}"#;
        let page = page(result, |name| format!("files__{name}")).expect("it is a page");
        assert_eq!(page.next_cursor.as_deref(), Some("p22"));
        let [tool] = &page.tools[..] else {
            panic!("there is one tool: {page:?}")
        };
        assert_eq!(tool.name, "echo");
        assert_eq!(
            String::from_utf8_lossy(&tool.json),
            r#"{ "z" : 1e400,"n\u0061me":"files__echo", "a":1,"a":2,"annotations":{"idempotentHint":true}}"#
        );
        assert_eq!(tool.hinted_class, CallClass::Idempotent);
    }
}
