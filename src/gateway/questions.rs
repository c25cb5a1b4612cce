//! What the client is asked: by a server, or on behalf of a call that a server has answered with a
//! question.
//!
//! Every question has an id of the gateway's own, so that those of two servers never collide. The
//! same number is the token under which the client reports how far it is with it.

use super::client::{Client, say};
use super::tasks;
use crate::engine::{Asked, Engine, ServerId, World};
use crate::protocol::client_side;
use crate::wire::envelope::{self, Message, Notification};
use crate::wire::raw::Raw;
use crate::wire::request_id::RequestId;
use crate::wire::splice::{Edit, splice};
use rea_fsm::{Generation, QuestionId};
use std::collections::BTreeMap;

/// What an answer is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A server has asked.
    Server {
        server: ServerId,
        generation: Generation,
        question: QuestionId,
        /// The token under which the server wants to hear how far the client is.
        token: Option<RequestId>,
    },
    /// A call is to be repeated with the answer.
    Exchange { exchange: u64, key: String },
}

/// The questions that the client has got.
#[derive(Debug, Default)]
pub(super) struct Questions {
    open: BTreeMap<u64, Purpose>,
    last: u64,
}

impl Questions {
    /// Takes a question in, and says under which id the client gets it.
    pub(super) fn put(&mut self, purpose: Purpose) -> u64 {
        self.last += 1;
        self.open.insert(self.last, purpose);
        self.last
    }

    /// What an answer is for. It is for nothing a second time.
    pub(super) fn answered(&mut self, id: Raw<'_>) -> Option<Purpose> {
        self.open.remove(&number(id)?)
    }

    /// The server does not want to know any more; under which id the client has it.
    pub(super) fn withdrawn(&mut self, server: ServerId, question: QuestionId) -> Option<u64> {
        let is_it = |purpose: &Purpose| match purpose {
            Purpose::Server {
                server: asks,
                question: asked,
                ..
            } => *asks == server && *asked == question,
            Purpose::Exchange { .. } => false,
        };
        let (id, _) = self.open.iter().find(|(_, purpose)| is_it(purpose))?;
        let id = *id;
        self.open.remove(&id);
        Some(id)
    }

    /// Nobody waits for the rest of an exchange; under which ids the client has it.
    pub(super) fn given_up(&mut self, exchange: u64) -> Vec<u64> {
        let is_it = |purpose: &Purpose| match purpose {
            Purpose::Server { .. } => false,
            Purpose::Exchange { exchange: of, .. } => *of == exchange,
        };
        let ids = self.open.iter().filter(|(_, purpose)| is_it(purpose));
        let ids: Vec<u64> = ids.map(|(id, _)| *id).collect();
        for id in &ids {
            self.open.remove(id);
        }
        ids
    }

    fn get(&self, id: Raw<'_>) -> Option<&Purpose> {
        self.open.get(&number(id)?)
    }
}

/// An id of ours comes back as it was written, or was never ours.
fn number(id: Raw<'_>) -> Option<u64> {
    let digits = id.text();
    let is_ours = digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|_| is_ours)
}

impl Client {
    /// A server asks.
    pub(super) fn ask_client(&mut self, asked: &Asked<'_>, world: &mut impl World) {
        let line = &asked.question.line;
        let Ok(Message::Request(request)) = envelope::parse(line) else {
            return;
        };
        let token = request
            .params
            .and_then(|params| params.wanted_progress_token().ok().flatten());
        let id = self.questions.put(Purpose::Server {
            server: asked.server_id,
            generation: asked.generation,
            question: asked.question_id,
            token: token.and_then(|token| RequestId::from_json(token.text())),
        });
        let text = id.to_string();
        let related = self.related(asked.server_id, line);
        let mut edits = tasks::edits(&related);
        edits.push(Edit::replace(request.id.raw(), text.as_bytes()));
        if let Some(token) = token {
            edits.push(Edit::replace(token, text.as_bytes()));
        }
        super::notices::pass(asked.server_id, line, &mut edits, world);
    }

    /// The client says how far it is with a question: to the server that has asked.
    pub(super) fn question_progresses<W: World>(
        &self,
        line: &[u8],
        notification: &Notification<'_>,
        engine: &mut Engine<W>,
    ) {
        let token = notification
            .params
            .and_then(|params| params.progress_token().ok().flatten());
        let Some((
            at,
            Purpose::Server {
                server,
                generation,
                token: Some(token),
                ..
            },
        )) = token.and_then(|at| Some((at, self.questions.get(at)?)))
        else {
            return;
        };
        let mut out = Vec::new();
        let mut edits = [Edit::replace(at, token.as_str().as_bytes())];
        if splice(line, &mut edits, &mut out).is_ok() {
            engine.tell(*server, *generation, &out);
        }
    }

    /// Tells the client that these questions need no answer.
    pub(super) fn take_back(ids: &[u64], world: &mut impl World) {
        for id in ids {
            say(world, |out| client_side::cancelled(out, *id));
        }
    }
}
