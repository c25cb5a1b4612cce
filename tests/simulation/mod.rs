//! A simulated world under the real gateway: clock, children, client, log.
//!
//! ```text
//!  plan (a seed's choices) ──▶ harness ──▶ Gateway::{begin, take, end}   the turn of `rea serve`
//!                                │                 │
//!                                ▼                 ▼
//!                   world (clock, events)  ◀── acts, after the log
//!                     ├── child (what servers do and have read)
//!                     └── client (what it says and hears)
//!  checks and log look at what is left: from outside, and through the log
//! ```

#![allow(
    dead_code,
    reason = "each of the test programs that share this world uses a part of it"
)]

pub(crate) mod checks;
pub(crate) mod child;
pub(crate) mod client;
pub(crate) mod harness;
pub(crate) mod intake;
pub(crate) mod log;
pub(crate) mod messages;
pub(crate) mod moody;
pub(crate) mod plan;
pub(crate) mod rng;
pub(crate) mod said;
pub(crate) mod script;
pub(crate) mod seeds;
pub(crate) mod world;
