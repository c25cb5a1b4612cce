//! What a server asks its client: sampling, elicitation, roots.
//!
//! A client with a session can be asked at any time. A client without one can be asked only in the
//! answer to a call of its own: that call is then *held* — still in flight at the server, but
//! answered for the client, which repeats it together with what it was asked for.
//!
//! ```text
//!  asked ──▶ WithClient ──────────────── the client answers ───────▶ answered
//!    │
//!    └─────▶ Waiting ── gathered, and a call is free ──▶ Offered{call}   (a call is held once at a time)
//!               ▲──── the call is repeated without ──────────┤
//!                     the call is repeated with the answer ──┴───▶ answered
//! ```
//!
//! Which call has caused a question can't be known, and makes no difference where there are
//! several: the answer goes to the question. But none that was sent later has caused it.
//!
//! Invariants: a question is answered or refused at most once, and to the generation that asked;
//! a held call is completed exactly once; each open question and each held call has an armed timer.
//!
//! Absent on purpose: what is asked and answered. Effects name questions, the interpreter holds
//! their bytes.

mod follow;
mod offers;

use crate::conn::{Conn, Pipe};
use crate::decision::Ignored;
use crate::effect::{Effect, Executed, Unasked, Verdict};
use crate::event::Asks;
use crate::id::{CallId, Millis, QuestionId, TimerKey};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// Where an open question is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionPlace {
    /// The client has it.
    WithClient,
    /// It waits for a call in whose answer it can be put.
    Waiting,
    /// The client has it, in the answer to this call.
    Offered {
        /// Which call is held for it.
        call: CallId,
    },
}

/// An open question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Where it is.
    pub place: QuestionPlace,
    /// When it is refused for want of an answer.
    pub due: Millis,
    /// The newest of the calls that can have caused it; of a question that is put in an answer.
    pub newest_cause: Option<CallId>,
}

/// A call whose client has got a question instead of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// How often the call has been given back with questions, this time included. Whoever resumes
    /// it names this number, so that nothing is resumed twice.
    pub round: u32,
    /// When it is given up if nobody resumes it.
    pub due: Millis,
    /// What became of it meanwhile, if it has ended.
    pub outcome: Option<Outcome>,
}

/// How a held call has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// How.
    pub verdict: Verdict,
    /// Whether it ran.
    pub executed: Executed,
}

/// Every open question of one server, and the calls that are held for them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Questions {
    open: BTreeMap<QuestionId, Question>,
    last: Option<QuestionId>,
    /// Calls in whose answers the client can be asked, and how often each was held.
    carriers: BTreeMap<CallId, u32>,
    held: BTreeMap<CallId, Held>,
    /// Until when further questions are waited for, before those that wait are put in an answer.
    gathering_until: Option<Millis>,
}

impl Questions {
    /// The open questions.
    pub fn open(&self) -> impl Iterator<Item = (QuestionId, &Question)> + '_ {
        self.open.iter().map(|(id, question)| (*id, question))
    }

    /// An open question.
    pub fn get(&self, question: QuestionId) -> Option<&Question> {
        self.open.get(&question)
    }

    /// The calls that are held.
    pub fn held(&self) -> impl Iterator<Item = (CallId, &Held)> + '_ {
        self.held.iter().map(|(id, held)| (*id, held))
    }

    /// A held call.
    pub fn held_call(&self, call: CallId) -> Option<&Held> {
        self.held.get(&call)
    }

    /// The calls in whose answers the client can be asked.
    pub fn carriers(&self) -> impl Iterator<Item = CallId> + '_ {
        self.carriers.keys().copied()
    }

    /// Whether nothing was ever asked and nothing can be: what a digest leaves out.
    pub(crate) fn is_untouched(&self) -> bool {
        *self == Self::default()
    }

    /// When the last open question is due.
    pub(crate) fn open_until(&self, now: Millis) -> Option<Millis> {
        let due = self.open.values().map(|question| question.due);
        due.filter(|due| *due > now).max()
    }

    pub(crate) fn due(&self, key: TimerKey) -> Option<Millis> {
        match key {
            TimerKey::Question(question) => self.open.get(&question).map(|question| question.due),
            TimerKey::Held(call) => self.held.get(&call).map(|held| held.due),
            TimerKey::Gather => self.gathering_until,
            TimerKey::Handshake
            | TimerKey::Probe
            | TimerKey::Backoff
            | TimerKey::Lock
            | TimerKey::Pong
            | TimerKey::Heartbeat
            | TimerKey::Stable
            | TimerKey::Teardown
            | TimerKey::Drain
            | TimerKey::List
            | TimerKey::Breaker
            | TimerKey::Unready
            | TimerKey::Rearm
            | TimerKey::Call(_) => None,
        }
    }

    pub(crate) fn armed(&self) -> impl Iterator<Item = (TimerKey, Millis)> + '_ {
        let open = self.open.iter();
        let held = self.held.iter();
        let gathering = self.gathering_until.into_iter();
        open.map(|(id, question)| (TimerKey::Question(*id), question.due))
            .chain(held.map(|(id, held)| (TimerKey::Held(*id), held.due)))
            .chain(gathering.map(|due| (TimerKey::Gather, due)))
    }

    /// A call was taken in whose client can be asked in its answer.
    pub(crate) fn carry(&mut self, call: CallId) {
        self.carriers.insert(call, 0);
    }

    /// Whether no question with this or a larger number was put before.
    pub(crate) fn is_new(&self, question: QuestionId) -> bool {
        self.last.is_none_or(|last| question > last)
    }

    /// The server asks something new. Proof of life is the connection's affair.
    pub(crate) fn asked(
        &mut self,
        question: QuestionId,
        asks: Asks,
        at: Millis,
        conn: &Conn,
        effects: &mut Vec<Effect>,
    ) {
        self.last = Some(question);
        let tuning = conn.tuning();
        if self.open.len() >= tuning.questions_max as usize {
            return Self::refuse(question, Unasked::TooMany, conn, effects);
        }
        let (place, newest_cause) = match asks {
            Asks::Directly => (QuestionPlace::WithClient, None),
            Asks::InAnswers => match self.newest_at_server(conn) {
                Some(call) => (QuestionPlace::Waiting, Some(call)),
                None => return Self::refuse(question, Unasked::Nobody, conn, effects),
            },
        };
        let due = at.plus(tuning.question_ms);
        let open = Question {
            place,
            due,
            newest_cause,
        };
        self.open.insert(question, open);
        let key = TimerKey::Question(question);
        effects.push(Effect::Arm { key, due });
        match asks {
            Asks::Directly => effects.push(Effect::Ask { question }),
            Asks::InAnswers => self.gather(at, tuning.gather_ms, effects),
        }
    }

    /// The client has answered a question that it was asked by itself.
    pub(crate) fn answered(
        &mut self,
        question: QuestionId,
        conn: &Conn,
        effects: &mut Vec<Effect>,
    ) -> Option<Ignored> {
        match self.open.get(&question).map(|question| question.place) {
            Some(QuestionPlace::WithClient) => {
                self.answer(question, conn, effects);
                None
            }
            Some(QuestionPlace::Waiting | QuestionPlace::Offered { .. }) | None => {
                Some(Ignored::UnknownQuestion)
            }
        }
    }

    fn answer(&mut self, question: QuestionId, conn: &Conn, effects: &mut Vec<Effect>) {
        if self.close(question, effects).is_some()
            && let Some(generation) = conn.generation()
        {
            effects.push(Effect::Answer {
                generation,
                question,
            });
        }
    }

    fn close(&mut self, question: QuestionId, effects: &mut Vec<Effect>) -> Option<Question> {
        let closed = self.open.remove(&question)?;
        let key = TimerKey::Question(question);
        effects.push(Effect::Disarm { key });
        Some(closed)
    }

    fn refuse(question: QuestionId, why: Unasked, conn: &Conn, effects: &mut Vec<Effect>) {
        if let (Some(generation), Pipe::Open) = (conn.generation(), conn.input()) {
            effects.push(Effect::RefuseQuestion {
                generation,
                question,
                why,
            });
        }
    }

    /// A call that was given back is there again, with answers to these questions.
    pub(crate) fn resumed(
        &mut self,
        call: CallId,
        round: u32,
        answers: &[QuestionId],
        at: Millis,
        conn: &Conn,
        effects: &mut Vec<Effect>,
    ) -> Option<Ignored> {
        if self.held.get(&call).is_none_or(|held| held.round != round) {
            return Some(Ignored::NotHeld);
        }
        let held = self.held.remove(&call)?;
        let key = TimerKey::Held(call);
        effects.push(Effect::Disarm { key });
        for question in self.offered(call) {
            if answers.contains(&question) {
                self.answer(question, conn, effects);
            } else if let Some(open) = self.open.get_mut(&question) {
                open.place = QuestionPlace::Waiting;
            }
        }
        let again = self
            .waiting()
            .any(|question| question.can_be_caused_by(call));
        match held.outcome {
            Some(outcome) => self.complete(call, outcome, effects),
            None if again => self.offer(call, at, conn, effects),
            None => {}
        }
        None
    }

    fn offered(&self, call: CallId) -> Vec<QuestionId> {
        let place = QuestionPlace::Offered { call };
        let offered = self.open.iter().filter(|(_, open)| open.place == place);
        offered.map(|(id, _)| *id).collect()
    }

    fn complete(&mut self, call: CallId, outcome: Outcome, effects: &mut Vec<Effect>) {
        self.carriers.remove(&call);
        effects.push(Effect::Complete {
            call,
            verdict: outcome.verdict,
            executed: outcome.executed,
        });
    }

    /// The server does not want to know any more.
    pub(crate) fn withdrawn(&mut self, question: QuestionId, effects: &mut Vec<Effect>) {
        if let Some(closed) = self.close(question, effects) {
            Self::take_back(question, closed, effects);
        }
    }

    fn take_back(question: QuestionId, closed: Question, effects: &mut Vec<Effect>) {
        match closed.place {
            QuestionPlace::WithClient => effects.push(Effect::Withdraw { question }),
            // A client that has it in an answer hears of it when it repeats the call.
            QuestionPlace::Waiting | QuestionPlace::Offered { .. } => {}
        }
    }

    /// Nobody has answered in time.
    pub(crate) fn question_due(
        &mut self,
        question: QuestionId,
        conn: &Conn,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(closed) = self.open.remove(&question) {
            Self::refuse(question, Unasked::Unanswered, conn, effects);
            Self::take_back(question, closed, effects);
        }
    }

    /// Nobody has repeated a held call in time. What it came to is told to nobody; if it is still
    /// at the server, it has to be given up there: the caller cancels it.
    pub(crate) fn held_due(&mut self, call: CallId, conn: &Conn, effects: &mut Vec<Effect>) {
        let Some(held) = self.held.remove(&call) else {
            return;
        };
        for question in self.offered(call) {
            self.close(question, effects);
            Self::refuse(question, Unasked::Unanswered, conn, effects);
        }
        if let Some(outcome) = held.outcome {
            self.complete(call, outcome, effects);
        }
    }
}
