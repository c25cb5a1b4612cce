//! What the gateway itself asks a server, and what it reads of the answers.

use super::capabilities::Capabilities;
use super::downstream_id::DownstreamId;
use super::introduction::Introduction;
use super::{method, version};
use crate::wire::jsonrpc::{self, NONE, UNSUPPORTED_PROTOCOL_VERSION};
use crate::wire::raw::Raw;
use crate::wire::request_id::RequestId;
use rea_fsm::{HandshakeFailure, Listing, Offer, ProtocolVersion};
use serde::Serialize;
use std::borrow::Cow;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InitializeParams<'a> {
    protocol_version: &'static str,
    capabilities: Option<Raw<'a>>,
    client_info: ClientInfo<'a>,
}

#[derive(Serialize)]
struct ClientInfo<'a> {
    name: &'a str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CancelledParams<'a> {
    request_id: &'a RequestId,
}

/// Appends `initialize`, which offers the newest revision, and what the client can do.
pub fn initialize(out: &mut Vec<u8>, id: DownstreamId, server: &str, client: &Introduction) {
    let params = InitializeParams {
        protocol_version: version::name(version::NEWEST_LEGACY),
        capabilities: Raw::parse(&client.capabilities),
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

/// Appends a request whose params are these members, written already.
pub fn request(out: &mut Vec<u8>, id: DownstreamId, method: &str, members: &[&str]) {
    let id = id.request_id();
    let head = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}""#);
    out.extend_from_slice(head.as_bytes());
    let mut opening = r#","params":{"#;
    for member in members.iter().filter(|member| !member.is_empty()) {
        out.extend_from_slice(opening.as_bytes());
        out.extend_from_slice(member.as_bytes());
        opening = ",";
    }
    let closing: &[u8] = if opening == "," { b"}}" } else { b"}" };
    out.extend_from_slice(closing);
}

/// The member of params in which a request of the era without a handshake says what it is.
pub fn meta(members: &str) -> String {
    format!(r#""_meta":{{{members}}}"#)
}

/// Appends `notifications/cancelled` for a request that this server got.
pub fn cancelled(out: &mut Vec<u8>, id: DownstreamId) {
    let params = CancelledParams {
        request_id: &id.request_id(),
    };
    jsonrpc::notification(out, method::CANCELLED, Some(&params));
}

/// Longer instructions are cut: every model that uses the gateway reads them.
const INSTRUCTIONS_BYTES_MAX: usize = 64 << 10;
const CUT: &str = "\n\n[cut here: too long]";

/// What a server says about itself when it is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerOffer {
    /// What it can do.
    pub capabilities: Capabilities,
    /// What a model should know of it.
    pub instructions: Option<String>,
}

fn bounded(instructions: Cow<'_, str>) -> String {
    if instructions.len() <= INSTRUCTIONS_BYTES_MAX {
        return instructions.into_owned();
    }
    let end = instructions.floor_char_boundary(INSTRUCTIONS_BYTES_MAX);
    format!("{}{CUT}", &instructions[..end])
}

impl ServerOffer {
    fn of(result: Raw<'_>) -> Self {
        Self {
            capabilities: Capabilities::of(result.member("capabilities")),
            instructions: result
                .member("instructions")
                .and_then(Raw::as_str)
                .filter(|instructions| !instructions.is_empty())
                .map(bounded),
        }
    }

    /// As far as the machine has to know of it.
    fn at(&self, version: ProtocolVersion) -> Offer {
        let listing = if self.capabilities.lists_anything() {
            Listing::Tools
        } else {
            Listing::Nothing
        };
        Offer {
            version,
            listing,
            digest: self.digest(version),
        }
    }

    /// Never zero, which says that there is none.
    fn digest(&self, version: ProtocolVersion) -> u64 {
        let instructions = self.instructions.as_deref();
        let mut hasher = blake3::Hasher::new();
        for text in [
            version::name(version),
            self.capabilities.as_str(),
            instructions.unwrap_or_default(),
        ] {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        let mut head = [0; 8];
        head.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        u64::from_le_bytes(head).max(1)
    }
}

/// What a server's answer to `initialize` offers.
///
/// # Errors
/// It names no revision, or one that we don't speak.
pub fn initialized_offer(result: Raw<'_>) -> Result<(Offer, ServerOffer), HandshakeFailure> {
    let wanted = result
        .member("protocolVersion")
        .and_then(Raw::as_str)
        .ok_or(HandshakeFailure::Malformed)?;
    let version = version::legacy(&wanted).ok_or(HandshakeFailure::Unsupported)?;
    let offer = ServerOffer::of(result);
    Ok((offer.at(version), offer))
}

/// What a server's answer to `server/discover` says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Discovered {
    /// It speaks the revision without a handshake that we do.
    Modern(Offer, ServerOffer),
    /// It wants a handshake.
    Legacy,
    /// It speaks no revision that we do.
    Unsupported,
}

/// Reads the result of `server/discover`. What doesn't name its revisions was no answer to that.
pub fn discovered(result: Raw<'_>) -> Discovered {
    let Some(supported) = result
        .member("supportedVersions")
        .filter(|versions| versions.is_array())
    else {
        return Discovered::Legacy;
    };
    match spoken(supported) {
        Spoken::Modern => {
            let offer = ServerOffer::of(result);
            Discovered::Modern(offer.at(ProtocolVersion::V2026_07_28), offer)
        }
        Spoken::Legacy => Discovered::Legacy,
        Spoken::Neither => Discovered::Unsupported,
    }
}

/// Reads the error that a server answers `server/discover` with. Only an error that the modern
/// era has made identifies a server of it; every other one is a legacy server's.
pub fn not_discovered(error: Raw<'_>, code: Option<i64>) -> Discovered {
    let supported = error
        .member("data")
        .and_then(|data| data.member("supported"))
        .filter(|versions| versions.is_array());
    match (code, supported) {
        (Some(UNSUPPORTED_PROTOCOL_VERSION), Some(supported)) => match spoken(supported) {
            // It knows our revision and refuses it all the same.
            Spoken::Modern | Spoken::Neither => Discovered::Unsupported,
            Spoken::Legacy => Discovered::Legacy,
        },
        (_, _) => Discovered::Legacy,
    }
}

enum Spoken {
    Modern,
    Legacy,
    Neither,
}

fn spoken(versions: Raw<'_>) -> Spoken {
    let mut spoken = Spoken::Neither;
    for version in versions.elements().filter_map(Raw::as_str) {
        if version == version::name(ProtocolVersion::V2026_07_28) {
            return Spoken::Modern;
        }
        if version::legacy(&version).is_some() {
            spoken = Spoken::Legacy;
        }
    }
    spoken
}

#[cfg(test)]
mod tests {
    use super::*;
    use rea_fsm::CallId;

    fn text(build: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        build(&mut out);
        String::from_utf8(out).expect("JSON is text")
    }

    #[test]
    fn initialize_offers_the_newest_revision_and_what_the_client_can_do() {
        let version = env!("CARGO_PKG_VERSION");
        let client = Introduction {
            capabilities: r#"{"sampling":{ }}"#.to_owned(),
            ..Introduction::default()
        };
        let expected = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"initialize","params":{{"protocolVersion":"2025-11-25","capabilities":{{"sampling":{{ }}}},"clientInfo":{{"name":"rea-gateway-client:git","version":"{version}"}}}}}}"#
        );
        assert_eq!(
            text(|out| initialize(out, DownstreamId::Own(0), "git", &client)),
            expected
        );
    }

    #[test]
    fn requests_of_the_gateway_have_odd_ids_and_their_params_as_they_are() {
        assert_eq!(
            text(|out| request(out, DownstreamId::Own(3), method::PING, &[])),
            r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#
        );
        let members = [r#""cursor":"\ud800\/""#, "", r#""_meta":{}"#];
        assert_eq!(
            text(|out| request(out, DownstreamId::Own(1), method::TOOLS_LIST, &members)),
            r#"{"jsonrpc":"2.0","id":3,"method":"tools/list","params":{"cursor":"\ud800\/","_meta":{}}}"#
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

    fn raw(text: &str) -> Raw<'_> {
        Raw::parse(text).expect("valid JSON")
    }

    fn offered(result: &str) -> Result<Offer, HandshakeFailure> {
        initialized_offer(raw(result)).map(|(offer, _)| offer)
    }

    #[test]
    fn a_servers_offer_is_its_version_and_whether_it_has_anything_to_list() {
        let version = ProtocolVersion::V2024_11_05;
        for (capabilities, listing) in [
            (r#""tools":{},"x":1"#, Listing::Tools),
            (r#""prompts":{}"#, Listing::Tools),
            (r#""tools":null"#, Listing::Nothing),
            (r#""logging":{}"#, Listing::Nothing),
            ("", Listing::Nothing),
        ] {
            let result =
                format!(r#"{{"protocolVersion":"2024-11-05","capabilities":{{{capabilities}}}}}"#);
            let offer = offered(&result).expect("an offer");
            assert_eq!((offer.version, offer.listing), (version, listing));
        }
    }

    #[test]
    fn the_digest_of_an_offer_is_over_everything_that_a_server_says_of_itself() {
        let said = [
            r#"{"protocolVersion":"2024-11-05"}"#,
            r#"{"protocolVersion":"2025-11-25"}"#,
            r#"{"protocolVersion":"2024-11-05","capabilities":{"tools":{}}}"#,
            r#"{"protocolVersion":"2024-11-05","instructions":"be kind"}"#,
        ];
        let digests = said.map(|result| offered(result).expect("an offer").digest);
        let different: std::collections::BTreeSet<u64> = digests.into_iter().collect();
        assert_eq!(different.len(), said.len());
        assert_eq!(offered(said[0]).expect("an offer").digest, digests[0]);
    }

    #[test]
    fn an_answer_without_a_version_that_we_know_opens_no_session() {
        for result in ["{}", "null", r#"{"protocolVersion":1}"#] {
            assert_eq!(offered(result), Err(HandshakeFailure::Malformed));
        }
        let newer = r#"{"protocolVersion":"2099-01-01"}"#;
        assert_eq!(offered(newer), Err(HandshakeFailure::Unsupported));
    }

    #[test]
    fn a_modern_server_names_its_revisions() {
        let result = r#"{"resultType":"complete","supportedVersions":["2099-01-01","2026-07-28"],"capabilities":{"tools":{}},"instructions":"be kind"}"#;
        let Discovered::Modern(offer, server) = discovered(raw(result)) else {
            panic!("modern")
        };
        let (version, listing) = (ProtocolVersion::V2026_07_28, Listing::Tools);
        assert_eq!((offer.version, offer.listing), (version, listing));
        assert_eq!(server.instructions.as_deref(), Some("be kind"));
        let newer = r#"{"supportedVersions":["2099-01-01"],"capabilities":{}}"#;
        assert_eq!(discovered(raw(newer)), Discovered::Unsupported);
        let both_legacy = r#"{"supportedVersions":["2025-11-25"],"capabilities":{}}"#;
        assert_eq!(discovered(raw(both_legacy)), Discovered::Legacy);
        assert_eq!(discovered(raw("{}")), Discovered::Legacy);
    }

    #[test]
    fn only_the_modern_eras_own_error_tells_a_modern_server() {
        let refusal = r#"{"code":-32022,"message":"m","data":{"supported":["2099-01-01"]}}"#;
        let outcome = not_discovered(raw(refusal), Some(-32022));
        assert_eq!(outcome, Discovered::Unsupported);
        for (error, code) in [
            (r#"{"code":-32601,"message":"m"}"#, Some(-32601)),
            (r#"{"code":-32022,"message":"m"}"#, Some(-32022)),
            (r#"{"code":"x"}"#, None),
        ] {
            assert_eq!(
                not_discovered(raw(error), code),
                Discovered::Legacy,
                "{error}"
            );
        }
    }
}
