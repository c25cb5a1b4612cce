//! Every pair of a state and an event that can occur, with its outcome, is listed in
//! `reachable.txt`. A new pair is a decision that somebody has to have made; a lost one is a
//! behaviour that is gone.
//!
//! What the gates reject (stale generations, timers that are not due, duplicates) can occur
//! everywhere and is not listed. The runs are fixed: the same machine gives the same list.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "what goes wrong here fails a test"
)]

mod support;

use std::collections::BTreeSet;
use support::coverage::Coverage;
use support::drive::{Plan, endless, run};
use support::search::explore;
use support::spaces::{breaker, conn, product};
use support::tunings;

const DRAWS_PER_RUN: usize = 400;
/// So many that almost every pair occurs in several runs. A handful are so rare that a change of
/// how likely events are loses or finds one; then the list is written anew.
const RUNS_PER_TUNING: u64 = 6_000;
const STATES: usize = 60_000;

/// Draws that depend on nothing but the run's number.
fn draws(run: u64) -> Vec<u32> {
    let mut state = run.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut draw = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((mixed ^ (mixed >> 31)) >> 32).expect("32 bits are left")
    };
    (0..DRAWS_PER_RUN).map(|_| draw()).collect()
}

fn random_half(which: usize) -> Coverage {
    let mut seen = Coverage::new();
    for (name, tuning) in tunings::all().iter().skip(which).step_by(2) {
        for number in 0..RUNS_PER_TUNING {
            // What is rare would be rarer among the questions of servers, and beside processes that
            // end when they should.
            let left = endless(tuning);
            let plan = Plan {
                tuning,
                left: match number % 3 {
                    0 => left,
                    1 => left.without_questions(),
                    _ => left.with_stubborn_processes(),
                },
                seed: number,
                benign: true,
            };
            if let Err(failure) = run(&plan, &draws(number), &mut seen) {
                panic!("under \"{name}\": {failure}");
            }
        }
    }
    seen
}

fn reached() -> Vec<String> {
    let mut seen = std::thread::scope(|scope| {
        let other = scope.spawn(|| random_half(1));
        let mut seen = random_half(0);
        seen.merge(&other.join().expect("the other half holds"));
        seen
    });
    for space in [conn(), breaker(), product()] {
        if let Err(failure) = explore(&space, STATES, &mut seen) {
            panic!("in \"{}\": {failure}", space.name);
        }
    }
    seen.pair_lines()
}

#[test]
fn the_reachable_pairs_are_those_in_the_list() {
    let reached = reached();
    let listed: BTreeSet<&str> = include_str!("reachable.txt").lines().collect();
    let found: BTreeSet<&str> = reached.iter().map(String::as_str).collect();
    let new: Vec<_> = found.difference(&listed).collect();
    let lost: Vec<_> = listed.difference(&found).collect();
    assert!(
        new.is_empty() && lost.is_empty(),
        "new pairs: {new:#?}\nlost pairs: {lost:#?}\nIf each is meant, rewrite tests/reachable.txt: \
         REA_WRITE=1 cargo test -p rea-fsm --test reachable -- --ignored",
    );
}

#[test]
#[ignore = "writes the list"]
fn write_the_list() {
    if std::env::var_os("REA_WRITE").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reachable.txt");
        std::fs::write(path, reached().join("\n") + "\n").expect("the list can be written");
    }
}
