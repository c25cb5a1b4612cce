//! Effects, executed: each is turned into staged acts. Nothing is decided here.

use super::call::Call;
use super::front::{Asked, Catalogue, Ended, Front, Offered, Reply};
use super::turn::{About, Changes, Server};
use super::{Engine, ServerId, World, session};
use crate::protocol::version;
use crate::publish::events;
use rea_fsm::{
    CallId, Effect, EventKind, Executed, Generation, LogEvent, QuestionId, ReplyKind, Report,
    TimerKey, Unasked, Verdict,
};
use tracing::debug;

/// All answers that wait for their clients together have no more bytes than this.
const KEPT_BYTES_MAX: usize = 64 << 20;

impl<W: World> Engine<W> {
    pub(super) fn execute(
        &mut self,
        id: ServerId,
        effect: Effect,
        about: About<'_>,
        front: &mut impl Front,
    ) {
        let server = &mut self.servers[id.index()];
        let (session, world) = (&mut server.session, &mut self.world);
        match effect {
            Effect::AcquireSlot { ticket } => self.slots.acquire(id, ticket),
            Effect::ReleaseSlot { ticket } => self.slots.release(id, ticket),
            Effect::Spawn { generation } => {
                session.begin(generation);
                world.spawn(id, generation);
            }
            Effect::WriteProbe { generation } => {
                world.write(id, generation, &session.probe(), None);
            }
            Effect::WriteInit { generation } => {
                world.write(id, generation, &session.initialize(), None);
            }
            Effect::WriteInitialized { generation } => {
                for line in session.initialized() {
                    world.write(id, generation, &line, None);
                }
            }
            Effect::WriteList { generation } => {
                for line in session.list(self.now) {
                    world.write(id, generation, &line, None);
                }
            }
            Effect::Ping { generation } => world.write(id, generation, &session.ping(), None),
            Effect::Send { generation, call } => self.send(id, generation, call),
            Effect::SendCancel { generation, call } => {
                let words = about.cancelled.filter(|(given_up, _)| *given_up == call);
                let line = session::cancel(call, words.map(|(_, words)| words));
                world.write(id, generation, &line, None);
            }
            Effect::CloseStdin { generation } => world.close_stdin(id, generation),
            Effect::SignalGroup { generation, signal } => {
                world.signal_group(id, generation, signal);
            }
            Effect::Arm { key, due } => self.timers.arm(id, key, due),
            Effect::Disarm { key } => self.timers.disarm(id, key),
            Effect::Complete {
                call,
                verdict,
                executed,
            } => self.complete(id, call, &verdict, executed, about, front),
            Effect::Keep { call } => self.keep(call, about),
            Effect::Ask { question } => {
                if let (Some(asked), Some(generation)) =
                    (session.questions.get(question), session.generation)
                {
                    let asked = Asked {
                        server_id: id,
                        generation,
                        question_id: question,
                        question: asked,
                    };
                    front.asked(&asked, world);
                }
            }
            Effect::Withdraw { question } => {
                session.questions.take(question);
                let words = about
                    .withdrawn
                    .filter(|(withdrawn, _)| *withdrawn == question);
                front.withdrawn(id, question, words.map(|(_, words)| words), world);
            }
            Effect::Answer {
                generation,
                question,
            } => self.answer(id, generation, question, about),
            Effect::RefuseQuestion {
                generation,
                question,
                why,
            } => self.refuse_question(id, generation, question, why),
            Effect::Offer {
                call,
                round,
                questions,
            } => self.offer(id, call, round, questions, front),
            Effect::CatalogueChanged { .. } => {
                let catalogue = Catalogue {
                    version: server.downstream.conn().era().version(),
                    offer: session.offer(),
                    lists: session.lists(),
                };
                front.catalogue_changed(id, catalogue, world);
            }
            Effect::Publish => {
                let (leaf, name) = (server.downstream.leaf(), &server.name);
                debug!(event = "downstream.health_changed", server_name = name, state = %leaf);
                front.state_changed(id, leaf, world);
                self.changed(Changes::Visible);
            }
            Effect::Log(event) => {
                if let LogEvent::RespawnRefusedFlap { .. } = event {
                    server.locks += 1;
                }
                let version = server.downstream.conn().era().version();
                events::log(&server.name, &event, version.map(version::name));
            }
        }
    }

    fn send(&mut self, id: ServerId, generation: Generation, call: CallId) {
        let session = &mut self.servers[id.index()].session;
        let Some(held) = self.calls.get_mut(&call) else {
            return;
        };
        session.sent(held);
        if let Some(lines) = session.watches_by_itself(&held.watch, self.now) {
            held.keep(Some(Reply::Done), 0);
            let reply = ReplyKind::Ok { is_error: false };
            let report = Report::Reply {
                call,
                reply,
                bytes: 0,
            };
            self.inner
                .push_back((id, EventKind::Child { generation, report }));
            for line in lines {
                self.world.write(id, generation, &line, None);
            }
            return;
        }
        if let Some(line) = session.be_loud_for(held) {
            self.world.write(id, generation, &line, None);
        }
        let spoken = session.as_spoken(&held.line, held.asks());
        let line = spoken.as_ref().unwrap_or(&held.line);
        self.world.write(id, generation, line, Some(call));
    }

    fn complete(
        &mut self,
        id: ServerId,
        call: CallId,
        verdict: &Verdict,
        executed: Executed,
        about: About<'_>,
        front: &mut impl Front,
    ) {
        let Server {
            name,
            downstream,
            session,
            last_words,
            ..
        } = &mut self.servers[id.index()];
        self.timers.disarm(id, TimerKey::Call(call));
        let held = self.calls.remove(&call);
        if let Some(generation) = downstream.conn().generation() {
            self.world.settled(id, generation, call);
        }
        let ended = Ended {
            call,
            server: name,
            server_id: id,
            leaf: downstream.leaf(),
            view: downstream.view(),
            verdict,
            executed,
            reply: about.reply.or(held.as_ref().and_then(Call::kept)),
            request: held.as_ref(),
            last_words,
        };
        let goes_on = front.completed(&ended, &mut self.world);
        let taken_at = held.as_ref().map_or(self.now, |held| held.taken_at);
        let took_ms = self.now.since(taken_at);
        self.world.call_ended(id, verdict, took_ms);
        if let Some(held) = &held {
            session.settled(held, verdict, goes_on);
            self.kept_bytes -= held.kept_bytes();
        }
        self.changed(Changes::Numbers);
    }

    fn keep(&mut self, call: CallId, about: About<'_>) {
        if let Some(held) = self.calls.get_mut(&call) {
            held.keep(about.reply, KEPT_BYTES_MAX.saturating_sub(self.kept_bytes));
            self.kept_bytes += held.kept_bytes();
        }
    }

    fn answer(
        &mut self,
        id: ServerId,
        generation: Generation,
        question: QuestionId,
        about: About<'_>,
    ) {
        let questions = &mut self.servers[id.index()].session.questions;
        let mut answers = about.answers.iter();
        let answer = answers.find(|(answered, _)| *answered == question);
        if let (Some(asked), Some((_, answer))) = (questions.take(question), answer) {
            let line = asked.answered(*answer);
            self.world.write(id, generation, &line, None);
        }
    }

    fn refuse_question(
        &mut self,
        id: ServerId,
        generation: Generation,
        question: QuestionId,
        why: Unasked,
    ) {
        let questions = &mut self.servers[id.index()].session.questions;
        if let Some(asked) = questions.take(question) {
            let line = session::unanswered(asked.own_id(), why);
            self.world.write(id, generation, &line, None);
        }
    }

    fn offer(
        &mut self,
        id: ServerId,
        call: CallId,
        round: u32,
        questions: Vec<QuestionId>,
        front: &mut impl Front,
    ) {
        let Server {
            downstream,
            session,
            ..
        } = &self.servers[id.index()];
        let held = downstream.questions().held_call(call);
        let questions = questions
            .into_iter()
            .filter_map(|question| Some((question, session.questions.get(question)?)))
            .collect();
        let offered = Offered {
            server_id: id,
            call,
            round,
            due: held.map_or(self.now, |held| held.due),
            questions,
        };
        front.offered(&offered, &mut self.world);
    }
}
