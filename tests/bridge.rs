//! The bridge between the eras under random worlds: clients with and without a session in front of
//! servers of both eras that ask in the middle of calls, and all of them die, repeat, cancel, forge
//! and stay silent as they like.
//!
//! `REA_BRIDGE_SEED=123` runs one seed and tells everything; `REA_BRIDGE_SEEDS=n` runs so many.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on says so"
)]

#[path = "bridge/checks.rs"]
mod checks;
#[path = "bridge/client.rs"]
mod client;
#[path = "bridge/run.rs"]
mod run;
#[path = "bridge/servers.rs"]
mod servers;
#[path = "simulation/mod.rs"]
mod simulation;
#[path = "bridge/witness.rs"]
mod witness;

use checks::Seen;
use simulation::seeds::{self, number};

/// How many seeds a plain `cargo test` runs.
const SEEDS: u64 = 1_200;

#[test]
fn every_interleaving_keeps_calls_and_answers_together() {
    if let Some(seed) = number("REA_BRIDGE_SEED") {
        eprintln!(
            "seed {seed} holds: {:?}",
            run::seed(seed, run::Telling::All)
        );
        return;
    }
    let seeds = number("REA_BRIDGE_SEEDS").unwrap_or(SEEDS);
    let again = |seed| format!("REA_BRIDGE_SEED={seed} cargo test --test bridge -- --nocapture");
    let run = |seed| run::seed(seed, run::Telling::Nothing);
    let seen = seeds::all(seeds, again, run, Seen::add);
    eprintln!("{seeds} seeds: {seen:#?}");
    if seeds >= SEEDS {
        seen.every_premise_was_met();
    }
}
