//! Each request says by itself which era it is of, and is answered once, in that era's way; and
//! whatever a client writes, it and the servers are sent nothing but messages.

use crate::conversation::{Conversation, Ends, LINE_BYTES_MAX};
use crate::json::{self, members, named};
use crate::model::{META_CAPABILITIES, Needed, Said, last, object, read, text, token, version};
use crate::oversized::owner;
use crate::servers::WITH_SESSIONS;
use rea::wire::envelope::Seeming;
use std::collections::{BTreeMap, BTreeSet};

const NEWEST_WITH_SESSIONS: &str = "2025-11-25";
const WITH_SESSIONS_TOO: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
const WITHOUT_SESSIONS: &str = "2026-07-28";

const INVALID_PARAMS: &str = "-32602";
const UNSUPPORTED_VERSION: &str = "-32022";
const METHOD_NOT_FOUND: &str = "-32601";

const LISTS: [&str; 4] = [
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
];
/// What a server is asked in both eras.
const RELAYED: [&str; 8] = [
    "tools/call",
    "prompts/get",
    "resources/read",
    "completion/complete",
    "tasks/get",
    "tasks/result",
    "tasks/cancel",
    "tasks/list",
];
/// What only a client with a session can ask for.
const OF_SESSIONS: [&str; 5] = [
    "initialize",
    "ping",
    "logging/setLevel",
    "resources/subscribe",
    "resources/unsubscribe",
];
/// What only a request that speaks for itself can.
const OF_NO_SESSION: [&str; 2] = ["server/discover", "subscriptions/listen"];
/// What the gateway answers in more than one way.
const OTHERS: [&str; 4] = [
    "logging/setLevel",
    "resources/subscribe",
    "resources/unsubscribe",
    "subscriptions/listen",
];

/// As what a request has to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Era {
    /// One of a session, whether it was opened or not.
    Session,
    /// One that speaks for itself.
    Stateless,
    /// Neither: it is refused with this code.
    Refused(&'static str),
}

/// What requests have said so far.
#[derive(Clone, Copy, Default)]
struct Known {
    session: bool,
    stateless: bool,
}

impl Known {
    fn era(&mut self, method: &str, params: Option<&str>) -> Era {
        let era = match params.map_or(Needed::Absent, version) {
            Needed::Absent => self.unmarked(method),
            Needed::Twice | Needed::WrongKind => Era::Refused(INVALID_PARAMS),
            Needed::There(version) if version != WITHOUT_SESSIONS => {
                Era::Refused(UNSUPPORTED_VERSION)
            }
            Needed::There(_) if params.and_then(own_capabilities).is_none() => {
                Era::Refused(INVALID_PARAMS)
            }
            Needed::There(_) if OF_SESSIONS.contains(&method) => Era::Refused(METHOD_NOT_FOUND),
            Needed::There(_) => Era::Stateless,
        };
        self.stateless |= era == Era::Stateless;
        self.session |= method == "initialize" && !matches!(era, Era::Refused(_));
        era
    }

    fn unmarked(self, method: &str) -> Era {
        let is_of_a_session = self.session || !self.stateless || method == "initialize";
        if is_of_a_session && !OF_NO_SESSION.contains(&method) {
            Era::Session
        } else {
            Era::Refused(INVALID_PARAMS)
        }
    }
}

/// What a request says its client can do.
fn own_capabilities(params: &str) -> Option<&str> {
    match object(params, "_meta") {
        Needed::There(meta) => last(meta, META_CAPABILITIES).filter(|raw| raw.starts_with('{')),
        Needed::Absent | Needed::Twice | Needed::WrongKind => None,
    }
}

struct Request<'a> {
    id: &'a str,
    method: String,
    params: Option<&'a str>,
    era: Era,
}

/// What the stream asks for.
#[derive(Default)]
struct Asked<'a> {
    requests: Vec<Request<'a>>,
    /// How many answers each id is to get, at most; refusals of what is no message among them.
    answers: BTreeMap<String, usize>,
    /// How many of them the client gave up.
    given_up: BTreeMap<String, usize>,
    /// Lines that are refused under nobody knows which id.
    unowned: usize,
    known: Known,
}

impl<'a> Asked<'a> {
    fn by(lines: Vec<&'a [u8]>) -> Self {
        let mut asked = Self::default();
        for line in lines {
            if line.len() > LINE_BYTES_MAX {
                asked.too_long(line);
            } else {
                asked.line(line.strip_suffix(b"\r").unwrap_or(line));
            }
        }
        asked
    }

    fn expect(&mut self, id: &str) {
        *self.answers.entry(id.to_owned()).or_default() += 1;
    }

    fn too_long(&mut self, line: &[u8]) {
        match owner(line) {
            Some((Some(id), Seeming::Call)) => self.expect(&id),
            Some((_, _)) => self.expect("null"),
            None => self.unowned += 1,
        }
    }

    fn line(&mut self, line: &'a [u8]) {
        match read(line) {
            Ok(Said::Request { id, method, params }) => {
                self.expect(id);
                let era = self.known.era(&method, params);
                self.requests.push(Request {
                    id,
                    method,
                    params,
                    era,
                });
            }
            Ok(Said::Notification { method, params }) => {
                if method == "notifications/cancelled"
                    && let Some(Needed::There(id)) = params.map(|params| token(params, "requestId"))
                {
                    *self.given_up.entry(id.to_owned()).or_default() += 1;
                }
            }
            Ok(Said::Result { .. } | Said::Error { .. }) | Err(crate::model::Refused::Blank) => {}
            Err(refused) => self.expect(refused.id().filter(|_| asks(line)).unwrap_or("null")),
        }
    }
}

/// Whether a line that can't be taken asks for something. The id of one that answers is none of
/// the client's own.
fn asks(line: &[u8]) -> bool {
    let members = std::str::from_utf8(line).ok().and_then(members);
    members.is_some_and(|members| {
        let has = |name| !named(&members, name).is_empty();
        has("method") && !has("result") && !has("error")
    })
}

pub(crate) fn check(input: &[u8]) {
    let conversation = Conversation::of(input);
    let asked = Asked::by(conversation.lines());
    let mut answers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut questions = 0;
    for line in &conversation.heard {
        match read(line.as_bytes()) {
            Ok(Said::Result { id, .. }) => answers.entry(id).or_default().push(line),
            Ok(Said::Error { id, .. }) => {
                answers.entry(id.unwrap_or("null")).or_default().push(line);
            }
            Ok(Said::Request { .. }) => questions += 1,
            Ok(Said::Notification { .. }) => {}
            Err(refused) => panic!("the client is sent {line}: {refused:?}"),
        }
    }
    every_request_has_its_answer(&conversation, &asked, &answers);
    for request in &asked.requests {
        if asked.answers[request.id] == 1
            && asked.unowned == 0
            && let Some([answer]) = answers.get(request.id).map(Vec::as_slice)
        {
            it_is_answered_in_its_era(request, answer);
        }
    }
    let speaks_for_itself = |request: &Request<'_>| match request.era {
        Era::Session => false,
        Era::Stateless | Era::Refused(_) => true,
    };
    if asked.requests.iter().all(speaks_for_itself) {
        assert_eq!(questions, 0, "it is asked in answers alone");
    }
    servers_are_told_the_truth(&conversation, &asked);
    no_call_runs_twice(&conversation, &asked);
}

fn every_request_has_its_answer(
    conversation: &Conversation,
    asked: &Asked<'_>,
    answers: &BTreeMap<&str, Vec<&str>>,
) {
    let mut more = 0;
    for (id, answers) in answers {
        let most = asked.answers.get(*id).copied().unwrap_or(0);
        more += answers.len().saturating_sub(most);
        assert!(
            more <= asked.unowned,
            "{most} answers at most: {answers:#?}"
        );
    }
    if conversation.ends == Ends::NobodyReads {
        return;
    }
    for (id, most) in &asked.answers {
        let given_up = asked.given_up.get(id).copied().unwrap_or(0);
        let found = answers.get(id.as_str()).map_or(0, Vec::len);
        assert!(
            found + given_up >= *most,
            "{found} of {most} answers to {id}: {:#?}",
            conversation.heard
        );
    }
}

fn it_is_answered_in_its_era(request: &Request<'_>, answer: &str) {
    let result = last(answer, "result");
    let code = last(answer, "error").and_then(|error| last(error, "code"));
    let kind = result.and_then(|result| last(result, "resultType"));
    let method = request.method.as_str();
    match request.era {
        Era::Refused(expected) => {
            assert_eq!(code, Some(expected), "{answer}");
            return;
        }
        Era::Stateless | Era::Session => {}
    }
    match method {
        "initialize" => {
            let wanted = request
                .params
                .and_then(|params| last(params, "protocolVersion"));
            let wanted = wanted.and_then(json::string);
            let spoken = wanted.filter(|wanted| WITH_SESSIONS_TOO.contains(&wanted.as_str()));
            let expected = spoken.unwrap_or_else(|| NEWEST_WITH_SESSIONS.to_owned());
            let said = result.and_then(|result| last(result, "protocolVersion"));
            assert_eq!(said, Some(format!("\"{expected}\"").as_str()), "{answer}");
        }
        "server/discover" => {
            let versions = result.and_then(|result| last(result, "supportedVersions"));
            let versions = versions.and_then(json::elements).unwrap_or_default();
            let newest = format!("\"{WITHOUT_SESSIONS}\"");
            assert_eq!(versions.first(), Some(&newest.as_str()), "{answer}");
            assert_eq!(kind, Some("\"complete\""), "{answer}");
        }
        "ping" => assert_eq!(result, Some("{}"), "{answer}"),
        list if LISTS.contains(&list) => {
            let cursor = request.params.map(|params| text(params, "cursor"));
            if let Some(Needed::There(_)) = cursor {
                assert_eq!(code, Some(INVALID_PARAMS), "{answer}");
                return;
            }
            let expected = (request.era == Era::Stateless).then_some("\"complete\"");
            assert!(result.is_some(), "{answer}");
            assert_eq!(kind, expected, "{answer}");
        }
        relayed if RELAYED.contains(&relayed) => {
            if request.era == Era::Stateless && result.is_some() {
                assert!(kind.is_some(), "of what kind is it? {answer}");
            }
        }
        other if OTHERS.contains(&other) => {}
        _ => assert_eq!(code, Some(METHOD_NOT_FOUND), "{answer}"),
    }
}

/// A server hears of capabilities that its client has declared, or of none.
fn servers_are_told_the_truth(conversation: &Conversation, asked: &Asked<'_>) {
    let mut declared = BTreeSet::from(["{}"]);
    for request in &asked.requests {
        let params = request.params.unwrap_or("{}");
        declared.extend(own_capabilities(params));
        if request.method == "initialize" {
            declared.extend(last(params, "capabilities"));
        }
    }
    for told in &conversation.left.world.reads {
        let line = &told.line;
        let said = read(line.as_bytes());
        let Ok(said) = said else {
            panic!("a server is sent {line}: {said:?}");
        };
        let Said::Request { method, params, .. } = said else {
            continue;
        };
        let params = params.unwrap_or("{}");
        let capabilities = match method.as_str() {
            "initialize" => last(params, "capabilities"),
            "server/discover" => own_capabilities(params),
            _ => continue,
        };
        assert!(
            capabilities.is_some_and(|told| declared.contains(told)),
            "{line} tells none of {declared:?}"
        );
    }
}

/// A call that goes on with a sealed state is the one that was held; no question of its server is
/// answered twice.
fn no_call_runs_twice(conversation: &Conversation, asked: &Asked<'_>) {
    let begins = |request: &&Request<'_>| {
        let state = request.params.map(|params| text(params, "requestState"));
        let begins = matches!(state, None | Some(Needed::Absent));
        request.method == "tools/call" && (begins || request.era == Era::Session)
    };
    let calls_max = asked.requests.iter().filter(begins).count();
    let (mut calls, mut answered) = (0, BTreeSet::new());
    let reads = conversation.left.world.reads.iter();
    for told in reads.filter(|told| told.key.0 == WITH_SESSIONS) {
        match read(told.line.as_bytes()) {
            Ok(Said::Request { method, .. }) if method == "tools/call" => calls += 1,
            Ok(Said::Result { id, .. }) => {
                let is_first = answered.insert((told.key, id.to_owned()));
                assert!(is_first, "answered twice: {}", told.line);
            }
            Ok(_) | Err(_) => {}
        }
    }
    assert!(calls <= calls_max, "{calls} calls of {calls_max} were read");
}
