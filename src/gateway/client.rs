//! The client's side: what it asks, what it is answered, which of its calls are under way.
//!
//! Invariants: the client is answered at once wherever no server is needed, whatever the servers
//! do; every request gets exactly one answer, but for calls that the client gave up; an unknown
//! name creates nothing.
//!
//! One file a concern: [`super::requests`] what goes to a server, [`super::waiting`] what can't go
//! yet, [`super::notices`] lists and their changes, [`super::listens`] streams of them, [`super::questions`] what servers ask, [`super::exchanges`] a question in an
//! answer for a client with a session, [`super::held`] a question of a server with one for a
//! client without, [`super::tasks`] calls that have become tasks.

use super::answers::AnswerForm;
use super::catalogue::Catalogue;
use super::exchanges::Exchanges;
use super::health::{Diagnostics, PolicyFacts};
use super::labels::Labels;
use super::listens::Listens;
use super::live::Run;
use super::notices::Notices;
use super::payloads::Payloads;
use super::policy::CallPolicy;
use super::questions::{Purpose, Questions};
use super::speaker::Speaker;
use super::tasks::{Outcome, Tasks};
use super::waiting::Waiting;
use crate::engine::{self, Answer, Cancelled, Ended, Engine, Front, Label, ServerId, World};
use crate::protocol::introduction::Introduction;
use crate::protocol::level::Level;
use crate::protocol::listing::ListKind;
use crate::protocol::request_state::{RequestDigest, Sealer};
use crate::protocol::{client_side, method, version};
use crate::wire::envelope::{self, Message, Notification, ParseError, Request, Response, Seeming};
use crate::wire::jsonrpc::{self, ErrorCode};
use crate::wire::oversized::Oversized;
use crate::wire::request_id::RequestId;
use jiff::Timestamp;
use rea_fsm::{Asks, CallClass, CallId, Executed, Millis, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Takes secrets out of text that goes to the log.
pub type TextFilter = Box<dyn Fn(&str) -> String>;

/// A call that has not been answered.
#[derive(Debug)]
pub(super) struct Pending {
    /// Under which id the client waits. None while it is busy with questions.
    pub(super) client_id: Option<RequestId>,
    pub(super) server: ServerId,
    pub(super) form: AnswerForm,
    pub(super) asks: Asks,
    pub(super) class: CallClass,
    pub(super) timeout_ms: Millis,
    pub(super) label: Label,
    /// The token that the server knows, and the one under which the client wants to hear.
    pub(super) server_token: Option<RequestId>,
    pub(super) client_token: Option<RequestId>,
    /// How loud the server may be for this call; for a client without a session.
    pub(super) level: Option<Level>,
    /// What the call is about, for a client that repeats it.
    pub(super) digest: Option<RequestDigest>,
    /// How often the server has asked for it to be repeated.
    pub(super) repeats: u32,
    /// If it is a repetition: the request as its server had it first.
    pub(super) first_request: Option<Vec<u8>>,
    /// What the client gets for it.
    pub(super) outcome: Outcome,
}

/// What the gateway is told of its client before it has said anything.
pub struct ClientSetup {
    /// How the calls of each server are treated, by the registry's order.
    pub policies: Vec<CallPolicy>,
    /// The servers' names in the same order.
    pub servers: Vec<String>,
    /// How long a list waits for servers still starting.
    pub list_budget_ms: Millis,
    /// How long what a server offers stays listed while it is down.
    pub list_keep_ms: Millis,
    /// How long the client has for a question in an answer.
    pub question_ms: Millis,
    /// With what states are sealed; of this run alone.
    pub key: [u8; 32],
    /// Takes secrets out of text that goes to the log.
    pub redact: TextFilter,
    /// What is taken out of calls and answers.
    pub payloads: Payloads,
    /// What never changes in a run.
    pub run: Run,
    /// Whether the client is told why something is wrong.
    pub diagnostics: Diagnostics,
    /// What the policy file says of the project.
    pub policy_facts: PolicyFacts,
}

/// What the gateway knows of its client.
pub struct Client {
    pub(super) redact: TextFilter,
    pub(super) labels: Labels,
    pub(super) payloads: Payloads,
    pub(super) run: Run,
    pub(super) diagnostics: Diagnostics,
    pub(super) policy_facts: PolicyFacts,
    pub(super) policies: Vec<CallPolicy>,
    pub(super) catalogue: Catalogue,
    pub(super) speaker: Speaker,
    pub(super) notices: Notices,
    pub(super) listens: Listens,
    pub(super) waiting: Waiting,
    pub(super) questions: Questions,
    pub(super) exchanges: Exchanges,
    pub(super) tasks: Tasks,
    pub(super) sealer: Sealer,
    pub(super) began: Timestamp,
    now: Millis,
    pub(super) calls: BTreeMap<CallId, Pending>,
    /// Ids are the client's own affair: two calls may have the same.
    pub(super) by_client_id: BTreeSet<(RequestId, CallId)>,
    next_call: CallId,
}

impl Client {
    /// A client that has said nothing yet.
    pub fn new(setup: ClientSetup) -> Self {
        Self {
            redact: setup.redact,
            labels: Labels::default(),
            payloads: setup.payloads,
            began: setup.run.began,
            run: setup.run,
            diagnostics: setup.diagnostics,
            policy_facts: setup.policy_facts,
            catalogue: Catalogue::new(&setup.servers, setup.list_keep_ms),
            policies: setup.policies,
            speaker: Speaker::default(),
            notices: Notices::new(setup.list_budget_ms),
            listens: Listens::default(),
            waiting: Waiting::default(),
            questions: Questions::default(),
            exchanges: Exchanges::new(setup.question_ms),
            tasks: Tasks::default(),
            sealer: Sealer::new(setup.key),
            now: Millis::ZERO,
            calls: BTreeMap::new(),
            by_client_id: BTreeSet::new(),
            next_call: CallId(1),
        }
    }

    /// Takes in what an earlier session knew of a server.
    pub fn remember(&mut self, server: ServerId, catalogue: engine::Catalogue<'_>) {
        self.catalogue.remember(server, catalogue);
    }

    /// Takes note of the turn's time.
    pub(super) const fn begin(&mut self, now: Millis) {
        self.now = now;
    }

    pub(super) const fn now(&self) -> Millis {
        self.now
    }

    /// How many requests have not been answered.
    pub fn unanswered(&self) -> usize {
        self.calls.len() + self.notices.waiting() + self.waiting.count() + self.exchanges.open()
    }

    /// When time alone changes something.
    pub fn next_due(&self) -> Option<Millis> {
        [
            self.notices.next_due(),
            self.waiting.next_due(),
            self.exchanges.next_due(),
            self.catalogue.next_due(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Whether servers have to be started for this line.
    pub(super) fn needs_servers(line: &[u8]) -> bool {
        match envelope::parse(line) {
            Ok(Message::Request(request)) => Speaker::needs_servers(&request),
            Ok(Message::Notification(_) | Message::Response(_)) | Err(_) => false,
        }
    }

    /// Takes in one line.
    pub fn hear<W: World>(&mut self, line: &[u8], engine: &mut Engine<W>) {
        match envelope::parse(line) {
            Ok(Message::Request(request)) => self.request(line, &request, engine),
            Ok(Message::Notification(notification)) => {
                self.notification(line, &notification, engine);
            }
            Ok(Message::Response(response)) => self.response(line, &response, engine),
            Err(ParseError::Blank) => {}
            Err(error) => {
                let code = match &error {
                    ParseError::Blank
                    | ParseError::NotUtf8 { .. }
                    | ParseError::Nul { .. }
                    | ParseError::EmbeddedNewline { .. }
                    | ParseError::NotJson { .. }
                    | ParseError::TooDeep => ErrorCode::ParseError,
                    ParseError::Batch
                    | ParseError::NotAnObject
                    | ParseError::Duplicate { .. }
                    | ParseError::InvalidRequest { .. } => ErrorCode::InvalidRequest,
                };
                let id = match (error.seeming(), error.id()) {
                    (Some(Seeming::Call), Some(id)) => id.clone(),
                    // What a reply answers is the gateway's; the client may have asked something
                    // under that id too.
                    (_, _) => RequestId::null(),
                };
                refuse(&id, code, &error.to_string(), engine.world());
            }
        }
    }

    /// Takes note of a line over the limit.
    pub fn hear_oversized(&mut self, line: &Oversized<'_>, limit: u64, world: &mut impl World) {
        let id = match (line.kind, &line.id) {
            (Seeming::Call, Some(id)) => id.clone(),
            (Seeming::Call, None) | (Seeming::Reply, _) => RequestId::null(),
        };
        let text = format!(
            "the line has {} bytes, the limit is {limit}; nothing of it was executed",
            line.bytes
        );
        refuse(&id, ErrorCode::TooLarge, &text, world);
    }

    fn request<W: World>(&mut self, line: &[u8], request: &Request<'_>, engine: &mut Engine<W>) {
        let id = request.id.to_owned();
        let sender = match self.speaker.hear(request) {
            Ok(sender) => sender,
            Err(refusal) => return say(engine.world(), |out| refusal.write(out, &id)),
        };
        if let Some(introduction) = self.speaker.newly_introduced() {
            engine.introduce(introduction);
        }
        match request.method.as_ref() {
            method::INITIALIZE => self.initialize(&id, request, engine),
            method::DISCOVER => {
                let capabilities = self.catalogue.capabilities();
                let instructions = self.catalogue.instructions();
                say(engine.world(), |out| {
                    client_side::discover_result(out, &id, &capabilities, instructions.as_deref());
                });
            }
            method::PING => say(engine.world(), |out| jsonrpc::empty_result(out, &id)),
            method::SET_LEVEL => self.set_level(&id, request, engine),
            method => match ListKind::of_method(method) {
                Some(kind) => self.list(id, kind, sender.asks(), request, engine),
                None => self.pass_on(line, request, &sender, engine),
            },
        }
    }

    fn initialize<W: World>(
        &mut self,
        id: &RequestId,
        request: &Request<'_>,
        engine: &mut Engine<W>,
    ) {
        let params = request.params.map(|params| params.raw());
        let member = |name| params.and_then(|params| params.member(name));
        let (capabilities, info) = (member("capabilities"), member("clientInfo"));
        let introduction = Rc::new(Introduction::new(capabilities, info, Asks::Directly));
        engine.introduce(Rc::clone(&introduction));
        self.speaker.opens_session(introduction);
        let wanted = client_side::wanted_version(request.params.as_ref());
        let version = version::negotiate(wanted.as_deref());
        let capabilities = self.catalogue.capabilities();
        let instructions = self.catalogue.instructions();
        say(engine.world(), |out| {
            let instructions = instructions.as_deref();
            client_side::initialize_result(out, id, version, &capabilities, instructions);
        });
    }

    fn set_level<W: World>(
        &mut self,
        id: &RequestId,
        request: &Request<'_>,
        engine: &mut Engine<W>,
    ) {
        let level = request.params.map(|params| params.other("level"));
        let level = match level {
            Some(Ok(Some(level))) => Level::named(&level.decoded),
            Some(Ok(None) | Err(_)) | None => None,
        };
        let Some(level) = level else {
            let text = format!(
                "logging/setLevel takes a `level`: one of {}",
                Level::NAMES.join(", ")
            );
            return refuse(id, ErrorCode::InvalidParams, &text, engine.world());
        };
        self.speaker.wants_level(level);
        engine.set_level(level);
        say(engine.world(), |out| jsonrpc::empty_result(out, id));
    }

    pub(super) const fn new_call(&mut self) -> CallId {
        let id = self.next_call;
        self.next_call = CallId(id.0 + 1);
        id
    }

    fn notification<W: World>(
        &mut self,
        line: &[u8],
        notification: &Notification<'_>,
        engine: &mut Engine<W>,
    ) {
        match notification.method.as_ref() {
            method::CANCELLED => self.cancel(line, notification, engine),
            method::PROGRESS => self.question_progresses(line, notification, engine),
            // Each server has its own.
            method::INITIALIZED => {}
            _ => engine.tell_everybody(line),
        }
    }

    fn cancel<W: World>(
        &mut self,
        line: &[u8],
        notification: &Notification<'_>,
        engine: &mut Engine<W>,
    ) {
        let id = notification
            .params
            .and_then(|params| params.request_id().ok().flatten());
        let Some((id, client_id)) = id.and_then(|id| Some((id, RequestId::from_json(id.text())?)))
        else {
            return;
        };
        let first = (client_id.clone(), CallId(0));
        let last = (client_id.clone(), CallId(u64::MAX));
        let latest = self.by_client_id.range(first..=last).next_back();
        if let Some(call) = latest.map(|(_, call)| *call) {
            if let Some(server) = self.calls.get(&call).map(|pending| pending.server) {
                engine.cancel(server, call, Cancelled::new(line, id), self);
            }
        } else if !self.waiting.give_up(&client_id) {
            self.stop_listening(&client_id, engine);
            self.give_up_exchange(&client_id, engine.world());
        }
    }

    fn response<W: World>(&mut self, line: &[u8], response: &Response<'_>, engine: &mut Engine<W>) {
        let Some(id) = response.id else {
            return;
        };
        match self.questions.answered(id.raw()) {
            Some(Purpose::Server {
                server, question, ..
            }) => {
                let told = self.line_told_back(server, line, response);
                let (line, (start, end)) = match &told {
                    Some((told, at)) => (told.as_slice(), *at),
                    None => (line, (id.raw().span().start, id.raw().span().end)),
                };
                let answer = Answer::Line(line, (start, end));
                engine.answered(server, question, answer, self);
            }
            Some(Purpose::Exchange { exchange, key }) => {
                self.exchange_answered(exchange, &key, &response.outcome, engine);
            }
            // Nobody has asked, or nobody wants to know any more.
            None => {}
        }
    }

    /// What has to happen once a turn, when everything has been taken in: requests and lists that
    /// need not wait any longer are passed on and answered, changes are told, calls are repeated.
    pub fn settle<W: World>(&mut self, ending: Ending, engine: &mut Engine<W>) {
        let gone = self.catalogue.forget_missed(self.now);
        self.notices.changed(&gone);
        self.settle_waiting(ending, engine);
        self.settle_exchanges(ending, engine);
        self.settle_notices(ending, engine.world());
    }

    /// Answers every call that still waits: nobody stays to wait with it.
    pub fn give_up_waiting<W: World>(&mut self, engine: &mut Engine<W>) {
        let pending: Vec<(CallId, ServerId)> = self
            .calls
            .iter()
            .map(|(call, pending)| (*call, pending.server))
            .collect();
        for (call, server_id) in pending {
            let server = engine.name(server_id).to_owned();
            let view = engine.downstream(server_id).view().clone();
            let ended = Ended {
                call,
                server: &server,
                server_id,
                leaf: view.state,
                view: &view,
                verdict: &Verdict::TransportLost { status: None },
                executed: Executed::Maybe,
                reply: None,
                request: None,
                last_words: "",
            };
            self.completed(&ended, engine.world());
        }
    }
}

/// Whether the gateway goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It does.
    No,
    /// Nothing is waited for any more.
    Yes,
}

pub(super) fn say(world: &mut impl World, write: impl FnOnce(&mut Vec<u8>)) {
    let out = world.client(None);
    write(out);
    out.push(b'\n');
}

pub(super) fn refuse(id: &RequestId, code: ErrorCode, text: &str, world: &mut impl World) {
    say(world, |out| {
        jsonrpc::error(out, id, code, text, jsonrpc::NONE);
    });
}
