//! What the client says about itself, as servers are told: the truth, or nothing.

use super::method;
use super::version;
use crate::wire::jsonrpc::ErrorCode;
use crate::wire::raw::Raw;
use rea_fsm::{Asks, ProtocolVersion};
use std::borrow::Cow;

/// The modes in which a person is asked: in the client, or on a page.
const FORM: &str = "form";
const URL: &str = "url";

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
    pub fn lacks(&self, method: &str, params: Option<Raw<'_>>) -> Option<Lack> {
        let needed = match method {
            method::SAMPLING => "sampling",
            method::ELICITATION => "elicitation",
            method::ROOTS_LIST => "roots",
            // Clients may have tasks too: those that servers' questions have become.
            method::TASKS_GET
            | method::TASKS_RESULT
            | method::TASKS_CANCEL
            | method::TASKS_LIST => "tasks",
            _ => return None,
        };
        let declared = Raw::parse(&self.capabilities)
            .and_then(|declared| declared.member(needed))
            .filter(|raw| raw.is_object());
        let Some(declared) = declared else {
            return Some(Lack::whole(needed));
        };
        match needed {
            "elicitation" => lacks_mode(declared, params),
            "sampling" => lacks_tools(declared, params),
            _ => None,
        }
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

/// What a client can't be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// The capability that it would have to declare.
    pub capability: Cow<'static, str>,
    /// With what a client refuses such a request.
    pub code: ErrorCode,
}

impl Lack {
    const fn whole(capability: &'static str) -> Self {
        Self {
            capability: Cow::Borrowed(capability),
            code: ErrorCode::MethodNotFound,
        }
    }

    /// A part of a capability: the method is known, what stands in its params is not.
    fn part(capability: impl Into<Cow<'static, str>>) -> Self {
        Self {
            capability: capability.into(),
            code: ErrorCode::InvalidParams,
        }
    }
}

/// Every value under this name: of several, one reader takes this one, another one that.
fn named<'a>(params: Option<Raw<'a>>, name: &'static str) -> impl Iterator<Item = Raw<'a>> {
    let members = params.into_iter().flat_map(Raw::members);
    members.filter_map(move |(key, value)| (key == name).then_some(value))
}

/// Who declares no mode at all has the one that there was first.
fn lacks_mode(declared: Raw<'_>, params: Option<Raw<'_>>) -> Option<Lack> {
    let has = |mode: &str| declared.member(mode).is_some_and(Raw::is_object);
    let lacks = |mode: &str| match mode {
        FORM => has(URL) && !has(FORM),
        _ => !has(mode),
    };
    let lack = |mode: &str| Lack::part(format!("elicitation.{mode:.40}"));
    let mut wanted = named(params, "mode").peekable();
    if wanted.peek().is_none() {
        return lacks(FORM).then(|| lack(FORM));
    }
    wanted.find_map(|mode| {
        let mode = mode.as_str().unwrap_or(Cow::Borrowed(mode.text()));
        lacks(&mode).then(|| lack(&mode))
    })
}

fn lacks_tools(declared: Raw<'_>, params: Option<Raw<'_>>) -> Option<Lack> {
    let wants = |member| named(params, member).next().is_some();
    let has = declared.member("tools").is_some_and(Raw::is_object);
    ((wants("tools") || wants("toolChoice")) && !has).then(|| Lack::part("sampling.tools"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_lacks_what_it_has_not_declared() {
        let capabilities = Raw::parse(r#"{"roots":{"listChanged":true},"sampling":null}"#);
        let client = Introduction::new(capabilities, None, Asks::Directly);
        assert_eq!(client.lacks(method::ROOTS_LIST, None), None);
        for (method, whole) in [
            (method::SAMPLING, "sampling"),
            (method::ELICITATION, "elicitation"),
        ] {
            assert_eq!(client.lacks(method, None), Some(Lack::whole(whole)));
        }
        assert_eq!(client.lacks("x/unknown", None), None);
    }

    fn lacks(declared: &str, method: &str, params: &str) -> Option<Lack> {
        let client = Introduction::new(Raw::parse(declared), None, Asks::Directly);
        client.lacks(method, Raw::parse(params))
    }

    #[test]
    fn a_client_is_asked_in_the_modes_that_it_has_declared() {
        let form = r#"{"elicitation":{}}"#;
        let url = r#"{"elicitation":{"url":{}}}"#;
        let both = r#"{"elicitation":{"form":{},"url":{}}}"#;
        for (declared, params, lacking) in [
            (form, r#"{"message":"m"}"#, None),
            (form, r#"{"mode":"form"}"#, None),
            (form, r#"{"mode":"url"}"#, Some("elicitation.url")),
            (form, r#"{"mode":"\u0075rl"}"#, Some("elicitation.url")),
            (
                form,
                r#"{"mode":"form","mode":"url"}"#,
                Some("elicitation.url"),
            ),
            (form, r#"{"mode":"new"}"#, Some("elicitation.new")),
            (form, r#"{"mode":7}"#, Some("elicitation.7")),
            (url, r#"{"mode":"url"}"#, None),
            (url, r#"{"message":"m"}"#, Some("elicitation.form")),
            (both, r#"{"mode":"url"}"#, None),
            (both, r#"{"message":"m"}"#, None),
            (r#"{"elicitation":{"new":{}}}"#, r#"{"mode":"new"}"#, None),
        ] {
            assert_eq!(
                lacks(declared, method::ELICITATION, params),
                lacking.map(Lack::part),
                "{declared} {params}"
            );
        }
    }

    #[test]
    fn a_client_gets_tools_for_its_model_if_it_takes_some() {
        let (none, tools) = (r#"{"sampling":{}}"#, r#"{"sampling":{"tools":{}}}"#);
        let lacking = Some(Lack::part("sampling.tools"));
        for wanted in [r#"{"tools":[]}"#, r#"{"toolChoice":{"mode":"auto"}}"#] {
            assert_eq!(lacks(none, method::SAMPLING, wanted), lacking);
            assert_eq!(lacks(tools, method::SAMPLING, wanted), None);
        }
        assert_eq!(lacks(none, method::SAMPLING, r#"{"messages":[]}"#), None);
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
