//! Random runs of the machine in an adversarial world, every step checked against every property.
//!
//! `REA_RANDOM_EVENTS=1000000000 cargo test --release -p rea-fsm --test properties` for a night.
//! A failure prints the events that lead to it, shrunk; its seed is kept in the top-level
//! `proptest-regressions/`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "what goes wrong here fails a test"
)]

mod support;

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError, TestError, TestRunner};
use std::cell::RefCell;
use support::coverage::Coverage;
use support::drive::{Plan, endless, run};
use support::tunings;

/// Events in a suite run, all tunings together.
const EVENTS: u64 = 10_000_000;
/// Each premise and each row of the transition table is met at least this often in a suite run. A shorter one says
/// nothing about that.
const LEAST: u64 = 500;
const RUN_LENGTH: usize = 400;

fn wanted_events() -> u64 {
    std::env::var("REA_RANDOM_EVENTS")
        .ok()
        .map_or(EVENTS, |text| {
            text.parse()
                .expect("REA_RANDOM_EVENTS is a number of events")
        })
}

fn config(cases: u64) -> Config {
    Config {
        cases: u32::try_from(cases).expect("fewer cases"),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../proptest-regressions/properties.txt"
        )))),
        max_shrink_iters: 20_000,
        ..Config::default()
    }
}

/// Random runs under every tuning of one half; what they have reached.
fn half(which: usize, events: u64) -> Coverage {
    let tunings: Vec<_> = tunings::all().into_iter().skip(which).step_by(2).collect();
    let cases = events.div_ceil((tunings.len() * RUN_LENGTH) as u64);
    let seen = RefCell::new(Coverage::new());
    for (name, tuning) in &tunings {
        let strategy = (any::<u64>(), vec(any::<u32>(), 1..=2 * RUN_LENGTH));
        let enough = seen.borrow().steps + events.div_ceil(tunings.len() as u64);
        // The lengths are drawn too, so the runs may turn out shorter than usual.
        while seen.borrow().steps < enough {
            let outcome = TestRunner::new(config(cases)).run(&strategy, |(seed, draws)| {
                let plan = Plan {
                    tuning,
                    left: endless(tuning),
                    seed,
                    benign: true,
                };
                run(&plan, &draws, &mut seen.borrow_mut())
                    .map_err(|failure| TestCaseError::fail(failure.to_string()))
            });
            match outcome {
                Ok(()) => {}
                Err(TestError::Fail(reason, _)) => panic!("under \"{name}\": {reason}"),
                Err(TestError::Abort(reason)) => panic!("under \"{name}\", given up: {reason}"),
            }
        }
    }
    seen.into_inner()
}

#[test]
fn random_events_keep_every_property_and_reach_every_row() {
    let events = wanted_events();
    let seen = std::thread::scope(|scope| {
        let other = scope.spawn(|| half(1, events / 2));
        let mut seen = half(0, events / 2);
        seen.merge(&other.join().expect("the other half holds"));
        seen
    });
    assert!(seen.steps >= events, "{} events", seen.steps);
    let thin = if events < EVENTS {
        Vec::new()
    } else {
        seen.thin(LEAST)
    };
    assert!(
        thin.is_empty(),
        "reached less than {LEAST} times:\n{}",
        thin.join("\n")
    );
}
