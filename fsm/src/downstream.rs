//! One downstream: the gates, then the connection, the breaker, the blocker, and what follows.
//!
//! The order inside a step is fixed. The gates decide whether an event counts at all: a report of
//! another generation, a timer that is not armed or not due, and a call that the breaker does not
//! admit never reach the connection.

use crate::blocker::Blocker;
use crate::breaker::{Breaker, Opened};
use crate::conn::{Conn, Input, Leaf, State, Tally, Turn, restore};
use crate::digest::digest;
use crate::effect::{Effect, Refusal};
use crate::event::{Event, EventKind};
use crate::id::{Epoch, Generation, Millis, Ticket, TimerKey};
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
    shown: View,
}

/// What a step came to, beside its effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The state before.
    pub from: Leaf,
    /// The state after.
    pub to: Leaf,
    /// Why the event changed nothing, if it changed nothing.
    pub ignored: Option<Ignored>,
}

/// Why an event changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ignored {
    /// It is about another generation than the current one.
    StaleGeneration,
    /// It answers a request for a slot that was taken back, or is answered already.
    StaleTicket,
    /// The timer is not armed, or not due.
    StaleTimer,
    /// No such call is held, or it was not sent: it is finished, or never was.
    UnknownCall,
    /// A call with this or a larger id has been submitted before.
    DuplicateCall,
    /// It is started already.
    AlreadyStarted,
    /// It is stopping already and not slower, or stopped: no way leads back.
    AlreadyStopping,
    /// No pause, lock or block is in the way.
    NothingToRetry,
    /// There is no process to replace, or it can't be replaced.
    NothingToRestart,
    /// The last process does not end, and is not replaced while it lives.
    Unkillable,
    /// A liveness probe is out already.
    AlreadySuspected,
    /// A list is wanted already.
    AlreadyWanted,
    /// The state does not wait for this report.
    Unexpected,
    /// A snapshot was taken up. Never the outcome of an event.
    Restored,
}

impl Ignored {
    /// The reason in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::StaleGeneration => "it is about another generation",
            Self::StaleTicket => "no such slot is asked for",
            Self::StaleTimer => "the timer is not armed, or not due",
            Self::UnknownCall => "no such call is in flight",
            Self::DuplicateCall => "the call was submitted before",
            Self::AlreadyStarted => "it is started already",
            Self::AlreadyStopping => "it is stopping already, or stopped",
            Self::NothingToRetry => "nothing is in the way",
            Self::NothingToRestart => "there is nothing to replace",
            Self::Unkillable => "the last process does not end, and is not replaced while it lives",
            Self::AlreadySuspected => "a liveness probe is out already",
            Self::AlreadyWanted => "a list is wanted already",
            Self::Unexpected => "the state does not wait for it",
            Self::Restored => "a snapshot was taken up",
        }
    }
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
}

/// What the digest after each step covers: everything but the held calls one by one, for which
/// the ledger's own running hash stands.
#[derive(Serialize)]
struct StepDigest<'a> {
    state: &'a State,
    generation: Option<Generation>,
    ticket: Ticket,
    breaker: &'a Breaker,
    blocker: &'a Blocker,
    restarts: &'a crate::conn::Restarts,
    timers: &'a crate::conn::Timers,
    ledger: crate::conn::LedgerDigest,
    rest: (
        crate::conn::Pipe,
        crate::conn::Era,
        crate::conn::ListState,
        Option<crate::conn::Catalogue>,
        Millis,
        Millis,
        u32,
    ),
    errors: (
        &'a Option<crate::view::LastError>,
        Option<crate::event::ExitStatus>,
    ),
}

/// What the gates say about an event.
enum Gate {
    /// It goes to the connection.
    Pass,
    /// It belongs to the breaker or the blocker.
    Own(OwnTimer),
    /// It changes nothing.
    Stop(Ignored),
    /// The breaker does not let the call through.
    Refuse(Refusal),
}

#[derive(Clone, Copy)]
enum OwnTimer {
    Breaker,
    Unready,
    Rearm,
}

impl Downstream {
    /// A server that was never started. `jitter_seed` should differ from server to server; the
    /// same seed gives the same decisions.
    pub fn new(tuning: Tuning, jitter_seed: u64) -> Self {
        Self::assemble(
            Conn::new(tuning, jitter_seed).state_machine(),
            Breaker::default(),
            Blocker::default(),
        )
    }

    fn assemble(conn: StateMachine<Conn>, breaker: Breaker, blocker: Blocker) -> Self {
        let shown = View::of(conn.state(), conn.inner(), &breaker, &blocker);
        Self {
            conn,
            breaker,
            blocker,
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
            Gate::Pass => self.pass(event, from, None, effects),
            Gate::Refuse(refusal) => self.pass(event, from, Some(refusal), effects),
        };
        if ignored.is_none() {
            self.publish(effects);
        }
        Decision {
            from,
            to: self.leaf(),
            ignored,
        }
    }

    fn gate(&mut self, event: &Event) -> Gate {
        match &event.kind {
            EventKind::Child { generation, .. } => {
                if self.conn.generation == Some(*generation) {
                    Gate::Pass
                } else {
                    Gate::Stop(Ignored::StaleGeneration)
                }
            }
            EventKind::Timer { key } => {
                if self.due(*key).is_none_or(|due| due > event.at_ms) {
                    return Gate::Stop(Ignored::StaleTimer);
                }
                match key {
                    TimerKey::Breaker => Gate::Own(OwnTimer::Breaker),
                    TimerKey::Unready => Gate::Own(OwnTimer::Unready),
                    TimerKey::Rearm => Gate::Own(OwnTimer::Rearm),
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
                    | TimerKey::Call(_) => Gate::Pass,
                }
            }
            EventKind::Submit { call, .. } => {
                if !self.conn.calls.is_new(*call) {
                    return Gate::Stop(Ignored::DuplicateCall);
                }
                match self.breaker.admit(&self.conn.tuning) {
                    Ok(()) => Gate::Pass,
                    Err(refusal) => Gate::Refuse(refusal),
                }
            }
            EventKind::Operator(_)
            | EventKind::SlotGranted { .. }
            | EventKind::Cancel { .. }
            | EventKind::Overslept { .. } => Gate::Pass,
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
        let mut turn = Turn {
            at,
            effects,
            epoch: self.breaker.epoch(),
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

    fn own_timer(&mut self, timer: OwnTimer, at: Millis, effects: &mut Vec<Effect>) {
        match timer {
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
        self.conn.timers.armed().chain(own).chain(calls)
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

    /// What people are shown.
    pub const fn view(&self) -> &View {
        &self.shown
    }

    /// The breaker's epoch that calls are admitted in now.
    pub const fn epoch(&self) -> Epoch {
        self.breaker.epoch()
    }

    /// A digest that two runs agree on after each step if they agree on everything. Costs the
    /// same however many calls are held.
    pub fn digest(&self) -> u64 {
        let conn = self.conn();
        digest(&StepDigest {
            state: self.state(),
            generation: conn.generation,
            ticket: conn.ticket,
            breaker: &self.breaker,
            blocker: &self.blocker,
            restarts: &conn.restarts,
            timers: &conn.timers,
            ledger: conn.calls.digest_part(),
            rest: (
                conn.input,
                conn.era,
                conn.list,
                conn.catalogue,
                conn.heard_at,
                conn.since,
                conn.connections,
            ),
            errors: (&conn.last_error, conn.last_exit),
        })
    }

    /// Everything that this downstream is.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            state: self.state().clone(),
            conn: self.conn().clone(),
            breaker: self.breaker.clone(),
            blocker: self.blocker.clone(),
        }
    }

    /// Takes up where a snapshot was taken. Emits nothing.
    pub fn restore(snapshot: Snapshot) -> Self {
        let Snapshot {
            state,
            conn,
            breaker,
            blocker,
        } = snapshot;
        Self::assemble(restore(conn, &state), breaker, blocker)
    }
}

impl core::fmt::Debug for Downstream {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.snapshot().fmt(f)
    }
}
