//! Numbers with which a promise could not be kept are refused, and say which one it is; the least that is allowed is
//! allowed.

#![allow(
    clippy::semicolon_if_nothing_returned,
    clippy::unwrap_used,
    reason = "each change is one line of a table; what goes wrong here fails a test"
)]

use rea_fsm::{Millis, Tuning, TuningError};

type Change = fn(&mut Tuning, u64);

fn with(change: Change, value: u64) -> Result<(), TuningError> {
    let mut tuning = Tuning::default();
    change(&mut tuning, value);
    tuning.check()
}

fn small(value: u64) -> u32 {
    u32::try_from(value).unwrap()
}

#[test]
fn the_defaults_keep_every_promise() {
    assert_eq!(Tuning::default().check(), Ok(()));
}

#[test]
fn a_lock_may_be_as_long_as_the_restart_window_and_not_shorter() {
    let lock: Change = |tuning, value| tuning.lock_base_ms = Millis(value);
    let window = Tuning::default().restart_window_ms.0;
    assert_eq!(with(lock, window), Ok(()));
    assert_eq!(with(lock, window + 1), Ok(()));
    assert_eq!(
        with(lock, window - 1),
        Err(TuningError::LockShorterThanWindow)
    );
}

#[test]
fn a_cap_may_be_its_first_value_and_not_below() {
    let defaults = Tuning::default();
    let caps: [(&str, u64, Change); 3] = [
        ("lock", defaults.lock_base_ms.0, |tuning, value| {
            tuning.lock_max_ms = Millis(value)
        }),
        ("backoff", defaults.backoff_base_ms.0, |tuning, value| {
            tuning.backoff_max_ms = Millis(value)
        }),
        ("breaker", defaults.breaker_base_ms.0, |tuning, value| {
            tuning.breaker_max_ms = Millis(value)
        }),
    ];
    for (name, base, cap) in caps {
        assert_eq!(with(cap, base), Ok(()), "{name}");
        assert_eq!(with(cap, base + 1), Ok(()), "{name}");
        assert_eq!(with(cap, base - 1), Err(TuningError::CapBelowBase(name)));
    }
}

#[test]
fn zero_is_refused_where_nothing_would_ever_work() {
    let numbers: [(&str, Change); 23] = [
        ("restart_window", |tuning, value| {
            tuning.restart_window_ms = Millis(value)
        }),
        ("backoff_base", |tuning, value| {
            tuning.backoff_base_ms = Millis(value)
        }),
        ("stable", |tuning, value| tuning.stable_ms = Millis(value)),
        ("handshake", |tuning, value| {
            tuning.handshake_ms = Millis(value)
        }),
        ("probe", |tuning, value| tuning.probe_ms = Millis(value)),
        ("list", |tuning, value| tuning.list_ms = Millis(value)),
        ("list_gap", |tuning, value| {
            tuning.list_gap_ms = Millis(value)
        }),
        ("pong", |tuning, value| tuning.pong_ms = Millis(value)),
        ("call_cap", |tuning, value| {
            tuning.call_cap_ms = Millis(value)
        }),
        ("linger", |tuning, value| tuning.linger_ms = Millis(value)),
        ("term", |tuning, value| tuning.term_ms = Millis(value)),
        ("kill", |tuning, value| tuning.kill_ms = Millis(value)),
        ("give_up", |tuning, value| tuning.give_up_ms = Millis(value)),
        ("kill_again", |tuning, value| {
            tuning.kill_again_ms = Millis(value)
        }),
        ("queue_time", |tuning, value| {
            tuning.queue_ms = Millis(value)
        }),
        ("in_flight_max", |tuning, value| {
            tuning.in_flight_max = small(value)
        }),
        ("breaker_faults", |tuning, value| {
            tuning.breaker_faults = small(value)
        }),
        ("breaker_base", |tuning, value| {
            tuning.breaker_base_ms = Millis(value)
        }),
        ("breaker_probes", |tuning, value| {
            tuning.breaker_probes = small(value)
        }),
        ("blocker_failures", |tuning, value| {
            tuning.blocker_failures = small(value)
        }),
        ("blocker_unready", |tuning, value| {
            tuning.blocker_unready_ms = Millis(value)
        }),
        ("blocker_rearm", |tuning, value| {
            tuning.blocker_rearm_ms = Millis(value)
        }),
        ("question", |tuning, value| {
            tuning.question_ms = Millis(value)
        }),
    ];
    for (name, number) in numbers {
        assert_eq!(with(number, 1), Ok(()), "{name}");
        assert_eq!(with(number, 0), Err(TuningError::Zero(name)));
    }
}

#[test]
fn a_refusal_says_what_is_wrong() {
    for (error, said) in [
        (TuningError::LockShorterThanWindow, "restart window"),
        (TuningError::CapBelowBase("backoff"), "`backoff`"),
        (TuningError::Zero("list"), "`list`"),
    ] {
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn a_restart_is_remembered_for_the_window_and_the_longest_attempt() {
    let tuning = Tuning {
        restart_window_ms: Millis(1_000),
        handshake_ms: Millis(200),
        term_ms: Millis(30),
        kill_ms: Millis(4),
        give_up_ms: Millis(5),
        ..Tuning::default()
    };
    assert_eq!(tuning.teardown_ms(), Millis(39));
    assert_eq!(tuning.restart_memory_ms(), Millis(1_239));
}
