//! How the client speaks: with a session, or request by request.
//!
//! A request says by itself which era it is of, so each is taken as what it is. What servers are
//! told of the client is what its session began with; without a session, what it said last.

use crate::protocol::client_side;
use crate::protocol::introduction::{
    Introduction, Lack, META_CAPABILITIES, META_CLIENT_INFO, META_LOG_LEVEL, META_VERSION,
};
use crate::protocol::level::Level;
use crate::protocol::{method, version};
use crate::wire::envelope::Request;
use crate::wire::jsonrpc::{self, ErrorCode};
use crate::wire::raw::Raw;
use crate::wire::request_id::RequestId;
use rea_fsm::{Asks, ProtocolVersion};
use std::rc::Rc;

/// What is known of the client's way to speak.
#[derive(Debug, Default)]
pub(super) struct Speaker {
    session: Option<Session>,
    /// What it said of itself: for the session, or beside its last request.
    introduction: Option<Rc<Introduction>>,
    is_news: Option<Rc<Introduction>>,
}

/// Who sends a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// The client of the session, or one that has said nothing of itself.
    Known,
    /// Who the request itself says.
    Introduced(Rc<Introduction>),
}

impl Sender {
    /// How the sender can be asked something.
    pub(super) const fn asks(&self) -> Asks {
        match self {
            Self::Known => Asks::Directly,
            Self::Introduced(_) => Asks::InAnswers,
        }
    }

    /// What stands beside the request.
    pub(super) const fn introduction(&self) -> Option<&Rc<Introduction>> {
        match self {
            Self::Known => None,
            Self::Introduced(introduction) => Some(introduction),
        }
    }
}

#[derive(Debug)]
struct Session {
    /// How loud servers may be; as loud as they like if nobody said.
    level: Option<Level>,
}

/// Why a request of the era without sessions is not looked at.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It asks for a revision that is not spoken here.
    Version(String),
    /// It can't be used as it is.
    Params(String),
    /// Its revision has no such method.
    Method(String),
}

impl Refusal {
    pub(super) fn write(&self, out: &mut Vec<u8>, id: &RequestId) {
        match self {
            Self::Version(requested) => client_side::unsupported_version(out, id, requested),
            Self::Params(text) => {
                jsonrpc::error(out, id, ErrorCode::InvalidParams, text, jsonrpc::NONE);
            }
            Self::Method(text) => {
                jsonrpc::error(out, id, ErrorCode::MethodNotFound, text, jsonrpc::NONE);
            }
        }
    }
}

impl Speaker {
    /// Takes note of what a request says about its sender.
    pub(super) fn hear(&mut self, request: &Request<'_>) -> Result<Sender, Refusal> {
        let Some(said) = said(request)? else {
            return self.hear_unmarked(&request.method);
        };
        let introduction = match &self.introduction {
            Some(known) if **known == said => Rc::clone(known),
            Some(_) | None => Rc::new(said),
        };
        // A session's client stays who it is, whatever single requests say.
        if self.session.is_none() && self.introduction.as_ref() != Some(&introduction) {
            self.is_news = Some(Rc::clone(&introduction));
            self.introduction = Some(Rc::clone(&introduction));
        }
        Ok(Sender::Introduced(introduction))
    }

    /// Whether servers have to be started for a request: it says who its client is, or asks for
    /// something of theirs without having said it.
    pub(super) fn needs_servers(request: &Request<'_>) -> bool {
        match said(request) {
            Ok(Some(_)) => true,
            Ok(None) => {
                let needless = [method::PING, method::DISCOVER, method::LISTEN];
                !needless.contains(&request.method.as_ref())
            }
            Err(_) => false,
        }
    }

    /// A request that does not say of which era it is, is one of a session.
    fn hear_unmarked(&self, method: &str) -> Result<Sender, Refusal> {
        let needs_mark = [method::DISCOVER, method::LISTEN].contains(&method);
        let opens_session = method == method::INITIALIZE;
        let has_none = self.session.is_none() && self.introduction.is_some();
        if needs_mark || (has_none && !opens_session) {
            let version = version::name(ProtocolVersion::V2026_07_28);
            return Err(Refusal::Params(format!(
                "without a session, a request says for itself in `_meta[\"{META_VERSION}\"]` that it is of \
                 revision {version}, and in `_meta[\"{META_CAPABILITIES}\"]` what its client can do"
            )));
        }
        Ok(Sender::Known)
    }

    /// What the client has said of itself just now, if servers don't know it yet.
    pub(super) const fn newly_introduced(&mut self) -> Option<Rc<Introduction>> {
        self.is_news.take()
    }

    /// The client has asked for a session.
    pub(super) fn opens_session(&mut self, introduction: Rc<Introduction>) {
        self.session = Some(Session { level: None });
        self.introduction = Some(introduction);
    }

    pub(super) const fn has_session(&self) -> bool {
        self.session.is_some()
    }

    /// The capability that the client lacks for a server's request.
    pub(super) fn lacks(&self, method: &str, params: Option<Raw<'_>>) -> Option<Lack> {
        match &self.introduction {
            Some(introduction) => introduction.lacks(method, params),
            None => Introduction::default().lacks(method, params),
        }
    }

    pub(super) const fn wants_level(&mut self, level: Level) {
        if let Some(session) = &mut self.session {
            session.level = Some(level);
        }
    }

    /// Whether a client with a session wants to hear a message of this level.
    pub(super) fn wants(&self, level: Option<Level>) -> bool {
        let Some(session) = &self.session else {
            return false;
        };
        match (session.level, level) {
            (Some(wanted), Some(level)) => level >= wanted,
            (_, _) => true,
        }
    }

    /// How loud servers may be while they work on a request.
    pub(super) fn level_of(request: &Request<'_>) -> Option<Level> {
        let meta = request.params?.meta()?;
        Level::named(&meta.member(META_LOG_LEVEL)?.as_str()?)
    }
}

/// What a request of the era without sessions says of its sender.
fn said(request: &Request<'_>) -> Result<Option<Introduction>, Refusal> {
    let version = match request.params.map(|params| params.version()) {
        Some(Ok(version)) => version,
        Some(Err(error)) => return Err(Refusal::Params(error.to_string())),
        None => None,
    };
    let Some(version) = version else {
        return Ok(None);
    };
    if version.decoded != version::name(ProtocolVersion::V2026_07_28) {
        return Err(Refusal::Version(version.decoded.into_owned()));
    }
    let meta = request.params.and_then(|params| params.meta());
    let member = |name| meta.and_then(|meta| meta.member(name));
    let capabilities = member(META_CAPABILITIES).filter(|raw: &Raw<'_>| raw.is_object());
    if capabilities.is_none() {
        let text = format!(
            "a request of revision {} says in `_meta[\"{META_CAPABILITIES}\"]` what its client can do: an object",
            version.decoded
        );
        return Err(Refusal::Params(text));
    }
    if let Some(instead) = method::removed(&request.method) {
        let (version, method) = (version.decoded, &request.method);
        let text = format!("revision {version} has no method {method:?}: {instead}");
        return Err(Refusal::Method(text));
    }
    let info = member(META_CLIENT_INFO);
    let introduction = Introduction::new(capabilities, info, Asks::InAnswers);
    Ok(Some(introduction))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::envelope::{Message, parse};

    fn hear(speaker: &mut Speaker, params: &str) -> Result<Asks, Refusal> {
        hear_of(speaker, "tools/call", params)
    }

    fn hear_of(speaker: &mut Speaker, method: &str, params: &str) -> Result<Asks, Refusal> {
        let line = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
        let Ok(Message::Request(request)) = parse(line.as_bytes()) else {
            panic!("a request")
        };
        speaker.hear(&request).map(|sender| sender.asks())
    }

    const DIRECTLY: Result<Asks, Refusal> = Ok(Asks::Directly);
    const IN_ANSWERS: Result<Asks, Refusal> = Ok(Asks::InAnswers);
    const MODERN: &str = r#"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"roots":{}}}}"#;

    #[test]
    fn a_request_of_the_modern_era_introduces_its_client() {
        let mut speaker = Speaker::default();
        assert_eq!(hear(&mut speaker, "{}"), DIRECTLY);
        assert_eq!(speaker.newly_introduced(), None);
        assert_eq!(hear(&mut speaker, MODERN), IN_ANSWERS);
        let introduced = speaker.newly_introduced().expect("news");
        assert_eq!(introduced.asks, Asks::InAnswers);
        assert_eq!(introduced.capabilities, r#"{"roots":{}}"#);
        assert_eq!(hear(&mut speaker, MODERN), IN_ANSWERS);
        assert_eq!(speaker.newly_introduced(), None, "said once");
    }

    #[test]
    fn a_session_keeps_its_client() {
        let mut speaker = Speaker::default();
        speaker.opens_session(Rc::default());
        assert_eq!(hear(&mut speaker, MODERN), IN_ANSWERS);
        assert_eq!(speaker.newly_introduced(), None);
        let lack = speaker.lacks("roots/list", None).expect("it has none");
        assert_eq!(lack.capability, "roots");
    }

    #[test]
    fn another_revision_and_missing_capabilities_are_refused() {
        let mut speaker = Speaker::default();
        let other = MODERN.replace("2026-07-28", "1900-01-01");
        let refusal = hear(&mut speaker, &other).expect_err("refused");
        assert_eq!(refusal, Refusal::Version("1900-01-01".to_owned()));
        let silent = r#"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}"#;
        let refusal = hear(&mut speaker, silent).expect_err("refused");
        assert!(matches!(refusal, Refusal::Params(_)));
    }

    #[test]
    fn what_the_modern_era_took_away_is_refused_with_what_stands_in_its_place() {
        let mut speaker = Speaker::default();
        for method in [
            "initialize",
            "ping",
            "logging/setLevel",
            "resources/subscribe",
        ] {
            let refusal = hear_of(&mut speaker, method, MODERN).expect_err("refused");
            assert!(
                matches!(refusal, Refusal::Method(_)),
                "{method}: {refusal:?}"
            );
            assert_eq!(hear_of(&mut speaker, method, "{}"), DIRECTLY, "{method}");
        }
        assert_eq!(speaker.newly_introduced(), None);
    }

    #[test]
    fn without_a_session_each_request_says_of_which_era_it_is() {
        let mut speaker = Speaker::default();
        let discover = |speaker: &mut Speaker| hear_of(speaker, "server/discover", "{}");
        assert!(matches!(discover(&mut speaker), Err(Refusal::Params(_))));
        assert_eq!(hear(&mut speaker, MODERN), IN_ANSWERS);
        let unmarked = hear(&mut speaker, "{}");
        assert!(matches!(unmarked, Err(Refusal::Params(_))), "{unmarked:?}");
        assert_eq!(hear_of(&mut speaker, "initialize", "{}"), DIRECTLY);
        speaker.opens_session(Rc::default());
        assert_eq!(hear(&mut speaker, "{}"), DIRECTLY);
        assert!(matches!(discover(&mut speaker), Err(Refusal::Params(_))));
    }

    #[test]
    fn levels_are_ordered_by_gravity() {
        let mut speaker = Speaker::default();
        assert!(!speaker.wants(None), "without a session nothing is told");
        speaker.opens_session(Rc::default());
        assert!(speaker.wants(Level::named("debug")));
        speaker.wants_level(Level::Warning);
        assert!(!speaker.wants(Level::named("notice")));
        assert!(speaker.wants(Level::named("emergency")));
        assert!(speaker.wants(None), "what says no level is passed on");
    }
}
