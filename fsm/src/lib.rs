//! The core of `rea`: one pure state machine for each supervised server (a *downstream*).
//!
//! ```text
//! Downstream = Conn (hierarchical state machine) × Breaker × Blocker × Questions
//! step(&mut Downstream, &Event, &mut Vec<Effect>) -> Decision
//! ```
//!
//! Everything that decides is here, and nothing here can touch the world: the crate is `no_std`,
//! reads no clock, draws no random numbers and keeps no unordered map. The same events give the
//! same effects and the same [`digest`] on every machine, which is what makes a log of events a
//! complete account of what happened and why.
//!
//! # Invariants
//! - A report of another generation than the current one changes nothing.
//! - A timer that is not armed, or not due, changes nothing.
//! - There is at most one process: [`Effect::Spawn`] is emitted only into an empty slot.
//! - Each submitted call is answered by exactly one [`Effect::Complete`].
//! - A call that may have run is sent again only if its class says that it may be repeated.
//! - After a stop there is no `Spawn` and no `Send`.
//!
//! # Absent on purpose
//! Payload bytes (effects name calls), error texts that decide anything (refusals are enums), and
//! entry or exit actions (what entering a state asks for stands in one function of source and
//! target, so that a restored machine does not act by being restored).
//!
//! ```
//! use rea_fsm::{Downstream, Effect, Event, EventKind, Millis, Operator, Tuning};
//!
//! let mut downstream = Downstream::new(Tuning::default(), 7);
//! let mut effects = Vec::new();
//! let start = Event { at_ms: Millis(0), kind: EventKind::Operator(Operator::Start {}) };
//! let decision = downstream.step(&start, &mut effects);
//! assert_eq!(decision.ignored, None);
//! assert!(matches!(effects[0], Effect::AcquireSlot { .. }));
//! ```

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod blocker;
mod breaker;
mod conn;
mod decision;
mod digest;
mod downstream;
mod effect;
mod event;
mod id;
mod questions;
mod tuning;
mod view;

pub use blocker::Blocker;
pub use breaker::{Breaker, Circuit, FaultCause};
pub use conn::{
    Call, Catalogue, Conn, Era, Leaf, Ledger, ListState, Phase, Pipe, Place, Remains, Restarts,
    State, TeardownStep, Then, Timers, Why,
};
pub use decision::{Decision, Ignored};
pub use digest::digest;
pub use downstream::{Downstream, Snapshot};
pub use effect::{Effect, Executed, LogEvent, Refusal, Signal, Unasked, Verdict};
pub use event::{
    Asks, BlockReason, CallClass, Drain, Event, EventKind, ExitStatus, HandshakeFailure,
    IoErrorKind, Listing, Offer, Operator, ProtocolVersion, ReplyKind, Report, SpawnFailure,
};
pub use id::{CallId, Epoch, Generation, Millis, QuestionId, Ticket, TimerKey};
pub use questions::{Held, Outcome, Question, QuestionPlace, Questions};
pub use tuning::{Protocol, Tuning, TuningError};
pub use view::{ConnectionState, Health, LastError, View};
