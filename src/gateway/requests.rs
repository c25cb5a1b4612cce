//! Requests of the client that a server answers, on their way there.

use super::answers::AnswerForm;
use super::catalogue::Latecomers;
use super::client::{Client, Pending, TextFilter, refuse, say};
use super::health::Own;
use super::routes::{Astray, NoRoute, Route};
use super::speaker::{Sender, Speaker};
use super::tasks::Outcome;
use super::waiting::NotYet;
use crate::engine::{Admission, Call, Carries, Engine, Label, ServerId, Sessions, World};
use crate::journal::{NotLogged, Note};
use crate::protocol::downstream_id::DownstreamId;
use crate::protocol::failure::{self, Failure};
use crate::protocol::method;
use crate::protocol::relay::request_to_server;
use crate::protocol::request_state::RequestDigest;
use crate::wire::envelope::Request;
use crate::wire::jsonrpc::ErrorCode;
use crate::wire::request_id::RequestId;
use rea_fsm::{Asks, CallId, Executed, Leaf};

impl Client {
    /// Passes a request on to the server that it is for, or refuses it.
    pub(super) fn relay<W: World>(
        &mut self,
        line: &[u8],
        request: &Request<'_>,
        sender: &Sender,
        latecomers: Latecomers,
        engine: &mut Engine<W>,
    ) -> Result<(), NotYet> {
        let routed = self.route(request, latecomers, engine);
        let routed = routed.and_then(|route| {
            let state = match sender.asks() {
                Asks::Directly => None,
                Asks::InAnswers => self.brings_state(request, route.server, latecomers, engine)?,
            };
            Ok((route, state))
        });
        match routed {
            Ok((route, state)) => self.relay_to(route, state, line, request, sender, engine),
            Err(NoRoute::NotYet) => return Err(NotYet),
            Err(NoRoute::Astray(astray)) => {
                self.astray(line, request, sender.asks(), &astray, engine);
            }
        }
        Ok(())
    }

    fn relay_to<W: World>(
        &mut self,
        route: Route<'_>,
        state: Option<String>,
        line: &[u8],
        request: &Request<'_>,
        sender: &Sender,
        engine: &mut Engine<W>,
    ) {
        let asks = sender.asks();
        let client_id = request.id.to_owned();
        let digest = (asks == Asks::InAnswers).then(|| {
            let arguments = request
                .params
                .and_then(|params| params.raw().member("arguments"));
            RequestDigest::of(&request.method, &route.name, arguments)
        });
        if let (Some(digest), Some(state)) = (digest, state) {
            return self.resume(request, route.server, &state, digest, engine);
        }
        let token = match request.params.map(|params| params.wanted_progress_token()) {
            Some(Ok(token)) => token.and_then(|token| RequestId::from_json(token.text())),
            Some(Err(error)) => {
                let text = error.to_string();
                return refuse(&client_id, ErrorCode::InvalidParams, &text, engine.world());
            }
            None => None,
        };
        let id = self.new_call();
        if let Some(denial) = denial(&request.method, &self.redact, engine) {
            return deny(&client_id, id, &route, asks, &denial, engine);
        }
        let mut relayed = Vec::new();
        let wire_id = DownstreamId::Call(id);
        let replaced = route.replaced.as_ref();
        let replaced = replaced.map(|(raw, with)| (*raw, with.as_str()));
        if let Err(error) = request_to_server(&mut relayed, line, request, replaced, wire_id) {
            let text = error.to_string();
            return refuse(&client_id, ErrorCode::InvalidParams, &text, engine.world());
        }
        self.payloads.redact_arguments(&mut relayed);
        self.by_client_id.insert((client_id.clone(), id));
        let level = match asks {
            Asks::Directly => None,
            Asks::InAnswers => Speaker::level_of(request),
        };
        let pending = Pending {
            client_id: Some(client_id),
            server: route.server,
            form: route.form,
            asks,
            class: route.class,
            timeout_ms: route.timeout_ms,
            label: route.label.clone(),
            server_token: token.clone(),
            client_token: token.clone(),
            level,
            digest,
            repeats: 0,
            first_request: None,
            outcome: if request.params.is_some_and(|params| params.wants_task()) {
                Outcome::Task
            } else {
                route.outcome
            },
        };
        self.calls.insert(id, pending);
        let mut call = Call::new(
            id,
            route.class,
            route.timeout_ms,
            sender.introduction().cloned(),
            route.label,
            relayed,
        );
        call.progress_token = token;
        call.watch = route.watch;
        call.level = level;
        if method::may_be_answered_with_questions(&request.method) {
            call.carries = Carries::Questions;
        }
        engine.submit(route.server, call, self);
    }

    /// A request that is for no server: for the gateway itself, or a mistake.
    fn astray<W: World>(
        &mut self,
        line: &[u8],
        request: &Request<'_>,
        asks: Asks,
        astray: &Astray,
        engine: &mut Engine<W>,
    ) {
        let id = request.id.to_owned();
        let named = match request.params.map(|params| params.name()) {
            Some(Ok(name)) if request.method == method::TOOLS_CALL => name,
            Some(Ok(_) | Err(_)) | None => None,
        };
        let own = named.map_or(Own::No, |name| {
            self.answer_itself(&id, &name.decoded, asks, line.len(), engine)
        });
        match own {
            Own::Answered => {}
            Own::Unknown(text) => refuse(&id, ErrorCode::InvalidParams, &text, engine.world()),
            Own::No => refuse(&id, astray.code, &astray.text, engine.world()),
        }
    }

    /// The state of ours that a request brings back, if it brings one. A server without sessions
    /// has states of its own, which are none of our business.
    fn brings_state<W: World>(
        &self,
        request: &Request<'_>,
        server: ServerId,
        latecomers: Latecomers,
        engine: &Engine<W>,
    ) -> Result<Option<String>, NoRoute> {
        let state = match request.params {
            Some(params) => params.request_state()?,
            None => None,
        };
        let Some(state) = state else {
            return Ok(None);
        };
        if self.sealer.is_claimed(&state.decoded) {
            return Ok(Some(state.decoded.into_owned()));
        }
        match (engine.sessions(server), latecomers) {
            (Sessions::None, _) => Ok(None),
            // Its machine refuses every call for now, and says why.
            (Sessions::NotKnown, _) if !takes_calls(engine.downstream(server).leaf()) => Ok(None),
            (Sessions::NotKnown, Latecomers::Awaited) => Err(NoRoute::NotYet),
            (Sessions::NotKnown, Latecomers::Ignored) => Err(NoRoute::from(Astray {
                code: ErrorCode::Unavailable,
                text: format!(
                    "server \"{}\" is still starting, so that nobody knows yet whether this \
                     `requestState` is one of its own. The call was not executed and is safe to repeat.",
                    engine.name(server)
                ),
            })),
            (Sessions::Some, _) => Err(NoRoute::from(Astray::params(
                "this `requestState` was not given out by this gateway. Send the original request \
                 again without it.",
            ))),
        }
    }
}

/// Whether a server in this state is passed calls, be it later.
const fn takes_calls(leaf: Leaf) -> bool {
    match leaf {
        Leaf::Idle
        | Leaf::Connecting
        | Leaf::Ready
        | Leaf::Suspect
        | Leaf::Backoff
        | Leaf::Reaping => true,
        Leaf::Stuck
        | Leaf::Blocked
        | Leaf::FlapLocked
        | Leaf::Draining
        | Leaf::Terminating
        | Leaf::Closed => false,
    }
}

/// A call that is not passed on, and why.
struct Denial {
    /// A stable word.
    reason: &'static str,
    /// What has happened, and what to do.
    text: String,
}

impl Denial {
    /// A call that can't be written into a log that is required is not executed.
    fn unlogged(not_logged: &NotLogged) -> Self {
        Self {
            reason: "not_logged",
            text: not_logged.to_string(),
        }
    }

    fn halted(reason: &str) -> Self {
        Self {
            reason: "halted",
            text: format!(
                "Kill switch active: {reason}. No call is passed on until somebody lifts it with \
                 `rea unfreeze`"
            ),
        }
    }
}

/// Whether a request makes a server do something new. What only follows up on work that has begun goes
/// on while the gateway is frozen: calls in flight may finish.
fn begins_work(method: &str) -> bool {
    !matches!(
        method,
        method::RESOURCES_SUBSCRIBE
            | method::RESOURCES_UNSUBSCRIBE
            | method::TASKS_GET
            | method::TASKS_RESULT
            | method::TASKS_CANCEL
            | method::TASKS_LIST
            | method::TASKS_UPDATE
    )
}

/// Why a request is not passed on, if it is not.
fn denial<W: World>(method: &str, redact: &TextFilter, engine: &mut Engine<W>) -> Option<Denial> {
    if let Some(not_logged) = engine.not_logged() {
        return Some(Denial::unlogged(not_logged));
    }
    if !begins_work(method) {
        return None;
    }
    halted(redact, engine).map(|reason| Denial::halted(&reason))
}

/// Why the gateway is frozen, without secrets; none if it is not.
pub(super) fn halted<W: World>(redact: &TextFilter, engine: &mut Engine<W>) -> Option<String> {
    match engine.world().admission() {
        Admission::Open => None,
        Admission::Halted { reason } => Some(redact(&reason)),
    }
}

fn deny<W: World>(
    client_id: &RequestId,
    call: CallId,
    route: &Route<'_>,
    asks: Asks,
    denial: &Denial,
    engine: &mut Engine<W>,
) {
    let Denial { reason, text } = denial;
    let text = format!("{text}. The call was not executed and is safe to repeat.");
    let facts = Failure {
        server: engine.name(route.server),
        state: engine.downstream(route.server).leaf().name(),
        reason,
        executed: Executed::No,
        retry_at: None,
    };
    let mut answer = Vec::new();
    match route.form {
        AnswerForm::ToolResult => {
            failure::tool_failure(&mut answer, client_id, &text, &facts, asks);
        }
        AnswerForm::Error | AnswerForm::Cacheable => {
            failure::request_failure(&mut answer, client_id, &text, &facts);
        }
    }
    let tool = match &route.label {
        Label::Tool(label) | Label::Request(label) => label.to_string(),
    };
    let reason = (*reason).to_owned();
    engine.note(&Note::Refused { call, tool, reason });
    say(engine.world(), |out| out.extend_from_slice(&answer));
}
