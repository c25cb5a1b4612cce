//! A server without sessions answers a call with a question, and the call's client has a session.
//!
//! The client is asked by requests of their own; when every answer is there, the call is sent
//! again with them. That is what the server has asked for, and no repetition of a call that may
//! have run. Bounded: in time, and in how often one call goes round.

use super::answers::AnswerForm;
use super::client::{Client, Ending, Pending, say};
use super::questions::Purpose;
use crate::engine::{Call, Ended, Engine, Reply, World};
use crate::protocol::client_side;
use crate::protocol::downstream_id::DownstreamId;
use crate::protocol::failure::{self, Failure};
use crate::protocol::{method, relay};
use crate::wire::envelope::{self, Message, Outcome};
use crate::wire::jsonrpc::quoted;
use crate::wire::raw::Raw;
use crate::wire::request_id::RequestId;
use rea_fsm::{Executed, Leaf, Millis};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// No call is asked about more often.
const ROUNDS_MAX: u32 = 16;
/// So many questions may stand in one answer; a server with a session may have as many open.
const QUESTIONS_MAX: usize = 64;
/// So many calls may wait for answers at a time, with no more bytes than this together.
const EXCHANGES_MAX: usize = 1_000;
const BYTES_MAX: usize = 64 << 20;

/// A call that waits for its client's answers.
#[derive(Debug)]
struct Exchange {
    client_id: RequestId,
    pending: Pending,
    server_name: String,
    /// The call as it was sent first: what earlier rounds have added is not of the client's writing.
    request: Vec<u8>,
    /// What the server wants back.
    state: Option<String>,
    missing: BTreeSet<String>,
    answers: Vec<(String, String)>,
    due: Millis,
}

/// What is under way.
#[derive(Debug)]
pub(super) struct Exchanges {
    open: BTreeMap<u64, Exchange>,
    /// Those whose answers are all there.
    complete: Vec<u64>,
    last: u64,
    question_ms: Millis,
}

impl Exchange {
    fn bytes(&self) -> usize {
        let state = self.state.as_ref().map_or(0, String::len);
        let answers = self
            .answers
            .iter()
            .map(|(key, answer)| key.len() + answer.len());
        self.request.len() + state + answers.sum::<usize>()
    }
}

impl Exchanges {
    pub(super) const fn new(question_ms: Millis) -> Self {
        Self {
            open: BTreeMap::new(),
            complete: Vec::new(),
            last: 0,
            question_ms,
        }
    }

    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    fn has_room_for(&self, exchange: &Exchange) -> bool {
        let open = self.open.values().map(Exchange::bytes);
        self.open.len() < EXCHANGES_MAX && open.sum::<usize>() + exchange.bytes() <= BYTES_MAX
    }

    pub(super) fn next_due(&self) -> Option<Millis> {
        self.open.values().map(|exchange| exchange.due).min()
    }
}

/// What the server wants to know.
struct Wanted<'a> {
    key: String,
    method: String,
    params: Option<Raw<'a>>,
}

/// Why an exchange comes to nothing.
enum Failed {
    Lacks(Cow<'static, str>),
    Unasked(String),
    TooOften,
    TooMuch(usize),
    TooMany,
    Refused(String),
    Unanswered,
    Unrepeatable,
}

impl Failed {
    fn text(&self, server: &str) -> String {
        match self {
            Self::Lacks(capability) => format!(
                "server \"{server}\" needs `{capability}` for this call, which the client has not declared"
            ),
            Self::Unasked(method) => format!(
                "server \"{server}\" asks for `{method}`, which no server may ask for in an answer"
            ),
            Self::TooOften => {
                format!(
                    "server \"{server}\" has asked {ROUNDS_MAX} times and does not come to an end"
                )
            }
            Self::TooMuch(questions) => {
                format!(
                    "server \"{server}\" asks {questions} things at once; no more than {QUESTIONS_MAX} are passed on"
                )
            }
            Self::TooMany => "too many calls wait for answers of the client".to_owned(),
            Self::Refused(what) => format!("the client did not answer `{what}`"),
            Self::Unanswered => "the client did not answer in time".to_owned(),
            Self::Unrepeatable => {
                format!("the call can't be repeated with what server \"{server}\" wants back")
            }
        }
    }
}

impl Client {
    /// A server has answered a call with questions.
    pub(super) fn begin_exchange(
        &mut self,
        ended: &Ended<'_>,
        client_id: RequestId,
        mut pending: Pending,
        world: &mut impl World,
    ) {
        let Some((Reply::Line { line, .. }, request)) = ended.reply.zip(ended.request) else {
            return self.explain(ended, &client_id, &pending, world);
        };
        let Ok(Message::Response(response)) = envelope::parse(line) else {
            return self.explain(ended, &client_id, &pending, world);
        };
        let Outcome::Result { raw, .. } = response.outcome else {
            return self.explain(ended, &client_id, &pending, world);
        };
        let wanted = wanted(raw);
        let failed = self.cannot_ask(&wanted, &pending);
        if let Some(failed) = failed {
            return fail(
                &failed,
                ended.server,
                ended.leaf,
                &client_id,
                &pending,
                world,
            );
        }
        let state = raw.member("requestState").filter(|state| state.is_string());
        let first = pending.first_request.take();
        let waits = Exchange {
            client_id,
            pending,
            server_name: ended.server.to_owned(),
            request: first.unwrap_or_else(|| request.line.clone()),
            state: state.map(|state| state.text().to_owned()),
            missing: wanted.iter().map(|wanted| wanted.key.clone()).collect(),
            answers: Vec::new(),
            due: self.now().plus(self.exchanges.question_ms),
        };
        if !self.exchanges.has_room_for(&waits) {
            let Exchange {
                client_id, pending, ..
            } = &waits;
            return fail(
                &Failed::TooMany,
                ended.server,
                ended.leaf,
                client_id,
                pending,
                world,
            );
        }
        self.exchanges.last += 1;
        let exchange = self.exchanges.last;
        if wanted.is_empty() {
            self.exchanges.complete.push(exchange);
        }
        self.exchanges.open.insert(exchange, waits);
        for Wanted {
            key,
            method,
            params,
        } in wanted
        {
            let id = self.questions.put(Purpose::Exchange { exchange, key });
            say(world, |out| client_side::ask(out, id, &method, params));
        }
    }

    fn cannot_ask(&self, wanted: &[Wanted<'_>], pending: &Pending) -> Option<Failed> {
        if wanted.len() > QUESTIONS_MAX {
            return Some(Failed::TooMuch(wanted.len()));
        }
        for Wanted {
            method: asked,
            params,
            ..
        } in wanted
        {
            if !method::may_stand_in_an_answer(asked) {
                return Some(Failed::Unasked(asked.clone()));
            }
            if let Some(lack) = self.speaker.lacks(asked, *params) {
                return Some(Failed::Lacks(lack.capability));
            }
        }
        (pending.repeats >= ROUNDS_MAX).then_some(Failed::TooOften)
    }

    /// One answer is there.
    pub(super) fn exchange_answered<W: World>(
        &mut self,
        id: u64,
        key: &str,
        outcome: &Outcome<'_>,
        engine: &mut Engine<W>,
    ) {
        let Some(exchange) = self.exchanges.open.get_mut(&id) else {
            return;
        };
        let answer = match outcome {
            Outcome::Result { raw, .. } => raw.text().to_owned(),
            Outcome::Error { raw, .. } => {
                let failed = Failed::Refused(format!("{key}: {}", raw.text()));
                return self.end_exchange(id, &failed, engine);
            }
        };
        exchange.missing.remove(key);
        exchange.answers.push((key.to_owned(), answer));
        if exchange.missing.is_empty() {
            self.exchanges.complete.push(id);
        }
    }

    fn end_exchange<W: World>(&mut self, id: u64, failed: &Failed, engine: &mut Engine<W>) {
        let ids = self.questions.given_up(id);
        Self::take_back(&ids, engine.world());
        if let Some(ended) = self.exchanges.open.remove(&id) {
            let Exchange {
                client_id,
                pending,
                server_name,
                ..
            } = ended;
            let leaf = engine.downstream(pending.server).leaf();
            let world = engine.world();
            fail(failed, &server_name, leaf, &client_id, &pending, world);
        }
    }

    /// The client has given up a call that waits for its own answers.
    pub(super) fn give_up_exchange(&mut self, client_id: &RequestId, world: &mut impl World) {
        let open = self.exchanges.open.iter();
        let mut given_up = open.filter(|(_, exchange)| exchange.client_id == *client_id);
        let Some((id, _)) = given_up.next_back() else {
            return;
        };
        let id = *id;
        self.exchanges.open.remove(&id);
        let ids = self.questions.given_up(id);
        Self::take_back(&ids, world);
    }

    /// Repeats the calls whose answers are there, and ends those that have waited for too long.
    pub(super) fn settle_exchanges<W: World>(&mut self, ending: Ending, engine: &mut Engine<W>) {
        for id in std::mem::take(&mut self.exchanges.complete) {
            if let Some(exchange) = self.exchanges.open.remove(&id) {
                self.repeat(exchange, engine);
            }
        }
        let now = self.now();
        let is_due = |exchange: &Exchange| ending == Ending::Yes || now >= exchange.due;
        let open = self.exchanges.open.iter();
        let due: Vec<u64> = open
            .filter(|(_, exchange)| is_due(exchange))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            self.end_exchange(id, &Failed::Unanswered, engine);
        }
    }

    fn repeat<W: World>(&mut self, exchange: Exchange, engine: &mut Engine<W>) {
        let Exchange {
            client_id,
            mut pending,
            server_name,
            request,
            state,
            answers,
            ..
        } = exchange;
        let mut members = Vec::new();
        if !answers.is_empty() {
            let answers: Vec<String> = answers
                .iter()
                .map(|(key, answer)| format!("{}:{answer}", quoted(key)))
                .collect();
            members.push(format!(r#""inputResponses":{{{}}}"#, answers.join(",")));
        }
        if let Some(state) = state {
            members.push(format!(r#""requestState":{state}"#));
        }
        let id = self.new_call();
        let mut line = Vec::new();
        let wire_id = DownstreamId::Call(id);
        if relay::repeated(&mut line, &request, wire_id, &members.join(",")).is_err() {
            let leaf = engine.downstream(pending.server).leaf();
            let (failed, world) = (Failed::Unrepeatable, engine.world());
            return fail(&failed, &server_name, leaf, &client_id, &pending, world);
        }
        pending.repeats += 1;
        let mut call = Call::new(
            id,
            pending.class,
            pending.timeout_ms,
            None,
            pending.label.clone(),
            line,
        );
        call.progress_token.clone_from(&pending.server_token);
        let server = pending.server;
        pending.client_id = Some(client_id.clone());
        pending.first_request = Some(request);
        self.by_client_id.insert((client_id, id));
        self.calls.insert(id, pending);
        engine.submit(server, call, self);
    }
}

/// What stands under a key a second time could not be answered beside the first.
fn wanted(result: Raw<'_>) -> Vec<Wanted<'_>> {
    let requests = result.member("inputRequests");
    let requests = requests.into_iter().flat_map(Raw::members);
    let mut keys = BTreeSet::new();
    requests
        .filter(|(key, _)| keys.insert(key.clone()))
        .map(|(key, request)| Wanted {
            key: key.into_owned(),
            method: request
                .member("method")
                .and_then(Raw::as_str)
                .map_or_else(String::new, Cow::into_owned),
            params: request.member("params"),
        })
        .collect()
}

fn fail(
    failed: &Failed,
    server: &str,
    leaf: Leaf,
    client_id: &RequestId,
    pending: &Pending,
    world: &mut impl World,
) {
    let text = format!(
        "{}. The call may have been executed in part: check before repeating it.",
        failed.text(server)
    );
    let facts = Failure {
        server,
        state: leaf.name(),
        reason: "input_required",
        executed: Executed::Maybe,
        retry_at: None,
    };
    say(world, |out| match pending.form {
        AnswerForm::ToolResult => {
            failure::tool_failure(out, client_id, &text, &facts, pending.asks);
        }
        AnswerForm::Error | AnswerForm::Cacheable => {
            failure::request_failure(out, client_id, &text, &facts);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_wants_is_read_key_by_key() {
        let result = r#"{"resultType":"input_required","inputRequests":{"a":{"method":"roots/list"},"b\u0063":{"method":"elicitation/create","params":{"x":1e400}}}}"#;
        let wanted = wanted(Raw::parse(result).expect("valid"));
        let read: Vec<_> = wanted
            .iter()
            .map(|wanted| {
                let params = wanted.params.map(Raw::text);
                (wanted.key.as_str(), wanted.method.as_str(), params)
            })
            .collect();
        assert_eq!(
            read,
            [
                ("a", method::ROOTS_LIST, None),
                ("bc", method::ELICITATION, Some(r#"{"x":1e400}"#))
            ]
        );
    }
}
