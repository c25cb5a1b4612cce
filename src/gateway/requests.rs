//! Requests of the client that a server answers, on their way there.

use super::answers::AnswerForm;
use super::client::{Client, Pending, refuse, say};
use super::routes::{Astray, Route};
use super::speaker::{Sender, Speaker};
use super::tasks::Outcome;
use crate::engine::{Call, Carries, Engine, Label, ServerId, World};
use crate::journal::Note;
use crate::protocol::downstream_id::DownstreamId;
use crate::protocol::failure::{self, Failure};
use crate::protocol::method;
use crate::protocol::relay::request_to_server;
use crate::protocol::request_state::RequestDigest;
use crate::wire::envelope::Request;
use crate::wire::jsonrpc::ErrorCode;
use crate::wire::request_id::RequestId;
use rea_fsm::{Asks, CallId, Executed};

const NOT_LOGGED: &str = "not_logged";

impl Client {
    /// Passes a request on to the server that it is for.
    pub(super) fn relay<W: World>(
        &mut self,
        line: &[u8],
        request: &Request<'_>,
        sender: &Sender,
        engine: &mut Engine<W>,
    ) {
        let asks = sender.asks();
        let client_id = request.id.to_owned();
        let route = match self.route(request, engine) {
            Ok(route) => route,
            Err(astray) => return refuse(&client_id, astray.code, &astray.text, engine.world()),
        };
        let digest = (asks == Asks::InAnswers).then(|| {
            let arguments = request
                .params
                .and_then(|params| params.raw().member("arguments"));
            RequestDigest::of(&request.method, &route.name, arguments)
        });
        if let Some(digest) = digest {
            match self.brings_state(request, route.server, engine) {
                Ok(Some(state)) => {
                    return self.resume(request, route.server, &state, digest, engine);
                }
                Ok(None) => {}
                Err(astray) => {
                    return refuse(&client_id, astray.code, &astray.text, engine.world());
                }
            }
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
        if engine.not_logged().is_some() {
            return refuse_unlogged(&client_id, id, &route, asks, engine);
        }
        let mut relayed = Vec::new();
        let wire_id = DownstreamId::Call(id);
        let replaced = route.replaced.as_ref();
        let replaced = replaced.map(|(raw, with)| (*raw, with.as_str()));
        if let Err(error) = request_to_server(&mut relayed, line, request, replaced, wire_id) {
            let text = error.to_string();
            return refuse(&client_id, ErrorCode::InvalidParams, &text, engine.world());
        }
        self.by_client_id.insert((client_id.clone(), id));
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
            level: match asks {
                Asks::Directly => None,
                Asks::InAnswers => Speaker::level_of(request),
            },
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
        if method::may_be_answered_with_questions(&request.method) {
            call.carries = Carries::Questions;
        }
        engine.submit(route.server, call, self);
    }

    /// The state of ours that a request brings back, if it brings one. A server without sessions
    /// has states of its own, which are none of our business.
    fn brings_state<W: World>(
        &self,
        request: &Request<'_>,
        server: ServerId,
        engine: &Engine<W>,
    ) -> Result<Option<String>, Astray> {
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
        if engine.is_stateless(server) {
            return Ok(None);
        }
        Err(Astray::params(
            "this `requestState` was not given out by this gateway. Send the original request \
             again without it.",
        ))
    }
}

/// A call that can't be written into a log that is required is not executed.
fn refuse_unlogged<W: World>(
    client_id: &RequestId,
    call: CallId,
    route: &Route<'_>,
    asks: Asks,
    engine: &mut Engine<W>,
) {
    let Some(not_logged) = engine.not_logged() else {
        return;
    };
    let text = format!("{not_logged}. The call was not executed and is safe to repeat.");
    let facts = Failure {
        server: engine.name(route.server),
        state: engine.downstream(route.server).leaf().name(),
        reason: NOT_LOGGED,
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
        Label::Tool(label) | Label::Request(label) => label.clone(),
    };
    let reason = NOT_LOGGED.to_owned();
    engine.note(&Note::Refused { call, tool, reason });
    say(engine.world(), |out| out.extend_from_slice(&answer));
}
