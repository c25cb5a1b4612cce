//! The connection: is there a process, and what is it doing?
//!
//! ```text
//! root ─┬─ Ready                              healthy: calls are sent
//!       ├─ degraded ─┬─ Connecting            calls wait
//!       │            ├─ Backoff
//!       │            └─ Reaping
//!       ├─ Suspect                            degraded, but calls are still sent
//!       ├─ refusing ─┬─ Idle, Blocked, FlapLocked, Stuck      calls fail at once
//!       │            └─ Draining, Terminating, Closed         the same, and for good
//! ```
//!
//! One file a concern: [`state`] the states, `rules/` what each state does with each event,
//! `enter` what entering a state asks for, `relay` what happens to calls, `restart` the budget,
//! `ledger` the calls that are held, `listing` the server's lists, `timers` what is armed.
//!
//! Invariant: this data changes inside handlers only. The wrapper around the machine reads it.

mod enter;
mod ledger;
mod listing;
mod relay;
mod restart;
mod rules;
mod state;
mod timers;

pub(crate) use ledger::LedgerDigest;
pub use ledger::{Call, Ledger, Place};
pub(crate) use listing::Listings;
pub use listing::{Catalogue, ListState};
pub use restart::Restarts;
use state::Superstate;
pub use state::{Leaf, Phase, Remains, State, TeardownStep, Then, Why};
pub use timers::Timers;

use crate::decision::Ignored;
use crate::effect::{Effect, LogEvent, Refusal};
use crate::event::{EventKind, ExitStatus, ProtocolVersion};
use crate::id::{Epoch, Generation, Millis, Ticket, TimerKey};
use crate::tuning::Tuning;
use crate::view::LastError;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use statig::Outcome;
use statig::blocking::{IntoStateMachine, IntoStateMachineExt, StateMachine};

/// What the connection remembers, whatever its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conn {
    pub(crate) tuning: Tuning,
    pub(crate) jitter_seed: u64,
    pub(crate) generation: Option<Generation>,
    pub(crate) ticket: Ticket,
    pub(crate) input: Pipe,
    pub(crate) calls: Ledger,
    pub(crate) restarts: Restarts,
    pub(crate) era: Era,
    pub(crate) catalogue: Option<Catalogue>,
    pub(crate) list: ListState,
    #[serde(default, skip_serializing_if = "Listings::is_untouched")]
    pub(crate) listings: Listings,
    pub(crate) timers: Timers,
    pub(crate) heard_at: Millis,
    pub(crate) connections: u32,
    pub(crate) last_error: Option<LastError>,
    pub(crate) last_exit: Option<ExitStatus>,
    pub(crate) since: Millis,
}

/// Whether the process can be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pipe {
    /// There is a process, and its stdin is open.
    Open,
    /// There is none, or its stdin is closed.
    Closed,
}

/// What is known about the era that a server speaks. Kept across generations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Era {
    /// Nothing.
    Unknown,
    /// It died of being asked: it is a legacy server and is not asked again.
    DiedProbed,
    /// It has said so.
    Known(ProtocolVersion),
}

/// What became of calls in one step, for the breaker: only calls of its current epoch count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) answers: u32,
    pub(crate) timeouts: u32,
    /// One for each process that went away with calls in flight, however many they were: a death
    /// is one fact.
    pub(crate) losses: u32,
    pub(crate) neutral: u32,
}

/// One step's surroundings: its time, and where its outcome goes.
pub struct Turn<'a> {
    pub(crate) at: Millis,
    pub(crate) effects: &'a mut Vec<Effect>,
    /// The breaker's current epoch.
    pub(crate) epoch: Epoch,
    /// Until when its client may take to answer the server, if the server has asked something. One
    /// that waits for a person may do nothing else meanwhile.
    pub(crate) asked_until: Option<Millis>,
    /// What the breaker says of the call that arrives, if it does not admit it.
    pub(crate) refusal: Option<Refusal>,
    pub(crate) tally: Tally,
    pub(crate) ignored: Option<Ignored>,
}

impl Turn<'_> {
    pub(crate) fn log(&mut self, event: LogEvent) {
        self.effects.push(Effect::Log(event));
    }

    /// Names the reason why this event changes nothing.
    pub(crate) fn ignore(&mut self, reason: Ignored) -> Outcome<State> {
        self.ignored = Some(reason);
        Outcome::Handled
    }
}

/// What the state machine is given: an event, or the state that a snapshot recorded.
pub enum Input<'a> {
    /// Something happened.
    Event(&'a EventKind),
    /// Take this state up without doing anything.
    Restore(&'a State),
}

impl Era {
    /// The revision, if it is known.
    pub const fn version(self) -> Option<ProtocolVersion> {
        match self {
            Self::Unknown | Self::DiedProbed => None,
            Self::Known(version) => Some(version),
        }
    }
}

impl Conn {
    pub(crate) fn new(tuning: Tuning, jitter_seed: u64) -> Self {
        Self {
            era: tuning.known_version.map_or(Era::Unknown, Era::Known),
            tuning,
            jitter_seed,
            generation: None,
            ticket: Ticket::default(),
            input: Pipe::Closed,
            calls: Ledger::default(),
            restarts: Restarts::default(),
            catalogue: None,
            list: ListState::default(),
            listings: Listings::default(),
            timers: Timers::default(),
            heard_at: Millis::ZERO,
            connections: 0,
            last_error: None,
            last_exit: None,
            since: Millis::ZERO,
        }
    }

    /// The calls that are held.
    pub const fn calls(&self) -> &Ledger {
        &self.calls
    }

    /// The current or last process's generation.
    pub const fn generation(&self) -> Option<Generation> {
        self.generation
    }

    /// The numbers that decide.
    pub const fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    /// The connection's armed timers.
    pub const fn timers(&self) -> &Timers {
        &self.timers
    }

    /// The restart budget.
    pub const fn restarts(&self) -> &Restarts {
        &self.restarts
    }

    /// What is known of the server's era.
    pub const fn era(&self) -> Era {
        self.era
    }

    /// What is known of the list of tools.
    pub const fn catalogue(&self) -> Option<Catalogue> {
        self.catalogue
    }

    /// Whether the process can be written to.
    pub const fn input(&self) -> Pipe {
        self.input
    }

    /// How the last process ended.
    pub const fn last_exit(&self) -> Option<ExitStatus> {
        self.last_exit
    }

    pub(crate) fn arm(&mut self, key: TimerKey, length: Millis, turn: &mut Turn<'_>) {
        self.timers.arm(key, turn.at.plus(length), turn.effects);
    }

    pub(crate) fn disarm(&mut self, key: TimerKey, turn: &mut Turn<'_>) {
        self.timers.disarm(key, turn.effects);
    }
}

impl IntoStateMachine for Conn {
    type Event<'evt> = Input<'evt>;
    type Context<'ctx> = Turn<'ctx>;
    type State = State;
    type Superstate<'sub> = Superstate;

    fn initial() -> State {
        State::Idle
    }

    fn after_transition(&mut self, source: &State, target: &State, turn: &mut Turn<'_>) {
        self.enter(source, target, turn);
    }
}

/// The machine in the state that a snapshot recorded; nothing is emitted by restoring.
pub(crate) fn restore(conn: Conn, state: &State) -> StateMachine<Conn> {
    let since = conn.since;
    let mut effects = Vec::new();
    let mut turn = Turn {
        at: since,
        effects: &mut effects,
        epoch: Epoch::default(),
        asked_until: None,
        refusal: None,
        tally: Tally::default(),
        ignored: Some(Ignored::Restored),
    };
    let mut machine = conn.state_machine();
    machine.handle_with_context(&Input::Restore(state), &mut turn);
    machine
}
