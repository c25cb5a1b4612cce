//! What went wrong with the circuit breaker and the session blocker.

use super::original::{Answer, Original, OriginalBreaker, Outcome};
use crate::support::*;
use rea_fsm::{CallClass, Circuit, Effect, LogEvent, Millis, TimerKey, Tuning};

/// Calls end after 100 ms; the suspicion that they raise lasts.
fn quick(breaker_faults: u32) -> Tuning {
    Tuning {
        breaker_faults,
        call_cap_ms: Millis(100),
        pong_ms: Millis(1_000_000_000),
        ..Tuning::default()
    }
}

fn circuit(machine: &Machine) -> Circuit {
    machine.inner.breaker().circuit()
}

/// Opened by five timeouts, and half open.
fn half_open() -> Machine {
    let mut machine = Machine::ready_with(quick(5));
    for call in 1..=5 {
        machine.submit(call, CallClass::Unsafe).fire_call(call);
    }
    machine.fire(TimerKey::Breaker);
    machine
}

fn original_half_open() -> OriginalBreaker {
    let mut breaker = OriginalBreaker::default();
    for _ in 0..5 {
        breaker.result(0, Outcome::Failed);
    }
    assert!(breaker.is_open(29_999) && breaker.admits(30_000));
    breaker
}

/// Calls are refused because the server is locked. The original counted its own refusals as the
/// server's failures: five of them opened the circuit for another 30 s.
#[test]
fn b10_refusals_are_no_failures() {
    let rule = |is_open: bool| !is_open;

    let mut machine = Machine::flap_locked();
    for call in 1..=100 {
        machine.submit(call, CallClass::Unsafe);
    }
    assert!(rule(circuit(&machine) != Circuit::Closed { faults: 0 }));

    let mut original = Original::connected();
    original.output_ended();
    for _ in 0..5 {
        assert_eq!(original.call(Answer::Result), Outcome::Refused);
    }
    assert!(!rule(original.breaker.is_open(original.now)));
}

/// A hundred calls arrive at a half-open circuit. The original let all of them through.
#[test]
fn b18_half_open_lets_one_call_try() {
    let rule = |admitted: usize| admitted == 1;

    let mut machine = half_open();
    let before = machine.ever(|effect| matches!(effect, Effect::Send { .. }));
    for call in 101..=200 {
        machine.submit(call, CallClass::Unsafe);
    }
    let after = machine.ever(|effect| matches!(effect, Effect::Send { .. }));
    assert!(rule(after - before));

    let mut original = original_half_open();
    let admitted = (0..100).filter(|_| original.admits(30_000)).count();
    assert!(!rule(admitted));
}

/// A call from before the opening is answered while the circuit is half open. In the original that
/// success closed it.
#[test]
fn b19_only_the_try_itself_closes_the_circuit() {
    let rule = |closed: bool| !closed;

    let mut machine = Machine::ready_with(Tuning {
        call_cap_ms: Millis(1_000_000),
        ..quick(5)
    });
    machine
        .submit_for(1, CallClass::Unsafe, 1_000_000)
        .configure(quick(5));
    for call in 2..=6 {
        machine.submit(call, CallClass::Unsafe).fire_call(call);
    }
    machine.fire(TimerKey::Breaker).reply(1);
    assert_eq!(machine.count(|effect| *effect == replied(1)), 1);
    assert!(rule(matches!(circuit(&machine), Circuit::Closed { .. })));

    let mut original = original_half_open();
    original.result(30_000, Outcome::Ok);
    assert!(!rule(original.is_closed()));
}

/// Fifty times the circuit opens and closes again. The original began its count anew at each
/// closing, so nobody was ever called, against its own text; deaths were not counted at all.
#[test]
fn b20_a_server_in_trouble_calls_for_a_person_once() {
    let rule = |firings: usize| firings > 0;

    let mut machine = Machine::ready_with(quick(1));
    for flap in 0..50 {
        let (fault, good) = (2 * flap + 1, 2 * flap + 2);
        machine
            .submit(fault, CallClass::Unsafe)
            .fire_call(fault)
            .fire(TimerKey::Breaker)
            .submit(good, CallClass::Unsafe)
            .reply(good);
    }
    let is_firing =
        |effect: &Effect| matches!(effect, Effect::Log(LogEvent::SessionBlocker { .. }));
    assert!(rule(machine.ever(is_firing)));

    let mut deaths = Machine::flap_locked();
    for _ in 0..9 {
        deaths.fire(TimerKey::Lock).slot().exited();
    }
    assert_eq!(
        deaths.ever(is_firing),
        1,
        "deaths count, and an episode fires once"
    );

    let mut original = OriginalBreaker::default();
    for flap in 0..50 {
        let at = flap * 100_000;
        for _ in 0..5 {
            original.result(at, Outcome::Failed);
        }
        assert!(original.admits(at + 30_000));
        original.result(at + 30_000, Outcome::Ok);
    }
    assert!(!rule(usize::from(original.blocker_fired)));
}
