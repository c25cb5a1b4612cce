//! The one loop's body: take what is waiting → step → log → act.
//!
//! ```text
//!  reports, calls, timers ──▶ Engine::apply ──▶ Downstream::step        decides
//!                                  │                 │
//!                                  ▼                 ▼
//!                              Journal          effects ──▶ interpreter  stages acts in the World
//!                                  │                             │
//!                                  └── Engine::commit: log, then release ──▶ the acts happen
//! ```
//!
//! Invariants: one writer, so no lock stands around a machine; an act happens after the log has
//! been written; the interpreter decides nothing. Absent on purpose: tokio, clocks, and processes.
//! The real world and the simulated one differ in their [`World`] alone.

mod call;
mod client_says;
mod complaints;
mod flood;
mod front;
mod interpreter;
mod lister;
mod log_watch;
mod questions;
mod reports;
mod session;
mod slots;
mod timers;
mod turn;
mod world;

pub use call::{Call, Carries, Label, Watch};
pub use client_says::{Resumed, Sessions};
pub use complaints::{Complaints, Fault};
pub use front::{
    Asked, Cancelled, Catalogue, Ended, Front, GoesOn, Interest, Offered, Reply, Unusable,
};
pub use lister::Lists;
pub use questions::{Answer, Question};
pub use reports::ServerReport;
pub use turn::{Changes, Engine, ServerSetup};
pub use world::{Admission, World};

use serde::Serialize;

/// The place of a server in the registry's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ServerId(pub u32);

impl ServerId {
    /// As an index into tables of servers.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}
