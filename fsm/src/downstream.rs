//! One downstream: the gates, then the connection, the breaker, the blocker, and what follows.
//!
//! The order inside a step is fixed. The gates decide whether an event counts at all: a report of
//! another generation, a timer that is not armed or not due, and a call that the breaker does not
//! admit never reach the connection.

mod gate;
mod step_digest;

use self::gate::{Gate, OwnTimer};
use crate::blocker::Blocker;
use crate::breaker::{Breaker, Opened};
use crate::conn::{Conn, Input, Leaf, State, Tally, Turn, restore};
use crate::decision::{Decision, Ignored};
use crate::effect::{Effect, Refusal};
use crate::event::{Asks, Event, EventKind, Report};
use crate::id::{Epoch, Millis, TimerKey};
use crate::questions::Questions;
use crate::tuning::Tuning;
use crate::view::View;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use statig::blocking::{IntoStateMachineExt, StateMachine};

/// The machine of one supervised server.
#[derive(Clone)]
pub struct Downstream {
    conn: StateMachine<Conn>,
    breaker: Breaker,
    blocker: Blocker,
    questions: Questions,
    shown: View,
}

/// Everything that a downstream is, as plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The connection's state.
    pub state: State,
    /// The connection's data.
    pub conn: Conn,
    /// The circuit breaker.
    pub breaker: Breaker,
    /// The session blocker.
    pub blocker: Blocker,
    /// What the server asks.
    #[serde(default, skip_serializing_if = "Questions::is_untouched")]
    pub questions: Questions,
}

impl Downstream {
    /// A server that was never started. `jitter_seed` should differ from server to server; the
    /// same seed gives the same decisions.
    pub fn new(tuning: Tuning, jitter_seed: u64) -> Self {
        Self::assemble(
            Conn::new(tuning, jitter_seed).state_machine(),
            Breaker::default(),
            Blocker::default(),
            Questions::default(),
        )
    }

    fn assemble(
        conn: StateMachine<Conn>,
        breaker: Breaker,
        blocker: Blocker,
        questions: Questions,
    ) -> Self {
        let shown = View::of(conn.state(), conn.inner(), &breaker, &blocker);
        Self {
            conn,
            breaker,
            blocker,
            questions,
            shown,
        }
    }

    /// Takes one event: changes the state, appends what is to be done to `effects`.
    ///
    /// The effects are in the order in which they are to be executed.
    pub fn step(&mut self, event: &Event, effects: &mut Vec<Effect>) -> Decision {
        let from = self.leaf();
        let at = event.at_ms;
        let ignored = match self.gate(event) {
            Gate::Stop(ignored) => Some(ignored),
            Gate::Own(timer) => {
                self.own_timer(timer, at, effects);
                None
            }
            Gate::Client => self.client_says(event, effects),
            Gate::Pass => self.pass(event, from, None, effects),
            Gate::Refuse(refusal) => self.pass(event, from, Some(refusal), effects),
        };
        if ignored.is_none() {
            self.questions.settle(at, self.conn.inner(), effects);
            self.publish(effects);
        }
        Decision {
            from,
            to: self.leaf(),
            ignored,
        }
    }

    fn pass(
        &mut self,
        event: &Event,
        from: Leaf,
        refusal: Option<Refusal>,
        effects: &mut Vec<Effect>,
    ) -> Option<Ignored> {
        let at = event.at_ms;
        let since = effects.len();
        let mut turn = Turn {
            at,
            effects,
            epoch: self.breaker.epoch(),
            asked_until: self.questions.open_until(at),
            refusal,
            tally: Tally::default(),
            ignored: None,
        };
        self.conn
            .handle_with_context(&Input::Event(&event.kind), &mut turn);
        let Turn {
            tally,
            ignored,
            effects,
            ..
        } = turn;
        let to = self.leaf();
        if ignored.is_none() {
            self.ask(event, effects);
        }
        let conn = self.conn.inner();
        self.questions.follow(to, since, conn, effects);
        let tuning = &self.conn.tuning;
        let opened = self.breaker.settle(tally, at, tuning, effects);
        if to == Leaf::Ready && !from.is_connected() {
            self.breaker.on_ready(effects);
        }
        self.blocker.follow(from, to, at, tuning, effects);
        let locked = to == Leaf::FlapLocked && from != Leaf::FlapLocked;
        if opened == Opened::Yes || locked {
            self.blocker.count_failure(at, to, tuning, effects);
        }
        if to == Leaf::Closed && from != Leaf::Closed {
            self.breaker.retire(effects);
        }
        ignored
    }

    /// What an event that the connection took says about questions.
    fn ask(&mut self, event: &Event, effects: &mut Vec<Effect>) {
        if self.says_nothing(event).is_some() {
            return;
        }
        let conn = self.conn.inner();
        match &event.kind {
            EventKind::Submit {
                call,
                asks: Asks::InAnswers,
                ..
            } => self.questions.carry(*call),
            EventKind::Child {
                report: Report::Asked { question, asks },
                ..
            } => self
                .questions
                .asked(*question, *asks, event.at_ms, conn, effects),
            EventKind::Child {
                report: Report::Withdrew { question },
                ..
            } => self.questions.withdrawn(*question, effects),
            EventKind::Operator(_)
            | EventKind::SlotGranted { .. }
            | EventKind::Child { .. }
            | EventKind::Submit { .. }
            | EventKind::Cancel { .. }
            | EventKind::Answered { .. }
            | EventKind::Resume { .. }
            | EventKind::Timer { .. }
            | EventKind::Overslept { .. } => {}
        }
    }

    fn client_says(&mut self, event: &Event, effects: &mut Vec<Effect>) -> Option<Ignored> {
        let conn = self.conn.inner();
        match &event.kind {
            EventKind::Answered { question } => self.questions.answered(*question, conn, effects),
            EventKind::Resume {
                call,
                round,
                answers,
            } => self
                .questions
                .resumed(*call, *round, answers, event.at_ms, conn, effects),
            EventKind::Operator(_)
            | EventKind::SlotGranted { .. }
            | EventKind::Child { .. }
            | EventKind::Submit { .. }
            | EventKind::Cancel { .. }
            | EventKind::Timer { .. }
            | EventKind::Overslept { .. } => None,
        }
    }

    fn own_timer(&mut self, timer: OwnTimer, at: Millis, effects: &mut Vec<Effect>) {
        match timer {
            OwnTimer::Question(question) => {
                self.questions
                    .question_due(question, self.conn.inner(), effects);
            }
            OwnTimer::Held(call) => {
                self.questions.held_due(call, self.conn.inner(), effects);
                // Whatever is left of it at the server is given up like any other call.
                if self.conn.calls().get(call).is_some() {
                    let kind = EventKind::Cancel { call };
                    self.pass(&Event { at_ms: at, kind }, self.leaf(), None, effects);
                }
            }
            OwnTimer::Gather => self.questions.gathered(),
            OwnTimer::Breaker => self.breaker.on_timer(effects),
            OwnTimer::Unready => {
                self.blocker
                    .on_unready(at, self.leaf(), &self.conn.tuning, effects);
            }
            OwnTimer::Rearm => self.blocker.on_rearm(),
        }
    }

    fn publish(&mut self, effects: &mut Vec<Effect>) {
        let now = View::of(
            self.conn.state(),
            self.conn.inner(),
            &self.breaker,
            &self.blocker,
        );
        if now != self.shown {
            self.shown = now;
            effects.push(Effect::Publish);
        }
    }

    /// When a timer is due, if it is armed.
    pub fn due(&self, key: TimerKey) -> Option<Millis> {
        match key {
            TimerKey::Breaker => self.breaker.due(),
            TimerKey::Unready => self.blocker.unready_due(),
            TimerKey::Rearm => self.blocker.rearm_due(),
            TimerKey::Call(call) => self.conn.calls.get(call).map(|call| call.due),
            TimerKey::Question(_) | TimerKey::Held(_) | TimerKey::Gather => self.questions.due(key),
            TimerKey::Handshake
            | TimerKey::Probe
            | TimerKey::Backoff
            | TimerKey::Lock
            | TimerKey::Pong
            | TimerKey::Heartbeat
            | TimerKey::Stable
            | TimerKey::Teardown
            | TimerKey::Drain
            | TimerKey::List => self.conn.timers.due(key),
        }
    }

    /// Every armed timer with its due time.
    pub fn armed(&self) -> impl Iterator<Item = (TimerKey, Millis)> + '_ {
        let own = [TimerKey::Breaker, TimerKey::Unready, TimerKey::Rearm]
            .into_iter()
            .filter_map(|key| self.due(key).map(|due| (key, due)));
        let calls = self
            .conn
            .calls
            .iter()
            .map(|(id, call)| (TimerKey::Call(id), call.due));
        let questions = self.questions.armed();
        self.conn
            .timers
            .armed()
            .chain(own)
            .chain(calls)
            .chain(questions)
    }

    /// The connection's state.
    pub fn state(&self) -> &State {
        self.conn.state()
    }

    /// The state's name.
    pub fn leaf(&self) -> Leaf {
        self.conn.state().leaf()
    }

    /// The connection's data.
    pub fn conn(&self) -> &Conn {
        self.conn.inner()
    }

    /// The circuit breaker.
    pub const fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// The session blocker.
    pub const fn blocker(&self) -> &Blocker {
        &self.blocker
    }

    /// What the server asks, and the calls that are held for it.
    pub const fn questions(&self) -> &Questions {
        &self.questions
    }

    /// What people are shown.
    pub const fn view(&self) -> &View {
        &self.shown
    }

    /// The breaker's epoch that calls are admitted in now.
    pub const fn epoch(&self) -> Epoch {
        self.breaker.epoch()
    }

    /// Everything that this downstream is.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            state: self.state().clone(),
            conn: self.conn().clone(),
            breaker: self.breaker.clone(),
            blocker: self.blocker.clone(),
            questions: self.questions.clone(),
        }
    }

    /// Takes up where a snapshot was taken. Emits nothing.
    pub fn restore(snapshot: Snapshot) -> Self {
        let Snapshot {
            state,
            conn,
            breaker,
            blocker,
            questions,
        } = snapshot;
        Self::assemble(restore(conn, &state), breaker, blocker, questions)
    }
}

impl core::fmt::Debug for Downstream {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.snapshot().fmt(f)
    }
}
