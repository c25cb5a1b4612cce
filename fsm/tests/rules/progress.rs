//! Progress begins a call's deadline anew, up to its hard cap.

use super::support::*;
use rea_fsm::{CallClass, CallId, Effect, Ignored, Leaf, Millis, Place, TimerKey, Tuning};

#[test]
fn the_deadline_begins_anew() {
    Machine::ready()
        .submit(1, CallClass::Unsafe)
        .at(50_000)
        .progress(1)
        .expect(Leaf::Ready, [arm_call(1, 110_000)])
        .at(60_000)
        .ignores(Ignored::StaleTimer, |machine| {
            machine.timer(TimerKey::Call(CallId(1)))
        });
}

#[test]
fn but_never_past_the_hard_cap() {
    let mut machine = Machine::ready_with(Tuning {
        call_cap_ms: Millis(100_000),
        ..Tuning::default()
    });
    machine
        .submit(1, CallClass::Unsafe)
        .at(50_000)
        .progress(1)
        .expect(Leaf::Ready, [arm_call(1, 100_000)]);
}

#[test]
fn only_the_reporting_call_is_given_time() {
    Machine::ready()
        .submit(1, CallClass::Unsafe)
        .submit(2, CallClass::Unsafe)
        .at(1_000)
        .progress(1)
        .expect_armed(&[
            (TimerKey::Stable, 30_000),
            (TimerKey::Call(CallId(1)), 61_000),
            (TimerKey::Call(CallId(2)), 60_000),
        ]);
}

#[test]
fn under_suspicion_it_is_proof_of_life_and_an_overdue_call_is_in_time_again() {
    let mut machine = Machine::ready();
    machine
        .submit(1, CallClass::Unsafe)
        .fire_call(1)
        .expect_leaf(Leaf::Suspect)
        .at(61_000)
        .progress(1)
        .expect(
            Leaf::Ready,
            [
                arm_call(1, 121_000),
                disarm(TimerKey::Pong),
                Effect::Publish,
            ],
        );
    let place = machine
        .inner
        .conn()
        .calls()
        .get(CallId(1))
        .map(|call| call.place);
    assert_eq!(place, Some(Place::Sent { at: Millis(0) }));
}

#[test]
fn while_draining_it_counts_too() {
    Machine::draining()
        .at(500)
        .progress(1)
        .expect(Leaf::Draining, [arm_call(1, 60_500)]);
}

#[test]
fn progress_of_no_call_in_flight_is_nobodys() {
    Machine::ready()
        .ignores(Ignored::UnknownCall, |machine| machine.progress(9))
        .submit(1, CallClass::Unsafe)
        .exited_unread(&[1])
        .ignores(Ignored::UnknownCall, |machine| machine.progress(1));
}

#[test]
fn progress_breaks_a_silence() {
    let mut machine = Machine::ready_with(Tuning {
        heartbeat_ms: Millis(10_000),
        ..Tuning::default()
    });
    machine
        .submit(1, CallClass::Unsafe)
        .at(9_000)
        .progress(1)
        .fire(TimerKey::Heartbeat)
        .expect_leaf(Leaf::Ready);
    assert_eq!(machine.inner.due(TimerKey::Heartbeat), Some(Millis(19_000)));
}
