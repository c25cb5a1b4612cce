//! Everything that can happen, explored to closure, with every property checked on every step.
//!
//! `cargo test --release -p rea-fsm --test explore -- --ignored` explores the whole spaces;
//! without `--ignored` their beginnings are explored. `REA_EXPLORE_PROGRESS=1` tells how far it
//! is. `REA_EXPLORE_LARGE=1` also takes larger bounds, which are for nights and not pinned: tens of
//! millions of states, and more than 8 GiB.
//!
//! The sizes, and how many rows of the transition table and premises of properties each space
//! reaches, are pinned in `explored.txt`. A change of the machine that changes them is a change
//! of behaviour: look at it, then write the new line that the failing test prints into the file.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "what goes wrong here fails a test"
)]

mod support;

use support::coverage::Coverage;
use support::search::explore;
use support::spaces::{Space, breaker, conn, larger, product, questions, restart};

/// How many states of each space the everyday run explores.
const BEGINNING: usize = 60_000;

fn whole(space: &Space) {
    let mut seen = Coverage::new();
    let extent = match explore(space, usize::MAX, &mut seen) {
        Ok(extent) => extent,
        Err(failure) => panic!("in \"{}\": {failure}", space.name),
    };
    let line = format!(
        "{}: {} states, {} transitions, depth {}, {} rows, {} premises",
        space.name,
        extent.states,
        extent.transitions,
        extent.depth,
        seen.rows_reached(),
        seen.premises_reached()
    );
    eprintln!("{line}");
    let pinned = include_str!("explored.txt")
        .lines()
        .find(|pinned| pinned.split(':').next() == Some(space.name));
    assert_eq!(
        pinned,
        Some(line.as_str()),
        "if this is meant, put the line into tests/explored.txt"
    );
}

fn beginning(space: &Space) {
    let mut seen = Coverage::new();
    match explore(space, BEGINNING, &mut seen) {
        Ok(extent) => assert!(extent.states > BEGINNING || extent.closed),
        Err(failure) => panic!("in \"{}\": {failure}", space.name),
    }
}

#[test]
#[ignore = "minutes: for release builds"]
fn conn_to_closure() {
    whole(&conn());
}

#[test]
#[ignore = "minutes: for release builds"]
fn breaker_and_blocker_to_closure() {
    whole(&breaker());
}

#[test]
#[ignore = "minutes: for release builds"]
fn product_to_closure() {
    whole(&product());
}

#[test]
#[ignore = "minutes: for release builds"]
fn restart_to_closure() {
    whole(&restart());
}

#[test]
#[ignore = "minutes: for release builds"]
fn questions_to_closure() {
    whole(&questions());
}

#[test]
#[ignore = "hours: for nights"]
fn larger_bounds_to_closure() {
    if std::env::var_os("REA_EXPLORE_LARGE").is_none() {
        return;
    }
    for space in larger() {
        if let Err(failure) = explore(&space, usize::MAX, &mut Coverage::new()) {
            panic!("in \"{}\": {failure}", space.name);
        }
    }
}

#[test]
fn the_beginning_of_restart() {
    beginning(&restart());
}

#[test]
fn the_beginning_of_conn() {
    beginning(&conn());
}

#[test]
fn the_beginning_of_breaker_and_blocker() {
    beginning(&breaker());
}

#[test]
fn the_beginning_of_the_product() {
    beginning(&product());
}

#[test]
fn the_beginning_of_questions() {
    beginning(&questions());
}
