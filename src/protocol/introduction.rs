//! What the client says about itself, as servers are told: the truth, or nothing.

use super::method;
use super::version;
use crate::wire::raw::Raw;
use rea_fsm::{Asks, ProtocolVersion};

/// The members of `_meta` with which every request of the era without a handshake says what it is.
pub const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// Who asks.
pub const META_CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
/// What whoever asks can do.
pub const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
/// How much the server is to tell while it works on the request.
pub const META_LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";

/// What the client has said about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introduction {
    /// What it can do: an object, as the client wrote it.
    pub capabilities: String,
    /// Who it is: an object, as the client wrote it.
    pub info: Option<String>,
    /// How it can be asked something.
    pub asks: Asks,
}

impl Default for Introduction {
    /// A client that has said nothing can do nothing, and has no session to be asked in.
    fn default() -> Self {
        Self {
            capabilities: "{}".to_owned(),
            info: None,
            asks: Asks::InAnswers,
        }
    }
}

impl Introduction {
    /// Takes what stands in a handshake or beside a request. What is no object says nothing.
    pub fn new(capabilities: Option<Raw<'_>>, info: Option<Raw<'_>>, asks: Asks) -> Self {
        let object = |raw: Raw<'_>| raw.is_object().then(|| raw.text().to_owned());
        Self {
            capabilities: capabilities
                .and_then(object)
                .unwrap_or_else(|| "{}".to_owned()),
            info: info.and_then(object),
            asks,
        }
    }

    /// The capability that a server's request needs, if the client lacks it.
    pub fn lacks(&self, method: &str) -> Option<&'static str> {
        let needed = match method {
            method::SAMPLING => "sampling",
            method::ELICITATION => "elicitation",
            method::ROOTS_LIST => "roots",
            _ => return None,
        };
        let declared = Raw::parse(&self.capabilities)?.member(needed);
        declared
            .is_none_or(|raw| !raw.is_object())
            .then_some(needed)
    }

    /// The members of `_meta` that a request to a server without handshakes has to have, without
    /// the braces around them.
    pub fn meta_members(&self, log_level: Option<&str>) -> String {
        let version = version::name(ProtocolVersion::V2026_07_28);
        let info = self.info.as_deref().unwrap_or(concat!(
            r#"{"name":"rea","version":""#,
            env!("CARGO_PKG_VERSION"),
            r#""}"#
        ));
        let capabilities = &self.capabilities;
        let members = format!(
            r#""{META_VERSION}":"{version}","{META_CLIENT_INFO}":{info},"{META_CAPABILITIES}":{capabilities}"#
        );
        match log_level {
            Some(level) => format!(r#"{members},"{META_LOG_LEVEL}":"{level}""#),
            None => members,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_lacks_what_it_has_not_declared() {
        let capabilities = Raw::parse(r#"{"roots":{"listChanged":true},"sampling":null}"#);
        let client = Introduction::new(capabilities, None, Asks::Directly);
        assert_eq!(client.lacks(method::ROOTS_LIST), None);
        assert_eq!(client.lacks(method::SAMPLING), Some("sampling"));
        assert_eq!(client.lacks(method::ELICITATION), Some("elicitation"));
        assert_eq!(client.lacks("x/unknown"), None);
    }

    #[test]
    fn a_request_without_a_handshake_says_who_asks_and_what_it_can_do() {
        let capabilities = Raw::parse(r#"{"x":1e400}"#);
        let info = Raw::parse(r#"{ "name":"c" }"#);
        let client = Introduction::new(capabilities, info, Asks::Directly);
        assert_eq!(
            client.meta_members(Some("info")),
            r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{ "name":"c" },"io.modelcontextprotocol/clientCapabilities":{"x":1e400},"io.modelcontextprotocol/logLevel":"info""#
        );
    }
}
