//! Thousands of seeded worlds under the gateway's own turn, each judged from outside and then
//! replayed from its log.
//!
//! `REA_SIM_SEED=123` runs one seed and tells everything; `REA_SIM_SEEDS=n` runs so many.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on says so"
)]

#[path = "simulation/mod.rs"]
mod simulation;

use simulation::checks::{Seen, check};
use simulation::log::replays_identically;
use simulation::plan::{Plan, Ran};
use simulation::seeds::{self, number};
use std::time::Instant;

/// How many seeds a plain `cargo test` runs.
const SEEDS: u64 = 2_500;

fn run(seed: u64, tells: bool) -> (Ran, Seen) {
    let ran = Plan::of(seed).run(tells);
    let counts = check(&ran);
    (ran, counts)
}

#[test]
fn every_seed_keeps_every_promise() {
    if let Some(seed) = number("REA_SIM_SEED") {
        let (ran, seen) = run(seed, true);
        eprintln!("seed {seed} holds: {} turns, {seen:?}", ran.left.turns);
        return;
    }
    let began = Instant::now();
    let seeds = number("REA_SIM_SEEDS").unwrap_or(SEEDS);
    let again = |seed| {
        format!("REA_SIM_SEED={seed} cargo test --test simulation every_seed -- --nocapture")
    };
    let seen = seeds::all(seeds, again, |seed| run(seed, false).1, Seen::add);
    eprintln!("{seeds} seeds in {:?}: {seen:#?}", began.elapsed());
    if seeds >= SEEDS {
        every_premise_was_met(&seen);
    }
}

/// A check whose premise never holds checks nothing.
fn every_premise_was_met(seen: &Seen) {
    for (what, count) in [
        ("answers", seen.answers),
        ("calls that were not executed", seen.said_no),
        ("calls that may have been executed", seen.said_maybe),
        ("safe calls that were read twice", seen.read_twice),
        ("progress", seen.progressed),
        ("answers over the limit", seen.oversized),
        ("orphans", seen.orphans),
        ("KILL", seen.killed),
        ("calls given up", seen.cancelled),
        ("prompt answers of good servers", seen.prompt),
        ("deaths with calls unread", seen.unread_deaths),
        ("gaps in logs", seen.gaps),
        ("records lost in gaps", seen.lost),
        ("files of logs", seen.files.saturating_sub(SEEDS)),
        (
            "processes left behind after a second signal",
            seen.left_behind,
        ),
        ("good servers that had time to start", seen.good_starts),
        ("calls refused for want of a log", seen.not_logged),
    ] {
        assert!(count >= 10, "too seldom seen: {what}, {count} times");
    }
}

#[test]
fn the_same_seed_is_the_same_run_to_the_byte_and_its_log_replays() {
    for seed in 0..40 {
        let (one, _) = run(seed, false);
        let (two, _) = run(seed, false);
        replays_identically(one.left.log.clone(), &one.left.replayed);
        assert_eq!(one.left.world.heard, two.left.world.heard, "seed {seed}");
        assert_eq!(one.left.world.acts, two.left.world.acts, "seed {seed}");
        assert_eq!(one.left.world.reads, two.left.world.reads, "seed {seed}");
        assert_eq!(one.left.log, two.left.log, "seed {seed}");
    }
}
