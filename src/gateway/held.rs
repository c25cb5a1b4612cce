//! A server with sessions asks something in the middle of a call of a client without one.
//!
//! The call stays at the server. Its client gets the questions in place of the answer, with a
//! sealed state; when it repeats the call with the answers and the state, the call goes on under
//! the new id. That a state counts once, and what happens if it never comes, the machine decides.

use super::client::{Client, refuse, say};
use super::tasks;
use crate::engine::{Answer, Engine, Offered, Resumed, ServerId, World};
use crate::protocol::client_side;
use crate::protocol::request_state::{HeldCall, RequestDigest};
use crate::wire::envelope::{self, Message, Request};
use crate::wire::jsonrpc::{self, ErrorCode};
use crate::wire::raw::Raw;
use crate::wire::request_id::RequestId;
use crate::wire::splice::splice;
use rea_fsm::QuestionId;

/// How the keys of our questions begin; the rest is the question's number.
const KEY_PREFIX: &str = "question-";

const HOW_TO_GO_ON: &str = "Send the original request again without `requestState`";

/// Under which key a question is given out.
fn key_of(question: QuestionId) -> String {
    format!("{KEY_PREFIX}{}", question.0)
}

/// The question that was given out under this key.
fn question_of(key: &str) -> Option<QuestionId> {
    let question = QuestionId(key.strip_prefix(KEY_PREFIX)?.parse().ok()?);
    (key_of(question) == key).then_some(question)
}

impl Client {
    /// Gives a call back to its client with questions.
    pub(super) fn give_back(&mut self, offered: &Offered<'_>, world: &mut impl World) {
        let Some(pending) = self.calls.get_mut(&offered.call) else {
            return;
        };
        let (Some(client_id), Some(digest)) = (pending.client_id.take(), pending.digest) else {
            return;
        };
        self.by_client_id.remove(&(client_id.clone(), offered.call));
        let held = HeldCall {
            server: offered.server_id.0,
            call: offered.call,
            round: offered.round,
        };
        let state = self.sealer.seal(held, digest, offered.due);
        let questions = offered.questions.iter().filter_map(|(id, question)| {
            let mut line = Vec::new();
            let related = self.related(offered.server_id, &question.line);
            splice(&question.line, &mut tasks::edits(&related), &mut line).ok()?;
            let Ok(Message::Request(request)) = envelope::parse(&line) else {
                return None;
            };
            let params = request.params.map(|params| params.raw());
            Some((
                key_of(*id),
                question.method.clone(),
                params.map(|raw| raw.text().to_owned()),
            ))
        });
        let questions: Vec<_> = questions.collect();
        say(world, |out| {
            client_side::input_required(out, &client_id, &questions, &state);
        });
    }

    /// The client repeats a call with a state of ours.
    pub(super) fn resume<W: World>(
        &mut self,
        request: &Request<'_>,
        server: ServerId,
        state: &str,
        digest: RequestDigest,
        engine: &mut Engine<W>,
    ) {
        let client_id = request.id.to_owned();
        let held = match self.sealer.open(state, digest, self.now()) {
            Ok(held) => held,
            Err(error) => {
                let text = format!("{error}. {HOW_TO_GO_ON}.");
                return refuse(&client_id, ErrorCode::InvalidParams, &text, engine.world());
            }
        };
        let params = request.params;
        let responses = match params.map(|params| params.input_responses()) {
            Some(Ok(responses)) => responses,
            Some(Err(error)) => {
                let text = error.to_string();
                return refuse(&client_id, ErrorCode::InvalidParams, &text, engine.world());
            }
            None => None,
        };
        let mut answers = Vec::new();
        for (key, value) in responses.into_iter().flat_map(Raw::members) {
            if !value.is_object() {
                let text = format!(
                    "`inputResponses[{}]` has to be an object: the result that was asked for",
                    jsonrpc::quoted(&key)
                );
                return refuse(&client_id, ErrorCode::InvalidParams, &text, engine.world());
            }
            if let Some(question) = question_of(&key) {
                answers.push((question, self.told_back(server, value)));
            }
        }
        let mut answers: Vec<_> = answers
            .iter()
            .map(|(question, answer)| (*question, Answer::Result(answer)))
            .collect();
        answers.sort_by_key(|(question, _)| *question);
        let token = params
            .and_then(|params| params.wanted_progress_token().ok().flatten())
            .and_then(|token| RequestId::from_json(token.text()));
        let call = held.call;
        let waits = self
            .calls
            .get_mut(&call)
            .filter(|pending| pending.client_id.is_none() && pending.server == server);
        // Its client waits from here on: the answer may be there already.
        let resumed = match waits {
            Some(pending) if held.server == server.0 => {
                pending.client_id = Some(client_id.clone());
                pending.client_token = token;
                self.by_client_id.insert((client_id.clone(), call));
                engine.resume(server, call, held.round, &answers, self)
            }
            Some(_) | None => Resumed::No,
        };
        if resumed == Resumed::No {
            if let Some(pending) = self.calls.get_mut(&call)
                && pending.client_id.as_ref() == Some(&client_id)
            {
                pending.client_id = None;
                self.by_client_id.remove(&(client_id.clone(), call));
            }
            let text = format!(
                "this `requestState` was used before, or nobody waits for it any more. {HOW_TO_GO_ON}, \
                 after checking what became of it: the call may have been executed."
            );
            refuse(&client_id, ErrorCode::InvalidParams, &text, engine.world());
        }
    }
}
