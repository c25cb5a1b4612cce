//! What the client asks of the engine: calls, answers to questions, and what every server is to
//! know of it.

use super::call::Call;
use super::front::{Cancelled, Front};
use super::questions::Answer;
use super::session::Speech;
use super::turn::{About, Changes, Server, server_id};
use super::{Engine, ServerId, World};
use crate::protocol::introduction::Introduction;
use crate::protocol::level::Level;
use rea_fsm::{Asks, CallId, Era, EventKind, Generation, Pipe, Protocol, QuestionId};
use std::rc::Rc;

/// Whether a call that was given back goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resumed {
    /// It does.
    Yes,
    /// It was resumed before, or is not held any more.
    No,
}

/// Whether a server knows sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sessions {
    /// It does.
    Some,
    /// Each request speaks for itself.
    None,
    /// It has not been there yet.
    NotKnown,
}

impl<W: World> Engine<W> {
    /// Passes a call on to a server's machine.
    pub fn submit(&mut self, server: ServerId, mut call: Call, front: &mut impl Front) {
        let id = call.id;
        call.taken_at = self.now;
        let kind = EventKind::Submit {
            call: id,
            class: call.class,
            timeout_ms: call.timeout_ms,
            bytes: call.line.len() as u64,
            asks: match call.carrier() {
                Some(_) => Asks::InAnswers,
                None => Asks::Directly,
            },
        };
        self.changed(Changes::Numbers);
        let label = call.label.clone();
        self.calls.insert(id, call);
        let about = About {
            label: Some(&label),
            ..About::default()
        };
        self.apply(server, kind, about, front);
    }

    /// Takes note of who the client is; servers that start from now on are told.
    pub fn introduce(&mut self, client: Rc<Introduction>) {
        self.introduction = client;
        for server in &mut self.servers {
            server.session.introduce(&self.introduction);
        }
    }

    /// The client answers a question that it was asked by itself.
    pub fn answered(
        &mut self,
        server: ServerId,
        question: QuestionId,
        answer: Answer<'_>,
        front: &mut impl Front,
    ) {
        let about = About {
            answers: &[(question, answer)],
            ..About::default()
        };
        self.apply(server, EventKind::Answered { question }, about, front);
    }

    /// The client has repeated a call that was given back to it. Whether it was resumed.
    pub fn resume(
        &mut self,
        server: ServerId,
        call: CallId,
        round: u32,
        answers: &[(QuestionId, Answer<'_>)],
        front: &mut impl Front,
    ) -> Resumed {
        let kind = EventKind::Resume {
            call,
            round,
            answers: answers.iter().map(|(question, _)| *question).collect(),
        };
        let about = About {
            answers,
            ..About::default()
        };
        match self.apply(server, kind, about, front) {
            None => Resumed::Yes,
            Some(_) => Resumed::No,
        }
    }

    /// How loud every server is to be.
    pub fn set_level(&mut self, level: Level) {
        for index in 0..self.servers.len() {
            let line = self.servers[index].session.set_level(level);
            self.say(server_id(index), line);
        }
    }

    /// The client watches a resource of this server.
    pub fn watch(&mut self, server: ServerId, uri: &str) {
        let line = self.servers[server.index()].session.watch(uri, self.now);
        self.say(server, line);
    }

    /// The client watches it no more.
    pub fn unwatch(&mut self, server: ServerId, uri: &str) {
        let line = self.servers[server.index()].session.unwatch(uri);
        self.say(server, line);
    }

    /// Passes a notification of the client's on to every server that has a session.
    pub fn tell_everybody(&mut self, line: &[u8]) {
        for index in 0..self.servers.len() {
            if self.servers[index].session.speech() == Speech::Legacy {
                self.say(server_id(index), Some(line.to_vec()));
            }
        }
    }

    /// Passes a notification of the client's on to one life of one server.
    pub fn tell(&mut self, server: ServerId, generation: Generation, line: &[u8]) {
        let Server { downstream, .. } = &self.servers[server.index()];
        if downstream.conn().generation() == Some(generation) {
            self.say(server, Some(line.to_vec()));
        }
    }

    /// Writes to the current process, if it can be written to.
    pub(super) fn say(&mut self, server: ServerId, line: Option<Vec<u8>>) {
        let conn = self.servers[server.index()].downstream.conn();
        if let (Some(line), Some(generation), Pipe::Open) = (line, conn.generation(), conn.input())
        {
            self.world.write(server, generation, &line, None);
        }
    }

    /// Whether a server knows sessions. Where it has to be found out, what its last process said
    /// counts until the next one says otherwise.
    pub fn sessions(&self, server: ServerId) -> Sessions {
        let conn = self.downstream(server).conn();
        match (conn.tuning().protocol, conn.era()) {
            (Protocol::Modern, _) => Sessions::None,
            (Protocol::Legacy, _) | (Protocol::Auto, Era::DiedProbed) => Sessions::Some,
            (Protocol::Auto, Era::Unknown) => Sessions::NotKnown,
            (Protocol::Auto, Era::Known(version)) if version.is_modern() => Sessions::None,
            (Protocol::Auto, Era::Known(_)) => Sessions::Some,
        }
    }

    /// The client has given a call up, in these words.
    pub fn cancel(
        &mut self,
        server: ServerId,
        call: CallId,
        words: Cancelled<'_>,
        front: &mut impl Front,
    ) {
        let about = About {
            cancelled: Some((call, words)),
            ..About::default()
        };
        self.apply(server, EventKind::Cancel { call }, about, front);
    }
}
